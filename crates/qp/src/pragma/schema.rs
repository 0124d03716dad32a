//! PRAGMAs that describe tables and indexes.
//!
//! Neighbours: `table` lists them.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::table::{Call, PragmaRows};
use crate::ast::ForeignKeyAction;
use crate::catalog::{DatabaseIndex, IndexColumn, IndexOrigin, Schema, Table};
use crate::error::Result;
use crate::modify::view_columns;

fn integer(value: usize) -> Value {
    Value::Integer(value as i64)
}

fn flag(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

/// The schemas in the order in which names are looked up.
fn in_order<'s>(call: &Call<'_>, schemas: &'s [Arc<Schema>]) -> Result<Vec<&'s Arc<Schema>>> {
    if let Some(DatabaseIndex(index)) = call.database()? {
        return Ok(schemas.get(usize::from(index)).into_iter().collect());
    }
    let mut order: Vec<&Arc<Schema>> = schemas.get(1).into_iter().chain(schemas.first()).collect();
    order.extend(schemas.iter().skip(2));
    Ok(order)
}

/// The table or view that the value names, as a table.
fn named_table(call: &Call<'_>) -> Result<Option<Arc<Table>>> {
    let Some(name) = call.text() else { return Ok(None) };
    call.session.reading(|sources, schemas| {
        for schema in in_order(call, schemas)? {
            if let Some(table) = schema.table(name) {
                return Ok(Some(table.clone()));
            }
            if let Some(view) = schema.view(name) {
                return call
                    .session
                    .with_environment(schemas, sources, |environment| {
                        view_columns(environment, view)
                    })
                    .map(Some);
            }
        }
        Ok(crate::catalog::schema_table(name, DatabaseIndex::MAIN))
    })
}

pub(super) fn table_info(call: &Call<'_>, all: bool) -> Result<PragmaRows> {
    let Some(table) = named_table(call)? else { return Ok(Vec::new()) };
    let mut rows = Vec::with_capacity(table.columns.len());
    for (index, column) in table.columns.iter().enumerate() {
        let hidden = match &column.generated {
            Some(generated) if generated.stored => 3,
            Some(_) => 2,
            None => i64::from(column.hidden),
        };
        if !all && hidden != 0 {
            continue;
        }
        let key = table
            .primary_key
            .as_ref()
            .and_then(|key| key.columns.iter().position(|part| part.column() == Some(index)));
        let mut row = vec![
            integer(if all { index } else { rows.len() }),
            Value::text(&*column.name),
            Value::text(&*column.declared_type),
            flag(column.not_null.is_some()),
            column.default_text.as_ref().map_or(Value::Null, |text| Value::text(&**text)),
            integer(key.map_or(0, |place| place + 1)),
        ];
        if all {
            row.push(Value::Integer(hidden));
        }
        rows.push(row);
    }
    Ok(rows)
}

pub(super) fn index_list(call: &Call<'_>) -> Result<PragmaRows> {
    let Some(table) = named_table(call)? else { return Ok(Vec::new()) };
    let mut indexes: Vec<_> = table.indexes.iter().collect();
    indexes.sort_by_key(|index| std::cmp::Reverse(index.id));
    let row = |(number, index): (usize, &&Arc<crate::catalog::Index>)| {
        let origin = match index.origin {
            IndexOrigin::Created => "c",
            IndexOrigin::Unique => "u",
            IndexOrigin::PrimaryKey => "pk",
        };
        vec![
            integer(number),
            Value::text(&*index.name),
            flag(index.unique.is_some()),
            Value::text(origin),
            flag(index.filter.is_some()),
        ]
    };
    Ok(indexes.iter().enumerate().map(row).collect())
}

pub(super) fn index_info(call: &Call<'_>, all: bool) -> Result<PragmaRows> {
    let Some(name) = call.text() else { return Ok(Vec::new()) };
    call.session.reading(|_, schemas| {
        for schema in in_order(call, schemas)? {
            let Some(index) = schema.index(name) else { continue };
            let Some(table) = schema.table(&index.table) else { continue };
            let mut rows: PragmaRows = Vec::new();
            for (number, part) in index.columns.iter().enumerate() {
                rows.push(index_row(number, part.column(), Some(part), table, all, true));
            }
            if all {
                let alias = table.has_rowid();
                if alias {
                    rows.push(index_row(rows.len(), None, None, table, all, false));
                } else {
                    for part in table.key_columns() {
                        rows.push(index_row(
                            rows.len(),
                            part.column(),
                            Some(part),
                            table,
                            all,
                            false,
                        ));
                    }
                }
            }
            return Ok(rows);
        }
        Ok(Vec::new())
    })
}

fn index_row(
    number: usize,
    column: Option<usize>,
    part: Option<&IndexColumn>,
    table: &Table,
    all: bool,
    is_key: bool,
) -> Vec<Value> {
    let cid = match (column, part) {
        (Some(column), _) => column as i64,
        (None, Some(_)) => -2,
        (None, None) => -1,
    };
    let name = column.map_or(Value::Null, |column| Value::text(&*table.columns[column].name));
    let mut row = vec![integer(number), Value::Integer(cid), name];
    if all {
        row.push(flag(part.is_some_and(|part| part.descending)));
        let collation = part.map_or("BINARY".to_owned(), |part| part.collation.to_string());
        row.push(Value::text(collation));
        row.push(flag(is_key));
    }
    row
}

pub(super) fn foreign_key_list(call: &Call<'_>) -> Result<PragmaRows> {
    let Some(table) = named_table(call)? else { return Ok(Vec::new()) };
    let word = |action: ForeignKeyAction| match action {
        ForeignKeyAction::NoAction => "NO ACTION",
        ForeignKeyAction::Restrict => "RESTRICT",
        ForeignKeyAction::SetNull => "SET NULL",
        ForeignKeyAction::SetDefault => "SET DEFAULT",
        ForeignKeyAction::Cascade => "CASCADE",
    };
    let mut rows = Vec::new();
    for (id, key) in table.foreign_keys.iter().rev().enumerate() {
        for (sequence, column) in key.columns.iter().enumerate() {
            rows.push(vec![
                integer(id),
                integer(sequence),
                Value::text(&*key.parent),
                Value::text(&*table.columns[*column].name),
                key.parent_columns.get(sequence).map_or(Value::Null, |name| Value::text(&**name)),
                Value::text(word(key.on_update)),
                Value::text(word(key.on_delete)),
                Value::text("NONE"),
            ]);
        }
    }
    Ok(rows)
}

pub(super) fn table_list(call: &Call<'_>) -> Result<PragmaRows> {
    let only = call.database()?;
    call.session.reading(|sources, schemas| {
        let mut rows: PragmaRows = Vec::new();
        for (place, schema) in schemas.iter().enumerate() {
            let index = DatabaseIndex(place as u16);
            if only.is_some_and(|only| only != index) {
                continue;
            }
            let name = call.session.database_name(index);
            for object in &schema.objects {
                if call.text().is_some_and(|wanted| !object.name.eq_ignore_ascii_case(wanted)) {
                    continue;
                }
                let (kind, table) = match (schema.table(&object.name), schema.view(&object.name)) {
                    (Some(table), _) if object.kind == crate::catalog::ObjectKind::Table => {
                        ("table", table.clone())
                    }
                    (_, Some(view)) if object.kind == crate::catalog::ObjectKind::View => {
                        let table =
                            call.session.with_environment(schemas, sources, |environment| {
                                view_columns(environment, view)
                            })?;
                        ("view", table)
                    }
                    _ => continue,
                };
                rows.push(vec![
                    Value::text(&*name),
                    Value::text(&*object.name),
                    Value::text(kind),
                    integer(table.columns.len()),
                    flag(kind == "table" && !table.has_rowid()),
                    flag(table.strict),
                ]);
            }
        }
        Ok(rows)
    })
}
