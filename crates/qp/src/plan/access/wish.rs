//! The index that a way into a table could use, if there were one.
//!
//! Neighbours: `terms` has the tests, `session::advise` makes hypothetical indexes of wishes.

use pandodb_ds::record::Collation;

use super::Ask;
use super::terms::{Term, Test, matches};
use crate::bind::{TableRelation, Wish};
use crate::catalog::{IndexColumn, IndexPart};
use crate::scalar::{ROWID, Scalar};

/// What an index could answer; none where the statement says which to use.
pub(super) fn wish(ask: &Ask<'_>, terms: &[Term<'_>]) -> Option<Wish> {
    let TableRelation { table, source, hint, .. } = ask.table;
    if hint.is_some() || table.is_system() {
        return None;
    }
    let (mut equals, mut ranges) = (Vec::new(), Vec::new());
    for term in terms {
        let collation = match &term.test {
            Test::Prefix(prefix) => Some(prefix.collation),
            Test::IsNull | Test::NotNull => None,
            _ => Some(term.rule.collation),
        };
        let Some(column) = column(ask.table, term.subject, collation) else { continue };
        if !matches(term, &column) {
            continue;
        }
        let list = match term.test {
            Test::Equal(_) | Test::Is(_) | Test::IsNull | Test::In(..) => &mut equals,
            Test::Low(..) | Test::High(..) | Test::Prefix(_) => &mut ranges,
            Test::NotNull => continue,
        };
        if list.iter().all(|known: &IndexColumn| known.column() != column.column()) {
            list.push(column);
        }
    }
    let order = order(ask).unwrap_or_default();
    if equals.is_empty() && ranges.is_empty() && order.is_empty() {
        return None;
    }
    Some(Wish { source: *source, table: table.clone(), equals, ranges, order })
}

/// The table's stored column that an expression is, as a part of an index.
fn column(
    table: &TableRelation,
    subject: &Scalar,
    collation: Option<Collation>,
) -> Option<IndexColumn> {
    let subject = match subject {
        Scalar::Collate(operand, _) => operand,
        other => other,
    };
    let place = subject.as_column()?;
    if place.depth != 0 || place.slot != table.slot || place.column == ROWID {
        return None;
    }
    let columns = table.table.columns.iter().enumerate();
    let mut stored = columns.filter(|(_, column)| !column.is_virtual());
    let (index, own) = stored.find(|(_, own)| own.position == usize::from(place.column))?;
    let collation = collation.unwrap_or(own.collation);
    if matches!(collation, Collation::Custom(_)) {
        return None;
    }
    let part = IndexPart::Column(index, own.id);
    Some(IndexColumn { part, collation, descending: false, affinity: own.affinity })
}

/// The wanted order as columns; none where something else is in it.
fn order(ask: &Ask<'_>) -> Option<Vec<IndexColumn>> {
    let mut order = Vec::with_capacity(ask.wanted.len());
    for key in ask.wanted {
        if key.nulls_first == key.descending {
            return None;
        }
        let column = column(ask.table, &key.value, Some(key.collation))?;
        order.push(IndexColumn { descending: key.descending, ..column });
    }
    Some(order)
}
