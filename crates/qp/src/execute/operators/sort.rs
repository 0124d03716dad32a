//! ORDER BY: rows are kept with a key whose bytes stand in the order, and sorted by it.
//!
//! With a LIMIT only the first rows are kept: what is greater than the last of them is
//! thrown away at once. Neighbours: `materialize` has the kept rows, `key` the bytes.

use super::materialize::{KeptRow, RowsState};
use super::{OperatorState, limit, state};
use crate::error::Result;
use crate::execute::key::sort_key;
use crate::execute::{Frame, Outer};
use crate::plan::Sort;

/// How many rows more than wanted are gathered before they are sorted and cut.
const SLACK: usize = 1024;

impl Sort {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let wanted = match &self.limit {
            Some((count, offset)) => {
                let (give, skip) = limit::bounds(count, offset.as_ref(), &frame.scope(outer))?;
                give.and_then(|give| usize::try_from(give.saturating_add(skip)).ok())
            }
            None => None,
        };
        self.input.open(frame, outer)?;
        let mut rows: Vec<(Vec<u8>, KeptRow)> = Vec::new();
        let mut bound: Option<Vec<u8>> = None;
        let mut key = Vec::new();
        while wanted != Some(0) && self.input.next(frame, outer)? {
            key.clear();
            sort_key(&self.keys, &frame.scope(outer), &mut key)?;
            if bound.as_ref().is_some_and(|bound| key >= *bound) {
                continue;
            }
            rows.push((key.clone(), KeptRow::of(&self.slots, frame)?));
            if let Some(wanted) = wanted
                && rows.len() >= wanted.saturating_mul(2).saturating_add(SLACK)
            {
                rows.sort_by(|left, right| left.0.cmp(&right.0));
                rows.truncate(wanted);
                bound = rows.last().map(|(key, _)| key.clone());
            }
        }
        rows.sort_by(|left, right| left.0.cmp(&right.0));
        if let Some(wanted) = wanted {
            rows.truncate(wanted);
        }
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        *frame.state_mut(self.state) = OperatorState::Rows(Box::new(RowsState { rows, next: 0 }));
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, _: Outer<'_>) -> Result<bool> {
        let rows = state!(frame, self.state, Rows);
        let Some(row) = rows.rows.get_mut(rows.next) else { return Ok(false) };
        let row = std::mem::take(row);
        rows.next += 1;
        row.put_back(&self.slots, frame);
        Ok(true)
    }
}
