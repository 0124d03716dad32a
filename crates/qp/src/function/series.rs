//! `generate_series(start [, stop [, step]])`: integers as rows.
//!
//! Neighbours: `descriptor` (the interface of table-valued functions).

use pandodb_ds::record::{Value, ValueRef};

use super::call::{Context, argument_error};
use super::coerce::integer;
use super::descriptor::{TableColumn, TableFunction, TableRows};
use crate::error::Result;

/// Where a series without a stop ends.
const STOP: i64 = 0xFFFF_FFFF;

const COLUMNS: &[TableColumn] = &[
    TableColumn { name: "value", is_hidden: false, json_type: None },
    TableColumn { name: "start", is_hidden: true, json_type: None },
    TableColumn { name: "stop", is_hidden: true, json_type: None },
    TableColumn { name: "step", is_hidden: true, json_type: None },
];

pub(super) const GENERATE_SERIES: TableFunction = TableFunction { columns: COLUMNS, open };

struct Series {
    start: i64,
    stop: i64,
    step: i64,
    /// The next row's value; none behind the end.
    next: Option<i64>,
    current: i64,
}

fn open(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Box<dyn TableRows>> {
    let Some(&start) = args.first() else {
        let message = "first argument to \"generate_series()\" missing or unusable";
        return Err(argument_error(message));
    };
    let is_empty = args.iter().any(|arg| arg.is_null());
    let start = integer(start);
    let stop = args.get(1).map_or(STOP, |&stop| integer(stop));
    let step = match args.get(2).map_or(1, |&step| integer(step)) {
        0 => 1,
        step => step,
    };
    let mut series = Series { start, stop, step, next: None, current: start };
    series.next = Some(start).filter(|&first| !is_empty && series.contains(first));
    Ok(Box::new(series))
}

impl Series {
    fn contains(&self, value: i64) -> bool {
        if self.step > 0 { value <= self.stop } else { value >= self.stop }
    }
}

impl TableRows for Series {
    fn next(&mut self, _: &mut Context<'_>) -> Result<bool> {
        let Some(current) = self.next else { return Ok(false) };
        self.current = current;
        self.next = current.checked_add(self.step).filter(|&next| self.contains(next));
        Ok(true)
    }

    fn column(&self, _: &mut Context<'_>, index: usize) -> Result<Value> {
        Ok(Value::Integer(match index {
            0 => self.current,
            1 => self.start,
            2 => self.stop,
            _ => self.step,
        }))
    }

    fn row_id(&self) -> i64 {
        self.current
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::function::testing::with_context;

    fn series(args: &[i64]) -> Vec<i64> {
        let args: Vec<ValueRef<'_>> = args.iter().map(|&arg| ValueRef::Integer(arg)).collect();
        with_context(|context| {
            let mut rows = open(context, &args).unwrap();
            let mut values = Vec::new();
            while values.len() < 10 && rows.next(context).unwrap() {
                assert_eq!(rows.column(context, 0).unwrap(), Value::Integer(rows.row_id()));
                values.push(rows.row_id());
            }
            values
        })
    }

    #[test]
    fn series_go_up_down_and_stop_at_the_ends_of_integers() {
        assert_eq!(series(&[1, 3]), [1, 2, 3]);
        assert_eq!(series(&[1, 6, 2]), [1, 3, 5]);
        assert_eq!(series(&[3, 1, -1]), [3, 2, 1]);
        assert_eq!(series(&[3, 1]), [0_i64; 0]);
        assert_eq!(series(&[1, 2, 0]), [1, 2]);
        assert_eq!(series(&[i64::MAX - 1, i64::MAX]), [i64::MAX - 1, i64::MAX]);
        assert_eq!(series(&[i64::MIN, i64::MIN, -1]), [i64::MIN]);
        assert_eq!(series(&[5]).len(), 10);
    }

    #[test]
    fn null_makes_no_rows_and_the_start_is_needed() {
        with_context(|context| {
            let args = [ValueRef::Integer(1), ValueRef::Null];
            assert!(!open(context, &args).unwrap().next(context).unwrap());
            assert!(open(context, &[]).is_err());
        });
    }
}
