//! Who holds one resource and who waits for it, in order. No threads here: pure rules.
//!
//! Requests are granted first come first served: a request that could be granted still goes
//! behind one that waits, or a stream of readers would starve a writer. The exception is a
//! holder that wants more (an upgrade): it goes before all who hold nothing, because they
//! cannot be granted before it lets go anyway. Two upgrades that exclude each other's held mode
//! can never both be granted; each blocks the other and `deadlock` finds them.
//! Neighbours: `table` keeps one queue per resource, `deadlock` follows [`Queue::blockers`].

use std::collections::VecDeque;

use smallvec::SmallVec;

use super::mode::Mode;
use crate::ids::TransactionId;

/// A transaction with the mode it holds or waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) transaction: TransactionId,
    pub(super) mode: Mode,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// It holds the resource now and did not before.
    Granted,
    /// It held the resource already, perhaps in a weaker mode.
    Held,
    /// It must wait.
    Queued,
}

/// The holders of a resource and those who wait for it.
#[derive(Debug, Default)]
pub(super) struct Queue {
    granted: SmallVec<[Claim; 2]>,
    waiting: VecDeque<Claim>,
}

impl Queue {
    /// Whether nobody holds it and nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.granted.is_empty() && self.waiting.is_empty()
    }

    pub(super) fn granted(&self) -> &[Claim] {
        &self.granted
    }

    pub(super) fn waiting(&self) -> impl Iterator<Item = &Claim> {
        self.waiting.iter()
    }

    /// Grants `mode` on top of what `transaction` holds.
    ///
    /// With `may_wait` it is queued where that is not possible; else nothing changes then.
    pub(super) fn request(
        &mut self,
        transaction: TransactionId,
        mode: Mode,
        may_wait: bool,
    ) -> Request {
        let held = self.granted.iter().position(|claim| claim.transaction == transaction);
        let Some(held) = held else {
            if self.waiting.is_empty() && self.admits(transaction, mode) {
                self.granted.push(Claim { transaction, mode });
                return Request::Granted;
            }
            if may_wait {
                self.waiting.push_back(Claim { transaction, mode });
            }
            return Request::Queued;
        };
        let joined = self.granted[held].mode.join(mode);
        if joined == self.granted[held].mode || self.admits(transaction, joined) {
            self.granted[held].mode = joined;
            return Request::Held;
        }
        if may_wait {
            let behind_upgrades = self
                .waiting
                .iter()
                .position(|claim| !self.holds(claim.transaction))
                .unwrap_or(self.waiting.len());
            self.waiting.insert(behind_upgrades, Claim { transaction, mode: joined });
        }
        Request::Queued
    }

    /// Grants what has become possible, from the front; `granted` gets each with whether it
    /// held nothing before.
    pub(super) fn grant_ready(&mut self, granted: &mut Vec<(TransactionId, bool)>) {
        while let Some(&Claim { transaction, mode }) = self.waiting.front() {
            if !self.admits(transaction, mode) {
                return;
            }
            self.waiting.pop_front();
            let held = self.granted.iter_mut().find(|claim| claim.transaction == transaction);
            granted.push((transaction, held.is_none()));
            match held {
                Some(claim) => claim.mode = mode,
                None => self.granted.push(Claim { transaction, mode }),
            }
        }
    }

    /// Takes back a request that waits.
    pub(super) fn cancel(&mut self, transaction: TransactionId) {
        self.waiting.retain(|claim| claim.transaction != transaction);
    }

    /// Gives up what `transaction` holds.
    pub(super) fn release(&mut self, transaction: TransactionId) {
        self.granted.retain(|claim| claim.transaction != transaction);
    }

    /// Those without whose doing `claim` is not granted: holders that exclude it and, because
    /// the order is kept, all who wait before it (all who wait, if it does not wait itself).
    pub(super) fn blockers(&self, claim: Claim) -> impl Iterator<Item = (Claim, bool)> {
        let excluding = self.granted.iter().filter(move |holder| {
            holder.transaction != claim.transaction && !holder.mode.is_compatible(claim.mode)
        });
        let is_upgrade = self.holds(claim.transaction);
        let before = self
            .waiting
            .iter()
            .take_while(move |wait| wait.transaction != claim.transaction)
            .filter(move |wait| !is_upgrade || self.holds(wait.transaction));
        excluding.map(|holder| (*holder, true)).chain(before.map(|wait| (*wait, false)))
    }

    fn holds(&self, transaction: TransactionId) -> bool {
        self.granted.iter().any(|claim| claim.transaction == transaction)
    }

    fn admits(&self, transaction: TransactionId, mode: Mode) -> bool {
        self.granted
            .iter()
            .all(|claim| claim.transaction == transaction || claim.mode.is_compatible(mode))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "tests fail by panicking"
    )]
    use super::*;
    use Mode::{Exclusive, IntentShared, Shared};

    const A: TransactionId = TransactionId(1);
    const B: TransactionId = TransactionId(2);
    const C: TransactionId = TransactionId(3);
    const D: TransactionId = TransactionId(4);

    fn ready(queue: &mut Queue) -> Vec<u64> {
        let mut granted = Vec::new();
        queue.grant_ready(&mut granted);
        granted.into_iter().map(|(transaction, _)| transaction.0).collect()
    }

    #[test]
    fn a_reader_waits_behind_a_waiting_writer() {
        let mut queue = Queue::default();
        assert_eq!(queue.request(A, Shared, true), Request::Granted);
        assert_eq!(queue.request(B, Exclusive, true), Request::Queued);
        assert_eq!(queue.request(C, Shared, true), Request::Queued);
        assert_eq!(queue.request(D, IntentShared, true), Request::Queued);
        queue.release(A);
        assert_eq!(ready(&mut queue), [2]);
        queue.release(B);
        assert_eq!(ready(&mut queue), [3, 4]);
    }

    #[test]
    fn an_upgrade_goes_before_those_who_hold_nothing() {
        let mut queue = Queue::default();
        queue.request(A, Shared, true);
        queue.request(B, Shared, true);
        queue.request(C, Exclusive, true);
        assert_eq!(queue.request(A, Exclusive, true), Request::Queued);
        queue.release(B);
        assert_eq!(ready(&mut queue), [1]);
        queue.release(A);
        assert_eq!(ready(&mut queue), [3]);
    }

    #[test]
    fn an_upgrade_that_excludes_nobody_is_granted_past_the_queue() {
        let mut queue = Queue::default();
        queue.request(A, IntentShared, true);
        queue.request(B, Exclusive, true);
        assert_eq!(queue.request(A, Exclusive, true), Request::Held);
        assert_eq!(queue.request(A, Shared, true), Request::Held);
        assert_eq!(queue.granted(), [Claim { transaction: A, mode: Exclusive }]);
    }

    #[test]
    fn a_request_that_may_not_wait_leaves_no_trace() {
        let mut queue = Queue::default();
        queue.request(A, Exclusive, true);
        assert_eq!(queue.request(B, Shared, false), Request::Queued);
        queue.release(A);
        assert!(queue.is_empty());
    }
}
