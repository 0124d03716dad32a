//! Transactions that wait for each other in circles, at the level that locks what it touches.
//!
//! Neighbours: `lock::tests` has the same for bare locks.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::time::Duration;

use fastrand::Rng;
use pandodb_ds::sync::{Arc, thread};

use crate::heads::MAIN;
use crate::lock::Contention;
use crate::transaction::tests::{T, in_memory};
use crate::{BeginOptions, ErrorKind, Isolation, Manager};

fn database() -> Arc<Manager> {
    let manager = Arc::new(in_memory());
    manager.set_busy_timeout(Duration::from_secs(30));
    manager
}

/// Each of `count` threads has a key and wants the next one's: a circle that one must leave.
fn ring(count: u8) {
    let manager = database();
    let ready = Arc::new(pandodb_ds::sync::atomic::AtomicUsize::new(0));
    let threads: Vec<_> = (0..count)
        .map(|number| {
            let (manager, ready) = (Arc::clone(&manager), Arc::clone(&ready));
            thread::spawn(move || {
                use pandodb_ds::sync::atomic::Ordering;
                let options = BeginOptions::at(Isolation::Serializable);
                let mut transaction = manager.begin(MAIN, options).unwrap();
                transaction.put(T, &[number], b"own").unwrap();
                ready.fetch_add(1, Ordering::AcqRel);
                while ready.load(Ordering::Acquire) < count.into() {
                    thread::yield_now();
                }
                let id = transaction.id();
                let outcome = transaction.put(T, &[(number + 1) % count], b"next");
                (id, outcome.and_then(|_| transaction.commit()))
            })
        })
        .collect();
    let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    let youngest = outcomes.iter().map(|(id, _)| *id).max().unwrap();
    let mut failed = outcomes
        .iter()
        .filter_map(|(id, outcome)| outcome.as_ref().err().map(|error| (*id, error)));
    let (victim, error) = failed.next().expect("a circle is broken");
    assert!(failed.next().is_none(), "a circle is broken once");
    assert_eq!((victim, error.kind()), (youngest, ErrorKind::Deadlock));
    let contention = error.details::<Contention>().expect("the circle is told");
    assert_eq!(contention.cycle.len(), usize::from(count));
    assert_eq!((manager.locks().len(), manager.snapshots().len()), (0, 0));
}

#[test]
fn a_circle_of_any_size_is_broken_once_by_its_youngest() {
    for count in [2, 3, 5, 8, 16] {
        ring(count);
    }
}

/// All of 16 transactions on few rows get through when they are repeated with their age.
#[test]
fn random_transactions_all_finish_and_nobody_starves() {
    let manager = database();
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let manager = Arc::clone(&manager);
            thread::spawn(move || {
                let mut rng = Rng::with_seed(number);
                for _ in 0..10 {
                    let mut first = None;
                    loop {
                        let level = [Isolation::Serializable, Isolation::ReadCommitted];
                        let level = level[usize::from(rng.u8(..4) == 0)];
                        let options = BeginOptions { repeats: first, ..BeginOptions::at(level) };
                        let mut transaction = manager.begin(MAIN, options).unwrap();
                        let id = transaction.id();
                        let outcome = (0..4)
                            .try_for_each(|_| {
                                let key = [rng.u8(..6)];
                                if rng.bool() {
                                    transaction.put(T, &key, b"x").map(drop)
                                } else {
                                    transaction.get(T, &key).map(drop)
                                }
                            })
                            .and_then(|()| transaction.commit());
                        match outcome {
                            Ok(_) => break,
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Deadlock),
                        }
                        first = Some(first.unwrap_or(id));
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((manager.locks().len(), manager.snapshots().len()), (0, 0));
}

/// A writer that waits for another one gives up in time and names it.
#[test]
fn a_writer_waits_as_long_as_it_was_told() {
    let manager = database();
    let mut holder = manager.begin(MAIN, BeginOptions::default()).unwrap();
    holder.put(T, b"a", b"b").unwrap();
    let asked = Duration::from_millis(200);
    let options = BeginOptions { busy_timeout: Some(asked), ..BeginOptions::default() };
    let mut other = manager.begin(MAIN, options).unwrap();
    let clock = manager.store().vfs().clock();
    let before = clock.monotonic();
    let error = other.put(T, b"c", b"d").unwrap_err();
    let took = clock.monotonic().saturating_sub(before);
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(took >= asked && took <= asked.mul_f64(1.2), "{took:?}");
    assert!(error.to_string().contains(&holder.id().to_string()), "{error}");
    // What failed was a wait, not a change: the transaction can go on.
    holder.commit().unwrap();
    other.put(T, b"c", b"d").unwrap();
    other.commit().unwrap();
}
