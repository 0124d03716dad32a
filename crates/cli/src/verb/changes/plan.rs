//! Which tables ALTER TABLE brings to their new definitions, and how.
//!
//! That is tried: a database in memory gets the older tables and what would be said to them, and
//! what it then has is compared with the newer definitions. So a table whose constraints, options,
//! defaults or order of columns differ is found whatever the difference is. Neighbours: `anew`
//! builds the others, `renames` orders names.

use std::collections::BTreeSet;

use pandodb::{Connection, ObjectType, SchemaChange, SchemaChangeKind};

use super::definition::{
    can_be_added, column_default, column_definition, column_names, column_type, has_word, is_same,
    parts,
};
use super::{Writer, renames, renaming, tables_of};
use crate::failure::Outcome;
use crate::output::quote::identifier;

impl Writer {
    /// The tables of both states that are built anew, by their new names.
    pub(super) fn built_anew(
        &self,
        schema: &[&SchemaChange],
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Outcome<BTreeSet<String>> {
        let mut rebuilt = BTreeSet::new();
        let differs = |it: &&super::Definition| {
            let older = self.older_table(&it.name, schema);
            let older = older.and_then(|older| self.old.find("table", older));
            it.kind == "table"
                && is_wanted(&it.name)
                && older.is_some_and(|older| !is_same(&older.sql, &it.sql))
        };
        let pairs: Vec<_> = self.new.0.iter().filter(differs).collect();
        // A table that is built anew does not carry its new names into those that refer to it, so
        // that others may have to follow.
        loop {
            let found = self.tried(schema, &rebuilt)?;
            let known = rebuilt.len();
            for table in &pairs {
                let sql = found.iter().find(|(name, _)| name.eq_ignore_ascii_case(&table.name));
                if sql.is_none_or(|(_, sql)| !is_same(sql, &table.sql)) {
                    rebuilt.insert(table.name.clone());
                }
            }
            if rebuilt.len() == known || pairs.is_empty() {
                return Ok(rebuilt);
            }
        }
    }

    /// The names and definitions that the older tables come to.
    fn tried(
        &self,
        schema: &[&SchemaChange],
        rebuilt: &BTreeSet<String>,
    ) -> Outcome<Vec<(String, String)>> {
        let scratch = Connection::open_in_memory()?;
        // What fails here leaves a table that is not as it should be, which is then built anew.
        let attempt = |sql: &str| scratch.execute_batch(sql).is_ok();
        for table in self.old.0.iter().filter(|it| it.kind == "table") {
            attempt(&table.sql);
        }
        for line in self.name_lines(schema) {
            attempt(&line);
        }
        let mut refused = Vec::new();
        for table in self.altered(schema, rebuilt) {
            let new = self.new.find("table", table).map_or("", |it| it.sql.as_str());
            let is_added = |change: &&&SchemaChange| {
                change.object == ObjectType::Table
                    && change.name == table
                    && change.change == SchemaChangeKind::Added
            };
            let columns = schema.iter().filter(is_added).filter_map(|it| it.column.as_ref());
            let mut definitions = columns.filter_map(|column| column_definition(new, column));
            if !definitions.all(|definition| can_be_added(&definition))
                || !self.column_lines(table, schema).iter().all(|line| attempt(line))
            {
                refused.push(table);
            }
        }
        let mut statement =
            scratch.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")?;
        let found = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut found = found.collect::<Result<Vec<(String, String)>, _>>()?;
        found.retain(|(name, _)| !refused.iter().any(|it| it.eq_ignore_ascii_case(name)));
        Ok(found)
    }

    /// Drops the tables that are gone and gives the others their new names.
    pub(super) fn name_lines(&self, schema: &[&SchemaChange]) -> Vec<String> {
        let gone = SchemaChangeKind::Dropped;
        let mut lines: Vec<String> = tables_of(schema, |it| *it == gone)
            .map(|name| format!("DROP TABLE {}", identifier(name)))
            .collect();
        let mut known: Vec<String> =
            self.old.0.iter().filter(|it| it.kind != "trigger").map(|it| it.name.clone()).collect();
        known.retain(|name| !tables_of(schema, |it| *it == gone).any(|it| it == name));
        let renamed = schema
            .iter()
            .filter(|it| it.object == ObjectType::Table && it.column.is_none())
            .filter_map(|it| renaming(it));
        for (from, to) in renames::in_order(renamed.collect(), known) {
            let (from, to) = (identifier(&from), identifier(&to));
            lines.push(format!("ALTER TABLE {from} RENAME TO {to}"));
        }
        lines
    }

    /// The tables whose columns change where they stand.
    pub(super) fn altered<'s>(
        &self,
        schema: &[&'s SchemaChange],
        rebuilt: &BTreeSet<String>,
    ) -> BTreeSet<&'s str> {
        schema
            .iter()
            .filter(|it| it.object == ObjectType::Table && it.column.is_some())
            .map(|it| it.name.as_str())
            .filter(|name| !rebuilt.contains(*name))
            .collect()
    }

    /// Renames columns, adds the new ones, drops the old ones. A column is never the last one of
    /// its table then, and one that goes gives its name away first if another wants it.
    pub(super) fn column_lines(&self, table: &str, schema: &[&SchemaChange]) -> Vec<String> {
        let mut lines = Vec::new();
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
        let named_added = added.clone();
        let renaming_of = |column: &str| {
            let mut renamings = of_table().filter_map(|it| renaming(it));
            renamings.find(|(_, to)| to.eq_ignore_ascii_case(column)).map(|(from, _)| from)
        };
        let is_changed = self.changed.contains(table);
        let table = identifier(table).into_owned();
        for (from, to) in renames::in_order(renamed, known) {
            let (from, to) = (identifier(&from), identifier(&to));
            lines.push(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
        }
        for column in added {
            let written = column_definition(&new, &column);
            let written = written.unwrap_or_else(|| identifier(&column).into_owned());
            lines.push(format!("ALTER TABLE {table} ADD COLUMN {written}"));
        }
        let older = older.map_or("", |it| it.sql.as_str());
        let is_added =
            |column: &String| named_added.iter().any(|it| it.eq_ignore_ascii_case(column));
        for column in new_names.iter().filter(|column| !is_added(column)) {
            let before = renaming_of(column);
            let before = before.as_ref().unwrap_or(column);
            let (Some(was), Some(is)) =
                (column_definition(older, before), column_definition(&new, column))
            else {
                continue;
            };
            let can_convert = !is_changed || converts_all(&[older, &new], &is);
            lines.extend(redefined(&table, column, (&was, &is), can_convert));
        }
        for column in dropped {
            lines.push(format!("ALTER TABLE {table} DROP COLUMN {}", identifier(&column)));
        }
        lines
    }
}

/// Gives a column its newer type and default, where that is said by ALTER COLUMN.
fn redefined(table: &str, column: &str, (was, is): (&str, &str), can_convert: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |what: String| {
        lines.push(format!("ALTER TABLE {table} ALTER COLUMN {} {what}", identifier(column)));
    };
    let same = |left: Option<&str>, right: Option<&str>| {
        is_same(left.unwrap_or_default(), right.unwrap_or_default())
    };
    let (before, now) = (column_default(was), column_default(is));
    let is_other = !same(before, now);
    // The older default may not fit the newer type.
    if is_other && before.is_some() {
        say("DROP DEFAULT".to_owned());
    }
    if let Some(declared) = column_type(is)
        && !same(column_type(was), Some(declared))
        && can_convert
    {
        say(format!("TYPE {declared}"));
    }
    if let Some(now) = now.filter(|_| is_other) {
        say(format!("SET DEFAULT {now}"));
    }
    lines
}

/// Whether nothing in these definitions of a table can refuse what rows become that change or go
/// afterwards: the newer state may have converted the column without them.
fn converts_all(definitions: &[&str], column: &str) -> bool {
    const REFUSE: [&str; 7] =
        ["STRICT", "UNIQUE", "CHECK", "REFERENCES", "FOREIGN", "GENERATED", "AS"];
    let name = column_names(&format!("({column})"));
    definitions.iter().all(|definition| {
        let is_key =
            |part: &&str| has_word(part, "PRIMARY") && name.iter().any(|name| has_word(part, name));
        !REFUSE.iter().any(|word| has_word(definition, word))
            && !parts(definition).iter().any(is_key)
    })
}
