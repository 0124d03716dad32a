//! `replay TARGET SECONDS`: the kept inputs of a target, then mutated ones until time is over.
//!
//! An input that fails is written to `fuzz/artifacts`; one that is worth keeping belongs into
//! `fuzz/seeds/TARGET`. Neighbours: `cargo xtask fuzz` starts this where there is no cargo-fuzz.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a tool, not the library")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs};

fn main() -> ExitCode {
    match run() {
        Ok(message) => {
            println!("{message}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            println!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<String, String> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [target, seconds] = words.as_slice() else {
        return Err("usage: replay TARGET SECONDS".to_owned());
    };
    let seconds: u64 = seconds.parse().map_err(|_| format!("{seconds} is no number"))?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = inputs(&folder.join("seeds").join(target))?;
    match pandodb_fuzz::search(target, kept, Duration::from_secs(seconds))? {
        Ok(ran) => Ok(format!("{target}: {ran} inputs, nothing found")),
        Err(pandodb_fuzz::Finding(input)) => {
            let place = keep(&folder.join("artifacts"), target, &input)?;
            Err(format!("{target} fails; the input is {}", place.display()))
        }
    }
}

/// The files of a folder in the order of their names; none where there is no folder.
fn inputs(folder: &Path) -> Result<Vec<Vec<u8>>, String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).map_err(|cause| format!("{}: {cause}", path.display())))
        .collect()
}

fn keep(folder: &Path, target: &str, input: &[u8]) -> Result<PathBuf, String> {
    let path = folder.join(format!("{target}-{:08x}", crc32fast::hash(input)));
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, input));
    written.map_err(|cause| format!("cannot keep the input: {cause}")).map(|()| path)
}
