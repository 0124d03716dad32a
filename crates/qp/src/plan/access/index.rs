//! The way in by an index, or by the key of a table without rowid.
//!
//! Neighbours: `rowid` has the other ways, `any` puts several together.

use pandodb_ds::record::Collation;
use pandodb_ds::sync::Arc;

use super::implied::implies_filter;
use super::order::{InOrder, satisfies};
use super::rowid::is_rowid;
use super::terms::{
    Behind, Term, Test, applied, fits_rule, in_count, in_excess, matches, range_of,
};
use super::{Access, Ask};
use crate::bind::{Binder, Called, TableRelation};
use crate::catalog::{Index, IndexColumn, IndexPart, Table};
use crate::plan::cost::{lookup_cost, seek_cost};
use crate::plan::needs::Needs;
use crate::plan::{AccessPath, BoundPart, IndexEqual, IndexIn, IndexPath, Range, Rules, estimate};
use crate::scalar::{ColumnPlace, JsonSign, ROWID, Scalar, SlotId};
use crate::types::Affinity;

/// What tests make of the leading columns of an index.
#[derive(Default)]
struct Matched {
    equals: Vec<IndexEqual>,
    range: Range,
    used: Vec<usize>,
    /// Places of columns that have one value.
    constant: Vec<usize>,
    /// How many places in the index are sought.
    seeks: f64,
    /// How many times more there are in truth.
    excess: f64,
}

/// The way in by an index, or by the key of a table without rowid.
pub(super) fn index_path(
    binder: &mut Binder<'_>,
    ask: &Ask<'_>,
    index: Option<&Arc<Index>>,
    terms: &[Term<'_>],
    total: f64,
) -> Option<Access> {
    let table = ask.table;
    let columns: &[IndexColumn] = match index {
        Some(index) => &index.columns,
        None => table.table.key_columns(),
    };
    let is_forced = index.is_some_and(|index| table.is_hinted(index));
    // Keys in the order of bytes find nothing by such a collation, but can be read as a whole.
    let is_ordered = !columns.iter().any(|column| matches!(column.collation, Collation::Custom(_)));
    if !is_ordered && !is_forced {
        return None;
    }
    let terms = if is_ordered { terms } else { &[] };
    let is_partial = index.is_some_and(|index| index.filter.is_some());
    if let Some(index) = index
        && !(is_forced && table.hint_fits)
        && !implies_filter(binder, table, index, ask.predicates)
    {
        return None;
    }
    let subjects = subjects(binder, table, columns)?;
    let ends_with_rowid = index.is_some() && table.table.has_rowid();
    let has_rows = binder.environment.rules.has(Rules::ROW_BOUNDS);
    let rowid_slot = (ends_with_rowid && has_rows).then_some(table.slot);
    let matched = matched(columns, &subjects, terms, rowid_slot);
    let Matched { equals, range, used, constant, seeks, excess } = matched;
    let is_search = !equals.is_empty() || range.is_bounded();
    let covering = index.is_some_and(|index| covers(table, index, ask.needs));
    // Several places are read in the order of their keys, too.
    let is_exact_order = is_ordered && columns.iter().all(|column| column.column().is_some());
    let mut in_order = InOrder::default();
    if is_exact_order {
        let order = order_of(&table.table, columns, ends_with_rowid);
        // The key of a table without rowid tells all of its rows apart.
        let is_unique = ends_with_rowid || index.is_none();
        in_order = satisfies(ask.wanted, table.slot, &order, &constant, is_unique);
    }
    let InOrder { terms: mut ordered, columns: led, backward } = in_order;
    if ordered < ask.wanted.len() && !binder.environment.rules.has(Rules::PART_SORT) {
        ordered = 0;
    }
    let gives_order = ordered > 0 || ask.wanted.is_empty();
    if !is_search && !covering && !gives_order && !is_partial && !is_forced {
        return None;
    }
    let path = IndexPath { index: index.cloned(), equals, range, covering };
    let rows = estimate::index_rows(binder, table, &path, seeks, total);
    let cost = if index.is_none() || covering {
        rows * 0.9 + seeks * seek_cost(total)
    } else {
        let share = match index {
            Some(index) if table.table.has_rowid() => {
                estimate::neighbours(binder, table, index, rows, total)
            }
            _ => 0.0,
        };
        rows * (1.0 + lookup_cost(total, share)) + seeks * seek_cost(total)
    };
    let path = AccessPath::Index(path);
    let rows = (rows * excess).min(total.max(1.0));
    let run = if ordered == 0 || ordered == ask.wanted.len() {
        rows
    } else {
        let index = index.map(|index| &**index);
        estimate::rows_per_key(binder, table, index, led.min(columns.len()), total).min(rows)
    };
    let backward = backward && ordered > 0;
    Some(Access { path, used, rows, cost, total, is_search, ordered, run, backward })
}

/// Matches tests with the columns from the left: equalities, and a range behind them.
fn matched(
    columns: &[IndexColumn],
    subjects: &[Scalar],
    terms: &[Term<'_>],
    rowid_slot: Option<SlotId>,
) -> Matched {
    let mut found = Matched { seeks: 1.0, excess: 1.0, ..Matched::default() };
    let mut before = None;
    let mut row: Vec<u16> = Vec::new();
    for (column, subject) in columns.iter().zip(subjects) {
        let Some(term) = equal_term(column, subject, terms, before) else { break };
        let affinity = applied(term.rule, column.affinity);
        found.equals.push(match term.test {
            Test::Equal(value) => IndexEqual::Value { value: value.clone(), is: false, affinity },
            Test::Is(value) => IndexEqual::Value { value: value.clone(), is: true, affinity },
            Test::In(set, part) => {
                let follows = before == Some(term.place);
                if !follows {
                    found.seeks *= in_count(set).max(1.0);
                    found.excess *= in_excess(set);
                }
                IndexEqual::In(IndexIn { set: set.clone(), part, affinity, follows })
            }
            _ => IndexEqual::Value { value: Scalar::NULL, is: true, affinity: Affinity::None },
        });
        if let (Test::In(Scalar::InSubquery(set), part), true) = (&term.test, term.is_half) {
            // All columns of a row of values together answer for it.
            if before != Some(term.place) {
                row.clear();
            }
            if !row.contains(part) {
                row.push(*part);
            }
            if row.len() == set.operands.len() {
                found.used.push(term.place);
            }
        } else {
            found.used.push(term.place);
        }
        before = matches!(term.test, Test::In(..)).then_some(term.place);
        if before.is_none() {
            found.constant.push(found.equals.len() - 1);
        }
    }
    let behind = found.equals.len();
    let further = |row: &Behind<'_>| further_parts(row, columns, subjects, behind + 1, rowid_slot);
    if let (Some(column), Some(subject)) = (columns.get(behind), subjects.get(behind)) {
        let own = terms
            .iter()
            .filter(|term| same_subject(term.subject, subject) && matches(term, column));
        let (range, more) = range_of(own, column.affinity, &further);
        found.range = range;
        found.used.extend(more);
    } else if let Some(slot) = rowid_slot {
        // Entries that agree in all columns stand in the order of their rowids.
        let is_range = |term: &&Term<'_>| {
            is_rowid(term.subject, slot) && matches!(term.test, Test::Low(..) | Test::High(..))
        };
        let own = terms.iter().filter(is_range);
        let (range, more) = range_of(own, Affinity::Numeric, &|_| Vec::new());
        found.range = range;
        found.used.extend(more);
    }
    found
}

/// The test that says which values a column has: one, or those of a set; further columns of the
/// set of the column before (which `before` tells) go first.
fn equal_term<'t, 's>(
    column: &IndexColumn,
    subject: &Scalar,
    terms: &'t [Term<'s>],
    before: Option<usize>,
) -> Option<&'t Term<'s>> {
    let fits = |term: &&Term<'_>| same_subject(term.subject, subject) && matches(term, column);
    let own = || terms.iter().filter(fits);
    let is_value =
        |term: &&Term<'_>| matches!(term.test, Test::Equal(_) | Test::Is(_) | Test::IsNull);
    let is_in = |term: &&Term<'_>| matches!(term.test, Test::In(..));
    own()
        .find(|term| is_in(term) && term.is_half && before == Some(term.place))
        .or_else(|| own().find(is_value))
        .or_else(|| own().find(is_in))
}

/// The parts of a row of values that the columns from `first` on are ordered by, one after the
/// other; behind the last stands the rowid.
fn further_parts(
    row: &Behind<'_>,
    columns: &[IndexColumn],
    subjects: &[Scalar],
    first: usize,
    rowid_slot: Option<SlotId>,
) -> Vec<BoundPart> {
    let mut parts = Vec::new();
    for (place, (part, value, rule)) in (first..).zip(row.parts()) {
        let affinity = match (columns.get(place), subjects.get(place)) {
            (Some(column), Some(subject))
                if same_subject(part, subject) && fits_rule(rule, column) =>
            {
                applied(rule, column.affinity)
            }
            (None, None)
                if place == columns.len()
                    && rowid_slot.is_some_and(|slot| is_rowid(part, slot)) =>
            {
                Affinity::Numeric
            }
            _ => break,
        };
        parts.push(BoundPart { value: value.clone(), affinity });
    }
    parts
}

/// The order of a table without rowid; none where orders of the application are in it.
pub(super) fn key_order(table: &Table) -> Option<Vec<(u16, Collation, bool)>> {
    let columns = table.key_columns();
    let is_custom = |column: &IndexColumn| matches!(column.collation, Collation::Custom(_));
    (!columns.iter().any(is_custom)).then(|| order_of(table, columns, false))
}

/// The order in which an index gives rows: columns, collations, directions.
fn order_of(
    table: &Table,
    columns: &[IndexColumn],
    ends_with_rowid: bool,
) -> Vec<(u16, Collation, bool)> {
    let mut order: Vec<(u16, Collation, bool)> = columns
        .iter()
        .map(|column| {
            let place = column.column().map_or(ROWID, |index| column_place(table, index));
            (place, column.collation, column.descending)
        })
        .collect();
    if ends_with_rowid {
        order.push((ROWID, Collation::Binary, false));
    }
    order
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
        if let Some(index) = column.column()
            && let Some(own) = table.table.columns.get(index)
            && !own.is_virtual()
        {
            subjects.push(Scalar::Column(ColumnPlace {
                depth: 0,
                slot: table.slot,
                column: column_place(&table.table, index),
                affinity: own.affinity,
                collation: Some(own.collation),
                json: JsonSign::None,
            }));
            continue;
        }
        let scope = if let Some(scope) = &mut scope {
            scope
        } else {
            scope = Some(
                binder.table_scope(&table.table, table.slot, &table.alias, Called::Name).ok()?,
            );
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
