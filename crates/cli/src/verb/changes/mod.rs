//! `pando diff --sql`: what leads from one state to another as SQL that does it.
//!
//! The order makes the script run on any database that has the older state: what is gone goes
//! first (triggers, views, indexes, tables), then tables change and come, then rows, then what
//! stands on them. Triggers of tables whose rows change are put away meanwhile, so that they do
//! not run twice, and rows that change a unique column are deleted and inserted, so that two of
//! them may change places. A table that ALTER TABLE cannot bring to its definition is built anew:
//! `plan` finds out, `anew` does it. `rows` writes the rows, `counters` the AUTOINCREMENT numbers,
//! `renames` finds an order for new names, `standing` puts away what stands on tables and brings it
//! back, `definition` takes texts of definitions apart.
//! Neighbours: `graph::diff` shows the same for people.

mod anew;
mod counters;
pub(super) mod definition;
mod plan;
mod renames;
mod rows;
mod standing;

use std::collections::BTreeSet;

use pandodb::{ChangeKind, Comparison, ObjectType, SchemaChange, SchemaChangeKind, TableChanges};

use crate::failure::Outcome;
use crate::output::quote::identifier;
use crate::shell::Shell;

use self::definition::{has_word, parts};
use self::rows::{Added, Row, Table};

/// A definition of one of the states.
#[derive(Clone, Debug)]
struct Definition {
    kind: String,
    name: String,
    table: String,
    sql: String,
}

/// A table as another state has it.
fn at_revision(table: &str, revision: &str) -> String {
    let table = identifier(table);
    if !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{table} AS OF TRANSACTION {revision}")
    } else {
        format!("{table}@{}", crate::output::quote::quoted_identifier(revision))
    }
}

/// Whether a table is the engine's own: it comes with what needs it.
fn is_internal(name: &str) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("sqlite_"))
}

/// The definitions of a state.
struct Schema(Vec<Definition>);

impl Schema {
    fn read(shell: &Shell, revision: &str) -> Outcome<Self> {
        let from = at_revision("sqlite_schema", revision);
        let sql = format!("SELECT type, name, tbl_name, sql FROM {from} WHERE sql IS NOT NULL");
        let mut statement = shell.connection.prepare(&sql)?;
        let rows = statement.query_map((), |row| {
            let (kind, name, table, sql) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Definition { kind, name, table, sql })
        })?;
        let mut definitions = rows.collect::<Result<Vec<_>, _>>()?;
        definitions.retain(|it| !is_internal(&it.name));
        Ok(Self(definitions))
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
    let (text, later, rebuilt) = (String::new(), Vec::new(), BTreeSet::new());
    let is_changed = |row: &pandodb::RowChange| row.kind != ChangeKind::Inserted;
    let changed = comparison.tables.iter().filter(|table| table.rows.iter().any(is_changed));
    let changed = changed.map(|table| table.name.clone()).collect();
    let mut writer = Writer { old, new, text, later, rebuilt, changed };
    let is_wanted =
        |name: &str| !is_internal(name) && only.is_none_or(|only| only.eq_ignore_ascii_case(name));
    let (settings, schema): (Vec<&SchemaChange>, Vec<&SchemaChange>) =
        comparison.schema.iter().partition(|change| change.object == ObjectType::Setting);
    let settings = if only.is_none() { setting_lines(&settings) } else { Vec::new() };
    let schema: Vec<&SchemaChange> =
        schema.into_iter().filter(|change| is_wanted(&writer.table_of(change))).collect();
    // With a table its rows go.
    let is_there = |table: &&TableChanges| table.new_name.is_some() && is_wanted(&table.name);
    let tables: Vec<&TableChanges> = comparison.tables.iter().filter(is_there).collect();
    writer.rebuilt = writer.built_anew(&schema, &is_wanted)?;
    let bodies = writer.bodies(shell, to, &schema, &tables)?;
    let counters = writer.counters(shell, (from, to), &schema, &is_wanted, &bodies)?;
    let lines: Vec<String> = counters.into_iter().chain(settings).collect();
    if schema.is_empty() && bodies.is_empty() && lines.is_empty() {
        return Ok(String::new());
    }
    writer.put_away(&schema, &bodies);
    writer.change_tables(&schema);
    for body in &bodies {
        if body.is_rebuilt {
            writer.rebuild(body);
        } else {
            writer.rows(body);
        }
    }
    for line in &lines {
        writer.line(line);
    }
    writer.put_up();
    Ok(format!("{HEAD}{}COMMIT;\n", writer.text))
}

/// A shell that goes on behind a statement that failed would commit what is left of the others.
const HEAD: &str = ".bail on\nPRAGMA foreign_keys = OFF;\nBEGIN;\n";

/// A table whose rows change or that is built anew.
struct Body {
    table: Table,
    rows: Vec<Row>,
    is_rebuilt: bool,
    /// The rows are all that the table has; nothing is kept of the older ones.
    is_whole: bool,
    added: Vec<Added>,
}

struct Writer {
    old: Schema,
    new: Schema,
    text: String,
    /// Definitions that come back at the end, by their kind and new name.
    later: Vec<(&'static str, String)>,
    /// Tables that ALTER TABLE cannot bring to their new definitions.
    rebuilt: BTreeSet<String>,
    /// Tables of which the older rows do not all stay as they are.
    changed: BTreeSet<String>,
}

/// The PRAGMAs that give settings their newer values.
fn setting_lines(changes: &[&SchemaChange]) -> Vec<String> {
    let line = |change: &&SchemaChange| match &change.change {
        SchemaChangeKind::Changed { to, .. } => Some(format!("PRAGMA {} = {to}", change.name)),
        _ => None,
    };
    changes.iter().filter_map(line).collect()
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

    fn change_tables(&mut self, schema: &[&SchemaChange]) {
        for line in self.name_lines(schema) {
            self.line(&line);
        }
        for name in tables_of(schema, |it| *it == SchemaChangeKind::Added) {
            if let Some(definition) = self.new.find("table", name).cloned() {
                self.line(&definition.sql);
            }
        }
        for table in self.altered(schema, &self.rebuilt) {
            for line in self.column_lines(table, schema) {
                self.line(&line);
            }
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

    /// The rows of a table: deletes, then updates, then inserts.
    fn rows(&mut self, body: &Body) {
        let table = &body.table;
        let unique = self.unique_columns(table);
        let is_moved = |row: &Row| {
            let differs = |at: &usize| row.changed.get(*at).copied().unwrap_or(false);
            row.kind == ChangeKind::Updated && unique.iter().any(differs)
        };
        let (stay, moved): (Vec<&Row>, Vec<&Row>) =
            body.rows.iter().partition(|row| row.kind == ChangeKind::Updated && !is_moved(row));
        for row in moved.iter().filter(|row| row.kind != ChangeKind::Inserted) {
            self.line(&table.delete(row, true));
        }
        for line in stay.into_iter().filter_map(|row| table.update(row)) {
            self.line(&line);
        }
        for row in moved.into_iter().filter(|row| row.kind != ChangeKind::Deleted) {
            self.line(&table.insert(row));
        }
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
