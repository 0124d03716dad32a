//! UPDATE: SET, FROM and the rows that are meant.
//!
//! Neighbours: `upsert` and `view` bind assignments as they are bound here,
//! `crate::modify::update` runs the plan.

use pandodb_ds::sync::Arc;

use super::writer::{check_actions, table_writer};
use super::{check_writable, key_outputs, returning, scope_of};
use crate::ast::{self, ConflictAction};
use crate::authorize::AuthAction;
use crate::bind::{Binder, Group, NameScope, Relation, ScopeTable};
use crate::bind::{is_rowid_name, no_row, parts, width};
use crate::catalog::{IndexColumn, Table, Trigger};
use crate::error::{Error, ErrorKind, Result};
use crate::modify::cautious::is_single;
use crate::modify::foreign_key::{Concern, Touched};
use crate::modify::found::{find_in_batches, scans_table};
use crate::modify::trigger::Change;
use crate::modify::{IndexWriter, ModifyKind, ModifyPlan, TableWriter, UpdatePlan};
use crate::plan::{AccessPath, Layout, Node, QueryParts, finish_select};
use crate::scalar::{Scalar, SlotId};

pub(super) fn update_plan(
    binder: &mut Binder<'_>,
    update: &ast::Update,
    table: &Arc<Table>,
) -> Result<ModifyPlan> {
    check_writable(binder, table)?;
    let names = assigned_names(&update.assignments);
    let writer = table_writer(binder, table, Change::Update(&names), update.conflict)?;
    let fired = check_keys(binder, update, table, &names, &writer)?;
    let (own, relation) =
        binder.table_in_from(table, update.alias.as_ref(), update.index.as_ref())?;
    let target = relation.slot;
    let mut scope = scope_of(binder, vec![own]);
    let mut group = Group::default();
    group.relations.push(Relation::Table(Box::new(relation)));
    let is_apart = match &update.from {
        Some(from) => sources(binder, from, &mut scope, &mut group)?,
        None => Ok(()),
    };
    binder.scopes.push(scope);
    let bound = update_clauses(binder, update, table, group, target);
    let bound = match &update.from {
        // With other tables beside it, it is a query.
        Some(_) => bound.and_then(|bound| binder.may_name_tables().map(|()| bound)),
        None => bound,
    };
    binder.scopes.pop();
    let ((assignments, rowid), mut input, has_subquery) = bound?;
    is_apart?;
    let returning = returning(binder, &update.returning, &writer)?;
    let buffered = update.from.is_some()
        || update.limit.is_some()
        || !writer.triggers.is_empty()
        || !writer.foreign_keys.is_empty()
        || has_subquery
        || update.conflict == Some(ConflictAction::Replace)
        || rowid.is_some()
        || !table.has_rowid();
    // Whoever sees each row sees them in the order of keys, whatever finds them, as in SQLite.
    let is_seen = !writer.triggers.is_empty()
        || !writer.foreign_keys.is_empty()
        || update.limit.is_some()
        || returning.is_some();
    let in_key_order = is_seen || visits_all(&input);
    // Whether a row is in another's way depends on which is changed first.
    let buffered = buffered || (in_key_order && !scans_table(&input));
    let is_direct = !buffered && returning.is_none() && writer.updates_directly();
    if !buffered {
        find_in_batches(binder, &mut input, table, target);
    }
    let plan = UpdatePlan {
        is_direct,
        finds_one: is_single(&input),
        writer: Arc::new(writer),
        input,
        target,
        assignments,
        rowid,
        conflict: update.conflict,
        buffered,
        late: update.from.is_none(),
        in_key_order,
    };
    Ok(ModifyPlan {
        kind: ModifyKind::Update(Box::new(plan)),
        layout: Layout::default(),
        returning,
        fired,
    })
}

/// Adds what stands in FROM; whether the target is told apart from it, which is said last.
fn sources(
    binder: &mut Binder<'_>,
    from: &ast::From,
    scope: &mut NameScope,
    group: &mut Group,
) -> Result<Result<()>> {
    let mut others = scope_of(binder, Vec::new());
    let more = binder.from(from, &mut others)?;
    if !from.joins.is_empty() {
        check_sources(binder, &others)?;
    }
    let is_apart = check_apart(binder, &scope.tables[0], &others.tables);
    scope.tables.append(&mut others.tables);
    group.absorb(more);
    if !binder.may(AuthAction::Select, None)? {
        group.add_predicate(Scalar::NULL);
    }
    Ok(is_apart)
}

/// Refuses an UPDATE that would ask for what foreign keys name and is not there; the triggers that
/// their actions may fire.
fn check_keys(
    binder: &Binder<'_>,
    update: &ast::Update,
    table: &Table,
    names: &[Box<str>],
    writer: &TableWriter,
) -> Result<Vec<Arc<Trigger>>> {
    let sets_rowid = table.has_rowid()
        && names.iter().any(|name| match table.column_index(name) {
            Some(index) => table.rowid_alias() == Some(index),
            None => is_rowid_name(name),
        });
    let indexes: Vec<usize> = names.iter().filter_map(|name| table.column_index(name)).collect();
    let is_key = |part: &IndexColumn| part.column().is_some_and(|index| indexes.contains(&index));
    let sets_key = sets_rowid || (!table.has_rowid() && table.key_columns().iter().any(is_key));
    let alias = table.rowid_alias().filter(|_| sets_rowid);
    let set = indexes.iter().copied().chain(alias);
    let set = set.map(|index| table.columns[index].position);
    let set = writer.and_generated(set, sets_rowid);
    let concern = writer.foreign_keys.concern(&set);
    // Rows that are replaced go with whatever foreign keys they have.
    let replaces =
        |own: Option<ConflictAction>| update.conflict.or(own) == Some(ConflictAction::Replace);
    let moves = sets_key || concern == Concern::LooksBetween;
    let is_touched = |index: &IndexWriter| {
        index.filter.is_some()
            || index.index.has_expressions()
            || index.index.columns.iter().any(is_key)
    };
    let may_replace = (sets_key
        && replaces(table.primary_key.as_ref().and_then(|key| key.conflict)))
        || writer
            .indexes
            .iter()
            .any(|index| (moves || is_touched(index)) && index.unique.is_some_and(replaces));
    let mut fired = Vec::new();
    check_actions(binder, writer, Touched::Columns(&set), &mut fired)?;
    if may_replace {
        check_actions(binder, writer, Touched::Row, &mut fired)?;
        writer.foreign_keys.check_definitions(Touched::Row, false)?;
    } else if concern != Concern::None {
        writer.foreign_keys.check_definitions(Touched::Columns(&set), false)?;
    }
    Ok(fired)
}

/// Refuses several sources of UPDATE ... FROM whose columns cannot be told apart, used or not: in
/// SQLite they are one nested table, all of whose columns are named.
fn check_sources(binder: &Binder<'_>, sources: &NameScope) -> Result<()> {
    let named = |name: &str| {
        let columns = sources.tables.iter().flat_map(|table| &table.columns);
        columns.filter(|column| !column.merged && column.name.eq_ignore_ascii_case(name)).count()
    };
    let ambiguous =
        |name: String| Error::new(ErrorKind::Ambiguous, format!("ambiguous column name: {name}"));
    for (place, table) in sources.tables.iter().enumerate() {
        let same = |other: &&ScopeTable| other.alias.eq_ignore_ascii_case(&table.alias);
        let Some(other) = sources.tables[..place].iter().find(same) else { continue };
        let both = other.columns.iter().find(|column| {
            let again =
                table.columns.iter().find(|own| own.name.eq_ignore_ascii_case(&column.name));
            again.is_some_and(|own| !own.merged)
        });
        let column = both.map_or("_ROWID_", |column| &column.name);
        let home = table.table.as_ref().map(|table| table.database);
        let database =
            table.database.map(|qualifier| qualifier.database).or(home).and_then(|index| {
                binder.environment.names.get(usize::from(index.0)).map(|name| format!("{name}."))
            });
        let database = database.unwrap_or_default();
        return Err(ambiguous(format!("{database}{}.{column}", table.alias)));
    }
    for table in &sources.tables {
        for column in table.columns.iter().filter(|column| column.merged && !column.hidden) {
            if named(&column.name) > 1 {
                return Err(ambiguous(column.name.to_string()));
            }
        }
    }
    Ok(())
}

/// Refuses what is changed among the sources of UPDATE ... FROM, unless one of the two is called
/// differently. As in SQLite an alias that is the own name makes a difference: of views it is not
/// known any more whether their name is one.
pub(super) fn check_apart(
    binder: &Binder<'_>,
    target: &ScopeTable,
    sources: &[ScopeTable],
) -> Result<()> {
    let is_target = |other: &&ScopeTable| {
        let is_same = match ((&target.table, &other.table), (&target.view, &other.view)) {
            ((Some(own), Some(other)), _) => own.database == other.database && own.id == other.id,
            (_, (Some(own), Some(other))) => own.database == other.database && own.id == other.id,
            _ => false,
        };
        is_same
            && target.is_own_name() == other.is_own_name()
            && target.alias.eq_ignore_ascii_case(&other.alias)
    };
    if binder.environment.is_lenient || !sources.iter().any(|other| is_target(&other)) {
        return Ok(());
    }
    let message = format!("target object/alias may not appear in FROM clause: {}", target.alias);
    Err(Error::invalid(message).with_hint("the change sees its own row without FROM"))
}

fn update_clauses(
    binder: &mut Binder<'_>,
    update: &ast::Update,
    table: &Arc<Table>,
    mut group: Group,
    target: SlotId,
) -> Result<(Assignments, Node, bool)> {
    let (assignments, rowid) = bind_assignments(binder, &update.assignments, table)?;
    let mut has_subquery = assignments.iter().any(|(_, value)| value.has_subquery());
    if let Some(filter) = &update.filter {
        let filter = binder.expression(filter)?;
        no_row(&filter)?;
        has_subquery |= filter.has_subquery();
        group.add_predicate(filter);
    }
    let mut outputs = key_outputs(table, target);
    for value in assignments.iter().map(|(_, value)| value).chain(rowid.iter()) {
        value.columns(&mut |place| {
            if place.depth == 0 {
                outputs.push(Scalar::Column(place));
            }
        });
    }
    let order_by = binder.sort_keys(&update.order_by)?;
    let limit = match &update.limit {
        Some(limit) => Some(binder.limit(limit)?),
        None => None,
    };
    let parts = QueryParts { group, outputs, order_by, limit, ..QueryParts::default() };
    let (node, _, _) = finish_select(binder, parts)?;
    Ok(((assignments, rowid), node, has_subquery))
}

pub(super) type Assignments = (Vec<(usize, Scalar)>, Option<Scalar>);

/// SET: which columns get what. Of a column that is set twice the last counts.
pub(super) fn bind_assignments(
    binder: &mut Binder<'_>,
    assignments: &[ast::Assignment],
    table: &Table,
) -> Result<Assignments> {
    let mut set: Vec<(usize, Scalar)> = Vec::new();
    let mut rowid = None;
    for assignment in assignments {
        let value = binder.expression(&assignment.value)?;
        let values = if assignment.row || assignment.columns.len() > 1 {
            let found = width(&value);
            if found != assignment.columns.len() {
                let wanted = assignment.columns.len();
                let message = format!("{wanted} columns assigned {found} values");
                return Err(Error::invalid(message).at(assignment.value.span));
            }
            parts(value)
        } else {
            no_row(&value)?;
            vec![value]
        };
        for (name, value) in assignment.columns.iter().zip(values) {
            if let Some(index) = table.column_index(&name.text) {
                binder.note_column(table, index, name);
            }
            let index = table.column_index(&name.text);
            let column_name = index.or(table.rowid_alias());
            let column_name = column_name.map_or("ROWID", |index| &*table.columns[index].name);
            let action = AuthAction::Update { table_name: &table.name, column_name };
            let is_named = index.is_some() || (table.has_rowid() && is_rowid_name(&name.text));
            if is_named && !binder.may(action, Some(table.database))? {
                continue;
            }
            let is_lenient = binder.environment.is_lenient;
            match index {
                Some(index) if table.columns[index].generated.is_some() && !is_lenient => {
                    let message = format!("cannot UPDATE generated column \"{}\"", name.text);
                    return Err(Error::invalid(message).at(name.span));
                }
                Some(index) if table.rowid_alias() == Some(index) => rowid = Some(value),
                Some(index) => {
                    set.retain(|(known, _)| *known != index);
                    set.push((index, value));
                }
                None if table.has_rowid() && is_rowid_name(&name.text) => rowid = Some(value),
                None if is_lenient => {}
                None => {
                    let error = Error::not_found("column", &name.text).at(name.span);
                    return Err(crate::suggest::hinting_column(error, &name.text, table));
                }
            }
        }
    }
    Ok((set, rowid))
}

/// Names of the columns that are set, for `UPDATE OF`.
pub(super) fn assigned_names(assignments: &[ast::Assignment]) -> Vec<Box<str>> {
    assignments.iter().flat_map(|one| &one.columns).map(|name| name.text.clone()).collect()
}

/// Whether a node looks at every row of one table, in whatever order.
fn visits_all(node: &Node) -> bool {
    match node {
        Node::Scan(scan) => match &scan.path {
            AccessPath::Full => true,
            AccessPath::Index(path) => path.equals.is_empty() && !path.range.is_bounded(),
            _ => false,
        },
        Node::Filter(filter) => visits_all(&filter.input),
        _ => false,
    }
}

// Neighbours: `insert`, `delete`, `upsert`.
