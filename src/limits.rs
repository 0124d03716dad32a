//! Limits of a connection: what a text may ask for, lowered where texts or data are not trusted.
//!
//! They have SQLite's names and bounds. Neighbours: `connection` is what they belong to;
//! `PRAGMA limit_list` shows the same.

use crate::connection::Connection;

/// What can be limited.
///
/// ```
/// use pandodb::Limit;
///
/// let names: Vec<&str> = Limit::ALL.iter().map(|limit| limit.name()).collect();
/// assert!(names.contains(&"like_pattern_length"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of a text, a blob or a row.
    Length,
    /// Bytes of a statement's text.
    SqlLength,
    /// Columns of a table, an index or a result.
    Column,
    /// Height of an expression.
    ExprDepth,
    /// Parts of a compound SELECT.
    CompoundSelect,
    /// Operators and expressions of a statement's plan (`vdbe_op`).
    VdbeOp,
    /// Arguments of a function.
    FunctionArg,
    /// Attached databases.
    Attached,
    /// Bytes of a LIKE or GLOB pattern.
    LikePatternLength,
    /// The highest number of a parameter.
    VariableNumber,
    /// How deep triggers nest.
    TriggerDepth,
    /// Threads that help the connection's own with large tables.
    WorkerThreads,
}

impl Limit {
    /// Every limit, in SQLite's order.
    ///
    /// ```
    /// assert_eq!(pandodb::Limit::ALL.len(), 12);
    /// ```
    pub const ALL: [Self; 12] = [
        Self::Length,
        Self::SqlLength,
        Self::Column,
        Self::ExprDepth,
        Self::CompoundSelect,
        Self::VdbeOp,
        Self::FunctionArg,
        Self::Attached,
        Self::LikePatternLength,
        Self::VariableNumber,
        Self::TriggerDepth,
        Self::WorkerThreads,
    ];

    /// Its name: that of SQLite's constant behind `SQLITE_LIMIT_`, in small letters.
    ///
    /// ```
    /// assert_eq!(pandodb::Limit::ExprDepth.name(), "expr_depth");
    /// ```
    pub const fn name(self) -> &'static str {
        self.inner().name()
    }
}

impl Connection {
    /// The value of a limit.
    ///
    /// ```
    /// use pandodb::{Connection, Limit};
    ///
    /// let connection = Connection::open_in_memory()?;
    /// assert_eq!(connection.limit(Limit::Attached), 10);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn limit(&self, limit: Limit) -> i32 {
        i32::try_from(self.session.limit(limit.inner())).unwrap_or(i32::MAX)
    }

    /// Sets a limit and returns what it was; a negative value changes nothing, and one above what
    /// the engine allows is that.
    ///
    /// ```
    /// use pandodb::{Connection, Limit};
    ///
    /// let connection = Connection::open_in_memory()?;
    /// assert_eq!(connection.set_limit(Limit::Length, 1000), 1_000_000_000);
    /// let error = connection.execute_batch("SELECT zeroblob(1001)").unwrap_err();
    /// assert_eq!(error.kind(), pandodb::ErrorKind::Limit);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn set_limit(&self, limit: Limit, value: i32) -> i32 {
        let before = self.limit(limit);
        if let Ok(value) = u32::try_from(value) {
            self.session.set_limit(limit.inner(), value);
        }
        before
    }
}
