//! Scalar functions on text and blobs.
//!
//! Texts are bytes, characters are counted as SQLite counts them (see `coerce`), and most
//! functions stop at a NUL, where a C string ends: that is what SQLite does, and what data
//! written by it expects. Letters fold within ASCII. Neighbours: `pattern` matches,
//! `print` formats.

use std::borrow::Cow;

use memchr::memmem;
use pandodb_ds::record::{Value, ValueRef};

use super::call::{Context, Pace, argument_error, check_memory, make_room, make_room_for, room};
use super::coerce::{
    character_count, character_len, character_offset, decode_character, integer, push_character,
    push_text, text, until_nul,
};
use super::print::quote_paced;
use crate::error::Result;

pub(super) fn length(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(match args[0] {
        ValueRef::Null => Value::Null,
        ValueRef::Blob(bytes) => Value::Integer(bytes.len() as i64),
        other => match text(other) {
            Some(text) => Value::Integer(character_count(until_nul(&text)) as i64),
            None => Value::Null,
        },
    })
}

pub(super) fn octet_length(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    Ok(text(args[0]).map_or(Value::Null, |text| Value::Integer(text.len() as i64)))
}

pub(super) fn lower(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let Some(text) = text(args[0]) else { return Ok(Value::Null) };
    check_memory(text.len())?;
    context.text(text.to_ascii_lowercase())
}

pub(super) fn upper(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let Some(text) = text(args[0]) else { return Ok(Value::Null) };
    check_memory(text.len())?;
    context.text(text.to_ascii_uppercase())
}

/// `substr(x, start [, count])`: counts from one, from the end where negative; a negative
/// count takes what stands before `start`.
pub(super) fn substr(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    if args.iter().any(|arg| arg.is_null()) {
        return Ok(Value::Null);
    }
    let Some(source) = text(args[0]) else { return Ok(Value::Null) };
    let is_blob = matches!(args[0], ValueRef::Blob(_));
    if is_blob && source.is_empty() {
        // Where nothing can be taken from, SQLite gives nothing.
        return Ok(Value::Null);
    }
    let source = if is_blob { &source[..] } else { until_nul(&source) };
    let start = integer(args[1]);
    let count = args.get(2).map_or(i64::MAX, |&count| integer(count));
    let len = || if is_blob { source.len() } else { character_count(source) };
    let (skip, take) = substr_range(start, count, || len() as i128);
    if is_blob {
        let begin = skip.min(source.len());
        let end = begin.saturating_add(take).min(source.len());
        return context.blob(copied(&source[begin..end])?);
    }
    let rest = &source[character_offset(source, skip)..];
    context.text(copied(&rest[..character_offset(rest, take)])?)
}

fn copied(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = room(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(out)
}

/// How many characters `substr` skips and takes.
fn substr_range(start: i64, count: i64, len: impl FnOnce() -> i128) -> (usize, usize) {
    let (mut start, mut count) = (i128::from(start), i128::from(count));
    let backwards = count < 0;
    count = count.abs();
    if start < 0 {
        start += len();
        if start < 0 {
            count = (count + start).max(0);
            start = 0;
        }
    } else if start > 0 {
        start -= 1;
    } else if count > 0 {
        // Position zero is an empty place before the first character.
        count -= 1;
    }
    if backwards {
        start -= count;
        if start < 0 {
            count += start;
            start = 0;
        }
    }
    let bounded = |value: i128| usize::try_from(value.max(0)).unwrap_or(usize::MAX);
    (bounded(start), bounded(count))
}

pub(super) fn instr(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let (Some(haystack), Some(needle)) = (text(args[0]), text(args[1])) else {
        return Ok(Value::Null);
    };
    if needle.is_empty() {
        return Ok(Value::Integer(1));
    }
    let blobs = matches!((args[0], args[1]), (ValueRef::Blob(_), ValueRef::Blob(_)));
    for found in memmem::find_iter(&haystack, &*needle) {
        if blobs {
            return Ok(Value::Integer(found as i64 + 1));
        }
        // Text matches only where a character begins.
        if found == 0 || haystack[found] & 0xC0 != 0x80 {
            let before = haystack[..found].iter().skip(1).filter(|&&byte| byte & 0xC0 != 0x80);
            let first = usize::from(found > 0);
            return Ok(Value::Integer((before.count() + first) as i64 + 1));
        }
    }
    Ok(Value::Integer(0))
}

pub(super) fn replace(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let (Some(source), Some(pattern)) = (text(args[0]), text(args[1])) else {
        return Ok(Value::Null);
    };
    if pattern.first().is_none_or(|&byte| byte == 0) {
        return context.text(copied(&source)?);
    }
    let Some(replacement) = text(args[2]) else { return Ok(Value::Null) };
    let mut out = room(source.len())?;
    let mut done = 0;
    let mut pace = context.pace();
    for found in memmem::find_iter(&source, &*pattern) {
        pace.step(found - done + replacement.len() + 1)?;
        make_room(&mut out, found - done + replacement.len())?;
        out.extend_from_slice(&source[done..found]);
        out.extend_from_slice(&replacement);
        context.check_length(out.len())?;
        done = found + pattern.len();
    }
    make_room(&mut out, source.len() - done)?;
    out.extend_from_slice(&source[done..]);
    context.text(out)
}

pub(super) fn trim(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    trim_sides(context, args, true, true)
}

pub(super) fn ltrim(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    trim_sides(context, args, true, false)
}

pub(super) fn rtrim(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    trim_sides(context, args, false, true)
}

fn trim_sides(
    context: &Context<'_>,
    args: &[ValueRef<'_>],
    left: bool,
    right: bool,
) -> Result<Value> {
    let Some(source) = text(args[0]) else { return Ok(Value::Null) };
    let set = match args.get(1) {
        None => Cow::Borrowed(&b" "[..]),
        Some(&set) => match text(set) {
            Some(set) => set,
            None => return Ok(Value::Null),
        },
    };
    let set = until_nul(&set);
    let mut kept = &source[..];
    let mut pace = context.pace();
    while left && let Some(len) = member(set, |character| kept.starts_with(character), &mut pace)? {
        kept = &kept[len..];
    }
    while right && let Some(len) = member(set, |character| kept.ends_with(character), &mut pace)? {
        kept = &kept[..kept.len() - len];
    }
    context.text(copied(kept)?)
}

/// The length of the first character of a set that is one.
fn member(set: &[u8], is_it: impl Fn(&[u8]) -> bool, pace: &mut Pace<'_>) -> Result<Option<usize>> {
    let mut rest = set;
    while !rest.is_empty() {
        pace.step(1)?;
        let (character, behind) = rest.split_at(character_len(rest));
        if is_it(character) {
            return Ok(Some(character.len()));
        }
        rest = behind;
    }
    Ok(None)
}

pub(super) fn concat(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    join(context, args, b"")
}

pub(super) fn concat_ws(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    match text(args[0]) {
        None => Ok(Value::Null),
        Some(separator) => join(context, &args[1..], &separator),
    }
}

fn join(context: &Context<'_>, args: &[ValueRef<'_>], separator: &[u8]) -> Result<Value> {
    let mut out = Vec::new();
    let mut any = false;
    for &arg in args.iter().filter(|arg| !arg.is_null()) {
        if any {
            make_room(&mut out, separator.len())?;
            out.extend_from_slice(separator);
        }
        any = true;
        make_room_for(&mut out, arg)?;
        push_text(arg, &mut out);
        context.check_length(out.len())?;
    }
    context.text(out)
}

pub(super) fn hex(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let bytes = text(args[0]).unwrap_or_default();
    context.check_length(bytes.len().saturating_mul(2))?;
    let mut out = room(bytes.len() * 2)?;
    let mut pace = context.pace();
    for piece in pace.pieces(&bytes) {
        push_hex(piece?, &mut out);
    }
    context.text(out)
}

/// Appends two capital hexadecimal digits per byte.
pub(super) fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// `unhex(x [, ignored])`: NULL where `x` is not pairs of digits with ignored characters
/// between the pairs.
pub(super) fn unhex(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let Some(source) = text(args[0]) else { return Ok(Value::Null) };
    let ignored = match args.get(1) {
        None => Cow::Borrowed(&b""[..]),
        Some(&ignored) => match text(ignored) {
            Some(ignored) => ignored,
            None => return Ok(Value::Null),
        },
    };
    let mut out = room(source.len() / 2)?;
    let mut rest = &source[..];
    let mut pace = context.pace();
    while let Some(&first) = rest.first() {
        pace.step(2)?;
        if let Some(high) = hex_digit(first) {
            let Some(low) = rest.get(1).copied().and_then(hex_digit) else {
                return Ok(Value::Null);
            };
            out.push(high << 4 | low);
            rest = &rest[2..];
        } else {
            let (code, len) = decode_character(rest);
            if code == 0 && first == 0 {
                // A NUL ends the text, as in C.
                return context.blob(out);
            }
            pace.step(ignored.len())?;
            if !contains_character(&ignored, code) {
                return Ok(Value::Null);
            }
            rest = &rest[len..];
        }
    }
    context.blob(out)
}

fn contains_character(mut set: &[u8], code: u32) -> bool {
    while !set.is_empty() {
        let (member, len) = decode_character(set);
        if member == code {
            return true;
        }
        set = &set[len..];
    }
    false
}

/// The value of a hexadecimal digit.
pub(super) fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

pub(super) fn char(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let mut out = Vec::with_capacity(args.len());
    for &arg in args {
        let code = u32::try_from(integer(arg)).ok().filter(|&code| code <= 0x10_FFFF);
        push_character(code.unwrap_or(0xFFFD), &mut out);
    }
    context.text(out)
}

pub(super) fn unicode(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let Some(source) = text(args[0]) else { return Ok(Value::Null) };
    Ok(match decode_character(&source) {
        (0, _) => Value::Null,
        (code, _) => Value::Integer(i64::from(code)),
    })
}

pub(super) fn soundex(_: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let source = text(args[0]).unwrap_or_default();
    let mut letters = until_nul(&source).iter().copied();
    let Some(first) = letters.find(u8::is_ascii_alphabetic) else {
        return Ok(Value::text("?000"));
    };
    let mut code = vec![first.to_ascii_uppercase()];
    let mut previous = soundex_digit(first);
    for letter in letters {
        if code.len() == 4 {
            break;
        }
        let digit = soundex_digit(letter);
        if digit == 0 {
            previous = 0;
        } else if digit != previous {
            previous = digit;
            code.push(b'0' + digit);
        }
    }
    code.resize(4, b'0');
    Ok(Value::text(code))
}

fn soundex_digit(letter: u8) -> u8 {
    // SQLite looks at seven bits only.
    match (letter & 0x7F).to_ascii_lowercase() {
        b'b' | b'f' | b'p' | b'v' => 1,
        b'c' | b'g' | b'j' | b'k' | b'q' | b's' | b'x' | b'z' => 2,
        b'd' | b't' => 3,
        b'l' => 4,
        b'm' | b'n' => 5,
        b'r' => 6,
        _ => 0,
    }
}

pub(super) fn quote(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    context.text(quote_paced(args[0], false, &mut context.pace())?)
}

pub(super) fn unistr_quote(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    context.text(quote_paced(args[0], true, &mut context.pace())?)
}

/// `unistr(x)`: resolves `\XXXX`, `\uXXXX`, `\+XXXXXX`, `\UXXXXXXXX` and `\\`.
pub(super) fn unistr(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let Some(source) = text(args[0]) else { return Ok(Value::Null) };
    let mut out = room(source.len())?;
    let mut rest = &source[..];
    let mut pace = context.pace();
    // Behind a NUL SQLite looks for no escapes.
    while let Some(at) = memchr::memchr2(0, b'\\', rest).filter(|&at| rest[at] != 0) {
        pace.step(at + 1)?;
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let (skip, digits) = match rest.first() {
            Some(b'\\') => {
                out.push(b'\\');
                rest = &rest[1..];
                continue;
            }
            Some(b'+') => (1, 6),
            Some(b'u') => (1, 4),
            Some(b'U') => (1, 8),
            _ => (0, 4),
        };
        let Some(code) = rest.get(skip..skip + digits).and_then(hex_number) else {
            return Err(argument_error("invalid Unicode escape"));
        };
        push_character(code, &mut out);
        rest = &rest[skip + digits..];
    }
    out.extend_from_slice(rest);
    context.text(out)
}

/// The number that hexadecimal digits spell (at most eight).
fn hex_number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |code, &digit| Some(code << 4 | u32::from(hex_digit(digit)?)))
}
