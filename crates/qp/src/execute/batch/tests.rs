//! Both gears give the same rows, bit by bit, in the same order, and the row gear with files, too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use proptest::prelude::*;

use crate::Value;
use crate::session::{Rows, Session};
use crate::store::Database;

/// Sessions on one database: the first runs everything in batches, the second row by row, the
/// third in batches with helpers wherever they can be had.
pub(super) fn gears(setup: &str) -> (Session, Session, Session) {
    let database = Database::in_memory().unwrap();
    let batches = Session::new(database.clone());
    batches.execute(setup).unwrap();
    let (rows, helped) = (Session::new(database.clone()), Session::new(database));
    batches.change_settings(|settings| settings.batch_rows_min = 0);
    batches.change_settings(|settings| settings.threads = 1);
    rows.change_settings(|settings| settings.batch_rows_min = u64::MAX);
    helped.change_settings(|settings| settings.batch_rows_min = 0);
    helped.change_settings(|settings| settings.parallel_rows_min = 0);
    (batches, rows, helped)
}

/// As [`gears`], with sessions for batches that move everything to files at once.
fn spilling(setup: &str) -> (Session, Session, Session) {
    let gears = gears(setup);
    gears.0.set_memory_limits(0, u64::MAX);
    gears.2.set_memory_limits(0, u64::MAX);
    gears
}

/// Values with what tells -0.0 from 0.0 and 1 from 1.0.
fn exact(result: crate::Result<Rows>) -> Result<Vec<Vec<String>>, String> {
    let text = |value: &Value| match value {
        Value::Real(real) => format!("Real({:016x} {real})", real.to_bits()),
        other => format!("{other:?}"),
    };
    match result {
        Ok(rows) => Ok(rows.rows.iter().map(|row| row.iter().map(text).collect()).collect()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn check(gears: &(Session, Session, Session), sql: &str) {
    let (batches, rows) = (exact(gears.0.query(sql)), exact(gears.1.query(sql)));
    assert!(batches == rows, "{sql}\nbatches: {batches:?}\nrows:    {rows:?}");
    let helped = exact(gears.2.query(sql));
    assert!(helped == batches, "{sql}\nhelped:  {helped:?}\nbatches: {batches:?}");
    gears.1.set_memory_limits(0, u64::MAX);
    let filed = exact(gears.1.query(sql));
    gears.1.set_memory_limits(u64::MAX, u64::MAX);
    assert!(filed == rows, "{sql}\nfrom files: {filed:?}\nrows:       {rows:?}");
}

/// Frames of a number of rows around the current one.
const FRAMES: &[&str] = &[
    "2 PRECEDING",
    "CURRENT ROW",
    "BETWEEN 3 PRECEDING AND 1 PRECEDING",
    "BETWEEN 1 PRECEDING AND 3 PRECEDING",
    "BETWEEN 1 FOLLOWING AND 4 FOLLOWING",
    "BETWEEN 20 FOLLOWING AND 30 FOLLOWING",
    "BETWEEN 1 PRECEDING AND 2 FOLLOWING",
    "BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING",
    "BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING",
    "BETWEEN 9223372036854775807 PRECEDING AND 9223372036854775807 FOLLOWING",
];

/// How a value is written.
fn literal() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("NULL".to_owned()),
        4 => (-3_i64..12).prop_map(|value| value.to_string()),
        1 => prop::sample::select(vec![
            "9223372036854775807", "-9223372036854775808", "4611686018427387904", "1e18",
            "9007199254740993", "9007199254740992.0", "1e308", "-0.0", "0.5", "-2.5", "3.0",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "''", "'a'", "'A'", "'a '", "'ab'", "'x7'", "'3'", "'3.0'", "' 4 '", "'12abc'",
            "'1e2'", "x''", "x'61'", "x'00ff'", "'\u{e4}b'",
        ]).prop_map(str::to_owned),
    ]
}

/// A scalar expression over the columns of `t`.
pub(super) fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec!["t.id", "t.a", "t.b", "t.c", "t.d"]).prop_map(str::to_owned),
        2 => literal(),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "&", "|", "<<", ">>", "||", "=", "<>", "<", "<=", ">", ">=",
            "IS", "IS NOT", "AND", "OR", "LIKE", "GLOB",
        ]);
        prop_oneof![
            6 => (inner.clone(), operator, inner.clone())
                .prop_map(|(left, operator, right)| format!("({left} {operator} {right})")),
            1 => (inner.clone(), prop::sample::select(vec!["'%a%'", "'a%'", "'%7'", "'_'"]))
                .prop_map(|(value, pattern)| format!("({value} LIKE {pattern})")),
            1 => inner.clone().prop_map(|value| format!("(-{value})")),
            1 => inner.clone().prop_map(|value| format!("(~{value})")),
            1 => inner.clone().prop_map(|value| format!("(NOT {value})")),
            1 => inner.clone().prop_map(|value| format!("({value} IS NULL)")),
            1 => inner.clone().prop_map(|value| format!("({value} IS NOT TRUE)")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(value, low, high)| format!("({value} BETWEEN {low} AND {high})")),
            1 => (inner.clone(), literal(), literal())
                .prop_map(|(value, one, two)| format!("({value} NOT IN ({one}, {two}, 3, 'a'))")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(when, then, other)| {
                    format!("(CASE WHEN {when} THEN {then} ELSE {other} END)")
                }),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(value, when, then)| {
                    format!("(CASE {value} WHEN {when} THEN {then} WHEN 3 THEN 'three' END)")
                }),
            1 => (inner.clone(), prop::sample::select(vec!["INTEGER", "REAL", "TEXT", "NUMERIC"]))
                .prop_map(|(value, name)| format!("CAST({value} AS {name})")),
            1 => (inner.clone(), prop::sample::select(vec!["abs", "length", "typeof", "hex"]))
                .prop_map(|(value, name)| format!("{name}({value})")),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(left, right)| format!("coalesce({left}, {right})")),
            1 => inner.clone().prop_map(|value| format!("({value} COLLATE NOCASE)")),
            1 => (inner.clone(), inner)
                .prop_map(|(left, right)| {
                    format!("(SELECT count(*) FROM u WHERE u.x = {left} OR u.y < {right})")
                }),
        ]
    })
}

/// The tables, with some rows.
pub(super) fn setup() -> impl Strategy<Value = String> {
    let row = (literal(), literal(), literal(), literal());
    let other = (literal(), literal());
    (prop::collection::vec(row, 0..90), prop::collection::vec(other, 0..30)).prop_map(
        |(rows, others)| {
            let mut sql = String::from(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b TEXT COLLATE NOCASE, c \
                    REAL, d);
                 CREATE TABLE u(x INTEGER, y); BEGIN;",
            );
            for (a, b, c, d) in rows {
                sql.push_str(&format!("INSERT INTO t(a, b, c, d) VALUES({a}, {b}, {c}, {d});"));
            }
            for (x, y) in others {
                sql.push_str(&format!("INSERT INTO u VALUES({x}, {y});"));
            }
            sql.push_str("COMMIT");
            sql
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn filters_and_sorts_are_the_same(
        setup in setup(),
        parts in prop::collection::vec((expression(), expression(), 0..9_u8), 12),
    ) {
        let gears = gears(&setup);
        for (one, two, limit) in &parts {
            check(&gears, &format!("SELECT id, {one} FROM t WHERE {two}"));
            check(&gears, &format!("SELECT id, {two} FROM t ORDER BY {one} DESC, id"));
            check(&gears, &format!("SELECT a, b FROM t WHERE {two} ORDER BY {one} NULLS LAST \
                LIMIT {limit}"));
            check(&gears, &format!("SELECT * FROM t ORDER BY c LIMIT {limit} OFFSET 2"));
            check(&gears, &format!("SELECT DISTINCT {one}, b FROM t"));
        }
    }

    #[test]
    fn groups_are_the_same(
        setup in setup(),
        parts in prop::collection::vec((expression(), expression()), 12),
    ) {
        let gears = gears(&setup);
        for (one, two) in &parts {
            check(&gears, &format!("SELECT {one}, count(*), count({two}), min({two}), max({two}) \
                FROM t GROUP BY {one}"));
            check(&gears, &format!("SELECT total({two}), avg({two}), sum(c), sum(a % 7) FROM t \
                WHERE {one}"));
            check(&gears, &format!("SELECT a, b, d, sum({two}) FROM t GROUP BY a, b HAVING {one}"));
            check(&gears, &format!("SELECT count(DISTINCT {one}), sum(DISTINCT a), \
                group_concat({two}, '-'), count(*) FILTER (WHERE {two}) FROM t"));
            check(&gears, &format!("SELECT b, sum(a) FILTER (WHERE {one}), group_concat(d ORDER \
                BY {two}) FROM t GROUP BY 1 ORDER BY 2, 1"));
        }
    }

    #[test]
    fn joins_are_the_same(
        setup in setup(),
        parts in prop::collection::vec((expression(), expression()), 8),
    ) {
        let gears = gears(&setup);
        for (one, two) in &parts {
            for kind in ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"] {
                check(&gears, &format!("SELECT t.id, x, y FROM t {kind} u ON u.x = t.a"));
                check(&gears, &format!("SELECT t.id, x, y FROM t {kind} u ON u.y = t.d AND {one} \
                    WHERE {two}"));
                check(&gears, &format!("SELECT count(*), sum(x) FROM t {kind} u ON u.y = t.b AND \
                    u.x > {two}"));
            }
            check(&gears, &format!("SELECT id FROM t WHERE a IN (SELECT x FROM u WHERE y IS NOT \
                {one})"));
            check(&gears, &format!("SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE x = \
                t.a AND y < {two})"));
            check(&gears, &format!("SELECT v.s, u.x FROM (SELECT a, sum({one}) AS s FROM t GROUP \
                BY a) AS v JOIN u ON v.a = u.x ORDER BY 1, 2"));
            check(&gears, &format!("SELECT t.id, count(*) OVER (ORDER BY x GROUPS 1 PRECEDING) \
                FROM u FULL JOIN t ON u.x = t.a AND {one} ORDER BY y"));
        }
    }

    #[test]
    fn files_change_nothing(
        setup in setup(),
        parts in prop::collection::vec((expression(), expression(), 0..40_u8), 6),
    ) {
        let gears = spilling(&setup);
        for (one, two, limit) in &parts {
            check(&gears, &format!("SELECT id, b, {two} FROM t ORDER BY {one} DESC NULLS FIRST, \
                d"));
            check(&gears, &format!("SELECT id FROM t ORDER BY {one}, c NULLS LAST LIMIT {limit} \
                OFFSET 3"));
            check(&gears, &format!("SELECT {one}, d, count(*), sum(a), group_concat(b), \
                max({two}) FROM t GROUP BY {one}"));
            check(&gears, &format!("SELECT d, b, count(DISTINCT {two}) FROM t GROUP BY d, b \
                COLLATE BINARY"));
            check(&gears, &format!("SELECT count(*), total(id) FROM (SELECT DISTINCT {one}, d \
                FROM t)"));
            check(&gears, &format!("SELECT {one}, x FROM t LEFT JOIN u ON u.y = t.d ORDER BY 1, \
                2"));
        }
    }

    #[test]
    fn windows_are_the_same(
        setup in setup(),
        parts in prop::collection::vec((expression(), expression()), 8),
    ) {
        let gears = gears(&setup);
        for (place, (one, two)) in parts.iter().enumerate() {
            check(&gears, &format!("SELECT id, row_number() OVER (PARTITION BY a ORDER BY {one}) \
                FROM t"));
            check(&gears, &format!("SELECT id, rank() OVER w, dense_rank() OVER w, sum(c) OVER \
                w, ntile(3) OVER w FROM t WINDOW w AS (PARTITION BY {two} ORDER BY c DESC)"));
            check(&gears, &format!("SELECT id, count(*) OVER (), max({one}) OVER (PARTITION BY \
                b), lag(a) OVER (ORDER BY {two}) FROM t"));
            check(&gears, &format!("SELECT id, total(a) OVER (ORDER BY a, id ROWS UNBOUNDED \
                PRECEDING), first_value({one}) OVER (ORDER BY c), last_value(d) OVER (PARTITION \
                BY a ORDER BY b) FROM t WHERE {two}"));
            check(&gears, &format!("SELECT * FROM (SELECT id, row_number() OVER (ORDER BY {two}) \
                AS n FROM t) WHERE n < 4"));
            check(&gears, "SELECT id, sum(a) FILTER (WHERE c > 0) OVER (ORDER BY id), avg(c) \
                OVER (ORDER BY id ROWS 2 PRECEDING) FROM t");
            let frame = FRAMES[(place * 3 + setup.len()) % FRAMES.len()];
            check(&gears, &format!("SELECT id, sum(c) OVER w, total({one}) OVER w, min({two}) \
                OVER w, max(d) FILTER (WHERE c > 0) OVER w, count({one}) OVER w FROM t \
                WINDOW w AS (PARTITION BY b ORDER BY {two}, id ROWS {frame})"));
            check(&gears, &format!("SELECT id, first_value({one}) OVER w, last_value(d) OVER w, \
                nth_value({two}, 2) OVER w, group_concat(d, '-') OVER w, avg(a) OVER w FROM t \
                WINDOW w AS (ORDER BY c, id ROWS {frame})"));
        }
    }
}

#[test]
fn a_hard_limit_ends_the_statement_and_only_it() {
    let (session, ..) = gears(
        "CREATE TABLE t(a, b);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO t SELECT i, printf('%0100d', i) FROM n",
    );
    session.set_memory_limits(u64::MAX, 100_000);
    for sql in [
        "SELECT * FROM t ORDER BY b",
        "SELECT b, count(*) FROM t GROUP BY b",
        "SELECT DISTINCT b FROM t",
        "SELECT count(*) FROM t JOIN t AS u ON u.b = t.b",
        "SELECT row_number() OVER (ORDER BY b), * FROM t",
    ] {
        let error = session.query(sql).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit, "{sql}: {error}");
        assert!(error.to_string().contains("100000 bytes"), "{sql}: {error}");
        assert_eq!(
            session.query("SELECT sum(a) FROM t").unwrap().rows[0][0],
            Value::Integer(12_502_500)
        );
    }
    // With files, sorts and groups stay within a limit that they would pass without.
    session.set_memory_limits(20_000, 400_000);
    let sorted = session.query("SELECT b FROM t ORDER BY b DESC").unwrap();
    assert_eq!(sorted.rows.len(), 5000);
    assert!(sorted.rows.is_sorted_by(|left, right| {
        matches!((&left[0], &right[0]), (Value::Text(left), Value::Text(right)) if left > right)
    }));
    let groups = session.query("SELECT b, count(*) FROM t GROUP BY b").unwrap();
    assert_eq!(groups.rows.len(), 5000);
}

#[test]
fn the_row_gear_keeps_within_its_limits() {
    let (_, session, _) = gears(
        "CREATE TABLE t(a, b);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO t SELECT i, printf('%0200d', i) FROM n",
    );
    let refused = [
        "SELECT DISTINCT b FROM t",
        "SELECT b, count(*) FROM t GROUP BY b",
        "SELECT b FROM t UNION SELECT a FROM t",
    ];
    let filed = [
        ("SELECT b FROM t ORDER BY b DESC", 3000),
        ("SELECT t.b FROM t JOIN t AS u ON u.a = t.a + 1", 2999),
        ("SELECT a, b, row_number() OVER (ORDER BY a) FROM t", 3000),
        ("SELECT count(*), max(u.b) FROM (SELECT 1 UNION ALL SELECT 2) JOIN t AS u ON true", 1),
        ("SELECT t.b FROM t FULL JOIN t AS u ON u.a = t.a + 1 AND u.b > t.b", 3001),
    ];
    session.set_memory_limits(u64::MAX, 500_000);
    for sql in refused.iter().chain(filed.iter().map(|(sql, _)| sql)).take(6) {
        let error = session.query(sql).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Limit, "{sql}: {error}");
    }
    // What a window keeps beside its rows is some 200 bytes for each.
    session.set_memory_limits(50_000, 760_000);
    for (sql, count) in filed {
        let rows = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(rows.rows.len(), count, "{sql}");
    }
    let rows = session.query(filed[0].0).unwrap();
    assert!(rows.rows.is_sorted_by(|left, right| {
        matches!((&left[0], &right[0]), (Value::Text(left), Value::Text(right)) if left > right)
    }));
    let plan = session.query("EXPLAIN ANALYZE SELECT a FROM t ORDER BY b").unwrap();
    let lines: Vec<String> = plan.rows.iter().map(|row| format!("{row:?}")).collect();
    let text = |row: &[Value]| match row.first() {
        Some(Value::Text(text)) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    };
    let filed: Vec<bool> =
        plan.rows.iter().map(|row| text(row).contains("KiB in temporary files")).collect();
    assert_eq!(filed, [true, false], "{lines:?}");
}

#[test]
fn batches_that_keep_too_much_are_given_up_for_rows() {
    let (batches, rows, _) = gears(
        "CREATE TABLE t(a, b);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
         INSERT INTO t SELECT i, printf('%0300d', i % 100) FROM n",
    );
    for sql in [
        "SELECT t.a, u.b FROM t JOIN t AS u ON u.a = t.a ORDER BY t.a",
        "SELECT sum(t.a), max(u.b) FROM t JOIN t AS u ON u.a = t.a + 1",
        "SELECT a, b, row_number() OVER (PARTITION BY a % 7 ORDER BY a) FROM t",
    ] {
        batches.set_memory_limits(u64::MAX, 700_000);
        assert!(batches.query(sql).is_err(), "{sql}");
        batches.set_memory_limits(50_000, 700_000);
        assert!(exact(batches.query(sql)) == exact(rows.query(sql)), "{sql}");
    }
}

#[test]
fn temporary_files_are_gone_with_their_statement() {
    use pandodb_ds::sync::Arc;
    use pandodb_ds::vfs::{MemoryVfs, Vfs};
    use std::path::Path;

    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let database =
        Database::open(&vfs, Path::new("f/a.pando"), &pandodb_tm::Options::default()).unwrap();
    let session = Session::new(database);
    session
        .execute(
            "CREATE TABLE t(a); INSERT INTO t SELECT value * 7919 % 1000 FROM \
        generate_series(1, 1000)",
        )
        .unwrap();
    let before = vfs.list(Path::new("f")).unwrap();
    session.change_settings(|settings| settings.batch_rows_min = 0);
    session.set_memory_limits(0, u64::MAX);
    let (statement, _) = session.prepare("SELECT a FROM t ORDER BY a").unwrap();
    let mut statement = statement.unwrap();
    statement.step().unwrap();
    drop(statement);
    session.query("SELECT DISTINCT a FROM t").unwrap();
    session.query("SELECT a, count(*) FROM t GROUP BY a").unwrap();
    assert_eq!(vfs.list(Path::new("f")).unwrap(), before);
}

/// A table of 40,000 rows, whose readers get helpers.
fn helped() -> Session {
    let session = Session::new(Database::in_memory().unwrap());
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c TEXT);
             INSERT INTO t SELECT value, value * 7919 % 1000, value * 0.37, 'text ' || value
             FROM generate_series(1, 40000)",
        )
        .unwrap();
    session.change_settings(|settings| settings.parallel_rows_min = 0);
    session
}

#[test]
fn helpers_do_some_of_the_work_and_change_nothing() {
    let session = helped();
    let before = super::exchange::helped_parts();
    for sql in [
        "SELECT sum(b), count(*), min(c), max(a) FROM t",
        "SELECT a % 10, avg(b), group_concat(id) FROM t GROUP BY a % 10",
        "SELECT id, b FROM t ORDER BY a, b DESC LIMIT 7",
        "SELECT id FROM t WHERE c LIKE '%77%' ORDER BY b DESC",
        "SELECT count(*), sum(u.b) FROM t JOIN t AS u ON u.a = t.id WHERE t.b > 3000",
        "SELECT id, row_number() OVER (PARTITION BY a ORDER BY b DESC) FROM t WHERE id > 12345",
        "SELECT count(DISTINCT a), total(b) FROM t WHERE id BETWEEN 100 AND 30000",
        "SELECT DISTINCT a FROM t ORDER BY a DESC",
        "SELECT count(*), sum(u.b) FROM t LEFT JOIN t AS u ON u.c = t.c AND u.a < t.id % 900",
        "SELECT sum(id) FROM t WHERE c IN (SELECT c FROM t WHERE a > 990)",
        "SELECT sum(id), max(a) FROM t WHERE NOT EXISTS (SELECT 1 FROM t AS u WHERE u.a = t.id)",
        "SELECT count(*), sum(u.id * 0.1) FROM t JOIN t AS u ON u.a = t.a WHERE t.id < 300",
        "SELECT t.a, u.c, count(*) FROM t JOIN t AS u ON u.a = t.id GROUP BY u.c LIMIT 9",
        "SELECT sum(x) FROM (SELECT a * 2 + id AS x FROM t WHERE b > 17 AND c < 'text 3')",
        // What shares of the rows must agree on: who was first, and the last bit.
        "SELECT a % 7 AS g, count(DISTINCT b), min(c), max(b), avg(b), total(a) FROM t GROUP BY g",
        "SELECT count(DISTINCT c), count(DISTINCT a) FILTER (WHERE id % 3) FROM t WHERE id > 9",
        "SELECT id, c FROM t ORDER BY a LIMIT 40",
        "SELECT id, a FROM t ORDER BY a % 3, c DESC LIMIT 1000 OFFSET 500",
        "SELECT a, c, id, sum(b) FROM t GROUP BY a LIMIT 20",
        "SELECT min(CASE WHEN id % 2 THEN a ELSE a * 1.0 END), max(iif(id % 3, a * 1.0, a)) FROM t",
        "SELECT iif(id % 2, a % 5, a % 5 * 1.0) AS g, count(*), id FROM t GROUP BY g",
        "SELECT iif(id % 2, c, upper(c)) AS g, min(iif(id % 3, c, upper(c)) COLLATE NOCASE) FROM t \
            GROUP BY g COLLATE NOCASE, id % 100 LIMIT 500",
        "SELECT sum(b - 7400.185), sum(1e15 * (a - 499.5)), sum(iif(id = 3, 1e300, b)) FROM t",
        "SELECT a % 3, substr(c, 1, 6) AS p, sum(id), avg(b) FROM t GROUP BY a % 3, p",
        "SELECT count(*), sum(u.b), max(u.c) FROM t CROSS JOIN t AS u ON u.id = t.a + 1",
        "SELECT id, (SELECT u.c FROM t AS u WHERE u.id = t.a) FROM t ORDER BY b DESC LIMIT 5",
        "SELECT sum(t.id) FROM t LEFT JOIN t AS u ON u.id = t.a * 50 WHERE u.id IS NULL",
    ] {
        session.execute("PRAGMA threads = 1").unwrap();
        let alone = exact(session.query(sql));
        session.execute("PRAGMA threads = 64").unwrap();
        for _ in 0..3 {
            assert_eq!(exact(session.query(sql)), alone, "{sql}");
        }
    }
    if super::processors() > 1 {
        assert!(super::exchange::helped_parts() > before);
    }
}

#[test]
fn an_error_is_that_of_the_first_row_that_fails() {
    let session = helped();
    // Rows that fail, each with an error of its own, far apart and in an order that is known.
    session.execute("UPDATE t SET a = 0x8000000000000000 WHERE id IN (1, 39999)").unwrap();
    session.execute("UPDATE t SET c = '$[' WHERE id = 20000").unwrap();
    for sql in ["SELECT sum(abs(a)) FROM t", "SELECT max(abs(a)) FROM t WHERE id > 5"] {
        session.execute("PRAGMA threads = 1").unwrap();
        let alone = exact(session.query(sql)).unwrap_err();
        session.execute("PRAGMA threads = 64").unwrap();
        assert_eq!(exact(session.query(sql)).unwrap_err(), alone, "{sql}");
    }
    // What comes after an error is not spoilt.
    session.execute("UPDATE t SET a = 1 WHERE id IN (1, 39999)").unwrap();
    assert!(session.query("SELECT sum(abs(a)) FROM t").is_ok());
}

#[test]
fn interruption_and_limits_reach_statements_with_helpers() {
    let session = helped();
    // What one thread does in little memory is not refused because many take more.
    session.set_memory_limits(u64::MAX, 100_000);
    assert!(session.query("SELECT sum(length(c)) FROM t").is_ok());
    let error = session.query("SELECT * FROM t ORDER BY c").unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Limit, "{error}");
    session.set_memory_limits(u64::MAX, u64::MAX);
    let mut calls = 0;
    session.set_progress_hook(Some(Box::new(move || {
        calls += 1;
        calls > 2
    })));
    let error = session.query("SELECT count(*) FROM t WHERE c LIKE '%7%'").unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Interrupted, "{error}");
    session.set_progress_hook(None);
    assert!(session.query("SELECT count(*) FROM t WHERE c LIKE '%7%'").is_ok());
}
