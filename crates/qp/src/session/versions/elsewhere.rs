//! Changes of another branch: `INSERT INTO t@dev`, `UPDATE t@dev`, `DELETE FROM t@dev`.
//!
//! Such a statement runs as if the session were on that branch, so that its triggers, foreign
//! keys and indexes are those of the branch; names of tables without `@` mean the session's own
//! branch all the same. An open transaction goes on there for the statement, and commits what it
//! did on all branches at once. Neighbours: `prepare` and `command` ask, `version` opens what is
//! read, `bind` knows where names without `@` lead.

use pandodb_branch::registry::MAIN_NAME;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use crate::ast::{self, Name, StatementKind};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::session::{Prepared, PreparedKind, Session, Statement};
use crate::store::{HeadId, without_branch};

/// The branch that a change names.
fn branch_of(statement: &ast::Statement) -> Option<&Name> {
    let table = match &statement.kind {
        StatementKind::Insert(insert) => &insert.table,
        StatementKind::Update(update) => &update.table,
        StatementKind::Delete(delete) => &delete.table,
        StatementKind::Explain(_, inner) => return branch_of(inner),
        _ => return None,
    };
    let is_main = table.schema.as_ref().is_none_or(|schema| schema.is("main"));
    table.branch.as_ref().filter(|_| is_main)
}

impl Session {
    /// The head that a change is about where that is not the session's own.
    fn head_elsewhere(&self, statement: &ast::Statement) -> Result<Option<HeadId>> {
        let Some(name) = branch_of(statement) else { return Ok(None) };
        let (database, own) = self.database(DatabaseIndex::MAIN)?;
        if name.is(MAIN_NAME) && database.branches_if_any()?.is_none() {
            return Ok(None);
        }
        let branches = database.branches()?;
        match branches.head(&name.text) {
            Ok(head) => Ok((head != own).then_some(head)),
            Err(error) => {
                if branches.with(|state| state.tag(&name.text).is_ok())? {
                    let message = format!("cannot change the tag '{}'", name.text);
                    let hint = "CREATE BRANCH .. AS OF TAG .. makes a branch of it";
                    return Err(Error::new(ErrorKind::ReadOnly, message)
                        .at(name.span)
                        .with_hint(hint));
                }
                Err(Error::from(error).at(name.span))
            }
        }
    }

    /// Plans a change of another branch, to know its parameters and its columns: it is planned
    /// again when it runs. None for every other statement.
    pub(in crate::session) fn plan_elsewhere(
        &self,
        sql: &str,
        statement: &ast::Statement,
    ) -> Result<Option<Prepared>> {
        let Some(head) = self.head_elsewhere(statement)? else { return Ok(None) };
        let planned = self.elsewhere(head, || self.plan_here(sql, statement.clone()))?;
        Ok(Some(Prepared {
            kind: PreparedKind::Command(statement.clone()),
            writes: Vec::new(),
            versions: Vec::new(),
            ..planned
        }))
    }

    /// Runs a change of another branch and gives what it returns.
    pub(in crate::session) fn run_elsewhere(
        &self,
        statement: &ast::Statement,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        let work = || {
            let prepared = Arc::new(self.plan_here(sql, statement.clone())?);
            let mut change = Statement::new(self, prepared);
            for (place, value) in parameters.iter().enumerate() {
                change.bind(place + 1, value.clone())?;
            }
            let mut rows = Vec::new();
            while change.step()? == crate::session::Step::Row {
                rows.push(change.row()?);
            }
            Ok(rows)
        };
        match self.head_elsewhere(statement)? {
            Some(head) => self.elsewhere(head, work),
            // The session went there after the statement was prepared.
            None => work(),
        }
    }

    /// Does `work` on another head of the main database, and comes back.
    fn elsewhere<T>(&self, head: HeadId, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let (_, own) = self.database(DatabaseIndex::MAIN)?;
        let name = self.branch_name(own)?;
        self.go_to_head(head)?;
        let before = self.reads_from.replace(Some(name));
        let done = work();
        self.reads_from.replace(before);
        let back = self.go_to_head(own);
        let done = done?;
        back?;
        Ok(done)
    }

    fn branch_name(&self, head: HeadId) -> Result<Name> {
        let (database, _) = self.database(DatabaseIndex::MAIN)?;
        let found = database
            .branches()?
            .with(|state| state.branch_of(head.0).map(|branch| branch.name.clone()))?;
        found.map(Name::new).ok_or_else(|| without_branch(&database, head))
    }
}
