//! Renames: every place that names the table or the column, in all definitions.
//!
//! Places inside of expressions and queries are found by the binder (see `bind::recorder`), those
//! of the definition's own form by its syntax tree. With `legacy_alter_table` a table's new name
//! goes only where the form names it, and what that breaks is nobody's business. Neighbours:
//! `alter`.

use pandodb_ds::sync::Arc;

use super::Definer;
use super::alter::{edited, parse_table};
use crate::ast::{self, ColumnConstraintKind, Name, Quote, StatementKind, TableConstraintKind};
use crate::bind::{Binder, Called, Environment, OF_DEFINITION, Recorder};
use crate::catalog::build::indexed_name;
use crate::catalog::{ObjectKind, ObjectRow, Table, TableKind, implied_index_name};
use crate::error::{Error, ErrorKind, Result};
use crate::modify::{SEQUENCE_TABLE, is_asleep, trigger_program, trigger_subject};
use crate::parse::{parse_statement, parse_stored};
use crate::span::Span;

impl Definer<'_> {
    pub(super) fn rename_column(
        &mut self,
        table: &Arc<Table>,
        from: &Name,
        to: &Name,
    ) -> Result<()> {
        let Some(index) = table.column_index(&from.text) else {
            let message = format!("no such column: \"{}\"", from.text);
            let error = Error::new(ErrorKind::NotFound, message).at(from.span);
            return Err(crate::suggest::hinting_column(error, &from.text, table));
        };
        if self.explains {
            return Ok(());
        }
        if table.column_index(&to.text).is_some_and(|other| other != index) {
            let message = format!(
                "error in table {} after rename: duplicate column name: {}",
                table.name, to.text
            );
            return Err(Error::new(ErrorKind::Exists, message).at(to.span));
        }
        self.rename(table, Some(index), to)?;
        self.changed()?;
        self.verify(&table.name, " after rename")
    }

    pub(super) fn rename_table(&mut self, table: &Arc<Table>, to: &Name) -> Result<()> {
        self.check_name(to)?;
        let schema = self.schema();
        let taken = schema.table(&to.text).is_some()
            || schema.view(&to.text).is_some()
            || schema.index(&to.text).is_some();
        if taken && !(self.spares_broken && to.is(&table.name)) {
            let message =
                format!("there is already another table or index with this name: {}", to.text);
            return Err(Error::new(ErrorKind::Exists, message).at(to.span));
        }
        if self.explains {
            return Ok(());
        }
        self.rename(table, None, to)?;
        if matches!(table.kind, TableKind::Rowid { autoincrement: true, .. })
            && self.schema().table(SEQUENCE_TABLE).is_some()
        {
            let quote = |name: &str| name.replace('\'', "''");
            let database = super::text::identifier(&self.session.database_name(self.database));
            let sql = format!(
                "UPDATE {database}.{SEQUENCE_TABLE} SET name = '{}' WHERE name = '{}'",
                quote(&to.text),
                quote(&table.name)
            );
            self.session.run_inside(&sql, &self.sources, &self.schemas)?;
        }
        self.changed()?;
        self.verify(&to.text, " after rename")
    }

    /// Edits all definitions of the database.
    fn rename(&self, table: &Arc<Table>, column: Option<usize>, to: &Name) -> Result<()> {
        let mut rows = Vec::new();
        let mut autoindexes = 0;
        for object in &self.schema().objects {
            let mut row = object.clone();
            let is_of_table = self.is_of(object, table)?;
            if let Some(sql) = &object.sql {
                let edits: Vec<(Span, String)> = self
                    .places_or_error(object, sql, table, column)?
                    .into_iter()
                    .map(|span| (span, replacement(sql, span, to, column.is_none())))
                    .collect();
                if !edits.is_empty() {
                    row.sql = Some(edited(sql, &edits).into());
                }
            }
            if column.is_none() && is_of_table {
                row.table = to.text.clone();
                if object.kind == ObjectKind::Table {
                    row.name = to.text.clone();
                } else if object.kind == ObjectKind::Index && object.sql.is_none() {
                    autoindexes += 1;
                    row.name = implied_index_name(&to.text, autoindexes).into();
                }
            }
            rows.push(row);
        }
        rows.iter().try_for_each(|row| self.rewrite(row))?;
        self.rename_in_temp(table, column, to)
    }

    /// Edits what `temp` has about a table of another database.
    fn rename_in_temp(&self, table: &Arc<Table>, column: Option<usize>, to: &Name) -> Result<()> {
        let Some(temp) = self.in_temp() else { return Ok(()) };
        let mut is_changed = false;
        for object in &temp.schema().objects {
            let Some(sql) = &object.sql else { continue };
            if !matches!(object.kind, ObjectKind::View | ObjectKind::Trigger) {
                continue;
            }
            let places = temp.places_or_error(object, sql, table, column)?;
            let mut row = object.clone();
            let is_subject = column.is_none() && temp.is_of(object, table)?;
            if is_subject {
                row.table = to.text.clone();
            }
            if places.is_empty() && !is_subject {
                continue;
            }
            let edits: Vec<(Span, String)> = places
                .into_iter()
                .map(|span| (span, replacement(sql, span, to, column.is_none())))
                .collect();
            row.sql = Some(edited(sql, &edits).into());
            if !is_changed {
                temp.transaction()?.borrow_mut().prepare_write()?;
            }
            is_changed = true;
            temp.rewrite(&row)?;
        }
        if is_changed { temp.note_change() } else { Ok(()) }
    }

    /// Whether an object is that very table, or hangs on it.
    fn is_of(&self, object: &ObjectRow, table: &Table) -> Result<bool> {
        let home = self.session.attachment(table.database)?;
        Ok(object.is_of(&table.name, home, self.session.attachment(self.database)?))
    }

    /// Where a definition names the table or the column. What is broken and may be has only the
    /// places that its form tells.
    fn places_or_error(
        &self,
        object: &ObjectRow,
        sql: &str,
        table: &Arc<Table>,
        column: Option<usize>,
    ) -> Result<Vec<Span>> {
        let may_be_broken =
            self.spares_broken && matches!(object.kind, ObjectKind::View | ObjectKind::Trigger);
        let is_spared = may_be_broken && self.spared.contains(&object.id);
        match self.places(object, sql, table, column) {
            found if may_be_broken && (is_spared || found.is_err()) => {
                let is_own = object.kind == ObjectKind::Trigger && self.is_of(object, table)?;
                if is_own { trigger_places(sql, table, column) } else { Ok(Vec::new()) }
            }
            Err(error) => {
                let kind = object.kind.as_str();
                Err(Error::invalid(format!("error in {kind} {}: {}", object.name, error.message())))
            }
            found => found,
        }
    }

    /// Where a definition names the table or the column.
    fn places(
        &self,
        object: &ObjectRow,
        sql: &str,
        table: &Arc<Table>,
        column: Option<usize>,
    ) -> Result<Vec<Span>> {
        let is_own = self.is_of(object, table)?;
        let is_legacy = self.is_legacy() && column.is_none();
        let refers = !is_legacy || self.session.settings().foreign_keys;
        let mut places = match object.kind {
            ObjectKind::Table => table_places(sql, is_own, refers, table, column)?,
            ObjectKind::Index if is_own => index_places(sql, table, column)?,
            ObjectKind::Trigger if is_own => trigger_places(sql, table, column)?,
            _ => Vec::new(),
        };
        if is_legacy {
            return Ok(places);
        }
        let found = self.with_environment(|environment| {
            let text: Arc<str> = Arc::from(sql);
            let environment =
                &Environment { is_lenient: true, foreign_keys: false, ..*environment };
            let mut binder = Binder::new(environment, text.clone());
            binder.recorder = Some(Recorder { text, table: table.id, column, places: Vec::new() });
            let schema = self.schema();
            match object.kind {
                ObjectKind::Table | ObjectKind::Index if is_own => {
                    let index = schema.index(&object.name);
                    expressions_of(&mut binder, table, index.map(|index| &**index))?;
                }
                ObjectKind::View => {
                    if let Some(view) = schema.view(&object.name) {
                        binder.home = Some(self.database);
                        binder.select(&view.select, false)?;
                    }
                }
                ObjectKind::Trigger => {
                    if let Some(trigger) = schema.trigger(&object.name)
                        && !is_asleep(environment, trigger)
                    {
                        let subject = trigger_subject(environment, trigger)?;
                        trigger_program(&mut binder, trigger, &subject)?;
                    }
                }
                _ => {}
            }
            Ok(binder.recorder.take().map_or_else(Vec::new, |recorder| recorder.places))
        })?;
        for place in found {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        Ok(places)
    }
}

/// The new name as it stands in the place of an old one: with quotes where the old one had them,
/// and always where a table is renamed, as SQLite writes it.
fn replacement(sql: &str, span: Span, to: &Name, is_table: bool) -> String {
    let is_bare = span
        .of(sql)
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80);
    if is_bare && !is_table && to.quote == Quote::None {
        to.text.to_string()
    } else {
        format!("\"{}\"", to.text.replace('"', "\"\""))
    }
}

/// Binds every expression of a table's definition, or of an index's.
fn expressions_of(
    binder: &mut Binder<'_>,
    table: &Arc<Table>,
    index: Option<&crate::catalog::Index>,
) -> Result<()> {
    let slot = binder.slot();
    let mut scope = binder.table_scope(table, slot, &table.name, Called::Name)?;
    let place = OF_DEFINITION;
    if let Some(index) = index {
        for part in &index.columns {
            if let crate::catalog::IndexPart::Expression(expression) = &part.part {
                binder.over_columns(&mut scope, expression, place)?;
            }
        }
        if let Some(filter) = &index.filter {
            binder.over_columns(&mut scope, filter, place)?;
        }
        return Ok(());
    }
    for check in &table.checks {
        binder.over_columns(&mut scope, &check.expression, place)?;
    }
    for column in &table.columns {
        if let Some(generated) = &column.generated {
            binder.over_columns(&mut scope, &generated.expression, place)?;
        }
    }
    Ok(())
}

/// The places in the form of a `CREATE TABLE`: of the table itself, or, where they count, of
/// foreign keys that refer to it.
fn table_places(
    sql: &str,
    is_own: bool,
    with_references: bool,
    table: &Table,
    column: Option<usize>,
) -> Result<Vec<Span>> {
    let (create, body) = parse_table(sql)?;
    let mut places = Vec::new();
    let wanted = column.map(|index| &*table.columns[index].name);
    if is_own && column.is_none() {
        places.push(create.name.name.span);
    }
    let refers = |target: &ast::ForeignKeyTarget, places: &mut Vec<Span>| {
        if !with_references || !target.table.is(&table.name) {
            return;
        }
        match wanted {
            None => places.push(target.table.span),
            Some(wanted) => {
                let columns = target.columns.iter().filter(|name| name.is(wanted));
                places.extend(columns.map(|name| name.span));
            }
        }
    };
    let own = |name: &Name, places: &mut Vec<Span>| {
        if is_own && wanted.is_some_and(|wanted| name.is(wanted)) {
            places.push(name.span);
        }
    };
    for definition in &body.columns {
        own(&definition.name, &mut places);
        for constraint in &definition.constraints {
            if let ColumnConstraintKind::References(target) = &constraint.kind {
                refers(target, &mut places);
            }
        }
    }
    for constraint in &body.constraints {
        match &constraint.kind {
            TableConstraintKind::PrimaryKey { columns, .. }
            | TableConstraintKind::Unique { columns, .. } => {
                for term in columns {
                    if let Some((name, _)) = indexed_name(&term.expression) {
                        own(name, &mut places);
                    }
                }
            }
            TableConstraintKind::ForeignKey { columns, target, .. } => {
                for name in columns {
                    own(name, &mut places);
                }
                refers(target, &mut places);
            }
            _ => {}
        }
    }
    Ok(places)
}

/// The places in the form of a `CREATE INDEX`.
fn index_places(sql: &str, table: &Table, column: Option<usize>) -> Result<Vec<Span>> {
    let (statement, _) = parse_statement(sql)?;
    let Some(StatementKind::CreateIndex(create)) = statement.map(|statement| statement.kind) else {
        return Ok(Vec::new());
    };
    let Some(column) = column else { return Ok(vec![create.table.span]) };
    let wanted = &table.columns[column].name;
    let terms = create.columns.iter().filter_map(|term| indexed_name(&term.expression));
    Ok(terms.filter(|(name, _)| name.is(wanted)).map(|(name, _)| name.span).collect())
}

/// The places in the form of a `CREATE TRIGGER`.
fn trigger_places(sql: &str, table: &Table, column: Option<usize>) -> Result<Vec<Span>> {
    let (statement, _) = parse_stored(sql)?;
    let Some(StatementKind::CreateTrigger(create)) = statement.map(|statement| statement.kind)
    else {
        return Ok(Vec::new());
    };
    let Some(column) = column else { return Ok(vec![create.table.name.span]) };
    let wanted = &table.columns[column].name;
    match &create.event {
        ast::TriggerEvent::Update(columns) => {
            Ok(columns.iter().filter(|name| name.is(wanted)).map(|name| name.span).collect())
        }
        _ => Ok(Vec::new()),
    }
}
