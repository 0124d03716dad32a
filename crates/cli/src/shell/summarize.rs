//! `SUMMARIZE table` and `SUMMARIZE query`, which duckdb's users type: a row of facts for each
//! column.
//!
//! It is no statement of the engine but a query of this program. Neighbours: `statement` asks here
//! before it prepares.

use crate::failure::{Failure, Outcome};
use crate::language::{self, Kind};
use crate::output::quote::{literal, quoted_identifier};
use crate::shell::Shell;

/// The query that answers a statement, if it begins with SUMMARIZE, and how long the statement is.
pub(super) fn query(shell: &Shell, text: &str) -> Outcome<Option<(String, usize)>> {
    // Asked for each statement of a text, so that only the first word of the rest may be looked at.
    if !first_word(text).eq_ignore_ascii_case("SUMMARIZE") {
        return Ok(None);
    }
    let tokens = language::tokens(text);
    let mut words =
        tokens.iter().filter(|token| !matches!(token.kind, Kind::Space | Kind::Comment));
    let Some(first) = words.next() else { return Ok(None) };
    let end = tokens.iter().find(|token| token.kind == Kind::Semicolon);
    let (end, behind) = end.map_or((text.len(), text.len()), |it| (it.range.start, it.range.end));
    let rest = text[first.range.end..end].trim();
    if rest.is_empty() {
        return Err(Failure::statement("SUMMARIZE what?")
            .with_hint("SUMMARIZE table, or SUMMARIZE SELECT ..."));
    }
    let is_query = ["SELECT", "WITH", "VALUES"]
        .iter()
        .any(|word| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
    let from = if is_query { format!("({rest})") } else { rest.to_owned() };
    let statement = shell.connection.prepare(&format!("SELECT * FROM {from} LIMIT 0"))?;
    let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let parts: Vec<String> = columns.iter().map(|column| of_column(column)).collect();
    let query = format!("WITH pando_summary AS ({}) {}", select(&from), parts.join(" UNION ALL "));
    Ok(Some((query, behind)))
}

/// The word that a text begins with, behind blanks and comments; nothing where it is another thing.
fn first_word(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let behind = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n')
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/")
        } else {
            break;
        };
        let Some((_, behind)) = behind else { return "" };
        rest = behind;
    }
    let end = rest.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(rest.len());
    &rest[..end]
}

fn select(from: &str) -> String {
    format!("SELECT * FROM {from}")
}

/// The facts of one column.
fn of_column(column: &str) -> String {
    let name = literal(pandodb::ValueRef::Text(column.as_bytes()));
    let column = quoted_identifier(column);
    let is_number = format!("typeof({column}) IN ('integer', 'real')");
    format!(
        "SELECT {name} AS column_name, \
         (SELECT group_concat(kind, ', ') FROM (SELECT DISTINCT typeof({column}) AS kind \
          FROM pando_summary WHERE {column} IS NOT NULL ORDER BY 1)) AS types, \
         min({column}) AS min, max({column}) AS max, \
         count(DISTINCT {column}) AS \"unique\", \
         avg({column}) FILTER (WHERE {is_number}) AS avg, \
         count({column}) AS count, \
         count(*) - count({column}) AS nulls FROM pando_summary"
    )
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn the_first_word_stands_behind_blanks_and_comments() {
        for (text, expected) in [
            ("summarize t", "summarize"),
            (" -- SUMMARIZE t\n /* ; */SUMMARIZE(t)", "SUMMARIZE"),
            ("'SUMMARIZE'", ""),
            ("-- SUMMARIZE", ""),
            ("/* SUMMARIZE", ""),
            ("; SUMMARIZE t", ""),
        ] {
            assert_eq!(first_word(text), expected, "{text}");
        }
    }
}
