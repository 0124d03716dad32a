//! Values as bytes that are equal where the values are: keys of groups, sets and hash tables.
//!
//! The bytes are those of index keys, so that sorting them sorts the values. Neighbours:
//! `operators` group and sort by these.

use pandodb_ds::record::key::{ColumnOrder, push_column};
use pandodb_ds::record::{Collation, ValueRef};

use super::{Context, Scope};
use crate::error::Result;
use crate::plan::{ColumnSort, GroupKey, SortKey};

/// The bytes of a row's key.
pub type HashedRow = Box<[u8]>;

/// Appends a value so that equal ones (by `collation`) are equal bytes in the values' order; a
/// text in an order of the application is an error.
pub fn push_group_key(value: ValueRef<'_>, collation: Collation, key: &mut Vec<u8>) -> Result<()> {
    Ok(push_column(value, ColumnOrder { collation, descending: false }, key)?)
}

/// As [`push_group_key`], of texts in an order of the application, too.
pub(crate) fn push_collated(
    value: ValueRef<'_>,
    collation: Collation,
    context: &Context<'_>,
    key: &mut Vec<u8>,
) -> Result<()> {
    push_ordered(value, ColumnOrder { collation, descending: false }, context, key)
}

fn push_ordered(
    value: ValueRef<'_>,
    order: ColumnOrder,
    context: &Context<'_>,
    key: &mut Vec<u8>,
) -> Result<()> {
    let (Collation::Custom(id), ValueRef::Text(text)) = (order.collation, value) else {
        let is_custom = matches!(order.collation, Collation::Custom(_));
        let collation = if is_custom { Collation::Binary } else { order.collation };
        return Ok(push_column(value, ColumnOrder { collation, ..order }, key)?);
    };
    let order = ColumnOrder { collation: Collation::Binary, ..order };
    let push = |label: &[u8]| push_column(ValueRef::Text(label), order, key);
    Ok(context.run.ranks.with_label(id, text, context.collations, push)?)
}

/// The key of the current rows under `keys`.
pub(super) fn group_key(keys: &[GroupKey], scope: &Scope<'_>, key: &mut Vec<u8>) -> Result<()> {
    for part in keys {
        let value = part.value.evaluate(scope)?;
        push_collated(value.as_ref(), part.collation, scope.outer.context, key)?;
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
        push_ordered(value.as_ref(), order, scope.outer.context, key)?;
    }
    Ok(())
}

/// Appends the value of a column to a sort key.
pub(super) fn push_sorted(
    value: ValueRef<'_>,
    by: &ColumnSort,
    context: &Context<'_>,
    key: &mut Vec<u8>,
) -> Result<()> {
    if by.nulls_first == by.descending {
        key.push(u8::from(matches!(value, ValueRef::Null) != by.nulls_first));
    }
    let order = ColumnOrder { collation: by.collation, descending: by.descending };
    push_ordered(value, order, context, key)
}
