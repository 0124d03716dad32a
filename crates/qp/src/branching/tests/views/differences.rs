//! Which rows, columns and tables of two versions are one. Neighbours: `super::super::merges`
//! proves the same of merges.

use pandodb_testkit::Seeds;

use crate::branching::compare_branches;
use crate::branching::tests::{rows, session};
use crate::session::Session;

fn setup(sql: &str) -> Session {
    let session = session();
    session.execute(sql).unwrap();
    session
}

const ALL: &str = "SELECT * FROM pando_diff_summary('main', 'dev')";

#[test]
fn rows_of_one_declared_key_are_one_whatever_their_rowids_are() {
    let session = setup(
        "CREATE TABLE r(k TEXT COLLATE NOCASE PRIMARY KEY, v); INSERT INTO r VALUES ('x', 0);
         CREATE BRANCH dev; INSERT INTO r VALUES ('a', 1), ('b', 2), ('c', 3); USE BRANCH dev;
         INSERT INTO r VALUES ('c', 3), ('b', 2), ('a', 1); USE BRANCH main",
    );
    assert_eq!(rows(&session, "SHOW DIFF BETWEEN main AND dev"), Vec::<String>::new());
    assert_eq!(rows(&session, "SELECT * FROM pando_diff('r', 'main', 'dev')"), [""; 0]);
    assert_eq!(rows(&session, ALL), [""; 0]);
    assert!(compare_branches(&session, "main", "dev").unwrap().tables.is_empty());

    // A row that moved and changed is shown with the cell that changed; another key is another row.
    session
        .execute(
            "USE BRANCH dev; UPDATE r SET v = 9 WHERE k = 'a'; UPDATE r SET k = 'd' WHERE k = 'x';
             UPDATE r SET k = 'B' WHERE k = 'b'; USE BRANCH main",
        )
        .unwrap();
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN main AND dev"),
        [
            "row|r|delete|1|k|x|NULL",
            "row|r|delete|1|v|0|NULL",
            "row|r|insert|1|k|NULL|d",
            "row|r|insert|1|v|NULL|0",
            "row|r|update|3|k|b|B",
            "row|r|update|4|v|1|9",
        ]
    );
    assert_eq!(
        rows(&session, "SELECT * FROM pando_diff('r', 'main', 'dev')"),
        [
            "delete|NULL|x|NULL|0|NULL",
            "insert|NULL|NULL|d|NULL|0",
            "update|k|b|B|2|2",
            "update|v|a|a|1|9",
        ]
    );
    assert_eq!(rows(&session, ALL), ["table|r|0|1|1|2|2"]);
    let counts = rows(&session, "PREVIEW UPDATE r SET k = k || 'y' WHERE k < 'c'");
    let table = counts.iter().filter(|row| row.starts_with("table|"));
    assert_eq!(
        table.collect::<Vec<_>>(),
        [
            "table|r|rows|NULL|NULL|4|4",
            "table|r|inserted|NULL|NULL|NULL|2",
            "table|r|updated|NULL|NULL|NULL|0",
            "table|r|deleted|NULL|NULL|NULL|2",
        ]
    );
}

/// SQL lets NULL be in a declared key, many times: such rows are known by their rowids.
#[test]
fn a_row_without_a_whole_key_is_known_by_its_rowid() {
    let session = setup(
        "CREATE TABLE r(a, b, v, PRIMARY KEY (a, b DESC));
         INSERT INTO r VALUES (1, NULL, 1), (1, NULL, 2), (2, 2, 3); CREATE BRANCH dev;
         USE BRANCH dev; UPDATE r SET v = 7 WHERE rowid = 2; UPDATE r SET b = 5 WHERE rowid = 1;
         INSERT INTO r VALUES (1, NULL, 2); USE BRANCH main",
    );
    let told = "SELECT change, changed_columns, old_v, new_v FROM pando_diff('r', 'main', 'dev')";
    assert_eq!(
        rows(&session, told),
        ["update|b|1|1", "update|v|2|7", "insert|NULL|NULL|2"],
        "rows of one rowid"
    );
    // The row that has the key now is the one that had it, not the one that got it.
    session
        .execute(
            "UPDATE r SET b = NULL WHERE rowid = 3; DELETE FROM r WHERE rowid = 3;
             INSERT INTO r VALUES (1, 5, 4)",
        )
        .unwrap();
    assert_eq!(
        rows(&session, told),
        [
            "delete|NULL|1|NULL",
            "update|v|4|1",
            "update|v|2|7",
            "insert|NULL|NULL|3",
            "insert|NULL|NULL|2"
        ]
    );
}

/// A table with rowids and one without, of one definition and with one life, differ in the same.
#[test]
fn declared_keys_pair_rows_with_a_rowid_or_without() {
    Seeds::first(60).run("declared_keys_pair_rows_with_a_rowid_or_without", |random| {
        let session = setup(
            "CREATE TABLE r(k PRIMARY KEY, v, w); CREATE TABLE s(k PRIMARY KEY, v, w) WITHOUT ROWID;
             CREATE BRANCH dev",
        );
        let mut life = String::new();
        for _ in 0..random.usize(10..40) {
            let branch = ["main", "dev"][random.usize(0..2)];
            let (key, value) = (random.u8(0..8), random.u8(0..4));
            let change = match random.u8(0..6) {
                0 | 1 => format!("INSERT OR IGNORE INTO # VALUES ({key}, {value}, 0)"),
                2 => format!("DELETE FROM # WHERE k = {key}"),
                3 => format!("UPDATE # SET v = {value} WHERE k = {key}"),
                4 => format!("REPLACE INTO # VALUES ({key}, {value}, 1)"),
                _ => format!("UPDATE OR IGNORE # SET k = {value} WHERE k = {key}"),
            };
            let [on_r, on_s] = ["r", "s"].map(|table| change.replace('#', table));
            let sql = format!("USE BRANCH {branch}; {on_r}; {on_s}");
            life.push_str(&format!("{sql};\n"));
            session.execute(&sql).unwrap_or_else(|error| panic!("{error:?}\n{life}"));
            for (old, new) in [("main", "dev"), ("dev", "main")] {
                let told = ["r", "s"].map(|table| {
                    let sql = format!("SELECT * FROM pando_diff('{table}', '{old}', '{new}')");
                    let mut told = rows(&session, &sql);
                    told.sort();
                    told
                });
                assert_eq!(told[0], told[1], "{old} to {new}\n{life}");
            }
        }
    });
}

/// So many rows that threads divide them, each of which got the key of another one.
#[test]
fn rows_that_changed_places_are_found_by_several_threads() {
    let session = setup(
        "CREATE TABLE r(k INT PRIMARY KEY, v); CREATE TABLE s(k INT PRIMARY KEY, v) WITHOUT ROWID;
         INSERT INTO r SELECT value, value FROM generate_series(1, 12000);
         INSERT INTO s SELECT k, v FROM r; CREATE BRANCH dev; USE BRANCH dev;
         DELETE FROM r; DELETE FROM s WHERE k <= 3000;
         INSERT INTO r SELECT value, value + value % 3 FROM generate_series(15000, 3001, -1);
         REPLACE INTO s SELECT k, v FROM r; USE BRANCH main",
    );
    let told = |table: &str| {
        let sql = format!(
            "SELECT change, count(*), sum(old_k), sum(new_v) FROM pando_diff('{table}', 'main',
             'dev') GROUP BY 1"
        );
        rows(&session, &sql)
    };
    for threads in [1, 4] {
        session.change_settings(|settings| settings.threads = threads);
        assert_eq!(told("r"), told("s"), "{threads} threads");
        assert_eq!(told("r").len(), 3);
    }
}

#[test]
fn a_table_that_was_made_again_has_lost_its_rows() {
    let session = setup(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 2, 3), (4, 5, 6);
         CREATE TABLE u(x); CREATE BRANCH dev; USE BRANCH dev; DROP TABLE t; DROP TABLE u;
         CREATE TABLE t(id INTEGER PRIMARY KEY, b TEXT, c); INSERT INTO t VALUES (1, 'x', 7);
         USE BRANCH main",
    );
    let of_table = [
        "table|t|added|NULL|NULL|NULL|NULL",
        "table|t|dropped|NULL|NULL|NULL|NULL",
        "row|t|insert|1|id|NULL|1",
        "row|t|insert|1|b|NULL|x",
        "row|t|insert|1|c|NULL|7",
        "row|t|delete|1|id|1|NULL",
        "row|t|delete|1|a|2|NULL",
        "row|t|delete|1|b|3|NULL",
        "row|t|delete|4|id|4|NULL",
        "row|t|delete|4|a|5|NULL",
        "row|t|delete|4|b|6|NULL",
    ];
    assert_eq!(rows(&session, "SHOW DIFF BETWEEN main AND dev FOR TABLE t"), of_table);
    let mut all = of_table.to_vec();
    all.insert(2, "table|u|dropped|NULL|NULL|NULL|NULL");
    assert_eq!(rows(&session, "SHOW DIFF BETWEEN main AND dev"), all);
    assert_eq!(rows(&session, ALL), ["table|t|2|1|2|0|0", "table|u|1|0|0|0|0"]);
    // A column is that of its name; what only the old table had is last.
    assert_eq!(
        rows(
            &session,
            "SELECT change, old_id, new_id, old_b, new_b, old_c, new_c, old_a, new_a
             FROM pando_diff('t', 'main', 'dev')"
        ),
        [
            "insert|NULL|1|NULL|x|NULL|7|NULL|NULL",
            "delete|1|NULL|3|NULL|NULL|NULL|2|NULL",
            "delete|4|NULL|6|NULL|NULL|NULL|5|NULL",
        ]
    );
    let tables = compare_branches(&session, "main", "dev").unwrap().tables;
    assert_eq!(tables.iter().map(|table| table.rows.len()).collect::<Vec<_>>(), [1, 2]);
    let told = rows(&session, "PREVIEW BEGIN DROP TABLE t; CREATE TABLE t(x); END");
    assert!(told.contains(&"table|t|rows|NULL|NULL|2|0".to_owned()), "{told:?}");
    assert!(told.contains(&"table|t|deleted|NULL|NULL|NULL|2".to_owned()), "{told:?}");
    // Renamed away, its rows are those of the other name.
    session.execute("CREATE TABLE w(x); INSERT INTO w VALUES (1); CREATE BRANCH old").unwrap();
    session.execute("ALTER TABLE w RENAME TO v; CREATE TABLE w(y)").unwrap();
    assert_eq!(rows(&session, "SELECT * FROM pando_diff('w', 'old', 'main')"), [""; 0]);
}

#[test]
fn what_both_branches_added_alike_is_one_thing() {
    let added = "ALTER TABLE t ADD COLUMN tag TEXT DEFAULT 'none';
                 ALTER TABLE t ADD COLUMN long TEXT AS (tag || '!');
                 CREATE INDEX by_tag ON t(tag); CREATE VIEW tags AS SELECT tag FROM t;
                 CREATE TRIGGER looked AFTER DELETE ON t BEGIN SELECT old.tag; END";
    let session = setup(&format!(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1), (2, 2);
         CREATE BRANCH dev; {added}; UPDATE t SET tag = 'one' WHERE id = 1; USE BRANCH dev;
         ALTER TABLE t ADD COLUMN other INT; {added}; UPDATE t SET tag = 'one' WHERE id = 1;
         UPDATE t SET tag = 'two' WHERE id = 2; USE BRANCH main"
    ));
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN main AND dev"),
        ["table|t|added|NULL|other|NULL|INT", "row|t|update|2|tag|none|two"]
    );
    assert_eq!(rows(&session, ALL), ["table|t|1|0|0|1|1"]);
    let (statement, _) = session.prepare("SELECT * FROM pando_diff('t', 'main', 'dev')").unwrap();
    let names = statement.unwrap().column_names();
    assert_eq!(
        names[2..].iter().map(|name| &**name).collect::<Vec<_>>(),
        [
            "old_id",
            "new_id",
            "old_a",
            "new_a",
            "old_other",
            "new_other",
            "old_tag",
            "new_tag",
            "old_long",
            "new_long"
        ]
    );
    // Under other definitions they are two.
    session
        .execute(
            "ALTER TABLE t ADD COLUMN w INT; USE BRANCH dev; ALTER TABLE t ADD COLUMN w TEXT;
             USE BRANCH main",
        )
        .unwrap();
    let told = rows(&session, "SHOW DIFF BETWEEN main AND dev FOR TABLE t");
    assert!(told.contains(&"table|t|dropped|NULL|w|INT|NULL".to_owned()), "{told:?}");
}

/// A merge notes that a table which both sides added is one.
#[test]
fn a_table_that_a_merge_made_one_differs_as_one() {
    let session = setup(
        "CREATE BRANCH dev; CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1);
         USE BRANCH dev; CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (2, 2);
         USE BRANCH main; MERGE BRANCH dev INTO main",
    );
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN dev AND main"),
        ["row|t|insert|1|id|NULL|1", "row|t|insert|1|a|NULL|1"]
    );
    assert_eq!(
        rows(&session, "SELECT * FROM pando_diff_summary('main', 'dev')"),
        ["table|t|0|0|1|0|0"]
    );
}

/// However rows are stored: those of a table that lost a column have the same bytes as before.
#[test]
fn a_column_that_came_or_went_is_told_with_the_cells_that_are_not_its_default() {
    let session = setup(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
         INSERT INTO t VALUES (1, 1, 'x'), (2, 2, NULL), (3, 3, 'z');
         CREATE TABLE k(name TEXT PRIMARY KEY, n); INSERT INTO k VALUES ('one', 1);
         CREATE TABLE w(name TEXT PRIMARY KEY, n) WITHOUT ROWID; INSERT INTO w SELECT * FROM k;
         CREATE BRANCH dev; USE BRANCH dev; ALTER TABLE t DROP COLUMN b;
         ALTER TABLE k DROP COLUMN n; ALTER TABLE w DROP COLUMN n;
         ALTER TABLE t ADD COLUMN c INT NOT NULL DEFAULT 5; UPDATE t SET c = 6 WHERE id = 3;
         ALTER TABLE t ADD COLUMN twice AS (a * 2); USE BRANCH main",
    );
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN main AND dev"),
        [
            "table|t|added|NULL|c|NULL|INT NOT NULL DEFAULT 5",
            "table|t|added|NULL|twice|NULL|AS (a * 2) VIRTUAL",
            "table|t|dropped|NULL|b|NULL|NULL",
            "table|k|dropped|NULL|n|NULL|NULL",
            "table|w|dropped|NULL|n|NULL|NULL",
            "row|t|update|1|b|x|NULL",
            "row|t|update|3|c|NULL|6",
            "row|t|update|3|b|z|NULL",
            "row|k|update|1|n|1|NULL",
            "row|w|update|'one'|n|1|NULL",
        ]
    );
    // The other way round it is the same.
    let back = rows(&session, "SELECT change, changed_columns FROM pando_diff('t', 'dev', 'main')");
    let there =
        rows(&session, "SELECT change, changed_columns FROM pando_diff('t', 'main', 'dev')");
    assert_eq!((back.len(), there.len()), (2, 2), "{back:?} {there:?}");
    assert_eq!(rows(&session, "SHOW DIFF BETWEEN dev AND main").len(), 10);
    // What was added beside it is no loss of anybody's, and costs no look at all rows.
    session.execute("USE BRANCH dev; CREATE BRANCH more; USE BRANCH more").unwrap();
    session.execute("ALTER TABLE t ADD COLUMN d DEFAULT 'd'; USE BRANCH main").unwrap();
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN dev AND more"),
        ["table|t|added|NULL|d|NULL|DEFAULT 'd'"]
    );
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN more AND dev"),
        ["table|t|dropped|NULL|d|DEFAULT 'd'|NULL"]
    );
}

#[test]
fn definitions_stand_in_differences_as_they_were_written() {
    let session = setup(
        "CREATE TABLE p(Id INTEGER PRIMARY KEY, \"a b\" UNIQUE);
         CREATE TABLE t(id INTEGER PRIMARY KEY, a INT, g AS (a  +  1), CHECK (a  <> 9));
         CREATE VIEW v AS SELECT id FROM t; CREATE BRANCH dev; USE BRANCH dev; DROP VIEW v;
         CREATE VIEW v AS SELECT id,  a FROM t; ALTER TABLE t RENAME COLUMN a TO Price;
         ALTER TABLE t ADD COLUMN h AS (Price || 'X');
         ALTER TABLE t ADD CONSTRAINT Small CHECK (Price  IS NOT 7);
         ALTER TABLE t ADD COLUMN p REFERENCES p(\"a b\") ON DELETE SET NULL; USE BRANCH main",
    );
    // A column that is called otherwise changes nothing that is computed of it.
    assert_eq!(
        rows(&session, "SHOW DIFF BETWEEN main AND dev FOR TABLE t"),
        [
            "table|t|renamed|NULL|Price|a|Price",
            "table|t|added|NULL|h|NULL|AS (Price || 'X') VIRTUAL",
            "table|t|added|NULL|p|NULL|NULL",
            "constraint|t|added|NULL|CHECK (Price  IS NOT 7)|NULL|NULL",
            "constraint|t|added|NULL|FOREIGN KEY (p) REFERENCES p(\"a b\") ON DELETE SET NULL|NULL\
             |NULL",
        ]
    );
}
