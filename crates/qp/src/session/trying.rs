//! Statements that are tried: one transaction of which only the main database's part stays.
//!
//! A preview puts the session on a fork and runs statements here. Neighbours: `transaction`,
//! `branching::preview`.

use pandodb_ds::sync::Arc;

use super::transaction::Active;
use super::{Session, Statement};
use crate::ast;
use crate::error::{Constraint, Error, ErrorKind, Result};

impl Session {
    /// Runs statements of `sql` in one transaction and commits the main database's part of it,
    /// also if one fails; other databases and the session's counters are put back.
    pub(crate) fn trying(&self, statements: &[ast::Statement], sql: &str) -> Result<()> {
        let counters = &self.counters;
        let known = [
            counters.last_insert_rowid.get(),
            counters.changes.get(),
            counters.total_changes.get(),
        ];
        *self.active.borrow_mut() = Some(Active::new(self.begin_options()));
        let tried = self.try_all(statements, sql);
        let broken = !counters.deferred_violations.take().are_none();
        let active = self.active.borrow_mut().take();
        let mut sources = active.map(|active| active.sources).unwrap_or_default();
        let main = if sources.is_empty() { None } else { sources.swap_remove(0) };
        sources.iter().flatten().for_each(|source| source.borrow_mut().rollback());
        let mut committed = Ok(());
        if let Some(main) = main {
            let mut main = main.borrow_mut();
            if main.is_open() && main.has_changes() {
                committed = main.commit().map(drop);
            } else {
                main.rollback();
            }
        }
        let [rowid, changes, total] = known;
        counters.last_insert_rowid.set(rowid);
        counters.changes.set(changes);
        counters.total_changes.set(total);
        tried?;
        committed?;
        if broken { Err(Error::constraint(Constraint::ForeignKey, "")) } else { Ok(()) }
    }

    fn try_all(&self, statements: &[ast::Statement], sql: &str) -> Result<()> {
        for statement in statements {
            let prepared = self.plan(sql, statement.clone())?;
            if prepared.parameters > 0 {
                let message = "a preview takes no parameters";
                return Err(Error::new(ErrorKind::Invalid, message)
                    .with_hint("write the values into the statement")
                    .at(statement.span));
            }
            Statement::new(self, Arc::new(prepared)).run()?;
            if self.is_autocommit() {
                // ON CONFLICT ROLLBACK ended the transaction.
                let message = "a statement of the preview rolled everything back";
                return Err(Error::constraint(Constraint::Check, message));
            }
        }
        Ok(())
    }
}
