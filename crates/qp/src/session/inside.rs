//! Work inside of a statement's transaction: definitions, and the statements they need.
//!
//! Neighbours: `define` runs in here.

use pandodb_ds::sync::Arc;

use super::Session;
use super::prepare::select_plan;
use crate::ast::{Name, StatementKind};
use crate::bind::Binder;
use crate::catalog::build::FindCollation;
use crate::catalog::{Attachment, DatabaseIndex, ObjectKind, Schema};
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{
    Context, DeferredViolations, Frame, Outer, Parameters, RunState, SharedTransaction, Sources,
    Versions,
};
use crate::modify::modify_statement;
use crate::parse::parse_statement;

impl Session {
    /// Runs a change of the catalog: in the open transaction or one of its own, undone if it
    /// fails.
    pub(crate) fn changing<T>(
        &self,
        database: DatabaseIndex,
        work: impl FnOnce(Vec<Option<SharedTransaction>>, Vec<Arc<Schema>>) -> Result<T>,
    ) -> Result<T> {
        let (changed, _) = self.database(database)?;
        let autocommit = self.is_autocommit();
        let sources = self.sources(&self.all_databases(), &[database])?;
        let mut marks = Vec::with_capacity(sources.len());
        for source in &sources {
            marks.push(match source {
                Some(source) => Some(source.borrow_mut().savepoint()?),
                None => None,
            });
        }
        // An index holds the rows of the version that it was made of, a CHECK that was looked at
        // too: what is read for the change must be as it was when it commits.
        let mut checked = Vec::with_capacity(sources.len());
        for source in &sources {
            checked.push(match source {
                Some(source) => source.borrow().begin_check()?,
                None => false,
            });
        }
        let result = self.load_schemas(&sources).and_then(|schemas| work(sources.clone(), schemas));
        for (source, is_checked) in sources.iter().zip(checked) {
            if let (Some(source), true) = (source, is_checked) {
                source.borrow().end_check();
            }
        }
        for (source, mark) in sources.iter().zip(marks) {
            if let (Some(source), Some(mark)) = (source, mark) {
                let mut source = source.borrow_mut();
                if result.is_err() {
                    source.rollback_to(mark)?;
                }
                source.release(mark)?;
            }
        }
        if let (true, Some(Some(main))) = (result.is_err(), sources.first())
            && database == DatabaseIndex::MAIN
        {
            // A merge that failed holds nobody up.
            changed.leave_records(&mut main.borrow_mut())?;
        }
        if autocommit {
            self.finish_autocommit(&sources, result.is_ok())?;
        }
        result
    }

    /// Reads without changing: the schemas and transactions of now.
    pub(crate) fn reading<T>(
        &self,
        work: impl FnOnce(&[Option<SharedTransaction>], &[Arc<Schema>]) -> Result<T>,
    ) -> Result<T> {
        let autocommit = self.is_autocommit();
        let sources = self.sources(&self.all_databases(), &[])?;
        let result = self.load_schemas(&sources).and_then(|schemas| work(&sources, &schemas));
        if autocommit {
            self.finish_autocommit(&sources, false)?;
        }
        result
    }

    /// Calls `work` with the surroundings of a running statement.
    pub(crate) fn with_outer<T>(
        &self,
        sources: &[Option<SharedTransaction>],
        schemas: &[Arc<Schema>],
        work: impl FnOnce(Outer<'_>) -> Result<T>,
    ) -> Result<T> {
        self.with_outer_at(sources, schemas, &Versions::default(), work)
    }

    /// As [`with_outer`](Self::with_outer), with other branches and times.
    fn with_outer_at<T>(
        &self,
        sources: &[Option<SharedTransaction>],
        schemas: &[Arc<Schema>],
        versions: &Versions,
        work: impl FnOnce(Outer<'_>) -> Result<T>,
    ) -> Result<T> {
        let settings = self.settings();
        let state = RunState::default();
        let context = Context {
            parameters: Parameters::Values(&[]),
            session: self,
            collations: &self.collations,
            sources: Sources::Shared(sources),
            schemas,
            versions,
            interrupt: &self.interrupt,
            settings: &settings,
            counters: &self.counters,
            run: &state,
            compiler: self,
        };
        work(Outer { context: &context, scope: None })
    }

    /// Runs a change in the engine's own words inside of a statement.
    pub(crate) fn run_inside(
        &self,
        sql: &str,
        sources: &[Option<SharedTransaction>],
        schemas: &[Arc<Schema>],
    ) -> Result<()> {
        self.inside(sql, sources, schemas, false).map(|_| ())
    }

    /// How many rows the statement changed; `drops` is the binder's.
    fn inside(
        &self,
        sql: &str,
        sources: &[Option<SharedTransaction>],
        schemas: &[Arc<Schema>],
        drops: bool,
    ) -> Result<u64> {
        let (statement, _) = parse_statement(sql)?;
        let statement = statement
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the engine's statement is empty"))?;
        let versions = Versions::default();
        let plan = self.with_environment_at(schemas, sources, Some(&versions), |environment| {
            let mut binder = Binder::new(environment, Arc::from(sql));
            binder.drops = drops;
            modify_statement(&mut binder, &statement)
        })?;
        if drops {
            self.compile_triggers(&plan, sources)?;
        }
        // The engine's own rows are none of the application's.
        let rowid = self.counters.last_insert_rowid.get();
        let result = self.with_outer_at(sources, schemas, &versions, |outer| {
            let mut frame = Frame::new(plan.layout);
            plan.run(&mut frame, outer).map(|changes| changes.rows)
        });
        self.counters.last_insert_rowid.set(rowid);
        result
    }

    /// Deletes the rows of a table that is about to be dropped, as foreign keys ask for; it fails
    /// where it leaves some broken, unless these are deferred. As in SQLite these rows count as
    /// changed.
    pub(crate) fn delete_before_drop(
        &self,
        sql: &str,
        sources: &[Option<SharedTransaction>],
        schemas: &[Arc<Schema>],
    ) -> Result<()> {
        let counters = &self.counters;
        let before = counters.deferred_violations.get();
        let immediate = counters.immediate_violations.replace(0);
        let result = self.inside(sql, sources, schemas, true);
        let may_wait = self.settings.borrow().defer_foreign_keys;
        let is_whole = counters.immediate_violations.replace(immediate) == 0
            && counters.deferred_violations.get().by_setting == 0;
        match result {
            Ok(rows) if is_whole || may_wait => {
                counters.changes.set(rows as i64);
                counters.total_changes.set(counters.total_changes.get() + rows as i64);
                return Ok(());
            }
            _ => {
                counters.deferred_violations.set(before);
                counters.changes.set(0);
            }
        }
        result.and_then(|_| Err(Error::constraint(Constraint::ForeignKey, "")))
    }

    /// Whether foreign keys are broken that must be whole when the transaction ends.
    pub(crate) fn waits_for_parents(&self) -> bool {
        self.counters.deferred_violations.get() != DeferredViolations::default()
    }

    /// Rows that missed a parent have found one without a change of theirs. What was broken before
    /// the transaction began was never counted, so that none is taken away that is not there.
    pub(crate) fn parents_found(&self, is_deferred: bool, rows: usize) {
        let mut waiting = self.counters.deferred_violations.get();
        let count = if is_deferred { &mut waiting.declared } else { &mut waiting.by_setting };
        *count -= (rows as i64).min((*count).max(0));
        self.counters.deferred_violations.set(waiting);
    }

    /// Does `work`, which fails where it leaves foreign keys broken that were whole before.
    pub(super) fn keeping_whole(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let counters = &self.counters;
        let immediate = counters.immediate_violations.replace(0);
        let deferred = counters.deferred_violations.get();
        let result = work();
        let now = counters.deferred_violations.get();
        let broken = counters.immediate_violations.replace(immediate) != 0
            || now.declared > deferred.declared
            || now.by_setting > deferred.by_setting;
        result?;
        if broken && !self.settings.borrow().defer_foreign_keys {
            counters.deferred_violations.set(deferred);
            return Err(Error::constraint(Constraint::ForeignKey, ""));
        }
        Ok(())
    }

    /// Whether a query in the engine's own words finds a row.
    pub(crate) fn any_row(
        &self,
        sql: &str,
        sources: &[Option<SharedTransaction>],
        schemas: &[Arc<Schema>],
    ) -> Result<bool> {
        let (statement, _) = parse_statement(sql)?;
        let Some(StatementKind::Select(select)) = statement.map(|statement| statement.kind) else {
            return Err(Error::new(ErrorKind::Internal, "the engine's statement is no query"));
        };
        let versions = Versions::default();
        let plan = self.with_environment_at(schemas, sources, Some(&versions), |environment| {
            let mut binder = Binder::new(environment, Arc::from(sql));
            select_plan(&mut binder, &select)
        })?;
        self.with_outer_at(sources, schemas, &versions, |outer| {
            let mut frame = Frame::new(plan.layout);
            plan.root.open(&mut frame, outer)?;
            plan.root.next(&mut frame, outer)
        })
    }

    /// Runs a query in the engine's own words inside of a statement.
    pub(crate) fn select_inside(
        &self,
        sql: &str,
        sources: &[Option<SharedTransaction>],
        schemas: &[Arc<Schema>],
    ) -> Result<Vec<Vec<pandodb_ds::record::Value>>> {
        let (statement, _) = parse_statement(sql)?;
        let Some(StatementKind::Select(select)) = statement.map(|statement| statement.kind) else {
            return Err(Error::new(ErrorKind::Internal, "the engine's query is none"));
        };
        let versions = Versions::default();
        let plan = self.with_environment_at(schemas, sources, Some(&versions), |environment| {
            let mut binder = Binder::new(environment, Arc::from(sql));
            super::prepare::select_plan(&mut binder, &select)
        })?;
        self.with_outer_at(sources, schemas, &versions, |outer| {
            let mut frame = Frame::new(plan.layout);
            plan.root.open(&mut frame, outer)?;
            let mut rows = Vec::new();
            while plan.root.next(&mut frame, outer)? {
                let scope = frame.scope(outer);
                let mut row = Vec::with_capacity(plan.outputs.len());
                for output in &plan.outputs {
                    row.push(output.evaluate(&scope)?.into_value());
                }
                rows.push(row);
            }
            Ok(rows)
        })
    }

    /// Calls `work` with what finds the collations that stored schemas name.
    pub(crate) fn with_stored_collations<T>(&self, work: impl FnOnce(FindCollation<'_>) -> T) -> T {
        work(&|name: &str| self.collations.find_stored(name))
    }

    /// Calls `work` with the collations by name.
    pub(crate) fn with_collations<T>(&self, work: impl FnOnce(FindCollation<'_>) -> T) -> T {
        work(&|name: &str| self.collations.find(name))
    }

    /// The name of a database.
    pub(crate) fn database_name(&self, index: DatabaseIndex) -> Box<str> {
        let databases = self.databases.borrow();
        databases.get(usize::from(index.0)).map_or_else(Box::default, |known| known.name.clone())
    }

    /// The names of all databases that exist, with their numbers.
    pub(crate) fn database_names(&self) -> Vec<(DatabaseIndex, Box<str>)> {
        let all = self.all_databases();
        all.into_iter().map(|index| (index, self.database_name(index))).collect()
    }

    /// The database called `name`.
    pub(crate) fn database_named(&self, name: &Name) -> Result<DatabaseIndex> {
        let databases = self.databases.borrow();
        let found = databases.iter().position(|known| name.is(&known.name));
        found.map(|index| DatabaseIndex(index as u16)).ok_or_else(|| {
            let message = format!("unknown database {}", name.text);
            Error::new(ErrorKind::NotFound, message).at(name.span)
        })
    }

    /// Which database an index means now.
    pub(crate) fn attachment(&self, index: DatabaseIndex) -> Result<Attachment> {
        let databases = self.databases.borrow();
        let attached = databases.get(usize::from(index.0));
        attached
            .map(|it| it.attachment)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "no database has this number"))
    }

    /// The index of what was attached so; none where it is detached.
    pub(crate) fn attached_as(&self, attachment: Attachment) -> Option<DatabaseIndex> {
        let databases = self.databases.borrow();
        let found = databases.iter().position(|it| it.attachment == attachment);
        found.map(|index| DatabaseIndex(index as u16))
    }

    /// The database in which an unqualified name is found; `main` if it is in none.
    pub(crate) fn home_of(&self, kind: ObjectKind, name: &Name) -> Result<DatabaseIndex> {
        self.reading(|_, schemas| {
            let mut order: Vec<usize> = vec![1, 0];
            order.extend(2..schemas.len());
            let has = |place: &usize| {
                schemas.get(*place).is_some_and(|schema| match kind {
                    ObjectKind::Table => {
                        schema.table(&name.text).is_some() || schema.view(&name.text).is_some()
                    }
                    ObjectKind::View => {
                        schema.table(&name.text).is_some() || schema.view(&name.text).is_some()
                    }
                    ObjectKind::Index => schema.index(&name.text).is_some(),
                    ObjectKind::Trigger => schema.trigger(&name.text).is_some(),
                })
            };
            let found = order.into_iter().find(has).unwrap_or(0);
            Ok(DatabaseIndex(found as u16))
        })
    }
}
