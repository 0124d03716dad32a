//! The integrity check: every page that the newest checkpoint reaches, and the space map.
//!
//! Pages are read from the file, past the cache. A page that several trees share is read once.
//! Found are: wrong checksums, damaged structures, keys out of order or outside the bounds that
//! their parents state, wrong row counts and levels, edges that the counts do not know, extents
//! that overlap or are free and used at once, and space that nothing accounts for. Neighbours:
//! `space` compares the map, `pager` verifies single pages.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::error::{Error, Result};
use crate::format::{Extent, Granule, PageKind, PageRef};
use crate::page::{Body, Inner, Node};
use crate::space::Count;
use crate::store::Store;

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong, one sentence each; empty when all is well.
    pub problems: Vec<String>,
    /// Pages read (a page with a delta is one).
    pub pages: u64,
    /// Entries in leaves that were read; shared leaves count once.
    pub entries: u64,
    /// Bytes in the file that are reachable.
    pub reachable_bytes: u64,
    /// Bytes in the file that are free.
    pub free_bytes: u64,
    /// Whether there were more problems than the list takes.
    pub is_cut: bool,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

/// How many problems a report lists.
const PROBLEMS_MAX: usize = 200;

/// An edge that is still to be followed, with the bounds that its keys must keep.
struct Work {
    page: PageRef,
    lower: Option<Vec<u8>>,
    upper: Option<Vec<u8>>,
    /// Not for an edge that was followed before, when only the bounds are another page's.
    is_new_edge: bool,
}

impl Work {
    fn of_edge(page: PageRef) -> Self {
        Self { page, lower: None, upper: None, is_new_edge: true }
    }

    /// What tells bounds apart that a page was compared with already.
    fn bounds(&self) -> u64 {
        FxBuildHasher.hash_one((&self.lower, &self.upper))
    }
}

/// What is kept of a page that was visited, as hashes: a shared one has several parents, which
/// must agree on it and may state other bounds.
#[derive(Clone, Copy)]
struct Seen {
    reference: u64,
    bounds: u64,
}

struct Walk<'a> {
    store: &'a Store,
    report: Report,
    work: Vec<Work>,
    counts: FxHashMap<Granule, Count>,
    seen: FxHashMap<Granule, Seen>,
    extents: FxHashMap<Granule, u64>,
}

/// Checks the newest checkpoint of `store`; `progress` hears the pages read so far and stops
/// the check by answering `false`. Checkpoints wait until the check is over.
pub fn check(store: &Store, progress: &mut dyn FnMut(u64) -> bool) -> Result<Report> {
    store.without_checkpoint(|| {
        let mut walk = Walk {
            store,
            report: Report::default(),
            work: Vec::new(),
            counts: FxHashMap::default(),
            seen: FxHashMap::default(),
            extents: FxHashMap::default(),
        };
        let (registry, records) = store.durable_roots();
        for record in records {
            walk.note_extent(record.base.extent());
            if let Err(error) = store.pager().read_stored(&record.base) {
                walk.problem(format!("the space map: {error}"));
            }
        }
        if let Some(page) = registry.page {
            walk.work.push(Work::of_edge(page));
        }
        while let Some(work) = walk.work.pop() {
            walk.visit(&work);
            if walk.report.pages.is_multiple_of(64) && !progress(walk.report.pages) {
                return Err(Error::new(
                    crate::ErrorKind::Interrupted,
                    "the integrity check was interrupted",
                ));
            }
        }
        walk.compare_space();
        Ok(walk.report)
    })
}

impl Walk<'_> {
    fn problem(&mut self, problem: String) {
        if self.report.problems.len() < PROBLEMS_MAX {
            self.report.problems.push(problem);
        } else {
            self.report.is_cut = true;
        }
    }

    fn note_extent(&mut self, extent: Extent) {
        if let Some(granules) = self.extents.insert(extent.start, extent.granules)
            && granules != extent.granules
        {
            let start = extent.start.0;
            self.problem(format!("two references state two lengths of extent {start}"));
        }
    }

    fn visit(&mut self, work: &Work) {
        let page = &work.page;
        if work.is_new_edge {
            let count =
                self.counts.entry(page.version()).or_insert(Count { versions: 0, holds: 0 });
            count.versions += 1;
        }
        let seen = Seen { reference: FxBuildHasher.hash_one(page), bounds: work.bounds() };
        match self.seen.insert(page.version(), seen) {
            Some(before) if before.reference != seen.reference => {
                let at = page.version().offset();
                self.problem(format!("two references to the page at offset {at} differ"));
                return;
            }
            Some(before) if before.bounds == seen.bounds => return,
            Some(_) => {
                if let Err(error) = self.visit_again(work) {
                    self.problem(error.to_string());
                }
                return;
            }
            None => {}
        }
        self.report.pages += 1;
        self.note_extent(page.newest().extent());
        if page.delta.is_some() {
            let base = page.base.granule;
            self.counts.entry(base).or_insert(Count { versions: 0, holds: 0 }).holds += 1;
            self.note_extent(page.base.extent());
        }
        let outcome = match page.kind {
            PageKind::Leaf | PageKind::Inner => self.visit_node(work),
            PageKind::OverflowData => self.store.pager().read_stored(&page.base).map(|bytes| {
                if bytes.len() as u64 != page.rows {
                    let at = page.base.granule.offset();
                    self.problem(format!("a piece of a value at offset {at} has a wrong length"));
                }
            }),
            PageKind::OverflowIndex => self.store.pager().edges_of(page).map(|pieces| {
                for piece in pieces {
                    self.work.push(Work::of_edge(piece));
                }
            }),
        };
        if let Err(error) = outcome {
            self.problem(error.to_string());
        }
    }

    fn visit_node(&mut self, work: &Work) -> Result<()> {
        let node = self.store.pager().read_node(&work.page)?;
        let at = work.page.base.granule.offset();
        self.compare_bounds(&node, work);
        match node.body() {
            Body::Leaf(leaf) => {
                self.report.entries += leaf.len() as u64;
                let edges = leaf.edges()?;
                if edges.is_empty() == work.page.has_edges {
                    self.problem(format!("the leaf at offset {at} is marked wrongly"));
                }
                for page in edges {
                    self.work.push(Work::of_edge(page));
                }
            }
            Body::Inner(inner) => {
                for index in 0..inner.len() {
                    self.push_child(inner, index, work, true);
                }
            }
        }
        Ok(())
    }

    fn compare_bounds(&mut self, node: &Node, work: &Work) {
        let (first, last) = edge_keys(node);
        let is_below = first.zip(work.lower.as_ref()).is_some_and(|(key, lower)| key < *lower);
        let is_above = last.zip(work.upper.as_ref()).is_some_and(|(key, upper)| key >= *upper);
        if is_below || is_above {
            let at = work.page.base.granule.offset();
            self.problem(format!("the page at offset {at} has keys that belong elsewhere"));
        }
    }

    fn push_child(&mut self, inner: &Inner, index: usize, work: &Work, is_new_edge: bool) {
        let Some(page) = inner.child(index).stored_ref() else { return };
        let lower = match index {
            0 => work.lower.clone(),
            _ => Some(inner.separators().key(index - 1)),
        };
        let upper = if index + 1 == inner.len() {
            work.upper.clone()
        } else {
            Some(inner.separators().key(index))
        };
        self.work.push(Work { page: *page, lower, upper, is_new_edge });
    }

    /// A page that was visited, below a parent that states other bounds: only the first and the
    /// last page on each level below can break those.
    fn visit_again(&mut self, work: &Work) -> Result<()> {
        if !matches!(work.page.kind, PageKind::Leaf | PageKind::Inner) {
            return Ok(());
        }
        let node = self.store.pager().read_node(&work.page)?;
        self.compare_bounds(&node, work);
        if let Body::Inner(inner) = node.body() {
            self.push_child(inner, 0, work, false);
            if inner.len() > 1 {
                self.push_child(inner, inner.len() - 1, work, false);
            }
        }
        Ok(())
    }

    fn compare_space(&mut self) {
        let space = &self.store.pager().space;
        let granule = crate::limits::GRANULE_BYTES;
        let mut used: Vec<Extent> = self
            .extents
            .iter()
            .map(|(start, granules)| Extent { start: *start, granules: *granules })
            .collect();
        used.sort_unstable();
        self.report.reachable_bytes =
            used.iter().map(|extent| extent.granules).sum::<u64>() * granule;
        let counts = space.counts();
        self.report.free_bytes = (counts.end - counts.reachable()) * granule;
        for problem in space.compare(&used) {
            self.problem(problem);
        }
        let known = space.unusual_counts();
        let mut wrong = Vec::new();
        for (granule, found) in &self.counts {
            let stated = known.get(granule).copied().unwrap_or(Count::USUAL);
            if stated != *found {
                wrong.push(format!(
                    "extent {} has {} edges and {} holds, the space map states {} and {}",
                    granule.0, found.versions, found.holds, stated.versions, stated.holds
                ));
            }
        }
        for granule in known.keys().filter(|granule| !self.counts.contains_key(granule)) {
            wrong.push(format!("the space map counts extent {}, which nothing uses", granule.0));
        }
        wrong.sort_unstable();
        for problem in wrong {
            self.problem(problem);
        }
    }
}

/// The least and the greatest key (or separator) of a page.
fn edge_keys(node: &Node) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    match node.body() {
        Body::Leaf(leaf) if leaf.is_empty() => (None, None),
        Body::Leaf(leaf) => (Some(leaf.key(0)), Some(leaf.key(leaf.len() - 1))),
        Body::Inner(inner) => match inner.separators().len() {
            0 => (None, None),
            count => (Some(inner.separators().key(0)), Some(inner.separators().key(count - 1))),
        },
    }
}
