//! The power goes at every operation on a file of a branch statement and of the checkpoint behind
//! it, at `synchronous = FULL` and at NORMAL.
//!
//! Afterwards the whole database is as before the statement or as after it: branches, tags and
//! rows of every branch. At FULL what was acknowledged is there, at NORMAL what a checkpoint was
//! acknowledged for. What was cut short can be done again, and merges that go on from there know
//! which rows are one.
//! Neighbours: `durable` counts syncs, the branch crate's own test crashes below SQL.

use pandodb_ds::vfs::SimVfs;
use pandodb_tm::Synchronous;

use super::{open_simulated as open, rows};
use crate::session::Session;

/// What is done, and where.
#[derive(Clone, Copy)]
struct Case<'a> {
    /// Makes the database.
    prepare: fn(&Session),
    statement: &'a str,
    /// What is done later, and a query that shows it.
    later: (&'a str, &'a str, &'a [&'a str]),
}

impl<'a> Case<'a> {
    fn of_items(statement: &'a str) -> Self {
        Self { prepare: items, statement, later: ("", "", &[]) }
    }

    /// All that is prepared is on the disk.
    fn prepared(&self, synchronous: Synchronous) -> SimVfs {
        let disk = SimVfs::new(1);
        (self.prepare)(&open(&disk, synchronous));
        open(&disk, synchronous).execute("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        disk
    }

    fn do_later(&self, session: &Session, place: &str) {
        let (work, query, wanted) = self.later;
        if !work.is_empty() {
            run(session, work).unwrap_or_else(|error| panic!("{place}, later: {error:?}"));
            assert_eq!(rows(session, query), wanted, "{place}, later");
            check(session, place);
        }
    }
}

/// The same without a checkpoint: at NORMAL the log and its name are in the system's memory only.
fn prepare_unsynced(disk: &SimVfs, synchronous: Synchronous) {
    items(&open(disk, synchronous));
}

/// Both branches have work of their own, in rows and in the schema.
fn items(session: &Session) {
    session
        .execute(
            "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price INT UNIQUE);
             INSERT INTO item VALUES (1,'pen',2), (2,'ink',5), (3,'pad',7);
             TAG BRANCH main AS v1; CREATE BRANCH dev; CREATE BRANCH ahead;
             UPDATE item@dev SET price = 3 WHERE id = 1;
             USE BRANCH dev; ALTER TABLE item ADD COLUMN size INT DEFAULT 4;
             CREATE INDEX by_name ON item(name); INSERT INTO item VALUES (9,'cap',11,5);
             USE BRANCH main; UPDATE item SET price = 8 WHERE id = 3;
             CREATE BRANCH newer; INSERT INTO item@newer VALUES (10,'box',12);",
        )
        .unwrap();
}

/// Both branches give the same numbers to rows of their own, and `main` deleted one that `c` still
/// has, under whose rowid `dev` has another.
fn numbers(session: &Session) {
    session
        .execute(
            "CREATE TABLE note(name, n); CREATE TABLE parent(id INTEGER PRIMARY KEY, name, n);
             CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent, name, n);
             CREATE BRANCH dev; INSERT INTO note VALUES ('main', 1), ('lost', 1);
             CREATE BRANCH c; DELETE FROM note WHERE name = 'lost';
             INSERT INTO parent VALUES (1, 'main', 1); INSERT INTO child VALUES (1, 1, 'main', 1);
             INSERT INTO note@dev VALUES ('dev', 1), ('new', 1);
             INSERT INTO parent@dev VALUES (1, 'dev', 1);
             INSERT INTO child@dev VALUES (1, 1, 'dev', 1)",
        )
        .unwrap();
}

const RENUMBER: &str = "MERGE BRANCH dev INTO main WITH (conflict_resolution = 'renumber')";

/// The same, merged.
fn numbered(session: &Session) {
    numbers(session);
    session.execute(&format!("CREATE BRANCH old FROM dev; {RENUMBER}")).unwrap();
}

/// All that a user can see.
fn world(session: &Session) -> Vec<String> {
    let mut world = rows(session, "SELECT tag_name, branch_name FROM pando_tags ORDER BY 1");
    for name in rows(session, "SELECT branch_name FROM pando_branches ORDER BY 1") {
        let state = "SELECT branch_name, parent_branch, state, read_only FROM pando_branches";
        world.extend(rows(session, &format!("{state} WHERE branch_name = '{name}'")));
        world.extend(rows(session, &format!("SELECT sql FROM sqlite_schema@{name} ORDER BY name")));
        let tables = format!("SELECT name FROM sqlite_schema@{name} WHERE type = 'table'");
        for table in rows(session, &tables) {
            world.extend(rows(session, &format!("SELECT rowid, * FROM {table}@{name} ORDER BY 1")));
        }
    }
    world.extend(rows(session, "SELECT * FROM pando_conflicts"));
    world
}

fn check(session: &Session, place: &str) {
    assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"], "{place}");
}

fn run(session: &Session, statement: &str) -> crate::error::Result<()> {
    session.execute(statement).map(drop)
}

/// Does the statement, then what makes all that was done durable at either level, then closes.
/// Tells what of it was acknowledged: whether the statement was, and whether it has to outlive a
/// crash.
fn work(session: Session, synchronous: Synchronous, statement: &str) -> (bool, bool) {
    let is_done = run(&session, statement).is_ok();
    let is_checkpointed = is_done && run(&session, "PRAGMA wal_checkpoint(TRUNCATE)").is_ok();
    drop(session);
    (is_done, is_done && (is_checkpointed || synchronous == Synchronous::Full))
}

fn crash_everywhere(synchronous: Synchronous, case: Case<'_>) {
    let statement = case.statement;
    let prepared = case.prepared(synchronous);
    let (before, after, operations) = {
        let disk = prepared.copy(1);
        let session = open(&disk, synchronous);
        let before = world(&session);
        let start = disk.operations();
        assert_eq!(work(session, synchronous, statement), (true, true), "{statement}");
        let operations = disk.operations() - start;
        (before, world(&open(&disk, synchronous)), operations)
    };
    assert_ne!(before, after, "{statement}");
    let (mut seen, mut acknowledged) = ([false; 2], 0);
    // During each operation, then, one further on, when all is done. How many of them come before
    // the statement is acknowledged is not for this test to know.
    for at in 1..=operations + 1 {
        let place = format!("{statement}: operation {at} of {operations}, {synchronous:?}");
        let disk = prepared.copy(at + 2);
        let session = open(&disk, synchronous);
        assert_eq!(world(&session), before, "{place}");
        disk.crash_at(disk.operations() + at);
        let (is_done, must_be_there) = work(session, synchronous, statement);
        assert_eq!(disk.is_on(), at > operations, "{place}: the count is wrong");
        disk.clear_faults();
        disk.restart();
        let session = open(&disk, synchronous);
        let found = world(&session);
        let is_after = found == after;
        assert!(is_after || found == before, "{place}: {found:#?}");
        assert!(is_after || !must_be_there, "{place}: what was acknowledged is gone");
        acknowledged += u32::from(is_done);
        seen[usize::from(is_after)] = true;
        check(&session, &place);
        if !is_after {
            run(&session, statement).unwrap_or_else(|error| panic!("{place}: {error:?}"));
            assert_eq!(world(&session), after, "{place}");
            check(&session, &place);
        }
        case.do_later(&session, &place);
    }
    assert!(seen[0], "{statement}: no crash came before the commit");
    assert!(seen[1], "{statement}: nothing was ever kept");
    assert!(acknowledged > 1, "{statement}: no crash came between the answer and the end");
}

fn at_both_levels(statements: &[&str]) {
    for statement in statements {
        for synchronous in [Synchronous::Full, Synchronous::Normal] {
            crash_everywhere(synchronous, Case::of_items(statement));
        }
    }
}

#[test]
fn a_branch_is_made_whole_or_not_at_all() {
    at_both_levels(&[
        "CREATE BRANCH fresh FROM dev",
        "CREATE BRANCH fresh AS OF TAG v1 WITH (read_only = true)",
        "CREATE BRANCH fresh WITH (strategy = 'copy')",
    ]);
}

#[test]
fn a_branch_is_dropped_or_reset_whole_or_not_at_all() {
    at_both_levels(&["DROP BRANCH dev", "RESET BRANCH dev TO TAG v1"]);
}

#[test]
fn a_merge_is_there_whole_or_not_at_all() {
    at_both_levels(&[
        // Rows and definitions of both sides.
        "MERGE BRANCH dev INTO main",
        "MERGE BRANCH dev INTO main WITH (delete_branch_after = true)",
        // The target moves.
        "MERGE BRANCH newer INTO main",
    ]);
}

#[test]
fn a_transaction_over_branches_is_there_whole_or_not_at_all() {
    at_both_levels(&["BEGIN; MERGE BRANCH dev INTO main; DELETE FROM item WHERE id = 2;
         INSERT INTO item@ahead SELECT id + 50, name, price + 50 FROM item WHERE id = 3; COMMIT"]);
}

/// What rows are called since is part of the merge: the next ones need it.
#[test]
fn a_merge_that_renumbers_rows_is_there_with_its_labels_or_not_at_all() {
    let of_main = "SELECT name, n FROM note UNION ALL SELECT 'parent ' || name, n FROM parent
         UNION ALL SELECT 'child ' || child.name || ' of ' || parent.name, child.n
         FROM child JOIN parent ON parent.id = child.parent ORDER BY 1";
    let after_dev = [
        "child dev of dev|2",
        "child main of main|1",
        "dev|2",
        "lost|3",
        "main|1",
        "new|1",
        "parent dev|2",
        "parent main|1",
    ];
    let work = |branch: &str, target: &str| {
        format!(
            "UPDATE note@{branch} SET n = 2 WHERE name = 'dev';
             UPDATE parent@{branch} SET n = 2 WHERE name = 'dev';
             UPDATE child@{branch} SET n = 2 WHERE name = 'dev';
             UPDATE note@c SET n = 3 WHERE name = 'lost'; MERGE BRANCH {branch} INTO {target};
             MERGE BRANCH c INTO {target} WITH (conflict_resolution = 'source_wins');
             USE BRANCH {target}"
        )
    };
    let (later, forward) = (work("dev", "main"), work("old", "dev"));
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        let case =
            Case { prepare: numbers, statement: RENUMBER, later: (&later, of_main, &after_dev) };
        crash_everywhere(synchronous, case);
        // The target moves, and calls its rows as the source does from then on.
        let statement = "MERGE BRANCH main INTO dev";
        let case = Case { prepare: numbered, statement, later: (&forward, of_main, &after_dev) };
        crash_everywhere(synchronous, case);
    }
}

/// An opening waits for no sync, and the log goes on where it ended: the first answer at FULL
/// speaks for all that a process before it left behind.
#[test]
fn an_answer_at_full_keeps_what_a_killed_process_left_unsynced() {
    let prepared = SimVfs::new(1);
    prepare_unsynced(&prepared, Synchronous::Normal);
    let statement = "MERGE BRANCH dev INTO main";
    let (before, after, operations) = {
        let disk = prepared.copy(1);
        let session = open(&disk, Synchronous::Full);
        let before = world(&session);
        let start = disk.operations();
        assert_eq!(work(session, Synchronous::Full, statement), (true, true));
        let operations = disk.operations() - start;
        (before, world(&open(&disk, Synchronous::Full)), operations)
    };
    let (mut shorter, mut acknowledged) = (0, 0);
    for at in 1..=operations + 1 {
        // Several manners of crashing: so much is unsynced that few leave all of it by chance.
        for seed in 0..4 {
            let place = format!("operation {at} of {operations}, seed {seed}");
            let disk = prepared.copy(at * 4 + seed);
            let session = open(&disk, Synchronous::Full);
            assert_eq!(world(&session), before, "{place}");
            disk.crash_at(disk.operations() + at);
            let (is_done, _) = work(session, Synchronous::Full, statement);
            assert_eq!(disk.is_on(), at > operations, "{place}: the count is wrong");
            disk.clear_faults();
            disk.restart();
            let session = open(&disk, Synchronous::Full);
            check(&session, &place);
            // So little of the log may have survived that there is no table.
            let item = "SELECT count(*) FROM sqlite_schema WHERE name = 'item'";
            let found = (rows(&session, item) == ["1"]).then(|| world(&session));
            if is_done {
                assert_eq!(found.as_ref(), Some(&after), "{place}: what was acknowledged is gone");
                acknowledged += 1;
            } else if ![Some(&before), Some(&after)].contains(&found.as_ref()) {
                shorter += 1;
            }
        }
    }
    assert!(acknowledged > 1, "no crash came between the answer and the end");
    assert!(shorter > 0, "all of what was to be lost without an answer is synced");
}
