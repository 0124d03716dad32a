//! What a cache line takes from one processor to the other and back.
//!
//! The processors of a virtual machine are threads of its host, which puts them side by side under
//! one cache now, and far apart then, without telling. What one thread writes and another reads
//! costs five times as much in the one case as in the other, so that figures of threads that
//! share anything mean little without this one. Neighbours: `mod` measures readers beside a writer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::turns::Outcome;

/// So many round trips are timed together.
const TRIPS: usize = 500;

/// The least of so many times counts: others have to do with the rest of the machine.
const TIMES: usize = 20;

/// A line of its own, and the one that is fetched with it.
#[repr(align(128))]
struct Line(AtomicUsize);

/// Nanoseconds of one round trip.
pub(super) fn round_trip() -> Outcome<f64> {
    let line = Line(AtomicUsize::new(0));
    let line = &line.0;
    thread::scope(|scope| {
        let other = scope.spawn(move || {
            for trip in 0..TRIPS * TIMES {
                wait_for(line, 2 * trip + 1);
                line.store(2 * trip + 2, Ordering::Release);
            }
        });
        let mut least = f64::INFINITY;
        for time in 0..TIMES {
            let start = Instant::now();
            for trip in time * TRIPS..(time + 1) * TRIPS {
                line.store(2 * trip + 1, Ordering::Release);
                wait_for(line, 2 * trip + 2);
            }
            least = least.min(start.elapsed().as_secs_f64() * 1e9 / TRIPS as f64);
        }
        other.join().map_err(|_| "the other thread panicked")?;
        Ok(least)
    })
}

/// Waits until the line shows a number; where both threads have one processor, in turns.
fn wait_for(line: &AtomicUsize, number: usize) {
    let mut looks = 0_usize;
    while line.load(Ordering::Acquire) != number {
        looks += 1;
        if looks.is_multiple_of(4096) {
            thread::yield_now();
        } else {
            std::hint::spin_loop();
        }
    }
}
