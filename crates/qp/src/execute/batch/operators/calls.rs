//! Aggregates of groups, stepped for a batch at a time.
//!
//! `count`, `sum`, `total`, `avg`, `min` and `max` have loops of their own, with the very
//! additions of the function, so that sums agree bit by bit. DISTINCT and FILTER only choose
//! which rows such a loop sees. Any other aggregate is stepped row by row as in the row gear.
//! Neighbours: `aggregate` calls these, `groups` numbers the groups.

use std::cmp::Ordering;
use std::fmt;

use pandodb_ds::record::{Collation, Value, ValueRef};

use crate::error::Result;
use crate::execute::Context;
use crate::execute::batch::Run;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::expression::{Column, Condition, Expression, Shown};
use crate::execute::batch::filter::true_rows;
use crate::execute::batch::groups::Merged;
use crate::execute::batch::keys::KeyTable;
use crate::execute::batch::portable::Asked;
use crate::execute::batch::vector::{Tag, Tags, Vector};
use crate::execute::memory::Weight;
use crate::execute::operators::{CallSets, CallState, group_of};
use crate::function::{AccumulatorFactory, Implementation, Sum, SumResult};
use crate::plan::AggregateCall;
use crate::scalar::SlotId;
use crate::types::{BuiltInCollations, Collations, compare};

/// A compiled aggregate.
#[derive(Debug)]
pub(in crate::execute::batch) struct Call {
    kind: Kind,
    argument: Option<Expression>,
    filter: Option<Condition>,
    is_distinct: bool,
    collation: Collation,
    /// What a call that is stepped row by row reads.
    columns: Vec<usize>,
    slots: Vec<SlotId>,
}

/// What a call computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Count,
    Sum(SumResult),
    Extreme(Ordering),
    /// Any aggregate, row by row.
    Other,
}

/// The states of a call, one for each group.
pub(in crate::execute::batch) enum States {
    Count(Vec<i64>),
    Sum(Vec<Sum>),
    Extreme(Vec<Value>),
    Other(Vec<CallState>, Box<OtherGroups>),
}

/// What groups share that are stepped row by row.
#[derive(Default)]
pub(in crate::execute::batch) struct OtherGroups {
    sets: CallSets,
    /// What the states keep beside themselves.
    weight: Weight,
}

impl OtherGroups {
    /// Moves arguments that wait for their order to files.
    fn move_waiting(&mut self, states: &mut [CallState], context: &Context<'_>) -> Result<()> {
        for (group, state) in states.iter_mut().enumerate() {
            state.move_waiting((group, &mut self.sets), context)?;
            self.weight.change(state.growth(), context)?;
        }
        Ok(())
    }
}

/// What a call remembers.
pub(in crate::execute::batch) struct CallGroups {
    states: States,
    /// Arguments that were there, with their groups (DISTINCT).
    seen: KeyTable,
    /// What only a share of the rows has.
    share: Option<ShareNotes>,
}

/// What is noted of a share, for the time when shares are put together.
#[derive(Default)]
struct ShareNotes {
    /// The part that is being read.
    part: u32,
    /// Parts in which the extremes stand.
    parts: Vec<u32>,
    /// Arguments that were there, and the groups of each (DISTINCT).
    values: Vector,
    groups: Vec<u32>,
}

impl fmt::Debug for CallGroups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallGroups").finish_non_exhaustive()
    }
}

/// Which rows a call sees, and the groups of all rows.
struct Seen<'a> {
    /// None: one group.
    groups: Option<&'a [u32]>,
    /// None: all rows.
    rows: Option<&'a [u32]>,
    count: usize,
}

impl Seen<'_> {
    /// Calls `each` with the group and the number of each row that is seen.
    #[inline]
    fn each(&self, mut each: impl FnMut(usize, usize)) {
        match (self.groups, self.rows) {
            (None, None) => {
                for row in 0..self.count {
                    each(0, row);
                }
            }
            (None, Some(rows)) => {
                for row in rows {
                    each(0, *row as usize);
                }
            }
            (Some(groups), None) => {
                for (row, group) in groups.iter().enumerate() {
                    each(*group as usize, row);
                }
            }
            (Some(groups), Some(rows)) => {
                for row in rows {
                    each(groups[*row as usize] as usize, *row as usize);
                }
            }
        }
    }
}

/// Which built-in aggregate a call is, of those that have loops.
fn kind_of(call: &AggregateCall) -> Kind {
    let is_native = matches!(
        &call.function.implementation,
        Implementation::Aggregate(aggregate)
            if matches!(aggregate.plain, AccumulatorFactory::Native(_))
    );
    if !is_native || !call.order_by.is_empty() || call.arguments.len() > 1 {
        return Kind::Other;
    }
    match (&*call.function.name, call.arguments.len()) {
        ("count", 0) if !call.distinct => Kind::Count,
        ("count", 1) => Kind::Count,
        ("sum", 1) => Kind::Sum(SumResult::Sum),
        ("total", 1) => Kind::Sum(SumResult::Total),
        ("avg", 1) => Kind::Sum(SumResult::Average),
        ("min", 1) => Kind::Extreme(Ordering::Less),
        ("max", 1) => Kind::Extreme(Ordering::Greater),
        _ => Kind::Other,
    }
}

impl Call {
    /// Compiles a call; `expression` and `condition` compile its parts, `columns` lists what it
    /// reads.
    pub(in crate::execute::batch) fn new(
        call: &AggregateCall,
        argument: Option<Expression>,
        filter: Option<Condition>,
        (columns, slots): (Vec<usize>, Vec<SlotId>),
    ) -> Self {
        let mut kind = kind_of(call);
        if filter.is_some() && argument.as_ref().is_some_and(|argument| !argument.is_safe()) {
            // Only computed of rows that pass.
            kind = Kind::Other;
        }
        Self {
            kind,
            argument,
            filter,
            is_distinct: call.distinct,
            collation: call.collation,
            columns,
            slots,
        }
    }

    /// What is computed of every row, whoever does it.
    pub(in crate::execute::batch) fn ahead(&self) -> Option<&Expression> {
        self.argument.as_ref().filter(|_| self.kind != Kind::Other)
    }

    pub(in crate::execute::batch) fn start(&self) -> CallGroups {
        let states = match self.kind {
            Kind::Count => States::Count(Vec::new()),
            Kind::Sum(_) => States::Sum(Vec::new()),
            Kind::Extreme(_) => States::Extreme(Vec::new()),
            Kind::Other => States::Other(Vec::new(), Box::default()),
        };
        CallGroups { states, seen: KeyTable::default(), share: None }
    }

    /// Whether threads can step it for shares of the rows.
    pub(in crate::execute::batch) fn is_divisible(&self) -> bool {
        let is_kind = match self.kind {
            Kind::Count | Kind::Extreme(_) => true,
            Kind::Sum(_) => !self.is_distinct,
            Kind::Other => false,
        };
        is_kind
            && self.argument.as_ref().is_none_or(Expression::is_portable)
            && self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.is_portable_with(&mut Asked::default()))
    }

    /// As [`start`](Self::start), for a share of the rows.
    pub(in crate::execute::batch) fn start_share(&self) -> CallGroups {
        CallGroups { share: Some(ShareNotes::default()), ..self.start() }
    }

    /// Takes in what another share has; `places` are its groups here, of which there are `count`.
    pub(in crate::execute::batch) fn merge(
        &self,
        call: &AggregateCall,
        state: &mut CallGroups,
        other: CallGroups,
        merged: &Merged,
    ) -> Result<()> {
        self.fit(call, state, merged.count)?;
        let places = &merged.places;
        match (&mut state.states, other.states) {
            (States::Count(counts), States::Count(_)) if self.is_distinct => {
                let Some(notes) = other.share else { return Ok(()) };
                let groups = notes.groups.iter().map(|group| places[*group as usize]);
                let groups: Vec<u32> = groups.collect();
                let column = Column::Vector(pandodb_ds::sync::Arc::new(notes.values));
                let count = groups.len();
                let groups = merged.has_keys.then_some(groups.as_slice());
                let fresh = self.new_rows(&mut state.seen, &column, groups, None, count)?;
                count_rows(counts, &column, &Seen { groups, rows: Some(&fresh), count });
            }
            (States::Count(counts), States::Count(others)) => {
                for (place, other) in places.iter().zip(others) {
                    counts[*place as usize] += other;
                }
            }
            (States::Sum(sums), States::Sum(others)) => {
                for (place, other) in places.iter().zip(&others) {
                    sums[*place as usize].merge(other);
                }
            }
            (States::Extreme(best), States::Extreme(others)) => {
                let (Kind::Extreme(better), Some(own), Some(notes)) =
                    (self.kind, &mut state.share, other.share)
                else {
                    return Ok(());
                };
                for ((place, value), part) in places.iter().zip(others).zip(notes.parts) {
                    let place = *place as usize;
                    let (known, known_part) = (&mut best[place], &mut own.parts[place]);
                    let wins = match (value.as_ref(), known.as_ref()) {
                        (ValueRef::Null, _) => false,
                        (_, ValueRef::Null) => true,
                        (value, known) => {
                            let order = compare(value, known, self.collation, &BuiltInCollations);
                            order == better || order.is_eq() && part < *known_part
                        }
                    };
                    if wins {
                        (*known, *known_part) = (value, part);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes the rows of a batch into `count` groups.
    pub(in crate::execute::batch) fn step(
        &self,
        call: &AggregateCall,
        state: &mut CallGroups,
        (groups, count): (Option<&[u32]>, usize),
        batch: &mut Batch,
        run: &mut Run<'_>,
    ) -> Result<()> {
        self.fit(call, state, count)?;
        if let States::Other(states, others) = &mut state.states {
            return self.step_rows(call, (states, others), groups, batch, run);
        }
        let mut rows = match &self.filter {
            Some(filter) => Some(true_rows(&filter.truths(batch, run)?)),
            None => None,
        };
        let column = match &self.argument {
            Some(argument) => argument.evaluate(batch, run)?,
            None => Column::Constant(Value::Integer(1)),
        };
        if self.is_distinct {
            let fresh = self.new_rows(&mut state.seen, &column, groups, rows, batch.rows)?;
            if let Some(share) = &mut state.share {
                share.note(&fresh, &column, groups)?;
            }
            rows = Some(fresh);
        }
        let seen = Seen { groups, rows: rows.as_deref(), count: batch.rows };
        match &mut state.states {
            States::Count(counts) => count_rows(counts, &column, &seen),
            States::Sum(sums) => sum_rows(sums, &column, &seen),
            States::Extreme(best) => {
                let Kind::Extreme(better) = self.kind else { return Ok(()) };
                let rule = (better, self.collation, run.outer.context.collations);
                match &mut state.share {
                    Some(ShareNotes { part, parts, .. }) => {
                        extreme_rows(best, rule, &column, &seen, |group| parts[group] = *part);
                    }
                    None => extreme_rows(best, rule, &column, &seen, |_| {}),
                }
            }
            States::Other(..) => {}
        }
        Ok(())
    }

    /// Makes states for new groups.
    pub(in crate::execute::batch) fn fit(
        &self,
        call: &AggregateCall,
        state: &mut CallGroups,
        count: usize,
    ) -> Result<()> {
        match &mut state.states {
            States::Count(counts) => counts.resize(count, 0),
            States::Sum(sums) => {
                let Kind::Sum(result) = self.kind else { return Ok(()) };
                sums.resize(count, Sum::new(result));
            }
            States::Extreme(best) => {
                best.resize(count, Value::Null);
                if let Some(share) = &mut state.share {
                    share.parts.resize(count, 0);
                }
            }
            States::Other(states, _) => {
                while states.len() < count {
                    states.push(CallState::new(call)?);
                }
            }
        }
        Ok(())
    }

    /// The rows whose argument is new to their group.
    fn new_rows(
        &self,
        seen: &mut KeyTable,
        column: &Column,
        groups: Option<&[u32]>,
        rows: Option<Vec<u32>>,
        count: usize,
    ) -> Result<Vec<u32>> {
        let pick = |column: &Column| match (&rows, column) {
            (Some(rows), Column::Vector(vector)) => {
                Column::Vector(pandodb_ds::sync::Arc::new(vector.gather(rows)))
            }
            (_, column) => column.clone(),
        };
        let count = rows.as_ref().map_or(count, Vec::len);
        let mut fresh = Vec::new();
        let argument = pick(column);
        match groups {
            None => seen.assign(&[argument], &[self.collation], count, &mut fresh)?,
            Some(groups) => {
                let groups = groups.iter().map(|group| u64::from(*group)).collect();
                let groups =
                    pick(&Column::Vector(pandodb_ds::sync::Arc::new(Vector::of_integers(groups))));
                let collations = [Collation::Binary, self.collation];
                seen.assign(&[groups, argument], &collations, count, &mut fresh)?
            }
        };
        if let Some(rows) = rows {
            for row in &mut fresh {
                *row = rows[*row as usize];
            }
        }
        Ok(fresh)
    }

    fn step_rows(
        &self,
        call: &AggregateCall,
        (states, others): (&mut [CallState], &mut OtherGroups),
        groups: Option<&[u32]>,
        batch: &mut Batch,
        run: &mut Run<'_>,
    ) -> Result<()> {
        let shown = Shown::new(batch, &self.columns, &self.slots, run)?;
        let mut result = Ok(());
        let mut is_too_much = false;
        for row in 0..batch.rows {
            shown.turn_to(row, run);
            let group = groups.map_or(0, |groups| groups[row] as usize);
            let place = (group, Some(&mut others.sets));
            result = states[group].step(call, &run.frame.scope(run.outer), place).map(drop);
            if result.is_err() {
                break;
            }
            is_too_much |= others.weight.change(states[group].growth(), run.outer.context)?;
        }
        shown.end(run);
        result?;
        if is_too_much && !call.order_by.is_empty() && !others.sets.has_sorter() {
            others.move_waiting(states, run.outer.context)?;
        }
        Ok(())
    }
}

impl CallGroups {
    /// The result of a group.
    pub(in crate::execute::batch) fn finish(
        &mut self,
        call: &AggregateCall,
        group: usize,
        run: &Run<'_>,
    ) -> Result<Value> {
        Ok(match &mut self.states {
            States::Count(counts) => Value::Integer(counts[group]),
            States::Sum(sums) => sums[group].result()?,
            States::Extreme(best) => std::mem::take(&mut best[group]),
            States::Other(states, _) => states[group].finish(call, run.outer.context)?,
        })
    }

    /// The results of groups, where none can fail.
    pub(in crate::execute::batch) fn finish_all(&self, groups: &[u32]) -> Option<Vector> {
        match &self.states {
            States::Count(counts) => {
                let bits = groups.iter().map(|group| counts[*group as usize] as u64);
                Some(Vector::of_integers(bits.collect()))
            }
            States::Sum(sums) => {
                let mut vector = Vector::with_capacity(groups.len());
                for group in groups {
                    vector.push(sums[*group as usize].result().ok()?.as_ref());
                }
                Some(vector)
            }
            States::Extreme(_) | States::Other(..) => None,
        }
    }

    /// About how many bytes of memory it takes.
    pub(in crate::execute::batch) fn memory_bytes(&self) -> usize {
        let states = match &self.states {
            States::Count(counts) => counts.capacity() * 8,
            States::Sum(sums) => sums.capacity() * size_of::<Sum>(),
            States::Extreme(best) => best.capacity() * (size_of::<Value>() + 32),
            // What they keep beside themselves is on the account already.
            States::Other(states, _) => states.capacity() * (size_of::<CallState>() + 64),
        };
        let notes = self.share.as_ref().map_or(0, |share| {
            share.parts.capacity() * 4 + share.groups.capacity() * 4 + share.values.memory_bytes()
        });
        states + notes + self.seen.memory_bytes()
    }

    /// About how many bytes the arguments take that were there, where they have no files.
    pub(in crate::execute::batch) fn seen_bytes(&self) -> usize {
        self.seen.memory_bytes()
    }

    /// All rows have come: gives groups what waits for them in files.
    pub(in crate::execute::batch) fn settle(
        &mut self,
        call: &AggregateCall,
        context: &Context<'_>,
    ) -> Result<()> {
        let States::Other(states, others) = &mut self.states else { return Ok(()) };
        if !others.sets.has_files() {
            return Ok(());
        }
        if !call.order_by.is_empty() {
            others.move_waiting(states, context)?;
        }
        let OtherGroups { sets, weight } = &mut **others;
        let mut rows = std::mem::take(sets).into_rows(context)?;
        while let Some(row) = rows.next()? {
            context.tick()?;
            let Some(state) = states.get_mut(group_of(&row)) else { continue };
            state.take_back(call, &row, context)?;
            weight.change(state.growth(), context)?;
        }
        Ok(())
    }

    /// Says which part of the table comes next, where this is a share.
    pub(in crate::execute::batch) fn begin_part(&mut self, part: u32) {
        if let Some(share) = &mut self.share {
            share.part = part;
        }
    }

    /// Whether the merged results are those of one thread.
    pub(in crate::execute::batch) fn is_settled(&self) -> bool {
        match &self.states {
            States::Sum(sums) => sums.iter().all(Sum::is_settled),
            _ => true,
        }
    }
}

impl ShareNotes {
    /// Keeps arguments that were new to their groups.
    fn note(&mut self, fresh: &[u32], column: &Column, groups: Option<&[u32]>) -> Result<()> {
        for &row in fresh {
            self.values.check_size(0)?;
            self.values.push(column.get(row as usize));
            self.groups.push(groups.map_or(0, |groups| groups[row as usize]));
        }
        Ok(())
    }
}

fn count_rows(counts: &mut [i64], column: &Column, seen: &Seen<'_>) {
    match column {
        Column::Constant(value) if value.is_null() => {}
        Column::Vector(vector) if vector.seen().has(Tag::Null) => {
            let tags = vector.tags();
            seen.each(|group, row| counts[group] += i64::from(tags[row] != Tag::Null));
        }
        _ => match (seen.groups, seen.rows) {
            (None, None) => counts[0] += seen.count as i64,
            (None, Some(rows)) => counts[0] += rows.len() as i64,
            _ => seen.each(|group, _| counts[group] += 1),
        },
    }
}

fn sum_rows(sums: &mut [Sum], column: &Column, seen: &Seen<'_>) {
    if let (Column::Vector(vector), [sum], None, None) =
        (column, &mut *sums, seen.groups, seen.rows)
        && vector.seen() == Tags::REAL
    {
        sum.take_reals(vector.bits().iter().map(|bits| f64::from_bits(*bits)));
        return;
    }
    match column {
        Column::Vector(vector) if vector.seen() == Tags::REAL => {
            let bits = vector.bits();
            seen.each(|group, row| sums[group].take_real(f64::from_bits(bits[row])));
        }
        Column::Vector(vector) if vector.seen() == Tags::INTEGER => {
            let bits = vector.bits();
            seen.each(|group, row| sums[group].take_integer(bits[row] as i64));
        }
        column => seen.each(|group, row| sums[group].take(column.get(row))),
    }
}

fn extreme_rows(
    best: &mut [Value],
    (better, collation, collations): (Ordering, Collation, &dyn Collations),
    column: &Column,
    seen: &Seen<'_>,
    mut note: impl FnMut(usize),
) {
    seen.each(|group, row| {
        let value = column.get(row);
        let known = &mut best[group];
        let wins = match (value, known.as_ref()) {
            (ValueRef::Null, _) => false,
            (_, ValueRef::Null) => true,
            (value, known) => compare(value, known, collation, collations) == better,
        };
        if wins {
            *known = value.to_owned();
            note(group);
        }
    });
}

// Neighbours: `aggregate`, `keys`.
