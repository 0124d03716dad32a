//! Triggers and views of a session, while tables come and go with branches and merges.

use super::{error, rows, session};
use crate::catalog::DatabaseIndex;
use crate::session::Session;

const TEMPORARY: &str = "SELECT type, name, tbl_name FROM sqlite_temp_schema ORDER BY 2";

/// A table with a temporary trigger, and a table that has nothing to do with it.
fn setup() -> (Session, Session) {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE TABLE other(b); INSERT INTO t
             VALUES (1, 1); CREATE TABLE log(text); CREATE BRANCH dev;
             CREATE TEMP TRIGGER looked AFTER INSERT ON t BEGIN
                 INSERT INTO log VALUES ('t ' || new.id);
             END",
        )
        .unwrap();
    let other = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
    (session, other)
}

/// What has nothing to do with a table that is gone does not notice that a trigger is left of it.
fn check_unrelated(session: &Session, case: &str) {
    for sql in [
        "INSERT INTO other VALUES (1)",
        "UPDATE other SET b = 2",
        "SELECT * FROM other, sqlite_temp_schema",
        "CREATE TABLE made(x)",
        "ALTER TABLE made RENAME TO made_again",
        "ALTER TABLE made_again RENAME COLUMN x TO y",
        "ALTER TABLE made_again ADD COLUMN z",
        "ALTER TABLE made_again DROP COLUMN z",
        "CREATE TEMP TRIGGER fine AFTER INSERT ON other BEGIN SELECT 1; END",
        "INSERT INTO other VALUES (3)",
        "DROP TRIGGER fine",
        "DROP TABLE made_again",
        "DELETE FROM other",
        "PRAGMA integrity_check",
        "PREVIEW INSERT INTO other VALUES (5)",
        "VACUUM",
        "REINDEX",
        "ANALYZE",
    ] {
        let done = session.query(sql).map(drop);
        assert!(done.is_ok(), "{case}: {sql}: {done:?}");
    }
    assert_eq!(rows(session, TEMPORARY), ["trigger|looked|t"], "{case}");
}

#[test]
fn a_temporary_trigger_whose_table_went_is_asleep() {
    let (session, other) = setup();
    other.execute("DROP TABLE t").unwrap();
    check_unrelated(&session, "another session dropped it");
    // A table of the name has it again, as in SQLite.
    other.execute("CREATE TABLE t(id INTEGER PRIMARY KEY)").unwrap();
    session.execute("INSERT INTO t VALUES (7)").unwrap();
    assert_eq!(rows(&session, "SELECT text FROM log"), ["t 7"]);
    // Where the columns that it reads are gone, the statement that it belongs to says so.
    other.execute("DROP TABLE t; CREATE TABLE t(x)").unwrap();
    assert!(error(&session, "INSERT INTO t VALUES (7)").contains("new.id"));
    session.execute("DROP TRIGGER looked; INSERT INTO t VALUES (7)").unwrap();
    assert_eq!(rows(&session, TEMPORARY), [""; 0]);
}

#[test]
fn a_temporary_trigger_sleeps_on_branches_that_lack_its_table() {
    let (session, other) = setup();
    other.execute("USE BRANCH dev; DROP TABLE t").unwrap();
    session.execute("USE BRANCH dev").unwrap();
    check_unrelated(&session, "the branch has no such table");
    session.execute("USE BRANCH main; INSERT INTO t VALUES (2, 2)").unwrap();
    assert_eq!(rows(&session, "SELECT text FROM log"), ["t 2"]);
    session.execute("DELETE FROM t WHERE id = 2").unwrap();
    // The merge takes the table away, and runs no triggers.
    session.execute("MERGE BRANCH dev INTO main").unwrap();
    check_unrelated(&session, "a merge dropped it");
    session.execute("DROP TRIGGER looked").unwrap();
}

#[test]
fn a_temporary_view_is_read_where_its_table_is() {
    let (session, other) = setup();
    session.execute("CREATE TEMP VIEW ids AS SELECT id FROM t").unwrap();
    other.execute("USE BRANCH dev; DROP TABLE t").unwrap();
    session.execute("USE BRANCH dev; INSERT INTO other VALUES (1)").unwrap();
    assert!(error(&session, "SELECT * FROM ids").contains("no such table: "));
    session.execute("USE BRANCH main").unwrap();
    assert_eq!(rows(&session, "SELECT id FROM ids"), ["1"]);
}
