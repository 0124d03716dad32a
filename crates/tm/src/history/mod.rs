//! Versions of the past: kept roots, and the log behind them.
//!
//! Now and then a checkpoint keeps what it wrote: a *moment*. Its roots stand in the registry of
//! the file under numbers of their own, so that their pages stay, and the log from there on is
//! not recycled. Any commit since the oldest moment is then the newest moment before it plus a
//! replay of the log up to the commit. How far back that reaches is the [`Retention`].
//!
//! A database in memory has no log: there the versions themselves are kept (`recent`).
//!
//! Neighbours: `record` is the stored form of a kept root, `rebuild` replays, `manager::checkpoint`
//! makes moments.

mod rebuild;
mod recent;
mod record;

#[cfg(all(test, not(loom)))]
mod tests;

use std::time::Duration;

use pandodb_ds::checkpoint::HeadChange;
use pandodb_ds::forest::Forest;
use pandodb_ds::format::TreeRoot;
use pandodb_ds::pager::Pager;
use pandodb_ds::store::SavedHead;
use pandodb_ds::sync::atomic::{AtomicU64, Ordering};
use pandodb_ds::sync::{Arc, Mutex, MutexGuard};
use rustc_hash::{FxHashMap, FxHashSet};

pub use rebuild::PastVersion;
pub(crate) use recent::{DEFAULT_BYTES, Recent};
pub use recent::{RecentCommit, RecentPart};
use record::Record;

use crate::error::{Error, ErrorKind, Result};
use crate::heads::{COUNTER, HEADS_END, HeadCell, HeadVersion};
use crate::ids::{CommitId, HeadId, Lsn};

/// How far back versions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// No longer than this; none: as long as `log_bytes` allows.
    pub time: Option<Duration>,
    /// No more log than this; none: as long as `time` allows. Both none keep everything.
    pub log_bytes: Option<u64>,
}

impl Retention {
    /// Nothing is kept.
    pub const NOTHING: Self = Self { time: Some(Duration::ZERO), log_bytes: Some(0) };

    pub(crate) fn keeps_nothing(self) -> bool {
        self.time == Some(Duration::ZERO) || self.log_bytes == Some(0)
    }

    /// The log between two moments. What is given up is given up moment by moment, so that about
    /// a quarter of little log is missing at the most, rather than all of it.
    fn spacing(self) -> u64 {
        let quarter = self.log_bytes.map_or(SPACING_BYTES, |most| most / 4);
        quarter.clamp(SPACING_BYTES_MIN, SPACING_BYTES)
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { time: Some(Duration::from_hours(24)), log_bytes: Some(64 << 20) }
    }
}

/// A new moment is kept once this much log was written since the one before.
const SPACING_BYTES: u64 = if cfg!(test) { 2000 } else { 8 << 20 };

/// And never before this much, however little is kept.
const SPACING_BYTES_MIN: u64 = SPACING_BYTES / 128;

/// Set in the number of a kept root, so that it is told apart from heads.
const KEPT: u64 = HEADS_END.0;

/// Whether a number of the registry is that of a kept root.
fn is_kept(head: HeadId) -> bool {
    head >= HEADS_END && head != COUNTER
}

/// The time of the moment that an entry of the registry belongs to, if it is a kept root.
pub(crate) fn time_of(saved: &SavedHead) -> Result<Option<i64>> {
    let record = is_kept(saved.id).then(|| Record::decode(&saved.note)).transpose()?;
    Ok(record.map(|record| record.time))
}

/// A checkpoint whose heads are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The newest commit in it.
    pub commit: CommitId,
    /// When it was made, in microseconds since 1970.
    pub time: i64,
    /// Where the log goes on.
    pub position: Lsn,
}

/// A head as a moment has it.
#[derive(Clone, Debug)]
struct Root {
    number: u64,
    moment: CommitId,
    commit: CommitId,
    note: Arc<[u8]>,
    trees: Trees,
    /// Whether the registry has it; if not, its pages are those of the newest checkpoint, and
    /// the next one puts it there.
    is_stored: bool,
}

#[derive(Clone, Debug)]
enum Trees {
    Stored(TreeRoot),
    Open(Forest),
}

#[derive(Debug, Default)]
struct State {
    moments: Vec<Moment>,
    /// The kept roots of each head, oldest first.
    roots: FxHashMap<HeadId, Vec<Root>>,
    /// Of heads that are gone and have roots: the newest commit when that was first seen. Moments
    /// from before may be asked for them, and for what was forked from them.
    gone: FxHashMap<HeadId, CommitId>,
    next: u64,
    is_loaded: bool,
}

/// What is kept.
#[derive(Debug)]
pub(crate) struct History {
    retention: Mutex<Retention>,
    /// [`History::due_bytes`], which each commit asks. It goes with the retention and stands for
    /// nothing else, hence relaxed.
    due_bytes: AtomicU64,
    state: Mutex<State>,
}

/// What a checkpoint adds to the registry and takes out of it for the history's sake.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    moment: Option<Moment>,
    added: Vec<(HeadId, Root)>,
    /// Roots of a moment that is kept already and that the registry lacks.
    stored: Vec<(Moment, HeadId, Root)>,
    dropped: Vec<u64>,
    kept_moments: usize,
}

impl History {
    pub(crate) fn new(retention: Retention) -> Self {
        Self {
            retention: Mutex::new(retention),
            due_bytes: AtomicU64::new(due_bytes(retention)),
            state: Mutex::new(State::default()),
        }
    }

    pub(crate) fn retention(&self) -> Retention {
        *self.retention.lock()
    }

    pub(crate) fn set_retention(&self, retention: Retention) {
        *self.retention.lock() = retention;
        self.due_bytes.store(due_bytes(retention), Ordering::Relaxed);
    }

    /// A checkpoint is due for the history's sake once the log has grown by this.
    pub(crate) fn due_bytes(&self) -> u64 {
        self.due_bytes.load(Ordering::Relaxed)
    }

    /// Whether the log must outlive checkpoints.
    pub(crate) fn is_active(&self) -> bool {
        !self.retention().keeps_nothing()
    }

    /// Takes over what the registry of an opened file has. Moments before `log_start`, the
    /// oldest position that the log can be read from, are of no use and go with the next
    /// checkpoint. Where no moment is left, the newest checkpoint, `current` with its `heads`,
    /// is the first one.
    ///
    /// After an error nothing has changed, and `heads` was not called or has failed.
    pub(crate) fn load(
        &self,
        saved: &[SavedHead],
        log_start: Lsn,
        current: Moment,
        heads: impl FnOnce() -> Result<Vec<Arc<HeadVersion>>>,
    ) -> Result<()> {
        let mut state = State::default();
        for head in saved.iter().filter(|head| is_kept(head.id)) {
            let record = Record::decode(&head.note)?;
            state.next = state.next.max((head.id.0 & !KEPT) + 1);
            if record.position >= log_start {
                let moment =
                    Moment { commit: record.moment, time: record.time, position: record.position };
                if !state.moments.contains(&moment) {
                    state.moments.push(moment);
                }
            }
            let root = Root {
                number: head.id.0,
                moment: record.moment,
                commit: record.commit,
                note: Arc::from(record.note),
                trees: Trees::Stored(head.directory),
                is_stored: true,
            };
            state.roots.entry(record.head).or_default().push(root);
        }
        let heads = heads()?;
        if state.moments.is_empty() && self.is_active() {
            state.moments.push(current);
            for version in &heads {
                let number = KEPT | state.next;
                state.next += 1;
                let root = Root {
                    number,
                    moment: current.commit,
                    commit: version.commit,
                    note: Arc::clone(&version.note),
                    trees: Trees::Open(version.forest.clone()),
                    is_stored: false,
                };
                state.roots.entry(version.head).or_default().push(root);
            }
        }
        state.moments.sort_by_key(|moment| moment.commit);
        for roots in state.roots.values_mut() {
            roots.sort_by_key(|root| root.moment);
        }
        state.is_loaded = true;
        *self.state.lock() = state;
        Ok(())
    }

    /// What is kept; nobody asks before it was loaded.
    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.state.lock();
        debug_assert!(state.is_loaded, "what the history keeps is still in the file");
        state
    }

    /// Reads the directories of all kept roots: they are about to be moved in the file.
    pub(crate) fn read_all(&self, pager: &Arc<Pager>) -> Result<()> {
        let mut state = self.state();
        for root in state.roots.values_mut().flatten() {
            if let Trees::Stored(directory) = root.trees {
                root.trees = Trees::Open(Forest::unread(directory)?);
            }
            if let Trees::Open(forest) = &root.trees {
                forest.read(pager)?;
            }
        }
        Ok(())
    }

    /// The position from which on the log is needed; none when it is not.
    pub(crate) fn log_start(&self) -> Option<Lsn> {
        self.state().moments.first().map(|moment| moment.position)
    }

    /// The oldest and the newest moment.
    pub(crate) fn span(&self) -> Option<(Moment, Moment)> {
        let state = self.state();
        Some((*state.moments.first()?, *state.moments.last()?))
    }

    /// Decides what a checkpoint of `heads` keeps and gives up. A `forced` moment is kept
    /// whatever its distance: the log cannot be replayed across it.
    pub(crate) fn plan(
        &self,
        heads: &[(Arc<HeadCell>, Arc<HeadVersion>)],
        now: Moment,
        forced: bool,
    ) -> Plan {
        let retention = self.retention();
        let mut state = self.state();
        let mut plan = Plan::default();
        let is_due = match state.moments.last() {
            Some(last) => {
                now.commit > last.commit
                    && (forced || now.position.since(last.position) >= retention.spacing())
            }
            None => true,
        };
        if !retention.keeps_nothing() && is_due {
            plan.moment = Some(now);
            for (cell, version) in heads {
                let last = state.roots.get(&cell.id).and_then(|roots| roots.last());
                if last.is_some_and(|root| root.commit == version.commit) {
                    continue;
                }
                let number = KEPT | state.next;
                state.next += 1;
                let root = Root {
                    number,
                    moment: now.commit,
                    commit: version.commit,
                    note: Arc::clone(&version.note),
                    trees: Trees::Open(version.forest.clone()),
                    is_stored: true,
                };
                plan.added.push((cell.id, root));
            }
        }
        state.note_gone(heads, now.commit);
        plan.kept_moments = state.kept_moments(retention, now);
        (plan.stored, plan.dropped) = state.superseded(&plan);
        plan
    }

    /// Makes a plan true once its checkpoint is; `written` are the heads as they are in the file.
    pub(crate) fn complete(
        &self,
        plan: Plan,
        written: &[(pandodb_ds::checkpoint::HeadId, Forest)],
    ) {
        let mut state = self.state();
        let dropped: FxHashSet<u64> = plan.dropped.iter().copied().collect();
        let stored: FxHashSet<u64> = plan.stored.iter().map(|(_, _, root)| root.number).collect();
        for root in state.roots.values_mut().flatten() {
            root.is_stored |= stored.contains(&root.number);
        }
        if !dropped.is_empty() {
            for roots in state.roots.values_mut() {
                roots.retain(|root| !dropped.contains(&root.number));
            }
            state.roots.retain(|_, roots| !roots.is_empty());
        }
        let gone = state.moments.len() - plan.kept_moments.min(state.moments.len());
        state.moments.drain(..gone);
        let files: FxHashMap<u64, &Forest> =
            written.iter().map(|(head, forest)| (head.0, forest)).collect();
        for (head, mut root) in plan.added {
            if let Some(forest) = files.get(&root.number) {
                root.trees = Trees::Open((*forest).clone());
            }
            state.roots.entry(head).or_default().push(root);
        }
        state.moments.extend(plan.moment);
    }

    /// The newest moment at or before `commit`.
    fn moment_before(&self, commit: CommitId) -> Result<Moment> {
        let state = self.state();
        let found = state.moments.iter().rev().find(|moment| moment.commit <= commit);
        found.copied().ok_or_else(|| match state.moments.first() {
            Some(oldest) => Error::new(
                ErrorKind::NotFound,
                format!(
                    "{commit} is older than the history that is kept: the oldest is {} \
                     (see PRAGMA history_retention)",
                    oldest.commit
                ),
            ),
            None => Error::new(
                ErrorKind::NotFound,
                "no history is kept yet: see PRAGMA history_retention",
            ),
        })
    }

    /// A head's root as of a moment; none when the head did not exist.
    fn root_at(&self, head: HeadId, moment: Moment) -> Option<Root> {
        let state = self.state();
        let roots = state.roots.get(&head)?;
        roots.iter().rev().find(|root| root.moment <= moment.commit).cloned()
    }
}

/// Where little log is kept, moments are made for it; else those of other checkpoints do.
fn due_bytes(retention: Retention) -> u64 {
    let spacing = retention.spacing();
    if retention.keeps_nothing() || spacing >= SPACING_BYTES { u64::MAX } else { spacing }
}

impl Plan {
    /// The changes of the registry.
    pub(crate) fn changes(&self) -> Vec<(pandodb_ds::checkpoint::HeadId, HeadChange)> {
        use pandodb_ds::checkpoint::HeadId as Number;
        let added = self.added.iter().filter_map(|(head, root)| Some((self.moment?, *head, root)));
        let stored = self.stored.iter().map(|(moment, head, root)| (*moment, *head, root));
        let mut changes = Vec::new();
        for (moment, head, root) in added.chain(stored) {
            let Trees::Open(forest) = &root.trees else { continue };
            let record = Record {
                head,
                moment: moment.commit,
                time: moment.time,
                position: moment.position,
                commit: root.commit,
                note: &root.note,
            };
            let change = HeadChange::Put { forest: forest.clone(), note: record.encode() };
            changes.push((Number(root.number), change));
        }
        changes.extend(self.dropped.iter().map(|number| (Number(*number), HeadChange::Drop)));
        changes
    }
}

impl State {
    /// How many of the moments there are now stay: those that cover what is to be kept.
    fn kept_moments(&self, retention: Retention, now: Moment) -> usize {
        if retention.keeps_nothing() {
            return 0;
        }
        let oldest_time = retention.time.map(|time| {
            now.time.saturating_sub(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
        });
        let mut first = 0;
        while let Some(moment) = self.moments.get(first) {
            // A moment still serves the time up to the next one.
            let next = self.moments.get(first + 1).copied().unwrap_or(now);
            let is_old = oldest_time.is_some_and(|oldest| next.time <= oldest);
            let is_long =
                retention.log_bytes.is_some_and(|most| now.position.since(moment.position) > most);
            if !is_old && !is_long {
                break;
            }
            first += 1;
        }
        self.moments.len() - first
    }

    /// Notes which heads that have roots are gone by `commit`.
    fn note_gone(&mut self, heads: &[(Arc<HeadCell>, Arc<HeadVersion>)], commit: CommitId) {
        let alive: FxHashSet<HeadId> = heads.iter().map(|(cell, _)| cell.id).collect();
        let Self { roots, gone, .. } = self;
        gone.retain(|head, _| roots.contains_key(head) && !alive.contains(head));
        for head in roots.keys().filter(|head| !alive.contains(head)) {
            gone.entry(*head).or_insert(commit);
        }
    }

    /// Roots that the registry lacks and that are read by a kept moment; and roots that none
    /// reads: those behind which another one is as old as the oldest kept moment, and those of
    /// heads that were gone by then.
    #[allow(clippy::type_complexity, reason = "the two lists go straight into a plan")]
    fn superseded(&self, plan: &Plan) -> (Vec<(Moment, HeadId, Root)>, Vec<u64>) {
        let oldest = self.moments.len().checked_sub(plan.kept_moments);
        // Where no moment stays, the new one reads the older roots of heads that did not change.
        let oldest = oldest.and_then(|first| self.moments.get(first)).or(plan.moment.as_ref());
        let added: FxHashSet<HeadId> = plan.added.iter().map(|(head, _)| *head).collect();
        let new = |head| plan.moment.filter(|_| added.contains(head)).map(|moment| moment.commit);
        let (mut lacking, mut superseded) = (Vec::new(), Vec::new());
        for (head, roots) in &self.roots {
            for (at, root) in roots.iter().enumerate() {
                let next = roots.get(at + 1).map(|next| next.moment).or_else(|| new(head));
                let is_read = oldest.is_some_and(|oldest| {
                    next.is_none_or(|next| next > oldest.commit)
                        && self.gone.get(head).is_none_or(|gone| *gone > oldest.commit)
                });
                let moment = self.moments.iter().find(|moment| moment.commit == root.moment);
                match moment {
                    Some(moment) if is_read && !root.is_stored => {
                        lacking.push((*moment, *head, root.clone()));
                    }
                    _ if is_read => {}
                    _ => superseded.push(root.number),
                }
            }
        }
        (lacking, superseded)
    }
}
