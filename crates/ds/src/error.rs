//! The one error type of this crate: what went wrong, where, and what caused it.
//!
//! Kinds are chosen by what the caller can do about them. Anything that input, disk or
//! another thread can bring about is a value of this type; a panic means a defect of ours.

use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused an operation on a file.
    Io,
    /// The disk has no room left; free some and try again.
    Full,
    /// Stored bytes are not what was written: damaged, truncated or foreign.
    Corrupt,
    /// The file was written by a newer format than this library reads.
    NewerFormat,
    /// The file is not a PandoDB database (or not the expected kind of PandoDB file).
    NotADatabase,
    /// Another opener holds the database.
    Locked,
    /// An argument is outside what the format or the operation allows.
    Limit,
    /// The database was opened for reading only, or refuses writes after a failed sync.
    ReadOnly,
    /// The named thing does not exist.
    NotFound,
    /// The target exists already and is not overwritten.
    Exists,
    /// A backup or increment does not fit what it is applied to.
    Mismatch,
    /// The caller asked for the work to stop.
    Interrupted,
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its kind, a sentence for people, the file and offset it is about, and its cause.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    path: Option<PathBuf>,
    offset: Option<u64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose `message` is a sentence without a full stop.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            path: None,
            offset: None,
            source: None,
        }))
    }

    /// Stored bytes are wrong: `message` says what was expected and what was found.
    #[cold]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// An operating system error while doing `action` (a verb phrase: "read 512 bytes").
    ///
    /// No space left and quota errors become [`ErrorKind::Full`].
    #[cold]
    pub fn io(action: impl fmt::Display, path: &Path, cause: std::io::Error) -> Self {
        use std::io::ErrorKind as Io;
        let kind = match cause.kind() {
            Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge => ErrorKind::Full,
            Io::NotFound => ErrorKind::NotFound,
            Io::AlreadyExists => ErrorKind::Exists,
            _ => ErrorKind::Io,
        };
        let mut error = Self::new(kind, format!("cannot {action}"));
        error.0.path = Some(path.to_path_buf());
        error.0.source = Some(Box::new(cause));
        error
    }

    /// Adds the file that the error is about, unless one is named already.
    #[must_use]
    pub fn in_file(mut self, path: &Path) -> Self {
        self.0.path.get_or_insert_with(|| path.to_path_buf());
        self
    }

    /// Adds the byte offset that the error is about, unless one is named already.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.0.offset.get_or_insert(offset);
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence without file, offset and cause.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The file the error is about.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The byte offset in the file, where one is known.
    pub fn offset(&self) -> Option<u64> {
        self.0.offset
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(path) = &self.0.path {
            write!(f, " (file {}", path.display())?;
            if let Some(offset) = self.0.offset {
                write!(f, ", offset {offset}")?;
            }
            f.write_str(")")?;
        } else if let Some(offset) = self.0.offset {
            write!(f, " (offset {offset})")?;
        }
        if let Some(source) = &self.0.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("path", &self.0.path)
            .field("offset", &self.0.offset)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
