//! Loom model of the pins against the reuse of space: nothing that a reader holds is reused.
//!
//! Two places hold versions of the data; the head says which one is the newest. The writer moves
//! the head to the other place, releases the old one and reuses it when the table allows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "models fail by panicking"
)]

use ::loom::cell::UnsafeCell;
use pandodb_ds::sync::thread;

use super::*;

struct World {
    table: Arc<Snapshots>,
    epoch: AtomicU64,
    head: AtomicUsize,
    places: [UnsafeCell<u64>; 2],
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            table: Snapshots::new(),
            epoch: AtomicU64::new(1),
            head: AtomicUsize::new(0),
            places: [UnsafeCell::new(0), UnsafeCell::new(0)],
        })
    }

    fn read(&self) {
        let pin = self.table.pin(|| self.epoch.load(Ordering::Acquire)).unwrap();
        let place = self.head.load(Ordering::Acquire);
        self.places[place].with(|value| {
            // A data race with the reuse is what loom reports here.
            let _ = value;
        });
        drop(pin);
    }

    /// One checkpoint: a new version elsewhere, the old one released, reused if allowed.
    fn replace(&self) {
        let old = self.head.load(Ordering::Relaxed);
        let epoch = self.epoch.load(Ordering::Relaxed);
        self.head.store(1 - old, Ordering::Release);
        self.epoch.store(epoch + 1, Ordering::Release);
        if self.table.oldest(epoch + 1) > epoch {
            self.places[old].with_mut(|value| {
                let _ = value;
            });
        }
    }
}

/// A reader and a reclaimer: the place that the reader looks at is not written.
///
/// All threads try the same slot first. Fails (a data race) without the fence in `Snapshots::pin`,
/// without the fence in `Snapshots::oldest`, with `Relaxed` in `Pin::drop`, and if `Slot::claim`
/// stores the epoch instead of exchanging it (two pins in one slot).
#[test]
fn loom_what_a_pin_covers_is_never_reused() {
    ::loom::model(|| {
        let world = World::new();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let world = Arc::clone(&world);
                thread::spawn(move || world.read())
            })
            .collect();
        world.replace();
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

/// The same for a pin that is renewed between two statements.
///
/// Fails (a data race) with `Relaxed` in the store of `Pin::renew`.
#[test]
fn loom_a_renewed_pin_covers_what_is_loaded_after_it() {
    ::loom::model(|| {
        let world = World::new();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let pin = world.table.pin(|| world.epoch.load(Ordering::Acquire)).unwrap();
                for _ in 0..2 {
                    let place = world.head.load(Ordering::Acquire);
                    world.places[place].with(|value| {
                        let _ = value;
                    });
                    pin.renew(|| world.epoch.load(Ordering::Acquire));
                }
            })
        };
        world.replace();
        reader.join().unwrap();
    });
}

/// The same for a pin that rests between two statements.
///
/// Fails (a data race) without the fence in `Pin::unpark`, and with `Relaxed` in `Pin::park`.
#[test]
fn loom_a_pin_that_rested_covers_what_is_loaded_after_it() {
    ::loom::model(|| {
        let world = World::new();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let pin = world.table.pin(|| world.epoch.load(Ordering::Acquire)).unwrap();
                for _ in 0..2 {
                    let place = world.head.load(Ordering::Acquire);
                    world.places[place].with(|value| {
                        let _ = value;
                    });
                    pin.park();
                    pin.unpark(|| world.epoch.load(Ordering::Acquire));
                }
            })
        };
        world.replace();
        reader.join().unwrap();
    });
}

/// The same for a pin that a cursor shares, which may end before its transaction or after.
///
/// Fails (a data race) with `Relaxed` instead of `AcqRel` in `Pin::drop`.
#[test]
fn loom_a_shared_pin_covers_until_all_have_let_go() {
    ::loom::model(|| {
        let world = World::new();
        let reader = {
            let world = Arc::clone(&world);
            thread::spawn(move || {
                let pin = world.table.pin(|| world.epoch.load(Ordering::Acquire)).unwrap();
                let place = world.head.load(Ordering::Acquire);
                let shared = pin.share();
                let cursor = {
                    let world = Arc::clone(&world);
                    thread::spawn(move || {
                        world.places[place].with(|value| {
                            let _ = value;
                        });
                        drop(shared);
                    })
                };
                world.places[place].with(|value| {
                    let _ = value;
                });
                drop(pin);
                cursor.join().unwrap();
            })
        };
        world.replace();
        reader.join().unwrap();
    });
}
