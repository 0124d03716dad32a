//! Parts that come in the order of ORDER BY, merged.
//!
//! One row of each part is held, and the least of them is next: what a LIMIT leaves out is not
//! read. Where equal rows are one row, the order goes on through all columns, so that equal rows of
//! all parts meet; whether they are in the result is told by the operators from the left. A part
//! moves on only when another row is asked for. Neighbours: `compound` computes parts that have no
//! order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use pandodb_ds::record::Value;

use crate::ast::CompoundOperator;
use crate::error::Result;
use crate::execute::key::push_sorted;
use crate::execute::{Frame, Outer};
use crate::plan::Compound;

/// Where the parts are.
#[derive(Debug)]
pub(super) struct Merging {
    /// The keys of the rows that are held, with their parts: of equal ones the first part's first.
    heads: BinaryHeap<Reverse<(Vec<u8>, usize)>>,
    /// The rows themselves, by part.
    rows: Vec<Option<Vec<Value>>>,
    /// Parts that have to move on.
    due: Vec<usize>,
    /// The key of the last row; equal ones do not come again where rows are told apart.
    last: Option<Vec<u8>>,
    is_open: bool,
}

impl Merging {
    pub(super) fn new(arms: usize) -> Self {
        Self {
            heads: BinaryHeap::with_capacity(arms),
            rows: vec![None; arms],
            due: (0..arms).collect(),
            last: None,
            is_open: false,
        }
    }

    pub(super) fn next(
        &mut self,
        compound: &Compound,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        if !self.is_open {
            for arm in &compound.arms {
                arm.input.open(frame, outer)?;
            }
            self.is_open = true;
        }
        let is_set = compound.tells_apart();
        loop {
            self.move_on(compound, is_set, frame, outer)?;
            let row = if is_set {
                if !self.may_give(compound) {
                    return Ok(false);
                }
                self.meet(compound)
            } else {
                self.least()
            };
            if let Some(row) = row {
                frame.slot_mut(compound.slot).set_values(0, row);
                return Ok(true);
            }
            if !is_set {
                return Ok(false);
            }
        }
    }

    /// Takes the next rows of the parts whose rows were used.
    fn move_on(
        &mut self,
        compound: &Compound,
        is_set: bool,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        while let Some(place) = self.due.pop() {
            let Some(arm) = compound.arms.get(place) else { continue };
            while arm.input.next(frame, outer)? {
                outer.context.tick()?;
                let scope = frame.scope(outer);
                let mut row = Vec::with_capacity(arm.outputs.len());
                for output in &arm.outputs {
                    row.push(output.evaluate(&scope)?.into_value());
                }
                let mut key = Vec::new();
                for order in &compound.order {
                    let value = row.get(order.column).unwrap_or(&Value::Null);
                    push_sorted(value.as_ref(), order, outer.context, &mut key)?;
                }
                if is_set && self.last.as_ref() == Some(&key) {
                    continue;
                }
                self.rows[place] = Some(row);
                self.heads.push(Reverse((key, place)));
                break;
            }
        }
        Ok(())
    }

    /// The least row; of equal ones that of the first part.
    fn least(&mut self) -> Option<Vec<Value>> {
        let Reverse((_, place)) = self.heads.pop()?;
        self.due.push(place);
        self.rows[place].take()
    }

    /// Whether a row can come any more: a part that is over takes none away, and adds none.
    fn may_give(&self, compound: &Compound) -> bool {
        let has_row = |place: usize| self.rows.get(place).is_some_and(Option::is_some);
        let others = (1..).zip(compound.arms.iter().skip(1));
        others.fold(has_row(0), |left, (place, arm)| match arm.operator {
            CompoundOperator::Union | CompoundOperator::UnionAll => left || has_row(place),
            CompoundOperator::Intersect => left && has_row(place),
            CompoundOperator::Except => left,
        })
    }

    /// What becomes of the rows that are equal to the least one: one row, or none.
    fn meet(&mut self, compound: &Compound) -> Option<Vec<Value>> {
        let Reverse((key, _)) = self.heads.peek()?.clone();
        let before = self.due.len();
        while let Some(Reverse((other, place))) = self.heads.peek()
            && *other == key
        {
            self.due.push(*place);
            self.heads.pop();
        }
        self.last = Some(key);
        let meets = |place: usize| self.due[before..].contains(&place);
        // Of equal rows that of the last part of a UNION stands for all, as in SQLite.
        let others = (1..).zip(compound.arms.iter().skip(1));
        let stands = others.fold(meets(0).then_some(0), |stands, (place, arm)| {
            match (arm.operator, meets(place)) {
                (CompoundOperator::Union, true) => Some(place),
                (CompoundOperator::UnionAll, true) => stands.or(Some(place)),
                (CompoundOperator::Intersect, false) | (CompoundOperator::Except, true) => None,
                _ => stands,
            }
        });
        let row = stands.and_then(|place| self.rows[place].take());
        for place in &self.due[before..] {
            self.rows[*place] = None;
        }
        row
    }
}
