//! CREATE TABLE and CREATE VIEW.
//!
//! Neighbours: `index` and `trigger` for the others, `text` for what is kept of a definition.

use pandodb_ds::sync::Arc;

use super::Definer;
use super::columns::check_column;
use super::text::{definition, table_of_columns};
use crate::ast::{self, CreateTableBody, StatementKind};
use crate::bind::{Binder, FOREIGN, Naming, unique_names};
use crate::catalog::build::{ImpliedIndex, build_table};
use crate::catalog::{
    Attachment, ColumnId, DatabaseIndex, ObjectId, ObjectKind, ObjectRow, Table, TableKind, Twins,
    implied_index_name, information, write_object,
};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::modify::{SEQUENCE_TABLE, check_table};
use crate::parse::parse_statement;
use crate::span::Span;
use crate::store::TreeId;
use crate::types::Affinity;

impl Definer<'_> {
    /// Refuses a name that is taken; true if that is fine because of IF NOT EXISTS.
    fn is_taken(&self, name: &ast::Name, if_not_exists: bool) -> Result<bool> {
        let schema = self.schema();
        let kind = if schema.table(&name.text).is_some() {
            "table"
        } else if schema.view(&name.text).is_some() {
            "view"
        } else if schema.index(&name.text).is_some() {
            let message = format!("there is already an index named {}", name.text);
            return Err(Error::new(ErrorKind::Exists, message).at(name.span));
        } else {
            return Ok(false);
        };
        if if_not_exists {
            return Ok(true);
        }
        let message = format!("{kind} {} already exists", name.text);
        Err(Error::new(ErrorKind::Exists, message).at(name.span))
    }

    pub(super) fn create_table(&mut self, create: &ast::CreateTable, span: Span) -> Result<()> {
        let name = &create.name.name;
        self.check_name(name)?;
        if self.is_taken(name, create.if_not_exists)? {
            return Ok(());
        }
        match &create.body {
            CreateTableBody::Columns(body) => {
                body.columns.iter().try_for_each(check_column)?;
                let sql = definition("TABLE", name.span, span, self.sql);
                self.add_table(&sql)
            }
            CreateTableBody::Select(select) => {
                let session = self.session;
                session.asking(|| self.create_table_as(name, select))
            }
        }
    }

    /// Makes the table that a normalized definition defines.
    pub(crate) fn add_table(&mut self, sql: &str) -> Result<()> {
        let (statement, _) = parse_statement(sql)?;
        let Some(StatementKind::CreateTable(create)) = statement.map(|statement| statement.kind)
        else {
            return Err(Error::new(ErrorKind::Internal, "the definition is not one of a table"));
        };
        let CreateTableBody::Columns(body) = &create.body else {
            return Err(Error::new(ErrorKind::Internal, "the definition has no columns"));
        };
        let built = self.session.with_collations(|find| build_table(&create, body, sql, find));
        let (mut table, implied) = built?;
        table.database = self.database;
        let most = self.session.limits().get(Limit::Column) as usize;
        if table.columns.len() > most {
            return Err(Error::invalid(format!("too many columns on {}", table.name))
                .with_hint(format!("there may be {most}")));
        }
        self.with_environment(|environment| {
            check_table(environment, &Arc::new(table_copy(&table)))
        })?;
        if self.explains {
            return Ok(());
        }
        if table.is_autoincrement() && self.schema().table(SEQUENCE_TABLE).is_none() {
            self.write_table(
                &format!("CREATE TABLE {SEQUENCE_TABLE}(name,seq)"),
                SEQUENCE_TABLE,
                2,
                true,
            )?;
            self.changed()?;
        }
        let fixed = table.kind != TableKind::WithoutRowid;
        let mut next = self.write_table(sql, &table.name, table.columns.len(), fixed)?.0;
        for (number, index) in implied.iter().enumerate() {
            next += 1;
            self.write_implied(&table.name, number + 1, index, ObjectId(next))?;
        }
        self.changed()
    }

    pub(super) fn write_table(
        &self,
        sql: &str,
        name: &str,
        columns: usize,
        fixed: bool,
    ) -> Result<ObjectId> {
        let id = self.new_object()?;
        let mut numbered: Vec<(ColumnId, usize)> = Vec::with_capacity(columns);
        for position in 0..columns {
            numbered.push((self.new_column()?, position));
        }
        let mut transaction = self.transaction()?.borrow_mut();
        let tree = transaction.create_tree(fixed)?;
        let row = ObjectRow {
            id,
            kind: ObjectKind::Table,
            name: Box::from(name),
            table: Box::from(name),
            tree,
            sql: Some(Box::from(sql)),
            columns: numbered,
            stored_columns: columns,
            twins: Twins::default(),
            subject: None,
        };
        write_object(&mut transaction, &row)?;
        Ok(id)
    }

    fn write_implied(
        &self,
        table: &str,
        number: usize,
        _: &ImpliedIndex,
        id: ObjectId,
    ) -> Result<()> {
        let mut transaction = self.transaction()?.borrow_mut();
        let tree = transaction.create_tree(false)?;
        let row = ObjectRow {
            id,
            kind: ObjectKind::Index,
            name: implied_index_name(table, number).into(),
            table: Box::from(table),
            tree,
            sql: None,
            columns: Vec::new(),
            stored_columns: 0,
            twins: Twins::default(),
            subject: None,
        };
        write_object(&mut transaction, &row)
    }

    fn create_table_as(&mut self, name: &ast::Name, select: &ast::Select) -> Result<()> {
        let columns = self.with_environment(|environment| {
            let mut binder = Binder::new(environment, Arc::from(self.sql));
            let block = binder.select(select, false)?;
            let affinities = block.outputs.iter().map(|output| match output.affinity() {
                Affinity::None => Affinity::Blob,
                other => other,
            });
            Ok(unique_names(&block, &[], Naming::View)
                .into_iter()
                .zip(affinities)
                .collect::<Vec<_>>())
        })?;
        self.add_table(&table_of_columns(&name.text, &columns))?;
        if self.explains {
            return Ok(());
        }
        let database = self.session.database_name(self.database);
        let target = format!(
            "INSERT INTO {}.{} {}",
            super::text::identifier(&database),
            super::text::identifier(&name.text),
            select_text(select, self.sql)
        );
        self.session.run_inside(&target, &self.sources, &self.schemas)
    }

    pub(super) fn create_view(&mut self, create: &ast::CreateView, span: Span) -> Result<()> {
        let name = &create.name.name;
        self.check_name(name)?;
        if self.is_taken(name, create.if_not_exists)? {
            return Ok(());
        }
        self.check_parameters(span, "parameters are not allowed in views")?;
        self.check_databases(ObjectKind::View, &name.text, &create.databases)?;
        if self.explains {
            return Ok(());
        }
        let sql = definition("VIEW", name.span, span, self.sql);
        self.write_definition(ObjectKind::View, &name.text, &name.text, sql, None)?;
        self.changed()
    }

    /// Refuses a view or a trigger that names another database: only what is temporary may.
    pub(super) fn check_databases(
        &self,
        kind: ObjectKind,
        name: &str,
        named: &[ast::Name],
    ) -> Result<()> {
        let is_own = |schema: &&ast::Name| {
            schema.is(information::SCHEMA)
                || self.session.database_named(schema).is_ok_and(|it| it == self.database)
        };
        let foreign = named.iter().find(|schema| !is_own(schema));
        match foreign.filter(|_| self.database != DatabaseIndex::TEMP) {
            None => Ok(()),
            Some(schema) => {
                let kind = kind.as_str();
                let message = format!("{kind} {name} {FOREIGN} {}", schema.text);
                Err(Error::invalid(message).at(schema.span))
            }
        }
    }

    pub(super) fn write_definition(
        &self,
        kind: ObjectKind,
        name: &str,
        table: &str,
        sql: Box<str>,
        subject: Option<Attachment>,
    ) -> Result<()> {
        let row = ObjectRow {
            id: self.new_object()?,
            kind,
            name: Box::from(name),
            table: Box::from(table),
            tree: TreeId(0),
            sql: Some(sql),
            columns: Vec::new(),
            stored_columns: 0,
            twins: Twins::default(),
            subject,
        };
        write_object(&mut self.transaction()?.borrow_mut(), &row)
    }

    /// Refuses parameters in what is kept as a text: nobody could give them values.
    pub(super) fn check_parameters(&self, span: Span, message: &str) -> Result<()> {
        let text = span.of(self.sql);
        // A table's branch stands behind its name without a blank between.
        let is_branch = |place: &std::ops::Range<usize>| {
            let before = text[..place.start].chars().next_back();
            text[place.start..].starts_with('@')
                && before.is_some_and(|it| it.is_alphanumeric() || "_\"]`$".contains(it))
        };
        let mut places = crate::parse::parameter_places(text).into_iter();
        match places.find(|place| !is_branch(place)) {
            None => Ok(()),
            Some(place) => {
                let start = span.start + place.start as u32;
                let at = Span { start, end: span.start + place.end as u32 };
                Err(Error::invalid(message).at(at))
            }
        }
    }
}

/// A table without its lists of what hangs on it, for checks before it exists.
fn table_copy(table: &Table) -> Table {
    Table {
        id: table.id,
        database: table.database,
        name: table.name.clone(),
        tree: table.tree,
        columns: table.columns.clone(),
        stored_columns: table.stored_columns,
        kind: table.kind.clone(),
        primary_key: table.primary_key.clone(),
        strict: table.strict,
        counts_alone: table.counts_alone,
        indexes: table.indexes.clone(),
        checks: table.checks.clone(),
        foreign_keys: Vec::new(),
        sql: table.sql.clone(),
    }
}

/// The text of a select.
fn select_text<'a>(select: &ast::Select, sql: &'a str) -> &'a str {
    select.span.of(sql)
}
