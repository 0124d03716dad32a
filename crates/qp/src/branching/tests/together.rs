//! One transaction over several branches.

use super::{error, reopened, rows, shop};

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
