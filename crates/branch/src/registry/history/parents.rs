//! Which listed commit each listed commit stands on.
//!
//! The commit that a head stood at is not always one that anybody made: a reset and a fast-forward
//! move a head without changing a row, and so does moving pages within the file. What people ask
//! for is the newest commit below that: of the same line, of the source that a fast-forward took,
//! or of the line that this one left. Neighbours: `history` lists commits.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::lineage::{LineId, Position};
use crate::registry::records::Commit;
use crate::registry::{Branches, State};

/// What is listed, by heads.
struct Listed<'a> {
    state: &'a State,
    numbers: BTreeSet<u64>,
    heads: BTreeMap<u64, BTreeSet<u64>>,
}

impl Branches {
    /// The parents of commits that [`commits`](Self::commits) or
    /// [`commits_of_all`](Self::commits_of_all) listed, in their order; zero for the first one.
    pub fn parents(&self, commits: &[Commit]) -> Result<Vec<u64>> {
        self.with(|state| {
            let mut listed = Listed { state, numbers: BTreeSet::new(), heads: BTreeMap::new() };
            for commit in commits {
                listed.numbers.insert(commit.commit);
                listed.heads.entry(commit.head).or_default().insert(commit.commit);
            }
            commits.iter().map(|commit| listed.parent(commit)).collect()
        })
    }
}

impl Listed<'_> {
    fn parent(&self, commit: &Commit) -> u64 {
        let is_older = self.numbers.first().is_some_and(|oldest| commit.base < *oldest);
        let is_own = self.heads.get(&commit.head).is_some_and(|own| own.contains(&commit.base));
        if commit.base == 0 || is_own {
            return commit.base;
        }
        let line = self.state.line_with(commit.head, commit.commit);
        let found = line.and_then(|line| self.newest(line, commit.base));
        // Of what is older than the list nothing better is known.
        let is_known = is_older || self.numbers.contains(&commit.base);
        found.unwrap_or(if is_known { commit.base } else { 0 })
    }

    /// The newest listed commit that a line holds at `until`.
    fn newest(&self, mut line: LineId, mut until: u64) -> Option<u64> {
        let mut seen: BTreeSet<Position> = BTreeSet::new();
        loop {
            if !seen.insert(Position { line, commit: until }) {
                return None;
            }
            let known = self.state.graph.line(line)?;
            let start = self.state.start_of(line);
            let of_head = self.heads.get(&known.head);
            let own = of_head
                .filter(|_| start < until)
                .and_then(|all| all.range(start + 1..=until).next_back().copied());
            // A merge whose commit is not listed moved the line to where its source stood.
            let taken = known.merges.iter().rev().find(|merge| merge.after < until);
            match (own, taken) {
                (Some(own), Some(merge)) if own > merge.after => return Some(own),
                (own, Some(merge)) if own.is_none_or(|own| own <= merge.after) => {
                    (line, until) = (merge.source.line, merge.source.commit);
                }
                (Some(own), _) => return Some(own),
                (None, _) => {
                    let parent = known.parent?;
                    (line, until) = (parent.line, parent.commit);
                }
            }
        }
    }
}
