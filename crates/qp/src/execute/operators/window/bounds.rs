//! Which rows a frame has: its two bounds, and what EXCLUDE leaves out.
//!
//! Neighbours: `partition` knows the rows; `call` computes over the frames.

use std::cmp::Ordering;
use std::ops::Range;

use pandodb_ds::record::number;
use pandodb_ds::record::{Value, ValueRef};
use smallvec::smallvec;

use super::RowFrame;
use super::partition::Partition;
use crate::ast::{FrameExclude, FrameUnit};
use crate::error::{Error, Result};
use crate::execute::{Context, Scope};
use crate::function::operators;
use crate::plan::{WindowBound, WindowFrame};
use crate::types::{Affinity, Datum, apply_affinity};

/// A bound whose offset is a value.
enum Offset {
    Unbounded,
    Preceding(Value),
    CurrentRow,
    Following(Value),
}

/// A frame whose offsets are values.
pub(super) struct Bounds {
    unit: FrameUnit,
    start: Offset,
    end: Offset,
    exclude: FrameExclude,
}

/// Which rows behind one must be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ahead {
    /// So many.
    rows: usize,
    /// Those up to the end of the group of its peers, and so many groups behind.
    groups: Option<usize>,
    /// All of the partition.
    is_whole: bool,
}

impl Ahead {
    pub(super) const PARTITION: Self = Self { rows: 0, groups: None, is_whole: true };

    pub(super) fn rows(rows: usize) -> Self {
        Self { rows, ..Self::default() }
    }

    fn groups(groups: usize) -> Self {
        Self { groups: Some(groups), ..Self::default() }
    }

    /// What both ask for.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            rows: self.rows.max(other.rows),
            groups: self.groups.max(other.groups),
            is_whole: self.is_whole || other.is_whole,
        }
    }

    /// Whether enough rows of a partition are there for one of them, though more may come.
    pub(super) fn is_there(self, row: usize, partition: &Partition<'_>) -> bool {
        let has_group = |groups: usize| {
            let last = partition.group(row).saturating_add(groups);
            last.saturating_add(1) < partition.group_count()
        };
        !self.is_whole
            && row.saturating_add(self.rows) < partition.len()
            && self.groups.is_none_or(has_group)
    }
}

impl Bounds {
    pub(super) fn evaluate(frame: &WindowFrame, scope: &Scope<'_>) -> Result<Self> {
        Ok(Self {
            unit: frame.unit,
            start: offset(&frame.start, frame.unit, "starting", scope)?,
            end: offset(&frame.end, frame.unit, "ending", scope)?,
            exclude: frame.exclude,
        })
    }

    /// Which rows must be known for the frame of one.
    pub(super) fn ahead(&self) -> Ahead {
        let by_bound = [&self.start, &self.end].into_iter().map(|bound| match (bound, self.unit) {
            (Offset::Following(offset), FrameUnit::Rows) => Ahead::rows(count(offset)),
            (Offset::Following(offset), FrameUnit::Groups) => Ahead::groups(count(offset)),
            (Offset::Following(_), FrameUnit::Range) => Ahead::PARTITION,
            (_, FrameUnit::Rows) => Ahead::rows(0),
            _ => Ahead::groups(0),
        });
        let all = by_bound.fold(Ahead::default(), Ahead::and);
        let all = match self.exclude {
            FrameExclude::NoOthers | FrameExclude::CurrentRow => all,
            FrameExclude::Group | FrameExclude::Ties => all.and(Ahead::groups(0)),
        };
        if matches!(self.end, Offset::Unbounded) { Ahead::PARTITION } else { all }
    }

    /// The frame of a row of a partition.
    pub(super) fn frame(
        &self,
        row: usize,
        partition: &Partition<'_>,
        context: &Context<'_>,
    ) -> Result<RowFrame> {
        let start = self.start_of(row, partition, context)?;
        let end = self.end_of(row, partition, context)?.min(partition.len());
        Ok(self.without_excluded(start..end, row, partition))
    }

    fn start_of(
        &self,
        row: usize,
        partition: &Partition<'_>,
        context: &Context<'_>,
    ) -> Result<usize> {
        let group = partition.group(row);
        Ok(match (&self.start, self.unit) {
            (Offset::Unbounded, _) => 0,
            (Offset::CurrentRow, FrameUnit::Rows) => row,
            (Offset::CurrentRow, _) => partition.peers(row).start,
            (Offset::Preceding(offset), FrameUnit::Rows) => row.saturating_sub(count(offset)),
            (Offset::Following(offset), FrameUnit::Rows) => row.saturating_add(count(offset)),
            (Offset::Preceding(offset), FrameUnit::Groups) => {
                partition.group_rows(group.saturating_sub(count(offset))).start
            }
            (Offset::Following(offset), FrameUnit::Groups) => {
                let group = group.saturating_add(count(offset));
                if group < partition.group_count() {
                    partition.group_rows(group).start
                } else {
                    partition.len()
                }
            }
            (Offset::Preceding(offset), FrameUnit::Range) => {
                edge(row, offset, Edge { is_preceding: true, is_end: false }, partition, context)?
            }
            (Offset::Following(offset), FrameUnit::Range) => {
                edge(row, offset, Edge { is_preceding: false, is_end: false }, partition, context)?
            }
        })
    }

    fn end_of(
        &self,
        row: usize,
        partition: &Partition<'_>,
        context: &Context<'_>,
    ) -> Result<usize> {
        let group = partition.group(row);
        Ok(match (&self.end, self.unit) {
            (Offset::Unbounded, _) => partition.len(),
            (Offset::CurrentRow, FrameUnit::Rows) => row + 1,
            (Offset::CurrentRow, _) => partition.peers(row).end,
            (Offset::Preceding(offset), FrameUnit::Rows) => (row + 1).saturating_sub(count(offset)),
            (Offset::Following(offset), FrameUnit::Rows) => (row + 1).saturating_add(count(offset)),
            (Offset::Preceding(offset), FrameUnit::Groups) => {
                match group.checked_sub(count(offset)) {
                    Some(group) => partition.group_rows(group).end,
                    None => 0,
                }
            }
            (Offset::Following(offset), FrameUnit::Groups) => {
                let last = partition.group_count() - 1;
                partition.group_rows(group.saturating_add(count(offset)).min(last)).end
            }
            (Offset::Preceding(offset), FrameUnit::Range) => {
                edge(row, offset, Edge { is_preceding: true, is_end: true }, partition, context)?
            }
            (Offset::Following(offset), FrameUnit::Range) => {
                edge(row, offset, Edge { is_preceding: false, is_end: true }, partition, context)?
            }
        })
    }

    fn without_excluded(
        &self,
        frame: Range<usize>,
        row: usize,
        partition: &Partition<'_>,
    ) -> RowFrame {
        let excluded = match self.exclude {
            FrameExclude::NoOthers => row..row,
            FrameExclude::CurrentRow => row..row + 1,
            FrameExclude::Group | FrameExclude::Ties => partition.peers(row),
        };
        if excluded.is_empty() {
            return if frame.start <= frame.end {
                smallvec![frame]
            } else if self.unit == FrameUnit::Range {
                smallvec![frame.end..frame.end]
            } else {
                smallvec![]
            };
        }
        let mut parts: RowFrame = smallvec![frame.start..frame.end.min(excluded.start)];
        if self.exclude == FrameExclude::Ties {
            parts.push(frame.start.max(row)..frame.end.min(row + 1));
        }
        parts.push(frame.start.max(excluded.end)..frame.end);
        parts.retain(|part| part.start < part.end);
        parts
    }
}

/// An offset that counts rows or groups.
fn count(offset: &Value) -> usize {
    match offset {
        Value::Integer(count) => usize::try_from(*count).unwrap_or(0),
        _ => 0,
    }
}

/// Which edge of a frame an offset means.
#[derive(Clone, Copy)]
struct Edge {
    is_preceding: bool,
    is_end: bool,
}

/// The first row behind an edge that is a distance away from the current row's value.
///
/// As in SQLite a distance to rows before is added to their values and one to rows behind to the
/// current one: what is asked is the same, but at the ends of 64 bits, where sums become reals.
fn edge(
    row: usize,
    offset: &Value,
    edge: Edge,
    partition: &Partition<'_>,
    context: &Context<'_>,
) -> Result<usize> {
    let current = partition.order_value(row)?;
    if current.is_null() {
        // NULLs are equal to each other and to nothing else.
        let peers = partition.peers(row);
        return Ok(if edge.is_end { peers.end } else { peers.start });
    }
    let moved = |value: &Value| match value {
        Value::Integer(_) | Value::Real(_) if partition.is_descending() => {
            operators::subtract(value.as_ref(), offset.as_ref())
        }
        Value::Integer(_) | Value::Real(_) => operators::add(value.as_ref(), offset.as_ref()),
        // What does not count has no distances.
        other => other.clone(),
    };
    let is_before =
        |order: Ordering| order == Ordering::Less || (edge.is_end && order == Ordering::Equal);
    if edge.is_preceding {
        return partition.first_behind(|value| {
            let by_value = partition.order(value.as_ref(), current.as_ref(), context);
            (edge.is_end || by_value == Ordering::Less)
                && is_before(partition.order(moved(value).as_ref(), current.as_ref(), context))
        });
    }
    let target = moved(&current);
    partition
        .first_behind(|value| is_before(partition.order(value.as_ref(), target.as_ref(), context)))
}

/// A value that counts rows or groups: an integer, or what reads as one.
fn whole_number(value: &Value) -> Option<i64> {
    match apply_affinity(Datum::from(value), Affinity::Numeric).as_ref() {
        ValueRef::Integer(count) => Some(count),
        ValueRef::Real(count) => number::real_is_integer(count),
        _ => None,
    }
    .filter(|count| *count >= 0)
}

/// Evaluates a bound's offset and checks that it counts.
fn offset(bound: &WindowBound, unit: FrameUnit, which: &str, scope: &Scope<'_>) -> Result<Offset> {
    let (expression, is_preceding) = match bound {
        WindowBound::Unbounded => return Ok(Offset::Unbounded),
        WindowBound::CurrentRow => return Ok(Offset::CurrentRow),
        WindowBound::Preceding(expression) => (expression, true),
        WindowBound::Following(expression) => (expression, false),
    };
    let mut value = expression.evaluate(scope)?.into_value();
    if unit == FrameUnit::Range {
        value = apply_affinity(Datum::from(value), Affinity::Numeric).into_value();
    }
    let checked = match (unit, &value) {
        (FrameUnit::Range, Value::Integer(number)) if *number >= 0 => Some(value.clone()),
        (FrameUnit::Range, Value::Real(number)) if *number >= 0.0 => Some(value.clone()),
        (FrameUnit::Range, _) => None,
        (_, value) => whole_number(value).map(Value::Integer),
    };
    let Some(value) = checked else {
        let kind = if unit == FrameUnit::Range { "number" } else { "integer" };
        return Err(Error::invalid(format!("frame {which} offset must be a non-negative {kind}")));
    };
    Ok(if is_preceding { Offset::Preceding(value) } else { Offset::Following(value) })
}
