//! MERGE, CHERRY PICK and UNDO inside of a transaction of the caller.

use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicUsize, Ordering};

use super::{error, reopened, rows, session, shop};
use crate::catalog::DatabaseIndex;
use crate::error::ErrorKind;
use crate::session::Session;

const ALL: &str = "SELECT id, price FROM item ORDER BY 1";

#[test]
fn a_merge_belongs_to_the_transaction_around_it() {
    let session = shop();
    session
        .execute(
            "UPDATE item@dev SET price = 3 WHERE id = 1; UPDATE item SET price = 6 WHERE id = 2;
             CREATE TABLE note(text);",
        )
        .unwrap();
    session.execute("BEGIN; MERGE BRANCH dev INTO main").unwrap();
    assert_eq!(rows(&session, ALL), ["1|3", "2|6", "3|7"]);
    session
        .execute("INSERT INTO note VALUES ('merged'); UPDATE item SET price = 8 WHERE id = 3")
        .unwrap();
    session.execute("ROLLBACK").unwrap();
    assert_eq!(rows(&session, ALL), ["1|2", "2|6", "3|7"]);
    assert_eq!(rows(&session, "SELECT state FROM pando_branches('dev')"), ["active"]);
    session
        .execute(
            "BEGIN; MERGE BRANCH dev INTO main; INSERT INTO note VALUES ('merged');
             UPDATE item SET price = 8 WHERE id = 3; COMMIT",
        )
        .unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, ALL), ["1|3", "2|6", "3|8"]);
    assert_eq!(rows(&session, "SELECT text FROM note"), ["merged"]);
    assert_eq!(rows(&session, "SELECT state FROM pando_branches('dev')"), ["merged"]);
    assert_eq!(
        rows(&session, "SELECT message, merged > 0 FROM pando_log LIMIT 1"),
        ["merge branch 'dev' into 'main'|1"]
    );
    // The next merge starts from this one.
    assert_eq!(
        rows(&session, "MERGE BRANCH dev INTO main")[0].split('|').next(),
        Some("up to date")
    );
    session.execute("UPDATE item@dev SET price = 4 WHERE id = 1").unwrap();
    session.execute("BEGIN; MERGE BRANCH dev INTO main; COMMIT").unwrap();
    assert_eq!(rows(&session, ALL), ["1|4", "2|6", "3|8"]);
}

#[test]
fn a_branch_before_its_first_table_takes_a_merge_that_changes_nothing() {
    let session = session();
    session
        .execute(
            "CREATE BRANCH dev; PRAGMA user_version = 5; USE BRANCH dev;
             CREATE TABLE t(a); DROP TABLE t; USE BRANCH main; MERGE BRANCH dev INTO main",
        )
        .unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, "SELECT count(*) FROM sqlite_schema"), ["0"]);
    session.execute("CREATE TABLE t(a); INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(rows(&session, "SELECT a FROM t"), ["1"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn merges_without_changes_of_rows_and_fast_forwards_are_recorded_too() {
    let session = shop();
    session.execute("UPDATE item@dev SET price = 3 WHERE id = 1").unwrap();
    // The target has nothing of its own; the session stands elsewhere.
    session
        .execute("CREATE BRANCH other; USE BRANCH other; BEGIN; MERGE BRANCH dev INTO main")
        .unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item@main WHERE id = 1"), ["3"]);
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["2"]);
    session.execute("COMMIT; USE BRANCH main").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["3"]);
    // Both did the same: nothing changes, but the merge happened.
    session
        .execute(
            "UPDATE item@dev SET price = 9 WHERE id = 1; UPDATE item SET price = 9 WHERE id = 1",
        )
        .unwrap();
    session
        .execute("BEGIN; MERGE BRANCH dev INTO main; UPDATE item SET stock = 1; COMMIT")
        .unwrap();
    assert_eq!(
        rows(&session, "MERGE BRANCH dev INTO main")[0].split('|').next(),
        Some("up to date")
    );
    assert_eq!(rows(&session, "SELECT DISTINCT stock FROM item"), ["1"]);
    let session = reopened(session);
    assert_eq!(rows(&session, "SELECT DISTINCT stock FROM item"), ["1"]);
    assert_eq!(
        rows(&session, "MERGE BRANCH dev INTO main")[0].split('|').next(),
        Some("up to date")
    );
}

#[test]
fn conflicts_end_the_statement_and_not_the_transaction() {
    let session = shop();
    session
        .execute(
            "UPDATE item@dev SET price = 3 WHERE id = 1; UPDATE item SET price = 4 WHERE id = 1",
        )
        .unwrap();
    session.execute("CREATE TABLE note(text); BEGIN").unwrap();
    assert!(error(&session, "MERGE BRANCH dev INTO main").contains("met 1 conflict"));
    let dry = rows(&session, "MERGE BRANCH dev INTO main WITH (dry_run = true)");
    assert!(dry[0].starts_with("conflicts|"), "{dry:?}");
    session.execute("INSERT INTO note VALUES ('tried'); COMMIT").unwrap();
    assert_eq!(rows(&session, "SELECT text FROM note"), ["tried"]);
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["4"]);
    session
        .execute(
            "BEGIN; MERGE BRANCH dev INTO main WITH (conflict_resolution = 'source_wins'); COMMIT",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["3"]);
}

#[test]
fn what_cannot_be_within_a_transaction_says_what_to_do() {
    let session = shop();
    session.execute("UPDATE item@dev SET price = 3 WHERE id = 1; CREATE BRANCH third").unwrap();
    session.execute("UPDATE item@third SET price = 30 WHERE id = 3; BEGIN").unwrap();
    let told = |sql: &str| session.query(sql).map(|_| ()).unwrap_err();
    for (sql, message) in [
        ("MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')", "left open"),
        ("MERGE BRANCH dev INTO main WITH (delete_branch_after = true)", "cannot be dropped"),
        ("CREATE BRANCH another", "cannot run inside of a transaction"),
        ("DROP BRANCH dev", "cannot run inside of a transaction"),
    ] {
        let error = told(sql);
        assert!(error.message().contains(message), "{sql}: {error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("COMMIT")), "{sql}: {error:?}");
    }
    session.execute("UPDATE item SET price = 1 WHERE id = 3").unwrap();
    let error = told("MERGE BRANCH dev INTO main");
    assert!(error.message().contains("'main' has changes that are not committed"), "{error:?}");
    assert!(error.hint().is_some_and(|hint| hint.contains("COMMIT")));
    session.execute("ROLLBACK; BEGIN; UPDATE item@dev SET price = 9").unwrap();
    let error = told("MERGE BRANCH dev INTO main");
    assert!(error.message().contains("'dev' has changes that are not committed"), "{error:?}");
    session.execute("ROLLBACK; BEGIN; MERGE BRANCH dev INTO main").unwrap();
    let error = told("MERGE BRANCH third INTO dev");
    assert!(error.message().contains("holds a merge"), "{error:?}");
    // Reading goes on.
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_branches"), ["3"]);
    session.execute("COMMIT; MERGE BRANCH third INTO main").unwrap();
    assert_eq!(rows(&session, ALL), ["1|3", "2|5", "3|30"]);
}

#[test]
fn picks_and_undoing_belong_to_the_transaction_too() {
    let session = shop();
    session.execute("UPDATE item SET price = 3 WHERE id = 1; UPDATE item SET stock = 0").unwrap();
    let number = rows(&session, "SELECT transaction_id FROM pando_log LIMIT 1 OFFSET 1").remove(0);
    session.execute("BEGIN; UPDATE item SET price = 70 WHERE id = 3").unwrap();
    session.execute(&format!("UNDO TRANSACTION {number}")).unwrap();
    assert_eq!(rows(&session, ALL), ["1|2", "2|5", "3|70"]);
    session.execute("ROLLBACK").unwrap();
    assert_eq!(rows(&session, ALL), ["1|3", "2|5", "3|7"]);
    session
        .execute(&format!("BEGIN; CHERRY PICK TRANSACTION {number} INTO dev; DELETE FROM item"))
        .unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item@dev WHERE id = 1"), ["3"]);
    session.execute("COMMIT").unwrap();
    assert_eq!(
        rows(&session, "SELECT id, price, stock FROM item@dev"),
        ["1|3|10", "2|5|4", "3|7|1"]
    );
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["0"]);
}

#[test]
fn a_merge_that_is_stopped_changes_nothing() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, x CHECK (x >= 0));
             INSERT INTO t SELECT value, 0 FROM generate_series(1, 20000);
             CREATE BRANCH dev; UPDATE t@dev SET x = 2 WHERE id > 5000;
             UPDATE t SET x = 1 WHERE id < 15000",
        )
        .unwrap();
    let merge = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'source_wins')";
    let sum = "SELECT sum(x) FROM t";
    let mut calls = 0;
    for limit in [0, 3, 9, 12, 20] {
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&seen);
        session.set_progress_hook(Some(Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed) >= limit
        })));
        let stopped = session.execute(merge).unwrap_err();
        session.set_progress_hook(None);
        assert_eq!(stopped.kind(), ErrorKind::Interrupted, "{limit}: {stopped}");
        assert_eq!(rows(&session, sum), ["14999"], "{limit}");
        calls = calls.max(seen.load(Ordering::Relaxed));
    }
    assert!(calls > 20, "the merge asks while it walks and while it checks: {calls}");
    session.execute(merge).unwrap();
    assert_eq!(rows(&session, sum), ["35000"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn what_a_savepoint_took_back_says_nothing_of_the_commit() {
    let session = shop();
    session
        .execute(
            "UPDATE item@dev SET price = 3 WHERE id = 1; UPDATE item SET stock = 6 WHERE id = 2;
             BEGIN; SAVEPOINT s; MERGE BRANCH dev INTO main; ROLLBACK TO s;
             UPDATE item SET stock = 7 WHERE id = 2; COMMIT",
        )
        .unwrap();
    let newest = "SELECT message, merged FROM pando_log LIMIT 1";
    assert_eq!(rows(&session, newest), ["|NULL"]);
    // What was said before a savepoint stays said.
    session.execute("CREATE BRANCH other; UPDATE item@other SET price = 8 WHERE id = 3").unwrap();
    session
        .execute(
            "BEGIN; MERGE BRANCH other INTO main; SAVEPOINT s; UPDATE item SET stock = 0;
             ROLLBACK TO s; COMMIT",
        )
        .unwrap();
    let told = rows(&session, "SELECT message, merged > 0 FROM pando_log LIMIT 1");
    assert_eq!(told, ["merge branch 'other' into 'main'|1"]);
}

const LEVELS: [&str; 5] = [
    "BEGIN ISOLATION LEVEL READ UNCOMMITTED",
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "BEGIN ISOLATION LEVEL SNAPSHOT",
    "BEGIN CONCURRENT",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
];

/// Whoever holds a merge holds the records, however the rows of others go beside it: what the
/// second one noted would be taken for the first one's.
#[test]
fn two_transactions_do_not_hold_merges_at_one_time() {
    const STATES: &str = "SELECT branch_name FROM pando_branches WHERE state LIKE 'merged%'";
    for begin in LEVELS {
        let session = shop();
        let other = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
        session
            .execute(
                "CREATE BRANCH one; CREATE BRANCH two; CREATE BRANCH into_two;
                 UPDATE item@one SET price = 11 WHERE id = 1;
                 UPDATE item@two SET price = 22 WHERE id = 2;
                 UPDATE item SET price = 33 WHERE id = 3;
                 UPDATE item@into_two SET price = 33 WHERE id = 3; PRAGMA busy_timeout = 0",
            )
            .unwrap();
        other.execute("PRAGMA busy_timeout = 0; USE BRANCH into_two").unwrap();
        session.execute(&format!("{begin}; MERGE BRANCH one INTO main")).unwrap();
        other.execute(begin).unwrap();
        let told = other.execute("MERGE BRANCH two INTO into_two").unwrap_err();
        assert!(told.is_retryable(), "{begin}: {told}");
        session.execute("COMMIT").unwrap();
        other.execute("ROLLBACK").unwrap();
        assert_eq!(rows(&session, STATES), ["one"], "{begin}");
        other.execute(&format!("{begin}; MERGE BRANCH two INTO into_two; COMMIT")).unwrap();
        assert_eq!(rows(&session, STATES), ["one", "two"], "{begin}");
        let merged = "SELECT price FROM (SELECT 1 AS b, * FROM item@main
                      UNION ALL SELECT 2, * FROM item@into_two) ORDER BY b, id";
        assert_eq!(rows(&session, merged), ["11", "5", "33", "2", "22", "33"], "{begin}");
        for (source, target) in [("one", "main"), ("two", "into_two")] {
            let again = rows(&session, &format!("MERGE BRANCH {source} INTO {target}"));
            assert!(again[0].starts_with("up to date"), "{begin}: {again:?}");
        }
    }
}

#[test]
fn a_merge_that_a_savepoint_took_back_leaves_the_way_to_the_next_one() {
    for begin in LEVELS {
        let session = shop();
        session
            .execute(
                "UPDATE item SET price = 6 WHERE id = 2; CREATE BRANCH third;
                 UPDATE item@dev SET price = 3 WHERE id = 1;
                 UPDATE item@third SET price = 30 WHERE id = 3",
            )
            .unwrap();
        session.execute(begin).unwrap();
        session.execute("SAVEPOINT s; MERGE BRANCH dev INTO main; ROLLBACK TO s").unwrap();
        assert_eq!(rows(&session, ALL), ["1|2", "2|6", "3|7"], "{begin}");
        session.execute("MERGE BRANCH third INTO main").unwrap_or_else(|e| panic!("{begin}: {e}"));
        assert_eq!(rows(&session, ALL), ["1|2", "2|6", "3|30"], "{begin}");
        session.execute("COMMIT").unwrap();
        assert_eq!(rows(&session, ALL), ["1|2", "2|6", "3|30"], "{begin}");
        let states = "SELECT branch_name, state FROM pando_branches ORDER BY 1";
        let session = reopened(session);
        assert_eq!(rows(&session, states), ["dev|active", "main|active", "third|merged"]);
        session.execute("MERGE BRANCH dev INTO main").unwrap();
        assert_eq!(rows(&session, ALL), ["1|3", "2|6", "3|30"], "{begin}");
    }
}

/// What a savepoint takes back, what fails and what is taken back with more around it: the next
/// merge finds the records free, and so do others.
#[test]
fn branch_statements_around_savepoints_do_not_wait_for_their_own_transaction() {
    let session = shop();
    let other = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
    session
        .execute(
            "UPDATE item SET price = 6 WHERE id = 2; CREATE BRANCH third;
             UPDATE item@dev SET price = 3 WHERE id = 1;
             UPDATE item@third SET price = 30 WHERE id = 3;
             CREATE BRANCH wrong; UPDATE item@wrong SET price = 99 WHERE id = 2;
             UPDATE item SET price = 98 WHERE id = 2; PRAGMA busy_timeout = 0;
             BEGIN; UPDATE item SET stock = 1 WHERE id = 1; SAVEPOINT outer; SAVEPOINT inner",
        )
        .unwrap();
    // The session's own branch has changes: merges go into another one.
    session.execute("MERGE BRANCH dev INTO third; RELEASE inner").unwrap();
    assert!(error(&session, "MERGE BRANCH dev INTO wrong").contains("holds a merge"));
    session.execute("ROLLBACK TO outer; MERGE BRANCH dev INTO third").unwrap();
    assert!(error(&session, "MERGE BRANCH dev INTO wrong").contains("holds a merge"));
    session.execute("ROLLBACK TO outer").unwrap();
    // Nothing is held any more, so that others need not wait for the COMMIT.
    other.execute("PRAGMA busy_timeout = 0; CREATE BRANCH another").unwrap();
    session.execute("SAVEPOINT s; MERGE BRANCH dev INTO third; RELEASE s; COMMIT").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item@third ORDER BY id"), ["3", "6", "30"]);
    assert_eq!(rows(&session, "SELECT stock FROM item WHERE id = 1"), ["1"]);
    // A merge that fails holds nobody up either.
    session.execute("BEGIN").unwrap();
    assert!(error(&session, "MERGE BRANCH wrong INTO main").contains("met 1 conflict"));
    other.execute("DROP BRANCH another").unwrap();
    session.execute("MERGE BRANCH third INTO main; COMMIT").unwrap();
    assert_eq!(rows(&session, ALL), ["1|3", "2|98", "3|30"]);
}

#[test]
fn reading_goes_on_while_a_transaction_holds_a_merge() {
    let session = shop();
    let other = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
    session
        .execute(
            "UPDATE item@dev SET price = 3 WHERE id = 1; UPDATE item SET price = 6 WHERE id = 2;
             PRAGMA busy_timeout = 0; BEGIN",
        )
        .unwrap();
    session.execute("MERGE BRANCH dev INTO main").unwrap();
    other.execute("PRAGMA busy_timeout = 0; USE BRANCH dev; UPDATE item SET stock = 2").unwrap();
    // Each statement about branches does upkeep where it is due; nothing of that waits.
    let listed = rows(&other, "SELECT transaction_id FROM pando_log");
    assert_eq!(rows(&other, "SHOW BRANCHES").len(), 2);
    assert_eq!(rows(&other, "SHOW COMMITS ON dev").len(), listed.len());
    assert_eq!(rows(&session, "SELECT count(*) > 1 FROM pando_log"), ["1"]);
    session.execute("COMMIT").unwrap();
    assert_eq!(rows(&other, "SELECT transaction_id FROM pando_log"), listed);
    assert_eq!(rows(&session, "SELECT message FROM pando_log LIMIT 1")[0].len(), 30);
}

#[test]
fn what_a_savepoint_took_back_is_not_read_uncommitted() {
    let session = shop();
    let other = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
    for session in [&session, &other] {
        session.execute("PRAGMA isolation_level = 'READ UNCOMMITTED'").unwrap();
    }
    other.execute("BEGIN").unwrap();
    assert_eq!(rows(&other, ALL), ["1|2", "2|5", "3|7"]);
    session.execute("BEGIN; SAVEPOINT s; UPDATE item SET price = 9").unwrap();
    assert_eq!(rows(&other, ALL), ["1|9", "2|9", "3|9"]);
    session.execute("ROLLBACK TO s").unwrap();
    assert_eq!(rows(&session, ALL), ["1|2", "2|5", "3|7"]);
    assert_eq!(rows(&other, ALL), ["1|2", "2|5", "3|7"]);
}
