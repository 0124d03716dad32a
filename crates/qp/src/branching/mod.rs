//! Branch statements: SQL's words for what the branch crate does.
//!
//! The branch crate knows names, lineage, differences and merges of shapes and rows; this module
//! tells it what the catalog looks like (`shape`), puts merged rows through the engine's own
//! writers (`target`), and shows results as rows. A branch statement is a commit of its own:
//! inside of an open transaction it is refused.
//!
//! Neighbours: `session::command` runs these; `pandodb_branch::registry` keeps branches.

pub(crate) mod access;
mod api;
mod backup;
mod canonical;
mod definitions;
mod difference;
mod job;
mod life;
mod merge;
mod options;
mod pick;
mod preview;
mod references;
mod shape;
mod show;
mod target;
pub(crate) mod view;

#[cfg(test)]
mod tests;

pub use api::{
    Answer, Comparison, MergeCall, MergeDone, TableDifference, compare_branches, find_branch,
    fork_branch, list_branches, list_commits, list_tags, merge_branches,
};
pub(crate) use options::time_text;

use pandodb_branch::registry::{Branch, Branches, Point, Privilege};
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_tm::HeadId;

use crate::ast::{BranchStatement, Name, PointInTime, Show};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::OutputColumn;
use crate::session::Session;

pub(crate) use preview::Previewed;

type Rows = Vec<Vec<Value>>;

/// What the rows of a branch statement are called.
pub(crate) fn columns(statement: &BranchStatement) -> Vec<OutputColumn> {
    let names: &[&str] = match statement {
        BranchStatement::Show(Show::Branches) => show::BRANCH_COLUMNS,
        BranchStatement::Show(Show::Tags) => show::TAG_COLUMNS,
        BranchStatement::Show(Show::Commits(_)) => show::COMMIT_COLUMNS,
        BranchStatement::Show(Show::Conflicts) => show::CONFLICT_COLUMNS,
        BranchStatement::Show(Show::Diff { .. }) => difference::COLUMNS,
        BranchStatement::Merge { .. }
        | BranchStatement::ContinueMerge
        | BranchStatement::UndoTransaction { .. }
        | BranchStatement::CherryPick { .. }
        | BranchStatement::RestoreTable { .. } => merge::COLUMNS,
        BranchStatement::Backup { .. } => backup::COLUMNS,
        BranchStatement::Restore { .. } => backup::RESTORE_COLUMNS,
        BranchStatement::Preview(_) => preview::COLUMNS,
        BranchStatement::Apply => preview::APPLY_COLUMNS,
        _ => &[],
    };
    let named = |name: &&str| OutputColumn { name: Box::from(*name), ..OutputColumn::default() };
    names.iter().map(named).collect()
}

/// Runs a branch statement and gives its rows.
pub(crate) fn run(session: &Session, statement: &BranchStatement, sql: &str) -> Result<Rows> {
    let work = Work::new(session)?;
    match statement {
        BranchStatement::Show(what) => return work.show(what),
        BranchStatement::Create { if_not_exists, name, parent, as_of, options } => {
            work.alone()?;
            work.create(*if_not_exists, name, parent.as_ref(), as_of.as_ref(), options)?;
        }
        BranchStatement::Drop { if_exists, name } => {
            work.alone()?;
            work.drop_branch(*if_exists, name)?;
        }
        BranchStatement::Alter { name, options } => {
            work.alone()?;
            work.alter(name, options)?;
        }
        BranchStatement::Use(name) => {
            work.alone()?;
            work.use_branch(name)?;
        }
        BranchStatement::Rename { from, to } => {
            work.alone()?;
            work.branch_for(&from.text, Privilege::Admin)?;
            work.branches.rename(&from.text, &to.text)?;
        }
        BranchStatement::Reset { name, to } => {
            work.alone()?;
            work.branch_for(&name.text, Privilege::Admin)?;
            work.branches.reset(&name.text, &point(session, to)?)?;
        }
        BranchStatement::Tag { branch, tag, as_of } => {
            work.alone()?;
            work.branch_for(&branch.text, Privilege::Write)?;
            let at = as_of.as_ref().map_or(Ok(Point::Now), |time| point(session, time))?;
            work.branches.tag(&branch.text, &tag.text, &at, "")?;
        }
        BranchStatement::DropTag { if_exists, name } => {
            work.alone()?;
            work.drop_tag(*if_exists, name)?;
        }
        BranchStatement::Merge { source, target, options } => {
            work.alone()?;
            return work.merge(source, target, options);
        }
        BranchStatement::ContinueMerge => {
            work.alone()?;
            return work.continue_merge();
        }
        BranchStatement::AbortMerge => {
            work.alone()?;
            work.abort_merge()?;
        }
        BranchStatement::Resolve(resolve) => {
            work.alone()?;
            work.resolve(resolve)?;
        }
        BranchStatement::Grant(grant) => {
            work.alone()?;
            let branch = work.branch_for(&grant.branch.text, Privilege::Admin)?;
            let privileges = access::privileges(&grant.privileges);
            work.branches.grant(&privileges, &branch.name, &grant.user.text)?;
        }
        BranchStatement::Revoke(revoke) => {
            work.alone()?;
            let branch = work.branch_for(&revoke.branch.text, Privilege::Admin)?;
            let privileges = access::privileges(&revoke.privileges);
            work.branches.revoke(&privileges, &branch.name, &revoke.user.text)?;
        }
        BranchStatement::UndoTransaction { transaction, options } => {
            work.alone()?;
            return work.pick(&work.undo_of(*transaction)?, options);
        }
        BranchStatement::CherryPick { transaction, target, options } => {
            work.alone()?;
            return work.pick(&work.pick_of(*transaction, target.as_ref())?, options);
        }
        BranchStatement::RestoreTable { table, branch, as_of } => {
            work.alone()?;
            return work.restore_table(table, branch.as_ref(), as_of.as_ref());
        }
        BranchStatement::Preview(statements) => {
            work.alone()?;
            return work.preview(statements, sql);
        }
        BranchStatement::Apply => {
            work.alone()?;
            return work.apply();
        }
        BranchStatement::Backup { incremental, file } => {
            work.alone()?;
            return work.backup(file, *incremental);
        }
        BranchStatement::Restore { file, to } => {
            work.alone()?;
            return work.restore(file, to.as_deref());
        }
    }
    Ok(Vec::new())
}

/// A branch statement at work.
struct Work<'s> {
    session: &'s Session,
    branches: Arc<Branches>,
    /// The head that the session is on.
    head: HeadId,
}

impl<'s> Work<'s> {
    fn new(session: &'s Session) -> Result<Self> {
        let (database, head) = session.database(DatabaseIndex::MAIN)?;
        let branches = database.branches()?;
        if !database.manager().is_read_only() {
            branches.tend()?;
        }
        Ok(Self { session, branches, head })
    }

    /// Refuses to work inside of an open transaction.
    fn alone(&self) -> Result<()> {
        if self.session.is_autocommit() {
            return Ok(());
        }
        let message = "a branch statement cannot run inside of a transaction";
        Err(Error::new(ErrorKind::State, message).with_hint("COMMIT or ROLLBACK first"))
    }

    /// The branch that the session is on.
    fn current(&self) -> Result<Branch> {
        let found = self.branches.with(|state| state.branch_of(self.head.0).cloned())?;
        found.ok_or_else(|| {
            let message = "the branch of this session was dropped";
            Error::new(ErrorKind::NotFound, message).with_hint("USE BRANCH main")
        })
    }

    /// The name of a branch, or of the session's.
    fn name_or_current(&self, name: Option<&Name>) -> Result<String> {
        match name {
            Some(name) => Ok(name.text.to_string()),
            None => Ok(self.current()?.name),
        }
    }
}

/// A moment in the words of the branch crate.
pub(crate) fn point(session: &Session, time: &PointInTime) -> Result<Point> {
    Ok(match time {
        PointInTime::Now => Point::Now,
        PointInTime::Transaction(number) | PointInTime::Scn(number) => Point::Commit(*number),
        PointInTime::Tag(name) => Point::Tag(name.text.to_string()),
        PointInTime::Timestamp(text) => Point::Time(options::timestamp(session, text)?),
    })
}
