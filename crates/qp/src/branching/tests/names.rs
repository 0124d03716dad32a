//! Names that merges give: exchanged ones, ones that are taken, and moments that were only named.

use super::{reopened, rows, session, shop};
use crate::session::Session;

/// What a merge says, in short.
fn merged(session: &Session, options: &str) -> String {
    let sql = format!("MERGE BRANCH dev INTO main {options}");
    match session.query(&sql) {
        Ok(_) => "merged".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn names_are_exchanged_whatever_other_names_there_are() {
    let mut taken: Vec<String> =
        (0..200).flat_map(|it| [format!("merging_{it:x}"), format!("merging_{it}")]).collect();
    taken.sort();
    taken.dedup();
    let session = session();
    session
        .execute(&format!(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, b INT, {} INT);
             CREATE TABLE u(id INTEGER PRIMARY KEY, a INT, {} INT);
             CREATE VIEW both AS SELECT t.a, t.b, merging_1 AS one FROM t;
             INSERT INTO t(id, a, b) VALUES (1, 10, 20); INSERT INTO u(id, a) VALUES (1, 5);
             CREATE BRANCH dev; USE BRANCH dev;
             ALTER TABLE t RENAME COLUMN a TO x; ALTER TABLE t RENAME COLUMN b TO a;
             ALTER TABLE t RENAME COLUMN x TO b;
             ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u;
             USE BRANCH main; UPDATE t SET a = 11; UPDATE u SET a = 6",
            taken.join(" INT, "),
            taken.join(" INT, ")
        ))
        .unwrap();
    assert_eq!(merged(&session, ""), "merged");
    assert_eq!(rows(&session, "SELECT b, a FROM u"), ["11|20"]);
    assert_eq!(rows(&session, "SELECT a FROM t"), ["6"]);
    assert_eq!(rows(&session, "SELECT * FROM both"), ["11|20|NULL"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}

#[test]
fn a_name_that_another_kind_of_object_has_is_a_conflict() {
    for (other, theirs) in [
        ("CREATE VIEW v AS SELECT 1", "ALTER TABLE t RENAME TO v"),
        ("CREATE INDEX v ON w(a)", "ALTER TABLE t RENAME TO v"),
        ("CREATE TABLE v(a)", "ALTER TABLE t RENAME TO v"),
        ("ALTER TABLE w RENAME TO v", "ALTER TABLE t RENAME TO v"),
        ("ALTER TABLE w RENAME TO v", "CREATE INDEX v ON t(b)"),
        ("ALTER TABLE t ADD COLUMN v", "ALTER TABLE t RENAME COLUMN b TO v"),
        ("ALTER TABLE t RENAME COLUMN a TO v", "ALTER TABLE t RENAME COLUMN b TO v"),
    ] {
        for (on_main, on_dev) in [(other, theirs), (theirs, other)] {
            for policy in ["fail", "source_wins", "target_wins"] {
                let session = session();
                session
                    .execute(&format!(
                        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
                         CREATE TABLE w(id INTEGER PRIMARY KEY, a);
                         INSERT INTO t VALUES (1, 2, 3); CREATE BRANCH dev; USE BRANCH dev;
                         {on_dev}; USE BRANCH main; {on_main}"
                    ))
                    .unwrap();
                let options = format!("WITH (conflict_resolution = '{policy}')");
                let told = merged(&session, &options);
                if policy == "fail" {
                    assert!(told.contains("conflict"), "{on_main} / {on_dev}: {told}");
                }
                // However it is decided: a merge, or an error that names the two.
                assert!(
                    told == "merged" || told.contains('v'),
                    "{on_main} / {on_dev} ({policy}): {told}"
                );
                assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
                assert_eq!(rows(&session, "SELECT count(*) FROM sqlite_schema")[0].len(), 1);
            }
        }
    }
}

#[test]
fn a_tag_that_goes_takes_nothing_from_merges() {
    for is_reopened in [false, true] {
        let session = shop();
        session
            .execute(
                "PRAGMA history_retention = 0;
                 USE BRANCH dev; UPDATE item SET price = 20 WHERE id = 1; TAG BRANCH dev AS named;
                 USE BRANCH main; UPDATE item SET stock = 100 WHERE id = 2;
                 MERGE BRANCH dev INTO main",
            )
            .unwrap();
        session.execute("DROP TAG named").unwrap();
        let session = if is_reopened { reopened(session) } else { session };
        session
            .execute(
                "USE BRANCH dev; UPDATE item SET price = 21 WHERE id = 1;
                 USE BRANCH main; UPDATE item SET stock = 101 WHERE id = 1;
                 UPDATE item SET price = 50 WHERE id = 2; PRAGMA wal_checkpoint",
            )
            .unwrap();
        assert_eq!(merged(&session, ""), "merged");
        let all = "SELECT id, price, stock FROM item ORDER BY id";
        assert_eq!(rows(&session, all), ["1|21|101", "2|50|100", "3|7|1"]);
    }
}

#[test]
fn an_open_merge_survives_the_tag_of_its_source() {
    let session = shop();
    session
        .execute(
            "USE BRANCH dev; UPDATE item SET price = 20 WHERE id = 1; TAG BRANCH dev AS named;
             USE BRANCH main; UPDATE item SET price = 30 WHERE id = 1;
             MERGE BRANCH dev INTO main WITH (conflict_resolution = 'manual')",
        )
        .unwrap();
    let other = Session::new(session.database(crate::catalog::DatabaseIndex::MAIN).unwrap().0);
    other
        .execute("DROP TAG named; USE BRANCH dev; UPDATE item SET price = 25 WHERE id = 1")
        .unwrap();
    session.execute("RESOLVE CONFLICT 1 WITH SOURCE; CONTINUE MERGE").unwrap();
    assert_eq!(rows(&session, "SELECT price FROM item WHERE id = 1"), ["20"]);
}
