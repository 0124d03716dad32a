//! Triggers: on which tables they are, what they may say, and those of views.

use super::{check, fails, session};
use crate::catalog::{DatabaseIndex, ObjectRow, read_objects, write_cookie, write_object};
use crate::error::ErrorKind;

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

#[test]
fn a_new_trigger_has_only_the_forms_that_sqlite_takes() {
    let session = session();
    session.execute("CREATE TABLE t(a); CREATE INDEX i ON t(a); ATTACH ':memory:' AS aux").unwrap();
    let qualified = "qualified table names are not allowed on INSERT, UPDATE, and DELETE \
                     statements within triggers";
    let foreign = "trigger x cannot reference objects in database";
    for (statement, part, at) in [
        ("INSERT INTO main.t VALUES (1)", qualified, "main"),
        ("UPDATE main.t SET a = 1", qualified, "main"),
        ("DELETE FROM aux.t", qualified, "aux"),
        ("INSERT INTO t DEFAULT VALUES", "near \"DEFAULT\": syntax error", "DEFAULT"),
        ("UPDATE t INDEXED BY i SET a = 1", "the INDEXED BY clause is not", "INDEXED BY i"),
        ("DELETE FROM t NOT INDEXED", "the NOT INDEXED clause is not", "NOT INDEXED"),
        ("DELETE FROM t ORDER BY a LIMIT 1", "near \"ORDER\": syntax error", "ORDER"),
        ("UPDATE t SET a = 1 LIMIT 1", "near \"LIMIT\": syntax error", "LIMIT"),
        ("UPDATE t SET a = 1 RETURNING a", "near \"RETURNING\": syntax error", "RETURNING"),
        ("SELECT nocol, (SELECT a FROM aux.t) FROM nothere", foreign, "aux"),
        ("SELECT 1 IN aux.t", foreign, "aux"),
        ("UPDATE t SET a = 1 FROM nowhere.t AS y", foreign, "nowhere"),
    ] {
        let sql = format!("CREATE TRIGGER x AFTER INSERT ON t BEGIN {statement}; END");
        let told = session.execute(&sql).unwrap_err();
        assert!(told.message().contains(part), "{statement}: {told}");
        assert_eq!(told.span().unwrap().of(&sql), at, "{statement}");
    }
    let named = "CREATE TEMP TRIGGER temp.x AFTER INSERT ON t BEGIN SELECT 1; END";
    fails(&session, named, ErrorKind::Invalid);
    // What is temporary may name any database, and a query its indexes.
    session
        .execute(
            "CREATE TEMP TRIGGER x AFTER DELETE ON t BEGIN
               INSERT INTO main.t SELECT a FROM aux.t;
             END;
             CREATE TRIGGER y AFTER DELETE ON t BEGIN
               SELECT a FROM main.t INDEXED BY i WHERE a = 1 LIMIT 1;
             END",
        )
        .unwrap();
}

#[test]
fn a_view_that_names_another_database_is_refused_whatever_else_it_names() {
    let session = session();
    session.execute("CREATE TEMP TABLE k(a)").unwrap();
    for query in [
        "SELECT nocol, (SELECT a FROM temp.k) FROM nothere",
        "WITH c AS (SELECT a FROM temp.k) SELECT 1",
        "SELECT 1 IN temp.k FROM nothere",
    ] {
        let told = session.execute(&format!("CREATE VIEW v AS {query}")).unwrap_err();
        assert_eq!(told.message(), "view v cannot reference objects in database temp", "{query}");
        session.execute(&format!("CREATE TEMP VIEW v AS {query}; DROP VIEW v")).unwrap();
    }
    session
        .execute("CREATE VIEW v AS SELECT table_name FROM information_schema.tables, main.nothere")
        .unwrap();
}

/// Older builds let triggers have forms that are refused now; files may hold such triggers.
#[test]
fn a_stored_trigger_may_have_forms_that_no_new_one_has() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a); CREATE INDEX i ON t(a); CREATE TABLE log(x DEFAULT 'filled');
             CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END",
        )
        .unwrap();
    let old = "CREATE TRIGGER g AFTER INSERT ON t BEGIN
                 INSERT INTO main.log DEFAULT VALUES;
                 UPDATE t INDEXED BY i SET a = a + 1 WHERE a = new.a;
                 DELETE FROM t WHERE a > 5 ORDER BY a LIMIT 1;
               END";
    session
        .changing(DatabaseIndex::MAIN, |sources, _| {
            let mut transaction = sources[0].as_ref().unwrap().borrow_mut();
            let (_, objects) = read_objects(&transaction)?;
            let row = objects.into_iter().find(|row| &*row.name == "g").unwrap();
            write_object(&mut transaction, &ObjectRow { sql: Some(old.into()), ..row })?;
            write_cookie(&mut transaction).map(drop)
        })
        .unwrap();
    session.execute("INSERT INTO t VALUES (1), (5), (7)").unwrap();
    check(&session, "SELECT a FROM t ORDER BY a", "2");
    check(&session, "SELECT x FROM log", "filled filled filled");
    session.execute("ALTER TABLE t RENAME TO u; INSERT INTO u VALUES (3)").unwrap();
    check(&session, "SELECT a FROM u ORDER BY a", "2 4");
    session.execute("ALTER TABLE log RENAME COLUMN x TO y").unwrap();
    check(&session, "SELECT count(y) FROM log", "4");
}
