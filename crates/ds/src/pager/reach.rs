//! A walk over everything that a root reaches, each page version and each extent once.
//!
//! The walk is a stack, not a recursion: a damaged file cannot make it deep, and pages that were
//! visited are remembered, so that a circle ends. Whole subtrees that are older than a birth are
//! skipped. Neighbours: `backup` copies what is reached, `check` has a walk of its own, which
//! also knows which keys a page may hold.

use rustc_hash::FxHashSet;

use super::Pager;
use crate::error::Result;
use crate::format::{Granule, PageRef, Stored};

/// A walk under way.
#[derive(Debug)]
pub struct Reach {
    work: Vec<PageRef>,
    /// Pages that were not born after this are skipped with all below them.
    since: u64,
    /// Every version and every extent that was reached.
    versions: FxHashSet<Granule>,
    extents: FxHashSet<Granule>,
}

/// A page that was reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// The reference to it.
    pub page: PageRef,
    /// Its whole page, unless that extent was reached before.
    pub base: Option<Stored>,
    /// Its delta, where it has one.
    pub delta: Option<Stored>,
}

impl Reach {
    /// A walk from `roots` over all pages that were born after `since`.
    pub fn new(roots: impl IntoIterator<Item = PageRef>, since: u64) -> Self {
        let work = roots.into_iter().collect();
        Self { work, since, versions: FxHashSet::default(), extents: FxHashSet::default() }
    }

    /// How many references are known that were not followed yet.
    pub fn remaining(&self) -> usize {
        self.work.len()
    }

    /// The next page, parents before their children.
    pub fn next(&mut self, pager: &Pager) -> Result<Option<Reached>> {
        while let Some(page) = self.work.pop() {
            if page.birth <= self.since || !self.versions.insert(page.version()) {
                continue;
            }
            let first = self.work.len();
            self.work.extend(pager.edges_of(&page)?);
            self.work[first..].reverse();
            let base = self.extents.insert(page.base.granule).then_some(page.base);
            // The version is named by its delta: it is new, since the version is.
            return Ok(Some(Reached { page, base, delta: page.delta }));
        }
        Ok(None)
    }
}
