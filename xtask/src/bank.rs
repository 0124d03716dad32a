//! `cargo xtask bank`: threads that move money on branches which others make, merge and drop.
//!
//! The package `pandodb-bank` does it and looks at the books; its tests are the share of CI.
//! Neighbours: `tests/bank` holds the program, `soak` calls it with new seeds.

use crate::process::{Outcome, Tool};

/// What `cargo xtask bank` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many lives of a database, each with a seed.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) start: u64,
    /// Further options of the program, after `--`.
    #[arg(last = true, value_name = "OPTION")]
    pub(crate) options: Vec<String>,
}

/// Lets the bank live.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Tool::cargo(["run", "--release", "-q", "-p", "pandodb-bank", "--"])
        .arguments(["--seeds", &arguments.seeds.to_string()])
        .arguments(["--start", &arguments.start.to_string()])
        .arguments(&arguments.options)
        .run()
}
