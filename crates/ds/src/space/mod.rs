//! Which granules of the file are in use, by how many, and when they may be used again.
//!
//! The pages in the file form a graph: a page has an edge to every page it refers to. Two counts
//! are kept for an extent. *Versions*: edges to the page version that the extent completes (a
//! whole page, or a delta with its base). *Holds*: deltas that stand against the extent. Most
//! extents have one version edge and no hold; only others are in the table.
//!
//! An extent is *unattached* from its writing until a checkpoint's roots reach it; the map on
//! disk calls it free, so that a crash returns it. It is *pending* from the checkpoint that
//! released it until that checkpoint is durable and no reader is older. Always:
//! `allocated = reachable + free`, where free counts runs, pending, reserved and unattached
//! extents.
//!
//! Neighbours: `settle` works out what a checkpoint changes, `log` stores it, `free` has the
//! runs, `counts` the table, `ledger` returns what a writer wrote in vain; `pager` allocates.

pub mod ceiling;
mod counts;
mod free;
pub mod ledger;
pub mod log;
pub mod settle;

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::Result;
use crate::format::{Extent, Granule};
use crate::limits::FIRST_GRANULE;
use crate::metrics::SpaceCounts;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use counts::Counts;
use free::FreeRuns;
pub use ledger::Ledger;

/// How many edges lead to an extent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Edges to the version that the extent completes.
    pub versions: u32,
    /// Deltas that stand against the extent.
    pub holds: u32,
}

impl Count {
    /// What an extent has that is not in the table.
    pub const USUAL: Self = Self { versions: 1, holds: 0 };
}

/// A page that was written and that no durable root reaches yet.
#[derive(Clone, Debug)]
pub struct Unattached {
    /// The extent's length.
    pub granules: u64,
    /// The versions that the page refers to.
    pub edges: Box<[Granule]>,
    /// The base extent, where the page is a delta.
    pub base: Option<Granule>,
    /// The birth that was written with it.
    pub birth: u64,
}

/// Extents that a checkpoint released.
#[derive(Debug)]
struct Pending {
    epoch: u64,
    extents: Vec<Extent>,
}

/// A birth that pages are being written with; dropping it tells that all of them are noted.
#[derive(Debug)]
pub struct Birth<'a> {
    space: &'a Space,
    birth: u64,
}

impl Birth<'_> {
    /// The number.
    pub fn number(&self) -> u64 {
        self.birth
    }
}

impl Drop for Birth<'_> {
    fn drop(&mut self) {
        let mut state = self.space.state.lock();
        if let Some(count) = state.writing.get_mut(&self.birth) {
            *count -= 1;
            if *count == 0 {
                state.writing.remove(&self.birth);
            }
        }
    }
}

#[derive(Debug)]
struct State {
    free: FreeRuns,
    /// The end of the used part of the file.
    end: u64,
    counts: Counts,
    unattached: FxHashMap<Granule, Unattached>,
    /// What is left of regions that writers fill from the front, by their next granule.
    reserved: FxHashMap<Granule, u64>,
    /// The births of writes under way, whose pages are not noted yet, with how many have them.
    writing: BTreeMap<u64, u32>,
    pending: VecDeque<Pending>,
    pending_granules: u64,
    /// What each of the last checkpoints released, the newest in front, with what was given up
    /// from then on.
    gone: VecDeque<FxHashSet<Granule>>,
    /// Where new pages should not reach, while the end of the file is being emptied.
    ceiling: Option<u64>,
}

/// Of so many checkpoints it is known what they released.
const GONE_KEPT: usize = 4;

/// The space of one file.
#[derive(Debug)]
pub struct Space {
    state: Mutex<State>,
}

impl Default for Space {
    fn default() -> Self {
        Self::new()
    }
}

impl Space {
    /// The space of a new file.
    pub fn new() -> Self {
        Self::with(FreeRuns::default(), FIRST_GRANULE, FxHashMap::default().into())
    }

    /// The space of a file without a free granule up to `end`.
    pub(crate) fn packed(end: Granule, counts: FxHashMap<Granule, Count>) -> Self {
        Self::with(FreeRuns::default(), end.0, counts.into())
    }

    fn with(free: FreeRuns, end: u64, counts: Counts) -> Self {
        let state = State {
            free,
            end,
            counts,
            unattached: FxHashMap::default(),
            reserved: FxHashMap::default(),
            writing: BTreeMap::new(),
            pending: VecDeque::new(),
            pending_granules: 0,
            gone: VecDeque::from([FxHashSet::default()]),
            ceiling: None,
        };
        Self { state: Mutex::new(state) }
    }

    /// Takes `granules` in one run: the best fitting free one, else at the end of the file.
    pub fn allocate(&self, granules: u64) -> Extent {
        let mut state = self.state.lock();
        let low = state.take_low(granules);
        let start = match low.or_else(|| state.free.take(granules)) {
            Some(start) => start,
            None => state.grow(granules),
        };
        Extent { start, granules }
    }

    /// Takes a run of at least `least` and up to `most` granules, to be filled front to back.
    pub fn reserve(&self, least: u64, most: u64) -> Extent {
        let mut state = self.state.lock();
        let extent = if let Some((start, granules)) = state.take_region_low(least, most) {
            Extent { start, granules }
        } else if let Some(extent) = state.free.take_largest(least, most) {
            extent
        } else {
            Extent { start: state.grow(most), granules: most }
        };
        state.reserved.insert(extent.start, extent.granules);
        extent
    }

    /// Gives back what was reserved and not used.
    pub fn give_back(&self, extent: Extent) -> Result<()> {
        let mut state = self.state.lock();
        state.reserved.remove(&extent.start);
        if extent.start.0 + extent.granules == state.end {
            state.end = extent.start.0;
            return Ok(());
        }
        state.free.add(extent)
    }

    /// Notes a page that was written, at the front of a reserved region.
    pub fn add_unattached(&self, version: Granule, page: Unattached) {
        let mut state = self.state.lock();
        if let Some(granules) = state.reserved.remove(&version)
            && granules > page.granules
        {
            let rest = Granule(version.0 + page.granules);
            state.reserved.insert(rest, granules - page.granules);
        }
        state.unattached.insert(version, page);
    }

    /// Whether the newest durable roots reach an extent that somebody saw as a page's after the
    /// checkpoint `since` had begun, or the one before it was durable: surely, since it was not
    /// released nor given up from then on. The newest checkpoint that has begun is `now`.
    pub fn is_still_attached(&self, extent: Granule, since: u64, now: u64) -> bool {
        let is_known = since <= now && now - since < GONE_KEPT as u64;
        let state = self.state.lock();
        is_known
            && !state.unattached.contains_key(&extent)
            && !state.gone.iter().any(|gone| gone.contains(&extent))
    }

    /// The oldest birth among pages that are unattached or about to be written: an incremental
    /// backup must not skip those.
    pub fn oldest_unattached_birth(&self) -> Option<u64> {
        let state = self.state.lock();
        let noted = state.unattached.values().map(|page| page.birth);
        noted.chain(state.writing.keys().copied()).min()
    }

    /// Begins a write of pages that no commit has a number for yet: they are born behind
    /// `newest`, which is read under the lock, so that [`Space::oldest_unattached_birth`] either
    /// sees the write or was asked before a birth that is newer.
    pub fn begin_birth(&self, newest: &AtomicU64) -> Birth<'_> {
        let mut state = self.state.lock();
        // Acquire: pairs with the checkpoint that raised it.
        let birth = newest.load(Ordering::Acquire).saturating_add(1);
        *state.writing.entry(birth).or_default() += 1;
        drop(state);
        Birth { space: self, birth }
    }

    /// Returns those of `versions` that are still unattached. They wait for readers from before
    /// `epoch` like released extents, since a reader may have seen a writer's private tree.
    pub fn discard(&self, versions: &[Granule], epoch: u64) -> Vec<Granule> {
        let mut state = self.state.lock();
        let mut extents = Vec::new();
        let mut discarded = Vec::new();
        for version in versions {
            if let Some(page) = state.unattached.remove(version) {
                extents.push(Extent { start: *version, granules: page.granules });
                discarded.push(*version);
            }
        }
        state.push_pending(epoch, extents);
        discarded
    }

    /// Makes extents that were released in an epoch before `oldest_reader` free.
    pub fn reclaim(&self, oldest_reader: u64) -> Result<()> {
        let mut state = self.state.lock();
        let mut waiting = VecDeque::new();
        while let Some(pending) = state.pending.pop_front() {
            if pending.epoch >= oldest_reader {
                waiting.push_back(pending);
                continue;
            }
            for extent in pending.extents {
                state.pending_granules -= extent.granules;
                state.free.add(extent)?;
            }
        }
        state.pending = waiting;
        Ok(())
    }

    /// A summary.
    pub fn counts(&self) -> SpaceCounts {
        self.state.lock().summary()
    }

    /// The edges into an extent (the usual count for one that is not counted).
    pub fn count(&self, extent: Granule) -> Count {
        self.state.lock().count(extent)
    }

    /// Compares the sorted extents that the durable roots reach with what the map says: what is
    /// wrong, one sentence each.
    pub fn compare(&self, reachable: &[Extent]) -> Vec<String> {
        let state = self.state.lock();
        let mut problems = Vec::new();
        let mut end = FIRST_GRANULE;
        for extent in reachable {
            let start = extent.start.0;
            if start < end {
                problems.push(format!("extent {start} overlaps another"));
            }
            end = end.max(start + extent.granules);
            if !state.free.is_disjoint(*extent) {
                problems.push(format!("extent {start} is in use and free"));
            }
        }
        if end > state.end {
            problems.push(format!("extents reach {end}, behind the end {}", state.end));
        }
        let listed: u64 = reachable.iter().map(|extent| extent.granules).sum();
        let stated = state.summary().reachable() - FIRST_GRANULE;
        if listed != stated {
            problems.push(format!("{listed} granules are reachable, the map uses {stated}"));
        }
        problems
    }

    /// Every extent with another count than the usual one.
    pub fn unusual_counts(&self) -> FxHashMap<Granule, Count> {
        self.state.lock().counts.table().clone()
    }

    /// Drops a free tail of the file from the map; the file itself is cut once a superblock
    /// that knows is durable.
    pub fn trim(&self) {
        self.state.lock().shrink();
    }

    /// Runs `cut` with the end of the used part, while nobody can allocate behind it.
    pub fn with_end(&self, cut: impl FnOnce(u64) -> Result<()>) -> Result<()> {
        let state = self.state.lock();
        cut(state.end)
    }
}

impl State {
    fn summary(&self) -> SpaceCounts {
        let unattached = self.unattached.values().map(|page| page.granules);
        SpaceCounts {
            end: self.end,
            free: self.free.granules(),
            pending: self.pending_granules,
            unattached: unattached.chain(self.reserved.values().copied()).sum(),
            runs: self.free.len() as u64,
            counted: self.counts.table().len() as u64,
        }
    }

    fn grow(&mut self, granules: u64) -> Granule {
        let start = Granule(self.end);
        self.end += granules;
        start
    }

    fn count(&self, extent: Granule) -> Count {
        self.counts.table().get(&extent).copied().unwrap_or(Count::USUAL)
    }

    /// From here on is noted what the next checkpoint releases.
    fn begin_gone(&mut self) {
        self.gone.truncate(GONE_KEPT - 1);
        self.gone.push_front(FxHashSet::default());
    }

    fn push_pending(&mut self, epoch: u64, extents: Vec<Extent>) {
        if extents.is_empty() {
            return;
        }
        self.pending_granules += extents.iter().map(|extent| extent.granules).sum::<u64>();
        if let Some(gone) = self.gone.front_mut() {
            gone.extend(extents.iter().map(|extent| extent.start));
        }
        self.pending.push_back(Pending { epoch, extents });
    }

    /// Drops a free run at the end of the used part.
    fn shrink(&mut self) {
        if let Some(tail) = self.free.take_tail(self.end) {
            self.end = tail.start.0;
        }
    }
}
