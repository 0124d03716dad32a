//! `.sqltest` files: each test that SQLite passes, the engine must pass.
//!
//! A test runs on SQLite first, in the same process. Where that does not give what the file
//! expects, the test says nothing about SQL and is counted as skipped: no list decides it.
//! Neighbours: `format` (the text), `slt` (which finds the files and reports).

mod format;

use format::{Expected, Test};

use crate::engine::{self, Engine, Failure, Kind, Rows, Sqlite, text};
use crate::report::{Findings, announce, cause_of};

/// Runs the tests of a file.
pub(crate) fn check(file: &str, text: &str, engine: Kind) -> Findings {
    let mut findings = Findings::default();
    for test in format::parse(text) {
        let place = format!("{file}: {}", test.name);
        let oracle = Sqlite::open().and_then(|mut sqlite| run(&test, &mut sqlite));
        if verdict(&test, &oracle, &oracle).is_some() {
            findings.count("skipped");
            continue;
        }
        announce(&format!("{}: {}", test.name, test.sql));
        let result = engine.open().and_then(|mut database| run(&test, database.as_mut()));
        match verdict(&test, &result, &oracle) {
            None => findings.count("passed"),
            Some(cause) => findings.fail(place, cause, detail(&test, &result, &oracle)),
        }
    }
    findings
}

fn run(test: &Test, database: &mut dyn Engine) -> Result<Rows, Failure> {
    for setup in &test.setups {
        engine::execute(database, setup)?;
    }
    engine::execute(database, &test.sql)
}

/// Why a result is not what the test expects; none if it is.
fn verdict(
    test: &Test,
    result: &Result<Rows, Failure>,
    oracle: &Result<Rows, Failure>,
) -> Option<String> {
    match (&test.expected, result) {
        (_, Err(failure)) if failure.message.starts_with("panic") => {
            Some(cause_of(&failure.message))
        }
        (Expected::Oracle, Err(_)) if oracle.is_err() => None,
        (Expected::Oracle, Ok(rows)) => match oracle {
            Ok(oracle) => (oracle.rows != rows.rows).then(|| "other rows".to_owned()),
            Err(failure) => Some(format!("no error: {}", cause_of(&failure.message))),
        },
        (Expected::Error(part), Err(failure)) => {
            let said = failure.message.to_lowercase().contains(&part.to_lowercase());
            (!said).then(|| format!("other words: {}", cause_of(&failure.message)))
        }
        (Expected::Error(part), Ok(_)) => Some(format!("no error: {}", cause_of(part))),
        (_, Err(failure)) => Some(cause_of(&failure.message)),
        (Expected::Pattern(pattern), Ok(rows)) => {
            let matches = regex::Regex::new(pattern)
                .is_ok_and(|pattern| pattern.is_match(&print(rows).join("\n")));
            (!matches).then(|| "the pattern does not match".to_owned())
        }
        (Expected::Lines { lines, unordered }, Ok(rows)) => {
            let mut expected = significant(lines);
            let printed = print(rows);
            let mut printed = significant(&printed);
            if *unordered {
                expected.sort_unstable();
                printed.sort_unstable();
            }
            (expected != printed).then(|| "other rows".to_owned())
        }
    }
}

/// Lines without indentation; empty ones may be left out in the files.
fn significant(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect()
}

/// Rows as lines, values joined by `|`.
fn print(rows: &Rows) -> Vec<String> {
    let row = |row: &Vec<engine::Value>| {
        let values: Vec<Vec<u8>> = row.iter().map(text::text).collect();
        String::from_utf8_lossy(&values.join(&b'|')).into_owned()
    };
    let printed: Vec<String> = rows.rows.iter().map(row).collect();
    printed.iter().flat_map(|row| row.split('\n').map(str::to_owned)).collect()
}

fn detail(test: &Test, result: &Result<Rows, Failure>, oracle: &Result<Rows, Failure>) -> String {
    let shown = |result: &Result<Rows, Failure>| match result {
        Ok(rows) => {
            print(rows).iter().take(20).fold(String::new(), |text, line| text + "\n   " + line)
        }
        Err(failure) => format!("error: {failure}"),
    };
    let setups = test.setups.join("\n");
    format!("{setups}\n{}\n-- SQLite: {}\n-- here: {}", test.sql, shown(oracle), shown(result))
}
