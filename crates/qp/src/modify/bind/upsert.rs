//! ON CONFLICT: which constraint is meant, and what is done instead.
//!
//! Neighbours: the module above binds the INSERT around it.

use pandodb_ds::record::Collation;
use pandodb_ds::sync::Arc;

use super::scope_of;
use super::update::{assigned_names, bind_assignments};
use crate::ast::{self, ColumnReference, ExpressionKind, Name};
use crate::authorize::AuthAction;
use crate::bind::{
    Asked, Binder, Called, OF_STATEMENT, ScopeTable, english_ordinal, is_rowid_name,
};
use crate::catalog::Table;
use crate::error::{Error, Result};
use crate::modify::trigger::{Change, Triggers};
use crate::modify::{TableWriter, UpsertPlan, UpsertTarget};
use crate::scalar::Scalar;
use crate::span::Span;

/// Binds `ON CONFLICT ...`.
pub(super) fn upsert_plan(
    binder: &mut Binder<'_>,
    upsert: &ast::Upsert,
    insert: &ast::Insert,
    writer: &TableWriter,
) -> Result<UpsertPlan> {
    let table = &writer.table;
    let target = if upsert.target.is_empty() {
        None
    } else {
        Some(upsert_target(binder, upsert, insert, writer)?)
    };
    let existing = binder.slot();
    let ast::UpsertAction::Update(set, filter) = &upsert.action else {
        return Ok(UpsertPlan {
            target,
            assignments: None,
            rowid: None,
            filter: None,
            existing,
            triggers: Triggers::default(),
        });
    };
    let alias = insert.alias.as_ref().map_or(&table.name, |alias| &alias.text).clone();
    let own = binder.table_scope(table, existing, &alias, Called::by(insert.alias.as_ref()))?;
    let excluded = binder.table_scope(table, writer.row, "excluded", Called::Row)?;
    let mut scope = scope_of(binder, vec![own, excluded]);
    // Names without a table mean the row that is there.
    for column in &mut scope.tables[1].columns {
        column.merged = true;
    }
    scope.tables[1].rowid = None;
    // They are the statement's own values.
    scope.tables[1].asked = Asked::Never;
    binder.scopes.push(scope);
    let bound = bind_assignments(binder, set, table).and_then(|bound| {
        let filter = match filter {
            Some(filter) => Some(binder.expression(filter)?),
            None => None,
        };
        Ok((bound, filter))
    });
    binder.scopes.pop();
    let ((assignments, rowid), filter) = bound?;
    let names = assigned_names(set);
    let triggers = Triggers::of(binder.environment, table, Change::Update(&names));
    Ok(UpsertPlan { target, assignments: Some(assignments), rowid, filter, existing, triggers })
}

/// Columns with the collation that is said, and expressions.
type TargetTerms = (Vec<(usize, Option<Collation>)>, Vec<Scalar>);

/// A column that is named, with what stands before it and its COLLATE.
fn named_column(expression: &ast::Expression) -> Option<(&ColumnReference, Option<&Name>)> {
    match &expression.kind {
        ExpressionKind::Column(column) => Some((column, None)),
        ExpressionKind::Collate(collate) => {
            named_column(&collate.operand).map(|(name, _)| (name, Some(&collate.collation)))
        }
        _ => None,
    }
}

/// What a conflict target is made of; none where it names the rowid.
fn target_terms(
    binder: &mut Binder<'_>,
    upsert: &ast::Upsert,
    table: &Arc<Table>,
    scope: &mut ScopeTable,
) -> Result<Option<TargetTerms>> {
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    for term in &upsert.target {
        let named = named_column(&term.expression).filter(|(name, _)| binder.is_of(scope, name));
        let index = named.and_then(|(name, _)| table.column_index(&name.column.text));
        match (index, named) {
            (Some(index), Some((name, collation))) => {
                binder.note_column(table, index, &name.column);
                if let (Some(called), true) = (&name.table, scope.is_own_name()) {
                    binder.note_table(table, called);
                }
                let column_name = &table.columns[index].name;
                let action = AuthAction::Read { table_name: &table.name, column_name };
                // Left out, the target would be none at all: only a refusal counts.
                binder.may(action, Some(table.database))?;
                let collation = collation.map(|name| binder.collation(name)).transpose()?;
                columns.push((index, collation));
            }
            (None, Some((name, None)))
                if table.has_rowid()
                    && is_rowid_name(&name.column.text)
                    && upsert.target.len() == 1 =>
            {
                return Ok(None);
            }
            _ => {
                expressions.push(binder.over_columns(scope, &term.expression, OF_STATEMENT)?);
            }
        }
    }
    Ok(Some((columns, expressions)))
}

/// The key or index that a conflict target names.
fn upsert_target(
    binder: &mut Binder<'_>,
    upsert: &ast::Upsert,
    insert: &ast::Insert,
    writer: &TableWriter,
) -> Result<UpsertTarget> {
    let table = &writer.table;
    let alias = insert.alias.as_ref();
    let called = alias.map_or(&table.name, |alias| &alias.text);
    let mut scope = binder.table_scope(table, writer.row, called, Called::by(alias))?;
    let terms = target_terms(binder, upsert, table, &mut scope)?;
    // Names in it must be right, also where it says nothing.
    let filter = upsert.target_filter.as_ref();
    let bind = |filter| binder.over_columns(&mut scope, filter, OF_STATEMENT);
    let filter = filter.map(bind).transpose()?;
    let Some((columns, expressions)) = terms else {
        return Ok(UpsertTarget::Key);
    };
    if let ([(column, None)], true) = (columns.as_slice(), expressions.is_empty())
        && table.rowid_alias() == Some(*column)
    {
        return Ok(UpsertTarget::Key);
    }
    let fits = |known: &[crate::catalog::IndexColumn], bound: &[Scalar]| {
        known.len() == columns.len() + expressions.len()
            && known.iter().zip(bound).all(|(part, scalar)| match part.column() {
                Some(index) => columns.iter().any(|(wanted, collation)| {
                    *wanted == index && collation.is_none_or(|wanted| wanted == part.collation)
                }),
                None => expressions.iter().any(|expression| expression.same(scalar)),
            })
    };
    let is_meant = |target: &UpsertTarget| match *target {
        UpsertTarget::Key if table.has_rowid() => false,
        UpsertTarget::Key => {
            let parts = vec![Scalar::NULL; table.key_columns().len()];
            fits(table.key_columns(), &parts)
        }
        UpsertTarget::Index(place) => {
            let index = &writer.indexes[place];
            let filter_fits = match (&index.filter, &filter) {
                (None, _) => true,
                (Some(known), Some(given)) => known.same(given),
                (Some(_), None) => false,
            };
            filter_fits && fits(&index.index.columns, &index.parts)
        }
    };
    // Of several that fit (their collations may differ) the one that is looked at first.
    if let Some(target) = writer.unique_targets(None).into_iter().find(is_meant) {
        return Ok(target);
    }
    if binder.environment.is_lenient {
        return Ok(UpsertTarget::Key);
    }
    Err(no_target(upsert, insert))
}

fn no_target(upsert: &ast::Upsert, insert: &ast::Insert) -> Error {
    let place = insert.upserts.iter().position(|one| std::ptr::eq(one, upsert)).unwrap_or_default();
    let which = match insert.upserts.len() {
        1 => String::new(),
        _ => format!("{} ", english_ordinal(place + 1)),
    };
    let message =
        format!("{which}ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint");
    let span = upsert.target.iter().map(|term| term.expression.span).reduce(Span::to);
    Error::invalid(message).at(span.unwrap_or_default())
}
