//! What a branch holds, in a form that does not depend on the order of its columns.
//!
//! Two merges of the same pair put the columns of a table in two orders and may quote a name or
//! not; neither is a difference. Neighbours: `laws` compares, `model` looks at the rows.

use std::collections::{BTreeMap, BTreeSet};

use pandodb_qp::Error;

use crate::world::World;

/// A column as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) declared: String,
    pub(crate) default: String,
    /// Its place in the primary key, from 1.
    pub(crate) key: u32,
    pub(crate) is_generated: bool,
}

/// A table with its rows, each the texts of its cells in the order of the columns' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<String>>,
    /// What else there is to say: the words of its definition, sorted.
    words: Vec<String>,
}

/// All that a branch holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) tables: BTreeMap<String, Table>,
    /// Indexes, views and triggers by kind and name.
    texts: BTreeMap<String, String>,
    /// The counters of AUTOINCREMENT.
    counters: Vec<Vec<String>>,
    /// What cannot be used: views that cannot be read, tables that cannot be written.
    pub(crate) broken: BTreeSet<String>,
    /// What the checks of the engine say.
    pub(crate) check: Vec<String>,
    /// Children without parents.
    pub(crate) orphans: usize,
}

impl Snapshot {
    /// Reads a branch.
    pub(crate) fn of(world: &mut World, branch: &str) -> Result<Self, Error> {
        world.go(branch)?;
        let mut snapshot = Self::default();
        let objects = world.rows("SELECT type, name, sql FROM sqlite_schema ORDER BY rowid")?;
        for object in &objects {
            let [kind, name, sql] = object.as_slice() else { continue };
            match kind.as_str() {
                "table" if !name.starts_with("sqlite_") => {
                    let table = Table::of(world, name, sql)?;
                    snapshot.try_writes(world, name, &table);
                    snapshot.tables.insert(name.to_lowercase(), table);
                }
                "table" => {}
                kind if sql != "NULL" => {
                    let key = format!("{kind} {}", name.to_lowercase());
                    snapshot.texts.insert(key, normal(sql));
                    if kind == "view" {
                        let read = format!("SELECT * FROM {name}");
                        snapshot.note(format!("view {name}"), world.rows(&read).map(drop));
                    }
                }
                _ => {}
            }
        }
        if objects.iter().any(|object| object[1] == "sqlite_sequence") {
            let sql = "SELECT lower(name), seq FROM sqlite_sequence ORDER BY 1, 2";
            snapshot.counters = world.rows(sql)?;
        }
        snapshot.check = world.column("PRAGMA integrity_check")?;
        snapshot.orphans = world.rows("PRAGMA foreign_key_check").map_or(0, |rows| rows.len());
        Ok(snapshot)
    }

    fn note(&mut self, what: String, done: Result<(), Error>) {
        if done.is_err() {
            self.broken.insert(what.to_lowercase());
        }
    }

    /// Whether statements that fire the triggers of a table can be prepared.
    fn try_writes(&mut self, world: &World, name: &str, table: &Table) {
        let set = table.columns.iter().filter(|column| !column.is_generated);
        let set: Vec<String> = set.map(|it| format!("{0} = {0}", it.name)).collect();
        for (what, sql) in [
            ("insert", format!("INSERT INTO {name} DEFAULT VALUES")),
            ("update", format!("UPDATE {name} SET {}", set.join(", "))),
            ("delete", format!("DELETE FROM {name}")),
        ] {
            self.note(format!("{what} {name}"), world.prepares(&sql));
        }
    }

    /// The names of what differs from another snapshot; none where nothing does.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        let names: BTreeSet<&String> = self.tables.keys().chain(other.tables.keys()).collect();
        for name in names {
            let (left, right) = (self.tables.get(name), other.tables.get(name));
            match (left, right) {
                (Some(left), Some(right)) if left != right => {
                    return Some(format!("table {name}: {}", left.difference(right)));
                }
                (Some(_), Some(_)) => {}
                _ => return Some(format!("only one side has table {name}")),
            }
        }
        if self.texts != other.texts {
            return Some(format!("{:?} and {:?}", self.texts, other.texts));
        }
        if self.counters != other.counters {
            return Some(format!("counters {:?} and {:?}", self.counters, other.counters));
        }
        (self.broken != other.broken).then(|| format!("{:?} and {:?}", self.broken, other.broken))
    }
}

impl Table {
    fn of(world: &World, name: &str, sql: &str) -> Result<Self, Error> {
        let info = world.rows(&format!(
            "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo('{name}')"
        ))?;
        let mut columns = Vec::with_capacity(info.len());
        for row in &info {
            let [name, declared, not_null, default, key, hidden] = row.as_slice() else { continue };
            columns.push(Column {
                name: name.to_lowercase(),
                declared: format!("{declared} {not_null}"),
                default: default.clone(),
                key: key.parse().unwrap_or(0),
                is_generated: hidden != "0",
            });
        }
        columns.sort();
        let names: Vec<String> = columns.iter().map(|it| format!("quote({})", it.name)).collect();
        let mut rows = world.rows(&format!("SELECT {} FROM {name}", names.join(", ")))?;
        // 4 and 4.0 are one value: which of them stays does not matter.
        for cell in rows.iter_mut().flatten() {
            if let Some(whole) = cell.strip_suffix(".0") {
                *cell = whole.to_owned();
            }
        }
        rows.sort();
        Ok(Self { columns, rows, words: words(sql) })
    }

    fn difference(&self, other: &Self) -> String {
        if self.columns != other.columns {
            let unlike = |one: &Self, two: &Self| -> Vec<String> {
                let columns = one.columns.iter().filter(|it| !two.columns.contains(it));
                columns.map(|it| format!("{it:?}")).collect()
            };
            return format!("{:?} and {:?}", unlike(self, other), unlike(other, self));
        }
        if self.rows == other.rows {
            return format!("{} and {}", self.words.join(" "), other.words.join(" "));
        }
        format!("{:?} and {:?}", self.rows, other.rows)
    }

    /// Whether rows are stored by the declared primary key.
    pub(crate) fn is_stored_by_key(&self) -> bool {
        let is_rowid = |column: &Column| column.key == 1 && column.declared.starts_with("INTEGER ");
        self.words.iter().any(|word| word == "without") || self.columns.iter().any(is_rowid)
    }

    /// The cells of the primary key.
    pub(crate) fn key_of<'r>(&self, row: &'r [String]) -> Vec<&'r str> {
        let cells = row.iter().zip(&self.columns).filter(|(_, column)| column.key > 0);
        cells.map(|(cell, _)| cell.as_str()).collect()
    }
}

/// A definition without what does not matter: blanks, quotes, the size of letters.
fn normal(sql: &str) -> String {
    sql.to_lowercase().chars().filter(|it| !it.is_whitespace() && *it != '"').collect()
}

/// Words that say nothing, or what the columns say.
const IDLE: [&str; 4] = ["generated", "always", "not", "null"];

/// The words of a definition, whose columns and constraints may stand in any order.
fn words(sql: &str) -> Vec<String> {
    let small = sql.to_lowercase();
    let is_split = |it: char| !(it.is_alphanumeric() || it == '_');
    let mut words: Vec<String> = small
        .split(is_split)
        .filter(|word| !(word.is_empty() || IDLE.contains(word)))
        .map(str::to_owned)
        .collect();
    words.sort();
    // A check that both sides added in other places stands there once or twice.
    words.dedup();
    words
}
