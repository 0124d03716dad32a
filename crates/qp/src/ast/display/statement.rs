//! Statements as text: which kind, and those that are short.
//!
//! Neighbours: `select`, `modify`, `define`, `branch` in this folder.

use std::fmt;

use super::{Print, Printer};
use crate::ast::{
    Attach, BeginMode, ExplainMode, Pragma, PragmaValue, Statement, StatementKind,
    TransactionStatement, Vacuum,
};

impl Print for Statement {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match &self.kind {
            StatementKind::Explain(mode, statement) => {
                printer.text(match mode {
                    ExplainMode::Plan => "EXPLAIN ",
                    ExplainMode::QueryPlan => "EXPLAIN QUERY PLAN ",
                    ExplainMode::Analyze => "EXPLAIN ANALYZE ",
                })?;
                printer.node(statement.as_ref())
            }
            StatementKind::Select(select) => printer.node(select.as_ref()),
            StatementKind::Insert(insert) => printer.node(insert.as_ref()),
            StatementKind::Update(update) => printer.node(update.as_ref()),
            StatementKind::Delete(delete) => printer.node(delete.as_ref()),
            StatementKind::CreateTable(table) => printer.node(table.as_ref()),
            StatementKind::CreateVirtualTable(table) => printer.node(table.as_ref()),
            StatementKind::CreateIndex(index) => printer.node(index.as_ref()),
            StatementKind::CreateView(view) => printer.node(view.as_ref()),
            StatementKind::CreateTrigger(trigger) => printer.node(trigger.as_ref()),
            StatementKind::AlterTable(alter) => printer.node(alter.as_ref()),
            StatementKind::Drop(drop) => printer.node(drop.as_ref()),
            StatementKind::Transaction(transaction) => printer.node(transaction),
            StatementKind::Pragma(pragma) => printer.node(pragma.as_ref()),
            StatementKind::Attach(attach) => printer.node(attach.as_ref()),
            StatementKind::Detach(schema) => {
                printer.optional("DETACH DATABASE ", Some(schema.as_ref()))
            }
            StatementKind::Analyze(name) => {
                printer.text("ANALYZE")?;
                printer.optional(" ", name.as_deref())
            }
            StatementKind::Reindex(name) => {
                printer.text("REINDEX")?;
                printer.optional(" ", name.as_deref())
            }
            StatementKind::Vacuum(vacuum) => printer.node(vacuum.as_ref()),
            StatementKind::Branch(statement) => printer.node(statement.as_ref()),
            StatementKind::Summarize(table) => printer.optional("SUMMARIZE ", Some(table.as_ref())),
        }
    }
}

impl Print for TransactionStatement {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        match self {
            Self::Begin { mode, isolation } => {
                printer.text(match mode {
                    None => "BEGIN",
                    Some(BeginMode::Deferred) => "BEGIN DEFERRED",
                    Some(BeginMode::Immediate) => "BEGIN IMMEDIATE",
                    Some(BeginMode::Exclusive) => "BEGIN EXCLUSIVE",
                    Some(BeginMode::Concurrent) => "BEGIN CONCURRENT",
                    Some(BeginMode::ReadOnly) => "BEGIN READ ONLY",
                })?;
                let Some(isolation) = isolation else { return Ok(()) };
                printer.text(" ISOLATION LEVEL ")?;
                printer.text(isolation.as_str())
            }
            Self::Commit { message, author } => {
                printer.text("COMMIT")?;
                let Some(message) = message else { return Ok(()) };
                printer.text(" WITH MESSAGE ")?;
                printer.quoted(message, '\'', '\'')?;
                let Some(author) = author else { return Ok(()) };
                printer.text(" AUTHOR ")?;
                printer.quoted(author, '\'', '\'')
            }
            Self::Rollback => printer.text("ROLLBACK"),
            Self::Savepoint(name) => printer.optional("SAVEPOINT ", Some(name)),
            Self::Release(name) => printer.optional("RELEASE ", Some(name)),
            Self::RollbackTo(name) => printer.optional("ROLLBACK TO ", Some(name)),
        }
    }
}

impl Print for Pragma {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("PRAGMA ")?;
        printer.node(&self.name)?;
        let Some(value) = &self.value else { return Ok(()) };
        printer.text(if self.call { "(" } else { " = " })?;
        match value {
            PragmaValue::Number(text, _) | PragmaValue::Words(text, _) => printer.text(text)?,
            PragmaValue::Name(name) => printer.node(name)?,
        }
        printer.text(if self.call { ")" } else { "" })
    }
}

impl Print for Attach {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("ATTACH DATABASE ")?;
        printer.node(&self.file)?;
        printer.optional(" AS ", Some(&self.schema))?;
        printer.optional(" KEY ", self.key.as_ref())
    }
}

impl Print for Vacuum {
    fn print(&self, printer: &mut Printer<'_, '_>) -> fmt::Result {
        printer.text("VACUUM")?;
        printer.optional(" ", self.schema.as_ref())?;
        printer.optional(" INTO ", self.into.as_ref())
    }
}
