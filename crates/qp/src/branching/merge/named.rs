//! Which table and column of an open merge a name means.
//!
//! What a conflict lists is called as it is listed; anything else as on the target, and what only
//! the source has as on the source. Neighbours: the module above reads RESOLVE.

use pandodb_branch::diff::schema::ObjectKind;
use pandodb_branch::merge::Conflict;
use pandodb_branch::registry::{OpenConflict, OpenMerge};
use pandodb_branch::shape::{ColumnId, ObjectId, Shape, TableShape};

use crate::ast::Name;
use crate::branching::Work;
use crate::error::{Error, Result};

/// The names of an open merge.
pub(super) struct MergeNames<'w> {
    work: &'w Work<'w>,
    open: &'w OpenMerge,
    conflicts: Vec<OpenConflict>,
}

impl Work<'_> {
    pub(super) fn names_of<'w>(&'w self, open: &'w OpenMerge) -> Result<MergeNames<'w>> {
        Ok(MergeNames { work: self, open, conflicts: self.branches.conflicts(open)? })
    }
}

impl MergeNames<'_> {
    pub(super) fn table(&self, name: &Name) -> Result<ObjectId> {
        let mut conflicts = self.conflicts.iter().map(|open| &open.conflict);
        let is_it = |conflict: &&Conflict| {
            conflict.object_kind == ObjectKind::Table && name.is(&conflict.object_name)
        };
        if let Some(listed) = conflicts.find(is_it) {
            return Ok(listed.key.object);
        }
        let of_target = self.work.session.reading(|_, schemas| {
            let table = schemas.first().and_then(|schema| schema.table(&name.text));
            Ok(table.map(|table| ObjectId(table.id.0)))
        })?;
        let found = match of_target {
            Some(table) => Some(table),
            None => self.source()?.table_named(&name.text).map(|table| table.id),
        };
        found.ok_or_else(|| Error::not_found("table", &name.text).at(name.span))
    }

    pub(super) fn column(&self, object: ObjectId, name: &Name) -> Result<ColumnId> {
        let of_object = || {
            let all = self.conflicts.iter().map(|open| &open.conflict);
            all.filter(|conflict| conflict.key.object == object)
        };
        let mut listed = of_object().filter_map(|conflict| {
            let column = conflict.key.column()?;
            conflict.column_name.as_ref().is_some_and(|called| name.is(called)).then_some(column)
        });
        if let Some(column) = listed.next() {
            return Ok(column);
        }
        let of_target = self.work.session.reading(|_, schemas| {
            let mut tables = schemas.iter().flat_map(|schema| schema.tables.values());
            let Some(table) = tables.find(|table| table.id.0 == object.0) else { return Ok(None) };
            let column = table.columns.iter().find(|column| name.is(&column.name));
            Ok(column.map(|column| ColumnId(column.id.0)))
        })?;
        if let Some(column) = of_target {
            return Ok(column);
        }
        let source = self.source()?;
        // A table that both sides made has another number there.
        let table = source
            .table(object)
            .or_else(|| of_object().find_map(|conflict| source.table_named(&conflict.object_name)));
        let column = table.and_then(|table: &TableShape| table.column_named(&name.text));
        column
            .map(|column| column.id)
            .ok_or_else(|| Error::not_found("column", &name.text).at(name.span))
    }

    fn source(&self) -> Result<Shape> {
        self.work.with_open_job(self.open, |job, _, _| Ok(job.theirs.shape.clone()))
    }
}
