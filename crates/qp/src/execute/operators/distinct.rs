//! DISTINCT: rows that were there are left out.
//!
//! Rows with new keys come out at once while there is room for the keys; the other new ones come
//! when all rows have been read, in the order in which they came. Of rows that come in the order of
//! some of the columns only the keys since the last change of these are kept. Neighbours: `fresh`
//! knows the keys, `compound` for UNION.

use super::fresh::{Answer, Fresh};
use super::materialize::KeptRow;
use super::sort::{SortState, Sorter};
use super::{OperatorState, not_open};
use crate::error::Result;
use crate::execute::key::{group_key, push_collated};
use crate::execute::{Frame, Outer, Slot};
use crate::plan::Distinct;

/// The keys of rows that were there.
#[derive(Debug, Default)]
pub struct SeenState {
    fresh: Fresh,
    key: Vec<u8>,
    /// How many rows were put aside.
    aside: u64,
    /// The columns that rows come in the order of: those of the row before, and of this one.
    run: (Vec<u8>, Vec<u8>),
    /// New rows that had been put aside, being given out.
    rest: Option<SortState>,
    /// The row of the input that came behind them.
    held: Vec<Slot>,
    is_done: bool,
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
        let OperatorState::Seen(mut seen) = std::mem::take(frame.state_mut(self.state)) else {
            return Err(not_open(self.state));
        };
        let found = self.advance(&mut seen, frame, outer);
        *frame.state_mut(self.state) = OperatorState::Seen(seen);
        found
    }

    fn advance(&self, seen: &mut SeenState, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let is_run = self.sorted.len() == self.keys.len();
        loop {
            if let Some(rest) = &mut seen.rest {
                if let Some(row) = rest.next()? {
                    outer.context.tick()?;
                    row.put_back(&self.slots, frame);
                    return Ok(true);
                }
                seen.rest = None;
                if !seen.is_done {
                    // Back to the row that began a new run.
                    for (slot, row) in self.slots.iter().zip(seen.held.drain(..)) {
                        *frame.slot_mut(*slot) = row;
                    }
                    seen.fresh.ask(&seen.key, outer.context)?;
                    return Ok(true);
                }
            }
            if seen.is_done {
                return Ok(false);
            }
            if !self.input.next(frame, outer)? {
                seen.is_done = true;
                if seen.fresh.has_aside() {
                    seen.begin_rest(outer)?;
                }
                continue;
            }
            seen.key.clear();
            group_key(&self.keys, &frame.scope(outer), &mut seen.key)?;
            let is_next = !self.sorted.is_empty() && self.begins_run(seen, frame, outer)?;
            if is_run {
                if is_next {
                    return Ok(true);
                }
                continue;
            }
            if is_next && seen.fresh.has_aside() {
                // Rows of the run before come out first, as the order asks for.
                let slots = self.slots.iter();
                seen.held = slots.map(|slot| std::mem::take(frame.slot_mut(*slot))).collect();
                seen.begin_rest(outer)?;
                continue;
            }
            if is_next {
                seen.fresh.clear(outer.context)?;
            }
            match seen.fresh.ask(&seen.key, outer.context)? {
                Answer::New => return Ok(true),
                Answer::Known => {}
                Answer::Later => {
                    let row = KeptRow::of(&self.slots, frame)?;
                    let place = seen.aside.to_be_bytes();
                    seen.aside += 1;
                    seen.fresh.put_aside(&seen.key, &place, &row, outer.context)?;
                }
            }
        }
    }
}

impl SeenState {
    /// All rows that may be equal have come: finds the new ones among those that were put aside.
    fn begin_rest(&mut self, outer: Outer<'_>) -> Result<()> {
        let mut sorter = Sorter::default();
        std::mem::take(&mut self.fresh).sort_rest(&mut sorter, outer.context)?;
        self.rest = Some(sorter.finish(None, outer.context)?);
        Ok(())
    }
}
