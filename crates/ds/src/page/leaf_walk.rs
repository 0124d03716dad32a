//! Going through the entries of a leaf, for scans that take whole leaves.
//!
//! What [`Leaf::payload_range`] computes for one entry is computed here for many, with what they
//! have in common done once. Neighbours: `leaf` has the layout, the SQL layer's scans call this,
//! `record::row` reads columns of the rows that are found.

use super::leaf::{CellKind, Leaf, stride};
use crate::format::TreeKind;
use crate::format::bytes::read_varint;
use crate::record::row::{ROWS_TOGETHER, RowBytes};

impl Leaf {
    /// The bytes of the page, in which payloads have their places.
    #[inline]
    pub fn page_bytes(&self) -> &[u8] {
        self.page()
    }

    /// Calls `take` with the places of the payloads of the entries from `from` up to `to`, some
    /// at a time, as long as they stand in their leaf themselves; gives the first entry that was
    /// not taken.
    #[inline]
    pub fn each_inline<E>(
        &self,
        from: usize,
        to: usize,
        take: impl FnMut(&[RowBytes]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let patched = self.patches.as_ref().and_then(|patches| patches.next(from));
        let to = to.min(self.len()).min(patched.unwrap_or(usize::MAX));
        if from >= to {
            return Ok(from);
        }
        let stride = stride(self.kind);
        let entries = &self.page()[self.entries_start() + from * stride..][..(to - from) * stride];
        let taken = match self.kind {
            TreeKind::Fixed => self.each_of(entries.as_chunks::<12>().0, take)?,
            TreeKind::Slotted => self.each_of(entries.as_chunks::<8>().0, take)?,
        };
        Ok(from + taken)
    }

    /// As [`each_inline`](Self::each_inline), of entries; gives how many were taken.
    #[inline]
    fn each_of<const STRIDE: usize, E>(
        &self,
        entries: &[[u8; STRIDE]],
        mut take: impl FnMut(&[RowBytes]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let page = self.page();
        std::hint::black_box(touch(page, entries));
        let mut taken = 0;
        for entries in entries.chunks(ROWS_TOGETHER) {
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
