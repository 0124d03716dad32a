//! The only door to atomics, locks and threads: the standard library's (with `parking_lot`'s
//! locks), or `loom`'s under `cfg(loom)`.
//!
//! Every protocol between threads is written against this module, so that its loom model runs
//! the very code that ships. `clippy.toml` refuses the originals elsewhere.
//!
//! [`Padded`] and [`thread_number`] keep threads out of each other's cache lines: a line that one
//! thread writes is fetched again by every other that looks at anything in it.

/// A value in cache lines of its own (two, since processors fetch them in pairs).
#[derive(Clone, Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);

impl<T> std::ops::Deref for Padded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(not(loom))]
pub use real::*;

#[cfg(loom)]
pub use modelled::*;

#[cfg(not(loom))]
#[allow(clippy::disallowed_types, reason = "this module is the door")]
mod real {
    pub use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
    pub use std::sync::atomic;
    pub use std::sync::{Arc, OnceLock, Weak};
    pub use std::thread;

    /// A small number for the calling thread, the same at each call: threads that are told apart
    /// by it seldom meet. It is the lowest that no other thread has, as long as there are fewer
    /// than 64; then two may have the same one, so that it is for speed only.
    #[inline]
    pub fn thread_number() -> usize {
        thread_local! {
            static NUMBER: ThreadNumber = ThreadNumber::take();
        }
        NUMBER.try_with(|number| number.0 as usize).unwrap_or(0)
    }

    /// A thread's number, given back when the thread ends.
    struct ThreadNumber(u32);

    /// A bit for each number that a thread has. Relaxed: nothing is handed over with a number.
    static TAKEN: atomic::AtomicU64 = atomic::AtomicU64::new(0);

    impl ThreadNumber {
        fn take() -> Self {
            use atomic::Ordering::Relaxed;
            let lowest = |taken: u64| (taken != u64::MAX).then(|| taken | (taken + 1));
            match TAKEN.fetch_update(Relaxed, Relaxed, lowest) {
                Ok(before) => Self(before.trailing_ones()),
                Err(_) => Self(u64::BITS),
            }
        }
    }

    impl Drop for ThreadNumber {
        fn drop(&mut self) {
            if self.0 < u64::BITS {
                TAKEN.fetch_and(!(1 << self.0), atomic::Ordering::Relaxed);
            }
        }
    }

    /// Waits on `condvar` until it is notified.
    pub fn wait<'a, T>(condvar: &Condvar, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(&mut guard);
        guard
    }

    /// Waits on `condvar` for `timeout` at most; the flag tells whether the time ran out.
    pub fn wait_for<'a, T>(
        condvar: &Condvar,
        mut guard: MutexGuard<'a, T>,
        timeout: std::time::Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        let timed_out = condvar.wait_for(&mut guard, timeout).timed_out();
        (guard, timed_out)
    }
}

#[cfg(loom)]
mod modelled {
    pub use loom::sync::{Condvar, MutexGuard, RwLockReadGuard, RwLockWriteGuard, atomic};
    pub use loom::thread;
    // `loom`'s `Arc` cannot hold a trait object or a slice; a model that is about reference
    // counts takes `loom::sync::Arc` itself.
    pub use std::sync::{Arc, OnceLock, Weak};

    /// In a model all threads meet.
    pub const fn thread_number() -> usize {
        0
    }

    /// `loom`'s mutex with `parking_lot`'s signature: no poisoning.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        /// A mutex around `value`.
        pub fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        /// Locks; a panic of another holder is a failed model and ends it.
        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    /// `loom`'s read-write lock with `parking_lot`'s signature.
    #[derive(Debug, Default)]
    pub struct RwLock<T>(loom::sync::RwLock<T>);

    impl<T> RwLock<T> {
        /// A lock around `value`.
        pub fn new(value: T) -> Self {
            Self(loom::sync::RwLock::new(value))
        }

        /// Locks for reading.
        pub fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
        }

        /// The value, of whoever has the lock to himself.
        pub fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner)
        }

        /// Locks for writing.
        pub fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }

    /// Waits on `condvar` until it is notified.
    pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        condvar.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `loom` knows no time: the wait ends by a notification only.
    pub fn wait_for<'a, T>(
        condvar: &Condvar,
        guard: MutexGuard<'a, T>,
        _timeout: std::time::Duration,
    ) -> (MutexGuard<'a, T>, bool) {
        (wait(condvar, guard), false)
    }
}
