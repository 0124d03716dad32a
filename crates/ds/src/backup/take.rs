//! Taking a backup, some pages at a time.
//!
//! The file is written beside its target, read back and compared with its checksum, and only
//! then renamed: a target that exists is a whole backup. Neighbours: `file` has the bytes.

use std::path::{Path, PathBuf};

use super::file::{BackupInfo, Output, Scan};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::GRANULE_BYTES;
use crate::pager::{Pager, Reach};
use crate::store::{Pin, Store};
use crate::sync::Arc;
use crate::vfs::{DatabaseLock, Vfs};

/// How far a backup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pages copied.
    pub pages: u64,
    /// Pages that are known to be still missing; more may be found below them.
    pub remaining: u64,
    /// Bytes in the backup file.
    pub bytes: u64,
    /// About how many bytes a full backup is going to have, an increment at most.
    pub bytes_expected: u64,
    /// Whether the backup is complete, verified and durable under its name.
    pub is_done: bool,
}

#[derive(Debug)]
enum Phase {
    Copying {
        output: Output,
        reach: Reach,
    },
    Verifying {
        scan: Scan,
    },
    Done,
    /// A step failed; what it was is known to who called it.
    Failed,
}

/// A backup that is being taken. Dropping one that is not complete removes its file.
#[derive(Debug)]
pub struct Backup {
    vfs: Arc<dyn Vfs>,
    pager: Arc<Pager>,
    info: BackupInfo,
    target: PathBuf,
    partial: PathBuf,
    phase: Phase,
    pages: u64,
    bytes: u64,
    bytes_expected: u64,
    /// Nobody else writes the target, and it is no open database.
    _lock: Box<dyn DatabaseLock>,
    /// Keeps the pages of the checkpoint.
    _pin: Pin,
}

impl Backup {
    /// Begins a backup of the newest checkpoint of `store` into the new file `target`: of
    /// everything, or of what is not in `base` (see [`inspect`](super::inspect)) and the backups
    /// it stands on.
    pub fn start(store: &Store, target: &Path, base: Option<&BackupInfo>) -> Result<Self> {
        let vfs = Arc::clone(store.vfs());
        let lock = vfs.lock(target)?;
        if vfs.exists(target)? {
            let message = "a backup does not overwrite a file that exists";
            return Err(Error::new(ErrorKind::Exists, message).in_file(target));
        }
        let frozen = store.freeze();
        if let Some(base) = base {
            check_base(base, &frozen.superblock.database, frozen.superblock.checkpoint)
                .map_err(|error| error.in_file(target))?;
        }
        let mut id = [0; 16];
        vfs.random(&mut id);
        let info = BackupInfo {
            id,
            base: base.map(|base| base.id),
            since: base.map_or(0, |base| base.until),
            until: frozen.until,
            superblock: frozen.superblock,
        };
        let partial = beside(target, "-partial");
        if vfs.exists(&partial)? {
            // Left by a backup that a crash ended: the lock tells that nobody writes it.
            vfs.remove(&partial)?;
        }
        let output = Output::create(&*vfs, &partial, &info)?;
        let pager = Arc::clone(store.pager());
        let reach = Reach::new(info.superblock.registry.page, info.since);
        let bytes_expected = pager.space.counts().reachable() * GRANULE_BYTES;
        Ok(Self {
            vfs,
            pager,
            info,
            target: target.to_path_buf(),
            partial,
            bytes: output.bytes(),
            phase: Phase::Copying { output, reach },
            pages: 0,
            bytes_expected,
            _lock: lock,
            _pin: frozen.pin,
        })
    }

    /// What the backup is going to be.
    pub fn info(&self) -> &BackupInfo {
        &self.info
    }

    /// How far the backup is.
    pub fn progress(&self) -> Progress {
        let remaining = match &self.phase {
            Phase::Copying { reach, .. } => reach.remaining() as u64,
            _ => 0,
        };
        Progress {
            pages: self.pages,
            remaining,
            bytes: self.bytes,
            bytes_expected: self.bytes_expected,
            is_done: matches!(self.phase, Phase::Done),
        }
    }

    /// Copies up to `pages` pages more (or, at the end, verifies as many). After an error the
    /// backup cannot go on.
    pub fn next(&mut self, pages: usize) -> Result<Progress> {
        match std::mem::replace(&mut self.phase, Phase::Failed) {
            Phase::Copying { output, reach } => self.copy(output, reach, pages.max(1))?,
            Phase::Verifying { scan } => self.verify(scan, pages.max(1))?,
            Phase::Done => self.phase = Phase::Done,
            Phase::Failed => {
                let message = "an earlier step of this backup failed: start another one";
                return Err(Error::new(ErrorKind::Interrupted, message).in_file(&self.target));
            }
        }
        Ok(self.progress())
    }

    fn copy(&mut self, mut output: Output, mut reach: Reach, pages: usize) -> Result<()> {
        for _ in 0..pages {
            let Some(reached) = reach.next(&self.pager)? else {
                output.finish()?;
                let scan = Scan::open(&*self.vfs, &self.partial)?;
                self.phase = Phase::Verifying { scan };
                return Ok(());
            };
            for stored in reached.base.iter().chain(&reached.delta) {
                output.put_extent(stored.granule, &self.pager.read_extent(stored)?)?;
            }
            self.pages += 1;
            self.bytes = output.bytes();
        }
        self.phase = Phase::Copying { output, reach };
        Ok(())
    }

    fn verify(&mut self, mut scan: Scan, pages: usize) -> Result<()> {
        for _ in 0..pages {
            if scan.next()?.is_none() {
                self.vfs.rename(&self.partial, &self.target)?;
                if let Some(directory) = self.target.parent() {
                    self.vfs.sync_directory(directory)?;
                }
                self.phase = Phase::Done;
                return Ok(());
            }
        }
        self.phase = Phase::Verifying { scan };
        Ok(())
    }

    /// Ends the backup: complete, it tells what increments can stand on; else its file is
    /// removed and the error says so.
    pub fn close(self) -> Result<BackupInfo> {
        if matches!(self.phase, Phase::Done) {
            return Ok(self.info.clone());
        }
        let message = "the backup was closed before it was complete: there is none";
        Err(Error::new(ErrorKind::Interrupted, message).in_file(&self.target))
    }

    /// Takes a whole backup in one go.
    pub fn run(store: &Store, target: &Path, base: Option<&BackupInfo>) -> Result<BackupInfo> {
        let mut backup = Self::start(store, target, base)?;
        while !backup.next(256)?.is_done {}
        backup.close()
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        if !matches!(self.phase, Phase::Done) {
            self.phase = Phase::Failed;
            // What cannot be removed is known as incomplete by its name and its missing end.
            let _ = self.vfs.remove(&self.partial);
        }
    }
}

/// Whether a backup of `database` at `checkpoint` can stand on `base`.
fn check_base(base: &BackupInfo, database: &[u8; 16], checkpoint: u64) -> Result<()> {
    if base.database() != *database {
        let message = "the base is a backup of another database (a restored database is another \
                       one, too): take a full backup";
        return Err(Error::new(ErrorKind::Mismatch, message));
    }
    if base.superblock.checkpoint > checkpoint {
        return Err(Error::new(
            ErrorKind::Mismatch,
            format!(
                "the base is of checkpoint {}, newer than the database at checkpoint \
                 {checkpoint}: take a full backup",
                base.superblock.checkpoint
            ),
        ));
    }
    Ok(())
}

/// `path` with `suffix` behind its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}
