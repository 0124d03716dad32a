//! Rows that the row gear makes, gathered into batches.
//!
//! What stands below such an operator may be anything: a loop over an index, a table-valued
//! function, a common table. Neighbours: `program` calls this.

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_BYTES, BATCH_ROWS, Batch};
use crate::execute::batch::vector::Vector;
use crate::plan::Node;
use crate::scalar::SlotId;

/// Which columns of which slots are gathered.
#[derive(Debug)]
pub(in crate::execute::batch) struct Source {
    pub(in crate::execute::batch) columns: Vec<(usize, SlotId, u16)>,
}

/// Where it is.
#[derive(Debug, Default)]
pub(in crate::execute::batch) struct SourceState {
    is_open: bool,
    is_done: bool,
}

impl Source {
    pub(in crate::execute::batch) fn next(
        &self,
        node: &Node,
        state: &mut SourceState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        if !state.is_open {
            node.open(run.frame, run.outer)?;
            state.is_open = true;
        }
        if state.is_done {
            return Ok(None);
        }
        let mut vectors: Vec<Vector> = self.columns.iter().map(|_| Vector::default()).collect();
        let mut rows = 0;
        while rows < BATCH_ROWS {
            if !node.next(run.frame, run.outer)? {
                state.is_done = true;
                break;
            }
            let mut bytes = 0;
            for ((_, slot, column), vector) in self.columns.iter().zip(&mut vectors) {
                vector.push(run.frame.slot(*slot).column(*column)?.as_ref());
                bytes += vector.text_bytes();
            }
            rows += 1;
            if bytes > BATCH_BYTES {
                break;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        let mut batch = Batch::new(rows, run.program.width);
        for ((number, ..), vector) in self.columns.iter().zip(vectors) {
            batch.set(*number, vector);
        }
        Ok(Some(batch))
    }
}

// Neighbours: `scan`, `program`.
