//! `+ - * / %`, bits and `||` over vectors.
//!
//! Integers and reals without NULLs have loops of their own, which hand over to the operators of
//! single values where one of them would leave the integers. Neighbours: `expression` calls
//! these, `scalar::operate` the way to the rules.

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use crate::error::Result;
use crate::execute::batch::Run;
use crate::execute::batch::expression::Column;
use crate::execute::batch::vector::{Tag, Tags, Vector};
use crate::scalar::{Binary, operate};

/// `left operator right` for every row.
pub(in crate::execute::batch) fn binary(
    operator: Binary,
    left: &Column,
    right: &Column,
    rows: usize,
    run: &Run<'_>,
) -> Result<Column> {
    let session = run.outer.context.session;
    if let (Column::Constant(left), Column::Constant(right)) = (left, right) {
        return Ok(Column::Constant(operate(operator, left.as_ref(), right.as_ref(), session)?));
    }
    if let Some(vector) = integers(operator, left, right, rows) {
        return Ok(Column::Vector(Arc::new(vector)));
    }
    if let Some(vector) = reals(operator, left, right, rows) {
        return Ok(Column::Vector(Arc::new(vector)));
    }
    Column::of_rows(rows, |row, vector| {
        vector.check_size(0)?;
        vector.push(operate(operator, left.get(row), right.get(row), session)?.as_ref());
        Ok(())
    })
}

/// Integers on one side of an operator.
enum Side<'a> {
    Many(&'a [u64]),
    One(i64),
}

impl<'a> Side<'a> {
    fn of(column: &'a Column) -> Option<Self> {
        match column {
            Column::Vector(vector) if vector.seen() == Tags::INTEGER => {
                Some(Self::Many(vector.bits()))
            }
            Column::Constant(Value::Integer(value)) => Some(Self::One(*value)),
            _ => None,
        }
    }

    #[inline]
    fn get(&self, row: usize) -> i64 {
        match self {
            Self::Many(bits) => bits[row] as i64,
            Self::One(value) => *value,
        }
    }
}

/// All integers, and every result one: else nothing, and somebody else computes it.
fn integers(operator: Binary, left: &Column, right: &Column, rows: usize) -> Option<Vector> {
    let (left, right) = (Side::of(left)?, Side::of(right)?);
    let each = |of: &dyn Fn(i64, i64) -> Option<i64>| -> Option<Vec<u64>> {
        (0..rows).map(|row| Some(of(left.get(row), right.get(row))? as u64)).collect()
    };
    let bits = match (operator, &left, &right) {
        (Binary::Remainder, Side::Many(bits), Side::One(by)) if *by > 0 => remainders(bits, *by),
        (Binary::Add, ..) => each(&i64::checked_add)?,
        (Binary::Subtract, ..) => each(&i64::checked_sub)?,
        (Binary::Multiply, ..) => each(&i64::checked_mul)?,
        (Binary::Divide, ..) => each(&i64::checked_div)?,
        (Binary::Remainder, ..) => {
            each(&|left, right| (right != 0).then(|| left.wrapping_rem(right)))?
        }
        (Binary::BitAnd, ..) => each(&|left, right| Some(left & right))?,
        (Binary::BitOr, ..) => each(&|left, right| Some(left | right))?,
        _ => return None,
    };
    Some(Vector::of_integers(bits))
}

/// Remainders by one divisor; of small numbers, which most are, by the shorter division.
fn remainders(bits: &[u64], by: i64) -> Vec<u64> {
    if let Ok(narrow) = u32::try_from(by)
        && bits.iter().all(|value| u32::try_from(*value).is_ok())
    {
        return bits.iter().map(|value| u64::from(*value as u32 % narrow)).collect();
    }
    bits.iter().map(|value| (*value as i64 % by) as u64).collect()
}

/// Numbers on one side, of which at least the other side's are reals.
fn number(column: &Column, row: usize) -> f64 {
    match column {
        Column::Vector(vector) => match vector.tags()[row] {
            Tag::Integer => vector.bits()[row] as i64 as f64,
            _ => f64::from_bits(vector.bits()[row]),
        },
        Column::Constant(Value::Integer(value)) => *value as f64,
        Column::Constant(Value::Real(value)) => *value,
        Column::Constant(_) => f64::NAN,
    }
}

/// Numbers without NULLs, those of one side all reals: every result is a real (or no number).
fn reals(operator: Binary, left: &Column, right: &Column, rows: usize) -> Option<Vector> {
    let of: fn(f64, f64) -> f64 = match operator {
        Binary::Add => |left, right| left + right,
        Binary::Subtract => |left, right| left - right,
        Binary::Multiply => |left, right| left * right,
        // By zero it is no number here, and NULL in SQL.
        Binary::Divide => |left, right| if right == 0.0 { f64::NAN } else { left / right },
        _ => return None,
    };
    let is_number = |column: &Column| match column {
        Column::Vector(vector) => vector.seen().only(&[Tag::Integer, Tag::Real]),
        Column::Constant(value) => matches!(value, Value::Integer(_) | Value::Real(_)),
    };
    let is_real = |column: &Column| match column {
        Column::Vector(vector) => vector.seen() == Tags::REAL,
        Column::Constant(value) => matches!(value, Value::Real(_)),
    };
    if !(is_number(left) && is_number(right) && (is_real(left) || is_real(right))) {
        return None;
    }
    let plain = match operator {
        Binary::Add => plain_reals(|left, right| left + right, left, right),
        Binary::Subtract => plain_reals(|left, right| left - right, left, right),
        Binary::Multiply => plain_reals(|left, right| left * right, left, right),
        _ => None,
    };
    if let Some(bits) = plain {
        return Some(Vector::of_reals(bits));
    }
    let mut vector = Vector::with_capacity(rows);
    for row in 0..rows {
        vector.push_real(of(number(left, row), number(right, row)));
    }
    Some(vector)
}

/// Reals with reals, or with the same number for all rows: loops that the processor does several
/// rows of at a time. None for other numbers, and where a result is no number.
fn plain_reals(of: impl Fn(f64, f64) -> f64, left: &Column, right: &Column) -> Option<Vec<u64>> {
    let one = |column: &Column| match column {
        Column::Constant(Value::Integer(value)) => Some(*value as f64),
        Column::Constant(Value::Real(value)) => Some(*value),
        _ => None,
    };
    let many = |column: &Column| match column {
        Column::Vector(vector) if vector.seen() == Tags::REAL => Some(Arc::clone(vector)),
        _ => None,
    };
    let real = |bits: &u64| f64::from_bits(*bits);
    let mut is_number = true;
    let mut done = |result: f64| {
        is_number &= !result.is_nan();
        result.to_bits()
    };
    let bits: Vec<u64> = match (many(left), many(right)) {
        (Some(left), Some(right)) => {
            let pairs = left.bits().iter().zip(right.bits());
            pairs.map(|(left, right)| done(of(real(left), real(right)))).collect()
        }
        (Some(left), None) => {
            let right = one(right)?;
            left.bits().iter().map(|left| done(of(real(left), right))).collect()
        }
        (None, Some(right)) => {
            let left = one(left)?;
            right.bits().iter().map(|right| done(of(left, real(right)))).collect()
        }
        (None, None) => return None,
    };
    is_number.then_some(bits)
}

// Neighbours: `expression`, `comparison`.
