//! Lines from a pipe or a file: collected until a statement is complete, then run.
//!
//! Lines are read one by one, so that a pipe that is still open gets its answers, and a file of
//! any size is never held whole. Neighbours: `editor` does the same with a person.

use std::fs::File;
use std::io::{BufRead, BufReader};

use super::{Shell, command_of};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::language::{Progress, progress};
use crate::transfer::program::Program;

const DEPTH_MAX: usize = 32;

/// The one command that a stream of data may hold: nothing behind an error is run.
const STOP: &str = ".bail on";

/// What lines may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// What a person would type: statements and dot commands, which start programs, too.
    SqlAndCommands,
    /// Statements only. Whoever made a database chose every text in its dump, so that a dump may
    /// hold a line that looks like a command.
    Sql,
}

/// Everything that comes through standard input.
pub(super) fn run_standard_input(shell: &mut Shell) {
    // Without a name: errors still say the line.
    run_lines(shell, std::io::stdin().lock(), "", Language::SqlAndCommands);
}

/// The lines of a file.
pub(super) fn run_file(shell: &mut Shell, path: &str, language: Language) -> Outcome {
    let file = File::open(path).map_err(|error| Failure::file("open", path, &error))?;
    run_nested(shell, path, BufReader::new(file), language)
}

/// The lines that a program prints.
pub(super) fn run_program(shell: &mut Shell, command: &str) -> Outcome {
    let program = Program::start(shell, command)?;
    run_nested(shell, command, BufReader::new(program), Language::SqlAndCommands)
}

/// Lines that a script has asked for.
fn run_nested(shell: &mut Shell, name: &str, lines: impl BufRead, language: Language) -> Outcome {
    if shell.reading.len() >= DEPTH_MAX {
        let message = format!("{name} is read by scripts {DEPTH_MAX} deep: does it read itself?");
        return Err(Failure::statement(message));
    }
    shell.reading.push(name.to_owned());
    run_reader(shell, lines, name, language);
    shell.reading.pop();
    Ok(())
}

/// Lines of a file or of a program: Ctrl-C stops all of them, also when it comes between two.
pub(super) fn run_reader(shell: &mut Shell, lines: impl BufRead, name: &str, language: Language) {
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    run_lines(shell, lines, name, language);
}

fn run_lines(shell: &mut Shell, mut lines: impl BufRead, name: &str, language: Language) {
    let mut pending = Pending::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.read_until(b'\n', &mut line) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                let place = if name.is_empty() { "standard input" } else { name };
                shell.report(&Failure::file("read", place, &error));
                return;
            }
        }
        let Ok(text) = std::str::from_utf8(&line) else {
            let number = pending.next_line;
            let message = format!("line {number} is not valid UTF-8");
            shell.report(&Failure::new(Exit::Io, message));
            return;
        };
        let text = if pending.next_line == 1 { text.trim_start_matches('\u{feff}') } else { text };
        if let Some((ready, first_line)) = pending.take(text)
            && !run(shell, &ready, (name, first_line), language)
        {
            return;
        }
        // A statement that was stopped has said so.
        if interrupt::was_pressed() {
            if shell.failed != Some(Exit::Interrupted) {
                shell.report(&Failure::new(Exit::Interrupted, "interrupted"));
            }
            return;
        }
    }
    // What is left is run too: the last semicolon may be missing.
    let first_line = pending.first_line;
    let rest = std::mem::take(&mut pending.text);
    if progress(&rest) != Progress::Nothing {
        run(shell, &rest, (name, first_line), language);
    }
}

/// Runs what is complete; whether to go on.
fn run(shell: &mut Shell, text: &str, origin: (&str, usize), language: Language) -> bool {
    if language == Language::SqlAndCommands {
        return shell.run_text(text, Some(origin));
    }
    // Scripts of `pando diff --sql` begin so; what is only read as SQL stops there anyway.
    if text == STOP {
        return true;
    }
    if command_of(text).is_none() {
        let outcome = shell.run_sql(text, Some(origin));
        return shell.settle(outcome, Some(origin));
    }
    // What follows counts on the command, or was put there together with it.
    let (_, line) = origin;
    let failure = Failure::statement(format!("line {line} holds a command, and only SQL is read"));
    shell.report(&failure.with_hint("commands are run in scripts that you trust: .read SCRIPT"));
    false
}

/// Lines that do not make a statement yet.
struct Pending {
    text: String,
    first_line: usize,
    next_line: usize,
}

impl Default for Pending {
    fn default() -> Self {
        Self { text: String::new(), first_line: 1, next_line: 1 }
    }
}

impl Pending {
    /// Adds a line; what can be run now, and the line it begins on.
    fn take(&mut self, line: &str) -> Option<(String, usize)> {
        let number = self.next_line;
        self.next_line += 1;
        if self.text.is_empty() {
            self.first_line = number;
            if line.trim().is_empty() {
                return None;
            }
            if command_of(line).is_some() {
                return Some((line.trim().to_owned(), number));
            }
        }
        self.text.push_str(line);
        // Only a semicolon can complete anything, so that long statements are not scanned again
        // for each of their lines.
        if !line.contains(';') {
            if progress_of_blank(&self.text) {
                self.text.clear();
            }
            return None;
        }
        match progress(&self.text) {
            Progress::Complete => Some((std::mem::take(&mut self.text), self.first_line)),
            Progress::Open => None,
            Progress::Nothing => {
                self.text.clear();
                None
            }
        }
    }
}

/// Whether a short text is nothing but a comment; long texts are not worth the look.
fn progress_of_blank(text: &str) -> bool {
    text.len() < 1000 && progress(text) == Progress::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_wait_until_the_statement_is_complete() {
        let mut pending = Pending::default();
        assert_eq!(pending.take("-- a comment\n"), None);
        assert_eq!(pending.take("SELECT\n"), None);
        assert_eq!(pending.take("';\n"), None);
        assert_eq!(pending.take("';\n"), Some(("SELECT\n';\n';\n".to_owned(), 2)));
        assert_eq!(pending.take(".tables\n"), Some((".tables".to_owned(), 5)));
        assert_eq!(pending.take("SELECT 1; SELECT\n"), None);
        assert_eq!(pending.take(".5;\n"), Some(("SELECT 1; SELECT\n.5;\n".to_owned(), 6)));
    }
}
