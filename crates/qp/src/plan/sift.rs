//! In which order the conditions on a table are tried.
//!
//! What was tried on a sample of the rows tells how many each condition leaves, alone and after
//! the others; the next is always the one that drops the most rows for its price. Only conditions
//! that a sample can decide are moved: they cannot fail. Neighbours: `estimate` has the sample,
//! `group` puts the conditions over a scan.

use super::estimate::{Passed, sampled_on};
use crate::bind::{Binder, TableRelation};
use crate::scalar::{Scalar, Unary};

/// Orders conditions on the rows of a table that is read as a whole.
pub(super) fn sift(binder: &Binder<'_>, table: &TableRelation, conditions: &mut Vec<Scalar>) {
    if conditions.len() < 2 {
        return;
    }
    let mut known: Vec<(Scalar, Passed)> = Vec::new();
    let mut others = Vec::new();
    for condition in std::mem::take(conditions) {
        match sampled_on(binder, table, &condition) {
            Some(passed) => known.push((condition, passed)),
            None => others.push(condition),
        }
    }
    let mut left = u64::MAX;
    while !known.is_empty() {
        let mut best = (0, f64::MIN);
        for (place, (condition, passed)) in known.iter().enumerate() {
            let tried = u64::MAX.checked_shr(64 - passed.rows.min(64)).unwrap_or(0);
            let given = left & tried;
            let dropped = 1.0 - Passed::share(given & passed.bits, given);
            let worth = dropped / price(condition);
            if worth > best.1 {
                best = (place, worth);
            }
        }
        let (condition, passed) = known.remove(best.0);
        left &= passed.bits;
        conditions.push(condition);
    }
    conditions.extend(others);
}

/// What share of a table's rows passes all of these conditions, as far as a sample tells.
pub(super) fn passing_share(
    binder: &Binder<'_>,
    table: &TableRelation,
    conditions: &[Scalar],
) -> f64 {
    let (mut left, mut tried) = (u64::MAX, None);
    for passed in conditions.iter().filter_map(|it| sampled_on(binder, table, it)) {
        left &= passed.bits;
        tried = Some(u64::MAX.checked_shr(64 - passed.rows.min(64)).unwrap_or(0));
    }
    tried.map_or(1.0, |tried| Passed::share(left & tried, tried).min(1.0))
}

/// What a condition costs, in comparisons of numbers.
fn price(condition: &Scalar) -> f64 {
    match condition {
        Scalar::And(terms) | Scalar::Or(terms) => terms.iter().map(price).sum(),
        Scalar::Unary(Unary::Not, operand) => price(operand),
        Scalar::Between(_) => 1.5,
        Scalar::InList(_) => 2.5,
        Scalar::Call(_) => 4.0,
        _ => 1.0,
    }
}

// Neighbours: `estimate`, `group`.
