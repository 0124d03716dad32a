//! Models of one shard: readers by hint and by version beside threads that insert and remove.
//!
//! A frame is given to another page while readers look at it, without telling them: what keeps
//! them right is that they compare identities *behind* the look. The line that this model is
//! about is `matches!(&*seen, Some(node) if is_page(node, page))` in `Cache::by_hint`: with
//! `is_some()` in its place a reader gets the page that took the frame, and the first model
//! fails; without `&& is_page(node, page)` in `Cache::by_version` the second does, since the
//! shard is let go of between finding the frame and looking into it. The third is about the
//! first line of `Shard::insert`, which forgets an earlier stay of the same page. The fourth is
//! about the lock in `Cache::lend` and `Cache::take_back`, which is held while the rest is divided:
//! given back before that (`drop(lent)` ahead of `divide`), an older division may come last.
//! Neighbours: `mod` and `shard` are what is modelled; `cargo xtask loom` runs this.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::Cache;
use crate::format::{Granule, PageKind, PageRef, Stored, TreeKind};
use crate::page::{Body, Leaf, Node};
use crate::sync::{Arc, thread};

fn page(granule: u64) -> PageRef {
    let base = Stored { granule: Granule(granule), stored: 9, raw: 9, checksum: 1, codec: 0 };
    let kind = PageKind::Leaf;
    PageRef { kind, level: 0, has_edges: false, base, delta: None, birth: granule, rows: 0 }
}

fn node(granule: u64) -> Arc<Node> {
    let leaf = Leaf::new(TreeKind::Fixed, 64);
    Arc::new(Node::read(Body::Leaf(leaf), page(granule)))
}

/// A cache with room for so many pages, and the page 20 in it.
fn cache_of(pages: usize) -> (Arc<Cache>, u32) {
    let first = node(20);
    let cache = Arc::new(Cache::new(first.memory_bytes() * pages + 1));
    let hint = cache.insert(&page(20), &first).unwrap();
    (cache, hint)
}

fn is_sound(cache: &Cache) {
    for shard in &cache.shards {
        shard.lock().assert_sound(&cache.frames);
    }
}

/// Puts another page in while others look for the first one.
fn insert_another(cache: &Arc<Cache>) -> thread::JoinHandle<()> {
    let cache = Arc::clone(cache);
    thread::spawn(move || {
        cache.insert(&page(21), &node(21));
    })
}

#[test]
fn loom_a_hint_leads_to_the_page_or_to_nothing() {
    loom::model(|| {
        let (cache, hint) = cache_of(1);
        let writer = insert_another(&cache);
        if let Some(seen) = cache.by_hint(&page(20), hint) {
            let stored = seen.as_ref().unwrap().stored().copied().unwrap();
            assert!(stored.is_same_version(&page(20)), "the frame was another page's");
        }
        writer.join().unwrap();
        is_sound(&cache);
    });
}

#[test]
fn loom_a_version_leads_to_the_page_or_to_nothing() {
    loom::model(|| {
        let (cache, _) = cache_of(1);
        let writer = insert_another(&cache);
        if let Some((found, _)) = cache.by_version(&page(20)) {
            assert!(found.stored().unwrap().is_same_version(&page(20)), "another page's frame");
        }
        writer.join().unwrap();
        is_sound(&cache);
    });
}

#[test]
fn loom_pages_that_come_and_go_leave_the_shard_sound() {
    loom::model(|| {
        let (cache, _) = cache_of(3);
        let other = Arc::clone(&cache);
        // Two threads that both missed a page read it and put it in; a third frees its extent.
        let twin = thread::spawn(move || {
            other.insert(&page(21), &node(21));
        });
        let other = Arc::clone(&cache);
        let owner = thread::spawn(move || other.remove(Granule(21)));
        cache.insert(&page(21), &node(21));
        is_sound(&cache);
        twin.join().unwrap();
        owner.join().unwrap();
        is_sound(&cache);
    });
}

#[test]
fn loom_what_is_lent_and_what_pages_may_take_are_the_budget() {
    loom::model(|| {
        const BUDGET: usize = 1000;
        let cache = Arc::new(Cache::new(BUDGET));
        let is_whole = |lent: usize| {
            assert_eq!(*cache.lent.lock(), lent);
            assert_eq!(cache.shards[0].lock().budget(), BUDGET - lent);
        };
        let beside = |work: fn(&Cache)| {
            let other = Arc::clone(&cache);
            thread::spawn(move || work(&other))
        };
        // Two transactions borrow, and give back when their pages are written.
        let other = beside(|cache| assert!(cache.lend(100)));
        assert!(cache.lend(200));
        other.join().unwrap();
        is_whole(300);
        assert!(!cache.lend(BUDGET / 2), "more than half is lent");
        let other = beside(|cache| cache.take_back(100));
        cache.take_back(200);
        other.join().unwrap();
        is_whole(0);
    });
}
