//! GROUP BY and aggregates over batches.
//!
//! When the groups take too much memory, no new ones are made: rows of other groups are put
//! aside into files and grouped afterwards, and the results are sorted together. Neighbours:
//! `groups` numbers the groups, `calls` computes over them, `partition` puts rows aside.

use pandodb_ds::sync::Arc;

use crate::error::{Error, Result};
use crate::execute::batch::Run;
use crate::execute::batch::batch::{BATCH_ROWS, Batch};
use crate::execute::batch::calls::{Call, CallGroups};
use crate::execute::batch::exchange::{self, Ahead};
use crate::execute::batch::expression::{Column, Expression};
use crate::execute::batch::groups::Groups;
use crate::execute::batch::keys::NONE;
use crate::execute::batch::partition::{Feed, put};
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::shares;
use crate::execute::batch::sort::{KeyOrder, Sorted, Sorter};
use crate::execute::batch::vector::Vector;
use crate::execute::files::partition::{Partitions, Waiting, may_be_divided};
use crate::execute::memory::Charge;
use crate::plan::Aggregation;

/// A compiled aggregation.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchAggregate {
    pub(in crate::execute::batch) input: Operator,
    /// Columns that are read of each row.
    pub(in crate::execute::batch) reads: Vec<usize>,
    pub(in crate::execute::batch) keys: Vec<Expression>,
    pub(in crate::execute::batch) calls: Vec<Call>,
    /// Columns of the input that are read of a group.
    pub(in crate::execute::batch) bare: Vec<usize>,
    /// Where the keys, then the calls go, as far as they are read.
    pub(in crate::execute::batch) outputs: Vec<Option<usize>>,
    /// Whether threads can group shares of the rows.
    pub(in crate::execute::batch) is_divisible: bool,
}

/// Where an aggregation is.
#[derive(Debug)]
pub(in crate::execute::batch) struct AggregateState {
    pub(in crate::execute::batch) input: State,
    results: Option<Results>,
}

/// All groups, being given out.
#[derive(Debug)]
enum Results {
    Kept(Box<Built>),
    Sorted(Box<Sorted>, Vec<usize>),
}

/// Groups that were kept.
#[derive(Debug)]
struct Built {
    groups: Groups,
    calls: Vec<CallGroups>,
    order: Vec<u32>,
    next: usize,
    /// What the next group fails with.
    error: Option<Error>,
    charge: Charge,
}

/// The groups of the rows that one thread sees.
struct Share {
    groups: Groups,
    calls: Vec<CallGroups>,
    charge: Charge,
}

impl BatchAggregate {
    pub(in crate::execute::batch) fn open(
        &self,
        node: &Aggregation,
        run: &mut Run<'_>,
    ) -> Result<AggregateState> {
        Ok(AggregateState { input: self.input.open(&node.input, run)?, results: None })
    }

    pub(in crate::execute::batch) fn next(
        &self,
        node: &Aggregation,
        state: &mut AggregateState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        if state.results.is_none() {
            state.results = Some(self.compute(node, &mut state.input, run)?);
        }
        match &mut state.results {
            Some(Results::Kept(built)) => Ok(self.give(node, built, run)?.map(|(batch, _)| batch)),
            Some(Results::Sorted(sorted, numbers)) => sorted.give(numbers, run),
            None => Ok(None),
        }
    }

    /// Reads the whole input, and what was put aside of it.
    fn compute(&self, node: &Aggregation, input: &mut State, run: &mut Run<'_>) -> Result<Results> {
        if let Some(built) = self.compute_in_shares(node, input, run)? {
            return Ok(Results::Kept(Box::new(built)));
        }
        let computed: Vec<&Expression> =
            self.keys.iter().chain(self.calls.iter().filter_map(Call::ahead)).collect();
        let ahead = Ahead { columns: &self.reads, expressions: &computed };
        let (built, aside) =
            exchange::feed((&self.input, &node.input), ahead, input, run, |input, run| {
                self.build(node, Feed::Input(&self.input, &node.input, input), 0, run)
            })?;
        if aside.is_empty() {
            return Ok(Results::Kept(Box::new(built)));
        }
        let numbers: Vec<usize> =
            self.outputs.iter().flatten().chain(&self.bare).copied().collect();
        let order = |key: &crate::plan::GroupKey| KeyOrder {
            collation: key.collation,
            descending: false,
            nulls_first: true,
        };
        let orders = node.keys.iter().map(order).collect();
        let mut sorter = Sorter::new(orders, numbers.len(), run);
        self.sort_in(node, built, &mut sorter, &numbers, run)?;
        let mut waiting = aside;
        while let Some((reader, depth)) = waiting.pop() {
            let (built, aside) = self.build(node, Feed::File(reader), depth, run)?;
            self.sort_in(node, built, &mut sorter, &numbers, run)?;
            waiting.extend(aside);
        }
        Ok(Results::Sorted(Box::new(sorter.finish(None, run)?), numbers))
    }

    /// Groups shares of the rows in several threads, where the result is that of one.
    fn compute_in_shares(
        &self,
        node: &Aggregation,
        input: &mut State,
        run: &mut Run<'_>,
    ) -> Result<Option<Built>> {
        if !self.is_divisible {
            return Ok(None);
        }
        let collations: Vec<_> = node.keys.iter().map(|key| key.collation).collect();
        let start = |run: &Run<'_>| Share {
            groups: Groups::new(collations.clone(), self.bare.len()),
            calls: self.calls.iter().map(Call::start_share).collect(),
            charge: run.outer.context.run.memory().charge(),
        };
        let work = |share: &mut Share, part: u64, state: &mut State, run: &mut Run<'_>| {
            self.take_part(node, share, (part, state), run)
        };
        let shares = shares::fold((&self.input, &node.input), input, run, start, work)?;
        let Some(mut shares) = shares else { return Ok(None) };
        // The most groups stay where they are.
        shares.sort_by_key(|share| share.groups.len());
        let Some(mut built) = shares.pop() else { return Ok(None) };
        for share in shares {
            let merged = built.groups.merge(share.groups)?;
            let calls = self.calls.iter().zip(&node.calls);
            for ((call, node), (state, other)) in calls.zip(built.calls.iter_mut().zip(share.calls))
            {
                call.merge(node, state, other, &merged)?;
            }
        }
        let Share { mut groups, mut calls, charge } = built;
        groups.finish();
        for ((call, state), node) in self.calls.iter().zip(&mut calls).zip(&node.calls) {
            call.fit(node, state, groups.len())?;
        }
        if !calls.iter().all(CallGroups::is_settled) {
            return Ok(None);
        }
        let order = groups.ordered()?;
        Ok(Some(Built { groups, calls, order, next: 0, error: None, charge }))
    }

    /// Takes the rows of a part into a share; whether there is room for them.
    fn take_part(
        &self,
        node: &Aggregation,
        share: &mut Share,
        (part, state): (u64, &mut State),
        run: &mut Run<'_>,
    ) -> Result<bool> {
        let Share { groups, calls, charge } = share;
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        groups.begin_part(part);
        for call in calls.iter_mut() {
            call.begin_part(part);
        }
        while let Some(mut batch) = self.input.next(&node.input, state, run)? {
            batch.force(&self.reads)?;
            self.take_batch(node, groups, calls, &mut batch, run)?;
            let bytes: usize = calls.iter().map(CallGroups::memory_bytes).sum();
            if charge.set(bytes + groups.memory_bytes(), run.outer.context.settings)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Takes rows into their groups.
    fn take_batch(
        &self,
        node: &Aggregation,
        groups: &mut Groups,
        calls: &mut [CallGroups],
        batch: &mut Batch,
        run: &mut Run<'_>,
    ) -> Result<()> {
        let mut keys = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            keys.push(key.evaluate(batch, run)?);
        }
        let numbers = groups.assign(&keys, &self.bare, batch)?;
        let place = (numbers.as_deref(), groups.len());
        for ((call, state), node) in self.calls.iter().zip(calls).zip(&node.calls) {
            call.step(node, state, place, batch, run)?;
        }
        Ok(())
    }

    /// Groups rows; those that had to be put aside are given back.
    fn build(
        &self,
        node: &Aggregation,
        mut feed: Feed<'_>,
        depth: u32,
        run: &mut Run<'_>,
    ) -> Result<(Built, Vec<Waiting>)> {
        let collations: Vec<_> = node.keys.iter().map(|key| key.collation).collect();
        let mut groups = Groups::new(collations.clone(), self.bare.len());
        let mut calls: Vec<CallGroups> = self.calls.iter().map(Call::start).collect();
        let mut charge = run.outer.context.run.memory().charge();
        let mut aside: Option<Partitions> = None;
        while let Some(mut batch) = feed.next(&self.reads, run)? {
            let mut keys = Vec::with_capacity(self.keys.len());
            for key in &self.keys {
                keys.push(key.evaluate(&mut batch, run)?);
            }
            let numbers = match &mut aside {
                None => groups.assign(&keys, &self.bare, &mut batch)?,
                Some(aside) => {
                    let (known, numbers) = known_rows(&groups, &keys, batch.rows)?;
                    let other = other_rows(&known, batch.rows);
                    put(aside, (&keys, &collations), &batch, (&other, &self.reads), run)?;
                    if !other.is_empty() {
                        batch = batch.pick(&known);
                    }
                    Some(numbers)
                }
            };
            let place = (numbers.as_deref(), groups.len());
            for ((call, state), node) in self.calls.iter().zip(&mut calls).zip(&node.calls) {
                call.step(node, state, place, &mut batch, run)?;
            }
            let bytes: usize = calls.iter().map(CallGroups::memory_bytes).sum();
            let bytes = bytes + groups.memory_bytes();
            let is_too_much = charge.set(bytes, run.outer.context.settings)?;
            if is_too_much
                && aside.is_none()
                && !node.keys.is_empty()
                && may_be_divided(groups.len(), depth)
            {
                aside = Some(Partitions::new(depth));
            }
            let seen: usize = calls.iter().map(CallGroups::seen_bytes).sum();
            if is_too_much && seen > bytes / 2 {
                // Arguments that were there (DISTINCT) have files in the row gear only.
                run.outer.context.run.give_batches_up()?;
            }
        }
        if depth == 0 {
            groups.finish();
        }
        for ((call, state), node) in self.calls.iter().zip(&mut calls).zip(&node.calls) {
            call.fit(node, state, groups.len())?;
            state.settle(node, run.outer.context)?;
        }
        let order = groups.ordered()?;
        let aside = match aside {
            Some(aside) => aside.into_waiting()?,
            None => Vec::new(),
        };
        Ok((Built { groups, calls, order, next: 0, error: None, charge }, aside))
    }

    /// Puts the results of groups among those that are sorted together.
    fn sort_in(
        &self,
        node: &Aggregation,
        mut built: Built,
        sorter: &mut Sorter,
        numbers: &[usize],
        run: &mut Run<'_>,
    ) -> Result<()> {
        while let Some((batch, keys)) = self.give(node, &mut built, run)? {
            sorter.take(&keys, &batch, numbers)?;
            if sorter.weigh(run)? {
                sorter.spill(run)?;
            }
        }
        built.charge.set(0, run.outer.context.settings)?;
        Ok(())
    }

    /// The next groups, and the values of their keys.
    fn give(
        &self,
        node: &Aggregation,
        built: &mut Built,
        run: &Run<'_>,
    ) -> Result<Option<(Batch, Vec<Arc<Vector>>)>> {
        if let Some(error) = built.error.take() {
            return Err(error);
        }
        let start = built.next;
        let mut end = built.order.len().min(start + BATCH_ROWS);
        if start >= end {
            return Ok(None);
        }
        let groups = &built.order[start..end];
        // By column where nothing fails, else group by group, so that those before come out.
        let whole: Option<Vec<Vector>> =
            built.calls.iter().map(|call| call.finish_all(groups)).collect();
        let results = match whole {
            Some(results) => results,
            None => finish_each(node, built, start..end, run)?,
        };
        end = results.iter().map(Vector::len).fold(end, |end, len| end.min(start + len));
        built.next = end;
        let rows = &built.order[start..end];
        let mut batch = Batch::new(rows.len(), run.program.width);
        let keys: Vec<Arc<Vector>> =
            built.groups.keys.iter().map(|key| Arc::new(key.gather(rows))).collect();
        let results = results.into_iter().map(|result| {
            let is_whole = result.len() == rows.len();
            Arc::new(if is_whole { result } else { result.slice_rows(0, rows.len()) })
        });
        for (number, column) in self.outputs.iter().zip(keys.iter().cloned().chain(results)) {
            if let Some(number) = number {
                batch.columns[*number] = Some(column);
            }
        }
        for (number, column) in self.bare.iter().zip(&built.groups.bare) {
            batch.set(*number, column.gather(rows));
        }
        Ok(Some((batch, keys)))
    }
}

/// The results of groups, one after the other, up to one that fails.
fn finish_each(
    node: &Aggregation,
    built: &mut Built,
    places: std::ops::Range<usize>,
    run: &Run<'_>,
) -> Result<Vec<Vector>> {
    let start = places.start;
    let mut results: Vec<Vector> = node.calls.iter().map(|_| Vector::default()).collect();
    for place in places {
        let group = built.order[place] as usize;
        let calls = built.calls.iter_mut().zip(&node.calls);
        for ((call, node), result) in calls.zip(&mut results) {
            match call.finish(node, group, run) {
                Ok(value) => {
                    result.check_size(0)?;
                    result.push(value.as_ref());
                }
                Err(error) if place == start => return Err(error),
                Err(error) => {
                    // The groups before it come out first.
                    built.error = Some(error);
                    return Ok(results);
                }
            }
        }
    }
    Ok(results)
}

/// The rows whose group is there, and their groups.
fn known_rows(groups: &Groups, keys: &[Column], rows: usize) -> Result<(Vec<u32>, Vec<u32>)> {
    let (mut known, mut numbers) = (Vec::new(), Vec::new());
    for (row, number) in (0..).zip(groups.find_all(keys, rows)?) {
        if number != NONE {
            known.push(row);
            numbers.push(number);
        }
    }
    Ok((known, numbers))
}

/// The rows that are not among `known`, which ascends.
pub(in crate::execute::batch) fn other_rows(known: &[u32], rows: usize) -> Vec<u32> {
    let mut known = known.iter().peekable();
    (0..rows as u32).filter(|row| known.next_if_eq(&row).is_none()).collect()
}

// Neighbours: `groups`, `calls`, `files::partition`.
