//! Sorted rows in files, merged.
//!
//! Each entry of a run is a key whose bytes stand in the order, and the row. Of equal keys the
//! row of the older run comes first, so that a sort by runs is as stable as one in memory. Both
//! gears sort so; what the bytes of a row are is their own business.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::error::Result;
use crate::execute::memory::{SpillFile, SpillReader};

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

/// Appends a row to a run that is being written; rows come in their order.
pub(in crate::execute) fn write_row(run: &mut SpillFile, key: &[u8], row: &[u8]) -> Result<()> {
    run.write(&[&(key.len() as u64).to_le_bytes(), key, row])
}

/// Runs that are merged, the oldest first.
#[derive(Debug, Default)]
pub(in crate::execute) struct RunMerge {
    /// None where a run is at its end, and its file gone.
    runs: Vec<Option<SpillReader>>,
    heads: BinaryHeap<Reverse<Head>>,
    /// The run that gave the last row, and room for its next one.
    given: Option<(usize, Vec<u8>)>,
}

impl RunMerge {
    pub(in crate::execute) fn new(runs: Vec<SpillReader>) -> Result<Self> {
        let mut merge = Self::default();
        let count = runs.len();
        for mut run in runs {
            run.share_with(count);
            merge.add(run)?;
        }
        Ok(merge)
    }

    /// Adds a run, the newest, of rows that stand behind all that were given.
    pub(in crate::execute) fn add(&mut self, run: SpillReader) -> Result<()> {
        self.runs.push(Some(run));
        self.advance(self.runs.len() - 1, Vec::new())
    }

    /// The key of the next row.
    pub(in crate::execute) fn next_key(&mut self) -> Result<Option<&[u8]>> {
        if let Some((run, entry)) = self.given.take() {
            self.advance(run, entry)?;
        }
        Ok(self.heads.peek().map(|Reverse(head)| head.key()))
    }

    /// Puts the next row of a run among the heads.
    fn advance(&mut self, run: usize, mut entry: Vec<u8>) -> Result<()> {
        let Some(reader) = &mut self.runs[run] else { return Ok(()) };
        if !reader.read(&mut entry)? {
            self.runs[run] = None;
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

    /// The bytes of the next row.
    pub(in crate::execute) fn next(&mut self) -> Result<Option<&[u8]>> {
        if let Some((run, entry)) = self.given.take() {
            self.advance(run, entry)?;
        }
        let Some(Reverse(Head { entry, row, run })) = self.heads.pop() else { return Ok(None) };
        let (_, entry) = self.given.insert((run, entry));
        Ok(Some(&entry[row..]))
    }
}

// Neighbours: `memory` has the files, `operators::sort` and `batch::sort` write the runs.
