//! Random scripts about names: objects of the same names in three databases.
//!
//! What a name means depends on the order in which databases are searched, on what was there when
//! a trigger or a view was made, and on what has gone since. The names are few, so that statements
//! meet each other's objects, and just as often miss them: both engines must say so alike.
//! Neighbours: `script` (which asks for one of these now and then), `schema`, `change`, `query`
//! (scripts about values).

use fastrand::Rng;

use super::schema::{chance, pick};
use super::script::{Check, Order, Step};

/// Where an object is said to be.
const PLACES: &[&str] = &["", "", "", "main.", "temp.", "other."];
const TABLES: &[&str] = &["a", "b", "c"];
const COLUMNS: &[&str] = &["x", "y", "z", "y", "x", "rowid"];
const VIEWS: &[&str] = &["v", "w", "c"];
const TRIGGERS: &[&str] = &["g", "h", "k"];
const INDEXES: &[&str] = &["i", "j"];
const EVENTS: &[&str] = &["INSERT", "UPDATE", "DELETE", "UPDATE OF y", "UPDATE OF z, x"];
const VALUES: &[&str] = &["0", "1", "2", "3", "7", "NULL", "'t'", "'1'", "2.5"];

/// What each database says that it has.
const CATALOGS: &[&str] = &["main", "temp", "other"];

/// A script of `statements` behind the first tables.
pub(super) fn script(rng: &mut Rng, statements: usize) -> Vec<Step> {
    let mut names = Names { rng };
    let mut steps = Vec::new();
    if chance(names.rng, 30) {
        steps.push(change("PRAGMA foreign_keys = ON".to_owned()));
    }
    if chance(names.rng, 30) {
        steps.push(change("PRAGMA recursive_triggers = ON".to_owned()));
    }
    for sql in ["CREATE TABLE log(name, x, y)", "ATTACH ':memory:' AS other"] {
        steps.push(change(sql.to_owned()));
    }
    for name in TABLES {
        for place in ["main.", "temp.", "other."] {
            if chance(names.rng, 40) {
                steps.push(change(names.table_named(&format!("{place}{name}"))));
            }
        }
    }
    for _ in 0..names.rng.usize(2..8) {
        steps.push(change(names.insert()));
    }
    for _ in 0..statements {
        names.step(&mut steps);
    }
    steps
}

fn change(sql: String) -> Step {
    Step { sql, check: Check::Change }
}

fn query(sql: String) -> Step {
    Step { sql, check: Check::Query(Order::Any) }
}

/// A maker of statements of few names.
struct Names<'r> {
    rng: &'r mut Rng,
}

impl Names<'_> {
    /// A statement; one that defines something is followed by what the databases have then.
    fn step(&mut self, steps: &mut Vec<Step>) {
        match self.rng.u8(..20) {
            0..=5 => {
                let sql = self.rows();
                steps.push(change(sql));
            }
            6..=9 => {
                let sql = self.select();
                steps.push(query(sql));
            }
            10 => steps.push(query(self.pragma())),
            11 => steps.push(change(self.control())),
            _ => {
                steps.push(change(self.define()));
                steps.extend(CATALOGS.iter().map(|place| {
                    query(format!(
                        "SELECT type, name, tbl_name, sql FROM {place}.sqlite_schema WHERE name \
                         NOT LIKE 'sqlite_%'"
                    ))
                }));
            }
        }
    }

    fn place(&mut self) -> &'static str {
        pick(self.rng, PLACES)
    }

    /// A table or a view, as a statement may call it.
    fn relation(&mut self) -> String {
        let place = self.place();
        let name =
            if chance(self.rng, 75) { pick(self.rng, TABLES) } else { pick(self.rng, VIEWS) };
        format!("{place}{name}")
    }

    fn base(&mut self) -> String {
        format!("{}{}", self.place(), pick(self.rng, TABLES))
    }

    fn temporary(&mut self) -> &'static str {
        pick(self.rng, &["", "", "TEMP "])
    }

    fn column(&mut self) -> &'static str {
        pick(self.rng, COLUMNS)
    }

    fn value(&mut self) -> &'static str {
        pick(self.rng, VALUES)
    }

    /// A condition over the columns, of the kinds that partial indexes have.
    fn condition(&mut self) -> String {
        let (column, value) = (pick(self.rng, &["x", "y", "z"]), self.value());
        match self.rng.u8(..10) {
            0 => format!("{column} IS NOT NULL"),
            1 => format!("{column} IS NULL"),
            2..=4 => format!("{column} = {value}"),
            5 => format!("{column} > {value}"),
            6 => format!("{column} IN ({value}, 1, 2)"),
            7 => format!("{column} BETWEEN 0 AND {value}"),
            8 => format!("({column} = {value} OR y = 2)"),
            _ => format!("{column} <> {value} AND {}", self.condition()),
        }
    }

    fn hint(&mut self) -> String {
        match self.rng.u8(..12) {
            0..=2 => format!(" INDEXED BY {}", pick(self.rng, INDEXES)),
            3 => " NOT INDEXED".to_owned(),
            _ => String::new(),
        }
    }

    fn table_named(&mut self, name: &str) -> String {
        let first = pick(self.rng, &["x INTEGER PRIMARY KEY", "x", "x INT PRIMARY KEY"]);
        let second = match self.rng.u8(..8) {
            0 => "y UNIQUE".to_owned(),
            1 => format!("y REFERENCES {}(x) ON DELETE CASCADE", pick(self.rng, TABLES)),
            2 => "y CHECK (y IS NULL OR y <> 9)".to_owned(),
            _ => "y".to_owned(),
        };
        let third = pick(self.rng, &["z", "z DEFAULT 3", "z AS (y)", "z COLLATE NOCASE"]);
        format!("CREATE TABLE {name}({first}, {second}, {third})")
    }

    /// INSERT, UPDATE, DELETE on what a name may mean.
    fn rows(&mut self) -> String {
        match self.rng.u8(..10) {
            0..=5 => self.insert(),
            6..=7 => {
                let (relation, column, value) = (self.relation(), self.column(), self.value());
                let (hint, condition) = (self.hint(), self.condition());
                let filter = if chance(self.rng, 15) {
                    String::new()
                } else {
                    format!(" WHERE {condition}")
                };
                format!("UPDATE {relation}{hint} SET {column} = {value}{filter}")
            }
            _ => {
                let (relation, hint, condition) = (self.relation(), self.hint(), self.condition());
                let filter = if chance(self.rng, 10) {
                    String::new()
                } else {
                    format!(" WHERE {condition}")
                };
                format!("DELETE FROM {relation}{hint}{filter}")
            }
        }
    }

    fn insert(&mut self) -> String {
        let relation = self.relation();
        let (first, second) = (self.value(), self.value());
        match self.rng.u8(..12) {
            0 => format!("INSERT INTO {relation} DEFAULT VALUES"),
            1 => {
                let from = self.relation();
                format!(
                    "INSERT OR IGNORE INTO {relation}(x, y) SELECT x + 10, y FROM {from} ORDER BY x"
                )
            }
            2 => format!("REPLACE INTO {relation}(x, y) VALUES ({first}, {second})"),
            _ => format!("INSERT OR IGNORE INTO {relation}(x, y) VALUES ({first}, {second})"),
        }
    }

    /// A query over one or two names.
    fn select(&mut self) -> String {
        let (relation, hint, condition) = (self.relation(), self.hint(), self.condition());
        let column = self.column();
        match self.rng.u8(..10) {
            0 => format!("SELECT {relation}.{column} FROM {relation}"),
            1 => {
                let other = self.relation();
                format!(
                    "SELECT p.{column}, q.y FROM {relation} AS p JOIN {other} AS q ON p.y = q.y"
                )
            }
            2 => {
                let (name, other) = (pick(self.rng, TABLES), self.relation());
                format!(
                    "WITH {name} AS (SELECT x, y FROM {other} WHERE {condition}) \
                     SELECT {column} FROM {relation}"
                )
            }
            3 => format!("SELECT {column} FROM (SELECT x, y FROM {relation}) WHERE {condition}"),
            4 => {
                let other = self.relation();
                format!("SELECT {column} FROM {relation} WHERE y IN (SELECT {column} FROM {other})")
            }
            _ => format!("SELECT {column}, y FROM {relation}{hint} WHERE {condition}"),
        }
    }

    /// What is told of a table. Of a view that is broken since SQLite may still know the columns.
    fn pragma(&mut self) -> String {
        let (place, name) = (self.place(), pick(self.rng, &["a", "b"]));
        match self.rng.u8(..7) {
            0..=1 => format!("PRAGMA {place}table_info({name})"),
            2 => format!("PRAGMA {place}table_xinfo({name})"),
            3 => format!("PRAGMA {place}index_list({name})"),
            4 => format!("PRAGMA {place}index_xinfo({})", pick(self.rng, INDEXES)),
            5 => format!("PRAGMA {place}foreign_key_list({name})"),
            _ => format!("PRAGMA {place}foreign_key_check({name})"),
        }
    }

    fn control(&mut self) -> String {
        let all = [
            "BEGIN",
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT s",
            "SAVEPOINT s",
            "ROLLBACK TO s",
            "RELEASE s",
            "DETACH other",
            "ATTACH ':memory:' AS other",
            "REINDEX",
            "ANALYZE",
        ];
        pick(self.rng, &all).to_owned()
    }

    fn define(&mut self) -> String {
        match self.rng.u8(..20) {
            0..=1 => {
                let name = self.base();
                let sql = self.table_named(&name);
                let temporary = self.temporary();
                sql.replacen("CREATE TABLE", &format!("CREATE {temporary}TABLE"), 1)
            }
            2..=3 => self.view(),
            4..=8 => self.trigger(),
            9..=10 => {
                let (place, index) = (self.place(), pick(self.rng, INDEXES));
                let (table, column) = (pick(self.rng, TABLES), pick(self.rng, &["x", "y", "z"]));
                let unique = pick(self.rng, &["", "", "", "UNIQUE "]);
                let condition = self.condition();
                let filter = if chance(self.rng, 50) {
                    String::new()
                } else {
                    format!(" WHERE {condition}")
                };
                format!("CREATE {unique}INDEX {place}{index} ON {table}({column}){filter}")
            }
            11..=14 => self.drop(),
            _ => self.alter(),
        }
    }

    fn view(&mut self) -> String {
        let (temporary, place) = (self.temporary(), self.place());
        let (name, from) = (pick(self.rng, VIEWS), self.relation());
        let body = match self.rng.u8(..6) {
            0 => format!("SELECT * FROM {from}"),
            1 => format!("SELECT rowid AS x, y, z FROM {from}"),
            2 => format!("SELECT p.x, q.y FROM {from} AS p JOIN {} AS q", self.relation()),
            3 => format!("SELECT x, y FROM {from} WHERE {}", self.condition()),
            _ => format!("SELECT x, y FROM {from}"),
        };
        format!("CREATE {temporary}VIEW {place}{name} AS {body}")
    }

    fn trigger(&mut self) -> String {
        let (temporary, place) = (self.temporary(), self.place());
        let (name, event) = (pick(self.rng, TRIGGERS), pick(self.rng, EVENTS));
        let on =
            if chance(self.rng, 80) { pick(self.rng, TABLES).to_owned() } else { self.relation() };
        let time = pick(self.rng, &["AFTER", "AFTER", "AFTER", "BEFORE", "INSTEAD OF"]);
        let row = if event == "DELETE" { "old" } else { "new" };
        let column = self.column();
        let condition = if chance(self.rng, 15) {
            format!(" WHEN {row}.{column} IS NOT 7")
        } else {
            String::new()
        };
        let mut statements = String::new();
        for _ in 0..self.rng.usize(1..=2) {
            let (relation, other) = (pick(self.rng, TABLES), self.relation());
            statements.push_str(&match self.rng.u8(..12) {
                0 => format!("UPDATE {relation} SET z = {row}.{column} WHERE y = 1; "),
                1 => format!("DELETE FROM {relation} WHERE x = {row}.{column}; "),
                2 => format!("INSERT OR IGNORE INTO {relation}(x, y) VALUES ({row}.x + 20, 5); "),
                3 => format!("INSERT INTO log SELECT '{name}', count(*), 1 FROM {other}; "),
                4 => format!("SELECT {column} FROM {other}; "),
                5 => format!("UPDATE {other} SET y = 4 WHERE x = 3; "),
                6 => format!("DELETE FROM {relation}{} WHERE y = 3; ", self.hint()),
                _ => format!("INSERT INTO log VALUES ('{name}', {row}.{column}, 2); "),
            });
        }
        format!(
            "CREATE {temporary}TRIGGER {place}{name} {time} {event} ON {on}{condition} BEGIN \
             {statements}END"
        )
    }

    fn drop(&mut self) -> String {
        let place = self.place();
        let if_exists = pick(self.rng, &["", "IF EXISTS "]);
        match self.rng.u8(..8) {
            0..=1 => format!("DROP TABLE {if_exists}{place}{}", pick(self.rng, TABLES)),
            2..=3 => format!("DROP VIEW {if_exists}{place}{}", pick(self.rng, VIEWS)),
            4..=6 => format!("DROP TRIGGER {if_exists}{place}{}", pick(self.rng, TRIGGERS)),
            _ => format!("DROP INDEX {if_exists}{place}{}", pick(self.rng, INDEXES)),
        }
    }

    fn alter(&mut self) -> String {
        let table = self.base();
        match self.rng.u8(..6) {
            0..=1 => format!("ALTER TABLE {table} RENAME TO {}", pick(self.rng, TABLES)),
            2..=3 => {
                let (from, to) =
                    (pick(self.rng, &["y", "z", "u"]), pick(self.rng, &["y", "z", "u"]));
                format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}")
            }
            4 => {
                format!("ALTER TABLE {table} ADD COLUMN {} DEFAULT 5", pick(self.rng, &["u", "z"]))
            }
            _ => format!("ALTER TABLE {table} DROP COLUMN {}", pick(self.rng, &["u", "z"])),
        }
    }
}
