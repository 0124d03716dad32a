//! Reading statements of every kind, prepared once and run again and again: each run gives what a
//! statement gives that was just prepared.
//!
//! A statement that runs again takes ways of its own: its transactions rest meanwhile and are
//! alone with it, a count does not even wake them. So each statement here is run several times in
//! each state that a session can be in, and behind every way in which a run can end.
//! Neighbours: `lending` (what comes in between by chance), `going_on` (changes).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::path::Path;

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicI64, Ordering};
use pandodb_ds::vfs::{MemoryVfs, Vfs};
use pandodb_tm::Options;

use crate::error::{Error, ErrorKind};
use crate::function::{Arity, Determinism, Function};
use crate::session::{Session, Statement, Step};
use crate::store::{Database, Isolation, MAIN};

const SCHEMA: &str = "
    CREATE TABLE t(id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c REAL);
    CREATE INDEX t_a ON t(a);
    CREATE TABLE w(p TEXT, q INTEGER REFERENCES t(id), PRIMARY KEY(p)) WITHOUT ROWID;
    CREATE VIEW v AS SELECT a, count(*) AS n FROM t GROUP BY a;
    INSERT INTO t SELECT value, value % 7, 'text ' || value, value / 4.0
        FROM generate_series(1, 60);
    INSERT INTO w VALUES ('one', 1), ('two', 2), ('none', NULL);
    ANALYZE;
    TAG BRANCH main AS first;
    CREATE BRANCH dev; USE BRANCH dev;
    DELETE FROM t WHERE id % 3 = 0; INSERT INTO t(a, b) VALUES (70, 'of dev');
    USE BRANCH main;
    INSERT INTO t(a, b) VALUES (71, 'of main');
    CREATE TEMP TABLE own(x); INSERT INTO own VALUES (1), (2);
    CREATE TEMP VIEW seen AS SELECT x, a FROM own JOIN t ON t.id = x";

/// What is asked; `?1` is 3.
const QUERIES: &[&str] = &[
    "SELECT count(*) FROM t",
    "SELECT count(*) FROM own",
    "SELECT count(*) FROM extra.far",
    "SELECT count(*) FROM w",
    "SELECT count(*), 1 FROM t",
    "SELECT count(*) + 1 FROM t",
    "SELECT count(*) FROM t WHERE id > ?1",
    "SELECT * FROM t WHERE id = ?1",
    "SELECT * FROM t WHERE a = ?1",
    "SELECT * FROM t WHERE id BETWEEN ?1 AND ?1 + 10 ORDER BY c DESC",
    "SELECT * FROM w WHERE p >= 'o'",
    "SELECT t.id, p FROM t LEFT JOIN w ON q = t.id ORDER BY 1",
    "SELECT b FROM t JOIN own ON own.x = t.id JOIN extra.far ON far.y = own.x",
    "SELECT id, (SELECT count(*) FROM t AS s WHERE s.a = t.a AND s.id < t.id) FROM t",
    "SELECT id FROM t WHERE a IN (SELECT q FROM w) AND EXISTS (SELECT 1 FROM own WHERE x < id)",
    "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM own)",
    "WITH c AS (SELECT a, id FROM t) SELECT x.id, y.id FROM c AS x JOIN c AS y USING (a) LIMIT 9",
    "WITH c AS MATERIALIZED (SELECT a FROM t) SELECT sum(a) FROM c WHERE a > (SELECT 1 FROM c)",
    "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i * 2 FROM n WHERE i < 99) SELECT i FROM n",
    "SELECT row_number() OVER (PARTITION BY a ORDER BY c DESC), sum(c) OVER (ORDER BY id) FROM t",
    "SELECT a, count(*), max(b), group_concat(id, '.') FROM t GROUP BY a HAVING count(*) > 2",
    "SELECT DISTINCT a FROM t ORDER BY a LIMIT 3 OFFSET 1",
    "SELECT a FROM t UNION SELECT x FROM own EXCEPT SELECT ?1",
    "VALUES (1, 'x'), (?1, 'y')",
    "SELECT ?1, 42",
    "SELECT * FROM v WHERE n > ?1",
    "SELECT * FROM seen",
    "SELECT twice(id), twice(?1) FROM t WHERE twice(a) > 4",
    "SELECT key, value, type FROM json_each('[1, \"x\", null]')",
    "SELECT t.id, j.value FROM t, json_each('[' || a || ',' || id || ']') AS j WHERE t.id < 4",
    "SELECT * FROM generate_series(1, ?1)",
    "SELECT name, sql FROM sqlite_schema",
    "SELECT name FROM sqlite_temp_schema",
    "SELECT name FROM extra.sqlite_schema",
    "SELECT * FROM sqlite_stat1",
    "SELECT table_name, table_type FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "SELECT m.name, i.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS i",
    "SELECT * FROM t@dev ORDER BY id",
    "SELECT count(*) FROM t@dev",
    "SELECT count(*) FROM t@main",
    "SELECT o.id, n.id FROM t@dev AS o FULL JOIN t AS n USING (id) WHERE o.a IS NOT n.a",
    "SELECT count(*) FROM t AS OF TAG first",
    "SELECT * FROM t@dev AS OF NOW WHERE a = ?1",
    "SELECT branch_name FROM pando_branches",
    "SELECT branch_name FROM pando_branches WHERE branch_name = 'dev'",
    "SELECT branch_name FROM pando_branches('dev')",
    "SELECT tag_name FROM pando_tags",
    "SELECT * FROM pando_log",
    "SELECT * FROM pando_log('dev')",
    "SELECT * FROM pando_changes(?1)",
    "SELECT * FROM pando_conflicts",
    "SELECT * FROM pando_diff('t', 'main', 'dev')",
    "SELECT * FROM pando_diff_summary('main', 'dev')",
    "SELECT * FROM pando_sizes",
    "SELECT * FROM pando_grants",
    "SELECT * FROM pando_reflog",
    "EXPLAIN SELECT count(*) FROM t",
    "EXPLAIN QUERY PLAN SELECT * FROM t WHERE a = ?1",
    "PRAGMA table_info(t)",
    "PRAGMA foreign_key_check",
    "PRAGMA integrity_check",
    "SHOW BRANCHES",
];

/// What is asked whose rows hold times and other things that are never the same twice.
const UNLIKE: &[&str] = &[
    "EXPLAIN ANALYZE SELECT count(*) FROM t",
    "EXPLAIN ANALYZE SELECT * FROM t WHERE a = ?1",
    "EXPLAIN ANALYZE SELECT * FROM t@dev",
    "EXPLAIN ANALYZE SELECT a, sum(c) FROM t GROUP BY a",
    "SELECT random() FROM t",
    "SELECT datetime('now', 'subsec')",
];

fn database() -> Database {
    let vfs: Arc<dyn Vfs> = Arc::new(MemoryVfs::new());
    Database::open(&vfs, Path::new("app.pando"), &Options::default()).unwrap()
}

/// A session with all that the queries name; `twice` fails for what the number says.
fn session(database: &Database) -> (Session, Arc<AtomicI64>) {
    let session = Session::new(database.clone());
    let refused = Arc::new(AtomicI64::new(-1));
    let shared = Arc::clone(&refused);
    let twice =
        Function::scalar("twice", Arity::exactly(1), Determinism::Pure, move |_, values| {
            let number = match values[0] {
                ValueRef::Integer(number) => number,
                _ => 0,
            };
            if number == shared.load(Ordering::Relaxed) {
                return Err(Error::new(ErrorKind::User, "twice refuses"));
            }
            Ok(Value::Integer(number * 2))
        });
    session.change_functions(|functions| functions.define(twice));
    let extra = Database::in_memory().unwrap();
    session.attach("extra", extra, MAIN).unwrap();
    session.execute("CREATE TABLE extra.far(y); INSERT INTO far VALUES (2), (3)").unwrap();
    (session, refused)
}

type Outcome = Result<Vec<Vec<Value>>, String>;

/// All rows of a run, or what ended it.
fn run(statement: &mut Statement<'_>) -> Outcome {
    let mut rows = Vec::new();
    loop {
        match statement.step() {
            Ok(Step::Row) => rows.push(statement.row().unwrap()),
            Ok(Step::Done) => return Ok(rows),
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn prepare<'s>(session: &'s Session, sql: &str) -> Statement<'s> {
    let prepared = session.prepare(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let mut statement = prepared.0.unwrap();
    if statement.parameter_count() > 0 {
        statement.bind(1, Value::Integer(3)).unwrap();
    }
    statement
}

/// Runs the statement three times, and beside each a new one of the same text.
fn check(session: &Session, statement: &mut Statement<'_>, state: &str, is_alike: bool) {
    let sql = statement.prepared().sql.to_string();
    for time in 1..=3 {
        let (again, new) = (run(statement), run(&mut prepare(session, &sql)));
        if is_alike {
            assert_eq!(again, new, "{state}, time {time}: {sql}");
        } else {
            let count = |outcome: &Outcome| outcome.as_ref().map(Vec::len).map_err(Clone::clone);
            assert_eq!(count(&again), count(&new), "{state}, time {time}: {sql}");
        }
        assert!(again.is_ok(), "{state}, time {time}: {sql}: {again:?}");
    }
}

/// All names of `pragma_*` functions that can be asked, with an argument where they want one.
fn pragmas(session: &Session) -> Vec<String> {
    let names = crate::pragma::entries().flat_map(|entry| {
        ["", "('t')"].map(|arguments| format!("SELECT * FROM pragma_{}{arguments}", entry.name))
    });
    let asked: Vec<String> = names.filter(|sql| session.query(sql).is_ok()).collect();
    assert!(asked.len() > 30, "{asked:?}");
    asked
}

#[test]
fn every_query_is_run_again_in_every_state() {
    let database = database();
    let (session, _) = session(&database);
    session.execute(SCHEMA).unwrap();
    let other = Session::new(database.clone());
    let pragmas = pragmas(&session);
    let alike = QUERIES.iter().map(|sql| (*sql, true));
    let unlike = UNLIKE.iter().map(|sql| (*sql, false));
    let pragmas = pragmas.iter().map(|sql| (sql.as_str(), false));
    for (sql, is_alike) in alike.chain(unlike).chain(pragmas) {
        let mut kept = prepare(&session, sql);
        let statement = &mut kept;
        check(&session, statement, "at first", is_alike);
        other.execute("UPDATE t SET c = c + 1 WHERE id % 5 = 0").unwrap();
        check(&session, statement, "behind a commit of another", is_alike);
        session.execute("INSERT INTO own VALUES (9); UPDATE far SET y = y").unwrap();
        check(&session, statement, "behind its own commits", is_alike);
        session.execute("BEGIN; INSERT INTO t(a, b) VALUES (5, 'new')").unwrap();
        check(&session, statement, "in a transaction", is_alike);
        session.execute("SAVEPOINT s; DELETE FROM t WHERE id > 50").unwrap();
        check(&session, statement, "in a savepoint", is_alike);
        session.execute("ROLLBACK TO s; COMMIT").unwrap();
        check(&session, statement, "behind the commit", is_alike);
        if !is_alike {
            continue;
        }
        for isolation in [Isolation::Snapshot, Isolation::Serializable, Isolation::Concurrent] {
            session.set_isolation(isolation);
            check(&session, statement, "at another level", is_alike);
        }
        session.set_isolation(Isolation::default());
        let _ = statement.step().unwrap();
        check(&session, &mut prepare(&session, sql), "beside one that was left open", is_alike);
        statement.reset();
        let _ = statement.step().unwrap();
        session.execute("UPDATE t SET c = c WHERE id = 1").unwrap();
        statement.reset();
        check(&session, statement, "behind a run that was broken off", is_alike);
        other.execute("CREATE TABLE another(x)").unwrap();
        check(&session, statement, "behind a change of the schema", is_alike);
        session.execute("DROP TABLE another; CREATE TEMP TABLE w2(x); DROP TABLE w2").unwrap();
        check(&session, statement, "behind its own change of the schema", is_alike);
    }
}

/// A name that comes to mean another table is not counted where it led before.
#[test]
fn a_count_follows_its_name() {
    let database = database();
    let (session, _) = session(&database);
    let other = Session::new(database.clone());
    session.execute("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)").unwrap();
    let mut count = prepare(&session, "SELECT count(*) FROM t");
    let mut expect = |expected: i64| {
        for _ in 0..3 {
            assert_eq!(run(&mut count), Ok(vec![vec![Value::Integer(expected)]]));
        }
    };
    expect(3);
    session.execute("CREATE TEMP TABLE t(a); INSERT INTO temp.t VALUES (1)").unwrap();
    expect(1);
    session.execute("DROP TABLE temp.t").unwrap();
    expect(3);
    other.execute("DROP TABLE t; CREATE TABLE t(b); INSERT INTO t VALUES (1), (2)").unwrap();
    expect(2);
    session.execute("CREATE BRANCH dev; USE BRANCH dev; DELETE FROM t").unwrap();
    expect(0);
    other.execute("INSERT INTO t VALUES (3)").unwrap();
    expect(0);
    session.execute("USE BRANCH main").unwrap();
    expect(3);
    other.execute("BEGIN; INSERT INTO t VALUES (4)").unwrap();
    expect(3);
    other.execute("COMMIT").unwrap();
    expect(4);
    session.execute("BEGIN; DELETE FROM t WHERE b = 1").unwrap();
    expect(3);
    session.execute("ROLLBACK").unwrap();
    expect(4);
    session.execute("PRAGMA read_uncommitted = 1").unwrap();
    expect(4);
    session.set_user(Some("nobody"));
    assert!(run(&mut count).is_err());
    session.set_user(None);
    assert_eq!(run(&mut count), Ok(vec![vec![Value::Integer(4)]]));
    other.execute("DROP TABLE t").unwrap();
    for _ in 0..3 {
        assert!(run(&mut count).unwrap_err().contains("no such table"));
    }
}

/// A branch that another session drops is not counted any more.
#[test]
fn a_dropped_branch_is_not_counted() {
    let database = database();
    let (session, _) = session(&database);
    let other = Session::new(database.clone());
    session
        .execute("CREATE TABLE t(a); INSERT INTO t VALUES (1); CREATE BRANCH dev; USE BRANCH dev")
        .unwrap();
    let mut count = prepare(&session, "SELECT count(*) FROM t");
    for _ in 0..3 {
        assert_eq!(run(&mut count), Ok(vec![vec![Value::Integer(1)]]));
    }
    other.execute("DROP BRANCH dev").unwrap();
    for _ in 0..3 {
        assert!(run(&mut count).is_err());
    }
    session.execute("USE BRANCH main").unwrap();
    assert_eq!(run(&mut count), Ok(vec![vec![Value::Integer(1)]]));
}

/// An error at the first row, at a later one and in the middle of an operator that keeps rows
/// leaves a statement that runs again.
#[test]
fn a_statement_that_failed_is_run_again() {
    let database = database();
    let (session, refused) = session(&database);
    session.execute(SCHEMA).unwrap();
    let queries = [
        "SELECT twice(id) FROM t",
        "SELECT twice(id) FROM t ORDER BY 1 DESC",
        "SELECT count(*) FROM t WHERE twice(id) > 4",
        "SELECT a, sum(twice(id)) FROM t GROUP BY a",
        "SELECT sum(twice(id)) OVER (PARTITION BY a ORDER BY id) FROM t",
        "SELECT id FROM t WHERE a IN (SELECT twice(id) FROM t)",
        "SELECT (SELECT max(twice(s.id)) FROM t AS s WHERE s.a = t.a) FROM t",
        "WITH c AS MATERIALIZED (SELECT twice(id) AS d FROM t) SELECT x.d FROM c AS x, c LIMIT 99",
        "SELECT twice(id) FROM t@dev",
        "SELECT twice(id) FROM t AS OF TAG first",
        "SELECT twice(id) FROM t JOIN own ON own.x = t.id",
        "EXPLAIN ANALYZE SELECT count(*) FROM t WHERE twice(id) > 4",
    ];
    let mut count = prepare(&session, "SELECT count(*) FROM t");
    for is_open in [false, true] {
        if is_open {
            session.execute("BEGIN").unwrap();
        }
        for sql in queries {
            let mut statement = prepare(&session, sql);
            for number in [-1, 1, -1, -1, 2, 2, -1, 31, 1, -1, -1, -1] {
                refused.store(number, Ordering::Relaxed);
                let outcome = run(&mut statement);
                let new = run(&mut prepare(&session, sql));
                if !sql.starts_with("EXPLAIN") {
                    assert_eq!(outcome, new, "{sql} without {number}");
                }
                assert_eq!(outcome.is_err(), new.is_err(), "{sql} without {number}");
                assert_eq!(run(&mut count), Ok(vec![vec![Value::Integer(61)]]), "{sql}");
                if number == -1 {
                    assert!(outcome.is_ok(), "{sql}: {outcome:?}");
                }
            }
        }
    }
}

/// The same of one that was interrupted between two rows, and of one that took too long.
#[test]
fn a_statement_that_was_stopped_is_run_again() {
    let database = database();
    let (session, _) = session(&database);
    session.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, a); CREATE TABLE u(x)").unwrap();
    session.execute("INSERT INTO t(a) SELECT value FROM generate_series(1, 20000)").unwrap();
    let queries = [
        ("SELECT id FROM t WHERE a > 0", 20000),
        ("SELECT t.id FROM t JOIN t AS s ON s.id = t.a", 20000),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000)
             SELECT i FROM n",
            9000,
        ),
        ("SELECT value FROM generate_series(1, 9000)", 9000),
    ];
    let mut count = prepare(&session, "SELECT count(*) FROM t");
    for (sql, rows) in queries {
        let mut statement = prepare(&session, sql);
        for _ in 0..3 {
            assert_eq!(statement.step().unwrap(), Step::Row, "{sql}");
            session.interrupt();
            let stopped = run(&mut statement);
            assert!(stopped.as_ref().is_err_and(|error| error.contains("interrupted")), "{sql}");
            assert_eq!(run(&mut count), Ok(vec![vec![Value::Integer(20000)]]));
            for _ in 0..2 {
                assert_eq!(run(&mut statement).unwrap().len(), rows, "{sql}");
            }
        }
    }
}

/// Statements of one session that run beside each other, in any order of their steps and ends.
#[test]
fn statements_that_cross_do_not_disturb_each_other() {
    let database = database();
    let (session, _) = session(&database);
    session.execute(SCHEMA).unwrap();
    let queries = [
        "SELECT count(*) FROM t",
        "SELECT id FROM t WHERE id < 6",
        "SELECT count(*) FROM own",
        "SELECT x FROM own",
        "SELECT id FROM t@dev WHERE id < 6",
        "SELECT branch_name FROM pando_branches",
        "SELECT count(*) FROM t",
        "INSERT INTO w VALUES ('cross', 1) RETURNING p",
        "DELETE FROM w WHERE p = 'cross' RETURNING p",
    ];
    let expected = |place: usize| run(&mut prepare(&session, queries[place]));
    let known: Vec<Outcome> = (0..queries.len()).map(expected).collect();
    let mut statements: Vec<_> =
        queries.iter().map(|sql| (prepare(&session, sql), Vec::new())).collect();
    let mut dice = super::Dice(0x5bd1_e995_1234_5677);
    let mut ended = 0;
    for _ in 0..4000 {
        let place = dice.below(queries.len());
        let (statement, rows) = &mut statements[place];
        if dice.below(12) == 0 {
            statement.reset();
            rows.clear();
            continue;
        }
        match statement.step() {
            Ok(Step::Row) => rows.push(statement.row().unwrap()),
            Ok(Step::Done) => {
                ended += 1;
                let rows = std::mem::take(rows);
                if place < 7 {
                    assert_eq!(Ok(rows), known[place], "{}", queries[place]);
                }
            }
            // The key is there already.
            Err(error) => {
                assert!(error.to_string().contains("UNIQUE"), "{error}");
                rows.clear();
            }
        }
    }
    assert!(ended > 500, "{ended}");
}
