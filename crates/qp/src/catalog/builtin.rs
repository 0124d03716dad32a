//! Tables that the engine makes: `sqlite_schema` under all its names.
//!
//! Neighbours: `rows` has what they show.

use pandodb_ds::record::{Collation, Value};
use pandodb_ds::sync::Arc;

use super::table::SystemTable;
use super::{Column, ColumnId, DatabaseIndex, ObjectId, Table, TableKind};
use crate::store::CATALOG_TREE;
use crate::types::Affinity;

/// The columns of `sqlite_schema`.
pub const SCHEMA_TABLE_COLUMNS: [(&str, &str); 5] = [
    ("type", "TEXT"),
    ("name", "TEXT"),
    ("tbl_name", "TEXT"),
    ("rootpage", "INT"),
    ("sql", "TEXT"),
];

/// Whether `name` means `sqlite_schema`; the temporary names only mean that of `temp`.
pub fn schema_table(name: &str, database: DatabaseIndex) -> Option<Arc<Table>> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    let database = if is("sqlite_temp_schema") || is("sqlite_temp_master") {
        DatabaseIndex::TEMP
    } else if is("sqlite_schema") || is("sqlite_master") {
        database
    } else {
        return None;
    };
    let column = |(position, (name, declared)): (usize, &(&str, &str))| Column {
        id: ColumnId(position as u64),
        name: Box::from(*name),
        position,
        declared_type: Box::from(*declared),
        affinity: Affinity::of_type(declared),
        strict_type: None,
        collation: Collation::Binary,
        not_null: None,
        default: None,
        default_text: None,
        missing: Value::Null,
        generated: None,
        hidden: false,
    };
    Some(Arc::new(Table {
        id: ObjectId(0),
        database,
        name: Box::from(name),
        tree: CATALOG_TREE,
        columns: SCHEMA_TABLE_COLUMNS.iter().enumerate().map(column).collect(),
        stored_columns: SCHEMA_TABLE_COLUMNS.len(),
        kind: TableKind::System(SystemTable::Schema),
        primary_key: None,
        strict: false,
        counts_alone: false,
        indexes: Vec::new(),
        checks: Vec::new(),
        foreign_keys: Vec::new(),
        sql: Box::default(),
    }))
}

/// What errors call a table: the schema table has one name there, however it was spelled.
pub fn called_in_errors(table: &Table) -> &str {
    match table.kind {
        TableKind::System(SystemTable::Schema) if table.database == DatabaseIndex::TEMP => {
            "sqlite_temp_master"
        }
        TableKind::System(SystemTable::Schema) => "sqlite_master",
        _ => &table.name,
    }
}

/// Whether `called` is what columns of `database`'s schema table may be called by; `is_qualified`
/// where the database stands before it. As in SQLite it does not count how FROM spells it.
pub fn is_schema_table_name(called: &str, database: DatabaseIndex, is_qualified: bool) -> bool {
    let is = |known: &str| called.eq_ignore_ascii_case(known);
    let is_plain = is("sqlite_schema") || is("sqlite_master");
    if database == DatabaseIndex::TEMP {
        return is("sqlite_temp_schema") || is("sqlite_temp_master") || (is_qualified && is_plain);
    }
    is_plain
}

/// Whether only the engine may make objects of that name.
pub fn is_reserved_name(name: &str) -> bool {
    name.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sqlite_"))
}
