//! One window call over the frames of a partition, row by row.
//!
//! An aggregate's state goes from frame to frame as `moving` has it, with the rows of `members`.
//! Neighbours: `bounds` made the frames.

use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::bounds::Bounds;
use super::members::Arguments;
use super::moving::{Moving, Steps};
use super::partition::Partition;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Context;
use crate::execute::memory::Weight;
use crate::function::{self, Accumulator, Implementation, PartitionRows, WindowFunction};
use crate::plan::{AggregateCall, WindowCall};
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
                bounds,
                moving: Moving::new(aggregate, frame),
                members: Taken {
                    call,
                    place,
                    looked,
                    weight: Weight::default(),
                    gathered: 0,
                    cache: function::Cache::default(),
                },
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
                let Looked { partition, context } = run.members.looked;
                let frame = run.bounds.frame(row, partition, context)?;
                run.moving.value_of(frame, &mut run.members)
            }
        }
    }
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
    bounds: Bounds,
    moving: Moving<'r>,
    members: Taken<'r, 'a>,
}

/// The rows of a partition as a call takes them.
struct Taken<'r, 'a> {
    call: &'r AggregateCall,
    place: Range<usize>,
    looked: Looked<'r, 'a>,
    /// What the state that is kept takes.
    weight: Weight,
    gathered: usize,
    cache: function::Cache,
}

impl Steps for Taken<'_, '_> {
    fn value(&mut self, state: &dyn Accumulator) -> Result<Value> {
        state.value(&mut function::Context::new(self.looked.context.session, &mut self.cache))
    }

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
