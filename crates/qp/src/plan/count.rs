//! Aggregates that trees answer without reading rows: `count(*)`, and `min` and `max` from an
//! end of an index.
//!
//! Neighbours: `select` asks before it plans a block as usual.

use super::access::{Ask, choose_access};
use super::group::{Goal, Joined, plan_group};
use super::needs::Needs;
use super::select::{QueryParts, upper_scalars};
use super::{AccessPath, AggregateCall, CountNode, Limit, Node, Rules, SortKey};
use crate::bind::{Binder, Relation, TableRelation};
use crate::error::Result;
use crate::function::Implementation;
use crate::scalar::{ROWID, Scalar, SlotId};

/// `SELECT count(*) FROM t WHERE ..`: where a way into the table answers for all conditions,
/// the trees know how many rows it finds.
pub(super) fn count_rows(
    binder: &mut Binder<'_>,
    parts: &mut QueryParts,
) -> Option<(Node, Vec<Scalar>)> {
    let ([call], [Relation::Table(table)]) =
        (parts.grouping.calls.as_slice(), parts.group.relations.as_slice())
    else {
        return None;
    };
    let slot = parts.grouping.slot?;
    let is_plain = is_single_group(parts)
        && parts.having.is_none()
        && parts.limit.is_none()
        && counts_rows(call, table)
        && reads_only(parts, slot)
        && !table.table.is_system()
        && (parts.group.predicates.is_empty() || binder.environment.rules.has(Rules::TREE_COUNT));
    if !is_plain {
        return None;
    }
    let predicates: Vec<&Scalar> = parts.group.predicates.iter().collect();
    let needs = Needs::default();
    let ask = Ask {
        table,
        predicates: &predicates,
        available: &[],
        needs: &needs,
        wanted: &[],
        limit: None,
    };
    let access = choose_access(binder, &ask);
    let answers_all = (0..predicates.len()).all(|place| access.used.contains(&place));
    let is_countable = match &access.path {
        AccessPath::Union(_) => false,
        // Ranges of one prefix must not overlap, and those of several prefixes do not.
        AccessPath::Index(path) => !path.range.blobs,
        _ => true,
    };
    if !answers_all || !is_countable {
        return None;
    }
    let Some(Relation::Table(table)) = parts.group.relations.pop() else { return None };
    let mut scan = super::group::scan_node(binder, *table, access);
    let Node::Scan(scan) = std::mem::take(&mut scan) else { return None };
    let state = binder.state();
    let node = Node::Count(Box::new(CountNode { slot, state, scan: *scan }));
    Some((node, std::mem::take(&mut parts.outputs)))
}

/// Whether there is one group of everything, and no window.
fn is_single_group(parts: &QueryParts) -> bool {
    parts.grouping.keys.is_empty()
        && parts.grouping.windows.is_empty()
        && parts.group.semis.is_empty()
        && !parts.distinct
}

/// Whether a call counts every row.
fn counts_rows(call: &AggregateCall, table: &TableRelation) -> bool {
    let counts = call.function.name == "count"
        && matches!(call.function.implementation, Implementation::Aggregate(_))
        && call.filter.is_none();
    let is_never_null = |scalar: &Scalar| {
        let Scalar::Column(place) = scalar else { return false };
        let is_own = place.depth == 0 && place.slot == table.slot;
        is_own
            && (place.column == ROWID
                || table.table.columns.iter().any(|column| {
                    column.position == usize::from(place.column)
                        && column.not_null.is_some()
                        && column.generated.is_none()
                }))
    };
    counts
        && match call.arguments.as_slice() {
            [] => true,
            [argument] => !call.distinct && is_never_null(argument),
            _ => false,
        }
}

/// Whether nothing above the joins reads a row of them.
fn reads_only(parts: &QueryParts, slot: SlotId) -> bool {
    upper_scalars(parts).iter().all(|scalar| {
        let mut only = true;
        scalar.columns(&mut |place| only = only && (place.depth > 0 || place.slot == slot));
        only
    })
}

/// `SELECT min(x) FROM t WHERE ..`: the first row in the order of `x`, where a way into the table
/// has that order. The aggregate then sees that row only.
pub(super) fn extreme(
    binder: &mut Binder<'_>,
    parts: &mut QueryParts,
    needs: &Needs,
) -> Result<Option<Joined>> {
    let Some((value, key)) = extreme_key(binder, parts) else { return Ok(None) };
    let [Relation::Table(table)] = parts.group.relations.as_slice() else { return Ok(None) };
    let is_there = Scalar::IsNull(Box::new(value), true);
    let mut predicates: Vec<&Scalar> = parts.group.predicates.iter().collect();
    predicates.push(&is_there);
    let mut needs = needs.clone();
    for predicate in &predicates {
        needs.add(predicate);
    }
    let wanted = [key];
    let ask = Ask {
        table,
        predicates: &predicates,
        available: &[],
        needs: &needs,
        wanted: &wanted,
        limit: Some(1.0),
    };
    if !choose_access(binder, &ask).is_sorted(&wanted) {
        return Ok(None);
    }
    let mut group = std::mem::take(&mut parts.group);
    group.predicates.push(is_there);
    let goal = Goal { needs: &needs, wanted: &wanted, limit: Some(1.0) };
    let mut joined = plan_group(binder, group, &goal)?;
    if joined.ordered == wanted.len() {
        let (input, state) = (joined.node, binder.state());
        let limit = Limit { input, state, count: Scalar::integer(1), offset: None };
        joined.node = Node::Limit(Box::new(limit));
        joined.rows = 1.0;
    }
    Ok(Some(joined))
}

/// What a lone `min` or `max` is of, and the order whose first row has it.
fn extreme_key(binder: &Binder<'_>, parts: &QueryParts) -> Option<(Scalar, SortKey)> {
    let [call] = parts.grouping.calls.as_slice() else { return None };
    let [Relation::Table(table)] = parts.group.relations.as_slice() else { return None };
    let descending = match &*call.function.name {
        "min" => false,
        "max" => true,
        _ => return None,
    };
    let [value] = call.arguments.as_slice() else { return None };
    let fits = binder.environment.rules.has(Rules::EXTREMES)
        && is_single_group(parts)
        && call.filter.is_none()
        && matches!(&call.function.implementation, Implementation::Aggregate(_))
        && !table.table.is_system()
        && reads_only(parts, parts.grouping.slot?)
        && value.as_column().is_some();
    let key = SortKey {
        value: value.clone(),
        collation: call.collation,
        descending,
        nulls_first: !descending,
    };
    fits.then(|| (value.clone(), key))
}
