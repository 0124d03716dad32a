//! The fuzz targets of all layers by name, and a plain runner.
//!
//! The targets are functions of any bytes that live beside the tests of their layer, where they
//! run for a moment in every test run. Neighbours: `fuzz_targets/` hands them to cargo-fuzz,
//! `bin/replay.rs` runs them without.

#[path = "../../crates/ds/tests/storage/targets.rs"]
mod targets;
#[path = "../../crates/ds/tests/storage/world.rs"]
mod world;

use std::panic;
use std::time::{Duration, Instant};

use fastrand::Rng;
use targets::{TARGETS, Target, mutate};

fn find(name: &str) -> Result<&'static Target, String> {
    TARGETS.iter().find(|target| target.name == name).ok_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        format!("there is no target {name}; there are: {}", names.join(", "))
    })
}

/// Runs one target on one input; panics when something is wrong.
///
/// # Panics
///
/// When the target finds something, or does not exist.
pub fn run(name: &str, input: &[u8]) {
    match find(name) {
        Ok(target) => (target.run)(input),
        Err(message) => panic!("{message}"),
    }
}

/// An input that a target fails on.
#[derive(Debug)]
pub struct Finding(pub Vec<u8>);

/// Runs a target on its own seeds and on `kept`, then for `time` on inputs made from them;
/// returns how many ran, or the first that fails.
///
/// # Errors
///
/// When there is no such target.
pub fn search(
    name: &str,
    kept: Vec<Vec<u8>>,
    time: Duration,
) -> Result<Result<u64, Finding>, String> {
    let target = find(name)?;
    let mut inputs = (target.seeds)();
    inputs.extend(kept);
    let fails = |input: &[u8]| panic::catch_unwind(|| (target.run)(input)).is_err();
    if let Some(input) = inputs.iter().find(|input| fails(input)) {
        return Ok(Err(Finding(input.clone())));
    }
    let mut ran = inputs.len() as u64;
    let mut rng = Rng::new();
    let began = Instant::now();
    while began.elapsed() < time {
        let (from, other) = (rng.usize(..inputs.len()), rng.usize(..inputs.len()));
        let input = mutate(&mut rng, &inputs[from], &inputs[other]);
        ran += 1;
        if fails(&input) {
            return Ok(Err(Finding(input)));
        }
    }
    Ok(Ok(ran))
}
