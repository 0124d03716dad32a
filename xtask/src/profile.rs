//! `cargo xtask profile`: where the time of one benchmark workload goes.
//!
//! It builds the measuring program with frame pointers into a target folder of its own and
//! samples it with `perf`; where the kernel allows no sampling it counts instructions with
//! `valgrind`. Neighbours: `bench`, whose program has the command `workload NAME`.

use std::path::{Path, PathBuf};

use crate::process::{Failure, Outcome, Tool};
use crate::{bench, workspace};

/// What `cargo xtask profile` takes.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workload, by its name in the table of `cargo xtask bench`.
    #[arg(value_name = "WORKLOAD")]
    workload: String,
    /// How many rows the tables have.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rows: u64,
    /// How long to run the workload.
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Which tool to use (default: the first that works here).
    #[arg(long, value_enum)]
    tool: Option<Sampler>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Sampler {
    /// Samples of the running program; costs it next to nothing.
    Perf,
    /// Counts every instruction; fifty times slower, exact.
    Callgrind,
}

impl Sampler {
    /// Whether it is installed and allowed to look.
    fn works(self) -> bool {
        match self {
            // Some machines have the program and forbid what it does.
            Self::Perf => Tool::new("perf").arguments(["record", "-o", "-", "--", "true"]).works(),
            Self::Callgrind => Tool::new("valgrind").argument("--version").works(),
        }
    }
}

/// Builds, runs under the tool, prints its report.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // Says what is missing before anything is built.
    bench::program("workload")?;
    let sampler = match arguments.tool {
        Some(sampler) if sampler.works() => sampler,
        Some(_) => return Err(missing("this tool")),
        None => [Sampler::Perf, Sampler::Callgrind]
            .into_iter()
            .find(|sampler| sampler.works())
            .ok_or_else(|| missing("neither perf nor valgrind"))?,
    };
    let folder = workspace::target_folder().join("profile");
    let program = build(&folder)?;
    let workload = [
        "workload".to_owned(),
        arguments.workload.clone(),
        format!("--rows={}", arguments.rows),
        format!("--seconds={}", arguments.seconds),
    ];
    match sampler {
        Sampler::Perf => perf(&folder, &program, &workload),
        Sampler::Callgrind => callgrind(&folder, &program, &workload),
    }
}

fn missing(what: &str) -> Failure {
    Failure::new(format!(
        "{what} works here. Install one: `apt-get install linux-perf` (Debian) or \
         `linux-tools-generic` (Ubuntu) for perf, `apt-get install valgrind` for callgrind; \
         perf also needs /proc/sys/kernel/perf_event_paranoid to be 2 or less"
    ))
}

fn build(folder: &Path) -> Outcome<PathBuf> {
    Tool::cargo(["build", "--release", "-p", "pandodb-peers"])
        .env("RUSTFLAGS", "-C force-frame-pointers=yes")
        .env("CARGO_TARGET_DIR", folder)
        .run()?;
    Ok(folder.join("release").join("pandodb-peers"))
}

fn perf(folder: &Path, program: &Path, workload: &[String]) -> Outcome {
    let data = folder.join("perf.data");
    // The program opens this pipe to say when the clock runs: loading the rows is not looked at.
    let control = folder.join("perf.control");
    let _ = std::fs::remove_file(&control);
    Tool::new("mkfifo").argument(&control).run()?;
    let outcome = Tool::new("perf")
        .arguments(["record", "--call-graph=fp", "-F", "997", "-D", "-1", "--control"])
        .argument(format!("fifo:{}", control.display()))
        .argument("-o")
        .argument(&data)
        .argument("--")
        .argument(program)
        .arguments(workload)
        .argument("--control")
        .argument(&control)
        .run();
    let _ = std::fs::remove_file(&control);
    outcome?;
    Tool::new("perf")
        .arguments(["report", "--stdio", "--no-children", "-g", "none", "--percent-limit=0.5"])
        .argument("-i")
        .argument(&data)
        .run()?;
    println!("call graph: perf report -i {}", data.display());
    Ok(())
}

fn callgrind(folder: &Path, program: &Path, workload: &[String]) -> Outcome {
    let data = folder.join("callgrind.out");
    Tool::new("valgrind")
        .arguments(["--tool=callgrind", "--dump-instr=no"])
        .argument(format!("--callgrind-out-file={}", data.display()))
        .argument(program)
        .arguments(workload)
        .run()?;
    Tool::new("callgrind_annotate").argument(&data).run()
}
