//! The newest version of a head, for whoever begins: published whole, loaded without a lock.
//!
//! Under `cfg(loom)` the cell is a lock around the pointer: the swap itself is the work of
//! `arc-swap`, and what the models look at is what happens around it.
//! Neighbours: `snapshot` pins before a load, `commit` orders the stores, `manager` maps head
//! numbers to cells.

#[cfg(all(test, loom))]
mod loom;

use pandodb_ds::sync::Arc;

/// A pointer to an immutable version, replaced as a whole.
#[derive(Debug)]
pub struct Published<T> {
    #[cfg(not(loom))]
    pointer: arc_swap::ArcSwap<T>,
    #[cfg(loom)]
    pointer: pandodb_ds::sync::Mutex<Arc<T>>,
}

/// A version that its cell has lent; it stays whole as long as this is held.
#[derive(Debug)]
pub struct Lent<T>(#[cfg(not(loom))] arc_swap::Guard<Arc<T>>, #[cfg(loom)] Arc<T>);

impl<T> Lent<T> {
    /// A reference of its own to the version.
    pub fn to_arc(lent: &Self) -> Arc<T> {
        Arc::clone(&lent.0)
    }

    /// Takes a reference of its own in the place of the loan.
    pub fn into_arc(lent: Self) -> Arc<T> {
        #[cfg(not(loom))]
        return arc_swap::Guard::into_inner(lent.0);
        #[cfg(loom)]
        return lent.0;
    }
}

impl<T> std::ops::Deref for Lent<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Published<T> {
    /// A cell that shows `first`.
    pub fn new(first: Arc<T>) -> Self {
        #[cfg(not(loom))]
        let pointer = arc_swap::ArcSwap::new(first);
        #[cfg(loom)]
        let pointer = pandodb_ds::sync::Mutex::new(first);
        Self { pointer }
    }

    /// The newest version.
    #[inline]
    pub fn load(&self) -> Arc<T> {
        #[cfg(not(loom))]
        return self.pointer.load_full();
        #[cfg(loom)]
        return Arc::clone(&self.pointer.lock());
    }

    /// The newest version for a short time: cheaper than [`load`](Self::load), and dearer for
    /// whoever replaces it meanwhile.
    #[inline]
    pub fn lend(&self) -> Lent<T> {
        #[cfg(not(loom))]
        return Lent(self.pointer.load());
        #[cfg(loom)]
        return Lent(self.load());
    }

    /// Replaces it; stores are ordered by the lock that all who store hold.
    pub fn store(&self, next: Arc<T>) {
        #[cfg(not(loom))]
        self.pointer.store(next);
        #[cfg(loom)]
        {
            *self.pointer.lock() = next;
        }
    }

    /// After a checkpoint: puts `clean` in the place of the version that was `captured`, or, if a
    /// commit has moved on since, what `moved` makes of the newest one.
    ///
    /// Only in the turn of the commit queue, like every store: between the look and the store a
    /// commit would be lost.
    pub fn hand_over(&self, captured: &Arc<T>, clean: Arc<T>, moved: impl FnOnce(&T) -> T) {
        let current = self.load();
        if Arc::ptr_eq(&current, captured) {
            self.store(clean);
        } else {
            self.store(Arc::new(moved(&current)));
        }
    }
}
