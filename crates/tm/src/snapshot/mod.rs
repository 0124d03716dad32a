//! Which versions of the data are still read: a table of pins that never blocks anybody.
//!
//! A reader publishes the epoch it begins in, and only then loads the head it will read. Space
//! that was released in an epoch is reused when no pin is as old. Both sides write first and read
//! second with a full fence between, so at least one of them sees the other: either the reader
//! finds the newer head, or the reclaimer finds the pin. Slots are claimed by compare-and-swap in
//! blocks that are added when all are taken and never move; a thread takes the slots that it had
//! before, and a pin holds its slot and not the table, so that readers on several processors write
//! nothing in common. Neighbours: `head` is what is loaded
//! behind a pin; the storage crate's `reclaim` takes [`Snapshots::oldest`].

#[cfg(all(test, loom))]
mod loom;
#[cfg(all(test, not(loom)))]
mod tests;

use std::fmt;
use std::time::Duration;

use pandodb_ds::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use pandodb_ds::sync::{Arc, OnceLock, thread_number};

use crate::ids::{CommitId, HeadId, TransactionId};

#[cfg(not(loom))]
const BLOCK_SLOTS: usize = 64;
#[cfg(loom)]
const BLOCK_SLOTS: usize = 2;
/// Enough for a million pins: each block is as large as all before it.
#[cfg(not(loom))]
const BLOCKS: usize = 15;
#[cfg(loom)]
const BLOCKS: usize = 2;

/// So many slots of the first block are tried first by threads of one number; in a model all
/// threads have one number, so that they meet there.
const OWN_SLOTS: usize = if cfg!(loom) { 1 } else { 4 };

/// A slot that nobody uses; epochs are stored plus one.
const FREE: u64 = 0;
/// A slot that belongs to a pin that covers nothing for now.
const PARKED: u64 = u64::MAX;

/// One pin, in a cache line of its own so that readers do not disturb each other.
#[derive(Debug)]
#[repr(align(64))]
struct Slot {
    /// The pinned epoch plus one. Release and acquire by the fences in `pin` and `oldest`.
    epoch: AtomicU64,
    /// Pins that share the slot: a transaction and its cursors.
    holders: AtomicUsize,
    // For the listing only, hence relaxed; a line of it may be a moment old.
    transaction: AtomicU64,
    head: AtomicU64,
    commit: AtomicU64,
    /// Zero where the clock was not asked: who looks first sets it.
    since_micros: AtomicU64,
}

impl Slot {
    fn new() -> Self {
        Self {
            epoch: AtomicU64::new(FREE),
            holders: AtomicUsize::new(0),
            transaction: AtomicU64::new(0),
            head: AtomicU64::new(0),
            commit: AtomicU64::new(0),
            since_micros: AtomicU64::new(0),
        }
    }

    /// Since when it is used, which is `now` where nobody knows.
    fn since(&self, now: u64) -> u64 {
        let relaxed = Ordering::Relaxed;
        let known = self.since_micros.compare_exchange(0, now.max(1), relaxed, relaxed);
        known.map_or_else(|since| since, |_| now)
    }

    /// Takes the slot if it is free.
    fn claim(&self, epoch: u64) -> bool {
        self.epoch.load(Ordering::Relaxed) == FREE
            && self
                .epoch
                .compare_exchange(FREE, epoch + 1, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }
}

/// The table of pins.
pub struct Snapshots {
    blocks: [OnceLock<Box<[Arc<Slot>]>>; BLOCKS],
    /// Where the next search for a free slot begins, so that threads spread out.
    next: AtomicUsize,
}

/// A pin; dropping the last one of those who share it lets the version go.
///
/// They are counted in the slot, which belongs to the thread: memory for a count of its own would
/// be found and freed for every read, beside what other threads have there.
#[derive(Debug)]
pub struct Pin {
    slot: Arc<Slot>,
}

/// One open snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotView {
    /// Who reads.
    pub transaction: TransactionId,
    /// The head it reads.
    pub head: HeadId,
    /// The commit that it sees.
    pub commit: CommitId,
    /// The pinned epoch.
    pub epoch: u64,
    /// For how long; of one that was only just begun, from the first look on.
    pub age: Duration,
}

impl Default for Snapshots {
    fn default() -> Self {
        let table =
            Self { blocks: std::array::from_fn(|_| OnceLock::new()), next: AtomicUsize::new(0) };
        // `loom` does not see that a block is made before it is found: there they are made here.
        #[cfg(loom)]
        for index in 0..BLOCKS {
            table.block(index);
        }
        table
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").field("open", &self.count()).finish_non_exhaustive()
    }
}

impl Snapshots {
    /// A table without pins.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Pins the epoch that `current` tells. What is loaded after this call stays readable until
    /// the pin is dropped; what was loaded before it does not.
    ///
    /// None if a million snapshots are open.
    pub fn pin(self: &Arc<Self>, current: impl Fn() -> u64) -> Option<Pin> {
        // An epoch that is over by the time it is pinned only keeps more than needed.
        let epoch = current();
        let slot = self.claim(epoch)?;
        // Pairs with the fence in `oldest`: whoever does not see this pin there has published
        // the newer head before, and the load that follows here finds that one.
        fence(Ordering::SeqCst);
        // Relaxed: nobody else has the slot, and who had it before let go of it with the epoch.
        slot.holders.store(1, Ordering::Relaxed);
        Some(Pin { slot })
    }

    /// The oldest pinned epoch, or `current` if there is none: what was released in an earlier
    /// epoch, and replaced in every head before this call, may be reused.
    pub fn oldest(&self, current: u64) -> u64 {
        // Pairs with the fence in `pin`.
        fence(Ordering::SeqCst);
        let pinned = self.slots().map(|slot| slot.epoch.load(Ordering::Acquire));
        pinned
            .filter(|&epoch| epoch != FREE && epoch != PARKED)
            .map(|epoch| epoch - 1)
            .min()
            .unwrap_or(current)
            .min(current)
    }

    /// How many pins there are.
    pub fn count(&self) -> usize {
        let epochs = self.slots().map(|slot| slot.epoch.load(Ordering::Relaxed));
        epochs.filter(|&epoch| epoch != FREE && epoch != PARKED).count()
    }

    /// Every open snapshot at `now`, oldest first.
    pub fn view(&self, now: Duration) -> Vec<SnapshotView> {
        let open = self.slots().filter_map(|slot| {
            let epoch = slot.epoch.load(Ordering::Acquire);
            let epoch = epoch.checked_sub(1).filter(|_| epoch != PARKED)?;
            let since = Duration::from_micros(slot.since(now.as_micros() as u64));
            Some(SnapshotView {
                transaction: TransactionId(slot.transaction.load(Ordering::Relaxed)),
                head: HeadId(slot.head.load(Ordering::Relaxed)),
                commit: CommitId(slot.commit.load(Ordering::Relaxed)),
                epoch,
                age: now.saturating_sub(since),
            })
        });
        let mut open: Vec<_> = open.collect();
        open.sort_by(|a, b| b.age.cmp(&a.age).then(a.transaction.cmp(&b.transaction)));
        open
    }

    fn slots(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.blocks.iter().map_while(OnceLock::get).flat_map(|block| block.iter())
    }

    fn claim(&self, epoch: u64) -> Option<Arc<Slot>> {
        let own = self.block(0).iter().skip(thread_number() * OWN_SLOTS % BLOCK_SLOTS);
        if let Some(slot) = own.take(OWN_SLOTS).find(|slot| slot.claim(epoch)) {
            return Some(Arc::clone(slot));
        }
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        for index in 0..BLOCKS {
            let slots = self.block(index);
            let (after, before) = slots.split_at(start % slots.len());
            if let Some(slot) = after.iter().chain(before).find(|slot| slot.claim(epoch)) {
                return Some(Arc::clone(slot));
            }
        }
        None
    }

    /// A block, made when it is first needed.
    fn block(&self, index: usize) -> &[Arc<Slot>] {
        let len = BLOCK_SLOTS << index.saturating_sub(1);
        self.blocks[index].get_or_init(|| (0..len).map(|_| Arc::new(Slot::new())).collect())
    }
}

impl Pin {
    /// The same pin for somebody else, too.
    #[must_use]
    pub fn share(&self) -> Self {
        // Relaxed: as with every count of references, the new one comes from one that is there.
        self.slot.holders.fetch_add(1, Ordering::Relaxed);
        Self { slot: Arc::clone(&self.slot) }
    }

    /// Whether nobody else has it.
    #[inline]
    pub fn is_alone(&self) -> bool {
        // Acquire: pairs with the release in `drop`, so that the reads of others are over.
        self.slot.holders.load(Ordering::Acquire) == 1
    }

    /// Says what is read behind the pin, for the listing; without a time
    /// [`date`](Self::date) or the first listing sets it, because asking the clock costs a good
    /// part of what a quick read does.
    #[inline]
    pub fn describe(
        &self,
        transaction: TransactionId,
        head: HeadId,
        commit: CommitId,
        now: Option<Duration>,
    ) {
        let slot = &self.slot;
        slot.transaction.store(transaction.0, Ordering::Relaxed);
        slot.head.store(head.0, Ordering::Relaxed);
        slot.commit.store(commit.0, Ordering::Relaxed);
        let since = now.map_or(0, |now| now.as_micros() as u64);
        slot.since_micros.store(since, Ordering::Relaxed);
    }

    /// Says that the pin is used since `now`, where that was not said.
    pub fn date(&self, now: Duration) {
        self.slot.since(now.as_micros() as u64);
    }

    /// Moves the pin on to the epoch that `current` tells: what was read behind it may go, and
    /// what is loaded after this call stays.
    pub fn renew(&self, current: impl Fn() -> u64) {
        let epoch = current();
        // Release: the reads behind the old pin are over. No fence: who does not see this
        // store yet sees the older pin, which keeps more.
        self.slot.epoch.store(epoch + 1, Ordering::Release);
    }

    /// Covers nothing any more but keeps its slot, for [`unpark`](Self::unpark).
    #[inline]
    pub fn park(&self) {
        // Release: as in `drop`.
        self.slot.epoch.store(PARKED, Ordering::Release);
    }

    /// Pins the epoch that `current` tells, as [`Snapshots::pin`] does with a new slot.
    #[inline]
    pub fn unpark(&self, current: impl Fn() -> u64) {
        let epoch = current();
        self.slot.epoch.store(epoch + 1, Ordering::Release);
        // Pairs with the fence in `oldest`, as the one in `Snapshots::pin` does.
        fence(Ordering::SeqCst);
    }

    /// The pinned epoch.
    pub fn epoch(&self) -> u64 {
        self.slot.epoch.load(Ordering::Relaxed).saturating_sub(1)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        // AcqRel: the reads of all who shared the pin are over before the last one lets go.
        if self.slot.holders.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Release: pairs with the acquire in `oldest`, so that the reads behind the pin are
            // over before the space they read is written again.
            self.slot.epoch.store(FREE, Ordering::Release);
        }
    }
}
