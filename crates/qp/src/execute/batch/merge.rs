//! Sorted rows in files, merged.
//!
//! Each entry of a run is a key whose bytes stand in the order, and the row. Of equal keys the
//! row of the older run comes first. Neighbours: `sort` writes the runs.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::row::RowView;

use super::Run;
use super::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use super::vector::Vector;
use crate::error::Result;
use crate::execute::memory::SpillReader;

/// The next row of a run.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    entry: Vec<u8>,
    /// Where the row begins.
    row: usize,
    run: usize,
}

impl Head {
    fn key(&self) -> &[u8] {
        &self.entry[8..self.row]
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key()).then(self.run.cmp(&other.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Runs that are merged.
#[derive(Debug)]
pub(super) struct Merge {
    runs: Vec<SpillReader>,
    heads: BinaryHeap<Reverse<Head>>,
    columns: usize,
    /// How many rows are still wanted.
    left: Option<usize>,
}

impl Merge {
    pub(super) fn new(
        runs: Vec<SpillReader>,
        columns: usize,
        wanted: Option<usize>,
    ) -> Result<Self> {
        let mut merge = Self { heads: BinaryHeap::new(), columns, left: wanted, runs };
        for run in 0..merge.runs.len() {
            merge.advance(run, Vec::new())?;
        }
        Ok(merge)
    }

    /// Puts the next row of a run among the heads.
    fn advance(&mut self, run: usize, mut entry: Vec<u8>) -> Result<()> {
        if !self.runs[run].read(&mut entry)? {
            return Ok(());
        }
        let length = entry.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes));
        let row = length
            .and_then(|length| usize::try_from(length).ok()?.checked_add(8))
            .filter(|row| *row <= entry.len())
            .ok_or_else(|| pandodb_ds::Error::corrupt("a temporary file was changed"))?;
        self.heads.push(Reverse(Head { entry, row, run }));
        Ok(())
    }

    /// The next rows, their columns under these numbers.
    pub(super) fn give(&mut self, keep: &[usize], run: &Run<'_>) -> Result<Option<Batch>> {
        let mut columns: Vec<Vector> = (0..self.columns).map(|_| Vector::default()).collect();
        let (mut rows, mut bytes) = (0, 0);
        while rows < BATCH_ROWS && bytes < BATCH_BYTES && self.left != Some(0) {
            let Some(Reverse(head)) = self.heads.pop() else { break };
            let mut values = RowView::new(&head.entry[head.row..])?.columns();
            for column in &mut columns {
                column.push(values.next().transpose()?.unwrap_or(ValueRef::Null));
            }
            bytes += head.entry.len();
            rows += 1;
            self.left = self.left.map(|left| left - 1);
            let Head { entry, run, .. } = head;
            self.advance(run, entry)?;
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

// Neighbours: `sort`, `execute::memory`.
