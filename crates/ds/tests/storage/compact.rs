//! Compacting keeps everything, returns the space, and survives a crash at any operation.

use std::path::Path;
use std::sync::Arc;

use fastrand::Rng;
use pandodb_ds::backup::Backup;
use pandodb_ds::compact::{compact, copy_to};
use pandodb_ds::store::Store;
use pandodb_ds::vfs::{SimVfs, Vfs};
use pandodb_ds::{ErrorKind, Result};

use crate::backup::{machine, restored};
use crate::world::{World, check_clean, options, path, saved_contents};

fn compacted(vfs: &Arc<dyn Vfs>) -> Result<pandodb_ds::compact::Compacted> {
    compact(vfs, path(), &options(), &mut |_| true)
}

#[test]
fn compacting_keeps_everything_and_leaves_no_free_space() {
    for seed in 100..120 {
        let mut rng = Rng::with_seed(seed);
        let (disk, vfs) = machine(seed);
        let mut world = World::open(&vfs).unwrap();
        for _ in 0..60 {
            world.step(&mut rng).unwrap();
        }
        world.end();
        world.checkpoint().unwrap();
        copy_to(&world.store, Path::new("copy"), &mut |_| true).unwrap();
        let (saved, commit) = (world.saved.clone(), world.commit);
        let database = world.store.database();
        assert_eq!(compacted(&vfs).unwrap_err().kind(), ErrorKind::Locked);
        drop(world);

        let done = compacted(&vfs).unwrap();
        assert!(done.bytes_after <= done.bytes_before, "{done:?}");
        assert_eq!(disk.contents(path()).unwrap().len() as u64, done.bytes_after);
        let mut world = World::open(&vfs).unwrap();
        world.verify().unwrap();
        assert_eq!(world.saved, saved);
        assert_eq!((world.commit, world.store.database()), (commit, database));
        let space = world.store.info().unwrap().space;
        assert_eq!(space.free + space.pending, 0);

        // Life goes on, in the copy too.
        for _ in 0..20 {
            world.step(&mut rng).unwrap();
        }
        world.checkpoint().unwrap();
        world.verify().unwrap();
        let store = Store::open(&vfs, Path::new("copy"), &options()).unwrap();
        check_clean(&store).unwrap();
        assert_eq!(saved_contents(&store).unwrap(), saved);
        assert_ne!(store.database(), database);
    }
}

/// Sharing stays: forks that changed a little are no larger after compacting.
#[test]
fn forks_stay_small() {
    let (_, vfs) = machine(7);
    let mut rng = Rng::with_seed(7);
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut rng, (0, 1), 0..2000, 60).unwrap();
    world.checkpoint().unwrap();
    let one = copy_to(&world.store, Path::new("one"), &mut |_| true).unwrap().bytes_after;
    for head in 1..12 {
        world.fork(0, head);
        world.checkpoint().unwrap();
        let key = 100 * head as u16;
        world.put(&mut rng, (head, 1), key..key + 1, 60).unwrap();
        world.checkpoint().unwrap();
    }
    let all = copy_to(&world.store, Path::new("all"), &mut |_| true).unwrap().bytes_after;
    // The changed page, those above it, the directory: eight granules for each fork at most.
    assert!(all < one + 11 * 8 * 512, "{one} bytes without forks, {all} with 11");
}

/// An increment behind a compaction finds all pages elsewhere, and takes them all.
#[test]
fn a_chain_of_backups_goes_on_over_a_compaction() {
    let (_, vfs) = machine(8);
    let mut rng = Rng::with_seed(8);
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut rng, (0, 1), 0..500, 60).unwrap();
    world.checkpoint().unwrap();
    world.put(&mut rng, (1, 1), 0..500, 60).unwrap();
    world.checkpoint().unwrap();
    let base = Backup::run(&world.store, Path::new("full"), None).unwrap();
    drop(world);
    compacted(&vfs).unwrap();
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut rng, (0, 1), 30..33, 60).unwrap();
    world.checkpoint().unwrap();
    Backup::run(&world.store, Path::new("one"), Some(&base)).unwrap();
    let found = restored(&vfs, &[Path::new("full"), Path::new("one")]).unwrap();
    assert_eq!(found, world.saved);
}

fn fragmented() -> SimVfs {
    let (disk, vfs) = machine(9);
    let mut rng = Rng::with_seed(9);
    let mut world = World::open(&vfs).unwrap();
    for head in 0..3 {
        world.put(&mut rng, (head, 1), 0..150, 40).unwrap();
        world.checkpoint().unwrap();
    }
    world.drop_head(1);
    world.checkpoint().unwrap();
    disk
}

#[test]
fn a_crash_at_any_operation_of_compacting_leaves_the_old_file_or_the_new() {
    let disk = fragmented();
    let copy = disk.copy(0);
    let before = copy.operations();
    let vfs: Arc<dyn Vfs> = Arc::new(copy.clone());
    let saved = World::open(&vfs).unwrap().saved;
    compacted(&vfs).unwrap();
    for at in before + 1..=copy.operations() {
        let disk = disk.copy(at);
        let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
        disk.crash_at(at);
        let _ = compacted(&vfs);
        disk.restart();
        disk.clear_faults();
        let world = World::open(&vfs).unwrap();
        world.verify().unwrap();
        assert_eq!(world.saved, saved, "operation {at}");
        drop(world);
        compacted(&vfs).unwrap();
    }
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let disk = fragmented();
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let before = disk.contents(path()).unwrap();
    disk.set_capacity(Some(disk.used() + 2000));
    assert_eq!(compacted(&vfs).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(disk.contents(path()).unwrap(), before);
    disk.set_capacity(None);
    assert_eq!(vfs.list(Path::new("")).unwrap().len(), 1, "the new file was removed");
    compacted(&vfs).unwrap();
}
