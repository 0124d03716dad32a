//! `cargo xtask sim`: seeded simulations of storage and transactions on a disk that lies.
//!
//! A crate's simulation is its example `sim`; it takes `--seeds N --start S` for a range and
//! `--seed X` for one, told step by step, and prints for a failing seed the command that
//! replays it. Neighbours: `ci` runs a short one, `soak` runs new seeds.

use std::fmt;

use crate::process::{Failure, Outcome, Tool};
use crate::workspace;

/// What `cargo xtask sim` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many seeds to run in each layer.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) start: u64,
    /// Replay this one seed and tell every step.
    #[arg(long, value_name = "X", conflicts_with_all = ["seeds", "start"])]
    pub(crate) seed: Option<u64>,
    /// Which layer to simulate (default: all that have a simulation).
    #[arg(long, value_enum)]
    pub(crate) layer: Option<Layer>,
}

/// A layer that has a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Layer {
    /// Storage: trees, forks, checkpoints.
    Ds,
    /// Transactions: log, commit, recovery.
    Tm,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ds => "ds",
            Self::Tm => "tm",
        })
    }
}

/// Whether any layer has a simulation.
pub(crate) fn exists() -> bool {
    [Layer::Ds, Layer::Tm].into_iter().any(|layer| workspace::has(&layer.source()))
}

impl Layer {
    fn source(self) -> String {
        format!("crates/{self}/examples/sim_{self}.rs")
    }

    fn run(self, arguments: &Arguments) -> Outcome {
        println!("simulation of pandodb-{self}");
        let (package, example) = (format!("pandodb-{self}"), format!("sim_{self}"));
        let tool =
            Tool::cargo(["run", "--release", "-q", "-p", &package, "--example", &example, "--"]);
        let tool = match arguments.seed {
            Some(seed) => tool.arguments(["--seed", &seed.to_string()]),
            None => tool
                .arguments(["--seeds", &arguments.seeds.to_string()])
                .arguments(["--start", &arguments.start.to_string()]),
        };
        tool.run()
    }
}

/// Runs the simulations of the chosen layers.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let wanted = arguments.layer.map_or_else(|| vec![Layer::Ds, Layer::Tm], |layer| vec![layer]);
    let (present, missing): (Vec<Layer>, Vec<Layer>) =
        wanted.into_iter().partition(|layer| workspace::has(&layer.source()));
    for layer in &missing {
        println!("pandodb-{layer} has no simulation: {} is missing", layer.source());
    }
    if present.is_empty() {
        return Err(Failure::new("there is no simulation to run (see above)"));
    }
    present.into_iter().try_for_each(|layer| layer.run(arguments))
}
