//! Transactions that are larger than memory, and what a head's pages are counted as.
//!
//! Neighbours: `world` spills as a step among others; here the bounds are looked at.

use std::sync::Arc;

use fastrand::Rng;
use pandodb_ds::forest::TreeId;
use pandodb_ds::tree::PutMode;
use pandodb_ds::vfs::{SimVfs, Vfs};

use crate::world::{World, options};

#[test]
fn a_transaction_of_ten_times_the_cache_stays_within_its_bound() {
    const DIRTY_MAX: usize = 96 * 1024;
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(41));
    let mut world = World::open(&vfs).unwrap();
    let mut rng = Rng::with_seed(41);
    world.put(&mut rng, (0, 1), 0..300, 60).unwrap();
    world.checkpoint().unwrap();
    let cache_bytes = options().cache_bytes;
    let (mut most, mut written) = (0, 0);
    world
        .change((0, 1), true, |forest, writer, model| {
            while written < 10 * cache_bytes {
                let key = format!("large/{:07}", rng.u32(..1_000_000)).into_bytes();
                let value: Vec<u8> = (0..rng.usize(100..900)).map(|_| rng.u8(..)).collect();
                written += value.len();
                forest.put(writer, TreeId(1), &key, &value, PutMode::Replace)?;
                model.insert(key, value);
                most = most.max(*writer.dirty_bytes);
                if *writer.dirty_bytes > DIRTY_MAX {
                    forest.spill(writer)?;
                }
            }
            Ok(())
        })
        .unwrap();
    // One change makes a path of pages dirty and splits some of them.
    let bound = DIRTY_MAX + 8 * options().page_bytes;
    assert!(most < bound, "{most} bytes of changed pages in memory, {bound} allowed");
    assert!(world.store.info().unwrap().cache.bytes <= cache_bytes as u64);
    world.verify().unwrap();
    world.checkpoint().unwrap();
    world.verify().unwrap();
    drop(world);
    World::open(&vfs).unwrap().verify().unwrap();
}

#[test]
fn a_forks_pages_are_shared_until_it_changes() {
    let vfs: Arc<dyn Vfs> = Arc::new(SimVfs::new(42));
    let mut world = World::open(&vfs).unwrap();
    let mut rng = Rng::with_seed(42);
    world.put(&mut rng, (0, 1), 0..600, 60).unwrap();
    world.put(&mut rng, (0, 1), 700..701, 9000).unwrap();
    world.checkpoint().unwrap();
    let sizes = |world: &World, head: u64| {
        let (_pin, forest, _) = world.snapshot(head);
        let all = forest.survey(world.store.pager()).unwrap();
        let sum = |part: fn(&pandodb_ds::tree::Survey) -> u64| {
            all.iter().map(|(_, survey)| part(survey)).sum::<u64>()
        };
        (sum(|survey| survey.exclusive_bytes), sum(|survey| survey.shared_bytes))
    };
    let (alone, shared) = sizes(&world, 0);
    assert!(alone > 10_000 && shared == 0, "{alone} and {shared}");
    world.fork(0, 1);
    world.checkpoint().unwrap();
    assert_eq!(sizes(&world, 0), (0, alone));
    assert_eq!(sizes(&world, 1), (0, alone));
    world.put(&mut rng, (1, 1), 5..6, 60).unwrap();
    world.checkpoint().unwrap();
    let (own, shared) = sizes(&world, 1);
    assert!(own > 0 && own < alone / 4 && shared > alone / 2, "{own} and {shared} of {alone}");
    world.drop_head(0);
    world.checkpoint().unwrap();
    let (own, shared) = sizes(&world, 1);
    assert_eq!(shared, 0);
    // Where a page has a delta, its base is counted with it.
    assert!(own >= alone && own < alone + alone / 4, "{own} of {alone}");
}
