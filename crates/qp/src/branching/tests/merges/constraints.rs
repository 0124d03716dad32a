//! Merges that break or change constraints.

use super::{error, rows, session, shop};
use crate::session::Session;

fn family() -> Session {
    let session = session();
    session
        .execute(
            "CREATE TABLE parent(id INTEGER PRIMARY KEY, code TEXT UNIQUE);
             CREATE TABLE child(id INTEGER PRIMARY KEY, p REFERENCES parent(id));
             CREATE TABLE by_code(a, b, code REFERENCES parent(code), PRIMARY KEY(a, b))
             WITHOUT ROWID;
             INSERT INTO parent VALUES (1,'a'),(2,'b'),(3,'c');
             INSERT INTO child VALUES (10,1);
             CREATE TABLE number(id TEXT PRIMARY KEY); INSERT INTO number VALUES (2);
             CREATE TABLE plain(a, b REFERENCES number);
             CREATE BRANCH dev",
        )
        .unwrap();
    session
}

fn merged(session: &Session) -> String {
    rows(session, "MERGE BRANCH dev INTO main")[0].split('|').next().unwrap().to_owned()
}

#[test]
fn a_parent_that_one_side_deleted_and_a_child_that_the_other_added() {
    for (on_dev, on_main) in [
        ("DELETE FROM parent WHERE id = 2", "INSERT INTO child VALUES (11,2)"),
        ("INSERT INTO child VALUES (11,2)", "DELETE FROM parent WHERE id = 2"),
        ("UPDATE parent SET id = 20 WHERE id = 2", "UPDATE child SET p = 2 WHERE id = 10"),
        ("UPDATE child SET p = 2 WHERE id = 10", "UPDATE parent SET id = 20 WHERE id = 2"),
        ("UPDATE parent SET code = 'z' WHERE id = 3", "INSERT INTO by_code VALUES (1,1,'c')"),
        ("INSERT INTO by_code VALUES (1,1,'c')", "UPDATE parent SET code = 'z' WHERE id = 3"),
        // The key has no affinity, the parent's has.
        ("DELETE FROM number WHERE id = 2", "INSERT INTO plain VALUES (1, 2)"),
        ("INSERT INTO plain VALUES (1, 2)", "DELETE FROM number WHERE id = 2"),
    ] {
        let session = family();
        session.execute(&format!("USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main}")).unwrap();
        let told = error(&session, "MERGE BRANCH dev INTO main");
        assert!(told.contains("1 conflict") && told.contains("foreign key"), "{on_dev}: {told}");
    }
}

#[test]
fn what_was_broken_before_and_what_the_merge_does_not_touch_is_not_its_fault() {
    let session = family();
    session
        .execute(
            "INSERT INTO child VALUES (12,99);
             USE BRANCH dev; INSERT INTO child VALUES (13,3);
             UPDATE parent SET code = 'q' WHERE id = 1;
             USE BRANCH main; UPDATE parent SET code = 'r' WHERE id = 2",
        )
        .unwrap();
    assert_eq!(merged(&session), "merged");
    assert_eq!(rows(&session, "SELECT count(*) FROM child"), ["3"]);
}

/// What one side had broken comes along, whichever side it is: as where a branch moves to it.
#[test]
fn what_one_side_had_broken_before_is_no_conflict_in_either_direction() {
    for (broken, other) in [
        ("INSERT INTO child VALUES (12,99)", "INSERT INTO child VALUES (13,3)"),
        ("INSERT INTO by_code VALUES (1,2,'zz')", "INSERT INTO by_code VALUES (1,1,'c')"),
        ("DELETE FROM parent WHERE id = 1", "UPDATE parent SET code = 'q' WHERE id = 2"),
        ("UPDATE child SET p = 98 WHERE id = 10", "ALTER TABLE child ADD COLUMN more"),
        ("INSERT INTO child VALUES (12,99)", "ALTER TABLE child RENAME COLUMN p TO q"),
        ("DROP TABLE parent", "INSERT INTO by_code VALUES (1,1,NULL)"),
        ("INSERT INTO late VALUES ('x', 99)", "INSERT INTO late VALUES ('y', 3)"),
        (
            "CREATE TABLE new(a, b REFERENCES parent); INSERT INTO new VALUES (1, 88)",
            "CREATE TABLE more(a)",
        ),
        (
            "PRAGMA ignore_check_constraints = on; INSERT INTO kept VALUES (1, -1);
             PRAGMA ignore_check_constraints = off",
            "INSERT INTO kept VALUES (2, 1)",
        ),
    ] {
        let mut both = Vec::new();
        for (on_dev, on_main) in [(broken, other), (other, broken)] {
            let session = family();
            session
                .execute(&format!(
                    "CREATE TABLE late(a, p REFERENCES parent(id));
                     CREATE TABLE kept(id INTEGER PRIMARY KEY, a INT CHECK (a > 0));
                     MERGE BRANCH main INTO dev;
                     USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main}"
                ))
                .unwrap();
            assert_eq!(merged(&session), "merged", "{broken}, {other}: {on_dev}");
            let mut orphans = rows(&session, "SELECT \"table\" FROM pragma_foreign_key_check");
            orphans.sort();
            both.push(orphans);
        }
        assert_eq!(both[0], both[1], "{broken}, {other}");
    }
}

#[test]
fn an_orphan_that_the_merge_makes_is_reported_with_its_row() {
    let session = family();
    session
        .execute(
            "INSERT INTO parent VALUES (77,'g'); MERGE BRANCH main INTO dev;
             USE BRANCH dev; INSERT INTO child VALUES (14,77);
             USE BRANCH main; INSERT INTO child VALUES (12,77); DELETE FROM parent WHERE id = 77",
        )
        .unwrap();
    assert!(error(&session, "MERGE BRANCH dev INTO main").contains("foreign key"));
    session.execute("MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')").unwrap();
    assert_eq!(
        rows(&session, "SELECT kind, object_name, row_key FROM pando_conflicts"),
        ["constraint: foreign key|child|14"]
    );
    // The target gets the parent, and the merge goes through.
    session.execute("INSERT INTO parent VALUES (77,'g'); CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT p FROM child WHERE id = 14"), ["77"]);
}

#[test]
fn a_counter_goes_with_its_table() {
    for (on_dev, on_main) in
        [("DROP TABLE counted", "SELECT 1"), ("SELECT 1", "DROP TABLE counted")]
    {
        let session = family();
        session
            .execute(&format!(
                "CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT);
                 CREATE TABLE other(id INTEGER PRIMARY KEY AUTOINCREMENT);
                 INSERT INTO counted VALUES (41); INSERT INTO other VALUES (7);
                 MERGE BRANCH main INTO dev; USE BRANCH dev; {on_dev};
                 INSERT INTO parent VALUES (8,'h'); USE BRANCH main; {on_main};
                 INSERT INTO parent VALUES (9,'i'); MERGE BRANCH dev INTO main"
            ))
            .unwrap();
        assert_eq!(rows(&session, "SELECT name, seq FROM sqlite_sequence"), ["other|7"]);
    }
}

#[test]
fn constraints_that_both_sides_changed_come_together() {
    for swapped in [false, true] {
        let session = session();
        session
            .execute(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, CHECK (a < 1000));
                 INSERT INTO t VALUES (1,1),(2,2); CREATE BRANCH dev",
            )
            .unwrap();
        let sides = [
            "ALTER TABLE t ADD COLUMN b INT CHECK (b > 0)",
            "ALTER TABLE t ADD COLUMN c TEXT CHECK (length(c) < 4)",
        ];
        let (one, two) = if swapped { (sides[1], sides[0]) } else { (sides[0], sides[1]) };
        session.execute(&format!("USE BRANCH dev; {one}; USE BRANCH main; {two}")).unwrap();
        assert_eq!(merged(&session), "merged");
        for (sql, fails) in [
            ("INSERT INTO t(id, a, b, c) VALUES (3, 1, 1, 'abc')", false),
            ("INSERT INTO t(id, a) VALUES (4, 1000)", true),
            ("INSERT INTO t(id, b) VALUES (5, 0)", true),
            ("INSERT INTO t(id, c) VALUES (6, 'abcd')", true),
        ] {
            assert_eq!(session.execute(sql).is_err(), fails, "{sql}");
        }
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}

#[test]
fn tables_of_one_name_with_other_keys_are_taken_as_one_side_has_them() {
    let session = session();
    session
        .execute(
            "CREATE BRANCH dev;
             USE BRANCH dev; CREATE TABLE t(a TEXT PRIMARY KEY, b UNIQUE, c INT) WITHOUT ROWID;
             CREATE INDEX t_c ON t(c);
             INSERT INTO t VALUES ('x',1,5),('y',2,6);
             USE BRANCH main; CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT);
             INSERT INTO t VALUES (1,'mine')",
        )
        .unwrap();
    assert!(error(&session, "MERGE BRANCH dev INTO main").contains("schema"));
    let ours = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'ours', dry_run = true)";
    assert!(rows(&session, ours)[0].starts_with("would merge"), "ours");
    session.execute("MERGE BRANCH dev INTO main WITH (conflict_resolution = 'theirs')").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM t"), ["x|1|5", "y|2|6"]);
    assert_eq!(rows(&session, "SELECT a FROM t INDEXED BY t_c WHERE c = 6"), ["y"]);
    assert!(error(&session, "INSERT INTO t VALUES ('z',2,7)").contains("UNIQUE"));
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

/// Two definitions that differ in what a broken constraint does are two definitions: which one
/// holds is not decided by the direction.
#[test]
fn conflict_clauses_are_part_of_a_definition() {
    for (mine, other) in [
        ("CREATE TABLE n(a UNIQUE ON CONFLICT REPLACE)", "CREATE TABLE n(a UNIQUE)"),
        ("CREATE TABLE n(a NOT NULL ON CONFLICT IGNORE)", "CREATE TABLE n(a NOT NULL)"),
        (
            "CREATE TABLE n(a PRIMARY KEY ON CONFLICT REPLACE) WITHOUT ROWID",
            "CREATE TABLE n(a PRIMARY KEY) WITHOUT ROWID",
        ),
        (
            "ALTER TABLE item ADD COLUMN n NOT NULL ON CONFLICT REPLACE DEFAULT 1",
            "ALTER TABLE item ADD COLUMN n NOT NULL DEFAULT 1",
        ),
    ] {
        for (main, dev) in [(mine, other), (other, mine)] {
            let session = shop();
            session.execute(&format!("{main}; USE BRANCH dev; {dev}; USE BRANCH main")).unwrap();
            let told = error(&session, "MERGE BRANCH dev INTO main");
            assert!(told.contains("different definitions"), "{main}, {dev}: {told}");
            let wins = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'source_wins')";
            session.execute(wins).unwrap();
            let clause = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%ON CONFLICT%'";
            let expected = usize::from(dev.contains("ON CONFLICT")).to_string();
            assert_eq!(rows(&session, clause), [expected], "{main}, {dev}");
        }
        let session = shop();
        let both = mine.replace("ON CONFLICT", "ON  conflict");
        session.execute(&format!("{mine}; USE BRANCH dev; {both}; USE BRANCH main")).unwrap();
        session.execute("MERGE BRANCH dev INTO main").unwrap();
    }
}
