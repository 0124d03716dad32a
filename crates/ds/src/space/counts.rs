//! The table of unusual counts, put together when somebody first asks for a count.
//!
//! A large file with history has thousands of them, and opening it needs none: an opening keeps
//! what the records of the map say, in their order, and only whoever counts, a checkpoint as a
//! rule, pays for the table. Neighbours: `log` reads the records, `settle` counts.

use std::cell::OnceCell;

use rustc_hash::FxHashMap;

use super::Count;
use crate::format::{Extent, Granule};

type Table = FxHashMap<Granule, Count>;

/// What one record says of counts.
#[derive(Debug)]
pub(super) struct Step {
    /// Counts that are so from this record on.
    pub(super) counts: Vec<(Granule, Count)>,
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
    let most = steps.iter().map(|step| step.counts.len()).sum();
    let mut table = Table::with_capacity_and_hasher(most, rustc_hash::FxBuildHasher);
    for step in steps {
        for (granule, count) in &step.counts {
            if *count == Count::USUAL {
                table.remove(granule);
            } else {
                table.insert(*granule, *count);
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
    use super::*;

    const SHARED: Count = Count { versions: 2, holds: 0 };

    fn step(counts: &[(u64, Count)], freed: &[u64]) -> Step {
        Step {
            counts: counts.iter().map(|(granule, count)| (Granule(*granule), *count)).collect(),
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
}
