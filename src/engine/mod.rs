//! The seam to the engine below: the only module that names its types.
//!
//! What crosses it: text goes down, rows come up as [`RowValues`], errors as this crate's own.
//! So the engine may change its session and its values without a user of the library noticing.
//! Neighbours: `session` and `prepared` wrap the engine's session and statements,
//! `functions` takes what applications define.

mod backup;
mod blob;
mod branching;
pub(crate) mod functions;
mod limits;
mod prepared;
mod session;
mod text;
mod trace;

pub(crate) use backup::{Backup, restore};
pub(crate) use blob::Blob;
pub(crate) use branching::{ConflictAddress, Fork};
pub(crate) use prepared::Prepared;
pub(crate) use session::{Database, InterruptFlag, RowValues, Session};
pub use text::is_complete;
pub(crate) use text::{first_statement, has_statement, literal};

use crate::error::Result;

/// A running statement, without the lifetime of its session.
pub(crate) trait Cursor {
    /// Goes to the next row; false at the end.
    fn advance(&mut self) -> Result<bool>;
    /// The current row.
    fn row(&self) -> RowValues<'_>;
    /// Ends the run.
    fn reset(&mut self);
    /// How many columns rows have.
    fn column_count(&self) -> usize;
    /// The name of a column; empty where there is none.
    fn column_name(&self, at: usize) -> &str;
    /// The statement's text.
    fn sql(&self) -> &str;
}
