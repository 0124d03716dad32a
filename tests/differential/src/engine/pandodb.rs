//! PandoDB as an [`Engine`].
//!
//! Neighbours: `sqlite`.

use pandodb_qp::Value as Stored;
use pandodb_qp::session::{Session, Step};
use pandodb_qp::store::Database;

use super::{Engine, Failure, Rows, Value};

/// A PandoDB database in memory.
pub(crate) struct Pandodb {
    session: Session,
}

impl Pandodb {
    /// A fresh database.
    pub(crate) fn open() -> Result<Self, Failure> {
        let database = Database::in_memory().map_err(|error| failure(&error))?;
        Ok(Self { session: Session::new(database) })
    }
}

impl Engine for Pandodb {
    fn execute(&mut self, sql: &str) -> Result<Rows, Failure> {
        let mut rows = Rows::default();
        let mut rest = sql;
        while !rest.trim().is_empty() {
            let prepared = self.session.prepare(rest).map_err(|error| failure(&error))?;
            let (statement, behind) = prepared;
            if let Some(mut statement) = statement {
                if statement.column_count() > 0 {
                    rows.columns = statement.column_count();
                }
                while statement.step().map_err(|error| failure(&error))? == Step::Row {
                    let row = statement.row().map_err(|error| failure(&error))?;
                    rows.rows.push(row.into_iter().map(value).collect());
                }
            }
            rest = rest.get(behind..).unwrap_or("");
        }
        Ok(rows)
    }
}

fn value(value: Stored) -> Value {
    match value {
        Stored::Null => Value::Null,
        Stored::Integer(value) => Value::Integer(value),
        Stored::Real(value) => Value::Real(value),
        Stored::Text(bytes) => Value::Text(bytes.to_vec()),
        Stored::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

fn failure(error: &pandodb_qp::Error) -> Failure {
    Failure { code: error.extended_code(), message: error.to_string() }
}
