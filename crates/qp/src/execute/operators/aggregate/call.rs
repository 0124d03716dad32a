//! The state of one aggregate of a group, and what the groups of a call share.
//!
//! FILTER, DISTINCT and ORDER BY are applied here. Arguments that were there (DISTINCT) are known
//! for all groups of a call together, so that they can go to files together; arguments that wait
//! for their order wait with their group until they have to go to a file. What waits in files is
//! given to the groups ([`CallSets::into_rows`]) before the first of them is finished. Neighbours:
//! `fresh` and `sort` have the files, `function` the accumulators.

use std::fmt;

use pandodb_ds::record::{Collation, Value, ValueRef};
use smallvec::{SmallVec, smallvec};

use super::super::fresh::{Answer, Fresh};
use super::super::materialize::{KeptRow, values_bytes};
use super::super::sort::{SortState, Sorter};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::key::{push_collated, sort_key};
use crate::execute::{Context, Kept, Scope};
use crate::function::{self, Accumulator, AccumulatorFactory, Implementation, JsonFlags};
use crate::plan::AggregateCall;
use crate::types::{Datum, compare};

/// About what arguments that wait take, beside their bytes.
const WAITING_BYTES: usize = size_of::<Waiting>();

/// The state of one aggregate of a group.
pub(in crate::execute) struct CallState {
    accumulator: Box<dyn Accumulator>,
    cache: function::Cache,
    /// Neither FILTER nor DISTINCT nor ORDER BY, and no argument that needs more than its value.
    is_plain: bool,
    /// Only arguments that were not there count.
    is_distinct: bool,
    /// Arguments that wait for their order (ORDER BY).
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// What it was said to keep.
    said: usize,
}

/// Arguments that wait for their order.
struct Waiting {
    order: Vec<u8>,
    arrival: u64,
    flags: JsonFlags,
    arguments: SmallVec<[Value; 2]>,
}

/// What the groups of a call share.
#[derive(Debug, Default)]
pub(in crate::execute) struct CallSets {
    /// Arguments that were there, with their groups (DISTINCT).
    fresh: Fresh,
    /// Arguments of all groups that wait for their order in files.
    sorter: Option<Box<Sorter>>,
    arrivals: u64,
    key: Vec<u8>,
}

/// A group as its calls know it: its number, and what it shares with the others.
pub(in crate::execute) type GroupPlace<'r> = (usize, Option<&'r mut CallSets>);

impl fmt::Debug for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallState").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

/// Whether a call's arguments are told apart; an extreme is the same of values that come twice.
fn is_distinct(call: &AggregateCall) -> bool {
    let is_extreme = matches!(
        &call.function.implementation,
        Implementation::Aggregate(aggregate)
            if matches!(aggregate.plain, AccumulatorFactory::Native(_))
                && call.arguments.len() == 1
                && matches!(&*call.function.name, "min" | "max")
    );
    call.distinct && !is_extreme
}

impl CallState {
    pub(in crate::execute) fn new(call: &AggregateCall) -> Result<Self> {
        let Implementation::Aggregate(aggregate) = &call.function.implementation else {
            let message = format!("{}() is no aggregate", call.function.name);
            return Err(Error::new(ErrorKind::Internal, message));
        };
        let traits = &call.function.traits;
        let is_plain = call.filter.is_none()
            && !CallSets::are_needed(call)
            && call.arguments.len() <= 1
            && !traits.reads_json
            && (!traits.uses_collation || call.collation == Collation::Binary);
        Ok(Self {
            is_plain,
            is_distinct: is_distinct(call),
            accumulator: aggregate.plain.make(),
            cache: function::Cache::default(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            said: 0,
        })
    }

    /// Takes the current row in; whether FILTER lets it pass.
    pub(in crate::execute) fn step(
        &mut self,
        call: &AggregateCall,
        scope: &Scope<'_>,
        place: GroupPlace<'_>,
    ) -> Result<bool> {
        if self.is_plain {
            // The common case: nothing but a step with at most one argument.
            let mut surroundings =
                function::Context::new(scope.outer.context.session, &mut self.cache);
            match call.arguments.as_slice() {
                [] => self.accumulator.step(&mut surroundings, &[])?,
                [argument, ..] => {
                    let value = argument.evaluate(scope)?;
                    self.accumulator.step(&mut surroundings, &[value.as_ref()])?;
                }
            }
            return Ok(true);
        }
        let mut arguments = SmallVec::new();
        let Some(flags) = evaluate(call, scope, &mut arguments)? else { return Ok(false) };
        let mut order = Vec::new();
        if !call.order_by.is_empty() {
            sort_key(&call.order_by, scope, &mut order)?;
        }
        let references: SmallVec<[ValueRef<'_>; 2]> = arguments.iter().map(Datum::as_ref).collect();
        self.take(call, (&references, flags, order), place, scope.outer.context)?;
        Ok(true)
    }

    /// Takes in what [`of_row`](Self::of_row) kept of a row; whether FILTER had let it pass.
    pub(in crate::execute) fn step_kept(
        &mut self,
        call: &AggregateCall,
        row: &Kept,
        place: GroupPlace<'_>,
        context: &Context<'_>,
    ) -> Result<bool> {
        let Kept::Values { rowid: flags, values } = row else { return Ok(false) };
        let mut arguments: SmallVec<[ValueRef<'_>; 2]> = values.iter().map(Value::as_ref).collect();
        let mut order = Vec::new();
        if !call.order_by.is_empty()
            && let Some(ValueRef::Blob(bytes)) = arguments.pop()
        {
            order.extend_from_slice(bytes);
        }
        self.take(call, (&arguments, JsonFlags::of_word(*flags as u64), order), place, context)?;
        Ok(true)
    }

    /// What a call reads of the current row.
    pub(in crate::execute) fn of_row(call: &AggregateCall, scope: &Scope<'_>) -> Result<Kept> {
        let mut arguments = SmallVec::new();
        let Some(flags) = evaluate(call, scope, &mut arguments)? else { return Ok(Kept::Null) };
        let mut values: Vec<Value> = arguments.into_iter().map(Datum::into_value).collect();
        if !call.order_by.is_empty() {
            let mut order = Vec::new();
            sort_key(&call.order_by, scope, &mut order)?;
            values.push(Value::Blob(order.into()));
        }
        Ok(Kept::Values { rowid: flags.word() as i64, values })
    }

    /// Takes in arguments that passed FILTER.
    fn take(
        &mut self,
        call: &AggregateCall,
        (arguments, flags, order): (&[ValueRef<'_>], JsonFlags, Vec<u8>),
        (group, sets): GroupPlace<'_>,
        context: &Context<'_>,
    ) -> Result<()> {
        let is_ordered = !call.order_by.is_empty();
        let Some(sets) = sets.filter(|_| is_ordered || self.is_distinct) else {
            return self.apply(call, arguments, flags, context);
        };
        let CallSets { fresh, sorter, arrivals, key } = sets;
        let arrival = *arrivals;
        *arrivals += 1;
        if self.is_distinct {
            key.clear();
            key.extend_from_slice(&(group as u64).to_be_bytes());
            for argument in arguments {
                push_collated(*argument, call.collation, context, key)?;
            }
            match fresh.ask(key, context)? {
                Answer::New => {}
                Answer::Known => return Ok(()),
                Answer::Later => {
                    let row = kept_row(group, arguments.iter().copied(), &flags);
                    return fresh.put_aside(key, &place(group, &order, arrival), &row, context);
                }
            }
        }
        if !is_ordered {
            return self.apply(call, arguments, flags, context);
        }
        if let Some(sorter) = sorter {
            let row = kept_row(group, arguments.iter().copied(), &flags);
            return sorter.push(place(group, &order, arrival), row, context);
        }
        let arguments: SmallVec<[Value; 2]> =
            arguments.iter().map(|argument| ValueRef::to_owned(*argument)).collect();
        self.waiting_bytes += WAITING_BYTES + order.len() + values_bytes(&arguments);
        self.waiting.push(Waiting { order, arrival, flags, arguments });
        Ok(())
    }

    fn apply(
        &mut self,
        call: &AggregateCall,
        arguments: &[ValueRef<'_>],
        flags: JsonFlags,
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

    /// Takes in arguments that waited in a file, in their order.
    pub(in crate::execute) fn take_back(
        &mut self,
        call: &AggregateCall,
        row: &KeptRow,
        context: &Context<'_>,
    ) -> Result<()> {
        let Some(Kept::Values { values, .. }) = row.0.first() else { return Ok(()) };
        let [Value::Integer(flags), arguments @ ..] = values.as_slice() else { return Ok(()) };
        let references: SmallVec<[ValueRef<'_>; 2]> = arguments.iter().map(Value::as_ref).collect();
        self.apply(call, &references, JsonFlags::of_word(*flags as u64), context)
    }

    /// By how many bytes it has grown since it was asked last.
    pub(in crate::execute) fn growth(&mut self) -> isize {
        let kept = self.accumulator.memory_bytes() + self.waiting_bytes;
        let grown = kept as isize - self.said as isize;
        self.said = kept;
        grown
    }

    /// The result.
    pub(in crate::execute) fn finish(
        &mut self,
        call: &AggregateCall,
        context: &Context<'_>,
    ) -> Result<Value> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by(|left, right| left.order.cmp(&right.order));
        for Waiting { flags, arguments, .. } in waiting {
            let references: SmallVec<[ValueRef<'_>; 2]> =
                arguments.iter().map(Value::as_ref).collect();
            self.apply(call, &references, flags, context)?;
        }
        self.value(context)
    }

    /// The result so far.
    pub(super) fn value(&mut self, context: &Context<'_>) -> Result<Value> {
        let mut surroundings = function::Context::new(context.session, &mut self.cache);
        self.accumulator.value(&mut surroundings)
    }

    /// Moves arguments that wait for their order to where those of all groups do.
    pub(in crate::execute) fn move_waiting(
        &mut self,
        (group, sets): (usize, &mut CallSets),
        context: &Context<'_>,
    ) -> Result<()> {
        let sorter = sets.sorter.get_or_insert_default();
        for Waiting { order, arrival, flags, arguments } in std::mem::take(&mut self.waiting) {
            let row = kept_row(group, arguments.iter().map(Value::as_ref), &flags);
            sorter.push(place(group, &order, arrival), row, context)?;
        }
        self.waiting_bytes = 0;
        Ok(())
    }
}

impl CallSets {
    /// Whether a call has any use for them.
    pub(in crate::execute) fn are_needed(call: &AggregateCall) -> bool {
        !call.order_by.is_empty() || is_distinct(call)
    }

    /// Whether arguments wait for their order in files.
    pub(in crate::execute) fn has_sorter(&self) -> bool {
        self.sorter.is_some()
    }

    /// Whether anything waits in files.
    pub(in crate::execute) fn has_files(&self) -> bool {
        self.sorter.is_some() || self.fresh.has_aside()
    }

    /// What waits in files, group by group, in the order that each asks for; no group may keep
    /// arguments that wait any more.
    pub(in crate::execute) fn into_rows(self, context: &Context<'_>) -> Result<SortState> {
        let mut sorter = self.sorter.unwrap_or_default();
        self.fresh.sort_rest(&mut sorter, context)?;
        sorter.finish(None, context)
    }
}

/// Evaluates the arguments of a call; `None` where FILTER does not let the row pass.
fn evaluate<'s>(
    call: &'s AggregateCall,
    scope: &Scope<'s>,
    arguments: &mut SmallVec<[Datum<'s>; 2]>,
) -> Result<Option<JsonFlags>> {
    if let Some(filter) = &call.filter
        && !filter.is_true(scope)?
    {
        return Ok(None);
    }
    let mut flags = JsonFlags::none();
    for (index, argument) in call.arguments.iter().enumerate() {
        if call.function.traits.reads_json {
            let (value, is_json) = argument.evaluate_json(scope)?;
            if is_json {
                flags.set(index);
            }
            arguments.push(value);
        } else {
            arguments.push(argument.evaluate(scope)?);
        }
    }
    Ok(Some(flags))
}

/// The group of a row that [`CallSets::into_rows`] gives.
pub(in crate::execute) fn group_of(row: &KeptRow) -> usize {
    match row.0.first() {
        Some(Kept::Values { rowid, .. }) => *rowid as usize,
        _ => 0,
    }
}

/// Where arguments stand among those of all groups.
fn place(group: usize, order: &[u8], arrival: u64) -> Vec<u8> {
    let mut place = Vec::with_capacity(order.len() + 16);
    place.extend_from_slice(&(group as u64).to_be_bytes());
    place.extend_from_slice(order);
    place.extend_from_slice(&arrival.to_be_bytes());
    place
}

/// Arguments as they go to a file: under the number of their group, behind their flags.
fn kept_row<'v>(
    group: usize,
    arguments: impl Iterator<Item = ValueRef<'v>>,
    flags: &JsonFlags,
) -> KeptRow {
    let mut values = vec![Value::Integer(flags.word() as i64)];
    values.extend(arguments.map(ValueRef::to_owned));
    KeptRow(smallvec![Kept::Values { rowid: group as i64, values }])
}
