//! A value that is borrowed where it can be and owned where it was computed.
//!
//! Evaluating an expression over a row must not copy texts: most are only compared. So columns
//! and constants come out borrowed, results of functions owned. Neighbours: `scalar::evaluate`
//! makes these, results of statements are read through them.

use pandodb_ds::record::{Value, ValueRef};

/// A value, borrowed for `'a` or owned.
#[derive(Clone, Debug)]
pub enum Datum<'a> {
    /// Borrowed from a row, a constant or a parameter.
    Ref(ValueRef<'a>),
    /// Computed.
    Owned(Value),
}

impl Datum<'_> {
    /// SQL NULL.
    pub const NULL: Self = Self::Ref(ValueRef::Null);

    /// An integer.
    #[inline]
    pub const fn integer(value: i64) -> Self {
        Self::Ref(ValueRef::Integer(value))
    }

    /// 1, 0 or NULL.
    #[inline]
    pub fn boolean(value: Option<bool>) -> Self {
        value.map_or(Self::NULL, |value| Self::integer(i64::from(value)))
    }

    /// The value, borrowed from `self`.
    #[inline]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Ref(value) => *value,
            Self::Owned(value) => value.as_ref(),
        }
    }

    /// The value, copied if it was borrowed.
    #[inline]
    pub fn into_value(self) -> Value {
        match self {
            Self::Ref(value) => value.to_owned(),
            Self::Owned(value) => value,
        }
    }

    /// Whether this is NULL.
    #[inline]
    pub fn is_null(&self) -> bool {
        self.as_ref().is_null()
    }
}

impl From<Value> for Datum<'_> {
    fn from(value: Value) -> Self {
        Self::Owned(value)
    }
}

impl<'a> From<&'a Value> for Datum<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Ref(value.as_ref())
    }
}

impl<'a> From<ValueRef<'a>> for Datum<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        Self::Ref(value)
    }
}
