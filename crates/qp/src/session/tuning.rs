//! What PRAGMAs set for one session beside `Settings`: timeouts, what commits wait for, limits,
//! and how many commits were its own.
//!
//! Neighbours: `pragma` sets these, `transaction` heeds them.

use std::cell::{Cell, OnceCell, RefCell};
use std::time::Duration;

use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicU64, Ordering};
use pandodb_tm::{BeginOptions, BusyHook, StopHook, Synchronous};

use super::Session;
use crate::catalog::DatabaseIndex;
use crate::limits::{Limit, Limits};

/// The values.
#[derive(Debug, Default)]
pub(super) struct Tuning {
    /// What ends waits for locks, made when it is first needed.
    stop_hook: OnceCell<StopHook>,
    busy_timeout: Cell<Option<Duration>>,
    busy_hook: RefCell<Option<BusyHook>>,
    statement_timeout: Cell<Option<Duration>>,
    deadline: Arc<Deadline>,
    limits: Cell<Limits>,
    /// By database.
    synchronous: RefCell<Vec<Option<Synchronous>>>,
    own_commits: RefCell<Vec<u64>>,
}

/// When the running statement must have ended, in microseconds of the monotonic clock. The waits
/// in the layers below look at it, in the statement's own thread: hence relaxed.
#[derive(Debug)]
struct Deadline(AtomicU64);

impl Default for Deadline {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl Deadline {
    fn set(&self, at: Option<Duration>) {
        let micros = at.and_then(|at| u64::try_from(at.as_micros()).ok());
        self.0.store(micros.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != u64::MAX
    }

    fn is_over(&self, now: Duration) -> bool {
        now.as_micros() > u128::from(self.0.load(Ordering::Relaxed))
    }
}

/// The place of a database in a list that grows as needed.
fn place_of<T: Default + Clone>(list: &mut Vec<T>, index: DatabaseIndex) -> &mut T {
    let place = usize::from(index.0);
    if list.len() <= place {
        list.resize(place + 1, T::default());
    }
    &mut list[place]
}

impl Session {
    /// How long this session waits for a lock; none where the database's options say it.
    pub fn busy_timeout(&self) -> Option<Duration> {
        self.tuning.busy_timeout.get()
    }

    /// Changes how long this session waits for a lock.
    pub fn set_busy_timeout(&self, timeout: Duration) {
        self.tuning.busy_timeout.set(Some(timeout));
    }

    /// Sets what is asked whether to wait on when a lock did not come in that time.
    pub fn set_busy_hook(&self, hook: Option<BusyHook>) {
        *self.tuning.busy_hook.borrow_mut() = hook;
    }

    /// How long a statement may run.
    #[inline]
    pub fn statement_timeout(&self) -> Option<Duration> {
        self.tuning.statement_timeout.get()
    }

    /// Changes how long a statement may run; none for ever.
    pub fn set_statement_timeout(&self, timeout: Option<Duration>) {
        self.tuning.statement_timeout.set(timeout);
    }

    /// The limits of the session.
    pub fn limits(&self) -> Limits {
        self.tuning.limits.get()
    }

    /// The value of a limit.
    pub fn limit(&self, limit: Limit) -> u32 {
        match limit {
            Limit::WorkerThreads => {
                let processors = crate::execute::batch::processors();
                let known = u32::try_from(processors).unwrap_or(u32::MAX);
                self.settings().threads.min(known).saturating_sub(1)
            }
            _ => self.limits().get(limit),
        }
    }

    /// Changes a limit; plans are made anew.
    pub fn set_limit(&self, limit: Limit, value: u32) {
        if limit == Limit::WorkerThreads {
            let threads = value.min(limit.maximum()).saturating_add(1);
            return self.change_settings(|settings| settings.threads = threads);
        }
        let mut limits = self.limits();
        limits.set(limit, value);
        self.tuning.limits.set(limits);
        let depth = limits.get(Limit::TriggerDepth);
        self.change_settings(|settings| settings.trigger_depth_max = depth);
    }

    /// What this session's commits wait for; none where the database's options say it.
    pub fn synchronous(&self, index: DatabaseIndex) -> Option<Synchronous> {
        self.tuning.synchronous.borrow().get(usize::from(index.0)).copied().flatten()
    }

    /// Changes what this session's commits wait for.
    pub fn set_synchronous(&self, index: DatabaseIndex, level: Synchronous) {
        *place_of(&mut self.tuning.synchronous.borrow_mut(), index) = Some(level);
    }

    /// How many commits of a database were this session's.
    pub fn own_commits(&self, index: DatabaseIndex) -> u64 {
        self.tuning.own_commits.borrow().get(usize::from(index.0)).copied().unwrap_or(0)
    }

    pub(super) fn note_own_commit(&self, index: DatabaseIndex) {
        *place_of(&mut self.tuning.own_commits.borrow_mut(), index) += 1;
        let databases = self.databases.borrow();
        let attached = databases.get(usize::from(index.0));
        if let Some(database) = attached.and_then(|attached| attached.database.as_ref()) {
            database.let_go_of_past();
        }
    }

    /// Forgets what was set for a database that is detached.
    pub(super) fn forget_database(&self, index: DatabaseIndex) {
        *place_of(&mut self.tuning.synchronous.borrow_mut(), index) = None;
        *place_of(&mut self.tuning.own_commits.borrow_mut(), index) = 0;
    }

    /// The options of a transaction on one of the databases.
    pub(crate) fn tuned(&self, options: &BeginOptions, index: DatabaseIndex) -> BeginOptions {
        let mut options = options.clone();
        options.busy_timeout = options.busy_timeout.or(self.busy_timeout());
        options.busy_hook = options.busy_hook.or_else(|| self.tuning.busy_hook.borrow().clone());
        options.stop_hook = options.stop_hook.or_else(|| self.stop_hook());
        options.synchronous = options.synchronous.or(self.synchronous(index));
        options
    }

    /// What ends a wait for a lock in the layers below: whatever ends a statement.
    fn stop_hook(&self) -> Option<StopHook> {
        if let Some(hook) = self.tuning.stop_hook.get() {
            return Some(hook.clone());
        }
        let (database, _) = self.database(DatabaseIndex::MAIN).ok()?;
        let clock = database.clock();
        let (interrupt, progress) = (self.interrupt_flag(), Arc::clone(&self.hooks.progress));
        let deadline = Arc::clone(&self.tuning.deadline);
        let hook = StopHook::new(move || {
            interrupt.load(Ordering::Relaxed)
                || (deadline.is_set() && deadline.is_over(clock.monotonic()))
                || progress.lock().as_mut().is_some_and(|hook| hook())
        });
        Some(self.tuning.stop_hook.get_or_init(|| hook).clone())
    }

    /// A statement begins: its time runs from now.
    #[inline]
    pub(super) fn start_clock(&self) {
        let deadline = self.statement_timeout().and_then(|bound| {
            let (database, _) = self.database(DatabaseIndex::MAIN).ok()?;
            Some(database.clock().monotonic().saturating_add(bound))
        });
        self.tuning.deadline.set(deadline);
    }

    pub(super) fn is_statement_overdue(&self) -> bool {
        if !self.tuning.deadline.is_set() {
            return false;
        }
        let databases = self.databases.borrow();
        let main = databases.first().and_then(|main| main.database.as_ref());
        main.is_some_and(|main| self.tuning.deadline.is_over(main.clock().monotonic()))
    }
}
