//! What an authorizer is asked, on both sides.
//!
//! Compared is the set of actions with their names, database and accessor for each statement:
//! how often a thing is asked for follows of how an engine binds. What SQLite asks for on its way
//! to its own tables (`sqlite_master`, `sqlite_temp_master`) is left out. Differences that remain
//! are listed with their reasons: one that is mended, or another one, fails. Neighbours: `cases`
//! compares what statements do.
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
    CREATE TEMP TABLE tt(z);
    CREATE VIEW vv AS SELECT p + 1 AS r FROM v WHERE q > 0;
    CREATE TRIGGER iv INSTEAD OF INSERT ON v BEGIN INSERT INTO u VALUES (new.p, new.q); END;
    CREATE TRIGGER uv INSTEAD OF UPDATE ON v BEGIN INSERT INTO u VALUES (old.p, new.q); END;
    CREATE TRIGGER dv INSTEAD OF DELETE ON v BEGIN DELETE FROM u WHERE a = old.p; END;
    CREATE TABLE p(k PRIMARY KEY);
    CREATE TABLE c(k REFERENCES p ON DELETE CASCADE, x CHECK (abs(x) < 9), g AS (upper(x)));
    CREATE INDEX ci ON c(lower(x));";

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
    "SELECT p FROM v",
    "SELECT r FROM vv",
    "SELECT * FROM v",
    "SELECT count(*) FROM v",
    "INSERT INTO v VALUES (1, 2)",
    "SELECT n FROM (SELECT a AS n, b FROM t)",
    "SELECT n FROM (SELECT a AS n, b FROM t LIMIT 3)",
    "SELECT count(*) FROM (SELECT a AS n, b FROM t LIMIT 3)",
    "WITH w AS (SELECT a FROM t) SELECT a FROM w",
    "WITH w AS MATERIALIZED (SELECT a FROM t) SELECT * FROM w",
    "WITH w(z) AS (SELECT a FROM t UNION SELECT c FROM u) SELECT z FROM w",
    "SELECT a FROM t UNION SELECT c FROM u ORDER BY 1",
    "SELECT (SELECT max(c) FROM u WHERE u.a = t.a) FROM t",
    "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
    "SELECT a, row_number() OVER (ORDER BY b) FROM t",
    "SELECT a FROM t ORDER BY (SELECT b FROM t LIMIT 1)",
    "INSERT INTO u VALUES ((SELECT max(a) FROM t), 2)",
    "INSERT INTO u(a) VALUES (1) RETURNING c, rowid",
    "DELETE FROM t WHERE id IN (SELECT c FROM u) RETURNING a",
    "UPDATE t SET a = (SELECT max(c) FROM u)",
    "UPDATE t SET (a, b) = (SELECT a, c FROM u)",
    "UPDATE t SET rowid = 7",
    "REPLACE INTO t VALUES (1, 2, 3)",
    "SELECT g FROM c",
    "INSERT INTO c VALUES (1, 2)",
    "DELETE FROM p",
    "SELECT value FROM json_each('[1]')",
    "SELECT t.a FROM t NATURAL JOIN u",
    "SELECT * FROM t NATURAL JOIN u",
    "SELECT a IS NULL, a LIKE 'x', a GLOB 'y', a || b, CAST(a AS TEXT), coalesce(a, b) FROM t",
    "SELECT a COLLATE NOCASE FROM t GROUP BY a HAVING count(DISTINCT b) > 0",
    "VALUES (1), (2)",
    "SELECT 1",
    "SELECT current_timestamp",
    "SELECT a FROM t WHERE rowid = 5",
    "SELECT oid, _rowid_ FROM u",
    "SELECT * FROM pragma_table_info('t')",
    "CREATE TABLE IF NOT EXISTS t(x)",
    "DROP TABLE IF EXISTS nope",
    "CREATE TABLE n AS SELECT a FROM t",
    "BEGIN IMMEDIATE",
    "ROLLBACK",
    "ROLLBACK TO s",
    "END",
    "PRAGMA main.user_version",
    "PRAGMA table_info(t)",
    "ALTER TABLE u RENAME TO uu",
    "ALTER TABLE u RENAME COLUMN c TO d",
    "ALTER TABLE u DROP COLUMN c",
    "ATTACH 'x' || 'y' AS other",
    "CREATE UNIQUE INDEX IF NOT EXISTS i ON t(a)",
    "CREATE TEMP VIEW w AS SELECT 1",
    "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
    "DROP INDEX IF EXISTS nope",
    "INSERT INTO u VALUES (1, 2), (3, 4)",
    "INSERT INTO u DEFAULT VALUES",
    "UPDATE v SET p = 1 WHERE q > 1",
    "UPDATE v SET p = q + 1",
    "DELETE FROM v WHERE p = 1",
    "DELETE FROM v",
    "INSERT INTO v SELECT a, c FROM u",
    "INSERT INTO v VALUES (1, 2) RETURNING p",
    "UPDATE u SET c = 1 FROM json_each('[1]')",
    "UPDATE u SET c = j.value FROM json_each('[1]') AS j",
    "DROP TABLE t",
    "DROP VIEW vv",
    "CREATE TABLE IF NOT EXISTS main.t(x)",
    "CREATE VIEW IF NOT EXISTS v AS SELECT 1",
    "CREATE TRIGGER IF NOT EXISTS tr AFTER INSERT ON t BEGIN SELECT 1; END",
    "DROP TRIGGER IF EXISTS nope",
    "DROP VIEW IF EXISTS nope",
    "SELECT count(*) FROM json_each('[1]')",
    "WITH RECURSIVE r(n) AS (SELECT a FROM t UNION SELECT c + n FROM u, r) SELECT count(*) FROM r",
    "UPDATE u SET a = c, c = a WHERE rowid = 1",
    "DELETE FROM u WHERE rowid IN (1, 2)",
    "SELECT a FROM t WHERE (a, b) IN u",
    "SELECT u.* FROM u",
    "SELECT max(rowid) FROM u",
    "SELECT date('now'), current_date",
];

/// What is asked otherwise here, and why: a statement, what only SQLite asks for, what only this
/// engine does.
const EXPLAINED: &[(&str, &[&str], &[&str])] = &[
    // A column that two tables are joined by is read in both.
    ("SELECT x.a FROM t AS x JOIN u AS y USING (a)", &[], &[READ_U_A]),
    ("SELECT t.a FROM t NATURAL JOIN u", &[], &[READ_U_A]),
    ("SELECT * FROM t NATURAL JOIN u", &[], &[READ_U_A]),
    // A view is a table of the statement; SQLite has put its text in its place by then.
    (
        "SELECT count(*) FROM v",
        &["Read { table_name: \"t\", column_name: \"\" } None None"],
        &["Read { table_name: \"v\", column_name: \"\" } None None"],
    ),
    // The rowid goes by the name of its column, as where it is read.
    (
        "UPDATE t SET rowid = 7",
        &["Update { table_name: \"t\", column_name: \"ROWID\" } Some(\"main\") None"],
        &["Update { table_name: \"t\", column_name: \"id\" } Some(\"main\") None"],
    ),
    // The condition on a view reads it: SQLite asks its view for all columns in any case.
    (
        "UPDATE v SET p = 1 WHERE q > 1",
        &[],
        &["Read { table_name: \"v\", column_name: \"q\" } Some(\"main\") None"],
    ),
    (
        "DELETE FROM v WHERE p = 1",
        &[],
        &["Read { table_name: \"v\", column_name: \"p\" } Some(\"main\") None"],
    ),
    // What foreign keys look up and do is the schema's, like its CHECKs.
    (
        "INSERT INTO c VALUES (1, 2)",
        &["Read { table_name: \"p\", column_name: \"k\" } Some(\"main\") None"],
        &[],
    ),
    (
        "DELETE FROM p",
        &[
            "Delete { table_name: \"c\" } Some(\"main\") None",
            "Read { table_name: \"c\", column_name: \"k\" } Some(\"main\") None",
            "Read { table_name: \"p\", column_name: \"k\" } Some(\"main\") None",
        ],
        &[],
    ),
    // A common table is no table of the database.
    (
        "WITH RECURSIVE r(n) AS (SELECT a FROM t UNION SELECT c + n FROM u, r) SELECT count(*) \
         FROM r",
        &["Read { table_name: \"r\", column_name: \"\" } None None"],
        &[],
    ),
];

const READ_U_A: &str = "Read { table_name: \"u\", column_name: \"a\" } Some(\"main\") None";

/// A text of what was asked; none of what is not compared.
fn told(action: &str, database: Option<&str>, accessor: Option<&str>) -> Option<String> {
    // SQLite reads a view that is changed by itself.
    let is_own =
        accessor.is_some_and(|it| action.starts_with(&format!("Read {{ table_name: {it:?}")));
    if is_own {
        return None;
    }
    let is_internal = ["sqlite_master", "sqlite_temp_master", "sqlite_stat"]
        .iter()
        .any(|name| action.contains(name));
    // Defining something calls functions of SQLite's own.
    let is_hidden = action.contains("sqlite_") || action.contains("printf");
    let database = match action {
        // SQLite names the database of a table without a column only where the statement does.
        _ if action.contains("column_name: \"\"") => None,
        _ if action.starts_with("Read") || action.starts_with("Insert") => database,
        _ if action.starts_with("Update") || action.starts_with("Delete") => database,
        _ => None,
    };
    (!is_internal && !is_hidden).then(|| format!("{action} {database:?} {accessor:?}"))
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
                    // The crate has no name for COMMIT.
                    let operation = format!("{operation:?}").to_uppercase();
                    let operation = operation.replace("UNKNOWN", "COMMIT");
                    format!("Transaction {{ operation: {operation:?} }}")
                }
                Theirs::Savepoint { operation, savepoint_name } => {
                    let operation = format!("{operation:?}").to_uppercase();
                    format!(
                        "Savepoint {{ operation: {operation:?}, \
                         savepoint_name: {savepoint_name:?} }}"
                    )
                }
                // The file of ATTACH is an expression.
                Theirs::Unknown { code: 24, .. } => "Attach { filename: \"\" }".to_owned(),
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
            other => format!("{other:?}"),
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
        "COMMIT" | "END" | "ROLLBACK" => Some("BEGIN"),
        "RELEASE s" | "ROLLBACK TO s" => Some("SAVEPOINT s"),
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
        let missing: Vec<&str> = theirs.difference(&own).map(String::as_str).collect();
        let more: Vec<&str> = own.difference(&theirs).map(String::as_str).collect();
        let explained = EXPLAINED.iter().find(|(explained, ..)| explained == sql);
        let (without, beside) = explained.map_or((&[][..], &[][..]), |it| (it.1, it.2));
        if missing != without || more != beside {
            differences.push(format!("{sql}\n  only SQLite: {missing:?}\n  only here:   {more:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

// Neighbours: `cases`, `engine`.
