//! What PRAGMAs change of a database for all its sessions, and what of that its file keeps.
//!
//! What the whole file keeps ([`Kept`]) is a record beside those of branches, so it is logged,
//! checkpointed and backed up like everything else, and no reset or merge of a branch changes it.
//! It is applied when the database is opened, over the options that it is opened with. What belongs
//! to the contents ([`Own`]) is each branch's own: a row of its catalog at a small negative number.
//! Neighbours: `database` opens, `pragma` sets, `branching` merges what is a branch's own.

use std::collections::BTreeMap;
use std::time::Duration;

use pandodb_branch::registry::{SETTINGS_MOVED, kept_settings};

use pandodb_ds::codec::{Codec, CodecId};
use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Pager;
use pandodb_ds::record::ValueRef;
use pandodb_ds::record::key::rowid_key;
use pandodb_ds::record::row::{RowView, encode_row};
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use pandodb_tm::{BeginOptions, MAIN, Retention};

use super::{CATALOG_TREE, Database, Transaction};
use crate::error::{Error, ErrorKind, Result};

/// Bytes of changed pages that a transaction keeps in memory unless `cache_spill` says otherwise.
const SPILL_BYTES: usize = 64 << 20;

/// Bytes of log after which a transaction is committed by its pages instead, with a log.
const LARGE_TRANSACTION_BYTES: usize = 8 << 20;

/// A number that each branch keeps for itself, by its place in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// `user_version`
    UserVersion = 1,
    /// `application_id`
    ApplicationId = 2,
}

impl Own {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::UserVersion, Self::ApplicationId];

    /// Its PRAGMA.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserVersion => "user_version",
            Self::ApplicationId => "application_id",
        }
    }
}

/// A setting that the file keeps, by its number there.
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

impl Kept {
    const ALL: [Self; 6] = [
        Self::Compression,
        Self::WalMode,
        Self::HistorySeconds,
        Self::HistoryBytes,
        Self::CacheSize,
        Self::WalArchive,
    ];
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

/// Reads a number of a branch; 0 as long as it was not set.
pub fn read_own(transaction: &Transaction, what: Own) -> Result<i64> {
    Ok(read_row(transaction, what as i64)?.unwrap_or(0))
}

/// As [`read_own`], of a version that no transaction is on.
pub fn read_own_of(pager: &Arc<Pager>, forest: &Forest, what: Own) -> Result<i64> {
    if forest.tree(CATALOG_TREE).is_none() {
        return Ok(0);
    }
    let row = forest.get(pager, CATALOG_TREE, &rowid_key(-(what as i64)))?;
    row.map_or(Ok(0), |row| number_of(&row))
}

/// Writes a number of a branch.
pub fn write_own(transaction: &mut Transaction, what: Own, value: i64) -> Result<()> {
    let mut row = Vec::new();
    encode_row(&[ValueRef::Integer(value)], &mut row)?;
    transaction.put(CATALOG_TREE, &rowid_key(-(what as i64)), &row)
}

fn read_row(transaction: &Transaction, place: i64) -> Result<Option<i64>> {
    let row = transaction.get(CATALOG_TREE, &rowid_key(-place))?;
    row.map(|row| number_of(&row)).transpose()
}

fn number_of(row: &[u8]) -> Result<i64> {
    match RowView::new(row)?.column(0)? {
        Some(ValueRef::Integer(value)) => Ok(value),
        _ => Err(Error::new(ErrorKind::Corrupt, "a setting of the catalog is no number")),
    }
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
        let kept = kept_settings(self.manager())?;
        match kept.get(&(what as u64)) {
            Some(value) => Ok(Some(*value)),
            None if kept.contains_key(&SETTINGS_MOVED) => Ok(None),
            None => read_row(&self.begin(MAIN, BeginOptions::read_only())?, what as i64),
        }
    }

    /// Keeps a setting in the file and applies it, in a commit of its own that waits as `options`
    /// say.
    pub fn keep(&self, what: Kept, value: i64, options: &BeginOptions) -> Result<()> {
        let branches = self.branches()?.with_options(options);
        branches.keep_settings(&BTreeMap::from([(what as u64, value)]))?;
        self.apply(what, value)
    }

    /// Applies what the file keeps; once, when it is opened.
    pub(super) fn apply_kept(&self) -> Result<()> {
        let kept = kept_settings(self.manager())?;
        let is_moved = kept.contains_key(&SETTINGS_MOVED);
        let missing = Kept::ALL.into_iter().filter(|what| !kept.contains_key(&(*what as u64)));
        let mut old = if is_moved { BTreeMap::new() } else { self.kept_by_main(missing)? };
        for what in Kept::ALL {
            let number = what as u64;
            if let Some(value) = kept.get(&number).or_else(|| old.get(&number)) {
                self.apply(what, *value)?;
            }
        }
        // Without records no branch can go back to what an older version wrote, unless it is there.
        let has_records = self.manager().head_count() > 1;
        if !is_moved && !self.manager().is_read_only() && (has_records || !old.is_empty()) {
            old.insert(SETTINGS_MOVED, 1);
            self.branches()?.keep_settings(&old)?;
        }
        Ok(())
    }

    /// What the records of branches begin with: what an older file has on its first branch, and
    /// that it was moved.
    pub(super) fn first_settings(&self) -> Result<BTreeMap<u64, i64>> {
        if self.manager().is_read_only() || self.manager().head_count() > 1 {
            return Ok(BTreeMap::new());
        }
        let mut settings = self.kept_by_main(Kept::ALL.into_iter())?;
        settings.insert(SETTINGS_MOVED, 1);
        Ok(settings)
    }

    /// What older files have in the catalog of the first branch, where a reset changed it.
    fn kept_by_main(&self, missing: impl Iterator<Item = Kept>) -> Result<BTreeMap<u64, i64>> {
        let reader = self.begin(MAIN, BeginOptions::read_only())?;
        let mut old = BTreeMap::new();
        for what in missing {
            if let Some(value) = read_row(&reader, what as i64)? {
                old.insert(what as u64, value);
            }
        }
        Ok(old)
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
