//! What opening does: the heads of the newest checkpoint, and the whole transactions of the log
//! that came after it.
//!
//! Nothing is written but pages that do not fit into memory, which no superblock names: a crash
//! in the middle changes nothing, and the next opening does the same again. A transaction that
//! the checkpoint holds already is skipped by its number, so that it does not matter that the
//! log position of a checkpoint may lie before its newest commit. Neighbours: `wal::Reader` finds
//! the end of the log, `replay` does the operations.

use pandodb_ds::forest::Forest;
use pandodb_ds::space::Ledger;
use pandodb_ds::store::{SavedHead, Store};
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Writer;
use rustc_hash::FxHashMap;

use super::checkpoint::decode_note;
use crate::error::{Error, Result};
use crate::heads::{COUNTER, HeadVersion, Heads, MAIN, missing};
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
    /// The heads as the newest checkpoint has them.
    pub(super) saved: FxHashMap<HeadId, Arc<HeadVersion>>,
    /// Everything that the registry names, kept roots included.
    pub(super) registry: Vec<SavedHead>,
    pub(super) commit: CommitId,
    pub(super) end: LogEnd,
    /// No commit is later than this.
    pub(super) time: i64,
}

/// The greatest number that any head ever had.
fn counted_heads(note: &[u8]) -> Result<u64> {
    let next = <[u8; 8]>::try_from(note).map(u64::from_le_bytes);
    let next = next.map_err(|_| Error::corrupt("the counter of heads is cut short"))?;
    Ok(next.saturating_sub(1))
}

impl Recovered {
    /// The heads of the newest checkpoint; of a new database the first head, empty.
    pub(super) fn saved_or_first(&self) -> Vec<Arc<HeadVersion>> {
        if self.saved.is_empty() {
            vec![Arc::new(first_head())]
        } else {
            self.saved.values().cloned().collect()
        }
    }
}

fn first_head() -> HeadVersion {
    let note = Arc::from([].as_slice());
    HeadVersion { head: MAIN, commit: CommitId(0), forest: Forest::new(), note }
}

/// Heads while the log is replayed.
struct Replay<'a> {
    store: &'a Store,
    heads: FxHashMap<HeadId, Arc<HeadVersion>>,
    ledger: Ledger,
    dirty_bytes: usize,
    spill_bytes: usize,
    highest_head: u64,
    time: i64,
}

pub(super) fn recover(store: &Store, options: &Options) -> Result<Recovered> {
    let mut saved = FxHashMap::default();
    let mut highest_head = 0;
    let registry = store.heads()?;
    for head in &registry {
        if head.id == COUNTER {
            highest_head = counted_heads(&head.note)?;
            continue;
        }
        if history::is_kept(head.id.0) {
            continue;
        }
        // Read when somebody asks for the head: there may be thousands.
        let forest = Forest::unread(head.directory)?;
        let (commit, note) = decode_note(&head.note)?;
        let version = HeadVersion { head: head.id, commit, forest, note: Arc::from(note) };
        saved.insert(head.id, Arc::new(version));
    }
    let saved_commit = CommitId(store.saved_commit());
    let mut heads = saved.clone();
    if heads.is_empty() && saved_commit == CommitId(0) {
        heads.insert(MAIN, Arc::new(first_head()));
    }
    let mut replay = Replay {
        store,
        heads,
        ledger: store.pager().ledger(),
        dirty_bytes: 0,
        spill_bytes: options.spill_bytes.saturating_mul(SPILL_TIMES).max(options.store.cache_bytes),
        highest_head,
        time: store.last_checkpoint_time(),
    };
    let end = replay.run(saved_commit, options)?;
    let commit = end.commit.unwrap_or_default().max(saved_commit);
    let Replay { heads, ledger, highest_head, time, .. } = replay;
    store.adopt(ledger);
    let pager = Arc::clone(store.pager());
    let heads = Heads::new(heads.into_values(), highest_head + 1, pager);
    Ok(Recovered { heads, saved, registry, commit, end, time })
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

    /// Takes a head out to be changed, so that its forest is not shared.
    fn take(&mut self, head: HeadId) -> Result<Option<HeadVersion>> {
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
                let source = self.heads.get(&source).ok_or_else(|| missing(source))?;
                let note = Arc::from(attributes);
                let version = HeadVersion { head, note, ..(**source).clone() };
                self.heads.insert(head, Arc::new(version));
                self.highest_head = self.highest_head.max(head.0);
            }
            Operation::DropHead { head } => {
                self.heads.remove(&head);
            }
            Operation::ResetHead { head, source, .. } => {
                let source = self.heads.get(&source).ok_or_else(|| missing(source))?;
                let forest = source.forest.clone();
                let target = self.heads.get(&head).ok_or_else(|| missing(head))?;
                let version = HeadVersion { commit, forest, ..(**target).clone() };
                self.heads.insert(head, Arc::new(version));
            }
            Operation::SetAttributes { head, attributes } => {
                let target = self.heads.get(&head).ok_or_else(|| missing(head))?;
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
