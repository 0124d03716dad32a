//! When a checkpoint is due, and the thread that makes it.
//!
//! Due by bytes of log, by bytes of changed pages in memory, or by time since the last one if
//! anything was committed. Commits only ask two numbers and wake the thread, which the first of
//! them starts: whoever only reads has none. Without a thread (in the simulations) the commit that
//! finds one due makes it. The thread knows its database by [`Served`] alone, which the loom
//! models put something small in the place of. Neighbours: `checkpoint` does it.

#[cfg(all(test, loom))]
mod loom;

use std::time::Duration;

use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::sync::{Arc, Condvar, Mutex, thread, wait, wait_for};

use super::{CheckpointMode, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::Lsn;
use crate::options::CheckpointPolicy;

/// The thread and how it is spoken to.
#[derive(Debug, Default)]
pub(super) struct Checkpointer {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether the next commit is to start the thread.
    wants_thread: AtomicBool,
    has_thread: AtomicBool,
    /// Whether the thread was asked for a checkpoint that has not looked at the heads yet. Commits
    /// that come until then have nothing to ask, and must not: the look at the changed pages is
    /// worth it once for thousands of commits, not in each of those that a busy disk lets by.
    is_wanted: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    is_due: bool,
    is_stopped: bool,
    thread: Option<thread::JoinHandle<()>>,
    last_error: Option<Error>,
}

/// A database that checkpoints are made of.
pub(super) trait Served: Send + Sync + 'static {
    fn checkpointer(&self) -> &Checkpointer;

    /// When checkpoints are made by themselves.
    fn policy(&self) -> Option<CheckpointPolicy>;

    /// After a commit that ends at `position`, with about so many bytes of changed pages.
    fn is_due(&self, policy: &CheckpointPolicy, dirty_bytes: usize, position: Lsn) -> bool;

    /// Whether anything was committed since the last one.
    fn has_news(&self) -> bool;

    /// Makes one; that another one runs is no error.
    fn checkpoint(&self) -> Result<()>;

    /// Lets some time pass.
    fn pause(&self);
}

impl Served for Shared {
    fn checkpointer(&self) -> &Checkpointer {
        &self.checkpointer
    }

    fn policy(&self) -> Option<CheckpointPolicy> {
        self.settings.policy()
    }

    fn is_due(&self, policy: &CheckpointPolicy, dirty_bytes: usize, position: Lsn) -> bool {
        let log_bytes = position.since(self.checkpoints.position());
        let due_bytes = policy.log_bytes.min(self.history.due_bytes());
        log_bytes >= due_bytes || is_much_dirty(self, dirty_bytes, policy)
    }

    fn has_news(&self) -> bool {
        self.queue.progress().staged > self.checkpoints.position()
    }

    fn checkpoint(&self) -> Result<()> {
        match Self::checkpoint(self, CheckpointMode::Passive) {
            Err(error) if error.kind() != ErrorKind::Busy => Err(error),
            _ => Ok(()),
        }
    }

    fn pause(&self) {
        self.clock.sleep(Duration::from_millis(100));
    }
}

/// Whether changed pages take about as much memory as they may.
fn is_much_dirty(shared: &Shared, added_up: usize, policy: &CheckpointPolicy) -> bool {
    if added_up < policy.dirty_bytes {
        return false;
    }
    if shared.checkpoints.holds_loans() {
        // As long as they are not given back, the next large transaction finds nothing to borrow.
        return true;
    }
    let count = shared.count_dirty_bytes(policy.dirty_bytes);
    shared.checkpoints.set_dirty(count);
    // Well below the limit, so that the next count is not soon.
    count >= policy.dirty_bytes / 4 * 3
}

/// Starts the thread. It holds the database open until it is stopped.
pub(super) fn start<D: Served>(database: &Arc<D>) {
    let checkpointer = database.checkpointer();
    let mut state = checkpointer.state.lock();
    checkpointer.wants_thread.store(false, Ordering::Release);
    if state.is_stopped || state.thread.is_some() {
        return;
    }
    let mine = Arc::clone(database);
    let spawned = thread::Builder::new()
        .name("pandodb-checkpoint".to_owned())
        .spawn(move || mine.checkpointer().run(&*mine));
    // Without a thread (the system has no more) commits make the checkpoints.
    if let Ok(handle) = spawned {
        state.thread = Some(handle);
        checkpointer.has_thread.store(true, Ordering::Release);
    }
}

impl Checkpointer {
    /// Lets the first commit start the thread.
    pub(super) fn start_when_needed(&self) {
        self.wants_thread.store(true, Ordering::Release);
    }

    /// After a commit: is a checkpoint due?
    pub(super) fn commit_made<D: Served>(
        &self,
        database: &Arc<D>,
        dirty_bytes: usize,
        position: Lsn,
    ) {
        if self.wants_thread.load(Ordering::Acquire) {
            start(database);
        }
        // Relaxed: whoever misses it asks once more.
        if self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        let Some(policy) = database.policy() else { return };
        if !database.is_due(&policy, dirty_bytes, position) {
            return;
        }
        if self.has_thread.load(Ordering::Acquire) {
            let mut state = self.state.lock();
            self.is_wanted.store(true, Ordering::Relaxed);
            if !state.is_due {
                state.is_due = true;
                self.changed.notify_one();
            }
        } else {
            self.make(&**database);
        }
    }

    /// A checkpoint is about to look at the heads: what is committed behind the look is for the
    /// next one. Before the look, and relaxed because the queue's lock is taken for it: a commit
    /// that comes behind it sees this, one that does not is in the checkpoint.
    pub(super) fn looks_now(&self) {
        self.is_wanted.store(false, Ordering::Relaxed);
    }

    /// Lets the thread look at the settings again.
    pub(super) fn wake(&self) {
        let _state = self.state.lock();
        self.changed.notify_one();
    }

    /// Ends the thread and waits for it.
    pub(super) fn stop(&self) {
        let mut state = self.state.lock();
        state.is_stopped = true;
        let handle = state.thread.take();
        self.changed.notify_one();
        drop(state);
        if let Some(handle) = handle {
            // A panic there has been told by its own message.
            let _ = handle.join();
        }
    }

    pub(super) fn last_error(&self) -> Option<Error> {
        self.state.lock().last_error.clone()
    }

    fn make<D: Served>(&self, database: &D) {
        let error = database.checkpoint().err();
        // It may have ended before it looked.
        self.looks_now();
        self.state.lock().last_error = error;
    }

    fn run<D: Served>(&self, database: &D) {
        let mut ran_out = false;
        loop {
            let mut state = self.state.lock();
            if state.is_stopped {
                return;
            }
            // Behind the lock, and again after each wait: who changes the settings wakes with it,
            // so that neither a wait nor what is due is judged by those of before.
            let policy = database.policy();
            if !state.is_due && !ran_out {
                if let Some(policy) = policy {
                    ran_out = wait_for(&self.changed, state, policy.interval).1;
                } else {
                    drop(wait(&self.changed, state));
                }
                continue;
            }
            state.is_due = false;
            ran_out = false;
            if policy.is_none() {
                self.looks_now();
            }
            let failed_before = state.last_error.is_some();
            drop(state);
            if !database.has_news() {
                // No checkpoint will look; so whoever commits from here on asks again, and who
                // has committed before is seen by the second question.
                self.looks_now();
            }
            if policy.is_some() && database.has_news() {
                if failed_before {
                    // Not again and again in a row, while the disk is full.
                    database.pause();
                }
                self.make(database);
            }
        }
    }
}
