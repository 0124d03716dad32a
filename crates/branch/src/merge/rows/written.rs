//! Merged rows on their way to the target, and the target's other rows where all are stored anew.
//!
//! Neighbours: `pairs` and `resolved` decide what a row is.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::pager::Pager;
use pandodb_ds::record::key::rowid_from_key;
use pandodb_ds::sync::Arc;

use super::TableMerger;
use crate::diff::TableVersion;
use crate::diff::source::{Changes, for_each_row, rekey};
use crate::error::Result;
use crate::merge::RowChange;
use crate::merge::cells::is_same_row;
use crate::merge::renumber::follow_row;
use crate::merge::same::{Other, is_known_by_rowid};
use crate::shape::KeyShape;
use crate::shape::row::Row;

/// The rows of a side by the keys of the merged table.
enum Kept<'v> {
    None,
    /// They are stored by these keys.
    Stored(TableVersion<'v>),
    Sorted(BTreeMap<Vec<u8>, Row>),
}

impl Kept<'_> {
    fn find(&self, pager: &Arc<Pager>, key: &[u8]) -> Result<Option<Row>> {
        match self {
            Self::None => Ok(None),
            Self::Stored(version) => {
                let Some(tree) = version.tree else { return Ok(None) };
                let bytes = tree.get(pager, key)?;
                bytes.map(|bytes| version.shape.decode(key, &bytes)).transpose()
            }
            Self::Sorted(rows) => Ok(rows.get(key).cloned()),
        }
    }
}

impl<'v> TableMerger<'_, '_, 'v> {
    /// The target's rows that the source did not touch, in a table that is written anew; those
    /// that are `settled` have been merged.
    pub(super) fn rewrite_others(&mut self, settled: &BTreeSet<Vec<u8>>) -> Result<()> {
        let pager = self.run.pager;
        let Some(version) = self.sides.ours else { return Ok(()) };
        let key = &self.table.shape;
        let mut theirs = self.sides.changes_of_theirs(pager, key)?;
        // In the order of their stored keys the rows may stand in another order than that of the
        // merged keys, so what the source touched is a set here, not a stream.
        let mut touched = BTreeSet::new();
        while let Some(change) = theirs.as_mut().map(Changes::next_change).transpose()?.flatten() {
            touched.insert(change.key);
        }
        let kept = self.rows_to_bring_back()?;
        for_each_row(pager, version, |stored| {
            let merged_key = rekey(key, version.shape, &stored)?;
            if touched.contains(&merged_key) || settled.contains(&merged_key) {
                return Ok(());
            }
            self.run.step()?;
            let ours = version.shape.decode(&stored.key, &stored.bytes)?;
            let mut row = self.plan.ours_row(&ours);
            if let Some(mut theirs) = kept.find(pager, &merged_key)? {
                if let Some(side) = self.sides.theirs {
                    self.numbers.same.follow(Other::Theirs, side.shape, &mut theirs);
                }
                self.plan.bring_back(&theirs, &mut row);
            }
            self.put(&merged_key, Some(&ours), row)
        })
    }

    /// The source's rows, where cells of them come back to rows that it did not touch.
    fn rows_to_bring_back(&self) -> Result<Kept<'v>> {
        let Some(theirs) = self.sides.theirs.filter(|_| self.plan.brings_back()) else {
            return Ok(Kept::None);
        };
        let key = &self.table.shape;
        if theirs.shape.has_key_of(key) {
            return Ok(Kept::Stored(theirs));
        }
        let mut rows = BTreeMap::new();
        for_each_row(self.run.pager, theirs, |stored| {
            let merged_key = rekey(key, theirs.shape, &stored)?;
            rows.insert(merged_key, theirs.shape.decode(&stored.key, &stored.bytes)?);
            Ok(())
        })?;
        Ok(Kept::Sorted(rows))
    }

    /// The source's row with the new rowids of the rows that it refers to.
    pub(super) fn follow(&self, base: Option<&Row>, theirs: Row) -> Row {
        follow_row(self.numbers, &self.sides, base, theirs)
    }

    /// Notes that a row of the source, which has the key `theirs` there, is `merged` here.
    pub(super) fn moved(&mut self, theirs: &[u8], merged: &[u8]) {
        if theirs != merged {
            let moved = self.run.moved.entry(self.table.shape.id).or_default();
            moved.insert(merged.to_vec(), theirs.to_vec());
        }
    }

    /// Gives the target a row of the source that was not in the base, and notes the rowid.
    pub(super) fn place(&mut self, key: &[u8], row: Row) -> Result<()> {
        let shape = &self.table.shape;
        if is_known_by_rowid(shape, self.run.options) {
            let rowid = rowid_from_key(key)?;
            self.run.placed.entry(shape.id).or_default().add(rowid, rowid);
        }
        self.put(key, None, row)
    }

    /// The key of a row that was inserted: a new one if a column of it followed a renumbered row.
    pub(super) fn key_after_follow(&self, key: &[u8], row: &Row) -> Result<Vec<u8>> {
        let shape = &self.table.shape;
        let is_followed = self.followers.iter().any(|follower| match &shape.key {
            KeyShape::Columns(columns) => {
                columns.iter().any(|column| column.column == follower.column)
            }
            KeyShape::Rowid { alias, .. } => *alias == Some(follower.column),
        });
        if is_followed { shape.key_of(row) } else { Ok(key.to_vec()) }
    }

    pub(super) fn delete(&mut self, key: &[u8], ours: Option<&Row>) -> Result<()> {
        self.run.report.table(&self.table.shape).deleted += 1;
        if self.table.is_rebuilt {
            return Ok(());
        }
        // Converted cells are not those that the target's indexes have.
        let (key, old) = (key.to_vec(), ours.map(|row| self.plan.ours_as_it_is(row)));
        self.run.target.apply(&self.table.shape, RowChange::Delete { key, old })
    }

    /// Gives a row to the target, if it is not what the target has.
    pub(super) fn put(&mut self, key: &[u8], ours: Option<&Row>, row: Row) -> Result<()> {
        let shape = &self.table.shape;
        let key = key.to_vec();
        let change = match ours {
            None => {
                self.run.report.table(shape).inserted += 1;
                RowChange::Insert { key, row }
            }
            Some(ours) => {
                let before = self.plan.ours_row(ours);
                if !is_same_row(&before, &row) {
                    self.run.report.table(shape).updated += 1;
                } else if !(self.table.is_rebuilt
                    || self.plan.stores_anew()
                    || self.needs_conversion && *ours != row)
                {
                    return Ok(());
                }
                if self.table.is_rebuilt {
                    RowChange::Insert { key, row }
                } else {
                    // Converted cells are not those that the target's indexes have, and a row that
                    // is older than a column cannot be read by another default.
                    let is_changed = self.needs_conversion || self.plan.stores_anew();
                    let old = if is_changed { self.plan.ours_as_it_is(ours) } else { before };
                    RowChange::Update { key, row, old: Some(old) }
                }
            }
        };
        self.run.target.apply(shape, change)
    }
}
