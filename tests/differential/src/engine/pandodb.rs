//! PandoDB as an [`Engine`]: a session of the query processor on a database in memory.
//!
//! Neighbours: `sqlite`.

use pandodb_qp::function::ValueRef;
use pandodb_qp::session::{Session, Step};
use pandodb_qp::store::Database;

use super::{Engine, Failure, Rows, Value};

/// From how many rows on plans run in the batch gear: 0 takes it wherever it can be taken.
fn batch_rows_min() -> Option<u64> {
    std::env::var("PANDODB_BATCH_ROWS_MIN").ok()?.parse().ok()
}

/// From how many rows on the batch gear reads a table with several threads.
fn parallel_rows_min() -> Option<u64> {
    std::env::var("PANDODB_PARALLEL_ROWS_MIN").ok()?.parse().ok()
}

/// How many bytes a statement keeps before it goes to files: with 0 everything that can goes.
fn memory_soft_bytes() -> Option<u64> {
    std::env::var("PANDODB_MEMORY_SOFT_BYTES").ok()?.parse().ok()
}

/// A PandoDB database in memory.
pub(crate) struct Pandodb(Session);

impl Pandodb {
    /// A fresh database.
    pub(crate) fn open() -> Result<Self, Failure> {
        let database = Database::in_memory().map_err(|error| failure(&error))?;
        let session = Session::new(database);
        if let Some(rows) = parallel_rows_min() {
            session.change_settings(|settings| settings.parallel_rows_min = rows);
        }
        if let Some(rows) = batch_rows_min() {
            session.change_settings(|settings| settings.batch_rows_min = rows);
        }
        if let Some(bytes) = memory_soft_bytes() {
            session.set_memory_limits(bytes, u64::MAX);
        }
        Ok(Self(session))
    }

    fn run(&self, sql: &str) -> pandodb_qp::Result<Rows> {
        let mut all = Rows::default();
        let mut rest = sql;
        while !rest.is_empty() {
            let (statement, consumed) = self.0.prepare(rest)?;
            if let Some(mut statement) = statement {
                if statement.column_count() > 0 {
                    let names = statement.column_names().into_iter();
                    all.names = names.map(String::from).collect();
                }
                while statement.step()? == Step::Row {
                    let row = statement.with_row(|row| row.iter().map(value).collect())?;
                    all.rows.push(row);
                }
            }
            if consumed == 0 {
                break;
            }
            rest = rest.get(consumed..).unwrap_or("");
        }
        Ok(all)
    }
}

impl Engine for Pandodb {
    fn execute(&mut self, sql: &str) -> Result<Rows, Failure> {
        self.run(sql).map_err(|error| failure(&error))
    }
}

fn value(from: &ValueRef<'_>) -> Value {
    match from {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(*value),
        ValueRef::Real(value) => Value::Real(*value),
        ValueRef::Text(text) => Value::Text(AsRef::<[u8]>::as_ref(text).to_vec()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn failure(error: &pandodb_qp::Error) -> Failure {
    Failure { code: error.extended_code(), message: error.message().to_owned() }
}
