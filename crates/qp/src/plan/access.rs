//! The way into a table: which index, how much of it.
//!
//! Predicates of the form `column operator value`, where the value is known before the table is
//! read, are matched with the rowid and with the leading columns of each index. What the chosen
//! way answers for exactly need not be checked again. Neighbours: `join` asks, `execute` scans.

use pandodb_ds::record::Collation;
use pandodb_ds::sync::Arc;

use super::join::{EQUAL_SHARE, Needs, table_rows};
use super::{AccessPath, Bound, IndexEqual, IndexPath, Range, SortKey};
use crate::ast::IndexHint;
use crate::bind::{Binder, TableRelation};
use crate::catalog::{Index, IndexColumn, IndexPart, Table};
use crate::scalar::{CompareRule, Comparison, ROWID, Scalar, SlotId};
use crate::types::Affinity;

/// A way into a table.
pub(crate) struct Access {
    /// The way.
    pub(crate) path: AccessPath,
    /// Which predicates (by place) it answers for.
    pub(crate) used: Vec<usize>,
    /// About how many rows it gives.
    pub(crate) rows: f64,
    /// About how many rows' worth of work it is.
    pub(crate) cost: f64,
    /// How many rows the table has.
    pub(crate) total: f64,
    /// It does not read everything.
    pub(crate) is_search: bool,
    /// Rows come in the wanted order.
    pub(crate) sorted: bool,
    /// Read from the end, for that order.
    pub(crate) backward: bool,
}

/// `column operator value`, with the place of its predicate.
struct Term<'s> {
    place: usize,
    subject: &'s Scalar,
    rule: CompareRule,
    test: Test<'s>,
    /// Further tests of the same predicate are needed to answer for it (BETWEEN has two).
    is_half: bool,
}

enum Test<'s> {
    Equal(&'s Scalar),
    Is(&'s Scalar),
    IsNull,
    In(&'s Scalar),
    Low(&'s Scalar, bool),
    High(&'s Scalar, bool),
}

/// The cost of going from an index entry to its row, in rows read in order.
const LOOKUP: f64 = 2.0;
/// How many rows a table is taken to have at least.
const SMALL_TABLE: f64 = 1000.0;
/// The cost of finding a place in a tree.
const SEEK: f64 = 4.0;

/// Chooses the cheapest way into `table`.
pub(crate) fn choose_access(
    binder: &mut Binder<'_>,
    table: &TableRelation,
    predicates: &[&Scalar],
    available: &[SlotId],
    needs: &Needs,
    wanted: &[SortKey],
    has_limit: bool,
) -> Access {
    // A plan outlives the moment: a table that is small now is not read as a whole for that.
    let total = table_rows(binder, table).max(SMALL_TABLE);
    let mut best = full(table, total, wanted);
    if table.table.is_system() {
        return best;
    }
    let terms = terms(predicates, table.slot, available);
    let only = match &table.hint {
        Some(IndexHint::IndexedBy(name)) => Some(Some(name)),
        Some(IndexHint::NotIndexed) => Some(None),
        None => None,
    };
    if only.is_none_or(|only| only.is_none()) {
        for access in rowid_paths(&terms, total, wanted, table.slot) {
            keep_cheaper(&mut best, access, wanted);
        }
        if table.table.has_rowid() {
            // Nothing more: the rowid is the key.
        } else if let Some(access) =
            index_path(binder, table, None, &terms, predicates, total, needs, wanted)
        {
            keep_cheaper(&mut best, access, wanted);
        }
    }
    let mut forced: Option<Access> = None;
    for index in &table.table.indexes {
        let is_forced = match only {
            Some(Some(name)) => name.is(&index.name),
            Some(None) => continue,
            None => false,
        };
        if only.is_some() && !is_forced {
            continue;
        }
        let found =
            index_path(binder, table, Some(index), &terms, predicates, total, needs, wanted);
        let Some(access) = found else { continue };
        if is_forced {
            forced = Some(access);
        } else if access.is_search || is_covering(&access) || (access.sorted && has_limit) {
            keep_cheaper(&mut best, access, wanted);
        }
    }
    forced.unwrap_or(best)
}

fn is_covering(access: &Access) -> bool {
    matches!(&access.path, AccessPath::Index(path) if path.covering)
}

/// Keeps the cheaper of two ways; one that saves a sort is worth its cost.
fn keep_cheaper(best: &mut Access, other: Access, wanted: &[SortKey]) {
    let price = |access: &Access| {
        let sort = if wanted.is_empty() || access.sorted {
            0.0
        } else {
            access.rows * access.rows.max(2.0).log2() * 0.3
        };
        access.cost + sort
    };
    if price(&other) < price(best) {
        *best = other;
    }
}

fn full(table: &TableRelation, total: f64, wanted: &[SortKey]) -> Access {
    let order = [(ROWID, Collation::Binary, false)];
    let (sorted, backward) = if table.table.has_rowid() && !table.table.is_system() {
        satisfies(wanted, table.slot, &order, &[], true)
    } else {
        (wanted.is_empty(), false)
    };
    Access {
        path: AccessPath::Full,
        used: Vec::new(),
        rows: total,
        cost: total,
        total,
        is_search: false,
        sorted,
        backward,
    }
}

/// Predicates as tests of this table's columns.
fn terms<'s>(predicates: &[&'s Scalar], slot: SlotId, available: &[SlotId]) -> Vec<Term<'s>> {
    let mut terms = Vec::new();
    let is_known = |scalar: &Scalar| {
        scalar.slots().iter().all(|used| available.contains(used)) && !is_volatile(scalar)
    };
    let is_own = |scalar: &Scalar| {
        let slots = scalar.slots();
        !slots.is_empty() && slots.iter().all(|used| *used == slot) && !scalar.has_subquery()
    };
    for (place, predicate) in predicates.iter().enumerate() {
        match predicate {
            Scalar::Compare(compare) => {
                let sides = [
                    (&compare.left, &compare.right, compare.operator),
                    (&compare.right, &compare.left, compare.operator.exchanged()),
                ];
                for (subject, value, operator) in sides {
                    if !is_own(subject) || !is_known(value) {
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
            Scalar::Between(between) if !between.negated && is_own(&between.operand) => {
                let subject = &between.operand;
                if is_known(&between.low) {
                    let test = Test::Low(&between.low, true);
                    terms.push(Term {
                        place,
                        subject,
                        rule: between.low_rule,
                        test,
                        is_half: true,
                    });
                }
                if is_known(&between.high) {
                    let test = Test::High(&between.high, true);
                    let rule = between.high_rule;
                    terms.push(Term { place, subject, rule, test, is_half: true });
                }
            }
            Scalar::IsNull(subject, false) if is_own(subject) => {
                let rule = CompareRule {
                    affinity: Affinity::None,
                    collation: subject.collation().unwrap_or_default(),
                };
                terms.push(Term { place, subject, rule, test: Test::IsNull, is_half: false });
            }
            Scalar::InList(list)
                if !list.negated && is_own(&list.operand) && list.others.iter().all(is_known) =>
            {
                let (subject, rule) = (&list.operand, list.rule);
                let test = Test::In(predicate);
                terms.push(Term { place, subject, rule, test, is_half: false });
            }
            Scalar::InSubquery(set) if !set.negated && set.operands.len() == 1 => {
                let reads_own = set
                    .subquery
                    .plan
                    .outer
                    .iter()
                    .any(|used| used.depth == 0 && !available.contains(&used.slot));
                if is_own(&set.operands[0]) && !reads_own {
                    let (subject, rule) = (&set.operands[0], set.rules[0]);
                    let test = Test::In(predicate);
                    terms.push(Term { place, subject, rule, test, is_half: false });
                }
            }
            _ => {}
        }
    }
    terms
}

fn is_volatile(scalar: &Scalar) -> bool {
    scalar.any(&mut |node| match node {
        Scalar::Call(call) => call.function.determinism == crate::function::Determinism::Volatile,
        _ => false,
    })
}

fn is_rowid(subject: &Scalar, slot: SlotId) -> bool {
    let Scalar::Column(place) = subject else { return false };
    place.depth == 0 && place.slot == slot && place.column == ROWID
}

/// The ways in by rowid.
fn rowid_paths(terms: &[Term<'_>], total: f64, wanted: &[SortKey], slot: SlotId) -> Vec<Access> {
    let mut paths = Vec::new();
    let own = || terms.iter().filter(|term| is_rowid(term.subject, slot));
    let order = [(ROWID, Collation::Binary, false)];
    let make = |path, used, rows: f64, cost| {
        let (sorted, backward) = satisfies(wanted, slot, &order, &[], true);
        Access { path, used, rows, cost, total, is_search: true, sorted, backward }
    };
    for term in own() {
        match term.test {
            Test::Equal(value) | Test::Is(value) => {
                let path = AccessPath::Rowid(value.clone());
                paths.push(Access { sorted: true, ..make(path, vec![term.place], 1.0, SEEK) });
            }
            Test::In(set) => {
                let count = in_count(set);
                let path = AccessPath::Rowids(set.clone());
                paths.push(make(path, vec![term.place], count.min(total), count * SEEK));
            }
            _ => {}
        }
    }
    let (range, used, share) = range_of(own(), terms);
    if range.low.is_some() || range.high.is_some() {
        let rows = (total * share).max(1.0);
        paths.push(make(AccessPath::RowidRange(range), used, rows, rows + SEEK));
    }
    paths
}

/// The range that tests make, which predicates they answer for, and what share passes.
fn range_of<'t, 's: 't>(
    own: impl Iterator<Item = &'t Term<'s>>,
    _: &[Term<'_>],
) -> (Range, Vec<usize>, f64) {
    let mut range = Range::default();
    let (mut used, mut halves, mut share) = (Vec::new(), Vec::new(), 1.0);
    for term in own {
        let (bound, value, inclusive) = match term.test {
            Test::Low(value, inclusive) => (&mut range.low, value, inclusive),
            Test::High(value, inclusive) => (&mut range.high, value, inclusive),
            _ => continue,
        };
        if bound.is_some() {
            continue;
        }
        *bound = Some(Bound { value: value.clone(), inclusive });
        share *= 0.3;
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
    (range, used, share)
}

fn in_count(set: &Scalar) -> f64 {
    match set {
        Scalar::InList(list) => (list.constants.len() + list.others.len()) as f64,
        _ => 25.0,
    }
}

/// Whether a test by `rule` can be answered by a column that is ordered so.
fn matches(term: &Term<'_>, column: &IndexColumn) -> bool {
    let affinity_fits = match term.rule.affinity {
        Affinity::None | Affinity::Blob => true,
        Affinity::Text => column.affinity == Affinity::Text,
        _ => column.affinity.is_numeric(),
    };
    affinity_fits && (term.rule.collation == column.collation || matches!(term.test, Test::IsNull))
}

/// The way in by an index, or by the key of a table without rowid.
#[allow(clippy::too_many_arguments, reason = "what is known of one table, used at one place")]
fn index_path(
    binder: &mut Binder<'_>,
    table: &TableRelation,
    index: Option<&Arc<Index>>,
    terms: &[Term<'_>],
    predicates: &[&Scalar],
    total: f64,
    needs: &Needs,
    wanted: &[SortKey],
) -> Option<Access> {
    let columns: &[IndexColumn] = match index {
        Some(index) => &index.columns,
        None => table.table.key_columns(),
    };
    if columns.iter().any(|column| matches!(column.collation, Collation::Custom(_))) {
        return None;
    }
    let is_partial = index.is_some_and(|index| index.filter.is_some());
    if let Some(index) = index
        && !implies_filter(binder, table, index, predicates)
    {
        return None;
    }
    let subjects = subjects(binder, table, columns)?;
    let (mut equals, mut used, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rows, mut seeks) = (total, 1.0);
    for (column, subject) in columns.iter().zip(&subjects) {
        let fits = |term: &&Term<'_>| same_subject(term.subject, subject) && matches(term, column);
        let equal = terms
            .iter()
            .filter(fits)
            .find(|term| matches!(term.test, Test::Equal(_) | Test::Is(_) | Test::IsNull));
        let found = equal
            .or_else(|| terms.iter().filter(fits).find(|term| matches!(term.test, Test::In(_))));
        let Some(term) = found else { break };
        let is_single = !matches!(term.test, Test::In(_));
        equals.push(match term.test {
            Test::Equal(value) => IndexEqual::Value { value: value.clone(), is: false },
            Test::Is(value) => IndexEqual::Value { value: value.clone(), is: true },
            Test::In(set) => {
                let count = in_count(set).max(1.0);
                seeks *= count;
                rows *= count;
                IndexEqual::In(set.clone())
            }
            _ => IndexEqual::Value { value: Scalar::NULL, is: true },
        });
        used.push(term.place);
        rows *= EQUAL_SHARE;
        if is_single {
            constant.push(equals.len() - 1);
        }
    }
    let is_unique = index.is_none_or(|index| index.unique.is_some());
    let has_all = equals.len() == columns.len();
    let mut range = Range::default();
    if let (Some(column), Some(subject)) = (columns.get(equals.len()), subjects.get(equals.len())) {
        let own = terms
            .iter()
            .filter(|term| same_subject(term.subject, subject) && matches(term, column));
        let (found, more, share) = range_of(own, terms);
        rows *= share;
        range = found;
        used.extend(more);
    }
    if has_all && is_unique {
        rows = seeks;
    } else if !equals.is_empty() {
        rows = rows.max(1.5).min(total.max(1.5));
    }
    rows = rows.max(0.5).min(total.max(1.0));
    let is_search = !equals.is_empty() || range.low.is_some() || range.high.is_some();
    let covering = index.is_some_and(|index| covers(table, index, needs));
    let cost = if index.is_none() || covering {
        rows * 0.9 + seeks * SEEK
    } else {
        rows * (1.0 + LOOKUP) + seeks * SEEK
    };
    let order: Vec<(u16, Collation, bool)> = columns
        .iter()
        .map(|column| {
            let place = column.column().map_or(ROWID, |index| column_place(&table.table, index));
            (place, column.collation, column.descending)
        })
        .collect();
    let is_exact_order = seeks <= 1.0 && columns.iter().all(|column| column.column().is_some());
    let (sorted, backward) = if is_exact_order {
        let ends_with_rowid = index.is_some() && table.table.has_rowid();
        let mut order = order;
        if ends_with_rowid {
            order.push((ROWID, Collation::Binary, false));
        }
        satisfies(wanted, table.slot, &order, &constant, ends_with_rowid)
    } else {
        (wanted.is_empty(), false)
    };
    if !is_search && !covering && !sorted && !is_partial {
        return None;
    }
    let path = IndexPath { index: index.cloned(), equals, range, covering };
    let path = AccessPath::Index(path);
    Some(Access { path, used, rows, cost, total, is_search, sorted, backward })
}

fn column_place(table: &Table, index: usize) -> u16 {
    if table.rowid_alias() == Some(index) { ROWID } else { table.columns[index].position as u16 }
}

/// The expressions that an index is ordered by, over the table's slot.
fn subjects(
    binder: &mut Binder<'_>,
    table: &TableRelation,
    columns: &[IndexColumn],
) -> Option<Vec<Scalar>> {
    let mut scope = None;
    let mut subjects = Vec::with_capacity(columns.len());
    for column in columns {
        let scope = if let Some(scope) = &mut scope {
            scope
        } else {
            scope = Some(binder.table_scope(&table.table, table.slot, &table.alias, true).ok()?);
            scope.as_mut()?
        };
        subjects.push(match &column.part {
            IndexPart::Column(index, _) => scope.columns[*index].scalar.clone(),
            IndexPart::Expression(expression) => {
                binder.over_columns(scope, expression, "index expressions").ok()?
            }
        });
    }
    Some(subjects)
}

fn same_subject(term: &Scalar, subject: &Scalar) -> bool {
    let term = match term {
        Scalar::Collate(operand, _) => operand,
        other => other,
    };
    let subject = match subject {
        Scalar::Collate(operand, _) => operand,
        other => other,
    };
    term.same(subject)
}

/// Whether the predicates say that every row they let through is in a partial index.
fn implies_filter(
    binder: &mut Binder<'_>,
    table: &TableRelation,
    index: &Index,
    predicates: &[&Scalar],
) -> bool {
    let Some(filter) = &index.filter else { return true };
    let Ok(mut scope) = binder.table_scope(&table.table, table.slot, &table.alias, true) else {
        return false;
    };
    let Ok(bound) = binder.over_columns(&mut scope, filter, "partial index WHERE clauses") else {
        return false;
    };
    let parts = crate::bind::split_and(bound);
    parts.iter().all(|part| predicates.iter().any(|predicate| implies(predicate, part)))
}

/// Whether a row that passes `predicate` passes `part`.
fn implies(predicate: &Scalar, part: &Scalar) -> bool {
    if predicate.same(part) {
        return true;
    }
    let Scalar::IsNull(operand, true) = part else { return false };
    match predicate {
        Scalar::Compare(compare) => {
            !matches!(compare.operator, Comparison::Is | Comparison::IsNot)
                && (compare.left.same(operand) || compare.right.same(operand))
        }
        Scalar::Between(between) => between.operand.same(operand),
        Scalar::InList(list) => !list.negated && list.operand.same(operand),
        _ => false,
    }
}

/// Whether an index has every column that is read.
fn covers(table: &TableRelation, index: &Index, needs: &Needs) -> bool {
    if !table.table.has_rowid() || index.has_expressions() {
        return false;
    }
    let has = |column: u16| {
        index.columns.iter().any(|part| {
            part.column().is_some_and(|place| column_place(&table.table, place) == column)
        })
    };
    needs.of(table.slot).all(has)
}

/// Whether rows that come in `order` (of columns of `slot`) come in the wanted one, and whether
/// they do from the end. Columns at `constant` places have one value only.
fn satisfies(
    wanted: &[SortKey],
    slot: SlotId,
    order: &[(u16, Collation, bool)],
    constant: &[usize],
    is_unique: bool,
) -> (bool, bool) {
    if wanted.is_empty() {
        return (true, false);
    }
    let mut direction: Option<bool> = None;
    let mut next = 0;
    for key in wanted {
        let Some(place) = key.value.as_column() else { return (false, false) };
        if place.depth != 0 || place.slot != slot {
            return (false, false);
        }
        if key.nulls_first == key.descending {
            return (false, false);
        }
        let is_constant = constant.iter().any(|index| order[*index].0 == place.column);
        if is_constant {
            continue;
        }
        while constant.contains(&next) {
            next += 1;
        }
        let Some((column, collation, descending)) = order.get(next) else {
            return (is_unique && next >= order.len(), direction.unwrap_or(false));
        };
        if *column != place.column || (*collation != key.collation && *column != ROWID) {
            return (false, false);
        }
        let reversed = key.descending != *descending;
        if direction.is_some_and(|known| known != reversed) {
            return (false, false);
        }
        direction = Some(reversed);
        if *column == ROWID {
            // Rowids are unique: what follows decides nothing.
            return (true, reversed);
        }
        next += 1;
    }
    (true, direction.unwrap_or(false))
}
