//! Tables that are built anew, and the rows that their statements are about.
//!
//! What changes in such a table goes before the rest is copied, and comes when it is there: a row
//! that breaks a new constraint in the older state is none of those that are copied. Neighbours:
//! `plan` says which tables, `rows` writes the statements.

use pandodb::{ChangeKind, ObjectType, SchemaChange, SchemaChangeKind, TableChanges, Value};

use super::definition::column_names;
use super::rows::Table;
use super::{Body, Writer, renames};
use crate::failure::Outcome;
use crate::output::quote::{identifier, literal_of};
use crate::shell::Shell;

/// A column's name, what fills it from what is kept, and how that is read of the older table.
type Copied = (String, String, Option<String>);

impl Writer {
    /// The tables whose rows change or that are built anew.
    pub(super) fn bodies(
        &self,
        shell: &Shell,
        to: &str,
        schema: &[&SchemaChange],
        tables: &[&TableChanges],
    ) -> Outcome<Vec<Body>> {
        let changed = tables.iter().map(|table| table.name.as_str());
        let altered = schema
            .iter()
            .filter(|it| it.object == ObjectType::Table && it.column.is_some())
            .map(|it| it.name.as_str());
        let mut names: Vec<&str> = Vec::new();
        for name in changed.chain(altered).chain(self.rebuilt.iter().map(String::as_str)) {
            if !names.contains(&name) && self.new.find("table", name).is_some() {
                names.push(name);
            }
        }
        let mut bodies = Vec::new();
        for name in names {
            let changes = tables.iter().find(|table| table.name == name).copied();
            let body = self.body(shell, to, name, schema, changes)?;
            if body.is_rebuilt || !body.rows.is_empty() {
                bodies.push(body);
            }
        }
        Ok(bodies)
    }

    fn body(
        &self,
        shell: &Shell,
        to: &str,
        name: &str,
        schema: &[&SchemaChange],
        changes: Option<&TableChanges>,
    ) -> Outcome<Body> {
        let older = self.older_table(name, schema).and_then(|it| self.old.find("table", it));
        let older_names = older.map(|it| column_names(&it.sql)).unwrap_or_default();
        let of_table = |it: &&&SchemaChange| it.object == ObjectType::Table && it.name == name;
        let older_column = |column: &str| {
            let is_it = |it: &&&SchemaChange| {
                it.column.as_deref().is_some_and(|it| it.eq_ignore_ascii_case(column))
            };
            let changes: Vec<_> = schema.iter().filter(of_table).filter(is_it).collect();
            if changes.iter().any(|it| it.change == SchemaChangeKind::Added) {
                return None;
            }
            let renamed = changes.iter().find_map(|it| match &it.change {
                SchemaChangeKind::Renamed { from } => Some(from.clone()),
                _ => None,
            });
            let known = || older_names.iter().find(|it| it.eq_ignore_ascii_case(column)).cloned();
            renamed.or_else(known)
        };
        let table = Table::read(shell, to, name, changes, older_column)?;
        let is_rebuilt = self.rebuilt.contains(name);
        // Rows that are stored under other keys, or under none that has a name, are not copied.
        let has_other_key = schema
            .iter()
            .filter(of_table)
            .any(|it| it.column.is_none() && matches!(it.change, SchemaChangeKind::Changed { .. }));
        let is_whole = is_rebuilt && (has_other_key || !table.has_key());
        let added = if older.is_some() { table.added(shell, to)? } else { Vec::new() };
        let rows = if is_whole {
            table.all(shell, to)?
        } else {
            table.touched(shell, to, changes, &added)?
        };
        Ok(Body { table, rows, is_rebuilt, is_whole, added })
    }

    /// A table with its new definition, its old rows, and what changes of them.
    pub(super) fn rebuild(&mut self, body: &Body) {
        let table = &body.table;
        let Some(definition) = self.new.find("table", &table.plain_name).cloned() else { return };
        let name = &table.name;
        if body.is_whole {
            self.line(&format!("DROP TABLE {name}"));
            self.line(&definition.sql);
        } else {
            self.copy(body, &definition.sql);
        }
        for row in body.rows.iter().filter(|row| row.kind != ChangeKind::Deleted) {
            self.line(&table.insert(row));
        }
    }

    fn copy(&mut self, body: &Body, definition: &str) {
        let table = &body.table;
        for row in body.rows.iter().filter(|row| row.kind != ChangeKind::Inserted) {
            self.line(&table.delete(row, false));
        }
        let mut columns: Vec<Copied> = Vec::new();
        if let Some(rowid) = table.rowid {
            let names = table.columns.iter().chain(table.older_columns.iter().flatten());
            let kept = renames::free_name(names);
            columns.push((rowid.to_owned(), kept.clone(), Some(format!("{rowid} AS {kept}"))));
        }
        for at in table.written() {
            let new = identifier(&table.columns[at]).into_owned();
            if let Some(older) = &table.older_columns[at] {
                let older = identifier(older).into_owned();
                columns.push((new, older.clone(), Some(older)));
            } else {
                // Rows that hold something else are written below.
                let given = body.added.iter().find(|(column, _)| *column == at);
                let given = given.and_then(|(_, given)| given.clone()).unwrap_or(Value::Null);
                columns.push((new, literal_of(&given), None));
            }
        }
        let list = |part: &dyn Fn(&Copied) -> Option<String>| {
            columns.iter().filter_map(part).collect::<Vec<_>>().join(", ")
        };
        let new = list(&|it| Some(it.0.clone()));
        let kept = list(&|it| Some(it.1.clone()));
        let taken = list(&|it| it.2.clone());
        let name = &table.name;
        self.line(&format!("CREATE TEMP TABLE pando_kept AS SELECT {taken} FROM {name}"));
        self.line(&format!("DROP TABLE {name}"));
        self.line(definition);
        self.line(&format!("INSERT INTO {name} ({new}) SELECT {kept} FROM temp.pando_kept"));
        self.line("DROP TABLE temp.pando_kept");
    }
}
