//! Giving free space at the end of the file back while readers and writers go on.
//!
//! A step empties a part of the end: each head's pages that lie there are copied as a commit of
//! that head, under its writer's right, so that whoever writes there waits for a moment and a
//! transaction that began before moves to the newer version as after any other commit. No
//! checkpoint runs between the copying and the commit: what heads share is found by its place.
//! The checkpoint at the end writes the copies and cuts the file. Snapshots, kept history and
//! heads in memory hold what they read; what they hold is given back by a later step.
//! Neighbours: the storage crate's `tree::relocate` copies, `checkpoint` completes a step.

use pandodb_ds::sync::Arc;
use pandodb_ds::tree::Relocation;

use super::{CheckpointMode, Manager, Shared};
use crate::error::{ErrorKind, Result};
use crate::ids::HeadId;
use crate::isolation::{BeginOptions, Isolation};
use crate::nearby::Nearby;
use crate::transaction::Transaction;

/// What a step of shrinking did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The length of the file before.
    pub bytes_before: u64,
    /// Its length now.
    pub bytes_after: u64,
    /// Bytes of pages that were moved.
    pub bytes_moved: u64,
    /// Heads that were left out because a writer had them for longer than the busy timeout.
    pub heads_busy: u64,
}

impl Manager {
    /// One step: moves up to about `bytes` of pages out of the end of the file and cuts it; none
    /// when there is nothing (more) to gain. Call it again for the next part.
    pub fn shrink(&self, bytes: u64) -> Result<Option<Shrunk>> {
        self.shared.shrink(bytes)
    }
}

impl Shared {
    fn shrink(self: &Arc<Self>, bytes: u64) -> Result<Option<Shrunk>> {
        self.check_writable()?;
        if !self.has_log {
            return Ok(None);
        }
        let bytes_before = self.store.info()?.file_bytes;
        // Checkpoints move directories from now on: nobody may have one that is still to be read.
        self.read_rest()?;
        self.heads.read_all()?;
        self.history.read_all(self.store.pager())?;
        let Some(mut relocation) = self.store.relocate(bytes)? else { return Ok(None) };
        let mut heads_busy = 0;
        for cell in self.heads.cells() {
            if cell.is_ephemeral() {
                continue;
            }
            match self.relocate_head(cell.id, &mut relocation) {
                Ok(()) => {}
                // Dropped meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) if matches!(error.kind(), ErrorKind::Busy | ErrorKind::Deadlock) => {
                    heads_busy += 1;
                }
                Err(error) => return Err(error),
            }
        }
        self.checkpoint(CheckpointMode::Full)?;
        let bytes_moved = relocation.moved_bytes();
        drop(relocation);
        let bytes_after = self.store.info()?.file_bytes;
        Ok(Some(Shrunk { bytes_before, bytes_after, bytes_moved, heads_busy }))
    }

    fn relocate_head(self: &Arc<Self>, head: HeadId, relocation: &mut Relocation) -> Result<()> {
        let options = BeginOptions {
            isolation: Isolation::ReadCommitted,
            message: "pages moved to the front of the file".to_owned(),
            ..BeginOptions::default()
        };
        let mut transaction = Transaction::begin(&Nearby::new(Arc::clone(self)), &[head], options)?;
        // The right to write comes first: whoever has it may wait for a checkpoint.
        transaction.prepare_write()?;
        let checkpoints = self.checkpoints.begin();
        // A commit that finds a checkpoint due leaves it to the end of the step.
        self.checkpoints.pretend_to_run(true);
        let outcome = transaction.relocate(relocation).and_then(|()| transaction.commit());
        self.checkpoints.pretend_to_run(false);
        drop(checkpoints);
        outcome.map(|_| ())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
    use std::collections::BTreeMap;

    use pandodb_ds::check::check;
    use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
    use pandodb_ds::sync::thread;
    use pandodb_ds::vfs::SimVfs;

    use super::super::tests::{all, open, options, put};
    use super::*;
    use crate::heads::MAIN;
    use crate::ids::TreeId;
    use crate::options::Options;

    const T: TreeId = TreeId(1);

    fn key(number: u64) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    /// A value that no codec shortens much.
    fn value(seed: u64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..400).map(|_| random.u8(..)).collect()
    }

    fn fill(manager: &Manager, head: HeadId, keys: std::ops::Range<u64>) {
        let mut transaction = manager.begin(head, BeginOptions::default()).unwrap();
        if transaction.tree_kind(T).is_none() {
            transaction.create_tree(T, pandodb_ds::format::TreeKind::Slotted).unwrap();
        }
        for number in keys {
            transaction.put(T, &key(number), &value(number)).unwrap();
        }
        transaction.commit().unwrap();
        manager.checkpoint(CheckpointMode::Full).unwrap();
    }

    /// Two heads share rows that lie behind a large gap.
    fn with_gap(disk: &SimVfs, options: &Options) -> (Manager, HeadId) {
        let manager = open(disk, options).unwrap();
        let filler = manager.create_head(MAIN, b"filler").unwrap();
        fill(&manager, filler, 0..1500);
        fill(&manager, MAIN, 0..300);
        let fork = manager.create_head(MAIN, b"fork").unwrap();
        put(&manager, fork, &key(7), b"other").unwrap();
        manager.drop_head(filler).unwrap();
        for _ in 0..2 {
            put(&manager, MAIN, b"x", b"y").unwrap();
            manager.checkpoint(CheckpointMode::Full).unwrap();
        }
        (manager, fork)
    }

    fn shrink_all(manager: &Manager, bytes: u64) {
        for _ in 0..60 {
            if manager.shrink(bytes).unwrap().is_none() {
                return;
            }
        }
        panic!("shrinking does not end");
    }

    #[test]
    fn a_file_shrinks_and_its_heads_stay_what_they_are() {
        let disk = SimVfs::new(31);
        let (manager, fork) = with_gap(&disk, &options());
        let before = (all(&manager, MAIN), all(&manager, fork));
        let long = manager.store().info().unwrap().file_bytes;
        shrink_all(&manager, 100_000);
        let short = manager.store().info().unwrap().file_bytes;
        assert!(short * 2 < long, "{long} bytes, then {short}");
        assert_eq!((all(&manager, MAIN), all(&manager, fork)), before);
        assert_eq!(check(manager.store(), &mut |_| true).unwrap().problems, [""; 0]);
        drop(manager);
        disk.crash();
        disk.restart();
        let manager = open(&disk, &options()).unwrap();
        assert_eq!((all(&manager, MAIN), all(&manager, fork)), before);
    }

    #[test]
    fn transactions_that_are_open_meanwhile_go_on() {
        let disk = SimVfs::new(32);
        let (manager, fork) = with_gap(&disk, &options());
        let reader = manager.begin(MAIN, BeginOptions::read_only()).unwrap();
        let snapshot = BeginOptions { isolation: Isolation::Snapshot, ..BeginOptions::default() };
        let mut busy = manager.begin(fork, BeginOptions::default()).unwrap();
        busy.put(T, b"busy", b"1").unwrap();
        let mut open = manager.begin(MAIN, snapshot).unwrap();
        assert!(open.get(T, &key(3)).unwrap().is_some());
        let done = manager.shrink(u64::MAX).unwrap().unwrap();
        assert_eq!(done.heads_busy, 1);
        open.put(T, b"open", b"1").unwrap();
        open.commit().unwrap();
        busy.commit().unwrap();
        for round in 0..4u64 {
            put(&manager, MAIN, &key(9000 + round), &value(round)).unwrap();
            manager.checkpoint(CheckpointMode::Full).unwrap();
        }
        let seen: BTreeMap<_, _> = crate::transaction::tests::contents(&reader, T).unwrap();
        assert_eq!(seen.len(), 301);
        assert_eq!(seen[&key(299)], value(299));
        drop(reader);
        shrink_all(&manager, u64::MAX);
        assert_eq!(all(&manager, MAIN)[b"open".as_slice()], b"1");
        assert_eq!(all(&manager, fork)[b"busy".as_slice()], b"1");
        assert_eq!(check(manager.store(), &mut |_| true).unwrap().problems, [""; 0]);
    }

    #[test]
    fn writers_in_other_threads_go_on() {
        let disk = SimVfs::new(33);
        let timeout = std::time::Duration::from_secs(20);
        let (manager, fork) = with_gap(&disk, &Options { busy_timeout: timeout, ..options() });
        let manager = Arc::new(manager);
        let is_over = Arc::new(AtomicBool::new(false));
        let (writing, ended) = (Arc::clone(&manager), Arc::clone(&is_over));
        let writer = thread::spawn(move || {
            let mut written = 0u64;
            while !ended.load(Ordering::Relaxed) || written < 20 {
                let head = if written.is_multiple_of(2) { MAIN } else { fork };
                put(&writing, head, &key(10_000 + written), &value(written)).unwrap();
                if written.is_multiple_of(5) {
                    writing.checkpoint(CheckpointMode::Full).unwrap();
                }
                written += 1;
            }
            written
        });
        for _ in 0..8 {
            manager.shrink(60_000).unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        let written = writer.join().unwrap();
        let (main, other) = (all(&manager, MAIN), all(&manager, fork));
        for number in 0..written {
            let rows = if number.is_multiple_of(2) { &main } else { &other };
            assert_eq!(rows[&key(10_000 + number)], value(number));
        }
        assert_eq!(check(manager.store(), &mut |_| true).unwrap().problems, [""; 0]);
    }
}
