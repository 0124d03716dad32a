//! The catalog: what tables, indexes, views and triggers a branch has.
//!
//! It is stored as rows of the branch's own tree (one row for each object, keyed by its number,
//! see `store`), so that it is transactional, branched, diffed and merged as data is. A row
//! holds the text of the definition and the numbers that the text cannot say: those of the
//! object, its tree and its columns. A [`Schema`] is all rows, parsed and linked; it is
//! immutable, shared, and known by its *cookie*, a number that every change of the catalog
//! replaces: equal cookies mean equal schemas, on any branch.
//!
//! Neighbours: `define` changes it, `bind` looks names up, `modify` keeps what it demands.

pub mod build;
mod builtin;
mod index;
pub mod information;
mod load;
mod rows;
mod statistics;
mod table;
mod trigger;
mod view;

use pandodb_ds::sync::Arc;
use rustc_hash::FxHashMap;

pub use builtin::{
    SCHEMA_TABLE_COLUMNS, called_in_errors, is_reserved_name, is_schema_table_name, schema_table,
};
pub use index::{Index, IndexColumn, IndexOrigin, IndexPart};
pub use load::{implied_index_name, index_columns, load, load_forest};
pub use rows::{
    ObjectKind, ObjectRow, Twins, delete_object, read_cookie, read_cookie_of, read_objects,
    read_objects_of, schema_rows, write_cookie, write_object,
};
pub use statistics::{STATISTICS_SQL, STATISTICS_TABLE, SchemaStatistics};
pub use table::{
    Check, Column, ColumnId, ForeignKey, Generated, PrimaryKey, SystemTable, Table, TableKind,
};
pub use trigger::Trigger;
pub use view::View;

/// Which database a name belongs to: `main`, `temp` or an attached one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseIndex(pub u16);

impl DatabaseIndex {
    /// `main`
    pub const MAIN: Self = Self(0);
    /// `temp`
    pub const TEMP: Self = Self(1);
    /// From here on the numbers are those of a statement's versions: other branches and times.
    pub const VERSIONS: u16 = 0x8000;

    /// The number of a statement's version; none where it has too many.
    pub fn version(place: usize) -> Option<Self> {
        let place = u16::try_from(place).ok().filter(|place| *place < Self::VERSIONS)?;
        Some(Self(Self::VERSIONS + place))
    }

    /// Which of the statement's versions it is, if it is one.
    #[inline]
    pub fn version_place(self) -> Option<usize> {
        self.0.checked_sub(Self::VERSIONS).map(usize::from)
    }
}

/// A database as a session has it attached. Unlike a [`DatabaseIndex`] it is not given again when
/// the database is detached, so that what was about that one is not about the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attachment(pub u64);

impl Attachment {
    /// `main`
    pub const MAIN: Self = Self(0);
    /// `temp`
    pub const TEMP: Self = Self(1);
}

/// The number of an object; unique over all branches, never used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub u64);

/// All objects of one database, parsed and linked. Names are kept in small letters.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Replaced by every change.
    pub cookie: u64,
    /// Tables, with their indexes, checks and foreign keys.
    pub tables: FxHashMap<Box<str>, Arc<Table>>,
    /// Indexes by name, with the table they belong to.
    pub indexes: FxHashMap<Box<str>, Arc<Index>>,
    /// Views.
    pub views: FxHashMap<Box<str>, Arc<View>>,
    /// Triggers by name.
    pub triggers: FxHashMap<Box<str>, Arc<Trigger>>,
    /// Triggers of a table or view, newest first (the order in which SQLite runs them).
    pub triggers_of: FxHashMap<Box<str>, Vec<Arc<Trigger>>>,
    /// Foreign keys that refer to a table: child tables and positions in their lists.
    pub children_of: FxHashMap<Box<str>, Vec<(Arc<Table>, usize)>>,
    /// What ANALYZE found.
    pub statistics: SchemaStatistics,
    /// Objects in the order of their numbers, as `sqlite_schema` lists them.
    pub objects: Vec<ObjectRow>,
}

impl Schema {
    /// The table called `name`, in any case.
    pub fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(&*fold(name))
    }

    /// The index called `name`.
    pub fn index(&self, name: &str) -> Option<&Arc<Index>> {
        self.indexes.get(&*fold(name))
    }

    /// The view called `name`.
    pub fn view(&self, name: &str) -> Option<&Arc<View>> {
        self.views.get(&*fold(name))
    }

    /// The trigger called `name`.
    pub fn trigger(&self, name: &str) -> Option<&Arc<Trigger>> {
        self.triggers.get(&*fold(name))
    }

    /// The triggers of a table or view.
    pub fn triggers_of(&self, table: &str) -> &[Arc<Trigger>] {
        self.triggers_of.get(&*fold(table)).map_or(&[], Vec::as_slice)
    }

    /// The foreign keys that refer to a table.
    pub fn children_of(&self, table: &str) -> &[(Arc<Table>, usize)] {
        self.children_of.get(&*fold(table)).map_or(&[], Vec::as_slice)
    }

    /// The row of an object.
    pub fn object(&self, kind: ObjectKind, name: &str) -> Option<&ObjectRow> {
        self.objects.iter().find(|row| row.kind == kind && row.name.eq_ignore_ascii_case(name))
    }
}

/// A name as a key: ASCII letters small.
pub fn fold(name: &str) -> Box<str> {
    name.to_ascii_lowercase().into_boxed_str()
}
