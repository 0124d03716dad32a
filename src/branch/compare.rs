//! What leads from one branch to another: definitions, then rows cell by cell.
//!
//! Columns are the same by their lasting numbers, so that a renamed one is no other one.
//! Neighbours: `merge` puts such differences into a branch.

use crate::connection::Connection;
use crate::error::Result;
use crate::value::Value;

/// What an object of a schema is.
///
/// ```
/// assert_eq!(pandodb::ObjectType::Index.to_string(), "index");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectType {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// A number that the application keeps beside its tables: `user_version`, `application_id`.
    Setting,
}

impl std::fmt::Display for ObjectType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
            Self::Setting => "setting",
        })
    }
}

/// What happened to a definition.
///
/// ```
/// use pandodb::SchemaChangeKind;
/// assert_ne!(SchemaChangeKind::Added, SchemaChangeKind::Dropped);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Dropped,
    /// It has another name.
    Renamed {
        /// The older one.
        from: String,
    },
    /// It is defined otherwise.
    Changed {
        /// The older definition.
        from: String,
        /// The newer one.
        to: String,
    },
}

/// A definition that differs.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.create_branch("dev")?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// let comparison = connection.compare_branches("dev", "main")?;
/// assert_eq!(comparison.schema[0].name, "tree");
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaChange {
    /// What the object is.
    pub object: ObjectType,
    /// Its name on the newer side.
    pub name: String,
    /// The column, where the change is about one.
    pub column: Option<String>,
    /// What happened.
    pub change: SchemaChangeKind,
}

/// What happened to a row.
///
/// ```
/// use pandodb::ChangeKind;
/// assert_ne!(ChangeKind::Inserted, ChangeKind::Deleted);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// Only the newer side has it.
    Inserted,
    /// Some cells differ.
    Updated,
    /// Only the older side has it.
    Deleted,
}

/// A row that differs.
///
/// ```
/// use pandodb::ChangeKind;
///
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(id INTEGER PRIMARY KEY, name TEXT)")?;
/// connection.create_branch("dev")?;
/// connection.execute_batch("INSERT INTO tree VALUES (1, 'oak')")?;
/// let comparison = connection.compare_branches("dev", "main")?;
/// let row = &comparison.tables[0].rows[0];
/// assert_eq!((row.kind, &row.key), (ChangeKind::Inserted, &vec![1.into()]));
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RowChange {
    /// What happened.
    pub kind: ChangeKind,
    /// What the row is called by: its rowid or its primary key.
    pub key: Vec<Value>,
    /// The older cells, in the order of [`TableChanges::columns`].
    pub old: Option<Vec<Value>>,
    /// The newer cells.
    pub new: Option<Vec<Value>>,
    /// For each column whether its cell differs.
    pub changed: Vec<bool>,
}

/// The rows of a table that differ.
///
/// ```
/// # fn show(table: &pandodb::TableChanges) {
/// println!("{}: {} rows", table.name, table.rows.len());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TableChanges {
    /// The table, as the newer side calls it where it has it.
    pub name: String,
    /// What the older side calls it; none where the table is new.
    pub old_name: Option<String>,
    /// What the newer side calls it; none where it was dropped.
    pub new_name: Option<String>,
    /// Its columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<RowChange>,
}

/// What leads from one branch to another.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.create_branch("dev")?;
/// assert!(connection.compare_branches("main", "dev")?.is_empty());
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Definitions that differ.
    pub schema: Vec<SchemaChange>,
    /// Tables with rows that differ.
    pub tables: Vec<TableChanges>,
}

impl Comparison {
    /// Whether there is no difference.
    ///
    /// ```
    /// assert!(pandodb::Comparison::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.schema.is_empty() && self.tables.is_empty()
    }
}

impl Connection {
    /// What leads from one branch (or tag) to another.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(id INTEGER PRIMARY KEY, name TEXT)")?;
    /// connection.create_branch("dev")?;
    /// connection.switch_branch("dev")?;
    /// connection.execute_batch(
    ///     "ALTER TABLE tree ADD COLUMN height REAL; INSERT INTO tree VALUES (1, 'oak', 23.5)",
    /// )?;
    /// let comparison = connection.compare_branches("main", "dev")?;
    /// assert_eq!(comparison.schema[0].column.as_deref(), Some("height"));
    /// assert_eq!(comparison.tables[0].columns, ["id", "name", "height"]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn compare_branches(&self, old: &str, new: &str) -> Result<Comparison> {
        self.session.compare(old, new)
    }
}
