//! Statements that are neither queries nor changes.
//!
//! Neighbours: `define` (CREATE, ALTER, DROP), `pragma`, `transaction`.

mod vacuum;

use pandodb_ds::record::Value;

pub(super) use self::vacuum::files_of;
use super::Session;
use crate::ast::{Statement, StatementKind, TransactionStatement};
use crate::define;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::OutputColumn;

impl Session {
    /// What the rows of a command are called.
    pub(super) fn command_columns(&self, statement: &Statement) -> Vec<OutputColumn> {
        match &statement.kind {
            StatementKind::Pragma(pragma) => crate::pragma::columns(pragma),
            StatementKind::Branch(statement) => crate::branching::columns(statement),
            _ => Vec::new(),
        }
    }

    /// Runs a command and gives its rows.
    pub(super) fn command(
        &self,
        statement: &Statement,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        let done = self.run_command(statement, sql, parameters);
        let keeps_schemas = match &statement.kind {
            StatementKind::Transaction(statement) => matches!(
                statement,
                TransactionStatement::Begin { .. }
                    | TransactionStatement::Commit { .. }
                    | TransactionStatement::Savepoint(_)
                    | TransactionStatement::Release(_)
            ),
            _ => false,
        };
        if !keeps_schemas {
            self.note_command();
        }
        done
    }

    /// Plans of before are looked at before they are used again.
    pub(crate) fn note_command(&self) {
        self.commands.set(self.commands.get() + 1);
    }

    fn run_command(
        &self,
        statement: &Statement,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        match &statement.kind {
            StatementKind::Transaction(transaction) => {
                self.transaction_statement(transaction)?;
                Ok(Vec::new())
            }
            StatementKind::CreateTable(_)
            | StatementKind::CreateIndex(_)
            | StatementKind::CreateView(_)
            | StatementKind::CreateTrigger(_)
            | StatementKind::CreateVirtualTable(_)
            | StatementKind::AlterTable(_)
            | StatementKind::Drop(_)
            | StatementKind::Reindex(_)
            | StatementKind::Analyze(_) => {
                define::run(self, statement, sql)?;
                Ok(Vec::new())
            }
            StatementKind::Pragma(pragma) => crate::pragma::run(self, pragma),
            StatementKind::Branch(statement) => crate::branching::run(self, statement, sql),
            StatementKind::Attach(attach) => self.attach_statement(attach, parameters),
            StatementKind::Detach(name) => self.detach_statement(name, parameters),
            StatementKind::Vacuum(vacuum) => self.vacuum_statement(vacuum, parameters),
            StatementKind::Insert(_)
            | StatementKind::Update(_)
            | StatementKind::Delete(_)
            | StatementKind::Explain(..) => self.run_elsewhere(statement, sql, parameters),
            _ => Err(Error::new(ErrorKind::Unsupported, "this statement is not there yet")),
        }
    }

    /// Throws away the plan of a text.
    pub(super) fn forget(&self, sql: &str) {
        self.cache.borrow_mut().remove(sql);
    }
}
