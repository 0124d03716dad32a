//! One test per fault: that it does what its documentation says, and no more.
//!
//! Neighbours: `tests` (crashes and the whole machine), `fault` (the kinds).

use super::*;

const PATH: &str = "file";

fn contents(disk: &SimVfs) -> Vec<u8> {
    disk.contents(Path::new(PATH)).unwrap()
}

fn read(file: &Arc<dyn File>, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let read = file.read_at(0, &mut bytes).unwrap();
    bytes.truncate(read);
    bytes
}

fn ones(bytes: &[u8]) -> usize {
    bytes.iter().map(|byte| usize::from(*byte == 1)).sum()
}

#[test]
fn a_planned_fault_waits_for_its_operation_and_strikes_once() {
    let disk = SimVfs::new(1);
    let file = durable_file(&disk, PATH, b"content");
    let now = disk.operations();
    disk.inject(now + 3, Fault::ReadError);
    disk.inject(now + 1, Fault::SyncError);
    assert_eq!(read(&file, 7), b"content");
    assert_eq!(read(&file, 7), b"content");
    file.write_at(0, b"C").unwrap();
    assert_eq!(file.read_at(0, &mut [0]).unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(read(&file, 7), b"Content");
    assert_eq!(disk.outstanding_faults(), 1);
    assert_eq!(file.sync().unwrap_err().kind(), ErrorKind::Io);
    file.sync().unwrap();
    let faults: Vec<_> = disk.trace().iter().filter_map(|operation| operation.fault).collect();
    assert_eq!(faults, [Fault::ReadError, Fault::SyncError]);
    disk.inject_next(Fault::ReadError);
    disk.clear_faults();
    read(&file, 1);
}

#[test]
fn each_fault_befalls_its_operations_alone() {
    type Act = fn(&SimVfs, &Arc<dyn File>) -> Result<()>;
    let acts: [(OperationKind, Act); 12] = [
        (OperationKind::Open, |disk, _| disk.open(Path::new(PATH), OpenMode::Read).map(drop)),
        (OperationKind::Create, |disk, _| {
            disk.open(Path::new("new"), OpenMode::CreateNew).map(drop)
        }),
        (OperationKind::Read, |_, file| file.read_at(0, &mut [0; 7]).map(drop)),
        (OperationKind::Write, |_, file| file.write_at(0, b"x")),
        (OperationKind::Sync, |_, file| file.sync()),
        (OperationKind::SetLen, |_, file| file.set_len(3)),
        (OperationKind::Allocate, |_, file| file.allocate(30)),
        (OperationKind::Remove, |disk, _| disk.remove(Path::new(PATH))),
        (OperationKind::Rename, |disk, _| disk.rename(Path::new(PATH), Path::new("to"))),
        (OperationKind::List, |disk, _| disk.list(root()).map(drop)),
        (OperationKind::SyncDirectory, |disk, _| disk.sync_directory(root())),
        (OperationKind::Lock, |disk, _| disk.lock(Path::new(PATH)).map(drop)),
    ];
    for fault in Fault::ALL {
        for (kind, act) in &acts {
            let disk = SimVfs::new(1);
            let file = durable_file(&disk, PATH, b"content");
            disk.inject_next(fault);
            let result = act(&disk, &file);
            let operation = disk.trace().pop().unwrap();
            assert_eq!(operation.kind, *kind);
            assert_eq!(operation.fault, fault.befalls(*kind).then_some(fault));
            let reported = fault.befalls(*kind) && fault.is_reported();
            assert_eq!(result.is_err(), reported, "{fault} at {kind:?}: {result:?}");
            assert_eq!(disk.is_on(), fault != Fault::Crash);
        }
    }
}

#[test]
fn a_failed_name_change_changes_nothing() {
    let disk = SimVfs::new(1);
    drop(durable_file(&disk, PATH, b"content"));
    for _ in 0..3 {
        disk.inject_next(Fault::WriteError);
    }
    disk.open(Path::new("new"), OpenMode::Create).unwrap_err();
    disk.rename(Path::new(PATH), Path::new("to")).unwrap_err();
    disk.remove(Path::new(PATH)).unwrap_err();
    assert_eq!(disk.list(root()).unwrap(), [Path::new(PATH)]);
}

#[test]
fn a_failed_write_may_have_written_a_part() {
    for (fault, kind) in [(Fault::WriteError, ErrorKind::Io), (Fault::NoSpace, ErrorKind::Full)] {
        let mut seen = BTreeSet::new();
        for seed in 0..40 {
            let disk = SimVfs::new(seed);
            let file = durable_file(&disk, PATH, &[0; 2048]);
            disk.inject_next(fault);
            let error = file.write_at(0, &[1; 1536]).unwrap_err();
            assert_eq!((error.kind(), error.offset()), (kind, Some(0)));
            let found = contents(&disk);
            assert!(found.is_sorted_by(|a, b| a >= b) && found.len() == 2048);
            seen.insert(ones(&found));
        }
        assert_eq!(Vec::from_iter(seen), [0, 512, 1024, 1536]);
    }
}

#[test]
fn after_a_failed_sync_the_data_may_be_gone_although_the_next_succeeds() {
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, PATH, &[0; 1024]);
        file.write_at(0, &[1; 1024]).unwrap();
        disk.inject_next(Fault::SyncError);
        file.sync().unwrap_err();
        let at_once = read(&file, 1024);
        file.sync().unwrap();
        disk.crash_with(Survival::Everything);
        seen.insert((at_once[0], contents(&disk)[0]));
    }
    assert_eq!(Vec::from_iter(seen), [(0, 0), (1, 0), (1, 1)]);
}

#[test]
fn after_a_failed_directory_sync_the_names_may_be_gone() {
    let mut seen = BTreeSet::new();
    for seed in 0..40 {
        let disk = SimVfs::new(seed);
        disk.open(Path::new(PATH), OpenMode::Create).unwrap();
        disk.inject_next(Fault::SyncError);
        disk.sync_directory(root()).unwrap_err();
        disk.sync_directory(root()).unwrap();
        assert!(disk.exists(Path::new(PATH)).unwrap());
        disk.crash();
        seen.insert(disk.contents(Path::new(PATH)).is_some());
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn a_full_disk_refuses_growth_until_room_is_made() {
    for seed in 0..20 {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, PATH, &[1; 1000]);
        drop(durable_file(&disk, "other", &[1; 1000]));
        disk.set_capacity(Some(3000));
        file.write_at(1000, &[2; 1000]).unwrap();
        let full = |result: Result<()>| assert_eq!(result.unwrap_err().kind(), ErrorKind::Full);
        full(file.write_at(1500, &[3; 600]));
        full(file.set_len(2001));
        full(file.allocate(2001));
        assert!(disk.used() <= 3000);
        file.write_at(0, &[4; 2000]).unwrap();
        file.set_len(500).unwrap();
        file.write_at(500, &[5; 1500]).unwrap();
        disk.remove(Path::new("other")).unwrap();
        disk.sync_directory(root()).unwrap();
        file.write_at(2000, &[6; 1000]).unwrap();
        full(file.write_at(3000, b"x"));
        disk.set_capacity(None);
        file.write_at(3000, b"x").unwrap();
        assert_eq!(file.len().unwrap(), 3001);
    }
}

#[test]
fn a_short_read_is_shorter_than_the_file() {
    let lengths = (0..30).map(|seed| {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, PATH, &[1; 1000]);
        disk.inject_next(Fault::ShortRead);
        let short = read(&file, 2000).len();
        assert!(short < 1000);
        assert_eq!(read(&file, 2000).len(), 1000);
        short
    });
    assert!(lengths.collect::<BTreeSet<_>>().len() > 20, "at odd places");
}

#[test]
fn bit_rot_changes_one_bit_for_good() {
    let mut places = BTreeSet::new();
    for seed in 0..30 {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, PATH, &[0; 100]);
        disk.inject_next(Fault::BitRot);
        let bytes = read(&file, 100);
        assert_eq!(bytes.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
        assert_eq!(read(&file, 100), bytes);
        disk.crash();
        assert_eq!(contents(&disk), bytes);
        places.insert(bytes);
    }
    assert!(places.len() > 20);
}

#[test]
fn a_stale_read_gives_one_granule_of_the_past() {
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, PATH, b"");
        for byte in 1..=3 {
            file.write_at(0, &[byte; 1024]).unwrap();
            file.sync().unwrap();
        }
        disk.inject_next(Fault::StaleRead);
        let bytes = read(&file, 1024);
        assert!(bytes[..512] == [3; 512] || bytes[512..] == [3; 512]);
        seen.insert((bytes[0], bytes[1023]));
        assert_eq!(read(&file, 1024), [3; 1024], "the next read is right");
    }
    assert_eq!(Vec::from_iter(seen), [(1, 3), (2, 3), (3, 1), (3, 2)]);
    let disk = SimVfs::new(1);
    let file = durable_file(&disk, PATH, b"written once");
    disk.inject_next(Fault::StaleRead);
    assert_eq!(read(&file, 12), [0; 12]);
}

#[test]
fn a_lost_write_is_acknowledged() {
    let disk = SimVfs::new(1);
    let file = durable_file(&disk, PATH, b"old");
    disk.inject_next(Fault::LostWrite);
    file.write_at(0, b"newer").unwrap();
    file.sync().unwrap();
    assert_eq!(read(&file, 9), b"old\0\0");
}

#[test]
fn a_misdirected_write_lands_on_others() {
    let mut elsewhere = 0;
    for seed in 0..40 {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, PATH, &[0; 4096]);
        disk.inject_next(Fault::MisdirectedWrite);
        file.write_at(1024, &[1; 512]).unwrap();
        let found = contents(&disk);
        assert_eq!(found.len(), 4096);
        assert_eq!(ones(&found), 512);
        elsewhere += u32::from(found[1024] == 0);
    }
    assert_eq!(elsewhere, 40);
}

#[test]
fn damage_stays_and_does_not_grow_the_file() {
    let disk = SimVfs::new(1);
    drop(durable_file(&disk, PATH, b"content"));
    disk.damage(Path::new(PATH), 5, b"XYZ").unwrap();
    disk.damage(Path::new(PATH), 50, b"XYZ").unwrap();
    disk.crash();
    assert_eq!(contents(&disk), b"conteXY");
    assert_eq!(disk.damage(Path::new("none"), 0, b"x").unwrap_err().kind(), ErrorKind::NotFound);
}
