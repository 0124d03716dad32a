//! The index of all records at once, for the first change of a process beside many branches.
//!
//! One by one, each branch and each anchor looks at its neighbours. Here everything is noted first
//! and looked at once. What moments hold is found line by line in the order of commits: a moment
//! holds all that the one before it on its line does, and what was merged in between.
//! Neighbours: `mod` keeps it from then on.

use std::collections::BTreeMap;

use super::{Index, Place, clock_of};
use crate::lineage::{Clock, Graph, LineId, Position};
use crate::registry::index::held::Held;
use crate::registry::records::{Anchor, Branch, OpenMerge};

impl Index {
    /// The index of these records; anchors that do not say their commits are to be resolved.
    pub(in crate::registry) fn of<'r>(
        branches: impl Iterator<Item = &'r Branch>,
        anchors: impl Iterator<Item = &'r Anchor>,
        merges: impl Iterator<Item = &'r OpenMerge>,
        graph: &Graph,
    ) -> Self {
        let mut index = Self::default();
        index.note_branches(branches, graph);
        for merge in merges.filter(|merge| merge.pick.is_none()) {
            let at = graph.normalized(merge.position);
            index.merging.insert(merge.id, (at.line, at.commit));
        }
        for anchor in anchors {
            index.note_anchor(anchor, graph);
        }
        if !index.resolves_many() {
            // Else they are looked at once the commits of all are known.
            index.review_all(graph);
        }
        index
    }

    fn note_branches<'r>(&mut self, branches: impl Iterator<Item = &'r Branch>, graph: &Graph) {
        let left = |branch: &Branch| graph.line(branch.line).and_then(|line| line.parent);
        let mut branches: Vec<&Branch> = branches.collect();
        branches.sort_unstable_by_key(|branch| left(branch));
        let mut clocks = Clocks::new(graph);
        for branch in branches {
            let has_merges = graph.line(branch.line).is_some_and(|line| !line.merges.is_empty());
            let own = (branch.line, u64::MAX);
            // What nothing was merged into holds its own line, and what it left.
            let parted = left(branch).filter(|_| !has_merges).and_then(|parent| {
                let mut clock = clocks.at((parent.line, parent.commit));
                let at = clock.binary_search_by_key(&branch.line, |held| held.0).err()?;
                clock.insert(at, own);
                Some(clock)
            });
            let clock = parted.unwrap_or_else(|| clock_of(own, graph));
            self.clocks.insert(branch.id, clock);
        }
        self.by_branches = Held::of(self.clocks.values().flatten());
    }

    /// Finds out of all anchors whether merges start from them, and whether anybody needs them.
    pub(super) fn review_all(&mut self, graph: &Graph) {
        let places: Vec<Place> = self.anchors.keys().copied().collect();
        self.starts.clear();
        self.surplus.clear();
        let mut clocks = Clocks::new(graph);
        for place in &places {
            if self.is_start(*place) {
                self.starts.insert(*place, clocks.at(*place));
            }
        }
        self.by_all = self.by_branches.clone();
        self.by_all.add_many(self.starts.values().flatten());
        for place in places {
            self.judge(place);
        }
    }
}

/// What moments hold, asked in the order of the commits of each line.
struct Clocks<'g> {
    graph: &'g Graph,
    /// What the newest moment of a line that was asked for holds.
    newest: BTreeMap<LineId, (u64, Clock)>,
}

impl<'g> Clocks<'g> {
    fn new(graph: &'g Graph) -> Self {
        Self { graph, newest: BTreeMap::new() }
    }

    fn at(&mut self, place: Place) -> Vec<Place> {
        let (line, commit) = place;
        let (newest, clock) = self.newest.entry(line).or_default();
        if commit < *newest {
            return clock_of(place, self.graph);
        }
        *newest = commit;
        self.graph.add_to(clock, Position { line, commit });
        clock.iter().map(|held| (held.line, held.commit)).collect()
    }
}
