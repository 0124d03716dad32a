//! Triggers in `temp`: each is on the table that was found when it was made, in its database.

use super::{check, fails, session};
use crate::error::ErrorKind;
use crate::session::Session;
use crate::store::Database;

const TRIGGERS: &str =
    "SELECT name, tbl_name FROM temp.sqlite_schema WHERE type = 'trigger' ORDER BY name";

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
fn a_temp_trigger_keeps_its_table_when_others_of_that_name_come() {
    let session = session();
    session
        .execute(
            "ATTACH ':memory:' AS aux; CREATE TABLE aux.t(a); CREATE TEMP TABLE log(x);
             CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;
             INSERT INTO t VALUES ('aux'); CREATE TABLE main.t(a); INSERT INTO t VALUES ('main');
             CREATE TEMP TABLE t(a); INSERT INTO t VALUES ('temp');
             INSERT INTO aux.t VALUES ('again')",
        )
        .unwrap();
    check(&session, "SELECT x FROM log", "aux again");
}

#[test]
fn a_temp_trigger_goes_with_its_table_or_view() {
    let session = session();
    session
        .execute(
            "ATTACH ':memory:' AS aux; CREATE TABLE t(a); CREATE TABLE aux.t(a);
             CREATE VIEW v AS SELECT a FROM t; CREATE VIEW aux.v AS SELECT a FROM t;
             CREATE TEMP TRIGGER gm AFTER INSERT ON main.t BEGIN SELECT 1; END;
             CREATE TEMP TRIGGER ga AFTER INSERT ON aux.t BEGIN SELECT 1; END;
             CREATE TEMP TRIGGER vm INSTEAD OF INSERT ON main.v BEGIN SELECT 1; END;
             CREATE TEMP TRIGGER va INSTEAD OF INSERT ON aux.v BEGIN SELECT 1; END",
        )
        .unwrap();
    session.execute("BEGIN; DROP TABLE main.t; SAVEPOINT s; DROP VIEW aux.v").unwrap();
    check(&session, TRIGGERS, "ga|t vm|v");
    session.execute("ROLLBACK TO s").unwrap();
    check(&session, TRIGGERS, "ga|t va|v vm|v");
    session.execute("ROLLBACK").unwrap();
    check(&session, TRIGGERS, "ga|t gm|t va|v vm|v");
    session.execute("INSERT INTO main.v VALUES (1); DROP VIEW main.v").unwrap();
    check(&session, TRIGGERS, "ga|t gm|t va|v");
    session.execute("DROP TABLE aux.t; DROP TABLE t").unwrap();
    check(&session, TRIGGERS, "va|v");
}

/// The number of a database that is detached goes to the next; its triggers do not.
#[test]
fn a_temp_trigger_fires_no_more_when_its_database_is_detached() {
    let session = session();
    session
        .execute(
            "ATTACH ':memory:' AS aux; CREATE TABLE aux.t(a); CREATE TEMP TABLE log(x);
             CREATE TEMP TRIGGER g AFTER INSERT ON aux.t BEGIN
               INSERT INTO log VALUES (new.a);
             END;
             INSERT INTO aux.t VALUES (1); DETACH aux; CREATE TABLE main.t(a);
             INSERT INTO main.t VALUES (2); ATTACH ':memory:' AS aux; CREATE TABLE aux.t(a);
             INSERT INTO aux.t VALUES (3)",
        )
        .unwrap();
    check(&session, "SELECT x FROM log", "1");
    check(&session, TRIGGERS, "g|t");
    // As in SQLite it is in the way of every ALTER TABLE until it is dropped.
    let told = session.execute("ALTER TABLE main.t RENAME TO u").unwrap_err();
    assert_eq!(told.message(), "error in trigger g: no such table: aux.t");
    session.execute("DROP TABLE aux.t; DROP TRIGGER g; ALTER TABLE main.t RENAME TO u").unwrap();
    check(&session, TRIGGERS, "");
}

#[test]
fn a_rename_changes_only_the_temp_triggers_of_that_very_table() {
    let session = session();
    session
        .execute(
            "ATTACH ':memory:' AS aux; CREATE TABLE t(a, b); CREATE TABLE aux.t(a, b);
             CREATE TEMP TABLE log(x);
             CREATE TEMP TRIGGER gm AFTER UPDATE OF a ON t BEGIN
               INSERT INTO log VALUES ('m' || new.a);
             END;
             CREATE TEMP TRIGGER ga AFTER UPDATE OF a ON aux.t BEGIN
               INSERT INTO log VALUES ('a' || new.a);
             END;
             CREATE TEMP TABLE t(a, b);
             CREATE TEMP TRIGGER gt AFTER UPDATE OF a ON t BEGIN
               INSERT INTO log VALUES ('t' || new.a);
             END;
             ALTER TABLE temp.t RENAME COLUMN a TO ta; ALTER TABLE main.t RENAME COLUMN a TO ma;
             ALTER TABLE aux.t RENAME COLUMN a TO aa",
        )
        .unwrap();
    let events = "SELECT name, substr(sql, instr(sql, ' OF ') + 4, 2),
                         substr(sql, instr(sql, 'new.') + 4, 2)
                  FROM temp.sqlite_schema WHERE type = 'trigger' ORDER BY name";
    check(&session, events, "ga|aa|aa gm|ma|ma gt|ta|ta");
    session.execute("ALTER TABLE temp.t RENAME TO tt").unwrap();
    check(&session, TRIGGERS, "ga|t gm|t gt|tt");
    session.execute("ALTER TABLE main.t RENAME TO tm; ALTER TABLE main.tm DROP COLUMN b").unwrap();
    check(&session, TRIGGERS, "ga|t gm|tm gt|tt");
    session
        .execute(
            "INSERT INTO tt VALUES (0, 0); INSERT INTO tm VALUES (0); INSERT INTO t VALUES (0, 0);
             UPDATE tt SET ta = 1; UPDATE tm SET ma = 2; UPDATE aux.t SET aa = 3",
        )
        .unwrap();
    check(&session, "SELECT x FROM log", "t1 m2 a3");
}

/// SQLite has those of `temp` before those of the table's database, the oldest first.
#[test]
fn temp_triggers_fire_before_the_others() {
    let session = session();
    session.execute("CREATE TABLE t(a); CREATE TABLE log(x)").unwrap();
    for (kind, name) in [("", "m1"), ("TEMP", "t1"), ("", "m2"), ("TEMP", "t2")] {
        let body = format!("BEGIN INSERT INTO log VALUES ('{name}'); END");
        session.execute(&format!("CREATE {kind} TRIGGER {name} INSERT ON t {body}")).unwrap();
    }
    session.execute("INSERT INTO t VALUES (1)").unwrap();
    check(&session, "SELECT x FROM log", "t1 t2 m2 m1");
}

/// Nobody tells the session; its trigger waits for a table of that name.
#[test]
fn a_temp_trigger_waits_where_another_session_drops_its_table() {
    let database = Database::in_memory().unwrap();
    let (session, other) = (Session::new(database.clone()), Session::new(database));
    session
        .execute(
            "CREATE TABLE t(a); CREATE TABLE log(x);
             CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END",
        )
        .unwrap();
    other.execute("DROP TABLE t").unwrap();
    check(&session, TRIGGERS, "g|t");
    fails(&session, "INSERT INTO t VALUES (1)", ErrorKind::NotFound);
    session.execute("INSERT INTO log VALUES (0)").unwrap();
    other.execute("CREATE TABLE t(a, b)").unwrap();
    session.execute("INSERT INTO t VALUES (2, 3)").unwrap();
    other.execute("INSERT INTO t VALUES (4, 5)").unwrap();
    check(&session, "SELECT x FROM log", "0 2");
}

#[test]
fn a_temp_trigger_is_the_sessions_on_whichever_branch_it_is() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a); CREATE TEMP TABLE log(x);
             CREATE TEMP TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO log VALUES (new.a); END;
             CREATE BRANCH dev; USE BRANCH dev; INSERT INTO t VALUES ('dev');
             CREATE TABLE u(a); CREATE TEMP TRIGGER h AFTER INSERT ON u BEGIN SELECT 1; END;
             USE BRANCH main; INSERT INTO t VALUES ('main'); INSERT INTO log VALUES ('own');
             INSERT INTO t@dev VALUES ('from main')",
        )
        .unwrap();
    check(&session, "SELECT x FROM log", "dev main own from main");
    session.execute("USE BRANCH dev; DROP TABLE u; DROP TABLE t; USE BRANCH main").unwrap();
    check(&session, TRIGGERS, "");
    session.execute("INSERT INTO t VALUES ('no trigger')").unwrap();
}
