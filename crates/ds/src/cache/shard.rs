//! One shard of the cache: which page is in which frame, and which leaves first.
//!
//! The policy is S3-FIFO: new pages enter a small queue (a tenth of the budget); a page that is
//! used again before it leaves moves to the main queue, one that is not is forgotten, all but
//! its name. A page that comes back while its name is remembered goes to the main queue at
//! once. So a scan passes through the small queue and leaves the main one alone. Neighbours:
//! `frames` holds the nodes, `mod` picks the shard.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::frames::Frames;
use crate::format::Granule;
use crate::page::Node;
use crate::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    Small,
    Main,
}

#[derive(Debug)]
struct Resident {
    frame: u32,
    bytes: usize,
    queue: Queue,
    /// Distinguishes this stay from earlier ones, whose queue entries may still be around.
    stay: u64,
}

/// A shard.
#[derive(Debug)]
pub(super) struct Shard {
    budget: usize,
    residents: FxHashMap<Granule, Resident>,
    small: VecDeque<(Granule, u64)>,
    main: VecDeque<(Granule, u64)>,
    small_bytes: usize,
    main_bytes: usize,
    ghosts: FxHashSet<Granule>,
    ghost_order: VecDeque<Granule>,
    free_frames: Vec<u32>,
    stays: u64,
}

impl Shard {
    pub(super) fn new(budget: usize) -> Self {
        Self {
            budget,
            residents: FxHashMap::default(),
            small: VecDeque::new(),
            main: VecDeque::new(),
            small_bytes: 0,
            main_bytes: 0,
            ghosts: FxHashSet::default(),
            ghost_order: VecDeque::new(),
            free_frames: Vec::new(),
            stays: 0,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.small_bytes + self.main_bytes
    }

    pub(super) fn len(&self) -> usize {
        self.residents.len()
    }

    pub(super) fn set_budget(&mut self, budget: usize, frames: &Frames) -> u64 {
        self.budget = budget;
        self.evict(0, frames)
    }

    #[cfg(all(test, loom))]
    pub(super) fn budget(&self) -> usize {
        self.budget
    }

    /// The frame of a page.
    pub(super) fn find(&self, version: Granule) -> Option<u32> {
        self.residents.get(&version).map(|resident| resident.frame)
    }

    /// Puts a node in under its version; returns its frame and how many others had to leave.
    /// A node that alone is larger than the budget is not kept.
    pub(super) fn insert(
        &mut self,
        version: Granule,
        node: &Arc<Node>,
        frames: &Frames,
    ) -> (Option<u32>, u64) {
        self.remove(version, frames);
        let bytes = node.memory_bytes();
        if bytes > self.budget {
            return (None, 0);
        }
        let evicted = self.evict(bytes, frames);
        let Some(frame) = self.free_frames.pop().or_else(|| frames.allocate()) else {
            return (None, evicted);
        };
        if let Some(place) = frames.get(frame) {
            place.set(Some(Arc::clone(node)));
        }
        self.stays += 1;
        let queue = if self.ghosts.remove(&version) { Queue::Main } else { Queue::Small };
        match queue {
            Queue::Small => {
                self.small.push_back((version, self.stays));
                self.small_bytes += bytes;
            }
            Queue::Main => {
                self.main.push_back((version, self.stays));
                self.main_bytes += bytes;
            }
        }
        self.residents.insert(version, Resident { frame, bytes, queue, stay: self.stays });
        (Some(frame), evicted)
    }

    /// Forgets a page, because its extent may be used for another.
    pub(super) fn remove(&mut self, version: Granule, frames: &Frames) {
        let Some(resident) = self.residents.remove(&version) else { return };
        match resident.queue {
            Queue::Small => self.small_bytes -= resident.bytes,
            Queue::Main => self.main_bytes -= resident.bytes,
        }
        if let Some(place) = frames.get(resident.frame) {
            place.set(None);
        }
        self.free_frames.push(resident.frame);
    }

    /// Makes room for `incoming` bytes.
    fn evict(&mut self, incoming: usize, frames: &Frames) -> u64 {
        let mut evicted = 0;
        while self.bytes() + incoming > self.budget && !self.residents.is_empty() {
            let from_small = self.small_bytes * 10 > self.budget || self.main_bytes == 0;
            evicted += u64::from(if from_small {
                self.evict_small(frames)
            } else {
                self.evict_main(frames)
            });
        }
        evicted
    }

    fn evict_small(&mut self, frames: &Frames) -> bool {
        let Some((version, stay)) = self.small.pop_front() else { return false };
        let Some(resident) = self.residents.get_mut(&version) else { return false };
        if resident.stay != stay {
            return false;
        }
        let was_used = frames.get(resident.frame).is_some_and(|frame| frame.uses() > 1);
        if was_used {
            resident.queue = Queue::Main;
            self.small_bytes -= resident.bytes;
            self.main_bytes += resident.bytes;
            self.main.push_back((version, stay));
            return false;
        }
        self.remove(version, frames);
        self.remember(version);
        true
    }

    fn evict_main(&mut self, frames: &Frames) -> bool {
        let Some((version, stay)) = self.main.pop_front() else { return false };
        let Some(resident) = self.residents.get(&version) else { return false };
        if resident.stay != stay {
            return false;
        }
        let was_used = frames.get(resident.frame).is_some_and(|frame| frame.take_use() > 0);
        if was_used {
            self.main.push_back((version, stay));
            return false;
        }
        self.remove(version, frames);
        true
    }

    /// Keeps the name of a page that left, for as many names as pages are resident.
    fn remember(&mut self, version: Granule) {
        if self.ghosts.insert(version) {
            self.ghost_order.push_back(version);
        }
        while self.ghost_order.len() > self.residents.len().max(64) {
            if let Some(oldest) = self.ghost_order.pop_front() {
                self.ghosts.remove(&oldest);
            }
        }
    }

    /// What holds between any two changes: bytes add up, each resident has a frame of its own
    /// with its node in it, and no frame is free and in use.
    #[cfg(all(test, loom))]
    pub(super) fn assert_sound(&self, frames: &Frames) {
        let bytes: usize = self.residents.values().map(|resident| resident.bytes).sum();
        assert_eq!(bytes, self.bytes());
        assert!(bytes <= self.budget);
        let mut in_use = FxHashSet::default();
        for (version, resident) in &self.residents {
            assert!(in_use.insert(resident.frame), "two pages have one frame");
            assert!(!self.free_frames.contains(&resident.frame), "a frame in use is free");
            let seen = frames.get(resident.frame).map(super::frames::Frame::look);
            let stored =
                seen.and_then(|seen| seen.as_ref().and_then(|node| node.stored().copied()));
            assert_eq!(stored.map(|page| page.version()), Some(*version));
        }
    }
}
