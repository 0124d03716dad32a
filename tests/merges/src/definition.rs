//! Random definitions of tables, indexes, views and triggers.
//!
//! Neighbours: `statement` uses them.

use fastrand::Rng;

use crate::statement::{COLUMNS, Catalog, TABLES, any};

/// One of some words.
pub(crate) fn pick<'w>(random: &mut Rng, words: &[&'w str]) -> &'w str {
    words[random.usize(..words.len())]
}

/// A small value, so that rows and branches meet.
pub(crate) fn literal(random: &mut Rng) -> String {
    match random.u8(..12) {
        0 => "NULL".to_owned(),
        1 if random.bool() => {
            let key = pick(random, &["p", "q"]);
            format!("'{{\"{key}\":{},\"r\":[{}]}}'", random.u8(..3), random.u8(..3))
        }
        1 => "'x'".to_owned(),
        2 => "'y'".to_owned(),
        3 => "1.5".to_owned(),
        _ => random.u8(..9).to_string(),
    }
}

/// `CREATE TABLE` under a name that may be taken.
pub(crate) fn create_table(random: &mut Rng, catalog: &Catalog) -> Option<String> {
    let name = pick(random, &TABLES);
    let mut parts: Vec<String> = Vec::new();
    let count = random.usize(2..=4);
    let columns = &COLUMNS[..count];
    let (key, is_without_rowid) = match random.u8(..12) {
        0..4 => (Some("id INTEGER PRIMARY KEY".to_owned()), false),
        4 => (Some("id INTEGER PRIMARY KEY AUTOINCREMENT".to_owned()), false),
        5..7 => (Some("id TEXT PRIMARY KEY".to_owned()), false),
        7..9 => (Some("id INT PRIMARY KEY".to_owned()), true),
        9 => (None, true),
        _ => (None, false),
    };
    parts.extend(key.clone());
    for column in columns {
        parts.push(format!("{column} {}", column_rest(random, catalog, column)));
    }
    // Beside the rowid a part of such a key may be NULL.
    if key.is_none() && (is_without_rowid || random.bool()) {
        parts.push("PRIMARY KEY(a, b)".to_owned());
    }
    match random.u8(..10) {
        0 => parts.push("UNIQUE (a, b)".to_owned()),
        1 => parts.push("CONSTRAINT small CHECK (a < 90)".to_owned()),
        2 => parts.push(format!("CHECK (a <> {} OR b IS NULL)", random.u8(..9))),
        3 => {
            let (parent, _) = catalog.table(random)?;
            parts.push(format!("FOREIGN KEY (b) REFERENCES {parent}"));
        }
        _ => {}
    }
    let rest = if is_without_rowid { " WITHOUT ROWID" } else { "" };
    Some(format!("CREATE TABLE {name}({}){rest}", parts.join(", ")))
}

fn column_rest(random: &mut Rng, catalog: &Catalog, column: &str) -> String {
    let declared = pick(random, &["", "INT", "INT", "TEXT", "REAL", "JSON"]);
    let other = if column == "a" { "b" } else { "a" };
    let rest = match random.u8(..24) {
        0..2 => "UNIQUE".to_owned(),
        2 => "NOT NULL DEFAULT 0".to_owned(),
        3 => format!("CONSTRAINT n1 CHECK ({column} <> {})", random.u8(..9)),
        4 => format!("DEFAULT {}", random.u8(..5)),
        5..7 => match catalog.table(random) {
            Some((parent, _)) => format!("REFERENCES {parent}"),
            None => String::new(),
        },
        7 if column != "a" => {
            let kind = pick(random, &["STORED", "VIRTUAL"]);
            format!("AS ({other} + 1) {kind}")
        }
        8 => "COLLATE NOCASE".to_owned(),
        _ => String::new(),
    };
    format!("{declared} {rest}")
}

/// An index, a view or a trigger.
pub(crate) fn create_text(random: &mut Rng, catalog: &Catalog) -> Option<String> {
    let (kind, names) = [
        ("index", ["i1", "i2", "i3"]),
        ("view", ["v1", "v2", "v3"]),
        ("trigger", ["r1", "r2", "r3"]),
    ][random.usize(..3)];
    let name = pick(random, &names);
    text_definition(random, catalog, kind, name)
}

/// The definition of one.
pub(crate) fn text_definition(
    random: &mut Rng,
    catalog: &Catalog,
    kind: &str,
    name: &str,
) -> Option<String> {
    let (table, columns) = catalog.table(random)?;
    let (one, two) = (any(random, columns), any(random, columns));
    match kind {
        "index" => Some(match random.u8(..5) {
            0 => format!("CREATE UNIQUE INDEX {name} ON {table}({one})"),
            1 => format!("CREATE INDEX {name} ON {table}({one}, {two} DESC)"),
            2 => format!("CREATE INDEX {name} ON {table}({one}) WHERE {two} > 2"),
            3 => format!("CREATE INDEX {name} ON {table}({one} || 'x')"),
            _ => format!("CREATE INDEX {name} ON {table}({one})"),
        }),
        "view" => {
            let (other, others) = catalog.table(random)?;
            let third = any(random, others);
            let views = catalog.views();
            Some(match random.u8(..5) {
                0 => format!("CREATE VIEW {name} AS SELECT * FROM {table}"),
                1 => format!("CREATE VIEW {name}(p, q) AS SELECT {one}, {two} FROM {table}"),
                2 => format!(
                    "CREATE VIEW {name} AS SELECT l.{one} AS p, r.{third} AS q FROM {table} AS l \
                     JOIN {other} AS r ON l.{two} = r.{third}"
                ),
                3 if !views.is_empty() => {
                    let below = views[random.usize(..views.len())];
                    format!("CREATE VIEW {name} AS SELECT count(*) AS p FROM {below}")
                }
                _ => format!("CREATE VIEW {name} AS SELECT {one} FROM {table} WHERE {two} > 1"),
            })
        }
        _ => {
            let (other, others) = catalog.table(random)?;
            let into = any(random, others);
            let views = catalog.views();
            if !views.is_empty() && random.u8(..4) == 0 {
                let view = views[random.usize(..views.len())];
                return Some(format!(
                    "CREATE TRIGGER {name} INSTEAD OF DELETE ON {view} BEGIN \
                     DELETE FROM {other} WHERE {into} = 1; END"
                ));
            }
            Some(match random.u8(..4) {
                0 => format!(
                    "CREATE TRIGGER {name} AFTER DELETE ON {table} BEGIN \
                     UPDATE {other} SET {into} = OLD.{one}; END"
                ),
                1 => format!(
                    "CREATE TRIGGER {name} AFTER UPDATE OF {one} ON {table} BEGIN \
                     SELECT {into} FROM {other}; END"
                ),
                2 => format!(
                    "CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN NEW.{one} > 7 BEGIN \
                     DELETE FROM {other} WHERE {into} = NEW.{two}; END"
                ),
                _ => format!(
                    "CREATE TRIGGER {name} AFTER INSERT ON {table} BEGIN SELECT NEW.{two}; END"
                ),
            })
        }
    }
}
