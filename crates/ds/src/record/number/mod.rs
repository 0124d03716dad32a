//! SQL's numbers: how integers and reals compare, convert into each other, and overflow.
//!
//! A number is a 64-bit integer or a 64-bit float, and the two are one ordered set: comparing
//! them must not round (2^53 + 1 is greater than 2^53 as a real, although the conversion of
//! the first to a real is equal to the second). Arithmetic on integers that leaves their range
//! goes on in reals. Every rule is SQLite's, so that a value takes the same type in both.
//! Neighbours: `parse` reads numbers from text, `print` writes
//! them, `key` orders their bytes.

#![allow(clippy::float_cmp, reason = "these are the rules of exact comparison")]

mod parse;
mod power;
mod print;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;

pub use parse::{
    NumberText, affinity_number, cast_integer, cast_number, cast_real, operand_number,
};
pub use print::{Decimal, REAL_TEXT_DIGITS, integer_text, push_integer, push_real, real_text};

use super::ValueRef;

/// 2^63 as a real: the first value above every `i64`.
const INTEGER_END: f64 = 9_223_372_036_854_775_808.0;

/// A number of either representation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
}

impl Number {
    /// The nearest real.
    pub fn to_real(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Real(value) => value,
        }
    }

    /// The integer part, clamped to the range of integers.
    pub fn to_integer(self) -> i64 {
        match self {
            Self::Integer(value) => value,
            Self::Real(value) => real_to_integer(value),
        }
    }

    /// The exact order of two numbers; a NaN (which SQL stores as NULL) comes first.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(&right),
            (Self::Integer(left), Self::Real(right)) => compare_integer_real(left, right),
            (Self::Real(left), Self::Integer(right)) => compare_integer_real(right, left).reverse(),
            (Self::Real(left), Self::Real(right)) => compare_reals(left, right),
        }
    }
}

impl From<Number> for ValueRef<'static> {
    /// The number as a value; a NaN is NULL.
    fn from(number: Number) -> Self {
        match number {
            Number::Integer(value) => Self::Integer(value),
            Number::Real(value) if value.is_nan() => Self::Null,
            Number::Real(value) => Self::Real(value),
        }
    }
}

/// The exact order of an integer and a real; a NaN comes before every integer.
pub fn compare_integer_real(integer: i64, real: f64) -> Ordering {
    if real.is_nan() || real < -INTEGER_END {
        return Ordering::Greater;
    }
    if real >= INTEGER_END {
        return Ordering::Less;
    }
    // Within the range the cast cuts off a fraction and nothing else, so that equal integer
    // parts leave only the fraction to decide.
    let whole = real as i64;
    integer.cmp(&whole).then_with(|| {
        let fraction = real - real.trunc();
        if fraction > 0.0 {
            Ordering::Less
        } else if fraction < 0.0 {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    })
}

/// The order of two reals: both zeros are equal, a NaN comes first.
pub fn compare_reals(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
}

/// The integer part of a real, clamped to the range of integers; zero for a NaN.
pub fn real_to_integer(real: f64) -> i64 {
    real as i64
}

/// The integer that equals `real` exactly, if there is one.
pub fn real_is_integer(real: f64) -> Option<i64> {
    // The cast saturates; 2^63 is the one real that would compare equal after it.
    let integer = real as i64;
    (integer as f64 == real && real < INTEGER_END).then_some(integer)
}

/// The integer that a real becomes under INTEGER or NUMERIC affinity: the one that equals it,
/// unless it is the least or greatest integer (where the real may stand for others, too).
pub fn real_integer_affinity(real: f64) -> Option<i64> {
    real_is_integer(real).filter(|&integer| integer != i64::MIN && integer != i64::MAX)
}

/// `left + right`, as a real where the integers overflow.
pub fn add_integers(left: i64, right: i64) -> Number {
    match left.checked_add(right) {
        Some(sum) => Number::Integer(sum),
        None => Number::Real(left as f64 + right as f64),
    }
}

/// `left - right`, as a real where the integers overflow.
pub fn subtract_integers(left: i64, right: i64) -> Number {
    match left.checked_sub(right) {
        Some(difference) => Number::Integer(difference),
        None => Number::Real(left as f64 - right as f64),
    }
}

/// `left * right`, as a real where the integers overflow.
pub fn multiply_integers(left: i64, right: i64) -> Number {
    match left.checked_mul(right) {
        Some(product) => Number::Integer(product),
        None => Number::Real(left as f64 * right as f64),
    }
}

/// `left / right` cut towards zero; `None` (SQL NULL) for a zero divisor.
pub fn divide_integers(left: i64, right: i64) -> Option<Number> {
    if right == 0 {
        return None;
    }
    Some(match left.checked_div(right) {
        Some(quotient) => Number::Integer(quotient),
        None => Number::Real(left as f64 / right as f64),
    })
}

/// The remainder of the division that cuts towards zero; `None` (SQL NULL) for a zero divisor.
pub fn remainder_integers(left: i64, right: i64) -> Option<i64> {
    // The remainder of the least integer by -1 is zero, although their quotient overflows.
    if right == 0 { None } else { Some(left.wrapping_rem(right)) }
}

/// `-value`, as a real for the least integer.
pub fn negate_integer(value: i64) -> Number {
    subtract_integers(0, value)
}
