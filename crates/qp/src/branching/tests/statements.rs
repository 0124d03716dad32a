//! Branch statements in the spellings that people know from other systems and documents: long and
//! short words, options of their own, moments in every form, and what the rows are called.

use super::{error, open, rows};
use crate::session::Session;
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, Vfs};

fn in_file() -> Session {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    open(&vfs)
}

fn columns(session: &Session, sql: &str) -> Vec<String> {
    let found = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    found.columns.iter().map(ToString::to_string).collect()
}

/// The clock as text, in the form of RFC 3339 with nanoseconds.
fn now(session: &Session) -> String {
    let parts = "SELECT strftime('%Y-%m-%dT%H:%M:%f', 'now') || '999999+00:00'";
    rows(session, parts).pop().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the database reads the system's clock here")]
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(3));
}

#[test]
fn branches_are_made_in_every_spelling() {
    let session = in_file();
    session.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)").unwrap();
    session.execute("INSERT INTO users VALUES (1, 'ada')").unwrap();
    pause();
    let (time, short) = (now(&session), rows(&session, "SELECT datetime('now')").pop().unwrap());
    let newest = rows(&session, "SELECT max(transaction_id) FROM pando_log").pop().unwrap();
    pause();
    session.execute("INSERT INTO users VALUES (2, 'grace')").unwrap();
    for (sql, name, count) in [
        ("CREATE DATABASE BRANCH dev FROM main AS OF NOW", "dev", "2"),
        ("CREATE BRANCH experimental AS OF NOW", "experimental", "2"),
        ("create branch plain", "plain", "2"),
        ("CREATE BRANCH IF NOT EXISTS plain FROM dev", "plain", "2"),
        (&format!("CREATE BRANCH feature FROM main AS OF TIMESTAMP '{time}'"), "feature", "1"),
        (&format!("CREATE BRANCH t FROM main AS OF TRANSACTION {newest}"), "t", "1"),
        (&format!("CREATE DATABASE BRANCH s FROM main AS OF SCN {newest};"), "s", "1"),
        (
            "CREATE BRANCH staging FROM main AS OF NOW WITH (replication_factor = 3, \
             region = 'us-west')",
            "staging",
            "2",
        ),
        ("CREATE BRANCH \"feature/user profiles\" FROM dev", "\"feature/user profiles\"", "2"),
        ("CREATE BRANCH snapshot WITH (strategy = 'readonly')", "snapshot", "2"),
        ("CREATE BRANCH copied WITH (strategy = 'copy')", "copied", "2"),
    ] {
        session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(rows(&session, &format!("SELECT count(*) FROM users@{name}")), [count], "{sql}");
    }
    let options = "SELECT options FROM pando_branches WHERE branch_name = 'staging'";
    assert_eq!(
        rows(&session, options),
        ["strategy = cow, region = us-west, replication_factor = 3"]
    );
    // A time before the first moment that is kept names that one.
    let early = format!("CREATE BRANCH early FROM main AS OF TIMESTAMP '{}'", &short[..4]);
    assert!(session.execute(&early).is_err());
    let told = error(&session, "CREATE BRANCH early AS OF TIMESTAMP '2001-01-01 06:00:00'");
    assert!(told.contains("the time 2001-01-01 06:00:00.000 is before what is kept"), "{told}");
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn what_show_branches_calls_its_columns() {
    let session = in_file();
    session.execute("CREATE BRANCH dev; CREATE BRANCH dev2 FROM dev").unwrap();
    let shown = columns(&session, "SHOW BRANCHES");
    assert_eq!(shown[..5], ["branch_name", "branch_id", "parent_branch", "created_at", "state"]);
    let listed = "SELECT branch_name, branch_id, parent_branch, state FROM pando_branches";
    assert_eq!(
        rows(&session, listed),
        ["main|1|NULL|active", "dev|2|main|active", "dev2|3|dev|active"]
    );
    session.execute("CREATE TABLE t(a); MERGE BRANCH dev INTO main").unwrap();
    assert_eq!(
        rows(&session, "SELECT state FROM pando_branches WHERE branch_name = 'dev'"),
        ["active"],
        "it had nothing to be merged"
    );
    session.execute("USE BRANCH dev; CREATE TABLE u(a); USE BRANCH main").unwrap();
    session.execute("MERGE BRANCH dev INTO main").unwrap();
    let state = "SELECT state FROM pando_branches WHERE branch_name = 'dev'";
    assert_eq!(rows(&session, state), ["merged"]);
}

#[test]
fn branches_are_merged_and_dropped_in_every_spelling() {
    let session = in_file();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT); INSERT INTO t VALUES (1, 1), (2, 2);
             CREATE BRANCH feature; CREATE BRANCH hotfix; CREATE BRANCH dev;
             UPDATE t@feature SET a = 10 WHERE id = 1; UPDATE t@hotfix SET a = 20 WHERE id = 1;
             UPDATE t@dev SET a = 30 WHERE id = 1; UPDATE t SET a = 5 WHERE id = 2",
        )
        .unwrap();
    session.execute("MERGE BRANCH feature INTO main").unwrap();
    assert_eq!(rows(&session, "SELECT a FROM t"), ["10", "5"]);
    let told = error(&session, "MERGE BRANCH hotfix INTO main WITH (conflict_resolution='fail')");
    assert!(told.contains("1 conflict"), "{told}");
    session
        .execute("MERGE BRANCH hotfix INTO main WITH (conflict_resolution='source_wins')")
        .unwrap();
    assert_eq!(rows(&session, "SELECT a FROM t"), ["20", "5"]);
    session
        .execute(
            "MERGE DATABASE BRANCH dev INTO main WITH (conflict_resolution='target_wins', \
             delete_branch_after=true)",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT a FROM t"), ["20", "5"]);
    assert!(error(&session, "USE BRANCH dev").contains("there is no branch 'dev'"));
    for policy in ["branch_wins", "theirs", "prefer_branch", "ours", "prefer_main", "manual"] {
        session
            .execute(&format!(
                "MERGE BRANCH feature INTO main WITH (conflict_resolution = '{policy}')"
            ))
            .unwrap();
    }
    let told = error(&session, "MERGE BRANCH feature INTO main WITH (conflict_resolution='best')");
    assert!(told.contains("best"), "{told}");
    session.execute("DROP DATABASE BRANCH feature; DROP BRANCH IF EXISTS nonexistent").unwrap();
    session.execute("DROP DATABASE BRANCH IF EXISTS feature").unwrap();
    assert!(error(&session, "DROP BRANCH feature").contains("there is no branch 'feature'"));
}

#[test]
fn a_migration_is_tried_on_a_branch_and_merged() {
    let session = in_file();
    session
        .execute(
            "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
             INSERT INTO users VALUES (1, 'ada'), (2, 'grace');
             CREATE BRANCH dev FROM main; USE BRANCH dev;
             ALTER TABLE users ADD COLUMN preferences JSONB DEFAULT '{}';
             UPDATE users SET preferences = '{\"theme\": \"dark\"}' WHERE id = 1",
        )
        .unwrap();
    let theme = "SELECT preferences->>'theme' FROM users WHERE id = 1";
    assert_eq!(rows(&session, theme), ["dark"]);
    session.execute("USE BRANCH main; INSERT INTO users VALUES (3, 'edsger')").unwrap();
    assert!(session.query(theme).is_err());
    session.execute("MERGE BRANCH dev INTO main; DROP BRANCH dev").unwrap();
    assert_eq!(rows(&session, theme), ["dark"]);
    let filled = "SELECT COUNT(*) FROM users WHERE preferences IS NOT NULL";
    assert_eq!(rows(&session, filled), ["3"]);
}

#[test]
fn orders_of_services_are_apart_until_they_are_merged() {
    let session = in_file();
    session
        .execute(
            "CREATE TABLE IF NOT EXISTS orders(
               id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER NOT NULL,
               total REAL NOT NULL, status TEXT DEFAULT 'pending',
               created_at INTEGER DEFAULT (strftime('%s', 'now')));
             CREATE INDEX IF NOT EXISTS idx_customer ON orders(customer_id);
             CREATE BRANCH staging; CREATE BRANCH dev_alice; CREATE BRANCH dev_bob",
        )
        .unwrap();
    let order = |branch: &str, customer: i64| {
        session.execute(&format!("USE BRANCH {branch}")).unwrap();
        rows(
            &session,
            &format!(
                "INSERT INTO orders (customer_id, total) VALUES ({customer}, 99.99)
                 RETURNING customer_id, status, created_at > 0"
            ),
        )
    };
    assert_eq!(order("dev_alice", 123), ["123|pending|1"]);
    assert_eq!(order("dev_bob", 456), ["456|pending|1"]);
    session.execute("MERGE BRANCH dev_alice INTO staging; USE BRANCH staging").unwrap();
    assert_eq!(rows(&session, "SELECT customer_id FROM orders"), ["123"]);
    session.execute("MERGE BRANCH dev_bob INTO staging").unwrap();
    let all = "SELECT customer_id FROM orders ORDER BY created_at, id";
    assert_eq!(rows(&session, all), ["123", "456"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM orders@main"), ["0"]);
    session.execute("MERGE BRANCH staging INTO main").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM orders@main"), ["2"]);
}

#[test]
fn a_read_only_snapshot_of_a_time_is_asked_by_an_auditor() {
    let session = in_file();
    session
        .execute(
            "CREATE TABLE transactions(id INTEGER PRIMARY KEY, type TEXT, amount REAL);
             INSERT INTO transactions VALUES (1, 'withdrawal', 10), (2, 'deposit', 5)",
        )
        .unwrap();
    pause();
    let time = now(&session);
    pause();
    session.execute("INSERT INTO transactions VALUES (3, 'withdrawal', 90)").unwrap();
    session
        .execute(&format!(
            "CREATE BRANCH audit_2024_Q4 FROM main AS OF TIMESTAMP '{time}';
             ALTER BRANCH audit_2024_Q4 SET (read_only = true, description = 'Quarterly audit')"
        ))
        .unwrap();
    session.execute("USE BRANCH audit_2024_Q4").unwrap();
    let sum = "SELECT SUM(amount) FROM transactions WHERE type = 'withdrawal'";
    assert_eq!(rows(&session, sum), ["10.0"]);
    assert!(
        error(&session, "DELETE FROM transactions")
            .contains("Cannot modify read-only branch: audit_2024_Q4")
    );
    session.execute("USE BRANCH main").unwrap();
    assert_eq!(rows(&session, sum), ["100.0"]);
}

#[test]
fn a_session_whose_branch_somebody_dropped_is_told_so() {
    let session = in_file();
    session.execute("CREATE TABLE t(a); CREATE BRANCH dev; USE BRANCH dev").unwrap();
    let (database, _) = session.database(crate::catalog::DatabaseIndex::MAIN).unwrap();
    Session::new(database).execute("DROP BRANCH dev").unwrap();
    for sql in ["SELECT * FROM t", "INSERT INTO t VALUES (1)", "SELECT * FROM t@main"] {
        let told = error(&session, sql);
        assert!(told.contains("the branch of this session was dropped"), "{sql}: {told}");
    }
    session.execute("USE BRANCH main; INSERT INTO t VALUES (1)").unwrap();
}

/// A name that a branch and a tag have means the branch, whatever statement says it.
#[test]
fn a_branch_comes_before_a_tag_of_its_name() {
    let session = in_file();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE BRANCH dev;
             INSERT INTO t@dev VALUES (1, 1); CREATE BRANCH x; INSERT INTO t@x VALUES (7, 7);
             TAG BRANCH dev AS x",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t@x"), ["7"]);
    let shown = rows(&session, "SHOW DIFF BETWEEN main AND x");
    assert!(shown.iter().all(|row| row.contains("|7|")), "{shown:?}");
    assert_eq!(rows(&session, "SELECT new_id FROM pando_diff('t', 'main', 'x')"), ["7"]);
}

#[test]
fn a_difference_tells_the_new_name_of_a_column() {
    let session = in_file();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE BRANCH dev; USE BRANCH dev;
             ALTER TABLE t RENAME COLUMN v TO w; ALTER TABLE t RENAME TO u; USE BRANCH main",
        )
        .unwrap();
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN main AND dev"),
        ["table|u|renamed|NULL|NULL|t|u", "table|u|renamed|NULL|w|v|w"]
    );
}
