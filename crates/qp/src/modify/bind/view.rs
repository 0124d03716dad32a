//! Changes of views, and views as tables: what their triggers see.
//!
//! Neighbours: `instead` runs these plans.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::insert::{insert_columns, insert_source};
use super::returning_of;
use super::update::{assigned_names, bind_assignments, check_apart};
use crate::ast::{self, StatementKind};
use crate::bind::{Binder, Group, NameScope, Naming};
use crate::catalog::{Table, View};
use crate::error::{Error, Result};
use crate::modify::instead::InsteadPlan;
use crate::modify::trigger::{Change, Triggers};
use crate::modify::{ModifyKind, ModifyPlan};
use crate::plan::{Layout, QueryParts, finish_select};
use crate::scalar::{Scalar, SlotId};
use crate::types::Affinity;

/// The columns of a view as a table that is nowhere: what OLD and NEW look like.
pub(crate) fn view_as_table(binder: &mut Binder<'_>, view: &Arc<View>) -> Result<Arc<Table>> {
    // Its columns are wanted, not its rows.
    let block = binder.unasked(|binder| binder.view_block(view, false))?;
    let names = crate::bind::unique_names(&block, &view.columns, Naming::View);
    let columns = names
        .into_iter()
        .enumerate()
        .map(|(position, name)| crate::catalog::Column {
            id: crate::catalog::ColumnId(position as u64),
            name,
            position,
            declared_type: shown_type(
                block.columns[position].declared_type.as_deref(),
                &block.outputs[position],
            ),
            affinity: block.outputs[position].affinity(),
            strict_type: None,
            collation: block.outputs[position].collation().unwrap_or_default(),
            not_null: None,
            default: None,
            default_text: None,
            missing: Value::Null,
            generated: None,
            hidden: false,
        })
        .collect::<Vec<_>>();
    Ok(Arc::new(Table {
        id: view.id,
        database: view.database,
        name: view.name.clone(),
        tree: crate::store::TreeId(0),
        stored_columns: columns.len(),
        columns,
        kind: crate::catalog::TableKind::WithoutRowid,
        primary_key: None,
        strict: false,
        counts_alone: false,
        indexes: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
        sql: view.sql.clone(),
    }))
}

/// The type that a view's column shows: the declared one where the values still have its
/// affinity, else that affinity's name.
fn shown_type(declared: Option<&str>, output: &Scalar) -> Box<str> {
    let affinity = output.affinity();
    let of_subquery = match output {
        Scalar::Subquery(call, column) => call.plan.columns.get(usize::from(*column)),
        _ => None,
    };
    let of_subquery = of_subquery.and_then(|column| column.declared_type.as_deref());
    let declared = declared.or(of_subquery).filter(|name| !name.is_empty());
    Box::from(match declared {
        Some(declared) if Affinity::of_type(declared) == affinity => declared,
        _ if affinity == Affinity::Blob => "BLOB",
        _ => affinity.type_name(),
    })
}

/// The columns of a view as a table that is nowhere.
pub fn view_columns(
    environment: &crate::bind::Environment<'_>,
    view: &Arc<View>,
) -> Result<Arc<Table>> {
    let mut binder = Binder::new(environment, Arc::from(&*view.sql));
    view_as_table(&mut binder, view)
}

pub(super) fn instead_plan(
    binder: &mut Binder<'_>,
    statement: &StatementKind,
    view: &Arc<View>,
) -> Result<ModifyPlan> {
    let table = view_as_table(binder, view)?;
    let hint = match statement {
        StatementKind::Update(update) => update.index.as_ref(),
        StatementKind::Delete(delete) => delete.index.as_ref(),
        _ => None,
    };
    if let Some(ast::IndexHint::IndexedBy(name)) = hint {
        return Err(Error::not_found("index", &name.text).at(name.span));
    }
    let names = match statement {
        StatementKind::Update(update) => assigned_names(&update.assignments),
        _ => Vec::new(),
    };
    let change = match statement {
        StatementKind::Insert(_) => Change::Insert,
        StatementKind::Update(_) => Change::Update(&names),
        _ => Change::Delete,
    };
    let triggers = Triggers::of(binder.environment, &table, change);
    if !triggers.has_instead() && !binder.environment.is_lenient {
        let message = format!("cannot modify {} because it is a view", view.name);
        let table = match statement {
            StatementKind::Insert(insert) => Some(&insert.table),
            StatementKind::Update(update) => Some(&update.table),
            StatementKind::Delete(delete) => Some(&delete.table),
            _ => None,
        };
        let span = table.map(ast::TableName::span).unwrap_or_default();
        let hint = "a trigger INSTEAD OF the change can do it";
        return Err(Error::invalid(message).at(span).with_hint(hint));
    }
    let columns = match statement {
        StatementKind::Insert(insert) => &insert.returning,
        StatementKind::Update(update) => &update.returning,
        StatementKind::Delete(delete) => &delete.returning,
        _ => return Err(Error::invalid("not a change")),
    };
    let mut plan = match statement {
        StatementKind::Insert(insert) => instead_insert(binder, insert, &table, triggers)?,
        StatementKind::Update(update) => {
            let from = update.from.as_ref();
            let filter = update.filter.as_ref();
            let set = Some(update.assignments.as_slice());
            let alias = update.alias.as_ref();
            let clauses = ViewClauses { alias, from, filter, set, conflict: update.conflict };
            instead_change(binder, view, &table, triggers, &clauses)?
        }
        StatementKind::Delete(delete) => {
            let (alias, filter) = (delete.alias.as_ref(), delete.filter.as_ref());
            let clauses = ViewClauses { alias, from: None, filter, set: None, conflict: None };
            instead_change(binder, view, &table, triggers, &clauses)?
        }
        _ => return Err(Error::invalid("not a change")),
    };
    plan.row = binder.slot();
    let returning = returning_of(binder, columns, &table, plan.row)?;
    let kind = ModifyKind::Instead(Box::new(plan));
    Ok(ModifyPlan { kind, layout: Layout::default(), returning, fired: Vec::new() })
}

fn instead_insert(
    binder: &mut Binder<'_>,
    insert: &ast::Insert,
    table: &Arc<Table>,
    triggers: Triggers,
) -> Result<InsteadPlan> {
    if !insert.upserts.is_empty() {
        let hint = "a view has no keys that a row could be in the way of";
        return Err(Error::invalid("cannot UPSERT a view").at(insert.table.span()).with_hint(hint));
    }
    let (columns, _) = insert_columns(binder, insert, table)?;
    let (block, _) = insert_source(binder, insert, table, &columns)?;
    let new = (0..table.columns.len())
        .map(|index| {
            let place = columns.iter().position(|column| *column == Some(index));
            place.and_then(|place| block.outputs.get(place).cloned()).unwrap_or(Scalar::NULL)
        })
        .collect();
    Ok(InsteadPlan {
        database: table.database,
        triggers,
        conflict: insert.conflict,
        input: block.root,
        old: None,
        new: Some(new),
        row: SlotId(0),
        affinities: table.columns.iter().map(|column| column.affinity).collect(),
    })
}

/// The clauses of an UPDATE or DELETE of a view.
struct ViewClauses<'a> {
    alias: Option<&'a ast::Name>,
    from: Option<&'a ast::From>,
    filter: Option<&'a ast::Expression>,
    set: Option<&'a [ast::Assignment]>,
    conflict: Option<ast::ConflictAction>,
}

fn instead_change(
    binder: &mut Binder<'_>,
    view: &Arc<View>,
    table: &Arc<Table>,
    triggers: Triggers,
    clauses: &ViewClauses<'_>,
) -> Result<InsteadPlan> {
    let ViewClauses { alias, from, filter, set, conflict } = *clauses;
    let mut scope = NameScope { frame: binder.frame_index(), ..NameScope::default() };
    let mut group = Group::default();
    let block = binder.view_block(view, false)?;
    let name = alias.map_or(&view.name, |alias| &alias.text).clone();
    let names = (&*view.columns, Naming::View);
    binder.derived(block, &name, &view.name, names, &mut scope, &mut group)?;
    scope.tables[0].view = Some(view.clone());
    let old: Vec<Scalar> =
        scope.tables[0].columns.iter().map(|column| column.scalar.clone()).collect();
    let mut is_apart = Ok(());
    if let Some(from) = from {
        let more = binder.from(from, &mut scope)?;
        group.absorb(more);
        is_apart = check_apart(binder, &scope.tables[0], &scope.tables[1..]);
    }
    binder.scopes.push(scope);
    let bound: Result<Option<Vec<Scalar>>> = (|| {
        if let Some(filter) = filter {
            let filter = binder.expression(filter)?;
            group.add_predicate(filter);
        }
        let Some(set) = set else { return Ok(None) };
        let (assigned, _) = bind_assignments(binder, set, table)?;
        let mut new = old.clone();
        for (index, value) in assigned {
            new[index] = value;
        }
        Ok(Some(new))
    })();
    binder.scopes.pop();
    let new = bound?;
    is_apart?;
    let outputs = old.iter().chain(new.iter().flatten()).cloned().collect();
    let parts = QueryParts { group, outputs, ..QueryParts::default() };
    let (input, _, _) = finish_select(binder, parts)?;
    let affinities = table.columns.iter().map(|column| column.affinity).collect();
    let database = table.database;
    let row = SlotId(0);
    let old = Some(old);
    Ok(InsteadPlan { database, triggers, conflict, input, old, new, row, affinities })
}
