//! DELETE: the rows that are meant.
//!
//! Neighbours: `crate::modify::delete` runs the plan.

use pandodb_ds::sync::Arc;

use super::writer::{check_actions, table_writer};
use super::{check_writable, key_outputs, returning, scope_of};
use crate::ast;
use crate::bind::{Binder, Group, Relation, ScopeTable, TableRelation, no_row};
use crate::catalog::Table;
use crate::error::Result;
use crate::modify::cautious::is_single;
use crate::modify::foreign_key::Touched;
use crate::modify::found::{find_in_batches, scans_table};
use crate::modify::trigger::{Change, Triggers};
use crate::modify::{DeletePlan, ModifyKind, ModifyPlan};
use crate::plan::{Layout, Node, QueryParts, finish_select};
use crate::scalar::SlotId;

pub(super) fn delete_plan(
    binder: &mut Binder<'_>,
    delete: &ast::Delete,
    table: &Arc<Table>,
) -> Result<ModifyPlan> {
    check_writable(binder, table)?;
    let mut writer = table_writer(binder, table, Change::Delete, None)?;
    if binder.drops {
        writer.triggers = Triggers::default();
        writer.foreign_keys.keep_for_drop();
    } else {
        writer.foreign_keys.check_definitions(Touched::Row, false)?;
    }
    let mut fired = Vec::new();
    check_actions(binder, &writer, Touched::Row, &mut fired)?;
    let (own, mut relation): (ScopeTable, TableRelation) =
        binder.table_in_from(table, delete.alias.as_ref(), delete.index.as_ref())?;
    let target = relation.slot;
    let is_watched = !writer.triggers.is_empty() || !writer.foreign_keys.is_empty();
    let truncate = delete.filter.is_none()
        && delete.limit.is_none()
        && delete.returning.is_empty()
        && !is_watched;
    if truncate {
        // No row is looked for, so that any index will do.
        relation.hint = None;
    }
    let scope = scope_of(binder, vec![own]);
    let mut group = Group::default();
    group.relations.push(Relation::Table(Box::new(relation)));
    binder.scopes.push(scope);
    let bound = delete_clauses(binder, delete, table, group, target);
    binder.scopes.pop();
    let (mut input, has_subquery) = bound?;
    let returning = returning(binder, &delete.returning, &writer)?;
    // Whoever sees each row sees them in the order of keys, whatever finds them, as in SQLite.
    let is_sorted = returning.is_some() && !scans_table(&input);
    let buffered =
        is_watched || is_sorted || has_subquery || delete.limit.is_some() || !table.has_rowid();
    let is_direct = !buffered && returning.is_none() && writer.deletes_directly();
    if !buffered && !truncate {
        find_in_batches(binder, &mut input, table, target);
    }
    let plan = DeletePlan {
        finds_one: is_single(&input),
        writer: Arc::new(writer),
        input,
        target,
        truncate,
        buffered,
        is_direct,
    };
    Ok(ModifyPlan {
        kind: ModifyKind::Delete(Box::new(plan)),
        layout: Layout::default(),
        returning,
        fired,
    })
}

fn delete_clauses(
    binder: &mut Binder<'_>,
    delete: &ast::Delete,
    table: &Arc<Table>,
    mut group: Group,
    target: SlotId,
) -> Result<(Node, bool)> {
    let mut has_subquery = false;
    if let Some(filter) = &delete.filter {
        let filter = binder.expression(filter)?;
        no_row(&filter)?;
        has_subquery = filter.has_subquery();
        group.add_predicate(filter);
    }
    let outputs = key_outputs(table, target);
    let order_by = binder.sort_keys(&delete.order_by)?;
    let limit = match &delete.limit {
        Some(limit) => Some(binder.limit(limit)?),
        None => None,
    };
    let parts = QueryParts { group, outputs, order_by, limit, ..QueryParts::default() };
    let (node, _, _) = finish_select(binder, parts)?;
    Ok((node, has_subquery))
}

// Neighbours: `insert`, `update`.
