//! `CAST`: conversion whether the value likes it or not.
//!
//! Neighbours: `affinity` is the gentle form.

use pandodb_ds::record::number::{self, Number, cast_integer, cast_number, cast_real};
use pandodb_ds::record::{Value, ValueRef};

use super::{Affinity, Datum};

/// `CAST(value AS type)` where the type has this affinity.
pub fn cast(value: Datum<'_>, affinity: Affinity) -> Datum<'_> {
    match (affinity, value.as_ref()) {
        (_, ValueRef::Null) | (Affinity::None, _) => value,
        (Affinity::Blob, ValueRef::Blob(_)) | (Affinity::Text, ValueRef::Text(_)) => value,
        (Affinity::Blob, other) => Datum::Owned(Value::blob(text_of(other))),
        (Affinity::Text, other) => Datum::Owned(Value::text(text_of(other))),
        (Affinity::Integer, ValueRef::Real(real)) => Datum::integer(number::real_to_integer(real)),
        (Affinity::Integer, ValueRef::Text(text) | ValueRef::Blob(text)) => {
            Datum::integer(cast_integer(text))
        }
        (Affinity::Real, ValueRef::Integer(integer)) => Datum::Ref(ValueRef::Real(integer as f64)),
        (Affinity::Real, ValueRef::Text(text) | ValueRef::Blob(text)) => {
            Datum::Ref(ValueRef::Real(cast_real(text)))
        }
        (Affinity::Numeric, ValueRef::Text(text) | ValueRef::Blob(text)) => {
            match cast_number(text) {
                Number::Integer(integer) => Datum::integer(integer),
                Number::Real(real) => Datum::Ref(ValueRef::Real(real)),
            }
        }
        _ => value,
    }
}

fn text_of(value: ValueRef<'_>) -> Vec<u8> {
    match value {
        ValueRef::Null => Vec::new(),
        ValueRef::Integer(integer) => number::integer_text(integer),
        ValueRef::Real(real) => number::real_text(real),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
    }
}
