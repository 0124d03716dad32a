//! The table of PRAGMAs.
//!
//! Neighbours: `schema` has those that describe tables.

use pandodb_ds::record::Value;

use super::{check, numbers, schema};
use crate::ast::Name;
use crate::catalog::DatabaseIndex;
use crate::error::{Error, Result};
use crate::session::Session;

/// One use of a PRAGMA.
pub struct Call<'a> {
    /// Whose.
    pub session: &'a Session,
    /// `schema.` in front of the name.
    pub schema: Option<&'a Name>,
    /// The text of the value it is given.
    pub value: Option<&'a str>,
}

/// The rows of a PRAGMA.
pub(super) type PragmaRows = Vec<Vec<Value>>;

/// A PRAGMA.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What its rows are called.
    pub columns: &'static [&'static str],
    /// What it is for.
    pub help: &'static str,
    /// Reads or sets it.
    pub run: fn(&Call<'_>) -> Result<PragmaRows>,
}

impl Call<'_> {
    /// The text of the value.
    pub fn text(&self) -> Option<&str> {
        self.value
    }

    /// The value as a switch.
    pub fn switch(&self) -> Option<bool> {
        let text = self.text()?.to_ascii_lowercase();
        Some(match text.as_str() {
            "on" | "yes" | "true" => true,
            "off" | "no" | "false" => false,
            other => other.parse::<i64>().is_ok_and(|number| number != 0),
        })
    }

    /// The database that is meant.
    pub fn database(&self) -> Result<Option<DatabaseIndex>> {
        self.schema.map(|name| self.session.database_named(name)).transpose()
    }
}

/// One row with one value.
fn one(value: Value) -> PragmaRows {
    vec![vec![value]]
}

macro_rules! switch {
    ($name:literal, $field:ident, $help:literal) => {
        Entry {
            name: $name,
            columns: &[$name],
            help: $help,
            run: |call| match call.switch() {
                Some(value) => {
                    call.session.change_settings(|settings| settings.$field = value);
                    Ok(Vec::new())
                }
                None => Ok(one(Value::Integer(i64::from(call.session.settings().$field)))),
            },
        }
    };
}

/// All PRAGMAs.
pub const ENTRIES: &[Entry] = &[
    Entry {
        name: "foreign_keys",
        columns: &["foreign_keys"],
        help: "whether foreign keys are enforced",
        run: |call| match call.switch() {
            // Inside of a transaction the switch does nothing, as in SQLite.
            Some(_) if !call.session.is_autocommit() => Ok(Vec::new()),
            Some(value) => {
                call.session.change_settings(|settings| settings.foreign_keys = value);
                Ok(Vec::new())
            }
            None => Ok(one(Value::Integer(i64::from(call.session.settings().foreign_keys)))),
        },
    },
    switch!("defer_foreign_keys", defer_foreign_keys, "all foreign keys wait for the commit"),
    switch!("recursive_triggers", recursive_triggers, "triggers may fire themselves"),
    switch!("ignore_check_constraints", ignore_check_constraints, "CHECK is not asked"),
    switch!("query_only", query_only, "changes are refused"),
    Entry {
        name: "synchronous",
        columns: &["synchronous"],
        help: "what commits of the database wait for: OFF (0), NORMAL (1), FULL (2)",
        run: numbers::synchronous,
    },
    Entry {
        name: "table_info",
        columns: &["cid", "name", "type", "notnull", "dflt_value", "pk"],
        help: "the columns of a table",
        run: |call| schema::table_info(call, false),
    },
    Entry {
        name: "table_xinfo",
        columns: &["cid", "name", "type", "notnull", "dflt_value", "pk", "hidden"],
        help: "the columns of a table, hidden and generated ones included",
        run: |call| schema::table_info(call, true),
    },
    Entry {
        name: "index_list",
        columns: &["seq", "name", "unique", "origin", "partial"],
        help: "the indexes of a table",
        run: schema::index_list,
    },
    Entry {
        name: "index_info",
        columns: &["seqno", "cid", "name"],
        help: "the columns of an index",
        run: |call| schema::index_info(call, false),
    },
    Entry {
        name: "index_xinfo",
        columns: &["seqno", "cid", "name", "desc", "coll", "key"],
        help: "the columns of an index with their orders",
        run: |call| schema::index_info(call, true),
    },
    Entry {
        name: "foreign_key_list",
        columns: &["id", "seq", "table", "from", "to", "on_update", "on_delete", "match"],
        help: "the foreign keys of a table",
        run: schema::foreign_key_list,
    },
    Entry {
        name: "table_list",
        columns: &["schema", "name", "type", "ncol", "wr", "strict"],
        help: "all tables and views",
        run: schema::table_list,
    },
    Entry {
        name: "database_list",
        columns: &["seq", "name", "file"],
        help: "the databases of the session",
        run: |call| {
            let names = call.session.database_names();
            let row = |(index, name): (DatabaseIndex, Box<str>)| {
                vec![Value::Integer(i64::from(index.0)), Value::text(&*name), Value::text("")]
            };
            Ok(names.into_iter().map(row).collect())
        },
    },
    Entry {
        name: "integrity_check",
        columns: &["integrity_check"],
        help: "whether indexes agree with tables and rows with their constraints",
        run: |call| check::run(call, true),
    },
    Entry {
        name: "quick_check",
        columns: &["quick_check"],
        help: "as integrity_check, without looking for entries of indexes",
        run: |call| check::run(call, false),
    },
    Entry {
        name: "foreign_key_check",
        columns: &["table", "rowid", "parent", "fkid"],
        help: "rows whose foreign keys have no parent",
        run: check::foreign_keys,
    },
    Entry {
        name: "user_version",
        columns: &["user_version"],
        help: "a number that the database keeps for the application",
        run: |call| numbers::setting(call, 1),
    },
    Entry {
        name: "application_id",
        columns: &["application_id"],
        help: "a number that says whose file it is",
        run: |call| numbers::setting(call, 2),
    },
    Entry {
        name: "schema_version",
        columns: &["schema_version"],
        help: "a number that every change of the schema replaces",
        run: numbers::schema_version,
    },
    Entry {
        name: "encoding",
        columns: &["encoding"],
        help: "how texts are stored: always UTF-8",
        run: |call| match call.text() {
            None => Ok(one(Value::text("UTF-8"))),
            Some(text)
                if text.eq_ignore_ascii_case("utf-8") || text.eq_ignore_ascii_case("utf8") =>
            {
                Ok(Vec::new())
            }
            Some(text) => Err(Error::invalid(format!("unsupported encoding: {text}"))),
        },
    },
    Entry {
        name: "collation_list",
        columns: &["seq", "name"],
        help: "the collations",
        run: |call| Ok(numbers::collations(call.session)),
    },
    Entry {
        name: "function_list",
        columns: &["name", "builtin", "type", "enc", "narg", "flags"],
        help: "the functions",
        run: |call| Ok(numbers::functions(call.session)),
    },
    Entry {
        name: "busy_timeout",
        columns: &["timeout"],
        help: "how long a lock is waited for, in milliseconds",
        run: numbers::busy_timeout,
    },
    Entry {
        name: "isolation_level",
        columns: &["isolation_level"],
        help: "what transactions see of others",
        run: isolation_level,
    },
];

fn isolation_level(call: &Call<'_>) -> Result<PragmaRows> {
    use crate::store::Isolation;
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
