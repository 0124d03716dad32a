//! Restoring a chain of backups into a new database file.
//!
//! Everything is verified before the file gets its name: every backup's own checksum, the chain,
//! each page's checksum and structure while it is copied, and in the end the integrity check of
//! the new file. Neighbours: `chain` reads the backups, `rewrite` packs the pages.

use std::path::Path;

use super::chain::Chain;
use super::file::{BackupInfo, Scan};
use crate::codec::Codec;
use crate::error::Result;
use crate::format::Superblock;
use crate::pager::Pager;
use crate::rewrite::{self, NewFile};
use crate::space::Space;
use crate::sync::Arc;
use crate::vfs::{File, Vfs};

/// How much a reading pager may keep in memory.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// What a restore made.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The newest backup of the chain.
    pub backup: BackupInfo,
    /// The identity of the new database.
    pub database: [u8; 16],
    /// The length of the new file.
    pub bytes: u64,
}

/// What the backup at `path` says of itself; its content is not verified.
pub fn inspect(vfs: &dyn Vfs, path: &Path) -> Result<BackupInfo> {
    Ok(Scan::open(vfs, path)?.info)
}

/// Verifies a full backup and its increments, given in their order, down to every page's
/// checksum and place, without restoring them. `progress` hears how much was read and stops the
/// work by answering `false`.
pub fn verify(
    vfs: &dyn Vfs,
    backups: &[&Path],
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<BackupInfo> {
    let chain = Chain::open(vfs, backups, progress)?;
    let info = chain.info.clone();
    let pager = reader(chain);
    let mut reach = crate::pager::Reach::new(info.superblock.registry.page, 0);
    while let Some(reached) = reach.next(&pager)? {
        for stored in reached.base.iter().chain(&reached.delta) {
            pager.read_stored(stored)?;
        }
    }
    Ok(info)
}

/// Restores a full backup and its increments, given in their order, into the new database file
/// `target`. `progress` hears how many records and pages were handled and stops the restore by
/// answering `false`, which leaves nothing behind.
///
/// The log of a database that had the same name must not lie beside `target`: the caller looks.
pub fn restore(
    vfs: &Arc<dyn Vfs>,
    backups: &[&Path],
    target: &Path,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Restored> {
    let new = NewFile::create(vfs, target)?;
    let chain = Chain::open(&**vfs, backups, progress)?;
    let backup = chain.info.clone();
    let mut database = [0; 16];
    vfs.random(&mut database);
    let superblock = Superblock { database, ..backup.superblock.clone() };
    let source = reader(chain);
    let bytes = rewrite::copy(&source, &superblock, &new, progress)?;
    new.publish(progress)?;
    Ok(Restored { backup, database, bytes })
}

fn reader(chain: Chain) -> Pager {
    let page_bytes = chain.info.superblock.page_bytes as usize;
    let file: Arc<dyn File> = Arc::new(chain);
    Pager::new(file, Space::new(), CACHE_BYTES, Codec::lz4(), page_bytes)
}
