//! What the planner is told of the data: counts and samples, from the trees themselves.
//!
//! A tree knows how many keys lie between two others and finds the n-th, so a few places all
//! over an index tell how often a key repeats. What was measured is kept as long as the tree has
//! about as many keys. Neighbours: `plan::estimate` asks, `catalog::statistics` has what ANALYZE
//! found.

use std::cell::RefCell;

use pandodb_ds::record::key::{prefix_successor, rowid_from_key, skip_column};
use pandodb_ds::sync::Arc;
use rustc_hash::FxHashMap;

use crate::bind::{SampleRow, Statistics};
use crate::catalog::{DatabaseIndex, Table};
use crate::execute::row::index_rowid;
use crate::execute::{SharedTransaction, Versions};
use crate::plan::SourceId;
use crate::store::{Cursor, TreeId};

/// At how many places of an index repetition is measured.
const PLACES: u64 = 12;
/// How many rows of a table conditions are tried on.
const SAMPLE_ROWS: u64 = 64;
/// Larger rows are left out of samples.
const SAMPLE_BYTES_MAX: usize = 4096;
/// How far rowids are apart whose rows stand near each other.
const NEAR: u64 = 64;
/// How many trees are remembered.
const KNOWN_MAX: usize = 1024;

/// What was measured, with how many keys the tree had.
#[derive(Debug, Default)]
pub(super) struct KnownTrees {
    distinct: FxHashMap<(TreeId, usize), (u64, f64)>,
    samples: FxHashMap<TreeId, (u64, Arc<Vec<SampleRow>>)>,
    neighbours: FxHashMap<TreeId, (u64, f64)>,
}

/// Statistics of the trees of a statement's sources.
pub(super) struct TreeStatistics<'a> {
    sources: &'a [Option<SharedTransaction>],
    versions: Option<&'a Versions>,
    known: &'a RefCell<KnownTrees>,
}

impl<'a> TreeStatistics<'a> {
    pub(super) fn new(
        sources: &'a [Option<SharedTransaction>],
        versions: Option<&'a Versions>,
        known: &'a RefCell<KnownTrees>,
    ) -> Self {
        Self { sources, versions, known }
    }

    fn cursor(&self, source: SourceId, tree: TreeId) -> Option<Cursor> {
        let database = DatabaseIndex(source.0);
        if database.version_place().is_some() {
            return self.versions?.cursor(database, tree).ok();
        }
        let transaction = self.sources.get(usize::from(source.0))?.as_ref()?;
        transaction.borrow().cursor(tree).ok()
    }

    /// How many different prefixes of `descending.len()` columns there are, from a few places.
    fn measure(
        &self,
        source: SourceId,
        tree: TreeId,
        descending: &[bool],
        total: u64,
    ) -> Option<f64> {
        let mut cursor = self.cursor(source, tree)?;
        let places = PLACES.min(total);
        let mut sum = 0.0;
        for place in 0..places {
            let rank = (2 * place + 1) * total / (2 * places);
            if !cursor.seek_rank(rank).ok()? {
                continue;
            }
            let key = cursor.key();
            let mut len = 0;
            for &descending in descending {
                len += skip_column(key.get(len..)?, descending).ok()?;
            }
            let prefix = key.get(..len)?.to_vec();
            let behind = prefix_successor(&prefix);
            let count = self.count(source, tree, &prefix, behind.as_deref())?;
            // A place meets a key as often as it repeats.
            sum += 1.0 / (count.max(1) as f64);
        }
        Some((total as f64 * sum / places as f64).max(1.0))
    }

    /// At how many of a few places the next entry of an index leads to a row near this one's.
    fn measure_neighbours(&self, source: SourceId, tree: TreeId, total: u64) -> Option<f64> {
        let mut cursor = self.cursor(source, tree)?;
        let places = PLACES.min(total);
        let mut near = 0;
        for place in 0..places {
            let rank = (2 * place + 1) * total / (2 * places);
            if !cursor.seek_rank(rank).ok()? {
                continue;
            }
            let here = index_rowid(cursor.key()).ok()?;
            if cursor.next().ok()? {
                let there = index_rowid(cursor.key()).ok()?;
                near += u64::from(here.abs_diff(there) <= NEAR);
            }
        }
        Some(near as f64 / places.max(1) as f64)
    }

    /// The rows at `places` places all over a table.
    pub(super) fn read_sample(
        &self,
        source: SourceId,
        table: &Table,
        places: u64,
    ) -> Option<Vec<SampleRow>> {
        let total = self.rows(source, table);
        let mut cursor = self.cursor(source, table.tree)?;
        let places = places.min(total);
        let mut rows = Vec::with_capacity(places as usize);
        for place in 0..places {
            let rank = (2 * place + 1) * total / (2 * places);
            if !cursor.seek_rank(rank).ok()? {
                continue;
            }
            let rowid = if table.has_rowid() { rowid_from_key(cursor.key()).ok()? } else { 0 };
            let value = cursor.value().ok()?;
            if value.len() <= SAMPLE_BYTES_MAX {
                rows.push((rowid, value.to_vec()));
            }
        }
        Some(rows)
    }
}

impl Statistics for TreeStatistics<'_> {
    fn rows(&self, source: SourceId, table: &Table) -> u64 {
        let database = DatabaseIndex(source.0);
        if database.version_place().is_some() {
            return self.count(source, table.tree, &[], None).unwrap_or(0);
        }
        let transaction = self.sources.get(usize::from(source.0)).and_then(Option::as_ref);
        transaction.map_or(0, |transaction| transaction.borrow().len(table.tree).unwrap_or(0))
    }

    fn count(&self, source: SourceId, tree: TreeId, from: &[u8], to: Option<&[u8]>) -> Option<u64> {
        let database = DatabaseIndex(source.0);
        if database.version_place().is_some() {
            return self.versions?.count_range(database, tree, from, to).ok();
        }
        let transaction = self.sources.get(usize::from(source.0))?.as_ref()?;
        transaction.borrow().count_range(tree, from, to).ok()
    }

    fn distinct(&self, source: SourceId, tree: TreeId, descending: &[bool]) -> Option<f64> {
        let total = self.count(source, tree, &[], None)?;
        let key = (tree, descending.len());
        if let Some((then, distinct)) = self.known.borrow().distinct.get(&key)
            && is_about(*then, total)
        {
            return Some(distinct * total.max(1) as f64 / (*then).max(1) as f64);
        }
        let distinct = self.measure(source, tree, descending, total)?;
        let mut known = self.known.borrow_mut();
        if known.distinct.len() >= KNOWN_MAX {
            known.distinct.clear();
        }
        known.distinct.insert(key, (total, distinct));
        Some(distinct)
    }

    fn neighbours(&self, source: SourceId, tree: TreeId) -> Option<f64> {
        let total = self.count(source, tree, &[], None)?;
        if let Some((then, share)) = self.known.borrow().neighbours.get(&tree)
            && is_about(*then, total)
        {
            return Some(*share);
        }
        let share = self.measure_neighbours(source, tree, total)?;
        let mut known = self.known.borrow_mut();
        if known.neighbours.len() >= KNOWN_MAX {
            known.neighbours.clear();
        }
        known.neighbours.insert(tree, (total, share));
        Some(share)
    }

    fn sample(&self, source: SourceId, table: &Table) -> Option<Arc<Vec<SampleRow>>> {
        let total = self.rows(source, table);
        if let Some((then, sample)) = self.known.borrow().samples.get(&table.tree)
            && is_about(*then, total)
        {
            return Some(Arc::clone(sample));
        }
        let sample = Arc::new(self.read_sample(source, table, SAMPLE_ROWS)?);
        let mut known = self.known.borrow_mut();
        if known.samples.len() >= KNOWN_MAX / 8 {
            known.samples.clear();
        }
        known.samples.insert(table.tree, (total, Arc::clone(&sample)));
        Some(sample)
    }
}

/// Whether a tree that had `then` keys has about as many now.
fn is_about(then: u64, now: u64) -> bool {
    then <= now.saturating_mul(5) / 4 && now <= then.saturating_mul(5) / 4
}
