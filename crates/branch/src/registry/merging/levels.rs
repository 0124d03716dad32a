//! Branches that stand at one moment: who was moved to where another one stood.
//!
//! A fast-forward is a commit of the target, which the source does not hold: two branches that move
//! to each other in turn would never be up to date. But where the source held all of the target,
//! there is nothing in that commit. So the merge notes the moment that the target is *level* with,
//! and as long as the target has exactly what is there, it counts as standing there.
//!
//! That the trees are the same is not enough to say so: what a branch did and undid counts for the
//! merges that follow. Only whether a merge has something to do is decided by levels; bases and
//! labels go by the commits as they are. Neighbours: `mod` plans merges.

use pandodb_tm::{HeadId, Transaction};

use super::MergePlan;
use super::labels::{edge_key, last_edge};
use crate::error::Result;
use crate::lineage::Position;
use crate::registry::records::{Kind, encode, key};
use crate::registry::{Branches, RECORDS, RowEdit, View};

impl Branches {
    /// Notes in the transaction of a fast-forward, after [`record_merge`](Self::record_merge), that
    /// the target has nothing but what is there, if the source held all of it.
    pub fn note_level(&self, plan: &MergePlan, transaction: &mut Transaction) -> Result<()> {
        let Some(level) = plan.level else { return Ok(()) };
        let target = transaction.head();
        transaction.use_head(self.system)?;
        let written = Self::write_level(plan, level, transaction);
        transaction.use_head(target)?;
        self.add_pending(vec![written?]);
        Ok(())
    }

    fn write_level(
        plan: &MergePlan,
        level: Position,
        transaction: &mut Transaction,
    ) -> Result<RowEdit> {
        let edge = last_edge(plan, transaction)?;
        let (key, value) = (key(Kind::Level, &edge_key(edge)), encode(&level)?);
        transaction.put(RECORDS, &key, &value)?;
        Ok((key, Some(value)))
    }

    /// The moment that a view of a branch counts as: the one that a fast-forward moved it to, as
    /// long as nothing came since; else its own.
    pub(super) fn level_of(&self, view: &View) -> Result<Position> {
        let own = view.position();
        let found = self.with_index(|state| {
            // A branch that has done nothing yet stands where it was made.
            let place = state.graph.normalized(own);
            let line = state.graph.line(place.line)?;
            let index = line.merges.iter().rposition(|merge| merge.after < place.commit)?;
            let level = *state.levels.get(&(place.line, index as u32))?;
            let head = HeadId(state.anchor_at(state.graph.normalized(level))?);
            Some((level, self.pins.pin(head)))
        })?;
        let Some((level, anchor)) = found else { return Ok(own) };
        let kept = self.view_head(anchor.head(), level)?;
        let is_level = kept.forest().is_same_version(&view.forest());
        Ok(if is_level { level } else { own })
    }
}
