//! Loops over a search give the same rows in both gears, bit by bit, in the same order.
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

const INDEXES: &str = "
    CREATE INDEX u_x ON u(x); CREATE INDEX u_yx ON u(y DESC, x); CREATE INDEX t_b ON t(b, a);
    CREATE INDEX t_d ON t(d); CREATE TABLE w(p, q, PRIMARY KEY (p, q)) WITHOUT ROWID;
    INSERT OR IGNORE INTO w SELECT coalesce(a, 7), coalesce(d, 'x') FROM t;
    CREATE UNIQUE INDEX w_q ON w(q, p); ALTER TABLE u ADD COLUMN z TEXT DEFAULT 'new';
    INSERT INTO u SELECT a, b, c FROM t WHERE id % 3 = 0";

/// Sessions whose joins are loops as a rule.
fn loops(setup: &str) -> (Session, Session, Session) {
    let gears = gears(&format!("{setup};{INDEXES}"));
    for session in [&gears.0, &gears.1, &gears.2] {
        session.change_settings(|settings| {
            settings.rules = Rules::default().without(Rules::HASH_JOIN);
        });
    }
    gears
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn searches_are_the_same(
        setup in setup(),
        parts in prop::collection::vec((expression(), expression()), 6),
    ) {
        let gears = loops(&setup);
        for (one, two) in &parts {
            for kind in ["CROSS JOIN", "LEFT JOIN"] {
                for on in [
                    "u.x = t.a", "u.x IS t.a", "u.y = t.d", "u.y = t.b", "u.y = t.c AND u.x = t.a",
                    "u.y = t.b COLLATE BINARY AND u.x = 3", "u.rowid = t.a", "u.rowid = t.c",
                ] {
                    check(&gears, &format!("SELECT t.id, u.* FROM t {kind} u ON {on}"));
                    check(&gears, &format!("SELECT t.id, u.x FROM t {kind} u ON {on} AND \
                        coalesce(u.x > t.a, u.z) WHERE {two}"));
                }
                check(&gears, &format!("SELECT t.id, x FROM t {kind} u ON u.x = t.a AND {one}"));
                check(&gears, &format!("SELECT u.x, t.id, t.b FROM u {kind} t ON t.b = u.y AND \
                    {two} ORDER BY u.x"));
                check(&gears, &format!("SELECT count(*), sum(t.a), max(v.c) FROM t {kind} u ON \
                    u.x = t.a {kind} t AS v ON v.id = u.y AND v.c < {one}"));
                check(&gears, &format!("SELECT t.id, w.* FROM t {kind} w ON w.q = t.d"));
            }
            for not in ["", "NOT "] {
                check(&gears, &format!("SELECT id FROM t WHERE {not}EXISTS (SELECT 1 FROM u WHERE \
                    x = t.a)"));
                check(&gears, &format!("SELECT id, {one} FROM t WHERE {not}EXISTS (SELECT 1 FROM \
                    u WHERE x = t.a AND y < t.c)"));
                check(&gears, &format!("SELECT id FROM t WHERE {not}EXISTS (SELECT 1 FROM u WHERE \
                    y = t.d AND x <> t.a AND z IS NOT {two})"));
            }
        }
    }
}

// Neighbours: `tests`, `search`.
