//! The ways in by rowid: one, several, a range.
//!
//! Neighbours: `index` has the ways by everything else.

use pandodb_ds::record::{Collation, Value};

use super::order::{InOrder, satisfies};
use super::terms::{Term, Test, in_count, in_excess, range_of};
use super::{Access, Ask};
use crate::bind::Binder;
use crate::plan::cost::seek_cost;
use crate::plan::{AccessPath, estimate};
use crate::scalar::{ROWID, Scalar, SlotId};
use crate::types::Affinity;

/// Whether an expression is the rowid of a slot.
pub(super) fn is_rowid(subject: &Scalar, slot: SlotId) -> bool {
    let Scalar::Column(place) = subject else { return false };
    place.depth == 0 && place.slot == slot && place.column == ROWID
}

/// The ways in by rowid.
pub(super) fn rowid_paths(
    binder: &Binder<'_>,
    ask: &Ask<'_>,
    terms: &[Term<'_>],
    total: f64,
) -> Vec<Access> {
    let mut paths = Vec::new();
    let slot = ask.table.slot;
    let seek = seek_cost(total);
    // Rowids do not stand in the order of texts.
    let is_pattern = |term: &Term<'_>| matches!(term.test, Test::Prefix(_));
    let own = || terms.iter().filter(move |term| is_rowid(term.subject, slot) && !is_pattern(term));
    let order = [(ROWID, Collation::Binary, false)];
    let make = |path, used, rows: f64, cost| {
        let InOrder { terms, backward, .. } = satisfies(ask.wanted, slot, &order, &[], true);
        Access {
            path,
            used,
            rows,
            cost,
            total,
            is_search: true,
            ordered: terms,
            run: 1.0,
            backward,
        }
    };
    // A rowid that is looked up is an integer, whatever a text converts to: not where nothing is
    // converted, as in a condition on a compound of which the rowid is a part.
    let converts = |term: &&Term<'_>| {
        let is_number =
            |value: &Scalar| matches!(value, Scalar::Literal(Value::Integer(_) | Value::Real(_)));
        term.rule.affinity.is_numeric()
            || matches!(term.test, Test::Equal(value) | Test::Is(value) if is_number(value))
    };
    for term in own().filter(converts) {
        match term.test {
            Test::Equal(value) | Test::Is(value) => {
                let path = AccessPath::Rowid(value.clone());
                let one = make(path, vec![term.place], 1.0, seek);
                paths.push(Access { ordered: ask.wanted.len(), ..one });
            }
            Test::In(set, part) => {
                let count = in_count(set);
                let path = AccessPath::Rowids(set.clone(), part);
                let rows = (count * in_excess(set)).min(total);
                let used = if term.is_half { Vec::new() } else { vec![term.place] };
                paths.push(make(path, used, rows, count * seek));
            }
            _ => {}
        }
    }
    let (range, used) = range_of(own(), Affinity::Numeric, &|_| Vec::new());
    if range.low.is_some() || range.high.is_some() {
        let rows = estimate::rowid_range_rows(binder, ask.table, &range, total);
        paths.push(make(AccessPath::RowidRange(range), used, rows, rows + seek));
    }
    paths
}
