//! A secondary index.
//!
//! Its tree holds one entry for each row (of those that its condition selects): the columns as
//! order-preserving key, then the key of the row in its table (eight bytes of a rowid, or the
//! columns of the primary key). The entry's value is empty where the key says everything about
//! the columns, else it is the row of the columns' exact values (see
//! `pandodb_ds::record::key`). Neighbours: `table`; `modify` writes entries, `execute` reads.

use pandodb_ds::record::Collation;
use pandodb_ds::record::key::ColumnOrder;

use super::{ColumnId, DatabaseIndex, ObjectId};
use crate::ast;
use crate::store::TreeId;
use crate::types::Affinity;

/// An index.
#[derive(Debug)]
pub struct Index {
    /// Its number.
    pub id: ObjectId,
    /// The database it is in.
    pub database: DatabaseIndex,
    /// Its name as written.
    pub name: Box<str>,
    /// The name of its table.
    pub table: Box<str>,
    /// Where its entries are.
    pub tree: TreeId,
    /// What it is ordered by.
    pub columns: Vec<IndexColumn>,
    /// Whether equal keys are refused, and what a duplicate does.
    pub unique: Option<Option<ast::ConflictAction>>,
    /// Where it comes from.
    pub origin: IndexOrigin,
    /// Which rows it holds.
    pub filter: Option<ast::Expression>,
    /// Its definition; none for those of constraints.
    pub sql: Option<Box<str>>,
}

/// Where an index comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IndexOrigin {
    /// `CREATE INDEX`
    Created,
    /// A UNIQUE constraint.
    Unique,
    /// A PRIMARY KEY constraint.
    PrimaryKey,
}

/// A part of an index.
#[derive(Clone, Debug)]
pub struct IndexColumn {
    /// A column or an expression.
    pub part: IndexPart,
    /// How texts compare.
    pub collation: Collation,
    /// Greatest first.
    pub descending: bool,
    /// The affinity of the column or expression.
    pub affinity: Affinity,
}

/// What an index is ordered by.
#[derive(Clone, Debug)]
pub enum IndexPart {
    /// A column of the table, by index, with its id.
    Column(usize, ColumnId),
    /// An expression over the row.
    Expression(Box<ast::Expression>),
}

impl Index {
    /// The orders of its columns, for keys.
    pub fn orders(&self) -> impl Iterator<Item = ColumnOrder> + '_ {
        self.columns.iter().map(IndexColumn::order)
    }

    /// Whether some part is an expression.
    pub fn has_expressions(&self) -> bool {
        self.columns.iter().any(|column| matches!(column.part, IndexPart::Expression(_)))
    }
}

impl IndexColumn {
    /// Its order, for keys. Texts in an order of the application stand by their bytes: a key
    /// cannot say more, and such an index finds no rows by them.
    pub fn order(&self) -> ColumnOrder {
        let collation = if self.is_custom() { Collation::Binary } else { self.collation };
        ColumnOrder { collation, descending: self.descending }
    }

    /// Whether its texts are in an order that the application registered.
    pub fn is_custom(&self) -> bool {
        matches!(self.collation, Collation::Custom(_))
    }

    /// The table's column, unless it is an expression.
    pub fn column(&self) -> Option<usize> {
        match self.part {
            IndexPart::Column(index, _) => Some(index),
            IndexPart::Expression(_) => None,
        }
    }
}
