//! What is asked of the records all the time, found without looking at all of them.
//!
//! Two questions have to be quick at ten thousand branches: which anchor keeps a moment, and which
//! anchors nobody needs once a branch is gone. For the last one
//! the *clocks* of the branches (what each holds of each line) are kept, and for each line how
//! many branches hold it up to which commit. An anchor is needed as long as two branches hold
//! its moment and one of them holds no later anchor of the line; so where an entry goes, only the
//! anchor below it and the one below the newest entry that is left can lose their use.
//! Neighbours: `state` keeps this with the records, `anchors` and `life` ask.

use std::collections::{BTreeMap, BTreeSet};

use super::records::{Anchor, Branch, BranchId};
use crate::lineage::{Graph, LineId, Position};

/// A line and a commit on it: how far a branch holds it (its own: without end), or where an
/// anchor stands.
pub(super) type Place = (LineId, u64);

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// The heads of the anchors at each place, as their lines belong to it.
    anchors: BTreeMap<Place, BTreeSet<u64>>,
    places: BTreeMap<u64, Place>,
    /// The line that each anchor was made on, and the other way round.
    lines: BTreeMap<u64, LineId>,
    made_on: BTreeMap<LineId, BTreeSet<u64>>,
    /// Anchors whose commit is that of their head and was not looked at yet.
    open: BTreeSet<u64>,
    /// Anchors whose head is gone.
    lost: BTreeSet<u64>,
    /// How far each branch holds each line.
    clocks: BTreeMap<BranchId, Vec<Place>>,
    /// How many branches hold each line up to which commit.
    held: BTreeMap<LineId, BTreeMap<u64, u32>>,
}

impl Index {
    /// The head that keeps a moment.
    pub(super) fn anchor_at(&self, wanted: Position) -> Option<u64> {
        self.anchors.get(&(wanted.line, wanted.commit))?.last().copied()
    }

    /// Whether another head than `head` keeps a moment.
    pub(super) fn has_other(&self, at: Position, head: u64) -> bool {
        let heads = self.anchors.get(&(at.line, at.commit));
        heads.is_some_and(|heads| heads.iter().any(|other| *other != head))
    }

    pub(super) fn add_anchor(&mut self, anchor: &Anchor, graph: &Graph) {
        self.remove_anchor(anchor.head);
        self.made_on.entry(anchor.line).or_default().insert(anchor.head);
        self.lines.insert(anchor.head, anchor.line);
        match anchor.commit {
            Some(commit) => self.put_anchor(anchor.head, anchor.line, commit, graph),
            None => drop(self.open.insert(anchor.head)),
        }
    }

    fn put_anchor(&mut self, head: u64, line: LineId, commit: u64, graph: &Graph) {
        let at = graph.normalized(Position { line, commit });
        let place = (at.line, at.commit);
        self.anchors.entry(place).or_default().insert(head);
        self.places.insert(head, place);
    }

    pub(super) fn remove_anchor(&mut self, head: u64) {
        self.open.remove(&head);
        self.lost.remove(&head);
        self.forget_place(head);
        let Some(line) = self.lines.remove(&head) else { return };
        if let Some(heads) = self.made_on.get_mut(&line) {
            heads.remove(&head);
            if heads.is_empty() {
                self.made_on.remove(&line);
            }
        }
    }

    fn forget_place(&mut self, head: u64) {
        let Some(place) = self.places.remove(&head) else { return };
        if let Some(heads) = self.anchors.get_mut(&place) {
            heads.remove(&head);
            if heads.is_empty() {
                self.anchors.remove(&place);
            }
        }
    }

    /// Whether commits of anchors have to be looked up.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Looks up the commits of anchors that do not say them.
    pub(super) fn resolve(
        &mut self,
        anchors: &BTreeMap<u64, Anchor>,
        graph: &Graph,
        commit_of: impl Fn(u64) -> Option<u64>,
    ) {
        for head in std::mem::take(&mut self.open) {
            match (anchors.get(&head), commit_of(head)) {
                (Some(anchor), Some(commit)) => self.put_anchor(head, anchor.line, commit, graph),
                _ => drop(self.lost.insert(head)),
            }
        }
    }

    /// A line begins elsewhere now, or took something: what stands on it, and who is on it.
    pub(super) fn change_line(
        &mut self,
        line: LineId,
        branch: Option<&Branch>,
        anchors: &BTreeMap<u64, Anchor>,
        graph: &Graph,
    ) {
        let made: Vec<u64> = self.made_on.get(&line).into_iter().flatten().copied().collect();
        for head in made {
            // One whose commit was looked up is looked up again.
            let Some(anchor) = anchors.get(&head) else { continue };
            self.add_anchor(anchor, graph);
        }
        if let Some(branch) = branch.filter(|branch| branch.line == line) {
            self.add_branch(branch, graph);
        }
    }

    pub(super) fn add_branch(&mut self, branch: &Branch, graph: &Graph) {
        self.remove_branch(branch.id);
        let tip = Position { line: branch.line, commit: u64::MAX };
        let clock: Vec<Place> =
            graph.clock(tip).iter().map(|place| (place.line, place.commit)).collect();
        for (line, commit) in &clock {
            *self.held.entry(*line).or_default().entry(*commit).or_default() += 1;
        }
        self.clocks.insert(branch.id, clock);
    }

    pub(super) fn remove_branch(&mut self, id: BranchId) {
        let Some(clock) = self.clocks.remove(&id) else { return };
        for (line, commit) in clock {
            let Some(commits) = self.held.get_mut(&line) else { continue };
            if let Some(count) = commits.get_mut(&commit) {
                *count -= 1;
                if *count == 0 {
                    commits.remove(&commit);
                }
            }
            if commits.is_empty() {
                self.held.remove(&line);
            }
        }
    }

    /// What a branch holds.
    pub(super) fn clock_of(&self, id: BranchId) -> &[Place] {
        self.clocks.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The anchors that lose their use when the entries `gone` go, each from its line.
    pub(super) fn surplus_without(&self, gone: &[Place]) -> Vec<u64> {
        let mut surplus = BTreeSet::new();
        for &(line, commit) in gone {
            let entries = self.held.get(&line).into_iter().flatten().rev();
            let left = entries
                .map(|(at, count)| (*at, count - u32::from(*at == commit)))
                .find(|(_, count)| *count > 0)
                .map(|(at, _)| at);
            for below in [Some(commit), left].into_iter().flatten() {
                let mut under = self.anchors.range((line, 0)..=(line, below));
                let Some((&(_, at), heads)) = under.next_back() else { continue };
                let is_needed = self.is_needed(line, at, Some(commit));
                let kept = usize::from(is_needed);
                surplus.extend(heads.iter().rev().skip(kept).copied());
            }
        }
        surplus.into_iter().collect()
    }

    /// The anchors at or below some places that nobody needs.
    pub(super) fn surplus_at(&self, places: &[Place]) -> Vec<u64> {
        let mut surplus = BTreeSet::new();
        for &(line, commit) in places {
            // The place itself, and the one before.
            for (&(_, at), heads) in self.anchors.range((line, 0)..=(line, commit)).rev().take(2) {
                let kept = usize::from(self.is_needed(line, at, None));
                surplus.extend(heads.iter().rev().skip(kept).copied());
            }
        }
        surplus.into_iter().collect()
    }

    /// All anchors that nobody needs.
    pub(super) fn surplus(&self) -> Vec<u64> {
        let mut surplus: Vec<u64> = self.lost.iter().copied().collect();
        for (&(line, at), heads) in &self.anchors {
            let kept = usize::from(self.is_needed(line, at, None));
            surplus.extend(heads.iter().rev().skip(kept).copied());
        }
        surplus
    }

    /// Whether two branches hold a place, and one of them no later anchor of the line. `without`
    /// leaves one entry out.
    fn is_needed(&self, line: LineId, at: u64, without: Option<u64>) -> bool {
        let mut later = self.anchors.range((line, at.saturating_add(1))..=(line, u64::MAX));
        let next = later.next().map(|((_, commit), _)| *commit);
        let mut entries = self.entries(line, at, without);
        let Some((first, count)) = entries.next() else { return false };
        if next.is_some_and(|next| first >= next) {
            return false;
        }
        count >= 2 || entries.next().is_some()
    }

    /// How far branches hold a line, from a commit on, and how many hold it that far.
    fn entries(
        &self,
        line: LineId,
        from: u64,
        without: Option<u64>,
    ) -> impl Iterator<Item = (u64, u32)> {
        let commits = self.held.get(&line).into_iter().flat_map(move |it| it.range(from..));
        commits.filter_map(move |(&commit, &count)| {
            let count = if without == Some(commit) { count - 1 } else { count };
            (count > 0).then_some((commit, count))
        })
    }
}
