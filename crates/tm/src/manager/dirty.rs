//! How much memory the pages take that no checkpoint has written.
//!
//! Commits only add up what they copied, which is cheap and too much: a page that many commits
//! change one after the other is copied by each of them and is there once. So when the sum says
//! that a checkpoint is due, the pages are counted. The walk goes into changed pages only, and as
//! the next one comes after as much copying again as the limit leaves, it costs next to nothing.
//!
//! A changed leaf mostly shares the bytes of the page that it was copied from. That one is no
//! memory of its own as long as the cache has it, too: it counts where only changed leaves hold it.
//! Neighbours: `checkpointer` asks, and a transaction that may have to write pages early.

use pandodb_ds::forest::Forest;
use pandodb_ds::page::{Body, Link, Node};
use pandodb_ds::sync::Arc;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Shared;

/// What was counted so far: forks share pages, and each counts once.
#[derive(Default)]
struct Count {
    seen: FxHashSet<*const Node>,
    /// How many changed leaves share a page.
    sharing: FxHashMap<*const Node, usize>,
    bytes: usize,
    limit: usize,
}

impl Shared {
    /// Bytes of changed pages that a checkpoint would write; stops counting at `limit`.
    pub(super) fn count_dirty_bytes(&self, limit: usize) -> usize {
        let mut count = Count { limit, ..Count::default() };
        for cell in self.heads.known_cells().iter().filter(|cell| !cell.is_ephemeral()) {
            let version = cell.version.load();
            if !version.forest.is_read() {
                continue;
            }
            count.add_forest(&version.forest);
        }
        count.bytes
    }
}

/// Bytes of changed pages that `forest` has beside those of the version that it was made from;
/// stops counting at `limit`.
pub(crate) fn count_own_bytes(base: &Forest, forest: &Forest, limit: usize) -> usize {
    let mut count = Count { limit: usize::MAX, ..Count::default() };
    count.add_forest(base);
    let Count { seen, .. } = count;
    let mut own = Count { seen, limit, ..Count::default() };
    own.add_forest(forest);
    own.bytes
}

impl Count {
    fn add_forest(&mut self, forest: &Forest) {
        for id in forest.ids() {
            if let Some(root) = forest.tree(id).and_then(|tree| tree.root()) {
                self.add(&root.link);
            }
        }
    }

    /// Adds the changed pages below a link; goes as deep as the tree is high.
    fn add(&mut self, link: &Link) {
        let Link::Dirty(node) = link else { return };
        if node.stored().is_some()
            || self.bytes >= self.limit
            || !self.seen.insert(Arc::as_ptr(node))
        {
            return;
        }
        self.bytes += node.memory_bytes();
        if let Some(page) = node.shared_page() {
            self.bytes -= page.memory_bytes();
            let sharing = self.sharing.entry(Arc::as_ptr(page)).or_default();
            *sharing += 1;
            if *sharing == Arc::strong_count(page) {
                // All who hold it were met.
                self.bytes += page.memory_bytes();
            }
        }
        if let Body::Inner(inner) = node.body() {
            for child in inner.children() {
                self.add(&child.link);
            }
        }
    }
}
