//! The end of transactions: on one database, or on several.
//!
//! Every database has its own log, so that a commit on several is one after the other. Whatever
//! can refuse one is asked of all before the first is committed; a failure in between is an error
//! that says what is there and what is not, and is not to be tried again.

use smallvec::SmallVec;

use super::Session;
use crate::branching::access::{asks_rights, check_may_commit};
use crate::catalog::DatabaseIndex;
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::SharedTransaction;

/// Places of databases in a list of sources.
type Places = SmallVec<[usize; 2]>;

impl Session {
    /// Ends the transactions of a statement outside of a transaction.
    pub(in crate::session) fn finish_autocommit(
        &self,
        sources: &[Option<SharedTransaction>],
        commit: bool,
    ) -> Result<()> {
        if !self.is_autocommit() {
            return Ok(());
        }
        self.settings.borrow_mut().defer_foreign_keys = false;
        let is_whole = self.counters.deferred_violations.take().are_none();
        let changed = changed(sources);
        if commit && is_whole && !changed.is_empty() {
            self.may_commit()?;
            self.commit_changed(sources, &changed)?;
            self.repeats.set(None);
        }
        self.roll_back_open(sources);
        if commit && !is_whole {
            return Err(Error::constraint(Constraint::ForeignKey, ""));
        }
        Ok(())
    }

    /// Refuses to commit changes of a branch that was dropped, or may not be written to any more,
    /// since the transaction has changed it.
    pub(super) fn still_may(&self) -> Result<()> {
        let active = self.active.borrow();
        let Some(active) = active.as_ref() else { return Ok(()) };
        let user = self.user();
        for place in changed(&active.sources) {
            let index = DatabaseIndex(place as u16);
            let Some(Some(source)) = active.sources.get(place) else { continue };
            let (database, _) = self.database(index)?;
            for head in source.borrow().inner()?.changed_heads() {
                database.check_writable(head)?;
                if let Some(user) = user.as_deref().filter(|_| index != DatabaseIndex::TEMP)
                    && asks_rights(index, &database)?
                {
                    check_may_commit(&database, head, user)?;
                }
            }
        }
        Ok(())
    }

    /// Commits the transactions of a BEGIN.
    pub(super) fn commit_all(&self, sources: &[Option<SharedTransaction>]) -> Result<()> {
        let changed = changed(sources);
        if !changed.is_empty() {
            self.commit_changed(sources, &changed)?;
        }
        // One that has only read may learn here that it saw two moments. Beside changes it was
        // asked that before they were committed.
        for source in sources.iter().flatten() {
            let mut source = source.borrow_mut();
            if source.is_open() && changed.is_empty() {
                source.commit()?;
            }
            source.rollback();
        }
        Ok(())
    }

    /// Gives up what is still open.
    fn roll_back_open(&self, sources: &[Option<SharedTransaction>]) {
        for source in sources.iter().flatten() {
            let mut source = source.borrow_mut();
            let is_something = source.is_open() && source.has_changes();
            source.rollback();
            drop(source);
            if is_something {
                self.rolled_back();
            }
        }
    }

    /// Commits those of `sources` at the places `changed`; the others stay open.
    fn commit_changed(
        &self,
        sources: &[Option<SharedTransaction>],
        changed: &[usize],
    ) -> Result<()> {
        let is_alone = sources.iter().flatten().filter(|it| it.borrow().is_open()).count() == 1;
        if is_alone && let [place] = changed {
            return self.commit_one(sources, *place);
        }
        let prepared = self.prepare_all(sources).inspect_err(|_| self.roll_back_open(sources))?;
        // Whole pages are what most likely finds no room: nothing is committed before them.
        let (large, logged): (Places, Places) =
            prepared.into_iter().partition(|place| is_large(sources, *place));
        let order: Places =
            large.into_iter().chain(logged).filter(|place| changed.contains(place)).collect();
        for (done, place) in order.iter().enumerate() {
            if let Err(error) = self.commit_one(sources, *place) {
                self.roll_back_open(sources);
                return Err(self.cut_short(&order, done, error));
            }
        }
        Ok(())
    }

    fn commit_one(&self, sources: &[Option<SharedTransaction>], place: usize) -> Result<()> {
        let Some(Some(source)) = sources.get(place) else { return Ok(()) };
        source.borrow_mut().commit()?;
        let index = DatabaseIndex(place as u16);
        self.note_own_commit(index);
        self.tell_log(index);
        Ok(())
    }

    /// Asks all open ones for what could refuse them, in the order that all sessions keep to;
    /// gives their places.
    fn prepare_all(&self, sources: &[Option<SharedTransaction>]) -> Result<Places> {
        let mut order: SmallVec<[(usize, usize); 2]> = SmallVec::new();
        for (place, source) in sources.iter().enumerate() {
            if source.as_ref().is_some_and(|source| source.borrow().is_open()) {
                let (database, _) = self.database(DatabaseIndex(place as u16))?;
                order.push((database.manager().rank(), place));
            }
        }
        order.sort_unstable();
        for (_, place) in &order {
            if let Some(Some(source)) = sources.get(*place) {
                source.borrow_mut().inner_mut()?.prepare_to_commit()?;
            }
        }
        let mut places: Places = order.into_iter().map(|(_, place)| place).collect();
        places.sort_unstable();
        Ok(places)
    }

    /// The error of a commit of which the first `done` parts are there.
    fn cut_short(&self, order: &[usize], done: usize, error: Error) -> Error {
        if done == 0 {
            return error;
        }
        let names = |places: &[usize]| {
            let names = places.iter().map(|place| self.told_name(DatabaseIndex(*place as u16)));
            names.collect::<Vec<_>>().join(", ")
        };
        let (there, missing) = order.split_at(done);
        let message = format!(
            "the transaction is over and was committed in {} but not in {}: {}",
            names(there),
            names(missing),
            error.message()
        );
        Error::new(ErrorKind::PartlyCommitted, message)
            .with_hint("repeat only what is missing: the rest would be done twice")
            .caused_by(error)
    }

    /// The name of a database, with its file.
    pub(super) fn told_name(&self, index: DatabaseIndex) -> String {
        let name = self.database_name(index);
        match self.database(index) {
            Ok((database, _)) if !database.manager().is_in_memory() => {
                format!("{name} ({})", database.manager().store().path().display())
            }
            _ => name.into(),
        }
    }
}

/// The places of open transactions with changes.
fn changed(sources: &[Option<SharedTransaction>]) -> Places {
    let sources = sources.iter().enumerate();
    let changed = sources.filter(|(_, source)| {
        source.as_ref().is_some_and(|source| {
            let source = source.borrow();
            source.is_open() && source.has_changes()
        })
    });
    changed.map(|(place, _)| place).collect()
}

fn is_large(sources: &[Option<SharedTransaction>], place: usize) -> bool {
    let Some(Some(source)) = sources.get(place) else { return false };
    source.borrow().inner().is_ok_and(pandodb_tm::Transaction::is_large)
}
