//! INSERT and REPLACE: which columns get which values, and where these come from.
//!
//! Neighbours: `upsert` binds ON CONFLICT, `crate::modify::insert` runs the plan.

use pandodb_ds::sync::Arc;
use smallvec::SmallVec;

use super::upsert::upsert_plan;
use super::writer::{check_actions, default_value, table_writer};
use super::{check_writable, returning};
use crate::ast::{self, ConflictAction, InsertSource};
use crate::bind::{Binder, Block, is_rowid_name};
use crate::catalog::Table;
use crate::error::{Error, ErrorKind, Result};
use crate::modify::foreign_key::{Concern, Touched};
use crate::modify::insert::DirectUpsert;
use crate::modify::trigger::Change;
use crate::modify::{
    IndexWriter, InsertPlan, ModifyKind, ModifyPlan, TableWriter, UpsertPlan, UpsertTarget,
};
use crate::plan::{Layout, Node};
use crate::scalar::Scalar;

pub(super) fn insert_plan(
    binder: &mut Binder<'_>,
    insert: &ast::Insert,
    table: &Arc<Table>,
) -> Result<ModifyPlan> {
    check_writable(binder, table)?;
    let writer = table_writer(binder, table, Change::Insert, insert.conflict)?;
    let (columns, rowid_place) = insert_columns(binder, insert, table)?;
    let (block, is_values) = insert_source(binder, insert, table, &columns)?;
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
    let alias = table.rowid_alias();
    let names_rowid = !matches!(insert.source, InsertSource::DefaultValues)
        && (rowid_place.is_some() || (alias.is_some() && columns.contains(&alias)));
    let mut upserts = Vec::with_capacity(insert.upserts.len());
    for upsert in &insert.upserts {
        upserts.push(upsert_plan(binder, upsert, insert, &writer)?);
    }
    let returning = returning(binder, &insert.returning, &writer)?;
    let is_simple = is_values || is_single_scan(&block.root);
    let buffered = !is_simple
        || (!is_values && !writer.triggers.is_empty())
        || values.iter().any(|value| !is_values && value.has_subquery())
        || (!matches!(block.root, Node::Once(_))
            && sees_rows(&block.root, &values, !writer.triggers.is_empty() || returning.is_some()));
    let is_plain = insert.conflict.is_none_or(|action| action == ConflictAction::Abort)
        && rowid_place.is_none()
        && upserts.is_empty()
        && returning.is_none()
        && writer.inserts_plainly();
    let mut plan = InsertPlan {
        writer: Arc::new(writer),
        input: block.root,
        values,
        names_rowid,
        rowid: rowid_place.map(|place| block.outputs[place].clone()),
        conflict: insert.conflict,
        upserts,
        buffered,
        is_plain,
        is_single_write: false,
        direct: None,
    };
    plan.direct = DirectUpsert::of(&plan).filter(|_| returning.is_none());
    let may_replace = may_replace(&plan, insert.conflict);
    plan.is_single_write = is_values
        && returning.is_none()
        && !binder.in_trigger
        && writes_one_row(&plan, may_replace);
    let mut fired = Vec::new();
    if may_replace {
        check_actions(binder, &plan.writer, Touched::Row, &mut fired)?;
    }
    for upsert in &plan.upserts {
        let set = set_by(upsert, &plan.writer);
        check_actions(binder, &plan.writer, Touched::Columns(&set), &mut fired)?;
    }
    plan.writer.foreign_keys.check_definitions(Touched::Row, plan.is_single_write)?;
    Ok(ModifyPlan {
        kind: ModifyKind::Insert(Box::new(plan)),
        layout: Layout::default(),
        returning,
        fired,
    })
}

/// Whether a plan adds one row and changes nothing else: neither rows in its way nor, by triggers
/// and keys, those of other tables.
fn writes_one_row(plan: &InsertPlan, may_replace: bool) -> bool {
    let writer = &plan.writer;
    let leaves_keys = |upsert: &UpsertPlan| {
        let set = set_by(upsert, writer);
        upsert.triggers.is_empty() && writer.foreign_keys.concern(&set) == Concern::None
    };
    matches!(plan.input, Node::Once(_))
        && plan.upserts.iter().all(leaves_keys)
        && !writer.triggers.any()
        && !may_replace
}

/// Positions of the columns that an upsert sets.
fn set_by(upsert: &UpsertPlan, writer: &TableWriter) -> SmallVec<[usize; 8]> {
    let set = upsert.assignments.iter().flatten().map(|(column, _)| *column);
    let alias = upsert.rowid.as_ref().and_then(|_| writer.table.rowid_alias());
    let set = set.chain(alias).map(|column| writer.table.columns[column].position);
    writer.and_generated(set, upsert.rowid.is_some())
}

/// Whether rows may be deleted that are in a row's way.
fn may_replace(plan: &InsertPlan, conflict: Option<ConflictAction>) -> bool {
    let writer = &plan.writer;
    let replaces = |own: Option<ConflictAction>| conflict.or(own) == Some(ConflictAction::Replace);
    // A rowid that is not named is a new one.
    let has_key = !writer.table.has_rowid() || plan.names_rowid;
    let key_conflict = writer.table.primary_key.as_ref().and_then(|key| key.conflict);
    let replaces_by = |(place, index): (usize, &IndexWriter)| {
        let is_answered = |upsert: &UpsertPlan| {
            upsert.target.is_none_or(|target| target == UpsertTarget::Index(place))
        };
        index.unique.is_some_and(replaces) && !plan.upserts.iter().any(is_answered)
    };
    (has_key && replaces(key_conflict)) || writer.indexes.iter().enumerate().any(replaces_by)
}

/// Whether what is inserted could show rows that the statement has inserted before: by subqueries,
/// or, where the rows are made before the first of them is `watched` by a trigger or RETURNING, by
/// what a session says of itself. Rows that only stream tell of the row before, as in SQLite.
fn sees_rows(input: &Node, values: &[Scalar], watched: bool) -> bool {
    let sees = |scalar: &Scalar| {
        scalar.any(&mut |node| match node {
            Scalar::Call(call) => watched && !call.function.is_deterministic(),
            node => node.own_subquery().is_some(),
        })
    };
    let sees_input = match input {
        Node::Values(list) => list.rows.iter().flatten().any(sees),
        Node::Filter(filter) => filter.predicates.iter().any(sees),
        _ => false,
    };
    sees_input || values.iter().any(sees)
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
pub(super) fn insert_columns(
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
            Some(index)
                if table.columns[index].generated.is_some() && !binder.environment.is_lenient =>
            {
                let message = format!("cannot INSERT into generated column \"{}\"", name.text);
                return Err(Error::invalid(message).at(name.span));
            }
            // Of the names of the rowid the last counts, of any other column that is named twice
            // the first.
            Some(index) if table.rowid_alias() == Some(index) => {
                forget_rowid(&mut columns, index);
                rowid_place = None;
                columns.push(Some(index));
            }
            Some(index) if columns.contains(&Some(index)) => columns.push(None),
            Some(index) => columns.push(Some(index)),
            None if table.has_rowid() && is_rowid_name(&name.text) => {
                if let Some(alias) = table.rowid_alias() {
                    forget_rowid(&mut columns, alias);
                }
                rowid_place = Some(place);
                columns.push(None);
            }
            None if binder.environment.is_lenient => columns.push(None),
            None => {
                let message = format!("table {} has no column named {}", table.name, name.text);
                let error = Error::new(ErrorKind::NotFound, message).at(name.span);
                return Err(crate::suggest::hinting_column(error, &name.text, table));
            }
        }
    }
    Ok((columns, rowid_place))
}

/// Takes back that a value is for the rowid by the column that is its alias.
fn forget_rowid(columns: &mut [Option<usize>], alias: usize) {
    columns.iter_mut().filter(|column| **column == Some(alias)).for_each(|column| *column = None);
}

pub(super) fn insert_source(
    binder: &mut Binder<'_>,
    insert: &ast::Insert,
    table: &Table,
    columns: &[Option<usize>],
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
    let is_one_row =
        is_values && matches!(&select.first, ast::SelectCore::Values(rows) if rows.len() == 1);
    let block = if is_one_row {
        // As in SQLite, one row that is spelled out is no query.
        binder.select_unasked(select, false)
    } else {
        binder.select(select, false)
    };
    if let Some(scopes) = scopes {
        binder.scopes = scopes;
    }
    let mut block = block?;
    let (given, wanted) = (block.outputs.len(), columns.len());
    if binder.environment.is_lenient {
        block.outputs.resize(wanted, Scalar::NULL);
    } else if given != wanted {
        let message = if insert.columns.is_empty() {
            format!("table {} has {wanted} columns but {given} values were supplied", table.name)
        } else {
            format!("{given} values for {wanted} columns")
        };
        return Err(Error::invalid(message).at(select.first.results_span()));
    }
    Ok((block, is_values))
}

// Neighbours: `update`, `upsert`, `view`.
