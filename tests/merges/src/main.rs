//! Random merges and the laws that hold for all of them: `cargo run -p pandodb-merges`.
//!
//! A seed makes a schema, rows, and changes of both on branches; the branches are then merged in
//! both directions with every policy, and the laws of `docs/merging.md` are looked at. What breaks
//! one is made short and printed as SQL. The same seed makes branches of one table that take each
//! other again and again, which `crossed` holds beside a model. Neighbours: `generate` (a seed's
//! script), `laws`, `shrink`; `cargo xtask soak` runs new seeds, the tests below always the same
//! ones.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "the program takes the time and reports to a terminal"
)]

mod again;
mod crossed;
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

use clap::{Parser, ValueEnum};

use crate::crossed::Met;
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
    /// Leave the other part out.
    #[arg(long, value_enum)]
    only: Option<Part>,
}

/// What a seed makes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Any schema, merged every way, and the laws of that.
    Laws,
    /// One table, whose branches take each other again and again, beside a model.
    Crossed,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let began = Instant::now();
    let has = |part| arguments.only.is_none_or(|only| only == part);
    let (mut findings, mut seeds) = (0, 0_u64);
    let mut met = Met::default();
    for seed in arguments.start..arguments.start.saturating_add(arguments.seeds) {
        seeds += 1;
        if has(Part::Laws) {
            findings += laws_of(seed, &arguments);
        }
        if has(Part::Crossed) {
            findings += crossed_of(seed, &arguments, &mut met);
        }
        if findings >= arguments.findings {
            break;
        }
    }
    println!("{seeds} seeds in {:.1} s, {findings} findings", began.elapsed().as_secs_f64());
    if met.merges > 0 {
        println!("branches that take each other: {met}");
    }
    if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tries the laws on a seed's branches; the number of findings.
fn laws_of(seed: u64, arguments: &Arguments) -> usize {
    if arguments.print {
        print!("{}", written(&generate::of_seed(seed).script));
        return 0;
    }
    let Some((script, found)) = run(seed) else { return 0 };
    let limit = Duration::from_secs(arguments.shrinking);
    let (script, found) = shrink::shrink(script, found, limit, shrink::finding);
    println!("seed {seed}: {}\n  {}\n{}", found.law, found.how, written(&script));
    1
}

/// Compares a seed's crossed branches with the model; the number of findings.
fn crossed_of(seed: u64, arguments: &Arguments, met: &mut Met) -> usize {
    let script = crossed::Script::of_seed(seed);
    if arguments.print {
        print!("{script}");
        return 0;
    }
    let found = match crossed::check(&script) {
        Ok(more) => {
            met.add(more);
            return 0;
        }
        Err(found) => found,
    };
    let limit = Duration::from_secs(arguments.shrinking);
    let (script, found) = crossed::shorten(script, found, limit);
    println!("seed {seed}: {}\n  {}\n{script}", found.law, found.how);
    1
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

    use crate::crossed::{self, Met, Script};

    /// Branches that crossed again and again meet all that the model knows.
    #[test]
    fn branches_that_take_each_other_have_what_the_model_says() {
        let mut met = Met::default();
        let seeds = pandodb_testkit::Seeds::first(40);
        seeds.run("branches_that_take_each_other_have_what_the_model_says", |random| {
            match crossed::check(&Script::of_seed(random.get_seed())) {
                Ok(more) => met.add(more),
                Err(found) => {
                    let script = Script::of_seed(random.get_seed());
                    panic!("{}\n{}\n{script}", found.law, found.how)
                }
            }
        });
        assert!(seeds.is_replay() || (met.crossed > 40 && met.conflicts > 40), "{met}");
        assert!(met.careful * 50 < met.merges, "{met}");
    }

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
