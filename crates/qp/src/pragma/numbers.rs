//! PRAGMAs that are a number or a list of names, and `optimize`.
//!
//! Neighbours: `table` lists them.

use pandodb_ds::record::Value;

use super::entry::{Call, PragmaRows};
use crate::catalog::{DatabaseIndex, is_reserved_name};
use crate::error::{Error, Result};
use crate::function::{Arity, Function, FunctionKind};
use crate::session::Session;
use crate::store::{Own, read_own, write_own};

/// A number that each branch keeps.
pub(super) fn setting(call: &Call<'_>, what: Own) -> Result<PragmaRows> {
    let database = call.database()?.unwrap_or(DatabaseIndex::MAIN);
    // As in SQLite the number has 32 bits, with a sign or without one.
    let range = i64::from(i32::MIN)..=i64::from(u32::MAX);
    let Some(number) = call.number_within(range)? else {
        return call.session.reading(|sources, _| {
            let source = sources.get(usize::from(database.0)).and_then(Option::as_ref);
            let value = match source {
                Some(source) => read_own(&source.borrow(), what)?,
                None => 0,
            };
            Ok(vec![vec![Value::Integer(value)]])
        });
    };
    let number = i64::from(number as i32);
    call.session.changing(database, |sources, _| {
        if let Some(Some(source)) = sources.get(usize::from(database.0)) {
            write_own(&mut source.borrow_mut(), what, number)?;
        }
        Ok(Vec::new())
    })
}

/// The cookie of the schema, cut to 31 bits.
pub(super) fn schema_version(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.database()?.unwrap_or(DatabaseIndex::MAIN);
    if call.text().is_some() {
        return Err(Error::invalid("schema_version is given by the engine"));
    }
    call.session.reading(|_, schemas| {
        let cookie = schemas.get(usize::from(database.0)).map_or(0, |schema| schema.cookie);
        Ok(vec![vec![Value::Integer((cookie & 0x7fff_ffff) as i64)]])
    })
}

pub(super) fn collations(session: &Session) -> PragmaRows {
    let mut names = session.collation_names();
    names.reverse();
    names.extend(["RTRIM", "NOCASE", "BINARY"].map(Box::from));
    let row = |(number, name): (usize, Box<str>)| {
        vec![Value::Integer(number as i64), Value::text(&*name)]
    };
    names.into_iter().enumerate().map(row).collect()
}

/// SQLite's flag of functions that may stand in schemas whoever made these; all built-in ones may.
const INNOCUOUS: i64 = 0x20_0000;

/// The most numbers of arguments that are listed one by one.
const LISTED_MAX: i64 = 8;

pub(super) fn functions(session: &Session) -> PragmaRows {
    let functions = session.change_functions(|functions| functions.functions());
    let row = |function: &Function, count: i64| {
        let kind = match function.kind() {
            FunctionKind::Scalar => "s",
            // All aggregates may have a window.
            FunctionKind::Aggregate | FunctionKind::Window => "w",
            FunctionKind::Table => "t",
        };
        vec![
            Value::text(function.name.as_bytes()),
            Value::Integer(i64::from(!function.usage.is_empty())),
            Value::text(kind),
            Value::text("utf8"),
            Value::Integer(count),
            Value::Integer(
                if function.is_deterministic() { 0x800 } else { 0 }
                    | if function.usage.is_empty() { 0 } else { INNOCUOUS },
            ),
        ]
    };
    let rows = functions.iter().flat_map(|function| {
        argument_counts(function.arity).into_iter().map(move |count| row(function, count))
    });
    rows.collect()
}

/// How SQLite lists numbers of arguments: each for itself; any number as -1, any from `n` on as
/// `-n - 2`.
fn argument_counts(arity: Arity) -> Vec<i64> {
    let min = i64::from(arity.min);
    match arity.max {
        Some(max) if i64::from(max) - min < LISTED_MAX => (min..=i64::from(max)).collect(),
        None if min > 0 => vec![-min - 2],
        _ => vec![-1],
    }
}

/// The databases with the paths of their files.
pub(super) fn database_list(call: &Call<'_>) -> Result<PragmaRows> {
    let (mut rows, mut attached) = (Vec::new(), 2);
    for (index, name) in call.session.database_names() {
        // Those that are attached count from 2 on, whatever was detached before them.
        let number = if index.0 < 2 { i64::from(index.0) } else { attached };
        attached += i64::from(index.0 >= 2);
        let (database, _) = call.session.database(index)?;
        let manager = database.manager();
        let file = if manager.is_in_memory() {
            String::new()
        } else {
            manager.store().path().to_string_lossy().into_owned()
        };
        rows.push(vec![Value::Integer(number), Value::text(&*name), Value::text(file)]);
    }
    Ok(rows)
}

pub(super) fn modules(session: &Session) -> PragmaRows {
    let functions = session.change_functions(|functions| functions.functions());
    let tables = functions.iter().filter(|function| function.kind() == FunctionKind::Table);
    let mut names: Vec<String> = tables.map(|function| function.name.to_string()).collect();
    let pragmas = super::entries().filter(|entry| !entry.columns.is_empty());
    names.extend(
        pragmas
            .map(|entry| format!("pragma_{}", entry.name))
            .filter(|name| super::table_function(name).is_some()),
    );
    names.sort();
    names.dedup();
    names.into_iter().map(|name| vec![Value::text(name)]).collect()
}

pub(super) fn pragmas() -> PragmaRows {
    let mut names: Vec<&str> = super::entries().map(|entry| entry.name).collect();
    names.sort_unstable();
    names.into_iter().map(|name| vec![Value::text(name)]).collect()
}

pub(super) fn compile_options() -> PragmaRows {
    let options = crate::function::compile_options().into_iter();
    options.map(|option| vec![Value::text(option)]).collect()
}

/// Runs ANALYZE for the tables whose statistics are missing or out of date, or tells that it would.
pub(super) fn optimize(call: &Call<'_>) -> Result<PragmaRows> {
    let mask = call.number()?.unwrap_or(0xfffe);
    // Bit 1: only tell; bit 2: ANALYZE; bit 17: of all tables.
    if mask & 2 == 0 {
        return Ok(Vec::new());
    }
    let statements = analyses(call, mask & 0x1_0000 != 0)?;
    if mask & 1 != 0 {
        return Ok(statements.iter().map(|sql| vec![Value::text(&**sql)]).collect());
    }
    for sql in &statements {
        call.session.execute(sql)?;
    }
    Ok(Vec::new())
}

/// A name as SQLite shows it in these statements.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// One ANALYZE for each table that has rows in an index, and statistics that do not know of them or
/// of ten times as many, or as few; for `all`, also of tables without an index.
fn analyses(call: &Call<'_>, all: bool) -> Result<Vec<String>> {
    let only = call.database()?;
    call.session.reading(|sources, schemas| {
        let mut statements = Vec::new();
        for (place, schema) in schemas.iter().enumerate() {
            let index = DatabaseIndex(place as u16);
            let is_meant = only.map_or(index != DatabaseIndex::TEMP, |only| only == index);
            let Some(source) = sources.get(place).and_then(Option::as_ref) else { continue };
            if !is_meant {
                continue;
            }
            let tables = schema.tables.values();
            let mut tables: Vec<_> = tables
                .filter(|table| !is_reserved_name(&table.name))
                .filter(|table| all || !table.has_rowid() || !table.indexes.is_empty())
                .collect();
            tables.sort_by_key(|table| table.id);
            for table in tables {
                let rows = source.borrow().len(table.tree)?;
                let mut full = table.indexes.iter().filter(|index| index.filter.is_none());
                let known = match full.next() {
                    Some(index) => schema.statistics.rows(&table.name, &index.name),
                    None if table.has_rowid() => schema.statistics.rows(&table.name, ""),
                    None => schema.statistics.rows(&table.name, &table.name),
                };
                let is_known = known.is_some_and(|known| {
                    let now = rows as f64;
                    now <= known * 10.0 && known <= now * 10.0
                });
                if rows > 0 && !is_known {
                    let database = call.session.database_name(index);
                    let (database, table) = (quoted(&database), quoted(&table.name));
                    statements.push(format!("ANALYZE {database}.{table}"));
                }
            }
        }
        Ok(statements)
    })
}
