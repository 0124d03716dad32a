//! Rows that are kept: of an input that is read again and again, of a common table.
//!
//! Neighbours: `kept` keeps many of them, `sort` and `join` keep rows in the same form.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use smallvec::SmallVec;

use super::kept::RowStore;
use super::{OperatorState, state};
use crate::error::Result;
use crate::execute::files::rows::{ValueReader, ValueRows};
use crate::execute::{Frame, Kept, Outer};
use crate::plan::{Materialize, Shared, SharedInput};
use crate::scalar::SlotId;

/// The rows of several slots, kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptRow(pub(crate) SmallVec<[Kept; 1]>);

impl KeptRow {
    /// Copies the current rows of `slots`.
    pub(crate) fn of(slots: &[SlotId], frame: &Frame) -> Result<Self> {
        let mut row = SmallVec::with_capacity(slots.len());
        for slot in slots {
            row.push(frame.slot(*slot).keep()?);
        }
        Ok(Self(row))
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let kept = self.0.iter().map(|kept| match kept {
            Kept::Null => 0,
            Kept::Record { bytes, .. } => bytes.len() + size_of::<[usize; 2]>(),
            Kept::Values { values, .. } => values_bytes(values),
        });
        size_of::<Self>() + kept.sum::<usize>()
    }

    /// Makes them the current rows again.
    pub(crate) fn put_back(self, slots: &[SlotId], frame: &mut Frame) {
        for (kept, slot) in self.0.into_iter().zip(slots) {
            frame.slot_mut(*slot).restore(kept);
        }
    }
}

/// Kept rows and the next of them.
#[derive(Debug, Default)]
pub struct RowsState {
    rows: RowStore,
    next: usize,
}

/// Where a reader of a common table is.
#[derive(Debug, Default)]
pub struct SharedState {
    rows: SharedRows,
    reader: ValueReader,
}

/// The rows of a common table that several places read.
pub(in crate::execute) type SharedRows = Arc<ValueRows>;

/// About how many bytes of memory values take.
pub(in crate::execute) fn values_bytes(values: &[Value]) -> usize {
    let texts = values.iter().map(|value| match value {
        Value::Text(bytes) | Value::Blob(bytes) => bytes.len() + size_of::<[usize; 2]>(),
        _ => 0,
    });
    size_of_val(values) + texts.sum::<usize>()
}

impl Materialize {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        if !self.correlated
            && let OperatorState::Rows(rows) = frame.state_mut(self.state)
        {
            rows.next = 0;
            return Ok(());
        }
        self.input.open(frame, outer)?;
        let mut rows = RowStore::default();
        while self.input.next(frame, outer)? {
            rows.push(KeptRow::of(&self.slots, frame)?, outer.context)?;
        }
        *frame.state_mut(self.state) = OperatorState::Rows(Box::new(RowsState { rows, next: 0 }));
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        outer.context.tick()?;
        let rows = state!(frame, self.state, Rows);
        let Some(row) = rows.rows.get(rows.next)? else { return Ok(false) };
        rows.next += 1;
        row.put_back(&self.slots, frame);
        Ok(true)
    }
}

impl Shared {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let run = outer.context.run;
        let number = usize::from(self.plan.number);
        let known = match run.shared.borrow().get(number) {
            Some(Some(rows)) => Some(rows.clone()),
            _ => None,
        };
        let rows = if let Some(rows) = known {
            rows
        } else {
            let rows = self.plan.rows(outer)?;
            let mut all = run.shared.borrow_mut();
            if all.len() <= number {
                all.resize_with(number + 1, || None);
            }
            all[number] = Some(rows.clone());
            rows
        };
        *frame.state_mut(self.state) =
            OperatorState::Shared(Box::new(SharedState { rows, reader: ValueReader::default() }));
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        outer.context.tick()?;
        let shared = state!(frame, self.state, Shared);
        let Some(row) = shared.rows.next(&mut shared.reader, outer.context)? else {
            return Ok(false);
        };
        frame.slot_mut(self.slot).set_values(0, row);
        Ok(true)
    }
}

impl SharedInput {
    /// Makes the rows.
    fn rows(&self, outer: Outer<'_>) -> Result<SharedRows> {
        let context = outer.context;
        let mut frame = Frame::new(self.plan.layout);
        let outer = Outer { context, scope: None };
        let mut rows = ValueRows::default();
        self.plan.root.open(&mut frame, outer)?;
        while self.plan.root.next(&mut frame, outer)? {
            let scope = frame.scope(outer);
            let mut row = Vec::with_capacity(self.plan.outputs.len());
            for output in &self.plan.outputs {
                row.push(output.evaluate(&scope)?.into_value());
            }
            rows.push(row, context)?;
        }
        rows.finish()?;
        Ok(Arc::new(rows))
    }
}
