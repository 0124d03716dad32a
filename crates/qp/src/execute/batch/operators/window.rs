//! Window functions over batches, with the frames that most windows have.
//!
//! Rows are sorted by partition and order as columns. Most frames begin with their partition and
//! end with it, with the current row or with the current row's peers: so an aggregate only grows
//! and is asked once for each group of peers. Frames of a number of rows around the current one
//! move over the rows. All other frames are the row gear's. Neighbours: `sort` has the sorter,
//! `operators::window` the row gear's, whose functions and moving states are used here.

use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};
use smallvec::{SmallVec, smallvec};

use crate::ast::{FrameExclude, FrameUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::Context;
use crate::execute::batch::Run;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::exchange::{self, Ahead};
use crate::execute::batch::expression::{Condition, Expression};
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::sort::{Change, KeyOrder, Sorted, Sorter};
use crate::execute::batch::sorting::SortHelp;
use crate::execute::batch::vector::{Truth, Vector};
use crate::execute::memory::Weight;
use crate::execute::operators::{Moving, RowFrame, Steps};
use crate::function::WindowFunction;
use crate::function::{self, Accumulator, Aggregate, Implementation, PartitionRows, Position};
use crate::plan::{AggregateCall, WindowBound, WindowCall, WindowFrame, WindowNode};
use crate::scalar::Scalar;
use crate::types::compare;

/// A compiled window.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchWindow {
    pub(in crate::execute::batch) input: Operator,
    /// PARTITION BY, then ORDER BY.
    pub(in crate::execute::batch) keys: Vec<Expression>,
    pub(in crate::execute::batch) calls: Vec<BatchCall>,
    /// Columns that are read of the rows.
    pub(in crate::execute::batch) keep: Vec<usize>,
    /// Where the results go, as far as they are read.
    pub(in crate::execute::batch) outputs: Vec<Option<usize>>,
}

/// A compiled call.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchCall {
    pub(in crate::execute::batch) arguments: Vec<Expression>,
    pub(in crate::execute::batch) filter: Option<Condition>,
    pub(in crate::execute::batch) end: FrameEnd,
}

/// Which rows frames have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execute::batch) enum FrameEnd {
    /// All from the partition's first to the current one.
    Row,
    /// All from the partition's first to the last of the current one's peers.
    Peers,
    /// All of the partition.
    Partition,
    /// A number of rows around the current one.
    Around(FrameEdge, FrameEdge),
}

/// Where a frame of a number of rows begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::execute::batch) enum FrameEdge {
    Unbounded,
    Preceding(usize),
    Following(usize),
}

impl FrameEdge {
    /// The edge that a bound is, if it says the number.
    fn of(bound: &WindowBound) -> Option<Self> {
        let number = |scalar: &Scalar| match scalar {
            Scalar::Literal(Value::Integer(number)) => usize::try_from(*number).ok(),
            _ => None,
        };
        match bound {
            WindowBound::Unbounded => Some(Self::Unbounded),
            WindowBound::CurrentRow => Some(Self::Following(0)),
            WindowBound::Preceding(scalar) => number(scalar).map(Self::Preceding),
            WindowBound::Following(scalar) => number(scalar).map(Self::Following),
        }
    }

    /// Behind how many rows of its partition it is, for row `row`; `unbounded` where it is not
    /// bounded.
    fn place(self, row: usize, unbounded: usize) -> usize {
        match self {
            Self::Unbounded => unbounded,
            Self::Preceding(rows) => row.saturating_sub(rows),
            Self::Following(rows) => row.saturating_add(rows),
        }
    }
}

impl FrameEnd {
    /// The end of a frame, if it is of these.
    pub(in crate::execute::batch) fn of(frame: &WindowFrame) -> Option<Self> {
        if frame.exclude != FrameExclude::NoOthers {
            return None;
        }
        match (&frame.start, &frame.end, frame.unit) {
            (WindowBound::Unbounded, WindowBound::Unbounded, _) => Some(Self::Partition),
            (WindowBound::Unbounded, WindowBound::CurrentRow, FrameUnit::Rows) => Some(Self::Row),
            (WindowBound::Unbounded, WindowBound::CurrentRow, _) => Some(Self::Peers),
            (start, end, FrameUnit::Rows) => {
                Some(Self::Around(FrameEdge::of(start)?, FrameEdge::of(end)?))
            }
            _ => None,
        }
    }

    /// The rows of a frame of a partition of `rows`, for one of them with these peers.
    fn frame(self, row: usize, peers: &Range<usize>, rows: usize) -> RowFrame {
        let (start, end) = match self {
            Self::Row => (0, row + 1),
            Self::Peers => (0, peers.end),
            Self::Partition => (0, rows),
            Self::Around(start, end) => (start.place(row, 0), end.place(row + 1, rows).min(rows)),
        };
        if start <= end { smallvec![start..end] } else { RowFrame::new() }
    }
}

/// What a vector takes for a value, beside its bytes.
const VALUE_BYTES: usize = 9;

/// Where a window is.
#[derive(Debug)]
pub(in crate::execute::batch) struct WindowState {
    pub(in crate::execute::batch) input: State,
    sorted: Option<Sorted>,
    /// Holds the memory of the results on the statement's account.
    weight: Weight,
    /// Numbers of the kept columns and of the results.
    numbers: Vec<usize>,
}

/// Sorted rows of which partitions and peers are known.
struct Rows<'a> {
    order: &'a [u32],
    /// Where partitions begin, and the end of the last.
    partitions: Vec<u32>,
    /// Where groups of peers begin, and the end of the last.
    peers: Vec<u32>,
}

impl BatchWindow {
    pub(in crate::execute::batch) fn open(
        &self,
        node: &WindowNode,
        run: &mut Run<'_>,
    ) -> Result<WindowState> {
        let input = self.input.open(&node.input, run)?;
        let results = self.outputs.iter().flatten();
        let numbers = self.keep.iter().chain(results).copied().collect();
        Ok(WindowState { input, sorted: None, weight: Weight::default(), numbers })
    }

    pub(in crate::execute::batch) fn next(
        &self,
        node: &WindowNode,
        state: &mut WindowState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        if state.sorted.is_none() {
            let (sorted, weight) = self.compute(node, &mut state.input, run)?;
            (state.sorted, state.weight) = (Some(sorted), weight);
        }
        let numbers = &state.numbers;
        match &mut state.sorted {
            Some(sorted) => sorted.give(numbers, run),
            None => Ok(None),
        }
    }

    fn compute(
        &self,
        node: &WindowNode,
        input: &mut State,
        run: &mut Run<'_>,
    ) -> Result<(Sorted, Weight)> {
        let by_partition = node.partition_by.iter().map(|key| KeyOrder {
            collation: key.collation,
            descending: false,
            nulls_first: true,
        });
        let orders: Vec<KeyOrder> =
            by_partition.chain(node.order_by.iter().map(KeyOrder::from)).collect();
        let mut sorter = Sorter::new(orders, self.keep.len(), run);
        let mut inputs: Vec<CallInput> = self.calls.iter().map(CallInput::new).collect();
        let computed: Vec<&Expression> = self.keys.iter().collect();
        let ahead = Ahead { columns: &self.keep, expressions: &computed };
        exchange::feed((&self.input, &node.input), ahead, input, run, |input, run| {
            self.gather(node, &mut sorter, &mut inputs, input, run)
        })?;
        let collations = run.outer.context.collations;
        let help = SortHelp::of(run);
        let (order, changes) =
            sorter.order_with_changes(node.partition_by.len(), collations, help)?;
        let rows = Rows::new(&order, &changes);
        let mut columns = std::mem::take(&mut sorter.columns);
        let mut weight = Weight::default();
        for ((call, node), (input, output)) in
            self.calls.iter().zip(&node.calls).zip(inputs.iter().zip(&self.outputs))
        {
            let results = rows.results((call, node, input), &mut weight, run)?;
            if output.is_some() {
                columns.push(results);
            }
        }
        Ok((sorter.into_sorted(columns, order), weight))
    }

    /// Takes the rows of the whole input.
    fn gather(
        &self,
        node: &WindowNode,
        sorter: &mut Sorter,
        inputs: &mut [CallInput],
        input: &mut State,
        run: &mut Run<'_>,
    ) -> Result<()> {
        while let Some(mut batch) = self.input.next(&node.input, input, run)? {
            let mut keys = Vec::with_capacity(self.keys.len());
            for key in &self.keys {
                keys.push(key.evaluate(&mut batch, run)?.into_vector(batch.rows));
            }
            for (call, input) in self.calls.iter().zip(&mut *inputs) {
                input.take(call, &mut batch, run)?;
            }
            batch.force(&self.keep)?;
            sorter.take(&keys, &batch, &self.keep)?;
            // A partition must be seen as a whole: what is too much is the row gear's.
            if sorter.weigh(run)? {
                run.outer.context.run.give_batches_up()?;
            }
        }
        Ok(())
    }
}

/// What a call reads of all rows, in the order in which they came.
struct CallInput {
    arguments: Vec<Vector>,
    passes: Option<Vec<Truth>>,
    weight: Weight,
}

/// Results that come one after the other.
struct Results<'w> {
    vector: Vector,
    weight: &'w mut Weight,
}

impl Results<'_> {
    /// Adds a result, so many times.
    fn push(&mut self, value: ValueRef<'_>, times: usize, run: &Run<'_>) -> Result<()> {
        let bytes = match value {
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
            _ => 0,
        };
        let all = times.saturating_mul(bytes);
        self.vector.check_size(all)?;
        if bytes > 0 && self.weight.add(all, run.outer.context)? {
            // In the row gear equal results share their bytes.
            run.outer.context.run.give_batches_up()?;
        }
        (0..times).for_each(|_| self.vector.push(value));
        Ok(())
    }
}

impl CallInput {
    fn new(call: &BatchCall) -> Self {
        Self {
            arguments: call.arguments.iter().map(|_| Vector::default()).collect(),
            passes: call.filter.as_ref().map(|_| Vec::new()),
            weight: Weight::default(),
        }
    }

    fn take(&mut self, call: &BatchCall, batch: &mut Batch, run: &mut Run<'_>) -> Result<()> {
        if let (Some(filter), Some(passes)) = (&call.filter, &mut self.passes) {
            passes.extend(filter.truths(batch, run)?);
        }
        for (argument, known) in call.arguments.iter().zip(&mut self.arguments) {
            let column = argument.evaluate(batch, run)?.into_vector(batch.rows);
            known.check_size(column.text_bytes())?;
            known.append(&column);
            self.weight.add(batch.rows * VALUE_BYTES + column.text_bytes(), run.outer.context)?;
        }
        Ok(())
    }

    fn passes(&self, row: usize) -> bool {
        self.passes.as_ref().is_none_or(|passes| passes[row] == Truth::True)
    }
}

impl<'a> Rows<'a> {
    fn new(order: &'a [u32], changes: &[Change]) -> Self {
        let (mut partitions, mut peers) = (Vec::new(), Vec::new());
        for (place, change) in (0..).zip(changes) {
            if *change == Change::Partition {
                partitions.push(place);
            }
            if *change != Change::None {
                peers.push(place);
            }
        }
        partitions.push(order.len() as u32);
        peers.push(order.len() as u32);
        Self { order, partitions, peers }
    }

    /// The values of a call, in the order in which the rows came.
    fn results(
        &self,
        (call, node, input): (&BatchCall, &WindowCall, &CallInput),
        weight: &mut Weight,
        run: &Run<'_>,
    ) -> Result<Vector> {
        weight.add(self.order.len() * VALUE_BYTES, run.outer.context)?;
        let mut results = Results { vector: Vector::with_capacity(self.order.len()), weight };
        let mut group = 0;
        for bounds in self.partitions.windows(2) {
            let partition = bounds[0] as usize..bounds[1] as usize;
            let first = group;
            while self.peers[group] < bounds[1] {
                group += 1;
            }
            let partition = Partition { rows: self, range: partition, groups: first..group };
            run.outer.context.tick_rows(partition.range.len())?;
            match &node.call.function.implementation {
                Implementation::Window(function) => {
                    partition.positional(function, (call, input), &mut results, run)?;
                }
                Implementation::Aggregate(aggregate) => {
                    partition.aggregate(aggregate, (call, node, input), run, &mut results)?;
                }
                _ => {
                    let message = format!("{}() is no window function", node.call.function.name);
                    return Err(Error::new(ErrorKind::Internal, message));
                }
            }
        }
        // Back to the order in which the rows came: they are given out through `order`.
        let mut places = vec![0; self.order.len()];
        for (place, row) in self.order.iter().enumerate() {
            places[*row as usize] = place as u32;
        }
        Ok(results.vector.gather(&places))
    }
}

/// A partition: its places in the order, and its groups of peers.
struct Partition<'r, 'a> {
    rows: &'r Rows<'a>,
    range: Range<usize>,
    groups: Range<usize>,
}

impl Partition<'_, '_> {
    fn peers(&self, group: usize) -> Range<usize> {
        self.rows.peers[group] as usize..self.rows.peers[group + 1] as usize
    }

    fn row(&self, place: usize) -> usize {
        self.rows.order[place] as usize
    }

    fn positional(
        &self,
        function: &WindowFunction,
        (call, input): (&BatchCall, &CallInput),
        results: &mut Results<'_>,
        run: &Run<'_>,
    ) -> Result<()> {
        struct Arguments<'p, 'r, 'a>(&'p Partition<'r, 'a>, &'p CallInput);
        impl PartitionRows for Arguments<'_, '_, '_> {
            fn argument(&mut self, row: u64, index: usize) -> Result<Value> {
                let row = self.0.row(self.0.range.start + row as usize);
                let column = self.1.arguments.get(index);
                Ok(column.map_or(Value::Null, |column| column.get(row).to_owned()))
            }
        }
        let start = self.range.start;
        let mut arguments = Arguments(self, input);
        for group in self.groups.clone() {
            let peers = self.peers(group);
            for place in peers.clone() {
                let position = Position {
                    row: (place - start) as u64,
                    rows: self.range.len() as u64,
                    peers: (peers.start - start) as u64..(peers.end - start) as u64,
                    peer_group: (group - self.groups.start) as u64,
                };
                let own = peers.start - start..peers.end - start;
                let rows = call.end.frame(place - start, &own, self.range.len());
                let rows = rows.into_iter().filter(|range| !range.is_empty());
                let frame: SmallVec<[Range<u64>; 1]> =
                    rows.map(|range| range.start as u64..range.end as u64).collect();
                let count = call.arguments.len();
                let value = (function.value)(&position, &frame, count, &mut arguments)?;
                results.push(value.as_ref(), 1, run)?;
            }
        }
        Ok(())
    }

    fn aggregate(
        &self,
        aggregate: &Aggregate,
        (call, node, input): (&BatchCall, &WindowCall, &CallInput),
        run: &Run<'_>,
        results: &mut Results<'_>,
    ) -> Result<()> {
        if matches!(call.end, FrameEnd::Around(..)) {
            return self.moving(aggregate, (call, node, input), run, results);
        }
        let mut state = aggregate.plain.make();
        let mut gathered = Weight::default();
        let mut cache = function::Cache::default();
        let mut step = |state: &mut Box<dyn Accumulator>, place: usize| -> Result<()> {
            let row = self.row(place);
            if !input.passes(row) {
                return Ok(());
            }
            let context = run.outer.context;
            let by_collation = |left: &[u8], right: &[u8]| {
                let (left, right) = (ValueRef::Text(left), ValueRef::Text(right));
                compare(left, right, node.call.collation, context.collations)
            };
            let mut surroundings = function::Context::new(context.session, &mut cache);
            if node.call.function.traits.uses_collation {
                surroundings.collation = &by_collation;
            }
            let values: SmallVec<[ValueRef<'_>; 2]> =
                input.arguments.iter().map(|argument| argument.get(row)).collect();
            state.step(&mut surroundings, &values)?;
            gathered.change(state.memory_bytes() as isize - gathered.bytes() as isize, context)?;
            Ok(())
        };
        let value = |state: &dyn Accumulator| {
            let mut cache = function::Cache::default();
            state.value(&mut function::Context::new(run.outer.context.session, &mut cache))
        };
        if call.end == FrameEnd::Partition {
            for place in self.range.clone() {
                step(&mut state, place)?;
            }
            return results.push(value(&*state)?.as_ref(), self.range.len(), run);
        }
        for group in self.groups.clone() {
            let peers = self.peers(group);
            for place in peers.clone() {
                step(&mut state, place)?;
                if call.end == FrameEnd::Row {
                    results.push(value(&*state)?.as_ref(), 1, run)?;
                }
            }
            if call.end == FrameEnd::Peers {
                results.push(value(&*state)?.as_ref(), peers.len(), run)?;
            }
        }
        Ok(())
    }

    /// An aggregate over frames of a number of rows around each.
    fn moving(
        &self,
        aggregate: &Aggregate,
        (call, node, input): (&BatchCall, &WindowCall, &CallInput),
        run: &Run<'_>,
        results: &mut Results<'_>,
    ) -> Result<()> {
        let mut moving = Moving::new(aggregate, &node.frame);
        let mut taken = Taken {
            partition: self,
            call: &node.call,
            input,
            context: run.outer.context,
            weight: Weight::default(),
            cache: function::Cache::default(),
        };
        for row in 0..self.range.len() {
            let frame = call.end.frame(row, &(row..row + 1), self.range.len());
            let value = moving.value_of(aggregate, frame, &mut taken)?;
            results.push(value.as_ref(), 1, run)?;
        }
        Ok(())
    }
}

/// The rows of a partition as a call takes them in and out.
struct Taken<'r, 'a> {
    partition: &'r Partition<'r, 'a>,
    call: &'r AggregateCall,
    input: &'r CallInput,
    context: &'r Context<'r>,
    /// What the state takes.
    weight: Weight,
    cache: function::Cache,
}

impl Steps for Taken<'_, '_> {
    fn change(&mut self, state: &mut dyn Accumulator, row: usize, takes_in: bool) -> Result<()> {
        self.context.tick()?;
        let row = self.partition.row(self.partition.range.start + row);
        if !self.input.passes(row) {
            return Ok(());
        }
        let (collation, collations) = (self.call.collation, self.context.collations);
        let by_collation = |left: &[u8], right: &[u8]| {
            compare(ValueRef::Text(left), ValueRef::Text(right), collation, collations)
        };
        let mut surroundings = function::Context::new(self.context.session, &mut self.cache);
        if self.call.function.traits.uses_collation {
            surroundings.collation = &by_collation;
        }
        let arguments = self.input.arguments.iter();
        let values: SmallVec<[ValueRef<'_>; 2]> = arguments.map(|it| it.get(row)).collect();
        if takes_in {
            state.step(&mut surroundings, &values)?;
        } else {
            state.inverse(&mut surroundings, &values)?;
        }
        let grown = state.memory_bytes() as isize - self.weight.bytes() as isize;
        self.weight.change(grown, self.context).map(drop)
    }

    fn value(&mut self, state: &dyn Accumulator) -> Result<Value> {
        state.value(&mut function::Context::new(self.context.session, &mut self.cache))
    }
}

// Neighbours: `sort`, `program`.
