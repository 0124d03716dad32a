//! A branch that is there as long as its guard.
//!
//! Neighbours: `fork` is the same in memory, without a name.

use std::ops::Deref;

use super::{CreateBranch, quoted};
use crate::connection::Connection;
use crate::error::Result;

/// A connection to a branch that is dropped with it; made by [`Connection::temporary_branch`].
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// {
///     let trial = connection.temporary_branch("trial")?;
///     trial.execute("INSERT INTO tree VALUES ('oak')", ())?;
///     assert_eq!(trial.current_branch(), "trial");
/// }
/// assert!(connection.branch("trial").is_err());
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
pub struct TemporaryBranch {
    connection: Connection,
    id: u64,
    /// Where the branch is dropped from: a connection cannot drop the one that it is on.
    owner: Connection,
    is_kept: bool,
}

impl TemporaryBranch {
    /// Keeps the branch and gives the connection to it.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let kept = connection.temporary_branch("trial")?.keep()?;
    /// assert_eq!(kept.current_branch(), "trial");
    /// drop(kept);
    /// assert!(!connection.branch("trial")?.temporary);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn keep(mut self) -> Result<Connection> {
        let name = self.connection.current_branch();
        self.owner.set_branch_option(&name, "temporary", "false")?;
        self.is_kept = true;
        let kept = self.owner.database().connect()?;
        kept.session.take_user_of(&self.connection.session);
        kept.switch_branch(&name)?;
        Ok(kept)
    }

    /// Drops the branch, and says what went wrong.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.temporary_branch("trial")?.close()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn close(mut self) -> Result<()> {
        self.is_kept = true;
        self.end()
    }

    fn end(&self) -> Result<()> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        // It may have been renamed; if it was dropped there is nothing to do.
        let branches = self.owner.branches()?;
        match branches.iter().find(|branch| branch.id == self.id) {
            Some(branch) => {
                self.owner.execute_batch(&format!("DROP BRANCH IF EXISTS {}", quoted(&branch.name)))
            }
            None => Ok(()),
        }
    }
}

impl Deref for TemporaryBranch {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for TemporaryBranch {
    fn drop(&mut self) {
        if !self.is_kept {
            // Nobody is left to be told; what stays is dropped when the database is opened again.
            let _ = self.end();
        }
    }
}

impl Connection {
    /// A branch from the current one that is dropped with what is returned.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let trial = connection.temporary_branch("trial")?;
    /// trial.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn temporary_branch(&self, name: &str) -> Result<TemporaryBranch> {
        let open = || {
            let connection = self.database().connect()?;
            connection.session.take_user_of(&self.session);
            Ok(connection)
        };
        let (connection, owner) = (open()?, open()?);
        // It goes with whoever makes it, which is the guard and not this connection.
        let create = CreateBranch::new(name).from(self.current_branch());
        let branch = create.option("temporary", "true").create(&owner)?;
        let temporary = TemporaryBranch { connection, id: branch.id, owner, is_kept: false };
        temporary.connection.switch_branch(&branch.name)?;
        Ok(temporary)
    }
}
