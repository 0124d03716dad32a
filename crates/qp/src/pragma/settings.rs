//! PRAGMAs that change what statements of one session do.
//!
//! Neighbours: `execute::Settings` holds most of them, `table` lists them.

use std::time::Duration;

use pandodb_ds::record::Value;

use super::entry::{Call, Entry, PragmaRows, Scope, number, one};
use crate::error::{Error, Result};
use crate::plan::Rules;
use crate::store::Isolation;

/// A switch that is a field of the session's settings.
macro_rules! switch {
    ($name:literal, $field:ident, $help:literal) => {
        Entry {
            name: $name,
            columns: &[$name],
            scope: Scope::Session,
            values: "`ON`, `OFF`",
            help: $help,
            run: |call| match call.switch()? {
                Some(value) => {
                    call.session.change_settings(|settings| settings.$field = value);
                    Ok(Vec::new())
                }
                None => Ok(number(u64::from(call.session.settings().$field))),
            },
        }
    };
}

/// As many threads as were asked for and there are processors.
fn known_threads(threads: u32) -> u64 {
    u64::from(threads).min(crate::execute::batch::processors() as u64)
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "foreign_keys",
        columns: &["foreign_keys"],
        scope: Scope::Session,
        values: "`ON`, `OFF`",
        help: "whether foreign keys are enforced; inside of a transaction nothing changes, as in \
               SQLite",
        run: |call| match call.switch()? {
            Some(_) if !call.session.is_autocommit() => Ok(Vec::new()),
            Some(value) => {
                call.session.change_settings(|settings| settings.foreign_keys = value);
                Ok(Vec::new())
            }
            None => Ok(number(u64::from(call.session.settings().foreign_keys))),
        },
    },
    Entry {
        name: "threads",
        columns: &["threads"],
        scope: Scope::Session,
        values: "number",
        help: "how many threads a statement reads large tables with, the connection's own \
               included; all processors at first, 0 and 1 are the own one alone",
        run: |call| match call.number()? {
            Some(threads) => {
                let threads = u32::try_from(threads.max(0)).unwrap_or(u32::MAX);
                call.session.change_settings(|settings| settings.threads = threads);
                let known = known_threads(call.session.settings().threads);
                Ok(number(known))
            }
            None => Ok(number(known_threads(call.session.settings().threads))),
        },
    },
    switch!(
        "defer_foreign_keys",
        defer_foreign_keys,
        "all foreign keys wait for the COMMIT, which switches it off again; so does the end of \
         any statement outside of a transaction"
    ),
    switch!("recursive_triggers", recursive_triggers, "triggers may fire themselves"),
    switch!("ignore_check_constraints", ignore_check_constraints, "CHECK is not asked"),
    switch!(
        "query_only",
        query_only,
        "changes are refused, of settings that a file keeps, too; ATTACH makes no file"
    ),
    switch!("case_sensitive_like", case_sensitive_like, "LIKE tells `a` from `A`"),
    switch!(
        "legacy_alter_table",
        legacy_alter_table,
        "renaming a table leaves views and other tables' triggers as they are"
    ),
    switch!(
        "require_where",
        require_where,
        "UPDATE and DELETE without WHERE are refused; LIMIT counts as one"
    ),
    switch!("i_am_a_dummy", require_where, "another name of `require_where`"),
    switch!(
        "reverse_unordered_selects",
        reverse_unordered_selects,
        "tables are read backwards where no ORDER BY says otherwise: a test of what relies on \
         an order that nobody promised"
    ),
    Entry {
        name: "busy_timeout",
        columns: &["timeout"],
        scope: Scope::Session,
        values: "milliseconds",
        help: "how long a lock is waited for",
        run: busy_timeout,
    },
    Entry {
        name: "statement_timeout",
        columns: &["timeout"],
        scope: Scope::Session,
        values: "milliseconds; 0 for no bound",
        help: "how long a statement may run before it ends in an error",
        run: |call| {
            if let Some(milliseconds) = call.number()? {
                let bound = Duration::from_millis(milliseconds.max(0) as u64);
                call.session.set_statement_timeout((!bound.is_zero()).then_some(bound));
            }
            let bound = call.session.statement_timeout().unwrap_or_default();
            Ok(number(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX)))
        },
    },
    Entry {
        name: "hard_heap_limit",
        columns: &["hard_heap_limit"],
        scope: Scope::Session,
        values: "bytes; 0 leaves it",
        help: "what the sorts and hash tables of a statement may take before it ends in an error; \
               as in SQLite it can be lowered only; 0 where none was set, which is half of the \
               memory of the machine or the container, or a quarter of what `ulimit` gives the \
               process",
        run: |call| {
            let hard = call.session.settings().memory_hard_bytes;
            if let Some(bytes) = call.number()?.and_then(|it| u64::try_from(it).ok())
                && bytes > 0
                && bytes < hard
            {
                let soft = call.session.settings().memory_soft_bytes;
                // Files are used long before the end.
                call.session.set_memory_limits(soft.min(bytes / 2), bytes);
            }
            let hard = call.session.settings().memory_hard_bytes;
            Ok(number(if hard == u64::MAX { 0 } else { hard }))
        },
    },
    Entry {
        name: "automatic_index",
        columns: &["automatic_index"],
        scope: Scope::Session,
        values: "`ON`, `OFF`",
        help: "whether rows that no index finds are kept in a hash table for joins and subqueries",
        run: |call| {
            const HASHED: Rules = Rules::HASH_JOIN.with(Rules::LOOKUP);
            let Some(is_on) = call.switch()? else {
                return Ok(number(u64::from(call.session.settings().rules.has(HASHED))));
            };
            call.session.change_settings(|settings| {
                let rules = settings.rules;
                settings.rules = if is_on { rules.with(HASHED) } else { rules.without(HASHED) };
            });
            Ok(Vec::new())
        },
    },
    Entry {
        name: "isolation_level",
        columns: &["isolation_level"],
        scope: Scope::Session,
        values: "`READ UNCOMMITTED`, `READ COMMITTED`, `SNAPSHOT`, `SERIALIZABLE`",
        help: "what transactions that begin from now on see of others, unless BEGIN says it; one \
               that is open keeps its level",
        run: isolation_level,
    },
    Entry {
        name: "read_uncommitted",
        columns: &["read_uncommitted"],
        scope: Scope::Session,
        values: "`ON`, `OFF`",
        help: "SQLite's name of `isolation_level = READ UNCOMMITTED`; OFF is the default level",
        run: |call| {
            let Some(is_on) = call.switch()? else {
                let is_on = call.session.isolation() == Isolation::ReadUncommitted;
                return Ok(number(u64::from(is_on)));
            };
            let level = if is_on { Isolation::ReadUncommitted } else { Isolation::default() };
            call.session.set_isolation(level);
            Ok(Vec::new())
        },
    },
];

fn busy_timeout(call: &Call<'_>) -> Result<PragmaRows> {
    if let Some(milliseconds) = call.number()? {
        let timeout = Duration::from_millis(milliseconds.max(0) as u64);
        call.session.set_busy_timeout(timeout);
    }
    let timeout = match call.session.busy_timeout() {
        Some(timeout) => timeout,
        None => call.store()?.manager().busy_timeout(),
    };
    Ok(number(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)))
}

fn isolation_level(call: &Call<'_>) -> Result<PragmaRows> {
    const NAMES: [(&str, Isolation); 4] = [
        ("READ UNCOMMITTED", Isolation::ReadUncommitted),
        ("READ COMMITTED", Isolation::ReadCommitted),
        ("SNAPSHOT", Isolation::Snapshot),
        ("SERIALIZABLE", Isolation::Serializable),
    ];
    let Some(text) = call.text() else {
        let level = call.session.isolation();
        let name = NAMES.iter().find(|(_, known)| *known == level).map_or("", |(name, _)| name);
        return Ok(one(Value::text(name)));
    };
    let wanted = text.replace('_', " ");
    match NAMES.iter().find(|(name, _)| wanted.eq_ignore_ascii_case(name)) {
        Some((_, level)) => {
            call.session.set_isolation(*level);
            Ok(Vec::new())
        }
        None => Err(Error::invalid(format!("there is no isolation level {text}"))
            .with_hint("READ UNCOMMITTED, READ COMMITTED, SNAPSHOT or SERIALIZABLE")),
    }
}
