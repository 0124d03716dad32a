//! UPDATE: rows are found, their new values computed, and each is exchanged.
//!
//! Neighbours: `insert` uses the same exchange for upserts; `constraint`, `writer`.

use pandodb_ds::record::Value;

use super::constraint::{UniqueChecks, Verdict, rowid_of};
use super::trigger::{Event, Fired, Images, Triggers};
use super::{Changes, Returning, RowKey, TableWriter, UpdatePlan};
use crate::ast::ConflictAction;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Kept, Outer};
use crate::types::Datum;

/// A row that is to change.
struct Job {
    key: RowKey,
    set: Vec<(usize, Value)>,
    rowid: Option<Value>,
}

/// What [`TableWriter::update_row`] does to a row.
pub(super) struct RowChange<'a> {
    /// Column index and value.
    pub(super) set: Vec<(usize, Value)>,
    /// A new rowid.
    pub(super) rowid: Option<Value>,
    /// What is done about conflicts.
    pub(super) conflict: Option<ConflictAction>,
    /// What fires.
    pub(super) triggers: &'a Triggers,
}

impl UpdatePlan {
    pub(super) fn run(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        self.input.open(frame, outer)?;
        if !self.buffered {
            let mut bytes = Vec::new();
            while self.input.next(frame, outer)? {
                let job = self.read(frame, outer)?;
                if self.is_direct
                    && let RowKey::Rowid(rowid) = job.key
                    && self.writer.splice(self.target, rowid, &job.set, &mut bytes, frame, outer)?
                {
                    changes.rows += 1;
                    continue;
                }
                self.change(job, frame, outer, returning, changes)?;
            }
            return Ok(());
        }
        if self.late {
            return self.run_late(frame, outer, returning, changes);
        }
        let mut jobs = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        while self.input.next(frame, outer)? {
            let job = self.read(frame, outer)?;
            // A row that FROM finds several times is changed once.
            if seen.insert(job.key.bytes()) {
                jobs.push(job);
            }
        }
        for job in jobs {
            self.change(job, frame, outer, returning, changes)?;
        }
        Ok(())
    }

    /// Finds all rows, then computes and changes them one by one.
    fn run_late(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        let mut keys = Vec::new();
        while self.input.next(frame, outer)? {
            keys.push(self.writer.key_of(self.target, frame)?);
        }
        if self.in_key_order {
            keys.sort_by_cached_key(RowKey::bytes);
        }
        for key in keys {
            let Some(values) = self.writer.fetch(&key, outer)? else { continue };
            self.writer.load(&key, values, frame, outer)?;
            self.writer.fill_alias(frame);
            let row = frame.slot(self.writer.row).keep()?;
            frame.slot_mut(self.target).restore(row);
            frame.close_subqueries();
            let job = self.read(frame, outer)?;
            self.change(job, frame, outer, returning, changes)?;
        }
        Ok(())
    }

    fn read(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<Job> {
        let key = self.writer.key_of(self.target, frame)?;
        let scope = frame.scope(outer);
        let mut set = Vec::with_capacity(self.assignments.len());
        for (index, expression) in &self.assignments {
            set.push((*index, expression.evaluate(&scope)?.into_value()));
        }
        let rowid = match &self.rowid {
            Some(expression) => Some(expression.evaluate(&scope)?.into_value()),
            None => None,
        };
        Ok(Job { key, set, rowid })
    }

    fn change(
        &self,
        job: Job,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        let Job { key, set, rowid } = job;
        let conflict = outer.context.run.conflict.get().or(self.conflict);
        let change = RowChange { set, rowid, conflict, triggers: &self.writer.triggers };
        self.writer.update_row(&key, change, frame, outer, returning, changes)
    }
}

impl TableWriter {
    /// The key of the row in `slot`.
    pub(super) fn key_of(&self, slot: crate::scalar::SlotId, frame: &mut Frame) -> Result<RowKey> {
        if self.table.has_rowid() {
            return Ok(RowKey::Rowid(frame.slot(slot).rowid()));
        }
        let kept = frame.slot(slot).keep()?;
        frame.slot_mut(self.row).restore(kept);
        self.primary_key(frame)
    }

    /// Exchanges the row with that key for one with new values.
    pub(super) fn update_row(
        &self,
        key: &RowKey,
        change: RowChange<'_>,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        let RowChange { set, rowid, conflict, triggers } = change;
        let Some(old) = self.fetch(key, outer)? else { return Ok(()) };
        self.load(key, old, frame, outer)?;
        self.fill_alias(frame);
        let mut old = frame.slot(self.row).keep()?;
        let mismatch = || Error::new(ErrorKind::Mismatch, "datatype mismatch");
        let rowid = rowid.map(|value| rowid_of(&value)?.ok_or_else(mismatch)).transpose()?;
        let mut refused = self.assign(&set, rowid, frame, outer)?;
        // Triggers and generated columns see values as they would be stored.
        if triggers.has_before() || !self.generated.is_empty() {
            refused.take().map_or(Ok(()), Err)?;
        }
        if triggers.has_before() {
            let images = Images::new(Some(old.clone()), frame.slot(self.row).keep()?);
            if triggers.fire(Event::Before, &images, conflict, outer)? == Fired::Ignore {
                return Ok(());
            }
            // The trigger may have changed or deleted the row.
            let Some(now) = self.fetch(key, outer)? else { return Ok(()) };
            self.load(key, now, frame, outer)?;
            self.fill_alias(frame);
            old = frame.slot(self.row).keep()?;
            refused = self.assign(&set, rowid, frame, outer)?;
        }
        let defaults = self.update_defaults(frame, outer)?;
        if self.check_row(conflict, &defaults, &mut refused, frame, outer)? == Verdict::Skip {
            return Ok(());
        }
        let new_key = if self.table.has_rowid() {
            RowKey::Rowid(frame.slot(self.row).rowid())
        } else {
            self.primary_key(frame)?
        };
        let checks = UniqueChecks { wants: &|_| false, first: &[], refused };
        let checked = self.check_unique(&new_key, Some(key), checks, conflict, frame, outer);
        if checked? == Verdict::Skip {
            return Ok(());
        }
        let is_watched =
            !self.foreign_keys.is_empty() || triggers.has_after() || returning.is_some();
        if !is_watched {
            let Kept::Values { values: old_values, .. } = old else { return Ok(()) };
            self.replace_row(key, old_values, &new_key, frame, outer)?;
            changes.rows += 1;
            return Ok(());
        }
        let new = frame.slot(self.row).keep()?;
        let Kept::Values { values: old_values, .. } = &old else { return Ok(()) };
        self.foreign_keys.removing(self, &old, Some(&new), frame, outer)?;
        frame.slot_mut(self.row).restore(new.clone());
        self.replace_row(key, old_values.clone(), &new_key, frame, outer)?;
        changes.rows += 1;
        if !self.foreign_keys.is_empty() {
            let position = |(index, _): &(usize, Value)| self.table.columns[*index].position;
            let alias = rowid.and_then(|_| self.table.rowid_alias());
            let alias = alias.map(|index| self.table.columns[index].position);
            let assigned: Vec<usize> = set.iter().map(position).chain(alias).collect();
            self.foreign_keys.updated(self, &old, &new, &assigned, outer)?;
        }
        frame.slot_mut(self.row).restore(new.clone());
        // As in SQLite what is returned is what the triggers of the row have not touched yet.
        if let Some(returning) = returning {
            returning.take(frame, outer, changes)?;
            frame.slot_mut(self.row).restore(new.clone());
        }
        if triggers.has_after() {
            let images = Images::new(Some(old), new);
            triggers.fire(Event::After, &images, conflict, outer)?;
        }
        Ok(())
    }

    /// Puts new values into the row in the row slot; what a STRICT column refuses is told.
    fn assign(
        &self,
        set: &[(usize, Value)],
        rowid: Option<i64>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Option<Error>> {
        let mut refused = None;
        for (index, value) in set {
            let column = &self.table.columns[*index];
            let value = self.convert(*index, Datum::from(value)).unwrap_or_else(|error| {
                refused.get_or_insert(error);
                value.clone()
            });
            if let Some(place) = frame.slot_mut(self.row).values_mut().get_mut(column.position) {
                *place = value;
            }
        }
        if let Some(rowid) = rowid {
            let values = std::mem::take(frame.slot_mut(self.row).values_mut());
            frame.slot_mut(self.row).set_values(rowid, values);
        }
        self.fill_alias(frame);
        if refused.is_none() || self.generated.is_empty() {
            self.compute_generated(frame, outer)?;
        }
        Ok(refused)
    }

    fn update_defaults(&self, frame: &Frame, outer: Outer<'_>) -> Result<Vec<Option<Value>>> {
        let mut defaults = Vec::new();
        for (index, expression) in &self.replacements {
            defaults.resize(self.table.columns.len(), None);
            let value = expression.evaluate(&frame.scope(outer))?;
            defaults[*index] = Some(self.convert(*index, value)?);
        }
        Ok(defaults)
    }
}
