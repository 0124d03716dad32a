//! What a branch takes: bytes that it owns alone, bytes that it shares, by table.
//!
//! A page belongs to a branch alone if every page on the way to it from the branch's root has
//! that one way to it; the space map counts the ways. So the bytes that a branch owns are found by
//! walking what it owns and nothing else. For the bytes that it shares, what is below a shared
//! page is remembered by the page's version: the next time only what changed is walked. What
//! dropping the branch frees is more than what it owns: see `freed`.
//!
//! Exact as of the newest checkpoint, to the granule. What is only in memory or in the log takes
//! no pages yet and is not counted. A moment that history keeps shares with its branch: what it
//! holds is freed when it is given up, not before. Neighbours: the storage layer's space map.

mod freed;

use std::collections::HashMap;

use pandodb_ds::forest::TreeId;
use pandodb_ds::format::{PageRef, Stored};
use pandodb_ds::limits::GRANULE_BYTES;
use pandodb_ds::store::{SavedHead, Store};
use pandodb_ds::sync::Mutex;
use pandodb_tm::HeadId;

use crate::error::Result;
use crate::registry::Branches;

/// Remembered pages at most; then all are forgotten.
const REMEMBERED_MAX: usize = 200_000;

/// Bytes of a branch or a table, whole granules as they lie in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Only here.
    pub own_bytes: u64,
    /// Held by others too: other branches, tags, the moments that merges start from.
    pub shared_bytes: u64,
    /// What dropping the branch gives back: what it owns, and what only moments held that are
    /// dropped with it.
    pub freed_bytes: u64,
}

impl Size {
    /// Everything that can be reached.
    pub fn total_bytes(self) -> u64 {
        self.own_bytes + self.shared_bytes
    }

    fn add(&mut self, other: Self) {
        self.own_bytes += other.own_bytes;
        self.shared_bytes += other.shared_bytes;
    }
}

/// Sizes of a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BranchSize {
    /// All of it, the directory of its trees included.
    pub all: Size,
    /// By tree: a table's rows, an index.
    pub trees: Vec<(TreeId, Size)>,
}

/// What tells one page version from all others that ever were.
type PageKey = (u64, u64, u64);

fn key_of(page: &PageRef) -> PageKey {
    (page.version().0, page.birth, page.rows)
}

/// Sizes with a memory of what was walked before.
#[derive(Debug, Default)]
pub struct Sizes {
    remembered: Mutex<HashMap<PageKey, u64>>,
}

impl Sizes {
    /// The sizes of a branch.
    pub fn of(&self, branches: &Branches, branch: &str) -> Result<BranchSize> {
        let head = branches.head(branch)?;
        let dropped = branches.heads_dropped_with(branch)?;
        let store = branches.manager().store();
        let _pin = store.pin();
        store.without_checkpoint(|| {
            let saved = store.heads()?;
            let mut size = self.of_saved(store, saved.iter().find(|saved| saved.id.0 == head.0))?;
            let dropped = saved.iter().filter(|saved| dropped.contains(&HeadId(saved.id.0)));
            let (all, trees) = freed::freed(store, dropped)?;
            size.all.freed_bytes = all;
            for (tree, size) in &mut size.trees {
                size.freed_bytes = trees.get(tree).copied().unwrap_or(0);
            }
            Ok(size)
        })
    }

    /// The sizes of a head, without what dropping it frees; nothing for one that no checkpoint has
    /// seen yet.
    pub fn of_head(&self, store: &Store, head: HeadId) -> Result<BranchSize> {
        // No page that is reachable now is reused, and no count changes, meanwhile.
        let _pin = store.pin();
        store.without_checkpoint(|| {
            let saved = store.heads()?.into_iter().find(|saved| saved.id.0 == head.0);
            self.of_saved(store, saved.as_ref())
        })
    }

    fn of_saved(&self, store: &Store, saved: Option<&SavedHead>) -> Result<BranchSize> {
        let mut size = BranchSize::default();
        let Some(saved) = saved else { return Ok(size) };
        let forest = store.forest(saved)?;
        let mut walk = Walk { store, remembered: &self.remembered };
        if let Some(root) = saved.directory.page {
            size.all = walk.page(&root, true)?;
            let is_owned = is_single(store, &root);
            for id in forest.ids() {
                let root = forest.tree(id).and_then(|tree| tree.stored_root()?.page);
                let tree = match root {
                    Some(root) => walk.page(&root, is_owned)?,
                    None => Size::default(),
                };
                size.trees.push((id, tree));
            }
        }
        Ok(size)
    }
}

/// Whether one reference leads to this version of a page.
fn is_single(store: &Store, page: &PageRef) -> bool {
    store.references(page.version()).versions == 1
}

struct Walk<'a> {
    store: &'a Store,
    remembered: &'a Mutex<HashMap<PageKey, u64>>,
}

impl Walk<'_> {
    /// The size below a page; `is_owned` tells whether all pages above it are owned.
    fn page(&mut self, page: &PageRef, is_owned: bool) -> Result<Size> {
        if !is_owned || !is_single(self.store, page) {
            return Ok(Size { shared_bytes: self.shared(page)?, ..Size::default() });
        }
        let mut size = self.stored(page);
        for edge in self.store.pager().edges_of(page)? {
            size.add(self.page(&edge, true)?);
        }
        Ok(size)
    }

    /// The bytes of a page that one way leads to. The whole page that a delta stands on may be
    /// another version's as well, and the other way round.
    fn stored(&self, page: &PageRef) -> Size {
        let bytes = |stored: &Stored| stored.extent().granules * GRANULE_BYTES;
        let base = self.store.references(page.base.granule);
        let own_bytes = page.delta.as_ref().map_or(0, bytes);
        let holders = if page.delta.is_some() { (0, 1) } else { (1, 0) };
        if (base.versions, base.holds) == holders {
            Size { own_bytes: own_bytes + bytes(&page.base), ..Size::default() }
        } else {
            Size { own_bytes, shared_bytes: bytes(&page.base), ..Size::default() }
        }
    }

    /// All bytes below a page that others hold too.
    fn shared(&mut self, page: &PageRef) -> Result<u64> {
        if !page.has_edges {
            return Ok(page.stored_bytes());
        }
        let key = key_of(page);
        if let Some(bytes) = self.remembered.lock().get(&key) {
            return Ok(*bytes);
        }
        let mut bytes = page.stored_bytes();
        for edge in self.store.pager().edges_of(page)? {
            bytes += self.shared(&edge)?;
        }
        let mut remembered = self.remembered.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(key, bytes);
        Ok(bytes)
    }
}
