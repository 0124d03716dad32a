//! What an application is told of a session's work, and may stop.
//!
//! A hook is called with nothing of the session borrowed but the hooks themselves: a hook that
//! panics leaves the session usable, and one cannot reach its own session. Neighbours:
//! `transaction` calls those of commits, `modify` those of rows, the scans the progress.

mod authorize;

use std::cell::{Cell, RefCell};

use pandodb_ds::sync::{Arc, Mutex};

use super::Session;
use crate::authorize::Authorizer;
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::function::{RowChange, RowImages};

/// Is asked before a commit; true refuses it.
pub type CommitHook = Box<dyn FnMut() -> bool + Send>;
/// Is told of a rollback.
pub type RollbackHook = Box<dyn FnMut() + Send>;
/// Is told of a row: what happened, the table, its rowid.
pub type UpdateHook = Box<dyn FnMut(RowChange, &str, i64) + Send>;
/// Is told of a row before it changes, with the name of its database.
pub type PreupdateHook = Box<dyn FnMut(&str, &RowImages<'_>) + Send>;
/// Is told of the log after a commit: the database's name, bytes that recovery would read.
pub type LogHook = Box<dyn FnMut(&str, u64) + Send>;
/// Is asked now and then while a statement runs, or waits for a lock; true stops it.
pub type ProgressHook = Box<dyn FnMut() -> bool + Send>;

/// The hooks of a session.
#[derive(Default)]
pub(in crate::session) struct Hooks {
    commit: RefCell<Option<CommitHook>>,
    rollback: RefCell<Option<RollbackHook>>,
    update: RefCell<Option<UpdateHook>>,
    preupdate: RefCell<Option<PreupdateHook>>,
    log: RefCell<Option<LogHook>>,
    /// Behind a lock for the waits in the layers below, which ask it, too; nobody else does
    /// meanwhile.
    pub(in crate::session) progress: Arc<Mutex<Option<ProgressHook>>>,
    pub(in crate::session) authorizer: RefCell<Option<Authorizer>>,
    /// Whether what is bound now is asked for: a statement that is being prepared.
    pub(in crate::session) asks: Cell<bool>,
    /// Whether rows are told of: asked for each row that changes.
    has_update: Cell<bool>,
    has_preupdate: Cell<bool>,
    has_progress: Cell<bool>,
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks")
            .field("commit", &self.commit.borrow().is_some())
            .field("rollback", &self.rollback.borrow().is_some())
            .field("update", &self.has_update.get())
            .field("preupdate", &self.has_preupdate.get())
            .field("log", &self.log.borrow().is_some())
            .field("progress", &self.has_progress.get())
            .field("authorizer", &self.authorizer.borrow().is_some())
            .finish_non_exhaustive()
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

    /// Sets what is told of each row before it changes.
    pub fn set_preupdate_hook(&self, hook: Option<PreupdateHook>) {
        self.hooks.has_preupdate.set(hook.is_some());
        *self.hooks.preupdate.borrow_mut() = hook;
    }

    /// Sets what is told of the log after each commit.
    pub fn set_log_hook(&self, hook: Option<LogHook>) {
        *self.hooks.log.borrow_mut() = hook;
    }

    /// Sets what is asked now and then while statements run.
    pub fn set_progress_hook(&self, hook: Option<ProgressHook>) {
        self.hooks.has_progress.set(hook.is_some());
        *self.hooks.progress.lock() = hook;
    }

    /// Asks before a commit.
    pub(in crate::session) fn may_commit(&self) -> Result<()> {
        let is_refused = self.hooks.commit.borrow_mut().as_mut().is_some_and(|hook| hook());
        if is_refused {
            let message = "a commit hook of the application refused the commit";
            return Err(Error::new(ErrorKind::Denied, message));
        }
        Ok(())
    }

    /// Tells of a rollback.
    pub(in crate::session) fn rolled_back(&self) {
        self.note_command();
        if let Some(hook) = self.hooks.rollback.borrow_mut().as_mut() {
            hook();
        }
    }

    /// Tells of a row.
    pub(in crate::session) fn tell_row(&self, change: RowChange, table: &str, rowid: i64) {
        if self.hooks.has_update.get()
            && let Some(hook) = self.hooks.update.borrow_mut().as_mut()
        {
            hook(change, table, rowid);
        }
    }

    /// Whether somebody wants to know of rows before they change.
    pub(in crate::session) fn tells_before(&self) -> bool {
        self.hooks.has_preupdate.get()
    }

    /// Tells of a row before it changes.
    pub(in crate::session) fn tell_before(&self, images: &RowImages<'_>) {
        let name = self.databases.borrow().get(images.database).map(|it| it.name.clone());
        if let Some(hook) = self.hooks.preupdate.borrow_mut().as_mut() {
            hook(name.as_deref().unwrap_or("main"), images);
        }
    }

    /// Tells of the log of a database after a commit; temporary tables have none.
    pub(in crate::session) fn tell_log(&self, index: DatabaseIndex) {
        if self.hooks.log.borrow().is_none() || index == DatabaseIndex::TEMP {
            return;
        }
        let Ok((database, _)) = self.database(index) else { return };
        let manager = database.manager();
        let bytes = if manager.is_in_memory() { 0 } else { manager.log_bytes() };
        let name = self.database_name(index);
        if let Some(hook) = self.hooks.log.borrow_mut().as_mut() {
            hook(&name, bytes);
        }
    }

    /// Whether the application wants the running statement to stop.
    pub(in crate::session) fn is_stopped_by_hook(&self) -> bool {
        self.hooks.has_progress.get()
            && self.hooks.progress.lock().as_mut().is_some_and(|hook| hook())
    }
}
