//! Guards that end a transaction or savepoint when they go out of scope.
//!
//! Rolling back is what a guard does when nobody said otherwise, so that `?` in the middle leaves
//! nothing behind. Neighbours: `connection` begins them.

use std::ops::Deref;

use crate::connection::Connection;
use crate::error::Result;

/// How a transaction begins.
///
/// ```
/// use pandodb::{Connection, TransactionBehavior};
///
/// let mut connection = Connection::open_in_memory()?;
/// let transaction = connection.transaction_with_behavior(TransactionBehavior::Concurrent)?;
/// transaction.commit()?;
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransactionBehavior {
    /// Locks nothing before the first write.
    #[default]
    Deferred,
    /// Becomes the writer at once.
    Immediate,
    /// As `Immediate`, by SQLite's name.
    Exclusive,
    /// Writes without locks and checks at the commit, row by row, that nobody else changed the
    /// same; the commit then fails with a retryable error.
    Concurrent,
}

/// What a guard does when it is dropped.
///
/// ```
/// use pandodb::{Connection, DropBehavior};
///
/// let mut connection = Connection::open_in_memory()?;
/// {
///     let mut transaction = connection.transaction()?;
///     transaction.set_drop_behavior(DropBehavior::Commit);
///     transaction.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// }
/// assert!(connection.prepare("SELECT * FROM tree").is_ok());
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DropBehavior {
    /// Undo everything.
    #[default]
    Rollback,
    /// Keep everything; roll back if that fails.
    Commit,
    /// Do nothing: the transaction stays open.
    Ignore,
}

/// An open transaction, rolled back when it is dropped unless it was committed.
///
/// ```
/// let mut connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// {
///     let transaction = connection.transaction()?;
///     transaction.execute("INSERT INTO tree VALUES ('oak')", ())?;
/// }
/// let count: i64 = connection.query_row("SELECT count(*) FROM tree", (), |row| row.get(0))?;
/// assert_eq!(count, 0);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
pub struct Transaction<'c> {
    connection: &'c Connection,
    drop_behavior: DropBehavior,
    has_ended: bool,
}

impl<'c> Transaction<'c> {
    pub(crate) fn begin(connection: &'c Connection, behavior: TransactionBehavior) -> Result<Self> {
        connection.execute_batch(match behavior {
            TransactionBehavior::Deferred => "BEGIN DEFERRED",
            TransactionBehavior::Immediate => "BEGIN IMMEDIATE",
            TransactionBehavior::Exclusive => "BEGIN EXCLUSIVE",
            TransactionBehavior::Concurrent => "BEGIN CONCURRENT",
        })?;
        Ok(Self { connection, drop_behavior: DropBehavior::Rollback, has_ended: false })
    }

    /// Makes everything durable and visible.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// connection.transaction()?.commit()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn commit(mut self) -> Result<()> {
        self.end(DropBehavior::Commit)
    }

    /// Undoes everything.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// connection.transaction()?.rollback()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn rollback(mut self) -> Result<()> {
        self.end(DropBehavior::Rollback)
    }

    /// Ends as dropping it would, and says what went wrong.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// connection.transaction()?.finish()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn finish(mut self) -> Result<()> {
        let behavior = self.drop_behavior;
        self.end(behavior)
    }

    /// Begins a savepoint inside.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// let mut transaction = connection.transaction()?;
    /// transaction.savepoint()?.commit()?;
    /// transaction.commit()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        Savepoint::begin(self.connection, 1, DropBehavior::Rollback)
    }

    /// What happens when it is dropped.
    ///
    /// ```
    /// # use pandodb::DropBehavior;
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.transaction()?.drop_behavior(), DropBehavior::Rollback);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn drop_behavior(&self) -> DropBehavior {
        self.drop_behavior
    }

    /// Sets what happens when it is dropped.
    ///
    /// ```
    /// # use pandodb::DropBehavior;
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// connection.transaction()?.set_drop_behavior(DropBehavior::Commit);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn set_drop_behavior(&mut self, behavior: DropBehavior) {
        self.drop_behavior = behavior;
    }

    fn end(&mut self, behavior: DropBehavior) -> Result<()> {
        if std::mem::replace(&mut self.has_ended, true) || self.connection.is_autocommit() {
            return Ok(());
        }
        match behavior {
            DropBehavior::Ignore => Ok(()),
            DropBehavior::Rollback => self.connection.execute_batch("ROLLBACK"),
            DropBehavior::Commit => {
                let committed = self.connection.execute_batch("COMMIT");
                if committed.is_err() && !self.connection.is_autocommit() {
                    // The commit's own error is the one to report.
                    let _ = self.connection.execute_batch("ROLLBACK");
                }
                committed
            }
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        let behavior = self.drop_behavior;
        // Nobody is left to be told; `finish` is for those who want to know.
        let _ = self.end(behavior);
    }
}

/// An open savepoint, rolled back when it is dropped unless it was committed.
///
/// ```
/// let mut connection = pandodb::Connection::open_in_memory()?;
/// let mut transaction = connection.transaction()?;
/// transaction.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// {
///     let savepoint = transaction.savepoint()?;
///     savepoint.execute_batch("INSERT INTO tree VALUES ('oak')")?;
/// }
/// let count: i64 = transaction.query_row("SELECT count(*) FROM tree", (), |row| row.get(0))?;
/// assert_eq!(count, 0);
/// # drop(transaction);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
pub struct Savepoint<'c> {
    connection: &'c Connection,
    depth: u32,
    drop_behavior: DropBehavior,
    has_ended: bool,
}

impl<'c> Savepoint<'c> {
    pub(crate) fn begin(
        connection: &'c Connection,
        depth: u32,
        drop_behavior: DropBehavior,
    ) -> Result<Self> {
        connection.execute_batch(&format!("SAVEPOINT {}", name(depth)))?;
        Ok(Self { connection, depth, drop_behavior, has_ended: false })
    }

    /// Keeps what was done; it is durable when the transaction around it commits.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// connection.savepoint()?.commit()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn commit(mut self) -> Result<()> {
        self.end(DropBehavior::Commit)
    }

    /// Undoes what was done since it began; it stays open.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// let savepoint = connection.savepoint()?;
    /// savepoint.rollback()?;
    /// savepoint.commit()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn rollback(&self) -> Result<()> {
        self.connection.execute_batch(&format!("ROLLBACK TO {}", name(self.depth)))
    }

    /// Begins a savepoint inside.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// let mut outer = connection.savepoint()?;
    /// outer.savepoint()?.commit()?;
    /// outer.commit()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        Savepoint::begin(self.connection, self.depth + 1, DropBehavior::Rollback)
    }

    /// Sets what happens when it is dropped.
    ///
    /// ```
    /// # use pandodb::DropBehavior;
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// connection.savepoint()?.set_drop_behavior(DropBehavior::Commit);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn set_drop_behavior(&mut self, behavior: DropBehavior) {
        self.drop_behavior = behavior;
    }

    fn end(&mut self, behavior: DropBehavior) -> Result<()> {
        if std::mem::replace(&mut self.has_ended, true) || self.connection.is_autocommit() {
            return Ok(());
        }
        let name = name(self.depth);
        match behavior {
            DropBehavior::Ignore => Ok(()),
            DropBehavior::Commit => {
                let released = self.connection.execute_batch(&format!("RELEASE {name}"));
                if released.is_err() && !self.connection.is_autocommit() {
                    // The outermost savepoint is a commit, which may be refused; nobody else could
                    // end it. The error of the release is the one to report.
                    let _ = self.undo(&name);
                }
                released
            }
            DropBehavior::Rollback => self.undo(&name),
        }
    }

    fn undo(&self, name: &str) -> Result<()> {
        self.connection.execute_batch(&format!("ROLLBACK TO {name}; RELEASE {name}"))
    }
}

/// Savepoints of guards have names that no one would type.
fn name(depth: u32) -> String {
    format!("_pando_savepoint_{depth}")
}

impl Deref for Savepoint<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        let behavior = self.drop_behavior;
        // Nobody is left to be told.
        let _ = self.end(behavior);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_savepoint_whose_release_is_refused_leaves_nothing_open() -> Result<()> {
        let mut connection = Connection::open_in_memory()?;
        connection.execute_batch(
            "PRAGMA foreign_keys = ON; CREATE TABLE p(id INTEGER PRIMARY KEY); \
             CREATE TABLE c(p REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
        )?;
        let savepoint = connection.savepoint()?;
        savepoint.execute_batch("INSERT INTO c VALUES (9)")?;
        assert!(savepoint.commit().is_err());
        assert!(connection.is_autocommit());
        let count: i64 = connection.query_row("SELECT count(*) FROM c", (), |row| row.get(0))?;
        assert_eq!(count, 0);
        Ok(())
    }
}
