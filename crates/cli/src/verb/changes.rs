//! `pando diff --sql`: what leads from one state to another as SQL that does it.
//!
//! The order makes the script run on any database that has the older state: what is gone goes
//! first (triggers, views, indexes, tables), then tables change and come, then rows, then what
//! stands on them. Triggers of tables whose rows change are put away meanwhile, so that they do
//! not run twice, and rows that change a unique column are deleted and inserted, so that two of
//! them may change places. A table whose constraints or types differ is built anew. Neighbours:
//! `graph::diff` shows the same for people.

use std::collections::BTreeSet;

use pandodb::{
    ChangeKind, Comparison, ObjectType, RowChange, SchemaChange, SchemaChangeKind, TableChanges,
};

use crate::failure::Outcome;
use crate::language::{self, Kind};
use crate::output::quote::{identifier, literal_of};
use crate::shell::Shell;

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
    let is_dropped = |name: &str| writer.new.find("table", name).is_none();
    let tables: Vec<_> = tables.into_iter().filter(|table| !is_dropped(&table.name)).collect();
    if schema.is_empty() && tables.is_empty() {
        return Ok(String::new());
    }
    writer.put_away(&schema, &tables);
    writer.change_tables(&schema);
    for table in tables {
        writer.rows(shell, to, table)?;
    }
    writer.put_up(&schema);
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
        let touched: BTreeSet<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let rebuilt: BTreeSet<&str> =
            schema.iter().filter(|it| is_rebuilt(it)).map(|it| it.name.as_str()).collect();
        for table in touched.union(&rebuilt) {
            let kinds: &[&'static str] =
                if rebuilt.contains(table) { &["trigger", "index"] } else { &["trigger"] };
            for kind in kinds {
                let names = |schema: &Schema| -> Vec<String> {
                    schema.of_table(kind, table).map(|it| it.name.clone()).collect()
                };
                away.extend(names(&self.old).into_iter().map(|name| (*kind, name)));
                back.extend(names(&self.new).into_iter().map(|name| (*kind, name)));
            }
        }
        for kind in ["trigger", "view", "index"] {
            for (_, name) in away.iter().filter(|(it, _)| *it == kind) {
                self.line(&format!("DROP {} {}", kind.to_uppercase(), identifier(name)));
            }
        }
        self.later = back.into_iter().collect();
    }

    /// Brings what stands on tables back, in the order in which one may stand on another.
    fn put_up(&mut self, _: &[&SchemaChange]) {
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
        let changes = || schema.iter().filter(|change| change.object == ObjectType::Table);
        let rebuilt: BTreeSet<&str> =
            changes().filter(|it| is_rebuilt(it)).map(|it| it.name.as_str()).collect();
        for change in changes().filter(|it| it.column.is_none()) {
            let name = identifier(&change.name);
            match &change.change {
                SchemaChangeKind::Dropped => self.line(&format!("DROP TABLE {name}")),
                SchemaChangeKind::Renamed { from } => {
                    self.line(&format!("ALTER TABLE {} RENAME TO {name}", identifier(from)));
                }
                SchemaChangeKind::Added => {
                    if let Some(definition) = self.new.find("table", &change.name).cloned() {
                        self.line(&definition.sql);
                    }
                }
                _ => {}
            }
        }
        for change in changes() {
            let Some(column) = &change.column else { continue };
            if rebuilt.contains(change.name.as_str()) {
                continue;
            }
            let table = identifier(&change.name);
            let name = identifier(column);
            match &change.change {
                SchemaChangeKind::Renamed { from } => self.line(&format!(
                    "ALTER TABLE {table} RENAME COLUMN {} TO {name}",
                    identifier(from)
                )),
                SchemaChangeKind::Dropped => {
                    self.line(&format!("ALTER TABLE {table} DROP COLUMN {name}"));
                }
                _ => {
                    let definition = self.new.find("table", &change.name);
                    let written = definition.and_then(|it| column_definition(&it.sql, column));
                    let written = written.unwrap_or_else(|| name.clone().into_owned());
                    self.line(&format!("ALTER TABLE {table} ADD COLUMN {written}"));
                }
            }
        }
        for table in rebuilt {
            self.rebuild(table, schema);
        }
    }

    /// A table with its new definition and its old rows.
    fn rebuild(&mut self, table: &str, schema: &[&SchemaChange]) {
        let Some(definition) = self.new.find("table", table).cloned() else { return };
        let name = identifier(table);
        let of_table =
            |change: &&&SchemaChange| change.object == ObjectType::Table && change.name == table;
        let mut columns = Vec::new();
        for column in column_names(&definition.sql) {
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

/// Whether a change needs the table to be built anew: ALTER TABLE cannot do it.
fn is_rebuilt(change: &SchemaChange) -> bool {
    change.object == ObjectType::Table && matches!(change.change, SchemaChangeKind::Changed { .. })
}

/// A table as its rows are written.
struct Table {
    /// As it stands in SQL.
    name: String,
    plain_name: String,
    columns: Vec<String>,
    /// For each column whether its value is computed.
    computed: Vec<bool>,
    /// The places of the key's columns; none where the rowid is the key and no column.
    key: Vec<usize>,
    /// What the rowid is called where no column is.
    rowid: Option<&'static str>,
}

impl Table {
    fn read(shell: &Shell, to: &str, changes: &TableChanges) -> Outcome<Self> {
        // The columns' facts are read on the newer side.
        let known = columns_at(shell, to, &changes.name)?;
        let fact = |name: &String| known.iter().find(|it| it.name.eq_ignore_ascii_case(name));
        let computed =
            changes.columns.iter().map(|it| fact(it).is_none_or(|it| it.is_computed)).collect();
        let declared: Vec<usize> = {
            let mut keys: Vec<(i64, usize)> = changes
                .columns
                .iter()
                .enumerate()
                .filter_map(|(at, name)| fact(name).map(|it| (it.key, at)))
                .filter(|(key, _)| *key > 0)
                .collect();
            keys.sort_unstable();
            keys.into_iter().map(|(_, at)| at).collect()
        };
        let key_values = changes.rows.first().map_or(0, |row| row.key.len());
        // The rowid is the key, or an INTEGER PRIMARY KEY stands for it, or there is none.
        let is_rowid_key = key_values == 1
            && changes.rows.iter().all(|row| row.key[0].as_ref().as_i64().is_some())
            && !is_alias(&declared, &known, &changes.columns)
            && !is_without_rowid(shell, to, &changes.name)?;
        let is_taken =
            |name: &&str| changes.columns.iter().any(|column| column.eq_ignore_ascii_case(name));
        let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_taken(name));
        Ok(Self {
            name: identifier(&changes.name).into_owned(),
            plain_name: changes.name.clone(),
            columns: changes.columns.clone(),
            computed,
            key: if is_rowid_key && rowid.is_some() { Vec::new() } else { declared },
            rowid: rowid.filter(|_| is_rowid_key),
        })
    }

    /// The condition that finds a row as it was.
    fn key(&self, row: &RowChange) -> String {
        if let Some(rowid) = self.rowid {
            let key = row.key.first().map(literal_of).unwrap_or_default();
            return format!("{rowid} = {key}");
        }
        let cells = row.old.as_ref().or(row.new.as_ref());
        let places = if self.key.is_empty() {
            (0..self.columns.len()).filter(|at| !self.computed[*at]).collect()
        } else {
            self.key.clone()
        };
        let conditions = places.into_iter().map(|at| {
            let value = cells.and_then(|cells| cells.get(at)).map(literal_of).unwrap_or_default();
            format!("{} IS {value}", identifier(&self.columns[at]))
        });
        conditions.collect::<Vec<_>>().join(" AND ")
    }

    fn update(&self, row: &RowChange) -> Option<String> {
        let new = row.new.as_ref()?;
        let sets: Vec<String> = (0..self.columns.len())
            .filter(|at| !self.computed[*at] && row.changed.get(*at).copied().unwrap_or(false))
            .filter_map(|at| {
                Some(format!("{} = {}", identifier(&self.columns[at]), literal_of(new.get(at)?)))
            })
            .collect();
        if sets.is_empty() {
            return None;
        }
        Some(format!("UPDATE {} SET {} WHERE {}", self.name, sets.join(", "), self.key(row)))
    }

    fn insert(&self, row: &RowChange) -> String {
        let mut names = Vec::new();
        let mut values = Vec::new();
        if let (Some(rowid), Some(key)) = (self.rowid, row.key.first()) {
            names.push(rowid.to_owned());
            values.push(literal_of(key));
        }
        let cells = row.new.as_deref().unwrap_or_default();
        for (at, value) in cells.iter().enumerate().filter(|(at, _)| !self.computed[*at]) {
            names.push(identifier(&self.columns[at]).into_owned());
            values.push(literal_of(value));
        }
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, names.join(", "), values.join(", "))
    }
}

/// Whether the key is one INTEGER column, which is the rowid.
fn is_alias(key: &[usize], known: &[crate::shell::TableColumn], columns: &[String]) -> bool {
    let [at] = key else { return false };
    known.iter().any(|it| {
        it.name.eq_ignore_ascii_case(&columns[*at]) && it.declared.eq_ignore_ascii_case("INTEGER")
    })
}

fn is_without_rowid(shell: &Shell, revision: &str, table: &str) -> Outcome<bool> {
    let schema = Schema::read(shell, revision)?;
    let Some(definition) = schema.find("table", table) else { return Ok(false) };
    let behind = definition.sql.rfind(')').map_or("", |at| &definition.sql[at..]);
    Ok(has_word(behind, "WITHOUT"))
}

/// The columns of a table as another state has them.
fn columns_at(
    shell: &Shell,
    revision: &str,
    table: &str,
) -> Outcome<Vec<crate::shell::TableColumn>> {
    // PRAGMAs look at the session's branch; a fork of the state would be dearer than its text.
    let schema = Schema::read(shell, revision)?;
    let Some(definition) = schema.find("table", table) else {
        return shell.columns_of(table);
    };
    let scratch = pandodb::Connection::open_in_memory()?;
    scratch.execute_batch(&definition.sql)?;
    Ok(crate::shell::columns_of(&scratch, table)?)
}

/// Whether a text has a word outside of strings and comments.
fn has_word(sql: &str, word: &str) -> bool {
    language::tokens(sql).into_iter().any(|token| {
        let text = &sql[token.range.clone()];
        match token.kind {
            Kind::Word | Kind::Keyword => text.eq_ignore_ascii_case(word),
            Kind::Quoted => unquoted(text).eq_ignore_ascii_case(word),
            _ => false,
        }
    })
}

fn unquoted(text: &str) -> String {
    let mut inner = text.chars();
    let quote = inner.next();
    inner.next_back();
    let inner = inner.as_str();
    match quote {
        Some('"') => inner.replace("\"\"", "\""),
        Some('`') => inner.replace("``", "`"),
        _ => inner.to_owned(),
    }
}

/// The parts between the outer parentheses of CREATE TABLE, cut at the commas between them.
fn parts(sql: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut start = None;
    let mut parts = Vec::new();
    for token in language::tokens(sql) {
        if token.kind != Kind::Mark {
            continue;
        }
        for (at, mark) in sql[token.range.clone()].char_indices() {
            let at = token.range.start + at;
            match mark {
                '(' => {
                    depth += 1;
                    if depth == 1 {
                        start = Some(at + 1);
                    }
                }
                ')' => {
                    depth -= 1;
                    if depth == 0 {
                        parts.extend(start.take().map(|start| &sql[start..at]));
                        return parts;
                    }
                }
                ',' if depth == 1 => {
                    parts.extend(start.map(|start| &sql[start..at]));
                    start = Some(at + 1);
                }
                _ => {}
            }
        }
    }
    parts
}

/// The name that a part begins with, if it is a column and no constraint.
fn column_name(part: &str) -> Option<String> {
    let first = language::tokens(part)
        .into_iter()
        .find(|token| !matches!(token.kind, Kind::Space | Kind::Comment))?;
    let text = &part[first.range];
    let constraints = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    match first.kind {
        Kind::Quoted | Kind::String => Some(unquoted(text)),
        _ if constraints.iter().any(|word| text.eq_ignore_ascii_case(word)) => None,
        _ => Some(text.to_owned()),
    }
}

fn column_names(sql: &str) -> Vec<String> {
    parts(sql).into_iter().filter_map(column_name).collect()
}

/// The text that defines a column.
fn column_definition(sql: &str, column: &str) -> Option<String> {
    let part = parts(sql)
        .into_iter()
        .find(|part| column_name(part).is_some_and(|name| name.eq_ignore_ascii_case(column)))?;
    Some(part.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_cut_at_the_commas_between_columns() {
        let sql = "CREATE TABLE t(a INT DEFAULT (max(1, 2)), \"b,c\" TEXT CHECK (\"b,c\" <> ','), \
                   -- one, two\n d, PRIMARY KEY (a, d)) WITHOUT ROWID";
        assert_eq!(column_names(sql), ["a", "b,c", "d"]);
        assert_eq!(
            column_definition(sql, "B,C").as_deref(),
            Some("\"b,c\" TEXT CHECK (\"b,c\" <> ',')")
        );
        assert!(has_word(sql, "without") && !has_word(sql, "two"));
    }
}
