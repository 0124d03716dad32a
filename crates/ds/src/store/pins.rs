//! Registered readers of the store itself: backups, checks, tests.
//!
//! Transactions have a table of their own without a lock. Neighbours: `mod` asks for the oldest.

use std::collections::BTreeMap;

use crate::sync::{Arc, Mutex};

/// Epochs with how many readers registered in each.
#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<BTreeMap<u64, u64>>);

/// A registered reader; dropping it lets go.
#[derive(Debug)]
pub struct Pin {
    pins: Arc<Pins>,
    epoch: u64,
}

impl Pins {
    /// Registers a reader. The epoch is read under the lock, so that a reclaim either sees the
    /// reader or is over before the reader loads a head.
    pub(super) fn pin(self: &Arc<Self>, epoch: impl FnOnce() -> u64) -> Pin {
        let mut pins = self.0.lock();
        let epoch = epoch();
        *pins.entry(epoch).or_default() += 1;
        drop(pins);
        Pin { pins: Arc::clone(self), epoch }
    }

    /// The oldest epoch with a reader.
    pub(super) fn oldest(&self) -> u64 {
        self.0.lock().keys().next().copied().unwrap_or(u64::MAX)
    }
}

impl Pin {
    /// The epoch in which the reader registered.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.pins.0.lock();
        if let Some(count) = pins.get_mut(&self.epoch) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.epoch);
            }
        }
    }
}
