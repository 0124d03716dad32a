//! What a transaction holds, and a way around its lock for those that only read.
//!
//! A session that reads statement by statement wakes one transaction for each, which does nothing
//! but read: so it is *calm*, and the version that it reads stands here, beside the lock. Reads
//! that know of it look there and take no lock. It is lent by the head's cell, which costs a third
//! of counting a reference, and counts where no other reader's processor does. All else finds the
//! version where it always is: whoever asks for what is held, to look at it or to change it, is
//! given it with the calm version put in its place. Neighbours: `parking` makes transactions calm.

use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::State;
use crate::head::Lent;
use crate::heads::HeadVersion;

/// What is held, behind its lock.
#[derive(Debug)]
pub(super) struct Held {
    state: RwLock<State>,
    /// The version that is read, where nothing else is done with the transaction.
    calm: Option<Lent<HeadVersion>>,
    /// Whether the calm version is in its place in the state, too. Relaxed: the lock orders it,
    /// and who finds it unset looks again behind the lock.
    is_placed: AtomicBool,
}

impl Held {
    pub(super) fn new(state: State) -> Self {
        Self { state: RwLock::new(state), calm: None, is_placed: AtomicBool::new(false) }
    }

    /// The version that is read, if nothing else is done.
    #[inline]
    pub(super) fn calm(&self) -> Option<&HeadVersion> {
        self.calm.as_deref()
    }

    /// Reads `version` from now on; the state stands on none.
    #[inline]
    pub(super) fn read_calmly(&mut self, version: Lent<HeadVersion>) {
        self.is_placed = AtomicBool::new(false);
        self.calm = Some(version);
    }

    /// Lets the calm version go, if there is one, without putting it in its place.
    #[inline]
    pub(super) fn let_go(&mut self) -> &mut State {
        self.calm = None;
        self.state.get_mut()
    }

    /// What is held, to be looked at.
    #[inline]
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        if self.calm.is_some() {
            self.place();
        }
        self.state.read()
    }

    /// What is held, to be changed by one of several who share the transaction.
    #[inline]
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        if self.calm.is_some() {
            self.place();
        }
        self.state.write()
    }

    /// What is held, of whoever has the transaction to himself; it is not calm any more.
    #[inline]
    pub(super) fn get_mut(&mut self) -> &mut State {
        let state = self.state.get_mut();
        if let Some(version) = self.calm.take()
            && let Some(part) = state.parts.first_mut()
        {
            part.stand_on(Lent::into_arc(version));
        }
        state
    }

    /// Puts the calm version where all others are looked for.
    #[cold]
    fn place(&self) {
        if self.is_placed.load(Ordering::Relaxed) {
            return;
        }
        let state = &mut *self.state.write();
        if let (Some(version), Some(part)) = (&self.calm, state.parts.first_mut())
            && !self.is_placed.load(Ordering::Relaxed)
        {
            part.stand_on(Lent::to_arc(version));
            self.is_placed.store(true, Ordering::Relaxed);
        }
    }
}
