//! IN, NOT IN and what else subqueries say of each row: the same in both gears and in helpers,
//! and the same whether a subquery becomes a join or stays a set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use proptest::prelude::*;

use super::tests::{check, expression, gears, setup};
use crate::plan::Rules;
use crate::session::Session;

const MORE: &str = "
    CREATE TABLE v(k INTEGER NOT NULL, n TEXT NOT NULL COLLATE NOCASE, r REAL NOT NULL, o);
    INSERT INTO v SELECT coalesce(a, 2), coalesce(b, 'a'), coalesce(CAST(c AS REAL), 3.0), d
        FROM t WHERE id % 2 = 0;
    CREATE TABLE none(k INTEGER NOT NULL, o); CREATE INDEX v_k ON v(k)";

/// The rows of a query under rules, as text that tells kinds apart.
fn rows(session: &Session, rules: Rules, sql: &str) -> String {
    session.change_settings(|settings| settings.rules = rules);
    let rows = format!("{:?}", session.query(sql).map(|rows| rows.rows));
    session.change_settings(|settings| settings.rules = Rules::default());
    rows
}

/// The gears agree, with subqueries as joins and without.
fn check_forms(gears: &(Session, Session, Session), sql: &str) {
    check(gears, sql);
    let plain = rows(&gears.1, Rules::default().without(Rules::SEMI_JOIN), sql);
    for session in [&gears.0, &gears.1] {
        let joined = rows(session, Rules::default(), sql);
        assert!(joined == plain, "{sql}\njoined: {joined}\nplain:  {plain}");
        let loops = rows(session, Rules::default().without(Rules::HASH_JOIN), sql);
        assert!(loops == plain, "{sql}\nloops: {loops}\nplain: {plain}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn sets_and_joins_are_the_same(
        setup in setup(),
        parts in prop::collection::vec((expression(), expression()), 2),
    ) {
        let gears = gears(&format!("{setup};{MORE}"));
        for (one, two) in &parts {
            for not in ["", "NOT "] {
                for operand in ["t.id", "t.a", "t.b", "t.c", "t.d", one] {
                    for column in ["x", "y", "y COLLATE NOCASE"] {
                        check_forms(&gears, &format!("SELECT t.id FROM t WHERE {operand} {not}IN \
                            (SELECT {column} FROM u) ORDER BY 1"));
                    }
                    check_forms(&gears, &format!("SELECT t.id FROM t WHERE {operand} {not}IN \
                        (SELECT x FROM u WHERE x > 3) AND t.a < (SELECT max(y) FROM u) ORDER BY 1"));
                    check_forms(&gears, &format!("SELECT t.id FROM t WHERE {operand} {not}IN \
                        (SELECT y FROM u WHERE u.x = t.a) ORDER BY 1"));
                    check_forms(&gears, &format!("SELECT t.id FROM t WHERE {operand} {not}IN \
                        (SELECT k FROM none) OR {two} ORDER BY 1"));
                    check_forms(&gears, &format!("SELECT t.id FROM t LEFT JOIN u ON u.x = t.a \
                        WHERE {operand} {not}IN (SELECT k FROM v WHERE v.o = t.d) ORDER BY 1"));
                }
                for (operand, column) in
                    [("k", "k"), ("n", "n"), ("r", "k"), ("k", "r"), ("n", "k"), ("k", "n")]
                {
                    check_forms(&gears, &format!("SELECT rowid FROM v WHERE v.{operand} {not}IN \
                        (SELECT i.{column} FROM v AS i WHERE i.o = v.o) ORDER BY 1"));
                    check_forms(&gears, &format!("SELECT rowid FROM v WHERE v.{operand} {not}IN \
                        (SELECT i.rowid FROM v AS i WHERE i.{column} <> v.{column}) ORDER BY 1"));
                }
                check_forms(&gears, &format!("SELECT t.id FROM t WHERE (t.a, t.d) {not}IN \
                    (SELECT x, y FROM u) ORDER BY 1"));
                check_forms(&gears, &format!("SELECT t.id, u.y FROM t JOIN u ON u.x = t.a WHERE \
                    u.y {not}IN (SELECT d FROM t WHERE {two}) ORDER BY 1, 2"));
            }
            check_forms(&gears, &format!("SELECT count(*), sum(a) FROM t WHERE c > (SELECT \
                avg(x) FROM u) AND EXISTS (SELECT 1 FROM u) AND {one}"));
            check_forms(&gears, &format!("SELECT t.id, (SELECT min(x) FROM u) + t.a FROM t JOIN \
                u ON u.x = t.a AND u.y IS NOT (SELECT max(y) FROM u WHERE x < 5) AND {two} ORDER BY 1"));
        }
    }
}

// Neighbours: `tests`, `search_tests`.
