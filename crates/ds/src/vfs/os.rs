//! The real world: files of the operating system, its clock and its randomness.
//!
//! Reads and writes are positional, so that threads share one handle without a cursor, and go on
//! after short transfers and signals. A sync is a data sync, or a full one when the length has
//! changed since the last: on the systems where a data sync skips the length, the bytes past the
//! old end would be lost otherwise. Files are created for their owner alone. This file and `lock`
//! are the only ones that may name `std::fs`, the clocks and the sources of randomness.
//! Neighbours: `lock` (the database lock), `memory` and `sim` (other worlds).
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this module is the door to the operating system"
)]

use std::fs::{self, File as StdFile, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::{Clock, DatabaseLock, File, OpenMode, Vfs, lock};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Arc, OnceLock};

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsVfs;

impl OsVfs {
    /// The operating system's files.
    pub fn new() -> Self {
        Self
    }
}

impl Vfs for OsVfs {
    fn open(&self, path: &Path, mode: OpenMode) -> Result<Arc<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(mode != OpenMode::Read);
        match mode {
            OpenMode::Read | OpenMode::Write => {}
            OpenMode::Create => _ = options.create(true).truncate(false),
            OpenMode::CreateNew => _ = options.create_new(true),
        }
        owner_only(&mut options);
        let file = options.open(path).map_err(|cause| Error::io("open", path, cause))?;
        let metadata = file.metadata().map_err(|cause| Error::io("inspect", path, cause))?;
        if metadata.is_dir() {
            return Err(Error::io("open", path, io::ErrorKind::IsADirectory.into()));
        }
        Ok(Arc::new(OsFile {
            file,
            path: path.to_path_buf(),
            writable: mode != OpenMode::Read,
            known_len: AtomicU64::new(metadata.len()),
            // A file that was just created, or grown by a process that died before its sync.
            length_changed: AtomicBool::new(true),
        }))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn DatabaseLock>> {
        Ok(Box::new(lock::OsLock::take(path)?))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        fs::remove_file(path).map_err(|cause| Error::io("remove", path, cause))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to)
            .map_err(|cause| Error::io(format_args!("rename to {}", to.display()), from, cause))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        path.try_exists().map_err(|cause| Error::io("look for", path, cause))
    }

    fn list(&self, directory: &Path) -> Result<Vec<PathBuf>> {
        let failed = |cause| Error::io("list", directory, cause);
        let mut files = Vec::new();
        for entry in fs::read_dir(directory_or_here(directory)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !entry.file_type().map_err(failed)?.is_dir() {
                files.push(directory.join(entry.file_name()));
            }
        }
        files.sort();
        Ok(files)
    }

    #[cfg(unix)]
    fn sync_directory(&self, directory: &Path) -> Result<()> {
        let failed = |cause| Error::io("sync directory", directory, cause);
        StdFile::open(directory_or_here(directory)).map_err(failed)?.sync_all().map_err(failed)
    }

    /// Other systems offer no sync of directories and order these changes themselves.
    #[cfg(not(unix))]
    fn sync_directory(&self, _directory: &Path) -> Result<()> {
        Ok(())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(OsClock)
    }

    fn random(&self, bytes: &mut [u8]) {
        fill_random(bytes);
    }
}

/// The directory to ask the system about; the parent of a bare file name is empty.
fn directory_or_here(directory: &Path) -> &Path {
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}

/// Has files created readable and writable by their owner only.
#[cfg(unix)]
pub(super) fn owner_only(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

/// Elsewhere the directory's own access list decides.
#[cfg(not(unix))]
pub(super) fn owner_only(_options: &mut OpenOptions) {}

/// An open file of the operating system.
#[derive(Debug)]
struct OsFile {
    file: StdFile,
    path: PathBuf,
    writable: bool,
    /// The greatest length this handle has seen: a write past it changes the length.
    known_len: AtomicU64,
    /// Whether the next sync has to include the length.
    length_changed: AtomicBool,
}

impl OsFile {
    fn check_writable(&self) -> Result<()> {
        if self.writable {
            return Ok(());
        }
        Err(Error::new(ErrorKind::ReadOnly, "the file was opened for reading only")
            .in_file(&self.path))
    }

    fn grown_to(&self, end: u64) {
        if self.known_len.fetch_max(end, Ordering::AcqRel) < end {
            self.length_changed.store(true, Ordering::Release);
        }
    }

    fn set_len_unchecked(&self, len: u64) -> Result<()> {
        // Marked first, so that no sync between the change and the mark forgets it.
        self.length_changed.store(true, Ordering::Release);
        self.file.set_len(len).map_err(|cause| {
            Error::io(format_args!("set the length to {len}"), &self.path, cause)
        })?;
        self.known_len.store(len, Ordering::Release);
        Ok(())
    }
}

impl File for OsFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match read_some(&self.file, offset + filled as u64, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => {
                    let action = format!("read {} bytes", buffer.len());
                    return Err(Error::io(action, &self.path, cause).at_offset(offset));
                }
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.check_writable()?;
        let end = super::end_of(offset, bytes.len(), &self.path)?;
        let mut written = 0;
        while written < bytes.len() {
            let cause = match write_some(&self.file, offset + written as u64, &bytes[written..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    continue;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => cause,
            };
            // What was written before the failure may have changed the length.
            self.grown_to(offset + written as u64);
            let action = format!("write {} bytes", bytes.len());
            return Err(Error::io(action, &self.path, cause).at_offset(offset));
        }
        if !bytes.is_empty() {
            self.grown_to(end);
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let full = self.length_changed.swap(false, Ordering::AcqRel);
        let done = if full { self.file.sync_all() } else { sync_data(&self.file) };
        done.map_err(|cause| {
            self.length_changed.store(true, Ordering::Release);
            Error::io("sync", &self.path, cause)
        })
    }

    fn len(&self) -> Result<u64> {
        let metadata = self.file.metadata();
        Ok(metadata.map_err(|cause| Error::io("read the length", &self.path, cause))?.len())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.check_writable()?;
        super::end_of(len, 0, &self.path)?;
        self.set_len_unchecked(len)
    }

    fn allocate(&self, len: u64) -> Result<()> {
        self.check_writable()?;
        super::end_of(len, 0, &self.path)?;
        if len == 0 {
            return Ok(());
        }
        self.length_changed.store(true, Ordering::Release);
        match reserve(&self.file, len) {
            Ok(true) => {
                self.known_len.fetch_max(len, Ordering::AcqRel);
                Ok(())
            }
            // Without help from the file system the length is all that can be settled.
            Ok(false) if self.len()? < len => self.set_len_unchecked(len),
            Ok(false) => Ok(()),
            Err(cause) => Err(Error::io(format_args!("reserve {len} bytes"), &self.path, cause)),
        }
    }

    fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(unix)]
fn read_some(file: &StdFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(unix)]
fn write_some(file: &StdFile, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_some(file: &StdFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
        // Reading past the end is an error there, not a count of zero.
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        result => result,
    }
}

#[cfg(windows)]
fn write_some(file: &StdFile, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

/// Makes the written bytes durable; the length had been already.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn sync_data(file: &StdFile) -> io::Result<()> {
    Ok(rustix::io::retry_on_intr(|| rustix::fs::fdatasync(file))?)
}

/// Elsewhere the standard library knows the strongest sync that the system has.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn sync_data(file: &StdFile) -> io::Result<()> {
    file.sync_data()
}

/// Reserves room up to `len`; false when the file system cannot.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn reserve(file: &StdFile, len: u64) -> io::Result<bool> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::{Errno, retry_on_intr};
    match retry_on_intr(|| fallocate(file, FallocateFlags::empty(), 0, len)) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(false),
        Err(cause) => Err(cause.into()),
    }
}

/// No portable call exists elsewhere.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn reserve(_file: &StdFile, _len: u64) -> io::Result<bool> {
    Ok(false)
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsClock;

impl Clock for OsClock {
    fn now_micros(&self) -> i64 {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => -micros(before.duration()),
        }
    }

    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Fills `bytes` from the kernel's generator, or else from the standard library's keyed hash,
/// whose keys come from the same kernel.
fn fill_random(bytes: &mut [u8]) {
    #[cfg(unix)]
    {
        use std::io::Read;
        static SOURCE: OnceLock<Option<StdFile>> = OnceLock::new();
        let source = SOURCE.get_or_init(|| StdFile::open("/dev/urandom").ok());
        if let Some(mut source) = source.as_ref()
            && source.read_exact(bytes).is_ok()
        {
            return;
        }
    }
    fill_from_keyed_hash(bytes);
}

/// A keyed hash of a counter that never repeats: as good as its 128-bit key, which the standard
/// library takes from the system. For systems (and jails) without a random device.
fn fill_from_keyed_hash(bytes: &mut [u8]) {
    let keys = RandomState::new();
    let started = (OsClock.now_micros(), std::process::id());
    for (counter, part) in bytes.chunks_mut(8).enumerate() {
        let word = keys.hash_one((started, counter)).to_le_bytes();
        part.copy_from_slice(&word[..part.len()]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[cfg(unix)]
    #[test]
    fn created_files_belong_to_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for mode in [OpenMode::Create, OpenMode::CreateNew] {
            let path = folder.path().join(format!("{mode:?}"));
            OsVfs.open(&path, mode).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_directory_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [OpenMode::Read, OpenMode::Write, OpenMode::Create] {
            let error = OsVfs.open(folder.path(), mode).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{mode:?}");
        }
    }

    #[test]
    fn both_sources_of_randomness_fill_every_byte() {
        for fill in [fill_random, fill_from_keyed_hash] {
            let mut seen = [false; 41];
            let (mut previous, mut current) = ([0; 41], [0; 41]);
            for _ in 0..16 {
                fill(&mut current);
                assert_ne!(previous, current);
                for (seen, byte) in seen.iter_mut().zip(current) {
                    *seen |= byte != 0;
                }
                previous = current;
            }
            assert_eq!(seen, [true; 41]);
        }
    }

    #[test]
    fn an_error_names_file_and_cause() {
        let error = OsVfs.open(Path::new("/nowhere/at/all"), OpenMode::Read).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().starts_with("cannot open (file /nowhere/at/all): "), "{error}");
    }
}
