//! Values of a statement's parameters, as they are bound and as expressions read them.
//!
//! A statement that is run again and again gets new values each time, and most texts among them
//! are read once: a counted allocation for each would be made and freed for every row that is
//! loaded. So each parameter has room of its own, which the next value uses again.
//! Neighbours: `context` hands them to expressions, `session::statement` binds them.

use pandodb_ds::record::{Value, ValueRef};

/// Room for values that are no longer than this stays when a shorter one comes.
const KEPT_BYTES: usize = 4096;

/// The values of a running statement's parameters.
#[derive(Clone, Copy, Debug)]
pub enum Parameters<'a> {
    /// Made for this run.
    Values(&'a [Value]),
    /// Bound to a statement.
    Bound(&'a Bindings),
}

impl<'a> Parameters<'a> {
    /// The value of the parameter at `index`, counted from 0; NULL where there is none.
    #[inline]
    pub fn get(self, index: usize) -> ValueRef<'a> {
        match self {
            Self::Values(values) => values.get(index).map_or(ValueRef::Null, Value::as_ref),
            Self::Bound(bindings) => bindings.get(index),
        }
    }
}

/// What is bound to the parameters of a statement.
#[derive(Debug, Default)]
pub struct Bindings(Vec<Bound>);

/// What is bound to one parameter.
#[derive(Debug, Default)]
struct Bound {
    kind: Kind,
    /// The integer, or the bits of the real.
    bits: u64,
    /// The text or the blob.
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Null,
    Integer,
    Real,
    Text,
    Blob,
}

impl Bindings {
    /// As many parameters as `count`, all NULL.
    pub fn new(count: usize) -> Self {
        let mut bindings = Self::default();
        bindings.resize(count);
        bindings
    }

    /// How many parameters there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes away parameters at the end, or adds some that are NULL.
    pub fn resize(&mut self, count: usize) {
        self.0.resize_with(count, Bound::default);
    }

    /// Binds a value to the parameter at `index`, counted from 0; false where there is none.
    #[inline]
    pub fn set(&mut self, index: usize, value: ValueRef<'_>) -> bool {
        let Some(bound) = self.0.get_mut(index) else { return false };
        bound.set(value);
        true
    }

    /// Sets all to NULL and lets their memory go.
    pub fn clear(&mut self) {
        self.0.fill_with(Bound::default);
    }

    /// The value of the parameter at `index`, counted from 0; NULL where there is none.
    #[inline]
    pub fn get(&self, index: usize) -> ValueRef<'_> {
        self.0.get(index).map_or(ValueRef::Null, Bound::get)
    }

    /// Copies of all values.
    pub fn to_values(&self) -> Vec<Value> {
        self.0.iter().map(|bound| bound.get().to_owned()).collect()
    }
}

impl Bound {
    #[inline]
    fn set(&mut self, value: ValueRef<'_>) {
        let (kind, bytes): (_, &[u8]) = match value {
            ValueRef::Null => (Kind::Null, &[]),
            ValueRef::Integer(number) => {
                self.bits = number as u64;
                (Kind::Integer, &[])
            }
            // SQL has no NaN: it is NULL.
            ValueRef::Real(number) if number.is_nan() => (Kind::Null, &[]),
            ValueRef::Real(number) => {
                self.bits = number.to_bits();
                (Kind::Real, &[])
            }
            ValueRef::Text(bytes) => (Kind::Text, bytes),
            ValueRef::Blob(bytes) => (Kind::Blob, bytes),
        };
        self.kind = kind;
        if self.bytes.capacity() > KEPT_BYTES && bytes.len() < self.bytes.capacity() / 2 {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }

    #[inline]
    fn get(&self) -> ValueRef<'_> {
        match self.kind {
            Kind::Null => ValueRef::Null,
            Kind::Integer => ValueRef::Integer(self.bits as i64),
            Kind::Real => ValueRef::Real(f64::from_bits(self.bits)),
            Kind::Text => ValueRef::Text(&self.bytes),
            Kind::Blob => ValueRef::Blob(&self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_takes_the_place_of_the_one_before() {
        let long = vec![7; KEPT_BYTES * 4];
        let values = [
            ValueRef::Text(b"a text"),
            ValueRef::Integer(-5),
            ValueRef::Blob(&long),
            ValueRef::Text(b""),
            ValueRef::Real(-0.5),
            ValueRef::Text(b"longer than the one before"),
            ValueRef::Null,
            ValueRef::Blob(b"\0\xff"),
        ];
        let mut bindings = Bindings::new(2);
        for (before, value) in values.iter().zip(&values[1..]) {
            assert!(bindings.set(0, *before) && bindings.set(1, *value));
            assert_eq!((bindings.get(0), bindings.get(1)), (*before, *value));
            assert!(bindings.0[0].bytes.capacity() <= long.len() * 2);
        }
        assert_eq!(bindings.to_values()[1], Value::Blob(b"\0\xff".as_slice().into()));
        assert!(bindings.0[0].bytes.capacity() <= KEPT_BYTES, "a long value's memory goes");
    }

    #[test]
    fn what_is_not_there_is_null_and_cannot_be_bound() {
        let mut bindings = Bindings::new(1);
        assert!(!bindings.set(1, ValueRef::Integer(1)));
        assert_eq!(bindings.get(1), ValueRef::Null);
        assert!(bindings.set(0, ValueRef::Real(f64::NAN)));
        assert_eq!(bindings.get(0), ValueRef::Null, "a NaN is NULL");
        bindings.set(0, ValueRef::Integer(3));
        bindings.clear();
        assert_eq!(bindings.get(0), ValueRef::Null);
    }
}
