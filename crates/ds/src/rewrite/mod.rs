//! Writing everything that a registry reaches into a new file, packed and in key order.
//!
//! What restoring a backup, compacting a database and writing a compacted copy have in common.
//! The new file is written beside its target and gets the target's name only when the integrity
//! check found it clean, so that a crash leaves the target as it was. Neighbours: `copy` moves
//! the pages, `backup` and `compact` use it.

mod copy;

use std::path::{Path, PathBuf};

use crate::check::check;
use crate::error::{Error, ErrorKind, Result};
use crate::format::Superblock;
use crate::limits::GRANULE_BYTES;
use crate::pager::Pager;
use crate::store::{Store, StoreOptions};
use crate::sync::Arc;
use crate::vfs::{DatabaseLock, File, OpenMode, Vfs};

/// A database file that has no name yet. Dropping one that was not published removes it.
#[derive(Debug)]
pub struct NewFile {
    vfs: Arc<dyn Vfs>,
    file: Arc<dyn File>,
    target: PathBuf,
    partial: PathBuf,
    is_published: bool,
    /// None where the caller holds the target.
    _lock: Option<Box<dyn DatabaseLock>>,
}

impl NewFile {
    /// A file that is going to be `target`, where none is now.
    pub fn create(vfs: &Arc<dyn Vfs>, target: &Path) -> Result<Self> {
        let lock = vfs.lock(target)?;
        if vfs.exists(target)? {
            let message = "a file is there already and is not overwritten";
            return Err(Error::new(ErrorKind::Exists, message).in_file(target));
        }
        Self::beside(vfs, target, Some(lock))
    }

    /// A file that is going to take the place of `target`, whose lock the caller holds.
    pub fn replacing(vfs: &Arc<dyn Vfs>, target: &Path) -> Result<Self> {
        Self::beside(vfs, target, None)
    }

    fn beside(
        vfs: &Arc<dyn Vfs>,
        target: &Path,
        lock: Option<Box<dyn DatabaseLock>>,
    ) -> Result<Self> {
        let mut name = target.as_os_str().to_os_string();
        name.push("-partial");
        let partial = PathBuf::from(name);
        if vfs.exists(&partial)? {
            // Left by a crash: the lock on the target tells that nobody writes it.
            vfs.remove(&partial)?;
        }
        Ok(Self {
            file: vfs.open(&partial, OpenMode::CreateNew)?,
            vfs: Arc::clone(vfs),
            target: target.to_path_buf(),
            partial,
            is_published: false,
            _lock: lock,
        })
    }

    /// Checks the file and gives it its name; `progress` hears the pages read and stops the work
    /// by answering `false`, which leaves nothing behind.
    pub fn publish(mut self, progress: &mut dyn FnMut(u64) -> bool) -> Result<()> {
        let options = StoreOptions {
            is_read_only: true,
            cache_bytes: 1024 * 1024,
            ..StoreOptions::default()
        };
        // The lock on the target covers this file too, where nobody else would look.
        let store = Store::open_unlocked(&self.vfs, &self.partial, &options)?;
        let report = check(&store, progress)?;
        drop(store);
        if let Some(problem) = report.problems.first() {
            let message = format!("the new file is not sound and was removed: {problem}");
            return Err(Error::corrupt(message).in_file(&self.target));
        }
        self.vfs.rename(&self.partial, &self.target)?;
        self.is_published = true;
        match self.target.parent() {
            Some(directory) => self.vfs.sync_directory(directory),
            None => Ok(()),
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_published {
            // A file that stays has a name that tells what it is, and the next attempt removes it.
            let _ = self.vfs.remove(&self.partial);
        }
    }
}

/// Copies everything that the registry of `superblock` reaches in `source` to `new`, and makes it
/// durable there under a superblock with the same identity. Every page gets a new birth: an
/// increment must not take it for one that its base has. Returns the length of the file;
/// `progress` hears the pages copied and stops the copy by answering `false`.
pub fn copy(
    source: &Pager,
    superblock: &Superblock,
    new: &NewFile,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<u64> {
    let file = &new.file;
    let copied = copy::copy(source, superblock, file, progress)?;
    file.sync()?;
    file.write_at(Superblock::slot_offset(copied.checkpoint), &copied.encode())?;
    // A space map of a new file ends the file; a file without pages has the two slots alone.
    let bytes = copied.granules * GRANULE_BYTES;
    if file.len()? < bytes {
        file.set_len(bytes)?;
    }
    file.sync()?;
    Ok(bytes)
}
