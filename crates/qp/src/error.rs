//! The one error type of this crate: what is wrong, where in the SQL, and what would help.
//!
//! Kinds are chosen by what the caller can do about them; [`Error::code`] and
//! [`Error::extended_code`] map them to SQLite's result codes, because tools and tests know
//! those. The message is SQLite's own wording where SQLite has one. Neighbours: `span`
//! (places), the facade's error (which wraps this one).

use std::error::Error as StdError;
use std::fmt;

use crate::span::Span;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not SQL; [`Error::span`] says where it stops being so.
    Syntax,
    /// The statement ends too early: more text may complete it.
    Incomplete,
    /// The statement is well formed but means nothing: wrong counts, misplaced clauses, ...
    Invalid,
    /// A table, column, function, branch or other object does not exist.
    NotFound,
    /// An object of that name exists already.
    Exists,
    /// A name fits several columns.
    Ambiguous,
    /// A row breaks a constraint.
    Constraint(Constraint),
    /// A value has a type that is not allowed in its place.
    Mismatch,
    /// A bound index or a column number is out of range.
    Range,
    /// A limit of size, depth, memory or time is exceeded.
    Limit,
    /// The machine, or what the process may have of it, has no memory left.
    NoMemory,
    /// The caller asked for the work to stop.
    Interrupted,
    /// Another transaction holds what is needed; try again.
    Busy,
    /// Another statement of the same connection holds what is needed.
    Locked,
    /// Waiting would never end; this transaction was chosen to give way. Run it again.
    Deadlock,
    /// Another transaction changed what this one read or wrote; run it again.
    Conflict,
    /// A merge left conflicts that must be resolved first.
    MergeConflict,
    /// A transaction on several files was committed in some of them, and is not in the others;
    /// it is over, and run again it would do twice what is there.
    PartlyCommitted,
    /// The database, branch or object refuses writes.
    ReadOnly,
    /// The user may not do this.
    Denied,
    /// The schema changed under a prepared statement.
    Schema,
    /// The statement does not fit the state of the connection (no transaction is open, ...).
    State,
    /// The feature is known and not there.
    Unsupported,
    /// A function or a RAISE reported an error of its own.
    User,
    /// Stored bytes are damaged.
    Corrupt,
    /// The file is not a PandoDB database, or a newer one.
    NotADatabase,
    /// The operating system refused an operation on a file.
    Io,
    /// The disk has no room left.
    Full,
    /// A file cannot be opened.
    CannotOpen,
    /// A defect of PandoDB itself.
    Internal,
}

/// The kinds of constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Constraint {
    /// `CHECK`
    Check,
    /// `FOREIGN KEY`
    ForeignKey,
    /// `NOT NULL`
    NotNull,
    /// `PRIMARY KEY`
    PrimaryKey,
    /// `UNIQUE`
    Unique,
    /// A rowid that exists already.
    RowId,
    /// `RAISE` in a trigger.
    Trigger,
    /// The declared type of a column of a STRICT table.
    DataType,
}

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error with its kind, a sentence for people, its place in the SQL, a hint and its cause.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` whose `message` is a sentence without a full stop.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            span: None,
            hint: None,
            source: None,
        }))
    }

    /// The text is not SQL at `span`.
    #[cold]
    pub fn syntax(message: impl Into<String>, span: Span) -> Self {
        Self::new(ErrorKind::Syntax, message).at(span)
    }

    /// The statement is well formed but means nothing.
    #[cold]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// `what` (a word such as "table") has no `name`.
    #[cold]
    pub fn not_found(what: &str, name: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NotFound, format!("no such {what}: {name}"))
    }

    /// A row breaks `constraint`: `subject` names the columns or the constraint.
    #[cold]
    pub fn constraint(constraint: Constraint, subject: impl fmt::Display) -> Self {
        let text = match constraint {
            Constraint::Check => format!("CHECK constraint failed: {subject}"),
            Constraint::ForeignKey => "FOREIGN KEY constraint failed".to_owned(),
            Constraint::NotNull => format!("NOT NULL constraint failed: {subject}"),
            Constraint::PrimaryKey | Constraint::Unique | Constraint::RowId => {
                format!("UNIQUE constraint failed: {subject}")
            }
            Constraint::Trigger | Constraint::DataType => subject.to_string(),
        };
        Self::new(ErrorKind::Constraint(constraint), text)
    }

    /// Adds the place in the SQL, unless one is known already.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// The same error at another place.
    #[must_use]
    pub(crate) fn moved(mut self, span: Span) -> Self {
        self.0.span = Some(span);
        self
    }

    /// The same error in other words.
    #[must_use]
    pub fn renamed(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Adds what would help, unless that is said already.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// The same error without what would help and what caused it, which may tell too much.
    #[must_use]
    pub(crate) fn alone(mut self) -> Self {
        (self.0.hint, self.0.source) = (None, None);
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

    /// The sentence without hint and cause.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The place in the SQL text, where one is known.
    pub fn span(&self) -> Option<Span> {
        self.0.span
    }

    /// What would help, where something is known.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether running the same transaction again can succeed.
    pub fn is_retryable(&self) -> bool {
        use ErrorKind::{Busy, Conflict, Deadlock, Locked, Schema};
        matches!(self.0.kind, Busy | Conflict | Deadlock | Locked | Schema)
    }

    /// SQLite's primary result code.
    pub fn code(&self) -> i32 {
        self.extended_code() & 0xff
    }

    /// SQLite's extended result code.
    pub fn extended_code(&self) -> i32 {
        use ErrorKind as Kind;
        match self.0.kind {
            Kind::Syntax | Kind::Incomplete | Kind::Invalid | Kind::NotFound | Kind::Exists => 1,
            Kind::Ambiguous | Kind::State | Kind::Unsupported | Kind::User => 1,
            Kind::MergeConflict => 1,
            Kind::Internal => 2,
            Kind::Busy => 5,
            // BUSY_SNAPSHOT: the caller must start over rather than wait.
            Kind::Conflict => 5 | (2 << 8),
            Kind::Locked | Kind::Deadlock => 6,
            Kind::NoMemory => 7,
            Kind::ReadOnly => 8,
            Kind::Interrupted => 9,
            Kind::Io | Kind::PartlyCommitted => 10,
            Kind::Corrupt => 11,
            Kind::Full => 13,
            Kind::CannotOpen => 14,
            Kind::Schema => 17,
            Kind::Limit => 18,
            Kind::Constraint(constraint) => constraint.extended_code(),
            Kind::Mismatch => 20,
            Kind::Denied => 23,
            Kind::Range => 25,
            Kind::NotADatabase => 26,
        }
    }
}

impl Constraint {
    /// SQLite's extended result code.
    const fn extended_code(self) -> i32 {
        let detail = match self {
            Self::Check => 1,
            Self::ForeignKey => 3,
            Self::NotNull => 5,
            Self::PrimaryKey => 6,
            Self::Trigger => 7,
            Self::Unique => 8,
            Self::RowId => 10,
            Self::DataType => 12,
        };
        0x13 | (detail << 8)
    }
}

impl From<pandodb_ds::Error> for Error {
    fn from(error: pandodb_ds::Error) -> Self {
        let kind = kind_of_stored(error.kind());
        Self::new(kind, error.message().to_owned()).caused_by(error)
    }
}

/// What an error of the storage layer is to a user of SQL.
fn kind_of_stored(kind: pandodb_ds::ErrorKind) -> ErrorKind {
    use pandodb_ds::ErrorKind as Stored;
    match kind {
        Stored::Full => ErrorKind::Full,
        Stored::Corrupt | Stored::Mismatch => ErrorKind::Corrupt,
        Stored::NewerFormat | Stored::NotADatabase => ErrorKind::NotADatabase,
        Stored::Locked => ErrorKind::Busy,
        Stored::Limit => ErrorKind::Limit,
        Stored::ReadOnly => ErrorKind::ReadOnly,
        Stored::NotFound | Stored::Exists => ErrorKind::CannotOpen,
        Stored::Interrupted => ErrorKind::Interrupted,
        _ => ErrorKind::Io,
    }
}

impl From<pandodb_tm::Error> for Error {
    fn from(error: pandodb_tm::Error) -> Self {
        use pandodb_tm::ErrorKind as Below;
        let kind = match error.kind() {
            Below::Busy => ErrorKind::Busy,
            Below::Deadlock => ErrorKind::Deadlock,
            Below::Conflict => ErrorKind::Conflict,
            Below::ReadOnly => ErrorKind::ReadOnly,
            Below::Full => ErrorKind::Full,
            Below::Corrupt | Below::Mismatch => ErrorKind::Corrupt,
            Below::NewerFormat | Below::NotADatabase => ErrorKind::NotADatabase,
            Below::Locked => ErrorKind::Busy,
            Below::Limit => ErrorKind::Limit,
            Below::NotFound | Below::Exists => ErrorKind::CannotOpen,
            Below::Interrupted => ErrorKind::Interrupted,
            _ => ErrorKind::Io,
        };
        let message = match kind {
            ErrorKind::Busy => "database is locked".to_owned(),
            _ => error.to_string(),
        };
        Self::new(kind, message).caused_by(error)
    }
}

impl From<pandodb_branch::Error> for Error {
    fn from(error: pandodb_branch::Error) -> Self {
        use pandodb_branch::ErrorKind as Branch;
        let below = error.transaction_error().map(|below| Self::from(below.clone()));
        let kind = match error.kind() {
            Branch::UnknownBranch
            | Branch::UnknownTag
            | Branch::UnknownCommit
            | Branch::NotRetained
            | Branch::UnknownConflict => ErrorKind::NotFound,
            Branch::Exists => ErrorKind::Exists,
            Branch::InvalidName | Branch::SelfMerge | Branch::InvalidOption => ErrorKind::Invalid,
            Branch::Protected | Branch::ReadOnly => ErrorKind::ReadOnly,
            Branch::InUse => ErrorKind::State,
            Branch::Permission => ErrorKind::Denied,
            Branch::Conflicts => ErrorKind::MergeConflict,
            Branch::MergeOpen => ErrorKind::State,
            Branch::Moved => ErrorKind::Conflict,
            Branch::Limit => ErrorKind::Limit,
            Branch::Interrupted => ErrorKind::Interrupted,
            Branch::Corrupt => ErrorKind::Corrupt,
            // What a layer below found is told as that layer's own errors are.
            _ => match (&below, error.storage_error()) {
                (Some(below), _) => below.kind(),
                (None, Some(stored)) => kind_of_stored(stored.kind()),
                (None, None) => ErrorKind::Io,
            },
        };
        let hint = error.hint().map(str::to_owned);
        let message = match below {
            Some(below) if error.message().is_empty() => below.message().to_owned(),
            _ if error.message().is_empty() => error.to_string(),
            _ => error.message().to_owned(),
        };
        let told = Self::new(kind, message);
        let told = match hint {
            Some(hint) => told.with_hint(hint),
            None => told,
        };
        told.caused_by(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("span", &self.0.span)
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
