//! Random cases by seed: the same seed is the same case, on every machine.
//!
//! A failing case prints the variable that replays it alone. Without `PANDO_SEED` the seeds
//! are the first ones, so that a run of CI can be repeated; new ground is covered by
//! `cargo xtask soak`, which sets `PANDO_SEED_START`. Neighbours: the model tests of all crates.

use std::env;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Replays one seed.
const ONE: &str = "PANDO_SEED";
/// Moves the range of seeds.
const START: &str = "PANDO_SEED_START";

/// A range of seeds, each of which is a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(Range<u64>);

impl Seeds {
    /// The first `count` seeds, or what the variables `PANDO_SEED` (one) and
    /// `PANDO_SEED_START` (another beginning) say.
    pub fn first(count: u64) -> Self {
        Self::choose(count, number(ONE), number(START))
    }

    fn choose(count: u64, one: Option<u64>, start: Option<u64>) -> Self {
        match (one, start) {
            (Some(seed), _) => Self(seed..seed.saturating_add(1)),
            (None, start) => {
                let start = start.unwrap_or(0);
                Self(start..start.saturating_add(count))
            }
        }
    }

    /// Whether a single seed is replayed: a case may then tell every step.
    pub fn is_replay(&self) -> bool {
        number(ONE).is_some()
    }

    /// Runs `case` with the generator of every seed. When it panics, the seed and how to replay
    /// it are printed before the panic goes on.
    pub fn run(&self, test: &str, mut case: impl FnMut(&mut fastrand::Rng)) {
        for seed in self.0.clone() {
            let mut random = fastrand::Rng::with_seed(seed);
            let outcome = catch_unwind(AssertUnwindSafe(|| case(&mut random)));
            if let Err(panic) = outcome {
                eprintln!("\n{test} failed with seed {seed}; replay it alone with\n");
                eprintln!("    {}\n", replay_command(test, seed));
                resume_unwind(panic);
            }
        }
    }
}

/// The command that runs `test` with `seed` alone.
fn replay_command(test: &str, seed: u64) -> String {
    // The package under test, as cargo tells it to every test.
    let package = env::var("CARGO_PKG_NAME").map(|name| format!(" -p {name}")).unwrap_or_default();
    format!("{ONE}={seed} cargo test{package} {test} -- --nocapture")
}

/// The number in a variable; a value that is no number must not pass as "not set".
fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|error| panic!("{variable} is `{value}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_choose_the_seeds() {
        assert_eq!(Seeds::choose(3, None, None), Seeds(0..3));
        assert_eq!(Seeds::choose(3, None, Some(10)), Seeds(10..13));
        assert_eq!(Seeds::choose(3, Some(7), Some(10)), Seeds(7..8));
        assert_eq!(Seeds::choose(3, None, Some(u64::MAX)), Seeds(u64::MAX..u64::MAX));
    }

    #[test]
    fn a_seed_is_a_case() {
        let draw = || {
            let mut drawn = Vec::new();
            Seeds(0..5).run("draw", |random| drawn.push(random.u64(..)));
            drawn
        };
        let drawn = draw();
        assert_eq!(drawn, draw());
        assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]), "seeds give different cases");
    }

    #[test]
    fn a_panic_goes_on_after_the_seed_was_told() {
        let mut cases = 0;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            Seeds(0..5).run("fails_at_two", |_| {
                cases += 1;
                assert!(cases < 3, "case {cases}");
            });
        }));
        assert!(outcome.is_err());
        assert_eq!(cases, 3, "no case after the failing one");
    }

    #[test]
    fn the_command_names_seed_and_test() {
        let command = replay_command("some_test", 17);
        assert!(command.starts_with("PANDO_SEED=17 cargo test"), "{command}");
        assert!(command.contains(" some_test "), "{command}");
    }
}
