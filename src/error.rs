//! The error of every fallible call: what can be done about it, its code, its place, a hint.
//!
//! The kinds are a promise of this crate, so they are its own and not those of the crates below.
//! Codes are SQLite's, because tools, drivers and tests know them. Neighbours: `engine` makes
//! these errors from those below, `from_sql` and `row` from values that do not fit.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Range;

use crate::value::Type;

/// `Result` with this crate's [`Error`].
///
/// ```
/// fn trees(connection: &pandodb::Connection) -> pandodb::Result<u64> {
///     connection.query_row("SELECT count(*) FROM tree", (), |row| row.get(0))
/// }
/// # let connection = pandodb::Connection::open_in_memory()?;
/// # connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
/// assert_eq!(trees(&connection)?, 0);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an [`Error`].
///
/// ```
/// use pandodb::{Connection, ErrorKind};
///
/// let connection = Connection::open_in_memory()?;
/// let error = connection.execute("SELEC 1", ()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Syntax);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not SQL; [`Error::position`] says where it stops being so.
    Syntax,
    /// The statement ends too early: more text may complete it.
    Incomplete,
    /// The statement or call is well formed but means nothing.
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
    /// The number or name of a column or parameter is not one of the statement's.
    Range,
    /// A limit of size, depth, memory or time is exceeded.
    Limit,
    /// The machine, or what the process may have of it, has no memory left.
    NoMemory,
    /// The work was stopped on request.
    Interrupted,
    /// Another transaction holds what is needed; try again.
    Busy,
    /// Another statement of the same connection holds what is needed.
    Locked,
    /// Waiting would never end; run the transaction again.
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
    /// The call does not fit the state of the connection (no transaction is open, ...).
    State,
    /// The feature is known and not there.
    Unsupported,
    /// A function or a RAISE reported an error of its own.
    User,
    /// A query that must return a row returned none.
    NoRows,
    /// A query that must return one row returned more.
    TooManyRows,
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
///
/// ```
/// use pandodb::{Connection, Constraint, ErrorKind};
///
/// let connection = Connection::open_in_memory()?;
/// connection.execute("CREATE TABLE tree(name TEXT NOT NULL)", ())?;
/// let error = connection.execute("INSERT INTO tree VALUES (NULL)", ()).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Constraint(Constraint::NotNull));
/// # Ok::<(), pandodb::Error>(())
/// ```
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
    /// One that this version of the library has no name for.
    Other,
}

/// An error with its kind, a sentence for people, its place in the SQL, a hint and its cause.
///
/// ```
/// use pandodb::Connection;
///
/// let connection = Connection::open_in_memory()?;
/// let error = connection.execute("SELECT * FROM missing", ()).unwrap_err();
/// assert_eq!(error.to_string(), "no such table: missing");
/// assert_eq!(error.code(), 1);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: i32,
    message: String,
    position: Option<Range<usize>>,
    sql: Option<Box<str>>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of an application's function, or of its own checks.
    ///
    /// ```
    /// use pandodb::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::User, "the moon is not full");
    /// assert_eq!(error.message(), "the moon is not full");
    /// ```
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code: code_of(kind),
            message: message.into(),
            position: None,
            sql: None,
            hint: None,
            source: None,
        }))
    }

    /// The same with a sentence on what would help.
    ///
    /// ```
    /// use pandodb::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Invalid, "no").with_hint("say yes");
    /// assert_eq!(error.hint(), Some("say yes"));
    /// ```
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The same with the error that caused it.
    ///
    /// ```
    /// use std::error::Error as _;
    /// use pandodb::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Io, "cannot read").caused_by("wet paper");
    /// assert_eq!(error.source().unwrap().to_string(), "wet paper");
    /// ```
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The same with the text and the place in it that the error is about.
    #[must_use]
    pub(crate) fn in_sql(mut self, sql: &str, position: Option<Range<usize>>) -> Self {
        if self.0.sql.is_none() {
            self.0.sql = Some(sql.into());
            self.0.position = position.filter(|at| sql.get(at.clone()).is_some());
        }
        self
    }

    /// The same about `sql`, of which the statement was made by leaving out so many bytes at its
    /// start and putting `before` others there.
    #[must_use]
    pub(crate) fn of_part(mut self, sql: &str, before: usize, left_out: usize) -> Self {
        if self.0.sql.is_some() {
            let place = |at: usize| (at.saturating_sub(before) + left_out).min(sql.len());
            let position = self.0.position.take().map(|at| place(at.start)..place(at.end));
            self.0.position = position.filter(|at| sql.get(at.clone()).is_some());
            self.0.sql = Some(sql.into());
        }
        self
    }

    #[must_use]
    pub(crate) fn with_code(mut self, code: i32) -> Self {
        self.0.code = code;
        self
    }

    #[cold]
    pub(crate) fn mismatch(found: Type, wanted: &str) -> Self {
        Self::new(ErrorKind::Mismatch, format!("a value of type {found} is not {wanted}"))
    }

    /// What the caller can do about it.
    ///
    /// ```
    /// use pandodb::{Error, ErrorKind};
    /// assert_eq!(Error::new(ErrorKind::Busy, "wait").kind(), ErrorKind::Busy);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// SQLite's primary result code.
    ///
    /// ```
    /// use pandodb::{Error, ErrorKind};
    /// assert_eq!(Error::new(ErrorKind::Busy, "wait").code(), 5);
    /// ```
    pub fn code(&self) -> i32 {
        self.0.code & 0xff
    }

    /// SQLite's extended result code.
    ///
    /// ```
    /// use pandodb::{Constraint, Error, ErrorKind};
    /// let error = Error::new(ErrorKind::Constraint(Constraint::Unique), "twice");
    /// assert_eq!(error.extended_code(), 2067);
    /// ```
    pub fn extended_code(&self) -> i32 {
        self.0.code
    }

    /// The sentence without hint and cause.
    ///
    /// ```
    /// use pandodb::{Error, ErrorKind};
    /// assert_eq!(Error::new(ErrorKind::Busy, "wait").message(), "wait");
    /// ```
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The bytes of [`Error::sql`] that the error is about, where they are known.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let error = connection.execute("SELECT nothing", ()).unwrap_err();
    /// assert_eq!(error.position(), Some(7..14));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn position(&self) -> Option<Range<usize>> {
        self.0.position.clone()
    }

    /// The statement that the error is about, where it is known.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let error = connection.execute("SELECT nothing", ()).unwrap_err();
    /// assert_eq!(error.sql(), Some("SELECT nothing"));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn sql(&self) -> Option<&str> {
        self.0.sql.as_deref()
    }

    /// What would help, where something is known.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let error = connection.execute("SELCT 1", ()).unwrap_err();
    /// assert!(error.hint().unwrap().contains("did you mean SELECT"));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether running the same transaction again can succeed.
    ///
    /// ```
    /// use pandodb::{Error, ErrorKind};
    /// assert!(Error::new(ErrorKind::Conflict, "moved").is_retryable());
    /// assert!(!Error::new(ErrorKind::Syntax, "what").is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        use ErrorKind::{Busy, Conflict, Deadlock, Locked, Schema};
        matches!(self.0.kind, Busy | Conflict | Deadlock | Locked | Schema)
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
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("position", &self.0.position)
            .field("hint", &self.0.hint)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// SQLite's extended result code for errors that are made here; those from below bring theirs.
fn code_of(kind: ErrorKind) -> i32 {
    use ErrorKind as Kind;
    match kind {
        Kind::Internal => 2,
        Kind::Busy => 5,
        Kind::Conflict => 5 + (2 << 8),
        Kind::Locked | Kind::Deadlock => 6,
        Kind::NoMemory => 7,
        Kind::ReadOnly => 8,
        Kind::Interrupted => 9,
        Kind::Io => 10,
        Kind::Corrupt => 11,
        Kind::Full => 13,
        Kind::CannotOpen => 14,
        Kind::Schema => 17,
        Kind::Limit => 18,
        Kind::Constraint(constraint) => 19 + (constraint.detail() << 8),
        Kind::Mismatch => 20,
        Kind::Denied => 23,
        Kind::Range => 25,
        Kind::NotADatabase => 26,
        _ => 1,
    }
}

impl Constraint {
    const fn detail(self) -> i32 {
        match self {
            Self::Check => 1,
            Self::ForeignKey => 3,
            Self::NotNull => 5,
            Self::PrimaryKey => 6,
            Self::Trigger => 7,
            Self::Unique => 8,
            Self::RowId => 10,
            Self::DataType => 12,
            Self::Other => 0,
        }
    }
}
