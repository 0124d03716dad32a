//! Which locks a transaction takes, and when.
//!
//! - The *right to move a head* is held from the first write on at the levels that write alone,
//!   and during the commit at the others. Who holds it finds the head where it was.
//! - *Rows* are locked by serializable transactions only: a key that is read in S and one that is
//!   written in X, with intentions on its tree and head. While such a transaction is on the head,
//!   the others lock what they wrote in X at their commit, and a whole head that they reset: what
//!   was read stays as it was. What is scanned or counted is not locked but noted, see `reads`.
//! - After each lock a serializable transaction looks whether the head has moved, and moves with
//!   it: what it locked before cannot have changed, and what it noted is looked at.
//!
//! Neighbours: `lock` is the manager, `rebase` moves.

use std::time::Duration;

use super::{State, Transaction};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{HeadId, TransactionId, TreeId};
use crate::isolation::{BeginOptions, Isolation};
use crate::lock::{LockOwner, Mode, Resource};
use crate::manager::Shared;

/// How much of a tree is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope<'a> {
    Key(&'a [u8]),
    Tree,
}

impl Scope<'_> {
    pub(super) fn resource(self, head: HeadId, tree: TreeId) -> Resource {
        match self {
            Self::Key(key) => Resource::key(head, tree, key),
            Self::Tree => Resource::tree(head, tree),
        }
    }
}

impl State {
    /// The owner of the transaction's locks, registered when it is first needed.
    pub(super) fn owner(
        &mut self,
        shared: &Shared,
        id: TransactionId,
        options: &BeginOptions,
    ) -> Result<&mut LockOwner> {
        let owner = if let Some(owner) = self.owner.take() {
            owner
        } else {
            let first = options.repeats.unwrap_or(id);
            let mut owner = shared.locks.register_again(id, first)?;
            owner.set_busy_hook(options.busy_hook.clone());
            owner.set_stop_hook(options.stop_hook.clone());
            owner
        };
        Ok(self.owner.insert(owner))
    }
}

impl Transaction {
    /// Locks a resource for the rest of the transaction, after intention locks on what contains
    /// it; waits for the busy timeout at most.
    pub fn lock(&mut self, resource: Resource, mode: Mode) -> Result<()> {
        let (id, timeout) = (self.id, self.timeout);
        let state = self.state.get_mut();
        state.owner(&self.shared, id, &self.options)?.acquire_within(resource, mode, timeout)?;
        self.follow_head()
    }

    /// Does for a statement that will write what it needs before it reads: at the levels that
    /// write alone, waits for the right to write to the current head and takes its newest version
    /// (`BEGIN IMMEDIATE` does it for a transaction).
    pub fn prepare_write(&mut self) -> Result<()> {
        self.check_usable()?;
        if self.is_read_only() {
            return Err(self.only_reads());
        }
        if !self.options.isolation.writes_alone() {
            return Ok(());
        }
        let current = self.state.get_mut().current;
        self.lock_head(current)?;
        let refreshes = self.options.isolation.refreshes();
        let part = &mut self.state.get_mut().parts[current];
        if refreshes && part.private.is_none() {
            // Not what is uncommitted: there is no other writer now.
            part.base = part.cell().version.load();
        }
        Ok(())
    }

    /// As [`prepare_write`](Self::prepare_write), at every level: nobody else moves the current
    /// head until the transaction ends, and it stands where the transaction sees it.
    pub fn write_alone(&mut self) -> Result<()> {
        self.prepare_write()?;
        if self.options.isolation.writes_alone() {
            return Ok(());
        }
        let current = self.state.get_mut().current;
        self.lock_head(current)?;
        let part = &mut self.state.get_mut().parts[current];
        let newest = part.cell().version.load();
        if part.private.is_none() {
            part.base = newest;
        } else if part.base.commit != newest.commit {
            let message = "another transaction changed the branch first";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        Ok(())
    }

    /// Takes the right to move the head of a part.
    pub(super) fn lock_head(&mut self, index: usize) -> Result<()> {
        let (id, timeout) = (self.id, self.timeout);
        let state = self.state.get_mut();
        if state.parts[index].holds_writer {
            return Ok(());
        }
        let resource = Resource::writer(state.parts[index].head());
        state.owner(&self.shared, id, &self.options)?.acquire(
            resource,
            Mode::Exclusive,
            timeout,
        )?;
        state.parts[index].holds_writer = true;
        Ok(())
    }

    /// Locks rows of the current head for a serializable transaction.
    pub(super) fn lock_rows(&self, tree: TreeId, scope: Scope<'_>, mode: Mode) -> Result<()> {
        let mut state = self.state.write();
        let head = state.parts[state.current].head();
        let resource = scope.resource(head, tree);
        let owner = state.owner(&self.shared, self.id, &self.options)?;
        owner.acquire_within(resource, mode, self.timeout)?;
        drop(state);
        self.follow_tree(tree)
    }

    /// Before the commit of another level: locks what was written, if a serializable transaction
    /// is on the head.
    pub(super) fn lock_written_rows(&mut self, index: usize) -> Result<()> {
        /// Beyond this many, the whole head is locked instead.
        const ROWS_MAX: usize = 1000;
        let (id, timeout) = (self.id, self.timeout);
        let head = self.state.get_mut().parts[index].head();
        let mut resources = Vec::new();
        for operation in super::rebase::operations_on(&self.frames, head) {
            let (tree, operation) = operation?;
            resources.push(match super::rebase::written_key(&operation) {
                Some(key) => Resource::key(head, tree, key),
                None => Resource::tree(head, tree),
            });
            if resources.len() > ROWS_MAX {
                break;
            }
        }
        if self.is_large || resources.len() > ROWS_MAX {
            resources = vec![Resource::head(head)];
        }
        let owner = self.state.get_mut().owner(&self.shared, id, &self.options)?;
        for resource in resources {
            owner.acquire_within(resource, Mode::Exclusive, timeout)?;
        }
        Ok(())
    }

    /// Before a commit lets a head stand elsewhere: locks all its rows.
    pub(super) fn lock_rows_of(&mut self, head: HeadId) -> Result<()> {
        let (id, timeout) = (self.id, self.timeout);
        let owner = self.state.get_mut().owner(&self.shared, id, &self.options)?;
        owner.acquire_within(Resource::head(head), Mode::Exclusive, timeout)
    }

    /// Whether a serializable transaction moves with the head now that it holds another lock.
    fn follow_tree(&self, tree: TreeId) -> Result<()> {
        let state = self.state.read();
        let part = &state.parts[state.current];
        let newest = part.cell().version.load();
        let is_same = match (part.base.forest.tree(tree), newest.forest.tree(tree)) {
            (Some(base), Some(newest)) => base.is_same_version(newest),
            (None, None) => true,
            _ => false,
        };
        drop(state);
        // A tree that did not change needs no step: what is read of it is what is there now.
        if is_same { Ok(()) } else { self.move_to_newest() }
    }

    fn follow_head(&self) -> Result<()> {
        if self.options.isolation == Isolation::Serializable {
            self.move_to_newest()?;
        }
        Ok(())
    }

    fn move_to_newest(&self) -> Result<()> {
        let state = &mut *self.state.write();
        let part = &mut state.parts[state.current];
        let newest = part.cell().version.load();
        if newest.commit == part.base.commit {
            return Ok(());
        }
        let pager = self.shared.store.pager();
        state.reads.move_to(&newest, pager)?;
        super::rebase::rebase(part, newest, &self.frames, pager)
    }

    /// How long a lock is waited for.
    pub fn busy_timeout(&self) -> Duration {
        self.timeout
    }
}
