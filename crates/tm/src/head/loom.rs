//! Loom models of publication: a commit is seen whole, and a checkpoint's hand-over loses none.
//!
//! The commit queue is the real one, on a log that only counts; a version is two numbers that
//! every commit raises together.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "models fail by panicking"
)]

use pandodb_ds::sync::thread;

use super::*;
use crate::commit::{CommitQueue, Log, Publication, Settled};
use crate::error::Result;
use crate::ids::{CommitId, Lsn};
use crate::wal::FrameBuffer;

/// A log that is always written.
#[derive(Debug, Default)]
struct Counter(u64);

impl Log for Counter {
    type Plan = ();

    fn stage(&mut self, _: &mut FrameBuffer, _: CommitId, _: Lsn) -> Result<Lsn> {
        self.0 += 1;
        Ok(Lsn(self.0))
    }

    fn begin_flush(&mut self, _: bool) {}

    fn run((): ()) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn recycle_memory(&mut self, _: Vec<u8>) {}

    fn position(&self) -> Lsn {
        Lsn(self.0)
    }
}

#[derive(Debug)]
struct Kept;

impl Publication for Kept {
    fn take_back(self) {}
}

/// What a head shows: the rows and their count, and whether a checkpoint has written it.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    rows: u64,
    count: u64,
    is_clean: bool,
}

struct World {
    queue: CommitQueue<Counter, Kept>,
    head: Published<Version>,
}

impl World {
    fn new() -> Arc<Self> {
        let first = Version { rows: 0, count: 0, is_clean: true };
        Arc::new(Self {
            queue: CommitQueue::new(Counter::default(), CommitId(0), Lsn::ZERO),
            head: Published::new(Arc::new(first)),
        })
    }

    fn commit(&self) {
        let mut turn = self.queue.enter().unwrap();
        let before = self.head.load();
        let publish = |_: CommitId, _: Lsn| {
            let (rows, count) = (before.rows + 1, before.count + 1);
            self.head.store(Arc::new(Version { rows, count, is_clean: false }));
            Kept
        };
        let (_, end) = turn.append(&mut FrameBuffer::new(), Settled::Written, publish).unwrap();
        drop(turn);
        self.queue.wait(end, Settled::Written).unwrap();
    }

    fn checkpoint(&self) {
        let captured = self.queue.with_log(|_, _| self.head.load());
        // Here the pages are written, and commits go on.
        let clean = Arc::new(Version { is_clean: true, ..*captured });
        self.queue.with_log(|_, _| {
            self.head
                .hand_over(&captured, clean, |current| Version { is_clean: false, ..*current });
        });
    }
}

/// A reader sees the rows and their count of one commit, and never an older one later.
///
/// Fails if `commit` publishes in two stores (first the rows, then the count).
#[test]
fn loom_a_commit_is_seen_whole_or_not_at_all() {
    ::loom::model(|| {
        let world = World::new();
        let writers: Vec<_> = (0..2)
            .map(|_| {
                let world = Arc::clone(&world);
                thread::spawn(move || world.commit())
            })
            .collect();
        let first = world.head.load();
        let second = world.head.load();
        for version in [&first, &second] {
            assert_eq!(version.rows, version.count);
        }
        assert!(first.rows <= second.rows);
        for writer in writers {
            writer.join().unwrap();
        }
        assert_eq!(world.head.load().rows, 2, "no commit is lost");
    });
}

/// Commits before, during and after a checkpoint are all there when it has handed over.
///
/// Fails (a lost commit) if `checkpoint` hands over outside of the queue's turn, and if
/// `Published::hand_over` always stores `clean`.
#[test]
fn loom_a_checkpoint_hands_over_without_losing_a_commit() {
    ::loom::model(|| {
        let world = World::new();
        let writer = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                world.commit();
                world.commit();
            })
        };
        let checkpointer = {
            let world = Arc::clone(&world);
            thread::spawn(move || world.checkpoint())
        };
        let seen = world.head.load().rows;
        writer.join().unwrap();
        let later = world.head.load().rows;
        checkpointer.join().unwrap();
        assert!(seen <= later);
        assert_eq!(world.head.load().rows, 2, "no commit is lost");
    });
}
