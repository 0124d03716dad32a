//! What a branch that begins in the past takes out of history while that is there.
//!
//! Where a branch meets the others now, anchors keep the moment. A branch that begins in the past
//! holds less than any that is there, and may meet others where nobody did any more: before
//! something was merged once again. History has these moments, but not for ever, so they get
//! anchors in the commit that makes the branch. What history has lost already (behind a tag, or a
//! way back) stays lost. Neighbours: `life` makes branches, `index` says what is needed later.

use pandodb_tm::HeadId;

use super::{Branches, Change, GoesOn, State, View};
use crate::error::{ErrorKind, Result};
use crate::lineage::Position;

/// A head without a record, and the moment that it keeps.
type Seed = (HeadId, Position);

/// Heads without records that a branch grows from.
#[derive(Debug)]
pub(super) struct Seeds {
    /// Where the branch leaves its parent.
    pub(super) first: Seed,
    /// The same in pages of its own, where the branch gets a copy.
    copy: Option<HeadId>,
    /// Where it meets others, as far as no anchor keeps that.
    starts: Vec<Seed>,
}

impl Branches {
    /// What a branch needs to begin as what a view shows, with pages of its own where a copy is
    /// asked for.
    pub(super) fn seeds(&self, view: &View, copy: Option<GoesOn<'_>>) -> Result<Seeds> {
        let mut seeds = Seeds { first: self.seed(view)?, copy: None, starts: Vec::new() };
        match self.seed_copy(&mut seeds, copy).and_then(|()| self.seed_starts(&mut seeds)) {
            Ok(()) => Ok(seeds),
            Err(error) => {
                self.drop_seeds(&seeds)?;
                Err(error)
            }
        }
    }

    fn seed_copy(&self, seeds: &mut Seeds, copy: Option<GoesOn<'_>>) -> Result<()> {
        if copy.is_some() {
            // The branch alone has the copy: the moment that it leaves is its parent's.
            let (head, at) = seeds.first;
            seeds.copy = Some(self.filled(&self.view_head(head, at)?, copy)?);
        }
        Ok(())
    }

    fn seed_starts(&self, seeds: &mut Seeds) -> Result<()> {
        let starts = self.with_index(|state| {
            let mut starts = state.unkept_starts(seeds.first.1);
            // And where these parted from what merges start from, for merges that crossed.
            let parted: Vec<_> = starts.iter().flat_map(|it| state.unkept_starts(*it)).collect();
            starts.extend(parted);
            starts.sort_unstable();
            starts.dedup();
            starts
        })?;
        for start in starts {
            match self.view_at(start).and_then(|view| self.seed(&view)) {
                Ok((head, _)) => seeds.starts.push((head, start)),
                Err(error) if error.kind() == ErrorKind::NotRetained => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Drops seeds that nothing grew from.
    pub(super) fn drop_seeds(&self, seeds: &Seeds) -> Result<()> {
        let all = std::iter::once(&seeds.first).chain(&seeds.starts).map(|(head, _)| *head);
        all.chain(seeds.copy).try_for_each(|head| self.drop_head(head))
    }
}

impl Seeds {
    /// What the branch begins as.
    pub(super) fn source(&self) -> HeadId {
        self.copy.unwrap_or(self.first.0)
    }
}

impl Change<'_> {
    /// Makes anchors of seeds.
    pub(super) fn plant(&mut self, seeds: &Seeds) -> Result<()> {
        for (seed, at) in std::iter::once(&seeds.first).chain(&seeds.starts) {
            self.anchor(*seed, at.line, Some(at.commit))?;
            self.transaction.drop_head(*seed)?;
        }
        // The branch has its pages.
        seeds.copy.map_or(Ok(()), |copy| Ok(self.transaction.drop_head(copy)?))
    }
}

impl State {
    /// Where a position meets branches and what merges start from, and after merges that crossed
    /// where these places parted, as far as no anchor is there.
    fn unkept_starts(&self, at: Position) -> Vec<Position> {
        let at = self.graph.normalized(at);
        let mut starts = Vec::new();
        for other in self.index.meeting(at, &self.graph) {
            let met = self.graph.bases(at, other);
            for (place, one) in met.iter().enumerate() {
                let others = &met[place + 1..];
                starts.extend(others.iter().flat_map(|base| self.graph.bases(*one, *base)));
            }
            starts.extend(met);
        }
        starts.retain(|place| *place != at && self.anchor_at(*place).is_none());
        starts
    }
}
