//! The rows that differ between two versions of a table, cell by cell, as they are asked for.
//!
//! Columns are matched by id: a renamed column is the same one, a column that only one version
//! has is listed with NULL on the other side. Its cells differ where they are not what every row
//! has of it that is too old for it (its default where it was added to rows, or else NULL), however
//! rows are stored: where a column was dropped, rows of equal bytes have lost something, and all
//! are looked at. A row that was only stored anew (after a column was added or retyped) is no
//! difference. Neighbours: `source` finds candidates.

use pandodb_ds::pager::Pager;
use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;

use super::keyed::Keyed;
use super::source::{Changes, LentChange, LentRow, TableVersion};
use crate::error::Result;
use crate::shape::affinity::is_same;
use crate::shape::row::{Cells, Row};
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

/// A row that differs, where it is: its cells are read when they are asked for.
#[derive(Debug)]
pub struct LentDifference<'a> {
    /// What happened.
    pub kind: RowChangeKind,
    /// For each column whether its cell differs.
    pub changed: &'a [bool],
    /// What the row is matched by.
    matched_by: &'a [u8],
    columns: &'a [DiffColumn],
    old: Option<Cells<'a>>,
    new: Option<Cells<'a>>,
}

impl LentDifference<'_> {
    /// What the row is called by: its rowid or the values of its primary key.
    pub fn key(&self) -> Result<Vec<Value>> {
        match self.new.as_ref().or(self.old.as_ref()) {
            Some(cells) => cells.key_values(),
            None => Ok(Vec::new()),
        }
    }

    /// The older cell of a column; none where there was no such row.
    pub fn old_cell(&self, column: usize) -> Result<Option<Value>> {
        cell(self.old.as_ref(), self.columns[column].old)
    }

    /// The newer cell.
    pub fn new_cell(&self, column: usize) -> Result<Option<Value>> {
        cell(self.new.as_ref(), self.columns[column].new)
    }

    /// The older row.
    fn old_row(&self) -> Result<Option<Row>> {
        (0..self.columns.len()).map(|column| self.old_cell(column)).collect()
    }

    /// The newer row.
    fn new_row(&self) -> Result<Option<Row>> {
        (0..self.columns.len()).map(|column| self.new_cell(column)).collect()
    }
}

fn owned(difference: &LentDifference<'_>) -> Result<RowDifference> {
    let (old, new) = (difference.old_row()?, difference.new_row()?);
    let (kind, changed) = (difference.kind, difference.changed.to_vec());
    Ok(RowDifference { kind, key: difference.key()?, old, new, changed })
}

fn cell(row: Option<&Cells<'_>>, index: Option<usize>) -> Result<Option<Value>> {
    match (row, index) {
        (Some(cells), Some(index)) => cells.cell(index).map(|cell| Some(cell.to_owned())),
        (Some(_), None) => Ok(Some(Value::Null)),
        (None, _) => Ok(None),
    }
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
    comparison: Comparison,
    matched: Matched,
    /// Which cells of the row that is looked at differ.
    changed: Vec<bool>,
}

/// What differs, by what says which row one is.
enum Matched {
    /// By what rows are stored under.
    Stored(Changes),
    /// By the declared key.
    Declared(Box<Keyed>),
}

impl Matched {
    fn new(pager: &Arc<Pager>, old: TableVersion<'_>, new: TableVersion<'_>) -> Result<Self> {
        Ok(match Keyed::new(pager, old, new)? {
            Some(keyed) => Self::Declared(Box::new(keyed)),
            None => Self::Stored(candidates(pager, old, new)?),
        })
    }

    fn next_with<R>(
        &mut self,
        look: impl FnOnce(&LentChange<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        match self {
            Self::Stored(changes) => changes.next_with(look),
            Self::Declared(keyed) => keyed.next_with(look),
        }
    }

    fn divide(&self, behind: &[u8], parts: u64) -> Result<Vec<Self>> {
        Ok(match self {
            Self::Stored(changes) => {
                changes.divide(behind, parts)?.into_iter().map(Self::Stored).collect()
            }
            Self::Declared(keyed) => {
                let parts = keyed.divide(behind, parts)?.into_iter();
                parts.map(|part| Self::Declared(Box::new(part))).collect()
            }
        })
    }
}

/// Whether rows of equal bytes are equal rows of two shapes, whichever is the older one.
pub(super) fn read_alike(old: &TableShape, new: &TableShape) -> bool {
    new.reads_alike(old) && old.reads_alike(new)
}

/// The rows that may differ.
pub(super) fn candidates(
    pager: &Arc<Pager>,
    old: TableVersion<'_>,
    new: TableVersion<'_>,
) -> Result<Changes> {
    if read_alike(old.shape, new.shape) {
        Changes::new(pager, new.shape, old, new)
    } else {
        Changes::of_all_rows(pager, new.shape, old, new)
    }
}

/// How rows are compared.
#[derive(Clone)]
struct Comparison {
    old: TableShape,
    new: TableShape,
    columns: Vec<DiffColumn>,
}

impl RowDiff {
    /// The differences that lead from `old` to `new`.
    pub fn new(pager: &Arc<Pager>, old: TableVersion<'_>, new: TableVersion<'_>) -> Result<Self> {
        let matched = Matched::new(pager, old, new)?;
        let columns = columns(old.shape, new.shape);
        let comparison = Comparison { old: old.shape.clone(), new: new.shape.clone(), columns };
        Ok(Self { comparison, matched, changed: Vec::new() })
    }

    /// The columns that differences list: the newer ones, then those dropped since.
    pub fn columns(&self) -> &[DiffColumn] {
        &self.comparison.columns
    }

    /// The next row that differs.
    pub fn next_difference(&mut self) -> Result<Option<RowDifference>> {
        self.next_with(owned)
    }

    /// Calls `look` with the next row that differs, where it is.
    pub fn next_with<R>(
        &mut self,
        look: impl FnOnce(&LentDifference<'_>) -> Result<R>,
    ) -> Result<Option<R>> {
        let mut look = Some(look);
        loop {
            let (comparison, changed) = (&self.comparison, &mut self.changed);
            let looked = self.matched.next_with(|change| {
                let Some(difference) = comparison.compare(change, changed)? else {
                    return Ok(None);
                };
                look.take().map(|look| look(&difference)).transpose()
            })?;
            match looked {
                None => return Ok(None),
                Some(Some(done)) => return Ok(Some(done)),
                Some(None) => {}
            }
        }
    }

    /// Counts what is left.
    pub fn count(mut self) -> Result<RowCounts> {
        let mut counts = RowCounts::default();
        let mut count = |difference: &LentDifference<'_>| {
            counts.add(difference);
            Ok(())
        };
        while self.next_with(&mut count)?.is_some() {}
        Ok(counts)
    }

    /// The differences behind a key in about `parts` parts, in their order; none where they cannot
    /// be divided.
    pub(super) fn divide(&self, behind: &[u8], parts: u64) -> Result<Vec<Self>> {
        let parts = self.matched.divide(behind, parts)?.into_iter();
        let of = |matched| {
            let comparison = self.comparison.clone();
            Self { comparison, matched, changed: Vec::new() }
        };
        Ok(parts.map(of).collect())
    }
}

impl LentDifference<'_> {
    /// What the row is matched by: where a diff that goes on behind it begins.
    pub(super) fn matched_by(&self) -> &[u8] {
        self.matched_by
    }
}

impl LentDifference<'_> {
    /// What the older version stores the row under, or else the newer one.
    pub(crate) fn stored_under(&self) -> &[u8] {
        self.old.as_ref().or(self.new.as_ref()).map_or(self.matched_by, Cells::stored_under)
    }
}

impl RowCounts {
    /// Counts what was counted of other rows.
    pub fn add_all(&mut self, other: &Self) {
        self.added += other.added;
        self.removed += other.removed;
        self.changed += other.changed;
        self.cells += other.cells;
    }

    /// Counts a row.
    pub fn add(&mut self, difference: &LentDifference<'_>) {
        match difference.kind {
            RowChangeKind::Added => self.added += 1,
            RowChangeKind::Removed => self.removed += 1,
            RowChangeKind::Changed => {
                self.changed += 1;
                let cells = difference.changed.iter().filter(|changed| **changed).count();
                self.cells += cells as u64;
            }
        }
    }
}

impl Comparison {
    /// A change with what differs in it; none where the row was only stored anew.
    fn compare<'a>(
        &'a self,
        change: &'a LentChange<'_>,
        changed: &'a mut Vec<bool>,
    ) -> Result<Option<LentDifference<'a>>> {
        fn read<'a>(
            shape: &'a TableShape,
            row: Option<&'a LentRow<'_>>,
        ) -> Result<Option<Cells<'a>>> {
            row.map(|row| Cells::new(shape, row.key, &row.bytes)).transpose()
        }
        let old = read(&self.old, change.old.as_ref())?;
        let new = read(&self.new, change.new.as_ref())?;
        changed.clear();
        let kind = match (&old, &new) {
            (Some(old), Some(new)) => {
                for column in &self.columns {
                    changed.push(self.differs(column, old, new)?);
                }
                if !changed.contains(&true) {
                    return Ok(None);
                }
                RowChangeKind::Changed
            }
            (old, _) => {
                changed.resize(self.columns.len(), true);
                if old.is_none() { RowChangeKind::Added } else { RowChangeKind::Removed }
            }
        };
        let (matched_by, columns, changed) = (change.key, &*self.columns, &**changed);
        Ok(Some(LentDifference { kind, changed, matched_by, columns, old, new }))
    }

    fn differs(&self, column: &DiffColumn, old: &Cells<'_>, new: &Cells<'_>) -> Result<bool> {
        let Some(after) = column.new else { return self.is_lost(column, old) };
        let to = &self.new.columns[after];
        if to.generated.is_some() {
            return Ok(false);
        }
        let newer = new.cell(after)?;
        Ok(match column.old {
            Some(before) => {
                let older = old.cell(before)?;
                let convert = |cell: ValueRef<'_>| to.affinity.convert(cell.to_owned());
                // What is equal stays so, whatever the column makes of it.
                older != newer && !is_same(&convert(older), &convert(newer))
            }
            // A column that was added has changed a row only where it holds something else
            // than every row would.
            None => newer != to.missing.as_ref() && !is_same(&newer.to_owned(), &to.missing),
        })
    }

    /// Whether a row had something else in a column that was dropped than every row would.
    fn is_lost(&self, column: &DiffColumn, old: &Cells<'_>) -> Result<bool> {
        let Some(before) = column.old else { return Ok(false) };
        let from = &self.old.columns[before];
        if from.generated.is_some() {
            return Ok(false);
        }
        let older = old.cell(before)?;
        Ok(older != from.missing.as_ref() && !is_same(&older.to_owned(), &from.missing))
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
