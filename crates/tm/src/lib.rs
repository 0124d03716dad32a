//! `pandodb-tm`: transactions, from a change to a promise.
//!
//! This crate knows trees, keys and bytes on any number of heads, never SQL. It is an internal
//! crate of PandoDB; the only interface with promises is the package `pandodb`.

// The simulation's workload names this crate as its example does.
#[cfg(test)]
extern crate self as pandodb_tm;

// What the rest is written in.
pub mod error;
pub mod ids;

// Who may touch what, and what is seen.
pub mod isolation;
pub mod lock;

// What is still read, and what is newest.
pub mod head;
pub mod heads;
pub mod history;
pub mod snapshot;

// What makes a commit last.
pub mod commit;
mod replay;
pub mod wal;

// Where it comes together.
pub mod manager;
mod nearby;
pub mod options;
pub mod transaction;

// What happens after a failure.
pub mod poison;

#[cfg(all(test, not(loom)))]
mod deadlock_tests;
#[cfg(all(test, not(loom)))]
mod history_tests;
#[cfg(all(test, not(loom)))]
mod isolation_tests;

pub use commit::Progress;
pub use error::{Error, ErrorKind, Result};
pub use heads::{HeadInfo, HeadVersion, MAIN};
pub use history::{Moment, PastVersion, RecentCommit, RecentPart, Retention};
pub use ids::{CommitId, HeadId, Lsn, TransactionId, TreeId};
pub use isolation::{BeginOptions, Isolation};
pub use lock::{BusyHook, LockState, LockView, StopHook};
pub use manager::{
    CheckpointMode, CheckpointReport, LastCheckpoint, Manager, NOTE_MAX, Shrunk, WalCheckpoint,
};
pub use options::{CheckpointPolicy, Options, ProgressCallback, RecoveryProgress};
pub use snapshot::SnapshotView;
pub use transaction::{Clash, Cursor, LightSavepoint, Savepoint, Transaction};
pub use wal::{Synchronous, check_no_log};
