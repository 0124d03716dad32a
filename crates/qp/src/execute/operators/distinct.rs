//! DISTINCT: rows that were there are left out. Of rows that come in the order of some of the
//! columns only those since the last change of these are kept. Neighbours: `compound` for UNION.

use rustc_hash::FxHashSet;

use super::kept::Weight;
use super::{OperatorState, not_open};
use crate::error::Result;
use crate::execute::key::{group_key, push_collated};
use crate::execute::{Frame, HashedRow, Outer};
use crate::plan::Distinct;

/// About what the set takes for a key, beside its bytes.
const ROW_BYTES: usize = 32;

/// The keys of rows that were there.
#[derive(Debug, Default)]
pub struct SeenState {
    rows: FxHashSet<HashedRow>,
    key: Vec<u8>,
    weight: Weight,
    /// The columns that rows come in the order of: those of the row before, and of this one.
    run: (Vec<u8>, Vec<u8>),
}

impl Distinct {
    /// Whether a row differs from the one before it in what rows come in the order of.
    fn begins_run(&self, seen: &mut SeenState, frame: &Frame, outer: Outer<'_>) -> Result<bool> {
        let (before, now) = &mut seen.run;
        now.clear();
        let scope = frame.scope(outer);
        for key in self.sorted.iter().filter_map(|place| self.keys.get(*place)) {
            let value = key.value.evaluate(&scope)?;
            push_collated(value.as_ref(), key.collation, outer.context, now)?;
        }
        // A key is never empty: nothing came before the first row.
        let is_next = before != now;
        std::mem::swap(before, now);
        Ok(is_next)
    }

    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        *frame.state_mut(self.state) = OperatorState::Seen(Box::default());
        self.input.open(frame, outer)
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        while self.input.next(frame, outer)? {
            let OperatorState::Seen(mut seen) = std::mem::take(frame.state_mut(self.state)) else {
                return Err(not_open(self.state));
            };
            seen.key.clear();
            group_key(&self.keys, &frame.scope(outer), &mut seen.key)?;
            let is_run = self.sorted.len() == self.keys.len();
            let is_next = !self.sorted.is_empty() && self.begins_run(&mut seen, frame, outer)?;
            if is_next && !seen.rows.is_empty() {
                seen.rows.clear();
                seen.weight.clear(outer.context)?;
            }
            let is_new = is_next || !is_run && !seen.rows.contains(seen.key.as_slice());
            if is_new && !is_run {
                seen.rows.insert(Box::from(seen.key.as_slice()));
                seen.weight.add(seen.key.len() + ROW_BYTES, outer.context)?;
            }
            *frame.state_mut(self.state) = OperatorState::Seen(seen);
            if is_new {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
