//! All queues and all owners behind one mutex, and the steps that change several of them.
//!
//! One mutex, because exact detection needs one consistent view of who waits for whom; what is
//! done under it is a few hash look-ups. Nothing here sleeps or wakes by itself: ending a wait
//! notes the outcome with its owner and notifies the owner's condition variable.
//! Neighbours: `mod` waits, `queue` holds the rules of one resource, `deadlock` searches.

use std::time::Duration;

use pandodb_ds::sync::{Arc, Condvar};
use rustc_hash::FxHashMap;

use super::deadlock::{WaitEdge, find_cycle};
use super::mode::Mode;
use super::queue::{Claim, Queue, Request};
use super::resource::Resource;
use super::{Contention, Holder, LockState, LockView};
use crate::ids::{HeadId, TransactionId};

/// How a wait ended, other than by the clock.
#[derive(Debug)]
pub(super) enum Outcome {
    Granted,
    Victim(Box<Contention>),
    Interrupted,
}

/// What one transaction waits for.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    resource: Resource,
    since: Duration,
}

/// One transaction's side of the table.
#[derive(Debug)]
struct Owner {
    /// The transaction whose run this one repeats: its age counts when a victim is chosen.
    senior: TransactionId,
    held: Vec<Resource>,
    waiting: Option<Waiting>,
    outcome: Option<Outcome>,
    condvar: Arc<Condvar>,
}

/// Owners that ended are kept for the next ones, so that a lock costs no allocation.
const SPARE_OWNERS: usize = 32;

/// The state behind the manager's mutex.
#[derive(Debug, Default)]
pub(super) struct Table {
    queues: FxHashMap<Resource, Queue>,
    owners: FxHashMap<TransactionId, Owner>,
    spare: Vec<Owner>,
    /// Room for the grants of one step.
    granted: Vec<(TransactionId, bool)>,
}

impl Table {
    /// Adds an owner; false if the number is taken.
    pub(super) fn register(
        &mut self,
        transaction: TransactionId,
        senior: TransactionId,
    ) -> Option<Arc<Condvar>> {
        if self.owners.contains_key(&transaction) {
            return None;
        }
        let mut owner = self.spare.pop().unwrap_or_else(|| Owner {
            senior,
            held: Vec::new(),
            waiting: None,
            outcome: None,
            condvar: Arc::new(Condvar::new()),
        });
        owner.senior = senior;
        let condvar = Arc::clone(&owner.condvar);
        self.owners.insert(transaction, owner);
        Some(condvar)
    }

    /// Forgets an owner with all it holds and awaits.
    pub(super) fn unregister(&mut self, transaction: TransactionId) {
        self.end_wait(transaction, Outcome::Interrupted);
        self.release_all(transaction);
        let Some(mut owner) = self.owners.remove(&transaction) else { return };
        owner.outcome = None;
        if self.spare.len() < SPARE_OWNERS {
            self.spare.push(owner);
        }
    }

    /// Asks for a lock; `true` if it is held now, `false` if it must be (and with `wait_since`:
    /// is) waited for.
    pub(super) fn request(
        &mut self,
        transaction: TransactionId,
        resource: Resource,
        mode: Mode,
        wait_since: Option<Duration>,
    ) -> bool {
        let Some(owner) = self.owners.get_mut(&transaction) else { return false };
        let queue = self.queues.entry(resource).or_default();
        match queue.request(transaction, mode, wait_since.is_some()) {
            Request::Granted => owner.held.push(resource),
            Request::Held => {}
            Request::Queued => {
                owner.waiting = wait_since.map(|since| Waiting { resource, since });
                return false;
            }
        }
        true
    }

    /// The outcome of a wait that ended; asked once.
    pub(super) fn take_outcome(&mut self, transaction: TransactionId) -> Option<Outcome> {
        self.owners.get_mut(&transaction)?.outcome.take()
    }

    /// Breaks every cycle through a transaction that begins to wait.
    pub(super) fn resolve_deadlocks(&mut self, newcomer: TransactionId) {
        while let Some(cycle) = find_cycle(newcomer, |from, edges| self.waits_of(from, edges)) {
            let Some(youngest) = cycle.iter().max_by_key(|edge| self.age(edge.transaction)) else {
                return;
            };
            let victim = *youngest;
            let mut contention = self.contention(victim.transaction, victim.resource, victim.mode);
            contention.cycle = cycle;
            self.end_wait(victim.transaction, Outcome::Victim(Box::new(contention)));
        }
    }

    /// Ends a wait, if there is one, and lets those behind it forward.
    pub(super) fn end_wait(&mut self, transaction: TransactionId, outcome: Outcome) -> bool {
        let Some(owner) = self.owners.get_mut(&transaction) else { return false };
        let Some(waiting) = owner.waiting.take() else { return false };
        owner.outcome = Some(outcome);
        owner.condvar.notify_one();
        if let Some(queue) = self.queues.get_mut(&waiting.resource) {
            queue.cancel(transaction);
        }
        self.advance(waiting.resource);
        true
    }

    /// Gives back one lock.
    pub(super) fn release(&mut self, transaction: TransactionId, resource: Resource) {
        if let Some(owner) = self.owners.get_mut(&transaction) {
            owner.held.retain(|held| *held != resource);
        }
        if let Some(queue) = self.queues.get_mut(&resource) {
            queue.release(transaction);
        }
        self.advance(resource);
    }

    /// Gives back the locks of an owner on a head.
    pub(super) fn release_head(&mut self, transaction: TransactionId, head: HeadId) {
        let Some(owner) = self.owners.get(&transaction) else { return };
        let on_head = owner.held.iter().filter(|held| held.head_id() == head);
        let on_head: Vec<Resource> = on_head.copied().collect();
        // The newest first: details before what contains them.
        for resource in on_head.into_iter().rev() {
            self.release(transaction, resource);
        }
    }

    /// Gives back all locks of an owner.
    pub(super) fn release_all(&mut self, transaction: TransactionId) {
        let Some(owner) = self.owners.get_mut(&transaction) else { return };
        let mut held = std::mem::take(&mut owner.held);
        // The newest first: details before what contains them.
        for resource in held.drain(..).rev() {
            if let Some(queue) = self.queues.get_mut(&resource) {
                queue.release(transaction);
            }
            self.advance(resource);
        }
        if let Some(owner) = self.owners.get_mut(&transaction) {
            owner.held = held;
        }
    }

    /// What stands between a transaction and a lock.
    pub(super) fn contention(
        &self,
        transaction: TransactionId,
        resource: Resource,
        mode: Mode,
    ) -> Contention {
        let claim = self.claim(transaction, resource, mode);
        let holders = self.queues.get(&resource).into_iter().flat_map(|queue| {
            queue.blockers(claim).map(|(blocker, holds)| Holder {
                transaction: blocker.transaction,
                mode: blocker.mode,
                holds,
            })
        });
        let holders = holders.collect();
        Contention { transaction, resource, mode: claim.mode, holders, cycle: Vec::new() }
    }

    /// Every held and awaited lock.
    pub(super) fn view(&self, now: Duration) -> Vec<LockView> {
        let mut views = Vec::new();
        for (&resource, queue) in &self.queues {
            views.extend(queue.granted().iter().map(|claim| LockView {
                transaction: claim.transaction,
                resource,
                mode: claim.mode,
                state: LockState::Held,
            }));
            views.extend(queue.waiting().enumerate().map(|(position, claim)| {
                let owner = self.owners.get(&claim.transaction);
                let since = owner.and_then(|owner| owner.waiting).map_or(now, |wait| wait.since);
                LockView {
                    transaction: claim.transaction,
                    resource,
                    mode: claim.mode,
                    state: LockState::Waiting { position, age: now.saturating_sub(since) },
                }
            }));
        }
        // The map has no order, people want one: by transaction, held before awaited.
        views.sort_by_key(|view| {
            (view.transaction, view.state != LockState::Held, view.resource.to_string())
        });
        views
    }

    /// How many locks a transaction holds.
    pub(super) fn held_count(&self, transaction: TransactionId) -> usize {
        self.owners.get(&transaction).map_or(0, |owner| owner.held.len())
    }

    /// The mode in which a transaction holds a resource.
    pub(super) fn held_mode(&self, transaction: TransactionId, resource: Resource) -> Option<Mode> {
        let queue = self.queues.get(&resource)?;
        queue.granted().iter().find(|claim| claim.transaction == transaction).map(|c| c.mode)
    }

    /// Notifies all who wait, for them to look at the clock again.
    pub(super) fn notify_waiting(&self) {
        for owner in self.owners.values().filter(|owner| owner.waiting.is_some()) {
            owner.condvar.notify_one();
        }
    }

    /// Grants what became possible on a resource; forgets its queue when nobody is left.
    fn advance(&mut self, resource: Resource) {
        let Some(queue) = self.queues.get_mut(&resource) else { return };
        let mut granted = std::mem::take(&mut self.granted);
        queue.grant_ready(&mut granted);
        if queue.is_empty() {
            self.queues.remove(&resource);
        }
        for (transaction, is_new) in granted.drain(..) {
            let Some(owner) = self.owners.get_mut(&transaction) else { continue };
            if is_new {
                owner.held.push(resource);
            }
            owner.waiting = None;
            owner.outcome = Some(Outcome::Granted);
            owner.condvar.notify_one();
        }
        self.granted = granted;
    }

    /// What is really waited for: an upgrade joins the held mode with the wanted one.
    fn claim(&self, transaction: TransactionId, resource: Resource, mode: Mode) -> Claim {
        let held = self.held_mode(transaction, resource);
        Claim { transaction, mode: held.map_or(mode, |held| held.join(mode)) }
    }

    fn waits_of(&self, transaction: TransactionId, edges: &mut Vec<WaitEdge>) {
        let Some(waiting) = self.owners.get(&transaction).and_then(|owner| owner.waiting) else {
            return;
        };
        let Some(queue) = self.queues.get(&waiting.resource) else { return };
        let Some(&claim) = queue.waiting().find(|claim| claim.transaction == transaction) else {
            return;
        };
        edges.extend(queue.blockers(claim).map(|(blocker, _)| WaitEdge {
            transaction,
            resource: waiting.resource,
            mode: claim.mode,
            blocker: blocker.transaction,
        }));
    }

    /// Larger is younger; of two runs of one transaction the later is the younger.
    fn age(&self, transaction: TransactionId) -> (TransactionId, TransactionId) {
        let senior = self.owners.get(&transaction).map_or(transaction, |owner| owner.senior);
        (senior, transaction)
    }
}
