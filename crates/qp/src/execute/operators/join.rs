//! Joins: a loop inside a loop, or a hash table of the right side.
//!
//! A nested loop opens its right side for each left row, so that the right side can be a search
//! by the left row's values. A hash join reads the right side once; RIGHT and FULL joins are
//! always hash joins (possibly without keys), because only kept rows remember whether they
//! found a partner. Neighbours: `plan::join` chooses, `kept` keeps the right rows.

use super::kept::RowStore;
use super::materialize::KeptRow;
use super::{OperatorState, all_true, not_open, state};
use crate::error::Result;
use crate::execute::files::keyed::KeyNumbers;
use crate::execute::key::push_group_key;
use crate::execute::{Frame, Outer};
use crate::plan::{HashJoin, HashKey, JoinType, NestedLoop};
use crate::scalar::SlotId;
use crate::types::{Affinity, apply_affinity};

/// Where a nested loop is.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoopState {
    /// A left row is there and the right side open.
    inside: bool,
    /// The left row found a partner.
    matched: bool,
}

/// Where a hash join is.
#[derive(Debug, Default)]
pub struct HashState {
    /// The numbers of right rows by their keys.
    numbers: KeyNumbers,
    rows: RowStore,
    /// Which right rows found a partner.
    matched: Vec<bool>,
    /// The left row's candidates and the next of them.
    candidates: Vec<u32>,
    next: usize,
    inside: bool,
    left_matched: bool,
    /// The left side is through: the next right row to look at.
    rest: Option<usize>,
    key: Vec<u8>,
}

/// Makes all columns of the slots NULL.
fn make_null(slots: &[SlotId], frame: &mut Frame) {
    for slot in slots {
        frame.slot_mut(*slot).is_null = true;
    }
}

/// Makes the key of one side's current row; false where a part is NULL, which joins nothing.
pub(super) fn push_join_key(
    keys: &[HashKey],
    key: &mut Vec<u8>,
    left: bool,
    frame: &Frame,
    outer: Outer<'_>,
) -> Result<bool> {
    key.clear();
    let scope = frame.scope(outer);
    for part in keys {
        let side = if left { &part.left } else { &part.right };
        let mut value = side.evaluate(&scope)?;
        if value.is_null() {
            return Ok(false);
        }
        if part.rule.affinity >= Affinity::Text {
            value = apply_affinity(value, part.rule.affinity);
        }
        push_group_key(value.as_ref(), part.rule.collation, key)?;
    }
    Ok(true)
}

impl NestedLoop {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        *frame.state_mut(self.state) = OperatorState::Loop(LoopState::default());
        self.left.open(frame, outer)
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        loop {
            let LoopState { inside, matched } = *state!(frame, self.state, Loop);
            if !inside {
                if !self.left.next(frame, outer)? {
                    return Ok(false);
                }
                self.right.open(frame, outer)?;
                *state!(frame, self.state, Loop) = LoopState { inside: true, matched: false };
                continue;
            }
            if !self.right.next(frame, outer)? {
                state!(frame, self.state, Loop).inside = false;
                let alone = !matched && matches!(self.kind, JoinType::Left | JoinType::Anti);
                if alone {
                    make_null(&self.right_slots, frame);
                    return Ok(true);
                }
                continue;
            }
            if !all_true(&self.on, frame, outer)? {
                continue;
            }
            let state = state!(frame, self.state, Loop);
            state.matched = true;
            match self.kind {
                JoinType::Semi => {
                    state.inside = false;
                    return Ok(true);
                }
                JoinType::Anti => state.inside = false,
                _ => return Ok(true),
            }
        }
    }
}

impl HashJoin {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let mut state = Box::new(HashState::default());
        self.right.open(frame, outer)?;
        while self.right.next(frame, outer)? {
            let has_key = self.push_key(&mut state.key, false, frame, outer)?;
            let number = state.rows.len() as u32;
            if has_key {
                state.numbers.add(&state.key, number, outer.context)?;
            } else if !self.keeps_right() {
                continue;
            }
            state.rows.push(KeptRow::of(&self.right_slots, frame)?, outer.context)?;
        }
        state.numbers.finish(outer.context)?;
        state.rows.weigh_also(state.rows.len(), outer.context)?;
        state.matched.resize(state.rows.len(), false);
        *frame.state_mut(self.state) = OperatorState::Hash(state);
        self.left.open(frame, outer)
    }

    fn keeps_right(&self) -> bool {
        matches!(self.kind, JoinType::Right | JoinType::Full)
    }

    /// Makes the key of one side's current row; false where a part is NULL, which joins nothing.
    fn push_key(
        &self,
        key: &mut Vec<u8>,
        left: bool,
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        push_join_key(&self.keys, key, left, frame, outer)
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let OperatorState::Hash(mut state) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(not_open(self.state));
        };
        let found = self.advance(&mut state, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Hash(state);
        found
    }

    fn advance(&self, state: &mut HashState, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        loop {
            if let Some(next) = &mut state.rest {
                while state.matched.get(*next) == Some(&true) {
                    *next += 1;
                }
                let Some(row) = state.rows.get(*next)? else { return Ok(false) };
                *next += 1;
                make_null(&self.left_slots, frame);
                row.put_back(&self.right_slots, frame);
                return Ok(true);
            }
            if !state.inside {
                if !self.left.next(frame, outer)? {
                    if self.keeps_right() {
                        state.rest = Some(0);
                        continue;
                    }
                    return Ok(false);
                }
                outer.context.tick()?;
                state.candidates.clear();
                state.next = 0;
                if self.push_key(&mut state.key, true, frame, outer)? {
                    state.numbers.find(&state.key, &mut state.candidates)?;
                }
                state.inside = true;
                state.left_matched = false;
            }
            if self.next_candidate(state, frame, outer)? {
                return Ok(true);
            }
        }
    }

    /// The next pair of the left row, or the left row alone.
    fn next_candidate(
        &self,
        state: &mut HashState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<bool> {
        while let Some(&candidate) = state.candidates.get(state.next) {
            state.next += 1;
            outer.context.tick()?;
            let candidate = candidate as usize;
            let Some(row) = state.rows.get(candidate)? else { return Err(not_open(self.state)) };
            row.put_back(&self.right_slots, frame);
            if !all_true(&self.on, frame, outer)? {
                continue;
            }
            state.left_matched = true;
            state.matched[candidate] = true;
            match self.kind {
                JoinType::Semi => {
                    state.inside = false;
                    return Ok(true);
                }
                JoinType::Anti => break,
                _ => return Ok(true),
            }
        }
        state.inside = false;
        let keeps_left = matches!(self.kind, JoinType::Left | JoinType::Full | JoinType::Anti);
        if !state.left_matched && keeps_left {
            make_null(&self.right_slots, frame);
            return Ok(true);
        }
        Ok(false)
    }
}
