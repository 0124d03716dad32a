//! What tests of functions share: a session with a fixed clock, calls by name, values from
//! short notations. Neighbours: the `tests` modules of this folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::cell::Cell;

use pandodb_ds::record::{Value, ValueRef};

use super::{Accumulator, Cache, Context, Function, Implementation, Registry, Session};
use crate::error::{Error, ErrorKind, Result};

/// 2024-02-29 12:34:56.789 UTC.
pub(super) const NOW_MS: i64 = 1_709_210_096_789;

/// A session whose clock stands still, one hour east of UTC.
#[derive(Default)]
pub(super) struct FixedSession {
    draws: Cell<u64>,
    /// Calls that ask whether they are to end are told so.
    is_ended: bool,
    /// Texts may be as long as by default.
    is_unbounded: bool,
}

impl FixedSession {
    /// One in which calls are to end as soon as they ask.
    pub(super) fn ended() -> Self {
        Self { is_ended: true, is_unbounded: true, ..Self::default() }
    }

    /// One whose texts may be as long as by default.
    pub(super) fn unbounded() -> Self {
        Self { is_unbounded: true, ..Self::default() }
    }
}

impl Session for FixedSession {
    fn now_ms(&self) -> i64 {
        NOW_MS
    }

    fn local_offset_seconds(&self, _: i64) -> i64 {
        3600
    }

    fn random(&self) -> u64 {
        self.draws.set(self.draws.get() + 1);
        self.draws.get().wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn last_insert_rowid(&self) -> i64 {
        11
    }

    fn changes(&self) -> i64 {
        12
    }

    fn total_changes(&self) -> i64 {
        13
    }

    fn length_max(&self) -> usize {
        if self.is_unbounded { super::call::LENGTH_MAX } else { 1_000_000 }
    }

    fn check_stopped(&self) -> Result<()> {
        if self.is_ended { Err(Error::new(ErrorKind::Interrupted, "interrupted")) } else { Ok(()) }
    }
}

/// Runs `test` with a context.
pub(super) fn with_context<T>(test: impl FnOnce(&mut Context<'_>) -> T) -> T {
    let session = FixedSession::default();
    let mut cache = Cache::default();
    test(&mut Context::new(&session, &mut cache))
}

/// Calls a scalar function; `json` lists arguments that are JSON.
pub(super) fn call_with_json(name: &str, args: &[Value], json: &[usize]) -> Result<Value> {
    let function = Registry::new().find(name, args.len())?;
    let args: Vec<ValueRef<'_>> = args.iter().map(Value::as_ref).collect();
    with_context(|context| {
        for &index in json {
            context.json_arguments.set(index);
        }
        function.call(context, &args)
    })
}

/// Calls a scalar function.
pub(super) fn call(name: &str, args: &[Value]) -> Result<Value> {
    call_with_json(name, args, &[])
}

/// A value as an SQL literal, errors as their message.
pub(super) fn shown(result: Result<Value>) -> String {
    match result {
        Ok(value) => {
            let quoted = call("quote", &[value]).unwrap();
            match quoted {
                Value::Text(text) => String::from_utf8_lossy(&text).into_owned(),
                other => format!("{other:?}"),
            }
        }
        Err(error) => format!("error: {error}"),
    }
}

/// Arguments in short: numbers, `x'00'`, `null`, anything else is text.
pub(super) fn values(args: &[&str]) -> Vec<Value> {
    args.iter().map(|arg| value(arg)).collect()
}

fn value(arg: &str) -> Value {
    if arg == "null" {
        return Value::Null;
    }
    if let Some(digits) = arg.strip_prefix("x'").and_then(|rest| rest.strip_suffix('\'')) {
        return call("unhex", &[Value::text(digits)]).unwrap();
    }
    if let Some(text) = arg.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Value::text(text);
    }
    if let Ok(integer) = arg.parse() {
        return Value::Integer(integer);
    }
    match arg.parse::<f64>() {
        Ok(real) if arg.contains('.') => Value::Real(real),
        _ => Value::text(arg),
    }
}

/// Checks a table of calls: the function, its arguments, the result as a literal.
pub(super) fn check(cases: &[(&str, &[&str], &str)]) {
    for (name, args, expected) in cases {
        assert_eq!(shown(call(name, &values(args))), *expected, "{name}{args:?}");
    }
}

/// A state of the aggregate `name`.
pub(super) fn accumulator(name: &str, count: usize, is_sliding: bool) -> Box<dyn Accumulator> {
    let function: &Function = &Registry::new().find(name, count).unwrap();
    match &function.implementation {
        Implementation::Aggregate(aggregate) if is_sliding => {
            aggregate.sliding.as_ref().expect("has a sliding state").make()
        }
        Implementation::Aggregate(aggregate) => aggregate.plain.make(),
        other => panic!("{name} is {other:?}"),
    }
}

/// The result of an aggregate over rows.
pub(super) fn aggregate(name: &str, rows: &[Vec<Value>]) -> Result<Value> {
    let count = rows.first().map_or(1, Vec::len);
    let mut state = accumulator(name, count, false);
    with_context(|context| {
        for row in rows {
            let args: Vec<ValueRef<'_>> = row.iter().map(Value::as_ref).collect();
            state.step(context, &args)?;
        }
        state.value(context)
    })
}
