//! Conditions on one table, tried on a few of its rows.
//!
//! Only what needs nothing but the row and constants is tried: comparisons, BETWEEN, IN, IS NULL,
//! LIKE and what AND, OR and NOT make of them. Neighbours: `estimate` falls back to guesses.

use pandodb_ds::record::ValueRef;
use pandodb_ds::record::row::RowView;

use crate::bind::{Binder, SampleRow, TableRelation};
use crate::catalog::Table;
use crate::function::{Implementation, pattern_matches};
use crate::scalar::{CompareRule, Comparison, ROWID, Scalar, SlotId, Unary};
use crate::types::{Affinity, BuiltInCollations, Datum, apply_affinity, compare};

/// What cannot be told from a row alone.
struct Unknown;

type Told<T> = Result<T, Unknown>;

/// Which rows of a table's sample pass a predicate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passed {
    /// A bit for each row.
    pub(super) bits: u64,
    /// How many rows were tried.
    pub(super) rows: u32,
}

impl Passed {
    /// The share that passes `all` of those that pass `given`.
    pub(super) fn share(all: u64, given: u64) -> f64 {
        (f64::from(all.count_ones()) + 0.3) / (f64::from(given.count_ones()) + 0.6)
    }
}

/// Which of a few rows of a table pass a predicate.
pub(super) fn sampled(
    binder: &Binder<'_>,
    table: &TableRelation,
    predicate: &Scalar,
) -> Option<Passed> {
    if table.table.is_system() {
        return None;
    }
    let rows = binder.environment.statistics.sample(table.source, &table.table)?;
    if rows.is_empty() {
        return None;
    }
    let mut bits = 0;
    for (place, row) in rows.iter().enumerate() {
        let row = Row { table: &table.table, slot: table.slot, row };
        match row.truth(predicate) {
            Ok(Some(true)) => bits |= 1 << place,
            Ok(_) => {}
            Err(Unknown) => return None,
        }
    }
    Some(Passed { bits, rows: rows.len() as u32 })
}

struct Row<'a> {
    table: &'a Table,
    slot: SlotId,
    row: &'a SampleRow,
}

impl<'a> Row<'a> {
    fn value(&self, scalar: &'a Scalar) -> Told<Datum<'a>> {
        match scalar {
            Scalar::Literal(value) => Ok(Datum::from(value)),
            Scalar::Collate(operand, _) => self.value(operand),
            Scalar::Column(place) if place.depth == 0 && place.slot == self.slot => {
                if place.column == ROWID {
                    return Ok(Datum::integer(self.row.0));
                }
                let position = usize::from(place.column);
                let view = RowView::new(&self.row.1).map_err(|_| Unknown)?;
                match view.column(position).map_err(|_| Unknown)? {
                    Some(value) => Ok(Datum::Ref(value)),
                    None => Ok(Datum::from(self.table.missing_value(position))),
                }
            }
            _ => Err(Unknown),
        }
    }

    fn truth(&self, scalar: &'a Scalar) -> Told<Option<bool>> {
        match scalar {
            Scalar::Compare(it) => {
                let (left, right) = (self.value(&it.left)?, self.value(&it.right)?);
                Ok(decide(it.operator, &left, &right, it.rule))
            }
            Scalar::Between(it) => {
                let operand = self.value(&it.operand)?;
                let (low, high) = (self.value(&it.low)?, self.value(&it.high)?);
                let above = decide(Comparison::GreaterOrEqual, &operand, &low, it.low_rule);
                let below = decide(Comparison::LessOrEqual, &operand, &high, it.high_rule);
                Ok(both(above, below).map(|holds| holds != it.negated))
            }
            Scalar::IsNull(operand, negated) => {
                Ok(Some(self.value(operand)?.is_null() != *negated))
            }
            Scalar::InList(list) if list.others.is_empty() => {
                let operand = self.value(&list.operand)?;
                let found = list.constants.iter().any(|value| {
                    let value = Datum::from(value);
                    decide(Comparison::Equal, &operand, &value, list.rule) == Some(true)
                });
                Ok(Some(found != list.negated))
            }
            Scalar::And(terms) => {
                let mut all = Some(true);
                for term in terms {
                    all = both(all, self.truth(term)?);
                }
                Ok(all)
            }
            Scalar::Or(terms) => {
                let mut any = Some(false);
                for term in terms {
                    let found = self.truth(term)?;
                    any = both(any.map(|it| !it), found.map(|it| !it)).map(|it| !it);
                }
                Ok(any)
            }
            Scalar::Unary(Unary::Not, operand) => Ok(self.truth(operand)?.map(|holds| !holds)),
            Scalar::Call(call)
                if matches!(call.function.implementation, Implementation::Scalar(_)) =>
            {
                let [pattern, subject] = call.arguments.as_slice() else { return Err(Unknown) };
                let (pattern, subject) = (self.value(pattern)?, self.value(subject)?);
                let (ValueRef::Text(pattern), ValueRef::Text(subject)) =
                    (pattern.as_ref(), subject.as_ref())
                else {
                    return Err(Unknown);
                };
                pattern_matches(&call.function.name, pattern, subject).map(Some).ok_or(Unknown)
            }
            _ => Err(Unknown),
        }
    }
}

fn both(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// A comparison, near enough for an estimate.
fn decide(
    operator: Comparison,
    left: &Datum<'_>,
    right: &Datum<'_>,
    rule: CompareRule,
) -> Option<bool> {
    let convert = |value: &Datum<'_>| {
        let affinity = if rule.affinity >= Affinity::Text { rule.affinity } else { Affinity::None };
        apply_affinity(Datum::Owned(value.as_ref().to_owned()), affinity).into_value()
    };
    if left.is_null() || right.is_null() {
        return match operator {
            Comparison::Is => Some(left.is_null() && right.is_null()),
            Comparison::IsNot => Some(left.is_null() != right.is_null()),
            _ => None,
        };
    }
    let (left, right) = (convert(left), convert(right));
    let order = compare(left.as_ref(), right.as_ref(), rule.collation, &BuiltInCollations);
    Some(operator.holds(order))
}
