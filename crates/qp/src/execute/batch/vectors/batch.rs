//! A batch: some rows as vectors, side by side.
//!
//! Every column that a program works with has a number; a batch has a place for each of them
//! and fills only those that are alive where it is. Columns of a table can still be *in their
//! leaves*: they are decoded when they are first asked for, and only for the rows that are left
//! by then. Neighbours: `scan` makes batches of leaves, `row` shows single rows to the row gear.

use pandodb_ds::record::ValueRef;
use pandodb_ds::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::execute::batch::leaves::LeafRows;
use crate::execute::batch::vector::Vector;

/// How many rows a batch has, about; few in tests, so that small tables have many batches.
pub(in crate::execute::batch) const BATCH_ROWS: usize = if cfg!(test) { 16 } else { 1024 };

/// How many bytes of texts end a batch early.
pub(in crate::execute::batch) const BATCH_BYTES: usize = 4 << 20;

/// The columns of a batch, by number.
pub(in crate::execute::batch) type Columns = Vec<Option<Arc<Vector>>>;

/// Rows of a batch that are asked for, some of them several times.
pub(in crate::execute::batch) struct Picked<'a> {
    rows: &'a [u32],
    /// They are all rows of the batch, in their order.
    are_all: bool,
}

impl<'a> Picked<'a> {
    pub(in crate::execute::batch) fn of(rows: &'a [u32], batch: &Batch) -> Self {
        let are_all = rows.len() == batch.rows && (0..).zip(rows).all(|(at, row)| at == *row);
        Self { rows, are_all }
    }
}

/// Some rows.
#[derive(Clone, Debug, Default)]
pub(in crate::execute::batch) struct Batch {
    /// How many.
    pub(in crate::execute::batch) rows: usize,
    pub(in crate::execute::batch) columns: Columns,
    /// Rows whose other columns are in their leaves.
    pub(in crate::execute::batch) leaves: Option<LeafRows>,
}

impl Batch {
    /// Rows without columns yet.
    pub(in crate::execute::batch) fn new(rows: usize, width: usize) -> Self {
        Self { rows, columns: vec![None; width], leaves: None }
    }

    /// Column `number`, decoded now if it was not.
    pub(in crate::execute::batch) fn column(&mut self, number: usize) -> Result<&Arc<Vector>> {
        if self.columns[number].is_none() {
            let Some(leaves) = &self.leaves else { return Err(missing(number)) };
            self.columns[number] = Some(Arc::new(leaves.decode(number)?));
        }
        self.columns[number].as_ref().ok_or_else(|| missing(number))
    }

    /// A column that is there.
    pub(in crate::execute::batch) fn ready(&self, number: usize) -> Result<&Arc<Vector>> {
        self.columns[number].as_ref().ok_or_else(|| missing(number))
    }

    /// Decodes all of these columns.
    pub(in crate::execute::batch) fn force(&mut self, numbers: &[usize]) -> Result<()> {
        if let Some(leaves) = &self.leaves {
            let absent: Vec<usize> =
                numbers.iter().copied().filter(|number| self.columns[*number].is_none()).collect();
            for (number, vector) in absent.iter().zip(leaves.decode_many(&absent)?) {
                self.columns[*number] = Some(Arc::new(vector));
            }
        }
        for number in numbers {
            self.ready(*number)?;
        }
        Ok(())
    }

    /// About how many bytes of memory its columns take.
    pub(in crate::execute::batch) fn memory_bytes(&self) -> usize {
        self.columns.iter().flatten().map(|column| column.memory_bytes()).sum()
    }

    /// Puts a column into its place.
    pub(in crate::execute::batch) fn set(&mut self, number: usize, vector: Vector) {
        debug_assert_eq!(vector.len(), self.rows, "a column has as many values as the batch rows");
        self.columns[number] = Some(Arc::new(vector));
    }

    /// Only these rows, in this order.
    #[must_use]
    pub(in crate::execute::batch) fn pick(&self, rows: &[u32]) -> Self {
        let columns = self
            .columns
            .iter()
            .map(|column| column.as_ref().map(|column| Arc::new(column.gather(rows))))
            .collect();
        let leaves = self.leaves.as_ref().map(|leaves| leaves.pick(rows));
        Self { rows: rows.len(), columns, leaves }
    }

    /// A column that is there, for these rows; the column itself where they are all.
    pub(in crate::execute::batch) fn gathered(
        &self,
        number: usize,
        rows: &Picked<'_>,
    ) -> Option<Arc<Vector>> {
        let column = self.columns[number].as_ref()?;
        Some(if rows.are_all { Arc::clone(column) } else { Arc::new(column.gather(rows.rows)) })
    }

    /// The value of a column that is there.
    #[inline]
    pub(in crate::execute::batch) fn value(
        &self,
        number: usize,
        row: usize,
    ) -> Result<ValueRef<'_>> {
        Ok(self.ready(number)?.get(row))
    }
}

#[cold]
fn missing(number: usize) -> Error {
    Error::new(ErrorKind::Internal, format!("column {number} of a batch was not asked for"))
}

// Neighbours: `vector`, `leaves`.
