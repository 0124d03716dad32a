//! What PRAGMAs set for one session beside `Settings`: timeouts, what commits wait for, limits,
//! and how many commits were its own.
//!
//! Neighbours: `pragma` sets these, `transaction` heeds them.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use pandodb_tm::{BeginOptions, BusyHook, Synchronous};

use super::Session;
use crate::catalog::DatabaseIndex;
use crate::limits::{Limit, Limits};

/// The values.
#[derive(Debug, Default)]
pub(super) struct Tuning {
    busy_timeout: Cell<Option<Duration>>,
    busy_hook: RefCell<Option<BusyHook>>,
    statement_timeout: Cell<Option<Duration>>,
    /// When the running statement must have ended, on the monotonic clock.
    deadline: Cell<Option<Duration>>,
    limits: Cell<Limits>,
    /// By database.
    synchronous: RefCell<Vec<Option<Synchronous>>>,
    own_commits: RefCell<Vec<u64>>,
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
        options.synchronous = options.synchronous.or(self.synchronous(index));
        options
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
        let Some(deadline) = self.tuning.deadline.get() else { return false };
        let databases = self.databases.borrow();
        let main = databases.first().and_then(|main| main.database.as_ref());
        main.is_some_and(|main| main.clock().monotonic() > deadline)
    }
}
