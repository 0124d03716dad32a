//! Other branches, tags and times in queries.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{MemoryVfs, Vfs};
use pandodb_tm::Options;

use super::{lines as rows, shown};
use crate::session::Session;
use crate::store::{Database, MAIN};

fn database() -> Database {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    Database::open(&vfs, Path::new("app.pando"), &Options::default()).unwrap()
}

fn error(session: &Session, sql: &str) -> String {
    let error = session.query(sql).map(|rows| rows.rows.len()).unwrap_err();
    format!("{error} {}", error.hint().unwrap_or(""))
}

fn newest(session: &Session) -> u64 {
    let (database, head) = session.database(crate::catalog::DatabaseIndex::MAIN).unwrap();
    database.manager().head(head).unwrap().commit.0
}

/// `main` and `dev` differ in one row each, and in what they have.
fn shop() -> Session {
    let session = Session::new(database());
    session
        .execute(
            "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price INT);
             CREATE INDEX by_price ON item(price);
             CREATE VIEW dear AS SELECT i.name FROM main.item AS i WHERE price > 4;
             INSERT INTO item VALUES (1,'pen',2),(2,'ink',5),(3,'pad',7);
             CREATE BRANCH dev; USE BRANCH dev;
             UPDATE item SET price = 20 WHERE id = 1; DELETE FROM item WHERE id = 3;
             ALTER TABLE item ADD COLUMN size INT DEFAULT 9;
             CREATE TABLE note(text); INSERT INTO note VALUES ('n');
             USE BRANCH main; INSERT INTO item VALUES (4,'cap',1);",
        )
        .unwrap();
    session
}

/// Queries over `item`, each asked of both branches by name and on the branch itself.
#[test]
fn a_branch_reads_the_same_by_name_as_from_inside() {
    let session = shop();
    let queries = [
        "SELECT * FROM item{} ORDER BY id",
        "SELECT count(*) FROM item{}",
        "SELECT name FROM item{} WHERE price = 20",
        "SELECT price FROM item{} WHERE price BETWEEN 2 AND 20 ORDER BY price DESC",
        "SELECT item.name FROM item{} WHERE rowid = 1",
        "SELECT * FROM dear{} ORDER BY name",
        "SELECT name FROM sqlite_schema{} ORDER BY name",
        "WITH c AS (SELECT id FROM item{}) SELECT sum(id) FROM c",
        "SELECT max(price) FROM (SELECT * FROM item{})",
        "SELECT (SELECT count(*) FROM item{} WHERE price < 6)",
        "SELECT 5 IN (SELECT price FROM item{}), EXISTS (SELECT 1 FROM item{} WHERE id = 3)",
        "SELECT id FROM main.item{} WHERE id = 2 OR price = 20 ORDER BY id",
    ];
    for branch in ["main", "dev"] {
        for query in queries {
            session.execute(&format!("USE BRANCH {branch}")).unwrap();
            let inside = rows(&session, &query.replace("{}", ""));
            for from in ["main", "dev"] {
                session.execute(&format!("USE BRANCH {from}")).unwrap();
                let text = query.replace("{}", &format!("@{branch}"));
                assert_eq!(rows(&session, &text), inside, "{text} on {from}");
                let text = query.replace("{}", &format!("@{branch} AS OF NOW"));
                assert_eq!(rows(&session, &text), inside, "{text} on {from}");
            }
        }
    }
}

#[test]
fn branches_are_joined_and_mixed_in_one_statement() {
    let session = shop();
    assert_eq!(
        rows(
            &session,
            "SELECT m.id, m.price, d.price FROM item@main m JOIN item@dev d USING (id)
             WHERE m.price IS NOT d.price"
        ),
        ["1|2|20"]
    );
    assert_eq!(
        rows(
            &session,
            "SELECT m.id, d.id FROM item m FULL JOIN item@dev d ON m.id = d.id ORDER BY m.id"
        ),
        ["1|1", "2|2", "3|NULL", "4|NULL"]
    );
    assert_eq!(
        rows(&session, "SELECT id FROM item EXCEPT SELECT id FROM item@dev ORDER BY 1"),
        ["3", "4"]
    );
    assert_eq!(rows(&session, "SELECT text FROM note@dev, item LIMIT 1"), ["n"]);
    assert!(error(&session, "SELECT * FROM note").contains("no such table"));
    session.execute("CREATE TABLE copy AS SELECT id, size FROM item@dev").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM copy"), ["1|9", "2|9"]);
    session.execute("INSERT INTO copy SELECT id + 10, price FROM item@dev WHERE id = 1").unwrap();
    session
        .execute("UPDATE item SET price = (SELECT price FROM item@dev d WHERE d.id = item.id)")
        .unwrap();
    session.execute("DELETE FROM item WHERE id NOT IN (SELECT id FROM item@dev)").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM copy WHERE id > 10"), ["11|20"]);
    assert_eq!(
        rows(&session, "SELECT * FROM item"),
        rows(&session, "SELECT id, name, price FROM item@dev")
    );
}

#[test]
fn the_past_is_read_by_transaction_tag_and_time() {
    let session = shop();
    let before = newest(&session);
    session.execute("TAG BRANCH main AS v1").unwrap();
    session.execute("DROP INDEX by_price; DELETE FROM item; DROP TABLE item").unwrap();
    let wanted = ["1|2", "2|5", "3|7", "4|1"];
    for as_of in [
        format!("item AS OF TRANSACTION {before}"),
        format!("item@main AS OF SCN {before} AS i"),
        "item AS OF TAG v1".to_owned(),
        "item@v1".to_owned(),
    ] {
        let text = format!("SELECT id, price FROM {as_of} ORDER BY id");
        assert_eq!(rows(&session, &text), wanted, "{text}");
        let text = format!("SELECT count(*) FROM {as_of} WHERE price = 5");
        assert_eq!(rows(&session, &text), ["1"], "{text}");
    }
    assert!(error(&session, "SELECT * FROM item AS OF NOW").contains("no such table"));
    // People and programs round seconds.
    let soon = &rows(&session, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now', '+0.4 seconds')")[0];
    let now = format!("SELECT count(*) FROM item@dev AS OF TIMESTAMP '{soon}'");
    assert_eq!(rows(&session, &now), ["2"]);
    for future in [
        "SELECT count(*) FROM item@dev AS OF TIMESTAMP '2999-01-01'",
        "CREATE BRANCH later AS OF TIMESTAMP '2999-01-01'",
        "RESET BRANCH dev TO TIMESTAMP '2999-01-01'",
    ] {
        let told = error(&session, future);
        assert!(told.contains("2999-01-01 00:00:00.000 has not come yet"), "{future}: {told}");
    }
    let both = format!(
        "SELECT o.price, d.price FROM item AS OF TRANSACTION {before} o
         JOIN item@dev d USING (id) ORDER BY 1"
    );
    assert_eq!(rows(&session, &both), ["2|20", "5|5"]);
    let past = error(&session, "SELECT * FROM item AS OF TIMESTAMP '1971-01-01'");
    assert!(past.contains("before what is kept"), "{past}");
    let future = error(&session, "SELECT * FROM item AS OF TRANSACTION 999999");
    assert!(future.contains("999999"), "{future}");
}

#[test]
fn plans_follow_the_other_branch() {
    let session = shop();
    let other = Session::new(session.database(crate::catalog::DatabaseIndex::MAIN).unwrap().0);
    other.execute("USE BRANCH dev").unwrap();
    let sql = "SELECT * FROM item@dev WHERE id = 1";
    let (statement, _) = session.prepare(sql).unwrap();
    let mut statement = statement.unwrap();
    let run = |statement: &mut crate::session::Statement<'_>| {
        statement.step().unwrap();
        let row = statement.row().unwrap().iter().map(shown).collect::<Vec<_>>().join("|");
        statement.reset();
        row
    };
    assert_eq!(run(&mut statement), "1|pen|20|9");
    other.execute("UPDATE item SET price = 21").unwrap();
    assert_eq!(run(&mut statement), "1|pen|21|9");
    other.execute("DROP VIEW dear; ALTER TABLE item DROP COLUMN name").unwrap();
    assert_eq!(run(&mut statement), "1|21|9");
    // Another branch by that name: the plan must not read the old one.
    other.execute("USE BRANCH main; RENAME BRANCH dev TO old; CREATE BRANCH dev").unwrap();
    assert_eq!(run(&mut statement), "1|pen|2");
    other.execute("DROP BRANCH dev").unwrap();
    assert!(statement.step().unwrap_err().to_string().contains("dev"));
    // The session's own branch by another name.
    assert_eq!(rows(&session, "SELECT count(*) FROM item@main"), ["4"]);
    session.execute("USE BRANCH old").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item@main"), ["4"]);
    assert_eq!(rows(&session, "SELECT count(*) FROM item@old"), ["2"]);
}

#[test]
fn a_transaction_sees_its_own_changes_and_other_branches_in_one_snapshot() {
    let session = shop();
    let other = Session::new(session.database(crate::catalog::DatabaseIndex::MAIN).unwrap().0);
    session.execute("BEGIN ISOLATION LEVEL SNAPSHOT").unwrap();
    session.execute("INSERT INTO item VALUES (5,'own',1)").unwrap();
    let sql = "SELECT (SELECT count(*) FROM item@main), (SELECT count(*) FROM item@dev)";
    assert_eq!(rows(&session, sql), ["5|2"]);
    other.execute("USE BRANCH dev; DELETE FROM item").unwrap();
    assert_eq!(rows(&session, sql), ["5|2"]);
    session
        .execute("SAVEPOINT s; INSERT INTO item SELECT id + 100, name, 0 FROM item@dev")
        .unwrap();
    assert_eq!(rows(&session, sql), ["7|2"]);
    session.execute("ROLLBACK TO s").unwrap();
    assert_eq!(rows(&session, sql), ["5|2"]);
    session.execute("COMMIT").unwrap();
    assert_eq!(rows(&session, sql), ["5|0"]);
}

#[test]
fn refusals_say_what_to_do() {
    let session = shop();
    let unknown = error(&session, "SELECT * FROM item@dve");
    assert!(unknown.contains("dve") && unknown.contains("dev"), "{unknown}");
    let unknown = error(&session, "SELECT * FROM item AS OF TAG nope");
    assert!(unknown.contains("nope"), "{unknown}");
    let missing = error(&session, "SELECT * FROM absent@dev");
    assert!(missing.contains("absent@dev"), "{missing}");
    session.execute("DELETE FROM item@main WHERE id = 4").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM item"), ["3"]);
    // A trigger reads other branches, and changes its own.
    let trigger = "CREATE TRIGGER t AFTER DELETE ON item BEGIN DELETE FROM item@dev; END";
    let refused = error(&session, trigger);
    assert!(refused.contains("cannot change another branch: dev"), "{refused}");
    assert_eq!(rows(&session, "SELECT count(*) FROM item@dev"), ["2"]);
}

/// A database that has no branches needs none for its first one.
#[test]
fn main_is_there_without_branches() {
    let session = Session::on_head(Database::in_memory().unwrap(), MAIN);
    session.execute("CREATE TABLE t(a); INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(rows(&session, "SELECT a FROM t@main"), ["1"]);
    assert_eq!(rows(&session, "SELECT a FROM t@MAIN AS OF NOW"), ["1"]);
    assert!(error(&session, "SELECT a FROM t@dev").contains("dev"));
}

const ONE_MOMENT: [&str; 3] =
    ["BEGIN ISOLATION LEVEL SNAPSHOT", "BEGIN CONCURRENT", "SERIALIZABLE READ ONLY"];

fn one(session: &Session, sql: &str) -> String {
    rows(session, sql).join(",")
}

/// A session in a transaction that has read its own branch, and another session.
fn two_on_branches(begin: &str) -> (Session, Session) {
    let database = database();
    let (reader, other) = (Session::new(database.clone()), Session::new(database));
    let schema = "CREATE TABLE t(n INT); INSERT INTO t VALUES (0); CREATE BRANCH dev";
    other.execute(schema).unwrap();
    if begin == ONE_MOMENT[2] {
        reader.execute("PRAGMA isolation_level = serializable; BEGIN READ ONLY").unwrap();
    } else {
        reader.execute(begin).unwrap();
    }
    assert_eq!(one(&reader, "SELECT n FROM t"), "0");
    (reader, other)
}

#[test]
fn half_of_a_commit_on_two_branches_is_never_seen() {
    for begin in ONE_MOMENT {
        let (reader, other) = two_on_branches(begin);
        other.execute("BEGIN; UPDATE t SET n = 1; UPDATE t@dev SET n = 1; COMMIT").unwrap();
        let both = "SELECT (SELECT n FROM t), (SELECT n FROM t@dev)";
        assert_eq!(one(&reader, "SELECT n FROM t@dev"), "0", "{begin}");
        assert_eq!(one(&reader, both), "0|0", "{begin}");
        reader.execute("USE BRANCH dev").unwrap();
        assert_eq!(one(&reader, "SELECT n FROM t"), "0", "{begin}");
        reader.execute("COMMIT").unwrap();
        assert_eq!(one(&reader, "SELECT n FROM t"), "1", "{begin}");
    }
}

#[test]
fn what_is_changed_elsewhere_is_changed_as_the_transaction_saw_it() {
    for begin in &ONE_MOMENT[..2] {
        let (reader, other) = two_on_branches(begin);
        other.execute("UPDATE t@dev SET n = 5").unwrap();
        reader.execute("UPDATE t@dev SET n = n + 1").unwrap();
        let conflict = reader.execute("COMMIT").unwrap_err();
        assert!(conflict.is_retryable(), "{begin}: {conflict}");
        assert_eq!(one(&reader, "SELECT n FROM t@dev"), "5", "{begin}");
    }
}

#[test]
fn a_branch_that_was_read_stays_readable_to_the_end_of_the_transaction() {
    for begin in ONE_MOMENT {
        for gone in [
            "DROP BRANCH dev",
            "RENAME BRANCH dev TO other",
            "DROP BRANCH dev; CREATE BRANCH dev; UPDATE t@dev SET n = 7",
        ] {
            let (reader, other) = two_on_branches(begin);
            assert_eq!(one(&reader, "SELECT n FROM t@DEV"), "0", "{begin}");
            other.execute("UPDATE t@dev SET n = 3").unwrap();
            other.execute(gone).unwrap();
            assert_eq!(one(&reader, "SELECT n FROM t@dev"), "0", "{begin}: {gone}");
            assert_eq!(one(&reader, "SELECT n + 1 FROM t@Dev"), "1", "{begin}: {gone}");
            reader.execute("COMMIT").unwrap();
            let after = reader.query("SELECT n FROM t@dev").map(|rows| rows.rows.len());
            assert_eq!(after.is_ok(), gone.contains("CREATE"), "{begin}: {gone}");
        }
    }
}
