//! Conflicts of rows and cells: resolved by what was said about them, or reported.
//!
//! Neighbours: `pairs` finds them, `policy` knows what was said.

use pandodb_ds::record::Value;

use super::TableMerger;
use crate::diff::schema::ObjectKind;
use crate::error::Result;
use crate::merge::cells::{CellConflict, MergedRow};
use crate::merge::conflict::{Conflict, ConflictKey, ConflictKind, Scope};
use crate::merge::policy::Pick;
use crate::shape::ColumnId;
use crate::shape::affinity::is_same;
use crate::shape::row::Row;

impl TableMerger<'_, '_, '_> {
    /// Resolves what can be resolved and gives the row to the target.
    pub(super) fn finish_row(&mut self, key: &[u8], ours: &Row, merged: MergedRow) -> Result<()> {
        let MergedRow { mut row, conflicts } = merged;
        for conflict in conflicts {
            let index = conflict.index;
            let resolved = self.cell_conflict(key, ours, conflict)?;
            if let (Some(index), Some(value)) = (index, resolved) {
                row[index] = value;
            }
        }
        self.put(key, Some(ours), row)
    }

    /// Resolves a cell or reports it; returns the value that the cell gets, if another one.
    pub(super) fn cell_conflict(
        &mut self,
        key: &[u8],
        ours_row: &Row,
        conflict: CellConflict,
    ) -> Result<Option<Value>> {
        let shape = &self.table.shape;
        let address =
            ConflictKey { object: shape.id, scope: Scope::Cell(key.to_vec(), conflict.column) };
        let affinity = shape.column(conflict.column).map(|column| column.affinity);
        let resolved = match self.run.options.pick(&address) {
            Some(Pick::Ours) => Some(conflict.ours.clone()),
            Some(Pick::Theirs) => Some(conflict.theirs.clone()),
            Some(Pick::Base) => Some(conflict.base.clone()),
            Some(Pick::Cell(value)) => {
                Some(Some(affinity.map_or(value.clone(), |affinity| affinity.convert(value))))
            }
            Some(Pick::Row(cells)) => {
                let cell = cells.into_iter().find(|(column, _)| *column == conflict.column);
                cell.map(|(_, value)| Some(value))
            }
            Some(Pick::Delete | Pick::Definition(_)) | None => None,
        };
        if let Some(value) = resolved {
            self.run.report.table(shape).resolved += 1;
            return Ok(Some(value.unwrap_or_default()));
        }
        let name = self.column_name(conflict.column);
        let (kind, detail) = match conflict.index {
            Some(_) if self.is_unsettled => (
                ConflictKind::Data,
                format!("merges that crossed left {name} open, and the branches differ there"),
            ),
            Some(_) if conflict.base.is_none() => (
                ConflictKind::Data,
                format!("both branches inserted the row, with different values of {name}"),
            ),
            Some(_) => {
                (ConflictKind::Data, format!("both branches changed {name}, to different values"))
            }
            None if conflict.ours.is_none() => {
                let lack = self.run.options.lack();
                let told = format!("the target {lack} the column {name}, the source changed it in");
                (ConflictKind::DeleteModify, format!("{told} this row"))
            }
            None => (
                ConflictKind::DeleteModify,
                format!("the source dropped the column {name}, the target changed it in this row"),
            ),
        };
        let row = self.plan.ours_row(ours_row);
        let row_key = shape.key_values(key, Some(&row))?;
        let one = |value: Option<Value>| value.map(|value| vec![value]);
        self.run.conflict(Conflict {
            key: address,
            kind,
            object_kind: ObjectKind::Table,
            object_name: shape.name.clone(),
            column_name: Some(name.clone()),
            columns: vec![name],
            row_key,
            base: one(conflict.base),
            ours: one(conflict.ours),
            theirs: one(conflict.theirs),
            detail,
        })?;
        Ok(None)
    }

    fn column_name(&self, id: ColumnId) -> String {
        let base = self.sides.base.map(|base| base.shape);
        let column = self.table.shape.column(id).or_else(|| base?.column(id));
        column.map_or_else(String::new, |column| column.name.clone())
    }

    /// A row that one side deleted and the other changed.
    pub(super) fn deleted_and_changed(
        &mut self,
        key: &[u8],
        base: Option<&Row>,
        ours: Option<&Row>,
        theirs: Option<&Row>,
    ) -> Result<()> {
        let shape = &self.table.shape;
        let address = ConflictKey { object: shape.id, scope: Scope::Row(key.to_vec()) };
        let base = base.map(|row| self.plan.base_row(row));
        let (ours_row, ours) = (ours, ours.map(|row| self.plan.ours_row(row)));
        let theirs = theirs.map(|row| self.plan.theirs_row(row));
        let resolved = match self.run.options.pick(&address) {
            Some(Pick::Ours) => Some(ours.clone()),
            Some(Pick::Theirs) => Some(theirs.clone()),
            Some(Pick::Base) => Some(base.clone()),
            Some(Pick::Delete) => Some(None),
            Some(Pick::Row(cells)) => {
                let mut row = ours.clone().or_else(|| theirs.clone()).unwrap_or_default();
                let mut keeps_key = true;
                for (column, value) in cells {
                    let Some(index) = shape.index_of(column) else { continue };
                    let value = shape.columns[index].affinity.convert(value);
                    keeps_key &= !shape.is_in_key(column) || is_same(&row[index], &value);
                    row[index] = value;
                }
                // Under another key it would be another row.
                keeps_key.then_some(Some(row))
            }
            Some(Pick::Cell(_) | Pick::Definition(_)) | None => None,
        };
        if let Some(resolved) = resolved {
            self.run.report.table(shape).resolved += 1;
            return match resolved {
                Some(row) => self.put(key, ours_row, row),
                None if ours.is_some() => self.delete(key, ours_row),
                None => Ok(()),
            };
        }
        let detail = match (self.is_unsettled, ours.is_none()) {
            (true, true) => {
                "merges that crossed left open whether the row is there: the target \
                             does not have it"
            }
            (true, false) => {
                "merges that crossed left open whether the row is there: the source \
                              does not have it"
            }
            (false, true) if self.run.options.has_own_base => {
                "the target does not have the row, the source changed it"
            }
            (false, true) => "the target deleted the row, the source changed it",
            (false, false) => "the source deleted the row, the target changed it",
        };
        let row_key = shape.key_values(key, ours.as_deref().or(theirs.as_deref()))?;
        self.run.conflict(Conflict {
            key: address,
            kind: ConflictKind::DeleteModify,
            object_kind: ObjectKind::Table,
            object_name: shape.name.clone(),
            column_name: None,
            columns: shape.columns.iter().map(|column| column.name.clone()).collect(),
            row_key,
            base,
            ours,
            theirs,
            detail: detail.into(),
        })
    }
}
