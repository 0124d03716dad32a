//! The rows that differ between two versions of a table, cell by cell, as they are asked for.
//!
//! Columns are matched by id: a renamed column is the same one, a column that only one version
//! has is listed with NULL on the other side. A row that was only stored anew (after a column was
//! added or retyped) is no difference. Neighbours: `source` finds candidates.

use pandodb_ds::pager::Pager;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::source::{Changes, TableVersion};
use crate::error::Result;
use crate::shape::affinity::is_same;
use crate::shape::row::{Row, Stored};
use crate::shape::{ColumnId, TableShape};

/// A column of a row difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffColumn {
    /// Which.
    pub id: ColumnId,
    /// Its name in the newer version, or in the older one where it was dropped since.
    pub name: String,
    old: Option<usize>,
    new: Option<usize>,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowChangeKind {
    /// Only the newer version has it.
    Added,
    /// Only the older version has it.
    Removed,
    /// Some cells differ.
    Changed,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct RowDifference {
    /// What happened.
    pub kind: RowChangeKind,
    /// What it is called by: its rowid or the values of its primary key.
    pub key: Vec<Value>,
    /// The older cells in the order of [`RowDiff::columns`].
    pub old: Option<Row>,
    /// The newer cells.
    pub new: Option<Row>,
    /// For each column whether its cell differs.
    pub changed: Vec<bool>,
}

/// How many rows differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Rows that only the newer version has.
    pub added: u64,
    /// Rows that only the older version has.
    pub removed: u64,
    /// Rows of which some cells differ.
    pub changed: u64,
    /// Cells that differ in those.
    pub cells: u64,
}

/// The differences of two versions of a table in the order of their keys.
pub struct RowDiff {
    old: TableShape,
    new: TableShape,
    columns: Vec<DiffColumn>,
    changes: Changes,
}

impl RowDiff {
    /// The differences that lead from `old` to `new`.
    pub fn new(pager: &Arc<Pager>, old: TableVersion<'_>, new: TableVersion<'_>) -> Result<Self> {
        let changes = Changes::new(pager, new.shape, old, new)?;
        let columns = columns(old.shape, new.shape);
        Ok(Self { old: old.shape.clone(), new: new.shape.clone(), columns, changes })
    }

    /// The columns that differences list: the newer ones, then those dropped since.
    pub fn columns(&self) -> &[DiffColumn] {
        &self.columns
    }

    /// The next row that differs.
    pub fn next_difference(&mut self) -> Result<Option<RowDifference>> {
        while let Some(change) = self.changes.next_change()? {
            let old = read(&self.old, change.old.as_ref())?;
            let new = read(&self.new, change.new.as_ref())?;
            let kind = match (&old, &new) {
                (None, Some(_)) => RowChangeKind::Added,
                (Some(_), None) => RowChangeKind::Removed,
                _ => RowChangeKind::Changed,
            };
            let shape = if new.is_some() { &self.new } else { &self.old };
            let stored = change.new.as_ref().or(change.old.as_ref());
            let storage_key = stored.map_or(&change.key, |stored| &stored.key);
            let key = shape.key_values(storage_key, new.as_deref().or(old.as_deref()))?;
            let changed = self.changed(old.as_deref(), new.as_deref());
            if kind == RowChangeKind::Changed && !changed.contains(&true) {
                continue;
            }
            let old = old.map(|row| self.list(&row, |column| column.old));
            let new = new.map(|row| self.list(&row, |column| column.new));
            return Ok(Some(RowDifference { kind, key, old, new, changed }));
        }
        Ok(None)
    }

    /// Counts what is left.
    pub fn count(mut self) -> Result<RowCounts> {
        let mut counts = RowCounts::default();
        while let Some(difference) = self.next_difference()? {
            match difference.kind {
                RowChangeKind::Added => counts.added += 1,
                RowChangeKind::Removed => counts.removed += 1,
                RowChangeKind::Changed => {
                    counts.changed += 1;
                    let cells = difference.changed.iter().filter(|changed| **changed).count();
                    counts.cells += cells as u64;
                }
            }
        }
        Ok(counts)
    }

    fn list(&self, row: &[Value], index: impl Fn(&DiffColumn) -> Option<usize>) -> Row {
        let cells = self.columns.iter();
        cells.map(|column| index(column).map_or(Value::Null, |at| row[at].clone())).collect()
    }

    fn changed(&self, old: Option<&[Value]>, new: Option<&[Value]>) -> Vec<bool> {
        let (Some(old), Some(new)) = (old, new) else { return vec![true; self.columns.len()] };
        let differs = |column: &DiffColumn| match (column.old, column.new) {
            (Some(before), Some(after)) => {
                let to = &self.new.columns[after];
                let (before, after) = (old[before].clone(), new[after].clone());
                to.generated.is_none()
                    && !is_same(&to.affinity.convert(before), &to.affinity.convert(after))
            }
            // A column that was added has changed a row only where it holds something else
            // than every row would.
            (None, Some(after)) => {
                let to = &self.new.columns[after];
                to.generated.is_none() && !is_same(&new[after], &to.missing)
            }
            _ => false,
        };
        self.columns.iter().map(differs).collect()
    }
}

fn columns(old: &TableShape, new: &TableShape) -> Vec<DiffColumn> {
    let mut columns: Vec<DiffColumn> = Vec::new();
    for (index, column) in new.columns.iter().enumerate() {
        let (id, name) = (column.id, column.name.clone());
        columns.push(DiffColumn { id, name, old: old.index_of(id), new: Some(index) });
    }
    for (index, column) in old.columns.iter().enumerate() {
        if new.index_of(column.id).is_none() {
            let (id, name) = (column.id, column.name.clone());
            columns.push(DiffColumn { id, name, old: Some(index), new: None });
        }
    }
    columns
}

fn read(shape: &TableShape, stored: Option<&Stored>) -> Result<Option<Row>> {
    stored.map(|stored| shape.decode(&stored.key, &stored.bytes)).transpose()
}
