//! What PRAGMAs change of a database for all its sessions, and what of that its file keeps.
//!
//! A kept setting is a row of the main branch's catalog at a small negative number (the place of
//! `user_version`, too), so it is logged, checkpointed and backed up like everything else. It is
//! applied when the database is opened, over the options that it is opened with. Neighbours:
//! `database` opens, `pragma` sets.

use std::time::Duration;

use pandodb_ds::codec::{Codec, CodecId};
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use pandodb_tm::{BeginOptions, MAIN, Retention};

use super::{CATALOG_TREE, Database, Transaction};
use crate::error::{Error, ErrorKind, Result};

/// Bytes of changed pages that a transaction keeps in memory unless `cache_spill` says otherwise.
const SPILL_BYTES: usize = 64 << 20;

/// Bytes of log after which a transaction is committed by its pages instead, with a log.
const LARGE_TRANSACTION_BYTES: usize = 8 << 20;

/// A setting that the file keeps, by its place in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// `compression`: codec and level.
    Compression = 3,
    /// `wal_mode`
    WalMode = 4,
    /// `history_retention`, in seconds; -1 for no bound.
    HistorySeconds = 5,
    /// `history_size`, in bytes; -1 for no bound.
    HistoryBytes = 6,
    /// `default_cache_size`, as `cache_size`.
    CacheSize = 7,
    /// `wal_archive`
    WalArchive = 8,
}

/// What the sessions of an open database share besides its manager. Each value stands alone,
/// hence relaxed throughout.
#[derive(Debug, Default)]
pub struct Shared {
    /// `max_page_count`; 0 for no bound.
    pub max_pages: AtomicU64,
    /// `cache_size` as it was set; 0 if it was not.
    pub cache_size: AtomicI64,
    /// `soft_heap_limit` in bytes; 0 for no bound.
    pub soft_limit: AtomicU64,
    /// `wal_mode = OFF`
    pub has_no_log: AtomicBool,
    /// `cache_spill` in bytes; 0 as long as it was not set.
    pub spill_bytes: AtomicU64,
}

/// Reads the row of a setting.
pub fn read_kept(transaction: &Transaction, place: i64) -> Result<Option<i64>> {
    let Some(row) = transaction.get(CATALOG_TREE, &rowid_key(-place))? else { return Ok(None) };
    match RowView::new(&row)?.column(0)? {
        Some(ValueRef::Integer(value)) => Ok(Some(value)),
        _ => Err(Error::new(ErrorKind::Corrupt, "a setting of the catalog is no number")),
    }
}

/// Writes the row of a setting; none removes it.
pub fn write_kept(transaction: &mut Transaction, place: i64, value: Option<i64>) -> Result<()> {
    let key = rowid_key(-place);
    let Some(value) = value else {
        transaction.delete(CATALOG_TREE, &key)?;
        return Ok(());
    };
    let mut row = Vec::new();
    encode_row(&[ValueRef::Integer(value)], &mut row)?;
    transaction.put(CATALOG_TREE, &key, &row)
}

/// A codec as a number: what it is, and its level.
pub fn codec_number(codec: Codec) -> i64 {
    i64::from(codec.id() as u8) | i64::from(codec.level()) << 8
}

fn codec_of(number: i64) -> Result<Codec> {
    let id = CodecId::from_byte((number & 0xff) as u8)?;
    let level = (number >> 8) as i32;
    Ok(match id {
        CodecId::Zstd => Codec::zstd(level),
        CodecId::Gzip => Codec::gzip(level),
        id => id.into(),
    })
}

impl Database {
    /// A setting that the file keeps.
    pub fn kept(&self, what: Kept) -> Result<Option<i64>> {
        read_kept(&self.begin(MAIN, BeginOptions::read_only())?, what as i64)
    }

    /// Keeps a setting in the file and applies it, in a transaction of its own that begins as
    /// `options` say.
    pub fn keep(&self, what: Kept, value: Option<i64>, options: BeginOptions) -> Result<()> {
        let mut writer = self.begin(MAIN, options)?;
        writer.prepare_write()?;
        write_kept(&mut writer, what as i64, value)?;
        writer.commit()?;
        match value {
            Some(value) => self.apply(what, value),
            None => Ok(()),
        }
    }

    /// Applies what the file keeps; once, when it is opened.
    pub(super) fn apply_kept(&self) -> Result<()> {
        let reader = self.begin(MAIN, BeginOptions::read_only())?;
        for what in [
            Kept::Compression,
            Kept::WalMode,
            Kept::HistorySeconds,
            Kept::HistoryBytes,
            Kept::CacheSize,
            Kept::WalArchive,
        ] {
            if let Some(value) = read_kept(&reader, what as i64)? {
                self.apply(what, value)?;
            }
        }
        Ok(())
    }

    fn apply(&self, what: Kept, value: i64) -> Result<()> {
        let manager = self.manager();
        match what {
            Kept::Compression => manager.store().set_codec(codec_of(value)?),
            Kept::WalMode => {
                self.common().has_no_log.store(value == 0, Ordering::Relaxed);
                self.apply_sizes();
            }
            Kept::HistorySeconds => {
                let time = u64::try_from(value).ok().map(Duration::from_secs);
                manager.set_retention(Retention { time, ..manager.retention() });
            }
            Kept::HistoryBytes => {
                let log_bytes = u64::try_from(value).ok();
                manager.set_retention(Retention { log_bytes, ..manager.retention() });
            }
            Kept::CacheSize => self.set_cache_size(value),
            Kept::WalArchive => manager.set_archive(value != 0),
        }
        Ok(())
    }

    /// Sets the cache as SQLite counts it: pages, or KiB where the number is negative.
    pub fn set_cache_size(&self, size: i64) {
        self.common().cache_size.store(size, Ordering::Relaxed);
        self.apply_cache();
    }

    /// Gives the cache the bytes that `cache_size` and `soft_heap_limit` leave it.
    pub fn apply_cache(&self) {
        let page = self.manager().pager().page_bytes() as u64;
        let size = self.common().cache_size.load(Ordering::Relaxed);
        let wanted = match size {
            0 => self.manager().store().info().map_or(0, |info| info.cache.budget),
            size if size < 0 => size.unsigned_abs().saturating_mul(1024),
            size => size.unsigned_abs().saturating_mul(page),
        };
        let limit = self.common().soft_limit.load(Ordering::Relaxed);
        let bytes = if limit > 0 { wanted.min(limit) } else { wanted };
        self.manager().store().set_cache_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    }

    /// Tells transactions when they leave memory, and when the log.
    pub fn apply_sizes(&self) {
        let spill = match self.common().spill_bytes.load(Ordering::Relaxed) {
            0 => SPILL_BYTES,
            bytes => usize::try_from(bytes).unwrap_or(usize::MAX),
        };
        // Without a log every commit is one by its pages: the log only names them.
        let has_no_log = self.common().has_no_log.load(Ordering::Relaxed);
        let large = if has_no_log { 0 } else { LARGE_TRANSACTION_BYTES };
        self.manager().set_size_limits(spill, large);
    }
}
