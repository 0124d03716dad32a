//! `cargo xtask slt` and `cargo xtask diff`: SQL compared with files of expected results and
//! with SQLite.
//!
//! Both are commands of the package `pandodb-differential`, which builds SQLite and therefore
//! stays outside the default members. Neighbours: `tests/differential` holds the program,
//! `soak` calls [`run_diff`] with new seeds.

use std::path::PathBuf;

use crate::process::{Failure, Outcome, Tool};
use crate::workspace;

const PROGRAM: &str = "tests/differential/src/main.rs";

/// What `cargo xtask slt` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SltArguments {
    /// sqllogictest files, or folders that are searched for `*.test` and `*.slt`.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Further options of the runner, after `--`.
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

/// What `cargo xtask diff` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DiffArguments {
    /// How many seeds, each a script of random statements.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) seeds: u64,
    /// Further options of the comparison, after `--`.
    #[arg(last = true, value_name = "OPTION")]
    pub(crate) options: Vec<String>,
}

/// Whether the program that both commands run has been written.
pub(crate) fn exists() -> bool {
    workspace::has_program(PROGRAM)
}

fn program(command: &str) -> Outcome<Tool> {
    if !exists() {
        return Err(Failure::new(format!("`{command}` is not there yet: {PROGRAM} is empty")));
    }
    Ok(Tool::cargo(["run", "--release", "-q", "-p", "pandodb-differential", "--", command]))
}

/// Runs sqllogictest files.
pub(crate) fn run_slt(arguments: &SltArguments) -> Outcome {
    let here = std::env::current_dir()
        .map_err(|cause| Failure::new(format!("there is no current folder: {cause}")))?;
    let mut paths = Vec::new();
    for path in &arguments.paths {
        // The program runs in the root of the workspace; paths are meant from here.
        let path = here.join(path);
        if !path.exists() {
            return Err(Failure::new(format!("{} does not exist", path.display())));
        }
        paths.push(path);
    }
    program("slt")?.arguments(&arguments.options).arguments(paths).run()
}

/// Compares random statements with SQLite.
pub(crate) fn run_diff(arguments: &DiffArguments) -> Outcome {
    program("diff")?
        .arguments(["--seeds", &arguments.seeds.to_string()])
        .arguments(&arguments.options)
        .run()
}
