//! MERGE BRANCH: one transaction on the target that holds the merged rows, or nothing.
//!
//! A dry run is the same work, given up at the end. A merge whose policy is `manual` stays open
//! with its conflicts until they are resolved. Neighbours: `job` does the work, `forward` where
//! there is none, `named` knows what RESOLVE means by a name, `options` reads WITH, `pick` does the
//! same for single commits.

pub(super) mod definition;
mod forward;
mod named;
mod told;

use std::collections::BTreeSet;

use pandodb_branch::merge::{Conflict, ConflictKey, ConflictKind, Pick, Policy};
use pandodb_branch::merge::{Report, Resolutions, RuleScope, Violation};
use pandodb_branch::registry::{MergeKind, MergePlan, OpenMerge, Privilege};
use pandodb_branch::shape::ColumnId;
use pandodb_ds::record::Value;
use pandodb_tm::HeadId;

use super::job::{Failure, Job, Outcome};
use super::options::{MergeRequest, merge_request, quoted};
use super::show::text;
use super::{Rows, Work};
use crate::ast::{BranchOption, Name, Resolve, ResolveChoice, ResolveScope};
use crate::catalog::{DatabaseIndex, IndexColumn};
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Affinity, Datum, apply_affinity};

/// The columns of MERGE BRANCH.
pub(super) const COLUMNS: &[&str] = &[
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
];

/// Whether a fast-forward moves the target. With a message or an author of its own the merge is to
/// be a commit, which has a place for them; moving makes none.
pub(super) fn moves(request: &MergeRequest) -> bool {
    !request.dry_run && request.message.is_empty() && request.author.is_empty()
}

impl Work<'_> {
    pub(super) fn merge(
        &self,
        source: &Name,
        target: &Name,
        options: &[BranchOption],
    ) -> Result<Rows> {
        let request = merge_request(options)?;
        let from = self.named_branch(source, Privilege::Read)?;
        self.named_branch(target, Privilege::Merge)?;
        if request.delete_branch_after {
            self.may(&from, Privilege::Admin)?;
        }
        self.check_inside(&request, Some(&from))?;
        self.check_committed(&from)?;
        self.check_committed(&self.branches.get(&target.text)?)?;
        let plan = self.branches.begin_merge(&source.text, &target.text)?;
        self.merge_by_plan(plan, &request)
    }

    fn merge_by_plan(&self, plan: MergePlan, request: &MergeRequest) -> Result<Rows> {
        self.check_plan(&plan)?;
        let (from, to) = (plan.source.name.clone(), plan.target.name.clone());
        let is_inside = self.is_inside();
        let outcome = match plan.kind {
            MergeKind::UpToDate => self.up_to_date(&plan, request).map_err(Failure::Error),
            MergeKind::FastForward if moves(request) && !is_inside => {
                self.fast_forward(&plan, request, false)
            }
            MergeKind::FastForward | MergeKind::ThreeWay => self.three_way(&plan, request, None),
        };
        match outcome {
            Ok(outcome) => {
                let is_kept = outcome.status == "merged" || outcome.status == "fast-forward";
                if is_kept && is_inside {
                    // What it started from stays until the transaction has ended and maintenance
                    // looks at it.
                    drop(plan);
                } else if is_kept {
                    self.leave_dropped(&plan)?;
                    self.branches.settle_merge(plan)?;
                } else {
                    self.branches.abandon_merge(plan)?;
                }
                Ok(vec![row(&outcome, &from, &to, request.dry_run)])
            }
            Err(Failure::Conflicts(conflicts, report)) => {
                let is_manual = request.options.policy == Policy::Manual && !request.dry_run;
                if is_manual {
                    self.branches.open_merge(&plan, &request.encode(), &conflicts)?;
                    let outcome = Outcome::new("conflicts", *report);
                    return Ok(vec![row(&outcome, &from, &to, false)]);
                }
                self.branches.abandon_merge(plan)?;
                if request.dry_run {
                    let outcome = Outcome::new("conflicts", *report);
                    return Ok(vec![row(&outcome, &from, &to, true)]);
                }
                let what = format!("merging '{from}' into '{to}'");
                Err(conflict_error(&conflicts, &what, request.options.policy))
            }
            Err(Failure::Error(error)) => {
                if !is_inside {
                    self.branches.abandon_merge(plan)?;
                }
                Err(error)
            }
        }
    }

    /// A session on a branch that its merge dropped goes on with the target.
    pub(super) fn leave_dropped(&self, plan: &MergePlan) -> Result<()> {
        let is_gone = self.branches.with(|state| state.branch_by_id(plan.source.id).is_none())?;
        if is_gone && HeadId(plan.source.head) == self.head {
            self.session.use_head(DatabaseIndex::MAIN, HeadId(plan.target.head));
        }
        Ok(())
    }

    /// The target has everything: there is nothing to do but to drop the source, if that was said.
    pub(super) fn up_to_date(&self, plan: &MergePlan, request: &MergeRequest) -> Result<Outcome> {
        if request.delete_branch_after && !request.dry_run {
            self.branches.check_drop_merged(plan)?;
            self.branches.drop_branch(&plan.source.name)?;
            self.leave_dropped(plan)?;
        }
        Ok(Outcome::new("up to date", Report::default()))
    }

    /// Both sides have something: the source's changes are put into the target.
    pub(super) fn three_way(
        &self,
        plan: &MergePlan,
        request: &MergeRequest,
        open: Option<&OpenMerge>,
    ) -> Result<Outcome, Failure> {
        self.with_job(plan, request, |job, unsettled| {
            let mut request = request.clone();
            request.options.unsettled = unsettled;
            self.run_job(job, &request, open)
        })
    }

    /// Does something with the versions of a merge, and what their base does not settle.
    fn with_job<T, E: From<Error>>(
        &self,
        plan: &MergePlan,
        request: &MergeRequest,
        work: impl FnOnce(&Job<'_>, BTreeSet<ConflictKey>) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(common) = self.common_base(plan)? else {
            let job = self.job_of(plan, plan.base(), plan.numbers(), request)?;
            return work(&job, BTreeSet::new());
        };
        let read = pandodb_tm::BeginOptions::read_only();
        let base = common.fork.begin(read).map_err(Error::from)?;
        let job = self.job_of(plan, base.forest(), &common.numbers, request)?;
        work(&job, common.unsettled)
    }

    /// Does something with the versions of an open merge or pick, what was said about it, and what
    /// its base does not settle.
    fn with_open_job<T>(
        &self,
        open: &OpenMerge,
        work: impl FnOnce(&Job<'_>, Resolutions, BTreeSet<ConflictKey>) -> Result<T>,
    ) -> Result<T> {
        if open.pick.is_some() {
            let (job, resolutions) = self.open_pick_job(open)?;
            return work(&job, resolutions, BTreeSet::new());
        }
        let (plan, resolutions) = self.branches.resume_merge(open)?;
        let request = MergeRequest::decode(&open.options);
        self.with_job(&plan, &request, |job, unsettled| work(job, resolutions, unsettled))
    }

    pub(super) fn continue_merge(&self) -> Result<Rows> {
        let open = self.readable_merge()?;
        if open.pick.is_some() {
            return self.continue_pick(&open);
        }
        let (plan, resolutions) = self.branches.resume_merge(&open)?;
        let mut request = MergeRequest::decode(&open.options);
        request.options.policy = Policy::Manual;
        request.options.resolutions = resolutions;
        let (from, to) = (plan.source.name.clone(), plan.target.name.clone());
        match self.three_way(&plan, &request, Some(&open)) {
            Ok(outcome) => Ok(vec![row(&outcome, &from, &to, false)]),
            Err(Failure::Conflicts(conflicts, _)) => {
                self.branches.reopen_merge(&open, &conflicts)?;
                Err(open_error(&conflicts, &format!("merging '{from}' into '{to}'")))
            }
            Err(Failure::Error(error)) => Err(error),
        }
    }

    pub(super) fn abort_merge(&self) -> Result<()> {
        Ok(self.branches.abort_merge(&self.open_merge()?)?)
    }

    /// The merge into the session's branch that is open: who could begin it may end it.
    fn open_merge(&self) -> Result<OpenMerge> {
        let branch = self.current()?;
        let open = self.branches.merge_into(&branch.name);
        let is_pick = open.as_ref().is_ok_and(|open| open.pick.is_some());
        self.may(&branch, if is_pick { Privilege::Write } else { Privilege::Merge })?;
        Ok(open?)
    }

    /// The same, if what is merged may be read.
    fn readable_merge(&self) -> Result<OpenMerge> {
        let open = self.open_merge()?;
        self.check_merged(&open)?;
        Ok(open)
    }

    pub(super) fn resolve(&self, resolve: &Resolve) -> Result<()> {
        let open = self.readable_merge()?;
        let pick = match &resolve.choice {
            ResolveChoice::Source => Pick::Theirs,
            ResolveChoice::Target => Pick::Ours,
            ResolveChoice::Base => Pick::Base,
            ResolveChoice::Delete => Pick::Delete,
            ResolveChoice::Value(expression) => Pick::Cell(constant(expression)?),
            ResolveChoice::Row(cells) => {
                let ResolveScope::One(number) = resolve.scope else {
                    let message = "a row's own values resolve one conflict at a time";
                    return Err(Error::invalid(message));
                };
                let conflict = self.conflict(&open, number)?;
                let (object, names) = (conflict.key.object, self.names_of(&open)?);
                let mut row = Vec::with_capacity(cells.len());
                for (name, expression) in cells {
                    row.push((names.column(object, name)?, constant(expression)?));
                }
                self.check_key(number, &conflict, &row)?;
                Pick::Row(row)
            }
            ResolveChoice::Definition(given) => {
                let ResolveScope::One(number) = resolve.scope else {
                    let message = "a definition resolves one conflict at a time";
                    return Err(Error::invalid(message).at(given.span));
                };
                self.own_definition(&open, number, given)?
            }
        };
        match &resolve.scope {
            ResolveScope::One(number) => self.branches.resolve(&open, *number, pick)?,
            ResolveScope::All => self.branches.resolve_all(&open, RuleScope::All, &pick)?,
            ResolveScope::Table(table, column) => {
                let names = self.names_of(&open)?;
                let object = names.table(table)?;
                let scope = match column {
                    Some(column) => RuleScope::Column(object, names.column(object, column)?),
                    None => RuleScope::Object(object),
                };
                self.branches.resolve_all(&open, scope, &pick)?;
            }
        }
        Ok(())
    }

    /// A conflict of an open merge.
    fn conflict(&self, open: &OpenMerge, number: u64) -> Result<Conflict> {
        let conflicts = self.branches.conflicts(open)?;
        let found = conflicts.into_iter().find(|conflict| conflict.number == number);
        found.map(|open| open.conflict).ok_or_else(|| {
            Error::not_found("conflict", number).with_hint("SHOW CONFLICTS lists them")
        })
    }

    /// Refuses cells that would make the row of a conflict another one. Of several rows that have
    /// one unique value the key may name any.
    fn check_key(&self, number: u64, conflict: &Conflict, row: &[(ColumnId, Value)]) -> Result<()> {
        if conflict.kind == ConflictKind::Constraint(Violation::Unique) {
            return Ok(());
        }
        let id = conflict.key.object;
        let key: Vec<(ColumnId, Affinity)> = self.session.reading(|_, schemas| {
            let mut tables = schemas.iter().flat_map(|schema| schema.tables.values());
            let Some(table) = tables.find(|table| table.id.0 == id.0) else {
                return Ok(Vec::new());
            };
            let alias = table.rowid_alias().into_iter();
            let declared = if table.has_rowid() { &[] } else { table.key_columns() };
            let columns = alias.chain(declared.iter().filter_map(IndexColumn::column));
            let columns = columns.filter_map(|index| table.columns.get(index));
            Ok(columns.map(|column| (ColumnId(column.id.0), column.affinity)).collect())
        })?;
        let is_other = key.iter().zip(&conflict.row_key).any(|((column, affinity), known)| {
            row.iter().any(|(named, value)| {
                let value = apply_affinity(Datum::from(value), *affinity).into_value();
                named == column && value != *known
            })
        });
        if !is_other {
            return Ok(());
        }
        let called: Vec<String> = conflict.row_key.iter().map(quoted).collect();
        let called = called.join(", ");
        let message =
            format!("conflict {number} cannot be resolved so: the row has the key {called}");
        let hint = "leave the key out; a row under another key is inserted once the merge is done";
        Err(Error::invalid(message).with_hint(hint))
    }
}

fn constant(expression: &crate::ast::Expression) -> Result<Value> {
    crate::catalog::build::constant(expression)
        .ok_or_else(|| Error::invalid("a conflict is resolved with a constant").at(expression.span))
}

/// The report as the row of the statement.
pub(super) fn row(outcome: &Outcome, source: &str, target: &str, is_dry: bool) -> Vec<Value> {
    let report = &outcome.report;
    let counted = |count: u64| {
        if outcome.is_counted { Value::Integer(count as i64) } else { Value::Null }
    };
    let total = |count: fn(&pandodb_branch::merge::TableCounts) -> u64| {
        counted(report.tables.values().map(count).sum())
    };
    let resolved: u64 =
        report.schema_resolved + report.tables.values().map(|table| table.resolved).sum::<u64>();
    vec![
        text(outcome.status),
        text(source),
        text(target),
        total(|table| table.inserted),
        total(|table| table.updated),
        total(|table| table.deleted),
        total(|table| table.renumbered),
        counted(report.schema_changes),
        Value::Integer(report.conflict_count() as i64),
        Value::Integer(resolved as i64),
        Value::Integer(i64::from(is_dry)),
    ]
}

/// The error of a job that met conflicts, with the first of them.
pub(super) fn conflict_error(conflicts: &[Conflict], what: &str, policy: Policy) -> Error {
    let mut kinds = conflicts.iter().map(|conflict| conflict.kind);
    let breaks_constraint = kinds.any(|kind| matches!(kind, ConflictKind::Constraint(_)));
    let has_decided = matches!(policy, Policy::SourceWins | Policy::TargetWins);
    told_conflicts(conflicts, what).with_hint(if has_decided && !breaks_constraint {
        "neither side can have its way here: change a branch, or WITH (conflict_resolution = \
         'manual') keeps the merge open for RESOLVE CONFLICT"
    } else if !breaks_constraint {
        "WITH (conflict_resolution = 'source_wins' or 'target_wins') decides all but two things of \
         one name, 'manual' keeps the merge open for RESOLVE CONFLICT"
    } else {
        "no policy decides what breaks a constraint: WITH (conflict_resolution = 'manual') keeps \
         the merge open for RESOLVE CONFLICT"
    })
}

/// The error of an open merge or pick that some conflicts are left of.
pub(super) fn open_error(conflicts: &[Conflict], what: &str) -> Error {
    told_conflicts(conflicts, what).with_hint(
        "SHOW CONFLICTS lists them, RESOLVE CONFLICT .. WITH .. answers, CONTINUE MERGE goes on; \
         ABORT MERGE gives up",
    )
}

/// The same without what can be done about them.
pub(super) fn told_conflicts(conflicts: &[Conflict], what: &str) -> Error {
    let count = conflicts.len();
    let first = conflicts.first().map(|conflict| {
        format!(
            "; the first: {} {}: {}",
            conflict.kind.as_str(),
            conflict.object_name,
            conflict.detail
        )
    });
    let message = format!(
        "{what} met {count} conflict{}{}",
        if count == 1 { "" } else { "s" },
        first.unwrap_or_default()
    );
    Error::new(ErrorKind::MergeConflict, message)
}
