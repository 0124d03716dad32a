//! The rows of a table as statements that make the newer ones of the older.
//!
//! A row is found by its key, or by all of its values where the table has none. Neighbours:
//! `definition` reads texts of definitions.

use pandodb::{RowChange, TableChanges};

use super::Schema;
use super::definition::has_word;
use crate::failure::Outcome;
use crate::output::quote::{identifier, literal_of};
use crate::shell::Shell;

/// A table as its rows are written.
pub(super) struct Table {
    /// As it stands in SQL.
    pub(super) name: String,
    pub(super) plain_name: String,
    pub(super) columns: Vec<String>,
    /// For each column whether its value is computed.
    computed: Vec<bool>,
    /// The places of the columns of the declared key.
    key: Vec<usize>,
    /// What the rowid is called where rows have one that is no column. Where a key is declared
    /// beside it, it says which row one is only if a part of that is NULL.
    rowid: Option<&'static str>,
}

impl Table {
    pub(super) fn read(shell: &Shell, to: &str, changes: &TableChanges) -> Outcome<Self> {
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
            key: declared,
            rowid: rowid.filter(|_| is_rowid_key),
        })
    }

    /// The condition that finds a row as it was.
    pub(super) fn key(&self, row: &RowChange) -> String {
        let cells = row.old.as_ref().or(row.new.as_ref());
        let has_null = |cells: &Vec<pandodb::Value>| {
            self.key.iter().any(|at| cells.get(*at).is_none_or(pandodb::Value::is_null))
        };
        if let Some(rowid) = self.rowid
            && (self.key.is_empty() || cells.is_none_or(has_null))
        {
            let key = row.key.first().map(literal_of).unwrap_or_default();
            return format!("{rowid} = {key}");
        }
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

    pub(super) fn update(&self, row: &RowChange) -> Option<String> {
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

    pub(super) fn insert(&self, row: &RowChange) -> String {
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
