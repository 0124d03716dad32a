//! The write-ahead log: what a transaction did, on disk before it is acknowledged.
//!
//! The log is a sequence of bytes, cut into segment files; a position in it ([`Lsn`](crate::Lsn))
//! counts frame bytes and only grows. A transaction is encoded while it runs into a
//! [`FrameBuffer`], gets its place at the commit, and is read back whole or not at all.
//!
//! # Format
//!
//! All numbers are little-endian. The log of `app.pando` is the files `app.pando-wal-00000001` and
//! up. A file begins with a header of 512 bytes (fields in the module `segment`: magic
//! `PANDOWAL`, version, database id, number, salt, first and durable position, CRC32), followed by
//! frames without gaps; what follows the last frame is left from the preallocation or an earlier
//! life of the file. A frame is
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic `0x377F0682` |
//! | 4 | 4 | length of the frame, from the magic to the CRC |
//! | 8 | 4 | number of the tree that the batch starts with |
//! | 12 | 8 | commit id |
//! | 20 | 1 | flags: 1 first frame of a transaction, 2 last one |
//! | 21 | n | batch of operations |
//! | 21 + n | 4 | last frame only: bytes before this frame that were not known to be durable |
//! | length - 4 | 4 | CRC32 of the segment's salt, the frame's position and all bytes before |
//!
//! An operation is a code of one byte and its fields; numbers are base-128, least significant
//! group first, byte strings have their length before them:
//!
//! | code | operation | fields |
//! |---|---|---|
//! | 1 | what follows is on another tree | tree |
//! | 2 | what follows is on this head | head, its commit |
//! | 3 | the transaction is whole | time (zigzag microseconds), author, message, flags |
//! | 4 | put | key, value |
//! | 5 | delete | key |
//! | 6 | delete a range | first key, first key that stays |
//! | 7 | delete to the end | first key |
//! | 8 | create the tree | settings: the layout, one byte |
//! | 9 | drop the tree | |
//! | 10 | create a head | head, source, its commit, note |
//! | 11 | drop a head | head |
//! | 12 | a head stands where another one stands | head, its commit, source |
//! | 13 | the changes are in pages of the file | reserved bytes |
//! | 14 | a record of an upper crate | kind, bytes |
//! | 15 | the note of a head | head, note |
//!
//! A transaction is the frames from one with flag 1 to one with flag 2, all with the same commit
//! id, in one segment; its first operation has code 2, its last one code 3. Commit ids grow along
//! the log. Reading begins at the position in the superblock and skips commits that the
//! superblock's commit covers. It ends at the first frame that is not valid: if anything behind it
//! says that the log was durable beyond that place, the log is damaged, else its tail is torn.
//! A writer never appends behind a torn tail in the same segment; it begins the next one.
//! A superblock becomes durable only after the log up to its position, file names included.
//!
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
