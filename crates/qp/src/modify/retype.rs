//! The rows of a table whose column got another type or another default.
//!
//! A type changes what is stored: each row becomes what the table would have stored if it had been
//! declared so. A default changes nothing that is there: rows that are older than the column read
//! it, so that they have to be written with what they read before. Rows that come out as they were
//! are left alone, for the sake of branches that share them. Neighbours: `define` asks for both
//! and fills the indexes; `fill` looks at rows without changing them.

use std::collections::HashSet;

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::rowid_from_key;
use pandodb_ds::record::row::{RowView, encode_row, encode_values};

use super::fill::{BoundWriter, fill_index};
use super::writer::decode;
use super::{RowKey, TableWriter};
use crate::ast::ConflictAction;
use crate::catalog::{IndexColumn, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Outer};
use crate::plan::SourceId;
use crate::types::Datum;

/// Writes the rows that are older than the column at `position` with what they read in it.
pub(crate) fn fill_missing(table: &Table, position: usize, outer: Outer<'_>) -> Result<()> {
    let source = SourceId(table.database.0);
    let mut cursor = outer.context.cursor(source, table.tree)?;
    let mut found = cursor.first()?;
    while found {
        outer.context.tick()?;
        let stored = cursor.value()?;
        if RowView::new(stored)?.len() <= position {
            let mut bytes = Vec::new();
            encode_values(&decode(table, stored)?, &mut bytes)?;
            let mut transaction = outer.context.transaction(source)?.borrow_mut();
            transaction.put_later(table.tree, cursor.key(), &bytes)?;
        }
        found = cursor.next()?;
    }
    Ok(())
}

/// Writes the rows of a table, which `older` describes, as the bound one stores them, whose column
/// `index`, which is in no key that rows are stored by, has another type. The indexes are left to
/// the caller.
pub(crate) fn store_anew(
    bound: &BoundWriter,
    older: &Table,
    index: usize,
    outer: Outer<'_>,
) -> Result<()> {
    let writer = &bound.writer;
    let table = &writer.table;
    let mut frame = Frame::new(bound.layout);
    let mut cursor = outer.context.cursor(writer.source, older.tree)?;
    let mut found = cursor.first()?;
    while found {
        outer.context.tick()?;
        let stored = cursor.value()?;
        let key = row_key(table, cursor.key())?;
        convert(writer, older, index, (&key, stored), &mut frame, outer)
            .map_err(|error| named(error, writer, older, (&key, stored)))?;
        let bytes = writer.encode(&frame)?;
        if bytes != as_read(table, stored)? {
            let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
            transaction.put_later(table.tree, &key.bytes(), &bytes)?;
        }
        found = cursor.next()?;
    }
    Ok(())
}

/// Fills the index at `place`, which is empty, from rows that were stored anew.
pub(crate) fn index_anew(bound: &BoundWriter, place: usize, outer: Outer<'_>) -> Result<()> {
    if !fill_index(bound, place, false, outer)? {
        return Ok(());
    }
    let writer = &bound.writer;
    let table = &writer.table;
    let Some(index) = writer.indexes.get(place) else { return Ok(()) };
    let error = writer.duplicate_entry(&index.index);
    let mut frame = Frame::new(bound.layout);
    let mut known = HashSet::new();
    let mut cursor = outer.context.cursor(writer.source, table.tree)?;
    let mut found = cursor.first()?;
    while found {
        outer.context.tick()?;
        let stored = cursor.value()?;
        let key = row_key(table, cursor.key())?;
        writer.load(&key, decode(table, stored)?, &mut frame, outer)?;
        writer.fill_alias(&mut frame);
        if let Some(entry) = index.entry(&key.bytes(), &frame, outer)?
            && !entry.has_null
            && !known.insert(index.group_key(&frame, outer)?)
        {
            return Err(named(error, writer, table, (&key, stored)));
        }
        found = cursor.next()?;
    }
    Err(error)
}

fn row_key(table: &Table, key: &[u8]) -> Result<RowKey> {
    if table.has_rowid() {
        return Ok(RowKey::Rowid(rowid_from_key(key)?));
    }
    Ok(RowKey::Bytes(key.to_vec()))
}

/// Puts a row into the row slot as the table stores it now, and looks at what it has to satisfy.
fn convert(
    writer: &TableWriter,
    older: &Table,
    index: usize,
    (key, stored): (&RowKey, &[u8]),
    frame: &mut Frame,
    outer: Outer<'_>,
) -> Result<()> {
    let mut values = decode(older, stored)?;
    let column = &writer.table.columns[index];
    if column.generated.is_none()
        && let Some(value) = values.get_mut(column.position)
    {
        *value = writer.convert(index, Datum::from(std::mem::take(value)))?;
    }
    frame.slot_mut(writer.row).set_values(key.rowid(), values);
    writer.fill_alias(frame);
    let mut refused = writer.generate(frame, outer)?;
    writer.check_row(Some(ConflictAction::Abort), &[], &mut refused, frame, outer)?;
    refused.map_or(Ok(()), Err)
}

/// The stored form of what the table reads of a stored row.
fn as_read(table: &Table, stored: &[u8]) -> Result<Vec<u8>> {
    let view = RowView::new(stored)?;
    let mut values: Vec<ValueRef<'_>> = view.columns().collect::<Result<_, _>>()?;
    for position in values.len()..table.stored_columns {
        values.push(table.missing_value(position).as_ref());
    }
    let mut bytes = Vec::new();
    encode_row(&values, &mut bytes)?;
    Ok(bytes)
}

/// The error of a row that does not fit, with what the row is called by.
fn named(
    error: Error,
    writer: &TableWriter,
    older: &Table,
    (key, stored): (&RowKey, &[u8]),
) -> Error {
    if !matches!(error.kind(), ErrorKind::Constraint(_)) {
        return error;
    }
    let table = &writer.table.name;
    let row = match (key, decode(older, stored)) {
        (RowKey::Bytes(_), Ok(values)) => {
            let places = older.key_columns().iter().filter_map(IndexColumn::column);
            let values = places.filter_map(|place| values.get(older.columns[place].position));
            let said = values.map(|value| crate::function::literal(value.as_ref()));
            let said = said.map(|text| String::from_utf8_lossy(&text).into_owned());
            said.collect::<Vec<_>>().join(", ")
        }
        _ => key.rowid().to_string(),
    };
    let message = format!("{}, in row {row} of {table}", error.message());
    error.renamed(message).with_hint("change or delete the row first; nothing was changed")
}
