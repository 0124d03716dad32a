//! One window call over the frames of a partition, row by row.
//!
//! An aggregate's state goes from frame to frame as `moving` has it, with the rows of `members`.
//! Neighbours: `bounds` made the frames.

use std::fmt;
use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::bounds::{Ahead, Bounds};
use super::members::Arguments;
use super::moving::{Moving, RowFrame, Steps};
use super::partition::Partition;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Context;
use crate::execute::memory::Weight;
use crate::function::{self, Accumulator, Implementation, PartitionRows};
use crate::plan::{AggregateCall, WindowCall};
use crate::types::compare;

/// A call on its way over the rows of a partition.
pub(super) struct CallRun {
    /// Where its flags and arguments stand in each row.
    place: Range<usize>,
    bounds: Bounds,
    /// The state of an aggregate.
    moving: Option<Moving>,
    kept: TakenState,
}

/// What a call looks at.
#[derive(Clone, Copy)]
pub(super) struct Looked<'r, 'a> {
    pub(super) partition: &'r Partition<'a>,
    pub(super) context: &'r Context<'r>,
}

/// What an aggregate keeps beside its state.
#[derive(Default)]
struct TakenState {
    /// What the state that is kept takes.
    weight: Weight,
    gathered: usize,
    cache: function::Cache,
}

impl fmt::Debug for CallRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRun").field("place", &self.place).finish_non_exhaustive()
    }
}

impl CallRun {
    /// A call whose flags and arguments stand at a place of each row.
    pub(super) fn new(call: &WindowCall, place: Range<usize>, bounds: Bounds) -> Result<Self> {
        let WindowCall { call, frame } = call;
        let moving = match &call.function.implementation {
            Implementation::Window(_) => None,
            Implementation::Aggregate(aggregate) => Some(Moving::new(aggregate, frame)),
            _ => return Err(no_window_function(call)),
        };
        Ok(Self { place, bounds, moving, kept: TakenState::default() })
    }

    /// Which rows behind one must be known for its value.
    pub(super) fn ahead(&self, call: &WindowCall) -> Ahead {
        if call.uses_frame() {
            return self.bounds.ahead();
        }
        call.rows_ahead().map_or(Ahead::PARTITION, Ahead::rows)
    }

    /// From which row on arguments may be asked for behind so many rows.
    pub(super) fn needs_from(&self, call: &WindowCall, next: usize) -> usize {
        match &self.moving {
            Some(moving) => moving.needs_from(&call.frame),
            None if call.call.arguments.is_empty() => next,
            None => 0,
        }
    }

    /// The value for a row; rows are asked one after the other.
    pub(super) fn value(
        &mut self,
        call: &WindowCall,
        row: usize,
        looked: Looked<'_, '_>,
    ) -> Result<Value> {
        let Looked { partition, context } = looked;
        // Functions of the position alone do not ask which rows there are.
        let frame = if call.uses_frame() {
            self.bounds.frame(row, partition, context)?
        } else {
            RowFrame::new()
        };
        match (&call.call.function.implementation, &mut self.moving) {
            (Implementation::Window(function), _) => {
                let ranges: SmallVec<[Range<u64>; 3]> = frame
                    .iter()
                    .filter(|part| !part.is_empty())
                    .map(|part| part.start as u64..part.end as u64)
                    .collect();
                let position = partition.position(row);
                let mut rows = Positional { place: &self.place, partition };
                (function.value)(&position, &ranges, call.call.arguments.len(), &mut rows)
            }
            (Implementation::Aggregate(aggregate), Some(moving)) => {
                let (place, kept) = (&self.place, &mut self.kept);
                let mut members = Taken { call: &call.call, place, looked, kept };
                moving.value_of(aggregate, frame, &mut members)
            }
            _ => Err(no_window_function(&call.call)),
        }
    }
}

#[cold]
fn no_window_function(call: &AggregateCall) -> Error {
    let message = format!("{}() is no window function", call.function.name);
    Error::new(ErrorKind::Internal, message)
}

/// The rows of a partition as a function of the position reads them.
struct Positional<'r, 'a> {
    place: &'r Range<usize>,
    partition: &'r Partition<'a>,
}

impl PartitionRows for Positional<'_, '_> {
    fn argument(&mut self, row: u64, index: usize) -> Result<Value> {
        let member = self.partition.member(row as usize)?;
        let arguments = Arguments::of(&member, self.place)?;
        Ok(arguments.values.get(index).cloned().unwrap_or_default())
    }
}

/// The rows of a partition as a call takes them.
struct Taken<'r, 'a> {
    call: &'r AggregateCall,
    place: &'r Range<usize>,
    looked: Looked<'r, 'a>,
    kept: &'r mut TakenState,
}

impl Steps for Taken<'_, '_> {
    fn value(&mut self, state: &dyn Accumulator) -> Result<Value> {
        state.value(&mut function::Context::new(self.looked.context.session, &mut self.kept.cache))
    }

    fn change(&mut self, state: &mut dyn Accumulator, row: usize, takes_in: bool) -> Result<()> {
        let Looked { partition, context } = self.looked;
        context.tick()?;
        let member = partition.member(row)?;
        let arguments = Arguments::of(&member, self.place)?;
        if !arguments.passes {
            return Ok(());
        }
        let (collation, collations) = (self.call.collation, context.collations);
        let by_collation = |left: &[u8], right: &[u8]| {
            compare(ValueRef::Text(left), ValueRef::Text(right), collation, collations)
        };
        let mut surroundings = function::Context::new(context.session, &mut self.kept.cache);
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
        let grown = state.memory_bytes() as isize - self.kept.gathered as isize;
        self.kept.gathered = state.memory_bytes();
        self.kept.weight.change(grown, context).map(drop)
    }
}
