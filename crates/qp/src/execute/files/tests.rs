//! Statements that keep too much go on in files: the same rows as in memory, within the limits,
//! and no file is left, whatever happens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{Fault, SimVfs, Vfs};
use proptest::prelude::*;

use crate::session::Session;
use crate::session::tests::lines;
use crate::store::Database;
use crate::{ErrorKind, Value};

/// Queries whose operators keep rows; `?` stands for a column.
const QUERIES: &[&str] = &[
    // Groups, with every kind of aggregate.
    "SELECT ?, count(*), sum(n), total(r), avg(r), min(s), max(n) FROM t GROUP BY ?",
    "SELECT ?, group_concat(s), string_agg(s, '-' ORDER BY n DESC, s) FROM t GROUP BY ?",
    "SELECT ?, json_group_array(s), json_group_object(s, n) FROM t GROUP BY ?",
    "SELECT ?, json_group_array(json_array(n) ORDER BY s), \
        json_group_array(DISTINCT json_array(s)) FROM t GROUP BY ?",
    "SELECT ?, count(DISTINCT s), sum(DISTINCT r), group_concat(DISTINCT s) FROM t GROUP BY ?",
    "SELECT ?, group_concat(DISTINCT s ORDER BY s DESC), min(DISTINCT s) FROM t GROUP BY ?",
    "SELECT ?, median(n), group_concat(s) FILTER (WHERE n % 3) FROM t GROUP BY ?",
    "SELECT ?, count(DISTINCT n) FILTER (WHERE s > 'k') FROM t GROUP BY ? HAVING count(*) > 2",
    // Columns beside the keys: of the first row, or of that of the extreme.
    "SELECT ?, id, s, n FROM t GROUP BY ?",
    "SELECT ?, min(n), id, s FROM t GROUP BY ?",
    "SELECT ?, max(s), id, min(n) FROM t GROUP BY ?",
    "SELECT ?, max(n) FILTER (WHERE n < 300), id FROM t GROUP BY ?",
    "SELECT ?, s, count(*), id FROM t GROUP BY ?, s COLLATE NOCASE, n % 2",
    // One group, and groups that come in the order of an index.
    "SELECT count(DISTINCT ?), sum(DISTINCT ?), group_concat(DISTINCT ?) FROM t",
    "SELECT string_agg(s, ',' ORDER BY ?, id), group_concat(DISTINCT s ORDER BY ?) FROM t",
    "SELECT g, count(DISTINCT ?), group_concat(s ORDER BY ?) FROM t GROUP BY g",
    "SELECT g, ?, count(*), min(n), id FROM t GROUP BY g, ?",
    "SELECT g, n, s, group_concat(DISTINCT ?) FROM t GROUP BY g, n, s",
    // Rows once.
    "SELECT DISTINCT ?, s FROM t",
    "SELECT DISTINCT ?, n % 7 FROM t ORDER BY id DESC",
    "SELECT DISTINCT s FROM t ORDER BY ?",
    "SELECT DISTINCT g, ? FROM t ORDER BY g",
    "SELECT DISTINCT count(*), ? FROM t GROUP BY ?",
    "SELECT id, (SELECT count(*) FROM (SELECT DISTINCT ? FROM t AS u WHERE u.g = t.g)) FROM t \
        WHERE id < 5",
    // Compounds.
    "SELECT ? FROM t UNION SELECT o FROM u",
    "SELECT o FROM u INTERSECT SELECT ? FROM t",
    "SELECT ?, g FROM t EXCEPT SELECT ?, g FROM t WHERE n % 2 UNION ALL SELECT 1, 2",
    "SELECT ? FROM t INTERSECT SELECT o FROM u EXCEPT SELECT n FROM t WHERE g = 1 UNION SELECT 'z'",
    "SELECT ? FROM t UNION ALL SELECT o FROM u EXCEPT SELECT s FROM t WHERE n < 40 INTERSECT \
        SELECT o FROM u UNION SELECT s FROM t WHERE n > 490",
    "SELECT ? FROM t UNION SELECT o FROM u INTERSECT SELECT 1 WHERE false",
    // What looks rows up.
    "SELECT id FROM t WHERE ? IN (SELECT o FROM u)",
    "SELECT id FROM t WHERE ? NOT IN (SELECT o FROM u WHERE o IS NOT NULL)",
    "SELECT id FROM t WHERE (?, n % 5) IN (SELECT o, x % 5 FROM u)",
    "SELECT id FROM t WHERE (?, s) NOT IN (SELECT x, o FROM u)",
    "SELECT t.id, u.x FROM t LEFT JOIN u ON u.o = t.?",
    "SELECT t.id, u.x FROM t FULL JOIN u ON u.o = t.? AND u.x > t.n",
    "SELECT id FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.o = t.? AND u.x <> t.g)",
    "SELECT id, (SELECT count(*) FROM u WHERE u.o = t.?) FROM t",
    // Recursive tables, and windows.
    "WITH RECURSIVE w(a, b) AS (SELECT id % 7, ? FROM t UNION SELECT a + 1, b FROM w WHERE a < 9) \
        SELECT * FROM w",
    "WITH RECURSIVE w(a, b) AS (SELECT 1, ? FROM t UNION ALL SELECT a + 1, b FROM w WHERE a < 3 \
        ORDER BY 2 DESC, 1) SELECT * FROM w",
    "WITH c AS MATERIALIZED (SELECT ?, id FROM t) SELECT count(*), max(c.id) FROM c JOIN c AS d \
        ON d.id = c.id + 1",
    "SELECT id, rank() OVER (PARTITION BY g ORDER BY ?), sum(n) OVER (ORDER BY ?, id), \
        group_concat(s) OVER (PARTITION BY ? ORDER BY id ROWS 2 PRECEDING) FROM t",
    "SELECT id, lag(?, 3) OVER w, first_value(?) OVER w, nth_value(s, 5) OVER w, ntile(7) OVER w, \
        sum(n) FILTER (WHERE g > 1) OVER (w ROWS BETWEEN 40 PRECEDING AND 3 FOLLOWING) FROM t \
        WINDOW w AS (ORDER BY ?, id)",
    "SELECT id, count(*) OVER w, min(?) OVER w, total(r) OVER (w RANGE BETWEEN 30 PRECEDING AND \
        9 FOLLOWING EXCLUDE TIES), max(s) OVER (w GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW \
        EXCLUDE GROUP) FROM t WINDOW w AS (ORDER BY n DESC)",
    "SELECT id, json_group_array(json_array(?)) OVER (PARTITION BY id % 60), \
        group_concat(s) OVER (), group_concat(s, g) OVER (PARTITION BY id % 2) FROM t",
    "SELECT a.x, b.x, count(*) OVER (PARTITION BY a.id) FROM (SELECT id, rank() OVER (ORDER BY ?) \
        AS x FROM t) AS a LEFT JOIN (SELECT id, row_number() OVER (ORDER BY ?, id) AS x FROM t) \
        AS b ON a.x = b.x AND a.id <> b.id",
    "SELECT id, (SELECT sum(z) FROM (SELECT sum(n) OVER (ORDER BY ?, id ROWS 1 PRECEDING) AS z \
        FROM t AS u WHERE u.g >= t.g)) FROM t WHERE id < 5",
    // Common tables that several places read.
    "WITH c AS (SELECT ? AS k, group_concat(s) AS l FROM t GROUP BY ?) SELECT c.k, d.l, (SELECT \
        count(*) FROM c AS e WHERE e.k > c.k) FROM c LEFT JOIN c AS d ON d.k = c.k || ''",
    "WITH c AS MATERIALIZED (SELECT DISTINCT ?, s, id FROM t) SELECT id, s FROM c WHERE id IN \
        (SELECT id FROM c LIMIT 90) UNION ALL SELECT count(*), max(s) FROM c",
    "WITH RECURSIVE w(a, b) AS (SELECT id, ? FROM t UNION ALL SELECT a + 1, b FROM w WHERE a % 4) \
        SELECT a, (SELECT count(b) FROM w) FROM w WHERE b IN (SELECT b FROM w WHERE a > 90)",
];

/// What a number becomes in a column of texts: few and many, of two cases, and none.
fn text(number: u32) -> String {
    match number % 11 {
        0 => "NULL".to_owned(),
        1..=4 => format!("'{}'", ["k", "K", "m", "zz"][number as usize % 4]),
        _ => {
            format!("'{}{}'", if number.is_multiple_of(2) { "Text" } else { "text" }, number % 400)
        }
    }
}

/// Two tables of rows that `numbers` decide.
fn tables(numbers: &[u32]) -> String {
    let mut sql = String::from(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, g INTEGER, n INTEGER, r REAL, s TEXT COLLATE \
            NOCASE, m);
         CREATE INDEX t_g ON t(g); CREATE TABLE u(x INTEGER, o); BEGIN;",
    );
    for number in numbers {
        let (n, r) = (number % 500, f64::from(number % 1000) * 0.1);
        let s = text(number / 7);
        // Numbers that are equal and of two kinds, texts, and what is neither.
        let m = match number % 5 {
            0 => format!("{n}.0"),
            1 => s.clone(),
            2 => format!("x'{:04x}'", number % 300),
            3 => "NULL".to_owned(),
            _ => n.to_string(),
        };
        sql.push_str(&format!(
            "INSERT INTO t(g, n, r, s, m) VALUES({}, {n}, {r}, {s}, {m});",
            n % 4
        ));
        if number.is_multiple_of(2) {
            sql.push_str(&format!("INSERT INTO u VALUES({}, {m});", number % 90));
        }
    }
    sql.push_str("COMMIT");
    sql
}

/// Rows with what tells 1 from 1.0 and -0.0 from 0.0.
fn exact(session: &Session, sql: &str) -> String {
    match session.query(sql) {
        Ok(rows) => {
            let rows: Vec<String> = rows.rows.iter().map(|row| format!("{row:?}")).collect();
            rows.join("\n")
        }
        Err(error) => error.to_string(),
    }
}

/// A session in the row gear, in which joins are made by hash tables.
fn in_rows(database: Database) -> Session {
    let session = Session::new(database);
    session.change_settings(|settings| settings.batch_rows_min = u64::MAX);
    session
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn rows_from_files_are_those_from_memory(
        numbers in prop::collection::vec(any::<u32>(), 100..500),
        column in prop::sample::select(vec!["g", "n", "r", "s", "m", "id"]),
        soft in prop::sample::select(vec![0_u64, 3_000, 40_000]),
    ) {
        let session = in_rows(Database::in_memory().unwrap());
        session.execute(&tables(&numbers)).unwrap();
        for sql in QUERIES {
            let sql = sql.replace('?', column);
            session.set_memory_limits(u64::MAX, u64::MAX);
            let expected = exact(&session, &sql);
            session.set_memory_limits(soft, u64::MAX);
            let filed = exact(&session, &sql);
            prop_assert!(filed == expected, "{sql}\nfiles:\n{filed}\nmemory:\n{expected}");
        }
    }
}

/// A table of some rows with texts of 100 bytes.
fn large(rows: usize) -> String {
    format!(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, g INTEGER, n INTEGER, s TEXT);
         INSERT INTO t SELECT value, value % 3, value * 7919 % 20011,
            printf('%0100d', value * 31 % {}) FROM generate_series(1, {rows});
         CREATE INDEX t_g ON t(g)",
        rows / 2
    )
}

/// Statements that would keep half a megabyte and more of 4800 rows, and how many rows they have.
const HEAVY: &[(&str, usize)] = &[
    ("SELECT s, count(*), sum(n), min(id) FROM t GROUP BY s", 2400),
    ("SELECT s, id, max(n) FROM t GROUP BY s", 2400),
    ("SELECT s, group_concat(n), median(n) FROM t GROUP BY s", 2400),
    ("SELECT count(DISTINCT s), sum(DISTINCT n) FROM t", 1),
    ("SELECT g, count(DISTINCT s), count(DISTINCT n) FROM t GROUP BY g", 3),
    ("SELECT g % 2, count(DISTINCT s) FROM t GROUP BY g % 2", 2),
    ("SELECT g, s, count(*) FROM t GROUP BY g, s", 2400),
    ("SELECT length(string_agg(g, ',' ORDER BY s, id)) FROM t", 1),
    ("SELECT DISTINCT s FROM t", 2400),
    ("SELECT DISTINCT g, s FROM t ORDER BY g", 2400),
    ("SELECT s FROM t UNION SELECT 'x'", 2401),
    ("SELECT s FROM t INTERSECT SELECT s FROM t WHERE n > 10", 2400),
    ("SELECT s || n FROM t EXCEPT SELECT s FROM t", 4800),
    ("SELECT count(*) FROM t WHERE s || n IN (SELECT s || n FROM t) OR id < 0", 1),
    ("SELECT count(*) FROM t JOIN t AS u ON u.s = t.s || ''", 1),
    (
        "WITH RECURSIVE w(i, s) AS (SELECT 1, '' UNION SELECT i + 1, printf('%0100d', i) FROM w \
            WHERE i < 2400) SELECT count(*) FROM w",
        1,
    ),
    (
        "WITH RECURSIVE w(i, s) AS (SELECT id, s FROM t UNION ALL SELECT i + 1, s FROM w \
            WHERE i % 4 = 0 ORDER BY 2) SELECT count(*) FROM w",
        1,
    ),
    ("SELECT max(x) FROM (SELECT rank() OVER (ORDER BY s) AS x, n FROM t)", 1),
    (
        "SELECT max(x) FROM (SELECT min(s) OVER (PARTITION BY g ORDER BY id ROWS 9 PRECEDING) AS x \
            FROM t)",
        1,
    ),
    ("SELECT s, sum(n) OVER (ORDER BY n RANGE BETWEEN 100 PRECEDING AND 9 FOLLOWING) FROM t", 4800),
    ("SELECT s, lag(s, 9) OVER (PARTITION BY g ORDER BY n), count(*) OVER () FROM t", 4800),
    (
        "SELECT s, max(s) OVER (ORDER BY id ROWS 9 PRECEDING EXCLUDE TIES) FROM t WHERE id % 2 = 0",
        2400,
    ),
    (
        "WITH c AS MATERIALIZED (SELECT s, n FROM t) SELECT count(*) FROM c WHERE n > \
            (SELECT avg(n) FROM c) AND n < (SELECT max(n) FROM c)",
        1,
    ),
    (
        "WITH c AS (SELECT s || n AS k FROM t UNION SELECT s FROM t) SELECT \
            (SELECT count(*) FROM c), (SELECT max(k) FROM c)",
        1,
    ),
];

#[test]
fn statements_stay_within_a_limit_that_they_would_pass_without_files() {
    let session = in_rows(Database::in_memory().unwrap());
    session.execute(&large(4800)).unwrap();
    for (sql, count) in HEAVY {
        session.set_memory_limits(u64::MAX, 280_000);
        let error = session.query(sql).expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::Limit, "{sql}: {error}");
        session.set_memory_limits(80_000, 280_000);
        let rows = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(rows.rows.len(), *count, "{sql}");
        let plan = session.query(&format!("EXPLAIN ANALYZE {sql}")).unwrap();
        let is_filed = |row: &Vec<Value>| {
            matches!(&row[0], Value::Text(line) if
            String::from_utf8_lossy(line).contains("KiB in temporary files"))
        };
        assert!(plan.rows.iter().any(is_filed), "{sql}: {plan:?}");
    }
}

#[test]
fn a_limit_that_a_pragma_sets_lets_files_be_used() {
    for (sql, count) in HEAVY {
        let session = in_rows(Database::in_memory().unwrap());
        session.execute(&large(4800)).unwrap();
        session.execute("PRAGMA hard_heap_limit = 280000").unwrap();
        let rows = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(rows.rows.len(), *count, "{sql}");
    }
}

/// How many KiB a statement writes to temporary files.
fn filed(session: &Session, sql: &str) -> u64 {
    let plan = lines(session, &format!("EXPLAIN ANALYZE {sql}")).join("\n");
    let told = plan.split(" KiB in temporary files").next().unwrap();
    let start = told.rfind(|sign: char| !sign.is_ascii_digit()).map_or(0, |place| place + 1);
    told[start..].parse().unwrap_or_else(|error| panic!("{sql}: {error}: {plan}"))
}

#[test]
fn rows_are_written_a_few_times_and_those_of_small_tables_never() {
    let disk = SimVfs::new(8);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let path = Path::new("f/a.pando");
    let session = in_rows(Database::open(&vfs, path, &pandodb_tm::Options::default()).unwrap());
    let small = "CREATE TABLE small(n, s); INSERT INTO small VALUES (1, 'a'), (1, 'b'), (2, 'c')";
    session.execute(&format!("{}; {small}", large(3200))).unwrap();
    session.set_memory_limits(0, u64::MAX);
    for sql in [
        "SELECT s || n, count(*) FROM t GROUP BY s || n",
        "SELECT DISTINCT s || n FROM t",
        "SELECT s || n FROM t UNION SELECT 1",
        "SELECT count(*) FROM t WHERE n || s IN (SELECT s || n FROM t)",
    ] {
        // What is put aside is divided by other bits each time, so that a few times are enough.
        let kib = filed(&session, sql);
        assert!((500..4000).contains(&kib), "{sql}: {kib} KiB");
        let before = disk.operations();
        session.query(&sql.replace(" t", " small")).unwrap();
        assert_eq!(disk.operations(), before, "{sql}");
    }
}

#[test]
fn what_aggregates_gather_is_on_the_account() {
    let session = in_rows(Database::in_memory().unwrap());
    session.execute(&large(3000)).unwrap();
    for sql in [
        "SELECT length(group_concat(s)) FROM t",
        "SELECT g, length(string_agg(s, '-')) FROM t GROUP BY g",
        "SELECT g % 2, length(json_group_array(s)) FROM t GROUP BY g % 2",
        "SELECT length(json_group_object(id, s)) FROM t",
        "SELECT length(group_concat(s ORDER BY n)) FROM t",
        "SELECT length(group_concat(DISTINCT s)) FROM t",
        "SELECT max(length(x)) FROM (SELECT group_concat(s) OVER (ORDER BY id) AS x FROM t)",
        "SELECT max(length(x)) FROM (SELECT json_group_array(s) OVER (ORDER BY id) AS x FROM t)",
    ] {
        for batch_rows_min in [0, u64::MAX] {
            session.change_settings(|settings| settings.batch_rows_min = batch_rows_min);
            for soft in [20_000, u64::MAX] {
                session.set_memory_limits(soft, 140_000);
                let error = session.query(sql).expect_err(sql);
                assert_eq!(error.kind(), ErrorKind::Limit, "{sql}: {error}");
                assert!(error.to_string().contains("140000 bytes of memory"), "{sql}: {error}");
            }
        }
    }
    // What all rows of a window share is there once.
    session.set_memory_limits(u64::MAX, 20_000_000);
    let sql = "SELECT sum(length(x)) FROM (SELECT group_concat(s) OVER () AS x FROM t)";
    assert!(session.query(sql).is_ok());
}

#[test]
fn faults_of_files_are_errors_and_leave_no_files() {
    let disk = SimVfs::new(7);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let path = Path::new("f/a.pando");
    let session = in_rows(Database::open(&vfs, path, &pandodb_tm::Options::default()).unwrap());
    session.execute(&large(1200)).unwrap();
    session.set_memory_limits(30_000, u64::MAX);
    let files = vfs.list(Path::new("f")).unwrap();
    let mut refused = 0;
    for (sql, _) in HEAVY {
        let before = disk.operations();
        let expected = exact(&session, sql);
        let operations = disk.operations() - before;
        for (fault, kind) in [(Fault::NoSpace, ErrorKind::Full), (Fault::ReadError, ErrorKind::Io)]
        {
            disk.inject(disk.operations() + operations / 2, fault);
            if let Err(error) = session.query(sql) {
                assert_eq!(error.kind(), kind, "{sql}: {error}");
                refused += 1;
            }
            disk.clear_faults();
            // The simulation remembers every name until then.
            vfs.sync_directory(Path::new("f")).unwrap();
            assert_eq!(vfs.list(Path::new("f")).unwrap(), files, "{sql}");
        }
        assert_eq!(exact(&session, sql), expected, "{sql}");
    }
    // The others befell the removal of a file, or nothing behind.
    assert!(refused > HEAVY.len(), "{refused}");
    // A statement that is left alone half-way, and one that is interrupted.
    for (sql, _) in HEAVY {
        let (statement, _) = session.prepare(sql).unwrap();
        let mut statement = statement.unwrap();
        statement.step().unwrap();
        drop(statement);
        let mut calls = 0;
        session.set_progress_hook(Some(Box::new(move || {
            calls += 1;
            calls > 1
        })));
        let error = session.query(sql).expect_err(sql);
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{sql}: {error}");
        session.set_progress_hook(None);
        vfs.sync_directory(Path::new("f")).unwrap();
        assert_eq!(vfs.list(Path::new("f")).unwrap(), files, "{sql}");
    }
}

#[test]
fn short_reads_are_errors_and_names_that_stay_go_with_their_files() {
    let disk = SimVfs::new(9);
    let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
    let path = Path::new("f/a.pando");
    let session = in_rows(Database::open(&vfs, path, &pandodb_tm::Options::default()).unwrap());
    session.execute(&large(1200)).unwrap();
    session.set_memory_limits(30_000, u64::MAX);
    let files = vfs.list(Path::new("f")).unwrap();
    let mut befallen = 0;
    for (sql, _) in HEAVY {
        let before = disk.operations();
        let expected = exact(&session, sql);
        let operations = disk.operations() - before;
        for place in 0..4 {
            disk.inject(disk.operations() + operations * place / 4, Fault::ShortRead);
            let found = exact(&session, sql);
            if found != expected {
                assert!(found.starts_with("the file ends early"), "{sql}: {found:.200}");
                befallen += 1;
            }
            disk.clear_faults();
        }
        // A file whose name cannot be removed at once, as on systems where it is open: the second
        // operation is that of the first file.
        disk.inject(disk.operations() + 2, Fault::WriteError);
        assert!(exact(&session, sql) == expected, "{sql}");
        assert_eq!(disk.outstanding_faults(), 0, "{sql}");
        vfs.sync_directory(Path::new("f")).unwrap();
        assert_eq!(vfs.list(Path::new("f")).unwrap(), files, "{sql}");
    }
    assert!(befallen > HEAVY.len(), "{befallen}");
}
