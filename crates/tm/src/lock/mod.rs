//! The lock manager: who may touch what, for how long to wait, and what to do about deadlocks.
//!
//! Locks belong to an owner, one per transaction, and are given back when it is dropped, so a
//! panicking thread leaves none behind. An uncontended request is one short critical section
//! (about 50 ns, no allocation in the steady state); a contended one waits in a fair queue, up to
//! a timeout by the injected clock, and the search for a deadlock happens when the wait begins.
//! Neighbours: `mode` (which claims go together), `resource` (what is claimed), `queue` (one
//! resource), `table` (all of them), `deadlock` (cycles), `stop` and `busy` (who ends a wait).

use std::fmt;
use std::time::Duration;

use pandodb_ds::sync::{Arc, Condvar, Mutex, MutexGuard, wait_for};
use pandodb_ds::vfs::Clock;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::{HeadId, TransactionId};

mod busy;
mod deadlock;
mod mode;
mod queue;
mod resource;
mod stop;
mod table;

#[cfg(all(test, loom))]
mod loom;
#[cfg(all(test, not(loom)))]
mod tests;

pub use busy::BusyHook;
pub use deadlock::WaitEdge;
pub use mode::Mode;
pub use resource::Resource;
pub use stop::StopHook;
use table::{Outcome, Table};

/// A transaction that stands in the way of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Who it is.
    pub transaction: TransactionId,
    /// The mode it holds, or waits for.
    pub mode: Mode,
    /// Whether it holds the lock; else it waits and came first.
    pub holds: bool,
}

/// Why a lock was not granted: the cause of a [`Busy`](ErrorKind::Busy) or
/// [`Deadlock`](ErrorKind::Deadlock) error, and of one of a wait that was
/// [`Interrupted`](ErrorKind::Interrupted); found with [`Error::details`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contention {
    /// Who asked.
    pub transaction: TransactionId,
    /// What for.
    pub resource: Resource,
    /// In which mode (what was held joined with what was wanted).
    pub mode: Mode,
    /// Who stood in the way.
    pub holders: Vec<Holder>,
    /// The deadlock, each wait with the next; empty if there was none.
    pub cycle: Vec<WaitEdge>,
}

impl fmt::Display for Contention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cycle.is_empty() {
            for (index, holder) in self.holders.iter().enumerate() {
                let separator = if index == 0 { "" } else { ", " };
                let verb = if holder.holds { "holds" } else { "waits for" };
                write!(f, "{separator}{} {verb} {}", holder.transaction, holder.mode)?;
            }
        }
        for (index, edge) in self.cycle.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{edge}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Contention {}

/// Whether a listed lock is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// It is.
    Held,
    /// It is waited for.
    Waiting {
        /// How many wait before it.
        position: usize,
        /// For how long.
        age: Duration,
    },
}

/// One line of the view of held and awaited locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockView {
    /// Whose lock.
    pub transaction: TransactionId,
    /// On what.
    pub resource: Resource,
    /// In which mode.
    pub mode: Mode,
    /// Held or awaited.
    pub state: LockState,
}

/// All locks of a database.
#[derive(Debug)]
pub struct LockManager {
    table: Mutex<Table>,
    clock: Arc<dyn Clock>,
}

impl LockManager {
    /// A manager without locks, whose timeouts follow `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { table: Mutex::new(Table::default()), clock })
    }

    /// An owner for the locks of `transaction`.
    pub fn register(self: &Arc<Self>, transaction: TransactionId) -> Result<LockOwner> {
        self.register_again(transaction, transaction)
    }

    /// An owner for a transaction that repeats `first`, which lost against others.
    ///
    /// It keeps the age of `first`: a transaction that is run again and again grows older than
    /// all others and is not chosen as a victim forever.
    pub fn register_again(
        self: &Arc<Self>,
        transaction: TransactionId,
        first: TransactionId,
    ) -> Result<LockOwner> {
        match self.table.lock().register(transaction, first) {
            Some(condvar) => {
                let (manager, busy_hook, stop_hook) = (Arc::clone(self), None, None);
                Ok(LockOwner { manager, transaction, condvar, busy_hook, stop_hook })
            }
            None => Err(Error::new(
                ErrorKind::Exists,
                format!("{transaction} has registered with the lock manager before"),
            )),
        }
    }

    /// Ends the wait of a transaction with an [`Interrupted`](ErrorKind::Interrupted) error;
    /// false if it does not wait.
    pub fn interrupt(&self, transaction: TransactionId) -> bool {
        self.table.lock().end_wait(transaction, Outcome::Interrupted)
    }

    /// Every held and awaited lock, by transaction.
    pub fn view(&self) -> Vec<LockView> {
        self.table.lock().view(self.clock.monotonic())
    }

    /// Lets all who wait compare their deadline with the clock again.
    ///
    /// Needed only by whoever moves a simulated clock while real threads wait.
    pub fn clock_moved(&self) {
        self.table.lock().notify_waiting();
    }
}

/// The locks of one transaction; dropping it gives all of them back.
#[derive(Debug)]
pub struct LockOwner {
    manager: Arc<LockManager>,
    transaction: TransactionId,
    condvar: Arc<Condvar>,
    busy_hook: Option<BusyHook>,
    stop_hook: Option<StopHook>,
}

impl LockOwner {
    /// Sets what is asked whether to wait on when a wait has lasted its timeout.
    pub fn set_busy_hook(&mut self, hook: Option<BusyHook>) {
        self.busy_hook = hook;
    }

    /// Sets what is asked now and then during a wait whether it is to end.
    pub fn set_stop_hook(&mut self, hook: Option<StopHook>) {
        self.stop_hook = hook;
    }

    /// The transaction.
    pub fn transaction(&self) -> TransactionId {
        self.transaction
    }

    /// Locks `resource` in `mode` (or more, if more is held), waiting for `timeout` at most.
    ///
    /// [`Busy`](ErrorKind::Busy) when the time is over, [`Deadlock`](ErrorKind::Deadlock) when
    /// this transaction is the victim of one: it must then be rolled back and this owner
    /// dropped, for what it holds is what others wait for. Both name the others.
    pub fn acquire(&mut self, resource: Resource, mode: Mode, timeout: Duration) -> Result<()> {
        let mut table = self.manager.table.lock();
        if timeout.is_zero() && self.busy_hook.is_none() {
            if table.request(self.transaction, resource, mode, None) {
                return Ok(());
            }
            return Err(busy(table.contention(self.transaction, resource, mode), timeout));
        }
        // The clock is read only when there is a wait: the quick way does not pay for it.
        if table.request(self.transaction, resource, mode, None) {
            return Ok(());
        }
        let since = self.manager.clock.monotonic();
        if table.request(self.transaction, resource, mode, Some(since)) {
            return Ok(());
        }
        table.resolve_deadlocks(self.transaction);
        self.wait(table, resource, mode, since, timeout)
    }

    /// As [`LockOwner::acquire`], after the intention locks on all that contains `resource`.
    pub fn acquire_within(
        &mut self,
        resource: Resource,
        mode: Mode,
        timeout: Duration,
    ) -> Result<()> {
        if let Some(parent) = resource.parent() {
            self.acquire_within(parent, mode.intention(), timeout)?;
        }
        self.acquire(resource, mode, timeout)
    }

    /// Gives back one lock before the end (a reader that needs it for a statement only).
    pub fn release(&mut self, resource: Resource) {
        self.manager.table.lock().release(self.transaction, resource);
    }

    /// Gives back all locks on a head and what it holds.
    pub fn release_head(&mut self, head: HeadId) {
        self.manager.table.lock().release_head(self.transaction, head);
    }

    /// Gives back all locks; the owner can take new ones.
    pub fn release_all(&mut self) {
        self.manager.table.lock().release_all(self.transaction);
    }

    /// The mode in which a resource is held.
    pub fn held_mode(&self, resource: Resource) -> Option<Mode> {
        self.manager.table.lock().held_mode(self.transaction, resource)
    }

    /// How many locks are held.
    pub fn held_count(&self) -> usize {
        self.manager.table.lock().held_count(self.transaction)
    }

    fn wait<'a>(
        &'a self,
        mut table: MutexGuard<'a, Table>,
        resource: Resource,
        mode: Mode,
        since: Duration,
        timeout: Duration,
    ) -> Result<()> {
        let mut deadline = since.saturating_add(timeout);
        let (mut asked, mut gives_up) = (0, self.busy_hook.is_none());
        let mut next_look = if self.stop_hook.is_some() { since } else { Duration::MAX };
        loop {
            // Looked at under the mutex that every notifier holds: no wake-up is lost.
            match table.take_outcome(self.transaction) {
                Some(Outcome::Granted) => return Ok(()),
                Some(Outcome::Victim(contention)) => return Err(deadlock(*contention)),
                Some(Outcome::Interrupted) => {
                    return Err(interrupted(table.contention(self.transaction, resource, mode)));
                }
                None => {}
            }
            let now = self.manager.clock.monotonic();
            if now >= next_look {
                // Without the mutex, as below. A lock that came meanwhile is kept.
                drop(table);
                let stops = self.stop_hook.as_ref().is_some_and(StopHook::stops);
                next_look = self.manager.clock.monotonic().saturating_add(stop::EVERY);
                table = self.manager.table.lock();
                if stops {
                    table.end_wait(self.transaction, Outcome::Interrupted);
                }
                continue;
            }
            let left = deadline.saturating_sub(now);
            if left.is_zero() && !gives_up {
                // Without the mutex: the hook may sleep. The place in the queue is kept.
                drop(table);
                gives_up = !self.busy_hook.as_ref().is_some_and(|hook| hook.waits_on(asked));
                asked += 1;
                deadline = self.manager.clock.monotonic().saturating_add(busy::slice(timeout));
                table = self.manager.table.lock();
                if gives_up {
                    deadline = Duration::ZERO;
                }
                continue;
            }
            if left.is_zero() {
                let contention = table.contention(self.transaction, resource, mode);
                table.end_wait(self.transaction, Outcome::Interrupted);
                table.take_outcome(self.transaction);
                return Err(busy(contention, timeout));
            }
            let until = deadline.min(next_look);
            let (guard, ran_out) = wait_for(&self.condvar, table, until.saturating_sub(now));
            table = guard;
            if ran_out {
                table = self.let_clock_catch_up(table, until);
            }
        }
    }

    /// A condition variable waits in real time. If all of it has passed while the injected clock
    /// stands still, that clock is a simulated one, which sleeping moves.
    fn let_clock_catch_up<'a>(
        &'a self,
        table: MutexGuard<'a, Table>,
        deadline: Duration,
    ) -> MutexGuard<'a, Table> {
        let behind = deadline.saturating_sub(self.manager.clock.monotonic());
        if behind.is_zero() {
            return table;
        }
        drop(table);
        self.manager.clock.sleep(behind);
        self.manager.table.lock()
    }
}

impl Drop for LockOwner {
    fn drop(&mut self) {
        self.manager.table.lock().unregister(self.transaction);
    }
}

#[cold]
fn busy(contention: Contention, timeout: Duration) -> Error {
    let Contention { transaction, resource, mode, .. } = &contention;
    let message =
        format!("{transaction} did not get {mode} on {resource} within {} ms", timeout.as_millis());
    Error::with_source(ErrorKind::Busy, message, contention)
}

#[cold]
fn deadlock(contention: Contention) -> Error {
    let Contention { transaction, resource, mode, .. } = &contention;
    let message = format!(
        "{transaction} would wait for {mode} on {resource} forever and, being the youngest, \
         gives way"
    );
    Error::with_source(ErrorKind::Deadlock, message, contention)
}

#[cold]
fn interrupted(contention: Contention) -> Error {
    let Contention { transaction, resource, .. } = &contention;
    let message = format!("the wait of {transaction} for {resource} was interrupted");
    Error::with_source(ErrorKind::Interrupted, message, contention)
}
