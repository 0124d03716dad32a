//! `cargo xtask slt`, `diff` and `tpch`: SQL compared with files of expected results and with
//! SQLite.
//!
//! They are commands of the package `pandodb-differential`, which builds SQLite and therefore
//! stays outside the default members. Neighbours: `tests/differential` holds the program,
//! `soak` calls [`run_diff`] with new seeds.

use std::path::PathBuf;

use crate::process::{Failure, Outcome, Tool, is_test_summary};
use crate::workspace;

const PROGRAM: &str = "tests/differential/src/main.rs";

/// What `cargo xtask slt` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SltArguments {
    /// Files of sqllogictest (`*.test`, also packed as `*.zst`, `*.slt`) and feature tests
    /// (`*.sqltest`), or folders that are searched for them.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// How many files at once.
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
    /// Seconds that a file may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
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
    /// The first seed; with `--seeds 1` replays it.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Further options of the comparison, after `--`.
    #[arg(last = true, value_name = "OPTION")]
    pub(crate) options: Vec<String>,
}

/// What `cargo xtask tpch` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct TpchArguments {
    /// Size in thousandths of the benchmark's unit: 1 is 1,500 orders.
    #[arg(long, value_name = "N", default_value_t = 2)]
    scale: u32,
    /// Further options of the comparison, after `--`.
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

/// Whether the program that these commands run has been written.
pub(crate) fn exists() -> bool {
    workspace::has_program(PROGRAM)
}

fn program(command: &str) -> Outcome<Tool> {
    if !exists() {
        return Err(Failure::new(format!("`{command}` is not there yet: {PROGRAM} is empty")));
    }
    Ok(Tool::cargo(["run", "--release", "-q", "-p", "pandodb-differential", "--", command]))
}

/// As [`program`], of the profile that the tests have: nothing is built a second time, and a sum
/// that overflows is seen.
fn program_for_tests(command: &str) -> Tool {
    Tool::cargo(["run", "-q", "-p", "pandodb-differential", "--", command])
}

/// How many random scripts CI compares: 100,000 statements.
const CI_SEEDS: u64 = 1500;

/// What CI compares: random scripts, always the same ones.
pub(crate) fn run_share_of_diff() -> Outcome {
    let seeds = CI_SEEDS.to_string();
    program_for_tests("diff")
        .arguments(["--seeds", &seeds, "--seed", "1", "--timeout", "120"])
        .run()
}

/// Runs the tests of the program: statements that differed once, functions, parses.
pub(crate) fn run_tests() -> Outcome<Vec<String>> {
    Tool::cargo(["test", "--no-fail-fast", "-p", "pandodb-differential", "--bins", "--tests"])
        .run_keeping(is_test_summary)
}

/// The files of SQLite's corpus that CI plays. They are no part of the repository: they are in the
/// folder that `PANDODB_CORPUS` names, or in a folder `sqllogictest` of one beside the checkout.
pub(crate) fn share_of_corpus() -> Vec<PathBuf> {
    let names = ["evidence", "select1.test", "select2.test", "select3.test", "select4.test"];
    let folders = match std::env::var_os("PANDODB_CORPUS") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => workspace::beside("sqllogictest"),
    };
    let files_of = |folder: &PathBuf| -> Vec<PathBuf> {
        names.iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect()
    };
    folders.iter().map(files_of).find(|files| !files.is_empty()).unwrap_or_default()
}

/// Plays what [`share_of_corpus`] found.
pub(crate) fn run_share_of_slt(paths: Vec<PathBuf>) -> Outcome {
    program_for_tests("slt").arguments(paths).run()
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
    program("slt")?
        .arguments(["--jobs", &arguments.jobs.to_string()])
        .arguments(["--timeout", &arguments.timeout.to_string()])
        .arguments(&arguments.options)
        .arguments(paths)
        .run()
}

/// Compares random statements with SQLite.
pub(crate) fn run_diff(arguments: &DiffArguments) -> Outcome {
    program("diff")?
        .arguments(["--seeds", &arguments.seeds.to_string()])
        .arguments(["--seed", &arguments.seed.to_string()])
        .arguments(&arguments.options)
        .run()
}

/// Compares the queries of TPC-H with SQLite.
pub(crate) fn run_tpch(arguments: &TpchArguments) -> Outcome {
    program("tpch")?
        .arguments(["--scale", &arguments.scale.to_string()])
        .arguments(&arguments.options)
        .run()
}
