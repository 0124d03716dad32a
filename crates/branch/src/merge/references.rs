//! Which columns refer to the rowid of which table, by declared foreign keys.
//!
//! A foreign key may lead to a column that is one itself: what counts is where the way ends. A
//! reference counts that any version declares, or the merge. Neighbours: `renumber` and `same`
//! follow the references to rows that get other rowids.

use std::collections::{BTreeMap, BTreeSet};

use super::schema::{MergedTable, SchemaMerge};
use crate::shape::{ColumnId, ConstraintShape, KeyShape, ObjectId, TableShape};

/// A column that refers to the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Follower {
    pub(crate) column: ColumnId,
    pub(crate) parent: ObjectId,
}

/// The columns that refer to rows, by their tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct References {
    tables: BTreeMap<ObjectId, Vec<Follower>>,
}

impl References {
    /// All of the merged tables.
    pub(crate) fn of(merged: &SchemaMerge) -> Self {
        let mut tables: BTreeMap<ObjectId, Vec<Follower>> = BTreeMap::new();
        for table in &merged.tables {
            let columns: BTreeSet<ColumnId> = foreign_keys(table)
                .flat_map(|constraint| constraint.columns.iter().copied())
                .collect();
            for column in columns {
                if let Some(parent) = root(merged, table, column) {
                    let followers = tables.entry(table.shape.id).or_default();
                    followers.push(Follower { column, parent });
                }
            }
        }
        Self { tables }
    }

    /// Keeps those to some tables.
    pub(crate) fn keep(&mut self, is_kept: &dyn Fn(ObjectId) -> bool) {
        for followers in self.tables.values_mut() {
            followers.retain(|follower| is_kept(follower.parent));
        }
        self.tables.retain(|_, followers| !followers.is_empty());
    }

    /// Keeps those of one table.
    pub(crate) fn keep_of(&mut self, table: Option<ObjectId>) {
        self.tables.retain(|known, _| Some(*known) == table);
    }

    /// All, with the tables that have the columns.
    pub(crate) fn all(&self) -> impl Iterator<Item = (ObjectId, Follower)> {
        let tables = self.tables.iter();
        tables.flat_map(|(table, all)| all.iter().map(|follower| (*table, *follower)))
    }

    /// Those of a table.
    pub(crate) fn of_table(&self, table: ObjectId) -> &[Follower] {
        self.tables.get(&table).map_or(&[], Vec::as_slice)
    }

    /// Whether the rows of a table are stored by a column that refers to others: then they have
    /// no number of their own.
    pub(crate) fn is_key(&self, table: &TableShape) -> bool {
        self.of_table(table.id).iter().any(|follower| table.is_in_key(follower.column))
    }
}

fn foreign_keys(table: &MergedTable) -> impl Iterator<Item = &ConstraintShape> {
    let versions = [Some(&table.shape), table.ours.as_ref(), table.base.as_ref()];
    let versions = versions.into_iter().chain([table.theirs.as_ref()]).flatten();
    versions.flat_map(|shape| &shape.constraints).filter(|it| it.foreign_key.is_some())
}

/// The table whose rowid a column refers to in the end.
fn root(merged: &SchemaMerge, table: &MergedTable, column: ColumnId) -> Option<ObjectId> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(table, column)];
    while let Some((table, column)) = waiting.pop() {
        if !seen.insert((table.shape.id, column)) {
            continue;
        }
        for constraint in foreign_keys(table) {
            let Some(key) = &constraint.foreign_key else { continue };
            let parent = key.parent.and_then(|parent| merged.table(parent));
            let place = constraint.columns.iter().position(|known| *known == column);
            let (Some(parent), Some(place)) = (parent, place) else { continue };
            let implied: Vec<ColumnId> = match &parent.shape.key {
                KeyShape::Rowid { alias: Some(alias), .. } => vec![*alias],
                KeyShape::Rowid { alias: None, .. } => columns_of(&parent.shape.primary_key),
                KeyShape::Columns(columns) => columns_of(columns),
            };
            // A key that names no columns leads to the primary key.
            let columns = if key.columns.is_empty() { &implied } else { &key.columns };
            let Some(led) = columns.get(place).copied() else { continue };
            let goes_on = foreign_keys(parent).any(|it| it.columns.contains(&led));
            if parent.shape.alias() == Some(led) && !goes_on {
                return Some(parent.shape.id);
            }
            waiting.push((parent, led));
        }
    }
    None
}

fn columns_of(key: &[crate::shape::KeyColumn]) -> Vec<ColumnId> {
    key.iter().map(|key| key.column).collect()
}
