//! `cargo xtask fuzz`: bytes that nobody meant to write, until something breaks.
//!
//! With `cargo-fuzz` installed the search is guided by coverage. Without it the plain runner
//! of the fuzz package replays the kept inputs and, for the seconds given, mutates them
//! blindly. Neighbours: `fuzz/` is a workspace of its own; `fuzz/seeds` holds the kept inputs.

use crate::process::{Failure, Outcome, Tool};
use crate::workspace;

/// What `cargo xtask fuzz` takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Arguments {
    /// The target to fuzz (default: all, one after the other).
    #[arg(value_name = "TARGET")]
    pub(crate) target: Option<String>,
    /// How long to search in each target; 0 replays the kept inputs only.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seconds: u64,
}

/// The names of all targets.
pub(crate) fn targets() -> Vec<String> {
    workspace::programs_in("fuzz/fuzz_targets")
}

/// Fuzzes or replays.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let all = targets();
    if all.is_empty() {
        return Err(Failure::new("there is no fuzz target in fuzz/fuzz_targets"));
    }
    let chosen = match &arguments.target {
        None => all,
        Some(name) if all.contains(name) => vec![name.clone()],
        Some(name) => {
            let all = all.join(", ");
            return Err(Failure::new(format!("there is no target {name}; there are: {all}")));
        }
    };
    let guided = arguments.seconds > 0 && Tool::cargo(["fuzz", "--version"]).works();
    if !guided && arguments.seconds > 0 {
        println!("cargo-fuzz is not installed: mutating kept inputs without coverage.");
        println!("For a guided search: cargo install cargo-fuzz");
    }
    for target in chosen {
        if guided {
            search(&target, arguments.seconds)?;
        } else {
            replay(&target, arguments.seconds)?;
        }
    }
    Ok(())
}

/// A search by `cargo-fuzz`; new inputs go to the first folder, the kept ones are read.
fn search(target: &str, seconds: u64) -> Outcome {
    Tool::cargo(["fuzz", "run", "--sanitizer", "none", target])
        .arguments([format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}")])
        .argument("--")
        .argument(format!("-max_total_time={seconds}"))
        .run()
}

fn replay(target: &str, seconds: u64) -> Outcome {
    Tool::cargo(["run", "--release", "-q", "--bin", "replay", "--", target])
        .argument(seconds.to_string())
        .env("CARGO_TARGET_DIR", workspace::target_folder().join("fuzz"))
        .in_folder(&workspace::root().join("fuzz"))
        .run()
}
