//! `cargo xtask ci`: every check that a change must pass, in order, with a time for each.
//!
//! The order puts quick answers first, and checks that share build artifacts next to each
//! other: clippy and docs share metadata, tests, doctests and examples share the dev profile.
//! Loom has other flags and its own target folder. The summaries of the test runs are repeated
//! at the end. Neighbours: `.ci/run` is this command and nothing else.

use std::time::Instant;

use crate::process::{Failure, Outcome, Tool};
use crate::{codegen, fuzz, loom, sim, test, tidy, workspace};

/// What `cargo xtask ci` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run only these steps.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Go on after a step that failed.
    #[arg(long)]
    keep_going: bool,
    /// Name the steps and stop.
    #[arg(long)]
    list: bool,
}

/// A step returns the summary lines of the tests that it ran.
struct Step {
    name: &'static str,
    run: fn() -> Outcome<Vec<String>>,
}

const STEPS: [Step; 11] = [
    Step { name: "format", run: format },
    Step { name: "tidy", run: || none(tidy::run(&tidy::Arguments::default())) },
    Step { name: "codegen", run: || none(codegen::run(&codegen::Arguments { check: true })) },
    Step { name: "clippy", run: clippy },
    Step { name: "docs", run: docs },
    Step { name: "tests", run: || test::run_tests(&test::Arguments::default()) },
    Step { name: "doctests", run: || test::run_doctests(&test::Arguments::default()) },
    Step { name: "examples", run: examples },
    Step { name: "loom", run: || loom::run(&loom::Arguments::default()) },
    Step { name: "simulation", run: simulation },
    Step { name: "fuzz-replay", run: fuzz_replay },
];

/// What became of a step.
struct Report {
    name: &'static str,
    seconds: f64,
    outcome: Outcome<Vec<String>>,
}

/// Runs the steps; fails when one of them failed.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if arguments.list {
        for step in &STEPS {
            println!("{}", step.name);
        }
        return Ok(());
    }
    for name in &arguments.only {
        if !STEPS.iter().any(|step| step.name == name) {
            return Err(Failure::new(format!("there is no step {name}; see `ci --list`")));
        }
    }
    let is_wanted =
        |step: &&Step| arguments.only.is_empty() || arguments.only.iter().any(|n| n == step.name);
    let began = Instant::now();
    let mut reports = Vec::new();
    for step in STEPS.iter().filter(is_wanted) {
        let report = run_step(step);
        let stop = report.outcome.is_err() && !arguments.keep_going;
        reports.push(report);
        if stop {
            break;
        }
    }
    summarise(&reports, began.elapsed().as_secs_f64())
}

fn run_step(step: &Step) -> Report {
    println!("\n=== {} ===", step.name);
    let began = Instant::now();
    let outcome = (step.run)();
    let seconds = began.elapsed().as_secs_f64();
    match &outcome {
        Ok(_) => println!("=== {}: ok in {seconds:.1} s ===", step.name),
        Err(failure) => println!("=== {}: FAILED in {seconds:.1} s: {failure} ===", step.name),
    }
    Report { name: step.name, seconds, outcome }
}

fn summarise(reports: &[Report], seconds: f64) -> Outcome {
    println!("\nsteps:");
    for report in reports {
        let word = if report.outcome.is_ok() { "ok" } else { "FAILED" };
        println!("  {:<12} {:>8.1} s  {word}", report.name, report.seconds);
    }
    println!("  {:<12} {seconds:>8.1} s", "in all");
    println!("\ntest summaries:");
    for report in reports {
        for line in report.outcome.iter().flatten() {
            println!("{}", line.trim_start());
        }
    }
    let failed: Vec<&str> =
        reports.iter().filter(|one| one.outcome.is_err()).map(|one| one.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("failed: {}", failed.join(", "))))
}

fn none(outcome: Outcome) -> Outcome<Vec<String>> {
    outcome.map(|()| Vec::new())
}

fn format() -> Outcome<Vec<String>> {
    none(Tool::cargo(["fmt", "--all", "--check"]).run())
}

fn clippy() -> Outcome<Vec<String>> {
    let tool = Tool::cargo(["clippy", "--workspace", "--all-targets", "--quiet"]);
    none(tool.arguments(["--", "-D", "warnings"]).run())
}

fn docs() -> Outcome<Vec<String>> {
    let tool = Tool::cargo(["doc", "--workspace", "--no-deps", "--quiet"]);
    none(tool.env("RUSTDOCFLAGS", "-D warnings").run())
}

/// Runs every example of the root package; each is a whole program that must succeed.
fn examples() -> Outcome<Vec<String>> {
    let examples = workspace::programs_in("examples");
    if examples.is_empty() {
        println!("examples/ holds no program.");
    }
    for example in examples {
        Tool::cargo(["run", "--quiet", "--example", &example]).run()?;
    }
    Ok(Vec::new())
}

fn simulation() -> Outcome<Vec<String>> {
    none(sim::run(&sim::Arguments { seeds: 1000, start: 0, seed: None, layer: None }))
}

fn fuzz_replay() -> Outcome<Vec<String>> {
    if fuzz::targets().is_empty() {
        println!("fuzz/fuzz_targets holds no target.");
        return Ok(Vec::new());
    }
    none(fuzz::run(&fuzz::Arguments::default()))
}
