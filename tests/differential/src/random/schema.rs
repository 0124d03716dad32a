//! Random schemas: what exists, and the statements that make it.
//!
//! Names repeat (`c0` is in every table), so that name resolution, USING and NATURAL matter.
//! Neighbours: `script` (which keeps the schema), `expression` (over its columns).

use fastrand::Rng;

use super::expression::{Expressions, Source};
use super::forms::index_condition;

/// A column as the generators see it.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// Its declared type, perhaps empty.
    pub(super) kind: &'static str,
    /// Whether values may be given.
    pub(super) generated: bool,
    /// Whether a key or a unique index holds it.
    pub(super) unique: bool,
}

/// A table or a view.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    /// Its columns.
    pub(super) columns: Vec<Column>,
    /// Whether it has a rowid.
    pub(super) rowid: bool,
    /// Whether it is a view.
    pub(super) view: bool,
    /// Lists of columns that a key or unique index holds together.
    pub(super) keys: Vec<Vec<String>>,
    /// Columns that unique indexes read.
    pub(super) indexed: Vec<String>,
}

impl Table {
    /// Whether two rows may be in each other's way when a column is changed.
    pub(super) fn is_unique(&self, column: &Column) -> bool {
        let keys = self.keys.iter().flatten().chain(&self.indexed);
        column.unique || keys.into_iter().any(|key| *key == column.name)
    }
}

/// All that exists.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    /// Tables, then views.
    pub(super) tables: Vec<Table>,
    /// For names of indexes and triggers.
    pub(super) objects: usize,
}

const KINDS: &[&str] =
    &["INTEGER", "INTEGER", "INT", "TEXT", "TEXT", "REAL", "BLOB", "NUMERIC", "", "VARCHAR(10)"];
const STRICT_KINDS: &[&str] = &["INTEGER", "INT", "TEXT", "REAL", "BLOB", "ANY"];
const ACTIONS: &[&str] = &["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"];

/// One of a list.
pub(super) fn pick<'a, T: ?Sized>(rng: &mut Rng, list: &[&'a T]) -> &'a T {
    list[rng.usize(..list.len())]
}

/// Whether something of `percent` happens.
pub(super) fn chance(rng: &mut Rng, percent: u8) -> bool {
    rng.u8(..100) < percent
}

/// What becomes of children, and when they must have a parent.
fn actions(rng: &mut Rng) -> String {
    let mut text = String::new();
    if chance(rng, 60) {
        text.push_str(&format!(" ON DELETE {}", pick(rng, ACTIONS)));
    }
    if chance(rng, 60) {
        text.push_str(&format!(" ON UPDATE {}", pick(rng, ACTIONS)));
    }
    if chance(rng, 30) {
        text.push_str(pick(
            rng,
            &[
                " DEFERRABLE INITIALLY DEFERRED",
                " DEFERRABLE INITIALLY DEFERRED",
                " NOT DEFERRABLE INITIALLY DEFERRED",
                " DEFERRABLE",
            ],
        ));
    }
    text
}

impl Schema {
    /// Only tables, which can be changed.
    pub(super) fn base(&self) -> Vec<&Table> {
        self.tables.iter().filter(|table| !table.view).collect()
    }

    /// A new table; the statement that makes it.
    pub(super) fn create_table(&mut self, rng: &mut Rng) -> String {
        let name = format!("t{}", self.tables.len());
        let strict = chance(rng, 15);
        let count = rng.usize(2..=5);
        let mut columns: Vec<Column> = Vec::new();
        let mut definitions = Vec::new();
        let mut keys = Vec::new();
        let key_form = rng.u8(..10);
        for at in 0..count {
            let kinds = if strict { STRICT_KINDS } else { KINDS };
            let mut column = Column {
                name: format!("c{at}"),
                kind: pick(rng, kinds),
                generated: false,
                unique: false,
            };
            let definition = self.column(rng, &name, &mut column, at, key_form, strict, &columns);
            if column.unique {
                keys.push(vec![column.name.clone()]);
            }
            definitions.push(definition);
            columns.push(column);
        }
        let mut without_rowid = false;
        if (5..7).contains(&key_form) {
            definitions.push("PRIMARY KEY (c0, c1)".to_owned());
            keys.push(vec!["c0".to_owned(), "c1".to_owned()]);
            without_rowid = chance(rng, 50);
        } else if (3..5).contains(&key_form) {
            without_rowid = chance(rng, 50);
        }
        if chance(rng, 20) {
            definitions.push("CHECK (c1 IS NULL OR typeof(c1) <> 'blob' OR length(c1) < 9)".into());
        }
        // SQLite finds no UNIQUE that holds the rowid's column for ON CONFLICT.
        if chance(rng, 8)
            && columns[0].kind != "INTEGER"
            && !columns[..2].iter().any(|column| column.generated)
        {
            let action = pick(rng, &["", "", " ON CONFLICT IGNORE", " ON CONFLICT REPLACE"]);
            definitions.push(format!("UNIQUE (c1, c0){action}"));
            keys.push(vec!["c1".to_owned(), "c0".to_owned()]);
        }
        if chance(rng, 15) {
            definitions.extend(self.table_reference(rng, &name, &columns, &keys));
        }
        let mut options = Vec::new();
        if without_rowid {
            options.push("WITHOUT ROWID");
        }
        if strict {
            options.push("STRICT");
        }
        let (body, options) = (definitions.join(", "), options.join(", "));
        let sql = format!("CREATE TABLE {name}({body}) {options}").trim_end().to_owned();
        self.tables.push(Table {
            name,
            columns,
            rowid: !without_rowid,
            view: false,
            keys,
            indexed: Vec::new(),
        });
        sql
    }

    #[allow(clippy::too_many_arguments, reason = "a column is told all of its table")]
    fn column(
        &self,
        rng: &mut Rng,
        table: &str,
        column: &mut Column,
        at: usize,
        key_form: u8,
        strict: bool,
        before: &[Column],
    ) -> String {
        if at == 0 && key_form < 3 {
            column.kind = "INTEGER";
            column.unique = true;
            let auto = if key_form == 0 && chance(rng, 40) { " AUTOINCREMENT" } else { "" };
            return format!("c0 INTEGER PRIMARY KEY{auto}");
        }
        let mut text = format!("{} {}", column.name, column.kind).trim_end().to_owned();
        if at == 0 && (3..5).contains(&key_form) {
            column.unique = true;
            text.push_str(" PRIMARY KEY");
        }
        if at > 1 && chance(rng, 12) {
            column.generated = true;
            let plain: Vec<&Column> = before.iter().filter(|column| !column.generated).collect();
            let of = &plain[rng.usize(..plain.len())].name;
            let forms = [
                format!("{of} || 'g'"),
                format!("length({of})"),
                format!("coalesce({of}, 0) + 1"),
                format!("CASE WHEN {of} IS NULL THEN 'none' ELSE typeof({of}) END"),
            ];
            // A strict column takes no value of another type: its own would fail at random.
            let form = if strict { "NULL".to_owned() } else { forms[rng.usize(..4)].clone() };
            let kind = pick(rng, &["VIRTUAL", "STORED"]);
            text.push_str(&format!(" AS ({form}) {kind}"));
            if chance(rng, 20) {
                column.unique = true;
                text.push_str(" UNIQUE");
            }
            if chance(rng, 10) {
                text.push_str(&self.reference(rng, table));
            }
            return text;
        }
        if matches!(column.kind, "TEXT" | "VARCHAR(10)" | "") && chance(rng, 25) {
            text.push_str(pick(rng, &[" COLLATE NOCASE", " COLLATE RTRIM", " COLLATE BINARY"]));
        }
        if chance(rng, 12) {
            text.push_str(" NOT NULL");
        }
        if chance(rng, 20) {
            let default = match column.kind {
                "INTEGER" | "INT" | "NUMERIC" => pick(rng, &["7", "-1", "(3 + 4)"]),
                "REAL" => pick(rng, &["0.5", "(1.0 / 4)"]),
                "TEXT" | "VARCHAR(10)" | "" | "ANY" => pick(rng, &["'d'", "''", "('a' || 'b')"]),
                _ => "x'01ff'",
            };
            text.push_str(&format!(" DEFAULT {default}"));
        }
        if chance(rng, 8) && !column.unique {
            column.unique = true;
            text.push_str(" UNIQUE");
            if chance(rng, 30) {
                let action = pick(rng, &["IGNORE", "REPLACE", "FAIL", "ABORT"]);
                text.push_str(&format!(" ON CONFLICT {action}"));
            }
        }
        if chance(rng, 15) {
            text.push_str(&self.reference(rng, table));
        }
        text
    }

    /// FOREIGN KEY of two columns, or of one to the table's own key.
    fn table_reference(
        &self,
        rng: &mut Rng,
        table: &str,
        columns: &[Column],
        keys: &[Vec<String>],
    ) -> Option<String> {
        let base = self.base().into_iter();
        let others = base.flat_map(|other| other.keys.iter().map(|key| (other.name.clone(), key)));
        let own = keys.iter().map(|key| (table.to_owned(), key));
        let parents: Vec<(String, &Vec<String>)> = others.chain(own).collect();
        let (parent, key) = parents.get(rng.usize(..parents.len().max(1)))?;
        let is_own = |column: &Column| parent == table && key.contains(&column.name);
        let mut free: Vec<&str> = columns
            .iter()
            .filter(|column| !column.generated && !is_own(column))
            .map(|column| column.name.as_str())
            .collect();
        rng.shuffle(&mut free);
        let children = free.get(..key.len())?.join(", ");
        let text = format!("FOREIGN KEY ({children}) REFERENCES {parent}({})", key.join(", "));
        Some(text + &actions(rng))
    }

    fn reference(&self, rng: &mut Rng, table: &str) -> String {
        let mut parents: Vec<(String, String)> = Vec::new();
        for parent in self.base() {
            for key in parent.keys.iter().filter(|key| key.len() == 1) {
                parents.push((parent.name.clone(), key[0].clone()));
            }
        }
        if parents.is_empty() {
            return String::new();
        }
        let (parent, key) = parents[rng.usize(..parents.len())].clone();
        debug_assert_ne!(parent, table);
        format!(" REFERENCES {parent}({key}){}", actions(rng))
    }

    /// A new index on a random table; the statement that makes it.
    pub(super) fn create_index(&mut self, rng: &mut Rng) -> String {
        self.objects += 1;
        let number = self.objects;
        let bases: Vec<usize> =
            (0..self.tables.len()).filter(|at| !self.tables[*at].view).collect();
        let place = bases[rng.usize(..bases.len())];
        let table = self.tables[place].clone();
        let count = rng.usize(1..=table.columns.len().min(3));
        let mut names: Vec<&Column> = table.columns.iter().collect();
        rng.shuffle(&mut names);
        let part = |rng: &mut Rng, column: &Column| {
            let mut text = column.name.clone();
            match rng.u8(..12) {
                0 => text = format!("lower({text})"),
                1 => text = format!("{text} + 1"),
                2 => text.push_str(" COLLATE NOCASE"),
                _ => {}
            }
            if chance(rng, 30) {
                text.push_str(" DESC");
            }
            text
        };
        let parts: Vec<String> = names[..count].iter().map(|column| part(rng, column)).collect();
        let unique = if chance(rng, 8) { "UNIQUE " } else { "" };
        if !unique.is_empty() {
            // A generated column may be read of any other.
            let has_generated = names[..count].iter().any(|column| column.generated);
            let read = if has_generated { &names[..] } else { &names[..count] };
            self.tables[place].indexed.extend(read.iter().map(|column| column.name.clone()));
        }
        let mut sql =
            format!("CREATE {unique}INDEX i{number} ON {}({})", table.name, parts.join(", "));
        if chance(rng, 20) {
            let (first, second) = (&names[0].name, &names[names.len() - 1].name);
            let condition = index_condition(rng, first, second);
            sql.push_str(&format!(" WHERE {condition}"));
            if !unique.is_empty() {
                let read = [first.clone(), second.clone()];
                self.tables[place].indexed.extend(read);
            }
        }
        sql
    }

    /// A new view; the statement that makes it.
    pub(super) fn create_view(&mut self, rng: &mut Rng) -> String {
        let name = format!("v{}", self.tables.len());
        let table = self.tables[rng.usize(..self.tables.len())].clone();
        let source = Source::of(&table, "s");
        let columns: Vec<Column> = (0..rng.usize(1..=3))
            .map(|at| Column { name: format!("c{at}"), kind: "", generated: false, unique: false })
            .collect();
        let mut expressions = Expressions { rng, schema: self, sources: vec![source], depth: 2 };
        let values: Vec<String> = columns
            .iter()
            .map(|column| format!("{} AS {}", expressions.value(1), column.name))
            .collect();
        let condition = expressions.condition(1);
        let (list, values) = (names_of(&columns), values.join(", "));
        let head =
            if chance(expressions.rng, 30) { format!("{name}({list})") } else { name.clone() };
        let body = match expressions.rng.u8(..10) {
            0 => format!("SELECT DISTINCT {values} FROM {} AS s WHERE {condition}", table.name),
            1 => {
                let grouped = format!("SELECT {values}, count(*) AS n FROM {} AS s", table.name);
                // The names may mean columns of the table.
                let numbers = ["1", "1, 2", "1, 2, 3"][columns.len() - 1];
                format!("SELECT {list} FROM ({grouped} GROUP BY {numbers})")
            }
            2 => {
                let others: Vec<String> = columns.iter().map(|_| expressions.value(0)).collect();
                let operator = pick(expressions.rng, &["UNION ALL", "UNION", "EXCEPT"]);
                format!(
                    "SELECT {values} FROM {0} AS s WHERE {condition} {operator} SELECT {1} FROM \
                     {0} AS s",
                    table.name,
                    others.join(", ")
                )
            }
            _ => format!("SELECT {values} FROM {} AS s WHERE {condition}", table.name),
        };
        let sql = format!("CREATE VIEW {head} AS {body}");
        self.tables.push(Table {
            name,
            columns,
            rowid: false,
            view: true,
            keys: Vec::new(),
            indexed: Vec::new(),
        });
        sql
    }
}

fn names_of(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
}
