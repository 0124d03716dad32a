//! What a schema looks like without SQL: objects and columns by the ids that never change.
//!
//! The SQL layer describes its catalog in these terms; diff and merge need nothing else of it.
//! Texts (of views, triggers, checks, expressions) are compared as they come, so they must come
//! in *canonical* form: without comments, blanks normalized, and with each mention of a table or
//! column replaced by its place in the list beside the text (`{t0}`, `{c0}`), so that a renamed
//! column changes no text that mentions it, and texts that two branches wrote on their own can
//! be found to be the same. Neighbours: `row` reads stored rows by these shapes, `merge::schema`
//! merges them, `diff::schema` compares them.

pub mod adapted;
pub mod affinity;
pub mod row;

use pandodb_ds::forest::TreeId;
use pandodb_ds::record::key::ColumnOrder;
use pandodb_ds::record::{Collation, Value};
use serde::{Deserialize, Serialize};

pub use affinity::Affinity;

/// The number of an object, unique over all branches and never used again.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ObjectId(pub u64);

/// What names a column for ever, unique over all branches.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ColumnId(pub u64);

/// All objects of one version of a database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Tables with rows.
    pub tables: Vec<TableShape>,
    /// Indexes that were created; those of constraints belong to their table.
    pub indexes: Vec<TextShape>,
    /// Views.
    pub views: Vec<TextShape>,
    /// Triggers.
    pub triggers: Vec<TextShape>,
    /// Numbers that an application keeps beside its tables.
    pub settings: Vec<SettingShape>,
    /// What other branches have under other numbers.
    pub twins: Twins,
}

/// What two branches added and a merge made one: a number that a version has for it, with one that
/// another branch has, or had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twins {
    /// Objects.
    pub objects: Vec<(ObjectId, ObjectId)>,
    /// Columns.
    pub columns: Vec<(ColumnId, ColumnId)>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct TableShape {
    /// Its number.
    pub id: ObjectId,
    /// Its name as written.
    pub name: String,
    /// Where its rows are.
    pub tree: TreeId,
    /// The columns, as SQL lists them.
    pub columns: Vec<ColumnShape>,
    /// Columns that a stored row has, dropped ones included.
    pub stored_columns: usize,
    /// What its rows are known by.
    pub key: KeyShape,
    /// The declared primary key where rows are known by a rowid that is not it; else empty.
    pub primary_key: Vec<KeyColumn>,
    /// Where that key is looked up.
    pub key_index: Option<KeyIndex>,
    /// Constraints of the table and of its columns that are not part of [`ColumnShape`].
    pub constraints: Vec<ConstraintShape>,
    /// Everything else about the table (`STRICT`), canonical.
    pub options: String,
    /// Whether this is the table of the AUTOINCREMENT counters: a name and a number in each row.
    pub holds_counters: bool,
}

/// What rows of a table are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyShape {
    /// By a rowid.
    Rowid {
        /// The column that is the rowid (`INTEGER PRIMARY KEY`).
        alias: Option<ColumnId>,
        /// Rowids never come again.
        autoincrement: bool,
    },
    /// By the columns of the primary key, in its order.
    Columns(Vec<KeyColumn>),
}

/// The index of a declared primary key: an entry is the key and behind it the rowid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyIndex {
    /// Where its entries are.
    pub tree: TreeId,
    /// The key's columns, each in the order that it stands in.
    pub columns: Vec<KeyColumn>,
}

/// A column of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    /// Which.
    pub column: ColumnId,
    /// In which order.
    pub order: ColumnOrder,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnShape {
    /// What names it for ever.
    pub id: ColumnId,
    /// Its name as written.
    pub name: String,
    /// Its place in a stored row.
    pub position: usize,
    /// The declared type as written; empty without one.
    pub declared_type: String,
    /// What it would rather hold.
    pub affinity: Affinity,
    /// How its texts compare.
    pub collation: Collation,
    /// `NOT NULL`
    pub not_null: bool,
    /// What a NULL does (`ON CONFLICT ..`); empty without such a clause.
    pub on_null: &'static str,
    /// The DEFAULT expression, canonical.
    pub default: Option<String>,
    /// What rows that are older than the column read.
    pub missing: Value,
    /// The expression of a generated column, canonical.
    pub generated: Option<GeneratedShape>,
    /// Whether texts in it are JSON documents.
    pub is_json: bool,
}

/// A text as somebody wrote it, for people to read. What is compared is the canonical text beside
/// it, in which names are numbers: two of these never make a difference.
#[derive(Clone, Debug, Default)]
pub struct Written(pub String);

impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Written {}

impl Written {
    /// The text, or the canonical one where nothing else is known.
    pub fn or<'a>(&'a self, canonical: &'a str) -> &'a str {
        if self.0.is_empty() { canonical } else { &self.0 }
    }
}

/// How a generated column comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedShape {
    /// The expression, canonical.
    pub expression: String,
    /// The expression as written.
    pub written: Written,
    /// The columns that it mentions.
    pub columns: Vec<ColumnId>,
    /// Kept in the row.
    pub is_stored: bool,
}

/// A constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConstraintShape {
    /// Its name, if it was given one.
    pub name: Option<String>,
    /// Its definition, canonical.
    pub definition: String,
    /// Its definition as written, without its name.
    pub written: Written,
    /// The columns of its table that it mentions.
    pub columns: Vec<ColumnId>,
    /// Where a foreign key leads.
    pub foreign_key: Option<ForeignKeyShape>,
}

/// Where a foreign key leads: from the constraint's columns to these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKeyShape {
    /// The parent table; none while there is no table of that name.
    pub parent: Option<ObjectId>,
    /// The parent's columns, in the order of the constraint's.
    pub columns: Vec<ColumnId>,
}

/// An index, a view or a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextShape {
    /// Its number.
    pub id: ObjectId,
    /// Its name as written.
    pub name: String,
    /// Its definition, canonical and without its name.
    pub definition: String,
    /// The statement that made it.
    pub written: Written,
    /// The tables and views that it mentions.
    pub objects: Vec<ObjectId>,
    /// The columns that it mentions.
    pub columns: Vec<ColumnId>,
    /// The table of an index; the table or view of a trigger. Where that is dropped it goes, too.
    pub hangs_on: Option<ObjectId>,
}

/// A number that an application keeps beside its tables (`user_version`): every version has it, and
/// it has the same number and name in all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingShape {
    /// Its number.
    pub id: ObjectId,
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub value: i64,
}

impl Shape {
    /// What a setting is; one that is not listed was never set.
    pub fn setting(&self, id: ObjectId) -> i64 {
        self.settings.iter().find(|setting| setting.id == id).map_or(0, |setting| setting.value)
    }

    /// The table of a number.
    pub fn table(&self, id: ObjectId) -> Option<&TableShape> {
        self.tables.iter().find(|table| table.id == id)
    }

    /// The table called `name`, in any case.
    pub fn table_named(&self, name: &str) -> Option<&TableShape> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

impl TableShape {
    /// The index of a column.
    pub fn index_of(&self, id: ColumnId) -> Option<usize> {
        self.columns.iter().position(|column| column.id == id)
    }

    /// A column.
    pub fn column(&self, id: ColumnId) -> Option<&ColumnShape> {
        self.columns.iter().find(|column| column.id == id)
    }

    /// A column called `name`, in any case.
    pub fn column_named(&self, name: &str) -> Option<&ColumnShape> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The column that is the rowid.
    pub fn alias(&self) -> Option<ColumnId> {
        match self.key {
            KeyShape::Rowid { alias, .. } => alias,
            KeyShape::Columns(_) => None,
        }
    }

    /// Whether a key is declared beside the rowid of which a part may be NULL: SQL lets such rows
    /// be there many times, so that it does not tell them apart.
    pub fn may_lack_key(&self) -> bool {
        let may_be_null = |key: &KeyColumn| self.column(key.column).is_none_or(|it| !it.not_null);
        self.has_rowid() && self.primary_key.iter().any(may_be_null)
    }

    /// Whether a part of the declared key of a row is NULL.
    pub fn lacks_key(&self, row: &[Value]) -> bool {
        let cell = |key: &KeyColumn| self.index_of(key.column).and_then(|index| row.get(index));
        self.primary_key.iter().any(|key| cell(key).is_none_or(Value::is_null))
    }

    /// Whether a row is stored under a key that a column is in.
    pub fn is_in_key(&self, column: ColumnId) -> bool {
        match &self.key {
            KeyShape::Rowid { alias, .. } => *alias == Some(column),
            KeyShape::Columns(columns) => columns.iter().any(|key| key.column == column),
        }
    }

    /// Whether rows are known by a rowid.
    pub fn has_rowid(&self) -> bool {
        matches!(self.key, KeyShape::Rowid { .. })
    }

    /// Whether rows that one shape stores under a key are under the same key by the other.
    pub fn has_key_of(&self, other: &Self) -> bool {
        let affinities = |table: &Self, columns: &[KeyColumn]| -> Vec<Option<Affinity>> {
            let columns = columns.iter();
            columns.map(|key| table.column(key.column).map(|column| column.affinity)).collect()
        };
        match (&self.key, &other.key) {
            (KeyShape::Rowid { .. }, KeyShape::Rowid { .. }) => self.alias() == other.alias(),
            (KeyShape::Columns(mine), KeyShape::Columns(others)) => {
                mine == others && affinities(self, mine) == affinities(other, others)
            }
            _ => false,
        }
    }
}

impl TableShape {
    /// Whether a row of this shape whose bytes are those of a row of an `older` shape has its
    /// cells, too: every column that both have stands at one place, and one that only this shape
    /// has stands behind all that the older one stored. Branches that added columns each on its
    /// own, and then merged, have them at other places.
    pub fn reads_alike(&self, older: &Self) -> bool {
        let alias = self.alias();
        let stored = self.columns.iter().filter(|column| !column.is_virtual());
        stored.filter(|column| Some(column.id) != alias).all(|column| {
            older.column(column.id).map_or(column.position >= older.stored_columns, |known| {
                known.position == column.position && known.missing == column.missing
            })
        })
    }
}

impl ConstraintShape {
    /// What people read.
    pub fn told(&self) -> String {
        self.written.or(&self.definition).to_owned()
    }
}

impl TextShape {
    /// What people read.
    pub fn told(&self) -> String {
        self.written.or(&self.definition).to_owned()
    }
}

impl ColumnShape {
    /// Whether two columns are declared alike, whatever their names and places.
    pub fn is_declared_as(&self, other: &Self) -> bool {
        self.declared_type.eq_ignore_ascii_case(&other.declared_type)
            && self.affinity == other.affinity
            && self.is_declared_as_but_type(other)
    }

    /// Whether two columns are declared alike but for their types.
    pub fn is_declared_as_but_type(&self, other: &Self) -> bool {
        self.collation == other.collation
            && self.not_null == other.not_null
            && self.on_null == other.on_null
            && self.default == other.default
            && self.generated == other.generated
            && self.is_json == other.is_json
    }

    /// Whether its value is not stored but computed when it is read.
    pub fn is_virtual(&self) -> bool {
        self.generated.as_ref().is_some_and(|generated| !generated.is_stored)
    }
}
