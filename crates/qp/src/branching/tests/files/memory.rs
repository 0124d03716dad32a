//! The past of a database in memory: the same as that of a file, as far back as it is kept.

use std::time::Duration;

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, Vfs};

use super::{error, open, rows};
use crate::session::Session;
use crate::store::Database;

fn in_memory() -> Session {
    Session::new(Database::in_memory().unwrap())
}

/// What a session says to a statement, rows or an error's first words.
fn answer(session: &Session, sql: &str) -> Vec<String> {
    match session.query(sql) {
        Ok(_) => rows(session, sql),
        Err(error) => vec![format!("{:?}", error.kind())],
    }
}

const WORK: &[&str] = &[
    "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price INT)",
    "CREATE INDEX by_price ON item(price)",
    "INSERT INTO item VALUES (1,'pen',2),(2,'ink',5),(3,'pad',7)",
    "CREATE BRANCH dev",
    "UPDATE item SET price = 3 WHERE id = 1",
    "UPDATE item@dev SET price = 50 WHERE id = 2",
    "BEGIN; DELETE FROM item WHERE id = 3; COMMIT WITH MESSAGE 'oops'",
    "TAG BRANCH main AS v1",
    "BEGIN; UPDATE item SET price = 4 WHERE id = 1; USE BRANCH dev; \
     INSERT INTO item VALUES (9,'box',1); USE BRANCH main; COMMIT WITH MESSAGE 'both'",
    "MERGE BRANCH dev INTO main",
    "BEGIN; UPDATE item SET name = 'pencil' WHERE id = 1; ROLLBACK",
    "UPDATE item SET name = 'nib' WHERE id = 1",
    "CREATE BRANCH other; USE BRANCH other; DROP INDEX by_price; USE BRANCH main",
    "RESET BRANCH dev TO TAG v1",
    "INSERT INTO item@dev VALUES (20,'cup',8)",
    "DROP BRANCH other",
];

const LOG: &str = "SELECT transaction_id FROM pando_log('*') ORDER BY 1";

/// The commits of all branches, and what each branch looked like at each of them.
fn history(session: &Session) -> Vec<Vec<String>> {
    let listed = "SELECT branch_name, message, changes, author FROM pando_log('*') \
                  ORDER BY transaction_id, branch_name";
    let mut all = vec![answer(session, listed)];
    for commit in rows(session, LOG) {
        for branch in ["main", "dev"] {
            let past = format!("SELECT * FROM item@{branch} AS OF TRANSACTION {commit}");
            all.push(answer(session, &past));
        }
        let time =
            format!("SELECT committed_at FROM pando_log('*') WHERE transaction_id = {commit}");
        let Some(time) = rows(session, &time).pop() else { continue };
        all.push(answer(session, &format!("SELECT * FROM item AS OF TIMESTAMP '{time}'")));
    }
    all
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the database reads the system's clock here")]
fn the_past_in_memory_is_that_of_a_file() {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    let (file, memory) = (open(&vfs), in_memory());
    for sql in WORK {
        for session in [&file, &memory] {
            // Times are told in milliseconds.
            std::thread::sleep(Duration::from_millis(2));
            session.execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
    }
    let (in_file, in_memory) = (history(&file), history(&memory));
    assert!(in_file.len() > 30 && in_file[0].len() > 10, "{in_file:?}");
    for (place, (theirs, ours)) in in_file.iter().zip(&in_memory).enumerate() {
        assert_eq!(ours, theirs, "answer {place}");
    }
    assert_eq!(in_file.len(), in_memory.len());

    // Each commit undone, and picked onto the other branch: alike as well.
    let numbers = |session: &Session| rows(session, LOG);
    let (in_file, in_memory) = (numbers(&file), numbers(&memory));
    for (theirs, ours) in in_file.iter().zip(&in_memory) {
        for (verb, end) in [
            ("UNDO TRANSACTION", "WITH (dry_run = true)"),
            ("CHERRY PICK TRANSACTION", "INTO dev WITH (dry_run = true)"),
        ] {
            let outcome = |session: &Session, number: &str| {
                let told = answer(session, &format!("{verb} {number} {end}"));
                told.iter().map(|row| row.replace(number, "#")).collect::<Vec<_>>()
            };
            assert_eq!(outcome(&memory, ours), outcome(&file, theirs), "{verb} {theirs}");
        }
    }
    for session in [&file, &memory] {
        let oops = "SELECT transaction_id FROM pando_log WHERE message = 'oops'";
        let oops = rows(session, oops).pop().unwrap();
        session.execute(&format!("UNDO TRANSACTION {oops}")).unwrap();
        assert_eq!(rows(session, "SELECT name FROM item WHERE id = 3"), ["pad"]);
        assert_eq!(rows(session, "PRAGMA integrity_check"), ["ok"]);
    }
}

#[test]
fn an_undo_in_memory_names_the_later_work_that_it_meets() {
    let session = in_memory();
    session
        .execute("CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 1)")
        .unwrap();
    session.execute("UPDATE t SET x = 2").unwrap();
    let newest = || rows(&session, "SELECT max(transaction_id) FROM pando_log").pop().unwrap();
    let first = newest();
    session.execute("UPDATE t SET x = 3").unwrap();
    let told = error(&session, &format!("UNDO TRANSACTION {first}"));
    assert!(told.contains(&format!("transactions since: {}", newest())), "{told}");
}

#[test]
fn the_past_in_memory_is_bounded() {
    let session = in_memory();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, x);
             INSERT INTO t SELECT value, randomblob(900) FROM generate_series(1, 400);
             PRAGMA history_size = 2000000",
        )
        .unwrap();
    assert_eq!(rows(&session, "PRAGMA history_size"), ["2000000"]);
    let first = rows(&session, "SELECT max(transaction_id) FROM pando_log").pop().unwrap();
    for _ in 0..20 {
        session.execute("UPDATE t SET x = randomblob(900)").unwrap();
    }
    let past = format!("SELECT count(*) FROM t AS OF TRANSACTION {first}");
    let told = session.query(&past).map(|found| found.rows);
    let told = told.map_err(|error| error.to_string());
    assert!(told.as_ref().is_err_and(|it| it.contains("is before what is kept")), "{told:?}");
    let newest: i64 =
        rows(&session, "SELECT max(transaction_id) FROM pando_log")[0].parse().unwrap();
    let near = format!("SELECT count(*) FROM t AS OF TRANSACTION {}", newest - 1);
    assert_eq!(rows(&session, &near), ["400"]);
    // Nothing is kept any more, and the notes go as well.
    session.execute("PRAGMA history_retention = OFF; UPDATE t SET x = 1 WHERE id = 1").unwrap();
    let near = format!("SELECT count(*) FROM t AS OF TRANSACTION {newest}");
    assert!(error(&session, &near).contains("is before what is kept"));
    assert_eq!(rows(&session, "SELECT count(*) FROM pando_log"), ["0"]);
    // That is told from a transaction that there is not.
    for verb in ["UNDO", "CHERRY PICK"] {
        let told = session.query(&format!("{verb} TRANSACTION {first}")).map(drop).unwrap_err();
        assert_eq!(told.message(), format!("transaction {first} is before what is kept"));
        assert!(told.hint().unwrap().starts_with("the oldest is transaction "), "{told:?}");
        let none = error(&session, &format!("{verb} TRANSACTION 99999"));
        assert_eq!(none, "there is no transaction 99999");
    }
}
