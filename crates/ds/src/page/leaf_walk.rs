//! Going through the entries of a leaf, for scans that take whole leaves.
//!
//! What [`Leaf::payload_range`] computes for one entry is computed here for many, with what they
//! have in common done once. Neighbours: `leaf` has the layout, the SQL layer's scans call this,
//! `record::row` reads columns of the rows that are found.

use super::fetch::{LINE, ask_for};
use super::leaf::{CellKind, Leaf, stride};
use super::leaf_shared::Shared;
use crate::format::TreeKind;
use crate::format::bytes::read_varint;
use crate::record::row::{ROWS_TOGETHER, RowBytes};

/// Rows up to here lie so close that their lines are fetched one after the other.
const SMALL_ROW: usize = 3 * LINE;

/// What a scan knows of the pages around one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'a> {
    /// The page behind it, where its memory is to be fetched.
    pub ahead: Option<&'a Leaf>,
    /// Its own memory was fetched while the page before it was read.
    pub is_fetched: bool,
}

impl Leaf {
    /// The bytes in which payloads have their places: the page's, or those that it shares.
    #[inline]
    pub fn page_bytes(&self) -> &[u8] {
        match &self.shared {
            None => &self.bytes,
            Some(shared) => shared.page(),
        }
    }

    /// Whether a scan that asks for the whole page gets little that it does not read.
    #[inline]
    pub fn is_dense(&self) -> bool {
        self.len() * SMALL_ROW >= self.heap as usize
    }

    /// Asks for the memory that is read to find a fixed key so far behind the page's least one.
    #[inline]
    pub fn ask_for_entry(&self, distance: u64) {
        let Some(last) = self.len().checked_sub(1) else { return };
        let (start, stride) = (self.entries_start(), stride(self.kind));
        let guess = usize::try_from(distance).unwrap_or(last).min(last);
        for at in [start, start + guess * stride] {
            ask_for(self.bytes.get(at..at + stride).unwrap_or(&[]));
        }
    }

    /// Where a fixed key is or would be in a page whose keys are `least` or greater.
    ///
    /// Where they are dense from there on, nothing else is read to find the entry, and the memory
    /// of its row is asked for at the same time: cells stand in the order of the keys in a page
    /// that was read from the file, and most are about as long as the others.
    #[inline]
    pub fn search_dense(&self, key: u64, least: u64) -> Result<usize, usize> {
        let count = self.len();
        let distance = key.saturating_sub(least);
        if distance < count as u64 {
            let index = distance as usize;
            self.ask_for_row_near(index);
            if self.fixed(index) == key {
                return Ok(index);
            }
        }
        self.search_fixed(key)
    }

    /// Asks for the first lines of the cell that is at the place of an entry's number.
    #[inline]
    fn ask_for_row_near(&self, index: usize) {
        let (page, heap) = match &self.shared {
            None => (&*self.bytes, self.heap as usize),
            Some(shared) => (shared.page(), shared.heap() as usize),
        };
        let start = page.len() - heap + heap * index / self.len();
        ask_for(&page[start..page.len().min(start + SMALL_ROW)]);
    }

    /// Asks for the first lines of an entry's cell.
    #[inline]
    pub fn ask_for_cell(&self, index: usize) {
        let (bytes, start, _) = self.cell_place(index);
        ask_for(bytes.get(start..bytes.len().min(start + SMALL_ROW)).unwrap_or(&[]));
    }

    /// Calls `take` with the places of the payloads of the entries from `from` up to `to`, some
    /// at a time, as long as they stand in their leaf themselves; gives the first entry that was
    /// not taken. Meanwhile the memory of `around`'s page behind this one is fetched.
    #[inline]
    pub fn each_inline<E>(
        &self,
        from: usize,
        to: usize,
        around: Around<'_>,
        take: impl FnMut(&[RowBytes]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let to = to.min(self.next_own(from));
        if from >= to {
            return Ok(from);
        }
        let stride = stride(self.kind);
        let entries = &self.bytes[self.entries_start() + from * stride..][..(to - from) * stride];
        let taken = match self.kind {
            TreeKind::Fixed => self.each_of(from, entries.as_chunks::<12>().0, around, take)?,
            TreeKind::Slotted => self.each_of(from, entries.as_chunks::<8>().0, around, take)?,
        };
        Ok(from + taken)
    }

    /// As [`each_inline`](Self::each_inline), of entries; gives how many were taken.
    #[inline]
    fn each_of<const STRIDE: usize, E>(
        &self,
        from: usize,
        entries: &[[u8; STRIDE]],
        around: Around<'_>,
        mut take: impl FnMut(&[RowBytes]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let page = self.page_bytes();
        if !around.is_fetched {
            // Where most of the page is wanted, it is fetched best from end to end.
            let shared = self.shared.as_ref().map_or(self.heap, Shared::heap);
            let heap = &page[page.len() - shared as usize..];
            std::hint::black_box(if entries.len() * SMALL_ROW >= heap.len() {
                sweep(heap)
            } else {
                touch(page, entries)
            });
        }
        let ahead = around.ahead.map_or(&[][..], Leaf::page_bytes);
        let mut taken = 0;
        for entries in entries.chunks(ROWS_TOGETHER) {
            // The rows that are taken tell which piece of the page ahead is asked for now.
            let piece = |entry: usize| ahead.len() * entry.min(self.len()) / self.len().max(1);
            let first = from + taken;
            ask_for(&ahead[piece(first)..piece(first + entries.len())]);
            let mut places = [RowBytes::default(); ROWS_TOGETHER];
            let mut count = 0;
            for (entry, place) in entries.iter().zip(&mut places) {
                let Some(found) = self.inline_payload(page, entry) else { break };
                *place = found;
                count += 1;
            }
            take(&places[..count])?;
            taken += count;
            if count < entries.len() {
                break;
            }
        }
        Ok(taken)
    }

    /// Where the payload of an entry is, if it stands in the leaf itself.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "a call takes longer than what it does")]
    fn inline_payload(&self, page: &[u8], entry: &[u8]) -> Option<RowBytes> {
        let offset = u32::from_le_bytes(*entry.last_chunk::<4>()?);
        let mut at = page.len() - offset as usize;
        if self.kind == TreeKind::Slotted {
            let (length, behind) = read_varint(page, at);
            at = behind + length as usize;
        }
        let (tagged, at) = read_varint(page, at);
        let end = at + (tagged >> 2) as usize;
        (CellKind::from_bits(tagged) == CellKind::Inline)
            .then_some(RowBytes { start: at as u32, end: end as u32 })
    }
}

/// Looks at a byte of each cache line.
#[inline(never)]
fn sweep(bytes: &[u8]) -> u8 {
    let (mut seen, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        seen ^= byte;
        at += LINE;
    }
    seen
}

/// Looks at the first byte of each cell.
///
/// A table is larger than the processor's caches, so that every row is another wait for memory.
/// Reading a row takes so many instructions that a processor begins few of them before it waits;
/// here the waits of all rows of a leaf overlap.
#[inline(never)]
fn touch<const STRIDE: usize>(bytes: &[u8], entries: &[[u8; STRIDE]]) -> u8 {
    let mut seen = 0;
    for entry in entries {
        if let Some(offset) = entry.last_chunk::<4>() {
            seen ^= bytes[bytes.len() - u32::from_le_bytes(*offset) as usize];
        }
    }
    seen
}

// Neighbours: `leaf`.
