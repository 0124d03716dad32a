//! INSERT, UPDATE and DELETE: rows to checked changes of tables and indexes.
//!
//! A change is a plan: rows from a query, expressions over them, and for each table that is
//! touched a [`TableWriter`] with everything that the table demands, bound over one slot (the
//! *row slot*): generated columns, NOT NULL, CHECK, index keys. What a row going in or out means
//! for other tables (foreign keys, triggers) hangs on the same two moments, [`TableWriter::
//! insert_row`] and [`TableWriter::delete_row`]. All of a statement's changes happen inside one
//! savepoint, so that it is atomic.
//!
//! | file | what |
//! |---|---|
//! | `bind` | statements to plans |
//! | `insert`, `update`, `delete` | the run of each statement |
//! | `found` | rows that are meant, in batches where the table is large |
//! | `writer` | one row into or out of a table with its indexes |
//! | `cautious` | changes that cannot fail half-way |
//! | `direct` | rows that nothing watches, changed in their stored form |
//! | `retype` | rows of a table whose column got another type or default |
//! | `constraint` | what a row must satisfy, and what happens if it does not |
//! | `trigger` | programs of triggers, bound and run |
//! | `foreign_key` | children, parents, actions |
//!
//! Neighbours: `session` runs these, `bind` and `plan` make the queries in them.

mod bind;
mod cautious;
mod constraint;
mod delete;
mod direct;
mod fill;
mod foreign_key;
mod found;
mod insert;
mod instead;
mod retype;
mod sequence;
mod trigger;
mod update;
mod writer;

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

pub use bind::{modify_statement, view_columns};
pub(crate) use constraint::Violation;
pub use fill::{BoundWriter, bind_writer, check_rows, check_table, fill_index};
pub(crate) use foreign_key::{has_parent_key, is_mismatched, mismatch, orphans, quoted};
use insert::DirectUpsert;
pub(crate) use retype::{fill_missing, index_anew, store_anew};
pub use sequence::{SEQUENCE_TABLE, counter_of};
pub(crate) use trigger::trigger_program;
pub use trigger::{
    Compiler, TriggerProgram, TriggerStatement, bind_trigger, is_asleep, trigger_subject,
};
pub use writer::{IndexWriter, RowKey, TableWriter};

use crate::ast::ConflictAction;
use crate::error::Result;
use crate::execute::{Frame, Outer};
use crate::plan::{Layout, Node, OutputColumn};
use crate::scalar::{Scalar, SlotId};

/// Runs `look`, which finds out whether a constraint on a table holds: at the levels that see one
/// moment, what it saw must be as it was when the transaction commits.
fn checking<R>(
    writer: &TableWriter,
    outer: Outer<'_>,
    look: impl FnOnce() -> Result<R>,
) -> Result<R> {
    let transaction = outer.context.transaction(writer.source)?;
    let is_noted = transaction.borrow().begin_check()?;
    let outcome = look();
    if is_noted {
        transaction.borrow().end_check();
    }
    outcome
}

/// A text as SQL writes it.
pub(crate) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A change, ready to run.
#[derive(Debug)]
pub struct ModifyPlan {
    /// What is done.
    pub kind: ModifyKind,
    /// What a frame for it holds.
    pub layout: Layout,
    /// RETURNING
    pub returning: Option<Returning>,
    /// The triggers that actions of foreign keys may fire on other tables.
    pub(crate) fired: Vec<Arc<crate::catalog::Trigger>>,
}

impl ModifyPlan {
    /// Takes the triggers out of an UPDATE that nobody else has; whether that was so.
    pub(crate) fn forget_triggers(&mut self) -> bool {
        let ModifyKind::Update(plan) = &mut self.kind else { return false };
        let writer = Arc::get_mut(&mut plan.writer);
        writer.map(|writer| writer.triggers = trigger::Triggers::default()).is_some()
    }
}

impl ModifyPlan {
    /// Lets an INSERT find no rows, and a DELETE find them one by one.
    fn leave_out(&mut self) {
        match &mut self.kind {
            ModifyKind::Insert(plan) => plan.input = Node::Empty,
            ModifyKind::Delete(plan) => plan.truncate = false,
            ModifyKind::Update(_) | ModifyKind::Instead(_) => {}
        }
    }
}

/// What a change does.
#[derive(Debug)]
pub enum ModifyKind {
    /// `INSERT`
    Insert(Box<InsertPlan>),
    /// `UPDATE`
    Update(Box<UpdatePlan>),
    /// `DELETE`
    Delete(Box<DeletePlan>),
    /// Any of them on a view.
    Instead(Box<instead::InsteadPlan>),
}

/// RETURNING: expressions over the row slot.
#[derive(Debug)]
pub struct Returning {
    /// What is returned.
    pub outputs: Vec<Scalar>,
    /// What it is called.
    pub columns: Vec<OutputColumn>,
    /// The first of its own subqueries; those before it are the change's.
    pub first_subquery: u32,
}

/// `INSERT`
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of the plan for itself")]
pub struct InsertPlan {
    /// Where to.
    pub writer: Arc<TableWriter>,
    /// The rows.
    pub input: Node,
    /// For each column of the table (by index) where its value comes from.
    pub values: Vec<Scalar>,
    /// Whether the rowid is among the columns that the statement names, by any name.
    pub names_rowid: bool,
    /// Where the rowid comes from, if the statement gives it.
    pub rowid: Option<Scalar>,
    /// `OR ..`
    pub conflict: Option<ConflictAction>,
    /// `ON CONFLICT ..`, in order.
    pub upserts: Vec<UpsertPlan>,
    /// The rows must be read before the first is written.
    pub buffered: bool,
    /// Nothing stands between the values and the stored row: it is made of them at once.
    pub is_plain: bool,
    /// It is written to add one row and nothing else.
    pub is_single_write: bool,
    /// Where rows that are there already are changed in their stored form.
    pub direct: Option<DirectUpsert>,
}

/// `ON CONFLICT (..) DO ..`
#[derive(Debug)]
pub struct UpsertPlan {
    /// Which conflict; any without.
    pub target: Option<UpsertTarget>,
    /// `DO UPDATE SET`: column index and value; none for DO NOTHING.
    pub assignments: Option<Vec<(usize, Scalar)>>,
    /// A new rowid, if it is assigned.
    pub rowid: Option<Scalar>,
    /// `WHERE`
    pub filter: Option<Scalar>,
    /// Where the row in the way is.
    pub existing: SlotId,
    /// What fires where it is updated.
    pub(crate) triggers: trigger::Triggers,
}

/// What a conflict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsertTarget {
    /// The rowid or the key of a table without rowid.
    Key,
    /// The index at this place of the table's list.
    Index(usize),
}

/// `UPDATE`
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of the plan for itself")]
pub struct UpdatePlan {
    /// Which table.
    pub writer: Arc<TableWriter>,
    /// The rows to change, in `target`.
    pub input: Node,
    /// The slot with the row that is changed.
    pub target: SlotId,
    /// Column index and value, over the input's slots.
    pub assignments: Vec<(usize, Scalar)>,
    /// A new rowid, if it is assigned.
    pub rowid: Option<Scalar>,
    /// `OR ..`
    pub conflict: Option<ConflictAction>,
    /// The rows must be found before the first is changed.
    pub buffered: bool,
    /// New values are computed when a row's turn comes, not when it is found: they may read what
    /// the rows before it changed.
    pub late: bool,
    /// All rows, in the order of the table whatever is scanned.
    pub in_key_order: bool,
    /// Nothing but the row itself changes: new values go straight into its stored form.
    pub is_direct: bool,
    /// There is one row at most, so that nobody has to stand on it while it changes.
    pub finds_one: bool,
}

/// `DELETE`
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of the plan for itself")]
pub struct DeletePlan {
    /// Which table.
    pub writer: Arc<TableWriter>,
    /// The rows to delete, in `target`.
    pub input: Node,
    /// The slot with the row that is deleted.
    pub target: SlotId,
    /// Everything goes, and nobody asks for single rows.
    pub truncate: bool,
    /// The rows must be found before the first is deleted.
    pub buffered: bool,
    /// Nobody asks for the row but its indexes: it is not taken apart.
    pub is_direct: bool,
    /// There is one row at most, so that nobody has to stand on it while it goes.
    pub finds_one: bool,
}

/// What a change did.
#[derive(Debug, Default)]
pub struct Changes {
    /// Rows changed.
    pub rows: u64,
    /// What RETURNING gives.
    pub returned: Vec<Vec<Value>>,
}

impl ModifyPlan {
    /// Runs the change. Undoing it after an error is the caller's business.
    pub fn run(&self, frame: &mut Frame, outer: Outer<'_>) -> Result<Changes> {
        let mut changes = Changes::default();
        // It may stand inside of a trigger, which that may fire again.
        crate::limits::with_stack(|| {
            crate::limits::with_stack_of(&self.layout, || self.run_into(frame, outer, &mut changes))
        })?;
        Ok(changes)
    }

    /// The triggers that it may fire; with `replacing` also those of rows that it replaces.
    pub(crate) fn triggers(&self, replacing: bool) -> Vec<Arc<crate::catalog::Trigger>> {
        let own: Vec<_> = match &self.kind {
            ModifyKind::Insert(plan) => {
                let sets_key = plan.names_rowid || !plan.writer.table.has_rowid();
                let replaces = replacing && plan.writer.may_replace(plan.conflict, sets_key);
                let updates = plan.upserts.iter().flat_map(|upsert| upsert.triggers.all());
                let replaced = plan.writer.replaced.all().filter(|_| replaces);
                plan.writer.triggers.all().chain(updates).chain(replaced).cloned().collect()
            }
            ModifyKind::Update(plan) => {
                let sets_key = plan.rowid.is_some() || !plan.writer.table.has_rowid();
                let replaces = replacing && plan.writer.may_replace(plan.conflict, sets_key);
                let replaced = plan.writer.replaced.all().filter(|_| replaces);
                plan.writer.triggers.all().chain(replaced).cloned().collect()
            }
            ModifyKind::Delete(plan) => plan.writer.triggers.all().cloned().collect(),
            ModifyKind::Instead(plan) => plan.triggers.all().cloned().collect(),
        };
        own.into_iter().chain(self.fired.iter().cloned()).collect()
    }

    /// Whether it is written to add one row and nothing else.
    pub fn is_single_write(&self) -> bool {
        matches!(&self.kind, ModifyKind::Insert(plan) if plan.is_single_write)
    }

    /// As [`run`](Self::run); `changes` also tells what was done before an error.
    pub fn run_into(
        &self,
        frame: &mut Frame,
        outer: Outer<'_>,
        changes: &mut Changes,
    ) -> Result<()> {
        let returning = self.returning.as_ref();
        match &self.kind {
            ModifyKind::Insert(plan) => plan.run(frame, outer, returning, changes),
            ModifyKind::Update(plan) => plan.run(frame, outer, returning, changes),
            ModifyKind::Delete(plan) => plan.run(frame, outer, returning, changes),
            ModifyKind::Instead(plan) => plan.run(frame, outer, returning, changes),
        }
    }
}

impl Returning {
    /// Keeps what is returned of the row in the row slot.
    fn take(&self, frame: &mut Frame, outer: Outer<'_>, changes: &mut Changes) -> Result<()> {
        // Subqueries see the table as it is now.
        frame.clear_subqueries_from(self.first_subquery);
        let scope = frame.scope(outer);
        let mut row = Vec::with_capacity(self.outputs.len());
        for output in &self.outputs {
            row.push(output.evaluate(&scope)?.into_value());
        }
        changes.returned.push(row);
        Ok(())
    }
}

impl ModifyPlan {
    /// The database that it changes.
    pub fn database(&self) -> crate::catalog::DatabaseIndex {
        match &self.kind {
            ModifyKind::Insert(plan) => plan.writer.table.database,
            ModifyKind::Update(plan) => plan.writer.table.database,
            ModifyKind::Delete(plan) => plan.writer.table.database,
            ModifyKind::Instead(plan) => plan.database,
        }
    }

    /// What it is called, and what it reads.
    pub fn input(&self) -> (String, &crate::plan::Node) {
        match &self.kind {
            ModifyKind::Insert(plan) => {
                (format!("Insert into {}", plan.writer.table.name), &plan.input)
            }
            ModifyKind::Update(plan) => (format!("Update {}", plan.writer.table.name), &plan.input),
            ModifyKind::Delete(plan) => {
                (format!("Delete from {}", plan.writer.table.name), &plan.input)
            }
            ModifyKind::Instead(plan) => ("Run INSTEAD OF triggers".to_owned(), &plan.input),
        }
    }

    /// The lines of EXPLAIN QUERY PLAN.
    pub fn explain(&self) -> Vec<(usize, String)> {
        crate::plan::explain_node(self.input().1)
    }
}
