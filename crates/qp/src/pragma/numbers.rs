//! PRAGMAs that are a number or a list of names, and `optimize`.
//!
//! Neighbours: `table` lists them.

use pandodb_ds::record::Value;

use super::entry::{Call, PragmaRows, one};
use crate::catalog::DatabaseIndex;
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

/// Runs ANALYZE, or tells that it would.
pub(super) fn optimize(call: &Call<'_>) -> Result<PragmaRows> {
    let mask = call.number()?.unwrap_or(0xfffe);
    let sql = match call.schema {
        Some(schema) => format!("ANALYZE {}", crate::define::identifier(&schema.text)),
        None => "ANALYZE".to_owned(),
    };
    // Bit 1: only tell; bit 2: ANALYZE.
    if mask & 1 != 0 || mask < 0 {
        return Ok(one(Value::text(sql)));
    }
    if mask & 2 != 0 {
        call.session.execute(&sql)?;
    }
    Ok(Vec::new())
}
