//! Scalar subqueries that aggregate what belongs to the row: `x < (SELECT avg(y) FROM t WHERE
//! t.k = row.k)`.
//!
//! Such a subquery is bound twice: as one that is asked for each row, and in the frame of the
//! query around it, as if its tables stood in FROM. The second form lets the planner join the
//! tables of the subquery to the rows and group the pairs by the row (`plan::grouped`); where that
//! does not pay nobody looks at it. Only what cannot fail, and is NULL where nothing belongs to a
//! row, comes here: the comparison then drops the rows for which the join finds nothing.
//! Neighbours: `exists` has the subqueries of EXISTS.

use pandodb_ds::sync::Arc;

use super::{Binder, Group, Relation};
use crate::ast::{self, Expression, ExpressionKind, SelectCore};
use crate::error::Result;
use crate::function::Implementation;
use crate::plan::{AggregateCall, QueryParts, Rules, SelectPlan};
use crate::scalar::{Binary, Comparison, Correlation, Scalar, SlotId};
use crate::types::Affinity;

/// The second form of a subquery.
#[derive(Debug)]
pub(crate) struct AggregatedBlock {
    /// The first form, by which its place in a comparison is known.
    pub(crate) plan: Arc<SelectPlan>,
    /// Its tables; the predicates read rows of the query around, too.
    pub(crate) group: Group,
    /// What is aggregated.
    pub(crate) calls: Vec<AggregateCall>,
    /// Where the results of the calls go.
    pub(crate) slot: SlotId,
    /// The value of the subquery, made of those.
    pub(crate) output: Scalar,
    /// Slots of the query around that the predicates read.
    pub(crate) outer: Vec<SlotId>,
}

/// Aggregates that are there for every group, and whose results do not depend on the order of
/// the rows; the first ones are NULL where there is no value.
const CALLS: [&str; 6] = ["min", "max", "avg", "sum", "count", "total"];
/// How many of them are NULL where there is no value.
const NULL_CALLS: usize = 4;

impl Binder<'_> {
    /// Binds the subquery of a comparison a second time, where `bound` is one with such.
    pub(super) fn note_aggregated(
        &mut self,
        term: &Expression,
        bound: &Scalar,
        around: &Group,
    ) -> Result<()> {
        if !self.environment.rules.has(Rules::GROUP_JOIN)
            || self.recorder.is_some()
            || self.restricted.is_some()
        {
            return Ok(());
        }
        let (Scalar::Compare(compare), ExpressionKind::Chain(chain)) = (bound, &term.kind) else {
            return Ok(());
        };
        let [(_, last)] = chain.rest.as_slice() else { return Ok(()) };
        if matches!(compare.operator, Comparison::Is | Comparison::IsNot) {
            return Ok(());
        }
        let sides = [(&compare.left, &chain.first), (&compare.right, last)];
        for (side, written) in sides {
            if let (Scalar::Subquery(call, 0), ExpressionKind::Subquery(select)) =
                (side, &written.kind)
                && call.correlation == Correlation::Immediate
                && call.plan.outer.iter().all(|place| place.depth == 0)
                && let Some(query) = plain_aggregate(select)
            {
                let parts = self.nested(|binder| binder.query_parts(query))?;
                let block = aggregated(call.plan.clone(), parts, &around.slots());
                self.aggregated.extend(block);
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The one query of a subquery that only joins tables, chooses rows and returns one value.
fn plain_aggregate(select: &ast::Select) -> Option<&ast::Query> {
    let SelectCore::Query(query) = &select.first else { return None };
    let is_plain = query.columns.len() == 1 && super::exists::only_joins_and_chooses(select, query);
    is_plain.then_some(query)
}

/// The second form, if the first can be replaced by it.
fn aggregated(
    plan: Arc<SelectPlan>,
    parts: QueryParts,
    around: &[SlotId],
) -> Option<AggregatedBlock> {
    let QueryParts { group, grouping, having: None, mut outputs, .. } = parts else { return None };
    let (slot, output) = (grouping.slot?, outputs.pop()?);
    let own = group.slots();
    let is_table = |relation: &Relation| match relation {
        Relation::Table(table) => !table.table.is_system(),
        _ => false,
    };
    let mut outer: Vec<SlotId> = Vec::new();
    for read in group.predicates.iter().flat_map(Scalar::slots) {
        if !own.contains(&read) && !outer.contains(&read) {
            outer.push(read);
        }
    }
    let fits = outputs.is_empty()
        && grouping.windows.is_empty()
        && grouping.keys.is_empty()
        && group.semis.is_empty()
        && !group.fixed
        && !group.relations.is_empty()
        && group.relations.iter().all(is_table)
        && group.predicates.iter().all(is_sure)
        && grouping.calls.iter().all(|call| fits(call, &own))
        && output.slots() == [slot]
        && is_sure(&output)
        && is_null_of_nothing(&output, &grouping.calls)
        && !outer.is_empty()
        && outer.iter().all(|slot| around.contains(slot));
    let calls = grouping.calls;
    fits.then_some(AggregatedBlock { plan, group, calls, slot, output, outer })
}

/// Whether an expression cannot fail, and reads nothing but rows of its own frame.
fn is_sure(scalar: &Scalar) -> bool {
    let mut is_near = true;
    scalar.columns(&mut |place| is_near &= place.depth == 0);
    is_near
        && !scalar.any(&mut |node| {
            node.own_subquery().is_some()
                || matches!(node, Scalar::Call(_) | Scalar::Row(_))
                || matches!(node, Scalar::RowCompare(_) | Scalar::RowBetween(_))
                || matches!(node, Scalar::Raise(..) | Scalar::Binary(Binary::Concatenate, _))
        })
}

/// Whether a call is one of those that can be computed of other rows beside.
fn fits(call: &AggregateCall, own: &[SlotId]) -> bool {
    let function = &call.function;
    let is_own =
        |scalar: &Scalar| is_sure(scalar) && scalar.slots().iter().all(|slot| own.contains(slot));
    // A sum of integers may fail.
    let is_real = |scalar: &Scalar| scalar.affinity() == Affinity::Real;
    CALLS.contains(&&*function.name)
        && !function.usage.is_empty()
        && matches!(function.implementation, Implementation::Aggregate(_))
        && call.order_by.is_empty()
        && call.arguments.iter().chain(&call.filter).all(is_own)
        && (function.name != "sum" || call.arguments.iter().all(is_real))
}

/// Whether an expression over results of aggregates is NULL where no row was aggregated.
fn is_null_of_nothing(scalar: &Scalar, calls: &[AggregateCall]) -> bool {
    match scalar {
        Scalar::Column(place) => calls
            .get(usize::from(place.column))
            .is_some_and(|call| CALLS[..NULL_CALLS].contains(&&*call.function.name)),
        Scalar::Unary(unary, operand) => {
            *unary != crate::scalar::Unary::Not && is_null_of_nothing(operand, calls)
        }
        Scalar::Cast(operand, _) | Scalar::Collate(operand, _) => {
            is_null_of_nothing(operand, calls)
        }
        Scalar::Binary(_, operands) => {
            operands.iter().any(|operand| is_null_of_nothing(operand, calls))
        }
        _ => false,
    }
}

// Neighbours: `exists`, `select`; `plan::grouped` uses this.
