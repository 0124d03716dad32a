//! MERGE, CHERRY PICK and UNDO inside of an open transaction: they belong to it.
//!
//! What they put into a branch is there for the statements that follow, becomes durable with the
//! transaction's COMMIT and is gone with its ROLLBACK. The record of a merge is a part of the same
//! commit; until then nobody else can change the records of branches. So what needs records of
//! its own (a merge that stays open, a branch that is dropped) has to wait for the COMMIT.
//! Neighbours: `merge` and `pick` ask, `job` does the work.

use pandodb_branch::merge::Policy;
use pandodb_branch::registry::{Branch, MergePlan};
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::encode_row;
use pandodb_tm::HeadId;

use super::Work;
use super::options::MergeRequest;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{CATALOG_TREE, COOKIE_ROW, Transaction};

impl Work<'_> {
    /// Whether a transaction of the caller is open.
    pub(super) fn is_inside(&self) -> bool {
        !self.session.is_autocommit()
    }

    /// Refuses what changes or collects records while the open transaction holds a merge.
    pub(super) fn without_merge(&self) -> Result<()> {
        let holds = self
            .session
            .with_open(|transaction| Ok(self.branches.is_recording(transaction.inner_mut()?)))?;
        if holds != Some(true) {
            return Ok(());
        }
        let message = "the open transaction holds a merge";
        Err(Error::new(ErrorKind::State, message).with_hint("COMMIT or ROLLBACK it first"))
    }

    /// Refuses what a merge or pick cannot do inside of a transaction.
    pub(super) fn check_inside(
        &self,
        request: &MergeRequest,
        source: Option<&Branch>,
    ) -> Result<()> {
        if !self.is_inside() {
            return Ok(());
        }
        let is_kept_open = request.options.policy == Policy::Manual && !request.dry_run;
        let goes = source.map_or(Ok(false), |source| self.goes_with_merge(source))?;
        let is_dropped = request.delete_branch_after || goes;
        let (what, hint) = if is_kept_open {
            (
                "a merge cannot be left open inside of a transaction",
                "COMMIT or ROLLBACK first, or \
              choose 'fail', 'source_wins' or 'target_wins'",
            )
        } else if is_dropped {
            (
                "a branch cannot be dropped inside of a transaction",
                "COMMIT or ROLLBACK first, or \
              DROP BRANCH after the COMMIT",
            )
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::State, what).with_hint(hint))
    }

    /// Refuses to merge branches that the open transaction has changed.
    pub(super) fn check_committed(&self, branch: &Branch) -> Result<()> {
        let head = HeadId(branch.head);
        let has_changes = self.session.with_open(|transaction| {
            let inner = transaction.inner_mut()?;
            let current = inner.head();
            let has_changes = inner.use_head(head).is_ok()
                && !inner.forest().is_same_version(&inner.base_forest());
            inner.use_head(current)?;
            Ok(has_changes)
        })?;
        if has_changes != Some(true) {
            return Ok(());
        }
        let message = format!("the branch '{}' has changes that are not committed", branch.name);
        Err(Error::new(ErrorKind::State, message)
            .with_hint("COMMIT or ROLLBACK them first; a merge may come before other changes"))
    }

    /// Refuses plans that need heads of their own.
    pub(super) fn check_plan(&self, plan: &MergePlan) -> Result<()> {
        if !self.is_inside() || plan.ancestors().is_empty() {
            return Ok(());
        }
        let message = format!(
            "merges of '{}' and '{}' crossed: this one cannot run inside of a transaction",
            plan.source.name, plan.target.name
        );
        Err(Error::new(ErrorKind::State, message).with_hint("COMMIT or ROLLBACK first"))
    }
}

/// Makes sure that a branch has a commit in the transaction, also where a merge changed no row.
pub(super) fn touch(transaction: &mut Transaction) -> Result<()> {
    let inner = transaction.inner()?;
    if !inner.forest().is_same_version(&inner.base_forest()) {
        return Ok(());
    }
    let key = rowid_key(COOKIE_ROW);
    let cookie = if let Some(cookie) = transaction.get(CATALOG_TREE, &key)? {
        cookie
    } else {
        // Before its first table a branch has none, which is known as this one.
        let mut row = Vec::new();
        encode_row(&[ValueRef::Integer(0)], &mut row)?;
        row
    };
    transaction.put(CATALOG_TREE, &key, &cookie)
}
