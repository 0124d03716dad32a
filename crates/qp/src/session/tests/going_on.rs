//! One prepared change that runs again and again, inside and outside of transactions, does what
//! statements do that were just prepared, whatever came in between.
//!
//! Neighbours: `lending` does the same with queries.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use pandodb_ds::record::Value;

use super::Dice;
use crate::session::{Session, Statement, Step};
use crate::store::Database;

const START: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b TEXT NOT NULL, c REAL);
    CREATE TABLE seen(what)";

const CHANGES: [&str; 3] = [
    "INSERT INTO t(id, a, b, c) VALUES (?1, ?2, ?3, ?4)",
    "UPDATE t SET c = ?4, b = ?3 WHERE id = ?1",
    "DELETE FROM t WHERE id = ?1 AND ?2 IS NOT ?3 AND ?4 > 0",
];

/// What may come in between; most of it is an error where it comes.
const BETWEEN: [&str; 24] = [
    "BEGIN",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT here",
    "ROLLBACK TO here",
    "ROLLBACK TO here",
    "RELEASE here",
    "ALTER TABLE t ADD COLUMN extra DEFAULT 5",
    "ALTER TABLE t DROP COLUMN extra",
    "CREATE INDEX t_a ON t(a)",
    "CREATE UNIQUE INDEX t_b ON t(b, a)",
    "DROP INDEX t_a",
    "DROP INDEX t_b",
    "CREATE TRIGGER tells AFTER INSERT ON t BEGIN INSERT INTO seen VALUES (new.id); END",
    "DROP TRIGGER tells",
    "DROP TABLE t; CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b TEXT NOT NULL, c REAL)",
    "CREATE TEMP TABLE own(x)",
    "PRAGMA query_only = 1",
    "PRAGMA query_only = 0",
    "PRAGMA query_only = 0",
    "INSERT INTO t(b) SELECT 'from seen' FROM seen",
];

fn run(statement: &mut Statement<'_>, values: &[Value]) -> Result<(), String> {
    for (place, value) in values.iter().enumerate() {
        statement.bind_ref(place + 1, value.as_ref()).unwrap();
    }
    statement.run().map_err(|error| error.to_string())
}

/// The row of a query that counts.
fn counted(statement: &mut Statement<'_>) -> Vec<Value> {
    assert_eq!(statement.step().unwrap(), Step::Row);
    let row = statement.row().unwrap();
    assert_eq!(statement.step().unwrap(), Step::Done);
    row
}

fn state(session: &Session) -> Vec<Vec<Value>> {
    let mut rows = session.query("SELECT * FROM t ORDER BY id").unwrap().rows;
    rows.extend(session.query("SELECT count(*), max(what) FROM seen").unwrap().rows);
    rows
}

#[test]
fn a_change_that_goes_on_does_as_a_new_one() {
    let [kept, fresh] = [0, 1].map(|_| Session::new(Database::in_memory().unwrap()));
    for session in [&kept, &fresh] {
        session.execute(START).unwrap();
    }
    let mut statements = CHANGES.map(|sql| kept.prepare(sql).unwrap().0.unwrap());
    let mut count = kept.prepare("SELECT count(*) FROM t").unwrap().0.unwrap();
    let mut dice = Dice(0x0123_4567_89ab_cdef);
    let (mut done, mut refused) = (0, 0);
    for round in 0..1500 {
        if dice.below(3) == 0 {
            let between = BETWEEN[dice.below(BETWEEN.len())];
            let outcomes = [&kept, &fresh]
                .map(|session| session.execute(between).map_err(|error| error.to_string()));
            assert_eq!(outcomes[0], outcomes[1], "round {round}: {between}");
        }
        let texts = ["", "text", "a text that is longer than most", "12"];
        let values = [
            Value::Integer(dice.below(60) as i64),
            [Value::Null, Value::Integer(dice.below(9) as i64), Value::text("7")][dice.below(3)]
                .clone(),
            [Value::Null, Value::Integer(3), Value::text(texts[dice.below(4)])][dice.below(3)]
                .clone(),
            [Value::Real(-0.0), Value::Integer(1), Value::Real(2.5)][dice.below(3)].clone(),
        ];
        let which = [0, 0, 0, 1, 1, 2][dice.below(6)];
        let outcome = run(&mut statements[which], &values);
        let expected = run(&mut fresh.prepare(CHANGES[which]).unwrap().0.unwrap(), &values);
        assert_eq!(outcome, expected, "round {round}: {} {values:?}", CHANGES[which]);
        assert_eq!(
            (kept.changes(), kept.total_changes(), kept.last_insert_rowid()),
            (fresh.changes(), fresh.total_changes(), fresh.last_insert_rowid()),
            "round {round}"
        );
        assert_eq!(kept.is_autocommit(), fresh.is_autocommit());
        let rows = fresh.query("SELECT count(id) FROM t WHERE id IS NOT 1.5").unwrap().rows;
        assert_eq!(counted(&mut count), rows[0], "round {round}");
        if outcome.is_ok() {
            done += 1;
        } else {
            refused += 1;
        }
        if dice.below(4) == 0 {
            assert_eq!(state(&kept), state(&fresh), "round {round}");
        }
    }
    assert!(done > 300 && refused > 100, "{done} and {refused}");
    let _ = kept.execute("COMMIT");
    let whole = kept.query("PRAGMA integrity_check").unwrap().rows;
    assert_eq!(whole, [[Value::Text(b"ok".as_slice().into())]]);
}
