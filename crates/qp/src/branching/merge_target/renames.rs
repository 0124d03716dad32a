//! Renames of a merge: done by the engine's own ALTER, so that every definition that mentions a
//! name follows.
//!
//! The target's tables and columns first get the names that the source has for them. Then
//! definitions of both sides speak of the same things in the same words, and the source's can be
//! put in. In the end everything gets its merged name. Neighbours: `definitions` works in between,
//! `define::rename` finds the places.

use std::collections::BTreeSet;

use pandodb_branch::merge::{MergedTable, SchemaMerge, TextSource};
use pandodb_branch::shape::{ColumnShape, ObjectId, TableShape};
use pandodb_ds::sync::Arc;

use super::SqlTarget;
use crate::catalog::{Schema, Table, read_objects};
use crate::define::{identifier, run_within};
use crate::error::{Error, ErrorKind, Result};

/// A statement that gives something another name.
type Renaming = Box<dyn FnOnce(&str) -> String>;

impl SqlTarget<'_> {
    /// Gives the target's tables and columns the names of the source.
    pub(super) fn speak_as_theirs(&mut self, merge: &SchemaMerge) -> Result<()> {
        let shapes = merge.tables.iter().filter(|table| is_in_both(table));
        let shapes: Vec<&TableShape> = shapes.filter_map(|table| table.theirs.as_ref()).collect();
        if self.rename_all(&shapes)? {
            let (_, objects) = read_objects(&self.transaction()?.borrow())?;
            self.ours = objects;
        }
        Ok(())
    }

    /// Views and triggers that a rename would pass by, because they are broken here, and that work
    /// on the source, where it was done or can be followed: the source's text is taken.
    pub(super) fn lost_for_renames(&mut self, merge: &SchemaMerge) -> Result<BTreeSet<ObjectId>> {
        let mut lost = BTreeSet::new();
        if !merge.tables.iter().filter(|table| is_in_both(table)).any(has_two_names) {
            return Ok(lost);
        }
        let [ours, theirs] = self.sides()?;
        let (broken, broken_there) = (self.broken_on(&ours)?, self.broken_on(&theirs)?);
        if broken.is_empty() && broken_there.is_empty() {
            return Ok(lost);
        }
        let shared = merge.texts.iter().filter(|text| text.is_in_both).map(|text| text.shape.id);
        lost.extend(shared.filter(|id| {
            broken.contains(&id.0) && !broken_there.contains(&self.id_in_theirs(id.0))
        }));
        let spared = merge.texts.iter().filter(|text| {
            let id = text.shape.id.0;
            let is_theirs = text.is_changed && text.source == TextSource::Theirs;
            !lost.contains(&text.shape.id)
                && if is_theirs {
                    broken_there.contains(&self.id_in_theirs(id))
                } else {
                    broken.contains(&id)
                }
        });
        let spared = spared.map(|text| crate::catalog::ObjectId(text.shape.id.0)).collect();
        self.spared = Arc::new(spared);
        Ok(lost)
    }

    /// Gives everything its merged name.
    pub(super) fn speak_as_merged(&mut self, merge: &SchemaMerge) -> Result<()> {
        // Also those that only one side has: they may have given way, or have a name that nobody
        // had.
        let is_there =
            |table: &&MergedTable| !(table.is_blocked || table.ours.is_some() && table.is_rebuilt);
        let tables = merge.tables.iter().filter(is_there);
        let shapes: Vec<&TableShape> = tables.map(|table| &table.shape).collect();
        self.rename_all(&shapes).map(drop)
    }

    /// Gives tables and their columns the names of `shapes`; whether any had another one.
    fn rename_all(&mut self, shapes: &[&TableShape]) -> Result<bool> {
        let mut is_changed = false;
        // Each name is given at most twice, once out of the way and once for good; and what has it
        // and goes may have to give way.
        let most: usize = shapes.iter().map(|shape| 3 * (shape.columns.len() + 1)).sum();
        let mut steps = 0..most;
        while let Some(sql) = self.next_rename(shapes)? {
            if steps.next().is_none() {
                return Err(taken(&sql));
            }
            let schemas = self.schemas.clone();
            self.schemas = run_within(self.session, &sql, &self.sources, schemas, &self.spared)?;
            is_changed = true;
        }
        Ok(is_changed)
    }

    /// The next rename that nothing stands in the way of; where all do, one goes out of the way.
    fn next_rename(&self, shapes: &[&TableShape]) -> Result<Option<String>> {
        let schema = self.main_schema()?;
        let mut blocked: Option<Renaming> = None;
        for shape in shapes {
            let Some(table) = table_of(schema, shape) else { continue };
            let own = identifier(&table.name);
            if *table.name != *shape.name {
                let from = own.clone();
                let rename =
                    move |to: &str| format!("ALTER TABLE main.{from} RENAME TO {}", identifier(to));
                let is_free = shape.name.eq_ignore_ascii_case(&table.name)
                    || schema.table(&shape.name).is_none()
                        && schema.view(&shape.name).is_none()
                        && schema.index(&shape.name).is_none();
                if is_free {
                    return Ok(Some(rename(&shape.name)));
                }
                // A table that the merge drops, or that only one side has, gets no name here.
                if let Some(other) = schema.table(&shape.name)
                    && !shapes.iter().any(|shape| shape.id.0 == other.id.0)
                    && other.id != table.id
                {
                    let (other, unused) = (identifier(&other.name), self.unused_name()?);
                    return Ok(Some(format!("ALTER TABLE main.{other} RENAME TO {unused}")));
                }
                blocked.get_or_insert_with(|| Box::new(rename));
            }
            for column in &table.columns {
                let wanted = shape.columns.iter().find(|it| it.id.0 == column.id.0);
                let Some(wanted) = wanted.filter(|wanted| *wanted.name != *column.name) else {
                    continue;
                };
                let (of, from) = (own.clone(), identifier(&column.name));
                let rename = move |to: &str| {
                    format!("ALTER TABLE main.{of} RENAME COLUMN {from} TO {}", identifier(to))
                };
                let other = table.column_index(&wanted.name);
                if other.is_none_or(|other| table.columns[other].id == column.id) {
                    return Ok(Some(rename(&wanted.name)));
                }
                // The same for a column.
                if let Some(other) = other.map(|other| &table.columns[other])
                    && !shape.columns.iter().any(|wanted| wanted.id.0 == other.id.0)
                {
                    let (other, unused) = (identifier(&other.name), self.unused_name()?);
                    let sql = format!("ALTER TABLE main.{own} RENAME COLUMN {other} TO {unused}");
                    return Ok(Some(sql));
                }
                blocked.get_or_insert_with(|| Box::new(rename));
            }
        }
        blocked.map(|rename| Ok(rename(&self.unused_name()?))).transpose()
    }

    /// A name for a step in between that is in no definition of either side: neither what it is
    /// given to nor a query that mentions other tables can take it for something else.
    fn unused_name(&self) -> Result<String> {
        let (_, now) = read_objects(&self.transaction()?.borrow())?;
        let mut texts: Vec<String> = Vec::new();
        for row in now.iter().chain(&self.theirs) {
            texts.push(row.name.to_ascii_lowercase());
            texts.extend(row.sql.as_deref().map(str::to_ascii_lowercase));
        }
        let mut names = (1_u64..).map(|number| format!("merging_{number}"));
        let unused = names.find(|name| !texts.iter().any(|text| text.contains(name.as_str())));
        unused.ok_or_else(|| Error::new(ErrorKind::Limit, "all names are used"))
    }
}

#[cold]
fn taken(sql: &str) -> Error {
    let message = format!("a name that the merge gives is another object's already: {sql}");
    Error::new(ErrorKind::Conflict, message).with_hint("rename one of the two on its branch first")
}

/// Whether both sides have a table whose rows are merged: others keep the target's names.
fn is_in_both(table: &MergedTable) -> bool {
    table.ours.is_some() && table.theirs.is_some() && !table.is_blocked && !table.is_rebuilt
}

/// Whether the sides call a table or a column of it differently.
fn has_two_names(table: &MergedTable) -> bool {
    let (Some(ours), Some(theirs)) = (&table.ours, &table.theirs) else { return false };
    let is_renamed = |column: &ColumnShape| {
        theirs.column(column.id).is_some_and(|other| other.name != column.name)
    };
    ours.name != theirs.name || ours.columns.iter().any(is_renamed)
}

/// Whether the foreign keys of a table of the source name parents and their columns as the target
/// does, so that no rename takes them along.
pub(super) fn names_parents_alike(merge: &SchemaMerge, table: &TableShape) -> bool {
    let mut keys = table.constraints.iter().filter_map(|known| known.foreign_key.as_ref());
    keys.all(|key| {
        let parent = key.parent.and_then(|id| merge.table(id));
        let sides = parent.map(|parent| (parent.ours.as_ref(), parent.theirs.as_ref()));
        match sides {
            Some((Some(ours), Some(theirs))) => {
                let name = |table: &TableShape, id| {
                    table.column(id).map(|column: &ColumnShape| column.name.clone())
                };
                ours.name == theirs.name
                    && key.columns.iter().all(|id| name(ours, *id) == name(theirs, *id))
            }
            // The name of another one that only the source has may be taken here.
            _ => key.parent == Some(table.id),
        }
    })
}

fn table_of<'s>(schema: &'s Arc<Schema>, shape: &TableShape) -> Option<&'s Arc<Table>> {
    schema.tables.values().find(|table| table.id.0 == shape.id.0)
}
