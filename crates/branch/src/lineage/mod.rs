//! The graph of commits: which moment of which branch holds which others, and where two parted.
//!
//! A *line* is what a branch lives through between two resets: commits, one after the other.
//! Every commit but the first of a line stands on the one before, so the graph need not store
//! commits at all: a [`Position`] (a line and a commit on it) is the moment, and only where a
//! line begins and what was merged into it are edges. What a position holds is then a [`Clock`]:
//! for each line the newest commit that is in it.
//!
//! ```text
//! line 1   1 ── 2 ── 3 ────── 6 ── 8      clock of (1, 8): {1: 8, 2: 7}
//!                \           /   \        clock of (2, 9): {1: 3, 2: 9}
//! line 2          4 ── 5 ── 7 ── 9        merge base: (2, 7), since (1, 3) is in it
//! ```
//!
//! Several best common ancestors (after merges that crossed) are all returned; `merge` says
//! what it makes of them. Neighbours: `registry` keeps the graph, `merge` asks for bases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub mod numbering;
pub mod path;
pub mod ranges;

#[cfg(test)]
mod tests;

/// The number of a line; never used again.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LineId(pub u64);

/// A moment: a line as its commit `commit` left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// The line.
    pub line: LineId,
    /// The number of its newest commit; numbers grow over all lines.
    pub commit: u64,
}

/// A merge into a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// The line's newest commit before the merge: all later ones hold the source.
    pub after: u64,
    /// What was merged.
    pub source: Position,
}

/// Where a line begins and what was merged into it, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The head that the line is the life of, by its owner's count.
    pub head: u64,
    /// Where it left another line; none for the first line of a database.
    pub parent: Option<Position>,
    /// The merges.
    pub merges: Vec<Merged>,
}

/// For each line the newest commit that a position holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock(BTreeMap<LineId, u64>);

impl Clock {
    /// The newest commit of a line that is held.
    pub fn get(&self, line: LineId) -> Option<u64> {
        self.0.get(&line).copied()
    }

    /// Whether all of a position is held.
    pub fn holds(&self, position: Position) -> bool {
        self.get(position.line).is_some_and(|commit| commit >= position.commit)
    }

    /// The lines with their newest commits.
    pub fn iter(&self) -> impl Iterator<Item = Position> + '_ {
        self.0.iter().map(|(&line, &commit)| Position { line, commit })
    }
}

/// All lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    lines: BTreeMap<LineId, Line>,
    /// The commit that filled a line which began in the past: up to it it has none of its own.
    filled: BTreeMap<LineId, u64>,
}

impl Graph {
    /// Adds a line, or replaces it.
    pub fn put(&mut self, id: LineId, line: Line) {
        self.lines.insert(id, line);
    }

    /// Notes which commit filled a line that began in the past.
    pub fn put_filled(&mut self, id: LineId, commit: Option<u64>) {
        match commit {
            Some(commit) => drop(self.filled.insert(id, commit)),
            None => drop(self.filled.remove(&id)),
        }
    }

    /// The commit that filled a line, up to which it has none of its own.
    pub fn filled(&self, id: LineId) -> Option<u64> {
        self.filled.get(&id).copied()
    }

    /// Removes a line; who refers to it takes it for one that begins nowhere.
    pub fn remove(&mut self, id: LineId) {
        self.lines.remove(&id);
    }

    /// The line of a number.
    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines.get(&id)
    }

    /// The lines in the order of their numbers.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = (LineId, &Line)> {
        self.lines.iter().map(|(id, line)| (*id, line))
    }

    /// The same moment on the line that it belongs to: where a line has no commit of its own
    /// yet, the place that it left its parent at.
    pub fn normalized(&self, mut position: Position) -> Position {
        while let Some(parent) = self.lines.get(&position.line).and_then(|line| line.parent)
            && position.commit <= self.filled(position.line).unwrap_or(0).max(parent.commit)
            && parent.line != position.line
        {
            position = Position { commit: position.commit.min(parent.commit), ..parent };
        }
        position
    }

    /// Everything that a position holds, itself included.
    pub fn clock(&self, position: Position) -> Clock {
        let mut clock = Clock::default();
        self.collect(vec![position], &mut clock);
        clock
    }

    /// Adds what a position holds to a clock that has all of what anything in it holds.
    pub(crate) fn add_to(&self, clock: &mut Clock, position: Position) {
        self.collect(vec![position], clock);
    }

    /// Whether `of` holds all of `ancestor`.
    pub fn holds(&self, of: Position, ancestor: Position) -> bool {
        self.clock(of).holds(self.normalized(ancestor))
    }

    /// The best common ancestors, in order: none holds another. More than one after merges
    /// that crossed, none for lines without a common start.
    pub fn bases(&self, left: Position, right: Position) -> Vec<Position> {
        let (left, right) = (self.clock(left), self.clock(right));
        let mut common = Clock::default();
        for Position { line, commit } in left.iter() {
            let Some(other) = right.get(line) else { continue };
            let place = self.normalized(Position { line, commit: commit.min(other) });
            let newest = common.0.entry(place.line).or_default();
            *newest = place.commit.max(*newest);
        }
        let mut common: Vec<Position> = common.iter().collect();
        // What any of them holds besides itself is not one of the best.
        let mut covered = Clock::default();
        let before: Vec<Position> =
            common.iter().flat_map(|position| self.parents(*position)).collect();
        self.collect(before, &mut covered);
        common.retain(|position| !covered.holds(*position));
        common
    }

    /// Where a position parted from several others that are joined: the best of what it has in
    /// common with each, the newest first, with the place of the first of the others that holds it.
    /// Where merges crossed again and again there are several, also for two positions.
    pub fn partings(&self, joined: &[Position], other: Position) -> Vec<(usize, Position)> {
        let mut common: Vec<(usize, Position)> = Vec::new();
        for (place, one) in joined.iter().enumerate() {
            for base in self.bases(*one, other) {
                if common.iter().all(|(_, known)| *known != base) {
                    common.push((place, base));
                }
            }
        }
        let is_best = |base: &Position| {
            let mut others = common.iter().filter(|(_, other)| other != base);
            !others.any(|(_, other)| self.holds(*other, *base))
        };
        let best = common.iter().copied().filter(|(_, base)| is_best(base));
        let mut partings: Vec<(usize, Position)> = best.collect();
        partings.sort_by_key(|(_, base)| std::cmp::Reverse(base.commit));
        partings
    }

    /// The edges out of a position, to other lines.
    fn parents(&self, position: Position) -> Vec<Position> {
        let Some(line) = self.lines.get(&position.line) else { return Vec::new() };
        let merged = line.merges.iter().filter(|merge| merge.after < position.commit);
        line.parent.into_iter().chain(merged.map(|merge| merge.source)).collect()
    }

    /// Adds what the `positions` hold. A worklist and no recursion: branches of branches may be
    /// thousands deep.
    fn collect(&self, mut positions: Vec<Position>, clock: &mut Clock) {
        while let Some(position) = positions.pop() {
            let known = clock.0.get(&position.line).copied();
            if known.is_some_and(|known| known >= position.commit) {
                continue;
            }
            clock.0.insert(position.line, position.commit);
            let Some(line) = self.lines.get(&position.line) else { continue };
            if known.is_none() {
                positions.extend(line.parent);
            }
            let merges = line.merges.iter();
            let new = merges.filter(|merge| {
                merge.after < position.commit && known.is_none_or(|known| merge.after >= known)
            });
            positions.extend(new.map(|merge| merge.source));
        }
    }
}
