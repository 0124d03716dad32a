//! Stored rows, read and written by a table's shape.
//!
//! A row is stored under a key (a rowid, or the columns of the primary key) as its columns by
//! position. Here it becomes one value for each column of the shape in SQL's order: a column
//! that the row is too old for has its missing value, the rowid's alias has the rowid, and a
//! virtual column has NULL, since only SQL can compute it. Neighbours: `diff::source` finds
//! stored rows.

use pandodb_ds::record::key::{push_column, rowid_from_key, rowid_key};
use pandodb_ds::record::row::{RowView, encode_values};
use pandodb_ds::record::{Value, ValueRef};

use super::{ColumnId, KeyColumn, KeyShape, TableShape};
use crate::error::{Error, ErrorKind, Result};

/// One value for each column of a shape.
pub type Row = Vec<Value>;

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its key in its tree.
    pub key: Vec<u8>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A stored row where it is: its cells are read one by one.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a> {
    shape: &'a TableShape,
    alias: Option<ColumnId>,
    key: &'a [u8],
    view: RowView<'a>,
}

impl<'a> Cells<'a> {
    /// The cells of a row that is stored by a shape.
    pub fn new(shape: &'a TableShape, key: &'a [u8], bytes: &'a [u8]) -> Result<Self> {
        Ok(Self { shape, alias: shape.alias(), key, view: RowView::new(bytes)? })
    }

    /// The cell of a column of the shape, by its place among them.
    pub fn cell(&self, index: usize) -> Result<ValueRef<'a>> {
        let column = &self.shape.columns[index];
        if column.is_virtual() {
            return Ok(ValueRef::Null);
        }
        if Some(column.id) == self.alias {
            return Ok(ValueRef::Integer(rowid_from_key(self.key)?));
        }
        let stored = self.view.column(column.position)?;
        Ok(stored.unwrap_or_else(|| column.missing.as_ref()))
    }

    /// What the row is stored under.
    pub fn stored_under(&self) -> &'a [u8] {
        self.key
    }

    /// All cells.
    pub fn to_row(&self) -> Result<Row> {
        let cells = (0..self.shape.columns.len()).map(|index| self.cell(index));
        cells.map(|cell| cell.map(ValueRef::to_owned)).collect()
    }

    /// What people call the row by.
    pub fn key_values(&self) -> Result<Vec<Value>> {
        match &self.shape.key {
            KeyShape::Rowid { .. } => Ok(vec![Value::Integer(rowid_from_key(self.key)?)]),
            KeyShape::Columns(columns) => {
                let cell = |column: &KeyColumn| match self.shape.index_of(column.column) {
                    Some(index) => self.cell(index).map(ValueRef::to_owned),
                    None => Ok(Value::Null),
                };
                columns.iter().map(cell).collect()
            }
        }
    }
}

impl TableShape {
    /// Reads a stored row.
    pub fn decode(&self, key: &[u8], bytes: &[u8]) -> Result<Row> {
        Cells::new(self, key, bytes)?.to_row()
    }

    /// The bytes that store `row`: the rowid's alias and virtual columns are stored as NULL.
    pub fn encode(&self, row: &[Value]) -> Result<Vec<u8>> {
        let alias = self.alias();
        let mut stored = vec![Value::Null; self.stored_columns];
        for (column, value) in self.columns.iter().zip(row) {
            if column.is_virtual() || Some(column.id) == alias {
                continue;
            }
            if let Some(place) = stored.get_mut(column.position) {
                *place = value.clone();
            }
        }
        let mut bytes = Vec::new();
        encode_values(&stored, &mut bytes)?;
        Ok(bytes)
    }

    /// The key that `row` has by its values; an error where the shape says that they do not tell.
    pub fn key_of(&self, row: &[Value]) -> Result<Vec<u8>> {
        match &self.key {
            KeyShape::Columns(columns) => self.key_of_columns(columns, row),
            KeyShape::Rowid { alias: Some(alias), .. } => match self.cell(*alias, row) {
                Some(Value::Integer(rowid)) => Ok(rowid_key(*rowid).to_vec()),
                _ => Err(Error::corrupt(format!("a row of {} has no rowid", self.name))),
            },
            KeyShape::Rowid { alias: None, .. } => {
                let message = format!("rows of {} do not hold their rowid", self.name);
                Err(Error::new(ErrorKind::Limit, message))
            }
        }
    }

    /// The key of `row` by some of its columns.
    pub fn key_of_columns(&self, columns: &[KeyColumn], row: &[Value]) -> Result<Vec<u8>> {
        let mut key = Vec::new();
        for column in columns {
            let value = self.cell(column.column, row).unwrap_or(&Value::Null);
            push_column(value.as_ref(), column.order, &mut key)?;
        }
        Ok(key)
    }

    /// What people call a row by: its rowid, or the values of its primary key.
    pub fn key_values(&self, key: &[u8], row: Option<&[Value]>) -> Result<Vec<Value>> {
        match &self.key {
            KeyShape::Rowid { .. } => Ok(vec![Value::Integer(rowid_from_key(key)?)]),
            KeyShape::Columns(columns) => {
                let cell = |column: &KeyColumn| self.cell(column.column, row?).cloned();
                Ok(columns.iter().map(|column| cell(column).unwrap_or_default()).collect())
            }
        }
    }

    fn cell<'a>(&self, id: ColumnId, row: &'a [Value]) -> Option<&'a Value> {
        row.get(self.index_of(id)?)
    }
}
