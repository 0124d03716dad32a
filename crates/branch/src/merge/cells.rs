//! One row, three versions of it: the cells of the merged one, and those that cannot be merged.
//!
//! Everything here is a pure function of rows and shapes. A cell is first converted to the
//! merged column's type and then compared as a value. Neighbours: `rows` finds the rows and
//! decides what becomes of conflicts, `schema` made the merged shape.

use pandodb_ds::record::Value;

use super::json;
use crate::shape::affinity::is_same;
use crate::shape::row::Row;
use crate::shape::{Affinity, ColumnId, ColumnShape, TableShape};

/// How the three versions of a table map to the merged one.
#[derive(Debug)]
pub(crate) struct Plan {
    columns: Vec<PlanColumn>,
    /// Columns of the base that the merged table has not.
    dropped: Vec<DroppedColumn>,
    merges_json: bool,
    /// Whether rows of the target that are older than a column would read another default, or hold
    /// what a column computed in another way.
    reads_anew: bool,
    /// Whether all versions and the merged table have the same columns in the same order.
    is_plain: bool,
}

#[derive(Debug)]
struct PlanColumn {
    id: ColumnId,
    base: Option<usize>,
    ours: Option<usize>,
    theirs: Option<usize>,
    affinity: Affinity,
    missing: Value,
    is_json: bool,
    is_generated: bool,
    /// For one that both sides added, with other values in the rows that were there.
    added: Option<Added>,
}

/// A column of two definitions.
#[derive(Debug)]
struct Added {
    /// What it is in rows that were there, on the target and on the source.
    ours: Value,
    theirs: Value,
    /// What it is in them after the merge.
    merged: Value,
    /// Whether the merge has the target's definition.
    is_ours: bool,
}

impl Added {
    fn new(
        merged: &ColumnShape,
        ours: Option<&ColumnShape>,
        theirs: Option<&ColumnShape>,
    ) -> Option<Self> {
        let (ours, theirs) = (ours?, theirs?);
        let missing = |column: &ColumnShape| merged.affinity.convert(column.missing.clone());
        let (is_ours, is_theirs) = (merged.is_declared_as(ours), merged.is_declared_as(theirs));
        let added =
            Self { ours: missing(ours), theirs: missing(theirs), merged: missing(merged), is_ours };
        // One that somebody defined may be neither's.
        let is_own = !is_ours && !is_theirs && !is_same(&added.ours, &added.merged);
        (is_own || !is_same(&added.ours, &added.theirs)).then_some(added)
    }

    /// The cell of a row that neither side wrote to.
    fn untouched(&self, ours: &Value, theirs: &Value) -> Option<Value> {
        let is_so = is_same(ours, &self.ours) && is_same(theirs, &self.theirs);
        is_so.then(|| self.merged.clone())
    }
}

/// What two rows have for a column of the merged table.
enum Cells {
    /// Only one of them has the column, or neither.
    One(Value),
    /// The target's and the source's.
    Two(Value, Value),
}

impl PlanColumn {
    fn cell(&self, row: &Row, at: usize) -> Value {
        self.affinity.convert(row[at].clone())
    }

    fn cells(&self, ours: &Row, theirs: &Row) -> Cells {
        match (self.ours, self.theirs) {
            (Some(at), Some(other)) => Cells::Two(self.cell(ours, at), self.cell(theirs, other)),
            (Some(at), None) => Cells::One(self.cell(ours, at)),
            (None, Some(at)) => Cells::One(self.cell(theirs, at)),
            (None, None) => Cells::One(self.missing.clone()),
        }
    }

    fn comes_back(&self) -> bool {
        let is_replaced = self.added.as_ref().is_some_and(|added| !added.is_ours);
        let is_dropped = self.base.is_some() && self.ours.is_none() && self.theirs.is_some();
        is_dropped || is_replaced && !self.is_generated
    }

    /// What the cell was before each side's changes; none for rows that have no such cell.
    fn before(&self, base: Option<Value>) -> (Value, Value) {
        match (base, &self.added) {
            (Some(base), _) => (base.clone(), base),
            (None, Some(added)) => (added.ours.clone(), added.theirs.clone()),
            (None, None) => (self.missing.clone(), self.missing.clone()),
        }
    }
}

#[derive(Debug)]
struct DroppedColumn {
    id: ColumnId,
    base: usize,
    ours: Option<usize>,
    theirs: Option<usize>,
    affinity: Affinity,
}

/// A cell that both sides changed, each in its own way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CellConflict {
    pub(crate) column: ColumnId,
    /// Its place in the merged row; none where the column was dropped.
    pub(crate) index: Option<usize>,
    pub(crate) base: Option<Value>,
    /// None where the target dropped the column.
    pub(crate) ours: Option<Value>,
    /// None where the source dropped it.
    pub(crate) theirs: Option<Value>,
}

/// A merged row with what could not be merged; those cells are as the target has them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MergedRow {
    pub(crate) row: Row,
    pub(crate) conflicts: Vec<CellConflict>,
}

/// Which of the sides changed a row that the other deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Ours,
    Theirs,
}

impl Plan {
    pub(crate) fn new(
        merged: &TableShape,
        base: Option<&TableShape>,
        ours: Option<&TableShape>,
        theirs: Option<&TableShape>,
        merges_json: bool,
    ) -> Self {
        let index = |shape: Option<&TableShape>, id| shape.and_then(|shape| shape.index_of(id));
        let columns = merged.columns.iter().map(|column| PlanColumn {
            id: column.id,
            base: index(base, column.id),
            ours: index(ours, column.id),
            theirs: index(theirs, column.id),
            affinity: column.affinity,
            missing: column.missing.clone(),
            is_json: column.is_json,
            is_generated: column.generated.is_some(),
            added: match index(base, column.id) {
                None => Added::new(
                    column,
                    ours.and_then(|ours| ours.column(column.id)),
                    theirs.and_then(|theirs| theirs.column(column.id)),
                ),
                Some(_) => None,
            },
        });
        let columns: Vec<PlanColumn> = columns.collect();
        let gone = base.into_iter().flat_map(|base| base.columns.iter().enumerate());
        let gone = gone.filter(|(_, column)| {
            merged.index_of(column.id).is_none() && column.generated.is_none()
        });
        let dropped = gone.map(|(at, column)| DroppedColumn {
            id: column.id,
            base: at,
            ours: index(ours, column.id),
            theirs: index(theirs, column.id),
            affinity: column.affinity,
        });
        let dropped: Vec<DroppedColumn> = dropped.collect();
        let is_all = |shape: Option<&TableShape>| {
            shape.is_some_and(|shape| {
                shape.columns.len() == merged.columns.len()
                    && shape.columns.iter().zip(&merged.columns).all(|(own, column)| {
                        own.id == column.id
                            && own.affinity == column.affinity
                            && own.generated == column.generated
                            && own.position == column.position
                            && own.missing == column.missing
                    })
            })
        };
        let is_plain = dropped.is_empty() && is_all(base) && is_all(ours) && is_all(theirs);
        let computes_anew = ours.is_some_and(|ours| {
            merged.columns.iter().any(|column| {
                let own = ours.column(column.id).and_then(|own| own.generated.as_ref());
                column.generated.as_ref().is_some_and(|it| it.is_stored && own != Some(it))
            })
        });
        let reads_anew = ours.is_some_and(|ours| {
            let columns = merged.columns.iter().filter(|column| column.generated.is_none());
            columns.filter_map(|column| ours.column(column.id).zip(Some(column))).any(
                |(own, column)| {
                    !is_same(&column.affinity.convert(own.missing.clone()), &column.missing)
                },
            )
        });
        Self { columns, dropped, merges_json, reads_anew: reads_anew || computes_anew, is_plain }
    }

    /// Whether rows of all versions have their cells at the same places as merged ones.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// Makes the source's row the merged one of a row that the target has as `base`, in a plan
    /// that [is plain](Self::is_plain); returns whether it differs from `base`.
    pub(crate) fn take_theirs(&self, base: &Row, theirs: &mut Row) -> bool {
        let mut differs = false;
        for ((column, before), cell) in self.columns.iter().zip(base).zip(theirs) {
            if before == cell {
                continue;
            }
            if column.is_generated || is_same(before, cell) {
                cell.clone_from(before);
            } else {
                differs = true;
            }
        }
        differs
    }

    /// Whether the source dropped a column that the target still writes to.
    pub(crate) fn theirs_dropped_columns(&self) -> bool {
        self.dropped.iter().any(|column| column.ours.is_some() && column.theirs.is_none())
    }

    /// Whether rows that nobody changed get cells of the source: of a column of the base that the
    /// target dropped and the source kept, or of one that both added and the source's is taken.
    pub(crate) fn brings_back(&self) -> bool {
        self.columns.iter().any(PlanColumn::comes_back)
    }

    /// Whether rows whose cells stay as they are have to be stored anew: a generated column that
    /// comes back is computed when a row is written, and not before, and a row that is older than
    /// a column whose default is another one now has to keep what it reads.
    pub(crate) fn stores_anew(&self) -> bool {
        self.reads_anew
            || self.columns.iter().any(|column| column.comes_back() && column.is_generated)
    }

    /// Puts the source's cells of such columns into a row of the merged shape.
    pub(crate) fn bring_back(&self, theirs: &Row, row: &mut Row) {
        for (column, cell) in self.columns.iter().zip(row) {
            let (true, Some(at)) = (column.comes_back(), column.theirs) else { continue };
            let theirs = column.affinity.convert(theirs[at].clone());
            match &column.added {
                Some(added) => {
                    if let Some(value) = added.untouched(cell, &theirs) {
                        *cell = value;
                    }
                }
                None => *cell = theirs,
            }
        }
    }

    /// A row of the target in the merged shape.
    pub(crate) fn ours_row(&self, row: &Row) -> Row {
        self.project(row, |column| column.ours)
    }

    /// A row of the target as its indexes know it: by the merged columns, with the cells that it
    /// has there, and not converted.
    pub(crate) fn ours_as_it_is(&self, row: &Row) -> Row {
        let cells = self.columns.iter().map(|column| match column.ours {
            Some(at) => row[at].clone(),
            None => column.missing.clone(),
        });
        cells.collect()
    }

    /// A row of the source in the merged shape.
    pub(crate) fn theirs_row(&self, row: &Row) -> Row {
        self.project(row, |column| column.theirs)
    }

    /// A row of the base in the merged shape.
    pub(crate) fn base_row(&self, row: &Row) -> Row {
        self.project(row, |column| column.base)
    }

    fn project(&self, row: &Row, index: impl Fn(&PlanColumn) -> Option<usize>) -> Row {
        let cells = self.columns.iter().map(|column| match index(column) {
            Some(at) => column.affinity.convert(row[at].clone()),
            None => column.missing.clone(),
        });
        cells.collect()
    }

    /// Merges a row that all three have.
    pub(crate) fn merge(&self, base: &Row, ours: &Row, theirs: &Row) -> MergedRow {
        self.merge_with(base, ours, theirs, &|_| false)
    }

    /// As [`merge`](Self::merge), where the base means nothing in `unsettled` columns.
    pub(crate) fn merge_with(
        &self,
        base: &Row,
        ours: &Row,
        theirs: &Row,
        unsettled: &dyn Fn(ColumnId) -> bool,
    ) -> MergedRow {
        let (mut row, mut conflicts) = (Row::with_capacity(self.columns.len()), Vec::new());
        for (index, column) in self.columns.iter().enumerate() {
            let (ours, theirs) = match column.cells(ours, theirs) {
                Cells::One(cell) => {
                    row.push(cell);
                    continue;
                }
                Cells::Two(ours, theirs) => (ours, theirs),
            };
            let (base, theirs_base) = column.before(column.base.map(|at| column.cell(base, at)));
            let untouched = column.added.as_ref().and_then(|it| it.untouched(&ours, &theirs));
            if column.is_generated || is_same(&ours, &theirs) {
                row.push(ours);
            } else if unsettled(column.id) {
                row.push(ours.clone());
                let (ours, theirs) = (Some(ours), Some(theirs));
                let (column, index) = (column.id, Some(index));
                conflicts.push(CellConflict { column, index, base: None, ours, theirs });
            } else if let Some(untouched) = untouched {
                row.push(untouched);
            } else if is_same(&theirs, &theirs_base) {
                row.push(ours);
            } else if is_same(&ours, &base) {
                row.push(theirs);
            } else if let Some(merged) = self.merge_json(column, &base, &ours, &theirs) {
                row.push(merged);
            } else {
                row.push(ours.clone());
                let (base, ours, theirs) = (Some(base), Some(ours), Some(theirs));
                let (column, index) = (column.id, Some(index));
                conflicts.push(CellConflict { column, index, base, ours, theirs });
            }
        }
        self.check_dropped(base, ours, theirs, &mut conflicts);
        MergedRow { row, conflicts }
    }

    fn merge_json(
        &self,
        column: &PlanColumn,
        base: &Value,
        ours: &Value,
        theirs: &Value,
    ) -> Option<Value> {
        if !self.merges_json || !column.is_json {
            return None;
        }
        match (base, ours, theirs) {
            (Value::Text(base), Value::Text(ours), Value::Text(theirs)) => {
                json::merge(base, ours, theirs).map(Value::text)
            }
            _ => None,
        }
    }

    /// A cell that one side edited and whose column the other dropped.
    fn check_dropped(
        &self,
        base: &Row,
        ours: &Row,
        theirs: &Row,
        conflicts: &mut Vec<CellConflict>,
    ) {
        for column in &self.dropped {
            let before = column.affinity.convert(base[column.base].clone());
            let edited = |row: &Row, at: Option<usize>| {
                let value = column.affinity.convert(row[at?].clone());
                (!is_same(&value, &before)).then_some(value)
            };
            let (ours, theirs) = match (column.ours, column.theirs) {
                (Some(_), None) => (edited(ours, column.ours), None),
                (None, Some(_)) => (None, edited(theirs, column.theirs)),
                _ => continue,
            };
            if ours.is_some() || theirs.is_some() {
                let (column, base) = (column.id, Some(before));
                conflicts.push(CellConflict { column, index: None, base, ours, theirs });
            }
        }
    }

    /// Merges a row that both sides inserted under one key.
    pub(crate) fn merge_inserted(&self, ours: &Row, theirs: &Row) -> MergedRow {
        let (mut row, mut conflicts) = (Row::with_capacity(self.columns.len()), Vec::new());
        for (index, column) in self.columns.iter().enumerate() {
            let (ours, theirs) = match column.cells(ours, theirs) {
                Cells::One(cell) => {
                    row.push(cell);
                    continue;
                }
                Cells::Two(ours, theirs) => (ours, theirs),
            };
            if !column.is_generated && !is_same(&ours, &theirs) {
                let (ours, theirs) = (Some(ours.clone()), Some(theirs));
                let (column, index) = (column.id, Some(index));
                conflicts.push(CellConflict { column, index, base: None, ours, theirs });
            }
            row.push(ours);
        }
        MergedRow { row, conflicts }
    }

    /// Whether a side changed any value of a row: not where a column was only added (with what
    /// every row has in it) or retyped.
    pub(crate) fn has_changed(
        &self,
        side: Side,
        base: &Row,
        row: &Row,
        shape: &TableShape,
    ) -> bool {
        let merged = self.columns.iter().any(|column| {
            let at = match side {
                Side::Ours => column.ours,
                Side::Theirs => column.theirs,
            };
            let Some(at) = at else { return false };
            if column.is_generated {
                return false;
            }
            let value = column.affinity.convert(row[at].clone());
            match column.base {
                Some(before) => !is_same(&value, &column.affinity.convert(base[before].clone())),
                None => {
                    !is_same(&value, &column.affinity.convert(shape.columns[at].missing.clone()))
                }
            }
        });
        merged
            || self.dropped.iter().any(|column| {
                let at = match side {
                    Side::Ours => column.ours,
                    Side::Theirs => column.theirs,
                };
                let before = &base[column.base];
                at.is_some_and(|at| {
                    let convert = |value: &Value| column.affinity.convert(value.clone());
                    !is_same(&convert(&row[at]), &convert(before))
                })
            })
    }
}

/// Whether two rows of the merged shape hold the same.
pub(crate) fn is_same_row(left: &Row, right: &Row) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
}
