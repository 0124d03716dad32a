//! Checkpoints: the newest versions of all heads into the file, while writers go on.
//!
//! What changed is captured in the commit queue's turn, together with the log position that goes
//! with it, and then written without anybody waiting. Afterwards each head is put on what is now
//! in the file: one that has not moved gets the written version, which holds no memory, and one
//! that has moved gets its newest trees on the written directory. Neighbours: the storage crate
//! writes; `checkpointer` decides when; `transaction::commit` makes one for a large transaction.

use std::path::Path;
use std::time::Duration;

use pandodb_ds::checkpoint::{Captured, HeadChange, NOTE_BYTES_MAX};
use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Loan;
use pandodb_ds::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use pandodb_ds::sync::{Arc, Mutex, MutexGuard};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{AnyLog, Shared};
use crate::commit::Settled;
use crate::error::{Error, ErrorKind, Result};
use crate::heads::{
    self, COMMIT_BYTES, COUNTER, HeadCell, HeadVersion, SavedVersions, encode_note,
};
use crate::history::{Moment, Plan};
use crate::ids::{CommitId, HeadId, Lsn};
use crate::transaction::{Change, Entered};
use crate::wal::{DatabaseId, Synchronous, archive};

/// The longest note of a head for the crates above.
pub const NOTE_MAX: usize = NOTE_BYTES_MAX - COMMIT_BYTES;

/// How much a checkpoint on demand does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointMode {
    /// Writes what was committed so far; `Busy` if a checkpoint is running.
    Passive,
    /// Waits for one that is running and then writes what was committed so far.
    Full,
    /// As `Full`; the next commit begins a new log segment, so that all before are given up.
    Restart,
    /// As `Restart`; the files of all segments are removed too.
    Truncate,
}

/// What a checkpoint did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointReport {
    /// Its number.
    pub number: u64,
    /// The newest commit that it holds.
    pub commit: CommitId,
    /// Bytes written to the file.
    pub bytes: u64,
    /// Bytes of log that recovery does not need any more because of it.
    pub log_bytes: u64,
    /// Bytes of log that were written meanwhile.
    pub log_bytes_left: u64,
    /// Frames of log that recovery does not need any more because of it.
    pub log_frames: u64,
}

/// A checkpoint that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCheckpoint {
    /// What it did.
    pub report: CheckpointReport,
    /// When it ended, in microseconds since 1970.
    pub time: i64,
    /// How long it took.
    pub took: Duration,
}

/// What checkpoints know of each other.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    saved: Mutex<Saved>,
    is_running: AtomicBool,
    /// Where the log begins that is not in the file.
    position: AtomicU64,
    /// How many frames had been staged there.
    frames: AtomicU64,
    last: Mutex<Option<LastCheckpoint>>,
    /// About how many bytes of changed pages are in memory.
    dirty_bytes: AtomicUsize,
    /// The cache's room that they have, until they are written.
    loans: Mutex<Vec<Loan>>,
}

/// The heads as they are in the file. Whoever holds this is the only one who checkpoints.
#[derive(Debug)]
pub(crate) struct Saved {
    heads: SavedVersions,
    /// The number of the next head as the file has it; none when that is not known.
    next_head: Option<u64>,
}

type Heads = Vec<(Arc<HeadCell>, Arc<HeadVersion>)>;

impl Checkpoints {
    pub(super) fn new(position: Lsn) -> Self {
        Self {
            saved: Mutex::new(Saved { heads: SavedVersions::default(), next_head: None }),
            is_running: AtomicBool::new(false),
            position: AtomicU64::new(position.0),
            frames: AtomicU64::new(0),
            last: Mutex::new(None),
            dirty_bytes: AtomicUsize::new(0),
            loans: Mutex::default(),
        }
    }

    /// Keeps room for changed pages until the next checkpoint has written them.
    pub(crate) fn keep_loan(&self, loan: Loan) {
        self.loans.lock().push(loan);
    }

    /// Whether changed pages have room of the cache's.
    pub(super) fn holds_loans(&self) -> bool {
        !self.loans.lock().is_empty()
    }

    /// The heads as the file has them that was opened; before the first checkpoint.
    pub(super) fn set_saved(&self, heads: SavedVersions) {
        self.saved.lock().heads = heads;
    }

    /// Waits until no checkpoint runs. Comes before the turn of the commit queue, and behind
    /// [`Shared::read_rest`].
    pub(crate) fn begin(&self) -> MutexGuard<'_, Saved> {
        self.saved.lock()
    }

    pub(super) fn position(&self) -> Lsn {
        Lsn(self.position.load(Ordering::Relaxed))
    }

    /// Frames that had been staged when the newest checkpoint was captured.
    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    pub(super) fn last(&self) -> Option<LastCheckpoint> {
        *self.last.lock()
    }

    /// As if a checkpoint were running: one that is due waits.
    pub(super) fn pretend_to_run(&self, runs: bool) {
        self.is_running.store(runs, Ordering::Relaxed);
    }

    fn moved_on(&self, position: Lsn, frames: u64) {
        self.position.store(position.0, Ordering::Relaxed);
        self.frames.store(frames, Ordering::Relaxed);
    }

    pub(super) fn set_dirty(&self, bytes: usize) {
        self.dirty_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn add_dirty(&self, bytes: usize) -> usize {
        self.dirty_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes
    }
}

impl Saved {
    /// What is not in the file as it is now.
    fn capture(&self, now: &Heads, next_head: u64, commit: CommitId, position: Lsn) -> Captured {
        let mut changes = Vec::new();
        if self.next_head != Some(next_head) {
            let note = next_head.to_le_bytes().to_vec();
            changes.push((COUNTER, HeadChange::Put { forest: Forest::new(), note }));
        }
        for (cell, version) in now {
            let is_saved =
                self.heads.get(&cell.id).is_some_and(|saved| Arc::ptr_eq(saved, version));
            if !is_saved {
                let note = encode_note(version.commit, &version.note);
                changes.push((cell.id, HeadChange::Put { forest: version.forest.clone(), note }));
            }
        }
        let there: FxHashSet<HeadId> = now.iter().map(|(cell, _)| cell.id).collect();
        let gone = self.heads.keys().filter(|head| !there.contains(head));
        changes.extend(gone.map(|head| (*head, HeadChange::Drop)));
        Captured { heads: changes, commit: commit.0, log_position: position.0 }
    }
}

impl Shared {
    pub(crate) fn checkpoint(&self, mode: CheckpointMode) -> Result<CheckpointReport> {
        self.check_writable()?;
        if !self.has_log {
            return Err(Error::new(ErrorKind::Limit, "a database in memory has no checkpoints"));
        }
        let checkpoints = &self.checkpoints;
        if mode == CheckpointMode::Passive && checkpoints.is_running.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Busy, "another checkpoint is running"));
        }
        self.read_rest()?;
        let mut saved = checkpoints.begin();
        checkpoints.is_running.store(true, Ordering::Relaxed);
        let begin = self.clock.monotonic();
        let outcome = self.run_checkpoint(&mut saved, mode);
        if let Ok(report) = &outcome {
            let took = self.clock.monotonic().saturating_sub(begin);
            let time = self.clock.now_micros();
            *checkpoints.last.lock() = Some(LastCheckpoint { report: *report, time, took });
        }
        checkpoints.is_running.store(false, Ordering::Relaxed);
        outcome
    }

    fn run_checkpoint(&self, saved: &mut Saved, mode: CheckpointMode) -> Result<CheckpointReport> {
        // Most of the log outside of the capture, which then has little to wait for.
        let until = self.checkpoint_waits_until();
        self.store.pager().set_barriers(until == Settled::Synced);
        self.queue.flush(until)?;
        let before = (self.checkpoints.position(), self.checkpoints.frames());
        let mut now = Heads::new();
        let (mut commit, mut position, mut frames) = (CommitId(0), Lsn::ZERO, 0);
        let mut plan = Plan::default();
        let mut next_head = 0;
        // Given back when what was committed so far is written, or failed to be.
        let loans = std::mem::take(&mut *self.checkpoints.loans.lock());
        let outcome = self.store.checkpoint(|| {
            self.checkpointer.looks_now();
            let progress = self.queue.with_log(|_, progress| {
                now = self.versions();
                next_head = self.heads.next();
                *progress
            });
            self.checkpoints.dirty_bytes.store(0, Ordering::Relaxed);
            (commit, position, frames) = (progress.commit, progress.staged, progress.frames);
            // The log must be there up to where the superblock says that it goes on. If that
            // fails, writing has ended, and the file stays as it is.
            if self.queue.wait(position, until).is_err() {
                return self.capture_nothing();
            }
            let mut captured = saved.capture(&now, next_head, commit, position);
            plan = self.plan_history(&now, commit, position, false);
            captured.heads.extend(plan.changes());
            captured
        });
        drop(loans);
        let done = outcome.map_err(|error| self.checkpoint_failed(error))?;
        saved.next_head = Some(next_head);
        self.history.complete(plan, &done.heads);
        self.queue.poison().check()?;
        let left = self.queue.with_log(|_, progress| {
            self.install(saved, &now, &done.heads);
            progress.staged.since(position)
        });
        self.checkpoints.moved_on(position, frames);
        self.retire(mode, position)?;
        Ok(CheckpointReport {
            number: done.number,
            commit,
            bytes: done.bytes,
            log_bytes: position.since(before.0),
            log_bytes_left: left,
            log_frames: frames.saturating_sub(before.1),
        })
    }

    /// Makes a checkpoint that is a commit: `enter` takes the commit's turn and tells what it will
    /// publish, and nobody else publishes until the caller lets go of the turn. The publication
    /// comes back on what is in the file.
    ///
    /// The turn is entered inside of the storage's checkpoint, as by every other one: where that
    /// has to wait (for an integrity check), no commit of others waits with it.
    pub(crate) fn checkpoint_in_turn<'a>(
        &'a self,
        mut saved: MutexGuard<'_, Saved>,
        enter: impl FnOnce() -> Result<Entered<'a>>,
    ) -> Result<Entered<'a>> {
        let mut entered = None;
        let mut now = Heads::new();
        let mut plan = Plan::default();
        let next_head = self.heads.next();
        let loans = std::mem::take(&mut *self.checkpoints.loans.lock());
        self.store.pager().set_barriers(self.checkpoint_waits_until() == Settled::Synced);
        let outcome = self.store.checkpoint(|| {
            let entered = entered.insert(enter());
            let Ok(Entered { turn, publication, commit }) = entered else {
                return self.capture_nothing();
            };
            now = self.versions();
            overlay(&mut now, publication.changes());
            let position = turn.progress().staged;
            let mut captured = saved.capture(&now, next_head, *commit, position);
            // The log says of this commit only that there was one: it cannot be replayed.
            plan = self.plan_history(&now, *commit, position, true);
            captured.heads.extend(plan.changes());
            captured
        });
        drop(loans);
        let mut entered = match (entered, outcome.as_ref().is_ok()) {
            (Some(Ok(entered)), _) => entered,
            (Some(Err(error)), true) => return Err(error),
            _ => return Err(self.checkpoint_failed_in_turn(outcome.err())),
        };
        let done = match outcome {
            Ok(done) => done,
            Err(error) => return Err(self.checkpoint_failed_in_turn(Some(error))),
        };
        saved.next_head = Some(next_head);
        self.history.complete(plan, &done.heads);
        let progress = entered.turn.progress();
        self.checkpoints.moved_on(progress.staged, progress.frames);
        self.checkpoints.dirty_bytes.store(0, Ordering::Relaxed);
        self.checkpointer.looks_now();
        self.install(&mut saved, &now, &done.heads);
        for change in entered.publication.changes_mut() {
            let Some(clean) = saved.heads.get(&change.cell().id) else { continue };
            match change {
                Change::Move { after, .. } => *after = Arc::clone(clean),
                Change::Create { cell } => cell.version.store(Arc::clone(clean)),
                Change::Drop { .. } => {}
            }
        }
        Ok(entered)
    }

    /// How far the log must have come before a checkpoint relies on it.
    pub(crate) fn checkpoint_waits_until(&self) -> Settled {
        match self.synchronous() {
            Synchronous::Off => Settled::Written,
            Synchronous::Normal | Synchronous::Full => Settled::Synced,
        }
    }

    /// Before a commit that promises more than checkpoints at OFF do: sees to it that what they
    /// wrote is on the disk, for the commit stands on it.
    pub(crate) fn settle_file(&self, until: Synchronous) -> Result<()> {
        let pager = self.store.pager();
        let promises_more = match until {
            Synchronous::Off => false,
            Synchronous::Normal => self.synchronous() != Synchronous::Off,
            Synchronous::Full => true,
        };
        if !promises_more || !pager.is_unsynced() {
            return Ok(());
        }
        // The log first, as in every checkpoint.
        self.queue.flush(Settled::Synced)?;
        pager.sync().map_err(|error| {
            let error = Error::from(error);
            self.queue.fail(&error);
            error
        })
    }

    /// A checkpoint that changes nothing, where one cannot be called off any more.
    fn capture_nothing(&self) -> Captured {
        Captured {
            heads: Vec::new(),
            commit: self.store.saved_commit(),
            log_position: self.store.log_position(),
        }
    }

    /// The error of a checkpoint, noted without the commit queue, whose turn this may be.
    fn checkpoint_failed_in_turn(&self, error: Option<pandodb_ds::Error>) -> Error {
        let error = error.map_or_else(
            || Error::new(ErrorKind::Interrupted, "a checkpoint ended before it began"),
            Error::from,
        );
        if self.store.is_poisoned() {
            self.queue.poison().poison(&error);
        }
        error
    }

    /// The newest versions of the heads that are in the file; in the queue's turn.
    fn versions(&self) -> Heads {
        let cells = self.heads.cells().into_iter().filter(|cell| !cell.is_ephemeral());
        cells.map(|cell| (Arc::clone(&cell), cell.version.load())).collect()
    }

    /// Puts the heads on what is in the file now; in the queue's turn.
    fn install(&self, saved: &mut Saved, captured: &Heads, written: &[(HeadId, Forest)]) {
        let mut is_captured: FxHashMap<HeadId, &Arc<HeadVersion>> = FxHashMap::default();
        for (cell, version) in captured {
            is_captured.insert(cell.id, version);
        }
        saved.heads.retain(|head, _| is_captured.contains_key(head));
        for (head, forest) in written {
            let Some(version) = is_captured.get(head) else { continue };
            let clean = HeadVersion { forest: forest.clone(), ..(***version).clone() };
            let clean = Arc::new(clean);
            saved.heads.insert(*head, Arc::clone(&clean));
            let Ok(cell) = self.heads.get(*head) else { continue };
            cell.version.hand_over(version, clean, |current| transplanted(current, forest));
        }
        for cell in self.heads.cells() {
            if !cell.is_ephemeral() && !is_captured.contains_key(&cell.id) {
                // Made after the capture, perhaps from a head that was written: its directory
                // may be one that the checkpoint replaced.
                let version = transplanted(&cell.version.load(), &Forest::new());
                cell.version.store(Arc::new(version));
            }
        }
    }

    fn checkpoint_failed(&self, error: pandodb_ds::Error) -> Error {
        let error = Error::from(error);
        if self.store.is_poisoned() {
            self.queue.fail(&error);
        }
        error
    }

    fn plan_history(&self, now: &Heads, commit: CommitId, position: Lsn, forced: bool) -> Plan {
        let time = self.checkpoint_time();
        self.history.plan(now, Moment { commit, time, position }, forced)
    }

    /// Gives up the log before `position`, but for what the history needs of it.
    fn retire(&self, mode: CheckpointMode, position: Lsn) -> Result<()> {
        let is_archived = self.settings.is_archived();
        let keeps_log = self.history.is_active() || is_archived;
        let in_hand = self.queue.with_log(|log, progress| {
            let AnyLog::Files(writer) = log else { return Ok::<_, Error>(None) };
            let is_whole = progress.written == progress.staged;
            let restarts = matches!(mode, CheckpointMode::Restart | CheckpointMode::Truncate);
            if restarts && is_whole {
                writer.close_segment();
            }
            writer.set_archive(keeps_log);
            writer.retire(position)?;
            if mode == CheckpointMode::Truncate {
                writer.discard_spares()?;
            }
            Ok(Some(writer.in_hand()))
        })?;
        let Some(in_hand) = in_hand.filter(|_| !is_archived) else { return Ok(()) };
        let oldest = self.history.log_start().map_or(position, |start| start.min(position));
        let id = DatabaseId(self.store.database());
        let vfs = &**self.store.vfs();
        let removed = archive::prune(vfs, self.store.path(), id, oldest, in_hand)?;
        if removed > 0 && self.checkpoint_waits_until() == Settled::Synced {
            vfs.sync_directory(self.store.path().parent().unwrap_or_else(|| Path::new("")))?;
        }
        Ok(())
    }

    /// Notes what a commit left in memory, and sees to a checkpoint that is due.
    pub(crate) fn after_commit(self: &Arc<Self>, dirty_bytes: usize, position: Lsn) {
        let dirty_bytes = self.checkpoints.add_dirty(dirty_bytes);
        if !self.has_log {
            return;
        }
        self.checkpointer.commit_made(self, dirty_bytes, position);
    }
}

/// Puts changes that are not published yet over what is.
fn overlay(now: &mut Heads, changes: &[Change]) {
    for change in changes {
        let id = change.cell().id;
        now.retain(|(cell, _)| cell.id != id);
        match change {
            Change::Move { cell, after, .. } => {
                now.push((Arc::clone(cell.shared()), Arc::clone(after)));
            }
            Change::Create { cell } => {
                now.push((Arc::clone(cell.shared()), cell.version.load()));
            }
            Change::Drop { .. } => {}
        }
    }
}

fn transplanted(current: &HeadVersion, saved: &Forest) -> HeadVersion {
    let forest = heads::transplant(&current.forest, saved);
    HeadVersion { forest, ..current.clone() }
}
