//! AND, OR, NOT and CASE over vectors.
//!
//! Everything here is computed for all rows, which only expressions that cannot fail are
//! compiled to. Neighbours: `comparison` makes truths, `expression` asks for these.

use pandodb_ds::record::ValueRef;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::batch::Batch;
use crate::execute::batch::expression::{CaseExpression, Column, Condition};
use crate::execute::batch::vector::Truth;

/// One in so many rows is few: the other terms are computed for them alone.
const FEW: usize = 4;

/// `NOT truth`.
#[inline]
pub(in crate::execute::batch) fn not(truth: Truth) -> Truth {
    match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Unknown => Truth::Unknown,
    }
}

/// `left AND right`.
#[inline]
pub(in crate::execute::batch) fn and(left: Truth, right: Truth) -> Truth {
    weigh(left, right, Truth::False)
}

/// AND, of which `strong` is FALSE, or OR, of which it is TRUE.
#[inline]
fn weigh(left: Truth, right: Truth, strong: Truth) -> Truth {
    if left == strong || right == strong {
        strong
    } else if left == Truth::Unknown || right == Truth::Unknown {
        Truth::Unknown
    } else {
        left
    }
}

/// All terms by AND (`strong` is FALSE) or by OR (`strong` is TRUE).
pub(in crate::execute::batch) fn combine(
    terms: &[Condition],
    strong: Truth,
    batch: &mut Batch,
    run: &mut Run<'_>,
) -> Result<Vec<Truth>> {
    let mut result = vec![not(strong); batch.rows];
    for (index, term) in terms.iter().enumerate() {
        for (truth, other) in result.iter_mut().zip(term.truths(batch, run)?) {
            *truth = weigh(*truth, other, strong);
        }
        let rest = &terms[index + 1..];
        if rest.is_empty() {
            break;
        }
        let open = result.iter().filter(|truth| **truth != strong).count();
        if open * FEW <= batch.rows {
            let open: Vec<u32> = (0..)
                .zip(&result)
                .filter(|(_, truth)| **truth != strong)
                .map(|(row, _)| row)
                .collect();
            if open.is_empty() {
                break;
            }
            let truths = combine(rest, strong, &mut batch.pick(&open), run)?;
            for (row, other) in open.into_iter().zip(truths) {
                let truth = &mut result[row as usize];
                *truth = weigh(*truth, other, strong);
            }
            break;
        }
    }
    Ok(result)
}

/// `CASE WHEN .. THEN .. ELSE .. END`.
pub(in crate::execute::batch) fn case(
    case: &CaseExpression,
    batch: &mut Batch,
    run: &mut Run<'_>,
) -> Result<Column> {
    const OTHERWISE: u16 = u16::MAX;
    let mut chosen = vec![OTHERWISE; batch.rows];
    let mut results = Vec::with_capacity(case.branches.len());
    for (index, (when, then)) in case.branches.iter().enumerate() {
        for (choice, truth) in chosen.iter_mut().zip(when.truths(batch, run)?) {
            if *choice == OTHERWISE && truth == Truth::True {
                *choice = index as u16;
            }
        }
        results.push(then.evaluate(batch, run)?);
    }
    let otherwise = match &case.otherwise {
        Some(otherwise) => Some(otherwise.evaluate(batch, run)?),
        None => None,
    };
    Column::of_rows(batch.rows, |row, vector| {
        let result = match chosen[row] {
            OTHERWISE => otherwise.as_ref(),
            index => results.get(usize::from(index)),
        };
        vector.check_size(0)?;
        vector.push(result.map_or(ValueRef::Null, |column| column.get(row)));
        Ok(())
    })
}

// Neighbours: `expression`, `comparison`.
