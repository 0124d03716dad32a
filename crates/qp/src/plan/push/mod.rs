//! Conditions that go into subqueries of FROM.
//!
//! A block that makes groups, or leaves out repeated rows, is planned together with the block
//! around it. What that demands of a column which the inner block groups by (or by which it
//! divides the rows that it numbers) is demanded of the rows before: an index may answer for it,
//! and fewer rows are grouped. Neighbours: `later` has the blocks that wait, among them selects
//! that are put together, `group` plans the rest.

mod later;
mod merge;

use pandodb_ds::record::Collation;

pub(crate) use self::later::{Later, LaterCompound, Ordered};
pub(crate) use self::merge::OrderAsked;

use super::group::{Goal, Term};
use super::select::QueryParts;
use super::{Node, PragmaScan, Project};
use crate::bind::{Binder, Group, LaterBlock, Relation};
use crate::error::Result;
use crate::scalar::{CompareRule, Comparison, Scalar, SlotId};
use crate::types::Affinity;

/// Plans the blocks of a group that waited, with the conditions that they can take.
pub(super) fn plan_waiting(
    binder: &mut Binder<'_>,
    group: &mut Group,
    terms: &mut [Term],
    goal: &Goal<'_>,
) -> Result<()> {
    let is_alone = group.relations.len() == 1 && group.semis.is_empty();
    for relation in &mut group.relations {
        let Relation::Rows(rows) = relation else { continue };
        if let Node::Pragma(scan) = &mut rows.node {
            ask_for_one(scan, terms);
            continue;
        }
        let (Some(LaterBlock { mut later, label }), [slot]) =
            (rows.later.take(), rows.slots.as_slice())
        else {
            continue;
        };
        let slot = *slot;
        for term in terms.iter_mut().filter(|term| term.slots == [slot]) {
            if term.scalar.as_ref().is_some_and(|scalar| later.take(scalar, slot)) {
                term.scalar = None;
            }
        }
        let (input, outputs, count) = match later {
            Later::Compound(compound) if is_alone && !goal.wanted.is_empty() => {
                // How many of its rows pass what is asked above is not known.
                let (keys, ends_early) = (goal.wanted, goal.limit.is_some());
                let asked = OrderAsked { keys, slot, limit: None, ends_early, may_sort: false };
                let made = compound.finish(binder, &asked)?;
                rows.sorted = made.sorted;
                (made.node, made.outputs, made.rows)
            }
            later => later.finish(binder)?,
        };
        let project = Project { input, outputs, slot, label: Some(label) };
        rows.node = Node::Project(Box::new(project));
        rows.rows = count;
    }
    Ok(())
}

/// Tells a system view which row is asked for, where a condition compares its key with something
/// that is known before: the condition stays.
fn ask_for_one(scan: &mut PragmaScan, terms: &[Term]) {
    let is_keyed = crate::branching::view::find(&scan.name).is_some_and(|view| view.has_key);
    if !is_keyed || !scan.arguments.is_empty() {
        return;
    }
    let is_key = |scalar: &Scalar| {
        matches!(scalar, Scalar::Column(place)
            if place.depth == 0 && place.slot == scan.slot && place.column == 0)
    };
    let is_known = |scalar: &Scalar| scalar.slots().is_empty() && !scalar.has_subquery();
    let known = terms.iter().filter_map(|term| match term.scalar.as_ref()? {
        Scalar::Compare(it)
            if it.operator == Comparison::Equal && it.rule.collation == Collation::Binary =>
        {
            let sides = [(&it.left, &it.right), (&it.right, &it.left)];
            let asked = sides.into_iter().find(|(key, other)| is_key(key) && is_known(other));
            asked.map(|(_, other)| other.clone())
        }
        _ => None,
    });
    // Two arguments say that there may be no such row.
    if let Some(key) = { known }.next() {
        scan.arguments = vec![key, Scalar::NULL];
    }
}

/// Whether a condition cannot tell values of `slot` apart that are equal: groups are made of
/// such, 1 and 1.0.
fn is_blind(scalar: &Scalar, slot: SlotId) -> bool {
    let is_free = |scalar: &Scalar| !scalar.slots().contains(&slot) && !scalar.has_subquery();
    let is_operand = |scalar: &Scalar, rule: CompareRule| match scalar {
        Scalar::Column(place) if place.depth == 0 && place.slot == slot => {
            rule.affinity != Affinity::Text || place.affinity == Affinity::Text
        }
        other => is_free(other),
    };
    match scalar {
        Scalar::Compare(it) => is_operand(&it.left, it.rule) && is_operand(&it.right, it.rule),
        Scalar::Between(it) => {
            is_operand(&it.operand, it.low_rule)
                && is_operand(&it.operand, it.high_rule)
                && is_free(&it.low)
                && is_free(&it.high)
        }
        Scalar::IsNull(operand, _) => is_operand(operand, CompareRule::default()),
        Scalar::InList(list) => {
            is_operand(&list.operand, list.rule) && list.others.iter().all(is_free)
        }
        Scalar::And(terms) | Scalar::Or(terms) => terms.iter().all(|term| is_blind(term, slot)),
        _ => false,
    }
}

/// A condition on the results of a block as one on the rows that it groups; none where it asks
/// for what only the groups have.
fn inside(scalar: &Scalar, slot: SlotId, parts: &QueryParts) -> Option<Scalar> {
    if !is_blind(scalar, slot) {
        return None;
    }
    let keys = &parts.grouping.keys;
    let is_grouped = !keys.is_empty() || !parts.grouping.calls.is_empty();
    let windows = &parts.grouping.windows;
    if is_grouped && !windows.is_empty() {
        return None;
    }
    let mut inner = scalar.clone();
    let mut fits = true;
    inner.rewrite(&mut |node| {
        let Scalar::Column(place) = node else { return };
        if place.depth != 0 || place.slot != slot {
            return;
        }
        let output = parts.outputs.get(usize::from(place.column));
        // Values that are equal under a collation are one group, whose value is any of them.
        let whole = |output: &&Scalar| {
            let is_key = |key: &super::GroupKey| {
                key.value.same(output) && key.collation == pandodb_ds::record::Collation::Binary
            };
            let is_binary =
                output.collation().unwrap_or_default() == pandodb_ds::record::Collation::Binary;
            // What divides the rows of all windows takes whole partitions away.
            let divides = windows.iter().all(|window| window.partition_by.iter().any(is_key));
            if is_grouped { keys.iter().any(is_key) } else { is_binary && divides }
        };
        match output.filter(whole).filter(|output| output.is_small()) {
            Some(output) => *node = output.clone(),
            None => fits = false,
        }
    });
    (fits && inner.is_small()).then_some(inner)
}
