//! SQL functions, call by call, against SQLite.
//!
//! Random calls of every scalar function that SQLite knows, with arguments drawn from pools
//! that suit them (documents for JSON functions, dates for date functions, ...), compared in
//! value and in the message of errors; aggregates over random sliding frames; window
//! functions; the rows of table-valued functions. A difference prints the call as SQL.
//! `FUNCTION_CALLS` sets how many calls each function gets, `SEED` where they begin.
//! Neighbours: `pools` (arguments), `scalar`, `window`, `tables` (the comparisons).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail so")]

mod pools;
mod scalar;
mod tables;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use pandodb_qp::function::{Cache, Context, Function, Session, Value, ValueRef};
use rusqlite::types::Value as SqliteValue;

/// UTC, and nothing else: what depends on the clock is not compared.
struct Plain;

impl Session for Plain {
    fn now_ms(&self) -> i64 {
        0
    }
    fn local_offset_seconds(&self, _: i64) -> i64 {
        0
    }
    fn random(&self) -> u64 {
        4
    }
    fn last_insert_rowid(&self) -> i64 {
        0
    }
    fn changes(&self) -> i64 {
        0
    }
    fn total_changes(&self) -> i64 {
        0
    }
}

fn to_sqlite(value: &Value) -> SqliteValue {
    match value {
        Value::Null => SqliteValue::Null,
        Value::Integer(integer) => SqliteValue::Integer(*integer),
        Value::Real(real) => SqliteValue::Real(*real),
        Value::Text(text) => SqliteValue::Text(String::from_utf8(text.to_vec()).expect("UTF-8")),
        Value::Blob(bytes) => SqliteValue::Blob(bytes.to_vec()),
    }
}

fn from_sqlite(value: rusqlite::types::ValueRef<'_>) -> Value {
    use rusqlite::types::ValueRef as Theirs;
    match value {
        Theirs::Null => Value::Null,
        Theirs::Integer(integer) => Value::Integer(integer),
        Theirs::Real(real) => Value::Real(real),
        Theirs::Text(text) => Value::text(text),
        Theirs::Blob(bytes) => Value::blob(bytes),
    }
}

type Outcome = Result<Value, String>;

fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(integer) => integer.to_string(),
        Value::Real(real) => format!("{real:?}"),
        Value::Text(text) => format!("{:?}", String::from_utf8_lossy(text)),
        Value::Blob(bytes) => format!("x{bytes:02x?}"),
    }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(value) => literal(value),
        Err(message) => format!("error: {message}"),
    }
}

/// Several values as one.
fn listed(outcome: Result<Vec<Value>, String>) -> Result<Value, String> {
    outcome.map(|values| Value::text(values.iter().map(literal).collect::<Vec<_>>().join(" ")))
}

fn same(name: &str, ours: &Outcome, theirs: &Outcome) -> bool {
    match (ours, theirs) {
        (Ok(Value::Real(ours)), Ok(Value::Real(theirs))) => {
            let exact = ours.to_bits() == theirs.to_bits();
            // Both systems' libraries round the last digit as they like.
            let near = (ours - theirs).abs() <= theirs.abs() * 1e-14;
            exact || (near && !["round", "abs", "julianday", "unixepoch"].contains(&name))
        }
        // Of several errors in one call either may be reported.
        (Err(ours), Err(theirs)) => {
            ours == theirs || (name.starts_with("json") && theirs == "malformed JSON")
        }
        (ours, theirs) => ours == theirs,
    }
}

fn ours(function: &Function, args: &[Value], json: &BTreeSet<usize>) -> Outcome {
    let mut cache = Cache::default();
    let mut context = Context::new(&Plain, &mut cache);
    for &index in json {
        context.json_arguments.set(index);
    }
    let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
    function.call(&mut context, &args).map_err(|error| error.message().to_owned())
}

/// JSONB as text.
fn as_text(json: &Function, outcome: Outcome) -> Outcome {
    match outcome {
        Ok(blob @ Value::Blob(_)) => ours(json, &[blob], &BTreeSet::new()),
        other => other,
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Collects differences, at most a few per function, and fails with all of them.
#[derive(Default)]
struct Differences(BTreeMap<String, Vec<String>>);

impl Differences {
    fn note(&mut self, name: &str, call: &str, ours: &Outcome, theirs: &Outcome) {
        let known = self.0.entry(name.to_owned()).or_default();
        if known.len() < 6 {
            known.push(format!("{call}\n    ours   {}\n    SQLite {}", shown(ours), shown(theirs)));
        }
    }

    fn finish(self) {
        let count: usize = self.0.values().map(Vec::len).sum();
        let text: Vec<String> = self.0.into_values().flatten().collect();
        assert!(count == 0, "{count} differences\n{}", text.join("\n"));
    }
}
