//! The catalog in the branch crate's words.
//!
//! Neighbours: `canonical` makes definitions comparable; `merge` and `difference` need shapes.

use std::fmt::Write as _;

use pandodb_branch::diff::Version;
use pandodb_branch::shape::{
    self, ColumnShape, ConstraintShape, ForeignKeyShape, GeneratedShape, KeyColumn, KeyIndex,
    KeyShape, SettingShape, Shape, TableShape, TextShape, Written,
};
use pandodb_ds::forest::Forest;
use pandodb_ds::pager::Pager;
use pandodb_ds::sync::Arc;

use super::canonical::{Canonical, Canonizer};
use crate::ast::{ConflictAction, ForeignKeyAction};
use crate::catalog::{
    ForeignKey, Index, IndexColumn, IndexOrigin, ObjectId, STATISTICS_TABLE, Schema, Table,
    TableKind,
};
use crate::define::identifier;
use crate::error::Result;
use crate::modify::SEQUENCE_TABLE;
use crate::store::{Own, read_own_of};
use crate::types::Affinity;

/// A schema and the trees that belong to it.
pub(super) fn version(schema: &Schema, forest: Forest) -> Version {
    Version { shape: shape_of(schema), forest }
}

/// The numbers that a version keeps for the application.
pub(super) fn settings_of(pager: &Arc<Pager>, forest: &Forest) -> Result<Vec<SettingShape>> {
    let setting = |what: Own| {
        let value = read_own_of(pager, forest, what)?;
        Ok(SettingShape { id: shape::ObjectId(what as u64), name: what.name(), value })
    };
    Own::ALL.into_iter().map(setting).collect()
}

/// All objects of a schema.
pub(super) fn shape_of(schema: &Schema) -> Shape {
    let canonizer = Canonizer::new(schema);
    let mut shape = Shape::default();
    let mut tables: Vec<&Table> = schema.tables.values().map(|table| &**table).collect();
    tables.sort_by_key(|table| table.id);
    for table in tables {
        // Statistics are each branch's own: what they say is measured again, not merged.
        if matches!(table.kind, TableKind::System(_))
            || table.name.eq_ignore_ascii_case(STATISTICS_TABLE)
        {
            continue;
        }
        shape.tables.push(table_shape(schema, table, &canonizer));
        for index in &table.indexes {
            if let (IndexOrigin::Created, Some(sql)) = (index.origin, &index.sql) {
                let canonical = canonizer.text(sql, &[table], Some(&index.name));
                let named = (index.id.0, &*index.name, &**sql);
                shape.indexes.push(text_shape(named, canonical, Some(table.id)));
            }
        }
    }
    for view in schema.views.values() {
        let tables = canonizer.tables_in(&view.sql);
        let canonical = canonizer.text(&view.sql, &tables, Some(&view.name));
        shape.views.push(text_shape((view.id.0, &view.name, &view.sql), canonical, None));
    }
    for trigger in schema.triggers.values() {
        let tables = canonizer.tables_in(&trigger.sql);
        let canonical = canonizer.text(&trigger.sql, &tables, Some(&trigger.name));
        let on = &trigger.table;
        let table = schema.table(on).map(|table| table.id);
        let table = table.or_else(|| schema.view(on).map(|view| view.id));
        let named = (trigger.id.0, &*trigger.name, &*trigger.sql);
        shape.triggers.push(text_shape(named, canonical, table));
    }
    for object in &schema.objects {
        let id = shape::ObjectId(object.id.0);
        let others = object.twins.objects.iter().map(|other| (id, shape::ObjectId(other.0)));
        shape.twins.objects.extend(others);
        let columns = object.twins.columns.iter();
        let columns = columns.map(|(own, other)| (own.0, other.0));
        let columns = columns.map(|(own, other)| (shape::ColumnId(own), shape::ColumnId(other)));
        shape.twins.columns.extend(columns);
    }
    for texts in [&mut shape.indexes, &mut shape.views, &mut shape.triggers] {
        texts.sort_by_key(|text| text.id);
    }
    shape
}

/// An object with its number, its name and the statement that made it.
fn text_shape(
    (id, name, sql): (u64, &str, &str),
    canonical: Canonical,
    hangs_on: Option<ObjectId>,
) -> TextShape {
    TextShape {
        id: shape::ObjectId(id),
        name: name.to_owned(),
        definition: canonical.text,
        written: Written(sql.to_owned()),
        objects: canonical.objects,
        columns: canonical.columns,
        hangs_on: hangs_on.map(|id| shape::ObjectId(id.0)),
    }
}

/// What a table says whose counter no other branch shares.
pub(super) const COUNTS_ALONE: &str = "autoincrement per branch";

/// What is said of a table behind its columns.
fn options(table: &Table) -> String {
    let said = [(table.strict, "strict"), (table.counts_alone, COUNTS_ALONE)];
    let mut said: Vec<String> =
        said.into_iter().filter(|(is_so, _)| *is_so).map(|it| it.1.to_owned()).collect();
    let on_duplicate = table.primary_key.as_ref().map_or("", |key| conflict_clause(key.conflict));
    if !on_duplicate.is_empty() {
        said.push(format!("primary key{on_duplicate}"));
    }
    said.join(", ")
}

/// What a constraint says of rows that break it, as it stands behind its definition; ABORT is what
/// holds where nothing is said.
fn conflict_clause(action: Option<ConflictAction>) -> &'static str {
    match action {
        None | Some(ConflictAction::Abort) => "",
        Some(ConflictAction::Rollback) => " on conflict rollback",
        Some(ConflictAction::Fail) => " on conflict fail",
        Some(ConflictAction::Ignore) => " on conflict ignore",
        Some(ConflictAction::Replace) => " on conflict replace",
    }
}

fn column_id(table: &Table, index: usize) -> shape::ColumnId {
    shape::ColumnId(table.columns.get(index).map_or(0, |column| column.id.0))
}

fn key_columns(table: &Table, columns: &[IndexColumn]) -> Vec<KeyColumn> {
    let columns = columns.iter().filter_map(|part| {
        let column = column_id(table, part.column()?);
        Some(KeyColumn { column, order: part.order() })
    });
    columns.collect()
}

/// The index that a key beside the rowid is looked up in.
fn key_index(table: &Table, primary_key: &[KeyColumn]) -> Option<KeyIndex> {
    if primary_key.is_empty() {
        return None;
    }
    let index = table.indexes.iter().find(|index| index.origin == IndexOrigin::PrimaryKey)?;
    Some(KeyIndex { tree: index.tree, columns: key_columns(table, &index.columns) })
}

fn table_shape(schema: &Schema, table: &Table, canonizer: &Canonizer<'_>) -> TableShape {
    let declared = table.primary_key.as_ref().map(|key| key_columns(table, &key.columns));
    let declared = declared.unwrap_or_default();
    let (key, primary_key) = match &table.kind {
        TableKind::WithoutRowid => (KeyShape::Columns(declared), Vec::new()),
        TableKind::Rowid { alias, autoincrement } => {
            let alias = alias.map(|index| column_id(table, index));
            let hidden = if alias.is_some() { Vec::new() } else { declared };
            (KeyShape::Rowid { alias, autoincrement: *autoincrement }, hidden)
        }
        TableKind::System(_) => (KeyShape::Columns(Vec::new()), Vec::new()),
    };
    TableShape {
        id: shape::ObjectId(table.id.0),
        name: table.name.to_string(),
        tree: table.tree,
        columns: table
            .columns
            .iter()
            .map(|column| ColumnShape {
                id: shape::ColumnId(column.id.0),
                name: column.name.to_string(),
                position: column.position,
                declared_type: column.declared_type.to_string(),
                affinity: affinity(column.affinity),
                collation: column.collation,
                not_null: column.not_null.is_some(),
                on_null: conflict_clause(column.not_null.flatten()),
                default: column
                    .default_text
                    .as_ref()
                    .map(|text| canonizer.text(text, &[], None).text),
                missing: column.missing.clone(),
                generated: column.generated.as_ref().map(|generated| {
                    let text = generated.expression.to_string();
                    let canonical = canonizer.text(&text, &[table], None);
                    GeneratedShape {
                        expression: canonical.text,
                        written: Written(text),
                        columns: canonical.columns,
                        is_stored: generated.stored,
                    }
                }),
                is_json: ["json", "jsonb"]
                    .iter()
                    .any(|json| column.declared_type.eq_ignore_ascii_case(json)),
            })
            .collect(),
        stored_columns: table.stored_columns,
        key,
        key_index: key_index(table, &primary_key),
        primary_key,
        constraints: constraints(schema, table, canonizer),
        options: options(table),
        holds_counters: table.name.eq_ignore_ascii_case(SEQUENCE_TABLE),
    }
}

fn constraints(schema: &Schema, table: &Table, canonizer: &Canonizer<'_>) -> Vec<ConstraintShape> {
    let mut constraints = Vec::new();
    for check in &table.checks {
        let canonical = canonizer.text(&check.text, &[table], None);
        constraints.push(ConstraintShape {
            name: check.name.as_ref().map(ToString::to_string),
            definition: format!("check ({})", canonical.text),
            written: Written(format!("CHECK ({})", check.text.trim())),
            columns: canonical.columns,
            foreign_key: None,
        });
    }
    for index in table.indexes.iter().filter(|index| index.origin == IndexOrigin::Unique) {
        constraints.push(unique(table, index));
    }
    for key in &table.foreign_keys {
        let parent = schema.table(&key.parent);
        let parent_columns = parent.map(|parent| {
            let named = key.parent_columns.iter().filter_map(|name| {
                parent.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
            });
            named.map(|column| shape::ColumnId(column.id.0)).collect()
        });
        let columns: Vec<_> = key.columns.iter().map(|index| column_id(table, *index)).collect();
        constraints.push(ConstraintShape {
            name: key.name.as_ref().map(ToString::to_string),
            definition: foreign_key(key, parent.is_none()),
            written: Written(written_foreign_key(table, key)),
            columns,
            foreign_key: Some(ForeignKeyShape {
                parent: parent.map(|parent| shape::ObjectId(parent.id.0)),
                columns: parent_columns.unwrap_or_default(),
            }),
        });
    }
    constraints
}

/// The words of a foreign key without names: what it refers to is told by numbers beside them. A
/// parent that is not there has no number, only the names that stand in the text.
fn foreign_key(key: &ForeignKey, names_parent: bool) -> String {
    let mut text = "foreign key".to_owned();
    if names_parent {
        let _ = write!(text, " references {}", key.parent.to_lowercase());
        for column in &key.parent_columns {
            let _ = write!(text, " {}", column.to_lowercase());
        }
    }
    for (event, action) in [("delete", key.on_delete), ("update", key.on_update)] {
        if action != ForeignKeyAction::NoAction {
            let _ = write!(text, " on {event} {}", action.as_str().to_lowercase());
        }
    }
    if key.deferred {
        text.push_str(" deferrable initially deferred");
    }
    text
}

/// A foreign key as one would write it today.
fn written_foreign_key(table: &Table, key: &ForeignKey) -> String {
    let own = key.columns.iter().filter_map(|at| table.columns.get(*at));
    let own: Vec<String> = own.map(|column| identifier(&column.name)).collect();
    let parents: Vec<String> = key.parent_columns.iter().map(|it| identifier(it)).collect();
    let mut text =
        format!("FOREIGN KEY ({}) REFERENCES {}", own.join(", "), identifier(&key.parent));
    if !parents.is_empty() {
        let _ = write!(text, "({})", parents.join(", "));
    }
    for (event, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
        if action != ForeignKeyAction::NoAction {
            let _ = write!(text, " ON {event} {}", action.as_str());
        }
    }
    if key.deferred {
        text.push_str(" DEFERRABLE INITIALLY DEFERRED");
    }
    text
}

fn unique(table: &Table, index: &Index) -> ConstraintShape {
    let columns = key_columns(table, &index.columns);
    let clause = conflict_clause(index.unique.flatten());
    let names = index.columns.iter().filter_map(IndexColumn::column);
    let names = names.filter_map(|at| table.columns.get(at)).map(|it| identifier(&it.name));
    let names: Vec<String> = names.collect();
    ConstraintShape {
        name: None,
        definition: format!("unique{clause}"),
        written: Written(format!("UNIQUE ({}){}", names.join(", "), clause.to_uppercase())),
        columns: columns.iter().map(|key| key.column).collect(),
        foreign_key: None,
    }
}

pub(super) fn affinity(affinity: Affinity) -> shape::Affinity {
    match affinity {
        Affinity::None | Affinity::Blob => shape::Affinity::Blob,
        Affinity::Text => shape::Affinity::Text,
        Affinity::Numeric => shape::Affinity::Numeric,
        Affinity::Integer => shape::Affinity::Integer,
        Affinity::Real => shape::Affinity::Real,
    }
}
