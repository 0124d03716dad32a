//! One side of a comparison of two trees: the path from the root to what comes next.
//!
//! A side may be limited to keys from one on and up to another: pages outside are never entered.
//! Neighbours: `diff` moves two of these.

use smallvec::SmallVec;

use super::Tree;
use crate::error::Result;
use crate::page::lineage::Key;
use crate::page::{Body, Child, Leaf, Node};
use crate::pager::Pager;
use crate::sync::Arc;

/// A page on the path.
pub(super) struct Step {
    pub(super) node: Arc<Node>,
    /// What comes next in it.
    pub(super) index: usize,
    /// Behind the last that belongs to the side.
    pub(super) end: usize,
}

/// One side of a comparison.
pub(super) struct Side {
    pub(super) pager: Arc<Pager>,
    root: Option<Child>,
    pub(super) steps: SmallVec<[Step; 6]>,
    /// The first key, until the first leaf is entered.
    from: Option<Vec<u8>>,
    /// The first key that is not looked at.
    to: Option<Vec<u8>>,
}

/// What a side stands before.
pub(super) enum Next<'a> {
    Page(&'a Child, u8),
    Entry(&'a Leaf, usize),
    End,
}

impl Side {
    pub(super) fn new(pager: Arc<Pager>, tree: &Tree) -> Self {
        let root = tree.root().cloned();
        Self { pager, root, steps: SmallVec::new(), from: None, to: None }
    }

    /// Only the keys from one on, and up to another; before anything was entered.
    pub(super) fn limit(&mut self, from: Option<&[u8]>, to: Option<&[u8]>) {
        self.from = from.map(<[u8]>::to_vec);
        self.to = to.map(<[u8]>::to_vec);
    }

    /// Whether a key is between the limits, in a page that comes next.
    pub(super) fn wants(&self, key: &[u8]) -> bool {
        self.from.as_deref().is_none_or(|from| from <= key)
            && self.to.as_deref().is_none_or(|to| key < to)
    }

    pub(super) fn next(&self) -> Next<'_> {
        match self.steps.last() {
            None => self.root.as_ref().map_or(Next::End, |root| Next::Page(root, u8::MAX)),
            Some(step) => match step.node.body() {
                Body::Leaf(leaf) => Next::Entry(leaf, step.index),
                Body::Inner(inner) => Next::Page(inner.child(step.index), inner.level() - 1),
            },
        }
    }

    /// Goes into the page that comes next.
    pub(super) fn enter(&mut self) -> Result<()> {
        let node = match self.next() {
            Next::Page(child, _) => self.pager.hold(&child.link)?,
            Next::Entry(..) | Next::End => return Ok(()),
        };
        let (index, end) = self.range(node.body())?;
        if self.steps.is_empty() {
            self.root = None;
        }
        if matches!(node.body(), Body::Leaf(_)) {
            // All that comes now is behind it.
            self.from = None;
        }
        self.steps.push(Step { node, index, end });
        if index >= end {
            self.leave();
        }
        Ok(())
    }

    /// What of a page belongs to the side.
    fn range(&self, body: &Body) -> Result<(usize, usize)> {
        let from = self.from.as_deref();
        // Only the last page of each level may hold keys that are behind.
        let is_last = self.steps.last().is_none_or(|step| step.index + 1 >= step.end);
        let to = self.to.as_deref().filter(|_| is_last);
        match body {
            Body::Leaf(leaf) => {
                let place = |key: &[u8]| leaf.search(key).map(|(Ok(at) | Err(at))| at);
                Ok((from.map_or(Ok(0), place)?, to.map_or(Ok(leaf.len()), place)?))
            }
            Body::Inner(inner) => {
                let separators = inner.separators();
                let first = from.map_or(Ok(0), |key| separators.child_of(key))?;
                let end = match to {
                    None => inner.len(),
                    Some(key) => {
                        let last = separators.child_of(key)?;
                        let begins_there = last > 0 && separators.key(last - 1) == key;
                        last + usize::from(!begins_there)
                    }
                };
                Ok((first, end))
            }
        }
    }

    /// Steps over the page or entry that comes next.
    pub(super) fn skip(&mut self) {
        match self.steps.last_mut() {
            None => self.root = None,
            Some(step) => {
                step.index += 1;
                if step.index >= step.end {
                    self.leave();
                }
            }
        }
    }

    /// Leaves the innermost page, which is done, and steps over it.
    pub(super) fn leave(&mut self) {
        self.steps.pop();
        if !self.steps.is_empty() {
            self.skip();
        }
    }

    /// A key that no key from here on is less than; none where any key may come.
    pub(super) fn lower_bound(&self) -> Option<Key> {
        for step in self.steps.iter().rev() {
            if let Body::Inner(inner) = step.node.body()
                && step.index > 0
            {
                return Some(inner.separators().short_key(step.index - 1));
            }
        }
        None
    }

    /// The first key behind the page that comes next or is gone through; none at the end.
    pub(super) fn upper_bound(&self) -> Option<Key> {
        for step in self.steps.iter().rev() {
            if let Body::Inner(inner) = step.node.body()
                && step.index + 1 < inner.len()
            {
                return Some(inner.separators().short_key(step.index));
            }
        }
        None
    }
}

// Neighbours: `diff`.
