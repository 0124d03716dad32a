//! Running a script on both engines, statement by statement.
//!
//! Compared are the rows of each statement, the kind of its error, how many rows a change
//! changed, and what all tables hold after it; at the end, `integrity_check`. Some statements
//! are also compared with themselves in another form, on the engine alone. Neighbours:
//! `script`, `shrink` (which runs scripts again and again).

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

/// The first difference of a script.
pub(super) fn run(
    steps: &[Step],
    kind: Kind,
    findings: &mut Findings,
    announced: bool,
) -> Option<Difference> {
    let broken = |failure: Failure| Difference {
        step: 0,
        cause: cause_of(&failure.message),
        detail: failure.to_string(),
    };
    let mut oracle = match Sqlite::open() {
        Ok(oracle) => oracle,
        Err(failure) => return Some(broken(failure)),
    };
    let mut engine = match kind.open() {
        Ok(engine) => engine,
        Err(failure) => return Some(broken(failure)),
    };
    let tables = tables(steps);
    for (at, step) in steps.iter().enumerate() {
        if announced {
            announce(&step.sql);
        }
        findings.count("statements");
        match one(step, engine.as_mut(), &mut oracle, &tables, findings) {
            Ok(true) => {}
            // From here on the two hold different rows, as documented.
            Ok(false) => return None,
            Err((cause, detail)) => return Some(Difference { step: at, cause, detail }),
        }
    }
    let check = "PRAGMA integrity_check";
    let both = (execute(&mut oracle, check), execute(engine.as_mut(), check));
    let last = steps.len().saturating_sub(1);
    same(&both.0, &both.1, Order::Any, false, findings).err().map(|(cause, detail)| Difference {
        step: last,
        cause: format!("{check}: {cause}"),
        detail,
    })
}

type Verdict = Result<(), (String, String)>;

fn one(
    step: &Step,
    engine: &mut dyn Engine,
    oracle: &mut Sqlite,
    tables: &[(String, bool)],
    findings: &mut Findings,
) -> Result<bool, (String, String)> {
    let in_transaction = oracle.is_in_transaction();
    let expected = oracle.execute(&step.sql);
    let actual = execute(engine, &step.sql);
    let loose = is_loose(&step.sql);
    let order = if let Check::Query(order) = step.check { order } else { Order::Any };
    if is_explained(&step.sql, &expected, &actual) {
        findings.count("explained differences");
        return Ok(false);
    }
    let may_reorder = ["UPDATE", "DELETE"].iter().any(|word| step.sql.starts_with(word))
        || step.sql.contains(" SELECT ");
    compared(&expected, &actual, order, loose, may_reorder, findings)?;
    match &step.check {
        // Inside of a transaction SQLite keeps the rows before one that STRICT refuses.
        Check::Change
            if in_transaction
                && expected.as_ref().is_err_and(|it| it.message.contains("cannot store ")) =>
        {
            return Ok(false);
        }
        Check::Change => {
            for sql in observations(&step.sql, tables) {
                let both = (oracle.execute(&sql), execute(engine, &sql));
                same(&both.0, &both.1, Order::Any, false, findings).map_err(
                    |(cause, detail)| {
                        let word = step.sql.split(' ').next().unwrap_or("");
                        let failed = expected.as_ref().err();
                        let failed = failed.map_or(String::new(), |failure| {
                            format!(" that failed ({})", cause_of(&failure.message))
                        });
                        (format!("after {word}{failed}: {cause}"), format!("{sql}\n{detail}"))
                    },
                )?;
            }
        }
        Check::Query(_) => {}
        Check::Partition(parts) => {
            // An aggregate of an outer column makes a query another one: SQLite knows.
            let valid = agree(&expected, &together(oracle, parts), loose, "", "").is_ok();
            if valid {
                let rows = together(engine, parts);
                agree(&actual, &rows, loose, "the parts of a query", &parts.join("\n"))?;
                findings.count("self-checks");
            }
        }
        Check::Same(other) => {
            if agree(&expected, &oracle.execute(other), loose, "", "").is_ok() {
                let rows = execute(engine, other);
                agree(&actual, &rows, loose, "a query in another form", other)?;
                findings.count("self-checks");
            }
        }
    }
    Ok(true)
}

/// The rows of several queries as if of one.
fn together(engine: &mut dyn Engine, parts: &[String]) -> Result<Rows, Failure> {
    let mut all = Rows::default();
    for part in parts {
        let rows = execute(engine, part)?;
        all.columns = rows.columns;
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
    same(whole, other, Order::Any, loose, &mut Findings::default())
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
fn is_loose(sql: &str) -> bool {
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

/// Differences that `docs/sqlite-differences.md` explains and that a script can run into.
fn is_explained(
    sql: &str,
    expected: &Result<Rows, Failure>,
    actual: &Result<Rows, Failure>,
) -> bool {
    if let (Ok(_), Err(failure)) = (expected, actual) {
        // SQLite forgets what stands beside a term that is false by itself, names included.
        let is_forgotten = failure.message.starts_with("no such ") && sql.contains(" AND ");
        // Which condition of several is asked first is left to the plan.
        return is_forgotten || failure.message.starts_with("JSON cannot hold BLOB");
    }
    let (Err(failure), Ok(_)) = (expected, actual) else { return false };
    // A view is looked at when it is used.
    let is_foreign = failure.message.contains("cannot reference objects in database");
    // A constant GROUP BY term that SQLite computes first and then takes for a column's number.
    let is_ordinal =
        failure.message.contains("GROUP BY term out of range") && sql.contains("GROUP BY");
    is_ordinal || is_foreign || failure.message.starts_with("JSON cannot hold BLOB")
}

fn same(
    expected: &Result<Rows, Failure>,
    actual: &Result<Rows, Failure>,
    order: Order,
    loose: bool,
    findings: &mut Findings,
) -> Verdict {
    compared(expected, actual, order, loose, false, findings)
}

fn compared(
    expected: &Result<Rows, Failure>,
    actual: &Result<Rows, Failure>,
    order: Order,
    loose: bool,
    may_reorder: bool,
    findings: &mut Findings,
) -> Verdict {
    let shown = || format!("-- SQLite: {}\n-- here:   {}", show(expected), show(actual));
    match (expected, actual) {
        (_, Err(failure)) if failure.message.starts_with("panic") => {
            Err((cause_of(&failure.message), shown()))
        }
        (Err(expected), Err(actual)) => {
            findings.count("errors on both sides");
            let both_constraints = expected.code & 0xff == 19 && actual.code & 0xff == 19;
            // Which of several rows fails first is left to the plan.
            if expected.class() == actual.class() || (both_constraints && may_reorder) {
                return Ok(());
            }
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

fn rows_agree(expected: &Rows, actual: &Rows, order: Order, loose: bool) -> bool {
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

/// A row as text; where `loose`, what compares as equal is the same text.
fn canonical(row: &[Value], loose: bool) -> String {
    let value = |value: &Value| match value {
        Value::Real(0.0) if loose => format!("{:.9e}", 0.0),
        Value::Real(real) if loose => format!("{real:.9e}"),
        // Twelve digits: sums may be taken in another order.
        Value::Real(real) => format!("{real:.11e}"),
        Value::Integer(integer) if loose => format!("{:.9e}", *integer as f64),
        Value::Text(_) if loose => value.to_string().to_lowercase().replace(' ', ""),
        other => other.to_string(),
    };
    row.iter().map(value).collect::<Vec<_>>().join(", ")
}

fn show(result: &Result<Rows, Failure>) -> String {
    match result {
        Err(failure) => format!("error: {failure}"),
        Ok(rows) => {
            let mut lines: Vec<String> = rows
                .rows
                .iter()
                .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
                .collect();
            lines.sort_unstable();
            let shown = lines.iter().take(12).map(String::as_str).collect::<Vec<_>>().join("; ");
            format!("{} rows: {shown}", lines.len())
        }
    }
}
