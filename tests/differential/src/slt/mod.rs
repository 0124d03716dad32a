//! `slt`: sqllogictest files and `.sqltest` files, each file in a process of its own.
//!
//! Every record that applies to SQLite must pass; there are no lists of records to skip. A
//! file that does not end in its time, or ends its process, is a failure. Neighbours: `format`
//! (the text), `check` (the records), `sqltest` (the other format), `pool`, `report`.

mod check;
mod format;
mod md5;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::engine::Kind;
use crate::pool;
use crate::report::Findings;
use crate::{corpus, sqltest};

/// What `slt` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files, or folders that are searched for `*.test`, `*.test.zst`, `*.slt`, `*.sqltest`.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// How many files at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Seconds that a file may take.
    #[arg(long, default_value_t = 600)]
    timeout: u64,
    /// What to test.
    #[arg(long, value_enum, default_value_t = Kind::Pandodb)]
    engine: Kind,
    /// How many causes of failures are shown.
    #[arg(long, default_value_t = 20)]
    causes: usize,
    /// How many examples of each.
    #[arg(long, default_value_t = 2)]
    examples: usize,
    /// Print each failed record or test by name.
    #[arg(long)]
    list: bool,
    /// Run one file in this process; for the runner's own use.
    #[arg(long, hide = true)]
    worker: bool,
}

/// Runs all files; whether all passed.
pub(crate) fn run(arguments: &Arguments) -> Result<bool, String> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        files.extend(corpus::files(path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    if arguments.worker {
        for file in files {
            print!("{}", one(&file, arguments.engine)?.encode());
        }
        return Ok(true);
    }
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let engine = arguments.engine.word();
    let worker =
        |name: &String| ["slt", "--worker", "--engine", engine, name].map(str::to_owned).to_vec();
    let jobs: Vec<Vec<String>> = names.iter().map(worker).collect();
    let started = Instant::now();
    let per_file: Mutex<BTreeMap<usize, Findings>> = Mutex::default();
    let limit = Duration::from_secs(arguments.timeout);
    pool::run(&jobs, arguments.jobs, limit, &|done| {
        let name = &names[done.job];
        let findings = Findings::decode(&done, name);
        let (passed, failed) = (findings.get("passed"), findings.get("failed"));
        let word = if failed == 0 { "ok    " } else { "FAILED" };
        let seconds = done.elapsed.as_secs_f64();
        println!("{word} {passed:>7} passed {failed:>6} failed {seconds:>6.1} s  {name}");
        if let Ok(mut per_file) = per_file.lock() {
            per_file.insert(done.job, findings);
        }
    });
    let per_file = per_file.into_inner().map_err(|error| error.to_string())?;
    Ok(summarize(arguments, &names, per_file, started.elapsed()))
}

fn one(file: &std::path::Path, engine: Kind) -> Result<Findings, String> {
    let name = file.display().to_string();
    let text = corpus::text(file).map_err(|error| format!("{name}: {error}"))?;
    if name.ends_with(".sqltest") {
        return Ok(sqltest::check(&name, &text, engine));
    }
    let mut findings = Findings::default();
    let mut database = match engine.open() {
        Ok(database) => database,
        Err(failure) => {
            findings.fail(name, failure.message.clone(), String::new());
            return Ok(findings);
        }
    };
    match format::parse(&text) {
        Ok(script) => Ok(check::check(&name, &script, database.as_mut())),
        Err(error) => {
            findings.fail(name, "the file is not sqllogictest".to_owned(), error);
            Ok(findings)
        }
    }
}

fn summarize(
    arguments: &Arguments,
    names: &[String],
    per_file: BTreeMap<usize, Findings>,
    elapsed: Duration,
) -> bool {
    let mut groups: BTreeMap<String, Findings> = BTreeMap::new();
    let mut all = Findings::default();
    for (job, findings) in per_file {
        let group = groups.entry(group_of(&names[job])).or_default();
        group.add("files", 1);
        group.merge(Findings { counts: findings.counts.clone(), defects: Vec::new() });
        all.merge(findings);
    }
    if arguments.list {
        for defect in &all.defects {
            println!("{}: {}", defect.place, defect.cause);
        }
    }
    all.print_causes(arguments.causes, arguments.examples);
    println!("\n{:<32} {:>6} {:>9} {:>9} {:>9}", "group", "files", "passed", "failed", "skipped");
    for (name, group) in &groups {
        let [files, passed, failed, skipped] =
            ["files", "passed", "failed", "skipped"].map(|count| group.get(count));
        println!("{name:<32} {files:>6} {passed:>9} {failed:>9} {skipped:>9}");
    }
    println!("\n{} files in {:.1} s", names.len(), elapsed.as_secs_f64());
    for (name, count) in &all.counts {
        println!("{count:>9} {name}");
    }
    if names.is_empty() {
        println!("no file was found");
    }
    all.defects.is_empty() && !names.is_empty()
}

/// The folder of a file below its corpus, or the file itself where it has none.
fn group_of(name: &str) -> String {
    let parts: Vec<&str> = name.rsplit('/').collect();
    let file = parts.first().copied().unwrap_or(name);
    let file = file.split('.').next().unwrap_or(file);
    let known = |part: &&str| part.ends_with("sqltests") || *part == "sqllogictest";
    match parts.iter().position(known) {
        Some(1) => file.to_owned(),
        Some(at) => {
            let folders: Vec<&str> = parts[1..at].iter().rev().take(2).copied().collect();
            folders.join("/")
        }
        None => parts.get(1).copied().unwrap_or(file).to_owned(),
    }
}
