//! The free runs of the file: by place, to join neighbours, and by size, to find the best fit.
//!
//! Neighbours: `mod` decides what is free; `log` stores the runs.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};
use crate::format::{Extent, Granule};

/// How many runs are looked at for one below a limit.
const TRIES_MAX: usize = 64;

/// Runs of free granules; no two touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FreeRuns {
    by_place: BTreeMap<u64, u64>,
    by_size: BTreeSet<(u64, u64)>,
    granules: u64,
}

impl FreeRuns {
    /// How many granules are free.
    pub(super) fn granules(&self) -> u64 {
        self.granules
    }

    /// The runs in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = Extent> + '_ {
        self.by_place
            .iter()
            .map(|(start, granules)| Extent { start: Granule(*start), granules: *granules })
    }

    /// The runs from the end of the file.
    pub(super) fn iter_back(&self) -> impl Iterator<Item = Extent> + '_ {
        self.by_place
            .iter()
            .rev()
            .map(|(start, granules)| Extent { start: Granule(*start), granules: *granules })
    }

    /// How many runs.
    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    fn insert_run(&mut self, start: u64, granules: u64) {
        self.by_place.insert(start, granules);
        self.by_size.insert((granules, start));
        self.granules += granules;
    }

    fn remove_run(&mut self, start: u64, granules: u64) {
        self.by_place.remove(&start);
        self.by_size.remove(&(granules, start));
        self.granules -= granules;
    }

    /// Adds an extent, joining it with its neighbours; one that is free already is an error.
    pub(super) fn add(&mut self, extent: Extent) -> Result<()> {
        let (mut start, mut granules) = (extent.start.0, extent.granules);
        if granules == 0 {
            return Ok(());
        }
        let end = start + granules;
        if let Some((&before, &length)) = self.by_place.range(..=start).next_back() {
            if before + length > start {
                return Err(overlap(extent));
            }
            if before + length == start {
                self.remove_run(before, length);
                start = before;
                granules += length;
            }
        }
        if let Some((&after, &length)) = self.by_place.range(extent.start.0..).next() {
            if after < end {
                return Err(overlap(extent));
            }
            if after == end {
                self.remove_run(after, length);
                granules += length;
            }
        }
        self.insert_run(start, granules);
        Ok(())
    }

    /// Takes exactly `extent`, which must be free.
    pub(super) fn take_exact(&mut self, extent: Extent) -> Result<()> {
        let (start, end) = (extent.start.0, extent.start.0 + extent.granules);
        let found = self.by_place.range(..=start).next_back();
        let Some((&run, &length)) = found.filter(|(run, length)| **run + **length >= end) else {
            return Err(Error::corrupt(format!(
                "granules {start} to {end} should be free and are not"
            )));
        };
        self.remove_run(run, length);
        if run < start {
            self.insert_run(run, start - run);
        }
        if run + length > end {
            self.insert_run(end, run + length - end);
        }
        Ok(())
    }

    /// Takes `granules` from the smallest run that holds them.
    pub(super) fn take(&mut self, granules: u64) -> Option<Granule> {
        let &(length, start) = self.by_size.range((granules, 0)..).next()?;
        self.remove_run(start, length);
        if length > granules {
            self.insert_run(start + granules, length - granules);
        }
        Some(Granule(start))
    }

    /// Takes the whole largest run when it has at least `granules`, at most `most` of it.
    pub(super) fn take_largest(&mut self, granules: u64, most: u64) -> Option<Extent> {
        let &(length, start) = self.by_size.last().filter(|(length, _)| *length >= granules)?;
        self.remove_run(start, length);
        let taken = length.min(most);
        if length > taken {
            self.insert_run(start + taken, length - taken);
        }
        Some(Extent { start: Granule(start), granules: taken })
    }

    /// Takes `granules` from a small run that holds them below `ceiling`.
    pub(super) fn take_below(&mut self, granules: u64, ceiling: u64) -> Option<Granule> {
        let fitting = self.by_size.range((granules, 0)..).take(TRIES_MAX);
        let found = fitting.copied().find(|(_, start)| start + granules <= ceiling);
        let (length, start) = found?;
        self.remove_run(start, length);
        if length > granules {
            self.insert_run(start + granules, length - granules);
        }
        Some(Granule(start))
    }

    /// Takes the part below `ceiling` of a large run, at least `least` granules and at most
    /// `most`.
    pub(super) fn take_largest_below(
        &mut self,
        least: u64,
        most: u64,
        ceiling: u64,
    ) -> Option<(Granule, u64)> {
        let largest = self.by_size.iter().rev().take(TRIES_MAX).copied();
        let below = |(length, start): (u64, u64)| length.min(ceiling.saturating_sub(start));
        let (length, start) = largest.max_by_key(|run| below(*run))?;
        let taken = below((length, start)).min(most);
        if taken < least {
            return None;
        }
        self.remove_run(start, length);
        if length > taken {
            self.insert_run(start + taken, length - taken);
        }
        Some((Granule(start), taken))
    }

    /// Takes the run that ends at `end`, so that the file can be cut there.
    pub(super) fn take_tail(&mut self, end: u64) -> Option<Extent> {
        let (&start, &length) = self.by_place.last_key_value()?;
        if start + length != end {
            return None;
        }
        self.remove_run(start, length);
        Some(Extent { start: Granule(start), granules: length })
    }

    /// Whether no granule of `extent` is free.
    pub(super) fn is_disjoint(&self, extent: Extent) -> bool {
        let end = extent.start.0 + extent.granules;
        self.by_place
            .range(..end)
            .next_back()
            .is_none_or(|(start, length)| start + length <= extent.start.0)
    }
}

fn overlap(extent: Extent) -> Error {
    Error::corrupt(format!(
        "granules {} to {} are freed twice",
        extent.start.0,
        extent.start.0 + extent.granules
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_agree_with_a_bitmap(steps in prop::collection::vec((0u64..120, 1u64..9), 1..200)) {
            let mut runs = FreeRuns::default();
            let mut bitmap = [false; 128];
            for (number, (start, granules)) in steps.into_iter().enumerate() {
                let end = (start + granules) as usize;
                let extent = Extent { start: Granule(start), granules };
                let cells = &mut bitmap[start as usize..end.min(128)];
                if number % 3 == 2 {
                    let all_free = cells.iter().all(|free| *free) && end <= 128;
                    prop_assert_eq!(runs.take_exact(extent).is_ok(), all_free);
                    if all_free { cells.fill(false); }
                } else if end <= 128 {
                    let none_free = cells.iter().all(|free| !free);
                    prop_assert_eq!(runs.is_disjoint(extent), none_free);
                    prop_assert_eq!(runs.clone().add(extent).is_ok(), none_free);
                    if none_free { runs.add(extent).unwrap(); cells.fill(true); }
                }
                let free = bitmap.iter().filter(|free| **free).count() as u64;
                prop_assert_eq!(runs.granules(), free);
                let listed: u64 = runs.iter().map(|run| run.granules).sum();
                prop_assert_eq!(listed, free);
                if let Some(taken) = runs.clone().take(3) {
                    prop_assert!((taken.0..taken.0 + 3).all(|at| bitmap[at as usize]));
                }
            }
        }
    }
}
