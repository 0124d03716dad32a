//! BACKUP and RESTORE in SQL: whole, or what changed since the backup before.
//!
//! A backup holds the newest commit, because a checkpoint is made first. The newest backup is
//! noted with the branches, so that an increment knows what it stands on; a restore finds the
//! chain of an increment by looking at the files beside it. An open database is not replaced: a
//! restore makes a new file. Neighbours: the storage crate copies, verifies and restores pages.

use std::path::{Path, PathBuf};

use pandodb_ds::backup::{Backup, BackupInfo, inspect, restore, verify};
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::Vfs;

use super::show::text;
use super::{Rows, Work};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};

/// The columns of BACKUP.
pub(super) const COLUMNS: &[&str] = &["status", "file", "transaction_id", "bytes"];

/// The columns of RESTORE.
pub(super) const RESTORE_COLUMNS: &[&str] =
    &["status", "file", "transaction_id", "bytes", "backups"];

impl Work<'_> {
    /// BACKUP DATABASE TO and BACKUP INCREMENTAL TO.
    pub(super) fn backup(&self, file: &str, incremental: bool) -> Result<Rows> {
        self.owner("back the database up")?;
        let manager = self.branches.manager();
        let store = manager.store();
        if manager.is_in_memory() {
            let message = "a database in memory has no file to copy pages from";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_hint("VACUUM INTO 'file' writes it as a database"));
        }
        let base = if incremental { Some(self.last_backup(store.vfs())?) } else { None };
        self.session.database(DatabaseIndex::MAIN)?.0.settle_pages()?;
        let path = Path::new(file);
        let mut backup = Backup::start(store, path, base.as_ref()).map_err(Error::from)?;
        loop {
            self.session.check_stopped()?;
            if backup.next(PAGES_AT_ONCE)?.is_done {
                break;
            }
        }
        let bytes = backup.progress().bytes;
        let info = backup.close()?;
        let chain = chain(store.vfs(), path, &info)?;
        let paths: Vec<&Path> = chain.iter().map(PathBuf::as_path).collect();
        self.session.stoppable(|goes_on| verify(&**store.vfs(), &paths, goes_on))?;
        // Where nothing may be changed the next increment stands on the backup before.
        if !manager.is_read_only() && self.session.check_may_change().is_ok() {
            self.branches.note_backup(file, info.id)?;
        }
        let status = if incremental { "incremental backup" } else { "full backup" };
        Ok(vec![vec![
            text(status),
            text(file),
            Value::Integer(info.commit() as i64),
            Value::Integer(bytes as i64),
        ]])
    }

    /// What the newest backup says of itself.
    fn last_backup(&self, vfs: &Arc<dyn Vfs>) -> Result<BackupInfo> {
        let known = self.branches.with(|state| state.last_backup().cloned())?;
        let Some(known) = known else {
            let error = Error::new(ErrorKind::NotFound, "there is no backup to stand on");
            return Err(error.with_hint("BACKUP DATABASE TO 'file' takes a full one"));
        };
        let hint = "BACKUP DATABASE TO 'file' takes a full one";
        let info = inspect(&**vfs, Path::new(&known.file)).map_err(|cause| {
            let message = format!("the newest backup cannot be read: {cause}");
            Error::new(ErrorKind::CannotOpen, message).with_hint(hint)
        })?;
        if info.id != known.id {
            let message = format!("{} is not the newest backup any more", known.file);
            return Err(Error::new(ErrorKind::CannotOpen, message).with_hint(hint));
        }
        Ok(info)
    }

    /// RESTORE DATABASE FROM .. TO ..
    pub(super) fn restore(&self, file: &str, to: Option<&str>) -> Result<Rows> {
        self.owner("restore a backup")?;
        let Some(to) = to else {
            let message = "a database that is open cannot be replaced";
            let hint = format!(
                "RESTORE DATABASE FROM '{file}' TO 'new file' makes a new one, to open or ATTACH"
            );
            return Err(Error::new(ErrorKind::Unsupported, message).with_hint(hint));
        };
        let vfs = Arc::clone(self.branches.manager().store().vfs());
        pandodb_tm::check_no_log(&*vfs, Path::new(to))?;
        let path = Path::new(file);
        let told = |what: &str, file: &str, cause: pandodb_ds::Error| {
            let message = format!("{what} {file}: {cause}");
            Error::new(Error::from(cause).kind(), message)
        };
        let info =
            inspect(&*vfs, path).map_err(|cause| told("cannot read the backup", file, cause))?;
        let chain = chain(&vfs, path, &info)?;
        let paths: Vec<&Path> = chain.iter().map(PathBuf::as_path).collect();
        let restored = self.session.stoppable(|goes_on| {
            restore(&vfs, &paths, Path::new(to), goes_on)
                .map_err(|cause| told("cannot restore into", to, cause))
        })?;
        Ok(vec![vec![
            text("restored"),
            text(to),
            Value::Integer(restored.backup.commit() as i64),
            Value::Integer(restored.bytes as i64),
            Value::Integer(paths.len() as i64),
        ]])
    }
}

const PAGES_AT_ONCE: usize = 256;

/// The files of a backup and those it stands on, the full one first.
fn chain(vfs: &Arc<dyn Vfs>, newest: &Path, info: &BackupInfo) -> Result<Vec<PathBuf>> {
    let mut chain = vec![newest.to_path_buf()];
    let mut wanted = info.base;
    if wanted.is_none() {
        return Ok(chain);
    }
    let folder = newest.parent().unwrap_or_else(|| Path::new(""));
    let beside: Vec<(PathBuf, BackupInfo)> = vfs
        .list(folder)?
        .into_iter()
        .filter_map(|path| Some((path.clone(), inspect(&**vfs, &path).ok()?)))
        .collect();
    while let Some(id) = wanted {
        let Some((path, info)) = beside.iter().find(|(_, info)| info.id == id) else {
            let message = format!("a backup that {} stands on is missing", newest.display());
            return Err(Error::new(ErrorKind::CannotOpen, message)
                .with_hint("put all files of the chain into one folder"));
        };
        if chain.contains(path) {
            let message = format!("the backups of {} stand on each other", newest.display());
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        chain.push(path.clone());
        wanted = info.base;
    }
    chain.reverse();
    Ok(chain)
}
