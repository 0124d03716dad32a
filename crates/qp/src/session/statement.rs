//! A prepared statement of a session: bind, step, reset.
//!
//! A query runs as it is stepped; a change runs as a whole at the first step, inside a savepoint,
//! and is committed there if no transaction is open; its RETURNING rows are stepped afterwards.
//! What a run needs (transactions, schemas, the frame) is kept for the next one, so that running
//! a prepared statement again allocates next to nothing. Neighbours: `prepare` made it,
//! `transaction` has the transactions.

use pandodb_ds::record::{Value, ValueRef};
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::Ordering;
use smallvec::SmallVec;

use super::prepare::Counted;
use super::{Prepared, PreparedKind, Session, Sources};
use crate::ast::ConflictAction;
use crate::catalog::Schema;
use crate::error::{Constraint, Error, ErrorKind, Result};
use crate::execute::{
    self, Bindings, Context, Frame, GivenRows, LentRow, LoneTransaction, Outer, Parameters,
    Profile, RowCells, RunState, Settings, Versions,
};
use crate::modify::{Changes, ModifyPlan};
use crate::store::{LightSavepoint, Savepoint};

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
    parameters: Bindings,
    /// The run, or what memory is left of the one before.
    run: Run,
    /// The current row.
    cells: RowCells,
    is_running: bool,
}

/// Where the transaction of a statement was when that began.
#[derive(Debug)]
enum Mark {
    Light(LightSavepoint),
    Whole(Savepoint),
}

type Marks = SmallVec<[Option<Mark>; 1]>;

/// A running statement.
#[derive(Debug, Default)]
struct Run {
    frame: Frame,
    /// Nothing was put into the frame since it was cleared.
    is_clear: bool,
    around: Around,
    /// Rows that are there already.
    rows: Option<GivenRows>,
    /// How many rows the table has, where a query counts them and its run began with that.
    counted: Option<i64>,
    /// How often a query was asked for a row.
    steps: u64,
    autocommit: bool,
}

/// What a running statement has around it and does not change.
#[derive(Debug, Default)]
struct Around {
    /// The transactions of an open transaction, of a change, or begun for this run.
    sources: Sources,
    /// In their place those that had rested, of a query outside of a transaction.
    alone: Vec<Option<LoneTransaction>>,
    schemas: Vec<Arc<Schema>>,
    versions: Versions,
    settings: Settings,
    state: RunState,
    /// The session's numbers of settings and of schemas when the plan was found to be for them.
    valid_at: Option<(u64, u64)>,
}

impl<'s> Statement<'s> {
    pub(super) fn new(session: &'s Session, prepared: Arc<Prepared>) -> Self {
        let parameters = Bindings::new(prepared.parameters as usize);
        Self {
            session,
            prepared,
            parameters,
            run: Run::default(),
            cells: RowCells::default(),
            is_running: false,
        }
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
    #[inline]
    pub fn column_count(&self) -> usize {
        self.prepared.columns.len()
    }

    /// How many parameters there are.
    #[inline]
    pub fn parameter_count(&self) -> usize {
        self.parameters.len()
    }

    /// The number (from 1) of the parameter called `name`, with its first character.
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        let names = &self.prepared.parameter_names;
        names.iter().position(|known| known.as_deref() == Some(name)).map(|place| place + 1)
    }

    /// Binds a value to a parameter, counted from 1.
    #[expect(clippy::needless_pass_by_value, reason = "callers hand over what they made for it")]
    pub fn bind(&mut self, index: usize, value: Value) -> Result<()> {
        self.bind_ref(index, value.as_ref())
    }

    /// As [`bind`](Self::bind), with a value that is copied to where the one before was.
    #[inline]
    pub fn bind_ref(&mut self, index: usize, value: ValueRef<'_>) -> Result<()> {
        if index.checked_sub(1).is_some_and(|place| self.parameters.set(place, value)) {
            return Ok(());
        }
        let count = self.parameters.len();
        let message = format!("parameter {index} is out of range (there are {count})");
        Err(Error::new(ErrorKind::Range, message))
    }

    /// The value that a parameter, counted from 1, is bound to.
    pub fn parameter(&self, index: usize) -> Option<ValueRef<'_>> {
        let place = index.checked_sub(1).filter(|place| *place < self.parameters.len())?;
        Some(self.parameters.get(place))
    }

    /// Sets all parameters to NULL.
    pub fn clear_bindings(&mut self) {
        self.parameters.clear();
    }

    /// Ends the run, so that the next step begins anew; bound values stay.
    #[inline]
    pub fn reset(&mut self) {
        if std::mem::replace(&mut self.is_running, false) {
            self.run.end();
            // Those of an open transaction are kept: the next run mostly is in the same one.
            if self.run.autocommit {
                self.run.around.rest(self.session);
            }
        }
    }

    /// Goes to the next row.
    #[inline]
    pub fn step(&mut self) -> Result<Step> {
        self.try_step().map_err(|error| self.session.failed(error))
    }

    #[inline]
    fn try_step(&mut self) -> Result<Step> {
        if !self.is_running {
            self.start()?;
        }
        match self.advance() {
            Ok(Step::Row) => Ok(Step::Row),
            ended => {
                self.reset();
                ended
            }
        }
    }

    /// Runs to the end and throws rows away.
    pub fn run(&mut self) -> Result<()> {
        while self.step()? == Step::Row {}
        Ok(())
    }

    /// The current row; it has no values where there is no row.
    #[inline]
    pub fn lent(&self) -> LentRow<'_> {
        if !self.is_running {
            return LentRow::default();
        }
        if !self.cells.has_stored() {
            return self.cells.lend(&[]);
        }
        let slot = self.prepared.projection.slot();
        let stored = slot.and_then(|slot| self.run.frame.slots.get(usize::from(slot.0)));
        // What could not be read was an error of the step.
        let stored = stored.and_then(|slot| slot.stored_row().ok().flatten());
        self.cells.lend(stored.map_or(&[], |row| row.bytes))
    }

    /// A copy of the current row.
    pub fn row(&self) -> Result<Vec<Value>> {
        self.check_row()?;
        Ok(self.lent().values().map(ValueRef::to_owned).collect())
    }

    /// Calls `look` with the current row, whose texts are not copied.
    pub fn with_row<T>(&self, look: impl FnOnce(&[ValueRef<'_>]) -> T) -> Result<T> {
        self.check_row()?;
        let values: SmallVec<[ValueRef<'_>; 8]> = self.lent().values().collect();
        Ok(look(&values))
    }

    fn check_row(&self) -> Result<()> {
        if self.is_running {
            return Ok(());
        }
        Err(Error::new(ErrorKind::State, "there is no row"))
    }

    /// Begins a run: transactions, schemas, and a new plan if the old one is for another schema.
    #[inline]
    fn start(&mut self) -> Result<()> {
        self.session.now.set(None);
        self.session.interrupt.store(false, Ordering::Relaxed);
        self.session.start_clock();
        for _ in 0..RETRIES {
            if let PreparedKind::Command(command) = &self.prepared.kind {
                let values = self.parameters.to_values();
                let rows = self.session.command(command, &self.prepared.sql, &values)?;
                self.run = Run { rows: Some(rows), ..Run::default() };
                self.is_running = true;
                return Ok(());
            }
            self.run.autocommit = self.session.is_autocommit();
            if let Some(counted) = self.prepared.counted {
                self.run.counted = self.run.around.count(self.session, &self.prepared, counted);
                if self.run.counted.is_some() {
                    self.run.steps = 0;
                    self.is_running = true;
                    return Ok(());
                }
            }
            let is_current = self.run.around.gather(self.session, &self.prepared);
            if matches!(is_current, Ok(true)) {
                let layout = match &self.prepared.kind {
                    PreparedKind::Select(plan) => plan.layout,
                    PreparedKind::Modify(plan) => plan.layout,
                    PreparedKind::Analyze(kind) => match &**kind {
                        PreparedKind::Select(plan) => plan.layout,
                        PreparedKind::Modify(plan) => plan.layout,
                        _ => crate::plan::Layout::default(),
                    },
                    _ => crate::plan::Layout::default(),
                };
                self.run.frame.fit(layout);
                self.run.steps = 0;
                self.is_running = true;
                return self.open();
            }
            self.run.around.versions.clear();
            if self.run.autocommit {
                self.run.around.rest(self.session);
            }
            self.run.around.sources.clear();
            is_current?;
            self.session.forget(&self.prepared.sql);
            let (again, _) = self.session.prepare_shared(&self.prepared.sql)?;
            let Some(again) = again else { break };
            self.parameters.resize(again.parameters as usize);
            self.prepared = again;
        }
        Err(Error::new(ErrorKind::Schema, "the schema changes faster than it can be read"))
    }

    /// Runs a change, or gets rows that are there already.
    fn open(&mut self) -> Result<()> {
        let run = &mut self.run;
        let opened = match &self.prepared.kind {
            // The first step opens it.
            PreparedKind::Select(_) => Ok(()),
            PreparedKind::Modify(plan) => run
                .modify(plan, self.session, &self.parameters)
                .and_then(|()| run.commit_change(self.session)),
            PreparedKind::Rows(rows) => {
                run.rows = Some(rows.clone().into());
                Ok(())
            }
            PreparedKind::Analyze(kind) => run.analyze(kind, self.session, &self.parameters),
            PreparedKind::Command(_) => Ok(()),
        };
        if opened.is_err() {
            self.reset();
        }
        opened
    }

    /// Goes to the next row and takes its values.
    #[inline]
    fn advance(&mut self) -> Result<Step> {
        let run = &mut self.run;
        if let Some(rows) = &mut run.rows {
            let Some(row) = rows.next_row()? else { return Ok(Step::Done) };
            self.cells.take_values(row.iter().map(Value::as_ref));
            return Ok(Step::Row);
        }
        if let Some(counted) = self.prepared.counted {
            // One row, known without any operator.
            if std::mem::replace(&mut run.steps, 1) > 0 {
                return Ok(Step::Done);
            }
            run.is_clear = true;
            let rows = match run.counted.take() {
                Some(rows) => rows,
                None => counted.count(run.around.sources())?,
            };
            self.cells.take_values(std::iter::once(ValueRef::Integer(rows)));
            return Ok(Step::Row);
        }
        let PreparedKind::Select(plan) = &self.prepared.kind else { return Ok(Step::Done) };
        let (frame, cells) = (&mut run.frame, &mut self.cells);
        let (projection, steps_before) = (&self.prepared.projection, run.steps);
        run.steps = run.steps.saturating_add(1);
        run.around.with_context(self.session, &self.parameters, |context| {
            let outer = Outer { context, scope: None };
            crate::limits::with_stack_of(&plan.layout, || {
                match steps_before {
                    0 => plan.root.open(frame, outer)?,
                    // One that goes on is to be seen by who looks for what is read for long.
                    2 => context.sources.look_at_all().for_each(|source| source.date()),
                    _ => {}
                }
                if !plan.root.next(frame, outer)? {
                    return Ok(Step::Done);
                }
                cells.take(projection, &plan.outputs, &frame.scope(outer))?;
                Ok(Step::Row)
            })
        })
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        self.reset();
    }
}

impl Around {
    /// Gets the transactions and schemas of a run; false if the plan was made for others.
    #[inline]
    fn gather(&mut self, session: &Session, prepared: &Prepared) -> Result<bool> {
        self.state.renew();
        if !prepared.writes.is_empty() {
            // A commit changes them, too.
            self.settings.clone_from(&session.settings.borrow());
        }
        if self.goes_on(session, prepared)? {
            return Ok(true);
        }
        self.settings.clone_from(&session.settings.borrow());
        self.valid_at = None;
        let databases = session.all_databases();
        let heads = session.version_heads(&prepared.versions)?;
        self.sources.clear();
        self.schemas.clear();
        session.take_sources(&databases, &prepared.writes, &heads, &mut self.sources)?;
        session.take_schemas(&self.sources, &mut self.schemas)?;
        let Some(versions) = session.reopen(&prepared.versions, &self.sources)? else {
            return Ok(false);
        };
        self.versions = versions;
        let mut schemas = self.schemas.iter().zip(&prepared.cookies);
        let is_current = prepared.generation == session.generation.get()
            && self.schemas.len() == prepared.cookies.len()
            && schemas.all(|(schema, known)| schema.cookie == *known);
        if is_current {
            self.valid_at = Some((session.generation.get(), session.schemas_seen.get()));
        }
        Ok(is_current)
    }

    /// The transactions of the run.
    #[inline]
    fn sources(&self) -> execute::Sources<'_> {
        if self.alone.is_empty() {
            execute::Sources::Shared(&self.sources)
        } else {
            execute::Sources::Alone(&self.alone)
        }
    }

    /// Lets the transactions of a run outside of a transaction rest.
    #[inline]
    fn rest(&mut self, session: &Session) {
        session.rest(&mut self.sources, &mut self.alone);
    }

    /// Whether the plan is for what the session knows now.
    #[inline]
    fn is_valid(&self, session: &Session, prepared: &Prepared) -> bool {
        self.valid_at == Some((session.generation.get(), session.schemas_seen.get()))
            && prepared.versions.is_empty()
    }

    /// What a query counts outside of a transaction, where everything is as it was in the last
    /// run: nothing else has to be done for it.
    #[inline]
    fn count(&mut self, session: &Session, prepared: &Prepared, counted: Counted) -> Option<i64> {
        if !self.is_valid(session, prepared) || !session.is_autocommit() {
            return None;
        }
        self.sources.clear();
        session.count_at_rest(counted)
    }

    /// Whether everything is as it was in the last run, so that the transactions can go on: what
    /// a quick read or one change of many needs each time, and nothing else.
    #[inline]
    fn goes_on(&mut self, session: &Session, prepared: &Prepared) -> Result<bool> {
        if !self.is_valid(session, prepared) {
            return Ok(false);
        }
        if !session.is_autocommit() {
            return session.goes_on_within(&self.sources, &prepared.writes);
        }
        self.sources.clear();
        Ok(prepared.writes.is_empty() && session.go_on(&mut self.alone))
    }

    #[inline]
    fn with_context<T>(
        &self,
        session: &Session,
        parameters: &Bindings,
        work: impl FnOnce(&Context<'_>) -> Result<T>,
    ) -> Result<T> {
        work(&Context {
            parameters: Parameters::Bound(parameters),
            session,
            collations: &session.collations,
            sources: self.sources(),
            versions: &self.versions,
            schemas: &self.schemas,
            interrupt: &session.interrupt,
            settings: &self.settings,
            counters: &session.counters,
            run: &self.state,
            compiler: session,
        })
    }
}

impl Run {
    /// Lets go of rows, cursors and other versions but not of their memory: who keeps a statement
    /// that is not running keeps nothing of the past.
    fn end(&mut self) {
        if !std::mem::take(&mut self.is_clear) {
            self.frame.clear();
        }
        self.rows = None;
        self.around.versions.clear();
    }

    /// Runs a query or a change to its end and tells what each operator took.
    fn analyze(
        &mut self,
        kind: &PreparedKind,
        session: &Session,
        parameters: &Bindings,
    ) -> Result<()> {
        let (database, _) = session.database(crate::catalog::DatabaseIndex::MAIN)?;
        let pager = Arc::clone(database.manager().pager());
        self.around.state.profile = Some(Box::new(Profile::new(database.clock(), pager)));
        match kind {
            PreparedKind::Select(plan) => {
                let frame = &mut self.frame;
                self.around.with_context(session, parameters, |context| {
                    let outer = Outer { context, scope: None };
                    plan.root.open(frame, outer)?;
                    while plan.root.next(frame, outer)? {
                        for output in &plan.outputs {
                            output.evaluate(&frame.scope(outer))?;
                        }
                    }
                    Ok(())
                })?;
            }
            PreparedKind::Modify(plan) => {
                self.modify(plan, session, parameters)?;
                self.commit_change(session)?;
            }
            _ => {}
        }
        if let Some(profile) = self.around.state.profile.take() {
            self.rows = Some(super::explain::report(kind, &profile).into());
        }
        Ok(())
    }

    /// Savepoints of all transactions.
    fn savepoints(&self, are_light: bool) -> Result<Marks> {
        let mut marks = Marks::new();
        for source in &self.around.sources {
            marks.push(match source {
                None => None,
                Some(source) if are_light => Some(Mark::Light(source.borrow().light_savepoint()?)),
                Some(source) => Some(Mark::Whole(source.borrow_mut().statement_savepoint()?)),
            });
        }
        Ok(marks)
    }

    /// Forgets savepoints of all transactions.
    fn release(&self, marks: &Marks) -> Result<()> {
        for (source, mark) in self.around.sources.iter().zip(marks) {
            if let (Some(source), Some(Mark::Whole(mark))) = (source, mark) {
                source.borrow_mut().release(*mark)?;
            }
        }
        Ok(())
    }

    /// Goes back to savepoints of all transactions and forgets them.
    fn go_back(&self, marks: &Marks) -> Result<()> {
        for (source, mark) in self.around.sources.iter().zip(marks) {
            match (source, mark) {
                (Some(source), Some(Mark::Light(mark))) => {
                    source.borrow_mut().rollback_to_light(mark)?;
                }
                (Some(source), Some(Mark::Whole(mark))) => {
                    let mut source = source.borrow_mut();
                    source.rollback_to(*mark)?;
                    source.release(*mark)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Runs a change inside a savepoint, and undoes it where it fails.
    fn modify(
        &mut self,
        plan: &ModifyPlan,
        session: &Session,
        parameters: &Bindings,
    ) -> Result<()> {
        let marks = self.savepoints(plan.looks_before_it_writes())?;
        let counters = &session.counters;
        counters.immediate_violations.set(0);
        let deferred = counters.deferred_violations.get();
        let mut changes = Changes::default();
        let frame = &mut self.frame;
        let result = self.around.with_context(session, parameters, |context| {
            plan.run_into(frame, Outer { context, scope: None }, &mut changes)
        });
        self.frame.clear();
        self.is_clear = true;
        let result = match result {
            Ok(()) if counters.immediate_violations.get() != 0 => {
                Err(Error::constraint(Constraint::ForeignKey, ""))
            }
            other => other,
        };
        match result {
            Ok(()) => {
                self.release(&marks)?;
                counters.changes.set(changes.rows as i64);
                counters.total_changes.set(counters.total_changes.get() + changes.rows as i64);
                self.rows = plan.returning.is_some().then(|| changes.returned.into());
                Ok(())
            }
            Err(mut error) => {
                let mut action = self.reach();
                if action == ConflictAction::Fail && counters.immediate_violations.get() != 0 {
                    // What was done cannot stay.
                    error = Error::constraint(Constraint::ForeignKey, "");
                    action = ConflictAction::Abort;
                }
                if action == ConflictAction::Fail {
                    // What was done stays.
                    self.release(&marks)?;
                    counters.changes.set(changes.rows as i64);
                    let total = counters.total_changes.get() + changes.rows as i64;
                    counters.total_changes.set(total);
                    let committed = session.finish_autocommit(&self.around.sources, true);
                    if committed.is_err() {
                        take_back_changes(session);
                    }
                    return Err(committed.err().unwrap_or(error));
                }
                counters.changes.set(0);
                // As in SQLite, which can undo such a statement without a journal: what it counted
                // for deferred keys before another one refused it stays counted.
                if self.autocommit || !plan.is_single_write() {
                    counters.deferred_violations.set(deferred);
                }
                self.go_back(&marks)?;
                if action == ConflictAction::Rollback {
                    session.abandon();
                }
                Err(error)
            }
        }
    }

    /// Commits a change outside of a transaction: its rows are handed out afterwards, so that
    /// nothing is lost when not all of them are asked for.
    fn commit_change(&mut self, session: &Session) -> Result<()> {
        if !self.autocommit {
            return Ok(());
        }
        let committed = session.finish_autocommit(&self.around.sources, true);
        self.around.sources.clear();
        if committed.is_err() {
            take_back_changes(session);
        }
        committed
    }

    /// How far the error reaches that ended a change.
    fn reach(&self) -> ConflictAction {
        use crate::ast::RaiseAction;
        match self.around.state.raised.take() {
            Some(RaiseAction::Rollback) => return ConflictAction::Rollback,
            Some(RaiseAction::Fail) => return ConflictAction::Fail,
            Some(RaiseAction::Abort) => return ConflictAction::Abort,
            _ => {}
        }
        self.around.state.failed.take().unwrap_or(ConflictAction::Abort)
    }
}

/// What is not committed was not changed.
fn take_back_changes(session: &Session) {
    let counters = &session.counters;
    let changes = counters.changes.replace(0);
    counters.total_changes.set(counters.total_changes.get() - changes);
}
