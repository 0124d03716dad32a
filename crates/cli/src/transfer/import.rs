//! Rows of a file into a table, in one transaction.
//!
//! Types are chosen from the first rows ([`SAMPLE`]); a later value of another type is kept as it
//! is, because columns have affinities and not types. A row that cannot be stored undoes the
//! whole import, and the error names its line.
//! Neighbours: `records`, `detect`, `sqlite`, `program`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use pandodb::Value;

use super::csv::{Dialect, Notation, Separated};
use super::json::Objects;
use super::program::Program;
use super::records::{Record, Records};
use super::{Format, detect, sqlite};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::output::quote::identifier;
use crate::progress::Progress;
use crate::shell::{Shell, columns_of};

/// How many rows decide about types and names.
const SAMPLE: usize = 10_000;

/// What to import.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Import {
    /// The file; `-` for standard input.
    pub(crate) file: String,
    /// A command whose output is read in its place.
    pub(crate) program: Option<String>,
    /// The table; the file's name without.
    pub(crate) table: Option<String>,
    /// The database that the table is in: `main`, `temp`, or an attached one.
    pub(crate) schema: Option<String>,
    pub(crate) format: Option<Format>,
    /// Fail when the table exists.
    pub(crate) must_create: bool,
    pub(crate) has_names: bool,
    /// As sqlite3 reads a file: fields without a column are left out, and a first row that does not
    /// name columns of the table is data.
    pub(crate) is_lenient: bool,
    pub(crate) skip: usize,
    pub(crate) all_text: bool,
    pub(crate) null: Option<String>,
    pub(crate) separator: Option<String>,
}

impl Default for Import {
    fn default() -> Self {
        Self {
            file: String::new(),
            program: None,
            table: None,
            schema: None,
            format: None,
            must_create: false,
            has_names: true,
            is_lenient: false,
            skip: 0,
            all_text: false,
            null: None,
            separator: None,
        }
    }
}

/// Imports a file; how many rows there were.
pub(crate) fn import(shell: &mut Shell, import: &Import) -> Outcome<u64> {
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    let format = import.format.or_else(|| Format::of_path(&import.file));
    match format {
        Some(Format::Sqlite | Format::Sql) if import.table.is_some() => {
            return Err(Failure::usage(format!("{} is imported as a whole", import.file))
                .with_hint("leave the table out"));
        }
        Some(Format::Sqlite) => return sqlite::import(shell, &import.file),
        Some(Format::Sql) => return script(shell, &import.file),
        _ => {}
    }
    let (input, size) = input_of(shell, import)?;
    let progress = Progress::bytes(shell, "importing", size);
    let input = BufReader::with_capacity(256 * 1024, progress.reading(input));
    let format = format.map_or_else(|| Format::of_unknown(&import.file), Ok)?;
    let records = open(import, format, Box::new(input))?;
    let outcome = in_transaction(shell, |shell| store(shell, import, records));
    progress.finish();
    outcome
}

/// What is read, and how many bytes it has if that is known.
fn input_of(shell: &Shell, import: &Import) -> Outcome<(Box<dyn std::io::Read>, Option<u64>)> {
    if let Some(command) = &import.program {
        return Ok((Box::new(Program::start(shell, command)?), None));
    }
    if import.file == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let failed = |error: &std::io::Error| Failure::file("open", &import.file, error);
    let file = File::open(&import.file).map_err(|error| failed(&error))?;
    let size = file.metadata().map_err(|error| failed(&error))?.len();
    Ok((Box::new(file), Some(size)))
}

/// Runs the statements of a file; how many rows they changed.
fn script(shell: &mut Shell, file: &str) -> Outcome<u64> {
    let before = shell.connection.total_changes();
    let is_inside = !shell.connection.is_autocommit();
    let failed = to_the_first_error(shell, |shell| shell.run_statements_of(file))?;
    let is_open = !is_inside && !shell.connection.is_autocommit();
    if is_open {
        shell.execute("ROLLBACK")?;
    }
    match failed {
        Some(exit) if is_open => {
            let message = format!("{file} was not imported: its transaction is rolled back");
            Err(Failure::new(exit, message))
        }
        Some(exit) => {
            let message = format!("{file} was imported up to the error, and not further");
            Err(Failure::new(exit, message).with_hint(if is_inside {
                "ROLLBACK takes it back"
            } else {
                "a script with BEGIN and COMMIT is imported as a whole or not at all"
            }))
        }
        None if is_open => {
            let message = format!("{file} ends within a transaction, which is rolled back");
            Err(Failure::statement(message).with_hint("is the file whole? COMMIT is missing"))
        }
        None => Ok(shell.connection.total_changes() - before),
    }
}

/// Runs statements that are data; an error is told and stops them, and its number is the answer.
pub(super) fn to_the_first_error(
    shell: &mut Shell,
    run: impl FnOnce(&mut Shell) -> Outcome,
) -> Outcome<Option<Exit>> {
    let failed_before = shell.failed.take();
    let bail = std::mem::replace(&mut shell.switches.bail, true);
    let changes = std::mem::replace(&mut shell.switches.changes, false);
    let outcome = run(shell);
    shell.switches.bail = bail;
    shell.switches.changes = changes;
    let failed = shell.failed;
    if failed.is_some() {
        shell.ended = None;
    }
    shell.failed = failed.or(failed_before);
    outcome.map(|()| failed)
}

fn open(import: &Import, format: Format, input: Box<dyn BufRead>) -> Outcome<Box<dyn Records>> {
    if matches!(format, Format::Json | Format::Jsonl) {
        return Ok(Box::new(Objects::open(input)));
    }
    let (notation, own_separator) = match format {
        Format::Tsv => (Notation::Backslashes, '\t'),
        Format::Ascii => (Notation::Controls, '\u{1f}'),
        _ => (Notation::Quotes, ','),
    };
    let wanted = import.separator.as_deref().filter(|separator| !separator.is_empty());
    let separator = match wanted.map(|separator| separator.chars().collect::<Vec<_>>()) {
        None => own_separator,
        Some(characters) => match characters.as_slice() {
            [one] => *one,
            _ => return Err(Failure::usage("the separator of a file must be one character")),
        },
    };
    let dialect = Dialect {
        separator,
        notation,
        has_names: import.has_names,
        skip: import.skip,
        null: import.null.clone(),
    };
    Ok(Box::new(Separated::open(input, dialect)?))
}

/// Does all of it or nothing; inside a transaction that is open already, a savepoint does that.
pub(super) fn in_transaction<T>(
    shell: &mut Shell,
    work: impl FnOnce(&mut Shell) -> Outcome<T>,
) -> Outcome<T> {
    let (begin, commit, undo) = if shell.connection.is_autocommit() {
        ("BEGIN", "COMMIT", "ROLLBACK")
    } else {
        ("SAVEPOINT import", "RELEASE import", "ROLLBACK TO import; RELEASE import")
    };
    shell.execute(begin)?;
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    let outcome =
        work(shell).and_then(|value| Ok(shell.connection.execute_batch(commit).map(|()| value)?));
    if outcome.is_err() {
        // Also where the commit was refused: it leaves its transaction open, and what comes next
        // would be lost with it. The failure itself is what matters; a transaction that is gone
        // needs no undoing.
        let _ = shell.connection.execute_batch(undo);
    }
    outcome
}

fn store(shell: &mut Shell, import: &Import, mut records: Box<dyn Records>) -> Outcome<u64> {
    let table = match &import.table {
        Some(table) => table.clone(),
        None => table_of_file(&import.file)?,
    };
    let schema = import.schema.as_deref();
    let existing = columns(shell, schema, &table)?;
    let is_new = existing.is_empty();
    if import.must_create && !is_new {
        return Err(Failure::statement(format!("table {table} exists already")));
    }
    let mut has_names = import.has_names;
    if has_names && !is_new && import.is_lenient && records.is_table() {
        has_names = records.names().iter().all(|name| find(&existing, name).is_some());
        if !has_names {
            records.names_are_data();
        }
    }
    let mut sample: Vec<Record> = Vec::new();
    while sample.len() < SAMPLE {
        let Some(record) = records.next()? else { break };
        sample.push(record);
    }
    let qualified = match schema {
        Some(schema) => format!("{}.{}", identifier(schema), identifier(&table)),
        None => identifier(&table).into_owned(),
    };
    let targets = if is_new {
        if records.names().is_empty() {
            return Err(Failure::statement("there are no columns in the file"));
        }
        create(shell, &qualified, records.names(), &sample, import.all_text)?;
        records.names().to_vec()
    } else if !has_names && import.is_lenient && records.is_table() {
        existing
    } else {
        targets(&table, &existing, records.names(), has_names)?
    };
    let mut insert = Insert { table: &qualified, targets, is_new, sql: String::new() };
    insert.prepare();
    let mut count = 0;
    for record in sample {
        insert.store(shell, import, &*records, &record)?;
        count += 1;
    }
    while let Some(record) = records.next()? {
        insert.store(shell, import, &*records, &record)?;
        count += 1;
    }
    Ok(count)
}

/// A table named after the file.
fn table_of_file(file: &str) -> Outcome<String> {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
    match stem.filter(|stem| *stem != "-") {
        Some(stem) => Ok(stem.to_owned()),
        None => Err(Failure::usage("which table? the input has no name to go by")),
    }
}

/// The names of a table's columns that can be written; none where there is no such table.
fn columns(shell: &Shell, schema: Option<&str>, table: &str) -> Outcome<Vec<String>> {
    let columns = columns_of(&shell.connection, schema, table)?;
    Ok(columns.into_iter().filter(|column| !column.is_computed).map(|column| column.name).collect())
}

fn create(
    shell: &Shell,
    table: &str,
    names: &[String],
    sample: &[Record],
    all_text: bool,
) -> Outcome {
    let types = detect::column_types(sample, names.len());
    let columns: Vec<String> = names
        .iter()
        .zip(types)
        .map(|(name, found)| {
            format!("{} {}", identifier(name), if all_text { "TEXT" } else { found })
        })
        .collect();
    let sql = format!("CREATE TABLE {table} ({})", columns.join(", "));
    Ok(shell.connection.execute_batch(&sql)?)
}

/// The column of this name.
fn find(existing: &[String], name: &str) -> Option<String> {
    existing.iter().find(|own| own.eq_ignore_ascii_case(name)).cloned()
}

/// Which columns of an existing table the file's columns go to: those of the same names, or, where
/// no name fits, the first ones in their order.
fn targets(
    table: &str,
    existing: &[String],
    names: &[String],
    has_names: bool,
) -> Outcome<Vec<String>> {
    let found: Vec<Option<String>> = names.iter().map(|name| find(existing, name)).collect();
    if has_names && found.iter().any(Option::is_some) {
        return found
            .into_iter()
            .zip(names)
            .map(|(found, name)| {
                found.ok_or_else(|| {
                    Failure::statement(format!("table {table} has no column {name}"))
                        .with_hint(format!("its columns are {}", existing.join(", ")))
                })
            })
            .collect();
    }
    if names.len() > existing.len() {
        let (file, own) = (names.len(), existing.len());
        let message = format!("the file has {file} columns, table {table} has {own}");
        return Err(Failure::statement(message));
    }
    Ok(existing.iter().take(names.len()).cloned().collect())
}

/// The INSERT statement for the columns that are known so far.
struct Insert<'t> {
    /// Its name as SQL has it.
    table: &'t str,
    targets: Vec<String>,
    /// The table was made by this import, so that columns may still be added.
    is_new: bool,
    sql: String,
}

impl Insert<'_> {
    fn prepare(&mut self) {
        let names: Vec<_> = self.targets.iter().map(|name| identifier(name)).collect();
        let marks = vec!["?"; self.targets.len()];
        self.sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.table,
            names.join(", "),
            marks.join(", ")
        );
    }

    fn store(
        &mut self,
        shell: &Shell,
        import: &Import,
        records: &dyn Records,
        record: &Record,
    ) -> Outcome {
        interrupt::check()?;
        if records.is_table() {
            self.compare_length(shell, import, record)?;
        } else if records.names().len() > self.targets.len() {
            self.add_columns(shell, records.names())?;
        }
        let mut values: Vec<Value> =
            record.fields.iter().map(super::records::Field::to_value).collect();
        values.resize(self.targets.len(), Value::Null);
        let mut statement = shell.connection.prepare_cached(&self.sql)?;
        statement.execute(&values).map_err(|error| Failure::from(error).in_line(record.line))?;
        Ok(())
    }

    /// A row that has not as many fields as there are columns is told of, in sqlite3's words; one
    /// that has more is refused, unless what is too much is to be left out.
    fn compare_length(&self, shell: &Shell, import: &Import, record: &Record) -> Outcome {
        let (found, wanted, line) = (record.fields.len(), self.targets.len(), record.line);
        if found > wanted && !import.is_lenient {
            let message = format!("line {line} has {found} fields, but there are {wanted} columns");
            return Err(Failure::statement(message)
                .with_hint("is the separator right? does a field need quotes?"));
        }
        if found != wanted {
            let file = if import.program.is_some() { "<pipe>" } else { &import.file };
            let done = if found < wanted { "filling the rest with NULL" } else { "extras ignored" };
            shell.warn(format_args!(
                "{file}:{line}: expected {wanted} columns but found {found} - {done}"
            ));
        }
        Ok(())
    }

    /// Later objects may have keys that the first ones had not.
    fn add_columns(&mut self, shell: &Shell, names: &[String]) -> Outcome {
        for name in &names[self.targets.len()..] {
            if !self.is_new {
                let message = format!("table {} has no column {name}", self.table);
                return Err(Failure::statement(message));
            }
            let (table, column) = (self.table, identifier(name));
            shell.connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column}"))?;
            self.targets.push(name.clone());
        }
        self.prepare();
        Ok(())
    }
}
