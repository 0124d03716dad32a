//! Window functions: the rows are kept, sorted by partition and order, and every call is
//! computed for each of them from its frame.
//!
//! Neighbours: `partition` knows the rows of one partition and their peers, `bounds` finds
//! frames in it, `call` computes a function over frames; `kept` keeps the rows.

mod bounds;
mod call;
mod partition;

use pandodb_ds::record::Value;

use super::kept::RowStore;
use super::materialize::KeptRow;
use super::{OperatorState, not_open, state};
use crate::error::Result;
use crate::execute::key::{group_key, sort_key};
use crate::execute::memory::Weight;
use crate::execute::{Frame, Outer};
use crate::plan::WindowNode;
use call::Arguments;
use partition::Partition;

/// An input row that waits for its results.
#[derive(Debug)]
struct WaitingRow {
    /// The bytes of PARTITION BY, then those of ORDER BY.
    key: Vec<u8>,
    /// How many of them are the partition's.
    partition_bytes: usize,
    /// The value of the first ORDER BY term, for frames that count in values.
    order_value: Value,
    /// The number under which the row is kept.
    number: usize,
    /// What each call reads of the row.
    arguments: Vec<Arguments>,
}

/// Rows with their results, and the next of them.
#[derive(Debug, Default)]
pub struct WindowState {
    /// The input rows, as they came.
    kept: RowStore,
    /// The number of each, and its results, in the order of the window.
    rows: Vec<(usize, Vec<Value>)>,
    next: usize,
    /// Holds the memory of the results on the statement's account.
    _weight: Weight,
}

impl WindowNode {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let mut kept = RowStore::default();
        let mut waiting = self.gather(&mut kept, frame, outer)?;
        waiting.sort_by(|left, right| left.key.cmp(&right.key));
        let mut rows = Vec::with_capacity(waiting.len());
        let mut weight = Weight::default();
        let mut rest = waiting.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut members = vec![first];
            while let Some(row) =
                rest.next_if(|row| row.partition_key() == members[0].partition_key())
            {
                members.push(row);
            }
            self.compute(members, (&mut kept, &mut weight), frame, outer, &mut rows)?;
        }
        let state = WindowState { kept, rows, next: 0, _weight: weight };
        *frame.state_mut(self.state) = OperatorState::Window(Box::new(state));
        Ok(())
    }

    /// Reads the whole input.
    fn gather(
        &self,
        store: &mut RowStore,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Vec<WaitingRow>> {
        self.input.open(frame, outer)?;
        let mut waiting = Vec::new();
        while self.input.next(frame, outer)? {
            outer.context.tick()?;
            let scope = frame.scope(outer);
            let mut key = Vec::new();
            group_key(&self.partition_by, &scope, &mut key)?;
            let partition_bytes = key.len();
            sort_key(&self.order_by, &scope, &mut key)?;
            let order_value = match self.order_by.first() {
                Some(term) => term.value.evaluate(&scope)?.into_value(),
                None => Value::Null,
            };
            let arguments: Vec<Arguments> = self
                .calls
                .iter()
                .map(|call| Arguments::of(&call.call, &scope))
                .collect::<Result<_>>()?;
            let number = store.len();
            store.push(KeptRow::of(&self.slots, frame)?, outer.context)?;
            // The results are as many values as there are calls.
            let results = self.calls.len() * size_of::<Value>();
            let read: usize = arguments.iter().map(Arguments::memory_bytes).sum();
            let bytes = size_of::<WaitingRow>() + key.len() + read + results;
            store.weigh_also(bytes, outer.context)?;
            waiting.push(WaitingRow { key, partition_bytes, order_value, number, arguments });
        }
        Ok(waiting)
    }

    /// Computes all calls over one partition.
    fn compute(
        &self,
        members: Vec<WaitingRow>,
        (kept, weight): (&mut RowStore, &mut Weight),
        frame: &mut Frame,
        outer: Outer<'_>,
        rows: &mut Vec<(usize, Vec<Value>)>,
    ) -> Result<()> {
        // Bounds with an offset are evaluated on the partition's first row.
        let first = kept.get(members[0].number)?.unwrap_or_default();
        first.put_back(&self.slots, frame);
        let scope = frame.scope(outer);
        let partition = Partition::new(&members, self.order_by.first());
        let mut results = vec![Vec::with_capacity(self.calls.len()); members.len()];
        for (index, call) in self.calls.iter().enumerate() {
            let bounds = bounds::Bounds::evaluate(&call.frame, &scope)?;
            let frames = bounds.frames(&partition, outer.context)?;
            let arguments = |row: usize| &members[row].arguments[index];
            let values =
                call::compute(call, (&partition, &frames), &arguments, weight, outer.context)?;
            for (row, value) in results.iter_mut().zip(values) {
                row.push(value);
            }
        }
        rows.extend(members.into_iter().map(|member| member.number).zip(results));
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, _: Outer<'_>) -> Result<bool> {
        let state = state!(frame, self.state, Window);
        let Some(row) = state.rows.get_mut(state.next) else { return Ok(false) };
        let (number, values) = std::mem::take(row);
        state.next += 1;
        let kept = state.kept.get(number)?.ok_or_else(|| not_open(self.state))?;
        kept.put_back(&self.slots, frame);
        frame.slot_mut(self.output).set_values(0, values);
        Ok(true)
    }
}

impl WaitingRow {
    fn partition_key(&self) -> &[u8] {
        &self.key[..self.partition_bytes]
    }

    fn order_key(&self) -> &[u8] {
        &self.key[self.partition_bytes..]
    }
}
