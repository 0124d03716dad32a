//! ALTER COLUMN: types and defaults, what becomes of the rows, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use crate::session::Session;
use crate::store::Database;

fn session(sql: &str) -> Session {
    let session = Session::new(Database::in_memory().unwrap());
    session.execute("PRAGMA foreign_keys = ON").unwrap();
    session.execute(sql).unwrap();
    session
}

fn rows(session: &Session, sql: &str) -> Vec<String> {
    let found = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let text = |value: &pandodb_ds::record::Value| {
        String::from_utf8_lossy(&crate::function::literal(value.as_ref())).into_owned()
    };
    found.rows.iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join("|")).collect()
}

fn refused(session: &Session, sql: &str) -> String {
    session.execute(sql).unwrap_err().to_string()
}

fn definition(session: &Session, table: &str) -> String {
    let sql = format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'");
    rows(session, &sql).concat().trim_matches('\'').replace("''", "'")
}

const VALUES: &str = "(1, 1), (2, 2.5), (3, '12'), (4, '1.0'), (5, ' 7 '), (6, 'x'), (7, x'31'), \
    (8, NULL), (9, 3e300), (10, -0.0), (11, '9223372036854775808'), (12, ''), (13, 4.0)";

/// SQLite's words for what would define the schema table anew; it has one name in them.
#[test]
fn the_schema_table_is_not_defined_anew() {
    let session = session("CREATE TABLE t(a); CREATE TEMP TABLE u(a)");
    for (statement, said) in [
        ("DROP TABLE sqlite_schema", "table sqlite_master may not be dropped"),
        ("DROP TABLE IF EXISTS main.sqlite_master", "table sqlite_master may not be dropped"),
        ("DROP VIEW sqlite_schema", "table sqlite_master may not be dropped"),
        ("DROP TABLE temp.sqlite_schema", "table sqlite_temp_master may not be dropped"),
        ("DROP TABLE sqlite_temp_schema", "table sqlite_temp_master may not be dropped"),
        ("DROP INDEX sqlite_schema", "no such index: sqlite_schema"),
        ("ALTER TABLE sqlite_schema RENAME TO x", "table sqlite_master may not be altered"),
        ("ALTER TABLE sqlite_master ADD COLUMN x", "table sqlite_master may not be altered"),
        ("ALTER TABLE sqlite_master DROP name", "table sqlite_master may not be altered"),
        ("ALTER TABLE sqlite_temp_schema RENAME TO x", "table sqlite_temp_master may not be alter"),
        ("CREATE INDEX i ON sqlite_schema(name)", "table sqlite_master may not be indexed"),
        ("CREATE INDEX i ON sqlite_master(name)", "table sqlite_master may not be indexed"),
        ("DELETE FROM sqlite_schema", "table sqlite_master may not be modified"),
        ("DELETE FROM temp.sqlite_schema", "table sqlite_temp_master may not be modified"),
    ] {
        let found = refused(&session, statement);
        assert!(found.contains(said), "{statement}: {found}");
    }
}

/// Rows are what a table of that type had stored from the same values.
#[test]
fn a_new_type_stores_what_a_table_of_that_type_had_stored() {
    const TYPES: [&str; 9] = [
        "INT",
        "BIGINT",
        "TEXT",
        "VARCHAR(10)",
        "REAL",
        "NUMERIC",
        "BLOB",
        "JSON",
        "DOUBLE PRECISION",
    ];
    for from in TYPES.into_iter().chain([""]) {
        for to in TYPES {
            let session = session(&format!(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, a {from}); CREATE INDEX t_a ON t(a);
                 INSERT INTO t VALUES {VALUES};
                 CREATE TABLE u(id INTEGER PRIMARY KEY, a {to}); INSERT INTO u SELECT * FROM t;
                 ALTER TABLE t ALTER COLUMN a TYPE {to}"
            ));
            let what = format!("{from} to {to}");
            let query = |table: &str| format!("SELECT id, typeof(a), a FROM {table} ORDER BY id");
            assert_eq!(rows(&session, &query("t")), rows(&session, &query("u")), "{what}");
            let ordered = |table: &str| format!("SELECT a FROM {table} ORDER BY a, id");
            assert_eq!(rows(&session, &ordered("t")), rows(&session, &ordered("u")), "{what}");
            assert_eq!(rows(&session, "PRAGMA integrity_check"), ["'ok'"], "{what}");
            let declared = "SELECT type FROM pragma_table_info('t') WHERE name = 'a'";
            assert_eq!(rows(&session, declared), [format!("'{to}'")], "{what}");
        }
    }
}

/// Only the words that change do.
#[test]
fn the_rest_of_the_definition_stays_as_it_was_written() {
    let session = session(
        "CREATE TABLE t ( id  INTEGER PRIMARY KEY, -- the key
           \"a b\" varchar (10) NOT NULL DEFAULT 'x' /* why */ CHECK (length(\"a b\") > 0),
           n, d INT DEFAULT 5 CONSTRAINT five DEFAULT 6 NOT NULL, UNIQUE (d) )",
    );
    for (statement, part) in [
        ("ALTER COLUMN \"a b\" TYPE TEXT", "\"a b\" TEXT NOT NULL DEFAULT 'x' /* why */ CHECK"),
        ("ALTER \"A B\" SET DATA TYPE CHAR(3)", "\"a b\" CHAR(3) NOT NULL DEFAULT 'x' /* why */"),
        ("ALTER \"a b\" SET DEFAULT ('y' || 'z')", "NOT NULL DEFAULT ('y' || 'z') /* why */ CHECK"),
        ("ALTER \"a b\" DROP DEFAULT", "\"a b\" CHAR(3) NOT NULL /* why */ CHECK"),
        ("ALTER n TYPE DOUBLE PRECISION", "n DOUBLE PRECISION, d INT"),
        ("ALTER n SET DEFAULT -1", "n DOUBLE PRECISION DEFAULT -1, d INT"),
        ("ALTER n SET DEFAULT CURRENT_TIMESTAMP", "n DOUBLE PRECISION DEFAULT CURRENT_TIMESTAMP,"),
        ("ALTER n DROP DEFAULT", "n DOUBLE PRECISION, d INT"),
        ("ALTER n DROP DEFAULT", "n DOUBLE PRECISION, d INT"),
        ("ALTER d SET DEFAULT 7", "d INT CONSTRAINT five DEFAULT 7 NOT NULL, UNIQUE (d) )"),
        ("ALTER d SET DEFAULT NULL", "d INT CONSTRAINT five DEFAULT NULL NOT NULL, UNIQUE (d) )"),
        ("ALTER d DROP DEFAULT", "n DOUBLE PRECISION, d INT NOT NULL, UNIQUE (d) )"),
        ("ALTER COLUMN id TYPE integer", "id  integer PRIMARY KEY, -- the key"),
    ] {
        session.execute(&format!("ALTER TABLE t {statement}")).unwrap();
        let text = definition(&session, "t");
        assert!(text.contains(part), "{statement}: {text}");
    }
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let session = session(
        "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, a INT, g INT AS (a + 1), b TEXT);
         INSERT INTO t(a, b) VALUES (1, 'x');
         CREATE TABLE k(id INT PRIMARY KEY, x); CREATE VIEW v AS SELECT a FROM t;
         CREATE TABLE s(id INTEGER PRIMARY KEY, a TEXT, b INT DEFAULT 1) STRICT;
         INSERT INTO s VALUES (3, '1', 2), (4, 'word', 2), (5, 'other', 2);
         CREATE TABLE w(a TEXT PRIMARY KEY, b, CHECK (b < 2 OR typeof(b) <> 'integer'))
           WITHOUT ROWID;
         INSERT INTO w VALUES ('1', 1), ('1.0', '2');
         CREATE TABLE n(a TEXT UNIQUE, b TEXT CHECK (typeof(b) = 'text'));
         INSERT INTO n VALUES ('5', '1'), ('5.0', 'x');
         CREATE TABLE u(a, n, b TEXT, c TEXT, PRIMARY KEY (a, n), UNIQUE (b, c)) WITHOUT ROWID;
         CREATE UNIQUE INDEX u_c ON u(c || '') WHERE n < 4;
         INSERT INTO u VALUES ('w', 1, '1', NULL), ('x', 2, '1', NULL), ('y', 1, '7', '8'),
           ('y', 3, '8', '8.0'), ('z', 4, '7.0', '8');",
    );
    let before = rows(&session, "SELECT name, sql FROM sqlite_schema ORDER BY 1");
    for (statement, words) in [
        ("t ALTER id TYPE TEXT", "id is the rowid of table t, so that its type stays INTEGER"),
        ("t ALTER id TYPE INT", "its type stays INTEGER"),
        ("k ALTER id TYPE INTEGER", "as an INTEGER it would be the rowid"),
        ("t ALTER nosuch TYPE INT", "no such column: nosuch"),
        ("t ALTER nosuch SET DEFAULT 1", "no such column: nosuch"),
        ("nosuch ALTER a TYPE INT", "no such table: nosuch"),
        ("v ALTER a TYPE INT", "cannot change the type of a column of view"),
        ("v ALTER a SET DEFAULT 1", "have no defaults"),
        ("v ALTER a DROP DEFAULT", "have no defaults"),
        ("sqlite_sequence ALTER name TYPE INT", "may not be altered"),
        ("t ALTER g SET DEFAULT 1", "DEFAULT"),
        ("t ALTER a SET DEFAULT (b)", "default value of column [a] is not constant"),
        ("t ALTER a SET DEFAULT (SELECT 1)", ""),
        ("s ALTER a TYPE NUMERIC", "unknown datatype for s.a: \"NUMERIC\""),
        ("s ALTER a TYPE INT", "cannot store TEXT value in INT column s.a, in row 4 of s"),
        ("s ALTER b SET DEFAULT 'x'", "type mismatch on DEFAULT"),
        ("w ALTER a TYPE INT", "a is in the PRIMARY KEY of table w, which is WITHOUT ROWID"),
        (
            "w ALTER b TYPE INT",
            "CHECK constraint failed: b < 2 OR typeof(b) <> 'integer', in row '1.0' of w",
        ),
        ("n ALTER a TYPE INT", "UNIQUE constraint failed: n.a, in row 2 of n"),
        ("u ALTER b TYPE INT", "UNIQUE constraint failed: u.b, u.c, in row 'z', 4 of u"),
        ("u ALTER c TYPE INT", "UNIQUE constraint failed: index 'u_c', in row 'y', 3 of u"),
        ("n ALTER b TYPE INT", "CHECK constraint failed: typeof(b) = 'text', in row 1 of n"),
        ("t ALTER a TYPE NOT", "syntax error"),
        ("t ALTER a SET TYPE INT", "syntax error"),
        ("t ALTER a SET DATA INT", "syntax error"),
        ("t ALTER a TYPE INT USING b", ""),
        ("t ALTER a TYPE INT NOT NULL", ""),
        ("t ALTER a SET DEFAULT NOT", "syntax error"),
        ("t ALTER a DROP TYPE", "syntax error"),
        ("t ALTER a ADD", "syntax error"),
    ] {
        let said = refused(&session, &format!("ALTER TABLE {statement}"));
        assert!(said.contains(words), "{statement}: {said}");
    }
    assert_eq!(rows(&session, "SELECT name, sql FROM sqlite_schema ORDER BY 1"), before);
    assert_eq!(rows(&session, "SELECT * FROM s"), ["3|'1'|2", "4|'word'|2", "5|'other'|2"]);
    assert_eq!(rows(&session, "SELECT * FROM w"), ["'1'|1", "'1.0'|'2'"]);
    assert_eq!(rows(&session, "SELECT * FROM n"), ["'5'|'1'", "'5.0'|'x'"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["'ok'"]);
}

/// What hangs on the column follows: keys, indexes of every kind, generated columns.
#[test]
fn keys_indexes_and_generated_columns_follow_the_type() {
    let session = session(
        "CREATE TABLE w(k TEXT, a TEXT, b, c INT AS (a + b) STORED, d AS (typeof(a)),
           PRIMARY KEY(k, b)) WITHOUT ROWID;
         CREATE INDEX w_b ON w(b); CREATE INDEX w_type ON w(typeof(a)) WHERE a > 5;
         CREATE INDEX w_c ON w(c, d); CREATE UNIQUE INDEX w_a ON w(a, b);
         INSERT INTO w(k, a, b) VALUES (1, '10', 1), (2, '9', 2), (3, 'x', 3), (4, '9', 'y');
         ALTER TABLE w ALTER a TYPE INT",
    );
    let wanted = ["9|2|11|'integer'", "9|'y'|9|'integer'", "10|1|11|'integer'", "'x'|3|3|'text'"];
    assert_eq!(rows(&session, "SELECT a, b, c, d FROM w ORDER BY a, b"), wanted);
    assert_eq!(rows(&session, "SELECT k FROM w WHERE a = 9 AND b = 2"), ["'2'"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["'ok'"]);
    session.execute("ALTER TABLE w ALTER c TYPE TEXT; ALTER TABLE w ALTER k TYPE CLOB").unwrap();
    assert_eq!(rows(&session, "SELECT typeof(c) FROM w LIMIT 1"), ["'text'"]);
    session.execute("ALTER TABLE w ALTER a TYPE TEXT").unwrap();
    let wanted = ["'10'|1", "'9'|2", "'9'|'y'", "'x'|3"];
    assert_eq!(rows(&session, "SELECT a, b FROM w ORDER BY a, b"), wanted);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["'ok'"]);
}

/// Rows that are older than a column read what they read before, whatever the default becomes.
#[test]
fn a_new_default_is_for_rows_that_come() {
    let session = session(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2); CREATE INDEX t_a ON t(a);
         ALTER TABLE t ADD COLUMN b INT NOT NULL DEFAULT 10; INSERT INTO t(a) VALUES (3);
         ALTER TABLE t ADD COLUMN c TEXT DEFAULT 1.50; CREATE INDEX t_bc ON t(b, c);
         ALTER TABLE t ALTER b SET DEFAULT 20; INSERT INTO t(a) VALUES (4);
         ALTER TABLE t ALTER b DROP DEFAULT; INSERT INTO t(a, b) VALUES (5, 30);
         ALTER TABLE t ALTER b SET DEFAULT (abs(-7)); INSERT INTO t(a) VALUES (6);",
    );
    let wanted = ["1|10", "2|10", "3|10", "4|20", "5|30", "6|7"];
    assert_eq!(rows(&session, "SELECT a, b FROM t"), wanted);
    assert_eq!(rows(&session, "SELECT DISTINCT c FROM t WHERE a <= 3"), ["'1.50'"]);
    session.execute("ALTER TABLE t ALTER c TYPE REAL").unwrap();
    assert_eq!(rows(&session, "SELECT DISTINCT c FROM t"), ["1.5"]);
    session.execute("ALTER TABLE t ALTER c TYPE TEXT").unwrap();
    // What was stored is the number, as which it was read last.
    assert_eq!(rows(&session, "SELECT DISTINCT c FROM t"), ["'1.5'"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["'ok'"]);
}

#[test]
fn strict_tables_convert_what_fits() {
    let session = session(
        "CREATE TABLE s(id INTEGER PRIMARY KEY, a TEXT, b ANY, v INT AS (length(a))) STRICT;
         INSERT INTO s(a, b) VALUES ('1', 1), ('-20', 'x'), (NULL, x'00');
         ALTER TABLE s ALTER a TYPE INTEGER",
    );
    assert_eq!(rows(&session, "SELECT a, v FROM s"), ["1|1", "-20|3", "NULL|NULL"]);
    session.execute("ALTER TABLE s ALTER a TYPE REAL").unwrap();
    assert_eq!(rows(&session, "SELECT a FROM s"), ["1.0", "-20.0", "NULL"]);
    let said = refused(&session, "ALTER TABLE s ALTER b TYPE INT");
    assert!(said.contains("cannot store TEXT value in INT column s.b, in row 2 of s"), "{said}");
    assert_eq!(rows(&session, "SELECT b FROM s"), ["1", "'x'", "X'00'"]);
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["'ok'"]);
}

/// A key that finds its parents by the parent's affinity may lose them by a change of type.
#[test]
fn foreign_keys_keep_their_parents() {
    let session = session(
        "CREATE TABLE p(id TEXT PRIMARY KEY); INSERT INTO p VALUES ('1'), ('02');
         CREATE TABLE c(x TEXT REFERENCES p, y); INSERT INTO c VALUES ('1', 1), ('02', 2);",
    );
    let said = refused(&session, "ALTER TABLE c ALTER x TYPE INT");
    assert!(said.contains("FOREIGN KEY constraint failed"), "{said}");
    assert_eq!(rows(&session, "SELECT x FROM c"), ["'1'", "'02'"]);
    session.execute("ALTER TABLE p ALTER id TYPE NUMERIC").unwrap();
    assert_eq!(rows(&session, "SELECT id FROM p"), ["1", "2"]);
    session.execute("ALTER TABLE c ALTER x TYPE INT").unwrap();
    assert_eq!(rows(&session, "SELECT x FROM c"), ["1", "2"]);
    assert_eq!(rows(&session, "PRAGMA foreign_key_check"), [""; 0]);
    // What was broken before is no obstacle.
    session.execute("PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (99, 3)").unwrap();
    session.execute("PRAGMA foreign_keys = ON; ALTER TABLE c ALTER x TYPE TEXT").unwrap();
    assert_eq!(rows(&session, "SELECT count(*) FROM pragma_foreign_key_check"), ["1"]);
}

/// Each row counts by itself: one that finds its parent makes up for none that loses it.
#[test]
fn a_row_that_finds_its_parent_hides_none_that_loses_it() {
    for (key, rest) in [
        ("k INTEGER PRIMARY KEY,", ""),
        ("k PRIMARY KEY,", " WITHOUT ROWID"),
        ("rowid, k UNIQUE,", ""),
    ] {
        // As an INT '01' finds 1, and '5.0' does not find the text '5.0' any more.
        let session = session(&format!(
            "CREATE TABLE p(id BLOB PRIMARY KEY); INSERT INTO p VALUES (1), ('5.0');
             CREATE TABLE c({key} x TEXT REFERENCES p){rest};
             PRAGMA foreign_keys = OFF; INSERT INTO c(k, x) VALUES (1, '01');
             PRAGMA foreign_keys = ON; INSERT INTO c(k, x) VALUES (2, '5.0');"
        ));
        let said = refused(&session, "ALTER TABLE c ALTER x TYPE INT");
        assert!(said.contains("FOREIGN KEY constraint failed"), "{key} {said}");
        assert_eq!(rows(&session, "SELECT x FROM c"), ["'01'", "'5.0'"], "{key}");
        session.execute("DELETE FROM c WHERE k = 2; ALTER TABLE c ALTER x TYPE INT").unwrap();
        assert_eq!(rows(&session, "PRAGMA foreign_key_check"), [""; 0], "{key}");
    }
}

/// The rowid is not what a column is called.
#[test]
fn foreign_key_check_tells_rowids_beside_columns_of_their_names() {
    let session = session(
        "PRAGMA foreign_keys = OFF; CREATE TABLE p(id PRIMARY KEY);
         CREATE TABLE c(rowid, x REFERENCES p); INSERT INTO c VALUES ('own', 5);
         CREATE TABLE d(rowid, oid, _rowid_, x REFERENCES p); INSERT INTO d(x) VALUES (5);
         CREATE TABLE e(rowid, id UNIQUE, x REFERENCES e(id)); PRAGMA foreign_keys = ON;
         INSERT INTO e VALUES (7, 1, 1); UPDATE e SET rowid = 8, id = 2, x = 2;",
    );
    let wanted = ["'c'|1|'p'|0", "'d'|NULL|'p'|0"];
    assert_eq!(rows(&session, "PRAGMA foreign_key_check"), wanted);
}

/// What a COMMIT waits for is what misses a parent now.
#[test]
fn parents_that_a_new_type_finds_are_not_waited_for() {
    const DEFERRED: &str = "DEFERRABLE INITIALLY DEFERRED";
    for (declared, setting, rest) in [
        (DEFERRED, "OFF", ""),
        (DEFERRED, "OFF", " WITHOUT ROWID"),
        ("", "ON", ""),
        (DEFERRED, "ON", ""),
    ] {
        let session = session(&format!(
            "CREATE TABLE p(id BLOB PRIMARY KEY); INSERT INTO p VALUES (1);
             CREATE TABLE c(k INT PRIMARY KEY, x TEXT REFERENCES p {declared}){rest};
             PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (9, '001');
             PRAGMA foreign_keys = ON;
             BEGIN; PRAGMA defer_foreign_keys = {setting}; INSERT INTO c VALUES (1, '01');
             SAVEPOINT s; ALTER TABLE c ALTER x TYPE INT; ROLLBACK TO s;"
        ));
        let what = format!("{declared} {setting} {rest}");
        assert!(session.execute("COMMIT").is_err(), "{what}");
        session.execute("ALTER TABLE c ALTER x TYPE INT").unwrap();
        session.execute("COMMIT").unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(rows(&session, "PRAGMA foreign_key_check"), [""; 0], "{what}");
        // Rows that nobody counted are not counted away, and one that still misses its parent is
        // waited for.
        session.execute("ALTER TABLE c ALTER x TYPE TEXT").unwrap_err();
        session.execute("BEGIN; PRAGMA defer_foreign_keys = ON").unwrap();
        session.execute("INSERT INTO c VALUES (2, 77); ALTER TABLE c ALTER x TYPE REAL").unwrap();
        assert!(session.execute("COMMIT").is_err(), "{what}");
        session.execute("ROLLBACK").unwrap();
    }
}

#[test]
fn a_rollback_brings_the_type_and_the_rows_back() {
    let session = session(
        "CREATE TABLE t(a INT DEFAULT 1); INSERT INTO t VALUES (5); CREATE INDEX t_a ON t(a);
         BEGIN; ALTER TABLE t ALTER a TYPE TEXT; SAVEPOINT s; ALTER TABLE t ALTER a TYPE REAL;
         ALTER TABLE t ALTER a SET DEFAULT 9; INSERT INTO t DEFAULT VALUES;",
    );
    assert_eq!(rows(&session, "SELECT a FROM t ORDER BY a"), ["5.0", "9.0"]);
    session.execute("ROLLBACK TO s; INSERT INTO t DEFAULT VALUES").unwrap();
    assert_eq!(rows(&session, "SELECT a FROM t ORDER BY a"), ["'1'", "'5'"]);
    session.execute("ROLLBACK").unwrap();
    assert_eq!(rows(&session, "SELECT a FROM t"), ["5"]);
    assert_eq!(definition(&session, "t"), "CREATE TABLE t(a INT DEFAULT 1)");
    assert_eq!(rows(&session, "PRAGMA integrity_check"), ["'ok'"]);
    session.execute("CREATE TEMP TABLE o(x INT); INSERT INTO o VALUES (1)").unwrap();
    session.execute("ALTER TABLE o ALTER x TYPE TEXT; ALTER TABLE t ALTER a TYPE TEXT").unwrap();
    assert_eq!(rows(&session, "SELECT x, a FROM o, t"), ["'1'|'5'"]);
}
