//! What RESOLVE takes, and what it refuses because it would settle nothing.
//!
//! Neighbours: `picks` (merges of single commits), the branch crate's `registry::open_merge`.

use super::{error, rows, session, shop};

#[test]
fn what_does_not_resolve_a_conflict_is_refused_where_it_is_said() {
    let session = shop();
    session
        .execute(
            "CREATE TABLE note(id INTEGER PRIMARY KEY, t TEXT UNIQUE); USE BRANCH dev;
             CREATE TABLE note(id INTEGER PRIMARY KEY, t TEXT); UPDATE item SET price = 3;
             DELETE FROM item WHERE id = 3; USE BRANCH main;
             UPDATE item SET price = 4 WHERE id <> 2; CREATE UNIQUE INDEX one ON item(stock);
             UPDATE item@dev SET stock = 5 WHERE id = 2; UPDATE item SET stock = 5 WHERE id = 1;
             MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')",
        )
        .unwrap();
    let listed = "SELECT conflict_id, kind, object_name, row_key, resolution FROM pando_conflicts
                  ORDER BY kind DESC";
    assert_eq!(
        rows(&session, listed),
        ["1|schema|note||NULL", "3|delete/modify|item|3|NULL", "2|data|item|1|NULL",]
    );
    for (choice, part) in [
        (" 1 WITH BASE", "1 cannot be resolved so: it is about a definition"),
        (" 1 WITH VALUE 7", "about a definition"),
        ("2 WITH DEFINITION 'price INT'", "2 cannot be resolved so: it is about rows"),
        ("3 WITH DEFINITION x", "3 cannot be resolved so: it is about rows"),
        ("2 WITH DELETE", "2 cannot be resolved so: it is about one cell"),
        ("2 WITH (name = 'x')", "the row has no value for its column"),
        ("3 WITH VALUE 7", "3 cannot be resolved so: it is about a whole row"),
        ("4 WITH SOURCE", "has no conflict 4"),
    ] {
        let told = error(&session, &format!("RESOLVE CONFLICT {choice}"));
        assert!(told.contains(part), "{choice}: {told}");
    }
    // A rule is for what it fits.
    session.execute("RESOLVE CONFLICTS WITH DELETE").unwrap();
    assert_eq!(
        rows(&session, listed),
        ["1|schema|note||NULL", "3|delete/modify|item|3|DELETE", "2|data|item|1|NULL",]
    );
    session
        .execute(
            "RESOLVE CONFLICTS WITH VALUE 9; RESOLVE CONFLICT 1 WITH TARGET;
             RESOLVE CONFLICT 3 WITH DELETE",
        )
        .unwrap();
    let told = error(&session, "CONTINUE MERGE");
    assert!(told.contains("constraint: unique"), "{told}");
    assert_eq!(rows(&session, listed), ["1|constraint: unique|item|2|NULL"]);
    let told = error(&session, "RESOLVE CONFLICT 1 WITH VALUE 7");
    assert!(told.contains("1 cannot be resolved so: it is about a whole row"), "{told}");
    // The target may be changed instead.
    session.execute("UPDATE item SET stock = 50 WHERE id = 1; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT id, price, stock FROM item"), ["1|9|50", "2|3|5"]);
}

/// A row keeps its key, whatever it is resolved with: it is what the conflict is called by.
#[test]
fn a_row_keeps_the_key_that_its_conflict_is_called_by() {
    for table in [
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT)",
        "CREATE TABLE t(id INT PRIMARY KEY, a INT) WITHOUT ROWID",
    ] {
        let session = session();
        session
            .execute(&format!(
                "{table}; CREATE INDEX i ON t(a); INSERT INTO t VALUES (1,1),(2,2);
                 CREATE BRANCH dev; DELETE FROM t@dev WHERE id = 1; UPDATE t SET a = 5;
                 MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')"
            ))
            .unwrap();
        let told = error(&session, "RESOLVE CONFLICT 1 WITH (id = 9, a = 7)");
        assert!(told.contains("1 cannot be resolved so: the row has the key 1"), "{told}");
        session.execute("RESOLVE CONFLICT 1 WITH (id = 1, a = 7); CONTINUE MERGE").unwrap();
        assert_eq!(rows(&session, "SELECT * FROM t ORDER BY id"), ["1|7", "2|5"]);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}

/// What is said about one child is done, whatever another one brings back, and wherever it stands.
#[test]
fn each_child_of_a_deleted_parent_has_its_own_answer() {
    let base = "CREATE TABLE parent(id INTEGER PRIMARY KEY);
        CREATE TABLE child(id INTEGER PRIMARY KEY, pid INT REFERENCES parent);
        INSERT INTO parent VALUES (1), (2); PRAGMA foreign_keys = on; CREATE BRANCH dev;
        USE BRANCH dev; INSERT INTO child VALUES (5, 2), (6, 2);
        USE BRANCH main; DELETE FROM parent WHERE id = 2;
        MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')";
    for (first, second, children) in [
        (" 1 WITH SOURCE", "2 WITH DELETE", vec!["5|2"]),
        (" 1 WITH DELETE", "2 WITH SOURCE", vec!["6|2"]),
        (" 1 WITH SOURCE", "2 WITH TARGET", vec!["5|2"]),
        (" 1 WITH TARGET", "2 WITH SOURCE", vec!["6|2"]),
        (" 1 WITH SOURCE", "2 WITH (pid = 1)", vec!["5|2", "6|1"]),
        (" 1 WITH (pid = 1)", "2 WITH SOURCE", vec!["5|1", "6|2"]),
        ("S WITH SOURCE", "2 WITH DELETE", vec!["5|2"]),
        ("S WITH SOURCE", "1 WITH DELETE", vec!["6|2"]),
        ("S WITH SOURCE", "1 WITH (pid = 1)", vec!["5|1", "6|2"]),
    ] {
        let session = session();
        session
            .execute(&format!("{base}; RESOLVE CONFLICT{first}; RESOLVE CONFLICT {second}"))
            .unwrap();
        let told = rows(&session, "CONTINUE MERGE");
        let what = format!("{first}, {second}: {told:?}");
        assert_eq!(rows(&session, "SELECT * FROM child ORDER BY id"), children, "{what}");
        assert_eq!(rows(&session, "SELECT id FROM parent"), ["1", "2"], "{what}");
    }
}

/// What was said and did not settle a conflict does not keep a later rule from it.
#[test]
fn a_rule_counts_where_what_was_said_before_was_in_vain() {
    for (vain, rule) in [
        ("CONFLICT 1 WITH TARGET", "CONFLICTS WITH SOURCE"),
        ("CONFLICT 1 WITH (b = 7)", "CONFLICTS IN TABLE t WITH SOURCE"),
        ("CONFLICTS IN TABLE t WITH TARGET", "CONFLICTS WITH SOURCE"),
    ] {
        let session = session();
        session
            .execute(&format!(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b INT); INSERT INTO t VALUES (1,1,1);
                 CREATE BRANCH dev; UPDATE t SET a = NULL; USE BRANCH dev; UPDATE t SET b = 5;
                 ALTER TABLE t ALTER COLUMN a SET NOT NULL; USE BRANCH main;
                 MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual'); RESOLVE {vain}"
            ))
            .unwrap();
        error(&session, "CONTINUE MERGE");
        let listed = "SELECT resolution FROM pando_conflicts";
        assert_eq!(rows(&session, listed), ["NULL"], "{vain}");
        session.execute(&format!("RESOLVE {rule}")).unwrap();
        assert_eq!(rows(&session, listed), ["SOURCE"], "{vain}, {rule}");
        session.execute("CONTINUE MERGE").unwrap();
        assert_eq!(rows(&session, "SELECT a, b FROM t"), ["1|5"], "{vain}, {rule}");
    }
}
