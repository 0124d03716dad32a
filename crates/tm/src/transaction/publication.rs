//! What a commit makes visible, all of it or nothing, and what becomes of the versions before.
//!
//! A publication is kept until its commit is settled, for it may have to be taken back. So it is
//! as a rule the last to hold what the commit replaced or dropped, with all the pages that were
//! only there, and it goes where the commit queue is held. Giving back the memory of ten thousand
//! pages takes milliseconds, for which nobody is to wait: that is left to a thread.
//! Neighbours: `commit` makes these, the commit queue keeps them.

use std::fmt;
use std::mem;

use pandodb_ds::sync::{Arc, thread};
use smallvec::SmallVec;

use crate::heads::{HeadCell, HeadVersion, Heads};
use crate::ids::CommitId;
use crate::nearby::Nearby;

/// From how many pages on memory is given back by a thread of its own: about as many as can be
/// given back while it is started.
const LATE_PAGES: usize = 128;

/// One step of a publication.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Move { cell: Nearby<HeadCell>, before: Arc<HeadVersion>, after: Arc<HeadVersion> },
    Create { cell: Nearby<HeadCell> },
    Drop { cell: Nearby<HeadCell> },
}

impl Change {
    pub(crate) fn cell(&self) -> &Nearby<HeadCell> {
        match self {
            Self::Move { cell, .. } | Self::Create { cell } | Self::Drop { cell } => cell,
        }
    }

    /// What was there before; none where nothing was, or what goes with its head.
    fn replaced(&self) -> (&Nearby<HeadCell>, Option<Arc<HeadVersion>>) {
        match self {
            Self::Move { cell, before, .. } => (cell, Some(Arc::clone(before))),
            // A head in memory gives its pages back when it goes.
            Self::Drop { cell } if cell.is_ephemeral() => (cell, None),
            Self::Drop { cell } => (cell, Some(cell.version.load())),
            Self::Create { cell } => (cell, None),
        }
    }

    /// The version that goes with this, if much memory does.
    fn large_version(&self) -> Option<Arc<HeadVersion>> {
        let version = match self {
            Self::Move { before, .. } => Arc::clone(before),
            Self::Drop { cell } => cell.version.load(),
            Self::Create { .. } => return None,
        };
        // The change, or its cell, and who looks here.
        let is_last = Arc::strong_count(&version) <= 2;
        (is_last && version.forest.lone_pages(LATE_PAGES) >= LATE_PAGES).then_some(version)
    }
}

/// The steps of a publication; nearly all have one.
pub(super) type Changes = SmallVec<[Change; 1]>;

/// What a commit makes visible, all of it or nothing.
pub(crate) struct Publication {
    heads: Option<Arc<Heads>>,
    changes: Changes,
    /// Whether so much may go with it that it is worth a look.
    is_wide: bool,
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = self.changes.len();
        f.debug_struct("Publication").field("changes", &changes).finish_non_exhaustive()
    }
}

impl Publication {
    pub(super) fn new(heads: Arc<Heads>, changes: Changes, is_wide: bool) -> Self {
        Self { heads: Some(heads), changes, is_wide }
    }

    pub(super) fn nothing() -> Self {
        Self { heads: None, changes: SmallVec::new(), is_wide: false }
    }

    /// Of a head that is dropped already, for good: it is only let go of.
    pub(crate) fn dropped(cell: Arc<HeadCell>) -> Self {
        let change = Change::Drop { cell: Nearby::new(cell) };
        Self { heads: None, changes: SmallVec::from_buf([change]), is_wide: true }
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub(crate) fn changes_mut(&mut self) -> &mut [Change] {
        &mut self.changes
    }

    /// Shows what the commit of this number made; in its turn.
    pub(super) fn publish(&self, commit: CommitId) {
        let Some(heads) = &self.heads else { return };
        heads.moments.note(commit, self.changes.iter().map(Change::replaced));
        for change in &self.changes {
            match change {
                Change::Move { cell, after, .. } => cell.version.store(Arc::clone(after)),
                Change::Create { cell } => heads.insert(Arc::clone(cell.shared())),
                Change::Drop { cell } => heads.retire(cell),
            }
        }
    }
}

impl crate::commit::Publication for Publication {
    fn take_back(mut self) {
        let Some(heads) = self.heads.take() else { return };
        for change in mem::take(&mut self.changes).into_iter().rev() {
            match change {
                Change::Move { cell, before, .. } => cell.version.store(before),
                Change::Create { cell } => heads.retire(&cell),
                Change::Drop { cell } => heads.bring_back(Arc::clone(cell.shared())),
            }
        }
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        if !self.is_wide {
            return;
        }
        let large = self.changes.iter().filter_map(Change::large_version);
        let large: SmallVec<[Arc<HeadVersion>; 1]> = large.collect();
        if large.is_empty() {
            return;
        }
        // What else the heads held, as pins and space, is given back here and now.
        self.changes.clear();
        // Where there is no thread the versions go at once.
        drop(thread::Builder::new().name("pando-drop".to_owned()).spawn(move || drop(large)));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
    use pandodb_ds::format::TreeKind;

    use super::*;
    use crate::heads::MAIN;
    use crate::ids::TreeId;
    use crate::isolation::BeginOptions;
    use crate::manager::Manager;
    use crate::options::Options;

    const T: TreeId = TreeId(1);

    /// A head with many pages in memory that nobody else has.
    fn lone(rows: u64) -> Arc<HeadCell> {
        let manager = Manager::open_in_memory(&Options::default()).unwrap();
        let head = manager.fork_in_memory(MAIN, b"").unwrap();
        let mut writer = manager.begin(head, BeginOptions::default()).unwrap();
        writer.create_tree(T, TreeKind::Fixed).unwrap();
        for key in 0..rows {
            writer.put(T, &key.to_be_bytes(), &[7; 1000]).unwrap();
        }
        writer.commit().unwrap();
        let reader = manager.begin(head, BeginOptions::read_only()).unwrap();
        let forest = reader.forest().clone();
        drop(reader);
        manager.drop_head(head).unwrap();
        let note = Arc::from([].as_slice());
        HeadCell::new(Arc::new(HeadVersion { head, commit: CommitId(1), forest, note }), None)
    }

    #[test]
    fn only_what_is_large_and_nobody_else_holds_is_worth_a_thread() {
        let large = |cell: &Arc<HeadCell>| {
            let change = Change::Drop { cell: Nearby::new(Arc::clone(cell)) };
            change.large_version().is_some()
        };
        let cell = lone(10_000);
        assert!(large(&cell));
        let reader = cell.version.load();
        assert!(!large(&cell), "whoever reads it lets go of it");
        drop(reader);
        let fork = cell.version.load().forest.clone();
        assert!(!large(&cell), "all its pages are those of another head as well");
        drop(fork);
        assert!(large(&cell));
        assert!(!large(&lone(1000)));
    }

    #[test]
    fn a_large_version_goes_after_all() {
        let cell = lone(10_000);
        let version = Arc::downgrade(&cell.version.load());
        drop(Publication::dropped(cell));
        while version.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
