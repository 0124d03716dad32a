//! GROUP BY and aggregates over batches.
//!
//! Neighbours: `groups` numbers the groups, `calls` computes over them.

use super::Run;
use super::batch::{BATCH_ROWS, Batch};
use super::calls::{Call, CallGroups};
use super::expression::Expression;
use super::groups::Groups;
use super::program::{Operator, State};
use super::vector::Vector;
use crate::error::{Error, Result};
use crate::plan::Aggregation;

/// A compiled aggregation.
#[derive(Debug)]
pub(super) struct BatchAggregate {
    pub(super) input: Operator,
    /// Columns that are read of each row.
    pub(super) reads: Vec<usize>,
    pub(super) keys: Vec<Expression>,
    pub(super) calls: Vec<Call>,
    /// Columns of the input that are read of a group.
    pub(super) bare: Vec<usize>,
    /// Where the keys, then the calls go, as far as they are read.
    pub(super) outputs: Vec<Option<usize>>,
}

/// Where an aggregation is.
#[derive(Debug)]
pub(super) struct AggregateState {
    pub(super) input: State,
    built: Option<Built>,
}

/// All groups, being given out.
#[derive(Debug)]
struct Built {
    groups: Groups,
    calls: Vec<CallGroups>,
    order: Vec<u32>,
    next: usize,
    /// What the next group fails with.
    error: Option<Error>,
}

impl BatchAggregate {
    pub(super) fn open(&self, node: &Aggregation, run: &mut Run<'_>) -> Result<AggregateState> {
        Ok(AggregateState { input: self.input.open(&node.input, run)?, built: None })
    }

    pub(super) fn next(
        &self,
        node: &Aggregation,
        state: &mut AggregateState,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        if state.built.is_none() {
            state.built = Some(self.build(node, &mut state.input, run)?);
        }
        let Some(built) = &mut state.built else { return Ok(None) };
        self.give(node, built, run)
    }

    /// Reads the whole input.
    fn build(&self, node: &Aggregation, input: &mut State, run: &mut Run<'_>) -> Result<Built> {
        let collations = node.keys.iter().map(|key| key.collation).collect();
        let mut groups = Groups::new(collations, self.bare.len());
        let mut calls: Vec<CallGroups> = self.calls.iter().map(Call::start).collect();
        while let Some(mut batch) = self.input.next(&node.input, input, run)? {
            batch.force(&self.reads)?;
            let mut keys = Vec::with_capacity(self.keys.len());
            for key in &self.keys {
                keys.push(key.evaluate(&mut batch, run)?);
            }
            let numbers = groups.assign(keys, &self.bare, &mut batch)?;
            let place = (numbers.as_deref(), groups.len());
            for ((call, state), node) in self.calls.iter().zip(&mut calls).zip(&node.calls) {
                call.step(node, state, place, &mut batch, run)?;
            }
        }
        groups.finish();
        for ((call, state), node) in self.calls.iter().zip(&mut calls).zip(&node.calls) {
            call.fit(node, state, groups.len())?;
        }
        let order = groups.ordered()?;
        Ok(Built { groups, calls, order, next: 0, error: None })
    }

    /// The next groups.
    fn give(&self, node: &Aggregation, built: &mut Built, run: &Run<'_>) -> Result<Option<Batch>> {
        if let Some(error) = built.error.take() {
            return Err(error);
        }
        let start = built.next;
        let mut end = built.order.len().min(start + BATCH_ROWS);
        if start >= end {
            return Ok(None);
        }
        let mut results: Vec<Vector> = node.calls.iter().map(|_| Vector::default()).collect();
        'groups: for place in start..end {
            let group = built.order[place] as usize;
            for ((call, node), result) in built.calls.iter_mut().zip(&node.calls).zip(&mut results)
            {
                match call.finish(node, group, run) {
                    Ok(value) => result.push(value.as_ref()),
                    Err(error) if place == start => return Err(error),
                    Err(error) => {
                        // The groups before it come out first.
                        built.error = Some(error);
                        end = place;
                        break 'groups;
                    }
                }
            }
        }
        built.next = end;
        let rows = &built.order[start..end];
        let mut batch = Batch::new(rows.len(), run.program.width);
        let keys = built.groups.keys.iter().map(|key| key.gather(rows));
        let results = results.into_iter().map(|result| result.slice_rows(0, rows.len()));
        for (number, column) in self.outputs.iter().zip(keys.chain(results)) {
            if let Some(number) = number {
                batch.set(*number, column);
            }
        }
        for (number, column) in self.bare.iter().zip(&built.groups.bare) {
            batch.set(*number, column.gather(rows));
        }
        Ok(Some(batch))
    }
}

// Neighbours: `groups`, `calls`.
