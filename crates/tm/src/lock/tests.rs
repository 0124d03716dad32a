//! Tests of the lock manager with real threads: waits, timeouts, deadlocks, starvation.
//! Neighbours: `queue` and `deadlock` test their rules without threads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "the manager under test meets a real clock")]

use std::time::{Duration, Instant};

use pandodb_ds::sync::atomic::{AtomicU64, Ordering};
use pandodb_ds::sync::thread;

use super::*;
use crate::ids::{HeadId, TreeId};

const LONG: Duration = Duration::from_hours(1);

/// A clock that stands still until it is moved or somebody sleeps.
#[derive(Debug, Default)]
struct ManualClock(AtomicU64);

impl Clock for ManualClock {
    fn now_micros(&self) -> i64 {
        self.0.load(Ordering::SeqCst) as i64
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) {
        self.0.fetch_add(duration.as_micros() as u64, Ordering::SeqCst);
    }
}

/// The real clock, for the one test that measures it.
#[derive(Debug)]
struct RealClock(Instant);

impl Clock for RealClock {
    fn now_micros(&self) -> i64 {
        0
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
    }
}

fn manager() -> (Arc<LockManager>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (LockManager::new(clock.clone()), clock)
}

fn tree(number: u32) -> Resource {
    Resource::tree(HeadId(1), TreeId(u64::from(number)))
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

fn waiting(manager: &LockManager) -> usize {
    manager.view().iter().filter(|view| view.state != LockState::Held).count()
}

#[test]
fn dropping_an_owner_gives_all_back_and_wakes_the_next() {
    let (manager, _) = manager();
    let mut first = manager.register(TransactionId(1)).unwrap();
    first.acquire_within(tree(7), Mode::Exclusive, Duration::ZERO).unwrap();
    assert_eq!(first.held_count(), 2);
    assert_eq!(first.held_mode(Resource::head(HeadId(1))), Some(Mode::IntentExclusive));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut second = manager.register(TransactionId(2)).unwrap();
            second.acquire(tree(7), Mode::Shared, LONG).unwrap();
        });
        wait_until(|| waiting(&manager) == 1);
        let view = manager.view();
        assert_eq!(view.last().unwrap().transaction, TransactionId(2));
        drop(first);
        waiter.join().unwrap();
    });
    assert!(manager.view().is_empty(), "no lock outlives its owner");
}

#[test]
fn a_panicking_thread_leaves_no_lock() {
    let (manager, _) = manager();
    let panicked = thread::scope(|scope| {
        scope
            .spawn(|| {
                let mut owner = manager.register(TransactionId(1)).unwrap();
                owner.acquire(tree(1), Mode::Exclusive, LONG).unwrap();
                std::panic::resume_unwind(Box::new("a defect"));
            })
            .join()
    });
    assert!(panicked.is_err());
    assert!(manager.view().is_empty());
}

#[test]
fn without_time_to_wait_a_refusal_is_immediate_and_names_the_holder() {
    let (manager, _) = manager();
    let mut first = manager.register(TransactionId(1)).unwrap();
    let mut second = manager.register(TransactionId(2)).unwrap();
    first.acquire(tree(3), Mode::Exclusive, LONG).unwrap();
    let error = second.acquire(tree(3), Mode::Shared, Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.is_retryable());
    assert_eq!(
        error.to_string(),
        "transaction 2 did not get S on tree 3 of head 1 within 0 ms: transaction 1 holds X"
    );
    drop(first);
    second.acquire(tree(3), Mode::Shared, Duration::ZERO).unwrap();
}

#[test]
fn a_timeout_follows_the_injected_clock() {
    let (manager, clock) = manager();
    let mut first = manager.register(TransactionId(1)).unwrap();
    first.acquire(tree(3), Mode::Exclusive, LONG).unwrap();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut second = manager.register(TransactionId(2)).unwrap();
            second.acquire(tree(3), Mode::Shared, Duration::from_secs(1000)).unwrap_err()
        });
        wait_until(|| waiting(&manager) == 1);
        clock.sleep(Duration::from_secs(999));
        manager.clock_moved();
        for _ in 0..100 {
            thread::yield_now();
            assert_eq!(waiting(&manager), 1, "one second is left");
        }
        clock.sleep(Duration::from_secs(1));
        manager.clock_moved();
        let error = waiter.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Busy);
    });
    assert_eq!(waiting(&manager), 0);
}

#[test]
fn a_standing_simulated_clock_is_moved_by_the_wait_itself() {
    let (manager, clock) = manager();
    let mut first = manager.register(TransactionId(1)).unwrap();
    let mut second = manager.register(TransactionId(2)).unwrap();
    first.acquire(tree(3), Mode::Exclusive, LONG).unwrap();
    let error = second.acquire(tree(3), Mode::Shared, Duration::from_millis(5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(clock.monotonic(), Duration::from_millis(5));
}

#[test]
fn a_timeout_in_real_time_is_within_a_fifth_of_what_was_asked() {
    let manager = LockManager::new(Arc::new(RealClock(Instant::now())));
    let mut first = manager.register(TransactionId(1)).unwrap();
    let mut second = manager.register(TransactionId(2)).unwrap();
    first.acquire(tree(3), Mode::Exclusive, LONG).unwrap();
    // A loaded machine may wake a thread late; it may not do so three times in a row.
    let close = (0..3).any(|_| {
        let start = Instant::now();
        second.acquire(tree(3), Mode::Shared, Duration::from_millis(100)).unwrap_err();
        let waited = start.elapsed().as_millis();
        assert!(waited >= 80, "waited {waited} ms only");
        waited <= 120
    });
    assert!(close, "the timeout took more than 120 of 100 ms, three times");
}

#[test]
fn an_interrupt_ends_a_wait_and_nothing_else() {
    let (manager, _) = manager();
    let mut first = manager.register(TransactionId(1)).unwrap();
    first.acquire(tree(3), Mode::Exclusive, LONG).unwrap();
    assert!(!manager.interrupt(TransactionId(1)), "it does not wait");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut second = manager.register(TransactionId(2)).unwrap();
            let error = second.acquire(tree(3), Mode::Shared, LONG).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Interrupted);
            second.acquire(tree(4), Mode::Shared, LONG).unwrap();
        });
        wait_until(|| manager.interrupt(TransactionId(2)));
        waiter.join().unwrap();
    });
}

#[test]
fn of_two_upgrades_the_younger_gives_way_and_the_cycle_is_told() {
    let (manager, _) = manager();
    let mut old = manager.register(TransactionId(1)).unwrap();
    old.acquire(tree(3), Mode::Shared, LONG).unwrap();
    thread::scope(|scope| {
        let young = scope.spawn(|| {
            let mut young = manager.register(TransactionId(2)).unwrap();
            young.acquire(tree(3), Mode::Shared, LONG).unwrap();
            young.acquire(tree(3), Mode::Exclusive, LONG).unwrap_err()
        });
        wait_until(|| waiting(&manager) == 1);
        old.acquire(tree(3), Mode::Exclusive, LONG).unwrap();
        let error = young.join().unwrap();
        assert_eq!(error.kind(), ErrorKind::Deadlock);
        let cycle = &error.details::<Contention>().unwrap().cycle;
        assert_eq!(
            cycle.iter().map(|edge| (edge.transaction.0, edge.blocker.0)).collect::<Vec<_>>(),
            [(1, 2), (2, 1)]
        );
        assert!(error.to_string().contains("transaction 1 waits for X on tree 3 of head 1"));
    });
}

/// `size` transactions each hold one tree and ask for the next one's.
fn ring(size: u64) {
    let (manager, _) = manager();
    let victims = AtomicU64::new(0);
    let owners: Vec<_> = (0..size)
        .map(|number| {
            let mut owner = manager.register(TransactionId(number + 1)).unwrap();
            owner.acquire(tree(number as u32), Mode::Exclusive, LONG).unwrap();
            owner
        })
        .collect();
    thread::scope(|scope| {
        for (number, mut owner) in owners.into_iter().enumerate() {
            let victims = &victims;
            scope.spawn(move || {
                let next = tree((number as u64 + 1) as u32 % size as u32);
                if let Err(error) = owner.acquire(next, Mode::Shared, LONG) {
                    let contention = error.details::<Contention>().unwrap();
                    assert_eq!(contention.cycle.len() as u64, size);
                    assert_eq!(contention.transaction, TransactionId(size), "the youngest");
                    victims.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(victims.into_inner(), 1, "one victim breaks a ring of {size}");
    assert!(manager.view().is_empty());
}

#[test]
fn a_ring_of_any_size_is_broken_once_by_its_youngest() {
    for size in 2..=16 {
        ring(size);
    }
}

/// Threads lock random resources; victims run again with the age of their first run.
fn random_workload(threads: u64, seed: u64) {
    const RUNS: usize = 25;
    let (manager, _) = manager();
    let numbers = AtomicU64::new(1);
    // What each tree's exclusive holder writes; anyone else inside would be seen.
    let inside: Vec<AtomicU64> = (0..6).map(|_| AtomicU64::new(0)).collect();
    let (deadlocks, finished) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for thread_number in 0..threads {
            let (manager, numbers, inside) = (&manager, &numbers, &inside);
            let (deadlocks, finished) = (&deadlocks, &finished);
            let mut random = fastrand::Rng::with_seed(seed * 100 + thread_number);
            scope.spawn(move || {
                for _ in 0..RUNS {
                    let wanted: Vec<(usize, Mode)> = (0..random.usize(1..5))
                        .map(|_| (random.usize(0..6), Mode::ALL[random.usize(0..4)]))
                        .collect();
                    let first = TransactionId(numbers.fetch_add(1, Ordering::SeqCst));
                    let mut number = first;
                    while !run_once(manager, number, first, &wanted, inside) {
                        deadlocks.fetch_add(1, Ordering::SeqCst);
                        number = TransactionId(numbers.fetch_add(1, Ordering::SeqCst));
                    }
                    finished.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(finished.into_inner(), threads * RUNS as u64);
    assert!(manager.view().is_empty());
}

fn run_once(
    manager: &Arc<LockManager>,
    number: TransactionId,
    first: TransactionId,
    wanted: &[(usize, Mode)],
    inside: &[AtomicU64],
) -> bool {
    let mut owner = manager.register_again(number, first).unwrap();
    for &(resource, mode) in wanted {
        if let Err(error) = owner.acquire(tree(resource as u32), mode, LONG) {
            assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
            let cycle = &error.details::<Contention>().unwrap().cycle;
            assert!(cycle.len() >= 2);
            for (edge, next) in cycle.iter().zip(cycle.iter().cycle().skip(1)) {
                assert_eq!(edge.blocker, next.transaction, "a closed cycle: {error}");
            }
            return false;
        }
        thread::yield_now();
    }
    for &(resource, _) in wanted {
        if owner.held_mode(tree(resource as u32)) == Some(Mode::Exclusive) {
            inside[resource].store(number.0, Ordering::SeqCst);
            thread::yield_now();
            assert_eq!(inside[resource].load(Ordering::SeqCst), number.0, "X is not alone");
        }
    }
    true
}

#[test]
fn random_transactions_all_finish_and_nobody_starves() {
    for (seed, threads) in [2, 3, 5, 8, 16].into_iter().enumerate() {
        random_workload(threads, seed as u64);
    }
}

#[test]
#[ignore = "a measurement: run with --release --ignored --nocapture"]
#[allow(clippy::print_stdout, reason = "a measurement is printed")]
fn cost_of_an_uncontended_lock() {
    const ROUNDS: u32 = 200_000;
    let (manager, _) = manager();
    let start = Instant::now();
    for round in 0..ROUNDS {
        let mut owner = manager.register(TransactionId(u64::from(round))).unwrap();
        for number in 0..10 {
            owner.acquire(tree(number), Mode::IntentExclusive, LONG).unwrap();
        }
    }
    let nanoseconds = start.elapsed().as_nanos() / u128::from(ROUNDS * 10);
    println!("{nanoseconds} ns per lock taken and given back, in transactions of ten");
}

#[test]
fn a_busy_hook_is_asked_until_it_gives_up_and_keeps_the_place_in_the_queue() {
    let (manager, _clock) = manager();
    let resource = Resource::head(HeadId(1));
    let mut holder = manager.register(TransactionId(1)).unwrap();
    holder.acquire(resource, Mode::Exclusive, LONG).unwrap();

    let mut refused = manager.register(TransactionId(2)).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    refused.set_busy_hook(Some(BusyHook::new(move |count| {
        seen.lock().push(count);
        count < 2
    })));
    let error = refused.acquire(resource, Mode::Shared, Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert_eq!(*asked.lock(), [0, 1, 2]);

    // What comes while it is asked is taken, even if it then says no.
    let holder = Mutex::new(Some(holder));
    refused.set_busy_hook(Some(BusyHook::new(move |_| {
        holder.lock().take();
        false
    })));
    refused.acquire(resource, Mode::Shared, Duration::ZERO).unwrap();
    assert_eq!(refused.held_mode(resource), Some(Mode::Shared));
}

#[test]
fn a_stop_hook_ends_a_wait_and_lets_those_behind_it_forward() {
    let (manager, _clock) = manager();
    let resource = Resource::head(HeadId(1));
    let mut holder = manager.register(TransactionId(1)).unwrap();
    holder.acquire(resource, Mode::Shared, LONG).unwrap();

    let mut stopped = manager.register(TransactionId(2)).unwrap();
    let asked = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&asked);
    let hook = StopHook::new(move || seen.fetch_add(1, Ordering::SeqCst) == 3);
    stopped.set_stop_hook(Some(hook));
    let error = stopped.acquire(resource, Mode::Exclusive, LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let mut next = manager.register(TransactionId(3)).unwrap();
    next.acquire(resource, Mode::Shared, Duration::ZERO).expect("nobody waits in front of it");
    drop(next);

    // What needs no wait is not asked about, and what comes while it is asked is taken.
    stopped.acquire(resource, Mode::Shared, LONG).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    stopped.release_all();
    let holder = Mutex::new(Some(holder));
    stopped.set_stop_hook(Some(StopHook::new(move || holder.lock().take().is_some())));
    stopped.acquire(resource, Mode::Exclusive, LONG).unwrap();
    assert_eq!(stopped.held_mode(resource), Some(Mode::Exclusive));
}
