//! Rows that wait in files for their turn, by the hashes of their keys.
//!
//! When a hash table may not grow any more, rows with keys that it does not know are put aside
//! into one of several files; afterwards each file is worked on as if it were the input, with a
//! table of its own, and may be divided again. Rows with equal keys are in one file, in the order
//! in which they came. Neighbours: the groups and sets of both gears put rows aside.

use std::hash::Hasher;

use rustc_hash::FxHasher;

use crate::error::Result;
use crate::execute::Context;
use crate::execute::memory::{SpillFile, SpillReader};

/// How many bits of a hash choose a file.
const FILE_BITS: u32 = 4;

/// How many files rows are put aside into.
const FILES: usize = 1 << FILE_BITS;

/// How often rows are put aside again: then a table grows whatever it takes.
const DEPTH_MAX: u32 = 6;

/// How many keys a table has at least before rows are put aside: where the memory is used up by
/// others, a table that takes next to nothing would end in countless files.
const KEYS_MIN: usize = 8;

/// Files of rows that were put aside.
#[derive(Debug)]
pub(in crate::execute) struct Partitions {
    /// Made when there is something to write.
    files: [Option<SpillFile>; FILES],
    depth: u32,
}

/// A file of rows that were put aside, and how often they were.
pub(in crate::execute) type Waiting = (SpillReader, u32);

/// Whether a table of `keys` keys, of rows that were put aside `depth` times, is large enough for
/// others to be put aside once more.
pub(in crate::execute) fn may_be_divided(keys: usize, depth: u32) -> bool {
    depth < DEPTH_MAX && keys >= KEYS_MIN << (3 * depth)
}

/// Which file is for a key. Of each hash every depth looks at bits of its own, or rows that are in
/// one file would be in one again.
fn file_of(key: &[u8], depth: u32) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(key);
    // The last steps of MurmurHash3: all bits depend on all others.
    let mut hash = hasher.finish();
    hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^= hash >> 33;
    (hash >> (depth * FILE_BITS)) as usize & (FILES - 1)
}

impl Partitions {
    /// Files for rows that were put aside `depth` times before.
    pub(in crate::execute) fn new(depth: u32) -> Self {
        Self { files: [const { None }; FILES], depth }
    }

    /// Puts a row aside, as the bytes of `parts`.
    pub(in crate::execute) fn put(
        &mut self,
        key: &[u8],
        parts: &[&[u8]],
        context: &Context<'_>,
    ) -> Result<()> {
        let file = &mut self.files[file_of(key, self.depth)];
        let file = match file {
            Some(file) => file,
            None => file.insert(SpillFile::create(context)?),
        };
        file.write(parts)
    }

    /// Ends putting aside.
    pub(in crate::execute) fn into_waiting(self) -> Result<Vec<Waiting>> {
        let depth = self.depth + 1;
        let files = self.files.into_iter().flatten();
        files.map(|file| Ok((file.into_reader()?, depth))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, FILES, KEYS_MIN, file_of, may_be_divided};

    #[test]
    fn tables_are_divided_while_they_are_large_and_not_for_ever() {
        let mut least = KEYS_MIN;
        for depth in 0..DEPTH_MAX {
            assert!(may_be_divided(least, depth) && !may_be_divided(least - 1, depth));
            least *= FILES / 2;
        }
        assert!(!may_be_divided(usize::MAX, DEPTH_MAX));
    }

    #[test]
    fn what_is_in_one_file_is_divided_again() {
        let mut keys: Vec<[u8; 8]> = (0..1_000_000_u64).map(u64::to_be_bytes).collect();
        for depth in 0..DEPTH_MAX {
            let mut counts = [0; FILES];
            for key in &keys {
                counts[file_of(key, depth)] += 1;
            }
            let even = keys.len() / FILES;
            if even > 100 {
                let is_even = |count: &usize| (even / 2..even * 2).contains(count);
                assert!(counts.iter().all(is_even), "depth {depth}: {counts:?}");
            }
            keys.retain(|key| file_of(key, depth) == 5);
        }
    }
}

// Neighbours: `runs`, `memory`, `operators::fresh`, `batch::partition`.
