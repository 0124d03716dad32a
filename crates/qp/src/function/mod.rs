//! The functions of SQL: scalar, aggregate, window and table-valued, with SQLite's semantics.
//!
//! **Finding one.** A connection owns a [`Registry`]: the application's functions over the
//! built-in ones. The binder calls [`Registry::find`] with a name and a number of arguments
//! and keeps the `Arc<`[`Function`]`>`; a missing function is an error with a hint. `f(*)`
//! counts as no arguments and is for `count` alone. Functions in FROM are found by
//! [`Registry::find_table`].
//!
//! **Calling a scalar function.** [`Function::call`] takes a [`Context`] and
//! `&[ValueRef<'_>]` and gives a `Value`. One context serves many calls: each call site owns
//! a [`Cache`] (lives as long as its prepared statement), and before a call the executor sets
//! - [`Context::collation`] where [`Traits::uses_collation`] is set: the collation of the
//!   first argument that has one, else BINARY;
//! - [`Context::json_arguments`] where [`Traits::reads_json`] is set: which arguments came
//!   from a function that set [`Context::json_result`]. Only functions with
//!   [`Traits::may_return_json`] do, so call sites without such an argument skip this;
//! - [`Context::pure_place`] in indexes, CHECK constraints and generated columns.
//!
//! Functions with [`Traits::is_lazy`] are compiled to CASE by the binder. Operators are
//! functions of two values in [`operators`] and [`pattern`]; `->` and `->>` are registered
//! under those names. The number of arguments is checked by the binder, never by a function.
//! Errors carry no place: the executor adds the span of the call.
//!
//! **Aggregates.** [`Aggregate::plain`] makes an [`Accumulator`] per group; the executor
//! applies FILTER, DISTINCT and ORDER BY, steps the rows and asks for the value. Over a
//! window, [`Aggregate::sliding`] makes one that can take its oldest row out
//! ([`Accumulator::inverse`], in the order of the steps); where there is none, or where
//! EXCLUDE cuts the frame, each frame is computed anew from a plain one. From one row to the
//! next the rows that leave the frame go out before others come in: sums of large integers
//! depend on it.
//!
//! **Window functions** proper ([`WindowFunction`]) are computed from the [`Position`] of the
//! current row, its frame and the rows of the partition.
//!
//! **Table-valued functions** ([`TableFunction`]) open [`TableRows`] on their arguments, which
//! are their hidden columns in order.
//!
//! Neighbours: `pandodb_ds::record` has values, numbers and their text; the binder and the
//! executor call from above.

#![allow(
    clippy::unnecessary_wraps,
    reason = "all scalar functions share one signature, also those that cannot fail"
)]

mod aggregate;
mod builtin;
mod call;
mod coerce;
mod core;
mod date_time;
mod descriptor;
mod json;
mod math;
pub mod operators;
pub mod pattern;
mod print;
mod registry;
mod series;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod text;

// Functions take and give these.
pub use pandodb_ds::record::{Value, ValueRef};

pub(crate) use self::aggregate::{Sum, SumResult, extreme_sign};
pub(crate) use self::call::Pace;
pub use self::call::{
    Cache, Collation, Context, JsonFlags, LENGTH_MAX, PATTERN_BYTES_MAX, RowChange, RowImages,
    Session, argument_error, binary_collation, overflow_error, too_big_error,
};
pub(crate) use self::core::json_sign;
pub use self::core::{SQLITE_VERSION, cast_numeric, compile_options};
pub use self::date_time::local_offset_seconds;
pub use self::descriptor::{
    Accumulator, AccumulatorFactory, Aggregate, Arity, Determinism, Function, FunctionKind,
    Implementation, NewAccumulator, OpenTable, PartitionRows, Position, RowsAhead, ScalarClosure,
    ScalarFunction, TableColumn, TableFunction, TableRows, Traits, WindowFunction, WindowValue,
};
pub use self::registry::Registry;

/// A value as an SQL literal.
pub(crate) fn literal(value: ValueRef<'_>) -> Vec<u8> {
    print::quote_value(value, false)
}

/// Whether a text matches under the built-in LIKE or GLOB; none for other functions.
pub(crate) fn pattern_matches(name: &str, pattern: &[u8], text: &[u8]) -> Option<bool> {
    match name {
        "like" => Some(pattern::like(pattern, text, None)),
        "glob" => Some(pattern::glob(pattern, text)),
        _ => None,
    }
}
