//! DELETE: rows are found, and each is taken out of the table and its indexes.
//!
//! Neighbours: `constraint` displaces rows the same way for REPLACE.

use super::foreign_key::Touched;
use super::found::FoundRows;
use super::trigger::{Event, Fired, Images};
use super::{Changes, DeletePlan, Returning, RowKey, TableWriter};
use crate::error::Result;
use crate::execute::{Frame, Kept, Outer};

impl DeletePlan {
    pub(super) fn run(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        let writer = &*self.writer;
        let is_watched = outer.context.session.watches_rows();
        if self.truncate && !is_watched {
            let mut transaction = outer.context.transaction(writer.source)?.borrow_mut();
            changes.rows += transaction.clear(writer.table.tree)?;
            for index in &writer.indexes {
                transaction.clear(index.index.tree)?;
            }
            return Ok(());
        }
        if !self.buffered {
            let mut rows = FoundRows::open(&self.input, self.target, frame, outer)?;
            while rows.next(frame, outer)? {
                let key = writer.key_of(self.target, frame)?;
                let is_taken =
                    self.is_direct && !is_watched && writer.take_found(self.target, frame)?;
                if self.finds_one {
                    rows.leave(frame);
                }
                if is_taken {
                    writer.delete_row(&key, frame, outer)?;
                    changes.rows += 1;
                } else {
                    writer.delete(&key, frame, outer, returning, changes)?;
                }
                if self.finds_one {
                    break;
                }
            }
            return Ok(());
        }
        self.input.open(frame, outer)?;
        let mut keys = Vec::new();
        while self.input.next(frame, outer)? {
            keys.push(writer.key_of(self.target, frame)?);
        }
        // In the order of keys, whatever index found them, as SQLite does: triggers can tell.
        keys.sort_by_cached_key(RowKey::bytes);
        for key in keys {
            writer.delete(&key, frame, outer, returning, changes)?;
        }
        Ok(())
    }
}

impl TableWriter {
    fn delete(
        &self,
        key: &RowKey,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        let Some(old) = self.fetch(key, outer)? else { return Ok(()) };
        self.load(key, old, frame, outer)?;
        self.fill_alias(frame);
        let mut old = frame.slot(self.row).keep()?;
        if self.triggers.has_before() {
            let images = Images::new(Some(old.clone()), Kept::Null);
            if self.triggers.fire(Event::Before, images, None, outer)? == Fired::Ignore {
                return Ok(());
            }
            let Some(now) = self.fetch(key, outer)? else { return Ok(()) };
            self.load(key, now, frame, outer)?;
            self.fill_alias(frame);
            old = frame.slot(self.row).keep()?;
        }
        let childless = self.foreign_keys.leaving(self, &old, Touched::Row, outer)?;
        frame.slot_mut(self.row).restore(old.clone());
        self.delete_row(key, frame, outer)?;
        changes.rows += 1;
        self.foreign_keys.act(self, (&old, None), childless, Touched::Row, outer)?;
        if let Some(returning) = returning {
            frame.slot_mut(self.row).restore(old.clone());
            returning.take(frame, outer, changes)?;
        }
        if self.triggers.has_after() {
            let images = Images::new(Some(old), Kept::Null);
            self.triggers.fire(Event::After, images, None, outer)?;
        }
        Ok(())
    }

    /// Takes out the row in the row slot, which REPLACE wants away: with its foreign keys, and
    /// with triggers if those may nest.
    pub(super) fn displaced(
        &self,
        key: &RowKey,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        self.fill_alias(frame);
        let mut old = frame.slot(self.row).keep()?;
        let images = |old: &Kept| Images::new(Some(old.clone()), Kept::Null);
        let fires = outer.context.settings.recursive_triggers;
        if fires && self.replaced.has_before() {
            if self.replaced.fire(Event::Before, images(&old), None, outer)? == Fired::Ignore {
                return Ok(());
            }
            // The trigger may have changed or deleted the row.
            let Some(now) = self.fetch(key, outer)? else { return Ok(()) };
            self.load(key, now, frame, outer)?;
            self.fill_alias(frame);
            old = frame.slot(self.row).keep()?;
        }
        let childless = self.foreign_keys.leaving(self, &old, Touched::Row, outer)?;
        frame.slot_mut(self.row).restore(old.clone());
        self.delete_row(key, frame, outer)?;
        self.foreign_keys.act(self, (&old, None), childless, Touched::Row, outer)?;
        if fires {
            self.replaced.fire(Event::After, images(&old), None, outer)?;
        }
        Ok(())
    }
}
