//! Branches as values: what there is, and the verbs that make, name and drop them.
//!
//! The verbs are methods of a [`Connection`], because a connection is on a branch and has a user
//! whose rights count. Names and descriptions are data here, never parts of a statement's text.
//! Neighbours: `create` and `merge` are the verbs with many options, `compare` shows what
//! differs, `history` has commits and tags, `fork` branches in memory.

mod compare;
mod create;
mod fork;
mod history;
mod merge;
mod preview;
mod temporary;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use compare::{
    ChangeKind, Comparison, ObjectType, RowChange, SchemaChange, SchemaChangeKind, TableChanges,
};
pub use create::{CreateBranch, Moment, Strategy};
pub use fork::Fork;
pub use history::{Commit, Tag};
pub use merge::{
    Conflict, ConflictKind, Merge, MergeOutcome, MergePolicy, MergeStatus, Resolution,
};
pub use preview::{Preview, PreviewedChange};
pub use temporary::TemporaryBranch;

use crate::connection::Connection;
use crate::error::Result;

/// What is known of a branch.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// connection.create_branch("dev")?;
/// let dev = connection.branch("dev")?;
/// assert_eq!(dev.name, "dev");
/// assert_eq!(dev.parent.as_deref(), Some("main"));
/// assert!(!dev.is_current && !dev.read_only);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of its own in SQL")]
pub struct Branch {
    /// Its name.
    pub name: String,
    /// Its number, which no other branch ever had.
    pub id: u64,
    /// The branch that it was made from, as that was called then.
    pub parent: Option<String>,
    /// When it was made.
    pub created_at: SystemTime,
    /// The newest commit on it.
    pub head_commit: u64,
    /// Where it was merged into, if it was.
    pub merged_into: Option<String>,
    /// Whether the connection that was asked is on it.
    pub is_current: bool,
    /// Whether nothing can be written to it.
    pub read_only: bool,
    /// Whether it can be dropped, reset or renamed.
    pub protected: bool,
    /// Whether it goes with whoever made it.
    pub temporary: bool,
    /// Whether it is dropped once it was merged.
    pub auto_delete: bool,
    /// When it is dropped by itself.
    pub expires_at: Option<SystemTime>,
    /// How it was made.
    pub strategy: Strategy,
    /// Whose it is.
    pub owner: String,
    /// What it is for.
    pub description: String,
    /// Whatever else was said about it.
    pub options: BTreeMap<String, String>,
}

/// What a branch takes in the file: made by [`Connection::branch_sizes`].
///
/// ```no_run
/// let connection = pandodb::Connection::open("app.pando")?;
/// for size in connection.branch_sizes()? {
///     println!("{}: {} bytes alone, {} shared", size.branch, size.own_bytes, size.shared_bytes);
/// }
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BranchSize {
    /// The branch.
    pub branch: String,
    /// Bytes that only this branch has.
    pub own_bytes: u64,
    /// Bytes that others have, too: branches, tags, the moments that merges start from.
    pub shared_bytes: u64,
    /// Bytes that the file gets back when the branch is dropped: its own, and those that only
    /// moments hold that are dropped with it.
    pub freed_bytes: u64,
    /// The same of each table and index: its name, own bytes, shared bytes.
    pub objects: Vec<(String, u64, u64)>,
}

/// A moment of the engine's clock.
pub(crate) fn time_of(micros: i64) -> SystemTime {
    match u64::try_from(micros) {
        Ok(micros) => UNIX_EPOCH + Duration::from_micros(micros),
        Err(_) => UNIX_EPOCH - Duration::from_micros(micros.unsigned_abs()),
    }
}

/// The engine's number for a moment.
pub(crate) fn micros_of(time: SystemTime) -> i64 {
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => micros(after),
        Err(before) => -micros(before.duration()),
    }
}

/// A name as SQL writes one that may hold anything.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Connection {
    /// Makes a branch from the one that the connection is on, as it is now. It costs the same
    /// whatever the size of the database, and no space until one side changes something.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_branch("dev")?;
    /// assert_eq!(connection.current_branch(), "main");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn create_branch(&self, name: &str) -> Result<Branch> {
        CreateBranch::new(name).create(self)
    }

    /// Goes on with another branch: what follows reads and writes that one.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_branch("dev")?;
    /// connection.switch_branch("dev")?;
    /// assert_eq!(connection.current_branch(), "dev");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn switch_branch(&self, name: &str) -> Result<()> {
        self.execute_batch(&format!("USE BRANCH {}", quoted(name)))
    }

    /// All branches that may be read.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_branch("dev")?;
    /// let names: Vec<String> =
    ///     connection.branches()?.into_iter().map(|branch| branch.name).collect();
    /// assert_eq!(names, ["main", "dev"]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn branches(&self) -> Result<Vec<Branch>> {
        self.session.branches()
    }

    /// One branch.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert!(connection.branch("main")?.is_current);
    /// assert_eq!(connection.branch("dev").unwrap_err().kind(), pandodb::ErrorKind::NotFound);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn branch(&self, name: &str) -> Result<Branch> {
        self.session.branch(name)
    }

    /// What each branch takes in the file, exactly; writes out first what is only in memory. A
    /// database in memory has no file.
    ///
    /// ```no_run
    /// let connection = pandodb::Connection::open("app.pando")?;
    /// connection.create_branch("dev")?;
    /// let sizes = connection.branch_sizes()?;
    /// assert!(sizes.iter().all(|size| size.own_bytes < 4096));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn branch_sizes(&self) -> Result<Vec<BranchSize>> {
        let sql = "SELECT branch_name, object_type, object_name, own_bytes, shared_bytes, \
                   freed_bytes FROM pando_sizes";
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(())?;
        let mut sizes: Vec<BranchSize> = Vec::new();
        while let Some(row) = rows.next()? {
            let branch: String = row.get(0)?;
            let (own_bytes, shared_bytes): (u64, u64) = (row.get(3)?, row.get(4)?);
            if row.get::<_, String>(1)? == "branch" {
                let (freed_bytes, objects) = (row.get(5)?, Vec::new());
                sizes.push(BranchSize { branch, own_bytes, shared_bytes, freed_bytes, objects });
            } else if let Some(size) = sizes.last_mut() {
                size.objects.push((row.get(2)?, own_bytes, shared_bytes));
            }
        }
        Ok(sizes)
    }

    /// Gives a branch another name; connections that are on it stay there.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_branch("dev")?;
    /// connection.rename_branch("dev", "feature/roots")?;
    /// assert!(connection.branch("feature/roots").is_ok());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn rename_branch(&self, from: &str, to: &str) -> Result<()> {
        self.execute_batch(&format!("RENAME BRANCH {} TO {}", quoted(from), quoted(to)))
    }

    /// Refuses changes of a branch, or allows them again.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.set_branch_read_only("main", true)?;
    /// let error = connection.execute_batch("CREATE TABLE tree(name TEXT)").unwrap_err();
    /// assert_eq!(error.message(), "Cannot modify read-only branch: main");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn set_branch_read_only(&self, name: &str, read_only: bool) -> Result<()> {
        self.set_branch_option(name, "read_only", if read_only { "true" } else { "false" })
    }

    /// Changes an option of a branch: `description`, `protected`, `auto_gc`, `ttl`, `owner`, or
    /// any key of one's own.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.set_branch_option("main", "region", "eu-west")?;
    /// assert_eq!(connection.branch("main")?.options["region"], "eu-west");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn set_branch_option(&self, name: &str, key: &str, value: &str) -> Result<()> {
        let (name, key, value) = (quoted(name), quoted(key), literal(value));
        self.execute_batch(&format!("ALTER BRANCH {name} SET ({key} = {value})"))
    }

    /// Drops a branch; what only it had is given back.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.create_branch("dev")?;
    /// connection.delete_branch("dev")?;
    /// assert!(connection.branch("dev").is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn delete_branch(&self, name: &str) -> Result<()> {
        self.execute_batch(&format!("DROP BRANCH {}", quoted(name)))
    }

    /// Sets a branch back to a moment of its past; `CREATE BRANCH ... AS OF` looks at one
    /// without that.
    ///
    /// ```
    /// use pandodb::Moment;
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.create_tag("v1", "main")?;
    /// connection.execute_batch("INSERT INTO tree VALUES ('oak')")?;
    /// connection.reset_branch("main", &Moment::tag("v1"))?;
    /// let count: i64 = connection.query_row("SELECT count(*) FROM tree", (), |row| row.get(0))?;
    /// assert_eq!(count, 0);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn reset_branch(&self, name: &str, to: &Moment) -> Result<()> {
        self.execute_batch(&format!("RESET BRANCH {} TO {}", quoted(name), to.sql()))
    }
}

#[cfg(test)]
mod tests;
