//! A database with every kind of object goes to sqlite3 and comes back.
//!
//! Skipped where the machine has no sqlite3; CI has one.

use pandodb_testkit::{TemporaryFolder, assert_same_text};

use crate::run;

const SCHEMA: &str = "\
CREATE TABLE author(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE book(
  id INTEGER PRIMARY KEY,
  author INTEGER REFERENCES author(id) ON DELETE CASCADE,
  title TEXT COLLATE NOCASE DEFAULT 'it''s untitled',
  price REAL CHECK (price >= 0),
  cover BLOB
);
CREATE TABLE shelf(room TEXT, number INT, PRIMARY KEY(room, number)) WITHOUT ROWID;
CREATE TABLE sale(
  book INT NOT NULL, pieces INTEGER NOT NULL, each_price REAL,
  total REAL AS (pieces * each_price) STORED, label TEXT AS (book || '/' || pieces),
  CONSTRAINT one_a_day UNIQUE (book, pieces) ON CONFLICT REPLACE
) STRICT;
CREATE TABLE \"two words\"(\"a \"\"column\"\"\" ANY, [select] VARCHAR(10) DEFAULT (1 + 2), d DATE);
CREATE TABLE member(
  person INT, club TEXT COLLATE RTRIM, parent INT,
  PRIMARY KEY (club DESC, person),
  FOREIGN KEY (parent) REFERENCES author(id) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX book_title ON book(title) WHERE price > 1;
CREATE UNIQUE INDEX sale_of ON sale(book DESC, abs(pieces));
CREATE INDEX \"index of words\" ON \"two words\"(lower(\"select\") COLLATE NOCASE);
CREATE VIEW cheap AS SELECT title FROM book WHERE price < 10;
CREATE VIEW ranked(name, place) AS
  WITH sold AS (SELECT book, sum(pieces) AS n FROM sale GROUP BY 1)
  SELECT title, rank() OVER (ORDER BY n DESC) FROM book JOIN sold ON book.id = sold.book;
CREATE TRIGGER cheap_added INSTEAD OF INSERT ON cheap WHEN new.title <> '' BEGIN
  INSERT INTO book(title, price) VALUES (new.title, 1); -- a; comment
  SELECT CASE WHEN new.title = 'no' THEN RAISE(ABORT, 'not that; one') END;
END;
CREATE TRIGGER book_added AFTER INSERT ON book BEGIN UPDATE author SET name = name; END;
INSERT INTO author(name) VALUES ('Ada'), ('O''Hara'), ('two
lines');
INSERT INTO book VALUES (1, 1, 'A \"quoted\" title', 9.5, x'00ff');
INSERT INTO book VALUES (7, 2, '', 1e300, NULL), (8, NULL, '森', 0.1, x'');
INSERT INTO shelf VALUES ('attic', 2), ('attic', 1);
INSERT INTO sale(book, pieces, each_price) VALUES (1, 3, 9.5), (7, 1, NULL);
INSERT INTO sale(book, pieces, each_price) VALUES (8, 9223372036854775807, -0.5);
INSERT INTO \"two words\" VALUES (x'de', 'x', '2026-01-31'), (-1, NULL, 1e-300), ('1', '', NULL);
INSERT INTO member VALUES (1, 'a', 1), (2, 'a ', NULL), (NULL, NULL, 2);
INSERT INTO cheap VALUES ('by a trigger');
";

fn has_sqlite3(folder: &TemporaryFolder) -> bool {
    run(folder.path(), "sqlite3 -version").starts_with('3')
}

#[test]
fn a_dump_is_read_by_sqlite3_and_its_dump_by_us() {
    let folder = TemporaryFolder::new();
    if !has_sqlite3(&folder) {
        return;
    }
    std::fs::write(folder.file("schema.sql"), SCHEMA).unwrap();
    let run = |line: &str| run(folder.path(), line);
    assert_eq!(run("pando --bail a.pando '.read schema.sql'"), "");
    assert_eq!(run("pando a.pando dump > a.sql"), "");
    assert_eq!(run("sqlite3 -bail b.sqlite < a.sql"), "");
    assert_eq!(run("sqlite3 b.sqlite .dump > b.sql"), "");
    assert_eq!(run("pando --bail c.pando < b.sql"), "");
    assert_same_text(&run("cat a.sql"), &run("pando c.pando dump"));
}

#[test]
fn whole_sqlite_databases_go_both_ways() {
    let folder = TemporaryFolder::new();
    if !has_sqlite3(&folder) {
        return;
    }
    std::fs::write(folder.file("schema.sql"), SCHEMA).unwrap();
    let run = |line: &str| run(folder.path(), line);
    assert_eq!(run("sqlite3 -bail a.sqlite < schema.sql"), "");
    assert_eq!(run("pando b.pando import a.sqlite"), "Imported 18 rows\n");
    assert_eq!(run("pando b.pando export c.sqlite"), "Exported to 'c.sqlite'\n");
    assert_same_text(&run("sqlite3 a.sqlite .dump"), &run("sqlite3 c.sqlite .dump"));
    assert_eq!(run("sqlite3 c.sqlite 'PRAGMA integrity_check'"), "ok\n");
}

#[test]
fn numbers_of_rows_statistics_and_pragmas_go_both_ways() {
    let folder = TemporaryFolder::new();
    if !has_sqlite3(&folder) {
        return;
    }
    let run = |line: &str| run(folder.path(), line);
    let make = "PRAGMA user_version = 42; PRAGMA application_id = 77; CREATE TABLE t(a, b); \
                INSERT INTO t(rowid, a) VALUES (5, 1), (-7, 2), (100, 3); \
                CREATE INDEX t_a ON t(a); CREATE TABLE r(rowid, x); \
                INSERT INTO r(oid, x) VALUES (9, 1); ANALYZE";
    assert_eq!(run(&format!("sqlite3 a.sqlite '{make}'")), "");
    assert_eq!(run("pando b.pando import a.sqlite"), "Imported 4 rows\n");
    assert_eq!(run("pando b.pando export c.sqlite"), "Exported to 'c.sqlite'\n");
    let told = "PRAGMA user_version; PRAGMA application_id; SELECT rowid, a FROM t ORDER BY 1; \
                SELECT oid, x FROM r; SELECT * FROM sqlite_stat1 ORDER BY 1, 2";
    let expected = run(&format!("sqlite3 a.sqlite '{told}'"));
    assert!(expected.contains("-7|2") && expected.contains("t|t_a|3 1"), "{expected}");
    assert_same_text(&expected, &run(&format!("pando b.pando '{told}'")));
    assert_same_text(&expected, &run(&format!("sqlite3 c.sqlite '{told}'")));
}

#[test]
fn virtual_tables_come_in_as_ordinary_ones() {
    let folder = TemporaryFolder::new();
    let run = |line: &str| run(folder.path(), line);
    let make = "CREATE VIRTUAL TABLE f USING fts5(a, \"b c\"); \
                INSERT INTO f(rowid, a) VALUES (7, 1); \
                CREATE TABLE plain(a); INSERT INTO plain VALUES (1)";
    if !has_sqlite3(&folder) || !run(&format!("sqlite3 a.sqlite '{make}'")).is_empty() {
        return;
    }
    let told = run("pando b.pando import a.sqlite");
    assert_eq!(told, "Virtual table f came in as an ordinary table\nImported 2 rows\n");
    assert_eq!(
        run("pando b.pando 'SELECT rowid, a, \"b c\" FROM f' .tables"),
        "7|1|\nf      plain\n"
    );
}

#[test]
fn texts_with_nul_stay_whole() {
    let folder = TemporaryFolder::new();
    if !has_sqlite3(&folder) {
        return;
    }
    let run = |line: &str| run(folder.path(), line);
    let make = "CREATE TABLE plain(a); INSERT INTO plain VALUES (1); \
        CREATE TABLE t(\"a b\" TEXT, rowid, c, both AS (c || 1)); \
        INSERT INTO t(_rowid_, \"a b\", rowid, c) VALUES \
        (7, char(97, 0, 246), 3, x''0061''), (9, ''whole'', 4, char(0)), \
        (-2, 1, 5, ''x'' || char(0)); \
        CREATE TABLE k(a, b TEXT, c, PRIMARY KEY (a, b)) WITHOUT ROWID; \
        INSERT INTO k VALUES (1, char(98, 0, 99), 5), (2, ''whole'', char(0, 39, 0)); \
        CREATE TABLE log(a); CREATE TRIGGER \"t u\" AFTER UPDATE ON t BEGIN \
        INSERT INTO log VALUES (new.c); END; CREATE TRIGGER u AFTER INSERT ON t BEGIN \
        SELECT 1; END"
        .replace("''", "'\\''");
    assert_eq!(run(&format!("sqlite3 a.sqlite '{make}'")), "");
    assert_eq!(run("pando b.pando import a.sqlite"), "Imported 6 rows\n");
    assert_eq!(run("pando b.pando export c.sqlite"), "Exported to 'c.sqlite'\n");
    let told = "SELECT _rowid_, hex(\"a b\"), typeof(\"a b\"), rowid, typeof(c), hex(c), hex(both) \
        FROM t ORDER BY 1; SELECT a, hex(b), typeof(b), typeof(c), hex(c) FROM k ORDER BY 1; \
        SELECT count(*) FROM log; SELECT name FROM sqlite_schema WHERE sql LIKE \"%TRIGGER%\" \
        ORDER BY rowid";
    let expected = run(&format!("sqlite3 a.sqlite '{told}'"));
    assert!(expected.contains("6100C3B6") && expected.contains("620063"), "{expected}");
    assert_same_text(&expected, &run(&format!("pando b.pando '{told}'")));
    assert_same_text(&expected, &run(&format!("sqlite3 c.sqlite '{told}'")));
    // Cut, two keys may be the same: that is an error and no loss.
    let make = "CREATE TABLE u(a UNIQUE); \
                INSERT INTO u VALUES (''a'' || char(0)), (''a'')"
        .replace("''", "'\\''");
    assert_eq!(run(&format!("sqlite3 d.sqlite '{make}'")), "");
    assert!(run("pando e.pando import d.sqlite").ends_with("[exit 1]"));
}

#[test]
fn what_sqlite3_cannot_read_is_refused() {
    let folder = TemporaryFolder::new();
    if !has_sqlite3(&folder) {
        return;
    }
    let run = |line: &str| run(folder.path(), line);
    std::fs::write(folder.file("a.sqlite"), "SQLite format 3\0 and then nothing of use").unwrap();
    let told = run("pando b.pando import a.sqlite");
    assert!(told.contains("cannot read a.sqlite") && told.ends_with("[exit 1]"), "{told}");
    // A page in the middle is gone: the dump ends well, and says it only in a comment.
    let make = "CREATE TABLE t(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                WHERE i < 9999) INSERT INTO t SELECT hex(randomblob(40)) FROM n";
    run(&format!("sqlite3 c.sqlite '{make}'"));
    let mut bytes = std::fs::read(folder.file("c.sqlite")).unwrap();
    let middle = bytes.len() / 8192 * 4096;
    bytes[middle..middle + 4096].fill(0xff);
    std::fs::write(folder.file("c.sqlite"), bytes).unwrap();
    let told = run("pando d.pando import c.sqlite");
    assert!(told.contains("c.sqlite is damaged") && told.ends_with("[exit 1]"), "{told}");
    assert_eq!(run("pando d.pando .tables"), "");
}

#[test]
fn both_programs_compute_the_same_sum_of_the_content() {
    let folder = TemporaryFolder::new();
    if !has_sqlite3(&folder) {
        return;
    }
    std::fs::write(folder.file("schema.sql"), SCHEMA).unwrap();
    let run = |line: &str| run(folder.path(), line);
    assert_eq!(run("sqlite3 -bail a.sqlite < schema.sql"), "");
    assert_eq!(run("pando --bail b.pando < schema.sql"), "");
    for options in ["", "--sha3-256", "--sha3-384", "--sha3-512", "book", "--schema"] {
        let (theirs, ours) = (
            run(&format!("sqlite3 a.sqlite '.sha3sum {options}'")),
            run(&format!("pando b.pando '.sha3sum {options}'")),
        );
        assert_eq!(ours, theirs, "{options}");
    }
    let before = run("pando b.pando .sha3sum");
    run("pando b.pando \"UPDATE book SET price = price + 1 WHERE id = 1\"");
    assert_ne!(run("pando b.pando .sha3sum"), before);
}
