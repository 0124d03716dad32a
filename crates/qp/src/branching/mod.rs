//! Branch statements: SQL's words for what the branch crate does.
//!
//! The branch crate knows names, lineage, differences and merges of shapes and rows; this module
//! tells it what the catalog looks like (`shape`), puts merged rows through the engine's own
//! writers (`target`), and shows results as rows. A branch statement is a commit of its own:
//! inside of an open transaction it is refused, but for those that only bring data into a branch
//! (`inside`). USE BRANCH is none: it leads an open transaction to another branch, and its COMMIT
//! is one for all of them.
//!
//! Neighbours: `session::command` runs these; `pandodb_branch::registry` keeps branches.

pub(crate) mod access;
mod api;
mod backup;
mod canonical;
mod difference;
mod inside;
mod job;
mod life;
mod merge;
mod merge_target;
mod options;
mod pick;
mod preview;
mod shape;
mod show;
mod stream;
pub(crate) mod view;

#[cfg(test)]
mod tests;

pub use api::{
    Answer, Comparison, MergeCall, MergeDone, TableDifference, compare_branches, find_branch,
    fork_branch, list_branches, list_commits, list_tags, merge_branches,
};
pub(crate) use options::time_text;

use pandodb_branch::registry::{Branch, Branches, Point};
use pandodb_ds::record::Value;
use pandodb_tm::{BeginOptions, HeadId};

use crate::ast::{BranchStatement, Name, PointInTime, Show};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::GivenRows;
use crate::plan::OutputColumn;
use crate::session::Session;
use crate::store::without_branch;

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
        | BranchStatement::CherryPick { .. } => merge::COLUMNS,
        BranchStatement::RestoreTable { .. } => pick::RESTORE_COLUMNS,
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
pub(crate) fn run(session: &Session, statement: &BranchStatement, sql: &str) -> Result<GivenRows> {
    let work = Work::new(session)?;
    match statement {
        BranchStatement::Show(what) => work.show(what),
        _ => work.run(statement, sql).map(GivenRows::from),
    }
}

/// A branch statement at work.
struct Work<'s> {
    session: &'s Session,
    /// They commit as the session does.
    branches: Branches,
    /// The head that the session is on.
    head: HeadId,
    /// Who gave the statement; some of its work is done as the owner.
    user: Option<Box<str>>,
}

impl<'s> Work<'s> {
    fn new(session: &'s Session) -> Result<Self> {
        let (database, head) = session.database(DatabaseIndex::MAIN)?;
        let options = session.tuned(&BeginOptions::default(), DatabaseIndex::MAIN);
        let branches = database.branches()?.with_options(&options);
        // Within a transaction that holds a merge nobody else may change the records.
        if !database.manager().is_read_only() && session.is_autocommit() {
            branches.tend()?;
        }
        Ok(Self { session, branches, head, user: session.user() })
    }

    /// Does what a statement says that is no SHOW.
    fn run(&self, statement: &BranchStatement, sql: &str) -> Result<Rows> {
        if !self.only_reads(statement)? {
            self.check_no_fork()?;
        }
        match statement {
            BranchStatement::Use(name) => {
                self.use_branch(name)?;
                return Ok(Vec::new());
            }
            BranchStatement::Merge { .. }
            | BranchStatement::UndoTransaction { .. }
            | BranchStatement::CherryPick { .. } => self.without_merge()?,
            _ => self.alone()?,
        }
        if !matches!(statement, BranchStatement::Preview(_) | BranchStatement::Backup { .. }) {
            self.session.check_may_change()?;
        }
        match statement {
            BranchStatement::Merge { source, target, options } => {
                self.merge(source, target, options)
            }
            BranchStatement::ContinueMerge => self.continue_merge(),
            BranchStatement::UndoTransaction { transaction, options } => {
                self.pick(&self.undo_of(*transaction)?, options)
            }
            BranchStatement::CherryPick { transaction, target, options } => {
                self.pick(&self.pick_of(*transaction, target.as_ref())?, options)
            }
            BranchStatement::RestoreTable { table, branch, as_of } => {
                self.restore_table(table, branch.as_ref(), as_of.as_ref())
            }
            BranchStatement::Preview(statements) => self.preview(statements, sql),
            BranchStatement::Apply => self.apply(),
            BranchStatement::Backup { incremental, file } => self.backup(file, *incremental),
            BranchStatement::Restore { file, to } => self.restore(file, to.as_deref()),
            _ => self.change(statement).map(|()| Vec::new()),
        }
    }

    /// Whether a statement changes nothing of the database.
    fn only_reads(&self, statement: &BranchStatement) -> Result<bool> {
        Ok(match statement {
            BranchStatement::Show(_)
            | BranchStatement::Preview(_)
            | BranchStatement::Restore { .. } => true,
            BranchStatement::Merge { options, .. }
            | BranchStatement::UndoTransaction { options, .. }
            | BranchStatement::CherryPick { options, .. } => {
                options::merge_request(options)?.dry_run
            }
            _ => false,
        })
    }

    /// Refuses to change the database from a fork, which would change more than itself.
    fn check_no_fork(&self) -> Result<()> {
        self.session.database(DatabaseIndex::MAIN)?.0.check_no_fork(self.head)
    }

    /// How the session begins a transaction.
    fn begin_options(&self) -> BeginOptions {
        self.session.tuned(&BeginOptions::default(), DatabaseIndex::MAIN)
    }

    /// The statements that give no rows.
    fn change(&self, statement: &BranchStatement) -> Result<()> {
        match statement {
            BranchStatement::Create { if_not_exists, name, parent, as_of, options } => {
                self.create(*if_not_exists, name, parent.as_ref(), as_of.as_ref(), options)
            }
            BranchStatement::Drop { if_exists, name } => self.drop_branch(*if_exists, name),
            BranchStatement::Alter { name, options } => self.alter(name, options),
            BranchStatement::Rename { from, to } => self.rename(from, to),
            BranchStatement::Reset { name, to } => self.reset(name, to),
            BranchStatement::Tag { branch, tag, as_of } => self.tag(branch, tag, as_of.as_ref()),
            BranchStatement::DropTag { if_exists, name } => self.drop_tag(*if_exists, name),
            BranchStatement::AbortMerge => self.abort_merge(),
            BranchStatement::Resolve(resolve) => self.resolve(resolve),
            BranchStatement::Grant(grant) => self.grant(grant),
            BranchStatement::Revoke(revoke) => self.revoke(revoke),
            _ => Err(Error::new(ErrorKind::Internal, "a branch statement is not known")),
        }
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
        match found {
            Some(branch) => Ok(branch),
            None => Err(without_branch(&self.session.database(DatabaseIndex::MAIN)?.0, self.head)),
        }
    }
}

/// The error of what was done with a name says where the name stands; one that comes from no
/// text stands nowhere.
fn at_name<T>(name: &Name, done: Result<T, impl Into<Error>>) -> Result<T> {
    done.map_err(|error| {
        let error = error.into();
        if name.span.is_empty() { error } else { error.at(name.span) }
    })
}

/// A moment in the words of the branch crate.
pub(crate) fn point(session: &Session, time: &PointInTime) -> Result<Point> {
    Ok(match time {
        PointInTime::Now => Point::Now,
        PointInTime::Transaction(number) => Point::Commit(*number),
        PointInTime::Scn(number) => Point::Number(*number),
        PointInTime::Tag(name) => Point::Tag(name.text.to_string()),
        PointInTime::Timestamp(text) => Point::Time(options::timestamp(session, text)?),
    })
}
