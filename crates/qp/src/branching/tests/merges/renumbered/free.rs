//! Which rowids rows get that cannot keep their own.
//!
//! Neighbours: the branch crate's `merge::renumber`.

use super::super::{error, rows, session};
use super::{RENUMBER, run};

/// SQLite takes any free rowid once the greatest of all is used; a merge takes the same one each
/// time, and none that a row has or had.
#[test]
fn rows_get_free_rowids_below_the_greatest_of_all() {
    for (swapped, declared, policy) in [
        (false, "u(v)", ""),
        (true, "u(v)", ""),
        (false, "u(rowid INTEGER PRIMARY KEY, v)", "WITH (conflict_resolution = 'renumber')"),
    ] {
        let session = session();
        run(
            &session,
            &format!(
                "CREATE TABLE {declared};
                 INSERT INTO u(rowid, v) VALUES (9223372036854775807, 'max'),
                     (9223372036854775805, 'base');
                 CREATE BRANCH dev; DELETE FROM u WHERE v = 'base';
                 INSERT INTO u(rowid, v) VALUES (5, 'm'), (6, 'm');
                 INSERT INTO u@dev(rowid, v) VALUES (5, 'd'), (6, 'd')"
            ),
        );
        let (source, target) = if swapped { ("main", "dev") } else { ("dev", "main") };
        let merge = format!("MERGE BRANCH {source} INTO {target} {policy}");
        let dry = match policy {
            "" => format!("{merge} WITH (dry_run = true)"),
            _ => merge.replace(')', ", dry_run = true)"),
        };
        assert!(rows(&session, &dry)[0].starts_with("would merge"), "{dry}");
        run(&session, &merge);
        let query = format!("SELECT rowid, v FROM u@{target} ORDER BY rowid");
        let (kept, came) = if swapped { ("d", "m") } else { ("m", "d") };
        let expected = [
            format!("5|{kept}"),
            format!("6|{kept}"),
            format!("9223372036854775804|{came}"),
            format!("9223372036854775806|{came}"),
            "9223372036854775807|max".to_owned(),
        ];
        assert_eq!(rows(&session, &query), expected, "{declared} {swapped}");
        assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
        // A row that went keeps its number from others, and the rows are the same ones later.
        if !swapped {
            run(
                &session,
                "DELETE FROM u WHERE rowid = 9223372036854775804;
                     UPDATE u@dev SET v = 'D' WHERE rowid = 5;
                     INSERT INTO u(rowid, v) VALUES (7, 'm');
                     INSERT INTO u@dev(rowid, v) VALUES (7, 'd')",
            );
            let policy = if policy.is_empty() { "theirs" } else { "renumber" };
            let merge = format!("MERGE BRANCH dev INTO main WITH (conflict_resolution='{policy}')");
            run(&session, &merge);
            let expected = [
                "5|m",
                "6|m",
                "7|m",
                "9223372036854775803|d",
                "9223372036854775806|D",
                "9223372036854775807|max",
            ];
            assert_eq!(rows(&session, "SELECT rowid, v FROM u ORDER BY rowid"), expected);
        }
    }
}

#[test]
fn the_last_rowids_are_given_before_those_below() {
    let session = session();
    run(
        &session,
        "CREATE TABLE u(v); INSERT INTO u(rowid, v) VALUES (9223372036854775805, 'base');
         CREATE BRANCH dev; INSERT INTO u(rowid, v) VALUES (5, 'm'), (6, 'm'), (7, 'm');
         INSERT INTO u@dev(rowid, v) VALUES (5, 'd'), (6, 'd'), (7, 'd');
         MERGE BRANCH dev INTO main",
    );
    let came = "SELECT rowid FROM u WHERE v = 'd' ORDER BY rowid";
    let expected = ["9223372036854775804", "9223372036854775806", "9223372036854775807"];
    assert_eq!(rows(&session, came), expected);
}

#[test]
fn numbers_of_autoincrement_only_grow() {
    let session = session();
    run(
        &session,
        "CREATE TABLE u(id INTEGER PRIMARY KEY AUTOINCREMENT, v);
         INSERT INTO u(id, v) VALUES (9223372036854775807, 'max'); CREATE BRANCH dev;
         INSERT INTO u(id, v) VALUES (5, 'm'); INSERT INTO u@dev(id, v) VALUES (5, 'd')",
    );
    let told = error(&session, RENUMBER);
    assert!(told.contains("all rowids of u are used up"), "{told}");
}

/// What refers to a row that gets a number is not the other side's row, whatever it looked like;
/// what refers to that follows, and no number is given twice.
#[test]
fn what_refers_to_renumbered_rows_gets_numbers_of_its_own() {
    let session = session();
    run(
        &session,
        "CREATE TABLE gone(id INTEGER PRIMARY KEY, c INT REFERENCES c(id));
         CREATE TABLE c(id INTEGER PRIMARY KEY, p INT REFERENCES t(id), v);
         CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE BRANCH dev;
         INSERT INTO t VALUES (1, 'm'); INSERT INTO c VALUES (7, 1, ''), (8, NULL, 'm');
         INSERT INTO gone VALUES (3, 7); USE BRANCH dev;
         INSERT INTO t VALUES (1, 'd'); INSERT INTO c VALUES (7, 1, ''), (8, NULL, 'd');
         INSERT INTO gone VALUES (3, 7); USE BRANCH main",
    );
    run(&session, RENUMBER);
    assert_eq!(rows(&session, "SELECT * FROM t"), ["1|m", "2|d"]);
    assert_eq!(rows(&session, "SELECT * FROM c"), ["7|1|", "8|NULL|m", "9|NULL|d", "10|2|"]);
    assert_eq!(rows(&session, "SELECT * FROM gone"), ["3|7", "4|10"]);
    assert_eq!(rows(&session, "PRAGMA foreign_key_check"), Vec::<String>::new());
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["ok"]);
}
