//! A dropped table that a merge keeps, because the side that has it wins: it comes with what went
//! only because the table was dropped.
//!
//! Neighbours: `rules` (what is a conflict), `definitions` (what is said instead of a side).

use super::{error, rows, session};
use crate::session::Session;

/// A table with an index of each kind, triggers, a view, and a table whose rows lead to it.
const BASE: &str =
    "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, b INT); CREATE TABLE log(what);
    CREATE TABLE u(x); INSERT INTO t VALUES (1, 10, 20), (7, 11, 21); DELETE FROM t WHERE id = 7;
    CREATE UNIQUE INDEX ua ON t(a); CREATE INDEX ub ON t(b + 1) WHERE b > 0;
    CREATE TRIGGER tr AFTER DELETE ON t BEGIN INSERT INTO log VALUES (OLD.id); END;
    CREATE VIEW v AS SELECT a FROM t;
    CREATE TRIGGER other AFTER DELETE ON u BEGIN DELETE FROM t; END;";

const OBJECTS: &str = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%' ORDER BY name";

/// Two branches of `BASE`, merged into main so that main wins, or dev does.
fn two(on_main: &str, on_dev: &str, merge: &str) -> Session {
    let session = session();
    session
        .execute(&format!(
            "{BASE} CREATE BRANCH dev; USE BRANCH dev; {on_dev}; USE BRANCH main; {on_main};
             MERGE BRANCH dev INTO main WITH (conflict_resolution = {merge}"
        ))
        .unwrap_or_else(|error| panic!("{on_main} / {on_dev} / {merge}: {error}"));
    session
}

/// Each way in which the side wins that has the table: with what the sides do on main and on dev.
fn each_way(having: &str, dropping: &str, mut look: impl FnMut(&Session, &str)) {
    for (on_main, on_dev, merge) in [
        (having, dropping, "'target_wins')"),
        (dropping, having, "'source_wins')"),
        (having, dropping, "'manual'); RESOLVE CONFLICTS WITH TARGET; CONTINUE MERGE"),
        (dropping, having, "'manual'); RESOLVE CONFLICTS WITH SOURCE; CONTINUE MERGE"),
        (having, dropping, "'manual'); RESOLVE CONFLICT 1 WITH TARGET; CONTINUE MERGE"),
        (dropping, having, "'manual'); RESOLVE CONFLICT 1 WITH SOURCE; CONTINUE MERGE"),
    ] {
        let session = two(on_main, on_dev, merge);
        look(&session, merge);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{merge}");
        // A second merge changes nothing; merging back makes both branches the same.
        let before = rows(&session, "SELECT type, name, tbl_name, sql FROM sqlite_schema");
        session.execute("MERGE BRANCH dev INTO main").unwrap();
        assert_eq!(rows(&session, "SELECT type, name, tbl_name, sql FROM sqlite_schema"), before);
        session.execute("MERGE BRANCH main INTO dev; USE BRANCH dev").unwrap();
        look(&session, &format!("{merge}, merged back"));
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{merge}, merged back");
    }
}

#[test]
fn a_table_that_stays_has_its_indexes_and_triggers() {
    let dropping = "DROP TABLE t; CREATE TABLE z(x)";
    each_way("UPDATE t SET b = 9", dropping, |session, way| {
        let objects = ["log", "other", "t", "tr", "u", "ua", "ub", "v", "z"];
        assert_eq!(rows(session, OBJECTS), objects, "{way}");
        assert!(session.execute("INSERT INTO t VALUES (2, 10, 1)").is_err(), "{way}");
        assert_eq!(
            rows(session, "SELECT id FROM t INDEXED BY ub WHERE b + 1 = 10 AND b > 0"),
            ["1"]
        );
        assert_eq!(rows(session, "SELECT a FROM v"), ["10"], "{way}");
        let numbers = "SELECT seq FROM sqlite_sequence WHERE name = 't'";
        assert_eq!(rows(session, numbers), ["7"], "{way}");
        session.execute("BEGIN; DELETE FROM t").unwrap();
        assert_eq!(rows(session, "SELECT what FROM log"), ["1"], "{way}");
        session.execute("ROLLBACK").unwrap();
    });
}

#[test]
fn what_was_dropped_by_itself_stays_away() {
    let dropping = "DROP TRIGGER other; DROP VIEW v; DROP TABLE t";
    each_way("UPDATE t SET b = 9; DROP INDEX ub", dropping, |session, way| {
        assert_eq!(rows(session, OBJECTS), ["log", "t", "tr", "u", "ua"], "{way}");
    });
}

#[test]
fn a_table_that_one_side_added_to_stays_with_what_was_added() {
    let having = "CREATE INDEX new ON t(b, a)";
    each_way(having, "DROP TABLE t", |session, way| {
        let objects = ["log", "new", "other", "t", "tr", "u", "ua", "ub", "v"];
        assert_eq!(rows(session, OBJECTS), objects, "{way}");
        assert_eq!(rows(session, "SELECT * FROM t INDEXED BY new WHERE b = 20"), ["1|10|20"]);
        assert!(session.execute("INSERT INTO t VALUES (2, 10, 1)").is_err(), "{way}");
    });
    for having in [
        "CREATE TRIGGER new AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TRIGGER new AFTER INSERT ON u BEGIN DELETE FROM t; END",
        "CREATE VIEW new AS SELECT b FROM t",
        "CREATE VIEW new AS SELECT a FROM v",
    ] {
        each_way(having, "DROP VIEW v; DROP TABLE t", |session, way| {
            let objects = rows(session, OBJECTS);
            for name in ["new", "t", "tr", "ua", "ub"] {
                assert!(objects.iter().any(|it| it == name), "{having} / {way}: no {name}");
            }
            assert_eq!(rows(session, "SELECT a FROM t"), ["10"], "{having} / {way}");
            if having.contains("FROM v") {
                assert_eq!(rows(session, "SELECT a FROM new"), ["10"], "{way}");
            }
        });
    }
}

#[test]
fn what_was_added_goes_with_the_table_where_the_other_side_wins() {
    let having = "CREATE INDEX new ON t(b); CREATE VIEW w AS SELECT b FROM t";
    for (on_main, on_dev, merge) in [
        (having, "DROP TABLE t", "'source_wins')"),
        ("DROP TABLE t", having, "'target_wins')"),
        (having, "DROP TABLE t", "'manual'); RESOLVE CONFLICTS WITH SOURCE; CONTINUE MERGE"),
    ] {
        let session = two(on_main, on_dev, merge);
        assert_eq!(rows(&session, OBJECTS), ["log", "other", "u", "v"], "{merge}");
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{merge}");
    }
    // One of two is taken: the table is there for it alone.
    let merge = "'manual'); RESOLVE CONFLICTS WITH SOURCE; RESOLVE CONFLICT 2 WITH TARGET;
                 CONTINUE MERGE";
    let session = two(having, "DROP TABLE t", merge);
    let objects = rows(&session, OBJECTS);
    assert!(objects.iter().any(|it| it == "t"), "{objects:?}");
    assert!(objects.iter().any(|it| it == "new") != objects.iter().any(|it| it == "w"));
}

#[test]
fn a_view_that_stays_has_its_triggers() {
    let base = "CREATE TRIGGER instead INSTEAD OF INSERT ON v BEGIN SELECT 1; END;";
    for (on_main, on_dev, policy) in
        [("have", "drop", "target_wins"), ("drop", "have", "source_wins")]
    {
        let word = |side| match side {
            "have" => {
                "ALTER TABLE log RENAME TO old; DROP VIEW v2; CREATE VIEW v3 AS SELECT a FROM v"
            }
            _ => "DROP VIEW v",
        };
        let session = session();
        session
            .execute(&format!(
                "{BASE} {base} CREATE VIEW v2 AS SELECT 1; CREATE BRANCH dev; USE BRANCH dev;
                 {}; USE BRANCH main; {};
                 MERGE BRANCH dev INTO main WITH (conflict_resolution = '{policy}')",
                word(on_dev),
                word(on_main)
            ))
            .unwrap();
        let objects = rows(&session, OBJECTS);
        for name in ["v", "v3", "instead"] {
            assert!(objects.iter().any(|it| it == name), "{policy}: no {name}");
        }
        assert_eq!(rows(&session, "SELECT a FROM v3"), ["10"]);
    }
}

#[test]
fn a_table_of_ones_own_definition_has_its_indexes_and_triggers() {
    for (on_main, on_dev) in
        [("UPDATE t SET b = 9", "DROP TABLE t"), ("DROP TABLE t", "UPDATE t SET b = 9")]
    {
        let merge = "'manual');
            RESOLVE CONFLICT 1 WITH DEFINITION 'CREATE TABLE t(id INTEGER PRIMARY KEY
            AUTOINCREMENT, a INT, b INT, c TEXT DEFAULT 7)'; CONTINUE MERGE";
        let session = two(on_main, on_dev, merge);
        let objects = rows(&session, OBJECTS);
        assert_eq!(objects, ["log", "other", "t", "tr", "u", "ua", "ub", "v"], "{on_main}");
        assert_eq!(rows(&session, "SELECT * FROM t INDEXED BY ua WHERE a = 10"), ["1|10|9|7"]);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
}

#[test]
fn a_definition_without_an_indexed_column_is_told_so() {
    for (on_main, on_dev) in
        [("UPDATE t SET b = 9", "DROP TABLE t"), ("DROP TABLE t", "UPDATE t SET b = 9")]
    {
        let session = two(on_main, on_dev, "'manual')");
        let sql = "RESOLVE CONFLICT 1 WITH DEFINITION 'CREATE TABLE t(id INTEGER PRIMARY KEY
                   AUTOINCREMENT, b INT)'";
        let told = error(&session, sql);
        assert!(told.contains("cannot be used: no such column: a"), "{on_main}: {told}");
    }
}
