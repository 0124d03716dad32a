//! What a table demands of each of its rows: generated columns, CHECKs, indexes, triggers and
//! foreign keys, bound over the slot of a new row.
//!
//! Neighbours: `insert`, `update` and `delete` ask for it, `crate::modify::writer` runs it.

use pandodb_ds::sync::Arc;

use crate::ast::ConflictAction;
use crate::bind::{Binder, Called, ScopeTable};
use crate::catalog::build::constant;
use crate::catalog::{IndexPart, Table, Trigger};
use crate::error::{Error, Result};
use crate::modify::foreign_key::{Effect, ForeignKeys, Touched};
use crate::modify::trigger::{Change, Triggers};
use crate::modify::{IndexWriter, TableWriter};
use crate::plan::SourceId;
use crate::scalar::{ROWID, Scalar};

/// What REPLACE puts in the place of a NULL, by column.
fn null_replacements(
    binder: &mut Binder<'_>,
    table: &Arc<Table>,
    conflict: Option<ConflictAction>,
) -> Result<Vec<(usize, Scalar)>> {
    let mut replacements = Vec::new();
    for (index, column) in table.columns.iter().enumerate() {
        let own = column.not_null.flatten();
        // What fires a trigger may say REPLACE for all that the trigger does.
        let replaces = binder.in_trigger || conflict.or(own) == Some(ConflictAction::Replace);
        if column.not_null.is_some() && replaces && column.default.is_some() {
            replacements.push((index, default_value(binder, table, index)?));
        }
    }
    Ok(replacements)
}

/// Everything that a table demands, bound over a new row slot.
pub(in crate::modify) fn table_writer(
    binder: &mut Binder<'_>,
    table: &Arc<Table>,
    change: Change<'_>,
    conflict: Option<ConflictAction>,
) -> Result<TableWriter> {
    binder.note_text(table.sql.len());
    let row = binder.slot();
    let mut scope = binder.table_scope(table, row, &table.name, Called::Name)?;
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
pub(super) fn default_value(
    binder: &mut Binder<'_>,
    table: &Table,
    index: usize,
) -> Result<Scalar> {
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

/// Refuses a change whose foreign keys' actions cannot be; adds the triggers that these may fire.
pub(super) fn check_actions(
    binder: &Binder<'_>,
    writer: &TableWriter,
    touched: Touched<'_>,
    fired: &mut Vec<Arc<Trigger>>,
) -> Result<()> {
    if writer.foreign_keys.is_empty() {
        return Ok(());
    }
    let Some(schema) = binder.schema(writer.table.database) else { return Ok(()) };
    for Effect { child, set } in writer.foreign_keys.actions(&schema, touched)? {
        let names = set.map(|set| {
            let columns = child.columns.iter().filter(|column| set.contains(&column.position));
            columns.map(|column| column.name.clone()).collect::<Vec<_>>()
        });
        let change = names.as_deref().map_or(Change::Delete, Change::Update);
        fired.extend(Triggers::of(binder.environment, &child, change).all().cloned());
    }
    Ok(())
}

// Neighbours: `insert`, `update`, `delete`.
