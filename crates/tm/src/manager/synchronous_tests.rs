//! What each level of `synchronous` waits for, counted on the simulated disk, and what is there
//! afterwards.
//!
//! Neighbours: `crash_tests` has the power go at every operation, at the levels that promise
//! something then.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use super::tests::{all, open, options, put};
use super::*;
use crate::heads::MAIN;
use pandodb_ds::vfs::{OperationKind, SimVfs};

fn at(synchronous: Synchronous) -> Options {
    Options { synchronous, large_transaction_bytes: 4000, ..options() }
}

fn syncs(disk: &SimVfs) -> usize {
    let trace = disk.trace();
    let is_sync = |kind| matches!(kind, OperationKind::Sync | OperationKind::SyncDirectory);
    trace.iter().filter(|operation| is_sync(operation.kind)).count()
}

/// Commits that fill several segments, one by its pages, and checkpoints of every form.
fn work(manager: &Manager) {
    let forms = [
        CheckpointMode::Passive,
        CheckpointMode::Full,
        CheckpointMode::Restart,
        CheckpointMode::Truncate,
    ];
    for form in forms {
        for number in 0..30_u32 {
            put(manager, MAIN, &number.to_be_bytes(), &[form as u8; 100]).unwrap();
        }
        put(manager, MAIN, b"large", &[form as u8; 9000]).unwrap();
        manager.checkpoint(form).unwrap();
    }
    assert_eq!(manager.large_transactions(), 4);
}

#[test]
fn off_waits_for_no_sync_and_the_others_for_what_they_promise() {
    let counts = [Synchronous::Off, Synchronous::Normal, Synchronous::Full].map(|synchronous| {
        let disk = SimVfs::new(60);
        let manager = open(&disk, &at(synchronous)).unwrap();
        let before = syncs(&disk);
        work(&manager);
        syncs(&disk) - before
    });
    assert_eq!(counts[0], 0, "OFF");
    // Each of the eight checkpoints syncs the log, the pages and the superblock.
    assert!((24..60).contains(&counts[1]), "NORMAL: {counts:?}");
    assert!(counts[2] >= 120 + counts[1], "FULL: one more for each commit, {counts:?}");
}

#[test]
fn at_off_everything_is_there_after_the_process_is_killed_at_any_operation() {
    let whole = SimVfs::new(61);
    work(&open(&whole, &at(Synchronous::Off)).unwrap());
    for stop in (1..=whole.operations()).step_by(7) {
        let disk = SimVfs::new(61);
        let manager = open(&disk, &at(Synchronous::Off)).unwrap();
        let mut told = Vec::new();
        for number in 0..200_u32 {
            if disk.operations() >= stop {
                break;
            }
            put(&manager, MAIN, &number.to_be_bytes(), &[7; 90]).unwrap();
            told.push(number);
            if number % 23 == 22 {
                manager.checkpoint(CheckpointMode::Full).unwrap();
            }
        }
        disk.kill_process();
        drop(manager);
        let manager = open(&disk, &at(Synchronous::Off)).unwrap();
        let there = all(&manager, MAIN);
        assert_eq!(there.len(), told.len(), "killed at {stop}");
    }
}

#[test]
fn a_file_written_at_off_is_settled_before_a_commit_that_promises_more() {
    for raised in [Synchronous::Normal, Synchronous::Full] {
        for seed in 0..40 {
            let disk = SimVfs::new(seed);
            let manager = open(&disk, &at(Synchronous::Off)).unwrap();
            work(&manager);
            put(&manager, MAIN, b"before", b"value").unwrap();
            manager.set_synchronous(raised);
            put(&manager, MAIN, b"after", b"value").unwrap();
            let expected = all(&manager, MAIN);
            disk.crash();
            disk.restart();
            drop(manager);
            let manager = open(&disk, &at(raised)).unwrap();
            let mut found = all(&manager, MAIN);
            if raised == Synchronous::Normal && !found.contains_key(&b"after"[..]) {
                // The newest commit may be missing, nothing before it.
                found.insert(b"after".to_vec(), b"value".to_vec());
            }
            assert_eq!(found, expected, "{raised:?}, seed {seed}");
        }
    }
}

#[test]
fn a_database_closed_at_off_is_whole_when_the_power_goes() {
    for seed in 0..20 {
        let disk = SimVfs::new(seed);
        let manager = open(&disk, &at(Synchronous::Off)).unwrap();
        work(&manager);
        let expected = all(&manager, MAIN);
        manager.close().unwrap();
        disk.crash();
        disk.restart();
        assert_eq!(all(&open(&disk, &at(Synchronous::Off)).unwrap(), MAIN), expected);
    }
}
