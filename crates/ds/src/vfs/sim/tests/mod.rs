//! The simulated disk itself under test: its promises by a model, its malice by being seen.
//!
//! A simulation that is too kind proves nothing, so for each thing that may happen some seed has
//! to show it. Neighbours: `faults` (one test per fault), `mod` (the rules).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod faults;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::*;
use crate::error::ErrorKind;

fn root() -> &'static Path {
    Path::new("")
}

/// Makes a durable file with `contents` and opens it.
fn durable_file(disk: &SimVfs, name: &str, contents: &[u8]) -> Arc<dyn File> {
    disk.install(Path::new(name), contents).unwrap();
    disk.open(Path::new(name), OpenMode::Write).unwrap()
}

/// What each byte of a file may be after a crash.
#[derive(Default)]
struct Model {
    durable: Vec<u8>,
    current: Vec<u8>,
    /// Per position, what was written since the last sync.
    possible: BTreeMap<usize, BTreeSet<u8>>,
    lengths: BTreeSet<usize>,
}

impl Model {
    fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.set_len(self.current.len().max(offset + bytes.len()));
        self.current[offset..offset + bytes.len()].copy_from_slice(bytes);
        for (index, byte) in bytes.iter().enumerate() {
            self.possible.entry(offset + index).or_default().insert(*byte);
        }
        // A torn write ends at a granule, and alone it is all that makes the file longer.
        let end = offset + bytes.len();
        self.lengths.extend((offset..=end).filter(|at| *at == end || at % GRANULE as usize == 0));
    }

    fn set_len(&mut self, len: usize) {
        if len == self.current.len() {
            return;
        }
        // What is cut and extended again, or extended without being written, reads as zeros.
        let longest = self.durable.len().max(self.current.len()).max(len);
        for position in len.min(self.current.len())..longest {
            self.possible.entry(position).or_default().insert(0);
        }
        self.current.resize(len, 0);
        self.lengths.insert(len);
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.current);
        self.possible.clear();
        self.lengths.clear();
    }

    fn check_survivor(&self, found: &[u8]) {
        let known = found.len() == self.durable.len() || self.lengths.contains(&found.len());
        assert!(known, "length {} was never asked for", found.len());
        for (position, byte) in found.iter().enumerate() {
            let durable = self.durable.get(position).copied().unwrap_or(0);
            let possible = self.possible.get(&position).is_some_and(|set| set.contains(byte));
            assert!(*byte == durable || possible, "byte {position} is {byte}, was {durable}");
        }
    }
}

#[test]
fn what_was_synced_survives_and_nothing_is_invented() {
    for seed in 0..300 {
        let disk = SimVfs::new(seed);
        let mut random = Rng::with_seed(seed);
        let mut models = [Model::default(), Model::default()];
        for round in 0..3 {
            let files = ["one", "two"].map(|name| match round {
                0 => durable_file(&disk, name, b""),
                _ => disk.open(Path::new(name), OpenMode::Write).unwrap(),
            });
            for _ in 0..random.usize(..12) {
                let chosen = random.usize(..2);
                let (file, model) = (&files[chosen], &mut models[chosen]);
                match random.u8(..8) {
                    0 | 1 => {
                        file.sync().unwrap();
                        model.sync();
                    }
                    2 => {
                        let len = random.usize(..4000);
                        file.set_len(len as u64).unwrap();
                        model.set_len(len);
                    }
                    _ => {
                        let bytes = vec![random.u8(1..); random.usize(1..2000)];
                        let offset = random.usize(..3000);
                        file.write_at(offset as u64, &bytes).unwrap();
                        model.write(offset, &bytes);
                    }
                }
                assert_eq!(disk.contents(file.path()).unwrap(), model.current);
                assert_eq!(disk.durable_contents(file.path()).unwrap(), model.durable);
            }
            disk.crash();
            disk.restart();
            for (name, model) in ["one", "two"].into_iter().zip(&mut models) {
                let found = disk.contents(Path::new(name)).unwrap();
                assert_eq!(disk.durable_contents(Path::new(name)).unwrap(), found);
                model.check_survivor(&found);
                model.current = found;
                model.sync();
            }
        }
    }
}

/// The fates of three unsynced writes of two granules each, the third beyond the old end.
#[test]
fn unsynced_writes_are_seen_lost_torn_and_reordered() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, "file", &[b'.'; 2048]);
        for (write, byte) in [b'a', b'b', b'c'].into_iter().enumerate() {
            file.write_at(write as u64 * 1024, &[byte; 1024]).unwrap();
        }
        file.write_at(0, &[b'A'; 512]).unwrap();
        disk.crash();
        let found = disk.contents(Path::new("file")).unwrap();
        for granule in found.chunks(512) {
            assert!(granule.iter().all(|byte| *byte == granule[0]), "torn within a granule");
        }
        let fate: Vec<u8> = found.chunks(512).map(|granule| granule[0]).collect();
        seen.insert(String::from_utf8(fate).unwrap());
    }
    let any = |what: &str, holds: &dyn Fn(&str) -> bool| {
        assert!(seen.iter().any(|fate| holds(fate)), "never {what}: {seen:?}");
    };
    any("lost whole", &|fate| fate == "....");
    any("kept whole", &|fate| fate == "Aabbcc");
    any("torn at the front", &|fate| fate[2..].starts_with(".b"));
    any("torn at the back", &|fate| fate[2..].starts_with("b."));
    any("later without earlier", &|fate| fate.starts_with("..bb"));
    any("older over newer", &|fate| fate.starts_with("aa") && fate.ends_with("cc"));
    any("longer without the bytes", &|fate| fate.ends_with("\0\0"));
    any("a part of the growth", &|fate| fate.len() == 5);
    assert!(seen.len() > 30, "only {} outcomes", seen.len());
}

#[test]
fn the_manner_of_a_crash_can_be_asked_for() {
    for seed in 0..30 {
        for survival in [Survival::Nothing, Survival::Everything, Survival::Prefix] {
            let disk = SimVfs::new(seed);
            let file = durable_file(&disk, "file", &[0; 4]);
            disk.open(Path::new("new"), OpenMode::Create).unwrap();
            for byte in 0..4 {
                file.write_at(byte, &[1]).unwrap();
            }
            disk.crash_with(survival);
            let found = disk.contents(Path::new("file")).unwrap();
            let new = disk.contents(Path::new("new"));
            match survival {
                Survival::Nothing => assert_eq!((found, new), (vec![0; 4], None)),
                Survival::Everything => assert_eq!((found, new), (vec![1; 4], Some(vec![]))),
                _ => assert!(found.is_sorted_by(|a, b| a >= b), "{found:?} is no prefix"),
            }
        }
    }
}

#[test]
fn names_may_be_lost_until_their_directory_is_synced() {
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let disk = SimVfs::new(seed);
        drop(durable_file(&disk, "dir/db", b"old"));
        drop(durable_file(&disk, "dir/gone", b""));
        let temporary = Path::new("dir/temporary");
        let file = disk.open(temporary, OpenMode::CreateNew).unwrap();
        file.write_at(0, b"new").unwrap();
        file.sync().unwrap();
        disk.sync_directory(root()).unwrap(); // Another directory: no help.
        if seed % 2 == 0 {
            disk.sync_directory(Path::new("dir")).unwrap();
            assert!(disk.durable_contents(temporary).is_some());
        }
        disk.rename(temporary, Path::new("dir/db")).unwrap();
        disk.remove(Path::new("dir/gone")).unwrap();
        disk.crash();
        disk.restart();
        let database = disk.contents(Path::new("dir/db")).unwrap();
        assert!(database == b"old" || database == b"new", "a rename is atomic");
        let left = disk.contents(temporary);
        assert!(left.is_none() || left.as_deref() == Some(b"new"), "the contents were synced");
        if seed % 2 == 0 && database == b"old" {
            assert!(left.is_some(), "neither name");
        }
        let gone = !disk.exists(Path::new("dir/gone")).unwrap();
        seen.insert((seed % 2 == 0, database == b"new", left.is_some(), gone));
    }
    for expected in [
        (true, false, true, false),
        (true, false, true, true),
        (true, true, false, false),
        (true, true, false, true),
        (false, false, false, false),
        (false, false, true, false),
        (false, true, false, true),
    ] {
        assert!(seen.contains(&expected), "never {expected:?} in {seen:?}");
    }
}

#[test]
fn names_survive_once_their_directory_is_synced() {
    for seed in 0..20 {
        let disk = SimVfs::new(seed);
        for name in ["kept", "removed", "from"] {
            disk.open(Path::new(name), OpenMode::Create).unwrap();
        }
        disk.remove(Path::new("removed")).unwrap();
        disk.rename(Path::new("from"), Path::new("to")).unwrap();
        disk.sync_directory(root()).unwrap();
        disk.crash();
        disk.restart();
        assert_eq!(disk.list(root()).unwrap(), [Path::new("kept"), Path::new("to")]);
    }
}

/// Two directories whose files are created, moved between them and removed at random.
#[test]
fn a_synced_directory_is_durably_what_programs_see() {
    let paths: Vec<PathBuf> =
        ["a/x", "a/y", "a/z", "b/x", "b/y"].into_iter().map(PathBuf::from).collect();
    for seed in 0..300 {
        let disk = SimVfs::new(seed);
        let mut random = Rng::with_seed(seed);
        let mut synced = BTreeMap::new();
        for _ in 0..random.usize(1..40) {
            let path = &paths[random.usize(..paths.len())];
            match random.u8(..6) {
                0 | 1 => {
                    let Ok(file) = disk.open(path, OpenMode::CreateNew) else { continue };
                    file.write_at(0, &disk.operations().to_le_bytes()).unwrap();
                    file.sync().unwrap();
                }
                2 | 3 => _ = disk.rename(path, &paths[random.usize(..paths.len())]),
                4 => _ = disk.remove(path),
                _ => {
                    let directory = path.parent().unwrap();
                    disk.sync_directory(directory).unwrap();
                    for path in paths.iter().filter(|path| path.parent() == Some(directory)) {
                        assert_eq!(disk.durable_contents(path), disk.contents(path), "seed {seed}");
                    }
                }
            }
            synced = paths.iter().map(|path| (path, disk.durable_contents(path))).collect();
        }
        disk.crash_with(Survival::Nothing);
        for (path, contents) in synced {
            assert_eq!(disk.contents(path), contents, "seed {seed}");
        }
    }
}

#[test]
fn everything_fails_while_the_machine_is_off_and_old_handles_for_ever() {
    let disk = SimVfs::new(1);
    let path = Path::new("file");
    let file = durable_file(&disk, "file", b"content");
    let lock = disk.lock(path).unwrap();
    disk.crash();
    assert!(!disk.is_on());
    let operations = disk.operations();
    let off = |result: Result<()>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("is off"), "{error}");
    };
    off(file.read_at(0, &mut [0]).map(drop));
    off(file.write_at(0, b"x"));
    off(file.sync());
    off(file.len().map(drop));
    off(file.set_len(3));
    off(file.allocate(30));
    off(disk.open(path, OpenMode::Create).map(drop));
    off(disk.lock(path).map(drop));
    off(disk.remove(path));
    off(disk.rename(path, Path::new("to")));
    off(disk.exists(path).map(drop));
    off(disk.list(root()).map(drop));
    off(disk.sync_directory(root()));
    assert_eq!(disk.operations(), operations, "none of these happened");
    disk.restart();
    for result in [file.len().map(drop), file.sync(), file.write_at(0, b"x")] {
        assert!(result.unwrap_err().message().contains("process that ended"));
    }
    assert_eq!(disk.contents(path).unwrap(), b"content");
    let _next = disk.lock(path).unwrap();
    drop(lock);
    assert!(disk.lock(path).is_err(), "an old lock does not give back the new one");
}

#[test]
fn a_killed_process_loses_handles_and_locks_and_no_byte() {
    let disk = SimVfs::new(1);
    let file = durable_file(&disk, "file", b"");
    let _lock = disk.lock(Path::new("file")).unwrap();
    file.write_at(0, b"written").unwrap();
    disk.kill_process();
    assert!(file.len().is_err() && disk.is_on());
    disk.lock(Path::new("file")).unwrap();
    assert_eq!(disk.contents(Path::new("file")).unwrap(), b"written");
    assert_eq!(disk.durable_contents(Path::new("file")).unwrap(), b"");
    disk.crash_with(Survival::Nothing);
    assert_eq!(disk.contents(Path::new("file")).unwrap(), b"");
}

/// A workload that goes on whatever happens; returns all that it saw.
fn noisy_run(seed: u64) -> Vec<String> {
    let disk = SimVfs::new(seed);
    disk.set_fault_rates(FaultRates::each(&Fault::ALL, 30_000));
    let mut seen = Vec::new();
    let mut bytes = [0; 600];
    for step in 0..400_u64 {
        if !disk.is_on() {
            disk.restart();
        }
        disk.random(&mut bytes[..9]);
        let path = Path::new(["a", "b", "c"][(step % 3) as usize]);
        let result = disk.open(path, OpenMode::Create).and_then(|file| {
            file.write_at(step * 37 % 5000, &bytes)?;
            let read = file.read_at(step * 91 % 5000, &mut bytes)?;
            if step % 4 == 0 {
                file.sync()?;
                disk.sync_directory(root())?;
            }
            Ok(read)
        });
        seen.push(format!("{result:?} {}", disk.clock().now_micros()));
    }
    seen.extend(disk.trace().iter().map(ToString::to_string));
    seen.extend(["a", "b", "c"].map(|name| format!("{:?}", disk.contents(Path::new(name)))));
    seen
}

#[test]
fn the_same_seed_has_the_same_outcome() {
    for seed in 0..5 {
        let first = noisy_run(seed);
        assert!(first == noisy_run(seed), "seed {seed}");
        assert!(first != noisy_run(seed + 1));
        for fault in Fault::ALL.map(|fault| format!("[{fault}]")) {
            let struck = (seed..seed + 5)
                .any(|seed| noisy_run(seed).iter().any(|line| line.ends_with(&fault)));
            assert!(struck, "no {fault} in five runs");
        }
    }
}

#[test]
fn a_crash_at_each_operation_leaves_old_or_new() {
    let run = |disk: &SimVfs| -> Result<()> {
        let file = disk.open(Path::new("db"), OpenMode::Write)?;
        file.write_at(0, b"new")?;
        file.sync()?;
        disk.rename(Path::new("db"), Path::new("renamed"))?;
        disk.sync_directory(root())
    };
    let prepared = SimVfs::new(0);
    drop(durable_file(&prepared, "db", b"old"));
    let before = prepared.operations();
    let calm = prepared.copy(0);
    run(&calm).unwrap();
    let operations = calm.operations() - before;
    assert_eq!(operations, 5);
    for number in 1..=operations {
        let mut outcomes = BTreeSet::new();
        for seed in 0..40 {
            let disk = prepared.copy(seed);
            disk.crash_at(before + number);
            run(&disk).unwrap_err();
            assert_eq!(disk.operations(), before + number);
            disk.restart();
            let old_name = disk.contents(Path::new("db"));
            let contents = old_name.clone().or(disk.contents(Path::new("renamed"))).unwrap();
            outcomes.insert((old_name.is_some(), contents == b"new"));
        }
        let expected = match number {
            1 => vec![(true, false)],
            2 | 3 => vec![(true, false), (true, true)],
            _ => vec![(false, true), (true, true)],
        };
        assert_eq!(Vec::from_iter(outcomes), expected, "crash at {number}");
    }
    assert_eq!(prepared.contents(Path::new("db")).unwrap(), b"old", "copies share nothing");
}

#[test]
fn a_crash_at_a_write_may_tear_that_very_write() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let disk = SimVfs::new(seed);
        let file = durable_file(&disk, "file", &[b'.'; 2048]);
        disk.crash_at(disk.operations() + 2);
        file.sync().unwrap();
        file.write_at(0, &[b'n'; 2048]).unwrap_err();
        assert!(!disk.is_on());
        let found = disk.contents(Path::new("file")).unwrap();
        seen.insert(found.chunks(512).map(|granule| granule[0]).collect::<Vec<_>>());
    }
    for fate in ["....", "nnnn", "n...", "nnn."] {
        assert!(seen.contains(fate.as_bytes()), "never {fate}");
    }
    assert!(seen.iter().any(|fate| fate[0] == b'.' && fate[3] == b'n'), "never the end alone");
    assert!(seen.len() > 8, "only {} outcomes", seen.len());
}

#[test]
fn time_passes_by_operations_and_sleep_alone() {
    let disk = SimVfs::new(1);
    let clock = disk.clock();
    let start = clock.now_micros();
    assert_eq!(clock.now_micros(), start);
    disk.open(Path::new("file"), OpenMode::Create).unwrap();
    assert_eq!(clock.now_micros(), start + 10);
    clock.sleep(Duration::from_hours(1));
    assert_eq!(clock.monotonic(), Duration::from_micros(3_600_000_010));
}

#[test]
fn removed_files_are_forgotten_when_nothing_leads_to_them() {
    let disk = SimVfs::new(1);
    let file = durable_file(&disk, "file", &[1; 100]);
    disk.remove(Path::new("file")).unwrap();
    assert_eq!(disk.used(), 100, "an open handle");
    drop(file);
    assert_eq!(disk.used(), 100, "a crash may bring the name back");
    disk.sync_directory(root()).unwrap();
    assert_eq!(disk.used(), 0);
    assert!(disk.world.lock().disk.nodes.is_empty());
}

#[test]
fn installing_replaces_durably() {
    let disk = SimVfs::new(1);
    disk.open(Path::new("file"), OpenMode::Create).unwrap().write_at(0, b"pending").unwrap();
    disk.install(Path::new("file"), b"installed").unwrap();
    disk.crash_with(Survival::Everything);
    assert_eq!(disk.contents(Path::new("file")).unwrap(), b"installed");
}

#[test]
fn granules_cut_at_multiples() {
    let parts = |offset, len| disk::granules(offset, len).collect::<Vec<_>>();
    assert_eq!(parts(0, 0), []);
    assert_eq!(parts(700, 0), []);
    assert_eq!(parts(0, 512), [(0, 512)]);
    assert_eq!(parts(510, 4), [(510, 2), (512, 2)]);
    assert_eq!(parts(1, 1024), [(1, 511), (512, 512), (1024, 1)]);
}
