//! CREATE INDEX, and filling an index from its table.
//!
//! Neighbours: `crate::modify` knows what an entry looks like.

use pandodb_ds::sync::Arc;

use super::Definer;
use super::text::definition;
use crate::ast;
use crate::bind::{Binder, Called};
use crate::catalog::build::indexed_name;
use crate::catalog::{ObjectKind, ObjectRow, Table, Twins, write_object};
use crate::error::{Error, ErrorKind, Result};
use crate::modify::fill_index;
use crate::span::Span;
use crate::suggest::hinting;

impl Definer<'_> {
    pub(super) fn create_index(&mut self, create: &ast::CreateIndex, span: Span) -> Result<()> {
        let name = &create.name.name;
        self.check_name(name)?;
        let schema = self.schema();
        if schema.index(&name.text).is_some() {
            if create.if_not_exists {
                return Ok(());
            }
            let message = format!("index {} already exists", name.text);
            return Err(Error::new(ErrorKind::Exists, message).at(name.span));
        }
        if schema.table(&name.text).is_some() || schema.view(&name.text).is_some() {
            let message = format!("there is already a table named {}", name.text);
            return Err(Error::new(ErrorKind::Exists, message).at(name.span));
        }
        let Some(table) = schema.table(&create.table.text).cloned() else {
            self.check_defined(&create.table, "indexed")?;
            if schema.view(&create.table.text).is_some() {
                return Err(Error::invalid("views may not be indexed").at(create.table.span));
            }
            let database = self.session.database_name(self.database);
            let full = format!("{database}.{}", create.table.text);
            let error = Error::not_found("table", full).at(create.table.span);
            let known = schema.tables.values().map(|table| &*table.name);
            return Err(hinting(error, &create.table.text, known));
        };
        if crate::catalog::is_reserved_name(&table.name) {
            let message = format!("table {} may not be indexed", table.name);
            return Err(Error::invalid(message).at(create.table.span));
        }
        self.session.with_collations(|find| {
            crate::catalog::index_columns(&create.columns, &table, find).map(|_| ())
        })?;
        if self.explains {
            return self.check_terms(create, &table);
        }
        let kind = if create.unique { "UNIQUE INDEX" } else { "INDEX" };
        let sql = definition(kind, name.span, span, self.sql);
        {
            let id = self.new_object()?;
            let mut transaction = self.transaction()?.borrow_mut();
            let tree = transaction.create_tree(false)?;
            let row = ObjectRow {
                id,
                kind: ObjectKind::Index,
                name: name.text.clone(),
                table: table.name.clone(),
                tree,
                sql: Some(sql),
                columns: Vec::new(),
                stored_columns: 0,
                twins: Twins::default(),
                subject: None,
            };
            write_object(&mut transaction, &row)?;
        }
        self.changed()?;
        self.fill(&name.text)
    }

    /// Looks up the names in the expressions of an index that is not made.
    fn check_terms(&self, create: &ast::CreateIndex, table: &Arc<Table>) -> Result<()> {
        let is_column = |term: &&ast::OrderTerm| {
            indexed_name(&term.expression)
                .is_some_and(|(name, _)| table.column_index(&name.text).is_some())
        };
        let terms = create.columns.iter().filter(|term| !is_column(term));
        let mut expressions: Vec<_> =
            terms.map(|term| (&term.expression, "index expressions")).collect();
        expressions.extend(create.filter.iter().map(|it| (it, "partial index WHERE clauses")));
        self.check_names(table, &expressions)
    }

    /// Looks up the names in expressions over a table, each with what it is in.
    pub(super) fn check_names(
        &self,
        table: &Arc<Table>,
        expressions: &[(&ast::Expression, &'static str)],
    ) -> Result<()> {
        self.with_environment(|environment| {
            let mut binder = Binder::new(environment, Arc::from(self.sql));
            let slot = binder.slot();
            let mut scope = binder.table_scope(table, slot, &table.name, Called::Name)?;
            expressions.iter().try_for_each(|(expression, place)| {
                binder.over_columns(&mut scope, expression, place).map(drop)
            })
        })
    }

    /// Fills an index that is empty.
    pub(super) fn fill(&self, name: &str) -> Result<()> {
        let schema = self.schema();
        let index = schema.index(name).ok_or_else(|| Error::not_found("index", name))?;
        let Some(table) = schema.table(&index.table) else {
            return Err(Error::new(ErrorKind::Internal, "an index has no table"));
        };
        let place = table.indexes.iter().position(|known| Arc::ptr_eq(known, index));
        let place = place.ok_or_else(|| Error::not_found("index", name))?;
        let writer =
            self.with_environment(|environment| crate::modify::bind_writer(environment, table))?;
        self.session.with_outer(&self.sources, &self.schemas, |outer| {
            fill_index(&writer, place, true, outer).map(drop)
        })
    }
}
