//! An open database that threads share; each opens connections from it.
//!
//! Neighbours: `options` opens it, `connection` works on it.

use std::path::{Path, PathBuf};

use crate::connection::Connection;
use crate::engine;
use crate::error::Result;
use crate::options::OpenOptions;

/// An open database. Cloning it is cheap and gives another handle of the same database.
///
/// ```
/// use pandodb::Database;
///
/// let database = Database::open_in_memory()?;
/// let threads: Vec<_> = (0..2)
///     .map(|number| {
///         let database = database.clone();
///         std::thread::spawn(move || {
///             let connection = database.connect()?;
///             connection.query_row("SELECT ?1", [number], |row| row.get::<_, i64>(0))
///         })
///     })
///     .collect();
/// for thread in threads {
///     thread.join().unwrap()?;
/// }
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) inner: engine::Database,
}

impl Database {
    pub(crate) fn new(inner: engine::Database) -> Self {
        Self { inner }
    }

    /// Opens the database in this file, and creates it when it does not exist.
    ///
    /// ```no_run
    /// let database = pandodb::Database::open("app.pando")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)
    }

    /// A new database in memory, gone with its last handle.
    ///
    /// ```
    /// let database = pandodb::Database::open_in_memory()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn open_in_memory() -> Result<Self> {
        OpenOptions::new().open_in_memory()
    }

    /// A new connection.
    ///
    /// ```
    /// let connection = pandodb::Database::open_in_memory()?.connect()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn connect(&self) -> Result<Connection> {
        Ok(Connection::new(self.clone(), self.inner.connect()))
    }

    /// A new connection of a user, who may do what GRANT gave: users work side by side, each with
    /// connections of its own. Neither the connection nor its [`database`](Connection::database)
    /// leads back to the owner or to another user.
    ///
    /// ```
    /// use pandodb::{Database, ErrorKind};
    ///
    /// let database = Database::open_in_memory()?;
    /// let owner = database.connect()?;
    /// owner.execute_batch("CREATE TABLE tree(name TEXT); GRANT READ ON BRANCH main TO ann")?;
    /// let ann = database.connect_as("ann")?;
    /// ann.execute_batch("SELECT * FROM tree")?;
    /// let error = ann.execute_batch("DELETE FROM tree").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Denied);
    /// assert!(ann.database().connect_as("bob").is_err());
    /// assert!(ann.database().connect()?.execute_batch("DELETE FROM tree").is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn connect_as(&self, user: impl AsRef<str>) -> Result<Connection> {
        let inner = self.inner.for_user(user.as_ref())?;
        let session = inner.connect();
        Ok(Connection::new(Self { inner }, session))
    }

    /// The file, where there is one.
    ///
    /// ```
    /// assert_eq!(pandodb::Database::open_in_memory()?.path(), None);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.inner.path()
    }

    /// Whether it was opened for reading only.
    ///
    /// ```
    /// assert!(!pandodb::Database::open_in_memory()?.is_read_only());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn is_read_only(&self) -> bool {
        self.inner.is_read_only()
    }

    /// The files of the log whose commits could not be reached when the database was opened,
    /// because a file before them is missing or cut short; empty is how it should be.
    ///
    /// Either somebody removed a file of the log, or the power went at `synchronous` NORMAL or OFF
    /// and took a piece out of what the disk had not been waited for. The database is as it was
    /// before the gap; these files are kept under names that end in `-lost`, until somebody removes
    /// them.
    ///
    /// ```
    /// assert!(pandodb::Database::open_in_memory()?.lost_log().is_empty());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn lost_log(&self) -> &[PathBuf] {
        self.inner.lost_log()
    }
}
