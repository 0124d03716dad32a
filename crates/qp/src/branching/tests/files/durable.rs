//! What branch statements wait for: the disk at `synchronous = FULL`, nothing at NORMAL.
//!
//! Each kind of statement runs alone on a simulated disk whose operations are counted. Then the
//! power goes and the disk loses everything that was not synced: at FULL the database must be as
//! the statement left it. Beside branch statements, whatever else commits for a session is here.

use std::path::Path;

use pandodb_ds::vfs::{OperationKind, SimVfs, Survival};
use pandodb_tm::Synchronous;

use super::{open_simulated as open, rows};
use crate::session::Session;

/// Statements that prepare, and the one that is looked at. `{newest}` is the number of the newest
/// transaction then.
const CASES: &[(&str, &str)] = &[
    ("", "CREATE BRANCH new"),
    ("", "CREATE BRANCH new AS OF TRANSACTION {newest}"),
    ("", "CREATE BRANCH new AS OF TAG v1"),
    ("", "CREATE BRANCH new WITH (strategy = 'copy')"),
    ("", "DROP BRANCH idle"),
    ("", "ALTER BRANCH dev SET (read_only = true)"),
    ("", "RENAME BRANCH dev TO other"),
    ("", "RESET BRANCH dev TO TAG v1"),
    ("", "RESET BRANCH dev TO TRANSACTION {newest}"),
    ("", "TAG BRANCH dev AS v2"),
    ("", "DROP TAG v1"),
    ("", "GRANT READ ON BRANCH dev TO ann"),
    ("GRANT READ ON BRANCH dev TO ann", "REVOKE READ ON BRANCH dev FROM ann"),
    // Fast-forward, and both sides.
    ("", "MERGE BRANCH dev INTO main"),
    ("", "MERGE BRANCH dev INTO main WITH (delete_branch_after = true)"),
    ("UPDATE item SET stock = 8 WHERE id = 2", "MERGE BRANCH dev INTO main"),
    (CLASH, "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')"),
    (OPEN, "RESOLVE CONFLICT 1 WITH SOURCE"),
    (OPEN, "RESOLVE CONFLICTS WITH TARGET"),
    (RESOLVED, "CONTINUE MERGE"),
    (OPEN, "ABORT MERGE"),
    ("DELETE FROM item WHERE id = 3", "UNDO TRANSACTION {newest}"),
    ("USE BRANCH dev; UPDATE item SET price = 1 WHERE id = 3", "CHERRY PICK {newest} INTO main"),
    ("DELETE FROM item", "RESTORE TABLE item AS OF TAG v1"),
    ("DELETE FROM item", "RESTORE TABLE item FROM dev"),
    ("PREVIEW DELETE FROM item", "APPLY"),
    ("PREVIEW MERGE BRANCH dev INTO main", "APPLY"),
    ("", "BACKUP DATABASE TO 'full.bak'"),
    // What is no branch statement.
    ("", "INSERT INTO item VALUES (9, 'cap', 1, 1)"),
    ("", "CREATE TABLE note(id INTEGER PRIMARY KEY)"),
    ("", "CREATE INDEX by_stock ON item(stock)"),
    ("", "CREATE VIEW dear AS SELECT name FROM item"),
    ("", "ALTER TABLE item ADD COLUMN colour TEXT"),
    ("", "DROP TABLE item"),
    ("", "ANALYZE"),
    ("", "PRAGMA user_version = 7"),
    ("", "PRAGMA default_cache_size = 1234"),
    ("", "PRAGMA history_retention = '3d'"),
    ("BEGIN; DELETE FROM item", "COMMIT"),
    ("SAVEPOINT one; DELETE FROM item", "RELEASE one"),
];

const CLASH: &str = "UPDATE item SET price = 99 WHERE id = 1";
const OPEN: &str = "UPDATE item SET price = 99 WHERE id = 1;
    MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')";
const RESOLVED: &str = "UPDATE item SET price = 99 WHERE id = 1;
    MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual');
    RESOLVE CONFLICT 1 WITH SOURCE";

/// The shop with a branch that has work, one that has none, and a tag; then what a case prepares.
/// Returns the session, and the statement with its number filled in.
fn prepared(
    disk: &SimVfs,
    database: Synchronous,
    session_level: &str,
    case: &(&str, &str),
) -> (Session, String) {
    let session = open(disk, database);
    session
        .execute(&format!(
            "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price INT, stock INT);
             INSERT INTO item VALUES (1,'pen',2,10),(2,'ink',5,4),(3,'pad',7,1);
             TAG BRANCH main AS v1; CREATE BRANCH dev; CREATE BRANCH idle;
             USE BRANCH dev; UPDATE item SET price = 3 WHERE id = 1; USE BRANCH main;
             PRAGMA synchronous = {session_level};"
        ))
        .unwrap();
    session.execute(case.0).unwrap();
    let mut statement = case.1.to_owned();
    if statement.contains("{newest}") {
        let newest = rows(&session, "SELECT max(transaction_id) FROM pando_log");
        statement = statement.replace("{newest}", &newest[0]);
    }
    session.execute("SELECT count(*) FROM pando_branches").unwrap();
    (session, statement)
}

/// Runs a statement; returns how often a file of the log was synced before it was done, and how
/// often any file was; or why it failed.
fn syncs_of(disk: &SimVfs, session: &Session, statement: &str) -> Result<(usize, usize), String> {
    let before = disk.operations();
    session.query(statement).map_err(|error| format!("{statement}: {error:?}"))?;
    let trace = disk.trace();
    let of_log = |path: &Path| path.to_string_lossy().contains("-wal-");
    let syncs = trace
        .iter()
        .filter(|it| it.number > before && it.kind == OperationKind::Sync)
        .map(|it| of_log(&it.path));
    let syncs: Vec<bool> = syncs.collect();
    Ok((syncs.iter().filter(|is_log| **is_log).count(), syncs.len()))
}

/// Everything that the cases change.
fn world(session: &Session) -> Vec<String> {
    let mut world = Vec::new();
    let branches = "SELECT branch_name, branch_id, parent_branch, created_at, read_only
                    FROM pando_branches ORDER BY 2";
    world.extend(rows(session, branches));
    for view in ["pando_tags", "pando_grants", "pando_reflog"] {
        world.extend(rows(session, &format!("SELECT '{view}', * FROM {view}")));
    }
    for pragma in ["user_version", "default_cache_size", "history_retention"] {
        world.extend(rows(session, &format!("PRAGMA {pragma}")));
    }
    for name in rows(session, "SELECT branch_name FROM pando_branches") {
        session.execute(&format!("USE BRANCH {name}")).unwrap();
        world.push(name);
        world.extend(rows(session, "SELECT type, name, sql FROM sqlite_schema ORDER BY 1, 2"));
        if rows(session, "SELECT 1 FROM sqlite_schema WHERE name = 'item'").len() == 1 {
            world.extend(rows(session, "SELECT * FROM item ORDER BY id"));
        }
        world.extend(rows(session, "SELECT * FROM pando_conflicts"));
    }
    world
}

/// Runs one case at FULL and lets the power go; says what is wrong then.
fn check_full(seed: u64, case: &(&str, &str)) -> Result<(), String> {
    let disk = SimVfs::new(seed);
    // All that was prepared is not on the disk when the statement begins.
    let (session, statement) = prepared(&disk, Synchronous::Normal, "NORMAL", case);
    if session.is_autocommit() {
        session.execute("PRAGMA synchronous = FULL").unwrap();
    } else {
        // A transaction keeps the level that it began with.
        session.execute("ROLLBACK; PRAGMA synchronous = FULL").unwrap();
        session.execute(case.0).unwrap();
    }
    let before = disk.copy(1);
    before.kill_process();
    let (log, _) = syncs_of(&disk, &session, &statement)?;
    let killed = disk.copy(2);
    killed.kill_process();
    disk.crash_with(Survival::Nothing);
    drop(session);
    disk.restart();
    let [before, killed, found] =
        [&before, &killed, &disk].map(|disk| world(&open(disk, Synchronous::Normal)));
    if log == 0 {
        return Err(format!("{statement}: the log was not synced"));
    }
    if found != killed {
        return Err(format!("{statement}: is gone after the crash: {found:?}, not {killed:?}"));
    }
    let is_seen = !statement.starts_with("BACKUP") && statement != "ANALYZE";
    if is_seen && found == before {
        return Err(format!("{statement}: changes nothing that is looked at"));
    }
    Ok(())
}

#[test]
fn at_full_every_kind_of_statement_is_on_the_disk_when_it_returns() {
    let checked = CASES.iter().zip(0..).filter_map(|(case, seed)| check_full(seed, case).err());
    let wrong: Vec<String> = checked.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn at_normal_no_statement_waits_for_the_disk_whatever_the_database_does() {
    let (mut waited, mut wrong) = (Vec::new(), Vec::new());
    for (case, seed) in CASES.iter().zip(0..) {
        let disk = SimVfs::new(seed);
        let (session, statement) = prepared(&disk, Synchronous::Full, "NORMAL", case);
        match syncs_of(&disk, &session, &statement) {
            Ok((_, 0)) => {}
            Ok(_) => waited.push(case.1),
            Err(error) => wrong.push(error),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A commit that names new pages instead of logging what is in them, and a checkpoint.
    let known = ["CREATE BRANCH new WITH (strategy = 'copy')", "BACKUP DATABASE TO 'full.bak'"];
    assert_eq!(waited, known);
}
