//! Heads without names: which moments merges may still start from, and what nobody needs.
//!
//! The base of a merge is the best common ancestor of two branches. So an anchor is needed as
//! long as two branches hold its moment and no later anchor on the same line is held by as many.
//! Space returns with the anchors: a branch that is dropped takes the moments with it that only
//! it needed. Neighbours: `life` and `merging` make anchors and prune them, `pins` knows which
//! are in use.

use std::collections::BTreeSet;

use pandodb_tm::HeadId;

use super::records::{Kind, number_key};
use super::{Branches, Change, NOTE_ANCHOR, NOTE_BRANCH, State};
use crate::error::Result;

impl Branches {
    /// Drops anchors; who reads them goes on.
    pub(super) fn drop_anchors(change: &mut Change<'_>, heads: &[u64]) -> Result<()> {
        for head in heads {
            change.delete(number_key(Kind::Anchor, *head))?;
            change.transaction.drop_head(HeadId(*head))?;
        }
        Ok(())
    }

    /// The anchors that no merge can start from any more.
    pub(super) fn surplus_anchors(&self) -> Result<Vec<u64>> {
        self.with(|state| {
            let mut surplus = state.index.surplus();
            surplus.retain(|head| self.is_loose(state, *head));
            surplus
        })
    }

    /// Whether no merge needs an anchor, neither one that has begun nor one that is open.
    pub(super) fn is_loose(&self, state: &State, anchor: u64) -> bool {
        !state.is_pinned(anchor) && !self.pins.holds(anchor)
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
            self.drop_head(head.head)?;
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
