//! `cargo xtask`: the one door to every chore of the repository.
//!
//! Each command is a file of this folder and explains itself with `--help`. A command whose
//! engine part is missing says what is missing and fails; none pretends to have worked.
//! Neighbours: `.ci/run` calls `cargo xtask ci`; `CONTRIBUTING.md` tells when to use which.
#![allow(clippy::print_stdout, reason = "a tool talks to its user on standard output")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool works on real files and real time; the doors guard the libraries"
)]
#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the names of the repository's files are lower case"
)]

// What the commands stand on.
mod process;
mod source;
mod workspace;

// Checks.
mod ci;
mod codegen;
mod test;
mod tidy;

// Searching for defects.
mod bank;
mod differential;
mod fuzz;
mod loom;
mod merges;
mod sim;
mod soak;

// Speed.
mod bench;
mod profile;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Every chore of the PandoDB repository behind one door.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every check that a change must pass, in order, with a time for each.
    Ci(ci::Arguments),
    /// Run the unit, integration and documentation tests.
    Test(test::Arguments),
    /// Check the budgets and layer rules that no compiler checks.
    Tidy(tidy::Arguments),
    /// Rewrite the generated blocks of the documents.
    Codegen(codegen::Arguments),
    /// Run seeded simulations with crashes and faults; replay one by its seed.
    Sim(sim::Arguments),
    /// Let threads move money on branches that others make, merge, reset and drop.
    Bank(bank::Arguments),
    /// Merge random branches every way and look at the laws of merges.
    Merges(merges::Arguments),
    /// Run the models that try every interleaving of threads.
    Loom(loom::Arguments),
    /// Fuzz a target, or replay what earlier runs found.
    Fuzz(fuzz::Arguments),
    /// Run sqllogictest files.
    Slt(differential::SltArguments),
    /// Compare random SQL statements with SQLite.
    Diff(differential::DiffArguments),
    /// Compare the results of TPC-H with SQLite's.
    Tpch(differential::TpchArguments),
    /// Measure side by side with other databases.
    Bench(bench::Arguments),
    /// Show where the time of a benchmark workload goes.
    Profile(profile::Arguments),
    /// Search for defects with new seeds until the time is over.
    Soak(soak::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Ci(arguments) => ci::run(&arguments),
        Command::Test(arguments) => test::run(&arguments).map(drop),
        Command::Tidy(arguments) => tidy::run(&arguments),
        Command::Codegen(arguments) => codegen::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Bank(arguments) => bank::run(&arguments),
        Command::Merges(arguments) => merges::run(&arguments),
        Command::Loom(arguments) => loom::run(&arguments).map(drop),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Slt(arguments) => differential::run_slt(&arguments),
        Command::Diff(arguments) => differential::run_diff(&arguments),
        Command::Tpch(arguments) => differential::run_tpch(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Profile(arguments) => profile::run(&arguments),
        Command::Soak(arguments) => soak::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_command_explains_itself() {
        let mut door = super::Arguments::command();
        door.build();
        door.clone().debug_assert();
        for command in door.get_subcommands() {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        }
    }
}
