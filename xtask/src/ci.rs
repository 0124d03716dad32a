//! `cargo xtask ci`: every check that a change must pass, in order, with a time for each.
//!
//! The order puts quick answers first, and checks that share build artifacts next to each
//! other: clippy and docs share metadata, tests, doctests and examples share the dev profile.
//! Loom has other flags and its own target folder. A step whose subject is not in the tree is
//! skipped and says so; a step that runs tests fails when none ran. The tests run with
//! `cargo test`, which every machine has, and their summaries are repeated at the end.
//! Neighbours: `.ci/run` is this command and nothing else.

use std::time::Instant;

use crate::process::{self, Failure, Outcome, Tool};
use crate::{codegen, differential, fuzz, loom, sim, test, tidy, workspace};

/// What `cargo xtask ci` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Run only these steps.
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<String>,
    /// Go on after a step that failed.
    #[arg(long)]
    keep_going: bool,
    /// Build as for daily work: with line numbers of every frame, and incrementally. That takes
    /// twice the room.
    #[arg(long)]
    debug: bool,
    /// Name the steps and stop.
    #[arg(long)]
    list: bool,
}

/// How many seeds each simulated layer runs here; `cargo xtask sim` runs more.
const SEEDS: u64 = 1000;

/// What a step that did not fail did.
enum Done {
    /// It ran; the summary lines of its tests.
    Ran(Vec<String>),
    /// What is missing in the tree.
    Skipped(String),
}

struct Step {
    name: &'static str,
    run: fn() -> Outcome<Done>,
}

const STEPS: [Step; 13] = [
    Step { name: "format", run: format },
    Step { name: "tidy", run: || ran(tidy::run(&tidy::Arguments::default())) },
    Step { name: "codegen", run: || ran(codegen::run(&codegen::Arguments { check: true })) },
    Step { name: "clippy", run: clippy },
    Step { name: "docs", run: docs },
    Step { name: "tests", run: || test::run_tests(&test::Arguments::of_ci()).map(Done::Ran) },
    Step { name: "doctests", run: || test::run_doctests(&test::Arguments::of_ci()).map(Done::Ran) },
    Step { name: "examples", run: examples },
    Step { name: "differential", run: compared_with_sqlite },
    Step { name: "corpus", run: corpus },
    Step { name: "loom", run: models },
    Step { name: "simulation", run: simulation },
    Step { name: "fuzz-replay", run: fuzz_replay },
];

/// What became of a step.
struct Report {
    name: &'static str,
    seconds: f64,
    outcome: Outcome<Done>,
}

impl Report {
    fn word(&self) -> String {
        match &self.outcome {
            Ok(Done::Ran(_)) => "ok".to_owned(),
            Ok(Done::Skipped(what)) => format!("skipped: {what}"),
            Err(_) => "FAILED".to_owned(),
        }
    }

    fn summaries(&self) -> &[String] {
        match &self.outcome {
            Ok(Done::Ran(lines)) => lines,
            _ => &[],
        }
    }
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
    if !arguments.debug {
        process::build_lean();
    }
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
    let report = Report { name: step.name, seconds: began.elapsed().as_secs_f64(), outcome };
    println!("=== {}: {} ({:.1} s) ===", report.name, report.word(), report.seconds);
    if let Err(failure) = &report.outcome {
        println!("{failure}");
    }
    report
}

fn summarise(reports: &[Report], seconds: f64) -> Outcome {
    println!("\nsteps:");
    for report in reports {
        println!("  {:<12} {:>8.1} s  {}", report.name, report.seconds, report.word());
    }
    println!("  {:<12} {seconds:>8.1} s", "in all");
    println!("\ntest summaries:");
    for report in reports {
        for line in report.summaries() {
            println!("{}", line.trim_start());
        }
    }
    for report in reports.iter().filter(|report| !report.summaries().is_empty()) {
        println!("{}: {} tests passed", report.name, test::tests_passed(report.summaries()));
    }
    let failed: Vec<&str> =
        reports.iter().filter(|one| one.outcome.is_err()).map(|one| one.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("failed: {}", failed.join(", "))))
}

fn ran(outcome: Outcome) -> Outcome<Done> {
    outcome.map(|()| Done::Ran(Vec::new()))
}

fn skipped(what: &str) -> Done {
    Done::Skipped(what.to_owned())
}

fn format() -> Outcome<Done> {
    ran(Tool::cargo(["fmt", "--all", "--check"]).run())
}

fn clippy() -> Outcome<Done> {
    let tool = Tool::cargo(["clippy", "--workspace", "--all-targets", "--quiet"]);
    ran(tool.arguments(test::FEATURES).arguments(["--", "-D", "warnings"]).run())
}

fn docs() -> Outcome<Done> {
    let tool = Tool::cargo(["doc", "--workspace", "--no-deps", "--quiet"]);
    ran(tool.arguments(test::FEATURES).env("RUSTDOCFLAGS", "-D warnings").run())
}

/// Runs every example of the root package; each is a whole program that must succeed.
fn examples() -> Outcome<Done> {
    let examples = workspace::programs_in("examples");
    if examples.is_empty() {
        return Ok(skipped("examples/ holds no program"));
    }
    for example in examples {
        let features = ["--features", "serde"];
        Tool::cargo(["run", "--quiet", "--example", &example]).arguments(features).run()?;
    }
    ran(Ok(()))
}

/// Statements that differed once, functions and random scripts do here what they do in SQLite.
fn compared_with_sqlite() -> Outcome<Done> {
    if !differential::exists() {
        return Ok(skipped("tests/differential holds no program"));
    }
    let summaries = differential::run_tests()?;
    differential::run_share_of_diff()?;
    Ok(Done::Ran(summaries))
}

/// A share of SQLite's own corpus, where there is one.
fn corpus() -> Outcome<Done> {
    let paths = differential::share_of_corpus();
    if paths.is_empty() {
        return Ok(skipped("PANDODB_CORPUS names no folder of sqllogictest files"));
    }
    ran(differential::run_share_of_slt(paths))
}

fn models() -> Outcome<Done> {
    if loom::packages_with_models()?.is_empty() {
        return Ok(skipped(loom::NO_MODELS));
    }
    loom::run(&loom::Arguments::default()).map(Done::Ran)
}

fn simulation() -> Outcome<Done> {
    if !sim::exists() {
        return Ok(skipped("no crate has a simulation among its examples"));
    }
    ran(sim::run(&sim::Arguments { seeds: SEEDS, start: 0, seed: None, layer: None }))
}

fn fuzz_replay() -> Outcome<Done> {
    if fuzz::targets().is_empty() {
        return Ok(skipped("fuzz/fuzz_targets holds no target"));
    }
    ran(fuzz::run(&fuzz::Arguments::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_names_of_their_own() {
        let mut names: Vec<_> = STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn a_step_that_failed_fails_the_run_and_one_that_was_skipped_does_not() {
        let report = |outcome| Report { name: "step", seconds: 0.0, outcome };
        assert!(
            summarise(&[report(Ok(skipped("nothing there"))), report(ran(Ok(())))], 0.0).is_ok()
        );
        let failed = summarise(&[report(ran(Ok(()))), report(Err(Failure::new("why")))], 0.0);
        assert!(failed.is_err_and(|failure| failure.to_string() == "failed: step"));
    }
}
