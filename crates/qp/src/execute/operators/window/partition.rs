//! The rows of one partition in their order, and which of them are peers.
//!
//! Neighbours: `members` has the rows; `bounds` asks for peers and for the place of a value.

use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};

use super::members::{Member, Members};
use crate::error::Result;
use crate::execute::Context;
use crate::function::Position;
use crate::plan::SortKey;
use crate::types::compare;

/// A partition.
pub(super) struct Partition<'a> {
    members: &'a Members,
    order: Option<&'a SortKey>,
    /// The group that was asked for last: rows are asked one after the other.
    recent: Cell<usize>,
}

impl<'a> Partition<'a> {
    /// The rows that are known so far; `recent` is the group that was asked for last.
    pub(super) fn new(members: &'a Members, order: Option<&'a SortKey>, recent: usize) -> Self {
        Self { members, order, recent: Cell::new(recent) }
    }

    /// The group that was asked for last.
    pub(super) fn recent(&self) -> usize {
        self.recent.get()
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// A row.
    #[inline]
    pub(super) fn member(&self, row: usize) -> Result<Member<'a>> {
        self.members.get(row)
    }

    /// The group of peers that a row is in.
    pub(super) fn group(&self, row: usize) -> usize {
        let recent = self.recent.get();
        let near = recent..self.group_count().min(recent + 2);
        let found = near.into_iter().find(|group| self.group_rows(*group).contains(&row));
        let group = found.unwrap_or_else(|| {
            let starts = self.members.group_starts();
            starts.partition_point(|start| *start <= row).saturating_sub(1)
        });
        self.recent.set(group);
        group
    }

    /// How many groups there are.
    pub(super) fn group_count(&self) -> usize {
        self.members.group_starts().len()
    }

    /// The rows of a group.
    pub(super) fn group_rows(&self, group: usize) -> Range<usize> {
        let starts = self.members.group_starts();
        starts[group]..starts.get(group + 1).copied().unwrap_or(self.len())
    }

    /// The rows equal to a row under the ORDER BY.
    pub(super) fn peers(&self, row: usize) -> Range<usize> {
        self.group_rows(self.group(row))
    }

    /// The value of the ORDER BY term on a row.
    pub(super) fn order_value(&self, row: usize) -> Result<Value> {
        Ok(self.members.get(row)?.first().cloned().unwrap_or_default())
    }

    /// Whether the greatest values come first.
    pub(super) fn is_descending(&self) -> bool {
        self.order.is_some_and(|order| order.descending)
    }

    /// How two values stand in the direction of the order.
    pub(super) fn order(
        &self,
        left: ValueRef<'_>,
        right: ValueRef<'_>,
        context: &Context<'_>,
    ) -> Ordering {
        let Some(order) = self.order else { return Ordering::Equal };
        let ascending = compare(left, right, order.collation, context.collations);
        if order.descending { ascending.reverse() } else { ascending }
    }

    /// The first row that is not before an edge, which stands among the rows that are not NULL.
    pub(super) fn first_behind(&self, is_before: impl Fn(&Value) -> bool) -> Result<usize> {
        let nulls_first = self.order.is_none_or(|order| order.nulls_first);
        let mut rows = 0..self.len();
        while !rows.is_empty() {
            let middle = rows.start + rows.len() / 2;
            let member = self.members.get(middle)?;
            let value = member.first().unwrap_or(&Value::Null);
            if if value.is_null() { nulls_first } else { is_before(value) } {
                rows.start = middle + 1;
            } else {
                rows.end = middle;
            }
        }
        Ok(rows.start)
    }

    /// What a window function is told of a row.
    pub(super) fn position(&self, row: usize) -> Position {
        let peers = self.peers(row);
        Position {
            row: row as u64,
            rows: self.len() as u64,
            peers: peers.start as u64..peers.end as u64,
            peer_group: self.group(row) as u64,
        }
    }
}
