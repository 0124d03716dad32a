//! `cargo xtask test`: the tests of the default members, then their documentation tests.
//!
//! `cargo nextest` runs them when it is installed: one process a test, a limit on hanging
//! ones. Without it `cargo test` runs the same tests. Neighbours: `ci` repeats the summary
//! lines that this returns; `.config/nextest.toml` holds the limits.

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
    let tool = packages(tool, arguments);
    let tool = if nextest || arguments.filters.is_empty() { tool } else { tool.argument("--") };
    let summaries = tool.arguments(&arguments.filters).run_keeping(is_test_summary)?;
    if summaries.is_empty() {
        return Err(Failure::new("the test run ended without a summary"));
    }
    Ok(summaries)
}

/// Runs the examples in the documentation.
pub(crate) fn run_doctests(arguments: &Arguments) -> Outcome<Vec<String>> {
    packages(Tool::cargo(["test", "--doc"]), arguments).run_keeping(is_test_summary)
}

fn packages(tool: Tool, arguments: &Arguments) -> Tool {
    arguments.package.iter().fold(tool, |tool, name| tool.argument("-p").argument(name))
}
