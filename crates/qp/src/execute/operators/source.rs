//! Rows that come from no tree: VALUES, table-valued functions, counts.
//!
//! Neighbours: `scan` reads trees.

use std::fmt;

use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::{OperatorState, not_open, state};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Outer};
use crate::function::{self, Implementation, TableRows};
use crate::plan::{CountNode, FunctionScan, PragmaScan, Values};
use crate::types::Datum;

/// The rows of a table-valued function.
pub struct FunctionState {
    rows: Box<dyn TableRows>,
    cache: function::Cache,
}

impl fmt::Debug for FunctionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionState").finish_non_exhaustive()
    }
}

impl Values {
    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let position = state!(frame, self.state, Position);
        let Some(row) = self.rows.get(*position) else { return Ok(false) };
        *position += 1;
        outer.context.tick()?;
        let mut values = std::mem::take(frame.slot_mut(self.slot).values_mut());
        values.clear();
        let scope = frame.scope(outer);
        for value in row {
            values.push(value.evaluate(&scope)?.into_value());
        }
        *frame.slot_mut(self.slot).values_mut() = values;
        Ok(true)
    }
}

impl FunctionScan {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let Implementation::Table(table) = &self.function.implementation else {
            let message = format!("{}() is no table-valued function", self.function.name);
            return Err(Error::new(ErrorKind::Internal, message));
        };
        let mut cache = function::Cache::default();
        let rows = {
            let scope = frame.scope(outer);
            let mut arguments: SmallVec<[Datum<'_>; 4]> = SmallVec::new();
            for argument in &self.arguments {
                arguments.push(argument.evaluate(&scope)?);
            }
            let references: SmallVec<[ValueRef<'_>; 4]> =
                arguments.iter().map(Datum::as_ref).collect();
            let mut context = function::Context::new(outer.context.session, &mut cache);
            (table.open)(&mut context, &references)?
        };
        *frame.state_mut(self.state) = OperatorState::Function(FunctionState { rows, cache });
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let Implementation::Table(table) = &self.function.implementation else {
            return Err(not_open(self.state));
        };
        outer.context.tick()?;
        let Frame { slots, states, .. } = frame;
        let OperatorState::Function(state) = &mut states[usize::from(self.state.0)] else {
            return Err(not_open(self.state));
        };
        let mut context = function::Context::new(outer.context.session, &mut state.cache);
        if !state.rows.next(&mut context)? {
            return Ok(false);
        }
        let slot = &mut slots[usize::from(self.slot.0)];
        let mut values = std::mem::take(slot.values_mut());
        values.clear();
        for index in 0..table.columns.len() {
            let is_read = u32::try_from(index).ok().and_then(|index| self.reads.checked_shr(index));
            values.push(match is_read {
                Some(bits) if bits & 1 == 0 => Value::Null,
                _ => state.rows.column(&mut context, index)?,
            });
        }
        slot.set_values(state.rows.row_id(), values);
        Ok(true)
    }
}

impl PragmaScan {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let mut arguments = Vec::with_capacity(self.arguments.len());
        let scope = frame.scope(outer);
        for argument in &self.arguments {
            arguments.push(argument.evaluate(&scope)?.into_value());
        }
        let rows = outer.context.compiler.pragma(&self.name, &arguments)?;
        // The hidden columns hold what it was called with.
        let mut called = arguments.into_iter();
        let called = [(); 2].map(|()| called.next().unwrap_or_default());
        *frame.state_mut(self.state) = OperatorState::Given(rows, called, 0);
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame) -> Result<bool> {
        let OperatorState::Given(rows, called, number) = frame.state_mut(self.state) else {
            return Err(super::not_open(self.state));
        };
        let Some(mut row) = rows.next_row()? else { return Ok(false) };
        row.extend_from_slice(called);
        *number += 1;
        let rowid = *number;
        frame.slot_mut(self.slot).set_values(rowid, row);
        Ok(true)
    }
}

impl CountNode {
    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        if std::mem::replace(state!(frame, self.state, Once), true) {
            return Ok(false);
        }
        let count = self.scan.count(frame, outer)?;
        let values = frame.slot_mut(self.slot).values_mut();
        values.clear();
        values.push(Value::Integer(count as i64));
        Ok(true)
    }
}
