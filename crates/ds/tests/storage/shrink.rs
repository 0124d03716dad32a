//! Giving the end of the file back while the store is at work.
//!
//! Neighbours: `world` has the model and the step that shrinks; `examples/sim_ds.rs` mixes that
//! step with everything else on a machine that fails; `compact` tests the copy into a new file.

use std::sync::Arc;

use fastrand::Rng;
use pandodb_ds::check::check;
use pandodb_ds::compact::copy_to;
use pandodb_ds::vfs::{Fault, SimVfs, Vfs};

use crate::world::{World, contents, saved_contents};

fn machine(seed: u64) -> (SimVfs, Arc<dyn Vfs>) {
    let disk = SimVfs::new(seed);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    (disk, vfs)
}

fn file_bytes(world: &World) -> u64 {
    world.store.info().unwrap().file_bytes
}

/// Shrinks in steps of `bytes` until nothing is gained any more.
fn shrink_all(world: &mut World, bytes: u64) {
    let (mut least, mut vain) = (u64::MAX, 0);
    for _ in 0..100 {
        let now = file_bytes(world);
        vain = if now < least { 0 } else { vain + 1 };
        if vain == 2 || world.shrink(bytes).unwrap().is_none() {
            return;
        }
        least = least.min(now);
    }
    panic!("shrinking does not end");
}

/// A file whose rows stand behind a large gap: those of head 0 and its forks came last.
fn with_gap(vfs: &Arc<dyn Vfs>, rng: &mut Rng, rows: u16) -> World {
    let mut world = World::open(vfs).unwrap();
    for head in 1..3 {
        world.put(rng, (head, 1), 0..rows * 3, 250).unwrap();
        world.checkpoint().unwrap();
    }
    world.put(rng, (0, 0), 0..rows, 60).unwrap();
    world.put(rng, (0, 1), 0..rows, 40).unwrap();
    world.put(rng, (0, 2), 0..4, 3000).unwrap();
    world.put(rng, (0, 2), 7..8, 140_000).unwrap();
    world.checkpoint().unwrap();
    world.fork(0, 5);
    world.put(rng, (5, 1), 20..23, 40).unwrap();
    world.fork(0, 6);
    world.checkpoint().unwrap();
    world.drop_head(1);
    world.drop_head(2);
    world.checkpoint().unwrap();
    world.checkpoint().unwrap();
    world
}

#[test]
fn shrinking_comes_near_to_a_packed_file_and_changes_nothing() {
    for bytes in [40_000, u64::MAX] {
        let (_, vfs) = machine(1);
        let mut rng = Rng::with_seed(1);
        let mut world = with_gap(&vfs, &mut rng, 400);
        let before = file_bytes(&world);
        let model = world.model.clone();
        let name = format!("packed{bytes}");
        let packed = copy_to(&world.store, name.as_ref(), &mut |_| true).unwrap().bytes_after;
        shrink_all(&mut world, bytes);
        world.verify().unwrap();
        assert_eq!(world.model, model);
        let after = file_bytes(&world);
        // What is not worth a checkpoint stays.
        let enough = packed + packed / 8 + 16 * 1024;
        assert!(after < enough, "{before} bytes before, {after} after, packed {packed}");
        assert!(after * 4 < before, "{before} bytes before, {after} after, packed {packed}");
        drop(world);
        assert_eq!(World::open(&vfs).unwrap().model, model);
    }
}

#[test]
fn what_forks_share_stays_shared() {
    for bytes in [20_000, u64::MAX] {
        let (_, vfs) = machine(2);
        let mut rng = Rng::with_seed(2);
        let mut world = with_gap(&vfs, &mut rng, 300);
        let reachable = |world: &World| check(&world.store, &mut |_| true).unwrap().reachable_bytes;
        let before = reachable(&world);
        shrink_all(&mut world, bytes);
        let after = reachable(&world);
        // A page that had a delta is written whole for the fork that changed it.
        assert!(after < before + before / 10, "{before} bytes are reachable before, {after} after");
        world.verify().unwrap();
    }
}

#[test]
fn snapshots_keep_their_pages_until_they_end() {
    let (_, vfs) = machine(3);
    let mut rng = Rng::with_seed(3);
    let mut world = with_gap(&vfs, &mut rng, 300);
    let before = file_bytes(&world);
    let (pin, forest, trees) = world.snapshot(5);
    assert!(world.shrink(u64::MAX).unwrap().unwrap() > 0);
    assert!(file_bytes(&world) >= before * 9 / 10, "the snapshot holds the end of the file");
    for round in 0..5 {
        // Writers go on, and use what is free below.
        world.put(&mut rng, (0, 1), round * 40..round * 40 + 20, 50).unwrap();
        world.checkpoint().unwrap();
        assert_eq!(contents(&world.store, &forest).unwrap(), trees);
    }
    drop((pin, forest));
    world.put(&mut rng, (0, 1), 0..1, 50).unwrap();
    world.checkpoint().unwrap();
    shrink_all(&mut world, u64::MAX);
    assert!(file_bytes(&world) < before * 3 / 4);
    world.verify().unwrap();
}

#[test]
fn a_transaction_that_was_open_while_the_end_moved_is_not_published() {
    let (_, vfs) = machine(4);
    let mut rng = Rng::with_seed(4);
    let mut world = with_gap(&vfs, &mut rng, 200);
    world.begin(0);
    world.write_open(&mut rng, 1, 30).unwrap();
    assert!(world.shrink(u64::MAX).unwrap().is_some());
    world.write_open(&mut rng, 1, 30).unwrap();
    let model = world.model.clone();
    world.end();
    assert_eq!(world.model, model, "its head has moved");
    for _ in 0..3 {
        world.checkpoint().unwrap();
    }
    world.verify().unwrap();
}

#[test]
fn one_relocation_at_a_time_and_none_without_room() {
    let (_, vfs) = machine(5);
    let mut rng = Rng::with_seed(5);
    let world = with_gap(&vfs, &mut rng, 200);
    let first = world.store.relocate(u64::MAX).unwrap();
    assert!(first.is_some());
    assert!(world.store.relocate(u64::MAX).unwrap().is_none());
    drop(first);
    assert!(world.store.relocate(u64::MAX).unwrap().is_some());
    let (_, vfs) = machine(6);
    let mut world = World::open(&vfs).unwrap();
    world.put(&mut rng, (0, 1), 0..500, 60).unwrap();
    world.checkpoint().unwrap();
    assert!(world.store.relocate(u64::MAX).unwrap().is_none(), "nothing is free");
}

#[test]
fn a_crash_at_any_operation_of_shrinking_loses_nothing() {
    let (disk, vfs) = machine(7);
    let mut rng = Rng::with_seed(7);
    drop(with_gap(&vfs, &mut rng, 60));
    let copy = disk.copy(0);
    let vfs: Arc<dyn Vfs> = Arc::new(copy.clone());
    let mut world = World::open(&vfs).unwrap();
    let (saved, before) = (world.saved.clone(), copy.operations());
    let long = file_bytes(&world);
    shrink_all(&mut world, 60_000);
    let short = file_bytes(&world);
    assert!(short < long, "{long} bytes, then {short}");
    drop(world);
    let after = copy.operations();
    assert!(after > before + 20, "{before} to {after}");
    for at in before + 1..=after {
        let disk = disk.copy(at);
        let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
        let mut world = World::open(&vfs).unwrap();
        disk.crash_at(at);
        while let Ok(Some(_)) = world.shrink(60_000) {
            if disk.operations() >= at {
                break;
            }
        }
        drop(world);
        disk.restart();
        disk.clear_faults();
        let mut world = World::open(&vfs).unwrap();
        world.verify().unwrap();
        assert_eq!(saved_contents(&world.store).unwrap(), saved, "operation {at}");
        shrink_all(&mut world, u64::MAX);
        world.verify().unwrap();
        let now = file_bytes(&world);
        assert!(now <= short + short / 4, "operation {at}: {now} bytes, once {short}");
    }
}

#[test]
fn an_error_at_any_operation_of_shrinking_leaves_the_store_at_work() {
    let (disk, vfs) = machine(8);
    let mut rng = Rng::with_seed(8);
    drop(with_gap(&vfs, &mut rng, 60));
    let copy = disk.copy(0);
    let vfs: Arc<dyn Vfs> = Arc::new(copy.clone());
    let mut world = World::open(&vfs).unwrap();
    let before = copy.operations();
    world.shrink(100_000).unwrap();
    drop(world);
    for at in before + 1..=copy.operations() {
        for fault in [Fault::NoSpace, Fault::WriteError, Fault::ReadError] {
            let disk = disk.copy(at);
            let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
            let mut world = World::open(&vfs).unwrap();
            disk.inject(at, fault);
            let outcome = world.shrink(100_000);
            disk.clear_faults();
            if world.store.is_poisoned() {
                continue;
            }
            let told = format!("{fault} at {at}: {outcome:?}");
            world.verify().expect(&told);
            for round in 0..3 {
                world.put(&mut rng, (0, 2), round..round + 2, 2000).expect(&told);
                world.checkpoint().expect(&told);
                world.verify().expect(&told);
            }
        }
    }
}
