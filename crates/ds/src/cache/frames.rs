//! Frames: numbered places for cached nodes, read without a lock.
//!
//! Frames live in blocks that are allocated once and never moved or freed, so that a frame
//! number (the *hint* in a parent's link) stays valid to look at for ever. Each block has as many
//! as all before it and some: a database that is opened for a moment makes and drops few, each of
//! which costs something to drop. What a frame holds
//! may change at any moment; a reader takes what it finds and compares identities. Neighbours:
//! `shard` decides what is in which frame.

use crate::page::Node;
use crate::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use crate::sync::{Arc, OnceLock};

/// A model has few frames: each of them has parts that every interleaving is tried with.
const FIRST_BITS: u32 = if cfg!(loom) { 1 } else { 5 };
/// The frames of the first block; each further one has twice as many as the one before.
const FIRST_FRAMES: u32 = 1 << FIRST_BITS;
const BLOCKS: usize = if cfg!(loom) { 2 } else { 20 };
/// So many frames there can be.
const FRAMES_MAX: u32 = ((1 << BLOCKS) - 1) * FIRST_FRAMES;

/// The block of a frame and its place there; none where the number is too high for any.
#[inline]
const fn place_of(number: u32) -> Option<(usize, usize)> {
    let Some(at) = number.checked_add(FIRST_FRAMES) else { return None };
    let block = at.ilog2() - FIRST_BITS;
    Some((block as usize, (at - (FIRST_FRAMES << block)) as usize))
}

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
    blocks: [OnceLock<Box<[Frame]>>; BLOCKS],
    next: AtomicU32,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { blocks: std::array::from_fn(|_| OnceLock::new()), next: AtomicU32::new(0) }
    }

    /// The frame of a number, if it was ever handed out.
    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&Frame> {
        let (block, place) = place_of(number)?;
        self.blocks.get(block)?.get()?.get(place)
    }

    /// A frame that nobody had before; none when all numbers are taken.
    pub(super) fn allocate(&self) -> Option<u32> {
        // Relaxed: the number is handed to one caller; the block is published by its own lock.
        let number = self
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                (next < FRAMES_MAX).then_some(next + 1)
            })
            .ok()?;
        let (block, _) = place_of(number)?;
        self.blocks
            .get(block)?
            .get_or_init(|| (0..FIRST_FRAMES << block).map(|_| Frame::default()).collect());
        Some(number)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_fill_one_block_after_the_other() {
        let (mut block, mut place) = (0, 0);
        for number in 0..10_000 {
            assert_eq!(place_of(number), Some((block, place)));
            place += 1;
            if place == 32 << block {
                (block, place) = (block + 1, 0);
            }
        }
        assert_eq!(place_of(FRAMES_MAX - 1), Some((BLOCKS - 1, (32 << (BLOCKS - 1)) - 1)));
        let frames = Frames::new();
        assert!(frames.get(0).is_none());
        for number in 0..100 {
            assert_eq!(frames.allocate(), Some(number));
            assert!(frames.get(number).is_some());
        }
        // The number of a link without a hint, and one behind all.
        for number in [u32::MAX, u32::MAX - FIRST_FRAMES, FRAMES_MAX] {
            assert!(frames.get(number).is_none());
        }
    }
}
