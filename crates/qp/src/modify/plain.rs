//! New rows that nothing watches: from values to the stored form without a row in between.
//!
//! Most rows that are loaded go into a table without triggers, checks and the like. What is left
//! to ask is whether a value is missing and whether the key is taken. Neighbours: `insert` does
//! all other rows and asks here first, `direct` does the same for UPDATE and DELETE.

use pandodb_ds::record::key::{push_column, rowid_key, shown_as_integers};
use pandodb_ds::record::row::encode_row;
use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::constraint::{fail, rowid_of};
use super::{InsertPlan, TableWriter};
use crate::ast::ConflictAction;
use crate::catalog::Index;
use crate::error::{Constraint, Error, Result};
use crate::execute::{Frame, Outer};
use crate::function::RowChange;
use crate::types::{Affinity, Datum, apply_affinity};

impl TableWriter {
    /// Whether a new row needs nothing but its values, and a key that is free.
    pub(super) fn inserts_plainly(&self) -> bool {
        let table = &self.table;
        let is_stored_in_order = table.columns.len() == table.stored_columns
            && table.columns.iter().enumerate().all(|(index, column)| column.position == index);
        let has_own_action = table.primary_key.as_ref().is_some_and(|key| key.conflict.is_some())
            || table.columns.iter().any(|column| column.not_null.flatten().is_some());
        is_stored_in_order
            && !has_own_action
            && table.has_rowid()
            && !table.is_autoincrement()
            && !table.strict
            && self.triggers.is_empty()
            && self.foreign_keys.is_empty()
            && self.generated.is_empty()
            && self.checks.is_empty()
            && self.replacements.is_empty()
            && self.indexes.iter().all(|index| {
                index.unique.is_none() && index.filter.is_none() && !index.index.has_expressions()
            })
    }

    /// A value as a column stores it that is not STRICT.
    fn stored<'v>(&self, index: usize, value: Datum<'v>) -> Datum<'v> {
        let affinity = self.table.columns[index].affinity;
        match apply_affinity(value, affinity) {
            // REAL columns store whole numbers as integers, which have one zero.
            Datum::Ref(ValueRef::Real(0.0)) | Datum::Owned(Value::Real(0.0))
                if affinity == Affinity::Real =>
            {
                Datum::Ref(ValueRef::Real(0.0))
            }
            stored => stored,
        }
    }

    /// What a NULL in a column that has to have a value is.
    fn missing(&self, values: &[Datum<'_>]) -> Option<Error> {
        let alias = self.table.rowid_alias();
        let mut columns = self.table.columns.iter().enumerate().zip(values);
        let ((_, column), _) = columns.find(|((index, column), value)| {
            column.not_null.is_some() && alias != Some(*index) && value.is_null()
        })?;
        let subject = format!("{}.{}", self.table.name, column.name);
        Some(Error::constraint(Constraint::NotNull, subject))
    }
}

impl InsertPlan {
    /// Puts the current row of the input into the table and its indexes.
    pub(super) fn insert_plain(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let mut room = std::mem::take(&mut frame.room);
        let outcome = self.insert_with(&mut room, frame, outer);
        frame.room = room;
        outcome
    }

    fn insert_with(&self, room: &mut Vec<u8>, frame: &Frame, outer: Outer<'_>) -> Result<()> {
        let writer = &*self.writer;
        let table = &*writer.table;
        let alias = table.rowid_alias();
        let scope = frame.scope(outer);
        let mut values: SmallVec<[Datum<'_>; 16]> = SmallVec::new();
        let mut given = Ok(None);
        for (index, expression) in self.values.iter().enumerate() {
            let value = expression.evaluate(&scope)?;
            if alias == Some(index) {
                given = match value.as_ref() {
                    ValueRef::Integer(rowid) => Ok(Some(rowid)),
                    value => rowid_of(&value.to_owned()),
                };
                values.push(Datum::NULL);
            } else {
                values.push(writer.stored(index, value));
            }
        }
        let rowid = match given? {
            Some(rowid) => rowid,
            None => writer.next_rowid(outer)?,
        };
        if let Some(missing) = writer.missing(&values) {
            return Err(fail(missing, ConflictAction::Abort, outer));
        }
        let key = rowid_key(rowid);
        let is_taken = super::checking(writer, outer, || {
            let transaction = outer.context.transaction(writer.source)?.borrow();
            transaction.contains(table.tree, &key)
        })?;
        if is_taken {
            return Err(fail(writer.duplicate_key(), ConflictAction::Abort, outer));
        }
        let mut row: SmallVec<[ValueRef<'_>; 16]> = values.iter().map(Datum::as_ref).collect();
        room.clear();
        encode_row(&row, room)?;
        if let Some(alias) = alias {
            row[alias] = ValueRef::Integer(rowid);
        }
        {
            let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
            transaction.put_later(table.tree, &key, room)?;
        }
        outer.context.session.row_changed(RowChange::Insert, &table.name, rowid);
        for index in &writer.indexes {
            room.clear();
            let exact = entry(&index.index, &row, &key, room)?;
            let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
            let (key, exact) = room.split_at(exact);
            transaction.put_later(index.index.tree, key, exact)?;
        }
        outer.context.counters.last_insert_rowid.set(rowid);
        Ok(())
    }
}

/// Appends a row's entry in an index over columns: its key, then its exact values where the key
/// does not say them; returns where those begin.
fn entry(
    index: &Index,
    row: &[ValueRef<'_>],
    row_key: &[u8],
    entry: &mut Vec<u8>,
) -> Result<usize> {
    let mut parts: SmallVec<[ValueRef<'_>; 4]> = SmallVec::new();
    for column in &index.columns {
        let value = column.column().and_then(|column| row.get(column));
        parts.push(value.copied().unwrap_or_default());
    }
    let mut is_exact = shown_as_integers(&parts) == 0;
    for (value, column) in parts.iter().zip(&index.columns) {
        push_column(*value, column.order(), entry)?;
        is_exact &= !matches!(value, ValueRef::Text(_)) || column.order().is_exact();
    }
    entry.extend_from_slice(row_key);
    let key = entry.len();
    if !is_exact {
        encode_row(&parts, entry)?;
    }
    Ok(key)
}
