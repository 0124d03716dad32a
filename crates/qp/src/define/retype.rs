//! Columns that get another type or another default.
//!
//! A type is what the table would have been made with: rows are stored anew where that makes a
//! difference, and everything that hangs on them is looked at again. A default is for rows that
//! come; those that are older than the column keep what they read. What is the rowid stays it,
//! and nothing becomes it, because rows would have to be found by other keys. Neighbours:
//! `alter_column`, `crate::modify` (which writes the rows).

use std::collections::HashSet;

use pandodb_ds::record::row::encode_values;
use pandodb_ds::sync::Arc;

use super::Definer;
use super::alter::{edited, parse_table};
use super::alter_column::with_blanks;
use super::columns::check_column;
use crate::ast::{self, ColumnConstraintKind, Name};
use crate::catalog::build::{build_table, constant};
use crate::catalog::{Column, IndexColumn, Table};
use crate::define::identifier;
use crate::error::{Constraint, Error, Result};
use crate::modify::{bind_writer, fill_missing, index_anew, is_mismatched, orphans, store_anew};
use crate::span::Span;

/// For each foreign key of and to a table, the rows without a parent.
type Orphans = Vec<KeyOrphans>;

/// The rows that miss a parent of one foreign key.
struct KeyOrphans {
    is_deferred: bool,
    rows: HashSet<Vec<u8>>,
    count: usize,
}

impl Definer<'_> {
    /// `ALTER COLUMN .. TYPE ..`
    pub(super) fn set_type(
        &mut self,
        table: &Arc<Table>,
        name: &Name,
        type_name: &ast::TypeName,
    ) -> Result<()> {
        let index = column_of(table, name)?;
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let definition = &body.columns[index];
        let written = type_name.span.of(self.sql).trim();
        let end = definition.name.span.end;
        let edit = definition.type_name.as_ref().map_or_else(
            || (Span::new(end, end), format!(" {written}")),
            |known| (known.span, written.to_owned()),
        );
        let text = edited(&sql, &[edit]);
        let changed = self.built(&text, table, index, type_name)?;
        let (before, after) = (&table.columns[index], &changed.columns[index]);
        let stores_alike =
            before.affinity == after.affinity && before.strict_type == after.strict_type;
        let before = if stores_alike { Orphans::new() } else { self.orphans_around(table)? };
        row.sql = Some(text.into());
        self.rewrite(&row)?;
        self.changed()?;
        if stores_alike {
            return self.verify_table(&table.name, "");
        }
        let now = self.schema().table(&table.name).cloned();
        let now = now.ok_or_else(|| Error::not_found("table", &table.name))?;
        let writer = self.with_environment(|environment| bind_writer(environment, &now))?;
        self.session.with_outer(&self.sources, &self.schemas, |outer| {
            store_anew(&writer, table, index, outer)
        })?;
        for (place, known) in now.indexes.iter().enumerate() {
            self.transaction()?.borrow_mut().clear(known.tree)?;
            self.session.with_outer(&self.sources, &self.schemas, |outer| {
                index_anew(&writer, place, outer)
            })?;
        }
        let after = self.orphans_around(&now)?;
        let is_orphaned = before.iter().zip(&after).any(|(before, after)| {
            after.count > before.count || !after.rows.is_subset(&before.rows)
        });
        if is_orphaned {
            let error = Error::constraint(Constraint::ForeignKey, "");
            return Err(error.at(name.span).with_hint(format!(
                "rows would lose their parents if {} were {written}: change the type of the \
                 other side of the foreign key first, or drop the key",
                name.text
            )));
        }
        for (before, after) in before.iter().zip(&after) {
            self.session.parents_found(before.is_deferred, before.count - after.count);
        }
        Ok(())
    }

    /// `ALTER COLUMN .. SET DEFAULT ..`, or `DROP DEFAULT` where there is no value.
    pub(super) fn set_default(
        &mut self,
        table: &Arc<Table>,
        name: &Name,
        value: Option<&ast::Expression>,
    ) -> Result<()> {
        let index = column_of(table, name)?;
        let mut row = self.table_row(table)?;
        let sql = row.sql.clone().unwrap_or_default();
        let (_, body) = parse_table(&sql)?;
        let definition = &body.columns[index];
        // The last one counts.
        let mut defaults = definition.constraints.iter().rev().filter_map(|it| match &it.kind {
            ColumnConstraintKind::Default(value) => Some((it.span, value.span)),
            _ => None,
        });
        let mut edits = Vec::new();
        if let Some(value) = value {
            let written = value.span.of(self.sql).trim();
            let end = definition.span.end;
            edits.push(defaults.next().map_or_else(
                || (Span::new(end, end), format!(" DEFAULT {written}")),
                |(_, known)| (known, written.to_owned()),
            ));
        }
        edits.extend(defaults.map(|(whole, _)| (with_blanks(&sql, whole), String::new())));
        let text = edited(&sql, &edits);
        let (_, body) = parse_table(&text)?;
        check_column(&body.columns[index]).map_err(|error| error.moved(name.span))?;
        let column = &table.columns[index];
        if let (Some(strict), Some(constant)) = (column.strict_type, value.and_then(constant))
            && strict.accept(constant).is_err()
        {
            return Err(Error::invalid("type mismatch on DEFAULT").at(name.span));
        }
        row.sql = Some(text.into());
        self.rewrite(&row)?;
        self.changed()?;
        self.verify_table(&table.name, "")?;
        let is_read = |now: &Column| now.missing != column.missing;
        let now = self.schema().table(&table.name).and_then(|table| table.columns.get(index));
        if now.is_some_and(is_read) {
            self.session.with_outer(&self.sources, &self.schemas, |outer| {
                fill_missing(table, column.position, outer)
            })?;
        }
        Ok(())
    }

    /// The table that a changed definition makes, if its rows are found as before.
    fn built(
        &self,
        text: &str,
        table: &Table,
        index: usize,
        type_name: &ast::TypeName,
    ) -> Result<Table> {
        let (create, body) = parse_table(text)?;
        let column = &table.columns[index].name;
        let refused = |message: String, hint: &str| {
            Err(Error::invalid(message).at(type_name.span).with_hint(hint))
        };
        let is_integer =
            type_name.name.eq_ignore_ascii_case("INTEGER") && type_name.arguments.is_empty();
        if table.rowid_alias() == Some(index) && !is_integer {
            let message = format!(
                "{column} is the rowid of table {}, so that its type stays INTEGER",
                table.name
            );
            return refused(message, "make a new table and INSERT INTO it what SELECT finds here");
        }
        check_column(&body.columns[index])?;
        let built = self.session.with_collations(|find| build_table(&create, &body, text, find));
        let (built, _) = built.map_err(|error| error.moved(type_name.span))?;
        if built.rowid_alias() != table.rowid_alias() {
            let message = format!(
                "{column} is the PRIMARY KEY of table {}: as an INTEGER it would be the rowid",
                table.name
            );
            return refused(message, "INT and BIGINT are the same type beside a rowid of its own");
        }
        let mut keys = table.key_columns().iter().filter_map(IndexColumn::column);
        let affinity = built.columns[index].affinity;
        if keys.any(|it| it == index) && affinity != table.columns[index].affinity {
            let message = format!(
                "{column} is in the PRIMARY KEY of table {}, which is WITHOUT ROWID: rows would \
                 be found by other keys",
                table.name
            );
            return refused(message, "make a new table and INSERT INTO it what SELECT finds here");
        }
        Ok(built)
    }

    /// The rows without a parent, for each foreign key of and to a table that is asked for.
    fn orphans_around(&self, table: &Table) -> Result<Orphans> {
        if !self.session.settings().foreign_keys {
            return Ok(Orphans::new());
        }
        let schema = self.schema();
        let database = identifier(&self.session.database_name(self.database));
        let mut children: Vec<&Arc<Table>> = schema.tables.values().collect();
        children.sort_by_key(|child| child.id);
        let mut found = Orphans::new();
        for child in children {
            for key in &child.foreign_keys {
                let is_near = child.id == table.id || key.parent.eq_ignore_ascii_case(&table.name);
                if is_near && !is_mismatched(schema, key) {
                    let sql = orphans(schema, &database, child, key);
                    let rows = self.session.select_inside(&sql, &self.sources, &self.schemas)?;
                    let count = rows.len();
                    let keys = rows.iter().map(|row| {
                        let mut bytes = Vec::new();
                        encode_values(row, &mut bytes).map(|()| bytes)
                    });
                    let rows = keys.collect::<Result<_, _>>()?;
                    found.push(KeyOrphans { is_deferred: key.deferred, rows, count });
                }
            }
        }
        Ok(found)
    }
}

fn column_of(table: &Table, name: &Name) -> Result<usize> {
    table.column_index(&name.text).ok_or_else(|| {
        let error = Error::not_found("column", &name.text).at(name.span);
        crate::suggest::hinting_column(error, &name.text, table)
    })
}
