//! The error type of this crate: what went wrong, and whether trying again can help.
//!
//! One failed sync is told to every commit that waited for it, so an error is a shared value:
//! cloning it copies a pointer. Details that a program may want (the holders of a lock, the
//! cycle of a deadlock) hang on [`source`](std::error::Error::source) as types of their own.
//! Neighbours: `lock` and `wal` make these, `poison` keeps one.

use std::error::Error as StdError;
use std::fmt;

use pandodb_ds::sync::Arc;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Another transaction holds what is needed and kept it past the timeout; try again.
    Busy,
    /// Waiting would never have ended; roll back and run the transaction again.
    Deadlock,
    /// Another transaction committed first what this one changed; run it again.
    Conflict,
    /// The database or the transaction was opened for reading only.
    ReadOnly,
    /// An earlier write or sync of the log failed: nothing is written until a reopen.
    Poisoned,
    /// The operating system refused an operation on a file.
    Io,
    /// The disk has no room left; free some and try again.
    Full,
    /// Stored bytes are not what was written.
    Corrupt,
    /// The log was written by a newer format than this library reads.
    NewerFormat,
    /// The file is not one of this database.
    NotADatabase,
    /// Another opener holds the database.
    Locked,
    /// An argument or the size of a transaction is outside of what is allowed.
    Limit,
    /// The named thing does not exist.
    NotFound,
    /// The target exists already.
    Exists,
    /// Two things that must belong together do not.
    Mismatch,
    /// The caller asked for the work to stop.
    Interrupted,
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its kind, a sentence for people and its cause; a clone shares all of it.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose `message` is a sentence without a full stop.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: None }))
    }

    /// An error with the error (or the details) that caused it.
    #[cold]
    pub fn with_source(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), source: Some(source.into()) }))
    }

    /// Stored bytes are wrong: `message` says what was expected and what was found.
    #[cold]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence without its cause.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Whether the same transaction, rolled back and run again, may well succeed.
    pub fn is_retryable(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Busy | ErrorKind::Deadlock | ErrorKind::Conflict)
    }

    /// The details of type `T`, found anywhere along the chain of causes.
    pub fn details<T: StdError + 'static>(&self) -> Option<&T> {
        let mut next: Option<&(dyn StdError + 'static)> = self.source();
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<T>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

impl From<pandodb_ds::Error> for Error {
    #[cold]
    fn from(cause: pandodb_ds::Error) -> Self {
        use pandodb_ds::ErrorKind as Storage;
        let kind = match cause.kind() {
            Storage::Full => ErrorKind::Full,
            Storage::Corrupt => ErrorKind::Corrupt,
            Storage::NewerFormat => ErrorKind::NewerFormat,
            Storage::NotADatabase => ErrorKind::NotADatabase,
            Storage::Locked => ErrorKind::Locked,
            Storage::Limit => ErrorKind::Limit,
            Storage::ReadOnly => ErrorKind::ReadOnly,
            Storage::NotFound => ErrorKind::NotFound,
            Storage::Exists => ErrorKind::Exists,
            Storage::Mismatch => ErrorKind::Mismatch,
            Storage::Interrupted => ErrorKind::Interrupted,
            // Kinds that storage adds later are failures of the outside until named here.
            _ => ErrorKind::Io,
        };
        Self(Arc::new(Inner { kind, message: String::new(), source: Some(Box::new(cause)) }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) if self.0.message.is_empty() => write!(f, "{source}"),
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use super::*;

    #[test]
    fn storage_errors_keep_their_kind_and_stay_reachable_as_the_cause() {
        let cause = pandodb_ds::Error::new(pandodb_ds::ErrorKind::Full, "cannot write 5 bytes");
        let error = Error::from(cause);
        assert_eq!(error.kind(), ErrorKind::Full);
        assert_eq!(error.to_string(), "cannot write 5 bytes");
        let outer = Error::with_source(ErrorKind::Poisoned, "writing is refused", error);
        assert_eq!(outer.to_string(), "writing is refused: cannot write 5 bytes");
        let found = outer.details::<pandodb_ds::Error>().expect("the storage error");
        assert_eq!(found.kind(), pandodb_ds::ErrorKind::Full);
    }

    #[test]
    fn only_what_a_second_run_can_cure_is_retryable() {
        for (kind, expected) in [
            (ErrorKind::Busy, true),
            (ErrorKind::Deadlock, true),
            (ErrorKind::Conflict, true),
            (ErrorKind::Poisoned, false),
            (ErrorKind::Io, false),
            (ErrorKind::Corrupt, false),
            (ErrorKind::ReadOnly, false),
        ] {
            assert_eq!(Error::new(kind, "x").is_retryable(), expected, "{kind:?}");
        }
    }
}
