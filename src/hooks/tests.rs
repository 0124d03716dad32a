//! What hooks are told, and what an authorizer's answers make of statements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "these hooks are an application's, which has the standard library"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use crate::{
    Action, AuthAction, AuthContext, Authorization, Connection, ErrorKind, PreUpdateCase, Value,
};

const SCHEMA: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, open TEXT, secret TEXT,
        twice AS (secret || secret), long TEXT AS (open || '!') STORED);
    CREATE TABLE log(what);
    CREATE VIEW v AS SELECT open, secret AS hidden FROM t;
    CREATE TRIGGER note AFTER UPDATE OF open ON t
        BEGIN INSERT INTO log VALUES (old.secret); END;
    INSERT INTO t(open, secret) VALUES ('a', 'x'), ('b', 'y')";

fn database() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection
}

fn all(connection: &Connection, sql: &str) -> crate::Result<Vec<Vec<Value>>> {
    let mut statement = connection.prepare(sql)?;
    let count = statement.column_count();
    let rows = statement
        .query_map((), |row| (0..count).map(|at| row.get(at)).collect::<crate::Result<Vec<_>>>())?;
    rows.collect()
}

/// Says `answer` to every read of the column, and yes to all else.
fn about_secret(connection: &Connection, answer: Authorization) {
    connection.authorizer(Some(move |context: AuthContext<'_>| match context.action {
        AuthAction::Read { column_name: "secret", .. } => answer,
        _ => Authorization::Allow,
    }));
}

/// Every way to a column's value.
const READS: &[&str] = &[
    "SELECT secret FROM t",
    "SELECT * FROM t",
    "SELECT t.* FROM t",
    "SELECT x.secret FROM t AS x",
    "SELECT hidden FROM v",
    "SELECT * FROM v",
    "WITH c AS (SELECT secret AS s FROM t) SELECT s FROM c",
    "WITH c AS MATERIALIZED (SELECT * FROM t) SELECT a.secret, b.open FROM c AS a, c AS b",
    "WITH RECURSIVE r(s, n) AS (
         SELECT secret, 1 FROM t UNION ALL SELECT s, n + 1 FROM r WHERE n < 3
     ) SELECT s FROM r",
    "SELECT (SELECT secret FROM t LIMIT 1)",
    "SELECT s FROM (SELECT secret AS s FROM t)",
    "SELECT max(secret) FROM t",
    "SELECT group_concat(secret) FROM t GROUP BY open",
    "SELECT first_value(secret) OVER (ORDER BY id) FROM t",
    "SELECT open FROM t WHERE secret = 'x'",
    "SELECT open FROM t ORDER BY secret",
    "SELECT open FROM t WHERE EXISTS (SELECT 1 FROM t AS u WHERE u.secret > t.open)",
    "SELECT a.open FROM t AS a JOIN t AS b USING (secret)",
    "SELECT a.open FROM t AS a NATURAL JOIN t AS b",
    "SELECT 'x' IN (SELECT secret FROM t)",
    "SELECT open FROM t UNION SELECT secret FROM t",
    "UPDATE t SET long2 = 1 WHERE secret = 'x'",
    "DELETE FROM t WHERE secret = 'x'",
    "INSERT INTO log SELECT secret FROM t",
    "INSERT INTO t(open) VALUES ('q') RETURNING secret",
    "INSERT INTO t(id, open) VALUES (1, 'q') ON CONFLICT DO UPDATE SET open = secret",
    "UPDATE t SET open = 'z'",
    "EXPLAIN SELECT secret FROM t",
    "SUMMARIZE t",
    "CREATE TABLE copy AS SELECT secret FROM t",
];

#[test]
fn a_denied_column_is_read_in_no_way() {
    for sql in READS.iter().filter(|sql| !sql.contains("long2")) {
        let connection = database();
        about_secret(&connection, Authorization::Deny);
        let error = all(&connection, sql).expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::Denied, "{sql}: {error}");
        connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
        let rows = all(&connection, "SELECT secret FROM t").unwrap();
        assert_eq!(rows.len(), 2, "{sql}");
    }
    let connection = database();
    about_secret(&connection, Authorization::Deny);
    for sql in ["SELECT open, id, long FROM t", "SELECT count(*) FROM t", "SELECT open FROM v"] {
        // SQLite reads a view's columns whether they are used or not.
        assert_eq!(all(&connection, sql).is_ok(), sql != "SELECT open FROM v", "{sql}");
    }
}

#[test]
fn an_ignored_column_is_null_in_every_way() {
    let connection = database();
    about_secret(&connection, Authorization::Ignore);
    let secrets = [Value::Text("x".into()), Value::Text("y".into())];
    for sql in READS.iter().filter(|sql| sql.starts_with("SELECT") || sql.starts_with("WITH")) {
        for row in all(&connection, sql).unwrap() {
            assert!(!row.iter().any(|value| secrets.contains(value)), "{sql}: {row:?}");
        }
    }
    assert_eq!(all(&connection, "SELECT open FROM t WHERE secret = 'x'").unwrap().len(), 0);
    connection.execute("INSERT INTO log SELECT secret FROM t", ()).unwrap();
    connection.execute("UPDATE t SET open = 'z' WHERE id = 1", ()).unwrap();
    connection.execute_batch("CREATE TABLE copy AS SELECT secret FROM t").unwrap();
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
    for sql in ["SELECT * FROM log", "SELECT * FROM copy"] {
        let rows = all(&connection, sql).unwrap();
        assert!(rows.len() > 1 && rows.iter().all(|row| row == &[Value::Null]), "{sql}: {rows:?}");
    }
}

#[test]
fn what_is_left_out_changes_nothing_and_the_rest_is_done() {
    let connection = database();
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Update { column_name: "secret", .. }
        | AuthAction::Insert { table_name: "log" }
        | AuthAction::DropTable { .. }
        | AuthAction::Pragma { .. }
        | AuthAction::Transaction { .. } => Authorization::Ignore,
        AuthAction::Function { function_name: "upper" } => Authorization::Ignore,
        _ => Authorization::Allow,
    }));
    connection
        .execute_batch(
            "BEGIN; UPDATE t SET secret = 'changed', open = 'c' WHERE id = 1; ROLLBACK;
             INSERT INTO log VALUES (1); DROP TABLE t; PRAGMA user_version = 7",
        )
        .unwrap();
    let row = &all(&connection, "SELECT open, secret, upper(open) FROM t WHERE id = 1").unwrap()[0];
    assert_eq!(row, &[Value::Text("c".into()), Value::Text("x".into()), Value::Null]);
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
    let rows = all(
        &connection,
        "SELECT (SELECT count(*) FROM log), user_version FROM pragma_user_version",
    );
    assert_eq!(rows.unwrap(), [[Value::Integer(0), Value::Integer(0)]]);
}

#[test]
fn a_trigger_and_a_view_are_named_where_they_act() {
    let connection = database();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if let AuthAction::Read { column_name: "secret", table_name } = context.action {
            let accessor = context.accessor.map(str::to_owned);
            noted.lock().unwrap().push((table_name.to_owned(), accessor));
        }
        match context.accessor {
            Some("note") => Authorization::Deny,
            _ => Authorization::Allow,
        }
    }));
    assert!(connection.execute("UPDATE t SET open = 'q'", ()).is_err());
    assert!(connection.execute("UPDATE t SET open = 'q'", ()).is_err(), "it is asked again");
    connection.execute("UPDATE t SET secret = 'q' WHERE open = 'a'", ()).unwrap();
    all(&connection, "SELECT hidden FROM v").unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.contains(&("t".to_owned(), Some("v".to_owned()))), "{seen:?}");
    assert!(seen.iter().all(|(_, accessor)| accessor.as_deref() == Some("v")), "{seen:?}");
}

#[test]
fn statements_that_were_prepared_before_are_asked_for() {
    let connection = database();
    let mut statement = connection.prepare("SELECT secret FROM t WHERE id = 1").unwrap();
    let read = |statement: &mut crate::Statement<'_>| {
        statement.query_row((), |row| row.get::<_, Option<String>>(0))
    };
    assert_eq!(read(&mut statement).unwrap().as_deref(), Some("x"));
    about_secret(&connection, Authorization::Ignore);
    assert_eq!(read(&mut statement).unwrap(), None);
    about_secret(&connection, Authorization::Deny);
    assert_eq!(read(&mut statement).unwrap_err().kind(), ErrorKind::Denied);
    connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>);
    assert_eq!(read(&mut statement).unwrap().as_deref(), Some("x"));
}

#[test]
fn an_authorizer_that_panics_leaves_the_connection_usable() {
    let connection = database();
    connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
        AuthAction::Read { column_name: "secret", .. } => panic!("not this one"),
        _ => Authorization::Allow,
    }));
    let sql = "SELECT secret FROM t";
    assert!(catch_unwind(AssertUnwindSafe(|| all(&connection, sql))).is_err());
    assert_eq!(all(&connection, "SELECT open FROM t").unwrap().len(), 2);
    assert!(catch_unwind(AssertUnwindSafe(|| all(&connection, sql))).is_err());
    about_secret(&connection, Authorization::Allow);
    assert_eq!(all(&connection, sql).unwrap().len(), 2);
}

type Told = (Action, String, Option<i64>, Option<i64>, Vec<Value>, u32);

fn told(connection: &Connection) -> Receiver<Told> {
    let (send, receive) = channel();
    connection.preupdate_hook(Some(move |_: &str, table: &str, case: &PreUpdateCase<'_>| {
        let rows = [case.old_row(), case.new_row()];
        let values = rows.iter().flatten().flat_map(|row| {
            (0..row.column_count()).map(|at| row.get::<Value>(at).unwrap()).collect::<Vec<_>>()
        });
        let [old, new] = rows.map(|row| row.map(|row| row.rowid()));
        let told =
            (case.action(), table.to_owned(), old, new, values.collect(), case.query_depth());
        send.send(told).unwrap();
    }));
    receive
}

#[test]
fn rows_are_told_of_with_their_values_before_they_change() {
    let connection = database();
    let text = |text: &str| Value::Text(text.to_owned());
    let row = |id: i64, open: &str, secret: &str| {
        let twice = format!("{secret}{secret}");
        vec![Value::Integer(id), text(open), text(secret), text(&twice), text(&format!("{open}!"))]
    };
    let receive = told(&connection);
    connection.execute("INSERT INTO t(open, secret) VALUES ('c', 'z')", ()).unwrap();
    let t = || "t".to_owned();
    let first: Vec<Told> = receive.try_iter().collect();
    assert_eq!(first, [(Action::Insert, t(), None, Some(3), row(3, "c", "z"), 0)]);
    connection.execute("UPDATE t SET id = 9, open = 'd' WHERE id = 3", ()).unwrap();
    let changed = [row(3, "c", "z"), row(9, "d", "z")].concat();
    let second: Vec<Told> = receive.try_iter().collect();
    assert_eq!(
        second,
        [
            (Action::Update, t(), Some(3), Some(9), changed, 0),
            (Action::Insert, "log".to_owned(), None, Some(1), vec![text("z")], 1),
        ]
    );
    // A row that is replaced goes first, and a table that is emptied does so row by row.
    connection.execute("REPLACE INTO t(id, open, secret) VALUES (9, 'e', 'w')", ()).unwrap();
    connection.execute("DELETE FROM t", ()).unwrap();
    let actions: Vec<_> = receive.try_iter().map(|told| (told.0, told.2, told.3)).collect();
    assert_eq!(
        actions,
        [
            (Action::Delete, Some(9), None),
            (Action::Insert, None, Some(9)),
            (Action::Delete, Some(1), None),
            (Action::Delete, Some(2), None),
            (Action::Delete, Some(9), None),
        ]
    );
    connection.preupdate_hook(None::<fn(&str, &str, &PreUpdateCase<'_>)>);
    connection.execute("DELETE FROM log", ()).unwrap();
    assert!(receive.try_recv().is_err());
}

#[test]
fn a_hook_that_panics_takes_its_statement_back() {
    let connection = database();
    connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
        assert!(case.new_row().is_none_or(|row| row.rowid() != 4), "not this one");
    }));
    let insert = "INSERT INTO t(open, secret) VALUES ('c', 'z'), ('d', 'w')";
    assert!(catch_unwind(AssertUnwindSafe(|| connection.execute(insert, ()))).is_err());
    connection.preupdate_hook(None::<fn(&str, &str, &PreUpdateCase<'_>)>);
    assert_eq!(all(&connection, "SELECT * FROM t").unwrap().len(), 2);
    assert_eq!(connection.execute(insert, ()).unwrap(), 2);
}

#[test]
fn a_hook_cannot_reach_its_own_connection() {
    let connection = Arc::new(Mutex::new(database()));
    let own = Arc::downgrade(&connection);
    let (send, receive) = channel();
    let held = connection.lock().unwrap();
    held.preupdate_hook(Some(move |_: &str, _: &str, _: &PreUpdateCase<'_>| {
        let reached = own.upgrade().is_some_and(|own| own.try_lock().is_ok());
        send.send(reached).unwrap();
    }));
    held.execute("INSERT INTO log VALUES (1)", ()).unwrap();
    assert_eq!(receive.try_recv(), Ok(false));
}

#[test]
fn another_connection_in_a_hook_does_not_change_the_schema_under_a_statement() {
    let database = crate::Database::open_in_memory().unwrap();
    let (first, second) = (database.connect().unwrap(), database.connect().unwrap());
    first.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)").unwrap();
    second.busy_timeout(std::time::Duration::ZERO).unwrap();
    let (send, receive) = channel();
    first.preupdate_hook(Some(move |_: &str, _: &str, _: &PreUpdateCase<'_>| {
        let error = second.execute_batch("DROP TABLE t").unwrap_err();
        send.send(error.kind()).unwrap();
    }));
    assert_eq!(first.execute("UPDATE t SET a = a + 1", ()).unwrap(), 2);
    assert_eq!(receive.try_iter().collect::<Vec<_>>(), [ErrorKind::Busy, ErrorKind::Busy]);
    assert_eq!(all(&first, "SELECT sum(a) FROM t").unwrap(), [[Value::Integer(5)]]);
}

#[test]
fn the_log_is_told_of_after_each_commit_that_changed_something() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("log.pando")).unwrap();
    let (send, receive) = channel();
    connection.wal_hook(Some(move |database: &str, bytes: u64| {
        send.send((database.to_owned(), bytes)).unwrap();
    }));
    connection.execute_batch("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES (1)").unwrap();
    connection.execute_batch("INSERT INTO t VALUES (2); COMMIT").unwrap();
    connection.execute_batch("BEGIN; INSERT INTO t VALUES (3); ROLLBACK").unwrap();
    connection.execute_batch("SELECT * FROM t; CREATE TEMP TABLE u(a)").unwrap();
    let told: Vec<(String, u64)> = receive.try_iter().collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].1 > 0 && told[1].1 > told[0].1, "{told:?}");
    assert!(told.iter().all(|(database, _)| database == "main"));
}

// Neighbours: `authorizer`, `preupdate`.
