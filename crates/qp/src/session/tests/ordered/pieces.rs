//! Rows that come in the order of the first terms of ORDER BY, sorted by the others.
//!
//! The same random queries run with the rule and without it, in full orders, so that each row has
//! one place: over keys with NULLs, texts that a collation holds equal, descending indexes, a
//! table without rowid, joins and groups; in memory and in files. Neighbours: `ordered` has groups,
//! `plan::access::order` knows how far a way's order reaches.

use super::super::{Dice, check, lines, rows, session};
use crate::plan::Rules;
use crate::session::Session;

const SCHEMA: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b TEXT COLLATE NOCASE, c, d REAL);
    CREATE INDEX t_a ON t(a); CREATE INDEX t_bc ON t(b DESC, c); CREATE INDEX t_d ON t(d, a DESC);
    CREATE INDEX t_bin ON t(b COLLATE BINARY); CREATE INDEX t_some ON t(c) WHERE a > 1;
    CREATE TABLE w(a INT, b TEXT, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID;
    CREATE INDEX w_c ON w(c);
    CREATE TABLE o(id INTEGER PRIMARY KEY, t INT, q); CREATE INDEX o_t ON o(t)";

const VALUES: [&str; 9] = ["NULL", "0", "1", "1.5", "2", "'a'", "'A'", "'b'", "x'61'"];

fn filled(dice: &mut Dice, count: usize) -> Session {
    let session = session();
    session.execute(SCHEMA).unwrap();
    session.execute("BEGIN").unwrap();
    for _ in 0..count {
        let values = [0; 4].map(|_| dice.pick(&VALUES)).join(", ");
        session.execute(&format!("INSERT INTO t(a, b, c, d) VALUES ({values})")).unwrap();
        let (key, other) = (dice.below(9), dice.pick(&VALUES[1..]));
        let value = dice.pick(&VALUES);
        session
            .execute(&format!("INSERT OR IGNORE INTO w VALUES ({key}, {other}, {value})"))
            .unwrap();
        let of = dice.below(count);
        session.execute(&format!("INSERT INTO o(t, q) VALUES ({of}, {value})")).unwrap();
    }
    session.execute("COMMIT").unwrap();
    session
}

/// Some of these columns with directions.
fn terms(dice: &mut Dice, columns: &[&str], count: usize) -> String {
    let mut chosen: Vec<String> = Vec::new();
    for _ in 0..count {
        let nulls = dice.pick(&["", "", "", "", " NULLS LAST", " NULLS FIRST"]);
        let one = format!("{}{}{nulls}", dice.pick(columns), dice.pick(&["", "", " DESC"]));
        chosen.push(one);
    }
    chosen.join(", ")
}

/// A query in a full order.
fn query(dice: &mut Dice) -> String {
    let value = dice.pick(&VALUES);
    let filter = match dice.below(6) {
        0 => format!(" WHERE t.a = {value}"),
        1 => format!(" WHERE t.b > {value}"),
        2 => " WHERE t.a IN (1, 2)".to_owned(),
        3 => format!(" WHERE t.a > 1 AND t.c IS NOT {value}"),
        _ => String::new(),
    };
    let own = ["t.a", "t.b", "t.c", "t.d", "t.b COLLATE BINARY", "t.a + 1", "t.id"];
    let count = 1 + dice.below(3);
    let sql = match dice.below(8) {
        0 => {
            let order = terms(dice, &["a", "b", "c"], count);
            return limited(dice, &format!("SELECT a, b, c FROM w ORDER BY {order}, b, a"));
        }
        1 => {
            let order = terms(dice, &["t.a", "t.d", "o.q", "t.b"], count);
            let sql = format!(
                "SELECT t.id, o.id, q FROM t JOIN o ON o.t = t.id{filter} ORDER BY {order}, 1, 2"
            );
            return limited(dice, &sql);
        }
        2 => {
            let order = terms(dice, &["t.a", "t.d", "t.b"], count);
            format!(
                "SELECT id, a FROM t{filter} {} EXISTS (SELECT * FROM o WHERE o.t = t.id) \
                 ORDER BY {order}, id",
                if filter.is_empty() { "WHERE" } else { "AND" }
            )
        }
        3 => {
            let order = terms(dice, &["a", "d", "count(*)", "max(id)"], count);
            format!("SELECT a, d, count(*) FROM t{filter} GROUP BY a, d ORDER BY {order}, a, d")
        }
        4 => {
            let order = terms(dice, &["a", "d"], count);
            format!("SELECT DISTINCT a, d FROM t{filter} ORDER BY {order}, a, d")
        }
        5 => {
            let order = terms(dice, &own, count);
            format!(
                "SELECT id, (SELECT count(*) FROM o WHERE o.t = t.id) FROM t{filter} \
                     ORDER BY {order}, id"
            )
        }
        _ => format!("SELECT * FROM t{filter} ORDER BY {}, id", terms(dice, &own, count)),
    };
    limited(dice, &sql)
}

fn limited(dice: &mut Dice, sql: &str) -> String {
    let (limit, skip) = (dice.below(30), dice.below(4));
    match dice.below(4) {
        0 => sql.to_owned(),
        1 => format!("SELECT * FROM ({sql} LIMIT {limit} OFFSET {skip})"),
        _ => format!("{sql} LIMIT {limit} OFFSET {skip}"),
    }
}

#[test]
fn pieces_in_order_are_the_order() {
    let runs: u64 = if cfg!(debug_assertions) { 3 } else { 40 };
    for seed in 1..=runs {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let count = [20, 200, 700][dice.below(3)];
        let session = filled(&mut dice, count);
        for _ in 0..100 {
            let sql = query(&mut dice);
            let without = Rules::default().without(Rules::PART_SORT);
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
             INSERT INTO t SELECT i, i % 600, printf('%03d', i % 300), i * 7 % 1000, i % 50 FROM n;
             INSERT INTO o SELECT id * 2, id, 3000 - id FROM t;
             INSERT INTO w SELECT id, printf('%03d', id % 300), 0 FROM t",
        )
        .unwrap();
    session
}

#[test]
fn a_limit_ends_the_reading_behind_a_piece() {
    let session = numbered();
    for (sql, expected, read) in [
        ("SELECT id FROM t ORDER BY a, c LIMIT 3", "0 600 1200", 6),
        ("SELECT id FROM t ORDER BY a DESC, c LIMIT 3", "599 1199 1799", 6),
        ("SELECT id FROM t ORDER BY a, c, d DESC LIMIT 3 OFFSET 4", "2400 1 601", 11),
        ("SELECT a FROM w ORDER BY b, a DESC LIMIT 2", "2700 2400", 2),
        ("SELECT a FROM w ORDER BY b DESC, a DESC LIMIT 2", "2999 2699", 11),
    ] {
        check(&session, sql, expected);
        let analyzed = lines(&session, &format!("EXPLAIN ANALYZE {sql}"));
        let scan = analyzed.iter().find(|line| line.contains("SCAN")).unwrap();
        assert!(scan.contains(&format!("{read} rows")), "{sql}: {analyzed:?}");
    }
}

#[test]
fn plans_say_which_terms_are_sorted() {
    let session = numbered();
    for (sql, sorted) in [
        ("SELECT id FROM t ORDER BY a, c LIMIT 3", "LAST TERM OF ORDER BY"),
        ("SELECT id FROM t ORDER BY a, c, d LIMIT 3", "LAST 2 TERMS OF ORDER BY"),
        ("SELECT t.id FROM t JOIN o ON o.t = t.id ORDER BY t.a, o.q LIMIT 3", "LAST TERM OF ORDER"),
        ("SELECT id FROM t WHERE a > 590 ORDER BY a, c", "LAST TERM OF ORDER BY"),
        ("SELECT a, d, sum(c) FROM t GROUP BY a, d ORDER BY a, 3 LIMIT 2", "LAST TERM OF ORDER BY"),
        ("SELECT c FROM t WHERE a = 3 ORDER BY a, c", "FOR ORDER BY"),
        ("SELECT id FROM t ORDER BY a, c", "FOR ORDER BY"),
        ("SELECT id FROM t ORDER BY a NULLS LAST, c LIMIT 3", "FOR ORDER BY"),
    ] {
        let found = rows(&session, &format!("EXPLAIN QUERY PLAN {sql}"));
        assert!(found.contains(sorted), "{sql}: {found}");
    }
    for sql in ["SELECT a FROM w ORDER BY b DESC, a, c", "SELECT id FROM t ORDER BY id, c"] {
        let found = rows(&session, &format!("EXPLAIN QUERY PLAN {sql}"));
        assert!(!found.contains("TEMP B-TREE"), "{sql}: {found}");
    }
}
