//! A table as the rest of the engine sees it.
//!
//! Columns are known by three numbers. The *index* counts the columns as SQL lists them. The
//! *position* is the column's place in a stored row; dropping a column leaves its position
//! unused, so no row is rewritten. The *id* never changes and is unique over all branches: a
//! merge recognises a renamed column by it. Neighbours: `load` builds these from definitions.

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use super::{DatabaseIndex, Index, ObjectId};
use crate::ast;
use crate::store::TreeId;
use crate::types::{Affinity, StrictType};

/// What names a column for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u64);

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its number.
    pub id: ObjectId,
    /// The database it is in.
    pub database: DatabaseIndex,
    /// Its name as written.
    pub name: Box<str>,
    /// Where its rows are.
    pub tree: TreeId,
    /// The columns, as SQL lists them.
    pub columns: Vec<Column>,
    /// Columns that a stored row has, dropped ones included.
    pub stored_columns: usize,
    /// What its rows are known by.
    pub kind: TableKind,
    /// The declared primary key.
    pub primary_key: Option<PrimaryKey>,
    /// `STRICT`
    pub strict: bool,
    /// `AUTOINCREMENT PER BRANCH`: its numbers are distinct on each branch, not over all.
    pub counts_alone: bool,
    /// All secondary indexes, those of UNIQUE and PRIMARY KEY first.
    pub indexes: Vec<Arc<Index>>,
    /// CHECK constraints of columns and the table, in order.
    pub checks: Vec<Check>,
    /// Foreign keys in which this table is the child.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its definition.
    pub sql: Box<str>,
}

/// What the rows of a table are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// By a rowid.
    Rowid {
        /// The column that is the rowid (`INTEGER PRIMARY KEY`).
        alias: Option<usize>,
        /// Rowids never come again.
        autoincrement: bool,
    },
    /// By the columns of the primary key.
    WithoutRowid,
    /// The rows are made by the engine: `sqlite_schema` and the like.
    System(SystemTable),
}

/// The tables that the engine makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SystemTable {
    /// `sqlite_schema`
    Schema,
}

/// The declared primary key.
#[derive(Clone, Debug)]
pub struct PrimaryKey {
    /// The columns with their direction and collation, in the order of the key.
    pub columns: Vec<super::IndexColumn>,
    /// What a duplicate does.
    pub conflict: Option<ast::ConflictAction>,
    /// How many indexes of UNIQUE constraints stand before it in the definition.
    pub place: usize,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// What names it for ever.
    pub id: ColumnId,
    /// Its name as written.
    pub name: Box<str>,
    /// Its place in a stored row.
    pub position: usize,
    /// The declared type as written, with its arguments; empty without one.
    pub declared_type: Box<str>,
    /// What it would rather hold.
    pub affinity: Affinity,
    /// Its type in a STRICT table.
    pub strict_type: Option<StrictType>,
    /// How its texts compare.
    pub collation: Collation,
    /// `NOT NULL` with what a NULL does.
    pub not_null: Option<Option<ast::ConflictAction>>,
    /// The DEFAULT expression.
    pub default: Option<ast::Expression>,
    /// The text of the DEFAULT expression.
    pub default_text: Option<Box<str>>,
    /// What rows that are older than the column read.
    pub missing: Value,
    /// The expression of a generated column.
    pub generated: Option<Generated>,
    /// Left out of `*`.
    pub hidden: bool,
}

/// The expression of a generated column.
#[derive(Clone, Debug)]
pub struct Generated {
    /// What it computes.
    pub expression: ast::Expression,
    /// Kept in the row.
    pub stored: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: Option<Box<str>>,
    /// What must not be false.
    pub expression: ast::Expression,
    /// The text of the expression, for messages.
    pub text: Box<str>,
    /// What a failure does (SQLite parses it and always aborts).
    pub conflict: Option<ast::ConflictAction>,
}

/// A foreign key, seen from the child.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    /// Its name.
    pub name: Option<Box<str>>,
    /// The child's columns, by index.
    pub columns: Vec<usize>,
    /// The parent table.
    pub parent: Box<str>,
    /// The parent's columns as written; its primary key if empty.
    pub parent_columns: Vec<Box<str>>,
    /// `ON DELETE`
    pub on_delete: ast::ForeignKeyAction,
    /// `ON UPDATE`
    pub on_update: ast::ForeignKeyAction,
    /// Checked at the end of the transaction.
    pub deferred: bool,
}

impl Table {
    /// The index of the column called `name`, in any case.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The column that is the rowid.
    pub fn rowid_alias(&self) -> Option<usize> {
        match self.kind {
            TableKind::Rowid { alias, .. } => alias,
            _ => None,
        }
    }

    /// Whether rows are known by a rowid.
    pub fn has_rowid(&self) -> bool {
        !matches!(self.kind, TableKind::WithoutRowid)
    }

    /// The name that statements know the rowid by: a column may have the usual one's. None where
    /// there is no rowid, or columns have all its names.
    pub(crate) fn rowid_name(&self) -> Option<&str> {
        if let Some(alias) = self.rowid_alias() {
            return Some(&self.columns[alias].name);
        }
        let is_free = |name: &&str| self.has_rowid() && self.column_index(name).is_none();
        ["rowid", "_rowid_", "oid"].into_iter().find(is_free)
    }

    /// Whether the engine makes its rows.
    pub fn is_system(&self) -> bool {
        matches!(self.kind, TableKind::System(_))
    }

    /// Whether rowids never come again.
    pub fn is_autoincrement(&self) -> bool {
        matches!(self.kind, TableKind::Rowid { autoincrement: true, .. })
    }

    /// The columns of the key of a table without rowid.
    pub fn key_columns(&self) -> &[super::IndexColumn] {
        match (&self.kind, &self.primary_key) {
            (TableKind::WithoutRowid, Some(key)) => &key.columns,
            _ => &[],
        }
    }

    /// What position `position` of a row that does not have it reads as.
    pub fn missing_value(&self, position: usize) -> &Value {
        const NULL: &Value = &Value::Null;
        let column = self.columns.iter().find(|column| column.position == position);
        column.map_or(NULL, |column| &column.missing)
    }
}

impl Column {
    /// Whether its value is computed when it is read.
    pub fn is_virtual(&self) -> bool {
        self.generated.as_ref().is_some_and(|generated| !generated.stored)
    }
}
