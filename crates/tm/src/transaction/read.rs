//! Reading: values, counts, cursors, and the trees themselves for the crates above.
//!
//! Neighbours: `locking` locks what is read where the level asks for it.

use std::ops::Bound;

use pandodb_ds::forest::Forest;
use pandodb_ds::format::TreeKind;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::atomic::Ordering;
use pandodb_ds::tree::{Found, Tree};

use super::locking::Scope;
use super::pending::Sight;
use super::{Cursor, Dependency, Keys, Transaction};
use crate::error::Result;
use crate::ids::TreeId;
use crate::isolation::Isolation;
use crate::lock::Mode;

impl Transaction {
    /// The value of a key.
    pub fn get(&self, tree: TreeId, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.read_key(tree, key, |pager, tree| tree.get(pager, key))
    }

    /// Calls `look` with what a key maps to, without copying it.
    pub fn get_with<R>(
        &self,
        tree: TreeId,
        key: &[u8],
        look: impl FnOnce(Option<Found<'_>>) -> R,
    ) -> Result<R> {
        self.read_key(tree, key, |pager, tree| tree.get_with(pager, key, look))
    }

    /// Whether a key is there.
    pub fn contains(&self, tree: TreeId, key: &[u8]) -> Result<bool> {
        if !self.locks_reads() && self.is_surely_absent(tree, key)? {
            self.check_usable()?;
            self.note_key(tree, key);
            return Ok(false);
        }
        self.read_key(tree, key, |pager, tree| tree.contains(pager, key))
    }

    /// The greatest key of a tree.
    pub fn greatest_key(&self, tree: TreeId) -> Result<Option<Vec<u8>>> {
        if !self.notes_reads() {
            let state = self.state.read();
            if let Some(private) = &state.parts[state.current].private {
                let pager = self.shared.store.pager();
                if let Some(key) = private.pending.greatest_key(&private.forest, pager, tree)? {
                    self.check_usable()?;
                    return Ok(Some(key.to_vec()));
                }
            }
        }
        let mut cursor = self.cursor(tree)?;
        Ok(if cursor.last()? { Some(cursor.key()) } else { None })
    }

    /// A cursor on the tree as it is now; changes made later do not reach it.
    pub fn cursor(&self, tree: TreeId) -> Result<Cursor> {
        self.check_usable()?;
        let pager = self.shared.store.pager();
        if !self.notes_reads() {
            if let Some(version) = self.state.calm() {
                let inner = version.forest.cursor(pager, tree)?;
                return Ok(Cursor::new(inner, self.pin.share(), None));
            }
            self.settle_to_read(tree)?;
            let state = self.state.read();
            let inner = state.parts[state.current].forest().cursor(pager, tree)?;
            return Ok(Cursor::new(inner, self.pin.share(), None));
        }
        self.settle_to_read(tree)?;
        let state = &mut *self.state.write();
        let part = &state.parts[state.current];
        let inner = part.forest().cursor(pager, tree)?;
        let reads = state.reads.open(&part.base, tree);
        Ok(Cursor::new(inner, self.pin.share(), Some(reads)))
    }

    /// What is read from here on shows whether a constraint holds: at a level that checks rows the
    /// commit fails if somebody else has changed it, or what was seen not to be there.
    pub fn begin_check(&self) {
        self.checks.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends what [`begin_check`](Self::begin_check) has begun.
    pub fn end_check(&self) {
        self.checks.fetch_sub(1, Ordering::Relaxed);
    }

    /// What is read from here on is only to guess by (how large is that table?): nothing that the
    /// transaction does is wrong if it changes, so it is neither locked nor noted.
    pub fn begin_guess(&self) {
        self.guesses.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends what [`begin_guess`](Self::begin_guess) has begun.
    pub fn end_guess(&self) {
        self.guesses.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many keys a tree has, without counting them.
    #[inline]
    pub fn len(&self, tree: TreeId) -> Result<u64> {
        if let Some(version) = self.state.calm()
            && !self.notes_reads()
        {
            return Ok(version.forest.existing(tree)?.len());
        }
        self.note_range(tree, &[], None);
        self.look(tree, |_, tree| Ok(tree.len()))
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
        if self.notes_reads() {
            // A bound that is not exactly what can be noted is noted a little wider.
            let (Bound::Included(from) | Bound::Excluded(from)) = lower else {
                self.note_range(tree, &[], behind(upper).as_deref());
                return self.look(tree, |pager, tree| tree.count_range(pager, lower, upper));
            };
            self.note_range(tree, from, behind(upper).as_deref());
        }
        self.look(tree, |pager, tree| tree.count_range(pager, lower, upper))
    }

    /// How many keys are less than `key`.
    pub fn rank(&self, tree: TreeId, key: &[u8]) -> Result<u64> {
        self.note_range(tree, &[], Some(key));
        self.look(tree, |pager, tree| tree.rank(pager, key))
    }

    /// The key with `rank` keys before it.
    pub fn nth(&self, tree: TreeId, rank: u64) -> Result<Option<Vec<u8>>> {
        let key = self.look(tree, |pager, tree| tree.nth_key(pager, rank))?;
        let end = key.as_deref().map(Bound::Included).and_then(behind);
        self.note_range(tree, &[], end.as_deref());
        Ok(key)
    }

    /// The layout of a tree; none if there is no such tree.
    pub fn tree_kind(&self, tree: TreeId) -> Option<TreeKind> {
        let state = self.state.read();
        state.parts[state.current].forest().tree(tree).map(Tree::kind)
    }

    /// A tree as it is now, for comparisons with other versions of it.
    pub fn tree(&self, tree: TreeId) -> Option<Tree> {
        // After an error nothing of the transaction can be committed.
        let _ = self.settle_to_read(tree);
        let state = self.state.read();
        state.parts[state.current].forest().tree(tree).cloned()
    }

    /// Whether a tree is the version `known` now.
    pub fn has_version(&self, tree: TreeId, known: &Tree) -> bool {
        // After an error nothing of the transaction can be committed.
        let _ = self.settle_to_read(tree);
        let state = self.state.read();
        let found = state.parts[state.current].forest().tree(tree);
        found.is_some_and(|found| found.is_same_version(known))
    }

    /// The numbers of the trees.
    pub fn trees(&self) -> Vec<TreeId> {
        let state = self.state.read();
        state.parts[state.current].forest().ids()
    }

    /// All trees of the current head as the transaction sees them, in O(1). The result must not
    /// outlive the transaction, whose pin keeps its pages.
    pub fn forest(&self) -> Forest {
        let state = &mut *self.state.write();
        if let Some(private) = &mut state.parts[state.current].private
            && private.settle(self.shared.store.pager(), None).is_err()
        {
            // Nothing of it can be committed.
            self.set_broken(true);
        }
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

    /// Whether what is read must be there as it was at the commit.
    #[inline]
    fn notes_reads(&self) -> bool {
        // Who only reads is taken for one that came when it began.
        let isolation = self.options.isolation;
        self.locks_reads()
            // Relaxed: whoever began a check reads for it, or has told those who do.
            || (isolation.checks_rows() && self.checks.load(Ordering::Relaxed) > 0)
    }

    #[inline]
    fn locks_reads(&self) -> bool {
        self.options.isolation == Isolation::Serializable
            && !self.options.read_only
            && self.guesses.load(Ordering::Relaxed) == 0
    }

    #[inline]
    fn note_range(&self, tree: TreeId, from: &[u8], to: Option<&[u8]>) {
        if self.notes_reads() {
            let state = &mut *self.state.write();
            state.reads.note(&state.parts[state.current].base, tree, from, to);
        }
    }

    /// Reads one key, which is locked where the level asks for it.
    #[inline]
    fn read_key<R>(
        &self,
        tree: TreeId,
        key: &[u8],
        read: impl FnOnce(&Pager, &Tree) -> pandodb_ds::Result<R>,
    ) -> Result<R> {
        if self.locks_reads() {
            self.check_usable()?;
            self.lock_rows(tree, Scope::Key(key), Mode::Shared)?;
            self.settle_to_read(tree)?;
            // The tree is held by itself: what `read` calls may lock and move the state on.
            let state = self.state.read();
            let tree = state.parts[state.current].forest().existing(tree)?.clone();
            drop(state);
            return Ok(read(self.shared.store.pager(), &tree)?);
        }
        self.note_key(tree, key);
        self.check_usable()?;
        let pager = self.shared.store.pager();
        if let Some(version) = self.state.calm() {
            return Ok(read(pager, version.forest.existing(tree)?)?);
        }
        let mut state = self.state.read();
        if let Some(private) = &state.parts[state.current].private
            && private.pending.has(tree)
            && matches!(private.pending.look(&private.forest, pager, tree, key)?, Sight::Unclear)
        {
            drop(state);
            self.settle_shared(tree)?;
            state = self.state.read();
        }
        Ok(read(pager, state.parts[state.current].forest().existing(tree)?)?)
    }

    /// Whether what waits for the tree shows that a key is not there: one behind all others.
    #[inline]
    fn is_surely_absent(&self, tree: TreeId, key: &[u8]) -> Result<bool> {
        let state = self.state.read();
        let Some(private) = &state.parts[state.current].private else { return Ok(false) };
        if !private.pending.has(tree) {
            return Ok(false);
        }
        let pager = self.shared.store.pager();
        let sight = private.pending.look(&private.forest, pager, tree, key)?;
        Ok(matches!(sight, Sight::Absent))
    }

    #[inline]
    fn note_key(&self, tree: TreeId, key: &[u8]) {
        if self.notes_reads() {
            self.note_range(tree, key, behind(Bound::Included(key)).as_deref());
        }
    }

    /// Does what waits for a tree before somebody looks at it.
    #[inline]
    fn settle_to_read(&self, tree: TreeId) -> Result<()> {
        let state = self.state.read();
        let is_pending = state.parts[state.current].is_pending(tree);
        drop(state);
        if is_pending { self.settle_shared(tree) } else { Ok(()) }
    }

    #[cold]
    fn settle_shared(&self, tree: TreeId) -> Result<()> {
        let state = &mut *self.state.write();
        let Some(private) = &mut state.parts[state.current].private else { return Ok(()) };
        let outcome = private.settle(self.shared.store.pager(), Some(tree));
        if outcome.is_err() {
            self.set_broken(true);
        }
        outcome
    }

    #[inline]
    fn look<R>(
        &self,
        tree: TreeId,
        read: impl FnOnce(&Pager, &Tree) -> pandodb_ds::Result<R>,
    ) -> Result<R> {
        self.check_usable()?;
        if let Some(version) = self.state.calm() {
            return Ok(read(self.shared.store.pager(), version.forest.existing(tree)?)?);
        }
        let mut state = self.state.read();
        if state.parts[state.current].is_pending(tree) {
            drop(state);
            self.settle_shared(tree)?;
            state = self.state.read();
        }
        Ok(read(self.shared.store.pager(), state.parts[state.current].forest().existing(tree)?)?)
    }
}

/// The first place that an upper bound leaves out; none: there is no bound.
fn behind(bound: Bound<&[u8]>) -> Option<Vec<u8>> {
    match bound {
        Bound::Unbounded => None,
        Bound::Excluded(key) => Some(key.to_vec()),
        Bound::Included(key) => Some([key, &[0]].concat()),
    }
}
