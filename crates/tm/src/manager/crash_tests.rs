//! The whole of it on the simulated disk: the power goes at every operation of a workload, and
//! every operation fails in every way.
//!
//! The workload and what must hold are in `examples/sim.rs`, which `cargo xtask sim` runs
//! with more seeds. Neighbours: `wal::crash_tests` does this to the log alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::vfs::{Fault, SimVfs};

use crate::wal::Synchronous;

#[path = "../../examples/sim.rs"]
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
