//! Heads without names: which moments merges may still start from, and what nobody needs.
//!
//! The base of a merge is the best common ancestor of two branches. So an anchor is needed as
//! long as two branches hold its moment and no later anchor on the same line is held by as many.
//! Space returns with the anchors: a branch that is dropped takes the moments with it that only
//! it needed. Neighbours: `life` and `merging` make anchors and prune them, `pins` knows which
//! are in use.

use std::collections::BTreeSet;

use pandodb_tm::{HeadId, HeadInfo};

use super::records::{Branch, Kind, number_key};
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
        self.with_index(|state| {
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
    ///
    /// Every opening of the registry does this: it looks at the records where they are, and at the
    /// heads once.
    pub(super) fn sweep(&self) -> Result<()> {
        let now = self.now();
        let over: Vec<Branch> = self.with(|state| {
            let is_over = |branch: &&Branch| {
                branch.options.temporary || branch.expires().is_some_and(|expires| expires <= now)
            };
            state.branches().filter(is_over).filter(|it| !state.stays(it)).cloned().collect()
        })?;
        for branch in &over {
            self.force_drop(branch)?;
        }
        // In the order of their numbers.
        let heads = self.manager.heads()?;
        let (lost, gone) = self.with(|state| unmatched(state, &heads))?;
        for head in lost {
            self.drop_head(head)?;
        }
        if !gone.is_empty() {
            self.update(|change| {
                gone.iter().try_for_each(|head| change.delete(number_key(Kind::Anchor, *head)))
            })?;
        }
        Ok(())
    }
}

/// The heads that no record mentions, and the anchors in the records whose heads are gone: they
/// mean nothing.
fn unmatched(state: &State, heads: &[HeadInfo]) -> (Vec<HeadId>, Vec<u64>) {
    let mut known: BTreeSet<u64> = state.tags.values().map(|tag| tag.head).collect();
    known.extend(state.reflog.values().map(|entry| entry.head));
    known.extend(state.merges.values().map(|merge| merge.anchor));
    let picks = state.merges.values().filter_map(|merge| merge.pick.as_ref());
    known.extend(picks.map(|pick| pick.base));
    let is_known = |head: u64| {
        state.heads.contains_key(&head)
            || state.anchors.contains_key(&head)
            || known.contains(&head)
    };
    let lost = heads.iter().filter(|head| {
        let note: &[u8] = &head.note;
        (note == NOTE_ANCHOR || note == NOTE_BRANCH) && !head.is_ephemeral && !is_known(head.head.0)
    });
    let is_gone = |anchor: &u64| heads.binary_search_by_key(anchor, |head| head.head.0).is_err();
    (lost.map(|head| head.head).collect(), state.anchors.keys().copied().filter(is_gone).collect())
}
