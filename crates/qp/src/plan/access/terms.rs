//! Predicates as tests of one table's columns.
//!
//! Neighbours: `rowid` and `index` look for tests that they can answer.

use super::Ask;
use super::pattern::{Prefix, prefix_of};
use crate::bind::Binder;
use crate::catalog::IndexColumn;
use crate::plan::{Bound, BoundPart, Range, Rules};
use crate::scalar::{Compare, CompareRule, Comparison, InSubquery, RowCompare, Scalar, SlotId};
use crate::types::Affinity;

/// How many values the rows of a subquery are taken to be at least where they are sought, if it is
/// not known to have fewer, and as what share of what is guessed: guesses are too high as a rule,
/// and looking each row of a table up among them instead is not cheap either.
const SET_VALUES: f64 = 25.0;
const SET_SHARE: f64 = 0.7;

/// `column operator value`, with the place of its predicate.
pub(super) struct Term<'s> {
    pub(super) place: usize,
    pub(super) subject: &'s Scalar,
    pub(super) rule: CompareRule,
    pub(super) test: Test<'s>,
    /// Further tests of the same predicate are needed to answer for it (BETWEEN has two).
    pub(super) is_half: bool,
    /// What decides where the values are equal: the further parts of a row.
    pub(super) behind: Option<Behind<'s>>,
}

/// The further parts of a comparison of rows, those with columns on one side.
#[derive(Clone, Copy)]
pub(super) struct Behind<'s> {
    subjects: &'s [Scalar],
    values: &'s [Scalar],
    rules: &'s [CompareRule],
    /// Rows that are equal are in.
    inclusive: bool,
    /// No further part is left out.
    is_whole: bool,
}

impl<'s> Behind<'s> {
    /// The parts, in their order.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&'s Scalar, &'s Scalar, CompareRule)> {
        let sides = self.subjects.iter().zip(self.values);
        sides.zip(self.rules).map(|((subject, value), rule)| (subject, value, *rule))
    }
}

/// The further columns that a way reads in order, asked for the parts of a row: those that it
/// answers for.
pub(super) type Further<'f> = &'f dyn Fn(&Behind<'_>) -> Vec<BoundPart>;

/// What is asked of a column.
pub(super) enum Test<'s> {
    Equal(&'s Scalar),
    Is(&'s Scalar),
    IsNull,
    NotNull,
    /// One of a list, or of the values of a column of a subquery.
    In(&'s Scalar, u16),
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
    let has_rows = binder.environment.rules.has(Rules::ROW_BOUNDS);
    for (place, &predicate) in ask.predicates.iter().enumerate() {
        match predicate {
            Scalar::Compare(compare) => compare_terms(compare, place, &reach, &mut terms),
            Scalar::RowCompare(rows) => {
                terms.extend(row_terms(rows, place, &reach, has_rows));
            }
            Scalar::Between(between) if !between.negated && reach.is_own(&between.operand) => {
                let subject = &between.operand;
                if reach.is_known(&between.low) {
                    let (rule, test) = (between.low_rule, Test::Low(&between.low, true));
                    terms.push(Term::half(place, subject, rule, test));
                }
                if reach.is_known(&between.high) {
                    let (rule, test) = (between.high_rule, Test::High(&between.high, true));
                    terms.push(Term::half(place, subject, rule, test));
                }
            }
            Scalar::IsNull(subject, negated) if reach.is_own(subject) => {
                let collation = subject.collation().unwrap_or_default();
                let rule = CompareRule { affinity: Affinity::None, collation };
                let test = if *negated { Test::NotNull } else { Test::IsNull };
                terms.push(Term::whole(place, subject, rule, test));
            }
            Scalar::InList(list)
                if !list.negated
                    && reach.is_own(&list.operand)
                    && list.others.iter().all(|other| reach.is_known(other)) =>
            {
                let (subject, rule) = (&list.operand, list.rule);
                terms.push(Term::whole(place, subject, rule, Test::In(predicate, 0)));
            }
            Scalar::InSubquery(set) if set.operands.len() == 1 || has_rows => {
                subquery_terms(predicate, set, place, &reach, &mut terms);
            }
            Scalar::Call(call) if binder.environment.rules.has(Rules::PATTERN_RANGE) => {
                if let Some((subject, prefix)) = prefix_of(binder, call)
                    && reach.is_own(subject)
                {
                    let rule =
                        CompareRule { affinity: Affinity::None, collation: prefix.collation };
                    let test = Test::Prefix(Box::new(prefix));
                    terms.push(Term::half(place, subject, rule, test));
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
        terms.push(Term::whole(place, subject, compare.rule, test));
    }
}

/// What an order of rows says about their first parts, with the parts that decide behind them.
fn row_terms<'s>(
    rows: &'s RowCompare,
    place: usize,
    reach: &Reach<'_>,
    has_rows: bool,
) -> Option<Term<'s>> {
    let sides = [
        (&rows.left, &rows.right, rows.operator),
        (&rows.right, &rows.left, rows.operator.exchanged()),
    ];
    for (subjects, values, operator) in sides {
        let fits = |(subject, value)| reach.is_own(subject) && reach.is_known(value);
        let parts = subjects.iter().zip(values).take_while(|parts| fits(*parts)).count();
        let (Some(value), true) = (values.first(), parts > 0) else { continue };
        let test = match operator {
            Comparison::Less | Comparison::LessOrEqual => Test::High(value, true),
            Comparison::Greater | Comparison::GreaterOrEqual => Test::Low(value, true),
            _ => return None,
        };
        let mut term = Term::half(place, &subjects[0], *rows.rules.first()?, test);
        term.behind = has_rows.then(|| Behind {
            subjects: &subjects[1..parts],
            values: &values[1..parts],
            rules: rows.rules.get(1..parts).unwrap_or_default(),
            inclusive: matches!(operator, Comparison::LessOrEqual | Comparison::GreaterOrEqual),
            is_whole: parts == subjects.len(),
        });
        return Some(term);
    }
    None
}

/// The columns of this table that are among the rows of a subquery.
fn subquery_terms<'s>(
    predicate: &'s Scalar,
    set: &'s InSubquery,
    place: usize,
    reach: &Reach<'_>,
    terms: &mut Vec<Term<'s>>,
) {
    let outer = &set.subquery.plan.outer;
    let reads_own =
        outer.iter().any(|used| used.depth == 0 && !reach.available.contains(&used.slot));
    if set.negated || reads_own {
        return;
    }
    for ((part, subject), rule) in (0..).zip(&set.operands).zip(&set.rules) {
        if reach.is_own(subject) {
            let term = Term::whole(place, subject, *rule, Test::In(predicate, part));
            terms.push(Term { is_half: set.operands.len() > 1, ..term });
        }
    }
}

impl<'s> Term<'s> {
    /// A test that is all that its predicate says.
    const fn whole(place: usize, subject: &'s Scalar, rule: CompareRule, test: Test<'s>) -> Self {
        Self { place, subject, rule, test, is_half: false, behind: None }
    }

    /// A test beside which the predicate says more.
    const fn half(place: usize, subject: &'s Scalar, rule: CompareRule, test: Test<'s>) -> Self {
        Self { place, subject, rule, test, is_half: true, behind: None }
    }
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
    match &term.test {
        Test::Prefix(prefix) => prefix.fits(column),
        Test::IsNull | Test::NotNull => affinity_fits(term.rule, column),
        _ => fits_rule(term.rule, column),
    }
}

/// Whether a column is ordered by what a comparison compares by.
pub(super) fn fits_rule(rule: CompareRule, column: &IndexColumn) -> bool {
    affinity_fits(rule, column) && rule.collation == column.collation
}

fn affinity_fits(rule: CompareRule, column: &IndexColumn) -> bool {
    match rule.affinity {
        Affinity::None | Affinity::Blob => true,
        Affinity::Text => column.affinity == Affinity::Text,
        _ => column.affinity.is_numeric(),
    }
}

/// The range that tests make, and which predicates they answer for.
pub(super) fn range_of<'t, 's: 't>(
    own: impl Iterator<Item = &'t Term<'s>>,
    affinity: Affinity,
    further: Further<'_>,
) -> (Range, Vec<usize>) {
    let mut range = Range::default();
    let (mut used, mut halves, mut prefix) = (Vec::new(), Vec::new(), None);
    let parts_of = |term: &Term<'_>| term.behind.as_ref().map_or_else(Vec::new, further);
    let mut own: Vec<(&Term<'_>, Vec<BoundPart>)> =
        own.map(|term| (term, parts_of(term))).collect();
    // Bounds of the most columns leave the least.
    own.sort_by_key(|(_, parts)| std::cmp::Reverse(parts.len()));
    for (term, parts) in own {
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
        let answers = |row: &Behind<'_>| row.is_whole && parts.len() == row.subjects.len();
        let row = term.behind.as_ref().filter(|row| answers(row));
        let inclusive = row.map_or(inclusive, |row| row.inclusive);
        if term.is_half && row.is_none() {
            halves.push(term.place);
        } else {
            used.push(term.place);
        }
        *bound = Some(Bound { value: value.clone(), inclusive, affinity, behind: parts });
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
        Scalar::InSubquery(set) => {
            let rows = set.subquery.plan.rows.max(1.0);
            rows.min(SET_VALUES.max(rows * SET_SHARE))
        }
        _ => SET_VALUES,
    }
}

/// How many times more values a set has than [`in_count`] says, which is for choosing a way.
pub(super) fn in_excess(set: &Scalar) -> f64 {
    match set {
        Scalar::InSubquery(inner) => (inner.subquery.plan.rows / in_count(set)).max(1.0),
        _ => 1.0,
    }
}
