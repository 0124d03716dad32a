//! PandoDB as an [`Engine`].
//!
//! Neighbours: `sqlite`.

use super::{Engine, Failure, Rows};

/// A PandoDB database in memory.
pub(crate) struct Pandodb;

impl Pandodb {
    /// A fresh database.
    pub(crate) fn open() -> Result<Self, Failure> {
        Err(Failure::internal("PandoDB runs no SQL yet"))
    }
}

impl Engine for Pandodb {
    fn execute(&mut self, _: &str) -> Result<Rows, Failure> {
        Err(Failure::internal("PandoDB runs no SQL yet"))
    }
}
