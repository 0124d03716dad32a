//! From a page reference to a node in memory, and back.
//!
//! The pager owns the file, the cache and the space. Reading verifies the checksum before it
//! decompresses, bounds the length before it allocates, and checks the page's structure before
//! anybody sees it. Neighbours: `read` and `write` do the two directions, `overflow` stores
//! large values; `tree` follows links through [`Pager::follow`].

mod ahead;
mod batch;
pub mod deltas;
mod loan;
#[cfg(all(test, loom))]
mod loom;
mod overflow;
mod reach;
mod read;
mod team;
mod write;

use std::ops::Deref;

pub use ahead::{Ahead, Made};
pub use batch::Batch;
pub use loan::Loan;
pub use overflow::{OverflowParts, OverflowReader};
pub use reach::{Reach, Reached};
pub use team::{Compressed, PORTION_LEAVES, Team};
pub use write::Writing;

use crate::cache::{Cache, Seen};
use crate::codec::Codec;
use crate::error::Result;
use crate::format::Superblock;
use crate::metrics::Metrics;
use crate::page::{Link, Node};
use crate::space::{Ledger, Space};
use crate::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Arc, Mutex, Padded, RwLock};
use crate::vfs::File;

/// What it took to own a page; see [`Pager::own`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owned {
    /// Nothing: it is changed already and nobody else holds it.
    Already,
    /// A page that was in memory only is copied, since others can see it. As a rule they let go of
    /// it soon, when the change is published.
    Copied,
    /// There is one more changed page in memory now.
    OneMore,
}

/// Reads and writes the pages of one file.
#[derive(Debug)]
pub struct Pager {
    pub(crate) file: Arc<dyn File>,
    pub(crate) cache: Cache,
    pub(crate) space: Arc<Space>,
    pub(crate) metrics: Padded<Metrics>,
    codec: RwLock<Codec>,
    page_bytes: AtomicUsize,
    /// Advances with every checkpoint: what it releases waits for readers from before.
    /// Each beginning transaction looks at it: away from the count of those who hold it.
    pub(crate) epoch: Arc<Padded<AtomicU64>>,
    /// The number of the newest durable checkpoint.
    pub(crate) durable: AtomicU64,
    /// The number of the newest checkpoint that has begun to look at the heads: the durable one,
    /// or the one behind it.
    pub(crate) begun: AtomicU64,
    /// The last number that was given to a page in memory.
    numbers: Padded<AtomicU64>,
    /// The newest commit that was published; pages written now are born behind it.
    pub(crate) commit: Padded<AtomicU64>,
    /// Whether checkpoints wait for the disk.
    has_barriers: AtomicBool,
    /// Whether a checkpoint did not, since the last sync.
    is_unsynced: AtomicBool,
    /// The superblock that the file was opened by, until it is known to be durable.
    opened_by: Mutex<Option<Superblock>>,
    is_settled: AtomicBool,
}

/// A node that somebody looks at: in the cache, or held.
#[derive(Debug)]
pub enum NodeGuard<'a> {
    /// Reached by a link's own reference.
    Borrowed(&'a Node),
    /// Seen in the cache.
    Seen(Seen),
    /// Held by a count.
    Held(Arc<Node>),
}

impl Deref for NodeGuard<'_> {
    type Target = Node;

    #[inline]
    fn deref(&self) -> &Node {
        match self {
            Self::Borrowed(node) => node,
            Self::Held(node) => node,
            Self::Seen(seen) => match &**seen {
                Some(node) => node,
                // `Cache::by_hint` hands out guards of full frames only, and a guard's content
                // does not change.
                None => unreachable!("an empty frame was handed out"),
            },
        }
    }
}

impl Pager {
    /// The path of the file.
    pub fn path(&self) -> &std::path::Path {
        self.file.path()
    }

    /// Extents that were read from the file since it was opened.
    pub fn pages_read(&self) -> u64 {
        self.metrics.pages_read.load(crate::sync::atomic::Ordering::Relaxed)
    }

    /// A pager on an open file.
    pub fn new(
        file: Arc<dyn File>,
        space: Space,
        cache_bytes: usize,
        codec: Codec,
        page_bytes: usize,
    ) -> Self {
        Self {
            file,
            cache: Cache::new(cache_bytes),
            space: Arc::new(space),
            metrics: Padded::default(),
            codec: RwLock::new(codec),
            page_bytes: AtomicUsize::new(page_bytes),
            epoch: Arc::new(Padded(AtomicU64::new(1))),
            durable: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            numbers: Padded::default(),
            commit: Padded(AtomicU64::new(0)),
            has_barriers: AtomicBool::new(true),
            is_unsynced: AtomicBool::new(false),
            opened_by: Mutex::new(None),
            is_settled: AtomicBool::new(true),
        }
    }

    /// Notes which superblock the file was opened by, and that it may not be durable.
    pub(crate) fn note_opened_by(&self, superblock: &Superblock) {
        *self.opened_by.lock() = Some(superblock.clone());
        self.is_unsynced.store(true, Ordering::Release);
        self.is_settled.store(false, Ordering::Release);
    }

    /// Before the first change of an opened file: makes the superblock durable that it was opened
    /// by; tells whether that took a sync.
    ///
    /// A process that ended, or a sync that failed, may have left it in the system's memory only,
    /// and what only an older one reaches is about to be overwritten. The slot holds these very
    /// bytes or an older superblock, so that a torn write costs nothing. Whoever only reads never
    /// waits for this.
    pub(crate) fn settle_opening(&self) -> Result<bool> {
        if self.is_settled.load(Ordering::Acquire) {
            return Ok(false);
        }
        let mut opened_by = self.opened_by.lock();
        let Some(superblock) = &*opened_by else { return Ok(false) };
        let offset = Superblock::slot_offset(superblock.checkpoint);
        self.file.write_at(offset, &superblock.encode())?;
        self.metrics.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync()?;
        *opened_by = None;
        self.is_unsynced.store(false, Ordering::Release);
        self.is_settled.store(true, Ordering::Release);
        Ok(true)
    }

    /// The size that pages are split at.
    #[inline]
    pub fn page_bytes(&self) -> usize {
        self.page_bytes.load(Ordering::Relaxed)
    }

    /// Changes the size that pages are split at; pages that are there stay as they are.
    pub(crate) fn set_page_bytes(&self, page_bytes: usize) {
        self.page_bytes.store(page_bytes, Ordering::Relaxed);
    }

    /// How pages are compressed from now on.
    pub fn codec(&self) -> Codec {
        *self.codec.read()
    }

    /// Changes how pages are compressed from now on; written pages stay as they are.
    pub fn set_codec(&self, codec: Codec) {
        *self.codec.write() = codec;
    }

    /// Waits until everything written is durable.
    pub fn sync(&self) -> Result<()> {
        if self.settle_opening()? {
            return Ok(());
        }
        self.metrics.syncs.fetch_add(1, Ordering::Relaxed);
        // Before the sync: what is written meanwhile says so again.
        self.is_unsynced.store(false, Ordering::Release);
        self.file.sync().inspect_err(|_| self.is_unsynced.store(true, Ordering::Release))
    }

    /// As [`sync`](Self::sync), at a place where a checkpoint relies on it; without barriers
    /// nothing is waited for.
    pub(crate) fn barrier(&self) -> Result<()> {
        if self.has_barriers.load(Ordering::Acquire) {
            return self.sync();
        }
        self.is_unsynced.store(true, Ordering::Release);
        Ok(())
    }

    /// Changes whether checkpoints wait for the disk. Without that the file is whole after the
    /// process was killed, but not after the power went.
    pub fn set_barriers(&self, has_barriers: bool) {
        self.has_barriers.store(has_barriers, Ordering::Release);
    }

    /// Whether a checkpoint was written that no sync has followed.
    pub fn is_unsynced(&self) -> bool {
        self.is_unsynced.load(Ordering::Acquire)
    }

    /// A ledger for a writer.
    pub fn ledger(&self) -> Ledger {
        Ledger::new(Arc::clone(&self.space), Arc::clone(&self.epoch))
    }

    /// The node behind a link, without counting references where the cache has it.
    #[inline]
    pub fn follow<'a>(&self, link: &'a Link) -> Result<NodeGuard<'a>> {
        match link {
            Link::Dirty(node) => Ok(NodeGuard::Borrowed(node)),
            Link::Clean { page, hint } => {
                if let Some(seen) = self.cache.by_hint(page, hint.load(Ordering::Relaxed)) {
                    return Ok(NodeGuard::Seen(seen));
                }
                let (node, frame) = self.fetch(page)?;
                if let Some(frame) = frame {
                    // Relaxed: a hint is validated wherever it is used.
                    hint.store(frame, Ordering::Relaxed);
                }
                Ok(NodeGuard::Held(node))
            }
        }
    }

    /// The node behind a link, held, if it is in memory where the link tells.
    #[inline]
    pub fn in_memory(&self, link: &Link) -> Option<Arc<Node>> {
        match link {
            Link::Dirty(node) => Some(Arc::clone(node)),
            Link::Clean { page, hint } => {
                let seen = self.cache.peek(page, hint.load(Ordering::Relaxed))?;
                seen.as_ref().map(Arc::clone)
            }
        }
    }

    /// The node behind a link, held.
    #[inline]
    pub fn hold(&self, link: &Link) -> Result<Arc<Node>> {
        match link {
            Link::Dirty(node) => Ok(Arc::clone(node)),
            Link::Clean { page, hint } => {
                if let Some(seen) = self.cache.by_hint(page, hint.load(Ordering::Relaxed))
                    && let Some(node) = &*seen
                {
                    return Ok(Arc::clone(node));
                }
                let (node, frame) = self.fetch(page)?;
                if let Some(frame) = frame {
                    hint.store(frame, Ordering::Relaxed);
                }
                Ok(node)
            }
        }
    }

    /// The node behind a link, to be changed: the link becomes dirty, and its node one that
    /// nobody else holds.
    pub fn own<'a>(&self, link: &'a mut Link) -> Result<(&'a mut Node, Owned)> {
        let owned = match link {
            Link::Clean { .. } => Owned::OneMore,
            // In this order: a checkpoint notes where it wrote the node before it lets go of it.
            Link::Dirty(node) => {
                // Counted first: `get_mut` writes what readers of a shared node would have to
                // fetch again.
                let is_held = Arc::strong_count(node) > 1 || Arc::get_mut(node).is_none();
                match (node.stored().is_some(), is_held) {
                    (true, _) => Owned::OneMore,
                    (false, true) => Owned::Copied,
                    (false, false) => Owned::Already,
                }
            }
        };
        if owned != Owned::Already {
            // Acquire: pairs with the checkpoint that begins.
            let begun = self.begun.load(Ordering::Acquire);
            // Relaxed: only that no number is given twice counts.
            let next = || self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
            let copy = Node::copy_sharing(&self.hold(link)?, self.page_bytes(), begun, next);
            *link = Link::dirty(copy);
        }
        match link {
            Link::Dirty(node) => match Arc::get_mut(node) {
                Some(node) => Ok((node, owned)),
                None => unreachable!("a new node has one holder"),
            },
            Link::Clean { .. } => unreachable!("the link was made dirty"),
        }
    }
}
