//! Backups and restores on machines that fail: at every operation, by crash and by error, and
//! with every damaged file.

use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;
use pandodb_ds::Result;
use pandodb_ds::backup::{Backup, restore, verify};
use pandodb_ds::store::Store;
use pandodb_ds::vfs::{Fault, SimVfs, Vfs};

use crate::backup::{chain_of_three, machine, restored};
use crate::world::{World, check_clean, options, saved_contents};

const TARGET: &str = "target";

/// A machine with a database of some pages in a checkpoint.
fn prepared() -> SimVfs {
    let (disk, vfs) = machine(11);
    let mut rng = Rng::with_seed(11);
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut rng, (0, 1), 0..200, 30).unwrap();
    world.put(&mut rng, (1, 0), 0..3, 2000).unwrap();
    world.checkpoint().unwrap();
    world.fork(0, 2);
    world.put(&mut rng, (2, 1), 50..52, 30).unwrap();
    world.checkpoint().unwrap();
    disk
}

fn back_up(vfs: &Arc<dyn Vfs>) -> Result<()> {
    let mut world = World::open(vfs)?;
    let mut backup = Backup::start(&world.store, Path::new(TARGET), None)?;
    backup.next(10)?;
    world.put(&mut Rng::with_seed(1), (1, 0), 0..9, 30)?;
    world.checkpoint()?;
    while !backup.next(10)?.is_done {}
    backup.close().map(|_| ())
}

/// How many operations `work` takes on a copy of `disk`.
fn operations(disk: &SimVfs, work: impl Fn(&Arc<dyn Vfs>) -> Result<()>) -> (u64, u64) {
    let copy = disk.copy(0);
    let before = copy.operations();
    let vfs: Arc<dyn Vfs> = Arc::new(copy.clone());
    work(&vfs).unwrap();
    (before, copy.operations())
}

#[test]
fn a_crash_at_any_operation_of_a_backup_leaves_a_whole_one_or_none() {
    let disk = prepared();
    let saved = World::open(&(Arc::new(disk.copy(1)) as Arc<dyn Vfs>)).unwrap().saved;
    let (before, after) = operations(&disk, back_up);
    let mut whole = 0;
    // The last ones give the file its name: those are tried with several outcomes.
    let last = (0..10).flat_map(|_| after - 3..=after);
    for (seed, at) in (before + 1..=after).chain(last).enumerate() {
        let disk = disk.copy(seed as u64);
        let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
        disk.crash_at(at);
        let outcome = back_up(&vfs);
        disk.restart();
        disk.clear_faults();
        if vfs.exists(Path::new(TARGET)).unwrap() {
            assert_eq!(restored(&vfs, &[Path::new(TARGET)]).unwrap(), saved, "operation {at}");
            vfs.remove(Path::new(TARGET)).unwrap();
            whole += 1;
        } else {
            assert!(outcome.is_err(), "operation {at}: an acknowledged backup is gone");
        }
        World::open(&vfs).unwrap().verify().unwrap();
        back_up(&vfs).unwrap();
    }
    assert!(whole > 0, "no crash came after the rename");
}

#[test]
fn an_error_at_any_operation_of_a_backup_leaves_the_store_at_work() {
    let disk = prepared();
    let (before, after) = operations(&disk, back_up);
    for at in before + 1..=after {
        for fault in [Fault::ReadError, Fault::WriteError, Fault::NoSpace, Fault::SyncError] {
            let disk = disk.copy(at);
            let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
            let mut world = World::open(&vfs).unwrap();
            disk.inject(at, fault);
            let outcome = Backup::run(&world.store, Path::new(TARGET), None);
            disk.clear_faults();
            let exists = vfs.exists(Path::new(TARGET)).unwrap();
            // A failed sync of the directory leaves the name, whose durability is unknown.
            assert!(outcome.is_err() || exists, "{fault} at {at}");
            if exists {
                verify(&*vfs, &[Path::new(TARGET)], &mut |_| true).unwrap();
                vfs.remove(Path::new(TARGET)).unwrap();
            }
            world.put(&mut Rng::with_seed(1), (1, 0), 0..9, 30).unwrap();
            world.checkpoint().unwrap();
            world.verify().unwrap();
            Backup::run(&world.store, Path::new(TARGET), None).unwrap();
        }
    }
}

#[test]
fn a_crash_at_any_operation_of_a_restore_leaves_a_whole_database_or_none() {
    let (disk, vfs) = machine(12);
    let (chain, saved) = chain_of_three(&vfs);
    let work =
        |vfs: &Arc<dyn Vfs>| restore(vfs, &chain, Path::new(TARGET), &mut |_| true).map(|_| ());
    let (before, after) = operations(&disk, work);
    for at in before + 1..=after {
        let disk = disk.copy(at);
        let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
        disk.crash_at(at);
        let outcome = work(&vfs);
        disk.restart();
        disk.clear_faults();
        if vfs.exists(Path::new(TARGET)).unwrap() {
            let store = Store::open(&vfs, Path::new(TARGET), &options()).unwrap();
            check_clean(&store).unwrap();
            assert_eq!(saved_contents(&store).unwrap(), saved, "operation {at}");
        } else {
            assert!(outcome.is_err());
            work(&vfs).unwrap();
        }
    }
}

/// Whatever happens to a byte of a backup: it is refused, or what comes back is right.
#[test]
fn damaged_and_truncated_backups_are_refused() {
    let (disk, vfs) = machine(13);
    let (chain, _) = chain_of_three(&vfs);
    for path in chain {
        let whole = disk.contents(path).unwrap();
        let stride = 1 + whole.len() / 60;
        for at in (0..whole.len()).step_by(stride) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            disk.install(path, &damaged).unwrap();
            let error = verify(&*vfs, &chain, &mut |_| true).unwrap_err();
            assert!(restored(&vfs, &chain).is_err(), "byte {at} of {}: {error}", path.display());
            disk.install(path, &whole[..at]).unwrap();
            assert!(restored(&vfs, &chain).is_err(), "{at} bytes of {}", path.display());
        }
        let mut longer = whole.clone();
        longer.push(0);
        disk.install(path, &longer).unwrap();
        assert!(restored(&vfs, &chain).is_err());
        disk.install(path, &whole).unwrap();
    }
    restored(&vfs, &chain).unwrap();
}

/// A checkpoint whose last sync fails leaves a superblock that may be in the system's memory only;
/// opening the file again must make it durable before anything of the older one is overwritten.
#[test]
fn a_superblock_that_was_never_synced_is_made_durable_when_it_is_found() {
    for seed in 0..60 {
        let (disk, vfs) = machine(seed);
        let mut rng = Rng::with_seed(seed);
        let mut world = World::open(&vfs).unwrap();
        for _ in 0..3 {
            world.put(&mut rng, (0, 1), 0..300, 30).unwrap();
            world.checkpoint().unwrap();
        }
        let before = world.saved.clone();
        world.put(&mut rng, (0, 1), 0..300, 30).unwrap();
        let attempt = world.model.clone();
        // The second sync is the one behind the superblock.
        disk.inject(disk.operations() + 4, Fault::SyncError);
        assert!(world.checkpoint().is_err());
        drop(world);
        disk.clear_faults();
        let mut world = World::open(&vfs).unwrap();
        let found = world.saved.clone();
        assert!(found == before || found == attempt);
        world.begin(1);
        for _ in 0..6 {
            world.write_open(&mut rng, 1, 60).unwrap();
        }
        disk.crash();
        drop(world);
        disk.restart();
        let world = World::open(&vfs).unwrap();
        world.verify().unwrap();
        assert!(world.saved == found, "seed {seed}: what was found is gone");
    }
}
