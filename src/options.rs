//! How a database is opened: every setting that must be known before the first page is read.
//!
//! What can change while it is open is a PRAGMA. Neighbours: `database`.

use std::path::{Path, PathBuf};

use crate::database::Database;
use crate::engine;
use crate::error::Result;

/// Settings for opening a database.
///
/// ```no_run
/// use pandodb::OpenOptions;
///
/// let database = OpenOptions::new().read_only(true).open("app.pando")?;
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct OpenOptions {
    pub(crate) create: bool,
    pub(crate) read_only: bool,
    pub(crate) cache_bytes: Option<u64>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { create: true, read_only: false, cache_bytes: None }
    }
}

impl OpenOptions {
    /// What [`Database::open`] does: read, write, and create what does not exist.
    ///
    /// ```
    /// let options = pandodb::OpenOptions::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a database that does not exist is created.
    ///
    /// ```
    /// let error = pandodb::OpenOptions::new().create(false).open("no/such.pando").unwrap_err();
    /// assert_eq!(error.kind(), pandodb::ErrorKind::CannotOpen);
    /// ```
    pub fn create(&mut self, create: bool) -> &mut Self {
        self.create = create;
        self
    }

    /// Whether it is opened for reading only.
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// options.read_only(true);
    /// ```
    pub fn read_only(&mut self, read_only: bool) -> &mut Self {
        self.read_only = read_only;
        self
    }

    /// How many bytes of pages are kept in memory.
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// options.cache_bytes(256 << 20);
    /// ```
    pub fn cache_bytes(&mut self, bytes: u64) -> &mut Self {
        self.cache_bytes = Some(bytes);
        self
    }

    /// Opens the database in this file.
    ///
    /// ```no_run
    /// let database = pandodb::OpenOptions::new().open("app.pando")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn open(&self, path: impl AsRef<Path>) -> Result<Database> {
        let path: PathBuf = path.as_ref().to_path_buf();
        Ok(Database::new(engine::Database::open(Some(path), self)?))
    }

    /// A new database in memory.
    ///
    /// ```
    /// let database = pandodb::OpenOptions::new().open_in_memory()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn open_in_memory(&self) -> Result<Database> {
        Ok(Database::new(engine::Database::open(None, self)?))
    }
}
