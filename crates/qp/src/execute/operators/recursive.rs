//! Recursive common tables: a queue of rows, each of which makes further ones.
//!
//! A row leaves the queue, becomes part of the result, and is what the recursive parts see of
//! the table. Without ORDER BY the queue is first in, first out. Rows that wait and keys that were
//! seen go to files when they are too much: the half of the queue that is wanted last as a sorted
//! run, the keys as a file that is asked beside the set. Neighbours: `compound` has the form of the
//! parts, `files::runs` and `files::keyed` the files.

use std::collections::{BTreeMap, VecDeque};

use pandodb_ds::record::Value;
use rustc_hash::FxHashSet;
use smallvec::smallvec;

use super::compound::{keyed_row, values_of};
use super::kept::RowCodec;
use super::materialize::{KeptRow, values_bytes};
use super::{OperatorState, limit, not_open};
use crate::error::Result;
use crate::execute::files::keyed::{KeyFile, KeyWriter};
use crate::execute::files::runs::{RunMerge, write_row};
use crate::execute::key::sort_key;
use crate::execute::memory::{SpillFile, Weight};
use crate::execute::{Context, Frame, HashedRow, Kept, Outer};
use crate::plan::{Arm, Recursive};
use crate::types::Datum;

/// About what a row takes in the queue, or its key in the set, beside its bytes.
const ROW_BYTES: usize = 48;

/// How many rows or keys go to a file at least; with every eighth file it is twice as many.
const FILED_MIN: usize = 16;

/// Where a recursive table is.
#[derive(Debug, Default)]
pub struct RecursiveState {
    queue: Queue,
    arrivals: u64,
    seen: Seen,
    /// The recursive parts have not run for the newest row yet.
    pending: bool,
    skip: u64,
    give: Option<u64>,
}

/// Rows that wait: by sort key, then by arrival.
#[derive(Debug, Default)]
struct Queue {
    /// Rows in the order of their arrivals, while nothing else waits: without ORDER BY and files
    /// these are all.
    line: VecDeque<(u64, Vec<Value>)>,
    rows: BTreeMap<Vec<u8>, Vec<Value>>,
    weight: Weight,
    /// Sorted rows in files, and how many files there were.
    runs: RunMerge,
    files: usize,
}

/// The keys of rows that were there.
#[derive(Debug, Default)]
struct Seen {
    keys: FxHashSet<HashedRow>,
    weight: Weight,
    files: Vec<KeyFile>,
}

/// Whether so many rows are worth a file more.
fn is_worth_a_file(rows: usize, files: usize) -> bool {
    rows >= FILED_MIN << (files / 8).min(32)
}

impl Queue {
    /// Adds a row behind all that wait by their arrival.
    fn push_back(&mut self, arrival: u64, row: Vec<Value>, context: &Context<'_>) -> Result<()> {
        if !self.rows.is_empty() || self.files > 0 {
            return self.push(arrival.to_be_bytes().to_vec(), row, context);
        }
        let bytes = queued_bytes(&arrival.to_be_bytes(), &row);
        let is_too_much = self.weight.add(bytes, context)?;
        self.line.push_back((arrival, row));
        if is_too_much && is_worth_a_file(self.line.len() / 2, self.files) {
            let line = std::mem::take(&mut self.line).into_iter();
            self.rows = line.map(|(place, row)| (place.to_be_bytes().to_vec(), row)).collect();
            self.file_half(context)?;
        }
        Ok(())
    }

    fn push(&mut self, place: Vec<u8>, row: Vec<Value>, context: &Context<'_>) -> Result<()> {
        let is_too_much = self.weight.add(queued_bytes(&place, &row), context)?;
        self.rows.insert(place, row);
        if is_too_much && is_worth_a_file(self.rows.len() / 2, self.files) {
            self.file_half(context)?;
        }
        Ok(())
    }

    /// Moves the rows that are wanted last to a file.
    fn file_half(&mut self, context: &Context<'_>) -> Result<()> {
        let middle = self.rows.keys().nth(self.rows.len() / 2).cloned();
        let last = middle.map(|middle| self.rows.split_off(&middle)).unwrap_or_default();
        let mut file = SpillFile::create(context)?;
        let mut bytes = Vec::new();
        for (place, values) in last {
            self.weight.change(-(queued_bytes(&place, &values) as isize), context)?;
            bytes.clear();
            let row = KeptRow(smallvec![Kept::Values { rowid: 0, values }]);
            RowCodec::default().encode(&row, &mut bytes)?;
            write_row(&mut file, &place, &bytes)?;
        }
        self.files += 1;
        self.runs.add(file.into_reader()?)
    }

    /// The row that is wanted first.
    fn pop(&mut self) -> Result<Option<Vec<Value>>> {
        if let Some((arrival, row)) = self.line.pop_front() {
            self.weight.take_off(queued_bytes(&arrival.to_be_bytes(), &row));
            return Ok(Some(row));
        }
        if self.files > 0
            && let Some(filed) = self.runs.next_key()?
            && self.rows.first_key_value().is_none_or(|(place, _)| filed < place.as_slice())
        {
            let bytes = self.runs.next()?;
            return bytes.map(|bytes| RowCodec::default().decode(bytes).map(values_of)).transpose();
        }
        let Some((place, row)) = self.rows.pop_first() else { return Ok(None) };
        self.weight.take_off(queued_bytes(&place, &row));
        Ok(Some(row))
    }
}

impl Seen {
    /// Whether a key is new; the next time it is not.
    fn ask(&mut self, key: HashedRow, context: &Context<'_>) -> Result<bool> {
        if self.keys.contains(&key) {
            return Ok(false);
        }
        for file in &self.files {
            if file.contains(&key)? {
                return Ok(false);
            }
        }
        let is_too_much = self.weight.add(key.len() + ROW_BYTES, context)?;
        self.keys.insert(key);
        if is_too_much && is_worth_a_file(self.keys.len(), self.files.len()) {
            let mut keys: Vec<HashedRow> = self.keys.drain().collect();
            keys.sort_unstable();
            let mut writer = KeyWriter::new(keys.len(), context)?;
            for key in keys {
                writer.push((&key, 0), context)?;
            }
            self.files.push(writer.finish()?);
            self.weight.clear(context)?;
        }
        Ok(true)
    }
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
            let row = if self.distinct {
                let (key, row) = keyed_row(arm, &self.collations, frame, outer)?;
                if !state.seen.ask(key, outer.context)? {
                    continue;
                }
                row
            } else {
                let scope = frame.scope(outer);
                let values = arm.outputs.iter().map(|output| output.evaluate(&scope));
                values.map(|value| value.map(Datum::into_value)).collect::<Result<_>>()?
            };
            state.arrivals += 1;
            if self.order_by.is_empty() {
                state.queue.push_back(state.arrivals, row, outer.context)?;
                continue;
            }
            let mut order = Vec::new();
            frame.slot_mut(self.slot).set_values(0, row.clone());
            sort_key(&self.order_by, &frame.scope(outer), &mut order)?;
            order.extend_from_slice(&state.arrivals.to_be_bytes());
            state.queue.push(order, row, outer.context)?;
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
            let Some(row) = state.queue.pop()? else { return Ok(false) };
            for slot in [self.row_slot, self.slot] {
                let values = frame.slot_mut(slot).values_mut();
                values.clear();
                values.extend_from_slice(&row);
            }
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
fn queued_bytes(place: &[u8], row: &[Value]) -> usize {
    place.len() + values_bytes(row) + ROW_BYTES
}
