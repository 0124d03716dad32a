//! What dropping some heads gives back: releasing them on paper.
//!
//! The space map counts the ways to each page. Here they are taken away one by one, as the next
//! checkpoint would, and what has none left is added up; what lies below a page that others still
//! lead to is not looked at. So the work follows what is freed and not what there is. Neighbours:
//! the storage layer's `space::settle` does it in earnest.

use std::collections::HashMap;

use pandodb_ds::forest::TreeId;
use pandodb_ds::format::{Extent, Granule, PageRef};
use pandodb_ds::limits::GRANULE_BYTES;
use pandodb_ds::space::Count;
use pandodb_ds::store::{SavedHead, Store};

use crate::error::Result;

/// Bytes that are given back when all of `heads` are dropped, and how many of them by tree.
pub(super) fn freed<'h>(
    store: &Store,
    heads: impl Iterator<Item = &'h SavedHead>,
) -> Result<(u64, HashMap<TreeId, u64>)> {
    let mut release = Release { store, counts: HashMap::new(), all: 0, trees: HashMap::new() };
    for head in heads {
        let Some(directory) = head.directory.page else { continue };
        let forest = store.forest(head)?;
        let roots = forest.ids().into_iter().filter_map(|id| {
            let root = forest.tree(id)?.stored_root()?.page?;
            Some((root.version(), id))
        });
        release.page(directory, &roots.collect())?;
    }
    Ok((release.all, release.trees))
}

struct Release<'s> {
    store: &'s Store,
    counts: HashMap<Granule, Count>,
    all: u64,
    trees: HashMap<TreeId, u64>,
}

impl Release<'_> {
    fn count(&mut self, extent: Granule) -> &mut Count {
        let store = self.store;
        self.counts.entry(extent).or_insert_with(|| store.references(extent))
    }

    /// Takes one way to a page away; `roots` tells where trees begin.
    fn page(&mut self, page: PageRef, roots: &HashMap<Granule, TreeId>) -> Result<()> {
        let mut work = vec![(page, None)];
        while let Some((page, above)) = work.pop() {
            let version = page.version();
            let tree = roots.get(&version).copied().or(above);
            let count = self.count(version);
            count.versions = count.versions.saturating_sub(1);
            let count = *count;
            if count.versions > 0 {
                continue;
            }
            if page.has_edges {
                let edges = self.store.pager().edges_of(&page)?;
                work.extend(edges.into_iter().map(|edge| (edge, tree)));
            }
            self.extent(page.newest().extent(), count, tree);
            if page.delta.is_some() {
                let count = self.count(page.base.granule);
                count.holds = count.holds.saturating_sub(1);
                let count = *count;
                self.extent(page.base.extent(), count, tree);
            }
        }
        Ok(())
    }

    fn extent(&mut self, extent: Extent, count: Count, tree: Option<TreeId>) {
        if count.versions > 0 || count.holds > 0 {
            return;
        }
        let bytes = extent.granules * GRANULE_BYTES;
        self.all += bytes;
        if let Some(tree) = tree {
            *self.trees.entry(tree).or_default() += bytes;
        }
    }
}
