//! Backups: taken page by page beside all other work, verified, and restored.
//!
//! Neighbours: `database` begins them.

use std::path::Path;
use std::time::SystemTime;

use crate::branch::time_of;
use crate::database::Database;
use crate::engine;
use crate::error::Result;

/// How far a backup is.
///
/// ```
/// # fn show(progress: pandodb::BackupProgress) {
/// println!("{} of about {} bytes", progress.bytes, progress.bytes_expected);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupProgress {
    /// Pages that are copied.
    pub pages: u64,
    /// Pages that are known to be missing; more may be found below them.
    pub remaining: u64,
    /// Bytes in the backup so far.
    pub bytes: u64,
    /// How many it is going to have, about.
    pub bytes_expected: u64,
    /// Whether it is complete, verified and durable under its name.
    pub is_done: bool,
}

/// What a backup is of.
///
/// ```
/// # fn show(info: pandodb::BackupInfo) {
/// println!("commit {} at {:?}", info.commit, info.time);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupInfo {
    /// The newest commit in it.
    pub commit: u64,
    /// When it was begun.
    pub time: SystemTime,
    /// Whether it can be restored by itself.
    pub is_full: bool,
}

/// A backup that is being taken; dropping it before its end removes its file.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let (from, to) = (folder.path().join("app.pando"), folder.path().join("app.backup"));
/// # let again = folder.path().join("again.pando");
/// let database = pandodb::Database::open(&from)?;
/// database.connect()?.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// let mut backup = database.start_backup(&to)?;
/// while !backup.next(100)?.is_done {}
/// assert!(backup.close()?.is_full);
///
/// pandodb::restore(&[&to], &again)?;
/// pandodb::Database::open(&again)?.connect()?.execute_batch("SELECT * FROM tree")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Backup {
    inner: engine::Backup,
}

impl Backup {
    /// Copies so many pages more, or at the end verifies as many.
    ///
    /// ```no_run
    /// # let database = pandodb::Database::open("app.pando")?;
    /// let mut backup = database.start_backup("app.backup")?;
    /// while !backup.next(256)?.is_done {}
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[allow(clippy::should_implement_trait, reason = "it takes how many, and may fail")]
    pub fn next(&mut self, pages: usize) -> Result<BackupProgress> {
        self.inner.next(pages)
    }

    /// How far it is.
    ///
    /// ```no_run
    /// # let database = pandodb::Database::open("app.pando")?;
    /// let backup = database.start_backup("app.backup")?;
    /// println!("{} pages", backup.progress().pages);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn progress(&self) -> BackupProgress {
        self.inner.progress()
    }

    /// Ends it; an error where it was not complete, and then there is no file.
    ///
    /// ```no_run
    /// # let database = pandodb::Database::open("app.pando")?;
    /// let backup = database.start_backup("app.backup")?;
    /// assert!(backup.close().is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn close(self) -> Result<BackupInfo> {
        self.inner.close()
    }
}

impl Database {
    /// Begins a backup of all branches into a new file, as they are now. Others go on reading and
    /// writing meanwhile.
    ///
    /// ```no_run
    /// let database = pandodb::Database::open("app.pando")?;
    /// let mut backup = database.start_backup("app.backup")?;
    /// while !backup.next(256)?.is_done {}
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn start_backup(&self, target: impl AsRef<Path>) -> Result<Backup> {
        Ok(Backup { inner: self.inner.start_backup(target.as_ref(), None)? })
    }

    /// As [`start_backup`](Self::start_backup), of what is not in the backup `base`; to be
    /// restored together with it.
    ///
    /// ```no_run
    /// let database = pandodb::Database::open("app.pando")?;
    /// let mut backup = database.start_incremental_backup("monday.backup", "tuesday.backup")?;
    /// while !backup.next(256)?.is_done {}
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn start_incremental_backup(
        &self,
        base: impl AsRef<Path>,
        target: impl AsRef<Path>,
    ) -> Result<Backup> {
        let inner = self.inner.start_backup(target.as_ref(), Some(base.as_ref()))?;
        Ok(Backup { inner })
    }

    /// Takes a whole backup in one go.
    ///
    /// ```no_run
    /// pandodb::Database::open("app.pando")?.backup("app.backup")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn backup(&self, target: impl AsRef<Path>) -> Result<BackupInfo> {
        let mut backup = self.start_backup(target)?;
        while !backup.next(256)?.is_done {}
        backup.close()
    }
}

/// Makes a new database of a full backup and its increments, given in their order. Everything
/// is verified before the file gets its name.
///
/// ```no_run
/// pandodb::restore(&["monday.backup", "tuesday.backup"], "again.pando")?;
/// # Ok::<(), pandodb::Error>(())
/// ```
pub fn restore<P: AsRef<Path>>(backups: &[P], target: impl AsRef<Path>) -> Result<BackupInfo> {
    restore_with(backups, target, |_| true)
}

/// As [`restore`], telling how many records and pages were handled; false stops it and leaves
/// nothing behind.
///
/// ```no_run
/// pandodb::restore_with(&["app.backup"], "again.pando", |handled| handled < 1_000_000)?;
/// # Ok::<(), pandodb::Error>(())
/// ```
pub fn restore_with<P: AsRef<Path>>(
    backups: &[P],
    target: impl AsRef<Path>,
    mut progress: impl FnMut(u64) -> bool,
) -> Result<BackupInfo> {
    let backups: Vec<&Path> = backups.iter().map(AsRef::as_ref).collect();
    engine::restore(&backups, target.as_ref(), &mut progress)
}

/// What the engine tells of a backup in this crate's words.
pub(crate) fn info(commit: u64, micros: i64, is_full: bool) -> BackupInfo {
    BackupInfo { commit, time: time_of(micros), is_full }
}
