//! What a transaction sees of others, and what it may do: its options.
//!
//! `docs/transactions.md` has the table of what each level allows. Neighbours: `transaction`
//! acts on these, the SQL layer maps its words to them.

use std::time::Duration;

use crate::ids::TransactionId;
use crate::lock::{BusyHook, StopHook};
use crate::wal::Synchronous;

/// How much of what others do a transaction sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isolation {
    /// Sees what the writer of its head has not committed yet.
    ReadUncommitted,
    /// Each statement sees what was committed when it began; one writer at a time on a head.
    #[default]
    ReadCommitted,
    /// All statements see one moment; one writer at a time on a head, and a commit fails if
    /// somebody else changed one of the same rows since.
    Snapshot,
    /// As [`Snapshot`](Isolation::Snapshot), but writers run side by side and meet at the commit.
    Concurrent,
    /// As if the transactions ran one after the other: what is read and written is locked.
    Serializable,
}

impl Isolation {
    /// Every level, weakest first.
    pub const ALL: [Self; 5] = [
        Self::ReadUncommitted,
        Self::ReadCommitted,
        Self::Snapshot,
        Self::Concurrent,
        Self::Serializable,
    ];

    /// Whether each statement looks at the newest version anew.
    pub const fn refreshes(self) -> bool {
        matches!(self, Self::ReadUncommitted | Self::ReadCommitted)
    }

    /// Whether a commit checks that nobody changed the same rows.
    pub const fn checks_rows(self) -> bool {
        matches!(self, Self::Snapshot | Self::Concurrent)
    }

    /// Whether the first write waits until no other such writer is on the head.
    pub const fn writes_alone(self) -> bool {
        matches!(self, Self::ReadUncommitted | Self::ReadCommitted | Self::Snapshot)
    }
}

/// How a transaction begins.
#[derive(Clone, Debug, Default)]
pub struct BeginOptions {
    /// What it sees of others.
    pub isolation: Isolation,
    /// Whether heads that it comes to later are seen as they were at its begin, too, at the levels
    /// that see one moment ([`enlist_as_begun`](crate::Transaction::enlist_as_begun)).
    pub keeps_moment: bool,
    /// Whether a write is an error.
    pub read_only: bool,
    /// How long it waits for a lock; none: what the database's options say.
    pub busy_timeout: Option<Duration>,
    /// What is asked whether to wait on when that time is over.
    pub busy_hook: Option<BusyHook>,
    /// What is asked now and then while it waits whether the wait is to end.
    pub stop_hook: Option<StopHook>,
    /// What its commit waits for; none: what the database's options say.
    pub synchronous: Option<Synchronous>,
    /// The transaction that this one repeats after a retryable error: it keeps that one's age,
    /// so that it is not chosen as the victim of a deadlock again and again.
    pub repeats: Option<TransactionId>,
    /// Who commits, for the history.
    pub author: String,
    /// Why, for the history.
    pub message: String,
    /// Bits of the crates above, for the history.
    pub flags: u64,
}

impl BeginOptions {
    /// Whether all that the transaction sees of others is of one moment. One that is serializable
    /// and may write moves on with what it locks.
    pub(crate) const fn sees_one_moment(&self) -> bool {
        self.isolation.checks_rows()
            || (self.read_only && matches!(self.isolation, Isolation::Serializable))
    }

    /// A transaction that only reads.
    pub fn read_only() -> Self {
        Self { read_only: true, ..Self::default() }
    }

    /// A transaction at a level.
    pub fn at(isolation: Isolation) -> Self {
        Self { isolation, ..Self::default() }
    }
}
