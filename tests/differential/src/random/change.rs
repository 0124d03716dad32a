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

/// What a subquery reads may have been changed by the rows before: both take them in the order
/// of the table's keys then.
fn in_key_order(value: &str) -> &'static str {
    if value.contains("(SELECT ") { " NOT INDEXED" } else { "" }
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
        let schema = self.schema.clone();
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 0 };
        let values = match scope.rng.u8(..6) {
            0..=2 => "*".to_owned(),
            3 => format!("{} AS r, *, {}", scope.value(1), scope.odd_value()),
            4 => format!("{}, {}", scope.condition(1), scope.odd_condition()),
            _ => scope.value(2),
        };
        format!(" RETURNING {values}")
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
        let (verb, conflict) =
            if chance(self.rng, 5) { ("REPLACE", "") } else { ("INSERT", conflict) };
        let rows = if chance(self.rng, 3) { None } else { Some(self.rows(&columns)) };
        let returning = self.returning(&table);
        match rows {
            Some(rows) => {
                format!("{verb}{conflict} INTO {}({names}) VALUES {rows}{returning}", table.name)
            }
            None => format!("{verb}{conflict} INTO {} DEFAULT VALUES{returning}", table.name),
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
            let value = match self.rng.u8(..3) {
                0 => format!("excluded.{column}"),
                1 => format!("(SELECT max(quote(q.{column})) FROM {} AS q)", table.name),
                _ => format!("coalesce({column}, excluded.{column})"),
            };
            let guard = if chance(self.rng, 25) {
                format!(" WHERE excluded.{column} IS NOT {}.{column}", table.name)
            } else {
                String::new()
            };
            format!("UPDATE SET {column} = {value}{guard}")
        };
        let second = match table.keys.get(1) {
            Some(_) if target.is_empty() || chance(self.rng, 50) => String::new(),
            Some(other) if self.rng.bool() => {
                format!(" ON CONFLICT ({}) DO NOTHING", other.join(", "))
            }
            _ if !target.is_empty() && chance(self.rng, 15) => " ON CONFLICT DO NOTHING".to_owned(),
            _ => String::new(),
        };
        let rows = if chance(self.rng, 15) {
            format!("SELECT * FROM (VALUES {rows}) WHERE true")
        } else {
            format!("VALUES {rows}")
        };
        let returning = self.returning(&table);
        format!(
            "INSERT INTO {}({}) {rows} ON CONFLICT {target} DO {action}{second}{returning}",
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
            let conflict = pick(self.rng, &["", "", "", " OR REPLACE", " OR IGNORE", " OR FAIL"]);
            let first = if first == "UPDATE" && table.rowid {
                format!("UPDATE{conflict}")
            } else {
                first.to_owned()
            };
            return format!("{first} {name} SET {column} = {value} WHERE {filter}{returning}");
        }
        let value = scope.value(1);
        let condition = scope.condition(2);
        let filter =
            if chance(scope.rng, 10) { String::new() } else { format!(" WHERE {condition}") };
        let returning = self.returning(&table);
        let hint = in_key_order(&value);
        format!("UPDATE {}{hint} SET {} = {value}{filter}{returning}", table.name, column.name)
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
        let hint = in_key_order(&set);
        format!("UPDATE{conflict} {}{hint} SET {set} WHERE {condition}", table.name)
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
        if chance(self.rng, 4) {
            return format!("DELETE FROM {}", table.name);
        }
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
            17 if self.rng.bool() => self.create_as(),
            17 => self.switch(),
            18 => "REINDEX".to_owned(),
            _ => "ANALYZE".to_owned(),
        }
    }

    /// CREATE TABLE AS: also a temporary one.
    fn create_as(&mut self) -> String {
        let from = self.schema.tables[self.rng.usize(..self.schema.tables.len())].clone();
        let name = format!("t{}", self.schema.tables.len() + 100);
        let source = Source::of(&from, "s");
        let order: Vec<String> =
            source.columns.iter().map(|column| format!("quote(s.{column})")).collect();
        let schema = self.schema.clone();
        let mut scope =
            Expressions { rng: self.rng, schema: &schema, sources: vec![source], depth: 1 };
        let (one, two) = (scope.value(1), scope.value(1));
        let condition = scope.condition(1);
        let column = |name: &str| Column {
            name: name.to_owned(),
            kind: "",
            generated: false,
            unique: false,
        };
        let columns = vec![column("c0"), column("c1")];
        let sql = format!(
            "CREATE{} TABLE {name} AS SELECT {one} AS c0, {two} AS c1 FROM {} AS s WHERE \
             {condition} ORDER BY {}",
            pick(self.rng, &["", " TEMP"]),
            from.name,
            order.join(", ")
        );
        let table = Table {
            name,
            columns,
            rowid: true,
            view: false,
            keys: Vec::new(),
            indexed: Vec::new(),
        };
        self.schema.tables.push(table);
        sql
    }

    fn trigger(&mut self) -> String {
        self.schema.objects += 1;
        let name = format!("g{}", self.schema.objects);
        let table = self.table();
        let event = pick(self.rng, &["INSERT", "UPDATE", "DELETE"]);
        let time = pick(self.rng, &["AFTER", "AFTER", "BEFORE"]);
        let of = if event == "UPDATE" && chance(self.rng, 25) {
            let columns: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            format!(" OF {}", columns[..self.rng.usize(1..=columns.len())].join(", "))
        } else {
            String::new()
        };
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
            4 | 5 => self.chain(&table, event, &first, &second),
            _ => format!("INSERT INTO log VALUES ('{name}', quote({first}), quote({second}))"),
        };
        let more = if chance(self.rng, 20) {
            format!("; INSERT INTO log VALUES ('{name}', 'more', changes() IS NULL)")
        } else {
            String::new()
        };
        format!(
            "CREATE TRIGGER {name} {time} {event}{of} ON {}{when} BEGIN {body}{more}; END",
            table.name
        )
    }

    /// A trigger's change of a table, its own perhaps. Rows of an INSERT come in an order that is
    /// given; what others fire does the same in any order.
    fn chain(&mut self, of: &Table, event: &str, first: &str, second: &str) -> String {
        let is_insert = event == "INSERT";
        let table = if is_insert && chance(self.rng, 30) { of.clone() } else { self.table() };
        if table.name == of.name && !is_insert {
            return "SELECT 1".to_owned();
        }
        // A trigger's statements name no database.
        let name = table.name.strip_prefix("other.").unwrap_or(&table.name);
        let free: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| !column.generated && !table.is_unique(column))
            .collect();
        let (Some(free), Some(key)) = (free.first(), table.columns.last()) else {
            return "SELECT 1".to_owned();
        };
        match self.rng.u8(..7) {
            4..=5 if is_insert => self.rare_chain(&table, name, first, second),
            0 => format!("DELETE FROM {name} WHERE {} = {first}", key.name),
            1 => {
                let value = literal_for(self.rng, free.kind);
                format!("UPDATE {name} SET {} = {value} WHERE {} IS {first}", free.name, key.name)
            }
            2 if is_insert => format!(
                "INSERT OR IGNORE INTO {name}({}) SELECT {second} WHERE (SELECT count(*) FROM \
                 {name}) < 40",
                free.name
            ),
            _ => {
                let actions: &[&str] = &["ROLLBACK", "ABORT", "IGNORE", "FAIL"];
                let action = pick(self.rng, if is_insert { actions } else { &actions[..3] });
                let message = if action == "IGNORE" { "" } else { ", 'no'" };
                format!("SELECT RAISE({action}{message}) WHERE {first} = {second}")
            }
        }
    }
    /// The same with conflict clauses, for rows that come in an order.
    fn rare_chain(&mut self, table: &Table, name: &str, first: &str, second: &str) -> String {
        let columns: Vec<&Column> = table.columns.iter().filter(|it| !it.generated).collect();
        let [one, .., other] = columns.as_slice() else { return "SELECT 1".to_owned() };
        let (one, other) = (&one.name, &other.name);
        let few = format!("(SELECT count(*) FROM {name}) < 40");
        match self.rng.u8(..4) {
            0 => format!(
                "INSERT OR REPLACE INTO {name}({one}, {other}) SELECT {first}, {second} WHERE {few}"
            ),
            1 => format!(
                "INSERT INTO {name}({one}, {other}) SELECT {first}, {second} WHERE {few} ON \
                 CONFLICT DO UPDATE SET {other} = excluded.{other} WHERE {name}.{other} IS NOT NULL"
            ),
            2 => format!(
                "INSERT INTO {name}({one}) SELECT {second} WHERE {few} ON CONFLICT DO NOTHING"
            ),
            _ => {
                let conflict = pick(self.rng, &["IGNORE", "REPLACE", "FAIL", "ROLLBACK"]);
                let key = if table.rowid { "rowid" } else { one.as_str() };
                format!("UPDATE OR {conflict} {name} SET {other} = {second} WHERE {key} = 3")
            }
        }
    }
}
