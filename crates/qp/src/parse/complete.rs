//! Whether a text ends with a whole statement: what a shell asks before it runs a line.
//!
//! A statement ends at a semicolon, but a trigger (and a previewed script) holds semicolons
//! and ends at `; END ;` only. Nothing else of the grammar matters, so wrong SQL is complete
//! as well, and running it gives the error. Neighbours: `lexer`.

use super::lexer::Lexer;
use super::token::{Token, TokenKind};

/// What has been read of the statement under way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Start,
    /// `EXPLAIN`
    Explain,
    /// `CREATE`, also with `TEMP`.
    Create,
    /// `PREVIEW`
    Preview,
    /// Something that ends at the next semicolon.
    Normal,
    /// The inside of a block.
    Block,
    /// A semicolon in a block.
    BlockSemicolon,
    /// `; END` in a block.
    BlockEnd,
}

/// Whether `sql` holds at least one statement, and the last one ends with its semicolon: not
/// within a string, a comment or a trigger.
pub fn is_complete(sql: &str) -> bool {
    let mut lexer = Lexer::new(sql, 0);
    let mut state = State::Start;
    let mut any = false;
    loop {
        if lexer.skip_blanks() {
            return false;
        }
        let token = lexer.next_token();
        match token.kind {
            TokenKind::End => return any && state == State::Start,
            TokenKind::Illegal if is_open(sql, token) => return false,
            TokenKind::Semicolon => any = true,
            _ => {}
        }
        state = next_state(state, sql, token);
    }
}

fn next_state(state: State, sql: &str, token: Token) -> State {
    use TokenKind as Kind;
    match (state, token.kind) {
        (State::Block | State::BlockSemicolon, Kind::Semicolon) => State::BlockSemicolon,
        (State::BlockSemicolon, Kind::EndKeyword) => State::BlockEnd,
        (State::BlockEnd, Kind::Semicolon) => State::Start,
        (State::Block | State::BlockSemicolon | State::BlockEnd, _) => State::Block,
        (_, Kind::Semicolon) => State::Start,
        (State::Start, Kind::Explain) => State::Explain,
        (State::Explain, Kind::Query | Kind::Plan | Kind::Analyze) => State::Explain,
        (State::Start | State::Explain | State::Preview, Kind::Create) => State::Create,
        (State::Create, Kind::Temp | Kind::Temporary) => State::Create,
        (State::Create, Kind::Trigger) | (State::Preview, Kind::Begin) => State::Block,
        (State::Start | State::Explain, Kind::Identifier) if is_preview(sql, token) => {
            State::Preview
        }
        _ => State::Normal,
    }
}

fn is_preview(sql: &str, token: Token) -> bool {
    sql.get(token.start as usize..token.end as usize)
        .is_some_and(|word| word.eq_ignore_ascii_case("PREVIEW"))
}

/// Whether the token is a string or a quoted name without its end.
fn is_open(sql: &str, token: Token) -> bool {
    let first = sql.as_bytes().get(token.start as usize);
    token.end as usize == sql.len() && matches!(first, Some(b'\'' | b'"' | b'`' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_complete_with_its_semicolon() {
        for text in [
            ";",
            "SELECT 1;",
            "SELECT 1; -- more",
            "/* a */ SELECT ';' ;",
            "CREATE TABLE t(a); SELECT 'it''s';",
            "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END;",
            "explain query plan select 1;",
            "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END ; SELECT 1;",
            "PREVIEW BEGIN DELETE FROM t; END;",
            "BEGIN; END;",
            "wrong words;",
        ] {
            assert!(is_complete(text), "{text}");
        }
        for text in [
            "",
            " -- nothing",
            "SELECT 1",
            "SELECT ';",
            "SELECT \";",
            "SELECT [a;",
            "SELECT 1; /* open",
            "SELECT 1; SELECT 2",
            "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1;",
            "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
            "EXPLAIN CREATE TEMPORARY TRIGGER x AFTER INSERT ON t BEGIN SELECT CASE END;",
            "PREVIEW BEGIN DELETE FROM t;",
        ] {
            assert!(!is_complete(text), "{text}");
        }
    }
}
