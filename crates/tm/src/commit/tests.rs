//! Group commit with real threads on logs that fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use pandodb_ds::sync::atomic::{AtomicU64, Ordering};
use pandodb_ds::sync::{Arc, thread};
use pandodb_ds::vfs::{Fault, SimVfs, Vfs};

use super::*;
use crate::ErrorKind;
use crate::ids::{HeadId, TreeId};
use crate::wal::{CommitInfo, DatabaseId, LogEnd, Operation, Reader, WalOptions, Writer};

/// What the newest visible commit is.
type Head = Arc<AtomicU64>;

#[derive(Debug)]
struct Shown {
    head: Head,
    before: u64,
    own: u64,
}

impl Publication for Shown {
    fn take_back(self) {
        let found = self.head.swap(self.before, Ordering::AcqRel);
        assert_eq!(found, self.own, "the newest goes first");
    }
}

type Queue = CommitQueue<Writer, Shown>;

fn queue(disk: &SimVfs) -> Queue {
    let options = WalOptions { segment_len: 2000, ..WalOptions::default() };
    let id = DatabaseId([1; 16]);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let end = LogEnd::empty(Lsn::ZERO);
    let writer = Writer::open(vfs, Path::new("base"), id, options, &end).unwrap();
    CommitQueue::new(writer, CommitId(0), Lsn::ZERO)
}

fn commit(queue: &Queue, head: &Head, until: Settled) -> Result<CommitId> {
    let mut frames = FrameBuffer::new();
    let mut turn = queue.enter()?;
    let base = head.load(Ordering::Acquire);
    frames.begin(HeadId(1), CommitId(base))?;
    frames.push(TreeId(1), &Operation::Put { key: b"key", value: &base.to_be_bytes() })?;
    frames.finish(&CommitInfo::default())?;
    let (commit, end) = turn.append(&mut frames, until, |commit, _| {
        head.store(commit.0, Ordering::Release);
        Shown { head: Arc::clone(head), before: base, own: commit.0 }
    })?;
    drop(turn);
    queue.wait(end, until)?;
    Ok(commit)
}

fn recovered(disk: &SimVfs) -> Vec<u64> {
    let id = DatabaseId([1; 16]);
    let mut reader = Reader::open(disk, Path::new("base"), id, Lsn::ZERO).unwrap();
    let mut commits = Vec::new();
    while let Some(transaction) = reader.next_transaction().unwrap() {
        assert_eq!(transaction.base.0 + 1, transaction.commit.0, "each on the one before");
        commits.push(transaction.commit.0);
    }
    commits
}

#[test]
fn acknowledged_commits_survive_and_many_share_a_sync() {
    let disk = SimVfs::new(1);
    let queue = Arc::new(queue(&disk));
    let head = Head::default();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (queue, head) = (Arc::clone(&queue), Arc::clone(&head));
            thread::spawn(move || {
                for _ in 0..50 {
                    commit(&queue, &head, Settled::Synced).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let progress = queue.progress();
    assert_eq!((progress.commit.0, progress.durable), (400, progress.staged));
    assert!(progress.syncs <= 400);
    disk.crash();
    disk.restart();
    assert_eq!(recovered(&disk), (1..=400).collect::<Vec<_>>());
}

#[test]
fn one_thread_without_sync_writes_once_a_commit_and_syncs_never() {
    let disk = SimVfs::new(1);
    let queue = queue(&disk);
    let head = Head::default();
    for _ in 0..10 {
        commit(&queue, &head, Settled::Written).unwrap();
    }
    let progress = queue.progress();
    assert_eq!((progress.groups, progress.syncs, progress.durable), (10, 0, Lsn::ZERO));
    assert_eq!(queue.flush(Settled::Synced).unwrap().durable, progress.staged);
    disk.kill_process();
    assert_eq!(recovered(&disk), (1..=10).collect::<Vec<_>>());
}

/// For every operation that can fail: who was told "yes" is there after a crash, the head shows
/// nothing that failed, and nobody writes any more.
#[test]
fn a_failure_at_any_operation_fails_all_that_depend_on_it_and_poisons() {
    for fault in [Fault::WriteError, Fault::SyncError] {
        for at in 1..40 {
            let disk = SimVfs::new(at);
            disk.inject(at, fault);
            let queue = Arc::new(queue(&disk));
            let head = Head::default();
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (queue, head) = (Arc::clone(&queue), Arc::clone(&head));
                    thread::spawn(move || {
                        let mut told = 0;
                        for _ in 0..10 {
                            match commit(&queue, &head, Settled::Synced) {
                                Ok(commit) => told = commit.0,
                                Err(_) => break,
                            }
                        }
                        told
                    })
                })
                .collect();
            let told = threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap();
            let shown = head.load(Ordering::Acquire);
            if queue.poison().is_poisoned() {
                assert_eq!(shown, told, "what is shown is what was acknowledged");
                let error = commit(&queue, &head, Settled::Written).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Poisoned);
            }
            disk.clear_faults();
            disk.restart();
            let found = recovered(&disk);
            assert!(found.len() as u64 >= told, "{found:?} but {told} was acknowledged");
        }
    }
}

#[test]
fn without_room_a_commit_fails_alone_and_the_next_one_may_succeed() {
    let disk = SimVfs::new(3);
    let queue = queue(&disk);
    let head = Head::default();
    disk.set_capacity(Some(5000));
    let mut done = 0;
    let error = loop {
        match commit(&queue, &head, Settled::Synced) {
            Ok(_) => done += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(head.load(Ordering::Acquire), done);
    disk.set_capacity(None);
    assert_eq!(commit(&queue, &head, Settled::Synced).unwrap().0, done + 1);
}
