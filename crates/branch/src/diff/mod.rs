//! What differs between two versions of a database: the schema first, then rows.
//!
//! [`compare_shapes`] gives the differences of the schemas; [`tables`] pairs the tables, and each
//! pair has a [`RowDiff`] that finds rows as they are asked for, in time that follows what
//! changed. Neighbours: `merge` uses the same sources.

mod gather;
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
use crate::shape::{ObjectId, Shape, TableShape};

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
        TableVersion { shape, tree }
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

    /// The rows that differ; none where the table is the same for certain.
    pub fn rows(&self, pager: &Arc<Pager>) -> Result<Option<RowDiff>> {
        if self.is_same_version() {
            return Ok(None);
        }
        let diff = match (self.old, self.new) {
            (Some(old), Some(new)) => RowDiff::new(pager, old, new)?,
            (Some(old), None) => {
                let gone = TableVersion { shape: old.shape, tree: None };
                RowDiff::new(pager, old, gone)?
            }
            (None, Some(new)) => {
                let before = TableVersion { shape: new.shape, tree: None };
                RowDiff::new(pager, before, new)?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(diff))
    }
}

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
