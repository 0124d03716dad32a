//! Loom models of finding heads: what is remembered for a group of threads never outlives the
//! head's place in the map, so that who finds a head behind a pin may read its pages.
//!
//! Heads, pins and what drops a head are the real ones. What stands for the pages of the head is
//! one place, which whoever drops the head writes again as soon as the table of pins allows it:
//! loom reports that as a data race with whoever still looks at it.
//! Neighbours: `snapshot::loom` has the pins alone, `head::loom` publication.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "models fail by panicking"
)]

use std::path::Path;

use ::loom::cell::UnsafeCell;
use pandodb_ds::checkpoint::{Captured, HeadChange};
use pandodb_ds::codec::Codec;
use pandodb_ds::space::Space;
use pandodb_ds::store::{Store, StoreOptions};
use pandodb_ds::sync::thread;
use pandodb_ds::vfs::{MemoryVfs, OpenMode, Vfs};

use super::*;
use crate::snapshot::Snapshots;

const FORK: HeadId = HeadId(2);

struct World {
    heads: Heads,
    table: Arc<Snapshots>,
    epoch: AtomicU64,
    /// The pages of `FORK`.
    pages: UnsafeCell<u64>,
}

fn version(head: HeadId, commit: u64) -> Arc<HeadVersion> {
    let (commit, note) = (CommitId(commit), Arc::from([].as_slice()));
    Arc::new(HeadVersion { head, commit, forest: Forest::new(), note })
}

impl World {
    fn new() -> Arc<Self> {
        let file = MemoryVfs::new().open(Path::new("model"), OpenMode::CreateNew).unwrap();
        let pager = Arc::new(Pager::new(file, Space::new(), 0, Codec::none(), 1024));
        Arc::new(Self {
            heads: Heads::new([version(MAIN, 1), version(FORK, 1)], None, 3, pager),
            table: Snapshots::new(),
            epoch: AtomicU64::new(1),
            pages: UnsafeCell::new(0),
        })
    }

    fn pin(&self) -> Pin {
        self.table.pin(|| self.epoch()).unwrap()
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn look_at_pages(&self) {
        self.pages.with(|pages| {
            let _ = pages;
        });
    }

    /// A commit that drops the head, and the checkpoint behind it, which reuses its pages if the
    /// pins allow.
    fn drop_fork(&self) {
        let cell = self.heads.peek(FORK).unwrap();
        let epoch = self.epoch.load(Ordering::Relaxed);
        self.heads.retire(&cell);
        self.epoch.store(epoch + 1, Ordering::Release);
        if self.table.oldest(epoch + 1) > epoch {
            self.pages.with_mut(|pages| {
                let _ = pages;
            });
        }
    }
}

/// Who finds a head, twice and with the other one between, reads its pages; when it was dropped
/// nobody finds it, whoever was looking for it meanwhile.
///
/// Fails without `if map.contains_key(&head)` in `Heads::get` (it remembers what was dropped
/// between its look at the map and that), with the lock of the map given back before
/// `*last.lock() = …` there, and without the `take_if` in `Heads::remove`.
#[test]
fn loom_a_head_that_was_dropped_is_not_remembered() {
    ::loom::model(|| {
        let world = World::new();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let pin = world.pin();
                for _ in 0..2 {
                    if let Ok(cell) = world.heads.get(FORK) {
                        assert_eq!((cell.id, cell.version.load().head), (FORK, FORK));
                        world.look_at_pages();
                    }
                }
                drop(pin);
            })
        };
        world.drop_fork();
        assert!(world.heads.get(FORK).is_err(), "a dropped head was found");
        reader.join().unwrap();
        assert!(world.heads.get(FORK).is_err(), "a dropped head is remembered");
        assert_eq!(world.heads.get(MAIN).unwrap().id, MAIN);
    });
}

/// Who asks for heads while one is published sees whole versions, none older than the last, and
/// gets the head that was asked for although another group member asks for the other.
///
/// Fails without `.filter(|cell| cell.id == head)` in `Heads::get`.
#[test]
fn loom_what_is_remembered_is_the_head_that_was_asked_for() {
    ::loom::model(|| {
        let world = World::new();
        let other = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let cell = world.heads.get(MAIN).unwrap();
                assert_eq!((cell.id, cell.version.load().head), (MAIN, MAIN));
                cell.version.store(version(MAIN, 2));
            })
        };
        let mut newest = CommitId(0);
        for _ in 0..2 {
            assert_eq!(world.heads.get(FORK).unwrap().version.load().head, FORK);
            let commit = world.heads.get(MAIN).unwrap().version.load().commit;
            assert!(commit >= newest);
            newest = commit;
        }
        other.join().unwrap();
        assert_eq!(world.heads.get(MAIN).unwrap().version.load().commit, CommitId(2));
    });
}

/// Who rests on a head between two statements reads its pages only while it is there.
///
/// Fails (a data race) if `HeadCell::wake` asks `is_dropped` before `pin.unpark`, and without the
/// fence in `Pin::unpark`.
#[test]
fn loom_who_rests_on_a_head_is_told_of_its_drop() {
    ::loom::model(|| {
        let world = World::new();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let pin = world.pin();
                let Ok(cell) = world.heads.get(FORK) else { return };
                pin.park();
                for _ in 0..2 {
                    if cell.wake(&pin, || world.epoch()) {
                        world.look_at_pages();
                        pin.park();
                    }
                }
            })
        };
        world.drop_fork();
        reader.join().unwrap();
        let cell = HeadCell::new(version(FORK, 1), None);
        world.heads.bring_back(Arc::clone(&cell));
        assert!(cell.wake(&world.pin(), || world.epoch()));
    });
}

/// A file with both heads, and what opening makes of it.
fn opened() -> Arc<Heads> {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let options = StoreOptions { codec: Codec::none(), ..StoreOptions::default() };
    let store = Store::open(&vfs, Path::new("model"), &options).unwrap();
    let put = |head: HeadId| {
        (head, HeadChange::Put { forest: Forest::new(), note: encode_note(CommitId(1), b"") })
    };
    let heads = vec![put(MAIN), put(FORK)];
    store.checkpoint(|| Captured { heads, commit: 1, log_position: 0 }).unwrap();
    let unread = Unread::new(store.registry()).unwrap();
    Arc::new(Heads::new([], Some(unread), 3, Arc::clone(store.pager())))
}

/// Whoever asks for a head of the file at the same time gets one cell, and a head that is dropped
/// does not come out of the file again, whoever reads the rest of it meanwhile.
///
/// Fails where `Heads::peek` asks whether the map is whole behind its look at the map (nobody then
/// finds the head), and where `Heads::take_rest` gives the lock back before the rest is in the map.
#[test]
fn loom_a_head_comes_out_of_the_file_once() {
    ::loom::model(|| {
        let heads = opened();
        let other = {
            let heads = Arc::clone(&heads);
            thread::spawn(move || heads.take_rest().unwrap().len())
        };
        let cell = heads.peek(FORK).unwrap();
        assert!(Arc::ptr_eq(&cell, &heads.peek(FORK).unwrap()));
        heads.retire(&cell);
        assert!(heads.peek(FORK).is_err(), "a dropped head was found");
        assert_eq!(other.join().unwrap(), 2);
        assert!(heads.is_whole());
        assert!(heads.peek(FORK).is_err(), "a dropped head came back");
        assert_eq!(heads.cells().len(), 1);
    });
}
