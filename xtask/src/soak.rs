//! `cargo xtask soak`: the searches of the other commands with new seeds, until time is over.
//!
//! The tests run with everything that they can be given more of: histories of 100,000
//! transactions a level, 200 kills of a process. The first seed comes from the clock and is
//! printed, so that a finding can be replayed. A
//! search that does not exist yet makes the soak incomplete, which is a failure at its end.
//! Neighbours: `sim`, `merges`, `bank`, `differential`, `fuzz`, `loom`, `test`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::process::{Failure, Outcome};
use crate::{bank, differential, fuzz, loom, merges, sim, test};

/// What `cargo xtask soak` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long to search; the round that is running is finished.
    #[arg(long, value_name = "N", default_value_t = 60)]
    minutes: u64,
    /// The first seed (default: from the clock).
    #[arg(long, value_name = "S")]
    start: Option<u64>,
    /// Seeds of the simulation, and of the random merges, in a round.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    seeds: u64,
}

/// Searches until the time is over or something is found.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut start = arguments.start.unwrap_or(now.as_secs() << 20);
    let began = Instant::now();
    let limit = Duration::from_secs(arguments.minutes * 60);
    let mut rounds = 0_u64;
    let mut missing = Vec::new();

    println!("soak: first seed {start}");
    loom::run(&loom::Arguments { preemptions: 4, ..loom::Arguments::default() })?;
    while rounds == 0 || began.elapsed() < limit {
        println!("soak: round {}, seeds from {start}", rounds + 1);
        missing = round(arguments.seeds, start)?;
        start += arguments.seeds;
        rounds += 1;
    }
    println!("soak: {rounds} rounds in {} s, nothing found", began.elapsed().as_secs());
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("the soak is incomplete, there is no {}", missing.join(", no "))))
}

/// One round of every search; returns the names of those that do not exist.
fn round(seeds: u64, start: u64) -> Outcome<Vec<&'static str>> {
    let mut missing = Vec::new();
    test::run_tests(&test::Arguments::of_soak(start))?;
    sim::run(&sim::Arguments { seeds, start, seed: None, layer: None })?;
    merges::run(&merges::Arguments { seeds, start, options: Vec::new() })?;
    bank::run(&bank::Arguments { seeds: 20, start, options: Vec::new() })?;
    if differential::exists() {
        let (seeds, seed, options) = (100, start, Vec::new());
        differential::run_diff(&differential::DiffArguments { seeds, seed, options })?;
    } else {
        missing.push("comparison with SQLite");
    }
    if fuzz::targets().is_empty() {
        missing.push("fuzz target");
    } else {
        fuzz::run(&fuzz::Arguments { seconds: 60, ..fuzz::Arguments::default() })?;
    }
    Ok(missing)
}
