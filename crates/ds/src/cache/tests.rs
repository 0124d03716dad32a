//! The cache keeps its bound, its hot pages, and never serves the wrong page.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::format::{PageKind, Stored, TreeKind};
use crate::page::{Body, Leaf};

const PAGE_BYTES: usize = 4096;

fn page(number: u64) -> PageRef {
    let base = Stored {
        granule: Granule(100 + number * 8),
        stored: PAGE_BYTES as u32,
        raw: PAGE_BYTES as u32,
        checksum: number as u32,
        codec: 0,
    };
    PageRef {
        kind: PageKind::Leaf,
        level: 0,
        has_edges: false,
        base,
        delta: None,
        birth: 1,
        rows: 0,
    }
}

fn node(page: PageRef) -> Arc<Node> {
    Arc::new(Node::read(Body::Leaf(Leaf::new(TreeKind::Fixed, PAGE_BYTES)), page))
}

fn touch(cache: &Cache, number: u64) -> bool {
    let page = page(number);
    if cache.by_version(&page).is_some() {
        return true;
    }
    cache.insert(&page, &node(page));
    false
}

#[test]
fn bytes_never_pass_the_budget() {
    let budget = 200 * PAGE_BYTES;
    let cache = Cache::new(budget);
    for number in 0..5000 {
        touch(&cache, number);
        assert!(cache.counts().bytes <= budget as u64);
    }
    assert!(cache.counts().evictions > 4000);
    cache.set_budget(budget / 4);
    assert!(cache.counts().bytes <= budget as u64 / 4);
}

#[test]
fn a_scan_leaves_the_hot_pages() {
    let cache = Cache::new(400 * PAGE_BYTES);
    for _ in 0..4 {
        for number in 0..100 {
            touch(&cache, number);
        }
    }
    for number in 1000..6000 {
        touch(&cache, number);
    }
    let hot = (0..100).filter(|number| cache.by_version(&page(*number)).is_some()).count();
    assert!(hot >= 95, "{hot} of 100 hot pages survived");
}

#[test]
fn a_hint_never_leads_to_another_page() {
    let cache = Cache::new(64 * PAGE_BYTES);
    let first = page(1);
    let hint = cache.insert(&first, &node(first)).unwrap();
    assert!(cache.by_hint(&first, hint).is_some());
    assert!(cache.by_hint(&page(2), hint).is_none());
    assert!(cache.by_hint(&first, u32::MAX).is_none());

    // The extent is reused for a page of a later commit.
    let reused = PageRef { birth: 2, ..first };
    assert!(cache.by_hint(&reused, hint).is_none());
    assert!(cache.by_version(&reused).is_none());
    cache.insert(&reused, &node(reused));
    assert!(cache.by_version(&first).is_none());
    cache.remove(reused.version());
    assert!(cache.by_version(&reused).is_none());
}
