//! INSERT, UPDATE and DELETE: from syntax to plans.
//!
//! Neighbours: `crate::bind` binds the queries and expressions in them; `writer` what a table
//! demands of its rows.

mod delete;
mod insert;
mod update;
mod upsert;
mod view;
mod writer;

pub(crate) use view::view_as_table;
pub use view::view_columns;
pub(super) use writer::table_writer;

use pandodb_ds::sync::Arc;

use super::{ModifyPlan, Returning, TableWriter};
use crate::ast::{self, StatementKind};
use crate::authorize::AuthAction;
use crate::bind::{Binder, Called, NameScope, Named, ScopeTable, no_row};
use crate::catalog::{Table, called_in_errors};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::VersionName;
use crate::scalar::{ColumnPlace, JsonSign, ROWID, Scalar, SlotId};
use crate::types::Affinity;
use delete::delete_plan;
use insert::insert_plan;
use update::update_plan;
use view::instead_plan;

/// Refuses to change a table of a branch that the session is not on.
fn check_own_branch(binder: &Binder<'_>, table: &ast::TableName, branch: &ast::Name) -> Result<()> {
    let database = binder.version_database(table, None)?;
    let name = VersionName { database, branch: Some(branch.clone()), as_of: None };
    if binder.environment.versions.find(name)? == database {
        return Ok(());
    }
    let message =
        format!("cannot change {}@{}: it is another branch", table.name.text, branch.text);
    let error = Error::new(ErrorKind::Unsupported, message).at(table.span());
    Err(error.with_hint(format!("USE BRANCH {} first", branch.text)))
}

/// Binds a change; its layout is the frame's that is being built.
pub fn modify_statement(binder: &mut Binder<'_>, statement: &ast::Statement) -> Result<ModifyPlan> {
    let (with, table) = match &statement.kind {
        StatementKind::Insert(insert) => (insert.with.as_ref(), &insert.table),
        StatementKind::Update(update) => (update.with.as_ref(), &update.table),
        StatementKind::Delete(delete) => (delete.with.as_ref(), &delete.table),
        _ => return Err(Error::invalid("not a change")),
    };
    if let Some(branch) = &table.branch {
        check_own_branch(binder, table, branch)?;
    }
    let before = binder.with(with)?;
    // With `@` the name means what it means in a query: no temporary table, none of a file beside.
    let named = match &table.branch {
        Some(_) => binder.named_version(table, None)?,
        None => binder.named(table.schema.as_ref(), &table.name)?,
    };
    if let Named::Table(known) = &named {
        binder.note_table(known, &table.name);
        if let StatementKind::Insert(insert) = &statement.kind {
            for name in &insert.columns {
                if let Some(index) = known.column_index(&name.text) {
                    binder.note_column(known, index, name);
                }
            }
        }
    }
    let is_done = may_change(binder, &statement.kind, &named)?;
    let plan = match (&statement.kind, named) {
        (StatementKind::Insert(insert), Named::Table(table)) => insert_plan(binder, insert, &table),
        (StatementKind::Update(update), Named::Table(table)) => update_plan(binder, update, &table),
        (StatementKind::Delete(delete), Named::Table(table)) => delete_plan(binder, delete, &table),
        (kind, Named::View(view)) => instead_plan(binder, kind, &view),
        _ => Err(Error::invalid("not a change")),
    };
    binder.common.truncate(before);
    let mut plan = plan?;
    if !is_done {
        plan.leave_out();
    }
    binder.note_text(binder.text.len());
    plan.layout = binder.frame().finished()?;
    Ok(plan)
}

/// Asks whether rows of a table may come or go; columns are asked for where they are set.
fn may_change(binder: &Binder<'_>, kind: &StatementKind, named: &Named) -> Result<bool> {
    let (table_name, database) = match named {
        Named::Table(table) => (&*table.name, table.database),
        Named::View(view) => (&*view.name, view.database),
    };
    let action = match kind {
        StatementKind::Insert(_) => AuthAction::Insert { table_name },
        StatementKind::Delete(_) => AuthAction::Delete { table_name },
        _ => return Ok(true),
    };
    binder.may(action, Some(database))
}

/// Refuses changes of what the engine makes itself.
fn check_writable(binder: &Binder<'_>, table: &Table) -> Result<()> {
    if table.is_system() && !binder.environment.is_lenient {
        let name = called_in_errors(table);
        return Err(Error::invalid(format!("table {name} may not be modified")));
    }
    Ok(())
}

/// A scope with one table.
fn scope_of(binder: &Binder<'_>, tables: Vec<ScopeTable>) -> NameScope {
    NameScope { frame: binder.frame_index(), tables, ..NameScope::default() }
}

fn returning(
    binder: &mut Binder<'_>,
    columns: &[ast::ResultColumn],
    writer: &TableWriter,
) -> Result<Option<Returning>> {
    returning_of(binder, columns, &writer.table, writer.row)
}

/// What is returned of the rows of a table, or of a view as a table.
fn returning_of(
    binder: &mut Binder<'_>,
    columns: &[ast::ResultColumn],
    table: &Arc<Table>,
    row: SlotId,
) -> Result<Option<Returning>> {
    if columns.is_empty() {
        return Ok(None);
    }
    let star = columns.iter().find(|column| matches!(column, ast::ResultColumn::TableStar(_)));
    if let Some(star) = star {
        let message = "RETURNING may not use \"TABLE.*\" wildcards";
        return Err(Error::invalid(message).at(star.span()).with_hint("RETURNING *"));
    }
    // As in SQLite the table has its own name here, whatever it was called before.
    let own = binder.table_scope(table, row, &table.name, Called::Row)?;
    let scope = scope_of(binder, vec![own]);
    let first_subquery = binder.frame().layout.subqueries;
    binder.scopes.push(scope);
    let bound = binder.items(columns).and_then(|items| {
        let (mut outputs, mut columns) = (Vec::new(), Vec::new());
        for item in &items {
            let (output, column) = binder.item(item)?;
            no_row(&output)?;
            outputs.push(output);
            columns.push(column);
        }
        Ok(Returning { outputs, columns, first_subquery })
    });
    binder.scopes.pop();
    bound.map(Some)
}

/// What tells a row of a slot: its rowid, or the columns of its key.
pub(super) fn key_outputs(table: &Table, slot: SlotId) -> Vec<Scalar> {
    let column = |column: u16| {
        Scalar::Column(ColumnPlace {
            depth: 0,
            slot,
            column,
            affinity: Affinity::None,
            collation: None,
            json: JsonSign::None,
        })
    };
    if table.has_rowid() {
        return vec![column(ROWID)];
    }
    table.columns.iter().map(|own| column(own.position as u16)).collect()
}

// Neighbours: `writer`, `insert`, `update`, `delete`.
