//! The write-ahead log: what a transaction did, on disk before it is acknowledged.
//!
//! The log is a sequence of bytes, cut into segment files; a position in it ([`Lsn`](crate::Lsn))
//! counts frame bytes and only grows. A transaction is encoded while it runs into a
//! [`FrameBuffer`], gets its place at the commit, and is read back whole or not at all.
//! Neighbours: `codec` and `operation` (what is said), `frame` (how it is verified), `segment`
//! (files), `writer`, `reader` with `damage`, `archive`; `commit` decides who writes when.

mod codec;
mod damage;
mod frame;
mod operation;
mod reader;
mod segment;
mod writer;

pub mod archive;

#[cfg(all(test, not(loom)))]
mod crash_tests;
#[cfg(all(test, not(loom)))]
mod tests;

pub use frame::{FRAME_MAGIC, FRAME_MAX_LEN, FrameBuffer, FrameMark};
pub use operation::{CommitInfo, Operation};
pub use reader::{LogEnd, LoggedTransaction, Reader};
pub use segment::DatabaseId;
pub use writer::{FlushPlan, WalOptions, Writer};

/// What a commit waits for (`PRAGMA synchronous`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Synchronous {
    /// As `Normal`: checkpoints sync all the same, since nothing else keeps a file whole.
    Off,
    /// Synced at checkpoints: a crash of the machine may lose the newest commits, in order.
    #[default]
    Normal,
    /// Acknowledged when durable.
    Full,
}
