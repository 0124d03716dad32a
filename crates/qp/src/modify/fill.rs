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
    Ok(BoundWriter { writer, layout: binder.frame().finished()? })
}

/// Binds everything that a new table says, to find its mistakes.
pub fn check_table(environment: &Environment<'_>, table: &Arc<Table>) -> Result<()> {
    bind_writer(environment, table).map(|_| ())
}

/// Puts the rows of the table into its index at `place`, which is empty; where rows are equal that
/// the index keeps apart, that is an error, or (not `is_strict`) what this returns.
pub fn fill_index(
    bound: &BoundWriter,
    place: usize,
    is_strict: bool,
    outer: Outer<'_>,
) -> Result<bool> {
    let writer = &bound.writer;
    let table = &writer.table;
    let Some(index) = writer.indexes.get(place) else { return Ok(false) };
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
                prefixes.push((index.group_key(&frame, outer)?, true));
            }
            entries.push((entry.key, entry.exact));
        }
        found = cursor.next()?;
    }
    prefixes.sort_unstable();
    let are_equal = prefixes.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if are_equal && is_strict {
        return Err(duplicate(writer, place));
    }
    entries.sort_unstable();
    let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
    for (key, value) in entries {
        transaction.put(index.index.tree, &key, &value)?;
    }
    Ok(are_equal)
}

fn duplicate(writer: &TableWriter, place: usize) -> Error {
    match writer.indexes.get(place) {
        Some(index) => writer.duplicate_entry(&index.index),
        None => Error::constraint(Constraint::Unique, &writer.table.name),
    }
}

/// Looks at every row of a table: NOT NULL, CHECK, and (if `full`) its entries in the indexes.
pub fn check_rows(
    bound: &BoundWriter,
    full: bool,
    most: usize,
    outer: Outer<'_>,
    problems: &mut Vec<String>,
) -> Result<()> {
    let writer = &bound.writer;
    let table = &writer.table;
    let mut frame = Frame::new(bound.layout);
    let mut cursor = outer.context.cursor(writer.source, table.tree)?;
    let mut counts = vec![0_u64; writer.indexes.len()];
    let mut number = 0_u64;
    let mut found = cursor.first()?;
    while found && problems.len() < most {
        outer.context.tick()?;
        number += 1;
        let key = if table.has_rowid() {
            RowKey::Rowid(rowid_from_key(cursor.key())?)
        } else {
            RowKey::Bytes(cursor.key().to_vec())
        };
        let values = decode(table, cursor.value()?)?;
        writer.load(&key, values, &mut frame, outer)?;
        writer.fill_alias(&mut frame);
        check_values(writer, &frame, outer, problems)?;
        for (place, index) in writer.indexes.iter().enumerate() {
            let Some(entry) = index.entry(&key.bytes(), &frame, outer)? else { continue };
            counts[place] += 1;
            if !full {
                continue;
            }
            let is_there = {
                let transaction = outer.context.transaction(writer.source)?.borrow();
                transaction.get(index.index.tree, &entry.key)?.as_deref() == Some(&*entry.exact)
            };
            if !is_there {
                let row =
                    if table.has_rowid() { key.rowid().to_string() } else { number.to_string() };
                problems.push(format!("row {row} missing from index {}", index.index.name));
            }
            if index.conflict(writer, Some(&key), &frame, outer)?.is_some() {
                problems.push(format!("non-unique entry in index {}", index.index.name));
            }
        }
        found = cursor.next()?;
    }
    for (place, index) in writer.indexes.iter().enumerate() {
        let transaction = outer.context.transaction(writer.source)?.borrow();
        if problems.len() < most && transaction.len(index.index.tree)? != counts[place] {
            problems.push(format!("wrong # of entries in index {}", index.index.name));
        }
    }
    Ok(())
}

fn check_values(
    writer: &TableWriter,
    frame: &Frame,
    outer: Outer<'_>,
    problems: &mut Vec<String>,
) -> Result<()> {
    let table = &writer.table;
    for (index, column) in table.columns.iter().enumerate() {
        let is_alias = table.rowid_alias() == Some(index);
        let value = frame.slot(writer.row).column(column.position as u16)?;
        if column.not_null.is_some() && !is_alias && value.is_null() {
            problems.push(format!("NULL value in {}.{}", table.name, column.name));
        }
        if let Some(strict) = column.strict_type
            && let Err(found) = strict.accept(value.into_value())
        {
            let declared = column.declared_type.to_ascii_uppercase();
            let name = &column.name;
            problems.push(format!("non-{declared} value in {}.{name} ({found})", table.name));
        }
    }
    for (_, check) in &writer.checks {
        if check.truth(&frame.scope(outer))? == Some(false) {
            problems.push(format!("CHECK constraint failed in {}", table.name));
        }
    }
    Ok(())
}
