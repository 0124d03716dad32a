//! PRAGMAs that have one value here, and those that do nothing in SQLite either.
//!
//! A fixed one takes its own value, so that a script which sets what is true anyway runs; any
//! other value is an error that says why, because nothing that matters is ignored in silence. What
//! only tunes SQLite's way of doing things takes any number, as applications set it when they
//! connect, and answers with what holds. Neighbours: `table`.

use pandodb_ds::record::Value;

use super::entry::{Entry, Scope, one};

/// A switch or number with one value; `$why` is said about another one.
macro_rules! fixed {
    ($name:literal, $value:literal, $why:literal) => {
        Entry {
            name: $name,
            columns: &[$name],
            scope: Scope::Fixed,
            values: concat!("`", stringify!($value), "`"),
            help: $why,
            run: |call| {
                let is_same = match call.text() {
                    None => return Ok(one(Value::Integer($value))),
                    Some(text) if text.parse::<i64>().is_ok() => call.number()? == Some($value),
                    Some(text) if is_switch(text) => call.switch()?.map(i64::from) == Some($value),
                    Some(text) => text.eq_ignore_ascii_case("none") && $value == 0,
                };
                if is_same { Ok(Vec::new()) } else { Err(call.refuse($why)) }
            },
        }
    };
}

/// What tunes SQLite: takes any number or switch, and `$answers` with the value that holds where
/// SQLite answers a change at all.
macro_rules! tuned {
    ($name:literal, $value:literal, $answers:literal, $why:literal) => {
        Entry {
            name: $name,
            columns: &[$name],
            scope: Scope::Tells,
            values: concat!("any; what holds is `", stringify!($value), "`"),
            help: $why,
            run: |call| match call.text() {
                Some(_) if !$answers => Ok(Vec::new()),
                _ => Ok(one(Value::Integer($value))),
            },
        }
    };
}

/// Takes any value and does nothing, as SQLite documents it.
macro_rules! nothing {
    ($name:literal, $why:literal) => {
        Entry {
            name: $name,
            columns: &[],
            scope: Scope::Nothing,
            values: "",
            help: $why,
            run: |_| Ok(Vec::new()),
        }
    };
}

fn is_switch(text: &str) -> bool {
    ["on", "off", "yes", "no", "true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

pub(super) const ENTRIES: &[Entry] = &[
    tuned!(
        "auto_vacuum",
        0,
        false,
        "free pages at the end of the file go with every checkpoint; VACUUM moves the others"
    ),
    tuned!("analysis_limit", 0, true, "ANALYZE reads whole indexes"),
    tuned!("cell_size_check", 1, false, "pages are always checked when they are read"),
    tuned!("checkpoint_fullfsync", 1, false, "a sync always reaches the disk"),
    tuned!("fullfsync", 1, false, "a sync always reaches the disk"),
    fixed!("count_changes", 0, "ask changes() instead"),
    fixed!("empty_result_callbacks", 0, "a result tells its columns before its rows"),
    fixed!("full_column_names", 0, "name result columns with AS"),
    fixed!("short_column_names", 1, "name result columns with AS"),
    tuned!("mmap_size", 0, true, "the page cache reads the file; cache_size is its budget"),
    fixed!("secure_delete", 0, "freed pages keep their bytes until they are reused"),
    fixed!("trusted_schema", 1, "functions in a schema are trusted"),
    fixed!("writable_schema", 0, "sqlite_schema is changed by CREATE, ALTER and DROP"),
    tuned!("temp_store", 2, false, "temporary tables are in memory (`MEMORY`)"),
    Entry {
        name: "locking_mode",
        columns: &["locking_mode"],
        scope: Scope::Tells,
        values: "any; as in SQLite the answer is the mode that holds",
        help: "`exclusive`: a process has a database file alone; its connections share it",
        run: |_| Ok(one(Value::text("exclusive"))),
    },
    Entry {
        name: "encoding",
        columns: &["encoding"],
        scope: Scope::Fixed,
        values: "`'UTF-8'`",
        help: "how texts are stored",
        run: |call| match call.text() {
            None => Ok(one(Value::text("UTF-8"))),
            Some(text)
                if text.eq_ignore_ascii_case("utf-8") || text.eq_ignore_ascii_case("utf8") =>
            {
                Ok(Vec::new())
            }
            Some(text) => {
                Err(crate::error::Error::invalid(format!("unsupported encoding: {text}")))
            }
        },
    },
    nothing!("legacy_file_format", "a no-op in SQLite, too"),
    nothing!("parser_trace", "only in debugging builds of SQLite"),
    nothing!("vdbe_addoptrace", "only in debugging builds of SQLite"),
    nothing!("vdbe_debug", "only in debugging builds of SQLite"),
    nothing!("vdbe_listing", "only in debugging builds of SQLite"),
    nothing!("vdbe_trace", "only in debugging builds of SQLite"),
];
