//! Writers outside of a statement: to check a new table, to fill a new index.
//!
//! Neighbours: `bind` makes writers, `define` asks for these.

use pandodb_ds::record::key::rowid_from_key;
use pandodb_ds::sync::Arc;

use super::bind::table_writer;
use super::trigger::Change;
use super::writer::decode;
use super::{RowKey, TableWriter};
use crate::bind::{Binder, Environment};
use crate::catalog::Table;
use crate::error::{Constraint, Error, Result};
use crate::execute::{Frame, Outer};
use crate::plan::Layout;

/// A writer with the frame it needs.
#[derive(Debug)]
pub struct BoundWriter {
    /// The writer.
    pub writer: TableWriter,
    /// What its frame holds.
    pub layout: Layout,
}

/// A writer of a table, without triggers and foreign keys at work.
pub fn bind_writer(environment: &Environment<'_>, table: &Arc<Table>) -> Result<BoundWriter> {
    let mut binder = Binder::new(environment, Arc::from(&*table.sql));
    let writer = table_writer(&mut binder, table, Change::Insert, None)?;
    Ok(BoundWriter { writer, layout: binder.frame().layout })
}

/// Binds everything that a new table says, to find its mistakes.
pub fn check_table(environment: &Environment<'_>, table: &Arc<Table>) -> Result<()> {
    bind_writer(environment, table).map(|_| ())
}

/// Puts the rows of the table into its index at `place`, which is empty.
pub fn fill_index(bound: &BoundWriter, place: usize, outer: Outer<'_>) -> Result<()> {
    let writer = &bound.writer;
    let table = &writer.table;
    let Some(index) = writer.indexes.get(place) else { return Ok(()) };
    let mut frame = Frame::new(bound.layout);
    let mut cursor = outer.context.cursor(writer.source, table.tree)?;
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut prefixes: Vec<(Vec<u8>, bool)> = Vec::new();
    let mut found = cursor.first()?;
    while found {
        outer.context.tick()?;
        let key = if table.has_rowid() {
            RowKey::Rowid(rowid_from_key(cursor.key())?)
        } else {
            RowKey::Bytes(cursor.key().to_vec())
        };
        let values = decode(table, cursor.value()?)?;
        writer.load(&key, values, &mut frame, outer)?;
        writer.fill_alias(&mut frame);
        if let Some(entry) = index.entry(&key.bytes(), &frame, outer)? {
            if index.unique.is_some() && !entry.has_null {
                prefixes.push((entry.key[..entry.prefix].to_vec(), true));
            }
            entries.push((entry.key, entry.exact));
        }
        found = cursor.next()?;
    }
    prefixes.sort_unstable();
    if prefixes.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err(duplicate(writer, place));
    }
    entries.sort_unstable();
    let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
    for (key, value) in entries {
        transaction.put(index.index.tree, &key, &value)?;
    }
    Ok(())
}

fn duplicate(writer: &TableWriter, place: usize) -> Error {
    match writer.indexes.get(place) {
        Some(index) => writer.duplicate_entry(&index.index),
        None => Error::constraint(Constraint::Unique, &writer.table.name),
    }
}
