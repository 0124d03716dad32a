//! Rows known by labels, on branches that merge in every direction, beside a model that knows
//! nothing of rowids.
//!
//! Each branch gives out the same numbers as the others, so that every merge renumbers rows. In a
//! row each branch has a cell that only it counts up, so that changes never conflict and the
//! greatest count is the newest; a row that somebody deletes is left alone from then on. So what a
//! merge holds is known without a base: all rows of both sides but those that one deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pandodb_testkit::Seeds;

use super::{reopened, rows, run, session};
use crate::session::Session;

const BRANCHES: [&str; 4] = ["main", "dev", "qa", "old"];

/// A table: how it is declared before its cells, and how a row of it is written.
struct Table {
    name: &'static str,
    declared: &'static str,
    rest: &'static str,
    /// What its rows are called by.
    number: &'static str,
    has_parent: bool,
}

const TABLES: [Table; 7] = [
    Table { name: "note", declared: "label", rest: "", number: "rowid", has_parent: false },
    Table {
        name: "named",
        declared: "label TEXT PRIMARY KEY",
        rest: "",
        number: "rowid",
        has_parent: false,
    },
    Table {
        name: "parent",
        declared: "id INTEGER PRIMARY KEY, label",
        rest: "",
        number: "id",
        has_parent: false,
    },
    Table {
        name: "child",
        declared: "id INTEGER PRIMARY KEY, label, parent REFERENCES parent(id)",
        rest: "",
        number: "id",
        has_parent: true,
    },
    Table {
        name: "pair",
        declared: "parent REFERENCES parent(id), label",
        rest: ", PRIMARY KEY(parent, label)) WITHOUT ROWID",
        number: "",
        has_parent: true,
    },
    // Its rows get keys and lose them again.
    Table {
        name: "loose",
        declared: "label, key TEXT PRIMARY KEY",
        rest: "",
        number: "rowid",
        has_parent: false,
    },
    Table {
        name: "more",
        declared: "parent INTEGER PRIMARY KEY REFERENCES parent(id), label",
        rest: "",
        number: "",
        has_parent: true,
    },
];

const PARENT: usize = 2;
const CHILD: usize = 3;
const LOOSE: usize = 5;
/// What a key that is NULL is told as.
const NO_KEY: &str = "-";
const MORE: usize = 6;

#[derive(Clone, Debug, PartialEq)]
struct Row {
    cells: [i64; 4],
    /// How often and where it was led to another parent; of a loose row how often its key came or
    /// went, and the key.
    parent: Option<(i64, String)>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    tables: [BTreeMap<String, Row>; 7],
    gone: BTreeSet<String>,
    /// The greatest number that each table ever had here.
    highest: [i64; 7],
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed % most as u64) as usize
    }
}

struct World {
    session: Option<Session>,
    random: Random,
    branches: BTreeMap<usize, Content>,
    /// The tables that rows are put into.
    tables: Vec<usize>,
    made: usize,
    tells: bool,
}

impl World {
    fn new(random: Random, tables: Vec<usize>, tells: bool) -> Self {
        let session = session();
        run(&session, "PRAGMA foreign_keys = ON");
        for table in &TABLES {
            let end = if table.rest.is_empty() { ")" } else { table.rest };
            let (name, declared) = (table.name, table.declared);
            run(
                &session,
                &format!(
                    "CREATE TABLE {name}({declared}, moved INT DEFAULT 0, c0 INT DEFAULT 0,
                     c1 INT DEFAULT 0, c2 INT DEFAULT 0, c3 INT DEFAULT 0{end}"
                ),
            );
        }
        run(&session, "CREATE INDEX note_label ON note(label)");
        let branches = BTreeMap::from([(0, Content::default())]);
        Self { session: Some(session), random, branches, tables, made: 0, tells }
    }

    fn run(&self, sql: &str) {
        if self.tells {
            eprintln!("{sql};");
        }
        run(self.session.as_ref().unwrap(), sql);
    }

    fn rows(&self, sql: &str) -> Vec<String> {
        rows(self.session.as_ref().unwrap(), sql)
    }

    fn any(&mut self) -> usize {
        let known: Vec<usize> = self.branches.keys().copied().collect();
        known[self.random.below(known.len())]
    }

    fn use_branch(&self, branch: usize) {
        self.run(&format!("USE BRANCH {}", BRANCHES[branch]));
    }

    /// A row of a branch that nobody deleted anywhere.
    fn any_row(&mut self, branch: usize, table: usize) -> Option<String> {
        let gone: BTreeSet<&String> = self.branches.values().flat_map(|it| &it.gone).collect();
        let labels = self.branches[&branch].tables[table].keys();
        let labels: Vec<String> = labels.filter(|label| !gone.contains(label)).cloned().collect();
        (!labels.is_empty()).then(|| labels[self.random.below(labels.len())].clone())
    }

    fn insert(&mut self, branch: usize, table: usize) {
        let Table { name, number, has_parent, .. } = TABLES[table];
        self.made += 1;
        let label = format!("{name}{}{}", BRANCHES[branch], self.made);
        let parent = if has_parent { self.any_row(branch, PARENT) } else { None };
        if has_parent && parent.is_none() {
            return;
        }
        if table == MORE {
            // A parent has one at most, on any branch.
            let mut all = self.branches.values().flat_map(|it| it.tables[MORE].values());
            let is_taken = |row: &Row| row.parent.as_ref().map(|it| &it.1) == parent.as_ref();
            if all.any(is_taken) {
                return;
            }
        }
        let key = if self.random.below(2) == 0 { NO_KEY.to_owned() } else { label.clone() };
        let key = (table == LOOSE).then_some(key);
        let linked = parent.clone().or_else(|| key.clone());
        let row = Row { cells: [0; 4], parent: linked.map(|linked| (0, linked)) };
        let content = self.branches.get_mut(&branch).unwrap();
        content.highest[table] += 1;
        let highest = content.highest[table];
        content.tables[table].insert(label.clone(), row);
        let mut columns = vec!["label"];
        let mut values = vec![format!("'{label}'")];
        if let Some(parent) = parent {
            columns.push("parent");
            values.push(format!("(SELECT id FROM parent WHERE label = '{parent}')"));
        }
        if let Some(key) = key {
            columns.push("key");
            values.push(format!("nullif('{key}', '{NO_KEY}')"));
        }
        if !number.is_empty() {
            columns.push(number);
            values.push(highest.to_string());
        }
        let (columns, values) = (columns.join(", "), values.join(", "));
        self.run(&format!("INSERT INTO {name}({columns}) VALUES ({values})"));
    }

    fn update(&mut self, branch: usize, table: usize) {
        let Some(label) = self.any_row(branch, table) else { return };
        let content = self.branches.get_mut(&branch).unwrap();
        let cell = &mut content.tables[table].get_mut(&label).unwrap().cells[branch];
        *cell += 1;
        let (name, value) = (TABLES[table].name, *cell);
        self.run(&format!("UPDATE {name} SET c{branch} = {value} WHERE label = '{label}'"));
    }

    /// Leads a child to another parent, on the branch that it was made on.
    fn lead(&mut self, branch: usize) {
        let (Some(label), Some(parent)) =
            (self.any_row(branch, CHILD), self.any_row(branch, PARENT))
        else {
            return;
        };
        if !label.starts_with(&format!("child{}", BRANCHES[branch])) {
            return;
        }
        let content = self.branches.get_mut(&branch).unwrap();
        let led = content.tables[CHILD].get_mut(&label).unwrap().parent.as_mut().unwrap();
        if led.1 == parent {
            return;
        }
        *led = (led.0 + 1, parent.clone());
        let moved = led.0;
        self.run(&format!(
            "UPDATE child SET moved = {moved}, parent = (SELECT id FROM parent WHERE label = \
             '{parent}') WHERE label = '{label}'"
        ));
    }

    /// Gives a row its key or takes it away, on the branch that it was made on.
    fn turn(&mut self, branch: usize) {
        let Some(label) = self.any_row(branch, LOOSE) else { return };
        if !label.starts_with(&format!("loose{}", BRANCHES[branch])) {
            return;
        }
        let content = self.branches.get_mut(&branch).unwrap();
        let turned = content.tables[LOOSE].get_mut(&label).unwrap().parent.as_mut().unwrap();
        let key = if turned.1 == NO_KEY { label.clone() } else { NO_KEY.to_owned() };
        *turned = (turned.0 + 1, key.clone());
        let moved = turned.0;
        self.run(&format!(
            "UPDATE loose SET moved = {moved}, key = nullif('{key}', '{NO_KEY}') \
             WHERE label = '{label}'"
        ));
    }

    fn delete(&mut self, branch: usize, table: usize) {
        let Some(label) = self.any_row(branch, table) else { return };
        let row = &self.branches[&branch].tables[table][&label];
        let mut others = self.branches.values().filter_map(|it| it.tables[table].get(&label));
        let is_unchanged = others.all(|other| other == row);
        let mut rows = self.branches.values().flat_map(|it| &it.tables).flat_map(|it| it.values());
        let is_parent = |row: &Row| row.parent.as_ref().is_some_and(|it| it.1 == label);
        if !is_unchanged || table == PARENT && rows.any(is_parent) {
            return;
        }
        let content = self.branches.get_mut(&branch).unwrap();
        content.tables[table].remove(&label);
        content.gone.insert(label.clone());
        self.run(&format!("DELETE FROM {} WHERE label = '{label}'", TABLES[table].name));
    }

    fn fork(&mut self) {
        let (parent, name) = (self.any(), self.branches.len());
        if name < BRANCHES.len() {
            let (new, from) = (BRANCHES[name], BRANCHES[parent]);
            self.run(&format!("CREATE BRANCH {new} FROM {from}"));
            self.branches.insert(name, self.branches[&parent].clone());
        }
    }

    fn merge(&mut self) {
        let (source, target) = (self.any(), self.any());
        if source == target {
            return;
        }
        let renumber = "WITH (conflict_resolution = 'renumber')";
        let (from, to) = (BRANCHES[source], BRANCHES[target]);
        self.run(&format!("MERGE BRANCH {from} INTO {to} {renumber}"));
        let theirs = self.branches[&source].clone();
        let ours = self.branches.get_mut(&target).unwrap();
        ours.gone.extend(theirs.gone.iter().cloned());
        for (table, rows) in theirs.tables.iter().cloned().enumerate() {
            for (label, row) in rows {
                let own = ours.tables[table].entry(label).or_insert_with(|| row.clone());
                for (cell, other) in own.cells.iter_mut().zip(row.cells) {
                    *cell = other.max(*cell);
                }
                own.parent = row.parent.max(own.parent.take());
            }
            let gone = &ours.gone;
            ours.tables[table].retain(|label, _| !gone.contains(label));
        }
        self.look_at_numbers(target);
    }

    /// Numbers are not given again: that would be the same row. Where the row with the greatest
    /// one has gone another row takes the next.
    fn look_at_numbers(&mut self, branch: usize) {
        self.use_branch(branch);
        for (table, Table { name, number, .. }) in TABLES.iter().enumerate() {
            if number.is_empty() {
                continue;
            }
            let found = self.rows(&format!("SELECT ifnull(max({number}), 0) FROM {name}"));
            let found: i64 = found[0].parse().unwrap();
            let highest = &mut self.branches.get_mut(&branch).unwrap().highest[table];
            let is_missing = found < *highest;
            *highest = found.max(*highest);
            if is_missing {
                self.insert(branch, table);
            }
        }
    }

    fn step(&mut self) {
        let branch = self.any();
        let table = self.tables[self.random.below(self.tables.len())];
        match self.random.below(24) {
            0..8 => {
                self.use_branch(branch);
                self.insert(branch, table);
            }
            8..12 => {
                self.use_branch(branch);
                self.update(branch, table);
            }
            12 => {
                self.use_branch(branch);
                self.lead(branch);
                self.turn(branch);
            }
            13..15 => {
                self.use_branch(branch);
                self.delete(branch, table);
                self.look_at_numbers(branch);
            }
            15 => self.fork(),
            16 => {
                let session = reopened(self.session.take().unwrap());
                run(&session, "PRAGMA foreign_keys = ON");
                self.session = Some(session);
            }
            _ => self.merge(),
        }
    }

    fn check(&self) {
        for (branch, content) in &self.branches {
            self.use_branch(*branch);
            for (table, rows) in TABLES.iter().zip(&content.tables) {
                let name = table.name;
                let parent = if table.has_parent {
                    "t.moved, (SELECT label FROM parent WHERE id = t.parent)"
                } else if table.name == TABLES[LOOSE].name {
                    "t.moved, ifnull(t.key, '-')"
                } else {
                    "NULL, NULL"
                };
                let found = self.rows(&format!(
                    "SELECT t.label, {parent}, c0, c1, c2, c3 FROM {name} AS t ORDER BY 1"
                ));
                let wanted = rows.iter().map(|(label, Row { cells, parent })| {
                    let (moved, parent) = match parent {
                        Some((moved, parent)) => (moved.to_string(), parent.clone()),
                        None => ("NULL".to_owned(), "NULL".to_owned()),
                    };
                    let [c0, c1, c2, c3] = cells;
                    format!("{label}|{moved}|{parent}|{c0}|{c1}|{c2}|{c3}")
                });
                assert_eq!(found, wanted.collect::<Vec<_>>(), "{name} of {}", BRANCHES[*branch]);
            }
            assert_eq!(self.rows("PRAGMA integrity_check"), ["ok"]);
            assert_eq!(self.rows("PRAGMA foreign_key_check"), Vec::<String>::new());
        }
    }
}

/// Random lives of some tables.
fn live(test: &str, tables: &[usize], steps: Range<usize>) {
    let seeds = Seeds::first(20);
    let tells = seeds.is_replay();
    seeds.run(test, |random| {
        let steps = random.usize(steps.clone());
        let mut world = World::new(Random(random.u64(..)), tables.to_vec(), tells);
        world.fork();
        for _ in 0..steps {
            world.step();
            if world.tells {
                world.check();
            }
        }
        world.check();
    });
}

#[test]
fn rows_keep_their_labels_whatever_merges_call_them() {
    let all: Vec<usize> = (0..TABLES.len()).collect();
    live("rows_keep_their_labels_whatever_merges_call_them", &all, 8..50);
}

/// Alone, so that the rows of branches meet more often.
#[test]
fn rows_keep_their_labels_whatever_keys_they_get() {
    live("rows_keep_their_labels_whatever_keys_they_get", &[LOOSE], 20..90);
}
