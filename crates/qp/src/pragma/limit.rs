//! The limits of a session (`sqlite3_limit`): a list, and a PRAGMA for each.
//!
//! A limit can be lowered for texts and data that are not trusted, and raised again up to what
//! the engine allows. Neighbours: `limits` has the bounds, `session` keeps what is set.

use pandodb_ds::record::Value;

use super::entry::{Call, Entry, PragmaRows, Scope, number};
use crate::error::Result;
use crate::limits::Limit;

/// The PRAGMA of one limit.
macro_rules! limit {
    ($name:literal, $limit:ident, $help:literal) => {
        Entry {
            name: $name,
            columns: &["limit"],
            scope: Scope::Session,
            values: "a number; -1 leaves it",
            help: $help,
            run: |call| set(call, Limit::$limit),
        }
    };
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "limit_list",
        columns: &["name", "value", "maximum"],
        scope: Scope::Tells,
        values: "",
        help: "all limits of the session, and what they can be raised to",
        run: |call| {
            let row = |limit: Limit| {
                vec![
                    Value::text(limit.name()),
                    Value::Integer(i64::from(call.session.limit(limit))),
                    Value::Integer(i64::from(limit.maximum())),
                ]
            };
            Ok(Limit::ALL.into_iter().map(row).collect())
        },
    },
    limit!("limit_length", Length, "bytes of a text, a blob or a row"),
    limit!("limit_sql_length", SqlLength, "bytes of a statement's text"),
    limit!("limit_column", Column, "columns of a table, an index or a result"),
    limit!(
        "limit_expr_depth",
        ExpressionDepth,
        "height of an expression; a chain of ANDs or of ORs is no higher for being longer, while \
         SQLite counts each"
    ),
    limit!("limit_compound_select", CompoundSelect, "parts of a compound SELECT"),
    limit!("limit_vdbe_op", Operations, "operators and expressions of a statement's plan"),
    limit!("limit_function_arg", FunctionArgument, "arguments of a function"),
    limit!("limit_attached", Attached, "attached databases"),
    limit!("limit_like_pattern_length", LikePatternLength, "bytes of a LIKE or GLOB pattern"),
    limit!("limit_variable_number", VariableNumber, "the highest number of a parameter"),
    limit!("limit_trigger_depth", TriggerDepth, "how deep triggers nest"),
    limit!(
        "limit_worker_threads",
        WorkerThreads,
        "threads that help the connection's own with large tables (`threads` counts that one, too)"
    ),
];

fn set(call: &Call<'_>, limit: Limit) -> Result<PragmaRows> {
    if let Some(value) = call.number()?.filter(|value| *value >= 0) {
        call.session.set_limit(limit, u32::try_from(value).unwrap_or(u32::MAX));
    }
    Ok(number(u64::from(call.session.limit(limit))))
}
