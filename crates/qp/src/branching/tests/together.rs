//! One transaction over several branches.

use super::{error, reopened, rows, shop};
use crate::catalog::DatabaseIndex;
use crate::session::Session;

#[test]
fn a_transaction_goes_from_branch_to_branch_and_commits_once() {
    let session = shop();
    session
        .execute(
            "BEGIN; UPDATE item SET price = 20 WHERE id = 1;
             USE BRANCH dev; UPDATE item SET price = 30 WHERE id = 1;
             INSERT INTO item SELECT id + 100, name, price, stock FROM item@main;
             USE BRANCH main; DELETE FROM item WHERE id = 3;",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["20"]);
    session.execute("COMMIT WITH MESSAGE 'both'").unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, "SELECT id, price FROM item ORDER BY 1"), ["1|20", "2|5"]);
    // What the other branch read of this one was what the transaction itself had made.
    assert_eq!(
        rows(&session, "SELECT id, price FROM item@dev ORDER BY 1"),
        ["1|30", "2|5", "3|7", "101|20", "102|5", "103|7"]
    );
    let both = "SELECT branch_name FROM pando_log('*') WHERE message = 'both' ORDER BY 1";
    assert_eq!(rows(&session, both), ["dev", "main"]);
    assert_eq!(
        rows(&session, "SELECT changes > 0 FROM pando_log('dev') WHERE message = 'both'"),
        ["1"]
    );
}

#[test]
fn what_is_rolled_back_is_rolled_back_everywhere() {
    let session = shop();
    session.execute("BEGIN; DELETE FROM item; USE BRANCH dev; DELETE FROM item; ROLLBACK").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM item@main"), ["3"]);
    session
        .execute(
            "USE BRANCH main; BEGIN; DELETE FROM item WHERE id = 1; SAVEPOINT s; USE BRANCH dev;
             DELETE FROM item; ROLLBACK TO s; DELETE FROM item WHERE id = 2; COMMIT",
        )
        .unwrap();
    assert_eq!(rows(&session, "SELECT id FROM item@main"), ["2", "3"]);
    assert_eq!(rows(&session, "SELECT id FROM item@dev"), ["1", "3"]);
    session.execute("ALTER BRANCH main SET (read_only = true); BEGIN; DELETE FROM item").unwrap();
    session.execute("USE BRANCH main").unwrap();
    assert!(error(&session, "DELETE FROM item").contains("Cannot modify read-only branch: main"));
}

/// What one transaction did on several branches is undone, picked and shown on each.
#[test]
fn a_transaction_of_several_branches_is_undone_on_each() {
    let session = shop();
    session
        .execute(
            "CREATE BRANCH third; CREATE BRANCH still;
             BEGIN; UPDATE item SET price = 20 WHERE id = 1;
             UPDATE item@dev SET stock = 30 WHERE id = 2; DELETE FROM item@third; COMMIT;
             CREATE BRANCH taker FROM dev; UPDATE item@taker SET name = 'cap' WHERE id = 3",
        )
        .unwrap();
    let number = rows(&session, "SELECT max(transaction_id) FROM pando_log").remove(0);
    let changed = format!("SELECT column_name, new_value FROM pando_changes({number})");
    let undo = format!("UNDO TRANSACTION {number}");
    for (branch, shown, undone) in [
        ("main", "price|20", "undone|transaction N|main|0|1|0|0|0|0|0|0"),
        ("dev", "stock|30", "undone|transaction N|dev|0|1|0|0|0|0|0|0"),
        // It has what dev did.
        ("taker", "stock|30", "undone|transaction N|taker|0|1|0|0|0|0|0|0"),
        ("third", "id|NULL", "undone|transaction N|third|3|0|0|0|0|0|0|0"),
    ] {
        session.execute(&format!("USE BRANCH {branch}")).unwrap();
        assert_eq!(rows(&session, &changed)[0], shown, "{branch}");
        let told = rows(&session, &undo).remove(0);
        assert_eq!(told.replace(&number, "N"), undone, "{branch}");
        let as_before = "SELECT price, stock FROM item ORDER BY id";
        assert_eq!(rows(&session, as_before), ["2|10", "5|4", "7|1"], "{branch}");
    }
    session.execute("USE BRANCH dev").unwrap();
    session.execute(&format!("CHERRY PICK TRANSACTION {number} INTO still")).unwrap();
    assert_eq!(rows(&session, "SELECT sum(price), sum(stock) FROM item@still"), ["14|41"]);
}

/// Another session on the same database.
fn beside(session: &Session) -> Session {
    Session::new(session.database(DatabaseIndex::MAIN).unwrap().0)
}

#[test]
fn what_became_forbidden_meanwhile_is_refused_at_the_commit() {
    let session = shop();
    session.execute("GRANT WRITE ON BRANCH dev TO ann; GRANT READ ON BRANCH main TO ann").unwrap();
    for (begin, change) in [
        ("BEGIN; UPDATE item@dev SET price = 0", "ALTER BRANCH dev SET (read_only = true)"),
        (
            "BEGIN CONCURRENT; USE BRANCH dev; DELETE FROM item; USE BRANCH main; SELECT 1",
            "ALTER BRANCH dev SET (read_only = true)",
        ),
        ("BEGIN; UPDATE item@dev SET price = 0", "REVOKE WRITE ON BRANCH dev FROM ann"),
        ("BEGIN CONCURRENT; USE BRANCH dev; UPDATE item SET price = 0", "DROP BRANCH dev"),
    ] {
        let other = beside(&session);
        other.set_user(Some("ann"));
        other.execute(begin).unwrap();
        let before = rows(&session, "SELECT id, price FROM item@dev");
        session.execute(change).unwrap();
        let told = error(&other, "COMMIT");
        let wanted = match change.get(..4) {
            Some("ALTE") => "Cannot modify read-only branch: dev",
            Some("REVO") => "user 'ann' may not WRITE the branch 'dev'",
            _ => "the branch of this session was dropped",
        };
        assert_eq!(told, wanted, "{begin}: {change}");
        assert!(other.is_autocommit());
        if change != "DROP BRANCH dev" {
            assert_eq!(rows(&session, "SELECT id, price FROM item@dev"), before);
            session
                .execute(
                    "ALTER BRANCH dev SET (read_only = false); GRANT WRITE ON BRANCH dev TO ann",
                )
                .unwrap();
        }
    }
}

#[test]
fn what_a_merge_brought_needs_no_right_to_write_at_the_commit() {
    let session = shop();
    session.execute("GRANT MERGE ON BRANCH main TO ann; GRANT WRITE ON BRANCH dev TO ann").unwrap();
    session.execute("UPDATE item SET stock = 7").unwrap();
    session.set_user(Some("ann"));
    session.execute("UPDATE item@dev SET price = 9; BEGIN; MERGE BRANCH dev INTO main").unwrap();
    session.execute("COMMIT").unwrap();
    assert_eq!(rows(&session, "SELECT sum(price), sum(stock) FROM item"), ["27|21"]);
}

#[test]
fn a_session_whose_branch_was_dropped_hears_so_from_its_next_statement() {
    let session = shop();
    let other = beside(&session);
    other
        .execute("USE BRANCH dev; BEGIN CONCURRENT; UPDATE item SET price = 1 WHERE id = 1")
        .unwrap();
    session.execute("DROP BRANCH dev").unwrap();
    let gone = "the branch of this session was dropped";
    assert_eq!(error(&other, "UPDATE item SET price = 2 WHERE id = 1"), gone);
    other.execute("ROLLBACK").unwrap();
    assert_eq!(error(&other, "SELECT * FROM item"), gone);
    assert_eq!(error(&other, "INSERT INTO item VALUES (8, 'x', 1, 1)"), gone);
    other.execute("USE BRANCH main").unwrap();
    assert_eq!(rows(&other, "SELECT count(*) FROM item"), ["3"]);
}
