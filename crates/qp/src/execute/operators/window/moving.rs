//! The state of an aggregate that goes from frame to frame, row by row.
//!
//! Aggregates over frames that only grow keep one state; over frames that also lose rows at the
//! front, a state that can take rows out; else each frame is computed from its rows, unless it
//! is the frame of the row before. A state that takes rows out is moved as SQLite moves its own,
//! over rows that no frame has, too: what an infinity or an overflow leaves behind shows in both
//! alike. Both gears have it: they differ in where rows are. Neighbours: `call` of the row gear,
//! `batch::operators::window`.

use std::ops::Range;

use pandodb_ds::record::Value;
use smallvec::SmallVec;

use crate::ast::{FrameExclude, FrameUnit};
use crate::error::Result;
use crate::function::{Accumulator, Aggregate};
use crate::plan::{WindowBound, WindowFrame};

/// The frame of one row: ranges in order. Without EXCLUDE it is one range, which may be empty (it
/// shows how far sliding states have come), or none where its bounds stand the wrong way round.
pub(in crate::execute) type RowFrame = SmallVec<[Range<usize>; 1]>;

/// Rows by number, as an aggregate's state takes them.
pub(in crate::execute) trait Steps {
    /// Takes a row in or out.
    fn change(&mut self, state: &mut dyn Accumulator, row: usize, takes_in: bool) -> Result<()>;
    /// What the state says.
    fn value(&mut self, state: &dyn Accumulator) -> Result<Value>;
}

/// A state on its way over the frames of a partition.
pub(in crate::execute) struct Moving {
    slides: bool,
    takes_in_first: bool,
    /// The state, when it is kept from frame to frame, and the rows that are in it.
    state: Option<Box<dyn Accumulator>>,
    inside: Range<usize>,
    /// The frame before and its value.
    last: Option<(RowFrame, Value)>,
}

/// Whether the state is one that takes rows out.
fn slides(aggregate: &Aggregate, frame: &WindowFrame) -> bool {
    aggregate.sliding.is_some()
        && frame.exclude == FrameExclude::NoOthers
        && !matches!(frame.start, WindowBound::Unbounded)
}

/// Whether rows come in before others go out; the order shows in sums that overflow.
fn takes_in_first(frame: &WindowFrame) -> bool {
    let before = matches!(
        (&frame.start, &frame.end),
        (WindowBound::Preceding(_), WindowBound::Preceding(_))
    );
    frame.unit == FrameUnit::Range && (before || matches!(frame.start, WindowBound::Following(_)))
}

impl Moving {
    /// A state before the first row of a partition.
    pub(in crate::execute) fn new(aggregate: &Aggregate, frame: &WindowFrame) -> Self {
        Self {
            slides: slides(aggregate, frame),
            takes_in_first: takes_in_first(frame),
            state: None,
            inside: 0..0,
            last: None,
        }
    }

    /// From which row on rows may be taken in or out for frames that follow.
    pub(in crate::execute) fn needs_from(&self, frame: &WindowFrame) -> usize {
        let is_distance = |bound: &WindowBound| {
            matches!(bound, WindowBound::Preceding(_) | WindowBound::Following(_))
        };
        // Distances are looked for among all values.
        let looks = frame.unit == FrameUnit::Range
            && (is_distance(&frame.start) || is_distance(&frame.end));
        if looks || frame.exclude != FrameExclude::NoOthers {
            0
        } else if self.slides {
            self.inside.start
        } else if matches!(frame.start, WindowBound::Unbounded) {
            self.inside.end
        } else {
            0
        }
    }

    /// The value of the frame of the next row.
    pub(in crate::execute) fn value_of(
        &mut self,
        aggregate: &Aggregate,
        frame: RowFrame,
        steps: &mut impl Steps,
    ) -> Result<Value> {
        // Rows of one frame share the bytes of their result.
        if let Some((last, value)) = &self.last
            && *last == frame
        {
            return Ok(value.clone());
        }
        let value = match frame.as_slice() {
            [range] if self.slides || !range.is_empty() => {
                self.moved_value(aggregate, range, steps)?
            }
            _ => fresh_value(aggregate, &frame, steps)?,
        };
        self.last = Some((frame, value.clone()));
        Ok(value)
    }

    /// The value of a frame of one range, from the state of the frame before where that can
    /// be moved.
    fn moved_value(
        &mut self,
        aggregate: &Aggregate,
        range: &Range<usize>,
        steps: &mut impl Steps,
    ) -> Result<Value> {
        let grows = self.inside.start == range.start && self.inside.end <= range.end;
        let moves = self.slides && self.inside.start <= range.start && self.inside.end <= range.end;
        let mut starts_behind = false;
        let mut state = match self.state.take() {
            Some(state) if grows || moves => state,
            _ => {
                let start = if self.slides { 0 } else { range.start };
                self.inside = start..start;
                starts_behind = self.slides && range.start > 0;
                let sliding = aggregate.sliding.as_ref().filter(|_| self.slides);
                sliding.unwrap_or(&aggregate.plain).make()
            }
        };
        let (leaving, coming) = (self.inside.start..range.start, self.inside.end..range.end);
        if starts_behind && !self.takes_in_first && !range.is_empty() {
            // As many rows as a frame has are in at a time, from the first row on.
            for row in coming {
                if let Some(gone) = row.checked_sub(range.len()) {
                    steps.change(&mut *state, gone, false)?;
                }
                steps.change(&mut *state, row, true)?;
            }
            return self.kept(state, range, steps);
        }
        let comes_first = self.takes_in_first || leaving.end > coming.start;
        if comes_first {
            change_all(&mut *state, coming.clone(), true, steps)?;
        }
        change_all(&mut *state, leaving, false, steps)?;
        if !comes_first {
            change_all(&mut *state, coming, true, steps)?;
        }
        self.kept(state, range, steps)
    }

    /// The value of a state that is kept for the next frame.
    fn kept(
        &mut self,
        state: Box<dyn Accumulator>,
        range: &Range<usize>,
        steps: &mut impl Steps,
    ) -> Result<Value> {
        self.inside = range.clone();
        let value = steps.value(&*state);
        self.state = Some(state);
        value
    }
}

fn fresh_value(aggregate: &Aggregate, frame: &RowFrame, steps: &mut impl Steps) -> Result<Value> {
    let mut state = aggregate.plain.make();
    for range in frame {
        change_all(&mut *state, range.clone(), true, steps)?;
    }
    steps.value(&*state)
}

fn change_all(
    state: &mut dyn Accumulator,
    mut rows: Range<usize>,
    takes_in: bool,
    steps: &mut impl Steps,
) -> Result<()> {
    rows.try_for_each(|row| steps.change(state, row, takes_in))
}
