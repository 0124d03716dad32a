//! Bases against a plain graph of commits with sets of ancestors.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What the graph stands for: every commit with the set of all that it holds.
#[derive(Default)]
struct Model {
    graph: Graph,
    /// Line, newest commit, what it holds.
    tips: Vec<(LineId, u64, BTreeSet<u64>)>,
    held: BTreeMap<u64, BTreeSet<u64>>,
    commits: u64,
}

impl Model {
    fn new() -> Self {
        let mut model = Self::default();
        model.graph.put(LineId(0), Line::default());
        model.tips.push((LineId(0), 0, BTreeSet::from([0])));
        model.held.insert(0, BTreeSet::from([0]));
        model
    }

    fn position(&self, tip: usize) -> Position {
        Position { line: self.tips[tip].0, commit: self.tips[tip].1 }
    }

    fn fork(&mut self, tip: usize) {
        let parent = self.position(tip);
        let id = LineId(self.tips.len() as u64);
        self.graph.put(id, Line { parent: Some(parent), ..Line::default() });
        let (_, commit, held) = self.tips[tip].clone();
        self.tips.push((id, commit, held));
    }

    fn commit(&mut self, tip: usize) {
        self.commits += 1;
        let tip = &mut self.tips[tip];
        tip.1 = self.commits;
        tip.2.insert(self.commits);
        self.held.insert(self.commits, tip.2.clone());
    }

    fn merge(&mut self, from: usize, into: usize) {
        let source = self.position(from);
        let (line, after, _) = self.tips[into];
        let mut known = self.graph.line(line).unwrap().clone();
        known.merges.push(Merged { after, source });
        self.graph.put(line, known);
        let held = self.tips[from].2.clone();
        self.tips[into].2.extend(held);
        self.commit(into);
    }

    /// The commits in both that no other commit in both holds.
    fn bases(&self, left: usize, right: usize) -> BTreeSet<u64> {
        let common: BTreeSet<u64> =
            self.tips[left].2.intersection(&self.tips[right].2).copied().collect();
        let is_best = |commit: &u64| {
            !common.iter().any(|other| other != commit && self.held[other].contains(commit))
        };
        common.iter().copied().filter(is_best).collect()
    }
}

proptest! {
    #[test]
    fn bases_and_holding_agree_with_sets_of_commits(
        steps in vec((0..4_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..60),
    ) {
        let mut model = Model::new();
        for (step, first, second) in steps {
            let (first, second) = (first.index(model.tips.len()), second.index(model.tips.len()));
            match step {
                0 if model.tips.len() < 8 => model.fork(first),
                1 if first != second => model.merge(first, second),
                _ => model.commit(first),
            }
        }
        for left in 0..model.tips.len() {
            for right in 0..model.tips.len() {
                let (at, other) = (model.position(left), model.position(right));
                let found = model.graph.bases(at, other);
                let commits: BTreeSet<u64> = found.iter().map(|base| base.commit).collect();
                prop_assert_eq!(commits.len(), found.len());
                prop_assert_eq!(&commits, &model.bases(left, right));
                prop_assert_eq!(&found, &model.graph.bases(other, at));
                let holds = model.tips[right].2.is_subset(&model.tips[left].2);
                prop_assert_eq!(model.graph.holds(at, other), holds);
            }
        }
    }
}

#[test]
fn crossed_merges_have_two_bases_and_the_next_merge_one() {
    let mut model = Model::new();
    model.fork(0);
    model.commit(0);
    model.commit(1);
    // Each takes the other as it was before: the merges cross.
    let (left, right) = (model.position(0), model.position(1));
    let held = (model.tips[0].2.clone(), model.tips[1].2.clone());
    for (tip, source, more) in [(0, right, held.1), (1, left, held.0)] {
        let (line, after, _) = model.tips[tip];
        let mut known = model.graph.line(line).unwrap().clone();
        known.merges.push(Merged { after, source });
        model.graph.put(line, known);
        model.tips[tip].2.extend(more);
        model.commit(tip);
    }
    assert_eq!(model.graph.bases(model.position(0), model.position(1)), [left, right]);
    model.merge(0, 1);
    let base = model.graph.bases(model.position(0), model.position(1));
    assert_eq!(base, [model.position(0)]);
}

#[test]
fn a_chain_of_ten_thousand_branches_is_walked_without_recursion() {
    let mut graph = Graph::default();
    graph.put(LineId(0), Line::default());
    for id in 1..10_000 {
        let parent = Some(Position { line: LineId(id - 1), commit: id });
        graph.put(LineId(id), Line { parent, ..Line::default() });
    }
    let deep = Position { line: LineId(9_999), commit: 20_000 };
    let main = Position { line: LineId(0), commit: 30_000 };
    assert_eq!(graph.bases(deep, main), [Position { line: LineId(0), commit: 1 }]);
    let bare = Position { line: LineId(9_999), commit: 1 };
    assert_eq!(graph.normalized(bare), Position { line: LineId(0), commit: 1 });
}
