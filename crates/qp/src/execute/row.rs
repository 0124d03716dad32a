//! Slots: places for a current row, whatever it is made of.
//!
//! A row comes straight from a cursor (nothing is copied), or it was kept by a sort or a hash
//! (its record's bytes are), or it is a list of values. Columns have the same numbers in each of
//! them: the positions of the stored row. Neighbours: `scan` fills slots, `frame` holds them.

use pandodb_ds::record::key::{decode_column, rowid_from_key};
use pandodb_ds::record::row::RowView;
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

use super::batch::BatchRow;
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::scalar::ROWID;
use crate::store::Cursor;
use crate::types::Datum;

/// A place for a current row.
#[derive(Debug, Default)]
pub struct Slot {
    /// Every column reads NULL: the row that an outer join makes up.
    pub is_null: bool,
    /// The row.
    pub row: SlotRow,
}

/// What a slot's row is made of.
#[derive(Debug, Default)]
pub enum SlotRow {
    /// Nothing yet.
    #[default]
    Empty,
    /// Where a cursor stands in a table.
    Cursor(Box<CursorRow>),
    /// Where a cursor stands in an index that has all that is read.
    Index(Box<IndexRow>),
    /// A copy of a stored row.
    Record {
        /// Its table, for columns that the row is too old to have.
        table: Arc<Table>,
        /// Its rowid.
        rowid: i64,
        /// Its bytes.
        bytes: Arc<[u8]>,
    },
    /// Values by position, with a rowid.
    Values {
        /// The rowid.
        rowid: i64,
        /// The values.
        values: Vec<Value>,
    },
    /// A row of a batch.
    Batch(Box<BatchRow>),
}

/// A cursor in a table's tree.
#[derive(Debug)]
pub struct CursorRow {
    /// The table.
    pub table: Arc<Table>,
    /// The cursor.
    pub cursor: Cursor,
    /// Its key as a rowid (0 in a table without).
    pub rowid: i64,
}

/// A cursor in an index's tree.
#[derive(Debug)]
pub struct IndexRow {
    /// The table.
    pub table: Arc<Table>,
    /// The index.
    pub index: Arc<crate::catalog::Index>,
    /// The cursor.
    pub cursor: Cursor,
    /// The rowid behind the index's columns.
    pub rowid: i64,
}

/// A row as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct StoredRow<'a> {
    /// Its table, for columns that the row is too old to have.
    pub table: &'a Table,
    /// Its rowid.
    pub rowid: i64,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// A row that was taken out of its slot, to be put back later.
#[derive(Clone, Debug, Default)]
pub enum Kept {
    /// All columns NULL.
    #[default]
    Null,
    /// A stored row.
    Record {
        /// Its table.
        table: Arc<Table>,
        /// Its rowid.
        rowid: i64,
        /// Its bytes.
        bytes: Arc<[u8]>,
    },
    /// Values.
    Values {
        /// The rowid.
        rowid: i64,
        /// The values.
        values: Vec<Value>,
    },
}

impl Slot {
    /// Column `column` of the row.
    #[inline]
    pub fn column(&self, column: u16) -> Result<Datum<'_>> {
        if self.is_null {
            return Ok(Datum::NULL);
        }
        match &self.row {
            SlotRow::Cursor(row) => {
                if column == ROWID {
                    return Ok(Datum::integer(row.rowid));
                }
                stored(&row.table, row.cursor.value()?, column)
            }
            SlotRow::Index(row) => row.column(column),
            SlotRow::Record { table, rowid, bytes } => {
                if column == ROWID {
                    return Ok(Datum::integer(*rowid));
                }
                stored(table, bytes, column)
            }
            SlotRow::Values { rowid, values } => {
                if column == ROWID {
                    return Ok(Datum::integer(*rowid));
                }
                Ok(values.get(usize::from(column)).map_or(Datum::NULL, Datum::from))
            }
            SlotRow::Batch(row) => row.column(column),
            SlotRow::Empty => Ok(Datum::NULL),
        }
    }

    /// The row's stored form; `None` where it has none.
    #[inline]
    pub fn stored_row(&self) -> Result<Option<StoredRow<'_>>> {
        if self.is_null {
            return Ok(None);
        }
        Ok(match &self.row {
            SlotRow::Cursor(row) => {
                Some(StoredRow { table: &row.table, rowid: row.rowid, bytes: row.cursor.value()? })
            }
            SlotRow::Record { table, rowid, bytes } => {
                Some(StoredRow { table, rowid: *rowid, bytes })
            }
            _ => None,
        })
    }

    /// A slot that shows a row of a batch.
    pub(super) fn of_batch(row: BatchRow) -> Self {
        Self { is_null: false, row: SlotRow::Batch(Box::new(row)) }
    }

    /// Goes to another row of the batch that the slot shows.
    #[inline]
    pub(super) fn turn_to(&mut self, row: usize) {
        if let SlotRow::Batch(shown) = &mut self.row {
            shown.turn_to(row);
        }
    }

    /// Forgets the row, and with it every hold on storage.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.is_null = false;
        match &mut self.row {
            SlotRow::Empty => {}
            // Room for as many values again.
            SlotRow::Values { rowid, values } => {
                *rowid = 0;
                values.clear();
            }
            row => *row = SlotRow::Empty,
        }
    }

    /// The row's values, to be overwritten: the slot becomes one of values.
    pub fn values_mut(&mut self) -> &mut Vec<Value> {
        self.is_null = false;
        if !matches!(self.row, SlotRow::Values { .. }) {
            self.row = SlotRow::Values { rowid: 0, values: Vec::new() };
        }
        match &mut self.row {
            SlotRow::Values { values, .. } => values,
            _ => unreachable!("the row was just made one of values"),
        }
    }

    /// Puts values into the slot.
    pub fn set_values(&mut self, rowid: i64, values: Vec<Value>) {
        self.is_null = false;
        self.row = SlotRow::Values { rowid, values };
    }

    /// The rowid of the row; 0 where it has none.
    pub fn rowid(&self) -> i64 {
        match &self.row {
            SlotRow::Cursor(row) => row.rowid,
            SlotRow::Index(row) => row.rowid,
            SlotRow::Record { rowid, .. } | SlotRow::Values { rowid, .. } => *rowid,
            SlotRow::Batch(row) => row.rowid(),
            SlotRow::Empty => 0,
        }
    }

    /// A copy of the row that outlives the cursor's next step.
    pub fn keep(&self) -> Result<Kept> {
        if self.is_null {
            return Ok(Kept::Null);
        }
        Ok(match &self.row {
            SlotRow::Empty => Kept::Null,
            SlotRow::Cursor(row) => Kept::Record {
                table: row.table.clone(),
                rowid: row.rowid,
                bytes: Arc::from(row.cursor.value()?),
            },
            SlotRow::Index(row) => Kept::Values { rowid: row.rowid, values: row.values()? },
            SlotRow::Record { table, rowid, bytes } => {
                Kept::Record { table: table.clone(), rowid: *rowid, bytes: bytes.clone() }
            }
            SlotRow::Values { rowid, values } => {
                Kept::Values { rowid: *rowid, values: values.clone() }
            }
            SlotRow::Batch(row) if row.is_made_up() => Kept::Null,
            SlotRow::Batch(row) => Kept::Values { rowid: row.rowid(), values: row.values() },
        })
    }

    /// As [`keep`](Self::keep) for a row that nobody reads in the slot any more.
    pub fn take(&mut self) -> Result<Kept> {
        match &mut self.row {
            SlotRow::Values { rowid, values } if !self.is_null => {
                Ok(Kept::Values { rowid: *rowid, values: std::mem::take(values) })
            }
            _ => self.keep(),
        }
    }

    /// Puts a kept row back. A cursor in the slot is lost: who kept rows has read it to its end.
    pub fn restore(&mut self, kept: Kept) {
        self.is_null = false;
        match kept {
            Kept::Null => self.is_null = true,
            Kept::Record { table, rowid, bytes } => {
                self.row = SlotRow::Record { table, rowid, bytes };
            }
            Kept::Values { rowid, values } => self.row = SlotRow::Values { rowid, values },
        }
    }
}

/// Position `column` of the stored row `bytes`.
#[inline]
fn stored<'a>(table: &'a Table, bytes: &'a [u8], column: u16) -> Result<Datum<'a>> {
    match RowView::new(bytes)?.column(usize::from(column))? {
        Some(value) => Ok(Datum::Ref(value)),
        None => Ok(Datum::from(table.missing_value(usize::from(column)))),
    }
}

impl CursorRow {
    /// Reads the rowid of where the cursor stands now.
    #[inline]
    pub fn load_rowid(&mut self) -> Result<()> {
        if self.table.has_rowid() {
            self.rowid = rowid_from_key(self.cursor.key())?;
        }
        Ok(())
    }
}

impl IndexRow {
    /// Reads the rowid behind the index's columns.
    pub fn load_rowid(&mut self) -> Result<()> {
        if self.table.has_rowid() {
            self.rowid = index_rowid(self.cursor.key())?;
        }
        Ok(())
    }

    fn column(&self, column: u16) -> Result<Datum<'_>> {
        if column == ROWID {
            return Ok(Datum::integer(self.rowid));
        }
        let position = usize::from(column);
        let found = self.index.columns.iter().position(|part| {
            part.column().is_some_and(|index| self.table.columns[index].position == position)
        });
        let Some(place) = found else {
            return self.key_column(position);
        };
        self.part(place).map(Datum::Owned)
    }

    /// Part `place` of the index's columns.
    fn part(&self, place: usize) -> Result<Value> {
        let exact = self.cursor.value()?;
        if !exact.is_empty() {
            let value = RowView::new(exact)?.column(place)?.unwrap_or(ValueRef::Null);
            return Ok(value.to_owned());
        }
        let mut key = self.cursor.key();
        let mut scratch = Vec::new();
        for (index, order) in self.index.orders().enumerate() {
            if index == place {
                let (value, _) = decode_column(key, order.descending, false, &mut scratch)?;
                return Ok(value.to_owned());
            }
            let len = pandodb_ds::record::key::skip_column(key, order.descending)?;
            key = key.get(len..).unwrap_or(&[]);
        }
        Ok(Value::Null)
    }

    /// A column that is only in the primary key behind the index's columns.
    fn key_column(&self, position: usize) -> Result<Datum<'_>> {
        let message = format!("index {} has no column at position {position}", self.index.name);
        Err(Error::new(crate::error::ErrorKind::Internal, message))
    }

    /// The row as far as the index knows it.
    fn values(&self) -> Result<Vec<Value>> {
        let mut values = vec![Value::Null; self.table.stored_columns];
        for (place, part) in self.index.columns.iter().enumerate() {
            if let Some(index) = part.column()
                && let Some(value) = values.get_mut(self.table.columns[index].position)
            {
                *value = self.part(place)?;
            }
        }
        Ok(values)
    }
}

/// The rowid at the end of an index entry's key.
pub fn index_rowid(key: &[u8]) -> Result<i64> {
    let start = key.len().saturating_sub(8);
    Ok(rowid_from_key(key.get(start..).unwrap_or(&[]))?)
}
