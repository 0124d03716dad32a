//! LEFT, RIGHT and FULL joins.
//!
//! A LEFT JOIN is a loop where the right side can be searched by the left row's values, else a
//! hash join; RIGHT and FULL joins are always hash joins, because only kept rows remember whether
//! they found a partner. Neighbours: `group` plans both sides, `join` the inner joins.

use super::{equality, take_keys};
use crate::bind::{Binder, Group, OuterRelation, Relation};
use crate::error::Result;
use crate::limits;
use crate::plan::access::{Ask, choose_access};
use crate::plan::cost::search_pays;
use crate::plan::group::{Goal, Joined, plan_inside};
use crate::plan::hidden::reads_left;
use crate::plan::rules::Rules;
use crate::plan::{HashJoin, JoinType, NestedLoop, Node};
use crate::scalar::{Scalar, SlotId};

/// How many times smaller a side must be to be kept where the other would be.
const SMALLER: f64 = 2.0;

/// Whether the right side of a LEFT JOIN is looked up in an index for each row of the left one.
fn searches_right(
    binder: &mut Binder<'_>,
    (right, on): (&Group, &[Scalar]),
    (available, given): (&[SlotId], &[SlotId]),
    goal: Goal<'_>,
    (left_rows, has_equality): (f64, bool),
) -> bool {
    let [Relation::Table(table)] = right.relations.as_slice() else { return false };
    let predicates: Vec<&Scalar> = right.predicates.iter().chain(on).collect();
    let ask = Ask {
        table,
        predicates: &predicates,
        available,
        needs: goal.needs,
        wanted: &[],
        limit: None,
    };
    let access = choose_access(binder, &ask);
    let alone = choose_access(binder, &Ask { available: given, ..ask });
    let pays = search_pays(left_rows, access.cost, alone.cost, alone.rows);
    access.is_search && (!has_equality || pays)
}

/// An outer join, for itself.
pub(super) fn outer_join(
    binder: &mut Binder<'_>,
    outer: OuterRelation,
    goal: Goal<'_>,
    given: &[SlotId],
) -> Result<Joined> {
    let goal = Goal { wanted: &[], limit: None, ..goal };
    let OuterRelation { kind, left, right, on } = outer;
    let (left_slots, right_slots) = (left.slots(), right.slots());
    // Each of a chain of outer joins is the left side of the next.
    let left = limits::with_stack(|| plan_inside(binder, left, goal, given))?;
    let mut available = given.to_vec();
    available.extend(&left_slots);
    if reads_left(&right, &on, &left_slots) {
        // It has other rows for each left row, and none without one.
        let is_left_kept = matches!(kind, JoinType::Left | JoinType::Full);
        let kind = if is_left_kept { JoinType::Left } else { JoinType::Inner };
        let sides = Sides { kind, left, left_slots, right, right_slots, on };
        return left_loop(binder, sides, goal, &available);
    }
    if kind == JoinType::Left {
        let has_equality = binder.environment.rules.has(Rules::HASH_JOIN)
            && on.iter().any(|term| equality(term, &left_slots, &right_slots).is_some());
        let ways = (available.as_slice(), given);
        let searches = searches_right(binder, (&right, &on), ways, goal, (left.rows, has_equality));
        if searches || !has_equality {
            let sides = Sides { kind, left, left_slots, right, right_slots, on };
            return left_loop(binder, sides, goal, &available);
        }
    }
    // Conditions on the right side alone are checked before the join, unless its rows stay.
    let mut right = right;
    let mut rest: Vec<Option<Scalar>> = Vec::with_capacity(on.len());
    for term in on {
        let reads = term.slots();
        let is_right = !reads.is_empty() && reads.iter().all(|slot| right_slots.contains(slot));
        if kind == JoinType::Left && is_right {
            right.predicates.push(term);
        } else {
            rest.push(Some(term));
        }
    }
    let right = plan_inside(binder, right, goal, given)?;
    let keys = take_keys(&mut rest, &left_slots, &right_slots);
    let rows = left.rows.max(right.rows);
    let (left_rows, right_rows) = (left.rows, right.rows);
    let state = binder.state();
    let mut join = HashJoin {
        kind,
        state,
        left: left.node,
        right: right.node,
        keys,
        on: rest.into_iter().flatten().collect(),
        left_slots,
        right_slots,
    };
    // The hash table is one of the smaller side.
    let is_large = right_rows >= crate::plan::cost::BATCH_ROWS;
    let pays = is_large && left_rows * SMALLER < right_rows;
    if pays && kind != JoinType::Full && !join.keys.is_empty() {
        join = super::exchanged(join);
        join.kind = if kind == JoinType::Left { JoinType::Right } else { JoinType::Left };
    }
    Ok(Joined { node: Node::HashJoin(Box::new(join)), ordered: 0, rows })
}

/// Both sides of a join.
struct Sides {
    kind: JoinType,
    left: Joined,
    left_slots: Vec<SlotId>,
    right: Group,
    right_slots: Vec<SlotId>,
    on: Vec<Scalar>,
}

fn left_loop(
    binder: &mut Binder<'_>,
    sides: Sides,
    goal: Goal<'_>,
    available: &[SlotId],
) -> Result<Joined> {
    let Sides { kind, left, left_slots, mut right, right_slots, on } = sides;
    let is_heavy = right.relations.iter().any(|relation| match relation {
        Relation::Rows(rows) => !rows.is_cheap,
        Relation::Outer(_) => true,
        Relation::Table(_) => false,
    });
    let mut rest = Vec::new();
    let right = if is_heavy {
        let given: Vec<SlotId> =
            available.iter().copied().filter(|slot| !left_slots.contains(slot)).collect();
        let planned = plan_inside(binder, right, goal, &given)?;
        rest = on;
        let node = binder.materialized(planned.node, right_slots.clone(), "MATERIALIZE");
        Joined { node, ..planned }
    } else {
        right.predicates.extend(on);
        plan_inside(binder, right, goal, available)?
    };
    let state = binder.state();
    let rows = left.rows * right.rows.max(1.0);
    let join = NestedLoop {
        kind,
        state,
        left: left.node,
        right: right.node,
        on: rest,
        left_slots,
        right_slots,
        rows,
    };
    Ok(Joined { node: Node::NestedLoop(Box::new(join)), ordered: 0, rows })
}
