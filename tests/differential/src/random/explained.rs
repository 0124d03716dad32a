//! Differences that `docs/sqlite-differences.md` explains and that a script can run into.
//!
//! Each rule names its section there and asks for everything that the section says; where SQLite
//! itself can say whether a rule applies, it is asked. A rule that only looked at the words of an
//! error would swallow wrong results. Neighbours: `compare`, which asks here before it compares.

use super::compare::{State, distinct_rows, rows_agree};
use super::script::{Check, Order, Step};
use crate::engine::{Engine, Failure, Rows, Sqlite, Value, execute};

/// What both engines made of a statement.
pub(super) struct Outcome<'a> {
    /// The statement.
    pub(super) step: &'a Step,
    /// What SQLite did.
    pub(super) expected: &'a Result<Rows, Failure>,
    /// What the engine did.
    pub(super) actual: &'a Result<Rows, Failure>,
    /// Whether a transaction was open before it.
    pub(super) in_transaction: bool,
}

/// What follows of a difference that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Explained {
    /// The databases are still the same: the script goes on.
    GoesOn(&'static str),
    /// They are not.
    Ends(&'static str),
}

/// The rule that explains a difference, if one does.
pub(super) fn explanation(
    outcome: &Outcome<'_>,
    oracle: &mut Sqlite,
    engine: &mut dyn Engine,
) -> Option<Explained> {
    if names_what_is_forgotten(outcome, oracle) {
        return Some(if matches!(outcome.step.check, Check::Change) {
            Explained::Ends("a name beside a false term")
        } else {
            Explained::GoesOn("a name beside a false term")
        });
    }
    if groups_by_a_computed_constant(outcome, oracle) {
        return Some(Explained::GoesOn("a constant GROUP BY term"));
    }
    if keeps_another_of_equal_values(outcome) {
        return Some(Explained::GoesOn("another of several equal values"));
    }
    if reads_a_whole_number(outcome) {
        return Some(Explained::GoesOn("a whole number in a compound's REAL column"));
    }
    if is_refused_when_used(outcome, engine) {
        return Some(Explained::Ends("a view of another database"));
    }
    if lets_an_orphan_in(outcome, oracle, engine) {
        return Some(Explained::Ends("a key without parent that SQLite lets in"));
    }
    if fails_before_there_are_rows(outcome) {
        return Some(Explained::GoesOn("an argument that is computed first"));
    }
    if contradicts_itself(outcome, oracle) {
        return Some(Explained::GoesOn("EXISTS that SQLite joins"));
    }
    if asks_parts_of_a_compound(outcome, oracle) {
        return Some(Explained::GoesOn("a condition that SQLite asks of a compound's parts"));
    }
    None
}

/// A constant test of NULL, written so that SQLite computes it when the statement runs: its
/// parser makes `1 IS NULL` a zero, and forgets what stands beside a zero in an AND.
fn spelled_out(sql: &str) -> Option<String> {
    let spelled = sql.replace(" IS NOT NULL", " IS NOT +NULL").replace(" IS NULL", " IS +NULL");
    (spelled != sql).then_some(spelled)
}

/// "A term beside one that is false by itself is forgotten by SQLite before it looks names up":
/// spelled so that the term is not false by itself, SQLite misses the same name.
fn names_what_is_forgotten(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let (Ok(_), Err(failure)) = (outcome.expected, outcome.actual) else { return false };
    if !failure.message.starts_with("no such ") {
        return false;
    }
    let Some(spelled) = spelled_out(&outcome.step.sql) else { return false };
    // EXPLAIN compiles and changes nothing.
    let again = oracle.execute(&format!("EXPLAIN {spelled}"));
    again.is_err_and(|other| other.message == failure.message)
}

/// "A constant GROUP BY term is computed before SQLite looks whether it is a column's number":
/// spelled so that it is not, SQLite has the same rows.
fn groups_by_a_computed_constant(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let (Err(failure), Ok(rows)) = (outcome.expected, outcome.actual) else { return false };
    let Check::Query(order) = outcome.step.check else { return false };
    if !failure.message.contains("GROUP BY term out of range") {
        return false;
    }
    let Some(spelled) = spelled_out(&outcome.step.sql) else { return false };
    let order = if order == Order::Limited { order } else { Order::Any };
    oracle.execute(&spelled).is_ok_and(|expected| rows_agree(&expected, rows, order, true))
}

/// "Which of several values that compare as equal stands for all of them is left to the plan":
/// DISTINCT keeps one of `'a'` and `'A'`, and whether a compound has it already, by bytes, follows
/// of that. Apart from such repeats the rows are the same.
fn keeps_another_of_equal_values(outcome: &Outcome<'_>) -> bool {
    let (Ok(expected), Ok(rows)) = (outcome.expected, outcome.actual) else { return false };
    let (Check::Query(_), sql) = (&outcome.step.check, &outcome.step.sql) else { return false };
    let is_compound = ["UNION", "INTERSECT", "EXCEPT"].iter().any(|word| sql.contains(word));
    let is_one_of_many = ["DISTINCT", "GROUP BY"].iter().any(|word| sql.contains(word));
    (is_one_of_many || is_compound)
        && !rows_agree(expected, rows, Order::Any, true)
        && ((is_compound && is_one_of_many && distinct_rows(expected) == distinct_rows(rows))
            || rows_agree(&with_numbers(expected), &with_numbers(rows), Order::Any, true))
}

/// "A whole number in a compound's column whose affinity is REAL stays one; SQLite reads a real":
/// apart from that, and from what `typeof` says of it, the rows are the same.
fn reads_a_whole_number(outcome: &Outcome<'_>) -> bool {
    let (Ok(expected), Ok(rows)) = (outcome.expected, outcome.actual) else { return false };
    let (Check::Query(_), sql) = (&outcome.step.check, &outcome.step.sql) else { return false };
    let is_compound = ["UNION", "INTERSECT", "EXCEPT"].iter().any(|word| sql.contains(word));
    let one_type = |rows: &Rows| {
        let value = |value: &Value| match value {
            Value::Text(text) if text == b"integer" => Value::Text(b"real".to_vec()),
            other => other.clone(),
        };
        let all = rows.rows.iter().map(|row| row.iter().map(value).collect());
        with_numbers(&Rows { columns: rows.columns, rows: all.collect() })
    };
    is_compound
        && sql.contains("(SELECT ")
        && !rows_agree(expected, rows, Order::Any, true)
        && rows_agree(&one_type(expected), &one_type(rows), Order::Any, true)
}

/// The rows with numbers in the place of texts that are written as such: `quote()` makes texts of
/// `0` and `0.0`, which compare as equal.
fn with_numbers(rows: &Rows) -> Rows {
    let number = |value: &Value| match value {
        Value::Text(text) => {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
            number.filter(|number| number.is_finite()).map_or_else(|| value.clone(), Value::Real)
        }
        other => other.clone(),
    };
    let rows_of = rows.rows.iter().map(|row| row.iter().map(number).collect());
    Rows { columns: rows.columns, rows: rows_of.collect() }
}

/// "A view that names another database's table beside a name that does not exist is refused when
/// it is used": that it is.
fn is_refused_when_used(outcome: &Outcome<'_>, engine: &mut dyn Engine) -> bool {
    let (Err(failure), Ok(_)) = (outcome.expected, outcome.actual) else { return false };
    let mut words = outcome.step.sql.split(' ');
    let (Some("CREATE"), Some("VIEW"), Some(name)) = (words.next(), words.next(), words.next())
    else {
        return false;
    };
    failure.message.contains("cannot reference objects in database")
        && execute(engine, &format!("SELECT * FROM {name}")).is_err()
}

/// "Where SQLite contradicts itself": REPLACE lets a row in whose foreign key has no parent;
/// its own check says so afterwards.
fn lets_an_orphan_in(outcome: &Outcome<'_>, oracle: &mut Sqlite, engine: &mut dyn Engine) -> bool {
    const FOREIGN_KEY: i32 = 787;
    let (Ok(_), Err(failure)) = (outcome.expected, outcome.actual) else { return false };
    let declared = "SELECT 1 FROM sqlite_schema WHERE sql LIKE '%ON CONFLICT REPLACE%'";
    let is_replaced = ["REPLACE", "DO UPDATE"].iter().any(|it| outcome.step.sql.contains(it))
        || oracle.execute(declared).is_ok_and(|found| !found.rows.is_empty());
    if failure.code != FOREIGN_KEY || (outcome.in_transaction && !is_replaced) {
        return false;
    }
    ["PRAGMA main.foreign_key_check", "PRAGMA other.foreign_key_check"].iter().any(|check| {
        match (oracle.execute(check), execute(engine, check)) {
            (Ok(theirs), Ok(own)) => theirs.rows.len() > own.rows.len(),
            _ => false,
        }
    })
}

/// "Which of several conditions of a join, and which arguments of its functions, are computed
/// first where one of them fails is left to the plan": the arguments of a table-valued function,
/// where the tables beside it turn out to give no row.
fn fails_before_there_are_rows(outcome: &Outcome<'_>) -> bool {
    const FAILURES: &[&str] = &["JSON cannot hold BLOB values", "malformed JSON"];
    let (Ok(expected), Err(failure)) = (outcome.expected, outcome.actual) else { return false };
    let (Check::Query(_), sql) = (&outcome.step.check, &outcome.step.sql) else { return false };
    let is_joined = ["json_each(", "json_tree("].iter().any(|name| sql.contains(name));
    expected.rows.is_empty() && is_joined && FAILURES.contains(&failure.message.as_str())
}

/// "Where SQLite contradicts itself": a query with `EXISTS` in its WHERE has other rows than the
/// same query with `+EXISTS`, which SQLite does not make a join of; those are the rows here.
fn contradicts_itself(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let (Ok(expected), Ok(rows)) = (outcome.expected, outcome.actual) else { return false };
    let Check::Query(order) = outcome.step.check else { return false };
    let sql = &outcome.step.sql;
    if !sql.contains("EXISTS (") || rows_agree(expected, rows, order, true) {
        return false;
    }
    let spelled = sql.replace("EXISTS (", "+EXISTS (");
    oracle.execute(&spelled).is_ok_and(|other| rows_agree(&other, rows, order, true))
}

/// "Where SQLite contradicts itself": a condition on a compound's column, asked of its parts with
/// their own affinities, lets other rows through than where a LIMIT keeps SQLite from doing so;
/// those are the rows here.
fn asks_parts_of_a_compound(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let (Ok(expected), Ok(rows)) = (outcome.expected, outcome.actual) else { return false };
    let Check::Query(order) = outcome.step.check else { return false };
    let sql = &outcome.step.sql;
    let spelled = with_limits(sql);
    spelled != *sql
        && !rows_agree(expected, rows, order, true)
        && oracle.execute(&spelled).is_ok_and(|other| rows_agree(&other, rows, order, true))
}

/// The statement with `LIMIT -1` behind each compound in parentheses that has no limit.
fn with_limits(sql: &str) -> String {
    // For each open parenthesis: whether a compound stands in it, and whether it is limited.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut text = String::with_capacity(sql.len());
    let mut is_quoted = false;
    for (at, letter) in sql.char_indices() {
        let rest = &sql[at..];
        match letter {
            '\'' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' => open.push((false, false)),
            ')' => {
                if let Some((true, false)) = open.pop() {
                    text.push_str(" LIMIT -1");
                }
            }
            ' ' => {
                if let Some((is_compound, is_limited)) = open.last_mut() {
                    let begins = |words: &[&str]| words.iter().any(|word| rest.starts_with(word));
                    *is_compound |= begins(&[" UNION ", " EXCEPT ", " INTERSECT "]);
                    *is_limited |= begins(&[" LIMIT ", " ORDER BY "]);
                }
            }
            _ => {}
        }
        text.push(letter);
    }
    text
}

/// "A statement that fails a type check of a STRICT table inside of a transaction": SQLite keeps
/// the rows before the one that is refused, here all tables are as they were.
pub(super) fn keeps_rows_before_a_type_check(
    outcome: &Outcome<'_>,
    before: Option<&State>,
    now: &State,
) -> bool {
    let (Err(expected), Err(actual)) = (outcome.expected, outcome.actual) else { return false };
    outcome.in_transaction
        && expected.message.starts_with("cannot store ")
        && actual.message == expected.message
        && before.is_some_and(|before| before.tables == now.tables)
}

/// "Which of several rows fails first, and so which constraint an error names, is left to the
/// plan": both refuse a statement that looks for its rows itself, each for a constraint.
pub(super) fn fails_at_another_row(sql: &str, expected: &Failure, actual: &Failure) -> bool {
    const CONSTRAINT: i32 = 19;
    chooses_its_rows(sql) && expected.code & 0xff == CONSTRAINT && actual.code & 0xff == CONSTRAINT
}

/// The same where both have the same kind of error: rows before the one that fails may have run
/// triggers, whose changes are taken back and yet counted.
pub(super) fn fails_after_other_rows(outcome: &Outcome<'_>) -> bool {
    let (Err(expected), Err(actual)) = (outcome.expected, outcome.actual) else { return false };
    chooses_its_rows(&outcome.step.sql) && expected.class() == actual.class()
}

fn chooses_its_rows(sql: &str) -> bool {
    ["UPDATE", "DELETE"].iter().any(|word| sql.starts_with(word))
        || (sql.starts_with("INSERT") && sql.contains(" SELECT "))
}

/// "An UPDATE whose subqueries read the changed table takes rows in the order of the table's
/// keys", and finds them all before it changes one: in that order, and with a subquery in its
/// condition that SQLite cannot overlook, SQLite makes the same of it.
pub(super) fn reads_what_it_changes(
    steps: &[Step],
    at: usize,
    tables: &[String],
    engine: &mut dyn Engine,
) -> bool {
    let sql = &steps[at].sql;
    if !sql.starts_with("UPDATE ") || !sql.contains("(SELECT ") {
        return false;
    }
    let in_order = if sql.contains(" NOT INDEXED SET ") {
        sql.clone()
    } else {
        sql.replacen(" SET ", " NOT INDEXED SET ", 1)
    };
    // SQLite does not see a subquery under a COLLATE, and changes rows while it looks for them.
    let seen = in_order.replacen(" WHERE ", " WHERE (SELECT 1) AND ", 1);
    // Nor does an index that it makes for the statement see what was changed since.
    ["PRAGMA automatic_index = ON", "PRAGMA automatic_index = OFF"].iter().any(|setting| {
        let mut steps = steps[..at].to_vec();
        steps.push(Step { sql: (*setting).to_owned(), check: Check::Change });
        [&in_order, &seen].iter().any(|spelled| makes_the_same(&steps, spelled, tables, engine))
    })
}

/// "A subquery without ORDER BY that has several rows gives one of them": SQLite itself has other
/// tables behind an UPDATE with subqueries where it reads them from the other end.
pub(super) fn takes_any_row(steps: &[Step], at: usize, tables: &[String]) -> bool {
    let sql = &steps[at].sql;
    if !sql.starts_with("UPDATE ") || !sql.contains("(SELECT ") {
        return false;
    }
    let contents = |is_reversed: bool| -> Option<Vec<Rows>> {
        let mut oracle = Sqlite::open().ok()?;
        for step in &steps[..at] {
            // Statements that fail are part of the script.
            let _ = oracle.execute(&step.sql);
        }
        let value = if is_reversed { "ON" } else { "OFF" };
        oracle.execute(&format!("PRAGMA reverse_unordered_selects = {value}")).ok()?;
        oracle.execute(sql).ok()?;
        tables.iter().map(|table| oracle.execute(table).ok()).collect()
    };
    let (Some(forth), Some(back)) = (contents(false), contents(true)) else { return false };
    !forth.iter().zip(&back).all(|(forth, back)| rows_agree(forth, back, Order::Any, false))
}

/// Whether SQLite, without the indexes that a table can do without, has the engine's tables
/// behind a script with another last statement.
fn makes_the_same(steps: &[Step], last: &str, tables: &[String], engine: &mut dyn Engine) -> bool {
    let Ok(mut oracle) = Sqlite::open() else { return false };
    for step in steps {
        // Statements that fail are part of the script.
        let _ = oracle.execute(&step.sql);
    }
    // A table without rowid is read by an index in spite of NOT INDEXED.
    let indexes = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL \
                   AND sql NOT LIKE '%UNIQUE%'";
    for index in oracle.execute(indexes).map(|found| found.rows).unwrap_or_default() {
        if let Some(Value::Text(name)) = index.first() {
            let _ = oracle.execute(&format!("DROP INDEX {}", String::from_utf8_lossy(name)));
        }
    }
    oracle.execute(last).is_ok()
        && tables.iter().all(|table| match (oracle.execute(table), execute(engine, table)) {
            (Ok(theirs), Ok(own)) => rows_agree(&theirs, &own, Order::Any, false),
            _ => false,
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;
    use crate::engine::Value;

    #[allow(clippy::unnecessary_wraps, reason = "what an engine returns")]
    fn one(value: i64) -> Result<Rows, Failure> {
        Ok(Rows { columns: 1, rows: vec![vec![Value::Integer(value)]] })
    }

    #[allow(clippy::unnecessary_wraps, reason = "what an engine returns")]
    fn failed(code: i32, message: &str) -> Result<Rows, Failure> {
        Err(Failure { code, message: message.to_owned() })
    }

    fn found(
        sql: &str,
        expected: &Result<Rows, Failure>,
        actual: &Result<Rows, Failure>,
    ) -> Option<Explained> {
        let mut oracle = Sqlite::open().unwrap();
        oracle.execute("CREATE TABLE t(a); INSERT INTO t VALUES (7)").unwrap();
        let mut engine = Sqlite::open().unwrap();
        engine.execute("CREATE TABLE t(a); CREATE VIEW fine AS SELECT a FROM t").unwrap();
        engine.execute("CREATE VIEW broken AS SELECT a FROM missing").unwrap();
        let step = Step { sql: sql.to_owned(), check: Check::Query(Order::Any) };
        let outcome = Outcome { step: &step, expected, actual, in_transaction: false };
        explanation(&outcome, &mut oracle, &mut engine)
    }

    #[test]
    fn a_view_that_can_be_used_is_not_explained() {
        let refused = failed(1, "view broken cannot reference objects in database other");
        let made = Ok(Rows::default());
        assert!(found("CREATE VIEW broken AS SELECT 1", &refused, &made).is_some());
        assert_eq!(found("CREATE VIEW fine AS SELECT 1", &refused, &made), None);
        assert_eq!(found("CREATE VIEW broken AS SELECT 1", &failed(1, "no such"), &made), None);
        assert_eq!(found("SELECT * FROM broken", &refused, &made), None);
    }

    #[test]
    fn an_orphan_is_explained_only_where_sqlite_has_one() {
        let sql = "REPLACE INTO c VALUES (41, '2.5')";
        let refused = failed(787, "FOREIGN KEY constraint failed");
        let made = Ok(Rows::default());
        let step = Step { sql: sql.to_owned(), check: Check::Change };
        let of = |in_transaction| Outcome {
            step: &step,
            expected: &made,
            actual: &refused,
            in_transaction,
        };
        let (mut oracle, mut engine) = (Sqlite::open().unwrap(), Sqlite::open().unwrap());
        let table = "PRAGMA foreign_keys = ON; CREATE TABLE c(a, b UNIQUE, FOREIGN KEY (a) \
                     REFERENCES c(b) ON DELETE SET NULL)";
        oracle.execute(table).unwrap();
        engine.execute(table).unwrap();
        assert_eq!(explanation(&of(false), &mut oracle, &mut engine), None);
        oracle.execute(sql).unwrap();
        assert!(explanation(&of(false), &mut oracle, &mut engine).is_some());
        assert!(explanation(&of(true), &mut oracle, &mut engine).is_some());
        let plain = Step { sql: "INSERT INTO c VALUES (41, '2.5')".to_owned(), ..step.clone() };
        let outcome = Outcome { step: &plain, ..of(true) };
        assert_eq!(explanation(&outcome, &mut oracle, &mut engine), None);
    }

    #[test]
    fn an_update_is_explained_only_by_what_sqlite_makes_of_it_in_order() {
        let step = |sql: &str| Step { sql: sql.to_owned(), check: Check::Change };
        let steps = [
            step("CREATE TABLE t(a, b)"),
            step("CREATE INDEX i ON t(a DESC)"),
            step("INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)"),
            step(
                "UPDATE t SET b = (SELECT count(*) FROM t q WHERE q.b = 0 AND q.a + t.a > 0) \
                 WHERE a > 0",
            ),
        ];
        let tables = ["SELECT * FROM t".to_owned()];
        let mut engine = Sqlite::open().unwrap();
        engine
            .execute("CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 3), (2, 2), (3, 1)")
            .unwrap();
        assert!(reads_what_it_changes(&steps, 3, &tables, &mut engine));
        engine.execute("UPDATE t SET b = 7 WHERE a = 3").unwrap();
        assert!(!reads_what_it_changes(&steps, 3, &tables, &mut engine));
        assert!(!reads_what_it_changes(&steps, 2, &tables, &mut engine));
    }

    #[test]
    fn an_update_under_a_collate_is_explained_by_all_rows_that_were_there() {
        let step = |sql: &str| Step { sql: sql.to_owned(), check: Check::Change };
        let steps = [
            step("CREATE TABLE t(a)"),
            step("INSERT INTO t VALUES (1), (2), (3), (4), (5)"),
            step(
                "UPDATE t SET a = 0 WHERE (SELECT sum(q.a) FROM t q WHERE q.a + t.a * 0 >= 0) \
                 COLLATE BINARY > 10",
            ),
        ];
        let tables = ["SELECT * FROM t".to_owned()];
        let mut engine = Sqlite::open().unwrap();
        engine.execute("CREATE TABLE t(a); INSERT INTO t VALUES (0), (0), (0), (0), (0)").unwrap();
        assert!(reads_what_it_changes(&steps, 2, &tables, &mut engine));
        engine.execute("UPDATE t SET a = 7 WHERE rowid = 2").unwrap();
        assert!(!reads_what_it_changes(&steps, 2, &tables, &mut engine));
    }

    #[test]
    fn compounds_are_limited_where_they_stand() {
        for (sql, limited) in [
            (
                "SELECT 1 FROM (SELECT ' UNION ' UNION SELECT (2)) a",
                "SELECT 1 FROM (SELECT ' UNION ' UNION SELECT (2) LIMIT -1) a",
            ),
            ("SELECT (1) UNION SELECT 2", "SELECT (1) UNION SELECT 2"),
            ("(SELECT 1 EXCEPT SELECT 2 LIMIT 3)", "(SELECT 1 EXCEPT SELECT 2 LIMIT 3)"),
        ] {
            assert_eq!(with_limits(sql), limited);
        }
    }

    #[test]
    fn a_condition_of_a_compound_is_explained_only_by_what_sqlite_says_of_it() {
        let sql = "SELECT 1 FROM (SELECT '' x FROM t EXCEPT SELECT CAST(a AS TEXT) FROM t) \
                   WHERE -7 >= x";
        let none = Ok(Rows { columns: 1, rows: Vec::new() });
        assert!(found(sql, &none, &one(1)).is_some());
        assert_eq!(found(sql, &none, &one(2)), None);
        assert_eq!(found("SELECT 1 FROM t WHERE a = 1", &none, &one(1)), None);
    }

    #[test]
    fn an_argument_that_fails_is_explained_only_where_there_is_no_row() {
        let sql = "SELECT 1 FROM t JOIN json_tree(json_object('k', x'00')) j";
        let failure = failed(1, "JSON cannot hold BLOB values");
        let none = Ok(Rows { columns: 1, rows: Vec::new() });
        assert!(found(sql, &none, &failure).is_some());
        assert_eq!(found(sql, &one(1), &failure), None);
        assert_eq!(found(sql, &none, &failed(1, "no such column: a")), None);
        assert_eq!(found("SELECT json(x'00') FROM t", &none, &failure), None);
    }

    #[test]
    fn a_forgotten_name_is_explained_and_no_other_error() {
        let sql = "SELECT count(*) FROM t WHERE 1 IS NULL AND t.b = 1";
        let missing = failed(1, "no such column: t.b");
        assert!(found(sql, &one(0), &missing).is_some());
        // The name is there; another name is missed; other rows; another error.
        assert_eq!(found(&sql.replace("t.b", "t.a"), &one(0), &missing), None);
        assert_eq!(found(sql, &one(0), &failed(1, "no such column: t.a")), None);
        assert_eq!(found(sql, &one(0), &one(1)), None);
        assert_eq!(found(sql, &one(0), &failed(1, "no such table: t")), None);
        let plain = "SELECT count(*) FROM t WHERE t.a IS NULL AND t.a = 1";
        assert_eq!(found(plain, &one(0), &failed(1, "no such column: t.a")), None);
        assert_eq!(found("SELECT 1 AND 2", &one(1), &failed(1, "no such column: t.a")), None);
    }

    #[test]
    fn a_constant_group_is_explained_only_with_the_right_rows() {
        let sql = "SELECT count(*) FROM t GROUP BY (1 IS NULL)";
        let refused = failed(1, "1st GROUP BY term out of range - should be between 1 and 1");
        assert!(found(sql, &refused, &one(1)).is_some());
        assert_eq!(found(sql, &refused, &one(2)), None);
        assert_eq!(found("SELECT count(*) FROM t GROUP BY 5", &refused, &one(1)), None);
        assert_eq!(found(sql, &failed(1, "no such column: b"), &one(1)), None);
    }

    #[test]
    fn one_of_equal_values_may_be_another_and_no_other_may_be_missing() {
        let sql = "SELECT a FROM t UNION SELECT DISTINCT a FROM t";
        let text = |text: &str| vec![Value::Text(text.as_bytes().to_vec())];
        let rows = |rows: Vec<Vec<Value>>| Ok(Rows { columns: 1, rows });
        let (short, long) = (rows(vec![text("A")]), rows(vec![text("A"), text("a")]));
        assert!(found(sql, &short, &long).is_some());
        assert_eq!(found("SELECT DISTINCT a FROM t", &short, &long), None);
        assert_eq!(found("SELECT a FROM t UNION SELECT a FROM t", &short, &long), None);
        assert_eq!(found(sql, &short, &rows(vec![text("A"), text("b")])), None);
        assert_eq!(found(sql, &short, &rows(Vec::new())), None);
    }

    #[test]
    fn a_whole_number_of_a_compound_may_be_a_real_and_nothing_else() {
        let text = |text: &str| {
            Ok(Rows { columns: 1, rows: vec![vec![Value::Text(text.as_bytes().to_vec())]] })
        };
        let sql = "SELECT typeof(c) FROM (SELECT 1 c UNION SELECT 2)";
        let explained = Some(Explained::GoesOn("a whole number in a compound's REAL column"));
        assert_eq!(found(sql, &text("real"), &text("integer")), explained);
        assert_eq!(found(sql, &text("real"), &text("text")), None);
        assert_eq!(found("SELECT typeof(a) FROM t", &text("real"), &text("integer")), None);
    }

    #[test]
    fn any_of_several_rows_is_explained_only_where_sqlite_takes_another() {
        let step = |sql: &str| Step { sql: sql.to_owned(), check: Check::Change };
        let tables = ["SELECT * FROM t".to_owned()];
        let is_explained = |last: &str| {
            let first = step("CREATE TABLE t(a, b)");
            let steps = [first, step("INSERT INTO t VALUES (1, 5), (2, 6)"), step(last)];
            takes_any_row(&steps, 2, &tables)
        };
        assert!(is_explained("UPDATE t SET a = (SELECT b FROM t)"));
        assert!(!is_explained("UPDATE t SET a = (SELECT max(b) FROM t)"));
        assert!(!is_explained("UPDATE t SET a = 7"));
    }

    #[test]
    fn a_wrong_answer_about_existence_is_not_explained() {
        let sql = "SELECT count(*) FROM t WHERE EXISTS (SELECT 1 FROM t AS q)";
        assert_eq!(found(sql, &one(1), &one(2)), None);
        assert_eq!(found(sql, &one(1), &one(1)), None);
        // Had SQLite been wrong, its other form would have been asked.
        assert!(found(sql, &one(2), &one(1)).is_some());
        assert_eq!(found("SELECT count(*) FROM t", &one(2), &one(1)), None);
    }

    #[test]
    fn a_type_check_is_explained_only_where_nothing_changed() {
        let refused = failed(3091, "cannot store TEXT value in INT column t.a");
        let step = Step { sql: "INSERT INTO t VALUES (1), ('x')".to_owned(), check: Check::Change };
        let mut outcome =
            Outcome { step: &step, expected: &refused, actual: &refused, in_transaction: true };
        let state = |text: &str| State { tables: vec![text.to_owned()] };
        let (before, other) = (state("7"), state("7; 1"));
        assert!(keeps_rows_before_a_type_check(&outcome, Some(&before), &before));
        assert!(!keeps_rows_before_a_type_check(&outcome, Some(&before), &other));
        assert!(!keeps_rows_before_a_type_check(&outcome, None, &before));
        outcome.in_transaction = false;
        assert!(!keeps_rows_before_a_type_check(&outcome, Some(&before), &before));
        outcome.in_transaction = true;
        let fine = one(1);
        outcome.actual = &fine;
        assert!(!keeps_rows_before_a_type_check(&outcome, Some(&before), &before));
    }

    #[test]
    fn only_constraints_of_chosen_rows_may_be_others() {
        let failure = |code| Failure { code, message: String::new() };
        let (unique, check, error) = (failure(2067), failure(275), failure(1));
        assert!(fails_at_another_row("UPDATE t SET a = 1", &unique, &check));
        assert!(fails_at_another_row("INSERT INTO t SELECT 1", &unique, &check));
        assert!(!fails_at_another_row("INSERT INTO t VALUES (1)", &unique, &check));
        assert!(!fails_at_another_row("UPDATE t SET a = 1", &unique, &error));
        assert!(!fails_at_another_row("UPDATE t SET a = 1", &error, &check));
    }
}

// Neighbours: `compare`, `script`.
