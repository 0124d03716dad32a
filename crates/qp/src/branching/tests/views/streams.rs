//! Differences of many rows: given out one after the other, and stopped where they are.

use pandodb_ds::record::Value;

use crate::branching::tests::session;
use crate::error::ErrorKind;
use crate::session::{Session, Statement, Step};

/// More rows than are held at once, so many that several threads look at them.
const ROWS: i64 = 70_000;

const PANDO_DIFF: &str = "SELECT * FROM pando_diff('item', 'before', 'main')";

fn prepared<'s>(session: &'s Session, sql: &str) -> Statement<'s> {
    session.prepare(sql).unwrap().0.unwrap()
}

/// A table whose rows all differ between `main` and `dev`, in one of two columns, beside one that
/// only `dev` has.
fn changed() -> Session {
    let session = session();
    for sql in [
        "CREATE TABLE item(id INTEGER PRIMARY KEY, name, price)",
        "CREATE BRANCH before",
        "INSERT INTO item SELECT value, 'n' || value, value % 10 FROM generate_series(1, 70000)",
        "CREATE BRANCH dev",
        "USE BRANCH dev",
        "UPDATE item SET price = price + 1",
        "CREATE TABLE later(a)",
        "INSERT INTO later VALUES (7)",
        "USE BRANCH main",
    ] {
        session.query(sql).unwrap();
    }
    session
}

#[test]
fn every_row_that_differs_is_told_once_and_in_order() {
    let session = changed();
    let told = session.query("SHOW DIFF BETWEEN main AND dev").unwrap().rows;
    let of_rows = told.iter().filter(|row| row[0] == Value::Text(b"row".to_vec().into()));
    let keys: Vec<&Value> = of_rows.map(|row| &row[3]).collect();
    assert_eq!(keys.len() as i64, ROWS + 1);
    let expected = (1..=ROWS).map(|key| Value::Text(key.to_string().into_bytes().into()));
    assert!(keys.iter().take(ROWS as usize).copied().cloned().eq(expected));

    let sums = "SELECT count(*), sum(new_id), count(DISTINCT new_id), sum(new_price - old_price) \
                FROM pando_diff('item', 'main', 'dev')";
    let sum = ROWS * (ROWS + 1) / 2;
    let expected = [ROWS, sum, ROWS, ROWS].map(Value::Integer);
    assert_eq!(session.query(sums).unwrap().rows, [expected]);
    let added = "SELECT count(*) FROM pando_diff('item', 'before', 'main') WHERE change = 'insert'";
    assert_eq!(session.query(added).unwrap().rows, [[Value::Integer(ROWS)]]);
}

#[test]
fn rows_go_on_while_branches_do_and_stop_when_asked() {
    let session = changed();
    let mut statement = prepared(&session, "SHOW DIFF BETWEEN main AND dev");
    for _ in 0..10 {
        assert_eq!(statement.step().unwrap(), Step::Row);
    }
    session.query("DROP BRANCH dev").unwrap();
    session.query("DELETE FROM item").unwrap();
    let mut rest = 0;
    while statement.step().unwrap() == Step::Row {
        rest += 1;
    }
    // With the two columns, and the object, of the table that `dev` had alone.
    assert!(rest >= ROWS + 1 - 10, "{rest}");
    drop(statement);

    let mut statement = prepared(&session, PANDO_DIFF);
    assert_eq!(statement.step().unwrap(), Step::Done);
    drop(statement);
    session.query("INSERT INTO item SELECT value, 1, 2 FROM generate_series(1, 70000)").unwrap();
    let mut statement = prepared(&session, PANDO_DIFF);
    for _ in 0..100 {
        assert_eq!(statement.step().unwrap(), Step::Row);
    }
    session.interrupt();
    let stopped = loop {
        match statement.step() {
            Ok(Step::Row) => {}
            Ok(Step::Done) => break None,
            Err(error) => break Some(error.kind()),
        }
    };
    assert_eq!(stopped, Some(ErrorKind::Interrupted));
}
