//! DISTINCT: rows that were there are left out. Neighbours: `compound` for UNION.

use rustc_hash::FxHashSet;

use super::kept::Weight;
use super::{OperatorState, not_open};
use crate::error::Result;
use crate::execute::key::group_key;
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
}

impl Distinct {
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
            let is_new = !seen.rows.contains(seen.key.as_slice());
            if is_new {
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
