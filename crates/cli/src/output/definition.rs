//! CREATE statements on several lines, as `.schema --indent` of sqlite3 writes them.
//!
//! A column or a constraint a line, where the statement is longer than a line. Neighbours:
//! `dot::schema` shows them.

use crate::language::{Kind, tokens};

/// What is at least as long is broken.
const LENGTH_MIN: usize = 79;

/// One token of a statement, with no more of a blank than is kept.
struct Piece<'t> {
    kind: Kind,
    text: &'t str,
}

/// The statement with its columns on lines of their own.
pub(crate) fn indented(sql: &str) -> String {
    let words = sql.split_whitespace().take(3).collect::<Vec<_>>().join(" ").to_ascii_uppercase();
    // Their bodies are lists of nothing.
    let is_body = ["CREATE VIEW", "CREATE TRIG", "CREATE TEMP VIEW", "CREATE TEMP TRIG"];
    if is_body.iter().any(|begin| words.starts_with(begin)) {
        return sql.to_owned();
    }
    let pieces = squeezed(sql);
    let length: usize = pieces.iter().map(|piece| piece.text.len()).sum();
    if length < LENGTH_MIN {
        return pieces.iter().map(|piece| piece.text).collect();
    }
    broken(&pieces)
}

/// Without the blanks that say nothing: one for many, none inside of a parenthesis or before one.
fn squeezed(sql: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for token in tokens(sql) {
        let text = &sql[token.range.clone()];
        let is_space = token.kind == Kind::Space;
        let last = pieces.last().map(|piece| (piece.kind, piece.text));
        if is_space && last.is_none_or(|(kind, text)| kind == Kind::Space || text == "(") {
            continue;
        }
        if matches!(text, "(" | ")") && matches!(last, Some((Kind::Space, _))) {
            // The end of a line also ends a comment.
            let before = pieces.len().checked_sub(2).and_then(|at| pieces.get(at));
            if !before.is_some_and(is_line_comment) {
                pieces.pop();
            }
        }
        // The first blank, or the line's end if there is one behind a comment.
        let text = if is_space { one_blank(text, pieces.last()) } else { text };
        pieces.push(Piece { kind: token.kind, text });
    }
    while pieces.last().is_some_and(|piece| piece.kind == Kind::Space) {
        pieces.pop();
    }
    pieces
}

fn is_line_comment(piece: &Piece<'_>) -> bool {
    piece.kind == Kind::Comment && piece.text.starts_with("--")
}

fn one_blank<'t>(text: &'t str, before: Option<&Piece<'_>>) -> &'t str {
    let is_end = text.starts_with(['\n', '\r']) || before.is_some_and(is_line_comment);
    if is_end { "\n" } else { text.get(..1).unwrap_or(" ") }
}

fn broken(pieces: &[Piece<'_>]) -> String {
    let mut text = String::new();
    let (mut depth, mut lines) = (0_usize, 0_usize);
    let mut after_break = false;
    for (at, piece) in pieces.iter().enumerate() {
        if after_break && piece.kind == Kind::Space {
            continue;
        }
        after_break = false;
        match piece.text {
            "(" => depth += 1,
            ")" => {
                depth = depth.saturating_sub(1);
                if lines > 0 && depth == 0 {
                    // Behind a comment the line has ended.
                    let end = text.strip_suffix("\n  ").map_or(text.len(), str::len);
                    text.truncate(end);
                    text.push('\n');
                }
            }
            _ => {}
        }
        let breaks = depth == 1
            && match piece.text {
                "(" | "\n" => true,
                "," => !is_blank_to_end(&pieces[at + 1..]),
                _ => false,
            };
        if !breaks || piece.text != "\n" {
            text.push_str(piece.text);
        }
        if breaks {
            text.push_str("\n  ");
            lines += 1;
            after_break = true;
        }
    }
    text
}

/// Whether nothing more than a comment follows in the line.
fn is_blank_to_end(rest: &[Piece<'_>]) -> bool {
    for piece in rest {
        match piece.kind {
            Kind::Space if piece.text == "\n" => return true,
            Kind::Space => {}
            _ => return is_line_comment(piece),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn short_statements_are_squeezed() {
        assert_eq!(indented("CREATE TABLE  t ( a ,\n b )"), "CREATE TABLE t(a ,\nb)");
        assert_eq!(
            indented("CREATE TABLE t(\"a ( b\" int, -- c\n d )"),
            "CREATE TABLE t(\"a ( b\" int, -- c\nd)"
        );
        assert_eq!(indented("CREATE TABLE t(a -- one\n )"), "CREATE TABLE t(a -- one\n)");
    }

    #[test]
    fn long_ones_have_a_line_for_each_column() {
        let sql = "CREATE TABLE t (a int, b text default 'x,(y)', primary key(a,b), \
                   check (a > 0 and (b <> ')' or a in (1,2))) ) without rowid";
        let lines = "CREATE TABLE t(\n  a int,\n  b text default 'x,(y)',\n  primary key(a,b),\n  \
                     check(a > 0 and(b <> ')' or a in(1,2)))\n) without rowid";
        assert_eq!(indented(sql), lines);
        let sql = "CREATE TABLE many(one INTEGER PRIMARY KEY, -- the first, of course\n \
                   two TEXT NOT NULL,\n\n three REAL -- the last\n)";
        let lines = "CREATE TABLE many(\n  one INTEGER PRIMARY KEY, -- the first, of course\n  \
                     two TEXT NOT NULL,\n  three REAL -- the last\n)";
        assert_eq!(indented(sql), lines);
    }

    #[test]
    fn bodies_stay_as_they_are() {
        let sql =
            "CREATE VIEW  v AS SELECT a, b, c, d, e, f, g, h FROM (SELECT * FROM t, u, w, x, y, z)";
        assert_eq!(indented(sql), sql);
    }
}
