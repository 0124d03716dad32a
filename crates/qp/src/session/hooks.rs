//! What an application is told of a session's work, and may stop.
//!
//! A hook is called with nothing of the session borrowed but the hooks themselves: a hook that
//! panics leaves the session usable, and one cannot reach its own session. Neighbours:
//! `transaction` calls those of commits, `modify` those of rows, the scans the progress.

use std::cell::{Cell, RefCell};

use super::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::function::RowChange;

/// Is asked before a commit; true refuses it.
pub type CommitHook = Box<dyn FnMut() -> bool + Send>;
/// Is told of a rollback.
pub type RollbackHook = Box<dyn FnMut() + Send>;
/// Is told of a row: what happened, the table, its rowid.
pub type UpdateHook = Box<dyn FnMut(RowChange, &str, i64) + Send>;
/// Is asked now and then while a statement runs; true stops it.
pub type ProgressHook = Box<dyn FnMut() -> bool + Send>;

/// The hooks of a session.
#[derive(Default)]
pub(super) struct Hooks {
    commit: RefCell<Option<CommitHook>>,
    rollback: RefCell<Option<RollbackHook>>,
    update: RefCell<Option<UpdateHook>>,
    progress: RefCell<Option<ProgressHook>>,
    /// Whether rows are told of: asked for each row that changes.
    has_update: Cell<bool>,
    has_progress: Cell<bool>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks")
            .field("commit", &self.commit.borrow().is_some())
            .field("rollback", &self.rollback.borrow().is_some())
            .field("update", &self.has_update.get())
            .field("progress", &self.has_progress.get())
            .finish()
    }
}

impl Session {
    /// Sets what is asked before each commit that changes something.
    pub fn set_commit_hook(&self, hook: Option<CommitHook>) {
        *self.hooks.commit.borrow_mut() = hook;
    }

    /// Sets what is told of rollbacks.
    pub fn set_rollback_hook(&self, hook: Option<RollbackHook>) {
        *self.hooks.rollback.borrow_mut() = hook;
    }

    /// Sets what is told of each row that changes.
    pub fn set_update_hook(&self, hook: Option<UpdateHook>) {
        self.hooks.has_update.set(hook.is_some());
        *self.hooks.update.borrow_mut() = hook;
    }

    /// Sets what is asked now and then while statements run.
    pub fn set_progress_hook(&self, hook: Option<ProgressHook>) {
        self.hooks.has_progress.set(hook.is_some());
        *self.hooks.progress.borrow_mut() = hook;
    }

    /// Asks before a commit.
    pub(super) fn may_commit(&self) -> Result<()> {
        let is_refused = self.hooks.commit.borrow_mut().as_mut().is_some_and(|hook| hook());
        if is_refused {
            let message = "a commit hook of the application refused the commit";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        Ok(())
    }

    /// Tells of a rollback.
    pub(super) fn rolled_back(&self) {
        if let Some(hook) = self.hooks.rollback.borrow_mut().as_mut() {
            hook();
        }
    }

    /// Tells of a row.
    pub(super) fn tell_row(&self, change: RowChange, table: &str, rowid: i64) {
        if self.hooks.has_update.get()
            && let Some(hook) = self.hooks.update.borrow_mut().as_mut()
        {
            hook(change, table, rowid);
        }
    }

    /// Whether the application wants the running statement to stop.
    pub(super) fn is_stopped_by_hook(&self) -> bool {
        self.hooks.has_progress.get()
            && self.hooks.progress.borrow_mut().as_mut().is_some_and(|hook| hook())
    }
}
