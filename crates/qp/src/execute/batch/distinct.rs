//! DISTINCT over batches. Neighbours: `keys` tells rows apart.

use super::Run;
use super::batch::Batch;
use super::expression::Expression;
use super::keys::KeyTable;
use super::program::{Operator, State};
use crate::error::Result;
use crate::plan::Distinct;

/// Leaves out rows that were there.
#[derive(Debug)]
pub(super) struct BatchDistinct {
    pub(super) input: Operator,
    pub(super) keys: Vec<Expression>,
}

/// The rows that were there.
#[derive(Debug)]
pub(super) struct DistinctState {
    pub(super) input: State,
    seen: KeyTable,
}

impl BatchDistinct {
    pub(super) fn open(&self, node: &Distinct, run: &mut Run<'_>) -> Result<DistinctState> {
        Ok(DistinctState { input: self.input.open(&node.input, run)?, seen: KeyTable::default() })
    }

    pub(super) fn next(
        &self,
        node: &Distinct,
        state: &mut DistinctState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        let collations: Vec<_> = node.keys.iter().map(|key| key.collation).collect();
        while let Some(mut batch) = self.input.next(&node.input, &mut state.input, run)? {
            let mut keys = Vec::with_capacity(self.keys.len());
            for key in &self.keys {
                keys.push(key.evaluate(&mut batch, run)?);
            }
            let mut fresh = Vec::new();
            state.seen.assign(&keys, &collations, batch.rows, &mut fresh)?;
            if fresh.len() == batch.rows {
                return Ok(Some(batch));
            }
            if !fresh.is_empty() {
                return Ok(Some(batch.pick(&fresh)));
            }
        }
        Ok(None)
    }
}

// Neighbours: `keys`, `aggregate`.
