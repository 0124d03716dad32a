//! `pandodb-tm`: transactions, from a change to a promise.
//!
//! This crate knows trees, keys and bytes on any number of heads, never SQL. It is an internal
//! crate of PandoDB; the only interface with promises is the package `pandodb`.

// What the rest is written in.
pub mod error;
pub mod ids;

// Who may touch what.
pub mod lock;

// What is still read, and what is newest.
pub mod head;
pub mod snapshot;

// What makes a commit last.
pub mod commit;
pub mod wal;

// What happens after a failure.
pub mod poison;

pub use error::{Error, ErrorKind, Result};
pub use ids::{CommitId, HeadId, Lsn, TransactionId, TreeId};
