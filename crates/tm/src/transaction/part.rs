//! What a transaction holds of one head: the version it stands on, and its own one.
//!
//! Neighbours: `mod` has one of these for each head it works on, `rebase` moves one to a newer
//! version, `commit` publishes it.

use pandodb_ds::forest::Forest;
use pandodb_ds::pager::{Ahead, Loan, Pager};
use pandodb_ds::space::Ledger;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::Ordering;
use pandodb_ds::tree::Writer;

use crate::error::Result;
use crate::heads::{HeadCell, HeadVersion};
use crate::ids::{HeadId, TreeId};
use crate::isolation::Isolation;
use crate::manager::count_own_bytes;
use crate::nearby::Nearby;

use super::pending::{Mark, Pending};

/// A transaction's place on one head.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) registration: Registration,
    /// The version that the transaction's own one was made from, or the one it reads.
    pub(crate) base: Arc<HeadVersion>,
    /// What stands in the place of a version while the transaction rests: kept, because all who
    /// rest share it, and counting its owners would be felt by all of them.
    nothing: Option<Arc<HeadVersion>>,
    /// In a place of its own: transactions that only read are handed on without room for one.
    pub(crate) private: Option<Box<Private>>,
    /// Whether the right to move the head is held.
    pub(crate) holds_writer: bool,
    /// Whether those who read uncommitted may have been shown the own version.
    is_shown: bool,
}

/// How much of the cache's room is asked for at once.
const LOAN_BYTES: usize = 16 << 20;

/// A version that nobody else sees yet.
#[derive(Debug)]
pub(crate) struct Private {
    pub(crate) forest: Forest,
    pub(crate) ledger: Ledger,
    /// Bytes of changed pages, with all that they share.
    pub(crate) dirty_bytes: usize,
    /// What of these are pages of others, whose bytes changed leaves share, as last counted.
    shared_bytes: usize,
    /// Bytes of pages in memory that were copied: what the version before keeps for itself.
    pub(crate) copied_bytes: usize,
    /// What the forest does not have yet.
    pub(crate) pending: Pending,
    /// Bytes of changed pages that were spilled.
    pub(crate) spilled_bytes: usize,
    /// Compresses pages that are left for good, in a transaction that writes them itself.
    ahead: Option<Ahead>,
    /// What changed pages have of the cache's room.
    pub(crate) loan: Option<Loan>,
    /// Whether anything differs from the version that it was made from.
    pub(crate) is_changed: bool,
    /// How to go back to where the running statement began.
    undo: Option<Undo>,
}

/// Where a statement began. Most changes of one that adds a few rows wait, so that going back is
/// forgetting them: the forest is kept only when it is about to change.
#[derive(Debug)]
struct Undo {
    /// What waited, of trees that are as they were.
    mark: Mark,
    /// The trees, with all done that waited for those that are not; none as long as they all are.
    forest: Option<Forest>,
}

impl Private {
    pub(crate) fn new(forest: Forest, pager: &Pager) -> Self {
        let (ledger, pending) = (pager.ledger(), Pending::default());
        Self {
            forest,
            ledger,
            dirty_bytes: 0,
            shared_bytes: 0,
            copied_bytes: 0,
            pending,
            spilled_bytes: 0,
            ahead: None,
            loan: None,
            is_changed: false,
            undo: None,
        }
    }

    /// From here on [`undo`](Self::undo) leads back to what is there now.
    pub(crate) fn begin_undo(&mut self) {
        self.undo = Some(Undo { mark: self.pending.mark(), forest: None });
    }

    /// Forgets the way back.
    pub(crate) fn end_undo(&mut self) {
        self.undo = None;
    }

    /// Whether there is a way back.
    pub(crate) fn is_undoing(&self) -> bool {
        self.undo.is_some()
    }

    /// Goes back to where [`begin_undo`](Self::begin_undo) was; false where there is no such way
    /// any more. A change that was `cut_short` may have left what waited half done.
    pub(crate) fn undo(&mut self, cut_short: bool) -> bool {
        match self.undo.take() {
            Some(Undo { mark, forest }) if !cut_short => {
                self.pending.rewind(&mark);
                self.forest = forest.unwrap_or_else(|| self.forest.clone());
            }
            _ => return false,
        }
        self.begin_undo();
        true
    }

    /// Keeps a tree, or all, for [`undo`](Self::undo) before it changes.
    fn keep_for_undo(&mut self, pager: &Pager, tree: Option<TreeId>) -> Result<()> {
        let Some(Undo { mark, forest: kept }) = &mut self.undo else { return Ok(()) };
        let mut writer = Writer::new(pager, &mut self.ledger, &mut self.dirty_bytes);
        writer.ahead = self.ahead.as_ref();
        let done = self.pending.settle_to(mark, &mut self.forest, &mut writer, tree)?;
        match kept {
            None => *kept = Some(self.forest.clone()),
            Some(kept) => {
                for tree in done {
                    kept.set_tree(tree, self.forest.existing(tree)?.clone());
                }
            }
        }
        Ok(())
    }

    /// Whether nothing differs from a forest, and nothing waits.
    pub(crate) fn is_as(&self, forest: &Forest) -> bool {
        self.pending.is_empty() && self.forest.is_same_version(forest)
    }

    /// Goes to another forest, without what was to be done to the one before.
    pub(crate) fn restore(&mut self, forest: Forest) {
        self.forest = forest;
        self.pending = Pending::default();
    }

    /// Does what waits for one tree, or for all.
    pub(crate) fn settle(&mut self, pager: &Pager, tree: Option<TreeId>) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.keep_for_undo(pager, tree)?;
        let mut writer = Writer::new(pager, &mut self.ledger, &mut self.dirty_bytes);
        writer.ahead = self.ahead.as_ref();
        let outcome = self.pending.settle(&mut self.forest, &mut writer, tree);
        self.copied_bytes += writer.copied_bytes;
        outcome
    }

    /// From here on pages are compressed as soon as they are left: the transaction writes them.
    pub(crate) fn compress_ahead(&mut self, pager: &Pager) {
        self.ahead.get_or_insert_with(|| Ahead::new(pager.codec()));
    }

    /// Whether the changed pages, made from `base`, are more than `max` bytes and what the cache
    /// lends.
    pub(crate) fn is_too_large(
        &mut self,
        base: &Forest,
        pager: &Arc<Pager>,
        max: usize,
        borrows: bool,
    ) -> bool {
        let lent = self.loan.as_ref().map_or(0, Loan::bytes);
        let mut room = max.saturating_add(lent);
        if self.unshared_bytes() > room {
            self.count_shared(base, room);
        }
        while self.unshared_bytes() > room {
            let loan = self.loan.get_or_insert_with(|| Loan::new(pager));
            if !borrows || !loan.grow(LOAN_BYTES) {
                return true;
            }
            room = room.saturating_add(LOAN_BYTES);
        }
        false
    }

    fn unshared_bytes(&self) -> usize {
        self.dirty_bytes.saturating_sub(self.shared_bytes)
    }

    /// Counts what changed leaves share with pages that others hold as well. Pages that are written
    /// early are written whole, while a checkpoint writes of a leaf with few changes only these.
    fn count_shared(&mut self, base: &Forest, room: usize) {
        let own = count_own_bytes(base, &self.forest, room);
        // Well below what there is room for, so that the next count is not soon.
        if own <= room / 4 * 3 {
            self.shared_bytes = self.dirty_bytes.saturating_sub(own);
        }
    }

    /// Writes the changed pages that nobody else holds.
    pub(crate) fn spill(&mut self, pager: &Pager) -> Result<()> {
        self.spilled_bytes += self.dirty_bytes;
        self.shared_bytes = 0;
        self.loan = None;
        self.change(pager, None, |forest, writer| Ok(forest.spill(writer)?))
    }

    /// Changes the forest: one tree, or any.
    pub(crate) fn change<R>(
        &mut self,
        pager: &Pager,
        tree: Option<TreeId>,
        change: impl FnOnce(&mut Forest, &mut Writer<'_>) -> Result<R>,
    ) -> Result<R> {
        self.keep_for_undo(pager, tree)?;
        let mut writer = Writer::new(pager, &mut self.ledger, &mut self.dirty_bytes);
        writer.ahead = self.ahead.as_ref();
        let outcome = change(&mut self.forest, &mut writer);
        self.copied_bytes += writer.copied_bytes;
        outcome
    }
}

impl Part {
    /// A place on the newest version that the level may see.
    pub(crate) fn new(registration: Registration) -> Self {
        let newest = registration.newest();
        Self::on(registration, newest)
    }

    /// A place on an older version.
    pub(crate) fn on(registration: Registration, version: Arc<HeadVersion>) -> Self {
        Self {
            base: version,
            nothing: None,
            registration,
            private: None,
            holds_writer: false,
            is_shown: false,
        }
    }

    #[inline]
    pub(crate) fn cell(&self) -> &Nearby<HeadCell> {
        &self.registration.cell
    }

    #[inline]
    pub(crate) fn head(&self) -> HeadId {
        self.registration.cell.id
    }

    /// The trees as the transaction sees them.
    #[inline]
    pub(crate) fn forest(&self) -> &Forest {
        self.private.as_ref().map_or(&self.base.forest, |private| &private.forest)
    }

    /// Whether changes of a tree wait to be done.
    #[inline]
    pub(crate) fn is_pending(&self, tree: TreeId) -> bool {
        self.private.as_ref().is_some_and(|private| private.pending.has(tree))
    }

    /// Whether somebody reads what is not committed.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        // Relaxed: a reader that comes a moment later sees the next change.
        self.cell().dirty_readers.load(Ordering::Relaxed) > 0
    }

    /// The own version, if it has anything of its own.
    pub(crate) fn changed(&self) -> Option<&Private> {
        self.private.as_deref().filter(|private| private.is_changed)
    }

    /// The own version, made if there is none yet.
    pub(crate) fn own(&mut self, pager: &Pager) -> &mut Private {
        let base = &self.base;
        self.private.get_or_insert_with(|| Box::new(Private::new(base.forest.clone(), pager)))
    }

    /// Takes the newest version to read, if there is no own one.
    pub(crate) fn refresh(&mut self) {
        if self.private.is_none() {
            self.base = self.registration.newest();
        }
    }

    /// Lets the version go that it stands on.
    #[inline]
    pub(crate) fn let_go(&mut self) {
        if !self.base.is_nothing() {
            self.base = self.nothing.take().unwrap_or_else(HeadVersion::nothing);
        }
    }

    /// Stands on a version after [`let_go`](Self::let_go).
    #[inline]
    pub(crate) fn stand_on(&mut self, version: Arc<HeadVersion>) {
        let before = std::mem::replace(&mut self.base, version);
        if before.is_nothing() {
            self.nothing = Some(before);
        }
    }

    /// Stands on the newest version after [`let_go`](Self::let_go).
    #[inline]
    pub(crate) fn take_newest(&mut self) {
        let newest = self.registration.newest();
        self.stand_on(newest);
    }

    /// Shows the own version to those who read uncommitted, if there are any.
    pub(crate) fn show_uncommitted(&mut self) {
        let Some(private) = &self.private else {
            // Gone back on: what was shown is no version of anybody's.
            self.hide_uncommitted();
            return;
        };
        if !self.holds_writer || !self.is_watched() {
            return;
        }
        let version = HeadVersion { forest: private.forest.clone(), ..(*self.base).clone() };
        *self.cell().uncommitted.lock() = Some(Arc::new(version));
        self.is_shown = true;
    }

    /// Takes back what [`Part::show_uncommitted`] showed.
    pub(crate) fn hide_uncommitted(&mut self) {
        if self.holds_writer && std::mem::take(&mut self.is_shown) {
            self.cell().uncommitted.lock().take();
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.hide_uncommitted();
    }
}

/// Others on the head act on the levels of those who are there; ends with the drop.
#[derive(Debug)]
pub(crate) struct Registration {
    cell: Nearby<HeadCell>,
    isolation: Isolation,
}

impl Registration {
    pub(crate) fn new(cell: Nearby<HeadCell>, isolation: Isolation) -> Self {
        match isolation {
            Isolation::ReadUncommitted => {
                cell.dirty_readers.fetch_add(1, Ordering::Relaxed);
            }
            Isolation::Serializable => {
                // The caller passes through the commit queue next: that orders it.
                cell.serializable.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
        Self { cell, isolation }
    }

    /// The newest version that the level may see.
    #[inline]
    pub(crate) fn newest(&self) -> Arc<HeadVersion> {
        if self.isolation == Isolation::ReadUncommitted
            && let Some(uncommitted) = self.cell.uncommitted.lock().clone()
        {
            return uncommitted;
        }
        self.cell.version.load()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        match self.isolation {
            Isolation::ReadUncommitted => {
                self.cell.dirty_readers.fetch_sub(1, Ordering::Relaxed);
            }
            Isolation::Serializable => {
                self.cell.serializable.fetch_sub(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}
