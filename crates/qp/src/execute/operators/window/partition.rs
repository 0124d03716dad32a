//! The rows of one partition in their order, and which of them are peers.
//!
//! Neighbours: `bounds` asks for peers and for the place of a value.

use std::cmp::Ordering;
use std::ops::Range;

use pandodb_ds::record::{Value, ValueRef};

use super::WaitingRow;
use crate::execute::Context;
use crate::function::Position;
use crate::plan::SortKey;
use crate::types::compare;

/// A partition.
pub(super) struct Partition<'a> {
    members: &'a [WaitingRow],
    order: Option<&'a SortKey>,
    /// Where each group of peers begins, and the end of the last.
    group_starts: Vec<usize>,
    /// The group of each row.
    groups: Vec<usize>,
}

impl<'a> Partition<'a> {
    pub(super) fn new(members: &'a [WaitingRow], order: Option<&'a SortKey>) -> Self {
        let mut group_starts = Vec::new();
        let mut groups = Vec::with_capacity(members.len());
        for (row, member) in members.iter().enumerate() {
            if row == 0 || member.order_key() != members[row - 1].order_key() {
                group_starts.push(row);
            }
            groups.push(group_starts.len() - 1);
        }
        group_starts.push(members.len());
        Self { members, order, group_starts, groups }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The group of peers that a row is in.
    pub(super) fn group(&self, row: usize) -> usize {
        self.groups[row]
    }

    /// How many groups there are.
    pub(super) fn group_count(&self) -> usize {
        self.group_starts.len() - 1
    }

    /// The rows of a group.
    pub(super) fn group_rows(&self, group: usize) -> Range<usize> {
        self.group_starts[group]..self.group_starts[group + 1]
    }

    /// The rows equal to a row under the ORDER BY.
    pub(super) fn peers(&self, row: usize) -> Range<usize> {
        self.group_rows(self.group(row))
    }

    /// The value of the ORDER BY term on a row.
    pub(super) fn order_value(&self, row: usize) -> &Value {
        &self.members[row].order_value
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
    pub(super) fn first_behind(&self, is_before: impl Fn(&Value) -> bool) -> usize {
        let nulls_first = self.order.is_none_or(|order| order.nulls_first);
        self.members.partition_point(|member| {
            let value = &member.order_value;
            if value.is_null() { nulls_first } else { is_before(value) }
        })
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
