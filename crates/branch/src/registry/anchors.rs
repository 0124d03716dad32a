//! Heads without names: which moments merges may still start from, and what nobody needs.
//!
//! The base of a merge is the best common ancestor of two branches. So an anchor is needed as
//! long as two branches hold its moment and no later anchor on the same line is held by as many.
//! Space returns with the anchors: a branch that is dropped takes the moments with it that only
//! it needed. Neighbours: `life` and `merging` make anchors, and prune them.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_tm::HeadId;

use super::records::{Kind, number_key};
use super::{Branches, Change, NOTE_ANCHOR, NOTE_BRANCH, State};
use crate::error::Result;
use crate::lineage::{LineId, Position};

impl Branches {
    /// The head that keeps a moment, if one does: an anchor, or a branch that stands there.
    pub(super) fn head_at(&self, state: &State, position: Position) -> Option<HeadId> {
        let wanted = state.graph.normalized(position);
        let commit_of = |head: u64| self.manager.head(HeadId(head)).ok().map(|it| it.commit.0);
        let mut anchors = state.anchors.values();
        let anchor = anchors.find(|anchor| state.anchored(anchor, commit_of) == Some(wanted));
        if let Some(anchor) = anchor {
            return Some(HeadId(anchor.head));
        }
        let tag = state.tags.values().find(|tag| state.graph.normalized(tag.position) == wanted);
        tag.map(|tag| HeadId(tag.head))
    }

    /// Drops the anchors that no merge can start from, were the branches `without` gone.
    pub(super) fn prune(
        &self,
        change: &mut Change<'_>,
        state: &State,
        without: &BTreeSet<u64>,
    ) -> Result<usize> {
        let unneeded = self.unneeded_anchors(state, without);
        for head in &unneeded {
            change.delete(number_key(Kind::Anchor, *head))?;
            change.transaction.drop_head(HeadId(*head))?;
        }
        Ok(unneeded.len())
    }

    /// The heads of anchors that no two of the branches need.
    pub(super) fn unneeded_anchors(&self, state: &State, without: &BTreeSet<u64>) -> Vec<u64> {
        let commit_of = |head: u64| self.manager.head(HeadId(head)).ok().map(|it| it.commit.0);
        let pinned: BTreeSet<u64> = state.merges.values().map(|merge| merge.anchor).collect();
        let mut lines: BTreeMap<LineId, Vec<(u64, u64)>> = BTreeMap::new();
        let mut unneeded = Vec::new();
        for anchor in state.anchors.values() {
            match state.anchored(anchor, commit_of) {
                Some(at) => lines.entry(at.line).or_default().push((at.commit, anchor.head)),
                None => unneeded.push(anchor.head),
            }
        }
        for anchors in lines.values_mut() {
            anchors.sort_unstable();
        }
        // How many branches hold each anchor: on one line, whoever holds one holds all before.
        let mut counts: BTreeMap<LineId, Vec<usize>> =
            lines.iter().map(|(line, anchors)| (*line, vec![0; anchors.len()])).collect();
        for branch in state.branches.values() {
            if without.contains(&branch.head) {
                continue;
            }
            let Some(commit) = commit_of(branch.head) else { continue };
            let tip = Position { line: branch.line, commit };
            for at in state.graph.clock(tip).iter() {
                let Some(anchors) = lines.get(&at.line) else { continue };
                let held = anchors.partition_point(|(commit, _)| *commit <= at.commit);
                let counts = counts.get_mut(&at.line);
                if let Some(count) = counts.and_then(|counts| counts.get_mut(held.checked_sub(1)?))
                {
                    *count += 1;
                }
            }
        }
        for (line, anchors) in &lines {
            let Some(counts) = counts.get(line) else { continue };
            let (mut holders, mut later) = (0, 0);
            for ((_, head), count) in anchors.iter().zip(counts).rev() {
                holders += count;
                let is_needed = holders >= 2 && holders > later;
                if !is_needed && !pinned.contains(head) {
                    unneeded.push(*head);
                }
                later = later.max(holders);
            }
        }
        unneeded
    }

    /// Drops what a crash or an earlier process left: temporary branches, branches whose time is
    /// over, and heads that no record mentions.
    pub(super) fn sweep(&self) -> Result<()> {
        let state = self.state()?;
        let now = self.now();
        for branch in state.branches() {
            let is_over =
                branch.options.temporary || branch.expires().is_some_and(|expires| expires <= now);
            if is_over {
                self.force_drop(branch)?;
            }
        }
        let state = self.state()?;
        let mut known: BTreeSet<u64> = state.heads.keys().copied().collect();
        known.extend(state.anchors.keys());
        known.extend(state.tags.values().map(|tag| tag.head));
        known.extend(state.reflog.values().map(|entry| entry.head));
        known.extend(state.merges.values().map(|merge| merge.anchor));
        let picks = state.merges.values().filter_map(|merge| merge.pick.as_ref());
        known.extend(picks.map(|pick| pick.base));
        let lost = self.manager.heads().into_iter().filter(|head| {
            let note: &[u8] = &head.note;
            (note == NOTE_ANCHOR || note == NOTE_BRANCH)
                && !head.is_ephemeral
                && !known.contains(&head.head.0)
        });
        for head in lost {
            self.manager.drop_head(head.head)?;
        }
        // Records of heads that are gone mean nothing.
        let alive: BTreeSet<u64> = self.manager.heads().iter().map(|head| head.head.0).collect();
        let gone: Vec<u64> =
            state.anchors.keys().copied().filter(|head| !alive.contains(head)).collect();
        if !gone.is_empty() {
            self.update(|change| {
                gone.iter().try_for_each(|head| change.delete(number_key(Kind::Anchor, *head)))
            })?;
        }
        Ok(())
    }
}
