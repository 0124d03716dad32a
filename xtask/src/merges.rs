//! `cargo xtask merges`: random schemas and changes on branches, merged every way.
//!
//! The package `pandodb-merges` makes them and looks at the laws of merges, and compares branches
//! that take each other again and again with a model; its tests are the share of CI. Neighbours:
//! `tests/merges` holds the program, `soak` calls it with new seeds.

use crate::process::{Outcome, Tool};

/// What `cargo xtask merges` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many seeds, each a script of random statements on branches.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub(crate) seeds: u64,
    /// The first seed; with `--seeds 1` replays it.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) start: u64,
    /// Further options of the program, after `--`.
    #[arg(last = true, value_name = "OPTION")]
    pub(crate) options: Vec<String>,
}

/// Merges what the seeds make.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    Tool::cargo(["run", "--release", "-q", "-p", "pandodb-merges", "--"])
        .arguments(["--seeds", &arguments.seeds.to_string()])
        .arguments(["--start", &arguments.start.to_string()])
        .arguments(&arguments.options)
        .run()
}
