//! A version of the past: the newest moment before it, and the log replayed up to it.
//!
//! Only heads are replayed that the wanted one came from: the log is read twice, once to find
//! which heads were forked or reset from which, once to do what was done to those. The result
//! lives in memory (large ones spill) as long as somebody holds it. Neighbours: `replay` does
//! single operations, `manager::recovery` replays everything.

use pandodb_ds::forest::Forest;
use pandodb_ds::space::Ledger;
use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Writer;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Moment, Trees};
use crate::error::{Error, ErrorKind, Result};
use crate::heads::HeadVersion;
use crate::ids::{CommitId, HeadId, Lsn};
use crate::manager::Shared;
use crate::replay;
use crate::snapshot::Pin;
use crate::wal::{LoggedTransaction, Operation, Reader};

/// A version of a head as it was. What it needs is kept while it lives.
#[derive(Debug)]
pub struct PastVersion {
    version: Arc<HeadVersion>,
    _ledger: Ledger,
    _pin: Arc<Pin>,
}

impl PastVersion {
    /// The version.
    pub fn version(&self) -> &Arc<HeadVersion> {
        &self.version
    }
}

struct Rebuild<'a> {
    shared: &'a Shared,
    moment: Moment,
    target: CommitId,
    wanted: FxHashSet<HeadId>,
    /// Heads that were reset to something that is not wanted: what comes next on them is not
    /// either, until they are reset again.
    lost: FxHashSet<HeadId>,
    heads: FxHashMap<HeadId, HeadVersion>,
    ledger: Ledger,
    dirty_bytes: usize,
}

impl Shared {
    /// The version of `head` that `commit` left.
    pub(crate) fn past_version(&self, head: HeadId, commit: CommitId) -> Result<PastVersion> {
        // Before the roots are looked up: what a checkpoint gives up from now on stays.
        let pin = Arc::new(self.pin()?);
        let newest = self.queue.with_log(|_, progress| progress.commit);
        if commit > newest {
            let message = format!("{commit} is not there yet: the newest is {newest}");
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        if let Ok(cell) = self.heads.get(head) {
            let version = cell.version.load();
            if version.commit <= commit {
                let ledger = self.store.pager().ledger();
                return Ok(PastVersion { version, _ledger: ledger, _pin: pin });
            }
        }
        if let Some(recent) = &self.recent {
            let now = self.clock.now_micros();
            let version = recent.version_at(self.history.retention(), now, (head, commit))?;
            let ledger = self.store.pager().ledger();
            return Ok(PastVersion { version, _ledger: ledger, _pin: pin });
        }
        self.read_rest()?;
        let moment = self.history.moment_before(commit)?;
        let mut rebuild = Rebuild {
            shared: self,
            moment,
            target: commit,
            wanted: FxHashSet::default(),
            lost: FxHashSet::default(),
            heads: FxHashMap::default(),
            ledger: self.store.pager().ledger(),
            dirty_bytes: 0,
        };
        rebuild.find_sources(head)?;
        rebuild.load_roots()?;
        rebuild.replay()?;
        let version = rebuild.heads.remove(&head).ok_or_else(|| {
            let message = format!("its branch did not exist at {commit} (head {})", head.0);
            Error::new(ErrorKind::NotFound, message)
        })?;
        Ok(PastVersion { version: Arc::new(version), _ledger: rebuild.ledger, _pin: pin })
    }

    /// The newest commit that was made at `time` (microseconds since 1970) or before.
    pub(crate) fn commit_at(&self, time: i64) -> Result<CommitId> {
        if let Some(recent) = &self.recent {
            let now = self.clock.now_micros();
            return recent.commit_at(self.history.retention(), now, time);
        }
        self.read_rest()?;
        let Some((oldest, _)) = self.history.span() else {
            let message = "no history is kept yet: see PRAGMA history_retention";
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        if time < oldest.time {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "the history begins at {} microseconds after 1970, {} before that is asked \
                     for (see PRAGMA history_retention)",
                    oldest.time,
                    oldest.time.saturating_sub(time)
                ),
            ));
        }
        let moment = self.history.moment_at(time).unwrap_or(oldest);
        let mut found = moment.commit;
        let mut reader = self.log_from(moment.position)?;
        while let Some(transaction) = reader.next_transaction()? {
            if transaction.commit > moment.commit {
                if transaction.info()?.time > time {
                    break;
                }
                found = transaction.commit;
            }
        }
        Ok(found)
    }

    fn log_from(&self, from: Lsn) -> Result<Reader> {
        let to = self.queue.flush(crate::commit::Settled::Written)?.written;
        let id = crate::wal::DatabaseId(self.store.database());
        Reader::open_range(&**self.store.vfs(), self.store.path(), id, from, to)
    }
}

impl super::History {
    /// The newest moment at or before a time.
    fn moment_at(&self, time: i64) -> Option<Moment> {
        let state = self.state();
        state.moments.iter().rev().find(|moment| moment.time <= time).copied()
    }
}

impl Rebuild<'_> {
    /// Calls `visit` with every transaction between the moment and the wanted commit.
    fn read(
        &mut self,
        mut visit: impl FnMut(&mut Self, &LoggedTransaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut reader = self.shared.log_from(self.moment.position)?;
        while let Some(transaction) = reader.next_transaction()? {
            if transaction.commit > self.target {
                break;
            }
            if transaction.commit > self.moment.commit {
                visit(self, &transaction)?;
            }
        }
        Ok(())
    }

    fn find_sources(&mut self, head: HeadId) -> Result<()> {
        let mut derived: Vec<(HeadId, HeadId)> = Vec::new();
        self.read(|_, transaction| {
            for entry in transaction.operations() {
                match entry?.1 {
                    Operation::CreateHead { head, source, .. }
                    | Operation::ResetHead { head, source, .. } => derived.push((head, source)),
                    _ => {}
                }
            }
            Ok(())
        })?;
        self.wanted.insert(head);
        // Every head is replayed up to the end, so what any of them was ever made from is
        // wanted too, not only what went into the asked one.
        loop {
            let before = self.wanted.len();
            for (head, source) in &derived {
                if self.wanted.contains(head) {
                    self.wanted.insert(*source);
                }
            }
            if self.wanted.len() == before {
                break;
            }
        }
        Ok(())
    }

    fn load_roots(&mut self) -> Result<()> {
        for head in &self.wanted {
            let Some(root) = self.shared.history.root_at(*head, self.moment) else { continue };
            let forest = match root.trees {
                Trees::Open(forest) => forest,
                Trees::Stored(directory) => Forest::unread(directory)?,
            };
            forest.read(self.shared.store.pager())?;
            let (head, commit, note) = (*head, root.commit, root.note);
            self.heads.insert(head, HeadVersion { head, commit, forest, note });
        }
        Ok(())
    }

    fn replay(&mut self) -> Result<()> {
        let (spill_bytes, _) = self.shared.size_limits();
        self.read(|rebuild, transaction| rebuild.transaction(transaction, spill_bytes))
    }

    fn transaction(
        &mut self,
        transaction: &LoggedTransaction<'_>,
        spill_bytes: usize,
    ) -> Result<()> {
        let commit = transaction.commit;
        let mut current = None;
        for entry in transaction.operations() {
            let (tree, operation) = entry?;
            match operation {
                Operation::Begin { head, .. } => {
                    current = self.wanted.contains(&head).then_some(head);
                }
                Operation::CreateHead { head, source, attributes, .. } => {
                    if let Some(version) = self.heads.get(&source).cloned()
                        && self.wanted.contains(&head)
                    {
                        let note = Arc::from(attributes);
                        self.heads.insert(head, HeadVersion { head, note, ..version });
                    }
                }
                Operation::ResetHead { head, source, .. } => {
                    let source = self.heads.get(&source).filter(|_| !self.lost.contains(&source));
                    let forest = source.map(|source| source.forest.clone());
                    if let (Some(forest), Some(version)) = (&forest, self.heads.get_mut(&head)) {
                        version.forest = forest.clone();
                        version.commit = commit;
                    }
                    if forest.is_some() {
                        self.lost.remove(&head);
                    } else {
                        self.lost.insert(head);
                    }
                }
                Operation::DropHead { head } => {
                    self.heads.remove(&head);
                }
                Operation::SetAttributes { head, attributes } => {
                    if let Some(version) = self.heads.get_mut(&head) {
                        version.note = Arc::from(attributes);
                    }
                }
                Operation::Roots { .. } if current.is_some() => {
                    // The checkpoint that keeps its moment may be under way still.
                    let message = format!(
                        "{commit} was too large to be logged by rows, and no checkpoint came \
                         between"
                    );
                    return Err(Error::new(ErrorKind::NotFound, message));
                }
                operation => self.change(current, commit, tree, &operation, spill_bytes)?,
            }
        }
        Ok(())
    }

    fn change(
        &mut self,
        head: Option<HeadId>,
        commit: CommitId,
        tree: crate::ids::TreeId,
        operation: &Operation<'_>,
        spill_bytes: usize,
    ) -> Result<()> {
        let head = head.filter(|head| !self.lost.contains(head));
        let Some(version) = head.and_then(|head| self.heads.get_mut(&head)) else {
            return Ok(());
        };
        let mut writer =
            Writer::new(self.shared.store.pager(), &mut self.ledger, &mut self.dirty_bytes);
        replay::apply(&mut version.forest, &mut writer, tree, operation)?;
        version.commit = commit;
        if *writer.dirty_bytes > spill_bytes {
            version.forest.spill(&mut writer)?;
        }
        Ok(())
    }
}
