//! Looking one key up.
//!
//! The way down is a recursion, not a loop: every level's page stays guarded by its frame of
//! the call, so that no reference is counted and nothing is copied until the value is found.
//! Neighbours: `cursor` for many keys.

use std::borrow::Cow;

use super::Tree;
use crate::error::{Error, Result};
use crate::format::bytes::Reader;
use crate::format::{PageRef, TreeKind, TreeRoot};
use crate::page::{Body, Cell, CellKind, Leaf, Link, fixed_key};
use crate::pager::Pager;

/// What a key maps to, borrowed from its page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// A value that is in its leaf.
    Inline(&'a [u8]),
    /// A value in extents of its own; its length is the reference's `rows`.
    Large(PageRef),
    /// The root of another tree, and what the owner noted behind it.
    Subtree(TreeRoot, &'a [u8]),
}

impl<'a> Found<'a> {
    /// Reads a cell.
    pub fn of(cell: Cell<'a>) -> Result<Self> {
        let mut reader = Reader::new(cell.payload);
        Ok(match cell.kind {
            CellKind::Inline => Self::Inline(cell.payload),
            CellKind::Overflow => Self::Large(PageRef::decode(&mut reader)?),
            CellKind::Subtree => {
                let root = TreeRoot::decode(&mut reader)?;
                Self::Subtree(root, &cell.payload[reader.position()..])
            }
        })
    }

    /// The value's length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) | Self::Subtree(_, bytes) => bytes.len() as u64,
            Self::Large(page) => page.rows,
        }
    }

    /// Whether the value has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole value, where it is if it is in its leaf; large ones are read.
    pub fn bytes(&self, pager: &Pager) -> Result<Cow<'a, [u8]>> {
        match self {
            Self::Inline(bytes) => Ok(Cow::Borrowed(bytes)),
            _ => self.to_owned(pager).map(Cow::Owned),
        }
    }

    /// The whole value: large ones are read.
    pub fn to_owned(&self, pager: &Pager) -> Result<OwnedValue> {
        match self {
            Self::Inline(bytes) => Ok(bytes.to_vec()),
            Self::Large(page) => pager.read_overflow(page),
            Self::Subtree(..) => Err(Error::corrupt("a tree stands where a value should")),
        }
    }
}

/// A value's bytes.
pub type OwnedValue = Vec<u8>;

impl Tree {
    /// The value of `key`.
    pub fn get(&self, pager: &Pager, key: &[u8]) -> Result<Option<OwnedValue>> {
        let owned = |found: Option<Found<'_>>| found.map(|found| found.to_owned(pager)).transpose();
        self.get_with(pager, key, owned)?
    }

    /// Whether `key` is there.
    pub fn contains(&self, pager: &Pager, key: &[u8]) -> Result<bool> {
        self.get_with(pager, key, |found| found.is_some())
    }

    /// Calls `look` with what `key` maps to, while its page is guarded: nothing is copied.
    pub fn get_with<R>(
        &self,
        pager: &Pager,
        key: &[u8],
        look: impl FnOnce(Option<Found<'_>>) -> R,
    ) -> Result<R> {
        self.check_key(key)?;
        match &self.root {
            None => Ok(look(None)),
            Some(root) if self.kind == TreeKind::Fixed => {
                let key = fixed_key(key)?;
                in_leaf_of_fixed(pager, &root.link, key, 0, |leaf, index| {
                    let found = index.map(|index| Found::of(leaf.cell(index))).transpose()?;
                    Ok(look(found))
                })
            }
            Some(root) => in_leaf(pager, &root.link, key, |leaf| {
                let found = match leaf.search(key)? {
                    Ok(index) => Some(Found::of(leaf.cell(index))?),
                    Err(_) => None,
                };
                Ok(look(found))
            }),
        }
    }
}

/// Calls `look` with the leaf that a fixed key belongs to, and where it is there. No key below
/// `link` is less than `least`.
///
/// A table is larger than the processor's caches: what a search reads in a leaf it waits for. So
/// nothing is read there to learn where to read next, as long as keys are dense, and entry and
/// row are waited for at once.
fn in_leaf_of_fixed<R>(
    pager: &Pager,
    link: &Link,
    key: u64,
    least: u64,
    look: impl FnOnce(&Leaf, Option<usize>) -> Result<R>,
) -> Result<R> {
    let node = pager.follow(link)?;
    match node.body() {
        Body::Leaf(leaf) if leaf.kind() == TreeKind::Fixed => {
            let index = leaf.search_dense(key, least);
            look(leaf, index.ok())
        }
        Body::Leaf(_) => Err(Error::corrupt("a page of another layout in a tree of fixed keys")),
        Body::Inner(inner) => {
            let separators = inner.separators();
            let index = separators.child_of_fixed(key);
            let least = if index == 0 { least } else { separators.fixed_before(index) };
            in_leaf_of_fixed(pager, &inner.child(index).link, key, least, look)
        }
    }
}

/// Calls `look` with the leaf that `key` belongs to.
fn in_leaf<R>(
    pager: &Pager,
    link: &Link,
    key: &[u8],
    look: impl FnOnce(&Leaf) -> Result<R>,
) -> Result<R> {
    let node = pager.follow(link)?;
    match node.body() {
        Body::Leaf(leaf) => look(leaf),
        Body::Inner(inner) => {
            let index = inner.separators().child_of(key)?;
            in_leaf(pager, &inner.child(index).link, key, look)
        }
    }
}
