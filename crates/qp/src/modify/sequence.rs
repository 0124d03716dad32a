//! `sqlite_sequence`: the greatest rowid that a table with AUTOINCREMENT ever had.
//!
//! Neighbours: `insert` asks and tells; `define` makes the table.

use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Pager;
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::{rowid_from_key, rowid_key};
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::sync::Arc;

use super::{RowKey, TableWriter};
use crate::catalog::{ObjectId, Table, read_objects_of};
use crate::error::Result;
use crate::execute::Outer;

/// How far the counter of a table is in a version of a database; zero where it has none.
pub fn counter_of(pager: &Arc<Pager>, forest: &Forest, table: ObjectId) -> Result<i64> {
    let (_, objects) = read_objects_of(pager, forest)?;
    let name = objects.iter().find(|row| row.id == table).map(|row| row.name.clone());
    let sequence = objects.iter().find(|row| row.name.eq_ignore_ascii_case(SEQUENCE_TABLE));
    let (Some(name), Some(sequence)) = (name, sequence) else { return Ok(0) };
    if forest.tree(sequence.tree).is_none() {
        return Ok(0);
    }
    let mut cursor = forest.cursor(pager, sequence.tree)?;
    let mut found = cursor.first()?;
    while found {
        let stored = cursor.value()?.unwrap_or_default();
        let row = RowView::new(&stored)?;
        if let (Some(ValueRef::Text(known)), Some(ValueRef::Integer(number))) =
            (row.column(0)?, row.column(1)?)
            && known.eq_ignore_ascii_case(name.as_bytes())
        {
            return Ok(number);
        }
        found = cursor.next()?;
    }
    Ok(0)
}

/// The name of the table.
pub const SEQUENCE_TABLE: &str = "sqlite_sequence";

impl TableWriter {
    fn sequence_table(&self, outer: Outer<'_>) -> Option<Arc<Table>> {
        if !self.table.is_autoincrement() {
            return None;
        }
        let schema = outer.context.schema(self.table.database)?;
        schema.table(SEQUENCE_TABLE).cloned()
    }

    /// The row of this table: its rowid and the number.
    fn sequence_row(&self, outer: Outer<'_>) -> Result<Option<(i64, i64)>> {
        let Some(table) = self.sequence_table(outer) else { return Ok(None) };
        let mut cursor = outer.context.cursor(self.source, table.tree)?;
        let mut found = cursor.first()?;
        while found {
            let row = RowView::new(cursor.value()?)?;
            if let Some(ValueRef::Text(name)) = row.column(0)?
                && name.eq_ignore_ascii_case(self.table.name.as_bytes())
            {
                let number = match row.column(1)? {
                    Some(ValueRef::Integer(number)) => number,
                    _ => 0,
                };
                return Ok(Some((rowid_from_key(cursor.key())?, number)));
            }
            found = cursor.next()?;
        }
        Ok(None)
    }

    /// The greatest rowid that the table ever had.
    pub(super) fn sequence(&self, outer: Outer<'_>) -> Result<Option<i64>> {
        Ok(self.sequence_row(outer)?.map(|(_, number)| number))
    }

    /// Notes that a row went in.
    pub(super) fn note_sequence(&self, key: &RowKey, outer: Outer<'_>) -> Result<()> {
        let Some(table) = self.sequence_table(outer) else { return Ok(()) };
        let rowid = key.rowid();
        match self.sequence_row(outer)? {
            Some((_, known)) if known >= rowid => return Ok(()),
            _ => outer.context.compiler.note_number(&self.table, rowid)?,
        }
        let place = if let Some((place, _)) = self.sequence_row(outer)? {
            place
        } else {
            let mut cursor = outer.context.cursor(self.source, table.tree)?;
            if cursor.last()? { rowid_from_key(cursor.key())? + 1 } else { 1 }
        };
        let mut row = Vec::new();
        let name = ValueRef::Text(self.table.name.as_bytes());
        encode_row(&[name, ValueRef::Integer(rowid)], &mut row)?;
        let mut transaction = outer.context.transaction(self.source)?.borrow_mut();
        transaction.put(table.tree, &rowid_key(place), &row)
    }

    /// Puts the number back that was noted before a statement that failed.
    pub(super) fn restore_sequence(&self, before: Option<i64>, outer: Outer<'_>) -> Result<()> {
        let Some(table) = self.sequence_table(outer) else { return Ok(()) };
        let Some((place, now)) = self.sequence_row(outer)? else { return Ok(()) };
        if before == Some(now) {
            return Ok(());
        }
        let mut transaction = outer.context.transaction(self.source)?.borrow_mut();
        let Some(number) = before else {
            transaction.delete(table.tree, &rowid_key(place))?;
            return Ok(());
        };
        let mut row = Vec::new();
        let name = ValueRef::Text(self.table.name.as_bytes());
        encode_row(&[name, ValueRef::Integer(number)], &mut row)?;
        transaction.put(table.tree, &rowid_key(place), &row)
    }
}
