//! The rows of a table that miss the parent of a foreign key, as a query.
//!
//! It compares as foreign keys do, by the parent's affinity and collation. Neighbours:
//! `foreign_key_check` and ALTER TABLE, which gives a key's column another type, ask it.

use super::statement::{has_parent_key, quoted};
use crate::catalog::{ForeignKey, IndexColumn, Schema, Table};

/// Whether a foreign key leads to what is no key of a table, so that nobody can ask for parents.
pub(crate) fn is_mismatched(schema: &Schema, key: &ForeignKey) -> bool {
    schema.table(&key.parent).is_some_and(|parent| !has_parent_key(parent, key))
        || schema.view(&key.parent).is_some()
}

/// The query that finds the rows of a table that miss a parent: their rowids, or their primary keys
/// where there are none; NULL where columns have all names of the rowid. `database` is written as
/// SQL has it.
pub(crate) fn orphans(schema: &Schema, database: &str, table: &Table, key: &ForeignKey) -> String {
    let columns: Vec<String> =
        key.columns.iter().map(|column| quoted(&table.columns[*column].name)).collect();
    let set: Vec<String> = columns.iter().map(|name| format!("c.{name} IS NOT NULL")).collect();
    let mut condition = set.join(" AND ");
    if let Some(parent) = schema.table(&key.parent) {
        let names = referenced_names(parent, key);
        let pair =
            |(parent, child): (&String, &String)| format!("p.{} = +c.{child}", quoted(parent));
        let pairs = names.iter().zip(&columns).map(pair).collect::<Vec<_>>().join(" AND ");
        let parent = quoted(&parent.name);
        condition = format!(
            "{condition} AND NOT EXISTS (SELECT 1 FROM {database}.{parent} AS p WHERE {pairs})"
        );
    }
    let name = quoted(&table.name);
    format!("SELECT {} FROM {database}.{name} AS c WHERE {condition}", own_columns(table))
}

/// What a row of a table, called `c`, is known by.
fn own_columns(table: &Table) -> String {
    if table.has_rowid() {
        return table.rowid_name().map_or("NULL".into(), |name| format!("c.{}", quoted(name)));
    }
    let places = table.key_columns().iter().filter_map(IndexColumn::column);
    let names = places.map(|place| format!("c.{}", quoted(&table.columns[place].name)));
    names.collect::<Vec<_>>().join(", ")
}

/// The columns of the parent that a foreign key refers to.
fn referenced_names(parent: &Table, key: &ForeignKey) -> Vec<String> {
    if key.parent_columns.is_empty() {
        let keys = parent.primary_key.iter().flat_map(|key| &key.columns);
        let places = keys.filter_map(IndexColumn::column);
        return places.map(|place| parent.columns[place].name.to_string()).collect();
    }
    key.parent_columns.iter().map(ToString::to_string).collect()
}
