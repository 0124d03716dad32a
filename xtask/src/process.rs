//! Starting other programs: shown before they run, and judged by their exit status.
//!
//! Neighbours: every command of this tool; `workspace` tells where they run.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::workspace;

/// Why a chore failed, as a sentence for the one who ran it.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// The outcome of a chore.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What makes builds smaller: nobody debugs what CI builds, and it builds nothing twice.
const LEAN: [(&str, &str); 3] = [
    ("CARGO_INCREMENTAL", "0"),
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
];

static IS_LEAN: AtomicBool = AtomicBool::new(false);

/// From now on cargo builds without what only people at a debugger need.
pub(crate) fn build_lean() {
    for (name, value) in LEAN {
        println!("{name}={value}");
    }
    IS_LEAN.store(true, Ordering::Relaxed);
}

/// A program with its arguments, about to run in the root of the workspace.
#[derive(Debug)]
pub(crate) struct Tool {
    command: Command,
    shown: String,
}

impl Tool {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.current_dir(workspace::root());
        Self { command, shown: program.as_ref().to_string_lossy().into_owned() }
    }

    /// The cargo that started this tool.
    pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut tool = Self::new(program);
        "cargo".clone_into(&mut tool.shown);
        if IS_LEAN.load(Ordering::Relaxed) {
            tool.command.envs(LEAN);
        }
        tool.arguments(arguments)
    }

    #[must_use]
    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&argument.as_ref().to_string_lossy());
        self.command.arg(argument);
        self
    }

    #[must_use]
    pub(crate) fn arguments<A: AsRef<OsStr>>(self, all: impl IntoIterator<Item = A>) -> Self {
        all.into_iter().fold(self, Self::argument)
    }

    /// Sets a variable that changes what the program does, and shows it.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let quoted = value.as_ref().to_string_lossy();
        self.shown = format!("{name}={quoted:?} {}", self.shown);
        self.command.env(name, value);
        self
    }

    #[must_use]
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    fn failed_to_start(&self, cause: &std::io::Error) -> Failure {
        Failure::new(format!("cannot start `{}`: {cause}", self.shown))
    }

    fn announce(&self) {
        println!("$ {}", self.shown);
        // A reader that went away is no reason to stop.
        let _ = std::io::stdout().flush();
    }

    /// Runs it with this tool's own input and output.
    pub(crate) fn run(mut self) -> Outcome {
        self.announce();
        let status = self.command.status().map_err(|cause| self.failed_to_start(&cause))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("`{}` failed: {status}", self.shown)))
    }

    /// Runs it silently and returns what it wrote to standard output.
    pub(crate) fn output(mut self) -> Outcome<String> {
        let output = self.command.output().map_err(|cause| self.failed_to_start(&cause))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!("`{}` failed: {}\n{errors}", self.shown, output.status)))
    }

    /// Whether it can be started and succeeds; used to find out what is installed.
    pub(crate) fn works(mut self) -> bool {
        let status = self.command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// Runs it, passes every line on, and returns the lines that `keep` chooses.
    pub(crate) fn run_keeping(mut self, keep: fn(&str) -> bool) -> Outcome<Vec<String>> {
        self.announce();
        if std::io::stderr().is_terminal() {
            self.command.env("CARGO_TERM_COLOR", "always");
        }
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(|cause| self.failed_to_start(&cause))?;
        let (sender, kept) = mpsc::channel();
        let readers = [
            child.stdout.take().map(|pipe| pass_on(pipe, std::io::stdout(), keep, sender.clone())),
            child.stderr.take().map(|pipe| pass_on(pipe, std::io::stderr(), keep, sender)),
        ];
        let status = child.wait().map_err(|cause| self.failed_to_start(&cause))?;
        for reader in readers.into_iter().flatten() {
            // A reader ends with its pipe; it returns nothing that could be lost.
            let _ = reader.join();
        }
        if status.success() {
            return Ok(kept.iter().collect());
        }
        Err(Failure::new(format!("`{}` failed: {status}", self.shown)))
    }
}

/// Copies lines from `pipe` to `target` until the end; chosen ones go to `sender` too.
fn pass_on(
    pipe: impl Read + Send + 'static,
    mut target: impl Write + Send + 'static,
    keep: fn(&str) -> bool,
    sender: mpsc::Sender<String>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n') {
            let Ok(line) = line else { return };
            let text = String::from_utf8_lossy(&line);
            // Writing may fail only because nobody reads any more.
            let _ = writeln!(target, "{text}");
            let plain = without_colours(&text);
            if keep(&plain) {
                let _ = sender.send(plain);
            }
        }
    })
}

/// Removes terminal escape sequences (`ESC [ ... letter`).
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.find(char::is_ascii_alphabetic);
        } else {
            plain.push(character);
        }
    }
    plain
}

/// Whether a line is the summary of a run of `cargo test` or `cargo nextest`.
pub(crate) fn is_test_summary(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("test result:") || line.starts_with("Summary [")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed_and_text_stays() {
        assert_eq!(without_colours("\u{1b}[1;32mok\u{1b}[0m: 3"), "ok: 3");
    }

    #[test]
    fn summaries_of_both_runners_are_recognised() {
        assert!(is_test_summary("     Summary [   0.1s] 3 tests run: 3 passed, 0 skipped"));
        assert!(is_test_summary("test result: ok. 3 passed; 0 failed; 0 ignored"));
        assert!(!is_test_summary("test sum ... ok"));
    }

    #[test]
    fn a_failing_program_is_a_failure_that_names_it() {
        let failure = Tool::cargo(["no-such-command"]).output().map(drop);
        assert!(failure.is_err_and(|failure| failure.to_string().contains("no-such-command")));
    }
}
