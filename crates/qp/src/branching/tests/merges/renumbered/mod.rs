//! A row that a merge gave another rowid is the same row in every later merge.
//!
//! Neighbours: `model` finds what nobody thought of.

mod free;
mod keyed;
mod model;
mod null_keys;
mod orphans;
mod replaced;

use super::{error, reopened, rows, session};
use crate::session::Session;

fn run(session: &Session, sql: &str) {
    session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// A table whose rowids nobody declared, with a row of each branch under rowid 1; then `dev` is
/// merged into `main`.
fn notes() -> Session {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(name, n); CREATE BRANCH dev;
         INSERT INTO t@dev VALUES ('dev', 1); INSERT INTO t VALUES ('main', 1);
         MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|1"]);
    session
}

#[test]
fn a_renumbered_row_is_the_same_row_in_later_merges() {
    for is_reopened in [false, true] {
        let session = if is_reopened { reopened(notes()) } else { notes() };
        run(&session, "UPDATE t@dev SET n = 50; MERGE BRANCH dev INTO main");
        assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|50"]);
        // What the target changed in it meanwhile is merged with that.
        run(
            &session,
            "UPDATE t SET n = 60 WHERE name = 'dev'; UPDATE t@dev SET name = 'Dev';
             MERGE BRANCH dev INTO main; UPDATE t@dev SET name = 'DEV'; MERGE BRANCH dev INTO main",
        );
        assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|DEV|60"]);
        run(
            &session,
            "UPDATE t@dev SET n = 60; MERGE BRANCH dev INTO main;
             DELETE FROM t@dev; MERGE BRANCH dev INTO main",
        );
        assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1"]);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}

#[test]
fn a_conflict_about_a_renumbered_row_has_the_rowid_of_the_target() {
    let session = notes();
    run(&session, "UPDATE t@dev SET n = 50; UPDATE t SET n = 60 WHERE name = 'dev'");
    let merge = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')";
    assert!(rows(&session, merge)[0].starts_with("conflicts"));
    let query = "SELECT row_key, base, ours, theirs FROM pando_conflicts";
    assert_eq!(rows(&session, query), ["2|1|60|50"]);
    let session = reopened(session);
    run(&session, "RESOLVE CONFLICT 1 WITH SOURCE; CONTINUE MERGE");
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|50"]);
    run(&session, "UPDATE t@dev SET n = 70; MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|70"]);
    run(&session, "DELETE FROM t WHERE name = 'dev'; UPDATE t@dev SET n = 80");
    let told = error(&session, "MERGE BRANCH dev INTO main");
    assert!(told.contains("deleted"), "{told}");
}

#[test]
fn merging_back_keeps_the_rows_apart() {
    // The branch stands on the target's numbering after a fast-forward: so does one that it was
    // left by before.
    let session = notes();
    run(
        &session,
        "CREATE BRANCH old FROM dev; UPDATE t@old SET n = 5;
         MERGE BRANCH main INTO dev",
    );
    assert_eq!(rows(&session, "SELECT rowid, * FROM t@dev"), ["1|main|1", "2|dev|1"]);
    run(&session, "MERGE BRANCH old INTO dev");
    assert_eq!(rows(&session, "SELECT rowid, * FROM t@dev"), ["1|main|1", "2|dev|5"]);
    run(&session, "MERGE BRANCH dev INTO main; MERGE BRANCH old INTO main");
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|5"]);
    // One that has something of its own has its own numbering.
    let session = notes();
    run(
        &session,
        "UPDATE t@dev SET n = 2; MERGE BRANCH main INTO dev;
         UPDATE t SET n = 3 WHERE name = 'main'; UPDATE t@dev SET n = 4 WHERE name = 'dev'",
    );
    assert_eq!(rows(&session, "SELECT name, n FROM t@dev ORDER BY 1"), ["dev|4", "main|1"]);
    run(&session, "MERGE BRANCH dev INTO main; MERGE BRANCH main INTO dev");
    for branch in ["main", "dev"] {
        let query = format!("SELECT name, n FROM t@{branch} ORDER BY 1");
        assert_eq!(rows(&session, &query), ["dev|4", "main|3"], "{branch}");
    }
}

#[test]
fn rows_are_the_same_by_whatever_way_they_came() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(name, n); CREATE BRANCH qa; CREATE BRANCH dev;
         INSERT INTO t VALUES ('main', 1); INSERT INTO t@qa VALUES ('qa', 1);
         INSERT INTO t@dev VALUES ('dev', 1);
         MERGE BRANCH dev INTO qa; MERGE BRANCH qa INTO main;
         UPDATE t@dev SET n = 2; MERGE BRANCH dev INTO main;
         UPDATE t@dev SET name = 'Dev'; MERGE BRANCH dev INTO qa; MERGE BRANCH qa INTO main",
    );
    assert_eq!(rows(&session, "SELECT name, n FROM t"), ["main|1", "Dev|2", "qa|1"]);
    assert_eq!(rows(&session, "SELECT name, n FROM t@qa"), ["qa|1", "Dev|2"]);
}

#[test]
fn merges_that_crossed_keep_the_rows_apart() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(name, n); CREATE BRANCH dev;
         INSERT INTO t@dev VALUES ('dev', 1); INSERT INTO t VALUES ('main', 1);
         CREATE BRANCH before; MERGE BRANCH dev INTO main; MERGE BRANCH before INTO dev;
         UPDATE t SET n = 2 WHERE name = 'main'; UPDATE t@dev SET n = 3 WHERE name = 'dev';
         MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|2", "2|dev|3"]);
    run(&session, "MERGE BRANCH main INTO dev");
    assert_eq!(rows(&session, "SELECT name, n FROM t@dev ORDER BY 1"), ["dev|3", "main|2"]);
}

/// Parents with declared numbers and what refers to them, each branch with its own number 1.
fn family() -> Session {
    let session = session();
    run(
        &session,
        "PRAGMA foreign_keys = ON;
         CREATE TABLE parent(id INTEGER PRIMARY KEY, name, n);
         CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent, name);
         CREATE TABLE pair(parent REFERENCES parent, kind, n, PRIMARY KEY(parent, kind))
             WITHOUT ROWID;
         CREATE TABLE more(id INTEGER PRIMARY KEY REFERENCES parent, n);
         CREATE TABLE deep(id INTEGER PRIMARY KEY, more REFERENCES more(id));
         CREATE BRANCH dev",
    );
    for branch in ["main", "dev"] {
        run(
            &session,
            &format!(
                "USE BRANCH {branch}; INSERT INTO parent VALUES (1, '{branch}', 1);
                 INSERT INTO child VALUES (1, 1, '{branch}');
                 INSERT INTO pair VALUES (1, 'a', '{branch}');
                 INSERT INTO more VALUES (1, '{branch}'); INSERT INTO deep VALUES (1, 1);"
            ),
        );
    }
    run(&session, "USE BRANCH main");
    session
}

const RENUMBER: &str = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'renumber')";

#[test]
fn references_to_renumbered_rows_are_followed_in_later_merges() {
    let session = family();
    run(&session, RENUMBER);
    let parents = "SELECT id, name, n FROM parent";
    assert_eq!(rows(&session, parents), ["1|main|1", "2|dev|1"]);
    assert_eq!(rows(&session, "SELECT * FROM pair"), ["1|a|main", "2|a|dev"]);
    assert_eq!(rows(&session, "SELECT * FROM more"), ["1|main", "2|dev"]);
    assert_eq!(rows(&session, "SELECT * FROM deep"), ["1|1", "2|2"]);
    run(
        &session,
        "USE BRANCH dev; UPDATE parent SET n = 7; UPDATE child SET name = 'Dev';
         UPDATE pair SET n = 'Dev'; UPDATE more SET n = 'Dev';
         INSERT INTO child VALUES (5, 1, 'later'); INSERT INTO pair VALUES (1, 'b', 'later');
         INSERT INTO parent VALUES (2, 'second', 2); INSERT INTO child VALUES (6, 2, 'second');
         INSERT INTO more VALUES (2, 'second'); INSERT INTO deep VALUES (2, 2);
         USE BRANCH main; MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, parents), ["1|main|1", "2|dev|7", "3|second|2"]);
    let children = "SELECT child.name, parent.name FROM child JOIN parent ON parent = parent.id";
    assert_eq!(rows(&session, children), ["main|main", "Dev|dev", "later|dev", "second|second"]);
    assert_eq!(rows(&session, "SELECT * FROM pair"), ["1|a|main", "2|a|Dev", "2|b|later"]);
    assert_eq!(rows(&session, "SELECT * FROM more"), ["1|main", "2|Dev", "3|second"]);
    assert_eq!(rows(&session, "SELECT more FROM deep ORDER BY 1"), ["1", "2", "3"]);
    run(
        &session,
        "USE BRANCH dev; DELETE FROM child; DELETE FROM pair; DELETE FROM deep; DELETE FROM more;
         DELETE FROM parent WHERE id = 1; USE BRANCH main; MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, parents), ["1|main|1", "3|second|2"]);
    assert_eq!(rows(&session, children), ["main|main"]);
    assert_eq!(rows(&session, "SELECT * FROM pair"), ["1|a|main"]);
    assert_eq!(rows(&session, "SELECT * FROM more"), ["1|main"]);
    assert_eq!(rows(&session, "PRAGMA foreign_key_check"), Vec::<String>::new());
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn a_new_table_follows_renumbered_rows() {
    let session = family();
    run(
        &session,
        "USE BRANCH dev; CREATE TABLE late(id INTEGER PRIMARY KEY, parent REFERENCES parent);
         INSERT INTO late VALUES (1, 1); USE BRANCH main",
    );
    run(&session, RENUMBER);
    assert_eq!(rows(&session, "SELECT * FROM late"), ["1|2"]);
    run(
        &session,
        "USE BRANCH dev; CREATE TABLE later(parent REFERENCES parent);
         INSERT INTO later VALUES (1); UPDATE late SET id = 9; USE BRANCH main;
         MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, "SELECT * FROM late"), ["9|2"]);
    assert_eq!(rows(&session, "SELECT * FROM later"), ["2"]);
}

#[test]
fn rows_of_a_declared_key_beside_the_rowid_stay_one() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(code TEXT PRIMARY KEY, n); CREATE BRANCH dev;
         INSERT INTO t VALUES ('a', 1), ('b', 1); INSERT INTO t@dev VALUES ('b', 1), ('c', 1);
         MERGE BRANCH dev INTO main; UPDATE t@dev SET n = 5 WHERE code = 'b';
         UPDATE t@dev SET n = 6 WHERE code = 'c'; MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, "SELECT * FROM t"), ["a|1", "b|5", "c|6"]);
    run(&session, "DELETE FROM t@dev WHERE code = 'b'; MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, "SELECT * FROM t"), ["a|1", "c|6"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn picks_and_undos_meet_the_renumbered_row() {
    let session = notes();
    run(&session, "UPDATE t@dev SET n = 9");
    let newest = "SELECT max(transaction_id) FROM pando_log('*')";
    let picked = rows(&session, newest).remove(0);
    run(&session, &format!("CHERRY PICK TRANSACTION {picked} INTO main"));
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|9"]);
    // What came by a merge is undone where it is now.
    let session = notes();
    run(&session, "UPDATE t@dev SET n = 9; MERGE BRANCH dev INTO main");
    let merged = rows(&session, newest).remove(0);
    run(&session, &format!("UNDO TRANSACTION {merged}"));
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|1"]);
    // A pick that stays open until it is answered.
    let session = notes();
    run(&session, "UPDATE t@dev SET n = 9; UPDATE t SET n = 3 WHERE name = 'dev'");
    let picked = rows(&session, "SELECT max(transaction_id) FROM pando_log('dev')").remove(0);
    let manual = "WITH (conflict_resolution = 'manual')";
    run(&session, &format!("CHERRY PICK TRANSACTION {picked} INTO main {manual}"));
    assert_eq!(rows(&session, "SELECT row_key FROM pando_conflicts"), ["2"]);
    run(&session, "RESOLVE CONFLICT 1 WITH SOURCE; CONTINUE MERGE");
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|1", "2|dev|9"]);
}

#[test]
fn a_restored_table_has_the_numbers_of_its_branch() {
    let session = family();
    run(&session, RENUMBER);
    run(&session, "UPDATE child@dev SET name = 'restored'; RESTORE TABLE child FROM dev");
    let children = "SELECT child.id, child.name, parent.name FROM child
                    JOIN parent ON parent = parent.id";
    assert_eq!(rows(&session, children), ["2|restored|dev"]);
}

#[test]
fn a_preview_and_a_dry_run_meet_the_renumbered_row() {
    let session = notes();
    run(&session, "UPDATE t@dev SET n = 9");
    let dry = rows(&session, "MERGE BRANCH dev INTO main WITH (dry_run = true)");
    assert!(dry[0].starts_with("would merge|dev|main|0|1|0|0|"), "{}", dry[0]);
    run(&session, "INSERT INTO t@dev VALUES ('new', 1); INSERT INTO t VALUES ('own', 1)");
    run(&session, "PREVIEW MERGE BRANCH dev INTO main; APPLY");
    let all = ["1|main|1", "2|dev|9", "3|own|1", "4|new|1"];
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), all);
    run(&session, "UPDATE t@dev SET n = 8 WHERE name = 'new'; MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, "SELECT n FROM t WHERE name = 'new'"), ["8"]);
    run(&session, "UPDATE t@dev SET n = 7; BEGIN; MERGE BRANCH dev INTO main; COMMIT");
    assert_eq!(rows(&session, "SELECT n FROM t"), ["1", "7", "1", "7"]);
}

#[test]
fn a_branch_that_is_reset_goes_on_with_the_numbers_of_the_moment() {
    let session = notes();
    run(
        &session,
        "TAG BRANCH main AS merged; INSERT INTO t VALUES ('lost', 1);
         RESET BRANCH main TO TAG merged; UPDATE t@dev SET n = 9; MERGE BRANCH dev INTO main;
         RESET BRANCH dev TO TAG merged; UPDATE t@dev SET n = 3 WHERE name = 'main';
         MERGE BRANCH dev INTO main",
    );
    assert_eq!(rows(&session, "SELECT rowid, * FROM t"), ["1|main|3", "2|dev|9"]);
}

#[test]
fn a_number_that_autoincrement_gave_does_not_come_again() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, name) ;
         ALTER TABLE t SET AUTOINCREMENT PER BRANCH; CREATE BRANCH dev;
         INSERT INTO t(name) VALUES ('main'), ('gone'), ('gone'); DELETE FROM t WHERE id > 1;
         INSERT INTO t@dev(name) VALUES ('dev')",
    );
    run(&session, RENUMBER);
    assert_eq!(rows(&session, "SELECT * FROM t"), ["1|main", "4|dev"]);
}

#[test]
fn many_rows_that_change_places_are_a_short_label() {
    let session = session();
    run(
        &session,
        "CREATE TABLE t(name, n); CREATE BRANCH dev;
         INSERT INTO t@dev SELECT 'dev' || value, 0 FROM generate_series(1, 3000);
         INSERT INTO t SELECT 'main' || value, 0 FROM generate_series(1, 3000);
         MERGE BRANCH dev INTO main; UPDATE t@dev SET n = 1; MERGE BRANCH dev INTO main",
    );
    let changed = "SELECT count(*), min(rowid), sum(name LIKE 'dev%') FROM t WHERE n = 1";
    assert_eq!(rows(&session, changed), ["3000|3001|3000"]);
    run(&session, "DELETE FROM t@dev WHERE rowid % 2; MERGE BRANCH dev INTO main");
    assert_eq!(rows(&session, changed), ["1500|3002|1500"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM t"), ["4500"]);
}

/// A rowid that refers to a row of another table is no number of its own: under another one the row
/// would be about another parent.
#[test]
fn a_rowid_that_is_a_foreign_key_gets_no_number_of_its_own() {
    for parents in ["", "INSERT INTO p@dev VALUES (3,'dev'); INSERT INTO p VALUES (3,'main');"] {
        let session = session();
        run(
            &session,
            &format!(
                "PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY, name);
                 CREATE TABLE more(id INTEGER PRIMARY KEY REFERENCES p, said);
                 INSERT INTO p VALUES (1,'one'),(2,'two'); CREATE BRANCH dev; {parents}
                 INSERT INTO more SELECT id, 'main' FROM p WHERE id <> 2;
                 INSERT INTO more@dev SELECT id, 'dev' FROM p@dev WHERE id <> 2"
            ),
        );
        for (source, target) in [("dev", "main"), ("main", "dev")] {
            let merge = format!(
                "USE BRANCH {target};
                 MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = 'renumber')"
            );
            let told = error(&session, &merge);
            assert!(told.contains("1 conflict; the first: data more"), "{told}");
        }
        run(&session, "DELETE FROM more@dev WHERE id = 1; USE BRANCH main");
        run(&session, "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'renumber')");
        let said = rows(&session, "SELECT name, said FROM p JOIN more USING (id) ORDER BY 1");
        let expected: &[&str] =
            if parents.is_empty() { &["one|main"] } else { &["dev|dev", "main|main", "one|main"] };
        assert_eq!(said, expected);
    }
}
