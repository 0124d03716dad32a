//! How many rows there are, and how many of them pass.
//!
//! Nothing here needs ANALYZE: trees count their keys, a range with constant bounds is counted
//! exactly in two descents, how often a key repeats is measured at a few places of an index, and
//! conditions on one table are tried on a few of its rows. What ANALYZE found (`sqlite_stat1`)
//! goes before what is measured at a few places. Neighbours: `access` and `order` ask.

mod sample;

use pandodb_ds::record::key::{prefix_successor, push_column, rowid_key};
use pandodb_ds::record::{Value, ValueRef};

pub(super) use self::sample::Passed;
use self::sample::sampled;
use super::{Bound, IndexEqual, IndexPath, Range};
use crate::bind::{Binder, Group, Relation, TableRelation};
use crate::catalog::{Index, IndexColumn};
use crate::scalar::{Comparison, ROWID, Scalar, SlotId};
use crate::types::{Affinity, Datum, apply_affinity};

/// How much of a table an equality lets through where nothing is known.
const EQUAL_SHARE: f64 = 0.1;
/// How much of a table one bound lets through where nothing is known.
const BOUND_SHARE: f64 = 0.3;
/// How many rows a table without statistics is taken to have at least.
const LASTING_MIN: f64 = 100.0;

/// How many rows a table has.
pub(crate) fn table_rows(binder: &Binder<'_>, table: &TableRelation) -> f64 {
    (binder.environment.statistics.rows(table.source, &table.table) as f64).max(1.0)
}

/// How many rows a table has, and will have at least while a plan lives.
pub(crate) fn lasting_rows(binder: &Binder<'_>, table: &TableRelation) -> f64 {
    let rows = table_rows(binder, table);
    let is_analyzed = binder
        .schema(table.table.database)
        .is_some_and(|schema| schema.statistics.has_table(&table.table.name));
    if is_analyzed { rows } else { rows.max(LASTING_MIN) }
}

/// How many rows have rowids in a range.
pub(crate) fn rowid_range_rows(
    binder: &Binder<'_>,
    table: &TableRelation,
    range: &Range,
    total: f64,
) -> f64 {
    let share: f64 = [&range.low, &range.high].into_iter().flatten().map(|_| BOUND_SHARE).product();
    let integer = |bound: &Option<Bound>| match bound {
        None => Some(None),
        Some(Bound { value: Scalar::Literal(Value::Integer(value)), .. }) => Some(Some(*value)),
        Some(_) => None,
    };
    let (Some(low), Some(high)) = (integer(&range.low), integer(&range.high)) else {
        return (total * share).max(1.0);
    };
    let from = low.map_or_else(Vec::new, |low| rowid_key(low).to_vec());
    let to = high.and_then(|high| high.checked_add(1)).map(rowid_key);
    if low.zip(high).is_some_and(|(low, high)| low > high) {
        return 1.0;
    }
    let to = to.as_ref().map(|key| &key[..]);
    let count = binder.environment.statistics.count(table.source, table.table.tree, &from, to);
    count.map_or((total * share).max(1.0), |count| (count as f64).max(1.0))
}

/// How many rows a part of an index has.
pub(crate) fn index_rows(
    binder: &Binder<'_>,
    table: &TableRelation,
    path: &IndexPath,
    seeks: f64,
    total: f64,
) -> f64 {
    let columns = path.index.as_ref().map_or(table.table.key_columns(), |index| &index.columns);
    let is_unique = path.index.as_ref().is_none_or(|index| index.unique.is_some());
    if path.equals.len() == columns.len() && is_unique {
        return seeks.min(total);
    }
    if let Some(rows) = counted(binder, table, path, columns) {
        return rows.max(0.5).min(total.max(1.0));
    }
    let base = match &path.index {
        Some(index) if index.filter.is_some() => {
            let count = binder.environment.statistics.count(table.source, index.tree, &[], None);
            count.map_or(total, |count| (count as f64).max(1.0))
        }
        _ => total,
    };
    let mut rows = base;
    if !path.equals.is_empty() {
        let each = rows_per_key(binder, table, path.index.as_deref(), path.equals.len(), base);
        rows = (each * seeks).max(1.0);
    }
    for _ in [&path.range.low, &path.range.high].into_iter().flatten() {
        rows *= BOUND_SHARE;
    }
    rows.max(0.5).min(total.max(1.0))
}

/// How many rows share the first `columns` columns of an index, or of the key of a table
/// without rowid.
pub(crate) fn rows_per_key(
    binder: &Binder<'_>,
    table: &TableRelation,
    index: Option<&Index>,
    columns: usize,
    total: f64,
) -> f64 {
    let all = index.map_or(table.table.key_columns(), |index| &index.columns);
    if columns >= all.len() && index.is_none_or(|index| index.unique.is_some()) {
        return 1.0;
    }
    let name = index.map_or(&table.table.name, |index| &index.name);
    let known = binder
        .schema(table.table.database)
        .and_then(|schema| schema.statistics.share(&table.table.name, name, columns));
    if let Some(share) = known {
        return (total * share).max(1.0);
    }
    let tree = index.map_or(table.table.tree, |index| index.tree);
    let directions: Vec<bool> = all.iter().take(columns).map(|column| column.descending).collect();
    let distinct = binder.environment.statistics.distinct(table.source, tree, &directions);
    match distinct {
        Some(distinct) => (total / distinct.max(1.0)).max(1.0),
        None => (total * EQUAL_SHARE.powi(columns as i32)).max(1.0),
    }
}

/// The rows of a part of an index whose bounds are all constants.
fn counted(
    binder: &Binder<'_>,
    table: &TableRelation,
    path: &IndexPath,
    columns: &[IndexColumn],
) -> Option<f64> {
    let mut prefix = Vec::new();
    for (equal, column) in path.equals.iter().zip(columns) {
        let IndexEqual::Value { value: Scalar::Literal(value), is, affinity } = equal else {
            return None;
        };
        if value.is_null() && !is {
            return Some(0.0);
        }
        push(value, *affinity, column, &mut prefix)?;
    }
    let tree = path.index.as_ref().map_or(table.table.tree, |index| index.tree);
    let Range { low, high, .. } = &path.range;
    let (mut from, mut to) = (prefix.clone(), prefix_successor(&prefix));
    if path.range.is_bounded() {
        let behind = columns.get(path.equals.len()..)?;
        let column = behind.first()?;
        let mut null = prefix.clone();
        push_column(ValueRef::Null, column.order(), &mut null).ok()?;
        if column.descending {
            to = Some(null);
        } else {
            from = prefix_successor(&null)?;
        }
        for (bound, is_low) in [(low, true), (high, false)] {
            let Some(bound) = bound else { continue };
            let Scalar::Literal(value) = &bound.value else { return None };
            let mut key = prefix.clone();
            push(value, bound.affinity, column, &mut key)?;
            for (part, column) in bound.behind.iter().zip(&behind[1..]) {
                // Columns of several directions are counted by those before.
                let Scalar::Literal(value) = &part.value else { break };
                if column.descending != behind[0].descending || value.is_null() {
                    break;
                }
                push(value, part.affinity, column, &mut key)?;
            }
            if is_low == column.descending {
                to = Some(key);
            } else {
                from = key;
            }
        }
    }
    if to.as_ref().is_some_and(|to| *to <= from) {
        return Some(0.0);
    }
    let count = binder.environment.statistics.count(table.source, tree, &from, to.as_deref())?;
    Some(count as f64)
}

fn push(value: &Value, affinity: Affinity, column: &IndexColumn, key: &mut Vec<u8>) -> Option<()> {
    let value = apply_affinity(Datum::from(value), affinity);
    push_column(value.as_ref(), column.order(), key).ok()
}

/// Which rows of a sample pass a predicate on one table.
pub(super) fn passed(binder: &Binder<'_>, group: &Group, predicate: &Scalar) -> Option<Passed> {
    let slots = predicate.slots();
    let [slot] = slots.as_slice() else { return None };
    sampled(binder, table_of(group, *slot)?, predicate)
}

/// What share of the rows that a part of an index leads to stand near each other.
pub(super) fn neighbours(
    binder: &Binder<'_>,
    table: &TableRelation,
    index: &Index,
    rows: f64,
    total: f64,
) -> f64 {
    // Where little is read it need not be measured.
    if rows < 1.5 || total < super::cost::BATCH_ROWS {
        return 0.0;
    }
    binder.environment.statistics.neighbours(table.source, index.tree).unwrap_or(0.0)
}

/// Which rows of a table's sample pass a predicate on it.
pub(super) fn sampled_on(
    binder: &Binder<'_>,
    table: &TableRelation,
    predicate: &Scalar,
) -> Option<Passed> {
    (predicate.slots() == [table.slot]).then(|| sampled(binder, table, predicate)).flatten()
}

/// What share of the rows passes a predicate on one table or on the pairs of several.
pub(super) fn guessed_share(binder: &Binder<'_>, group: &Group, predicate: &Scalar) -> f64 {
    match predicate {
        Scalar::Compare(compare) => match compare.operator {
            Comparison::Equal | Comparison::Is => {
                let left = distinct_values(binder, group, &compare.left);
                let right = distinct_values(binder, group, &compare.right);
                match left.into_iter().chain(right).reduce(f64::max) {
                    Some(distinct) => 1.0 / distinct.max(1.0),
                    None => EQUAL_SHARE,
                }
            }
            Comparison::NotEqual | Comparison::IsNot => 0.9,
            _ => BOUND_SHARE,
        },
        Scalar::Between(_) => BOUND_SHARE * BOUND_SHARE,
        Scalar::IsNull(_, negated) => {
            if *negated {
                0.9
            } else {
                EQUAL_SHARE
            }
        }
        Scalar::InList(list) => {
            let count = (list.constants.len() + list.others.len()) as f64;
            let each = distinct_values(binder, group, &list.operand)
                .map_or(EQUAL_SHARE, |distinct| 1.0 / distinct.max(1.0));
            let share = (count * each).min(0.9);
            if list.negated { 1.0 - share } else { share }
        }
        Scalar::And(terms) => terms.iter().map(|term| guessed_share(binder, group, term)).product(),
        Scalar::Or(terms) => {
            let sum: f64 = terms.iter().map(|term| guessed_share(binder, group, term)).sum();
            sum.min(0.9)
        }
        Scalar::Call(_) => 0.25,
        _ => 0.5,
    }
}

/// How many different values a column has.
pub(super) fn distinct_values(binder: &Binder<'_>, group: &Group, scalar: &Scalar) -> Option<f64> {
    let place = scalar.as_column()?;
    if place.depth != 0 {
        return None;
    }
    let Some(table) = table_of(group, place.slot) else {
        // Groups of a subquery: likely the keys of it.
        return rows_of(group, place.slot);
    };
    let total = table_rows(binder, table);
    if place.column == ROWID {
        return Some(total);
    }
    let leads = |columns: &[IndexColumn]| {
        let first = columns.first().and_then(IndexColumn::column)?;
        let position = table.table.columns.get(first)?.position;
        (position == usize::from(place.column)).then_some(())
    };
    let by = table
        .table
        .indexes
        .iter()
        .find(|index| index.filter.is_none() && leads(&index.columns).is_some());
    if let Some(index) = by {
        return Some(total / rows_per_key(binder, table, Some(index), 1, total));
    }
    if leads(table.table.key_columns()).is_some() {
        return Some(total / rows_per_key(binder, table, None, 1, total));
    }
    // A column without an index: between a flag and a key.
    Some(total.powf(0.66).max(2.0))
}

fn rows_of(group: &Group, slot: SlotId) -> Option<f64> {
    group.relations.iter().find_map(|relation| match relation {
        Relation::Rows(rows) if rows.slots.contains(&slot) => Some(rows.rows.max(1.0)),
        _ => None,
    })
}

/// The table of a group that fills a slot.
pub(crate) fn table_of(group: &Group, slot: SlotId) -> Option<&TableRelation> {
    group.relations.iter().find_map(|relation| match relation {
        Relation::Table(table) if table.slot == slot => Some(&**table),
        _ => None,
    })
}
