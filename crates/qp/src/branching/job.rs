//! Three versions become one on a head: what merges, picks, undoing and previews have in common.
//!
//! The branch crate decides what becomes of each row and definition; `target` does it with the
//! engine's own writers, in one transaction that is given up where a conflict is left. The
//! session works on the target meanwhile, and as the owner: who may merge was asked before.
//! Neighbours: `merge`, `pick` and `preview` make jobs.

use std::cell::RefCell;
use std::collections::BTreeSet;

use pandodb_branch::diff::Version;
use pandodb_branch::fork::Fork;
use pandodb_branch::lineage::Position;
use pandodb_branch::lineage::numbering::Numbering;
use pandodb_branch::merge::{
    Conflict, ConflictKey, Known, MergeOptions, Report, Versions, between, joined, merge, relate,
    told_apart,
};
use pandodb_branch::registry::{Ancestor, MergeKind, MergeLabel, MergePlan, OpenMerge, Parting};
use pandodb_ds::forest::Forest;
use pandodb_ds::sync::Arc;
use pandodb_tm::HeadId;

use super::Work;
use super::merge_target::SqlTarget;
use super::options::MergeRequest;
use crate::catalog::{DatabaseIndex, Schema};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::SharedTransaction;
use crate::execute::batch::Helpers;

/// Three versions, and where they become one.
pub(super) struct Job<'p> {
    /// Where the two sides parted.
    pub(super) base: Version,
    /// What is put into the target.
    pub(super) theirs: Version,
    /// Which rows of the three are one, where they have different rowids.
    pub(super) known: Known,
    /// Whose definitions the objects of `theirs` have.
    pub(super) catalog: Forest,
    /// The head that changes.
    pub(super) head: HeadId,
    /// The commit that it must stand at.
    pub(super) expected: u64,
    /// The name of its branch.
    pub(super) target: String,
    /// The merge that is to be noted; none where no branch is merged.
    pub(super) plan: Option<&'p MergePlan>,
    /// The message of the commit where nobody gives another one.
    pub(super) message: String,
    /// Whether the base is no moment of the target, as where a commit of another branch is picked.
    pub(super) has_own_base: bool,
}

/// What a job came to.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: &'static str,
    pub(super) report: Report,
    /// Whether the report tells what changed.
    pub(super) is_counted: bool,
}

impl Outcome {
    pub(super) fn new(status: &'static str, report: Report) -> Self {
        Self { status, report, is_counted: true }
    }
}

/// Why a merge did not happen.
pub(super) enum Failure {
    Conflicts(Vec<Conflict>, Box<Report>),
    Error(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Conflicts that are kept at most; all of them are counted.
const CONFLICTS_MAX: usize = 100_000;

impl Work<'_> {
    /// Works on a head as the owner, and then goes on as before.
    pub(super) fn on_head<T>(&self, head: HeadId, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let user = self.session.user();
        self.session.set_user(None);
        let done = self.session.go_to_head(head).and_then(|()| work());
        let back = self.session.go_to_head(self.head);
        self.session.set_user(user.as_deref());
        let done = done?;
        back?;
        Ok(done)
    }

    /// The versions of a merge of branches; `numbers` is what rows of the base are called on the
    /// target, and on the source.
    pub(super) fn job_of<'p>(
        &self,
        plan: &'p MergePlan,
        base: Forest,
        numbers: &[Numbering; 2],
        request: &MergeRequest,
    ) -> Result<Job<'p>> {
        let message = if request.message.is_empty() {
            format!("merge branch '{}' into '{}'", plan.source.name, plan.target.name)
        } else {
            request.message.clone()
        };
        let base = self.version(base)?;
        Ok(Job {
            known: self.known(&base, numbers)?,
            base,
            theirs: self.version(plan.theirs())?,
            catalog: plan.theirs(),
            head: HeadId(plan.target.head),
            expected: plan.target_position.commit,
            target: plan.target.name.clone(),
            plan: Some(plan),
            message,
            has_own_base: false,
        })
    }

    /// Which rows are one, by what those of the base are called on the target, and on the source.
    pub(super) fn known(&self, base: &Version, numbers: &[Numbering; 2]) -> Result<Known> {
        let [ours, theirs] = numbers;
        if ours.is_empty() && theirs.is_empty() {
            return Ok(Known::default());
        }
        let pager = self.branches.manager().pager();
        let between = [theirs.clone(), ours.clone()];
        Ok(Known {
            theirs: relate(pager, base, &between)?,
            base: ours.clone(),
            between: theirs.clone(),
            ..Known::default()
        })
    }

    /// What rows of one moment are called at another, where they are there from a common past.
    pub(super) fn numbering(&self, from: Position, to: Position) -> Result<Numbering> {
        let pager = self.branches.manager().pager();
        let mut numbering = Numbering::new();
        for (view, numbers) in self.branches.parted_numberings(from, to)? {
            let related = relate(pager, &self.version(view.forest())?, &numbers)?;
            for (table, numbers) in related.tables() {
                for (rowid, called) in &numbers.rowids {
                    numbering.add(table, numbers.table, *rowid, *called);
                }
                numbering.add_others(table, numbers.table, &numbers.others);
            }
        }
        Ok(numbering)
    }

    /// Puts the changes of a job into its target, or (a dry run) looks what would happen.
    pub(super) fn run_job(
        &self,
        job: &Job<'_>,
        request: &MergeRequest,
        open: Option<&OpenMerge>,
    ) -> Result<Outcome, Failure> {
        let conflicts: RefCell<Vec<Conflict>> = RefCell::default();
        let report: RefCell<Report> = RefCell::default();
        let result = self.on_head(job.head, || {
            self.session.changing(DatabaseIndex::MAIN, |sources, schemas| {
                let done = self.put(job, &request.options, &sources, schemas, &conflicts)?;
                let has_conflicts = done.conflict_count() > 0;
                let (source, target) = (done.numbering.clone(), done.replaced.clone());
                let label = MergeLabel { source, target };
                *report.borrow_mut() = done;
                if has_conflicts || request.dry_run {
                    // Gives the transaction up; told apart below.
                    return Err(Error::new(ErrorKind::MergeConflict, "given up"));
                }
                let transaction = transaction(&sources)?;
                if job.plan.is_some() {
                    // A merge is listed, with both parents, also where it changes no row.
                    super::inside::touch(&mut transaction.borrow_mut())?;
                }
                self.note((job, &label), request, open, transaction)
            })
        });
        let report = report.into_inner();
        let conflicts = conflicts.into_inner();
        match result {
            Ok(()) => Ok(Outcome::new("merged", report)),
            Err(error) if error.kind() != ErrorKind::MergeConflict => Err(error.into()),
            Err(_) if report.conflict_count() > 0 => {
                Err(Failure::Conflicts(conflicts, Box::new(report)))
            }
            Err(_) => Ok(Outcome::new("would merge", report)),
        }
    }

    /// Notes in the transaction what it did.
    fn note(
        &self,
        (job, label): (&Job<'_>, &MergeLabel),
        request: &MergeRequest,
        open: Option<&OpenMerge>,
        transaction: &SharedTransaction,
    ) -> Result<()> {
        let mut transaction = transaction.borrow_mut();
        let inner = transaction.inner_mut()?;
        inner.describe(&*request.author, &*job.message);
        if let Some(plan) = job.plan {
            self.record((plan, label), request, inner)?;
        }
        match open {
            Some(open) => Ok(self.branches.close_merge(open, inner)?),
            None => Ok(()),
        }
    }

    /// Notes that a merge happened, and what rows are called since, in its transaction.
    pub(super) fn record(
        &self,
        (plan, label): (&MergePlan, &MergeLabel),
        request: &MergeRequest,
        inner: &mut pandodb_tm::Transaction,
    ) -> Result<()> {
        self.branches.record_merge(plan, inner)?;
        self.branches.label_merge(plan, label, inner)?;
        let is_surplus =
            self.goes_with_merge(&plan.source)? && self.branches.check_drop_merged(plan).is_ok();
        if request.delete_branch_after || is_surplus {
            self.branches.drop_merged(plan, inner)?;
        }
        Ok(())
    }

    /// What stands in the way of the definitions that a job would leave: the conflicts about them
    /// that the options do not decide. Nothing is changed.
    pub(super) fn try_definitions(
        &self,
        job: &Job<'_>,
        options: &MergeOptions,
    ) -> Result<Vec<Conflict>> {
        let conflicts: RefCell<Vec<Conflict>> = RefCell::default();
        let tried = self.on_head(job.head, || {
            self.session.changing(DatabaseIndex::MAIN, |sources, schemas| {
                self.put_all(job, options, &sources, schemas, &conflicts, false)?;
                // Gives the transaction up; told apart below.
                Err(Error::new(ErrorKind::MergeConflict, "given up"))
            })
        });
        match tried {
            Err(error) if error.kind() != ErrorKind::MergeConflict => Err(error),
            Ok(()) | Err(_) => Ok(conflicts.into_inner()),
        }
    }

    fn put(
        &self,
        job: &Job<'_>,
        options: &MergeOptions,
        sources: &[Option<SharedTransaction>],
        schemas: Vec<Arc<Schema>>,
        conflicts: &RefCell<Vec<Conflict>>,
    ) -> Result<Report> {
        self.put_all(job, options, sources, schemas, conflicts, true)
    }

    /// As `put`, or without the rows.
    fn put_all(
        &self,
        job: &Job<'_>,
        options: &MergeOptions,
        sources: &[Option<SharedTransaction>],
        schemas: Vec<Arc<Schema>>,
        conflicts: &RefCell<Vec<Conflict>>,
        has_rows: bool,
    ) -> Result<Report> {
        let ours = {
            let shared = transaction(sources)?.borrow();
            let inner = shared.inner()?;
            if inner.base_commit().0 != job.expected {
                let message = format!("the branch '{}' has moved since", job.target);
                return Err(Error::new(ErrorKind::Conflict, message).with_hint("run it again"));
            }
            inner.forest()
        };
        let ours = self.version(ours)?;
        let pager = Arc::clone(self.branches.manager().pager());
        let catalogs = (&ours.forest, &job.catalog);
        let mut target =
            SqlTarget::new(self.session, sources.to_vec(), schemas, catalogs, options)?;
        target.tried = (!has_rows).then(Vec::new);
        target.follows = job.plan.is_some_and(|plan| plan.kind == MergeKind::FastForward);
        let (base, theirs, known) = (&job.base, &job.theirs, &job.known);
        let versions = Versions { base, ours: &ours, theirs, known };
        let mut sink = |conflict: Conflict| {
            let mut conflicts = conflicts.borrow_mut();
            if conflicts.len() < CONFLICTS_MAX {
                conflicts.push(conflict);
            }
            Ok(())
        };
        // What is free may help; there is no more than one that goes ahead.
        let helpers = self.merge_helpers(&versions);
        let (helps, has_own_base) = (helpers.is_some(), job.has_own_base);
        let helped = MergeOptions { helps, has_own_base, ..options.clone() };
        match merge(&pager, versions, &helped, &mut target, &mut sink) {
            Ok(report) => {
                let forests = [&job.base.forest, &ours.forest, &job.catalog];
                self.tell_definitions(&mut conflicts.borrow_mut(), forests)?;
                Ok(report)
            }
            Err(_) if target.error.is_none() && !has_rows => {
                conflicts.borrow_mut().append(&mut target.tried.take().unwrap_or_default());
                Ok(Report::default())
            }
            Err(error) => Err(target.error.take().unwrap_or_else(|| error.into())),
        }
    }

    /// A thread that may go ahead in a merge of large tables.
    fn merge_helpers(&self, versions: &Versions<'_>) -> Option<Helpers> {
        let settings = self.session.settings();
        let forest = &versions.theirs.forest;
        let is_large = versions.theirs.shape.tables.iter().any(|table| {
            forest.tree(table.tree).is_some_and(|tree| tree.len() >= settings.parallel_rows_min)
        });
        (is_large && settings.threads > 1).then(|| Helpers::take(1)).flatten()
    }

    /// The base of a merge whose branches have several best common ancestors: a fork of the
    /// newest into which the others are merged, and what they do not agree on there.
    pub(super) fn common_base(&self, plan: &MergePlan) -> Result<Option<CommonBase>> {
        if plan.ancestors().is_empty() {
            return Ok(None);
        }
        let fork = self.branches.fork_view(plan.base_view())?;
        let mut unsettled = BTreeSet::new();
        let mut labels = Vec::new();
        for ancestor in plan.ancestors() {
            let mut partings = ancestor.partings().iter();
            let first = partings.next();
            // What comes out differently if the two parted elsewhere is not settled either.
            let mut others = Vec::new();
            for parting in partings {
                let other = Fork::of(self.branches.manager(), fork.head())?;
                let report = self.join((plan, ancestor), Some(parting), &labels, &other)?;
                unsettled.extend(report.unsettled);
                others.push(other);
            }
            let report = self.join((plan, ancestor), first, &labels, &fork)?;
            unsettled.extend(report.unsettled);
            labels.push((report.numbering, ancestor.numbers()));
            for other in others {
                unsettled.extend(self.apart(&fork, &other)?);
            }
        }
        let pager = self.branches.manager().pager();
        let newest = self.version(plan.base())?;
        let numbers = joined(pager, (&newest, plan.numbers()), &labels)?;
        Ok(Some(CommonBase { fork, unsettled, numbers }))
    }

    /// Merges another best common ancestor into a fork of the base, from where they parted.
    fn join(
        &self,
        (plan, ancestor): (&MergePlan, &Ancestor),
        parting: Option<&Parting>,
        labels: &[(Numbering, &[Numbering; 2])],
        fork: &Fork,
    ) -> Result<Report> {
        let (base, numbers) = match parting {
            Some(parting) => {
                let [mut called, own] = parting.numbers().clone();
                if let Some((label, _)) = parting.holder().and_then(|place| labels.get(place)) {
                    called.then(label);
                }
                (parting.base(), [called, own])
            }
            None => (Forest::default(), Default::default()),
        };
        let base = self.version(base)?;
        let job = Job {
            known: Known {
                apart: told_apart(plan.numbers(), ancestor.numbers()),
                ..self.known(&base, &numbers)?
            },
            base,
            theirs: self.version(ancestor.theirs())?,
            catalog: ancestor.theirs(),
            head: fork.head(),
            expected: self.branches.manager().head(fork.head()).map_err(Error::from)?.commit.0,
            target: plan.target.name.clone(),
            plan: None,
            message: String::new(),
            has_own_base: false,
        };
        let conflicts: RefCell<Vec<Conflict>> = RefCell::default();
        self.on_head(fork.head(), || {
            self.session.changing(DatabaseIndex::MAIN, |sources, schemas| {
                let options = MergeOptions { makes_base: true, ..MergeOptions::default() };
                self.put(&job, &options, &sources, schemas, &conflicts)
            })
        })
    }

    /// What two forks do not agree on.
    fn apart(&self, fork: &Fork, other: &Fork) -> Result<BTreeSet<ConflictKey>> {
        let read = || pandodb_tm::BeginOptions::read_only();
        let (fork, other) = (fork.begin(read())?, other.begin(read())?);
        let (left, right) = (self.version(fork.forest())?, self.version(other.forest())?);
        Ok(between(self.branches.manager().pager(), &left, &right)?)
    }
}

/// A base that is made of several.
pub(super) struct CommonBase {
    pub(super) fork: Fork,
    /// What they do not agree on.
    pub(super) unsettled: BTreeSet<ConflictKey>,
    /// What its rows are called on the target, and on the source.
    pub(super) numbers: [Numbering; 2],
}

/// The transaction of the target.
pub(super) fn transaction(sources: &[Option<SharedTransaction>]) -> Result<&SharedTransaction> {
    sources.first().and_then(Option::as_ref).ok_or_else(|| {
        Error::new(ErrorKind::Internal, "the target of the merge has no transaction")
    })
}
