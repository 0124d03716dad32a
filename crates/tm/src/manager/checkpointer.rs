//! When a checkpoint is due, and the thread that makes it.
//!
//! Due by bytes of log, by bytes of changed pages in memory, or by time since the last one if
//! anything was committed. Commits only ask two numbers and wake the thread, which the first of
//! them starts: whoever only reads has none. Without a thread (in the simulations) the commit that
//! finds one due makes it. Neighbours: `checkpoint` does it.

use std::time::Duration;

use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::sync::{Arc, Condvar, Mutex, thread, wait, wait_for};

use super::{CheckpointMode, Shared};
use crate::error::{Error, ErrorKind};
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

/// Whether changed pages take about as much memory as they may.
fn is_much_dirty(shared: &Shared, added_up: usize, policy: &CheckpointPolicy) -> bool {
    if added_up < policy.dirty_bytes {
        return false;
    }
    let count = shared.count_dirty_bytes(policy.dirty_bytes);
    shared.checkpoints.set_dirty(count);
    // Well below the limit, so that the next count is not soon.
    count >= policy.dirty_bytes / 4 * 3
}

/// Lets the first commit start the thread.
pub(super) fn start_when_needed(shared: &Shared) {
    shared.checkpointer.wants_thread.store(true, Ordering::Release);
}

/// Starts the thread. It holds the database open until it is stopped.
pub(super) fn start(shared: &Arc<Shared>) {
    let mut state = shared.checkpointer.state.lock();
    shared.checkpointer.wants_thread.store(false, Ordering::Release);
    if state.is_stopped || state.thread.is_some() {
        return;
    }
    let mine = Arc::clone(shared);
    let spawned = thread::Builder::new()
        .name("pandodb-checkpoint".to_owned())
        .spawn(move || mine.checkpointer.run(&mine));
    // Without a thread (the system has no more) commits make the checkpoints.
    if let Ok(handle) = spawned {
        state.thread = Some(handle);
        shared.checkpointer.has_thread.store(true, Ordering::Release);
    }
}

impl Checkpointer {
    /// After a commit: is a checkpoint due?
    pub(super) fn commit_made(&self, shared: &Arc<Shared>, dirty_bytes: usize, position: Lsn) {
        if self.wants_thread.load(Ordering::Acquire) {
            start(shared);
        }
        // Relaxed: whoever misses it asks once more.
        if self.is_wanted.load(Ordering::Relaxed) {
            return;
        }
        let Some(policy) = shared.settings.policy() else { return };
        let log_bytes = position.since(shared.checkpoints.position());
        if log_bytes < policy.log_bytes && !is_much_dirty(shared, dirty_bytes, &policy) {
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
            self.make(shared);
        }
    }

    /// A checkpoint has looked at the heads: what is committed from now on is for the next one.
    pub(super) fn has_looked(&self) {
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

    fn make(&self, shared: &Shared) {
        let outcome = shared.checkpoint(CheckpointMode::Passive);
        if outcome.is_err() {
            // It may have ended before it looked.
            self.has_looked();
        }
        let error = outcome.err().filter(|error| error.kind() != ErrorKind::Busy);
        self.state.lock().last_error = error;
    }

    fn run(&self, shared: &Shared) {
        loop {
            let policy = shared.settings.policy();
            let mut state = self.state.lock();
            let mut ran_out = false;
            if !state.is_stopped && !state.is_due {
                (state, ran_out) = match policy {
                    Some(policy) => wait_for(&self.changed, state, policy.interval),
                    None => (wait(&self.changed, state), false),
                };
            }
            if state.is_stopped {
                return;
            }
            let is_due = std::mem::take(&mut state.is_due);
            let failed_before = state.last_error.is_some();
            drop(state);
            let staged = shared.queue.progress().staged;
            let has_news = staged > shared.checkpoints.position();
            if policy.is_some() && has_news && (is_due || ran_out) {
                if failed_before {
                    // Not again and again in a row, while the disk is full.
                    shared.clock.sleep(Duration::from_millis(100));
                }
                self.make(shared);
            }
        }
    }
}
