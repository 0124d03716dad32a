//! SHOW BRANCHES, TAGS, COMMITS, CONFLICTS: the registry as rows.
//!
//! Neighbours: `difference` is SHOW DIFF.

use std::collections::BTreeMap;

use pandodb_branch::merge::Pick;
use pandodb_branch::registry::{Branch, BranchId, BranchState, OpenConflict, OpenMerge};
use pandodb_ds::record::Value;

use super::{Rows, Work, options};
use crate::ast::Show;
use crate::error::Result;
use crate::execute::GivenRows;

/// The columns of SHOW BRANCHES.
pub(super) const BRANCH_COLUMNS: &[&str] = &[
    "branch_name",
    "branch_id",
    "parent_branch",
    "created_at",
    "state",
    "is_current",
    "read_only",
    "protected",
    "temporary",
    "expires_at",
    "owner",
    "description",
    "options",
    "head_commit",
    "strategy",
    "auto_delete",
    "merged_into",
];

/// The columns of SHOW TAGS.
pub(super) const TAG_COLUMNS: &[&str] =
    &["tag_name", "branch_name", "transaction_id", "created_at", "message"];

/// The columns of SHOW COMMITS.
pub(super) const COMMIT_COLUMNS: &[&str] = &[
    "transaction_id",
    "committed_at",
    "author",
    "message",
    "parent",
    "changes",
    "merged",
    "branch_name",
];

/// The columns of SHOW CONFLICTS.
pub(super) const CONFLICT_COLUMNS: &[&str] = &[
    "conflict_id",
    "kind",
    "object_kind",
    "object_name",
    "column_name",
    "row_key",
    "base",
    "ours",
    "theirs",
    "resolution",
    "detail",
    "merge_id",
    "source_branch",
    "target_branch",
];

pub(super) fn text(text: impl AsRef<str>) -> Value {
    Value::text(text.as_ref().as_bytes())
}

pub(super) fn listed_branch(branch: &Branch) -> Value {
    text(&branch.name)
}

fn optional(known: Option<impl AsRef<str>>) -> Value {
    known.map_or(Value::Null, text)
}

fn yes(is_so: bool) -> Value {
    Value::Integer(i64::from(is_so))
}

/// Values as one text, the way a person would write them.
pub(super) fn listed(values: Option<&[Value]>) -> Value {
    let Some(values) = values else { return Value::Null };
    text(values.iter().map(options::quoted).collect::<Vec<_>>().join(", "))
}

impl Work<'_> {
    pub(super) fn time(&self, micros: i64) -> Result<Value> {
        options::time_text(self.session, micros)
    }

    pub(super) fn show(&self, what: &Show) -> Result<GivenRows> {
        let rows = match what {
            Show::Branches => self.branch_rows(),
            Show::Tags => self.tag_rows(),
            Show::Commits(branch) => {
                let branch = self.readable_or_current(branch.as_ref())?;
                self.commit_rows(Some(&branch.name))
            }
            Show::Conflicts => self.conflict_rows(Some(self.current()?.id)),
            Show::Diff { source, target, table } => {
                return self.show_difference(source, target, table.as_ref());
            }
        };
        rows.map(GivenRows::from)
    }

    pub(super) fn branch_rows(&self) -> Result<Rows> {
        self.readable()?.iter().map(|branch| self.branch_row(branch)).collect()
    }

    /// A branch as a row.
    pub(super) fn branch_row(&self, branch: &Branch) -> Result<Vec<Value>> {
        let (state, merged_into) = match &branch.state {
            BranchState::Active => ("active", None),
            BranchState::Merged { into, .. } => ("merged", Some(into)),
        };
        let mut options = vec![format!("strategy = {}", branch.options.strategy.as_str())];
        options.extend(branch.options.free.iter().map(|(key, value)| format!("{key} = {value}")));
        let commit = self.branches.position(branch)?.commit;
        Ok(vec![
            text(&branch.name),
            Value::Integer(branch.id.0 as i64),
            optional(branch.parent.as_ref()),
            self.time(branch.created)?,
            text(state),
            yes(branch.head == self.head.0),
            yes(branch.options.read_only),
            yes(branch.options.protected),
            yes(branch.options.temporary),
            branch.expires().map_or(Ok(Value::Null), |at| self.time(at))?,
            text(&branch.options.owner),
            text(&branch.options.description),
            text(options.join(", ")),
            Value::Integer(commit as i64),
            text(branch.options.strategy.as_str()),
            yes(branch.options.auto_delete),
            optional(merged_into),
        ])
    }

    pub(super) fn tag_rows(&self) -> Result<Rows> {
        let tags: Vec<_> = self.branches.with(|state| state.tags().cloned().collect())?;
        let mut rows = Vec::new();
        for tag in tags {
            if !self.may_read_tag(&tag)? {
                continue;
            }
            rows.push(vec![
                text(&tag.name),
                text(&tag.branch),
                Value::Integer(tag.position.commit as i64),
                self.time(tag.created)?,
                text(&tag.message),
            ]);
        }
        Ok(rows)
    }

    /// The commits of a branch, or of all of them, newest first.
    pub(super) fn commit_rows(&self, branch: Option<&str>) -> Result<Rows> {
        const MOST: usize = 10_000;
        let commits = if let Some(name) = branch {
            self.branches.commits(&self.readable_branch(name)?.name, MOST)?
        } else {
            self.branches.commits_of_all(&self.readable()?, MOST)?
        };
        let mut merged: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        let names: BTreeMap<u64, String> = self.branches.with(|state| {
            for (_, line) in state.graph().lines() {
                let merges = line.merges.iter();
                merged.extend(merges.map(|it| ((line.head, it.after), it.source.commit)));
            }
            state.branches().map(|branch| (branch.head, branch.name.clone())).collect()
        })?;
        let parents = self.branches.parents(&commits)?;
        let mut rows = Vec::new();
        for (commit, parent) in commits.into_iter().zip(parents) {
            let source = merged.get(&(commit.head, commit.base));
            rows.push(vec![
                Value::Integer(commit.commit as i64),
                self.time(commit.time)?,
                text(&commit.author),
                text(&commit.message),
                Value::Integer(parent as i64),
                commit.operations.map_or(Value::Null, |count| Value::Integer(count as i64)),
                source.map_or(Value::Null, |source| Value::Integer(*source as i64)),
                optional(names.get(&commit.head)),
            ]);
        }
        Ok(rows)
    }

    /// The conflicts of open merges: all of them, or of that into one branch.
    pub(super) fn conflict_rows(&self, target: Option<BranchId>) -> Result<Rows> {
        let merges: Vec<OpenMerge> =
            self.branches.with(|state| state.open_merges().cloned().collect())?;
        let branches = self.readable()?;
        let branch = |id: BranchId| branches.iter().find(|branch| branch.id == id);
        let mut rows = Vec::new();
        for merge in merges {
            if target.is_some_and(|target| merge.target != target) {
                continue;
            }
            let Some(into) = branch(merge.target) else { continue };
            // Conflicts have the cells of what is merged.
            if !self.may_read_merged(&merge)? {
                continue;
            }
            for open in self.branches.conflicts(&merge)? {
                let mut row = Self::conflict_row(&open);
                row.extend([
                    Value::Integer(merge.id as i64),
                    optional(branch(merge.source).map(|branch| &branch.name)),
                    text(&into.name),
                ]);
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn conflict_row(open: &OpenConflict) -> Vec<Value> {
        let conflict = &open.conflict;
        let resolution = match &open.resolution {
            Some(pick) => text(Self::pick_text(pick)),
            None => Value::Null,
        };
        vec![
            Value::Integer(open.number as i64),
            text(conflict.kind.as_str()),
            text(conflict.object_kind.as_str()),
            text(&conflict.object_name),
            optional(conflict.column_name.as_ref()),
            listed(Some(&conflict.row_key)),
            listed(conflict.base.as_deref()),
            listed(conflict.ours.as_deref()),
            listed(conflict.theirs.as_deref()),
            resolution,
            text(&conflict.detail),
        ]
    }

    /// A resolution in the words of RESOLVE.
    fn pick_text(pick: &Pick) -> String {
        match pick {
            Pick::Theirs => "SOURCE".to_owned(),
            Pick::Ours => "TARGET".to_owned(),
            Pick::Base => "BASE".to_owned(),
            Pick::Delete => "DELETE".to_owned(),
            Pick::Cell(value) => format!("VALUE {}", options::quoted(value)),
            Pick::Row(cells) => format!("ROW of {} cells", cells.len()),
            Pick::Definition(definition) => {
                let definition = Value::text(definition.text.as_bytes());
                format!("DEFINITION {}", options::quoted(&definition))
            }
        }
    }
}
