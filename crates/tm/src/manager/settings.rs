//! The options that may change while the database is open.
//!
//! Neighbours: `mod` changes them, transactions read them when they begin and while they write.

use std::time::Duration;

use pandodb_ds::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use pandodb_ds::sync::{Mutex, Padded};

use crate::options::{CheckpointPolicy, Options};
use crate::wal::Synchronous;

/// Each is independent of the others, hence relaxed throughout.
#[derive(Debug)]
pub(super) struct Settings {
    synchronous: AtomicU8,
    busy_timeout_micros: AtomicU64,
    spill_bytes: AtomicUsize,
    large_transaction_bytes: AtomicUsize,
    /// Locked by every commit.
    policy: Padded<Mutex<Option<CheckpointPolicy>>>,
    is_archived: AtomicBool,
}

impl Settings {
    pub(super) fn new(options: &Options) -> Self {
        let settings = Self {
            synchronous: AtomicU8::new(0),
            busy_timeout_micros: AtomicU64::new(0),
            spill_bytes: AtomicUsize::new(options.spill_bytes),
            large_transaction_bytes: AtomicUsize::new(options.large_transaction_bytes),
            policy: Padded(Mutex::new(options.checkpoints)),
            is_archived: AtomicBool::new(options.wal.archive),
        };
        settings.set_synchronous(options.synchronous);
        settings.set_busy_timeout(options.busy_timeout);
        settings
    }

    /// Whether closed segments are kept for somebody outside, however old.
    pub(super) fn is_archived(&self) -> bool {
        self.is_archived.load(Ordering::Relaxed)
    }

    pub(super) fn set_archived(&self, is_archived: bool) {
        self.is_archived.store(is_archived, Ordering::Relaxed);
    }

    pub(super) fn synchronous(&self) -> Synchronous {
        match self.synchronous.load(Ordering::Relaxed) {
            0 => Synchronous::Off,
            1 => Synchronous::Normal,
            _ => Synchronous::Full,
        }
    }

    pub(super) fn set_synchronous(&self, synchronous: Synchronous) {
        let number = match synchronous {
            Synchronous::Off => 0,
            Synchronous::Normal => 1,
            Synchronous::Full => 2,
        };
        self.synchronous.store(number, Ordering::Relaxed);
    }

    pub(super) fn busy_timeout(&self) -> Duration {
        Duration::from_micros(self.busy_timeout_micros.load(Ordering::Relaxed))
    }

    pub(super) fn set_busy_timeout(&self, timeout: Duration) {
        let micros = u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX);
        self.busy_timeout_micros.store(micros, Ordering::Relaxed);
    }

    pub(super) fn size_limits(&self) -> (usize, usize) {
        let spill = self.spill_bytes.load(Ordering::Relaxed);
        (spill, self.large_transaction_bytes.load(Ordering::Relaxed))
    }

    pub(super) fn set_size_limits(&self, spill_bytes: usize, large_transaction_bytes: usize) {
        self.spill_bytes.store(spill_bytes, Ordering::Relaxed);
        self.large_transaction_bytes.store(large_transaction_bytes, Ordering::Relaxed);
    }

    pub(super) fn policy(&self) -> Option<CheckpointPolicy> {
        *self.policy.lock()
    }

    pub(super) fn set_policy(&self, policy: Option<CheckpointPolicy>) {
        *self.policy.lock() = policy;
    }
}
