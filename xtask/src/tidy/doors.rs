//! Doors: what the libraries reach only through one module.
//!
//! `clippy.toml` closes most of them by resolved path. What `ds::sync` re-exports cannot be
//! closed there, because a re-export is the same type; it is closed here by its spelling.
//! Neighbours: `clippy.toml`, `crates/ds/src/sync.rs`.

use super::{Check, File, Rule, Violation};
use crate::source::find_words;

/// The folders of the libraries.
const LIBRARIES: [&str; 5] =
    ["crates/ds/src/", "crates/tm/src/", "crates/branch/src/", "crates/qp/src/", "src/"];

/// The file with the locks and threads, and the folder of the outside world.
const SYNC: &[&str] = &["crates/ds/src/sync.rs"];
const OUTSIDE: &[&str] = &["crates/ds/src/vfs/"];
const BOTH: &[&str] = &["crates/ds/src/sync.rs", "crates/ds/src/vfs/"];

/// A spelling, the files and folders that may use it, and what to write instead.
const CLOSED: [(&str, &[&str], &str); 7] = [
    ("parking_lot", SYNC, "ds::sync"),
    ("loom::sync", SYNC, "ds::sync"),
    ("std::sync", SYNC, "ds::sync"),
    ("std::thread", BOTH, "ds::sync::thread"),
    ("std::fs", OUTSIDE, "a Vfs"),
    // The type alone is what users of the library know times as.
    ("SystemTime::now", OUTSIDE, "Vfs::clock"),
    ("Instant", OUTSIDE, "Vfs::clock"),
];

/// What looks like going around a door and is none: a slot of one thread is no protocol.
const OPEN: [&str; 1] = ["std::thread::LocalKey"];

pub(super) const DOORS: Rule = Rule {
    name: "doors",
    wants: "files, clocks, threads and locks are reached through ds::vfs and ds::sync",
    check: Check::File(doors),
};

fn doors(file: &File) -> Vec<Violation> {
    let Some(source) = &file.source else { return Vec::new() };
    if file.is_test || !LIBRARIES.iter().any(|folder| file.path.starts_with(folder)) {
        return Vec::new();
    }
    let code = source.production_code();
    let mut found = Vec::new();
    for (spelling, doors, instead) in CLOSED {
        if doors.iter().any(|door| file.path.starts_with(door)) {
            continue;
        }
        let is_open = |at: &usize| OPEN.iter().any(|open| code[*at..].starts_with(open));
        if let Some(at) = find_words(&code, spelling).find(|at| !is_open(at)) {
            let place = format!("{}::{spelling}", file.path);
            let message = format!("{spelling} stays behind its door: use {instead}");
            found.push(Violation::new("doors", place, message).at_line(source.line_of(at)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        doors(&File::new(path, text.into())).len()
    }

    #[test]
    fn a_door_that_is_gone_around_is_found() {
        assert_eq!(count("crates/tm/src/a.rs", "use parking_lot::Mutex;"), 1);
        assert_eq!(count("crates/tm/src/a.rs", "use std::sync::{Arc, Mutex};"), 1);
        assert_eq!(count("crates/tm/src/a.rs", "let a = std::time::Instant::now();"), 1);
        assert_eq!(count("crates/tm/src/a.rs", "let a = std::time::SystemTime::now();"), 1);
        assert_eq!(count("src/lib.rs", "std::fs::read(p)"), 1);
    }

    #[test]
    fn doors_tests_and_tools_are_open() {
        assert_eq!(count("crates/ds/src/sync.rs", "use parking_lot::Mutex;"), 0);
        assert_eq!(count("crates/ds/src/vfs/os.rs", "use std::fs;"), 0);
        assert_eq!(count("crates/ds/src/vfs/os.rs", "use std::sync::Mutex;"), 1);
        assert_eq!(count("crates/tm/src/a.rs", "// std::sync is closed"), 0);
        assert_eq!(count("crates/tm/src/a.rs", "#[cfg(test)]\nmod t { use std::fs; }"), 0);
        assert_eq!(count("crates/tm/src/lock/loom.rs", "use loom::sync::Arc;"), 0);
        assert_eq!(count("xtask/src/a.rs", "use std::fs;"), 0);
        assert_eq!(count("src/a.rs", "use std::time::SystemTime;"), 0);
        let local = "use std::thread::LocalKey;\nstd::thread_local! {}";
        assert_eq!(count("crates/ds/src/a.rs", local), 0);
        assert_eq!(count("crates/ds/src/a.rs", &format!("{local} use std::thread::spawn;")), 1);
    }
}
