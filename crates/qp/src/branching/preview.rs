//! PREVIEW: what statements or a merge would change; APPLY does it, if nobody came first.
//!
//! The work is done on a fork in memory, which nobody else sees and which takes no lock on the
//! branch, in one transaction; the report is the difference to where the fork began. Other
//! databases of the session (`temp`, attached ones) are put back. A constraint that fails is part
//! of the report, and nothing can be applied then. The session keeps its newest preview until it
//! is applied or another one is made. Neighbours: `job` merges, the branch crate forks.

use std::collections::BTreeMap;

use pandodb_branch::diff::{RowCounts, TableVersion, Version, tables};
use pandodb_branch::fork::Fork;
use pandodb_branch::merge::{Conflict, Report};
use pandodb_branch::registry::{Branch, Branches, MergeKind, MergeLabel, MergePlan, Privilege};
use pandodb_branch::shape::{KeyShape, Shape, TableShape};
use pandodb_ds::record::Value;
use pandodb_tm::BeginOptions;

use super::job::{Failure, Job};
use super::options::{MergeRequest, merge_request};
use super::shape::COUNTS_ALONE;
use super::show::{listed, text};
use super::{Rows, Work};
use crate::ast::{BranchOption, BranchStatement, Name, Statement, StatementKind};
use crate::catalog::{DatabaseIndex, ObjectId};
use crate::error::{Error, ErrorKind, Result};
use crate::modify::counter_of;
use crate::session::greatest_number;

/// The columns of PREVIEW.
pub(super) const COLUMNS: &[&str] =
    &["section", "object_name", "change", "row_key", "column_name", "old_value", "new_value"];

/// The columns of APPLY.
pub(super) const APPLY_COLUMNS: &[&str] = &["status", "branch_name", "transaction_id", "changes"];

/// Rows of each table whose cells the report shows, at most; counts are of all.
const ROWS_MAX: usize = 1000;

/// What the session previewed last.
#[derive(Debug)]
pub(crate) struct Previewed {
    fork: Fork,
    branch: Branch,
    /// The merge that was previewed; its source's moment is kept.
    merge: Option<(MergePlan, MergeRequest, MergeLabel)>,
    branches: Branches,
    message: String,
    /// Why it cannot be applied.
    refused: Option<String>,
    /// How far all branches were with the counters that the statements asked.
    numbers: BTreeMap<ObjectId, i64>,
}

impl Drop for Previewed {
    fn drop(&mut self) {
        if let Some((plan, ..)) = self.merge.take() {
            // What stays is dropped with the next maintenance.
            let _ = self.branches.abandon_merge(plan);
        }
    }
}

/// What was found beside the changes.
#[derive(Default)]
struct Found {
    conflicts: Vec<Conflict>,
    constraint: Option<String>,
    /// What a merge calls rows.
    label: MergeLabel,
}

impl Work<'_> {
    pub(super) fn preview(&self, statements: &[Statement], sql: &str) -> Result<Rows> {
        *self.session.previewed.borrow_mut() = None;
        let clock = self.session.database(DatabaseIndex::MAIN)?.0.clock();
        let begun = clock.monotonic();
        let (previewed, found) = match statements {
            [Statement { kind: StatementKind::Branch(statement), .. }] => match &**statement {
                BranchStatement::Merge { source, target, options } => {
                    self.preview_merge(source, target, options)?
                }
                BranchStatement::UndoTransaction { transaction, options } => {
                    self.preview_pick(&self.undo_of(*transaction)?, options)?
                }
                BranchStatement::CherryPick { transaction, target, options } => {
                    self.preview_pick(&self.pick_of(*transaction, target.as_ref())?, options)?
                }
                _ => return Err(not_previewed()),
            },
            _ => self.preview_statements(statements, sql)?,
        };
        let took = clock.monotonic().saturating_sub(begun);
        let rows = self.report(&previewed, &found, took.as_micros() as i64)?;
        *self.session.previewed.borrow_mut() = Some(previewed);
        Ok(rows)
    }

    fn preview_statements(
        &self,
        statements: &[Statement],
        sql: &str,
    ) -> Result<(Previewed, Found)> {
        if !statements.iter().all(is_previewed) {
            return Err(not_previewed());
        }
        let branch = self.current()?;
        // Who may read may try (a fork has no grants); to apply it is to write.
        self.may(&branch, Privilege::Read)?;
        let fork = self.branches.fork(&branch.name)?;
        let mut found = Found::default();
        self.session.use_head(DatabaseIndex::MAIN, fork.head());
        self.session.set_origin(Some(self.head));
        self.session.tried_numbers.take();
        let done = self.session.trying(statements, sql);
        self.session.set_origin(None);
        self.session.use_head(DatabaseIndex::MAIN, self.head);
        match done {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::Constraint(_)) => {
                found.constraint = Some(error.message().to_owned());
            }
            Err(error) => return Err(error),
        }
        let refused = found.constraint.clone();
        let message = "apply a preview".to_owned();
        let mut previewed = self.previewed(fork, branch, None, message, refused);
        previewed.numbers = self.session.tried_numbers.take();
        Ok((previewed, found))
    }

    fn previewed(
        &self,
        fork: Fork,
        branch: Branch,
        merge: Option<(MergePlan, MergeRequest, MergeLabel)>,
        message: String,
        refused: Option<String>,
    ) -> Previewed {
        let branches = self.branches.clone();
        Previewed { fork, branch, merge, branches, message, refused, numbers: BTreeMap::new() }
    }

    fn preview_merge(
        &self,
        source: &Name,
        target: &Name,
        options: &[BranchOption],
    ) -> Result<(Previewed, Found)> {
        let request = merge_request(options)?;
        self.named_branch(source, Privilege::Read)?;
        self.named_branch(target, Privilege::Read)?;
        let plan = self.branches.begin_merge(&source.text, &target.text)?;
        let branch = plan.target.clone();
        let fork = match self.branches.fork(&branch.name) {
            Ok(fork) => fork,
            Err(error) => {
                self.branches.abandon_merge(plan)?;
                return Err(error.into());
            }
        };
        let tried = self.try_merge(&plan, &request, &fork);
        let (message, found) = match tried {
            Ok(tried) => tried,
            Err(error) => {
                self.branches.abandon_merge(plan)?;
                return Err(error);
            }
        };
        let refused = refusal(&found);
        let label = found.label.clone();
        Ok((self.previewed(fork, branch, Some((plan, request, label)), message, refused), found))
    }

    fn try_merge(
        &self,
        plan: &MergePlan,
        request: &MergeRequest,
        fork: &Fork,
    ) -> Result<(String, Found)> {
        let mut request = request.clone();
        request.dry_run = false;
        let common = self.common_base(plan)?;
        let read = BeginOptions::read_only();
        let kept = common.as_ref().map(|common| common.fork.begin(read)).transpose()?;
        let base = kept.as_ref().map_or_else(|| plan.base(), pandodb_tm::Transaction::forest);
        let mut numbers = plan.numbers();
        if let Some(common) = &common {
            request.options.unsettled.clone_from(&common.unsettled);
            numbers = &common.numbers;
        }
        let job = self.job_of(plan, base, numbers, &request)?;
        let job = Job { head: fork.head(), expected: fork.base(), plan: None, ..job };
        let found = self.try_job(&job, &request)?;
        Ok((job.message, found))
    }

    fn preview_pick(
        &self,
        picked: &super::pick::Picked,
        options: &[BranchOption],
    ) -> Result<(Previewed, Found)> {
        let request = merge_request(options)?;
        let job = self.pick_job(picked, &request)?;
        let fork = self.branches.fork(&picked.target.name)?;
        let job = Job { head: fork.head(), expected: fork.base(), ..job };
        let found = self.try_job(&job, &MergeRequest { dry_run: false, ..request })?;
        let refused = refusal(&found);
        let branch = picked.target.clone();
        Ok((self.previewed(fork, branch, None, job.message, refused), found))
    }

    fn try_job(&self, job: &Job<'_>, request: &MergeRequest) -> Result<Found> {
        match self.run_job(job, request, None) {
            Ok(outcome) => {
                let Report { numbering: source, replaced: target, .. } = outcome.report;
                let label = MergeLabel { source, target };
                Ok(Found { label, ..Found::default() })
            }
            Err(Failure::Conflicts(conflicts, _)) => Ok(Found { conflicts, ..Found::default() }),
            Err(Failure::Error(error)) => Err(error),
        }
    }

    fn report(&self, previewed: &Previewed, found: &Found, micros: i64) -> Result<Rows> {
        let after = previewed.fork.begin(BeginOptions::read_only())?;
        let (old, new) = self.versions([previewed.fork.before(), after.forest()])?;
        let fact = |section: &str, name: Value, change: &str, new_value: Value| {
            let (section, change) = (text(section), text(change));
            vec![section, name, change, Value::Null, Value::Null, Value::Null, new_value]
        };
        let branch = || text(&previewed.branch.name);
        let base = Value::Integer(previewed.fork.base() as i64);
        let mut rows = vec![
            fact("preview", branch(), "base transaction", base),
            fact("preview", branch(), "microseconds", Value::Integer(micros)),
        ];
        self.table_counts(&old, &new, &mut rows)?;
        for mut row in self.first_differences(&old, &new, ROWS_MAX)? {
            if row[0] != text("row") {
                row[2] = text(schema_change(&row));
                row[0] = text("schema");
            }
            rows.push(row);
        }
        for conflict in &found.conflicts {
            rows.push(vec![
                text("conflict"),
                text(&conflict.object_name),
                text(conflict.kind.as_str()),
                listed(Some(&conflict.row_key)),
                conflict.column_name.as_ref().map_or(Value::Null, text),
                listed(conflict.ours.as_deref()),
                listed(conflict.theirs.as_deref()),
            ]);
        }
        let (held, told) = match &found.constraint {
            Some(told) => ("fails", text(told)),
            None if found.conflicts.is_empty() => ("all hold", Value::Null),
            None => ("not decided", Value::Null),
        };
        rows.push(fact("constraints", Value::Null, held, told));
        Ok(rows)
    }

    /// For each table that changes: how many rows there are, before and after, and how many go,
    /// come and change.
    fn table_counts(&self, old: &Version, new: &Version, rows: &mut Rows) -> Result<()> {
        let pager = self.branches.manager().pager();
        // A table that is made again has rows before and after.
        let mut told: Vec<(String, [Option<u64>; 2], RowCounts)> = Vec::new();
        for pair in tables(old, new) {
            let Some(diff) = pair.rows(pager)? else { continue };
            let counts = diff.count()?;
            let count = |side: Option<TableVersion<'_>>| {
                side.map(|side| side.tree.map_or(0, pandodb_ds::tree::Tree::len))
            };
            let there = [count(pair.old), count(pair.new)];
            match told.iter_mut().find(|known| known.0 == pair.name()) {
                Some((_, known, all)) => {
                    *known = [known[0].or(there[0]), known[1].or(there[1])];
                    all.add_all(&counts);
                }
                None => told.push((pair.name().to_owned(), there, counts)),
            }
        }
        let number = |number: u64| Value::Integer(number as i64);
        for (name, there, counts) in told {
            let fact = |change: &str, old: Value, new: Value| {
                let (section, name) = (text("table"), text(&name));
                vec![section, name, text(change), Value::Null, Value::Null, old, new]
            };
            let [before, after] = there.map(|rows| rows.map_or(Value::Null, number));
            rows.push(fact("rows", before, after));
            for (change, count) in [
                ("inserted", counts.added),
                ("updated", counts.changed),
                ("deleted", counts.removed),
            ] {
                rows.push(fact(change, Value::Null, number(count)));
            }
        }
        Ok(())
    }

    pub(super) fn apply(&self) -> Result<Rows> {
        let Some(previewed) = self.session.previewed.take() else {
            let error = Error::new(ErrorKind::State, "there is nothing to apply");
            return Err(error.with_hint("PREVIEW a statement, a script or a merge first"));
        };
        if let Some(refused) = &previewed.refused {
            let message = format!("the preview cannot be applied: {refused}");
            return Err(Error::new(ErrorKind::State, message));
        }
        let branch = self.branches.get(&previewed.branch.name)?;
        let is_merge = previewed.merge.is_some();
        self.may(&branch, if is_merge { Privilege::Merge } else { Privilege::Write })?;
        if let Some((plan, request, _)) = &previewed.merge
            && request.delete_branch_after
        {
            self.may(&plan.source, Privilege::Admin)?;
        }
        self.branches.check_settled(&branch)?;
        if let Some((plan, request, _)) = &previewed.merge
            && plan.kind == MergeKind::UpToDate
        {
            self.up_to_date(plan, request)?;
            let commit = self.branches.position(&branch)?.commit;
            return Ok(vec![applied("nothing to do", &branch, commit, 0)]);
        }
        previewed.fork.check_base()?;
        self.claim_numbers(&previewed)?;
        let (database, _) = self.session.database(DatabaseIndex::MAIN)?;
        let head = pandodb_tm::HeadId(branch.head);
        let mut transaction = database.begin(head, self.begin_options())?;
        let inner = transaction.inner_mut()?;
        let changes = previewed.fork.apply(inner)?;
        inner.describe("", &*previewed.message);
        if let Some((plan, request, label)) = &previewed.merge {
            inner.describe(&*request.author, &*previewed.message);
            self.record((plan, label), request, inner)?;
        }
        let is_anything = inner.has_changes();
        let commit = if is_anything { transaction.commit()?.0 } else { previewed.fork.base() };
        let mut previewed = previewed;
        if let Some((plan, ..)) = previewed.merge.take() {
            self.leave_dropped(&plan)?;
        }
        let status = if is_anything { "applied" } else { "nothing to do" };
        Ok(vec![applied(status, &branch, commit, changes)])
    }
}

/// A preview takes no numbers of counters that branches share: another branch may have been given
/// them since. Those that statements chose themselves count for the others from now on.
impl Work<'_> {
    fn claim_numbers(&self, previewed: &Previewed) -> Result<()> {
        let after = previewed.fork.begin(BeginOptions::read_only())?;
        let (before, after) = (previewed.fork.before(), after.forest());
        let pager = self.branches.manager().pager();
        for table in counted_tables(&self.version(after.clone())?.shape) {
            let own = ObjectId(table.id.0);
            let last = counter_of(pager, &after, own)?;
            if last <= counter_of(pager, &before, own)? {
                continue;
            }
            let counters = self.branches.counters();
            let Some(seen) = previewed.numbers.get(&own) else {
                counters.raise(table.id, last);
                continue;
            };
            let all = || greatest_number(&self.branches, own);
            if !counters.claim(table.id, (*seen, last), all)? {
                let message = format!(
                    "a branch was given a number of {} since the preview, which may have it, too",
                    table.name
                );
                return Err(Error::new(ErrorKind::State, message).with_hint("preview it again"));
            }
        }
        Ok(())
    }
}

/// The tables whose counters branches share.
fn counted_tables(shape: &Shape) -> impl Iterator<Item = &TableShape> {
    let is_counted = |table: &&TableShape| {
        matches!(table.key, KeyShape::Rowid { autoincrement: true, .. })
            && !table.options.contains(COUNTS_ALONE)
    };
    shape.tables.iter().filter(is_counted)
}

/// The row of APPLY.
fn applied(status: &str, branch: &Branch, commit: u64, changes: u64) -> Vec<Value> {
    let [commit, changes] = [commit, changes].map(|number| Value::Integer(number as i64));
    vec![text(status), text(&branch.name), commit, changes]
}

/// What happened to an object of the schema: "table added", "column changed".
fn schema_change(row: &[Value]) -> String {
    let word = |place: usize| match row.get(place) {
        Some(Value::Text(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    let is_column = word(0) == "table" && row.get(4) != Some(&Value::Null);
    let what = if is_column { "column".to_owned() } else { word(0) };
    format!("{what} {}", word(2))
}

fn refusal(found: &Found) -> Option<String> {
    let count = found.conflicts.len();
    (count > 0).then(|| format!("it met {count} conflict{}", if count == 1 { "" } else { "s" }))
}

/// Whether a statement can run on a fork and be put back.
fn is_previewed(statement: &Statement) -> bool {
    use StatementKind as Kind;
    matches!(
        statement.kind,
        Kind::Select(_)
            | Kind::Insert(_)
            | Kind::Update(_)
            | Kind::Delete(_)
            | Kind::CreateTable(_)
            | Kind::CreateIndex(_)
            | Kind::CreateView(_)
            | Kind::CreateTrigger(_)
            | Kind::AlterTable(_)
            | Kind::Drop(_)
            | Kind::Reindex(_)
            | Kind::Analyze(_)
    )
}

#[cold]
fn not_previewed() -> Error {
    let message = "this statement cannot be previewed";
    Error::new(ErrorKind::Unsupported, message).with_hint(
        "changes, definitions and queries can (a script is one transaction: leave BEGIN and COMMIT \
         out), and MERGE BRANCH, UNDO TRANSACTION and CHERRY PICK by themselves",
    )
}
