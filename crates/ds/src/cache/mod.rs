//! The cache of clean nodes: bounded in bytes, sharded, resistant to scans.
//!
//! A page is found by the hint in its parent's link without a lock, or by its version in one
//! shard's map. Either way the node's own reference is compared with the wanted one, because a
//! frame may hold another page by now and an extent may have been reused. Dirty nodes are not
//! here: they belong to the trees that changed them. Neighbours: `pager` is the only user.

mod frames;
#[cfg(all(test, loom))]
mod loom;
mod shard;

#[cfg(all(test, not(loom)))]
mod tests;

use frames::Frames;
pub use frames::Seen;
use shard::Shard;

use crate::format::{Granule, PageRef, Stored};
use crate::metrics::CacheCounts;
use crate::page::Node;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex, Padded};

/// A model looks at one shard.
const SHARDS: usize = if cfg!(loom) { 1 } else { 16 };

/// The cache.
#[derive(Debug)]
pub struct Cache {
    frames: Frames,
    shards: Box<[Mutex<Shard>]>,
    budget: AtomicU64,
    /// What others have of the budget for now.
    lent: Padded<Mutex<usize>>,
    hits: Padded<AtomicU64>,
    misses: Padded<AtomicU64>,
    evictions: Padded<AtomicU64>,
}

impl Cache {
    /// A cache of at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        let shard = || Mutex::new(Shard::new(budget / SHARDS));
        Self {
            frames: Frames::new(),
            shards: (0..SHARDS).map(|_| shard()).collect(),
            budget: AtomicU64::new(budget as u64),
            lent: Padded::default(),
            hits: Padded::default(),
            misses: Padded::default(),
            evictions: Padded::default(),
        }
    }

    /// Changes the budget; pages leave at once where it shrinks.
    pub fn set_budget(&self, budget: usize) {
        let lent = self.lent.lock();
        self.budget.store(budget as u64, Ordering::Relaxed);
        self.divide(budget.saturating_sub(*lent));
    }

    fn divide(&self, budget: usize) {
        for shard in &self.shards {
            let evicted = shard.lock().set_budget(budget / SHARDS, &self.frames);
            self.evictions.fetch_add(evicted, Ordering::Relaxed);
        }
    }

    /// Gives a part of the budget to somebody else: all of `bytes` or nothing, and never more
    /// than half of it to all others together.
    pub fn lend(&self, bytes: usize) -> bool {
        let mut lent = self.lent.lock();
        let budget = self.budget.load(Ordering::Relaxed) as usize;
        if bytes > (budget / 2).saturating_sub(*lent) {
            return false;
        }
        *lent += bytes;
        self.divide(budget.saturating_sub(*lent));
        true
    }

    /// Takes back what was lent.
    pub fn take_back(&self, bytes: usize) {
        let mut lent = self.lent.lock();
        *lent = lent.saturating_sub(bytes);
        let budget = self.budget.load(Ordering::Relaxed) as usize;
        self.divide(budget.saturating_sub(*lent));
    }

    fn shard(&self, version: Granule) -> &Mutex<Shard> {
        // Granules of neighbouring pages differ in low bits that depend on page sizes: mix.
        let mixed = version.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        &self.shards[mixed as usize % SHARDS]
    }

    /// The page by the hint of a link.
    #[inline]
    pub fn by_hint(&self, page: &PageRef, hint: u32) -> Option<Seen> {
        let frame = self.frames.get(hint)?;
        let seen = frame.look();
        let is_wanted = matches!(&*seen, Some(node) if is_page(node, page));
        if is_wanted {
            frame.note_use();
            return Some(seen);
        }
        None
    }

    /// As [`by_hint`](Self::by_hint), of a page that may not be used after all.
    #[inline]
    pub fn peek(&self, page: &PageRef, hint: u32) -> Option<Seen> {
        let seen = self.frames.get(hint)?.look();
        let is_wanted = matches!(&*seen, Some(node) if is_page(node, page));
        is_wanted.then_some(seen)
    }

    /// The page by its version, with the frame to remember.
    pub fn by_version(&self, page: &PageRef) -> Option<(Arc<Node>, u32)> {
        let found = self.shard(page.version()).lock().find(page.version());
        if let Some(number) = found
            && let Some(frame) = self.frames.get(number)
            && let Some(node) = &*frame.look()
            && is_page(node, page)
        {
            frame.note_use();
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Some((Arc::clone(node), number));
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// A whole page by its extent, as versions with deltas refer to it. Nobody is counted to have
    /// asked: it is looked for beside the page that was.
    pub fn by_base(&self, base: &Stored) -> Option<Arc<Node>> {
        let number = self.shard(base.granule).lock().find(base.granule)?;
        let seen = self.frames.get(number)?.look();
        let node = seen.as_ref()?;
        let is_it = node.stored().is_some_and(|page| page.base == *base && page.delta.is_none());
        is_it.then(|| Arc::clone(node))
    }

    /// Puts a node in that is stored as `page`.
    pub fn insert(&self, page: &PageRef, node: &Arc<Node>) -> Option<u32> {
        let mut shard = self.shard(page.version()).lock();
        let (frame, evicted) = shard.insert(page.version(), node, &self.frames);
        drop(shard);
        self.evictions.fetch_add(evicted, Ordering::Relaxed);
        frame
    }

    /// Forgets a page whose extent is free to be reused.
    pub fn remove(&self, version: Granule) {
        self.shard(version).lock().remove(version, &self.frames);
    }

    /// Counts so far.
    pub fn counts(&self) -> CacheCounts {
        let (mut bytes, mut pages) = (0, 0);
        for shard in &self.shards {
            let shard = shard.lock();
            bytes += shard.bytes() as u64;
            pages += shard.len() as u64;
        }
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
            bytes,
            pages,
            budget: self.budget.load(Ordering::Relaxed),
        }
    }
}

/// Whether `node` is the version of the page that the reference names.
#[inline]
fn is_page(node: &Node, page: &PageRef) -> bool {
    node.stored().is_some_and(|stored| {
        stored.base.granule == page.base.granule
            && stored.birth == page.birth
            && stored.is_same_version(page)
    })
}
