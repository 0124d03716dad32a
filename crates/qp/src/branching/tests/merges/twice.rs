//! What both sides added under one name is one thing, in later merges as well.

use super::{reopened, rows, session, shop};
use crate::session::Session;

/// Branches `one`, `other` and `third` of `base`, and what is done on them.
fn world(base: &str, script: &[(&str, &str)]) -> Session {
    let session = session();
    session.execute(base).unwrap();
    session.execute("CREATE BRANCH one; CREATE BRANCH other; CREATE BRANCH third").unwrap();
    for (branch, sql) in script {
        session
            .execute(&format!("USE BRANCH {branch}; {sql}"))
            .unwrap_or_else(|error| panic!("{branch}: {sql}: {error}"));
    }
    session
}

fn merge(source: &str, target: &str, policy: &str) -> String {
    format!("MERGE BRANCH {source} INTO {target} WITH (conflict_resolution = '{policy}')")
}

/// What both directions of a merge come to, for a query.
fn both(session: &Session, left: &str, right: &str, query: &str) -> Vec<String> {
    let mut found: Vec<Vec<String>> = Vec::new();
    for (source, target) in [(left, right), (right, left)] {
        session.execute(&format!("CREATE BRANCH trial FROM {target}; USE BRANCH trial")).unwrap();
        session
            .execute(&merge(source, "trial", "fail"))
            .unwrap_or_else(|error| panic!("{source} into {target}: {error}"));
        assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"]);
        found.push(rows(session, query));
        session.execute("USE BRANCH main; DROP BRANCH trial").unwrap();
    }
    assert_eq!(found[0], found[1], "{left}, {right}");
    found.swap_remove(0)
}

/// Two branches add a column of one name at one or at different places of the stored rows; one
/// takes the other. What the taken one has is a version from which later merges start.
#[test]
fn a_column_that_both_sides_added_stays_one() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1,1),(2,2),(3,3)";
    for before in ["", "ALTER TABLE t ADD COLUMN e; UPDATE t SET e = 'x' WHERE id = 2;"] {
        for is_reopened in [false, true] {
            let add = "ALTER TABLE t ADD COLUMN d TEXT;";
            let set = "UPDATE t SET d = 'x' WHERE id = 2";
            let take = &merge("other", "one", "fail");
            let also = &merge("other", "third", "target_wins");
            let session = world(
                base,
                &[
                    ("other", &format!("{add} {set}")),
                    ("third", &format!("{before} {add}")),
                    ("one", take),
                    ("third", also),
                ],
            );
            let session = if is_reopened { reopened(session) } else { session };
            let query = "SELECT id, a, d FROM t ORDER BY 1";
            let whole = ["1|1|NULL", "2|2|x", "3|3|NULL"];
            assert_eq!(both(&session, "one", "third", query), whole, "{before}");
            // Cells of the column that both go on changing are merged, not dropped with it.
            session
                .execute(
                    "USE BRANCH one; UPDATE t SET d = 'one' WHERE id = 1;
                     INSERT INTO t(id, a, d) VALUES (4, 4, 'new');
                     USE BRANCH third; UPDATE t SET d = 'third' WHERE id = 3;
                     UPDATE t SET a = 10 WHERE id = 1",
                )
                .unwrap();
            let changed = ["1|10|one", "2|2|x", "3|3|third", "4|4|new"];
            assert_eq!(both(&session, "one", "third", query), changed, "{before}");
            // The one that it was taken from has its own number for it.
            session.execute("USE BRANCH other; UPDATE t SET d = 'y' WHERE id = 2").unwrap();
            let changed = ["1|10|NULL", "2|2|y", "3|3|third"];
            assert_eq!(both(&session, "other", "third", query), changed, "{before}");
            // Renamed or dropped on one side it is so for the other.
            session
                .execute(
                    "USE BRANCH one; ALTER TABLE t RENAME COLUMN d TO r; USE BRANCH other;
                     CREATE BRANCH without FROM third; USE BRANCH without;
                     UPDATE t SET d = NULL; UPDATE t SET a = a; ALTER TABLE t DROP COLUMN d",
                )
                .unwrap();
            let query = "SELECT id, a, r FROM t ORDER BY 1";
            let renamed = ["1|10|one", "2|2|x", "3|3|third", "4|4|new"];
            assert_eq!(both(&session, "one", "third", query), renamed, "{before}");
        }
    }
}

/// A table that both sides added alike is one: what the other goes on doing with it is merged.
#[test]
fn a_table_that_both_sides_added_stays_one() {
    let add = "CREATE TABLE n(id INTEGER PRIMARY KEY, a); CREATE INDEX n_a ON n(a);
        CREATE VIEW v AS SELECT a FROM n;";
    let session = world(
        "CREATE TABLE t(a)",
        &[
            ("one", &format!("{add} INSERT INTO n VALUES (1, 1), (2, 2)")),
            ("other", &format!("{add} INSERT INTO n VALUES (2, 2), (3, 3)")),
            ("one", &merge("other", "one", "fail")),
            ("other", "UPDATE n SET a = 30 WHERE id = 3; DELETE FROM n WHERE id = 2"),
            ("one", "UPDATE n SET a = 10 WHERE id = 1; ALTER TABLE n RENAME TO m"),
        ],
    );
    let session = reopened(session);
    assert_eq!(both(&session, "one", "other", "SELECT * FROM m ORDER BY 1"), ["1|10", "3|30"]);
    session.execute("USE BRANCH other; DROP VIEW v; DROP INDEX n_a; DROP TABLE n").unwrap();
    session.execute("USE BRANCH third; CREATE TABLE z(a)").unwrap();
    for (source, target) in [("one", "other"), ("other", "one")] {
        let told =
            session.execute(&format!("USE BRANCH {target}; {}", merge(source, target, "fail")));
        let told = told.unwrap_err().to_string();
        assert!(told.contains("dropped the table"), "{told}");
    }
}

/// Where a column has two defaults and one side wins, rows that nobody wrote to have the winner's
/// in both directions, also those that only one side has.
#[test]
fn a_default_that_wins_is_that_of_all_rows_that_were_there() {
    let base = "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1)";
    let one = "INSERT INTO t VALUES (2, 2); ALTER TABLE t ADD COLUMN d INT DEFAULT 7;
        INSERT INTO t(id) VALUES (4)";
    let other = "INSERT INTO t VALUES (3, 3); ALTER TABLE t ADD COLUMN d INT DEFAULT 8;
        INSERT INTO t(id) VALUES (5)";
    for (winner, loser, wins) in [("one", "other", 7), ("other", "one", 8)] {
        let mut found = Vec::new();
        for (source, target, policy) in
            [(winner, loser, "source_wins"), (loser, winner, "target_wins")]
        {
            let session = world(base, &[("one", one), ("other", other)]);
            session
                .execute(&format!("USE BRANCH {target}; {}", merge(source, target, policy)))
                .unwrap();
            let all = rows(&session, "SELECT id, d FROM t ORDER BY 1");
            assert_eq!(all[0], format!("1|{wins}"), "{source} into {target}");
            found.push(all);
        }
        assert_eq!(found[0], found[1], "{winner} wins");
    }
}

fn status(session: &Session, sql: &str) -> String {
    rows(session, sql)[0].split('|').next().unwrap_or_default().to_owned()
}

#[test]
fn branches_that_move_to_each_other_in_turn_are_up_to_date() {
    let session = shop();
    let merge = |source: &str, target: &str, expected: &str| {
        let sql = format!("MERGE BRANCH {source} INTO {target}");
        assert_eq!(status(&session, &sql), expected, "{sql}");
    };
    session.execute("CREATE BRANCH other; UPDATE item@dev SET price = 3 WHERE id = 1").unwrap();
    merge("dev", "main", "fast-forward");
    let heads = || rows(&session, "SELECT branch_name, head_commit FROM pando_branches");
    let before = heads();
    for _ in 0..3 {
        merge("main", "dev", "up to date");
        merge("dev", "main", "up to date");
    }
    assert_eq!(heads(), before);
    // Who moves to one of them stands where both do.
    merge("main", "other", "fast-forward");
    merge("other", "dev", "up to date");
    merge("other", "main", "up to date");
    merge("dev", "other", "up to date");
    // So does who is made of one that was moved, and has done nothing yet.
    session.execute("CREATE BRANCH of_main FROM main; CREATE BRANCH of_that FROM of_main").unwrap();
    for source in ["of_main", "of_that"] {
        for target in ["dev", "main", "other"] {
            merge(source, target, "up to date");
            merge(target, source, "up to date");
        }
    }
    // Each goes on from there, and so does it the other way round.
    session.execute("UPDATE item@dev SET price = 4 WHERE id = 1").unwrap();
    merge("main", "dev", "up to date");
    merge("dev", "main", "fast-forward");
    merge("main", "dev", "up to date");
    session
        .execute(
            "UPDATE item SET price = 5 WHERE id = 2; UPDATE item@dev SET stock = 6 WHERE id = 2",
        )
        .unwrap();
    merge("main", "dev", "merged");
    merge("dev", "main", "fast-forward");
    merge("main", "dev", "up to date");
    merge("dev", "other", "fast-forward");
    merge("other", "main", "up to date");
    let session = reopened(session);
    for branch in ["main", "dev", "other"] {
        let all = format!("SELECT id, price, stock FROM item@{branch}");
        assert_eq!(rows(&session, &all), ["1|4|10", "2|5|6", "3|7|1"]);
    }
    assert_eq!(status(&session, "MERGE BRANCH main INTO dev"), "up to date");
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

/// What a branch did and undid counts: it is no longer where it was moved to.
#[test]
fn a_branch_that_came_back_by_itself_is_not_where_it_was() {
    let session = shop();
    session
        .execute(
            "UPDATE item@dev SET price = 3 WHERE id = 1; MERGE BRANCH dev INTO main;
             UPDATE item SET price = 9 WHERE id = 1; CREATE BRANCH other;
             UPDATE item SET price = 3 WHERE id = 1",
        )
        .unwrap();
    assert_eq!(status(&session, "MERGE BRANCH main INTO dev"), "fast-forward");
    // So that what came before it is not done once more.
    assert_eq!(status(&session, "MERGE BRANCH other INTO dev"), "up to date");
    assert_eq!(rows(&session, "SELECT price FROM item@dev WHERE id = 1"), ["3"]);
    // A merge that changes nothing is a commit that the other one does not have, too.
    session
        .execute(
            "CREATE BRANCH more; UPDATE item@more SET price = 3 WHERE id = 1;
             UPDATE item@more SET stock = 2 WHERE id = 1; UPDATE item@more SET stock = 10 WHERE
             id = 1; MERGE BRANCH dev INTO main",
        )
        .unwrap();
    assert_eq!(status(&session, "MERGE BRANCH more INTO main"), "fast-forward");
    assert_eq!(status(&session, "MERGE BRANCH main INTO dev"), "fast-forward");
    assert_eq!(status(&session, "MERGE BRANCH more INTO dev"), "up to date");
}
