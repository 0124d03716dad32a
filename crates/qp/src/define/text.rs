//! The text of definitions as the catalog keeps it.
//!
//! As in SQLite: `CREATE`, the kind, then the text from the name on as it was written, without
//! the schema, TEMP and IF NOT EXISTS. Neighbours: `create`.

use crate::span::Span;
use crate::types::Affinity;

/// `CREATE kind` and the text from the name to the end of the statement.
pub(crate) fn definition(kind: &str, name: Span, statement: Span, sql: &str) -> Box<str> {
    let rest = Span::new(name.start, statement.end).of(sql);
    format!("CREATE {kind} {}", rest.trim_end().trim_end_matches(';').trim_end()).into()
}

/// A `CREATE TABLE` for the columns of a query.
pub(super) fn table_of_columns(name: &str, columns: &[(Box<str>, Affinity)]) -> String {
    // As SQLite counts: with quotes, needed or not.
    let length_of = |name: &str| name.len() + name.matches('"').count() + 2;
    let length: usize = columns.iter().map(|(name, _)| length_of(name) + 5).sum();
    let (open, between, close) =
        if length + length_of(name) < 50 { ("(", ",", ")") } else { ("(\n  ", ",\n  ", "\n)") };
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, affinity)| match affinity.type_name() {
            "" => identifier(name),
            declared => format!("{} {declared}", identifier(name)),
        })
        .collect();
    format!("CREATE TABLE {}{open}{}{close}", identifier(name), columns.join(between))
}

/// A name, quoted where it must be.
pub(crate) fn identifier(name: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let plain = name.bytes().all(is_word)
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
        && crate::parse::parse_expression(name).is_ok_and(|expression| {
            matches!(expression.kind, crate::ast::ExpressionKind::Column(_))
        });
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
