//! Rows without a parent before the merge, on branches that call rows otherwise.
//!
//! What a side had broken comes along, and nothing else; whether it is the same broken row is told
//! by the rows that it means, not by the numbers that stand in it.

use super::super::{error, rows, session};
use crate::session::Session;

const RENUMBER: &str = "WITH (conflict_resolution = 'renumber')";

fn run(session: &Session, sql: &str) {
    session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A parent and its child of each branch, all with the number 1 at first; `dev` is merged into
/// `main`, where its rows are called 2.
fn families(key: &str) -> Session {
    let session = session();
    run(
        &session,
        &format!(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE c{key}; CREATE BRANCH dev;
             INSERT INTO t VALUES (1, 'm'); INSERT INTO c(id, p) VALUES (1, 1); USE BRANCH dev;
             INSERT INTO t VALUES (1, 'd'); INSERT INTO c(id, p) VALUES (1, 1); USE BRANCH main;
             MERGE BRANCH dev INTO main {RENUMBER}"
        ),
    );
    session
}

#[test]
fn a_child_whose_parent_went_on_its_branch_comes_along_under_another_number() {
    for key in [
        "(id INTEGER PRIMARY KEY, p INT REFERENCES t(id), n)",
        "(id INTEGER PRIMARY KEY, p TEXT REFERENCES t(id), n)",
        "(id INT, p INT REFERENCES t(id), n, PRIMARY KEY(id, p)) WITHOUT ROWID",
        "(id INTEGER PRIMARY KEY REFERENCES t(id), p INT, n)",
    ] {
        for (source, target) in [("dev", "main"), ("main", "dev")] {
            let session = families(key);
            run(&session, "DELETE FROM t@dev WHERE v = 'd'");
            run(&session, &format!("MERGE BRANCH {source} INTO {target}"));
            let count =
                format!("SELECT count(*), (SELECT count(*) FROM t@{target}) FROM c@{target}");
            assert_eq!(rows(&session, &count), ["2|1"], "{key} {target}");
            assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
        }
    }
}

#[test]
fn a_reference_to_a_row_that_went_stays_one_to_that_row() {
    let session = families("(id INTEGER PRIMARY KEY, p INT REFERENCES t(id), n)");
    run(&session, "DELETE FROM t@dev WHERE v = 'd'; MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, "SELECT id, p FROM c"), ["1|1", "2|2"]);
    // What changes beside it does not make it a child of the row that has its number here.
    run(&session, "UPDATE c@dev SET n = 5; MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, "SELECT * FROM c"), ["1|1|NULL", "2|2|5"]);
    run(&session, "UPDATE c SET n = 6 WHERE id = 2; UPDATE t SET v = 'M'");
    run(&session, "MERGE BRANCH main INTO dev; UPDATE c@dev SET n = 7 WHERE n = 6");
    run(&session, "MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, "SELECT * FROM c"), ["1|1|NULL", "2|2|7"]);
}

#[test]
fn a_child_that_the_merge_orphans_is_told_beside_one_that_looks_the_same() {
    for (last, told) in [
        ("", "c refers to no row of t with id = 1"),
        ("DELETE FROM t@dev WHERE v = 'd'", "1 conflict"),
    ] {
        let session = session();
        run(
            &session,
            &format!(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, v);
                 CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES t(id)); CREATE BRANCH dev;
                 INSERT INTO t VALUES (1, 'm'); INSERT INTO t@dev VALUES (1, 'd');
                 MERGE BRANCH dev INTO main {RENUMBER}; INSERT INTO t@dev VALUES (50, 'x');
                 MERGE BRANCH main INTO dev {RENUMBER}; INSERT INTO c VALUES (7, 1);
                 DELETE FROM t@dev WHERE v = 'm'; INSERT INTO c@dev VALUES (7, 1); {last}"
            ),
        );
        for merge in ["MERGE BRANCH dev INTO main", "MERGE BRANCH main INTO dev"] {
            let found = error(&session, &format!("{merge} {RENUMBER}"));
            assert!(found.contains("refers to no row of t"), "{merge} {last}: {found}");
            if merge.ends_with("main") {
                assert!(found.contains(told), "{last}: {found}");
            }
        }
    }
}

/// Its number is that of a row of the source which has another one here: that one was broken, it
/// was not.
#[test]
fn what_another_row_of_its_number_had_broken_is_no_excuse() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (5, 'both');
             CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES t(id), n); CREATE BRANCH dev;
             INSERT INTO c VALUES (7, 5, 'm'); USE BRANCH dev; INSERT INTO c VALUES (7, 5, 'd');
             DELETE FROM t; USE BRANCH main",
    );
    let told = error(&session, &format!("MERGE BRANCH dev INTO main {RENUMBER}"));
    assert!(told.contains("1 conflict"), "{told}");
    assert!(told.contains("c refers to no row of t with id = 5"), "{told}");
}
