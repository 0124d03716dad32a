//! Rows that are kept by a key: an index for one run, of a table that a subquery asks again and
//! again.
//!
//! The first openings only filter, because many subqueries run once or twice; from the third on
//! the rows are in a hash table. Neighbours: `join` hashes the same way, `plan::join` decides.

use super::join::push_join_key;
use super::kept::RowStore;
use super::materialize::KeptRow;
use super::{OperatorState, not_open, state};
use crate::error::Result;
use crate::execute::files::keyed::KeyNumbers;
use crate::execute::{Frame, Outer};
use crate::plan::Lookup;

/// How many openings only filter.
const PATIENCE: u32 = 2;

/// What is kept, and where a look-up is.
#[derive(Debug, Default)]
pub struct LookupState {
    openings: u32,
    is_built: bool,
    numbers: KeyNumbers,
    rows: RowStore,
    /// What is looked for.
    wanted: Vec<u8>,
    /// Nothing is: a part of it is NULL.
    is_null: bool,
    /// The rows that were found, once they are kept, and the next of them.
    found: Vec<u32>,
    next: usize,
    key: Vec<u8>,
}

impl Lookup {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let mut state = match std::mem::take(frame.state_mut(self.state)) {
            OperatorState::Lookup(state) => state,
            _ => Box::default(),
        };
        state.openings = state.openings.saturating_add(1);
        state.next = 0;
        state.is_null = !push_join_key(&self.keys, &mut state.wanted, true, frame, outer)?;
        if !state.is_built && !state.is_null {
            self.input.open(frame, outer)?;
            if state.openings > PATIENCE {
                self.build(&mut state, frame, outer)?;
            }
        }
        state.found.clear();
        if state.is_built && !state.is_null {
            let LookupState { numbers, wanted, found, .. } = &mut *state;
            numbers.find(wanted, found)?;
        }
        *frame.state_mut(self.state) = OperatorState::Lookup(state);
        Ok(())
    }

    fn build(&self, state: &mut LookupState, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        while self.input.next(frame, outer)? {
            if !push_join_key(&self.keys, &mut state.key, false, frame, outer)? {
                continue;
            }
            let number = state.rows.len() as u32;
            state.numbers.add(&state.key, number, outer.context)?;
            state.rows.push(KeptRow::of(&self.slots, frame)?, outer.context)?;
        }
        state.numbers.finish(outer.context)?;
        state.is_built = true;
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        outer.context.tick()?;
        let state = state!(frame, self.state, Lookup);
        if state.is_null {
            return Ok(false);
        }
        if state.is_built {
            let Some(&number) = state.found.get(state.next) else { return Ok(false) };
            state.next += 1;
            let Some(row) = state.rows.get(number as usize)? else {
                return Err(not_open(self.state));
            };
            row.put_back(&self.slots, frame);
            return Ok(true);
        }
        let mut key = std::mem::take(&mut state.key);
        let mut found = false;
        while self.input.next(frame, outer)? {
            let has_key = push_join_key(&self.keys, &mut key, false, frame, outer)?;
            let state = state!(frame, self.state, Lookup);
            if has_key && key == state.wanted {
                found = true;
                break;
            }
        }
        state!(frame, self.state, Lookup).key = key;
        Ok(found)
    }
}
