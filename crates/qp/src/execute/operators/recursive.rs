//! Recursive common tables: a queue of rows, each of which makes further ones.
//!
//! A row leaves the queue, becomes part of the result, and is what the recursive parts see of
//! the table. Without ORDER BY the queue is first in, first out. Neighbours: `compound` has the
//! form of the parts.

use std::collections::BTreeMap;

use pandodb_ds::record::Value;
use rustc_hash::FxHashSet;

use super::compound::keyed_row;
use super::kept::Weight;
use super::materialize::values_bytes;
use super::{OperatorState, limit, not_open};
use crate::error::Result;
use crate::execute::key::sort_key;
use crate::execute::{Frame, HashedRow, Outer};
use crate::plan::{Arm, Recursive};

/// About what a row takes in the queue, or its key in the set, beside its bytes.
const ROW_BYTES: usize = 32;

/// Where a recursive table is.
#[derive(Debug, Default)]
pub struct RecursiveState {
    /// Rows that wait: by sort key, then by arrival.
    queue: BTreeMap<(Vec<u8>, u64), Vec<Value>>,
    arrivals: u64,
    seen: FxHashSet<HashedRow>,
    /// Holds the memory of the queue and the set on the statement's account.
    weight: Weight,
    /// The recursive parts have not run for the newest row yet.
    pending: bool,
    skip: u64,
    give: Option<u64>,
}

impl Recursive {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let mut state = Box::new(RecursiveState::default());
        if let Some((count, offset)) = &self.limit {
            (state.give, state.skip) = limit::bounds(count, offset.as_ref(), &frame.scope(outer))?;
        }
        for arm in &self.initial {
            self.take(arm, &mut state, frame, outer)?;
        }
        *frame.state_mut(self.state) = OperatorState::Recursive(state);
        Ok(())
    }

    /// Runs a part and puts its rows into the queue.
    fn take(
        &self,
        arm: &Arm,
        state: &mut RecursiveState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        arm.input.open(frame, outer)?;
        while arm.input.next(frame, outer)? {
            outer.context.tick()?;
            let (key, row) = keyed_row(arm, &self.collations, frame, outer)?;
            if self.distinct {
                let bytes = key.len() + ROW_BYTES;
                if !state.seen.insert(key) {
                    continue;
                }
                state.weight.add(bytes, outer.context)?;
            }
            let mut order = Vec::new();
            if !self.order_by.is_empty() {
                frame.slot_mut(self.slot).set_values(0, row.clone());
                sort_key(&self.order_by, &frame.scope(outer), &mut order)?;
            }
            state.arrivals += 1;
            state.weight.add(queued_bytes(&order, &row), outer.context)?;
            state.queue.insert((order, state.arrivals), row);
        }
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let OperatorState::Recursive(mut state) = std::mem::take(frame.state_mut(self.state))
        else {
            return Err(not_open(self.state));
        };
        let found = self.advance(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Recursive(state);
        found
    }

    fn advance(
        &self,
        state: &mut RecursiveState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        loop {
            if state.give == Some(0) {
                return Ok(false);
            }
            if state.pending {
                state.pending = false;
                for arm in &self.recursive {
                    self.take(arm, state, frame, outer)?;
                }
            }
            let Some(((order, _), row)) = state.queue.pop_first() else { return Ok(false) };
            state.weight.take_off(queued_bytes(&order, &row));
            frame.slot_mut(self.row_slot).set_values(0, row.clone());
            frame.slot_mut(self.slot).set_values(0, row);
            state.pending = true;
            if state.skip > 0 {
                state.skip -= 1;
                continue;
            }
            state.give = state.give.map(|give| give - 1);
            return Ok(true);
        }
    }
}

/// What a row that waits takes.
fn queued_bytes(order: &[u8], row: &[Value]) -> usize {
    order.len() + values_bytes(row) + ROW_BYTES
}
