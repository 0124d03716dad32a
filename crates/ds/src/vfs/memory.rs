//! Files that live and die with the process, for `:memory:` databases and quick tests.
//!
//! Names map to shared contents, so that an open file stays usable after its removal, as it does
//! on a real disk. Everything is durable at once: a sync has nothing to do. Directories need not
//! be made; one exists when a file is in it. Neighbours: `buffer` (the contents), `os` (whose
//! clock and randomness serve here too unless others are passed in), `sim` (memory that crashes).

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::buffer::Buffer;
use super::lock::HeldLocks;
use super::{Clock, DatabaseLock, File, OpenMode, OsClock, OsVfs, Vfs, end_of, plain};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::{Arc, Mutex, RwLock};

/// A file system in memory; clones share it.
#[derive(Clone)]
pub struct MemoryVfs {
    names: Arc<Mutex<Names>>,
    clock: Arc<dyn Clock>,
    /// A seeded generator, or none for the operating system's randomness.
    random: Option<Arc<Mutex<fastrand::Rng>>>,
}

#[derive(Debug, Default)]
struct Names {
    files: BTreeMap<PathBuf, Arc<RwLock<Buffer>>>,
    locks: HeldLocks,
}

impl MemoryVfs {
    /// An empty file system with the clock and the randomness of the operating system.
    pub fn new() -> Self {
        Self { names: Arc::default(), clock: Arc::new(OsClock), random: None }
    }

    /// An empty file system with another clock, and randomness that `seed` decides.
    pub fn with_clock_and_seed(clock: Arc<dyn Clock>, seed: u64) -> Self {
        let random = Some(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))));
        Self { names: Arc::default(), clock, random }
    }
}

impl Default for MemoryVfs {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryVfs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryVfs").finish_non_exhaustive()
    }
}

impl Vfs for MemoryVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>> {
        let mut names = self.names.lock();
        let found = names.files.get(plain(path)).map(Arc::clone);
        let contents = match (found, mode) {
            (Some(_), OpenMode::CreateNew) => return Err(already_there(path)),
            (Some(contents), _) => contents,
            (None, OpenMode::Create | OpenMode::CreateNew) => {
                let contents = Arc::<RwLock<Buffer>>::default();
                names.files.insert(plain(path).to_path_buf(), Arc::clone(&contents));
                contents
            }
            (None, OpenMode::Read | OpenMode::Write) => return Err(missing("open", path)),
        };
        let writable = mode != OpenMode::Read;
        Ok(Arc::new(MemoryFile { contents, path: path.to_path_buf(), writable }))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DatabaseLock>> {
        let path = plain(path).to_path_buf();
        let token = self.names.lock().locks.take(&path)?;
        Ok(Box::new(MemoryLock { names: Arc::clone(&self.names), path, token }))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let removed = self.names.lock().files.remove(plain(path));
        removed.map(drop).ok_or_else(|| missing("remove", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let mut names = self.names.lock();
        let contents = names.files.remove(plain(from)).ok_or_else(|| missing("rename", from))?;
        names.files.insert(plain(to).to_path_buf(), contents);
        Ok(())
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.names.lock().files.contains_key(plain(path)))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        Ok(super::list_names(self.names.lock().files.keys(), directory))
    }

    fn sync_directory(&self, _directory: &Path) -> Result<()> {
        Ok(())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn random(&self, bytes: &mut [u8]) {
        match &self.random {
            Some(random) => random.lock().fill(bytes),
            None => OsVfs.random(bytes),
        }
    }
}

/// The error for a path without a file.
pub(super) fn missing(action: &str, path: &Path) -> Error {
    Error::new(ErrorKind::NotFound, format!("cannot {action}: there is no such file")).in_file(path)
}

/// The error for a new file in the place of another.
pub(super) fn already_there(path: &Path) -> Error {
    Error::new(ErrorKind::Exists, "cannot create: the file exists already").in_file(path)
}

/// The error for a change through a handle for reading.
pub(super) fn read_only(path: &Path) -> Error {
    Error::new(ErrorKind::ReadOnly, "the file was opened for reading only").in_file(path)
}

#[derive(Debug)]
struct MemoryLock {
    names: Arc<Mutex<Names>>,
    path: PathBuf,
    token: u64,
}

impl DatabaseLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.names.lock().locks.release(&self.path, self.token);
    }
}

struct MemoryFile {
    contents: Arc<RwLock<Buffer>>,
    path: PathBuf,
    writable: bool,
}

impl MemoryFile {
    fn check_writable(&self) -> Result<()> {
        if self.writable { Ok(()) } else { Err(read_only(&self.path)) }
    }
}

impl fmt::Debug for MemoryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl File for MemoryFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        Ok(self.contents.read().read(offset, buffer))
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        end_of(offset, bytes.len(), &self.path)?;
        self.contents.write().write(offset, bytes).map_err(|cause| {
            Error::new(ErrorKind::Full, "no memory is left for this file")
                .in_file(&self.path)
                .at_offset(offset)
                .caused_by(cause)
        })
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn len(&self) -> Result<u64> {
        Ok(self.contents.read().len())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.check_writable()?;
        end_of(len, 0, &self.path)?;
        self.contents.write().set_len(len);
        Ok(())
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.check_writable()?;
        end_of(len, 0, &self.path)?;
        let mut contents = self.contents.write();
        let len = contents.len().max(len);
        contents.set_len(len);
        Ok(())
    }

    fn path(&self) -> &Path {
        &self.path
    }
}
