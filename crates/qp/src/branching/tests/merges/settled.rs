//! What follows from answers to broken constraints: other conflicts, rules, picks, ways back.
//!
//! Neighbours: `settling` has each choice for each kind.

use super::{error, reopened, rows, session};
use crate::session::Session;

const OPEN: &str = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')";
const LISTED: &str =
    "SELECT conflict_id, kind, object_name, row_key, resolution FROM pando_conflicts";

fn opened(setup: &str, on_dev: &str, on_main: &str) -> Session {
    let session = session();
    session
        .execute(&format!(
            "PRAGMA foreign_keys = on; {setup}; CREATE BRANCH dev; USE BRANCH dev; {on_dev};
             USE BRANCH main; {on_main}; {OPEN}"
        ))
        .unwrap();
    session
}

fn is_whole(session: &Session) {
    assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"]);
    assert_eq!(rows(session, "PRAGMA foreign_key_check"), [""; 0]);
    assert_eq!(rows(session, "SELECT 1 FROM pando_conflicts"), [""; 0]);
}

/// A parent that goes with its conflict leaves a child, which is a conflict of its own; and what
/// was said about the first is known when the second is settled.
#[test]
fn what_an_answer_breaks_is_the_next_conflict() {
    let session = opened(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, a INT, b INT, CHECK (a + b < 100));
         CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES p);
         INSERT INTO p VALUES (1,1,1),(2,2,2); INSERT INTO c VALUES (8,1),(9,2)",
        "UPDATE p SET a = 60 WHERE id = 1",
        "UPDATE p SET b = 60 WHERE id = 1",
    );
    assert_eq!(rows(&session, LISTED), ["1|constraint: check|p|1|NULL"]);
    let before = rows(&session, "SELECT * FROM p UNION ALL SELECT id, p, 0 FROM c");
    session.execute("RESOLVE CONFLICT 1 WITH DELETE").unwrap();
    let told = error(&session, "CONTINUE MERGE");
    assert!(told.contains("c refers to no row of p with id = 1"), "{told}");
    // The answer that led to it stays in the list, to be given anew.
    assert_eq!(
        rows(&session, LISTED),
        ["1|constraint: check|p|1|DELETE", "2|constraint: foreign key|c|8|NULL"]
    );
    assert_eq!(rows(&session, "SELECT * FROM p UNION ALL SELECT id, p, 0 FROM c"), before);
    let session = reopened(session);
    // A side brings back the parent that it has: then that one is as on that side.
    session.execute("RESOLVE CONFLICT 2 WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM p"), ["1|60|1", "2|2|2"]);
    assert_eq!(rows(&session, "SELECT * FROM c"), ["8|1", "9|2"]);
    is_whole(&session);
}

#[test]
fn answers_that_undo_each_other_end() {
    // The parent goes because of its own conflict, comes back for its child, and is broken again.
    let session = opened(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, a INT, b INT);
         CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES p);
         INSERT INTO p VALUES (1,1,1); INSERT INTO c VALUES (8,1)",
        "UPDATE p SET a = 60; ALTER TABLE p ADD CONSTRAINT small CHECK (b < 50)",
        "UPDATE p SET b = 60",
    );
    session
        .execute(
            "RESOLVE CONFLICTS IN TABLE p WITH DELETE; RESOLVE CONFLICTS IN TABLE c WITH TARGET",
        )
        .unwrap();
    assert!(error(&session, "CONTINUE MERGE").contains("met 1 conflict"));
    assert_eq!(
        rows(&session, "SELECT count(*) FROM pando_conflicts WHERE resolution IS NULL"),
        ["1"]
    );
    session.execute("RESOLVE CONFLICTS IN TABLE c WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM p"), ["1|60|1"]);
    is_whole(&session);
}

#[test]
fn a_rule_is_for_what_its_answers_break_too() {
    let chain = "CREATE TABLE t(id INTEGER PRIMARY KEY, up INT REFERENCES t, n INT);
                 WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 40)
                 INSERT INTO t SELECT i, nullif(i - 1, 0), i FROM s";
    let sides = ("INSERT INTO t VALUES (100, 40, 0), (200, 100, 0)", "DELETE FROM t WHERE id > 10");
    for (rule, left) in [
        ("RESOLVE CONFLICTS WITH SOURCE", "42"),
        ("RESOLVE CONFLICTS IN TABLE t WITH SOURCE", "42"),
        ("RESOLVE CONFLICTS WITH TARGET", "10"),
        ("RESOLVE CONFLICTS IN TABLE t WITH DELETE", "10"),
        ("RESOLVE CONFLICTS WITH BASE", "10"),
    ] {
        let session = opened(chain, sides.0, sides.1);
        assert_eq!(rows(&session, LISTED), ["1|constraint: foreign key|t|100|NULL"]);
        session.execute(&format!("{rule}; CONTINUE MERGE")).unwrap();
        assert_eq!(rows(&session, "SELECT count(*) FROM t"), [left], "{rule}");
        is_whole(&session);
    }
    // A rule for a column is for its cells: a constraint is about a row.
    let session = opened(chain, sides.0, sides.1);
    session.execute("RESOLVE CONFLICTS IN TABLE t COLUMN up WITH SOURCE").unwrap();
    assert_eq!(rows(&session, LISTED), ["1|constraint: foreign key|t|100|NULL"]);
}

/// No policy settles a broken constraint, in either direction.
#[test]
fn only_what_is_said_about_it_settles_a_broken_constraint() {
    let session = opened(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)",
        "INSERT INTO t VALUES (1,7)",
        "INSERT INTO t VALUES (2,7)",
    );
    session.execute("ABORT MERGE").unwrap();
    for policy in ["source_wins", "target_wins", "fail", "renumber"] {
        let sql = format!("MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')");
        assert!(error(&session, &sql).contains("the row 1 has the same"), "{policy}");
    }
    assert_eq!(rows(&session, "SELECT * FROM t"), ["2|7"]);
    let dry = "MERGE BRANCH dev INTO main WITH (dry_run = true)";
    assert!(rows(&session, dry)[0].starts_with("conflicts|dev|main|"));
    let preview = rows(&session, "PREVIEW MERGE BRANCH dev INTO main");
    assert!(
        preview.contains(&"conflict|t|constraint: unique|2|NULL|2, 7|NULL".into()),
        "{preview:?}"
    );
}

#[test]
fn either_of_two_equal_rows_can_be_named() {
    for (choice, left) in [
        ("(id = 1, a = 8)", vec!["1|8|0", "2|7|0"]),
        ("(id = 2, a = 8)", vec!["1|7|0", "2|8|0"]),
        ("(a = 8, b = 5)", vec!["1|7|0", "2|8|5"]),
    ] {
        for key in ["INTEGER PRIMARY KEY)", "INT PRIMARY KEY) WITHOUT ROWID"] {
            let session = opened(
                &format!("CREATE TABLE t(a UNIQUE, b DEFAULT 0, id {key}"),
                "INSERT INTO t(id, a) VALUES (1,7)",
                "INSERT INTO t(id, a) VALUES (2,7)",
            );
            session.execute(&format!("RESOLVE CONFLICT 1 WITH {choice}; CONTINUE MERGE")).unwrap();
            assert_eq!(rows(&session, "SELECT id, a, b FROM t ORDER BY id"), left, "{choice}");
            is_whole(&session);
        }
    }
}

/// More than two rows with one value, some of them from each side.
#[test]
fn all_rows_of_one_value_are_decided_together() {
    let setup =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1,1,1),(2,2,2)";
    let on_dev = "UPDATE t SET a = 7 WHERE id = 1; INSERT INTO t VALUES (5,7,5),(6,6,6)";
    let on_main = "CREATE UNIQUE INDEX one ON t(a); UPDATE t SET a = 7 WHERE id = 2";
    for (choice, left) in [
        ("SOURCE", None),
        ("TARGET", Some(vec!["1|1|1", "2|7|2", "6|6|6"])),
        ("BASE", Some(vec!["1|1|1", "2|2|2", "6|6|6"])),
        ("DELETE", None),
    ] {
        let session = opened(setup, on_dev, on_main);
        let told = "SELECT detail FROM pando_conflicts";
        let detail = "UNIQUE constraint failed: t.a; the rows 2, 1 have the same";
        assert_eq!(rows(&session, told), [detail]);
        session.execute(&format!("RESOLVE CONFLICT 1 WITH {choice}")).unwrap();
        let done = session.query("CONTINUE MERGE");
        assert_eq!(done.is_ok(), left.is_some(), "{choice}");
        if let Some(left) = left {
            assert_eq!(rows(&session, "SELECT * FROM t"), left, "{choice}");
        } else {
            // The source has two of them; and two are left where one goes.
            let left = "SELECT conflict_id FROM pando_conflicts WHERE resolution IS NULL";
            let left = rows(&session, left).concat();
            let answers =
                format!("RESOLVE CONFLICTS WITH DELETE; RESOLVE CONFLICT {left} WITH DELETE");
            session.execute(&format!("{answers}; CONTINUE MERGE")).unwrap();
            assert_eq!(rows(&session, "SELECT count(*) FROM t WHERE a = 7"), ["1"], "{choice}");
        }
        is_whole(&session);
    }
}

/// A row that got another rowid is known by that, on the source by the one that it has there; and
/// what it refers to follows.
#[test]
fn renumbered_rows_are_found_on_the_source() {
    let session = session();
    session
        .execute(
            "CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT UNIQUE);
             CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES p, n INT UNIQUE);
             CREATE BRANCH dev; USE BRANCH dev;
             INSERT INTO p VALUES (1,'dev'),(2,'both'); INSERT INTO c VALUES (1,1,10),(2,2,20);
             USE BRANCH main;
             INSERT INTO p VALUES (1,'main'),(3,'both'); INSERT INTO c VALUES (1,1,11);
             MERGE BRANCH dev INTO main
             WITH (conflict_resolution = 'manual', renumber = true)",
        )
        .unwrap();
    let listed = "SELECT kind, row_key, ours, theirs FROM pando_conflicts";
    assert_eq!(rows(&session, listed), ["constraint: unique|3|3, 'both'|NULL"]);
    session.execute("RESOLVE CONFLICT 1 WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM p ORDER BY id"), ["1|main", "2|both", "4|dev"]);
    assert_eq!(rows(&session, "SELECT * FROM c ORDER BY id"), ["1|1|11", "2|2|20", "3|4|10"]);
    is_whole(&session);
}

/// Rows of tables without a declared key get another number where both sides inserted.
#[test]
fn rows_without_a_key_are_those_of_their_side() {
    for (choice, left) in [("SOURCE", "dev|1"), ("TARGET", "main|1"), ("BASE", "")] {
        let session = opened(
            "CREATE TABLE t(a, b UNIQUE)",
            "INSERT INTO t VALUES ('dev', 1)",
            "INSERT INTO t VALUES ('main', 1)",
        );
        let listed = "SELECT ours, theirs FROM pando_conflicts";
        assert_eq!(rows(&session, listed), ["'main', 1|NULL"]);
        session.execute(&format!("RESOLVE CONFLICT 1 WITH {choice}; CONTINUE MERGE")).unwrap();
        assert_eq!(rows(&session, "SELECT * FROM t").join(" "), left);
        is_whole(&session);
    }
}

/// Picks and undoing stay open with a broken constraint, too; it names who touched the row since.
#[test]
fn picks_and_undoing_are_settled_alike() {
    let session = session();
    session
        .execute(
            "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE t(id INTEGER PRIMARY KEY,
             a UNIQUE, p REFERENCES p); INSERT INTO p VALUES (1); CREATE BRANCH dev;
             INSERT INTO t@dev VALUES (1,7,1)",
        )
        .unwrap();
    let newest = "SELECT max(transaction_id) FROM pando_log('*')";
    let picked = rows(&session, newest).remove(0);
    session.execute("INSERT INTO t VALUES (2,7,1)").unwrap();
    let manual = "WITH (conflict_resolution = 'manual')";
    session.execute(&format!("CHERRY PICK TRANSACTION {picked} {manual}")).unwrap();
    assert_eq!(rows(&session, LISTED), ["1|constraint: unique|t|2|NULL"]);
    session.execute("RESOLVE CONFLICT 1 WITH (a = 8)").unwrap();
    let session = reopened(session);
    session.execute("CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT id, a FROM t"), ["1|7", "2|8"]);
    is_whole(&session);
    // What is undone was needed since.
    session.execute("INSERT INTO p VALUES (5)").unwrap();
    let made = rows(&session, newest).remove(0);
    session.execute("UPDATE t SET p = 5 WHERE id = 2").unwrap();
    let since = rows(&session, newest).remove(0);
    session.execute(&format!("UNDO TRANSACTION {made} {manual}")).unwrap();
    let told = rows(&session, "SELECT detail, ours FROM pando_conflicts");
    let expected = format!(
        "FOREIGN KEY constraint failed: t refers to no row of p with id = 5; \
         transactions since: {since}|2, 8, 5"
    );
    assert_eq!(told, [expected]);
    session.execute("RESOLVE CONFLICT 1 WITH TARGET; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT id FROM p"), ["1", "5"]);
    session.execute(&format!("UNDO TRANSACTION {made} {manual}")).unwrap();
    session.execute("RESOLVE CONFLICT 1 WITH DELETE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT id FROM p UNION ALL SELECT id FROM t"), ["1", "1"]);
    is_whole(&session);
}
