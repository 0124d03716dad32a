//! `cargo xtask bench`: PandoDB and other databases in turn, in one run, on the same data.
//!
//! The measuring is done by the package `pandodb-peers`, which builds the other databases and
//! therefore stays outside the default members. Neighbours: `benches/peers` holds the program,
//! `profile` looks into one of its workloads.

use std::path::PathBuf;

use crate::process::{Failure, Outcome, Tool};
use crate::workspace;

const PROGRAM: &str = "benches/peers/src/main.rs";

/// What `cargo xtask bench` takes.
#[derive(Clone, Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Arguments {
    /// Which workloads to measure.
    #[arg(long, value_enum, default_value_t = Suite::All)]
    suite: Suite,
    /// Fewer rows and rounds: seconds instead of minutes, figures only for orientation.
    #[arg(long)]
    quick: bool,
    /// How many rows the tables have.
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// How many rounds (default: 5, with --quick 3).
    #[arg(long, value_name = "N")]
    rounds: Option<u64>,
    /// How many branches "many" are (default: 10,000, with --quick 1,000).
    #[arg(long, value_name = "N")]
    branches: Option<u64>,
    /// Only workloads whose name contains this, or one of these with commas between them.
    #[arg(long, value_name = "FILTER")]
    only: Option<String>,
    /// Write the figures to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail where a target is missed.
    #[arg(long)]
    check: bool,
    /// Measure PandoDB alone at several sizes and write docs/performance/scale.md and its plots.
    #[arg(long, conflicts_with_all = ["suite", "rows", "branches", "json", "check", "only"])]
    scale: bool,
    /// With --scale: 10,000,000 rows too.
    #[arg(long, requires = "scale")]
    large: bool,
    /// Install the peers that come as Python packages, then stop.
    #[arg(long)]
    setup: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Suite {
    /// Trees and files, against redb and LMDB.
    Storage,
    /// Commits, readers and writers.
    Transactions,
    /// Statements, against SQLite and DuckDB.
    Sql,
    /// Branches, diffs and merges, against DoltLite and copies of files.
    Branching,
    /// All of them.
    All,
}

/// The command line of the measuring program, built for release.
pub(crate) fn program(command: &str) -> Outcome<Tool> {
    if !workspace::has_program(PROGRAM) {
        return Err(Failure::new(format!("`{command}` is not there yet: {PROGRAM} is empty")));
    }
    Ok(Tool::cargo(["run", "--release", "-q", "-p", "pandodb-peers", "--", command]))
}

/// Measures.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    use clap::ValueEnum;

    if arguments.scale {
        let folder = workspace::root().join("docs/performance");
        let tool = program("scale")?.argument("--out").argument(folder);
        let flags = [("--quick", arguments.quick), ("--large", arguments.large)];
        let given = flags.into_iter().filter(|&(_, given)| given).map(|(flag, _)| flag);
        return tool.arguments(given).run();
    }
    let suite = arguments.suite.to_possible_value();
    let suite = suite.as_ref().map_or("all", |value| value.get_name());
    if matches!(arguments.suite, Suite::Sql | Suite::All) {
        // `sql/start` starts it.
        Tool::cargo(["build", "--release", "-q", "-p", "pandodb-cli"]).run()?;
    }
    let mut tool = program("bench")?.arguments(["--suite", suite]);
    let numbers = [
        ("--rows", arguments.rows),
        ("--rounds", arguments.rounds),
        ("--branches", arguments.branches),
    ];
    for (option, number) in numbers {
        if let Some(number) = number {
            tool = tool.arguments([option, &number.to_string()]);
        }
    }
    if let Some(only) = &arguments.only {
        tool = tool.arguments(["--only", only]);
    }
    if let Some(file) = &arguments.json {
        // The program runs in the root of the workspace; the path is meant from here.
        let here = std::env::current_dir().unwrap_or_default();
        tool = tool.argument("--json").argument(here.join(file));
    }
    let flags =
        [("--quick", arguments.quick), ("--check", arguments.check), ("--setup", arguments.setup)];
    for (flag, _) in flags.into_iter().filter(|&(_, given)| given) {
        tool = tool.argument(flag);
    }
    tool.run()
}
