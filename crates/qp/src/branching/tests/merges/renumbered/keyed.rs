//! Tables that declare a key beside the rowid: the key says which row one is.
//!
//! Neighbours: the branch crate's `merge::same::keyed`.

use pandodb_testkit::Seeds;

use super::super::{error, rows, session};

/// SQL gives the rowid of a deleted last row to the next one: that is another row all the same.
#[test]
fn a_declared_key_says_which_row_one_is_whatever_its_rowid() {
    let setup =
        "CREATE TABLE r(k TEXT PRIMARY KEY, v, w); INSERT INTO r VALUES ('x',0,0),('alice',1,1);
                 CREATE BRANCH dev";
    let replaced = "DELETE FROM r WHERE k = 'alice'; INSERT INTO r VALUES ('bob',1,5)";
    let changed = "UPDATE r SET v = 999 WHERE k = 'alice'";
    for (on_main, on_dev) in [(replaced, changed), (changed, replaced)] {
        let session = session();
        let sides = format!("{setup}; {on_main}; USE BRANCH dev; {on_dev}; USE BRANCH main");
        session.execute(&sides).unwrap();
        let told = error(&session, "MERGE BRANCH dev INTO main");
        assert!(told.contains("delete/modify r"), "{told}");
        session
            .execute("MERGE BRANCH dev INTO main WITH (conflict_resolution = 'source_wins')")
            .unwrap();
        let alice = if on_dev == changed {
            vec!["alice|999|1", "bob|1|5", "x|0|0"]
        } else {
            vec!["bob|1|5", "x|0|0"]
        };
        assert_eq!(rows(&session, "SELECT * FROM r ORDER BY k"), alice);
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
    }
    for (on_main, on_dev, left) in [
        // Both come to the same by different ways.
        (replaced, "INSERT INTO r VALUES ('bob',1,5)", ["bob|1|5", "x|0|0"]),
        ("INSERT INTO r VALUES ('bob',1,5)", replaced, ["bob|1|5", "x|0|0"]),
        (
            "REPLACE INTO r VALUES ('alice',2,1)",
            "UPDATE r SET w = 7 WHERE k = 'alice'",
            ["alice|2|7", "x|0|0"],
        ),
        (
            "UPDATE r SET w = 7 WHERE k = 'alice'",
            "REPLACE INTO r VALUES ('alice',2,1)",
            ["alice|2|7", "x|0|0"],
        ),
        // Two rows change places.
        (
            "DELETE FROM r; INSERT INTO r VALUES ('alice',1,1), ('x',0,0)",
            "UPDATE r SET v = v + 5",
            ["alice|6|1", "x|5|0"],
        ),
    ] {
        let session = session();
        let sides = format!("{setup}; {on_main}; USE BRANCH dev; {on_dev}; USE BRANCH main");
        session.execute(&sides).unwrap();
        session
            .execute("MERGE BRANCH dev INTO main")
            .unwrap_or_else(|error| panic!("{on_main}: {error:?}"));
        assert_eq!(rows(&session, "SELECT * FROM r ORDER BY k"), left, "{on_main}");
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{on_main}");
        let again = rows(&session, "MERGE BRANCH dev INTO main");
        assert!(again[0].starts_with("up to date"), "{again:?}");
    }
}

/// What was undone is done to the row of that key, not to the one that has its rowid now.
#[test]
fn undoing_finds_rows_by_their_declared_key() {
    let session = session();
    session
        .execute("CREATE TABLE r(k TEXT PRIMARY KEY, v); INSERT INTO r VALUES ('x',0),('alice',1)")
        .unwrap();
    session.execute("UPDATE r SET v = 2 WHERE k = 'alice'").unwrap();
    let number = rows(&session, "SELECT max(transaction_id) FROM pando_log").concat();
    session.execute("DELETE FROM r WHERE k = 'alice'; INSERT INTO r VALUES ('bob',2)").unwrap();
    let told = error(&session, &format!("UNDO TRANSACTION {number}"));
    assert!(told.contains("delete/modify r"), "{told}");
    assert_eq!(rows(&session, "SELECT * FROM r"), ["x|0", "bob|2"]);
}

/// A table with rowids and one without, of one definition and with one life, have the same rows.
#[test]
fn declared_keys_are_keys_with_a_rowid_or_without() {
    Seeds::first(60).run("declared_keys_are_keys_with_a_rowid_or_without", |random| {
        let session = session();
        session
            .execute(
                "CREATE TABLE r(k TEXT PRIMARY KEY, v, w); CREATE TABLE s(k TEXT PRIMARY KEY, v, w)
                 WITHOUT ROWID; CREATE BRANCH a; CREATE BRANCH b",
            )
            .unwrap();
        let branches = ["main", "a", "b"];
        let mut life = String::new();
        for _ in 0..random.usize(10..40) {
            let branch = branches[random.usize(0..3)];
            let (key, value) = (random.u8(0..6), random.u8(0..9));
            let on_both = |what: &str| {
                let on = |table: &str| what.replace('#', table);
                format!("USE BRANCH {branch}; {}; {}", on("r"), on("s"))
            };
            let sql = match random.u8(0..9) {
                0..=2 => on_both(&format!("INSERT OR IGNORE INTO # VALUES ('{key}', {value}, 0)")),
                3 => on_both(&format!("DELETE FROM # WHERE k = '{key}'")),
                4 => on_both(&format!("UPDATE # SET v = {value} WHERE k = '{key}'")),
                5 => on_both(&format!("UPDATE # SET w = {value} WHERE k = '{key}'")),
                6 => on_both(&format!("REPLACE INTO # VALUES ('{key}', {value}, 1)")),
                7 => on_both(&format!("UPDATE OR IGNORE # SET k = '{value}' WHERE k = '{key}'")),
                _ => {
                    let other = branches[random.usize(0..3)];
                    if other == branch {
                        continue;
                    }
                    let policy = ["source_wins", "target_wins"][random.usize(0..2)];
                    format!(
                        "MERGE BRANCH {other} INTO {branch} WITH (conflict_resolution = '{policy}')"
                    )
                }
            };
            life.push_str(&format!("{sql};\n"));
            session.execute(&sql).unwrap_or_else(|error| panic!("{error:?}\n{life}"));
            for branch in branches {
                let of = |table: &str| {
                    rows(&session, &format!("SELECT * FROM {table}@{branch} ORDER BY k"))
                };
                assert_eq!(of("r"), of("s"), "{branch}\n{life}");
            }
        }
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"], "{life}");
    });
}
