//! One database file: opening it, its heads, checkpoints, and what readers hold back.
//!
//! A store knows the heads as of the newest checkpoint only; where they are between checkpoints
//! is the business of its owner, who hands them over when one is due. Neighbours: `checkpoint`
//! does the writing, `backup` and `check` read through a store.

mod info;
mod open;
mod pins;
mod registry;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use open::StoreOptions;
pub use pins::Pin;
pub use registry::Registry;

use crate::checkpoint::{self, Captured, Durable, HeadId};
use crate::codec::Codec;
use crate::error::{Error, ErrorKind, Result};
use crate::forest::Forest;
use crate::format::{PageRef, Superblock, TreeRoot};
use crate::limits::GRANULE_BYTES;
use crate::pager::Pager;
use crate::space::Ledger;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex};
use crate::tree::Relocation;
use crate::vfs::{DatabaseLock, Vfs};
use open::check_page_bytes;
use pins::Pins;

/// A free tail of the file that is not worth a change of the file's length.
const TAIL_WORTH_BYTES: u64 = 256 * 1024;

/// Tells the epoch of the oldest reader that the store's owner knows, or `u64::MAX`.
pub type Horizon = dyn Fn() -> u64 + Send + Sync;

/// An open database file.
pub struct Store {
    vfs: Arc<dyn Vfs>,
    path: PathBuf,
    pager: Arc<Pager>,
    durable: Mutex<Durable>,
    /// One checkpoint at a time.
    running: Mutex<()>,
    /// Ledgers of committed writers, settled by the next checkpoint.
    adopted: Arc<Mutex<Vec<Ledger>>>,
    pins: Arc<Pins>,
    horizon: Mutex<Option<Box<Horizon>>>,
    /// Set when a failure left unknown what is durable.
    is_poisoned: AtomicBool,
    is_read_only: bool,
    _lock: Option<Box<dyn DatabaseLock>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A head as the newest checkpoint has it.
#[derive(Clone, Debug)]
pub struct SavedHead {
    /// Its number.
    pub id: HeadId,
    /// The root of its directory.
    pub directory: TreeRoot,
    /// What its owner noted.
    pub note: Vec<u8>,
}

/// A checkpoint that is being copied.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// The superblock that made it durable.
    pub(crate) superblock: Superblock,
    /// Every page born up to here that this or a later checkpoint reaches is in it.
    pub(crate) until: u64,
    /// Keeps its pages from being reused.
    pub(crate) pin: Pin,
}

/// What a checkpoint did.
#[derive(Debug)]
pub struct Checkpointed {
    /// The captured heads as they are in the file now: a head that has not moved since the
    /// capture should be replaced by this, which holds no memory.
    pub heads: Vec<(HeadId, Forest)>,
    /// The checkpoint's number.
    pub number: u64,
    /// Bytes written.
    pub bytes: u64,
}

impl Store {
    /// The pages of the store.
    pub fn pager(&self) -> &Arc<Pager> {
        &self.pager
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The world that the file is in.
    pub fn vfs(&self) -> &Arc<dyn Vfs> {
        &self.vfs
    }

    /// The random identity of the database.
    pub fn database(&self) -> [u8; 16] {
        self.durable.lock().superblock.database
    }

    /// The newest commit that the newest checkpoint holds.
    pub fn saved_commit(&self) -> u64 {
        self.durable.lock().superblock.commit
    }

    /// Where replay of the log starts.
    pub fn log_position(&self) -> u64 {
        self.durable.lock().superblock.log_position
    }

    /// The trees of a saved head.
    pub fn forest(&self, head: &SavedHead) -> Result<Forest> {
        Forest::open(&self.pager, head.directory)
    }

    /// The codec of pages written from now on.
    pub fn set_codec(&self, codec: Codec) {
        self.pager.set_codec(codec);
    }

    /// Changes the size that pages are split at; the next checkpoint keeps it in the file. Pages
    /// that are there stay as they are, so this is for a database that has next to nothing yet.
    pub fn set_page_bytes(&self, page_bytes: usize) -> Result<()> {
        check_page_bytes(page_bytes)?;
        // A checkpoint that runs would put back the superblock that it began with.
        let _running = self.running.lock();
        self.pager.set_page_bytes(page_bytes);
        self.durable.lock().superblock.page_bytes = page_bytes as u32;
        Ok(())
    }

    /// Changes the budget of the page cache.
    pub fn set_cache_bytes(&self, bytes: usize) {
        self.pager.cache.set_budget(bytes);
    }

    /// Tells the newest commit that was published: pages written from now on are born later.
    pub fn note_commit(&self, commit: u64) {
        self.pager.commit.fetch_max(commit, Ordering::AcqRel);
    }

    /// The current epoch, for owners with a reader table of their own: a reader publishes the
    /// epoch first and then loads a head.
    #[inline]
    pub fn epoch(&self) -> u64 {
        // Acquire: pairs with the checkpoint's step to the next epoch.
        self.pager.epoch.load(Ordering::Acquire)
    }

    /// Sets how the oldest reader of the owner is found.
    pub fn set_horizon(&self, horizon: Box<Horizon>) {
        *self.horizon.lock() = Some(horizon);
    }

    /// Registers a reader: nothing that is reachable from heads loaded from now on is reused
    /// before the pin is dropped.
    pub fn pin(&self) -> Pin {
        self.pins.pin(|| self.epoch())
    }

    /// Takes over the ledger of a writer whose heads were published.
    pub fn adopt(&self, ledger: Ledger) {
        if !ledger.is_empty() {
            self.adopted.lock().push(ledger);
        }
    }

    /// Whether writing is refused until the database is opened again.
    pub fn is_poisoned(&self) -> bool {
        self.is_poisoned.load(Ordering::Acquire)
    }

    fn check_writable(&self) -> Result<()> {
        if self.is_read_only {
            let message = "the database was opened for reading only";
            return Err(Error::new(ErrorKind::ReadOnly, message).in_file(&self.path));
        }
        if self.is_poisoned() {
            let message = "an earlier write or sync failed, so that it is unknown what is on \
                           disk: open the database again";
            return Err(Error::new(ErrorKind::ReadOnly, message).in_file(&self.path));
        }
        Ok(())
    }

    /// Makes the heads that `capture` hands over durable. Heads must not be published while
    /// `capture` runs.
    pub fn checkpoint(&self, capture: impl FnOnce() -> Captured) -> Result<Checkpointed> {
        let _running = self.running.lock();
        self.check_writable()?;
        self.pager.settle_opening().map_err(|error| error.in_file(&self.path))?;
        self.reclaim()?;
        let clock = self.vfs.clock();
        let started = clock.monotonic();
        // The ledgers first: what they hold is in the heads that are captured after.
        let adopted = std::mem::take(&mut *self.adopted.lock());
        // Release: pairs with the load in `Pager::own`.
        let number = self.durable.lock().superblock.checkpoint + 1;
        self.pager.begun.store(number, Ordering::Release);
        let captured = capture();
        // AcqRel: readers that publish the new epoch load heads of now or later.
        let epoch = self.pager.epoch.fetch_add(1, Ordering::AcqRel);
        let durable = self.durable.lock().clone();
        let mut ledger = self.pager.ledger();
        let now = clock.now_micros();
        match checkpoint::run(&self.pager, &durable, &captured, &mut ledger, epoch, now) {
            Ok(done) => {
                let number = done.durable.superblock.checkpoint;
                *self.durable.lock() = done.durable;
                // What the captured heads do not reach is garbage now.
                drop(adopted);
                drop(ledger);
                self.reclaim()?;
                let is_emptied = self.pager.space.ceiling().is_some();
                self.cut_tail(if is_emptied { 0 } else { TAIL_WORTH_BYTES })?;
                let bytes = done.granules * GRANULE_BYTES;
                self.note_checkpoint(clock.monotonic().saturating_sub(started), bytes, now);
                Ok(Checkpointed { heads: done.heads, number, bytes })
            }
            Err(failure) => {
                if failure.is_fatal {
                    self.is_poisoned.store(true, Ordering::Release);
                }
                let mut waiting = self.adopted.lock();
                waiting.extend(adopted);
                waiting.push(ledger);
                Err(failure.error.in_file(&self.path))
            }
        }
    }

    /// Begins to empty the end of the file, up to about `bytes` of pages of it, so that the file
    /// can be cut there; none where the free space lies such that nothing can be given back, or
    /// while another relocation is under way. What is to be done with it tells
    /// [`Relocation`]'s module; the next checkpoint completes it.
    pub fn relocate(&self, bytes: u64) -> Result<Option<Relocation>> {
        let _running = self.running.lock();
        self.check_writable()?;
        self.pager.settle_opening().map_err(|error| error.in_file(&self.path))?;
        self.reclaim()?;
        self.pager.space.trim();
        let granules = bytes.div_ceil(GRANULE_BYTES);
        let ceiling = self.pager.space.set_ceiling(granules);
        if ceiling.is_none() {
            self.cut_tail(0)?;
        }
        let begin = |ceiling| {
            let adopted = Arc::clone(&self.adopted);
            Relocation::new(&self.pager, ceiling, granules, adopted)
        };
        Ok(ceiling.map(begin))
    }

    /// The roots of everything durable: the registry, and the records of the space map.
    pub(crate) fn durable_roots(&self) -> (TreeRoot, Vec<PageRef>) {
        let durable = self.durable.lock();
        (durable.superblock.registry, durable.chain.records().to_vec())
    }

    /// The newest checkpoint, whose pages stay as long as the result's pin is held.
    pub(crate) fn freeze(&self) -> Frozen {
        let _running = self.running.lock();
        let pin = self.pin();
        let durable = self.durable.lock().clone();
        // What is unattached now is older than later checkpoints and not in this one.
        let unattached = self.pager.space.oldest_unattached_birth();
        let before_it = unattached.map_or(u64::MAX, |birth| birth.saturating_sub(1));
        let until = durable.newest_birth().min(before_it);
        Frozen { superblock: durable.superblock, until, pin }
    }

    /// Runs `work` while no checkpoint runs.
    pub fn without_checkpoint<R>(&self, work: impl FnOnce() -> R) -> R {
        let _running = self.running.lock();
        work()
    }

    /// Makes released extents free that no reader holds back any more.
    fn reclaim(&self) -> Result<()> {
        let owner = self.horizon.lock().as_ref().map_or(u64::MAX, |horizon| horizon());
        self.pager.space.reclaim(owner.min(self.pins.oldest()))
    }

    /// Cuts a free tail of more than `worth` bytes off the file.
    fn cut_tail(&self, worth: u64) -> Result<()> {
        self.pager.space.trim();
        let file = &self.pager.file;
        self.pager.space.with_end(|end| {
            let end = end * GRANULE_BYTES;
            if file.len()? > end + worth { file.set_len(end) } else { Ok(()) }
        })
    }
}
