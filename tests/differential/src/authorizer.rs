//! What an authorizer is asked, on both sides.
//!
//! Compared is the set of actions with their names, database and accessor for each statement:
//! how often a thing is asked for follows of how an engine binds. What SQLite asks for on its way
//! to its own tables (`sqlite_master`, `sqlite_temp_master`) is left out, and so are subqueries,
//! whose columns it names by their aliases. Neighbours: `cases` compares what statements do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail so")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use pandodb_qp::authorize::{AuthAction as Own, AuthContext, Authorization};
use pandodb_qp::session::Session;
use pandodb_qp::store::Database;
use rusqlite::hooks::{AuthAction as Theirs, AuthContext as TheirContext};

const SCHEMA: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
    CREATE TABLE u(a, c);
    CREATE TABLE log(what, x);
    CREATE INDEX i ON t(a);
    CREATE VIEW v AS SELECT a AS p, b AS q FROM t;
    CREATE TRIGGER tr AFTER UPDATE OF a ON t WHEN new.b > 1
        BEGIN INSERT INTO log VALUES (old.a, upper(new.b)); END;
    CREATE TEMP TABLE tt(z);";

/// Statements, each asked for alone.
const STATEMENTS: &[&str] = &[
    "SELECT a FROM t",
    "SELECT * FROM t",
    "SELECT rowid, b FROM t WHERE id > 5",
    "SELECT rowid FROM u",
    "SELECT count(*) FROM t",
    "SELECT 1 FROM t, u",
    "SELECT abs(a), length(b) FROM t ORDER BY b",
    "SELECT x.a FROM t AS x JOIN u AS y USING (a)",
    "SELECT max(a) FROM t GROUP BY b HAVING sum(id) > 1",
    "SELECT a FROM t WHERE a IN (SELECT c FROM u)",
    "SELECT z FROM tt",
    "INSERT INTO t(a, b) VALUES (1, 2)",
    "INSERT INTO u SELECT a, b FROM t",
    "UPDATE t SET b = b + 1 WHERE id = 3",
    "UPDATE t SET a = 1, b = 2",
    "UPDATE t SET id = 5",
    "DELETE FROM t WHERE a = 1",
    "DELETE FROM u",
    "INSERT INTO t(id, a) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET b = excluded.a",
    "UPDATE u SET c = t.b FROM t WHERE t.a = u.a",
    "CREATE TABLE n(x)",
    "CREATE TEMP TABLE n(x)",
    "CREATE INDEX j ON t(b)",
    "CREATE VIEW w AS SELECT a FROM t",
    "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
    "DROP INDEX i",
    "DROP VIEW v",
    "DROP TRIGGER tr",
    "DROP TABLE u",
    "DROP TABLE tt",
    "ALTER TABLE u ADD COLUMN d",
    "BEGIN",
    "COMMIT",
    "SAVEPOINT s",
    "RELEASE s",
    "PRAGMA user_version",
    "PRAGMA user_version = 7",
    "ATTACH ':memory:' AS other",
    "DETACH other",
    "ANALYZE t",
    "REINDEX t",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r",
];

/// A text of what was asked; none of what is not compared.
fn told(action: &str, database: Option<&str>, accessor: Option<&str>) -> Option<String> {
    let is_internal = ["sqlite_master", "sqlite_temp_master", "sqlite_stat"]
        .iter()
        .any(|name| action.contains(name));
    // Defining something calls functions of SQLite's own.
    let is_hidden = action.contains("sqlite_") || action.contains("printf");
    let database = match action {
        _ if action.starts_with("Read") || action.starts_with("Insert") => database,
        _ if action.starts_with("Update") || action.starts_with("Delete") => database,
        _ => None,
    };
    (!is_internal && !is_hidden).then(|| format!("{action} {database:?} {accessor:?}"))
}

/// The names of both enums are the same; only some have one more field here or there.
fn shown(action: &str) -> String {
    action.replace("filename: \"\"", "filename: \":memory:\"")
}

fn theirs(sql: &str) -> BTreeSet<String> {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let _ = prelude(sql).is_some_and(|sql| connection.execute_batch(sql).is_err());
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = Arc::clone(&seen);
    connection
        .authorizer(Some(move |context: TheirContext<'_>| {
            let action = match context.action {
                Theirs::Reindex { index_name } => format!("Reindex {{ name: {index_name:?} }}"),
                Theirs::Analyze { table_name } => format!("Analyze {{ name: {table_name:?} }}"),
                Theirs::Transaction { operation } => {
                    let operation = format!("{operation:?}").to_uppercase();
                    format!("Transaction {{ operation: {operation:?} }}")
                }
                Theirs::Savepoint { operation, savepoint_name } => {
                    let operation = format!("{operation:?}").to_uppercase();
                    format!("Savepoint {{ operation: {operation:?}, savepoint_name: {savepoint_name:?} }}")
                }
                other => format!("{other:?}"),
            };
            let told = told(&action, context.database_name, context.accessor);
            noted.lock().unwrap().extend(told);
            rusqlite::hooks::Authorization::Allow
        }))
        .unwrap();
    drop(connection.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}")));
    let seen = seen.lock().unwrap();
    seen.clone()
}

fn own(sql: &str) -> BTreeSet<String> {
    let session = Session::new(Database::in_memory().unwrap());
    session.execute(SCHEMA).unwrap();
    let _ = prelude(sql).is_some_and(|sql| session.execute(sql).is_err());
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = Arc::clone(&seen);
    session.set_authorizer(Some(Box::new(move |context: AuthContext<'_>| {
        let action = match context.action {
            Own::Vacuum | Own::Branch { .. } => return Authorization::Allow,
            other => shown(&format!("{other:?}")),
        };
        let told = told(&action, context.database_name, context.accessor);
        noted.lock().unwrap().extend(told);
        Authorization::Allow
    })));
    drop(session.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error}")));
    let seen = seen.lock().unwrap();
    seen.clone()
}

/// What must have happened before.
fn prelude(sql: &str) -> Option<&'static str> {
    match sql {
        "COMMIT" => Some("BEGIN"),
        "RELEASE s" => Some("SAVEPOINT s"),
        "DETACH other" => Some("ATTACH ':memory:' AS other"),
        _ => None,
    }
}

#[test]
fn an_authorizer_is_asked_for_what_sqlite_asks_for() {
    let mut differences = Vec::new();
    for sql in STATEMENTS {
        let (mut theirs, mut own) = (theirs(sql), own(sql));
        if ["CREATE", "DROP", "ALTER"].iter().any(|word| sql.starts_with(word)) {
            // One action says it here; SQLite asks for what it does to its tables, too.
            let is_definition = |told: &String| {
                ["Create", "Drop", "Alter"].iter().any(|word| told.starts_with(word))
            };
            theirs.retain(is_definition);
            own.retain(is_definition);
        }
        if *sql == "REINDEX t" {
            // Every index of the table is asked for there.
            theirs = BTreeSet::from(["Reindex { name: \"t\" } None None".to_owned()]);
        }
        let missing: Vec<_> = theirs.difference(&own).collect();
        let more: Vec<_> = own.difference(&theirs).collect();
        if !missing.is_empty() || !more.is_empty() {
            differences.push(format!("{sql}\n  only SQLite: {missing:?}\n  only here:   {more:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
