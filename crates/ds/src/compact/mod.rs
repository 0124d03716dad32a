//! Compacting: everything that is reachable in key order, and no free space.
//!
//! Compacting writes a new file and never moves pages inside an open one: heads in memory,
//! snapshots and open transactions refer to pages by place, and none of them could be told.
//! [`copy_to`] writes a compacted copy of an open store while readers and writers go on
//! (`VACUUM INTO`); [`compact`] replaces a database that nobody has open, atomically. Both need
//! room for the second file. Two ways need none: every checkpoint cuts free space off the end of
//! the file, and `tree::relocate` copies what lies there further down, as changes of its heads,
//! while everything goes on. Neighbours: `rewrite` does the work.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::rewrite::{self, NewFile};
use crate::store::{Store, StoreOptions};
use crate::sync::Arc;
use crate::vfs::Vfs;

/// What compacting did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The length of the file before.
    pub bytes_before: u64,
    /// The length of the new file.
    pub bytes_after: u64,
}

/// Writes a compacted copy of the newest checkpoint of `store` into the new file `target`. The
/// copy is a database of its own with a new identity. `progress` hears the pages copied and stops
/// the copy by answering `false`, which leaves nothing behind.
pub fn copy_to(
    store: &Store,
    target: &Path,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Compacted> {
    let new = NewFile::create(store.vfs(), target)?;
    let frozen = store.freeze();
    let mut superblock = frozen.superblock;
    store.vfs().random(&mut superblock.database);
    let bytes_before = store.info()?.file_bytes;
    let bytes_after = rewrite::copy(store.pager(), &superblock, &new, progress)?;
    new.publish(progress)?;
    drop(frozen.pin);
    Ok(Compacted { bytes_before, bytes_after })
}

/// Compacts the database at `path`, which nobody may have open: its lock is held meanwhile. A
/// crash leaves the old file or the new one. The identity, the commit and the place in the log
/// stay; the next increment of a backup holds every page.
pub fn compact(
    vfs: &Arc<dyn Vfs>,
    path: &Path,
    options: &StoreOptions,
    progress: &mut dyn FnMut(u64) -> bool,
) -> Result<Compacted> {
    if options.is_read_only {
        let message = "a database that is opened for reading only is not compacted";
        return Err(Error::new(ErrorKind::ReadOnly, message).in_file(path));
    }
    let options = StoreOptions { creates: false, ..options.clone() };
    let store = Store::open(vfs, path, &options)?;
    let new = NewFile::replacing(vfs, path)?;
    let bytes_before = store.info()?.file_bytes;
    let superblock = store.freeze().superblock;
    let bytes_after = rewrite::copy(store.pager(), &superblock, &new, progress)?;
    new.publish(progress)?;
    // The lock goes last, with the store: nobody opens the old file in between.
    drop(store);
    Ok(Compacted { bytes_before, bytes_after })
}
