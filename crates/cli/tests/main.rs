//! The program as its users run it: sessions, a real terminal, round trips with sqlite3.
//!
//! `sessions/` holds golden scripts whose commands are lines for `sh`, each run in the same empty
//! folder; what they print and the exit code follow. `UPDATE_GOLDEN=1` rewrites the answers.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests start programs and read files"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod changes;
mod documents;
mod harm;
mod recover;
mod round_trip;
mod start;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::Command;

use pandodb_testkit::{TemporaryFolder, golden};

/// A shell command in `folder`, with `pando` on its path and nothing of the user's around it.
fn shell(folder: &Path, line: &str) -> Command {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_pando"));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{{ {line}\n}} 2>&1"))
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
        .env("HOME", folder)
        .env("LC_ALL", "C.UTF-8");
    command
}

/// What a line prints, and how it ended.
fn run(folder: &Path, line: &str) -> String {
    let output = shell(folder, line).stdin(std::process::Stdio::null()).output().unwrap();
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let code = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("[exit ");
        text.push_str(&code);
        text.push(']');
    }
    text
}

#[test]
fn sessions_print_what_they_printed() {
    let sessions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    golden::check_folder(&sessions, |_| {
        let folder = TemporaryFolder::new();
        move |command: &golden::Command| Ok(run(folder.path(), &command.text))
    });
}
