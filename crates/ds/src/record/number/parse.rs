//! Numbers from text: the longest numeric prefix, and what CAST, affinity and operators make
//! of it.
//!
//! A number is an optional sign, digits with an optional point (at least one digit on either
//! side of it) and an optional exponent; spaces, tabs and line ends around it do not count. As in
//! SQLite a text ends at a NUL where it is asked whether all of it is a number.
//! Hexadecimal is the business of the SQL tokenizer: here `0x10` is a zero with something
//! behind it. One scan finds the span, and only what a rule asks for is computed from it: the
//! integer by hand (clamped), the real by the standard library's correctly rounded parser.
//! Neighbours: `print` writes what this reads.

use super::{Number, real_integer_affinity, real_to_integer};

/// The integers up to this distance from zero that a CAST to NUMERIC makes of a real text.
const CAST_INTEGER_LIMIT: i64 = 1 << 51;

/// The numeric prefix of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberText<'a> {
    /// The number without the space around it; empty where there is none.
    span: &'a [u8],
    /// Neither a point nor an exponent is in the span.
    is_integer: bool,
    /// Nothing but space surrounds the span, which is not empty.
    is_whole: bool,
    /// Behind the span, and space, stands a NUL.
    ends_at_nul: bool,
}

impl<'a> NumberText<'a> {
    /// Finds the longest numeric prefix of `text` after leading space.
    pub fn scan(text: &'a [u8]) -> Self {
        let text = trim_start(text);
        let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
        let whole_digits = count_digits(text, sign);
        let mut end = sign + whole_digits;
        let mut is_integer = true;
        if text.get(end) == Some(&b'.') {
            let fraction_digits = count_digits(text, end + 1);
            if whole_digits + fraction_digits > 0 {
                end += 1 + fraction_digits;
                is_integer = false;
            }
        }
        if end == sign {
            return Self { span: &[], is_integer: true, is_whole: false, ends_at_nul: false };
        }
        if matches!(text.get(end), Some(b'e' | b'E')) {
            let exponent_sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
            let digits = count_digits(text, end + 1 + exponent_sign);
            if digits > 0 {
                end += 1 + exponent_sign + digits;
                is_integer = false;
            }
        }
        let (span, rest) = text.split_at(end);
        let rest = trim_start(rest);
        let ends_at_nul = rest.first() == Some(&0);
        Self { span, is_integer, is_whole: rest.is_empty() || ends_at_nul, ends_at_nul }
    }

    /// Whether the whole text is a number (with space around it).
    pub fn is_whole(self) -> bool {
        self.is_whole
    }

    /// Whether the text begins with a number at all.
    pub fn is_number(self) -> bool {
        !self.span.is_empty()
    }

    /// Whether the number is written without point and exponent.
    pub fn is_integer(self) -> bool {
        self.is_integer
    }

    /// The number: an integer where it is written as one that fits, and is small where a NUL
    /// follows.
    pub fn number(self) -> Number {
        if self.is_integer
            && let Ok(integer) = self.integer()
            && (!self.ends_at_nul || is_small(integer))
        {
            return Number::Integer(integer);
        }
        Number::Real(self.real())
    }

    /// The nearest real of the whole span; zero where there is no number.
    pub fn real(self) -> f64 {
        // The span is ASCII of the very grammar that the parser accepts.
        std::str::from_utf8(self.span).ok().and_then(|span| span.parse().ok()).unwrap_or(0.0)
    }

    /// The integer before any point or exponent; `Err` with the nearest integer where it does
    /// not fit.
    pub fn integer(self) -> Result<i64, i64> {
        let negative = self.span.first() == Some(&b'-');
        let sign = usize::from(matches!(self.span.first(), Some(b'+' | b'-')));
        let mut value = 0_i64;
        // Counting downwards reaches the least integer, which has no positive counterpart.
        for &byte in self.span.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()) {
            let digit = i64::from(byte - b'0');
            let next = value.checked_mul(10).and_then(|tens| tens.checked_sub(digit));
            let Some(next) = next else {
                return Err(if negative { i64::MIN } else { i64::MAX });
            };
            value = next;
        }
        if negative { Ok(value) } else { value.checked_neg().ok_or(i64::MAX) }
    }
}

/// `CAST(text AS INTEGER)`: the integer prefix, clamped; zero without one.
pub fn cast_integer(text: &[u8]) -> i64 {
    NumberText::scan(text).integer().unwrap_or_else(|clamped| clamped)
}

/// `CAST(text AS REAL)`: the numeric prefix; zero without one.
pub fn cast_real(text: &[u8]) -> f64 {
    NumberText::scan(text).real()
}

/// `CAST(text AS NUMERIC)`: the numeric prefix as an integer where it is written as one that
/// fits, or is a real of an integral value below 2^51; zero without a prefix.
pub fn cast_number(text: &[u8]) -> Number {
    let scanned = NumberText::scan(text);
    if scanned.is_integer
        && let Ok(integer) = scanned.integer()
    {
        return Number::Integer(integer);
    }
    let real = scanned.real();
    match small_integer(real) {
        Some(integer) => Number::Integer(integer),
        None => Number::Real(real),
    }
}

/// What INTEGER, NUMERIC or REAL affinity makes of `text`: a number where all of the text is
/// one, an integer where that loses nothing (where a NUL follows, of the nearest real); `None`
/// where the text stays text.
pub fn affinity_number(text: &[u8]) -> Option<Number> {
    let scanned = NumberText::scan(text);
    if !scanned.is_whole {
        return None;
    }
    if scanned.is_integer
        && !scanned.ends_at_nul
        && let Ok(integer) = scanned.integer()
    {
        return Some(Number::Integer(integer));
    }
    let real = scanned.real();
    Some(match real_integer_affinity(real) {
        Some(integer) => Number::Integer(integer),
        None => Number::Real(real),
    })
}

/// What an arithmetic operator makes of `text`: the numeric prefix, an integer only where it
/// is written as one that fits and no NUL follows; integer zero without a prefix.
pub fn operand_number(text: &[u8]) -> Number {
    let scanned = NumberText::scan(text);
    if scanned.ends_at_nul { Number::Real(scanned.real()) } else { scanned.number() }
}

/// The integer equal to `real`, if its distance from zero is below 2^51.
fn small_integer(real: f64) -> Option<i64> {
    let integer = real_to_integer(real);
    (is_small(integer) && integer as f64 == real).then_some(integer)
}

/// Whether a CAST to NUMERIC makes this integer of a real.
fn is_small(integer: i64) -> bool {
    (-CAST_INTEGER_LIMIT..CAST_INTEGER_LIMIT).contains(&integer)
}

/// The number of digits of `text` from `start` on.
fn count_digits(text: &[u8], start: usize) -> usize {
    text.iter().skip(start).take_while(|byte| byte.is_ascii_digit()).count()
}

/// `text` without the space that SQL knows: blank, tab, line feed, vertical tab, form feed and
/// carriage return.
fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    &text[spaces..]
}
