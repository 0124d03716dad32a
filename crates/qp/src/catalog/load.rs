//! From the catalog's rows to a [`Schema`].
//!
//! Neighbours: `rows` (the stored form), `build` (what definitions mean).

use pandodb_ds::sync::Arc;

use super::build::{FindCollation, ImpliedIndex, build_table, find_collation, indexed_name};
use super::rows::{ObjectKind, ObjectRow, read_objects, read_objects_of};
use super::{
    DatabaseIndex, Index, IndexColumn, IndexOrigin, IndexPart, STATISTICS_TABLE, Schema, Table,
    Trigger, View, fold,
};
use crate::ast::{self, StatementKind};
use crate::error::{Error, ErrorKind, Result};
use crate::parse::parse_stored;
use crate::store::Transaction;
use crate::types::Affinity;

/// Reads and links all objects of a database.
pub fn load(
    transaction: &Transaction,
    database: DatabaseIndex,
    collations: FindCollation<'_>,
) -> Result<Schema> {
    let (cookie, objects) = read_objects(transaction)?;
    let mut schema = link(cookie, objects, database, collations)?;
    if let Some(table) = schema.table(STATISTICS_TABLE).cloned() {
        let mut cursor = transaction.cursor(table.tree)?;
        let mut found = cursor.first()?;
        while found {
            schema.statistics.add(cursor.value()?)?;
            found = cursor.next()?;
        }
    }
    Ok(schema)
}

/// As [`load`], of a version that no transaction is on.
pub fn load_forest(
    pager: &Arc<pandodb_ds::pager::Pager>,
    forest: &pandodb_ds::forest::Forest,
    database: DatabaseIndex,
    collations: FindCollation<'_>,
) -> Result<Schema> {
    let (cookie, objects) = read_objects_of(pager, forest)?;
    let mut schema = link(cookie, objects, database, collations)?;
    if let Some(table) = schema.table(STATISTICS_TABLE).cloned() {
        let mut cursor = forest.cursor(pager, table.tree)?;
        let mut found = cursor.first()?;
        while found {
            schema.statistics.add(&cursor.value()?.unwrap_or_default())?;
            found = cursor.next()?;
        }
    }
    Ok(schema)
}

/// Links the objects of a database.
fn link(
    cookie: u64,
    objects: Vec<ObjectRow>,
    database: DatabaseIndex,
    collations: FindCollation<'_>,
) -> Result<Schema> {
    let mut schema = Schema { cookie, ..Schema::default() };
    let mut tables: Vec<(Table, Vec<ImpliedIndex>)> = Vec::new();
    for row in objects.iter().filter(|row| row.kind == ObjectKind::Table) {
        tables.push(load_table(row, database, collations)?);
    }
    for row in objects.iter().filter(|row| row.kind == ObjectKind::Index) {
        let found =
            tables.iter_mut().find(|(table, _)| table.name.eq_ignore_ascii_case(&row.table));
        let Some((table, implied)) = found else {
            return Err(damaged(row, "its table is not there"));
        };
        let index = Arc::new(load_index(row, database, table, implied, collations)?);
        table.indexes.push(index.clone());
        schema.indexes.insert(fold(&row.name), index);
    }
    for (table, _) in tables {
        schema.tables.insert(fold(&table.name), Arc::new(table));
    }
    for table in schema.tables.values() {
        for (number, key) in table.foreign_keys.iter().enumerate() {
            let children = schema.children_of.entry(fold(&key.parent)).or_default();
            children.push((table.clone(), number));
        }
    }
    for children in schema.children_of.values_mut() {
        children.sort_by_key(|(table, number)| (table.id, *number));
    }
    for row in &objects {
        match row.kind {
            ObjectKind::View => {
                schema.views.insert(fold(&row.name), Arc::new(load_view(row, database)?));
            }
            ObjectKind::Trigger => {
                let trigger = Arc::new(load_trigger(row, database)?);
                schema.triggers.insert(fold(&row.name), trigger.clone());
                let triggers = schema.triggers_of.entry(fold(&row.table)).or_default();
                triggers.insert(0, trigger);
            }
            _ => {}
        }
    }
    schema.objects = objects;
    Ok(schema)
}

fn definition(row: &ObjectRow) -> Result<(ast::Statement, &str)> {
    let sql = row.sql.as_deref().ok_or_else(|| damaged(row, "it has no definition"))?;
    match parse_stored(sql) {
        Ok((Some(statement), _)) => Ok((statement, sql)),
        Ok((None, _)) => Err(damaged(row, "its definition is empty")),
        Err(error) => Err(damaged(row, error.message())),
    }
}

fn load_table(
    row: &ObjectRow,
    database: DatabaseIndex,
    collations: FindCollation<'_>,
) -> Result<(Table, Vec<ImpliedIndex>)> {
    let (statement, sql) = definition(row)?;
    let StatementKind::CreateTable(create) = &statement.kind else {
        return Err(damaged(row, "its definition is that of something else"));
    };
    let ast::CreateTableBody::Columns(body) = &create.body else {
        return Err(damaged(row, "its definition has no columns"));
    };
    let (mut table, mut implied) = build_table(create, body, sql, collations)?;
    table.id = row.id;
    table.database = database;
    table.tree = row.tree;
    table.name = row.name.clone();
    if row.columns.len() != table.columns.len() {
        return Err(damaged(row, "it has not as many columns as its definition"));
    }
    for (column, (id, position)) in table.columns.iter_mut().zip(&row.columns) {
        column.id = *id;
        column.position = *position;
    }
    table.stored_columns = row.stored_columns;
    for column in implied.iter_mut().flat_map(|index| &mut index.columns) {
        name_column(column, &table);
    }
    let key = table.primary_key.take().map(|mut key| {
        for column in &mut key.columns {
            name_column(column, &table);
        }
        key
    });
    table.primary_key = key;
    Ok((table, implied))
}

/// Puts the column's lasting id into an index column.
fn name_column(column: &mut IndexColumn, table: &Table) {
    if let IndexPart::Column(index, id) = &mut column.part {
        *id = table.columns[*index].id;
    }
}

/// The name of the index of a table's constraint `number`, counted from 1.
pub fn implied_index_name(table: &str, number: usize) -> String {
    format!("sqlite_autoindex_{table}_{number}")
}

fn load_index(
    row: &ObjectRow,
    database: DatabaseIndex,
    table: &Table,
    implied: &mut [ImpliedIndex],
    collations: FindCollation<'_>,
) -> Result<Index> {
    if row.sql.is_none() {
        let number = row.name.rsplit('_').next().and_then(|number| number.parse::<usize>().ok());
        let found = number.and_then(|number| implied.get_mut(number.wrapping_sub(1)));
        let Some(found) = found else {
            return Err(damaged(row, "its table has no such constraint"));
        };
        return Ok(Index {
            id: row.id,
            database,
            name: row.name.clone(),
            table: table.name.clone(),
            tree: row.tree,
            columns: std::mem::take(&mut found.columns),
            unique: Some(found.conflict),
            origin: found.origin,
            filter: None,
            sql: None,
        });
    }
    let (statement, sql) = definition(row)?;
    let StatementKind::CreateIndex(create) = &statement.kind else {
        return Err(damaged(row, "its definition is that of something else"));
    };
    Ok(Index {
        id: row.id,
        database,
        name: row.name.clone(),
        table: table.name.clone(),
        tree: row.tree,
        columns: index_columns(&create.columns, table, collations)?,
        unique: create.unique.then_some(None),
        origin: IndexOrigin::Created,
        filter: create.filter.clone(),
        sql: Some(Box::from(sql)),
    })
}

/// What the terms of a `CREATE INDEX` mean.
pub fn index_columns(
    terms: &[ast::OrderTerm],
    table: &Table,
    collations: FindCollation<'_>,
) -> Result<Vec<IndexColumn>> {
    let mut columns = Vec::with_capacity(terms.len());
    for term in terms {
        let descending = term.order == Some(ast::SortOrder::Descending);
        let named = indexed_name(&term.expression);
        let index = match &term.expression.kind {
            // A text stands for the column of that name.
            ast::ExpressionKind::Literal(ast::Literal::Text(text)) => {
                let index = table.column_index(text);
                Some(index.ok_or_else(|| Error::not_found("column", text))?)
            }
            _ => named.and_then(|(name, _)| table.column_index(&name.text)),
        };
        let explicit = match (named, &term.expression.kind) {
            (Some((_, Some(name))), _) => Some(find_collation(collations, name)?),
            (None, ast::ExpressionKind::Collate(collate)) => {
                Some(find_collation(collations, &collate.collation)?)
            }
            _ => None,
        };
        columns.push(match index {
            Some(index) => {
                let column = &table.columns[index];
                IndexColumn {
                    part: IndexPart::Column(index, column.id),
                    collation: explicit.unwrap_or(column.collation),
                    descending,
                    affinity: column.affinity,
                }
            }
            None => IndexColumn {
                part: IndexPart::Expression(Box::new(term.expression.clone())),
                collation: explicit.unwrap_or_default(),
                descending,
                affinity: Affinity::None,
            },
        });
    }
    Ok(columns)
}

fn load_view(row: &ObjectRow, database: DatabaseIndex) -> Result<View> {
    let (statement, sql) = definition(row)?;
    let StatementKind::CreateView(create) = statement.kind else {
        return Err(damaged(row, "its definition is that of something else"));
    };
    Ok(View {
        id: row.id,
        database,
        name: row.name.clone(),
        columns: create.columns.iter().map(|name| name.text.clone()).collect(),
        select: create.select,
        sql: Box::from(sql),
    })
}

fn load_trigger(row: &ObjectRow, database: DatabaseIndex) -> Result<Trigger> {
    let (statement, sql) = definition(row)?;
    let StatementKind::CreateTrigger(create) = statement.kind else {
        return Err(damaged(row, "its definition is that of something else"));
    };
    Ok(Trigger {
        id: row.id,
        database,
        name: row.name.clone(),
        table: row.table.clone(),
        subject: row.subject,
        definition: *create,
        sql: Box::from(sql),
    })
}

#[cold]
fn damaged(row: &ObjectRow, what: &str) -> Error {
    let kind = row.kind.as_str();
    let message = format!("malformed database schema ({kind} {}) - {what}", row.name);
    Error::new(ErrorKind::Corrupt, message)
}
