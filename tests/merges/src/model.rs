//! What the rows of a merge should be, by a model that knows nothing of trees and numbers.
//!
//! Only tables are looked at that no branch altered, dropped or made: then a name is the same table
//! on all sides. Their primary key must be what their rows are stored by. Neighbours: `laws` asks.

use std::collections::{BTreeMap, BTreeSet};

use crate::snapshot::{Snapshot, Table};

/// Rows by their primary keys.
type Rows<'t> = BTreeMap<Vec<&'t str>, &'t [String]>;

/// Whether the model knows a table in a script that did this on branches.
fn is_known(history: &[String], name: &str) -> bool {
    let names = [format!("TABLE {name} "), format!("TABLE {name}("), format!("RENAME TO {name}")];
    let is_dropped = format!("DROP TABLE {name}");
    !history.iter().any(|sql| {
        sql.starts_with("MERGE")
            || *sql == is_dropped
            || names.iter().any(|name| sql.contains(name.as_str()))
    })
}

/// What is wrong with the merge of two branches of `base`, where nobody decides conflicts; none
/// for `merged` where it met some.
pub(crate) fn check(
    history: &[String],
    base: &Snapshot,
    sides: &[Snapshot; 2],
    merged: Option<&Snapshot>,
) -> Option<String> {
    for (name, table) in &base.tables {
        let (Some(one), Some(two)) = (sides[0].tables.get(name), sides[1].tables.get(name)) else {
            continue;
        };
        if !is_known(history, name) || !table.is_stored_by_key() {
            continue;
        }
        let (Some(merged), expected) = (merged, merge(table, one, two)) else { continue };
        let Ok(expected) = expected else {
            return Some(format!("{name}: merged, though {:?} cannot be", expected.err()));
        };
        let Some(found) = merged.tables.get(name) else { return Some(format!("{name} is gone")) };
        let found: BTreeSet<Vec<String>> =
            found.rows.iter().map(|row| written(table, row)).collect();
        if found != expected {
            return Some(format!("{name}: {found:?} instead of {expected:?}"));
        }
    }
    None
}

fn rows(table: &Table) -> Rows<'_> {
    let keyed = table.rows.iter().map(|row| (table.key_of(row), row.as_slice()));
    keyed.collect()
}

/// The cells of a row that are not computed.
fn written(table: &Table, row: &[String]) -> Vec<String> {
    let cells = row.iter().zip(&table.columns).filter(|(_, column)| !column.is_generated);
    cells.map(|(cell, _)| cell.clone()).collect()
}

/// The merged rows, or the key of one that cannot be merged.
fn merge(base: &Table, one: &Table, two: &Table) -> Result<BTreeSet<Vec<String>>, Vec<String>> {
    let (before, left, right) = (rows(base), rows(one), rows(two));
    let keys: BTreeSet<&Vec<&str>> = before.keys().chain(left.keys()).chain(right.keys()).collect();
    let mut merged = BTreeSet::new();
    for key in keys {
        let cells = |rows: &Rows<'_>| rows.get(key).map(|row| written(base, row));
        let (before, left, right) = (cells(&before), cells(&left), cells(&right));
        let row = if left == right || right == before {
            left
        } else if left == before {
            right
        } else {
            let (Some(before), Some(left), Some(right)) = (before, left, right) else {
                return Err(key.iter().map(|it| (*it).to_owned()).collect());
            };
            let mut row = Vec::with_capacity(before.len());
            for ((before, left), right) in before.into_iter().zip(left).zip(right) {
                row.push(if left == right || right == before {
                    left
                } else if left == before {
                    right
                } else {
                    return Err(key.iter().map(|it| (*it).to_owned()).collect());
                });
            }
            Some(row)
        };
        merged.extend(row);
    }
    Ok(merged)
}
