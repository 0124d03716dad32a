//! Statements at the limits of what the planner is asked: many tables, long lists, deep
//! conditions; and statistics, written and read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use pandodb_qp::error::ErrorKind;
use pandodb_qp::function::Value;
use pandodb_qp::session::Session;
use pandodb_qp::store::Database;

fn rows(session: &Session, sql: &str) -> String {
    let show = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        other => format!("{other:?}"),
    };
    let found = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let line = |row: &Vec<Value>| row.iter().map(show).collect::<Vec<_>>().join("|");
    found.rows.iter().map(line).collect::<Vec<_>>().join(" ")
}

fn session(sql: &str) -> Session {
    let session = Session::new(Database::in_memory().unwrap());
    session.execute(sql).unwrap();
    session
}

#[test]
fn a_join_of_many_tables_is_planned_in_bounded_steps() {
    let session = session("CREATE TABLE t(id INTEGER PRIMARY KEY, next INTEGER)");
    session.execute("INSERT INTO t VALUES(1, 2), (2, 3), (3, 1)").unwrap();
    // A chain, a star, and tables that nothing connects but a constant.
    let tables: Vec<String> = (0..60).map(|number| format!("t t{number}")).collect();
    let from = tables.join(", ");
    let chain: Vec<String> =
        (1..60).map(|number| format!("t{number}.id = t{}.next", number - 1)).collect();
    let sql = format!("SELECT count(*) FROM {from} WHERE {}", chain.join(" AND "));
    assert_eq!(rows(&session, &sql), "3");
    let star: Vec<String> = (1..60).map(|number| format!("t{number}.id = t0.next")).collect();
    let sql = format!("SELECT count(*) FROM {from} WHERE {}", star.join(" AND "));
    assert_eq!(rows(&session, &sql), "3");
    let loose: Vec<String> = (0..60).map(|number| format!("t{number}.id = 2")).collect();
    let sql = format!("SELECT count(*) FROM {from} WHERE {}", loose.join(" AND "));
    assert_eq!(rows(&session, &sql), "1");
}

/// A column that many FULL JOINs make one grows by one table with each, and does not double.
#[test]
fn full_joins_that_merge_columns_are_planned_in_bounded_steps() {
    let session = session("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    for number in 0..60 {
        session.execute(&format!("CREATE TABLE t{number}(id INT, x{number})")).unwrap();
        session.execute(&format!("INSERT INTO t{number} VALUES ({}, 5)", number / 2)).unwrap();
    }
    let joined = |from: &str, kind: &str, using: &str, count: usize| {
        let tables = (0..count).map(|number| format!(" {kind} t{number}{using}"));
        let joins = tables.collect::<String>();
        rows(&session, &format!("SELECT count(*), count(id), total(id) FROM {from}{joins}"))
    };
    let wanted = "30|30|Real(435.0)";
    assert_eq!(joined("t", "NATURAL FULL JOIN", "", 60), wanted);
    assert_eq!(joined("t", "FULL JOIN", " USING(id)", 60), wanted);
    // From the right and from both sides, in parentheses.
    let mut right = "t".to_owned();
    let mut both = "t".to_owned();
    for number in 0..40 {
        right = format!("t{number} NATURAL FULL JOIN ({right})");
        both = match number % 2 {
            0 => format!("t{number} FULL JOIN ({both}) USING(id)"),
            _ => format!("({both}) NATURAL FULL JOIN t{number}"),
        };
    }
    for from in [right, both] {
        let sql = format!("SELECT count(id), total(id) FROM {from}");
        assert_eq!(rows(&session, &sql), "20|Real(190.0)");
    }
}

#[test]
fn long_lists_are_looked_up() {
    let session =
        session("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT); CREATE INDEX ta ON t(a)");
    session
        .execute(
            "INSERT INTO t WITH RECURSIVE n(i) AS (
               SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
             SELECT i, 'v' || i FROM n",
        )
        .unwrap();
    let numbers: Vec<String> = (0..100_000).map(|number| (number * 3).to_string()).collect();
    let sql = format!("SELECT count(*) FROM t WHERE id IN ({})", numbers.join(","));
    assert_eq!(rows(&session, &sql), "166");
    let texts: Vec<String> = (0..100_000).map(|number| format!("'v{}'", number * 5)).collect();
    let sql = format!("SELECT count(*) FROM t WHERE a IN ({})", texts.join(","));
    assert_eq!(rows(&session, &sql), "100");
    let parts: Vec<String> = (0..2000).map(|number| format!("a = 'v{number}'")).collect();
    let sql = format!("SELECT count(*) FROM t WHERE {}", parts.join(" OR "));
    assert_eq!(rows(&session, &sql), "500");
}

#[test]
fn statistics_are_rows_of_a_table() {
    let session = session(
        "CREATE TABLE t(a INTEGER, b TEXT, c); CREATE INDEX tab ON t(a, b); CREATE INDEX tc ON t(c);
         CREATE TABLE k(x TEXT, y, PRIMARY KEY(x, y)) WITHOUT ROWID;
         CREATE TABLE bare(z); CREATE TABLE none(z);
         INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
         SELECT i % 4, i % 20, i FROM n;
         INSERT INTO k VALUES('a', 1), ('a', 2), ('b', 1); INSERT INTO bare VALUES(1), (2);
         ANALYZE;",
    );
    assert_eq!(
        rows(&session, "SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2"),
        "bare|NULL|2 k|k|3 2 1 t|tab|100 25 5 t|tc|100 1"
    );
    // One table, one index; a name that is neither.
    session.execute("DELETE FROM sqlite_stat1; ANALYZE t; ANALYZE main.bare").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM sqlite_stat1"), "3");
    session.execute("DELETE FROM sqlite_stat1; ANALYZE tc").unwrap();
    assert_eq!(rows(&session, "SELECT idx FROM sqlite_stat1"), "tc");
    assert!(session.execute("ANALYZE nothing").is_err());
    // What is written there is believed, what cannot be read is not.
    session
        .execute(
            "UPDATE sqlite_stat1 SET stat = 'nonsense'; INSERT INTO sqlite_stat1 VALUES(1, 2, 3)",
        )
        .unwrap();
    session.execute("CREATE INDEX later ON t(b); ANALYZE k").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM t WHERE c = 5 AND a = 1"), "1");
}

#[test]
fn an_analysis_tells_what_each_step_took() {
    let session =
        session("CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES(1, 2), (3, 4)");
    let shown = rows(&session, "EXPLAIN ANALYZE SELECT * FROM t WHERE b > 3");
    assert!(shown.contains("Filter: t.b > 3  [1 row"), "{shown}");
    assert!(shown.contains("SCAN t  [2 rows"), "{shown}");
    // The statement really runs.
    let shown = rows(&session, "EXPLAIN ANALYZE DELETE FROM t WHERE a = 3");
    assert!(shown.starts_with("Delete from t"), "{shown}");
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), "1");
    assert_eq!(rows(&session, "EXPLAIN DELETE FROM t").lines().count(), 1);
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), "1");
}

#[test]
fn a_recursion_that_keeps_its_rows_ends_at_the_hard_limit() {
    let session = session("CREATE TABLE t(a)");
    session.set_memory_limits(u64::MAX, 200_000);
    for endless in [
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT count(*) FROM n",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n, (VALUES (1), (2)))
         SELECT count(*) FROM n",
    ] {
        let failed = session.query(endless).unwrap_err();
        assert!(failed.message().contains("200000 bytes of memory"), "{endless}: {failed}");
    }
    // What has left the queue is no burden any more.
    let long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
                SELECT count(*) FROM n";
    assert_eq!(rows(&session, long), "50000");
}

/// The kind and message of the error that a text ends in.
fn error(session: &Session, sql: &str) -> (ErrorKind, String) {
    match session.query(sql) {
        Ok(_) => panic!("{} is accepted", sql.get(..60).unwrap_or(sql)),
        Err(error) => (error.kind(), error.to_string()),
    }
}

#[test]
fn long_chains_of_operators_end_in_an_error_and_not_the_stack() {
    let session = session("CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 'x')");
    for (operand, operator) in
        [("a", "+"), ("a", "-"), ("b", "||"), ("a", "="), ("'{}'", "->"), ("a", "&"), ("a", "*")]
    {
        let sql =
            |count: usize| format!("SELECT count({}) FROM t", vec![operand; count].join(operator));
        assert_eq!(rows(&session, &sql(900)).len(), 1, "{operator}");
        for count in [1100, 60_000] {
            let (kind, message) = error(&session, &sql(count));
            assert_eq!(kind, ErrorKind::Invalid, "{operator}");
            assert!(message.contains("Expression tree is too large"), "{message}");
        }
    }
    let sql = format!("SELECT a {} FROM t", "IS NULL ".repeat(60_000));
    assert_eq!(error(&session, &sql).0, ErrorKind::Invalid);
    // What is one node stays allowed.
    let long = vec!["a = 1"; 60_000].join(" OR ");
    assert_eq!(rows(&session, &format!("SELECT count(*) FROM t WHERE {long}")), "1");
}

#[test]
fn views_over_views_do_not_grow_expressions() {
    let session = session("CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    session.execute("CREATE VIEW deep0 AS SELECT a FROM t").unwrap();
    session.execute("CREATE VIEW wide0 AS SELECT a FROM t").unwrap();
    let ones = " + 1".repeat(400);
    for level in 1..40 {
        let below = level - 1;
        session
            .execute(&format!("CREATE VIEW deep{level} AS SELECT a{ones} AS a FROM deep{below}"))
            .unwrap();
        session
            .execute(&format!("CREATE VIEW wide{level} AS SELECT a + a AS a FROM wide{below}"))
            .unwrap();
    }
    assert_eq!(rows(&session, "SELECT a FROM deep39"), (1 + 39 * 400).to_string());
    assert_eq!(rows(&session, "SELECT a FROM deep39 WHERE a > 5"), (1 + 39 * 400).to_string());
    assert_eq!(rows(&session, "SELECT a FROM wide39"), (1_u64 << 39).to_string());
    assert_eq!(rows(&session, "SELECT count(*) FROM wide39 WHERE a < 5"), "0");
}

#[test]
fn generated_columns_that_grow_are_refused() {
    let session = session("CREATE TABLE other(a)");
    let columns: Vec<String> =
        (1..30).map(|level| format!("c{level} AS (c{0} + c{0})", level - 1)).collect();
    let (kind, message) = error(&session, &format!("CREATE TABLE t(c0, {})", columns.join(", ")));
    assert_eq!(kind, ErrorKind::Limit);
    assert!(message.contains("is too large"), "{message}");
}

#[test]
fn views_that_double_end_in_an_error_or_in_time() {
    let session = session("CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    session.execute("CREATE VIEW v0 AS SELECT a FROM t").unwrap();
    for level in 1..25 {
        session
            .execute(&format!(
                "CREATE VIEW v{level} AS SELECT x.a + y.a AS a FROM v{0} x, v{0} y",
                level - 1
            ))
            .unwrap();
    }
    assert_eq!(rows(&session, "SELECT a FROM v8"), "256");
    session.set_statement_timeout(Some(std::time::Duration::from_millis(100)));
    let (kind, message) = error(&session, "SELECT a FROM v24");
    assert_eq!(kind, ErrorKind::Limit);
    assert!(message.contains("too long") || message.contains("too many references"), "{message}");
}

#[test]
fn joins_have_a_number_of_tables_that_the_stack_holds() {
    let session = session("CREATE TABLE t(a INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)");
    for join in ["JOIN t t{} USING(a)", "LEFT JOIN t t{} ON 0", "LEFT JOIN t t{} ON t{}.a = t0.a"] {
        let sql = |count: usize| {
            let joins: Vec<String> =
                (1..count).map(|number| join.replace("{}", &number.to_string())).collect();
            format!("SELECT count(*) FROM t t0 {}", joins.join(" "))
        };
        assert_eq!(rows(&session, &sql(200)), "1", "{join}");
        let (kind, message) = error(&session, &sql(201));
        assert_eq!(kind, ErrorKind::Limit);
        assert!(message.contains("too many FROM clause terms, max: 200"), "{message}");
    }
}

#[test]
fn more_calls_and_subqueries_than_two_bytes_can_number() {
    let session = session("CREATE TABLE t(a); INSERT INTO t VALUES('y69999'), ('y5'), ('zz')");
    let likes: Vec<String> = (0..70_000).map(|number| format!("a LIKE 'y{number}'")).collect();
    let sql = format!("SELECT count(*) FROM t WHERE {}", likes.join(" OR "));
    assert_eq!(rows(&session, &sql), "2");
    let sql = format!("SELECT count(*) FROM (SELECT 1 {})", "UNION ALL SELECT 1 ".repeat(499));
    assert_eq!(rows(&session, &sql), "500");
}
