//! Window functions: the rows are sorted by partition and order, and every call is computed for
//! each of them from its frame, a partition at a time.
//!
//! What comes in order is not sorted, and goes on as `stream` has it.
//! Where the statement keeps too much, the sort goes to files, and of a partition its rows, what
//! the calls read of them, and the results; a partition keeps two numbers of each row then.
//! Neighbours: `members` has what calls read of rows, `partition` knows their peers, `bounds`
//! finds frames, `call` computes a function over frames with the states of `moving`; `kept` keeps
//! the rows, `files::rows` the results.

mod bounds;
mod call;
mod members;
mod moving;
mod partition;
mod stream;

use pandodb_ds::record::Value;

use super::kept::RowQueue;
use super::materialize::KeptRow;
use super::sort::{SortState, Sorter};
use super::{OperatorState, not_open};
use crate::error::Result;
use crate::execute::files::rows::{ValueReader, ValueRows};
use crate::execute::key::{group_key, sort_key};
use crate::execute::{Context, Frame, Kept, Outer, Scope};
use crate::plan::WindowNode;
use bounds::Bounds;
use call::{CallRun, Looked};
use members::{Members, no_member, places, read_of};
pub(in crate::execute) use moving::{Moving, RowFrame, Steps};
use partition::Partition;
pub(super) use stream::StreamState;

/// Where a window is.
#[derive(Debug)]
pub struct WindowState {
    /// The rows whose partitions are not computed. Their keys are the bytes of PARTITION BY, then
    /// those of ORDER BY; the last that is kept of each is what the calls read of it, under how
    /// many bytes of the key are the partition's.
    sorted: SortState,
    /// The first of them, if it was looked at.
    ahead: Option<(Vec<u8>, KeptRow)>,
    /// The rows of a partition, and their results.
    rows: RowQueue,
    results: ValueRows,
    reader: ValueReader,
}

/// The rows of a partition, and what its calls read of them.
struct Gathered {
    rows: RowQueue,
    members: Members,
}

impl WindowNode {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        if self.sorted {
            return self.open_stream(frame, outer);
        }
        let state = WindowState {
            sorted: self.sort(frame, outer)?,
            ahead: None,
            rows: RowQueue::default(),
            results: ValueRows::default(),
            reader: ValueReader::default(),
        };
        *frame.state_mut(self.state) = OperatorState::Window(Box::new(state));
        Ok(())
    }

    /// Reads and sorts the whole input.
    fn sort(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<SortState> {
        self.input.open(frame, outer)?;
        let mut sorter = Sorter::default();
        while self.input.next(frame, outer)? {
            outer.context.tick()?;
            let scope = frame.scope(outer);
            let mut key = Vec::new();
            group_key(&self.partition_by, &scope, &mut key)?;
            let partition_bytes = key.len() as i64;
            sort_key(&self.order_by, &scope, &mut key)?;
            let values = read_of(self, &scope)?;
            let mut row = KeptRow::of(&self.slots, frame)?;
            row.0.push(Kept::Values { rowid: partition_bytes, values });
            sorter.push(key, row, outer.context)?;
        }
        sorter.finish(None, outer.context)
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        if self.sorted {
            return self.next_of_stream(frame, outer);
        }
        let OperatorState::Window(mut state) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(not_open(self.state));
        };
        let found = self.advance(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Window(state);
        found
    }

    fn advance(
        &self,
        state: &mut WindowState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        loop {
            if let Some(row) = state.rows.pop(outer.context)? {
                let results = state.results.take_next(&mut state.reader, outer.context)?;
                row.put_back(&self.slots, frame);
                frame.slot_mut(self.output).set_values(0, results.ok_or_else(no_member)?);
                return Ok(true);
            }
            // What the last partition took is given back before the next one comes.
            (state.results, state.reader) = (ValueRows::default(), ValueReader::default());
            let Some(gathered) = state.partition(outer.context)? else { return Ok(false) };
            state.results = self.compute(&gathered, frame, outer)?;
            state.rows = gathered.rows;
        }
    }

    /// The results of all calls over one partition.
    fn compute(
        &self,
        gathered: &Gathered,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<ValueRows> {
        // Bounds with an offset are evaluated on the partition's first row.
        let first = gathered.rows.first().cloned().unwrap_or_default();
        first.put_back(&self.slots, frame);
        let scope = frame.scope(outer);
        let partition = Partition::new(&gathered.members, self.order_by.first(), 0);
        let looked = Looked { partition: &partition, context: outer.context };
        let mut runs = self.runs(&scope)?;
        let mut results = ValueRows::default();
        for row in 0..partition.len() {
            outer.context.tick()?;
            results.push(self.values(&mut runs, row, looked)?, outer.context)?;
        }
        results.finish()?;
        Ok(results)
    }

    /// The calls before the first row of a partition, which is the current one.
    fn runs(&self, scope: &Scope<'_>) -> Result<Vec<CallRun>> {
        let mut runs = Vec::with_capacity(self.calls.len());
        for (call, place) in self.calls.iter().zip(places(self)) {
            runs.push(CallRun::new(call, place, Bounds::evaluate(&call.frame, scope)?)?);
        }
        Ok(runs)
    }

    /// What the calls give for a row.
    fn values(
        &self,
        runs: &mut [CallRun],
        row: usize,
        looked: Looked<'_, '_>,
    ) -> Result<Vec<Value>> {
        let runs = runs.iter_mut().zip(&self.calls);
        runs.map(|(run, call)| run.value(call, row, looked)).collect()
    }
}

impl WindowState {
    fn next_sorted(&mut self, context: &Context<'_>) -> Result<Option<(Vec<u8>, KeptRow)>> {
        match self.ahead.take() {
            Some(row) => Ok(Some(row)),
            None => self.sorted.next_keyed(context),
        }
    }

    /// Takes the rows of the next partition.
    fn partition(&mut self, context: &Context<'_>) -> Result<Option<Gathered>> {
        let mut rows = RowQueue::default();
        let mut members = Members::default();
        // The key of the row before, and how many bytes of it are the partition's.
        let mut before: Option<(Vec<u8>, usize)> = None;
        while let Some((key, mut row)) = self.next_sorted(context)? {
            context.tick()?;
            let Some(Kept::Values { rowid, values }) = row.0.pop() else { return Err(no_member()) };
            let bytes = (rowid as usize).min(key.len());
            if let Some((known, known_bytes)) = &before
                && known[..*known_bytes] != key[..bytes]
            {
                row.0.push(Kept::Values { rowid, values });
                self.ahead = Some((key, row));
                break;
            }
            let is_peer = before.is_some_and(|(known, _)| known == key);
            members.push(values, is_peer, context)?;
            rows.push(row, context)?;
            before = Some((key, bytes));
        }
        rows.finish()?;
        Ok((members.len() > 0).then_some(Gathered { rows, members }))
    }
}
