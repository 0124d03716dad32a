//! Scripts that differed once: each must do the same on both engines, statement by statement.
//!
//! `cases/*.sql` hold a statement a line; a blank line ends a case, which begins with a comment
//! that says what it is about. Compared are rows in their order, with the types of their values,
//! what columns are called, and errors by their code; where a line is followed by `-- error`, by
//! the message, too. Neighbours: `random` finds such scripts, `engine` runs them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail so")]

use std::path::Path;

use crate::engine::{Engine, Failure, Kind, Rows, execute};

/// The lines of a case behind its comment.
struct Case {
    name: String,
    statements: Vec<String>,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in text.split("\n\n") {
        let lines = block.lines().map(str::trim).filter(|line| !line.is_empty());
        let (comments, statements): (Vec<&str>, Vec<&str>) =
            lines.partition(|line| line.starts_with("--"));
        if !statements.is_empty() {
            let statements = statements.into_iter().map(str::to_owned).collect();
            cases.push(Case { name: comments.join(" "), statements });
        }
    }
    cases
}

fn shown(result: &Result<Rows, Failure>, with_message: bool) -> String {
    match result {
        Ok(rows) => {
            let names = &rows.names;
            let row = |row: &Vec<_>| row.iter().map(ToString::to_string).collect::<Vec<_>>();
            let rows: Vec<String> = rows.rows.iter().map(|it| row(it).join(", ")).collect();
            // A PRAGMA that changes something has columns here, and none there.
            let names = if rows.is_empty() { String::new() } else { names.join(", ") };
            format!("[{names}] {}", rows.join("; "))
        }
        Err(failure) if with_message => format!("error: {}", failure.message),
        Err(failure) => format!("error of class {}", failure.class()),
    }
}

/// What the two engines do differently in a case.
fn difference(case: &Case) -> Option<String> {
    let mut engine: Box<dyn Engine> = Kind::Pandodb.open().unwrap();
    let mut oracle = Kind::Sqlite.open().unwrap();
    for statement in &case.statements {
        let with_message = statement.ends_with("-- error");
        let (expected, actual) =
            (execute(oracle.as_mut(), statement), execute(engine.as_mut(), statement));
        let (left, right) = (shown(&expected, with_message), shown(&actual, with_message));
        if left != right {
            let name = &case.name;
            let told = format!("{expected:?}\n         {actual:?}");
            return Some(format!(
                "{name}\n{statement}\n  SQLite: {left}\n  here:   {right}\n  {told}"
            ));
        }
    }
    None
}

#[test]
fn scripts_that_differed_once_do_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut differences = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let cases = cases(&text);
        count += cases.len();
        differences.extend(cases.iter().filter_map(difference));
    }
    assert!(count >= 10, "{count} cases");
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
