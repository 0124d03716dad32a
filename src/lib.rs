//! PandoDB: an embedded SQL database that branches like Git.
//!
//! ```
//! use pandodb::{Connection, params};
//!
//! let connection = Connection::open_in_memory()?;
//! connection.execute_batch("CREATE TABLE tree(id INTEGER PRIMARY KEY, name TEXT, height REAL)")?;
//! connection.execute("INSERT INTO tree(name, height) VALUES (?1, ?2)", params!["oak", 23.5])?;
//! connection.execute("INSERT INTO tree(name, height) VALUES (?1, ?2)", params!["ash", 19.0])?;
//!
//! let mut statement = connection.prepare("SELECT name FROM tree WHERE height > ?1")?;
//! let names: Vec<String> =
//!     statement.query_map([20.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
//! assert_eq!(names, ["oak"]);
//! # Ok::<(), pandodb::Error>(())
//! ```
//!
//! The interface is shaped like that of rusqlite, which users of SQL in Rust know: a
//! [`Connection`] prepares a [`Statement`], which gives [`Rows`]. A [`Database`] is shared by
//! threads, and each opens its own connections.
//!
//! The feature `serde` reads rows as values of types that `serde` can read: `Row::deserialize`.

/// The blocks of the README are examples that must work, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

// Opening.
mod database;
mod options;

// Branches, and copies of all of them.
mod backup;
mod branch;

// Statements.
mod blob;
mod column;
mod connection;
mod functions;
mod hooks;
mod inspect;
mod params;
mod row;
mod statement;
mod transaction;

// Values and errors.
mod error;
mod value;

// What is below.
mod engine;

pub use backup::{Backup, BackupInfo, BackupProgress, restore, restore_with};
pub use blob::Blob;
pub use branch::{
    Branch, BranchSize, ChangeKind, Commit, Comparison, Conflict, ConflictKind, CreateBranch, Fork,
    Merge, MergeOutcome, MergePolicy, MergeStatus, Moment, ObjectType, Preview, PreviewedChange,
    Resolution, RowChange, SchemaChange, SchemaChangeKind, Strategy, TableChanges, Tag,
    TemporaryBranch,
};
pub use column::Column;
pub use connection::{Batch, Connection, IndexAdvice, InterruptHandle, Limit};
pub use database::Database;
pub use engine::is_complete;
pub use error::{Constraint, Error, ErrorKind, Result};
pub use functions::{Aggregate, FunctionContext, FunctionFlags, WindowAggregate};
pub use hooks::{Action, AuthAction, AuthContext, Authorization, PreUpdateCase, PreUpdateRow};
pub use options::{Compression, OpenOptions, Synchronous};
pub use params::{Binder, Params, ParamsFromIter, params_from_iter};
pub use row::{AndThenRows, MappedRows, OptionalExtension, Row, RowIndex, Rows};
pub use statement::Statement;
pub use transaction::{DropBehavior, Savepoint, Transaction, TransactionBehavior};
pub use value::{FromSql, ToSql, ToSqlOutput, Type, Value, ValueRef};
