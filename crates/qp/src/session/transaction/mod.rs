//! Transactions of a session: BEGIN to COMMIT, savepoints, and autocommit around one statement.
//!
//! A transaction reaches each database when it is first used there. Neighbours: `statement` asks
//! for the transactions of a statement; `command` runs BEGIN and its kin; `several` commits.

mod clash;
mod several;

use pandodb_branch::name::fold;
use pandodb_ds::sync::Arc;
use pandodb_tm::{BeginOptions, TransactionId};
use smallvec::SmallVec;

use super::prepare::Counted;
use super::{Session, Sources};
use crate::ast::{BeginMode, IsolationLevel, Name, TransactionStatement};
use crate::branching::access::{asks_rights, check_head, without_near};
use crate::catalog::{DatabaseIndex, Schema, load, read_cookie};
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{DeferredViolations, LoneTransaction, SharedTransaction};
use crate::store::{CATALOG_TREE, Database, HeadId, Isolation, Savepoint};
use crate::suggest::hinting;

/// An open transaction.
#[derive(Debug)]
pub(in crate::session) struct Active {
    /// By database.
    pub(in crate::session) sources: Sources,
    options: BeginOptions,
    savepoints: Vec<NamedSavepoint>,
    /// What the names of branches that were read mean until the end, at the levels that see one
    /// moment.
    branches: Vec<(DatabaseIndex, Box<str>, HeadId)>,
    /// Begun by SAVEPOINT: its RELEASE commits.
    by_savepoint: bool,
    /// Deferred violations of foreign keys when it began.
    writes: bool,
}

#[derive(Debug)]
struct NamedSavepoint {
    name: Box<str>,
    marks: Vec<Option<Savepoint>>,
    deferred: DeferredViolations,
}

impl Active {
    pub(in crate::session) fn new(mut options: BeginOptions) -> Self {
        options.keeps_moment = true;
        Self {
            branches: Vec::new(),
            sources: Vec::new(),
            options,
            savepoints: Vec::new(),
            by_savepoint: false,
            writes: false,
        }
    }
}

impl Session {
    /// Whether no transaction is open.
    #[inline]
    pub fn is_autocommit(&self) -> bool {
        self.active.borrow().is_none()
    }

    pub(in crate::session) fn begin_options(&self) -> BeginOptions {
        BeginOptions { repeats: self.repeats.get(), ..BeginOptions::at(self.isolation()) }
    }

    /// The transaction that the next one runs again, if the last one was told to.
    pub fn repeats(&self) -> Option<TransactionId> {
        self.repeats.get()
    }

    /// What a statement has failed with, in the words of SQL; and notes that it did: whoever is
    /// told to try again is taken to do so with the next transaction, which then is as old as the
    /// first try.
    #[cold]
    pub(in crate::session) fn failed(&self, error: Error) -> Error {
        if error.is_retryable() && self.repeats.get().is_none() {
            self.repeats.set(self.begun.get());
        }
        match error.kind() {
            ErrorKind::Conflict => self.with_names(error),
            ErrorKind::Busy | ErrorKind::Deadlock | ErrorKind::Interrupted => {
                self.without_numbers(error)
            }
            ErrorKind::NotFound => without_near(self, error),
            _ => error,
        }
    }

    /// Puts the session on another branch of the main database; an open transaction goes on
    /// there, and commits what it did on all branches at once.
    pub(crate) fn go_to_head(&self, head: HeadId) -> Result<()> {
        self.enlist(head)?;
        self.use_head(DatabaseIndex::MAIN, head);
        Ok(())
    }

    /// Calls `work` with the open transaction on the main database; none if there is none yet.
    pub(crate) fn with_open<T>(
        &self,
        work: impl FnOnce(&mut crate::store::Transaction) -> Result<T>,
    ) -> Result<Option<T>> {
        let active = self.active.borrow();
        let main = active.as_ref().and_then(|active| active.sources.first());
        let Some(Some(main)) = main else { return Ok(None) };
        let mut main = main.borrow_mut();
        if main.is_open() { work(&mut main).map(Some) } else { Ok(None) }
    }

    /// The head that a branch had in the open transaction when it was first read there: another
    /// transaction may have dropped or renamed it since.
    pub(in crate::session) fn branch_read(&self, at: DatabaseIndex, name: &str) -> Option<HeadId> {
        let active = self.active.borrow();
        let branches = &active.as_ref()?.branches;
        if branches.is_empty() {
            return None;
        }
        let name = fold(name);
        let mut known = branches.iter().filter(|(index, ..)| *index == at);
        known.find(|(_, known, _)| **known == *name).map(|(.., head)| *head)
    }

    /// Notes what a branch is called that the open transaction reads.
    pub(in crate::session) fn note_branch(&self, at: DatabaseIndex, name: &str, head: HeadId) {
        if self.branch_read(at, name).is_some() {
            return;
        }
        if let Some(active) = self.active.borrow_mut().as_mut()
            && !active.options.isolation.refreshes()
        {
            active.branches.push((at, fold(name).into(), head));
        }
    }

    fn enlist(&self, head: HeadId) -> Result<()> {
        let active = self.active.borrow();
        let main = active.as_ref().and_then(|active| active.sources.first());
        if let Some(Some(main)) = main {
            main.borrow_mut().inner_mut()?.enlist_as_begun(head)?;
        }
        Ok(())
    }

    /// The transactions of a statement that uses `databases`: those of the open transaction, or
    /// new ones that end with the statement.
    pub(in crate::session) fn sources(
        &self,
        databases: &[DatabaseIndex],
        writes: &[DatabaseIndex],
    ) -> Result<Sources> {
        self.sources_with(databases, writes, &[])
    }

    /// As [`sources`](Self::sources); transactions that begin now see `heads`, too.
    fn sources_with(
        &self,
        databases: &[DatabaseIndex],
        writes: &[DatabaseIndex],
        heads: &[(DatabaseIndex, HeadId)],
    ) -> Result<Sources> {
        let mut sources = Vec::new();
        self.take_sources(databases, writes, heads, &mut sources)?;
        Ok(sources)
    }

    /// Refuses changes where `query_only` is on.
    pub(crate) fn check_may_change(&self) -> Result<()> {
        if !self.settings.borrow().query_only {
            return Ok(());
        }
        let message = "attempt to write a readonly database";
        Err(Error::new(ErrorKind::ReadOnly, message)
            .with_hint("PRAGMA query_only = off allows changes again"))
    }

    /// As [`sources_with`](Self::sources_with), into an empty list.
    pub(in crate::session) fn take_sources(
        &self,
        databases: &[DatabaseIndex],
        writes: &[DatabaseIndex],
        heads: &[(DatabaseIndex, HeadId)],
        taken: &mut Sources,
    ) -> Result<()> {
        if !writes.is_empty() {
            self.check_may_change()?;
        }
        if let Some(active) = self.active.borrow_mut().as_mut() {
            active.writes |= !writes.is_empty();
            let unnamed = writes.iter().filter(|index| !databases.contains(index));
            for index in databases.iter().chain(unnamed) {
                let sources = &mut active.sources;
                self.take_source(*index, writes, heads, sources, &active.options)?;
            }
            taken.clone_from(&active.sources);
            return Ok(());
        }
        let options = self.begin_options();
        for (place, rested) in self.resting.borrow_mut().drain(..).enumerate() {
            let index = DatabaseIndex(place as u16);
            // What a user may do is asked where a transaction begins.
            let is_used = heads.is_empty()
                && self.user.borrow().is_none()
                && (databases.contains(&index) || writes.contains(&index));
            let head = self.databases.borrow().get(place).map(|attached| attached.head);
            let goes_on = |known: &mut LoneTransaction| {
                let goes_on = is_used
                    && head.is_some_and(|head| known.resume(head, &self.tuned(&options, index)));
                if goes_on {
                    self.begun.set(known.id());
                }
                goes_on
            };
            let known = rested.and_then(|mut known| goes_on(&mut known).then_some(known));
            taken.push(known.map(|known| SharedTransaction::new(*known)));
        }
        for index in databases.iter().chain(writes) {
            let is_there = taken.get(usize::from(index.0)).is_some_and(Option::is_some);
            if !is_there || writes.contains(index) {
                self.take_source(*index, writes, heads, taken, &options)?;
            }
        }
        Ok(())
    }

    /// Goes on with the transactions that rest, for a statement that only reads; false where they
    /// are not all there, or see another schema than the session knows, so that they are to be
    /// taken with care.
    #[inline]
    pub(in crate::session) fn go_on(&self, taken: &mut Vec<Option<LoneTransaction>>) -> bool {
        if self.user.borrow().is_some() || self.repeats.get().is_some() {
            return false;
        }
        let mut resting = self.resting.borrow_mut();
        let databases = self.databases.borrow();
        let isolation = self.isolation();
        for (place, attached) in databases.iter().enumerate() {
            let source = resting.get_mut(place).and_then(Option::as_mut);
            let goes_on = match (source, &attached.catalog) {
                (Some(source), Some(catalog)) => {
                    source.resume_reading(attached.head, isolation, catalog)
                }
                _ => attached.database.is_none(),
            };
            if !goes_on {
                return false;
            }
        }
        taken.clear();
        std::mem::swap(taken, &mut *resting);
        true
    }

    /// How many rows a table has now, for a statement that asks for nothing else: transactions
    /// rest on, because this is known without reading anything. None where [`go_on`](Self::go_on)
    /// would be false.
    #[inline]
    pub(in crate::session) fn count_at_rest(&self, counted: Counted) -> Option<i64> {
        if self.user.borrow().is_some() || self.repeats.get().is_some() {
            return None;
        }
        let mut resting = self.resting.borrow_mut();
        let isolation = self.isolation();
        let mut rows = None;
        for (place, attached) in self.databases.borrow().iter().enumerate() {
            match (resting.get_mut(place).and_then(Option::as_mut), &attached.catalog) {
                (Some(source), Some(catalog)) => {
                    let is_counted = counted.is_in(place);
                    let tree = if is_counted { counted.tree() } else { CATALOG_TREE };
                    let len = source.len_at_rest(attached.head, isolation, catalog, tree)?;
                    if is_counted {
                        rows = i64::try_from(len).ok();
                    }
                }
                _ if attached.database.is_none() => {}
                _ => return None,
            }
        }
        rows
    }

    /// Whether `known`, which a statement has from its last run, can be used as they are by the
    /// next one: it is in the same open transaction, which has changed something, so that all
    /// that a run begins with was done before. Only for a session with one database.
    #[inline]
    pub(in crate::session) fn goes_on_within(
        &self,
        known: &[Option<SharedTransaction>],
        writes: &[DatabaseIndex],
    ) -> Result<bool> {
        let mut active = self.active.borrow_mut();
        let (Some(active), [Some(known)]) = (active.as_mut(), known) else { return Ok(false) };
        let [Some(own)] = active.sources.as_slice() else { return Ok(false) };
        if !own.is_same(known) || self.user.borrow().is_some() {
            return Ok(false);
        }
        let databases = self.databases.borrow();
        let Some((main, others)) = databases.split_first() else { return Ok(false) };
        let (Some(database), Some(catalog)) = (&main.database, &main.catalog) else {
            return Ok(false);
        };
        if others.iter().any(|other| other.database.is_some())
            || writes.iter().any(|index| *index != DatabaseIndex::MAIN)
            || !own.borrow_mut().is_ready(main.head, catalog)
        {
            return Ok(false);
        }
        if !writes.is_empty() {
            if self.settings.borrow().query_only {
                return Ok(false);
            }
            database.check_writable(main.head)?;
            database.check_room()?;
            active.writes = true;
        }
        Ok(true)
    }

    /// Makes sure that `sources` has a transaction on a database, ready for what comes.
    fn take_source(
        &self,
        index: DatabaseIndex,
        writes: &[DatabaseIndex],
        heads: &[(DatabaseIndex, HeadId)],
        sources: &mut Sources,
        options: &BeginOptions,
    ) -> Result<()> {
        let place = usize::from(index.0);
        if sources.len() <= place {
            sources.resize_with(place + 1, || None);
        }
        let is_written = writes.contains(&index);
        if let Some(known) = &sources[place] {
            let mut known = known.borrow_mut();
            if !is_written && self.user.borrow().is_none() {
                return known.refresh();
            }
            let databases = self.databases.borrow();
            let attached = databases.get(place);
            let Some((database, head)) =
                attached.and_then(|attached| Some((attached.database.as_ref()?, attached.head)))
            else {
                return Err(Error::new(ErrorKind::Internal, "the database is not attached"));
            };
            self.check_access(index, database, head, is_written)?;
            if is_written {
                database.check_writable(head)?;
                database.check_room()?;
                known.prepare_write()?;
            } else {
                known.refresh()?;
            }
            return Ok(());
        }
        let (database, head) = self.database(index)?;
        self.check_access(index, &database, head, is_written)?;
        if is_written {
            database.check_writable(head)?;
            database.check_room()?;
        }
        let mut seen: SmallVec<[HeadId; 4]> = SmallVec::from_slice(&[head]);
        for (_, other) in heads.iter().filter(|(database, _)| *database == index) {
            if !seen.contains(other) {
                seen.push(*other);
            }
        }
        let mut begun = database.begin_many(&seen, self.tuned(options, index))?;
        self.begun.set(begun.id());
        if is_written {
            begun.prepare_write()?;
        }
        sources[place] = Some(SharedTransaction::new(begun));
        Ok(())
    }

    /// Ends transactions that only read, outside of a transaction: they rest until the next
    /// statement, as far as they can. Empties both lists.
    #[inline]
    pub(in crate::session) fn rest(
        &self,
        shared: &mut Sources,
        alone: &mut Vec<Option<LoneTransaction>>,
    ) {
        if !shared.is_empty() {
            alone.clear();
            alone.extend(shared.drain(..).map(|source| source?.into_alone()));
        }
        if !alone.is_empty() {
            for source in alone.iter_mut() {
                if !source.as_mut().is_some_and(|known| known.park()) {
                    *source = None;
                }
            }
            // What another statement left there meanwhile is dropped.
            std::mem::swap(alone, &mut *self.resting.borrow_mut());
            alone.clear();
        }
        // As in SQLite any statement outside of a transaction ends what was put off.
        if self.settings.borrow().defer_foreign_keys {
            self.settings.borrow_mut().defer_foreign_keys = false;
        }
    }

    /// Refuses what the session's user may not do; without a user the owner works.
    fn check_access(
        &self,
        index: DatabaseIndex,
        database: &Database,
        head: HeadId,
        writes: bool,
    ) -> Result<()> {
        match &*self.user.borrow() {
            Some(user) if asks_rights(index, database)? => check_head(database, head, user, writes),
            _ => Ok(()),
        }
    }

    /// Reads the schemas anew where their cookies have changed.
    pub(in crate::session) fn load_schemas(
        &self,
        sources: &[Option<SharedTransaction>],
    ) -> Result<Vec<Arc<Schema>>> {
        let mut schemas = Vec::new();
        self.take_schemas(sources, &mut schemas)?;
        Ok(schemas)
    }

    /// As [`load_schemas`](Self::load_schemas), into an empty list.
    pub(in crate::session) fn take_schemas(
        &self,
        sources: &[Option<SharedTransaction>],
        schemas: &mut Vec<Arc<Schema>>,
    ) -> Result<()> {
        let mut databases = self.databases.borrow_mut();
        for (place, attached) in databases.iter_mut().enumerate() {
            if let Some(Some(transaction)) = sources.get(place) {
                let transaction = transaction.borrow();
                let known = attached.catalog.as_ref();
                if known.is_some_and(|known| transaction.has_version(CATALOG_TREE, known)) {
                    schemas.push(Arc::clone(&attached.schema));
                    continue;
                }
                let catalog = transaction.version(CATALOG_TREE);
                let cookie = read_cookie(&transaction)?;
                if cookie != attached.schema.cookie {
                    let find = |name: &str| self.collations.find_stored(name);
                    let index = DatabaseIndex(place as u16);
                    attached.schema = Arc::new(load(&transaction, index, &find)?);
                }
                attached.catalog = catalog;
                self.schemas_seen.set(self.schemas_seen.get() + 1);
            }
            schemas.push(Arc::clone(&attached.schema));
        }
        Ok(())
    }

    /// All databases that exist now.
    pub(crate) fn all_databases(&self) -> SmallVec<[DatabaseIndex; 4]> {
        let databases = self.databases.borrow();
        let there =
            databases.iter().enumerate().filter(|(_, attached)| attached.database.is_some());
        there.map(|(place, _)| DatabaseIndex(place as u16)).collect()
    }

    /// Runs BEGIN, COMMIT and the like.
    pub(in crate::session) fn transaction_statement(
        &self,
        statement: &TransactionStatement,
    ) -> Result<()> {
        match statement {
            TransactionStatement::Begin { mode, isolation } => self.begin(*mode, *isolation),
            TransactionStatement::Commit { message, author } => {
                self.commit(message.as_deref(), author.as_deref())
            }
            TransactionStatement::Rollback => self.rollback(),
            TransactionStatement::Savepoint(name) => self.savepoint(&name.text),
            TransactionStatement::Release(name) => self.release(name),
            TransactionStatement::RollbackTo(name) => self.rollback_to(name),
        }
    }

    fn begin(&self, mode: Option<BeginMode>, isolation: Option<IsolationLevel>) -> Result<()> {
        if !self.is_autocommit() {
            let message = "cannot start a transaction within a transaction";
            return Err(Error::new(ErrorKind::State, message));
        }
        let mut options = self.begin_options();
        if let Some(isolation) = isolation {
            options.isolation = match isolation {
                IsolationLevel::ReadUncommitted => Isolation::ReadUncommitted,
                IsolationLevel::ReadCommitted => Isolation::ReadCommitted,
                IsolationLevel::Snapshot => Isolation::Snapshot,
                IsolationLevel::Serializable => Isolation::Serializable,
            };
        }
        match mode {
            Some(BeginMode::Concurrent) => options.isolation = Isolation::Concurrent,
            Some(BeginMode::ReadOnly) => options.read_only = true,
            _ => {}
        }
        *self.active.borrow_mut() = Some(Active::new(options));
        if matches!(mode, Some(BeginMode::Immediate | BeginMode::Exclusive)) {
            let taken = self.sources(&[], &[DatabaseIndex::MAIN]);
            if taken.is_err() {
                *self.active.borrow_mut() = None;
            }
            taken?;
        }
        Ok(())
    }

    fn commit(&self, message: Option<&str>, author: Option<&str>) -> Result<()> {
        if self.is_autocommit() {
            let message = "cannot commit - no transaction is active";
            return Err(Error::new(ErrorKind::State, message));
        }
        if !self.counters.deferred_violations.get().are_none() {
            return Err(Error::constraint(Constraint::ForeignKey, ""));
        }
        let has_changes = self.active.borrow().as_ref().is_some_and(|active| {
            active.sources.iter().flatten().any(|source| source.borrow().has_changes())
        });
        if has_changes && let Err(refused) = self.may_commit().and_then(|()| self.still_may()) {
            self.abandon();
            return Err(refused);
        }
        let Some(active) = self.active.borrow_mut().take() else { return Ok(()) };
        self.counters.deferred_violations.take();
        self.settings.borrow_mut().defer_foreign_keys = false;
        if message.is_some() || author.is_some() {
            for source in active.sources.iter().flatten() {
                let mut transaction = source.borrow_mut();
                if transaction.has_changes() {
                    let inner = transaction.inner_mut()?;
                    inner.describe(author.unwrap_or(""), message.unwrap_or(""));
                }
            }
        }
        self.commit_all(&active.sources)?;
        self.repeats.set(None);
        Ok(())
    }

    fn rollback(&self) -> Result<()> {
        if self.is_autocommit() {
            let message = "cannot rollback - no transaction is active";
            return Err(Error::new(ErrorKind::State, message));
        }
        self.abandon();
        Ok(())
    }

    /// Gives the open transaction up.
    pub(in crate::session) fn abandon(&self) {
        let Some(active) = self.active.borrow_mut().take() else { return };
        self.counters.deferred_violations.take();
        self.settings.borrow_mut().defer_foreign_keys = false;
        for source in active.sources.iter().flatten() {
            source.borrow_mut().rollback();
        }
        self.rolled_back();
    }

    fn savepoint(&self, name: &str) -> Result<()> {
        if self.is_autocommit() {
            let mut active = Active::new(self.begin_options());
            active.by_savepoint = true;
            *self.active.borrow_mut() = Some(active);
        }
        // Every database must know the savepoint.
        self.sources(&self.all_databases(), &[])?;
        let deferred = self.counters.deferred_violations.get();
        let mut active = self.active.borrow_mut();
        let Some(active) = active.as_mut() else { return Ok(()) };
        let mut marks = Vec::with_capacity(active.sources.len());
        for source in &active.sources {
            marks.push(match source {
                Some(source) => Some(source.borrow_mut().savepoint()?),
                None => None,
            });
        }
        active.savepoints.push(NamedSavepoint { name: Box::from(name), marks, deferred });
        Ok(())
    }

    fn find_savepoint(&self, name: &Name) -> Result<usize> {
        let active = self.active.borrow();
        let found = active
            .as_ref()
            .and_then(|active| active.savepoints.iter().rposition(|known| name.is(&known.name)));
        found.ok_or_else(|| {
            let error = Error::not_found("savepoint", &name.text).at(name.span);
            let known = active.iter().flat_map(|active| &active.savepoints);
            hinting(error, &name.text, known.map(|savepoint| &*savepoint.name))
        })
    }

    fn release(&self, name: &Name) -> Result<()> {
        let place = self.find_savepoint(name)?;
        let commits = self.active.borrow().as_ref().is_some_and(|active| active.by_savepoint);
        if place == 0 && commits {
            return self.commit(None, None);
        }
        let mut active = self.active.borrow_mut();
        let Some(active) = active.as_mut() else { return Ok(()) };
        if let Some(savepoint) = active.savepoints.get(place) {
            for (source, mark) in active.sources.iter().zip(&savepoint.marks) {
                if let (Some(source), Some(mark)) = (source, mark) {
                    source.borrow_mut().release(*mark)?;
                }
            }
        }
        active.savepoints.truncate(place);
        Ok(())
    }

    fn rollback_to(&self, name: &Name) -> Result<()> {
        let place = self.find_savepoint(name)?;
        let mut guard = self.active.borrow_mut();
        let Some(active) = guard.as_mut() else { return Ok(()) };
        let Some(savepoint) = active.savepoints.get(place) else { return Ok(()) };
        self.counters.deferred_violations.set(savepoint.deferred);
        for (index, source) in active.sources.iter_mut().enumerate() {
            let Some(transaction) = source else { continue };
            if let Some(mark) = savepoint.marks.get(index).copied().flatten() {
                transaction.borrow_mut().rollback_to(mark)?;
            } else {
                // The database was first used behind the savepoint.
                transaction.borrow_mut().rollback();
                *source = None;
            }
        }
        active.savepoints.truncate(place + 1);
        let main = active.sources.first().cloned().flatten();
        drop(guard);
        // The savepoint may be older than the way to this branch.
        let (database, head) = self.database(DatabaseIndex::MAIN)?;
        self.enlist(head)?;
        match main {
            // A merge that is gone holds nobody up.
            Some(transaction) => database.leave_records(&mut transaction.borrow_mut()),
            None => Ok(()),
        }
    }
}
