//! Calls of JSON functions with the results that SQLite gives.
//!
//! Neighbour: `tests` runs them.

mod documents;
mod paths;

pub(super) use documents::DOCUMENTS;
pub(super) use paths::PATHS;
