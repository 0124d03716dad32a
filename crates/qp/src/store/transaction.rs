//! A running transaction, in the words of this crate. Neighbours: `cursor`.

use std::ops::Bound;

use pandodb_ds::format::TreeKind;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Found, Tree};
use pandodb_ds::vfs::Vfs;
use pandodb_tm::{
    BeginOptions, CommitId, HeadId, Isolation, LightSavepoint, Savepoint, TransactionId, TreeId,
};

use super::database::without_head;
use super::{CATALOG_TREE, COOKIE_ROW, Cursor, FIRST_OBJECT_TREE};
use crate::error::{Error, ErrorKind, Result};

/// What a look at a key met: `look` comes back where the value is not in one piece.
enum Looked<R, F> {
    Absent,
    At(R),
    Elsewhere(F),
}

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

    /// Its number.
    pub fn id(&self) -> Option<TransactionId> {
        self.inner.as_ref().map(pandodb_tm::Transaction::id)
    }

    /// Begins a statement: sees what was committed since, where the level says so.
    pub fn refresh(&mut self) -> Result<()> {
        self.inner_mut()?.refresh()?;
        self.rely_on_schema(false)
    }

    /// Begins a statement that will write.
    pub fn prepare_write(&mut self) -> Result<()> {
        self.inner_mut()?.prepare_write()?;
        self.rely_on_schema(true)
    }

    /// At the levels that may do their changes again on a newer version: if the schema there is
    /// another one, they must not. The catalog's cookie becomes a part of what must be as it was;
    /// at SERIALIZABLE also for what only reads, because its rows may be of a newer version.
    pub(super) fn rely_on_schema(&self, writes: bool) -> Result<()> {
        let inner = self.inner()?;
        let isolation = inner.isolation();
        let relies = (writes && isolation.checks_rows())
            || (isolation == Isolation::Serializable && !inner.is_read_only());
        if relies && inner.tree_kind(CATALOG_TREE).is_some() {
            inner.begin_check();
            let looked = inner.contains(CATALOG_TREE, &rowid_key(COOKIE_ROW));
            inner.end_check();
            looked?;
        }
        Ok(())
    }

    /// What is read until [`end_check`](Self::end_check) shows whether a constraint holds, and
    /// must be as it was at the commit; false where the level has that anyway, or does not need it.
    pub fn begin_check(&self) -> Result<bool> {
        let inner = self.inner()?;
        let is_needed = inner.isolation().checks_rows();
        if is_needed {
            inner.begin_check();
        }
        Ok(is_needed)
    }

    /// Ends what [`begin_check`](Self::begin_check) has begun.
    pub fn end_check(&self) {
        if let Some(inner) = &self.inner {
            inner.end_check();
        }
    }

    /// What is read until [`end_guess`](Self::end_guess) is only to guess by: it may change.
    pub fn begin_guess(&self) {
        if let Some(inner) = &self.inner {
            inner.begin_guess();
        }
    }

    /// Ends what [`begin_guess`](Self::begin_guess) has begun.
    pub fn end_guess(&self) {
        if let Some(inner) = &self.inner {
            inner.end_guess();
        }
    }

    /// Makes all changes visible and durable, and ends.
    pub fn commit(&mut self) -> Result<CommitId> {
        self.inner.take().ok_or_else(ended)?.commit().map_err(without_head)
    }

    /// Gives all changes up, and ends.
    pub fn rollback(&mut self) {
        if let Some(inner) = self.inner.take() {
            inner.rollback();
        }
    }

    /// Rests until the next statement, seeing and keeping nothing; false where it has to be
    /// ended.
    #[inline]
    pub fn park(&mut self) -> bool {
        self.inner.as_mut().is_some_and(pandodb_tm::Transaction::park)
    }

    /// Goes on after [`park`](Self::park) on the same head, as if it began now; false where
    /// another one has to be begun.
    pub fn resume(&mut self, head: HeadId, options: &BeginOptions) -> bool {
        let inner = self.inner.as_mut();
        inner.is_some_and(|inner| inner.head() == head && inner.resume(options))
    }

    /// As [`resume`](Self::resume) for a statement that only reads and sees the schema of
    /// `catalog`; false where that has changed, too.
    #[inline]
    pub fn resume_reading(&mut self, head: HeadId, isolation: Isolation, catalog: &Tree) -> bool {
        let inner = self.inner.as_mut();
        inner.is_some_and(|inner| inner.resume_reading(head, isolation, CATALOG_TREE, catalog))
    }

    /// How many keys `counted` has in the newest version of `head`, of a transaction that rests
    /// and goes on resting; none where [`resume_reading`](Self::resume_reading) would be false.
    #[inline]
    pub fn len_at_rest(
        &mut self,
        head: HeadId,
        isolation: Isolation,
        catalog: &Tree,
        counted: TreeId,
    ) -> Option<u64> {
        let inner = self.inner.as_mut()?;
        inner.len_at_rest(head, isolation, (CATALOG_TREE, catalog), counted)
    }

    /// Whether another statement can begin on `head` without anything being done for it, and sees
    /// the schema of `catalog`: so it is behind the first change of a transaction.
    #[inline]
    pub fn is_ready(&mut self, head: HeadId, catalog: &Tree) -> bool {
        let inner = self.inner.as_mut();
        inner.is_some_and(|inner| inner.is_ready(head, CATALOG_TREE, catalog))
    }

    /// Says in the listing of snapshots that it goes on since now, where nothing was said.
    pub fn date(&self) {
        if let Some(inner) = &self.inner {
            inner.date();
        }
    }

    /// The version of a tree, for comparisons.
    pub fn version(&self, tree: TreeId) -> Option<Tree> {
        self.inner.as_ref()?.tree(tree)
    }

    /// Whether a tree is the version `known`.
    pub fn has_version(&self, tree: TreeId, known: &Tree) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.has_version(tree, known))
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

    /// Calls `look` with the value of `key`, if it is there.
    pub fn get_with<R>(
        &self,
        tree: TreeId,
        key: &[u8],
        look: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>> {
        let looked = self.inner()?.get_with(tree, key, |found| match found {
            None => Looked::Absent,
            Some(Found::Inline(bytes)) => Looked::At(look(bytes)),
            Some(_) => Looked::Elsewhere(look),
        })?;
        match looked {
            Looked::Absent => Ok(None),
            Looked::At(seen) => Ok(Some(seen)),
            Looked::Elsewhere(look) => Ok(self.get(tree, key)?.map(|bytes| look(&bytes))),
        }
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

    /// As [`put`](Self::put), done when somebody looks, together with other changes.
    pub fn put_later(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<()> {
        Ok(self.inner_mut()?.put_later(tree, key, value)?)
    }

    /// As [`insert`](Self::insert) where a constraint says that `key` must not be there; done
    /// when somebody looks.
    pub fn insert_later(&mut self, tree: TreeId, key: &[u8], value: &[u8]) -> Result<bool> {
        Ok(self.inner_mut()?.insert_later(tree, key, value)?)
    }

    /// Removes `key`, which is there; done when somebody looks.
    pub fn delete_later(&mut self, tree: TreeId, key: &[u8]) -> Result<()> {
        Ok(self.inner_mut()?.delete_later(tree, key)?)
    }

    /// The greatest key of a tree.
    pub fn greatest_key(&self, tree: TreeId) -> Result<Option<Vec<u8>>> {
        Ok(self.inner()?.greatest_key(tree)?)
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

    /// The files, and where the database's own is.
    pub(crate) fn place(&self) -> Result<(Arc<dyn Vfs>, std::path::PathBuf)> {
        let cursor = self.inner()?.cursor(super::CATALOG_TREE)?;
        Ok((Arc::clone(&self.vfs), cursor.pager().path().to_path_buf()))
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
    #[inline]
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

    /// As [`savepoint`](Self::savepoint) for one statement, which releases it.
    pub fn statement_savepoint(&mut self) -> Result<Savepoint> {
        Ok(self.inner_mut()?.statement_savepoint()?)
    }

    /// As [`savepoint`](Self::savepoint) for a statement that hardly ever fails half-way: cheap
    /// to make, dear to go back to.
    #[inline]
    pub fn light_savepoint(&self) -> Result<LightSavepoint> {
        Ok(self.inner()?.light_savepoint()?)
    }

    /// Goes back to a light savepoint, which stays.
    pub fn rollback_to_light(&mut self, savepoint: &LightSavepoint) -> Result<()> {
        Ok(self.inner_mut()?.rollback_to_light(savepoint)?)
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
