//! How much memory goes with a forest: pages that nobody else holds.
//!
//! Who drops a version asks, to decide whether it is worth a thread. The answer is for that only:
//! others may let go of what they share, or take it, while it is given.
//! Neighbours: `page` counts its holders.

use super::{Entry, Forest};
use crate::page::{Body, Link};
use crate::sync::Arc;

impl Forest {
    /// About how many changed pages only this forest holds; stops counting at `most`.
    pub fn lone_pages(&self, most: usize) -> usize {
        let mut count = Count { pages: 0, most };
        self.changed.iter().for_each(|entry| count.add_tree(entry));
        if Arc::strong_count(&self.table) == 1 {
            self.table.get().into_iter().flatten().for_each(|entry| count.add_tree(entry));
        }
        count.pages
    }
}

struct Count {
    pages: usize,
    most: usize,
}

impl Count {
    fn add_tree(&mut self, entry: &Entry) {
        if let Some(root) = entry.tree.as_ref().and_then(|tree| tree.root()) {
            self.add(&root.link);
        }
    }

    /// Adds what hangs on a link; goes as deep as the tree is high.
    fn add(&mut self, link: &Link) {
        let Link::Dirty(node) = link else { return };
        if self.pages >= self.most || Arc::strong_count(node) > 1 {
            return;
        }
        self.pages += 1;
        if let Body::Inner(inner) = node.body() {
            for child in inner.children() {
                self.add(&child.link);
            }
        }
    }
}
