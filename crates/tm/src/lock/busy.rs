//! What an application is asked when a wait for a lock has lasted its timeout.
//!
//! The wait goes on in the queue while it answers, so that nobody overtakes and the lock may come
//! meanwhile. Neighbours: `super::LockOwner` asks.

use std::fmt;
use std::time::Duration;

use pandodb_ds::sync::Arc;

/// Between two questions where the timeout is nothing: a lock that is given back ends the wait at
/// once in any case.
const SLICE_MIN: Duration = Duration::from_millis(1);

/// Is asked, with the number of times that it was asked before in this wait, whether to wait on.
#[derive(Clone)]
pub struct BusyHook(Arc<dyn Fn(u32) -> bool + Send + Sync>);

impl BusyHook {
    /// A hook that answers as `hook` does.
    pub fn new(hook: impl Fn(u32) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    pub(super) fn waits_on(&self, asked: u32) -> bool {
        (self.0)(asked)
    }
}

impl fmt::Debug for BusyHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BusyHook")
    }
}

/// How long to wait until the next question.
pub(super) fn slice(timeout: Duration) -> Duration {
    timeout.max(SLICE_MIN)
}
