//! Triggers: on which tables they are, what they may say, and those of views.

use super::{check, fails, session};
use crate::catalog::{DatabaseIndex, ObjectRow, read_objects, write_cookie, write_object};
use crate::error::{Constraint, ErrorKind};

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

#[test]
fn what_a_trigger_does_is_not_told_by_changes_behind_it() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a); CREATE TABLE log(x, y); CREATE TABLE n(b);
             CREATE TRIGGER g AFTER INSERT ON t BEGIN
               INSERT INTO log VALUES (new.a, changes());
               INSERT INTO n VALUES (1), (2); INSERT INTO log VALUES (new.a, changes());
             END;
             INSERT INTO n VALUES (1), (2), (3); INSERT INTO t VALUES ('p'), ('q')",
        )
        .unwrap();
    check(&session, "SELECT x, y FROM log", "p|3 p|2 q|3 q|2");
    check(&session, "SELECT changes()", "2");
}

#[test]
fn triggers_of_a_view_do_about_conflicts_what_the_statement_says() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE VIEW v AS SELECT a, b FROM t;
             CREATE TRIGGER i INSTEAD OF INSERT ON v BEGIN
               INSERT INTO t VALUES (new.a, new.b);
             END;
             CREATE TRIGGER u INSTEAD OF UPDATE ON v BEGIN
               UPDATE t SET a = new.a WHERE a = old.a;
             END;
             INSERT INTO v VALUES (1, 'x'), (2, 'y')",
        )
        .unwrap();
    fails(&session, "INSERT INTO v VALUES (1, 'z')", ErrorKind::Constraint(Constraint::PrimaryKey));
    session.execute("INSERT OR IGNORE INTO v VALUES (1, 'z')").unwrap();
    check(&session, "SELECT * FROM t", "1|x 2|y");
    session.execute("REPLACE INTO v VALUES (1, 'z')").unwrap();
    check(&session, "SELECT * FROM t", "1|z 2|y");
    session.execute("UPDATE OR REPLACE v SET a = 1 WHERE a = 2").unwrap();
    check(&session, "SELECT * FROM t", "1|y");
}

#[test]
fn views_that_go_in_a_circle_are_told_by_where_it_closes() {
    let session = session();
    session
        .execute(
            "CREATE VIEW c1 AS SELECT * FROM c2; CREATE VIEW c2 AS SELECT * FROM c3;
             CREATE VIEW c3 AS SELECT * FROM c1; CREATE VIEW beside AS SELECT * FROM c2;
             CREATE VIEW e1 AS SELECT (SELECT x FROM e2) AS x;
             CREATE VIEW e2 AS SELECT x FROM e1",
        )
        .unwrap();
    for (name, told) in [("c1", "c1"), ("c3", "c3"), ("beside", "c2"), ("e1", "e1"), ("e2", "e2")] {
        let error = session.query(&format!("SELECT * FROM {name}")).unwrap_err();
        assert_eq!(error.message(), format!("view {told} is circularly defined"), "{name}");
    }
    let error = session.execute("INSERT INTO c3 VALUES (1)").unwrap_err();
    assert_eq!(error.message(), "view c3 is circularly defined");
}

#[test]
fn views_that_are_only_deep_are_not_called_circular() {
    let look = || {
        let session = session();
        session.execute("CREATE VIEW w0 AS SELECT 1 AS x").unwrap();
        for depth in 1..130 {
            let below = depth - 1;
            session.execute(&format!("CREATE VIEW w{depth} AS SELECT x FROM w{below}")).unwrap();
        }
        check(&session, "SELECT a.x + b.x FROM w60 AS a, w60 AS b", "2");
        let error = session.query("SELECT * FROM w129").unwrap_err();
        assert_eq!(error.message(), "too many levels of views and subqueries");
    };
    // Without optimization the levels take much of a stack.
    std::thread::Builder::new().stack_size(32 << 20).spawn(look).unwrap().join().unwrap();
}

/// Its rows go for what foreign keys say, as in SQLite.
#[test]
fn a_table_that_is_dropped_fires_only_the_triggers_of_others() {
    let session = session();
    session
        .execute(
            "PRAGMA foreign_keys = ON; CREATE TABLE p(a INTEGER PRIMARY KEY);
             CREATE TABLE c(x REFERENCES p ON DELETE CASCADE); CREATE TABLE log(z);
             CREATE TRIGGER g AFTER DELETE ON c BEGIN INSERT INTO log VALUES (old.x); END;
             CREATE TRIGGER h BEFORE DELETE ON p BEGIN SELECT RAISE(ABORT, 'stays'); END;
             INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1), (2); DROP TABLE p",
        )
        .unwrap();
    check(&session, "SELECT z FROM log", "1 2");
    check(&session, "SELECT count(*) FROM c", "0");
}

#[test]
fn triggers_that_fire_each_other_stop_at_the_limit() {
    let session = session();
    session
        .execute(
            "PRAGMA recursive_triggers = ON; PRAGMA limit_trigger_depth = 20; CREATE TABLE t(n);
             CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO t VALUES (new.n + 1); END",
        )
        .unwrap();
    let told = session.execute("INSERT INTO t VALUES (1)").unwrap_err();
    assert_eq!(told.message(), "triggers nested too deep");
    check(&session, "SELECT count(*) FROM t", "0");
}

#[test]
fn triggers_as_deep_as_the_limit_need_no_large_stack() {
    let deep = || {
        let session = session();
        session
            .execute(
                "PRAGMA recursive_triggers = ON; CREATE TABLE d(n);
                 CREATE TRIGGER g AFTER INSERT ON d BEGIN INSERT INTO d VALUES (new.n + 1); END;
                 CREATE TABLE tree(id INTEGER PRIMARY KEY, up REFERENCES tree ON DELETE CASCADE);
                 CREATE INDEX ups ON tree(up);
                 INSERT INTO tree SELECT value, nullif(value - 1, 0) FROM generate_series(1, 900);
                 PRAGMA foreign_keys = ON",
            )
            .unwrap();
        let told = session.execute("INSERT INTO d VALUES (1)").unwrap_err();
        assert!(told.message().contains("too deep"), "{told}");
        check(&session, "SELECT count(*) FROM d", "0");
        session.execute("DELETE FROM tree WHERE id = 1").unwrap();
        check(&session, "SELECT count(*) FROM tree", "0");
    };
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    small.spawn(deep).unwrap().join().unwrap();
}
