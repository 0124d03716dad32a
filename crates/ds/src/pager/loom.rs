//! Models of what threads share around the pager: leaves that are compressed ahead or by a team,
//! and the first write to an opened file.
//!
//! Each model runs the code that ships; what it compresses is real, and what holds a node is
//! asked of the node's count. A thread that nobody wakes is a deadlock, which loom reports.
//! Neighbours: `cache::loom` has what readers and evictions share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "models fail by panicking"
)]

use std::path::Path;

use super::ahead::Ahead;
use super::team::Team;
use super::*;
use crate::format::{TreeKind, TreeRoot};
use crate::page::{Body, Cell, Leaf, LeafDraft};
use crate::sync::thread;

fn leaf(number: u8) -> Arc<Node> {
    let mut leaf = Leaf::new(TreeKind::Fixed, 256);
    let _ = leaf.push(&[number; 8], Cell::inline(&[number; 20]), 256).unwrap();
    Arc::new(Node::new(Body::Leaf(leaf)))
}

/// Changes a node as `Pager::own` does: in place where nobody else holds it, else a copy.
fn change(node: &mut Arc<Node>) {
    if Arc::get_mut(node).is_none() {
        *node = Arc::new(node.copy_for_change(256, 0, || 1));
    }
    let Some(Body::Leaf(leaf)) = Arc::get_mut(node).unwrap().body_mut() else { panic!() };
    let _ = leaf.push(&[0xff; 8], Cell::inline(b"one more"), 256).unwrap();
}

/// Takes a leaf to write it: what was made of it is what would be made now, and from here on
/// nobody else holds it.
fn spill(ahead: &Ahead, node: &mut Arc<Node>) {
    if let Some(made) = ahead.take(node) {
        let now = Made::new(Codec::lz4(), node).unwrap();
        assert_eq!(made.ready().stored, now.ready().stored, "an older form was kept");
    }
    assert!(Arc::get_mut(node).is_some(), "somebody holds a leaf that is being written");
}

/// Leaves that are offered, changed again, offered again and spilled, while the thread is at them.
///
/// Fails without the wait in `Ahead::take` (`if true` for `state.current != Some(address)`: the
/// thread still holds the leaf), without `notify_all` in the drop of `AtWork` (a deadlock), and if
/// the finished leaves are not held (`AtWork::drop` keeping another node than `node` with `made`: a
/// leaf is then changed in place and gets its older form).
#[test]
fn loom_a_leaf_compressed_ahead_is_the_leaf_that_is_written() {
    ::loom::model(|| {
        let ahead = Ahead::new(Codec::lz4());
        let mut nodes = [leaf(1), leaf(2)];
        ahead.offer(&nodes[0]);
        ahead.offer(&nodes[1]);
        change(&mut nodes[0]);
        ahead.offer(&nodes[0]);
        for node in &mut nodes {
            spill(&ahead, node);
        }
        ahead.sweep();
    });
}

/// A transaction that is rolled back in the middle: its leaves and the thread go, whatever waits.
///
/// Fails (a deadlock) without `notify_all` in the drop of `Ahead`, and (a leaf is still held)
/// without the `join` there.
#[test]
fn loom_who_rolls_back_leaves_no_thread_and_no_leaf() {
    ::loom::model(|| {
        let ahead = Ahead::new(Codec::lz4());
        let mut nodes = [leaf(1), leaf(2)];
        ahead.offer(&nodes[0]);
        // A savepoint goes: nobody but the queue holds this one any more.
        ahead.offer(&leaf(3));
        ahead.sweep();
        ahead.offer(&nodes[1]);
        drop(ahead);
        assert!(nodes.iter_mut().all(|node| Arc::get_mut(node).is_some()));
    });
}

fn portion(number: u8) -> Vec<LeafDraft> {
    let mut draft = LeafDraft::new(TreeKind::Fixed, 256);
    draft.push(&[number; 8], &Cell::inline(&[number; 20])).unwrap();
    vec![draft]
}

/// Portions come back in their order, each once, whoever compressed them.
///
/// Fails (a deadlock) without `notify_all` in `Shared::complete` or in the drop of `Team`.
#[test]
fn loom_portions_come_back_in_order() {
    ::loom::model(|| {
        let mut team = Team::new(Codec::lz4());
        for number in 1..=3 {
            team.push(portion(number));
        }
        for number in 1..=3 {
            let compressed = team.next(true).unwrap().unwrap();
            let expected = Made::new(Codec::lz4(), &leaf(number)).unwrap();
            let forms: Vec<_> = compressed.iter().map(|form| form.stored.to_vec()).collect();
            assert_eq!(forms, [expected.ready().stored]);
        }
        assert!(team.next(true).is_none());
    });
}

/// A file that remembers whether it was synced. Relaxed: what orders a look behind the sync is
/// what the model is about.
#[derive(Debug, Default)]
struct Disk {
    is_synced: AtomicBool,
}

impl File for Disk {
    fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize> {
        Ok(0)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.is_synced.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        Ok(0)
    }

    fn set_len(&self, _: u64) -> Result<()> {
        Ok(())
    }

    fn allocate(&self, _: u64) -> Result<()> {
        Ok(())
    }

    fn path(&self) -> &Path {
        Path::new("model")
    }
}

/// Whoever writes to an opened file first finds the superblock durable that it was opened by,
/// also when another one has just seen to that.
///
/// Fails if `Pager::settle_opening` stores `is_settled` before its sync, and with `Relaxed` in its
/// first load of `is_settled`.
#[test]
fn loom_nobody_writes_before_the_opening_is_settled() {
    ::loom::model(|| {
        let disk = Arc::new(Disk::default());
        let file: Arc<dyn File> = Arc::clone(&disk) as _;
        let pager = Arc::new(Pager::new(file, Space::new(), 0, Codec::none(), 1024));
        let superblock = Superblock {
            page_bytes: 1024,
            database: [1; 16],
            checkpoint: 1,
            commit: 0,
            log_position: 0,
            granules: crate::limits::FIRST_GRANULE,
            time_micros: 0,
            registry: TreeRoot { kind: TreeKind::Fixed, page: None },
            space_map: None,
        };
        pager.note_opened_by(&superblock);
        let write = |pager: &Pager, disk: &Disk| {
            pager.settle_opening().unwrap();
            assert!(disk.is_synced.load(Ordering::Relaxed), "a write before the sync");
        };
        let other = {
            let (pager, disk) = (Arc::clone(&pager), Arc::clone(&disk));
            thread::spawn(move || write(&pager, &disk))
        };
        write(&pager, &disk);
        other.join().unwrap();
    });
}
