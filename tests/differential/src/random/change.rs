//! Random changes: rows, triggers, transactions, schema.
//!
//! What a statement changes must not depend on the order in which a plan visits rows: an
//! UPDATE of a unique column names one row, INSERT from a query sorts it. Neighbours:
//! `expression`, `schema`.

use fastrand::Rng;

use super::expression::{Expressions, Source, literal_for};
use super::schema::{Column, Schema, Table, chance, pick};

/// A maker of changes to a schema.
pub(super) struct Changes<'r> {
    /// Where chance comes from.
    pub(super) rng: &'r mut Rng,
    /// What exists.
    pub(super) schema: &'r mut Schema,
}

impl Changes<'_> {
    fn table(&mut self) -> Table {
        let base = self.schema.base();
        base[self.rng.usize(..base.len())].clone()
    }

    /// A statement that changes rows.
    pub(super) fn change(&mut self) -> String {
        match self.rng.u8(..20) {
            0..=7 => self.insert(),
            8..=9 => self.upsert(),
            10 => self.insert_select(),
            11..=13 => self.update(),
            14 => self.update_several(),
            15 => self.update_from(),
            16..=17 => self.delete(),
            18 => self.change_view(),
            _ => self.control(),
        }
    }

    /// Several rows, as a table's first ones.
    pub(super) fn fill(&mut self, table: &Table) -> String {
        let rows = self.rng.usize(3..=20);
        let columns: Vec<&Column> = table.columns.iter().filter(|c| !c.generated).collect();
        let row = |rng: &mut Rng| {
            let values: Vec<String> =
                columns.iter().map(|column| literal_for(rng, column.kind)).collect();
            format!("({})", values.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(|_| row(self.rng)).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let (names, rows) = (names.join(", "), rows.join(", "));
        format!("INSERT OR IGNORE INTO {}({names}) VALUES {rows}", table.name)
    }

    fn conflict(&mut self) -> &'static str {
        pick(
            self.rng,
            &["", "", "", "", " OR IGNORE", " OR REPLACE", " OR FAIL", " OR ABORT", " OR ROLLBACK"],
        )
    }

    fn rows(&mut self, columns: &[&Column]) -> String {
        let row = |rng: &mut Rng| {
            let values: Vec<String> =
                columns.iter().map(|column| literal_for(rng, column.kind)).collect();
            format!("({})", values.join(", "))
        };
        let rows: Vec<String> = (0..self.rng.usize(1..=3)).map(|_| row(self.rng)).collect();
        rows.join(", ")
    }

    fn returning(&mut self, table: &Table) -> String {
        if chance(self.rng, 70) {
            return String::new();
        }
        // SQLite knows the table by its own name only there.
        let name = table.name.strip_prefix("other.").unwrap_or(&table.name);
        let source = Source::of(table, name);
        let schema = Schema::default();
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 0 };
        format!(" RETURNING {}", if scope.rng.bool() { "*".to_owned() } else { scope.value(1) })
    }

    fn chosen<'t>(&mut self, table: &'t Table) -> Vec<&'t Column> {
        let mut columns: Vec<&Column> = table.columns.iter().filter(|c| !c.generated).collect();
        if chance(self.rng, 30) {
            let keep = self.rng.usize(1..=columns.len());
            self.rng.shuffle(&mut columns);
            columns.truncate(keep);
        }
        columns
    }

    fn insert(&mut self) -> String {
        let table = self.table();
        let columns = self.chosen(&table);
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let (conflict, names) = (self.conflict(), names.join(", "));
        let rows = if chance(self.rng, 3) { None } else { Some(self.rows(&columns)) };
        let returning = self.returning(&table);
        match rows {
            Some(rows) => {
                format!("INSERT{conflict} INTO {}({names}) VALUES {rows}{returning}", table.name)
            }
            None => format!("INSERT{conflict} INTO {} DEFAULT VALUES{returning}", table.name),
        }
    }

    fn upsert(&mut self) -> String {
        let table = self.table();
        let Some(key) = table.keys.first().cloned() else { return self.insert() };
        let columns: Vec<&Column> = table.columns.iter().filter(|c| !c.generated).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let rows = self.rows(&columns);
        let target =
            if chance(self.rng, 80) { format!("({})", key.join(", ")) } else { String::new() };
        let others: Vec<&&Column> = columns.iter().filter(|column| !column.unique).collect();
        let action = if others.is_empty() || chance(self.rng, 30) || target.is_empty() {
            "NOTHING".to_owned()
        } else {
            let column = &others[self.rng.usize(..others.len())].name;
            let value = pick(self.rng, &["excluded", "old"]);
            let value = match value {
                "excluded" => format!("excluded.{column}"),
                _ => format!("coalesce({column}, excluded.{column})"),
            };
            let guard = if chance(self.rng, 25) {
                format!(" WHERE excluded.{column} IS NOT {}.{column}", table.name)
            } else {
                String::new()
            };
            format!("UPDATE SET {column} = {value}{guard}")
        };
        let returning = self.returning(&table);
        format!(
            "INSERT INTO {}({}) VALUES {rows} ON CONFLICT {target} DO {action}{returning}",
            table.name,
            names.join(", ")
        )
    }

    fn insert_select(&mut self) -> String {
        let (table, from) = (self.table(), self.table());
        let columns: Vec<&Column> = table.columns.iter().filter(|c| !c.generated).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let source = Source::of(&from, "s");
        let schema = self.schema.clone();
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 0 };
        let values: Vec<String> = names.iter().map(|_| scope.value(1)).collect();
        let condition = scope.condition(1);
        let order: Vec<String> = if from.rowid {
            vec!["s.rowid".to_owned()]
        } else {
            from.columns.iter().map(|column| format!("s.{}", column.name)).collect()
        };
        format!(
            "INSERT OR IGNORE INTO {}({}) SELECT {} FROM {} AS s WHERE {condition} ORDER BY {}",
            table.name,
            names.join(", "),
            values.join(", "),
            from.name,
            order.join(", ")
        )
    }

    fn update(&mut self) -> String {
        let table = self.table();
        let columns: Vec<&Column> = table.columns.iter().filter(|c| !c.generated).collect();
        let column = columns[self.rng.usize(..columns.len())].clone();
        let schema = self.schema.clone();
        let source = Source::of(&table, &table.name);
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 1 };
        let in_key = table.is_unique(&column);
        if in_key {
            // One row: the order of visiting does not matter.
            let value = literal_for(scope.rng, column.kind);
            let from = literal_for(scope.rng, column.kind);
            let filter = if table.rowid {
                format!("rowid = {}", scope.rng.u8(1..20))
            } else {
                format!("{} = {from} AND {}", column.name, scope.condition(0))
            };
            let returning = self.returning(&table);
            let name = &table.name;
            let column = &column.name;
            let first = if table.rowid
                || table.keys.iter().any(|key| key == std::slice::from_ref(column))
            {
                "UPDATE"
            } else {
                "UPDATE OR ROLLBACK"
            };
            return format!("{first} {name} SET {column} = {value} WHERE {filter}{returning}");
        }
        let value = scope.value(1);
        let condition = scope.condition(2);
        let filter =
            if chance(scope.rng, 10) { String::new() } else { format!(" WHERE {condition}") };
        let returning = self.returning(&table);
        format!("UPDATE {} SET {} = {value}{filter}{returning}", table.name, column.name)
    }

    /// Several columns at once, perhaps as a row.
    fn update_several(&mut self) -> String {
        let table = self.table();
        let free: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| !column.generated && !table.is_unique(column))
            .collect();
        let [first, .., second] = free.as_slice() else { return self.update() };
        let schema = self.schema.clone();
        let source = Source::of(&table, &table.name);
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 1 };
        let (one, two, condition) = (scope.value(1), scope.value(1), scope.condition(1));
        let set = if scope.rng.bool() {
            format!("({}, {}) = ({one}, {two})", first.name, second.name)
        } else {
            format!("{} = {one}, {} = {two}", first.name, second.name)
        };
        let conflict = pick(scope.rng, &["", "", " OR IGNORE"]);
        format!("UPDATE{conflict} {} SET {set} WHERE {condition}", table.name)
    }

    /// From another table, of which one row is made so that no row has several partners.
    fn update_from(&mut self) -> String {
        let (table, other) = (self.table(), self.table());
        let free =
            table.columns.iter().find(|column| !column.generated && !table.is_unique(column));
        let Some(free) = free.cloned() else { return self.update() };
        let schema = self.schema.clone();
        let sources = vec![Source::of(&table, &table.name)];
        let mut scope = Expressions { rng: self.rng, schema: &schema, sources, depth: 0 };
        let (value, condition) = (scope.value(1), scope.condition(1));
        let column = &other.columns[scope.rng.usize(..other.columns.len())].name;
        format!(
            "UPDATE {} SET {} = coalesce(s.x, {value}) FROM (SELECT max(quote(o.{column})) AS x \
             FROM {} AS o) AS s WHERE {condition}",
            table.name, free.name, other.name
        )
    }

    fn delete(&mut self) -> String {
        let table = self.table();
        let schema = self.schema.clone();
        let source = Source::of(&table, &table.name);
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 1 };
        let condition = scope.condition(2);
        // Conditions that hold for all rows leave nothing to compare.
        let rare = format!("({condition}) AND {}", scope.comparison_with_literal());
        let returning = self.returning(&table);
        format!("DELETE FROM {} WHERE {rare}{returning}", table.name)
    }

    fn control(&mut self) -> String {
        pick(
            self.rng,
            &[
                "BEGIN",
                "COMMIT",
                "ROLLBACK",
                "SAVEPOINT s1",
                "RELEASE s1",
                "ROLLBACK TO s1",
                "BEGIN IMMEDIATE",
                "END",
            ],
        )
        .to_owned()
    }

    /// A statement that changes the schema.
    pub(super) fn define(&mut self) -> String {
        match self.rng.u8(..20) {
            0..=5 => self.schema.create_index(self.rng),
            6..=10 => self.trigger(),
            11..=12 => self.schema.create_view(self.rng),
            13..=15 => self.alter(),
            16 => self.drop(),
            17 => self.switch(),
            18 => "REINDEX".to_owned(),
            _ => "ANALYZE".to_owned(),
        }
    }

    fn trigger(&mut self) -> String {
        self.schema.objects += 1;
        let name = format!("g{}", self.schema.objects);
        let table = self.table();
        let event = pick(self.rng, &["INSERT", "UPDATE", "DELETE"]);
        let time = pick(self.rng, &["AFTER", "AFTER", "BEFORE"]);
        let mut sources = Vec::new();
        for (row, missing) in [("new", "DELETE"), ("old", "INSERT")] {
            if event != missing {
                let mut table = table.clone();
                if (event, time) == ("UPDATE", "BEFORE") {
                    // What SQLite computes them from is explained.
                    table.columns.retain(|column| !column.generated);
                }
                sources.push(Source::of(&table, row));
            }
        }
        let schema = self.schema.clone();
        let mut scope = Expressions { rng: self.rng, schema: &schema, sources, depth: 0 };
        let when = if chance(scope.rng, 35) {
            format!(" WHEN {}", scope.condition(1))
        } else {
            String::new()
        };
        let (first, second) = (scope.column(), scope.value(1));
        let body = match scope.rng.u8(..10) {
            0 => format!("SELECT RAISE(IGNORE) WHERE {}", scope.condition(1)),
            1 => format!("SELECT RAISE(ABORT, 'no') WHERE {}", scope.condition(1)),
            2 => format!("UPDATE log SET second = 'u' WHERE first = quote({first})"),
            3 => format!("DELETE FROM log WHERE first = quote({first})"),
            _ => format!("INSERT INTO log VALUES ('{name}', quote({first}), quote({second}))"),
        };
        format!("CREATE TRIGGER {name} {time} {event} ON {}{when} BEGIN {body}; END", table.name)
    }
}
