//! What two branches cannot agree on: typed, addressed, and with all three sides.
//!
//! The address of a conflict ([`ConflictKey`]) says which object, row, cell or part of a
//! definition it is about. It is the same when the merge is run again, so that a resolution that
//! was given for it is found. Neighbours: `policy` resolves, `registry` keeps open ones.

use pandodb_ds::record::Value;
use serde::{Deserialize, Serialize};

use crate::diff::schema::ObjectKind;
use crate::shape::{ColumnId, ObjectId};

/// Why a merge stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConflictKind {
    /// Two definitions that cannot be one.
    Schema,
    /// A cell, or an inserted row, with two values.
    Data,
    /// A row that one side deleted and the other changed, or a cell whose column was dropped.
    DeleteModify,
    /// The merged rows break a constraint that neither side breaks.
    Constraint(Violation),
}

/// Which constraint is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Violation {
    /// A NULL where none may be.
    NotNull,
    /// Two rows with one key.
    Unique,
    /// A CHECK that is false.
    Check,
    /// A child without its parent.
    ForeignKey,
    /// A value that a STRICT column refuses.
    Type,
}

/// A part of an object's definition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SchemaPart {
    /// Whether it is there, and what it is as a whole.
    Whole,
    /// Its name.
    Name,
    /// Its primary key.
    Key,
    /// What stands behind the columns.
    Options,
    /// A column.
    Column(ColumnId),
    /// A column's name.
    ColumnName(ColumnId),
    /// A constraint.
    Constraint(String),
    /// That it mentions what is gone.
    Mentions,
    /// What a setting is.
    Value,
}

/// What a conflict is about; the same in every run of the same merge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// A part of the definition.
    Schema(SchemaPart),
    /// A row, by its key.
    Row(Vec<u8>),
    /// A cell, by the row's key and its column.
    Cell(Vec<u8>, ColumnId),
    /// A broken constraint, by the row's key and the constraint.
    Broken(Vec<u8>, String),
}

/// The address of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConflictKey {
    /// The object; of a table, usually.
    pub object: ObjectId,
    /// What of it.
    pub scope: Scope,
}

impl ConflictKey {
    /// The column that the conflict is about.
    pub fn column(&self) -> Option<ColumnId> {
        match &self.scope {
            Scope::Cell(_, column)
            | Scope::Schema(SchemaPart::Column(column) | SchemaPart::ColumnName(column)) => {
                Some(*column)
            }
            _ => None,
        }
    }
}

/// A constraint that merged rows break, as the target of the merge tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokenConstraint {
    /// The table.
    pub object: ObjectId,
    /// Which constraint, in words that are the same in every run.
    pub constraint: String,
    /// What kind it is of.
    pub violation: Violation,
    /// The rows that break it, by their keys in the merged table: the one that it is told of,
    /// then those that have what may be there once.
    pub rows: Vec<Vec<u8>>,
    /// Where a foreign key leads, if its parent is a table of the merge.
    pub reference: Option<Reference>,
    /// A sentence that says what is wrong.
    pub detail: String,
}

/// The columns of a foreign key, and those of the parent that they must be found in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The child's.
    pub columns: Vec<ColumnId>,
    /// The parent.
    pub parent: ObjectId,
    /// The parent's, in the order of the child's.
    pub parent_columns: Vec<ColumnId>,
}

impl BrokenConstraint {
    /// The address of the conflict that this is.
    pub fn key(&self) -> ConflictKey {
        let row = self.rows.first().cloned().unwrap_or_default();
        ConflictKey { object: self.object, scope: Scope::Broken(row, self.constraint.clone()) }
    }
}

/// A conflict.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// What it is about.
    pub key: ConflictKey,
    /// Why the merge stops.
    pub kind: ConflictKind,
    /// What the object is.
    pub object_kind: ObjectKind,
    /// The object's name.
    pub object_name: String,
    /// The column's name, where it is about one.
    pub column_name: Option<String>,
    /// The columns that the sides list.
    pub columns: Vec<String>,
    /// What the row is called by.
    pub row_key: Vec<Value>,
    /// The common ancestor's values: a cell, a row, or a definition; none where it has none.
    pub base: Option<Vec<Value>>,
    /// The target's.
    pub ours: Option<Vec<Value>>,
    /// The source's.
    pub theirs: Option<Vec<Value>>,
    /// A sentence that says what happened on the two sides.
    pub detail: String,
}

impl ConflictKind {
    /// The word that reports and `pando_conflicts` use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Data => "data",
            Self::DeleteModify => "delete/modify",
            Self::Constraint(Violation::NotNull) => "constraint: not null",
            Self::Constraint(Violation::Unique) => "constraint: unique",
            Self::Constraint(Violation::Check) => "constraint: check",
            Self::Constraint(Violation::ForeignKey) => "constraint: foreign key",
            Self::Constraint(Violation::Type) => "constraint: type",
        }
    }
}
