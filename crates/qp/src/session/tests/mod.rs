//! Whole statements through a session: results, errors, atomicity, and a model of a table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod again;
mod altering;
mod collations;
mod going_on;
mod hints;
mod isolation;
mod lending;
mod ordered;
mod row_values;
mod rules;
mod several;
mod temporary_triggers;
mod triggers;
mod versions;

use std::collections::BTreeMap;

use pandodb_ds::record::Value;
use pandodb_ds::record::number::real_text;
use pandodb_ds::sync::Arc;

use super::{Session, Step};
use crate::catalog::DatabaseIndex;
use crate::error::{Constraint, ErrorKind};
use crate::store::Database;

/// A small generator of numbers: the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

fn session() -> Session {
    Session::new(Database::in_memory().unwrap())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => String::from_utf8(real_text(*value)).unwrap(),
        Value::Text(bytes) | Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The rows of the last statement, each with its values joined by `|`.
pub(crate) fn lines(session: &Session, sql: &str) -> Vec<String> {
    let found = session.query(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    found.rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("|")).collect()
}

/// The rows of the last statement in one line.
fn rows(session: &Session, sql: &str) -> String {
    lines(session, sql).join(" ")
}

#[track_caller]
fn check(session: &Session, sql: &str, expected: &str) {
    assert_eq!(rows(session, sql), expected, "{sql}");
}

#[track_caller]
fn fails(session: &Session, sql: &str, kind: ErrorKind) {
    match session.query(sql) {
        Err(error) => assert_eq!(error.kind(), kind, "{sql}: {error}"),
        Ok(_) => panic!("{sql}: no error"),
    }
}

#[test]
fn queries_of_every_clause() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT COLLATE NOCASE, c REAL);
             INSERT INTO t VALUES(1,'x',1.5),(2,'Y',2.5),(3,'y',NULL),(4,'z',0);
             CREATE INDEX tb ON t(b);
             CREATE TABLE u(x, y); INSERT INTO u VALUES(2,'two'),(3,'three'),(9,'nine');",
        )
        .unwrap();
    check(&session, "SELECT a FROM t WHERE b = 'y' ORDER BY a DESC", "3 2");
    check(&session, "SELECT b, count(*) FROM t GROUP BY b HAVING count(*) > 1", "Y|2");
    check(&session, "SELECT t.a, u.y FROM t JOIN u ON t.a = u.x ORDER BY 1", "2|two 3|three");
    check(&session, "SELECT x, b FROM u LEFT JOIN t ON a = x ORDER BY x", "2|Y 3|y 9|NULL");
    check(
        &session,
        "SELECT a, x FROM t FULL JOIN u ON a = x WHERE a IS NULL OR x IS NULL \
        ORDER BY coalesce(a, x)",
        "1|NULL 4|NULL NULL|9",
    );
    check(&session, "SELECT a FROM t WHERE a IN (SELECT x FROM u) AND c IS NOT NULL", "2");
    check(
        &session,
        "SELECT a, (SELECT count(*) FROM t AS s WHERE s.a < t.a) FROM t",
        "1|0 2|1 3|2 4|3",
    );
    check(&session, "SELECT a FROM t EXCEPT SELECT x FROM u", "1 4");
    check(&session, "SELECT a % 2 AS p, sum(c) FROM t GROUP BY p", "0|2.5 1|1.5");
    check(
        &session,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i * 2 FROM n WHERE i < 20) \
        SELECT group_concat(i, '.') FROM n",
        "1.2.4.8.16.32",
    );
    check(&session, "SELECT max(c), a FROM t", "2.5|2");
    check(&session, "SELECT DISTINCT b FROM t ORDER BY b LIMIT 1 OFFSET 1", "Y");
    check(&session, "SELECT count(*) FILTER (WHERE c > 1), total(c) FROM t", "2|4.0");
    check(
        &session,
        "SELECT a, sum(a) OVER (ORDER BY a ROWS 1 PRECEDING) FROM t",
        "1|1 2|3 3|5 4|7",
    );
    check(&session, "VALUES (1, 'a'), (2, 'b')", "1|a 2|b");
    check(&session, "SELECT (1, 2) < (1, 3), 'a' || 1, 7 / 2, 7 / 2.0, NULL IS 1", "1|a1|3|3.5|0");
}

#[test]
fn the_planner_uses_indexes_and_says_so() {
    let session = session();
    session
        .execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b, c); CREATE INDEX tbc ON t(b, c);")
        .unwrap();
    let detail = |sql: &str| {
        let found = session.query(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let text = |row: &Vec<Value>| match &row[3] {
            Value::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        found.rows.iter().map(text).collect::<Vec<_>>().join("; ")
    };
    for row in 0..200 {
        session.execute(&format!("INSERT INTO t VALUES({row}, {}, {row})", row % 20)).unwrap();
    }
    assert_eq!(
        detail("SELECT * FROM t WHERE a = 5"),
        "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)"
    );
    assert_eq!(
        detail("SELECT a FROM t WHERE b = 5 AND c > 1"),
        "SEARCH t USING COVERING INDEX tbc (b=? AND c>?)"
    );
    assert_eq!(detail("SELECT * FROM t ORDER BY a DESC LIMIT 1"), "SCAN t");
}

#[test]
fn constraints_are_kept_and_statements_are_atomic() {
    let session = session();
    session
        .execute(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE p(id INTEGER PRIMARY KEY);
             CREATE TABLE t(a UNIQUE, b NOT NULL, c CHECK(c > 0), d REFERENCES p ON DELETE CASCADE);
             INSERT INTO p VALUES(1),(2);
             INSERT INTO t VALUES(1, 1, 1, 1);",
        )
        .unwrap();
    let constraint = ErrorKind::Constraint;
    fails(
        &session,
        "INSERT INTO t VALUES(5,1,1,NULL),(1,1,1,NULL)",
        constraint(Constraint::Unique),
    );
    check(&session, "SELECT count(*) FROM t", "1");
    fails(&session, "INSERT INTO t VALUES(2, NULL, 1, 1)", constraint(Constraint::NotNull));
    fails(&session, "INSERT INTO t VALUES(2, 1, 0, 1)", constraint(Constraint::Check));
    fails(&session, "INSERT INTO t VALUES(2, 1, 1, 7)", constraint(Constraint::ForeignKey));
    check(&session, "INSERT OR REPLACE INTO t VALUES(1, 2, 2, 2) RETURNING a, b", "1|2");
    check(
        &session,
        "INSERT INTO t VALUES(1, 9, 9, 2) ON CONFLICT(a) DO UPDATE SET b = excluded.b \
        RETURNING b, c",
        "9|2",
    );
    session.execute("DELETE FROM p WHERE id = 2").unwrap();
    check(&session, "SELECT count(*) FROM t", "0");
    check(&session, "PRAGMA integrity_check", "ok");
}

#[test]
fn transactions_and_savepoints_go_back() {
    let session = session();
    session.execute("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1); SAVEPOINT s;").unwrap();
    session.execute("INSERT INTO t VALUES(2); CREATE TABLE u(x); ROLLBACK TO s").unwrap();
    check(&session, "SELECT count(*) FROM t", "1");
    fails(&session, "SELECT * FROM u", ErrorKind::NotFound);
    session.execute("ROLLBACK").unwrap();
    check(&session, "SELECT count(*) FROM t", "0");
    session.execute("BEGIN; DROP TABLE t; ROLLBACK").unwrap();
    check(&session, "SELECT count(*) FROM t", "0");
    fails(&session, "COMMIT", ErrorKind::State);
}

#[test]
fn triggers_see_old_and_new() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE TABLE log(x);
             CREATE TRIGGER i AFTER INSERT ON t BEGIN INSERT INTO log VALUES('+' || NEW.b); END;
             CREATE TRIGGER u AFTER UPDATE OF b ON t WHEN NEW.b <> OLD.b BEGIN
                 INSERT INTO log VALUES(OLD.b || '>' || NEW.b); END;
             CREATE TRIGGER d BEFORE DELETE ON t BEGIN SELECT RAISE(IGNORE) WHERE OLD.a = 2; END;
             CREATE VIEW v AS SELECT a, b FROM t;
             CREATE TRIGGER w INSTEAD OF INSERT ON v BEGIN INSERT INTO t(b) VALUES(NEW.b); END;
             INSERT INTO t(b) VALUES('x'); INSERT INTO v(b) VALUES('y');
             UPDATE t SET b = 'z' WHERE a = 1; UPDATE t SET b = 'z' WHERE a = 1; DELETE FROM t;",
        )
        .unwrap();
    check(&session, "SELECT x FROM log", "+x +y x>z");
    check(&session, "SELECT * FROM t", "2|y");
}

#[test]
fn definitions_change_and_follow_names() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c INT CHECK(c > b));
             CREATE INDEX i ON t(b) WHERE c > 0;
             CREATE VIEW v AS SELECT b AS q FROM t WHERE t.b <> '';
             INSERT INTO t VALUES(1, 'x', 'y');
             ALTER TABLE t RENAME COLUMN b TO \"new b\";
             ALTER TABLE t RENAME TO s;
             ALTER TABLE s ADD COLUMN d DEFAULT 5;",
        )
        .unwrap();
    check(&session, "SELECT * FROM s", "1|x|y|5");
    check(&session, "SELECT q FROM v", "x");
    check(
        &session,
        "SELECT sql FROM sqlite_schema WHERE name = 'i'",
        "CREATE INDEX i ON \"s\"(\"new b\") WHERE c > 0",
    );
    session.execute("ALTER TABLE s DROP COLUMN d").unwrap();
    check(&session, "SELECT * FROM s", "1|x|y");
    fails(&session, "ALTER TABLE s DROP COLUMN c", ErrorKind::Invalid);
    check(&session, "PRAGMA integrity_check", "ok");
}

#[test]
fn prepared_statements_are_planned_again_when_the_schema_changes() {
    let session = session();
    session.execute("CREATE TABLE t(a); INSERT INTO t VALUES(7)").unwrap();
    let (statement, _) = session.prepare("SELECT * FROM t").unwrap();
    let mut statement = statement.unwrap();
    statement.run().unwrap();
    session.execute("ALTER TABLE t ADD COLUMN b DEFAULT 'n'").unwrap();
    assert_eq!(statement.step().unwrap(), super::Step::Row);
    assert_eq!(statement.row().unwrap(), vec![Value::Integer(7), Value::text("n")]);
}

/// Who prepares a text asks for its columns before it runs.
#[test]
fn a_text_that_is_prepared_again_has_the_columns_of_now() {
    let session = session();
    session.execute("CREATE TABLE t(a); INSERT INTO t VALUES(7); CREATE BRANCH dev").unwrap();
    let of = |sql: &str| {
        let known = session.prepare(sql).unwrap().0.unwrap().column_names();
        let found = session.query(sql).unwrap();
        assert_eq!(known, found.columns, "{sql}");
        assert!(found.rows.iter().all(|row| row.len() == known.len()), "{sql}");
        known.concat()
    };
    let own = || of("SELECT * FROM t");
    assert_eq!((own(), of("SELECT * FROM t@dev")), ("a".into(), "a".into()));
    for (change, names) in [
        ("ALTER TABLE t ADD COLUMN b", "ab"),
        ("BEGIN; ALTER TABLE t ADD COLUMN c", "abc"),
        ("SAVEPOINT s; ALTER TABLE t DROP COLUMN a", "bc"),
        ("ROLLBACK TO s", "abc"),
        ("ROLLBACK", "ab"),
        ("BEGIN; ALTER TABLE t DROP COLUMN b; INSERT INTO t VALUES (1)", "a"),
        ("CREATE UNIQUE INDEX i ON t(a)", "a"),
    ] {
        session.execute(change).unwrap();
        assert_eq!(own(), names, "{change}");
    }
    session.execute("INSERT OR ROLLBACK INTO t VALUES (7)").unwrap_err();
    assert_eq!(own(), "ab");
    session.execute("TAG BRANCH main AS two; ALTER TABLE t ADD COLUMN d").unwrap();
    assert_eq!(own(), "abd");
    session.execute("RESET BRANCH main TO TAG two").unwrap();
    assert_eq!(own(), "ab");
    session.execute("MERGE BRANCH main INTO dev").unwrap();
    assert_eq!(of("SELECT * FROM t@dev"), "ab");
    session.execute("USE BRANCH dev; ALTER TABLE t ADD COLUMN e; USE BRANCH main").unwrap();
    assert_eq!((own(), of("SELECT * FROM t@dev")), ("ab".into(), "abe".into()));
    session.execute("MERGE BRANCH dev INTO main").unwrap();
    assert_eq!(own(), "abe");
    session.execute("PREVIEW ALTER TABLE t ADD COLUMN f").unwrap();
    assert_eq!(own(), "abe");
    session.execute("APPLY").unwrap();
    assert_eq!(own(), "abef");
}

#[test]
fn sessions_share_a_database_and_commits_become_visible() {
    let database = Database::in_memory().unwrap();
    let (first, second) = (Session::new(database.clone()), Session::new(database));
    first.execute("CREATE TABLE t(a); BEGIN; INSERT INTO t VALUES(1)").unwrap();
    check(&second, "SELECT count(*) FROM t", "0");
    first.execute("COMMIT").unwrap();
    check(&second, "SELECT count(*) FROM t", "1");
}

/// Random changes of an indexed table against a map, the indexes checked after each round.
#[test]
fn random_changes_agree_with_a_model() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, k INT, s TEXT COLLATE NOCASE);
             CREATE INDEX tk ON t(k DESC, s); CREATE INDEX ts ON t(s) WHERE k > 5;",
        )
        .unwrap();
    let mut model: BTreeMap<i64, (i64, String)> = BTreeMap::new();
    let mut seed = 0x9E37_79B9_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below) as i64
    };
    for round in 0..400 {
        let (id, k) = (random(60), random(12));
        let text = ["a", "B", "b", "", "cc"][random(5) as usize].to_owned();
        match random(4) {
            0 | 1 => {
                let sql = format!("INSERT OR REPLACE INTO t VALUES({id}, {k}, '{text}')");
                session.execute(&sql).unwrap();
                model.insert(id, (k, text));
            }
            2 => {
                let sql = format!("UPDATE t SET k = k + 1, s = '{text}' WHERE k = {k}");
                session.execute(&sql).unwrap();
                for value in model.values_mut().filter(|value| value.0 == k) {
                    *value = (k + 1, text.clone());
                }
            }
            _ => {
                session.execute(&format!("DELETE FROM t WHERE s = '{text}' AND k >= {k}")).unwrap();
                model.retain(|_, value| !(value.1.eq_ignore_ascii_case(&text) && value.0 >= k));
            }
        }
        let count = model.values().filter(|value| value.0 == k).count();
        check(&session, &format!("SELECT count(*) FROM t WHERE k = {k}"), &count.to_string());
        if round % 40 == 0 {
            let expected: Vec<String> =
                model.iter().map(|(id, (k, s))| format!("{id}|{k}|{s}")).collect();
            check(&session, "SELECT * FROM t ORDER BY id", &expected.join(" "));
            check(&session, "PRAGMA integrity_check", "ok");
        }
    }
}

#[test]
fn a_session_goes_to_another_thread_in_the_middle_of_a_transaction() {
    let session = session();
    session.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1); BEGIN").unwrap();
    session.execute("UPDATE t SET x = 2").unwrap();
    let session = std::thread::spawn(move || {
        session.execute("INSERT INTO t VALUES (3); COMMIT").unwrap();
        session
    });
    check(&session.join().unwrap(), "SELECT x FROM t", "2 3");
}

#[test]
fn a_plan_is_found_by_the_text_of_its_statement_alone() {
    let session = session();
    session.execute("CREATE TABLE t(x TEXT)").unwrap();
    let same = |left: &str, right: &str| {
        let (left, _) = session.prepare_shared(left).unwrap();
        let (right, behind) = session.prepare_shared(right).unwrap();
        let right = right.unwrap();
        (Arc::ptr_eq(&left.unwrap(), &right), behind)
    };
    let text = "SELECT ';', [x], \"x\" FROM t;";
    assert_eq!(same(text, text), (true, text.len()));
    assert_eq!(same(text, &format!("{text} SELECT 2; nonsense")), (true, text.len()));
    assert_eq!(same(&format!("{text} \n"), &format!("{text}-- rest")), (true, text.len()));
    assert!(!same("SELECT 1", "SELECT 1;").0);
    // What is used again and again stays, however many others there are.
    let (kept, _) = session.prepare_shared("SELECT 'kept'").unwrap();
    for number in 0..1000 {
        session.prepare_shared(&format!("SELECT {number}")).unwrap();
        let (again, _) = session.prepare_shared("SELECT 'kept'").unwrap();
        assert!(Arc::ptr_eq(kept.as_ref().unwrap(), &again.unwrap()));
    }
}

#[test]
fn an_insert_stays_when_not_all_of_its_rows_are_asked_for() {
    let session = session();
    session.execute("CREATE TABLE t(x)").unwrap();
    let (statement, _) = session.prepare("INSERT INTO t VALUES (1), (2) RETURNING x").unwrap();
    let mut statement = statement.unwrap();
    assert_eq!(statement.step().unwrap(), Step::Row);
    drop(statement);
    check(&session, "SELECT x FROM t", "1 2");
}

#[test]
fn a_statement_between_two_others_sees_what_is_there() {
    let session = session();
    let other = Session::new(session.database(DatabaseIndex::MAIN).unwrap().0);
    session.execute("CREATE TABLE t(x); INSERT INTO t VALUES (1), (2)").unwrap();
    let (first, _) = session.prepare("SELECT x FROM t").unwrap();
    let (second, _) = session.prepare("SELECT sum(x) FROM t").unwrap();
    let (mut first, mut second) = (first.unwrap(), second.unwrap());
    for round in 0..3 {
        assert_eq!(first.step().unwrap(), Step::Row);
        assert_eq!(second.step().unwrap(), Step::Row);
        let sum = 3 + round * 3;
        assert_eq!(second.row().unwrap(), [Value::Integer(sum)]);
        other.execute("INSERT INTO t VALUES (3)").unwrap();
        let mut rows = 1;
        while first.step().unwrap() == Step::Row {
            rows += 1;
        }
        assert_eq!(rows, 2 + round, "a statement sees one moment");
        second.reset();
    }
    assert_eq!(session.database(DatabaseIndex::MAIN).unwrap().0.manager().snapshots().len(), 0);
}

#[test]
fn a_row_that_an_index_cannot_take_leaves_no_trace() {
    let session = session();
    session
        .execute(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);
             CREATE INDEX ta ON t(a); CREATE UNIQUE INDEX tb ON t(b);
             BEGIN; INSERT INTO t VALUES(1,'x','y');",
        )
        .unwrap();
    // The table and the first index have taken the row before the second one refuses it.
    fails(&session, "INSERT INTO t VALUES(2, 'x', zeroblob(2000000))", ErrorKind::Limit);
    fails(&session, "INSERT INTO t VALUES(3, 'x', 'y')", ErrorKind::Constraint(Constraint::Unique));
    for (sql, expected) in [
        ("SELECT * FROM t", "1|x|y"),
        ("SELECT count(*) FROM t WHERE a = 'x'", "1"),
        ("PRAGMA integrity_check", "ok"),
        ("INSERT INTO t VALUES(2, 'x', 'z')", ""),
        ("COMMIT", ""),
        ("SELECT id FROM t WHERE a = 'x'", "1 2"),
        ("PRAGMA integrity_check", "ok"),
    ] {
        check(&session, sql, expected);
    }
}

#[test]
fn an_update_of_a_view_gives_its_triggers_what_its_columns_hold() {
    let session = session();
    session
        .execute(
            "CREATE TABLE log(a, b, c);
             CREATE TABLE t(a TEXT, b REAL, c); INSERT INTO t VALUES ('-3', 2.5, 'x');
             CREATE VIEW v AS SELECT a, b, c FROM t;
             CREATE TRIGGER u INSTEAD OF UPDATE ON v BEGIN
                 INSERT INTO log VALUES (quote(new.a), quote(new.b), quote(new.c)); END;
             CREATE TRIGGER i INSTEAD OF INSERT ON v BEGIN
                 INSERT INTO log VALUES (quote(new.a), quote(new.b), quote(new.c)); END;
             UPDATE v SET a = a | a, b = 1, c = 7; UPDATE v SET a = 'y', b = '2', c = '7';
             INSERT INTO v VALUES (1, 2, '3'), (1, '4', '3')",
        )
        .unwrap();
    // What is inserted is not converted, but a column of reals shows no whole numbers.
    check(&session, "SELECT * FROM log", "'-3'|1.0|7 'y'|2.0|'7' 1|2.0|'3' 1|'4'|'3'");
}

#[test]
fn a_foreign_key_that_is_set_to_what_it_was_is_looked_up() {
    let session = session();
    session
        .execute(
            "CREATE TABLE p(a PRIMARY KEY); INSERT INTO p VALUES (1);
             CREATE TABLE t(k INTEGER PRIMARY KEY REFERENCES p(a), b, c REFERENCES p);
             INSERT INTO t VALUES (1, 1, 5), (2, 1, 1), (3, 1, NULL);
             PRAGMA foreign_keys = ON",
        )
        .unwrap();
    let broken = ErrorKind::Constraint(Constraint::ForeignKey);
    fails(&session, "UPDATE t SET c = c WHERE k = 1", broken);
    fails(&session, "UPDATE t SET k = k WHERE k = 2", broken);
    session.execute("UPDATE t SET b = 2; UPDATE t SET c = c WHERE k > 1").unwrap();
    session.execute("UPDATE t SET c = 1, b = 3 WHERE k = 1; UPDATE t SET c = c").unwrap();
    check(&session, "SELECT b, c FROM t", "3|1 2|1 2|NULL");
}

#[test]
fn a_row_that_changes_while_another_is_replaced_for_it_keeps_the_change() {
    let session = session();
    session
        .execute(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE s(k INTEGER PRIMARY KEY, u UNIQUE, p REFERENCES s(k) ON DELETE SET NULL);
             CREATE INDEX i ON s(p);
             INSERT INTO s VALUES (1, 1, NULL), (2, 2, 1), (3, 3, 2);
             UPDATE OR REPLACE s SET u = 1 WHERE k = 2",
        )
        .unwrap();
    check(&session, "SELECT * FROM s", "2|1|NULL 3|3|2");
    check(&session, "PRAGMA integrity_check", "ok");
    check(&session, "PRAGMA foreign_key_check", "");
}

#[test]
fn what_a_failed_commit_takes_back_is_not_counted() {
    let session = session();
    session
        .execute(
            "PRAGMA foreign_keys = ON; CREATE TABLE p(a PRIMARY KEY);
             CREATE TABLE t(a REFERENCES p DEFERRABLE INITIALLY DEFERRED,
                 b UNIQUE ON CONFLICT FAIL)",
        )
        .unwrap();
    let before = session.total_changes();
    // The third row ends the statement, the two before it stay, and cannot be committed.
    let sql = "INSERT INTO t VALUES (1, 1), (2, 2), (3, 2)";
    fails(&session, sql, ErrorKind::Constraint(Constraint::ForeignKey));
    check(&session, "SELECT changes(), count(*) FROM t", "0|0");
    assert_eq!(session.total_changes(), before);
}
