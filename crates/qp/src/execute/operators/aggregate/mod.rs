//! GROUP BY and aggregates.
//!
//! Groups are found by hashing their key's bytes and given out in the order of the keys, which
//! is SQLite's. Where rows come in the order of some of the keys, the groups of a run of rows that
//! agree in those are given out before the next run is read. Columns beside the keys are read from
//! a kept row of the group: its first, or the one that the last `min` or `max` took. Neighbours:
//! `making` has the groups, `call` their states, `function` the accumulators.

mod call;
mod making;

use super::OperatorState;
use crate::error::Result;
use crate::execute::key::push_collated;
use crate::execute::{Frame, Outer, Slot};
use crate::plan::Aggregation;
pub(in crate::execute) use call::{CallSets, CallState, group_of};
use making::{Made, Making};

/// All groups.
#[derive(Debug, Default)]
pub struct AggregateState {
    groups: Made,
    /// The run that is read, of an input in order.
    run: Option<Box<Run>>,
}

/// Where the reading of an input in order is.
#[derive(Debug, Default)]
struct Run {
    /// The sorted keys of the run, and those of the row that was read last.
    key: Vec<u8>,
    next_key: Vec<u8>,
    /// The first row of the next run is the current row.
    has_row: bool,
    is_done: bool,
    /// The rows of the input that the groups' own rows stand in for.
    input_rows: Vec<Slot>,
}

impl Aggregation {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        self.input.open(frame, outer)?;
        let mut state = AggregateState::default();
        if self.sorted.is_empty() {
            let mut making = Making::new(self);
            while self.input.next(frame, outer)? {
                making.take(self, frame, outer)?;
            }
            if making.is_empty() && self.keys.is_empty() {
                making.add_group(self, Vec::new(), outer.context)?;
            }
            state.groups = making.finish(self, outer)?;
        } else {
            state.run = Some(Box::default());
        }
        *frame.state_mut(self.state) = OperatorState::Aggregate(Box::new(state));
        Ok(())
    }

    /// Makes the groups of the next run of rows that agree in the sorted keys.
    fn read_run(
        &self,
        state: &mut AggregateState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        let Some(run) = &mut state.run else { return Ok(()) };
        for (slot, row) in self.bare_slots.iter().zip(run.input_rows.drain(..)) {
            *frame.slot_mut(*slot) = row;
        }
        state.groups = Made::default();
        let mut making = Making::new(self);
        while !run.is_done {
            if !std::mem::take(&mut run.has_row) {
                if !self.input.next(frame, outer)? {
                    run.is_done = true;
                    break;
                }
                run.next_key.clear();
                let scope = frame.scope(outer);
                for part in self.sorted.iter().filter_map(|place| self.keys.get(*place)) {
                    let value = part.value.evaluate(&scope)?;
                    let key = &mut run.next_key;
                    push_collated(value.as_ref(), part.collation, outer.context, key)?;
                }
                if run.key != run.next_key {
                    std::mem::swap(&mut run.key, &mut run.next_key);
                    if !making.is_empty() {
                        run.has_row = true;
                        break;
                    }
                }
            }
            making.take(self, frame, outer)?;
        }
        // The groups' rows are shown where the input's are, which goes on from them later.
        let slots = self.bare_slots.iter();
        run.input_rows = slots.map(|slot| std::mem::take(frame.slot_mut(*slot))).collect();
        state.groups = making.finish(self, outer)?;
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let taken = std::mem::take(frame.state_mut(self.state));
        let OperatorState::Aggregate(mut state) = taken else {
            return Err(super::not_open(self.state));
        };
        let found = self.advance(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Aggregate(state);
        found
    }

    fn advance(
        &self,
        state: &mut AggregateState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        if state.groups.next(self, frame, outer)? {
            return Ok(true);
        }
        if state.run.as_ref().is_none_or(|run| run.is_done) {
            return Ok(false);
        }
        self.read_run(state, frame, outer)?;
        state.groups.next(self, frame, outer)
    }
}
