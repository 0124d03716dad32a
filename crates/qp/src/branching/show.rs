//! SHOW BRANCHES, TAGS, COMMITS, CONFLICTS: the registry as rows.
//!
//! Neighbours: `difference` is SHOW DIFF.

use pandodb_branch::registry::BranchState;
use pandodb_ds::record::Value;

use super::{Rows, Work, options};
use crate::ast::{Name, Show};
use crate::error::Result;

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
];

/// The columns of SHOW TAGS.
pub(super) const TAG_COLUMNS: &[&str] =
    &["tag_name", "branch_name", "transaction_id", "created_at", "message"];

/// The columns of SHOW COMMITS.
pub(super) const COMMIT_COLUMNS: &[&str] =
    &["transaction_id", "committed_at", "author", "message", "parent", "changes"];

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
];

pub(super) fn text(text: impl AsRef<str>) -> Value {
    Value::text(text.as_ref().as_bytes())
}

fn optional(known: Option<impl AsRef<str>>) -> Value {
    known.map_or(Value::Null, text)
}

fn yes(is_so: bool) -> Value {
    Value::Integer(i64::from(is_so))
}

impl Work<'_> {
    fn time(&self, micros: i64) -> Result<Value> {
        options::time_text(self.session, micros)
    }

    /// Values as one text, the way a person would write them.
    pub(super) fn listed(&self, values: Option<&[Value]>) -> Result<Value> {
        let Some(values) = values else { return Ok(Value::Null) };
        let quoted = values.iter().map(|value| options::quoted(self.session, value));
        Ok(text(quoted.collect::<Result<Vec<_>>>()?.join(", ")))
    }

    pub(super) fn show(&self, what: &Show) -> Result<Rows> {
        match what {
            Show::Branches => self.show_branches(),
            Show::Tags => self.show_tags(),
            Show::Commits(branch) => self.show_commits(branch.as_ref()),
            Show::Conflicts => self.show_conflicts(),
            Show::Diff { source, target, table } => {
                self.show_difference(source, target, table.as_ref())
            }
        }
    }

    fn show_branches(&self) -> Result<Rows> {
        let mut rows = Vec::new();
        for branch in self.branches.list()? {
            let state = match &branch.state {
                BranchState::Active => "active",
                BranchState::Merged { .. } => "merged",
            };
            let mut options = vec![format!("strategy = {}", branch.options.strategy.as_str())];
            options
                .extend(branch.options.free.iter().map(|(key, value)| format!("{key} = {value}")));
            let commit = self.branches.position(&branch)?.commit;
            rows.push(vec![
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
            ]);
        }
        Ok(rows)
    }

    fn show_tags(&self) -> Result<Rows> {
        let tags: Vec<_> = self.branches.with(|state| state.tags().cloned().collect())?;
        let mut rows = Vec::new();
        for tag in tags {
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

    fn show_commits(&self, branch: Option<&Name>) -> Result<Rows> {
        const MOST: usize = 10_000;
        let branch = self.name_or_current(branch)?;
        let mut rows = Vec::new();
        for commit in self.branches.commits(&branch, MOST)? {
            rows.push(vec![
                Value::Integer(commit.commit as i64),
                self.time(commit.time)?,
                text(&commit.author),
                text(&commit.message),
                Value::Integer(commit.base as i64),
                commit.operations.map_or(Value::Null, |count| Value::Integer(count as i64)),
            ]);
        }
        Ok(rows)
    }

    fn show_conflicts(&self) -> Result<Rows> {
        let current = self.current()?;
        let Ok(merge) = self.branches.merge_into(&current.name) else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for open in self.branches.conflicts(&merge)? {
            let conflict = &open.conflict;
            rows.push(vec![
                Value::Integer(open.number as i64),
                text(conflict.kind.as_str()),
                text(conflict.object_kind.as_str()),
                text(&conflict.object_name),
                optional(conflict.column_name.as_ref()),
                self.listed(Some(&conflict.row_key))?,
                self.listed(conflict.base.as_deref())?,
                self.listed(conflict.ours.as_deref())?,
                self.listed(conflict.theirs.as_deref())?,
                open.resolution.as_ref().map_or(Value::Null, |pick| text(format!("{pick:?}"))),
                text(&conflict.detail),
            ]);
        }
        Ok(rows)
    }
}
