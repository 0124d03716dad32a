//! Which changes look at everything before they write anything.
//!
//! A statement that changes at most one row, fires no trigger and minds no foreign key checks
//! its constraints first and writes last: only a failing disk stops it half-way. It needs no
//! savepoint that keeps the pages as they were, which would copy each page that it touches.
//! Neighbours: `session` chooses the savepoint.

use super::{ModifyKind, ModifyPlan, TableWriter};
use crate::ast::ConflictAction;
use crate::plan::{AccessPath, Node};

impl ModifyPlan {
    /// Whether it writes nothing before it knows that it will succeed.
    pub fn looks_before_it_writes(&self) -> bool {
        if self.returning.is_some() {
            return false;
        }
        match &self.kind {
            ModifyKind::Insert(plan) => {
                plan.upserts.is_empty()
                    && plan.conflict != Some(ConflictAction::Replace)
                    && !plan.writer.table.is_autoincrement()
                    && plan.writer.is_cautious()
                    && is_single(&plan.input)
            }
            ModifyKind::Update(plan) => {
                plan.conflict != Some(ConflictAction::Replace)
                    && plan.writer.is_cautious()
                    && is_single(&plan.input)
            }
            ModifyKind::Delete(plan) => plan.writer.is_cautious() && is_single(&plan.input),
            ModifyKind::Instead(_) => false,
        }
    }
}

impl TableWriter {
    /// Whether a change of one row has no effect elsewhere, and no constraint that makes room.
    fn is_cautious(&self) -> bool {
        let replaces = |action: Option<ConflictAction>| action == Some(ConflictAction::Replace);
        self.triggers.is_empty()
            && self.foreign_keys.is_empty()
            && !replaces(self.table.primary_key.as_ref().and_then(|key| key.conflict))
            && !self.indexes.iter().any(|index| replaces(index.unique.flatten()))
    }
}

/// Whether the rows are at most one, by the shape of the plan alone.
fn is_single(node: &Node) -> bool {
    match node {
        Node::Once(_) | Node::Empty => true,
        Node::Values(values) => values.rows.len() <= 1,
        Node::Scan(scan) => matches!(scan.path, AccessPath::Rowid(_)),
        Node::Filter(filter) => is_single(&filter.input),
        Node::Project(project) => is_single(&project.input),
        _ => false,
    }
}
