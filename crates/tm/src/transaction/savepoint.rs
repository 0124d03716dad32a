//! Savepoints: keeping a version, going back to it, nested to any depth, each in O(1).
//!
//! A savepoint is a clone of the private versions and a length of the log buffer. Going back to
//! one that was made before the transaction moved to a newer version of its head does the kept
//! operations again on that.
//!
//! A clone has its price: every page that is changed behind it is copied once more. A *light*
//! savepoint keeps no clone; going back to it does all operations before it again. It is for
//! statements that look before they write, and so hardly ever fail half-way. Neighbours: `write`
//! makes what is gone back on, `rebase` moves.

use pandodb_ds::forest::Forest;
use smallvec::SmallVec;

use super::{Transaction, rebase};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{CommitId, HeadId};
use crate::wal::FrameMark;

/// A point in a transaction to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(u64);

/// What is kept for one.
#[derive(Debug)]
pub(super) struct SavedState {
    id: u64,
    /// None: a light one.
    versions: Option<SmallVec<[SavedVersion; 1]>>,
    mark: FrameMark,
    logged_head: Option<HeadId>,
    head_changes: usize,
    dependencies: usize,
    changes: u64,
    was_large: bool,
}

#[derive(Debug)]
struct SavedVersion {
    head: HeadId,
    /// None: nothing was changed yet.
    forest: Option<Forest>,
    base: CommitId,
}

impl Transaction {
    /// Keeps the state as it is now.
    pub fn savepoint(&mut self) -> Result<Savepoint> {
        self.check_usable()?;
        self.settle_all()?;
        let versions = self.state.get_mut().parts.iter().map(|part| SavedVersion {
            head: part.head(),
            forest: part.private.as_ref().map(|private| private.forest.clone()),
            base: part.base.commit,
        });
        let versions = versions.collect();
        self.save(Some(versions))
    }

    /// Keeps the state as it is now without making later changes copy pages. Going back does the
    /// transaction's operations again, and is not possible (the transaction can only be rolled
    /// back then) if something was changed and the log buffer was given up for its size.
    pub fn light_savepoint(&mut self) -> Result<Savepoint> {
        self.save(None)
    }

    fn save(&mut self, versions: Option<SmallVec<[SavedVersion; 1]>>) -> Result<Savepoint> {
        self.check_usable()?;
        let id = self.next_savepoint;
        let saved = SavedState {
            id,
            versions,
            mark: self.frames.mark(),
            logged_head: self.logged_head,
            head_changes: self.head_changes.len(),
            dependencies: self.dependencies.len(),
            changes: self.changes,
            was_large: self.is_large,
        };
        self.savepoints.push(saved);
        self.next_savepoint += 1;
        Ok(Savepoint(id))
    }

    /// Goes back to a savepoint, which stays; later ones are gone. Locks stay.
    pub fn rollback_to(&mut self, savepoint: Savepoint) -> Result<()> {
        let index = self.find(savepoint)?;
        self.savepoints.truncate(index + 1);
        let Some(saved) = self.savepoints.pop() else { return Err(unknown(savepoint)) };
        let is_unchanged = self.changes == saved.changes && !self.is_broken();
        if self.is_large && !saved.was_large {
            // The log buffer was given up since: the transaction stays one that names pages.
            self.logged_head = None;
        } else {
            self.frames.rewind(&saved.mark);
            self.logged_head = saved.logged_head;
        }
        self.head_changes.truncate(saved.head_changes);
        self.dependencies.truncate(saved.dependencies);
        self.changes = saved.changes;
        let outcome = match &saved.versions {
            Some(versions) => self.restore(versions),
            None if is_unchanged => Ok(()),
            None => self.repeat(saved.changes),
        };
        self.savepoints.push(saved);
        self.set_broken(outcome.is_err());
        outcome
    }

    /// Forgets a savepoint and all later ones; what was done since stays.
    pub fn release(&mut self, savepoint: Savepoint) -> Result<()> {
        let index = self.find(savepoint)?;
        self.savepoints.truncate(index);
        Ok(())
    }

    /// How many savepoints there are.
    pub fn savepoint_depth(&self) -> usize {
        self.savepoints.len()
    }

    fn find(&self, savepoint: Savepoint) -> Result<usize> {
        let found = self.savepoints.iter().rposition(|saved| saved.id == savepoint.0);
        found.ok_or_else(|| unknown(savepoint))
    }

    fn restore(&mut self, versions: &[SavedVersion]) -> Result<()> {
        let pager = self.shared.store.pager();
        let is_large = self.is_large;
        for part in &mut self.state.get_mut().parts {
            let head = part.head();
            let version = versions.iter().find(|version| version.head == head);
            let kept = version.and_then(|version| Some((version.forest.clone()?, version.base)));
            match (kept, &mut part.private) {
                (_, None) => {}
                (None, private) if !is_large => *private = None,
                (None, Some(private)) => private.restore(part.base.forest.clone()),
                (Some((forest, base)), Some(private)) if base == part.base.commit => {
                    private.restore(forest);
                }
                (Some(_), Some(_)) => {
                    let base = part.base.clone();
                    rebase::rebase(part, base, &self.frames, pager)?;
                }
            }
            part.show_uncommitted();
        }
        Ok(())
    }

    /// Makes the private versions anew from the `changes` operations that are still in the log
    /// buffer.
    fn repeat(&mut self, changes: u64) -> Result<()> {
        if self.is_large {
            let message = format!(
                "{} is too large to take a failed statement back alone: roll it back",
                self.id
            );
            return Err(Error::new(ErrorKind::Limit, message));
        }
        // What they refer to may have been written by the version that is given up here.
        self.savepoints.iter_mut().for_each(|saved| saved.versions = None);
        let pager = self.shared.store.pager();
        for part in &mut self.state.get_mut().parts {
            if changes == 0 {
                part.private = None;
            } else if part.private.is_some() {
                let base = part.base.clone();
                rebase::rebase(part, base, &self.frames, pager)?;
            }
            part.show_uncommitted();
        }
        Ok(())
    }
}

#[cold]
fn unknown(savepoint: Savepoint) -> Error {
    let message = format!("savepoint {} is gone, or of another transaction", savepoint.0);
    Error::new(ErrorKind::NotFound, message)
}
