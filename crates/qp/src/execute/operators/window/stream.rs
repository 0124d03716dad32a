//! Windows over rows that come in the order of the partitions, and of ORDER BY in each.
//!
//! A row's results are given out as soon as all rows are known that its frames and functions look
//! at: at once where these end with the row, at the next group where they end with its peers, with
//! the partition where they need all of it. Rows that wait are in a queue; should that be too much
//! for memory, it goes to a file and the rest of the partition is gathered. What calls read of the
//! rows is kept as long as frames may ask for it. Neighbours: `bounds` says which rows must be
//! known.

use super::bounds::Ahead;
use super::call::{CallRun, Looked};
use super::members::{Members, read_of};
use super::partition::Partition;
use crate::error::Result;
use crate::execute::key::{group_key, sort_key};
use crate::execute::operators::kept::RowQueue;
use crate::execute::operators::materialize::KeptRow;
use crate::execute::operators::{OperatorState, not_open};
use crate::execute::{Frame, Outer, Slot};
use crate::plan::WindowNode;

/// Where a window over ordered rows is.
#[derive(Debug, Default)]
pub struct StreamState {
    /// What the calls read of the partition's rows, as far as they are known.
    members: Members,
    runs: Vec<CallRun>,
    /// Which rows the calls must know.
    ahead: Ahead,
    /// The rows whose results were not given; none where that is the current one.
    waiting: RowQueue,
    /// The first of them, by its number.
    next: usize,
    /// The group of peers that was asked for last.
    recent: usize,
    /// Whether all rows of the partition are known.
    is_whole: bool,
    /// The keys of the partition, and those of ORDER BY of its last row.
    partition: Vec<u8>,
    order: Vec<u8>,
    /// Room for the keys of the current row.
    key: Vec<u8>,
    /// Whether the input's row begins the next partition.
    has_row: bool,
    /// The input's rows while rows that waited are shown in their place: it goes on from them.
    input_rows: Vec<Slot>,
    is_over: bool,
}

impl WindowNode {
    pub(super) fn open_stream(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        self.input.open(frame, outer)?;
        let state = StreamState { is_whole: true, ..StreamState::default() };
        *frame.state_mut(self.state) = OperatorState::Stream(Box::new(state));
        Ok(())
    }

    pub(super) fn next_of_stream(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let OperatorState::Stream(mut state) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(not_open(self.state));
        };
        let found = self.stream(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Stream(state);
        found
    }

    fn stream(&self, state: &mut StreamState, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        while !state.is_known(self) {
            if state.is_whole {
                if state.is_over {
                    return Ok(false);
                }
                state.begin();
            }
            self.read(state, frame, outer)?;
        }
        if let Some(row) = state.waiting.pop(outer.context)? {
            row.put_back(&self.slots, frame);
        }
        let partition = Partition::new(&state.members, self.order_by.first(), state.recent);
        let looked = Looked { partition: &partition, context: outer.context };
        let values = self.values(&mut state.runs, state.next, looked)?;
        state.recent = partition.recent();
        state.next += 1;
        let calls = state.runs.iter().zip(&self.calls);
        let needed = calls.map(|(run, call)| run.needs_from(call, state.next)).min();
        state.members.forget(needed.unwrap_or(state.next).min(state.next), outer.context)?;
        frame.slot_mut(self.output).set_values(0, values);
        Ok(true)
    }

    /// Reads on until the results of the first row that waits can be computed, or the partition
    /// ends.
    fn read(&self, state: &mut StreamState, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        for (slot, row) in self.slots.iter().zip(state.input_rows.drain(..)) {
            *frame.slot_mut(*slot) = row;
        }
        while !state.is_whole {
            if !std::mem::take(&mut state.has_row) {
                if !self.input.next(frame, outer)? {
                    (state.is_whole, state.is_over) = (true, true);
                    break;
                }
                outer.context.tick()?;
                state.key.clear();
                group_key(&self.partition_by, &frame.scope(outer), &mut state.key)?;
                if state.key != state.partition {
                    std::mem::swap(&mut state.key, &mut state.partition);
                    if state.members.len() > 0 {
                        (state.is_whole, state.has_row) = (true, true);
                        break;
                    }
                }
            }
            self.take(state, frame, outer)?;
            let may_stay = state.next + 1 == state.members.len();
            if may_stay && state.is_known(self) {
                // The current row itself is the one whose results are next.
                return Ok(());
            }
            state.waiting.push(KeptRow::of(&self.slots, frame)?, outer.context)?;
            if state.waiting.is_filed() {
                state.ahead = Ahead::PARTITION;
            }
            if state.is_known(self) {
                break;
            }
        }
        if state.is_whole {
            state.waiting.finish()?;
        }
        let slots = self.slots.iter();
        state.input_rows = slots.map(|slot| std::mem::take(frame.slot_mut(*slot))).collect();
        Ok(())
    }

    /// Takes the current row into the partition.
    fn take(&self, state: &mut StreamState, frame: &Frame, outer: Outer<'_>) -> Result<()> {
        let scope = frame.scope(outer);
        if state.members.len() == 0 {
            // Bounds with an offset are evaluated on the partition's first row.
            state.runs = self.runs(&scope)?;
            let calls = state.runs.iter().zip(&self.calls);
            state.ahead =
                calls.map(|(run, call)| run.ahead(call)).fold(Ahead::default(), Ahead::and);
        }
        state.key.clear();
        sort_key(&self.order_by, &scope, &mut state.key)?;
        let is_peer = state.members.len() > 0 && state.key == state.order;
        std::mem::swap(&mut state.key, &mut state.order);
        state.members.push(read_of(self, &scope)?, is_peer, outer.context)
    }
}

impl StreamState {
    /// Whether the next row's results can be computed.
    fn is_known(&mut self, node: &WindowNode) -> bool {
        if self.is_whole {
            return self.next < self.members.len();
        }
        let partition = Partition::new(&self.members, node.order_by.first(), self.recent);
        let is_there = self.next < self.members.len() && self.ahead.is_there(self.next, &partition);
        self.recent = partition.recent();
        is_there
    }

    /// Forgets a partition, before the next one.
    fn begin(&mut self) {
        self.members = Members::default();
        self.runs.clear();
        self.waiting = RowQueue::default();
        (self.next, self.recent, self.is_whole) = (0, 0, false);
    }
}
