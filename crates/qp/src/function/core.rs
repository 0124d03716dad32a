//! Scalar functions on values of any type: choice, sign, rounding, randomness, the session's
//! counters.
//!
//! `coalesce`, `ifnull` and `iif` are marked as lazy in the registry: a compiler of
//! expressions evaluates their arguments only as far as needed, and what stands here is for
//! callers that have all arguments at hand. Neighbours: `text`, `math`.

use std::borrow::Cow;

use pandodb_ds::record::number::{self, Number};
use pandodb_ds::record::{Value, ValueRef};

use super::call::{Context, argument_error, check_memory, overflow_error, room};
use super::coerce::{compare, from_number, integer, push_text, real, strict_number, until_nul};
use super::descriptor::{Arity, Determinism, Function, Implementation, Traits};
use super::print::real_with_digits;
use crate::error::Result;
use crate::limits::Limit;

/// The version of SQLite whose dialect these functions follow.
pub const SQLITE_VERSION: &str = "3.54.1";

pub(super) fn abs(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    match args[0] {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => {
            value.checked_abs().map(Value::Integer).ok_or_else(overflow_error)
        }
        other => {
            let value = real(other);
            // Negative zero stays, as in SQLite.
            Ok(Value::real(if value < 0.0 { -value } else { value }))
        }
    }
}

pub(super) fn sign(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(match strict_number(args[0]) {
        None => Value::Null,
        Some(Number::Integer(value)) => Value::Integer(value.signum()),
        Some(Number::Real(value)) => {
            Value::Integer(i64::from(value > 0.0) - i64::from(value < 0.0))
        }
    })
}

/// `round(x [, digits])`: half away from zero, by the decimal digits that `printf` shows.
pub(super) fn round(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    /// From here on a real has no fraction.
    const INTEGRAL_FROM: f64 = 4_503_599_627_370_496.0;
    if args.iter().any(|arg| arg.is_null()) {
        return Ok(Value::Null);
    }
    let digits = args.get(1).map_or(0, |&digits| integer(digits).clamp(0, 30));
    let value = real(args[0]);
    if !(-INTEGRAL_FROM..=INTEGRAL_FROM).contains(&value) {
        return Ok(Value::real(value));
    }
    if digits == 0 {
        let half = if value < 0.0 { -0.5 } else { 0.5 };
        return Ok(Value::Real((value + half) as i64 as f64));
    }
    Ok(Value::real(number::cast_real(&real_with_digits(value, digits as usize))))
}

pub(super) fn coalesce(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(args.iter().find(|arg| !arg.is_null()).map_or(Value::Null, |arg| (*arg).to_owned()))
}

/// `iif(condition, then [, condition, then ...] [, else])`.
pub(super) fn iif(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let mut rest = args;
    while let [condition, then, behind @ ..] = rest {
        if real(*condition) != 0.0 {
            return Ok((*then).to_owned());
        }
        rest = behind;
    }
    Ok(rest.first().map_or(Value::Null, |otherwise| (*otherwise).to_owned()))
}

pub(super) fn nullif(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let equal = compare(args[0], args[1], context.collation).is_eq();
    context.json_result = !equal && context.json_arguments.get(0);
    Ok(if equal { Value::Null } else { args[0].to_owned() })
}

pub(super) fn min(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(extreme(context, args, false))
}

pub(super) fn max(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(extreme(context, args, true))
}

/// Of equals the last wins in `min`, the first in `max`: with integers and reals it shows.
fn extreme(context: &mut Context<'_>, args: &[ValueRef<'_>], greatest: bool) -> Value {
    let mut best = 0;
    for (index, &arg) in args.iter().enumerate() {
        if arg.is_null() {
            return Value::Null;
        }
        let order = compare(arg, args[best], context.collation);
        if if greatest { order.is_gt() } else { order.is_le() } {
            best = index;
        }
    }
    context.json_result = context.json_arguments.get(best);
    args[best].to_owned()
}

/// `likely`, `unlikely`, `likelihood`: the argument, the hint is the planner's.
pub(super) fn first_argument(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(args[0].to_owned())
}

pub(super) fn type_of(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::text(match args[0] {
        ValueRef::Null => "null",
        ValueRef::Integer(_) => "integer",
        ValueRef::Real(_) => "real",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "blob",
    }))
}

/// What tells whether a value is JSON: for the planner, no statement can name it.
pub(crate) fn json_sign() -> Function {
    Function {
        name: Cow::Borrowed("is json"),
        arity: Arity::exactly(1),
        determinism: Determinism::Pure,
        traits: Traits { reads_json: true, ..Traits::default() },
        usage: "",
        implementation: Implementation::Scalar(subtype),
    }
}

/// `subtype(x)`: 74 (the letter J) for JSON, else 0.
pub(super) fn subtype(context: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::Integer(if context.json_arguments.get(0) { i64::from(b'J') } else { 0 }))
}

pub(super) fn random(context: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    let bits = context.session.random() as i64;
    // Never the smallest integer, of which `abs` has none.
    Ok(Value::Integer(if bits < 0 { -(bits & i64::MAX) } else { bits }))
}

pub(super) fn random_blob(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let len = integer(args[0]).max(1) as usize;
    context.check_length(len)?;
    let mut bytes = room(len + 8)?;
    let mut pace = context.pace();
    while bytes.len() < len {
        // Random bits cost more than others.
        pace.step(64)?;
        bytes.extend(context.session.random().to_le_bytes());
    }
    bytes.truncate(len);
    context.blob(bytes)
}

pub(super) fn zero_blob(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let len = integer(args[0]).max(0) as usize;
    context.check_length(len)?;
    check_memory(len)?;
    context.blob(vec![0; len])
}

pub(super) fn last_insert_rowid(context: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::Integer(context.session.last_insert_rowid()))
}

pub(super) fn changes(context: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::Integer(context.session.changes()))
}

pub(super) fn total_changes(context: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::Integer(context.session.total_changes()))
}

pub(super) fn sqlite_version(_: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::text(SQLITE_VERSION))
}

pub(super) fn sqlite_source_id(_: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    let version = env!("CARGO_PKG_VERSION");
    Ok(Value::text(format!("pandodb {version} (dialect of SQLite {SQLITE_VERSION})")))
}

/// What this build has, in the order of the names.
pub fn compile_options() -> Vec<String> {
    let mut options = vec![
        format!("COMPATIBLE_WITH_SQLITE={SQLITE_VERSION}"),
        "ENABLE_JSON1".to_owned(),
        "ENABLE_MATH_FUNCTIONS".to_owned(),
        "ENABLE_PERCENTILE".to_owned(),
        "ENABLE_STAT1".to_owned(),
        "ENABLE_UPDATE_DELETE_LIMIT".to_owned(),
        format!("PANDODB_VERSION={}", env!("CARGO_PKG_VERSION")),
        "TEMP_STORE=2".to_owned(),
        "THREADSAFE=2".to_owned(),
    ];
    options.extend(
        Limit::ALL
            .into_iter()
            .map(|limit| format!("MAX_{}={}", limit.name().to_ascii_uppercase(), limit.maximum())),
    );
    options.sort();
    options
}

/// `sqlite_compileoption_get(n)`: the option at place `n`, counted from 0.
pub(super) fn compile_option(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let place = usize::try_from(integer(args[0])).ok();
    let option = place.and_then(|place| compile_options().into_iter().nth(place));
    Ok(option.map_or(Value::Null, Value::text))
}

/// `sqlite_compileoption_used(name)`: whether there is an option of this name, or with this value
/// where one is given.
pub(super) fn has_compile_option(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    if args[0].is_null() {
        return Ok(Value::Null);
    }
    let mut text = Vec::new();
    push_text(args[0], &mut text);
    let mut wanted = until_nul(&text);
    if let Some((prefix, rest)) = wanted.split_at_checked(b"SQLITE_".len())
        && prefix.eq_ignore_ascii_case(b"SQLITE_")
    {
        wanted = rest;
    }
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
    let fits = |option: &String| {
        option.as_bytes().split_at_checked(wanted.len()).is_some_and(|(name, behind)| {
            name.eq_ignore_ascii_case(wanted) && !behind.first().is_some_and(is_name)
        })
    };
    Ok(Value::Integer(i64::from(compile_options().iter().any(fits))))
}

pub(super) fn pando_version(_: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Ok(Value::text(env!("CARGO_PKG_VERSION")))
}

/// `x MATCH y`: nothing can be matched unless the application defines how.
pub(super) fn match_function(_: &mut Context<'_>, _: &[ValueRef<'_>]) -> Result<Value> {
    Err(argument_error("unable to use function MATCH in the requested context"))
}

/// `CAST(x AS NUMERIC)` for callers that have only the value.
pub fn cast_numeric(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => from_number(number::cast_number(bytes)),
        other => other.to_owned(),
    }
}
