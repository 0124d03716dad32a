//! The rows of a table as statements that make the newer ones of the older.
//!
//! A row is found by its key, or by all of its values where the table has none. Neighbours:
//! `definition` reads texts of definitions.

use std::collections::HashSet;

use pandodb::{ChangeKind, RowChange, TableChanges, Value};

use super::definition::has_word;
use super::{Schema, at_revision};
use crate::failure::Outcome;
use crate::output::quote::{identifier, literal_of};
use crate::shell::Shell;

/// A row that differs.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) kind: ChangeKind,
    key: Vec<Value>,
    old: Option<Vec<Value>>,
    new: Option<Vec<Value>>,
    /// For each column whether its cell differs.
    pub(super) changed: Vec<bool>,
}

impl From<&RowChange> for Row {
    fn from(row: &RowChange) -> Self {
        let RowChange { kind, key, old, new, changed, .. } = row.clone();
        Self { kind, key, old, new, changed }
    }
}

impl Row {
    /// Its number, where it has one and is written under it.
    pub(super) fn number(&self) -> Option<i64> {
        let number = self.key.first().and_then(|key| key.as_ref().as_i64());
        number.filter(|_| self.kind != ChangeKind::Deleted)
    }
}

/// A column that the older table does not have, and what it gives to the rows that are there; none
/// where that is not known.
pub(super) type Added = (usize, Option<Value>);

/// A table as its rows are written.
pub(super) struct Table {
    /// As it stands in SQL.
    pub(super) name: String,
    pub(super) plain_name: String,
    /// Those of the newer side, then those that only the older one has.
    pub(super) columns: Vec<String>,
    /// What the older side calls them, where it has them.
    pub(super) older_columns: Vec<Option<String>>,
    /// For each column whether nobody writes it: its value is computed, or it is gone.
    computed: Vec<bool>,
    /// The places of the columns of the declared key.
    key: Vec<usize>,
    /// What the rowid is called where rows have one that is no column. Where a key is declared
    /// beside it, it says which row one is only if a part of that is NULL.
    pub(super) rowid: Option<&'static str>,
}

impl Table {
    /// A table of the newer side. `older` has the name that the older side has for a column.
    pub(super) fn read(
        shell: &Shell,
        to: &str,
        name: &str,
        changes: Option<&TableChanges>,
        older: impl Fn(&str) -> Option<String>,
    ) -> Outcome<Self> {
        // The columns' facts are read on the newer side.
        let known = columns_at(shell, to, name)?;
        let columns = match changes {
            Some(changes) => changes.columns.clone(),
            None => known.iter().map(|it| it.name.clone()).collect(),
        };
        // One that is gone may have the name of another that came.
        let fact = |at: usize| {
            let is_it = |name: &String| name.eq_ignore_ascii_case(&columns[at]);
            let is_first = !columns[..at].iter().any(is_it);
            known.iter().find(|it| is_first && is_it(&it.name))
        };
        let computed =
            (0..columns.len()).map(|at| fact(at).is_none_or(|it| it.is_computed)).collect();
        let mut keys: Vec<(i64, usize)> = (0..columns.len())
            .filter_map(|at| fact(at).map(|it| (it.key, at)))
            .filter(|(key, _)| *key > 0)
            .collect();
        keys.sort_unstable();
        let declared: Vec<usize> = keys.into_iter().map(|(_, at)| at).collect();
        let rows = changes.map_or(&[][..], |changes| &changes.rows);
        // The rowid is the key, or an INTEGER PRIMARY KEY stands for it, or there is none.
        let is_rowid_key =
            rows.iter().all(|row| matches!(&row.key[..], [key] if key.as_ref().as_i64().is_some()))
                && !is_alias(&declared, &known, &columns)
                && !is_without_rowid(shell, to, name)?;
        let older_columns: Vec<_> =
            (0..columns.len()).map(|at| fact(at).and_then(|_| older(&columns[at]))).collect();
        let is_taken = |name: &&str| {
            let names = columns.iter().chain(older_columns.iter().flatten());
            names.into_iter().any(|column| column.eq_ignore_ascii_case(name))
        };
        let rowid = ["rowid", "_rowid_", "oid"].into_iter().find(|name| !is_taken(name));
        Ok(Self {
            name: identifier(name).into_owned(),
            plain_name: name.to_owned(),
            columns,
            older_columns,
            computed,
            key: declared,
            rowid: rowid.filter(|_| is_rowid_key),
        })
    }

    /// The places of the columns that are written.
    pub(super) fn written(&self) -> impl Iterator<Item = usize> {
        (0..self.columns.len()).filter(|at| !self.computed[*at])
    }

    /// Whether rows are known by more than their values.
    pub(super) fn has_key(&self) -> bool {
        self.rowid.is_some() || !self.key.is_empty()
    }

    /// The columns that the older table does not have.
    pub(super) fn added(&self, shell: &Shell, to: &str) -> Outcome<Vec<Added>> {
        let known = columns_at(shell, to, &self.plain_name)?;
        let is_added = |at: &usize| self.older_columns[*at].is_none();
        let added = self.written().filter(is_added).map(|at| {
            let name = &self.columns[at];
            let column = known.iter().find(|it| it.name.eq_ignore_ascii_case(name));
            (at, column.and_then(given))
        });
        Ok(added.collect())
    }

    /// All rows of the newer side, in an order that puts nothing twice.
    pub(super) fn all(&self, shell: &Shell, to: &str) -> Outcome<Vec<Row>> {
        // What only the older side has reads as NULL.
        let known = columns_at(shell, to, &self.plain_name)?;
        let is_there = |at: usize| {
            let is_it = |name: &String| name.eq_ignore_ascii_case(&self.columns[at]);
            !self.columns[..at].iter().any(is_it) && known.iter().any(|it| is_it(&it.name))
        };
        let names = (0..self.columns.len()).map(|at| {
            if is_there(at) {
                identifier(&self.columns[at]).into_owned()
            } else {
                "NULL".to_owned()
            }
        });
        let names: Vec<String> =
            std::iter::once(self.rowid.unwrap_or("NULL").to_owned()).chain(names).collect();
        let from = at_revision(&self.plain_name, to);
        let mut statement =
            shell.connection.prepare(&format!("SELECT {} FROM {from}", names.join(", ")))?;
        let rows = statement.query_map((), |row| {
            let cells: Result<Vec<Value>, _> = (0..names.len()).map(|at| row.get(at)).collect();
            let mut cells = cells?;
            let key = vec![cells.remove(0)];
            let changed = vec![true; cells.len()];
            Ok(Row { kind: ChangeKind::Inserted, key, old: None, new: Some(cells), changed })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The rows that differ, and those that only differ in columns that the older table lacks: a
    /// difference does not list them where no row was stored anew.
    pub(super) fn touched(
        &self,
        shell: &Shell,
        to: &str,
        changes: Option<&TableChanges>,
        added: &[Added],
    ) -> Outcome<Vec<Row>> {
        let rows = changes.map_or(&[][..], |changes| &changes.rows);
        let mut rows: Vec<Row> = rows.iter().map(Row::from).collect();
        let differs = |row: &Row, (at, given): &Added| {
            row.new.as_ref().and_then(|cells| cells.get(*at)) != given.as_ref()
        };
        for row in rows.iter_mut().filter(|row| row.kind == ChangeKind::Updated) {
            for column in added {
                row.changed[column.0] |= differs(row, column);
            }
        }
        if added.is_empty() || !self.has_key() {
            return Ok(rows);
        }
        // As the newer side has them: their keys may be written otherwise than they were.
        let known: HashSet<String> = rows.iter().filter_map(|row| self.newer_key(row)).collect();
        for mut row in self.all(shell, to)? {
            row.kind = ChangeKind::Updated;
            row.changed = vec![false; self.columns.len()];
            for column in added {
                row.changed[column.0] = differs(&row, column);
            }
            if row.changed.contains(&true) && !known.contains(&self.key(&row)) {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// The statement that deletes a row, before or after columns have their new names.
    pub(super) fn delete(&self, row: &Row, is_renamed: bool) -> String {
        format!("DELETE FROM {} WHERE {}", self.name, self.condition(row, is_renamed))
    }

    /// The condition that finds a row as it was.
    fn key(&self, row: &Row) -> String {
        self.condition(row, true)
    }

    fn condition(&self, row: &Row, is_renamed: bool) -> String {
        self.condition_of(&row.key, row.old.as_ref().or(row.new.as_ref()), is_renamed)
    }

    /// The condition that finds a row of the newer side there; none if it has no such row.
    fn newer_key(&self, row: &Row) -> Option<String> {
        row.new.as_ref().map(|cells| self.condition_of(&row.key, Some(cells), true))
    }

    fn condition_of(&self, key: &[Value], cells: Option<&Vec<Value>>, is_renamed: bool) -> String {
        let has_null = |cells: &Vec<Value>| {
            self.key.iter().any(|at| cells.get(*at).is_none_or(Value::is_null))
        };
        if let Some(rowid) = self.rowid
            && (self.key.is_empty() || cells.is_none_or(has_null))
        {
            let key = key.first().map(literal_of).unwrap_or_default();
            return format!("{rowid} = {key}");
        }
        let places = if self.key.is_empty() {
            (0..self.columns.len()).filter(|at| !self.computed[*at]).collect()
        } else {
            self.key.clone()
        };
        let conditions = places.into_iter().map(|at| {
            let value = cells.and_then(|cells| cells.get(at)).map(literal_of).unwrap_or_default();
            let older = self.older_columns[at].as_ref().filter(|_| !is_renamed);
            format!("{} IS {value}", identifier(older.unwrap_or(&self.columns[at])))
        });
        conditions.collect::<Vec<_>>().join(" AND ")
    }

    pub(super) fn update(&self, row: &Row) -> Option<String> {
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

    pub(super) fn insert(&self, row: &Row) -> String {
        let mut names = Vec::new();
        let mut values = Vec::new();
        // Beside a declared key a row that is the same may have the rowid meanwhile.
        if let (Some(rowid), Some(key), true) = (self.rowid, row.key.first(), self.key.is_empty()) {
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

/// What rows that are there get of a column that is added; none where that is computed.
fn given(column: &crate::shell::TableColumn) -> Option<Value> {
    let Some(default) = &column.default else { return Some(Value::Null) };
    let scratch = pandodb::Connection::open_in_memory().ok()?;
    let declared = &column.declared;
    let sql = format!(
        "CREATE TABLE t(a); INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b {declared} \
         DEFAULT {default}"
    );
    scratch.execute_batch(&sql).ok()?;
    scratch.prepare("SELECT b FROM t").ok()?.query_row((), |row| row.get(0)).ok()
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
    Ok(crate::shell::columns_of(&scratch, None, table)?)
}
