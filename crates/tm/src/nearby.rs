//! Counted references that threads on several processors take and drop without meeting.
//!
//! An [`Arc`] counts in one place. When each of two threads takes and drops a reference for every
//! read, that place is all they share, and it goes back and forth between their processors: a
//! reader beside a writer lost a sixth of its rate by that. A [`Nearby`] is a second reference
//! around the first, which a group of threads has for itself, so that only they count there.
//! Neighbours: `heads` gives out cells this way, `manager` what all transactions share.

use std::ops::Deref;

use pandodb_ds::sync::{Arc, Padded, thread_number};

/// Groups that threads are divided into by their numbers.
pub(crate) const GROUPS: usize = if cfg!(loom) { 1 } else { 16 };

/// The group of the calling thread.
#[inline]
pub(crate) fn group() -> usize {
    thread_number() % GROUPS
}

/// A reference that counts beside the group that it was made for.
#[derive(Debug)]
pub(crate) struct Nearby<T>(Arc<Padded<Arc<T>>>);

impl<T> Nearby<T> {
    /// A place to count for one group.
    pub(crate) fn new(shared: Arc<T>) -> Self {
        Self(Arc::new(Padded(shared)))
    }

    /// The reference that everybody shares.
    pub(crate) fn shared(&self) -> &Arc<T> {
        &self.0.0
    }
}

// Not derived: what it leads to need not be cloned.
impl<T> Clone for Nearby<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Nearby<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.0
    }
}
