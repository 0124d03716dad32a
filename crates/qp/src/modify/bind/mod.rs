//! INSERT, UPDATE and DELETE: from syntax to plans.
//!
//! Neighbours: `crate::bind` binds the queries and expressions in them.

use pandodb_ds::sync::Arc;

mod upsert;
mod view;

pub(crate) use view::view_as_table;
pub use view::view_columns;

use super::foreign_key::ForeignKeys;
use super::trigger::{Change, Triggers};
use upsert::upsert_plan;
use view::instead_plan;

use super::{
    DeletePlan, IndexWriter, InsertPlan, ModifyKind, ModifyPlan, Returning, TableWriter, UpdatePlan,
};
use crate::ast::{self, ConflictAction, InsertSource, StatementKind};
use crate::bind::{Binder, Block, Group, NameScope, Named, Relation, ScopeTable, TableRelation};
use crate::bind::{is_rowid_name, no_row, parts, width};
use crate::catalog::build::constant;
use crate::catalog::{DatabaseIndex, IndexPart, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::VersionName;
use crate::plan::{AccessPath, Layout, Node, QueryParts, SourceId, finish_select};
use crate::scalar::{ColumnPlace, ROWID, Scalar, SlotId};
use crate::types::Affinity;

/// Refuses to change a table of a branch that the session is not on.
fn check_own_branch(binder: &Binder<'_>, table: &ast::TableName, branch: &ast::Name) -> Result<()> {
    let database = match &table.schema {
        Some(schema) => binder.database(schema)?,
        None => DatabaseIndex::MAIN,
    };
    let name = VersionName { database, branch: Some(branch.clone()), as_of: None };
    if binder.environment.versions.find(name)? == database {
        return Ok(());
    }
    let message =
        format!("cannot change {}@{}: it is another branch", table.name.text, branch.text);
    let error = Error::new(ErrorKind::Unsupported, message).at(table.span());
    Err(error.with_hint(format!("USE BRANCH {} first", branch.text)))
}

/// Binds a change; its layout is the frame's that is being built.
pub fn modify_statement(binder: &mut Binder<'_>, statement: &ast::Statement) -> Result<ModifyPlan> {
    let (with, table) = match &statement.kind {
        StatementKind::Insert(insert) => (insert.with.as_ref(), &insert.table),
        StatementKind::Update(update) => (update.with.as_ref(), &update.table),
        StatementKind::Delete(delete) => (delete.with.as_ref(), &delete.table),
        _ => return Err(Error::invalid("not a change")),
    };
    if let Some(branch) = &table.branch {
        check_own_branch(binder, table, branch)?;
    }
    let before = binder.with(with)?;
    let named = binder.named(table.schema.as_ref(), &table.name)?;
    if let Named::Table(known) = &named {
        binder.note_table(known, &table.name);
        if let StatementKind::Insert(insert) = &statement.kind {
            for name in &insert.columns {
                if let Some(index) = known.column_index(&name.text) {
                    binder.note_column(known, index, name);
                }
            }
        }
    }
    let plan = match (&statement.kind, named) {
        (StatementKind::Insert(insert), Named::Table(table)) => insert_plan(binder, insert, &table),
        (StatementKind::Update(update), Named::Table(table)) => update_plan(binder, update, &table),
        (StatementKind::Delete(delete), Named::Table(table)) => delete_plan(binder, delete, &table),
        (kind, Named::View(view)) => instead_plan(binder, kind, &view),
        _ => Err(Error::invalid("not a change")),
    };
    binder.common.truncate(before);
    let mut plan = plan?;
    plan.layout = binder.frame().layout;
    Ok(plan)
}

/// Refuses changes of what the engine makes itself.
fn check_writable(table: &Table) -> Result<()> {
    if table.is_system() {
        return Err(Error::invalid(format!("table {} may not be modified", table.name)));
    }
    Ok(())
}

/// What REPLACE puts in the place of a NULL, by column.
fn null_replacements(
    binder: &mut Binder<'_>,
    table: &Arc<Table>,
    conflict: Option<ConflictAction>,
) -> Result<Vec<(usize, Scalar)>> {
    let mut replacements = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let own = column.not_null.flatten();
        let replaces = conflict.or(own) == Some(ConflictAction::Replace);
        if column.not_null.is_some() && replaces && column.default.is_some() {
            replacements.push((index, default_value(binder, table, index)?));
        }
    }
    Ok(replacements)
}

/// Everything that a table demands, bound over a new row slot.
pub(super) fn table_writer(
    binder: &mut Binder<'_>,
    table: &Arc<Table>,
    change: Change<'_>,
    conflict: Option<ConflictAction>,
) -> Result<TableWriter> {
    let row = binder.slot();
    let mut scope = binder.table_scope(table, row, &table.name, true)?;
    let generated = generated_columns(binder, table, &mut scope)?;
    let mut checks = Vec::with_capacity(table.checks.len());
    for check in &table.checks {
        let bound = binder.over_columns(&mut scope, &check.expression, "CHECK constraints")?;
        if let Change::Update(names) = change
            && !may_change(table, names, &bound)
        {
            continue;
        }
        let name = check.name.clone().unwrap_or_else(|| first_unquoted(&check.text));
        checks.push((name, bound));
    }
    let mut indexes = Vec::with_capacity(table.indexes.len());
    for index in &table.indexes {
        let mut index_parts = Vec::with_capacity(index.columns.len());
        for column in &index.columns {
            index_parts.push(match &column.part {
                IndexPart::Column(place, _) => scope.columns[*place].scalar.clone(),
                IndexPart::Expression(expression) => {
                    binder.over_columns(&mut scope, expression, "index expressions")?
                }
            });
        }
        let filter = match &index.filter {
            Some(filter) => {
                let place = "partial index WHERE clauses";
                Some(binder.over_columns(&mut scope, filter, place)?)
            }
            None => None,
        };
        let unique = index.unique;
        let is_untouched = match change {
            Change::Update(names) => {
                let mut read = index_parts.iter().chain(&filter);
                !read.any(|expression| may_change(table, names, expression))
            }
            _ => false,
        };
        let index = index.clone();
        indexes.push(IndexWriter { index, parts: index_parts, filter, unique, is_untouched });
    }
    let replacements = null_replacements(binder, table, conflict)?;
    // What takes the place of a NULL may be in a column that is not assigned.
    for index in &mut indexes {
        index.is_untouched &= replacements.is_empty();
    }
    let environment = binder.environment;
    let foreign_keys = match binder.schema(table.database) {
        Some(schema) if environment.foreign_keys => ForeignKeys::of(&schema, table),
        _ => ForeignKeys::default(),
    };
    Ok(TableWriter {
        table: table.clone(),
        source: SourceId(table.database.0),
        row,
        generated,
        checks,
        indexes,
        replacements,
        triggers: Triggers::of(environment, table, change),
        replaced: Triggers::of(environment, table, Change::Delete),
        foreign_keys,
    })
}

/// Generated columns in an order in which each finds what it reads.
fn generated_columns(
    binder: &mut Binder<'_>,
    table: &Arc<Table>,
    scope: &mut ScopeTable,
) -> Result<Vec<(usize, Scalar)>> {
    let mut waiting = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        if let Some(generated) = &column.generated {
            let bound = binder.over_columns(scope, &generated.expression, "generated columns")?;
            waiting.push((index, bound));
        }
    }
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let positions: Vec<u16> =
            waiting.iter().map(|(index, _)| table.columns[*index].position as u16).collect();
        let ready = waiting.iter().position(|(_, bound)| {
            let mut free = true;
            bound.columns(&mut |place| free = free && !positions.contains(&place.column));
            free
        });
        let Some(ready) = ready else {
            let name = &table.columns[waiting[0].0].name;
            return Err(Error::invalid(format!("generated column loop on \"{name}\"")));
        };
        ordered.push(waiting.remove(ready));
    }
    Ok(ordered)
}

/// What a column gets that the statement gives no value.
fn default_value(binder: &mut Binder<'_>, table: &Table, index: usize) -> Result<Scalar> {
    let Some(default) = &table.columns[index].default else { return Ok(Scalar::NULL) };
    if let Some(value) = constant(default) {
        return Ok(Scalar::Literal(value));
    }
    let scopes = std::mem::take(&mut binder.scopes);
    let text = std::mem::replace(&mut binder.text, Arc::from(&*table.sql));
    let bound = binder.expression(default);
    binder.scopes = scopes;
    binder.text = text;
    bound
}

fn insert_plan(
    binder: &mut Binder<'_>,
    insert: &ast::Insert,
    table: &Arc<Table>,
) -> Result<ModifyPlan> {
    check_writable(table)?;
    let writer = table_writer(binder, table, Change::Insert, insert.conflict)?;
    writer.foreign_keys.broken(table, |_| true)?;
    let (columns, rowid_place) = insert_columns(binder, insert, table)?;
    let (block, is_values) = insert_source(binder, insert, table, &columns, rowid_place)?;
    let mut values = Vec::with_capacity(table.columns.len());
    for index in 0..table.columns.len() {
        let place = columns.iter().position(|column| *column == Some(index));
        values.push(match place {
            Some(place) if matches!(insert.source, InsertSource::Select(_)) => {
                block.outputs[place].clone()
            }
            _ if table.columns[index].generated.is_some() => Scalar::NULL,
            // A rowid has no default but the next one.
            _ if table.rowid_alias() == Some(index) => Scalar::NULL,
            _ => default_value(binder, table, index)?,
        });
    }
    let rowid = rowid_place.map(|place| block.outputs[place].clone());
    let mut upserts = Vec::with_capacity(insert.upserts.len());
    for upsert in &insert.upserts {
        upserts.push(upsert_plan(binder, upsert, insert, &writer)?);
    }
    let returning = returning(binder, &insert.returning, &writer)?;
    let is_simple = is_values || is_single_scan(&block.root);
    let buffered = !is_simple
        || (!is_values && !writer.triggers.is_empty())
        || values.iter().any(|value| !is_values && value.has_subquery());
    let is_plain = insert.conflict.is_none_or(|action| action == ConflictAction::Abort)
        && rowid.is_none()
        && upserts.is_empty()
        && returning.is_none()
        && writer.inserts_plainly();
    let plan = InsertPlan {
        writer: Arc::new(writer),
        input: block.root,
        values,
        rowid,
        conflict: insert.conflict,
        upserts,
        buffered,
        is_plain,
    };
    Ok(ModifyPlan {
        kind: ModifyKind::Insert(Box::new(plan)),
        layout: Layout::default(),
        returning,
    })
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

/// Whether a node reads one tree from start to end and nothing else.
fn is_single_scan(node: &Node) -> bool {
    match node {
        Node::Scan(_) | Node::Once(_) | Node::Values(_) | Node::Function(_) => true,
        Node::Filter(filter) => {
            is_single_scan(&filter.input) && !filter.predicates.iter().any(Scalar::has_subquery)
        }
        _ => false,
    }
}

/// The columns that the values are for, in the values' order; and which value is the rowid.
fn insert_columns(
    binder: &Binder<'_>,
    insert: &ast::Insert,
    table: &Table,
) -> Result<(Vec<Option<usize>>, Option<usize>)> {
    let mut rowid_place = None;
    if insert.columns.is_empty() {
        let all = table.columns.iter().enumerate();
        let columns = all
            .filter(|(_, column)| column.generated.is_none() && !column.hidden)
            .map(|(index, _)| Some(index))
            .collect();
        return Ok((columns, None));
    }
    let mut columns = Vec::with_capacity(insert.columns.len());
    for (place, name) in insert.columns.iter().enumerate() {
        match table.column_index(&name.text) {
            Some(index) if table.columns[index].generated.is_some() => {
                let message = format!("cannot INSERT into generated column \"{}\"", name.text);
                return Err(Error::invalid(message).at(name.span));
            }
            // Of a column that is named twice the first counts.
            Some(index) if columns.contains(&Some(index)) => columns.push(None),
            Some(index) => columns.push(Some(index)),
            None if table.has_rowid() && is_rowid_name(&name.text) => {
                rowid_place = Some(place);
                columns.push(None);
            }
            None if binder.environment.is_lenient => columns.push(None),
            None => {
                let message = format!("table {} has no column named {}", table.name, name.text);
                return Err(Error::new(ErrorKind::NotFound, message).at(name.span));
            }
        }
    }
    Ok((columns, rowid_place))
}

fn insert_source(
    binder: &mut Binder<'_>,
    insert: &ast::Insert,
    table: &Table,
    columns: &[Option<usize>],
    rowid_place: Option<usize>,
) -> Result<(Block, bool)> {
    let InsertSource::Select(select) = &insert.source else {
        let root = Node::Once(binder.state());
        return Ok((Block { root, ..Block::default() }, true));
    };
    let is_values = matches!(&select.first, ast::SelectCore::Values(_))
        && select.compounds.is_empty()
        && select.order_by.is_empty()
        && select.limit.is_none();
    let scopes = if binder.in_trigger { None } else { Some(std::mem::take(&mut binder.scopes)) };
    let block = binder.select(select, false);
    if let Some(scopes) = scopes {
        binder.scopes = scopes;
    }
    let block = block?;
    let (given, wanted) = (block.outputs.len(), columns.len());
    if given != wanted {
        let message = if insert.columns.is_empty() {
            format!("table {} has {wanted} columns but {given} values were supplied", table.name)
        } else {
            format!("{given} values for {wanted} columns")
        };
        return Err(Error::invalid(message));
    }
    let _ = rowid_place;
    Ok((block, is_values))
}

/// A scope with one table.
fn scope_of(binder: &Binder<'_>, tables: Vec<ScopeTable>) -> NameScope {
    NameScope { frame: binder.frame_index(), tables, ..NameScope::default() }
}

type Assignments = (Vec<(usize, Scalar)>, Option<Scalar>);

/// SET: which columns get what. Of a column that is set twice the last counts.
fn bind_assignments(
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
            match table.column_index(&name.text) {
                Some(index) if table.columns[index].generated.is_some() => {
                    let message = format!("cannot UPDATE generated column \"{}\"", name.text);
                    return Err(Error::invalid(message).at(name.span));
                }
                Some(index) if table.rowid_alias() == Some(index) => rowid = Some(value),
                Some(index) => {
                    set.retain(|(known, _)| *known != index);
                    set.push((index, value));
                }
                None if table.has_rowid() && is_rowid_name(&name.text) => rowid = Some(value),
                None if binder.environment.is_lenient => {}
                None => {
                    return Err(Error::not_found("column", &name.text).at(name.span));
                }
            }
        }
    }
    Ok((set, rowid))
}

/// Names of the columns that are set, for `UPDATE OF`.
fn assigned_names(assignments: &[ast::Assignment]) -> Vec<Box<str>> {
    assignments.iter().flat_map(|one| &one.columns).map(|name| name.text.clone()).collect()
}

fn returning(
    binder: &mut Binder<'_>,
    columns: &[ast::ResultColumn],
    writer: &TableWriter,
) -> Result<Option<Returning>> {
    if columns.is_empty() {
        return Ok(None);
    }
    // As in SQLite the table has its own name here, whatever it was called before.
    let own = binder.table_scope(&writer.table, writer.row, &writer.table.name, true)?;
    let scope = scope_of(binder, vec![own]);
    let first_subquery = binder.frame().layout.subqueries;
    binder.scopes.push(scope);
    let bound = binder.items(columns).and_then(|items| {
        let (mut outputs, mut columns) = (Vec::new(), Vec::new());
        for item in &items {
            let (output, column) = binder.item(item)?;
            no_row(&output)?;
            outputs.push(output);
            columns.push(column);
        }
        Ok(Returning { outputs, columns, first_subquery })
    });
    binder.scopes.pop();
    bound.map(Some)
}

/// A constraint's text as SQLite names it in errors: of one that begins with a quoted name only
/// that name, without its quotes.
fn first_unquoted(text: &str) -> Box<str> {
    let close = match text.chars().next() {
        Some(quote @ ('"' | '`' | '\'')) => quote,
        Some('[') => ']',
        _ => return Box::from(text),
    };
    let mut name = String::new();
    let mut rest = text[1..].chars().peekable();
    while let Some(letter) = rest.next() {
        if letter == close && (close == ']' || rest.next_if_eq(&close).is_none()) {
            break;
        }
        name.push(letter);
    }
    name.into_boxed_str()
}

/// Whether a CHECK or an index reads what an UPDATE of these columns changes.
fn may_change(table: &Table, names: &[Box<str>], check: &Scalar) -> bool {
    let mut changes = false;
    check.columns(&mut |place| {
        let position = usize::from(place.column);
        let column = table.columns.iter().find(|column| column.position == position);
        changes |= match column {
            _ if place.column == ROWID => true,
            // What a generated column reads may have changed.
            Some(column) => {
                column.generated.is_some()
                    || names.iter().any(|name| name.eq_ignore_ascii_case(&column.name))
            }
            None => true,
        };
    });
    changes || check.has_subquery()
}

/// What tells a row of a slot: its rowid, or the columns of its key.
fn key_outputs(table: &Table, slot: SlotId) -> Vec<Scalar> {
    let column = |column: u16| {
        Scalar::Column(ColumnPlace {
            depth: 0,
            slot,
            column,
            affinity: Affinity::None,
            collation: pandodb_ds::record::Collation::Binary,
        })
    };
    if table.has_rowid() {
        return vec![column(ROWID)];
    }
    table.columns.iter().map(|own| column(own.position as u16)).collect()
}

fn update_plan(
    binder: &mut Binder<'_>,
    update: &ast::Update,
    table: &Arc<Table>,
) -> Result<ModifyPlan> {
    check_writable(table)?;
    let names = assigned_names(&update.assignments);
    let writer = table_writer(binder, table, Change::Update(&names), update.conflict)?;
    writer.foreign_keys.broken(table, |column| {
        names.iter().any(|name| name.eq_ignore_ascii_case(&table.columns[column].name))
    })?;
    let (own, relation) =
        binder.table_in_from(table, update.alias.as_ref(), update.index.as_ref())?;
    let target = relation.slot;
    let mut scope = scope_of(binder, vec![own]);
    let mut group = Group::default();
    group.relations.push(Relation::Table(Box::new(relation)));
    if let Some(from) = &update.from {
        let mut others = scope_of(binder, Vec::new());
        let more = binder.from(from, &mut others)?;
        if !from.joins.is_empty() {
            check_sources(binder, &others)?;
        }
        scope.tables.append(&mut others.tables);
        group.absorb(more);
    }
    binder.scopes.push(scope);
    let bound = update_clauses(binder, update, table, group, target);
    binder.scopes.pop();
    let ((assignments, rowid), input, has_subquery) = bound?;
    let returning = returning(binder, &update.returning, &writer)?;
    let buffered = update.from.is_some()
        || update.limit.is_some()
        || !writer.triggers.is_empty()
        || !writer.foreign_keys.is_empty()
        || has_subquery
        || update.conflict == Some(ConflictAction::Replace)
        || rowid.is_some()
        || !table.has_rowid();
    let in_key_order = update.limit.is_none() && visits_all(&input);
    let is_direct = !buffered && returning.is_none() && writer.updates_directly();
    let plan = UpdatePlan {
        is_direct,
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
    })
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
        let database = table.database.or(home).and_then(|index| {
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

fn delete_plan(
    binder: &mut Binder<'_>,
    delete: &ast::Delete,
    table: &Arc<Table>,
) -> Result<ModifyPlan> {
    check_writable(table)?;
    let writer = table_writer(binder, table, Change::Delete, None)?;
    writer.foreign_keys.broken(table, |_| true)?;
    let (own, relation): (ScopeTable, TableRelation) =
        binder.table_in_from(table, delete.alias.as_ref(), delete.index.as_ref())?;
    let target = relation.slot;
    let scope = scope_of(binder, vec![own]);
    let mut group = Group::default();
    group.relations.push(Relation::Table(Box::new(relation)));
    binder.scopes.push(scope);
    let bound = delete_clauses(binder, delete, table, group, target);
    binder.scopes.pop();
    let (input, has_subquery) = bound?;
    let returning = returning(binder, &delete.returning, &writer)?;
    let is_watched = !writer.triggers.is_empty() || !writer.foreign_keys.is_empty();
    let truncate =
        delete.filter.is_none() && delete.limit.is_none() && returning.is_none() && !is_watched;
    let buffered = is_watched || has_subquery || delete.limit.is_some() || !table.has_rowid();
    let is_direct = !buffered && returning.is_none() && writer.deletes_directly();
    let plan =
        DeletePlan { writer: Arc::new(writer), input, target, truncate, buffered, is_direct };
    Ok(ModifyPlan {
        kind: ModifyKind::Delete(Box::new(plan)),
        layout: Layout::default(),
        returning,
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
