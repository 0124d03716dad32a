//! One window call over the frames of a partition, row by row.
//!
//! Aggregates over frames that only grow keep one state; over frames that also lose rows at the
//! front, a state that can take rows out; else each frame is computed from its rows, unless it
//! is the frame of the row before. A state that takes rows out is moved as SQLite moves its own,
//! over rows that no frame has, too: what an infinity or an overflow leaves behind shows in both
//! alike. Neighbours: `bounds` made the frames.

use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::bounds::{Bounds, RowFrame};
use super::members::Arguments;
use super::partition::Partition;
use crate::ast::{FrameExclude, FrameUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Context;
use crate::execute::memory::Weight;
use crate::function::{
    self, Accumulator, Aggregate, Implementation, PartitionRows, WindowFunction,
};
use crate::plan::{AggregateCall, WindowBound, WindowCall, WindowFrame};
use crate::types::compare;

/// A call on its way over the rows of a partition.
pub(super) enum CallRun<'r, 'a> {
    Positional(Positional<'r, 'a>),
    Aggregate(Box<Run<'r, 'a>>),
}

/// What a call looks at.
#[derive(Clone, Copy)]
pub(super) struct Looked<'r, 'a> {
    pub(super) partition: &'r Partition<'a>,
    pub(super) context: &'r Context<'r>,
}

impl<'r, 'a> CallRun<'r, 'a> {
    /// A call whose flags and arguments stand at a place of each row.
    pub(super) fn new(
        call: &'r WindowCall,
        place: Range<usize>,
        bounds: Bounds,
        looked: Looked<'r, 'a>,
    ) -> Result<Self> {
        let WindowCall { call, frame } = call;
        match &call.function.implementation {
            Implementation::Window(function) => {
                Ok(Self::Positional(Positional { call, function, place, bounds, looked }))
            }
            Implementation::Aggregate(aggregate) => Ok(Self::Aggregate(Box::new(Run {
                call,
                aggregate,
                place,
                bounds,
                looked,
                weight: Weight::default(),
                gathered: 0,
                slides: slides(aggregate, frame),
                takes_in_first: takes_in_first(frame),
                cache: function::Cache::default(),
                state: None,
                inside: 0..0,
                last: None,
            }))),
            _ => {
                let message = format!("{}() is no window function", call.function.name);
                Err(Error::new(ErrorKind::Internal, message))
            }
        }
    }

    /// The value for a row; rows are asked one after the other.
    pub(super) fn value(&mut self, row: usize) -> Result<Value> {
        match self {
            Self::Positional(run) => run.value(row),
            Self::Aggregate(run) => {
                let frame = run.bounds.frame(row, run.looked.partition, run.looked.context)?;
                run.value_of(frame)
            }
        }
    }
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

/// A function of a row's place and of rows of its frame.
pub(super) struct Positional<'r, 'a> {
    call: &'r AggregateCall,
    function: &'r WindowFunction,
    place: Range<usize>,
    bounds: Bounds,
    looked: Looked<'r, 'a>,
}

impl PartitionRows for Positional<'_, '_> {
    fn argument(&mut self, row: u64, index: usize) -> Result<Value> {
        let member = self.looked.partition.member(row as usize)?;
        let arguments = Arguments::of(&member, &self.place)?;
        Ok(arguments.values.get(index).cloned().unwrap_or_default())
    }
}

impl Positional<'_, '_> {
    fn value(&mut self, row: usize) -> Result<Value> {
        let Looked { partition, context } = self.looked;
        let frame = self.bounds.frame(row, partition, context)?;
        let ranges: SmallVec<[Range<u64>; 3]> = frame
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| part.start as u64..part.end as u64)
            .collect();
        let position = partition.position(row);
        (self.function.value)(&position, &ranges, self.call.arguments.len(), self)
    }
}

/// An aggregate on its way over frames.
pub(super) struct Run<'r, 'a> {
    call: &'r AggregateCall,
    aggregate: &'r Aggregate,
    place: Range<usize>,
    bounds: Bounds,
    looked: Looked<'r, 'a>,
    /// What the state that is kept takes.
    weight: Weight,
    gathered: usize,
    slides: bool,
    takes_in_first: bool,
    cache: function::Cache,
    /// The state, when it is kept from frame to frame, and the rows that are in it.
    state: Option<Box<dyn Accumulator>>,
    inside: Range<usize>,
    /// The frame before and its value.
    last: Option<(RowFrame, Value)>,
}

impl Run<'_, '_> {
    fn value_of(&mut self, frame: RowFrame) -> Result<Value> {
        // Rows of one frame share the bytes of their result.
        if let Some((last, value)) = &self.last
            && *last == frame
        {
            return Ok(value.clone());
        }
        let value = match frame.as_slice() {
            [range] if self.slides || !range.is_empty() => self.moved_value(range)?,
            _ => self.fresh_value(&frame)?,
        };
        self.last = Some((frame, value.clone()));
        Ok(value)
    }

    /// The value of a frame of one range, from the state of the frame before where that can
    /// be moved.
    fn moved_value(&mut self, range: &Range<usize>) -> Result<Value> {
        let grows = self.inside.start == range.start && self.inside.end <= range.end;
        let moves = self.slides && self.inside.start <= range.start && self.inside.end <= range.end;
        let mut starts_behind = false;
        let mut state = match self.state.take() {
            Some(state) if grows || moves => state,
            _ => {
                let start = if self.slides { 0 } else { range.start };
                self.inside = start..start;
                starts_behind = self.slides && range.start > 0;
                let sliding = self.aggregate.sliding.as_ref().filter(|_| self.slides);
                sliding.unwrap_or(&self.aggregate.plain).make()
            }
        };
        let (leaving, coming) = (self.inside.start..range.start, self.inside.end..range.end);
        if starts_behind && !self.takes_in_first && !range.is_empty() {
            // As many rows as a frame has are in at a time, from the first row on.
            for row in coming {
                if let Some(gone) = row.checked_sub(range.len()) {
                    self.change(&mut *state, gone, false)?;
                }
                self.change(&mut *state, row, true)?;
            }
            return self.kept(state, range);
        }
        let comes_first = self.takes_in_first || leaving.end > coming.start;
        if comes_first {
            self.change_all(&mut *state, coming.clone(), true)?;
        }
        self.change_all(&mut *state, leaving, false)?;
        if !comes_first {
            self.change_all(&mut *state, coming, true)?;
        }
        self.kept(state, range)
    }

    /// The value of a state that is kept for the next frame.
    fn kept(&mut self, state: Box<dyn Accumulator>, range: &Range<usize>) -> Result<Value> {
        self.inside = range.clone();
        let value = self.value(&*state);
        self.state = Some(state);
        value
    }

    fn fresh_value(&mut self, frame: &RowFrame) -> Result<Value> {
        let mut state = self.aggregate.plain.make();
        for range in frame {
            for row in range.clone() {
                self.change(&mut *state, row, true)?;
            }
        }
        self.value(&*state)
    }

    fn value(&mut self, state: &dyn Accumulator) -> Result<Value> {
        state.value(&mut function::Context::new(self.looked.context.session, &mut self.cache))
    }

    fn change_all(
        &mut self,
        state: &mut dyn Accumulator,
        mut rows: Range<usize>,
        takes_in: bool,
    ) -> Result<()> {
        rows.try_for_each(|row| self.change(state, row, takes_in))
    }

    /// Takes a row in or out.
    fn change(&mut self, state: &mut dyn Accumulator, row: usize, takes_in: bool) -> Result<()> {
        let Looked { partition, context } = self.looked;
        context.tick()?;
        let member = partition.member(row)?;
        let arguments = Arguments::of(&member, &self.place)?;
        if !arguments.passes {
            return Ok(());
        }
        let (collation, collations) = (self.call.collation, context.collations);
        let by_collation = |left: &[u8], right: &[u8]| {
            compare(ValueRef::Text(left), ValueRef::Text(right), collation, collations)
        };
        let mut surroundings = function::Context::new(context.session, &mut self.cache);
        surroundings.json_arguments = arguments.json;
        if self.call.function.traits.uses_collation {
            surroundings.collation = &by_collation;
        }
        let values: SmallVec<[ValueRef<'_>; 2]> =
            arguments.values.iter().map(Value::as_ref).collect();
        if takes_in {
            state.step(&mut surroundings, &values)?;
        } else {
            state.inverse(&mut surroundings, &values)?;
        }
        let grown = state.memory_bytes() as isize - self.gathered as isize;
        self.gathered = state.memory_bytes();
        self.weight.change(grown, context).map(drop)
    }
}
