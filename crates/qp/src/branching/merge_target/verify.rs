//! Constraints of merged rows, foreign keys apart: NOT NULL, UNIQUE, CHECK, types.
//!
//! The rows that the merge touched are looked at; all rows of a table that got a constraint or a
//! unique index from the source, because those of the target were never seen beside it. Equal rows
//! are one conflict, not one each, and all of them are told: what is said about it is for all.
//! Neighbours: `references` does the same for foreign keys.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use pandodb_branch::merge::{BrokenConstraint, MergedTable};
use pandodb_branch::shape::ObjectId;
use pandodb_ds::record::Value;
use pandodb_ds::record::collation::{Collation, compare_values};

use super::sides::Side;
use super::{SqlTarget, broken, row_key};
use crate::branching::options::quoted;
use crate::catalog::IndexColumn;
use crate::error::{Error, Result};
use crate::modify::{RowKey, TableWriter, Violation};

/// Rows that a detail names beside the one that it is about, at most.
const NAMED_MAX: usize = 3;

/// Rows whose cells are compared to say which of them a conflict is about, at most.
const COMPARED_MAX: usize = 100;

/// What rows break: one of them alone, or all of them together.
struct Found {
    rows: Vec<RowKey>,
    error: Error,
    /// Whether they are not told apart.
    are_equal: bool,
}

impl SqlTarget<'_> {
    /// What the rows break, table by table.
    pub(super) fn verify_rows(&mut self, report: &mut dyn FnMut(BrokenConstraint)) -> Result<()> {
        let mut touched = std::mem::take(&mut self.touched);
        if self.is_again {
            for keys in touched.values_mut() {
                keys.sort_by_key(RowKey::bytes);
                keys.dedup();
            }
        }
        let ids: BTreeSet<ObjectId> = touched.keys().chain(&self.seen_anew).copied().collect();
        for id in ids {
            self.bind(id)?;
            let Some((bound, _)) = self.writers.get(&id) else { continue };
            if !bound.writer.can_be_violated() {
                continue;
            }
            let found = if self.seen_anew.contains(&id) {
                let keys = self.all_keys(&bound.writer)?;
                self.violations(id, &keys)?
            } else {
                self.violations(id, touched.get(&id).map_or(&[][..], Vec::as_slice))?
            };
            self.report_violations(id, found, report)?;
        }
        self.touched = touched;
        Ok(())
    }

    fn all_keys(&self, writer: &TableWriter) -> Result<Vec<RowKey>> {
        let transaction = self.transaction()?.borrow();
        let mut cursor = transaction.cursor(writer.table.tree)?;
        let mut keys = Vec::new();
        let mut found = cursor.first()?;
        while found {
            keys.push(row_key(&writer.table, cursor.key())?);
            found = cursor.next()?;
        }
        Ok(keys)
    }

    fn violations(&mut self, id: ObjectId, keys: &[RowKey]) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        let mut groups: BTreeSet<(usize, Vec<u8>)> = BTreeSet::new();
        let Some((bound, frame)) = self.writers.get_mut(&id) else { return Ok(all) };
        let writer = &bound.writer;
        for (at, key) in keys.iter().enumerate() {
            if at % 1024 == 0 {
                self.session.check_stopped()?;
            }
            let found = self.session.with_outer(&self.sources, &self.schemas, |outer| {
                let Some(values) = writer.fetch(key, outer)? else { return Ok(None) };
                writer.load(key, values, frame, outer)?;
                writer.fill_alias(frame);
                let Some(Violation { error, equal }) = writer.violation(key, frame, outer)? else {
                    return Ok(None);
                };
                let Some((place, group)) = equal else {
                    let rows = vec![key.clone()];
                    return Ok(Some(Found { rows, error, are_equal: false }));
                };
                if !groups.insert((place, group)) {
                    return Ok(None);
                }
                let rows = writer.equal_rows(place, frame, outer)?;
                Ok(Some(Found { rows, error, are_equal: true }))
            })?;
            all.extend(found);
        }
        Ok(all)
    }

    /// Reports what neither side had broken before.
    fn report_violations(
        &self,
        id: ObjectId,
        violations: Vec<Found>,
        report: &mut dyn FnMut(BrokenConstraint),
    ) -> Result<()> {
        let mut sides: Option<[Side; 2]> = None;
        for Found { mut rows, error, are_equal } in violations {
            let Some((bound, _)) = self.writers.get(&id) else { continue };
            // Rows that are equal are so since the merge: indexes cannot be left out.
            if are_equal {
                self.sort_equal(&bound.writer, &mut rows)?;
                let mut told = broken(id, &rows, &error);
                let others = rows.get(1..).unwrap_or_default();
                told.detail.push_str(&self.others_named(&bound.writer, others)?);
                report(told);
                continue;
            }
            let sides = match &sides {
                Some(sides) => sides,
                None => sides.insert(self.sides()?),
            };
            let mut was_broken = false;
            for (side, row) in sides.iter().flat_map(|side| rows.iter().map(move |row| (side, row)))
            {
                was_broken |= self.was_broken(side, id, row, error.kind())?;
            }
            if !was_broken {
                report(broken(id, &rows, &error));
            }
        }
        Ok(())
    }

    /// Puts the row first that a conflict of equal rows is about, which must not depend on which
    /// side is the target: the one with the greatest key, or, where nobody chose the keys, with
    /// the greatest cells.
    fn sort_equal(&self, writer: &TableWriter, rows: &mut Vec<RowKey>) -> Result<()> {
        let table = &writer.table;
        rows.sort_by_key(|row| std::cmp::Reverse(row.bytes()));
        let is_declared = !table.has_rowid() || table.rowid_alias().is_some();
        if is_declared || rows.len() > COMPARED_MAX {
            return Ok(());
        }
        // The order of columns is that of the target, their names are those of the merge.
        let mut columns: Vec<(String, usize)> = table
            .columns
            .iter()
            .filter(|column| !column.is_virtual())
            .map(|column| (column.name.to_lowercase(), column.position))
            .collect();
        columns.sort();
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            let values = self.fetched(writer, &row)?;
            let cells = columns.iter().map(|(_, place)| values.get(*place).cloned());
            keyed.push((cells.map(Option::unwrap_or_default).collect::<Vec<Value>>(), row));
        }
        keyed.sort_by(|(one, _), (other, _)| {
            let pairs = other.iter().zip(one);
            let orders = pairs.map(|(left, right)| {
                compare_values(left.as_ref(), right.as_ref(), Collation::Binary)
                    .unwrap_or(Ordering::Equal)
            });
            orders.fold(Ordering::Equal, Ordering::then)
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Ok(())
    }

    fn fetched(&self, writer: &TableWriter, row: &RowKey) -> Result<Vec<Value>> {
        let fetched = self
            .session
            .with_outer(&self.sources, &self.schemas, |outer| writer.fetch(row, outer))?;
        Ok(fetched.unwrap_or_default())
    }

    /// The end of a detail that names rows by their keys.
    fn others_named(&self, writer: &TableWriter, others: &[RowKey]) -> Result<String> {
        let mut names = Vec::new();
        for row in others.iter().take(NAMED_MAX) {
            names.push(match row {
                RowKey::Rowid(rowid) => rowid.to_string(),
                RowKey::Bytes(_) => {
                    let values = self.fetched(writer, row)?;
                    let columns = writer.table.key_columns().iter();
                    let columns = columns.filter_map(IndexColumn::column);
                    let places = columns.map(|index| writer.table.columns[index].position);
                    let cells =
                        places.map(|place| values.get(place).map_or_else(String::new, quoted));
                    let cells: Vec<String> = cells.collect();
                    if let [cell] = cells.as_slice() {
                        cell.clone()
                    } else {
                        format!("({})", cells.join(", "))
                    }
                }
            });
        }
        let more = others.len().saturating_sub(names.len());
        Ok(match (names.as_slice(), more) {
            ([name], 0) => format!("; the row {name} has the same"),
            (names, 0) => format!("; the rows {} have the same", names.join(", ")),
            (names, more) => {
                format!("; the rows {} and {more} more have the same", names.join(", "))
            }
        })
    }
}

/// Whether the merge gives a table a constraint that the target's rows were never looked at for.
pub(super) fn has_new_constraint(table: &MergedTable) -> bool {
    let Some(ours) = table.ours.as_ref().filter(|_| table.is_changed) else { return false };
    let is_new = table.shape.constraints.iter().any(|known| !ours.constraints.contains(known));
    let is_needed = table.shape.columns.iter().any(|column| {
        column.not_null && ours.column(column.id).is_none_or(|known| !known.not_null)
    });
    is_new || is_needed || table.shape.options != ours.options
}
