//! Opening and creating a database file.
//!
//! A file without a byte, or whose superblocks were never written, becomes a new database; one
//! with foreign content is refused and left alone. Neighbours: `format::superblock`.

use std::path::Path;

use super::Store;
use super::pins::Pins;
use crate::checkpoint::{Durable, write_superblock};
use crate::codec::Codec;
use crate::error::{Error, ErrorKind, Result};
use crate::format::superblock::Superblock;
use crate::format::{TreeKind, TreeRoot};
use crate::limits::{
    FIRST_GRANULE, PAGE_BYTES_DEFAULT, PAGE_BYTES_MAX, PAGE_BYTES_MIN, SUPERBLOCK_BYTES,
};
use crate::pager::Pager;
use crate::space::Space;
use crate::space::log::Chain;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex};
use crate::tree::Tree;
use crate::vfs::{File, OpenMode, Vfs};

/// How to open a database file.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The size that pages are split at; a file that exists keeps its own.
    pub page_bytes: usize,
    /// The budget of the page cache.
    pub cache_bytes: usize,
    /// How pages are compressed.
    pub codec: Codec,
    /// Whether a missing file is created.
    pub creates: bool,
    /// Whether nothing may be written.
    pub is_read_only: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            page_bytes: PAGE_BYTES_DEFAULT,
            cache_bytes: 64 * 1024 * 1024,
            codec: Codec::lz4(),
            creates: true,
            is_read_only: false,
        }
    }
}

impl Store {
    /// Opens the database at `path`, holding its lock as long as the store lives.
    pub fn open(vfs: &Arc<dyn Vfs>, path: &Path, options: &StoreOptions) -> Result<Self> {
        check_page_bytes(options.page_bytes)?;
        Self::open_with(vfs, path, options, true)
    }

    /// As [`open`](Self::open), for a file that nobody else opens.
    pub(crate) fn open_unlocked(
        vfs: &Arc<dyn Vfs>,
        path: &Path,
        options: &StoreOptions,
    ) -> Result<Self> {
        Self::open_with(vfs, path, options, false)
    }

    fn open_with(
        vfs: &Arc<dyn Vfs>,
        path: &Path,
        options: &StoreOptions,
        is_locked: bool,
    ) -> Result<Self> {
        let mode = match (options.is_read_only, options.creates) {
            (true, _) => OpenMode::Read,
            (false, true) => OpenMode::Create,
            (false, false) => OpenMode::Write,
        };
        if mode != OpenMode::Create && !vfs.exists(path)? {
            let message = "there is no database at this path";
            return Err(Error::new(ErrorKind::NotFound, message).in_file(path));
        }
        let lock = if is_locked { Some(vfs.lock(path)?) } else { None };
        let file = vfs.open(path, mode)?;
        let found = read_superblocks(&*file).map_err(|error| error.in_file(path))?;
        let (pager, durable) = match found {
            Some(superblock) => {
                let (pager, durable) =
                    load(file, superblock, options).map_err(|error| error.in_file(path))?;
                if !options.is_read_only {
                    pager.note_opened_by(&durable.superblock);
                }
                (pager, durable)
            }
            None if options.is_read_only => {
                let message = "the file is empty: it is no database yet";
                return Err(Error::new(ErrorKind::NotADatabase, message).in_file(path));
            }
            None => create(vfs, path, file, options)?,
        };
        pager.durable.store(durable.superblock.checkpoint, Ordering::Release);
        pager.begun.store(durable.superblock.checkpoint, Ordering::Release);
        let newest = durable.superblock.commit.max(durable.newest_birth());
        pager.commit.store(newest, Ordering::Release);
        Ok(Self {
            vfs: Arc::clone(vfs),
            path: path.to_path_buf(),
            pager: Arc::new(pager),
            durable: Mutex::new(durable),
            running: Mutex::new(()),
            adopted: Arc::default(),
            pins: Arc::new(Pins::default()),
            horizon: Mutex::new(None),
            is_poisoned: AtomicBool::new(false),
            is_read_only: options.is_read_only,
            _lock: lock,
        })
    }
}

/// Refuses sizes that pages cannot be split at.
pub(super) fn check_page_bytes(page_bytes: usize) -> Result<()> {
    if (PAGE_BYTES_MIN..=PAGE_BYTES_MAX).contains(&page_bytes) && page_bytes.is_power_of_two() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Limit,
        format!(
            "a page size of {page_bytes} bytes is not a power of two from {PAGE_BYTES_MIN} to \
             {PAGE_BYTES_MAX}"
        ),
    ))
}

/// The newer valid superblock; none when the file was never written to.
pub(crate) fn read_superblocks(file: &dyn File) -> Result<Option<Superblock>> {
    let mut slots = vec![0; 2 * SUPERBLOCK_BYTES as usize];
    let length = file.read_at(0, &mut slots)?;
    if slots.iter().all(|byte| *byte == 0) {
        // Creation ended before the first superblock; what follows it was never durable.
        return Ok(None);
    }
    slots.truncate(length);
    let mut newest: Option<Superblock> = None;
    let mut failure: Option<Error> = None;
    for (number, slot) in (0..).zip(slots.chunks(SUPERBLOCK_BYTES as usize)) {
        match Superblock::decode(slot) {
            Ok(superblock) => {
                if newest.as_ref().is_none_or(|other| other.checkpoint < superblock.checkpoint) {
                    newest = Some(superblock);
                }
            }
            // A file that is damaged says more than one that is foreign.
            Err(error) => {
                let is_better = failure.as_ref().is_none_or(|other| {
                    other.kind() == ErrorKind::NotADatabase
                        && error.kind() != ErrorKind::NotADatabase
                });
                if slot.iter().any(|byte| *byte != 0) && is_better {
                    failure = Some(error.at_offset(number * SUPERBLOCK_BYTES));
                }
            }
        }
    }
    match (newest, failure) {
        // A newer library wrote one slot: the other is older than what the user knows.
        (_, Some(error)) if error.kind() == ErrorKind::NewerFormat => Err(error),
        (Some(superblock), _) => Ok(Some(superblock)),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(None),
    }
}

fn load(
    file: Arc<dyn File>,
    superblock: Superblock,
    options: &StoreOptions,
) -> Result<(Pager, Durable)> {
    let page_bytes = superblock.page_bytes as usize;
    let mut pager = Pager::new(file, Space::new(), options.cache_bytes, options.codec, page_bytes);
    let mut chain = Chain::default();
    if let Some(newest) = &superblock.space_map {
        let granules = superblock.granules.max(FIRST_GRANULE);
        let loaded = Space::load(newest, granules, &mut |page| pager.read_stored(&page.base))?;
        chain = loaded.1;
        pager.space = Arc::new(loaded.0);
    }
    let registry = Tree::open(superblock.registry);
    Ok((pager, Durable { superblock, registry, chain }))
}

fn create(
    vfs: &Arc<dyn Vfs>,
    path: &Path,
    file: Arc<dyn File>,
    options: &StoreOptions,
) -> Result<(Pager, Durable)> {
    let mut database = [0; 16];
    vfs.random(&mut database);
    let superblock = Superblock {
        page_bytes: options.page_bytes as u32,
        database,
        checkpoint: 1,
        commit: 0,
        log_position: 0,
        granules: FIRST_GRANULE,
        time_micros: vfs.clock().now_micros(),
        registry: TreeRoot { kind: TreeKind::Fixed, page: None },
        space_map: None,
    };
    file.set_len(2 * SUPERBLOCK_BYTES)?;
    let pager =
        Pager::new(file, Space::new(), options.cache_bytes, options.codec, options.page_bytes);
    write_superblock(&pager, &superblock)?;
    if let Some(directory) = path.parent() {
        vfs.sync_directory(directory)?;
    }
    let registry = Tree::new(TreeKind::Fixed);
    Ok((pager, Durable { superblock, registry, chain: Chain::default() }))
}
