//! Files that are written to: never those of a database that is open, and whole or not at all.
//!
//! What the shell writes empties the file first, whoever else has it open, and a database's own
//! file would be gone. It is found by what it is, not by its name: links are other names.
//! Neighbours: `sink` writes, `transfer::export` replaces.

use std::fs;
use std::path::{Path, PathBuf};

use pandodb::Connection;

use super::sink::Sink;
use crate::failure::{Failure, Outcome};

/// A new file, or an existing one emptied.
pub(crate) fn create(connection: &Connection, path: &str) -> Outcome<Sink> {
    refuse(connection, path)?;
    Sink::file(path).map_err(|error| Failure::file("create", path, &error))
}

/// Refuses files of the databases that are open: their own, their locks and their logs.
pub(crate) fn refuse(connection: &Connection, path: &str) -> Outcome {
    let mut statement = connection.prepare("PRAGMA database_list")?;
    let files = statement.query_map((), |row| row.get::<_, String>(2))?;
    for file in files {
        let file = file?;
        if !file.is_empty() && is_of(Path::new(path), Path::new(&file)) {
            let message =
                format!("{path} belongs to {file}, which is open: it is not written over");
            return Err(Failure::statement(message).with_hint("give another file"));
        }
    }
    Ok(())
}

/// Whether a path is a database's file or one of those that lie beside it.
fn is_of(path: &Path, database: &Path) -> bool {
    let path = resolved(path);
    let database = resolved(database);
    if is_same(&path, &database) {
        return true;
    }
    let Some(name) = database.file_name().and_then(|name| name.to_str()) else { return false };
    let is_beside = |other: &str| {
        let rest = other.strip_prefix(name);
        rest.is_some_and(|rest| rest == "-lock" || rest.starts_with("-wal"))
    };
    if path.parent() == database.parent() {
        // One that is not there yet, too: a log would be written into what was put there.
        let own = path.file_name().and_then(|name| name.to_str());
        if own.is_some_and(is_beside) {
            return true;
        }
    }
    let beside = database.parent().and_then(|folder| fs::read_dir(folder).ok());
    beside.into_iter().flatten().flatten().any(|entry| {
        entry.file_name().to_str().is_some_and(is_beside) && is_same(&path, &entry.path())
    })
}

/// The path without links, also of a file that is not there yet.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize();
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// Whether two paths lead to one file.
fn is_same(left: &Path, right: &Path) -> bool {
    if left == right {
        return true;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let of = |path: &Path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
        of(left).is_some() && of(left) == of(right)
    }
    #[cfg(not(unix))]
    false
}

/// A file that is written beside another one, which it replaces when it is whole; gone with this
/// where it is not.
#[derive(Default)]
pub(crate) struct Replaced(Option<(PathBuf, PathBuf)>);

impl Replaced {
    /// A device or a pipe is written to as it is.
    pub(crate) fn begin(connection: &Connection, path: &str) -> Outcome<(Sink, Self)> {
        refuse(connection, path)?;
        let real = resolved(Path::new(path));
        // These lead to a file that somebody else has open, at a place in it.
        let is_open = ["/dev/fd/", "/dev/std", "/proc/"].iter().any(|it| path.starts_with(it));
        if is_open || real.exists() && !real.is_file() {
            return Ok((create(connection, path)?, Self::default()));
        }
        let failed = |error: std::io::Error| Failure::file("create", path, &error);
        let rights = fs::metadata(&real).map(|file| file.permissions()).ok();
        if rights.as_ref().is_some_and(fs::Permissions::readonly) {
            return Err(failed(std::io::ErrorKind::PermissionDenied.into()));
        }
        let mut beside = real.clone().into_os_string();
        beside.push(format!(".pando-partial-{}", std::process::id()));
        let sink = Sink::file(&beside.to_string_lossy()).map_err(failed)?;
        let replaced = Self(Some((PathBuf::from(&beside), real)));
        if let Some(rights) = rights {
            fs::set_permissions(&beside, rights).map_err(failed)?;
        }
        Ok((sink, replaced))
    }

    /// It is whole.
    pub(crate) fn keep(mut self) -> Outcome {
        let Some((beside, path)) = self.0.take() else { return Ok(()) };
        if has_other_names(&path) {
            return copy_into(&beside, &path);
        }
        fs::rename(&beside, &path).map_err(|error| {
            let _ = fs::remove_file(&beside);
            Failure::file("write", path.to_string_lossy(), &error)
        })
    }
}

/// Whether a file has hard links, which a rename would leave with what was there before.
fn has_other_names(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).is_ok_and(|file| file.nlink() > 1)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Writes what is whole into a file that stays the same file.
fn copy_into(beside: &Path, path: &Path) -> Outcome {
    let copy = || {
        let mut from = fs::File::open(beside)?;
        let mut to = fs::File::options().write(true).truncate(true).open(path)?;
        std::io::copy(&mut from, &mut to)?;
        to.sync_all()
    };
    copy().map_err(|error| {
        let (path, whole) = (path.to_string_lossy(), beside.to_string_lossy());
        Failure::file("write", path, &error).with_hint(format!("all of it is in {whole}"))
    })?;
    fs::remove_file(beside)
        .map_err(|error| Failure::file("remove", beside.to_string_lossy(), &error))
}

impl Drop for Replaced {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.0 {
            // What is left of it holds half of what was asked for.
            let _ = fs::remove_file(beside);
        }
    }
}
