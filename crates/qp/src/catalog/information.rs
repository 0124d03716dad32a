//! `information_schema`: the views of standard SQL over what the catalog knows.
//!
//! Each is a query over `pragma_*` functions, parsed when it is named, so that there is no second
//! way to the same facts. The catalog of a name (`table_catalog`) is the name of the database,
//! and so is its schema, because a database here has one schema. Neighbours: `bind` finds these
//! under the schema's name, `pragma` has what they read.

use pandodb_ds::sync::Arc;

use super::{DatabaseIndex, ObjectId, View};
use crate::ast::StatementKind;
use crate::error::{Error, ErrorKind, Result};
use crate::parse::parse_statement;

/// What the schema is called.
pub const SCHEMA: &str = "information_schema";

/// The views, each with its query.
const VIEWS: &[(&str, &str)] = &[
    ("schemata", SCHEMATA),
    ("tables", TABLES),
    ("columns", COLUMNS),
    ("views", VIEW_DEFINITIONS),
    ("table_constraints", TABLE_CONSTRAINTS),
    ("key_column_usage", KEY_COLUMN_USAGE),
    ("constraint_column_usage", CONSTRAINT_COLUMN_USAGE),
    ("referential_constraints", REFERENTIAL_CONSTRAINTS),
    ("check_constraints", CHECK_CONSTRAINTS),
    ("triggers", TRIGGERS),
    ("statistics", STATISTICS),
    ("collations", COLLATIONS),
    ("routines", ROUTINES),
];

const SCHEMATA: &str = "\
SELECT name AS catalog_name, name AS schema_name, '' AS schema_owner,
       NULL AS default_character_set_catalog, NULL AS default_character_set_schema,
       'UTF8' AS default_character_set_name, nullif(file, '') AS sql_path
FROM pragma_database_list
UNION ALL
SELECT 'main', 'information_schema', '', NULL, NULL, 'UTF8', NULL";

const TABLES: &str = "\
SELECT schema AS table_catalog, schema AS table_schema, name AS table_name,
       CASE WHEN type = 'view' THEN 'VIEW' WHEN schema = 'temp' THEN 'LOCAL TEMPORARY'
            ELSE 'BASE TABLE' END AS table_type,
       CASE type WHEN 'view' THEN 'NO' ELSE 'YES' END AS is_insertable_into
FROM pragma_table_list
UNION ALL
SELECT 'main', 'information_schema', name, 'VIEW', 'NO' FROM pragma_information_schema_list";

const COLUMNS: &str = "\
SELECT t.schema AS table_catalog, t.schema AS table_schema, t.name AS table_name,
       c.name AS column_name, c.cid + 1 AS ordinal_position, c.dflt_value AS column_default,
       CASE WHEN c.\"notnull\" OR (c.pk AND t.wr) THEN 'NO' ELSE 'YES' END AS is_nullable,
       CASE WHEN instr(c.type, '(') > 0 THEN trim(substr(c.type, 1, instr(c.type, '(') - 1))
            ELSE c.type END AS data_type,
       CASE WHEN c.type LIKE '%CHAR%(%' OR c.type LIKE '%TEXT%(%'
            THEN CAST(substr(c.type, instr(c.type, '(') + 1) AS INTEGER)
            END AS character_maximum_length,
       CASE WHEN (c.type LIKE 'DEC%(%' OR c.type LIKE 'NUM%(%')
            THEN CAST(substr(c.type, instr(c.type, '(') + 1) AS INTEGER) END AS numeric_precision,
       CASE WHEN (c.type LIKE 'DEC%(%,%' OR c.type LIKE 'NUM%(%,%')
            THEN CAST(substr(c.type, instr(c.type, ',') + 1) AS INTEGER) END AS numeric_scale,
       CASE WHEN c.hidden IN (2, 3) THEN 'ALWAYS' ELSE 'NEVER' END AS is_generated,
       CASE c.pk WHEN 0 THEN 'NO' ELSE 'YES' END AS is_primary_key
FROM pragma_table_list AS t, pragma_table_xinfo(t.name, t.schema) AS c";

const VIEW_DEFINITIONS: &str = "\
SELECT t.schema AS table_catalog, t.schema AS table_schema, t.name AS table_name,
       d.sql AS view_definition, 'NONE' AS check_option,
       CASE WHEN EXISTS (SELECT 1 FROM pragma_trigger_list(t.name, t.schema)
                         WHERE time = 'INSTEAD OF') THEN 'YES' ELSE 'NO' END AS is_updatable
FROM pragma_table_list AS t, pragma_view_definition(t.name, t.schema) AS d
WHERE t.type = 'view'";

const TABLE_CONSTRAINTS: &str = "\
SELECT DISTINCT t.schema AS constraint_catalog, t.schema AS constraint_schema,
       c.name AS constraint_name, t.schema AS table_catalog, t.schema AS table_schema,
       t.name AS table_name, c.type AS constraint_type,
       CASE WHEN c.type = 'FOREIGN KEY' THEN 'YES' ELSE 'NO' END AS is_deferrable,
       CASE c.deferred WHEN 1 THEN 'YES' ELSE 'NO' END AS initially_deferred
FROM pragma_table_list AS t, pragma_constraint_list(t.name, t.schema) AS c
WHERE t.type = 'table' AND c.type <> 'NOT NULL'";

const KEY_COLUMN_USAGE: &str = "\
SELECT t.schema AS constraint_catalog, t.schema AS constraint_schema,
       c.name AS constraint_name, t.schema AS table_catalog, t.schema AS table_schema,
       t.name AS table_name, c.\"column\" AS column_name, c.position AS ordinal_position,
       CASE c.type WHEN 'FOREIGN KEY' THEN c.position END AS position_in_unique_constraint,
       CASE WHEN c.parent IS NOT NULL THEN t.schema END AS referenced_table_schema,
       c.parent AS referenced_table_name, c.parent_column AS referenced_column_name
FROM pragma_table_list AS t, pragma_constraint_list(t.name, t.schema) AS c
WHERE t.type = 'table' AND c.type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')";

const CONSTRAINT_COLUMN_USAGE: &str = "\
SELECT t.schema AS table_catalog, t.schema AS table_schema,
       coalesce(c.parent, t.name) AS table_name,
       coalesce(c.parent_column, c.\"column\") AS column_name,
       t.schema AS constraint_catalog, t.schema AS constraint_schema, c.name AS constraint_name
FROM pragma_table_list AS t, pragma_constraint_list(t.name, t.schema) AS c
WHERE t.type = 'table' AND c.type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')";

const REFERENTIAL_CONSTRAINTS: &str = "\
SELECT DISTINCT t.schema AS constraint_catalog, t.schema AS constraint_schema,
       c.name AS constraint_name, t.schema AS unique_constraint_catalog,
       t.schema AS unique_constraint_schema,
       (SELECT p.name FROM pragma_constraint_list(c.parent, t.schema) AS p
        WHERE p.type IN ('PRIMARY KEY', 'UNIQUE') AND p.\"column\" = c.parent_column
        LIMIT 1) AS unique_constraint_name,
       'NONE' AS match_option, c.on_update AS update_rule, c.on_delete AS delete_rule,
       t.name AS table_name, c.parent AS referenced_table_name
FROM pragma_table_list AS t, pragma_constraint_list(t.name, t.schema) AS c
WHERE t.type = 'table' AND c.type = 'FOREIGN KEY' AND c.position = 1";

const CHECK_CONSTRAINTS: &str = "\
SELECT t.schema AS constraint_catalog, t.schema AS constraint_schema,
       c.name AS constraint_name, t.name AS table_name,
       CASE c.type WHEN 'CHECK' THEN c.expression
            ELSE c.\"column\" || ' IS NOT NULL' END AS check_clause
FROM pragma_table_list AS t, pragma_constraint_list(t.name, t.schema) AS c
WHERE t.type = 'table' AND c.type IN ('CHECK', 'NOT NULL')";

const TRIGGERS: &str = "\
SELECT g.schema AS trigger_catalog, g.schema AS trigger_schema, g.name AS trigger_name,
       g.event AS event_manipulation, g.table_schema AS event_object_schema,
       g.\"table\" AS event_object_table, g.sql AS action_statement,
       'ROW' AS action_orientation, g.time AS action_timing
FROM pragma_database_list AS d, pragma_trigger_list(NULL, d.name) AS g";

const STATISTICS: &str = "\
SELECT t.schema AS table_catalog, t.schema AS table_schema, t.name AS table_name,
       CASE i.\"unique\" WHEN 1 THEN 0 ELSE 1 END AS non_unique, t.schema AS index_schema,
       i.name AS index_name, c.seqno + 1 AS seq_in_index, c.name AS column_name,
       CASE c.\"desc\" WHEN 1 THEN 'D' ELSE 'A' END AS collation
FROM pragma_table_list AS t, pragma_index_list(t.name, t.schema) AS i,
     pragma_index_xinfo(i.name, t.schema) AS c
WHERE t.type = 'table' AND c.key";

const COLLATIONS: &str = "\
SELECT 'main' AS collation_catalog, 'main' AS collation_schema, name AS collation_name,
       'NO PAD' AS pad_attribute
FROM pragma_collation_list";

const ROUTINES: &str = "\
SELECT 'main' AS routine_catalog, 'main' AS routine_schema, name AS routine_name,
       CASE builtin WHEN 1 THEN 'BUILTIN' ELSE 'EXTERNAL' END AS routine_body,
       'FUNCTION' AS routine_type, narg AS arguments
FROM pragma_function_list";

/// The names of the views.
pub fn names() -> impl Iterator<Item = &'static str> {
    VIEWS.iter().map(|(name, _)| *name)
}

/// The view called `name`, in any case.
pub fn view(name: &str) -> Result<Option<Arc<View>>> {
    let Some((name, sql)) = VIEWS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        return Ok(None);
    };
    let (statement, _) = parse_statement(sql)?;
    let Some(StatementKind::Select(select)) = statement.map(|statement| statement.kind) else {
        return Err(Error::new(ErrorKind::Internal, "a view of information_schema is no query"));
    };
    Ok(Some(Arc::new(View {
        id: ObjectId(0),
        database: DatabaseIndex::MAIN,
        name: Box::from(*name),
        columns: Vec::new(),
        select: *select,
        sql: Box::from(*sql),
    })))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn every_view_is_a_query() {
        for name in names() {
            assert!(view(&name.to_ascii_uppercase()).unwrap().is_some(), "{name}");
        }
        assert!(view("nothing").unwrap().is_none());
    }
}
