//! Collations of the application: orders, groups, indexes, and schemas that outlive them.

use std::cmp::Ordering;

use pandodb_ds::sync::Arc;

use super::*;

/// Texts by their length, then by their bytes without regard to case.
fn by_length(left: &[u8], right: &[u8]) -> Ordering {
    let folded = |text: &[u8]| text.to_ascii_lowercase();
    left.len().cmp(&right.len()).then_with(|| folded(left).cmp(&folded(right)))
}

fn session() -> Session {
    let session = Session::new(Database::in_memory().unwrap());
    session.define_collation("by_length", Arc::new(by_length));
    session
}

fn texts(session: &Session, sql: &str) -> String {
    let found = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let shown = |value: &Value| match value {
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Null => "NULL".to_owned(),
        other => format!("{other:?}"),
    };
    let row = |row: &Vec<Value>| row.iter().map(shown).collect::<Vec<_>>().join("|");
    found.rows.iter().map(row).collect::<Vec<_>>().join(" ")
}

const ROWS: &str = "INSERT INTO t VALUES (1, 'ccc'), (2, 'a'), (3, 'BB'), (4, 'bb'), (5, NULL), \
                    (6, 7), (7, x'00'), (8, 'A'), (9, 'Ccc')";

#[test]
fn texts_are_sorted_grouped_and_told_apart_by_them() {
    let session = session();
    session.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT COLLATE by_length)").unwrap();
    session.execute(ROWS).unwrap();
    let answers = [
        ("SELECT id FROM t ORDER BY name, id", "5 6 2 8 3 4 1 9 7"),
        ("SELECT id FROM t ORDER BY name DESC, id DESC", "7 9 1 4 3 8 2 6 5"),
        ("SELECT count(*), min(id) FROM t GROUP BY name ORDER BY 2", "2|1 2|2 2|3 1|5 1|6 1|7"),
        ("SELECT count(DISTINCT name) FROM t", "5"),
        ("SELECT count(*) FROM (SELECT DISTINCT name FROM t)", "6"),
        ("SELECT max(name), min(name) FROM t WHERE id IN (1, 2, 3)", "ccc|a"),
        ("SELECT a.id, b.id FROM t a JOIN t b ON a.name = b.name AND a.id < b.id", "1|9 2|8 3|4"),
        ("SELECT id FROM t WHERE name > 'zz' ORDER BY id", "1 7 9"),
        ("SELECT id FROM t WHERE name IN ('CCC', 'b') ORDER BY id", "1 9"),
        ("SELECT id FROM t WHERE name IN (SELECT 'CCC') ORDER BY id", "1 9"),
        ("SELECT count(*) FROM (SELECT name FROM t UNION SELECT 'BB' UNION SELECT 'q')", "7"),
        (
            "SELECT id, rank() OVER (ORDER BY name) FROM t WHERE id < 5 ORDER BY id",
            "1|4 2|1 3|2 4|2",
        ),
        (
            "SELECT id, count(*) OVER (PARTITION BY name) FROM t WHERE id < 5 ORDER BY id",
            "1|1 2|1 3|2 4|2",
        ),
        ("SELECT id FROM t ORDER BY name COLLATE BINARY, id LIMIT 4", "5 6 8 3"),
        ("SELECT group_concat(id, '') FROM (SELECT id FROM t ORDER BY name, id)", "562834197"),
    ];
    for (sql, expected) in answers {
        assert_eq!(texts(&session, sql), expected, "{sql}");
    }
}

#[test]
fn indexes_keep_to_them() {
    let session = session();
    session.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)").unwrap();
    session.execute(ROWS).unwrap();
    let refused = session.execute("CREATE UNIQUE INDEX u ON t(name COLLATE by_length)");
    assert_eq!(refused.unwrap_err().message(), "UNIQUE constraint failed: t.name");
    session.execute("DELETE FROM t WHERE id IN (4, 8, 9)").unwrap();
    session.execute("CREATE UNIQUE INDEX u ON t(name COLLATE by_length)").unwrap();
    for (sql, left) in [
        ("INSERT INTO t VALUES (10, 'CCC')", 6),
        ("UPDATE t SET name = 'bB' WHERE id = 1", 6),
        ("INSERT OR IGNORE INTO t VALUES (10, 'CCC')", 6),
        ("INSERT INTO t VALUES (10, NULL)", 7),
        ("INSERT INTO t VALUES (11, 'CCCC')", 8),
        ("INSERT OR REPLACE INTO t VALUES (12, 'CcC')", 8),
        ("INSERT INTO t VALUES (13, 'A') ON CONFLICT (name COLLATE by_length) DO NOTHING", 8),
        ("UPDATE t SET name = 'CcC' WHERE id = 12", 8),
    ] {
        let _ = session.execute(sql);
        assert_eq!(texts(&session, "SELECT count(*) FROM t"), left.to_string(), "{sql}");
        assert_eq!(texts(&session, "PRAGMA integrity_check"), "ok", "{sql}");
    }
    assert_eq!(texts(&session, "SELECT id FROM t WHERE id > 9 ORDER BY id"), "10 11 12");
    assert_eq!(texts(&session, "SELECT coll FROM pragma_index_xinfo('u')"), "by_length BINARY");
    assert_eq!(texts(&session, "SELECT id FROM t WHERE name = 'CCC' COLLATE by_length"), "12");
    let key = "CREATE TABLE w(name TEXT COLLATE by_length PRIMARY KEY) WITHOUT ROWID";
    assert!(session.execute(key).unwrap_err().message().contains("WITHOUT ROWID"));
}

#[test]
fn a_schema_is_read_without_them() {
    let database = Database::in_memory().unwrap();
    let session = Session::new(database.clone());
    session.define_collation("by_length", Arc::new(by_length));
    session.execute("CREATE TABLE t(name TEXT COLLATE by_length); CREATE TABLE u(a)").unwrap();
    session.execute("INSERT INTO t VALUES ('b'), ('aa'); INSERT INTO u VALUES (1)").unwrap();
    let later = Session::new(database);
    assert_eq!(texts(&later, "SELECT a FROM u"), "1");
    for sql in [
        "SELECT name FROM t ORDER BY name",
        "INSERT INTO t VALUES ('c')",
        "CREATE TABLE v(a COLLATE by_length)",
        "SELECT 1 ORDER BY 'a' COLLATE by_length",
    ] {
        let error = later.query(sql).err().map(|error| error.message().to_owned());
        assert_eq!(error.as_deref(), Some("no such collation sequence: by_length"), "{sql}");
    }
    later.define_collation("BY_LENGTH", Arc::new(by_length));
    assert_eq!(texts(&later, "SELECT name FROM t ORDER BY name"), "b aa");
    later.execute("DROP TABLE t").unwrap();
}
