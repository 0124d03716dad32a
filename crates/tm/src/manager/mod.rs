//! An open database: its store, log, heads and locks wired together.
//!
//! A [`Manager`] is what a connection holds; [`Manager::begin`] is where everything starts.
//! Neighbours: `recovery` brings the heads up to date when it opens, `checkpoint` writes them to
//! the file, `checkpointer` decides when; `transaction` does the work in between.

mod admin;
mod checkpoint;
mod checkpointer;
mod dirty;
mod recovery;
mod rest;
mod settings;
mod shrink;

#[cfg(all(test, not(loom)))]
mod admin_tests;
#[cfg(all(test, not(loom)))]
mod crash_tests;
#[cfg(all(test, not(loom)))]
mod full_tests;
#[cfg(all(test, not(loom)))]
mod kill_tests;
#[cfg(all(test, not(loom)))]
mod synchronous_tests;
#[cfg(all(test, not(loom)))]
mod tests;
#[cfg(all(test, not(loom)))]
mod thread_tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pandodb_ds::pager::Pager;
use pandodb_ds::store::{Store, StoreOptions};
use pandodb_ds::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use pandodb_ds::sync::{Arc, Mutex, Padded};
use pandodb_ds::vfs::{Clock, MemoryVfs, Vfs};

pub use admin::WalCheckpoint;
pub(crate) use checkpoint::Checkpoints;
pub use checkpoint::{CheckpointMode, CheckpointReport, LastCheckpoint, NOTE_MAX};
use checkpointer::Checkpointer;
pub(crate) use dirty::count_own_bytes;
use rest::{Opened, Rest};
use settings::Settings;
pub use shrink::Shrunk;

use crate::commit::{CommitQueue, Log, Progress};
use crate::error::{Error, ErrorKind, Result};
use crate::heads::{Ephemeral, HeadCell, HeadInfo, HeadVersion, Heads};
use crate::history::{
    DEFAULT_BYTES, History, Moment, PastVersion, Recent, RecentCommit, Retention,
};
use crate::ids::{CommitId, HeadId, Lsn, TransactionId};
use crate::isolation::BeginOptions;
use crate::lock::{LockManager, LockView};
use crate::nearby::{self, GROUPS, Nearby};
use crate::options::{CheckpointPolicy, Options};
use crate::snapshot::{Pin, SnapshotView, Snapshots};
use crate::transaction::{Publication, Transaction};
use crate::wal::{
    DatabaseId, FlushPlan, FrameBuffer, Reader, Synchronous, Writer, archive, log_beside,
};

/// The log of a database, or that there is none.
#[derive(Debug)]
pub(crate) enum AnyLog {
    Files(Box<Writer>),
    /// A database in memory, or one that is only read: where its log ends.
    None(Lsn),
}

impl AnyLog {
    /// Sees to it that `len` bytes find room.
    pub(crate) fn reserve(&mut self, len: usize, durable: Lsn) -> Result<()> {
        match self {
            Self::Files(writer) => writer.reserve(len, durable),
            Self::None(_) => Ok(()),
        }
    }
}

impl Log for AnyLog {
    type Plan = Option<FlushPlan>;

    fn stage(&mut self, frames: &mut FrameBuffer, commit: CommitId, durable: Lsn) -> Result<Lsn> {
        match self {
            Self::Files(writer) => writer.stage(frames, commit, durable),
            Self::None(end) => Ok(*end),
        }
    }

    fn begin_flush(&mut self, sync: bool) -> Self::Plan {
        match self {
            Self::Files(writer) => Some(writer.begin_flush(sync)),
            Self::None(_) => None,
        }
    }

    fn run(plan: Self::Plan) -> Result<Vec<u8>> {
        plan.map_or_else(|| Ok(Vec::new()), FlushPlan::run)
    }

    fn recycle_memory(&mut self, bytes: Vec<u8>) {
        if let Self::Files(writer) = self {
            writer.recycle_memory(bytes);
        }
    }

    fn position(&self) -> Lsn {
        match self {
            Self::Files(writer) => writer.position(),
            Self::None(end) => *end,
        }
    }

    fn frames(&self) -> u64 {
        match self {
            Self::Files(writer) => writer.frames(),
            Self::None(_) => 0,
        }
    }
}

/// What transactions share. What every commit writes is padded, so that readers do not have to
/// fetch again what stands beside it.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) heads: Arc<Heads>,
    pub(crate) queue: Padded<CommitQueue<AnyLog, Publication>>,
    pub(crate) locks: Arc<LockManager>,
    pub(crate) snapshots: Arc<Snapshots>,
    pub(crate) checkpoints: Padded<Checkpoints>,
    pub(crate) history: History,
    rest: Rest,
    /// The history of a database in memory; others have none of this kind.
    pub(crate) recent: Option<Recent>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) has_log: bool,
    pub(crate) is_read_only: bool,
    /// Files of the log that hold commits which could not be reached when the database was opened.
    lost_log: Vec<PathBuf>,
    pub(crate) large_transactions: AtomicU64,
    /// The time of the newest commit; changed in the queue's turn only, hence relaxed.
    commit_time: Padded<AtomicI64>,
    settings: Settings,
    next_transaction: Padded<AtomicU64>,
    spare_frames: Padded<Mutex<Vec<FrameBuffer>>>,
    checkpointer: Checkpointer,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn next_transaction_id(&self) -> TransactionId {
        TransactionId(self.next_transaction.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn pin(&self) -> Result<Pin> {
        self.snapshots.pin(|| self.store.epoch()).ok_or_else(|| {
            Error::new(ErrorKind::Limit, "a million snapshots are open: end some transactions")
        })
    }

    /// Runs `look` while no commit is between its look at the world and its publication.
    pub(crate) fn in_order<R>(&self, look: impl FnOnce() -> R) -> R {
        self.queue.with_log(|_, _| look())
    }

    /// A time for a commit in its turn: later than that of every commit before, even when the
    /// clock was set back, so that a moment in time is a place in the history.
    pub(crate) fn next_commit_time(&self) -> i64 {
        let newest = self.commit_time.load(Ordering::Relaxed);
        let time = self.clock.now_micros().max(newest.saturating_add(1));
        self.commit_time.store(time, Ordering::Relaxed);
        time
    }

    /// A time that no commit before is later than; in the queue's turn.
    pub(crate) fn checkpoint_time(&self) -> i64 {
        self.clock.now_micros().max(self.commit_time.load(Ordering::Relaxed))
    }

    pub(crate) fn spare_frames(&self) -> FrameBuffer {
        self.spare_frames.lock().pop().unwrap_or_default()
    }

    pub(crate) fn return_frames(&self, mut frames: FrameBuffer) {
        const KEPT: usize = 16;
        if !frames.has_memory() {
            // Of a reader: nothing to keep, no lock to take.
            return;
        }
        frames.clear();
        let mut spare = self.spare_frames.lock();
        if spare.len() < KEPT {
            spare.push(frames);
        }
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
        if self.is_read_only {
            let message = "the database was opened for reading only";
            return Err(Error::new(ErrorKind::ReadOnly, message));
        }
        self.queue.poison().check()
    }

    pub(crate) fn synchronous(&self) -> Synchronous {
        self.settings.synchronous()
    }

    pub(crate) fn busy_timeout(&self) -> Duration {
        self.settings.busy_timeout()
    }

    /// Bytes of changed pages that stay in memory, and of log that stay log.
    pub(crate) fn size_limits(&self) -> (usize, usize) {
        self.settings.size_limits()
    }
}

/// Refuses to make a new database where one was whose log is still there: it may be all that is
/// left of what was committed.
fn check_not_lost(vfs: &dyn Vfs, path: &Path) -> Result<()> {
    if vfs.exists(path)? {
        return Ok(());
    }
    let Some(log) = log_beside(vfs, path)? else { return Ok(()) };
    let message = format!(
        "the file {} is missing, but its log {} is there: put the file back, or move the log away \
         to begin anew",
        path.display(),
        log.display()
    );
    Err(Error::new(ErrorKind::Mismatch, message))
}

/// An open database; dropping it stops its background work without a last checkpoint, see
/// [`Manager::close`].
#[derive(Debug)]
pub struct Manager {
    shared: Arc<Shared>,
    /// The same for each group of threads.
    nearby: [Nearby<Shared>; GROUPS],
}

impl Manager {
    /// Opens the database at `path`, replaying its log if it was not closed.
    pub fn open(vfs: &Arc<dyn Vfs>, path: &Path, options: &Options) -> Result<Self> {
        check_not_lost(&**vfs, path)?;
        let store = Store::open(vfs, path, &options.store)?;
        let recovered = recovery::recover(&store, options)?;
        let history = History::new(options.history);
        let id = DatabaseId(store.database());
        let opened = Opened::new(&store, recovered.end.oldest);
        let is_read_only = options.store.is_read_only;
        let log = if is_read_only {
            AnyLog::None(recovered.end.position)
        } else {
            let writer = Writer::open(Arc::clone(vfs), path, id, options.wal, &recovered.end)?;
            AnyLog::Files(Box::new(writer))
        };
        Ok(Self::with(store, log, recovered, (history, Some(opened)), options))
    }

    /// A database that lives as long as its manager, in memory, without a log.
    pub fn open_in_memory(options: &Options) -> Result<Self> {
        let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::default());
        let settings = StoreOptions { creates: true, is_read_only: false, ..options.store.clone() };
        let store = Store::open(&vfs, Path::new("memory"), &settings)?;
        let recovered = recovery::recover(&store, options)?;
        let log_bytes = options.history.log_bytes.map(|bytes| bytes.min(DEFAULT_BYTES));
        let history = History::new(Retention { log_bytes, ..options.history });
        Ok(Self::with(store, AnyLog::None(Lsn::ZERO), recovered, (history, None), options))
    }

    fn with(
        store: Store,
        log: AnyLog,
        recovered: recovery::Recovered,
        (history, opened): (History, Option<Opened>),
        options: &Options,
    ) -> Self {
        let snapshots = Snapshots::new();
        let pins = Arc::clone(&snapshots);
        store.set_horizon(Box::new(move || pins.oldest(u64::MAX)));
        store.note_commit(recovered.commit.0);
        let clock = store.vfs().clock();
        let start = Lsn(store.log_position());
        let has_log = matches!(log, AnyLog::Files(_));
        let is_read_only = options.store.is_read_only;
        let is_in_memory = !has_log && !is_read_only;
        let lost_log = recovered.end.lost(is_read_only);
        let recent = is_in_memory.then(|| Recent::new(recovered.commit, clock.now_micros()));
        let shared = Arc::new(Shared {
            heads: Arc::new(recovered.heads),
            queue: Padded(CommitQueue::new(log, recovered.commit, start)),
            locks: LockManager::new(Arc::clone(&clock)),
            snapshots,
            checkpoints: Padded(Checkpoints::new(start)),
            history,
            rest: Rest::new(opened),
            recent,
            clock,
            has_log,
            is_read_only,
            lost_log,
            large_transactions: AtomicU64::new(0),
            commit_time: Padded(AtomicI64::new(recovered.time)),
            settings: Settings::new(options),
            next_transaction: Padded(AtomicU64::new(1)),
            spare_frames: Padded(Mutex::new(Vec::new())),
            checkpointer: Checkpointer::default(),
            store,
        });
        if has_log && options.has_checkpoint_thread {
            // What was replayed is due after a while, whether or not more is committed.
            if shared.queue.progress().staged > start {
                checkpointer::start(&shared);
            } else {
                shared.checkpointer.start_when_needed();
            }
        }
        let nearby = std::array::from_fn(|_| Nearby::new(Arc::clone(&shared)));
        Self { shared, nearby }
    }

    /// How many replaced versions are kept for open moments.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn kept_versions(&self) -> usize {
        self.shared.heads.moments.len()
    }

    /// Begins a transaction on a head.
    pub fn begin(&self, head: HeadId, options: BeginOptions) -> Result<Transaction> {
        Transaction::begin(&self.nearby[nearby::group()], &[head], options)
    }

    /// Begins a transaction on several heads, which it sees at one moment; the first one is
    /// current.
    pub fn begin_many(&self, heads: &[HeadId], options: BeginOptions) -> Result<Transaction> {
        Transaction::begin(&self.nearby[nearby::group()], heads, options)
    }

    /// The heads by number.
    pub fn heads(&self) -> Result<Vec<HeadInfo>> {
        self.shared.read_rest()?;
        Ok(self.shared.heads.list())
    }

    /// How many heads there are.
    pub fn head_count(&self) -> usize {
        self.shared.heads.count()
    }

    /// The head with the lowest number of those with this note.
    pub fn first_head_with(&self, note: &[u8]) -> Result<Option<HeadId>> {
        self.shared.heads.first_with(note)
    }

    /// What is known of one head.
    pub fn head(&self, head: HeadId) -> Result<HeadInfo> {
        let cell = self.shared.heads.peek(head)?;
        let version = cell.version.load();
        Ok(HeadInfo {
            head,
            commit: version.commit,
            note: Arc::clone(&version.note),
            is_ephemeral: cell.is_ephemeral(),
        })
    }

    /// Makes a head that starts as `source` is now; durable like any commit.
    pub fn create_head(&self, source: HeadId, note: &[u8]) -> Result<HeadId> {
        let mut transaction = self.begin(source, BeginOptions::default())?;
        let head = transaction.create_head(source, note)?;
        transaction.commit()?;
        Ok(head)
    }

    /// Drops a head; those who read it go on.
    pub fn drop_head(&self, head: HeadId) -> Result<()> {
        let cell = self.shared.heads.peek(head)?;
        if cell.is_ephemeral() {
            self.shared.in_order(|| self.shared.heads.retire(&cell));
            drop(Publication::dropped(cell));
            return Ok(());
        }
        let mut transaction = self.begin(head, BeginOptions::default())?;
        transaction.drop_head(head)?;
        transaction.commit()?;
        Ok(())
    }

    /// Makes a head that lives in memory only, in O(1) and without any output: no log, no sync,
    /// no page in the file but what does not fit into memory. It is gone with
    /// [`drop_head`](Self::drop_head), or when the database is closed.
    pub fn fork_in_memory(&self, source: HeadId, note: &[u8]) -> Result<HeadId> {
        let shared = &self.shared;
        let pin = shared.pin()?;
        let source = shared.heads.get(source)?;
        let head = shared.heads.next_id();
        let version = source.version.load();
        let now = shared.clock.monotonic();
        pin.describe(TransactionId(0), head, version.commit, Some(now));
        let ephemeral = Ephemeral { ledgers: Mutex::new(Vec::new()), _pin: pin };
        let version = HeadVersion { head, note: Arc::from(note), ..(*version).clone() };
        let cell = HeadCell::new(Arc::new(version), Some(ephemeral));
        shared.in_order(|| shared.heads.insert(cell));
        Ok(head)
    }

    /// Makes a last checkpoint and stops. The log is empty afterwards.
    pub fn close(self) -> Result<()> {
        let is_writable = self.shared.has_log && !self.shared.queue.poison().is_poisoned();
        self.shared.checkpointer.stop();
        if is_writable {
            // A file that was closed is whole whatever happens then, at OFF too.
            self.shared.settings.set_synchronous(Synchronous::Full);
            self.shared.checkpoint(CheckpointMode::Truncate)?;
        }
        Ok(())
    }

    /// The file with its pages.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Where pages come from.
    pub fn pager(&self) -> &Arc<Pager> {
        self.shared.store.pager()
    }

    /// Ends the wait of a transaction for a lock; false if it does not wait.
    pub fn interrupt(&self, transaction: TransactionId) -> bool {
        self.shared.locks.interrupt(transaction)
    }

    /// Lets waits compare their deadlines with a simulated clock that was moved.
    pub fn clock_moved(&self) {
        self.shared.locks.clock_moved();
    }

    /// How far the log has come.
    pub fn progress(&self) -> Progress {
        self.shared.queue.progress()
    }

    /// How many commits named pages instead of being logged.
    pub fn large_transactions(&self) -> u64 {
        self.shared.large_transactions.load(Ordering::Relaxed)
    }

    /// Why writing is refused, if it is.
    pub fn poisoned(&self) -> Option<Error> {
        let poison = self.shared.queue.poison();
        poison.is_poisoned().then(|| poison.error())
    }

    /// The error of the last checkpoint in the background, if it failed.
    pub fn background_error(&self) -> Option<Error> {
        self.shared.checkpointer.last_error()
    }

    /// The version of a head that `commit` left, as far back as history is kept. Commits of
    /// other heads count: it is the newest one of the head that is not younger.
    pub fn version_at(&self, head: HeadId, commit: CommitId) -> Result<PastVersion> {
        self.shared.past_version(head, commit)
    }

    /// The newest commit that was made at a time (microseconds since 1970) or before.
    pub fn commit_at(&self, time: i64) -> Result<CommitId> {
        self.shared.commit_at(time)
    }

    /// The oldest and the newest moment that history is kept of; none while nothing is.
    pub fn history_span(&self) -> Result<Option<(Moment, Moment)>> {
        if let Some(recent) = &self.shared.recent {
            let now = self.shared.clock.now_micros();
            let oldest = recent.oldest(self.shared.history.retention(), now);
            return Ok(Some((oldest, oldest)));
        }
        self.shared.read_rest()?;
        Ok(self.shared.history.span())
    }

    /// The commits of a database in memory that are known, oldest first; none for others, whose
    /// log has them.
    pub fn recent_commits(&self) -> Option<Vec<Arc<RecentCommit>>> {
        self.shared.recent.as_ref().map(Recent::commits)
    }

    /// What the history of a database in memory costs.
    #[cfg(test)]
    pub(crate) fn kept_bytes(&self) -> usize {
        self.shared.recent.as_ref().map_or(0, Recent::bytes)
    }

    /// How far back history is kept.
    pub fn retention(&self) -> Retention {
        self.shared.history.retention()
    }

    /// Changes how far back history is kept; what is too old goes with the next checkpoint.
    pub fn set_retention(&self, retention: Retention) {
        self.shared.history.set_retention(retention);
    }

    /// Reads the log of what was committed from `from` up to now: the oldest position that can be
    /// asked for is that of the newest checkpoint or, in archive mode, of the oldest segment.
    pub fn read_log(&self, from: Lsn) -> Result<Reader> {
        let to = self.shared.queue.flush(crate::commit::Settled::Written)?.written;
        let store = &self.shared.store;
        let id = DatabaseId(store.database());
        Reader::open_range(&**store.vfs(), store.path(), id, from, to)
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        self.shared.checkpointer.stop();
    }
}
