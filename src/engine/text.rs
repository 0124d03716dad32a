//! SQL as text: where a statement ends, whether it has ended, values as literals.
//!
//! Neighbours: the engine's parser knows the grammar; this only looks for semicolons.

use crate::value::ValueRef;

/// Whether a text ends behind a complete statement, so that a shell can run it.
///
/// Semicolons inside quotes, comments and the bodies of triggers end nothing.
///
/// ```
/// use pandodb::is_complete;
///
/// assert!(is_complete("SELECT ';';"));
/// assert!(!is_complete("SELECT ';"));
/// assert!(!is_complete("CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1;"));
/// ```
pub fn is_complete(sql: &str) -> bool {
    pandodb_qp::parse::is_complete(sql)
}

/// How many bytes of the text the first statement has, with its semicolon.
pub(crate) fn first_statement(sql: &str) -> usize {
    let mut from = 0;
    while let Some(end) = next_semicolon(sql, from) {
        if is_complete(&sql[..end]) {
            return end;
        }
        from = end;
    }
    sql.len()
}

/// Whether there is more in a text than blanks, comments and semicolons.
pub(crate) fn has_statement(sql: &str) -> bool {
    let mut at = 0;
    loop {
        at = skip(sql, at);
        match sql.as_bytes().get(at) {
            None => return false,
            Some(b';') => at += 1,
            Some(byte) if byte.is_ascii_whitespace() => at += 1,
            Some(_) => return true,
        }
    }
}

/// A literal that reads back as the same value.
pub(crate) fn literal(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Text(bytes) => {
            format!("'{}'", String::from_utf8_lossy(bytes).replace('\'', "''"))
        }
        ValueRef::Blob(bytes) => {
            let digits = b"0123456789abcdef";
            let digit = |four: u8| char::from(digits[usize::from(four)]);
            let digits: String =
                bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
            format!("x'{digits}'")
        }
        number => number.to_string(),
    }
}

/// The place behind the next semicolon that is in no quotes and no comment.
fn next_semicolon(sql: &str, from: usize) -> Option<usize> {
    let bytes = sql.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        let behind = skip(sql, at);
        if behind > at {
            at = behind;
        } else if bytes[at] == b';' {
            return Some(at + 1);
        } else {
            at += 1;
        }
    }
    None
}

/// The place behind a comment or a quoted thing that begins here; the same place without one.
fn skip(sql: &str, at: usize) -> usize {
    let bytes = sql.as_bytes();
    let find = |from: usize, mark: u8| {
        let rest = bytes.get(from..).unwrap_or(&[]);
        rest.iter().position(|&byte| byte == mark).map_or(bytes.len(), |found| from + found + 1)
    };
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'-'), Some(b'-')) => find(at, b'\n'),
        (Some(b'/'), Some(b'*')) => sql
            .get(at + 2..)
            .and_then(|rest| rest.find("*/"))
            .map_or(bytes.len(), |end| at + end + 4),
        // A doubled quote is the end of one quoted thing and the beginning of another.
        (Some(quote @ (b'\'' | b'"' | b'`')), _) => find(at + 1, *quote),
        (Some(b'['), _) => find(at + 1, b']'),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_statement_ends_at_its_own_semicolon() {
        let first = |sql: &'static str| &sql[..first_statement(sql)];
        assert_eq!(first("SELECT 1; SELECT 2;"), "SELECT 1;");
        assert_eq!(first("SELECT ';' -- ;\n; x"), "SELECT ';' -- ;\n;");
        assert_eq!(
            first("SELECT 'it''s;' /* ; */, \"a;\", [b;], `c;`; x"),
            "SELECT 'it''s;' /* ; */, \"a;\", [b;], `c;`;"
        );
        let trigger = "CREATE TRIGGER a AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END; SELECT 3";
        assert!(first(trigger).ends_with("END;"));
        assert_eq!(first("SELECT 1"), "SELECT 1");
        assert_eq!(first("SELECT '; x"), "SELECT '; x");
        assert_eq!(first(""), "");
    }

    #[test]
    fn comments_are_no_statements() {
        assert!(!has_statement(" ; -- x\n /* y */ ;"));
        assert!(has_statement("-- x\nSELECT"));
        assert!(has_statement("- 1"));
        assert!(!has_statement("/* open"));
    }
}
