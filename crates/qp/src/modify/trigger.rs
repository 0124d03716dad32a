//! Triggers: which fire, what they see, and how they run.
//!
//! A trigger's program is bound once the statement that fires it is planned (it may change the
//! very table that fires it, so it cannot be bound with it) and kept by whoever compiles. It runs
//! in a frame of its own with the slots OLD and NEW; its statements have frames inside that one,
//! and see the two as a subquery sees the block around it. Neighbours: `insert`, `update` and
//! `delete` fire them.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::ModifyPlan;
use super::bind::modify_statement;
use crate::ast::{ConflictAction, RaiseAction, StatementKind, TriggerEvent, TriggerTime};
use crate::bind::{Binder, Called, Environment, FrameBuilder, NameScope, ScopeTable};
use crate::catalog::{Attachment, DatabaseIndex, Table, Trigger};
use crate::error::{Error, Result};
use crate::execute::{Context, Frame, GivenRows, Kept, Outer, Scope, SharedTransaction, Versions};
use crate::limits;
use crate::plan::{Layout, SelectPlan};
use crate::scalar::{ROWID, Scalar, SlotId, Unary};
use crate::types::Affinity;

/// Makes what is only known to be needed while a statement runs.
pub trait Compiler {
    /// The program of a trigger, and the other branches and times that it reads.
    fn trigger(
        &self,
        trigger: &Arc<Trigger>,
        sources: &[Option<SharedTransaction>],
    ) -> Result<(Arc<TriggerProgram>, Option<Versions>)>;
    /// The next number of a table with AUTOINCREMENT whose counter branches share, greater than
    /// `own`, which is how far this branch is; none where there is no other branch.
    fn next_number(&self, table: &Table, own: i64) -> Result<Option<i64>>;
    /// Notes that a statement gave a row of such a table a number itself.
    fn note_number(&self, table: &Table, number: i64) -> Result<()>;
    /// A change in the engine's own words.
    fn change(&self, database: DatabaseIndex, sql: &str) -> Result<Arc<ModifyPlan>>;
    /// The rows of a PRAGMA with its value and its schema.
    fn pragma(&self, name: &str, arguments: &[Value]) -> Result<GivenRows>;
    /// A query in the engine's own words.
    fn query(&self, database: DatabaseIndex, sql: &str) -> Result<Arc<SelectPlan>>;
}

/// A trigger, bound.
#[derive(Debug)]
pub struct TriggerProgram {
    /// What its frame holds: OLD and NEW.
    pub layout: Layout,
    /// WHEN
    pub condition: Option<Scalar>,
    /// What it does.
    pub statements: Vec<TriggerStatement>,
}

/// A statement of a trigger.
#[derive(Debug)]
pub enum TriggerStatement {
    /// `SELECT`
    Select(SelectPlan),
    /// `INSERT`, `UPDATE`, `DELETE`
    Modify(ModifyPlan),
}

/// The error of triggers that fire each other without an end.
pub(super) const NESTED_TOO_DEEP: &str = "triggers nested too deep";

/// Where OLD is in a trigger's frame.
const OLD: SlotId = SlotId(0);
/// Where NEW is.
const NEW: SlotId = SlotId(1);

/// When triggers fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Before,
    After,
    Instead,
}

/// How firing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fired {
    /// The row goes its way.
    Done,
    /// RAISE(IGNORE): nothing more is done with the row.
    Ignore,
}

/// The row before and after.
#[derive(Clone, Debug)]
pub(super) struct Images {
    old: Option<Kept>,
    new: Kept,
}

impl Images {
    pub(super) fn new(old: Option<Kept>, new: Kept) -> Self {
        Self { old, new }
    }
}

/// The triggers of a table for one kind of change.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    before: Vec<Arc<Trigger>>,
    after: Vec<Arc<Trigger>>,
    instead: Vec<Arc<Trigger>>,
}

/// A kind of change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    Insert,
    /// Of these columns.
    Update(&'a [Box<str>]),
    Delete,
}

impl Triggers {
    /// The triggers on `table` for a change.
    pub(super) fn of(environment: &Environment<'_>, table: &Table, change: Change<'_>) -> Self {
        let mut triggers = Self::default();
        let of = |database: DatabaseIndex| {
            let schema = environment.schemas.get(usize::from(database.0));
            let named = schema.map_or(&[][..], |schema| schema.triggers_of(&table.name));
            named
                .iter()
                .filter(|trigger| subject_database(environment, trigger) == Some(table.database))
        };
        // Those in `temp` on a table of another database run before its own, as SQLite has it.
        let is_temp = table.database == DatabaseIndex::TEMP;
        let temporary = of(DatabaseIndex::TEMP).rev().filter(|_| !is_temp);
        for trigger in temporary.chain(of(table.database)) {
            let fits = match (&trigger.definition.event, change) {
                (TriggerEvent::Insert, Change::Insert) => true,
                (TriggerEvent::Delete, Change::Delete) => true,
                (TriggerEvent::Update(columns), Change::Update(set)) => {
                    columns.is_empty()
                        || columns.iter().any(|column| set.iter().any(|name| column.is(name)))
                }
                _ => false,
            };
            if fits {
                match trigger.time() {
                    TriggerTime::Before => triggers.before.push(trigger.clone()),
                    TriggerTime::After => triggers.after.push(trigger.clone()),
                    TriggerTime::InsteadOf => triggers.instead.push(trigger.clone()),
                }
            }
        }
        triggers
    }

    /// Each of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Trigger>> {
        self.before.iter().chain(&self.after).chain(&self.instead)
    }

    /// Whether any fires.
    pub(super) fn any(&self) -> bool {
        !self.before.is_empty() || !self.after.is_empty()
    }

    pub(super) fn has_before(&self) -> bool {
        !self.before.is_empty()
    }

    pub(super) fn has_after(&self) -> bool {
        !self.after.is_empty()
    }

    pub(super) fn has_instead(&self) -> bool {
        !self.instead.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty() && self.instead.is_empty()
    }

    /// Runs the triggers of a moment; `conflict` is what the statement does about conflicts.
    pub(super) fn fire(
        &self,
        event: Event,
        images: Images,
        conflict: Option<ConflictAction>,
        outer: Outer<'_>,
    ) -> Result<Fired> {
        let triggers = match event {
            Event::Before => &self.before,
            Event::After => &self.after,
            Event::Instead => &self.instead,
        };
        let (last, mut images) = (triggers.len().saturating_sub(1), Some(images));
        for (place, trigger) in triggers.iter().enumerate() {
            let run = outer.context.run;
            // Without recursive triggers a trigger does not fire itself again.
            let is_active = run.active.borrow().contains(&trigger.id);
            if is_active && !outer.context.settings.recursive_triggers {
                continue;
            }
            let context = outer.context;
            let (program, versions) =
                context.compiler.trigger(trigger, context.sources.shared()?)?;
            let depth = run.depth.get();
            if depth >= outer.context.settings.trigger_depth_max {
                return Err(Error::invalid(NESTED_TOO_DEEP));
            }
            let rows = if place == last { images.take() } else { images.clone() };
            let Some(rows) = rows else { break };
            run.depth.set(depth + 1);
            run.active.borrow_mut().push(trigger.id);
            let before = run.conflict.replace(conflict);
            // Both tell of what is around the trigger once it is done.
            let counters = outer.context.counters;
            let (rowid, changes) = (counters.last_insert_rowid.get(), counters.changes.get());
            let result = match &versions {
                Some(versions) => {
                    let context = Context { versions, ..*context };
                    program.run(rows, Outer { context: &context, scope: None })
                }
                None => program.run(rows, outer),
            };
            counters.last_insert_rowid.set(rowid);
            counters.changes.set(changes);
            run.conflict.set(before);
            run.active.borrow_mut().pop();
            run.depth.set(depth);
            match result {
                Ok(()) => {}
                Err(_) if run.raised.get() == Some(RaiseAction::Ignore) => {
                    run.raised.set(None);
                    return Ok(Fired::Ignore);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Fired::Done)
    }
}

impl TriggerProgram {
    fn run(&self, images: Images, outer: Outer<'_>) -> Result<()> {
        limits::with_stack_of(&self.layout, || self.run_on(images, outer))
    }

    fn run_on(&self, images: Images, outer: Outer<'_>) -> Result<()> {
        let mut frame = Frame::new(self.layout);
        if let Some(old) = images.old {
            frame.slot_mut(OLD).restore(old);
        }
        frame.slot_mut(NEW).restore(images.new);
        let outside = Outer { context: outer.context, scope: None };
        let scope = Scope { frame: &frame, outer: outside };
        if let Some(condition) = &self.condition
            && !condition.is_true(&scope)?
        {
            return Ok(());
        }
        let inner = Outer { context: outer.context, scope: Some(&scope) };
        for statement in &self.statements {
            match statement {
                TriggerStatement::Select(plan) => {
                    let mut frame = Frame::new(plan.layout);
                    plan.root.open(&mut frame, inner)?;
                    while plan.root.next(&mut frame, inner)? {
                        let scope = frame.scope(inner);
                        for output in &plan.outputs {
                            output.evaluate(&scope)?;
                        }
                    }
                }
                TriggerStatement::Modify(plan) => {
                    let mut frame = Frame::new(plan.layout);
                    let changes = plan.run(&mut frame, inner)?;
                    let counters = inner.context.counters;
                    counters.changes.set(changes.rows as i64);
                    counters.total_changes.set(counters.total_changes.get() + changes.rows as i64);
                }
            }
        }
        Ok(())
    }
}

/// Binds the program of a trigger on `table` (whose columns OLD and NEW have).
pub fn bind_trigger(
    environment: &Environment<'_>,
    trigger: &Trigger,
    table: &Arc<Table>,
) -> Result<TriggerProgram> {
    let mut binder = Binder::new(environment, Arc::from(&*trigger.sql));
    limits::with_stack_for(trigger.sql.len(), || trigger_program(&mut binder, trigger, table))
}

/// OLD or NEW: columns that compare as values do, without the affinity of their table's.
fn image_scope(
    binder: &mut Binder<'_>,
    table: &Arc<Table>,
    slot: SlotId,
    name: &str,
) -> Result<ScopeTable> {
    let mut scope = binder.table_scope(table, slot, name, Called::Row)?;
    for column in &mut scope.columns {
        match &mut column.scalar {
            Scalar::Column(place) if place.column == ROWID => {}
            Scalar::Column(place) => place.affinity = Affinity::None,
            // A virtual column.
            other => {
                let value = std::mem::replace(other, Scalar::NULL);
                *other = Scalar::Unary(Unary::Plus, Box::new(value));
            }
        }
    }
    Ok(scope)
}

/// Binds the program of a trigger with a binder that is made for its text.
pub(crate) fn trigger_program(
    binder: &mut Binder<'_>,
    trigger: &Trigger,
    table: &Arc<Table>,
) -> Result<TriggerProgram> {
    binder.home = Some(trigger.database);
    binder.in_trigger = true;
    binder.accessors.push(trigger.name.clone());
    // The program runs on one stack, whatever statement of it is the highest.
    binder.note_text(trigger.sql.len());
    let (old, new) = (binder.slot(), binder.slot());
    debug_assert_eq!((old, new), (OLD, NEW));
    let mut scope = NameScope::default();
    let definition = &trigger.definition;
    if !matches!(definition.event, TriggerEvent::Insert) {
        scope.tables.push(image_scope(binder, table, OLD, "old")?);
    }
    if !matches!(definition.event, TriggerEvent::Delete) {
        scope.tables.push(image_scope(binder, table, NEW, "new")?);
    }
    // Columns are only found by OLD and NEW.
    for column in scope.tables.iter_mut().flat_map(|table| &mut table.columns) {
        column.merged = true;
    }
    binder.scopes.push(scope);
    let condition = match &definition.condition {
        Some(condition) => Some(binder.expression(condition)?),
        None => None,
    };
    let mut statements = Vec::with_capacity(definition.body.len());
    for statement in &definition.body {
        binder.frames.push(FrameBuilder::default());
        let bound = match &statement.kind {
            StatementKind::Select(select) => binder.select(select, false).map(|block| {
                TriggerStatement::Select(SelectPlan {
                    root: block.root,
                    outputs: block.outputs,
                    columns: block.columns,
                    layout: Layout::default(),
                    outer: Vec::new(),
                    rows: block.rows,
                })
            }),
            _ => modify_statement(binder, statement).map(TriggerStatement::Modify),
        };
        let frame = binder.frames.pop().unwrap_or_default();
        let mut bound = bound?;
        let layout = frame.finished()?;
        match &mut bound {
            TriggerStatement::Select(plan) => plan.layout = layout,
            TriggerStatement::Modify(plan) => plan.layout = layout,
        }
        statements.push(bound);
    }
    let layout = binder.frames.pop().unwrap_or_default().finished()?;
    Ok(TriggerProgram { layout, condition, statements })
}

/// The database of the table or view that a trigger is on: its own, but a trigger in `temp` is on
/// one of the database in which it was found when the trigger was made. None where it is gone.
fn subject_database(environment: &Environment<'_>, trigger: &Trigger) -> Option<DatabaseIndex> {
    let has = |database: &DatabaseIndex| {
        let schema = environment.schemas.get(usize::from(database.0));
        schema.is_some_and(|schema| {
            schema.table(&trigger.table).is_some() || schema.view(&trigger.table).is_some()
        })
    };
    let home = match trigger.subject {
        None => Some(trigger.database),
        Some(subject) => {
            let place = environment.attachments.iter().position(|it| *it == subject);
            place.map(|place| DatabaseIndex(place as u16))
        }
    };
    home.filter(has)
}

/// Whether a trigger in `temp` is on a table that somebody else dropped, or that the branch does
/// not have: it is as if it were not there, until a table of that name is. One on a database that
/// is detached is broken, as in SQLite.
pub fn is_asleep(environment: &Environment<'_>, trigger: &Trigger) -> bool {
    let is_attached = |subject: &Attachment| environment.attachments.contains(subject);
    trigger.subject.as_ref().is_some_and(is_attached)
        && subject_database(environment, trigger).is_none()
}

/// The table (or view, as a table) that a trigger is on.
pub fn trigger_subject(environment: &Environment<'_>, trigger: &Trigger) -> Result<Arc<Table>> {
    let schema = subject_database(environment, trigger)
        .and_then(|database| environment.schemas.get(usize::from(database.0)));
    if let Some(table) = schema.and_then(|schema| schema.table(&trigger.table)) {
        return Ok(table.clone());
    }
    if let Some(view) = schema.and_then(|schema| schema.view(&trigger.table)) {
        let mut binder = Binder::new(environment, Arc::from(&*trigger.sql));
        return super::bind::view_as_table(&mut binder, view);
    }
    let name = &trigger.definition.table;
    Err(Error::not_found(
        "table",
        match &name.schema {
            Some(schema) => format!("{}.{}", schema.text, name.name.text),
            None => name.name.text.to_string(),
        },
    ))
}
