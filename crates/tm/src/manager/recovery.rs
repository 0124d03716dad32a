//! What opening does: the whole transactions of the log that came after the newest checkpoint, on
//! the heads of that which they name.
//!
//! Nothing is written but pages that do not fit into memory, which no superblock names: a crash
//! in the middle changes nothing, and the next opening does the same again. A transaction that
//! the checkpoint holds already is skipped by its number, so that it does not matter that the
//! log position of a checkpoint may lie before its newest commit. Neighbours: `wal::Reader` finds
//! the end of the log, `replay` does the operations, `rest` reads what opening leaves alone.

use pandodb_ds::forest::Forest;
use pandodb_ds::space::Ledger;
use pandodb_ds::store::Store;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Writer;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::heads::{COUNTER, HeadVersion, Heads, MAIN, Unread, missing};
use crate::history;
use crate::ids::{CommitId, HeadId, Lsn};
use crate::options::{Options, RecoveryProgress};
use crate::replay;
use crate::wal::{DatabaseId, LogEnd, LoggedTransaction, Operation, Reader};

/// The callback hears of a replay this often, in bytes of log.
const PROGRESS_BYTES: u64 = 4 << 20;

/// Replay keeps this many times as many bytes of changed pages in memory as a transaction does.
///
/// Rows of a log come in no order: once pages have been moved out, nearly every further row
/// changes one that is out, and brings a whole page back for it.
const SPILL_TIMES: usize = 4;

/// The state that a database is opened with.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) heads: Heads,
    pub(super) commit: CommitId,
    pub(super) end: LogEnd,
    /// No commit is later than this.
    pub(super) time: i64,
}

/// The first head of a new database, empty.
pub(super) fn first_head() -> HeadVersion {
    let note = Arc::from([].as_slice());
    HeadVersion { head: MAIN, commit: CommitId(0), forest: Forest::new(), note }
}

/// Heads while the log is replayed.
struct Replay<'a> {
    store: &'a Store,
    /// Those that the log names; the others stay in the file.
    heads: FxHashMap<HeadId, Arc<HeadVersion>>,
    unread: Unread,
    ledger: Ledger,
    dirty_bytes: usize,
    spill_bytes: usize,
    next_head: u64,
    time: i64,
}

pub(super) fn recover(store: &Store, options: &Options) -> Result<Recovered> {
    let unread = Unread::new(store.registry())?;
    let next_head = unread.next_head()?;
    let saved_commit = CommitId(store.saved_commit());
    let mut heads = FxHashMap::default();
    if !unread.has_any() && saved_commit == CommitId(0) {
        heads.insert(MAIN, Arc::new(first_head()));
    }
    // The newest of what the history keeps may be later than the checkpoint, where the clock was
    // set back in between.
    let kept = unread.registry().last_before(COUNTER)?;
    let kept_time = kept.map_or(Ok(None), |kept| history::time_of(&kept))?;
    let mut replay = Replay {
        store,
        heads,
        unread,
        ledger: store.pager().ledger(),
        dirty_bytes: 0,
        spill_bytes: options.spill_bytes.saturating_mul(SPILL_TIMES).max(options.store.cache_bytes),
        next_head,
        time: store.last_checkpoint_time().max(kept_time.unwrap_or(i64::MIN)),
    };
    let end = replay.run(saved_commit, options)?;
    let commit = end.commit.unwrap_or_default().max(saved_commit);
    let Replay { heads, unread, ledger, next_head, time, .. } = replay;
    store.adopt(ledger);
    let pager = Arc::clone(store.pager());
    let unread = unread.has_any().then_some(unread);
    let heads = Heads::new(heads.into_values(), unread, next_head, pager);
    Ok(Recovered { heads, commit, end, time })
}

impl Replay<'_> {
    fn run(&mut self, saved_commit: CommitId, options: &Options) -> Result<LogEnd> {
        let store = self.store;
        let start = Lsn(store.log_position());
        let id = DatabaseId(store.database());
        let mut reader = Reader::open(&**store.vfs(), store.path(), id, start)?;
        let mut progress = RecoveryProgress { transactions: 0, bytes: 0, commit: saved_commit };
        let mut told = 0;
        while let Some(transaction) = reader.next_transaction()? {
            progress.bytes += transaction.len();
            self.time = self.time.max(transaction.info()?.time);
            if transaction.commit <= saved_commit {
                continue;
            }
            self.transaction(&transaction)?;
            progress.transactions += 1;
            progress.commit = transaction.commit;
            if progress.bytes - told >= PROGRESS_BYTES {
                told = progress.bytes;
                if let Some(callback) = &options.on_recovery {
                    callback(progress);
                }
            }
        }
        if let Some(callback) = options.on_recovery.as_ref().filter(|_| progress.transactions > 0) {
            callback(progress);
        }
        reader.end()
    }

    fn transaction(&mut self, transaction: &LoggedTransaction<'_>) -> Result<()> {
        let commit = transaction.commit;
        let mut current: Option<HeadVersion> = None;
        for entry in transaction.operations() {
            let (tree, operation) = entry?;
            if let Operation::Put { .. }
            | Operation::Delete { .. }
            | Operation::DeleteRange { .. }
            | Operation::CreateTree { .. }
            | Operation::DropTree = operation
            {
                let Some(version) = &mut current else { return Err(out_of_order(commit)) };
                version.commit = commit;
                let mut writer =
                    Writer::new(self.store.pager(), &mut self.ledger, &mut self.dirty_bytes);
                replay::apply(&mut version.forest, &mut writer, tree, &operation)?;
                if self.dirty_bytes > self.spill_bytes {
                    self.spill(version)?;
                }
                continue;
            }
            // Operations on heads see what the transaction did to trees before them.
            self.put_back(&mut current);
            if let Operation::Begin { head, .. } = operation {
                current = self.take(head)?;
            } else {
                self.head_operation(commit, &operation)?;
            }
        }
        self.put_back(&mut current);
        Ok(())
    }

    /// A head as the log has left it so far.
    fn head(&mut self, head: HeadId) -> Result<Option<&Arc<HeadVersion>>> {
        if let Some(version) = self.unread.take(head)? {
            self.heads.insert(head, version);
        }
        Ok(self.heads.get(&head))
    }

    fn existing(&mut self, head: HeadId) -> Result<&Arc<HeadVersion>> {
        self.head(head)?.ok_or_else(|| missing(head))
    }

    /// Takes a head out to be changed, so that its forest is not shared.
    fn take(&mut self, head: HeadId) -> Result<Option<HeadVersion>> {
        self.head(head)?;
        let Some(version) = self.heads.remove(&head) else { return Ok(None) };
        version.forest.read(self.store.pager())?;
        Ok(Some(Arc::try_unwrap(version).unwrap_or_else(|shared| (*shared).clone())))
    }

    fn put_back(&mut self, current: &mut Option<HeadVersion>) {
        if let Some(version) = current.take() {
            self.heads.insert(version.head, Arc::new(version));
        }
    }

    fn head_operation(&mut self, commit: CommitId, operation: &Operation<'_>) -> Result<()> {
        match *operation {
            Operation::CreateHead { head, source, attributes, .. } => {
                let source = self.existing(source)?;
                let note = Arc::from(attributes);
                let version = HeadVersion { head, note, ..(**source).clone() };
                self.heads.insert(head, Arc::new(version));
                self.next_head = self.next_head.max(head.0 + 1);
            }
            Operation::DropHead { head } => {
                self.head(head)?;
                self.heads.remove(&head);
            }
            Operation::ResetHead { head, source, .. } => {
                let forest = self.existing(source)?.forest.clone();
                let target = self.existing(head)?;
                let version = HeadVersion { commit, forest, ..(**target).clone() };
                self.heads.insert(head, Arc::new(version));
            }
            Operation::SetAttributes { head, attributes } => {
                let target = self.existing(head)?;
                let version = HeadVersion { note: Arc::from(attributes), ..(**target).clone() };
                self.heads.insert(head, Arc::new(version));
            }
            Operation::Roots { .. } => {
                return Err(Error::corrupt(format!(
                    "{commit} is in the log, but the checkpoint that holds its pages is not in \
                     the file"
                )));
            }
            _ => {}
        }
        Ok(())
    }

    /// Moves pages out of memory, of the head that is being changed and of all others.
    fn spill(&mut self, current: &mut HeadVersion) -> Result<()> {
        let mut writer = Writer::new(self.store.pager(), &mut self.ledger, &mut self.dirty_bytes);
        current.forest.spill(&mut writer)?;
        for version in self.heads.values_mut() {
            if let Some(version) = Arc::get_mut(version) {
                version.forest.spill(&mut writer)?;
            }
        }
        self.dirty_bytes = 0;
        Ok(())
    }
}

#[cold]
fn out_of_order(commit: CommitId) -> Error {
    Error::corrupt(format!("{commit} in the log changes a tree of a head that does not exist"))
}
