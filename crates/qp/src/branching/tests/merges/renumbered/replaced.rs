//! A rowid that another row has on one of the branches: what had it before is gone there.
//!
//! Neighbours: `model` finds what nobody thought of.

use super::{error, reopened, rows, run, session};
use crate::session::Session;

/// `main` had a row, which `c` still has and changed, and deleted it; then a merge brought it a row
/// of `dev` under the same rowid.
fn replaced() -> Session {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(name, n); CREATE BRANCH dev;
         INSERT INTO t VALUES ('old', 1); CREATE BRANCH c; DELETE FROM t;
         INSERT INTO t@dev VALUES ('new', 2); MERGE BRANCH dev INTO main;
         UPDATE t@c SET n = 50",
    );
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|new|2"]);
    session
}

/// `dev` had a row, which `c` still has and changed, and deleted it before `main` took the others;
/// then `main` got a row of its own under the same rowid.
fn left_out() -> Session {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(name, n); CREATE TABLE own(n); CREATE BRANCH dev;
         INSERT INTO own VALUES (1);
         INSERT INTO t@dev VALUES ('kept', 3), ('old', 1); CREATE BRANCH c FROM dev;
         DELETE FROM t@dev WHERE name = 'old'; MERGE BRANCH dev INTO main;
         INSERT INTO t VALUES ('new', 2); UPDATE t@c SET n = 50 WHERE name = 'old'",
    );
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|kept|3", "2|new|2"]);
    session
}

const NAMES: &str = "SELECT name, n FROM t WHERE name <> 'kept' ORDER BY 1";

/// The row that `main` lost meets the change of `c`, in both directions and whatever is said about
/// conflicts; the row that it has in its place is what it was.
fn check(prepare: fn() -> Session) {
    for is_reopened in [false, true] {
        let prepared = || if is_reopened { reopened(prepare()) } else { prepare() };
        let both = ["new|2", "old|50"];
        for (source, target, source_wins, target_wins) in
            [("c", "main", &both[..], &both[..1]), ("main", "c", &both[..1], &both[..])]
        {
            for policy in ["fail", "renumber"] {
                let merge = format!("MERGE BRANCH {source} INTO {target}");
                let session = prepared();
                let told =
                    error(&session, &format!("{merge} WITH (conflict_resolution = '{policy}')"));
                assert!(told.contains("deleted"), "{merge}, {policy}: {told}");
            }
            for (policy, wanted) in [("source_wins", source_wins), ("target_wins", target_wins)] {
                let session = prepared();
                run(&session, &format!("USE BRANCH {target}"));
                run(
                    &session,
                    &format!(
                        "MERGE BRANCH {source} INTO {target}
                         WITH (conflict_resolution = '{policy}')"
                    ),
                );
                assert_eq!(rows(&session, NAMES), wanted, "{source} into {target}, {policy}");
                // Back, and once more: both are the same, and nothing is brought twice.
                run(&session, &format!("MERGE BRANCH {target} INTO {source}"));
                run(&session, &format!("MERGE BRANCH {source} INTO {target}"));
                for branch in [source, target] {
                    run(&session, &format!("USE BRANCH {branch}"));
                    assert_eq!(rows(&session, NAMES), wanted, "{branch}, {policy}");
                    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
                }
            }
            let session = prepared();
            run(&session, &format!("USE BRANCH {target}"));
            let merge = format!("MERGE BRANCH {source} INTO {target}");
            rows(&session, &format!("{merge} WITH (conflict_resolution = 'manual')"));
            let kinds = "SELECT kind, base FROM pando_conflicts";
            assert_eq!(rows(&session, kinds), ["delete/modify|'old', 1"]);
            run(&session, "RESOLVE CONFLICT 1 WITH (n = 7); CONTINUE MERGE");
            assert_eq!(rows(&session, NAMES), ["new|2", "old|7"]);
        }
    }
}

#[test]
fn a_row_of_the_source_is_not_the_one_that_the_target_deleted_before() {
    check(replaced);
}

#[test]
fn a_row_of_the_target_is_not_the_one_that_the_source_deleted_before() {
    check(left_out);
}

#[test]
fn an_unchanged_row_goes_with_the_branch_that_deleted_it() {
    for prepare in [replaced, left_out] {
        let session = prepare();
        run(&session, "UPDATE t@c SET n = 1 WHERE name = 'old'; MERGE BRANCH c INTO main");
        assert_eq!(rows(&session, NAMES), ["new|2"]);
        let session = prepare();
        run(&session, "UPDATE t@c SET n = 1 WHERE name = 'old'; MERGE BRANCH main INTO c");
        assert_eq!(rows(&session, &NAMES.replace(" t ", " t@c ")), ["new|2"]);
    }
}

#[test]
fn a_branch_that_moves_forward_knows_the_rows_that_it_lost() {
    // The deleted row of `main` is known to `dev`, to which `main` moves, as another one.
    let session = session();
    run(
        &session,
        "CREATE TABLE t(name, n); CREATE BRANCH dev; INSERT INTO t VALUES ('old', 1);
         CREATE BRANCH c; DELETE FROM t; INSERT INTO t@dev VALUES ('new', 2);
         MERGE BRANCH main INTO dev; MERGE BRANCH dev INTO main; UPDATE t@c SET n = 50",
    );
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|new|2"]);
    let told = error(&session, "MERGE BRANCH c INTO main");
    assert!(told.contains("deleted"), "{told}");
    run(&session, "MERGE BRANCH c INTO main WITH (conflict_resolution = 'source_wins')");
    assert_eq!(rows(&session, NAMES), ["new|2", "old|50"]);
}

#[test]
fn a_declared_number_is_what_its_row_is_known_by() {
    // But where rows were told apart by `renumber`: then numbers are only numbers.
    for (policy, is_one) in [("fail", true), ("renumber", false)] {
        let session = session();
        run(
            &session,
            &format!(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, name, n); CREATE BRANCH dev;
                 INSERT INTO t VALUES (1, 'old', 1); CREATE BRANCH c; DELETE FROM t;
                 INSERT INTO t@dev VALUES (1, 'new', 1); UPDATE t@c SET n = 50;
                 MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')"
            ),
        );
        if is_one {
            run(&session, "MERGE BRANCH c INTO main");
            assert_eq!(rows(&session, "SELECT * FROM t"), ["1|new|50"]);
        } else {
            let told = error(&session, "MERGE BRANCH c INTO main");
            assert!(told.contains("deleted"), "{told}");
        }
    }
}
