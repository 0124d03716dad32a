//! PRAGMAs: one table of entries, each with how it reads and how it writes.
//!
//! Neighbours: `session` runs these; the manual is made of the table.

mod schema;
mod table;

pub use table::{Entry, ENTRIES};

use pandodb_ds::record::Value;

use crate::ast;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::OutputColumn;
use crate::session::Session;

/// What the rows of a PRAGMA are called.
pub(crate) fn columns(pragma: &ast::Pragma) -> Vec<OutputColumn> {
    let Some(entry) = find(&pragma.name.name.text) else { return Vec::new() };
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
    let call = table::Call {
        session,
        schema: pragma.name.schema.as_ref(),
        value: pragma.value.as_ref(),
    };
    (entry.run)(&call)
}

/// The entry called `name`.
fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

/// The entry whose name begins or ends most like `name`.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let likeness = |known: &str| {
        let start = known.bytes().zip(name.bytes()).take_while(|(left, right)| left == right);
        let end = known.bytes().rev().zip(name.bytes().rev());
        let end = end.take_while(|(left, right)| left == right);
        start.count() + end.count()
    };
    let best = ENTRIES.iter().max_by_key(|entry| likeness(entry.name))?;
    (likeness(best.name) * 2 >= name.len()).then_some(best.name)
}
