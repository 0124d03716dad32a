//! What another transaction changed first, or holds, by its names.
//!
//! The layer below knows heads, trees and keys. What they are called is looked up once it has
//! happened: which table or index, which row, which branch. Neighbours: `transaction` tells it.

use std::error::Error as StdError;
use std::fmt::Write;

use pandodb_ds::record::key::{ColumnOrder, decode_columns, rowid_from_key};
use pandodb_tm::lock::{Contention, Resource};
use pandodb_tm::{BeginOptions, Clash, HeadId, TreeId};

use super::Session;
use crate::catalog::{DatabaseIndex, IndexColumn, Schema, load};
use crate::error::{Error, ErrorKind, Result};
use crate::function::literal;
use crate::store::{CATALOG_TREE, Database};

/// How much of a value is shown, in letters.
const SHOWN_MAX: usize = 60;

/// The details that the layer below gave an error: of a conflict, or of a wait for a lock.
fn details_of<T: StdError + Clone + 'static>(error: &Error) -> Option<T> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(details) = cause.downcast_ref::<T>() {
            return Some(details.clone());
        }
        next = cause.source();
    }
    None
}

impl Session {
    /// A conflict with another transaction in the words of SQL. What cannot be found out any more
    /// (the branch was dropped meanwhile) stays as the layer below tells it.
    pub(super) fn with_names(&self, error: Error) -> Error {
        let Some(clash) = details_of::<Clash>(&error) else { return error };
        match self.names_of(&clash) {
            Ok(Some(message)) => {
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
                let branch = self.told_branch(index, &database, clash.head);
                return Ok(Some(match thing {
                    Some(thing) => format!("another transaction changed {thing}{branch} first"),
                    None => {
                        format!("another transaction dropped a table that this one used{branch}")
                    }
                }));
            }
        }
        Ok(None)
    }

    /// An error of a wait for a lock in the words of SQL, which know of no numbers of heads, trees
    /// and transactions. What ended the wait of a statement is what would have ended its work.
    pub(super) fn without_numbers(&self, error: Error) -> Error {
        let Some(contention) = details_of::<Contention>(&error) else { return error };
        match error.kind() {
            ErrorKind::Interrupted if !self.is_interrupted() && self.is_statement_overdue() => {
                Error::new(ErrorKind::Limit, "the statement took too long while it waited")
                    .with_hint("PRAGMA statement_timeout bounds it")
            }
            ErrorKind::Interrupted => error.renamed("interrupted"),
            ErrorKind::Deadlock => {
                let wanted = self.wanted(contention.resource);
                let message =
                    format!("deadlock: another transaction that waits for this one has {wanted}");
                error.renamed(message).with_hint("ROLLBACK, and run the transaction again")
            }
            _ => {
                let wanted = self.wanted(contention.resource);
                error.with_hint(format!(
                    "another transaction has {wanted}; PRAGMA busy_timeout says how long to wait"
                ))
            }
        }
    }

    /// What a lock is on. With other databases attached it is not known in which one.
    fn wanted(&self, resource: Resource) -> String {
        let is_alone = !self
            .all_databases()
            .into_iter()
            .any(|index| index != DatabaseIndex::MAIN && index != DatabaseIndex::TEMP);
        let Ok((database, _)) = self.database(DatabaseIndex::MAIN) else {
            return "what this one needs".to_owned();
        };
        let Some(tree) = resource.tree_id() else {
            let branch = if is_alone {
                format!("the branch '{}'", database.branch_name(resource.head_id()))
            } else {
                "a branch".to_owned()
            };
            return format!("the right to write to {branch}");
        };
        let unknown = || "a row that this one needs".to_owned();
        if !is_alone {
            return unknown();
        }
        let thing = self.locked(&database, resource, tree).ok().flatten().unwrap_or_else(unknown);
        let branch = self.told_branch(DatabaseIndex::MAIN, &database, resource.head_id());
        format!("{thing}{branch}")
    }

    fn locked(&self, database: &Database, at: Resource, tree: TreeId) -> Result<Option<String>> {
        if tree == CATALOG_TREE {
            return Ok(Some("the schema".to_owned()));
        }
        let schema = self.schema_of(DatabaseIndex::MAIN, database, at.head_id())?;
        let table = schema.tables.values().find(|table| table.tree == tree);
        let row = at.key_number().filter(|_| table.is_some_and(|table| table.has_rowid()));
        let key = row.map(u64::to_be_bytes);
        let named = named(&schema, tree, key.as_ref().map(<[u8; 8]>::as_slice));
        Ok(match (named, at.key_number()) {
            (Some(thing), Some(_)) if key.is_none() => Some(format!("a key of {thing}")),
            (thing, _) => thing,
        })
    }

    fn told_branch(&self, index: DatabaseIndex, database: &Database, head: HeadId) -> String {
        let branch = database.branch_name(head);
        match index {
            DatabaseIndex::MAIN => format!(" on the branch '{branch}'"),
            _ => format!(" of {} on its branch '{branch}'", self.told_name(index)),
        }
    }

    fn schema_of(&self, index: DatabaseIndex, of: &Database, head: HeadId) -> Result<Schema> {
        let reader = of.begin(head, BeginOptions::read_only())?;
        self.with_stored_collations(|collations| load(&reader, index, collations))
    }

    /// None of what is not there any more.
    fn thing(&self, index: DatabaseIndex, of: &Database, clash: &Clash) -> Result<Option<String>> {
        if clash.tree == CATALOG_TREE {
            return Ok(Some("the schema".to_owned()));
        }
        let schema = self.schema_of(index, of, clash.head)?;
        Ok(named(&schema, clash.tree, clash.key.as_deref()))
    }
}

/// What a tree is, and which of its rows or entries a key is.
fn named(schema: &Schema, tree: TreeId, key: Option<&[u8]>) -> Option<String> {
    if let Some(table) = schema.tables.values().find(|table| table.tree == tree) {
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
    let index = schema.indexes.values().find(|index| index.tree == tree)?;
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
