//! Whether a blob is JSONB: by its outer header for use, completely for `json_valid`.
//!
//! Neighbours: `node` reads headers, `parse` checks text.

use super::node::{DEPTH_MAX, Kind, Node};
use super::space::is_plain;
use super::string::unescape_character;
use crate::error::Error;
use crate::function::call::Pace;

/// Whether `blob` is taken as JSONB: one node from end to end. Short blobs that could be JSON
/// text that was cast are checked completely.
pub(super) fn is_jsonb(blob: &[u8]) -> bool {
    let Ok(node) = Node::read(blob, 0) else { return false };
    let len = node.end - node.payload;
    let looks_like_text = matches!(blob[0], b'{' | b'[' | b'0'..=b'9');
    node.end == blob.len()
        && (node.kind > Kind::False || len == 0)
        && (len > 7 || !looks_like_text || is_sound(blob))
}

/// Where a blob stops being JSONB, in bytes from one; `None` where it does not.
pub(super) fn error_position(blob: &[u8], pace: &mut Pace<'_>) -> Result<Option<usize>, Error> {
    let mut checker = Checker { blob, pace, ended: None };
    let place = match Node::read(blob, 0) {
        Ok(node) if node.end == blob.len() => checker.check(node, 1).err(),
        _ => Some(1),
    };
    checker.ended.map_or(Ok(place), Err)
}

/// Whether a short blob is JSONB throughout.
fn is_sound(blob: &[u8]) -> bool {
    error_position(blob, &mut Pace::free()).is_ok_and(|place| place.is_none())
}

struct Checker<'b, 'p, 's> {
    blob: &'b [u8],
    pace: &'p mut Pace<'s>,
    /// Why it stopped half-way.
    ended: Option<Error>,
}

impl Checker<'_, '_, '_> {
    fn check(&mut self, node: Node, depth: usize) -> Result<(), usize> {
        let blob = self.blob;
        let fail = Err(node.start + 1);
        if depth > DEPTH_MAX {
            return fail;
        }
        let content = node.content(blob);
        let work = if node.kind.is_container() { 16 } else { content.len() + 16 };
        if let Err(error) = self.pace.step(work) {
            self.ended = Some(error);
            return fail;
        }
        // A place within the payload, from one.
        let at = |offset: usize| node.payload + offset + 1;
        match node.kind {
            Kind::Null | Kind::True | Kind::False if node.end == node.start + 1 => Ok(()),
            Kind::Null | Kind::True | Kind::False => fail,
            Kind::Int => {
                let sign = usize::from(content.first() == Some(&b'-'));
                if content.len() <= sign {
                    return fail;
                }
                all(content, sign, u8::is_ascii_digit).map_err(at)
            }
            Kind::Int5 => {
                let sign = usize::from(content.first() == Some(&b'-'));
                if content.len() < sign + 3 || content[sign] != b'0' {
                    return fail;
                }
                if !matches!(content[sign + 1], b'x' | b'X') {
                    return Err(at(sign + 1));
                }
                all(content, sign + 2, u8::is_ascii_hexdigit).map_err(at)
            }
            Kind::Float | Kind::Float5 => match check_real(content, node.kind == Kind::Float5) {
                Ok(()) => Ok(()),
                Err(Some(offset)) => Err(at(offset)),
                Err(None) => fail,
            },
            Kind::Text => all(content, 0, |&byte| is_plain(byte) || byte == b'\'').map_err(at),
            Kind::TextJ | Kind::Text5 => check_escapes(content, node.kind).map_err(at),
            Kind::TextRaw => Ok(()),
            Kind::Array | Kind::Object => self.check_children(node, depth),
        }
    }

    fn check_children(&mut self, container: Node, depth: usize) -> Result<(), usize> {
        let blob = self.blob;
        let is_object = container.kind == Kind::Object;
        let mut at = container.payload;
        let mut is_label = true;
        while at < container.end {
            let node = Node::read_within(blob, at, container.end).map_err(|_| at + 1)?;
            if is_object && is_label && !node.kind.is_text() {
                return Err(at + 1);
            }
            self.check(node, depth + 1)?;
            is_label = !is_label;
            at = node.end;
        }
        if is_object && !is_label { Err(at + 1) } else { Ok(()) }
    }
}

fn all(content: &[u8], from: usize, fits: impl Fn(&u8) -> bool) -> Result<(), usize> {
    match content[from..].iter().position(|byte| !fits(byte)) {
        None => Ok(()),
        Some(offset) => Err(from + offset),
    }
}

/// `Err(None)` is an error of the whole node.
fn check_real(content: &[u8], is_json5: bool) -> Result<(), Option<usize>> {
    let digit = |at: usize| content.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = usize::from(content.first() == Some(&b'-'));
    if content.len() < at + 2 {
        return Err(None);
    }
    let (mut has_point, mut has_exponent) = (false, false);
    if content[at] == b'.' {
        if !is_json5 || !digit(at + 1) {
            return Err(Some(at));
        }
        at += 2;
        has_point = true;
    } else if content[at] == b'0' && !is_json5 {
        if content.len() < at + 3 || !matches!(content[at + 1], b'.' | b'e' | b'E') {
            return Err(Some(at));
        }
        at += 1;
    }
    while let Some(&byte) = content.get(at) {
        match byte {
            b'0'..=b'9' => {}
            b'.' if has_point || has_exponent || !(is_json5 || digit(at + 1)) => {
                return Err(Some(at));
            }
            b'.' => has_point = true,
            b'e' | b'E' => {
                if has_exponent || at + 1 == content.len() {
                    return Err(Some(at));
                }
                if matches!(content[at + 1], b'+' | b'-') {
                    at += 1;
                    if at + 1 == content.len() {
                        return Err(Some(at));
                    }
                }
                has_exponent = true;
            }
            _ => return Err(Some(at)),
        }
        at += 1;
    }
    if has_point || has_exponent { Ok(()) } else { Err(None) }
}

fn check_escapes(content: &[u8], kind: Kind) -> Result<(), usize> {
    let is_json5 = kind == Kind::Text5;
    let mut at = 0;
    while let Some(&byte) = content.get(at) {
        if is_plain(byte) || byte == b'\'' {
            at += 1;
            continue;
        }
        if byte != b'\\' {
            // A double quote, or a control character.
            if !is_json5 {
                return Err(at);
            }
            at += 1;
            continue;
        }
        at += match content.get(at + 1) {
            None => return Err(at),
            // As in SQLite a NUL counts as one of these.
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' | 0) => 2,
            Some(b'u') => {
                let digits = content.get(at + 2..at + 6);
                if !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
                    return Err(at);
                }
                2
            }
            Some(_) if !is_json5 => return Err(at),
            Some(_) => match escape_length(&content[at..]) {
                Some(len) => len,
                None => return Err(at),
            },
        };
    }
    Ok(())
}

/// The length of an escape of JSON5; as in SQLite hexadecimal digits are counted, not looked at.
fn escape_length(content: &[u8]) -> Option<usize> {
    match content.get(1) {
        Some(b'u') => (content.len() >= 6).then_some(6),
        Some(b'x') => (content.len() >= 4).then_some(4),
        Some(b'\n' | b'\r') => {
            let skip = if content[1..].starts_with(b"\r\n") { 3 } else { 2 };
            match content.get(skip) {
                Some(b'\\') => escape_length(&content[skip..]).map(|len| skip + len),
                _ => unescape_character(content).0.map(|_| unescape_character(content).1),
            }
        }
        _ => match unescape_character(content) {
            (Some(_), len) => Some(len),
            (None, _) => None,
        },
    }
}
