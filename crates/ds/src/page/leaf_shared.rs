//! Leaves that share the bytes of the page that they were copied from.
//!
//! Whoever changes a page that others can see copies it, and most changes are one row of a
//! hundred: copying the other rows, and finding memory for them, was most of what a small change
//! did. So a copy begins as a leaf with entries of its own, whose heap ends with that of the page
//! that it was copied from:
//!
//! ```text
//! own bytes | header | prefix | entries ->  gap  <- own cells |     page | ... | cells |
//! heap                                            | own cells | and behind them, cells |
//! ```
//!
//! Entries say where their cells are by the distance from the end of the heap, so that they are
//! what they were, and all that reads and changes entries is what it is for other leaves. New
//! cells go to the own part of the heap; a value that goes, or is replaced, leaves garbage. A leaf
//! becomes whole when its own cells have become many (copying them again and again would cost what
//! copying the page does), when it would not fit the page any more, and when its prefix changes.
//! The page that is shared is always a whole one: copies of a sharing leaf share the same one.
//!
//! Leaves share in memory only until they are written; what the cache gets then is whole, so that
//! it counts what it holds. Neighbours: `leaf` reads, `leaf_edit` changes, `pager` decides what is
//! copied.

use super::leaf::{Leaf, stride};
use super::lineage::Lineage;
use super::node::{Body, Node};
use super::room;
use crate::format::TreeKind;
use crate::sync::Arc;

/// A page shorter than this is copied at once.
const PAGE_BYTES_MIN: usize = 512;

/// This part of the page may the own cells of a leaf take that shares the others.
const OWN_PART: usize = 8;

/// This part of a whole copy's cells may be garbage.
const GARBAGE_PART: u32 = 8;

/// Own cells with less room than this are not worth a sharing copy.
const ROOM_MIN: usize = 32;

/// The page whose heap is the end of another one's.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    /// A node with a whole leaf.
    base: Arc<Node>,
    /// The bytes of its heap.
    heap: u32,
}

impl Shared {
    /// The bytes of the page.
    #[inline]
    pub(super) fn page(&self) -> &[u8] {
        match self.base.body() {
            Body::Leaf(leaf) => &leaf.bytes,
            Body::Inner(_) => &[],
        }
    }

    /// The bytes of its heap.
    #[inline]
    pub(super) fn heap(&self) -> u32 {
        self.heap
    }

    /// What the page takes in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.base.memory_bytes()
    }

    /// So many bytes may the own cells have.
    fn own_max(&self) -> usize {
        self.page().len() / OWN_PART
    }
}

impl Leaf {
    /// A copy of the leaf in `node` to be changed, which shares its cells; none where a whole
    /// copy is the better one.
    pub(super) fn copy_sharing(node: &Arc<Node>) -> Option<Self> {
        let Body::Leaf(leaf) = node.body() else { return None };
        let shared = match &leaf.shared {
            Some(shared) => shared.clone(),
            None => Shared { base: Arc::clone(node), heap: leaf.heap },
        };
        let own = leaf.heap - shared.heap;
        if shared.page().len() < PAGE_BYTES_MIN || own as usize + ROOM_MIN > shared.own_max() {
            return None;
        }
        // Room for one more entry like the others: most copies get one change.
        let cell = leaf.heap as usize / leaf.len().max(1);
        let bytes = leaf.own_bytes(stride(leaf.kind) + cell + ROOM_MIN, own as usize);
        let (shared, origin) = (Some(shared), leaf.origin.clone());
        Some(Self { bytes, shared, origin, lineage: Lineage::default(), ..*leaf })
    }

    /// The page up to its entries, a gap, and `own` bytes of cells, which are the page's first.
    fn own_bytes(&self, gap: usize, own: usize) -> Vec<u8> {
        let entries_end = self.entries_end();
        let mut bytes = room::take(entries_end + gap + own);
        bytes.extend_from_slice(&self.bytes[..entries_end]);
        bytes.resize(entries_end + gap, 0);
        bytes.extend_from_slice(&self.bytes[self.heap_start()..][..own]);
        bytes
    }

    /// Makes the gap in front of the own cells wider.
    pub(super) fn widen(&mut self, gap: usize) {
        let wide = self.own_bytes(gap, self.own_heap());
        room::give_back(std::mem::replace(&mut self.bytes, wide));
    }

    /// The page whose bytes it shares.
    pub(super) fn shared_page(&self) -> Option<&Arc<Node>> {
        self.shared.as_ref().map(|shared| &shared.base)
    }

    /// Whether what it shares is known to be no reference without a look at the cells.
    pub(super) fn shares_only_rows(&self) -> bool {
        let page = self.shared.as_ref().and_then(|shared| shared.base.stored());
        page.is_some_and(|page| !page.has_edges)
    }

    /// Whether it shares the bytes of another page.
    pub fn is_sharing(&self) -> bool {
        self.shared.is_some()
    }

    /// Whether a cell is in the page's own bytes.
    #[inline]
    pub(super) fn is_own(&self, index: usize) -> bool {
        self.cell_offset(index) > self.shared_heap()
    }

    /// The first entry from `from` on whose cell is not shared, of a leaf that shares any.
    pub(super) fn next_own(&self, from: usize) -> usize {
        match &self.shared {
            None => self.len(),
            Some(_) => (from..self.len()).find(|i| self.is_own(*i)).unwrap_or(self.len()),
        }
    }

    /// A copy with all bytes of its own, and little garbage: to copy some of that is faster than
    /// to copy one cell after the other.
    #[must_use]
    pub fn to_whole(&self) -> Self {
        if self.garbage > self.heap / GARBAGE_PART {
            return self.rebuilt(0..self.len(), self.prefix as usize, 0);
        }
        let bytes = self.whole_bytes(self.entries_end() + self.heap as usize);
        Self {
            bytes,
            shared: None,
            origin: self.origin.clone(),
            lineage: self.lineage.of_same(),
            ..*self
        }
    }

    /// The whole page in `capacity` bytes: header, entries, a gap and all cells.
    pub(super) fn whole_bytes(&self, capacity: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(&self.bytes[..self.entries_end()]);
        bytes.resize(capacity - self.heap as usize, 0);
        bytes.extend_from_slice(&self.bytes[self.heap_start()..]);
        if let Some(shared) = &self.shared {
            let page = shared.page();
            bytes.extend_from_slice(&page[page.len() - shared.heap as usize..]);
        }
        bytes
    }

    /// Gets bytes of its own, with a gap for some more entries of a page of `page_bytes`.
    pub(super) fn make_whole(&mut self, page_bytes: usize) {
        if self.shared.is_some() {
            let mut whole = self.copy_for_change(page_bytes);
            std::mem::swap(&mut whole.lineage, &mut self.lineage);
            *self = whole;
        }
    }

    /// Whether a leaf that shares its cells goes on with it when one of `payload` bytes is put
    /// under `key` at `position`.
    pub(super) fn keeps_sharing(
        &self,
        position: Result<usize, usize>,
        key: &[u8],
        payload: usize,
        page_bytes: usize,
    ) -> bool {
        let Some(shared) = &self.shared else { return false };
        let suffix = match self.kind {
            TreeKind::Fixed => 0,
            TreeKind::Slotted if key.starts_with(self.prefix()) => key.len() - self.prefix as usize,
            TreeKind::Slotted => return false,
        };
        let cell = self.cell_bytes(suffix, payload);
        // What is replaced keeps its entry: a page that is full to the last bytes takes a value of
        // the same length.
        let (old, entry) = match position {
            Ok(index) => (self.existing_cell_bytes(index), 0),
            Err(_) => (0, stride(self.kind)),
        };
        let used = self.used_bytes() - old + entry + cell;
        self.own_heap() + cell <= shared.own_max() && used <= page_bytes
    }
}

// Neighbours: `leaf`, `leaf_edit`.
