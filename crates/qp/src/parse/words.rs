//! A text as a list of words, for comparing definitions without their blanks and comments.
//!
//! Neighbours: `lexer` makes the tokens; `branching::canonical` compares.

use super::lexer::Lexer;
use super::token::TokenKind;

/// The tokens of `sql` in order. The flag tells a name, without its quotes, from everything
/// else: keywords come in small letters, marks and literals as they are written.
pub fn tokens(sql: &str) -> Vec<(String, bool)> {
    let mut lexer = Lexer::new(sql, 0);
    let mut words = Vec::new();
    loop {
        let token = lexer.next_token();
        if matches!(token.kind, TokenKind::End | TokenKind::Illegal) {
            return words;
        }
        let text = sql.get(token.start as usize..token.end as usize).unwrap_or_default();
        words.push(match token.kind {
            TokenKind::Quoted => (unquoted(text), true),
            kind if kind.is_identifier() => (text.to_owned(), true),
            TokenKind::String | TokenKind::Blob => (text.to_owned(), false),
            _ => (text.to_ascii_lowercase(), false),
        });
    }
}

/// Where the parameters of a statement stand in its text, in order.
pub fn parameter_places(sql: &str) -> Vec<std::ops::Range<usize>> {
    let mut lexer = Lexer::new(sql, 0);
    let mut places = Vec::new();
    loop {
        let token = lexer.next_token();
        match token.kind {
            TokenKind::End | TokenKind::Illegal => return places,
            TokenKind::Variable => places.push(token.start as usize..token.end as usize),
            _ => {}
        }
    }
}

fn unquoted(text: &str) -> String {
    let mut letters = text.chars();
    let Some(open) = letters.next() else { return String::new() };
    let close = if open == '[' { ']' } else { open };
    let inner = letters.as_str().strip_suffix(close).unwrap_or(letters.as_str());
    let doubled: String = [close, close].iter().collect();
    inner.replace(&doubled, &close.to_string())
}
