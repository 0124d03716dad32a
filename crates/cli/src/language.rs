//! SQL as the shell sees it while it is typed: words, strings, comments, and where it ends.
//!
//! The real parser refuses text that is not finished; colouring and completion need tokens of
//! any text, so this is a scanner of its own that never fails. Whether a statement is complete is
//! the library's to say. Neighbours: `shell::highlight`,
//! `shell::complete`, `script`.

use std::ops::Range;

/// What a token is, as far as colours and completion care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word of SQL.
    Keyword,
    /// Any other word.
    Word,
    /// A number.
    Number,
    /// A string or blob literal; also one that is not finished.
    String,
    /// A name in quotes or brackets; also one that is not finished.
    Quoted,
    /// A comment.
    Comment,
    /// A parameter.
    Variable,
    /// A semicolon.
    Semicolon,
    /// Any other mark.
    Mark,
    /// Blanks and line ends.
    Space,
}

/// A token and whether it was cut off by the end of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
    pub(crate) is_open: bool,
}

/// The words that statements begin with.
pub(crate) const STATEMENTS: &[&str] = &[
    "ALTER",
    "ANALYZE",
    "APPLY",
    "ATTACH",
    "BACKUP",
    "BEGIN",
    "CHERRY",
    "COMMIT",
    "CREATE",
    "DELETE",
    "DETACH",
    "DROP",
    "END",
    "EXPLAIN",
    "GRANT",
    "INSERT",
    "MERGE",
    "PRAGMA",
    "PREVIEW",
    "REINDEX",
    "RELEASE",
    "RENAME",
    "REPLACE",
    "RESET",
    "RESTORE",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SHOW",
    "TAG",
    "UNDO",
    "UPDATE",
    "USE",
    "VACUUM",
    "VALUES",
    "WITH",
];

/// The keywords, in alphabetical order.
pub(crate) const KEYWORDS: &[&str] = &[
    "ABORT",
    "ACTION",
    "ADD",
    "AFTER",
    "ALL",
    "ALTER",
    "ALWAYS",
    "ANALYZE",
    "AND",
    "APPLY",
    "AS",
    "ASC",
    "ATTACH",
    "AUTOINCREMENT",
    "BACKUP",
    "BEFORE",
    "BEGIN",
    "BETWEEN",
    "BRANCH",
    "BRANCHES",
    "BY",
    "CASCADE",
    "CASE",
    "CAST",
    "CHECK",
    "CHERRY",
    "COLLATE",
    "COLUMN",
    "COMMIT",
    "COMMITS",
    "CONCURRENT",
    "CONFLICT",
    "CONFLICTS",
    "CONSTRAINT",
    "CONTINUE",
    "CREATE",
    "CROSS",
    "CURRENT",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DATABASE",
    "DEFAULT",
    "DEFERRABLE",
    "DEFERRED",
    "DELETE",
    "DESC",
    "DETACH",
    "DIFF",
    "DISTINCT",
    "DO",
    "DROP",
    "EACH",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXCLUDE",
    "EXCLUSIVE",
    "EXISTS",
    "EXPLAIN",
    "FAIL",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FOR",
    "FOREIGN",
    "FROM",
    "FULL",
    "GENERATED",
    "GLOB",
    "GRANT",
    "GROUP",
    "GROUPS",
    "HAVING",
    "IF",
    "IGNORE",
    "IMMEDIATE",
    "IN",
    "INCREMENTAL",
    "INDEX",
    "INDEXED",
    "INITIALLY",
    "INNER",
    "INSERT",
    "INSTEAD",
    "INTERSECT",
    "INTO",
    "IS",
    "ISNULL",
    "ISOLATION",
    "JOIN",
    "KEY",
    "LAST",
    "LEFT",
    "LEVEL",
    "LIKE",
    "LIMIT",
    "MATCH",
    "MATERIALIZED",
    "MERGE",
    "NATURAL",
    "NO",
    "NOT",
    "NOTHING",
    "NOTNULL",
    "NOW",
    "NULL",
    "NULLS",
    "OF",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OTHERS",
    "OUTER",
    "OVER",
    "PARTITION",
    "PLAN",
    "PRAGMA",
    "PRECEDING",
    "PREVIEW",
    "PRIMARY",
    "QUERY",
    "RAISE",
    "RANGE",
    "RECURSIVE",
    "REFERENCES",
    "REGEXP",
    "REINDEX",
    "RELEASE",
    "RENAME",
    "REPLACE",
    "RESET",
    "RESOLVE",
    "RESTORE",
    "RESTRICT",
    "RETURNING",
    "REVOKE",
    "RIGHT",
    "ROLLBACK",
    "ROW",
    "ROWS",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "SHOW",
    "STRICT",
    "SUMMARIZE",
    "TABLE",
    "TAG",
    "TEMP",
    "TEMPORARY",
    "THEN",
    "TIES",
    "TIMESTAMP",
    "TO",
    "TRANSACTION",
    "TRIGGER",
    "UNBOUNDED",
    "UNDO",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USE",
    "USING",
    "VACUUM",
    "VALUES",
    "VIEW",
    "VIRTUAL",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHOUT",
];

/// Whether a word is a keyword, in any case.
pub(crate) fn is_keyword(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    KEYWORDS.binary_search(&upper.as_str()).is_ok()
}

/// The tokens of a text; together they cover all of it.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let token = token_at(text, at);
        at = token.range.end;
        found.push(token);
    }
    found
}

fn token_at(text: &str, start: usize) -> Token {
    let bytes = text.as_bytes();
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let closed = |kind, end| Token { kind, range: start..end, is_open: false };
    match byte(start) {
        b' ' | b'\t' | b'\n' | b'\r' | 0x0c => {
            closed(Kind::Space, run(bytes, start, |byte| byte.is_ascii_whitespace()))
        }
        b'-' if byte(start + 1) == b'-' => {
            closed(Kind::Comment, run(bytes, start, |byte| byte != b'\n'))
        }
        b'/' if byte(start + 1) == b'*' => match text[start + 2..].find("*/") {
            Some(found) => closed(Kind::Comment, start + found + 4),
            None => Token { kind: Kind::Comment, range: start..text.len(), is_open: true },
        },
        b'\'' => quoted(text, start, start + 1, '\'', Kind::String),
        b'x' | b'X' if byte(start + 1) == b'\'' => {
            quoted(text, start, start + 2, '\'', Kind::String)
        }
        b'"' => quoted(text, start, start + 1, '"', Kind::Quoted),
        b'`' => quoted(text, start, start + 1, '`', Kind::Quoted),
        b'[' => quoted(text, start, start + 1, ']', Kind::Quoted),
        b'?' | b':' | b'$' | b'#' | b'@' if continues_word(byte(start + 1)) => {
            closed(Kind::Variable, run(bytes, start + 1, continues_word))
        }
        b'0'..=b'9' => closed(Kind::Number, number(bytes, start)),
        b'.' if byte(start + 1).is_ascii_digit() => closed(Kind::Number, number(bytes, start)),
        b';' => closed(Kind::Semicolon, start + 1),
        other if continues_word(other) => {
            let end = run(bytes, start, continues_word);
            let kind = if is_keyword(&text[start..end]) { Kind::Keyword } else { Kind::Word };
            closed(kind, end)
        }
        _ => closed(Kind::Mark, start + 1),
    }
}

const fn continues_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn run(bytes: &[u8], start: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[start..].iter().position(|&byte| !belongs(byte)).map_or(bytes.len(), |at| start + at)
}

fn number(bytes: &[u8], start: usize) -> usize {
    let mut end = run(bytes, start, |byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let exponent = matches!(bytes.get(end - 1), Some(b'e' | b'E'));
    if exponent && matches!(bytes.get(end), Some(b'+' | b'-')) {
        end = run(bytes, end + 1, |byte| byte.is_ascii_digit());
    }
    end
}

/// A quoted thing whose content begins at `inside`; the closing quote is doubled within.
fn quoted(text: &str, start: usize, inside: usize, quote: char, kind: Kind) -> Token {
    let mut at = inside;
    while let Some(found) = text[at..].find(quote) {
        at += found + 1;
        if quote == ']' || !text[at..].starts_with(quote) {
            return Token { kind, range: start..at, is_open: false };
        }
        at += 1;
    }
    Token { kind, range: start..text.len(), is_open: true }
}

/// How far a text is from being statements that can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing but blanks and comments.
    Nothing,
    /// The last statement has not ended.
    Open,
    /// The text ends behind a semicolon.
    Complete,
}

/// Whether the text ends behind a complete statement.
pub(crate) fn progress(text: &str) -> Progress {
    let is_blank =
        |token: &Token| matches!(token.kind, Kind::Space | Kind::Comment) && !token.is_open;
    if pandodb::is_complete(text) {
        Progress::Complete
    } else if tokens(text).iter().all(is_blank) {
        Progress::Nothing
    } else {
        Progress::Open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword("select") && is_keyword("Branch") && !is_keyword("tree"));
    }

    #[test]
    fn statements_are_complete_at_their_semicolon() {
        for text in [
            "SELECT 1;",
            "SELECT ';' -- ; \n;",
            ";",
            "/* ; */ SELECT 1; -- done",
            "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;",
            "CREATE TEMP TRIGGER a AFTER INSERT ON t BEGIN UPDATE t SET a = 1; END ;",
            "BEGIN;",
            "PREVIEW BEGIN DELETE FROM t; DELETE FROM u; END;",
            "SELECT \"a;b\", [c;d], `e;f` FROM t;",
        ] {
            assert_eq!(progress(text), Progress::Complete, "{text}");
        }
        for text in [
            "SELECT 1",
            "SELECT 'a;",
            "SELECT 1 /* ;",
            "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1;",
            "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END;",
            "PREVIEW BEGIN DELETE FROM t;",
            "SELECT 1; SELECT",
        ] {
            assert_eq!(progress(text), Progress::Open, "{text}");
        }
        assert_eq!(progress(" -- nothing\n"), Progress::Nothing);
        assert_eq!(progress(""), Progress::Nothing);
    }

    #[test]
    fn tokens_cover_any_text() {
        for text in ["SELECT 'ä'\u{1F333}\"x", "1e+5.5.5e", "a[b", "x'0", "@ : ? ?1 $a", "é"] {
            let tokens = tokens(text);
            let mut at = 0;
            for token in tokens {
                assert_eq!(token.range.start, at, "{text}");
                assert!(text.get(token.range.clone()).is_some(), "{text}");
                at = token.range.end;
            }
            assert_eq!(at, text.len());
        }
    }
}
