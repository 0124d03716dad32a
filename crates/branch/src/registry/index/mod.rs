//! What is asked of the records all the time, found without looking at all of them.
//!
//! Two questions have to be quick at ten thousand branches: which anchor keeps a moment, and which
//! anchors nobody needs. For the last one the *clocks* of the branches (what each holds of each
//! line) are kept, and for each line how many hold it up to which commit. Two branches meet in the
//! anchor that both hold where one of them holds no later anchor of the line: merges *start* there.
//!
//! After merges that crossed two branches have several bases, and the merge asks where these
//! parted. So what two branches start from holds its moments as a branch does, and an anchor is
//! needed as long as two of all these meet in it. That is enough for all merges to come: a merge
//! adds up what two branches hold, so that where its outcome meets another it met one of them
//! before; only a branch that begins in the past may hold less than any other, see `begun`.
//!
//! Where an entry comes or goes only the anchor below it and the one below the furthest entry can
//! gain or lose their use, so that a change looks at few of them. Neighbours: `made` makes it of
//! all records at once, `state` keeps it with them, `anchors` and `life` ask.

mod held;
mod holding;
mod made;

use std::collections::{BTreeMap, BTreeSet};

use held::Held;
use holding::Holding;

use super::records::{Anchor, Branch, BranchId, OpenMerge};
use crate::lineage::{Clock, Graph, LineId, Position};

/// A line and a commit on it: how far a branch holds it (its own: without end), or where an
/// anchor stands.
pub(super) type Place = (LineId, u64);

/// Beyond so many anchors all are looked at once instead of the neighbours of each. Tests have few.
const MANY: usize = if cfg!(test) { 1 } else { 16 };

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
    clocks: BTreeMap<BranchId, Holding>,
    /// How far branches hold each line.
    by_branches: Held,
    /// What open merges start from, by their numbers.
    merging: BTreeMap<u64, Place>,
    /// Where anchors stand that two branches or an open merge start from, and what they hold.
    starts: BTreeMap<Place, Holding>,
    /// How far branches and `starts` hold each line.
    by_all: Held,
    /// The anchors that nobody needs.
    surplus: BTreeSet<u64>,
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
        self.remove_anchor(anchor.head, graph);
        if let Some(place) = self.note_anchor(anchor, graph) {
            self.review_around(place, graph);
        }
    }

    /// Notes an anchor, and where it stands if it says that.
    fn note_anchor(&mut self, anchor: &Anchor, graph: &Graph) -> Option<Place> {
        self.made_on.entry(anchor.line).or_default().insert(anchor.head);
        self.lines.insert(anchor.head, anchor.line);
        if anchor.commit.is_none() {
            self.open.insert(anchor.head);
        }
        let commit = anchor.commit?;
        Some(self.place_anchor(anchor.head, anchor.line, commit, graph))
    }

    /// Notes where an anchor stands; what that changes is to be looked at.
    fn place_anchor(&mut self, head: u64, line: LineId, commit: u64, graph: &Graph) -> Place {
        let at = graph.normalized(Position { line, commit });
        let place = (at.line, at.commit);
        self.anchors.entry(place).or_default().insert(head);
        self.places.insert(head, place);
        place
    }

    pub(super) fn remove_anchor(&mut self, head: u64, graph: &Graph) {
        self.open.remove(&head);
        self.lost.remove(&head);
        self.forget_place(head, graph);
        let Some(line) = self.lines.remove(&head) else { return };
        if let Some(heads) = self.made_on.get_mut(&line) {
            heads.remove(&head);
            if heads.is_empty() {
                self.made_on.remove(&line);
            }
        }
    }

    fn forget_place(&mut self, head: u64, graph: &Graph) {
        let Some(place) = self.places.remove(&head) else { return };
        self.surplus.remove(&head);
        if let Some(heads) = self.anchors.get_mut(&place) {
            heads.remove(&head);
            if heads.is_empty() {
                self.anchors.remove(&place);
            }
        }
        self.review_around(place, graph);
    }

    /// Whether commits of anchors have to be looked up.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether that has to be done for so many that all anchors are looked at anew behind it.
    fn resolves_many(&self) -> bool {
        self.open.len() > MANY
    }

    /// Looks up the commits of anchors that do not say them.
    pub(super) fn resolve(
        &mut self,
        anchors: &BTreeMap<u64, Anchor>,
        graph: &Graph,
        commit_of: impl Fn(u64) -> Option<u64>,
    ) {
        let are_many = self.resolves_many();
        let open = std::mem::take(&mut self.open);
        for head in open {
            match (anchors.get(&head), commit_of(head)) {
                (Some(anchor), Some(commit)) => {
                    let place = self.place_anchor(head, anchor.line, commit, graph);
                    if !are_many {
                        self.review_around(place, graph);
                    }
                }
                _ => drop(self.lost.insert(head)),
            }
        }
        if are_many {
            self.review_all(graph);
        }
    }

    /// A line begins elsewhere now: what stands on it may belong to another one.
    pub(super) fn move_line(
        &mut self,
        line: LineId,
        anchors: &BTreeMap<u64, Anchor>,
        graph: &Graph,
    ) {
        let made: Vec<u64> = self.made_on.get(&line).into_iter().flatten().copied().collect();
        for head in made {
            // One whose commit was looked up is looked up again.
            let Some(anchor) = anchors.get(&head) else { continue };
            self.add_anchor(anchor, graph);
        }
    }

    pub(super) fn add_branch(&mut self, branch: &Branch, graph: &Graph) {
        self.remove_branch(branch.id, graph);
        let clock = Holding::at((branch.line, u64::MAX), graph);
        self.change_branch(&clock, Held::add, graph);
        self.clocks.insert(branch.id, clock);
    }

    pub(super) fn remove_branch(&mut self, id: BranchId, graph: &Graph) {
        if let Some(clock) = self.clocks.remove(&id) {
            self.change_branch(&clock, Held::remove, graph);
        }
    }

    /// An open merge starts from its source's moment and from where this parted from the target.
    pub(super) fn add_merge(&mut self, merge: &OpenMerge, graph: &Graph) {
        self.remove_merge(merge.id, graph);
        if merge.pick.is_none() {
            let at = graph.normalized(merge.position);
            self.merging.insert(merge.id, (at.line, at.commit));
            self.review((at.line, at.commit), graph);
        }
    }

    pub(super) fn remove_merge(&mut self, id: u64, graph: &Graph) {
        if let Some(place) = self.merging.remove(&id) {
            self.review(place, graph);
        }
    }

    /// The anchors that lose their use when a branch goes.
    pub(super) fn surplus_without(&mut self, id: BranchId, graph: &Graph) -> Vec<u64> {
        let Some(clock) = self.clocks.get(&id).cloned() else { return Vec::new() };
        let before = self.surplus.clone();
        self.change_branch(&clock, Held::remove, graph);
        let surplus = self.surplus.difference(&before).copied().collect();
        self.change_branch(&clock, Held::add, graph);
        surplus
    }

    /// All anchors that nobody needs.
    pub(super) fn surplus(&self) -> Vec<u64> {
        self.lost.union(&self.surplus).copied().collect()
    }

    /// Whether nobody needs an anchor.
    pub(super) fn is_surplus(&self, head: u64) -> bool {
        self.surplus.contains(&head) || self.lost.contains(&head)
    }

    /// Branches and starts of merges that meet a position where no anchor is, or in more than one
    /// place.
    pub(super) fn meeting(&self, at: Position, graph: &Graph) -> Vec<Position> {
        let held = graph.clock(at);
        // Many meet in the same places.
        let mut clocks: BTreeMap<Position, Clock> = BTreeMap::new();
        let mut meets = |clock: &Holding| {
            if clock.iter().any(|held| held.0 == at.line && held.1 >= at.commit) {
                return false;
            }
            let shared = clock.iter().filter_map(|(line, commit)| {
                let commit = commit.min(held.get(line)?);
                Some(graph.normalized(Position { line, commit }))
            });
            let shared: Vec<Position> = shared.collect();
            // Nothing that is older holds it, so that it is one of the best.
            let newest = shared.iter().max_by_key(|place| place.commit).copied();
            newest.is_some_and(|newest| {
                let covered = clocks.entry(newest).or_insert_with(|| graph.clock(newest));
                !self.anchors.contains_key(&(newest.line, newest.commit))
                    || !shared.iter().all(|place| covered.holds(*place))
            })
        };
        let tip_of = |clock: &Holding| clock.iter().find(|held| held.1 == u64::MAX);
        let branches = self.clocks.values().map(|clock| (tip_of(clock), clock));
        let starts = self.starts.iter().map(|(place, clock)| (Some(*place), clock));
        let met = branches.chain(starts).filter(|(_, clock)| meets(clock));
        met.filter_map(|(place, _)| place).map(|(line, commit)| Position { line, commit }).collect()
    }

    fn change_branch(&mut self, clock: &Holding, change: impl Fn(&mut Held, Place), graph: &Graph) {
        for place in clock.iter() {
            let before = self.by_branches.furthest(place.0);
            change(&mut self.by_branches, place);
            self.change_all(place, &change);
            let after = self.by_branches.furthest(place.0);
            let commits = [Some(place.1), before, after].into_iter().flatten();
            let places: BTreeSet<Place> =
                commits.filter_map(|commit| self.below((place.0, commit))).collect();
            for place in places {
                self.review(place, graph);
            }
        }
    }

    fn change_all(&mut self, place: Place, change: impl Fn(&mut Held, Place)) {
        let before = self.by_all.furthest(place.0);
        change(&mut self.by_all, place);
        let after = self.by_all.furthest(place.0);
        let commits = [Some(place.1), before, after].into_iter().flatten();
        let places: BTreeSet<Place> =
            commits.filter_map(|commit| self.below((place.0, commit))).collect();
        for place in places {
            self.judge(place);
        }
    }

    /// Where the newest anchor at or below a place stands.
    fn below(&self, (line, commit): Place) -> Option<Place> {
        self.anchors.range((line, 0)..=(line, commit)).next_back().map(|(place, _)| *place)
    }

    /// The commit of the anchor that follows a place on its line.
    fn next(&self, (line, at): Place) -> Option<u64> {
        let mut later = self.anchors.range((line, at.saturating_add(1))..=(line, u64::MAX));
        later.next().map(|((_, commit), _)| *commit)
    }

    /// An anchor came to a place, or left it: that and the one before it.
    fn review_around(&mut self, place: Place, graph: &Graph) {
        self.review(place, graph);
        let before = place.1.checked_sub(1).and_then(|before| self.below((place.0, before)));
        if let Some(before) = before {
            self.review(before, graph);
        }
    }

    /// Finds out whether merges start from an anchor, and whether anybody needs it.
    fn review(&mut self, place: Place, graph: &Graph) {
        let is_start = self.is_start(place);
        if is_start && !self.starts.contains_key(&place) {
            let clock = Holding::at(place, graph);
            for held in clock.iter() {
                self.change_all(held, Held::add);
            }
            self.starts.insert(place, clock);
        } else if !is_start && let Some(clock) = self.starts.remove(&place) {
            for held in clock.iter() {
                self.change_all(held, Held::remove);
            }
        }
        self.judge(place);
    }

    /// Whether an anchor stands at a place that merges start from.
    fn is_start(&self, place: Place) -> bool {
        self.anchors.contains_key(&place)
            && (self.by_branches.parts_at(place, self.next(place))
                || self.merging.values().any(|merging| *merging == place))
    }

    /// Finds out whether anybody needs an anchor. Of several at a place the last one is kept.
    fn judge(&mut self, place: Place) {
        let Some(heads) = self.anchors.get(&place) else { return };
        let is_needed = self.by_all.parts_at(place, self.next(place));
        for (rank, head) in heads.iter().rev().enumerate() {
            if rank == 0 && is_needed {
                self.surplus.remove(head);
            } else {
                self.surplus.insert(*head);
            }
        }
    }
}
