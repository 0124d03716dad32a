//! INDEXED BY: the index must have every row that is asked for.
//!
//! That is looked at once, where all conditions of a block are still together: later some of them
//! are taken by joins. Neighbours: `implied` says what follows from what, `index` reads by it.

use super::implied::implies_filter;
use crate::ast::IndexHint;
use crate::bind::{Binder, Group, OuterRelation, Relation, TableRelation};
use crate::error::{Error, Result};
use crate::plan::JoinType;
use crate::plan::rewrite::{rejects_null, simplify_outer};
use crate::scalar::Scalar;

/// Refuses an INDEXED BY whose index lacks rows that the conditions let through.
pub(in crate::plan) fn check_hints(binder: &mut Binder<'_>, group: &mut Group) -> Result<()> {
    if has_hint(group) {
        simplify_outer(group);
        check_group(binder, group, &[])?;
    }
    Ok(())
}

fn has_hint(group: &Group) -> bool {
    let of_relations = group.relations.iter().any(|relation| match relation {
        Relation::Table(table) => matches!(table.hint, Some(IndexHint::IndexedBy(_))),
        Relation::Rows(_) => false,
        Relation::Outer(outer) => has_hint(&outer.left) || has_hint(&outer.right),
    });
    of_relations || group.semis.iter().any(|semi| has_hint(&semi.group))
}

/// The tables of a group, of whose rows those are asked for that pass its predicates and `around`.
fn check_group(binder: &mut Binder<'_>, group: &mut Group, around: &[&Scalar]) -> Result<()> {
    simplify_outer(group);
    let Group { relations, predicates, semis, .. } = group;
    let asked: Vec<&Scalar> = predicates.iter().chain(around.iter().copied()).collect();
    for relation in relations {
        match relation {
            Relation::Table(table) => check_table(binder, table, &asked)?,
            Relation::Rows(_) => {}
            Relation::Outer(outer) => check_outer(binder, outer, &asked)?,
        }
    }
    semis.iter_mut().try_for_each(|semi| check_group(binder, &mut semi.group, &[]))
}

/// What makes a pair is asked of the side whose rows do not stay, what is asked around the join
/// of the other one.
fn check_outer(
    binder: &mut Binder<'_>,
    outer: &mut OuterRelation,
    around: &[&Scalar],
) -> Result<()> {
    let OuterRelation { kind, left, right, on } = outer;
    let on: Vec<&Scalar> = on.iter().collect();
    // A row that a side lacks brings a row of NULLs in its place, which must not pass either.
    let of_side = |side: &Group| -> Vec<&Scalar> {
        let slots = side.slots();
        around.iter().copied().filter(|term| rejects_null(term, &slots)).collect()
    };
    let (of_left, of_right) = match kind {
        JoinType::Left => (around.to_vec(), on),
        JoinType::Right => (on, around.to_vec()),
        _ => (of_side(left), of_side(right)),
    };
    check_group(binder, left, &of_left)?;
    check_group(binder, right, &of_right)
}

fn check_table(
    binder: &mut Binder<'_>,
    table: &mut TableRelation,
    asked: &[&Scalar],
) -> Result<()> {
    let Some(IndexHint::IndexedBy(name)) = &table.hint else { return Ok(()) };
    let indexes = table.table.clone();
    let Some(index) = indexes.indexes.iter().find(|index| name.is(&index.name)) else {
        return Ok(());
    };
    if implies_filter(binder, table, index, asked) {
        table.hint_fits = true;
        return Ok(());
    }
    let error = Error::invalid("no query solution").at(name.span);
    Err(error.with_hint(format!(
        "the conditions let rows through that the partial index {} does not have",
        index.name
    )))
}
