//! ALTER TABLE: the text of the definition is edited, and everything that hangs on the table is
//! bound again to find what the change breaks.
//!
//! Neighbours: `rename` (names in texts), `alter_column` (columns and constraints),
//! `retype` (types and defaults).

use pandodb_ds::sync::Arc;

use super::Definer;
use super::alter_column::Nullness;
use crate::ast::{self, AlterAction, CreateTableBody, StatementKind};
use crate::bind::{Binder, Environment};
use crate::catalog::{DatabaseIndex, ObjectKind, ObjectRow, Schema, Table, write_object};
use crate::error::{Error, ErrorKind, Result};
use crate::modify::{bind_trigger, bind_writer, is_asleep, trigger_subject};
use crate::parse::parse_statement;
use crate::span::Span;

impl Definer<'_> {
    pub(super) fn alter_table(&mut self, alter: &ast::AlterTable) -> Result<()> {
        let name = &alter.table.name;
        let schema = self.schema();
        if schema.view(&name.text).is_some() {
            let message = match &alter.action {
                AlterAction::RenameTable(_) => format!("view {} may not be altered", name.text),
                AlterAction::AddColumn(_) => "Cannot add a column to a view".to_owned(),
                AlterAction::DropColumn(_) => {
                    format!("cannot drop column from view \"{}\"", name.text)
                }
                AlterAction::RenameColumn(..) => {
                    format!("cannot rename columns of view \"{}\"", name.text)
                }
                AlterAction::SetType(..) => {
                    format!("cannot change the type of a column of view \"{}\"", name.text)
                }
                AlterAction::SetDefault(..) | AlterAction::DropDefault(_) => {
                    format!("columns of view \"{}\" have no defaults", name.text)
                }
                _ => format!("cannot edit constraints of view \"{}\"", name.text),
            };
            return Err(Error::invalid(message).at(name.span));
        }
        let Some(table) = schema.table(&name.text).cloned() else {
            self.check_defined(name, "altered")?;
            let full = match &alter.table.schema {
                Some(schema) => format!("{}.{}", schema.text, name.text),
                None => name.text.to_string(),
            };
            let error = Error::not_found("table", full).at(name.span);
            let known = schema.tables.values().map(|table| &*table.name);
            return Err(crate::suggest::hinting(error, &name.text, known));
        };
        if crate::catalog::is_reserved_name(&table.name) {
            let message = format!("table {} may not be altered", table.name);
            return Err(Error::invalid(message).at(name.span));
        }
        match &alter.action {
            AlterAction::RenameTable(to) => self.rename_table(&table, to),
            AlterAction::RenameColumn(from, to) => self.rename_column(&table, from, to),
            AlterAction::AddColumn(definition) => self.add_column(&table, definition),
            AlterAction::DropColumn(name) => self.drop_column(&table, name),
            AlterAction::SetNotNull(name, conflict) => {
                self.set_not_null(&table, name, Nullness::Refused(*conflict))
            }
            AlterAction::DropNotNull(name) => self.set_not_null(&table, name, Nullness::Allowed),
            AlterAction::SetType(name, type_name) => self.set_type(&table, name, type_name),
            AlterAction::SetDefault(name, value) => self.set_default(&table, name, Some(value)),
            AlterAction::DropDefault(name) => self.set_default(&table, name, None),
            AlterAction::CountAlone => self.count_alone(&table),
            AlterAction::AddCheck(name, check, _, span) => {
                self.add_check(&table, name.as_ref(), check, *span)
            }
            AlterAction::DropConstraint(name) => self.drop_constraint(&table, name),
        }
    }

    /// The row of a table.
    pub(super) fn table_row(&self, table: &Table) -> Result<ObjectRow> {
        self.schema()
            .object(ObjectKind::Table, &table.name)
            .cloned()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the table has no row in the catalog"))
    }

    /// Writes a row again.
    pub(super) fn rewrite(&self, row: &ObjectRow) -> Result<()> {
        write_object(&mut self.transaction()?.borrow_mut(), row)
    }

    /// Whether ALTER TABLE leaves views and triggers as they are, broken or not. What the engine
    /// defines by itself follows no setting.
    pub(super) fn is_legacy(&self) -> bool {
        !self.spares_broken && self.session.settings().legacy_alter_table
    }

    /// Binds all views, triggers and indexes again; `when` says in errors what was done.
    pub(super) fn verify(&self, table: &str, when: &str) -> Result<()> {
        self.verify_table(table, when)?;
        if self.spares_broken || self.is_legacy() {
            return Ok(());
        }
        self.verify_dependents(when)
    }

    /// Binds what a table and its indexes are made of.
    pub(super) fn verify_table(&self, table: &str, when: &str) -> Result<()> {
        let schema = self.schema();
        let wrong = |kind: &str, name: &str, error: &Error| {
            Error::invalid(format!("error in {kind} {name}{when}: {}", error.message()))
        };
        self.with_environment(|environment| {
            if let Some(table) = schema.table(table)
                && let Err(error) = bind_writer(environment, table)
            {
                let index = table.indexes.iter().find(|index| {
                    index.sql.as_ref().is_some_and(|sql| mentions(sql, error.message()))
                });
                return Err(match index {
                    Some(index) => wrong("index", &index.name, &error),
                    None => wrong("table", &table.name, &error),
                });
            }
            Ok(())
        })
    }

    /// Binds all views and triggers of the database, and of `temp`, whose definitions may name
    /// what is anywhere. Columns that triggers change are looked up when they run.
    pub(super) fn verify_dependents(&self, when: &str) -> Result<()> {
        let wrong = |kind: &str, name: &str, error: &Error| {
            Error::invalid(format!("error in {kind} {name}{when}: {}", error.message()))
        };
        self.with_environment(|environment| {
            let environment =
                &Environment { is_lenient: true, foreign_keys: false, ..*environment };
            for schema in self.own_and_temporary() {
                if let Some((object, error)) = broken_dependents(environment, schema).first() {
                    return Err(wrong(object.kind.as_str(), &object.name, error));
                }
            }
            Ok(())
        })
    }

    /// The schema that changes, and that of `temp` where it is another one.
    pub(super) fn own_and_temporary(&self) -> Vec<&Schema> {
        let mut schemas = vec![self.schema()];
        if self.database != DatabaseIndex::TEMP {
            schemas.extend(self.schemas.get(usize::from(DatabaseIndex::TEMP.0)).map(|it| &**it));
        }
        schemas
    }
}

/// The views and triggers of a schema that cannot be bound, each with why.
pub(crate) fn broken_dependents<'c>(
    environment: &Environment<'_>,
    schema: &'c Schema,
) -> Vec<(&'c ObjectRow, Error)> {
    let mut broken = Vec::new();
    for object in &schema.objects {
        let bound = match object.kind {
            ObjectKind::View => schema.view(&object.name).map(|view| {
                let mut binder = Binder::new(environment, Arc::from(&*view.sql));
                binder.view_block(view, false).map(drop)
            }),
            ObjectKind::Trigger => schema.trigger(&object.name).map(|trigger| {
                if is_asleep(environment, trigger) {
                    return Ok(());
                }
                let table = trigger_subject(environment, trigger)?;
                bind_trigger(environment, trigger, &table).map(drop)
            }),
            ObjectKind::Table | ObjectKind::Index => None,
        };
        if let Some(Err(error)) = bound {
            broken.push((object, error));
        }
    }
    broken
}

/// Whether the last word of an error's message stands in a text.
fn mentions(sql: &str, message: &str) -> bool {
    message.rsplit([' ', '.']).next().is_some_and(|word| sql.contains(word))
}

/// The syntax tree of a table's definition.
pub(super) fn parse_table(sql: &str) -> Result<(ast::CreateTable, ast::TableDefinition)> {
    let (statement, _) = parse_statement(sql)?;
    if let Some(ast::Statement { kind: StatementKind::CreateTable(create), .. }) = statement
        && let CreateTableBody::Columns(body) = &create.body
    {
        let body = body.clone();
        return Ok((*create, body));
    }
    Err(Error::new(ErrorKind::Internal, "the definition is not one of a table"))
}

/// A text with other texts in some places, which do not overlap.
pub(super) fn edited(sql: &str, edits: &[(Span, String)]) -> String {
    let mut edits: Vec<&(Span, String)> = edits.iter().collect();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut text = sql.to_owned();
    for (span, replacement) in edits {
        if text.get(span.range()).is_some() {
            text.replace_range(span.range(), replacement);
        }
    }
    text
}
