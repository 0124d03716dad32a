//! Rows that pass, and expressions that become columns.
//!
//! Neighbours: `expression` computes both.

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::expression::{Condition, Expression};
use crate::execute::batch::portable::Asked;
use crate::execute::batch::program::{Operator, State};
use crate::execute::batch::vector::Truth;
use crate::plan::{Filter, Project};

/// Rows that pass.
#[derive(Debug)]
pub(in crate::execute::batch) struct BatchFilter {
    pub(in crate::execute::batch) input: Operator,
    pub(in crate::execute::batch) predicates: Vec<Condition>,
    /// Columns that are read of the rows that pass.
    pub(in crate::execute::batch) keep: Vec<usize>,
    /// What helpers ask, if they can run it.
    pub(in crate::execute::batch) portable: Option<Asked>,
}

impl BatchFilter {
    pub(in crate::execute::batch) fn next(
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
pub(in crate::execute::batch) fn passing(
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
pub(in crate::execute::batch) fn true_rows(truths: &[Truth]) -> Vec<u32> {
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
pub(in crate::execute::batch) struct BatchProject {
    pub(in crate::execute::batch) input: Operator,
    pub(in crate::execute::batch) outputs: Vec<(usize, Expression)>,
    /// What helpers ask, if they can run it.
    pub(in crate::execute::batch) portable: Option<Asked>,
}

impl BatchProject {
    pub(in crate::execute::batch) fn next(
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
