//! Loom models of the commit queue, on a log that is two numbers.
//!
//! A lost wake-up is a deadlock that `loom` reports. The models are of the queue; what a real
//! log does with bytes is in `wal`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "models fail by panicking"
)]

use pandodb_ds::sync::atomic::{AtomicU64, Ordering};
use pandodb_ds::sync::{Arc, thread};

use super::*;
use crate::ErrorKind;

/// The disk: how much was written and synced, and which flush fails.
#[derive(Debug, Default)]
struct Disk {
    written: AtomicU64,
    synced: AtomicU64,
    flushes: AtomicU64,
    fails_at: u64,
}

#[derive(Debug)]
struct Paper {
    disk: Arc<Disk>,
    next: u64,
}

struct Plan {
    disk: Arc<Disk>,
    target: u64,
    sync: bool,
}

impl Log for Paper {
    type Plan = Plan;

    fn stage(&mut self, _: &mut FrameBuffer, commit: CommitId, _: Lsn) -> Result<Lsn> {
        assert_eq!(commit.0, self.next + 1, "commit order is log order");
        self.next += 1;
        Ok(Lsn(self.next))
    }

    fn begin_flush(&mut self, sync: bool) -> Plan {
        Plan { disk: Arc::clone(&self.disk), target: self.next, sync }
    }

    fn run(plan: Plan) -> Result<Vec<u8>> {
        let number = plan.disk.flushes.fetch_add(1, Ordering::AcqRel) + 1;
        if number == plan.disk.fails_at {
            return Err(Error::new(ErrorKind::Io, "the disk is gone"));
        }
        let before = plan.disk.written.swap(plan.target, Ordering::AcqRel);
        assert!(before <= plan.target, "groups are written one after the other");
        if plan.sync {
            plan.disk.synced.store(plan.target, Ordering::Release);
        }
        Ok(Vec::new())
    }

    fn recycle_memory(&mut self, _: Vec<u8>) {}

    fn position(&self) -> Lsn {
        Lsn(self.next)
    }
}

#[derive(Debug)]
struct Shown {
    head: Arc<AtomicU64>,
    before: u64,
}

impl Publication for Shown {
    fn take_back(self) {
        self.head.store(self.before, Ordering::Release);
    }
}

struct World {
    queue: CommitQueue<Paper, Shown>,
    disk: Arc<Disk>,
    head: Arc<AtomicU64>,
}

impl World {
    fn new(fails_at: u64) -> Arc<Self> {
        let disk = Arc::new(Disk { fails_at, ..Disk::default() });
        let log = Paper { disk: Arc::clone(&disk), next: 0 };
        let queue = CommitQueue::new(log, CommitId(0), Lsn::ZERO);
        Arc::new(Self { queue, disk, head: Arc::default() })
    }

    fn commit(&self, until: Settled) -> Result<CommitId> {
        let mut turn = self.queue.enter()?;
        let before = self.head.load(Ordering::Acquire);
        let (commit, end) = turn.append(&mut FrameBuffer::new(), until, |commit, _| {
            self.head.store(commit.0, Ordering::Release);
            Shown { head: Arc::clone(&self.head), before }
        })?;
        drop(turn);
        self.queue.wait(end, until)?;
        let reached = match until {
            Settled::Written => self.disk.written.load(Ordering::Acquire),
            Settled::Synced => self.disk.synced.load(Ordering::Acquire),
        };
        assert!(reached >= commit.0, "{commit} was acknowledged at {reached}");
        Ok(commit)
    }
}

/// Everyone is acknowledged, and nobody before the disk has it.
///
/// Fails (a deadlock) without `notify_all` in `CommitQueue::end_group`, and (an early
/// acknowledgement) if the leader takes `progress.staged` as its target after the flush instead
/// of before it.
#[test]
fn loom_every_committer_is_woken_when_its_group_is_on_the_disk() {
    ::loom::model(|| {
        let world = World::new(0);
        let threads: Vec<_> = [Settled::Synced, Settled::Written]
            .into_iter()
            .map(|until| {
                let world = Arc::clone(&world);
                thread::spawn(move || world.commit(until).unwrap())
            })
            .collect();
        world.commit(Settled::Synced).unwrap();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(world.head.load(Ordering::Acquire), 3);
    });
}

/// A group that fails is told to all in it and all behind it; what is shown is what was
/// acknowledged.
///
/// Fails without `self.poison.check()` in `CommitQueue::wait` (a second leader "succeeds"), and
/// without `take_back` in `CommitQueue::end_with` (the head shows what failed).
#[test]
fn loom_a_failed_group_reaches_all_that_depend_on_it() {
    ::loom::model(|| {
        let world = World::new(1);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let world = Arc::clone(&world);
                thread::spawn(move || world.commit(Settled::Synced).unwrap_err())
            })
            .collect();
        world.commit(Settled::Written).unwrap_err();
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(world.queue.poison().is_poisoned());
        assert_eq!(world.head.load(Ordering::Acquire), 0);
    });
}

/// Who enters a settled turn finds everything that was staged before on the disk, and groups stay
/// in order although this one is not led in the usual way.
///
/// Fails (groups overtake each other) without the loop over `has_leader` in
/// `CommitQueue::enter_settled`, and (not on the disk) with `begin_flush(false)` there.
#[test]
fn loom_a_settled_turn_finds_all_before_it_on_the_disk() {
    ::loom::model(|| {
        let world = World::new(0);
        let threads: Vec<_> = [Settled::Synced, Settled::Written]
            .into_iter()
            .map(|until| {
                let world = Arc::clone(&world);
                thread::spawn(move || world.commit(until).unwrap())
            })
            .collect();
        let turn = world.queue.enter_settled(Settled::Synced).unwrap();
        assert_eq!(world.disk.synced.load(Ordering::Acquire), turn.progress().staged.0);
        drop(turn);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}
