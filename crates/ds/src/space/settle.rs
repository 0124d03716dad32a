//! What a checkpoint changes in the space: worked out first, applied when it is durable.
//!
//! New edges are counted before old ones are released, so that nothing that moved from one
//! parent to another falls to zero in between. Releasing the last edge of a page releases the
//! page's own edges in turn. Nothing of this touches the state until [`Space::apply`]: a
//! checkpoint that fails leaves everything as it was. Neighbours: `checkpoint` calls it.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Count, Space, State};
use crate::error::{Error, ErrorKind, Result};
use crate::format::{Extent, Granule, PageRef};

/// The changes of one checkpoint.
#[derive(Debug, Default)]
pub struct Settlement {
    /// Extents that became reachable.
    pub attached: Vec<Extent>,
    /// Extents that nothing reaches any more.
    pub released: Vec<Extent>,
    /// New counts of extents that stay or became reachable.
    pub counts: FxHashMap<Granule, Count>,
    attached_versions: FxHashSet<Granule>,
}

impl Settlement {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.attached.is_empty() && self.released.is_empty() && self.counts.is_empty()
    }

    fn count(&self, state: &State, extent: Granule) -> Count {
        self.counts.get(&extent).copied().unwrap_or_else(|| state.count(extent))
    }

    /// Counts an edge to `version`, and the edges of pages that become reachable by it.
    fn attach(&mut self, state: &State, version: Granule) {
        let mut work = vec![version];
        while let Some(version) = work.pop() {
            let unattached = state.unattached.get(&version);
            let (Some(page), true) = (unattached, self.attached_versions.insert(version)) else {
                let mut count = self.count(state, version);
                count.versions = count.versions.saturating_add(1);
                self.counts.insert(version, count);
                continue;
            };
            self.attached.push(Extent { start: version, granules: page.granules });
            // Deltas may stand against the extent already, when it is shared and new.
            let holds = self.counts.get(&version).map_or(0, |count| count.holds);
            self.counts.insert(version, Count { versions: 1, holds });
            work.extend_from_slice(&page.edges);
            if let Some(base) = page.base {
                let mut count = self.count(state, base);
                count.holds = count.holds.saturating_add(1);
                self.counts.insert(base, count);
            }
        }
    }

    /// Takes back an edge to `page`; `edges_of` reads what a page refers to. A damaged page keeps
    /// its edges.
    fn release(
        &mut self,
        state: &State,
        page: PageRef,
        edges_of: &mut dyn FnMut(&PageRef) -> Result<Vec<PageRef>>,
    ) -> Result<()> {
        let mut work = vec![page];
        while let Some(page) = work.pop() {
            let version = page.version();
            let mut count = self.count(state, version);
            count.versions = count.versions.checked_sub(1).ok_or_else(|| {
                Error::corrupt(format!("page at granule {} is released twice", version.0))
            })?;
            self.counts.insert(version, count);
            if count.versions > 0 {
                continue;
            }
            if page.has_edges {
                match edges_of(&page) {
                    Ok(edges) => work.extend(edges),
                    Err(error) if error.kind() == ErrorKind::Corrupt => {
                        // Nobody knows what it refers to, and nobody ever will: it stays in use
                        // with all that is below it. That is room lost until the file is made
                        // anew; without, nothing could be made durable any more.
                        count.versions = count.versions.saturating_add(1);
                        self.counts.insert(version, count);
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            self.release_extent(page.newest().extent(), count);
            if page.delta.is_some() {
                let base = page.base.granule;
                let mut count = self.count(state, base);
                count.holds = count.holds.checked_sub(1).ok_or_else(|| {
                    Error::corrupt(format!("extent at granule {} has no hold", base.0))
                })?;
                self.counts.insert(base, count);
                self.release_extent(page.base.extent(), count);
            }
        }
        Ok(())
    }

    fn release_extent(&mut self, extent: Extent, count: Count) {
        if count.versions == 0 && count.holds == 0 {
            self.released.push(extent);
        }
    }
}

impl Space {
    /// Works out what it means to add `edges` and then to release the pages of `releases`.
    ///
    /// `edges_of` reads a page's references; it must not allocate.
    pub fn settle(
        &self,
        edges: &[Granule],
        releases: Vec<PageRef>,
        edges_of: &mut dyn FnMut(&PageRef) -> Result<Vec<PageRef>>,
    ) -> Result<Settlement> {
        let state = self.state.lock();
        let mut settlement = Settlement::default();
        for version in edges {
            settlement.attach(&state, *version);
        }
        for page in releases {
            settlement.release(&state, page, edges_of)?;
        }
        Ok(settlement)
    }

    /// Makes a settlement true, once the superblock that says so is durable.
    pub fn apply(&self, settlement: Settlement, epoch: u64) {
        let mut state = self.state.lock();
        for extent in &settlement.attached {
            state.unattached.remove(&extent.start);
        }
        for extent in &settlement.released {
            state.counts.set(extent.start, Count::USUAL);
        }
        let released: FxHashSet<Granule> =
            settlement.released.iter().map(|extent| extent.start).collect();
        for (granule, count) in settlement.counts {
            let count = if released.contains(&granule) { Count::USUAL } else { count };
            state.counts.set(granule, count);
        }
        state.begin_gone();
        state.push_pending(epoch, settlement.released);
    }
}
