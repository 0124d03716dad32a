//! Reading: values, counts, cursors, and the trees themselves for the crates above.
//!
//! Neighbours: `locking` locks what is read where the level asks for it.

use std::ops::Bound;

use pandodb_ds::forest::Forest;
use pandodb_ds::format::TreeKind;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::{Found, Tree};

use super::locking::Scope;
use super::{Cursor, Dependency, Keys, Transaction};
use crate::error::Result;
use crate::ids::TreeId;
use crate::isolation::Isolation;
use crate::lock::Mode;

impl Transaction {
    /// The value of a key.
    pub fn get(&self, tree: TreeId, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.read(tree, Scope::Key(key), |pager, tree| tree.get(pager, key))
    }

    /// Calls `look` with what a key maps to, without copying it.
    pub fn get_with<R>(
        &self,
        tree: TreeId,
        key: &[u8],
        look: impl FnOnce(Option<Found<'_>>) -> R,
    ) -> Result<R> {
        self.read(tree, Scope::Key(key), |pager, tree| tree.get_with(pager, key, look))
    }

    /// Whether a key is there.
    pub fn contains(&self, tree: TreeId, key: &[u8]) -> Result<bool> {
        self.read(tree, Scope::Key(key), |pager, tree| tree.contains(pager, key))
    }

    /// A cursor on the tree as it is now; changes made later do not reach it.
    pub fn cursor(&self, tree: TreeId) -> Result<Cursor> {
        self.check_usable()?;
        self.lock_for_read(tree, Scope::Tree)?;
        let state = self.state.read();
        let forest = state.parts[state.current].forest();
        let inner = forest.cursor(self.shared.store.pager(), tree)?;
        Ok(Cursor::new(inner, Arc::clone(&state.pin)))
    }

    /// How many keys a tree has, without counting them.
    pub fn len(&self, tree: TreeId) -> Result<u64> {
        self.read(tree, Scope::Tree, |_, tree| Ok(tree.len()))
    }

    /// Whether a tree has no key.
    pub fn is_empty(&self, tree: TreeId) -> Result<bool> {
        Ok(self.len(tree)? == 0)
    }

    /// How many keys lie between the bounds, in the time of two look-ups.
    pub fn count_range(
        &self,
        tree: TreeId,
        lower: Bound<&[u8]>,
        upper: Bound<&[u8]>,
    ) -> Result<u64> {
        self.read(tree, Scope::Tree, |pager, tree| tree.count_range(pager, lower, upper))
    }

    /// How many keys are less than `key`.
    pub fn rank(&self, tree: TreeId, key: &[u8]) -> Result<u64> {
        self.read(tree, Scope::Tree, |pager, tree| tree.rank(pager, key))
    }

    /// The key with `rank` keys before it.
    pub fn nth(&self, tree: TreeId, rank: u64) -> Result<Option<Vec<u8>>> {
        self.read(tree, Scope::Tree, |pager, tree| tree.nth_key(pager, rank))
    }

    /// The layout of a tree; none if there is no such tree.
    pub fn tree_kind(&self, tree: TreeId) -> Option<TreeKind> {
        let state = self.state.read();
        state.parts[state.current].forest().tree(tree).map(Tree::kind)
    }

    /// The numbers of the trees.
    pub fn trees(&self) -> Vec<TreeId> {
        let state = self.state.read();
        state.parts[state.current].forest().ids()
    }

    /// All trees of the current head as the transaction sees them, in O(1). The result must not
    /// outlive the transaction, whose pin keeps its pages.
    pub fn forest(&self) -> Forest {
        let state = self.state.read();
        state.parts[state.current].forest().clone()
    }

    /// The trees of the version that the transaction stands on, without its own changes.
    pub fn base_forest(&self) -> Forest {
        let state = self.state.read();
        state.parts[state.current].base.forest.clone()
    }

    /// At a level that checks rows: the commit fails if somebody else has changed this key
    /// (a row that a constraint was checked against).
    pub fn depend_on(&mut self, tree: TreeId, key: &[u8]) {
        let head = self.head();
        self.add_dependency(Dependency { head, tree, keys: Keys::One(key.to_vec()) });
    }

    /// As [`depend_on`](Self::depend_on), for all keys from `from` up to but without `to`, those
    /// that are not there included.
    pub fn depend_on_range(&mut self, tree: TreeId, from: &[u8], to: Option<&[u8]>) {
        let head = self.head();
        self.add_dependency(Dependency {
            head,
            tree,
            keys: Keys::Range(from.to_vec(), to.map(<[u8]>::to_vec)),
        });
    }

    fn add_dependency(&mut self, dependency: Dependency) {
        if self.options.isolation.checks_rows() {
            self.dependencies.push(dependency);
        }
    }

    #[inline]
    fn read<R>(
        &self,
        tree: TreeId,
        scope: Scope<'_>,
        read: impl FnOnce(&Pager, &Tree) -> pandodb_ds::Result<R>,
    ) -> Result<R> {
        self.check_usable()?;
        let pager = self.shared.store.pager();
        if self.options.isolation == Isolation::Serializable {
            self.lock_for_read(tree, scope)?;
            // The tree is held by itself: what `read` calls may lock and move the state on.
            let state = self.state.read();
            let tree = state.parts[state.current].forest().existing(tree)?.clone();
            drop(state);
            return Ok(read(pager, &tree)?);
        }
        let state = self.state.read();
        Ok(read(pager, state.parts[state.current].forest().existing(tree)?)?)
    }

    #[inline]
    fn lock_for_read(&self, tree: TreeId, scope: Scope<'_>) -> Result<()> {
        if self.options.isolation == Isolation::Serializable {
            self.lock_rows(tree, scope, Mode::Shared)?;
        }
        Ok(())
    }
}
