//! UNION [ALL], EXCEPT and INTERSECT, grouped from the left.
//!
//! UNION ALL parts are passed through as they come. Everything else keeps rows in a sorted map
//! of their keys, so that results come in the order of the rows, as SQLite's do. Neighbours:
//! `recursive` for recursive tables.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use pandodb_ds::record::{Collation, Value};

use super::kept::Weight;
use super::materialize::values_bytes;
use super::{OperatorState, not_open};
use crate::ast::CompoundOperator;
use crate::error::Result;
use crate::execute::key::push_collated;
use crate::execute::{Frame, HashedRow, Outer};
use crate::plan::{Arm, Compound};

/// Where a compound is.
#[derive(Debug, Default)]
pub struct CompoundState {
    /// The part that is read.
    arm: usize,
    is_open: bool,
    /// The rows of all parts up to the last that is not UNION ALL.
    rows: Option<std::vec::IntoIter<Vec<Value>>>,
    /// Holds their memory on the statement's account.
    weight: Weight,
}

impl Compound {
    /// How many leading parts must be computed as a whole: up to the last that is not UNION ALL.
    fn computed(&self) -> usize {
        let is_set = |arm: &Arm| arm.operator != CompoundOperator::UnionAll;
        self.arms.iter().skip(1).rposition(is_set).map_or(0, |last| last + 2)
    }

    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let computed = self.computed();
        let mut state = CompoundState { arm: computed, ..CompoundState::default() };
        if computed > 0 {
            let rows = self.compute(computed, &mut state.weight, frame, outer)?;
            state.rows = Some(rows.into_iter());
        }
        *frame.state_mut(self.state) = OperatorState::Compound(Box::new(state));
        Ok(())
    }

    fn compute(
        &self,
        arms: usize,
        weight: &mut Weight,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Vec<Vec<Value>>> {
        let mut rows: BTreeMap<HashedRow, Vec<Value>> = BTreeMap::new();
        // Rows of leading UNION ALL parts, until a set operator makes them distinct.
        for (index, arm) in self.arms.iter().take(arms).enumerate() {
            let operator = if index == 0 { CompoundOperator::UnionAll } else { arm.operator };
            let mut part: BTreeMap<HashedRow, Vec<Value>> = BTreeMap::new();
            arm.input.open(frame, outer)?;
            while arm.input.next(frame, outer)? {
                let (key, row) = keyed_row(arm, &self.collations, frame, outer)?;
                match operator {
                    CompoundOperator::Union | CompoundOperator::UnionAll => {
                        if let Entry::Vacant(free) = rows.entry(key) {
                            weight.add(free.key().len() + values_bytes(&row), outer.context)?;
                            free.insert(row);
                        }
                    }
                    CompoundOperator::Except => {
                        rows.remove(&key);
                    }
                    CompoundOperator::Intersect => {
                        if let Some(row) = rows.remove(&key) {
                            part.insert(key, row);
                        }
                    }
                }
            }
            if operator == CompoundOperator::Intersect {
                rows = part;
            }
        }
        Ok(rows.into_values().collect())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let OperatorState::Compound(mut state) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(not_open(self.state));
        };
        let found = self.advance(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Compound(state);
        found
    }

    fn advance(
        &self,
        state: &mut CompoundState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        if let Some(rows) = &mut state.rows {
            if let Some(row) = rows.next() {
                frame.slot_mut(self.slot).set_values(0, row);
                return Ok(true);
            }
            state.rows = None;
        }
        while let Some(arm) = self.arms.get(state.arm) {
            if !state.is_open {
                arm.input.open(frame, outer)?;
                state.is_open = true;
            }
            if arm.input.next(frame, outer)? {
                super::project::compute_into(&arm.outputs, self.slot, frame, outer)?;
                return Ok(true);
            }
            state.arm += 1;
            state.is_open = false;
        }
        Ok(false)
    }
}

/// The current row of a part, with its key.
pub(super) fn keyed_row(
    arm: &Arm,
    collations: &[Collation],
    frame: &Frame,
    outer: Outer<'_>,
) -> Result<(HashedRow, Vec<Value>)> {
    let scope = frame.scope(outer);
    let mut key = Vec::new();
    let mut row = Vec::with_capacity(arm.outputs.len());
    for (index, output) in arm.outputs.iter().enumerate() {
        let value = output.evaluate(&scope)?;
        let collation = collations.get(index).copied().unwrap_or_default();
        push_collated(value.as_ref(), collation, outer.context, &mut key)?;
        row.push(value.into_value());
    }
    Ok((key.into_boxed_slice(), row))
}
