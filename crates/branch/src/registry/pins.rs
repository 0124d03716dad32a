//! Moments that merges of this process are about: nobody drops them meanwhile.
//!
//! The moment that a merge takes its source from is needed by nobody else until the merge is
//! recorded, so that the upkeep of another thread would take it for one that nobody needs.
//! Neighbours: `merging` pins, `anchors` asks before it drops.

use std::collections::BTreeMap;

use pandodb_ds::sync::{Arc, Mutex};
use pandodb_tm::HeadId;

/// How many merges need each head.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins(Arc<Mutex<BTreeMap<u64, usize>>>);

impl Pins {
    /// Keeps a head from being dropped as one that nobody needs, as long as the pin lives.
    pub(super) fn pin(&self, head: HeadId) -> Pin {
        *self.0.lock().entry(head.0).or_default() += 1;
        Pin { pins: self.clone(), head }
    }

    /// Whether a merge needs the head.
    pub(super) fn holds(&self, head: u64) -> bool {
        self.0.lock().contains_key(&head)
    }
}

/// A head that a merge needs.
#[derive(Debug)]
pub(super) struct Pin {
    pins: Pins,
    head: HeadId,
}

impl Pin {
    pub(super) fn head(&self) -> HeadId {
        self.head
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut heads = self.pins.0.lock();
        if let Some(count) = heads.get_mut(&self.head.0) {
            *count -= 1;
            if *count == 0 {
                heads.remove(&self.head.0);
            }
        }
    }
}
