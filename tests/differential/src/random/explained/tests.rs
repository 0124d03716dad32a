//! What each rule explains, and what it must not.
//!
//! Neighbours: the rules in `mod`, those that replay scripts in `replayed`.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::engine::Value;

#[allow(clippy::unnecessary_wraps, reason = "what an engine returns")]
fn one(value: i64) -> Result<Rows, Failure> {
    Ok(Rows { names: vec![String::new()], rows: vec![vec![Value::Integer(value)]] })
}

#[allow(clippy::unnecessary_wraps, reason = "what an engine returns")]
fn failed(code: i32, message: &str) -> Result<Rows, Failure> {
    Err(Failure { code, message: message.to_owned() })
}

fn found(
    sql: &str,
    expected: &Result<Rows, Failure>,
    actual: &Result<Rows, Failure>,
) -> Option<Explained> {
    let mut oracle = Sqlite::open().unwrap();
    oracle.execute("CREATE TABLE t(a); INSERT INTO t VALUES (7)").unwrap();
    let mut engine = Sqlite::open().unwrap();
    engine.execute("CREATE TABLE t(a); CREATE VIEW fine AS SELECT a FROM t").unwrap();
    engine.execute("CREATE VIEW broken AS SELECT a FROM missing").unwrap();
    let step = Step { sql: sql.to_owned(), check: Check::Query(Order::Any) };
    let outcome = Outcome { step: &step, expected, actual, in_transaction: false };
    explanation(&outcome, &mut oracle, &mut engine)
}

#[test]
fn a_view_that_can_be_used_is_not_explained() {
    let refused = failed(1, "view broken cannot reference objects in database other");
    let made = Ok(Rows::default());
    assert!(found("CREATE VIEW broken AS SELECT 1", &refused, &made).is_some());
    assert_eq!(found("CREATE VIEW fine AS SELECT 1", &refused, &made), None);
    assert_eq!(found("CREATE VIEW broken AS SELECT 1", &failed(1, "no such"), &made), None);
    assert_eq!(found("SELECT * FROM broken", &refused, &made), None);
}

#[test]
fn an_orphan_is_explained_only_where_sqlite_has_one() {
    let sql = "REPLACE INTO c VALUES (41, '2.5')";
    let refused = failed(787, "FOREIGN KEY constraint failed");
    let made = Ok(Rows::default());
    let step = Step { sql: sql.to_owned(), check: Check::Change };
    let of =
        |in_transaction| Outcome { step: &step, expected: &made, actual: &refused, in_transaction };
    let (mut oracle, mut engine) = (Sqlite::open().unwrap(), Sqlite::open().unwrap());
    let table = "PRAGMA foreign_keys = ON; CREATE TABLE c(a, b UNIQUE, FOREIGN KEY (a) \
                 REFERENCES c(b) ON DELETE SET NULL)";
    oracle.execute(table).unwrap();
    engine.execute(table).unwrap();
    assert_eq!(explanation(&of(false), &mut oracle, &mut engine), None);
    oracle.execute(sql).unwrap();
    assert!(explanation(&of(false), &mut oracle, &mut engine).is_some());
    assert!(explanation(&of(true), &mut oracle, &mut engine).is_some());
    let plain = Step { sql: "INSERT INTO c VALUES (41, '2.5')".to_owned(), ..step.clone() };
    let outcome = Outcome { step: &plain, ..of(true) };
    assert_eq!(explanation(&outcome, &mut oracle, &mut engine), None);
}

#[test]
fn a_condition_of_a_compound_is_explained_only_by_what_sqlite_says_of_it() {
    let sql = "SELECT 1 FROM (SELECT '' x FROM t EXCEPT SELECT CAST(a AS TEXT) FROM t) \
               WHERE -7 >= x";
    let none = Ok(Rows { names: vec![String::new()], rows: Vec::new() });
    assert!(found(sql, &none, &one(1)).is_some());
    assert_eq!(found(sql, &none, &one(2)), None);
    assert_eq!(found("SELECT 1 FROM t WHERE a = 1", &none, &one(1)), None);
}

#[test]
fn an_argument_that_fails_is_explained_only_where_there_is_no_row() {
    let sql = "SELECT 1 FROM t JOIN json_tree(json_object('k', x'00')) j";
    let failure = failed(1, "JSON cannot hold BLOB values");
    let none = Ok(Rows { names: vec![String::new()], rows: Vec::new() });
    assert!(found(sql, &none, &failure).is_some());
    assert_eq!(found(sql, &one(1), &failure), None);
    assert_eq!(found(sql, &none, &failed(1, "no such column: a")), None);
    assert_eq!(found("SELECT json(x'00') FROM t", &none, &failure), None);
}

#[test]
fn an_argument_of_a_row_that_is_left_out_is_explained_where_it_fails_in_sqlite() {
    let of = |argument: &str, condition: &str| {
        let sql = format!("SELECT 1 FROM t, json_each(json_array({argument})) j WHERE {condition}");
        found(&sql, &one(1), &failed(1, "JSON cannot hold BLOB values"))
    };
    assert!(of("iif(t.a = 7, x'61', 1)", "t.a <> 7").is_some());
    assert_eq!(of("iif(t.a = 8, x'61', 1)", "t.a <> 8"), None, "it fails for no row");
}

#[test]
fn a_forgotten_name_is_explained_and_no_other_error() {
    let sql = "SELECT count(*) FROM t WHERE 1 IS NULL AND t.b = 1";
    let missing = failed(1, "no such column: t.b");
    assert!(found(sql, &one(0), &missing).is_some());
    assert!(found("SELECT t.b IN () FROM t", &one(0), &missing).is_some());
    // The name is there; another name is missed; other rows; another error.
    assert_eq!(found(&sql.replace("t.b", "t.a"), &one(0), &missing), None);
    assert_eq!(found(sql, &one(0), &failed(1, "no such column: t.a")), None);
    assert_eq!(found(sql, &one(0), &one(1)), None);
    assert_eq!(found(sql, &one(0), &failed(1, "no such table: t")), None);
    let plain = "SELECT count(*) FROM t WHERE t.a IS NULL AND t.a = 1";
    assert_eq!(found(plain, &one(0), &failed(1, "no such column: t.a")), None);
    assert_eq!(found("SELECT 1 AND 2", &one(1), &failed(1, "no such column: t.a")), None);
}

#[test]
fn a_constant_group_is_explained_only_with_the_right_rows() {
    let sql = "SELECT count(*) FROM t GROUP BY (1 IS NULL)";
    let refused = failed(1, "1st GROUP BY term out of range - should be between 1 and 1");
    assert!(found(sql, &refused, &one(1)).is_some());
    assert_eq!(found(sql, &refused, &one(2)), None);
    assert_eq!(found("SELECT count(*) FROM t GROUP BY 5", &refused, &one(1)), None);
    assert_eq!(found(sql, &failed(1, "no such column: b"), &one(1)), None);
}

#[test]
fn a_wrong_answer_about_existence_is_not_explained() {
    let sql = "SELECT count(*) FROM t WHERE EXISTS (SELECT 1 FROM t AS q)";
    assert_eq!(found(sql, &one(1), &one(2)), None);
    assert_eq!(found(sql, &one(1), &one(1)), None);
    // Had SQLite been wrong, its other form would have been asked.
    assert!(found(sql, &one(2), &one(1)).is_some());
    assert_eq!(found("SELECT count(*) FROM t", &one(2), &one(1)), None);
}

#[test]
fn a_type_check_is_explained_only_where_nothing_changed() {
    let refused = failed(3091, "cannot store TEXT value in INT column t.a");
    let step = Step { sql: "INSERT INTO t VALUES (1), ('x')".to_owned(), check: Check::Change };
    let mut outcome =
        Outcome { step: &step, expected: &refused, actual: &refused, in_transaction: true };
    let state = |text: &str| State { tables: vec![text.to_owned()] };
    let (before, other) = (state("7"), state("7; 1"));
    let keeps = keeps_rows_of_a_failure;
    assert!(keeps(&outcome, Some(&before), &before).is_some());
    assert_eq!(keeps(&outcome, Some(&before), &other), None);
    assert_eq!(keeps(&outcome, None, &before), None);
    outcome.in_transaction = false;
    assert_eq!(keeps(&outcome, Some(&before), &before), None);
    outcome.in_transaction = true;
    let (deep, full) = (failed(1, "too many levels of trigger recursion"), failed(13, "full"));
    for (failure, is_explained) in [(&deep, true), (&full, false)] {
        let outcome = Outcome { expected: failure, actual: failure, ..outcome };
        assert_eq!(keeps(&outcome, Some(&before), &before).is_some(), is_explained);
        assert_eq!(keeps(&outcome, Some(&before), &other), None);
    }
    let fine = one(1);
    outcome.actual = &fine;
    assert_eq!(keeps(&outcome, Some(&before), &before), None);
}

#[test]
fn only_constraints_of_chosen_rows_may_be_others() {
    let failure = |code| Failure { code, message: String::new() };
    let (unique, check, error) = (failure(2067), failure(275), failure(1));
    assert!(fails_at_another_row("UPDATE t SET a = 1", &unique, &check));
    assert!(fails_at_another_row("INSERT INTO t SELECT 1", &unique, &check));
    assert!(!fails_at_another_row("INSERT INTO t VALUES (1)", &unique, &check));
    assert!(!fails_at_another_row("UPDATE t SET a = 1", &unique, &error));
    assert!(!fails_at_another_row("UPDATE t SET a = 1", &error, &check));
}

#[test]
fn a_row_that_is_left_out_may_fail_and_no_other() {
    let of = |sql: &str, expected: Result<Rows, Failure>, message: &str| {
        let mut oracle = Sqlite::open().unwrap();
        oracle.execute("CREATE TABLE t(a); INSERT INTO t VALUES (7)").unwrap();
        let step = Step { sql: sql.to_owned(), check: Check::Query(Order::Limited) };
        let (expected, actual) = (expected, failed(1, message));
        let outcome =
            Outcome { step: &step, expected: &expected, actual: &actual, in_transaction: false };
        fails_for_a_row_that_is_left_out(&outcome, &mut oracle)
    };
    let none = || Ok(Rows { names: vec![String::new()], rows: Vec::new() });
    let (blob, said) =
        ("SELECT json_array(x'61') FROM t ORDER BY 1", "JSON cannot hold BLOB values");
    assert!(of(&format!("{blob} LIMIT 4 OFFSET 1"), none(), said));
    assert!(!of(&format!("{blob} LIMIT 4 OFFSET 1"), none(), "malformed JSON"));
    assert!(!of(&format!("{blob} LIMIT 4 OFFSET 1"), failed(1, "malformed JSON"), said));
    assert!(!of("SELECT a FROM t ORDER BY 1 LIMIT 4 OFFSET 1", none(), said));
}

#[test]
fn an_order_is_explained_only_by_the_values_of_its_columns() {
    let merged = "SELECT c FROM \
                  (SELECT ifnull('B', a) AS c FROM t UNION SELECT ifnull('a', a) FROM t EXCEPT \
                  SELECT CAST(a AS TEXT) COLLATE NOCASE FROM t) ORDER BY 1 LIMIT 1";
    let text = |text: &str| {
        Ok(Rows {
            names: vec![String::new()],
            rows: vec![vec![Value::Text(text.as_bytes().to_vec())]],
        })
    };
    let of = |sql: &str, expected: &str, actual: &str| {
        let mut oracle = Sqlite::open().unwrap();
        oracle.execute("CREATE TABLE t(a); INSERT INTO t VALUES (7)").unwrap();
        let step = Step { sql: sql.to_owned(), check: Check::Query(Order::Limited) };
        let (expected, actual) = (text(expected), text(actual));
        let outcome =
            Outcome { step: &step, expected: &expected, actual: &actual, in_transaction: false };
        takes_a_merge_for_an_order(&outcome, &mut oracle)
    };
    assert!(of(merged, "a", "B"));
    assert!(!of(merged, "B", "a"), "what SQLite has by the values is another row");
    assert!(!of(merged, "a", "c"));
    assert!(!of("SELECT c FROM (SELECT 'B' AS c) ORDER BY 1", "a", "B"));
}
