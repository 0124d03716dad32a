//! The error type of this crate: what went wrong with a branch, and what to do about it.
//!
//! Every refusal of a branch operation has a kind of its own and, where something can be done, a
//! hint that says what. Errors of the crates below keep their own type as the cause.
//! Neighbours: everything here returns it; the SQL layer shows message and hint.

use std::error::Error as StdError;
use std::fmt;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No branch has the name.
    UnknownBranch,
    /// No tag has the name.
    UnknownTag,
    /// The branch has no such commit.
    UnknownCommit,
    /// A branch or tag has the name already.
    Exists,
    /// The name cannot be one of a branch or tag.
    InvalidName,
    /// The branch is protected.
    Protected,
    /// The branch is read-only.
    ReadOnly,
    /// The branch is needed by somebody else.
    InUse,
    /// The user was not granted what is needed.
    Permission,
    /// A branch cannot be merged into itself.
    SelfMerge,
    /// The moment lies before what is kept.
    NotRetained,
    /// The merge met conflicts and changed nothing.
    Conflicts,
    /// A merge into the branch is open already.
    MergeOpen,
    /// No merge, conflict or resolution of that number is open.
    UnknownConflict,
    /// What was looked at has changed since.
    Moved,
    /// An option has no such name or value.
    InvalidOption,
    /// A size or number is out of bounds.
    Limit,
    /// The caller asked for the work to stop.
    Interrupted,
    /// Stored records of this crate are not what was written.
    Corrupt,
    /// The transaction layer refused; the cause tells why.
    Transaction,
    /// The storage layer refused; the cause tells why.
    Storage,
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its kind, a sentence for people, what to do, and its cause.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
    near: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose `message` is a sentence without a full stop.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner { kind, message, hint: None, near: None, source: None }))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the name that may have been meant. Whoever shows the error sees to it that the reader
    /// may know of it.
    #[must_use]
    pub(crate) fn with_near(mut self, near: Option<&str>) -> Self {
        self.0.near = near.map(str::to_owned);
        match near {
            Some(near) => self.with_hint(format!("did you mean '{near}'?")),
            None => self,
        }
    }

    /// The name of a branch or tag that may have been meant and that the hint tells.
    pub fn near(&self) -> Option<&str> {
        self.0.near.as_deref()
    }

    /// A stored record of this crate is wrong.
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

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether somebody else held what is needed for longer than was waited.
    pub(crate) fn is_busy(&self) -> bool {
        let cause = self.transaction_error();
        cause.is_some_and(|cause| cause.kind() == pandodb_tm::ErrorKind::Busy)
    }

    /// The error of the transaction layer behind this one.
    pub fn transaction_error(&self) -> Option<&pandodb_tm::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// The error of the storage layer behind this one.
    pub fn storage_error(&self) -> Option<&pandodb_ds::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// Whether the same operation, begun again, may well succeed.
    pub fn is_retryable(&self) -> bool {
        self.transaction_error().is_some_and(pandodb_tm::Error::is_retryable)
    }
}

impl From<pandodb_tm::Error> for Error {
    #[cold]
    fn from(cause: pandodb_tm::Error) -> Self {
        let message = String::new();
        let kind = ErrorKind::Transaction;
        let source = Some(Box::new(cause) as Box<_>);
        Self(Box::new(Inner { kind, message, hint: None, near: None, source }))
    }
}

impl From<pandodb_ds::Error> for Error {
    #[cold]
    fn from(cause: pandodb_ds::Error) -> Self {
        let message = String::new();
        let kind = ErrorKind::Storage;
        let source = Some(Box::new(cause) as Box<_>);
        Self(Box::new(Inner { kind, message, hint: None, near: None, source }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) if self.0.message.is_empty() => write!(f, "{source}")?,
            Some(source) => write!(f, ": {source}")?,
            None => {}
        }
        match &self.0.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("hint", &self.0.hint)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// `; did you mean 'main'?` for the one of `names` that is nearest to `name`, if any is near.
pub(crate) fn near<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let most = (wanted.chars().count() / 3).max(1);
    let distances = names.map(|other| (distance(&wanted, &other.to_lowercase()), other));
    distances.filter(|(distance, _)| *distance <= most).min().map(|(_, other)| other)
}

/// Letters to insert, remove, replace or swap with their neighbour on the way between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            let is_swap =
                row > 0 && column > 0 && left[row - 1] == *other && right[column - 1] == *letter;
            if is_swap {
                best = best.min(before_last[column - 1] + 1);
            }
            next.push(best);
        }
        before_last = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let names = ["main", "develop", "feature/login"];
        for (wanted, expected) in [
            ("mian", Some("main")),
            ("MAIN", Some("main")),
            ("develp", Some("develop")),
            ("feature/logn", Some("feature/login")),
            ("release", None),
            ("", None),
        ] {
            assert_eq!(near(wanted, names.into_iter()), expected, "{wanted}");
        }
    }

    #[test]
    fn message_cause_and_hint_are_all_shown() {
        let cause = pandodb_tm::Error::new(pandodb_tm::ErrorKind::Busy, "head 3 is busy");
        let error = Error::from(cause);
        assert!(error.is_retryable());
        assert_eq!(error.to_string(), "head 3 is busy");
        let error = Error::new(ErrorKind::UnknownBranch, "there is no branch 'x'");
        assert_eq!(error.with_hint("try y").to_string(), "there is no branch 'x' (try y)");
    }
}
