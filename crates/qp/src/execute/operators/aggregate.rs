//! GROUP BY and aggregates.
//!
//! Groups are found by hashing their key's bytes and given out in the order of the keys, which
//! is SQLite's. Where rows come in the order of some of the keys, the groups of a run of rows that
//! agree in those are given out before the next run is read. Columns beside the keys are read from
//! a kept row of the group: its first, or the one that the last `min` or `max` took. Neighbours:
//! `function` has the accumulators.

use std::fmt;

use pandodb_ds::record::{Value, ValueRef};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::kept::Weight;
use super::materialize::KeptRow;
use super::{OperatorState, state};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::key::{push_collated, sort_key};
use crate::execute::{Context, Frame, HashedRow, Outer, Scope, Slot};
use crate::function::{self, Accumulator, Implementation};
use crate::plan::{AggregateCall, Aggregation};
use crate::types::{Datum, compare};

/// All groups.
#[derive(Debug, Default)]
pub struct AggregateState {
    groups: Vec<Group>,
    next: usize,
    /// Holds the memory on the statement's account.
    weight: Weight,
    /// The run that is read, of an input in order.
    run: Option<Box<Run>>,
}

/// Where the reading of an input in order is.
#[derive(Debug, Default)]
struct Run {
    /// The sorted keys of the run, and those of the row that was read last.
    key: Vec<u8>,
    next_key: Vec<u8>,
    /// The first row of the next run is the current row.
    has_row: bool,
    is_done: bool,
    /// The rows of the input that the groups' own rows stand in for.
    input_rows: Vec<Slot>,
}

/// One group.
struct Group {
    key: Box<[u8]>,
    values: Vec<Value>,
    calls: Vec<CallState>,
    kept: KeptRow,
    is_empty: bool,
}

/// The state of one aggregate of a group.
pub(in crate::execute) struct CallState {
    accumulator: Box<dyn Accumulator>,
    cache: function::Cache,
    /// Arguments that were there (DISTINCT).
    seen: Option<FxHashSet<HashedRow>>,
    /// Neither FILTER nor DISTINCT nor ORDER BY, and no argument that needs more than its value.
    is_plain: bool,
    /// Arguments that wait for their order (ORDER BY).
    waiting: Vec<(Vec<u8>, SmallVec<[Value; 2]>)>,
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("values", &self.values).finish_non_exhaustive()
    }
}

impl Making {
    /// The groups in the order of their keys.
    fn in_order(mut self) -> Vec<Group> {
        self.groups.sort_by(|left, right| left.key.cmp(&right.key));
        self.groups
    }
}

impl CallState {
    pub(in crate::execute) fn new(call: &AggregateCall) -> Result<Self> {
        let Implementation::Aggregate(aggregate) = &call.function.implementation else {
            let message = format!("{}() is no aggregate", call.function.name);
            return Err(Error::new(ErrorKind::Internal, message));
        };
        let traits = &call.function.traits;
        let is_plain = call.filter.is_none()
            && !call.distinct
            && call.order_by.is_empty()
            && call.arguments.len() <= 1
            && !traits.reads_json
            && (!traits.uses_collation || call.collation == pandodb_ds::record::Collation::Binary);
        Ok(Self {
            is_plain,
            accumulator: aggregate.plain.make(),
            cache: function::Cache::default(),
            seen: call.distinct.then(FxHashSet::default),
            waiting: Vec::new(),
        })
    }

    /// Takes the current row in.
    pub(in crate::execute) fn step(
        &mut self,
        call: &AggregateCall,
        scope: &Scope<'_>,
    ) -> Result<()> {
        if self.is_plain {
            // The common case: nothing but a step with at most one argument.
            let mut surroundings =
                function::Context::new(scope.outer.context.session, &mut self.cache);
            return match call.arguments.as_slice() {
                [] => self.accumulator.step(&mut surroundings, &[]),
                [argument, ..] => {
                    let value = argument.evaluate(scope)?;
                    self.accumulator.step(&mut surroundings, &[value.as_ref()])
                }
            };
        }
        if let Some(filter) = &call.filter
            && !filter.is_true(scope)?
        {
            return Ok(());
        }
        let reads_json = call.function.traits.reads_json;
        let mut flags = function::JsonFlags::none();
        let mut arguments: SmallVec<[Datum<'_>; 2]> = SmallVec::new();
        for (index, argument) in call.arguments.iter().enumerate() {
            if reads_json {
                let (value, is_json) = argument.evaluate_json(scope)?;
                if is_json {
                    flags.set(index);
                }
                arguments.push(value);
            } else {
                arguments.push(argument.evaluate(scope)?);
            }
        }
        if let Some(seen) = &mut self.seen {
            let mut key = Vec::new();
            for argument in &arguments {
                push_collated(argument.as_ref(), call.collation, scope.outer.context, &mut key)?;
            }
            if !seen.insert(key.into_boxed_slice()) {
                return Ok(());
            }
        }
        if !call.order_by.is_empty() {
            let mut key = Vec::new();
            sort_key(&call.order_by, scope, &mut key)?;
            self.waiting.push((key, arguments.into_iter().map(Datum::into_value).collect()));
            return Ok(());
        }
        let references: SmallVec<[ValueRef<'_>; 2]> = arguments.iter().map(Datum::as_ref).collect();
        self.apply(call, &references, flags, scope.outer.context)
    }

    fn apply(
        &mut self,
        call: &AggregateCall,
        arguments: &[ValueRef<'_>],
        flags: function::JsonFlags,
        context: &Context<'_>,
    ) -> Result<()> {
        let by_collation = |left: &[u8], right: &[u8]| {
            let (left, right) = (ValueRef::Text(left), ValueRef::Text(right));
            compare(left, right, call.collation, context.collations)
        };
        let mut surroundings = function::Context::new(context.session, &mut self.cache);
        surroundings.json_arguments = flags;
        if call.function.traits.uses_collation {
            surroundings.collation = &by_collation;
        }
        self.accumulator.step(&mut surroundings, arguments)
    }

    /// The result.
    pub(in crate::execute) fn finish(
        &mut self,
        call: &AggregateCall,
        context: &Context<'_>,
    ) -> Result<Value> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by(|left, right| left.0.cmp(&right.0));
        for (_, arguments) in &waiting {
            let references: SmallVec<[ValueRef<'_>; 2]> =
                arguments.iter().map(Value::as_ref).collect();
            self.apply(call, &references, function::JsonFlags::none(), context)?;
        }
        let mut surroundings = function::Context::new(context.session, &mut self.cache);
        self.accumulator.value(&mut surroundings)
    }

    /// The result so far.
    fn value(&mut self, context: &Context<'_>) -> Result<Value> {
        let mut surroundings = function::Context::new(context.session, &mut self.cache);
        self.accumulator.value(&mut surroundings)
    }
}

/// Groups that are being made.
#[derive(Default)]
struct Making {
    groups: Vec<Group>,
    by_key: FxHashMap<Box<[u8]>, usize>,
    key: Vec<u8>,
}

impl Aggregation {
    pub(super) fn open(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        self.input.open(frame, outer)?;
        let mut state = AggregateState::default();
        if self.sorted.is_empty() {
            let mut making = Making::default();
            while self.input.next(frame, outer)? {
                self.take(&mut making, &mut state.weight, frame, outer)?;
            }
            if making.groups.is_empty() && self.keys.is_empty() {
                making.groups.push(self.new_group(Box::default(), Vec::new())?);
            }
            state.groups = making.in_order();
        } else {
            state.run = Some(Box::default());
        }
        *frame.state_mut(self.state) = OperatorState::Aggregate(Box::new(state));
        Ok(())
    }

    /// Takes the current row into its group.
    fn take(
        &self,
        making: &mut Making,
        weight: &mut Weight,
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        let Making { groups, by_key, key } = making;
        key.clear();
        let scope = frame.scope(outer);
        let mut values: SmallVec<[Datum<'_>; 4]> = SmallVec::new();
        for part in &self.keys {
            let value = part.value.evaluate(&scope)?;
            push_collated(value.as_ref(), part.collation, outer.context, key)?;
            values.push(value);
        }
        let is_only = self.keys.is_empty() || self.sorted.len() == self.keys.len();
        let index = if is_only && !groups.is_empty() {
            0
        } else if let Some(&index) = by_key.get(key.as_slice()) {
            index
        } else {
            let values = values.into_iter().map(Datum::into_value).collect();
            let group = size_of::<Group>() + self.calls.len() * size_of::<CallState>();
            weight.add(group + 2 * key.len(), outer.context)?;
            let key: Box<[u8]> = Box::from(key.as_slice());
            groups.push(self.new_group(key.clone(), values)?);
            if !is_only {
                by_key.insert(key, groups.len() - 1);
            }
            groups.len() - 1
        };
        self.step(&mut groups[index], frame, outer)
    }

    /// Makes the groups of the next run of rows that agree in the sorted keys.
    fn read_run(
        &self,
        state: &mut AggregateState,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        let Some(run) = &mut state.run else { return Ok(()) };
        for (slot, row) in self.bare_slots.iter().zip(run.input_rows.drain(..)) {
            *frame.slot_mut(*slot) = row;
        }
        let mut making = Making::default();
        state.groups.clear();
        state.weight.clear(outer.context)?;
        state.next = 0;
        while !run.is_done {
            if !std::mem::take(&mut run.has_row) {
                if !self.input.next(frame, outer)? {
                    run.is_done = true;
                    break;
                }
                run.next_key.clear();
                let scope = frame.scope(outer);
                for part in self.sorted.iter().filter_map(|place| self.keys.get(*place)) {
                    let value = part.value.evaluate(&scope)?;
                    let key = &mut run.next_key;
                    push_collated(value.as_ref(), part.collation, outer.context, key)?;
                }
                if run.key != run.next_key {
                    std::mem::swap(&mut run.key, &mut run.next_key);
                    if !making.groups.is_empty() {
                        run.has_row = true;
                        break;
                    }
                }
            }
            self.take(&mut making, &mut state.weight, frame, outer)?;
        }
        // The groups' rows are shown where the input's are, which goes on from them later.
        let slots = self.bare_slots.iter();
        run.input_rows = slots.map(|slot| std::mem::take(frame.slot_mut(*slot))).collect();
        state.groups = making.in_order();
        Ok(())
    }

    fn new_group(&self, key: Box<[u8]>, values: Vec<Value>) -> Result<Group> {
        let calls = self.calls.iter().map(CallState::new).collect::<Result<_>>()?;
        let mut kept = KeptRow::default();
        kept.0.resize(self.bare_slots.len(), crate::execute::Kept::Null);
        Ok(Group { key, values, calls, kept, is_empty: true })
    }

    /// Takes the current row into a group.
    fn step(&self, group: &mut Group, frame: &Frame, outer: Outer<'_>) -> Result<()> {
        let scope = frame.scope(outer);
        let mut keep = group.is_empty;
        for (call, state) in self.calls.iter().zip(&mut group.calls) {
            let follows = !self.bare_slots.is_empty()
                && call.arguments.len() == 1
                && matches!(&*call.function.name, "min" | "max");
            if !follows {
                state.step(call, &scope)?;
                continue;
            }
            let before = state.value(outer.context)?;
            state.step(call, &scope)?;
            let after = state.value(outer.context)?;
            let passes = match &call.filter {
                Some(filter) => filter.is_true(&scope)?,
                None => true,
            };
            // A new extreme brings its row with it; a NULL only while there is none.
            keep = (passes && (after != before || after.is_null())) || group.is_empty;
        }
        if keep && !self.bare_slots.is_empty() {
            group.kept = KeptRow::of(&self.bare_slots, frame)?;
        }
        group.is_empty = false;
        Ok(())
    }

    pub(super) fn next(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<bool> {
        let state = state!(frame, self.state, Aggregate);
        if state.next >= state.groups.len() && state.run.as_ref().is_some_and(|run| !run.is_done) {
            let OperatorState::Aggregate(mut state) = std::mem::take(frame.state_mut(self.state))
            else {
                return Err(super::not_open(self.state));
            };
            let read = self.read_run(&mut state, frame, outer);
            *frame.state_mut(self.state) = OperatorState::Aggregate(state);
            read?;
        }
        let state = state!(frame, self.state, Aggregate);
        let Some(group) = state.groups.get_mut(state.next) else { return Ok(false) };
        state.next += 1;
        let mut values = std::mem::take(&mut group.values);
        let kept = std::mem::take(&mut group.kept);
        for (call, state) in self.calls.iter().zip(&mut group.calls) {
            values.push(state.finish(call, outer.context)?);
        }
        group.calls = Vec::new();
        kept.put_back(&self.bare_slots, frame);
        frame.slot_mut(self.slot).set_values(0, values);
        Ok(true)
    }
}
