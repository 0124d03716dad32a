//! SHOW DIFF: what differs between two branches, the schema first, then rows cell by cell.
//!
//! Neighbours: the branch crate finds the differences, `shape` describes the catalogs.

use pandodb_branch::diff::schema::{ObjectKind, SchemaChange, describe_column};
use pandodb_branch::diff::{
    LentDifference, RowDiff, TablePair, Version, compare_shapes, tables, tables_named,
};
use pandodb_branch::registry::{Point, Privilege, View};
use pandodb_ds::forest::Forest;
use pandodb_ds::record::Value;

use super::show::{listed, text};
use super::stream::{ChangeWords, Differences, MakeTeller, Teller};
use super::{Rows, Work, shape};
use crate::ast::Name;
use crate::catalog::{DatabaseIndex, load_forest};
use crate::error::{Error, Result};
use crate::execute::GivenRows;

/// The columns of SHOW DIFF.
pub(super) const COLUMNS: &[&str] =
    &["object_type", "object_name", "change", "row_key", "column_name", "old_value", "new_value"];

impl Work<'_> {
    /// The schema and the trees of a moment, which the view keeps.
    pub(super) fn version(&self, forest: Forest) -> Result<Version> {
        let pager = self.branches.manager().pager();
        let schema = self.session.with_stored_collations(|find| {
            load_forest(pager, &forest, DatabaseIndex::MAIN, find)
        })?;
        let mut version = shape::version(&schema, forest);
        version.shape.settings = shape::settings_of(pager, &version.forest)?;
        Ok(version)
    }

    /// Two versions to be compared, the older one in the ids of the newer one.
    pub(super) fn versions(&self, [old, new]: [Forest; 2]) -> Result<(Version, Version)> {
        let (old, new) = (self.version(old)?, self.version(new)?);
        Ok((old.aligned_to(&new), new))
    }

    /// The newest state of a branch, what a tag names, or what a commit of any branch left, by its
    /// number: in this order, as everywhere.
    pub(super) fn view_of(&self, name: &Name) -> Result<View> {
        if self.branches.with(|state| state.find_branch(&name.text).is_none())? {
            if let Ok(tag) = self.branches.with(|state| state.tag(&name.text).cloned())? {
                return self.tag_view(&tag);
            }
            if let Ok(number) = name.text.parse::<u64>() {
                return Ok(self.commit_views(number)?.2);
            }
        }
        let branch = self.named_branch(name, Privilege::Read)?;
        Ok(self.branches.view(&branch.name, &Point::Now)?)
    }

    pub(super) fn show_difference(
        &self,
        source: &Name,
        target: &Name,
        table: Option<&Name>,
    ) -> Result<GivenRows> {
        let views = [self.view_of(source)?, self.view_of(target)?];
        self.differences(views, table)
    }

    /// What leads from one version to another: the schema first, then rows cell by cell; of all
    /// tables, or of one.
    pub(super) fn differences(&self, views: [View; 2], table: Option<&Name>) -> Result<GivenRows> {
        let (old, new) = self.versions([views[0].forest(), views[1].forest()])?;
        let only = table.map(|name| tables_named(&old.shape, &new.shape, &name.text));
        if let (Some(name), Some([])) = (table, only.as_deref()) {
            return Err(Error::not_found("table", &name.text).at(name.span));
        }
        let first = schema_differences(&old, &new, table);
        let first: (Rows, MakeTeller) = (first, Box::new(make_lister));
        let rows = Differences::new(self, views, (old, new), only, first);
        Ok(GivenRows::Streamed(Box::new(rows)))
    }

    /// The same of versions that somebody else keeps, of each table `most` rows.
    pub(super) fn first_differences(
        &self,
        old: &Version,
        new: &Version,
        most: usize,
    ) -> Result<Rows> {
        let mut rows = schema_differences(old, new, None);
        let pager = self.branches.manager().pager();
        for pair in tables(old, new) {
            let Some(mut diff) = pair.rows(pager)? else { continue };
            let lister = Lister::new(pair.name(), &diff);
            let mut shown = 0;
            while shown < most && diff.next_with(|row| lister.tell(row, &mut rows))?.is_some() {
                shown += 1;
            }
        }
        Ok(rows)
    }
}

/// What differs in the schemas, or in that of one table.
fn schema_differences(old: &Version, new: &Version, table: Option<&Name>) -> Rows {
    let mut rows = Vec::new();
    for difference in compare_shapes(&old.shape, &new.shape) {
        let is_setting = difference.kind == ObjectKind::Setting;
        if table.is_some_and(|table| is_setting || !table.is(&difference.name)) {
            continue;
        }
        // A column that came or went is told with its definition, and so with its default.
        let defined = |version: &Version| {
            let table = version.shape.table(difference.object)?;
            let column = table.column_named(difference.part.as_ref()?)?;
            Some(describe_column(column)).filter(|text| !text.is_empty())
        };
        let (change, from, to) = match &difference.change {
            SchemaChange::Added => ("added", None, defined(new)),
            SchemaChange::Dropped => ("dropped", defined(old), None),
            SchemaChange::Renamed { from } => {
                let to = difference.part.as_ref().unwrap_or(&difference.name);
                ("renamed", Some(from.clone()), Some(to.clone()))
            }
            SchemaChange::Changed { from, to } => ("changed", Some(from.clone()), Some(to.clone())),
        };
        // What is a part of a table and no column of it is one of its constraints.
        let is_column = |part: &String| {
            let tables = [old, new].map(|version| version.shape.table(difference.object));
            tables.into_iter().flatten().any(|table| table.column_named(part).is_some())
        };
        let kind = match &difference.part {
            Some(part) if !is_column(part) => "constraint",
            _ => difference.kind.as_str(),
        };
        let optional = |known: Option<String>| known.map_or(Value::Null, text);
        rows.push(vec![
            text(kind),
            text(&difference.name),
            text(change),
            Value::Null,
            optional(difference.part.clone()),
            optional(from),
            optional(to),
        ]);
    }
    rows
}

fn make_lister(pair: &TablePair<'_>, diff: &RowDiff) -> Box<dyn Teller> {
    Box::new(Lister::new(pair.name(), diff))
}

/// Makes rows of SHOW DIFF; threads share it.
struct Lister {
    row: Value,
    table: Value,
    words: ChangeWords,
    columns: Vec<Value>,
}

impl Lister {
    fn new(table: &str, diff: &RowDiff) -> Self {
        Self {
            row: text("row"),
            table: text(table),
            words: ChangeWords::new(),
            columns: diff.columns().iter().map(|column| text(&column.name)).collect(),
        }
    }
}

impl Teller for Lister {
    /// A row for each cell that differs.
    fn tell(
        &self,
        difference: &LentDifference<'_>,
        rows: &mut Rows,
    ) -> Result<(), pandodb_branch::Error> {
        let kind = self.words.of(difference.kind);
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
