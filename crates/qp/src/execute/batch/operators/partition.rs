//! Rows of batches that are put aside into files, and batches of what was.
//!
//! Neighbours: `aggregate` and `distinct` put rows aside, `files::partition` has the files.

use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::record::{Collation, ValueRef};
use smallvec::SmallVec;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use crate::execute::batch::expression::Column;
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::vector::Vector;
use crate::execute::files::partition::Partitions;
use crate::execute::memory::SpillReader;
use crate::execute::push_group_key;
use crate::plan::Node;

/// Where rows come from.
pub(in crate::execute::batch) enum Feed<'a> {
    /// An operator.
    Input(&'a Operator, &'a Node, &'a mut State),
    /// Rows that were put aside.
    File(SpillReader),
}

impl Feed<'_> {
    /// The next rows, with the columns `numbers` at least.
    pub(in crate::execute::batch) fn next(
        &mut self,
        numbers: &[usize],
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        match self {
            Self::Input(operator, node, state) => {
                let Some(mut batch) = operator.next(node, state, run)? else { return Ok(None) };
                batch.force(numbers)?;
                Ok(Some(batch))
            }
            Self::File(reader) => read(reader, numbers, run),
        }
    }
}

/// The next rows that were put aside.
pub(in crate::execute::batch) fn read(
    reader: &mut SpillReader,
    numbers: &[usize],
    run: &Run<'_>,
) -> Result<Option<Batch>> {
    let mut columns: Vec<Vector> = numbers.iter().map(|_| Vector::default()).collect();
    let (mut rows, mut bytes) = (0, 0);
    let mut entry = Vec::new();
    while rows < BATCH_ROWS && bytes < BATCH_BYTES && reader.read(&mut entry)? {
        let mut values = RowView::new(&entry)?.columns();
        for column in &mut columns {
            column.push(values.next().transpose()?.unwrap_or(ValueRef::Null));
        }
        rows += 1;
        bytes += entry.len();
    }
    if rows == 0 {
        return Ok(None);
    }
    run.outer.context.tick_rows(rows)?;
    let mut batch = Batch::new(rows, run.program.width);
    for (number, column) in numbers.iter().zip(columns) {
        batch.set(*number, column);
    }
    Ok(Some(batch))
}

/// Puts some rows of a batch aside: their columns `numbers`.
pub(in crate::execute::batch) fn put(
    aside: &mut Partitions,
    (keys, collations): (&[Column], &[Collation]),
    batch: &Batch,
    (rows, numbers): (&[u32], &[usize]),
    run: &Run<'_>,
) -> Result<()> {
    let (mut key, mut entry) = (Vec::new(), Vec::new());
    for &row in rows {
        let row = row as usize;
        key.clear();
        for (column, collation) in keys.iter().zip(collations) {
            push_group_key(column.get(row), *collation, &mut key)?;
        }
        let mut values: SmallVec<[ValueRef<'_>; 16]> = SmallVec::new();
        for number in numbers {
            values.push(batch.value(*number, row)?);
        }
        entry.clear();
        encode_row(&values, &mut entry)?;
        aside.put(&key, &[&entry], run.outer.context)?;
    }
    Ok(())
}

// Neighbours: `aggregate`, `distinct`, `execute::files::partition`.
