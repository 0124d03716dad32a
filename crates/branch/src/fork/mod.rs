//! Forks: a database of one's own in memory, made in microseconds and gone with its handle.
//!
//! A fork is a head that no record, no log and no sync knows. Many threads may use one, and each
//! may make its own; what a fork changes is seen by nobody else. A preview is work on a fork and
//! then the difference to where it began; to *apply* what was previewed, the branch must still
//! stand there. Neighbours: the transaction layer makes heads in memory, `registry` finds what to
//! fork.

mod apply;

use pandodb_ds::forest::Forest;
use pandodb_ds::sync::Arc;
use pandodb_tm::{BeginOptions, HeadId, Manager, Transaction};

use crate::error::{Error, ErrorKind, Result};
use crate::registry::{Branches, Point, View, found};

/// The note of a fork's head.
const NOTE_FORK: &[u8] = b"fork";

/// A head in memory; dropping it drops everything that was done there.
#[derive(Debug)]
pub struct Fork {
    manager: Arc<Manager>,
    head: HeadId,
    /// The commit of the branch that it began at.
    base: u64,
    origin: Option<HeadId>,
    /// Where it began, for the difference.
    before: Transaction,
}

impl Branches {
    /// Forks a branch as it is now.
    pub fn fork(&self, branch: &str) -> Result<Fork> {
        let head = self.head(branch)?;
        Fork::of(self.manager(), head)
    }

    /// Forks a moment (the base of a merge, say).
    pub fn fork_view(&self, view: &View) -> Result<Fork> {
        match view.head().map(|head| Fork::of(self.manager(), head)) {
            // What kept the moment (a tag, say) was dropped; the view still sees it.
            Some(Err(error)) if error.kind() == ErrorKind::Moved && !view.is_branch() => {}
            Some(forked) => return forked,
            None => {}
        }
        Fork::of_view(self.manager(), pandodb_tm::MAIN, view)
    }

    /// Forks a branch as it was.
    pub fn fork_at(&self, branch: &str, at: &Point) -> Result<Fork> {
        if *at == Point::Now {
            return self.fork(branch);
        }
        self.fork_view(&self.view_own(branch, at)?)
    }
}

impl Fork {
    /// Forks a head, a fork's too.
    pub fn of(manager: &Arc<Manager>, origin: HeadId) -> Result<Self> {
        let head = found(manager, origin, manager.fork_in_memory(origin, NOTE_FORK))?;
        let before = match manager.begin(head, BeginOptions::read_only()) {
            Ok(before) => before,
            Err(error) => {
                manager.drop_head(head)?;
                return Err(error.into());
            }
        };
        let base = before.base_commit().0;
        Ok(Self { manager: Arc::clone(manager), head, base, origin: Some(origin), before })
    }

    /// Forks any head and replaces what is there by a version that no head has.
    fn of_view(manager: &Arc<Manager>, any: HeadId, view: &View) -> Result<Self> {
        Self::of_forest(manager, any, &view.forest())
    }

    /// As if the trees of a version, which somebody keeps, were those of a head of their own.
    pub fn of_forest(manager: &Arc<Manager>, any: HeadId, forest: &Forest) -> Result<Self> {
        let fork = Self::of(manager, any)?;
        let mut transaction = fork.begin(BeginOptions::default())?;
        transaction.prepare_write()?;
        for tree in transaction.trees() {
            transaction.drop_tree(tree)?;
        }
        for id in forest.ids() {
            let tree = forest.existing(id)?.clone();
            transaction.create_tree(id, tree.kind())?;
            transaction.replace_tree(id, |_| Ok(tree))?;
        }
        transaction.commit()?;
        let before = fork.begin(BeginOptions::read_only())?;
        let mut fork = fork;
        fork.before = before;
        fork.origin = None;
        Ok(fork)
    }

    /// Its head, for connections to work on.
    pub fn head(&self) -> HeadId {
        self.head
    }

    /// The head that it was made of; none where that was a moment of the past.
    pub fn origin(&self) -> Option<HeadId> {
        self.origin
    }

    /// The commit that it began at.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Begins a transaction on it.
    pub fn begin(&self, options: BeginOptions) -> Result<Transaction> {
        Ok(self.manager.begin(self.head, options)?)
    }

    /// The trees that it began with, for the difference to what it is now.
    pub fn before(&self) -> Forest {
        self.before.forest()
    }

    /// Whether the head that was forked still stands where the fork began: then what was done
    /// here can be done there.
    pub fn check_base(&self) -> Result<()> {
        let Some(origin) = self.origin else {
            let message = "a fork of the past cannot be applied";
            let hint = "preview on the branch as it is now";
            return Err(Error::new(ErrorKind::Moved, message).with_hint(hint));
        };
        let now = found(&self.manager, origin, self.manager.head(origin))?.commit.0;
        if now == self.base {
            return Ok(());
        }
        Err(self.moved(now))
    }

    #[cold]
    fn moved(&self, now: u64) -> Error {
        let base = self.base;
        let message = format!(
            "base moved: the branch was at transaction {base} for the preview and is at {now} now"
        );
        Error::new(ErrorKind::Moved, message).with_hint("preview it again")
    }
}

impl Drop for Fork {
    fn drop(&mut self) {
        // It is in memory: the worst that an error leaves behind ends with the process.
        let _ = self.manager.drop_head(self.head);
    }
}
