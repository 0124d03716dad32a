//! INSERT: each row of the input through defaults, triggers, constraints, into the table.
//!
//! | file | what |
//! |---|---|
//! | `plain` | new rows that nothing watches, from their values to their stored form |
//! | `upsert` | ON CONFLICT DO |
//!
//! Neighbours: `constraint`, `writer`, `trigger`; `bind` makes the plan.

mod plain;
mod upsert;

use pandodb_ds::record::key::rowid_from_key;
use pandodb_ds::record::{Value, ValueRef};
use smallvec::SmallVec;

pub(super) use self::upsert::DirectUpsert;
use self::upsert::{Meeting, UpsertRoom};

use super::constraint::{UniqueChecks, Verdict, rowid_of};
use super::foreign_key::{Coming, Touched};
use super::trigger::{Event, Fired, Images};
use super::{Changes, InsertPlan, Returning, RowKey, TableWriter};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Frame, Outer};
use crate::types::Datum;

/// A row on its way in.
struct NewRow {
    rowid: Option<i64>,
    values: Vec<Value>,
    /// A rowid that is none: reported when the row's turn comes.
    mismatch: Option<Error>,
    /// A value of a type that a STRICT table refuses: other constraints come first.
    refused: Option<Error>,
    /// Whether no row has what its ON CONFLICT clause names: that was looked up already.
    is_target_free: bool,
}

/// The values of a row on its way in, not copied yet.
struct GivenRow<'v> {
    rowid: Option<i64>,
    values: SmallVec<[Datum<'v>; 8]>,
    mismatch: Option<Error>,
}

impl InsertPlan {
    pub(super) fn run(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        if !self.writer.table.is_autoincrement() {
            return self.run_rows(frame, outer, returning, changes);
        }
        // As in SQLite numbers are used up when the statement ends, and not where it fails.
        let before = self.writer.sequence(outer)?;
        let result = self.run_rows(frame, outer, returning, changes);
        if result.is_err() {
            self.writer.restore_sequence(before, outer)?;
        }
        result
    }

    fn run_rows(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        self.input.open(frame, outer)?;
        let is_watched = outer.context.session.watches_rows();
        let direct = self.direct.as_ref().filter(|_| returning.is_none() && !is_watched);
        let mut room = UpsertRoom::default();
        let is_plain = self.is_plain && outer.context.run.conflict.get().is_none() && !is_watched;
        if !self.buffered {
            while self.input.next(frame, outer)? {
                if is_plain {
                    self.insert_plain(frame, outer, changes)?;
                    continue;
                }
                let row = match direct {
                    Some(direct) => self.upsert_given(direct, &mut room, frame, outer, changes)?,
                    None => Some(self.read(frame, outer)?),
                };
                let Some(row) = row else { continue };
                self.insert(row, frame, outer, returning, changes)?;
            }
            return Ok(());
        }
        let mut rows = Vec::new();
        while self.input.next(frame, outer)? {
            rows.push(self.read(frame, outer)?);
        }
        for mut row in rows {
            if is_plain {
                self.insert_kept(row, frame, outer, changes)?;
                continue;
            }
            if let Some(direct) = direct.filter(|_| row.mismatch.is_none()) {
                let values: SmallVec<[ValueRef<'_>; 8]> =
                    row.values.iter().map(Value::as_ref).collect();
                match self.meet(direct, &values, row.rowid, &mut room, outer)? {
                    Meeting::Row(met) => {
                        self.change_met(direct, met, &mut room, frame, outer, changes)?;
                        continue;
                    }
                    Meeting::None => row.is_target_free = true,
                    Meeting::Unclear => {}
                }
            }
            self.insert(row, frame, outer, returning, changes)?;
        }
        Ok(())
    }

    /// Changes the row that the current row of the input meets; if it meets none, that is
    /// returned to be inserted.
    fn upsert_given(
        &self,
        direct: &DirectUpsert,
        room: &mut UpsertRoom,
        frame: &mut Frame,
        outer: Outer<'_>,
        changes: &mut Changes,
    ) -> Result<Option<NewRow>> {
        let given = self.give(frame, outer)?;
        let meeting = if given.mismatch.is_none() {
            let values: SmallVec<[ValueRef<'_>; 8]> =
                given.values.iter().map(Datum::as_ref).collect();
            self.meet(direct, &values, given.rowid, room, outer)?
        } else {
            Meeting::Unclear
        };
        let is_target_free = match meeting {
            Meeting::Row(met) => {
                drop(given);
                self.change_met(direct, met, room, frame, outer, changes)?;
                return Ok(None);
            }
            Meeting::None => true,
            Meeting::Unclear => false,
        };
        let GivenRow { rowid, values, mismatch } = given;
        let values = values.into_iter().map(Datum::into_value).collect();
        Ok(Some(NewRow { rowid, values, mismatch, refused: None, is_target_free }))
    }

    /// The values of the current row of the input for a table that stores them in their order
    /// and refuses no type.
    fn give<'f>(&'f self, frame: &'f Frame, outer: Outer<'f>) -> Result<GivenRow<'f>> {
        let alias = self.writer.table.rowid_alias();
        let scope = frame.scope(outer);
        let mut given = GivenRow { rowid: None, values: SmallVec::new(), mismatch: None };
        for (index, expression) in self.values.iter().enumerate() {
            let value = expression.evaluate(&scope)?;
            if alias != Some(index) {
                given.values.push(self.writer.stored(index, value));
                continue;
            }
            match value.as_ref() {
                ValueRef::Integer(rowid) => given.rowid = Some(rowid),
                other => match rowid_of(&other.to_owned()) {
                    Ok(rowid) => given.rowid = rowid,
                    Err(error) => given.mismatch = Some(error),
                },
            }
            given.values.push(Datum::NULL);
        }
        Ok(given)
    }

    /// The current row of the input as a row of the table.
    fn read(&self, frame: &Frame, outer: Outer<'_>) -> Result<NewRow> {
        let table = &self.writer.table;
        let scope = frame.scope(outer);
        let mut values = vec![Value::Null; table.stored_columns];
        let alias = table.rowid_alias();
        let mut rowid = None;
        let (mut refused, mut mismatch) = (None, None);
        for (index, expression) in self.values.iter().enumerate() {
            let column = &table.columns[index];
            if column.generated.is_some() {
                continue;
            }
            let value = expression.evaluate(&scope)?;
            if alias == Some(index) {
                rowid = rowid_of(&value.into_value()).unwrap_or_else(|error| {
                    mismatch.get_or_insert(error);
                    None
                });
            } else {
                let stored = if column.strict_type.is_some() {
                    let value = value.into_value();
                    self.writer.convert(index, Datum::from(&value)).unwrap_or_else(|error| {
                        refused.get_or_insert(error);
                        value
                    })
                } else {
                    self.writer.convert(index, value)?
                };
                values[column.position] = stored;
            }
        }
        if let Some(expression) = &self.rowid {
            let value = expression.evaluate(&scope)?.into_value();
            rowid = rowid_of(&value).unwrap_or_else(|error| {
                mismatch.get_or_insert(error);
                None
            });
        }
        Ok(NewRow { rowid, values, mismatch, refused, is_target_free: false })
    }

    /// Gives the row its number, if its table has them, and computes what depends on it; that may
    /// be `refused`.
    fn number(
        &self,
        given: Option<i64>,
        refused: &mut Option<Error>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<RowKey> {
        let writer = &*self.writer;
        let mut number = 0;
        if writer.table.has_rowid() {
            number = match given {
                Some(rowid) => rowid,
                None => writer.next_rowid(outer)?,
            };
            let values = std::mem::take(frame.slot_mut(writer.row).values_mut());
            frame.slot_mut(writer.row).set_values(number, values);
            writer.fill_alias(frame);
        }
        if let Some(error) = writer.generate(frame, outer)? {
            refused.get_or_insert(error);
        }
        Ok(RowKey::Rowid(number))
    }

    fn insert(
        &self,
        row: NewRow,
        frame: &mut Frame,
        outer: Outer<'_>,
        returning: Option<&Returning>,
        changes: &mut Changes,
    ) -> Result<()> {
        let writer = &*self.writer;
        let conflict = outer.context.run.conflict.get().or(self.conflict);
        row.mismatch.map_or(Ok(()), Err)?;
        let mut refused = row.refused;
        if writer.triggers.has_before() || !writer.generated.is_empty() {
            // Triggers and generated columns see values as they would be stored.
            refused.take().map_or(Ok(()), Err)?;
        }
        frame.slot_mut(writer.row).set_values(row.rowid.unwrap_or(-1), row.values);
        writer.fill_alias(frame);
        if writer.triggers.has_before() {
            writer.generate(frame, outer)?.map_or(Ok(()), Err)?;
            let images = Images::new(None, frame.slot(writer.row).keep()?);
            if writer.triggers.fire(Event::Before, images, conflict, outer)? == Fired::Ignore {
                return Ok(());
            }
        }
        let key = self.number(row.rowid, &mut refused, frame, outer)?;
        // A number that was given is used up, whatever becomes of the row.
        writer.note_sequence(&key, outer)?;
        let defaults = writer.defaults(frame, outer)?;
        if writer.check_row(conflict, &defaults, &mut refused, frame, outer)? == Verdict::Skip {
            return Ok(());
        }
        let key = if writer.table.has_rowid() { key } else { writer.primary_key(frame)? };
        let wants = |target| self.upsert_for(target).is_some();
        let mut old = None;
        let exchanged = (self.upserts.is_empty() && writer.may_exchange(outer)).then_some(&mut old);
        let first = &self.upsert_targets();
        let is_first_free = row.is_target_free;
        let checks = UniqueChecks { wants: &wants, first, is_first_free, refused, exchanged };
        match writer.check_unique(&key, None, checks, conflict, frame, outer)? {
            Verdict::Pass | Verdict::Room => {}
            Verdict::Skip => return Ok(()),
            Verdict::Conflict(target, other) => {
                return match self.upsert_for(target) {
                    Some(upsert) => self.upsert(upsert, &other, frame, outer, returning, changes),
                    None => Ok(()),
                };
            }
        }
        if !writer.foreign_keys.is_empty() {
            let row = &frame.slot(writer.row).keep()?;
            let is_single = self.is_single_write;
            let coming = Coming { row, old: None, is_old_gone: true, is_single };
            writer.foreign_keys.coming(writer, coming, Touched::Row, outer)?;
        }
        match old {
            Some(old) => writer.exchange_row(&key, old, frame, outer)?,
            None => writer.insert_row(&key, frame, outer)?,
        }
        if let RowKey::Rowid(rowid) = key {
            outer.context.counters.last_insert_rowid.set(rowid);
        }
        changes.rows += 1;
        // As in SQLite what is returned is what the triggers of the row have not touched yet.
        if let Some(returning) = returning {
            returning.take(frame, outer, changes)?;
        }
        if writer.triggers.has_after() {
            let images = Images::new(None, frame.slot_mut(writer.row).take()?);
            writer.triggers.fire(Event::After, images, conflict, outer)?;
        }
        Ok(())
    }
}

impl TableWriter {
    /// Lets the rowid's column read the rowid.
    pub(crate) fn fill_alias(&self, frame: &mut Frame) {
        if let Some(alias) = self.table.rowid_alias() {
            let position = self.table.columns[alias].position;
            let slot = frame.slot_mut(self.row);
            let rowid = slot.rowid();
            if let Some(value) = slot.values_mut().get_mut(position) {
                *value = Value::Integer(rowid);
            }
        }
    }

    /// What REPLACE puts in the place of a NULL; only asked for where a column may need it.
    fn defaults(&self, frame: &Frame, outer: Outer<'_>) -> Result<Vec<Option<Value>>> {
        let mut defaults = Vec::new();
        for (index, expression) in &self.replacements {
            defaults.resize(self.table.columns.len(), None);
            let value = expression.evaluate(&frame.scope(outer))?;
            defaults[*index] = Some(self.convert(*index, value)?);
        }
        Ok(defaults)
    }

    /// A rowid for a new row: one more than the greatest.
    pub(super) fn next_rowid(&self, outer: Outer<'_>) -> Result<i64> {
        let last =
            outer.context.transaction(self.source)?.borrow().greatest_key(self.table.tree)?;
        let mut greatest = last.map_or(Ok(0), |key| rowid_from_key(&key))?;
        if let Some(sequence) = self.sequence(outer)? {
            greatest = greatest.max(sequence);
        }
        if self.table.is_autoincrement() {
            greatest = greatest.max(0);
            if let Some(number) = outer.context.compiler.next_number(&self.table, greatest)? {
                return Ok(number);
            }
        }
        if let Some(next) = greatest.checked_add(1) {
            return Ok(next);
        }
        let full = || Error::new(ErrorKind::Full, "database or disk is full");
        if self.table.is_autoincrement() {
            return Err(full());
        }
        // The greatest is taken: any other will do.
        let transaction = outer.context.transaction(self.source)?.borrow();
        for _ in 0..100 {
            let rowid = (transaction.random() >> 1) as i64;
            let key = RowKey::Rowid(rowid);
            if rowid > 0 && !transaction.contains(self.table.tree, &key.bytes())? {
                return Ok(rowid);
            }
        }
        Err(full())
    }
}
