//! Dot commands about definitions: `.tables`, `.schema`, `.fullschema`, `.indexes`.
//!
//! They speak of every open database; what is not in `main` has the name of its database before its
//! own, as in sqlite3. Neighbours: `database` has the table of the commands.

use std::io::Write;

use pandodb::Value;

use super::{two_dashes, usage};
use crate::failure::{Failure, Outcome};
use crate::output::definition::indented;
use crate::output::quote::{identifier, literal_of};
use crate::output::width::width;
use crate::shell::Shell;
use crate::terminal::Terminal;

/// Names side by side, as many as fit the screen.
pub(crate) fn write_names(shell: &mut Shell, names: &[String]) -> Outcome {
    let names: Vec<_> = names.iter().map(|name| shell.shown(name)).collect();
    let wide = names.iter().map(|name| width(name)).max().unwrap_or(0) + 2;
    let screen = if shell.terminal.has_output { Terminal::width() } else { 80 };
    let columns = (screen / wide).max(1);
    let rows = names.len().div_ceil(columns);
    for row in 0..rows {
        let mut line = String::new();
        for name in names.iter().skip(row).step_by(rows) {
            let padding = if columns > 1 { wide - width(name) } else { 0 };
            line.push_str(name);
            line.push_str(&" ".repeat(padding));
        }
        writeln!(shell.sink, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The definitions of the open databases as a subquery.
fn objects(shell: &Shell) -> Outcome<String> {
    let databases = shell.query_texts("SELECT name FROM pragma_database_list", &[])?;
    let parts: Vec<String> = databases
        .iter()
        .enumerate()
        .map(|(number, database)| {
            let (name, text) = (identifier(database), literal_of(&Value::from(database.as_str())));
            format!(
                "SELECT {number} AS number, {text} AS database, \
                 iif({number}, {text} || '.', '') || name AS shown, \
                 type, name, tbl_name, sql, rowid AS place FROM {name}.sqlite_schema \
                 WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' OR type = 'index'"
            )
        })
        .collect();
    Ok(format!("({})", parts.join(" UNION ALL ")))
}

/// What the pattern of a command says of a name: GLOB where it has what LIKE has not, and of the
/// name with its database where it has a dot.
fn fits(pattern: &str, name: &str) -> String {
    let (text, operator) = if pattern.contains(['*', '?', '[']) {
        (pattern.to_lowercase(), "GLOB")
    } else {
        (pattern.to_owned(), "LIKE")
    };
    let text = literal_of(&Value::from(text));
    let whole =
        if pattern.contains('.') { format!("database || '.' || {name}") } else { name.to_owned() };
    format!("(lower({whole}) {operator} {text} OR lower({name}) {operator} {text})")
}

/// The pattern of a command that takes one, or none.
fn pattern_of<'w>(name: &str, words: &'w [String]) -> Outcome<&'w str> {
    match words {
        [] => Ok("%"),
        [pattern] => Ok(pattern),
        _ => Err(usage(name)),
    }
}

pub(super) fn tables(shell: &mut Shell, words: &[String]) -> Outcome {
    let pattern = pattern_of("tables", words)?;
    let sql = format!(
        "SELECT shown FROM {} WHERE type IN ('table', 'view') AND {} ORDER BY 1",
        objects(shell)?,
        fits(pattern, "name")
    );
    let names = shell.query_texts(&sql, &[])?;
    write_names(shell, &names)
}

pub(super) fn indexes(shell: &mut Shell, words: &[String]) -> Outcome {
    let pattern = pattern_of("indexes", words)?;
    let sql = format!(
        "SELECT shown FROM {} WHERE type = 'index' AND {} ORDER BY 1",
        objects(shell)?,
        fits(pattern, "tbl_name")
    );
    let names = shell.query_texts(&sql, &[])?;
    write_names(shell, &names)
}

/// The CREATE statements whose object or table fits the pattern.
pub(super) fn schema(shell: &mut Shell, words: &[String]) -> Outcome {
    let (mut is_indented, mut patterns) = (false, Vec::new());
    for word in words {
        match two_dashes(word).as_ref() {
            "--indent" => is_indented = true,
            // What is the system's is not shown anyway.
            "--nosys" => {}
            option if option.starts_with("--") => return Err(usage("schema")),
            pattern => patterns.push(pattern.to_owned()),
        }
    }
    let pattern = pattern_of("schema", &patterns)?;
    let sql = format!(
        "SELECT database, type, sql FROM {} WHERE sql IS NOT NULL AND ({} OR {}) \
         ORDER BY number, CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 2 ELSE 1 END, \
         tbl_name, place",
        objects(shell)?,
        fits(pattern, "name"),
        fits(pattern, "tbl_name")
    );
    let statements = definitions(shell, &sql)?;
    if statements.is_empty() && pattern != "%" {
        if !pattern.contains(['%', '_', '*', '?', '[', '.']) {
            return Err(shell.no_such_table(pattern));
        }
        return Err(Failure::statement(format!("there is no table or view like {pattern}")));
    }
    for statement in statements {
        let statement = if is_indented { indented(&statement) } else { statement };
        let statement = shell.shown(&statement);
        writeln!(shell.sink, "{statement};")?;
    }
    Ok(())
}

/// Statements with the name of their database where it is not `main`.
fn definitions(shell: &Shell, sql: &str) -> Outcome<Vec<String>> {
    let mut statement = shell.connection.prepare(sql)?;
    let mut rows = statement.query(())?;
    let mut definitions = Vec::new();
    while let Some(row) = rows.next()? {
        let (database, kind, sql): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        definitions.push(if database == "main" { sql } else { in_database(&database, &kind, sql) });
    }
    Ok(definitions)
}

/// `CREATE TABLE t(a)` as `CREATE TABLE aux.t(a)`.
fn in_database(database: &str, kind: &str, sql: String) -> String {
    let upper = sql.to_ascii_uppercase();
    match upper.find(&kind.to_ascii_uppercase()) {
        Some(at) => {
            let (begin, end) = sql.split_at(at + kind.len());
            // A keyword, but not where it names a database.
            let name = if database == "temp" { "temp".into() } else { identifier(database) };
            format!("{begin} {name}.{}", end.trim_start())
        }
        None => sql,
    }
}

/// The definitions, and what ANALYZE found: what somebody needs to see the same plans.
pub(super) fn full_schema(shell: &mut Shell, words: &[String]) -> Outcome {
    let is_indent = |word: &String| two_dashes(word) == "--indent";
    if !words.iter().all(is_indent) {
        return Err(usage("fullschema"));
    }
    schema(shell, words)?;
    let sql = "SELECT format('INSERT INTO sqlite_stat1 VALUES(%Q,%Q,%Q);', tbl, idx, stat) \
               FROM sqlite_stat1";
    let statistics = match shell.connection.prepare("SELECT tbl, idx, stat FROM sqlite_stat1") {
        Ok(_) => shell.query_texts(sql, &[])?,
        Err(_) => Vec::new(),
    };
    if statistics.is_empty() {
        return Ok(writeln!(shell.sink, "/* No STAT tables available */")?);
    }
    writeln!(shell.sink, "ANALYZE sqlite_schema;")?;
    for statement in statistics {
        let statement = shell.shown(&statement);
        writeln!(shell.sink, "{statement}")?;
    }
    Ok(writeln!(shell.sink, "ANALYZE sqlite_schema;")?)
}
