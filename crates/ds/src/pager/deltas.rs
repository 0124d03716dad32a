//! Reading the deltas of many leaves one after the other.
//!
//! A checkpoint writes the deltas of neighbouring leaves side by side, a granule each. Who reads
//! them in the order of keys is given a piece of the file at a time: one call of the system for a
//! hundred of them. What lies between in the piece is not looked at. An extent that a held version
//! refers to does not change, so neither does what was read ahead of it. Neighbours: `read` for
//! single extents, `tree::diff_deltas` compares.

use super::Pager;
use crate::error::Result;
use crate::format::{PageRef, Stored};
use crate::page::delta::LeafDelta;

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// The piece of the file that was read last.
#[derive(Debug, Default)]
pub struct DeltaReader {
    start: u64,
    bytes: Vec<u8>,
    /// Where the last delta was.
    last: u64,
}

impl DeltaReader {
    /// The delta of a leaf; an inner none where the leaf is a whole page, an outer one where the
    /// delta's keys are not in order.
    pub fn read(&mut self, pager: &Pager, page: &PageRef) -> Result<Option<Option<LeafDelta>>> {
        let Some(stored) = &page.delta else { return Ok(Some(None)) };
        let bytes = self.extent(pager, stored)?;
        Ok(LeafDelta::read(pager.unpack(stored, bytes)?)?.map(Some))
    }

    fn extent(&mut self, pager: &Pager, stored: &Stored) -> Result<Vec<u8>> {
        let (offset, length) = (stored.granule.offset(), stored.stored as usize);
        let last = std::mem::replace(&mut self.last, offset);
        if let Some(bytes) = self.in_piece(offset, length) {
            let bytes = bytes.to_vec();
            pager.verify(stored, &bytes)?;
            return Ok(bytes);
        }
        let is_next = last < offset && offset - last < PIECE as u64;
        if !is_next || length > PIECE / 2 {
            return pager.read_extent(stored);
        }
        self.bytes.resize(PIECE, 0);
        self.start = offset;
        let found = pager.read_piece(offset, &mut self.bytes)?;
        self.bytes.truncate(found);
        match self.in_piece(offset, length) {
            Some(bytes) => {
                let bytes = bytes.to_vec();
                pager.verify(stored, &bytes)?;
                Ok(bytes)
            }
            None => pager.read_extent(stored),
        }
    }

    fn in_piece(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(length)?)
    }
}

// Neighbours: `read`.
