//! What differs between two versions of a database: the schema first, then rows.
//!
//! [`compare_shapes`] gives the differences of the schemas; [`tables`] pairs the tables, and each
//! pair has a [`RowDiff`] that finds rows as they are asked for, in time that follows what
//! changed. Neighbours: `merge` uses the same sources.

pub mod aligned;
mod gather;
mod keyed;
pub mod rows;
pub mod schema;
pub mod source;

use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;

pub use rows::{DiffColumn, LentDifference, RowChangeKind, RowCounts, RowDiff, RowDifference};
pub use schema::{SchemaDifference, compare_shapes};
pub use source::TableVersion;

use crate::error::Result;
use crate::shape::{ColumnShape, ObjectId, Shape, TableShape};

/// A version of a database: its schema and its trees.
#[derive(Clone, Debug)]
pub struct Version {
    /// What is there.
    pub shape: Shape,
    /// The rows of it.
    pub forest: Forest,
}

impl Version {
    /// A table of this version.
    pub fn table(&self, id: ObjectId) -> Option<TableVersion<'_>> {
        self.shape.table(id).map(|shape| self.table_of(shape))
    }

    /// The number that this version has for a table, of which `shape` may have another one.
    pub(crate) fn id_of(&self, shape: &TableShape) -> ObjectId {
        let own = self.shape.tables.iter().find(|own| own.tree == shape.tree);
        own.map_or(shape.id, |own| own.id)
    }

    /// The rows that a shape describes, in this version's trees.
    pub fn table_of<'a>(&'a self, shape: &'a TableShape) -> TableVersion<'a> {
        let tree = self.forest.tree(shape.tree);
        let keys = shape.key_index.as_ref().and_then(|index| self.forest.tree(index.tree));
        TableVersion { shape, tree, keys }
    }
}

/// A table in both versions, or in one.
#[derive(Clone, Copy, Debug)]
pub struct TablePair<'a> {
    /// The older version; none where the table was added.
    pub old: Option<TableVersion<'a>>,
    /// The newer version; none where it was dropped.
    pub new: Option<TableVersion<'a>>,
}

impl TablePair<'_> {
    /// Its name in the newer version where it has one.
    pub fn name(&self) -> &str {
        self.new.or(self.old).map_or("", |version| &version.shape.name)
    }

    /// Whether both sides are the same rows for certain; found in O(1).
    pub fn is_same_version(&self) -> bool {
        match (self.old, self.new) {
            (Some(old), Some(new)) => match (old.tree, new.tree) {
                (Some(old), Some(new)) => old.is_same_version(new),
                (None, None) => true,
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether rows of equal bytes are equal rows: not where a column went that they have.
    fn reads_alike(&self) -> bool {
        match (self.old, self.new) {
            (Some(old), Some(new)) => rows::read_alike(old.shape, new.shape),
            _ => true,
        }
    }

    /// The rows that differ; none where the table is the same for certain.
    pub fn rows(&self, pager: &Arc<Pager>) -> Result<Option<RowDiff>> {
        if self.is_same_version() && self.reads_alike() {
            return Ok(None);
        }
        let diff = match (self.old, self.new) {
            (Some(old), Some(new)) => RowDiff::new(pager, old, new)?,
            (Some(old), None) => {
                let gone = TableVersion::empty(old.shape);
                RowDiff::new(pager, old, gone)?
            }
            (None, Some(new)) => {
                let before = TableVersion::empty(new.shape);
                RowDiff::new(pager, before, new)?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(diff))
    }
}

/// The tables that are meant by a name: the newer version's, and the older one's if that is gone,
/// as a table that was dropped and made again is.
pub fn tables_named(old: &Shape, new: &Shape, name: &str) -> Vec<ObjectId> {
    let newer = new.table_named(name).map(|table| table.id);
    let older = old.table_named(name).map(|table| table.id);
    let older = older.filter(|id| newer.is_none() || new.table(*id).is_none());
    newer.into_iter().chain(older.filter(|id| newer != Some(*id))).collect()
}

/// The columns of all differences of tables, by their numbers: those of the newer version, then
/// those that only the older one has. Of a table that was made again a column is that of the name.
pub fn columns_of<'a>(old: &'a Shape, new: &'a Shape, tables: &[ObjectId]) -> Vec<SideColumn<'a>> {
    let mut columns: Vec<SideColumn<'a>> = Vec::new();
    for (shape, is_new) in [(new, true), (old, false)] {
        for table in tables.iter().filter_map(|id| shape.table(*id)) {
            let is_other = !is_new && new.table(table.id).is_none();
            for column in &table.columns {
                let is_told = columns.iter().any(|(.., told)| {
                    let has_name = told.name.eq_ignore_ascii_case(&column.name);
                    told.id == column.id || is_other && has_name
                });
                if !is_told {
                    columns.push((is_new, table, column));
                }
            }
        }
    }
    columns
}

/// A column of the newer version, or else of the older one, with its table.
pub type SideColumn<'a> = (bool, &'a TableShape, &'a ColumnShape);

/// The tables of two versions, matched by their numbers: the newer ones, then those dropped.
pub fn tables<'a>(old: &'a Version, new: &'a Version) -> Vec<TablePair<'a>> {
    let mut pairs = Vec::new();
    for shape in &new.shape.tables {
        pairs.push(TablePair { old: old.table(shape.id), new: Some(new.table_of(shape)) });
    }
    for shape in &old.shape.tables {
        if new.shape.table(shape.id).is_none() {
            pairs.push(TablePair { old: Some(old.table_of(shape)), new: None });
        }
    }
    pairs
}
