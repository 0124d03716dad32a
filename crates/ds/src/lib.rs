//! `pandodb-ds`: data storage, from a key to a byte on disk.
//!
//! This crate is not a database: it knows no SQL, no transactions and no branch names. It
//! offers persistent (copy-on-write) trees in one file, checkpoints that make a set of roots
//! durable, backup, and an integrity check. It is an internal crate of PandoDB; the only
//! interface with promises is the package `pandodb`.

// Bounds, errors and the door to threads.
pub mod error;
pub mod limits;
pub mod sync;

// The outside world.
pub mod vfs;

// What is stored.
pub mod cache;
pub mod codec;
pub mod format;
pub mod metrics;
pub mod page;
pub mod pager;
pub mod record;
pub mod space;
pub mod tree;

pub use error::{Error, ErrorKind, Result};
