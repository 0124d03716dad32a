//! Commits and the names that moments have.
//!
//! Every committed transaction is a commit. Neighbours: `create` branches from one.

use std::time::SystemTime;

use super::{literal, micros_of, quoted};
use crate::branch::Moment;
use crate::connection::Connection;
use crate::error::Result;

/// A commit of a branch.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch(
///     "BEGIN; CREATE TABLE tree(name TEXT); COMMIT WITH MESSAGE 'plant'",
/// )?;
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// Its number; later commits have higher ones.
    pub number: u64,
    /// The commit that it stands on.
    pub parent: u64,
    /// When it was made.
    pub time: SystemTime,
    /// Who made it, where that was said.
    pub author: String,
    /// Why, where that was said.
    pub message: String,
    /// How many rows and index entries it wrote or removed, where that is known.
    pub changes: Option<u64>,
}

/// A name for a moment.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.create_tag("v1", "main")?;
/// assert_eq!(connection.tags()?[0].name, "v1");
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tag {
    /// The name.
    pub name: String,
    /// The branch that it was made on.
    pub branch: String,
    /// The commit that it names.
    pub commit: u64,
    /// When it was made.
    pub created_at: SystemTime,
    /// Why.
    pub message: String,
}

impl Connection {
    /// The newest commits of a branch, the newest first.
    ///
    /// ```no_run
    /// let connection = pandodb::Connection::open("app.pando")?;
    /// for commit in connection.commits("main", 10)? {
    ///     println!("{} {} {}", commit.number, commit.author, commit.message);
    /// }
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn commits(&self, branch: &str, most: usize) -> Result<Vec<Commit>> {
        self.session.commits(branch, most)
    }

    /// The newest commit that was made at a time or before: what `AS OF TIMESTAMP` of that time
    /// reads.
    ///
    /// ```
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let far_away = UNIX_EPOCH + Duration::from_secs(1 << 33);
    /// match connection.commit_at(far_away) {
    ///     Ok(commit) => assert_eq!(commit, connection.branch("main")?.head_commit),
    ///     // A database in memory keeps no list of its commits.
    ///     Err(error) => assert_eq!(error.kind(), pandodb::ErrorKind::CannotOpen),
    /// }
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn commit_at(&self, time: SystemTime) -> Result<u64> {
        self.session.commit_at(micros_of(time))
    }

    /// Names the newest commit of a branch.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_tag("v1", "main")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn create_tag(&self, tag: &str, branch: &str) -> Result<()> {
        self.create_tag_at(tag, branch, &Moment::Now)
    }

    /// Names a moment of a branch.
    ///
    /// ```
    /// use pandodb::Moment;
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_tag("v1", "main")?;
    /// connection.create_tag_at("stable", "main", &Moment::tag("v1"))?;
    /// assert_eq!(connection.tags()?.len(), 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn create_tag_at(&self, tag: &str, branch: &str, at: &Moment) -> Result<()> {
        let moment =
            if *at == Moment::Now { String::new() } else { format!(" AS OF {}", at.sql()) };
        self.execute_batch(&format!("TAG BRANCH {} AS {}{moment}", quoted(branch), quoted(tag)))
    }

    /// All tags that may be read.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert!(connection.tags()?.is_empty());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn tags(&self) -> Result<Vec<Tag>> {
        self.session.tags()
    }

    /// Forgets a tag, and what only it kept.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_tag("v1", "main")?;
    /// connection.delete_tag("v1")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn delete_tag(&self, tag: &str) -> Result<()> {
        self.execute_batch(&format!("DROP TAG {}", quoted(tag)))
    }

    /// Keeps the current branch as it is now under a name, for [`Connection::restore_snapshot`].
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.snapshot("before-migration")?;
    /// connection.execute_batch("DROP TABLE tree")?;
    /// connection.restore_snapshot("before-migration")?;
    /// connection.execute_batch("INSERT INTO tree VALUES ('oak')")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn snapshot(&self, name: &str) -> Result<()> {
        self.create_tag(name, &self.current_branch())
    }

    /// Sets the current branch back to a snapshot. What was done since can be found again in
    /// `pando_reflog` until history is given up.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.snapshot("empty")?;
    /// connection.restore_snapshot("empty")?;
    /// assert!(connection.restore_snapshot("no such").is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn restore_snapshot(&self, name: &str) -> Result<()> {
        self.reset_branch(&self.current_branch(), &Moment::tag(name))
    }

    /// Undoes one commit and keeps what was done after it; fails where later work built on it.
    ///
    /// ```no_run
    /// let connection = pandodb::Connection::open("app.pando")?;
    /// let newest = connection.commits("main", 1)?[0].number;
    /// connection.undo_commit(newest, "a slip")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn undo_commit(&self, number: u64, message: &str) -> Result<()> {
        let message = literal(message);
        self.execute_batch(&format!("UNDO TRANSACTION {number} WITH (message = {message})"))
    }

    /// Does what a commit did once more, on a branch.
    ///
    /// ```no_run
    /// let connection = pandodb::Connection::open("app.pando")?;
    /// let fix = connection.commits("dev", 1)?[0].number;
    /// connection.cherry_pick(fix, "main")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn cherry_pick(&self, number: u64, branch: &str) -> Result<()> {
        self.execute_batch(&format!("CHERRY PICK TRANSACTION {number} INTO {}", quoted(branch)))
    }
}
