//! `cargo xtask test`: the tests of the default members, then their documentation tests.
//!
//! `cargo nextest` runs them when it is installed: one process a test, a limit on hanging
//! ones. Without it, and in `ci`, `cargo test` runs the same tests. A run without a single test
//! is a failure. Neighbours: `ci` counts the summary lines that this returns;
//! `.config/nextest.toml` holds the limits.

use crate::process::{Failure, Outcome, Tool, is_test_summary};

/// What `cargo xtask test` takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// Run only the tests of these packages (default: all default members).
    #[arg(short, long, value_name = "NAME")]
    package: Vec<String>,
    /// Do not run the examples in the documentation.
    #[arg(long)]
    without_docs: bool,
    /// Use `cargo test` even where nextest is installed.
    #[arg(long)]
    without_nextest: bool,
    /// Where the seeds of the model tests begin (default: 0, the same cases in every run).
    #[arg(long, value_name = "S")]
    seed_start: Option<u64>,
    /// As much as a release asks for: 100,000 transactions a level in the random histories, 200
    /// kills of a writing process.
    #[arg(long)]
    thorough: bool,
    /// Run only the tests whose name contains one of these.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

/// Runs both kinds; returns the summary lines of the runs.
pub(crate) fn run(arguments: &Arguments) -> Outcome<Vec<String>> {
    let mut summaries = run_tests(arguments)?;
    if !arguments.without_docs && arguments.filters.is_empty() {
        summaries.extend(run_doctests(arguments)?);
    }
    Ok(summaries)
}

/// Runs everything but the documentation tests.
pub(crate) fn run_tests(arguments: &Arguments) -> Outcome<Vec<String>> {
    let nextest = !arguments.without_nextest && Tool::cargo(["nextest", "--version"]).works();
    let tool = if nextest {
        Tool::cargo(["nextest", "run", "--profile", "ci"])
    } else {
        println!("cargo-nextest is not installed (or not wanted): using cargo test.");
        Tool::cargo(["test", "--no-fail-fast", "--lib", "--bins", "--tests"])
    };
    let tool = match arguments.seed_start {
        Some(start) => tool.env("PANDO_SEED_START", start.to_string()),
        None => tool,
    };
    let tool = if arguments.thorough {
        tool.env("PANDODB_HISTORIES", "5").env("PANDODB_KILLS", "200")
    } else {
        tool
    };
    let tool = packages(tool, arguments);
    let tool = if nextest || arguments.filters.is_empty() { tool } else { tool.argument("--") };
    let summaries = tool.arguments(&arguments.filters).run_keeping(is_test_summary)?;
    match tests_passed(&summaries) {
        // A run without tests proves nothing: a filter that fits none, a package without any.
        0 => Err(Failure::new("no test ran")),
        count => {
            println!("tests: {count} ran and passed");
            Ok(summaries)
        }
    }
}

/// How many tests passed, by the summary lines of the runs (`... 12 passed ...`).
pub(crate) fn tests_passed(summaries: &[String]) -> u64 {
    let count = |line: &String| -> Option<u64> {
        let (before, _) = line.split_once(" passed")?;
        before.rsplit(' ').next()?.parse().ok()
    };
    summaries.iter().filter_map(count).sum()
}

impl Arguments {
    /// All tests with `cargo test`: what every machine has and prints a line for each test.
    pub(crate) fn of_ci() -> Self {
        Self { without_nextest: true, ..Self::default() }
    }

    /// All tests, as thoroughly as they can be, with the cases of the model tests beginning at
    /// `start`.
    pub(crate) fn of_soak(start: u64) -> Self {
        Self { seed_start: Some(start), thorough: true, ..Self::default() }
    }
}

/// Runs the examples in the documentation.
pub(crate) fn run_doctests(arguments: &Arguments) -> Outcome<Vec<String>> {
    packages(Tool::cargo(["test", "--doc"]), arguments).run_keeping(is_test_summary)
}

/// What is off unless somebody asks for it is tested, too.
pub(crate) const FEATURES: [&str; 2] = ["--features", "pandodb/serde"];

fn packages(tool: Tool, arguments: &Arguments) -> Tool {
    if arguments.package.is_empty() {
        return tool.arguments(FEATURES);
    }
    arguments.package.iter().fold(tool, |tool, name| tool.argument("-p").argument(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_of_both_runners_are_counted() {
        let lines = [
            "test result: ok. 41 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out",
            "     Summary [   0.1s] 3 tests run: 3 passed, 1 skipped",
            "test result: ok. 0 passed; 0 failed",
            "no summary",
        ];
        assert_eq!(tests_passed(&lines.map(str::to_owned)), 44);
        assert_eq!(tests_passed(&[]), 0);
    }
}
