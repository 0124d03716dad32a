//! The text of CREATE TABLE, cut into columns and constraints.
//!
//! By tokens, not by the grammar: the text is one that the database has accepted. Neighbours:
//! `rows` writes statements for rows.

use crate::language::{self, Kind};

/// Whether a text has a word outside of strings and comments.
pub(in crate::verb) fn has_word(sql: &str, word: &str) -> bool {
    language::tokens(sql).into_iter().any(|token| {
        let text = &sql[token.range.clone()];
        match token.kind {
            Kind::Word | Kind::Keyword => text.eq_ignore_ascii_case(word),
            Kind::Quoted => unquoted(text).eq_ignore_ascii_case(word),
            _ => false,
        }
    })
}

/// Whether two texts are the same but for blanks, comments, quotes around names, and case.
pub(super) fn is_same(left: &str, right: &str) -> bool {
    let words = |sql: &str| -> Vec<String> {
        let tokens = language::tokens(sql).into_iter();
        let tokens = tokens.filter(|it| !matches!(it.kind, Kind::Space | Kind::Comment));
        let word = |token: language::Token| {
            let text = &sql[token.range];
            match token.kind {
                Kind::String => text.to_owned(),
                Kind::Quoted => unquoted(text).to_ascii_lowercase(),
                _ => text.to_ascii_lowercase(),
            }
        };
        tokens.map(word).collect()
    };
    words(left) == words(right)
}

/// Whether ADD COLUMN takes a column with this definition, whatever rows there are.
pub(super) fn can_be_added(definition: &str) -> bool {
    let tokens = language::tokens(definition).into_iter();
    let mut words = tokens
        .filter(|it| !matches!(it.kind, Kind::Space | Kind::Comment | Kind::Quoted | Kind::String))
        .map(|token| definition[token.range].to_ascii_uppercase())
        .peekable();
    let (mut is_refused, mut is_bound, mut has_default) = (false, false, false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "PRIMARY" | "UNIQUE" | "CHECK" | "STORED" => is_refused = true,
            "NOT" | "REFERENCES" => is_bound = true,
            "DEFAULT" => {
                has_default = true;
                // What is computed, and NULL, is no value of rows that are there.
                let is_none =
                    |word: &String| word == "(" || word == "NULL" || word.starts_with("CURRENT_");
                is_refused |= words.peek().is_some_and(is_none);
            }
            _ => {}
        }
    }
    !is_refused && (!is_bound || has_default == has_word(definition, "NOT"))
}

fn unquoted(text: &str) -> String {
    let mut inner = text.chars();
    let quote = inner.next();
    inner.next_back();
    let inner = inner.as_str();
    match quote {
        Some('"') => inner.replace("\"\"", "\""),
        Some('`') => inner.replace("``", "`"),
        _ => inner.to_owned(),
    }
}

/// The parts between the outer parentheses of CREATE TABLE, cut at the commas between them.
pub(in crate::verb) fn parts(sql: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut start = None;
    let mut parts = Vec::new();
    for token in language::tokens(sql) {
        if token.kind != Kind::Mark {
            continue;
        }
        for (at, mark) in sql[token.range.clone()].char_indices() {
            let at = token.range.start + at;
            match mark {
                '(' => {
                    depth += 1;
                    if depth == 1 {
                        start = Some(at + 1);
                    }
                }
                ')' => {
                    depth -= 1;
                    if depth == 0 {
                        parts.extend(start.take().map(|start| &sql[start..at]));
                        return parts;
                    }
                }
                ',' if depth == 1 => {
                    parts.extend(start.map(|start| &sql[start..at]));
                    start = Some(at + 1);
                }
                _ => {}
            }
        }
    }
    parts
}

/// The name that a part begins with, if it is a column and no constraint.
fn column_name(part: &str) -> Option<String> {
    let first = language::tokens(part)
        .into_iter()
        .find(|token| !matches!(token.kind, Kind::Space | Kind::Comment))?;
    let text = &part[first.range];
    let constraints = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    match first.kind {
        Kind::Quoted | Kind::String => Some(unquoted(text)),
        _ if constraints.iter().any(|word| text.eq_ignore_ascii_case(word)) => None,
        _ => Some(text.to_owned()),
    }
}

pub(super) fn column_names(sql: &str) -> Vec<String> {
    parts(sql).into_iter().filter_map(column_name).collect()
}

/// The text that defines a column.
pub(super) fn column_definition(sql: &str, column: &str) -> Option<String> {
    let part = parts(sql)
        .into_iter()
        .find(|part| column_name(part).is_some_and(|name| name.eq_ignore_ascii_case(column)))?;
    Some(part.trim().to_owned())
}

/// What begins a constraint of a column, behind its type.
const CONSTRAINTS: [&str; 10] = [
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
];

/// The type in the definition of a column; none where it has none.
pub(super) fn column_type(definition: &str) -> Option<&str> {
    let tokens = language::tokens(definition).into_iter();
    let mut tokens = tokens.filter(|it| !matches!(it.kind, Kind::Space | Kind::Comment));
    let start = tokens.next()?.range.end;
    let is_constraint = |token: &language::Token| {
        let text = &definition[token.range.clone()];
        let mut words = CONSTRAINTS.iter().chain(&["AS"]);
        token.kind != Kind::Quoted && words.any(|word| text.eq_ignore_ascii_case(word))
    };
    let end = tokens.find(is_constraint).map_or(definition.len(), |token| token.range.start);
    let declared = definition.get(start..end)?.trim();
    (!declared.is_empty()).then_some(declared)
}

/// The default in the definition of a column, as it stands behind DEFAULT.
pub(super) fn column_default(definition: &str) -> Option<&str> {
    let mut tokens = language::tokens(definition).into_iter();
    let is_word = |token: &language::Token| {
        token.kind != Kind::Quoted
            && token.kind != Kind::String
            && definition[token.range.clone()].eq_ignore_ascii_case("DEFAULT")
    };
    let start = tokens.find(is_word)?.range.end;
    let mut depth = 0;
    for token in tokens.filter(|it| !matches!(it.kind, Kind::Space | Kind::Comment)) {
        let text = &definition[token.range.clone()];
        if token.kind == Kind::Mark {
            for (at, mark) in text.char_indices() {
                depth += i32::from(mark == '(') - i32::from(mark == ')');
                if mark == ')' && depth <= 0 {
                    return definition.get(start..=token.range.start + at).map(str::trim);
                }
            }
        } else if depth == 0 && !text.eq_ignore_ascii_case("x") {
            return definition.get(start..token.range.end).map(str::trim);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_cut_at_the_commas_between_columns() {
        let sql = "CREATE TABLE t(a INT DEFAULT (max(1, 2)), \"b,c\" TEXT CHECK (\"b,c\" <> ','), \
                   -- one, two\n d, PRIMARY KEY (a, d)) WITHOUT ROWID";
        assert_eq!(column_names(sql), ["a", "b,c", "d"]);
        assert_eq!(
            column_definition(sql, "B,C").as_deref(),
            Some("\"b,c\" TEXT CHECK (\"b,c\" <> ',')")
        );
        assert!(has_word(sql, "without") && !has_word(sql, "two"));
    }

    #[test]
    fn texts_are_the_same_whatever_stands_between_their_words() {
        assert!(is_same("CREATE TABLE t(a, [b])", "create table \"t\" (A,/* b */ b)"));
        assert!(!is_same("CREATE TABLE t(a DEFAULT 'x')", "CREATE TABLE t(a DEFAULT 'X')"));
    }

    #[test]
    fn a_column_is_cut_into_its_type_and_its_default() {
        for (definition, declared, default) in [
            ("a", None, None),
            ("a INT", Some("INT"), None),
            ("\"not null\" NUMERIC(9, 2) NOT NULL", Some("NUMERIC(9, 2)"), None),
            (
                "a DOUBLE PRECISION DEFAULT -2.5 CHECK (a < 3)",
                Some("DOUBLE PRECISION"),
                Some("-2.5"),
            ),
            ("a DEFAULT 'it''s, (' UNIQUE", None, Some("'it''s, ('")),
            ("a TEXT DEFAULT (lower('X') || ')')", Some("TEXT"), Some("(lower('X') || ')')")),
            ("a BLOB DEFAULT x'00ff'", Some("BLOB"), Some("x'00ff'")),
            ("a INT AS (b + 1)", Some("INT"), None),
            ("a TEXT DEFAULT CURRENT_DATE COLLATE NOCASE", Some("TEXT"), Some("CURRENT_DATE")),
            ("a TEXT CHECK (a <> 'DEFAULT 1')", Some("TEXT"), None),
        ] {
            assert_eq!(column_type(definition), declared, "{definition}");
            assert_eq!(column_default(definition), default, "{definition}");
        }
    }

    #[test]
    fn columns_are_added_that_rows_can_do_without() {
        for taken in [
            "a",
            "a NUMERIC(9, 2) DEFAULT 'now (or never)'",
            "a INT NOT NULL DEFAULT 3",
            "\"check\" REFERENCES p(id)",
            "a AS (b + 1)",
        ] {
            assert!(can_be_added(taken), "{taken}");
        }
        for refused in [
            "a NOT NULL",
            "a NOT NULL DEFAULT NULL",
            "a UNIQUE",
            "a DEFAULT (random())",
            "a DEFAULT CURRENT_DATE",
            "a CHECK (a > 0)",
            "a DEFAULT 1 REFERENCES p(id)",
            "a AS (b + 1) STORED",
        ] {
            assert!(!can_be_added(refused), "{refused}");
        }
    }
}
