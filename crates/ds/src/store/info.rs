//! The store in numbers. Neighbours: `metrics` counts, `pragma storage_info` shows.

use std::time::Duration;

use super::Store;
use crate::error::Result;
use crate::format::Granule;
use crate::metrics::{CODECS, StorageInfo};
use crate::space::Count;
use crate::sync::atomic::Ordering;

impl Store {
    pub(super) fn note_checkpoint(&self, took: Duration, bytes: u64, time_micros: i64) {
        let metrics = &self.pager.metrics;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        metrics.checkpoints.fetch_add(1, Ordering::Relaxed);
        metrics.checkpoint_micros.fetch_add(micros, Ordering::Relaxed);
        metrics.last_checkpoint_micros.store(micros, Ordering::Relaxed);
        metrics.last_checkpoint_bytes.store(bytes, Ordering::Relaxed);
        metrics.last_checkpoint_time.store(time_micros as u64, Ordering::Relaxed);
    }

    /// How many durable references lead to an extent: what tells a page that one head owns alone
    /// from one that is shared.
    pub fn references(&self, extent: Granule) -> Count {
        self.pager.space.count(extent)
    }

    /// When the newest checkpoint was made, in microseconds since 1970.
    pub fn last_checkpoint_time(&self) -> i64 {
        self.durable.lock().superblock.time_micros
    }

    /// The state of the storage now.
    pub fn info(&self) -> Result<StorageInfo> {
        let metrics = &self.pager.metrics;
        let durable = self.durable.lock().superblock.clone();
        let mut codecs = [(0, 0); CODECS];
        for (number, totals) in codecs.iter_mut().enumerate() {
            *totals = metrics.codec(number as u8);
        }
        Ok(StorageInfo {
            page_bytes: self.pager.page_bytes() as u64,
            file_bytes: self.pager.file.len()?,
            space: self.pager.space.counts(),
            cache: self.pager.cache.counts(),
            pages_read: metrics.pages_read.load(Ordering::Relaxed),
            bytes_read: metrics.bytes_read.load(Ordering::Relaxed),
            pages_written: metrics.pages_written.load(Ordering::Relaxed),
            bytes_written: metrics.bytes_written.load(Ordering::Relaxed),
            codecs,
            checkpoints: metrics.checkpoints.load(Ordering::Relaxed),
            checkpoint: durable.checkpoint,
            last_checkpoint_time: durable.time_micros,
            last_checkpoint_micros: metrics.last_checkpoint_micros.load(Ordering::Relaxed),
            last_checkpoint_bytes: metrics.last_checkpoint_bytes.load(Ordering::Relaxed),
        })
    }
}
