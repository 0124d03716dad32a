//! Triggers in `temp`, which may be on tables of other databases, and triggers of views.

use super::{check, fails, session};
use crate::error::ErrorKind;

#[test]
fn a_temp_trigger_sees_the_columns_of_the_table_that_it_names() {
    let session = session();
    session
        .execute(
            "CREATE TEMP TABLE log(x); CREATE TABLE main.p(q TEXT, a TEXT);
             CREATE TEMP TRIGGER pc AFTER INSERT ON main.p BEGIN
               INSERT INTO log VALUES (new.a);
             END;
             CREATE TEMP TABLE p(a TEXT, b); INSERT INTO main.p VALUES ('Q', 'A')",
        )
        .unwrap();
    check(&session, "SELECT x FROM log", "A");
}

#[test]
fn a_temp_trigger_fires_on_its_own_table_only() {
    let session = session();
    session
        .execute(
            "CREATE TABLE main.p(a); CREATE TEMP TABLE p(a);
             CREATE TEMP TRIGGER pb BEFORE DELETE ON p BEGIN SELECT RAISE(IGNORE); END;
             INSERT INTO main.p VALUES (1), (2); INSERT INTO temp.p VALUES (3);
             DELETE FROM main.p; DELETE FROM temp.p",
        )
        .unwrap();
    check(&session, "SELECT count(*) FROM main.p", "0");
    check(&session, "SELECT count(*) FROM temp.p", "1");
}

#[test]
fn a_temp_trigger_stays_when_another_table_of_that_name_goes() {
    let session = session();
    session
        .execute(
            "CREATE TABLE main.m(a); CREATE TEMP TABLE m(a);
             CREATE TEMP TRIGGER on_main AFTER INSERT ON main.m BEGIN SELECT 1; END;
             CREATE TEMP TRIGGER on_temp AFTER INSERT ON temp.m BEGIN SELECT 1; END;
             DROP TABLE temp.m",
        )
        .unwrap();
    check(&session, "SELECT name FROM temp.sqlite_schema WHERE type = 'trigger'", "on_main");
}

#[test]
fn a_row_that_a_trigger_of_a_view_ignores_is_not_returned() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM t;
             CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN
               SELECT RAISE(IGNORE) WHERE new.a = 2; INSERT INTO t VALUES (new.a);
             END",
        )
        .unwrap();
    check(&session, "INSERT INTO v VALUES (1), (2), (3) RETURNING a", "1 3");
    check(&session, "SELECT count(*) FROM t", "2");
}

#[test]
fn a_view_has_no_upsert() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a); CREATE VIEW v AS SELECT a FROM t;
             CREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN SELECT 1; END",
        )
        .unwrap();
    let upsert = "INSERT INTO v VALUES (1) ON CONFLICT DO NOTHING";
    fails(&session, upsert, ErrorKind::Invalid);
}

/// A trigger is on the table that it names, or is refused: one that never fires guards nothing.
#[test]
fn a_trigger_on_a_table_of_another_database_is_refused() {
    let session = session();
    session
        .execute(
            "CREATE TABLE q(a); CREATE TABLE t(a); ATTACH ':memory:' AS aux; CREATE TABLE aux.q(a);
             CREATE VIEW aux.t AS SELECT 1 AS a; CREATE TABLE k(a)",
        )
        .unwrap();
    for (sql, part) in [
        (
            "CREATE TRIGGER x1 AFTER UPDATE ON aux.q BEGIN SELECT 1; END",
            "trigger x1 cannot reference objects in database aux",
        ),
        (
            "CREATE TRIGGER aux.x9 AFTER UPDATE ON main.q BEGIN SELECT 1; END",
            "trigger x9 cannot reference objects in database main",
        ),
        ("CREATE TEMP TRIGGER y AFTER UPDATE ON aux.k BEGIN SELECT 1; END", "aux.k"),
        ("CREATE TEMP TRIGGER y AFTER UPDATE ON none.k BEGIN SELECT 1; END", "unknown database"),
        ("CREATE TRIGGER y AFTER INSERT ON q BEGIN INSERT INTO k VALUES (?1); END", "variables"),
        ("CREATE TRIGGER y AFTER INSERT ON q WHEN :a BEGIN SELECT 1; END", "variables"),
        ("CREATE VIEW v AS SELECT a FROM q WHERE a > ?", "parameters are not allowed in views"),
    ] {
        let told = session.execute(sql).unwrap_err();
        assert!(told.message().contains(part), "{sql}: {told}");
    }
    // It is of that database that has a table of this name, not a view of another one.
    session
        .execute(
            "CREATE TEMP TRIGGER y AFTER INSERT ON main.t BEGIN INSERT INTO k VALUES (new.a); END;
             CREATE TRIGGER aux.z AFTER INSERT ON q BEGIN DELETE FROM q WHERE a = 1; END;
             INSERT INTO t VALUES (5); INSERT INTO aux.q VALUES (1), (2)",
        )
        .unwrap();
    check(&session, "SELECT a FROM k", "5");
    check(&session, "SELECT a FROM aux.q", "2");
}
