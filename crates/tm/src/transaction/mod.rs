//! A transaction: private versions of the heads it works on, and the log of what it did.
//!
//! Reading costs what the tree costs: there is no lock and no version to check. A change goes to
//! the private version and, encoded, to the log buffer. Nothing of it can be seen by others before
//! the commit (except at the level that asks for it), and dropping the transaction, by a panic
//! too, leaves nothing behind: no lock, no pin, no space.
//!
//! Several heads can be worked on at once: [`enlist`](Transaction::enlist) adds one,
//! [`use_head`](Transaction::use_head) says which one the next calls are about, and the commit is
//! one for all of them. Neighbours: `read`, `write`, `locking`, `savepoint`, `rebase`, `commit`
//! are the verbs; `part` is what is held of a head.

mod commit;
mod cursor;
mod held;
mod locking;
mod parking;
mod part;
mod pending;
mod publication;
mod read;
mod reads;
mod rebase;
mod savepoint;
mod write;

#[cfg(all(test, not(loom)))]
mod pending_tests;
#[cfg(all(test, not(loom)))]
pub(crate) mod tests;

use std::fmt;
use std::time::Duration;

use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use smallvec::SmallVec;

use crate::error::{Error, ErrorKind, Result};
use crate::heads::OpenMoment;
use crate::ids::{CommitId, HeadId, TransactionId, TreeId};
use crate::isolation::{BeginOptions, Isolation};
use crate::lock::LockOwner;
use crate::manager::Shared;
use crate::nearby::Nearby;
use crate::snapshot::Pin;
use crate::wal::FrameBuffer;

pub(crate) use commit::Entered;
pub use cursor::Cursor;
use held::Held;
pub(crate) use part::Part;
use part::Registration;
pub(crate) use publication::{Change, Publication};
use reads::ReadSet;
pub use rebase::Clash;
use savepoint::SavedState;
pub use savepoint::{LightSavepoint, Savepoint};

/// A running transaction. See the [module](self).
pub struct Transaction {
    shared: Nearby<Shared>,
    id: TransactionId,
    options: BeginOptions,
    timeout: Duration,
    /// Reads change this at the levels that lock or follow the head. The lock is there so that
    /// the threads of one statement can read; changes have the transaction to themselves.
    state: Held,
    /// Dropped behind the versions that it covers.
    pin: Pin,
    /// What heads that are enlisted later are seen at.
    moment: Option<OpenMoment>,
    frames: FrameBuffer,
    /// The head that logged operations are on unless another one is named first.
    logged_head: Option<HeadId>,
    savepoints: Vec<SavedState>,
    next_savepoint: u64,
    head_changes: Vec<HeadChange>,
    dependencies: Vec<Dependency>,
    /// The authors and messages that others replaced, for the way back to a savepoint.
    described: Vec<(String, String)>,
    /// How many looks at constraints are under way.
    checks: AtomicUsize,
    /// How many looks that nothing relies on.
    guesses: AtomicUsize,
    /// When it was committed, for the history.
    commit_time: i64,
    /// Operations that changed something.
    changes: u64,
    /// Too large for the log: the commit names pages instead.
    is_large: bool,
    /// A change was cut short by an error, so that the private version is not to be trusted.
    is_broken: AtomicBool,
}

/// What is held; dropped in this order.
#[derive(Debug)]
struct State {
    parts: SmallVec<[Part; 1]>,
    current: usize,
    /// What was read of ranges, where the commit must find it as it was.
    reads: ReadSet,
    /// Made when the first lock is needed.
    owner: Option<LockOwner>,
}

/// A change of the set of heads, made true by the commit.
#[derive(Clone, Debug)]
enum HeadChange {
    Create { head: HeadId, source: HeadId, note: Arc<[u8]> },
    Drop { head: HeadId },
    Reset { head: HeadId, source: HeadId },
    SetNote { head: HeadId, note: Arc<[u8]> },
}

impl HeadChange {
    /// Whether a head comes, goes or moves with it.
    fn is_about(&self, wanted: HeadId) -> bool {
        match self {
            Self::Create { head, source, .. } | Self::Reset { head, source } => {
                *head == wanted || *source == wanted
            }
            Self::Drop { head } | Self::SetNote { head, .. } => *head == wanted,
        }
    }
}

/// Something that a commit at a level that checks rows must find as it was.
#[derive(Clone, Debug)]
struct Dependency {
    head: HeadId,
    tree: TreeId,
    keys: Keys,
}

/// A key, or all from one up to but without another (none: the end).
#[derive(Clone, Debug)]
enum Keys {
    One(Vec<u8>),
    Range(Vec<u8>, Option<Vec<u8>>),
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("id", &self.id)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Transaction {
    pub(crate) fn begin(
        shared: &Nearby<Shared>,
        heads: &[HeadId],
        options: BeginOptions,
    ) -> Result<Self> {
        let id = shared.next_transaction_id();
        let pin = shared.pin()?;
        let isolation = options.isolation;
        let mut registrations: SmallVec<[Registration; 1]> = SmallVec::new();
        for head in heads {
            registrations.push(Registration::new(shared.heads.get(*head)?, isolation));
        }
        if registrations.is_empty() {
            return Err(Error::new(ErrorKind::Limit, "a transaction needs a head"));
        }
        // Behind a commit that is under way: it may have looked before the registration, and
        // several heads must be seen at one moment.
        let keeps_moment = options.keeps_moment && options.sees_one_moment();
        let is_ordered = isolation == Isolation::Serializable || heads.len() > 1;
        let load = || -> SmallVec<[Part; 1]> { registrations.into_iter().map(Part::new).collect() };
        let (parts, moment) = if keeps_moment {
            let open = |newest| (load(), Some(OpenMoment::new(&shared.heads, newest)));
            shared.queue.with_log(|_, progress| open(progress.commit))
        } else {
            (if is_ordered { shared.in_order(load) } else { load() }, None)
        };
        if let Some(first) = parts.first() {
            pin.describe(id, first.head(), first.base.commit, Some(shared.clock.monotonic()));
        }
        let timeout = options.busy_timeout.unwrap_or_else(|| shared.busy_timeout());
        let reads = ReadSet::default();
        let state = State { parts, current: 0, reads, owner: None };
        Ok(Self {
            shared: shared.clone(),
            id,
            options,
            timeout,
            state: Held::new(state),
            pin,
            moment,
            frames: FrameBuffer::new(),
            logged_head: None,
            savepoints: Vec::new(),
            next_savepoint: 0,
            head_changes: Vec::new(),
            dependencies: Vec::new(),
            described: Vec::new(),
            checks: AtomicUsize::new(0),
            guesses: AtomicUsize::new(0),
            commit_time: 0,
            changes: 0,
            is_large: false,
            is_broken: AtomicBool::new(false),
        })
    }

    /// Its number.
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// Its level.
    pub fn isolation(&self) -> Isolation {
        self.options.isolation
    }

    /// Whether writes are errors.
    pub fn is_read_only(&self) -> bool {
        self.options.read_only || self.shared.is_read_only
    }

    /// Whether anything was changed, so that a commit has something to do.
    pub fn has_changes(&self) -> bool {
        self.changes > 0 || !self.head_changes.is_empty()
    }

    /// The heads whose trees differ from those that it began with.
    pub fn changed_heads(&self) -> Vec<HeadId> {
        let state = self.state.read();
        let is_changed = |part: &&Part| part.private.as_ref().is_some_and(|own| own.is_changed);
        state.parts.iter().filter(is_changed).map(Part::head).collect()
    }

    /// The head that the calls are about.
    #[inline]
    pub fn head(&self) -> HeadId {
        let state = self.state.read();
        state.parts[state.current].head()
    }

    /// The commit that the current head stood on when the transaction last looked.
    pub fn base_commit(&self) -> CommitId {
        let state = self.state.read();
        state.parts[state.current].base.commit
    }

    /// The note of the current head as the transaction sees it.
    pub fn note(&self) -> Arc<[u8]> {
        let state = self.state.read();
        Arc::clone(&state.parts[state.current].base.note)
    }

    /// Where pages come from: for cursors, large values and comparisons.
    pub fn pager(&self) -> &Arc<Pager> {
        self.shared.store.pager()
    }

    /// Says who commits and why, for the history.
    pub fn describe(&mut self, author: impl Into<String>, message: impl Into<String>) {
        let author = std::mem::replace(&mut self.options.author, author.into());
        let message = std::mem::replace(&mut self.options.message, message.into());
        self.described.push((author, message));
    }

    /// Sets the bits that the crates above keep with the commit.
    pub fn set_flags(&mut self, flags: u64) {
        self.options.flags = flags;
    }

    /// Changes how long a lock is waited for.
    pub fn set_busy_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Works on another head too, as it is now; it becomes the current one.
    pub fn enlist(&mut self, head: HeadId) -> Result<()> {
        if self.use_head(head).is_ok() {
            return Ok(());
        }
        let cell = self.shared.heads.get(head)?;
        let registration = Registration::new(cell, self.options.isolation);
        let part = self.shared.in_order(|| Part::new(registration));
        let state = self.state.get_mut();
        state.parts.push(part);
        state.current = state.parts.len() - 1;
        Ok(())
    }

    /// As [`enlist`](Self::enlist), for a transaction that [keeps its
    /// moment](BeginOptions::keeps_moment): the head is seen as it was at the begin, and one that
    /// was dropped since is there still. One that came later is seen as it is now.
    pub fn enlist_as_begun(&mut self, head: HeadId) -> Result<()> {
        let Some(moment) = &self.moment else { return self.enlist(head) };
        if self.state.get_mut().parts.iter().any(|part| part.head() == head) {
            return self.use_head(head);
        }
        let isolation = self.options.isolation;
        // Looked at before what commits have replaced: in between it may go.
        let newest = self.shared.heads.get(head);
        let part = self.shared.in_order(|| match (moment.find(head), newest) {
            (Some((cell, version)), _) => Ok(Part::on(Registration::new(cell, isolation), version)),
            (None, cell) => cell.map(|cell| Part::new(Registration::new(cell, isolation))),
        })?;
        // Of a head that nobody had asked for before it was replaced.
        part.base.forest.read(self.shared.store.pager())?;
        let state = self.state.get_mut();
        state.parts.push(part);
        state.current = state.parts.len() - 1;
        Ok(())
    }

    /// Goes to a head that the transaction works on.
    pub fn use_head(&mut self, head: HeadId) -> Result<()> {
        let state = self.state.get_mut();
        let found = state.parts.iter().position(|part| part.head() == head);
        let Some(index) = found else {
            let message = format!("{} does not work on head {}", self.id, head.0);
            return Err(Error::new(ErrorKind::NotFound, message));
        };
        state.current = index;
        Ok(())
    }

    /// Gives up a head that nothing is changed on any more, with all locks on it, so that others
    /// need not wait for the end: after a way back to before the first change there, say. False
    /// where something is changed on it, or it is the current one. What was read there is not
    /// looked at again by the commit.
    pub fn leave(&mut self, head: HeadId) -> bool {
        let is_large = self.is_large;
        let is_named = self.head_changes.iter().any(|change| change.is_about(head));
        let state = self.state.get_mut();
        let Some(index) = state.parts.iter().position(|part| part.head() == head) else {
            return true;
        };
        let part = &state.parts[index];
        let is_unchanged = part.private.as_ref().is_none_or(|private| {
            // The log of a large transaction is gone, so that it names no change either.
            is_large && private.is_as(&part.base.forest)
        });
        if index == state.current || is_named || !is_unchanged {
            return false;
        }
        drop(state.parts.remove(index));
        if state.current > index {
            state.current -= 1;
        }
        if let Some(owner) = &mut state.owner {
            owner.release_head(head);
        }
        true
    }

    /// Begins a statement: at the levels that look anew for each, takes the newest versions of
    /// heads that were not changed. Cursors that are open keep what they see.
    pub fn refresh(&mut self) -> Result<()> {
        if !self.options.isolation.refreshes() {
            return Ok(());
        }
        let shared = &self.shared;
        let state = self.state.get_mut();
        if state.parts.iter().all(|part| part.private.is_none()) {
            // Nothing is kept from before: the pin may move on.
            if self.pin.is_alone() {
                self.pin.renew(|| shared.store.epoch());
            } else {
                self.pin = shared.pin()?;
            }
        }
        for part in &mut state.parts {
            part.refresh();
        }
        if let Some(part) = state.parts.first() {
            let (head, commit) = (part.head(), part.base.commit);
            self.pin.describe(self.id, head, commit, Some(shared.clock.monotonic()));
        }
        Ok(())
    }

    /// Gives everything up; the same as dropping it.
    pub fn rollback(self) {
        drop(self);
    }

    #[inline]
    fn is_broken(&self) -> bool {
        // Relaxed: whoever breaks it tells its caller, and all are threads of one statement.
        self.is_broken.load(Ordering::Relaxed)
    }

    fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }

    fn check_usable(&self) -> Result<()> {
        if !self.is_broken() {
            return Ok(());
        }
        let message = format!(
            "an error cut a change of {} short: roll it back, or back to a savepoint",
            self.id
        );
        Err(Error::new(ErrorKind::Interrupted, message))
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.shared.return_frames(std::mem::take(&mut self.frames));
    }
}
