//! Forks in memory: they change nothing but themselves.

use pandodb_branch::fork::Fork;

use super::{error, rows, shop};
use crate::ast::PointInTime;
use crate::branching::{MergeCall, fork_branch, merge_branches};
use crate::catalog::DatabaseIndex;
use crate::error::ErrorKind;
use crate::session::Session;

/// What the whole database holds, as far as a statement could change it.
fn everything(session: &Session) -> Vec<Vec<String>> {
    [
        "SELECT branch_name, options FROM pando_branches",
        "SELECT * FROM pando_tags",
        "SELECT * FROM pando_grants",
        "SELECT * FROM pando_reflog",
        "SELECT branch_name, transaction_id FROM pando_log('*')",
        "SELECT * FROM item@main",
        "SELECT * FROM item@dev",
        "PRAGMA history_retention",
    ]
    .map(|sql| rows(session, sql))
    .to_vec()
}

/// A session on a fork of the first branch, and one on a fork of what it was.
fn forks(session: &Session) -> Vec<(Session, Fork)> {
    let now = rows(session, "SELECT max(transaction_id) FROM pando_log").remove(0);
    let times = [PointInTime::Now, PointInTime::Transaction(now.parse::<u64>().unwrap() - 1)];
    times
        .iter()
        .map(|time| {
            let fork = fork_branch(session, "main", time).unwrap();
            let (database, _) = session.database(DatabaseIndex::MAIN).unwrap();
            let forked = Session::on_head(database, fork.head());
            forked.set_origin(fork.origin());
            (forked, fork)
        })
        .collect()
}

#[test]
fn what_would_change_more_than_the_fork_is_refused() {
    let session = shop();
    session
        .execute("UPDATE item@dev SET price = 8; TAG BRANCH dev AS v1; DELETE FROM item WHERE id=3")
        .unwrap();
    let before = everything(&session);
    for (forked, _fork) in forks(&session) {
        for sql in [
            "TAG BRANCH main AS x",
            "DROP TAG v1",
            "GRANT READ ON BRANCH main TO ann",
            "REVOKE READ ON BRANCH main FROM ann",
            "RESET BRANCH dev TO TRANSACTION 2",
            "ALTER BRANCH dev SET (read_only = true)",
            "RENAME BRANCH dev TO other",
            "DROP BRANCH dev",
            "CREATE BRANCH other",
            "CREATE BRANCH other FROM dev",
            "BACKUP DATABASE TO 'copy.pando'",
            "MERGE BRANCH dev INTO main",
            "CHERRY PICK TRANSACTION 5 INTO main",
            "UNDO TRANSACTION 5",
            "RESTORE TABLE item FROM dev",
            "CONTINUE MERGE",
            "ABORT MERGE",
            "APPLY",
            "USE BRANCH main",
            "INSERT INTO item@dev VALUES (9, 'x', 1, 1)",
            "UPDATE item@main SET price = 1",
            "DELETE FROM item@main",
            "PRAGMA history_retention = '1 hour'",
            "PRAGMA history_size = 1000000",
            "PRAGMA compression = 'LZ4'",
            "PRAGMA default_cache_size = 100",
        ] {
            let failed = forked.query(sql).map(|rows| rows.rows.len()).unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::Unsupported, "{sql}: {failed}");
            assert!(failed.to_string().contains("changes nothing but itself"), "{sql}: {failed}");
            assert!(failed.hint().is_some_and(|hint| hint.contains("connect to the database")));
        }
        let call =
            MergeCall { source: "dev".into(), target: "main".into(), ..MergeCall::default() };
        let failed = merge_branches(&forked, &call).map(|done| done.status).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Unsupported, "{failed}");
        assert_eq!(everything(&session), before);
    }
}

#[test]
fn a_fork_reads_the_database_and_changes_itself() {
    let session = shop();
    session.execute("UPDATE item@dev SET price = 8 WHERE id = 1; TAG BRANCH dev AS v1").unwrap();
    let before = everything(&session);
    for (forked, _fork) in forks(&session) {
        forked
            .execute(
                "BEGIN; CREATE TABLE more(x); INSERT INTO more SELECT price FROM item@dev; COMMIT;
                 DELETE FROM item WHERE id = 2; PRAGMA user_version = 7",
            )
            .unwrap();
        assert_eq!(rows(&forked, "SELECT x FROM more"), ["5", "7", "8"]);
        assert_eq!(rows(&forked, "PRAGMA user_version"), ["7"]);
        assert_eq!(rows(&forked, "SHOW BRANCHES").len(), 2);
        assert_eq!(rows(&forked, "SHOW TAGS").len(), 1);
        assert_eq!(rows(&forked, "SHOW DIFF BETWEEN main AND dev").len(), 1);
        let tried = "MERGE BRANCH dev INTO main WITH (dry_run = true)";
        assert!(rows(&forked, tried)[0].starts_with("would merge"));
        assert!(!rows(&forked, "SHOW COMMITS ON dev").is_empty());
        assert_eq!(everything(&session), before);
    }
    assert!(error(&session, "SELECT * FROM more").contains("no such table"));
}
