//! GRANT and REVOKE: what a connection with a user may do.

use super::{error, open_file, rows, shop};
use crate::catalog::DatabaseIndex;
use crate::error::ErrorKind;
use crate::session::Session;

#[test]
fn a_user_may_do_what_was_granted_and_nothing_else() {
    let session = shop();
    session.execute("GRANT READ ON BRANCH main TO ann; GRANT WRITE ON BRANCH dev TO ann").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM pando_grants"), ["main|ann|READ", "dev|ann|WRITE"]);
    session.execute("CREATE BRANCH secret; TAG BRANCH secret AS hidden").unwrap();
    session.set_user(Some("ann"));
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    for (sql, part) in [
        ("UPDATE item SET price = 1", "may not WRITE the branch 'main'"),
        ("CREATE TABLE x(a)", "may not WRITE the branch 'main'"),
        ("USE BRANCH secret", "may not READ the branch 'secret'"),
        ("SELECT * FROM item@secret", "may not READ the branch 'secret'"),
        ("SELECT * FROM item@hidden", "may not read the tag 'hidden'"),
        ("SELECT * FROM item AS OF TAG hidden", "may not read the tag 'hidden'"),
        ("SELECT * FROM pando_diff('item', 'main', 'secret')", "may not READ"),
        ("SELECT * FROM pando_sizes('secret')", "may not READ"),
        ("SHOW COMMITS ON secret", "may not READ"),
        ("SHOW DIFF BETWEEN main AND secret", "may not READ"),
        ("CREATE BRANCH mine FROM secret", "may not READ"),
        ("DROP BRANCH dev", "may not ADMIN the branch 'dev'"),
        ("RENAME BRANCH dev TO d", "may not ADMIN"),
        ("ALTER BRANCH dev SET (read_only = true)", "may not ADMIN"),
        ("RESET BRANCH dev TO TRANSACTION 3", "may not ADMIN"),
        ("TAG BRANCH main AS x", "may not WRITE"),
        ("DROP TAG hidden", "may not read the tag 'hidden'"),
        ("GRANT ADMIN ON BRANCH dev TO ann", "may not ADMIN"),
        ("REVOKE READ ON BRANCH main FROM ann", "may not ADMIN"),
        ("MERGE BRANCH dev INTO main", "may not MERGE the branch 'main'"),
    ] {
        let failed = session.query(sql).map(|rows| rows.rows.len()).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Denied, "{sql}: {failed}");
        assert!(failed.to_string().contains(part), "{sql}: {failed}");
    }
    assert_eq!(rows(&session, "SELECT branch_name FROM pando_branches"), ["main", "dev"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_tags"), ["0"]);
    session.execute("USE BRANCH dev; UPDATE item SET price = 9 WHERE id = 1").unwrap();
}

/// A user is told of no name that he did not say himself, unless he may read the branch.
#[test]
fn errors_tell_no_names_of_branches_that_may_not_be_read() {
    let session = shop();
    session
        .execute(
            "GRANT WRITE ON BRANCH main TO ann; CREATE BRANCH secret; TAG BRANCH secret AS hidden;
             TAG BRANCH main AS shown; UPDATE item@secret SET price = 99;
             UPDATE item@dev SET price = 98",
        )
        .unwrap();
    let number = rows(&session, "SELECT max(transaction_id) FROM pando_log('secret')").remove(0);
    session.set_user(Some("ann"));
    for sql in [
        "USE BRANCH secre".to_owned(),
        "SELECT * FROM item@secre".to_owned(),
        "INSERT INTO item@secre(id) VALUES (8)".to_owned(),
        "CREATE BRANCH x FROM secre".to_owned(),
        "MERGE BRANCH secre INTO main".to_owned(),
        "SHOW COMMITS ON secre".to_owned(),
        "SELECT * FROM item AS OF TAG hiden".to_owned(),
        "SELECT * FROM pando_sizes('secre')".to_owned(),
        "DROP BRANCH secre".to_owned(),
        "DROP TAG hiden".to_owned(),
        "DROP TAG hidden".to_owned(),
        "SELECT * FROM item@hidden".to_owned(),
        format!("CHERRY PICK TRANSACTION {number}"),
        format!("UNDO TRANSACTION {number}"),
        format!("RESET BRANCH main TO TRANSACTION {number}"),
        format!("CREATE BRANCH x AS OF TRANSACTION {number}"),
        format!("SELECT * FROM pando_changes({number})"),
    ] {
        let failed = session.query(&sql).map(|rows| rows.rows.len()).unwrap_err();
        let told = format!("{failed:?}");
        assert!(!told.contains("secret'") && !told.contains("'hidden'?"), "{sql}: {told}");
    }
    let near = |sql: &str| {
        let failed = session.query(sql).map(|rows| rows.rows.len()).unwrap_err();
        failed.hint().unwrap_or_default().to_owned()
    };
    assert_eq!(near("USE BRANCH mian"), "did you mean 'main'?");
    assert_eq!(near("SELECT * FROM item AS OF TAG shwon"), "did you mean 'shown'?");
    session.set_user(None);
    assert_eq!(near("USE BRANCH secre"), "did you mean 'secret'?");
}

#[test]
fn a_branch_that_goes_with_its_merge_stays_where_who_merges_may_not_drop_it() {
    let session = shop();
    let listed = "SELECT branch_name FROM pando_branches ORDER BY 1";
    for (grant, is_forward, left) in [
        ("READ", false, vec!["dev", "main", "task"]),
        ("READ", true, vec!["dev", "main", "task"]),
        ("ADMIN", false, vec!["dev", "main"]),
        ("ADMIN", true, vec!["dev", "main"]),
    ] {
        let own = if is_forward { "" } else { "UPDATE item SET stock = stock + 1" };
        session
            .execute(&format!(
                "GRANT READ, MERGE ON BRANCH main TO ann;
                 CREATE BRANCH task WITH (auto_delete = true); USE BRANCH task;
                 UPDATE item SET price = price + 1; USE BRANCH main; {own};
                 GRANT {grant} ON BRANCH task TO ann"
            ))
            .unwrap();
        session.set_user(Some("ann"));
        let inside = "BEGIN; MERGE BRANCH task INTO main; ROLLBACK";
        assert_eq!(session.execute(inside).is_ok(), grant == "READ", "{grant}");
        let _ = session.execute("ROLLBACK");
        session.execute("MERGE BRANCH task INTO main").unwrap();
        session.set_user(None);
        assert_eq!(rows(&session, listed), left, "{grant} {is_forward}");
        session.execute("DROP BRANCH IF EXISTS task").unwrap();
    }
}

#[test]
fn merging_needs_its_own_grant_and_who_makes_a_branch_owns_it() {
    let session = shop();
    session.execute("GRANT READ, MERGE ON BRANCH main TO bob").unwrap();
    session.set_user(Some("bob"));
    session
        .execute("CREATE BRANCH work; USE BRANCH work; UPDATE item SET stock = 0; USE BRANCH main")
        .unwrap();
    assert!(error(&session, "UPDATE item SET stock = 1").contains("may not WRITE"));
    session.execute("MERGE BRANCH work INTO main WITH (delete_branch_after = true)").unwrap();
    assert_eq!(rows(&session, "SELECT sum(stock) FROM item"), ["0"]);
    // Still bob after the merge.
    assert!(error(&session, "UPDATE item SET stock = 1").contains("may not WRITE"));
    session.set_user(None);
    session.execute("REVOKE MERGE ON BRANCH main FROM bob; UPDATE item SET stock = 1").unwrap();
    assert_eq!(rows(&session, "SELECT privilege FROM pando_grants"), ["READ"]);
    session.set_user(Some("bob"));
    assert!(error(&session, "MERGE BRANCH dev INTO main").contains("may not"));
}

#[test]
fn a_transaction_that_began_before_is_refused_from_then_on() {
    let session = shop();
    session.execute("GRANT READ ON BRANCH main TO ann; BEGIN; SELECT * FROM item").unwrap();
    session.set_user(Some("ann"));
    assert!(error(&session, "DELETE FROM item").contains("may not WRITE"));
    session.execute("ROLLBACK").unwrap();
    session.set_user(Some("stranger"));
    assert!(error(&session, "SELECT * FROM item").contains("may not READ"));
}

/// A branch that may not be read shows its rows by no way around.
#[test]
fn previews_tags_and_picks_are_no_way_around_a_grant() {
    let session = shop();
    session
        .execute(
            "CREATE BRANCH secret; UPDATE item@secret SET price = 99; TAG BRANCH secret AS hidden;
             CREATE BRANCH mine; GRANT ADMIN ON BRANCH mine TO ann;
             UPDATE item@mine SET price = 5 WHERE id = 1",
        )
        .unwrap();
    let own = rows(&session, "SELECT max(transaction_id) FROM pando_log('mine')").remove(0);
    session.set_user(Some("ann"));
    for (sql, part) in [
        ("PREVIEW DELETE FROM item", "may not READ the branch 'main'"),
        ("CREATE BRANCH x FROM mine AS OF TAG hidden", "may not read the tag 'hidden'"),
        ("TAG BRANCH mine AS x AS OF TAG hidden", "may not read the tag 'hidden'"),
        ("RESET BRANCH mine TO TAG hidden", "may not read the tag 'hidden'"),
        ("PREVIEW MERGE BRANCH mine INTO secret", "may not READ the branch 'secret'"),
    ] {
        let failed = session.query(sql).map(|rows| rows.rows.len()).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Denied, "{sql}: {failed}");
        assert!(failed.to_string().contains(part), "{sql}: {failed}");
    }
    session.execute("USE BRANCH mine").unwrap();
    for sql in [
        "RESTORE TABLE item FROM mine AS OF TAG hidden".to_owned(),
        format!("PREVIEW CHERRY PICK TRANSACTION {own} INTO secret"),
        format!("CHERRY PICK TRANSACTION {own} INTO secret"),
    ] {
        let failed = session.query(&sql).map(|rows| rows.rows.len()).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Denied, "{sql}: {failed}");
    }
    assert_eq!(rows(&session, "SELECT sum(price) FROM item"), ["17"]);
}

#[test]
fn applying_a_merge_needs_the_rights_that_the_merge_needs() {
    let session = shop();
    session
        .execute(
            "UPDATE item@dev SET price = 1; UPDATE item SET stock = 2;
             GRANT READ ON BRANCH dev TO ann; GRANT MERGE ON BRANCH main TO ann",
        )
        .unwrap();
    session.set_user(Some("ann"));
    session.query("PREVIEW MERGE BRANCH dev INTO main WITH (delete_branch_after = true)").unwrap();
    assert!(error(&session, "APPLY").contains("may not ADMIN the branch 'dev'"));
    session.query("PREVIEW MERGE BRANCH dev INTO main").unwrap();
    session.execute("APPLY").unwrap();
    session.set_user(None);
    assert_eq!(rows(&session, "SELECT sum(price), sum(stock) FROM item"), ["3|6"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_branches"), ["2"]);
}

/// What all branches or all sessions share is the owner's, whatever else was granted.
#[test]
fn what_the_whole_file_keeps_and_what_touches_all_branches_is_for_the_owner() {
    let session = shop();
    session.execute("CREATE BRANCH mine; GRANT ADMIN ON BRANCH mine TO ann").unwrap();
    for user in ["ann", "stranger"] {
        session.set_user(Some(user));
        let mut refused = vec![
            "VACUUM".to_owned(),
            "VACUUM INTO 'copy.pando'".to_owned(),
            "BACKUP DATABASE TO 'copy.bak'".to_owned(),
            "RESTORE DATABASE FROM 'copy.bak' TO 'other.pando'".to_owned(),
            "PRAGMA integrity_check".to_owned(),
            "SELECT * FROM pragma_integrity_check".to_owned(),
            "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
            "PRAGMA main.wal_checkpoint".to_owned(),
            "PRAGMA incremental_vacuum".to_owned(),
            "PRAGMA shrink_memory".to_owned(),
        ];
        for setting in [
            "history_retention = OFF",
            "history_size = 1",
            "wal_mode = OFF",
            "wal_archive = ON",
            "compression = 'NONE'",
            "page_size = 1024",
            "default_cache_size = 5",
            "cache_size = 5",
            "cache_spill = OFF",
            "soft_heap_limit = 1000",
            "max_page_count = 1",
            "wal_autocheckpoint = 0",
            "checkpoint_interval = 1",
        ] {
            refused.push(format!("PRAGMA {setting}"));
            refused.push(format!("PRAGMA main.{setting}"));
        }
        for sql in &refused {
            let failed = session.query(sql).map(|rows| rows.rows.len()).unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::Denied, "{user}, {sql}: {failed}");
        }
        // What is a branch's own needs the right to write there.
        assert!(error(&session, "PRAGMA user_version = 3").contains("may not WRITE"), "{user}");
        assert!(error(&session, "PRAGMA optimize = 65538").contains("may not"), "{user}");
        // Nothing is made, and what is the session's own can be set.
        assert!(error(&session, "ATTACH 'new.pando' AS other").contains("unable to open"));
        session
            .execute("PRAGMA busy_timeout = 5; PRAGMA temp.cache_size = 5; ATTACH ':memory:' AS m")
            .unwrap();
        session.execute("DETACH m").unwrap();
    }
    session.set_user(Some("ann"));
    session.execute("USE BRANCH mine; PRAGMA user_version = 3; PRAGMA optimize = 65538").unwrap();
    assert_eq!(rows(&session, "PRAGMA quick_check"), ["ok"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check(item)"), ["ok"]);
    session.set_user(None);
    session.execute("PRAGMA wal_checkpoint; VACUUM; VACUUM INTO 'copy.pando'").unwrap();
}

/// Names of branches that a user may not read are not told.
#[test]
fn storage_locks_and_snapshots_tell_of_readable_branches_alone() {
    let session = shop();
    session
        .execute(
            "CREATE BRANCH mine; CREATE BRANCH secret; GRANT READ ON BRANCH mine TO ann;
             USE BRANCH secret; BEGIN IMMEDIATE; UPDATE item SET price = 1",
        )
        .unwrap();
    let other = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
    let told = |session: &Session| {
        let storage = rows(session, "SELECT branch_bytes FROM pragma_storage_info").remove(0);
        let snapshots = rows(session, "SELECT branch FROM pragma_snapshot_list");
        let locks = rows(session, "SELECT count(*) > 0 FROM pragma_lock_list").remove(0);
        (storage, snapshots, locks)
    };
    let (storage, snapshots, locks) = told(&other);
    assert!(storage.contains("secret") && snapshots.contains(&"secret".to_owned()));
    assert_eq!(locks, "1");
    other.set_user(Some("ann"));
    other.execute("USE BRANCH mine").unwrap();
    let (storage, snapshots, locks) = told(&other);
    assert!(storage.contains("mine"), "{storage}");
    assert!(!storage.contains("secret") && !storage.contains("main"), "{storage}");
    assert!(snapshots.iter().all(|branch| branch == "mine"), "{snapshots:?}");
    assert_eq!(locks, "0");
    other.set_user(Some("stranger"));
    let told = rows(&other, "PRAGMA storage_info").remove(0);
    assert!(told.ends_with("|{}"), "{told}");
}

#[test]
fn rights_are_those_of_the_database_that_the_session_was_opened_with() {
    let session = shop();
    session.execute("GRANT READ ON BRANCH main TO ann").unwrap();
    let plain = open_file("plain.pando");
    plain.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1)").unwrap();
    let guarded = open_file("guarded.pando");
    guarded.execute("CREATE TABLE t(x); GRANT READ ON BRANCH main TO bob").unwrap();
    let friendly = open_file("friendly.pando");
    friendly.execute("CREATE TABLE t(x); GRANT WRITE ON BRANCH main TO ann").unwrap();
    drop((plain, guarded, friendly));
    session.set_user(Some("ann"));
    session
        .execute(
            "ATTACH ':memory:' AS m; CREATE TABLE m.t(x); INSERT INTO m.t SELECT id FROM item;
             CREATE TEMP TABLE own AS SELECT * FROM m.t; DELETE FROM own WHERE x = 1;
             ATTACH 'plain.pando' AS p; UPDATE p.t SET x = 2",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT x FROM m.t"), ["1", "2", "3"]);
    assert_eq!(rows(&session, "SELECT x FROM own"), ["2", "3"]);
    assert_eq!(rows(&session, "SELECT x FROM p.t"), ["2"]);
    assert_eq!(rows(&session, "SELECT x FROM p.t@main"), ["2"]);
    assert!(error(&session, "DELETE FROM item").contains("may not WRITE the branch 'main'"));
    session.execute("ATTACH 'friendly.pando' AS f; INSERT INTO f.t VALUES (5)").unwrap();
    // A file that names others lets nobody else in.
    let told = error(&session, "ATTACH 'guarded.pando' AS g");
    assert!(told.contains("user 'ann' may not READ the branch 'main'"), "{told}");
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
}

#[test]
fn what_is_the_owners_alone_is_refused_to_everybody_else() {
    let session = shop();
    session.execute("GRANT ADMIN ON BRANCH main TO ann; GRANT ADMIN ON BRANCH dev TO ann").unwrap();
    session.set_user(Some("ann"));
    for sql in [
        "BACKUP DATABASE TO 'copy.pando'",
        "VACUUM INTO 'copy.pando'",
        "PRAGMA history_retention = '1 second'",
        "PRAGMA compression = 'LZ4'",
    ] {
        let failed = session.query(sql).map(|rows| rows.rows.len()).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Denied, "{sql}: {failed}");
    }
    session.execute("PRAGMA user_version = 3; DELETE FROM item").unwrap();
}

#[test]
fn a_commit_may_be_read_where_a_branch_that_may_be_read_has_it() {
    let session = shop();
    let commit = || {
        let newest = "SELECT max(transaction_id) FROM pando_log('dev')";
        rows(&session, newest).remove(0)
    };
    session.execute("GRANT READ ON BRANCH main TO ann; USE BRANCH dev").unwrap();
    session.execute("UPDATE item SET price = 77 WHERE id = 1").unwrap();
    let forwarded = commit();
    session.execute("MERGE BRANCH dev INTO main; USE BRANCH dev").unwrap();
    session.execute("UPDATE item SET price = 78 WHERE id = 2").unwrap();
    let own = commit();
    session.execute("USE BRANCH main").unwrap();
    session.set_user(Some("ann"));
    let [changes, differs] = [
        |number: &str| format!("SELECT * FROM pando_changes({number})"),
        |number: &str| format!("SHOW DIFF BETWEEN \"{number}\" AND main"),
    ];
    let asked = |sql: &str| session.query(sql).map(|found| found.rows.len());
    assert_eq!(asked(&changes(&forwarded)).unwrap(), 1);
    assert_eq!(asked(&differs(&forwarded)).unwrap(), 0);
    for sql in [changes(&own), differs(&own)] {
        let failed = asked(&sql).unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Denied, "{sql}: {failed}");
    }
    session.set_user(None);
    session.execute("DROP BRANCH dev").unwrap();
    session.set_user(Some("ann"));
    assert_eq!(asked(&changes(&forwarded)).unwrap(), 1);
    assert_eq!(asked(&changes(&own)).unwrap_err().kind(), ErrorKind::Denied);
}

/// Conflicts have cells of the source: who may not read it sees none, and decides none.
#[test]
fn an_open_merge_shows_nothing_of_a_branch_that_may_not_be_read() {
    let session = shop();
    session
        .execute(
            "CREATE BRANCH secret; UPDATE item@secret SET price = 99; UPDATE item SET price = 98;
             GRANT MERGE ON BRANCH main TO ann; GRANT WRITE ON BRANCH main TO bob",
        )
        .unwrap();
    let number = rows(&session, "SELECT max(transaction_id) FROM pando_log('secret')").remove(0);
    let seen = ["SELECT count(*) FROM pando_conflicts", "SELECT count(*) > 0 FROM pando_conflicts"];
    for (begun, user) in [
        ("MERGE BRANCH secret INTO main".to_owned(), "ann"),
        (format!("CHERRY PICK TRANSACTION {number}"), "bob"),
    ] {
        let manual = "WITH (conflict_resolution = 'manual')";
        session.query(&format!("{begun} {manual}")).unwrap();
        assert_eq!(rows(&session, seen[1]), ["1"]);
        session.set_user(Some(user));
        assert_eq!(rows(&session, seen[0]), ["0"], "{begun}");
        assert_eq!(session.query("SHOW CONFLICTS").unwrap().rows.len(), 0);
        for sql in
            ["RESOLVE CONFLICTS WITH SOURCE", "RESOLVE CONFLICT 1 WITH SOURCE", "CONTINUE MERGE"]
        {
            let failed = session.query(sql).map(|rows| rows.rows.len()).unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::Denied, "{sql}: {failed}");
            assert!(!failed.to_string().contains("secret"), "{failed}");
        }
        session.set_user(None);
        session.execute(&format!("GRANT READ ON BRANCH secret TO {user}")).unwrap();
        session.set_user(Some(user));
        assert_eq!(rows(&session, seen[1]), ["1"], "{begun}");
        session.execute("RESOLVE CONFLICTS WITH TARGET").unwrap();
        session.set_user(None);
        session.execute(&format!("REVOKE READ ON BRANCH secret FROM {user}")).unwrap();
        session.set_user(Some(user));
        assert!(error(&session, "CONTINUE MERGE").contains("may not read what is merged"));
        session.execute("ABORT MERGE").unwrap();
        session.set_user(None);
    }
    assert_eq!(rows(&session, "SELECT sum(price) FROM item"), ["294"]);
}

/// Who may pick commits may also settle what a pick left open.
#[test]
fn who_began_a_pick_that_stays_open_may_end_it() {
    let session = shop();
    session
        .execute(
            "UPDATE item@dev SET price = 99; UPDATE item SET price = 98;
             GRANT WRITE ON BRANCH main TO ann; GRANT READ ON BRANCH dev TO ann",
        )
        .unwrap();
    let number = rows(&session, "SELECT max(transaction_id) FROM pando_log('dev')").remove(0);
    let pick = format!("CHERRY PICK TRANSACTION {number} WITH (conflict_resolution = 'manual')");
    session.set_user(Some("ann"));
    session.execute(&format!("{pick}; ABORT MERGE; {pick}")).unwrap();
    session.execute("RESOLVE CONFLICTS WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT sum(price) FROM item"), ["297"]);
    session.set_user(None);
    session.execute("UPDATE item@dev SET price = 97; UPDATE item SET price = 96").unwrap();
    let merge = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')";
    session.query(merge).unwrap();
    session.set_user(Some("ann"));
    for sql in ["RESOLVE CONFLICTS WITH SOURCE", "CONTINUE MERGE", "ABORT MERGE"] {
        assert!(error(&session, sql).contains("may not MERGE the branch 'main'"), "{sql}");
    }
}
