//! Branch statements as a user types them.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod counters;
mod elsewhere;
mod files;
mod forks;
mod grants;
mod json;
mod merges;
mod model;
mod parents;
mod previews;
mod retyped;
mod settings;
mod statements;
mod staying;
mod temporary;
mod together;
mod views;

use std::cell::RefCell;
use std::path::Path;

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, SimVfs, Vfs};
use pandodb_tm::wal::WalOptions;
use pandodb_tm::{Options, Synchronous};

use crate::session::Session;
use crate::session::tests::lines as rows;
use crate::store::Database;

thread_local! {
    /// The files of the test's newest database.
    static FILES: RefCell<Option<Arc<dyn Vfs>>> = const { RefCell::new(None) };
}

fn open(vfs: &Arc<dyn Vfs>) -> Session {
    Session::new(Database::open(vfs, Path::new("app.pando"), &Options::default()).unwrap())
}

/// A database on a simulated disk. Segments of the log are small, so that the disk is copied
/// quickly.
fn open_simulated(disk: &SimVfs, synchronous: Synchronous) -> Session {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let options = Options {
        synchronous,
        wal: WalOptions { segment_len: 64 << 10, ..WalOptions::default() },
        has_checkpoint_thread: false,
        checkpoints: None,
        ..Options::default()
    };
    Session::new(Database::open(&vfs, Path::new("app.pando"), &options).unwrap())
}

fn session() -> Session {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    FILES.set(Some(Arc::clone(&vfs)));
    open(&vfs)
}

/// Another file beside the test's newest database.
fn open_file(name: &str) -> Session {
    let vfs = FILES.with_borrow(|files| files.clone().unwrap());
    Session::new(Database::open(&vfs, Path::new(name), &Options::default()).unwrap())
}

/// The same database, closed and opened again.
fn reopened(session: Session) -> Session {
    drop(session);
    open(&FILES.with_borrow(|files| files.clone().unwrap()))
}

fn error(session: &Session, sql: &str) -> String {
    session.query(sql).map(|rows| rows.rows.len()).unwrap_err().to_string()
}

fn shop() -> Session {
    let session = session();
    session
        .execute(
            "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INT, stock INT);
             CREATE INDEX by_price ON item(price);
             INSERT INTO item VALUES (1,'pen',2,10),(2,'ink',5,4),(3,'pad',7,1);
             CREATE BRANCH dev;",
        )
        .unwrap();
    session
}

#[test]
fn a_branch_has_its_own_rows_and_shares_what_it_began_with() {
    let session = shop();
    session.execute("USE BRANCH dev; UPDATE item SET price = 3 WHERE id = 1").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["3"]);
    session.execute("USE BRANCH main").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["2"]);
    let branches = rows(&session, "SHOW BRANCHES");
    assert_eq!(branches.len(), 2);
    assert!(branches[0].starts_with("main|1|NULL|"), "{}", branches[0]);
    assert!(branches[1].starts_with("dev|2|main|"), "{}", branches[1]);
    assert_eq!(rows(&session, "SHOW DIFF BETWEEN main AND dev"), ["row|item|update|1|price|2|3"]);
}

/// Whether anything has made the session's database read its branches.
fn has_read_branches(session: &Session) -> bool {
    let (database, _) = session.database(crate::catalog::DatabaseIndex::MAIN).unwrap();
    database.has_open_branches()
}

#[test]
fn opening_does_not_read_the_branches_and_forgets_nothing_that_they_forbid() {
    let session = shop();
    session.execute("CREATE BRANCH brief WITH (temporary = true)").unwrap();
    let session = reopened(session);
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["2"]);
    session.execute("UPDATE item SET price = 8 WHERE id = 1").unwrap();
    session.execute("UPDATE item SET price = 9 WHERE id = 1").unwrap();
    assert!(!has_read_branches(&session));
    // What an opening sweeps away is gone for the first who asks.
    assert_eq!(rows(&session, "SELECT branch_name FROM pando_branches"), ["main", "dev"]);
    assert!(has_read_branches(&session));
    session.execute("ALTER BRANCH main SET (read_only = true)").unwrap();
    let session = reopened(session);
    let told = error(&session, "DELETE FROM item");
    assert!(told.contains("Cannot modify read-only branch: main"), "{told}");
    assert!(!has_read_branches(&session));
    session.execute("ALTER BRANCH main SET (read_only = false)").unwrap();
    session.execute("ALTER BRANCH dev SET (read_only = true)").unwrap();
    let session = reopened(session);
    session.execute("DELETE FROM item").unwrap();
    assert!(!has_read_branches(&session));
    session.execute("USE BRANCH dev").unwrap();
    let told = error(&session, "DELETE FROM item");
    assert!(told.contains("Cannot modify read-only branch: dev"), "{told}");
}

#[test]
fn changes_on_both_sides_are_merged_cell_by_cell() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev;
             UPDATE item SET price = 3 WHERE id = 1;
             INSERT INTO item VALUES (4,'cap',9,9);
             DELETE FROM item WHERE id = 3;
             USE BRANCH main;
             UPDATE item SET stock = 11 WHERE id = 1;
             INSERT INTO item VALUES (5,'box',1,1);",
        )
        .unwrap();
    let dry = rows(&session, "MERGE BRANCH dev INTO main WITH (dry_run = true)");
    assert_eq!(dry, ["would merge|dev|main|1|1|1|0|0|0|0|1"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["4"]);
    assert_eq!(rows(&session, "MERGE BRANCH dev INTO main"), ["merged|dev|main|1|1|1|0|0|0|0|0"]);
    assert_eq!(
        rows(&session, "SELECT * FROM item ORDER BY id"),
        ["1|pen|3|11", "2|ink|5|4", "4|cap|9|9", "5|box|1|1"]
    );
    // Indexes followed.
    assert_eq!(rows(&session, "SELECT id FROM item WHERE price = 9"), ["4"]);
    assert_eq!(rows(&session, "SELECT id FROM item WHERE price = 7"), [""; 0]);
    // A second merge right after changes nothing.
    let again = rows(&session, "MERGE BRANCH dev INTO main");
    assert!(again[0].starts_with("up to date|"), "{again:?}");
}

#[test]
fn an_untouched_target_moves_to_the_source() {
    let session = shop();
    session.execute("USE BRANCH dev; DELETE FROM item WHERE id > 1; USE BRANCH main").unwrap();
    let tried = rows(&session, "MERGE BRANCH dev INTO main WITH (dry_run = true)");
    assert_eq!(tried, ["would merge|dev|main|0|0|2|0|0|0|0|1"]);
    let merged = rows(&session, "MERGE BRANCH dev INTO main");
    // It takes no time to count.
    assert_eq!(merged, ["fast-forward|dev|main|NULL|NULL|NULL|NULL|NULL|0|0|0"]);
    assert_eq!(rows(&session, "SELECT id FROM item"), ["1"]);
}

#[test]
fn conflicts_stop_a_merge_and_are_resolved_by_policy_or_one_by_one() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; UPDATE item SET price = 30 WHERE id = 1; DELETE FROM item WHERE id=2;
             USE BRANCH main; UPDATE item SET price = 20 WHERE id = 1;
             UPDATE item SET stock = 0 WHERE id = 2;",
        )
        .unwrap();
    let message = error(&session, "MERGE BRANCH dev INTO main");
    assert!(message.contains("2 conflicts"), "{message}");
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["20"]);
    let open = rows(&session, "MERGE BRANCH dev INTO main WITH (conflict_resolution = manual)");
    assert!(open[0].starts_with("conflicts|dev|main|"), "{open:?}");
    let conflicts = rows(&session, "SHOW CONFLICTS");
    assert_eq!(conflicts.len(), 2, "{conflicts:?}");
    assert!(conflicts[0].starts_with("1|data|table|item|price|1|2|20|30|"), "{conflicts:?}");
    session.execute("RESOLVE CONFLICT 1 WITH VALUE 25; RESOLVE CONFLICT 2 WITH SOURCE").unwrap();
    let merged = rows(&session, "CONTINUE MERGE");
    assert!(merged[0].starts_with("merged|"), "{merged:?}");
    assert_eq!(rows(&session, "SELECT id, price FROM item ORDER BY id"), ["1|25", "3|7"]);
}

#[test]
fn a_merge_that_breaks_a_constraint_changes_nothing() {
    let session = session();
    session
        .execute(
            "CREATE TABLE parent(id INTEGER PRIMARY KEY);
             CREATE TABLE child(id INTEGER PRIMARY KEY, p INT REFERENCES parent(id), u INT UNIQUE);
             INSERT INTO parent VALUES (1),(2);
             INSERT INTO child VALUES (1,1,1);
             CREATE BRANCH dev; USE BRANCH dev;
             INSERT INTO child VALUES (2,2,7);
             USE BRANCH main;
             DELETE FROM parent WHERE id = 2;
             INSERT INTO child VALUES (3,1,7);",
        )
        .unwrap();
    let message = error(&session, "MERGE BRANCH dev INTO main");
    assert!(message.contains("conflict"), "{message}");
    assert_eq!(rows(&session, "SELECT id FROM child ORDER BY id"), ["1", "3"]);
    let dry = rows(&session, "MERGE BRANCH dev INTO main WITH (dry_run = true)");
    assert!(dry[0].starts_with("conflicts|dev|main|"), "{dry:?}");
}

#[test]
fn tables_indexes_views_and_triggers_of_the_source_come_along() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev;
             CREATE TABLE note(id INTEGER PRIMARY KEY, text TEXT UNIQUE);
             INSERT INTO note VALUES (1,'a'),(2,'b');
             CREATE INDEX by_stock ON item(stock);
             CREATE VIEW dear AS SELECT name FROM item WHERE price > 4;
             CREATE TRIGGER t AFTER INSERT ON item
             BEGIN INSERT INTO note(text) VALUES (new.name); END;
             USE BRANCH main;
             INSERT INTO item VALUES (6,'hat',8,8);",
        )
        .unwrap();
    let merged = rows(&session, "MERGE BRANCH dev INTO main");
    assert!(merged[0].starts_with("merged|dev|main|2|"), "{merged:?}");
    assert_eq!(rows(&session, "SELECT text FROM note ORDER BY id"), ["a", "b"]);
    assert_eq!(rows(&session, "SELECT name FROM dear ORDER BY name"), ["hat", "ink", "pad"]);
    assert_eq!(rows(&session, "SELECT id FROM item WHERE stock = 8"), ["6"]);
    session.execute("INSERT INTO item VALUES (7,'cup',1,1)").unwrap();
    assert_eq!(rows(&session, "SELECT text FROM note WHERE id = 3"), ["cup"]);
}

#[test]
fn branches_begin_at_transactions_and_tags_and_can_be_reset() {
    let session = shop();
    session.execute("TAG BRANCH main AS v1; DELETE FROM item").unwrap();
    let commits = rows(&session, "SHOW COMMITS ON main");
    assert!(commits.len() >= 3, "{commits:?}");
    session.execute("CREATE BRANCH old AS OF TAG v1; USE BRANCH old").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    let before: u64 = commits[0].split('|').next().unwrap().parse::<u64>().unwrap() - 1;
    session
        .execute(&format!("CREATE BRANCH earlier FROM main AS OF TRANSACTION {before}"))
        .unwrap();
    session.execute("USE BRANCH earlier").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    session.execute("USE BRANCH main; RESET BRANCH main TO TAG v1").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
}

#[test]
fn refusals_say_what_to_do() {
    let session = shop();
    assert!(error(&session, "CREATE BRANCH dev").contains("dev"));
    session.execute("CREATE BRANCH IF NOT EXISTS dev").unwrap();
    assert!(error(&session, "USE BRANCH dve").contains("dve"));
    assert!(error(&session, "MERGE BRANCH dev INTO dev").contains("itself"));
    assert!(error(&session, "DROP BRANCH nope").contains("nope"));
    session.execute("DROP BRANCH IF EXISTS nope").unwrap();
    session.execute("CREATE BRANCH audit WITH (read_only = true); USE BRANCH audit").unwrap();
    let refused = error(&session, "DELETE FROM item");
    assert_eq!(refused, "Cannot modify read-only branch: audit");
    let refused = session.execute("DROP BRANCH audit").unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    assert!(!refused.is_retryable(), "{refused}: it is so until another branch is used");
    session.execute("USE BRANCH main; DROP BRANCH dev").unwrap();
    session.execute("BEGIN").unwrap();
    assert!(error(&session, "CREATE BRANCH x").contains("transaction"));
    session.execute("ROLLBACK").unwrap();
}

#[test]
fn query_only_refuses_changes_until_it_is_off() {
    let session = shop();
    session.execute("PRAGMA query_only = on").unwrap();
    assert!(error(&session, "DELETE FROM item").contains("readonly"));
    assert!(error(&session, "CREATE TABLE x(a)").contains("readonly"));
    for statement in [
        "CREATE BRANCH other",
        "RESET BRANCH dev TO TRANSACTION 2",
        "DROP BRANCH dev",
        "ALTER BRANCH dev SET (description = 'x')",
        "ALTER BRANCH dev RENAME TO other",
        "TAG BRANCH dev AS x",
        "GRANT READ ON BRANCH dev TO ann",
        "MERGE BRANCH dev INTO main",
        "RESTORE TABLE item FROM dev",
        "UNDO TRANSACTION 2",
        "ABORT MERGE",
    ] {
        let told = error(&session, statement);
        assert!(told.contains("readonly"), "{statement}: {told}");
    }
    session.execute("USE BRANCH dev; PREVIEW DELETE FROM item; USE BRANCH main").unwrap_err();
    session.execute("USE BRANCH main").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_branches"), ["2"]);
    session.execute("PRAGMA query_only = off; DELETE FROM item").unwrap();
}

#[test]
fn hostile_branch_names_are_refused_and_odd_ones_kept() {
    let session = shop();
    for name in ["''", "\"\"", "\"../../etc\"", "\"a\u{0}b\"", "\"a\nb\"", "HEAD"] {
        let refused = session.query(&format!("CREATE BRANCH {name}"));
        assert!(refused.is_err(), "{name:?}");
    }
    session.execute("CREATE BRANCH \"team/neu-ä\"; USE BRANCH \"team/neu-ä\"").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM \"item\"@\"team/neu-ä\""), ["3"]);
    assert_eq!(rows(&session, "SHOW BRANCHES").len(), 3);
}
