//! What another transaction changed first, by its names.
//!
//! The layer below knows heads, trees and keys. What they are called is looked up once it has
//! happened: which table or index, which row, which branch. Neighbours: `transaction` tells it.

use std::error::Error as StdError;
use std::fmt::Write;

use pandodb_ds::record::key::{ColumnOrder, decode_columns, rowid_from_key};
use pandodb_tm::{BeginOptions, Clash};

use super::Session;
use crate::catalog::{DatabaseIndex, IndexColumn, Schema, load};
use crate::error::{Error, Result};
use crate::function::literal;
use crate::store::{CATALOG_TREE, Database};

/// How much of a value is shown, in letters.
const SHOWN_MAX: usize = 60;

/// The details of a conflict between transactions.
fn clash_of(error: &Error) -> Option<Clash> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(clash) = cause.downcast_ref::<Clash>() {
            return Some(clash.clone());
        }
        next = cause.source();
    }
    None
}

impl Session {
    /// A conflict with another transaction in the words of SQL. What cannot be found out any more
    /// (the branch was dropped meanwhile) stays as the layer below tells it.
    pub(super) fn with_names(&self, error: Error) -> Error {
        let Some(clash) = clash_of(&error) else { return error };
        match self.names_of(&clash) {
            Ok(Some(names)) => {
                let message = format!("another transaction changed {names} first");
                error.renamed(message).with_hint("ROLLBACK, and run the transaction again")
            }
            Ok(None) | Err(_) => error,
        }
    }

    fn names_of(&self, clash: &Clash) -> Result<Option<String>> {
        for index in self.all_databases() {
            let (database, _) = self.database(index)?;
            if clash.is_in(database.manager().pager()) {
                let thing = self.thing(index, &database, clash)?;
                let branch = database.branch_name(clash.head);
                return Ok(Some(match index {
                    DatabaseIndex::MAIN => format!("{thing} on the branch '{branch}'"),
                    _ => format!("{thing} of {} on its branch '{branch}'", self.told_name(index)),
                }));
            }
        }
        Ok(None)
    }

    fn thing(&self, index: DatabaseIndex, database: &Database, clash: &Clash) -> Result<String> {
        if clash.tree == CATALOG_TREE {
            return Ok("the schema".to_owned());
        }
        let reader = database.begin(clash.head, BeginOptions::read_only())?;
        let schema = self.with_stored_collations(|collations| load(&reader, index, collations))?;
        Ok(named(&schema, clash).unwrap_or_else(|| "a table that is gone".to_owned()))
    }
}

/// What a tree is, and which of its rows or entries a key is.
fn named(schema: &Schema, clash: &Clash) -> Option<String> {
    let key = clash.key.as_deref();
    if let Some(table) = schema.tables.values().find(|table| table.tree == clash.tree) {
        let row = match key {
            Some(key) if table.has_rowid() => rowid_from_key(key).ok().map(|id| id.to_string()),
            Some(key) => {
                let columns = table.primary_key.iter().flat_map(|primary| &primary.columns);
                shown(key, &columns.map(IndexColumn::order).collect::<Vec<_>>())
            }
            None => None,
        };
        return Some(match row {
            Some(row) if table.has_rowid() => format!("the row {row} of table {}", table.name),
            Some(row) => format!("the row ({row}) of table {}", table.name),
            None => format!("table {}", table.name),
        });
    }
    let index = schema.indexes.values().find(|index| index.tree == clash.tree)?;
    let entry = key.and_then(|key| shown(key, &index.orders().collect::<Vec<_>>()));
    Some(match entry {
        Some(entry) => {
            format!("the entry ({entry}) of index {} of table {}", index.name, index.table)
        }
        None => format!("index {} of table {}", index.name, index.table),
    })
}

/// The values at the start of a key; none of what is no such key (the end of a range).
fn shown(key: &[u8], orders: &[ColumnOrder]) -> Option<String> {
    let mut values = Vec::with_capacity(orders.len());
    decode_columns(key, orders, 0, &mut values).ok()?;
    let mut shown = String::new();
    for value in &values {
        let text = literal(value.as_ref());
        let text = String::from_utf8_lossy(&text);
        let short: String = text.chars().take(SHOWN_MAX).collect();
        let more = if short.len() < text.len() { ".." } else { "" };
        let comma = if shown.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(shown, "{comma}{short}{more}");
    }
    Some(shown)
}
