//! Groups and distinct rows from the order of an index are those of a hash table.
//!
//! The same random queries run with the rule and without it, over keys with NULLs, texts that a
//! collation holds equal, numbers that are equal in two forms, and empty tables. Neighbours:
//! `rules` has whole queries, `plan::ordered` the rule.

mod pieces;
mod windows;

use super::{Dice, check, lines, rows, session};
use crate::plan::Rules;
use crate::session::Session;

const SCHEMA: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT COLLATE NOCASE, c, d REAL);
    CREATE INDEX t_ab ON t(a, b); CREATE INDEX t_ba ON t(b DESC, a); CREATE INDEX t_c ON t(c, d);
    CREATE INDEX t_bin ON t(b COLLATE BINARY, c); CREATE INDEX t_some ON t(d) WHERE a > 1;
    CREATE TABLE w(a INT, b TEXT, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID;
    CREATE INDEX w_ca ON w(c, a)";

const VALUES: [&str; 9] = ["NULL", "0", "1", "1.0", "2", "'a'", "'A'", "'b'", "x'61'"];

fn filled(dice: &mut Dice, count: usize) -> Session {
    let session = session();
    session.execute(SCHEMA).unwrap();
    session.execute("BEGIN").unwrap();
    for _ in 0..count {
        let values = [0; 4].map(|_| dice.pick(&VALUES)).join(", ");
        session.execute(&format!("INSERT INTO t(a, b, c, d) VALUES ({values})")).unwrap();
        let key = [0; 2].map(|_| dice.pick(&VALUES[1..])).join(", ");
        let value = dice.pick(&VALUES);
        session.execute(&format!("INSERT OR IGNORE INTO w VALUES ({key}, {value})")).unwrap();
    }
    session.execute("COMMIT").unwrap();
    session
}

fn keys(dice: &mut Dice, table: &str) -> String {
    let mut all: Vec<&str> = match table {
        "t" => vec!["a", "b", "c", "d", "id", "b COLLATE BINARY"],
        _ => vec!["a", "b", "c"],
    };
    let count = 1 + dice.below(3);
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let one = all.remove(dice.below(all.len()));
        chosen.push(one);
        // One column of that name.
        all.retain(|other| other.as_bytes()[0] != one.as_bytes()[0]);
    }
    chosen.join(", ")
}

/// A query whose rows are the same whichever of equal values stands for a group: all are shown
/// by what is equal in them.
fn query(dice: &mut Dice) -> String {
    let table = dice.pick(&["t", "t", "w"]);
    let keys = keys(dice, table);
    let filter = match dice.below(4) {
        0 => format!(" WHERE a = {}", dice.pick(&VALUES)),
        1 => format!(" WHERE c > {}", dice.pick(&VALUES)),
        2 => format!(" WHERE a IN (1, 2) AND c IS NOT {}", dice.pick(&VALUES)),
        _ => String::new(),
    };
    let shown = keys.split(", ").map(shown).collect::<Vec<_>>().join(", ");
    match dice.below(8) {
        6 => {
            let (one, two) = (dice.pick(&["a", "d", "b"]), dice.pick(&["", " DESC"]));
            let (one, other) = if one == "b" { ("lower(max(b))", "1") } else { (one, one) };
            let one = if other == "1" { one.to_owned() } else { format!("max({one}), min({one})") };
            format!("SELECT {shown}, {one} FROM t{filter} GROUP BY {keys} ORDER BY 1{two}")
        }
        7 => format!("SELECT max(a), min(a) FROM {table}{filter}"),
        0 => {
            let keys = keys.replace("b COLLATE BINARY", "b COLLATE BINARY AS b");
            format!("SELECT {shown} FROM (SELECT DISTINCT {keys} FROM {table}{filter})")
        }
        1 => {
            let column = dice.pick(&["a", "b", "c"]);
            format!("SELECT count(DISTINCT {column}) FROM {table}{filter}")
        }
        2 => format!(
            "SELECT {shown}, count(*), total(d0), count(DISTINCT b) FROM (SELECT *, \
            CASE WHEN typeof(a) = 'integer' THEN a END AS d0 FROM {table}{filter}) GROUP BY {keys}"
        ),
        3 => format!("SELECT {shown}, max(a), min(a) FROM {table}{filter} GROUP BY {keys}"),
        4 => format!("SELECT {shown} FROM {table}{filter} GROUP BY {keys}"),
        _ => format!(
            "SELECT {shown}, count(*), sum(a IS NULL) FROM {table}{filter} GROUP BY {keys} \
            HAVING count(*) > {}",
            dice.below(3)
        ),
    }
}

/// What is the same of all values that are one group.
fn shown(key: &str) -> String {
    match key {
        "b" => "lower(b)".to_owned(),
        "b COLLATE BINARY" => "b COLLATE BINARY".to_owned(),
        "c" => "CASE WHEN typeof(c) = 'real' THEN c || '' ELSE CASE typeof(c) WHEN 'integer' \
            THEN c || '.0' ELSE hex(c) || typeof(c) END END"
            .to_owned(),
        other => other.to_owned(),
    }
}

#[test]
fn groups_in_order_are_the_groups() {
    let runs: u64 = if cfg!(debug_assertions) { 2 } else { 30 };
    for seed in 1..=runs {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let count = [0, 30, 300, 900][dice.below(4)];
        let session = filled(&mut dice, count);
        for _ in 0..80 {
            let sql = query(&mut dice);
            let without = Rules::default().without(Rules::ORDERED_GROUPS);
            session.change_settings(|settings| settings.rules = without);
            let mut expected = lines(&session, &sql);
            let eager = Rules::default().with(Rules::EAGER);
            session.change_settings(|settings| settings.rules = eager);
            let mut found = lines(&session, &sql);
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "seed {seed}: {sql}");
            let limit = dice.below(5);
            let limited = format!("{sql} LIMIT {limit}");
            let some = lines(&session, &limited);
            assert_eq!(some.len(), expected.len().min(limit), "seed {seed}: {limited}");
            assert!(some.iter().all(|row| expected.contains(row)), "seed {seed}: {limited}");
        }
    }
}

#[test]
fn ordered_groups_come_in_the_order_that_is_asked_for() {
    let mut dice = Dice(7);
    let session = filled(&mut dice, 700);
    for order in ["a", "a DESC", "a, b", "a DESC, b DESC", "b", "b DESC, a", "b, a", "a, b DESC"] {
        for sql in [
            format!("SELECT a, lower(b), count(*) FROM t GROUP BY a, b ORDER BY {order}, 1, 2"),
            format!("SELECT a, lower(b), count(*) FROM t GROUP BY b, a ORDER BY {order} LIMIT 7"),
            format!(
                "SELECT a, lower(b) FROM (SELECT DISTINCT a, b FROM t ORDER BY {order} LIMIT 9)"
            ),
            format!("SELECT a FROM t WHERE a > 0 GROUP BY a, b ORDER BY {order}"),
        ] {
            // Of rows that ORDER BY leaves equal a LIMIT may take any.
            let sql = if order.contains(',') { sql } else { sql.replace(" LIMIT 7", "") };
            let sql = if order.contains(',') { sql } else { sql.replace(" LIMIT 9", "") };
            let without = Rules::default().without(Rules::ORDERED_GROUPS);
            session.change_settings(|settings| settings.rules = without);
            let expected = lines(&session, &sql);
            session.change_settings(|settings| settings.rules = Rules::default());
            let found = lines(&session, &sql);
            if order.contains(',') {
                assert_eq!(found, expected, "{sql}");
            } else {
                let first = |rows: &[String]| -> Vec<String> {
                    let column = usize::from(order.starts_with('b'));
                    let of = |row: &String| row.split('|').nth(column).unwrap_or("").to_owned();
                    rows.iter().map(of).collect()
                };
                assert_eq!(first(&found), first(&expected), "{sql}");
            }
        }
    }
}

#[test]
fn plans_of_ordered_groups_keep_nothing() {
    let session = session();
    session.execute(SCHEMA).unwrap();
    session
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
             INSERT INTO t SELECT i, i % 6, 'b' || i % 7, i / 3, i FROM n",
        )
        .unwrap();
    for (sql, plan) in [
        ("SELECT DISTINCT a FROM t", "SCAN t USING COVERING INDEX t_ab"),
        ("SELECT a FROM t GROUP BY a", "SCAN t USING COVERING INDEX t_ab"),
        ("SELECT count(DISTINCT a) FROM t", "SCAN t USING COVERING INDEX t_ab"),
        ("SELECT DISTINCT b FROM t WHERE a = 3", "SEARCH t USING COVERING INDEX t_ab (a=?)"),
        ("SELECT c, count(*) FROM t GROUP BY c LIMIT 5", "SCAN t USING COVERING INDEX t_c"),
        ("SELECT c, sum(a) FROM t GROUP BY c ORDER BY c LIMIT 5", "SCAN t USING INDEX t_c"),
        ("SELECT DISTINCT c, d FROM t ORDER BY c DESC LIMIT 3", "SCAN t USING COVERING INDEX t_c"),
    ] {
        let found = rows(&session, &format!("EXPLAIN QUERY PLAN {sql}"));
        assert!(found.contains(plan), "{sql}: {found}");
        assert!(!found.contains("TEMP B-TREE"), "{sql}: {found}");
    }
    let partly = "EXPLAIN QUERY PLAN SELECT c, a, count(*) FROM t GROUP BY c, a LIMIT 5";
    let found = rows(&session, partly);
    assert!(found.contains("USE TEMP B-TREE FOR LAST TERM OF GROUP BY"), "{found}");
    check(&session, "SELECT DISTINCT a FROM t ORDER BY a DESC LIMIT 2", "5 4");
    check(&session, "SELECT count(DISTINCT a), max(a), min(a) FROM t", "6|5|0");
    let looked_at = rows(&session, "EXPLAIN SELECT DISTINCT a FROM t");
    assert!(looked_at.contains("one of each first column"), "{looked_at}");
}

#[test]
fn what_stands_beside_groups_in_order_is_of_a_row_of_the_group() {
    let mut dice = Dice(11);
    let session = filled(&mut dice, 400);
    let sql = "SELECT count(*) FROM (SELECT id, a, b, count(*) FROM t GROUP BY a, b LIMIT 30) g \
        LEFT JOIN t ON t.id = g.id AND t.a IS g.a AND t.b IS g.b WHERE t.id IS NULL";
    check(&session, sql, "0");
    // Runs go on from the row at which the group before them ended, in a loop over them as well.
    let sql = "SELECT sum(n) - count(*) * 0 FROM (SELECT 1 AS x UNION ALL SELECT 2), \
        (SELECT a, id, count(*) AS n FROM t GROUP BY a, b ORDER BY a, b LIMIT 10000)";
    check(&session, sql, "800");
}
