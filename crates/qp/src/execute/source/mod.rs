//! What a statement reads its rows from: transactions, and versions beside them.
//!
//! Neighbours: `context` holds these, the scans of `operators` ask them for cursors.

mod transaction;
mod version;

pub use transaction::{LoneTransaction, Looked, SharedTransaction, Sources};
pub use version::{Reader, Version, VersionName, Versions};
