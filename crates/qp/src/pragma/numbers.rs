//! PRAGMAs that are a number or a list of names.
//!
//! Neighbours: `table` lists them.

use std::time::Duration;

use pandodb_ds::record::Value;
use pandodb_tm::Synchronous;

use super::table::{Call, PragmaRows};
use crate::catalog::{DatabaseIndex, read_setting, write_setting};
use crate::error::{Error, Result};
use crate::function::FunctionKind;
use crate::session::Session;

/// A number that the database keeps, at its place in the catalog.
pub(super) fn setting(call: &Call<'_>, place: i64) -> Result<PragmaRows> {
    let database = call.database()?.unwrap_or(DatabaseIndex::MAIN);
    let Some(text) = call.text() else {
        return call.session.reading(|sources, _| {
            let source = sources.get(usize::from(database.0)).and_then(Option::as_ref);
            let value = match source {
                Some(source) => read_setting(&source.borrow(), place)?,
                None => 0,
            };
            Ok(vec![vec![Value::Integer(value)]])
        });
    };
    // As in SQLite the number has 32 bits.
    let number = pandodb_ds::record::number::cast_integer(text.as_bytes());
    let number = i64::from(number.clamp(i64::from(i32::MIN), i64::from(u32::MAX)) as i32);
    call.session.changing(database, |sources, _| {
        if let Some(Some(source)) = sources.get(usize::from(database.0)) {
            write_setting(&mut source.borrow_mut(), place, number)?;
        }
        Ok(Vec::new())
    })
}

/// What commits wait for. It holds for the open database, not for one connection: commits of
/// many connections share a sync. SQLite's `EXTRA` is `FULL` here, there is no journal to delete.
pub(super) fn synchronous(call: &Call<'_>) -> Result<PragmaRows> {
    let index = call.database()?.unwrap_or(DatabaseIndex::MAIN);
    let (database, _) = call.session.database(index)?;
    let manager = database.manager();
    let Some(text) = call.text() else {
        let number = match manager.synchronous() {
            Synchronous::Off => 0,
            Synchronous::Normal => 1,
            Synchronous::Full => 2,
        };
        return Ok(vec![vec![Value::Integer(number)]]);
    };
    let level = match text.to_ascii_lowercase().as_str() {
        "0" | "off" => Synchronous::Off,
        "1" | "normal" => Synchronous::Normal,
        "2" | "full" | "3" | "extra" => Synchronous::Full,
        _ => {
            let message = format!("synchronous is OFF, NORMAL or FULL, not {text}");
            return Err(Error::invalid(message));
        }
    };
    manager.set_synchronous(level);
    Ok(Vec::new())
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

pub(super) fn functions(session: &Session) -> PragmaRows {
    let functions = session.change_functions(|functions| functions.functions());
    let row = |function: &pandodb_ds::sync::Arc<crate::function::Function>| {
        let kind = match function.kind() {
            FunctionKind::Scalar => "s",
            FunctionKind::Aggregate => "a",
            FunctionKind::Window => "w",
            FunctionKind::Table => "t",
        };
        let exact = function.arity.max == Some(function.arity.min);
        vec![
            Value::text(function.name.as_bytes()),
            Value::Integer(i64::from(!function.usage.is_empty())),
            Value::text(kind),
            Value::text("utf8"),
            Value::Integer(if exact { i64::from(function.arity.min) } else { -1 }),
            Value::Integer(if function.is_deterministic() { 0x800 } else { 0 }),
        ]
    };
    functions.iter().map(row).collect()
}

pub(super) fn busy_timeout(call: &Call<'_>) -> Result<PragmaRows> {
    let (database, _) = call.session.database(DatabaseIndex::MAIN)?;
    if let Some(text) = call.text() {
        let number = pandodb_ds::record::number::cast_integer(text.as_bytes()).max(0);
        database.manager().set_busy_timeout(Duration::from_millis(number as u64));
    }
    let timeout = database.manager().busy_timeout().as_millis();
    Ok(vec![vec![Value::Integer(i64::try_from(timeout).unwrap_or(i64::MAX))]])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::session::Step;
    use crate::store::Database;

    fn ask(session: &Session, sql: &str) -> Result<Option<Value>> {
        let (statement, _) = session.prepare(sql)?;
        let mut statement = statement.unwrap();
        let is_row = statement.step()? == Step::Row;
        if is_row { statement.row().map(|row| row.into_iter().next()) } else { Ok(None) }
    }

    #[test]
    fn synchronous_is_set_for_all_connections() {
        let database = Database::in_memory().unwrap();
        let (session, other) = (Session::new(database.clone()), Session::new(database.clone()));
        for (word, number, level) in [
            ("FULL", 2, Synchronous::Full),
            ("off", 0, Synchronous::Off),
            ("1", 1, Synchronous::Normal),
            ("extra", 2, Synchronous::Full),
        ] {
            ask(&session, &format!("PRAGMA synchronous = {word}")).unwrap();
            assert_eq!(database.manager().synchronous(), level);
            let shown = ask(&other, "PRAGMA synchronous").unwrap();
            assert!(matches!(shown, Some(Value::Integer(found)) if found == number));
        }
        let error = ask(&session, "PRAGMA synchronous = sometimes").unwrap_err();
        assert!(error.message().contains("sometimes"));
        assert_eq!(database.manager().synchronous(), Synchronous::Full);
    }
}
