//! PandoDB compared with SQLite: `cargo run -p pandodb-differential -- SUBCOMMAND`.
//!
//! Each subcommand reads a corpus or makes random SQL, gives it to both, and reports where
//! they differ; the exit code says whether the difference is within bounds. Neighbours:
//! `corpus` (reading), `parse` (which texts are SQL), `expressions` (how they group), `engine`
//! (the two sides), `slt` and `sqltest` (files of results), `pool` and `report` (running many).
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "the comparison reads corpora, takes the time and reports to a terminal"
)]

#[cfg(test)]
mod authorizer;
#[cfg(test)]
mod cases;
mod corpus;
mod engine;
mod expressions;
#[cfg(test)]
mod functions;
mod parse;
mod pool;
mod random;
mod replay;
mod report;
mod slt;
mod sqltest;
mod tpch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "PandoDB compared with SQLite")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Which statements of a corpus are SQL, and how fast they are read.
    Parse(parse::Arguments),
    /// Whether random expressions group as SQLite groups them.
    Expressions(expressions::Arguments),
    /// Whether files of SQL and its results pass.
    Slt(slt::Arguments),
    /// Whether random statements do the same on both sides.
    Diff(random::Arguments),
    /// Where the two differ in a script of one's own.
    Replay(replay::Arguments),
    /// Whether the queries of TPC-H have the same results, and how fast.
    Tpch(tpch::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Parse(arguments) => parse::run(&arguments),
        Command::Expressions(arguments) => expressions::run(&arguments),
        Command::Diff(arguments) => Ok(random::run(&arguments)),
        Command::Replay(arguments) => replay::run(&arguments).map_err(Into::into),
        Command::Tpch(arguments) => tpch::run(&arguments).map_err(Into::into),
        Command::Slt(arguments) => slt::run(&arguments).map_err(Into::into),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}
