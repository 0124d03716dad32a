//! Moments that open transactions stand on, and the versions that commits replaced since.
//!
//! A transaction that keeps what it sees may ask for a head long after its begin, and must find it
//! as it was then. The newest commit at the begin is its *moment*: one number, however many heads
//! there are. As long as it is open, each commit leaves here what it replaced or dropped, once for
//! each head and as far as an open moment needs it. The pages behind stay by the transaction's pin,
//! which is older than its moment. Everything but the end of a moment happens in the turn of the
//! commit queue: so a moment is between two commits.
//!
//! Neighbours: `transaction` opens moments and asks, its `publication` notes.

use std::collections::BTreeMap;

use pandodb_ds::sync::atomic::{AtomicUsize, Ordering};
use pandodb_ds::sync::{Arc, Mutex};
use rustc_hash::FxHashMap;

use super::{HeadCell, HeadVersion, Heads};
use crate::ids::{CommitId, HeadId};
use crate::nearby::Nearby;

/// A head at a moment.
pub(crate) type Then = (Nearby<HeadCell>, Arc<HeadVersion>);

/// What is kept for open moments.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    /// How many are open, so that a commit beside none takes no lock.
    open: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many transactions stand on each.
    open: BTreeMap<CommitId, usize>,
    /// By head, oldest first.
    replaced: FxHashMap<HeadId, Vec<Replaced>>,
}

/// What a commit put something else in the place of.
#[derive(Debug)]
struct Replaced {
    by: CommitId,
    /// None of a head that the commit made.
    before: Option<Then>,
}

/// A moment that is kept until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenMoment {
    heads: Arc<Heads>,
    commit: CommitId,
}

impl OpenMoment {
    /// Opens the moment behind `commit`, the newest one; in the turn of the commit queue.
    pub(crate) fn new(heads: &Arc<Heads>, commit: CommitId) -> Self {
        heads.moments.open.fetch_add(1, Ordering::Relaxed);
        *heads.moments.state.lock().open.entry(commit).or_default() += 1;
        Self { heads: Arc::clone(heads), commit }
    }

    /// A head as it was, if it was there and is another now. None where the newest version is what
    /// is looked for: of a head that stands where it stood, and of one that came later.
    pub(crate) fn find(&self, head: HeadId) -> Option<Then> {
        let state = self.heads.moments.state.lock();
        let replaced = state.replaced.get(&head)?;
        replaced.iter().find(|it| it.by > self.commit)?.before.clone()
    }
}

impl Drop for OpenMoment {
    fn drop(&mut self) {
        let gone = self.heads.moments.state.lock().close(self.commit);
        self.heads.moments.open.fetch_sub(1, Ordering::Relaxed);
        // Without the lock: it may be much memory.
        drop(gone);
    }
}

impl Moments {
    /// Keeps what the commit `by` is about to replace, if a moment needs it; in its turn.
    pub(crate) fn note<'a>(
        &self,
        by: CommitId,
        replaced: impl Iterator<Item = (&'a Nearby<HeadCell>, Option<Arc<HeadVersion>>)>,
    ) {
        // Moments open in a turn, and this is one: what is open is seen. One that ends meanwhile
        // may still be counted, and is looked for below.
        if self.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut state = self.state.lock();
        let Some(newest) = state.open.keys().next_back().copied() else { return };
        for (cell, before) in replaced {
            let known = state.replaced.entry(cell.id).or_default();
            // A moment before the last note has what it needs. Of several steps of one commit
            // only the first replaced what was there before it.
            if known.last().is_none_or(|last| newest >= last.by && last.by < by) {
                let before = before.map(|version| (cell.clone(), version));
                known.push(Replaced { by, before });
            }
        }
    }

    /// How many versions are kept.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn len(&self) -> usize {
        self.state.lock().replaced.values().map(Vec::len).sum()
    }
}

impl State {
    /// Ends one transaction's stand on a moment; returns what no other needs.
    fn close(&mut self, commit: CommitId) -> Vec<Replaced> {
        let Some(count) = self.open.get_mut(&commit) else { return Vec::new() };
        *count -= 1;
        if *count > 0 {
            return Vec::new();
        }
        self.open.remove(&commit);
        let Some(oldest) = self.open.keys().next().copied() else {
            return std::mem::take(&mut self.replaced).into_values().flatten().collect();
        };
        let mut gone = Vec::new();
        if oldest > commit {
            for replaced in self.replaced.values_mut() {
                let needed = replaced.partition_point(|it| it.by <= oldest);
                gone.extend(replaced.drain(..needed));
            }
            self.replaced.retain(|_, replaced| !replaced.is_empty());
        }
        gone
    }
}
