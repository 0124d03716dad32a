//! Broken constraints: what was said about them is done to the merged rows, the rest is reported.
//!
//! Two sides that are each right can be wrong together. What belongs together is decided together:
//! all rows that have one unique value, a child and its parent. A side that is chosen gives all of
//! them as it has them, so that the constraint holds as it does there. Each change may break
//! something else, so the target verifies again until nothing that is broken has an answer. A
//! conflict is answered again only while that changes rows, and a bounded number of times, because
//! two answers may undo each other. Neighbours: `versions` finds the rows of the sides, `rows`
//! merged them before, `policy` knows what was said.

mod versions;

use std::collections::{BTreeMap, BTreeSet};

use pandodb_ds::record::Value;

use self::versions::RowVersions;
use super::cells::is_same_row;
use super::conflict::{BrokenConstraint, Conflict, ConflictKey, ConflictKind, Reference, Scope};
use super::policy::Pick;
use super::renumber::Numbers;
use super::schema::{MergedTable, SchemaMerge};
use super::{RowChange, Run, Versions};
use crate::diff::schema::ObjectKind;
use crate::error::Result;
use crate::shape::affinity::is_same;
use crate::shape::row::Row;
use crate::shape::{ColumnId, ObjectId, TableShape};

/// How often one conflict is answered in one merge.
const ANSWERS_MAX: u32 = 8;

/// One of the three versions of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Base,
    Ours,
    Theirs,
}

/// A row by its table and its key.
type Place = (ObjectId, Vec<u8>);

/// Lets the target verify what it was given, does what was said about what is broken, and reports
/// what is left.
pub(super) fn verify(
    run: &mut Run<'_>,
    versions: &Versions<'_>,
    merged: &SchemaMerge,
    numbers: &Numbers<'_>,
) -> Result<()> {
    let mut settler = Settler {
        versions: RowVersions::new(run, versions, numbers),
        run,
        merged,
        answered: BTreeMap::new(),
    };
    loop {
        let mut found = Vec::new();
        settler.run.target.verify(&mut |broken| {
            found.push(broken);
            Ok(())
        })?;
        if !settler.answer(&found)? {
            return settler.finish(found);
        }
    }
}

struct Settler<'s, 'r, 'v> {
    run: &'s mut Run<'r>,
    versions: RowVersions<'v>,
    merged: &'v SchemaMerge,
    /// What was answered, and how often.
    answered: BTreeMap<ConflictKey, u32>,
}

/// When an answer is given within a round: what is said about one conflict is done before rules
/// are, and what is to become of one row comes after the sides, which may bring more back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    OwnSide,
    OwnRow,
    Rule,
}

/// What one round of answers changed.
#[derive(Default)]
struct Changed {
    rows: BTreeSet<Place>,
    /// Parents that came back, by their table and the values that children look for.
    parents: BTreeSet<Place>,
}

impl<'v> Settler<'_, '_, 'v> {
    /// Does what was said about what is broken; returns whether any row changed.
    fn answer(&mut self, found: &[BrokenConstraint]) -> Result<bool> {
        let mut changed = Changed::default();
        for (turn, broken, pick) in self.in_turn(found) {
            let key = broken.key();
            let Some(table) = self.merged.table(broken.object) else { continue };
            // Another answer may have settled it: that is seen when all is verified again. What
            // was said about this very one is done all the same.
            let mut rows = broken.rows.iter();
            let is_touched = rows.any(|row| changed.rows.contains(&(broken.object, row.clone())));
            let is_settled = match turn {
                Turn::OwnSide => is_touched,
                Turn::OwnRow => false,
                Turn::Rule => is_touched || self.has_parent_again(table, broken, &changed)?,
            };
            if is_settled {
                continue;
            }
            let answers = self.answered.get(&key).copied().unwrap_or_default();
            if answers < ANSWERS_MAX && self.settle(table, broken, &pick, &mut changed)? {
                self.answered.insert(key, answers + 1);
            }
        }
        Ok(!changed.rows.is_empty())
    }

    /// What is broken and has an answer, in the order in which the answers are given.
    fn in_turn<'f>(
        &self,
        found: &'f [BrokenConstraint],
    ) -> Vec<(Turn, &'f BrokenConstraint, Pick)> {
        let options = &self.run.options;
        let turns = found.iter().filter_map(|broken| {
            let key = broken.key();
            let pick = options.pick(&key)?;
            let turn = match &pick {
                _ if !options.resolutions.picks.contains_key(&key) => Turn::Rule,
                Pick::Delete | Pick::Row(_) => Turn::OwnRow,
                _ => Turn::OwnSide,
            };
            Some((turn, broken, pick))
        });
        let mut turns: Vec<_> = turns.collect();
        turns.sort_by_key(|(turn, ..)| *turn);
        turns
    }

    /// Reports what is left, and counts what is not.
    fn finish(mut self, found: Vec<BrokenConstraint>) -> Result<()> {
        let left: BTreeSet<ConflictKey> = found.iter().map(BrokenConstraint::key).collect();
        for key in std::mem::take(&mut self.answered).into_keys() {
            if let Some(table) = self.merged.table(key.object).filter(|_| !left.contains(&key)) {
                self.run.report.table(&table.shape).resolved += 1;
            }
        }
        for broken in found {
            if self.run.options.makes_base {
                self.leave_unsettled(&broken)?;
            }
            let conflict = self.conflict(broken)?;
            self.run.conflict(conflict)?;
        }
        Ok(())
    }

    /// Notes all rows of a broken constraint of a base: they are decided together.
    fn leave_unsettled(&mut self, broken: &BrokenConstraint) -> Result<()> {
        let unsettled = |object, row: &[u8]| ConflictKey {
            object,
            scope: Scope::Broken(row.to_vec(), broken.constraint.clone()),
        };
        for row in &broken.rows {
            self.run.report.unsettled.insert(unsettled(broken.object, row));
        }
        let Some(table) = self.merged.table(broken.object) else { return Ok(()) };
        let (Some(reference), Some(first)) = (&broken.reference, broken.rows.first()) else {
            return Ok(());
        };
        let wanted = self.wanted(&table.shape, first, reference)?;
        let Some((parent, wanted)) = wanted else { return Ok(()) };
        for origin in [Origin::Base, Origin::Ours, Origin::Theirs] {
            if let Some(row) = self.versions.find(parent, origin, reference, &wanted)? {
                self.run.report.unsettled.insert(unsettled(parent.shape.id, &row));
            }
        }
        Ok(())
    }

    fn conflict(&mut self, broken: BrokenConstraint) -> Result<Conflict> {
        let key = broken.key();
        let mut conflict = Conflict {
            key,
            kind: ConflictKind::Constraint(broken.violation),
            object_kind: ObjectKind::Table,
            object_name: String::new(),
            column_name: None,
            columns: Vec::new(),
            row_key: Vec::new(),
            base: None,
            ours: None,
            theirs: None,
            detail: broken.detail,
        };
        let Some(table) = self.merged.table(broken.object) else { return Ok(conflict) };
        let Some(row) = broken.rows.first() else { return Ok(conflict) };
        let shape = &table.shape;
        conflict.object_name.clone_from(&shape.name);
        conflict.columns = shape.columns.iter().map(|column| column.name.clone()).collect();
        let now = self.run.target.row(shape, row)?;
        conflict.row_key = shape.key_values(row, now.as_deref())?;
        conflict.base = self.versions.row(table, Origin::Base, row)?;
        conflict.ours = self.versions.row(table, Origin::Ours, row)?;
        conflict.theirs = self.versions.row(table, Origin::Theirs, row)?;
        Ok(conflict)
    }

    /// Does what was said about one broken constraint; returns whether that changed any row.
    fn settle(
        &mut self,
        table: &'v MergedTable,
        broken: &BrokenConstraint,
        pick: &Pick,
        changed: &mut Changed,
    ) -> Result<bool> {
        let Some(first) = broken.rows.first() else { return Ok(false) };
        if *pick == Pick::Delete {
            return self.set(table, first, None, changed);
        }
        if let Pick::Row(cells) = pick {
            let found = self.with_cells(&table.shape, &broken.rows, cells)?;
            let Some((key, row)) = found else { return Ok(false) };
            return self.set(table, &key, Some(row), changed);
        }
        let sides = [
            (Pick::Base, Origin::Base),
            (Pick::Ours, Origin::Ours),
            (Pick::Theirs, Origin::Theirs),
        ];
        let origin = sides.into_iter().find(|(side, _)| side == pick);
        let Some((_, origin)) = origin else { return Ok(false) };
        let mut is_changed = false;
        for key in &broken.rows {
            let row = self.versions.row(table, origin, key)?;
            is_changed |= self.set(table, key, row, changed)?;
        }
        match &broken.reference {
            // The child is as that side has it: what it lacks is the parent.
            Some(reference) if !is_changed => {
                self.restore_parent(table, first, reference, origin, changed)
            }
            _ => Ok(is_changed),
        }
    }

    /// The row that `cells` are for, with them in it. Cells of the key say which of several rows
    /// is meant; without them it is the first.
    fn with_cells(
        &mut self,
        shape: &TableShape,
        keys: &[Vec<u8>],
        cells: &[(ColumnId, Value)],
    ) -> Result<Option<(Vec<u8>, Row)>> {
        let cells = cells.iter().filter_map(|(column, value)| {
            let index = shape.index_of(*column)?;
            let value = shape.columns[index].affinity.convert(value.clone());
            Some((index, value, shape.is_in_key(*column)))
        });
        let cells: Vec<(usize, Value, bool)> = cells.collect();
        for key in keys {
            let Some(mut row) = self.run.target.row(shape, key)? else { continue };
            if cells.iter().all(|(index, value, is_key)| !is_key || is_same(&row[*index], value)) {
                for (index, value, _) in cells.into_iter().filter(|(.., is_key)| !is_key) {
                    row[index] = value;
                }
                return Ok(Some((key.clone(), row)));
            }
        }
        Ok(None)
    }

    /// The parent of a broken foreign key, and what the child looks for there.
    fn wanted(
        &mut self,
        child: &TableShape,
        key: &[u8],
        reference: &Reference,
    ) -> Result<Option<(&'v MergedTable, Vec<Value>)>> {
        let Some(parent) = self.merged.table(reference.parent) else { return Ok(None) };
        let Some(row) = self.run.target.row(child, key)? else { return Ok(None) };
        let cells = reference.columns.iter().map(|id| row.get(child.index_of(*id)?));
        let values = versions::reference_values(&parent.shape, reference, cells);
        Ok(values.map(|values| (parent, values)))
    }

    /// Whether an answer of this round brought the parent of a child back.
    fn has_parent_again(
        &mut self,
        table: &MergedTable,
        broken: &BrokenConstraint,
        changed: &Changed,
    ) -> Result<bool> {
        let (Some(reference), Some(row)) = (&broken.reference, broken.rows.first()) else {
            return Ok(false);
        };
        if changed.parents.is_empty() {
            return Ok(false);
        }
        let Some((parent, wanted)) = self.wanted(&table.shape, row, reference)? else {
            return Ok(false);
        };
        let wanted = versions::encoded(&parent.shape, reference, &wanted)?;
        Ok(changed.parents.contains(&(reference.parent, wanted)))
    }

    /// Brings the parent of a child back as a side has it.
    fn restore_parent(
        &mut self,
        child: &'v MergedTable,
        key: &[u8],
        reference: &Reference,
        origin: Origin,
        changed: &mut Changed,
    ) -> Result<bool> {
        let wanted = self.wanted(&child.shape, key, reference)?;
        let Some((parent, wanted)) = wanted else { return Ok(false) };
        let Some(place) = self.versions.find(parent, origin, reference, &wanted)? else {
            return Ok(false);
        };
        let row = self.versions.row(parent, origin, &place)?;
        let is_changed = row.is_some() && self.set(parent, &place, row, changed)?;
        if is_changed {
            let wanted = versions::encoded(&parent.shape, reference, &wanted)?;
            changed.parents.insert((reference.parent, wanted));
        }
        Ok(is_changed)
    }

    /// Makes a merged row what is wanted of it; returns whether it was not.
    fn set(
        &mut self,
        table: &'v MergedTable,
        key: &[u8],
        row: Option<Row>,
        changed: &mut Changed,
    ) -> Result<bool> {
        let shape = &table.shape;
        let before = self.run.target.row(shape, key)?;
        if is_same_written(shape, before.as_ref(), row.as_ref()) {
            return Ok(false);
        }
        let ours = self.versions.row(table, Origin::Ours, key)?;
        let counts = self.run.report.table(shape);
        for (row, is_new) in [(before.as_ref(), false), (row.as_ref(), true)] {
            let count = match (&ours, row) {
                (None, None) => continue,
                (None, Some(_)) => &mut counts.inserted,
                (Some(_), None) => &mut counts.deleted,
                (ours, row) if is_same_written(shape, ours.as_ref(), row) => continue,
                _ => &mut counts.updated,
            };
            *count = if is_new { *count + 1 } else { count.saturating_sub(1) };
        }
        let is_there = before.is_some();
        let change = match row {
            Some(row) if is_there => RowChange::Update { key: key.to_vec(), row, old: None },
            Some(row) => RowChange::Insert { key: key.to_vec(), row },
            None => RowChange::Delete { key: key.to_vec(), old: None },
        };
        self.run.target.apply(shape, change)?;
        changed.rows.insert((shape.id, key.to_vec()));
        Ok(true)
    }
}

/// Whether two rows are the same in what is written to them: generated columns follow.
fn is_same_written(shape: &TableShape, left: Option<&Row>, right: Option<&Row>) -> bool {
    let (left, right) = match (left, right) {
        (None, None) => return true,
        (Some(left), Some(right)) => (left, right),
        _ => return false,
    };
    let written = |row: &Row| -> Row {
        let cells = row.iter().zip(&shape.columns);
        let cells = cells
            .filter(|(_, column)| column.generated.is_none() && Some(column.id) != shape.alias());
        cells.map(|(cell, _)| cell.clone()).collect()
    };
    is_same_row(&written(left), &written(right))
}
