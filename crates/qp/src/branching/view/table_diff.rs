//! `pando_diff('table', 'old', 'new')`: the rows of one table that differ, with its own columns.
//!
//! Each row that differs is one row: what happened to it, then for each column of the table its
//! cell before and after, with the column's affinity and collation. What stands for a version is
//! the name of a branch or a tag, or the number of a transaction of the session's branch. The
//! columns are known when the statement is planned; the versions are opened as `t@version` would
//! be, so that the plan is made anew when their schemas change. Neighbours: `bind::system`.

use pandodb_branch::diff::aligned::aligned;
use pandodb_branch::diff::{
    LentDifference, RowChangeKind, RowCounts, RowDiff, Version, columns_of, compare_shapes, tables,
    tables_named,
};
use pandodb_branch::registry::{Point, View};
use pandodb_branch::shape::ColumnId;
use pandodb_ds::record::{Collation, Value};

use super::text_argument;
use crate::ast::{Name, PointInTime};
use crate::branching::shape::shape_of;
use crate::branching::show::text;
use crate::branching::stream::{ChangeWords, Differences, MakeTeller, Teller};
use crate::branching::{Rows, Work};
use crate::catalog::Schema;
use crate::error::{Error, Result};
use crate::execute::GivenRows;
use crate::types::Affinity;

/// The columns of `pando_diff_summary`.
pub(super) const SUMMARY_COLUMNS: &[&str] = &[
    "object_type",
    "object_name",
    "schema_changes",
    "rows_added",
    "rows_removed",
    "rows_changed",
    "cells_changed",
];

/// A column of the difference of a table.
pub(crate) struct DiffColumn {
    /// Its name.
    pub(crate) name: String,
    /// Its declared type.
    pub(crate) declared: Box<str>,
    /// Its affinity.
    pub(crate) affinity: Affinity,
    /// How its texts compare.
    pub(crate) collation: Collation,
}

/// What an argument means: a name, or the number of a transaction.
pub(crate) fn version_name(argument: &str) -> (Option<Name>, Option<PointInTime>) {
    match argument.parse() {
        Ok(number) => (None, Some(PointInTime::Transaction(number))),
        Err(_) => (Some(Name::new(argument)), None),
    }
}

/// The columns of the difference of `table` between two schemas; none if neither has it.
pub(crate) fn columns(old: &Schema, new: &Schema, table: &str) -> Option<Vec<DiffColumn>> {
    let new_shape = shape_of(new);
    let old_shape = aligned(shape_of(old), &new_shape);
    let tables = tables_named(&old_shape, &new_shape, table);
    if tables.is_empty() {
        return None;
    }
    let mut columns = vec![
        DiffColumn::plain("change", "TEXT", Affinity::Text),
        DiffColumn::plain("changed_columns", "TEXT", Affinity::Text),
    ];
    for (is_new, table, column) in columns_of(&old_shape, &new_shape, &tables) {
        let table = if is_new { new } else { old }.table(&table.name)?;
        let column = table.columns.get(table.column_index(&column.name)?)?;
        for when in ["old", "new"] {
            columns.push(DiffColumn {
                name: format!("{when}_{}", column.name),
                declared: column.declared_type.clone(),
                affinity: column.affinity,
                collation: column.collation,
            });
        }
    }
    Some(columns)
}

impl DiffColumn {
    fn plain(name: &str, declared: &str, affinity: Affinity) -> Self {
        let collation = Collation::Binary;
        Self { name: name.to_owned(), declared: Box::from(declared), affinity, collation }
    }
}

/// The moment that an argument means.
fn view_of(work: &Work<'_>, arguments: &[Value], place: usize) -> Result<View> {
    let argument = text_argument(arguments, place)
        .ok_or_else(|| Error::invalid("a version is a branch, a tag or a transaction's number"))?;
    if let (Some(name), _) = version_name(&argument) {
        return work.view_of(&name);
    }
    let number = argument.parse().unwrap_or_default();
    let at = Point::Commit(number);
    work.at_moment(&at, work.branches.view_own(&work.current()?.name, &at))
}

/// The rows of `pando_diff`.
pub(super) fn rows(work: &Work<'_>, arguments: &[Value]) -> Result<GivenRows> {
    let name = text_argument(arguments, 0).unwrap_or_default();
    let views = [view_of(work, arguments, 1)?, view_of(work, arguments, 2)?];
    let (old, new) = work.versions([views[0].forest(), views[1].forest()])?;
    let tables = tables_named(&old.shape, &new.shape, &name);
    if tables.is_empty() {
        return Err(Error::not_found("table", &name));
    }
    let columns = columns_of(&old.shape, &new.shape, &tables).into_iter();
    let columns: Vec<_> = columns.map(|(.., column)| (column.id, column.name.clone())).collect();
    let make: MakeTeller = Box::new(move |_, diff| Box::new(TypedRows::new(&columns, diff)));
    let rows = Differences::new(work, views, (old, new), Some(tables), (Rows::new(), make));
    Ok(GivenRows::Streamed(Box::new(rows)))
}

/// Makes a row of each that differs, with the table's own columns.
struct TypedRows {
    /// For each column its name, and its place among those of the difference, if it is there.
    columns: Vec<(String, Option<usize>)>,
    words: ChangeWords,
}

impl TypedRows {
    fn new(columns: &[(ColumnId, String)], diff: &RowDiff) -> Self {
        let place = |(id, name): &(ColumnId, String)| {
            let known = diff.columns();
            let by_id = known.iter().position(|column| column.id == *id);
            by_id.or_else(|| known.iter().position(|column| column.name.eq_ignore_ascii_case(name)))
        };
        let columns = columns.iter().map(|column| (column.1.clone(), place(column))).collect();
        Self { columns, words: ChangeWords::new() }
    }
}

impl Teller for TypedRows {
    fn tell(
        &self,
        difference: &LentDifference<'_>,
        rows: &mut Rows,
    ) -> Result<(), pandodb_branch::Error> {
        let has_changed = |place: usize| difference.changed[place];
        let changed = self.columns.iter().filter(|(_, place)| place.is_some_and(has_changed));
        let changed: Vec<&str> = changed.map(|(name, _)| name.as_str()).collect();
        let is_update = difference.kind == RowChangeKind::Changed;
        let mut row = Vec::with_capacity(2 + 2 * self.columns.len());
        row.push(self.words.of(difference.kind));
        row.push(if is_update { text(changed.join(", ")) } else { Value::Null });
        for (_, place) in &self.columns {
            let Some(place) = *place else {
                row.extend([Value::Null, Value::Null]);
                continue;
            };
            row.push(difference.old_cell(place)?.unwrap_or_default());
            row.push(difference.new_cell(place)?.unwrap_or_default());
        }
        rows.push(row);
        Ok(())
    }
}

/// The rows of `pando_diff_summary`: counts by object.
pub(super) fn summary(work: &Work<'_>, arguments: &[Value]) -> Result<Rows> {
    let (old_view, new_view) = (view_of(work, arguments, 0)?, view_of(work, arguments, 1)?);
    let (old, new) = work.versions([old_view.forest(), new_view.forest()])?;
    counts(work, &old, &new)
}

fn counts(work: &Work<'_>, old: &Version, new: &Version) -> Result<Rows> {
    let mut changes: Vec<(&'static str, String, u64)> = Vec::new();
    for difference in compare_shapes(&old.shape, &new.shape) {
        let (kind, name) = (difference.kind.as_str(), difference.name);
        match changes.iter_mut().find(|known| known.0 == kind && known.1 == name) {
            Some(known) => known.2 += 1,
            None => changes.push((kind, name, 1)),
        }
    }
    let pager = work.branches.manager().pager();
    // A table that was made again is one to whoever counts.
    let mut told: Vec<(String, u64, RowCounts)> = Vec::new();
    for pair in tables(old, new) {
        let counts = pair.rows(pager)?.map_or(Ok(RowCounts::default()), RowDiff::count)?;
        if let Some(known) = told.iter_mut().find(|known| known.0 == pair.name()) {
            known.2.add_all(&counts);
            continue;
        }
        let is_it = |known: &(&str, String, u64)| known.0 == "table" && known.1 == pair.name();
        let place = changes.iter().position(is_it);
        let schema = place.map_or(0, |place| changes.swap_remove(place).2);
        told.push((pair.name().to_owned(), schema, counts));
    }
    let row = |kind: &str, name: &str, numbers: [u64; 5]| {
        let mut row = vec![text(kind), text(name)];
        row.extend(numbers.map(|number| Value::Integer(number as i64)));
        row
    };
    let mut rows = Vec::new();
    for (name, schema, counts) in &told {
        let numbers = [*schema, counts.added, counts.removed, counts.changed, counts.cells];
        if numbers != [0; 5] {
            rows.push(row("table", name, numbers));
        }
    }
    changes.sort();
    rows.extend(changes.iter().map(|(kind, name, count)| row(kind, name, [*count, 0, 0, 0, 0])));
    Ok(rows)
}
