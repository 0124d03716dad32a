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
    assert_eq!(
        rows(&session, listed),
        [
            "1|schema|note||TARGET",
            "3|delete/modify|item|3|DELETE",
            "2|data|item|1|VALUE 9",
            "4|constraint: unique|item|2|NULL",
        ]
    );
    let told = error(&session, "RESOLVE CONFLICT 4 WITH VALUE 7");
    assert!(told.contains("4 cannot be resolved so: it is about a whole row"), "{told}");
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

/// What an answer leads to shows once the merge goes on: the answer can be given anew then.
#[test]
fn an_answer_can_be_changed_until_the_merge_is_done() {
    let session = session();
    session
        .execute(
            "CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT);
             INSERT INTO parent VALUES (1, 'a'), (2, 'b');
             CREATE BRANCH dev; UPDATE parent@dev SET name = 'theirs';
             UPDATE parent SET name = 'ours';
             CREATE UNIQUE INDEX names ON parent(name) WHERE name = 'same';
             MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual');
             RESOLVE CONFLICT 1 WITH VALUE 'same'; RESOLVE CONFLICT 2 WITH VALUE 'same'",
        )
        .unwrap();
    let listed = "SELECT conflict_id, kind, object_name, row_key, resolution FROM pando_conflicts";
    let told = error(&session, "CONTINUE MERGE");
    assert!(told.contains("constraint: unique"), "{told}");
    assert_eq!(
        rows(&session, listed),
        [
            "1|data|parent|1|VALUE 'same'",
            "2|data|parent|2|VALUE 'same'",
            "3|constraint: unique|parent|2|NULL",
        ]
    );
    session.execute("RESOLVE CONFLICT 2 WITH VALUE 'other'; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT id, name FROM parent"), ["1|same", "2|other"]);
    assert_eq!(rows(&session, listed), Vec::<String>::new());
}

/// What only the source has is called by the name that it has there.
#[test]
fn names_are_those_of_the_conflicts_of_the_target_or_of_the_source() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT); INSERT INTO t VALUES (1,1),(2,2),(3,3);
             CREATE BRANCH dev; USE BRANCH dev; ALTER TABLE t ADD COLUMN added TEXT DEFAULT 'x';
             ALTER TABLE t RENAME COLUMN a TO amount; ALTER TABLE t RENAME TO things;
             UPDATE things SET amount = 10 * id, added = 'dev'; USE BRANCH main;
             UPDATE t SET a = 20 WHERE id = 1; DELETE FROM t WHERE id > 1;
             MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')",
        )
        .unwrap();
    let listed = "SELECT kind, row_key, resolution FROM pando_conflicts ORDER BY row_key";
    for (table, column) in [("things", "amount"), ("t", "a"), ("THINGS", "A"), ("t", "Amount")] {
        let rule = format!("RESOLVE CONFLICTS IN TABLE {table} COLUMN {column} WITH VALUE 7");
        session.execute(&rule).unwrap();
    }
    let told = error(&session, "RESOLVE CONFLICTS IN TABLE nothing WITH SOURCE");
    assert!(told.contains("nothing"), "{told}");
    let told = error(&session, "RESOLVE CONFLICTS IN TABLE t COLUMN b WITH SOURCE");
    assert!(told.contains("column: b"), "{told}");
    let number = |key: &str| {
        let sql = format!("SELECT conflict_id FROM pando_conflicts WHERE row_key = '{key}'");
        rows(&session, &sql).concat()
    };
    let answers = format!(
        "RESOLVE CONFLICT {} WITH (amount = 5, added = 'own'); RESOLVE CONFLICT {} WITH DELETE",
        number("2"),
        number("3")
    );
    session.execute(&answers).unwrap();
    assert_eq!(
        rows(&session, listed),
        ["data|1|VALUE 7", "delete/modify|2|ROW of 2 cells", "delete/modify|3|DELETE"]
    );
    session.execute("CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT id, amount, added FROM things"), ["1|7|dev", "2|5|own"]);
}
