//! Branches, merges and comparisons of the engine in this crate's types.
//!
//! Neighbours: `crate::branch` is what programs see of it.

use pandodb_branch::diff::RowChangeKind;
use pandodb_branch::diff::schema::{ObjectKind, SchemaChange as StoredChange, SchemaDifference};
use pandodb_branch::fork::Fork as InnerFork;
use pandodb_branch::merge::{
    Conflict as StoredConflict, ConflictKey, ConflictKind as StoredKind, Pick, Policy,
};
use pandodb_branch::registry::{Branch as StoredBranch, BranchState, Strategy as StoredStrategy};
use pandodb_ds::record::Value as StoredValue;
use pandodb_ds::sync::Arc;
use pandodb_qp::ast::{Name, PointInTime};
use pandodb_qp::branching::{self, Answer, MergeCall, MergeDone};
use pandodb_qp::catalog::DatabaseIndex;

use super::session::{Database, Session, borrowed, convert, stored};
use crate::branch::{
    Branch, ChangeKind, Commit, Comparison, Conflict, ConflictKind, Merge, MergeOutcome,
    MergePolicy, MergeStatus, Moment, ObjectType, Resolution, RowChange, SchemaChange,
    SchemaChangeKind, Strategy, TableChanges, Tag, time_of,
};
use crate::error::Result;
use crate::value::Value;

/// Where a conflict is, the same in every run of the same merge.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConflictAddress(ConflictKey);

/// A branch in memory.
#[derive(Clone, Debug)]
pub(crate) struct Fork {
    database: Database,
    fork: Arc<InnerFork>,
}

impl Fork {
    pub(crate) fn connect(&self) -> Session {
        self.database.connect_to_fork(Arc::clone(&self.fork))
    }

    pub(crate) fn base(&self) -> u64 {
        self.fork.base()
    }

    pub(crate) fn check_base(&self) -> Result<()> {
        self.fork.check_base().map_err(|error| convert(error.into(), ""))
    }

    pub(crate) fn fork(&self) -> Result<Self> {
        let fork = InnerFork::of(self.database.inner().manager(), self.fork.head());
        let fork = fork.map_err(|error| convert(error.into(), ""))?;
        Ok(Self { database: self.database.clone(), fork: Arc::new(fork) })
    }
}

impl Database {
    /// A fork of a branch, or of the first one.
    pub(crate) fn fork(&self, branch: Option<&str>, at: &Moment) -> Result<Fork> {
        let session = self.connect();
        let branch = branch.map_or_else(|| session.current_branch(), str::to_owned);
        let fork = branching::fork_branch(session.inner(), &branch, &point(at));
        let fork = Arc::new(fork.map_err(|error| convert(error, ""))?);
        Ok(Fork { database: self.clone(), fork })
    }
}

impl Session {
    pub(crate) fn branches(&self) -> Result<Vec<Branch>> {
        let found = branching::list_branches(self.inner()).map_err(|error| convert(error, ""))?;
        Ok(found.into_iter().map(|(branch, commit)| self.described(branch, commit)).collect())
    }

    pub(crate) fn branch(&self, name: &str) -> Result<Branch> {
        let found = branching::find_branch(self.inner(), name);
        let (branch, commit) = found.map_err(|error| convert(error, ""))?;
        Ok(self.described(branch, commit))
    }

    fn described(&self, branch: StoredBranch, head_commit: u64) -> Branch {
        let head = self.inner().database(DatabaseIndex::MAIN).map(|(_, head)| head.0);
        let expires_at = branch.expires().map(time_of);
        let options = branch.options;
        Branch {
            name: branch.name,
            id: branch.id.0,
            parent: branch.parent,
            created_at: time_of(branch.created),
            head_commit,
            merged_into: match branch.state {
                BranchState::Active => None,
                BranchState::Merged { into, .. } => Some(into),
            },
            is_current: head.is_ok_and(|head| head == branch.head),
            read_only: options.read_only,
            protected: options.protected,
            temporary: options.temporary,
            auto_delete: options.auto_delete,
            expires_at,
            strategy: match options.strategy {
                StoredStrategy::Cow => Strategy::Cow,
                StoredStrategy::Copy => Strategy::Copy,
                StoredStrategy::ReadOnly => Strategy::ReadOnly,
            },
            owner: options.owner,
            description: options.description,
            options: options.free,
        }
    }

    pub(crate) fn commits(&self, branch: &str, most: usize) -> Result<Vec<Commit>> {
        let found = branching::list_commits(self.inner(), branch, most);
        let commits = found.map_err(|error| convert(error, ""))?.into_iter();
        Ok(commits
            .map(|commit| Commit {
                number: commit.commit,
                parent: commit.base,
                time: time_of(commit.time),
                author: commit.author,
                message: commit.message,
                changes: commit.operations,
            })
            .collect())
    }

    pub(crate) fn commit_at(&self, micros: i64) -> Result<u64> {
        let (database, _) =
            self.inner().database(DatabaseIndex::MAIN).map_err(|error| convert(error, ""))?;
        let found = database.manager().commit_at(micros);
        Ok(found.map_err(|error| convert(error.into(), ""))?.0)
    }

    pub(crate) fn tags(&self) -> Result<Vec<Tag>> {
        let found = branching::list_tags(self.inner()).map_err(|error| convert(error, ""))?;
        let tags = found.into_iter().map(|tag| Tag {
            name: tag.name,
            branch: tag.branch,
            commit: tag.position.commit,
            created_at: time_of(tag.created),
            message: tag.message,
        });
        Ok(tags.collect())
    }

    pub(crate) fn merge(&self, merge: &Merge<'_>, target: String) -> Result<MergeOutcome> {
        let answers = merge.answers.iter();
        let call = MergeCall {
            source: merge.source.clone(),
            target,
            policy: match merge.policy {
                MergePolicy::Fail => Policy::Fail,
                MergePolicy::SourceWins => Policy::SourceWins,
                MergePolicy::TargetWins => Policy::TargetWins,
            },
            renumbers: merge.renumbers,
            answers: answers.map(|(place, answer)| (place.0.clone(), answer_of(answer))).collect(),
            is_dry_run: merge.is_dry_run,
            drops_source: merge.drops_source,
            message: merge.message.clone(),
            author: merge.author.clone(),
        };
        let done = branching::merge_branches(self.inner(), &call);
        Ok(outcome_of(done.map_err(|error| convert(error, ""))?))
    }

    pub(crate) fn compare(&self, old: &str, new: &str) -> Result<Comparison> {
        let found = branching::compare_branches(self.inner(), old, new);
        let found = found.map_err(|error| convert(error, ""))?;
        let rows = |rows: Vec<pandodb_branch::diff::RowDifference>| {
            let rows = rows.into_iter().map(|row| RowChange {
                kind: match row.kind {
                    RowChangeKind::Added => ChangeKind::Inserted,
                    RowChangeKind::Changed => ChangeKind::Updated,
                    RowChangeKind::Removed => ChangeKind::Deleted,
                },
                key: values(&row.key),
                old: row.old.as_deref().map(values),
                new: row.new.as_deref().map(values),
                changed: row.changed,
            });
            rows.collect()
        };
        let tables = found.tables.into_iter().map(|table| TableChanges {
            name: table.name,
            old_name: table.old_name,
            new_name: table.new_name,
            columns: table.columns,
            rows: rows(table.rows),
        });
        Ok(Comparison {
            schema: found.schema.into_iter().map(schema_change).collect(),
            tables: tables.collect(),
        })
    }
}

fn schema_change(found: SchemaDifference) -> SchemaChange {
    SchemaChange {
        object: match found.kind {
            ObjectKind::Table => ObjectType::Table,
            ObjectKind::Index => ObjectType::Index,
            ObjectKind::View => ObjectType::View,
            ObjectKind::Trigger => ObjectType::Trigger,
            ObjectKind::Setting => ObjectType::Setting,
        },
        name: found.name,
        column: found.part,
        change: match found.change {
            StoredChange::Added => SchemaChangeKind::Added,
            StoredChange::Dropped => SchemaChangeKind::Dropped,
            StoredChange::Renamed { from } => SchemaChangeKind::Renamed { from },
            StoredChange::Changed { from, to } => SchemaChangeKind::Changed { from, to },
        },
    }
}

fn answer_of(resolution: &Resolution) -> Answer {
    match resolution {
        Resolution::PreferBranch => Answer::Pick(Pick::Theirs),
        Resolution::PreferMain => Answer::Pick(Pick::Ours),
        Resolution::Base => Answer::Pick(Pick::Base),
        Resolution::Delete => Answer::Pick(Pick::Delete),
        Resolution::Value(value) => Answer::Pick(Pick::Cell(stored(value.as_ref()))),
        Resolution::Row(cells) => {
            let cells = cells.iter().map(|(name, value)| (name.clone(), stored(value.as_ref())));
            Answer::Row(cells.collect())
        }
        Resolution::Definition(text) => Answer::Definition(text.clone()),
    }
}

fn outcome_of(done: MergeDone) -> MergeOutcome {
    let total = |count: fn(&pandodb_branch::merge::TableCounts) -> u64| {
        done.report.tables.values().map(count).sum::<u64>()
    };
    let (inserted, updated) = (total(|table| table.inserted), total(|table| table.updated));
    let (deleted, renumbered) = (total(|table| table.deleted), total(|table| table.renumbered));
    let status = match done.status {
        "merged" => MergeStatus::Merged,
        "fast-forward" => MergeStatus::FastForward,
        "would merge" => MergeStatus::WouldMerge,
        "conflicts" => MergeStatus::Conflicts,
        _ => MergeStatus::UpToDate,
    };
    MergeOutcome {
        success: status != MergeStatus::Conflicts,
        status,
        is_counted: done.is_counted,
        changes_applied: inserted + updated + deleted + done.report.schema_changes,
        rows_inserted: inserted,
        rows_updated: updated,
        rows_deleted: deleted,
        rows_renumbered: renumbered,
        schema_changes: done.report.schema_changes,
        conflicts: done.conflicts.into_iter().map(conflict_of).collect(),
    }
}

fn conflict_of(conflict: StoredConflict) -> Conflict {
    Conflict {
        kind: match conflict.kind {
            StoredKind::Schema => ConflictKind::Schema,
            StoredKind::Data => ConflictKind::Data,
            StoredKind::DeleteModify => ConflictKind::Deletion,
            StoredKind::Constraint(_) => ConflictKind::Constraint,
        },
        object: conflict.object_name,
        column: conflict.column_name,
        columns: conflict.columns,
        row_key: values(&conflict.row_key),
        base: conflict.base.as_deref().map(values),
        ours: conflict.ours.as_deref().map(values),
        theirs: conflict.theirs.as_deref().map(values),
        detail: conflict.detail,
        address: ConflictAddress(conflict.key),
        resolution: None,
    }
}

fn values(values: &[StoredValue]) -> Vec<Value> {
    values.iter().map(|value| Value::from(borrowed(value.as_ref()))).collect()
}

fn point(moment: &Moment) -> PointInTime {
    match moment {
        Moment::Now => PointInTime::Now,
        Moment::Commit(number) => PointInTime::Transaction(*number),
        Moment::Timestamp(text) => PointInTime::Timestamp(text.as_str().into()),
        Moment::Tag(name) => PointInTime::Tag(Name::new(name.as_str())),
    }
}
