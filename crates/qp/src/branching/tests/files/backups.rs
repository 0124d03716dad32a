//! BACKUP and RESTORE in SQL.

use std::path::Path;

use super::{error, open_file, rows, shop};
use crate::branching::tests::FILES;
use crate::catalog::DatabaseIndex;
use crate::error::ErrorKind;
use crate::session::Session;
use crate::store::Database;

#[test]
fn a_full_backup_and_its_increments_are_restored_with_their_branches() {
    let session = shop();
    let taken = rows(&session, "BACKUP DATABASE TO 'full.bak'");
    assert!(taken[0].starts_with("full backup|full.bak|"), "{taken:?}");
    session
        .execute(
            "UPDATE item SET price = 100 WHERE id = 1; USE BRANCH dev; DELETE FROM item;
             USE BRANCH main",
        )
        .unwrap();
    let taken = rows(&session, "BACKUP INCREMENTAL TO 'one.bak'");
    assert!(taken[0].starts_with("incremental backup|one.bak|"), "{taken:?}");
    session.execute("INSERT INTO item VALUES (50,'last',1,1)").unwrap();
    session.execute("BACKUP INCREMENTAL TO 'two.bak'").unwrap();
    session.execute("DROP TABLE item").unwrap();
    let restored = rows(&session, "RESTORE DATABASE FROM 'two.bak' TO 'new.pando'");
    assert!(restored[0].starts_with("restored|new.pando|"), "{restored:?}");
    assert!(restored[0].ends_with("|3"), "{restored:?}");
    let other = open_file("new.pando");
    assert_eq!(
        rows(&other, "SELECT id, price FROM item ORDER BY 1"),
        ["1|100", "2|5", "3|7", "50|1"]
    );
    assert_eq!(rows(&other, "SELECT count(*) FROM item@dev"), ["0"]);
    assert_eq!(rows(&other, "PRAGMA integrity_check"), ["ok"]);
    // The backup before is restored as it was.
    session.execute("RESTORE DATABASE FROM 'full.bak' TO 'old.pando'").unwrap();
    assert_eq!(rows(&open_file("old.pando"), "SELECT price FROM item WHERE id = 1"), ["2"]);
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_told() {
    let session = shop();
    assert!(error(&session, "BACKUP INCREMENTAL TO 'x.bak'").contains("no backup to stand on"));
    session.execute("BACKUP DATABASE TO 'full.bak'").unwrap();
    assert!(error(&session, "BACKUP DATABASE TO 'full.bak'").contains("exists"));
    assert!(error(&session, "RESTORE DATABASE FROM 'full.bak'").contains("is open"));
    assert!(error(&session, "RESTORE DATABASE FROM 'none.bak' TO 'y'").contains("none.bak"));
    assert!(
        error(&session, "RESTORE DATABASE FROM 'full.bak' TO 'app.pando'").contains("app.pando")
    );
    let memory = Session::new(Database::in_memory().unwrap());
    assert!(error(&memory, "BACKUP DATABASE TO 'm.bak'").contains("in memory"));
    session.set_user(Some("ann"));
    assert!(error(&session, "BACKUP DATABASE TO 'mine.bak'").contains("may not"));
    assert_eq!(rows(&shop(), "SELECT count(*) FROM item"), ["3"]);
}

#[test]
fn a_restore_and_a_copy_stop_at_whatever_asks_for_it_and_leave_nothing() {
    let session = shop();
    session.execute("CREATE TABLE large(a)").unwrap();
    let fill = "INSERT INTO large SELECT randomblob(2000) FROM generate_series(1, 3000)";
    session.execute(fill).unwrap();
    session.execute("BACKUP DATABASE TO 'full.bak'").unwrap();
    let files = || FILES.with_borrow(|files| files.as_ref().unwrap().list(Path::new("")).unwrap());
    for sql in ["RESTORE DATABASE FROM 'full.bak' TO 'new.pando'", "VACUUM INTO 'copy.pando'"] {
        let before = files();
        let mut stops = 0;
        // Until it does not ask so often.
        for asked in 1.. {
            let mut left = asked;
            let hook = move || {
                left -= 1;
                left == 0
            };
            session.set_progress_hook(Some(Box::new(hook)));
            let done = session.execute(sql);
            session.set_progress_hook(None);
            let Err(stopped) = done else { break };
            assert_eq!(stopped.kind(), ErrorKind::Interrupted, "{stopped}");
            assert_eq!(files(), before, "{sql}, stopped when it asked the {asked}th time");
            stops += 1;
        }
        assert!(stops > 4, "{sql} asked {stops} times");
    }
}

#[test]
fn a_branch_that_is_a_copy_stops_at_whatever_asks_for_it_and_leaves_nothing() {
    let session = shop();
    session.execute("CREATE TABLE large(a, b); CREATE INDEX by_a ON large(a)").unwrap();
    let fill = "INSERT INTO large SELECT value, randomblob(200) FROM generate_series(1, 4000)";
    session.execute(fill).unwrap();
    let copy = "CREATE BRANCH apart WITH (strategy = 'copy')";
    let (database, _) = session.database(DatabaseIndex::MAIN).unwrap();
    let heads = || database.manager().head_count();
    let before = heads();
    let mut stops = 0;
    for asked in 1.. {
        let mut left = asked;
        let hook = move || {
            left -= 1;
            left == 0
        };
        session.set_progress_hook(Some(Box::new(hook)));
        let done = session.execute(copy);
        session.set_progress_hook(None);
        let Err(stopped) = done else { break };
        assert_eq!(stopped.kind(), ErrorKind::Interrupted, "{stopped}");
        assert_eq!(heads(), before, "stopped when it asked the {asked}th time");
        assert!(error(&session, "USE BRANCH apart").contains("there is no branch"));
        stops += 1;
    }
    assert!(stops > 20, "it asked {stops} times");
    assert_eq!(rows(&session, "SELECT count(*), sum(a) FROM large@apart"), ["4000|8002000"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}
