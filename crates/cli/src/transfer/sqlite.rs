//! Whole SQLite databases in and out, through the `sqlite3` program and SQL text.
//!
//! The text carries everything: schema, rows, indexes, views, triggers. It goes through a pipe,
//! so that no file in between is needed and size does not matter. Neighbours: `dump` writes the
//! text, the shell runs it.

use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Dump, dump};
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;
use crate::shell::Shell;

/// Reads a SQLite database; how many rows there were.
pub(super) fn import(shell: &mut Shell, file: &str) -> Outcome<u64> {
    if !Path::new(file).exists() {
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Failure::file("open", file, &error));
    }
    let mut child = start(Command::new("sqlite3").args(["-batch", "-readonly", file, ".dump"]))?;
    let Some(output) = child.stdout.take() else { return Err(no_pipe()) };
    let progress = Progress::bytes(shell, "importing", None);
    let before = rows(shell)?;
    let failed_before = shell.failed.take();
    let bail = std::mem::replace(&mut shell.switches.bail, true);
    let changes = std::mem::replace(&mut shell.switches.changes, false);
    shell.run_reader(BufReader::new(progress.reading(output)), file);
    progress.finish();
    shell.switches.bail = bail;
    shell.switches.changes = changes;
    // The reader stopped at the first error, and what follows is of no use.
    let _ = child.kill();
    let status = child.wait()?;
    if let Some(exit) = shell.failed {
        shell.ended = None;
        if !shell.connection.is_autocommit() {
            shell.execute("ROLLBACK")?;
        }
        return Err(Failure::new(exit, format!("{file} was not imported; nothing has changed")));
    }
    shell.failed = failed_before;
    if status.code().is_some_and(|code| code != 0) {
        return Err(Failure::statement(format!("sqlite3 could not read {file}")));
    }
    Ok(rows(shell)?.saturating_sub(before))
}

/// The rows of all tables, counted rather than the changes: a dump also writes to tables of the
/// engine's own.
fn rows(shell: &Shell) -> Outcome<u64> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' \
               AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    let mut count = 0;
    for table in shell.query_texts(sql, &[])? {
        let sql = format!("SELECT count(*) FROM {}", crate::output::quote::identifier(&table));
        count += shell.connection.query_row(&sql, (), |row| row.get::<_, u64>(0))?;
    }
    Ok(count)
}

/// Writes a SQLite database.
pub(super) fn export(shell: &mut Shell, file: &str) -> Outcome {
    if Path::new(file).exists() {
        return Err(Failure::statement(format!("{file} exists already")));
    }
    let mut child = start(Command::new("sqlite3").args(["-batch", "-bail", file]))?;
    let Some(input) = child.stdin.take() else { return Err(no_pipe()) };
    let mut input = std::io::BufWriter::new(input);
    let written = dump(shell, &Dump::default(), &mut input).and_then(|()| Ok(input.flush()?));
    drop(input.into_parts());
    let status = child.wait()?;
    if status.success() {
        return written;
    }
    Err(Failure::statement(format!("sqlite3 could not write {file}")))
}

fn start(command: &mut Command) -> Outcome<Child> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    child.map_err(|error| {
        Failure::statement(format!("cannot start sqlite3: {error}"))
            .with_hint("SQLite's files are read and written with the sqlite3 program: install it")
    })
}

fn no_pipe() -> Failure {
    Failure::statement("sqlite3 has no pipe")
}
