//! The table of unusual counts, put together when somebody first asks for a count.
//!
//! A large file with history has thousands of them, and opening it needs none: an opening keeps
//! what the records of the map say, in their order, and only whoever counts, a checkpoint as a
//! rule, pays for the table: until then they stay the bytes that were read. Neighbours: `log` reads
//! the records, `settle` counts.

use std::cell::OnceCell;

use rustc_hash::FxHashMap;

use super::Count;
use crate::error::{Error, Result};
use crate::format::bytes::put_varint;
use crate::format::{Extent, Granule};

type Table = FxHashMap<Granule, Count>;

/// How many varints an entry of a list has.
const VARINTS: usize = 3;

/// Appends a list of counts, which is sorted by granule.
pub(super) fn put_counts(out: &mut Vec<u8>, counts: &[(Granule, Count)]) {
    put_varint(out, counts.len() as u64);
    let mut last = 0;
    for (granule, count) in counts {
        put_varint(out, granule.0 - last);
        put_varint(out, u64::from(count.versions));
        put_varint(out, u64::from(count.holds));
        last = granule.0;
    }
}

/// The list of counts of one record, as it was read.
#[derive(Debug)]
pub(super) struct Listed {
    record: Vec<u8>,
    /// Where the first entry begins.
    from: usize,
    length: usize,
}

impl Listed {
    /// The list of `length` entries that begin at `from`; refused where the record is too short.
    pub(super) fn new(record: Vec<u8>, from: usize, length: u64) -> Result<Self> {
        let ends = record.iter().skip(from).filter(|byte| **byte < 0x80).count();
        let length = usize::try_from(length).ok().filter(|length| *length <= ends / VARINTS);
        let length = length.ok_or_else(|| {
            Error::corrupt("a record of the space map has fewer counts than it says")
        })?;
        Ok(Self { record, from, length })
    }

    /// The entries. A number that passes its bounds is as large as can be: what so many refer to
    /// is never freed.
    fn entries(&self) -> impl Iterator<Item = (Granule, Count)> {
        let mut bytes = self.record.iter().skip(self.from);
        let mut varint = move || {
            let (mut value, mut shift) = (0u64, 0u32);
            for byte in bytes.by_ref() {
                let bits = u64::from(byte & 0x7f);
                let placed = bits.checked_shl(shift).filter(|placed| placed >> shift == bits);
                value = placed.map_or(u64::MAX, |placed| value | placed);
                shift = shift.saturating_add(7);
                if *byte < 0x80 {
                    break;
                }
            }
            value
        };
        let mut last = 0u64;
        (0..self.length).map(move |_| {
            last = last.saturating_add(varint());
            let mut narrow = || u32::try_from(varint()).unwrap_or(u32::MAX);
            (Granule(last), Count { versions: narrow(), holds: narrow() })
        })
    }
}

/// What one record says of counts.
#[derive(Debug)]
pub(super) struct Step {
    /// Counts that are so from this record on.
    pub(super) counts: Listed,
    /// Extents that are free from this record on, and have none.
    pub(super) freed: Vec<Extent>,
}

/// The counts of extents that have another one than [`Count::USUAL`].
#[derive(Debug, Default)]
pub(super) struct Counts {
    table: OnceCell<Table>,
    /// What the table is made of, as long as it is not there.
    steps: Vec<Step>,
}

impl Counts {
    /// Those that the records say, in their order.
    pub(super) fn later(steps: Vec<Step>) -> Self {
        Self { table: OnceCell::new(), steps }
    }

    /// All of them.
    pub(super) fn table(&self) -> &Table {
        self.table.get_or_init(|| put_together(&self.steps))
    }

    /// Changes the count of an extent.
    pub(super) fn set(&mut self, extent: Granule, count: Count) {
        self.table();
        self.steps = Vec::new();
        // There since the line before the last.
        let Some(table) = self.table.get_mut() else { return };
        if count == Count::USUAL {
            table.remove(&extent);
        } else {
            table.insert(extent, count);
        }
    }
}

impl From<Table> for Counts {
    fn from(table: Table) -> Self {
        Self { table: OnceCell::from(table), steps: Vec::new() }
    }
}

fn put_together(steps: &[Step]) -> Table {
    let most = steps.iter().map(|step| step.counts.length).sum();
    let mut table = Table::with_capacity_and_hasher(most, rustc_hash::FxBuildHasher);
    for step in steps {
        for (granule, count) in step.counts.entries() {
            if count == Count::USUAL {
                table.remove(&granule);
            } else {
                table.insert(granule, count);
            }
        }
        for extent in &step.freed {
            table.remove(&extent.start);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::format::bytes::Reader;

    const SHARED: Count = Count { versions: 2, holds: 0 };

    fn step(counts: &[(u64, Count)], freed: &[u64]) -> Step {
        let counts: Vec<_> =
            counts.iter().map(|(granule, count)| (Granule(*granule), *count)).collect();
        let mut record = b"what is before".to_vec();
        put_counts(&mut record, &counts);
        let mut reader = Reader::new(&record);
        reader.take(14).unwrap();
        let (length, from) = (reader.varint().unwrap(), reader.position());
        // Records are padded.
        record.extend_from_slice(&[0; 20]);
        let listed = Listed::new(record, from, length).unwrap();
        assert_eq!(listed.entries().collect::<Vec<_>>(), counts);
        Step {
            counts: listed,
            freed: freed.iter().map(|at| Extent { start: Granule(*at), granules: 1 }).collect(),
        }
    }

    #[test]
    fn what_a_later_record_says_counts() {
        let mut counts = Counts::later(vec![
            step(&[(20, SHARED), (30, SHARED), (40, SHARED)], &[]),
            step(&[(20, Count { versions: 3, holds: 1 }), (30, Count::USUAL)], &[40]),
        ]);
        let expected = Table::from_iter([(Granule(20), Count { versions: 3, holds: 1 })]);
        assert_eq!(counts.table(), &expected);
        counts.set(Granule(50), SHARED);
        assert_eq!(counts.table().len(), 2);
    }

    #[test]
    fn a_change_before_the_first_look_finds_what_was_read() {
        let mut counts = Counts::later(vec![step(&[(20, SHARED)], &[])]);
        counts.set(Granule(30), SHARED);
        assert_eq!(counts.table().len(), 2);
        counts.set(Granule(20), Count::USUAL);
        assert_eq!(counts.table(), &Table::from_iter([(Granule(30), SHARED)]));
    }
    #[test]
    fn numbers_of_any_size_come_back() {
        let most = Count { versions: u32::MAX, holds: u32::MAX };
        let few = Count { versions: 127, holds: 128 };
        drop(step(&[(0, most), (127, few), (1 << 40, SHARED), (u64::MAX, few)], &[]));
    }

    #[test]
    fn a_list_that_ends_early_is_refused_and_large_numbers_are_the_largest() {
        assert!(Listed::new(vec![1, 2, 3, 4, 5], 0, 2).is_err());
        assert!(Listed::new(vec![1, 2, 0x80, 3, 4], 0, 1).is_ok());
        assert!(Listed::new(vec![1, 2, 0x80], 0, 1).is_err());
        assert!(Listed::new(vec![1, 2, 3], 9, 1).is_err());
        assert!(Listed::new(Vec::new(), 0, u64::MAX).is_err());
        let endless = [vec![0xff; 30], vec![1], vec![0xff; 7], vec![1, 3]].concat();
        let listed = Listed::new(endless, 0, 1).unwrap();
        let count = Count { versions: u32::MAX, holds: 3 };
        assert_eq!(listed.entries().collect::<Vec<_>>(), [(Granule(u64::MAX), count)]);
    }
}
