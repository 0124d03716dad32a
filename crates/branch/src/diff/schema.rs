//! What differs between two schemas, one entry for each object or column.
//!
//! Objects and columns are matched by id, so a rename is a rename and never a drop beside an
//! addition. Neighbours: `merge::schema` decides what becomes of differences on two sides.

use crate::shape::{
    ColumnId, ColumnShape, ConstraintShape, ObjectId, Shape, TableShape, TextShape,
};

/// The kinds of objects.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// A number that an application keeps (`user_version`). Behind all others, which files have.
    Setting,
}

impl ObjectKind {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
            Self::Setting => "setting",
        }
    }
}

/// What happened to an object or a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// It was added.
    Added,
    /// It was dropped.
    Dropped,
    /// It has another name.
    Renamed {
        /// The older name.
        from: String,
    },
    /// Its definition is another one: before and after.
    Changed {
        /// The older definition.
        from: String,
        /// The newer one.
        to: String,
    },
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDifference {
    /// What the object is.
    pub kind: ObjectKind,
    /// Its number.
    pub object: ObjectId,
    /// Its name in the newer version, or in the older one where it was dropped.
    pub name: String,
    /// The column, or the text of the constraint, where the difference is about one.
    pub part: Option<String>,
    /// What happened.
    pub change: SchemaChange,
}

/// All differences that lead from one schema to another.
pub fn compare_shapes(old: &Shape, new: &Shape) -> Vec<SchemaDifference> {
    let mut differences = Vec::new();
    for table in &new.tables {
        match old.table(table.id) {
            None => differences.push(whole(table, SchemaChange::Added)),
            Some(before) => {
                compare_tables(before, table, &mut differences);
                compare_constraints((old, before), (new, table), &mut differences);
            }
        }
    }
    for table in &old.tables {
        if new.table(table.id).is_none() {
            differences.push(whole(table, SchemaChange::Dropped));
        }
    }
    for (kind, old, new) in [
        (ObjectKind::Index, &old.indexes, &new.indexes),
        (ObjectKind::View, &old.views, &new.views),
        (ObjectKind::Trigger, &old.triggers, &new.triggers),
    ] {
        compare_texts(kind, old, new, &mut differences);
    }
    compare_settings(old, new, &mut differences);
    differences
}

fn compare_settings(old: &Shape, new: &Shape, differences: &mut Vec<SchemaDifference>) {
    for setting in &new.settings {
        let before = old.setting(setting.id);
        if before == setting.value {
            continue;
        }
        let (from, to) = (before.to_string(), setting.value.to_string());
        differences.push(SchemaDifference {
            kind: ObjectKind::Setting,
            object: setting.id,
            name: setting.name.to_owned(),
            part: None,
            change: SchemaChange::Changed { from, to },
        });
    }
}

fn whole(table: &TableShape, change: SchemaChange) -> SchemaDifference {
    SchemaDifference {
        kind: ObjectKind::Table,
        object: table.id,
        name: table.name.clone(),
        part: None,
        change,
    }
}

fn compare_tables(old: &TableShape, new: &TableShape, differences: &mut Vec<SchemaDifference>) {
    let mut add = |part: Option<String>, change| {
        differences.push(SchemaDifference { part, ..whole(new, change) });
    };
    if old.name != new.name {
        add(None, SchemaChange::Renamed { from: old.name.clone() });
    }
    if old.key != new.key || old.primary_key != new.primary_key || old.options != new.options {
        let (from, to) = (describe_table(old), describe_table(new));
        add(None, SchemaChange::Changed { from, to });
    }
    for column in &new.columns {
        let part = Some(column.name.clone());
        match old.column(column.id) {
            None => add(part, SchemaChange::Added),
            Some(before) => {
                if before.name != column.name {
                    add(part.clone(), SchemaChange::Renamed { from: before.name.clone() });
                }
                if canonical_column(before) != canonical_column(column) {
                    let (from, to) = (describe_column(before), describe_column(column));
                    add(part, SchemaChange::Changed { from, to });
                }
            }
        }
    }
    for column in &old.columns {
        if new.column(column.id).is_none() {
            add(Some(column.name.clone()), SchemaChange::Dropped);
        }
    }
}

fn compare_constraints(
    (old_shape, old): (&Shape, &TableShape),
    (new_shape, new): (&Shape, &TableShape),
    differences: &mut Vec<SchemaDifference>,
) {
    let mut add = |part: String, change| {
        differences.push(SchemaDifference { part: Some(part), ..whole(new, change) });
    };
    // A foreign key stays what it is where its parent goes or comes: it has the name.
    let is_same = |before: &ConstraintShape, after: &ConstraintShape| {
        before == after
            || before.name == after.name
                && before.columns == after.columns
                && by_names(before, old_shape)
                    .is_some_and(|it| by_names(after, new_shape) == Some(it))
    };
    for constraint in &new.constraints {
        if !old.constraints.iter().any(|before| is_same(before, constraint)) {
            add(describe_constraint(constraint, new, new_shape), SchemaChange::Added);
        }
    }
    for constraint in &old.constraints {
        if !new.constraints.iter().any(|after| is_same(constraint, after)) {
            add(describe_constraint(constraint, old, old_shape), SchemaChange::Dropped);
        }
    }
}

/// The definition of a foreign key with the names of what it leads to, as one without a parent has
/// them; none for other constraints.
fn by_names(constraint: &ConstraintShape, shape: &Shape) -> Option<String> {
    let key = constraint.foreign_key.as_ref()?;
    let Some(parent) = key.parent.and_then(|id| shape.table(id)) else {
        return Some(constraint.definition.clone());
    };
    let actions = constraint.definition.strip_prefix("foreign key")?;
    let mut text = format!("foreign key references {}", parent.name.to_lowercase());
    for id in &key.columns {
        text.push(' ');
        text.push_str(&parent.column(*id)?.name.to_lowercase());
    }
    text.push_str(actions);
    Some(text)
}

/// A constraint as its table's owner would write it.
fn describe_constraint(constraint: &ConstraintShape, table: &TableShape, shape: &Shape) -> String {
    let names = |table: &TableShape, columns: &[ColumnId]| -> String {
        let names = columns.iter().filter_map(|id| table.column(*id)).map(|it| it.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    if !constraint.written.0.is_empty() {
        return constraint.told();
    }
    let ours = names(table, &constraint.columns);
    let definition = constraint.definition.as_str();
    let Some(key) = &constraint.foreign_key else {
        return match definition.strip_prefix("unique") {
            Some(clause) => format!("unique ({ours}){clause}"),
            None => with_names(definition, table, &constraint.columns),
        };
    };
    let actions = definition.strip_prefix("foreign key").unwrap_or_default();
    let Some(parent) = key.parent.and_then(|id| shape.table(id)) else {
        return format!("foreign key ({ours}){actions}");
    };
    let theirs = match names(parent, &key.columns) {
        none if none.is_empty() => none,
        named => format!("({named})"),
    };
    format!("foreign key ({ours}) references {}{theirs}{actions}", parent.name)
}

/// A canonical text with the names of the columns that it has by their places.
fn with_names(definition: &str, table: &TableShape, columns: &[ColumnId]) -> String {
    let mut text = String::new();
    let mut rest = definition;
    while let Some(start) = rest.find("{c") {
        let (before, place) = rest.split_at(start);
        text.push_str(before);
        let named = place.split_once('}').and_then(|(place, behind)| {
            let place: usize = place.strip_prefix("{c")?.parse().ok()?;
            Some((&table.column(*columns.get(place)?)?.name, behind))
        });
        rest = if let Some((name, behind)) = named {
            text.push_str(name);
            behind
        } else {
            text.push_str("{c");
            &place[2..]
        };
    }
    text.push_str(rest);
    text
}

fn compare_texts(
    kind: ObjectKind,
    old: &[TextShape],
    new: &[TextShape],
    differences: &mut Vec<SchemaDifference>,
) {
    let mut add = |object: &TextShape, change| {
        let (id, name) = (object.id, object.name.clone());
        differences.push(SchemaDifference { kind, object: id, name, part: None, change });
    };
    for object in new {
        match old.iter().find(|other| other.id == object.id) {
            None => add(object, SchemaChange::Added),
            Some(before) => {
                if before.name != object.name {
                    add(object, SchemaChange::Renamed { from: before.name.clone() });
                }
                if before.definition != object.definition {
                    let (from, to) = (before.told(), object.told());
                    add(object, SchemaChange::Changed { from, to });
                }
            }
        }
    }
    for object in old {
        if !new.iter().any(|other| other.id == object.id) {
            add(object, SchemaChange::Dropped);
        }
    }
}

/// The key and the options of a table.
pub fn describe_table(table: &TableShape) -> String {
    use crate::shape::KeyShape;
    let name = |id| table.column(id).map_or("?", |column| &column.name);
    let mut text = match &table.key {
        KeyShape::Rowid { alias: None, .. } => String::from("rowid"),
        KeyShape::Rowid { alias: Some(alias), autoincrement } => {
            let more = if *autoincrement { " AUTOINCREMENT" } else { "" };
            format!("{} INTEGER PRIMARY KEY{more}", name(*alias))
        }
        KeyShape::Columns(columns) => {
            let names: Vec<&str> = columns.iter().map(|key| name(key.column)).collect();
            format!("PRIMARY KEY ({}) WITHOUT ROWID", names.join(", "))
        }
    };
    if !table.primary_key.is_empty() {
        let names: Vec<&str> = table.primary_key.iter().map(|key| name(key.column)).collect();
        text = format!("PRIMARY KEY ({})", names.join(", "));
    }
    if !table.options.is_empty() {
        text.push(' ');
        text.push_str(&table.options);
    }
    text
}

/// A column without its name, as people would write it.
pub fn describe_column(column: &ColumnShape) -> String {
    let generated = column.generated.as_ref();
    column_with(column, generated.map(|it| it.written.or(&it.expression)))
}

/// The same with what is compared.
fn canonical_column(column: &ColumnShape) -> String {
    column_with(column, column.generated.as_ref().map(|generated| &*generated.expression))
}

fn column_with(column: &ColumnShape, expression: Option<&str>) -> String {
    let mut text = column.declared_type.clone();
    let mut add = |part: &str| {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(part);
    };
    if column.collation != pandodb_ds::record::Collation::Binary {
        add(&format!("COLLATE {}", column.collation.name().unwrap_or("(own)")));
    }
    if column.not_null {
        add(&format!("NOT NULL{}", column.on_null.to_uppercase()));
    }
    if let Some(default) = &column.default {
        add(&format!("DEFAULT {default}"));
    }
    if let (Some(generated), Some(expression)) = (&column.generated, expression) {
        let kind = if generated.is_stored { "STORED" } else { "VIRTUAL" };
        add(&format!("AS ({expression}) {kind}"));
    }
    text
}
