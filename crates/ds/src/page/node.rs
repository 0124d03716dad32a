//! A page in memory, leaf or inner, shared by every tree that contains it.
//!
//! A node that others can see never changes, except that [`Node::set_stored`] notes once where
//! it was written. Neighbours: `leaf`, `inner`, and `pager`, which reads and writes nodes.

use super::inner::Inner;
use super::leaf::Leaf;
use super::origin::Origin;
use crate::format::{PageRef, TreeKind};
use crate::sync::{Arc, OnceLock};

/// What a node is.
#[derive(Clone, Debug)]
pub enum Body {
    /// Entries.
    Leaf(Leaf),
    /// Children.
    Inner(Inner),
}

/// A page in memory.
///
/// In this order: the count of its holders stands in front, and changes with every copy of the
/// page above. What those look at who follow a link is not in the same cache line.
#[derive(Debug)]
#[repr(C)]
pub struct Node {
    stored: OnceLock<PageRef>,
    body: Body,
}

impl Node {
    /// A node that is nowhere in the file.
    pub fn new(body: Body) -> Self {
        Self { stored: OnceLock::new(), body }
    }

    /// A node that was read from the file.
    pub fn read(body: Body, page: PageRef) -> Self {
        Self { stored: OnceLock::from(page), body }
    }

    /// Where the node is in the file, once it was written.
    #[inline]
    pub fn stored(&self) -> Option<&PageRef> {
        self.stored.get()
    }

    /// Notes where the node was written; the first note stays.
    pub fn set_stored(&self, page: PageRef) {
        let _ = self.stored.set(page);
    }

    /// What it is.
    #[inline]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The body, to be changed by the only holder of a node that was never written.
    pub fn body_mut(&mut self) -> Option<&mut Body> {
        if self.stored.get().is_some() { None } else { Some(&mut self.body) }
    }

    /// A copy to be changed, which knows what it was copied from; `begun` is the number of
    /// the newest checkpoint that has begun, `next` makes numbers that no other page has.
    #[must_use]
    pub fn copy_for_change(
        &self,
        page_bytes: usize,
        begun: u64,
        next: impl FnOnce() -> u64,
    ) -> Self {
        let body = match &self.body {
            Body::Leaf(leaf) => Body::Leaf(leaf.copy_for_change(page_bytes)),
            Body::Inner(inner) => Body::Inner(inner.clone()),
        };
        self.dated(body, begun, next)
    }

    /// As [`copy_for_change`](Self::copy_for_change), but a leaf may share the bytes of the page.
    #[must_use]
    pub fn copy_sharing(
        node: &Arc<Self>,
        page_bytes: usize,
        begun: u64,
        next: impl FnOnce() -> u64,
    ) -> Self {
        match Leaf::copy_sharing(node) {
            Some(leaf) => node.dated(Body::Leaf(leaf), begun, next),
            None => node.copy_for_change(page_bytes, begun, next),
        }
    }

    /// A copy of the node with this body, which is told where it comes from.
    fn dated(&self, mut body: Body, begun: u64, next: impl FnOnce() -> u64) -> Self {
        if let Some(page) = self.stored() {
            // A page that was read with its delta brings the origin along; one that is whole in
            // the file is an origin itself.
            match &mut body {
                Body::Leaf(leaf) => {
                    if page.delta.is_none() {
                        leaf.set_origin(Some(Origin::of_leaf(page)));
                    }
                    leaf.date_origin(begun);
                }
                Body::Inner(inner) => {
                    if page.delta.is_none() {
                        inner.set_origin(Some(Origin::of_inner(page)));
                    }
                    inner.date_origin(begun);
                }
            }
        }
        if let (Body::Leaf(copy), Body::Leaf(leaf)) = (&mut body, &self.body)
            && copy.origin().is_none_or(Origin::is_long)
        {
            copy.descend(leaf, next);
        }
        Self::new(body)
    }

    /// The height above the leaves.
    pub fn level(&self) -> u8 {
        match &self.body {
            Body::Leaf(_) => 0,
            Body::Inner(inner) => inner.level(),
        }
    }

    /// Entries of the subtree.
    pub fn rows(&self) -> u64 {
        match &self.body {
            Body::Leaf(leaf) => leaf.len() as u64,
            Body::Inner(inner) => inner.rows(),
        }
    }

    /// The layout of the keys.
    pub fn kind(&self) -> TreeKind {
        match &self.body {
            Body::Leaf(leaf) => leaf.kind(),
            Body::Inner(inner) => inner.kind(),
        }
    }

    /// The bytes in memory.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.body {
                Body::Leaf(leaf) => leaf.memory_bytes(),
                Body::Inner(inner) => inner.memory_bytes(),
            }
    }

    /// The page whose bytes a leaf shares, which is in [`memory_bytes`](Self::memory_bytes), too,
    /// though others may hold it as well: the cache, and other copies.
    pub fn shared_page(&self) -> Option<&Arc<Self>> {
        match &self.body {
            Body::Leaf(leaf) => leaf.shared_page(),
            Body::Inner(_) => None,
        }
    }

    /// About how long the stored form is.
    pub fn used_bytes(&self) -> usize {
        match &self.body {
            Body::Leaf(leaf) => leaf.used_bytes(),
            Body::Inner(inner) => inner.used_bytes(),
        }
    }
}
