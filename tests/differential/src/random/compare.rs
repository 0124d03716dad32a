//! Running a script on both engines, statement by statement.
//!
//! Compared are the rows of each statement, the kind of its error, how many rows a change
//! changed, and what all tables hold after it; at the end, `integrity_check`. Some statements
//! are also compared with themselves in another form, on the engine alone. Neighbours:
//! `script`, `explained` (differences that are documented), `shrink` (which runs scripts again
//! and again).

use super::explained::{self, Explained, Outcome, Replay};
use super::script::{Check, Order, Step, tables};
use crate::engine::{Engine, Failure, Kind, Rows, Sqlite, Value, execute};
use crate::report::{Findings, announce, cause_of};

/// Where two engines differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// The statement.
    pub(super) step: usize,
    /// What it has in common with other differences.
    pub(super) cause: String,
    /// What each engine did.
    pub(super) detail: String,
}

/// What the engine's tables held after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// The rows of each, as text.
    pub(super) tables: Vec<String>,
}

/// Both engines, on the way through a script.
struct Pair<'f> {
    engine: Box<dyn Engine>,
    oracle: Sqlite,
    /// The script's tables, and whether they have a rowid.
    tables: Vec<(String, bool)>,
    /// What the engine held after the last change.
    state: Option<State>,
    findings: &'f mut Findings,
}

/// The first difference of a script.
pub(super) fn run(
    steps: &[Step],
    kind: Kind,
    findings: &mut Findings,
    announced: bool,
) -> Option<Difference> {
    let opened = Sqlite::open().and_then(|oracle| Ok((oracle, kind.open()?)));
    let (oracle, engine) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            let (cause, detail) = (cause_of(&failure.message), failure.to_string());
            return Some(Difference { step: 0, cause, detail });
        }
    };
    let mut pair = Pair { engine, oracle, tables: tables(steps), state: None, findings };
    for (at, step) in steps.iter().enumerate() {
        if announced {
            announce(&step.sql);
        }
        pair.findings.count("statements");
        match pair.step(step) {
            Ok(true) => {}
            // From here on the two hold different rows, as documented.
            Ok(false) => return None,
            Err((cause, detail)) => {
                let tables = observations("", &pair.tables).split_off(1);
                let (before, engine) = (&steps[..at], pair.engine.as_mut());
                let mut replay = Replay { before, step, tables: &tables, engine };
                if let Some(rule) = replay.explanation() {
                    pair.findings.count(&format!("explained: {rule}"));
                    if matches!(step.check, Check::Change) {
                        return None;
                    }
                    // A query changes nothing: the two go on.
                    continue;
                }
                return Some(Difference { step: at, cause, detail });
            }
        }
    }
    let last = steps.len().saturating_sub(1);
    LAST.iter().find_map(|check| {
        let both = (execute(&mut pair.oracle, check), execute(pair.engine.as_mut(), check));
        verdict(&both.0, &both.1, Order::Any, false).err().map(|(cause, detail)| Difference {
            step: last,
            cause: format!("{check}: {cause}"),
            detail,
        })
    })
}

/// What is asked at the end of a script.
const LAST: &[&str] = &[
    "PRAGMA integrity_check",
    "PRAGMA foreign_key_check",
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'",
];

type Verdict = Result<(), (String, String)>;

impl Pair<'_> {
    /// Runs a statement on both; whether the two are still the same.
    fn step(&mut self, step: &Step) -> Result<bool, (String, String)> {
        let in_transaction = self.oracle.is_in_transaction();
        let expected = self.oracle.execute(&step.sql);
        let actual = execute(self.engine.as_mut(), &step.sql);
        if expected.is_err() && actual.is_err() {
            self.findings.count("errors on both sides");
        }
        let loose = is_loose(&step.sql);
        let order = if let Check::Query(order) = step.check { order } else { Order::Any };
        let outcome = Outcome { step, expected: &expected, actual: &actual, in_transaction };
        if let Some(explained) =
            explained::explanation(&outcome, &mut self.oracle, self.engine.as_mut())
        {
            let (Explained::GoesOn(rule) | Explained::Ends(rule)) = explained;
            self.findings.count(&format!("explained: {rule}"));
            return Ok(matches!(explained, Explained::GoesOn(_)));
        }
        if let (Err(left), Err(right)) = (&expected, &actual)
            && left.class() != right.class()
            && explained::fails_at_another_row(&step.sql, left, right)
        {
            self.findings.count("explained: another constraint of another row");
        } else {
            verdict(&expected, &actual, order, loose)?;
        }
        match &step.check {
            Check::Change => return self.contents(&outcome),
            Check::Query(_) => {}
            Check::Partition(parts) => {
                // An aggregate of an outer column makes a query another one: SQLite knows.
                let whole = together(&mut self.oracle, parts);
                if agree(&expected, &whole, loose, "", "").is_ok() {
                    let rows = together(self.engine.as_mut(), parts);
                    agree(&actual, &rows, loose, "the parts of a query", &parts.join("\n"))?;
                    self.findings.count("self-checks");
                }
            }
            Check::Same(other) => {
                if agree(&expected, &self.oracle.execute(other), loose, "", "").is_ok() {
                    let rows = execute(self.engine.as_mut(), other);
                    agree(&actual, &rows, loose, "a query in another form", other)?;
                    self.findings.count("self-checks");
                }
            }
        }
        Ok(true)
    }

    /// Compares what all tables hold after a change, and how much it changed.
    fn contents(&mut self, outcome: &Outcome<'_>) -> Result<bool, (String, String)> {
        let sql = &outcome.step.sql;
        let asked = observations(sql, &self.tables);
        let answers: Vec<_> = asked
            .iter()
            .map(|sql| (self.oracle.execute(sql), execute(self.engine.as_mut(), sql)))
            .collect();
        let tables = answers[answers.len() - self.tables.len()..].iter();
        let state = State { tables: tables.map(|(_, rows)| show(rows, usize::MAX)).collect() };
        let before = self.state.replace(state);
        if let Some(now) = &self.state
            && let Some(rule) = explained::keeps_rows_of_a_failure(outcome, before.as_ref(), now)
            && answers.iter().any(|(left, right)| verdict(left, right, Order::Any, false).is_err())
        {
            self.findings.count(&format!("explained: {rule}"));
            return Ok(false);
        }
        let differs = |(left, right): &(Result<Rows, Failure>, Result<Rows, Failure>)| {
            verdict(left, right, Order::Any, false).is_err()
        };
        if explained::fails_after_other_rows(outcome)
            && differs(&answers[0])
            && !answers[1..].iter().any(differs)
        {
            self.findings.count("explained: another row fails first");
            return Ok(false);
        }
        for (asked, (left, right)) in asked.iter().zip(&answers) {
            verdict(left, right, Order::Any, false).map_err(|(cause, detail)| {
                let word = sql.split(' ').next().unwrap_or("");
                let failed = outcome.expected.as_ref().err();
                let failed = failed.map_or(String::new(), |failure| {
                    format!(" that failed ({})", cause_of(&failure.message))
                });
                (format!("after {word}{failed}: {cause}"), format!("{asked}\n{detail}"))
            })?;
        }
        Ok(true)
    }
}

/// The rows of several queries as if of one.
fn together(engine: &mut dyn Engine, parts: &[String]) -> Result<Rows, Failure> {
    let mut all = Rows::default();
    for part in parts {
        let rows = execute(engine, part)?;
        all.names = rows.names;
        all.rows.extend(rows.rows);
    }
    Ok(all)
}

fn agree(
    whole: &Result<Rows, Failure>,
    other: &Result<Rows, Failure>,
    loose: bool,
    what: &str,
    sql: &str,
) -> Verdict {
    let (Ok(_), Ok(_)) = (whole, other) else { return Ok(()) };
    verdict(whole, other, Order::Any, loose)
        .map_err(|(cause, detail)| (format!("{what}: {cause}"), format!("{sql}\n{detail}")))
}

/// What to ask after a change.
fn observations(sql: &str, tables: &[(String, bool)]) -> Vec<String> {
    let mut asked = vec!["SELECT changes(), total_changes()".to_owned()];
    if sql.starts_with("INSERT") {
        asked.push("SELECT last_insert_rowid()".to_owned());
    }
    for (name, rowid) in tables {
        let rowid = if *rowid { "rowid, " } else { "" };
        asked.push(format!("SELECT {rowid}* FROM {name}"));
    }
    asked
}

/// Whether which of several equal values comes out is left open.
pub(super) fn is_loose(sql: &str) -> bool {
    const OPEN: &[&str] = &[
        "DISTINCT",
        "GROUP BY",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "min(",
        "max(",
        "LIMIT",
        "OVER",
        "RETURNING",
    ];
    OPEN.iter().any(|word| sql.contains(word))
}

fn verdict(
    expected: &Result<Rows, Failure>,
    actual: &Result<Rows, Failure>,
    order: Order,
    loose: bool,
) -> Verdict {
    let shown = || format!("-- SQLite: {}\n-- here:   {}", show(expected, 12), show(actual, 12));
    match (expected, actual) {
        (_, Err(failure)) if failure.message.starts_with("panic") => {
            Err((cause_of(&failure.message), shown()))
        }
        (Err(expected), Err(actual)) if expected.class() == actual.class() => Ok(()),
        (Err(expected), Err(actual)) => {
            let (left, right) = (cause_of(&expected.message), cause_of(&actual.message));
            Err((format!("another kind of error: {left} / {right}"), shown()))
        }
        (Ok(_), Err(failure)) => Err((cause_of(&failure.message), shown())),
        (Err(failure), Ok(_)) => {
            Err((format!("no error: {}", cause_of(&failure.message)), shown()))
        }
        (Ok(expected), Ok(actual)) => {
            if rows_agree(expected, actual, order, loose) {
                Ok(())
            } else {
                Err(("other rows".to_owned(), shown()))
            }
        }
    }
}

/// Whether rows are the same, as far as their order means something.
pub(super) fn rows_agree(expected: &Rows, actual: &Rows, order: Order, loose: bool) -> bool {
    if expected.rows.len() != actual.rows.len() {
        return false;
    }
    let in_order = || {
        let mut pairs = expected.rows.iter().zip(&actual.rows);
        pairs.all(|(left, right)| canonical(left, true) == canonical(right, true))
    };
    if order == Order::Limited {
        return in_order();
    }
    let sorted = |rows: &Rows| {
        let mut rows: Vec<String> = rows.rows.iter().map(|row| canonical(row, loose)).collect();
        rows.sort_unstable();
        rows
    };
    sorted(expected) == sorted(actual) && (order == Order::Any || in_order())
}

/// A row as text; where `loose`, what compares as equal under some collation is the same text.
/// Reals agree when twelve digits do: sums may be taken in another order.
fn canonical(row: &[Value], loose: bool) -> String {
    let value = |value: &Value| match value {
        Value::Real(0.0) if loose => format!("{:.11e}", 0.0),
        Value::Real(real) => format!("{real:.11e}"),
        Value::Integer(integer) if loose => format!("{:.11e}", *integer as f64),
        // NOCASE and RTRIM; a blank may stand in front of the quote that `quote()` adds.
        Value::Text(_) if loose => value.to_string().to_ascii_lowercase().replace(" '", "'"),
        other => other.to_string(),
    };
    row.iter().map(value).collect::<Vec<_>>().join(", ")
}

fn show(result: &Result<Rows, Failure>, most: usize) -> String {
    match result {
        Err(failure) => format!("error: {failure}"),
        Ok(rows) => {
            let mut lines: Vec<String> = rows
                .rows
                .iter()
                .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
                .collect();
            lines.sort_unstable();
            let shown = lines.iter().take(most).map(String::as_str).collect::<Vec<_>>().join("; ");
            format!("{} rows: {shown}", lines.len())
        }
    }
}

// Neighbours: `explained`, `script`, `shrink`.
