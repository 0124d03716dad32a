//! Frames: numbered places for cached nodes, read without a lock.
//!
//! Frames live in blocks that are allocated once and never moved or freed, so that a frame
//! number (the *hint* in a parent's link) stays valid to look at for ever. What a frame holds
//! may change at any moment; a reader takes what it finds and compares identities. Neighbours:
//! `shard` decides what is in which frame.

use crate::page::Node;
use crate::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use crate::sync::{Arc, OnceLock};

/// A model has few frames: each of them has parts that every interleaving is tried with.
const BLOCK_BITS: u32 = if cfg!(loom) { 1 } else { 12 };
const BLOCK_FRAMES: u32 = 1 << BLOCK_BITS;
const BLOCKS_MAX: usize = if cfg!(loom) { 2 } else { 8192 };

/// How often a frame was used since eviction last looked, up to this.
const USES_MAX: u8 = 3;

/// A place for one node.
#[derive(Debug, Default)]
pub(super) struct Frame {
    node: Slot,
    uses: AtomicU8,
}

#[cfg(loom)]
pub use locked::Seen;
#[cfg(loom)]
use locked::Slot;
#[cfg(not(loom))]
pub use swapped::Seen;
#[cfg(not(loom))]
use swapped::Slot;

/// A pointer that is read without a lock and replaced as a whole.
#[cfg(not(loom))]
mod swapped {
    use crate::page::Node;
    use crate::sync::Arc;

    /// A node seen in a frame; it stays alive while this does.
    pub type Seen = arc_swap::Guard<Option<Arc<Node>>>;

    /// What holds a node or nothing.
    #[derive(Debug, Default)]
    pub(super) struct Slot(arc_swap::ArcSwapOption<Node>);

    impl Slot {
        #[inline]
        pub(super) fn load(&self) -> Seen {
            self.0.load()
        }

        pub(super) fn store(&self, node: Option<Arc<Node>>) {
            self.0.store(node);
        }
    }
}

/// The same with a lock: the swap itself is the work of `arc-swap`, and what the models look at
/// is what happens around it.
#[cfg(loom)]
mod locked {
    use crate::page::Node;
    use crate::sync::{Arc, Mutex};

    /// A node seen in a frame.
    #[derive(Debug)]
    pub struct Seen(Option<Arc<Node>>);

    impl std::ops::Deref for Seen {
        type Target = Option<Arc<Node>>;

        fn deref(&self) -> &Self::Target {
            &self.0
        }
    }

    /// What holds a node or nothing.
    #[derive(Debug, Default)]
    pub(super) struct Slot(Mutex<Option<Arc<Node>>>);

    impl Slot {
        pub(super) fn load(&self) -> Seen {
            Seen(self.0.lock().clone())
        }

        pub(super) fn store(&self, node: Option<Arc<Node>>) {
            *self.0.lock() = node;
        }
    }
}

impl Frame {
    /// What is in the frame now.
    #[inline]
    pub(super) fn look(&self) -> Seen {
        self.node.load()
    }

    /// Puts a node in, or empties the frame.
    pub(super) fn set(&self, node: Option<Arc<Node>>) {
        self.uses.store(0, Ordering::Relaxed);
        self.node.store(node);
    }

    /// Notes a use. Relaxed, and a lost update is fine: this is a hint for eviction.
    #[inline]
    pub(super) fn note_use(&self) {
        let uses = self.uses.load(Ordering::Relaxed);
        if uses < USES_MAX {
            self.uses.store(uses + 1, Ordering::Relaxed);
        }
    }

    /// Takes one use off and tells how many there were.
    pub(super) fn take_use(&self) -> u8 {
        let uses = self.uses.load(Ordering::Relaxed);
        if uses > 0 {
            self.uses.store(uses - 1, Ordering::Relaxed);
        }
        uses
    }

    pub(super) fn uses(&self) -> u8 {
        self.uses.load(Ordering::Relaxed)
    }
}

/// All frames.
#[derive(Debug)]
pub(super) struct Frames {
    blocks: Box<[OnceLock<Box<[Frame]>>]>,
    next: AtomicU32,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { blocks: (0..BLOCKS_MAX).map(|_| OnceLock::new()).collect(), next: AtomicU32::new(0) }
    }

    /// The frame of a number, if it was ever handed out.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&Frame> {
        let block = self.blocks.get((number >> BLOCK_BITS) as usize)?.get()?;
        block.get((number & (BLOCK_FRAMES - 1)) as usize)
    }

    /// A frame that nobody had before; none when all numbers are taken.
    pub(super) fn allocate(&self) -> Option<u32> {
        let last = BLOCKS_MAX as u32 * BLOCK_FRAMES - 1;
        // Relaxed: the number is handed to one caller; the block is published by its own lock.
        let number = self
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                (next <= last).then_some(next + 1)
            })
            .ok()?;
        self.blocks[(number >> BLOCK_BITS) as usize]
            .get_or_init(|| (0..BLOCK_FRAMES).map(|_| Frame::default()).collect());
        Some(number)
    }
}
