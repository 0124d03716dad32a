//! Running the records of one file on an engine.
//!
//! Where an engine differs from the file, SQLite runs the file too: it is right where it
//! differs from the file in the same way (four records of the corpus). Neighbours: `format`,
//! `md5`, `engine::text`.

use std::collections::HashMap;

use super::format::{Expected, Query, Record, Script, Sort};
use super::md5;
use crate::engine::{self, Engine, Failure, Rows, Sqlite, Value, text};
use crate::report::{Findings, cause_of};

/// What came of a record, printed as the format prints it.
#[derive(Clone, PartialEq)]
enum Observed {
    Done,
    Error(String),
    Values(Vec<Vec<u8>>),
    Columns(usize),
}

impl Observed {
    /// Whether two engines did the same, whatever they say of errors.
    fn agrees(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Error(_), Self::Error(_))) || self == other
    }
}

/// A record that did not do what the file says.
struct Failed {
    record: usize,
    cause: String,
    observed: Observed,
}

/// Runs all records in order; defects are named by `file` and line.
pub(super) fn check(file: &str, script: &Script, engine: &mut dyn Engine) -> Findings {
    let mut findings = Findings::default();
    findings.add("skipped", script.skipped);
    let failed = run(script, engine, &mut findings);
    if failed.is_empty() {
        return findings;
    }
    let oracle = oracle(script);
    for failed in failed {
        if oracle.get(failed.record).is_some_and(|seen| seen.agrees(&failed.observed)) {
            findings.count("as SQLite, not as the file");
            continue;
        }
        let record = &script.records[failed.record];
        let detail = detail(record, &failed.observed, oracle.get(failed.record));
        findings.fail(format!("{file}:{}", record.line), failed.cause, detail);
    }
    findings
}

fn run(script: &Script, engine: &mut dyn Engine, findings: &mut Findings) -> Vec<Failed> {
    let mut failed = Vec::new();
    let mut labels: HashMap<&str, String> = HashMap::new();
    for (index, record) in script.records.iter().enumerate() {
        if index % 64 == 0 {
            crate::report::announce(&format!("line {}: {}", record.line, record.sql));
        }
        let result = engine::execute(engine, &record.sql);
        let observed = observe(record, result);
        match verify(record, &observed, &mut labels) {
            None => findings.count("passed"),
            Some(cause) => failed.push(Failed { record: index, cause, observed }),
        }
    }
    failed
}

fn oracle(script: &Script) -> Vec<Observed> {
    let Ok(mut sqlite) = Sqlite::open() else { return Vec::new() };
    let observe = |record| observe(record, sqlite.execute(&record.sql));
    script.records.iter().map(observe).collect()
}

fn observe(record: &Record, result: Result<Rows, Failure>) -> Observed {
    match (&record.expected, result) {
        (_, Err(failure)) => Observed::Error(failure.message),
        (Expected::Query(query), Ok(rows)) => {
            if rows.names.len() == query.types.len() {
                Observed::Values(print(query, &rows.rows))
            } else {
                Observed::Columns(rows.names.len())
            }
        }
        (_, Ok(_)) => Observed::Done,
    }
}

/// The cause of a failure, if it is one.
fn verify<'s>(
    record: &'s Record,
    observed: &Observed,
    labels: &mut HashMap<&'s str, String>,
) -> Option<String> {
    match (&record.expected, observed) {
        (Expected::Error, Observed::Error(message)) if message.starts_with("panic") => {
            Some(cause_of(message))
        }
        (Expected::Done, Observed::Done) | (Expected::Error, Observed::Error(_)) => None,
        (Expected::Error, _) => Some("no error where one must be".to_owned()),
        (_, Observed::Error(message)) => Some(cause_of(message)),
        (Expected::Query(query), Observed::Values(values)) => {
            if !is_expected(query, values) {
                return Some("other values".to_owned());
            }
            let label = query.label.as_deref()?;
            let hash = hash(values);
            let first = labels.entry(label).or_insert_with(|| hash.clone());
            (*first != hash).then(|| "other values than under the same label".to_owned())
        }
        _ => Some("another number of columns".to_owned()),
    }
}

fn is_expected(query: &Query, values: &[Vec<u8>]) -> bool {
    if values.len() > query.threshold && query.threshold > 0 {
        let named = format!("{} values hashing to {}", values.len(), hash(values));
        return query.lines == [named];
    }
    let expected = query.lines.iter().map(String::as_bytes);
    expected.eq(values.iter().map(Vec::as_slice))
}

fn hash(values: &[Vec<u8>]) -> String {
    let mut bytes = values.join(&b'\n');
    bytes.push(b'\n');
    if values.is_empty() {
        bytes.clear();
    }
    md5::hexadecimal(&bytes)
}

fn print(query: &Query, rows: &[Vec<Value>]) -> Vec<Vec<u8>> {
    let row = |row: &Vec<Value>| -> Vec<Vec<u8>> {
        row.iter().zip(&query.types).map(|(value, letter)| print_value(value, *letter)).collect()
    };
    let mut printed: Vec<Vec<Vec<u8>>> = rows.iter().map(row).collect();
    if query.sort == Sort::Rows {
        printed.sort();
    }
    let mut values: Vec<Vec<u8>> = printed.into_iter().flatten().collect();
    if query.sort == Sort::Values {
        values.sort();
    }
    values
}

fn print_value(value: &Value, letter: u8) -> Vec<u8> {
    if matches!(value, Value::Null) {
        return b"NULL".to_vec();
    }
    match letter {
        b'I' => (text::integer(value) as i32).to_string().into_bytes(),
        b'R' => format!("{:.3}", text::double(value)).into_bytes(),
        _ => {
            let mut bytes = text::text(value);
            if bytes.is_empty() {
                return b"(empty)".to_vec();
            }
            for byte in &mut bytes {
                if !(b' '..=b'~').contains(byte) {
                    *byte = b'@';
                }
            }
            bytes
        }
    }
}

fn detail(record: &Record, observed: &Observed, oracle: Option<&Observed>) -> String {
    let shown = |observed: &Observed| match observed {
        Observed::Done => "done".to_owned(),
        Observed::Error(message) => format!("error: {message}"),
        Observed::Columns(count) => format!("{count} columns"),
        Observed::Values(values) => {
            let lines: Vec<_> =
                values.iter().take(12).map(|value| String::from_utf8_lossy(value)).collect();
            format!("{} values: {}", values.len(), lines.join(", "))
        }
    };
    let oracle = oracle.map_or_else(|| "?".to_owned(), shown);
    format!("{}\n-- SQLite: {oracle}\n-- here:   {}", record.sql, shown(observed))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::super::format::parse;
    use super::*;

    fn failures(text: &str) -> Vec<String> {
        // Failures must show even where SQLite agrees, so the oracle is left out.
        let script = parse(text).unwrap();
        let mut engine = Sqlite::open().unwrap();
        let mut findings = Findings::default();
        let failed = run(&script, &mut engine, &mut findings);
        failed.into_iter().map(|failed| failed.cause).collect()
    }

    #[test]
    fn values_print_by_their_letters() {
        let text = "query ITRT nosort\nSELECT 4294967297, '', 2, char(7)||'x'\n----\n\
                    1\n(empty)\n2.000\n@x\n\n\
                    query II\nSELECT NULL, '12abc'\n----\nNULL\n12\n\n\
                    query TR\nSELECT 1e100, '1.5e1z'\n----\n1.0e+100\n15.000\n";
        assert_eq!(failures(text), [""; 0]);
    }

    #[test]
    fn sorting_and_hashing() {
        let text = "query IT rowsort\nVALUES(2,'b'),(10,'a')\n----\n10\na\n2\nb\n\n\
                    query IT valuesort\nVALUES(2,'b'),(10,'a')\n----\n10\n2\na\nb\n\n\
                    hash-threshold 2\nquery I\nVALUES(1),(2),(3)\n----\n\
                    3 values hashing to 5f4b9c6d3ea91bd4b0e9bd0dd9b50ce0\n";
        let causes = failures(text);
        assert_eq!(causes, ["other values"], "only the invented hash differs");
        let right = md5::hexadecimal(b"1\n2\n3\n");
        let text = text.replace("5f4b9c6d3ea91bd4b0e9bd0dd9b50ce0", &right);
        assert_eq!(failures(&text), [""; 0]);
    }

    #[test]
    fn what_must_fail_fails() {
        let text = "statement error\nSELECT 1\n\nstatement ok\nSELEC\n\n\
                    query I\nSELECT 1, 2\n----\n1\n\nquery I\nSELECT 2\n----\n1\n\n\
                    query I nosort a\nSELECT 1\n----\n1\n\nquery I nosort a\nSELECT 2\n----\n2\n";
        assert_eq!(failures(text).len(), 5);
    }
}
