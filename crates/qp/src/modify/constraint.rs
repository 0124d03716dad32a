//! What a row must satisfy before it goes in, and what happens where it does not.
//!
//! Neighbours: `writer` puts the row in, `insert` and `update` ask first.

use pandodb_ds::record::Value;
use smallvec::SmallVec;

use super::{RowKey, TableWriter, UpsertTarget};
use crate::ast::ConflictAction;
use crate::catalog::{Column, Index, IndexColumn, IndexOrigin};
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{Frame, Outer};
use crate::types::{Affinity, Datum, apply_affinity};

/// What became of a row that was to go in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go in.
    Pass,
    /// So it may, and a row has made room for it.
    Room,
    /// It is left out.
    Skip,
    /// A row stands in its way, and an upsert may want it.
    Conflict(UpsertTarget, RowKey),
}

/// A constraint that a stored row breaks.
#[derive(Debug)]
pub(crate) struct Violation {
    /// What a statement would have failed with.
    pub(crate) error: Error,
    /// For rows that are not told apart: the place of the index that finds them equal, and what
    /// they have in common.
    pub(crate) equal: Option<(usize, Vec<u8>)>,
}

/// How [`TableWriter::check_unique`] goes about it.
pub(super) struct UniqueChecks<'a> {
    /// Whether an upsert answers for a conflict.
    pub(super) wants: &'a dyn Fn(UpsertTarget) -> bool,
    /// What is looked at before the rest.
    pub(super) first: &'a [UpsertTarget],
    /// Whether that was looked at already, and nothing is in the way.
    pub(super) is_first_free: bool,
    /// What is wrong with the row apart from that.
    pub(super) refused: Option<Error>,
    /// Where a row goes that has the new one's key and is to be replaced: it is exchanged then,
    /// instead of deleted before. None where its going is noticed.
    pub(super) exchanged: Option<&'a mut Option<Vec<Value>>>,
}

impl TableWriter {
    /// Converts a value as its column stores it.
    pub(super) fn convert(&self, index: usize, value: Datum<'_>) -> Result<Value> {
        let column = &self.table.columns[index];
        let Some(strict) = column.strict_type else {
            let value = apply_affinity(value, column.affinity).into_value();
            return Ok(match value {
                // REAL columns store whole numbers as integers, which have one zero.
                Value::Real(0.0) if column.affinity == Affinity::Real => Value::Real(0.0),
                value => value,
            });
        };
        if self.table.rowid_alias() == Some(index) {
            return Ok(apply_affinity(value, column.affinity).into_value());
        }
        let accepted = strict.accept(value.into_value()).map(|value| match value {
            Value::Real(0.0) if column.affinity == Affinity::Real => Value::Real(0.0),
            value => value,
        });
        accepted.map_err(|found| {
            let message = format!(
                "cannot store {found} value in {} column {}.{}",
                column.declared_type.to_ascii_uppercase(),
                self.table.name,
                column.name
            );
            Error::constraint(Constraint::DataType, message)
        })
    }

    /// NOT NULL and CHECK of the row in the row slot. `defaults` gives what REPLACE puts in the
    /// place of a NULL; what else is wrong with the row is reported before a CHECK.
    pub(super) fn check_row(
        &self,
        conflict: Option<ConflictAction>,
        defaults: &[Option<Value>],
        refused: &mut Option<Error>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Verdict> {
        let mut is_replaced = false;
        for (index, column) in self.table.columns.iter().enumerate() {
            let Some(own) = column.not_null else { continue };
            if self.table.rowid_alias() == Some(index) {
                continue;
            }
            if !frame.slot(self.row).column(column.position as u16)?.is_null() {
                continue;
            }
            let action = conflict.or(own).unwrap_or(ConflictAction::Abort);
            let replacement = defaults.get(index).and_then(Option::as_ref);
            match (action, replacement) {
                (ConflictAction::Ignore, _) => return Ok(Verdict::Skip),
                (ConflictAction::Replace, Some(value)) if !value.is_null() => {
                    let value = value.clone();
                    frame.slot_mut(self.row).values_mut()[column.position] = value;
                    is_replaced = true;
                }
                _ => {
                    let subject = format!("{}.{}", self.table.name, column.name);
                    let error = Error::constraint(Constraint::NotNull, subject);
                    return Err(fail(error, action, outer));
                }
            }
        }
        if is_replaced && !self.generated.is_empty() {
            // Generated columns follow what was put in; nothing else was refused before them.
            *refused = self.generate(frame, outer)?;
        }
        if outer.context.settings.ignore_check_constraints {
            return Ok(Verdict::Pass);
        }
        let _pure = outer.context.run.pure("a CHECK constraint");
        if !self.checks.is_empty() {
            refused.take().map_or(Ok(()), Err)?;
        }
        for (name, check) in &self.checks {
            if check.truth(&frame.scope(outer))? != Some(false) {
                continue;
            }
            if conflict == Some(ConflictAction::Ignore) {
                return Ok(Verdict::Skip);
            }
            let action = match conflict {
                Some(ConflictAction::Replace) | None => ConflictAction::Abort,
                Some(action) => action,
            };
            return Err(fail(Error::constraint(Constraint::Check, name), action, outer));
        }
        Ok(Verdict::Pass)
    }

    /// Whether any row could break what [`violation`](Self::violation) looks at.
    pub(crate) fn can_be_violated(&self) -> bool {
        self.table.strict
            || !self.table.checks.is_empty()
            || self.table.columns.iter().any(|column| column.not_null.is_some())
            || self.table.indexes.iter().any(|index| index.unique.is_some())
    }

    /// What the row in the row slot, which is stored under `key`, breaks by itself or beside
    /// others (foreign keys apart).
    pub(crate) fn violation(
        &self,
        key: &RowKey,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Option<Violation>> {
        if let Some(error) = self.misfit(frame, |_| true)? {
            return Ok(Some(Violation { error, equal: None }));
        }
        let abort = Some(ConflictAction::Abort);
        let mut refused = None;
        if let Err(error) = self.check_row(abort, &[], &mut refused, frame, outer) {
            let is_constraint = matches!(error.kind(), ErrorKind::Constraint(_));
            let alone = |error| Violation { error, equal: None };
            return if is_constraint { Ok(Some(alone(error))) } else { Err(error) };
        }
        for (place, index) in self.indexes.iter().enumerate() {
            if index.conflict(self, Some(key), frame, outer)?.is_some() {
                let equal = Some((place, index.group_key(frame, outer)?));
                return Ok(Some(Violation { error: self.duplicate_entry(&index.index), equal }));
            }
        }
        Ok(None)
    }

    /// The first value of the row in the row slot that its STRICT column refuses, of the columns
    /// that `concerns` chooses.
    pub(super) fn misfit(
        &self,
        frame: &Frame,
        concerns: impl Fn(&Column) -> bool,
    ) -> Result<Option<Error>> {
        for (index, column) in self.table.columns.iter().enumerate() {
            if column.strict_type.is_none() || !concerns(column) {
                continue;
            }
            let value = frame.slot(self.row).column(column.position as u16)?;
            match self.convert(index, value) {
                Err(error) if matches!(error.kind(), ErrorKind::Constraint(_)) => {
                    return Ok(Some(error));
                }
                converted => drop(converted?),
            }
        }
        Ok(None)
    }

    /// All rows that an index finds equal to the row in the row slot, itself included.
    pub(crate) fn equal_rows(
        &self,
        place: usize,
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<Vec<RowKey>> {
        let mut rows = Vec::new();
        if let Some(index) = self.indexes.get(place) {
            index.each_equal(self, frame, outer, |row| {
                rows.push(row);
                true
            })?;
        }
        Ok(rows)
    }

    /// Looks for rows that the row in the row slot (which is to get `key`) may not stand beside.
    /// `own` is the key of the row that it replaces.
    pub(super) fn check_unique<'k>(
        &self,
        key: &'k RowKey,
        mut own: Option<&'k RowKey>,
        mut checks: UniqueChecks<'_>,
        conflict: Option<ConflictAction>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Verdict> {
        let all = self.unique_targets(conflict);
        let rest = all.into_iter().filter(|target| !checks.first.contains(target));
        let first = if checks.is_first_free { &[] } else { checks.first };
        let targets: SmallVec<[_; 8]> = first.iter().copied().chain(rest).collect();
        let mut made_room = false;
        for target in targets.iter().copied() {
            // The rowid is looked at before the types of the values are.
            let is_rowid = target == UpsertTarget::Key && self.table.has_rowid();
            if !is_rowid && let Some(refused) = checks.refused.take() {
                return Err(refused);
            }
            let verdict = match target {
                UpsertTarget::Key if own == Some(key) => Verdict::Pass,
                UpsertTarget::Key if self.exchanges(&mut checks, key, conflict, outer)? => {
                    own = Some(key);
                    Verdict::Pass
                }
                UpsertTarget::Key => self.check_key(key, checks.wants, conflict, frame, outer)?,
                UpsertTarget::Index(place) => {
                    self.check_index(place, (key, own), checks.wants, conflict, frame, outer)?
                }
            };
            match verdict {
                Verdict::Pass => {}
                Verdict::Room => made_room = true,
                verdict => return Ok(verdict),
            }
        }
        checks.refused.map_or(Ok(()), Err)?;
        if made_room && (self.replaced.any() || self.foreign_keys.has_children()) {
            self.check_again(key, own, &targets, frame, outer)?;
        }
        Ok(Verdict::Pass)
    }

    /// Refuses what still stands in the way once others have made room: what their triggers and
    /// foreign keys did may have put rows there, whether that had been looked at or not.
    fn check_again(
        &self,
        key: &RowKey,
        own: Option<&RowKey>,
        targets: &[UpsertTarget],
        frame: &Frame,
        outer: Outer<'_>,
    ) -> Result<()> {
        let is_taken = || -> Result<bool> {
            let transaction = outer.context.transaction(self.source)?.borrow();
            Ok(own != Some(key) && transaction.contains(self.table.tree, &key.bytes())?)
        };
        // As in SQLite a rowid comes first, whatever replaced the rows.
        if self.table.has_rowid() && is_taken()? {
            return Err(fail(self.duplicate_key(), ConflictAction::Abort, outer));
        }
        for target in targets {
            let error = match target {
                UpsertTarget::Key => {
                    (!self.table.has_rowid() && is_taken()?).then(|| self.duplicate_key())
                }
                UpsertTarget::Index(place) => match self.indexes.get(*place) {
                    Some(index) if !(index.is_untouched && own == Some(key)) => {
                        let other = index.conflict(self, own, frame, outer)?;
                        other.map(|_| self.duplicate_entry(&index.index))
                    }
                    _ => None,
                },
            };
            if let Some(error) = error {
                return Err(fail(error, ConflictAction::Abort, outer));
            }
        }
        Ok(())
    }

    /// What must be unique in the order in which it is looked at: the newest index first, and
    /// what replaces rows last.
    pub(in crate::modify) fn unique_targets(
        &self,
        conflict: Option<ConflictAction>,
    ) -> SmallVec<[UpsertTarget; 8]> {
        let replaces = |declared: Option<ConflictAction>| {
            conflict.is_none() && declared == Some(ConflictAction::Replace)
        };
        let declared = self.table.primary_key.as_ref().and_then(|key| key.conflict);
        let mut targets = SmallVec::new();
        let mut last = Vec::new();
        let is_late =
            self.table.has_rowid() && self.table.rowid_alias().is_some() && replaces(declared);
        if !is_late && self.table.has_rowid() {
            targets.push(UpsertTarget::Key);
        }
        for (place, index) in self.indexes.iter().enumerate().rev() {
            match index.unique {
                Some(Some(ConflictAction::Replace)) => last.push(UpsertTarget::Index(place)),
                Some(_) => targets.push(UpsertTarget::Index(place)),
                None => {}
            }
        }
        if !self.table.has_rowid() {
            let place = targets.iter().position(|target| !self.is_newer_than_key(*target));
            targets.insert(place.unwrap_or(targets.len()), UpsertTarget::Key);
        }
        targets.extend(last);
        if is_late {
            targets.push(UpsertTarget::Key);
        }
        targets
    }

    /// Whether a row may take the place of others, where the statement says `conflict`.
    pub(in crate::modify) fn may_replace(
        &self,
        conflict: Option<ConflictAction>,
        sets_key: bool,
    ) -> bool {
        let replaces = |declared: Option<ConflictAction>| {
            conflict.or(declared) == Some(ConflictAction::Replace)
        };
        let key = self.table.primary_key.as_ref().and_then(|key| key.conflict);
        let mut indexes = self.indexes.iter().filter(|index| !index.is_untouched);
        (sets_key && replaces(key)) || indexes.any(|index| index.unique.is_some_and(replaces))
    }

    /// Whether an index was made after the key of a table without rowid, which is an index, too.
    fn is_newer_than_key(&self, target: UpsertTarget) -> bool {
        let UpsertTarget::Index(place) = target else { return false };
        let index = &self.indexes[place].index;
        if index.origin == IndexOrigin::Created {
            return true;
        }
        // One that would be a rowid is made an index last.
        let would_be_rowid = |key: &IndexColumn| {
            let declared = key.column().map(|index| &self.table.columns[index].declared_type);
            declared.is_some_and(|name| name.eq_ignore_ascii_case("INTEGER")) && !key.descending
        };
        match (self.table.key_columns(), &self.table.primary_key) {
            ([key], _) if would_be_rowid(key) => false,
            (_, Some(key)) => place >= key.place,
            (_, None) => false,
        }
    }

    /// Whether the row that has the key of a new one stays until that takes its place.
    fn exchanges(
        &self,
        checks: &mut UniqueChecks<'_>,
        key: &RowKey,
        conflict: Option<ConflictAction>,
        outer: Outer<'_>,
    ) -> Result<bool> {
        let Some(place) = &mut checks.exchanged else { return Ok(false) };
        let declared = self.table.primary_key.as_ref().and_then(|key| key.conflict);
        if conflict.or(declared) != Some(ConflictAction::Replace) {
            return Ok(false);
        }
        **place = super::checking(self, outer, || self.fetch(key, outer))?;
        Ok(place.is_some())
    }

    /// Whether nothing notices that REPLACE deletes a row before it inserts one with its key.
    pub(super) fn may_exchange(&self, outer: Outer<'_>) -> bool {
        self.foreign_keys.is_empty()
            && self.generated.is_empty()
            && !self.triggers.has_before()
            && !self.replaced.any()
            && !outer.context.session.watches_rows()
    }

    fn check_key(
        &self,
        key: &RowKey,
        wants: &dyn Fn(UpsertTarget) -> bool,
        conflict: Option<ConflictAction>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Verdict> {
        let exists = super::checking(self, outer, || {
            let transaction = outer.context.transaction(self.source)?.borrow();
            transaction.contains(self.table.tree, &key.bytes())
        })?;
        if !exists {
            return Ok(Verdict::Pass);
        }
        if wants(UpsertTarget::Key) {
            return Ok(Verdict::Conflict(UpsertTarget::Key, key.clone()));
        }
        let declared = self.table.primary_key.as_ref().and_then(|key| key.conflict);
        let error = || self.duplicate_key();
        self.resolve(conflict.or(declared), key, error, frame, outer)
    }

    fn check_index(
        &self,
        place: usize,
        (key, own): (&RowKey, Option<&RowKey>),
        wants: &dyn Fn(UpsertTarget) -> bool,
        conflict: Option<ConflictAction>,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Verdict> {
        let Some(index) = self.indexes.get(place) else { return Ok(Verdict::Pass) };
        let Some(declared) = index.unique else { return Ok(Verdict::Pass) };
        if index.is_untouched && own == Some(key) {
            return Ok(Verdict::Pass);
        }
        let Some(other) = index.conflict(self, own, frame, outer)? else {
            return Ok(Verdict::Pass);
        };
        if wants(UpsertTarget::Index(place)) {
            return Ok(Verdict::Conflict(UpsertTarget::Index(place), other));
        }
        let error = || self.duplicate_entry(&index.index);
        self.resolve(conflict.or(declared), &other, error, frame, outer)
    }

    /// Does what the action says about the row in the way.
    fn resolve(
        &self,
        action: Option<ConflictAction>,
        other: &RowKey,
        error: impl FnOnce() -> Error,
        frame: &mut Frame,
        outer: Outer<'_>,
    ) -> Result<Verdict> {
        match action.unwrap_or(ConflictAction::Abort) {
            ConflictAction::Ignore => Ok(Verdict::Skip),
            ConflictAction::Replace => {
                self.displace(other, frame, outer)?;
                Ok(Verdict::Room)
            }
            action => Err(fail(error(), action, outer)),
        }
    }

    /// Deletes the row in the way of the row in the row slot.
    fn displace(&self, other: &RowKey, frame: &mut Frame, outer: Outer<'_>) -> Result<()> {
        let Some(values) = self.fetch(other, outer)? else { return Ok(()) };
        let rowid = frame.slot(self.row).rowid();
        let new = std::mem::take(frame.slot_mut(self.row).values_mut());
        self.load(other, values, frame, outer)?;
        let deleted = self.displaced(other, frame, outer);
        frame.slot_mut(self.row).set_values(rowid, new);
        deleted
    }

    pub(super) fn duplicate_key(&self) -> Error {
        let table = &self.table.name;
        if let Some(alias) = self.table.rowid_alias() {
            let subject = format!("{table}.{}", self.table.columns[alias].name);
            return Error::constraint(Constraint::PrimaryKey, subject);
        }
        if self.table.has_rowid() {
            return Error::constraint(Constraint::RowId, format!("{table}.rowid"));
        }
        let names: Vec<String> = self
            .table
            .key_columns()
            .iter()
            .filter_map(crate::catalog::IndexColumn::column)
            .map(|index| format!("{table}.{}", self.table.columns[index].name))
            .collect();
        Error::constraint(Constraint::PrimaryKey, names.join(", "))
    }

    pub(super) fn duplicate_entry(&self, index: &Index) -> Error {
        let kind = if index.origin == crate::catalog::IndexOrigin::PrimaryKey {
            Constraint::PrimaryKey
        } else {
            Constraint::Unique
        };
        if index.has_expressions() {
            return Error::constraint(kind, format!("index '{}'", index.name));
        }
        let names: Vec<String> = index
            .columns
            .iter()
            .filter_map(crate::catalog::IndexColumn::column)
            .map(|column| format!("{}.{}", self.table.name, self.table.columns[column].name))
            .collect();
        Error::constraint(kind, names.join(", "))
    }
}

/// Remembers how far an error reaches; the session undoes as much.
pub(super) fn fail(error: Error, action: ConflictAction, outer: Outer<'_>) -> Error {
    outer.context.run.failed.set(Some(action));
    error
}

/// A value that is to be a rowid.
pub(super) fn rowid_of(value: &Value) -> Result<Option<i64>> {
    let converted = apply_affinity(Datum::from(value), crate::types::Affinity::Integer);
    match converted.as_ref() {
        pandodb_ds::record::ValueRef::Null => Ok(None),
        pandodb_ds::record::ValueRef::Integer(rowid) => Ok(Some(rowid)),
        _ => Err(Error::new(ErrorKind::Mismatch, "datatype mismatch")),
    }
}
