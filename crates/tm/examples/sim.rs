//! `cargo xtask sim --layer tm`: lives of a database by a seed, with crashes and faults.
//!
//! Each seed is a database that is opened several times. In each life the power may go at some
//! operation, the process may be killed, or operations may fail by chance; after each, what is
//! there is compared with the model. A failing seed prints the command that replays it.
//! Neighbours: `sim/workload.rs` has the transactions and the model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a simulation fails by panicking and tells what it does"
)]

#[path = "sim/workload.rs"]
mod workload;

use std::panic::{AssertUnwindSafe, catch_unwind};

use fastrand::Rng;
use pandodb_ds::vfs::{Fault, SimVfs};
use pandodb_tm::Synchronous;
use workload::{Model, options, run};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| -> Option<u64> {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse().ok()
    };
    if let Some(seed) = value("--seed") {
        simulate(seed, true);
        println!("seed {seed}: nothing found");
        return;
    }
    let start = value("--start").unwrap_or(0);
    let count = value("--seeds").unwrap_or(1000);
    for seed in start..start + count {
        if catch_unwind(AssertUnwindSafe(|| simulate(seed, false))).is_err() {
            println!("failed: cargo xtask sim --layer tm --seed {seed}");
            std::process::exit(1);
        }
    }
    println!("seeds {start} to {}: nothing found", start + count);
}

/// One database from its first life to its last.
fn simulate(seed: u64, tells: bool) {
    let mut rng = Rng::with_seed(seed);
    let disk = SimVfs::new(seed);
    let mut options = options([Synchronous::Normal, Synchronous::Full][rng.usize(..2)]);
    options.wal.spare_segments = rng.usize(..3);
    let mut model = Model::new();
    for life in 0..rng.u32(3..7) {
        let count = rng.usize(1..60);
        let operation = disk.operations() + rng.u64(1..300);
        let fault = match rng.u8(..10) {
            0..=4 => Some(Fault::Crash),
            5 => Some(Fault::WriteError),
            6 => Some(Fault::SyncError),
            7 => Some(Fault::NoSpace),
            8 => Some(Fault::ReadError),
            _ => None,
        };
        if let Some(fault) = fault {
            disk.inject(operation, fault);
        }
        let outcome = run(&disk, &options, &mut model, count, rng.u64(..));
        if tells {
            let commits = model.states.len() - 1;
            println!("life {life}: {fault:?} at {operation}, {commits} commits, {outcome:?}");
        }
        // In the background too, where nobody is told.
        let has_struck = fault.is_some() && disk.outstanding_faults() == 0;
        disk.clear_faults();
        if !disk.is_on() || has_struck || rng.bool() {
            // After a failed sync what was written may be gone even without a crash.
            disk.restart();
            model.is_whole = false;
        } else {
            disk.kill_process();
            model.is_whole = true;
        }
    }
    run(&disk, &options, &mut model, 5, rng.u64(..)).expect("nothing fails any more");
}
