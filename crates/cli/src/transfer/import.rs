//! Rows of a file into a table, in one transaction.
//!
//! Types are chosen from the first rows ([`SAMPLE`]); a later value of another type is kept as it
//! is, because columns have affinities and not types. A row that cannot be stored undoes the
//! whole import, and the error names its line. Neighbours: `records`, `detect`, `sqlite`.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use pandodb::Value;

use super::csv::{Dialect, Separated};
use super::json::Objects;
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
pub(crate) struct Import {
    /// The file; `-` for standard input.
    pub(crate) file: String,
    /// The table; the file's name without.
    pub(crate) table: Option<String>,
    /// The database that the table is in: `main`, `temp`, or an attached one.
    pub(crate) schema: Option<String>,
    pub(crate) format: Option<Format>,
    /// Fail when the table exists.
    pub(crate) must_create: bool,
    pub(crate) has_names: bool,
    pub(crate) skip: usize,
    pub(crate) all_text: bool,
    pub(crate) null: Option<String>,
    pub(crate) separator: Option<String>,
}

impl Default for Import {
    fn default() -> Self {
        Self {
            file: String::new(),
            table: None,
            schema: None,
            format: None,
            must_create: false,
            has_names: true,
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
    let (input, size): (Box<dyn std::io::Read>, Option<u64>) = if import.file == "-" {
        (Box::new(std::io::stdin()), None)
    } else {
        let failed = |error: &std::io::Error| Failure::file("open", &import.file, error);
        let file = File::open(&import.file).map_err(|error| failed(&error))?;
        let size = file.metadata().map_err(|error| failed(&error))?.len();
        (Box::new(file), Some(size))
    };
    let progress = Progress::bytes(shell, "importing", size);
    let input = BufReader::with_capacity(256 * 1024, progress.reading(input));
    let format = format.map_or_else(|| Format::of_unknown(&import.file), Ok)?;
    let records = open(import, format, Box::new(input))?;
    let outcome = in_transaction(shell, |shell| store(shell, import, records));
    progress.finish();
    outcome
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
    let is_tsv = format == Format::Tsv;
    let wanted = import.separator.as_deref().filter(|separator| !separator.is_empty());
    let separator = match wanted.map(|separator| separator.chars().collect::<Vec<_>>()) {
        None => {
            if is_tsv {
                '\t'
            } else {
                ','
            }
        }
        Some(characters) => match characters.as_slice() {
            [one] => *one,
            _ => return Err(Failure::usage("the separator of a file must be one character")),
        },
    };
    let dialect = Dialect {
        separator,
        has_quotes: !is_tsv,
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
    let mut sample: Vec<Record> = Vec::new();
    while sample.len() < SAMPLE {
        let Some(record) = records.next()? else { break };
        sample.push(record);
    }
    let schema = import.schema.as_deref();
    let existing = columns(shell, schema, &table)?;
    let qualified = match schema {
        Some(schema) => format!("{}.{}", identifier(schema), identifier(&table)),
        None => identifier(&table).into_owned(),
    };
    if import.must_create && !existing.is_empty() {
        return Err(Failure::statement(format!("table {table} exists already")));
    }
    let is_new = existing.is_empty();
    let targets = if is_new {
        if records.names().is_empty() {
            return Err(Failure::statement("there are no columns in the file"));
        }
        create(shell, &qualified, records.names(), &sample, import.all_text)?;
        records.names().to_vec()
    } else {
        targets(&table, &existing, records.names(), import.has_names)?
    };
    let mut insert = Insert { table: &qualified, targets, is_new, sql: String::new() };
    insert.prepare();
    let mut count = 0;
    for record in sample {
        interrupt::check()?;
        insert.store(shell, records.names(), &record)?;
        count += 1;
    }
    while let Some(record) = records.next()? {
        interrupt::check()?;
        insert.store(shell, records.names(), &record)?;
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

/// Which columns of an existing table the file's columns go to: those of the same names, or, where
/// no name fits, the first ones in their order.
fn targets(
    table: &str,
    existing: &[String],
    names: &[String],
    has_names: bool,
) -> Outcome<Vec<String>> {
    let find = |name: &String| existing.iter().find(|own| own.eq_ignore_ascii_case(name)).cloned();
    let found: Vec<Option<String>> = names.iter().map(find).collect();
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

    fn store(&mut self, shell: &Shell, names: &[String], record: &Record) -> Outcome {
        if names.len() > self.targets.len() {
            self.add_columns(shell, names)?;
        }
        let mut values: Vec<Value> =
            record.fields.iter().map(super::records::Field::to_value).collect();
        values.resize(self.targets.len(), Value::Null);
        let mut statement = shell.connection.prepare_cached(&self.sql)?;
        statement.execute(&values).map_err(|error| Failure::from(error).in_line(record.line))?;
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
