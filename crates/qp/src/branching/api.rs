//! What programs ask of branches beside SQL: merges whose conflicts come back as values, and
//! comparisons.
//!
//! The statements and these do the same work; a statement can only show rows and raise errors,
//! while a program wants each conflict, answers it and merges again with all answers at once.
//! Neighbours: `merge` and `difference` have the work, the facade's `branch` module the words.

use pandodb_branch::diff::schema::{ObjectKind, SchemaDifference};
use pandodb_branch::diff::{RowDifference, TableVersion, Version, compare_shapes, tables};
use pandodb_branch::fork::Fork;
use pandodb_branch::merge::{
    Conflict, ConflictKey, Definition, MergeOptions, Pick, Policy, Report, Scope,
};
use pandodb_branch::registry::{Branch, Commit, MergeKind, MergePlan, Privilege, Tag};
use pandodb_branch::shape::Shape;
use pandodb_ds::record::Value;

use super::Work;
use super::job::{Failure, Outcome};
use super::merge;
use super::merge::definition::{self, Subject};
use super::options::MergeRequest;
use crate::ast::{Name, PointInTime};
use crate::error::{Error, Result};
use crate::session::Session;

/// How one conflict is resolved, with columns by their names.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One of the sides, or one value.
    Pick(Pick),
    /// The row, with these cells.
    Row(Vec<(String, Value)>),
    /// The part of a definition is this.
    Definition(String),
}

/// A merge that a program asks for.
#[derive(Clone, Debug, Default)]
pub struct MergeCall {
    /// The branch whose changes are taken.
    pub source: String,
    /// The branch that takes them.
    pub target: String,
    /// What is done about conflicts without an answer.
    pub policy: Policy,
    /// Whether rows that both sides inserted under one key are two rows.
    pub renumbers: bool,
    /// What was said about single conflicts.
    pub answers: Vec<(ConflictKey, Answer)>,
    /// Nothing is changed.
    pub is_dry_run: bool,
    /// The source is dropped once it was merged.
    pub drops_source: bool,
    /// The message of the commit.
    pub message: String,
    /// Who merges.
    pub author: String,
}

/// What a merge came to.
#[derive(Clone, Debug, Default)]
pub struct MergeDone {
    /// `merged`, `fast-forward`, `up to date`, `would merge` or `conflicts`.
    pub status: &'static str,
    /// What changed, or would have.
    pub report: Report,
    /// Whether that was counted; a fast-forward counts to a hundred rows.
    pub is_counted: bool,
    /// What nobody decided; then nothing was changed.
    pub conflicts: Vec<Conflict>,
}

/// The rows of a table that differ.
#[derive(Clone, Debug)]
pub struct TableDifference {
    /// The table, as the newer side calls it where it has it.
    pub name: String,
    /// What the older side calls it; none where the table is new.
    pub old_name: Option<String>,
    /// What the newer side calls it; none where it was dropped.
    pub new_name: Option<String>,
    /// The columns that the rows have.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<RowDifference>,
}

/// What leads from one branch to another.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Definitions.
    pub schema: Vec<SchemaDifference>,
    /// Rows.
    pub tables: Vec<TableDifference>,
}

/// Merges one branch into another.
pub fn merge_branches(session: &Session, call: &MergeCall) -> Result<MergeDone> {
    let work = Work::new(session)?;
    work.alone()?;
    if !call.is_dry_run {
        work.check_no_fork()?;
    }
    let source = work.readable_branch(&call.source)?;
    work.branch_for(&call.target, Privilege::Merge)?;
    if call.drops_source {
        work.may(&source, Privilege::Admin)?;
    }
    let plan = work.branches.begin_merge(&call.source, &call.target)?;
    let outcome = work.answered(&plan, call).map_err(Failure::from).and_then(|request| {
        Ok(match plan.kind {
            MergeKind::UpToDate => work.up_to_date(&plan, &request)?,
            MergeKind::FastForward if merge::moves(&request) => {
                work.fast_forward(&plan, &request, true)?
            }
            MergeKind::FastForward | MergeKind::ThreeWay => {
                work.three_way(&plan, &request, None)?
            }
        })
    });
    let done = match outcome {
        Ok(Outcome { status, report, is_counted }) => {
            MergeDone { status, report, is_counted, conflicts: Vec::new() }
        }
        Err(Failure::Conflicts(conflicts, report)) => {
            MergeDone { status: "conflicts", report: *report, is_counted: true, conflicts }
        }
        Err(Failure::Error(error)) => {
            work.branches.abandon_merge(plan)?;
            return Err(error);
        }
    };
    if matches!(done.status, "merged" | "fast-forward") {
        work.leave_dropped(&plan)?;
    } else {
        work.branches.abandon_merge(plan)?;
    }
    Ok(done)
}

/// Compares two branches or tags.
pub fn compare_branches(session: &Session, old: &str, new: &str) -> Result<Comparison> {
    let work = Work::new(session)?;
    let view = |name: &str| work.view_of(&Name::new(name));
    let (old_view, new_view) = (view(old)?, view(new)?);
    let (old, new) = work.versions([old_view.forest(), new_view.forest()])?;
    work.comparison(&old, &new)
}

impl Work<'_> {
    fn comparison(&self, old: &Version, new: &Version) -> Result<Comparison> {
        let pager = self.branches.manager().pager();
        let mut comparison =
            Comparison { schema: compare_shapes(&old.shape, &new.shape), tables: Vec::new() };
        for pair in tables(old, new) {
            let Some(mut diff) = pair.rows(pager)? else { continue };
            let columns = diff.columns().iter().map(|column| column.name.clone()).collect();
            let mut rows = Vec::new();
            while let Some(row) = diff.next_difference()? {
                rows.push(row);
            }
            if !rows.is_empty() {
                let name_of = |side: Option<TableVersion<'_>>| side.map(|it| it.shape.name.clone());
                comparison.tables.push(TableDifference {
                    name: pair.name().to_owned(),
                    old_name: name_of(pair.old),
                    new_name: name_of(pair.new),
                    columns,
                    rows,
                });
            }
        }
        Ok(comparison)
    }

    /// The request of a call, its answers with the columns' lasting numbers.
    fn answered(&self, plan: &MergePlan, call: &MergeCall) -> Result<MergeRequest> {
        let mut options = MergeOptions::with(call.policy);
        options.renumber = call.renumbers;
        let (theirs, target) =
            (self.version(plan.theirs())?, self.view_of(&Name::new(&*plan.target.name))?);
        let ours = self.version(target.forest())?;
        for (key, answer) in &call.answers {
            let pick = match answer {
                Answer::Pick(pick) => pick.clone(),
                Answer::Row(cells) => {
                    let tables = [ours.shape.table(key.object), theirs.shape.table(key.object)];
                    let mut row = Vec::with_capacity(cells.len());
                    for (name, value) in cells {
                        let mut columns = tables.iter().flatten();
                        let column = columns.find_map(|table| table.column_named(name));
                        let column = column.ok_or_else(|| Error::not_found("column", name))?;
                        row.push((column.id, value.clone()));
                    }
                    Pick::Row(row)
                }
                Answer::Definition(text) => {
                    Pick::Definition(own_definition(key, [&ours.shape, &theirs.shape], text)?)
                }
            };
            options.resolutions.picks.insert(key.clone(), pick);
        }
        Ok(MergeRequest {
            options,
            dry_run: call.is_dry_run,
            delete_branch_after: call.drops_source,
            message: call.message.clone(),
            author: call.author.clone(),
        })
    }
}

/// A definition of one's own for what either side has.
fn own_definition(key: &ConflictKey, sides: [&Shape; 2], text: &str) -> Result<Definition> {
    let Scope::Schema(part) = &key.scope else {
        let message = "a definition resolves no conflict that is about rows";
        return Err(Error::invalid(message));
    };
    let found = sides.into_iter().find_map(|shape| {
        let tables = shape.tables.iter().map(|it| (ObjectKind::Table, it.id, it.name.as_str()));
        let texts = [
            (ObjectKind::Index, &shape.indexes),
            (ObjectKind::View, &shape.views),
            (ObjectKind::Trigger, &shape.triggers),
        ];
        let texts = texts.into_iter().flat_map(|(kind, texts)| {
            texts.iter().map(move |text| (kind, text.id, text.name.as_str()))
        });
        let settings = shape.settings.iter();
        let settings = settings.map(|it| (ObjectKind::Setting, it.id, it.name));
        tables.chain(texts).chain(settings).find(|(_, id, _)| *id == key.object)
    });
    let (kind, _, name) = found.ok_or_else(|| Error::not_found("object", key.object.0))?;
    definition::read(Subject { kind, name, part }, text)
}

/// All branches that may be read, and the newest commit of each.
pub fn list_branches(session: &Session) -> Result<Vec<(Branch, u64)>> {
    let work = Work::new(session)?;
    let mut found = Vec::new();
    for branch in work.readable()? {
        let commit = work.branches.position(&branch)?.commit;
        found.push((branch, commit));
    }
    Ok(found)
}

/// One branch, and its newest commit.
pub fn find_branch(session: &Session, name: &str) -> Result<(Branch, u64)> {
    let work = Work::new(session)?;
    let branch = work.readable_branch(name)?;
    let commit = work.branches.position(&branch)?.commit;
    Ok((branch, commit))
}

/// The newest commits of a branch, the newest first.
pub fn list_commits(session: &Session, branch: &str, most: usize) -> Result<Vec<Commit>> {
    let work = Work::new(session)?;
    work.readable_branch(branch)?;
    let mut commits = work.branches.commits(branch, most)?;
    let parents = work.branches.parents(&commits)?;
    commits.iter_mut().zip(parents).for_each(|(commit, parent)| commit.base = parent);
    Ok(commits)
}

/// All tags that may be read.
pub fn list_tags(session: &Session) -> Result<Vec<Tag>> {
    let work = Work::new(session)?;
    let tags: Vec<Tag> = work.branches.with(|state| state.tags().cloned().collect())?;
    let mut readable = Vec::with_capacity(tags.len());
    for tag in tags {
        if work.may_read_tag(&tag)? {
            readable.push(tag);
        }
    }
    Ok(readable)
}

/// A moment of a branch as a branch in memory.
pub fn fork_branch(session: &Session, branch: &str, at: &PointInTime) -> Result<Fork> {
    let work = Work::new(session)?;
    let branch = work.readable_branch(branch)?;
    let at = work.point(at)?;
    work.at_moment(&at, work.branches.fork_at(&branch.name, &at))
}
