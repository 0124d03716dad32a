//! `pando table copy`: a table like another one, with its keys, constraints and indexes.
//!
//! Definitions are taken as texts and names in them exchanged, so that whatever a definition says
//! comes along. Triggers stay behind: what a table does to others is not what it is. Neighbours:
//! `create`.

use std::ops::Range;

use crate::failure::Outcome;
use crate::language::{Kind, Token, tokens};
use crate::output::quote::identifier;
use crate::shell::{Shell, columns_of};

/// Makes `target` like `source`, all of it or nothing.
pub(super) fn copy(shell: &mut Shell, source: &str, target: &str, with_data: bool) -> Outcome {
    if shell.columns_of(source)?.is_empty() {
        return Err(shell.no_such_table(source));
    }
    shell.execute("BEGIN")?;
    let outcome = copy_within(shell, source, target, with_data);
    shell.execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    outcome?;
    shell.say(format_args!("Copied table: {source} to {target}"))
}

fn copy_within(shell: &Shell, source: &str, target: &str, with_data: bool) -> Outcome {
    let definition = "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND sql IS NOT NULL \
                      AND lower(name) = lower(?1) AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
    let definition = shell.query_texts(definition, &[source.into()])?;
    let (from, to) = (identifier(source), identifier(target));
    let Some(definition) = definition.first() else {
        // A view, or a table of the engine's own.
        let condition = if with_data { "" } else { " WHERE false" };
        return shell.execute(&format!("CREATE TABLE {to} AS SELECT * FROM {from}{condition}"));
    };
    shell.execute(&with_names(definition, source, target, None))?;
    if with_data {
        let columns = columns_of(&shell.connection, None, source)?;
        let written = columns.iter().filter(|column| !column.is_computed);
        let names: Vec<_> = written.map(|column| identifier(&column.name)).collect();
        let names = names.join(", ");
        shell.execute(&format!("INSERT INTO {to}({names}) SELECT {names} FROM {from}"))?;
    }
    let indexes = "SELECT name, sql FROM main.sqlite_schema WHERE type = 'index' \
                   AND sql IS NOT NULL AND lower(tbl_name) = lower(?1) ORDER BY rowid";
    let mut statement = shell.connection.prepare(indexes)?;
    let rows = statement
        .query_map([source], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let indexes: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
    for (index, sql) in indexes {
        let name = free_name(shell, &index_name(&index, source, target))?;
        shell.execute(&with_names(&sql, source, target, Some(&name)))?;
    }
    Ok(())
}

/// What an index of the copy is called: as the first one, with the other table's name.
fn index_name(index: &str, source: &str, target: &str) -> String {
    let at = index.to_ascii_lowercase().find(&source.to_ascii_lowercase());
    match at {
        Some(at) => format!("{}{target}{}", &index[..at], &index[at + source.len()..]),
        None => format!("{target}_{index}"),
    }
}

/// The name, with a number where there is something of that name.
fn free_name(shell: &Shell, name: &str) -> Outcome<String> {
    let sql = "SELECT name FROM main.sqlite_schema WHERE lower(name) = lower(?1)";
    let mut free = name.to_owned();
    let mut number = 1;
    while !shell.query_texts(sql, &[free.as_str().into()])?.is_empty() {
        number += 1;
        free = format!("{name}_{number}");
    }
    Ok(free)
}

/// A definition of a table, or of an index that then gets a name of its own, for another table.
fn with_names(sql: &str, source: &str, target: &str, index: Option<&str>) -> String {
    let words: Vec<Token> = tokens(sql)
        .into_iter()
        .filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment))
        .collect();
    let text = |at: usize| words.get(at).map_or("", |token| &sql[token.range.clone()]);
    let is = |at: usize, word: &str| text(at).eq_ignore_ascii_case(word);
    let behind = |word: &str| (0..words.len()).find(|at| is(*at, word)).map_or(0, |at| at + 1);
    let mut named = behind(if index.is_some() { "INDEX" } else { "TABLE" });
    if is(named, "IF") {
        named += 3;
    }
    // The table of an index comes behind ON.
    let table = if index.is_some() { named + 2 } else { named };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (at, token) in words.iter().enumerate() {
        let is_name = matches!(token.kind, Kind::Word | Kind::Keyword | Kind::Quoted)
            && unquoted(text(at)).eq_ignore_ascii_case(source);
        let is_of_table = at > 0 && is(at - 1, "REFERENCES") || is(at + 1, ".");
        if at == named
            && let Some(index) = index
        {
            edits.push((token.range.clone(), identifier(index).into_owned()));
        } else if at == table || is_name && is_of_table {
            edits.push((token.range.clone(), identifier(target).into_owned()));
        }
    }
    let mut changed = sql.to_owned();
    for (range, name) in edits.into_iter().rev() {
        changed.replace_range(range, &name);
    }
    changed
}

fn unquoted(name: &str) -> String {
    let inner = |open, close| name.strip_prefix(open).and_then(|it| it.strip_suffix(close));
    if let Some(inner) = inner('"', '"') {
        return inner.replace("\"\"", "\"");
    }
    inner('`', '`').or_else(|| inner('[', ']')).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_table_are_exchanged_and_no_others() {
        for (sql, index, expected) in [
            (
                "CREATE TABLE tree (tree TEXT, up REFERENCES \"Tree\"(id), \
                 CHECK (tree.up <> 'tree'))",
                None,
                "CREATE TABLE wood (tree TEXT, up REFERENCES wood(id), CHECK (wood.up <> 'tree'))",
            ),
            (
                "CREATE UNIQUE INDEX tree_up ON tree(up) WHERE tree > 0",
                Some("wood_up"),
                "CREATE UNIQUE INDEX wood_up ON wood(up) WHERE tree > 0",
            ),
            ("CREATE TABLE 'tree'(a)", None, "CREATE TABLE wood(a)"),
        ] {
            assert_eq!(with_names(sql, "tree", "wood", index), expected);
        }
        assert_eq!(index_name("by_Tree_name", "tree", "wood"), "by_wood_name");
        assert_eq!(index_name("name", "tree", "wood"), "wood_name");
    }
}
