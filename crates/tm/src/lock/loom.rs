//! Loom models of the lock queue: waits, upgrades and deadlocks in every order of steps.
//!
//! `loom` reports a thread that is never woken as a deadlock, so each model that ends has shown
//! that no wake-up was lost. Neighbours: `tests` does the same with many threads and no proof.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "models fail by panicking"
)]

use std::time::Duration;

use ::loom::cell::UnsafeCell;
use pandodb_ds::sync::thread;

use super::*;
use crate::ids::HeadId;

#[derive(Debug)]
struct StandingClock;

impl Clock for StandingClock {
    fn now_micros(&self) -> i64 {
        0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}
}

const LONG: Duration = Duration::from_secs(1);
const THING: Resource = Resource::head(HeadId(1));
const OTHER: Resource = Resource::head(HeadId(2));

/// Who holds X is alone, and each waiter is woken by the release before it.
///
/// Fails without `owner.condvar.notify_one()` in `Table::advance` (a lost wake-up), and with
/// `true` for `(Exclusive, _)` in `Mode::is_compatible` (a data race on the cell).
#[test]
fn loom_exclusive_is_alone_and_every_waiter_is_woken() {
    ::loom::model(|| {
        let manager = LockManager::new(Arc::new(StandingClock));
        let cell = Arc::new(UnsafeCell::new(()));
        let threads: Vec<_> = (1..=2)
            .map(|number| {
                let (manager, cell) = (Arc::clone(&manager), Arc::clone(&cell));
                thread::spawn(move || {
                    let mut owner = manager.register(TransactionId(number)).unwrap();
                    owner.acquire(THING, Mode::Exclusive, LONG).unwrap();
                    cell.with_mut(|_| ());
                })
            })
            .collect();
        {
            let mut owner = manager.register(TransactionId(3)).unwrap();
            owner.acquire(THING, Mode::Shared, LONG).unwrap();
            cell.with(|_| ());
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert!(manager.view().is_empty());
    });
}

/// Two holders of S that both want X: exactly the younger one fails, if they overlap at all.
///
/// Fails (a hang) without `table.resolve_deadlocks` in `LockOwner::acquire`, and with
/// `min_by_key` for `max_by_key` in `Table::resolve_deadlocks` (the elder fails).
#[test]
fn loom_of_two_upgrades_only_the_younger_fails() {
    ::loom::model(|| {
        let manager = LockManager::new(Arc::new(StandingClock));
        let younger = {
            let manager = Arc::clone(&manager);
            thread::spawn(move || upgrade(&manager, 2))
        };
        upgrade(&manager, 1).expect("the elder never fails");
        if let Err(error) = younger.join().unwrap() {
            assert_eq!(error.kind(), ErrorKind::Deadlock);
        }
        assert!(manager.view().is_empty());
    });
}

fn upgrade(manager: &Arc<LockManager>, number: u64) -> Result<()> {
    let mut owner = manager.register(TransactionId(number)).unwrap();
    owner.acquire(THING, Mode::Shared, LONG)?;
    owner.acquire(THING, Mode::Exclusive, LONG)
}

/// Two resources in opposite order, while a third party interrupts one of the two.
///
/// Fails (a hang) without `self.advance(waiting.resource)` in `Table::end_wait` when a victim or
/// an interrupted one stood in front of somebody, or without its `notify_one`.
#[test]
fn loom_a_deadlock_an_interrupt_and_a_release_leave_nobody_waiting() {
    ::loom::model(|| {
        let manager = LockManager::new(Arc::new(StandingClock));
        let opposite = {
            let manager = Arc::clone(&manager);
            thread::spawn(move || {
                let mut owner = manager.register(TransactionId(2)).unwrap();
                let first = owner.acquire(OTHER, Mode::Exclusive, LONG);
                first.and_then(|()| owner.acquire(THING, Mode::Exclusive, LONG)).is_ok()
            })
        };
        let interrupter = {
            let manager = Arc::clone(&manager);
            thread::spawn(move || {
                manager.interrupt(TransactionId(2));
            })
        };
        let mut owner = manager.register(TransactionId(1)).unwrap();
        owner.acquire(THING, Mode::Exclusive, LONG).expect("the elder never fails");
        owner.acquire(OTHER, Mode::Shared, LONG).expect("the elder never fails");
        drop(owner);
        opposite.join().unwrap();
        interrupter.join().unwrap();
        assert!(manager.view().is_empty());
    });
}

/// A waiter in the middle of a queue gives up: the one behind it goes forward.
///
/// S is held; X waits; S waits behind X. When X is interrupted, S must be granted although
/// nobody releases anything. Fails (a hang) without `self.advance` in `Table::end_wait`.
#[test]
fn loom_a_wait_that_ends_lets_those_behind_it_forward() {
    ::loom::model(|| {
        let manager = LockManager::new(Arc::new(StandingClock));
        let mut holder = manager.register(TransactionId(1)).unwrap();
        holder.acquire(THING, Mode::Shared, LONG).unwrap();
        let writer = {
            let manager = Arc::clone(&manager);
            let mut owner = manager.register(TransactionId(2)).unwrap();
            thread::spawn(move || {
                // Interrupted while it waits, or refused at once if the reader came first.
                owner.acquire(THING, Mode::Exclusive, LONG).unwrap_err();
            })
        };
        let reader = {
            let manager = Arc::clone(&manager);
            thread::spawn(move || {
                let mut owner = manager.register(TransactionId(3)).unwrap();
                owner.acquire(THING, Mode::Shared, LONG).unwrap();
            })
        };
        while !manager.interrupt(TransactionId(2)) {
            thread::yield_now();
        }
        reader.join().unwrap();
        writer.join().unwrap();
        drop(holder);
    });
}
