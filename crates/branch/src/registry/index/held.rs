//! How far lines are held, and by how many: branches, or moments that merges start from.
//!
//! Neighbours: the index asks it whether an anchor is needed.

use std::collections::BTreeMap;

use pandodb_ds::sync::Arc;

use super::{Holding, Place};
use crate::lineage::LineId;

/// For each line how many hold it up to which commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Held(BTreeMap<LineId, BTreeMap<u64, u32>>);

impl Held {
    /// One more holds a place.
    pub(super) fn add(&mut self, (line, commit): Place) {
        *self.0.entry(line).or_default().entry(commit).or_default() += 1;
    }

    /// Many hold what they hold. What neighbours share is counted once for all of them.
    pub(super) fn add_all<'h>(&mut self, holdings: impl IntoIterator<Item = &'h Holding>) {
        let mut run: Option<(&Arc<[Place]>, u32)> = None;
        for holding in holdings {
            for place in holding.own() {
                self.add(*place);
            }
            match &mut run {
                Some((shared, count)) if Arc::ptr_eq(shared, holding.shared()) => *count += 1,
                _ => {
                    self.add_shared(run);
                    run = Some((holding.shared(), 1));
                }
            }
        }
        self.add_shared(run);
    }

    fn add_shared(&mut self, run: Option<(&Arc<[Place]>, u32)>) {
        let Some((shared, count)) = run else { return };
        for &(line, commit) in &**shared {
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
