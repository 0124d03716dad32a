//! A dynamic SQL value, owned and borrowed.
//!
//! Text is bytes that are meant to be UTF-8: SQL can make text of any bytes (`CAST(x'ff' AS
//! TEXT)`), so nothing here assumes validity. Neighbours: `row` stores values, `key` orders
//! them, `number` converts them.

use crate::sync::Arc;

/// An owned SQL value; cloning never copies text or blobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// SQL NULL.
    #[default]
    Null,
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float; never a NaN, which SQL stores as NULL.
    Real(f64),
    /// Text: bytes that are meant to be UTF-8.
    Text(Arc<[u8]>),
    /// Uninterpreted bytes.
    Blob(Arc<[u8]>),
}

/// A SQL value borrowed from a page, a row or a [`Value`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ValueRef<'a> {
    /// SQL NULL.
    #[default]
    Null,
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// Text: bytes that are meant to be UTF-8.
    Text(&'a [u8]),
    /// Uninterpreted bytes.
    Blob(&'a [u8]),
}

impl Value {
    /// Text from a string.
    pub fn text(text: impl AsRef<[u8]>) -> Self {
        Self::Text(Arc::from(text.as_ref()))
    }

    /// A blob from bytes.
    pub fn blob(bytes: impl AsRef<[u8]>) -> Self {
        Self::Blob(Arc::from(bytes.as_ref()))
    }

    /// A real, or NULL for a NaN.
    pub fn real(value: f64) -> Self {
        if value.is_nan() { Self::Null } else { Self::Real(value) }
    }

    /// The same value, borrowed.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }

    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl ValueRef<'_> {
    /// The same value, owned.
    pub fn to_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(value),
            Self::Real(value) => Value::Real(value),
            Self::Text(text) => Value::Text(Arc::from(text)),
            Self::Blob(bytes) => Value::Blob(Arc::from(bytes)),
        }
    }

    /// Whether this is NULL.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        value.as_ref()
    }
}
