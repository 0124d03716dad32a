//! Differences that `docs/sqlite-differences.md` explains and that a script can run into.
//!
//! Each rule names its section there and asks for everything that the section says; where SQLite
//! itself can say whether a rule applies, it is asked. A rule that only looked at the words of an
//! error would swallow wrong results. Neighbours: `replayed` plays scripts again; `compare` asks
//! here before it compares, and there where the two differ.

mod names;
mod replayed;
mod spelled;

use super::compare::{State, rows_agree};
use super::script::{Check, Order, Step};
use crate::engine::{Engine, Failure, Rows, Sqlite, execute};

pub(super) use replayed::Replay;
use spelled::{ordered_by_values, spelled_out, with_limits, without_conditions};

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
    if is_refused_when_used(outcome, engine) {
        return Some(Explained::Ends("a view of another database"));
    }
    if lets_an_orphan_in(outcome, oracle, engine) {
        return Some(Explained::Ends("a key without parent that SQLite lets in"));
    }
    if let Some(rule) = names::explanation(outcome, oracle, engine) {
        return Some(Explained::Ends(rule));
    }
    if fails_before_there_are_rows(outcome, oracle) {
        return Some(Explained::GoesOn("an argument that is computed first"));
    }
    if fails_for_a_row_that_is_left_out(outcome, oracle) {
        return Some(Explained::GoesOn("a value of a row that is left out"));
    }
    if contradicts_itself(outcome, oracle) {
        return Some(Explained::GoesOn("EXISTS that SQLite joins"));
    }
    if asks_parts_of_a_compound(outcome, oracle) {
        return Some(Explained::GoesOn("a condition that SQLite asks of a compound's parts"));
    }
    if takes_a_merge_for_an_order(outcome, oracle) {
        return Some(Explained::GoesOn("a compound's order that SQLite takes for another"));
    }
    None
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
/// where the tables beside it turn out to give no row, or where SQLite fails as the engine does
/// once no condition leaves a row out.
fn fails_before_there_are_rows(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    const FAILURES: &[&str] = &["JSON cannot hold BLOB values", "malformed JSON"];
    let (Ok(expected), Err(failure)) = (outcome.expected, outcome.actual) else { return false };
    let (Check::Query(_), sql) = (&outcome.step.check, &outcome.step.sql) else { return false };
    let is_joined = ["json_each(", "json_tree("].iter().any(|name| sql.contains(name));
    is_joined
        && FAILURES.contains(&failure.message.as_str())
        && (expected.rows.is_empty()
            || oracle
                .execute(&without_conditions(sql))
                .is_err_and(|other| other.message == failure.message))
}

/// "Whether the values of a row that LIMIT or OFFSET leaves out are computed is left to the plan":
/// SQLite computes none of them where it finds its rows in order, and without the LIMIT fails as
/// the engine does.
fn fails_for_a_row_that_is_left_out(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let (Ok(_), Err(failure)) = (outcome.expected, outcome.actual) else { return false };
    let Check::Query(Order::Limited) = outcome.step.check else { return false };
    let Some((whole, _)) = outcome.step.sql.rsplit_once(" LIMIT ") else { return false };
    oracle.execute(whole).is_err_and(|other| other.message == failure.message)
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
    let order = match outcome.step.check {
        Check::Query(order) => order,
        Check::Partition(_) | Check::Same(_) => Order::Any,
        Check::Change => return false,
    };
    let sql = &outcome.step.sql;
    let spelled = with_limits(sql);
    spelled != *sql
        && !rows_agree(expected, rows, order, true)
        && oracle.execute(&spelled).is_ok_and(|other| rows_agree(&other, rows, order, true))
}

/// "Where SQLite contradicts itself": the rows of a compound, merged by a collation of one of its
/// parts, are taken for ordered by a column that has none; with `+` in front of the columns SQLite
/// has the order that there is here.
fn takes_a_merge_for_an_order(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    let (Ok(expected), Ok(rows)) = (outcome.expected, outcome.actual) else { return false };
    let Check::Query(order @ (Order::Sorted | Order::Limited)) = outcome.step.check else {
        return false;
    };
    let sql = &outcome.step.sql;
    let is_compound = ["(SELECT ", " FROM "].iter().all(|word| sql.contains(word))
        && ["UNION", "INTERSECT", "EXCEPT"].iter().any(|word| sql.contains(word));
    if !is_compound || rows_agree(expected, rows, order, true) {
        return false;
    }
    let spelled = ordered_by_values(sql, rows.names.len());
    spelled.is_some_and(|spelled| {
        oracle.execute(&spelled).is_ok_and(|other| rows_agree(&other, rows, order, true))
    })
}

/// "A statement that fails a type check of a STRICT table inside of a transaction", and "so does
/// one whose triggers nest too deep": SQLite keeps the rows before the one that is refused, here
/// all tables are as they were.
pub(super) fn keeps_rows_of_a_failure(
    outcome: &Outcome<'_>,
    before: Option<&State>,
    now: &State,
) -> Option<&'static str> {
    let (Err(expected), Err(actual)) = (outcome.expected, outcome.actual) else { return None };
    let is_taken_back = outcome.in_transaction
        && actual.message == expected.message
        && before.is_some_and(|before| before.tables == now.tables);
    if !is_taken_back {
        return None;
    }
    if expected.message.starts_with("cannot store ") {
        return Some("rows before one that STRICT refuses");
    }
    let is_deep = expected.message.starts_with("too many levels of trigger recursion");
    is_deep.then_some("rows of triggers nested too deep")
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

#[cfg(test)]
mod tests;

// Neighbours: `compare`, `script`.
