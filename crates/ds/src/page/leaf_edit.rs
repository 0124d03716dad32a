//! Changing a leaf in place: put, remove, split, append, collect garbage, adapt the prefix.
//!
//! A leaf is full when its entries and live cells pass the page size; one entry alone may be
//! larger than that, so a leaf with fewer than two entries is never full. Neighbours: `leaf`
//! has the layout, `tree` decides which leaf to change and what a full one means.

use super::leaf::{Cell, HEADER, Leaf, fixed_key, head_of, stride};
use super::lineage::Lineage;
use crate::error::Result;
use crate::format::TreeKind;
use crate::format::bytes::{read_varint, varint_bytes, write_varint};

/// As much of itself, at least, a leaf has left in memory when it was written anew to make room.
const SPARE_PART: usize = 8;

/// Whether a change found room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Room {
    /// The change was made.
    Enough,
    /// Nothing was changed: the leaf must be split first.
    Full,
}

impl Leaf {
    /// A copy to be changed, with a gap for some more entries of a page of `page_bytes`.
    #[must_use]
    pub fn copy_for_change(&self, page_bytes: usize) -> Self {
        let with_gap = |used: usize| (used + used / 4 + 256).min(page_bytes).max(used);
        if self.shared.is_some() && self.garbage > 0 {
            let used = self.used_bytes();
            let mut copy = self.rebuilt(0..self.len(), self.prefix as usize, with_gap(used) - used);
            copy.lineage = Lineage::default();
            return copy;
        }
        let bytes = self.whole_bytes(with_gap(self.entries_end() + self.heap as usize));
        let (shared, origin) = (None, self.origin.clone());
        Self { bytes, shared, origin, lineage: Lineage::default(), ..*self }
    }

    pub(super) fn cell_bytes(&self, suffix: usize, payload: usize) -> usize {
        let key = match self.kind {
            TreeKind::Fixed => 0,
            TreeKind::Slotted => varint_bytes(suffix as u64) + suffix,
        };
        key + varint_bytes((payload as u64) << 2) + payload
    }

    pub(super) fn existing_cell_bytes(&self, index: usize) -> usize {
        let (bytes, start, _) = self.cell_place(index);
        let mut at = start;
        if self.kind == TreeKind::Slotted {
            let (length, end) = read_varint(bytes, at);
            at = end + length as usize;
        }
        let (tagged, at) = read_varint(bytes, at);
        at - start + (tagged >> 2) as usize
    }

    /// Puts `cell` under `key` at `position`, which [`Leaf::search`] gave for the key.
    pub fn put(
        &mut self,
        position: Result<usize, usize>,
        key: &[u8],
        cell: Cell<'_>,
        page_bytes: usize,
    ) -> Result<Room> {
        if self.shared.is_some() {
            if self.keeps_sharing(position, key, cell.payload.len(), page_bytes) {
                return self.put_with_prefix(position, key, cell, page_bytes);
            }
            self.make_whole(page_bytes);
        }
        if self.kind == TreeKind::Slotted && !key.starts_with(self.prefix()) {
            let shared = shared_bytes(key, self.prefix());
            self.rebuild(0..self.len(), shared, 0);
        }
        let room = self.put_with_prefix(position, key, cell, page_bytes)?;
        if room == Room::Full && self.lengthen_prefix(key, page_bytes) {
            return self.put_with_prefix(position, key, cell, page_bytes);
        }
        Ok(room)
    }

    /// Cuts off more of what all keys, `key` among them, begin with, where that pays.
    fn lengthen_prefix(&mut self, key: &[u8], page_bytes: usize) -> bool {
        if self.kind == TreeKind::Fixed || self.is_empty() {
            return false;
        }
        let old = self.prefix as usize;
        let shared = old + shared_bytes(self.suffix(0), &key[old..]);
        let longest = self.longest_prefix(0..self.len()).min(shared);
        let pays = (longest - old) * self.len() * 16 >= page_bytes;
        if pays {
            self.rebuild(0..self.len(), longest, 0);
        }
        pays
    }

    fn put_with_prefix(
        &mut self,
        position: Result<usize, usize>,
        key: &[u8],
        cell: Cell<'_>,
        page_bytes: usize,
    ) -> Result<Room> {
        let suffix = match self.kind {
            TreeKind::Fixed => &[],
            TreeKind::Slotted => &key[self.prefix as usize..],
        };
        let cell_bytes = self.cell_bytes(suffix.len(), cell.payload.len());
        match position {
            Ok(index) => {
                let old_bytes = self.existing_cell_bytes(index);
                if cell_bytes <= old_bytes && self.is_own(index) {
                    let own = (self.cell_offset(index) - self.shared_heap()) as usize;
                    self.garbage += (old_bytes - cell_bytes) as u32;
                    self.write_cell(self.bytes.len() - own, suffix, cell);
                    return Ok(Room::Enough);
                }
                self.garbage += old_bytes as u32;
                if self.make_room(cell_bytes, page_bytes) == Room::Full {
                    self.garbage -= old_bytes as u32;
                    return Ok(Room::Full);
                }
                // Where room was made by collecting garbage, the old cell was still there.
                self.garbage = self.garbage.max(old_bytes as u32);
                let offset = self.push_cell(cell_bytes, suffix, cell);
                self.set_cell_offset(index, offset);
            }
            Err(index) => {
                let stride = stride(self.kind);
                if self.make_room(stride + cell_bytes, page_bytes) == Room::Full {
                    return Ok(Room::Full);
                }
                let offset = self.push_cell(cell_bytes, suffix, cell);
                let at = self.entries_start() + index * stride;
                let end = self.entries_end();
                self.bytes.copy_within(at..end, at + stride);
                self.count += 1;
                match self.kind {
                    TreeKind::Fixed => {
                        let key = fixed_key(key)?;
                        self.bytes[at..at + 8].copy_from_slice(&key.to_le_bytes());
                    }
                    TreeKind::Slotted => {
                        self.bytes[at..at + 4].copy_from_slice(&head_of(suffix).to_le_bytes());
                    }
                }
                self.set_cell_offset(index, offset);
            }
        }
        Ok(Room::Enough)
    }

    fn set_cell_offset(&mut self, index: usize, offset: u32) {
        let stride = stride(self.kind);
        let at = self.entries_start() + index * stride + stride - 4;
        self.bytes[at..at + 4].copy_from_slice(&offset.to_le_bytes());
    }

    fn push_cell(&mut self, cell_bytes: usize, suffix: &[u8], cell: Cell<'_>) -> u32 {
        self.heap += cell_bytes as u32;
        self.write_cell(self.heap_start(), suffix, cell);
        self.heap
    }

    fn write_cell(&mut self, mut at: usize, suffix: &[u8], cell: Cell<'_>) {
        if self.kind == TreeKind::Slotted {
            at += write_varint(&mut self.bytes[at..], suffix.len() as u64);
            self.bytes[at..at + suffix.len()].copy_from_slice(suffix);
            at += suffix.len();
        }
        let tagged = (cell.payload.len() as u64) << 2 | cell.kind as u64;
        at += write_varint(&mut self.bytes[at..], tagged);
        self.bytes[at..at + cell.payload.len()].copy_from_slice(cell.payload);
    }

    /// Makes the gap at least `needed` bytes wide, or finds the leaf full.
    fn make_room(&mut self, needed: usize, page_bytes: usize) -> Room {
        let used = self.used_bytes() + needed;
        // Of one that shares another's bytes this was looked at before.
        if self.shared.is_none() && used > page_bytes && self.count > 1 {
            return Room::Full;
        }
        if self.heap_start() - self.entries_end() >= needed {
            return Room::Enough;
        }
        if self.shared.is_some() {
            self.widen(needed);
            return Room::Enough;
        }
        // A page that is full to its last entries has more room in memory than it may fill, so
        // that rows that come and go in turn do not write it anew each time.
        let wanted = used.next_power_of_two().min(page_bytes).max(used + used / SPARE_PART);
        let slack = wanted - (used - needed);
        self.rebuild(0..self.len(), self.prefix as usize, slack);
        Room::Enough
    }

    /// The longest prefix that the keys of `range` share.
    fn longest_prefix(&self, range: std::ops::Range<usize>) -> usize {
        if self.kind == TreeKind::Fixed || range.is_empty() {
            return 0;
        }
        let (first, last) = (self.suffix(range.start), self.suffix(range.end - 1));
        let longest = self.prefix as usize + shared_bytes(first, last);
        longest.min(usize::from(u16::MAX))
    }

    /// Writes the entries of `range` anew, without garbage, with a prefix of `prefix` bytes and
    /// a gap of `gap`.
    fn rebuild(&mut self, range: std::ops::Range<usize>, prefix: usize, gap: usize) {
        *self = self.rebuilt(range, prefix, gap);
    }

    pub(super) fn rebuilt(&self, range: std::ops::Range<usize>, prefix: usize, gap: usize) -> Self {
        let old_prefix = self.prefix as usize;
        let mut whole_prefix = self.prefix().to_vec();
        if prefix > old_prefix && !range.is_empty() {
            let first = self.suffix(range.start);
            whole_prefix.extend_from_slice(&first[..prefix - old_prefix]);
        }
        whole_prefix.truncate(prefix);
        let added = if prefix < old_prefix { &self.prefix()[prefix..] } else { &[] };
        let cut = prefix.saturating_sub(old_prefix);

        let stride = stride(self.kind);
        let mut heap = 0;
        for index in range.clone() {
            let suffix = match self.kind {
                TreeKind::Fixed => 0,
                TreeKind::Slotted => added.len() + self.suffix(index).len() - cut,
            };
            heap += self.cell_bytes(suffix, self.payload_range(index).1.len());
        }
        let size = HEADER + prefix + range.len() * stride + gap + heap;
        let mut new = Self {
            kind: self.kind,
            prefix: prefix as u32,
            count: range.len() as u32,
            heap: 0,
            garbage: 0,
            bytes: vec![0; size],
            shared: None,
            origin: self.origin.clone(),
            lineage: self.lineage.clone(),
        };
        new.bytes[HEADER..HEADER + prefix].copy_from_slice(&whole_prefix);
        let mut joined = Vec::new();
        // From the end, so that cells lie in the order of their keys, as those of a page from the
        // file do.
        for (target, index) in range.enumerate().rev() {
            let cell = self.cell(index);
            let suffix = match self.kind {
                TreeKind::Fixed => &[],
                TreeKind::Slotted if added.is_empty() => &self.suffix(index)[cut..],
                TreeKind::Slotted => {
                    joined.clear();
                    joined.extend_from_slice(added);
                    joined.extend_from_slice(self.suffix(index));
                    joined.as_slice()
                }
            };
            let cell_bytes = new.cell_bytes(suffix.len(), cell.payload.len());
            let offset = new.push_cell(cell_bytes, suffix, cell);
            let at = new.entries_start() + target * stride;
            match self.kind {
                TreeKind::Fixed => {
                    new.bytes[at..at + 8].copy_from_slice(&self.fixed(index).to_le_bytes());
                }
                TreeKind::Slotted => {
                    new.bytes[at..at + 4].copy_from_slice(&head_of(suffix).to_le_bytes());
                }
            }
            new.set_cell_offset(target, offset);
        }
        new
    }

    /// Removes the entry at `index`.
    pub fn remove(&mut self, index: usize) {
        self.remove_range(index..index + 1);
    }

    /// Removes the entries of `range`.
    pub fn remove_range(&mut self, range: std::ops::Range<usize>) {
        for index in range.clone() {
            self.garbage += self.existing_cell_bytes(index) as u32;
        }
        let stride = stride(self.kind);
        let start = self.entries_start();
        let (from, to) = (start + range.end * stride, start + range.start * stride);
        let end = self.entries_end();
        self.bytes.copy_within(from..end, to);
        self.count -= range.len() as u32;
        if self.count == 0 {
            self.heap = 0;
            self.garbage = 0;
            self.shared = None;
        }
    }

    /// Cuts the entries from `index` on into a leaf of their own. Neither half keeps an origin:
    /// a delta cannot express a split.
    #[must_use]
    pub fn split_off(&mut self, index: usize, page_bytes: usize) -> Self {
        let count = self.len();
        self.set_origin(None);
        let gap = page_bytes / 4;
        let right = self.rebuilt(index..count, self.longest_prefix(index..count), gap);
        self.rebuild(0..index, self.longest_prefix(0..index), gap);
        right
    }

    /// The entry at which the bytes left and right of it come closest to equal.
    pub fn middle(&self) -> usize {
        let stride = stride(self.kind);
        let half = (self.used_bytes() - self.entries_start()) / 2;
        let mut sum = 0;
        for index in 0..self.len() {
            sum += stride + self.existing_cell_bytes(index);
            if sum >= half {
                return (index + 1).clamp(1, self.len().max(2) - 1);
            }
        }
        self.len() / 2
    }

    /// Appends all entries of `right`, whose keys are greater than all here.
    pub fn append(&mut self, right: &Self) -> Result<()> {
        self.set_origin(None);
        let mut key = Vec::new();
        for index in 0..right.len() {
            right.read_key(index, &mut key);
            let position = Err(self.len());
            // The caller made sure that both fit one page.
            let _ = self.put(position, &key, right.cell(index), usize::MAX / 2)?;
        }
        Ok(())
    }

    /// Appends an entry with the greatest key so far.
    pub fn push(&mut self, key: &[u8], cell: Cell<'_>, page_bytes: usize) -> Result<Room> {
        self.put(Err(self.len()), key, cell, page_bytes)
    }
}

/// How many bytes both slices begin with.
pub(super) fn shared_bytes(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}
