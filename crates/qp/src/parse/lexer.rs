//! From bytes to tokens, without copying.
//!
//! The rules are those of SQLite's tokenizer, byte for byte: what is a word, which number is
//! malformed, where a string ends. A token that is none is [`TokenKind::Illegal`]; the parser
//! reports it when it meets it. The end of the text is a token that comes again and again, so
//! that no loop can run past it. Neighbours: `token`, `parser`.

use super::token::keyword;
use super::token::{Token, TokenKind};

/// Reads tokens from a place in a text.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    position: usize,
}

/// What a byte can begin or continue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteClass {
    /// Letters and `_`: words and keywords.
    Letter,
    /// `$` and bytes above 127 too continue a word; a digit begins a number.
    Digit,
    Dollar,
    High,
    Space,
    Mark,
}

static CLASSES: [ByteClass; 256] = classes();

const fn classes() -> [ByteClass; 256] {
    let mut table = [ByteClass::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => ByteClass::Letter,
            b'0'..=b'9' => ByteClass::Digit,
            b'$' => ByteClass::Dollar,
            0x80.. => ByteClass::High,
            b' ' | b'\t' | b'\n' | 0x0c | b'\r' => ByteClass::Space,
            _ => ByteClass::Mark,
        };
        byte += 1;
    }
    table
}

/// Whether `byte` continues a word.
pub(super) fn continues_word(byte: u8) -> bool {
    !matches!(CLASSES[byte as usize], ByteClass::Space | ByteClass::Mark)
}

impl<'a> Lexer<'a> {
    /// Starts at `position` of `text`.
    pub(super) fn new(text: &'a str, position: usize) -> Self {
        Self { bytes: text.as_bytes(), position }
    }

    /// The byte at `index`, zero behind the end.
    fn byte(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    /// The first byte behind the token read last that is no blank.
    pub(super) fn next_mark(&self) -> u8 {
        let mut index = self.position;
        while CLASSES[self.byte(index) as usize] == ByteClass::Space {
            index += 1;
        }
        self.byte(index)
    }

    /// The next token, blanks and comments skipped.
    pub(super) fn next_token(&mut self) -> Token {
        self.skip_blanks();
        let start = self.position;
        let kind = match self.bytes.get(start) {
            None => TokenKind::End,
            Some(&byte) => match CLASSES[byte as usize] {
                ByteClass::Letter if matches!(byte, b'x' | b'X') => self.blob_or_word(start),
                ByteClass::Letter | ByteClass::High => self.word(start),
                ByteClass::Digit => self.number(start),
                ByteClass::Dollar => self.variable(start),
                ByteClass::Space | ByteClass::Mark => self.mark(start, byte),
            },
        };
        Token { kind, start: start as u32, end: self.position as u32 }
    }

    /// Skips blanks, comments and byte order marks; tells whether a comment was left open.
    pub(super) fn skip_blanks(&mut self) -> bool {
        loop {
            let Some(&byte) = self.bytes.get(self.position) else { return false };
            match byte {
                b' ' | b'\t' | b'\n' | 0x0c | b'\r' => {
                    self.position += 1;
                    while self.byte(self.position) == 0x0b {
                        self.position += 1;
                    }
                }
                b'-' if self.byte(self.position + 1) == b'-' => {
                    let rest = &self.bytes[self.position..];
                    let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |found| found + 1);
                    self.position += length;
                }
                b'/' if self.byte(self.position + 1) == b'*'
                    && self.position + 2 < self.bytes.len() =>
                {
                    let rest = &self.bytes[self.position + 2..];
                    let Some(length) = memchr::memmem::find(rest, b"*/") else {
                        self.position = self.bytes.len();
                        return true;
                    };
                    self.position += length + 4;
                }
                0xef if self.bytes[self.position..].starts_with(b"\xef\xbb\xbf") => {
                    self.position += 3;
                }
                _ => return false,
            }
        }
    }

    fn word(&mut self, start: usize) -> TokenKind {
        let mut end = start + 1;
        while continues_word(self.byte(end)) {
            end += 1;
        }
        self.position = end;
        keyword::kind_of(&self.bytes[start..end])
    }

    fn blob_or_word(&mut self, start: usize) -> TokenKind {
        if self.byte(start + 1) != b'\'' {
            return self.word(start);
        }
        let mut end = start + 2;
        while self.byte(end).is_ascii_hexdigit() {
            end += 1;
        }
        if self.byte(end) == b'\'' && (end - start).is_multiple_of(2) {
            self.position = end + 1;
            return TokenKind::Blob;
        }
        let rest = &self.bytes[end..];
        self.position = end + memchr::memchr(b'\'', rest).map_or(rest.len(), |found| found + 1);
        TokenKind::Illegal
    }

    /// Digits and the separators between them, whose places the parser checks.
    fn digits(&self, mut end: usize) -> usize {
        while matches!(self.byte(end), b'0'..=b'9' | b'_') {
            end += 1;
        }
        end
    }

    fn number(&mut self, start: usize) -> TokenKind {
        let mut kind = TokenKind::Integer;
        let mut end = start;
        let hexadecimal = self.byte(start) == b'0'
            && matches!(self.byte(start + 1), b'x' | b'X')
            && self.byte(start + 2).is_ascii_hexdigit();
        if hexadecimal {
            end += 3;
            while self.byte(end).is_ascii_hexdigit() || self.byte(end) == b'_' {
                end += 1;
            }
        } else {
            end = self.digits(end);
            if self.byte(end) == b'.' {
                kind = TokenKind::Float;
                end = self.digits(end + 1);
            }
            if matches!(self.byte(end), b'e' | b'E') {
                let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
                if self.byte(end + 1 + sign).is_ascii_digit() {
                    kind = TokenKind::Float;
                    end = self.digits(end + 2 + sign);
                }
            }
        }
        while continues_word(self.byte(end)) {
            kind = TokenKind::Illegal;
            end += 1;
        }
        self.position = end;
        kind
    }

    /// `$name`, `:name`, `@name`, with `::` inside and `(...)` behind it as Tcl has them.
    fn variable(&mut self, start: usize) -> TokenKind {
        let mut kind = TokenKind::Variable;
        let mut letters = 0;
        let mut end = start + 1;
        while end < self.bytes.len() {
            let byte = self.byte(end);
            if continues_word(byte) {
                letters += 1;
                end += 1;
            } else if byte == b'(' && letters > 0 {
                end += 1;
                while end < self.bytes.len()
                    && !self.byte(end).is_ascii_whitespace()
                    && !matches!(self.byte(end), b')' | 0x0b)
                {
                    end += 1;
                }
                if self.byte(end) == b')' {
                    end += 1;
                } else {
                    kind = TokenKind::Illegal;
                }
                break;
            } else if byte == b':' && self.byte(end + 1) == b':' {
                end += 2;
            } else {
                break;
            }
        }
        self.position = end;
        if letters == 0 { TokenKind::Illegal } else { kind }
    }

    /// A quoted thing: the quote inside it is written twice.
    fn quoted(&mut self, start: usize, quote: u8, kind: TokenKind) -> TokenKind {
        let mut end = start + 1;
        loop {
            let Some(found) = memchr::memchr(quote, &self.bytes[end..]) else {
                self.position = self.bytes.len();
                return TokenKind::Illegal;
            };
            end += found + 1;
            if self.byte(end) != quote {
                self.position = end;
                return kind;
            }
            end += 1;
        }
    }

    fn bracketed(&mut self, start: usize) -> TokenKind {
        if let Some(found) = memchr::memchr(b']', &self.bytes[start..]) {
            self.position = start + found + 1;
            TokenKind::Quoted
        } else {
            self.position = self.bytes.len();
            TokenKind::Illegal
        }
    }

    fn mark(&mut self, start: usize, byte: u8) -> TokenKind {
        let second = self.byte(start + 1);
        let (kind, length) = match (byte, second) {
            (b'\'', _) => return self.quoted(start, byte, TokenKind::String),
            (b'"' | b'`', _) => return self.quoted(start, byte, TokenKind::Quoted),
            (b'[', _) => return self.bracketed(start),
            (b'.', b'0'..=b'9') => return self.number(start),
            (b':' | b'@' | b'#', _) => return self.variable(start),
            (b'?', _) => {
                let mut end = start + 1;
                while self.byte(end).is_ascii_digit() {
                    end += 1;
                }
                (TokenKind::Variable, end - start)
            }
            (b'(', _) => (TokenKind::LeftParenthesis, 1),
            (b')', _) => (TokenKind::RightParenthesis, 1),
            (b',', _) => (TokenKind::Comma, 1),
            (b'.', _) => (TokenKind::Dot, 1),
            (b';', _) => (TokenKind::Semicolon, 1),
            (b'*', _) => (TokenKind::Star, 1),
            (b'+', _) => (TokenKind::Plus, 1),
            (b'-', b'>') if self.byte(start + 2) == b'>' => (TokenKind::LongArrow, 3),
            (b'-', b'>') => (TokenKind::Arrow, 2),
            (b'-', _) => (TokenKind::Minus, 1),
            (b'/', _) => (TokenKind::Slash, 1),
            (b'%', _) => (TokenKind::Percent, 1),
            (b'=', b'=') => (TokenKind::Equal, 2),
            (b'=', _) => (TokenKind::Equal, 1),
            (b'!', b'=') | (b'<', b'>') => (TokenKind::NotEqual, 2),
            (b'<', b'=') => (TokenKind::LessOrEqual, 2),
            (b'<', b'<') => (TokenKind::ShiftLeft, 2),
            (b'<', _) => (TokenKind::Less, 1),
            (b'>', b'=') => (TokenKind::GreaterOrEqual, 2),
            (b'>', b'>') => (TokenKind::ShiftRight, 2),
            (b'>', _) => (TokenKind::Greater, 1),
            (b'&', _) => (TokenKind::Ampersand, 1),
            (b'|', b'|') => (TokenKind::Concatenate, 2),
            (b'|', _) => (TokenKind::Pipe, 1),
            (b'~', _) => (TokenKind::Tilde, 1),
            _ => (TokenKind::Illegal, 1),
        };
        self.position = start + length;
        kind
    }
}
