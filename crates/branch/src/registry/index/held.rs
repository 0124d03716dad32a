//! How far lines are held, and by how many: branches, or moments that merges start from.
//!
//! Neighbours: the index asks it whether an anchor is needed.

use std::collections::{BTreeMap, HashMap};

use super::Place;
use crate::lineage::LineId;

/// For each line how many hold it up to which commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Held(BTreeMap<LineId, BTreeMap<u64, u32>>);

impl Held {
    /// One more holds a place.
    pub(super) fn add(&mut self, (line, commit): Place) {
        *self.0.entry(line).or_default().entry(commit).or_default() += 1;
    }

    /// Who holds many places, of each as many as it is there.
    pub(super) fn of<'p>(places: impl IntoIterator<Item = &'p Place>) -> Self {
        let mut held = Self::default();
        held.add_many(places);
        held
    }

    /// Many hold places, of each as many as it is there: mostly the same few, which are counted
    /// before they are looked for.
    pub(super) fn add_many<'p>(&mut self, places: impl IntoIterator<Item = &'p Place>) {
        let mut counts: HashMap<Place, u32> = HashMap::new();
        for place in places {
            *counts.entry(*place).or_default() += 1;
        }
        for ((line, commit), count) in counts {
            *self.0.entry(line).or_default().entry(commit).or_default() += count;
        }
    }

    /// One less holds a place.
    pub(super) fn remove(&mut self, (line, commit): Place) {
        let Some(commits) = self.0.get_mut(&line) else { return };
        if let Some(count) = commits.get_mut(&commit) {
            *count -= 1;
            if *count == 0 {
                commits.remove(&commit);
            }
        }
        if commits.is_empty() {
            self.0.remove(&line);
        }
    }

    /// How far a line is held by who holds it furthest.
    pub(super) fn furthest(&self, line: LineId) -> Option<u64> {
        self.0.get(&line)?.keys().next_back().copied()
    }

    /// Whether two hold a place, and one of them not the `next` commit of the line.
    pub(super) fn parts_at(&self, (line, at): Place, next: Option<u64>) -> bool {
        let Some(commits) = self.0.get(&line) else { return false };
        let mut entries = commits.range(at..);
        let Some((first, count)) = entries.next() else { return false };
        if next.is_some_and(|next| *first >= next) {
            return false;
        }
        *count >= 2 || entries.next().is_some()
    }
}
