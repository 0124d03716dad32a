//! Walking a tree in either direction.
//!
//! A cursor owns its snapshot of the tree: changes made to the tree later do not reach it, and
//! it never has to be told. It holds the pages from the root to its leaf. Neighbours: `get` for
//! one key, `count` for ranks.

use smallvec::SmallVec;

use super::Tree;
use super::count::child_at;
use super::get::{Found, OwnedValue};
use crate::error::Result;
use crate::format::TreeKind;
use crate::page::{Body, Leaf, Node, fixed_key};
use crate::pager::Pager;
use crate::sync::Arc;

/// A page on the way from the root, and the child or entry that the way takes.
#[derive(Clone, Debug)]
struct Step {
    node: Arc<Node>,
    index: usize,
}

impl Step {
    /// The least fixed key that belongs below the child, as far as this page says.
    fn least_below(&self) -> u64 {
        match self.node.body() {
            Body::Inner(inner) => inner.separators().fixed_before(self.index),
            Body::Leaf(_) => 0,
        }
    }
}

/// A position in a tree: at an entry, or outside.
#[derive(Clone, Debug)]
pub struct Cursor {
    pager: Arc<Pager>,
    tree: Tree,
    steps: SmallVec<[Step; 5]>,
    /// Whether the cursor stands at an entry.
    is_valid: bool,
}

impl Cursor {
    /// A cursor on `tree`, at no entry yet.
    pub fn new(pager: Arc<Pager>, tree: Tree) -> Self {
        Self { pager, tree, steps: SmallVec::new(), is_valid: false }
    }

    /// The tree that the cursor walks.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The pager that it reads through.
    pub fn pager(&self) -> &Arc<Pager> {
        &self.pager
    }

    /// Whether the cursor stands at an entry.
    #[inline]
    pub fn is_valid(&self) -> bool {
        self.is_valid
    }

    /// Goes to the first entry; returns whether there is one.
    pub fn first(&mut self) -> Result<bool> {
        self.descend_all(|_| Ok(0), |_, _| Ok(0))
    }

    /// Goes to the last entry; returns whether there is one.
    pub fn last(&mut self) -> Result<bool> {
        self.descend_all(
            |node| match node.body() {
                Body::Inner(inner) => Ok(inner.len() - 1),
                Body::Leaf(_) => Ok(0),
            },
            |leaf, _| Ok(leaf.len().saturating_sub(1)),
        )
    }

    /// Goes to the first key that is `key` or greater; returns whether there is one.
    pub fn seek(&mut self, key: &[u8]) -> Result<bool> {
        self.tree.check_key(key)?;
        self.is_valid = false;
        if self.seek_within_leaf(key)? {
            return Ok(true);
        }
        let found = self.descend_to(key, |leaf, parent| {
            let (Ok(at) | Err(at)) = match parent {
                Some(parent) if leaf.kind() == TreeKind::Fixed => {
                    leaf.search_dense(fixed_key(key)?, parent.least_below())
                }
                _ => leaf.search(key)?,
            };
            Ok(at)
        })?;
        if found || self.steps.is_empty() {
            return Ok(found);
        }
        // Every key of the leaf is less: the next leaf begins with a greater one.
        self.next_leaf()
    }

    /// Goes down to the leaf of `key` and asks the processor for the memory in which a later
    /// [`seek`](Self::seek) looks for it: who has several keys to look for waits for all of them
    /// at once. The cursor stands nowhere until then. Only trees of fixed keys gain.
    pub fn approach(&mut self, key: &[u8]) -> Result<()> {
        self.tree.check_key(key)?;
        self.descend_to(key, |_, _| Ok(0))?;
        self.is_valid = false;
        let (TreeKind::Fixed, [.., parent, last]) = (self.tree.kind(), self.steps.as_slice())
        else {
            return Ok(());
        };
        if let Body::Leaf(leaf) = last.node.body() {
            leaf.ask_for_entry(fixed_key(key)?.saturating_sub(parent.least_below()));
        }
        Ok(())
    }

    /// Asks the processor for the value where the cursor stands, which is read soon.
    #[inline]
    pub fn ask_for_value(&self) {
        if let Some((leaf, index)) = self.leaf() {
            leaf.ask_for_cell(index);
        }
    }

    /// Goes down to the leaf of `key`, and to the place in it that `position` says. The pages on
    /// the way that the cursor holds already, the root at least, are not looked up again: threads
    /// that search one tree would all count the same few references.
    fn descend_to(
        &mut self,
        key: &[u8],
        position: impl Fn(&Leaf, Option<&Step>) -> Result<usize>,
    ) -> Result<bool> {
        let choose = |node: &Node| match node.body() {
            Body::Inner(inner) => inner.separators().child_of(key),
            Body::Leaf(_) => Ok(0),
        };
        let mut depth = 0;
        while let Some(step) = self.steps.get_mut(depth) {
            let (known, index) = match step.node.body() {
                Body::Leaf(leaf) => {
                    step.index = position(leaf, None)?;
                    self.is_valid = step.index < leaf.len();
                    return Ok(self.is_valid);
                }
                Body::Inner(_) => (step.index, choose(&step.node)?),
            };
            step.index = index;
            depth += 1;
            if known != index || self.steps.len() == depth {
                self.steps.truncate(depth);
                let Some(Step { node, .. }) = self.steps.last() else { break };
                let Body::Inner(inner) = node.body() else { break };
                let node = self.pager.hold(&inner.child(index).link)?;
                return self.descend_from(node, choose, position);
            }
        }
        self.descend_all(choose, position)
    }

    /// Tries the leaf where the cursor is: neighbouring keys are looked up in a row often.
    fn seek_within_leaf(&mut self, key: &[u8]) -> Result<bool> {
        let Some(step) = self.steps.last_mut() else { return Ok(false) };
        let Body::Leaf(leaf) = step.node.body() else { return Ok(false) };
        let (Ok(at) | Err(at)) = leaf.search(key)?;
        if at == 0 || at >= leaf.len() {
            return Ok(false);
        }
        step.index = at;
        self.is_valid = true;
        Ok(true)
    }

    /// Goes to the last key that is `key` or less; returns whether there is one.
    pub fn seek_back(&mut self, key: &[u8]) -> Result<bool> {
        if self.seek(key)? {
            if self.with_key(|found| found == key) {
                return Ok(true);
            }
            return self.previous();
        }
        self.last()
    }

    /// Goes to the entry with `rank` entries before it; returns whether there is one.
    pub fn seek_rank(&mut self, rank: u64) -> Result<bool> {
        self.is_valid = false;
        self.steps.clear();
        if rank >= self.tree.len() {
            return Ok(false);
        }
        let Some(root) = &self.tree.root else { return Ok(false) };
        let mut node = self.pager.hold(&root.link)?;
        let mut rest = rank;
        loop {
            let next = match node.body() {
                Body::Leaf(_) => break,
                Body::Inner(inner) => {
                    let (index, within) = child_at(inner, rest);
                    rest = within;
                    (index, self.pager.hold(&inner.child(index).link)?)
                }
            };
            let index = next.0;
            self.steps.push(Step { node: std::mem::replace(&mut node, next.1), index });
        }
        self.steps.push(Step { node, index: rest as usize });
        self.is_valid = true;
        Ok(true)
    }

    /// Goes to the next entry; returns whether there is one.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "a cursor goes both ways and may fail")]
    pub fn next(&mut self) -> Result<bool> {
        if !self.is_valid {
            return Ok(false);
        }
        if let Some(step) = self.steps.last_mut()
            && let Body::Leaf(leaf) = step.node.body()
            && step.index + 1 < leaf.len()
        {
            step.index += 1;
            return Ok(true);
        }
        self.next_leaf()
    }

    /// Goes to the entry before; returns whether there is one.
    #[inline]
    pub fn previous(&mut self) -> Result<bool> {
        if !self.is_valid {
            return Ok(false);
        }
        if let Some(step) = self.steps.last_mut()
            && step.index > 0
        {
            step.index -= 1;
            return Ok(true);
        }
        self.previous_leaf()
    }

    /// Goes to the first entry of the next leaf that has one.
    pub fn next_leaf(&mut self) -> Result<bool> {
        self.is_valid = false;
        self.steps.pop();
        while let Some(step) = self.steps.last_mut() {
            if let Body::Inner(inner) = step.node.body()
                && step.index + 1 < inner.len()
            {
                step.index += 1;
                let node = self.pager.hold(&inner.child(step.index).link)?;
                if self.descend_from(node, |_| Ok(0), |_, _| Ok(0))? {
                    return Ok(true);
                }
            }
            self.steps.pop();
        }
        Ok(false)
    }

    fn previous_leaf(&mut self) -> Result<bool> {
        self.is_valid = false;
        self.steps.pop();
        while let Some(step) = self.steps.last_mut() {
            if let Body::Inner(inner) = step.node.body()
                && step.index > 0
            {
                step.index -= 1;
                let node = self.pager.hold(&inner.child(step.index).link)?;
                let last = |node: &Node| match node.body() {
                    Body::Inner(inner) => Ok(inner.len() - 1),
                    Body::Leaf(_) => Ok(0),
                };
                if self.descend_from(node, last, |leaf, _| Ok(leaf.len().saturating_sub(1)))? {
                    return Ok(true);
                }
            }
            self.steps.pop();
        }
        Ok(false)
    }

    fn descend_all(
        &mut self,
        choose: impl Fn(&Node) -> Result<usize>,
        position: impl Fn(&Leaf, Option<&Step>) -> Result<usize>,
    ) -> Result<bool> {
        self.is_valid = false;
        self.steps.clear();
        let Some(root) = &self.tree.root else { return Ok(false) };
        let node = self.pager.hold(&root.link)?;
        self.descend_from(node, choose, position)
    }

    fn descend_from(
        &mut self,
        mut node: Arc<Node>,
        choose: impl Fn(&Node) -> Result<usize>,
        position: impl Fn(&Leaf, Option<&Step>) -> Result<usize>,
    ) -> Result<bool> {
        loop {
            let (index, next) = match node.body() {
                Body::Leaf(leaf) => {
                    let index = position(leaf, self.steps.last())?;
                    self.is_valid = index < leaf.len();
                    self.steps.push(Step { node, index });
                    return Ok(self.is_valid);
                }
                Body::Inner(inner) => {
                    let index = choose(&node)?;
                    (index, self.pager.hold(&inner.child(index).link)?)
                }
            };
            self.steps.push(Step { node: std::mem::replace(&mut node, next), index });
        }
    }

    /// The leaf and the entry where the cursor stands: for callers that go through a leaf's
    /// entries themselves.
    #[inline]
    pub fn leaf(&self) -> Option<(&Leaf, usize)> {
        let step = self.steps.last().filter(|_| self.is_valid)?;
        match step.node.body() {
            Body::Leaf(leaf) => Some((leaf, step.index)),
            Body::Inner(_) => None,
        }
    }

    /// Moves within the leaf where the cursor stands; an index behind its last entry is the
    /// first of the next leaf.
    pub fn set_index(&mut self, index: usize) -> Result<bool> {
        let Some(step) = self.steps.last_mut().filter(|_| self.is_valid) else {
            return Ok(false);
        };
        if let Body::Leaf(leaf) = step.node.body()
            && index < leaf.len()
        {
            step.index = index;
            return Ok(true);
        }
        self.next_leaf()
    }

    /// The page where the cursor stands, held: values may be read from it after the cursor has
    /// moved on.
    pub fn page(&self) -> Option<&Arc<Node>> {
        self.steps.last().filter(|_| self.is_valid).map(|step| &step.node)
    }

    /// The page behind the one where the cursor stands, if it is in memory and not far.
    pub fn page_ahead(&self) -> Option<Arc<Node>> {
        let [.., parent, _] = self.steps.as_slice() else { return None };
        match parent.node.body() {
            Body::Inner(inner) if parent.index + 1 < inner.len() => {
                self.pager.in_memory(&inner.child(parent.index + 1).link)
            }
            _ => None,
        }
    }

    /// Replaces `key` by the key where the cursor stands; empties it when that is nowhere.
    pub fn read_key(&self, key: &mut Vec<u8>) {
        match self.leaf() {
            Some((leaf, index)) => leaf.read_key(index, key),
            None => key.clear(),
        }
    }

    /// The key where the cursor stands, empty when that is nowhere.
    pub fn key(&self) -> Vec<u8> {
        let mut key = Vec::new();
        self.read_key(&mut key);
        key
    }

    /// The key of a tree of fixed keys as an integer that orders like it.
    #[inline]
    pub fn fixed_key(&self) -> Option<u64> {
        self.leaf().map(|(leaf, index)| leaf.fixed(index))
    }

    fn with_key<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        look(&self.key())
    }

    /// What the key where the cursor stands maps to.
    #[inline]
    pub fn found(&self) -> Result<Option<Found<'_>>> {
        match self.leaf() {
            Some((leaf, index)) => Ok(Some(Found::of(leaf.cell(index))?)),
            None => Ok(None),
        }
    }

    /// The whole value where the cursor stands; large ones are read.
    pub fn value(&self) -> Result<Option<OwnedValue>> {
        self.found()?.map(|found| found.to_owned(&self.pager)).transpose()
    }
}
