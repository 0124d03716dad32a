//! Window functions proper: ranks, `ntile`, `lag`, `lead`, and values chosen from the frame.
//!
//! Each is computed from the position of the current row, without a state: the executor has
//! the partition at hand anyway. Arguments are evaluated on the row that SQLite evaluates
//! them on: offsets and defaults on the current row, `ntile`'s count on the first of the
//! partition. Neighbours: `descriptor` (the interface), `aggregate` (the other functions
//! that a window may have).

use std::ops::Range;

use pandodb_ds::record::number::{self, Number};
use pandodb_ds::record::{Value, ValueRef};

use crate::error::Result;
use crate::function::call::argument_error;
use crate::function::coerce::{integer, strict_number};
use crate::function::descriptor::{PartitionRows, Position, RowsAhead, WindowFunction};
use crate::function::operators;

/// A function of the position alone.
macro_rules! position_functions {
    ($($name:ident($rows_ahead:expr) = $value:expr;)*) => {
        $(pub(in crate::function) const $name: WindowFunction = WindowFunction {
            value: |position, _, _, _| {
                let value: fn(&Position) -> Value = $value;
                Ok(value(position))
            },
            uses_frame: false,
            rows_ahead: $rows_ahead,
        };)*
    };
}

position_functions! {
    ROW_NUMBER(RowsAhead::Most(0)) = |position| Value::Integer(position.row as i64 + 1);
    RANK(RowsAhead::Most(0)) = |position| Value::Integer(position.peers.start as i64 + 1);
    DENSE_RANK(RowsAhead::Most(0)) = |position| Value::Integer(position.peer_group as i64 + 1);
    PERCENT_RANK(RowsAhead::Partition) = |position| {
        let others = position.rows.saturating_sub(1).max(1);
        Value::Real(position.peers.start as f64 / others as f64)
    };
    CUME_DIST(RowsAhead::Partition) = |position| {
        Value::real(position.peers.end as f64 / position.rows as f64)
    };
}

pub(in crate::function) const NTILE: WindowFunction =
    WindowFunction { value: ntile, uses_frame: false, rows_ahead: RowsAhead::Partition };

pub(in crate::function) const LAG: WindowFunction = WindowFunction {
    value: |position, _, count, rows| displaced(position, count, rows, false),
    uses_frame: false,
    // A negative offset looks ahead, as far as SQLite has read.
    rows_ahead: RowsAhead::Most(1),
};

pub(in crate::function) const LEAD: WindowFunction = WindowFunction {
    value: |position, _, count, rows| displaced(position, count, rows, true),
    uses_frame: false,
    rows_ahead: RowsAhead::Offset,
};

pub(in crate::function) const FIRST_VALUE: WindowFunction = WindowFunction {
    value: |_, frame, _, rows| match frame.first() {
        Some(first) => rows.argument(first.start, 0),
        None => Ok(Value::Null),
    },
    uses_frame: true,
    rows_ahead: RowsAhead::Most(0),
};

pub(in crate::function) const LAST_VALUE: WindowFunction = WindowFunction {
    value: |_, frame, _, rows| match frame.last() {
        Some(last) => rows.argument(last.end - 1, 0),
        None => Ok(Value::Null),
    },
    uses_frame: true,
    rows_ahead: RowsAhead::Most(0),
};

pub(in crate::function) const NTH_VALUE: WindowFunction =
    WindowFunction { value: nth_value, uses_frame: true, rows_ahead: RowsAhead::Most(0) };

/// `ntile(n)`: parts whose sizes differ by one at most, the larger first.
fn ntile(
    position: &Position,
    _: &[Range<u64>],
    _: usize,
    rows: &mut dyn PartitionRows,
) -> Result<Value> {
    let parts = u64::try_from(integer(rows.argument(0, 0)?.as_ref())).unwrap_or(0);
    if parts == 0 {
        return Err(argument_error("argument of ntile must be a positive integer"));
    }
    let size = position.rows / parts;
    if size == 0 {
        return Ok(Value::Integer(position.row as i64 + 1));
    }
    let larger = position.rows % parts;
    let in_larger = larger * (size + 1);
    let part = if position.row < in_larger {
        position.row / (size + 1)
    } else {
        larger + (position.row - in_larger) / size
    };
    Ok(Value::Integer(part as i64 + 1))
}

/// `lag` and `lead`: the first argument `offset` rows away in the partition, else the default.
fn displaced(
    position: &Position,
    argument_count: usize,
    rows: &mut dyn PartitionRows,
    is_forward: bool,
) -> Result<Value> {
    let offset =
        if argument_count > 1 { rows.argument(position.row, 1)? } else { Value::Integer(1) };
    let current = ValueRef::Integer(position.row as i64);
    let target = if is_forward {
        operators::add(current, offset.as_ref())
    } else {
        operators::subtract(current, offset.as_ref())
    };
    let row = match target {
        Value::Integer(row) => u64::try_from(row).ok(),
        Value::Real(row) => number::real_is_integer(row).and_then(|row| u64::try_from(row).ok()),
        _ => None,
    };
    // A negative offset of `lag` looks ahead, but SQLite has read one row more only by then.
    let known = if is_forward { position.rows } else { position.rows.min(position.row + 2) };
    match row.filter(|row| *row < known) {
        Some(row) => rows.argument(row, 0),
        None if argument_count > 2 => rows.argument(position.row, 2),
        None => Ok(Value::Null),
    }
}

/// `nth_value(x, n)`: `x` on the row of the frame with number `n` from one.
fn nth_value(
    position: &Position,
    frame: &[Range<u64>],
    _: usize,
    rows: &mut dyn PartitionRows,
) -> Result<Value> {
    let wanted = match strict_number(rows.argument(position.row, 1)?.as_ref()) {
        Some(Number::Integer(wanted)) => Some(wanted),
        Some(Number::Real(wanted)) => number::real_is_integer(wanted),
        None => None,
    };
    let Some(wanted) = wanted.filter(|wanted| *wanted > 0) else {
        let message = "second argument to nth_value must be a positive integer";
        return Err(argument_error(message));
    };
    let mut behind = wanted as u64 - 1;
    for part in frame {
        let len = part.end - part.start;
        if behind < len {
            return rows.argument(part.start + behind, 0);
        }
        behind -= len;
    }
    Ok(Value::Null)
}
