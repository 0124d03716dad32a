//! A prepared statement of a session: bind, step, reset.
//!
//! A query runs as it is stepped; a change runs as a whole at the first step, inside a savepoint,
//! and its RETURNING rows are stepped afterwards. Neighbours: `prepare` made it, `transaction`
//! has the transactions.

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::Ordering;
use smallvec::SmallVec;

use super::{Prepared, PreparedKind, Session};
use crate::ast::ConflictAction;
use crate::catalog::Schema;
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{Context, Frame, Outer, RunState, Settings, SharedTransaction, Versions};
use crate::modify::{Changes, ModifyPlan};
use crate::types::Datum;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A row is there.
    Row,
    /// The statement has ended.
    Done,
}

/// How often a statement is planned anew because the schema changed under it.
const RETRIES: usize = 10;

/// A prepared statement.
#[derive(Debug)]
pub struct Statement<'s> {
    session: &'s Session,
    prepared: Arc<Prepared>,
    parameters: Vec<Value>,
    run: Option<Run>,
    /// The frame of the run before, empty, for the next one.
    spare: Frame,
}

/// A running statement.
#[derive(Debug)]
struct Run {
    frame: Frame,
    sources: Vec<Option<SharedTransaction>>,
    schemas: Vec<Arc<Schema>>,
    versions: Versions,
    settings: Settings,
    state: RunState,
    /// Rows that are there already.
    rows: Option<std::vec::IntoIter<Vec<Value>>>,
    row: Option<Vec<Value>>,
    autocommit: bool,
}

impl<'s> Statement<'s> {
    pub(super) fn new(session: &'s Session, prepared: Arc<Prepared>) -> Self {
        let parameters = vec![Value::Null; prepared.parameters as usize];
        Self { session, prepared, parameters, run: None, spare: Frame::default() }
    }

    /// What it was made of.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The names of the result's columns.
    pub fn column_names(&self) -> Vec<Box<str>> {
        self.prepared.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// How many columns the result has.
    pub fn column_count(&self) -> usize {
        self.prepared.columns.len()
    }

    /// How many parameters there are.
    pub fn parameter_count(&self) -> usize {
        self.parameters.len()
    }

    /// The number (from 1) of the parameter called `name`, with its first character.
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        let names = &self.prepared.parameter_names;
        names.iter().position(|known| known.as_deref() == Some(name)).map(|place| place + 1)
    }

    /// Binds a value to a parameter, counted from 1.
    pub fn bind(&mut self, index: usize, value: Value) -> Result<()> {
        let count = self.parameters.len();
        if let Some(place) = index.checked_sub(1).and_then(|place| self.parameters.get_mut(place)) {
            *place = value;
            Ok(())
        } else {
            let message = format!("parameter {index} is out of range (there are {count})");
            Err(Error::new(ErrorKind::Range, message))
        }
    }

    /// Sets all parameters to NULL.
    pub fn clear_bindings(&mut self) {
        self.parameters.fill(Value::Null);
    }

    /// Ends the run, so that the next step begins anew; bound values stay.
    pub fn reset(&mut self) {
        if let Some(mut run) = self.run.take() {
            run.frame.clear();
            self.spare = std::mem::take(&mut run.frame);
            if run.autocommit {
                run.sources.iter().flatten().for_each(|source| source.borrow_mut().rollback());
            }
        }
    }

    /// Goes to the next row.
    pub fn step(&mut self) -> Result<Step> {
        if self.run.is_none() {
            self.start()?;
        }
        let step = self.advance();
        match step {
            Ok(Step::Row) => Ok(Step::Row),
            Ok(Step::Done) => {
                self.finish()?;
                Ok(Step::Done)
            }
            Err(error) => {
                self.reset();
                Err(error)
            }
        }
    }

    /// Runs to the end and throws rows away.
    pub fn run(&mut self) -> Result<()> {
        while self.step()? == Step::Row {}
        Ok(())
    }

    /// The current row.
    pub fn row(&self) -> Result<Vec<Value>> {
        let mut row = Vec::with_capacity(self.prepared.columns.len());
        self.with_row(|values| row.extend(values.iter().map(|value| ValueRef::to_owned(*value))))?;
        Ok(row)
    }

    /// Calls `look` with the current row, whose texts are not copied.
    pub fn with_row<T>(&self, look: impl FnOnce(&[ValueRef<'_>]) -> T) -> Result<T> {
        let Some(run) = &self.run else {
            return Err(Error::new(ErrorKind::State, "there is no row"));
        };
        let mut references: SmallVec<[ValueRef<'_>; 8]> = SmallVec::new();
        if let Some(row) = &run.row {
            references.extend(row.iter().map(Value::as_ref));
            return Ok(look(&references));
        }
        let PreparedKind::Select(plan) = &self.prepared.kind else {
            return Err(Error::new(ErrorKind::State, "there is no row"));
        };
        run.with_context(self.session, &self.parameters, |context| {
            let scope = run.frame.scope(Outer { context, scope: None });
            let mut values: SmallVec<[Datum<'_>; 8]> = SmallVec::new();
            for output in &plan.outputs {
                values.push(output.evaluate(&scope)?);
            }
            let references: SmallVec<[ValueRef<'_>; 8]> =
                values.iter().map(Datum::as_ref).collect();
            Ok(look(&references))
        })
    }

    /// Begins a run: transactions, schemas, and a new plan if the old one is for another schema.
    fn start(&mut self) -> Result<()> {
        self.session.now.set(None);
        self.session.interrupt.store(false, Ordering::Relaxed);
        self.session.start_clock();
        for _ in 0..RETRIES {
            let prepared = Arc::clone(&self.prepared);
            if let PreparedKind::Command(command) = &prepared.kind {
                let rows = self.session.command(command, &prepared.sql, &self.parameters)?;
                self.run = Some(Run::of_rows(rows));
                return Ok(());
            }
            let autocommit = self.session.is_autocommit();
            let databases = self.session.all_databases();
            let heads = self.session.version_heads(&prepared.versions)?;
            let sources = self.session.sources_with(&databases, &prepared.writes, &heads)?;
            let schemas = self.session.load_schemas(&sources)?;
            let versions = self.session.reopen(&prepared.versions, &sources);
            if versions.is_err() && autocommit {
                sources.iter().flatten().for_each(|source| source.borrow_mut().rollback());
            }
            let versions = versions?;
            let is_current = prepared.generation == self.session.generation.get()
                && schemas.len() == prepared.cookies.len()
                && schemas
                    .iter()
                    .zip(&prepared.cookies)
                    .all(|(schema, known)| schema.cookie == *known);
            let Some(versions) = versions.filter(|_| is_current) else {
                if autocommit {
                    sources.iter().flatten().for_each(|source| source.borrow_mut().rollback());
                }
                self.session.forget(&prepared.sql);
                let (again, _) = self.session.prepare_shared(&prepared.sql)?;
                let Some(again) = again else { break };
                self.parameters.resize(again.parameters as usize, Value::Null);
                self.prepared = again;
                continue;
            };
            let layout = match &prepared.kind {
                PreparedKind::Select(plan) => plan.layout,
                PreparedKind::Modify(plan) => plan.layout,
                _ => crate::plan::Layout::default(),
            };
            self.run = Some(Run {
                frame: {
                    let mut frame = std::mem::take(&mut self.spare);
                    frame.fit(layout);
                    frame
                },
                sources,
                schemas,
                versions,
                settings: self.session.settings(),
                state: RunState::default(),
                rows: None,
                row: None,
                autocommit,
            });
            return self.open();
        }
        Err(Error::new(ErrorKind::Schema, "the schema changes faster than it can be read"))
    }

    /// Opens a query, or runs a change.
    fn open(&mut self) -> Result<()> {
        let prepared = Arc::clone(&self.prepared);
        let Some(run) = &mut self.run else { return Ok(()) };
        let opened = match &prepared.kind {
            PreparedKind::Select(plan) => {
                let mut frame = std::mem::take(&mut run.frame);
                let opened = run.with_context(self.session, &self.parameters, |context| {
                    plan.root.open(&mut frame, Outer { context, scope: None })
                });
                run.frame = frame;
                opened
            }
            PreparedKind::Modify(plan) => run.modify(plan, self.session, &self.parameters),
            PreparedKind::Rows(rows) => {
                run.rows = Some(rows.clone().into_iter());
                Ok(())
            }
            PreparedKind::Command(_) => Ok(()),
        };
        if opened.is_err() {
            self.reset();
        }
        opened
    }

    fn advance(&mut self) -> Result<Step> {
        let Some(run) = &mut self.run else { return Ok(Step::Done) };
        if let Some(rows) = &mut run.rows {
            run.row = rows.next();
            return Ok(if run.row.is_some() { Step::Row } else { Step::Done });
        }
        let PreparedKind::Select(plan) = &self.prepared.kind else { return Ok(Step::Done) };
        let mut frame = std::mem::take(&mut run.frame);
        let found = run.with_context(self.session, &self.parameters, |context| {
            plan.root.next(&mut frame, Outer { context, scope: None })
        });
        run.frame = frame;
        Ok(if found? { Step::Row } else { Step::Done })
    }

    fn finish(&mut self) -> Result<()> {
        let Some(mut run) = self.run.take() else { return Ok(()) };
        run.frame.clear();
        self.spare = std::mem::take(&mut run.frame);
        if run.autocommit {
            let result = self.session.finish_autocommit(&run.sources, true);
            if result.is_err() && matches!(self.prepared.kind, PreparedKind::Modify(_)) {
                // What is not committed was not changed.
                let counters = &self.session.counters;
                let changes = counters.changes.replace(0);
                counters.total_changes.set(counters.total_changes.get() - changes);
            }
            result?;
        }
        Ok(())
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        self.reset();
    }
}

impl Run {
    fn of_rows(rows: Vec<Vec<Value>>) -> Self {
        Self {
            frame: Frame::default(),
            sources: Vec::new(),
            schemas: Vec::new(),
            versions: Versions::default(),
            settings: Settings::default(),
            state: RunState::default(),
            rows: Some(rows.into_iter()),
            row: None,
            autocommit: false,
        }
    }

    fn with_context<T>(
        &self,
        session: &Session,
        parameters: &[Value],
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let collations = session.collations.borrow();
        work(&Context {
            parameters,
            session,
            collations: &*collations,
            sources: &self.sources,
            versions: &self.versions,
            schemas: &self.schemas,
            interrupt: &session.interrupt,
            settings: &self.settings,
            counters: &session.counters,
            run: &self.state,
            compiler: session,
        })
    }

    /// Runs a change inside a savepoint, and undoes it where it fails.
    fn modify(&mut self, plan: &ModifyPlan, session: &Session, parameters: &[Value]) -> Result<()> {
        let mut marks = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            marks.push(match source {
                Some(source) => Some(source.borrow_mut().savepoint()?),
                None => None,
            });
        }
        let counters = &session.counters;
        counters.immediate_violations.set(0);
        let deferred = counters.deferred_violations.get();
        let mut frame = std::mem::take(&mut self.frame);
        let rowid = counters.last_insert_rowid.get();
        let mut changes = Changes::default();
        let result = self.with_context(session, parameters, |context| {
            plan.run_into(&mut frame, Outer { context, scope: None }, &mut changes)
        });
        frame.clear();
        self.frame = frame;
        let result = match result {
            Ok(()) if counters.immediate_violations.get() > 0 => {
                if plan.is_single_write() {
                    // A single row is refused before it is there.
                    counters.last_insert_rowid.set(rowid);
                }
                Err(Error::constraint(Constraint::ForeignKey, ""))
            }
            other => other,
        };
        match result {
            Ok(()) => {
                for (source, mark) in self.sources.iter().zip(marks) {
                    if let (Some(source), Some(mark)) = (source, mark) {
                        source.borrow_mut().release(mark)?;
                    }
                }
                counters.changes.set(changes.rows as i64);
                counters.total_changes.set(counters.total_changes.get() + changes.rows as i64);
                self.rows = Some(changes.returned.into_iter());
                Ok(())
            }
            Err(mut error) => {
                let mut action = self.reach();
                if action == ConflictAction::Fail && counters.immediate_violations.get() > 0 {
                    // What was done cannot stay.
                    error = Error::constraint(Constraint::ForeignKey, "");
                    action = ConflictAction::Abort;
                }
                if action == ConflictAction::Fail {
                    // What was done stays.
                    counters.changes.set(changes.rows as i64);
                    let total = counters.total_changes.get() + changes.rows as i64;
                    counters.total_changes.set(total);
                    session.finish_autocommit(&self.sources, true)?;
                    return Err(error);
                }
                counters.changes.set(0);
                counters.deferred_violations.set(deferred);
                for (source, mark) in self.sources.iter().zip(marks) {
                    if let (Some(source), Some(mark)) = (source, mark) {
                        let mut source = source.borrow_mut();
                        source.rollback_to(mark)?;
                        source.release(mark)?;
                    }
                }
                if action == ConflictAction::Rollback {
                    session.abandon();
                }
                Err(error)
            }
        }
    }

    /// How far the error reaches that ended a change.
    fn reach(&self) -> ConflictAction {
        use crate::ast::RaiseAction;
        match self.state.raised.take() {
            Some(RaiseAction::Rollback) => return ConflictAction::Rollback,
            Some(RaiseAction::Fail) => return ConflictAction::Fail,
            Some(RaiseAction::Abort) => return ConflictAction::Abort,
            _ => {}
        }
        self.state.failed.take().unwrap_or(ConflictAction::Abort)
    }
}
