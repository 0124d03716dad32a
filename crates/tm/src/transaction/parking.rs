//! Reading transactions that rest between two statements.
//!
//! Beginning costs a place in the table of snapshots, the head's cell and memory for what is held
//! of it: more than a point read does. A session that reads statement by statement keeps one
//! transaction instead. While it rests it sees nothing and keeps nothing: no version of the data
//! and no space, and no listing shows it. Neighbours: `mod` begins, `part` holds a version.

use pandodb_ds::sync::atomic::Ordering;
use pandodb_ds::tree::Tree;

use super::Transaction;
use super::reads::ReadSet;
use crate::ids::{HeadId, TreeId};
use crate::isolation::{BeginOptions, Isolation};

impl Transaction {
    /// Lets go of all that it sees; false if it has anything that must be ended for good.
    #[inline]
    pub fn park(&mut self) -> bool {
        // Cursors that are still open share the pin.
        let is_alone = self.pin.is_alone();
        if self.state.calm().is_some() {
            // It has only read since it rested the last time.
            if !is_alone {
                return false;
            }
            if let Some(part) = self.state.let_go().parts.first_mut() {
                part.let_go();
            }
            self.pin.park();
            return true;
        }
        let has_left_something = self.has_changes()
            || self.is_broken()
            || self.moment.is_some()
            || self.commit_time != 0
            || !self.savepoints.is_empty()
            || !self.dependencies.is_empty();
        if has_left_something || !may_rest(self.options.isolation) {
            return false;
        }
        let state = self.state.get_mut();
        let [part] = state.parts.as_mut_slice() else { return false };
        let is_held = part.private.is_some() || part.holds_writer || state.owner.is_some();
        if is_held || !is_alone {
            return false;
        }
        part.let_go();
        // Of a statement that failed before it changed anything: nothing relies on it any more.
        state.reads = ReadSet::default();
        self.pin.park();
        true
    }

    /// Begins anew on the same head after [`park`](Self::park); false if that cannot be, so that
    /// another transaction is to be begun.
    pub fn resume(&mut self, options: &BeginOptions) -> bool {
        if options.isolation != self.options.isolation || options.repeats.is_some() {
            return false;
        }
        self.id = self.shared.next_transaction_id();
        let (shared, state) = (&self.shared, self.state.get_mut());
        let [part] = state.parts.as_mut_slice() else { return false };
        let pin = &self.pin;
        if !pin.is_alone() || !part.cell().wake(pin, || shared.store.epoch()) {
            return false;
        }
        part.take_newest();
        pin.describe(self.id, part.head(), part.base.commit, None);
        self.timeout = options.busy_timeout.unwrap_or_else(|| self.shared.busy_timeout());
        self.options.clone_from(options);
        true
    }

    /// As [`resume`](Self::resume) for a statement that only reads `head`, with the options of
    /// before; `tree` has to be the version `known` there, or another one is to be begun. It is
    /// nearly all that a quick read costs beside the read itself: one full fence, and a loan of
    /// the head's cell in the place of a counted reference. No lock is taken while it is read.
    #[inline]
    pub fn resume_reading(
        &mut self,
        head: HeadId,
        isolation: Isolation,
        tree: TreeId,
        known: &Tree,
    ) -> bool {
        if isolation != self.options.isolation || self.options.repeats.is_some() {
            return false;
        }
        let (shared, pin) = (&self.shared, &self.pin);
        let [part] = self.state.let_go().parts.as_slice() else { return false };
        let cell = part.cell();
        if cell.id != head || !pin.is_alone() || !cell.wake(pin, || shared.store.epoch()) {
            return false;
        }
        let version = cell.version.lend();
        let found = version.forest.tree(tree);
        if !found.is_some_and(|found| found.is_same_version(known)) {
            drop(version);
            pin.park();
            return false;
        }
        pin.describe(self.id, head, version.commit, None);
        self.state.read_calmly(version);
        true
    }

    /// How many keys the tree `counted` has in the newest version of `head`, asked of a
    /// transaction that rests, and rests on; none where [`resume_reading`](Self::resume_reading)
    /// would be false, and where it does not rest. The number stands in the version itself, which
    /// its cell lends: no page is read, so that nothing has to be pinned.
    #[inline]
    pub fn len_at_rest(
        &mut self,
        head: HeadId,
        isolation: Isolation,
        (tree, known): (TreeId, &Tree),
        counted: TreeId,
    ) -> Option<u64> {
        if isolation != self.options.isolation || self.options.repeats.is_some() {
            return None;
        }
        if self.state.calm().is_some() {
            return None;
        }
        let [part] = self.state.let_go().parts.as_slice() else { return None };
        let cell = part.cell();
        // Acquire: as where a pin wakes on the head.
        let is_there = cell.id == head && !cell.is_dropped.load(Ordering::Acquire);
        if !is_there || !part.base.is_nothing() || part.private.is_some() {
            return None;
        }
        let version = cell.version.lend();
        if !version.forest.tree(tree)?.is_same_version(known) {
            return None;
        }
        Some(version.forest.tree(counted)?.len())
    }

    /// Says in the listing of snapshots since when this one is used, where that was left open.
    pub fn date(&self) {
        self.pin.date(self.shared.clock.monotonic());
    }

    /// Whether another statement, one that writes, too, can begin on `head` without anything being
    /// done for it: the right to write is held, the own version is there, and the level asks for
    /// no more. `tree` has to be the version `known` still.
    #[inline]
    pub fn is_ready(&mut self, head: HeadId, tree: TreeId, known: &Tree) -> bool {
        // The levels that check what was read begin each statement with a look at it.
        let is_simple = self.options.isolation.refreshes() && !self.is_read_only();
        if !is_simple || self.is_broken() {
            return false;
        }
        let [part] = self.state.get_mut().parts.as_slice() else { return false };
        let Some(private) = &part.private else { return false };
        part.holds_writer
            && part.head() == head
            && !private.pending.has(tree)
            && private.forest.tree(tree).is_some_and(|tree| tree.is_same_version(known))
    }
}

/// The levels that leave no trace at the head while they only read.
const fn may_rest(isolation: Isolation) -> bool {
    matches!(isolation, Isolation::ReadCommitted | Isolation::Snapshot | Isolation::Concurrent)
}
