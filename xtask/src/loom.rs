//! `cargo xtask loom`: the models that try every interleaving of a few threads.
//!
//! They are tests whose names begin with `loom_`, built with `--cfg loom` into a target folder
//! of their own. Neighbours: `ds::sync` is the switch that the models run through; `ci` and
//! `soak` call this.

use crate::process::{Failure, Outcome, Tool, is_test_summary};
use crate::source::Source;
use crate::test::tests_passed;
use crate::workspace;

/// The crates that have protocols between threads, with their folders.
const MODELLED: [(&str, &str); 2] = [("pandodb-ds", "crates/ds/"), ("pandodb-tm", "crates/tm/")];

pub(crate) const NO_MODELS: &str = "neither pandodb-ds nor pandodb-tm has a test named loom_*";

/// What `cargo xtask loom` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How often a thread may be interrupted where it did not ask to be.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) preemptions: u32,
    /// Run only the models whose name contains this.
    #[arg(value_name = "FILTER", default_value = "loom_")]
    pub(crate) filter: String,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { preemptions: 3, filter: "loom_".to_owned() }
    }
}

/// Runs the models; returns the summary lines.
pub(crate) fn run(arguments: &Arguments) -> Outcome<Vec<String>> {
    let packages = packages_with_models()?;
    if packages.is_empty() {
        return Err(Failure::new(NO_MODELS));
    }
    let mut tool = Tool::cargo(["test", "--release", "--lib"]);
    for package in packages {
        tool = tool.argument("-p").argument(package);
    }
    let summaries = tool
        .argument(&arguments.filter)
        .env("RUSTFLAGS", "--cfg loom")
        .env("LOOM_MAX_PREEMPTIONS", arguments.preemptions.to_string())
        .env("CARGO_TARGET_DIR", workspace::target_folder().join("loom"))
        // The models need speed at run time, not another minute of linking.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .run_keeping(is_test_summary)?;
    if tests_passed(&summaries) == 0 {
        return Err(Failure::new(format!("no model has `{}` in its name", arguments.filter)));
    }
    Ok(summaries)
}

/// The packages that hold at least one model; those that hold none are said.
pub(crate) fn packages_with_models() -> Outcome<Vec<&'static str>> {
    let files = workspace::files()?;
    let mut with_models = Vec::new();
    for (package, folder) in MODELLED {
        let mut models = 0;
        for file in files.iter().filter(|file| file.starts_with(folder) && file.ends_with(".rs")) {
            let functions = Source::new(&workspace::read_text(file)?).functions();
            models += functions.iter().filter(|one| one.name.starts_with("loom_")).count();
        }
        println!("{package}: {models} loom models");
        if models > 0 {
            with_models.push(package);
        }
    }
    Ok(with_models)
}
