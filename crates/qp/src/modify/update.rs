//! UPDATE: rows are found, their new values computed, and each is exchanged.
//!
//! Neighbours: `insert` uses the same exchange for upserts; `constraint`, `writer`.

use pandodb_ds::record::Value;
use smallvec::SmallVec;

use super::constraint::{UniqueChecks, Verdict, rowid_of};
use super::foreign_key::{Childless, Coming, Concern, Touched};
use super::found::FoundRows;
use super::trigger::{Event, Fired, Images, Triggers};
use super::{Changes, Returning, RowKey, TableWriter, UpdatePlan};
use crate::ast::ConflictAction;
use crate::catalog::IndexColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Kept, Outer};
use crate::scalar::ROWID;
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
    /// The row as it is, with its generated columns, where that is known.
    pub(super) known: Option<Vec<Value>>,
}

/// What a row gets, converted as far as it has to be.
struct Setting<'a> {
    set: &'a [(usize, Value)],
    rowid: Option<i64>,
    conflict: Option<ConflictAction>,
}

impl UpdatePlan {
    pub(super) fn run(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        if !self.buffered {
            let mut bytes = Vec::new();
            let mut rows = FoundRows::open(&self.input, self.target, frame, outer)?;
            while rows.next(frame, outer)? {
                let job = self.read(frame, outer)?;
                let is_spliced = self.is_direct
                    && !outer.context.session.watches_rows()
                    && self.writer.splice(self.target, &job.set, &mut bytes, frame)?;
                if self.finds_one {
                    rows.leave(frame);
                }
                match job.key {
                    RowKey::Rowid(rowid) if is_spliced => {
                        self.writer.put_spliced(rowid, &bytes, outer)?;
                        changes.rows += 1;
                    }
                    _ => self.change(job, frame, outer, returning, changes)?,
                }
                if self.finds_one {
                    break;
                }
            }
            return Ok(());
        }
        self.input.open(frame, outer)?;
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
        // In the order of keys, whatever joined them, as SQLite does: triggers can tell.
        jobs.sort_by_cached_key(|job| job.key.bytes());
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
        let change =
            RowChange { set, rowid, conflict, triggers: &self.writer.triggers, known: None };
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
        let RowChange { set, rowid, conflict, triggers, known } = change;
        if let Some(known) = known {
            frame.slot_mut(self.row).set_values(key.rowid(), known);
        } else {
            let Some(old) = self.fetch(key, outer)? else { return Ok(()) };
            self.load(key, old, frame, outer)?;
            self.fill_alias(frame);
        }
        let mut old = frame.slot(self.row).keep()?;
        let mismatch = || Error::new(ErrorKind::Mismatch, "datatype mismatch");
        let rowid = rowid.map(|value| rowid_of(&value)?.ok_or_else(mismatch)).transpose()?;
        let mut refused = self.assign(&set, rowid, frame, outer)?;
        if triggers.has_before() {
            // Triggers see values as they would be stored.
            refused.take().map_or(Ok(()), Err)?;
            let images = Images::new(Some(old.clone()), frame.slot(self.row).keep()?);
            if triggers.fire(Event::Before, images, conflict, outer)? == Fired::Ignore {
                return Ok(());
            }
            // The trigger may have changed or deleted the row.
            let Some(now) = self.fetch(key, outer)? else { return Ok(()) };
            self.load(key, now, frame, outer)?;
            self.fill_alias(frame);
            old = frame.slot(self.row).keep()?;
            refused = self.assign(&set, rowid, frame, outer)?;
        }
        let setting = Setting { set: &set, rowid, conflict };
        let Some(new_key) = self.checked(key, &mut old, &setting, refused, frame, outer)? else {
            return Ok(());
        };
        if self.foreign_keys.is_empty()
            && !self.replaced.any()
            && !triggers.has_after()
            && returning.is_none()
        {
            let Kept::Values { values: stored, .. } = old else { return Ok(()) };
            self.replace_row(key, stored, &new_key, frame, outer)?;
            changes.rows += 1;
            return Ok(());
        }
        let assigned = self.assigned(&set, rowid);
        let concern = self.foreign_keys.concern(&assigned);
        let new = frame.slot(self.row).keep()?;
        let touched = Touched::Columns(&assigned);
        let mut childless = Childless::default();
        if concern != Concern::None {
            childless = self.foreign_keys.leaving(self, &old, touched, outer)?;
            let sets_key = rowid.is_some() || (!self.table.has_rowid() && self.sets_key(&set));
            let is_old_gone = sets_key || concern == Concern::LooksBetween;
            let coming = Coming { row: &new, old: Some(&old), is_old_gone, is_single: false };
            self.foreign_keys.coming(self, coming, touched, outer)?;
            frame.slot_mut(self.row).restore(new.clone());
        }
        let Kept::Values { values: stored, .. } = &old else { return Ok(()) };
        self.replace_row(key, stored.clone(), &new_key, frame, outer)?;
        changes.rows += 1;
        if concern != Concern::None {
            self.foreign_keys.act(self, (&old, Some(&new)), childless, touched, outer)?;
        }
        // As in SQLite what is returned is what the triggers of the row have not touched yet.
        if let Some(returning) = returning {
            frame.slot_mut(self.row).restore(new.clone());
            returning.take(frame, outer, changes)?;
        }
        if triggers.has_after() {
            triggers.fire(Event::After, Images::new(Some(old), new), conflict, outer)?;
        }
        Ok(())
    }

    /// Makes room for the row in the row slot, which `old` is to become, and tells its key; none
    /// where it is left out. Rows that are replaced for it may take `old` with them, or change it,
    /// by what their triggers and foreign keys do: then the change is made to what became of it.
    fn checked(
        &self,
        key: &RowKey,
        old: &mut Kept,
        setting: &Setting<'_>,
        mut refused: Option<Error>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Option<RowKey>> {
        let conflict = setting.conflict;
        loop {
            let defaults = self.update_defaults(frame, outer)?;
            if self.check_row(conflict, &defaults, &mut refused, frame, outer)? == Verdict::Skip {
                return Ok(None);
            }
            let new_key = if self.table.has_rowid() {
                RowKey::Rowid(frame.slot(self.row).rowid())
            } else {
                self.primary_key(frame)?
            };
            let checks = UniqueChecks {
                wants: &|_| false,
                first: &[],
                is_first_free: false,
                refused,
                exchanged: None,
            };
            let checked = self.check_unique(&new_key, Some(key), checks, conflict, frame, outer);
            if checked? == Verdict::Skip {
                return Ok(None);
            }
            if !self.may_lose_rows(conflict) {
                return Ok(Some(new_key));
            }
            let Some(now) = self.fetch(key, outer)? else { return Ok(None) };
            let new = frame.slot(self.row).keep()?;
            self.load(key, now, frame, outer)?;
            self.fill_alias(frame);
            let now = frame.slot(self.row).keep()?;
            if let (Kept::Values { values: before, .. }, Kept::Values { values, .. }) =
                (&*old, &now)
                && before == values
            {
                frame.slot_mut(self.row).restore(new);
                return Ok(Some(new_key));
            }
            *old = now;
            refused = self.assign(setting.set, setting.rowid, frame, outer)?;
        }
    }

    /// Whether rows may be replaced, with consequences for others.
    fn may_lose_rows(&self, conflict: Option<ConflictAction>) -> bool {
        let replaces = |own| conflict.or(own) == Some(ConflictAction::Replace);
        (!self.foreign_keys.is_empty() || self.replaced.any())
            && (replaces(self.table.primary_key.as_ref().and_then(|key| key.conflict))
                || self.indexes.iter().any(|index| index.unique.is_some_and(replaces)))
    }

    /// Positions of the columns that are set, for the foreign keys.
    fn assigned(&self, set: &[(usize, Value)], rowid: Option<i64>) -> SmallVec<[usize; 8]> {
        if self.foreign_keys.is_empty() {
            return SmallVec::new();
        }
        let alias = rowid.and_then(|_| self.table.rowid_alias());
        let indexes = set.iter().map(|(index, _)| *index).chain(alias);
        let positions = indexes.map(|index| self.table.columns[index].position);
        self.and_generated(positions, rowid.is_some())
    }

    /// The positions of columns that are set, and of generated columns that read one of them,
    /// which are set as well.
    pub(super) fn and_generated(
        &self,
        set: impl Iterator<Item = usize>,
        sets_rowid: bool,
    ) -> SmallVec<[usize; 8]> {
        let mut positions: SmallVec<[usize; 8]> = set.collect();
        // They stand in the order in which they read each other.
        for (index, expression) in &self.generated {
            let mut reads = false;
            expression.columns(&mut |place| {
                reads |= match place.column {
                    ROWID => sets_rowid,
                    column => positions.contains(&usize::from(column)),
                };
            });
            if reads {
                positions.push(self.table.columns[*index].position);
            }
        }
        positions
    }

    /// Whether columns of the key are set.
    fn sets_key(&self, set: &[(usize, Value)]) -> bool {
        let mut key = self.table.key_columns().iter().filter_map(IndexColumn::column);
        key.any(|column| set.iter().any(|(index, _)| *index == column))
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
        if !self.generated.is_empty() {
            // They see values as they would be stored.
            refused.take().map_or(Ok(()), Err)?;
            refused = self.generate(frame, outer)?;
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
