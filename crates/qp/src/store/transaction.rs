//! A running transaction, in the words of this crate. Neighbours: `cursor`.

use std::ops::Bound;

use pandodb_ds::format::TreeKind;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Tree;
use pandodb_ds::vfs::Vfs;
use pandodb_tm::{BeginOptions, CommitId, HeadId, Savepoint, TreeId};

use super::{Cursor, FIRST_OBJECT_TREE};
use crate::error::{Error, ErrorKind, Result};

/// A private state of a head.
#[derive(Debug)]
pub struct Transaction {
    /// None once it has ended.
    inner: Option<pandodb_tm::Transaction>,
    vfs: Arc<dyn Vfs>,
}

impl Transaction {
    pub(super) fn new(inner: pandodb_tm::Transaction, vfs: Arc<dyn Vfs>) -> Self {
        Self { inner: Some(inner), vfs }
    }

    /// The transaction below, for what has no SQL of its own.
    #[inline]
    pub fn inner(&self) -> Result<&pandodb_tm::Transaction> {
        self.inner.as_ref().ok_or_else(ended)
    }

    /// The transaction below, for what has no SQL of its own.
    #[inline]
    pub fn inner_mut(&mut self) -> Result<&mut pandodb_tm::Transaction> {
        self.inner.as_mut().ok_or_else(ended)
    }

    /// Begins a statement: sees what was committed since, where the level says so.
    pub fn refresh(&mut self) -> Result<()> {
        Ok(self.inner_mut()?.refresh()?)
    }

    /// Begins a statement that will write.
    pub fn prepare_write(&mut self) -> Result<()> {
        Ok(self.inner_mut()?.prepare_write()?)
    }

    /// Makes all changes visible and durable, and ends.
    pub fn commit(&mut self) -> Result<CommitId> {
        Ok(self.inner.take().ok_or_else(ended)?.commit()?)
    }

    /// Gives all changes up, and ends.
    pub fn rollback(&mut self) {
        if let Some(inner) = self.inner.take() {
            inner.rollback();
        }
    }

    /// Rests until the next statement, seeing and keeping nothing; false where it has to be
    /// ended.
    pub fn park(&mut self) -> bool {
        self.inner.as_mut().is_some_and(pandodb_tm::Transaction::park)
    }

    /// Goes on after [`park`](Self::park) on the same head, as if it began now; false where
    /// another one has to be begun.
    pub fn resume(&mut self, head: HeadId, options: &BeginOptions) -> bool {
        let inner = self.inner.as_mut();
        inner.is_some_and(|inner| inner.head() == head && inner.resume(options))
    }

    /// The version of a tree, for comparisons.
    pub fn version(&self, tree: TreeId) -> Option<Tree> {
        self.inner.as_ref()?.tree(tree)
    }

    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.inner.is_some()
    }

    /// Whether anything was changed.
    pub fn has_changes(&self) -> bool {
        self.inner.as_ref().is_some_and(pandodb_tm::Transaction::has_changes)
    }

    /// The value of `key`.
    pub fn get(&self, tree: TreeId, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.inner()?.get(tree, key)?)
    }

    /// Whether `key` is there.
    pub fn contains(&self, tree: TreeId, key: &[u8]) -> Result<bool> {
        Ok(self.inner()?.contains(tree, key)?)
    }

    /// Sets the value of `key`.
    pub fn put(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<()> {
        self.inner_mut()?.put(tree, key, value)?;
        Ok(())
    }

    /// Adds `key`; false, and nothing changed, if it is there.
    pub fn insert(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<bool> {
        Ok(self.inner_mut()?.insert(tree, key, value)?)
    }

    /// Removes `key`; whether it was there.
    pub fn delete(&mut self, tree: TreeId, key: &[u8]) -> Result<bool> {
        Ok(self.inner_mut()?.delete(tree, key)?)
    }

    /// Removes all keys of a tree; how many there were.
    pub fn clear(&mut self, tree: TreeId) -> Result<u64> {
        let is_fixed = self.inner()?.tree_kind(tree) == Some(TreeKind::Fixed);
        let first: &[u8] = if is_fixed { &[0; 8] } else { &[] };
        Ok(self.inner_mut()?.delete_range(tree, first, None)?)
    }

    /// A new, empty tree; `fixed` for one whose keys all have eight bytes.
    pub fn create_tree(&mut self, fixed: bool) -> Result<TreeId> {
        let kind = if fixed { TreeKind::Fixed } else { TreeKind::Slotted };
        // Random numbers, so that branches that make trees do not make the same one.
        let id = loop {
            let id = TreeId(self.random() >> 32);
            if id.0 >= FIRST_OBJECT_TREE && self.inner()?.tree_kind(id).is_none() {
                break id;
            }
        };
        self.inner_mut()?.create_tree(id, kind)?;
        Ok(id)
    }

    /// Drops a tree.
    pub fn drop_tree(&mut self, tree: TreeId) -> Result<()> {
        self.inner_mut()?.drop_tree(tree)?;
        Ok(())
    }

    /// Sixty-four random bits.
    pub fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.vfs.random(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A cursor over a tree as it is now, standing nowhere.
    pub fn cursor(&self, tree: TreeId) -> Result<Cursor> {
        Ok(Cursor::new(self.inner()?.cursor(tree)?))
    }

    /// How many keys a tree has.
    pub fn len(&self, tree: TreeId) -> Result<u64> {
        Ok(self.inner()?.len(tree)?)
    }

    /// Whether a tree has no key.
    pub fn is_empty(&self, tree: TreeId) -> Result<bool> {
        Ok(self.inner()?.is_empty(tree)?)
    }

    /// How many keys lie from `from` (included) up to `to` (not included).
    pub fn count_range(&self, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Result<u64> {
        let lower = if from.is_empty() { Bound::Unbounded } else { Bound::Included(from) };
        let upper = to.map_or(Bound::Unbounded, Bound::Excluded);
        Ok(self.inner()?.count_range(tree, lower, upper)?)
    }

    /// Keeps the state as it is now.
    pub fn savepoint(&mut self) -> Result<Savepoint> {
        Ok(self.inner_mut()?.savepoint()?)
    }

    /// Goes back to a savepoint, which stays.
    pub fn rollback_to(&mut self, savepoint: Savepoint) -> Result<()> {
        Ok(self.inner_mut()?.rollback_to(savepoint)?)
    }

    /// Forgets a savepoint and all later ones.
    pub fn release(&mut self, savepoint: Savepoint) -> Result<()> {
        Ok(self.inner_mut()?.release(savepoint)?)
    }
}

#[cold]
fn ended() -> Error {
    Error::new(ErrorKind::State, "the transaction has ended")
}
