//! Two sessions on one database: what constraints, ranges and schemas promise at each level.
//!
//! Two transactions take turns in one thread, in every order of their commits; nobody waits (the
//! timeout is zero). Whatever is refused must be refused with an error that says "again" or names
//! the constraint, and what is committed must be whole: no child without parent, no value twice
//! in a UNIQUE index, no row without its index entry. Neighbours: `pandodb-tm` has the levels
//! themselves and random histories.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::sync::{Mutex, thread};
use pandodb_tm::LockState;

use super::rows;
use crate::error::{ErrorKind, Result};
use crate::session::Session;
use crate::store::Database;

const LEVELS: [&str; 5] = [
    "BEGIN ISOLATION LEVEL READ UNCOMMITTED",
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    "BEGIN ISOLATION LEVEL SNAPSHOT",
    "BEGIN CONCURRENT",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
];

const SCHEMA: &str = "
    CREATE TABLE parent(id INTEGER PRIMARY KEY, code TEXT UNIQUE, n INTEGER);
    CREATE TABLE child(id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent(id));
    CREATE TABLE cascaded(id INTEGER PRIMARY KEY,
                          code TEXT REFERENCES parent(code) ON DELETE CASCADE);
    CREATE INDEX child_parent ON child(parent_id);
    CREATE INDEX cascaded_code ON cascaded(code);
    INSERT INTO parent VALUES(1, 'one', 10),(2, 'two', 20),(3, 'three', 30),(4, 'four', 40);";

fn two_sessions() -> (Session, Session) {
    let database = Database::in_memory().unwrap();
    database.manager().set_busy_timeout(Duration::ZERO);
    let sessions = (Session::new(database.clone()), Session::new(database));
    sessions.0.execute(SCHEMA).unwrap();
    for session in [&sessions.0, &sessions.1] {
        session.execute("PRAGMA foreign_keys = on").unwrap();
    }
    sessions
}

/// Runs a statement of an open transaction; after an error the transaction is given up.
fn attempt(session: &Session, sql: &str) -> Result<()> {
    let outcome = session.execute(sql);
    if let Err(error) = &outcome {
        let is_told = error.is_retryable() || matches!(error.kind(), ErrorKind::Constraint(_));
        assert!(is_told, "{sql}: {error}");
        if !session.is_autocommit() {
            session.execute("ROLLBACK").unwrap();
        }
    }
    outcome
}

/// Runs one statement of each in transactions at a level; returns who committed.
fn race(
    begin: &str,
    first: &str,
    second: &str,
    second_ends_first: bool,
) -> (Session, [Result<()>; 2]) {
    let (one, two) = two_sessions();
    for session in [&one, &two] {
        session.execute(begin).unwrap();
        // Both see the same moment.
        session.query("SELECT count(*) FROM parent WHERE id = 99").unwrap();
    }
    let mut outcomes = [Ok(()), Ok(())];
    let sessions = [&one, &two];
    let order = if second_ends_first { [1, 0] } else { [0, 1] };
    for (session, (outcome, sql)) in sessions.iter().zip(outcomes.iter_mut().zip([first, second])) {
        *outcome = attempt(session, sql);
    }
    for index in order {
        if outcomes[index].is_ok() {
            outcomes[index] = attempt(sessions[index], "COMMIT");
        }
    }
    assert_eq!(rows(&one, "PRAGMA foreign_key_check"), "", "{begin}: {first} and {second}");
    assert_eq!(rows(&one, "PRAGMA integrity_check"), "ok", "{begin}: {first} and {second}");
    (one, outcomes)
}

/// Of two transactions that cannot both be right, at most one commits, at every level.
fn at_most_one(first: &str, second: &str) {
    for begin in LEVELS {
        for second_ends_first in [false, true] {
            let (_, outcomes) = race(begin, first, second, second_ends_first);
            let count = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            assert_eq!(count, 1, "{begin}: {first} and {second}: {outcomes:?}");
        }
    }
}

#[test]
fn a_parent_does_not_go_while_a_child_comes() {
    let child = "INSERT INTO child VALUES(1, 2)";
    at_most_one(child, "DELETE FROM parent WHERE id = 2");
    at_most_one("DELETE FROM parent WHERE id = 2", child);
    at_most_one(child, "UPDATE parent SET id = 7 WHERE id = 2");
    let moved = "INSERT INTO child VALUES(1, 1); UPDATE child SET parent_id = 2";
    at_most_one(moved, "DELETE FROM parent WHERE id = 2");
}

#[test]
fn a_cascade_takes_the_children_that_come_meanwhile_or_one_of_the_two_fails() {
    for begin in LEVELS {
        for second_ends_first in [false, true] {
            let child = "INSERT INTO cascaded VALUES(1, 'two')";
            let (session, outcomes) =
                race(begin, child, "DELETE FROM parent WHERE id = 2", second_ends_first);
            assert!(outcomes.iter().any(Result::is_ok), "{begin}");
            assert_eq!(
                rows(
                    &session,
                    "SELECT count(*) FROM cascaded WHERE code NOT IN (SELECT code FROM parent)"
                ),
                "0"
            );
        }
    }
}

#[test]
fn a_value_comes_once_into_a_unique_index() {
    let five = "INSERT INTO parent VALUES(5, 'new', 1)";
    at_most_one(five, "INSERT INTO parent VALUES(6, 'new', 2)");
    at_most_one(five, "UPDATE parent SET code = 'new' WHERE id = 1");
    at_most_one(
        "UPDATE parent SET code = 'new' WHERE id = 2",
        "UPDATE parent SET code = 'new' WHERE id = 1",
    );
    at_most_one(five, "INSERT INTO parent VALUES(5, 'other', 2)");
}

#[test]
fn a_unique_index_that_comes_meanwhile_has_every_row() {
    for begin in LEVELS {
        for change in [
            "CREATE INDEX parent_n ON parent(n)",
            "CREATE UNIQUE INDEX parent_n ON parent(n)",
            "ALTER TABLE parent ADD COLUMN more DEFAULT 7",
            "DROP TABLE cascaded",
            "ALTER TABLE parent DROP COLUMN n",
        ] {
            for write in [
                "INSERT INTO parent VALUES(9, 'nine', 10)",
                "UPDATE parent SET n = 30 WHERE id = 4",
                "INSERT INTO cascaded VALUES(9, 'one')",
            ] {
                for ends_first in [false, true] {
                    let (_, outcomes) = race(begin, write, change, ends_first);
                    assert!(outcomes.iter().any(Result::is_ok), "{begin}: {write} and {change}");
                }
            }
        }
    }
}

#[test]
fn serializable_statements_on_disjoint_ranges_both_commit() {
    let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
    for (first, second) in [
        ("UPDATE parent SET n = n + 1 WHERE id < 3", "UPDATE parent SET n = n + 1 WHERE id >= 3"),
        ("UPDATE parent SET n = 5 WHERE id BETWEEN 1 AND 2", "DELETE FROM parent WHERE id > 2"),
        ("UPDATE parent SET n = 5 WHERE id = 2", "UPDATE parent SET n = 7 WHERE id = 3"),
        (
            "UPDATE parent SET n = 0 WHERE code = 'two'",
            "UPDATE parent SET n = 1 WHERE code = 'one'",
        ),
    ] {
        for second_ends_first in [false, true] {
            let (_, outcomes) = race(begin, first, second, second_ends_first);
            assert!(outcomes.iter().all(Result::is_ok), "{first} and {second}: {outcomes:?}");
        }
    }
}

#[test]
fn serializable_ranges_and_sums_let_no_phantom_in() {
    let begin = "BEGIN ISOLATION LEVEL SERIALIZABLE";
    for (first, second) in [
        (
            "INSERT INTO parent SELECT 11, 'a', sum(n) FROM parent WHERE id < 20",
            "INSERT INTO parent SELECT 12, 'b', sum(n) FROM parent WHERE id < 20",
        ),
        (
            "INSERT INTO parent SELECT 0, 'a', count(*) FROM parent",
            "INSERT INTO parent SELECT -1, 'b', count(*) FROM parent",
        ),
        (
            "UPDATE parent SET n = (SELECT max(n) FROM parent WHERE id >= 3) WHERE id = 1",
            "UPDATE parent SET n = (SELECT max(n) FROM parent WHERE id < 3) WHERE id = 4",
        ),
    ] {
        for second_ends_first in [false, true] {
            let (_, outcomes) = race(begin, first, second, second_ends_first);
            let count = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            assert_eq!(count, 1, "{first} and {second}: {outcomes:?}");
        }
    }
}

/// What a serializable transaction only read must have been there at one moment.
#[test]
fn a_serializable_transaction_that_only_read_is_told_when_it_saw_two_moments() {
    let (reader, writer) = two_sessions();
    reader.execute("BEGIN ISOLATION LEVEL SERIALIZABLE").unwrap();
    assert_eq!(rows(&reader, "SELECT n FROM parent WHERE id > 3"), "40");
    writer.execute("UPDATE parent SET n = n + 1 WHERE id IN (3, 4)").unwrap();
    // By a key, by a range: both are of the moment before, or the commit fails.
    let seen = rows(&reader, "SELECT n FROM parent WHERE id = 3");
    let outcome = attempt(&reader, "COMMIT");
    assert!(seen == "30" || outcome.is_err(), "{seen}, {outcome:?}");
}

/// Who is run again after an error that says so is as old as its first run.
#[test]
fn a_transaction_that_repeats_another_grows_older_than_the_rest() {
    let (victim, other) = two_sessions();
    victim.execute("BEGIN CONCURRENT; UPDATE parent SET n = 1 WHERE id = 1").unwrap();
    other.execute("UPDATE parent SET n = 2 WHERE id = 1").unwrap();
    let error = victim.execute("COMMIT").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let first = victim.repeats().expect("the next one repeats it");
    assert!(other.repeats().is_none());
    victim.execute("BEGIN ISOLATION LEVEL SERIALIZABLE").unwrap();
    victim.execute("UPDATE parent SET n = 1 WHERE id = 1").unwrap();
    assert!(other.execute("UPDATE parent SET n = 3 WHERE id = 1").is_err(), "waits for the lock");
    assert!(other.repeats().is_some(), "of a statement by itself, too");
    assert_eq!(victim.repeats(), Some(first), "as long as it has not succeeded");
    victim.execute("COMMIT").unwrap();
    assert!(victim.repeats().is_none());
    other.execute("UPDATE parent SET n = 3 WHERE id = 1").unwrap();
    assert!(other.repeats().is_none());
}

/// Who is told to try again is told what met: by the names that SQL has.
#[test]
fn a_conflict_names_the_table_the_row_and_the_branch() {
    let schema = "
        CREATE TABLE pair(a TEXT, b INT, n, PRIMARY KEY (a, b)) WITHOUT ROWID;
        INSERT INTO pair VALUES ('x', 1, 0), ('y', 2, 0); CREATE BRANCH dev";
    for (begin, own, others, names) in [
        (
            "BEGIN CONCURRENT",
            "UPDATE parent SET n = 1 WHERE id = 2",
            "UPDATE parent SET n = 2 WHERE id = 2",
            "the row 2 of table parent",
        ),
        (
            "BEGIN CONCURRENT",
            "UPDATE pair SET n = 1 WHERE b = 1",
            "UPDATE pair SET n = 2 WHERE b = 1",
            "the row ('x', 1) of table pair",
        ),
        (
            "BEGIN CONCURRENT",
            "INSERT INTO parent VALUES (8, 'new', 0)",
            "INSERT INTO parent VALUES (9, 'new', 0)",
            "the entry ('new') of index sqlite_autoindex_parent_1 of table parent",
        ),
        (
            "BEGIN CONCURRENT",
            "INSERT INTO pair VALUES ('z', 1, 1)",
            "DROP TABLE pair",
            "the schema",
        ),
        (
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "SELECT sum(n) FROM parent; UPDATE pair SET n = 1",
            "UPDATE parent SET n = 2 WHERE id = 3",
            "the row 3 of table parent",
        ),
    ] {
        for branch in ["main", "dev"] {
            let (session, other) = two_sessions();
            session.execute(schema).unwrap();
            for one in [&session, &other] {
                one.execute(&format!("USE BRANCH {branch}")).unwrap();
            }
            session.execute(&format!("{begin}; {own}")).unwrap();
            other.execute(others).unwrap();
            let error = session.execute("COMMIT").unwrap_err();
            let what = format!("{begin}, {own}, {branch}");
            assert_eq!(error.kind(), ErrorKind::Conflict, "{what}: {error}");
            let told =
                format!("another transaction changed {names} on the branch '{branch}' first");
            assert_eq!(error.message(), told, "{what}");
            assert!(error.hint().is_some_and(|hint| hint.contains("again")), "{what}");
        }
    }
}

/// A transaction in a thread of its own beside one that has what it waits for, interrupted once it
/// waits; returns how it ended.
fn interrupted_wait(begin: &str) -> String {
    let (holder, second) = two_sessions();
    holder.execute("BEGIN; UPDATE parent SET n = 0 WHERE id = 1").unwrap();
    let (database, _) = second.database(crate::catalog::DatabaseIndex::MAIN).unwrap();
    let flag = Mutex::new(None);
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let session = Session::new(database.clone());
            session.set_busy_timeout(Duration::from_hours(1));
            *flag.lock() = Some(session.interrupt_flag());
            let begun = session.execute(begin);
            let error = begun.and_then(|()| session.execute("UPDATE parent SET n = 5; COMMIT"));
            let error = error.unwrap_err();
            format!("{:?}: {}", error.kind(), error.message())
        });
        let waits = || database.manager().locks().iter().any(|it| it.state != LockState::Held);
        while !waits() && !waiter.is_finished() {
            thread::yield_now();
        }
        let flag = flag.lock().take().unwrap();
        flag.store(true, Ordering::Relaxed);
        let told = waiter.join().unwrap();
        holder.execute("COMMIT").unwrap();
        told
    })
}

#[test]
fn a_wait_for_a_lock_ends_when_somebody_interrupts_it() {
    for begin in LEVELS {
        let told = interrupted_wait(begin);
        assert_eq!(told, "Interrupted: interrupted", "{begin}");
    }
}

#[test]
fn a_wait_for_a_lock_ends_when_the_statement_has_taken_too_long_or_is_stopped() {
    let bounded = |session: &Session| {
        session.set_statement_timeout(Some(Duration::from_millis(20)));
    };
    let told = "Limit: the statement took too long while it waited";
    assert_eq!(waits_alone("BEGIN", bounded), told);
    let watched = |session: &Session| session.set_progress_hook(Some(Box::new(|| true)));
    assert_eq!(waits_alone("BEGIN", watched), "Interrupted: interrupted");
}

/// As [`interrupted_wait`], of one that nobody interrupts.
fn waits_alone(begin: &str, set_up: impl Fn(&Session)) -> String {
    let (holder, second) = two_sessions();
    holder.execute("BEGIN IMMEDIATE").unwrap();
    second.set_busy_timeout(Duration::from_hours(1));
    set_up(&second);
    second.execute(begin).unwrap();
    let error = second.execute("INSERT INTO parent VALUES (7, 'seven', 7)").unwrap_err();
    format!("{:?}: {}", error.kind(), error.message())
}

#[test]
fn who_has_a_lock_is_told_by_the_names_of_sql() {
    let (holder, second) = two_sessions();
    holder.execute("BEGIN IMMEDIATE").unwrap();
    let busy = second.execute("UPDATE parent SET n = 5").unwrap_err();
    assert_eq!((busy.kind(), busy.message()), (ErrorKind::Busy, "database is locked"));
    let hint = busy.hint().unwrap();
    assert!(hint.contains("has the right to write to the branch 'main'"), "{hint}");
    holder.execute("ROLLBACK").unwrap();
    for session in [&holder, &second] {
        session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE").unwrap();
    }
    holder.execute("UPDATE parent SET n = 5 WHERE id = 2").unwrap();
    let busy = second.execute("UPDATE parent SET n = 6 WHERE id = 2").unwrap_err();
    let hint = busy.hint().unwrap();
    assert!(hint.contains("has the row 2 of table parent on the branch 'main'"), "{hint}");
}

#[test]
fn a_deadlock_is_told_by_the_names_of_sql() {
    let (holder, second) = two_sessions();
    let (database, _) = second.database(crate::catalog::DatabaseIndex::MAIN).unwrap();
    let locks = |session: &Session, id: i32| {
        session.execute(&format!("UPDATE parent SET n = 5 WHERE id = {id}"))
    };
    holder.set_busy_timeout(Duration::from_hours(1));
    holder.execute("BEGIN ISOLATION LEVEL SERIALIZABLE").unwrap();
    locks(&holder, 1).unwrap();
    let is_ready = AtomicBool::new(false);
    thread::scope(|scope| {
        let younger = scope.spawn(|| {
            let session = Session::new(database.clone());
            session.set_busy_timeout(Duration::from_hours(1));
            session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE").unwrap();
            locks(&session, 2).unwrap();
            is_ready.store(true, Ordering::Release);
            locks(&session, 1).unwrap_err()
        });
        while !is_ready.load(Ordering::Acquire) && !younger.is_finished() {
            thread::yield_now();
        }
        locks(&holder, 2).unwrap();
        let error = younger.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
        let told = "deadlock: another transaction that waits for this one has the row 1 of table \
                    parent on the branch 'main'";
        assert_eq!(error.message(), told);
    });
}
