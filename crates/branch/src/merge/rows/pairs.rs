//! What the two sides did to one row, and what that comes to.
//!
//! Neighbours: `mod` finds the changes, `resolved` decides where they do not fit, `written` gives
//! the row to the target.

use pandodb_ds::record::Value;
use pandodb_ds::record::key::{rowid_from_key, rowid_key};

use super::{TableMerger, read};
use crate::diff::TableVersion;
use crate::diff::source::RawChange;
use crate::error::Result;
use crate::merge::RowChange;
use crate::merge::cells::{MergedRow, Side};
use crate::shape::KeyShape;
use crate::shape::row::{Row, Stored};

impl TableMerger<'_, '_, '_> {
    /// A row that only the target changed stays, unless it edits a cell that the source dropped.
    pub(super) fn only_ours(&mut self, change: &RawChange) -> Result<()> {
        if !self.plan.theirs_dropped_columns() {
            return Ok(());
        }
        let base = self.read_base(change.old.as_ref())?;
        let ours = read(self.sides.ours, change.new.as_ref())?;
        // The source's row is the base's, by the source's shape.
        let theirs = self.read_theirs(change.old.as_ref())?;
        let (Some(base), Some(ours), Some(theirs)) = (base, ours, theirs) else {
            return Ok(());
        };
        let merged = self.plan.merge(&base, &ours, &theirs);
        let dropped = merged.conflicts.into_iter().filter(|conflict| conflict.index.is_none());
        for conflict in dropped {
            self.cell_conflict(&change.key, &ours, conflict)?;
        }
        Ok(())
    }

    pub(super) fn only_theirs(&mut self, change: &RawChange) -> Result<()> {
        let base = self.read_base(change.old.as_ref())?;
        let theirs = self.read_theirs(change.new.as_ref())?;
        match (base, theirs) {
            (None, Some(theirs)) => self.insert_theirs(change, &theirs),
            (Some(base), None) => {
                let ours = if self.plan.is_plain() {
                    Some(base)
                } else {
                    read(self.sides.ours, change.old.as_ref())?
                };
                self.delete(&change.key, ours.as_ref())
            }
            (Some(base), Some(mut theirs))
                if self.plan.is_plain()
                    && self.followers.is_empty()
                    && !(self.table.is_rebuilt || self.needs_conversion) =>
            {
                if !self.plan.take_theirs(&base, &mut theirs) {
                    return Ok(());
                }
                self.run.report.table(&self.table.shape).updated += 1;
                let (key, row, old) = (change.key.clone(), theirs, Some(base));
                self.run.target.apply(&self.table.shape, RowChange::Update { key, row, old })
            }
            (Some(base), Some(theirs)) => {
                // The target's row is the base's, by the target's shape.
                let ours = read(self.sides.ours, change.old.as_ref())?;
                let Some(ours) = ours else { return Ok(()) };
                let theirs = self.follow(Some(&base), theirs);
                self.merge_all(&change.key, &base, &ours, &theirs)
            }
            (None, None) => Ok(()),
        }
    }

    fn insert_theirs(&mut self, change: &RawChange, theirs: &Row) -> Result<()> {
        let theirs = self.follow(None, theirs.clone());
        if let Some(stored) = self.same_row_of_ours(&theirs)? {
            // The same row under another rowid: the target's rowid stays.
            self.moved(&change.key, &stored.key);
            let ours = read(self.sides.ours, Some(&stored))?;
            if let Some(ours) = ours {
                return self.merge_inserted(&stored.key, &ours, &theirs);
            }
        }
        let row = self.plan.theirs_row(&theirs);
        let key = self.key_after_follow(&change.key, &row)?;
        self.moved(&change.key, &key);
        self.place(&key, row)
    }

    /// The row that the target inserted with the same declared primary key.
    fn same_row_of_ours(&self, theirs: &Row) -> Result<Option<Stored>> {
        let version = self.sides.theirs.filter(|_| self.table.has_hidden_key());
        let Some(version) = version.filter(|version| !version.shape.lacks_key(theirs)) else {
            return Ok(None);
        };
        let key = version.shape.key_of_columns(&self.table.shape.primary_key, theirs)?;
        Ok(self.inserted.get(&key).cloned())
    }

    pub(super) fn both(&mut self, left: &RawChange, right: &RawChange) -> Result<()> {
        let base = self.read_base(left.old.as_ref().or(right.old.as_ref()))?;
        let ours = read(self.sides.ours, left.new.as_ref())?;
        let theirs = self.read_theirs(right.new.as_ref())?;
        let theirs = theirs.map(|theirs| self.follow(base.as_ref(), theirs));
        match (base, ours, theirs) {
            (Some(base), Some(ours), Some(theirs)) => {
                self.merge_all(&left.key, &base, &ours, &theirs)
            }
            (None, Some(ours), Some(theirs)) => {
                let row = self.plan.theirs_row(&theirs);
                let key = self.key_after_follow(&right.key, &row)?;
                if key == right.key {
                    return self.both_inserted(right, &left.key, &ours, &theirs);
                }
                // Its key leads to a row that got another number: so does it, and it is another
                // row than the target's.
                let kept = self.plan.ours_row(&ours);
                self.put(&left.key, Some(&ours), kept)?;
                self.moved(&right.key, &key);
                self.place(&key, row)
            }
            (Some(base), None, Some(theirs)) => {
                if self.has_changed(Side::Theirs, &base, &theirs) {
                    return self.deleted_and_changed(&left.key, Some(&base), None, Some(&theirs));
                }
                Ok(())
            }
            (Some(base), Some(ours), None) => {
                if self.has_changed(Side::Ours, &base, &ours) {
                    return self.deleted_and_changed(&left.key, Some(&base), Some(&ours), None);
                }
                self.delete(&left.key, Some(&ours))
            }
            // Both deleted it, or it came and went.
            _ => Ok(()),
        }
    }

    fn has_changed(&self, side: Side, base: &Row, row: &Row) -> bool {
        let version = match side {
            Side::Ours => self.sides.ours,
            Side::Theirs => self.sides.theirs,
        };
        version.is_some_and(|version| self.plan.has_changed(side, base, row, version.shape))
    }

    fn both_inserted(
        &mut self,
        change: &RawChange,
        key: &[u8],
        ours: &Row,
        theirs: &Row,
    ) -> Result<()> {
        let merged = self.plan.merge_inserted(ours, theirs);
        if merged.conflicts.is_empty() || !self.are_two_rows(&merged, ours, theirs) {
            return self.finish_row(key, ours, merged);
        }
        // Two rows under one rowid: the source's gets another one, and the target's stays, as the
        // merged table stores it.
        let kept = self.plan.ours_row(ours);
        self.put(key, Some(ours), kept)?;
        if let Some(stored) = self.same_row_of_ours(theirs)? {
            self.moved(&change.key, &stored.key);
            let same = read(self.sides.ours, Some(&stored))?;
            if let Some(same) = same {
                return self.merge_inserted(&stored.key, &same, theirs);
            }
        }
        let old = rowid_from_key(&change.key)?;
        let rowid = match self.numbers.get(self.table.shape.id, old) {
            Some(rowid) => rowid,
            None => self.next_rowid()?,
        };
        let mut row = self.plan.theirs_row(theirs);
        let alias = self.table.shape.alias().and_then(|alias| self.table.shape.index_of(alias));
        if let Some(cell) = alias.and_then(|index| row.get_mut(index)) {
            *cell = Value::Integer(rowid);
        }
        self.run.report.table(&self.table.shape).renumbered += 1;
        self.moved(&change.key, &rowid_key(rowid));
        if matches!(self.table.shape.key, KeyShape::Rowid { autoincrement: true, .. }) {
            self.run.target.raise_counter(&self.table.shape, rowid)?;
        }
        self.place(&rowid_key(rowid), row)
    }

    /// Whether rows that both inserted under one key have nothing to do with each other.
    fn are_two_rows(&self, merged: &MergedRow, ours: &Row, theirs: &Row) -> bool {
        let shape = &self.table.shape;
        let lacks_key = |side: Option<TableVersion<'_>>, row: &Row| {
            let side = side.filter(|side| side.shape.primary_key == shape.primary_key);
            side.is_some_and(|side| side.shape.lacks_key(row))
        };
        match shape.key {
            KeyShape::Columns(_) => false,
            KeyShape::Rowid { alias: Some(_), .. } => self.numbers.are_on_request(shape.id),
            // Where a primary key is declared beside the rowid, it tells, if there is one.
            KeyShape::Rowid { alias: None, .. } => {
                shape.primary_key.is_empty()
                    || lacks_key(self.sides.ours, ours)
                    || lacks_key(self.sides.theirs, theirs)
                    || merged.conflicts.iter().any(|conflict| {
                        shape.primary_key.iter().any(|key| key.column == conflict.column)
                    })
            }
        }
    }

    fn next_rowid(&mut self) -> Result<i64> {
        let free = match &mut self.free {
            Some(free) => free,
            none => {
                let table = self.table.shape.id;
                none.insert(self.numbers.free_rowids(self.run.pager, &self.sides, table)?)
            }
        };
        free.next(&self.table.shape.name)
    }

    fn merge_inserted(&mut self, key: &[u8], ours: &Row, theirs: &Row) -> Result<()> {
        let merged = self.plan.merge_inserted(ours, theirs);
        self.finish_row(key, ours, merged)
    }

    fn merge_all(&mut self, key: &[u8], base: &Row, ours: &Row, theirs: &Row) -> Result<()> {
        let merged = self.plan.merge(base, ours, theirs);
        self.finish_row(key, ours, merged)
    }
}
