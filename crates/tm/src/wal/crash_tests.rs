//! The log on the simulated disk: the power goes at every operation of a workload.
//!
//! What must hold after each crash: everything up to the last successful sync is there, what
//! follows is a prefix of what was appended, the log goes on from there, and a second crash right
//! after changes nothing of this. Neighbours: `tests` has the model without crashes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{Fault, SimVfs, Vfs};

use super::tests::{ID, PATH, append, check, frames_of, read_all, small_segments, sync, writer};
use super::*;
use crate::error::Result;
use crate::ids::{CommitId, Lsn};

/// What a workload knows to hold.
#[derive(Clone, Copy, Debug, Default)]
struct Promise {
    checkpoint: (Lsn, u64),
    durable: (Lsn, u64),
    appended: u64,
}

/// Opens the log, checks it against the promise, and appends until something fails.
fn run(vfs: &SimVfs, promise: &mut Promise, commits: u64, seed: u64) -> Result<()> {
    let shared: Arc<dyn Vfs> = Arc::new(vfs.clone());
    let mut reader = Reader::open(vfs, Path::new(PATH), ID, promise.checkpoint.0)?;
    let mut newest = promise.checkpoint.1;
    while let Some(transaction) = reader.next_transaction()? {
        check(&transaction);
        assert_eq!(transaction.commit.0, newest + 1, "commits are a sequence");
        newest += 1;
    }
    let end = reader.end()?;
    assert!(newest >= promise.durable.1, "{promise:?} but only {newest} came back");
    assert!(newest <= promise.appended, "{promise:?} but {newest} came back");
    promise.appended = newest;
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut known = promise.checkpoint.0;
    let mut log = Writer::open(shared, Path::new(PATH), ID, small_segments(), &end)?;
    for _ in 0..commits {
        let commit = promise.appended + 1;
        // Counted before: after an error it may be there.
        promise.appended = commit;
        let position = append(&mut log, &mut frames_of(commit), CommitId(commit), known)?;
        if rng.u8(..3) == 0 {
            known = sync(&mut log)?;
            promise.durable = (position, commit);
        }
        if rng.u8(..8) == 0 {
            // A checkpoint is durable with all that it holds, and syncs the log before.
            known = sync(&mut log)?;
            promise.durable = (position, commit);
            promise.checkpoint = (position, commit);
            log.retire(position)?;
        }
        if rng.u8(..30) == 0 {
            log.discard_spares()?;
        }
    }
    Ok(())
}

#[test]
fn after_a_crash_at_every_operation_the_log_is_a_prefix_that_holds_what_was_synced() {
    let whole = SimVfs::new(1);
    run(&whole, &mut Promise::default(), 60, 5).unwrap();
    let operations = whole.operations();
    assert!(operations > 100);
    for at in 1..=operations {
        for outcome in 0..3 {
            let vfs = SimVfs::new(at * 3 + outcome);
            let mut promise = Promise::default();
            vfs.crash_at(at);
            run(&vfs, &mut promise, 60, 5).expect_err("the power went");
            vfs.restart();
            // The second life crashes too, soon after it began.
            vfs.crash_at(vfs.operations() + 1 + at % 23);
            let _ = run(&vfs, &mut promise, 12, at);
            vfs.restart();
            vfs.clear_faults();
            run(&vfs, &mut promise, 3, at).expect("nothing fails in the third life");
        }
    }
}

#[test]
fn a_killed_process_loses_nothing_and_a_crash_after_its_restart_no_middle() {
    for seed in 0..120 {
        let vfs = SimVfs::new(seed);
        let mut promise = Promise::default();
        run(&vfs, &mut promise, 10, seed).unwrap();
        vfs.kill_process();
        // Everything appended is there, though nothing more was synced.
        promise.durable.1 = promise.appended;
        run(&vfs, &mut promise, 10, seed + 1).unwrap();
        vfs.crash();
        vfs.restart();
        promise.durable.1 = promise.checkpoint.1;
        run(&vfs, &mut promise, 1, seed).unwrap();
    }
}

#[test]
fn after_an_error_at_every_operation_a_reopened_log_holds_what_was_synced() {
    let whole = SimVfs::new(1);
    run(&whole, &mut Promise::default(), 40, 5).unwrap();
    for at in 1..=whole.operations() {
        for fault in [Fault::WriteError, Fault::SyncError, Fault::NoSpace] {
            let vfs = SimVfs::new(at);
            let mut promise = Promise::default();
            vfs.inject(at, fault);
            let _ = run(&vfs, &mut promise, 40, 5);
            vfs.clear_faults();
            vfs.restart();
            run(&vfs, &mut promise, 3, at).expect("nothing fails in the second life");
        }
    }
}

#[test]
fn what_was_torn_off_never_comes_back_behind_what_is_appended_in_its_place() {
    let mut torn = 0;
    let options = WalOptions { segment_len: 4000, ..small_segments() };
    for seed in 0..300 {
        let vfs = SimVfs::new(seed);
        let shared: Arc<dyn Vfs> = Arc::new(vfs.clone());
        let mut log = writer(&shared, options, &LogEnd::empty(Lsn::ZERO));
        append(&mut log, &mut frames_of(1), CommitId(1), Lsn::ZERO).unwrap();
        sync(&mut log).unwrap();
        // Any part of these outlives the crash: the later one without the earlier one, too.
        append(&mut log, &mut frames_of(2), CommitId(2), Lsn::ZERO).unwrap();
        append(&mut log, &mut frames_of(3), CommitId(3), Lsn::ZERO).unwrap();
        drop(log);
        vfs.crash();
        vfs.restart();
        let (found, end) = read_all(&vfs, Lsn::ZERO).unwrap();
        torn += u32::from(found.len() == 1);
        let next = found.len() as u64 + 1;
        // As long as what stood there: what lies behind it would fit.
        let mut log = writer(&shared, options, &end);
        append(&mut log, &mut frames_of(next), CommitId(next), Lsn::ZERO).unwrap();
        let (found, _) = read_all(&vfs, Lsn::ZERO).unwrap();
        assert_eq!(found, (1..=next).collect::<Vec<_>>(), "seed {seed}, without a crash");
        vfs.crash();
        vfs.restart();
        let (found, _) = read_all(&vfs, Lsn::ZERO).unwrap();
        assert!(found.len() as u64 <= next, "seed {seed}: {found:?}, but {next} were appended");
    }
    assert!(torn > 50, "only {torn} tails were torn");
}
