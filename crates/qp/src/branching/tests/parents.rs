//! What SHOW COMMITS says of parents is the history: each is listed, and together they reach all.

use std::collections::{BTreeMap, BTreeSet};

use super::{error, rows, session, shop};
use crate::session::Session;

/// The parents of each commit of a branch, that of a merge's source included.
fn graph(session: &Session, branch: &str) -> BTreeMap<u64, Vec<u64>> {
    let listed = format!("SELECT transaction_id, parent, merged FROM pando_log('{branch}')");
    let mut graph = BTreeMap::new();
    for row in rows(session, &listed) {
        let numbers: Vec<u64> = row.split('|').filter_map(|it| it.parse().ok()).collect();
        graph.insert(numbers[0], numbers[1..].to_vec());
    }
    graph
}

fn check(session: &Session, branch: &str, what: &str) {
    let graph = graph(session, branch);
    let Some(newest) = graph.keys().next_back() else { return };
    let mut reached: BTreeSet<u64> = BTreeSet::new();
    let mut next = vec![*newest];
    while let Some(commit) = next.pop() {
        if commit == 0 || !reached.insert(commit) {
            continue;
        }
        let parents = graph.get(&commit);
        let parents = parents.unwrap_or_else(|| panic!("{what}, {branch}: {commit}? {graph:?}"));
        assert!(parents.iter().all(|parent| *parent < commit), "{what}, {branch}: {graph:?}");
        next.extend(parents);
    }
    let all: BTreeSet<u64> = graph.keys().copied().collect();
    assert_eq!(reached, all, "{what}, {branch}: {graph:?}");
}

#[test]
fn parents_are_listed_and_lead_to_the_whole_history() {
    let session = session();
    session.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x)").unwrap();
    for step in [
        "INSERT INTO t VALUES (1, 1)",
        "CREATE BRANCH dev; INSERT INTO t@dev VALUES (2, 2)",
        "INSERT INTO t@dev VALUES (3, 3)",
        "TAG BRANCH dev AS kept; MERGE BRANCH dev INTO main",
        "INSERT INTO t VALUES (4, 4)",
        "INSERT INTO t@dev VALUES (5, 5); INSERT INTO t VALUES (6, 6)",
        "MERGE BRANCH dev INTO main",
        "INSERT INTO t VALUES (7, 7)",
        "RESET BRANCH main TO TAG kept",
        "INSERT INTO t VALUES (8, 8)",
        "INSERT INTO t VALUES (9, 9)",
        "CREATE BRANCH late FROM dev; INSERT INTO t@late VALUES (10, 10)",
        "RESET BRANCH late TO TAG kept; INSERT INTO t@late VALUES (11, 11)",
        "MERGE BRANCH main INTO late; INSERT INTO t@late VALUES (12, 12)",
        "MERGE BRANCH late INTO main; INSERT INTO t VALUES (13, 13)",
        "MERGE BRANCH main INTO dev; INSERT INTO t@dev VALUES (14, 14)",
        "DROP BRANCH late; INSERT INTO t VALUES (15, 15)",
        "PRAGMA wal_checkpoint; VACUUM; INSERT INTO t VALUES (16, 16)",
        "RESET BRANCH dev TO TAG kept; MERGE BRANCH main INTO dev;
         INSERT INTO t@dev VALUES (17, 1)",
    ] {
        session.execute(step).unwrap_or_else(|error| panic!("{step}: {error:?}"));
        for branch in rows(&session, "SELECT branch_name FROM pando_branches") {
            check(&session, &branch, step);
        }
    }
}

#[test]
fn what_a_reset_left_is_not_listed_and_can_be_picked_again() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, x); TAG BRANCH main AS start;
             BEGIN; INSERT INTO t VALUES (1, 1); COMMIT WITH MESSAGE 'gone'",
        )
        .unwrap();
    let gone = "SELECT transaction_id FROM pando_log('main') WHERE message = 'gone'";
    let number = rows(&session, gone).pop().unwrap();
    session.execute("RESET BRANCH main TO TAG start; INSERT INTO t VALUES (2, 2)").unwrap();
    assert!(rows(&session, gone).is_empty());
    session.execute(&format!("CHERRY PICK TRANSACTION {number}")).unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t ORDER BY id"), ["1", "2"]);
}

/// What a reset threw away is nobody's history, also once the branch and its way back are gone.
#[test]
fn what_a_reset_left_stays_unlisted_when_the_branch_is_dropped() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, x); CREATE BRANCH dev; USE BRANCH dev;
             INSERT INTO t VALUES (1, 1); TAG BRANCH dev AS start;
             BEGIN; INSERT INTO t VALUES (2, 1); COMMIT WITH MESSAGE 'gone';
             RESET BRANCH dev TO TAG start;
             BEGIN; INSERT INTO t VALUES (3, 1); COMMIT WITH MESSAGE 'kept';
             USE BRANCH main; INSERT INTO t VALUES (4, 1); MERGE BRANCH dev INTO main;
             DROP TAG start; DROP BRANCH dev",
        )
        .unwrap();
    for branch in ["main", "*"] {
        let messages =
            format!("SELECT message FROM pando_log('{branch}') WHERE message IN ('gone', 'kept')");
        assert_eq!(rows(&session, &messages), ["kept"], "{branch}");
    }
    assert_eq!(rows(&session, "SELECT id FROM t ORDER BY id"), ["1", "3", "4"]);
}

#[test]
fn what_was_made_on_branches_that_are_gone_stays_the_history_of_those_that_have_it() {
    let session = session();
    session.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x)").unwrap();
    for step in [
        "INSERT INTO t VALUES (1, 1)",
        "CREATE BRANCH short; INSERT INTO t@short VALUES (2, 1); INSERT INTO t@short VALUES (3, 1);
         MERGE BRANCH short INTO main WITH (delete_branch_after = true)",
        "INSERT INTO t VALUES (4, 1)",
        "CREATE BRANCH one; INSERT INTO t@one VALUES (5, 1); CREATE BRANCH two FROM one;
         INSERT INTO t@two VALUES (6, 1); DROP BRANCH one",
        "CREATE BRANCH side; INSERT INTO t@side VALUES (7, 1); INSERT INTO t VALUES (8, 1);
         MERGE BRANCH side INTO main WITH (delete_branch_after = true)",
        "MERGE BRANCH two INTO main; DROP BRANCH two; INSERT INTO t VALUES (9, 1)",
    ] {
        session.execute(step).unwrap_or_else(|error| panic!("{step}: {error:?}"));
        let all = graph(&session, "*");
        for branch in rows(&session, "SELECT branch_name FROM pando_branches") {
            check(&session, &branch, step);
            for (commit, parents) in graph(&session, &branch) {
                assert_eq!(all.get(&commit), Some(&parents), "{step}, {branch}: {commit}");
            }
        }
    }
}

#[test]
fn a_transaction_of_the_log_is_reached_wherever_it_was_made() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1); CREATE BRANCH dev;
             INSERT INTO t@dev VALUES (2); INSERT INTO t@dev VALUES (3)",
        )
        .unwrap();
    let made = rows(&session, "SELECT transaction_id FROM pando_log('dev') LIMIT 2");
    let at = |sql: &str| rows(&session, sql).concat();
    let ids = "(SELECT group_concat(id) FROM (SELECT id FROM t";
    // Main does not have it yet, and is as it was then.
    let second = &made[1];
    let then = format!("SELECT {ids} AS OF TRANSACTION {second} ORDER BY id))");
    assert_eq!(at(&then), "1");
    session.execute("MERGE BRANCH dev INTO main").unwrap();
    assert_eq!(at(&then), "1,2");
    let number = format!("SELECT {ids} AS OF SCN {second} ORDER BY id))");
    assert_eq!(at(&number), "1", "main itself, at that time");
    for sql in ["DROP BRANCH dev", "INSERT INTO t VALUES (4)"] {
        session.execute(sql).unwrap();
        assert_eq!(at(&then), "1,2", "{sql}");
    }
    session.execute(&format!("CREATE BRANCH back AS OF TRANSACTION {second}")).unwrap();
    assert_eq!(at(&format!("SELECT {ids}@back ORDER BY id))")), "1,2");
    // Making it there was no commit of its own.
    let newest = "SELECT transaction_id FROM pando_log('back') LIMIT 1";
    assert_eq!(at(newest), *second);
    session.execute("INSERT INTO t@back VALUES (9)").unwrap();
    let parent = "SELECT parent FROM pando_log('*') WHERE branch_name = 'back'";
    assert_eq!(at(parent), *second);
    session.execute(&format!("RESET BRANCH main TO TRANSACTION {second}")).unwrap();
    assert_eq!(at(&format!("SELECT {ids} ORDER BY id))")), "1,2");
    assert_eq!(at("PRAGMA integrity_check"), "ok");
}

#[test]
fn a_merge_that_changes_no_row_is_listed_with_both_parents() {
    for (begin, commit) in [("", ""), ("BEGIN; ", "; COMMIT")] {
        let session = shop();
        session
            .execute(
                "UPDATE item@dev SET price = 9 WHERE id = 1;
                 UPDATE item SET price = 9 WHERE id = 1",
            )
            .unwrap();
        let newest = |branch: &str| {
            let sql = format!("SELECT max(transaction_id) FROM pando_log('{branch}')");
            rows(&session, &sql).remove(0)
        };
        let (ours, theirs) = (newest("main"), newest("dev"));
        session.execute(&format!("{begin}MERGE BRANCH dev INTO main{commit}")).unwrap();
        let (merge, head) = (newest("main"), "SELECT head_commit FROM pando_branches('main')");
        assert_eq!(rows(&session, head)[0], merge);
        let listed = "SELECT parent, merged, message FROM pando_log LIMIT 1";
        let message = "merge branch 'dev' into 'main'";
        assert_eq!(rows(&session, listed), [format!("{ours}|{theirs}|{message}")]);
        session.execute("UPDATE item@dev SET price = 8 WHERE id = 1").unwrap();
        let theirs = newest("dev");
        session.execute(&format!("{begin}MERGE BRANCH dev INTO main{commit}")).unwrap();
        assert_eq!(rows(&session, listed), [format!("{merge}|{theirs}|{message}")]);
    }
}

#[test]
fn a_fast_forward_with_a_message_is_a_commit_of_its_own() {
    for with in ["message = 'release 7'", "author = 'ann'", "message = 'release 7', author = 'ann'"]
    {
        let session = shop();
        session.execute("UPDATE item@dev SET price = 9 WHERE id = 1").unwrap();
        let theirs = rows(&session, "SELECT max(transaction_id) FROM pando_log('dev')").remove(0);
        let tried = format!("MERGE BRANCH dev INTO main WITH ({with}, dry_run = true)");
        assert!(rows(&session, &tried)[0].starts_with("would merge|dev|main|0|1|0"));
        let merged = rows(&session, &format!("MERGE BRANCH dev INTO main WITH ({with})"));
        assert_eq!(merged, ["merged|dev|main|0|1|0|0|0|0|0|0"]);
        let listed = rows(&session, "SELECT merged, author, message FROM pando_log LIMIT 1");
        let author = if with.contains("ann") { "ann" } else { "" };
        let message =
            if with.contains("release") { "release 7" } else { "merge branch 'dev' into 'main'" };
        assert_eq!(listed, [format!("{theirs}|{author}|{message}")]);
        assert!(rows(&session, "MERGE BRANCH dev INTO main")[0].starts_with("up to date"));
        check(&session, "main", with);
    }
}

/// What a verb keeps is exactly the commit that it names; a query shows the branch as it was.
#[test]
fn a_transaction_that_a_branch_does_not_have_is_no_moment_of_it_to_keep() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1); CREATE BRANCH dev;
             CREATE BRANCH gone; INSERT INTO t@dev VALUES (2); INSERT INTO t@gone VALUES (3);
             INSERT INTO t VALUES (4)",
        )
        .unwrap();
    let newest = |branch: &str| {
        rows(&session, &format!("SELECT max(transaction_id) FROM pando_log('{branch}')")).remove(0)
    };
    let (dev, gone) = (newest("dev"), newest("gone"));
    session.execute("DROP BRANCH gone").unwrap();
    let before = rows(&session, "SELECT * FROM t");
    for (number, hint) in [(&dev, "it is one of the branch 'dev'"), (&gone, "SHOW COMMITS")] {
        for sql in [
            "RESET BRANCH main TO TRANSACTION",
            "CREATE BRANCH new AS OF TRANSACTION",
            "TAG BRANCH main AS new AS OF TRANSACTION",
            "RESTORE TABLE t AS OF TRANSACTION",
        ] {
            let told = session.query(&format!("{sql} {number}")).map(drop).unwrap_err();
            let message = format!("the branch 'main' has no transaction {number}");
            let is_said = told.hint().is_some_and(|it| it.contains(hint));
            assert!(told.message() == message && is_said, "{sql}: {told:?}");
        }
        let told = error(&session, &format!("SELECT * FROM pando_diff('t', '{number}', 'main')"));
        assert!(told.contains("has no transaction"), "{told}");
    }
    assert_eq!(rows(&session, "SELECT * FROM t"), before);
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_branches"), ["2"]);
    // Each has a word for the moment.
    let scn = format!("CREATE BRANCH new AS OF SCN {dev}; RESET BRANCH main TO SCN {dev}");
    session.execute(&scn).unwrap();
    assert_eq!(rows(&session, "SELECT id FROM t@new"), ["1"]);
    assert_eq!(rows(&session, "SELECT id FROM t"), ["1"]);
}

/// Also when more resets came since than the reflog keeps.
#[test]
fn a_transaction_that_resets_took_from_a_branch_stays_its_own() {
    let session = session();
    session
        .execute(
            "PRAGMA history_retention = '1h'; CREATE TABLE t(id INTEGER PRIMARY KEY);
             TAG BRANCH main AS start",
        )
        .unwrap();
    let mut made = Vec::new();
    for id in 0..20 {
        session.execute(&format!("INSERT INTO t VALUES ({id})")).unwrap();
        made.push(rows(&session, "SELECT max(transaction_id) FROM pando_log").remove(0));
        session.execute("RESET BRANCH main TO TAG start").unwrap();
    }
    for (id, number) in made.iter().enumerate().rev() {
        session.execute(&format!("RESET BRANCH main TO TRANSACTION {number}")).unwrap();
        assert_eq!(rows(&session, "SELECT id FROM t"), [id.to_string()], "{number}");
    }
}
