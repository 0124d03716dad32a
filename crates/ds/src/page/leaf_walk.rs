//! Going through the entries of a leaf, for scans that take whole leaves.
//!
//! What [`Leaf::payload_range`] computes for one entry is computed here for many, with what they
//! have in common done once. Neighbours: `leaf` has the layout, the SQL layer's scans call this.

use super::leaf::{CellKind, Leaf, stride};
use crate::format::TreeKind;
use crate::format::bytes::read_varint;

/// Where payloads are in their page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payloads {
    /// The first byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Leaf {
    /// Appends the places of the payloads of the entries from `from` up to `to`, as long as they
    /// stand in their leaf themselves; gives the first entry that was not taken.
    pub fn inline_payloads(&self, from: usize, to: usize, out: &mut Vec<Payloads>) -> usize {
        let to = to.min(self.len());
        if from >= to {
            return from;
        }
        let stride = stride(self.kind);
        let entries = &self.bytes[self.entries_start() + from * stride..];
        for (index, entry) in (from..to).zip(entries.chunks_exact(stride)) {
            let Some(offset) = entry.last_chunk::<4>() else { return index };
            let mut at = self.bytes.len() - u32::from_le_bytes(*offset) as usize;
            if self.kind == TreeKind::Slotted {
                let (length, behind) = read_varint(&self.bytes, at);
                at = behind + length as usize;
            }
            let (tagged, at) = read_varint(&self.bytes, at);
            if CellKind::from_bits(tagged) != CellKind::Inline {
                return index;
            }
            let start = at as u32;
            out.push(Payloads { start, end: start + (tagged >> 2) as u32 });
        }
        to
    }

    /// Calls `take` with the bytes of each of these payloads.
    #[inline]
    pub fn each_payload<'a, E>(
        &'a self,
        payloads: &[Payloads],
        mut take: impl FnMut(&'a [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for payload in payloads {
            take(&self.bytes[payload.start as usize..payload.end as usize])?;
        }
        Ok(())
    }
}

// Neighbours: `leaf`.
