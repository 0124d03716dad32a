//! Rows that wait in files for their turn, by the hashes of their keys.
//!
//! When a hash table may not grow any more, rows with keys that it does not know are put aside
//! into one of several files; afterwards each file is worked on as if it were the input, with a
//! table of its own. Neighbours: `aggregate` and `distinct` put rows aside.

use std::hash::Hasher;

use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::record::{Collation, ValueRef};
use rustc_hash::FxHasher;
use smallvec::SmallVec;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use crate::execute::batch::expression::Column;
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::vector::Vector;
use crate::execute::memory::{SpillFile, SpillReader};
use crate::execute::push_group_key;
use crate::plan::Node;

/// How many files rows are put aside into.
const FILES: usize = 16;

/// How often rows are put aside again: then a table grows whatever it takes.
const DEPTH_MAX: u32 = 6;

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

/// Files of rows that were put aside.
#[derive(Debug)]
pub(in crate::execute::batch) struct Partitions {
    files: Vec<SpillFile>,
    depth: u32,
}

impl Partitions {
    /// Whether rows that were put aside `depth` times may be put aside once more.
    pub(in crate::execute::batch) fn may_be_made(depth: u32) -> bool {
        depth < DEPTH_MAX
    }

    pub(in crate::execute::batch) fn create(depth: u32, run: &Run<'_>) -> Result<Self> {
        let files = (0..FILES).map(|_| SpillFile::create(run.outer.context));
        Ok(Self { files: files.collect::<Result<_>>()?, depth })
    }

    /// Puts some rows aside: their columns `numbers`.
    pub(in crate::execute::batch) fn put(
        &mut self,
        (keys, collations): (&[Column], &[Collation]),
        batch: &Batch,
        rows: &[u32],
        numbers: &[usize],
    ) -> Result<()> {
        let (mut key, mut entry) = (Vec::new(), Vec::new());
        for &row in rows {
            let row = row as usize;
            key.clear();
            for (column, collation) in keys.iter().zip(collations) {
                push_group_key(column.get(row), *collation, &mut key)?;
            }
            let mut hasher = FxHasher::default();
            hasher.write_u32(self.depth);
            hasher.write(&key);
            let mut values: SmallVec<[ValueRef<'_>; 16]> = SmallVec::new();
            for number in numbers {
                values.push(batch.value(*number, row)?);
            }
            entry.clear();
            encode_row(&values, &mut entry)?;
            let file = hasher.finish() as usize >> 20 & (FILES - 1);
            self.files[file].write(&[&entry])?;
        }
        Ok(())
    }

    /// Ends putting aside.
    pub(in crate::execute::batch) fn into_readers(self) -> Result<Vec<SpillReader>> {
        self.files.into_iter().map(SpillFile::into_reader).collect()
    }
}

// Neighbours: `aggregate`, `distinct`, `execute::memory`.
