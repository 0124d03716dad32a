//! Rows as statements lend them, and statements that are run again while everything around them
//! changes: each against what must be the same by the language's rules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use pandodb_ds::record::Value;

use super::Dice;
use crate::catalog::DatabaseIndex;
use crate::session::{Session, Statement, Step};
use crate::store::{Database, Isolation};

fn lent(statement: &Statement<'_>) -> Vec<Value> {
    let row = statement.lent();
    (0..row.len()).map(|at| row.get(at).to_owned()).collect()
}

/// Any outputs in any order, twice too, of rows of every kind: old ones without the newest
/// columns, with texts longer than a page, made up by an outer join, out of an index, kept by a
/// sort or computed.
#[test]
fn any_outputs_are_lent_as_they_are_alone() {
    let session = Session::new(Database::in_memory().unwrap());
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT, c REAL);
             CREATE INDEX t_a ON t(a, b);
             INSERT INTO t VALUES(1, 5, 'one', 1.5), (2, NULL, x'00ff', 2), (7, 'k', '', -0.0);
             INSERT INTO t VALUES(9, zeroblob(50000), printf('%.*c', 40000, 'x'), 1e300);
             ALTER TABLE t ADD COLUMN d DEFAULT 'added';
             ALTER TABLE t ADD COLUMN e INTEGER DEFAULT 300;
             INSERT INTO t VALUES(12, 1, 'new', 0.1, NULL, -7);
             CREATE TABLE w(p TEXT, q, PRIMARY KEY(p)) WITHOUT ROWID;
             INSERT INTO w VALUES('one', 1), ('new', x'41'), ('other', NULL)",
        )
        .unwrap();
    let outputs = [
        "t.id",
        "t.a",
        "t.b",
        "t.c",
        "t.d",
        "t.e",
        "t.rowid",
        "w.p",
        "w.q",
        "t.a || t.b",
        "42",
        "t.id + 1",
        "upper(w.p)",
        "NULL",
        "'text'",
    ];
    let froms = [
        "t LEFT JOIN w ON w.p = t.b ORDER BY t.id",
        "w LEFT JOIN t ON w.p = t.b ORDER BY t.id, w.p",
        "t JOIN w ON t.b >= w.p ORDER BY w.p DESC, t.id",
        "t LEFT JOIN w ON w.p = t.b WHERE t.a > 0 ORDER BY t.a, t.id",
    ];
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for _ in 0..200 {
        let from = froms[dice.below(froms.len())];
        let chosen: Vec<&str> =
            (0..=dice.below(7)).map(|_| outputs[dice.below(outputs.len())]).collect();
        let sql = format!("SELECT {} FROM {from}", chosen.join(", "));
        let (statement, _) = session.prepare(&sql).unwrap();
        let mut statement = statement.unwrap();
        let alone: Vec<Vec<Value>> = chosen
            .iter()
            .map(|output| {
                let rows = session.query(&format!("SELECT quote({output}), {output} FROM {from}"));
                rows.unwrap().rows.into_iter().map(|mut row| row.remove(1)).collect()
            })
            .collect();
        for _ in 0..2 {
            let mut row = 0;
            while statement.step().unwrap() == Step::Row {
                let expected: Vec<Value> = alone.iter().map(|column| column[row].clone()).collect();
                assert_eq!(lent(&statement), expected, "row {row} of {sql}");
                assert_eq!(statement.row().unwrap(), expected, "row {row} of {sql}");
                row += 1;
            }
            assert_eq!(row, alone[0].len(), "{sql}");
            assert!(statement.lent().is_empty(), "there is no row behind the last");
        }
    }
}

/// One prepared query that runs again and again sees what a new session sees, whatever it or
/// others did in between.
#[test]
fn a_statement_that_goes_on_misses_nothing() {
    let database = Database::in_memory().unwrap();
    let (own, other) = (Session::new(database.clone()), Session::new(database.clone()));
    own.execute("CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 2), (3, 4)").unwrap();
    let sql = "SELECT count(*), sum(a), (SELECT count(*) FROM sqlite_schema) FROM t";
    let (statement, _) = own.prepare(sql).unwrap();
    let (second, _) = own.prepare("SELECT * FROM t ORDER BY a").unwrap();
    let (mut statement, mut second) = (statement.unwrap(), second.unwrap());
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut attached = 0;
    for round in 0..400 {
        let done = match dice.below(16) {
            0 => other.execute("INSERT INTO t(a) VALUES(7)"),
            1 => own.execute("INSERT INTO t(a) VALUES(8)"),
            2 => own.execute(&format!("CREATE TABLE n{round}(x)")),
            3 => other.execute(&format!("CREATE TABLE n{round}(x)")),
            4 => other.execute(&format!("ALTER TABLE t ADD COLUMN c{round} DEFAULT 1")),
            5 => own.execute(&format!("CREATE TEMP TABLE n{round}(x)")),
            6 => own.execute("PRAGMA case_sensitive_like = 1"),
            7 => own.execute("BEGIN; INSERT INTO t(a) VALUES(9)"),
            8 => own.execute("DELETE FROM t WHERE a = 8"),
            9 => second.step().map(drop),
            10 => {
                second.reset();
                Ok(())
            }
            11 => {
                let level = [Isolation::ReadCommitted, Isolation::Snapshot];
                own.set_isolation(level[dice.below(2)]);
                Ok(())
            }
            12 if attached == 0 => {
                attached += 1;
                own.attach("extra", Database::in_memory().unwrap(), crate::store::MAIN)
            }
            13 => {
                own.set_user(None);
                own.set_memory_limits(1 << 20, 1 << 30);
                Ok(())
            }
            _ => Ok(()),
        };
        done.unwrap_or_else(|error| panic!("round {round}: {error}"));
        for _ in 0..2 {
            let fresh = Session::new(database.clone());
            let expected = if own.is_autocommit() { &fresh } else { &own };
            let expected = expected.query(sql).unwrap().rows.remove(0);
            assert_eq!(statement.step().unwrap(), Step::Row);
            assert_eq!(lent(&statement), expected, "round {round}");
            assert_eq!(statement.step().unwrap(), Step::Done);
        }
        if !own.is_autocommit() {
            let end = ["COMMIT", "ROLLBACK"][dice.below(2)];
            own.execute(end).unwrap();
        }
    }
    assert!(own.database(DatabaseIndex::MAIN).is_ok());
}
