//! SHOW DIFF: what differs between two branches, the schema first, then rows cell by cell.
//!
//! Neighbours: the branch crate finds the differences, `shape` describes the catalogs.

use pandodb_branch::diff::schema::SchemaChange;
use pandodb_branch::diff::{
    LentDifference, RowChangeKind, RowDiff, TablePair, TableVersion, Version, compare_shapes,
    tables,
};
use pandodb_branch::registry::{Point, View};
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::tree::Tree;

use super::show::{listed, text};
use super::{Rows, Work, shape};
use crate::ast::Name;
use crate::catalog::{DatabaseIndex, load_forest};
use crate::error::{Error, Result};
use crate::execute::batch::Helpers;

/// The columns of SHOW DIFF.
pub(super) const COLUMNS: &[&str] =
    &["object_type", "object_name", "change", "row_key", "column_name", "old_value", "new_value"];

impl Work<'_> {
    /// The schema and the trees of a moment, which the view keeps.
    pub(super) fn version(&self, forest: pandodb_ds::forest::Forest) -> Result<Version> {
        let pager = self.branches.manager().pager();
        let schema = self.session.with_stored_collations(|find| {
            load_forest(pager, &forest, DatabaseIndex::MAIN, find)
        })?;
        Ok(shape::version(&schema, forest))
    }

    /// The newest state of a branch, what a tag names, or what a commit of any branch left, by its
    /// number.
    pub(super) fn view_of(&self, name: &Name) -> Result<View> {
        if let Ok(tag) = self.branches.with(|state| state.tag(&name.text).cloned())? {
            return self.tag_view(&tag);
        }
        if let Ok(number) = name.text.parse::<u64>()
            && self.branches.with(|state| state.branch(&name.text).is_err())?
        {
            return Ok(self.commit_views(number)?.2);
        }
        let branch = self.readable_branch(&name.text)?;
        Ok(self.branches.view(&branch.name, &Point::Now)?)
    }

    pub(super) fn show_difference(
        &self,
        source: &Name,
        target: &Name,
        table: Option<&Name>,
    ) -> Result<Rows> {
        let (old_view, new_view) = (self.view_of(source)?, self.view_of(target)?);
        let old = self.version(old_view.forest())?;
        let new = self.version(new_view.forest())?;
        if let Some(table) = table
            && old.shape.table_named(&table.text).is_none()
            && new.shape.table_named(&table.text).is_none()
        {
            return Err(Error::not_found("table", &table.text).at(table.span));
        }
        self.differences(&old, &new, table, usize::MAX)
    }

    /// What leads from one version to another: the schema first, then rows cell by cell, of each
    /// table `most` rows.
    pub(super) fn differences(
        &self,
        old: &Version,
        new: &Version,
        table: Option<&Name>,
        most: usize,
    ) -> Result<Rows> {
        let mut rows = Vec::new();
        for difference in compare_shapes(&old.shape, &new.shape) {
            if table.is_some_and(|table| !table.is(&difference.name)) {
                continue;
            }
            let (change, from, to) = match &difference.change {
                SchemaChange::Added => ("added", None, None),
                SchemaChange::Dropped => ("dropped", None, None),
                SchemaChange::Renamed { from } => {
                    ("renamed", Some(from.clone()), Some(difference.name.clone()))
                }
                SchemaChange::Changed { from, to } => {
                    ("changed", Some(from.clone()), Some(to.clone()))
                }
            };
            let optional = |known: Option<String>| known.map_or(Value::Null, text);
            rows.push(vec![
                text(difference.kind.as_str()),
                text(&difference.name),
                text(change),
                Value::Null,
                optional(difference.part.clone()),
                optional(from),
                optional(to),
            ]);
        }
        self.row_differences((old, new), table, most, &mut rows)?;
        Ok(rows)
    }

    fn row_differences(
        &self,
        (old, new): (&Version, &Version),
        table: Option<&Name>,
        most: usize,
        rows: &mut Rows,
    ) -> Result<()> {
        let pager = self.branches.manager().pager();
        for pair in tables(old, new) {
            if table.is_some_and(|table| !table.is(pair.name())) {
                continue;
            }
            let Some(mut diff) = pair.rows(pager)? else { continue };
            let lister = Lister::new(pair.name(), &diff, self.session.interrupt_flag());
            if most == usize::MAX {
                let helpers = self.helpers(&pair);
                let count = helpers.as_ref().map_or(0, Helpers::count);
                rows.append(&mut diff.gather(count, |row, rows| lister.list(row, rows))?);
                continue;
            }
            let mut shown = 0;
            while shown < most && diff.next_with(|row| lister.list(row, rows))?.is_some() {
                shown += 1;
            }
        }
        Ok(())
    }

    /// Threads that help to compare the versions of a table, if it is large.
    pub(super) fn helpers(&self, pair: &TablePair<'_>) -> Option<Helpers> {
        let settings = self.session.settings();
        let rows = |version: Option<TableVersion<'_>>| {
            version.and_then(|version| version.tree).map_or(0, Tree::len)
        };
        let is_large = rows(pair.old).max(rows(pair.new)) >= settings.parallel_rows_min;
        if !is_large || settings.threads < 2 {
            return None;
        }
        Helpers::take(settings.threads as usize - 1)
    }
}

/// Makes rows of SHOW DIFF; threads share it.
struct Lister {
    row: Value,
    table: Value,
    /// The words for what may happen to a row.
    kinds: [Value; 3],
    columns: Vec<Value>,
    interrupt: Arc<AtomicBool>,
}

impl Lister {
    fn new(table: &str, diff: &RowDiff, interrupt: Arc<AtomicBool>) -> Self {
        Self {
            interrupt,
            row: text("row"),
            table: text(table),
            kinds: ["insert", "delete", "update"].map(text),
            columns: diff.columns().iter().map(|column| text(&column.name)).collect(),
        }
    }

    /// A row for each cell that differs.
    fn list(
        &self,
        difference: &LentDifference<'_>,
        rows: &mut Rows,
    ) -> Result<(), pandodb_branch::Error> {
        if self.interrupt.load(Ordering::Relaxed) {
            let kind = pandodb_branch::ErrorKind::Interrupted;
            return Err(pandodb_branch::Error::new(kind, "interrupted"));
        }
        let [insert, delete, update] = &self.kinds;
        let kind = match difference.kind {
            RowChangeKind::Added => insert,
            RowChangeKind::Removed => delete,
            RowChangeKind::Changed => update,
        };
        let key = listed(Some(&difference.key()?));
        for (index, name) in self.columns.iter().enumerate() {
            if difference.changed[index] {
                rows.push(vec![
                    self.row.clone(),
                    self.table.clone(),
                    kind.clone(),
                    key.clone(),
                    name.clone(),
                    difference.old_cell(index)?.unwrap_or_default(),
                    difference.new_cell(index)?.unwrap_or_default(),
                ]);
            }
        }
        Ok(())
    }
}
