//! Group commit: many transactions, one write, one sync.
//!
//! A commit has two halves. In the first, under the mutex, it gets its number and its place in
//! the log, and the new head becomes visible: commit order is log order, and nobody can become
//! durable before a commit that it builds on. Locks can be given back there. In the second half
//! its thread waits until the log has been written (and synced) up to there. Whoever finds that
//! nobody is at it becomes the leader and does it for all that has been staged so far, while
//! others stage the next group.
//!
//! When a write or a sync fails, everything that was not settled fails with it: every waiter gets
//! the error, writing is refused from then on, and what the failed commits made visible is taken
//! back, newest first. Neighbours: `wal` has the bytes, `manager` drives this, `poison` keeps the
//! failure.

#[cfg(all(test, loom))]
mod loom;
#[cfg(all(test, not(loom)))]
mod tests;

use std::collections::VecDeque;
use std::fmt::Debug;

use pandodb_ds::sync::{Condvar, Mutex, MutexGuard, wait};

use crate::error::{Error, Result};
use crate::ids::{CommitId, Lsn};
use crate::poison::Poison;
use crate::wal::{self, FrameBuffer, Synchronous};

/// What the queue needs of a log; the models put another one in its place.
pub trait Log: Debug {
    /// What a leader does without holding the log.
    type Plan;

    /// Gives a transaction its place; after an error nothing has changed.
    fn stage(&mut self, frames: &mut FrameBuffer, commit: CommitId, durable: Lsn) -> Result<Lsn>;

    /// What is left to be done up to the position so far.
    fn begin_flush(&mut self, sync: bool) -> Self::Plan;

    /// Does it. After an error nothing may be taken as written any more.
    fn run(plan: Self::Plan) -> Result<Vec<u8>>;

    /// Takes back memory for the next group.
    fn recycle_memory(&mut self, bytes: Vec<u8>);

    /// Where the next transaction begins.
    fn position(&self) -> Lsn;

    /// How many frames were staged, for the curious.
    fn frames(&self) -> u64 {
        0
    }
}

impl Log for wal::Writer {
    type Plan = wal::FlushPlan;

    fn stage(&mut self, frames: &mut FrameBuffer, commit: CommitId, durable: Lsn) -> Result<Lsn> {
        Self::stage(self, frames, commit, durable)
    }

    fn begin_flush(&mut self, sync: bool) -> Self::Plan {
        Self::begin_flush(self, sync)
    }

    fn run(plan: Self::Plan) -> Result<Vec<u8>> {
        plan.run()
    }

    fn recycle_memory(&mut self, bytes: Vec<u8>) {
        Self::recycle_memory(self, bytes);
    }

    fn position(&self) -> Lsn {
        Self::position(self)
    }

    fn frames(&self) -> u64 {
        Self::frames(self)
    }
}

/// What a commit made visible before it was settled.
pub trait Publication: Debug {
    /// Shows what was there before: the commit has failed.
    fn take_back(self);
}

/// How far a commit's record must have come before the commit is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// To the operating system.
    Written,
    /// To the disk.
    Synced,
}

impl From<Synchronous> for Settled {
    fn from(synchronous: Synchronous) -> Self {
        match synchronous {
            Synchronous::Off | Synchronous::Normal => Self::Written,
            Synchronous::Full => Self::Synced,
        }
    }
}

/// How far the log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The newest commit that has a place in the log.
    pub commit: CommitId,
    /// Where the next one goes.
    pub staged: Lsn,
    /// Everything before has reached the operating system.
    pub written: Lsn,
    /// Everything before has reached the disk.
    pub durable: Lsn,
    /// Frames that have a place in the log, those included that were replayed at the opening.
    pub frames: u64,
    /// Groups that were written so far.
    pub groups: u64,
    /// Groups that were synced so far.
    pub syncs: u64,
}

#[derive(Debug)]
struct Unsettled<P> {
    end: Lsn,
    until: Settled,
    publication: P,
}

#[derive(Debug)]
struct State<L, P> {
    log: L,
    progress: Progress,
    unsettled: VecDeque<Unsettled<P>>,
    /// The end of the last commit that waits for a sync.
    sync_wanted: Lsn,
    has_leader: bool,
    waiters: usize,
}

/// The queue in front of the log.
#[derive(Debug)]
pub struct CommitQueue<L, P> {
    state: Mutex<State<L, P>>,
    /// Notified when a group has ended, well or not.
    group_ended: Condvar,
    poison: Poison,
}

impl<L: Log, P: Publication> CommitQueue<L, P> {
    /// A queue before `log`, whose newest commit is `newest` and which is known to be durable up
    /// to `durable`.
    pub fn new(log: L, newest: CommitId, durable: Lsn) -> Self {
        let position = log.position();
        let progress = Progress {
            commit: newest,
            staged: position,
            written: position,
            durable,
            frames: log.frames(),
            groups: 0,
            syncs: 0,
        };
        let state = State {
            log,
            progress,
            unsettled: VecDeque::new(),
            sync_wanted: Lsn::ZERO,
            has_leader: false,
            waiters: 0,
        };
        Self { state: Mutex::new(state), group_ended: Condvar::new(), poison: Poison::new() }
    }

    /// The only place where commits get their order: whoever holds it is alone.
    pub fn enter(&self) -> Result<Turn<'_, L, P>> {
        let state = self.state.lock();
        self.poison.check()?;
        Ok(Turn { state })
    }

    /// Returns when everything before `position` is settled.
    pub fn wait(&self, position: Lsn, until: Settled) -> Result<()> {
        let mut state = self.state.lock();
        loop {
            let reached = match until {
                Settled::Written => state.progress.written,
                Settled::Synced => state.progress.durable,
            };
            if reached >= position {
                return Ok(());
            }
            self.poison.check()?;
            if until == Settled::Synced {
                state.sync_wanted = state.sync_wanted.max(position);
            }
            if state.has_leader {
                // The leader may have begun before this commit was staged: look again then.
                state.waiters += 1;
                state = wait(&self.group_ended, state);
                state.waiters -= 1;
            } else {
                state = self.lead(state);
            }
        }
    }

    /// Writes everything that was staged so far, and syncs it with `until` [`Settled::Synced`].
    pub fn flush(&self, until: Settled) -> Result<Progress> {
        let position = self.state.lock().progress.staged;
        self.wait(position, until)?;
        Ok(self.progress())
    }

    /// How far the log has come.
    pub fn progress(&self) -> Progress {
        self.state.lock().progress
    }

    /// Whether writing is refused, and why.
    pub fn poison(&self) -> &Poison {
        &self.poison
    }

    /// Changes something about the log itself.
    pub fn with_log<T>(&self, change: impl FnOnce(&mut L, &Progress) -> T) -> T {
        let state = &mut *self.state.lock();
        change(&mut state.log, &state.progress)
    }

    /// Refuses writing for a failure elsewhere (a checkpoint whose sync failed).
    pub fn fail(&self, cause: &Error) {
        let mut state = self.state.lock();
        self.end_with(&mut state, cause);
    }

    /// Enters the turn with everything before it settled: who makes a checkpoint in its turn
    /// needs that. Others wait meanwhile.
    pub fn enter_settled(&self, until: Settled) -> Result<Turn<'_, L, P>> {
        let mut state = self.state.lock();
        while state.has_leader {
            state.waiters += 1;
            state = wait(&self.group_ended, state);
            state.waiters -= 1;
        }
        self.poison.check()?;
        let sync = until == Settled::Synced;
        let Progress { staged: target, written, durable, .. } = state.progress;
        if written < target || (sync && durable < target) {
            let plan = state.log.begin_flush(sync);
            let outcome = L::run(plan);
            self.end_group(&mut state, target, sync, outcome)?;
        }
        Ok(Turn { state })
    }

    fn lead<'a>(&'a self, mut state: MutexGuard<'a, State<L, P>>) -> MutexGuard<'a, State<L, P>> {
        state.has_leader = true;
        let target = state.progress.staged;
        let sync = state.sync_wanted > state.progress.durable;
        let plan = state.log.begin_flush(sync);
        drop(state);
        let outcome = L::run(plan);
        let mut state = self.state.lock();
        state.has_leader = false;
        // The failure is kept with the poison, where all who wait find it.
        let _ = self.end_group(&mut state, target, sync, outcome);
        state
    }

    /// Notes how a group ended, and wakes all who wait for that.
    fn end_group(
        &self,
        state: &mut State<L, P>,
        target: Lsn,
        sync: bool,
        outcome: Result<Vec<u8>>,
    ) -> Result<()> {
        let outcome = outcome.map(|bytes| {
            state.log.recycle_memory(bytes);
            state.progress.written = target;
            state.progress.groups += 1;
            if sync {
                state.progress.durable = target;
                state.progress.syncs += 1;
            }
            state.settle();
        });
        if let Err(error) = &outcome {
            self.end_with(state, error);
        }
        if state.waiters > 0 {
            self.group_ended.notify_all();
        }
        outcome
    }

    /// Nothing that is not settled will ever be.
    fn end_with(&self, state: &mut State<L, P>, cause: &Error) {
        self.poison.poison(cause);
        while let Some(last) = state.unsettled.pop_back() {
            last.publication.take_back();
        }
    }
}

impl<L: Log, P> State<L, P> {
    /// Forgets how to take back what needs no taking back any more.
    fn settle(&mut self) {
        let Progress { written, durable, .. } = self.progress;
        while let Some(first) = self.unsettled.front() {
            let reached = match first.until {
                Settled::Written => written,
                Settled::Synced => durable,
            };
            if first.end > reached.max(durable) {
                break;
            }
            self.unsettled.pop_front();
        }
    }
}

/// One transaction's turn to commit; nobody else commits while it is held.
#[derive(Debug)]
pub struct Turn<'a, L, P> {
    state: MutexGuard<'a, State<L, P>>,
}

impl<L: Log, P: Publication> Turn<'_, L, P> {
    /// The number that [`Turn::append`] will give.
    pub fn next_commit(&self) -> CommitId {
        self.state.progress.commit.next()
    }

    /// How far the log has come.
    pub fn progress(&self) -> Progress {
        self.state.progress
    }

    /// Gives the transaction its place, then publishes it; both or nothing.
    ///
    /// `publish` makes the commit visible and returns how to take that back. The commit is to be
    /// acknowledged when [`CommitQueue::wait`] for the returned position has succeeded.
    pub fn append(
        &mut self,
        frames: &mut FrameBuffer,
        until: Settled,
        publish: impl FnOnce(CommitId, Lsn) -> P,
    ) -> Result<(CommitId, Lsn)> {
        let state = &mut *self.state;
        let commit = state.progress.commit.next();
        let end = state.log.stage(frames, commit, state.progress.durable)?;
        state.progress.commit = commit;
        state.progress.staged = end;
        state.progress.frames = state.log.frames();
        let publication = publish(commit, end);
        state.unsettled.push_back(Unsettled { end, until, publication });
        Ok((commit, end))
    }

    /// Numbers and publishes a commit of a database without a log.
    pub fn publish_only(&mut self, publish: impl FnOnce(CommitId)) -> CommitId {
        let commit = self.state.progress.commit.next();
        self.state.progress.commit = commit;
        publish(commit);
        commit
    }
}
