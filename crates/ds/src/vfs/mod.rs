//! Everything outside the process: files, directories, the clock and randomness, behind traits.
//!
//! No other module of the workspace's libraries touches `std::fs`, a clock or a random
//! generator. [`os`] is the real thing, [`memory`] serves `:memory:` databases, [`sim`] is the
//! disk that lies and crashes on demand; [`machine`] tells how much memory there is. Neighbours:
//! `pager` and `checkpoint` read and write through [`File`], the transaction crate's log as well.

pub mod machine;
pub mod memory;
pub mod os;
pub mod sim;

mod buffer;
mod lock;

#[cfg(test)]
mod conformance;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Result;
use crate::sync::Arc;

pub use memory::MemoryVfs;
pub use os::{OsClock, OsVfs};
pub use sim::{Fault, FaultRates, OperationKind, SimVfs, Survival};

/// How [`Vfs::open`] treats an existing or a missing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// The file must exist; only reads are allowed.
    Read,
    /// The file must exist; reads and writes.
    Write,
    /// Opened for reading and writing, created (readable by its owner only) when missing.
    Create,
    /// Created; an existing file is an [`Exists`](crate::ErrorKind::Exists) error.
    CreateNew,
}

/// An open file, read and written at positions, shared by threads.
pub trait File: Send + Sync + Debug {
    /// Fills `buffer` from `offset`; fewer bytes come back only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize>;

    /// Writes all of `bytes` at `offset`, growing the file where needed (a gap reads as zeros).
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Returns when everything written before is durable. After an error nothing may be assumed
    /// about any write since the last successful sync.
    fn sync(&self) -> Result<()>;

    /// The length in bytes.
    fn len(&self) -> Result<u64>;

    /// Whether the file holds no byte.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts or extends (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> Result<()>;

    /// Reserves room up to `len` bytes so that later writes there do not change the file's size:
    /// the file is at least `len` bytes long afterwards, and never shorter than before.
    fn allocate(&self, len: u64) -> Result<()>;

    /// Fills all of `buffer` from `offset`; a file that ends before is a corrupt file.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let read = self.read_at(offset, buffer)?;
        if read == buffer.len() {
            return Ok(());
        }
        Err(crate::Error::corrupt(format!(
            "the file ends early: expected {} bytes, found {read}",
            buffer.len()
        ))
        .at_offset(offset)
        .in_file(self.path()))
    }

    /// The path the file was opened by.
    fn path(&self) -> &Path;
}

/// Files by path, with the clock and the randomness that belong to the same world.
pub trait Vfs: Send + Sync + Debug {
    /// Opens a file without locking it.
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>>;

    /// Takes the exclusive lock on the database at `path` until the result is dropped. The
    /// lock vanishes with the process. A second taker, in this process or another, gets
    /// [`Locked`](crate::ErrorKind::Locked) with the holder's name and process id.
    fn lock(&self, path: &Path) -> Result<Box<dyn DatabaseLock>>;

    /// Removes a file; one that is missing is a `NotFound` error.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Renames a file over `to`, atomically; durable after [`Vfs::sync_directory`].
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Whether a file is there.
    fn exists(&self, path: &Path) -> Result<bool>;

    /// The files (not the folders) in `directory`, sorted, as paths that begin with it.
    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>>;

    /// Makes creations, removals and renames in `directory` durable.
    fn sync_directory(&self, directory: &Path) -> Result<()>;

    /// The clock of this world.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Fills `bytes` with randomness.
    fn random(&self, bytes: &mut [u8]);
}

/// Held while a database is open; dropping it lets the next opener in.
pub trait DatabaseLock: Send + Sync + Debug {}

/// Time, injected.
pub trait Clock: Send + Sync + Debug {
    /// Microseconds since 1970-01-01 UTC.
    fn now_micros(&self) -> i64;

    /// Time since an arbitrary start that never goes back.
    fn monotonic(&self) -> Duration;

    /// Lets `duration` pass (a simulated clock advances at once).
    fn sleep(&self, duration: Duration);
}

/// The longest file: what every system's offsets can express.
const MAX_FILE: u64 = i64::MAX as u64;

/// Where `len` bytes from `offset` on end, if a file can be that long.
fn end_of(offset: u64, len: usize, path: &Path) -> Result<u64> {
    let end = offset.checked_add(len as u64).filter(|end| *end <= MAX_FILE);
    end.ok_or_else(|| {
        crate::Error::new(crate::ErrorKind::Limit, "no file can be this long")
            .in_file(path)
            .at_offset(offset)
    })
}

/// A path as the worlds in memory know it: `./name` is `name`.
fn plain(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

/// Those of `files` that are directly in `directory`, for the worlds in memory.
fn list_names<'a>(files: impl Iterator<Item = &'a PathBuf>, directory: &Path) -> Vec<PathBuf> {
    let inside = files.filter(|file| file.parent() == Some(plain(directory)));
    let mut listed: Vec<PathBuf> =
        inside.filter_map(|file| file.file_name()).map(|name| directory.join(name)).collect();
    listed.sort();
    listed
}
