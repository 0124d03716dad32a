//! Arguments as what a function needs them to be: text, bytes, an integer, a real.
//!
//! SQLite converts an argument the way `CAST` does, except that blobs pass as text unchanged.
//! Characters are counted as SQLite counts them, which is defined for bytes that are not
//! UTF-8, too: a byte from 0xC0 on takes all continuation bytes behind it. Neighbours:
//! `pandodb_ds::record::number` reads and prints numbers.

use std::borrow::Cow;
use std::cmp::Ordering;

use pandodb_ds::record::collation::compare_values_by;
use pandodb_ds::record::number::{self, Number};
use pandodb_ds::record::{Value, ValueRef};

use super::call::Collation;

/// The text of a value; `None` for NULL. A blob's bytes are taken as text.
pub(super) fn text(value: ValueRef<'_>) -> Option<Cow<'_, [u8]>> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(integer) => Cow::Owned(number::integer_text(integer)),
        ValueRef::Real(real) => Cow::Owned(number::real_text(real)),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cow::Borrowed(bytes),
    })
}

/// Appends the text of a value; nothing for NULL.
pub(super) fn push_text(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Null => {}
        ValueRef::Integer(integer) => number::push_integer(integer, out),
        ValueRef::Real(real) => number::push_real(real, number::REAL_TEXT_DIGITS, out),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => out.extend_from_slice(bytes),
    }
}

/// The integer of a value (zero for NULL): reals are clamped and cut, text by its prefix.
pub(super) fn integer(value: ValueRef<'_>) -> i64 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Integer(integer) => integer,
        ValueRef::Real(real) => number::real_to_integer(real),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => number::cast_integer(bytes),
    }
}

/// The real of a value (zero for NULL), text by its prefix.
pub(super) fn real(value: ValueRef<'_>) -> f64 {
    match value {
        ValueRef::Null => 0.0,
        ValueRef::Integer(integer) => integer as f64,
        ValueRef::Real(real) => real,
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => number::cast_real(bytes),
    }
}

/// The number that a value is or that its whole text spells; blobs are none.
pub(super) fn strict_number(value: ValueRef<'_>) -> Option<Number> {
    match value {
        ValueRef::Integer(integer) => Some(Number::Integer(integer)),
        ValueRef::Real(real) => Some(Number::Real(real)),
        ValueRef::Text(bytes) => {
            let scanned = number::NumberText::scan(bytes);
            scanned.is_whole().then(|| scanned.number())
        }
        ValueRef::Null | ValueRef::Blob(_) => None,
    }
}

/// Text up to its first NUL byte, which is where SQLite's text functions stop.
pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text).map_or(text, |end| &text[..end])
}

/// The length in bytes of the first character of a text that is not empty.
pub(super) fn character_len(text: &[u8]) -> usize {
    match text.first() {
        None => 0,
        Some(&lead) if lead < 0xC0 => 1,
        Some(_) => 1 + text[1..].iter().take_while(|&&byte| byte & 0xC0 == 0x80).count(),
    }
}

/// The number of characters of a text.
pub(super) fn character_count(mut text: &[u8]) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let mut count = 0;
    while !text.is_empty() {
        text = &text[character_len(text)..];
        count += 1;
    }
    count
}

/// The byte offset of character `count` of a text, or its length.
pub(super) fn character_offset(text: &[u8], count: usize) -> usize {
    let mut offset = 0;
    for _ in 0..count {
        if offset >= text.len() {
            break;
        }
        offset += character_len(&text[offset..]);
    }
    offset
}

/// The first character's code point and length; U+FFFD for what is none. Zero and zero at the
/// end.
pub(super) fn decode_character(text: &[u8]) -> (u32, usize) {
    let Some(&lead) = text.first() else { return (0, 0) };
    if lead < 0xC0 {
        return (u32::from(lead), 1);
    }
    let len = character_len(text);
    // What the lead byte contributes; leads of five and six byte forms count as SQLite's
    // table has them.
    let mut code = match lead {
        0xC0..=0xDF => u32::from(lead & 0x1F),
        0xE0..=0xEF => u32::from(lead & 0x0F),
        0xF0..=0xF7 => u32::from(lead & 0x07),
        0xF8..=0xFB => u32::from(lead & 0x03),
        0xFC..=0xFD => u32::from(lead & 0x01),
        0xFE | 0xFF | 0..=0xBF => 0,
    };
    for &byte in &text[1..len] {
        code = code << 6 | u32::from(byte & 0x3F);
    }
    if code < 0x80 || code & 0xFFFF_F800 == 0xD800 || code & 0xFFFF_FFFE == 0xFFFE {
        code = 0xFFFD;
    }
    (code, len)
}

/// Appends the UTF-8 form of a code point (of surrogates, too, as SQLite does).
pub(super) fn push_character(code: u32, out: &mut Vec<u8>) {
    let tail = |shift: u32| 0x80 | (code >> shift & 0x3F) as u8;
    match code {
        0..=0x7F => out.push(code as u8),
        0x80..=0x7FF => out.extend([0xC0 | (code >> 6) as u8, tail(0)]),
        0x800..=0xFFFF => out.extend([0xE0 | (code >> 12) as u8, tail(6), tail(0)]),
        _ => out.extend([0xF0 | (code >> 18 & 7) as u8, tail(12), tail(6), tail(0)]),
    }
}

/// The order of two values: NULL, numbers, text (by the collation), blobs.
pub(super) fn compare(left: ValueRef<'_>, right: ValueRef<'_>, by: Collation<'_>) -> Ordering {
    compare_values_by(left, right, by)
}

/// A number as a value.
pub(super) fn from_number(number: Number) -> Value {
    match number {
        Number::Integer(integer) => Value::Integer(integer),
        Number::Real(real) => Value::real(real),
    }
}
