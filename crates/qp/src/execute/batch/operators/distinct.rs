//! DISTINCT over batches.
//!
//! When the keys take too much memory, rows with keys that are not known are put aside into
//! files and looked at afterwards. Neighbours: `keys` tells rows apart, `partition` puts them
//! aside.

use pandodb_ds::record::Collation;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::aggregate::other_rows;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::expression::{Column, Expression};
use crate::execute::batch::keys::{KeyTable, NONE};
use crate::execute::batch::partition::{Feed, put, read};
use crate::execute::batch::program::{Operator, State};
use crate::execute::files::partition::{Partitions, Waiting, may_be_divided};
use crate::execute::memory::Charge;
use crate::plan::Distinct;

/// Leaves out rows that were there.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchDistinct {
    pub(in crate::execute::batch) input: Operator,
    pub(in crate::execute::batch) keys: Vec<Expression>,
    /// Columns that are read of each row, here and above.
    pub(in crate::execute::batch) reads: Vec<usize>,
}

/// The rows that were there.
#[derive(Debug)]
pub(in crate::execute::batch) struct DistinctState {
    pub(in crate::execute::batch) input: State,
    seen: KeyTable,
    charge: Charge,
    /// Rows that are being put aside.
    aside: Option<Partitions>,
    /// The file that is being read, and how often its rows were put aside.
    file: Option<Waiting>,
    waiting: Vec<Waiting>,
}

impl BatchDistinct {
    pub(in crate::execute::batch) fn open(
        &self,
        node: &Distinct,
        run: &mut Run<'_>,
    ) -> Result<DistinctState> {
        Ok(DistinctState {
            input: self.input.open(&node.input, run)?,
            seen: KeyTable::default(),
            charge: run.outer.context.run.memory().charge(),
            aside: None,
            file: None,
            waiting: Vec::new(),
        })
    }

    pub(in crate::execute::batch) fn next(
        &self,
        node: &Distinct,
        state: &mut DistinctState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        let collations: Vec<Collation> = node.keys.iter().map(|key| key.collation).collect();
        loop {
            let found = match &mut state.file {
                None => Feed::Input(&self.input, &node.input, &mut state.input)
                    .next(&self.reads, run)?,
                Some((reader, _)) => read(reader, &self.reads, run)?,
            };
            let Some(mut batch) = found else {
                if !state.turn()? {
                    return Ok(None);
                }
                continue;
            };
            let mut keys = Vec::with_capacity(self.keys.len());
            for key in &self.keys {
                keys.push(key.evaluate(&mut batch, run)?);
            }
            if let Some(aside) = &mut state.aside {
                // Known rows were given out; all others wait.
                let known = known_rows(&state.seen, &keys, &collations, batch.rows)?;
                let other = other_rows(&known, batch.rows);
                put(aside, (&keys, &collations), &batch, (&other, &self.reads), run)?;
                continue;
            }
            let mut fresh = Vec::new();
            state.seen.assign(&keys, &collations, batch.rows, &mut fresh)?;
            let depth = state.file.as_ref().map_or(0, |(_, depth)| *depth);
            let settings = run.outer.context.settings;
            if state.charge.set(state.seen.memory_bytes(), settings)?
                && may_be_divided(state.seen.len(), depth)
            {
                state.aside = Some(Partitions::new(depth));
            }
            if fresh.len() == batch.rows {
                return Ok(Some(batch));
            }
            if !fresh.is_empty() {
                return Ok(Some(batch.pick(&fresh)));
            }
        }
    }
}

impl DistinctState {
    /// An input has ended: goes to the next file; whether there is one.
    fn turn(&mut self) -> Result<bool> {
        if let Some(aside) = self.aside.take() {
            self.waiting.extend(aside.into_waiting()?);
        }
        self.file = self.waiting.pop();
        self.seen = KeyTable::default();
        Ok(self.file.is_some())
    }
}

fn known_rows(
    seen: &KeyTable,
    keys: &[Column],
    collations: &[Collation],
    rows: usize,
) -> Result<Vec<u32>> {
    let numbers = seen.find_all(keys, collations, rows)?;
    Ok((0..).zip(numbers).filter(|(_, number)| *number != NONE).map(|(row, _)| row).collect())
}

// Neighbours: `keys`, `partition`.
