//! Sorted rows in files, merged to batches.
//!
//! Neighbours: `sort` writes the runs, `files::runs` merges them row by row.

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::row::RowView;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use crate::execute::batch::vector::Vector;
use crate::execute::files::runs::RunMerge;
use crate::execute::memory::SpillReader;

/// Runs that are merged.
#[derive(Debug)]
pub(in crate::execute::batch) struct Merge {
    runs: RunMerge,
    columns: usize,
    /// How many rows are still wanted.
    left: Option<usize>,
}

impl Merge {
    pub(in crate::execute::batch) fn new(
        runs: Vec<SpillReader>,
        columns: usize,
        wanted: Option<usize>,
    ) -> Result<Self> {
        Ok(Self { runs: RunMerge::new(runs)?, columns, left: wanted })
    }

    /// The next rows, their columns under these numbers.
    pub(in crate::execute::batch) fn give(
        &mut self,
        keep: &[usize],
        run: &Run<'_>,
    ) -> Result<Option<Batch>> {
        let mut columns: Vec<Vector> = (0..self.columns).map(|_| Vector::default()).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES && self.left != Some(0) {
            let Some(row) = self.runs.next()? else { break };
            let mut values = RowView::new(row)?.columns();
            for column in &mut columns {
                column.push(values.next().transpose()?.unwrap_or(ValueRef::Null));
            }
            bytes += row.len();
            rows += 1;
            self.left = self.left.map(|left| left - 1);
        }
        if rows == 0 {
            return Ok(None);
        }
        run.outer.context.tick_rows(rows)?;
        let mut batch = Batch::new(rows, run.program.width);
        for (number, column) in keep.iter().zip(columns) {
            batch.set(*number, column);
        }
        Ok(Some(batch))
    }
}

// Neighbours: `sort`, `files::runs`.
