//! Differences whose pages cannot be read while their rows are given out, and those that the
//! database goes on under.
//!
//! Neighbours: `streams` has the rows where nothing goes wrong.

use pandodb_ds::record::Value;
use pandodb_ds::vfs::{Fault, SimVfs};
use pandodb_tm::Synchronous;

use crate::branching::tests::{open_simulated, rows};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind};
use crate::session::{Session, Statement, Step};

/// How often a fault befalls each statement, at places that are spread over its reads.
const PLACES: u64 = 12;

/// `{commit}` is the one that changed `item` on `dev`.
const DIFFERENCES: &[&str] = &[
    "SHOW DIFF BETWEEN main AND dev",
    "SELECT * FROM pando_diff('item', 'main', 'dev')",
    "SELECT change, new_a FROM pando_diff('moved', 'main', 'dev') WHERE change <> 'update'",
    "SELECT * FROM pando_diff_summary('main', 'dev')",
    "SELECT * FROM pando_changes({commit})",
];

/// What others do while rows are given out: all that is compared goes, and its room is wanted.
const MEANWHILE: &str = "UPDATE item SET name = 'else'; DELETE FROM moved; PRAGMA wal_checkpoint;
    UPDATE item@dev SET name = 'other', body = NULL; PRAGMA wal_checkpoint(TRUNCATE);
    DROP BRANCH dev; DROP BRANCH side; PRAGMA wal_checkpoint(TRUNCATE);
    INSERT INTO beat SELECT value, randomblob(300) FROM generate_series(1, 2000);
    PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory";

type Told = Result<Vec<Vec<Value>>, Error>;

/// Tables whose rows differ on two branches: in pages that deltas stand for, in values with pages
/// of their own, and stored in two ways, so that they are read whole.
fn prepared(disk: &SimVfs) -> Session {
    let session = open_simulated(disk, Synchronous::Normal);
    for sql in [
        "CREATE TABLE item(id INTEGER PRIMARY KEY, name, body)",
        "CREATE TABLE moved(a TEXT PRIMARY KEY, b) WITHOUT ROWID",
        "CREATE TABLE beat(id INTEGER PRIMARY KEY, n)",
        "INSERT INTO item SELECT value, 'n' || value, randomblob(CASE WHEN value % 400 = 0 \
         THEN 20000 ELSE 200 END) FROM generate_series(1, 2000)",
        "INSERT INTO moved SELECT 'a' || value, randomblob(200) FROM generate_series(1, 600)",
        "PRAGMA wal_checkpoint(TRUNCATE)",
        "CREATE BRANCH dev",
        "CREATE BRANCH side",
        "USE BRANCH dev",
        "UPDATE item SET name = name || 'x', body = CASE WHEN id % 800 = 0 THEN randomblob(20000) \
         ELSE body END WHERE id % 5 = 0",
        "DELETE FROM item WHERE id % 50 = 1",
        "ALTER TABLE moved ADD COLUMN c DEFAULT 1",
        "DELETE FROM moved WHERE b < x'40'",
        "USE BRANCH main",
        "ALTER TABLE moved ADD COLUMN d DEFAULT 2",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    session
}

/// The rows of a statement up to its end or its error, and how many came before that.
fn told(statement: &mut Statement<'_>) -> (Told, usize) {
    let mut rows = Vec::new();
    loop {
        match statement.step() {
            Ok(Step::Row) => rows.push(statement.row().unwrap()),
            Ok(Step::Done) => return (Ok(rows), 0),
            Err(error) => return (Err(error), rows.len()),
        }
    }
}

fn statement<'s>(session: &'s Session, sql: &str) -> Statement<'s> {
    session.prepare(sql).unwrap().0.unwrap()
}

/// Differences with their numbers filled in.
fn differences(session: &Session) -> Vec<String> {
    let sql = "SELECT min(transaction_id) FROM pando_log('dev') l WHERE EXISTS \
               (SELECT 1 FROM pando_changes(l.transaction_id) WHERE change = 'update')";
    let commit = rows(session, sql).pop().unwrap();
    DIFFERENCES.iter().map(|sql| sql.replace("{commit}", &commit)).collect()
}

/// Alone, so that rows are given out while others are not found; or gathered, with others.
fn set_threads(session: &Session, threads: u32) {
    session.change_settings(|settings| {
        settings.threads = threads;
        settings.parallel_rows_min = 0;
    });
}

/// A statement holds nothing any more: no version, and no lock. Both versions around a commit are
/// known for some seconds, for those who ask again.
#[track_caller]
fn assert_nothing_is_held(session: &Session, sql: &str) {
    let (database, _) = session.database(DatabaseIndex::MAIN).unwrap();
    let (snapshots, locks) = (database.manager().snapshots(), database.manager().locks());
    let most = if sql.contains("pando_changes") { 2 } else { 0 };
    assert!(snapshots.len() <= most && locks.is_empty(), "{sql}: {snapshots:?} {locks:?}");
}

/// How many bytes of the file are in use once nothing needs what is gone.
fn bytes_in_use(session: &Session) -> u64 {
    let sql = "PRAGMA history_retention = OFF; PRAGMA wal_checkpoint(TRUNCATE); \
               PRAGMA wal_checkpoint(TRUNCATE)";
    session.execute(sql).unwrap();
    let used = "SELECT used_pages * p.page_size FROM pragma_storage_info, pragma_page_size p";
    rows(session, used)[0].parse().unwrap()
}

#[test]
fn a_difference_that_cannot_be_read_is_an_error_and_can_be_asked_for_again() {
    let disk = SimVfs::new(11);
    let session = prepared(&disk);
    let differences = differences(&session);
    drop(session);
    let session = open_simulated(&disk, Synchronous::Normal);
    let (mut refused, mut amid, mut beats) = (0, 0, 0);
    for sql in &differences {
        for threads in [1, 3] {
            set_threads(&session, threads);
            session.query("PRAGMA shrink_memory").unwrap();
            let before = disk.operations();
            let expected = told(&mut statement(&session, sql)).0.unwrap();
            let reads = disk.operations() - before;
            assert!(reads > PLACES && !expected.is_empty(), "{sql}: {reads} reads");
            for place in 0..PLACES {
                let mut statement = statement(&session, sql);
                session.query("PRAGMA shrink_memory").unwrap();
                disk.inject(disk.operations() + 1 + place * reads / PLACES, Fault::ReadError);
                let (found, before) = told(&mut statement);
                match found {
                    Ok(found) => assert_eq!(found, expected, "{sql}"),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Io, "{sql}: {error}");
                        refused += 1;
                        amid += usize::from(before > 0);
                    }
                }
                disk.clear_faults();
                assert_nothing_is_held(&session, sql);
                beats += 1;
                session.query(&format!("INSERT INTO beat@side VALUES ({beats}, 1)")).unwrap();
                let again = told(&mut statement).0.unwrap();
                assert_eq!(again.len(), expected.len(), "{sql}");
            }
        }
    }
    assert!(refused > 80 && amid > 15, "{refused} errors, {amid} amid rows");
    assert_eq!(rows(&session, "SELECT count(*) FROM beat@side"), [beats.to_string()]);
    let all = "DROP BRANCH dev; DROP BRANCH side; DELETE FROM item; DELETE FROM moved";
    session.execute(all).unwrap();
    drop(session);
    let session = open_simulated(&disk, Synchronous::Normal);
    assert!(bytes_in_use(&session) < 100_000, "{}", bytes_in_use(&session));
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn a_damaged_page_under_a_difference_is_told_and_holds_nothing_up() {
    let whole = SimVfs::new(12);
    let session = prepared(&whole);
    let differences = differences(&session);
    drop(session);
    let (mut damaged, mut amid, mut drops) = (0, 0, 0);
    for (sql, seed) in differences.iter().zip(1_u64..) {
        for (threads, place) in [(1, 1), (3, 2), (1, 3), (1, 5), (3, 7), (1, 8)] {
            let disk = whole.copy(seed * 100 + place);
            let session = open_simulated(&disk, Synchronous::Normal);
            set_threads(&session, threads);
            let before = disk.operations();
            let mut statement = statement(&session, sql);
            let expected = told(&mut statement).0.unwrap();
            assert_nothing_is_held(&session, sql);
            let reads = disk.operations() - before;
            session.query("PRAGMA shrink_memory").unwrap();
            disk.inject(disk.operations() + 1 + place * reads / 9, Fault::BitRot);
            // What is damaged stays so.
            for _ in 0..2 {
                let (found, before) = told(&mut statement);
                match found {
                    Ok(found) => assert_eq!(found, expected, "{sql}"),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Corrupt, "{sql}: {error}");
                        damaged += 1;
                        amid += usize::from(before > 0);
                    }
                }
                assert_nothing_is_held(&session, sql);
            }
            drop(statement);
            let kind = |done: Result<_, Error>| done.map_err(|error| error.kind());
            let dropped = kind(session.execute("INSERT INTO beat VALUES (1, 1); DROP BRANCH dev"));
            if dropped.is_err() {
                // It is a page of what tells where the branch is.
                assert_eq!(dropped, Err(ErrorKind::Corrupt), "{sql}");
                continue;
            }
            drops += 1;
            // What is read to delete it may be damaged as well; that holds nothing else up.
            let deleted = kind(session.execute("DELETE FROM item"));
            assert!(deleted.is_ok() || deleted == Err(ErrorKind::Corrupt), "{sql}: {deleted:?}");
            let goes_on = "INSERT INTO beat VALUES (2, 2); PRAGMA wal_checkpoint(TRUNCATE)";
            session.execute(goes_on).unwrap();
            drop(session);
            let session = open_simulated(&disk, Synchronous::Normal);
            assert_eq!(rows(&session, "SELECT count(*) FROM beat"), ["2"]);
            let log = session.database(DatabaseIndex::MAIN).unwrap().0.manager().log_bytes();
            assert_eq!(log, 0, "{sql}");
        }
    }
    assert!(damaged > 40 && amid > 10, "{damaged} errors, {amid} amid rows");
    assert!(drops > 15, "{drops}");
}

#[test]
fn a_difference_stays_with_its_versions_whatever_is_committed_and_checkpointed_meanwhile() {
    let whole = SimVfs::new(13);
    let session = prepared(&whole);
    let differences = differences(&session);
    drop(session);
    for (sql, seed) in differences.iter().zip(1..) {
        for goes_on in [true, false] {
            let disk = whole.copy(seed);
            let session = open_simulated(&disk, Synchronous::Normal);
            set_threads(&session, 1);
            let expected = told(&mut statement(&session, sql)).0.unwrap();
            session.query("PRAGMA shrink_memory").unwrap();
            let mut statement = statement(&session, sql);
            let mut found = Vec::new();
            for _ in 0..expected.len().min(3) {
                assert_eq!(statement.step().unwrap(), Step::Row, "{sql}");
                found.push(statement.row().unwrap());
            }
            let writer = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
            writer.execute(MEANWHILE).unwrap();
            if goes_on {
                found.extend(told(&mut statement).0.unwrap());
                assert_eq!(found, expected, "{sql}");
            }
            drop(statement);
            assert_nothing_is_held(&session, sql);
            session.execute("DELETE FROM item; DELETE FROM beat").unwrap();
            drop(writer);
            drop(session);
            let session = open_simulated(&disk, Synchronous::Normal);
            assert!(bytes_in_use(&session) < 100_000, "{}", bytes_in_use(&session));
            assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
        }
    }
}
