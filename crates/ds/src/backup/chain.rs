//! A full backup and its increments, read as if they were the database file.
//!
//! Every extent is found by the granule where it started in the database; where several
//! increments have one there, the newest counts. So the pager reads a chain like a database, with
//! all its checks, and nothing is trusted that a page reference does not vouch for. Neighbours:
//! `restore` builds one.

use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::file::{BackupInfo, Scan};
use crate::error::{Error, ErrorKind, Result};
use crate::limits::GRANULE_BYTES;
use crate::sync::Arc;
use crate::vfs::{File, Vfs};

/// A verified chain.
#[derive(Debug)]
pub(super) struct Chain {
    parts: Vec<Arc<dyn File>>,
    /// By granule: the part, where the bytes stand in it, and how many.
    extents: FxHashMap<u64, (u32, u64, u32)>,
    path: PathBuf,
    /// Of the newest part.
    pub(super) info: BackupInfo,
}

impl Chain {
    /// Verifies a full backup and its increments in their order and indexes them; `progress`
    /// hears the records read and stops the work by answering `false`.
    pub(super) fn open(
        vfs: &dyn Vfs,
        paths: &[&Path],
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Self> {
        let mut chain: Option<Self> = None;
        let mut records = 0;
        for path in paths {
            let mut scan = Scan::open(vfs, path)?;
            match &chain {
                None if !scan.info.is_full() => {
                    let message = "a chain begins with a full backup, this is an increment";
                    return Err(Error::new(ErrorKind::Mismatch, message).in_file(path));
                }
                None => {}
                Some(chain) => {
                    check_follows(&chain.info, &scan.info).map_err(|error| error.in_file(path))?;
                }
            }
            let info = scan.info.clone();
            let chain = chain.get_or_insert_with(|| Self {
                parts: Vec::new(),
                extents: FxHashMap::default(),
                path: path.to_path_buf(),
                info: info.clone(),
            });
            chain.info = info;
            chain.path = path.to_path_buf();
            let part = chain.parts.len() as u32;
            while let Some(record) = scan.next()? {
                chain.extents.insert(record.granule.0, (part, record.offset, record.length));
                records += 1;
                if records % 64 == 0 && !progress(records) {
                    let message = "the restore was interrupted";
                    return Err(Error::new(ErrorKind::Interrupted, message));
                }
            }
            chain.parts.push(Arc::clone(&scan.file));
        }
        chain.ok_or_else(|| Error::new(ErrorKind::Mismatch, "there is no backup to restore"))
    }
}

/// Whether `increment` stands on the very backup `base`.
fn check_follows(base: &BackupInfo, increment: &BackupInfo) -> Result<()> {
    let mismatch = |message: &str| Err(Error::new(ErrorKind::Mismatch, message));
    if increment.is_full() {
        return mismatch("a full backup cannot stand on another backup");
    }
    if increment.database() != base.database() {
        return mismatch("the increment is of another database than the backup before it");
    }
    if increment.base != Some(base.id) || increment.since != base.until {
        return mismatch(
            "the increment does not stand on the backup before it: one is missing, \
                         or they are in the wrong order",
        );
    }
    Ok(())
}

impl File for Chain {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let found = self.extents.get(&(offset / GRANULE_BYTES));
        let Some((part, at, length)) = found.filter(|_| offset.is_multiple_of(GRANULE_BYTES))
        else {
            let message = format!("the backup lacks the extent at offset {offset} of the database");
            return Err(Error::corrupt(message).in_file(&self.path));
        };
        let length = buffer.len().min(*length as usize);
        let part = &self.parts[*part as usize];
        part.read_exact_at(*at, &mut buffer[..length])?;
        Ok(length)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> Result<()> {
        Err(self.refuse())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        Ok(self.info.superblock.granules.saturating_mul(GRANULE_BYTES))
    }

    fn set_len(&self, _: u64) -> Result<()> {
        Err(self.refuse())
    }

    fn allocate(&self, _: u64) -> Result<()> {
        Err(self.refuse())
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

impl Chain {
    fn refuse(&self) -> Error {
        Error::new(ErrorKind::ReadOnly, "a backup is not written to").in_file(&self.path)
    }
}
