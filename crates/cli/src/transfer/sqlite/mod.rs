//! Whole SQLite databases in and out, through the `sqlite3` program and SQL text.
//!
//! The text carries everything: schema, rows with their numbers, indexes, views, triggers. It goes
//! through a pipe, so that no file in between is needed and size does not matter. Only virtual
//! tables, whose modules are not here, need a copy: in it they become ordinary tables with the
//! same rows. Neighbours: `dump` writes the text, the shell runs it, `cut` adds what sqlite3
//! leaves out of it.

mod cut;
mod encoding;

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;

use super::import::to_the_first_error;
use super::{Dump, dump};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::output::quote::literal;
use crate::progress::Progress;
use crate::shell::Shell;

/// The virtual tables, and the statements that put an ordinary table in the place of each.
const VIRTUAL: &str = "name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'create virtual%'";
const REPLACE: &str = "SELECT printf('CREATE TABLE \"pando %w\" AS SELECT * FROM \"%w\" LIMIT 0; \
    INSERT INTO \"pando %w\"(rowid, %s) SELECT rowid, %s FROM \"%w\"; DROP TABLE \"%w\"; \
    ALTER TABLE \"pando %w\" RENAME TO \"%w\";', n, n, n, c, c, n, n, n, n) \
    FROM (SELECT name AS n, (SELECT group_concat(printf('\"%w\"', name)) \
    FROM pragma_table_xinfo(m.name) WHERE hidden = 0) AS c \
    FROM sqlite_schema AS m WHERE type = 'table' AND sql LIKE 'create virtual%')";

/// Reads a SQLite database; how many rows there were.
pub(super) fn import(shell: &mut Shell, file: &str) -> Outcome<u64> {
    if !Path::new(file).exists() {
        let error = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(Failure::file("open", file, &error));
    }
    let file = &*plain_path(file);
    let names = ask(file, &format!("SELECT {VIRTUAL}"))?;
    if names.is_empty() {
        return import_dump(shell, file, file);
    }
    let copy = Copy::without_virtual_tables(file)?;
    let rows = import_dump(shell, file, &copy.0.to_string_lossy())?;
    for name in names.lines() {
        shell.say(format_args!("Virtual table {name} came in as an ordinary table"))?;
    }
    Ok(rows)
}

/// A path that sqlite3 takes for one, and not for an option, a URI or a database in memory.
fn plain_path(file: &str) -> Cow<'_, str> {
    if file.starts_with(['-', ':']) || file.starts_with("file:") {
        Cow::Owned(format!("./{file}"))
    } else {
        Cow::Borrowed(file)
    }
}

/// Runs the dump of `source`, which is `file` or a copy of it.
fn import_dump(shell: &mut Shell, file: &str, source: &str) -> Outcome<u64> {
    let numbers = ask(source, "PRAGMA user_version; PRAGMA application_id")?;
    let mut repair = cut::Repair::of(source)?;
    let arguments = ["-batch", "-readonly", source, ".dump --preserve-rowids"];
    let mut child = start(Command::new("sqlite3").args(arguments))?;
    let Some(output) = child.stdout.take() else { return Err(no_pipe()) };
    let progress = Progress::bytes(shell, "importing", None);
    let before = rows(shell)?;
    let ending = Rc::default();
    let output = Ending { inner: progress.reading(output), last: Rc::clone(&ending) };
    let lines = BufReader::new(repair.behind(output)?);
    let failed = to_the_first_error(shell, |shell| {
        shell.run_statements(lines, file);
        Ok(())
    })?;
    progress.finish();
    // The reader stopped at the first error, and what follows is of no use.
    let _ = child.kill();
    let status = child.wait()?;
    let has_cut_texts = repair.is_needed();
    let is_whole = repair.ended_well()?;
    if let Some(exit) = failed {
        if !shell.connection.is_autocommit() {
            shell.execute("ROLLBACK")?;
        }
        let failure = Failure::new(exit, format!("{file} was not imported; nothing has changed"));
        if exit == Exit::Io
            && let Some(place) = encoding::first_fault(source)?
        {
            return Err(failure.with_hint(place));
        }
        return Err(if has_cut_texts {
            failure.with_hint("texts with NUL come in cut there first: two of them may look alike")
        } else {
            failure
        });
    }
    // A dump of a damaged database ends well, and takes back what it could read.
    let is_damaged = ending.borrow().windows(13).any(|part| part == b"due to errors");
    if is_damaged || !is_whole || status.code().is_some_and(|code| code != 0) {
        return Err(Failure::statement(format!(
            "{file} is damaged: sqlite3 cannot read all of it; nothing was imported"
        ))
        .with_hint(format!("sqlite3 {file} .recover | pando NEW.pando takes what is left")));
    }
    for (pragma, number) in ["user_version", "application_id"].into_iter().zip(numbers.lines()) {
        if number != "0" {
            shell.execute(&format!("PRAGMA {pragma} = {number}"))?;
        }
    }
    Ok(rows(shell)?.saturating_sub(before))
}

/// The last bytes that went through.
struct Ending<R> {
    inner: R,
    last: Rc<RefCell<Vec<u8>>>,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut last = self.last.borrow_mut();
        last.extend_from_slice(&buffer[..count]);
        let surplus = last.len().saturating_sub(64);
        last.drain(..surplus);
        Ok(count)
    }
}

/// A copy of a database that is gone with this.
struct Copy(PathBuf);

impl Copy {
    fn without_virtual_tables(file: &str) -> Outcome<Self> {
        let name = format!("pando-import-{}.sqlite", std::process::id());
        let copy = Self(std::env::temp_dir().join(name));
        let path = copy.0.to_string_lossy().into_owned();
        ask(file, &format!("VACUUM INTO {}", literal(pandodb::ValueRef::Text(path.as_bytes()))))?;
        let statements = ask(&path, REPLACE)?;
        ask_to_write(
            &path,
            &format!("PRAGMA legacy_alter_table = ON; BEGIN; {statements} COMMIT;"),
        )?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It lies where the system clears away what is left.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What sqlite3 answers, or what it says is wrong.
fn ask(file: &str, sql: &str) -> Outcome<String> {
    answer(file, Command::new("sqlite3").args(["-batch", "-bail", "-readonly", file, sql]))
}

fn ask_to_write(file: &str, sql: &str) -> Outcome<String> {
    answer(file, Command::new("sqlite3").args(["-batch", "-bail", file, sql]))
}

fn answer(file: &str, command: &mut Command) -> Outcome<String> {
    let output = start(command.stderr(Stdio::piped()))?.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it does not say why").to_owned();
    Err(Failure::statement(format!("sqlite3 cannot read {file}: {said}")))
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
    let file = &*plain_path(file);
    let mut child = start(Command::new("sqlite3").args(["-batch", "-bail", file]))?;
    let Some(input) = child.stdin.take() else { return Err(no_pipe()) };
    let mut input = std::io::BufWriter::new(input);
    let what = Dump { rowids: true, ..Dump::default() };
    let written = dump(shell, &what, &mut input).and_then(|()| Ok(input.flush()?));
    drop(input.into_parts());
    let status = child.wait()?;
    let outcome = if status.success() {
        written
    } else {
        Err(Failure::statement(format!("sqlite3 could not write {file}")))
    };
    if outcome.is_err() {
        // What is there holds nothing: the text is one transaction.
        let _ = std::fs::remove_file(file);
    }
    outcome
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
