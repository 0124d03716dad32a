//! How much memory the pages take that no checkpoint has written.
//!
//! Commits only add up what they copied, which is cheap and too much: a page that many commits
//! change one after the other is copied by each of them and is there once. So when the sum says
//! that a checkpoint is due, the pages are counted. The walk goes into changed pages only, and as
//! the next one comes after as much copying again as the limit leaves, it costs next to nothing.
//! Neighbours: `checkpointer` asks.

use pandodb_ds::page::{Body, Link};

use super::Shared;

impl Shared {
    /// Bytes of changed pages of all heads; stops counting at `limit`.
    pub(super) fn count_dirty_bytes(&self, limit: usize) -> usize {
        let mut count = 0;
        for cell in self.heads.cells() {
            let version = cell.version.load();
            for id in version.forest.ids() {
                if let Some(root) = version.forest.tree(id).and_then(|tree| tree.root()) {
                    count_below(&root.link, &mut count, limit);
                }
            }
        }
        count
    }
}

/// Adds the changed pages below a link; as deep as the tree is high.
fn count_below(link: &Link, count: &mut usize, limit: usize) {
    let Link::Dirty(node) = link else { return };
    if node.stored().is_some() || *count >= limit {
        return;
    }
    *count += node.memory_bytes();
    if let Body::Inner(inner) = node.body() {
        for child in inner.children() {
            count_below(&child.link, count, limit);
        }
    }
}
