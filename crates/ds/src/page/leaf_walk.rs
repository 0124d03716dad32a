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
        &self.bytes
    }

    /// Calls `take` with the places of the payloads of the entries from `from` up to `to`, some
    /// at a time, as long as they stand in their leaf themselves; gives the first entry that was
    /// not taken.
    #[inline]
    pub fn each_inline<E>(
        &self,
        from: usize,
        to: usize,
        mut take: impl FnMut(&[RowBytes]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let to = to.min(self.len());
        if from >= to {
            return Ok(from);
        }
        let stride = stride(self.kind);
        let entries = &self.bytes[self.entries_start() + from * stride..][..(to - from) * stride];
        let mut index = from;
        for entries in entries.chunks(stride * ROWS_TOGETHER) {
            let mut places = [RowBytes::default(); ROWS_TOGETHER];
            let mut count = 0;
            for (entry, place) in entries.chunks_exact(stride).zip(&mut places) {
                let Some(found) = self.inline_payload(entry) else { break };
                *place = found;
                count += 1;
            }
            take(&places[..count])?;
            index += count;
            if count < entries.len() / stride {
                break;
            }
        }
        Ok(index)
    }

    /// Where the payload of an entry is, if it stands in the leaf itself.
    #[inline]
    fn inline_payload(&self, entry: &[u8]) -> Option<RowBytes> {
        let offset = u32::from_le_bytes(*entry.last_chunk::<4>()?);
        let mut at = self.bytes.len() - offset as usize;
        if self.kind == TreeKind::Slotted {
            let (length, behind) = read_varint(&self.bytes, at);
            at = behind + length as usize;
        }
        let (tagged, at) = read_varint(&self.bytes, at);
        let end = at + (tagged >> 2) as usize;
        (CellKind::from_bits(tagged) == CellKind::Inline)
            .then_some(RowBytes { start: at as u32, end: end as u32 })
    }
}

// Neighbours: `leaf`.
