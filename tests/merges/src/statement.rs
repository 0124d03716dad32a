//! Single random statements for a branch as it is; `;;` stands between two.
//!
//! Neighbours: `definition` makes tables, `generate` puts statements together.

use fastrand::Rng;
use pandodb_qp::Error;

use crate::definition::{literal, pick, text_definition};
use crate::world::World;

pub(crate) use crate::definition::{create_table, create_text};

/// Names of tables, columns and texts: few, so that branches choose the same ones.
pub(crate) const TABLES: [&str; 4] = ["t", "u", "w", "x"];
pub(crate) const COLUMNS: [&str; 5] = ["a", "b", "c", "d", "e"];

/// A column that statements can name.
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) is_key: bool,
    pub(crate) is_generated: bool,
}

/// What there is on a branch.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) tables: Vec<(String, Vec<Known>)>,
    /// Kind and name of views, indexes and triggers.
    pub(crate) texts: Vec<(String, String)>,
}

impl Catalog {
    /// What there is on the branch of now.
    pub(crate) fn of(world: &World) -> Result<Self, Error> {
        let mut catalog = Self::default();
        for object in world.rows(
            "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
        )? {
            let [kind, name] = object.as_slice() else { continue };
            if kind != "table" {
                catalog.texts.push((kind.clone(), name.clone()));
                continue;
            }
            let sql = format!("SELECT name, pk, hidden FROM pragma_table_xinfo('{name}')");
            let columns = world.rows(&sql)?.into_iter().map(|row| Known {
                name: row[0].clone(),
                is_key: row[1] != "0",
                is_generated: row[2] != "0",
            });
            catalog.tables.push((name.clone(), columns.collect()));
        }
        Ok(catalog)
    }

    pub(crate) fn table(&self, random: &mut Rng) -> Option<&(String, Vec<Known>)> {
        (!self.tables.is_empty()).then(|| &self.tables[random.usize(..self.tables.len())])
    }

    /// The names of all views.
    pub(crate) fn views(&self) -> Vec<&str> {
        let views = self.texts.iter().filter(|(kind, _)| kind == "view");
        views.map(|(_, name)| name.as_str()).collect()
    }
}

/// A column of a table that can be written.
fn writable<'c>(random: &mut Rng, columns: &'c [Known]) -> Option<&'c str> {
    let columns: Vec<&Known> = columns.iter().filter(|column| !column.is_generated).collect();
    (!columns.is_empty()).then(|| columns[random.usize(..columns.len())].name.as_str())
}

/// Any column of a table.
pub(crate) fn any<'c>(random: &mut Rng, columns: &'c [Known]) -> &'c str {
    columns.get(random.usize(..columns.len().max(1))).map_or("a", |column| &column.name)
}

/// A new row.
pub(crate) fn insert(random: &mut Rng, catalog: &Catalog) -> Option<String> {
    let (table, columns) = catalog.table(random)?;
    let or = if random.u8(..10) == 0 { " OR REPLACE" } else { "" };
    let mut names = Vec::new();
    let mut values = Vec::new();
    for column in columns.iter().filter(|column| !column.is_generated) {
        if !column.is_key && random.u8(..6) == 0 {
            continue;
        }
        names.push(column.name.as_str());
        values.push(if column.is_key { key(random) } else { literal(random) });
    }
    if names.is_empty() {
        return None;
    }
    Some(format!("INSERT{or} INTO {table}({}) VALUES ({})", names.join(", "), values.join(", ")))
}

/// A cell of a key; NULL where a table with rowids declares it.
fn key(random: &mut Rng) -> String {
    if random.u8(..6) == 0 { "NULL".to_owned() } else { random.u8(1..9).to_string() }
}

/// Something with the rows of a table.
pub(crate) fn change_rows(random: &mut Rng, catalog: &Catalog) -> Option<String> {
    let (table, columns) = catalog.table(random)?;
    let keys: Vec<&str> =
        columns.iter().filter(|column| column.is_key).map(|column| column.name.as_str()).collect();
    let key = keys.first().copied().unwrap_or("rowid");
    let at = random.u8(1..8);
    let of_one = match random.u8(..8) {
        0 => format!("{key} IS NULL"),
        1 => format!("rowid = {at}"),
        _ => format!("{key} = {at}"),
    };
    match random.u8(..10) {
        0..3 => insert(random, catalog),
        3..7 => {
            let column = writable(random, columns)?;
            Some(format!("UPDATE {table} SET {column} = {} WHERE {of_one}", literal(random)))
        }
        7 => {
            let (one, two) = (writable(random, columns)?, writable(random, columns)?);
            Some(format!("UPDATE {table} SET {one} = {two} WHERE {key} > {at}"))
        }
        8 if random.bool() => {
            Some(format!("UPDATE {table} SET {key} = {key} + 10 WHERE {key} = {at}"))
        }
        _ => Some(format!("DELETE FROM {table} WHERE {of_one}")),
    }
}

/// Something with the definitions.
pub(crate) fn change_schema(random: &mut Rng, catalog: &Catalog) -> Option<String> {
    let (table, columns) = catalog.table(random)?;
    let column = any(random, columns);
    match random.u8(..26) {
        0..3 => {
            let new = pick(random, &COLUMNS);
            let rest = added_column(random, catalog, new);
            Some(format!("ALTER TABLE {table} ADD COLUMN {new} {rest}"))
        }
        3..6 => Some(format!("ALTER TABLE {table} DROP COLUMN {column}")),
        6..10 => {
            let new = pick(random, &COLUMNS);
            Some(format!("ALTER TABLE {table} RENAME COLUMN {column} TO {new}"))
        }
        10..12 => Some(format!("ALTER TABLE {table} RENAME TO {}", pick(random, &TABLES))),
        12 => Some(format!("DROP TABLE {table}")),
        13 => {
            let new = create_table(random, catalog)?;
            let (_, rest) = new.split_once('(')?;
            Some(format!("DROP TABLE {table};;CREATE TABLE {table}({rest}"))
        }
        14 => create_table(random, catalog),
        15..18 => create_text(random, catalog),
        18..20 => {
            let (kind, name) = catalog.texts.get(random.usize(..catalog.texts.len().max(1)))?;
            Some(format!("DROP {kind} {name}"))
        }
        20 => {
            let (kind, name) = catalog.texts.get(random.usize(..catalog.texts.len().max(1)))?;
            let new = text_definition(random, catalog, kind, name)?;
            Some(format!("DROP {kind} {name};;{new}"))
        }
        21 => {
            let name = pick(random, &["", "CONSTRAINT n1", "CONSTRAINT small"]);
            let value = random.u8(..9);
            Some(format!("ALTER TABLE {table} ADD {name} CHECK ({column} <> {value})"))
        }
        24..26 => {
            let name = pick(random, &["n1", "small"]);
            Some(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"))
        }
        22 => Some(format!("ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL")),
        _ => Some(format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")),
    }
}

/// What stands behind the name of a column that is added.
fn added_column(random: &mut Rng, catalog: &Catalog, new: &str) -> String {
    let declared = pick(random, &["", "INT", "TEXT", "REAL"]);
    match random.u8(..8) {
        0..3 => declared.to_owned(),
        3..5 => format!("{declared} DEFAULT {}", random.u8(..5)),
        5 => format!("{declared} NOT NULL DEFAULT 7"),
        6 => format!("{declared} DEFAULT 4 CHECK ({new} <> {})", random.u8(..9)),
        _ => match catalog.table(random) {
            Some((parent, _)) => format!("{declared} REFERENCES {parent}"),
            None => declared.to_owned(),
        },
    }
}
