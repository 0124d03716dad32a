//! The only door of this crate to transactions and trees.
//!
//! Everything above speaks of a [`Transaction`] on one head (branch) with trees of byte keys and
//! values, savepoints and owned [`Cursor`]s. A cursor sees its tree as it was when the cursor was
//! made: what the statement changes afterwards does not reach it, which is what keeps an UPDATE
//! from meeting its own rows. Neighbours: `catalog` and `execute` read through this, `modify`
//! and `define` write.

mod cursor;
mod database;
mod settings;
mod transaction;

pub use cursor::Cursor;
pub use database::Database;
pub(crate) use database::without_branch;
pub use pandodb_tm::{HeadId, Isolation, LightSavepoint, MAIN, Savepoint, TreeId};
pub use settings::{Kept, Own, codec_number, read_own, read_own_of, write_own};
pub use transaction::Transaction;

/// The tree that holds the catalog; there from the creation of a database.
pub const CATALOG_TREE: TreeId = TreeId(1);

/// The row of the catalog that every change of the schema replaces.
pub const COOKIE_ROW: i64 = 0;

/// The first tree number that objects get.
pub const FIRST_OBJECT_TREE: u64 = 16;
