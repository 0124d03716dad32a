//! Windows that the order of an index feeds are the windows.
//!
//! The same random queries run with the rule and without it: partitions and orders that indexes
//! have as a whole, in part or not at all, every kind of frame, several windows over one order,
//! NULLs and texts that a collation holds equal; in memory and in files. Neighbours: `pieces` has
//! ORDER BY, `execute::operators::window::stream` gives results before a partition is over.

use super::super::{Dice, check, lines, rows, session};
use crate::plan::Rules;
use crate::session::Session;

const SCHEMA: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT COLLATE NOCASE, c, n INT);
    CREATE INDEX t_a ON t(a); CREATE INDEX t_ab ON t(a, b, c); CREATE INDEX t_bc ON t(b DESC, c);
    CREATE INDEX t_n ON t(n, a DESC)";

const VALUES: [&str; 8] = ["NULL", "0", "1", "1.5", "'a'", "'A'", "'b'", "x'61'"];

fn filled(dice: &mut Dice, count: usize) -> Session {
    let session = session();
    session.execute(SCHEMA).unwrap();
    session.execute("BEGIN").unwrap();
    for id in 1..=count {
        let (a, n) = (dice.pick(&["NULL", "1", "2", "3"]), dice.below(20));
        let (b, c) = (dice.pick(&VALUES), dice.pick(&VALUES));
        session.execute(&format!("INSERT INTO t VALUES ({id}, {a}, {b}, {c}, {n})")).unwrap();
    }
    session.execute("COMMIT").unwrap();
    session
}

fn frame(dice: &mut Dice, has_one_number: bool) -> String {
    let unit = match dice.below(6) {
        0 | 1 => return String::new(),
        2 if has_one_number => "RANGE",
        3 => "GROUPS",
        _ => "ROWS",
    };
    let bounds = dice.pick(&[
        "UNBOUNDED PRECEDING AND CURRENT ROW",
        "CURRENT ROW AND UNBOUNDED FOLLOWING",
        "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
        "2 PRECEDING AND CURRENT ROW",
        "3 PRECEDING AND 1 PRECEDING",
        "1 PRECEDING AND 2 FOLLOWING",
        "2 FOLLOWING AND 4 FOLLOWING",
        "CURRENT ROW AND 1 FOLLOWING",
        "UNBOUNDED PRECEDING AND 1 PRECEDING",
        "CURRENT ROW AND CURRENT ROW",
    ]);
    let exclude =
        dice.pick(&["", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"]);
    format!(" {unit} BETWEEN {bounds}{exclude}")
}

/// A call over a window whose result does not depend on the order of peers.
fn call(dice: &mut Dice, window: &str, is_full: bool, has_one_number: bool) -> String {
    let functions: &[&str] = if is_full {
        &[
            "sum(n)",
            "count(c)",
            "total(n) FILTER (WHERE a > 1)",
            "group_concat(id)",
            "max(n)",
            "row_number()",
            "first_value(id)",
            "last_value(id)",
            "nth_value(id, 2)",
            "lag(id)",
            "lag(id, 2, -1)",
            "lag(id, -1)",
            "lead(id)",
            "lead(id, 3, 'none')",
            "lead(id, n)",
            "ntile(3)",
            "rank()",
            "percent_rank()",
        ]
    } else {
        &["rank()", "dense_rank()", "cume_dist()", "percent_rank()", "count(*)", "sum(n)", "min(n)"]
    };
    let function = dice.pick(functions);
    let mut frame = frame(dice, has_one_number);
    if !is_full && frame.contains("ROWS") {
        frame = String::new();
    }
    if !is_full && frame.contains("EXCLUDE") {
        frame.truncate(frame.find(" EXCLUDE").unwrap_or(0));
    }
    format!("{function} OVER ({window}{frame})")
}

fn query(dice: &mut Dice) -> String {
    let partition = dice.pick(&["", "", "a", "b", "a, b", "n", "c"]);
    let order = dice.pick(&["", "a", "a DESC", "b DESC", "b, c", "n", "n, a DESC", "n DESC", "id"]);
    let is_full = dice.below(3) > 0;
    let order = match (order, is_full) {
        (order, false) | (order @ "id", _) => order.to_owned(),
        ("", true) => "id".to_owned(),
        (order, true) => format!("{order}, id"),
    };
    let has_one_number = ["a", "a DESC", "n", "n DESC", "id"].contains(&order.as_str());
    let mut window = String::new();
    if !partition.is_empty() {
        window = format!("PARTITION BY {partition} ");
    }
    if !order.is_empty() {
        window.push_str(&format!("ORDER BY {order}"));
    }
    let mut calls = vec![call(dice, &window, is_full, has_one_number)];
    for _ in 0..dice.below(3) {
        let other = match dice.below(4) {
            0 => "ORDER BY a".to_owned(),
            1 if !partition.is_empty() => format!("PARTITION BY {partition}"),
            _ => window.clone(),
        };
        let is_same = other == window;
        calls.push(call(dice, &other, is_full && is_same, has_one_number && is_same));
    }
    let filter = dice.pick(&["", "", "", " WHERE n > 4", " WHERE a = 2", " WHERE b > 'a'"]);
    let from = dice.pick(&["t", "t", "t", "t JOIN (SELECT id AS i FROM t WHERE n < 15) ON i = id"]);
    let order = dice.pick(&["id", "a, id", "n, id", "a DESC, n, id", "b, c, id", "b DESC, id"]);
    let sql = format!("SELECT id, n, {} FROM {from}{filter}", calls.join(", "));
    match dice.below(3) {
        0 => format!("{sql} ORDER BY {order} LIMIT {} OFFSET {}", dice.below(25), dice.below(3)),
        _ => format!("{sql} ORDER BY {order}"),
    }
}

#[test]
fn windows_in_order_are_the_windows() {
    let runs: u64 = if cfg!(debug_assertions) { 2 } else { 40 };
    for seed in 1..=runs {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let count = [0, 25, 120, 400][dice.below(4)];
        let session = filled(&mut dice, count);
        for _ in 0..60 {
            let sql = query(&mut dice);
            let without =
                Rules::default().without(Rules::ORDERED_WINDOWS).without(Rules::PART_SORT);
            session.change_settings(|settings| settings.rules = without);
            let expected = lines(&session, &sql);
            session.change_settings(|settings| settings.rules = Rules::default());
            assert_eq!(lines(&session, &sql), expected, "seed {seed}: {sql}");
            let eager = Rules::default().with(Rules::EAGER);
            session.change_settings(|settings| settings.rules = eager);
            assert_eq!(lines(&session, &sql), expected, "seed {seed}, eagerly: {sql}");
            let before = session.settings();
            session.change_settings(|settings| settings.batch_rows_min = u64::MAX);
            session.set_memory_limits(0, u64::MAX);
            assert_eq!(lines(&session, &sql), expected, "seed {seed}, from files: {sql}");
            session.change_settings(|settings| *settings = before);
        }
    }
}

/// 3000 rows: five for each of 600 values of `a`, ten for each of 300 of `b`.
fn numbered() -> Session {
    let session = session();
    session.execute(SCHEMA).unwrap();
    session
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999)
             INSERT INTO t SELECT i, i % 600, printf('%03d', i % 300), i * 7 % 1000, i % 50 FROM n",
        )
        .unwrap();
    session
}

#[test]
fn a_limit_ends_the_reading_behind_the_frame() {
    let session = numbered();
    for (sql, expected, read) in [
        ("SELECT count(*) OVER (ORDER BY a) FROM t LIMIT 3", "5 5 5", 6),
        ("SELECT rank() OVER (ORDER BY a) FROM t LIMIT 6", "1 1 1 1 1 6", 6),
        ("SELECT sum(id) OVER (ORDER BY a ROWS 1 PRECEDING) FROM t LIMIT 3", "0 600 1800", 3),
        ("SELECT lead(id) OVER (ORDER BY a) FROM t LIMIT 3", "600 1200 1800", 4),
        (
            "SELECT max(id) OVER (ORDER BY a GROUPS 1 PRECEDING) FROM t LIMIT 6 OFFSET 5",
            "2401 2401 2401 2401 2401 2402",
            16,
        ),
        ("SELECT row_number() OVER () FROM t LIMIT 2", "1 2", 2),
        (
            "SELECT row_number() OVER (PARTITION BY a ORDER BY n, id DESC) FROM t LIMIT 6",
            "1 2 3 4 5 1",
            11,
        ),
        (
            "SELECT id, count(*) OVER (ORDER BY b DESC) FROM t ORDER BY b DESC, c LIMIT 1",
            "299|10",
            21,
        ),
    ] {
        check(&session, sql, expected);
        let analyzed = lines(&session, &format!("EXPLAIN ANALYZE {sql}"));
        let scan = analyzed.iter().find(|line| line.contains("SCAN")).unwrap();
        assert!(scan.contains(&format!("{read} rows")), "{sql}: {analyzed:?}");
    }
}

#[test]
fn windows_that_need_all_rows_are_not_fed() {
    let session = numbered();
    for sql in [
        "SELECT sum(n) OVER (ORDER BY a) FROM t",
        "SELECT sum(n) OVER (ORDER BY a) FROM t LIMIT 2000",
        "SELECT ntile(2) OVER (ORDER BY a) FROM t LIMIT 3",
        "SELECT sum(n) OVER (ORDER BY a) FROM t ORDER BY n LIMIT 3",
        "SELECT sum(n) OVER (ORDER BY a), sum(n) OVER (ORDER BY n) FROM t LIMIT 3",
        "SELECT DISTINCT sum(n) OVER (ORDER BY a) FROM t LIMIT 3",
    ] {
        let found = rows(&session, &format!("EXPLAIN {sql}"));
        assert!(found.contains("Window") && !found.contains("in order"), "{sql}: {found}");
    }
    // Frames that batches do not have are computed row by row, over rows that an index sorts.
    let sql = "EXPLAIN SELECT sum(n) OVER (ORDER BY a RANGE 1 PRECEDING) FROM t";
    assert!(rows(&session, sql).contains("in order"), "{}", rows(&session, sql));
    // What a window has put in order is not sorted again.
    let sql = "EXPLAIN SELECT id, sum(n) OVER (PARTITION BY a ORDER BY id) FROM t ORDER BY a, id";
    assert!(!rows(&session, sql).contains("Sort"), "{}", rows(&session, sql));
}
