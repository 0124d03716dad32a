//! AUTOINCREMENT over several branches: numbers stay distinct.

use super::{reopened, rows, session};

#[test]
fn branches_do_not_give_one_number_to_two_rows() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             INSERT INTO t(x) VALUES ('a'), ('b'); CREATE BRANCH dev; CREATE BRANCH other;
             INSERT INTO t(x) VALUES ('main');
             INSERT INTO t@dev(x) VALUES ('dev'), ('dev');
             INSERT INTO t(x) VALUES ('main');
             INSERT INTO t@other(x) VALUES ('other');",
        )
        .unwrap();
    let all = "SELECT id, x FROM t UNION SELECT id, x FROM t@dev UNION SELECT id, x FROM t@other";
    assert_eq!(
        rows(&session, all),
        ["1|a", "2|b", "3|main", "4|dev", "5|dev", "6|main", "7|other"]
    );
    // What a statement chooses itself counts for the others, and openings forget nothing.
    session
        .execute("INSERT INTO t@dev(id, x) VALUES (100, 'chosen'); INSERT INTO t(x) VALUES ('m')")
        .unwrap();
    assert_eq!(rows(&session, "SELECT max(id) FROM t"), ["101"]);
    let session = reopened(session);
    session.execute("INSERT INTO t@other(x) VALUES ('o')").unwrap();
    assert_eq!(rows(&session, "SELECT max(id) FROM t@other"), ["102"]);
    // So that nothing collides, and the merge is none of two rows with one number.
    session.execute("MERGE BRANCH dev INTO main; MERGE BRANCH other INTO main").unwrap();
    assert_eq!(
        rows(&session, "SELECT count(*), count(DISTINCT id), max(id) FROM t"),
        ["10|10|102"]
    );
    assert_eq!(rows(&session, "SELECT seq FROM sqlite_sequence"), ["102"]);
}

#[test]
fn a_table_that_was_renamed_on_a_branch_keeps_its_counter() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             CREATE TABLE u(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             CREATE BRANCH dev; USE BRANCH dev; ALTER TABLE t RENAME TO renamed;
             INSERT INTO renamed(x) VALUES (1), (2); USE BRANCH main;
             INSERT INTO t(x) VALUES (3); INSERT INTO u(x) VALUES (4);",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t"), ["3"]);
    assert_eq!(rows(&session, "SELECT id FROM u"), ["1"]);
}

#[test]
fn one_branch_alone_counts_as_it_always_did() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, x);
             BEGIN; INSERT INTO t(x) VALUES (1); ROLLBACK; INSERT INTO t(x) VALUES (2);",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t"), ["1"]);
}
