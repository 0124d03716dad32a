//! Rows that pass, and expressions that become columns.
//!
//! Neighbours: `expression` computes both.

use super::Run;
use super::batch::Batch;
use super::expression::{Condition, Expression};
use super::program::{Operator, State};
use super::vector::Truth;
use crate::error::Result;
use crate::plan::{Filter, Project};

/// Rows that pass.
#[derive(Debug)]
pub(super) struct BatchFilter {
    pub(super) input: Operator,
    pub(super) predicates: Vec<Condition>,
    /// Columns that are read of the rows that pass.
    pub(super) keep: Vec<usize>,
    /// Whether helpers can run it.
    pub(super) is_portable: bool,
}

impl BatchFilter {
    pub(super) fn next(
        &self,
        node: &Filter,
        state: &mut State,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        while let Some(batch) = self.input.next(&node.input, state, run)? {
            let batch = passing(&self.predicates, &self.keep, batch, run)?;
            if batch.rows > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

/// The rows of which all predicates are true, with the columns of `keep`. Each predicate sees
/// only rows that passed those before it.
pub(super) fn passing(
    predicates: &[Condition],
    keep: &[usize],
    mut batch: Batch,
    run: &mut Run<'_>,
) -> Result<Batch> {
    for (index, predicate) in predicates.iter().enumerate() {
        let truths = predicate.truths(&mut batch, run)?;
        let is_last = index + 1 == predicates.len();
        if is_last {
            for (number, column) in batch.columns.iter_mut().enumerate() {
                if !keep.contains(&number) {
                    *column = None;
                }
            }
        }
        let rows = true_rows(&truths);
        if rows.len() < batch.rows {
            batch = batch.pick(&rows);
        }
        if batch.rows == 0 {
            break;
        }
    }
    Ok(batch)
}

/// Which rows are true.
pub(super) fn true_rows(truths: &[Truth]) -> Vec<u32> {
    let mut rows = vec![0; truths.len()];
    let mut count = 0;
    for (row, truth) in truths.iter().enumerate() {
        // Without a branch: as many rows pass as do not, for all that is known.
        rows[count] = row as u32;
        count += usize::from(*truth == Truth::True);
    }
    rows.truncate(count);
    rows
}

/// Expressions that become columns.
#[derive(Debug)]
pub(super) struct BatchProject {
    pub(super) input: Operator,
    pub(super) outputs: Vec<(usize, Expression)>,
    /// Whether helpers can run it.
    pub(super) is_portable: bool,
}

impl BatchProject {
    pub(super) fn next(
        &self,
        node: &Project,
        state: &mut State,
        run: &mut Run<'_>,
    ) -> Result<Option<Batch>> {
        let Some(mut batch) = self.input.next(&node.input, state, run)? else { return Ok(None) };
        // The slot's own old row may still be read: the columns are replaced at the end.
        let mut columns = Vec::with_capacity(self.outputs.len());
        for (number, output) in &self.outputs {
            let column = output.evaluate(&mut batch, run)?;
            columns.push((*number, column.into_vector(batch.rows)));
        }
        for (number, column) in columns {
            batch.columns[number] = Some(column);
        }
        Ok(Some(batch))
    }
}

// Neighbours: `scan`, `expression`.
