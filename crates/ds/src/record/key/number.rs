//! Numbers in keys: integers and reals as one exact order, small integers in one or two bytes.
//!
//! A number's magnitude is split into its whole part and its fraction, both exact. While the
//! whole part is below 2^53 (above, no real has a fraction) the key stores
//! `v = 2 * whole + 1 if there is a fraction`:
//!
//! ```text
//! v < 96         in the tag
//! v - 96         in 1 to 7 bytes, most significant first, as few as hold it
//! whole          in 8 bytes, from 2^53 on
//! the real bits  in 8 bytes, where no integer reaches
//! ```
//!
//! The fraction follows `v`: 7 bits a byte, most significant first, with the lowest bit of the
//! byte set while more follow, zeros at the end left out. For a whole part of zero these are
//! the bits of the real itself (tiny ones have hundreds of leading zeros) without the upper
//! two, which are zero; else the binary digits behind the point. An odd `v` sorts behind the
//! even one of the bare integer and before the next integer's. All bytes behind the tag of a
//! negative number are inverted: a greater magnitude comes first.
//! Neighbours: `record::number` defines the order that these bytes follow.

use crate::error::{Error, Result};
use crate::record::number::Number;

/// Tags by sign: the largest class of the negative ones is the least tag.
const NEGATIVE_HUGE: u8 = 0x02;
const NEGATIVE_INLINE: u8 = 0x0b;
const ZERO: u8 = 0x6a;
const POSITIVE_BYTES: u8 = 0xca;
const POSITIVE_HUGE: u8 = 0xd2;

/// How many values of `v` have tags of their own.
const INLINE: u64 = 96;

/// The first magnitude without fractions.
const WHOLE_ONLY: u64 = 1 << 53;

/// The class of a huge real, behind those of 1 to 8 bytes.
const HUGE_CLASS: u8 = 9;

/// The longest column: tag, 7 bytes of `v`, 8 bytes of fraction; or tag and 9 of fraction.
const LEN_MAX: usize = 18;

/// 2^63.
const INTEGER_END: f64 = 9_223_372_036_854_775_808.0;

/// Appends an integer.
#[inline]
pub(super) fn push_integer(value: i64, key: &mut Vec<u8>) {
    push(value < 0, value.unsigned_abs(), 0, key);
}

/// Appends a real, which is not a NaN.
pub(super) fn push_real(value: f64, key: &mut Vec<u8>) {
    let magnitude = value.abs();
    if magnitude >= INTEGER_END && value != -INTEGER_END {
        push_bytes(value < 0.0, HUGE_CLASS, magnitude.to_bits(), key);
        return;
    }
    let whole = magnitude.trunc();
    let fraction = magnitude - whole;
    let bits = if fraction == 0.0 {
        0
    } else if whole == 0.0 {
        magnitude.to_bits() << 2
    } else {
        // At most 52 digits behind the point: exact.
        (fraction * 2_f64.powi(64)) as u64
    };
    push(value < 0.0, whole as u64, bits, key);
}

/// Appends a number of the magnitude `whole` and the fraction `bits`.
#[inline]
fn push(negative: bool, whole: u64, bits: u64, key: &mut Vec<u8>) {
    if whole >= WHOLE_ONLY {
        push_bytes(negative, 8, whole, key);
        return;
    }
    let stored = whole << 1 | u64::from(bits != 0);
    if stored < INLINE {
        key.push(if negative { ZERO - stored as u8 } else { ZERO + stored as u8 });
    } else {
        let rest = stored - INLINE;
        let class = (71 - (rest | 1).leading_zeros()) / 8;
        push_bytes(negative, class as u8, rest, key);
    }
    if bits != 0 {
        push_fraction(negative, bits, key);
    }
}

/// Appends the tag of `class` and the low bytes of `value` that it has.
fn push_bytes(negative: bool, class: u8, value: u64, key: &mut Vec<u8>) {
    let (tag, value) = if negative {
        (NEGATIVE_INLINE - class, !value)
    } else {
        (POSITIVE_BYTES + class - 1, value)
    };
    key.push(tag);
    key.extend_from_slice(&value.to_be_bytes()[8 - usize::from(class.min(8))..]);
}

fn push_fraction(negative: bool, mut bits: u64, key: &mut Vec<u8>) {
    let mask = if negative { 0xff } else { 0 };
    while bits != 0 {
        let group = (bits >> 57 << 1) as u8;
        bits <<= 7;
        key.push((group | u8::from(bits != 0)) ^ mask);
    }
}

/// The parts of a number's key: where its bytes are and what they mean.
struct Layout {
    negative: bool,
    /// 0 for `v` in the tag, else the class.
    class: u8,
    /// `v` in the tag.
    inline: u8,
}

impl Layout {
    fn of(tag: u8) -> Result<Self> {
        let (negative, class, inline) = match tag {
            NEGATIVE_HUGE..NEGATIVE_INLINE => (true, NEGATIVE_INLINE - tag, 0),
            NEGATIVE_INLINE..ZERO => (true, 0, ZERO - tag),
            ZERO..POSITIVE_BYTES => (false, 0, tag - ZERO),
            POSITIVE_BYTES..=POSITIVE_HUGE => (false, tag - POSITIVE_BYTES + 1, 0),
            _ => return Err(Error::corrupt(format!("a key has a column of the type {tag:#04x}"))),
        };
        Ok(Self { negative, class, inline })
    }
}

/// The number at the start of `key`, and its length. Integral reals come back as integers.
pub(super) fn decode(key: &[u8], mask: u8) -> Result<(Number, usize)> {
    let Some(&tag) = key.first() else { return Err(cut()) };
    let layout = Layout::of(tag ^ mask)?;
    let mask = if layout.negative { !mask } else { mask };
    let len = usize::from(layout.class.min(8));
    let Some(bytes) = key.get(1..=len) else { return Err(cut()) };
    let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(byte ^ mask));
    if layout.class == HUGE_CLASS {
        return Ok((Number::Real(huge(value, layout.negative)?), 1 + len));
    }
    if layout.class == 8 {
        return Ok((whole_number(value, layout.negative)?, 1 + len));
    }
    let stored = if layout.class == 0 { u64::from(layout.inline) } else { value + INLINE };
    if stored >= WHOLE_ONLY << 1 || (layout.class > 1 && value >> (8 * (len - 1)) == 0) {
        return Err(not_shortest());
    }
    let whole = stored >> 1;
    if stored & 1 == 0 {
        let integer = whole as i64;
        let integer = if layout.negative { -integer } else { integer };
        return Ok((Number::Integer(integer), 1 + len));
    }
    let (bits, fraction_len) = fraction(key.get(1 + len..).unwrap_or(&[]), mask)?;
    let magnitude = magnitude(whole, bits)?;
    let real = if layout.negative { -magnitude } else { magnitude };
    Ok((Number::Real(real), 1 + len + fraction_len))
}

/// The length of the number at the start of `key`.
pub(super) fn skip(key: &[u8], mask: u8) -> Result<usize> {
    let Some(&tag) = key.first() else { return Err(cut()) };
    let layout = Layout::of(tag ^ mask)?;
    let len = 1 + usize::from(layout.class.min(8));
    // The lowest bit of `v` tells whether a fraction follows; adding 96 does not change it.
    let mask = if layout.negative { !mask } else { mask };
    let Some(&last) = key.get(len - 1) else { return Err(cut()) };
    let lowest = if layout.class == 0 { layout.inline } else { last ^ mask };
    if layout.class >= 8 || lowest & 1 == 0 {
        return Ok(len);
    }
    let rest = key.get(len..).unwrap_or(&[]);
    let groups = rest.iter().take(LEN_MAX).take_while(|&byte| (byte ^ mask) & 1 != 0).count();
    if groups < rest.len() { Ok(len + groups + 1) } else { Err(cut()) }
}

/// A real beyond the integers from the bits of its magnitude.
fn huge(bits: u64, negative: bool) -> Result<f64> {
    let magnitude = f64::from_bits(bits);
    let in_class = magnitude >= INTEGER_END && !(negative && magnitude == INTEGER_END);
    match in_class {
        true if negative => Ok(-magnitude),
        true => Ok(magnitude),
        false => Err(not_shortest()),
    }
}

/// An integer of 2^53 or more from its magnitude.
fn whole_number(magnitude: u64, negative: bool) -> Result<Number> {
    let integer = if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    };
    match integer {
        Some(integer) if magnitude >= WHOLE_ONLY => Ok(Number::Integer(integer)),
        _ => Err(not_shortest()),
    }
}

/// The fraction's bits from the left, and how many bytes they take.
fn fraction(stored: &[u8], mask: u8) -> Result<(u64, usize)> {
    let mut bits = 0_u64;
    for (index, byte) in stored.iter().take(10).enumerate() {
        let group = u64::from(byte ^ mask);
        let shift = 57 - 7 * index as i32;
        let value = group >> 1;
        bits |= if shift >= 0 { value << shift } else { value >> -shift };
        let is_lost = shift < 0 && value & ((1 << -shift) - 1) != 0;
        if group & 1 == 0 {
            return if value == 0 || is_lost { Err(not_shortest()) } else { Ok((bits, index + 1)) };
        }
    }
    Err(if stored.len() < 10 { cut() } else { not_shortest() })
}

/// The real with this whole part and these fraction bits, if there is one.
fn magnitude(whole: u64, bits: u64) -> Result<f64> {
    if whole == 0 {
        let real = f64::from_bits(bits >> 2);
        let is_shortest = real < 1.0 && bits.trailing_zeros() >= 2;
        return if is_shortest { Ok(real) } else { Err(not_shortest()) };
    }
    let digits = (64 - whole.leading_zeros()) + (64 - bits.trailing_zeros());
    if digits > 53 {
        return Err(not_shortest());
    }
    Ok(whole as f64 + bits as f64 / 2_f64.powi(64))
}

#[cold]
fn cut() -> Error {
    Error::corrupt("a key ends within a number")
}

#[cold]
fn not_shortest() -> Error {
    Error::corrupt("a key holds a number in a form that is never written")
}
