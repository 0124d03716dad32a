//! The way from a moment to a later one that holds it, as far as labels stand on it.
//!
//! There may be several ways. Each says the same of rows that are there on all of it, so the
//! oldest is taken: the fewer commits of its own a line adds to a moment before that is merged,
//! the fewer rows went in between, which a later label says are gone.
//! Neighbours: `numbering` says what is made of the labels.

use std::collections::{BTreeMap, BTreeSet};

use super::{Clock, Graph, LineId, Position};

/// A merge into a line: the line, and the place of the merge among its merges.
pub type Edge = (LineId, u32);

/// What stands on a way, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A merge is passed from its source: its rows are called as the target calls them.
    Taken(Edge),
    /// A merge is passed on the line of its target, where a fast-forward calls rows otherwise.
    Passed(Edge),
}

/// How a line came to hold a moment.
#[derive(Clone, Copy, Debug)]
enum Came {
    /// The moment is on it.
    OwnCommit,
    /// It left a line that held it.
    Parent(Position),
    /// A merge brought it.
    Merge(u32, Position),
}

impl Graph {
    /// The steps from a moment to one that holds it; none if it does not.
    pub fn way(&self, from: Position, to: Position) -> Option<Vec<Step>> {
        let (from, to) = (self.normalized(from), self.normalized(to));
        let came = self.came(from, &self.clock(to));
        let mut steps = Vec::new();
        let mut at = to;
        let mut seen = BTreeSet::new();
        loop {
            let &(first, how) = came.get(&at.line)?;
            if first > at.commit || !seen.insert(at.line) {
                return None;
            }
            let merges = self.line(at.line).map_or(&[][..], |line| &line.merges);
            let passed = |index: usize| Step::Passed((at.line, index as u32));
            let before = |index: &usize| merges[*index].after < at.commit;
            let all = (0..merges.len()).filter(before);
            // Backwards: the way is found from its end.
            match how {
                Came::OwnCommit => {
                    steps.extend(all.rev().take_while(|it| merges[*it].after >= first).map(passed));
                    steps.reverse();
                    return Some(steps);
                }
                Came::Parent(parent) => {
                    steps.extend(all.rev().map(passed));
                    at = parent;
                }
                Came::Merge(index, source) => {
                    steps.extend(all.rev().take_while(|it| *it > index as usize).map(passed));
                    steps.push(Step::Taken((at.line, index)));
                    at = source;
                }
            }
        }
    }

    /// For each line that holds a moment the first commit that does, and what brought it; as far
    /// as `held` goes, which may be little of a large graph.
    fn came(&self, from: Position, held: &Clock) -> BTreeMap<LineId, (u64, Came)> {
        let mut edges: BTreeMap<LineId, Vec<(u64, LineId, u64, Came)>> = BTreeMap::new();
        for Position { line: id, commit: end } in held.iter() {
            let Some(line) = self.line(id) else { continue };
            if let Some(parent) = line.parent {
                let parent = self.normalized(parent);
                let edge = (parent.commit, id, 0, Came::Parent(parent));
                edges.entry(parent.line).or_default().push(edge);
            }
            let merges = line.merges.iter().enumerate();
            for (index, merge) in merges.filter(|(_, merge)| merge.after < end) {
                let source = self.normalized(merge.source);
                let came = Came::Merge(index as u32, source);
                // Merges of one transaction come one after the other.
                let first = merge.after.saturating_add(1);
                edges.entry(source.line).or_default().push((source.commit, id, first, came));
            }
        }
        let mut came = BTreeMap::from([(from.line, (from.commit, Came::OwnCommit))]);
        let mut waiting = vec![from.line];
        while let Some(line) = waiting.pop() {
            let Some(&(known, _)) = came.get(&line) else { continue };
            for &(until, to, first, how) in edges.get(&line).into_iter().flatten() {
                let is_better = came.get(&to).is_none_or(|(best, _)| first < *best);
                if known <= until && is_better && to != from.line {
                    came.insert(to, (first, how));
                    waiting.push(to);
                }
            }
        }
        came
    }
}
