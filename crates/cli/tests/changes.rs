//! `pando diff --sql` writes SQL that leads from one branch to another: it is run on the first one
//! and both then dump the same. sqlite3 takes the same script.

use pandodb_testkit::{TemporaryFolder, assert_same_text};

use crate::run;

const SCHEMA: &str = "\
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, price REAL DEFAULT 1.5, note BLOB);
CREATE TABLE bare(a, rowid TEXT);
CREATE TABLE pair(room TEXT, number INT, size INT, PRIMARY KEY(room, number)) WITHOUT ROWID;
CREATE TABLE keyed(code TEXT PRIMARY KEY, v INT, twice INT AS (v * 2));
CREATE TABLE part(n INT NOT NULL CHECK (n > 0), item INT REFERENCES item(id) ON DELETE CASCADE);
CREATE TABLE gone(x);
CREATE TABLE log(what TEXT);
CREATE INDEX item_price ON item(price) WHERE price > 1;
CREATE INDEX old_index ON bare(a);
CREATE VIEW cheap AS SELECT name FROM item WHERE price < 10;
CREATE TRIGGER item_changed AFTER UPDATE ON item BEGIN INSERT INTO log VALUES (new.name); END;
INSERT INTO item VALUES (1, 'pen', 2, x'00'), (2, 'ink', 5, NULL), (3, 'it''s', 7, x'');
INSERT INTO item VALUES (4, 'cap', 9, 'x');
INSERT INTO bare VALUES (1, 'one'), (2, 'two'), (NULL, NULL);
INSERT INTO pair VALUES ('attic', 1, 10), ('attic', 2, 20), ('cellar', 1, 30);
INSERT INTO keyed(code, v) VALUES ('a', 1), ('b', 2);
INSERT INTO part VALUES (1, 1), (2, 2);
INSERT INTO gone VALUES ('soon');
";

/// Each a change of the other branch.
const CHANGES: &[&str] = &[
    "UPDATE item SET price = price + 1, note = x'ff00' WHERE id < 3",
    // Two rows change places in a unique column.
    "UPDATE item SET name = 'tmp' WHERE id = 1; UPDATE item SET name = 'pen' WHERE id = 2;
     UPDATE item SET name = 'ink' WHERE id = 1",
    "DELETE FROM item WHERE id = 1; INSERT INTO item(id, name) VALUES (9, 'new
line')",
    "DELETE FROM bare WHERE a = 1; INSERT INTO bare VALUES (2, 'again'); UPDATE bare SET a = 0.1",
    "UPDATE pair SET number = 7 WHERE number = 2; INSERT INTO pair VALUES ('garden', 1, NULL)",
    "UPDATE keyed SET v = 50; DELETE FROM keyed WHERE code = 'b';
     INSERT INTO keyed(code, v) VALUES ('c', 3)",
    // Rows under other rowids: what says which row one is is the key.
    "DELETE FROM keyed; INSERT INTO keyed(code, v) VALUES ('b', 2), ('c', 3), ('a', 7), (NULL, 4)",
    "ALTER TABLE item ADD COLUMN colour TEXT DEFAULT 'none, yet' COLLATE NOCASE",
    "ALTER TABLE item ADD COLUMN made TEXT; UPDATE item SET made = 'today' WHERE id = 2",
    "ALTER TABLE item RENAME COLUMN note TO remark; UPDATE item SET remark = 'r' WHERE id = 3",
    "ALTER TABLE pair DROP COLUMN size",
    "ALTER TABLE bare RENAME TO plain; INSERT INTO plain VALUES (5, 'five')",
    "DROP TABLE gone",
    "CREATE TABLE fresh(id INTEGER PRIMARY KEY, t TEXT); CREATE INDEX fresh_t ON fresh(t);
     INSERT INTO fresh VALUES (1, 'a'), (5, 'b')",
    "DROP INDEX old_index; CREATE UNIQUE INDEX pair_size ON pair(number, room)",
    "DROP VIEW cheap; CREATE VIEW cheap AS SELECT name, price FROM item;
     CREATE VIEW dear AS SELECT * FROM cheap",
    "DROP TRIGGER item_changed; UPDATE item SET price = 0 WHERE id = 2",
    "UPDATE item SET price = 3 WHERE id = 2; DELETE FROM log",
];

/// Changes in which names change their owners, each for itself.
const NAMES: &[&str] = &[
    // Names in a ring, of tables and of columns.
    "ALTER TABLE gone RENAME TO x; ALTER TABLE bare RENAME TO gone; ALTER TABLE x RENAME TO bare;
     INSERT INTO gone VALUES (7, 'seven')",
    "ALTER TABLE item RENAME COLUMN note TO x; ALTER TABLE item RENAME COLUMN price TO note;
     ALTER TABLE item RENAME COLUMN x TO price; UPDATE item SET note = 4 WHERE id = 2",
    // The triggers of a table that has another name now do not run when its rows change.
    "ALTER TABLE item RENAME TO thing; UPDATE thing SET price = 3 WHERE id = 2",
    "ALTER TABLE item RENAME COLUMN name TO title; UPDATE item SET price = 3 WHERE id = 2",
    // Another thing under the name of one that is gone.
    "DROP TABLE part; CREATE TABLE part(n INT, m INT); INSERT INTO part VALUES (1, 2)",
    "DROP TABLE gone; ALTER TABLE bare RENAME TO gone; DELETE FROM gone",
    "CREATE TABLE next(code TEXT PRIMARY KEY, v INT CHECK (v > 0), twice INT AS (v * 3));
     INSERT INTO next(code, v) SELECT code, v FROM keyed; DROP TABLE keyed;
     ALTER TABLE next RENAME TO keyed",
    "ALTER TABLE item DROP COLUMN note; ALTER TABLE item ADD COLUMN note TEXT DEFAULT 'none'",
    "ALTER TABLE part DROP COLUMN item; ALTER TABLE part ADD COLUMN item INT;
     ALTER TABLE part RENAME COLUMN item TO whole; ALTER TABLE part ADD COLUMN item TEXT",
    "DROP TABLE gone; DROP VIEW cheap; CREATE TABLE cheap(a); CREATE VIEW gone AS SELECT 1 AS one",
];

/// The lines in an order that does not depend on when each was made. ALTER TABLE quotes new names.
fn sorted(text: &str) -> String {
    let text = text.replace('"', "");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Makes a database with these changes on `dev`, and brings them to `main` as SQL.
fn check(changes: &str) {
    let folder = TemporaryFolder::new();
    let run = |line: &str| {
        let printed = run(folder.path(), line);
        assert!(!printed.contains("[exit "), "{line}: {printed}\nof {changes}");
        printed
    };
    std::fs::write(folder.file("schema.sql"), SCHEMA).unwrap();
    std::fs::write(folder.file("changes.sql"), format!("{changes};\n")).unwrap();
    run("pando --bail a.pando < schema.sql");
    run("pando a.pando branch create dev");
    run("pando --bail --branch dev a.pando < changes.sql");
    run("pando a.pando dump > before.sql");
    run("pando a.pando diff main dev --sql > diff.sql");
    let expected = run("pando --branch dev a.pando dump");
    run("pando --bail --branch main a.pando < diff.sql");
    let found = run("pando --branch main a.pando dump");
    assert_same_text(&sorted(&expected), &sorted(&found));
    if crate::run(folder.path(), "sqlite3 -version").starts_with('3') {
        run("sqlite3 -bail s.sqlite < before.sql && sqlite3 -bail s.sqlite < diff.sql");
        run("sqlite3 s.sqlite .dump > s.sql && pando --bail s.pando < s.sql");
        assert_same_text(&sorted(&expected), &sorted(&run("pando s.pando dump")));
    }
}

#[test]
fn each_kind_of_change_is_written_as_sql_that_does_it() {
    let all: Vec<&str> = CHANGES.iter().chain(NAMES).copied().collect();
    let per_thread = all.len().div_ceil(4);
    std::thread::scope(|scope| {
        for part in all.chunks(per_thread) {
            scope.spawn(move || part.iter().for_each(|changes| check(changes)));
        }
    });
}

#[test]
fn many_changes_at_once_are_written_as_sql_that_does_them() {
    check(&CHANGES.join(";\n"));
}

#[test]
fn branches_that_are_equal_need_no_sql() {
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    assert_eq!(run("pando a.pando 'CREATE TABLE t(a); CREATE BRANCH dev'"), "");
    assert_eq!(run("pando a.pando diff main dev --sql"), "");
}
