//! PRAGMAs of the file: its pages, their compression and cache, and what takes how much of it.
//!
//! A page here has the length that its content needs, so that counts of pages are bytes of the
//! file divided by `page_size`: they agree with the file's length. Neighbours: `log` has the
//! log's, `store::settings` keeps what lasts.

use std::str::FromStr;

use pandodb_ds::codec::Codec;
use pandodb_ds::limits::GRANULE_BYTES;
use pandodb_ds::metrics::StorageInfo;
use pandodb_ds::record::Value;
use pandodb_ds::sync::atomic::Ordering;

use pandodb_tm::CheckpointMode;

use super::entry::{Call, Entry, PragmaRows, Scope, number, one};
use super::log;
use crate::branching::access::may_read;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::store::{Database, Kept, codec_number};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "storage_info",
        columns: &[
            "page_count",
            "used_pages",
            "free_pages",
            "compression_ratio",
            "wal_size",
            "last_checkpoint",
            "page_size",
            "file_bytes",
            "used_bytes",
            "free_bytes",
            "pending_bytes",
            "compression",
            "raw_bytes_written",
            "stored_bytes_written",
            "checkpoints",
            "last_checkpoint_micros",
            "last_checkpoint_bytes",
            "cache_hits",
            "cache_misses",
            "cache_evictions",
            "cache_pages",
            "cache_bytes",
            "cache_budget",
            "pages_read",
            "bytes_read",
            "pages_written",
            "bytes_written",
            "commits",
            "groups",
            "syncs",
            "large_transactions",
            "branch_bytes",
        ],
        scope: Scope::Tells,
        values: "",
        help: "one row of figures: the file, its log, its cache, and as JSON what each branch \
               owns and shares",
        run: storage_info,
    },
    Entry {
        name: "compression",
        columns: &["compression"],
        scope: Scope::Kept,
        values: "`NONE`, `RLE`, `LZ4`, `'ZSTD(1..22)'`, `'GZIP(1..9)'`",
        help: "how pages are compressed that are written from now on (`ZSTD(1)` by default)",
        run: compression,
    },
    Entry {
        name: "page_size",
        columns: &["page_size"],
        scope: Scope::Kept,
        values: "a power of two from 1024 to 65536",
        help: "the size that pages are split at; it can be set while there are no tables",
        run: page_size,
    },
    Entry {
        name: "page_count",
        columns: &["page_count"],
        scope: Scope::Tells,
        values: "",
        help: "the length of the file in pages; of a database in memory, its pages",
        run: |call| Ok(number(page_count(&call.store()?)?)),
    },
    Entry {
        name: "freelist_count",
        columns: &["freelist_count"],
        scope: Scope::Tells,
        values: "",
        help: "free space in the file in pages",
        run: |call| Ok(number(figures(&call.store()?)?.free_pages)),
    },
    Entry {
        name: "max_page_count",
        columns: &["max_page_count"],
        scope: Scope::Open,
        values: "pages; 0 leaves it",
        help: "changes are refused once the file has that many pages",
        run: max_page_count,
    },
    Entry {
        name: "cache_size",
        columns: &["cache_size"],
        scope: Scope::Open,
        values: "pages, or -KiB, in 32 bits",
        help: "the budget of the page cache, which all sessions share",
        run: cache_size,
    },
    Entry {
        name: "default_cache_size",
        columns: &["cache_size"],
        scope: Scope::Kept,
        values: "pages, or -KiB, in 32 bits",
        help: "`cache_size` whenever the database is opened",
        run: |call| {
            if let Some(size) = call.number_within(CACHE_SIZES)? {
                call.check_no_transaction()?;
                call.keep(Kept::CacheSize, size)?;
            }
            cache_size(&Call { value: None, ..*call })
        },
    },
    Entry {
        name: "cache_spill",
        columns: &["cache_spill"],
        scope: Scope::Open,
        values: "pages; `ON` for 64 MiB, `OFF` for never",
        help: "from how many changed pages on a transaction writes them to the file early",
        run: cache_spill,
    },
    Entry {
        name: "soft_heap_limit",
        columns: &["soft_heap_limit"],
        scope: Scope::Open,
        values: "bytes; 0 for no bound",
        help: "an upper bound of the page cache, whatever `cache_size` says",
        run: |call| {
            let store = call.store()?;
            let limit = &store.common().soft_limit;
            if let Some(bytes) = call.number()?.filter(|bytes| *bytes >= 0)
                && limit.swap(bytes as u64, Ordering::Relaxed) != bytes as u64
            {
                store.apply_cache();
            }
            Ok(number(limit.load(Ordering::Relaxed)))
        },
    },
    Entry {
        name: "shrink_memory",
        columns: &[],
        scope: Scope::Does,
        values: "",
        help: "throws cached pages away",
        run: |call| {
            let store = call.store()?;
            let budget = store.manager().store().info()?.cache.budget;
            store.manager().store().set_cache_bytes(0);
            let budget = usize::try_from(budget).unwrap_or(usize::MAX);
            store.manager().store().set_cache_bytes(budget);
            Ok(Vec::new())
        },
    },
    Entry {
        name: "incremental_vacuum",
        columns: &[],
        scope: Scope::Does,
        values: "",
        help: "a checkpoint that gives free space at the end of the file back",
        run: |call| {
            call.check_no_transaction()?;
            log::full_checkpoint(&call.store()?)?;
            Ok(Vec::new())
        },
    },
];

/// Sizes of the cache, which in SQLite have 32 bits, too.
const CACHE_SIZES: std::ops::RangeInclusive<i64> = i32::MIN as i64..=i32::MAX as i64;

/// The file in pages.
struct Figures {
    info: StorageInfo,
    page_count: u64,
    free_pages: u64,
}

fn figures(database: &Database) -> Result<Figures> {
    let info = database.manager().store().info()?;
    let page_count = info.file_bytes.div_ceil(info.page_bytes);
    let free_bytes = (info.space.free + info.space.pending) * GRANULE_BYTES;
    let free_pages = (free_bytes / info.page_bytes).min(page_count);
    Ok(Figures { info, page_count, free_pages })
}

fn page_count(database: &Database) -> Result<u64> {
    if log::has_file(database) {
        return Ok(figures(database)?.page_count);
    }
    // Without a file the pages are those of the trees.
    let reader = database.begin(crate::store::MAIN, pandodb_tm::BeginOptions::read_only())?;
    let manager = database.manager();
    let version = reader.inner()?.forest();
    let mut pages = 0;
    for id in version.ids() {
        if let Some(tree) = version.tree(id) {
            let survey = pandodb_ds::tree::survey(tree, manager.pager())?;
            pages += (survey.leaves + survey.inner).max(1);
        }
    }
    Ok(pages)
}

fn storage_info(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    let Figures { info, page_count, free_pages } = figures(&database)?;
    let manager = database.manager();
    let progress = manager.progress();
    let (mut raw, mut stored) = (0, 0);
    for (one_raw, one_stored) in info.codecs {
        (raw, stored) = (raw + one_raw, stored + one_stored);
    }
    let ratio = if stored == 0 { 1.0 } else { raw as f64 / stored as f64 };
    let number = |value: u64| Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    let space = info.space;
    let checkpoint_time = match info.last_checkpoint_time {
        time if time > 0 => crate::branching::time_text(call.session, time)?,
        _ => Value::Null,
    };
    Ok(vec![vec![
        number(page_count),
        number(page_count - free_pages),
        number(free_pages),
        Value::Real(ratio),
        number(log::file_bytes(&database)?),
        checkpoint_time,
        number(info.page_bytes),
        number(info.file_bytes),
        number(space.reachable() * GRANULE_BYTES),
        number(space.free * GRANULE_BYTES),
        number(space.pending * GRANULE_BYTES),
        Value::text(manager.pager().codec().to_string()),
        number(raw),
        number(stored),
        number(info.checkpoints),
        number(info.last_checkpoint_micros),
        number(info.last_checkpoint_bytes),
        number(info.cache.hits),
        number(info.cache.misses),
        number(info.cache.evictions),
        number(info.cache.pages),
        number(info.cache.bytes),
        number(info.cache.budget),
        number(info.pages_read),
        number(info.bytes_read),
        number(info.pages_written),
        number(info.bytes_written),
        number(progress.commit.0),
        number(progress.groups),
        number(progress.syncs),
        number(manager.large_transactions()),
        branch_bytes(call.session, &database)?,
    ]])
}

/// What each branch that may be read owns and shares, as a JSON object by name.
fn branch_bytes(session: &Session, database: &Database) -> Result<Value> {
    let sizes = database.sizes();
    let mut text = String::from("{");
    for head in database.manager().heads()? {
        // The records of the branches, and moments that merges and previews start from, have
        // heads without a name.
        if !database.is_branch(head.head)? || !may_read(session, database, head.head)? {
            continue;
        }
        let size = sizes.of_head(database.manager().store(), head.head)?.all;
        if text.len() > 1 {
            text.push(',');
        }
        let name = database.branch_name(head.head).replace('\\', "\\\\").replace('"', "\\\"");
        text.push_str(&format!(
            "\"{name}\":{{\"own\":{},\"shared\":{}}}",
            size.own_bytes, size.shared_bytes
        ));
    }
    text.push('}');
    Ok(Value::text(text))
}

fn compression(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    let Some(text) = call.text() else {
        return Ok(one(Value::text(database.manager().pager().codec().to_string())));
    };
    let codec = Codec::from_str(text).map_err(|error| {
        Error::invalid(error.to_string())
            .with_hint("NONE, RLE, LZ4, 'ZSTD(level)' or 'GZIP(level)'")
    })?;
    call.check_no_transaction()?;
    call.keep(Kept::Compression, codec_number(codec))?;
    Ok(Vec::new())
}

fn page_size(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    let now = database.manager().pager().page_bytes();
    let Some(wanted) = call.number()? else { return Ok(number(now as u64)) };
    if wanted == now as i64 {
        return Ok(Vec::new());
    }
    let index = call.index()?;
    let is_empty = call.session.reading(|_, schemas| {
        Ok(schemas.get(usize::from(index.0)).is_none_or(|schema| schema.objects.is_empty()))
    })?;
    if !is_empty || has_other_versions(&database)? {
        return Err(call.refuse("the size of pages is chosen before the first table"));
    }
    let wanted = usize::try_from(wanted).unwrap_or(0);
    let manager = database.manager();
    manager.store().set_page_bytes(wanted)?;
    if !manager.is_in_memory() {
        // The superblock has it, which nothing but a checkpoint writes.
        if let Err(error) = manager.checkpoint(CheckpointMode::Full) {
            manager.store().set_page_bytes(now)?;
            return Err(error.into());
        }
    }
    Ok(Vec::new())
}

/// Whether there are branches or tags, which have pages, too.
fn has_other_versions(database: &Database) -> Result<bool> {
    let Some(branches) = database.branches_if_any()? else { return Ok(false) };
    Ok(branches.with(|state| state.branches().count() > 1 || state.tags().next().is_some())?)
}

fn max_page_count(call: &Call<'_>) -> Result<PragmaRows> {
    /// What SQLite tells when nothing was set.
    const UNBOUNDED: u64 = 4_294_967_294;
    let database = call.store()?;
    if let Some(pages) = call.number()?.filter(|pages| *pages > 0) {
        // As in SQLite, not below what is there.
        let pages = (pages as u64).max(figures(&database)?.page_count);
        database.common().max_pages.store(pages, Ordering::Relaxed);
    }
    let pages = database.common().max_pages.load(Ordering::Relaxed);
    Ok(number(if pages == 0 { UNBOUNDED } else { pages }))
}

fn cache_size(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    if let Some(size) = call.number_within(CACHE_SIZES)? {
        database.set_cache_size(size);
        return Ok(Vec::new());
    }
    let size = match database.common().cache_size.load(Ordering::Relaxed) {
        0 => -((database.manager().store().info()?.cache.budget / 1024) as i64),
        size => size,
    };
    Ok(one(Value::Integer(size)))
}

fn cache_spill(call: &Call<'_>) -> Result<PragmaRows> {
    let database = call.store()?;
    let page = database.manager().pager().page_bytes() as u64;
    let spill = &database.common().spill_bytes;
    if let Some(text) = call.text() {
        let bytes = match text.to_ascii_lowercase().as_str() {
            "on" | "yes" | "true" => 0,
            "off" | "no" | "false" | "0" => u64::MAX,
            _ => (call.number()?.unwrap_or(0).max(1) as u64).saturating_mul(page),
        };
        spill.store(bytes, Ordering::Relaxed);
        database.apply_sizes();
        return Ok(Vec::new());
    }
    Ok(number(match spill.load(Ordering::Relaxed) {
        0 => (64 << 20) / page,
        u64::MAX => 0,
        bytes => bytes / page,
    }))
}
