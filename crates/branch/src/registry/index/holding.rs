//! What a branch or a moment holds: of each line its newest commit that is in it.
//!
//! Beside thousands of branches and hundreds of merges most of that is the same from one moment of
//! a line to the next, all that was merged between them apart. That part is there once, for all
//! moments that have it. Neighbours: `made` shares it, `held` counts it at once.

use super::Place;
use crate::lineage::{Graph, Position};
use pandodb_ds::sync::Arc;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Holding {
    /// Places of no line that `shared` has.
    own: Vec<Place>,
    /// In the order of the lines.
    shared: Arc<[Place]>,
}

impl Holding {
    /// What a moment holds: its own line up to it, and what it has of others.
    pub(super) fn at((line, commit): Place, graph: &Graph) -> Self {
        let clock = graph.clock(Position { line, commit });
        let own = clock.iter().map(|place| (place.line, place.commit)).collect();
        Self { own, shared: Arc::default() }
    }

    /// What others hold as well, and one place of another line.
    pub(super) fn sharing(shared: Arc<[Place]>, own: Place) -> Self {
        Self { own: vec![own], shared }
    }

    /// The same with a place of another line; nothing if it holds some of that line.
    pub(super) fn with(mut self, place: Place) -> Option<Self> {
        if self.own.iter().any(|held| held.0 == place.0)
            || self.shared.binary_search_by_key(&place.0, |held| held.0).is_ok()
        {
            return None;
        }
        self.own.push(place);
        Some(self)
    }

    /// The places that are its own.
    pub(super) fn own(&self) -> &[Place] {
        &self.own
    }

    /// The places that are there once for it and others.
    pub(super) fn shared(&self) -> &Arc<[Place]> {
        &self.shared
    }

    /// All places, of each line one.
    pub(super) fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        self.own.iter().chain(&*self.shared).copied()
    }
}

/// Two are the same that hold the same, however they share it.
impl PartialEq for Holding {
    fn eq(&self, other: &Self) -> bool {
        let sorted = |holding: &Self| {
            let mut places: Vec<Place> = holding.iter().collect();
            places.sort_unstable();
            places
        };
        sorted(self) == sorted(other)
    }
}

impl Eq for Holding {}
