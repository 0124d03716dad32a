//! Predicates as tests of one table's columns.
//!
//! Neighbours: `rowid` and `index` look for tests that they can answer.

use super::Ask;
use super::pattern::{Prefix, prefix_of};
use crate::bind::Binder;
use crate::catalog::IndexColumn;
use crate::plan::{Bound, Range, Rules};
use crate::scalar::{Compare, CompareRule, Comparison, InSubquery, RowCompare, Scalar, SlotId};
use crate::types::Affinity;

/// How many values the rows of a subquery are taken to be where they are sought: looking each row
/// of a table up among them instead is not cheap either.
const SET_VALUES: f64 = 25.0;

/// `column operator value`, with the place of its predicate.
pub(super) struct Term<'s> {
    pub(super) place: usize,
    pub(super) subject: &'s Scalar,
    pub(super) rule: CompareRule,
    pub(super) test: Test<'s>,
    /// Further tests of the same predicate are needed to answer for it (BETWEEN has two).
    pub(super) is_half: bool,
}

/// What is asked of a column.
pub(super) enum Test<'s> {
    Equal(&'s Scalar),
    Is(&'s Scalar),
    IsNull,
    NotNull,
    In(&'s Scalar),
    Low(&'s Scalar, bool),
    High(&'s Scalar, bool),
    /// LIKE or GLOB: never answered for exactly.
    Prefix(Box<Prefix>),
}

/// What decides whether an expression is known before a table is read, or is the table's own.
struct Reach<'a> {
    slot: SlotId,
    available: &'a [SlotId],
}

impl Reach<'_> {
    fn is_known(&self, scalar: &Scalar) -> bool {
        scalar.slots().iter().all(|used| self.available.contains(used)) && !is_volatile(scalar)
    }

    fn is_own(&self, scalar: &Scalar) -> bool {
        let slots = scalar.slots();
        !slots.is_empty() && slots.iter().all(|used| *used == self.slot) && !scalar.has_subquery()
    }
}

/// Predicates as tests of this table's columns.
pub(super) fn terms<'s>(binder: &Binder<'_>, ask: &Ask<'s>) -> Vec<Term<'s>> {
    let mut terms = Vec::new();
    let reach = Reach { slot: ask.table.slot, available: ask.available };
    for (place, &predicate) in ask.predicates.iter().enumerate() {
        match predicate {
            Scalar::Compare(compare) => compare_terms(compare, place, &reach, &mut terms),
            Scalar::RowCompare(rows) => row_terms(rows, place, &reach, &mut terms),
            Scalar::Between(between) if !between.negated && reach.is_own(&between.operand) => {
                let subject = &between.operand;
                if reach.is_known(&between.low) {
                    let (rule, test) = (between.low_rule, Test::Low(&between.low, true));
                    terms.push(Term { place, subject, rule, test, is_half: true });
                }
                if reach.is_known(&between.high) {
                    let (rule, test) = (between.high_rule, Test::High(&between.high, true));
                    terms.push(Term { place, subject, rule, test, is_half: true });
                }
            }
            Scalar::IsNull(subject, negated) if reach.is_own(subject) => {
                let collation = subject.collation().unwrap_or_default();
                let rule = CompareRule { affinity: Affinity::None, collation };
                let test = if *negated { Test::NotNull } else { Test::IsNull };
                terms.push(Term { place, subject, rule, test, is_half: false });
            }
            Scalar::InList(list)
                if !list.negated
                    && reach.is_own(&list.operand)
                    && list.others.iter().all(|other| reach.is_known(other)) =>
            {
                let (subject, rule) = (&list.operand, list.rule);
                terms.push(Term {
                    place,
                    subject,
                    rule,
                    test: Test::In(predicate),
                    is_half: false,
                });
            }
            Scalar::InSubquery(set) => terms.extend(subquery_term(predicate, set, place, &reach)),
            Scalar::Call(call) if binder.environment.rules.has(Rules::PATTERN_RANGE) => {
                if let Some((subject, prefix)) = prefix_of(binder, call)
                    && reach.is_own(subject)
                {
                    let rule =
                        CompareRule { affinity: Affinity::None, collation: prefix.collation };
                    let test = Test::Prefix(Box::new(prefix));
                    terms.push(Term { place, subject, rule, test, is_half: true });
                }
            }
            _ => {}
        }
    }
    terms
}

fn compare_terms<'s>(
    compare: &'s Compare,
    place: usize,
    reach: &Reach<'_>,
    terms: &mut Vec<Term<'s>>,
) {
    let sides = [
        (&compare.left, &compare.right, compare.operator),
        (&compare.right, &compare.left, compare.operator.exchanged()),
    ];
    for (subject, value, operator) in sides {
        if !reach.is_own(subject) || !reach.is_known(value) {
            continue;
        }
        let test = match operator {
            Comparison::Equal => Test::Equal(value),
            Comparison::Is => Test::Is(value),
            Comparison::Less => Test::High(value, false),
            Comparison::LessOrEqual => Test::High(value, true),
            Comparison::Greater => Test::Low(value, false),
            Comparison::GreaterOrEqual => Test::Low(value, true),
            _ => continue,
        };
        terms.push(Term { place, subject, rule: compare.rule, test, is_half: false });
    }
}

/// What an order of rows says about their first parts, which is not all that it says.
fn row_terms<'s>(rows: &'s RowCompare, place: usize, reach: &Reach<'_>, terms: &mut Vec<Term<'s>>) {
    let (Some(left), Some(right), Some(&rule)) =
        (rows.left.first(), rows.right.first(), rows.rules.first())
    else {
        return;
    };
    let sides = [(left, right, rows.operator), (right, left, rows.operator.exchanged())];
    for (subject, value, operator) in sides {
        if !reach.is_own(subject) || !reach.is_known(value) {
            continue;
        }
        let test = match operator {
            Comparison::Less | Comparison::LessOrEqual => Test::High(value, true),
            Comparison::Greater | Comparison::GreaterOrEqual => Test::Low(value, true),
            _ => continue,
        };
        terms.push(Term { place, subject, rule, test, is_half: true });
    }
}

fn subquery_term<'s>(
    predicate: &'s Scalar,
    set: &'s InSubquery,
    place: usize,
    reach: &Reach<'_>,
) -> Option<Term<'s>> {
    let ([subject], false) = (set.operands.as_slice(), set.negated) else { return None };
    let outer = &set.subquery.plan.outer;
    let reads_own =
        outer.iter().any(|used| used.depth == 0 && !reach.available.contains(&used.slot));
    let fits = reach.is_own(subject) && !reads_own;
    let rule = set.rules.first().copied()?;
    fits.then_some(Term { place, subject, rule, test: Test::In(predicate), is_half: false })
}

fn is_volatile(scalar: &Scalar) -> bool {
    scalar.any(&mut |node| match node {
        Scalar::Call(call) => call.function.determinism == crate::function::Determinism::Volatile,
        _ => false,
    })
}

/// What a comparison by `rule` makes of the value that it finds in a column of `affinity`.
pub(super) fn applied(rule: CompareRule, affinity: Affinity) -> Affinity {
    if rule.affinity >= Affinity::Text { affinity } else { Affinity::None }
}

/// Whether a test by its rule can be answered by a column that is ordered so.
pub(super) fn matches(term: &Term<'_>, column: &IndexColumn) -> bool {
    if let Test::Prefix(prefix) = &term.test {
        return prefix.fits(column);
    }
    let affinity_fits = match term.rule.affinity {
        Affinity::None | Affinity::Blob => true,
        Affinity::Text => column.affinity == Affinity::Text,
        _ => column.affinity.is_numeric(),
    };
    let asks_null = matches!(term.test, Test::IsNull | Test::NotNull);
    affinity_fits && (term.rule.collation == column.collation || asks_null)
}

/// The range that tests make, and which predicates they answer for.
pub(super) fn range_of<'t, 's: 't>(
    own: impl Iterator<Item = &'t Term<'s>>,
    affinity: Affinity,
) -> (Range, Vec<usize>) {
    let mut range = Range::default();
    let (mut used, mut halves, mut prefix) = (Vec::new(), Vec::new(), None);
    for term in own {
        let (bound, value, inclusive) = match &term.test {
            Test::Low(value, inclusive) => (&mut range.low, *value, *inclusive),
            Test::High(value, inclusive) => (&mut range.high, *value, *inclusive),
            Test::Prefix(found) => {
                prefix = prefix.or(Some(found));
                continue;
            }
            Test::NotNull => {
                range.not_null = true;
                used.push(term.place);
                continue;
            }
            _ => continue,
        };
        if bound.is_some() {
            continue;
        }
        let affinity = applied(term.rule, affinity);
        *bound = Some(Bound { value: value.clone(), inclusive, affinity });
        if term.is_half {
            halves.push(term.place);
        } else {
            used.push(term.place);
        }
    }
    // BETWEEN is answered for by both of its bounds together.
    for place in &halves {
        if halves.iter().filter(|other| *other == place).count() == 2 && !used.contains(place) {
            used.push(*place);
        }
    }
    if let (None, None, Some(prefix)) = (&range.low, &range.high, prefix) {
        range = Range { not_null: range.not_null, ..prefix.range() };
    }
    (range, used)
}

/// How many values an IN has.
pub(super) fn in_count(set: &Scalar) -> f64 {
    match set {
        Scalar::InList(list) => (list.constants.len() + list.others.len()) as f64,
        _ => SET_VALUES,
    }
}

/// How many times more values a set has than [`in_count`] says, which is for choosing a way.
pub(super) fn in_excess(set: &Scalar) -> f64 {
    match set {
        Scalar::InSubquery(set) => (set.subquery.plan.rows / SET_VALUES).max(1.0),
        _ => 1.0,
    }
}
