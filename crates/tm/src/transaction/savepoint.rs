//! Savepoints: keeping a version, going back to it, nested to any depth, each in O(1).
//!
//! A savepoint is a clone of the private versions and a length of the log buffer. Going back to
//! one that was made before the transaction moved to a newer version of its head does the kept
//! operations again on that.
//!
//! A clone has its price: every page that is changed behind it is copied once more. A *light*
//! savepoint keeps no clone; going back to it does all operations before it again. It is for
//! statements that look before they write, and so hardly ever fail half-way. One for any other
//! statement keeps a clone only when something of it is really done to the trees: as long as all
//! of its changes wait, going back forgets them. Neighbours: `write`
//! makes what is gone back on, `rebase` moves.

use pandodb_ds::forest::Forest;
use smallvec::SmallVec;

use super::part::Private;
use super::{Transaction, rebase};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{CommitId, HeadId, TransactionId};
use crate::wal::FrameMark;

/// A point in a transaction to go back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(u64);

/// A point to go back to that keeps no pages (see the module). Dropping it forgets it.
#[derive(Debug)]
pub struct LightSavepoint(Saved);

/// What is kept for one.
#[derive(Debug)]
pub(super) struct SavedState {
    saved: Saved,
    /// None where they were given up since: going back does all operations again.
    versions: Option<SmallVec<[SavedVersion; 1]>>,
}

/// What is kept for any.
#[derive(Debug)]
struct Saved {
    id: u64,
    mark: FrameMark,
    logged_head: Option<HeadId>,
    head_changes: usize,
    dependencies: usize,
    described: usize,
    changes: u64,
    was_large: bool,
}

#[derive(Debug)]
struct SavedVersion {
    head: HeadId,
    kept: Kept,
    base: CommitId,
}

/// How a version is kept.
#[derive(Clone, Debug)]
enum Kept {
    /// Nothing was changed yet.
    Nothing,
    /// As it was.
    Forest(Forest),
    /// The version itself knows the way back.
    Undo,
}

impl SavedState {
    fn is_undo(&self) -> bool {
        let mut versions = self.versions.iter().flatten();
        versions.any(|version| matches!(version.kept, Kept::Undo))
    }
}

impl Transaction {
    /// Keeps the state as it is now.
    pub fn savepoint(&mut self) -> Result<Savepoint> {
        self.check_usable()?;
        self.settle_all()?;
        let versions = self.state.get_mut().parts.iter().map(|part| SavedVersion {
            head: part.head(),
            kept: match &part.private {
                Some(private) => Kept::Forest(private.forest.clone()),
                None => Kept::Nothing,
            },
            base: part.base.commit,
        });
        let versions = versions.collect();
        self.save(versions)
    }

    /// As [`savepoint`](Self::savepoint) for one statement, which releases it: costs a clone only
    /// where the statement does more than to add to what waits.
    pub fn statement_savepoint(&mut self) -> Result<Savepoint> {
        self.check_usable()?;
        let parts = &mut self.state.get_mut().parts;
        if parts.iter().any(|part| part.private.as_deref().is_some_and(Private::is_undoing)) {
            // A statement inside of another one.
            return self.savepoint();
        }
        let versions = parts.iter_mut().map(|part| {
            let undo = part.private.as_deref_mut().map(Private::begin_undo);
            SavedVersion {
                head: part.head(),
                kept: undo.map_or(Kept::Nothing, |()| Kept::Undo),
                base: part.base.commit,
            }
        });
        let versions = versions.collect();
        self.save(versions)
    }

    /// Keeps the state as it is now without making later changes copy pages. Going back does the
    /// transaction's operations again, and is not possible (the transaction can only be rolled
    /// back then) if something was changed and the log buffer was given up for its size.
    #[inline]
    pub fn light_savepoint(&self) -> Result<LightSavepoint> {
        self.check_usable()?;
        Ok(LightSavepoint(self.to_save()))
    }

    #[inline]
    fn to_save(&self) -> Saved {
        Saved {
            id: self.next_savepoint,
            mark: self.frames.mark(),
            logged_head: self.logged_head,
            head_changes: self.head_changes.len(),
            dependencies: self.dependencies.len(),
            described: self.described.len(),
            changes: self.changes,
            was_large: self.is_large,
        }
    }

    fn save(&mut self, versions: SmallVec<[SavedVersion; 1]>) -> Result<Savepoint> {
        self.check_usable()?;
        let saved = self.to_save();
        let id = saved.id;
        self.savepoints.push(SavedState { saved, versions: Some(versions) });
        self.next_savepoint += 1;
        Ok(Savepoint(id))
    }

    /// Goes back to a savepoint, which stays; later ones are gone. Locks stay.
    pub fn rollback_to(&mut self, savepoint: Savepoint) -> Result<()> {
        let index = self.find(savepoint)?;
        self.end_undo_behind(index + 1);
        self.savepoints.truncate(index + 1);
        let Some(saved) = self.savepoints.pop() else { return Err(unknown(savepoint)) };
        let outcome = self.go_back(&saved.saved, saved.versions.as_deref());
        self.savepoints.push(saved);
        outcome
    }

    /// As [`rollback_to`](Self::rollback_to); savepoints that were made since are gone.
    pub fn rollback_to_light(&mut self, savepoint: &LightSavepoint) -> Result<()> {
        let saved = &savepoint.0;
        let later = self.savepoints.iter().position(|other| other.saved.id >= saved.id);
        if let Some(index) = later {
            self.end_undo_behind(index);
            self.savepoints.truncate(index);
        }
        self.go_back(saved, None)
    }

    fn go_back(&mut self, saved: &Saved, versions: Option<&[SavedVersion]>) -> Result<()> {
        let was_broken = self.is_broken();
        let is_unchanged = self.changes == saved.changes && !was_broken;
        if self.is_large && !saved.was_large {
            // The log buffer was given up since: the transaction stays one that names pages.
            self.logged_head = None;
        } else {
            self.frames.rewind(&saved.mark);
            self.logged_head = saved.logged_head;
        }
        self.head_changes.truncate(saved.head_changes);
        self.dependencies.truncate(saved.dependencies);
        let kept = saved.described.min(self.described.len());
        if let Some(before) = self.described.drain(kept..).next() {
            (self.options.author, self.options.message) = before;
        }
        self.changes = saved.changes;
        let outcome = match versions {
            Some(versions) => self.restore(versions, was_broken),
            None if is_unchanged => Ok(()),
            None => self.repeat(saved.changes),
        };
        self.set_broken(outcome.is_err());
        outcome
    }

    /// Forgets a savepoint and all later ones; what was done since stays.
    pub fn release(&mut self, savepoint: Savepoint) -> Result<()> {
        let index = self.find(savepoint)?;
        self.end_undo_behind(index);
        self.savepoints.truncate(index);
        Ok(())
    }

    /// Forgets the way back of a statement's savepoint among those from `index` on, which go.
    fn end_undo_behind(&mut self, index: usize) {
        if self.savepoints.iter().skip(index).any(SavedState::is_undo) {
            let parts = &mut self.state.get_mut().parts;
            parts
                .iter_mut()
                .filter_map(|part| part.private.as_deref_mut())
                .for_each(Private::end_undo);
        }
    }

    /// How many savepoints there are.
    pub fn savepoint_depth(&self) -> usize {
        self.savepoints.len()
    }

    fn find(&self, savepoint: Savepoint) -> Result<usize> {
        let found = self.savepoints.iter().rposition(|state| state.saved.id == savepoint.0);
        found.ok_or_else(|| unknown(savepoint))
    }

    fn restore(&mut self, versions: &[SavedVersion], was_broken: bool) -> Result<()> {
        let pager = self.shared.store.pager();
        let (id, is_large) = (self.id, self.is_large);
        for part in &mut self.state.get_mut().parts {
            let head = part.head();
            let version = versions.iter().find(|version| version.head == head);
            let is_here = version.is_some_and(|version| version.base == part.base.commit);
            let kept = version.map_or(Kept::Nothing, |version| version.kept.clone());
            let is_back = match (kept, &mut part.private) {
                (_, None) => true,
                (Kept::Nothing, private) if !is_large => {
                    *private = None;
                    true
                }
                (Kept::Nothing, Some(private)) => {
                    private.restore(part.base.forest.clone());
                    true
                }
                (Kept::Forest(forest), Some(private)) if is_here => {
                    private.restore(forest);
                    true
                }
                (Kept::Undo, Some(private)) if is_here => private.undo(was_broken),
                _ => false,
            };
            if !is_back && is_large {
                return Err(cannot_repeat(id));
            }
            if !is_back {
                let base = part.base.clone();
                rebase::rebase(part, base, &self.frames, pager)?;
            }
            part.show_uncommitted();
        }
        Ok(())
    }

    /// Makes the private versions anew from the `changes` operations that are still in the log
    /// buffer.
    fn repeat(&mut self, changes: u64) -> Result<()> {
        if self.is_large {
            return Err(cannot_repeat(self.id));
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
fn cannot_repeat(id: TransactionId) -> Error {
    let message = format!("{id} is too large to take a failed statement back alone: roll it back");
    Error::new(ErrorKind::Limit, message)
}

#[cold]
fn unknown(savepoint: Savepoint) -> Error {
    let message = format!("savepoint {} is gone, or of another transaction", savepoint.0);
    Error::new(ErrorKind::NotFound, message)
}
