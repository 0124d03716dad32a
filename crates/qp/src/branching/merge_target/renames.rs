//! Renames of a merge: done by the engine's own ALTER, so that every definition that mentions a
//! name follows.
//!
//! The target's tables and columns first get the names that the source has for them. Then
//! definitions of both sides speak of the same things in the same words, and the source's can be
//! put in. In the end everything gets its merged name. Neighbours: `definitions` works in between,
//! `define::rename` finds the places.

use pandodb_branch::merge::{MergedTable, SchemaMerge};
use pandodb_branch::shape::TableShape;
use pandodb_ds::sync::Arc;

use super::SqlTarget;
use crate::catalog::{Schema, Table, read_objects};
use crate::define::{identifier, run_within};
use crate::error::Result;

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

    /// Gives everything its merged name.
    pub(super) fn speak_as_merged(&mut self, merge: &SchemaMerge) -> Result<()> {
        let tables = merge.tables.iter().filter(|table| is_in_both(table));
        let shapes: Vec<&TableShape> = tables.map(|table| &table.shape).collect();
        self.rename_all(&shapes).map(drop)
    }

    /// Gives tables and their columns the names of `shapes`; whether any had another one.
    fn rename_all(&mut self, shapes: &[&TableShape]) -> Result<bool> {
        let mut is_changed = false;
        // As many steps as there can be names that stand in each other's way.
        while let Some(sql) = self.next_rename(shapes)? {
            self.schemas = run_within(self.session, &sql, &self.sources, self.schemas.clone())?;
            is_changed = true;
        }
        Ok(is_changed)
    }

    /// The next rename that nothing stands in the way of; where all do, one goes out of the way.
    fn next_rename(&self, shapes: &[&TableShape]) -> Result<Option<String>> {
        let schema = self.main_schema()?;
        let mut blocked = None;
        for shape in shapes {
            let Some(table) = table_of(schema, shape) else { continue };
            let own = identifier(&table.name);
            if *table.name != *shape.name {
                let rename =
                    |to: &str| format!("ALTER TABLE main.{own} RENAME TO {}", identifier(to));
                let is_free = shape.name.eq_ignore_ascii_case(&table.name)
                    || schema.table(&shape.name).is_none()
                        && schema.view(&shape.name).is_none()
                        && schema.index(&shape.name).is_none();
                if is_free {
                    return Ok(Some(rename(&shape.name)));
                }
                blocked.get_or_insert_with(|| rename(&out_of_the_way(shape.id.0)));
            }
            for column in &table.columns {
                let wanted = shape.columns.iter().find(|it| it.id.0 == column.id.0);
                let Some(wanted) = wanted.filter(|wanted| *wanted.name != *column.name) else {
                    continue;
                };
                let rename = |to: &str| {
                    let (from, to) = (identifier(&column.name), identifier(to));
                    format!("ALTER TABLE main.{own} RENAME COLUMN {from} TO {to}")
                };
                let other = table.column_index(&wanted.name);
                if other.is_none_or(|other| table.columns[other].id == column.id) {
                    return Ok(Some(rename(&wanted.name)));
                }
                blocked.get_or_insert_with(|| rename(&out_of_the_way(column.id.0)));
            }
        }
        Ok(blocked)
    }
}

/// Whether both sides have a table whose rows are merged: others keep the target's names.
fn is_in_both(table: &MergedTable) -> bool {
    table.ours.is_some() && table.theirs.is_some() && !table.is_blocked && !table.is_rebuilt
}

fn table_of<'s>(schema: &'s Arc<Schema>, shape: &TableShape) -> Option<&'s Arc<Table>> {
    schema.tables.values().find(|table| table.id.0 == shape.id.0)
}

/// A name that nobody has, for a step in between.
fn out_of_the_way(id: u64) -> String {
    format!("merging_{id:x}")
}
