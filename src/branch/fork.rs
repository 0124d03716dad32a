//! Branches in memory, for as long as somebody holds them.
//!
//! A fork costs microseconds and no disk: for a test, an agent, a what-if. Neighbours:
//! `temporary` is the same in the file and with a name.

use super::Moment;
use crate::connection::Connection;
use crate::database::Database;
use crate::engine;
use crate::error::Result;

/// A branch in memory that nobody else sees. Clones are the same fork; it is gone with its last
/// clone and the last connection to it. Threads share it as they share a [`Database`].
///
/// ```
/// use pandodb::Database;
///
/// let database = Database::open_in_memory()?;
/// database.connect()?.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// let fork = database.fork()?;
/// let threads: Vec<_> = (0..4)
///     .map(|number| {
///         let fork = fork.clone();
///         std::thread::spawn(move || {
///             let connection = fork.connect()?;
///             connection.execute("INSERT INTO tree VALUES (?1)", [number])
///         })
///     })
///     .collect();
/// for thread in threads {
///     thread.join().unwrap()?;
/// }
/// let count = |connection: pandodb::Connection| {
///     connection.query_row("SELECT count(*) FROM tree", (), |row| row.get::<_, i64>(0))
/// };
/// assert_eq!(count(fork.connect()?)?, 4);
/// assert_eq!(count(database.connect()?)?, 0);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fork {
    database: Database,
    inner: engine::Fork,
}

impl Fork {
    /// A new connection to the fork, which keeps it.
    ///
    /// ```
    /// let database = pandodb::Database::open_in_memory()?;
    /// let connection = database.fork()?.connect()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn connect(&self) -> Result<Connection> {
        Ok(Connection::new(self.database.clone(), self.inner.connect()))
    }

    /// The commit that it began at.
    ///
    /// ```
    /// let database = pandodb::Database::open_in_memory()?;
    /// let fork = database.fork()?;
    /// assert_eq!(fork.base(), database.connect()?.branch("main")?.head_commit);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn base(&self) -> u64 {
        self.inner.base()
    }

    /// Fails if the branch was changed since it was forked: what was tried here may not hold
    /// there any more.
    ///
    /// ```
    /// let database = pandodb::Database::open_in_memory()?;
    /// let fork = database.fork()?;
    /// fork.check_base()?;
    /// database.connect()?.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// assert!(fork.check_base().is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn check_base(&self) -> Result<()> {
        self.inner.check_base()
    }

    /// A fork of the fork.
    ///
    /// ```
    /// let database = pandodb::Database::open_in_memory()?;
    /// let fork = database.fork()?;
    /// let other = fork.fork()?;
    /// other.connect()?.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn fork(&self) -> Result<Self> {
        Ok(Self { database: self.database.clone(), inner: self.inner.fork()? })
    }
}

impl Database {
    /// Forks the first branch (`main`, unless it was renamed) as it is now, in memory.
    ///
    /// ```
    /// let fork = pandodb::Database::open_in_memory()?.fork()?;
    /// fork.connect()?.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn fork(&self) -> Result<Fork> {
        let inner = self.inner.fork(None, &Moment::Now)?;
        Ok(Fork { database: self.clone(), inner })
    }

    /// Forks any moment of any branch.
    ///
    /// ```
    /// use pandodb::{Database, Moment};
    ///
    /// let database = Database::open_in_memory()?;
    /// let connection = database.connect()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.create_tag("v1", "main")?;
    /// connection.execute_batch("DROP TABLE tree")?;
    /// let fork = database.fork_at("main", Moment::tag("v1"))?;
    /// fork.connect()?.execute_batch("INSERT INTO tree VALUES ('oak')")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn fork_at(&self, branch: &str, at: impl Into<Moment>) -> Result<Fork> {
        let inner = self.inner.fork(Some(branch), &at.into())?;
        Ok(Fork { database: self.clone(), inner })
    }

    /// A new connection to a branch.
    ///
    /// ```
    /// let database = pandodb::Database::open_in_memory()?;
    /// database.connect()?.create_branch("dev")?;
    /// assert_eq!(database.connect_to("dev")?.current_branch(), "dev");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn connect_to(&self, branch: &str) -> Result<Connection> {
        let connection = self.connect()?;
        connection.switch_branch(branch)?;
        Ok(connection)
    }
}
