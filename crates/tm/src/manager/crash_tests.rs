//! The whole of it on the simulated disk: the power goes at every operation of a workload, and
//! every operation fails in every way.
//!
//! The workload and what must hold are in `examples/sim_tm.rs`, which `cargo xtask sim` runs
//! with more seeds. Neighbours: `wal::crash_tests` does this to the log alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use pandodb_ds::vfs::{Fault, SimVfs, Vfs};

use super::tests::{open, options as small, put};
use crate::error::Result;
use crate::heads::MAIN;
use crate::history::Retention;
use crate::ids::TreeId;
use crate::isolation::BeginOptions;
use crate::options::Options;
use crate::transaction::tests::contents;
use crate::wal::{Synchronous, WalOptions};

#[path = "../../examples/sim_tm.rs"]
#[allow(dead_code, reason = "its `main` is for the example")]
mod simulation;

use simulation::{Model, options, run};

#[test]
fn without_a_crash_every_life_goes_on_where_the_one_before_ended() {
    for seed in 0..20 {
        let disk = SimVfs::new(seed);
        let mut model = Model::new();
        for life in 0..4 {
            run(&disk, &options(Synchronous::Normal), &mut model, 25, seed * 10 + life).unwrap();
            disk.kill_process();
            model.is_whole = true;
        }
    }
}

#[test]
fn after_a_crash_at_every_operation_all_that_was_acknowledged_is_there() {
    crash_everywhere(Synchronous::Full, 1);
}

#[test]
fn without_sync_a_crash_at_every_operation_loses_the_newest_and_no_middle() {
    crash_everywhere(Synchronous::Normal, 2);
}

fn crash_everywhere(synchronous: Synchronous, seed: u64) {
    let options = options(synchronous);
    let whole = SimVfs::new(seed);
    run(&whole, &options, &mut Model::new(), 45, seed).unwrap();
    for at in 1..=whole.operations() {
        let disk = SimVfs::new(seed * 1_000_000 + at);
        disk.crash_at(at);
        let mut model = Model::new();
        let first = run(&disk, &options, &mut model, 45, seed);
        assert!(first.is_err() || !disk.is_on(), "the power went at {at}");
        disk.restart();
        // The recovery is cut short as well, now and then.
        disk.crash_at(disk.operations() + 1 + at % 17);
        let _ = run(&disk, &options, &mut model, 3, at);
        disk.restart();
        disk.clear_faults();
        run(&disk, &options, &mut model, 2, at).expect("nothing fails any more");
    }
}

#[test]
fn after_a_failure_at_every_operation_nothing_wrong_is_shown_or_kept() {
    let options = options(Synchronous::Full);
    let whole = SimVfs::new(3);
    run(&whole, &options, &mut Model::new(), 40, 3).unwrap();
    for at in 1..=whole.operations() {
        for fault in [Fault::WriteError, Fault::SyncError, Fault::NoSpace, Fault::ReadError] {
            let disk = SimVfs::new(at);
            disk.inject(at, fault);
            let mut model = Model::new();
            let _ = run(&disk, &options, &mut model, 40, 3);
            disk.clear_faults();
            disk.restart();
            let last = run(&disk, &options, &mut model, 2, at);
            last.unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
        }
    }
}

/// One short life: opens, compares with what must be there, commits the next number, closes.
fn short_life(disk: &SimVfs, options: &Options, known: &mut (u64, u64)) -> Result<()> {
    let manager = open(disk, options)?;
    let reader = manager.begin(MAIN, BeginOptions::read_only())?;
    let there: Vec<u64> = match reader.tree_kind(TreeId(1)) {
        None => Vec::new(),
        Some(_) => contents(&reader, TreeId(1))?
            .into_keys()
            .map(|key| u64::from_be_bytes(key.try_into().unwrap()))
            .collect(),
    };
    drop(reader);
    let count = there.len() as u64;
    assert_eq!(there, (0..count).collect::<Vec<_>>(), "no middle is missing");
    let (acknowledged, tried) = *known;
    assert!((acknowledged..=tried).contains(&count), "{count} of {acknowledged} to {tried}");
    *known = (count, count + 1);
    put(&manager, MAIN, &count.to_be_bytes(), &[7; 90])?;
    known.0 = count + 1;
    manager.close()
}

#[test]
fn many_short_lives_share_a_segment_and_end_well_at_any_operation() {
    for history in [Retention::NOTHING, Retention::default()] {
        // Room for all lives in one segment, and little to copy for each of the crashes.
        let wal = WalOptions { segment_len: 32 << 10, ..WalOptions::default() };
        let options = Options { wal, history, ..small() };
        let whole = SimVfs::new(7);
        for _ in 0..4 {
            short_life(&whole, &options, &mut (0, u64::MAX - 1)).unwrap();
        }
        let files = whole.list(Path::new("")).unwrap();
        let logs = files.iter().filter(|file| file.to_string_lossy().contains("-wal-")).count();
        assert_eq!(logs, usize::from(history != Retention::NOTHING), "{files:?}");
        for at in 1..=whole.operations() {
            let disk = SimVfs::new(at);
            disk.crash_at(at);
            let mut known = (0, 0);
            while short_life(&disk, &options, &mut known).is_ok() {}
            disk.restart();
            for life in 0..2 {
                short_life(&disk, &options, &mut known).unwrap();
                if (at + life).is_multiple_of(2) {
                    disk.kill_process();
                } else {
                    disk.crash();
                    disk.restart();
                }
            }
            short_life(&disk, &options, &mut known).unwrap();
        }
    }
}
