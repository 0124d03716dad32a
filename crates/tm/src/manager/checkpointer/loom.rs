//! Loom models of the thread that makes checkpoints: none that is due is forgotten, there is one
//! thread at most, and it ends.
//!
//! The database is a count of commits and how many of them a checkpoint holds. Time does not pass
//! in a model, so that only a wake-up brings the thread to look: who waits for a checkpoint that
//! nobody makes is a deadlock, which loom reports.
//! Neighbours: `head::loom` has what a checkpoint hands over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "models fail by panicking"
)]

use super::*;

struct World {
    checkpointer: Checkpointer,
    policy: Mutex<Option<CheckpointPolicy>>,
    /// Behind a lock, as the commit queue is.
    committed: Mutex<u64>,
    /// Up to which commit a checkpoint holds them.
    saved: Mutex<u64>,
    has_saved: Condvar,
}

impl World {
    fn new(policy: Option<CheckpointPolicy>) -> Arc<Self> {
        Arc::new(Self {
            checkpointer: Checkpointer::default(),
            policy: Mutex::new(policy),
            committed: Mutex::new(0),
            saved: Mutex::new(0),
            has_saved: Condvar::new(),
        })
    }

    /// A commit that makes a checkpoint due, and the wait until one holds it.
    fn commit_and_wait(self: &Arc<Self>) {
        let commit = {
            let mut committed = self.committed.lock();
            *committed += 1;
            *committed
        };
        self.checkpointer.commit_made(self, 0, Lsn(commit));
        let mut saved = self.saved.lock();
        while *saved < commit {
            saved = wait(&self.has_saved, saved);
        }
    }

    fn set_policy(&self, policy: Option<CheckpointPolicy>) {
        *self.policy.lock() = policy;
        self.checkpointer.wake();
    }
}

impl Served for World {
    fn checkpointer(&self) -> &Checkpointer {
        &self.checkpointer
    }

    fn policy(&self) -> Option<CheckpointPolicy> {
        *self.policy.lock()
    }

    fn is_due(&self, _: &CheckpointPolicy, _: usize, position: Lsn) -> bool {
        position.0 > *self.saved.lock()
    }

    fn has_news(&self) -> bool {
        let committed = *self.committed.lock();
        committed > *self.saved.lock()
    }

    fn checkpoint(&self) -> Result<()> {
        self.checkpointer.looks_now();
        let captured = *self.committed.lock();
        let mut saved = self.saved.lock();
        *saved = captured.max(*saved);
        self.has_saved.notify_all();
        Ok(())
    }

    fn pause(&self) {}
}

/// Two first commits start one thread, which makes what is due for both and ends when it is told.
///
/// Fails (a deadlock) without `state.thread.is_some()` in `start` (nobody ends the second thread),
/// without `notify_one` in `Checkpointer::commit_made` or in `Checkpointer::stop`, if `run` waits
/// without asking `is_due` again, and if a checkpoint calls `looks_now` behind its look (a commit
/// between the two asks for nothing and is in no checkpoint).
#[test]
fn loom_a_checkpoint_that_is_due_is_made_by_one_thread() {
    ::loom::model(|| {
        let world = World::new(Some(CheckpointPolicy::default()));
        world.checkpointer.start_when_needed();
        let other = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.commit_and_wait())
        };
        world.commit_and_wait();
        other.join().unwrap();
        world.checkpointer.stop();
    });
}

/// A policy that is set while the thread waits without one holds for the next commit.
///
/// Fails (a deadlock) if `run` asks for the policy before it locks the state, and without the
/// `continue` behind its wait (what is due is then judged by the policy of before the wait).
#[test]
fn loom_a_policy_holds_from_the_moment_it_is_set() {
    ::loom::model(|| {
        let world = World::new(None);
        start(&world);
        world.set_policy(Some(CheckpointPolicy::default()));
        world.commit_and_wait();
        world.checkpointer.stop();
    });
}

/// A commit beside the end of the database leaves no thread behind, started before or after.
///
/// Fails without `state.is_stopped` in `start` (a thread holds the database open for a moment, and
/// nobody waits for its end), and (a deadlock) without `notify_one` in `Checkpointer::stop`.
#[test]
fn loom_no_thread_is_started_behind_the_end() {
    ::loom::model(|| {
        let world = World::new(Some(CheckpointPolicy::default()));
        world.checkpointer.start_when_needed();
        let other = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.checkpointer.commit_made(&world, 0, Lsn(1)))
        };
        world.checkpointer.stop();
        other.join().unwrap();
        assert!(world.checkpointer.state.lock().thread.is_none(), "nobody waits for this one");
    });
}
