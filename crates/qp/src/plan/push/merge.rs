//! The order that is asked of selects that are put together.
//!
//! Each part is asked for it: where an index or a table's key gives it, nothing is sorted, and a
//! LIMIT reads a few rows of each part. A part that has no such way is sorted by itself, of UNION
//! ALL only its first rows where a LIMIT says how many. Where equal rows are one row, the order
//! goes on through all columns, so that equal rows meet; this pays only if some part comes in it.
//! Neighbours: `later` plans the parts, `execute::operators::compound` merges them.

use pandodb_ds::record::Collation;

use super::later::LaterCompound;
use crate::ast::CompoundOperator;
use crate::bind::{Binder, unique_slots};
use crate::plan::select::QueryParts;
use crate::plan::{ColumnSort, Node, Rules, Sort, SortKey};
use crate::scalar::{Scalar, SlotId};

/// What is asked of the order of a compound's rows.
#[derive(Clone, Copy)]
pub(crate) struct OrderAsked<'a> {
    /// The order, of columns of `slot`.
    pub(crate) keys: &'a [SortKey],
    /// What the order calls the row.
    pub(crate) slot: SlotId,
    /// How many rows are read.
    pub(crate) limit: Option<&'a (Scalar, Option<Scalar>)>,
    /// Not all of them are.
    pub(crate) ends_early: bool,
    /// Parts of UNION ALL may be sorted though none comes in the order: each is cut to its first
    /// rows.
    pub(crate) may_sort: bool,
}

impl OrderAsked<'_> {
    /// Any order will do.
    pub(super) fn none(slot: SlotId) -> Self {
        Self { keys: &[], slot, limit: None, ends_early: false, may_sort: false }
    }
}

impl LaterCompound {
    /// The order in which the parts are to come; none where they cannot be merged.
    pub(super) fn order(&self, binder: &Binder<'_>, asked: &OrderAsked<'_>) -> Vec<ColumnSort> {
        self.merge_order(binder, asked).unwrap_or_default()
    }

    fn merge_order(&self, binder: &Binder<'_>, asked: &OrderAsked<'_>) -> Option<Vec<ColumnSort>> {
        if asked.keys.is_empty() || !binder.environment.rules.has(Rules::MERGE_PARTS) {
            return None;
        }
        let keys = asked.keys.iter().map(|key| self.column_sort(key, asked.slot));
        let mut order = keys.collect::<Option<Vec<ColumnSort>>>()?;
        let mut operators = self.arms.iter().skip(1).map(|(operator, _)| *operator);
        if operators.any(|operator| operator != CompoundOperator::UnionAll) {
            // Parts that are only appended are not told apart from those before.
            let is_last_set =
                self.arms.last().is_some_and(|(last, _)| *last != CompoundOperator::UnionAll);
            let fits = |by: &ColumnSort| self.collations.get(by.column) == Some(&by.collation);
            if !is_last_set || !order.iter().all(fits) {
                return None;
            }
            for (column, collation) in self.collations.iter().copied().enumerate() {
                if order.iter().all(|by| by.column != column) {
                    let (descending, nulls_first) = (false, true);
                    order.push(ColumnSort { column, collation, descending, nulls_first });
                }
            }
        }
        let is_custom = |by: &ColumnSort| matches!(by.collation, Collation::Custom(_));
        let is_there = |by: &ColumnSort| {
            let mut outputs = self.arms.iter().map(|(_, block)| block.outputs.get(by.column));
            outputs.all(|output| output.is_some_and(is_repeatable))
        };
        order.iter().all(|by| !is_custom(by) && is_there(by)).then_some(order)
    }

    /// A term as a column of the compound that is read as it is.
    fn column_sort(&self, key: &SortKey, slot: SlotId) -> Option<ColumnSort> {
        let value = match &key.value {
            Scalar::Collate(operand, _) => operand,
            other => other,
        };
        let place = value.as_column().filter(|place| place.depth == 0 && place.slot == slot)?;
        let column = usize::from(place.column);
        matches!(self.outputs.get(column), Some(Scalar::Column(_))).then_some(ColumnSort {
            column,
            collation: key.collation,
            descending: key.descending,
            nulls_first: key.nulls_first,
        })
    }
}

/// Whether a result is the same when it is computed again: a part is sorted by one computation, and
/// merged by another. Subqueries are too dear for that.
fn is_repeatable(output: &Scalar) -> bool {
    !output.has_subquery() && !is_made_anew(output)
}

/// Whether each computation may give another value.
pub(super) fn is_made_anew(scalar: &Scalar) -> bool {
    scalar.any(&mut |node| match node {
        Scalar::Call(call) => !call.function.is_deterministic(),
        _ => false,
    })
}

/// The order as one of a part's results; what is the same in all of its rows orders nothing.
fn keys_over(order: &[ColumnSort], outputs: &[Scalar]) -> Vec<SortKey> {
    let key = |by: &ColumnSort| {
        let value = outputs.get(by.column)?.clone();
        let is_constant = matches!(value, Scalar::Literal(_) | Scalar::Parameter(_));
        (!is_constant).then_some(SortKey {
            value,
            collation: by.collation,
            descending: by.descending,
            nulls_first: by.nulls_first,
        })
    };
    order.iter().filter_map(key).collect()
}

/// Asks a part for its rows in an order.
pub(super) fn ask_part(parts: &mut QueryParts, order: &[ColumnSort], ends_early: bool) {
    let is_one_row = parts.grouping.keys.is_empty() && !parts.grouping.calls.is_empty();
    if !is_one_row {
        parts.order_by = keys_over(order, &parts.outputs);
    }
    parts.ends_early = ends_early && !order.is_empty();
}

/// Sorts a part that was not asked: rows of expressions.
pub(super) fn sort_part(
    binder: &mut Binder<'_>,
    input: Node,
    order: &[ColumnSort],
    outputs: &[Scalar],
) -> Node {
    let keys = keys_over(order, outputs);
    if keys.is_empty() || matches!(input, Node::Once(_)) {
        return input;
    }
    let slots = unique_slots(outputs.iter().flat_map(Scalar::slots));
    let state = binder.state();
    Node::Sort(Box::new(Sort { input, state, keys, sorted: 0, slots, limit: None }))
}
