//! The commit: from private versions to the newest ones.
//!
//! 1. The right to move each head that was changed, where it is not held yet.
//! 2. A head that moved since: a look for conflicts (of what was written, and of what was read and
//!    must still hold), then the operations again on the newest
//!    version. Nobody can move it once more, for the right is held.
//! 3. While a serializable transaction is on a head, locks on the rows that were changed.
//! 4. In the commit's turn: its place in the log, then the new versions are published. A
//!    transaction that is too large for the log makes a checkpoint in its turn instead, which
//!    holds its pages; the record in the log then only tells of the commit.
//! 5. Locks are given back; then the wait for the disk, at the levels that want it.
//!
//! Neighbours: `rebase` does step 2, `locking` step 3, the commit queue steps 4 and 5;
//! `publication` shows the new versions, or the old ones again.

use pandodb_ds::forest::Forest;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::Ordering;
use pandodb_ds::tree::Tree;
use smallvec::SmallVec;

use super::publication::{Change, Changes, Publication};
use super::{HeadChange, Transaction, rebase};
use crate::commit::{Settled, Turn};
use crate::error::{Error, ErrorKind, Result};
use crate::heads::{self, HeadCell, HeadVersion, Heads};
use crate::history::{RecentCommit, RecentPart};
use crate::ids::{CommitId, HeadId, Lsn, TreeId};
use crate::isolation::Isolation;
use crate::manager::AnyLog;
use crate::nearby::Nearby;
use crate::wal::{CommitInfo, Operation};

type CommitTurn<'a> = Turn<'a, AnyLog, Publication>;

/// A commit in its turn, before it is published.
pub(crate) struct Entered<'a> {
    pub(crate) turn: CommitTurn<'a>,
    pub(crate) publication: Publication,
    pub(crate) commit: CommitId,
}

impl Transaction {
    /// Makes the changes durable and visible; returns the number of the commit (or, if nothing
    /// was changed, of the one that was read).
    ///
    /// After an error nothing of the transaction is there, except that after a failed sync of
    /// the log ([`Poisoned`](ErrorKind::Poisoned) from then on) a reopen may find it.
    pub fn commit(mut self) -> Result<CommitId> {
        self.check_usable()?;
        if !self.has_changes() {
            self.check_reads_of_one_moment()?;
            return Ok(self.base_commit());
        }
        let shared = self.shared.clone();
        shared.check_writable()?;
        self.savepoints.clear();
        self.settle_all()?;
        self.prepare_commit()?;
        let until = self.options.synchronous.unwrap_or_else(|| shared.synchronous());
        shared.settle_file(until)?;
        let (commit, end) = if self.is_large && !self.is_unlogged()? {
            self.commit_large(Settled::from(until))?
        } else {
            self.commit_logged(Settled::from(until))?
        };
        let dirty_bytes = self.hand_over();
        // The locks are given back here, before the wait.
        let state = self.state.get_mut();
        state.parts.clear();
        state.owner = None;
        if let Some(end) = end {
            let outcome = shared.queue.wait(end, Settled::from(until));
            // A large one is durable without its record.
            if !self.is_large {
                outcome?;
            }
        }
        if let Some(end) = end {
            shared.shared().after_commit(dirty_bytes, end);
        }
        Ok(commit)
    }

    /// Asks for whatever can refuse the commit, for a caller that commits in several databases
    /// one after the other: takes the right to move the heads, so that nobody's commit can be in
    /// its way any more, and looks for conflicts; writes its pages, if it goes by pages; finds
    /// room in the log, unless others take that first. What is left is what only the commit can
    /// meet: a disk that fails, and rows that a serializable transaction locks meanwhile.
    ///
    /// After an error the transaction is to be rolled back; otherwise its commit or rollback is to
    /// follow soon, for others wait.
    ///
    /// Whoever prepares several does so in one order for all, so that they do not wait for each
    /// other in a circle: [`Manager::rank`](crate::Manager::rank) has one.
    pub fn prepare_to_commit(&mut self) -> Result<()> {
        self.check_usable()?;
        if !self.has_changes() {
            // What was read must hold until the others have committed.
            return self.prepare_commit();
        }
        let shared = self.shared.clone();
        shared.check_writable()?;
        self.savepoints.clear();
        self.settle_all()?;
        self.prepare_commit()?;
        self.lock_rows_where_needed(&mut false)?;
        let until = self.options.synchronous.unwrap_or_else(|| shared.synchronous());
        shared.settle_file(until)?;
        shared.queue.poison().check()?;
        if self.is_unlogged()? {
            return Ok(());
        }
        if self.is_large {
            self.spill_all()?;
        }
        let len = if self.is_large { 0 } else { self.frames.len() };
        let len = len + RECORD_BYTES + self.record_texts();
        shared.queue.with_log(|log, progress| log.reserve(len, progress.durable))
    }

    /// Whether the commit goes by the pages, and not by the log.
    pub fn is_large(&self) -> bool {
        self.is_large
    }

    /// Bytes of what the record of the commit says in words.
    fn record_texts(&self) -> usize {
        let notes = self.head_changes.iter().map(|change| match change {
            HeadChange::Create { note, .. } | HeadChange::SetNote { note, .. } => note.len() + 128,
            _ => 128,
        });
        notes.sum::<usize>() + self.options.author.len() + self.options.message.len()
    }

    /// Steps 1 to 3, as far as they can be done before the turn.
    fn prepare_commit(&mut self) -> Result<()> {
        let mut order: SmallVec<[(HeadId, usize); 1]> = SmallVec::new();
        let state = self.state.get_mut();
        for (index, part) in state.parts.iter().enumerate() {
            if part.changed().is_some() || state.reads.is_on(part.head()) {
                order.push((part.head(), index));
            }
        }
        // One order for all, so that commits do not wait for each other in a circle.
        order.sort_unstable();
        for &(_, index) in &order {
            self.lock_head(index)?;
        }
        let pager = self.shared.store.pager();
        for &(_, index) in &order {
            let state = self.state.get_mut();
            let part = &mut state.parts[index];
            if part.cell().is_dropped.load(Ordering::Acquire) {
                return Err(heads::missing(part.head()));
            }
            let newest = part.cell().version.load();
            state.reads.check(&newest, pager)?;
            if newest.commit == part.base.commit {
                continue;
            }
            if self.options.isolation.checks_rows() {
                let dependencies = &self.dependencies;
                rebase::check_conflicts(part, &newest, &self.frames, dependencies, pager)?;
            }
            rebase::rebase(part, newest, &self.frames, pager)?;
        }
        Ok(())
    }

    /// A transaction that has changed nothing: whether all that it read was there at one moment.
    fn check_reads_of_one_moment(&mut self) -> Result<()> {
        let pager = self.shared.store.pager();
        let state = self.state.get_mut();
        if let [part] = state.parts.as_slice() {
            return state.reads.check(&part.base, pager);
        }
        let reads = &state.reads;
        let heads = state.parts.iter().filter(|part| reads.is_on(part.head()));
        let heads: SmallVec<[_; 2]> = heads.map(|part| part.cell().clone()).collect();
        let newest: SmallVec<[Arc<HeadVersion>; 2]> =
            self.shared.in_order(|| heads.iter().map(|cell| cell.version.load()).collect());
        newest.iter().try_for_each(|version| reads.check(version, pager))
    }

    /// Locks what this changes where a serializable transaction is on the head: the rows that were
    /// written, all of a head that stands elsewhere from now on.
    fn lock_rows_where_needed(&mut self, locked: &mut bool) -> Result<()> {
        if *locked || !self.meets_serializable() {
            return Ok(());
        }
        if self.options.isolation != Isolation::Serializable {
            for index in 0..self.state.get_mut().parts.len() {
                if self.state.get_mut().parts[index].private.is_some() {
                    self.lock_written_rows(index)?;
                }
            }
        }
        let heads: SmallVec<[HeadId; 1]> = self.reset_heads().collect();
        for head in heads {
            self.lock_rows_of(head)?;
        }
        *locked = true;
        Ok(())
    }

    fn meets_serializable(&mut self) -> bool {
        // Relaxed: the turn orders it, see `Transaction::begin`.
        let is_met = |cell: &HeadCell| cell.serializable.load(Ordering::Relaxed) > 0;
        let mut parts = self.state.get_mut().parts.iter();
        parts.any(|part| part.changed().is_some() && is_met(part.cell()))
            || self
                .reset_heads()
                .any(|head| self.shared.heads.get(head).is_ok_and(|cell| is_met(&cell)))
    }

    /// The heads that stand elsewhere from the commit on.
    fn reset_heads(&self) -> impl Iterator<Item = HeadId> {
        self.head_changes.iter().filter_map(|change| match change {
            HeadChange::Reset { head, .. } => Some(*head),
            _ => None,
        })
    }

    /// Enters the turn with the rows locked, if they have to be.
    fn enter<'a>(&mut self, shared: &'a crate::manager::Shared) -> Result<CommitTurn<'a>> {
        let is_checkpoint = self.is_large && !self.is_unlogged()?;
        let mut locked = false;
        loop {
            self.lock_rows_where_needed(&mut locked)?;
            let queue = &shared.queue;
            // A superblock must not become durable before the log that it ends: what a crash
            // would leave of that could be taken for what follows.
            let turn = if is_checkpoint {
                queue.enter_settled(shared.checkpoint_waits_until())?
            } else {
                queue.enter()?
            };
            if locked || !self.meets_serializable() {
                return Ok(turn);
            }
        }
    }

    fn commit_logged(&mut self, until: Settled) -> Result<(CommitId, Option<Lsn>)> {
        let shared = self.shared.clone();
        let mut turn = self.enter(&shared)?;
        let commit = turn.next_commit();
        self.commit_time = shared.next_commit_time();
        let publication = self.publication(commit)?;
        if self.is_unlogged()? {
            self.note_recent(&publication, commit)?;
            turn.publish_only(|commit| publication.publish(commit));
            shared.store.note_commit(commit.0);
            return Ok((commit, None));
        }
        self.finish_frames()?;
        let (commit, end) = turn.append(&mut self.frames, until, |commit, _| {
            publication.publish(commit);
            publication
        })?;
        shared.store.note_commit(commit.0);
        Ok((commit, Some(end)))
    }

    /// Step 4 for a transaction that names pages: everybody waits while they are written, but
    /// for a first part of them that is written before.
    fn commit_large(&mut self, until: Settled) -> Result<(CommitId, Option<Lsn>)> {
        let shared = self.shared.clone();
        self.spill_all()?;
        shared.read_rest()?;
        let saved = shared.checkpoints.begin();
        let Entered { mut turn, publication, commit } = shared.checkpoint_in_turn(saved, || {
            let turn = self.enter(&shared)?;
            let commit = turn.next_commit();
            self.commit_time = shared.next_commit_time();
            Ok(Entered { turn, publication: self.publication(commit)?, commit })
        })?;
        // The commit is durable now, whatever becomes of its record in the log.
        shared.store.note_commit(commit.0);
        let mut publication = Some(publication);
        let staged = self.record_large().and_then(|()| {
            turn.append(&mut self.frames, until, |commit, _| {
                let publication = publication.take().unwrap_or_else(Publication::nothing);
                publication.publish(commit);
                // Nothing can take it back.
                Publication::nothing()
            })
        });
        if let Ok((commit, end)) = staged {
            return Ok((commit, Some(end)));
        }
        let publication = publication.unwrap_or_else(Publication::nothing);
        turn.publish_only(|commit| publication.publish(commit));
        Ok((commit, None))
    }

    /// Writes changed pages, as far as that is done before the turn.
    fn spill_all(&mut self) -> Result<()> {
        let pager = self.shared.store.pager();
        for part in &mut self.state.get_mut().parts {
            if let Some(private) = &mut part.private {
                private.spill(pager)?;
            }
        }
        Ok(())
    }

    /// The record of a commit whose pages are in the file.
    fn record_large(&mut self) -> Result<()> {
        self.frames.clear();
        self.logged_head = None;
        let parts = &self.state.get_mut().parts;
        let written: SmallVec<[(HeadId, CommitId); 1]> = parts
            .iter()
            .filter(|part| part.changed().is_some())
            .map(|part| (part.head(), part.base.commit))
            .collect();
        for (head, base) in written {
            self.name_head(head, base)?;
            self.frames.push(TreeId(0), &Operation::Roots { references: &[] })?;
        }
        self.finish_frames()
    }

    /// Whether the commit goes to no log; an error if only a part of it should.
    fn is_unlogged(&mut self) -> Result<bool> {
        if !self.shared.has_log {
            return Ok(true);
        }
        let parts = &self.state.get_mut().parts;
        let mut written = parts.iter().filter(|part| part.changed().is_some());
        let in_memory = written.clone().filter(|part| part.cell().is_ephemeral()).count();
        if in_memory == 0 {
            return Ok(false);
        }
        if written.any(|part| !part.cell().is_ephemeral()) || !self.head_changes.is_empty() {
            return Err(Error::new(
                ErrorKind::Limit,
                "one commit cannot change a head in memory together with others",
            ));
        }
        Ok(true)
    }

    /// Keeps what the commit of a database in memory replaces; in its turn.
    fn note_recent(&mut self, publication: &Publication, commit: CommitId) -> Result<()> {
        let shared = self.shared.clone();
        let Some(recent) = &shared.recent else { return Ok(()) };
        let retention = shared.history.retention();
        if retention.keeps_nothing() {
            recent.begin_at(commit, self.commit_time);
            return Ok(());
        }
        let is_own = |change: &&Change| !change.cell().is_ephemeral();
        let mut changes = publication.changes().iter().filter(is_own).peekable();
        if changes.peek().is_none() {
            // It was a fork's own.
            return Ok(());
        }
        let replaced: SmallVec<[Arc<HeadVersion>; 1]> = changes
            .filter_map(|change| match change {
                Change::Move { before, .. } => Some(Arc::clone(before)),
                Change::Drop { cell } => Some(cell.version.load()),
                Change::Create { .. } => None,
            })
            .collect();
        let lost: u64 = publication.changes().iter().filter(is_own).map(lost_rows).sum();
        let parts = self.moved_parts()?;
        let state = self.state.get_mut();
        let changed = state.parts.iter().filter(|part| !part.cell().is_ephemeral());
        let bytes = changed
            .filter_map(|part| part.private.as_ref())
            .map(|it| it.copied_bytes)
            .sum::<usize>();
        let bytes =
            bytes.saturating_add(usize::try_from(lost * LOST_ROW_BYTES).unwrap_or(usize::MAX));
        let note = RecentCommit {
            commit,
            time: self.commit_time,
            author: Box::from(&*self.options.author),
            message: Box::from(&*self.options.message),
            flags: self.options.flags,
            parts,
        };
        recent.note(retention, note, replaced.into_iter(), bytes);
        Ok(())
    }

    /// What the commit does to each head that it moves, as a log would tell.
    fn moved_parts(&mut self) -> Result<Vec<RecentPart>> {
        if self.is_large {
            self.record_large()?;
        } else {
            self.finish_frames()?;
        }
        let mut parts: Vec<(RecentPart, bool)> = Vec::new();
        let mut at = 0;
        for entry in self.frames.operations() {
            let operation = entry?.1;
            match operation {
                Operation::Begin { head, base } => {
                    let known = parts.iter().position(|(part, _)| part.head == head);
                    at = known.unwrap_or(parts.len());
                    if known.is_none() {
                        parts.push((RecentPart { head, base, operations: Some(0) }, false));
                    }
                }
                Operation::ResetHead { head, .. } => {
                    let reset = parts.iter_mut().filter(|(part, _)| part.head == head);
                    reset.for_each(|(_, is_moved)| *is_moved = true);
                }
                _ => {}
            }
            let Some((part, is_moved)) = parts.get_mut(at) else { continue };
            match operation {
                Operation::Put { .. }
                | Operation::Delete { .. }
                | Operation::DeleteRange { .. } => {
                    part.operations = part.operations.map(|count| count + 1);
                    *is_moved = true;
                }
                Operation::Roots { .. } => {
                    part.operations = None;
                    *is_moved = true;
                }
                Operation::CreateTree { .. } | Operation::DropTree => *is_moved = true,
                _ => {}
            }
        }
        parts.retain(|(_, is_moved)| *is_moved);
        Ok(parts.into_iter().map(|(part, _)| part).collect())
    }

    /// The last operations of the transaction.
    fn finish_frames(&mut self) -> Result<()> {
        let changes = self.head_changes.clone();
        for change in &changes {
            let head = match change {
                HeadChange::Create { source, .. } => *source,
                HeadChange::Drop { head }
                | HeadChange::Reset { head, .. }
                | HeadChange::SetNote { head, .. } => *head,
            };
            let at = self.shared.heads.get(head).map(|cell| cell.version.load().commit);
            let at = at.unwrap_or_default();
            if self.frames.is_empty() {
                self.name_head(head, at)?;
            }
            let operation = match change {
                HeadChange::Create { head, source, note } => {
                    Operation::CreateHead { head: *head, source: *source, at, attributes: note }
                }
                HeadChange::Drop { head } => Operation::DropHead { head: *head },
                HeadChange::Reset { head, source } => {
                    Operation::ResetHead { head: *head, to: at, source: *source }
                }
                HeadChange::SetNote { head, note } => {
                    Operation::SetAttributes { head: *head, attributes: note }
                }
            };
            self.frames.push(TreeId(0), &operation)?;
        }
        let info = CommitInfo {
            time: self.commit_time,
            author: &self.options.author,
            message: &self.options.message,
            flags: self.options.flags,
        };
        self.frames.finish(&info)
    }

    /// What the commit will show; only in its turn, for heads may not move any more.
    fn publication(&mut self, commit: CommitId) -> Result<Publication> {
        let heads = Arc::clone(&self.shared.heads);
        let mut changes = Changes::new();
        let mut is_wide = !self.head_changes.is_empty();
        for part in &mut self.state.get_mut().parts {
            let Some(private) = part.changed() else { continue };
            is_wide |= private.copied_bytes >= WIDE_BYTES;
            let before = part.cell().version.load();
            let forest = if Arc::ptr_eq(&before, &part.base) {
                private.forest.clone()
            } else {
                // A checkpoint wrote the head meanwhile: the same contents in other places.
                heads::transplant(&private.forest, &before.forest)
            };
            let note = Arc::clone(&before.note);
            let after = HeadVersion { head: part.head(), commit, forest, note };
            changes.push(Change::Move {
                cell: part.cell().clone(),
                before,
                after: Arc::new(after),
            });
        }
        for change in &self.head_changes {
            add_head_change(&heads, &mut changes, change, commit)?;
        }
        Ok(Publication::new(heads, changes, is_wide))
    }

    /// Gives what the private versions wrote to the store; returns how much they changed.
    fn hand_over(&mut self) -> usize {
        let mut dirty_bytes = 0;
        for part in &mut self.state.get_mut().parts {
            part.hide_uncommitted();
            let Some(private) = part.private.take() else { continue };
            dirty_bytes += private.dirty_bytes;
            if let Some(loan) = private.loan.filter(|_| self.shared.has_log) {
                self.shared.checkpoints.keep_loan(loan);
            }
            match &part.cell().ephemeral {
                Some(ephemeral) if !private.ledger.is_empty() => {
                    ephemeral.ledgers.lock().push(private.ledger);
                }
                Some(_) => {}
                None => self.shared.store.adopt(private.ledger),
            }
        }
        dirty_bytes
    }
}

/// From how many bytes of copied pages on a commit may leave much memory behind: that of as many
/// pages which it replaced.
const WIDE_BYTES: usize = 1 << 20;

/// More than a commit's own record takes in the log without its texts.
const RECORD_BYTES: usize = 1024;

/// What a row takes whose page goes without having been copied, about.
const LOST_ROW_BYTES: u64 = 128;

/// How many rows the version that is replaced has more than the one that replaces it, by trees.
fn lost_rows(change: &Change) -> u64 {
    let Change::Move { before, after, .. } = change else { return 0 };
    if before.forest.is_same_version(&after.forest) {
        return 0;
    }
    let ids = before.forest.ids().into_iter();
    let lost = ids.filter_map(|id| {
        let old = before.forest.tree(id)?;
        Some(old.len().saturating_sub(after.forest.tree(id).map_or(0, Tree::len)))
    });
    lost.sum()
}

/// The version of a head that the changes so far lead to.
fn version_after(heads: &Heads, changes: &[Change], head: HeadId) -> Result<Arc<HeadVersion>> {
    for change in changes.iter().rev() {
        match change {
            Change::Move { cell, after, .. } if cell.id == head => return Ok(Arc::clone(after)),
            Change::Create { cell } if cell.id == head => return Ok(cell.version.load()),
            Change::Drop { cell } if cell.id == head => return Err(heads::missing(head)),
            _ => {}
        }
    }
    Ok(heads.get(head)?.version.load())
}

fn add_head_change(
    heads: &Heads,
    changes: &mut Changes,
    change: &HeadChange,
    commit: CommitId,
) -> Result<()> {
    let added = match change {
        HeadChange::Create { head, source, note } => {
            let source = version_after(heads, changes, *source)?;
            let version = HeadVersion { head: *head, note: Arc::clone(note), ..(*source).clone() };
            Change::Create { cell: Nearby::new(HeadCell::new(Arc::new(version), None)) }
        }
        HeadChange::Drop { head } => Change::Drop { cell: heads.get(*head)? },
        HeadChange::Reset { head, source } => {
            let before = version_after(heads, changes, *head)?;
            let source = version_after(heads, changes, *source)?;
            let forest: Forest = source.forest.clone();
            let after = HeadVersion { commit, forest, ..(*before).clone() };
            Change::Move { cell: heads.get(*head)?, before, after: Arc::new(after) }
        }
        HeadChange::SetNote { head, note } => {
            let before = version_after(heads, changes, *head)?;
            let after = HeadVersion { note: Arc::clone(note), ..(*before).clone() };
            Change::Move { cell: heads.get(*head)?, before, after: Arc::new(after) }
        }
    };
    changes.push(added);
    Ok(())
}
