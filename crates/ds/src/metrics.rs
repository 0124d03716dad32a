//! What the storage did, in numbers.
//!
//! Counters are relaxed atomics: they order nothing. Neighbours: `pager` and `checkpoint` count,
//! `store` hands out a [`StorageInfo`].

use crate::sync::atomic::{AtomicU64, Ordering};

/// How many codec numbers are told apart.
pub const CODECS: usize = 8;

/// Counters that only grow.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Extents read.
    pub pages_read: AtomicU64,
    /// Bytes of those, as stored.
    pub bytes_read: AtomicU64,
    /// Extents written.
    pub pages_written: AtomicU64,
    /// Bytes of those, whole granules.
    pub bytes_written: AtomicU64,
    raw: [AtomicU64; CODECS],
    stored: [AtomicU64; CODECS],
    /// Checkpoints finished.
    pub checkpoints: AtomicU64,
    /// What all of them took, in microseconds.
    pub checkpoint_micros: AtomicU64,
    /// What the last one took, in microseconds.
    pub last_checkpoint_micros: AtomicU64,
    /// Bytes that the last one wrote.
    pub last_checkpoint_bytes: AtomicU64,
    /// When the last one was durable, in microseconds since 1970.
    pub last_checkpoint_time: AtomicU64,
    /// Syncs of the database file.
    pub syncs: AtomicU64,
}

impl Metrics {
    pub(crate) fn note_codec(&self, codec: u8, raw: u64, stored: u64) {
        if let (Some(raws), Some(storeds)) =
            (self.raw.get(usize::from(codec)), self.stored.get(usize::from(codec)))
        {
            raws.fetch_add(raw, Ordering::Relaxed);
            storeds.fetch_add(stored, Ordering::Relaxed);
        }
    }

    /// Raw and stored bytes that were written with a codec.
    pub fn codec(&self, codec: u8) -> (u64, u64) {
        let index = usize::from(codec).min(CODECS - 1);
        (self.raw[index].load(Ordering::Relaxed), self.stored[index].load(Ordering::Relaxed))
    }
}

/// The state of the storage at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct StorageInfo {
    /// The size that pages are split at.
    pub page_bytes: u64,
    /// The length of the file.
    pub file_bytes: u64,
    /// Space by use, in granules of 512 bytes.
    pub space: SpaceCounts,
    /// Cache counts.
    pub cache: CacheCounts,
    /// Extents read and bytes of them.
    pub pages_read: u64,
    /// Stored bytes read.
    pub bytes_read: u64,
    /// Extents written.
    pub pages_written: u64,
    /// Bytes written, whole granules.
    pub bytes_written: u64,
    /// Raw and stored bytes written since the start, by codec number.
    pub codecs: [(u64, u64); CODECS],
    /// Checkpoints since the start.
    pub checkpoints: u64,
    /// The number of the last checkpoint in the file.
    pub checkpoint: u64,
    /// When it was made, in microseconds since 1970.
    pub last_checkpoint_time: i64,
    /// What it took, in microseconds.
    pub last_checkpoint_micros: u64,
    /// Bytes that it wrote.
    pub last_checkpoint_bytes: u64,
}

/// What the cache did and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Pages that were in a shard's map (hits by hint are not counted: they are the fast path).
    pub hits: u64,
    /// Pages that had to be read.
    pub misses: u64,
    /// Pages that left to make room.
    pub evictions: u64,
    /// Bytes of the pages inside.
    pub bytes: u64,
    /// How many pages are inside.
    pub pages: u64,
    /// The most bytes that may be inside.
    pub budget: u64,
}

/// The space of the file by use, in granules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceCounts {
    /// The used part of the file, superblocks included.
    pub end: u64,
    /// Free runs, ready to be reused.
    pub free: u64,
    /// Released, waiting for readers.
    pub pending: u64,
    /// Written or about to be, not yet reachable from a durable root.
    pub unattached: u64,
    /// How many free runs there are.
    pub runs: u64,
    /// Extents with another count than the usual one.
    pub counted: u64,
}

impl SpaceCounts {
    /// Granules that a durable root reaches (superblocks included).
    pub fn reachable(&self) -> u64 {
        self.end - self.free - self.pending - self.unattached
    }
}
