//! The index of all records at once, for the first change of a process beside many branches.
//!
//! One by one, each branch and each anchor looks at its neighbours. Here everything is noted first
//! and looked at once. What moments hold is found line by line in the order of commits: a moment
//! holds all that the one before it on its line does, and what was merged in between.
//! Neighbours: `mod` keeps it from then on.

use std::collections::BTreeMap;

use pandodb_ds::sync::Arc;

use super::held::Held;
use super::{Holding, Index, Place};
use crate::lineage::{Clock, Graph, LineId, Position};
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
            let parted = left(branch).filter(|_| !has_merges);
            let parted = parted.and_then(|at| clocks.at((at.line, at.commit)).with(own));
            let clock = parted.unwrap_or_else(|| Holding::at(own, graph));
            self.clocks.insert(branch.id, clock);
        }
        self.by_branches = Held::default();
        self.by_branches.add_all(self.clocks.values());
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
        self.by_all.add_all(self.starts.values());
        for place in places {
            self.judge(place);
        }
    }
}

/// What moments hold, asked in the order of the commits of each line.
struct Clocks<'g> {
    graph: &'g Graph,
    newest: BTreeMap<LineId, Newest>,
}

/// The newest moment of a line that was asked for.
struct Newest {
    commit: u64,
    /// How many merges into the line it holds.
    merges: usize,
    clock: Clock,
    /// What it holds of other lines.
    others: Arc<[Place]>,
}

impl<'g> Clocks<'g> {
    fn new(graph: &'g Graph) -> Self {
        Self { graph, newest: BTreeMap::new() }
    }

    fn at(&mut self, place: Place) -> Holding {
        let (line, commit) = place;
        let merges = self.graph.line(line).map_or(&[][..], |line| &line.merges);
        let merges = merges.iter().filter(|merge| merge.after < commit).count();
        let position = Position { line, commit };
        let newest = self.newest.entry(line).or_insert_with(|| {
            let clock = self.graph.clock(position);
            Newest { commit, merges, others: others(&clock, line), clock }
        });
        if commit < newest.commit {
            return Holding::at(place, self.graph);
        }
        self.graph.add_to(&mut newest.clock, position);
        newest.commit = commit;
        // What a line holds of others it has from where it began, and from merges.
        if merges != newest.merges {
            newest.merges = merges;
            newest.others = others(&newest.clock, line);
        }
        Holding::sharing(Arc::clone(&newest.others), place)
    }
}

fn others(clock: &Clock, line: LineId) -> Arc<[Place]> {
    let others = clock.iter().filter(|held| held.line != line);
    others.map(|held| (held.line, held.commit)).collect()
}
