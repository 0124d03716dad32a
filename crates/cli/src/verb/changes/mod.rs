//! `pando diff --sql`: what leads from one state to another as SQL that does it.
//!
//! The order makes the script run on any database that has the older state: what is gone goes
//! first (triggers, views, indexes, tables), then tables change and come, then rows, then what
//! stands on them. Triggers of tables whose rows change are put away meanwhile, so that they do
//! not run twice, and rows that change a unique column are deleted and inserted, so that two of
//! them may change places. A table whose constraints or types differ is built anew. `rows` writes
//! the rows, `renames` finds an order for new names, `definition` takes texts of definitions apart.
//! Neighbours: `graph::diff` shows the same for people.

mod definition;
mod renames;
mod rows;

use std::collections::BTreeSet;

use pandodb::{
    ChangeKind, Comparison, ObjectType, RowChange, SchemaChange, SchemaChangeKind, TableChanges,
};

use crate::failure::Outcome;
use crate::output::quote::identifier;
use crate::shell::Shell;

use self::definition::{column_definition, column_names, computed_columns, has_word, parts};
use self::rows::Table;

/// A definition of one of the states.
#[derive(Clone, Debug)]
struct Definition {
    kind: String,
    name: String,
    table: String,
    sql: String,
}

/// The definitions of a state.
struct Schema(Vec<Definition>);

impl Schema {
    fn read(shell: &Shell, revision: &str) -> Outcome<Self> {
        let from = if !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("sqlite_schema AS OF TRANSACTION {revision}")
        } else {
            format!("sqlite_schema@{}", crate::output::quote::quoted_identifier(revision))
        };
        let sql = format!("SELECT type, name, tbl_name, sql FROM {from} WHERE sql IS NOT NULL");
        let mut statement = shell.connection.prepare(&sql)?;
        let rows = statement.query_map((), |row| {
            let (kind, name, table, sql) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Definition { kind, name, table, sql })
        })?;
        Ok(Self(rows.collect::<Result<_, _>>()?))
    }

    fn find(&self, kind: &str, name: &str) -> Option<&Definition> {
        self.0.iter().find(|it| it.kind == kind && it.name.eq_ignore_ascii_case(name))
    }

    fn of_table<'s>(
        &'s self,
        kind: &'s str,
        table: &'s str,
    ) -> impl Iterator<Item = &'s Definition> {
        self.0.iter().filter(move |it| it.kind == kind && it.table.eq_ignore_ascii_case(table))
    }
}

/// The script; nothing where nothing differs.
pub(super) fn script(
    shell: &Shell,
    from: &str,
    to: &str,
    comparison: &Comparison,
    only: Option<&str>,
) -> Outcome<String> {
    let (old, new) = (Schema::read(shell, from)?, Schema::read(shell, to)?);
    let mut writer = Writer { old, new, text: String::new(), later: Vec::new() };
    let is_wanted = |name: &str| only.is_none_or(|only| only.eq_ignore_ascii_case(name));
    let schema: Vec<&SchemaChange> =
        comparison.schema.iter().filter(|change| is_wanted(&writer.table_of(change))).collect();
    let tables: Vec<&TableChanges> =
        comparison.tables.iter().filter(|table| is_wanted(&table.name)).collect();
    // With a table its rows go.
    let tables: Vec<_> = tables.into_iter().filter(|table| table.new_name.is_some()).collect();
    if schema.is_empty() && tables.is_empty() {
        return Ok(String::new());
    }
    writer.put_away(&schema, &tables);
    writer.change_tables(&schema);
    for table in tables {
        writer.rows(shell, to, table)?;
    }
    writer.put_up();
    Ok(format!("PRAGMA foreign_keys = OFF;\nBEGIN;\n{}COMMIT;\n", writer.text))
}

struct Writer {
    old: Schema,
    new: Schema,
    text: String,
    /// Definitions that come back at the end, by their kind and new name.
    later: Vec<(&'static str, String)>,
}

fn kind_of(object: ObjectType) -> &'static str {
    match object {
        ObjectType::Index => "index",
        ObjectType::View => "view",
        ObjectType::Trigger => "trigger",
        _ => "table",
    }
}

fn older_name(change: &SchemaChange) -> &str {
    match &change.change {
        SchemaChangeKind::Renamed { from } => from,
        _ => &change.name,
    }
}

impl Writer {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end().trim_end_matches(';'));
        self.text.push_str(";\n");
    }

    /// The table that a change is about.
    fn table_of(&self, change: &SchemaChange) -> String {
        let kind = kind_of(change.object);
        let found = self.new.find(kind, &change.name).or_else(|| self.old.find(kind, &change.name));
        found.map_or_else(|| change.name.clone(), |definition| definition.table.clone())
    }

    /// Drops what is gone or defined otherwise, and the triggers of tables that change.
    fn put_away(&mut self, schema: &[&SchemaChange], tables: &[&TableChanges]) {
        let mut away: BTreeSet<(&'static str, String)> = BTreeSet::new();
        let mut back: BTreeSet<(&'static str, String)> = BTreeSet::new();
        for change in schema.iter().filter(|change| change.object != ObjectType::Table) {
            let kind = kind_of(change.object);
            if !matches!(change.change, SchemaChangeKind::Added) {
                away.insert((kind, older_name(change).to_owned()));
            }
            if !matches!(change.change, SchemaChangeKind::Dropped) {
                back.insert((kind, change.name.clone()));
            }
        }
        let dropped: BTreeSet<&str> =
            tables_of(schema, |it| matches!(it, SchemaChangeKind::Dropped)).collect();
        let touched: BTreeSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let rebuilt: BTreeSet<&str> =
            schema.iter().filter(|it| is_rebuilt(it)).map(|it| it.name.as_str()).collect();
        for table in touched.union(&rebuilt) {
            let kinds: &[&'static str] =
                if rebuilt.contains(table) { &["trigger", "index"] } else { &["trigger"] };
            for kind in kinds {
                let names = |schema: &Schema, table: &str| -> Vec<String> {
                    schema.of_table(kind, table).map(|it| it.name.clone()).collect()
                };
                if let Some(older) = self.older_table(table, schema) {
                    away.extend(names(&self.old, older).into_iter().map(|name| (*kind, name)));
                }
                back.extend(names(&self.new, table).into_iter().map(|name| (*kind, name)));
            }
        }
        // What stands on a table goes with it.
        away.retain(|(kind, name)| {
            let found = self.old.find(kind, name);
            *kind == "view" || !found.is_some_and(|it| dropped.contains(it.table.as_str()))
        });
        for kind in ["trigger", "view", "index"] {
            for (_, name) in away.iter().filter(|(it, _)| *it == kind) {
                self.line(&format!("DROP {} {}", kind.to_uppercase(), identifier(name)));
            }
        }
        self.later = back.into_iter().collect();
    }

    /// Brings what stands on tables back, in the order in which one may stand on another.
    fn put_up(&mut self) {
        for kind in ["index", "view", "trigger"] {
            let names: Vec<String> = self
                .later
                .iter()
                .filter(|(it, _)| *it == kind)
                .map(|(_, name)| name.clone())
                .collect();
            // The order of the schema: a view may stand on another.
            let definitions: Vec<String> = self
                .new
                .0
                .iter()
                .filter(|it| it.kind == kind && names.contains(&it.name))
                .map(|it| it.sql.clone())
                .collect();
            for sql in definitions {
                self.line(&sql);
            }
        }
    }

    fn change_tables(&mut self, schema: &[&SchemaChange]) {
        let (gone, come) = (SchemaChangeKind::Dropped, SchemaChangeKind::Added);
        for name in tables_of(schema, |it| *it == gone) {
            self.line(&format!("DROP TABLE {}", identifier(name)));
        }
        let mut known: Vec<String> =
            self.old.0.iter().filter(|it| it.kind != "trigger").map(|it| it.name.clone()).collect();
        known.retain(|name| !tables_of(schema, |it| *it == gone).any(|it| it == name));
        let renamed = schema
            .iter()
            .filter(|it| it.object == ObjectType::Table && it.column.is_none())
            .filter_map(|it| renaming(it));
        for (from, to) in renames::in_order(renamed.collect(), known) {
            let (from, to) = (identifier(&from), identifier(&to));
            self.line(&format!("ALTER TABLE {from} RENAME TO {to}"));
        }
        for name in tables_of(schema, |it| *it == come) {
            if let Some(definition) = self.new.find("table", name).cloned() {
                self.line(&definition.sql);
            }
        }
        let rebuilt: BTreeSet<&str> =
            schema.iter().filter(|it| is_rebuilt(it)).map(|it| it.name.as_str()).collect();
        let changed: BTreeSet<&str> = schema
            .iter()
            .filter(|it| it.object == ObjectType::Table && it.column.is_some())
            .map(|it| it.name.as_str())
            .filter(|name| !rebuilt.contains(name))
            .collect();
        for table in changed {
            self.change_columns(table, schema);
        }
        for table in rebuilt {
            self.rebuild(table, schema);
        }
    }

    /// Renames columns, adds the new ones, drops the old ones. A column is never the last one of
    /// its table then, and one that goes gives its name away first if another wants it.
    fn change_columns(&mut self, table: &str, schema: &[&SchemaChange]) {
        let of_table = || {
            let is_here = |it: &&&SchemaChange| it.object == ObjectType::Table && it.name == table;
            schema.iter().filter(is_here).filter(|it| it.column.is_some())
        };
        let older = self.older_table(table, schema).and_then(|it| self.old.find("table", it));
        let known = older.map(|it| column_names(&it.sql)).unwrap_or_default();
        let new = self.new.find("table", table).map(|it| it.sql.clone()).unwrap_or_default();
        let new_names = column_names(&new);
        // Constraints of a column come and go with it.
        let named = |wanted: SchemaChangeKind, columns: &[String]| -> Vec<String> {
            let names =
                of_table().filter(|it| it.change == wanted).filter_map(|it| it.column.clone());
            names.filter(|name| columns.iter().any(|it| it.eq_ignore_ascii_case(name))).collect()
        };
        let added = named(SchemaChangeKind::Added, &new_names);
        let mut dropped = named(SchemaChangeKind::Dropped, &known);
        let mut renamed: Vec<(String, String)> = of_table().filter_map(|it| renaming(it)).collect();
        for name in &mut dropped {
            let is_wanted = |it: &String| it.eq_ignore_ascii_case(name);
            if added.iter().any(is_wanted) || renamed.iter().any(|(_, to)| is_wanted(to)) {
                let free = renames::free_name(known.iter().chain(&new_names));
                renamed.push((std::mem::replace(name, free.clone()), free));
            }
        }
        let table = identifier(table).into_owned();
        for (from, to) in renames::in_order(renamed, known) {
            let (from, to) = (identifier(&from), identifier(&to));
            self.line(&format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
        }
        for column in added {
            let written = column_definition(&new, &column);
            let written = written.unwrap_or_else(|| identifier(&column).into_owned());
            self.line(&format!("ALTER TABLE {table} ADD COLUMN {written}"));
        }
        for column in dropped {
            self.line(&format!("ALTER TABLE {table} DROP COLUMN {}", identifier(&column)));
        }
    }

    /// What the older state calls a table; none where the newer one made it.
    fn older_table<'s>(&self, table: &'s str, schema: &[&'s SchemaChange]) -> Option<&'s str> {
        let is_here = |it: &&&SchemaChange| {
            it.object == ObjectType::Table && it.column.is_none() && it.name == table
        };
        let found = schema.iter().filter(is_here).map(|it| &it.change);
        let mut older = Some(table);
        for change in found {
            match change {
                SchemaChangeKind::Renamed { from } => return Some(from),
                SchemaChangeKind::Added => older = None,
                _ => {}
            }
        }
        older
    }

    /// A table with its new definition and its old rows.
    fn rebuild(&mut self, table: &str, schema: &[&SchemaChange]) {
        let Some(definition) = self.new.find("table", table).cloned() else { return };
        let name = identifier(table);
        let of_table =
            |change: &&&SchemaChange| change.object == ObjectType::Table && change.name == table;
        let computed = computed_columns(&definition.sql);
        let mut columns = Vec::new();
        for column in column_names(&definition.sql) {
            if computed.contains(&column) {
                continue;
            }
            let change = schema
                .iter()
                .filter(of_table)
                .find(|it| it.column.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(&column)));
            match change.map(|change| &change.change) {
                Some(SchemaChangeKind::Added) => {}
                Some(SchemaChangeKind::Renamed { from }) => columns.push((column, from.clone())),
                _ => columns.push((column.clone(), column)),
            }
        }
        let list = |names: Vec<&str>| {
            names.into_iter().map(|it| identifier(it).into_owned()).collect::<Vec<_>>().join(", ")
        };
        let new_names = list(columns.iter().map(|(new, _)| new.as_str()).collect());
        let old_names = list(columns.iter().map(|(_, old)| old.as_str()).collect());
        self.line(&format!("CREATE TEMP TABLE pando_kept AS SELECT {old_names} FROM {name}"));
        self.line(&format!("DROP TABLE {name}"));
        self.line(&definition.sql);
        self.line(&format!(
            "INSERT INTO {name} ({new_names}) SELECT {old_names} FROM temp.pando_kept"
        ));
        self.line("DROP TABLE temp.pando_kept");
    }

    /// The rows of a table: deletes, then updates, then inserts.
    fn rows(&mut self, shell: &Shell, to: &str, changes: &TableChanges) -> Outcome {
        let table = Table::read(shell, to, changes)?;
        let unique = self.unique_columns(&table);
        let is_moved = |row: &RowChange| {
            let differs = |at: &usize| row.changed.get(*at).copied().unwrap_or(false);
            row.kind == ChangeKind::Updated && unique.iter().any(differs)
        };
        for row in &changes.rows {
            if row.kind == ChangeKind::Deleted || is_moved(row) {
                let line = format!("DELETE FROM {} WHERE {}", table.name, table.key(row));
                self.line(&line);
            }
        }
        for row in changes.rows.iter().filter(|it| it.kind == ChangeKind::Updated && !is_moved(it))
        {
            if let Some(line) = table.update(row) {
                self.line(&line);
            }
        }
        for row in &changes.rows {
            if row.kind == ChangeKind::Inserted || is_moved(row) {
                let line = table.insert(row);
                self.line(&line);
            }
        }
        Ok(())
    }

    /// The places of columns that constraints or indexes hold unique.
    fn unique_columns(&self, table: &Table) -> Vec<usize> {
        let is_unique = |text: &&str| has_word(text, "UNIQUE") || has_word(text, "PRIMARY");
        let tables = self.new.of_table("table", &table.plain_name);
        let mut text: Vec<&str> = tables.flat_map(|it| parts(&it.sql)).filter(is_unique).collect();
        let indexes = self.new.of_table("index", &table.plain_name).map(|it| it.sql.as_str());
        text.extend(indexes.filter(is_unique));
        let text = text.join("\n");
        let is_named = |column: &String| has_word(&text, column);
        (0..table.columns.len()).filter(|at| is_named(&table.columns[*at])).collect()
    }
}

/// The tables with a change of this kind.
fn tables_of<'s>(
    schema: &'s [&'s SchemaChange],
    is_wanted: impl Fn(&SchemaChangeKind) -> bool,
) -> impl Iterator<Item = &'s str> {
    let is_table = |it: &&&SchemaChange| it.object == ObjectType::Table && it.column.is_none();
    schema
        .iter()
        .filter(is_table)
        .filter(move |it| is_wanted(&it.change))
        .map(|it| it.name.as_str())
}

/// The old and the new name of what a change renames: a column, or else a table.
fn renaming(change: &SchemaChange) -> Option<(String, String)> {
    let SchemaChangeKind::Renamed { from } = &change.change else { return None };
    Some((from.clone(), change.column.as_ref().unwrap_or(&change.name).clone()))
}

/// Whether a change needs the table to be built anew: ALTER TABLE cannot do it.
fn is_rebuilt(change: &SchemaChange) -> bool {
    change.object == ObjectType::Table && matches!(change.change, SchemaChangeKind::Changed { .. })
}
