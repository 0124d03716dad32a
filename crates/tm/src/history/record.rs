//! A kept root's note in the registry: whose it is, and of which moment.
//!
//! ```text
//! | head 8 | moment 8 | time 8 | log position 8 | commit 8 | note of the head |
//! ```
//!
//! All integers are little-endian. Neighbours: `mod` writes and reads these.

use crate::error::{Error, Result};
use crate::ids::{CommitId, HeadId, Lsn};

/// The bytes in front of the head's own note.
const FIXED: usize = 40;

/// The note of a kept root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The head that was kept.
    pub(super) head: HeadId,
    /// The newest commit of the moment.
    pub(super) moment: CommitId,
    /// When that was.
    pub(super) time: i64,
    /// Where the log goes on.
    pub(super) position: Lsn,
    /// The head's own newest commit.
    pub(super) commit: CommitId,
    /// What the crates above kept with the head.
    pub(super) note: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED + self.note.len());
        let numbers =
            [self.head.0, self.moment.0, self.time as u64, self.position.0, self.commit.0];
        for number in numbers {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(self.note);
        bytes
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self> {
        let Some((fixed, note)) = bytes.split_at_checked(FIXED) else {
            return Err(Error::corrupt("the note of a kept root is cut short"));
        };
        let mut numbers = fixed.chunks_exact(8).map(|chunk| {
            let mut number = [0; 8];
            number.copy_from_slice(chunk);
            u64::from_le_bytes(number)
        });
        let mut next = || numbers.next().unwrap_or_default();
        Ok(Self {
            head: HeadId(next()),
            moment: CommitId(next()),
            time: next() as i64,
            position: Lsn(next()),
            commit: CommitId(next()),
            note,
        })
    }
}
