//! Verbs about tables and rows.
//!
//! `create` reads columns, `copy` copies tables. Neighbours: `transfer` has files, `branches`
//! branches.

mod copy;
mod create;

use std::io::Write;

use pandodb::Value;

use crate::arguments::TableAction;
use crate::failure::{Failure, Outcome};
use crate::output::quote::identifier;
use crate::shell::{Shell, command_of};
use crate::transfer::{self, Format};

/// A file of statements, or statements themselves.
pub(super) fn execute(shell: &mut Shell, words: &[String]) -> Outcome {
    let text = words.join(" ");
    if text.trim().is_empty() {
        return Err(Failure::usage("usage: pando execute FILE|SQL"));
    }
    let path = std::path::Path::new(&text);
    // No statement is one word that ends so: a file is meant, also where it is not there.
    let is_script = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("sql"))
        && !text.contains([' ', ';', '(']);
    if words.len() == 1 && (path.is_file() || is_script) {
        shell.switches.bail = true;
        return shell.run_file(&text);
    }
    if let Some(command) = command_of(&text) {
        return crate::dot::run(shell, command);
    }
    shell.run_sql(&text, None)
}

/// A query, or the rows of the only table that a condition fits.
pub(super) fn query(shell: &mut Shell, words: &[String]) -> Outcome {
    let text = words.join(" ");
    let begins = |word: &str| {
        text.trim_start().get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if ["SELECT", "WITH", "VALUES", "PRAGMA", "SHOW", "EXPLAIN", "SUMMARIZE"]
        .iter()
        .any(|w| begins(w))
    {
        return shell.run_sql(&text, None);
    }
    let tables = names(shell)?;
    let (table, condition) = match text.trim().split_once(char::is_whitespace) {
        Some((first, rest)) if tables.iter().any(|name| name.eq_ignore_ascii_case(first)) => {
            (first.to_owned(), rest.trim().to_owned())
        }
        _ if tables.iter().any(|name| name.eq_ignore_ascii_case(text.trim())) => {
            (text.trim().to_owned(), String::new())
        }
        _ => match tables.as_slice() {
            [only] => (only.clone(), text.clone()),
            _ => {
                return Err(Failure::usage("which table? the condition does not say")
                    .with_hint("pando query TABLE \"WHERE ...\""));
            }
        },
    };
    let clause = condition.trim();
    let has_where = clause.is_empty()
        || ["WHERE", "ORDER", "LIMIT", "GROUP"].iter().any(|word| {
            clause.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
        });
    let word = if has_where { "" } else { "WHERE " };
    shell.run_sql(&format!("SELECT * FROM {} {word}{clause}", identifier(&table)), None)
}

fn names(shell: &Shell) -> Outcome<Vec<String>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' \
               AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name";
    shell.query_texts(sql, &[])
}

/// The column that a table has from the beginning.
const ID_COLUMN: &str = "id";

/// Adds an object, or an array of objects, to a table. One that `pando table create` made, and that
/// nobody gave a column yet, gets those of the objects.
pub(super) fn add(shell: &mut Shell, table: &str, json: &str) -> Outcome {
    let mut parts = Vec::new();
    let text = json.trim();
    if text.starts_with('[') {
        let values: Vec<serde_json::Value> = serde_json::from_str(text)
            .map_err(|error| Failure::usage(format!("not JSON: {error}")))?;
        for value in values {
            parts.push(transfer::object(&value.to_string())?);
        }
    } else {
        parts.push(transfer::object(text)?);
    }
    shell.execute("BEGIN")?;
    let outcome = insert_all(shell, table, &parts);
    shell.execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    let last = outcome?;
    shell.say(format_args!("Added {} row(s) to {table} (last id {last})", parts.len()))
}

fn insert_all(
    shell: &mut Shell,
    table: &str,
    objects: &[Vec<(String, transfer::Json)>],
) -> Outcome<i64> {
    let sql = "SELECT lower(name) FROM pragma_table_xinfo(?1)";
    if shell.query_texts(sql, &[table.into()])? == [ID_COLUMN] {
        add_columns(shell, table, objects)?;
    }
    for object in objects {
        let names: Vec<_> = object.iter().map(|(name, _)| identifier(name)).collect();
        let values: Vec<Value> = object.iter().map(|(_, value)| value.to_value()).collect();
        let target = identifier(table);
        let sql = if object.is_empty() {
            format!("INSERT INTO {target} DEFAULT VALUES")
        } else {
            let marks = vec!["?"; names.len()].join(", ");
            format!("INSERT INTO {target} ({}) VALUES ({marks})", names.join(", "))
        };
        shell.connection.execute(&sql, &values)?;
    }
    Ok(shell.connection.last_insert_rowid())
}

/// Gives a table that has its number only the columns of objects, typed by their first values.
fn add_columns(
    shell: &mut Shell,
    table: &str,
    objects: &[Vec<(String, transfer::Json)>],
) -> Outcome {
    let mut known = vec![ID_COLUMN.to_owned()];
    for (name, value) in objects.iter().flatten() {
        if known.contains(&name.to_lowercase()) {
            continue;
        }
        let kind = match value.to_value() {
            Value::Integer(_) => " INTEGER",
            Value::Real(_) => " REAL",
            Value::Text(_) => " TEXT",
            _ => "",
        };
        let sql =
            format!("ALTER TABLE {} ADD COLUMN {}{kind}", identifier(table), identifier(name));
        shell.execute(&sql)?;
        known.push(name.to_lowercase());
        shell.say(format_args!("Added column: {table}.{name}"))?;
    }
    Ok(())
}

/// Does what `pando table` says.
pub(super) fn run(shell: &mut Shell, action: &TableAction) -> Outcome {
    let run = |shell: &mut Shell, sql: String, done: String| {
        shell.execute(&sql)?;
        shell.say(done)
    };
    match action {
        TableAction::Create { name, columns } => run(
            shell,
            format!("CREATE TABLE {} ({})", identifier(name), create::columns(columns)?),
            format!("Created table: {name}"),
        ),
        TableAction::List if shell.is_for_programs() => {
            let rows: Vec<Vec<Value>> =
                names(shell)?.into_iter().map(|it| vec![it.into()]).collect();
            shell.show_values(&["name"], &rows)
        }
        TableAction::List => {
            for name in names(shell)? {
                let name = shell.shown(&name);
                writeln!(shell.sink, "{name}")?;
            }
            Ok(())
        }
        TableAction::Show { name } if shell.is_for_programs() => {
            let sql = "SELECT type, name, sql FROM sqlite_schema \
                       WHERE lower(tbl_name) = lower(?1) ORDER BY type <> 'table', rowid";
            if shell.columns_of(name)?.is_empty() {
                return Err(shell.no_such_table(name));
            }
            shell.show_query(sql, &[name.as_str().into()])
        }
        TableAction::Show { name } if shell.columns_of(name)?.is_empty() => {
            Err(shell.no_such_table(name))
        }
        TableAction::Show { name } => {
            crate::dot::run(shell, &format!("schema '{}'", name.replace('\'', "''")))
        }
        TableAction::Export { name } => transfer::export(shell, "-", name, Some(Format::Csv)),
        TableAction::Copy { source, target, with_data } => {
            copy::copy(shell, source, target, *with_data)
        }
        TableAction::Rename { old, new } => run(
            shell,
            format!("ALTER TABLE {} RENAME TO {}", identifier(old), identifier(new)),
            format!("Renamed table: {old} to {new}"),
        ),
        TableAction::Delete { name } => {
            run(shell, format!("DROP TABLE {}", identifier(name)), format!("Deleted table: {name}"))
        }
        TableAction::Add { table, name, r#type, .. } => run(
            shell,
            format!("ALTER TABLE {} ADD COLUMN {} {type}", identifier(table), identifier(name)),
            format!("Added column: {table}.{name}"),
        ),
        TableAction::RenameColumn { table, old, new } => run(
            shell,
            format!(
                "ALTER TABLE {} RENAME COLUMN {} TO {}",
                identifier(table),
                identifier(old),
                identifier(new)
            ),
            format!("Renamed column: {table}.{old} to {new}"),
        ),
        TableAction::DeleteColumn { table, name } => run(
            shell,
            format!("ALTER TABLE {} DROP COLUMN {}", identifier(table), identifier(name)),
            format!("Deleted column: {table}.{name}"),
        ),
    }
}
