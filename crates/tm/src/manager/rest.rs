//! What opening leaves in the file: the heads that nobody asks for, and what the history keeps.
//!
//! With thousands of branches this is nearly everything, and most sessions do without it. It is
//! read when something needs the list of all heads or a version of the past, and before the first
//! checkpoint, which replaces the registry that it is read from.
//! Neighbours: `heads` takes single heads before, `history` has the rest of the registry.

use std::ops::ControlFlow;

use pandodb_ds::store::Store;
use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::sync::{Arc, Mutex};

use super::Shared;
use super::recovery::first_head;
use crate::error::{Error, Result};
use crate::heads::{HEADS_END, SavedVersions};
use crate::history::Moment;
use crate::ids::{CommitId, Lsn};

/// The file when it was opened: what the history has to know of it.
#[derive(Debug)]
pub(super) struct Opened {
    /// The oldest position that the log can be read from.
    log_start: Lsn,
    checkpoint: Moment,
}

impl Opened {
    pub(super) fn new(store: &Store, log_start: Option<Lsn>) -> Self {
        let checkpoint = Moment {
            commit: CommitId(store.saved_commit()),
            time: store.last_checkpoint_time(),
            position: Lsn(store.log_position()),
        };
        Self { log_start: log_start.unwrap_or(Lsn(u64::MAX)), checkpoint }
    }
}

/// What is still to be read.
#[derive(Debug)]
pub(super) struct Rest {
    opened: Mutex<Option<Opened>>,
    is_read: AtomicBool,
}

impl Rest {
    /// Of a database in memory there is none.
    pub(super) fn new(opened: Option<Opened>) -> Self {
        Self { is_read: AtomicBool::new(opened.is_none()), opened: Mutex::new(opened) }
    }
}

impl Shared {
    /// Reads what opening has left in the file, unless that was done.
    ///
    /// Its lock comes before all others, so that neither the turn of the commit queue nor the
    /// right to checkpoint may be held; who checkpoints has called it before.
    pub(crate) fn read_rest(&self) -> Result<()> {
        // Acquire: pairs with the store below.
        if self.rest.is_read.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut opened = self.rest.opened.lock();
        let Some(Opened { log_start, checkpoint }) = &*opened else { return Ok(()) };
        let mut kept = Vec::new();
        self.store.registry().each(HEADS_END, |head| {
            kept.push(head);
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        let mut saved = SavedVersions::default();
        self.history.load(&kept, *log_start, *checkpoint, || {
            saved = self.heads.take_rest()?;
            let is_new = saved.is_empty();
            let first = is_new.then(|| Arc::new(first_head()));
            Ok(saved.values().cloned().chain(first).collect())
        })?;
        self.checkpoints.set_saved(saved);
        *opened = None;
        self.rest.is_read.store(true, Ordering::Release);
        Ok(())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use std::collections::BTreeMap;

    use pandodb_ds::check::check;
    use pandodb_ds::vfs::SimVfs;
    use pandodb_testkit::Seeds;

    use super::super::tests::{all, open, options, put};
    use super::super::{CheckpointMode, Manager};
    use crate::heads::MAIN;
    use crate::history::Retention;
    use crate::ids::HeadId;
    use crate::options::Options;

    fn kept() -> Options {
        Options { history: Retention::default(), ..options() }
    }

    /// Heads that somebody has asked for.
    fn known(manager: &Manager) -> usize {
        manager.shared.heads.known_cells().len()
    }

    /// A file with many heads, each with a key of its own, all of them in a checkpoint.
    fn many(disk: &SimVfs, count: u32) -> Vec<HeadId> {
        let manager = open(disk, &kept()).unwrap();
        put(&manager, MAIN, b"main", b"value").unwrap();
        let heads: Vec<HeadId> = (0..count)
            .map(|number| {
                let head = manager.create_head(MAIN, &number.to_be_bytes()).unwrap();
                put(&manager, head, &number.to_be_bytes(), b"own").unwrap();
                head
            })
            .collect();
        manager.close().unwrap();
        heads
    }

    #[test]
    fn opening_leaves_in_the_file_what_nobody_asks_for() {
        let disk = SimVfs::new(51);
        let heads = many(&disk, 300);
        let manager = open(&disk, &kept()).unwrap();
        assert_eq!((known(&manager), manager.head_count()), (0, 301));
        assert_eq!(all(&manager, MAIN).len(), 1);
        assert_eq!(all(&manager, heads[7]).len(), 2);
        assert_eq!(known(&manager), 2);
        // Looked up by what is noted with them: the first of all, asked for or not.
        let noted = |number: u32| manager.first_head_with(&number.to_be_bytes()).unwrap();
        assert_eq!((noted(7), noted(200), noted(300)), (Some(heads[7]), Some(heads[200]), None));
        assert_eq!(known(&manager), 2);
        // One that is dropped does not come back from there, and a new one gets a new number.
        manager.drop_head(heads[100]).unwrap();
        assert!(manager.head(heads[100]).is_err());
        assert_eq!(noted(100), None);
        let new = manager.create_head(heads[8], b"new").unwrap();
        assert!(new > heads[299]);
        assert_eq!((known(&manager), manager.head_count()), (4, 301));
        assert_eq!(manager.heads().unwrap().len(), 301);
        assert_eq!((known(&manager), manager.head_count()), (301, 301));
        let expected: BTreeMap<_, _> =
            manager.heads().unwrap().iter().map(|it| (it.head, all(&manager, it.head))).collect();
        // What was not touched is not written again.
        let bytes = manager.checkpoint(CheckpointMode::Full).unwrap().bytes;
        assert!(bytes < 64 << 10, "{bytes} bytes for two heads");
        disk.kill_process();
        drop(manager);
        let manager = open(&disk, &kept()).unwrap();
        assert!(manager.head(heads[100]).is_err());
        for (head, rows) in &expected {
            assert_eq!(all(&manager, *head), *rows, "{head:?}");
        }
        assert_eq!(manager.head_count(), expected.len());
    }

    #[test]
    fn what_is_left_is_read_before_a_checkpoint_replaces_it() {
        Seeds::first(20).run("what_is_left_is_read_before_a_checkpoint_replaces_it", |random| {
            let disk = SimVfs::new(random.u64(..));
            let heads = many(&disk, 40);
            let mut expected: BTreeMap<HeadId, usize> = heads.iter().map(|it| (*it, 2)).collect();
            expected.insert(MAIN, 1);
            for _ in 0..4 {
                let manager = open(&disk, &kept()).unwrap();
                for step in 0..random.u32(1..12) {
                    let at = random.usize(..expected.len());
                    let head = *expected.keys().nth(at).unwrap();
                    match random.u32(..6) {
                        0 if head != MAIN => {
                            manager.drop_head(head).unwrap();
                            expected.remove(&head);
                        }
                        1 => {
                            let fork = manager.create_head(head, b"fork").unwrap();
                            expected.insert(fork, expected[&head]);
                        }
                        2 => {
                            let key = [b"key".as_slice(), &head.0.to_be_bytes()].concat();
                            let before = all(&manager, head).len();
                            put(&manager, head, &key, &step.to_be_bytes()).unwrap();
                            expected.insert(head, all(&manager, head).len());
                            assert!(expected[&head] <= before + 1);
                        }
                        3 => {
                            let commit = manager.head(head).unwrap().commit;
                            let past = manager.version_at(head, commit).unwrap();
                            assert_eq!(past.version().commit, commit);
                        }
                        4 => assert_eq!(manager.heads().unwrap().len(), expected.len()),
                        _ if random.bool() => {
                            manager.checkpoint(CheckpointMode::Full).unwrap();
                        }
                        _ => {}
                    }
                    assert_eq!(manager.head_count(), expected.len());
                }
                if random.bool() {
                    manager.close().unwrap();
                } else {
                    disk.kill_process();
                    drop(manager);
                }
            }
            let manager = open(&disk, &kept()).unwrap();
            let found: BTreeMap<HeadId, usize> = manager
                .heads()
                .unwrap()
                .iter()
                .map(|it| (it.head, all(&manager, it.head).len()))
                .collect();
            assert_eq!(found, expected);
            manager.checkpoint(CheckpointMode::Full).unwrap();
            let report = check(manager.store(), &mut |_| true).unwrap();
            assert!(report.problems.is_empty(), "{:?}", report.problems);
        });
    }

    #[test]
    fn the_past_is_there_when_it_is_asked_for() {
        let disk = SimVfs::new(53);
        let heads = many(&disk, 300);
        let manager = open(&disk, &kept()).unwrap();
        let commit = manager.head(heads[3]).unwrap().commit;
        put(&manager, heads[3], b"later", b"value").unwrap();
        let past = manager.version_at(heads[3], commit).unwrap();
        assert_eq!(past.version().commit, commit);
        let (oldest, newest) = manager.history_span().unwrap().unwrap();
        assert!(oldest.commit <= commit && oldest.commit <= newest.commit);
        assert_eq!(manager.commit_at(i64::MAX).unwrap(), manager.progress().commit);
    }
}
