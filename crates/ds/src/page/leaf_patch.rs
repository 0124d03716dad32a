//! Leaves that share the bytes of the page that they were copied from.
//!
//! Whoever changes a page that others can see copies it, and most changes are one row of a
//! hundred: copying the other rows, and finding memory for them, was most of what a small commit
//! did. So a copy begins as a *patched* leaf: it holds the page that it was copied from, and
//! beside it the few values that differ. Only a value that takes the place of another can be said
//! that way. Everything else makes the leaf whole first: a new key, one that goes, values that
//! would not fit the page, patches that have become many. A patched leaf never stands on another
//! one: its copies share the same whole page.
//!
//! Whoever reads entries does not notice: a payload that is a patch has its place behind the end
//! of the page's bytes. Patched leaves are in memory only until they are written; what the cache
//! gets then is whole, so that it counts what it holds. Neighbours: `leaf` reads, `leaf_edit`
//! changes, `pager` decides what is copied.

use smallvec::SmallVec;

use super::leaf::{Cell, CellKind, Leaf};
use super::lineage::Lineage;
use super::node::{Body, Node};
use crate::sync::Arc;

/// A page shorter than this is copied at once.
const PAGE_BYTES_MIN: usize = 512;

/// So many values may differ.
const PATCHES_MAX: usize = 16;

/// This part of the page may all patches together take.
const PATCHED_PART: usize = 8;

/// The values of a leaf that are not those of the page that it shares.
#[derive(Clone, Debug)]
pub(super) struct Patches {
    /// A node with a whole leaf.
    base: Arc<Node>,
    /// By the place of the entry.
    list: SmallVec<[Patch; 2]>,
    /// The payloads.
    bytes: Vec<u8>,
    /// By how much the cells would be longer than those whose place they take.
    growth: isize,
}

#[derive(Clone, Copy, Debug)]
struct Patch {
    index: u32,
    start: u32,
    end: u32,
    kind: CellKind,
}

impl Patches {
    /// The bytes of the page that is shared.
    #[inline]
    pub(super) fn page(&self) -> &[u8] {
        match self.base.body() {
            Body::Leaf(leaf) => &leaf.bytes,
            Body::Inner(_) => &[],
        }
    }

    /// The patch of an entry: its kind, and where its payload is in the patches.
    #[inline]
    pub(super) fn find(&self, index: usize) -> Option<(CellKind, std::ops::Range<usize>)> {
        let patch = self.list.iter().find(|patch| patch.index as usize == index)?;
        Some((patch.kind, patch.start as usize..patch.end as usize))
    }

    /// The first patched entry from `from` on.
    pub(super) fn next(&self, from: usize) -> Option<usize> {
        let mut places = self.list.iter().map(|patch| patch.index as usize);
        places.find(|index| *index >= from)
    }

    /// The payloads.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// By how much the cells would be longer than those whose place they take.
    pub(super) fn growth(&self) -> isize {
        self.growth
    }

    /// What is held in memory, with the page that is shared: nobody else may need it any more.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + self.base.memory_bytes()
    }

    /// Puts a payload in the place of an entry's; false where there is no room.
    fn put(&mut self, index: usize, cell: Cell<'_>) -> bool {
        let found = self.list.binary_search_by_key(&(index as u32), |patch| patch.index);
        let old = found.map_or(0..0, |at| self.list[at].start..self.list[at].end);
        let bytes = self.bytes.len() - old.len() + cell.payload.len();
        if bytes > self.page().len() / PATCHED_PART {
            return false;
        }
        let at = match found {
            Ok(at) if old.len() == cell.payload.len() => {
                let (start, end) = (old.start as usize, old.end as usize);
                self.bytes[start..end].copy_from_slice(cell.payload);
                self.list[at].kind = cell.kind;
                return true;
            }
            Ok(at) => {
                self.bytes.drain(old.start as usize..old.end as usize);
                for other in self.list.iter_mut().filter(|other| other.start >= old.end) {
                    other.start -= old.len() as u32;
                    other.end -= old.len() as u32;
                }
                self.list.remove(at);
                at
            }
            Err(_) if self.list.len() >= PATCHES_MAX => return false,
            Err(at) => at,
        };
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(cell.payload);
        let end = self.bytes.len() as u32;
        self.list.insert(at, Patch { index: index as u32, start, end, kind: cell.kind });
        true
    }
}

impl Leaf {
    /// A copy of the leaf in `node` to be changed, which shares the page's bytes; none where a
    /// whole copy is the better one.
    pub(super) fn copy_to_patch(node: &Arc<Node>) -> Option<Self> {
        let Body::Leaf(leaf) = node.body() else { return None };
        if leaf.page().len() < PAGE_BYTES_MIN {
            return None;
        }
        let patches = match &leaf.patches {
            Some(patches) if patches.list.len() >= PATCHES_MAX => return None,
            Some(patches) => patches.clone(),
            None => Box::new(Patches {
                base: Arc::clone(node),
                list: SmallVec::new(),
                bytes: Vec::new(),
                growth: 0,
            }),
        };
        Some(Self {
            bytes: Vec::new(),
            patches: Some(patches),
            origin: leaf.origin.clone(),
            lineage: Lineage::default(),
            ..*leaf
        })
    }

    /// Whether it shares the bytes of another page.
    pub fn is_patched(&self) -> bool {
        self.patches.is_some()
    }

    /// A copy with all bytes of its own.
    #[must_use]
    pub fn to_whole(&self) -> Self {
        self.rebuilt(0..self.len(), self.prefix as usize, 0)
    }

    /// Gets bytes of its own, with a gap for some more entries of a page of `page_bytes`.
    pub(super) fn make_whole(&mut self, page_bytes: usize) {
        if self.patches.is_some() {
            let mut whole = self.copy_for_change(page_bytes);
            std::mem::swap(&mut whole.lineage, &mut self.lineage);
            *self = whole;
        }
    }

    /// Whether the payload of any entry is a patch.
    pub(super) fn has_patches(&self) -> bool {
        self.patches.as_ref().is_some_and(|patches| !patches.list.is_empty())
    }

    /// Puts `cell` in the place of the one at `index` of a patched leaf; false, and nothing
    /// changed, where the leaf must be made whole for it.
    pub(super) fn patch(&mut self, index: usize, cell: Cell<'_>, page_bytes: usize) -> bool {
        let suffix = self.suffix_len(index);
        let old = self.cell_bytes(suffix, self.payload_range(index).1.len());
        let new = self.cell_bytes(suffix, cell.payload.len());
        if self.used_bytes() + new > page_bytes.saturating_add(old) {
            return false;
        }
        let Some(patches) = &mut self.patches else { return false };
        let is_put = patches.put(index, cell);
        if is_put {
            patches.growth += new as isize - old as isize;
        }
        is_put
    }
}

// Neighbours: `leaf`, `leaf_edit`.
