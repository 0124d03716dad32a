//! JSON and JSON5 text to JSONB.
//!
//! One pass, with what JSON5 adds noted on the way (`json_valid` asks for it): comments and
//! more space, single quotes, more escapes, bare labels, hexadecimal and signed numbers,
//! infinities, trailing commas. The place of an error is part of the result, because
//! `json_error_position` shows it. A NUL ends the text, as in C. Neighbours: `node`
//! (the form), `space` (what is skipped).

use super::node::{DEPTH_MAX, Kind, push_header, push_node, replace_header};
use super::space::{is_line_separator, is_plain, is_space, json5_space_len};
use crate::error::Error;
use crate::function::call::{Pace, check_memory};
use crate::function::coerce::until_nul;

/// A parsed document.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) blob: Vec<u8>,
    /// It is JSON without anything of JSON5.
    pub(super) is_canonical: bool,
}

/// Where a text stops being JSON, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ErrorAt(pub(super) usize);

/// Parses a whole text.
#[cfg(test)]
pub(super) fn parse(text: &[u8]) -> Result<Parsed, ErrorAt> {
    // Nobody can end it: there is no other error.
    parse_at(text, &mut Pace::free()).unwrap_or(Err(ErrorAt(0)))
}

/// As [`parse`], in a call that can be ended.
pub(super) fn parse_at(
    text: &[u8],
    pace: &mut Pace<'_>,
) -> crate::error::Result<Result<Parsed, ErrorAt>> {
    check_memory(text.len())?;
    let mut parser = Parser {
        text: until_nul(text),
        out: Vec::with_capacity(until_nul(text).len() + 16),
        depth: 0,
        is_canonical: true,
        passed: 0,
        pace,
        stopped: None,
    };
    let parsed = parser.document();
    match parser.stopped {
        Some(error) => Err(error),
        None => Ok(parsed.map(|()| Parsed { blob: parser.out, is_canonical: parser.is_canonical })),
    }
}

/// What stands at a place, space skipped.
enum Item {
    /// A value, appended to the output, that ends here.
    Value(usize),
    /// One of `}`, `]`, `,`, `:`, and where.
    Mark(u8, usize),
    /// The end of the text.
    End,
}

struct Parser<'t, 'p> {
    text: &'t [u8],
    out: Vec<u8>,
    depth: usize,
    is_canonical: bool,
    /// The last mark, or error that turned out to be none.
    passed: usize,
    /// Counts values.
    pace: &'t mut Pace<'p>,
    /// Why it stopped half-way.
    stopped: Option<Error>,
}

impl Parser<'_, '_> {
    /// The whole text.
    fn document(&mut self) -> Result<(), ErrorAt> {
        let end = match self.item(0)? {
            Item::Value(end) => end,
            Item::Mark(_, at) => return Err(ErrorAt(at)),
            Item::End => return Err(ErrorAt(0)),
        };
        let mut at = self.skip_space(end);
        if at < self.text.len() {
            at += json5_space_len(&self.text[at..]);
            self.is_canonical = false;
            if at < self.text.len() {
                // SQLite knows no place for what stands behind the document: it shows the last
                // one that it noted.
                return Err(ErrorAt(self.passed));
            }
        }
        Ok(())
    }

    /// Counts a value; an error at the place if the call is to end.
    fn go_on(&mut self, at: usize) -> Result<(), ErrorAt> {
        if self.stopped.is_none() {
            // A value takes as long as some bytes of text.
            self.stopped = self.pace.step(32).err();
        }
        if self.stopped.is_some() { Err(ErrorAt(at)) } else { Ok(()) }
    }

    /// The byte at a place; zero behind the end.
    fn at(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn rest(&self, at: usize) -> &[u8] {
        self.text.get(at..).unwrap_or_default()
    }

    fn skip_space(&self, mut at: usize) -> usize {
        while is_space(self.at(at)) {
            at += 1;
        }
        at
    }

    fn item(&mut self, at: usize) -> Result<Item, ErrorAt> {
        self.go_on(at)?;
        let mut at = self.skip_space(at);
        let extended = json5_space_len(self.rest(at));
        if extended > 0 {
            self.is_canonical = false;
            at += extended;
        }
        let end = match self.at(at) {
            0 => return Ok(Item::End),
            mark @ (b'}' | b']' | b',' | b':') => {
                self.passed = at;
                return Ok(Item::Mark(mark, at));
            }
            b'{' => self.container(at, Kind::Object)?,
            b'[' => self.container(at, Kind::Array)?,
            b'"' | b'\'' => self.string(at)?,
            b'-' | b'+' | b'.' | b'0'..=b'9' => self.number(at)?,
            _ => self.word(at)?,
        };
        Ok(Item::Value(end))
    }

    fn container(&mut self, at: usize, kind: Kind) -> Result<usize, ErrorAt> {
        let start = self.out.len();
        // The payload is hardly longer than the text: mostly the header keeps its size.
        push_header(kind, self.text.len() - at, &mut self.out);
        let payload = self.out.len();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ErrorAt(at));
        }
        let end = match kind {
            Kind::Object => self.entries(at + 1, payload)?,
            _ => self.elements(at + 1, payload)?,
        };
        self.depth -= 1;
        let len = self.out.len() - payload;
        replace_header(&mut self.out, start, payload - start, kind, len);
        Ok(end)
    }

    /// Elements up to the closing bracket; returns what is behind it.
    fn elements(&mut self, mut at: usize, payload: usize) -> Result<usize, ErrorAt> {
        loop {
            match self.item(at)? {
                Item::Mark(b']', closing) => {
                    self.is_canonical &= self.out.len() == payload;
                    return Ok(closing + 1);
                }
                Item::Mark(..) | Item::End => return Err(ErrorAt(at)),
                Item::Value(end) => match self.separator(end, b']')? {
                    (b',', behind) => at = behind,
                    (_, behind) => return Ok(behind),
                },
            }
        }
    }

    /// Labels and values up to the closing brace; returns what is behind it.
    fn entries(&mut self, mut at: usize, payload: usize) -> Result<usize, ErrorAt> {
        loop {
            let label = self.out.len();
            let item = self.item(at);
            let end = match item {
                Ok(Item::Mark(b'}', closing)) => {
                    self.is_canonical &= self.out.len() == payload;
                    return Ok(closing + 1);
                }
                Ok(Item::Value(end)) => {
                    // Labels are text.
                    if !(Kind::Text as u8..=Kind::TextRaw as u8).contains(&(self.out[label] & 15)) {
                        return Err(ErrorAt(at));
                    }
                    end
                }
                Ok(Item::Mark(..) | Item::End) => {
                    let place = at + json5_space_len(self.rest(at));
                    self.bare_label(place).ok_or(ErrorAt(place))?
                }
                Err(error) => {
                    let place = at + json5_space_len(self.rest(at));
                    self.passed = error.0;
                    self.bare_label(place).ok_or(error)?
                }
            };
            let value = self.colon(end)?;
            let end = match self.item(value)? {
                Item::Value(end) => end,
                Item::Mark(..) | Item::End => return Err(ErrorAt(value)),
            };
            match self.separator(end, b'}')? {
                (b',', behind) => at = behind,
                (_, behind) => return Ok(behind),
            }
        }
    }

    /// The comma or the closing mark behind a value, and what is behind it.
    fn separator(&mut self, end: usize, closing: u8) -> Result<(u8, usize), ErrorAt> {
        let at = self.skip_space(end);
        let byte = self.at(at);
        if byte == b',' || byte == closing {
            return Ok((byte, at + 1));
        }
        match self.item(at) {
            Ok(Item::Mark(byte, place)) if byte == b',' || byte == closing => Ok((byte, place + 1)),
            _ => Err(ErrorAt(at)),
        }
    }

    /// What is behind the colon that must follow a label.
    fn colon(&mut self, end: usize) -> Result<usize, ErrorAt> {
        let at = self.skip_space(end);
        if self.at(at) == b':' {
            return Ok(at + 1);
        }
        match self.item(at)? {
            Item::Mark(b':', place) => Ok(place + 1),
            _ => Err(ErrorAt(at)),
        }
    }

    /// A label without quotes: returns where it ends.
    fn bare_label(&mut self, at: usize) -> Option<usize> {
        let is_escape = |at: usize| {
            self.at(at) == b'\\' && self.at(at + 1) == b'u' && self.has_hex_digits(at + 2, 4)
        };
        let is_letter =
            |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'$' | b'_' | 0x80..);
        if !is_letter(self.at(at)) && !is_escape(at) {
            return None;
        }
        let mut has_escape = is_escape(at);
        let mut end = at + 1;
        loop {
            let byte = self.at(end);
            if is_escape(end) {
                has_escape = true;
            } else if !(is_letter(byte) || byte.is_ascii_digit())
                || json5_space_len(self.rest(end)) > 0
            {
                break;
            }
            end += 1;
        }
        let kind = if has_escape { Kind::TextJ } else { Kind::Text };
        push_node(kind, &self.text[at..end], &mut self.out);
        self.is_canonical = false;
        Some(end)
    }

    fn has_hex_digits(&self, at: usize, count: usize) -> bool {
        let digits = self.text.get(at..at + count);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    }

    fn string(&mut self, start: usize) -> Result<usize, ErrorAt> {
        let quote = self.at(start);
        self.is_canonical &= quote == b'"';
        let mut kind = Kind::Text;
        let mut at = start + 1;
        loop {
            let byte = self.at(at);
            if is_plain(byte) {
                at += 1;
            } else if byte == quote {
                break;
            } else if byte == b'\\' {
                let (len, needs_json5) = self.escape_len(at + 1)?;
                if needs_json5 {
                    kind = Kind::Text5;
                    self.is_canonical = false;
                } else if kind == Kind::Text {
                    kind = Kind::TextJ;
                }
                at += 1 + len;
            } else {
                match byte {
                    0 => return Err(ErrorAt(at)),
                    // Control characters are JSON5's; a double quote needs an escape in JSON.
                    0x01..0x20 => {
                        kind = Kind::Text5;
                        self.is_canonical = false;
                    }
                    b'"' => kind = Kind::Text5,
                    _ => {}
                }
                at += 1;
            }
        }
        push_node(kind, &self.text[start + 1..at], &mut self.out);
        Ok(at + 1)
    }

    /// The bytes of an escape behind its backslash that belong to it for sure, and whether it
    /// is one of JSON5's.
    fn escape_len(&self, at: usize) -> Result<(usize, bool), ErrorAt> {
        match self.at(at) {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok((1, false)),
            b'u' if self.has_hex_digits(at + 1, 4) => Ok((1, false)),
            b'\'' | b'v' | b'\n' => Ok((1, true)),
            b'0' if !self.at(at + 1).is_ascii_digit() => Ok((1, true)),
            b'x' if self.has_hex_digits(at + 1, 2) => Ok((1, true)),
            0xE2 if is_line_separator(self.rest(at)) => Ok((1, true)),
            b'\r' if self.at(at + 1) == b'\n' => Ok((2, true)),
            b'\r' => Ok((1, true)),
            _ => Err(ErrorAt(at)),
        }
    }

    fn number(&mut self, start: usize) -> Result<usize, ErrorAt> {
        let sign = usize::from(matches!(self.at(start), b'+' | b'-'));
        let first = start + sign;
        self.is_canonical &= self.at(start) != b'+';
        // A plus is not part of the payload.
        let payload = if self.at(start) == b'+' { first } else { start };
        if sign == 1
            && self.rest(first).len() >= 3
            && self.rest(first)[..3].eq_ignore_ascii_case(b"inf")
        {
            return Ok(self.signed_infinity(start));
        }
        let is_hex = self.at(first) == b'0'
            && matches!(self.at(first + 1), b'x' | b'X')
            && self.at(first + 2).is_ascii_hexdigit();
        if is_hex {
            let digits = self.rest(first + 2).iter().take_while(|byte| byte.is_ascii_hexdigit());
            let end = first + 2 + digits.count();
            self.is_canonical = false;
            push_node(Kind::Int5, &self.text[payload..end], &mut self.out);
            return Ok(end);
        }
        match self.at(first) {
            b'0' if self.at(first + 1).is_ascii_digit() => return Err(ErrorAt(start + 1)),
            b'0'..=b'9' => {}
            b'.' if sign == 1 || self.at(first + 1).is_ascii_digit() => {}
            _ => return Err(ErrorAt(start)),
        }
        let (kind, end) = self.decimal(start, first)?;
        push_node(kind, &self.text[payload..end], &mut self.out);
        Ok(end)
    }

    /// The kind and the end of a decimal number whose digits (or point) begin at `first`.
    fn decimal(&mut self, start: usize, first: usize) -> Result<(Kind, usize), ErrorAt> {
        let mut is_json5 = self.at(first) == b'.';
        let (mut has_point, mut has_exponent) = (false, false);
        let mut at = first;
        loop {
            match self.at(at) {
                b'0'..=b'9' => {}
                b'.' => {
                    if has_point || has_exponent {
                        return Err(ErrorAt(at));
                    }
                    has_point = true;
                }
                b'e' | b'E' => {
                    is_json5 |= self.ends_in_point(at, start)?;
                    if has_exponent {
                        return Err(ErrorAt(at));
                    }
                    has_exponent = true;
                    at += usize::from(matches!(self.at(at + 1), b'+' | b'-'));
                    if !self.at(at + 1).is_ascii_digit() {
                        return Err(ErrorAt(at));
                    }
                }
                _ => break,
            }
            at += 1;
        }
        is_json5 |= self.ends_in_point(at, start)?;
        self.is_canonical &= !is_json5;
        let kind = match (has_point || has_exponent, is_json5) {
            (true, false) => Kind::Float,
            (true, true) => Kind::Float5,
            (false, _) => Kind::Int,
        };
        Ok((kind, at))
    }

    /// Whether the number before `at` ends in a point, which must have a digit before it.
    fn ends_in_point(&self, at: usize, start: usize) -> Result<bool, ErrorAt> {
        if self.at(at - 1) >= b'0' {
            return Ok(false);
        }
        let has_digit = at >= start + 2 && self.at(at - 2).is_ascii_digit();
        if self.at(at - 1) == b'.' && has_digit { Ok(true) } else { Err(ErrorAt(at)) }
    }

    fn signed_infinity(&mut self, start: usize) -> usize {
        self.is_canonical = false;
        let payload: &[u8] = if self.at(start) == b'-' { b"-9e999" } else { b"9e999" };
        push_node(Kind::Float, payload, &mut self.out);
        let is_long = self.text.get(start + 4..start + 9);
        start + if is_long.is_some_and(|rest| rest.eq_ignore_ascii_case(b"inity")) { 9 } else { 4 }
    }

    /// `null`, `true`, `false`, and the numbers that are words.
    fn word(&mut self, start: usize) -> Result<usize, ErrorAt> {
        const EXACT: [(&[u8], Kind); 3] =
            [(b"null", Kind::Null), (b"true", Kind::True), (b"false", Kind::False)];
        const LOOSE: [(&[u8], Kind); 5] = [
            (b"inf", Kind::Float),
            (b"infinity", Kind::Float),
            (b"nan", Kind::Null),
            (b"qnan", Kind::Null),
            (b"snan", Kind::Null),
        ];
        let len = self.rest(start).iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let word = &self.text[start..start + len];
        if let Some((_, kind)) = EXACT.iter().find(|(exact, _)| *exact == word) {
            push_header(*kind, 0, &mut self.out);
            return Ok(start + len);
        }
        match LOOSE.iter().find(|(loose, _)| loose.eq_ignore_ascii_case(word)) {
            None => Err(ErrorAt(start)),
            Some((_, kind)) => {
                self.is_canonical = false;
                let payload: &[u8] = if *kind == Kind::Float { b"9e999" } else { b"" };
                push_node(*kind, payload, &mut self.out);
                Ok(start + len)
            }
        }
    }
}
