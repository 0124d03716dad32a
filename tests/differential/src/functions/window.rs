//! Aggregates over sliding frames, and window functions.
//!
//! Neighbour: `pandodb_qp::function::descriptor` has the interface that is exercised here.

use std::ops::Range;

use fastrand::Rng;
use pandodb_qp::function::{
    Cache, Context, Implementation, PartitionRows, Position, Registry, Value, ValueRef,
};
use rusqlite::Connection;

use super::{Differences, Plain, from_sqlite, listed, message, setting, to_sqlite};

#[test]
fn aggregates_over_sliding_frames_give_what_sqlite_gives() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, x, y)").unwrap();
    let mut rng = Rng::with_seed(setting("SEED", 1));
    let mut differences = Differences::default();
    let calls = [
        ("count", "x"),
        ("sum", "x"),
        ("total", "x"),
        ("avg", "x"),
        ("min", "x"),
        ("max", "x"),
        ("group_concat", "x"),
        ("group_concat", "x, y"),
        ("json_group_array", "x"),
        ("json_group_object", "y, x"),
    ];
    for _ in 0..setting("FUNCTION_CALLS", 400) / 10 {
        let rows: Vec<[Value; 2]> = (0..rng.usize(1..12))
            .map(|_| {
                let x = match rng.u8(..6) {
                    0 => Value::Null,
                    1 => Value::Integer(i64::MAX - rng.i64(0..3)),
                    2 => Value::Real(rng.i64(-40..40) as f64 / 8.0),
                    3 => Value::text(["a", "b", "7", "2.5"][rng.usize(..4)]),
                    _ => Value::Integer(rng.i64(-5..6)),
                };
                [x, Value::text([",", "--", "k"][rng.usize(..3)])]
            })
            .collect();
        connection.execute("DELETE FROM t", []).unwrap();
        for (id, [x, y]) in rows.iter().enumerate() {
            let row = (id as i64, to_sqlite(x), to_sqlite(y));
            connection.execute("INSERT INTO t VALUES (?1, ?2, ?3)", row).unwrap();
        }
        let (before, after) = (rng.usize(..3), rng.usize(..3));
        for (name, columns) in calls {
            let sql = format!(
                "SELECT {name}({columns}) OVER (ORDER BY id ROWS BETWEEN {before} PRECEDING AND \
                 {after} FOLLOWING) FROM t ORDER BY id"
            );
            let theirs: Result<Vec<Value>, String> = connection
                .prepare(&sql)
                .and_then(|mut statement| {
                    statement.query_map([], |row| Ok(from_sqlite(row.get_ref(0)?)))?.collect()
                })
                .map_err(|error| message(&error));
            let ours = slide(name, columns, &rows, before, after);
            if ours != theirs {
                let call = format!("{sql} over {rows:?}");
                differences.note(name, &call, &listed(ours), &listed(theirs));
            }
        }
    }
    differences.finish();
}

/// The values of an aggregate over frames from `before` rows before to `after` rows behind.
fn slide(
    name: &str,
    columns: &str,
    rows: &[[Value; 2]],
    before: usize,
    after: usize,
) -> Result<Vec<Value>, String> {
    let args = |row: &'_ [Value; 2]| -> Vec<Value> {
        columns.split(", ").map(|column| row[usize::from(column == "y")].clone()).collect()
    };
    let count = columns.split(", ").count();
    let function = Registry::new().find(name, count).unwrap();
    let Implementation::Aggregate(aggregate) = &function.implementation else { panic!("{name}") };
    let mut state = aggregate.sliding.as_ref().unwrap().make();
    let mut cache = Cache::default();
    let mut context = Context::new(&Plain, &mut cache);
    let mut values = Vec::new();
    let (mut start, mut end) = (0, 0);
    let text = |error: pandodb_qp::Error| error.message().to_owned();
    for row in 0..rows.len() {
        while start + before < row {
            let args = args(&rows[start]);
            let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
            state.inverse(&mut context, &args).map_err(text)?;
            start += 1;
        }
        while end < rows.len().min(row + after + 1) {
            let args = args(&rows[end]);
            let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
            state.step(&mut context, &args).map_err(text)?;
            end += 1;
        }
        values.push(state.value(&mut context).map_err(text)?);
    }
    Ok(values)
}

/// Rows of a partition whose arguments are the columns `x` and `y`, or constants.
struct Rows<'r> {
    rows: &'r [[Value; 2]],
    arguments: Vec<&'r str>,
}

impl PartitionRows for Rows<'_> {
    fn argument(&mut self, row: u64, index: usize) -> pandodb_qp::Result<Value> {
        Ok(match self.arguments[index] {
            "x" => self.rows[row as usize][0].clone(),
            "y" => self.rows[row as usize][1].clone(),
            number => Value::Integer(number.parse().unwrap()),
        })
    }
}

/// The frame of `row` as ranges, with what EXCLUDE takes out.
fn frame(
    row: usize,
    len: usize,
    span: (usize, usize),
    exclude: &str,
    peers: &Range<u64>,
) -> Vec<Range<u64>> {
    let frame = row.saturating_sub(span.0)..len.min(row + span.1 + 1);
    let is_in = |candidate: &usize| {
        let is_peer = peers.contains(&(*candidate as u64));
        match exclude {
            "CURRENT ROW" => *candidate != row,
            "GROUP" => !is_peer,
            "TIES" => !is_peer || *candidate == row,
            _ => true,
        }
    };
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for row in frame.filter(is_in) {
        match ranges.last_mut() {
            Some(last) if last.end == row as u64 => last.end += 1,
            _ => ranges.push(row as u64..row as u64 + 1),
        }
    }
    ranges
}

#[test]
fn window_functions_give_what_sqlite_gives() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, x, y)").unwrap();
    let mut rng = Rng::with_seed(setting("SEED", 1));
    let mut differences = Differences::default();
    for _ in 0..setting("FUNCTION_CALLS", 400) / 10 {
        // Ordered by y, which has ties.
        let len = rng.usize(1..12);
        let mut keys: Vec<i64> = (0..len).map(|_| rng.i64(0..6)).collect();
        keys.sort_unstable();
        let rows: Vec<[Value; 2]> =
            keys.iter().map(|key| [Value::Integer(rng.i64(..100)), Value::Integer(*key)]).collect();
        connection.execute("DELETE FROM t", []).unwrap();
        for (id, [x, y]) in rows.iter().enumerate() {
            let row = (id as i64, to_sqlite(x), to_sqlite(y));
            connection.execute("INSERT INTO t VALUES (?1, ?2, ?3)", row).unwrap();
        }
        let span = (rng.usize(..4), rng.usize(..4));
        let exclude = ["NO OTHERS", "CURRENT ROW", "GROUP", "TIES"][rng.usize(..4)];
        let number = rng.i64(-1..6);
        // With EXCLUDE SQLite does not look at the number while no row is in a frame.
        let nth = if exclude == "NO OTHERS" { number } else { number.abs() + 1 };
        for (name, columns) in [
            ("row_number", String::new()),
            ("rank", String::new()),
            ("dense_rank", String::new()),
            ("percent_rank", String::new()),
            ("cume_dist", String::new()),
            ("ntile", number.to_string()),
            ("lag", "x".to_owned()),
            ("lag", format!("x, {number}")),
            ("lead", "x, y".to_owned()),
            ("lead", format!("x, y, {number}")),
            ("first_value", "x".to_owned()),
            ("last_value", "x".to_owned()),
            ("nth_value", format!("x, {nth}")),
        ] {
            let sql = format!(
                "SELECT {name}({columns}) OVER (ORDER BY y ROWS BETWEEN {} PRECEDING AND {} \
                 FOLLOWING EXCLUDE {exclude}) FROM t",
                span.0, span.1
            );
            let theirs: Result<Vec<Value>, String> = connection
                .prepare(&sql)
                .and_then(|mut statement| {
                    statement.query_map([], |row| Ok(from_sqlite(row.get_ref(0)?)))?.collect()
                })
                .map_err(|error| message(&error));
            let ours = computed(name, &columns, &rows, &keys, span, exclude);
            if ours != theirs {
                let call = format!("{sql} over {rows:?}");
                differences.note(name, &call, &listed(ours), &listed(theirs));
            }
        }
    }
    differences.finish();
}

/// The values of a window function for all rows.
fn computed(
    name: &str,
    columns: &str,
    rows: &[[Value; 2]],
    keys: &[i64],
    span: (usize, usize),
    exclude: &str,
) -> Result<Vec<Value>, String> {
    let arguments: Vec<&str> = columns.split(", ").filter(|column| !column.is_empty()).collect();
    let count = arguments.len();
    let function = Registry::new().find(name, count).unwrap();
    let Implementation::Window(window) = &function.implementation else { panic!("{name}") };
    let mut partition = Rows { rows, arguments };
    let mut values = Vec::new();
    for (row, key) in keys.iter().enumerate() {
        let start = keys.partition_point(|other| other < key) as u64;
        let peers = start..keys.partition_point(|other| other <= key) as u64;
        let mut groups = keys[..row].to_vec();
        groups.retain(|other| other < key);
        groups.dedup();
        let frame = frame(row, keys.len(), span, exclude, &peers);
        let position = Position {
            row: row as u64,
            rows: keys.len() as u64,
            peers,
            peer_group: groups.len() as u64,
        };
        let value = (window.value)(&position, &frame, count, &mut partition);
        values.push(value.map_err(|error| error.message().to_owned())?);
    }
    Ok(values)
}
