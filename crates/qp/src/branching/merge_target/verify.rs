//! Constraints of merged rows, foreign keys apart: NOT NULL, UNIQUE, CHECK, types.
//!
//! The rows that the merge touched are looked at; all rows of a table that got a constraint or a
//! unique index from the source, because those of the target were never seen beside it. Equal rows
//! are one conflict, not one each. Neighbours: `references` does the same for foreign keys.

use std::collections::BTreeSet;

use pandodb_branch::merge::{Conflict, MergedTable};
use pandodb_branch::shape::ObjectId;
use pandodb_ds::record::key::rowid_from_key;

use super::sides::Side;
use super::{SqlTarget, broken};
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::modify::{RowKey, TableWriter};

impl SqlTarget<'_> {
    /// What the rows break, table by table.
    pub(super) fn verify_rows(&mut self, report: &mut dyn FnMut(Conflict)) -> Result<()> {
        let touched = std::mem::take(&mut self.touched);
        let ids: BTreeSet<ObjectId> = touched.keys().chain(&self.seen_anew).copied().collect();
        for id in ids {
            self.bind(id)?;
            let Some((bound, _)) = self.writers.get(&id) else { continue };
            if !bound.writer.can_be_violated() {
                continue;
            }
            let violations = if self.seen_anew.contains(&id) {
                let keys = self.all_keys(&bound.writer)?;
                self.violations(id, &keys)?
            } else {
                self.violations(id, touched.get(&id).map_or(&[][..], Vec::as_slice))?
            };
            self.report_violations(id, violations, report)?;
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
            keys.push(if writer.table.has_rowid() {
                RowKey::Rowid(rowid_from_key(cursor.key())?)
            } else {
                RowKey::Bytes(cursor.key().to_vec())
            });
            found = cursor.next()?;
        }
        Ok(keys)
    }

    fn violations(&mut self, id: ObjectId, keys: &[RowKey]) -> Result<Vec<(RowKey, Error)>> {
        let mut found = Vec::new();
        let mut groups: BTreeSet<(String, Vec<u8>)> = BTreeSet::new();
        let Some((bound, frame)) = self.writers.get_mut(&id) else { return Ok(found) };
        let writer = &bound.writer;
        for (at, key) in keys.iter().enumerate() {
            if at % 1024 == 0 {
                self.session.check_stopped()?;
            }
            let violation = self.session.with_outer(&self.sources, &self.schemas, |outer| {
                let Some(values) = writer.fetch(key, outer)? else { return Ok(None) };
                writer.load(key, values, frame, outer)?;
                writer.fill_alias(frame);
                writer.violation(key, frame, outer)
            })?;
            let Some((error, group)) = violation else { continue };
            let is_known = group.is_some_and(|group| {
                let group = (error.message().to_owned(), group);
                !groups.insert(group)
            });
            if !is_known {
                found.push((key.clone(), error));
            }
        }
        Ok(found)
    }

    /// Reports what neither side had broken before.
    fn report_violations(
        &self,
        id: ObjectId,
        violations: Vec<(RowKey, Error)>,
        report: &mut dyn FnMut(Conflict),
    ) -> Result<()> {
        let mut sides: Option<[Side; 2]> = None;
        for (key, error) in violations {
            // Rows that are equal are so since the merge: indexes cannot be left out.
            if error.kind() != ErrorKind::Constraint(Constraint::Unique) {
                let sides = match &sides {
                    Some(sides) => sides,
                    None => sides.insert(self.sides()?),
                };
                let mut was_broken = false;
                for side in sides {
                    was_broken |= self.was_broken(side, id, &key, error.kind())?;
                }
                if was_broken {
                    continue;
                }
            }
            let Some((bound, _)) = self.writers.get(&id) else { continue };
            report(broken(id, &bound.writer.table.name, &key, &error));
        }
        Ok(())
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
