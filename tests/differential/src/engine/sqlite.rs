//! Bundled SQLite as an [`Engine`]: the oracle.
//!
//! The bundled build turns foreign keys on, SQLite's own default is off: set back, so that
//! scripts mean the same everywhere. Neighbours: `pandodb`.

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, Error};

use super::{Engine, Failure, Rows, Value};

/// A SQLite database in memory.
pub(crate) struct Sqlite(Connection);

impl Sqlite {
    /// A fresh database.
    pub(crate) fn open() -> Result<Self, Failure> {
        let connection = Connection::open_in_memory().map_err(|error| failure(&error))?;
        connection.pragma_update(None, "foreign_keys", false).map_err(|error| failure(&error))?;
        Ok(Self(connection))
    }

    /// Whether a transaction is open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        !self.0.is_autocommit()
    }

    fn run(&self, sql: &str) -> rusqlite::Result<Rows> {
        let mut all = Rows::default();
        let mut batch = Batch::new(&self.0, sql);
        while let Some(mut statement) = batch.next()? {
            let columns = statement.column_count();
            if columns > 0 {
                let names = statement.column_names();
                all.names = names.map(str::to_owned).collect();
            }
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                // SQLite compiles again where the schema turns out to be another one: behind an
                // ALTER that fails inside of a transaction, its columns are others then.
                let columns = row.as_ref().column_count();
                let values = (0..columns).map(|at| row.get_ref(at).map(value));
                all.rows.push(values.collect::<rusqlite::Result<_>>()?);
            }
        }
        Ok(all)
    }
}

impl Engine for Sqlite {
    fn execute(&mut self, sql: &str) -> Result<Rows, Failure> {
        self.run(sql).map_err(|error| failure(&error))
    }
}

fn value(from: ValueRef<'_>) -> Value {
    match from {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Text(bytes) => Value::Text(bytes.to_vec()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::SqliteFailure(cause, message) => Failure {
            code: cause.extended_code,
            message: message.clone().unwrap_or_else(|| cause.to_string()),
        },
        Error::SqlInputError { error, msg, .. } => {
            Failure { code: error.extended_code, message: msg.clone() }
        }
        other => Failure { code: 1, message: other.to_string() },
    }
}
