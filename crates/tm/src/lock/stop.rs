//! What ends a wait for a lock before its time: an interrupt, a bound, whoever watches.
//!
//! It is asked before a wait and again and again during it, by the thread that waits: so whatever
//! it looks at needs to tell nobody, and nothing that it says can be missed. The wait keeps its
//! place in the queue meanwhile. Neighbours: `super::LockOwner` asks, `busy` is asked at the end.

use std::fmt;
use std::time::Duration;

use pandodb_ds::sync::Arc;

/// Between two questions: soon for people, and nothing beside a wait that sleeps.
pub(super) const EVERY: Duration = Duration::from_millis(10);

/// Says whether a wait is to end with [`Interrupted`](crate::ErrorKind::Interrupted).
#[derive(Clone)]
pub struct StopHook(Arc<dyn Fn() -> bool + Send + Sync>);

impl StopHook {
    /// A hook that answers as `hook` does.
    pub fn new(hook: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    pub(super) fn stops(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for StopHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StopHook")
    }
}
