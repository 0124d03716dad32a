//! INDEXED BY: an index is read only where it has every row that is asked for.
//!
//! Random conditions, joins and changes over a table with partial indexes of every kind; where
//! the index that is named is taken, the rows are those that are found without any. Neighbours:
//! `rules` (the planner's own choice).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::record::Value;

use super::{Dice, check, fails, rows, session};
use crate::error::ErrorKind;
use crate::session::{Session, Step};

/// What the partial indexes ask.
const FILTERS: [&str; 16] = [
    "a IS NOT NULL",
    "b NOTNULL",
    "a = 1",
    "2 < a",
    "s = 'a'",
    "s = 'a' COLLATE BINARY",
    "a = 1 OR a = 2",
    "a IS NOT NULL AND s IS NOT NULL",
    "a IS NULL",
    "a IN (1, 2)",
    "a BETWEEN 1 AND 3",
    "s LIKE 'a%'",
    "a + 1 IS NOT NULL",
    "g IS NOT NULL",
    "NOT b",
    "a <> b",
];

const VALUES: [&str; 10] = ["NULL", "0", "1", "2", "3", "'1'", "'a'", "'A'", "1.0", "'x'"];

fn filled(dice: &mut Dice) -> Session {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b, s TEXT COLLATE NOCASE, g AS (a));
             CREATE TABLE u(x INTEGER, y);",
        )
        .unwrap();
    for (number, filter) in FILTERS.iter().enumerate() {
        let columns = dice.pick(&["b", "a", "s, b", "id", "b + 1"]);
        session.execute(&format!("CREATE INDEX i{number} ON t({columns}) WHERE {filter}")).unwrap();
    }
    for _ in 0..30 {
        let mut value = || dice.pick(&VALUES);
        let row = format!("INSERT INTO t(a, b, s) VALUES({}, {}, {})", value(), value(), value());
        session.execute(&row).unwrap();
        session.execute(&format!("INSERT INTO u VALUES({}, {})", value(), value())).unwrap();
    }
    session
}

fn condition(dice: &mut Dice, depth: usize) -> String {
    let one = dice.pick(&["a", "b", "s", "g", "a + 1", "-a", "a || s", "x"]);
    let value = dice.pick(&VALUES);
    match dice.below(if depth == 0 { 11 } else { 16 }) {
        0 => format!("{one} = {value}"),
        1 => format!("{value} {} {one}", dice.pick(&["<", "<=", ">", "IS", "<>", "IS NOT"])),
        2 => format!("{one} {}BETWEEN {value} AND 3", dice.pick(&["", "NOT "])),
        3 => format!("{value} {}BETWEEN {one} AND 3", dice.pick(&["", "NOT "])),
        4 => format!("{one} {}IN (1, {value})", dice.pick(&["", "NOT "])),
        5 => format!("{one} {}IN ()", dice.pick(&["", "NOT "])),
        6 => format!("{one} IS {}", dice.pick(&["NULL", "NOT NULL", "TRUE", "NOT TRUE", "FALSE"])),
        7 => format!("{one} LIKE {}", dice.pick(&["'a%'", "'1'", "NULL"])),
        8 => format!("({one}, b) {} (1, 2)", dice.pick(&["<", "=", "IS", "<>"])),
        9 => format!("{one} {}IN (SELECT y FROM u)", dice.pick(&["", "NOT "])),
        10 => dice.pick(&FILTERS).to_owned(),
        11 => format!("NOT ({})", condition(dice, depth - 1)),
        12 => format!("CASE WHEN {} THEN {value} END", condition(dice, depth - 1)),
        13 => format!("({}) IS NOT NULL", condition(dice, depth - 1)),
        14 => format!("({} AND {})", condition(dice, depth - 1), condition(dice, depth - 1)),
        _ => format!("({} OR {})", condition(dice, depth - 1), condition(dice, depth - 1)),
    }
}

/// A query of the table, or of it and another.
fn query(dice: &mut Dice, hint: &str) -> String {
    let depth = dice.below(2);
    let (on, filter) = (condition(dice, depth), condition(dice, depth));
    let t = format!("t {hint}");
    let from = match dice.below(6) {
        0 => format!("(SELECT 1 AS x) CROSS JOIN {t}"),
        1 => format!("u JOIN {t} ON {on}"),
        2 => format!("u LEFT JOIN {t} ON {on}"),
        3 => format!("{t} LEFT JOIN u ON {on}"),
        4 => format!("u RIGHT JOIN {t} ON {on}"),
        _ => format!("u FULL JOIN {t} ON {on}"),
    };
    format!("SELECT id, x FROM {from} WHERE {filter} ORDER BY 1, 2")
}

#[test]
fn an_index_that_is_named_has_every_row_that_is_asked_for() {
    let (mut taken, mut refused) = (0, 0);
    for seed in 1..=12 {
        let mut dice = Dice(seed * 0x9E37_79B9);
        let session = filled(&mut dice);
        for _ in 0..200 {
            let number = dice.below(FILTERS.len());
            let state = dice.0;
            let named = query(&mut dice, &format!("INDEXED BY i{number}"));
            let without = query(&mut Dice(state), "NOT INDEXED");
            match session.query(&named) {
                Ok(_) => {
                    taken += 1;
                    let expected = rows(&session, &without);
                    assert_eq!(rows(&session, &named), expected, "{}: {named}", FILTERS[number]);
                    // What the planner chooses by itself is held to the same.
                    let free = query(&mut Dice(state), "");
                    assert_eq!(rows(&session, &free), expected, "{free}");
                }
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.message(), "no query solution", "{named}");
                }
            }
        }
    }
    assert!(taken > 150 && refused > 150, "{taken} taken, {refused} refused");
}

#[test]
fn a_parameter_implies_nothing_and_a_dropped_index_is_missed() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a, b); CREATE INDEX one ON t(b) WHERE a = 1;
             INSERT INTO t VALUES (1, 2), (3, 4);",
        )
        .unwrap();
    fails(&session, "SELECT b FROM t INDEXED BY one WHERE a = ?1", ErrorKind::Invalid);
    check(&session, "SELECT b FROM t INDEXED BY one WHERE 1 = a", "2");
    let (statement, _) =
        session.prepare("SELECT b FROM t INDEXED BY one WHERE a = 1 AND b > ?1").unwrap();
    let mut statement = statement.unwrap();
    statement.bind(1, Value::Integer(0)).unwrap();
    assert_eq!(statement.step().unwrap(), Step::Row);
    statement.reset();
    session.execute("DROP INDEX one").unwrap();
    assert_eq!(statement.step().unwrap_err().kind(), ErrorKind::NotFound);
    statement.reset();
    session.execute("CREATE INDEX one ON t(b) WHERE a = 3").unwrap();
    assert_eq!(statement.step().unwrap_err().message(), "no query solution");
    statement.reset();
    session.execute("DROP INDEX one; CREATE INDEX one ON t(a)").unwrap();
    assert_eq!(statement.step().unwrap(), Step::Row);
}
