//! How a database's transactions are run: everything that has a default.
//!
//! Neighbours: `manager` opens with these and changes some later; the SQL layer's PRAGMAs map to
//! them.

use std::fmt;
use std::time::Duration;

use pandodb_ds::store::StoreOptions;
use pandodb_ds::sync::Arc;

use crate::history::Retention;
use crate::ids::CommitId;
use crate::wal::{Synchronous, WalOptions};

/// When a checkpoint is made without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointPolicy {
    /// Bytes of log since the last one.
    pub log_bytes: u64,
    /// Bytes of changed pages in memory.
    pub dirty_bytes: usize,
    /// Time since the last one, if anything was committed.
    pub interval: Duration,
}

impl Default for CheckpointPolicy {
    fn default() -> Self {
        Self { log_bytes: 16 << 20, dirty_bytes: 64 << 20, interval: Duration::from_mins(1) }
    }
}

/// How far the replay of the log has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryProgress {
    /// Transactions replayed so far.
    pub transactions: u64,
    /// Bytes of log replayed so far.
    pub bytes: u64,
    /// The newest commit that was replayed.
    pub commit: CommitId,
}

/// Is told about a replay now and then.
pub type ProgressCallback = Arc<dyn Fn(RecoveryProgress) + Send + Sync>;

/// How a database is opened.
#[derive(Clone)]
pub struct Options {
    /// The file, its pages and their cache.
    pub store: StoreOptions,
    /// The log.
    pub wal: WalOptions,
    /// What commits wait for.
    pub synchronous: Synchronous,
    /// How long a transaction waits for a lock.
    pub busy_timeout: Duration,
    /// When checkpoints are made; none: only on demand.
    pub checkpoints: Option<CheckpointPolicy>,
    /// Whether a thread of its own makes them; without one, a commit that finds one due does.
    pub has_checkpoint_thread: bool,
    /// Bytes of changed pages that a transaction keeps in memory.
    pub spill_bytes: usize,
    /// Bytes of log after which a transaction is committed by its pages instead.
    pub large_transaction_bytes: usize,
    /// How far back versions of the past can be asked for.
    pub history: Retention,
    /// Is told about a long replay.
    pub on_recovery: Option<ProgressCallback>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store: StoreOptions::default(),
            wal: WalOptions::default(),
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
            checkpoints: Some(CheckpointPolicy::default()),
            has_checkpoint_thread: true,
            spill_bytes: 64 << 20,
            large_transaction_bytes: 8 << 20,
            history: Retention::default(),
            on_recovery: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("store", &self.store)
            .field("wal", &self.wal)
            .field("synchronous", &self.synchronous)
            .field("busy_timeout", &self.busy_timeout)
            .field("checkpoints", &self.checkpoints)
            .finish_non_exhaustive()
    }
}
