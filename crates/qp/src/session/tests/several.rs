//! One transaction, several files: nothing is committed where any of them refuses, and what fails
//! in between says so. The files are on two disks, so that one can be full or fail alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;
use std::time::Duration;

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{Fault, MemoryVfs, SimVfs, Vfs};
use pandodb_tm::wal::WalOptions;
use pandodb_tm::{Options, Synchronous};

use super::{check, rows};
use crate::error::{Error, ErrorKind};
use crate::session::Session;
use crate::store::{Database, MAIN};

fn on(disk: &SimVfs, name: &str) -> Database {
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let options = Options {
        synchronous: Synchronous::Full,
        wal: WalOptions { segment_len: 64 << 10, ..WalOptions::default() },
        has_checkpoint_thread: false,
        checkpoints: None,
        ..Options::default()
    };
    Database::open(&vfs, Path::new(name), &options).unwrap()
}

/// `near` in main, `far` in another file; a temporary trigger copies from one to the other.
struct Two {
    disks: [SimVfs; 2],
    session: Session,
}

impl Two {
    fn new() -> Self {
        let disks = [SimVfs::new(1), SimVfs::new(2)];
        let session = Session::new(on(&disks[0], "near.pando"));
        session.attach("other", on(&disks[1], "far.pando"), MAIN).unwrap();
        session
            .execute(
                "CREATE TABLE near(x); CREATE TABLE other.far(y); CREATE TABLE seed(z);
                 CREATE TEMP TRIGGER both AFTER INSERT ON seed
                 BEGIN
                   INSERT INTO near SELECT randomblob(NEW.z) FROM generate_series(1, 100);
                   INSERT INTO far SELECT randomblob(NEW.z) FROM generate_series(1, 100);
                 END",
            )
            .unwrap();
        Self { disks, session }
    }

    /// Both ways of changing both files; the result of the commit.
    fn change(&self, is_explicit: bool) -> Result<(), Error> {
        if !is_explicit {
            return self.session.execute("INSERT INTO seed VALUES (1000)").map(drop);
        }
        self.session
            .execute(
                "BEGIN;
                 INSERT INTO near SELECT randomblob(1000) FROM generate_series(1, 100);
                 INSERT INTO far SELECT randomblob(1000) FROM generate_series(1, 100)",
            )
            .unwrap();
        self.session.execute("COMMIT").map(drop)
    }

    fn counts(&self) -> String {
        assert!(self.session.is_autocommit(), "the transaction is over");
        let count = "SELECT (SELECT count(*) FROM near), (SELECT count(*) FROM far)";
        rows(&self.session, count)
    }
}

#[test]
fn a_full_disk_of_either_file_leaves_both_as_they_were() {
    for full in [0, 1] {
        for is_explicit in [true, false] {
            let two = Two::new();
            two.disks[full].set_capacity(Some(two.disks[full].used()));
            for _ in 0..2 {
                let error = two.change(is_explicit).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Full, "{error}");
                assert_eq!(two.counts(), "0|0", "{full} {is_explicit}");
            }
            two.disks[full].set_capacity(None);
            two.change(is_explicit).unwrap();
            assert_eq!(two.counts(), "100|100", "{full} {is_explicit}");
        }
    }
}

#[test]
fn a_transaction_by_pages_asks_for_their_room_before_another_file_is_committed() {
    for is_explicit in [true, false] {
        let two = Two::new();
        two.session.execute("PRAGMA other.wal_mode = OFF").unwrap();
        two.disks[1].set_capacity(Some(two.disks[1].used()));
        let error = two.change(is_explicit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full, "{error}");
        assert_eq!(two.counts(), "0|0");
        two.disks[1].set_capacity(None);
        two.change(is_explicit).unwrap();
        assert_eq!(two.counts(), "100|100");
    }
}

#[test]
fn a_disk_that_fails_between_two_commits_is_told_and_is_no_reason_to_try_again() {
    for is_explicit in [true, false] {
        let two = Two::new();
        // The log of the first is synced last before the second is written.
        two.disks[1].inject_next(Fault::SyncError);
        let error = two.change(is_explicit).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PartlyCommitted, "{error}");
        assert!(!error.is_retryable() && error.hint().is_some());
        let message = error.message();
        let said = "was committed in main (near.pando) but not in other (far.pando)";
        assert!(message.contains(said), "{message}");
        assert_eq!(two.counts(), "100|0");
        assert_eq!(two.session.repeats(), None);
    }
}

#[test]
fn a_disk_that_fails_at_the_first_commit_is_the_error_that_it_always_is() {
    let two = Two::new();
    two.disks[0].inject_next(Fault::SyncError);
    let error = two.change(true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert_eq!(two.counts(), "0|0");
}

/// Two sessions on the same two databases, attached in another order.
fn crossed() -> [Session; 2] {
    let databases = [Database::in_memory().unwrap(), Database::in_memory().unwrap()];
    for database in &databases {
        database.manager().set_busy_timeout(Duration::ZERO);
    }
    let [near, far] = databases;
    let sessions = [Session::new(near.clone()), Session::new(far.clone())];
    sessions[0].execute("CREATE TABLE near(id INTEGER PRIMARY KEY, n)").unwrap();
    sessions[1].execute("CREATE TABLE far(id INTEGER PRIMARY KEY, n)").unwrap();
    sessions[0].attach("other", far, MAIN).unwrap();
    sessions[1].attach("other", near, MAIN).unwrap();
    sessions[0].execute("INSERT INTO near VALUES (1, 0); INSERT INTO far VALUES (1, 0)").unwrap();
    sessions
}

#[test]
fn a_conflict_in_either_file_leaves_both_as_they_were() {
    for taken in ["near", "far"] {
        for begin in ["BEGIN CONCURRENT", "BEGIN ISOLATION LEVEL SERIALIZABLE"] {
            let [session, other] = crossed();
            session.execute(begin).unwrap();
            session.execute("SELECT sum(n) FROM near; SELECT sum(n) FROM far").unwrap();
            other.execute(&format!("UPDATE {taken} SET n = 5 WHERE id = 1")).unwrap();
            let done = session
                .execute("UPDATE near SET n = n + 1 WHERE id = 1")
                .and_then(|()| session.execute("UPDATE far SET n = n + 1 WHERE id = 1"))
                .and_then(|()| session.execute("COMMIT"));
            let error = done.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict, "{begin}, {taken}: {error}");
            assert!(error.is_retryable());
            if !session.is_autocommit() {
                session.execute("ROLLBACK").unwrap();
            }
            let left = if taken == "near" { "5|0" } else { "0|5" };
            check(&session, "SELECT near.n, far.n FROM near, far", left);
        }
    }
}

#[test]
fn what_was_read_in_one_file_must_hold_when_another_one_is_changed() {
    let [session, other] = crossed();
    session.execute("BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE near SET n = 1").unwrap();
    check(&session, "SELECT sum(n) FROM far", "0");
    other.execute("INSERT INTO far VALUES (2, 7)").unwrap();
    let error = session.execute("COMMIT").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    check(&session, "SELECT n FROM near", "0");
    assert!(session.is_autocommit());
}

#[test]
fn sessions_that_commit_over_crossed_files_do_not_wait_in_a_circle() {
    let [session, other] = crossed();
    for (number, one) in [&session, &other].into_iter().enumerate() {
        one.execute("BEGIN CONCURRENT").unwrap();
        let id = number + 10;
        one.execute(&format!("INSERT INTO far VALUES ({id}, 0)")).unwrap();
        one.execute(&format!("INSERT INTO near VALUES ({id}, 0)")).unwrap();
    }
    session.execute("COMMIT").unwrap();
    other.execute("COMMIT").unwrap();
    check(&session, "SELECT (SELECT count(*) FROM near), (SELECT count(*) FROM far)", "3|3");
}

#[test]
fn beside_a_database_that_is_only_read_no_other_is_changed_or_made() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let open = |name: &str, is_read_only: bool| {
        let mut options = Options::default();
        options.store.is_read_only = is_read_only;
        Database::open(&vfs, Path::new(name), &options).unwrap()
    };
    for name in ["main.pando", "other.pando"] {
        let database = open(name, false);
        Session::new(database).execute("CREATE TABLE t(x); INSERT INTO t VALUES (1)").unwrap();
    }
    let session = Session::new(open("main.pando", true));
    session.execute("ATTACH 'other.pando' AS o").unwrap();
    check(&session, "SELECT * FROM o.t", "1");
    for sql in [
        "INSERT INTO o.t VALUES (2)",
        "INSERT INTO main.t VALUES (2)",
        "CREATE TABLE o.u(x)",
        "PRAGMA o.user_version = 3",
        "PRAGMA o.compression = NONE",
    ] {
        let error = session.execute(sql).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReadOnly, "{sql}: {error}");
    }
    let error = session.execute("ATTACH 'missing.pando' AS m").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CannotOpen, "{error}");
    assert!(error.message().starts_with("unable to open database"), "{error}");
    assert!(!vfs.exists(Path::new("missing.pando")).unwrap());
}

#[test]
fn a_uri_is_not_taken_for_the_name_of_a_file() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let database = Database::open(&vfs, Path::new("main.pando"), &Options::default()).unwrap();
    let session = Session::new(database);
    for sql in ["ATTACH 'file:b.pando?mode=ro' AS b", "VACUUM INTO 'FILE:b.pando'"] {
        let error = session.execute(sql).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{sql}: {error}");
        assert!(error.hint().is_some());
    }
    assert!(!vfs.exists(Path::new("file:b.pando?mode=ro")).unwrap());
    session.execute("ATTACH './file:b.pando' AS b").unwrap();
}
