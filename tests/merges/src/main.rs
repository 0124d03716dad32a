//! Random merges and the laws that hold for all of them: `cargo run -p pandodb-merges`.
//!
//! A seed makes a schema, rows, and changes of both on branches; the branches are then merged in
//! both directions with every policy, and the laws of `docs/merging.md` are looked at. What breaks
//! one is made short and printed as SQL. Neighbours: `generate` (a seed's script), `laws`,
//! `shrink`; `cargo xtask soak` runs new seeds, the test below always the same ones.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "the program takes the time and reports to a terminal"
)]

mod again;
mod definition;
mod generate;
mod laws;
mod model;
mod settle;
mod shrink;
mod snapshot;
mod statement;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use crate::laws::Broken;
use crate::world::Line;

#[derive(Parser)]
#[command(about = "Random merges, and the laws that hold for all of them")]
struct Arguments {
    /// How many seeds, each a script of random statements.
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed; replays one with `--seeds 1`.
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// Findings after which to stop.
    #[arg(long, default_value_t = 10)]
    findings: usize,
    /// Seconds for making one of them short.
    #[arg(long, default_value_t = 10)]
    shrinking: u64,
    /// Print the script of each seed, run nothing else.
    #[arg(long)]
    print: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let mut findings = 0;
    let mut seeds = 0_u64;
    for seed in arguments.start..arguments.start.saturating_add(arguments.seeds) {
        seeds += 1;
        if arguments.print {
            print!("{}", written(&generate::of_seed(seed).script));
            continue;
        }
        let Some((script, found)) = run(seed) else { continue };
        let limit = Duration::from_secs(arguments.shrinking);
        let (script, found) = shrink::shrink(script, found, limit);
        println!("seed {seed}: {}\n  {}\n{}", found.law, found.how, written(&script));
        findings += 1;
        if findings >= arguments.findings {
            break;
        }
    }
    println!("{seeds} seeds in {:.1} s, {findings} findings", began.elapsed().as_secs_f64());
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a seed breaks, with its script.
fn run(seed: u64) -> Option<(Vec<Line>, Broken)> {
    let made = generate::of_seed(seed);
    if let Some(how) = made.defect {
        let law = "statements end well or with an error of their own".to_owned();
        return Some((made.script, Broken { law, how }));
    }
    let found = shrink::finding(&made.script)?;
    Some((made.script, found))
}

/// A script as SQL.
fn written(script: &[Line]) -> String {
    let mut text = String::new();
    let mut branch = "";
    for line in script {
        if line.branch != branch {
            branch = line.branch;
            text.push_str(&format!("    -- {branch}\n"));
        }
        text.push_str(&format!("    {};\n", line.sql));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests fail by panicking")]

    /// A share of the seeds; `cargo xtask soak` runs others.
    #[test]
    fn random_merges_keep_the_laws() {
        pandodb_testkit::Seeds::first(25).run("random_merges_keep_the_laws", |random| {
            let seed = random.get_seed();
            if let Some((script, found)) = super::run(seed) {
                panic!("{}\n{}\n{}", found.law, found.how, super::written(&script));
            }
        });
    }
}
