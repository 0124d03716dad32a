//! Chains of backups, taken while work goes on, restore to what was saved; nothing else is
//! accepted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastrand::Rng;
use pandodb_ds::backup::{Backup, BackupInfo, inspect, restore, verify};
use pandodb_ds::store::Store;
use pandodb_ds::vfs::{SimVfs, Vfs};
use pandodb_ds::{ErrorKind, Result};

use crate::world::{Heads, World, check_clean, options, saved_contents};

pub(crate) fn machine(seed: u64) -> (SimVfs, Arc<dyn Vfs>) {
    let disk = SimVfs::new(seed);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    (disk, vfs)
}

/// Restores `chain` and reads all of it.
pub(crate) fn restored(vfs: &Arc<dyn Vfs>, chain: &[&Path]) -> Result<Heads> {
    let target = Path::new("restored.pando");
    if vfs.exists(target)? {
        vfs.remove(target)?;
    }
    restore(vfs, chain, target, &mut |_| true)?;
    let store = Store::open(vfs, target, &options())?;
    check_clean(&store)?;
    saved_contents(&store)
}

fn chain_of(paths: &[PathBuf]) -> Vec<&Path> {
    paths.iter().map(PathBuf::as_path).collect()
}

#[test]
fn chains_taken_during_work_restore_to_what_was_saved() {
    for seed in 0..24 {
        let mut rng = Rng::with_seed(seed);
        let (_, vfs) = machine(seed);
        let mut world = World::open(&vfs).unwrap();
        let mut base: Option<BackupInfo> = None;
        let mut paths = Vec::new();
        let mut states = Vec::new();
        for round in 0..4 {
            for _ in 0..rng.u32(1..25) {
                world.step(&mut rng).unwrap();
            }
            let path = PathBuf::from(format!("backup-{round}"));
            let mut backup = Backup::start(&world.store, &path, base.as_ref()).unwrap();
            states.push(world.saved.clone());
            while !backup.next(rng.usize(1..40)).unwrap().is_done {
                assert!(!vfs.exists(&path).unwrap(), "a target is a whole backup");
                world.step(&mut rng).unwrap();
            }
            base = Some(backup.close().unwrap());
            assert_eq!(inspect(&*vfs, &path).unwrap(), base.clone().unwrap());
            paths.push(path);
        }
        let chain = chain_of(&paths);
        for length in 1..=chain.len() {
            let chain = &chain[..length];
            verify(&*vfs, chain, &mut |_| true).unwrap();
            let found = restored(&vfs, chain).unwrap();
            assert!(found == states[length - 1], "seed {seed}, {length} backups");
        }
        world.checkpoint().unwrap();
        world.verify().unwrap();
    }
}

#[test]
fn an_increment_holds_what_changed() {
    let (disk, vfs) = machine(1);
    let mut rng = Rng::with_seed(1);
    let mut world = World::open(&vfs).unwrap();
    for head in 0..3 {
        world.put(&mut rng, (head, 1), 0..5000, 60).unwrap();
    }
    world.checkpoint().unwrap();
    let base = Backup::run(&world.store, Path::new("full"), None).unwrap();
    world.put(&mut rng, (1, 1), 700..701, 60).unwrap();
    world.checkpoint().unwrap();
    Backup::run(&world.store, Path::new("increment"), Some(&base)).unwrap();
    let full = disk.contents(Path::new("full")).unwrap().len();
    let increment = disk.contents(Path::new("increment")).unwrap().len();
    assert!(increment * 20 < full, "{increment} of {full} bytes");
    let chain = [Path::new("full"), Path::new("increment")];
    assert_eq!(restored(&vfs, &chain).unwrap(), world.saved);
}

/// Pages that a transaction wrote before the base was taken, and published after it, are older
/// than the base and not in it.
#[test]
fn pages_written_before_the_base_and_published_after_it_are_in_the_increment() {
    let (_, vfs) = machine(2);
    let mut rng = Rng::with_seed(2);
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut rng, (0, 1), 0..500, 60).unwrap();
    world.checkpoint().unwrap();
    world.begin(1);
    world.write_open(&mut rng, 1, 60).unwrap();
    world.write_open(&mut rng, 0, 5000).unwrap();
    for _ in 0..5 {
        world.put(&mut rng, (0, 1), 100..110, 60).unwrap();
        world.checkpoint().unwrap();
    }
    let base = Backup::run(&world.store, Path::new("full"), None).unwrap();
    world.end();
    world.checkpoint().unwrap();
    assert!(world.saved.contains_key(&1));
    Backup::run(&world.store, Path::new("increment"), Some(&base)).unwrap();
    let chain = [Path::new("full"), Path::new("increment")];
    assert_eq!(restored(&vfs, &chain).unwrap(), world.saved);
}

/// Two checkpoints of one commit differ when heads came and went in between.
#[test]
fn checkpoints_of_the_same_commit_are_told_apart() {
    let (_, vfs) = machine(3);
    let mut rng = Rng::with_seed(3);
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut rng, (0, 1), 0..50, 60).unwrap();
    world.put(&mut rng, (1, 1), 0..50, 60).unwrap();
    world.checkpoint().unwrap();
    let base = Backup::run(&world.store, Path::new("full"), None).unwrap();
    world.fork(0, 2);
    world.drop_head(1);
    world.checkpoint().unwrap();
    assert_eq!(base.commit(), world.store.saved_commit());
    drop(world);
    let world = World::open(&vfs).unwrap();
    Backup::run(&world.store, Path::new("increment"), Some(&base)).unwrap();
    let chain = [Path::new("full"), Path::new("increment")];
    let found = restored(&vfs, &chain).unwrap();
    assert_eq!(found, world.saved);
    assert!(found.contains_key(&2) && !found.contains_key(&1));
}

#[test]
fn an_empty_database_is_backed_up_and_restored() {
    let (_, vfs) = machine(4);
    let mut world = World::open(&vfs).unwrap();
    let base = Backup::run(&world.store, Path::new("full"), None).unwrap();
    assert_eq!(restored(&vfs, &[Path::new("full")]).unwrap(), Heads::new());
    world.put(&mut Rng::with_seed(1), (0, 0), 0..9, 5).unwrap();
    world.checkpoint().unwrap();
    Backup::run(&world.store, Path::new("one"), Some(&base)).unwrap();
    let chain = [Path::new("full"), Path::new("one")];
    assert_eq!(restored(&vfs, &chain).unwrap(), world.saved);
}

/// A database with a chain of three backups: the paths, and what the database saved last.
pub(crate) fn chain_of_three(vfs: &Arc<dyn Vfs>) -> ([&'static Path; 3], Heads) {
    let paths = [Path::new("full"), Path::new("one"), Path::new("two")];
    let mut rng = Rng::with_seed(5);
    let mut world = World::open(vfs).unwrap();
    let mut base: Option<BackupInfo> = None;
    for path in paths {
        world.put(&mut rng, (0, 1), 0..40, 30).unwrap();
        world.put(&mut rng, (1, 0), 10..12, 400).unwrap();
        world.checkpoint().unwrap();
        base = Some(Backup::run(&world.store, path, base.as_ref()).unwrap());
    }
    (paths, world.saved)
}

#[test]
fn chains_that_do_not_fit_are_refused() {
    let (_, vfs) = machine(5);
    let ([full, one, two], saved) = chain_of_three(&vfs);
    let refused = |chain: &[&Path], part: &str| {
        let error = restored(&vfs, chain).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Mismatch, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(!vfs.exists(Path::new("restored.pando")).unwrap());
    };
    refused(&[], "no backup");
    refused(&[one], "begins with a full backup");
    refused(&[full, two], "one is missing");
    refused(&[full, two, one], "one is missing");
    refused(&[full, one, one], "wrong order");
    refused(&[full, full], "cannot stand on another");
    assert_eq!(restored(&vfs, &[full, one, two]).unwrap(), saved);

    // The restored database is one of its own: its backups are a chain of their own.
    let other = Store::open(&vfs, Path::new("restored.pando"), &options()).unwrap();
    let base = inspect(&*vfs, two).unwrap();
    let error = Backup::start(&other, Path::new("three"), Some(&base)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch, "{error}");
    Backup::run(&other, Path::new("other"), None).unwrap();
    drop(other);
    refused(&[Path::new("other"), one], "another database");

    let error = restore(&vfs, &[full], two, &mut |_| true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
    let error = restored(&vfs, &[crate::world::path()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADatabase, "{error}");
    assert_eq!(restored(&vfs, &[Path::new("none")]).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn backups_that_are_not_finished_leave_nothing() {
    let (_, vfs) = machine(6);
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut Rng::with_seed(6), (0, 1), 0..3000, 60).unwrap();
    world.checkpoint().unwrap();
    let before = vfs.list(Path::new("")).unwrap();
    let target = Path::new("backup");
    let mut backup = Backup::start(&world.store, target, None).unwrap();
    let progress = backup.next(5).unwrap();
    assert_eq!((progress.pages, progress.is_done), (5, false));
    assert!(progress.remaining > 0);
    let second = Backup::start(&world.store, target, None).unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Locked, "{second}");
    assert_eq!(backup.close().unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(vfs.list(Path::new("")).unwrap(), before);

    Backup::run(&world.store, target, None).unwrap();
    let again = Backup::start(&world.store, target, None).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Exists);
    // The pin is gone: what was released meanwhile is free again.
    world.drop_head(0);
    world.checkpoint().unwrap();
    world.checkpoint().unwrap();
    assert_eq!(world.store.info().unwrap().space.pending, 0);

    let with = vfs.list(Path::new("")).unwrap();
    let stopped = restore(&vfs, &[target], Path::new("new"), &mut |done| done < 64);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(vfs.list(Path::new("")).unwrap(), with);

    // Records are read, pages are copied, and the new file is checked: each can be stopped.
    let mut begun = 0;
    let stopped = restore(&vfs, &[target], Path::new("new"), &mut |done| {
        begun += u32::from(done == 64);
        begun < 3
    });
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(vfs.list(Path::new("")).unwrap(), with);
}
