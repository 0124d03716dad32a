//! What predicates imply, before relations are put in order.
//!
//! An OR whose parts all demand the same demands it too, and what its parts demand of one table
//! is an OR about that table; what equals a third is equal; an outer join whose made-up rows
//! could not pass is an inner one. Neighbours: `group` plans with the result.

use pandodb_ds::record::Value;

use super::JoinType;
use super::group::Term;
use super::rules::Rules;
use crate::bind::{Group, OuterRelation, Relation};
use crate::scalar::{ColumnPlace, Compare, CompareRule, Comparison, Scalar, SlotId};
use crate::types::Affinity;

/// The most columns that are found equal to each other and compared with each other.
const CLASS_MAX: usize = 8;

/// Predicates as terms, with what they imply.
pub(super) fn terms_of(predicates: Vec<Scalar>, own: &[SlotId], rules: Rules) -> Vec<Term> {
    let mut given = Vec::with_capacity(predicates.len());
    let mut implied = Vec::new();
    for predicate in predicates {
        match predicate {
            Scalar::Or(parts) if rules.has(Rules::COMMON_TERMS) => {
                factor(parts, own, &mut given, &mut implied);
            }
            other => given.push(other),
        }
    }
    if rules.has(Rules::TRANSITIVE) {
        implied.extend(transitive(&given));
    }
    let term = |scalar: Scalar, implied: bool| {
        let slots = scalar.slots().into_iter().filter(|slot| own.contains(slot)).collect();
        Term { scalar: Some(scalar), slots, implied }
    };
    let mut terms: Vec<Term> = given.into_iter().map(|scalar| term(scalar, false)).collect();
    terms.extend(implied.into_iter().map(|scalar| term(scalar, true)));
    terms
}

/// The terms of an AND, or the predicate itself.
fn conjuncts(scalar: Scalar) -> Vec<Scalar> {
    crate::bind::split_and(scalar)
}

/// Takes what all parts of an OR have in common out of it; says what it demands of single tables.
fn factor(parts: Vec<Scalar>, own: &[SlotId], given: &mut Vec<Scalar>, implied: &mut Vec<Scalar>) {
    if parts.iter().any(Scalar::has_subquery) {
        given.push(Scalar::Or(parts));
        return;
    }
    let mut parts: Vec<Vec<Scalar>> = parts.into_iter().map(conjuncts).collect();
    let Some(first) = parts.first() else { return };
    let common: Vec<Scalar> = first
        .iter()
        .filter(|term| parts.iter().skip(1).all(|part| part.iter().any(|other| other.same(term))))
        .cloned()
        .collect();
    for part in &mut parts {
        part.retain(|term| !common.iter().any(|known| known.same(term)));
    }
    given.extend(common);
    // A part that demands nothing more lets everything pass.
    if parts.iter().any(Vec::is_empty) {
        return;
    }
    let about = single_tables(&parts, own);
    if !about.is_empty() {
        implied.extend(listed(&parts));
    }
    implied.extend(about);
    let parts: Vec<Scalar> = parts.into_iter().filter_map(Scalar::all).collect();
    match one_of(&parts) {
        Some(list) => given.push(list),
        None => given.push(Scalar::Or(parts)),
    }
}

/// For each table that every part of an OR says something about: the OR of that.
fn single_tables(parts: &[Vec<Scalar>], own: &[SlotId]) -> Vec<Scalar> {
    let mut found = Vec::new();
    if parts.iter().all(|part| part.len() == 1) {
        return found;
    }
    for slot in own {
        let about = |term: &&Scalar| term.slots() == [*slot];
        if parts.iter().flatten().all(|term| about(&term)) {
            // It would say the same.
            return found;
        }
        let each: Option<Vec<Scalar>> = parts
            .iter()
            .map(|part| Scalar::all(part.iter().filter(about).cloned().collect()))
            .collect();
        if let Some(each) = each {
            found.push(Scalar::Or(each));
        }
    }
    found
}

/// The most values that are put together from the parts of an OR.
const LISTED_MAX: usize = 64;

/// Where each part of an OR says which values a column has: the list of all of them.
fn listed(parts: &[Vec<Scalar>]) -> Vec<Scalar> {
    let mut found: Vec<Scalar> = Vec::new();
    let Some(first) = parts.first() else { return found };
    for term in first {
        let Some((subject, rule, _)) = values_of(term) else { continue };
        let mut values = Vec::new();
        let is_listed = parts.iter().all(|part| {
            let known = part.iter().filter_map(values_of);
            let mut same = known.filter(|it| it.0.same(subject) && it.1 == rule);
            same.next().map(|(_, _, more)| values.extend_from_slice(more)).is_some()
        });
        if is_listed && values.len() <= LISTED_MAX {
            found.extend(crate::bind::constant_list(subject.clone(), rule, values));
        }
    }
    found
}

/// A column and the values that a term lets it have.
fn values_of(term: &Scalar) -> Option<(&Scalar, CompareRule, &[Value])> {
    match term {
        Scalar::Compare(compare) if compare.operator == Comparison::Equal => {
            match (&compare.left, &compare.right) {
                (own @ Scalar::Column(_), Scalar::Literal(value))
                | (Scalar::Literal(value), own @ Scalar::Column(_)) => {
                    Some((own, compare.rule.of_list(), std::slice::from_ref(value)))
                }
                _ => None,
            }
        }
        Scalar::InList(list) if !list.negated && list.others.is_empty() => matches!(
            list.operand,
            Scalar::Column(_)
        )
        .then_some((&list.operand, list.rule, list.constants.as_slice())),
        _ => None,
    }
}

/// `a = 1 OR a = 2` as `a IN (1, 2)`.
pub(super) fn one_of(parts: &[Scalar]) -> Option<Scalar> {
    let mut subject: Option<(&Scalar, CompareRule)> = None;
    let mut values = Vec::with_capacity(parts.len());
    for part in parts {
        let Scalar::Compare(compare) = part else { return None };
        if compare.operator != Comparison::Equal {
            return None;
        }
        let ((own @ Scalar::Column(_), Scalar::Literal(value))
        | (Scalar::Literal(value), own @ Scalar::Column(_))) = (&compare.left, &compare.right)
        else {
            return None;
        };
        match subject {
            None => subject = Some((own, compare.rule)),
            Some((known, rule)) if known.same(own) && rule == compare.rule => {}
            Some(_) => return None,
        }
        values.push(value.clone());
    }
    let (operand, rule) = subject?;
    crate::bind::constant_list(operand.clone(), rule, values)
}

/// A column of the block's own, with what decides comparisons of it.
fn plain_column(scalar: &Scalar) -> Option<&ColumnPlace> {
    match scalar {
        Scalar::Column(place) if place.depth == 0 => Some(place),
        _ => None,
    }
}

/// Columns that are equal to each other, of the same affinity and order: what is equal to a
/// third is equal then.
#[derive(Default)]
pub(super) struct Classes(Vec<Vec<(SlotId, u16)>>);

impl Classes {
    fn place(&self, column: (SlotId, u16)) -> Option<usize> {
        self.0.iter().position(|class| class.contains(&column))
    }

    /// Notes an equality of columns that holds in every row.
    pub(super) fn add(&mut self, predicate: &Scalar) {
        let Some((left, right)) = column_equality(predicate) else { return };
        let (left, right) = ((left.slot, left.column), (right.slot, right.column));
        match (self.place(left), self.place(right)) {
            (None, None) => self.0.push(vec![left, right]),
            (Some(class), None) => self.0[class].push(right),
            (None, Some(class)) => self.0[class].push(left),
            (Some(first), Some(second)) if first != second => {
                let moved = self.0.remove(first.max(second));
                self.0[first.min(second)].extend(moved);
            }
            _ => {}
        }
    }

    /// Whether an equality of columns follows from those that were noted.
    pub(super) fn has(&self, predicate: &Scalar) -> bool {
        let Some((left, right)) = column_equality(predicate) else { return false };
        let class = self.place((left.slot, left.column));
        class.is_some() && class == self.place((right.slot, right.column))
    }
}

/// Equalities that follow from others: of columns of the same affinity and order, so that
/// nothing is converted on the way.
fn transitive(given: &[Scalar]) -> Vec<Scalar> {
    let mut classes: Vec<Vec<ColumnPlace>> = Vec::new();
    for predicate in given {
        let Some((left, right)) = column_equality(predicate) else { continue };
        let place = |column: &ColumnPlace, classes: &[Vec<ColumnPlace>]| {
            classes.iter().position(|class| class.iter().any(|known| known == column))
        };
        match (place(&left, &classes), place(&right, &classes)) {
            (None, None) => classes.push(vec![left, right]),
            (Some(class), None) => classes[class].push(right),
            (None, Some(class)) => classes[class].push(left),
            (Some(first), Some(second)) if first != second => {
                let moved = classes.remove(first.max(second));
                classes[first.min(second)].extend(moved);
            }
            _ => {}
        }
    }
    let mut found: Vec<Scalar> = Vec::new();
    for class in &classes {
        if class.len() > CLASS_MAX {
            continue;
        }
        constants_of(class, given, &mut found);
        for (index, left) in class.iter().enumerate() {
            for right in class.iter().skip(index + 1) {
                let is_there = given
                    .iter()
                    .filter_map(column_equality)
                    .any(|known| known == (*left, *right) || known == (*right, *left));
                if !is_there && left.slot != right.slot {
                    found.push(equality(Scalar::Column(*left), Scalar::Column(*right)));
                }
            }
        }
    }
    found
}

/// Comparisons of one column of a class with something fixed, said of the others.
fn constants_of(class: &[ColumnPlace], given: &[Scalar], found: &mut Vec<Scalar>) {
    for predicate in given {
        let Scalar::Compare(compare) = predicate else { continue };
        if matches!(compare.operator, Comparison::Is | Comparison::IsNot | Comparison::NotEqual) {
            continue;
        }
        let (column, value, operator) = match (&compare.left, &compare.right) {
            (Scalar::Column(column), value @ (Scalar::Literal(_) | Scalar::Parameter(_))) => {
                (column, value, compare.operator)
            }
            (value @ (Scalar::Literal(_) | Scalar::Parameter(_)), Scalar::Column(column)) => {
                (column, value, compare.operator.exchanged())
            }
            _ => continue,
        };
        // A comparison that came from around a compound may convert less than the column's own.
        let is_own = compare.rule == Scalar::compare_rule(&compare.left, &compare.right);
        if !class.contains(column) || !is_own {
            continue;
        }
        for other in class.iter().filter(|other| *other != column) {
            let (left, right) = (Scalar::Column(*other), value.clone());
            let rule = Scalar::compare_rule(&left, &right);
            let is_there = given.iter().any(|known| match known {
                Scalar::Compare(known) => {
                    known.operator == operator && known.left.same(&left) && known.right.same(&right)
                }
                _ => false,
            });
            if !is_there {
                found.push(Scalar::Compare(Box::new(Compare { operator, rule, left, right })));
            }
        }
    }
}

fn equality(left: Scalar, right: Scalar) -> Scalar {
    let rule = Scalar::compare_rule(&left, &right);
    Scalar::Compare(Box::new(Compare { operator: Comparison::Equal, rule, left, right }))
}

/// An equality of two columns of the same kind.
fn column_equality(predicate: &Scalar) -> Option<(ColumnPlace, ColumnPlace)> {
    let Scalar::Compare(compare) = predicate else { return None };
    let (left, right) = (plain_column(&compare.left)?, plain_column(&compare.right)?);
    let order = |place: &ColumnPlace| place.collation.unwrap_or_default();
    let is_plain = compare.operator == Comparison::Equal
        && left.affinity == right.affinity
        && left.affinity != Affinity::None
        && order(left) == order(right)
        && compare.rule.collation == order(left);
    is_plain.then_some((*left, *right))
}

/// A LEFT JOIN whose made-up rows could not pass is an inner one.
pub(super) fn simplify_outer(group: &mut Group) {
    let mut changed = true;
    while changed {
        changed = false;
        for index in 0..group.relations.len() {
            let Relation::Outer(outer) = &group.relations[index] else { continue };
            if outer.kind != JoinType::Left {
                continue;
            }
            let right = outer.right.slots();
            if !group.predicates.iter().any(|predicate| rejects_null(predicate, &right)) {
                continue;
            }
            if let Relation::Outer(outer) = group.relations.remove(index) {
                let OuterRelation { left, right, on, .. } = *outer;
                for part in [right, left] {
                    let relations = part.relations.into_iter().rev();
                    relations.for_each(|relation| group.relations.insert(index, relation));
                    group.predicates.extend(part.predicates);
                    group.semis.extend(part.semis);
                    group.fixed |= part.fixed;
                }
                for term in on {
                    group.add_predicate(term);
                }
            }
            changed = true;
            break;
        }
    }
}

/// Whether a predicate cannot be true where all columns of `slots` are NULL.
pub(super) fn rejects_null(predicate: &Scalar, slots: &[SlotId]) -> bool {
    let is_null = |scalar: &Scalar| is_null_with(scalar, slots);
    match predicate {
        Scalar::Compare(compare) => {
            !matches!(compare.operator, Comparison::Is | Comparison::IsNot)
                && (is_null(&compare.left) || is_null(&compare.right))
        }
        Scalar::Between(between) => is_null(&between.operand),
        Scalar::IsNull(operand, true) => is_null(operand),
        Scalar::InList(list) => !list.negated && is_null(&list.operand),
        Scalar::Or(terms) => terms.iter().all(|term| rejects_null(term, slots)),
        Scalar::And(terms) => terms.iter().any(|term| rejects_null(term, slots)),
        _ => false,
    }
}

/// Whether an expression is NULL where all columns of `slots` are.
fn is_null_with(scalar: &Scalar, slots: &[SlotId]) -> bool {
    match scalar {
        Scalar::Column(place) => place.depth == 0 && slots.contains(&place.slot),
        Scalar::Collate(operand, _) | Scalar::Cast(operand, _) | Scalar::Convert(operand, ..) => {
            is_null_with(operand, slots)
        }
        Scalar::Binary(_, operands) => operands.iter().any(|operand| is_null_with(operand, slots)),
        _ => false,
    }
}

/// Predicates that only read the kept side of an outer join are checked there.
pub(super) fn push_into_outer(group: &mut Group, terms: &mut [Term]) {
    for relation in &mut group.relations {
        let Relation::Outer(outer) = relation else { continue };
        let side = match outer.kind {
            JoinType::Left => &mut outer.left,
            JoinType::Right => &mut outer.right,
            _ => continue,
        };
        let slots = side.slots();
        for term in terms.iter_mut() {
            let fits = !term.slots.is_empty() && term.slots.iter().all(|slot| slots.contains(slot));
            if fits && let Some(scalar) = term.scalar.take() {
                side.predicates.push(scalar);
            }
        }
    }
}
