//! CREATE TRIGGER.
//!
//! What a trigger does is bound when a statement may fire it, as in SQLite: the names in it may not
//! be there yet. Which table it is on is settled here. Neighbours: `create` for tables and views,
//! `modify::trigger` for how it runs.

use super::Definer;
use super::text::definition;
use crate::ast::{self, StatementKind, TriggerTime};
use crate::bind::FOREIGN;
use crate::catalog::{DatabaseIndex, ObjectKind, Schema, is_reserved_name};
use crate::error::{Error, ErrorKind, Result};
use crate::span::Span;
use crate::suggest::hinting;

impl Definer<'_> {
    pub(super) fn create_trigger(&mut self, create: &ast::CreateTrigger, span: Span) -> Result<()> {
        let name = &create.name.name;
        self.check_name(name)?;
        if self.schema().trigger(&name.text).is_some() {
            if create.if_not_exists {
                return Ok(());
            }
            let message = format!("trigger {} already exists", name.text);
            return Err(Error::new(ErrorKind::Exists, message).at(name.span));
        }
        self.check_parameters(span, "trigger cannot use variables")?;
        let home = self.home_of_subject(create)?;
        self.check_targets(create)?;
        self.check_databases(ObjectKind::Trigger, &name.text, &create.databases)?;
        if self.explains {
            return Ok(());
        }
        let sql = definition("TRIGGER", name.span, span, self.sql);
        let is_temporary = self.database == DatabaseIndex::TEMP;
        let subject = if is_temporary { Some(self.session.attachment(home)?) } else { None };
        let table = &create.table.name.text;
        self.write_definition(ObjectKind::Trigger, &name.text, table, sql, subject)?;
        self.changed()
    }

    /// The database that has the table of a trigger, which can have such a trigger.
    fn home_of_subject(&self, create: &ast::CreateTrigger) -> Result<DatabaseIndex> {
        let table = &create.table.name;
        let schemas = self.homes_of_subject(create)?;
        let found = schemas.iter().find(|(_, schema)| {
            schema.view(&table.text).is_some() || schema.table(&table.text).is_some()
        });
        if is_reserved_name(&table.text) {
            return Err(Error::invalid("cannot create trigger on system table").at(table.span));
        }
        let Some((home, subject)) = found else {
            let full = match &create.table.schema {
                Some(schema) => format!("{}.{}", schema.text, table.text),
                None if self.database == DatabaseIndex::TEMP => table.text.to_string(),
                None => format!("{}.{}", self.session.database_name(self.database), table.text),
            };
            let error = Error::not_found("table", full).at(table.span);
            let known = schemas.iter().flat_map(|(_, schema)| {
                let tables = schema.tables.values().map(|table| &*table.name);
                tables.chain(schema.views.values().map(|view| &*view.name))
            });
            return Err(hinting(error, &table.text, known));
        };
        let is_view = subject.view(&table.text).is_some();
        let instead = create.time == Some(TriggerTime::InsteadOf);
        if is_view && !instead {
            let word = if create.time == Some(TriggerTime::After) { "AFTER" } else { "BEFORE" };
            let message = format!("cannot create {word} trigger on view: {}", table.text);
            return Err(Error::invalid(message).at(table.span));
        }
        if !is_view && instead {
            let message = format!("cannot create INSTEAD OF trigger on table: {}", table.text);
            return Err(Error::invalid(message).at(table.span));
        }
        Ok(*home)
    }

    /// Where the table of a trigger may be, in order: in the database that is named, else in the
    /// trigger's own; a temporary one may be on a table of any.
    fn homes_of_subject(
        &self,
        create: &ast::CreateTrigger,
    ) -> Result<Vec<(DatabaseIndex, &Schema)>> {
        let all = self.schemas.iter().enumerate();
        let mut all = all.map(|(place, schema)| (DatabaseIndex(place as u16), &**schema));
        let Some(named) = &create.table.schema else {
            let mut homes = vec![(self.database, self.schema())];
            if self.database == DatabaseIndex::TEMP {
                homes.extend(all);
            }
            return Ok(homes);
        };
        let index = self.session.database_named(named)?;
        if self.database != DatabaseIndex::TEMP && self.database != index {
            let name = &create.name.name.text;
            let message = format!("trigger {name} {FOREIGN} {}", named.text);
            return Err(Error::invalid(message).at(named.span));
        }
        Ok(all.find(|(database, _)| *database == index).into_iter().collect())
    }

    /// Refuses targets on a branch, which a trigger does not leave, and those with a database's
    /// name in what is not temporary: a trigger changes tables of its own database alone. Stored
    /// ones that have it change that database, too.
    fn check_targets(&self, create: &ast::CreateTrigger) -> Result<()> {
        for statement in &create.body {
            let target = match &statement.kind {
                StatementKind::Insert(insert) => &insert.table,
                StatementKind::Update(update) => &update.table,
                StatementKind::Delete(delete) => &delete.table,
                _ => continue,
            };
            if let Some(branch) = &target.branch {
                // It would fail whenever it fires, and on each branch that takes it over.
                let message = format!("a trigger cannot change another branch: {}", branch.text);
                let hint = format!("leave @{} out: it changes the branch it fires on", branch.text);
                let error = Error::new(ErrorKind::Unsupported, message).at(target.span());
                return Err(error.with_hint(hint));
            }
            if self.database == DatabaseIndex::TEMP {
                continue;
            }
            if let Some(schema) = &target.schema {
                let message = "qualified table names are not allowed on INSERT, UPDATE, and DELETE \
                               statements within triggers";
                return Err(Error::invalid(message).at(schema.span));
            }
        }
        Ok(())
    }
}
