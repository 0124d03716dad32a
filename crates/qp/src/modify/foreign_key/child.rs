//! A key from the child's side: whether a row has a parent.
//!
//! Neighbours: `parent` counts the other way round, `statement` runs what is asked here.

use pandodb_ds::record::{Collation, Value};

use super::look::Look;
use super::statement::{
    count, has_null, is_key, mismatch, own_key, own_values, positions_of, quoted, referenced,
};
use super::{is_settled, violate};
use crate::catalog::{ForeignKey, Schema, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Kept, Outer};
use crate::modify::TableWriter;
use crate::modify::constraint::rowid_of;
use crate::types::{BuiltInCollations, compare};

/// A key in which the table is the child.
#[derive(Debug)]
pub(super) struct ChildKey {
    /// Positions of its columns in the row.
    positions: Vec<usize>,
    pub(super) deferred: bool,
    /// Finds the parent; or why there can be none.
    lookup: Result<Box<str>, (ErrorKind, String)>,
    /// The same without a statement.
    look: Option<Look>,
    /// Whether the table refers to itself.
    is_own: bool,
    /// How a row of such a table finds itself.
    own: Option<OwnParent>,
}

/// How a row finds out whether it is its own parent: as in SQLite only if it has the key's very
/// values, while other rows are found by what the parent's columns make of them.
#[derive(Debug)]
struct OwnParent {
    /// Positions of the referenced columns in the row.
    referenced: Vec<usize>,
    /// The key is the rowid: what refers to it is made a number first.
    is_rowid: bool,
    /// Finds a parent that is not one certain row.
    others: Box<str>,
    /// Positions of that row's key; none where it is its rowid.
    key: Vec<usize>,
}

impl ChildKey {
    pub(super) fn new(schema: &Schema, table: &Table, key: &ForeignKey) -> Self {
        let positions = key.columns.iter().map(|index| table.columns[*index].position).collect();
        let lookup = parent_lookup(schema, table, key);
        let is_own = key.parent.eq_ignore_ascii_case(&table.name);
        let own = lookup.as_ref().ok().filter(|_| is_own);
        let own = own.and_then(|sql| OwnParent::new(table, key, sql));
        let look = lookup.as_ref().ok().and_then(|_| parent_look(schema, key));
        Self { positions, deferred: key.deferred, lookup, look, is_own, own }
    }

    /// Whether the table refers to itself.
    pub(super) fn is_own(&self) -> bool {
        self.is_own
    }

    /// Whether a change of the columns at some positions sets it.
    pub(super) fn is_set(&self, assigned: &[usize]) -> bool {
        self.positions.iter().any(|position| assigned.contains(position))
    }

    /// Whether such a change sets what a row of the same table may refer to.
    pub(super) fn sets_parent(&self, assigned: &[usize]) -> bool {
        let own = self.own.as_ref();
        own.is_some_and(|own| own.referenced.iter().any(|position| assigned.contains(position)))
    }

    pub(super) fn check_definition(&self) -> Result<()> {
        match &self.lookup {
            Ok(_) => Ok(()),
            Err((kind, message)) => Err(Error::new(*kind, message.clone())),
        }
    }

    /// Whether the table that it refers to is not there.
    pub(super) fn is_without_parent(&self) -> bool {
        matches!(self.lookup, Err((ErrorKind::NotFound, _)))
    }

    /// Whether a row that comes has no parent; `hidden` cannot be it.
    pub(super) fn is_orphan(
        &self,
        writer: &TableWriter,
        row: &Kept,
        hidden: Option<&Kept>,
        outer: Outer<'_>,
    ) -> Result<bool> {
        let mut values = positions_of(row, &self.positions);
        if has_null(&values) {
            return Ok(false);
        }
        if self.own.as_ref().is_some_and(|own| own.is_itself(row, &values)) {
            return Ok(false);
        }
        let (Ok(sql), own) = (&self.lookup, &self.own) else { return Ok(true) };
        let parents = match (own, hidden) {
            (Some(own), Some(hidden)) => {
                values.extend(own_values(hidden, &own.key));
                count(writer, &own.others, &values, outer)?
            }
            _ => self.parents(writer, sql, &values, outer)?,
        };
        Ok(parents == 0)
    }

    /// How many parents there are with the values of a key.
    fn parents(
        &self,
        writer: &TableWriter,
        sql: &str,
        values: &[Value],
        outer: Outer<'_>,
    ) -> Result<i64> {
        match &self.look {
            Some(look) => look.count(writer, values, outer),
            None => count(writer, sql, values, outer),
        }
    }

    /// A child goes: if it has no parent, that is mended.
    pub(super) fn taken(&self, writer: &TableWriter, row: &Kept, outer: Outer<'_>) -> Result<()> {
        let values = positions_of(row, &self.positions);
        if is_settled(self.deferred, outer.context) || has_null(&values) {
            return Ok(());
        }
        let is_mended = match &self.lookup {
            Ok(sql) => self.parents(writer, sql, &values, outer)? == 0,
            // The parent was dropped: each of its children has counted since.
            Err((ErrorKind::NotFound, _)) => true,
            Err(_) => false,
        };
        if is_mended {
            violate(self.deferred, -1, outer.context);
        }
        Ok(())
    }
}

impl OwnParent {
    fn new(table: &Table, key: &ForeignKey, lookup: &str) -> Option<Self> {
        let referenced = referenced(table, key)?;
        let (own, positions) = own_key(table, key.columns.len() + 1);
        Some(Self {
            is_rowid: table.rowid_alias().is_some_and(|alias| referenced == [alias]),
            referenced: referenced.iter().map(|index| table.columns[*index].position).collect(),
            others: format!("{lookup} AND NOT ({own})").into(),
            key: positions,
        })
    }

    fn is_itself(&self, row: &Kept, values: &[Value]) -> bool {
        let own = positions_of(row, &self.referenced);
        if self.is_rowid {
            let wanted = values.first().and_then(|value| rowid_of(value).ok().flatten());
            return wanted.is_some_and(|wanted| own.first() == Some(&Value::Integer(wanted)));
        }
        own.len() == values.len()
            && own.iter().zip(values).all(|(own, value)| {
                !own.is_null()
                    && compare(own.as_ref(), value.as_ref(), Collation::Binary, &BuiltInCollations)
                        .is_eq()
            })
    }
}

/// The look for the parent, which is known to have the key.
fn parent_look(schema: &Schema, key: &ForeignKey) -> Option<Look> {
    let parent = schema.table(&key.parent)?;
    let columns = referenced(parent, key)?;
    let collations: Vec<Collation> =
        columns.iter().map(|index| parent.columns[*index].collation).collect();
    Look::new(parent, &columns, &collations)
}

/// The statement that finds the parent.
fn parent_lookup(
    schema: &Schema,
    child: &Table,
    key: &ForeignKey,
) -> Result<Box<str>, (ErrorKind, String)> {
    let Some(parent) = schema.table(&key.parent) else {
        return Err((ErrorKind::NotFound, format!("no such table: main.{}", key.parent)));
    };
    let columns = referenced(parent, key).filter(|columns| is_key(parent, columns));
    let Some(columns) = columns else {
        return Err((ErrorKind::Invalid, mismatch(&child.name, &key.parent)));
    };
    let terms: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(place, index)| format!("{} = ?{}", quoted(&parent.columns[*index].name), place + 1))
        .collect();
    let table = quoted(&parent.name);
    Ok(format!("SELECT count(*) FROM {table} WHERE {}", terms.join(" AND ")).into())
}
