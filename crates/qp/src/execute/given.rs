//! Rows that come from no table: all there already, or made as they are asked for.
//!
//! Neighbours: `operators::source` gives them to a plan, `session::statement` to the caller of a
//! command; `crate::branching::stream` makes differences one after the other.

use std::fmt;

use pandodb_ds::record::Value;

use crate::error::Result;

/// Makes rows as they are asked for.
pub trait RowStream: Send {
    /// The next row.
    fn next_row(&mut self) -> Result<Option<Vec<Value>>>;
}

/// Rows that come from no table.
pub enum GivenRows {
    /// They are there.
    Made(std::vec::IntoIter<Vec<Value>>),
    /// They are made one after the other.
    Streamed(Box<dyn RowStream>),
}

impl GivenRows {
    /// The next row.
    pub fn next_row(&mut self) -> Result<Option<Vec<Value>>> {
        match self {
            Self::Made(rows) => Ok(rows.next()),
            Self::Streamed(rows) => rows.next_row(),
        }
    }
}

impl From<Vec<Vec<Value>>> for GivenRows {
    fn from(rows: Vec<Vec<Value>>) -> Self {
        Self::Made(rows.into_iter())
    }
}

impl fmt::Debug for GivenRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made(rows) => formatter.debug_tuple("Made").field(&rows.len()).finish(),
            Self::Streamed(_) => formatter.write_str("Streamed"),
        }
    }
}
