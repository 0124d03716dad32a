//! RESTORE TABLE: one table, with its indexes and triggers, as it is elsewhere or was.
//!
//! It is a merge whose base is the branch as it is, and whose source is the same but for the table:
//! nothing can conflict but names, and foreign keys are looked at. What the triggers of the table
//! mention may have got another name since; they follow, as they do where ALTER TABLE renames.
//! Neighbours: `job` does the work.

use pandodb_branch::diff::Version;
use pandodb_branch::fork::Fork;
use pandodb_branch::merge::{Conflict, ConflictKind, Known, Violation};
use pandodb_branch::registry::{Point, Privilege, View};
use pandodb_branch::shape::{ColumnId, ColumnShape, ObjectId, Shape, TableShape, TextShape};
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_tm::{BeginOptions, HeadId};

use super::super::job::{Failure, Job, Outcome};
use super::super::merge::{row, told_conflicts};
use super::super::options::MergeRequest;
use super::super::{Rows, Work};
use crate::ast::{Name, PointInTime};
use crate::catalog::{DatabaseIndex, Schema, Table};
use crate::define::{identifier, run_within};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::SharedTransaction;
use crate::session::Session;

/// The columns of RESTORE TABLE: those of a merge, and which triggers of the table stayed behind.
pub(in crate::branching) const RESTORE_COLUMNS: &[&str] = &[
    "status",
    "source",
    "target",
    "rows_inserted",
    "rows_updated",
    "rows_deleted",
    "rows_renumbered",
    "schema_changes",
    "conflicts",
    "conflicts_resolved",
    "dry_run",
    "left_out",
];

impl Work<'_> {
    /// RESTORE TABLE: the table as another branch or an earlier moment has it.
    pub(in crate::branching) fn restore_table(
        &self,
        table: &Name,
        branch: Option<&Name>,
        as_of: Option<&PointInTime>,
    ) -> Result<Rows> {
        let target = self.current()?;
        self.may(&target, Privilege::Write)?;
        self.branches.check_settled(&target)?;
        let view = match (branch, as_of) {
            (Some(name), None | Some(PointInTime::Now)) => self.view_of(name)?,
            (name, as_of) => {
                let from = self.readable_or_current(name)?;
                let at = as_of.map_or(Ok(Point::Now), |time| self.point(time))?;
                self.at_moment(&at, self.branches.view_own(&from.name, &at))?
            }
        };
        let head = HeadId(target.head);
        let now = self.branches.manager().begin(head, BeginOptions::read_only());
        let now = now.map_err(Error::from)?;
        let ours = self.version(now.forest())?;
        let then = self.version(view.forest())?;
        let renamed = match then.shape.table_named(&table.text) {
            Some(wanted) => self.called_as_now(&view, [&then.shape, &ours.shape], wanted)?,
            None => None,
        };
        let catalog = match &renamed {
            Some(fork) => fork.begin(BeginOptions::read_only())?.forest(),
            None => view.forest(),
        };
        let theirs = self.version(catalog.clone())?;
        let Some(wanted) = theirs.shape.table_named(&table.text) else {
            return Err(Error::not_found("table", &table.text).at(table.span));
        };
        let mine = ours.shape.table_named(&table.text);
        let mut shape = ours.shape.clone();
        take_table(&mut shape, &theirs.shape, wanted, mine);
        let left_out = fit_triggers(&mut shape, &ours.shape, &theirs.shape, wanted.id);
        let mut forest = ours.forest.clone();
        if let Some(tree) = theirs.forest.tree(wanted.tree) {
            forest.set_tree(wanted.tree, tree.clone());
        }
        let from = branch.map_or_else(|| target.name.clone(), |name| name.text.to_string());
        let at = self.branches.position(&target)?;
        let job = Job {
            known: Known {
                theirs: self.numbering(view.position(), at)?,
                restored: Some(wanted.id),
                ..Known::default()
            },
            base: ours,
            theirs: Version { shape, forest },
            catalog,
            head,
            expected: now.base_commit().0,
            target: target.name.clone(),
            plan: None,
            message: format!("restore table {} from '{from}'", table.text),
            has_own_base: false,
        };
        let request = MergeRequest::default();
        match self.run_job(&job, &request, None) {
            Ok(outcome) => {
                let outcome = Outcome::new("restored", outcome.report);
                let mut told = row(&outcome, &from, &target.name, false);
                let left_out = left_out.join("; ");
                told.push(if left_out.is_empty() { Value::Null } else { Value::text(&*left_out) });
                Ok(vec![told])
            }
            Err(Failure::Conflicts(conflicts, _)) => {
                let error = told_conflicts(&conflicts, &format!("restoring table {}", table.text));
                let hint = restore_hint(&conflicts, &job, &table.text);
                Err(error.with_hint(hint))
            }
            Err(Failure::Error(error)) => Err(error),
        }
    }

    /// The moment that a table comes from, in a fork where all that its triggers mention is called
    /// as it is now; none where nothing of that was renamed since.
    fn called_as_now(
        &self,
        view: &View,
        [then, now]: [&Shape; 2],
        wanted: &TableShape,
    ) -> Result<Option<Fork>> {
        let is_of = |trigger: &&TextShape| trigger.hangs_on == Some(wanted.id);
        let mentioned = then.triggers.iter().filter(is_of).flat_map(|trigger| &trigger.objects);
        let mut mentioned: Vec<ObjectId> = mentioned.copied().collect();
        mentioned.sort_unstable();
        mentioned.dedup();
        // What has the name of the restored table now goes for it.
        let stays = |table: &&TableShape| {
            table.id != wanted.id && !table.name.eq_ignore_ascii_case(&wanted.name)
        };
        let tables = mentioned.into_iter().filter_map(|id| now.table(id)).filter(stays);
        let is_renamed = |table: &&TableShape| {
            then.table(table.id).is_some_and(|old| {
                let mut columns = old.columns.iter();
                old.name != table.name
                    || columns.any(|column| {
                        table.column(column.id).is_some_and(|now| now.name != column.name)
                    })
            })
        };
        let renamed: Vec<&TableShape> = tables.filter(is_renamed).collect();
        if renamed.is_empty() {
            return Ok(None);
        }
        let fork = self.branches.fork_view(view)?;
        self.on_head(fork.head(), || {
            self.session.changing(DatabaseIndex::MAIN, |sources, schemas| {
                let session = self.session;
                let mut renamer = Renamer { session, sources, schemas, unused: 0 };
                renamer.rename_all(&renamed)
            })
        })?;
        Ok(Some(fork))
    }
}

/// Gives tables other names, in a fork.
struct Renamer<'s> {
    session: &'s Session,
    sources: Vec<Option<SharedTransaction>>,
    schemas: Vec<Arc<Schema>>,
    unused: u64,
}

impl Renamer<'_> {
    /// Gives tables and their columns the names of `shapes`. All go out of the way first: names
    /// may have been exchanged.
    fn rename_all(&mut self, shapes: &[&TableShape]) -> Result<()> {
        for shape in shapes {
            let unused = self.unused();
            self.rename_table(shape.id, &unused)?;
            let columns = self.table(shape.id)?.columns.clone();
            let is_other = |column: &ColumnShape| {
                columns.iter().any(|it| it.id.0 == column.id.0 && *it.name != *column.name)
            };
            let others: Vec<&ColumnShape> =
                shape.columns.iter().filter(|it| is_other(it)).collect();
            for column in &others {
                let unused = self.unused();
                self.rename_column(shape.id, column.id.0, &unused)?;
            }
            for column in others {
                // What had the name since was dropped.
                let taken = self.table(shape.id)?.column_index(&column.name);
                let taken = taken.and_then(|place| columns.get(place)).map(|column| column.id.0);
                if let Some(taken) = taken {
                    let unused = self.unused();
                    self.rename_column(shape.id, taken, &unused)?;
                }
                self.rename_column(shape.id, column.id.0, &column.name)?;
            }
        }
        for shape in shapes {
            let taken = self.main()?.table(&shape.name).map(|table| ObjectId(table.id.0));
            if let Some(taken) = taken {
                let unused = self.unused();
                self.rename_table(taken, &unused)?;
            }
            self.rename_table(shape.id, &shape.name)?;
        }
        Ok(())
    }

    fn rename_table(&mut self, id: ObjectId, to: &str) -> Result<()> {
        let from = identifier(&self.table(id)?.name);
        self.run(&format!("ALTER TABLE main.{from} RENAME TO {}", identifier(to)))
    }

    fn rename_column(&mut self, id: ObjectId, column: u64, to: &str) -> Result<()> {
        let table = self.table(id)?;
        let Some(column) = table.columns.iter().find(|it| it.id.0 == column) else { return Ok(()) };
        let (own, from) = (identifier(&table.name), identifier(&column.name));
        self.run(&format!("ALTER TABLE main.{own} RENAME COLUMN {from} TO {}", identifier(to)))
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        let schemas = self.schemas.clone();
        self.schemas = run_within(self.session, sql, &self.sources, schemas, &Arc::default())?;
        Ok(())
    }

    fn main(&self) -> Result<&Arc<Schema>> {
        let none = || Error::new(ErrorKind::Internal, "a moment has no schema");
        self.schemas.first().ok_or_else(none)
    }

    fn table(&self, id: ObjectId) -> Result<&Arc<Table>> {
        let mut tables = self.main()?.tables.values();
        let none = || Error::new(ErrorKind::Internal, "a table that is renamed is not there");
        tables.find(|table| table.id.0 == id.0).ok_or_else(none)
    }

    /// A name that nothing has.
    fn unused(&mut self) -> String {
        loop {
            self.unused += 1;
            let name = format!("restoring_{}", self.unused);
            let is_taken = self.schemas.iter().any(|schema| {
                let has = |table: &Arc<Table>| table.column_index(&name).is_some();
                schema.table(&name).is_some()
                    || schema.view(&name).is_some()
                    || schema.index(&name).is_some()
                    || schema.tables.values().any(has)
            });
            if !is_taken {
                return name;
            }
        }
    }
}

/// What to do where a table cannot come back: something is in the way, or it, or what comes along,
/// needs something that is not there.
fn restore_hint(conflicts: &[Conflict], job: &Job<'_>, table: &str) -> String {
    let is_here = |id: ObjectId| {
        let here = &job.base.shape;
        let texts = [&here.indexes, &here.views, &here.triggers];
        here.table(id).is_some() || texts.into_iter().flatten().any(|text| text.id == id)
    };
    let hint = match conflicts.first().map(|first| (first.kind, first.key.object)) {
        Some((ConflictKind::Constraint(Violation::ForeignKey), id))
            if job.known.restored == Some(id) =>
        {
            "RESTORE TABLE the parents that are missing first, or insert them"
        }
        Some((ConflictKind::Schema, id)) if job.known.restored != Some(id) && !is_here(id) => {
            "it comes back with the table: RESTORE TABLE or CREATE what it needs first"
        }
        _ => {
            return format!(
                "DROP what is in the way, or the table: RESTORE TABLE {table} brings it back then"
            );
        }
    };
    hint.to_owned()
}

/// Puts a table of one shape, with its indexes and triggers, into another in the place of the
/// one called so.
fn take_table(shape: &mut Shape, from: &Shape, wanted: &TableShape, mine: Option<&TableShape>) {
    let gone: Vec<ObjectId> = mine.map(|table| table.id).into_iter().chain([wanted.id]).collect();
    shape.tables.retain(|table| !gone.contains(&table.id));
    shape.tables.push(wanted.clone());
    let is_of =
        |ids: &[ObjectId], text: &TextShape| text.hangs_on.is_some_and(|on| ids.contains(&on));
    for (texts, other) in
        [(&mut shape.indexes, &from.indexes), (&mut shape.triggers, &from.triggers)]
    {
        texts.retain(|text| !is_of(&gone, text));
        let theirs = other.iter().filter(|text| is_of(&[wanted.id], text));
        texts.extend(theirs.cloned());
    }
    if let Some(mine) = mine.filter(|mine| mine.id != wanted.id) {
        lead_to(shape, mine, wanted);
    }
}

/// Lets the triggers that come along with a table mention what the schema has by the names in
/// them, as CREATE TRIGGER would. One that needs what is not there stays behind; says which, and
/// why. What the schema has of it already stays as it is.
fn fit_triggers(shape: &mut Shape, ours: &Shape, from: &Shape, wanted: ObjectId) -> Vec<String> {
    let mut left_out = Vec::new();
    let is_of = |text: &TextShape| text.hangs_on == Some(wanted);
    let (coming, mut triggers): (Vec<_>, Vec<_>) =
        std::mem::take(&mut shape.triggers).into_iter().partition(is_of);
    for trigger in coming {
        match fitted(trigger.clone(), shape, from) {
            Ok(fitted) => triggers.push(fitted),
            Err(why) => {
                let own = ours.triggers.iter().find(|own| own.id == trigger.id);
                match own {
                    Some(own) => triggers.push(own.clone()),
                    None => left_out.push(format!("trigger {}: {why}", trigger.name)),
                }
            }
        }
    }
    triggers.sort_by_key(|trigger| trigger.id);
    shape.triggers = triggers;
    left_out
}

/// A trigger of another schema as this one has it, or what it lacks.
fn fitted(mut trigger: TextShape, shape: &Shape, from: &Shape) -> Result<TextShape, String> {
    let is_here =
        |id: ObjectId| shape.table(id).is_some() || shape.views.iter().any(|view| view.id == id);
    for object in trigger.objects.iter_mut().filter(|object| !is_here(**object)) {
        let old = from.table(*object);
        let view = from.views.iter().find(|view| view.id == *object);
        let name = old.map(|table| &table.name).or_else(|| view.map(|view| &view.name));
        let Some(name) = name else { continue };
        let columns = old.map(|table| table.columns.as_slice()).unwrap_or_default();
        if let Some(table) = shape.table_named(name) {
            for id in &mut trigger.columns {
                let Some(column) = columns.iter().find(|column| column.id == *id) else { continue };
                let lacks = || format!("table {name} has no column {}", column.name);
                *id = table.column_named(&column.name).ok_or_else(lacks)?.id;
            }
            *object = table.id;
        } else if let Some(view) =
            shape.views.iter().find(|view| view.name.eq_ignore_ascii_case(name))
        {
            trigger.columns.retain(|id| columns.iter().all(|column| column.id != *id));
            *object = view.id;
        } else {
            return Err(format!("there is no table {name}"));
        }
    }
    for table in &from.tables {
        let Some(own) = shape.table(table.id) else { continue };
        for column in table.columns.iter().filter(|column| trigger.columns.contains(&column.id)) {
            if own.column(column.id).is_none() {
                return Err(format!("table {} has no column {}", own.name, column.name));
            }
        }
    }
    Ok(trigger)
}

/// Lets what mentions a table mention another one that takes its name, as after DROP and CREATE:
/// columns are found by their names. What mentions a column that the other table has not is left,
/// and is in the way.
fn lead_to(shape: &mut Shape, mine: &TableShape, wanted: &TableShape) {
    let other = |id: ColumnId| {
        let Some(old) = mine.columns.iter().find(|column| column.id == id) else { return Some(id) };
        let mut columns = wanted.columns.iter();
        columns.find(|it| it.name.eq_ignore_ascii_case(&old.name)).map(|column| column.id)
    };
    for text in shape.views.iter_mut().chain(&mut shape.triggers) {
        let columns: Option<Vec<ColumnId>> = text.columns.iter().map(|id| other(*id)).collect();
        if let Some(columns) = columns {
            text.columns = columns;
            let mentions = text.objects.iter_mut().filter(|object| **object == mine.id);
            mentions.for_each(|object| *object = wanted.id);
        }
    }
    let constraints = shape.tables.iter_mut().flat_map(|table| &mut table.constraints);
    for key in constraints.filter_map(|constraint| constraint.foreign_key.as_mut()) {
        let columns: Option<Vec<ColumnId>> = key.columns.iter().map(|id| other(*id)).collect();
        if key.parent == Some(mine.id)
            && let Some(columns) = columns
        {
            (key.parent, key.columns) = (Some(wanted.id), columns);
        }
    }
}
