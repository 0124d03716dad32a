//! The exclusive lock of an open database.
//!
//! Two locks of the operating system are taken, both of which the kernel drops with the process,
//! however it ends, so that nothing stale can block the next opener:
//!
//! * on the companion `<database>-lock` beside the real file (symbolic links are followed
//!   first), into which the holder writes its process id and program name. It covers the time
//!   before the database exists, and stays when the database is replaced by a rename.
//! * on the database file itself, where it exists and the system's locks do not hinder reading
//!   (Unix). It covers other names of the same file (hard links, a moved database) and a companion
//!   that somebody has deleted.
//!
//! Guaranteed: of openers that come by one path or by symbolic links to it, one holds the lock;
//! of openers by hard links or after a rename too, if the file existed when the holder took the
//! lock. Not guaranteed: anything between machines on a network file system without locks, or
//! after a `fork` without `exec`, where the child shares the lock. The companion stays when the
//! lock is dropped, as the log does, if there is a database by then: making and removing a file
//! for each opening took longer than all other locking. Whoever removes it while it is not locked
//! does no harm; a refused opener that made one removes it. In a directory that cannot be written,
//! the lock on the database file alone has to do, and the holder stays unnamed, as it does on
//! systems whose locks forbid
//! reading. A full disk does not keep anybody from opening either: without room for a name the
//! holder stays unnamed, without room for the companion the database's own lock has to do.
//! Neighbours: `os` takes these locks, `memory` and `sim` use `HeldLocks`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this module is the door to the operating system's locks"
)]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File as StdFile, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::{DatabaseLock, os};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::OnceLock;

/// Longest text that is believed to name a holder.
const HOLDER_LIMIT: u64 = 256;

/// How often a companion may vanish between opening and locking it before we give up.
const ATTEMPTS: usize = 100;

/// The locks of the operating system on one database, held until dropped.
#[derive(Debug)]
pub(super) struct OsLock {
    /// What is locked, whether it exists or not.
    real: PathBuf,
    companion: Option<Companion>,
    database: Option<StdFile>,
}

/// The locked file beside the database.
#[derive(Debug)]
struct Companion {
    file: StdFile,
    path: PathBuf,
    /// What names it whatever its path.
    identity: Identity,
}

impl DatabaseLock for OsLock {}

impl OsLock {
    /// Locks the database at `path`, whether it exists or not.
    pub(super) fn take(path: &Path) -> Result<Self> {
        let real = real_location(path)?;
        let companion = match lock_companion(&real, path) {
            Ok(file) => Ok(file),
            Err(Refusal::Locked(error)) => return Err(error),
            // Not writable for us: the database's own lock decides, if there is a database.
            Err(Refusal::NotCreatable(error)) => Err(error),
        };
        // Kept as a lock from here on, so that a refusal below removes the companion again.
        let (companion, refused) = match companion {
            Ok(companion) => (Some(companion), None),
            Err(error) => (None, Some(error)),
        };
        let mut lock = Self { real, companion, database: None };
        match lock_database(&lock.real, path) {
            Ok(database) => lock.database = database,
            Err(error) => {
                lock.remove_companion();
                return Err(error);
            }
        }
        match refused {
            Some(error) if lock.database.is_none() => Err(error),
            _ => Ok(lock),
        }
    }
}

impl OsLock {
    /// Removes the companion, which is locked here: nobody else can be the owner of what goes. A
    /// failure leaves a file that the next opener takes over.
    fn remove_companion(&self) {
        if let Some(Companion { path, identity, .. }) = &self.companion {
            // Only on Unix an opener can tell that the file it locked is gone.
            if cfg!(unix) && is_at(*identity, path).unwrap_or(false) {
                _ = fs::remove_file(path);
            }
        }
    }
}

impl Drop for OsLock {
    fn drop(&mut self) {
        // Closing would do, but for a process that another thread has just forked and that holds
        // copies of all handles until it runs its program.
        // What was going to be a database is none: a companion of nothing is in the way only.
        if self.database.is_none() && !self.real.try_exists().unwrap_or(true) {
            self.remove_companion();
        }
        // First, so that whoever gets the companion is not refused by what is still locked here.
        if let Some(file) = &self.database {
            _ = file.unlock();
        }
        if let Some(Companion { file, .. }) = &self.companion {
            _ = file.unlock();
        }
    }
}

enum Refusal {
    Locked(Error),
    NotCreatable(Error),
}

/// Opens and locks the companion and writes this process into it.
fn lock_companion(real: &Path, asked: &Path) -> Result<Companion, Refusal> {
    let mut name: OsString = real.as_os_str().to_owned();
    name.push("-lock");
    let path = PathBuf::from(name);
    let failed = |cause| Refusal::Locked(Error::io("lock", &path, cause));
    for _ in 0..ATTEMPTS {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        os::owner_only(&mut options);
        refuse_links(&mut options);
        let mut file = options.open(&path).map_err(|cause| {
            let beyond_us = is_beyond_us(&cause) || is_full(&cause);
            let error = Error::io("create the lock file", &path, cause);
            if beyond_us { Refusal::NotCreatable(error) } else { Refusal::Locked(error) }
        })?;
        let free = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        };
        let found = file.metadata().map_err(failed)?;
        let identity = identity(&found);
        // A refused opener may have removed this very file while we opened it.
        if !is_at(identity, &path).map_err(failed)? {
            continue;
        }
        if !free {
            return Err(Refusal::Locked(locked(read_holder(&mut file).as_ref(), asked)));
        }
        write_holder(&mut file, found.len()).map_err(|cause| {
            Refusal::Locked(Error::io("write the holder into the lock file", &path, cause))
        })?;
        return Ok(Companion { file, path, identity });
    }
    Err(Refusal::Locked(locked(None, asked)))
}

/// Locks the database file itself, where there is one.
#[cfg(unix)]
fn lock_database(real: &Path, asked: &Path) -> Result<Option<StdFile>> {
    let opened = match OpenOptions::new().read(true).write(true).open(real) {
        // Exclusive locks of network file systems want a writable handle; others do not care.
        Err(cause) if is_beyond_us(&cause) => StdFile::open(real),
        opened => opened,
    };
    let file = match opened {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(Error::io("open", asked, cause)),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(locked(None, asked)),
        Err(TryLockError::Error(cause)) => Err(Error::io("lock", asked, cause)),
    }
}

/// Locks keep others from reading there, so that the companion has to do.
#[cfg(not(unix))]
fn lock_database(_real: &Path, _asked: &Path) -> Result<Option<StdFile>> {
    Ok(None)
}

/// Whether the cause is that this user or this file system does not write here.
fn is_beyond_us(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Refuses a companion that is a symbolic link: whoever may plant one could have us cut any file.
#[cfg(unix)]
fn refuse_links(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
}

#[cfg(not(unix))]
fn refuse_links(_options: &mut OpenOptions) {}

/// Whether the cause is a disk without room.
fn is_full(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The device and the number of a file there.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(not(unix))]
type Identity = ();

#[cfg(unix)]
fn identity(file: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (file.dev(), file.ino())
}

#[cfg(not(unix))]
fn identity(_file: &fs::Metadata) -> Identity {}

/// Whether `path` still names the open file that has this identity.
#[cfg(unix)]
fn is_at(open: Identity, path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(named) => Ok(open == identity(&named)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(cause),
    }
}

#[cfg(not(unix))]
fn is_at(_open: Identity, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// The place that `path` leads to through all symbolic links; the file itself may be missing.
fn real_location(path: &Path) -> Result<PathBuf> {
    let failed = |cause| Error::io("reach the folder", path, cause);
    let mut path = path.to_path_buf();
    for _ in 0..40 {
        match fs::canonicalize(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            found => return found.map_err(failed),
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = fs::canonicalize(parent.unwrap_or(Path::new("."))).map_err(failed)?;
        // A link may point to a file that is still to be created.
        if let Ok(target) = fs::read_link(&path) {
            path = parent.join(target);
            continue;
        }
        let name = path.file_name().ok_or_else(|| {
            Error::new(ErrorKind::Limit, "this path names no file").in_file(&path)
        })?;
        return Ok(parent.join(name));
    }
    Err(Error::new(ErrorKind::Limit, "too many symbolic links").in_file(&path))
}

/// Who holds a lock.
#[derive(Debug, PartialEq, Eq)]
struct Holder {
    process: u32,
    program: String,
}

impl Holder {
    fn this_process() -> Self {
        static PROGRAM: OnceLock<String> = OnceLock::new();
        let program = PROGRAM.get_or_init(|| {
            let program = std::env::current_exe().ok();
            let program = program.as_deref().and_then(Path::file_name);
            let program = program.map(|name| printable(&name.to_string_lossy()));
            program.unwrap_or_else(|| "a program".to_owned())
        });
        Self { process: std::process::id(), program: program.clone() }
    }

    fn parse(text: &str) -> Option<Self> {
        // What is behind the line is left of a longer name of an earlier holder.
        let (line, _) = text.split_once('\n')?;
        let (process, program) = line.split_once(' ')?;
        Some(Self { process: process.parse().ok()?, program: printable(program) })
    }
}

/// Keeps what is safe to show on a terminal; the file may be anybody's.
fn printable(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(64).collect()
}

/// Writes this process into the companion, which has `len` bytes of an earlier holder.
///
/// Nothing is written where the same program of the same process was the holder before. In place,
/// and cut behind: a file that is cut to nothing is written to the disk when it is
/// closed (ext4 guards careless programs that way), and on a full disk the room of the name before
/// is all there is. Without any the holder stays unnamed: the lock is what counts.
fn write_holder(file: &mut StdFile, len: u64) -> io::Result<()> {
    let holder = Holder::this_process();
    let line = format!("{} {}\n", holder.process, holder.program);
    if len == line.len() as u64 {
        let mut before = vec![0; line.len()];
        let is_same = file.read_exact(&mut before).is_ok() && before == line.as_bytes();
        if is_same {
            return Ok(());
        }
        file.rewind()?;
    }
    match file.write_all(line.as_bytes()) {
        Err(cause) if is_full(&cause) => return file.set_len(0).or(Ok(())),
        written => written?,
    }
    let written = line.len() as u64;
    if len > written { file.set_len(written) } else { Ok(()) }
}

/// The holder, if it has written itself down (and the system lets us read beside its lock).
fn read_holder(file: &mut StdFile) -> Option<Holder> {
    let mut text = Vec::new();
    file.take(HOLDER_LIMIT).read_to_end(&mut text).ok()?;
    Holder::parse(&String::from_utf8_lossy(&text))
}

/// The refusal of a second opener: who is in, and what can be done.
fn locked(holder: Option<&Holder>, path: &Path) -> Error {
    let message = match holder {
        Some(holder) if holder.process == std::process::id() => format!(
            "the database is open in this process already ({}, process {}); share the open \
             database between threads, or close it before opening it again",
            holder.program, holder.process
        ),
        Some(holder) => format!(
            "the database is held by {} (process {}); close it there or end that process, then \
             try again",
            holder.program, holder.process
        ),
        None => "the database is held by another opener, perhaps by another name of the same \
                 file; close it there, then try again"
            .to_owned(),
    };
    Error::new(ErrorKind::Locked, message).in_file(path)
}

/// The locks of a world in memory: a path is held by one token at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldLocks {
    held: BTreeMap<PathBuf, u64>,
    last_token: u64,
}

impl HeldLocks {
    /// Takes the lock on `path`; the token gives it back.
    pub(super) fn take(&mut self, path: &Path) -> Result<u64> {
        if self.held.contains_key(path) {
            return Err(locked(Some(&Holder::this_process()), path));
        }
        self.last_token += 1;
        self.held.insert(path.to_path_buf(), self.last_token);
        Ok(self.last_token)
    }

    /// Gives a lock back, unless it was taken away and belongs to somebody else now.
    pub(super) fn release(&mut self, path: &Path, token: u64) {
        if self.held.get(path) == Some(&token) {
            self.held.remove(path);
        }
    }

    /// Takes all locks away, as the end of their process does.
    pub(super) fn clear(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests;
