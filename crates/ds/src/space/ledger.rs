//! What a writer wrote before a durable root reaches it.
//!
//! A transaction that spills pages or stores large values notes their extents here. A ledger
//! that is dropped returns them; one that is adopted hands that duty to the next checkpoint,
//! which attaches what its roots reach and returns the rest. Neighbours: `pager` fills ledgers,
//! `store` adopts them.

use super::Space;
use crate::format::Granule;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Padded};

/// The extents that one writer wrote.
#[derive(Debug)]
pub struct Ledger {
    space: Arc<Space>,
    epoch: Arc<Padded<AtomicU64>>,
    versions: Vec<Granule>,
}

impl Ledger {
    pub(crate) fn new(space: Arc<Space>, epoch: Arc<Padded<AtomicU64>>) -> Self {
        Self { space, epoch, versions: Vec::new() }
    }

    /// Notes an extent.
    pub(crate) fn note(&mut self, version: Granule) {
        self.versions.push(version);
    }

    /// Whether nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Hands the notes on, and the duty with them; what stays is empty.
    pub(crate) fn replace(&mut self) -> Self {
        let versions = self.take();
        Self { space: Arc::clone(&self.space), epoch: Arc::clone(&self.epoch), versions }
    }

    /// Takes the notes out: the caller returns them.
    pub(crate) fn take(&mut self) -> Vec<Granule> {
        std::mem::take(&mut self.versions)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        if !self.versions.is_empty() {
            // Acquire: pairs with the checkpoint's release of the next epoch, so that extents
            // never carry an older epoch than a reader that could see them.
            let epoch = self.epoch.load(Ordering::Acquire);
            self.space.discard(&self.versions, epoch);
        }
    }
}
