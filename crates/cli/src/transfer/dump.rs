//! The database as SQL that makes it again, here or in sqlite3.
//!
//! Order matters: tables with their rows come first, then indexes, triggers and views, so that
//! loading is fast and no trigger runs. Everything is read in one transaction, so that the text
//! is one state of the database. Neighbours: `output::quote` writes the literals.

use std::io::Write;

use crate::failure::{Failure, Outcome};
use crate::interrupt;
use crate::output::escape::Escaping;
use crate::output::quote::{identifier, literal};
use crate::output::sink::Sink;
use crate::shell::Shell;

/// What to write.
#[derive(Clone, Debug)]
pub(crate) struct Dump {
    pub(crate) schema: bool,
    pub(crate) data: bool,
    /// Also the numbers of rows that no column holds.
    pub(crate) rowids: bool,
    /// Patterns as LIKE has them; all tables without.
    pub(crate) tables: Vec<String>,
}

impl Default for Dump {
    fn default() -> Self {
        Self { schema: true, data: true, rowids: false, tables: Vec::new() }
    }
}

/// A row of the schema.
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) name: String,
    table: String,
    pub(super) sql: String,
}

/// Writes the dump to where the shell's output goes.
pub(crate) fn dump_to_sink(shell: &mut Shell, what: &Dump) -> Outcome {
    let how = shell.escape_here();
    let mut sink = std::mem::replace(&mut shell.sink, Sink::Memory(Vec::new()));
    let outcome = dump(shell, what, &mut Escaping { inner: &mut sink, how });
    shell.sink = sink;
    outcome
}

/// Writes the dump.
pub(crate) fn dump(shell: &Shell, what: &Dump, out: &mut dyn Write) -> Outcome {
    let _guard = interrupt::Guard::new(shell.connection.interrupt_handle());
    let owns_transaction = shell.connection.is_autocommit();
    if owns_transaction {
        shell.connection.execute_batch("BEGIN")?;
    }
    let outcome = write_all(shell, what, out);
    if owns_transaction {
        shell.connection.execute_batch("COMMIT")?;
    }
    outcome
}

fn write_all(shell: &Shell, what: &Dump, out: &mut dyn Write) -> Outcome {
    let objects = objects(shell, &what.tables)?;
    if objects.is_empty() && !what.tables.is_empty() {
        let names = what.tables.join(", ");
        return Err(Failure::statement(format!("there is no table like {names}")));
    }
    writeln!(out, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;")?;
    if what.schema && what.tables.is_empty() {
        for pragma in ["user_version", "application_id"] {
            let value = shell.connection.pragma_query_value(pragma, |row| row.get::<_, i64>(0));
            if let Some(value) = value.ok().filter(|value| *value != 0) {
                writeln!(out, "PRAGMA {pragma}={value};")?;
            }
        }
    }
    let mut has_sequence = false;
    for object in objects.iter().filter(|object| object.kind == "table") {
        if object.name.eq_ignore_ascii_case("sqlite_sequence") {
            has_sequence = true;
            continue;
        }
        if is_internal(&object.name) {
            continue;
        }
        if what.schema {
            writeln!(out, "{};", object.sql)?;
        }
        if what.data {
            let rowid = if what.rowids { rowid_of(shell, "main", &object.name)? } else { None };
            write_rows(shell, &object.name, rowid, out)?;
        }
    }
    let has_statistics =
        objects.iter().any(|object| object.name.eq_ignore_ascii_case("sqlite_stat1"));
    if has_statistics && what.data && what.schema && what.tables.is_empty() {
        writeln!(out, "ANALYZE sqlite_schema;")?;
        write_rows(shell, "sqlite_stat1", None, out)?;
    }
    if has_sequence && what.data && what.tables.is_empty() {
        writeln!(out, "DELETE FROM sqlite_sequence;")?;
        write_rows(shell, "sqlite_sequence", None, out)?;
    }
    if what.schema {
        for kind in ["index", "view", "trigger"] {
            for object in objects.iter().filter(|object| object.kind == kind) {
                writeln!(out, "{};", object.sql)?;
            }
        }
    }
    writeln!(out, "COMMIT;")?;
    Ok(())
}

pub(super) fn is_internal(name: &str) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}

/// The definitions, in the order in which they were made; of the tables that a pattern fits.
pub(super) fn objects(shell: &Shell, patterns: &[String]) -> Outcome<Vec<Object>> {
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL \
               ORDER BY rowid";
    let mut statement = shell.connection.prepare(sql)?;
    let all: Vec<Object> = statement
        .query_map((), |row| {
            Ok(Object {
                kind: row.get(0)?,
                name: row.get(1)?,
                table: row.get(2)?,
                sql: row.get(3)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    if patterns.is_empty() {
        return Ok(all);
    }
    let mut chosen = Vec::new();
    for object in all {
        for pattern in patterns {
            let fits: bool = shell.connection.query_row(
                "SELECT ?1 LIKE ?2",
                [object.table.as_str(), pattern],
                |row| row.get(0),
            )?;
            if fits {
                chosen.push(object);
                break;
            }
        }
    }
    Ok(chosen)
}

/// What the number of a table's rows is called, where no column holds it.
pub(super) fn rowid_of(shell: &Shell, schema: &str, table: &str) -> Outcome<Option<&'static str>> {
    let sql = "SELECT name, pk, type FROM pragma_table_info(?1, ?2)";
    let mut statement = shell.connection.prepare(sql)?;
    let columns: Vec<(String, bool, String)> = statement
        .query_map([table, schema], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)? > 0, row.get::<_, Option<String>>(2)?))
        })?
        .map(|row| row.map(|(name, is_key, kind)| (name, is_key, kind.unwrap_or_default())))
        .collect::<Result<_, _>>()?;
    let mut key = columns.iter().filter(|(_, is_key, _)| *is_key);
    if let (Some((_, _, kind)), None) = (key.next(), key.next())
        && kind.eq_ignore_ascii_case("INTEGER")
    {
        return Ok(None);
    }
    let is_free = |name: &&str| !columns.iter().any(|(own, _, _)| own.eq_ignore_ascii_case(name));
    let name = ["rowid", "_rowid_", "oid"].into_iter().find(is_free);
    // A table without rowids has no column of that name.
    let has = |name: &&str| {
        let sql = format!("SELECT {name} FROM {schema}.{}", identifier(table));
        shell.connection.prepare(&sql).is_ok()
    };
    Ok(name.filter(has))
}

/// INSERT statements for all rows; computed columns are left out.
fn write_rows(
    shell: &Shell,
    table: &str,
    rowid: Option<&'static str>,
    out: &mut dyn Write,
) -> Outcome {
    let columns = shell.columns_of(table)?;
    let has_computed = columns.iter().any(|column| column.is_computed);
    let columns: Vec<_> = columns.into_iter().filter(|column| !column.is_computed).collect();
    let mut names: Vec<_> = columns.iter().map(|column| identifier(&column.name)).collect();
    names.splice(..0, rowid.map(std::borrow::Cow::Borrowed));
    let count = names.len();
    let names = names.join(",");
    let target = if has_computed || rowid.is_some() {
        format!("{}({names})", identifier(table))
    } else {
        identifier(table).into_owned()
    };
    let beginning = format!("INSERT INTO {target} VALUES(");
    let sql = format!("SELECT {names} FROM {}", identifier(table));
    let mut statement = shell.connection.prepare(&sql)?;
    let mut rows = statement.raw_query();
    let mut line = String::new();
    while let Some(row) = rows.next()? {
        line.clear();
        line.push_str(&beginning);
        for at in 0..count {
            if at > 0 {
                line.push(',');
            }
            line.push_str(&literal(row.get_ref(at)?));
        }
        line.push_str(");\n");
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}
