//! `pandodb-ds`: data storage, from a key to a byte on disk.
//!
//! This crate is not a database: it knows no SQL, no transactions and no branch names. It
//! offers persistent (copy-on-write) trees in one file, checkpoints that make a set of roots
//! durable, backup, and an integrity check. It is an internal crate of PandoDB; the only
//! interface with promises is the package `pandodb`.

// Bounds, errors, numbers and the door to threads.
pub mod error;
pub mod limits;
pub mod metrics;
pub mod sync;

// The outside world.
pub mod vfs;

// What is stored, and how small.
pub mod codec;
pub mod record;

// How it lies in the file.
pub mod format;

// Nodes in memory, and for how long they stay.
pub mod page;

pub mod cache;

// Which part of the file is whose.
pub mod space;

// From a page reference to a node.
pub mod pager;

// From a key to a value, in one tree and in all trees of a head.
pub mod tree;

pub mod forest;

// From memory to a durable file.
pub mod checkpoint;

// One file and all that belongs to it.
pub mod store;

// Whether it holds what it should.
pub mod backup;
pub mod check;
pub mod compact;
pub mod rewrite;

pub use error::{Error, ErrorKind, Result};
