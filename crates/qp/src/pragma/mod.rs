//! PRAGMAs: one table of entries, each with how it reads and how it writes.
//!
//! Neighbours: `session` runs these; the manual is made of the table.

mod check;
mod constraints;
mod entry;
mod fixed;
mod limit;
mod log;
mod numbers;
mod schema;
mod settings;
mod storage;
mod table;
#[cfg(test)]
mod tests;

pub use entry::{Call, Entry, Scope};
pub use table::{GROUPS, entries, manual};

use pandodb_ds::record::Value;

use crate::ast;
use crate::branching::access::check_owner;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::GivenRows;
use crate::plan::OutputColumn;
use crate::session::Session;

/// PRAGMAs of SQLite that have no result, not even an empty one, where they are given a value.
const SILENT: &[&str] = &[
    "application_id",
    "auto_vacuum",
    "automatic_index",
    "cache_size",
    "cache_spill",
    "case_sensitive_like",
    "cell_size_check",
    "checkpoint_fullfsync",
    "count_changes",
    "default_cache_size",
    "defer_foreign_keys",
    "empty_result_callbacks",
    "encoding",
    "foreign_keys",
    "full_column_names",
    "fullfsync",
    "ignore_check_constraints",
    "legacy_alter_table",
    "page_size",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "short_column_names",
    "synchronous",
    "temp_store",
    "trusted_schema",
    "user_version",
    "writable_schema",
];

/// What the rows of a PRAGMA are called.
pub(crate) fn columns(pragma: &ast::Pragma) -> Vec<OutputColumn> {
    let Some(entry) = find(&pragma.name.name.text) else { return Vec::new() };
    if pragma.value.is_some() && SILENT.contains(&entry.name) {
        return Vec::new();
    }
    let named = |name: &&str| OutputColumn { name: Box::from(*name), ..OutputColumn::default() };
    entry.columns.iter().map(named).collect()
}

/// Runs a PRAGMA and gives its rows.
pub(crate) fn run(session: &Session, pragma: &ast::Pragma) -> Result<Vec<Vec<Value>>> {
    let name = &pragma.name.name;
    let Some(entry) = find(&name.text) else {
        let message = format!("no such pragma: {}", name.text);
        let error = Error::new(ErrorKind::NotFound, message).at(name.span);
        return Err(match nearest(&name.text) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error,
        });
    };
    let call = Call {
        name: entry.name,
        session,
        schema: pragma.name.schema.as_ref(),
        value: pragma.value.as_ref().map(ast::PragmaValue::as_str),
        is_number: matches!(pragma.value, Some(ast::PragmaValue::Number(..))),
    };
    let sets = call.value.is_some();
    // What is temporary is the session's.
    if entry.is_for_owner(sets) {
        check_owner(session, call.index()?, &format!("use PRAGMA {} so", entry.name))?;
    }
    if matches!(entry.scope, Scope::Kept | Scope::Branch) && sets {
        session.check_may_change()?;
    }
    (entry.run)(&call)
}

/// The rows of a PRAGMA that is read as a table.
pub(crate) fn rows(session: &Session, name: &str, arguments: &[Value]) -> Result<GivenRows> {
    if let Some(view) = crate::branching::view::find(name) {
        return crate::branching::view::rows(session, view, arguments);
    }
    let Some(entry) = find(name) else { return Ok(Vec::new().into()) };
    let text = |place: usize| match arguments.get(place) {
        Some(Value::Text(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Some(Value::Integer(number)) => Some(number.to_string()),
        _ => None,
    };
    let (value, schema) = (text(0), text(1).map(ast::Name::new));
    let call = Call {
        name: entry.name,
        session,
        schema: schema.as_ref(),
        value: value.as_deref(),
        is_number: false,
    };
    if call.value.is_some() && !matches!(entry.scope, Scope::Tells | Scope::Fixed) {
        let message = format!("pragma_{name} cannot set what it reads");
        return Err(Error::invalid(message).with_hint(format!("PRAGMA {name} = ...")));
    }
    (entry.run)(&call).map(GivenRows::from)
}

/// How many columns the rows of a PRAGMA have.
pub(crate) fn width(name: &str) -> Option<usize> {
    find(name).map(|entry| entry.columns.len())
}

/// The PRAGMA that the table-valued function `name` shows.
pub(crate) fn table_function(name: &str) -> Option<&'static Entry> {
    let prefix = name.get(..7).filter(|prefix| prefix.eq_ignore_ascii_case("pragma_"))?;
    find(&name[prefix.len()..])
        .filter(|entry| !entry.columns.is_empty() && entry.scope != Scope::Does)
}

/// The entry called `name`.
fn find(name: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

/// The entry whose name is most like `name`.
fn nearest(name: &str) -> Option<&'static str> {
    crate::suggest::nearest(name, entries().map(|entry| entry.name))
}
