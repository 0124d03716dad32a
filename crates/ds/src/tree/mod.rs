//! The copy-on-write counted B+tree.
//!
//! A [`Tree`] is a root and nothing else: cloning it is O(1) and makes a snapshot, a savepoint
//! or a fork. Changing a tree copies the pages on the way to the change that anybody else can
//! see and edits the others in place. Every inner page knows the entries below each child, so
//! ranks, range counts and the n-th entry take one descent.
//!
//! `get` reads, `put` and `remove` change, `edit` does many changes in order, `range` removes
//! many, `cursor` walks, `count` ranks, `build` writes sorted entries straight to the file,
//! `spill` moves changes out of memory, `diff` compares, `relocate` empties the end of the file.
//! Neighbours: `pager` finds the pages, `forest` names trees.

mod build;
mod count;
mod cursor;
mod diff;
mod edit;
mod get;
mod put;
mod range;
mod relocate;
mod remove;
mod spill;
mod survey;

#[cfg(test)]
mod tests;

pub use build::TreeBuilder;
pub use cursor::Cursor;
pub use diff::{Change, Diff};
pub use edit::Edit;
pub use get::{Found, OwnedValue};
pub use put::PutMode;
pub use relocate::Relocation;
pub(crate) use survey::survey_of;
pub use survey::{Survey, survey};

use crate::error::{Error, ErrorKind, Result};
use crate::format::{TreeKind, TreeRoot};
use crate::limits::KEY_BYTES_MAX;
use crate::page::Child;
use crate::pager::{Ahead, Pager};
use crate::space::Ledger;

/// A persistent sorted map from keys to values.
#[derive(Clone, Debug)]
pub struct Tree {
    kind: TreeKind,
    /// None when the tree is empty.
    root: Option<Child>,
}

/// What a change of a tree needs.
#[derive(Debug)]
pub struct Writer<'a> {
    /// Where pages come from.
    pub pager: &'a Pager,
    /// Who answers for what is written to the file before a checkpoint.
    pub ledger: &'a mut Ledger,
    /// About how many bytes of changed pages are in memory; grows with every page that a
    /// change makes differ from the file, and tells when to [`Tree::spill`].
    pub dirty_bytes: &'a mut usize,
    /// Bytes of pages in memory that were copied because others see them, too: what those keep
    /// for themselves, if they go on seeing them.
    pub copied_bytes: usize,
    /// Who compresses leaves that are left for good, where changes come in the order of keys.
    pub ahead: Option<&'a Ahead>,
}

impl<'a> Writer<'a> {
    /// A writer whose changes come in any order.
    pub fn new(pager: &'a Pager, ledger: &'a mut Ledger, dirty_bytes: &'a mut usize) -> Self {
        Self { pager, ledger, dirty_bytes, copied_bytes: 0, ahead: None }
    }
}

impl Tree {
    /// An empty tree.
    pub fn new(kind: TreeKind) -> Self {
        Self { kind, root: None }
    }

    /// A tree in the file.
    pub fn open(root: TreeRoot) -> Self {
        Self { kind: root.kind, root: root.page.map(Child::clean) }
    }

    /// The layout of the keys.
    pub fn kind(&self) -> TreeKind {
        self.kind
    }

    /// How many entries.
    #[inline]
    pub fn len(&self) -> u64 {
        self.root.as_ref().map_or(0, |root| root.rows)
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The root as it is stored, if every page is in the file.
    pub fn stored_root(&self) -> Option<TreeRoot> {
        let page = match &self.root {
            None => None,
            Some(root) => Some(*root.stored_ref()?),
        };
        Some(TreeRoot { kind: self.kind, page })
    }

    /// The root, when the tree is not empty.
    pub fn root(&self) -> Option<&Child> {
        self.root.as_ref()
    }

    /// Whether both trees are the same version: then their contents are equal. Trees of equal
    /// contents may still have different pages.
    #[inline]
    pub fn is_same_version(&self, other: &Self) -> bool {
        self.kind == other.kind
            && match (&self.root, &other.root) {
                (None, None) => true,
                (Some(left), Some(right)) => left.link.is_same(&right.link),
                _ => false,
            }
    }

    fn check_key(&self, key: &[u8]) -> Result<()> {
        check_key(self.kind, key)
    }

    /// The greatest key.
    pub fn greatest_key(&self, pager: &Pager) -> Result<Option<Vec<u8>>> {
        match self.len() {
            0 => Ok(None),
            rows => self.nth_key(pager, rows - 1),
        }
    }
}

/// Whether a tree of that kind can hold the key; the error says why not.
pub fn check_key(kind: TreeKind, key: &[u8]) -> Result<()> {
    if kind == TreeKind::Fixed && key.len() != 8 {
        return Err(Error::new(
            ErrorKind::Limit,
            format!("a key of this tree has eight bytes, not {}", key.len()),
        ));
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(Error::new(
            ErrorKind::Limit,
            format!("a key of {} bytes is longer than {KEY_BYTES_MAX}", key.len()),
        ));
    }
    Ok(())
}
