//! The texts of JSON strings: escapes resolved, and made.
//!
//! Neighbours: `parse` accepts escapes, `path` compares labels, `render` writes strings.

use std::borrow::Cow;
use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::node::Kind;
use super::space::{is_line_separator, is_plain};
use crate::error::Result;
use crate::function::call::{Pace, make_room};
use crate::function::coerce::{decode_character, push_character};
use crate::function::text::hex_digit;

/// The text of a string node's payload.
pub(super) fn unescape(kind: Kind, payload: &[u8]) -> Cow<'_, [u8]> {
    if kind.is_raw_text() || !payload.contains(&b'\\') {
        return Cow::Borrowed(payload);
    }
    let mut out = Vec::with_capacity(payload.len());
    let mut at = 0;
    while at < payload.len() {
        if payload[at] == b'\\' {
            let (code, len) = unescape_character(&payload[at..]);
            // What is no character is left out.
            if let Some(code) = code {
                push_character(code, &mut out);
            }
            at += len;
        } else {
            out.push(payload[at]);
            at += 1;
        }
    }
    Cow::Owned(out)
}

/// The character of the escape at the front, if it is one, and the bytes it takes (at least
/// one).
pub(super) fn unescape_character(text: &[u8]) -> (Option<u32>, usize) {
    let len = text.len();
    let code = |code: u8| (Some(u32::from(code)), 2);
    match text.get(1) {
        None => (None, len),
        Some(b'u') => match hex_number(text, 2, 4) {
            None => (None, len),
            Some(high) => match low_surrogate(high, text) {
                Some(low) => (Some(((high & 0x3FF) << 10) + (low & 0x3FF) + 0x1_0000), 12),
                None => (Some(high), 6),
            },
        },
        Some(b'x') => hex_number(text, 2, 2).map_or((None, len), |code| (Some(code), 4)),
        Some(b'b') => code(0x08),
        Some(b'f') => code(0x0C),
        Some(b'n') => code(b'\n'),
        Some(b'r') => code(b'\r'),
        Some(b't') => code(b'\t'),
        Some(b'v') => code(0x0B),
        Some(b'0') if text.get(2).is_some_and(u8::is_ascii_digit) => (None, 2),
        Some(b'0') => code(0),
        Some(&byte @ (b'\'' | b'"' | b'/' | b'\\')) => code(byte),
        Some(0xE2 | b'\r' | b'\n') => behind_line_end(text),
        Some(_) => (None, 2),
    }
}

/// An escaped end of line is nothing: what counts is the character behind.
fn behind_line_end(text: &[u8]) -> (Option<u32>, usize) {
    let mut skip = 0;
    loop {
        skip += match &text[skip..] {
            [b'\\', b'\r', b'\n', ..] => 3,
            [b'\\', b'\n' | b'\r', ..] => 2,
            [b'\\', rest @ ..] if is_line_separator(rest) => 4,
            _ => break,
        };
    }
    match text.get(skip) {
        _ if skip == 0 => (None, text.len()),
        None => (Some(0), text.len()),
        Some(b'\\') => {
            // Not the end of a line: one step deep.
            let (code, len) = unescape_character(&text[skip..]);
            (code, skip + len)
        }
        Some(_) => {
            let (code, len) = decode_character(&text[skip..]);
            (Some(code), skip + len)
        }
    }
}

fn low_surrogate(high: u32, text: &[u8]) -> Option<u32> {
    if high & 0xFC00 != 0xD800 || text.get(6..8) != Some(b"\\u") {
        return None;
    }
    hex_number(text, 8, 4).filter(|low| low & 0xFC00 == 0xDC00)
}

fn hex_number(text: &[u8], at: usize, count: usize) -> Option<u32> {
    let digits = text.get(at..at + count)?;
    digits.iter().try_fold(0, |code, &digit| Some(code << 4 | u32::from(hex_digit(digit)?)))
}

/// Whether two labels are equal; each is raw or has escapes.
pub(super) fn labels_equal(left: &[u8], left_raw: bool, right: &[u8], right_raw: bool) -> bool {
    if left_raw && right_raw {
        return left == right;
    }
    let (mut left, mut right) = (left, right);
    loop {
        let code = next_character(&mut left, left_raw);
        if code != next_character(&mut right, right_raw) {
            return false;
        }
        if code == Some(0) {
            return true;
        }
    }
}

/// A number that equal labels have in common.
pub(super) fn label_hash(mut text: &[u8], is_raw: bool) -> u64 {
    let mut hasher = FxHasher::default();
    loop {
        let code = next_character(&mut text, is_raw);
        if code == Some(0) {
            return hasher.finish();
        }
        hasher.write_u32(code.unwrap_or(u32::MAX));
    }
}

fn next_character(text: &mut &[u8], is_raw: bool) -> Option<u32> {
    let (code, len) = match text.first() {
        None => (Some(0), 0),
        Some(b'\\') if !is_raw => unescape_character(text),
        Some(_) => {
            let (code, len) = decode_character(text);
            (Some(code), len)
        }
    };
    *text = &text[len..];
    code
}

/// Appends `text` as a JSON string.
pub(super) fn push_string(text: &[u8], pace: &mut Pace<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'"');
    for piece in pace.pieces(text) {
        let piece = piece?;
        make_room(out, piece.len() * 2)?;
        for &byte in piece {
            match byte {
                _ if is_plain(byte) || byte == b'\'' => out.push(byte),
                b'"' | b'\\' => out.extend([b'\\', byte]),
                _ => push_control(byte, out),
            }
        }
    }
    out.push(b'"');
    Ok(())
}

/// Appends the escape of a control character.
pub(super) fn push_control(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0C => b'f',
        b'\r' => b'r',
        _ => {
            out.extend(format!("\\u{byte:04x}").bytes());
            return;
        }
    };
    out.extend([b'\\', short]);
}
