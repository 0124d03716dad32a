//! What whoever looks after a database asks and sets while it is open: log, checkpoints, locks,
//! snapshots. The SQL layer's PRAGMAs map to these one to one.
//!
//! Neighbours: `checkpoint` does what is asked for, `settings` keeps what is set.

use std::path::PathBuf;
use std::time::Duration;

use super::checkpoint::LastCheckpoint;
use super::{
    AnyLog, CheckpointMode, CheckpointPolicy, CheckpointReport, DatabaseId, LockView, Manager,
    SnapshotView, Synchronous, archive,
};
use crate::error::{ErrorKind, Result};
use crate::ids::Lsn;
use crate::wal::archive::ArchivedSegment;

/// What `PRAGMA wal_checkpoint` tells: the three numbers that SQLite's has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalCheckpoint {
    /// Another checkpoint was running and this one did not wait for it.
    pub is_busy: bool,
    /// Frames of log that were not in the file when it began.
    pub log_frames: u64,
    /// How many of them are in the file now.
    pub moved_frames: u64,
}

impl Manager {
    /// Whether it was opened for reading only.
    pub fn is_read_only(&self) -> bool {
        self.shared.is_read_only
    }

    /// A number that no other open database has: an order for what is done to several.
    pub fn rank(&self) -> usize {
        std::ptr::from_ref(&*self.shared).addr()
    }

    /// Whether it lives in memory only: no file, no log.
    pub fn is_in_memory(&self) -> bool {
        !self.shared.has_log && !self.shared.is_read_only
    }

    /// Writes the newest versions of all heads to the file, so that the log up to here is not
    /// needed any more.
    pub fn checkpoint(&self, mode: CheckpointMode) -> Result<CheckpointReport> {
        self.shared.checkpoint(mode)
    }

    /// As [`checkpoint`](Self::checkpoint); that another one is running is told, not an error. A
    /// database in memory has no log and nothing to do.
    pub fn wal_checkpoint(&self, mode: CheckpointMode) -> Result<WalCheckpoint> {
        if !self.shared.has_log {
            return Ok(WalCheckpoint::default());
        }
        let log_frames = self.log_frames();
        match self.checkpoint(mode) {
            Ok(report) => Ok(WalCheckpoint {
                is_busy: false,
                // Commits go on: some of what was moved may have come after the look.
                log_frames: log_frames.max(report.log_frames),
                moved_frames: report.log_frames,
            }),
            Err(error) if error.kind() == ErrorKind::Busy => {
                Ok(WalCheckpoint { is_busy: true, log_frames, moved_frames: 0 })
            }
            Err(error) => Err(error),
        }
    }

    /// The newest checkpoint since the database was opened, those in the background included.
    pub fn last_checkpoint(&self) -> Option<LastCheckpoint> {
        self.shared.checkpoints.last()
    }

    /// Every held and awaited lock.
    pub fn locks(&self) -> Vec<LockView> {
        self.shared.locks.view()
    }

    /// Every open snapshot, oldest first.
    pub fn snapshots(&self) -> Vec<SnapshotView> {
        self.shared.snapshots.view(self.shared.clock.monotonic())
    }

    /// The log position of the newest checkpoint: recovery would begin there.
    pub fn log_start(&self) -> Lsn {
        Lsn(self.shared.store.log_position())
    }

    /// Bytes of log that recovery would have to replay.
    pub fn log_bytes(&self) -> u64 {
        self.progress().staged.since(self.log_start())
    }

    /// What commits wait for.
    pub fn synchronous(&self) -> Synchronous {
        self.shared.synchronous()
    }

    /// Changes what commits wait for, for transactions that do not say it themselves.
    pub fn set_synchronous(&self, synchronous: Synchronous) {
        self.shared.settings.set_synchronous(synchronous);
    }

    /// How long a transaction waits for a lock unless it says otherwise.
    pub fn busy_timeout(&self) -> Duration {
        self.shared.busy_timeout()
    }

    /// Changes how long a transaction waits for a lock unless it says otherwise.
    pub fn set_busy_timeout(&self, timeout: Duration) {
        self.shared.settings.set_busy_timeout(timeout);
    }

    /// The files of the log that hold commits which nobody can reach, because a segment before
    /// them was missing when the database was opened; they are kept until somebody removes them.
    pub fn lost_log(&self) -> &[PathBuf] {
        &self.shared.lost_log
    }

    /// When checkpoints are made by themselves.
    pub fn checkpoint_policy(&self) -> Option<CheckpointPolicy> {
        self.shared.settings.policy()
    }

    /// Changes when checkpoints are made by themselves; none: only on demand.
    pub fn set_checkpoint_policy(&self, policy: Option<CheckpointPolicy>) {
        self.shared.settings.set_policy(policy);
        self.shared.checkpointer.wake();
    }

    /// Changes whether closed log segments are kept.
    pub fn set_archive(&self, archive: bool) {
        self.shared.settings.set_archived(archive);
        let keeps_log = archive || self.shared.history.is_active();
        self.shared.queue.with_log(|log, _| {
            if let AnyLog::Files(writer) = log {
                writer.set_archive(keeps_log);
                if archive {
                    writer.leave_closed();
                }
            }
        });
    }

    /// Changes the sizes at which a transaction leaves memory and the log.
    pub fn set_size_limits(&self, spill_bytes: usize, large_transaction_bytes: usize) {
        self.shared.settings.set_size_limits(spill_bytes, large_transaction_bytes);
    }

    /// Bytes of log after which a checkpoint is made by itself; none: only on demand.
    pub fn auto_checkpoint(&self) -> Option<u64> {
        self.checkpoint_policy().map(|policy| policy.log_bytes)
    }

    /// Changes after how many bytes of log a checkpoint is made by itself; none: only on demand.
    pub fn set_auto_checkpoint(&self, log_bytes: Option<u64>) {
        let policy = self.checkpoint_policy().unwrap_or_default();
        self.set_checkpoint_policy(
            log_bytes.map(|log_bytes| CheckpointPolicy { log_bytes, ..policy }),
        );
    }

    /// Whether closed log segments are kept.
    pub fn is_archive(&self) -> bool {
        self.shared.settings.is_archived()
    }

    /// Frames of log that recovery would have to replay.
    pub fn log_frames(&self) -> u64 {
        self.progress().frames.saturating_sub(self.shared.checkpoints.frames())
    }

    /// The files of the log, oldest first: those that recovery needs, and those that the history
    /// or archive mode keeps.
    pub fn log_segments(&self) -> Result<Vec<ArchivedSegment>> {
        if !self.shared.has_log {
            return Ok(Vec::new());
        }
        let store = &self.shared.store;
        archive::segments(&**store.vfs(), store.path(), DatabaseId(store.database()))
    }
}
