//! Rules about what a name means where several databases have it.
//!
//! Neighbours: `mod`, which asks here; `places` makes such scripts.

use super::Outcome;
use crate::engine::{Engine, Failure, Rows, Sqlite, execute};

/// The rule that explains a difference, if one does: the two are not the same from there on.
pub(super) fn explanation(
    outcome: &Outcome<'_>,
    oracle: &mut Sqlite,
    engine: &mut dyn Engine,
) -> Option<&'static str> {
    if looks_for_names(outcome) {
        return Some("a database in which a transaction has looked for names");
    }
    if looks_up_again(outcome, oracle) {
        return Some("a temporary trigger that SQLite looks up again");
    }
    if keeps_what_a_deep_trigger_did(outcome) {
        return Some("rows of triggers nested too deep");
    }
    let words: Vec<&str> = outcome.step.sql.split(' ').collect();
    let ["ALTER", "TABLE", table, kind, ..] = words.as_slice() else { return None };
    if finds_what_is_temporary(outcome, oracle) {
        return Some("a trigger that SQLite binds by a temporary table");
    }
    if *kind != "RENAME" {
        return None;
    }
    if takes_for_another(outcome, oracle, table) {
        return Some("a rename that SQLite refuses for a table of the same name");
    }
    let reaches = reaches_a_temporary_trigger(outcome, oracle, engine, table);
    reaches.then_some("a rename that reaches a temporary table's trigger")
}

/// "A transaction that has looked for a name in a database holds it": SQLite lets go of it.
fn looks_for_names(outcome: &Outcome<'_>) -> bool {
    let is_held = |failure: &Failure| failure.message.ends_with("is locked");
    outcome.step.sql.starts_with("DETACH")
        && outcome.in_transaction
        && outcome.expected.is_ok()
        && outcome.actual.as_ref().is_err_and(is_held)
}

/// "A temporary trigger stays with the table of the database in which it was found": SQLite looks
/// for it again whenever it reads the schema anew.
fn looks_up_again(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    const SEVERAL: &str = "SELECT 1 FROM temp.sqlite_schema AS t WHERE t.type = 'trigger' AND 1 < \
        (SELECT count(*) FROM (SELECT name FROM main.sqlite_schema UNION ALL SELECT name FROM \
        temp.sqlite_schema UNION ALL SELECT name FROM other.sqlite_schema) AS s WHERE s.name = \
        t.tbl_name)";
    let sql = &outcome.step.sql;
    let is_misled = |failure: &Failure| failure.message.starts_with("error in trigger ");
    ["ALTER ", "ROLLBACK"].iter().any(|word| sql.starts_with(word))
        && outcome.expected.as_ref().map_or_else(is_misled, |_| true)
        && outcome.actual.is_ok()
        && oracle.execute(SEVERAL).is_ok_and(|found| !found.rows.is_empty())
}

/// "A statement that fails takes its own rows back": SQLite keeps those of OR IGNORE and the like
/// where it opened no statement journal.
fn keeps_what_a_deep_trigger_did(outcome: &Outcome<'_>) -> bool {
    let is_deep =
        |failure: &Failure| failure.message.contains("too many levels of trigger recursion");
    outcome.in_transaction
        && outcome.step.sql.contains(" OR ")
        && outcome.expected.as_ref().is_err_and(is_deep)
        && outcome.actual.is_err()
}

/// "ALTER TABLE is refused where a trigger is broken": SQLite overlooks it where a temporary table
/// has the name of the trigger's.
fn finds_what_is_temporary(outcome: &Outcome<'_>, oracle: &mut Sqlite) -> bool {
    const SHADOWED: &str = "SELECT 1 FROM temp.sqlite_schema AS t WHERE t.type = 'table' AND \
        t.name IN (SELECT tbl_name FROM main.sqlite_schema WHERE type = 'trigger' UNION SELECT \
        tbl_name FROM other.sqlite_schema WHERE type = 'trigger')";
    let is_broken = |failure: &Failure| failure.message.starts_with("error in trigger ");
    outcome.expected.is_ok()
        && outcome.actual.as_ref().is_err_and(is_broken)
        && oracle.execute(SHADOWED).is_ok_and(|found| !found.rows.is_empty())
}

/// "Renaming goes through where SQLite refuses it": for a temporary table, or one whose name a
/// temporary table has, too.
fn takes_for_another(outcome: &Outcome<'_>, oracle: &mut Sqlite, table: &str) -> bool {
    outcome.actual.is_ok()
        && outcome.expected.as_ref().is_err_and(|it| it.message.starts_with("error in "))
        && is_temporary(oracle, table)
}

/// "Renaming leaves alone what triggers say of a temporary table of its name"; SQLite takes the one
/// for the other.
fn reaches_a_temporary_trigger(
    outcome: &Outcome<'_>,
    oracle: &mut Sqlite,
    engine: &mut dyn Engine,
    table: &str,
) -> bool {
    const TRIGGERS: &str = "SELECT name, sql FROM temp.sqlite_schema WHERE type = 'trigger' UNION \
        ALL SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' ORDER BY 1, 2";
    let is_other = table.starts_with("main.") || table.starts_with("other.");
    let same = |left: &Rows, right: &Rows| left.rows == right.rows;
    outcome.expected.is_ok()
        && outcome.actual.is_ok()
        && is_other
        && is_temporary(oracle, table)
        && match (oracle.execute(TRIGGERS), execute(engine, TRIGGERS)) {
            (Ok(theirs), Ok(own)) => !same(&theirs, &own),
            _ => false,
        }
}

/// Whether there is a temporary table or view of that name.
fn is_temporary(oracle: &mut Sqlite, table: &str) -> bool {
    let name = table.rsplit('.').next().unwrap_or(table);
    let asked = format!("SELECT 1 FROM temp.sqlite_schema WHERE name = '{name}'");
    oracle.execute(&asked).is_ok_and(|found| !found.rows.is_empty())
}
