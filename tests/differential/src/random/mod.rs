//! `diff`: random schemas, data, changes and queries on an engine and on SQLite.
//!
//! A seed is a script: the same seed makes the same statements, whatever the engines answer, so
//! that a script can be shrunk by leaving statements out. Both engines run it statement by
//! statement; the first difference ends it. Seeds run in child processes, some to each.
//! Neighbours: `script` (what a seed makes), `compare` (running it), `shrink`.

mod alter;
mod change;
mod compare;
mod deep;
mod explained;
mod expression;
mod forms;
mod merged;
mod places;
mod query;
mod schema;
mod script;
mod shrink;
mod ways;
mod wide;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::engine::Kind;
use crate::pool;
use crate::report::{Findings, announce};

/// What `diff` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many seeds, each a script of random statements.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed; replays one with `--seeds 1`.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Statements of a seed behind its schema.
    #[arg(long, default_value_t = 60)]
    statements: usize,
    /// How many child processes at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Seconds that a seed may take.
    #[arg(long, default_value_t = 20)]
    timeout: u64,
    /// What to compare with SQLite.
    #[arg(long, value_enum, default_value_t = Kind::Pandodb)]
    engine: Kind,
    /// How many causes of differences are shown.
    #[arg(long, default_value_t = 20)]
    causes: usize,
    /// How many examples of each.
    #[arg(long, default_value_t = 1)]
    examples: usize,
    /// Print the statements of the seed, run nothing.
    #[arg(long)]
    print: bool,
    /// Run the seeds in this process; for the program's own use.
    #[arg(long, hide = true)]
    worker: bool,
}

/// Seeds of one child.
const CHUNK: u64 = 25;
/// Marks a script of which only the last statement is shown.
pub(crate) const NOT_SHRUNK: &str = "-- the last statement only; replay the seed for all";
/// Shrinking may take this long for a script.
const SHRINK_SECONDS: u64 = 10;

/// Runs the seeds; whether no difference was found.
pub(crate) fn run(arguments: &Arguments) -> bool {
    if arguments.print {
        let seeds = arguments.seed..arguments.seed + arguments.seeds;
        for step in seeds.flat_map(|seed| script::of_seed(seed, arguments.statements)) {
            println!("{};", step.sql);
        }
        return true;
    }
    if arguments.worker {
        print!("{}", work(arguments).encode());
        return true;
    }
    let starts: Vec<u64> =
        (0..arguments.seeds.div_ceil(CHUNK)).map(|chunk| chunk * CHUNK).collect();
    let job = |start: &u64| {
        let seeds = CHUNK.min(arguments.seeds - start);
        let seed = arguments.seed + start;
        let (statements, engine) = (arguments.statements, arguments.engine.word());
        let line = format!(
            "diff --worker --engine {engine} --seed {seed} --seeds {seeds} \
             --statements {statements}"
        );
        line.split(' ').map(str::to_owned).collect()
    };
    let jobs: Vec<Vec<String>> = starts.iter().map(job).collect();
    let limit = Duration::from_secs(arguments.timeout * CHUNK);
    let all: Mutex<Findings> = Mutex::default();
    let started = Instant::now();
    pool::run(&jobs, arguments.jobs, limit, &|done| {
        let name = format!("seeds from {}", arguments.seed + starts[done.job]);
        let findings = Findings::decode(&done, &name);
        // Long runs tell at once what they summarize in the end.
        for defect in &findings.defects {
            eprintln!("{}: {}", defect.place, defect.cause);
        }
        if let Ok(mut all) = all.lock() {
            all.merge(findings);
        }
    });
    let all = all.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.print_causes(arguments.causes, arguments.examples);
    println!("\n{} seeds in {:.1} s", arguments.seeds, started.elapsed().as_secs_f64());
    for (name, count) in &all.counts {
        println!("{count:>9} {name}");
    }
    if !all.defects.is_empty() {
        let statements = arguments.statements;
        println!("replay: cargo xtask diff --seeds 1 --seed SEED -- --statements {statements}");
    }
    all.defects.is_empty()
}

fn work(arguments: &Arguments) -> Findings {
    let mut findings = Findings::default();
    let mut known = BTreeSet::new();
    for seed in arguments.seed..arguments.seed + arguments.seeds {
        let steps = script::of_seed(seed, arguments.statements);
        let Some(difference) = compare::run(&steps, arguments.engine, &mut findings, true) else {
            findings.count("seeds without a difference");
            continue;
        };
        let mut steps = steps;
        let mut detail = difference.detail.clone();
        // The second script of a cause teaches nothing more.
        if known.insert(difference.cause.clone()) {
            announce(&format!("shrinking seed {seed}: {}", difference.cause));
            let limit = Duration::from_secs(SHRINK_SECONDS);
            steps = shrink::shrink(steps, &difference, arguments.engine, limit);
            let mut ignored = Findings::default();
            if let Some(again) = compare::run(&steps, arguments.engine, &mut ignored, false) {
                detail = again.detail;
            }
        } else {
            steps.truncate(difference.step + 1);
            steps = steps.split_off(steps.len().saturating_sub(1));
            detail = format!("{NOT_SHRUNK}\n{detail}");
        }
        let sql: Vec<String> = steps.iter().map(|step| format!("{};", step.sql)).collect();
        let detail = format!("{}\n{detail}", sql.join("\n"));
        findings.fail(format!("seed {seed}"), difference.cause, detail);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_script_twice() {
        let sql = |seed| -> Vec<String> {
            script::of_seed(seed, 20).into_iter().map(|step| step.sql).collect()
        };
        assert_eq!(sql(7), sql(7));
        assert_ne!(sql(7), sql(8));
    }

    #[test]
    fn sqlite_does_not_differ_from_itself() {
        for seed in 0..20 {
            let mut findings = Findings::default();
            let steps = script::of_seed(seed, 40);
            let difference = compare::run(&steps, Kind::Sqlite, &mut findings, false);
            assert!(
                difference.is_none(),
                "seed {seed}: {}",
                difference.map_or(String::new(), |d| d.detail)
            );
        }
    }

    #[test]
    fn most_statements_are_right() {
        let mut findings = Findings::default();
        for seed in 100..120 {
            compare::run(&script::of_seed(seed, 40), Kind::Sqlite, &mut findings, false);
        }
        let (all, errors) = (findings.get("statements"), findings.get("errors on both sides"));
        assert!(errors * 3 < all, "{errors} of {all} statements fail");
    }
}
