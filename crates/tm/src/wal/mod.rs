//! The write-ahead log: what a transaction did, on disk before it is acknowledged.
//!
//! The log is a sequence of bytes, cut into segment files; a position in it ([`Lsn`](crate::Lsn))
//! counts frame bytes and only grows. A transaction is encoded while it runs into a
//! [`FrameBuffer`], gets its place at the commit, and is read back whole or not at all.
//!
//! # Format
//!
//! `docs/file-format.md` describes the bytes; the tables there are made from [`layout`].
//!
//! A transaction is the frames from one with flag 1 to one with flag 2, all with the same commit
//! id, in one segment; its first operation has code 2, its last one code 3. Commit ids grow along
//! the log. Reading begins at the position in the superblock and skips commits that the
//! superblock's commit covers. It ends at the first frame that is not valid: if anything behind it
//! says that the log was durable beyond that place, the log is damaged, else its tail is torn.
//! A writer that goes on in the segment in which the log ended first cuts off what lies behind its
//! end, durably: nothing of a torn tail is ever behind a new frame.
//! A superblock becomes durable only after the log up to its position, file names included.
//!
//! Neighbours: `codec` and `operation` (what is said), `frame` (how it is verified), `segment`
//! (files), `layout` (their tables), `writer`, `reader` with `damage`, `archive`; `commit` decides
//! who writes when.

mod codec;
mod damage;
mod frame;
pub mod layout;
mod operation;
mod reader;
mod segment;
mod writer;

pub mod archive;

#[cfg(all(test, not(loom)))]
mod crash_tests;
#[cfg(all(test, not(loom)))]
mod gap_tests;
#[cfg(all(test, not(loom)))]
mod tests;

pub use frame::{FRAME_MAGIC, FRAME_MAX_LEN, FrameBuffer, FrameMark};
pub use operation::{CommitInfo, Operation};
pub use reader::{LogEnd, LoggedTransaction, Reader};
pub(crate) use segment::log_beside;
pub use segment::{DatabaseId, check_no_log};
pub use writer::{FlushPlan, WalOptions, Writer};

/// What is waited for (`PRAGMA synchronous`); `docs/transactions.md` has the promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Synchronous {
    /// Nothing waits for the disk, checkpoints neither: what the system was given outlives the
    /// process, but when the power goes the file may be damaged (which its checksums tell).
    Off,
    /// Synced at checkpoints: a crash of the machine may lose the newest commits, in order.
    #[default]
    Normal,
    /// Acknowledged when durable.
    Full,
}
