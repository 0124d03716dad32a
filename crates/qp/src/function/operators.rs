//! What SQL's operators do with two values.
//!
//! Integers stay integers until they overflow, then the operation goes on in reals; text and
//! blobs count by their numeric prefix; NULL makes NULL; division by zero is NULL. Affinity
//! is applied before, by whoever knows the columns. Neighbours: `pandodb_ds::record::number`
//! has the arithmetic of two integers.

use pandodb_ds::record::number::{self, Number};
use pandodb_ds::record::{Value, ValueRef};

use super::call::{Context, make_room_for};
use super::coerce::{from_number, integer, push_text, real};
use crate::error::Result;

/// The number an operator sees; `None` for NULL.
fn operand(value: ValueRef<'_>) -> Option<Number> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(integer) => Number::Integer(integer),
        ValueRef::Real(real) => Number::Real(real),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => number::operand_number(bytes),
    })
}

fn arithmetic(
    left: ValueRef<'_>,
    right: ValueRef<'_>,
    integers: fn(i64, i64) -> Number,
    reals: fn(f64, f64) -> f64,
) -> Value {
    match (operand(left), operand(right)) {
        (Some(Number::Integer(left)), Some(Number::Integer(right))) => {
            from_number(integers(left, right))
        }
        // A text is read anew: '-0' has a sign as a real, and none as an integer.
        (Some(_), Some(_)) => Value::real(reals(real(left), real(right))),
        _ => Value::Null,
    }
}

/// `left + right`.
pub fn add(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    arithmetic(left, right, number::add_integers, |left, right| left + right)
}

/// `left - right`.
pub fn subtract(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    arithmetic(left, right, number::subtract_integers, |left, right| left - right)
}

/// `left * right`.
pub fn multiply(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    arithmetic(left, right, number::multiply_integers, |left, right| left * right)
}

/// `left / right`; NULL by zero.
pub fn divide(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    match (operand(left), operand(right)) {
        (Some(Number::Integer(left)), Some(Number::Integer(right))) => {
            number::divide_integers(left, right).map_or(Value::Null, from_number)
        }
        (Some(_), Some(divisor)) if divisor.to_real() != 0.0 => {
            Value::real(real(left) / real(right))
        }
        _ => Value::Null,
    }
}

/// `left % right` of the integer parts; a real if either is one, NULL by zero.
pub fn remainder(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    let (Some(left_number), Some(right_number)) = (operand(left), operand(right)) else {
        return Value::Null;
    };
    if let (Number::Integer(left), Number::Integer(right)) = (left_number, right_number) {
        return number::remainder_integers(left, right).map_or(Value::Null, Value::Integer);
    }
    let remainder = number::remainder_integers(integer(left), integer(right));
    remainder.map_or(Value::Null, |remainder| Value::Real(remainder as f64))
}

/// `-operand`.
pub fn negate(value: ValueRef<'_>) -> Value {
    match operand(value) {
        None => Value::Null,
        Some(Number::Integer(value)) => from_number(number::negate_integer(value)),
        // SQLite subtracts from integer zero, so that zero loses no sign.
        Some(Number::Real(value)) => Value::real(0.0 - value),
    }
}

fn bits(left: ValueRef<'_>, right: ValueRef<'_>, operation: fn(i64, i64) -> i64) -> Value {
    if left.is_null() || right.is_null() {
        return Value::Null;
    }
    Value::Integer(operation(integer(left), integer(right)))
}

/// `left & right`.
pub fn bit_and(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    bits(left, right, |left, right| left & right)
}

/// `left | right`.
pub fn bit_or(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    bits(left, right, |left, right| left | right)
}

/// `~value`.
pub fn bit_not(value: ValueRef<'_>) -> Value {
    if value.is_null() { Value::Null } else { Value::Integer(!integer(value)) }
}

/// `left << right`; a negative distance shifts the other way.
pub fn shift_left(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    bits(left, right, shift)
}

/// `left >> right` with the sign kept; a negative distance shifts the other way.
pub fn shift_right(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    bits(left, right, |left, right| shift(left, right.saturating_neg()))
}

fn shift(value: i64, left_by: i64) -> i64 {
    let distance = left_by.unsigned_abs();
    match (left_by >= 0, u32::try_from(distance)) {
        (true, Ok(distance @ 0..64)) => value << distance,
        (true, _) => 0,
        (false, Ok(distance @ 0..64)) => value >> distance,
        (false, _) => value >> 63,
    }
}

/// `left || right`: always text.
pub fn concatenate(
    context: &Context<'_>,
    left: ValueRef<'_>,
    right: ValueRef<'_>,
) -> Result<Value> {
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    let mut out = Vec::new();
    make_room_for(&mut out, left)?;
    push_text(left, &mut out);
    make_room_for(&mut out, right)?;
    push_text(right, &mut out);
    context.text(out)
}

/// Whether a value counts as true in WHERE, AND, CASE; `None` for NULL.
pub fn truth(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(integer) => Some(integer != 0),
        other => Some(real(other) != 0.0),
    }
}

/// `NOT value`.
pub fn not(value: ValueRef<'_>) -> Value {
    truth(value).map_or(Value::Null, |truth| Value::Integer(i64::from(!truth)))
}

/// `left AND right` of two values that are both at hand.
pub fn and(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    match (truth(left), truth(right)) {
        (Some(false), _) | (_, Some(false)) => Value::Integer(0),
        (Some(true), Some(true)) => Value::Integer(1),
        _ => Value::Null,
    }
}

/// `left OR right` of two values that are both at hand.
pub fn or(left: ValueRef<'_>, right: ValueRef<'_>) -> Value {
    match (truth(left), truth(right)) {
        (Some(true), _) | (_, Some(true)) => Value::Integer(1),
        (Some(false), Some(false)) => Value::Integer(0),
        _ => Value::Null,
    }
}
