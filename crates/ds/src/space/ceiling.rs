//! A limit below which new pages are put while the end of the file is being emptied.
//!
//! Free runs below the limit come first; where none fits, the usual choice is made: a limit makes
//! nothing fail. Neighbours: `free` finds the runs, `tree::relocate` moves the pages.

use super::free::FreeRuns;
use super::{Space, State};
use crate::format::Granule;
use crate::sync::Arc;

/// Emptying less than this is not worth a checkpoint.
const WORTH_GRANULES: u64 = 64;

/// Runs shorter than this are not counted as room: most pages do not fit there.
const RUN_GRANULES_MIN: u64 = 8;

/// Keeps the limit; dropping it ends it.
#[derive(Debug)]
pub struct Ceiling {
    space: Arc<Space>,
    granule: Granule,
}

impl Ceiling {
    /// The limit.
    pub fn granule(&self) -> Granule {
        self.granule
    }
}

impl Drop for Ceiling {
    fn drop(&mut self) {
        self.space.state.lock().ceiling = None;
    }
}

impl Space {
    /// Sets a limit above which at most `most` granules are in use and for whose pages there is
    /// room below; none where that gives nothing back, or when there is a limit already.
    pub fn set_ceiling(self: &Arc<Self>, most: u64) -> Option<Ceiling> {
        let mut state = self.state.lock();
        if state.ceiling.is_some() {
            return None;
        }
        let granule = lowest_ceiling(&state.free, state.end, most)?;
        state.ceiling = Some(granule.0);
        drop(state);
        Some(Ceiling { space: Arc::clone(self), granule })
    }

    /// The limit, while there is one.
    pub fn ceiling(&self) -> Option<Granule> {
        self.state.lock().ceiling.map(Granule)
    }
}

/// Goes down from the end as long as what is in use there finds room below.
fn lowest_ceiling(free: &FreeRuns, end: u64, most: u64) -> Option<Granule> {
    let usable = |granules: u64| if granules >= RUN_GRANULES_MIN { granules } else { 0 };
    let mut below: u64 = free.iter().map(|run| usable(run.granules)).sum();
    let (mut above, mut at) = (0, end);
    for run in free.iter_back() {
        let run_end = run.start.0 + run.granules;
        // Of what is free a quarter stays: the pages above the moved ones are written as well,
        // and not every page fits everywhere.
        let room = most.min(below - below / 4).saturating_sub(above);
        if at - run_end > room {
            at -= room;
            above += room;
            break;
        }
        above += at - run_end;
        below -= usable(run.granules);
        let needed = above + above.div_ceil(3);
        if below < needed {
            at = run.start.0 + (needed - below);
            break;
        }
        at = run.start.0;
    }
    (end - at >= WORTH_GRANULES && above > 0).then_some(Granule(at))
}

impl State {
    /// Takes `granules` below the ceiling, where there is one and room.
    pub(super) fn take_low(&mut self, granules: u64) -> Option<Granule> {
        self.free.take_below(granules, self.ceiling?)
    }

    /// Takes the largest of some runs below the ceiling that have `least` granules, at most
    /// `most` of it.
    pub(super) fn take_region_low(&mut self, least: u64, most: u64) -> Option<(Granule, u64)> {
        self.free.take_largest_below(least, most, self.ceiling?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::format::Extent;

    fn runs(extents: &[(u64, u64)]) -> FreeRuns {
        let mut runs = FreeRuns::default();
        for (start, granules) in extents {
            runs.add(Extent { start: Granule(*start), granules: *granules }).unwrap();
        }
        runs
    }

    #[test]
    fn a_ceiling_leaves_room_below_for_what_is_above() {
        // In use: 16..100, 1100..2000. Three quarters of 1000 find room.
        let free = runs(&[(100, 1000)]);
        assert_eq!(lowest_ceiling(&free, 2000, u64::MAX), Some(Granule(1250)));
        assert_eq!(lowest_ceiling(&free, 2000, 300), Some(Granule(1700)));
        // The 800 behind the great gap find room at its front.
        let free = runs(&[(100, 3000), (3400, 100)]);
        assert_eq!(lowest_ceiling(&free, 4000, u64::MAX), Some(Granule(100 + 1067)));
        assert_eq!(lowest_ceiling(&runs(&[]), 4000, u64::MAX), None);
        assert_eq!(lowest_ceiling(&runs(&[(16, 20)]), 4000, u64::MAX), None);
    }

    #[test]
    fn space_is_taken_below_the_ceiling_first() {
        let space = Arc::new(Space::new());
        let all = space.allocate(4000);
        assert_eq!(all.start.0, 16);
        for (start, granules) in [(100, 60), (400, 2000), (3000, 70)] {
            let extent = Extent { start: Granule(start), granules };
            space.give_back(extent).unwrap();
        }
        let ceiling = space.set_ceiling(u64::MAX).unwrap();
        assert!(space.set_ceiling(u64::MAX).is_none());
        assert!(ceiling.granule().0 < 3000);
        let taken = space.allocate(65);
        assert_eq!(taken.start.0, 400, "not the best fitting run, which is above");
        assert!(space.reserve(10, 100_000).start.0 < ceiling.granule().0);
        drop(ceiling);
        assert_eq!(space.allocate(65).start.0, 3000);
    }
}
