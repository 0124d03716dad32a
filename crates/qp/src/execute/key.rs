//! Values as bytes that are equal where the values are: keys of groups, sets and hash tables.
//!
//! The bytes are those of index keys, so that sorting them sorts the values. Neighbours:
//! `operators` group and sort by these.

use pandodb_ds::record::key::{ColumnOrder, push_column};
use pandodb_ds::record::{Collation, ValueRef};

use super::Scope;
use crate::error::Result;
use crate::plan::{GroupKey, SortKey};

/// The bytes of a row's key.
pub type HashedRow = Box<[u8]>;

/// Appends a value so that equal ones (by `collation`) are equal bytes in the values' order.
pub fn push_group_key(value: ValueRef<'_>, collation: Collation, key: &mut Vec<u8>) -> Result<()> {
    Ok(push_column(value, ColumnOrder { collation, descending: false }, key)?)
}

/// The key of the current rows under `keys`.
pub(super) fn group_key(keys: &[GroupKey], scope: &Scope<'_>, key: &mut Vec<u8>) -> Result<()> {
    for part in keys {
        push_group_key(part.value.evaluate(scope)?.as_ref(), part.collation, key)?;
    }
    Ok(())
}

/// Appends the sort key of the current rows: its bytes stand in the order that is asked for.
pub(super) fn sort_key(keys: &[SortKey], scope: &Scope<'_>, key: &mut Vec<u8>) -> Result<()> {
    for part in keys {
        let value = part.value.evaluate(scope)?;
        if part.nulls_first == part.descending {
            // Not where NULLs go by themselves.
            key.push(u8::from(value.is_null() != part.nulls_first));
        }
        let order = ColumnOrder { collation: part.collation, descending: part.descending };
        push_column(value.as_ref(), order, key)?;
    }
    Ok(())
}
