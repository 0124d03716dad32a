//! Columns and constraints that come and go.
//!
//! Rows are not rewritten: a new column has a place behind the others, which old rows do not
//! have (they read its default), and the place of a dropped one stays empty. Neighbours: `alter`.

use pandodb_ds::sync::Arc;

use super::Definer;
use super::alter::{edited, parse_table};
use super::columns::check_column;
use super::text::identifier;
use crate::ast::{self, ColumnConstraintKind, Name};
use crate::catalog::build::constant;
use crate::catalog::{IndexColumn, Table};
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::span::Span;
use crate::types::StrictType;

impl Definer<'_> {
    fn is_empty(&self, table: &Table) -> Result<bool> {
        self.transaction()?.borrow().is_empty(table.tree)
    }

    /// Refuses a column that rows which are there could not have.
    fn check_new_column(&self, table: &Table, definition: &ast::ColumnDefinition) -> Result<()> {
        let most = self.session.limits().get(Limit::Column) as usize;
        if table.columns.len() >= most {
            // SQLite builds the table with its new column under such a name.
            let message = format!("too many columns on sqlite_altertab_{}", table.name);
            return Err(Error::invalid(message).with_hint(format!("there may be {most}")));
        }
        let mut default: Option<&ast::Expression> = None;
        let (mut not_null, mut refers, mut generated) = (false, false, false);
        for constraint in &definition.constraints {
            match &constraint.kind {
                ColumnConstraintKind::PrimaryKey { .. } => {
                    return Err(Error::invalid("Cannot add a PRIMARY KEY column"));
                }
                ColumnConstraintKind::Unique(_) => {
                    return Err(Error::invalid("Cannot add a UNIQUE column"));
                }
                ColumnConstraintKind::Generated { storage, .. } => {
                    if *storage == Some(ast::GeneratedStorage::Stored) {
                        return Err(Error::invalid("cannot add a STORED column"));
                    }
                    generated = true;
                }
                ColumnConstraintKind::Default(value) => default = Some(value),
                ColumnConstraintKind::NotNull(_) => not_null = true,
                ColumnConstraintKind::References(_) => refers = true,
                ColumnConstraintKind::Collate(name) => self.session.with_collations(|find| {
                    crate::catalog::build::find_collation(find, name).map(|_| ())
                })?,
                _ => {}
            }
        }
        check_column(definition)?;
        let value = default.and_then(constant);
        let is_null = value.as_ref().is_none_or(pandodb_ds::record::Value::is_null);
        // What rows are there is found out when it runs.
        let is_empty = self.explains || self.is_empty(table)?;
        let refers = refers && self.session.settings().foreign_keys;
        if refers && default.is_some() && !is_null && !is_empty {
            let message = "Cannot add a REFERENCES column with non-NULL default value";
            return Err(Error::invalid(message));
        }
        if not_null && is_null && default.is_none_or(|_| value.is_some()) && !generated && !is_empty
        {
            let message = "Cannot add a NOT NULL column with default value NULL";
            return Err(Error::invalid(message));
        }
        if default.is_some() && value.is_none() && !is_empty {
            return Err(Error::invalid("Cannot add a column with non-constant default"));
        }
        if let (true, false, Some(value)) = (table.strict, is_empty, value)
            && let Some(strict) = definition
                .type_name
                .as_ref()
                .and_then(|declared| StrictType::from_name(&declared.name))
            && strict.accept(value).is_err()
        {
            return Err(Error::invalid("type mismatch on DEFAULT"));
        }
        Ok(())
    }

    pub(super) fn add_column(
        &mut self,
        table: &Arc<Table>,
        definition: &ast::ColumnDefinition,
    ) -> Result<()> {
        self.check_new_column(table, definition)?;
        if self.explains {
            return self.check_new_name(table, &definition.name);
        }
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let end = body.columns.last().map_or(0, |column| column.span.end);
        let text = format!(", {}", definition.span.of(self.sql).trim());
        let edits = [(Span::new(end, end), text)];
        row.sql = Some(edited(&sql, &edits).into());
        row.columns.push((self.new_column()?, row.stored_columns));
        row.stored_columns += 1;
        self.rewrite(&row)?;
        self.changed().map_err(|error| {
            if error.kind() != ErrorKind::Invalid {
                return error;
            }
            let when = format!("error in table {} after add column", table.name);
            Error::invalid(format!("{when}: {}", error.message()))
        })?;
        self.verify_table(&table.name, "")?;
        self.check_rows(table, definition)
    }

    /// Refuses the name of a column that is there, of a column that is not made.
    fn check_new_name(&self, table: &Table, name: &Name) -> Result<()> {
        if table.column_index(&name.text).is_none() {
            return Ok(());
        }
        let message = format!("duplicate column name: {}", name.text);
        Err(Error::new(ErrorKind::Exists, message).at(name.span))
    }

    /// Checks that old rows satisfy what a new column demands.
    fn check_rows(&self, table: &Table, definition: &ast::ColumnDefinition) -> Result<()> {
        let name = identifier(&table.name);
        let database = identifier(&self.session.database_name(self.database));
        for constraint in &definition.constraints {
            match &constraint.kind {
                ColumnConstraintKind::Check(expression) => {
                    let check = expression.span.of(self.sql);
                    let sql =
                        format!("SELECT 1 FROM {database}.{name} WHERE NOT ({check}) LIMIT 1");
                    if self.session.any_row(&sql, &self.sources, &self.schemas)? {
                        return Err(Error::invalid("CHECK constraint failed"));
                    }
                }
                ColumnConstraintKind::NotNull(_) => {
                    let column = identifier(&definition.name.text);
                    let sql =
                        format!("SELECT 1 FROM {database}.{name} WHERE {column} IS NULL LIMIT 1");
                    if self.session.any_row(&sql, &self.sources, &self.schemas)? {
                        return Err(Error::invalid("NOT NULL constraint failed"));
                    }
                }
                ColumnConstraintKind::Generated { .. } if table.strict => {
                    self.check_types(table, definition)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks that a new generated column of a STRICT table has values of its type.
    fn check_types(&self, table: &Table, definition: &ast::ColumnDefinition) -> Result<()> {
        let declared = definition.type_name.as_ref().map_or("", |declared| &declared.name);
        let wanted = match StrictType::from_name(declared) {
            Some(StrictType::Integer) => "integer",
            Some(StrictType::Real) => "real",
            Some(StrictType::Text) => "text",
            Some(StrictType::Blob) => "blob",
            Some(StrictType::Any) | None => return Ok(()),
        };
        let (name, column) = (identifier(&table.name), identifier(&definition.name.text));
        let database = identifier(&self.session.database_name(self.database));
        let sql = format!(
            "SELECT 1 FROM {database}.{name} WHERE typeof({column}) NOT IN ('null', '{wanted}')"
        );
        if !self.session.any_row(&sql, &self.sources, &self.schemas)? {
            return Ok(());
        }
        let message = format!(
            "cannot store the value of every row in {} column {}.{}",
            declared.to_ascii_uppercase(),
            table.name,
            definition.name.text
        );
        Err(Error::constraint(Constraint::DataType, message))
    }

    pub(super) fn drop_column(&mut self, table: &Arc<Table>, name: &Name) -> Result<()> {
        let Some(index) = table.column_index(&name.text) else {
            let message = format!("no such column: \"{}\"", name.text);
            let error = Error::new(ErrorKind::NotFound, message).at(name.span);
            return Err(crate::suggest::hinting_column(error, &name.text, table));
        };
        let uses =
            |columns: &[IndexColumn]| columns.iter().any(|column| column.column() == Some(index));
        let column = &table.columns[index].name;
        if table.primary_key.as_ref().is_some_and(|key| uses(&key.columns)) {
            let message = format!("cannot drop PRIMARY KEY column: \"{column}\"");
            return Err(Error::invalid(message).at(name.span));
        }
        let unique = table.indexes.iter().any(|known| known.sql.is_none() && uses(&known.columns));
        self.verify_dependents("")?;
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let own_unique = body.columns[index]
            .constraints
            .iter()
            .any(|constraint| matches!(constraint.kind, ColumnConstraintKind::Unique(_)));
        if unique && own_unique {
            let message = format!("cannot drop UNIQUE column: \"{column}\"");
            return Err(Error::invalid(message).at(name.span));
        }
        if table.columns.len() == 1 {
            let message = format!("cannot drop column \"{column}\": no other columns exist");
            return Err(Error::invalid(message).at(name.span));
        }
        if self.explains {
            return Ok(());
        }
        let cut = if let Some(next) = body.columns.get(index + 1) {
            Span::new(body.columns[index].span.start, next.span.start)
        } else {
            let end = body.columns[index].span.end;
            let start = sql
                .get(..body.columns[index].span.start as usize)
                .and_then(|before| before.rfind(','))
                .unwrap_or(0);
            Span::new(start as u32, end)
        };
        row.sql = Some(edited(&sql, &[(cut, String::new())]).into());
        row.columns.remove(index);
        self.rewrite(&row)?;
        let failed = |error: Error| {
            if error.is_retryable() {
                // Not the definition's fault: others are in the way.
                return error;
            }
            let message = error.message().to_owned();
            let message =
                message.split_once(") - ").map_or(message.clone(), |(_, cause)| cause.to_owned());
            if message.starts_with("error in") {
                return Error::invalid(message);
            }
            Error::invalid(format!("error in table {} after drop column: {message}", table.name))
        };
        self.changed().map_err(failed)?;
        self.verify(&table.name, " after drop column")
    }

    /// Lets the counter of a table count on each branch alone, from where it stands.
    pub(super) fn count_alone(&mut self, table: &Arc<Table>) -> Result<()> {
        if table.counts_alone || self.explains {
            return Ok(());
        }
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let comma = if body.strict || body.without_rowid { "," } else { "" };
        row.sql = Some(format!("{}{comma} AUTOINCREMENT PER BRANCH", sql.trim_end()).into());
        self.rewrite(&row)?;
        self.changed()?;
        self.verify_table(&table.name, "")
    }

    pub(super) fn set_not_null(
        &mut self,
        table: &Arc<Table>,
        name: &Name,
        set: Nullness,
    ) -> Result<()> {
        let Some(index) = table.column_index(&name.text) else {
            let error = Error::not_found("column", &name.text).at(name.span);
            return Err(crate::suggest::hinting_column(error, &name.text, table));
        };
        if self.explains {
            return Ok(());
        }
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let definition = &body.columns[index];
        let mut edits: Vec<(Span, String)> = definition
            .constraints
            .iter()
            .filter(|constraint| matches!(constraint.kind, ColumnConstraintKind::NotNull(_)))
            .map(|constraint| (with_blanks(&sql, constraint.span), String::new()))
            .collect();
        if let Nullness::Refused(conflict) = set {
            let column = identifier(&table.columns[index].name);
            let (database, name) =
                (identifier(&self.session.database_name(self.database)), identifier(&table.name));
            let query = format!("SELECT 1 FROM {database}.{name} WHERE {column} IS NULL LIMIT 1");
            if self.session.any_row(&query, &self.sources, &self.schemas)? {
                let subject = format!("{}.{}", table.name, table.columns[index].name);
                return Err(Error::constraint(Constraint::NotNull, subject));
            }
            if edits.is_empty() {
                let end = definition.span.end;
                let action = conflict.map_or("", on_conflict);
                edits.push((Span::new(end, end), format!(" NOT NULL{action}")));
            } else {
                return Ok(());
            }
        }
        row.sql = Some(edited(&sql, &edits).into());
        self.rewrite(&row)?;
        self.changed()
    }

    pub(super) fn add_check(
        &mut self,
        table: &Arc<Table>,
        name: Option<&Name>,
        check: &ast::Expression,
        written: Span,
    ) -> Result<()> {
        if self.explains {
            return self.check_names(table, &[(check, "CHECK constraints")]);
        }
        let text = check.span.of(self.sql).trim().to_owned();
        let (database, own) =
            (identifier(&self.session.database_name(self.database)), identifier(&table.name));
        let query = format!("SELECT 1 FROM {database}.{own} WHERE NOT ({text}) LIMIT 1");
        if self.session.any_row(&query, &self.sources, &self.schemas)? {
            let subject = name.map_or(text.as_str(), |name| &name.text);
            return Err(Error::constraint(Constraint::Check, subject));
        }
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let columns = body.columns.last().map_or(0, |column| column.span.end);
        let end = body.constraints.last().map_or(columns, |constraint| constraint.span.end);
        let addition = format!(", {}", written.of(self.sql));
        row.sql = Some(edited(&sql, &[(Span::new(end, end), addition)]).into());
        self.rewrite(&row)?;
        self.changed()?;
        self.verify_table(&table.name, "")
    }

    pub(super) fn drop_constraint(&mut self, table: &Arc<Table>, name: &Name) -> Result<()> {
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let is_named = |known: &Option<Name>| known.as_ref().is_some_and(|known| known == name);
        let mut cut = None;
        for constraint in body.columns.iter().flat_map(|column| &column.constraints) {
            if is_named(&constraint.name) {
                let keeps = matches!(
                    constraint.kind,
                    ColumnConstraintKind::PrimaryKey { .. } | ColumnConstraintKind::Unique(_)
                );
                if keeps {
                    let message = format!("constraint may not be dropped: {}", name.text);
                    return Err(Error::invalid(message).at(name.span));
                }
                cut = Some(with_blanks(&sql, constraint.span));
            }
        }
        for constraint in &body.constraints {
            if is_named(&constraint.name) {
                if !matches!(constraint.kind, ast::TableConstraintKind::Check(..)) {
                    let message = format!("constraint may not be dropped: {}", name.text);
                    return Err(Error::invalid(message).at(name.span));
                }
                // Commas between constraints may be left out.
                let Span { start, end } = with_blanks(&sql, constraint.span);
                let before = sql.get(..start as usize).unwrap_or_default();
                let start = start - u32::from(before.ends_with(','));
                cut = Some(Span::new(start, end));
            }
        }
        let Some(cut) = cut else {
            return Err(Error::not_found("constraint", &name.text).at(name.span));
        };
        if self.explains {
            return Ok(());
        }
        row.sql = Some(edited(&sql, &[(cut, String::new())]).into());
        self.rewrite(&row)?;
        self.changed()
    }
}

/// What ALTER COLUMN makes of a column.
#[derive(Clone, Copy)]
pub(super) enum Nullness {
    /// NULL may be in it.
    Allowed,
    /// `NOT NULL [ON CONFLICT ..]`
    Refused(Option<ast::ConflictAction>),
}

/// A part of a text with the blanks before it.
pub(super) fn with_blanks(sql: &str, span: Span) -> Span {
    let before = sql.get(..span.start as usize).unwrap_or_default();
    Span::new(before.trim_end().len() as u32, span.end)
}

const fn on_conflict(action: ast::ConflictAction) -> &'static str {
    match action {
        ast::ConflictAction::Rollback => " ON CONFLICT ROLLBACK",
        ast::ConflictAction::Abort => " ON CONFLICT ABORT",
        ast::ConflictAction::Fail => " ON CONFLICT FAIL",
        ast::ConflictAction::Ignore => " ON CONFLICT IGNORE",
        ast::ConflictAction::Replace => " ON CONFLICT REPLACE",
    }
}
