//! Single commits: picked onto a branch, undone, and one table as it was elsewhere.
//!
//! A commit is picked by a merge whose base is the moment before it, and undone by one whose base
//! is the commit itself and whose source is the moment before. So later work stays, and where it
//! touched the same cells that is a conflict, which names the transactions that did. A table is
//! restored by a merge whose base is the branch as it is: nothing can conflict, and foreign keys
//! are looked at. Neighbours: `job` does the work, `merge` continues what stays open.

use std::collections::BTreeSet;

use pandodb_branch::ErrorKind::UnknownCommit;
use pandodb_branch::diff::Version;
use pandodb_branch::merge::{Conflict, ConflictKind, Known, Policy, Resolutions, Scope, Violation};
use pandodb_branch::registry::{Branch, Commit, OpenMerge, Point, Privilege, View};
use pandodb_branch::shape::{ColumnId, ObjectId, Shape, TableShape, TextShape};
use pandodb_ds::record::Value;
use pandodb_tm::{BeginOptions, HeadId};

use super::job::{Failure, Job, Outcome};
use super::merge::{conflict_error, open_error, row, told_conflicts};
use super::options::{MergeRequest, merge_request};
use super::{Rows, Work};
use crate::ast::{BranchOption, Name, PointInTime};
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

/// The columns of RESTORE TABLE: those of a merge, and which triggers of the table stayed behind.
pub(super) const RESTORE_COLUMNS: &[&str] = &[
    "status",
    "source",
    "target",
    "rows_inserted",
    "rows_updated",
    "rows_deleted",
    "rows_renumbered",
    "schema_changes",
    "conflicts",
    "conflicts_resolved",
    "dry_run",
    "left_out",
];

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
        self.may_read_head(commit.head)?;
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
        self.may_read_head(found.0.head)?;
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

    /// RESTORE TABLE: the table as another branch or an earlier moment has it.
    pub(super) fn restore_table(
        &self,
        table: &Name,
        branch: Option<&Name>,
        as_of: Option<&PointInTime>,
    ) -> Result<Rows> {
        let target = self.current()?;
        self.may(&target, Privilege::Write)?;
        self.branches.check_settled(&target)?;
        let view = match (branch, as_of) {
            (Some(name), None | Some(PointInTime::Now)) => self.view_of(name)?,
            (name, as_of) => {
                let from = self.readable_or_current(name)?;
                let at = as_of.map_or(Ok(Point::Now), |time| self.point(time))?;
                self.at_moment(&at, self.branches.view_own(&from.name, &at))?
            }
        };
        let head = HeadId(target.head);
        let now = self.branches.manager().begin(head, BeginOptions::read_only());
        let now = now.map_err(Error::from)?;
        let ours = self.version(now.forest())?;
        let theirs = self.version(view.forest())?;
        let Some(wanted) = theirs.shape.table_named(&table.text) else {
            return Err(Error::not_found("table", &table.text).at(table.span));
        };
        let mine = ours.shape.table_named(&table.text);
        let mut shape = ours.shape.clone();
        take_table(&mut shape, &theirs.shape, wanted, mine);
        let left_out = fit_triggers(&mut shape, &ours.shape, &theirs.shape, wanted.id);
        let mut forest = ours.forest.clone();
        if let Some(tree) = theirs.forest.tree(wanted.tree) {
            forest.set_tree(wanted.tree, tree.clone());
        }
        let from = branch.map_or_else(|| target.name.clone(), |name| name.text.to_string());
        let at = self.branches.position(&target)?;
        let job = Job {
            known: Known {
                theirs: self.numbering(view.position(), at)?,
                restored: Some(wanted.id),
                ..Known::default()
            },
            base: ours,
            theirs: Version { shape, forest },
            catalog: view.forest(),
            head,
            expected: now.base_commit().0,
            target: target.name.clone(),
            plan: None,
            message: format!("restore table {} from '{from}'", table.text),
            has_own_base: false,
        };
        let request = MergeRequest::default();
        match self.run_job(&job, &request, None) {
            Ok(outcome) => {
                let outcome = Outcome::new("restored", outcome.report);
                let mut told = row(&outcome, &from, &target.name, false);
                let left_out = left_out.join("; ");
                told.push(if left_out.is_empty() { Value::Null } else { Value::text(&*left_out) });
                Ok(vec![told])
            }
            Err(Failure::Conflicts(conflicts, _)) => {
                let error = told_conflicts(&conflicts, &format!("restoring table {}", table.text));
                let hint = restore_hint(&conflicts, &job, &table.text);
                Err(error.with_hint(hint))
            }
            Err(Failure::Error(error)) => Err(error),
        }
    }
}

/// What to do where a table cannot come back: something is in the way, or it, or what comes along,
/// needs something that is not there.
fn restore_hint(conflicts: &[Conflict], job: &Job<'_>, table: &str) -> String {
    let is_here = |id: ObjectId| {
        let here = &job.base.shape;
        let texts = [&here.indexes, &here.views, &here.triggers];
        here.table(id).is_some() || texts.into_iter().flatten().any(|text| text.id == id)
    };
    let hint = match conflicts.first().map(|first| (first.kind, first.key.object)) {
        Some((ConflictKind::Constraint(Violation::ForeignKey), id))
            if job.known.restored == Some(id) =>
        {
            "RESTORE TABLE the parents that are missing first, or insert them"
        }
        Some((ConflictKind::Schema, id)) if job.known.restored != Some(id) && !is_here(id) => {
            "it comes back with the table: RESTORE TABLE or CREATE what it needs first"
        }
        _ => {
            return format!(
                "DROP what is in the way, or the table: RESTORE TABLE {table} brings it back then"
            );
        }
    };
    hint.to_owned()
}

/// Puts a table of one shape, with its indexes and triggers, into another in the place of the
/// one called so.
fn take_table(shape: &mut Shape, from: &Shape, wanted: &TableShape, mine: Option<&TableShape>) {
    let gone: Vec<ObjectId> = mine.map(|table| table.id).into_iter().chain([wanted.id]).collect();
    shape.tables.retain(|table| !gone.contains(&table.id));
    shape.tables.push(wanted.clone());
    let is_of =
        |ids: &[ObjectId], text: &TextShape| text.hangs_on.is_some_and(|on| ids.contains(&on));
    for (texts, other) in
        [(&mut shape.indexes, &from.indexes), (&mut shape.triggers, &from.triggers)]
    {
        texts.retain(|text| !is_of(&gone, text));
        let theirs = other.iter().filter(|text| is_of(&[wanted.id], text));
        texts.extend(theirs.cloned());
    }
    if let Some(mine) = mine.filter(|mine| mine.id != wanted.id) {
        lead_to(shape, mine, wanted);
    }
}

/// Lets the triggers that come along with a table mention what the schema has by the names in
/// them, as CREATE TRIGGER would. One that needs what is not there stays behind; says which, and
/// why. What the schema has of it already stays as it is.
fn fit_triggers(shape: &mut Shape, ours: &Shape, from: &Shape, wanted: ObjectId) -> Vec<String> {
    let mut left_out = Vec::new();
    let is_of = |text: &TextShape| text.hangs_on == Some(wanted);
    let (coming, mut triggers): (Vec<_>, Vec<_>) =
        std::mem::take(&mut shape.triggers).into_iter().partition(is_of);
    for trigger in coming {
        match fitted(trigger.clone(), shape, from) {
            Ok(fitted) => triggers.push(fitted),
            Err(why) => {
                let own = ours.triggers.iter().find(|own| own.id == trigger.id);
                match own {
                    Some(own) => triggers.push(own.clone()),
                    None => left_out.push(format!("trigger {}: {why}", trigger.name)),
                }
            }
        }
    }
    triggers.sort_by_key(|trigger| trigger.id);
    shape.triggers = triggers;
    left_out
}

/// A trigger of another schema as this one has it, or what it lacks.
fn fitted(mut trigger: TextShape, shape: &Shape, from: &Shape) -> Result<TextShape, String> {
    let is_here =
        |id: ObjectId| shape.table(id).is_some() || shape.views.iter().any(|view| view.id == id);
    for object in trigger.objects.iter_mut().filter(|object| !is_here(**object)) {
        let old = from.table(*object);
        let view = from.views.iter().find(|view| view.id == *object);
        let name = old.map(|table| &table.name).or_else(|| view.map(|view| &view.name));
        let Some(name) = name else { continue };
        let columns = old.map(|table| table.columns.as_slice()).unwrap_or_default();
        if let Some(table) = shape.table_named(name) {
            for id in &mut trigger.columns {
                let Some(column) = columns.iter().find(|column| column.id == *id) else { continue };
                let lacks = || format!("table {name} has no column {}", column.name);
                *id = table.column_named(&column.name).ok_or_else(lacks)?.id;
            }
            *object = table.id;
        } else if let Some(view) =
            shape.views.iter().find(|view| view.name.eq_ignore_ascii_case(name))
        {
            trigger.columns.retain(|id| columns.iter().all(|column| column.id != *id));
            *object = view.id;
        } else {
            return Err(format!("there is no table {name}"));
        }
    }
    for table in &from.tables {
        let Some(own) = shape.table(table.id) else { continue };
        for column in table.columns.iter().filter(|column| trigger.columns.contains(&column.id)) {
            if own.column(column.id).is_none() {
                return Err(format!("table {} has no column {}", own.name, column.name));
            }
        }
    }
    Ok(trigger)
}

/// Lets what mentions a table mention another one that takes its name, as after DROP and CREATE:
/// columns are found by their names. What mentions a column that the other table has not is left,
/// and is in the way.
fn lead_to(shape: &mut Shape, mine: &TableShape, wanted: &TableShape) {
    let other = |id: ColumnId| {
        let Some(old) = mine.columns.iter().find(|column| column.id == id) else { return Some(id) };
        let mut columns = wanted.columns.iter();
        columns.find(|it| it.name.eq_ignore_ascii_case(&old.name)).map(|column| column.id)
    };
    for text in shape.views.iter_mut().chain(&mut shape.triggers) {
        let columns: Option<Vec<ColumnId>> = text.columns.iter().map(|id| other(*id)).collect();
        if let Some(columns) = columns {
            text.columns = columns;
            let mentions = text.objects.iter_mut().filter(|object| **object == mine.id);
            mentions.for_each(|object| *object = wanted.id);
        }
    }
    let constraints = shape.tables.iter_mut().flat_map(|table| &mut table.constraints);
    for key in constraints.filter_map(|constraint| constraint.foreign_key.as_mut()) {
        let columns: Option<Vec<ColumnId>> = key.columns.iter().map(|id| other(*id)).collect();
        if key.parent == Some(mine.id)
            && let Some(columns) = columns
        {
            (key.parent, key.columns) = (Some(wanted.id), columns);
        }
    }
}
