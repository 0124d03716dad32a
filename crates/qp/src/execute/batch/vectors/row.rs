//! One row of a batch as the row gear sees it: what a slot holds where a batch ends.
//!
//! Nothing is copied: the slot refers to the batch's vectors and a row number, and moving on is
//! adding one. Neighbours: `batch` has the vectors, `execute::row` the slots.

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::vector::Vector;
use crate::scalar::ROWID;
use crate::types::Datum;

/// Which column of a batch is which column of a slot.
#[derive(Debug, Default)]
pub(in crate::execute::batch) struct SlotMap {
    /// By the slot's column numbers.
    columns: Vec<Option<usize>>,
    rowid: Option<usize>,
}

impl SlotMap {
    /// Makes column `column` of the slot the batch's `number`.
    pub(in crate::execute::batch) fn set(&mut self, column: u16, number: usize) {
        if column == ROWID {
            self.rowid = Some(number);
            return;
        }
        let place = usize::from(column);
        if self.columns.len() <= place {
            self.columns.resize(place + 1, None);
        }
        self.columns[place] = Some(number);
    }
}

/// A row of a batch.
#[derive(Clone, Debug)]
pub struct BatchRow {
    columns: Arc<[Option<Arc<Vector>>]>,
    map: Arc<SlotMap>,
    row: usize,
}

impl BatchRow {
    pub(in crate::execute::batch) fn new(
        columns: Arc<[Option<Arc<Vector>>]>,
        map: Arc<SlotMap>,
    ) -> Self {
        Self { columns, map, row: 0 }
    }

    /// Goes to another row.
    #[inline]
    pub(crate) fn turn_to(&mut self, row: usize) {
        self.row = row;
    }

    fn at(&self, number: Option<usize>) -> Option<ValueRef<'_>> {
        let vector = self.columns.get(number?)?.as_ref()?;
        (self.row < vector.len()).then(|| vector.get(self.row))
    }

    /// Column `column` of the slot.
    #[inline]
    pub(crate) fn column(&self, column: u16) -> Result<Datum<'_>> {
        let number = if column == ROWID {
            self.map.rowid
        } else {
            self.map.columns.get(usize::from(column)).copied().flatten()
        };
        self.at(number).map(Datum::Ref).ok_or_else(|| {
            let message = format!("column {column} of a row is read that its batch does not have");
            Error::new(ErrorKind::Internal, message)
        })
    }

    /// The rowid, 0 where it is not known.
    pub(crate) fn rowid(&self) -> i64 {
        match self.at(self.map.rowid) {
            Some(ValueRef::Integer(rowid)) => rowid,
            _ => 0,
        }
    }

    /// Whether it is the row that an outer join makes up: no other has NULL for a rowid.
    pub(crate) fn is_made_up(&self) -> bool {
        self.at(self.map.rowid).is_some_and(ValueRef::is_null)
    }

    /// What is known of the row.
    pub(crate) fn values(&self) -> Vec<Value> {
        let value =
            |number: &Option<usize>| self.at(*number).map_or(Value::Null, ValueRef::to_owned);
        self.map.columns.iter().map(value).collect()
    }
}

// Neighbours: `batch`, `program`.
