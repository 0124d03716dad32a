//! A bank on branches: `cargo run --release -p pandodb-bank`.
//!
//! Threads move money between accounts at every isolation level, while the branches that they do
//! it on are made, renamed, merged, reset and dropped under them. No branch gains or loses any,
//! indexes fit their rows, and what was acknowledged on a branch that only ever goes forward is
//! there. Which thread comes first is not up to the seed, so that a seed does not replay a finding;
//! many short lives find more than a long one. Neighbours: `life` (a database's life and what must
//! hold), `teller` (what a thread does); `cargo xtask soak` runs many.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the program works on real threads and files and reports to a terminal"
)]

mod life;
mod teller;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::life::Life;

#[derive(Parser)]
#[command(about = "Threads that move money on branches which others make, merge, reset and drop")]
struct Arguments {
    /// How many lives of a database, each with a seed.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Threads.
    #[arg(long, default_value_t = 8)]
    threads: u64,
    /// What each thread does before the books are looked at.
    #[arg(long, default_value_t = 2000)]
    actions: u64,
    /// Folder for the databases, which are in memory without it; that of a finding is left there.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    for seed in arguments.start..arguments.start.saturating_add(arguments.seeds) {
        let file = arguments.folder.as_ref().map(|folder| folder.join(format!("{seed}.pando")));
        let life = Life { seed, threads: arguments.threads, actions: arguments.actions };
        match life.live(file.as_deref()) {
            Ok(done) => println!("seed {seed}: {done}"),
            Err(found) => {
                println!("seed {seed}: {found}");
                return ExitCode::FAILURE;
            }
        }
        if let Some(file) = file {
            life::remove(&file);
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::Life;

    #[test]
    fn no_branch_gains_or_loses_money_in_memory() {
        pandodb_testkit::Seeds::first(4).run("no_branch_gains_or_loses_money", |random| {
            let life = Life { seed: random.get_seed(), threads: 6, actions: 250 };
            life.live(None).unwrap();
        });
    }

    #[test]
    fn no_branch_gains_or_loses_money_in_a_file() {
        let folder = pandodb_testkit::TemporaryFolder::new();
        let life = Life { seed: 1, threads: 6, actions: 250 };
        life.live(Some(&folder.path().join("bank.pando"))).unwrap();
    }
}
