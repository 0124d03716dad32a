//! Comparisons of rows, as pages of a result ask them: `WHERE (a, b) > (?, ?) ORDER BY a, b`.
//!
//! What an index answers must be what looking at every row answers. Neighbours: `rules` does the
//! same with whole queries.

use super::{check, rows, session};

#[test]
fn an_order_of_rows_finds_the_same_with_and_without_an_index() {
    let session = session();
    for sql in [
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE, c INT)",
        "CREATE INDEX t_ab ON t(a, b)",
        "CREATE INDEX t_ba ON t(b DESC, a)",
        "CREATE TABLE w(a INT, b TEXT, PRIMARY KEY(a DESC, b)) WITHOUT ROWID",
    ] {
        session.execute(sql).unwrap();
    }
    let values = ["NULL", "0", "1", "2", "'1'", "'a'", "'A'", "1.5"];
    for a in values {
        for b in values {
            session.execute(&format!("INSERT INTO t(a, b, c) VALUES ({a}, {b}, {b})")).unwrap();
        }
        let keep = format!("INSERT OR IGNORE INTO w SELECT {a}, b FROM t WHERE b NOT NULL");
        session.execute(&keep).or_else(|_| session.execute("SELECT 1")).unwrap();
    }
    for operator in ["<", "<=", ">", ">=", "=", "<>"] {
        for x in values {
            for y in values {
                for (table, left) in [("t", "a, b"), ("t", "b, a"), ("t", "id, c"), ("w", "a, b")] {
                    for condition in [
                        format!("({left}) {operator} ({x}, {y})"),
                        format!("({x}, {y}) {operator} ({left})"),
                    ] {
                        // LIMIT keeps the condition outside, where no index is.
                        let scanned = format!("(SELECT * FROM {table} LIMIT 10000)");
                        let ask = |from: &str| {
                            format!("SELECT * FROM {from} WHERE {condition} ORDER BY 1, 2")
                        };
                        let found = rows(&session, &ask(table));
                        assert_eq!(found, rows(&session, &ask(&scanned)), "{}", ask(table));
                    }
                }
            }
        }
    }
}

#[test]
fn the_next_page_of_a_result_is_found_by_its_key() {
    let session = session();
    session
        .execute("CREATE TABLE p(room TEXT, n INT, PRIMARY KEY(room, n)) WITHOUT ROWID")
        .unwrap();
    session
        .execute(
            "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 500) \
             INSERT INTO p SELECT 'r' || (i % 5), i FROM s",
        )
        .unwrap();
    check(
        &session,
        "SELECT * FROM p WHERE (room, n) > ('r3', 493) ORDER BY room, n LIMIT 3",
        "r3|498 r4|4 r4|9",
    );
    let plan = rows(
        &session,
        "EXPLAIN SELECT * FROM p WHERE (room, n) > ('r3', 493) ORDER BY room, n LIMIT 3",
    );
    assert!(plan.contains("SEARCH p USING PRIMARY KEY (room>?)"), "{plan}");
    assert!(!plan.contains("Sort"), "{plan}");
}
