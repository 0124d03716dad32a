//! The engine's backups behind this crate's types.
//!
//! Neighbours: `crate::backup` is what programs see of it.

use std::path::Path;

use pandodb_ds::backup::{Backup as InnerBackup, BackupInfo as StoredInfo, Progress};
use pandodb_ds::sync::Arc;
use pandodb_ds::vfs::{OsVfs, Vfs};

use super::session::{Database, convert};
use crate::backup::{BackupInfo, BackupProgress, info};
use crate::error::Result;

/// A backup that is being taken.
#[derive(Debug)]
pub(crate) struct Backup(InnerBackup);

fn told(progress: Progress) -> BackupProgress {
    BackupProgress {
        pages: progress.pages,
        remaining: progress.remaining,
        bytes: progress.bytes,
        bytes_expected: progress.bytes_expected,
        is_done: progress.is_done,
    }
}

fn failed(error: pandodb_ds::Error) -> crate::Error {
    convert(pandodb_qp::Error::from(error), "")
}

fn known(stored: &StoredInfo) -> BackupInfo {
    info(stored.commit(), stored.time_micros(), stored.is_full())
}

impl Backup {
    pub(crate) fn next(&mut self, pages: usize) -> Result<BackupProgress> {
        self.0.next(pages).map(told).map_err(failed)
    }

    pub(crate) fn progress(&self) -> BackupProgress {
        told(self.0.progress())
    }

    pub(crate) fn close(self) -> Result<BackupInfo> {
        self.0.close().map(|info| known(&info)).map_err(failed)
    }
}

impl Database {
    pub(crate) fn start_backup(&self, target: &Path, base: Option<&Path>) -> Result<Backup> {
        self.owner("back the database up")?;
        let manager = self.inner().manager();
        // The backup is of the newest checkpoint.
        self.inner().settle_pages().map_err(|error| convert(error, ""))?;
        let store = manager.store();
        let base = base.map(|base| pandodb_ds::backup::inspect(&**store.vfs(), base));
        let base = base.transpose().map_err(failed)?;
        InnerBackup::start(store, target, base.as_ref()).map(Backup).map_err(failed)
    }
}

pub(crate) fn restore(
    backups: &[&Path],
    target: &Path,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<BackupInfo> {
    let vfs: Arc<dyn Vfs> = Arc::new(OsVfs::new());
    pandodb_tm::check_no_log(&*vfs, target)
        .map_err(|error| convert(pandodb_qp::Error::from(error), ""))?;
    let restored = pandodb_ds::backup::restore(&vfs, backups, target, progress);
    restored.map(|restored| known(&restored.backup)).map_err(failed)
}
