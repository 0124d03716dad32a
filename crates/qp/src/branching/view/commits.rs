//! `pando_log([branch])` and `pando_changes(transaction)`: commits, and what one changed.
//!
//! Neighbours: the branch crate lists commits and finds the data before and after one.

use pandodb_ds::record::Value;

use super::text_argument;
use crate::branching::{Rows, Work};
use crate::error::{Error, Result};

/// The commits of a branch, newest first; `*` means those of all branches.
pub(super) fn log(work: &Work<'_>, arguments: &[Value]) -> Result<Rows> {
    match text_argument(arguments, 0) {
        Some(all) if all == "*" => work.commit_rows(None),
        Some(name) => work.commit_rows(Some(&name)),
        None => work.commit_rows(Some(&work.current()?.name)),
    }
}

/// What a commit changed, the schema first.
pub(super) fn changes(work: &Work<'_>, arguments: &[Value]) -> Result<Rows> {
    let number = text_argument(arguments, 0).and_then(|text| text.parse().ok());
    let Some(number) = number else {
        let hint = "pando_log lists the numbers of transactions";
        return Err(Error::invalid("pando_changes() needs a transaction's number").with_hint(hint));
    };
    let (_, before, after) = work.commit_views(number)?;
    let (old, new) = (work.version(before.forest())?, work.version(after.forest())?);
    work.differences(&old, &new, None, usize::MAX)
}
