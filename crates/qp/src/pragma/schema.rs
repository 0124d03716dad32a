//! PRAGMAs that describe tables and indexes.
//!
//! Neighbours: `table` lists them.

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use super::entry::{Call, Entry, PragmaRows, Scope};
use super::{check, constraints, numbers};
use crate::catalog::{DatabaseIndex, IndexColumn, IndexOrigin, Schema, Table};
use crate::error::Result;
use crate::modify::view_columns;
use crate::session::Session;
use crate::store::Own;

/// A PRAGMA that tells something.
macro_rules! tells {
    ($name:literal, $values:literal, $columns:expr, $help:literal, $run:expr) => {
        Entry {
            name: $name,
            columns: $columns,
            scope: Scope::Tells,
            values: $values,
            help: $help,
            run: $run,
        }
    };
}

pub(super) const ENTRIES: &[Entry] = &[
    tells!(
        "table_info",
        "a table or view",
        &["cid", "name", "type", "notnull", "dflt_value", "pk"],
        "the columns",
        |call| table_info(call, false)
    ),
    tells!(
        "table_xinfo",
        "a table or view",
        &["cid", "name", "type", "notnull", "dflt_value", "pk", "hidden"],
        "the columns, hidden and generated ones included",
        |call| table_info(call, true)
    ),
    tells!(
        "table_list",
        "a name, or nothing for all",
        &["schema", "name", "type", "ncol", "wr", "strict"],
        "tables and views",
        table_list
    ),
    tells!(
        "autoincrement_list",
        "a table, or nothing for all",
        &["schema", "name", "seq", "scope"],
        "tables with AUTOINCREMENT, how far they are on this branch, and whether `all branches` \
         share the counter or each `branch` has its own",
        autoincrement_list
    ),
    tells!(
        "index_list",
        "a table",
        &["seq", "name", "unique", "origin", "partial"],
        "the indexes",
        index_list
    ),
    tells!("index_info", "an index", &["seqno", "cid", "name"], "its columns", |call| {
        index_info(call, false)
    }),
    tells!(
        "index_xinfo",
        "an index",
        &["seqno", "cid", "name", "desc", "coll", "key"],
        "its columns with their orders, and how it finds the row",
        |call| index_info(call, true)
    ),
    tells!(
        "foreign_key_list",
        "a table",
        &["id", "seq", "table", "from", "to", "on_update", "on_delete", "match"],
        "the foreign keys",
        foreign_key_list
    ),
    tells!(
        "constraint_list",
        "a table",
        constraints::COLUMNS,
        "keys, foreign keys, CHECK and NOT NULL, a row for each column",
        constraints::constraint_list
    ),
    tells!(
        "trigger_list",
        "a table or view, or nothing for all",
        &["schema", "name", "table", "time", "event", "sql", "table_schema"],
        "the triggers",
        constraints::trigger_list
    ),
    tells!(
        "view_definition",
        "a view",
        &["name", "sql"],
        "the query of a view",
        constraints::view_definition
    ),
    tells!("information_schema_list", "", &["name"], "the views of `information_schema`", |_| Ok(
        crate::catalog::information::names().map(|name| vec![Value::text(name)]).collect()
    )),
    tells!(
        "database_list",
        "",
        &["seq", "name", "file"],
        "the databases of the session",
        numbers::database_list
    ),
    tells!(
        "integrity_check",
        "a table, or how many problems at most",
        &["integrity_check"],
        "whether the file's pages, the indexes and the rows' constraints are whole; `ok` if so",
        |call| check::run(call, true)
    ),
    tells!(
        "quick_check",
        "a table, or how many problems at most",
        &["quick_check"],
        "as `integrity_check`, without the file and the entries of indexes",
        |call| check::run(call, false)
    ),
    tells!(
        "foreign_key_check",
        "a table, or nothing for all",
        &["table", "rowid", "parent", "fkid"],
        "rows whose foreign keys have no parent",
        check::foreign_keys
    ),
    Entry {
        name: "user_version",
        columns: &["user_version"],
        scope: Scope::Branch,
        values: "a number of 32 bits",
        help: "a number that the application keeps; each branch has its own, and merges take it \
               along",
        run: |call| numbers::setting(call, Own::UserVersion),
    },
    Entry {
        name: "application_id",
        columns: &["application_id"],
        scope: Scope::Branch,
        values: "a number of 32 bits",
        help: "a number that says whose file it is; each branch has its own, as of `user_version`",
        run: |call| numbers::setting(call, Own::ApplicationId),
    },
    tells!(
        "schema_version",
        "",
        &["schema_version"],
        "a number that every change of the schema replaces",
        numbers::schema_version
    ),
    Entry {
        name: "optimize",
        columns: &["optimize"],
        scope: Scope::Does,
        values: "a mask; bit 1 only tells what would be done",
        help: "ANALYZE of the tables that it would help",
        run: numbers::optimize,
    },
    tells!("collation_list", "", &["seq", "name"], "the collations", |call| Ok(
        numbers::collations(call.session)
    )),
    tells!(
        "function_list",
        "",
        &["name", "builtin", "type", "enc", "narg", "flags"],
        "the functions",
        |call| Ok(numbers::functions(call.session))
    ),
    tells!("module_list", "", &["name"], "the table-valued functions", |call| Ok(
        numbers::modules(call.session)
    )),
    tells!("pragma_list", "", &["name"], "the PRAGMAs", |_| Ok(numbers::pragmas())),
    tells!("compile_options", "", &["compile_options"], "what this build has", |_| Ok(
        numbers::compile_options()
    )),
];

fn integer(value: usize) -> Value {
    Value::Integer(value as i64)
}

fn flag(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

/// The schemas in the order in which names are looked up.
pub(super) fn in_order<'s>(
    call: &Call<'_>,
    schemas: &'s [Arc<Schema>],
) -> Result<Vec<&'s Arc<Schema>>> {
    if let Some(DatabaseIndex(index)) = call.database()? {
        return Ok(schemas.get(usize::from(index)).into_iter().collect());
    }
    let mut order: Vec<&Arc<Schema>> = schemas.get(1).into_iter().chain(schemas.first()).collect();
    order.extend(schemas.iter().skip(2));
    Ok(order)
}

/// The table or view that the value names, as a table.
pub(super) fn named_table(call: &Call<'_>) -> Result<Option<Arc<Table>>> {
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

/// The table that is named; none where it is a view, which may be broken.
fn base_table(call: &Call<'_>) -> Result<Option<Arc<Table>>> {
    let Some(name) = call.text() else { return Ok(None) };
    call.session.reading(|_, schemas| {
        let named = in_order(call, schemas)?.into_iter();
        let mut known = named.filter(|s| s.table(name).is_some() || s.view(name).is_some());
        Ok(known.next().and_then(|schema| schema.table(name).cloned()))
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
            Value::text(standard_type(&column.declared_type)),
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

/// A declared type as SQLite keeps it: the common ones in capital letters, others as written.
fn standard_type(declared: &str) -> &str {
    let common = ["ANY", "BLOB", "INT", "INTEGER", "REAL", "TEXT"];
    common.into_iter().find(|name| name.eq_ignore_ascii_case(declared)).unwrap_or(declared)
}

pub(super) fn index_list(call: &Call<'_>) -> Result<PragmaRows> {
    let Some(table) = base_table(call)? else { return Ok(Vec::new()) };
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
                rows.push(index_row(call.session, number, Some(part), table, all, true));
            }
            if all {
                let alias = table.has_rowid();
                if alias {
                    rows.push(index_row(call.session, rows.len(), None, table, all, false));
                } else {
                    let is_new = |part: &&IndexColumn| {
                        let known = index.columns.iter().map(|own| (own.column(), own.collation));
                        !known.into_iter().any(|own| own == (part.column(), part.collation))
                    };
                    for part in table.key_columns().iter().filter(is_new) {
                        let number = rows.len();
                        rows.push(index_row(call.session, number, Some(part), table, all, false));
                    }
                }
            }
            return Ok(rows);
        }
        let tables = in_order(call, schemas)?.into_iter().filter_map(|schema| schema.table(name));
        let table = tables.into_iter().next().filter(|table| !table.has_rowid());
        Ok(table.map_or_else(Vec::new, |table| key_rows(call.session, table, all)))
    })
}

/// The key of a table WITHOUT ROWID, which is an index of all of its columns.
fn key_rows(session: &Session, table: &Table, all: bool) -> PragmaRows {
    let keys = table.key_columns().iter().enumerate();
    let mut rows: PragmaRows =
        keys.map(|(at, part)| index_row(session, at, Some(part), table, all, true)).collect();
    if !all {
        return rows;
    }
    for (cid, column) in table.columns.iter().enumerate() {
        let is_key = table.key_columns().iter().any(|part| part.column() == Some(cid));
        if !is_key && !column.is_virtual() {
            let (cid, name) = (integer(cid), Value::text(&*column.name));
            let (desc, key) = (flag(false), flag(false));
            rows.push(vec![integer(rows.len()), cid, name, desc, Value::text("BINARY"), key]);
        }
    }
    rows
}

fn index_row(
    session: &Session,
    number: usize,
    part: Option<&IndexColumn>,
    table: &Table,
    all: bool,
    is_key: bool,
) -> Vec<Value> {
    let column = part.and_then(IndexColumn::column);
    let cid = match (column, part) {
        (Some(column), _) => column as i64,
        (None, Some(_)) => -2,
        (None, None) => -1,
    };
    let name = column.map_or(Value::Null, |column| Value::text(&*table.columns[column].name));
    let mut row = vec![integer(number), Value::Integer(cid), name];
    if all {
        row.push(flag(part.is_some_and(|part| part.descending)));
        let collation = part.map_or(Collation::Binary, |part| part.collation);
        row.push(Value::text(&*session.collation_name(collation)));
        row.push(flag(is_key));
    }
    row
}

pub(super) fn foreign_key_list(call: &Call<'_>) -> Result<PragmaRows> {
    let Some(table) = base_table(call)? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for (id, key) in table.foreign_keys.iter().rev().enumerate() {
        for (sequence, column) in key.columns.iter().enumerate() {
            rows.push(vec![
                integer(id),
                integer(sequence),
                Value::text(&*key.parent),
                Value::text(&*table.columns[*column].name),
                key.parent_columns.get(sequence).map_or(Value::Null, |name| Value::text(&**name)),
                Value::text(key.on_update.as_str()),
                Value::text(key.on_delete.as_str()),
                Value::text("NONE"),
            ]);
        }
    }
    Ok(rows)
}

pub(super) fn autoincrement_list(call: &Call<'_>) -> Result<PragmaRows> {
    let only = call.database()?;
    call.session.reading(|sources, schemas| {
        let mut rows: PragmaRows = Vec::new();
        for (place, schema) in schemas.iter().enumerate() {
            let index = DatabaseIndex(place as u16);
            if only.is_some_and(|only| only != index) {
                continue;
            }
            let database = call.session.database_name(index);
            let tables = schema.objects.iter().filter_map(|object| schema.table(&object.name));
            for table in tables.filter(|table| table.is_autoincrement()) {
                if call.text().is_some_and(|wanted| !table.name.eq_ignore_ascii_case(wanted)) {
                    continue;
                }
                let sql = format!(
                    "SELECT seq FROM {}.sqlite_sequence WHERE name = {}",
                    crate::modify::quoted(&database),
                    crate::modify::quoted_text(&table.name)
                );
                let found = call.session.select_inside(&sql, sources, schemas)?;
                let sequence = found.into_iter().next().and_then(|row| row.into_iter().next());
                let scope = if table.counts_alone { "branch" } else { "all branches" };
                rows.push(vec![
                    Value::text(&*database),
                    Value::text(&*table.name),
                    sequence.unwrap_or(Value::Integer(0)),
                    Value::text(scope),
                ]);
            }
        }
        Ok(rows)
    })
}

/// A view whose columns are not known.
fn view_row(database: &str, name: &str) -> Vec<Value> {
    let words = [Value::text(database), Value::text(name), Value::text("view")];
    words.into_iter().chain([integer(0), flag(false), flag(false)]).collect()
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
                        // One that cannot be read has no columns, as in SQLite.
                        let table =
                            call.session.with_environment(schemas, sources, |environment| {
                                view_columns(environment, view)
                            });
                        let Ok(table) = table else {
                            rows.push(view_row(&name, &object.name));
                            continue;
                        };
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
            // As in SQLite it is asked for by its old name.
            let (own, asked) = if index == DatabaseIndex::TEMP {
                ("sqlite_temp_schema", "sqlite_temp_master")
            } else {
                ("sqlite_schema", "sqlite_master")
            };
            if call.text().is_none_or(|wanted| asked.eq_ignore_ascii_case(wanted)) {
                let (kind, columns) =
                    (Value::text("table"), crate::catalog::SCHEMA_TABLE_COLUMNS.len());
                let (name, own) = (Value::text(&*name), Value::text(own));
                rows.push(vec![name, own, kind, integer(columns), flag(false), flag(false)]);
            }
        }
        Ok(rows)
    })
}
