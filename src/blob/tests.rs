//! Blobs against a vector of bytes, and what makes them expire.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use crate::{Connection, ErrorKind, OptionalExtension as _};

fn database(size: usize) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE file(name TEXT, body, tail TEXT);
             CREATE TABLE told(what);
             CREATE TRIGGER tell AFTER UPDATE ON file BEGIN INSERT INTO told VALUES (1); END;",
        )
        .unwrap();
    let body: Vec<u8> = (0..size).map(|at| (at * 7 + at / 251) as u8).collect();
    let sql = "INSERT INTO file VALUES ('one', ?1, 'behind'), ('two', x'01', '')";
    connection.execute(sql, [body]).unwrap();
    connection
}

fn body(connection: &Connection, row: i64) -> Vec<u8> {
    let sql = "SELECT body FROM file WHERE rowid = ?1";
    connection.query_row(sql, [row], |row| row.get(0)).unwrap()
}

/// Reads and writes of all sizes at all kinds of places are those of a vector, for values in a
/// leaf, in one extent, and in several.
#[test]
fn pieces_are_those_of_a_vector() {
    for size in [0_usize, 1, 90, 5_000, 70_000, 300_000] {
        let connection = database(size);
        let mut model = body(&connection, 1);
        let mut blob = connection.blob_open("main", "file", "body", 1, false).unwrap();
        assert_eq!(blob.len(), size);
        let places = [0, 1, size / 3, size / 2, 65_530, 65_536, size.saturating_sub(1), size];
        for (turn, place) in places.into_iter().enumerate() {
            for length in [0, 1, 17, 4_096, 66_000] {
                let mut buffer = vec![0; length];
                let read = blob.read_at(&mut buffer, place).unwrap();
                let expected = &model[place.min(size)..(place + length).min(size)];
                assert_eq!(&buffer[..read], expected, "{size} {place} {length}");
            }
            let bytes = vec![turn as u8; 20];
            if place + 20 <= size {
                blob.write_at(&bytes, place).unwrap();
                model[place..place + 20].copy_from_slice(&bytes);
            } else {
                let error = blob.write_at(&bytes, place).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Range);
            }
        }
        assert_eq!(body(&connection, 1), model);
    }
}

#[test]
fn it_reads_writes_and_seeks_like_a_file() {
    let connection = database(100_000);
    let mut model = body(&connection, 1);
    let mut blob = connection.blob_open("main", "file", "body", 1, false).unwrap();
    assert_eq!(blob.seek(SeekFrom::End(-10)).unwrap(), 99_990);
    blob.write_all(b"0123456789").unwrap();
    model[99_990..].copy_from_slice(b"0123456789");
    assert!(blob.write_all(b"x").is_err());
    assert!(blob.seek(SeekFrom::Current(1)).is_err());
    assert!(blob.seek(SeekFrom::Current(-100_001)).is_err());
    blob.rewind().unwrap();
    let mut all = Vec::new();
    blob.read_to_end(&mut all).unwrap();
    assert_eq!(all, model);
    let (name, tail): (String, String) = connection
        .query_row("SELECT name, tail FROM file WHERE rowid = 1", (), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!((name.as_str(), tail.as_str()), ("one", "behind"));
}

#[test]
fn writing_keeps_indexes_and_fires_no_trigger() {
    let connection = database(40);
    connection.execute_batch("CREATE UNIQUE INDEX by_body ON file(body)").unwrap();
    let mut blob = connection.blob_open("main", "file", "body", 1, false).unwrap();
    let before = (connection.changes(), connection.total_changes());
    blob.write_at(&[9; 40], 0).unwrap();
    assert_eq!((connection.changes(), connection.total_changes()), before);
    let find = "SELECT rowid FROM file INDEXED BY by_body WHERE body = ?1";
    assert_eq!(
        connection.query_row(find, [vec![9_u8; 40]], |row| row.get::<_, i64>(0)).unwrap(),
        1
    );
    let told = connection.query_row("SELECT what FROM told", (), |row| row.get::<_, i64>(0));
    assert_eq!(told.optional().unwrap(), None);
    // A duplicate is refused, and the blob goes on with what is there.
    blob.reopen(2).unwrap();
    connection.execute("INSERT INTO file VALUES ('three', x'02', '')", ()).unwrap();
    let error = blob.write_at(&[2], 0).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Constraint(_)), "{error:?}");
    blob.write_at(&[3], 0).unwrap();
    assert_eq!(body(&connection, 2), [3]);
}

#[test]
fn a_row_that_changed_or_vanished_expires_its_blob() {
    let changes = [
        "UPDATE file SET name = 'other' WHERE rowid = 1",
        "DELETE FROM file WHERE rowid = 1",
        "DROP TABLE file",
        "ALTER TABLE file RENAME COLUMN body TO content",
        "CREATE BRANCH dev; USE BRANCH dev",
    ];
    for size in [50, 200_000] {
        for change in changes {
            let connection = database(size);
            let mut blob = connection.blob_open("main", "file", "body", 1, false).unwrap();
            connection.execute("UPDATE file SET name = 'x' WHERE rowid = 2", ()).unwrap();
            assert_eq!(blob.read_at(&mut [0; 8], 0).unwrap(), 8);
            connection.execute_batch(change).unwrap();
            let error = blob.read_at(&mut [0; 8], 0).unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::State, 4), "{change}");
            let error = blob.write_at(&[0; 8], 0).unwrap_err();
            assert_eq!((error.kind(), error.code()), (ErrorKind::State, 4), "{change}");
        }
    }
}

#[test]
fn transactions_hold_what_is_written() {
    let connection = database(100);
    let other = connection.database().connect().unwrap();
    let before = body(&connection, 1);
    connection.execute_batch("BEGIN").unwrap();
    let mut blob = connection.blob_open("main", "file", "body", 1, false).unwrap();
    blob.write_at(&[1; 100], 0).unwrap();
    blob.write_at(&[2; 50], 0).unwrap();
    assert_eq!(body(&other, 1), before);
    assert_eq!(body(&connection, 1)[..50], [2; 50]);
    connection.execute_batch("ROLLBACK").unwrap();
    assert_eq!(blob.read_at(&mut [0; 1], 0).unwrap_err().kind(), ErrorKind::State);
    blob.reopen(1).unwrap();
    let mut now = vec![0; 100];
    blob.read_at_exact(&mut now, 0).unwrap();
    assert_eq!(now, before);
}

#[test]
fn what_is_no_blob_is_refused() {
    let connection = database(10);
    connection
        .execute_batch(
            "CREATE TABLE kinds(id INTEGER PRIMARY KEY, n, r, v AS (n), empty, digits INTEGER);
             INSERT INTO kinds VALUES (1, 5, 1.5, NULL, 'abc');
             CREATE TABLE keyed(k PRIMARY KEY, b) WITHOUT ROWID;
             CREATE VIEW seen AS SELECT * FROM file;
             ALTER TABLE kinds ADD COLUMN late TEXT DEFAULT 'later';",
        )
        .unwrap();
    let open = |table: &str, column: &str, row: i64| {
        connection.blob_open("main", table, column, row, false).map(|blob| blob.len())
    };
    let kind = |table: &str, column: &str, row: i64| open(table, column, row).unwrap_err().kind();
    assert_eq!(kind("file", "body", 9), ErrorKind::NotFound);
    assert_eq!(kind("file", "nothing", 1), ErrorKind::NotFound);
    assert_eq!(kind("nothing", "body", 1), ErrorKind::NotFound);
    assert_eq!(kind("seen", "body", 1), ErrorKind::Invalid);
    assert_eq!(kind("keyed", "b", 1), ErrorKind::Invalid);
    assert_eq!(kind("kinds", "v", 1), ErrorKind::Invalid);
    for column in ["id", "n", "r", "empty"] {
        assert_eq!(kind("kinds", column, 1), ErrorKind::Mismatch, "{column}");
    }
    // A column that is younger than its row, and one that would change the type.
    let mut late = connection.blob_open("main", "kinds", "late", 1, false).unwrap();
    late.write_at(b"L", 0).unwrap();
    let mut text = String::new();
    late.read_to_string(&mut text).unwrap();
    assert_eq!(text, "Later");
    let mut digits = connection.blob_open("main", "kinds", "digits", 1, false).unwrap();
    assert_eq!(digits.write_at(b"123", 0).unwrap_err().kind(), ErrorKind::Mismatch);
    digits.write_at(b"x", 0).unwrap();
    let mut blob = connection.blob_open("main", "file", "body", 1, true).unwrap();
    assert_eq!(blob.write_at(&[1], 0).unwrap_err().kind(), ErrorKind::ReadOnly);
}
