//! `constraint_list` and `trigger_list`: what `information_schema` tells and SQLite has no PRAGMA
//! for.
//!
//! A constraint without a name is told with one made of the table and its columns, as other
//! systems do. Neighbours: `catalog::information` has the views over these.

use pandodb_ds::record::Value;

use super::entry::{Call, PragmaRows};
use super::schema::{in_order, named_table};
use crate::ast::{TriggerEvent, TriggerTime};
use crate::catalog::{Index, IndexColumn, IndexOrigin, Table};
use crate::error::Result;

/// The columns of `constraint_list`.
pub(super) const COLUMNS: &[&str] = &[
    "name",
    "type",
    "column",
    "position",
    "parent",
    "parent_column",
    "on_update",
    "on_delete",
    "deferred",
    "expression",
];

/// The parts of one row that constraints of a kind have.
#[derive(Default)]
struct Row<'a> {
    name: String,
    kind: &'a str,
    column: Option<&'a str>,
    position: usize,
    parent: Option<(&'a str, Option<&'a str>)>,
    actions: Option<(&'a str, &'a str, bool)>,
    expression: Option<&'a str>,
}

impl Row<'_> {
    fn values(self) -> Vec<Value> {
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::text);
        vec![
            Value::text(self.name),
            Value::text(self.kind),
            text(self.column),
            if self.position == 0 { Value::Null } else { Value::Integer(self.position as i64) },
            text(self.parent.map(|(table, _)| table)),
            text(self.parent.and_then(|(_, column)| column)),
            text(self.actions.map(|(update, _, _)| update)),
            text(self.actions.map(|(_, delete, _)| delete)),
            self.actions.map_or(Value::Null, |(_, _, deferred)| Value::Integer(deferred.into())),
            text(self.expression),
        ]
    }
}

pub(super) fn constraint_list(call: &Call<'_>) -> Result<PragmaRows> {
    let Some(table) = named_table(call)? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    if let Some(key) = &table.primary_key {
        key_rows(&table, &key.columns, "PRIMARY KEY", &format!("{}_pkey", table.name), &mut rows);
    }
    let uniques = table.indexes.iter().filter(|index| index.origin == IndexOrigin::Unique);
    for index in uniques {
        unique_rows(&table, index, &mut rows);
    }
    foreign_key_rows(call, &table, &mut rows)?;
    for (number, check) in table.checks.iter().enumerate() {
        let made = || format!("{}_check{}", table.name, number + 1);
        rows.push(
            Row {
                name: check.name.as_ref().map_or_else(made, ToString::to_string),
                kind: "CHECK",
                expression: Some(&check.text),
                ..Row::default()
            }
            .values(),
        );
    }
    for column in table.columns.iter().filter(|column| column.not_null.is_some()) {
        rows.push(
            Row {
                name: format!("{}_{}_not_null", table.name, column.name),
                kind: "NOT NULL",
                column: Some(&column.name),
                ..Row::default()
            }
            .values(),
        );
    }
    Ok(rows)
}

fn key_rows(table: &Table, columns: &[IndexColumn], kind: &str, name: &str, rows: &mut PragmaRows) {
    for (place, part) in columns.iter().enumerate() {
        let column = part.column().map(|column| &*table.columns[column].name);
        let name = name.to_owned();
        rows.push(Row { name, kind, column, position: place + 1, ..Row::default() }.values());
    }
}

fn unique_rows(table: &Table, index: &Index, rows: &mut PragmaRows) {
    let names: Vec<&str> = index
        .columns
        .iter()
        .filter_map(IndexColumn::column)
        .map(|column| &*table.columns[column].name)
        .collect();
    let name = format!("{}_{}_key", table.name, names.join("_"));
    key_rows(table, &index.columns, "UNIQUE", &name, rows);
}

fn foreign_key_rows(call: &Call<'_>, table: &Table, rows: &mut PragmaRows) -> Result<()> {
    for key in &table.foreign_keys {
        let names: Vec<&str> =
            key.columns.iter().map(|column| &*table.columns[*column].name).collect();
        let made = || format!("{}_{}_fkey", table.name, names.join("_"));
        let name = key.name.as_ref().map_or_else(made, ToString::to_string);
        let mut parents: Vec<String> = key.parent_columns.iter().map(ToString::to_string).collect();
        if parents.is_empty() {
            let parent = named_table(&Call { value: Some(&key.parent), ..*call })?;
            if let Some(parent) = parent {
                let columns = parent.primary_key.iter().flat_map(|key| &key.columns);
                let places = columns.filter_map(IndexColumn::column);
                parents = places.map(|place| parent.columns[place].name.to_string()).collect();
            }
        }
        for (place, column) in names.iter().enumerate() {
            rows.push(
                Row {
                    name: name.clone(),
                    kind: "FOREIGN KEY",
                    column: Some(column),
                    position: place + 1,
                    parent: Some((&key.parent, parents.get(place).map(String::as_str))),
                    actions: Some((key.on_update.as_str(), key.on_delete.as_str(), key.deferred)),
                    expression: None,
                }
                .values(),
            );
        }
    }
    Ok(())
}

/// The query of a view.
pub(super) fn view_definition(call: &Call<'_>) -> Result<PragmaRows> {
    let Some(name) = call.text() else { return Ok(Vec::new()) };
    call.session.reading(|_, schemas| {
        for schema in in_order(call, schemas)? {
            if let Some(view) = schema.view(name) {
                let query = view.select.to_string();
                return Ok(vec![vec![Value::text(&*view.name), Value::text(query)]]);
            }
        }
        Ok(Vec::new())
    })
}

/// The triggers of a table or view, or all.
pub(super) fn trigger_list(call: &Call<'_>) -> Result<PragmaRows> {
    call.session.reading(|_, schemas| {
        let mut rows = Vec::new();
        for schema in in_order(call, schemas)? {
            let mut triggers: Vec<_> = schema.triggers.values().collect();
            triggers.sort_by_key(|trigger| trigger.id);
            for trigger in triggers {
                let is_asked =
                    call.text().is_none_or(|name| trigger.table.eq_ignore_ascii_case(name));
                if !is_asked {
                    continue;
                }
                let event = match &trigger.definition.event {
                    TriggerEvent::Insert => "INSERT",
                    TriggerEvent::Delete => "DELETE",
                    TriggerEvent::Update(_) => "UPDATE",
                };
                let time = match trigger.time() {
                    TriggerTime::Before => "BEFORE",
                    TriggerTime::After => "AFTER",
                    TriggerTime::InsteadOf => "INSTEAD OF",
                };
                let home = match trigger.subject {
                    Some(subject) => call.session.attached_as(subject),
                    None => Some(trigger.database),
                };
                rows.push(vec![
                    Value::text(&*call.session.database_name(trigger.database)),
                    Value::text(&*trigger.name),
                    Value::text(&*trigger.table),
                    Value::text(time),
                    Value::text(event),
                    Value::text(&*trigger.sql),
                    home.map_or(Value::Null, |home| {
                        Value::text(&*call.session.database_name(home))
                    }),
                ]);
            }
        }
        Ok(rows)
    })
}
