//! How a database is opened: every setting that must be known before the first page is read.
//!
//! What can change while it is open is a PRAGMA. Neighbours: `database`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pandodb_ds::sync::Arc;

use crate::database::Database;
use crate::engine;
use crate::error::Result;

/// What commits wait for.
///
/// ```
/// use pandodb::{OpenOptions, Synchronous};
/// let database = OpenOptions::new().synchronous(Synchronous::Full).open_in_memory()?;
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Synchronous {
    /// Nothing waits for the disk.
    Off,
    /// A crash of the machine may lose the newest commits, in order; the database stays whole.
    #[default]
    Normal,
    /// A commit is acknowledged when it is durable.
    Full,
}

/// How pages are compressed in the file: Zstandard at level 1 where nothing else is said, which
/// takes three quarters of LZ4's room. Each page is read by how it was written, so this can change
/// from one opening to the next.
///
/// ```
/// use pandodb::{Compression, Database, OpenOptions};
/// let compression = |database: &Database| {
///     database.connect()?.query_row("PRAGMA compression", [], |row| row.get::<_, String>(0))
/// };
/// assert_eq!(compression(&Database::open_in_memory()?)?, "ZSTD(1)");
/// let database = OpenOptions::new().compression(Compression::Lz4).open_in_memory()?;
/// assert_eq!(compression(&database)?, "LZ4");
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// Runs of equal bytes.
    Rle,
    /// With the least processor time.
    Lz4,
    /// Small, at a level from 1 to 22.
    Zstd(i32),
    /// As other programs read it, at a level from 1 to 9.
    Gzip(i32),
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(1)
    }
}

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
    pub(crate) memory_limit: Option<(u64, u64)>,
    pub(crate) user: Option<String>,
    pub(crate) busy_timeout: Option<Duration>,
    pub(crate) synchronous: Option<Synchronous>,
    pub(crate) compression: Option<Compression>,
    pub(crate) retention: Option<Duration>,
    pub(crate) retention_bytes: Option<u64>,
    pub(crate) on_recovery: Option<RecoveryHook>,
}

/// Is told of transactions and bytes.
#[derive(Clone)]
pub(crate) struct RecoveryHook(pub(crate) Arc<dyn Fn(u64, u64) + Send + Sync>);

impl std::fmt::Debug for RecoveryHook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryHook")
    }
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            create: true,
            read_only: false,
            cache_bytes: None,
            memory_limit: None,
            user: None,
            busy_timeout: None,
            synchronous: None,
            compression: None,
            retention: None,
            retention_bytes: None,
            on_recovery: None,
        }
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

    /// How many bytes the sorts and hash tables of a statement keep before they go to temporary
    /// files, and how many they may take at all before the statement fails. The second is never
    /// more than half of the memory of the machine or the container, or a quarter of what the
    /// process was given of it (`ulimit -v`).
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// let connection = options.memory_limit(u64::MAX, 100_000).open_in_memory()?.connect()?;
    /// connection.execute_batch(
    ///     "CREATE TABLE t(b);
    ///      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    ///      INSERT INTO t SELECT printf('%0100d', i) FROM n",
    /// )?;
    /// let error = connection.execute_batch("SELECT b FROM t ORDER BY b").unwrap_err();
    /// assert_eq!(error.kind(), pandodb::ErrorKind::Limit);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn memory_limit(&mut self, soft_bytes: u64, hard_bytes: u64) -> &mut Self {
        self.memory_limit = Some((soft_bytes, hard_bytes));
        self
    }

    /// Whose rights its connections have, as GRANT gave them; without this those of the owner,
    /// who opens connections of several users with [`Database::connect_as`].
    ///
    /// ```
    /// let database = pandodb::OpenOptions::new().user("guest").open_in_memory()?;
    /// let error = database.connect()?.execute_batch("CREATE TABLE tree(name TEXT)").unwrap_err();
    /// assert_eq!(error.kind(), pandodb::ErrorKind::Denied);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn user(&mut self, user: impl Into<String>) -> &mut Self {
        self.user = Some(user.into());
        self
    }

    /// How long statements wait for what another transaction holds; five seconds without this.
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// options.busy_timeout(std::time::Duration::from_millis(100));
    /// ```
    pub fn busy_timeout(&mut self, timeout: Duration) -> &mut Self {
        self.busy_timeout = Some(timeout);
        self
    }

    /// What commits wait for.
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// options.synchronous(pandodb::Synchronous::Full);
    /// ```
    pub fn synchronous(&mut self, level: Synchronous) -> &mut Self {
        self.synchronous = Some(level);
        self
    }

    /// How pages that are written from now on are compressed.
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// options.compression(pandodb::Compression::None);
    /// ```
    pub fn compression(&mut self, compression: Compression) -> &mut Self {
        self.compression = Some(compression);
        self
    }

    /// How far back any commit can be read, branched from and undone.
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// options.retention(std::time::Duration::from_secs(30 * 86_400));
    /// ```
    pub fn retention(&mut self, time: Duration) -> &mut Self {
        self.retention = Some(time);
        self
    }

    /// How many bytes of log that may take.
    ///
    /// ```
    /// let mut options = pandodb::OpenOptions::new();
    /// options.retention_bytes(1 << 30);
    /// ```
    pub fn retention_bytes(&mut self, bytes: u64) -> &mut Self {
        self.retention_bytes = Some(bytes);
        self
    }

    /// Is told now and then, while what was committed after the newest checkpoint is done again,
    /// how many transactions and bytes of log that were so far; always at the end of such work.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("app.pando");
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// pandodb::Connection::open(&path)?.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let replayed = Arc::new(AtomicU64::new(0));
    /// let seen = Arc::clone(&replayed);
    /// let mut options = pandodb::OpenOptions::new();
    /// options.on_recovery(move |transactions, _| seen.store(transactions, Ordering::Relaxed));
    /// options.open(&path)?;
    /// assert!(replayed.load(Ordering::Relaxed) <= 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn on_recovery(&mut self, hook: impl Fn(u64, u64) + Send + Sync + 'static) -> &mut Self {
        self.on_recovery = Some(RecoveryHook(Arc::new(hook)));
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
