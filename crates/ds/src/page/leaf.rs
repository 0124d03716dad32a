//! A leaf in memory: the bytes of the page with a gap, searched in place.
//!
//! ```text
//! | header | prefix | entries ->      gap      <- cells (heap) |
//! ```
//!
//! An entry is a key (fixed layout: eight bytes) or the first four bytes behind the common
//! prefix (slotted layout), and where its cell is, counted *from the end of the page*: so a
//! wider gap changes no entry. A cell is, for the slotted layout, the key behind the prefix, then
//! the value. Bytes from a file are validated once, by [`Leaf::decode`]; everything after may
//! rely on them. Neighbours: `leaf_edit` changes leaves, `leaf_stored` has their form in the
//! file, `delta` tells two versions apart, `inner` is the other kind of node.

use std::cmp::Ordering;
use std::ops::Range;

use super::leaf_shared::Shared;
use super::lineage::Lineage;
use super::origin::Origin;
use super::room;
use crate::error::{Error, Result};
use crate::format::bytes::{Reader, read_varint};
use crate::format::layout::LEAF_HEADER;
use crate::format::{PageRef, TreeKind, TreeRoot};

/// The bytes of the header in front of the prefix.
pub(super) const HEADER: usize = LEAF_HEADER.bytes;

/// What the payload of a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CellKind {
    /// The value itself.
    Inline = 0,
    /// A reference to a large value in overflow extents.
    Overflow = 1,
    /// The root of another tree.
    Subtree = 2,
}

impl CellKind {
    #[inline]
    pub(super) fn from_bits(bits: u64) -> Self {
        match bits & 3 {
            0 => Self::Inline,
            1 => Self::Overflow,
            _ => Self::Subtree,
        }
    }
}

/// What a key maps to, as it stands in the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// How to read the payload.
    pub kind: CellKind,
    /// The value, or a stored reference.
    pub payload: &'a [u8],
}

impl<'a> Cell<'a> {
    /// A value that stays in its leaf.
    pub fn inline(payload: &'a [u8]) -> Self {
        Self { kind: CellKind::Inline, payload }
    }

    /// The page reference that the payload of a large value or of a tree root holds.
    pub fn edge(&self) -> Result<Option<PageRef>> {
        match self.kind {
            CellKind::Inline => Ok(None),
            CellKind::Overflow => Ok(Some(PageRef::decode(&mut Reader::new(self.payload))?)),
            CellKind::Subtree => Ok(TreeRoot::decode(&mut Reader::new(self.payload))?.page),
        }
    }
}

/// A leaf page.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub(super) kind: TreeKind,
    pub(super) prefix: u32,
    pub(super) count: u32,
    /// Bytes of the heap at the end, garbage and what is shared included.
    pub(super) heap: u32,
    pub(super) garbage: u32,
    /// The page; without the end of its heap where that is shared.
    pub(super) bytes: Vec<u8>,
    /// The page whose heap is the end of this one's.
    pub(super) shared: Option<Shared>,
    /// What the page was copied from and which keys changed since, while that is little.
    pub(super) origin: Option<Box<Origin>>,
    /// Which page in memory it was copied from, for comparisons.
    pub(super) lineage: Lineage,
}

/// The bytes of an entry.
#[inline]
pub(super) const fn stride(kind: TreeKind) -> usize {
    match kind {
        TreeKind::Fixed => 12,
        TreeKind::Slotted => 8,
    }
}

/// The first four bytes of a key behind the prefix as an integer that orders like them.
#[inline]
pub(super) fn head_of(suffix: &[u8]) -> u32 {
    if let Some(chunk) = suffix.first_chunk::<4>() {
        return u32::from_be_bytes(*chunk);
    }
    let mut chunk = [0; 4];
    chunk[..suffix.len()].copy_from_slice(suffix);
    u32::from_be_bytes(chunk)
}

/// A key of the fixed layout as an integer that orders like its bytes.
#[inline]
pub fn fixed_key(key: &[u8]) -> Result<u64> {
    match <[u8; 8]>::try_from(key) {
        Ok(bytes) => Ok(u64::from_be_bytes(bytes)),
        Err(_) => Err(Error::new(
            crate::ErrorKind::Limit,
            format!("a key of this tree has eight bytes, not {}", key.len()),
        )),
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        room::give_back(std::mem::take(&mut self.bytes));
    }
}

impl Leaf {
    /// An empty leaf with room for `capacity` bytes.
    pub fn new(kind: TreeKind, capacity: usize) -> Self {
        let bytes = vec![0; capacity.max(HEADER)];
        Self {
            kind,
            prefix: 0,
            count: 0,
            heap: 0,
            garbage: 0,
            bytes,
            shared: None,
            origin: None,
            lineage: Lineage::default(),
        }
    }

    /// The layout of the keys.
    pub fn kind(&self) -> TreeKind {
        self.kind
    }

    /// How many entries.
    #[inline]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes that the page takes in memory once garbage is collected; its stored form is
    /// shorter.
    pub fn used_bytes(&self) -> usize {
        self.entries_end() + (self.heap - self.garbage) as usize
    }

    /// The bytes that the leaf takes in memory, with those of a page that it shares: nobody else
    /// may need that one any more.
    pub fn memory_bytes(&self) -> usize {
        let shared = self.shared.as_ref().map_or(0, Shared::memory_bytes);
        self.bytes.capacity() + size_of::<Self>() + shared
    }

    /// Where its own bytes are.
    #[cfg(test)]
    pub(super) fn memory_place(&self) -> *const u8 {
        self.bytes.as_ptr()
    }

    #[inline]
    pub(super) fn entries_start(&self) -> usize {
        HEADER + self.prefix as usize
    }

    #[inline]
    pub(super) fn entries_end(&self) -> usize {
        self.entries_start() + self.len() * stride(self.kind)
    }

    /// Where the heap begins in the page's own bytes.
    #[inline]
    pub(super) fn heap_start(&self) -> usize {
        self.bytes.len() - self.own_heap()
    }

    /// Bytes of the heap that are not shared.
    #[inline]
    pub(super) fn own_heap(&self) -> usize {
        (self.heap - self.shared_heap()) as usize
    }

    /// Bytes of the heap that are shared.
    #[inline]
    pub(super) fn shared_heap(&self) -> u32 {
        self.shared.as_ref().map_or(0, Shared::heap)
    }

    /// The bytes that all keys begin with.
    #[inline]
    pub fn prefix(&self) -> &[u8] {
        &self.bytes[HEADER..self.entries_start()]
    }

    #[inline]
    fn word(&self, at: usize) -> u32 {
        let mut word = [0; 4];
        word.copy_from_slice(&self.bytes[at..at + 4]);
        u32::from_le_bytes(word)
    }

    /// The key of an entry of the fixed layout as an integer.
    #[inline]
    pub fn fixed(&self, index: usize) -> u64 {
        let at = self.entries_start() + index * 12;
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[at..at + 8]);
        u64::from_le_bytes(word)
    }

    #[inline]
    pub(super) fn head(&self, index: usize) -> u32 {
        self.word(self.entries_start() + index * 8)
    }

    #[inline]
    pub(super) fn cell_offset(&self, index: usize) -> u32 {
        let stride = stride(self.kind);
        self.word(self.entries_start() + index * stride + stride - 4)
    }

    /// The bytes that an entry's cell stands in, where it begins there, and what a place there
    /// is more than the place in the bytes: the page's own stand behind those that are shared.
    #[inline]
    pub(super) fn cell_place(&self, index: usize) -> (&[u8], usize, usize) {
        let offset = self.cell_offset(index) as usize;
        let Some(shared) = &self.shared else {
            return (&self.bytes, self.bytes.len() - offset, 0);
        };
        let page = shared.page();
        match offset.checked_sub(shared.heap() as usize) {
            None | Some(0) => (page, page.len() - offset, 0),
            Some(own) => (&self.bytes, self.bytes.len() - own, page.len()),
        }
    }

    /// The key of an entry of the slotted layout behind the common prefix.
    #[inline]
    pub fn suffix(&self, index: usize) -> &[u8] {
        let (bytes, start, _) = self.cell_place(index);
        let (length, at) = read_varint(bytes, start);
        &bytes[at..at + length as usize]
    }

    /// The position of an entry's payload in what [`page_bytes`](Self::page_bytes) gives or, of
    /// a leaf that shares them, behind their end; and its kind.
    #[inline]
    pub fn payload_range(&self, index: usize) -> (CellKind, Range<usize>) {
        let (bytes, mut at, behind) = self.cell_place(index);
        if self.kind == TreeKind::Slotted {
            let (length, end) = read_varint(bytes, at);
            at = end + length as usize;
        }
        let (tagged, at) = read_varint(bytes, at);
        (CellKind::from_bits(tagged), behind + at..behind + at + (tagged >> 2) as usize)
    }

    /// The bytes at a range that [`Leaf::payload_range`] gave.
    #[inline]
    pub fn slice(&self, range: Range<usize>) -> &[u8] {
        let Some(shared) = &self.shared else { return &self.bytes[range] };
        let page = shared.page();
        match range.start.checked_sub(page.len()) {
            Some(start) => &self.bytes[start..start + range.len()],
            None => &page[range],
        }
    }

    /// What an entry holds.
    #[inline]
    pub fn cell(&self, index: usize) -> Cell<'_> {
        let (bytes, mut at, _) = self.cell_place(index);
        if self.kind == TreeKind::Slotted {
            let (length, end) = read_varint(bytes, at);
            at = end + length as usize;
        }
        let (tagged, at) = read_varint(bytes, at);
        let payload = &bytes[at..at + (tagged >> 2) as usize];
        Cell { kind: CellKind::from_bits(tagged), payload }
    }

    /// Replaces the content of `key` by the whole key of an entry.
    #[inline]
    pub fn read_key(&self, index: usize, key: &mut Vec<u8>) {
        key.clear();
        match self.kind {
            TreeKind::Fixed => key.extend_from_slice(&self.fixed(index).to_be_bytes()),
            TreeKind::Slotted => {
                key.extend_from_slice(self.prefix());
                key.extend_from_slice(self.suffix(index));
            }
        }
    }

    /// The whole key of an entry.
    pub fn key(&self, index: usize) -> Vec<u8> {
        let mut key = Vec::new();
        self.read_key(index, &mut key);
        key
    }

    /// Where `key` is (`Ok`) or would be (`Err`).
    pub fn search(&self, key: &[u8]) -> Result<Result<usize, usize>> {
        match self.kind {
            TreeKind::Fixed => Ok(self.search_fixed(fixed_key(key)?)),
            TreeKind::Slotted => Ok(self.search_slotted(key)),
        }
    }

    /// Whether the key at `index` is greater than `key`.
    pub fn is_behind(&self, index: usize, key: &[u8]) -> Result<bool> {
        if self.kind == TreeKind::Fixed {
            return Ok(self.fixed(index) > fixed_key(key)?);
        }
        let prefix = self.prefix();
        Ok(match key.strip_prefix(prefix) {
            Some(suffix) => self.suffix(index) > suffix,
            None => prefix > key,
        })
    }

    /// Where a fixed key is or would be.
    ///
    /// A page out of the processor's cache costs a miss for every step of a binary search; row
    /// numbers are mostly dense and otherwise mostly even, so the place is guessed first.
    #[inline]
    pub fn search_fixed(&self, key: u64) -> Result<usize, usize> {
        let count = self.len();
        if count == 0 {
            return Err(0);
        }
        let first = self.fixed(0);
        match key.cmp(&first) {
            Ordering::Less => return Err(0),
            Ordering::Equal => return Ok(0),
            Ordering::Greater => {}
        }
        let distance = key - first;
        if distance < count as u64 {
            // Keys ascend, so the entry at this distance is `key` or greater.
            let at = distance as usize;
            return if self.fixed(at) == key { Ok(at) } else { self.search_between(1, at, key) };
        }
        let last = self.fixed(count - 1);
        match key.cmp(&last) {
            Ordering::Less => self.search_near(key, distance as f64 / (last - first) as f64),
            Ordering::Equal => Ok(count - 1),
            Ordering::Greater => Err(count),
        }
    }

    /// Searches a key between the first and the last one around the part of the page that it
    /// lies behind if keys are even; a wrong guess costs two steps.
    fn search_near(&self, key: u64, part: f64) -> Result<usize, usize> {
        const NEAR: usize = 8;
        let last = self.len() - 1;
        let guess = ((part * last as f64) as usize).clamp(1, last);
        if self.fixed(guess) < key {
            let end = guess + NEAR;
            if end < last && self.fixed(end) < key {
                return self.search_between(end + 1, last, key);
            }
            return self.search_between(guess + 1, end.min(last), key);
        }
        let start = guess.saturating_sub(NEAR);
        if start > 0 && self.fixed(start) >= key {
            return self.search_between(1, start, key);
        }
        self.search_between(start + 1, guess, key)
    }

    /// Searches a key that is greater than all in front of `low`, and not greater than the one
    /// at `high`.
    fn search_between(&self, mut low: usize, high: usize, key: u64) -> Result<usize, usize> {
        let mut size = high + 1 - low;
        while size > 0 {
            let half = size / 2;
            let middle = low + half;
            match self.fixed(middle).cmp(&key) {
                Ordering::Less => {
                    low = middle + 1;
                    size -= half + 1;
                }
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => size = half,
            }
        }
        Err(low)
    }

    fn search_slotted(&self, key: &[u8]) -> Result<usize, usize> {
        let prefix = self.prefix();
        let shared = key.len().min(prefix.len());
        match key[..shared].cmp(&prefix[..shared]) {
            Ordering::Less => return Err(0),
            Ordering::Greater => return Err(self.len()),
            Ordering::Equal if key.len() < prefix.len() => return Err(0),
            Ordering::Equal => {}
        }
        let suffix = &key[prefix.len()..];
        let head = head_of(suffix);
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let order = self.head(middle).cmp(&head).then_with(|| self.suffix(middle).cmp(suffix));
            match order {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// What the page was copied from.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// Sets what the page was copied from; without, it is a page that has no relatives.
    pub fn set_origin(&mut self, origin: Option<Origin>) {
        if origin.is_none() {
            self.lineage = Lineage::default();
        }
        self.origin = origin.map(Box::new);
    }

    /// The pages in memory that it is a version of.
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// Makes it a version of the page that it was copied from; `next` makes numbers.
    pub(super) fn descend(&mut self, from: &Self, next: impl FnOnce() -> u64) {
        self.lineage = from.lineage.of_copy(next);
    }

    /// Notes which checkpoint had begun last when the leaf was copied.
    pub(super) fn date_origin(&mut self, begun: u64) {
        if let Some(origin) = &mut self.origin {
            origin.made_at = begun;
        }
    }

    /// Notes that `key` changes to something of `payload` bytes, for the delta and for
    /// comparisons.
    pub fn touch(&mut self, key: &[u8], payload: usize) {
        self.lineage.touch(key);
        if let Some(origin) = &mut self.origin
            && !origin.touch_key(key, payload)
        {
            self.origin = None;
        }
    }

    /// Every page that the leaf's cells refer to.
    pub fn edges(&self) -> Result<Vec<PageRef>> {
        let mut edges = Vec::new();
        for index in 0..self.len() {
            edges.extend(self.cell(index).edge()?);
        }
        Ok(edges)
    }

    /// Whether a cell refers to another page.
    pub fn has_edges(&self) -> bool {
        let is_edge = |index: usize| self.payload_range(index).0 != CellKind::Inline;
        if !self.shares_only_rows() {
            return (0..self.len()).any(is_edge);
        }
        let mut index = self.next_own(0);
        while index < self.len() {
            if is_edge(index) {
                return true;
            }
            index = self.next_own(index + 1);
        }
        false
    }
}
