//! LIKE, GLOB and REGEXP.
//!
//! LIKE and GLOB match with one point to come back to, that of the last `%` or `*`: whatever
//! an earlier one could give up, the last one can take instead. So the work is at most
//! pattern times text, and there is no recursion. Letters fold within ASCII only, as in
//! SQLite. Neighbours: `coerce` splits characters, `registry` names the functions.

use pandodb_ds::record::{Value, ValueRef};

use super::call::{Context, Pace, argument_error};
use super::coerce::{character_count, decode_character, text, until_nul};
use crate::error::Result;

/// Upper bound of a compiled regular expression's memory.
const REGEX_BYTES_MAX: usize = 4 << 20;

/// Matches `string` against a LIKE `pattern`.
pub fn like(pattern: &[u8], string: &[u8], escape: Option<u32>) -> bool {
    like_at(pattern, string, escape, &mut Pace::free()).unwrap_or(false)
}

/// As [`like`], in a call that can be ended.
pub(crate) fn like_at(
    pattern: &[u8],
    string: &[u8],
    escape: Option<u32>,
    pace: &mut Pace<'_>,
) -> Result<bool> {
    let (pattern, string) = (until_nul(pattern), until_nul(string));
    if escape.is_none() && pattern.is_ascii() {
        return matches_bytes((pattern, *b"%_"), string, u8::eq_ignore_ascii_case, pace);
    }
    matches(pattern, string, |pattern| like_token(pattern, escape), pace)
}

/// As [`like_at`], telling small letters from capital ones.
fn like_exactly(
    pattern: &[u8],
    string: &[u8],
    escape: Option<u32>,
    pace: &mut Pace<'_>,
) -> Result<bool> {
    let token = |pattern| match like_token(pattern, escape) {
        (Token::Folded(code), len) => (Token::Character(code), len),
        other => other,
    };
    let (pattern, string) = (until_nul(pattern), until_nul(string));
    if escape.is_none() && pattern.is_ascii() {
        return matches_bytes((pattern, *b"%_"), string, u8::eq, pace);
    }
    matches(pattern, string, token, pace)
}

/// Matches `string` against a GLOB `pattern`.
pub fn glob(pattern: &[u8], string: &[u8]) -> bool {
    glob_at(pattern, string, &mut Pace::free()).unwrap_or(false)
}

/// As [`glob`], in a call that can be ended.
pub(crate) fn glob_at(pattern: &[u8], string: &[u8], pace: &mut Pace<'_>) -> Result<bool> {
    let (pattern, string) = (until_nul(pattern), until_nul(string));
    if pattern.is_ascii() && !pattern.contains(&b'[') {
        return matches_bytes((pattern, *b"*?"), string, u8::eq, pace);
    }
    matches(pattern, string, glob_token, pace)
}

/// One element of a pattern.
enum Token<'a> {
    /// Any number of characters.
    Many,
    /// Any one character.
    One,
    /// This character.
    Character(u32),
    /// This character or its other case.
    Folded(u32),
    /// One of a set: what stands behind the bracket.
    Set(&'a [u8]),
    /// Nothing matches (an unfinished element).
    Never,
}

/// Whether the token takes `code`.
fn takes(token: &Token<'_>, code: u32) -> bool {
    match token {
        Token::One => true,
        Token::Character(wanted) => *wanted == code,
        Token::Folded(wanted) => fold(*wanted) == fold(code),
        Token::Set(set) => set_contains(set, code),
        Token::Many | Token::Never => false,
    }
}

fn fold(code: u32) -> u32 {
    if (u32::from(b'A')..=u32::from(b'Z')).contains(&code) { code + 32 } else { code }
}

fn matches<'p>(
    mut pattern: &'p [u8],
    mut string: &[u8],
    next: impl Fn(&'p [u8]) -> (Token<'p>, usize),
    pace: &mut Pace<'_>,
) -> Result<bool> {
    // Where to go on when the rest does not match: behind the last `%`, one character later.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        pace.step(1)?;
        if pattern.is_empty() {
            if string.is_empty() {
                return Ok(true);
            }
        } else {
            let (token, token_len) = next(pattern);
            if matches!(token, Token::Many) {
                pattern = &pattern[token_len..];
                if pattern.is_empty() {
                    return Ok(true);
                }
                retry = Some((pattern, string));
                continue;
            }
            let (code, len) = decode_character(string);
            if len > 0 && takes(&token, code) {
                pattern = &pattern[token_len..];
                string = &string[len..];
                continue;
            }
        }
        let Some((behind, from)) = retry else { return Ok(false) };
        let (_, len) = decode_character(from);
        if len == 0 {
            return Ok(false);
        }
        pattern = behind;
        string = &from[len..];
        retry = Some((pattern, string));
    }
}

/// As [`matches`] for a pattern of ASCII characters, of which two stand for any number of
/// characters and for any one. No byte of a longer character is one of those, so that bytes can be
/// compared; and what stands behind the first of the two is looked for as a byte.
fn matches_bytes(
    (pattern, [many, one]): (&[u8], [u8; 2]),
    string: &[u8],
    equals: impl Fn(&u8, &u8) -> bool,
    pace: &mut Pace<'_>,
) -> Result<bool> {
    // The rest of the string from the first place on where what is behind `many` may begin.
    let begin = |behind: &[u8], string: &'_ [u8]| match behind {
        [first, ..] if *first != many && *first != one => {
            string.iter().position(|byte| equals(first, byte))
        }
        _ => Some(0),
    };
    let (mut wanted, mut rest) = (pattern, string);
    // As there: what is behind the last `many`, and where it was tried.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        pace.step(1)?;
        let goes_on = match (wanted, rest) {
            ([], []) => return Ok(true),
            ([byte, behind @ ..], _) if *byte == many => {
                if behind.is_empty() {
                    return Ok(true);
                }
                let Some(place) = begin(behind, rest) else { return Ok(false) };
                (wanted, rest) = (behind, &rest[place..]);
                retry = Some((wanted, rest));
                true
            }
            ([byte, behind @ ..], [_, ..]) if *byte == one => {
                (wanted, rest) = (behind, &rest[decode_character(rest).1..]);
                true
            }
            ([byte, behind @ ..], [found, more @ ..]) if equals(byte, found) => {
                (wanted, rest) = (behind, more);
                true
            }
            _ => false,
        };
        if goes_on {
            continue;
        }
        let Some((behind, from)) = retry else { return Ok(false) };
        let next = match decode_character(from) {
            (_, 0) => None,
            (_, len) => begin(behind, &from[len..]).map(|place| &from[len + place..]),
        };
        let Some(next) = next else { return Ok(false) };
        (wanted, rest) = (behind, next);
        retry = Some((wanted, rest));
    }
}

fn like_token(pattern: &[u8], escape: Option<u32>) -> (Token<'_>, usize) {
    let (code, len) = decode_character(pattern);
    if escape == Some(code) {
        let (escaped, escaped_len) = decode_character(&pattern[len..]);
        if escaped_len == 0 {
            return (Token::Never, len);
        }
        return (Token::Folded(escaped), len + escaped_len);
    }
    let token = match u8::try_from(code) {
        Ok(b'%') => Token::Many,
        Ok(b'_') => Token::One,
        _ => Token::Folded(code),
    };
    (token, len)
}

fn glob_token(pattern: &[u8]) -> (Token<'_>, usize) {
    let (code, len) = decode_character(pattern);
    match u8::try_from(code) {
        Ok(b'*') => (Token::Many, len),
        Ok(b'?') => (Token::One, len),
        Ok(b'[') => match set_len(&pattern[len..]) {
            Some(set_len) => (Token::Set(&pattern[len..len + set_len]), len + set_len + 1),
            None => (Token::Never, len),
        },
        _ => (Token::Character(code), len),
    }
}

/// The length of a set up to its closing bracket; a bracket in first place is a member.
fn set_len(behind: &[u8]) -> Option<usize> {
    let mut at = usize::from(behind.first() == Some(&b'^'));
    at += usize::from(behind.get(at) == Some(&b']'));
    behind.get(at..)?.iter().position(|&byte| byte == b']').map(|found| at + found)
}

fn set_contains(mut set: &[u8], code: u32) -> bool {
    let inverted = set.first() == Some(&b'^');
    if inverted {
        set = &set[1..];
    }
    let mut seen = false;
    let mut prior = None;
    while !set.is_empty() {
        let (member, len) = decode_character(set);
        set = &set[len..];
        match prior {
            Some(low) if member == u32::from(b'-') && !set.is_empty() => {
                let (high, high_len) = decode_character(set);
                set = &set[high_len..];
                seen |= (low..=high).contains(&code);
                prior = None;
            }
            _ => {
                seen |= member == code;
                // A bracket in first place cannot begin a range.
                prior = (member != u32::from(b']')).then_some(member);
            }
        }
    }
    seen != inverted
}

/// `like(pattern, string [, escape])`.
pub(super) fn like_function(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    check_pattern(context, args[0])?;
    let mut escape = None;
    if let Some(&escape_value) = args.get(2) {
        let Some(escape_text) = text(escape_value) else { return Ok(Value::Null) };
        if character_count(until_nul(&escape_text)) != 1 {
            return Err(argument_error("ESCAPE expression must be a single character"));
        }
        escape = Some(decode_character(&escape_text).0);
    }
    match (text(args[0]), text(args[1])) {
        (Some(pattern), Some(string)) if context.session.is_like_case_sensitive() => {
            like_exactly(&pattern, &string, escape, &mut context.pace()).map(truth)
        }
        (Some(pattern), Some(string)) => {
            like_at(&pattern, &string, escape, &mut context.pace()).map(truth)
        }
        _ => Ok(Value::Null),
    }
}

/// `glob(pattern, string)`.
pub(super) fn glob_function(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    check_pattern(context, args[0])?;
    match (text(args[0]), text(args[1])) {
        (Some(pattern), Some(string)) => glob_at(&pattern, &string, &mut context.pace()).map(truth),
        _ => Ok(Value::Null),
    }
}

/// `regexp(pattern, string)`: finds the pattern anywhere in the string.
pub(super) fn regexp_function(context: &mut Context<'_>, args: &[ValueRef<'_>]) -> Result<Value> {
    let (Some(pattern), Some(string)) = (text(args[0]), text(args[1])) else {
        return Ok(Value::Null);
    };
    let known = context.cache.regex.take().filter(|(source, _)| **source == *pattern);
    let (source, regex) = match known {
        Some(known) => known,
        None => (pattern.to_vec(), compile(&pattern)?),
    };
    let found = regex.is_match(&string);
    context.cache.regex = Some((source, regex));
    Ok(truth(found))
}

fn compile(pattern: &[u8]) -> Result<regex::bytes::Regex> {
    let pattern = std::str::from_utf8(pattern)
        .map_err(|_| argument_error("REGEXP pattern is not valid UTF-8"))?;
    regex::bytes::RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build().map_err(|error| {
        // The library draws a picture over several lines; its last line is the reason.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        argument_error(format!("REGEXP pattern '{pattern}': {reason}"))
    })
}

fn check_pattern(context: &Context<'_>, pattern: ValueRef<'_>) -> Result<()> {
    let len = match pattern {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        _ => 0,
    };
    if len > context.session.pattern_bytes_max() {
        return Err(argument_error("LIKE or GLOB pattern too complex"));
    }
    Ok(())
}

fn truth(value: bool) -> Value {
    Value::Integer(i64::from(value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    /// What comes of going character by character.
    fn slowly(pattern: &[u8], string: &[u8], is_glob: bool, is_exact: bool) -> bool {
        let token = |pattern| match like_token(pattern, None) {
            _ if is_glob => glob_token(pattern),
            (Token::Folded(code), len) if is_exact => (Token::Character(code), len),
            other => other,
        };
        matches(pattern, string, token, &mut Pace::free()).unwrap()
    }

    #[test]
    fn bytes_match_where_characters_do() {
        // Letters of both cases, wildcards of both, longer characters, and bytes that are none.
        const IN_PATTERNS: &[&[u8]] = &[
            b"a",
            b"A",
            b"b",
            b"%",
            b"%",
            b"_",
            b"*",
            b"*",
            b"?",
            b"@",
            b"`",
            "\u{e9}".as_bytes(),
        ];
        const IN_STRINGS: &[&[u8]] = &[
            b"a",
            b"A",
            b"b",
            b"B",
            b"a",
            b"b",
            b"%",
            b"_",
            "\u{e9}".as_bytes(),
            b"\x81",
            b"\xc1",
        ];
        let mut number: usize = 5;
        let mut text = |parts: &[&[u8]], most: usize| {
            let mut draw = |below: usize| {
                number = (number * 1_103_515_245 + 12_345) % (1 << 31);
                (number >> 8) % below
            };
            let len = draw(most);
            (0..len).flat_map(|_| parts[draw(parts.len())].to_vec()).collect::<Vec<u8>>()
        };
        let mut found = 0;
        for _ in 0..60_000 {
            let (pattern, string) = (text(IN_PATTERNS, 7), text(IN_STRINGS, 9));
            let pace = &mut Pace::free();
            let outcomes = [
                (like(&pattern, &string, None), slowly(&pattern, &string, false, false)),
                (
                    like_exactly(&pattern, &string, None, pace).unwrap(),
                    slowly(&pattern, &string, false, true),
                ),
                (glob(&pattern, &string), slowly(&pattern, &string, true, false)),
            ];
            for (way, (fast, slow)) in outcomes.into_iter().enumerate() {
                assert_eq!(fast, slow, "{way}: {pattern:?} {string:?}");
                found += usize::from(fast);
            }
        }
        assert!(found > 10_000, "{found} matches");
    }
}
