//! Rows of a table that declares a key beside the rowid, where a part of that key is NULL: SQL lets
//! there be many, and each is known by its number, as where no key is declared.
//!
//! Neighbours: `keyed` has rows with a key, `model` random lives; `merge::same::keyed` of the
//! branch crate.

use pandodb_testkit::Seeds;

use super::super::{error, rows, session};
use super::run;
use crate::session::Session;

const ROWS: &str = "SELECT k, n, m FROM t ORDER BY k, n, m";

/// A row of each branch under rowid 1, that of `dev` without a key; then `dev` is merged into
/// `main`.
fn merged(on_main: &str) -> Session {
    let session = session();
    run(
        &session,
        &format!(
            "CREATE TABLE t(k INT PRIMARY KEY, n, m); CREATE BRANCH dev;
             INSERT INTO t VALUES ({on_main}, 'main', 1);
             INSERT INTO t@dev VALUES (NULL, 'dev', 1); MERGE BRANCH dev INTO main"
        ),
    );
    session
}

/// The rows of `main` and of `dev`, which have to be the same once each is merged into the other.
fn both(session: &Session, expected: &[&str]) {
    for branch in ["main", "dev"] {
        run(session, &format!("USE BRANCH {branch}"));
        assert_eq!(rows(session, ROWS), expected, "{branch}");
        assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"], "{branch}");
    }
    run(session, "USE BRANCH main");
}

#[test]
fn rows_without_a_key_are_two_where_two_branches_insert_them() {
    for (on_main, first) in [("5", "5|main|1"), ("NULL", "NULL|main|1")] {
        let session = merged(on_main);
        let mut expected = vec!["NULL|dev|1", first];
        expected.sort_by_key(|row| row.starts_with('5'));
        assert_eq!(rows(&session, ROWS), expected);
        // What a branch changes in its row meets that row, in both directions.
        run(&session, "UPDATE t@dev SET m = 2; MERGE BRANCH dev INTO main");
        assert_eq!(rows(&session, "SELECT n, m FROM t ORDER BY n"), ["dev|2", "main|1"]);
        run(
            &session,
            "UPDATE t SET m = m + 10; MERGE BRANCH main INTO dev;
             UPDATE t@dev SET n = upper(n); UPDATE t SET m = m + 1; MERGE BRANCH dev INTO main;
             MERGE BRANCH main INTO dev",
        );
        let own = if on_main == "5" { "5|MAIN|12" } else { "NULL|MAIN|12" };
        both(&session, &["NULL|DEV|13", own]);
        run(&session, "DELETE FROM t@dev WHERE n = 'DEV'; MERGE BRANCH dev INTO main");
        both(&session, &[own]);
    }
}

/// Equal rows under one rowid are one, as where no key is declared; under two rowids they are two.
#[test]
fn equal_rows_without_a_key_are_one_under_one_rowid() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(k INT PRIMARY KEY, n, m); CREATE BRANCH dev;
         INSERT INTO t VALUES (NULL, 'same', 1); INSERT INTO t@dev VALUES (NULL, 'same', 1);
         MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, ROWS), ["NULL|same|1"]);
    run(&session, "UPDATE t@dev SET m = 2; MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, ROWS), ["NULL|same|2"]);
    run(
        &session,
        "INSERT INTO t(rowid, k, n, m) VALUES (7, NULL, 'like', 1);
         INSERT INTO t@dev(rowid, k, n, m) VALUES (8, NULL, 'like', 1);
         MERGE BRANCH dev INTO main; MERGE BRANCH main INTO dev",
    );
    both(&session, &["NULL|like|1", "NULL|like|1", "NULL|same|2"]);
}

/// A part of the key that is NULL is enough.
#[test]
fn a_key_that_is_null_in_part_is_none() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(k INT, n TEXT, m, PRIMARY KEY(k, n)); CREATE BRANCH dev;
         INSERT INTO t VALUES (1, NULL, 'main'), (1, 'x', 'main');
         INSERT INTO t@dev VALUES (1, NULL, 'dev'), (NULL, 'x', 'dev'); MERGE BRANCH dev INTO main;
         UPDATE t@dev SET m = 'later'; MERGE BRANCH dev INTO main; MERGE BRANCH main INTO dev",
    );
    both(&session, &["NULL|x|later", "1|NULL|later", "1|NULL|main", "1|x|main"]);
}

/// A key that a row gets, and loses, on either side: it stays the same row.
#[test]
fn a_row_that_gets_a_key_or_loses_it_stays_the_same_row() {
    for first in ["main", "dev"] {
        let second = if first == "main" { "dev" } else { "main" };
        let session = merged("5");
        let change = |branch: &str, what: &str| {
            run(&session, &format!("USE BRANCH {branch}; {what}; USE BRANCH main"));
        };
        let merge = |from: &str, into: &str| {
            run(&session, &format!("MERGE BRANCH {from} INTO {into}"));
        };
        change(first, "UPDATE t SET k = 9 WHERE n = 'dev'");
        change(second, "UPDATE t SET m = 2 WHERE n = 'dev'");
        merge(first, second);
        merge(second, first);
        both(&session, &["5|main|1", "9|dev|2"]);
        // Its rowids are two by now.
        change(first, "UPDATE t SET k = NULL WHERE n = 'dev'");
        change(second, "UPDATE t SET m = 3 WHERE n = 'dev'");
        merge(second, first);
        merge(first, second);
        both(&session, &["NULL|dev|3", "5|main|1"]);
        // Both give it one key, and both take it away.
        for (key, m) in [("7", 4), ("NULL", 6)] {
            change(first, &format!("UPDATE t SET k = {key}, m = {m} WHERE n = 'dev'"));
            change(second, &format!("UPDATE t SET k = {key} WHERE n = 'dev'"));
            merge(first, second);
            merge(second, first);
            let dev = format!("{key}|dev|{m}");
            let mut all = [dev.as_str(), "5|main|1"];
            all.sort_by_key(|row| row.starts_with('7'));
            both(&session, &all);
        }
        // Each another one: they differ in one cell of one row.
        change(first, "UPDATE t SET k = 10 WHERE n = 'dev'");
        change(second, "UPDATE t SET k = 11 WHERE n = 'dev'");
        for (from, into) in [("main", "dev"), ("dev", "main")] {
            let told = error(&session, &format!("MERGE BRANCH {from} INTO {into}"));
            assert!(told.contains("1 conflict") && told.contains("data t"), "{told}");
        }
        merge_with(&session, "main", "source_wins");
        merge(if first == "main" { "dev" } else { "main" }, first);
        let key = if first == "dev" { "10|dev|6" } else { "11|dev|6" };
        both(&session, &["5|main|1", key]);
    }
}

fn merge_with(session: &Session, into: &str, policy: &str) {
    let from = if into == "main" { "dev" } else { "main" };
    let with = format!("WITH (conflict_resolution = '{policy}')");
    run(session, &format!("MERGE BRANCH {from} INTO {into} {with}"));
}

/// A key that both branches had, of a row that has two rowids: what loses it is that row, not the
/// one that has its number on the other side.
#[test]
fn a_row_that_loses_its_key_is_not_the_one_that_has_its_number_elsewhere() {
    for (loses, changes) in [("main", "dev"), ("dev", "main")] {
        let session = merged("5");
        run(
            &session,
            &format!(
                "UPDATE t@dev SET k = 6; MERGE BRANCH dev INTO main;
                 INSERT INTO t VALUES (20, 'x', 1), (21, 'y', 1);
                 INSERT INTO t@dev VALUES (22, 'z', 1); MERGE BRANCH dev INTO main;
                 MERGE BRANCH main INTO dev; USE BRANCH {loses}; UPDATE t SET k = NULL;
                 USE BRANCH {changes}; UPDATE t SET m = k; USE BRANCH main;
                 MERGE BRANCH {loses} INTO {changes}; MERGE BRANCH {changes} INTO {loses}"
            ),
        );
        both(&session, &["NULL|dev|6", "NULL|main|5", "NULL|x|20", "NULL|y|21", "NULL|z|22"]);
    }
}

/// The key says first which row one is: what another row had is not given to it with the number.
#[test]
fn a_key_that_goes_from_row_to_row_takes_its_row_along() {
    for (moves, changes) in [("main", "dev"), ("dev", "main")] {
        let session = session();
        run(
            &session,
            &format!(
                "CREATE TABLE t(k INT PRIMARY KEY, n, m);
                 INSERT INTO t VALUES (NULL, 'first', 1), (9, 'second', 1); CREATE BRANCH dev;
                 USE BRANCH {moves}; DELETE FROM t WHERE k = 9;
                 UPDATE t SET k = 9, n = 'second' WHERE n = 'first';
                 USE BRANCH {changes}; UPDATE t SET m = 2 WHERE k = 9; USE BRANCH main;
                 MERGE BRANCH {moves} INTO {changes}; MERGE BRANCH {changes} INTO {moves}"
            ),
        );
        both(&session, &["9|second|2"]);
    }
}

#[test]
fn a_row_without_a_key_that_one_side_deletes_and_the_other_changes_is_a_conflict() {
    for (deletes, changes) in [("main", "dev"), ("dev", "main")] {
        for change in ["k = 9", "m = 9"] {
            let session = merged("5");
            run(
                &session,
                &format!(
                    "USE BRANCH {deletes}; DELETE FROM t WHERE n = 'dev'; USE BRANCH {changes};
                     UPDATE t SET {change} WHERE n = 'dev'; USE BRANCH main"
                ),
            );
            for (from, into) in [("main", "dev"), ("dev", "main")] {
                let told = error(&session, &format!("MERGE BRANCH {from} INTO {into}"));
                assert!(told.contains("1 conflict") && told.contains("delete/modify t"), "{told}");
            }
            merge_with(&session, "main", "source_wins");
            let kept = rows(&session, "SELECT n FROM t ORDER BY n");
            let expected = if deletes == "dev" { vec!["main"] } else { vec!["dev", "main"] };
            assert_eq!(kept, expected, "{deletes} {change}");
        }
    }
}

/// Two rows that get one key on two branches, or the key of a row that the other inserts.
#[test]
fn a_key_that_two_rows_get_is_a_broken_constraint() {
    for on_main in ["UPDATE t SET k = 9 WHERE n = 'main'", "INSERT INTO t VALUES (9, 'more', 1)"] {
        let session = merged("NULL");
        run(&session, "MERGE BRANCH main INTO dev; UPDATE t@dev SET k = 9 WHERE n = 'dev'");
        run(&session, on_main);
        for (from, into) in [("main", "dev"), ("dev", "main")] {
            let told = error(&session, &format!("MERGE BRANCH {from} INTO {into}"));
            assert!(told.contains("unique t"), "{told}");
        }
        run(&session, "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')");
        run(&session, "RESOLVE CONFLICTS WITH SOURCE; CONTINUE MERGE");
        assert_eq!(rows(&session, "SELECT n FROM t WHERE k = 9"), ["dev"]);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}

#[test]
fn merges_that_crossed_keep_rows_without_a_key_apart() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(k INT PRIMARY KEY, n, m); CREATE BRANCH dev; CREATE BRANCH m0;
         CREATE BRANCH d0; INSERT INTO t VALUES (NULL, 'main', 1), (3, 'three', 1);
         INSERT INTO t@dev VALUES (NULL, 'dev', 1), (4, 'four', 1);
         MERGE BRANCH main INTO m0; MERGE BRANCH dev INTO d0;
         MERGE BRANCH d0 INTO main; MERGE BRANCH m0 INTO dev;
         UPDATE t SET m = 2 WHERE n = 'dev'; UPDATE t@dev SET m = 3 WHERE n = 'main';
         UPDATE t SET k = 8 WHERE n = 'dev'; UPDATE t@dev SET k = NULL WHERE n = 'three';
         MERGE BRANCH dev INTO main; MERGE BRANCH main INTO dev",
    );
    both(&session, &["NULL|main|3", "NULL|three|1", "4|four|1", "8|dev|2"]);
}

#[test]
fn picks_undos_and_restored_tables_meet_the_row_without_a_key() {
    let newest = "SELECT max(transaction_id) FROM pando_log('*')";
    for change in ["m = 9", "k = 9"] {
        let session = merged("5");
        run(&session, &format!("UPDATE t@dev SET {change}"));
        let picked = rows(&session, newest).remove(0);
        run(&session, &format!("CHERRY PICK TRANSACTION {picked} INTO main"));
        let expected =
            if change == "m = 9" { ["NULL|dev|9", "5|main|1"] } else { ["5|main|1", "9|dev|1"] };
        assert_eq!(rows(&session, ROWS), expected);
        let session = merged("5");
        run(&session, &format!("UPDATE t@dev SET {change}; MERGE BRANCH dev INTO main"));
        assert_eq!(rows(&session, ROWS), expected);
        let merged = rows(&session, newest).remove(0);
        run(&session, &format!("UNDO TRANSACTION {merged}"));
        assert_eq!(rows(&session, ROWS), ["NULL|dev|1", "5|main|1"]);
    }
    let session = merged("5");
    run(&session, "UPDATE t@dev SET m = 2; RESTORE TABLE t FROM dev");
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["2|NULL|dev|2"]);
}

/// A row that the target lost is not the one that a merge stored under its number.
#[test]
fn a_row_without_a_key_is_not_the_one_that_took_its_number() {
    for key in ["NULL", "9"] {
        let session = session();
        run(
            &session,
            &format!(
                "CREATE TABLE t(k INT PRIMARY KEY, n, m); CREATE BRANCH side;
                 INSERT INTO t VALUES (NULL, 'old', 1); CREATE BRANCH dev; DELETE FROM t;
                 INSERT INTO t@side VALUES ({key}, 'new', 1); MERGE BRANCH side INTO main"
            ),
        );
        run(&session, "UPDATE t@dev SET m = 2");
        let told = error(&session, "MERGE BRANCH dev INTO main");
        assert!(told.contains("delete/modify t"), "{told}");
        assert_eq!(rows(&session, "SELECT n, m FROM t"), ["new|1"]);
    }
}

/// What a foreign key leads to is the key, whatever the rowid.
#[test]
fn children_of_a_key_that_came_and_went_are_looked_at() {
    let session = session();
    run(
        &session,
        "PRAGMA foreign_keys = ON; CREATE TABLE t(k INT PRIMARY KEY, n, m);
         CREATE TABLE c(id INTEGER PRIMARY KEY, k REFERENCES t(k)); CREATE BRANCH dev;
         INSERT INTO t VALUES (5, 'main', 1); INSERT INTO t@dev VALUES (NULL, 'dev', 1);
         MERGE BRANCH dev INTO main; UPDATE t@dev SET k = 6; INSERT INTO c@dev VALUES (1, 6);
         MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, "SELECT n FROM c JOIN t USING (k)"), ["dev"]);
    run(&session, "DELETE FROM c@dev; UPDATE t@dev SET k = NULL; INSERT INTO c VALUES (2, 6)");
    for (from, into) in [("main", "dev"), ("dev", "main")] {
        let told = error(&session, &format!("MERGE BRANCH {from} INTO {into}"));
        assert!(told.contains("foreign key c"), "{told}");
    }
}

/// `renumber` is for declared rowids; rows without a key get another number whatever the policy.
#[test]
fn no_policy_makes_two_rows_without_a_key_one() {
    for policy in ["renumber", "source_wins", "target_wins"] {
        for on_main in ["5", "NULL"] {
            let session = session();
            run(
                &session,
                &format!(
                    "CREATE TABLE t(k INT PRIMARY KEY, n, m); CREATE BRANCH dev;
                     INSERT INTO t VALUES ({on_main}, 'main', 1);
                     INSERT INTO t@dev VALUES (NULL, 'dev', 1)"
                ),
            );
            merge_with(&session, "main", policy);
            assert_eq!(rows(&session, "SELECT n FROM t ORDER BY n"), ["dev", "main"]);
        }
    }
}

/// Where no row has a key, the table has the rows, and the rowids, of one that declares none.
#[test]
fn rows_without_a_key_are_those_of_a_table_without_one() {
    Seeds::first(30).run("rows_without_a_key_are_those_of_a_table_without_one", |random| {
        let session = session();
        run(
            &session,
            "CREATE TABLE r(k INT PRIMARY KEY, v, w); CREATE TABLE s(k INT, v, w);
             CREATE BRANCH a; CREATE BRANCH b",
        );
        let branches = ["main", "a", "b"];
        let mut life = String::new();
        for _ in 0..random.usize(10..40) {
            let branch = branches[random.usize(0..3)];
            let (rowid, value) = (random.u8(1..7), random.u8(0..9));
            let on_both = |what: &str| {
                let on = |table: &str| what.replace('#', table);
                format!("USE BRANCH {branch}; {}; {}", on("r"), on("s"))
            };
            let sql = match random.u8(0..9) {
                0..=2 => on_both(&format!("INSERT INTO # VALUES (NULL, {value}, 0)")),
                3 => on_both(&format!("DELETE FROM # WHERE rowid = {rowid}")),
                4 => on_both(&format!("UPDATE # SET v = {value} WHERE rowid = {rowid}")),
                5 => on_both(&format!("UPDATE # SET w = {value} WHERE rowid = {rowid}")),
                _ => {
                    let other = branches[random.usize(0..3)];
                    if other == branch {
                        continue;
                    }
                    let policy = ["source_wins", "target_wins"][random.usize(0..2)];
                    let with = format!("WITH (conflict_resolution = '{policy}')");
                    format!("MERGE BRANCH {other} INTO {branch} {with}")
                }
            };
            life.push_str(&format!("{sql};\n"));
            session.execute(&sql).unwrap_or_else(|error| panic!("{error:?}\n{life}"));
            for branch in branches {
                let of = |table: &str| {
                    let sql = format!("SELECT rowid, * FROM {table}@{branch} ORDER BY rowid");
                    rows(&session, &sql)
                };
                assert_eq!(of("r"), of("s"), "{branch}\n{life}");
            }
        }
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{life}");
    });
}
