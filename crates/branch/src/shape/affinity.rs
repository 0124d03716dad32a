//! What a column makes of a value, and when two cells are the same.
//!
//! Cells of several versions are compared as values of the merged column: a column whose type
//! changed on one side has changed no cell by that alone. Neighbours: `row` reads cells, `merge`
//! compares them.

use std::cmp::Ordering;

use pandodb_ds::record::number::{
    self, Number, affinity_number, compare_integer_real, real_integer_affinity,
};
use pandodb_ds::record::{Value, ValueRef};

/// What a column would rather hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Affinity {
    /// Anything, as it comes.
    #[default]
    Blob,
    /// Numbers become text.
    Text,
    /// Text that is a number becomes one; reals without a fraction become integers.
    Numeric,
    /// As numeric.
    Integer,
    /// As numeric, and integers become reals.
    Real,
}

impl Affinity {
    /// `value` as a column of this affinity stores it.
    #[must_use]
    pub fn convert(self, value: Value) -> Value {
        match (self, value.as_ref()) {
            (Self::Text, ValueRef::Integer(integer)) => Value::text(number::integer_text(integer)),
            (Self::Text, ValueRef::Real(real)) => Value::text(number::real_text(real)),
            (Self::Real, ValueRef::Integer(integer)) => Value::Real(integer as f64),
            (Self::Real, ValueRef::Text(text)) => match affinity_number(text) {
                Some(number) => Value::real(number.to_real()),
                None => value,
            },
            (Self::Numeric | Self::Integer, ValueRef::Real(real)) => {
                real_integer_affinity(real).map_or(value, Value::Integer)
            }
            (Self::Numeric | Self::Integer, ValueRef::Text(text)) => match affinity_number(text) {
                Some(Number::Integer(integer)) => Value::Integer(integer),
                Some(Number::Real(real)) => Value::real(real),
                None => value,
            },
            _ => value,
        }
    }
}

/// Whether two cells hold the same: 1 and 1.0 do, 1 and '1' do not, and NULL is NULL.
pub fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Integer(integer), Value::Real(real))
        | (Value::Real(real), Value::Integer(integer)) => {
            compare_integer_real(*integer, *real) == Ordering::Equal
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_compared_as_values_of_the_merged_column() {
        let same = |affinity: Affinity, left: Value, right: Value| {
            is_same(&affinity.convert(left), &affinity.convert(right))
        };
        assert!(same(Affinity::Text, Value::Integer(7), Value::text("7")));
        assert!(same(Affinity::Integer, Value::text("7"), Value::Real(7.0)));
        assert!(same(Affinity::Real, Value::Integer(7), Value::text("7.0")));
        assert!(same(Affinity::Blob, Value::Integer(1), Value::Real(1.0)));
        assert!(!same(Affinity::Blob, Value::Integer(7), Value::text("7")));
        assert!(!same(Affinity::Text, Value::text("7"), Value::blob("7")));
        assert!(same(Affinity::Integer, Value::Null, Value::Null));
        assert!(!same(Affinity::Integer, Value::Null, Value::Integer(0)));
    }
}
