//! Single commits: picked onto a branch, undone, and one table as it was elsewhere.
//!
//! A commit is picked by a merge whose base is the moment before it, and undone by one whose base
//! is the commit itself and whose source is the moment before. So later work stays, and where it
//! touched the same cells that is a conflict, which names the transactions that did. Neighbours:
//! `restore` brings back tables, `job` does the work, `merge` continues what stays open.

mod restore;

use std::collections::BTreeSet;

use pandodb_branch::ErrorKind::UnknownCommit;
use pandodb_branch::merge::{Conflict, Known, Policy, Resolutions, Scope};
use pandodb_branch::registry::{Branch, Commit, OpenMerge, Privilege, View};
use pandodb_ds::record::Value;
use pandodb_tm::HeadId;

pub(super) use restore::RESTORE_COLUMNS;

use super::job::{Failure, Job, Outcome};
use super::merge::{conflict_error, open_error, row};
use super::options::{MergeRequest, merge_request};
use super::{Rows, Work};
use crate::ast::{BranchOption, Name};
use crate::error::{Error, ErrorKind, Result};

/// A commit that is picked or undone.
pub(super) struct Picked {
    pub(super) base: View,
    pub(super) theirs: View,
    pub(super) target: Branch,
    pub(super) commit: Commit,
    /// "undo transaction 7", for messages.
    pub(super) label: String,
}

impl Work<'_> {
    /// What UNDO TRANSACTION does: the way back, on the session's branch.
    pub(super) fn undo_of(&self, number: u64) -> Result<Picked> {
        let target = self.current()?;
        let commit = match self.branches.commit_on(number, Some(&target)) {
            Ok(commit) => commit,
            Err(error) if error.kind() == UnknownCommit => {
                return Err(error.with_hint(self.span_of(&target)?).into());
            }
            Err(error) => return Err(error.into()),
        };
        self.may_read_commit(&commit)?;
        if !self.branches.has_commit(&target, &commit)? {
            return Err(self.elsewhere(&target, &commit)?);
        }
        let (before, after) = self.branches.views_of(&commit)?;
        let label = format!("undo transaction {number}");
        Ok(Picked { base: after, theirs: before, target, commit, label })
    }

    /// "the branch 'main' has transactions 3 to 12", for hints.
    fn span_of(&self, branch: &Branch) -> Result<String> {
        const COUNTED_MAX: usize = 10_000;
        let (name, commits) = (&branch.name, self.branches.commits(&branch.name, COUNTED_MAX)?);
        let ends = commits.first().zip(commits.last());
        Ok(match ends.map(|(newest, oldest)| (oldest.commit, newest.commit)) {
            None => format!("the branch '{name}' has none yet"),
            Some((_, newest)) if commits.len() == COUNTED_MAX => {
                format!("the newest of the branch '{name}' is {newest}: SHOW COMMITS lists them")
            }
            Some((oldest, newest)) => format!(
                "the branch '{name}' has some of {oldest} to {newest}: SHOW COMMITS lists them"
            ),
        })
    }

    /// The error of a commit that a branch does not have: who has it.
    fn elsewhere(&self, target: &Branch, commit: &Commit) -> Result<Error> {
        let (number, name) = (commit.commit, &target.name);
        let owner = self.branches.with(|state| state.branch_of(commit.head).cloned())?;
        let hint = match owner {
            Some(owner) if owner.id == target.id => format!(
                "the branch was reset to before it; CHERRY PICK TRANSACTION {number} does it again"
            ),
            Some(owner) => format!("it is one of the branch '{}': USE BRANCH it first", owner.name),
            None => "it was made on a branch that is gone".to_owned(),
        };
        let message = format!("the branch '{name}' has no transaction {number}");
        Ok(Error::new(ErrorKind::NotFound, message).with_hint(hint))
    }

    /// What CHERRY PICK does.
    pub(super) fn pick_of(&self, number: u64, target: Option<&Name>) -> Result<Picked> {
        let (commit, before, after) = self.commit_views(number)?;
        let target = self.readable_or_current(target)?;
        let label = format!("pick transaction {number}");
        Ok(Picked { base: before, theirs: after, target, commit, label })
    }

    /// A commit with the data before and after it; of one of several branches, that on the
    /// session's.
    pub(super) fn commit_views(&self, number: u64) -> Result<(Commit, View, View)> {
        let current = self.branches.with(|state| state.branch_of(self.head.0).cloned())?;
        let found = self.branches.commit_views(number, current.as_ref())?;
        self.may_read_commit(&found.0)?;
        Ok(found)
    }

    /// UNDO TRANSACTION and CHERRY PICK.
    pub(super) fn pick(&self, picked: &Picked, options: &[BranchOption]) -> Result<Rows> {
        let request = merge_request(options)?;
        if request.delete_branch_after {
            return Err(Error::invalid("only a merge has a branch to delete afterwards"));
        }
        self.check_inside(&request, None)?;
        self.may(&picked.target, Privilege::Write)?;
        self.branches.check_settled(&picked.target)?;
        let job = self.pick_job(picked, &request)?;
        let source = format!("transaction {}", picked.commit.commit);
        match self.run_job(&job, &request, None) {
            Ok(outcome) => Ok(vec![self.pick_row(&outcome, &source, picked, &request)]),
            Err(Failure::Conflicts(mut conflicts, report)) => {
                self.name_later(picked, &job, &mut conflicts)?;
                let is_manual = request.options.policy == Policy::Manual && !request.dry_run;
                if !is_manual && !request.dry_run {
                    return Err(conflict_error(&conflicts, &picked.label, request.options.policy));
                }
                if is_manual {
                    let views = (&picked.base, &picked.theirs);
                    let options = request.encode();
                    let (target, label) = (&picked.target, &*job.message);
                    self.branches.open_pick(target, views, label, &options, &conflicts)?;
                }
                let outcome = Outcome::new("conflicts", *report);
                Ok(vec![self.pick_row(&outcome, &source, picked, &request)])
            }
            Err(Failure::Error(error)) => Err(error),
        }
    }

    fn pick_row(
        &self,
        outcome: &Outcome,
        source: &str,
        picked: &Picked,
        request: &MergeRequest,
    ) -> Vec<Value> {
        let is_nothing = outcome.report.changed_rows() + outcome.report.schema_changes == 0;
        let status = match outcome.status {
            "merged" if is_nothing => "nothing to do",
            "merged" if picked.label.starts_with("undo") => "undone",
            "merged" => "picked",
            other => other,
        };
        let outcome = Outcome::new(status, outcome.report.clone());
        row(&outcome, source, &picked.target.name, request.dry_run)
    }

    /// The versions of a pick.
    pub(super) fn pick_job(&self, picked: &Picked, request: &MergeRequest) -> Result<Job<'static>> {
        let message = match (&*request.message, &*picked.commit.message) {
            ("", "") => picked.label.clone(),
            ("", told) => format!("{}: {told}", picked.label),
            (own, _) => own.to_owned(),
        };
        Ok(Job {
            known: self.known_of((&picked.base, &picked.theirs), &picked.target)?,
            base: self.version(picked.base.forest())?,
            theirs: self.version(picked.theirs.forest())?,
            catalog: picked.theirs.forest(),
            head: HeadId(picked.target.head),
            expected: self.branches.position(&picked.target)?.commit,
            target: picked.target.name.clone(),
            plan: None,
            message,
            has_own_base: !self.is_past(&picked.base, &picked.target)?,
        })
    }

    /// Whether a branch was at a moment, or holds it.
    fn is_past(&self, moment: &View, branch: &Branch) -> Result<bool> {
        let now = self.branches.position(branch)?;
        Ok(self.branches.with(|state| state.graph().holds(now, moment.position()))?)
    }

    /// Which rows of a pick are one: both of its moments have their own way to the target.
    fn known_of(&self, (base, theirs): (&View, &View), target: &Branch) -> Result<Known> {
        let target = self.branches.position(target)?;
        Ok(Known {
            base: self.numbering(base.position(), target)?,
            theirs: self.numbering(theirs.position(), target)?,
            ..Known::default()
        })
    }

    /// CONTINUE MERGE of a pick that was left open.
    pub(super) fn continue_pick(&self, open: &OpenMerge) -> Result<Rows> {
        let (job, resolutions) = self.open_pick_job(open)?;
        let mut request = MergeRequest::decode(&open.options);
        request.options.policy = Policy::Manual;
        request.options.resolutions = resolutions;
        match self.run_job(&job, &request, Some(open)) {
            Ok(outcome) => Ok(vec![row(&outcome, &job.message, &job.target, false)]),
            Err(Failure::Conflicts(conflicts, _)) => {
                self.branches.reopen_merge(open, &conflicts)?;
                Err(open_error(&conflicts, &job.message))
            }
            Err(Failure::Error(error)) => Err(error),
        }
    }

    /// The versions of a pick that was left open, and what was said about it.
    pub(super) fn open_pick_job(&self, open: &OpenMerge) -> Result<(Job<'static>, Resolutions)> {
        let target = self.current()?;
        self.branches.check_writable(&target)?;
        let (base, theirs, resolutions) = self.branches.resume_pick(open)?;
        let job = Job {
            known: self.known_of((&base, &theirs), &target)?,
            base: self.version(base.forest())?,
            theirs: self.version(theirs.forest())?,
            catalog: theirs.forest(),
            head: HeadId(target.head),
            expected: self.branches.position(&target)?.commit,
            target: target.name.clone(),
            plan: None,
            message: open.pick.as_ref().map_or_else(String::new, |pick| pick.label.clone()),
            has_own_base: !self.is_past(&base, &target)?,
        };
        Ok((job, resolutions))
    }

    /// Adds to each conflict which later transactions touched its row.
    fn name_later(&self, picked: &Picked, job: &Job<'_>, conflicts: &mut [Conflict]) -> Result<()> {
        const NAMED_MAX: usize = 1000;
        let place = |conflict: &Conflict| {
            let table = job.base.shape.table(conflict.key.object)?;
            match &conflict.key.scope {
                Scope::Row(key) | Scope::Cell(key, _) | Scope::Broken(key, _) => {
                    Some((table.tree, key.clone()))
                }
                Scope::Schema(_) => None,
            }
        };
        let rows: BTreeSet<_> = conflicts.iter().take(NAMED_MAX).filter_map(place).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let later = self.branches.later_changes(&picked.target, picked.commit.commit, &rows)?;
        for conflict in conflicts.iter_mut().take(NAMED_MAX) {
            let Some(commits) = place(conflict).and_then(|place| later.get(&place)) else {
                continue;
            };
            let commits: Vec<String> = commits.iter().map(ToString::to_string).collect();
            let detail = format!("; transactions since: {}", commits.join(", "));
            conflict.detail.push_str(&detail);
        }
        Ok(())
    }
}
