//! PandoDB and other databases in turn, in one process, on the same data.
//!
//! `bench` measures suites and prints one table; `workload NAME` repeats PandoDB's side of one
//! workload for a profiler. Neighbours: `turns` alternates and times, `report` prints,
//! `targets` says what is to be reached, a folder for each suite; `cargo xtask bench` starts it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark works on real files and real time"
)]
#![allow(clippy::print_stdout, reason = "the table goes to standard output")]

mod branching;
mod data;
mod python;
mod report;
mod scale;
mod sql;
mod storage;
mod targets;
mod transactions;
mod turns;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use turns::{Alone, Outcome, Rounds};

/// PandoDB beside other databases.
#[derive(Debug, Parser)]
#[command(name = "pandodb-peers", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure suites and print a table.
    Bench(Bench),
    /// Repeat PandoDB's side of one workload, for a profiler.
    Workload(Workload),
    /// Measure PandoDB at several sizes and write tables and plots.
    Scale(scale::Arguments),
    /// Load the standard rows and print by how many bytes this process grew at most.
    Load(Load),
}

#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Bench {
    /// Which workloads to measure.
    #[arg(long, value_enum, default_value_t = Suite::All)]
    suite: Suite,
    /// Fewer rows and rounds: figures only for orientation.
    #[arg(long)]
    quick: bool,
    /// How many rows the tables have (default: 1,000,000, with --quick 100,000).
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// How many rounds (default: 5, with --quick 3).
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,
    /// How many branches "many" are (default: 10,000, with --quick 1,000).
    #[arg(long, value_name = "N")]
    branches: Option<u64>,
    /// Only workloads whose name contains this, or one of these with commas between them.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Where databases are made (default: a temporary folder).
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Write the figures to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail where a target is missed.
    #[arg(long)]
    check: bool,
    /// Install the peers that come as Python packages, then stop.
    #[arg(long)]
    setup: bool,
}

#[derive(Debug, clap::Args)]
struct Workload {
    /// Its name in the table.
    name: String,
    /// How many rows the tables have.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rows: u64,
    /// How long to repeat it.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// A pipe that `perf record --control` reads.
    #[arg(long, value_name = "PIPE")]
    control: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Load {
    /// The contender's name in the table.
    contender: String,
    /// How many rows.
    #[arg(long, value_name = "N")]
    rows: u64,
    /// Where the database is made.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// Trees and files, against redb and LMDB.
    Storage,
    /// Commits, readers and writers.
    Transactions,
    /// Statements, against SQLite.
    Sql,
    /// Branches, diffs and merges.
    Branching,
    /// All of them.
    All,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Bench(arguments) => bench(&arguments),
        Command::Workload(arguments) => workload(&arguments).map(|()| true),
        Command::Scale(arguments) => scale::measure(&arguments).map(|()| true),
        Command::Load(Load { contender, rows, folder }) => {
            sql::files::load_here(&folder, &contender, rows).map(|bytes| {
                println!("{bytes}");
                true
            })
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("pandodb-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures; `false` when targets were to be checked and one is missed.
fn bench(arguments: &Bench) -> Outcome<bool> {
    if arguments.setup {
        python::install()?;
        return Ok(true);
    }
    let folder = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let rows = arguments.rows.unwrap_or(if arguments.quick { 100_000 } else { 1_000_000 });
    let count = arguments.rounds.unwrap_or(if arguments.quick { 3 } else { 5 });
    let branches = arguments.branches.unwrap_or(if arguments.quick { 1000 } else { 10_000 });
    let mut rounds = Rounds::new(count, arguments.only.as_deref());
    for suite in [Suite::Storage, Suite::Transactions, Suite::Sql, Suite::Branching] {
        if arguments.suite != suite && arguments.suite != Suite::All {
            continue;
        }
        match suite {
            Suite::Storage => storage::measure(&mut rounds, folder.path(), rows)?,
            Suite::Transactions => transactions::measure(&mut rounds, folder.path(), rows)?,
            Suite::Sql => sql::measure(&mut rounds, folder.path(), rows)?,
            Suite::Branching => branching::measure(&mut rounds, folder.path(), rows, branches)?,
            Suite::All => {}
        }
    }
    let lines = report::judge(&rounds);
    report::print(&lines, &rounds, rows);
    if let Some(file) = &arguments.json {
        std::fs::write(file, report::json(&lines, &rounds, rows)?)?;
    }
    let missed = lines.iter().filter(|line| line.is_reached == Some(false)).count();
    if missed > 0 {
        println!("{missed} targets are missed");
    }
    Ok(rounds.failures.is_empty() && (!arguments.check || missed == 0))
}

fn workload(arguments: &Workload) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let time = std::time::Duration::from_secs(arguments.seconds);
    let name = &arguments.name;
    let alone = Alone { time, control: arguments.control.clone() };
    let repeat = match name.split_once('/') {
        Some(("transactions", _)) => Some(transactions::repeat as fn(&str, &_, _, _) -> _),
        Some(("storage", _)) => Some(storage::repeat as fn(&str, &_, _, _) -> _),
        _ => None,
    };
    if let Some(repeat) = repeat {
        // These tell nobody when the clock runs: everything is looked at.
        alone.tell("enable\n")?;
        return repeat(name, folder.path(), arguments.rows, time);
    }
    let mut rounds = Rounds::alone(name, alone);
    sql::measure(&mut rounds, folder.path(), arguments.rows)?;
    branching::measure(&mut rounds, folder.path(), arguments.rows, 10_000)?;
    match rounds.failures.first() {
        Some((_, reason)) => return Err(reason.clone().into()),
        None if rounds.all.is_empty() => return Err(format!("there is no workload {name}").into()),
        None => {}
    }
    report::print(&report::judge(&rounds), &rounds, arguments.rows);
    Ok(())
}
