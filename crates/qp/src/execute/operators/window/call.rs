//! One window call over the frames of a partition.
//!
//! Aggregates over frames that only grow keep one state; over frames that also lose rows at the
//! front, a state that can take rows out; else each frame is computed from its rows, unless it
//! is the frame of the row before. A state that takes rows out is moved as SQLite moves its own,
//! over rows that no frame has, too: what an infinity or an overflow leaves behind shows in both
//! alike. Neighbours: `bounds` made the frames.

use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

use super::super::materialize::values_bytes;
use super::bounds::RowFrame;
use super::partition::Partition;
use crate::ast::{FrameExclude, FrameUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::memory::Weight;
use crate::execute::{Context, Scope};
use crate::function::{
    self, Accumulator, Aggregate, Implementation, JsonFlags, PartitionRows, WindowFunction,
};
use crate::plan::{AggregateCall, WindowBound, WindowCall, WindowFrame};
use crate::types::{Datum, compare};

/// What a call reads of one row.
#[derive(Debug)]
pub(super) struct Arguments {
    values: SmallVec<[Value; 2]>,
    json: JsonFlags,
    /// Whether FILTER lets the row in.
    passes: bool,
}

impl Arguments {
    pub(super) fn of(call: &AggregateCall, scope: &Scope<'_>) -> Result<Self> {
        let passes = match &call.filter {
            Some(filter) => filter.is_true(scope)?,
            None => true,
        };
        let mut json = JsonFlags::none();
        let mut values = SmallVec::with_capacity(call.arguments.len());
        for (index, argument) in call.arguments.iter().enumerate() {
            if call.function.traits.reads_json {
                let (value, is_json) = argument.evaluate_json(scope)?;
                if is_json {
                    json.set(index);
                }
                values.push(value.into_value());
            } else {
                values.push(argument.evaluate(scope).map(Datum::into_value)?);
            }
        }
        Ok(Self { values, json, passes })
    }
}

impl Arguments {
    /// About how many bytes of memory they take.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + values_bytes(&self.values)
    }
}

/// The arguments of a row of the partition.
pub(super) type ArgumentsOf<'a> = dyn Fn(usize) -> &'a Arguments + 'a;

/// The value of a call for every row.
pub(super) fn compute(
    call: &WindowCall,
    (partition, frames): (&Partition<'_>, &[RowFrame]),
    arguments: &ArgumentsOf<'_>,
    weight: &mut Weight,
    context: &Context<'_>,
) -> Result<Vec<Value>> {
    let WindowCall { call, frame } = call;
    match &call.function.implementation {
        Implementation::Window(function) => {
            positional(function, call, partition, frames, arguments)
        }
        Implementation::Aggregate(aggregate) => {
            let mut run = Run {
                call,
                aggregate,
                arguments,
                context,
                weight,
                gathered: 0,
                slides: slides(aggregate, frame),
                takes_in_first: takes_in_first(frame),
                cache: function::Cache::default(),
                state: None,
                inside: 0..0,
                last: None,
            };
            frames.iter().map(|frame| run.value_of(frame)).collect()
        }
        _ => {
            let message = format!("{}() is no window function", call.function.name);
            Err(Error::new(ErrorKind::Internal, message))
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

fn positional(
    function: &WindowFunction,
    call: &AggregateCall,
    partition: &Partition<'_>,
    frames: &[RowFrame],
    arguments: &ArgumentsOf<'_>,
) -> Result<Vec<Value>> {
    struct Rows<'r, 'a>(&'r ArgumentsOf<'a>);
    impl PartitionRows for Rows<'_, '_> {
        fn argument(&mut self, row: u64, index: usize) -> Result<Value> {
            let arguments = (self.0)(row as usize);
            Ok(arguments.values.get(index).cloned().unwrap_or_default())
        }
    }
    let mut values = Vec::with_capacity(frames.len());
    for (row, frame) in frames.iter().enumerate() {
        let ranges: SmallVec<[Range<u64>; 3]> = frame
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| part.start as u64..part.end as u64)
            .collect();
        let position = partition.position(row);
        let mut rows = Rows(arguments);
        values.push((function.value)(&position, &ranges, call.arguments.len(), &mut rows)?);
    }
    Ok(values)
}

/// An aggregate on its way over frames.
struct Run<'r, 'a> {
    call: &'r AggregateCall,
    aggregate: &'r Aggregate,
    arguments: &'r ArgumentsOf<'a>,
    context: &'r Context<'r>,
    /// What the results take, and the state that is kept.
    weight: &'r mut Weight,
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
    fn value_of(&mut self, frame: &RowFrame) -> Result<Value> {
        if let Some((last, value)) = &self.last
            && last == frame
        {
            return Ok(value.clone());
        }
        let value = match frame.as_slice() {
            [range] if self.slides || !range.is_empty() => self.moved_value(range)?,
            _ => self.fresh_value(frame)?,
        };
        // Rows of one frame share the bytes of their result.
        if let Value::Text(bytes) | Value::Blob(bytes) = &value {
            self.weight.add(bytes.len(), self.context)?;
        }
        self.last = Some((frame.clone(), value.clone()));
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
        state.value(&mut function::Context::new(self.context.session, &mut self.cache))
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
        self.context.tick()?;
        let arguments = (self.arguments)(row);
        if !arguments.passes {
            return Ok(());
        }
        let (collation, collations) = (self.call.collation, self.context.collations);
        let by_collation = |left: &[u8], right: &[u8]| {
            compare(ValueRef::Text(left), ValueRef::Text(right), collation, collations)
        };
        let mut surroundings = function::Context::new(self.context.session, &mut self.cache);
        surroundings.json_arguments = arguments.json.clone();
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
        self.weight.change(grown, self.context).map(drop)
    }
}
