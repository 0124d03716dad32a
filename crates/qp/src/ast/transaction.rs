//! Transactions and savepoints.
//!
//! Neighbours: `branch` (what a commit becomes), `display`.

use super::Name;

/// `BEGIN`, `COMMIT`, `ROLLBACK` and savepoints.
#[derive(Clone, Debug, PartialEq)]
pub enum TransactionStatement {
    /// `BEGIN [mode] [TRANSACTION [name]] [ISOLATION LEVEL ..]`
    Begin {
        /// How locks are taken.
        mode: Option<BeginMode>,
        /// Which level holds; the session's without.
        isolation: Option<IsolationLevel>,
    },
    /// `COMMIT | END [TRANSACTION [name]] [WITH MESSAGE '..' [AUTHOR '..']]`
    Commit {
        /// The message of the commit.
        message: Option<Box<str>>,
        /// Who made it.
        author: Option<Box<str>>,
    },
    /// `ROLLBACK [TRANSACTION [name]]`
    Rollback,
    /// `SAVEPOINT name`
    Savepoint(Name),
    /// `RELEASE [SAVEPOINT] name`
    Release(Name),
    /// `ROLLBACK [TRANSACTION [name]] TO [SAVEPOINT] name`
    RollbackTo(Name),
}

/// How a transaction takes its locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BeginMode {
    /// At the first read or write.
    Deferred,
    /// For writing, at once.
    Immediate,
    /// Alone, at once.
    Exclusive,
    /// For writing beside others, checked at commit.
    Concurrent,
    /// For reading only.
    ReadOnly,
}

/// What a transaction sees of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IsolationLevel {
    /// `READ UNCOMMITTED`
    ReadUncommitted,
    /// `READ COMMITTED`
    ReadCommitted,
    /// `SNAPSHOT`, also written `REPEATABLE READ`.
    Snapshot,
    /// `SERIALIZABLE`
    Serializable,
}

impl IsolationLevel {
    /// The words that name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadUncommitted => "READ UNCOMMITTED",
            Self::ReadCommitted => "READ COMMITTED",
            Self::Snapshot => "SNAPSHOT",
            Self::Serializable => "SERIALIZABLE",
        }
    }
}
