//! Hidden columns of table-valued functions: an equality with one gives an argument.
//!
//! `json_each` and `pragma_table_info` are called with arguments in parentheses or by conditions
//! on their hidden columns (`WHERE arg = 't'`). What such a condition compares with is evaluated
//! as an argument would be; the condition stays, and holds for every row. Neighbours: `group`
//! asks for this before it orders relations, `bind::from` declares the columns.

use super::Node;
use crate::bind::{Group, Relation};
use crate::function::Implementation;
use crate::scalar::{Comparison, Scalar, SlotId};

/// Takes arguments that are still missing from the predicates of a group.
pub(super) fn take_arguments(group: &mut Group) {
    for place in 0..group.relations.len() {
        let Some((slot, hidden, count)) = open_parameters(&group.relations[place]) else {
            continue;
        };
        // What it reads must be known before it: tables, and what stands to the left.
        let may_read: Vec<SlotId> = group
            .relations
            .iter()
            .enumerate()
            .filter(|(other, relation)| *other < place || matches!(relation, Relation::Table(_)))
            .flat_map(|(_, relation)| relation.slots())
            .collect();
        let own: Vec<SlotId> = group.slots();
        let is_known = |value: &Scalar| {
            value.slots().iter().all(|slot| may_read.contains(slot) || !own.contains(slot))
        };
        let values: Vec<Option<Scalar>> = hidden[count.min(hidden.len())..]
            .iter()
            .map(|column| {
                let compared = group.predicates.iter().filter_map(|it| given(it, slot, *column));
                compared.into_iter().find(|value| is_known(value)).cloned()
            })
            .collect();
        give(&mut group.relations[place], values);
    }
}

/// Whether a function of the right side of an outer join has an argument that reads the left side,
/// in its parentheses or by what `on` says of its hidden columns.
pub(super) fn reads_left(right: &Group, on: &[Scalar], left: &[SlotId]) -> bool {
    let is_left = |slots: &[SlotId]| slots.iter().any(|slot| left.contains(slot));
    right.relations.iter().any(|relation| {
        let has_argument = matches!(relation, Relation::Rows(rows) if is_left(&rows.needs));
        let Some((slot, hidden, count)) = open_parameters(relation) else { return has_argument };
        let gets_one = |column: &u16| {
            let mut said = right.predicates.iter().chain(on);
            said.any(|it| given(it, slot, *column).is_some_and(|it| is_left(&it.slots())))
        };
        has_argument || hidden.iter().skip(count).any(gets_one)
    })
}

/// The slot of a function, its hidden columns, and how many of them have an argument.
fn open_parameters(relation: &Relation) -> Option<(SlotId, Vec<u16>, usize)> {
    let Relation::Rows(rows) = relation else { return None };
    match &rows.node {
        Node::Function(scan) => {
            let Implementation::Table(table) = &scan.function.implementation else { return None };
            let columns = (0..).zip(table.columns).filter(|(_, column)| column.is_hidden);
            let hidden: Vec<u16> = columns.map(|(place, _)| place).collect();
            Some((scan.slot, hidden, scan.arguments.len()))
        }
        Node::Pragma(scan) if crate::branching::view::find(&scan.name).is_none() => {
            let first = crate::pragma::width(&scan.name)? as u16;
            Some((scan.slot, vec![first, first + 1], scan.arguments.len()))
        }
        _ => None,
    }
}

/// What a predicate says that a column is equal to.
fn given(predicate: &Scalar, slot: SlotId, column: u16) -> Option<&Scalar> {
    let Scalar::Compare(compare) = predicate else { return None };
    if compare.operator != Comparison::Equal {
        return None;
    }
    let is_it = |side: &Scalar| match side {
        Scalar::Column(place) => place.depth == 0 && place.slot == slot && place.column == column,
        _ => false,
    };
    let other = match (is_it(&compare.left), is_it(&compare.right)) {
        (true, false) => &compare.right,
        (false, true) => &compare.left,
        _ => return None,
    };
    (!other.slots().contains(&slot)).then_some(other)
}

/// Adds values behind the arguments that are there, up to the last that has one.
fn give(relation: &mut Relation, mut values: Vec<Option<Scalar>>) {
    let Relation::Rows(rows) = relation else { return };
    let is_pragma = matches!(rows.node, Node::Pragma(_));
    let kept = if is_pragma {
        values.iter().rposition(Option::is_some).map_or(0, |last| last + 1)
    } else {
        values.iter().take_while(|value| value.is_some()).count()
    };
    values.truncate(kept);
    let values: Vec<Scalar> =
        values.into_iter().map(|value| value.unwrap_or(Scalar::NULL)).collect();
    rows.needs.extend(values.iter().flat_map(Scalar::slots));
    match &mut rows.node {
        Node::Function(scan) => scan.arguments.extend(values),
        Node::Pragma(scan) => scan.arguments.extend(values),
        _ => {}
    }
}
