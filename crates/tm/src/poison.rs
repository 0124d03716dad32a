//! The state after a failed write or sync of the log: reading goes on, writing is refused.
//!
//! What the operating system did with the pages of a failed sync is unknown, and a second sync
//! may report success for data that is gone. So the first failure is kept, every later write
//! gets it as its cause, and only a reopen, which reads what is really there, ends it.
//! Neighbours: `commit` sets and asks it, the checkpointer does too.

use pandodb_ds::sync::Mutex;
use pandodb_ds::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Whether writing has failed for good, and why.
#[derive(Debug)]
pub struct Poison {
    poisoned: AtomicBool,
    cause: Mutex<Option<Error>>,
}

impl Default for Poison {
    fn default() -> Self {
        Self::new()
    }
}

impl Poison {
    /// Writing is fine.
    pub fn new() -> Self {
        Self { poisoned: AtomicBool::new(false), cause: Mutex::new(None) }
    }

    /// Refuses all writing from now on; the first cause is the one that is kept.
    pub fn poison(&self, cause: &Error) {
        let mut kept = self.cause.lock();
        if kept.is_none() {
            *kept = Some(cause.clone());
        }
        // After the cause, so that whoever sees the flag finds the cause.
        self.poisoned.store(true, Ordering::Release);
    }

    /// Whether writing is refused.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    /// An error if writing is refused; one load when it is not.
    pub fn check(&self) -> Result<()> {
        if self.is_poisoned() { Err(self.error()) } else { Ok(()) }
    }

    /// The error that a refused write gets.
    #[cold]
    pub fn error(&self) -> Error {
        let message = "writing is refused until the database is reopened, \
                       because a write or sync of its log failed";
        match self.cause.lock().as_ref() {
            Some(cause) => Error::with_source(ErrorKind::Poisoned, message, cause.clone()),
            None => Error::new(ErrorKind::Poisoned, message),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use super::*;

    #[test]
    fn the_first_cause_is_kept_and_told() {
        let poison = Poison::new();
        poison.check().expect("writing is fine");
        poison.poison(&Error::new(ErrorKind::Io, "first"));
        poison.poison(&Error::new(ErrorKind::Io, "second"));
        let error = poison.check().expect_err("writing is refused");
        assert_eq!(error.kind(), ErrorKind::Poisoned);
        assert!(error.to_string().ends_with("log failed: first"), "{error}");
        assert!(!error.is_retryable());
    }
}
