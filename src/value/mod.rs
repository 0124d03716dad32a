//! SQL values as the library's users see them, owned and borrowed.
//!
//! They are types of this crate and not those of the storage below, so that the storage can
//! change how it keeps text and blobs without breaking a user. Text that a statement returns is
//! meant to be UTF-8, but SQL can make text of any bytes (`CAST(x'ff' AS TEXT)`), so the borrowed
//! form shows bytes. Neighbours: `to_sql` and `from_sql` convert Rust's types, `engine` converts
//! the storage's.

#[cfg(feature = "serde")]
mod deserialize;
mod from_sql;
mod to_sql;

use std::borrow::Cow;
use std::fmt;

pub use from_sql::FromSql;
pub use to_sql::{ToSql, ToSqlOutput};

/// An owned SQL value.
///
/// ```
/// use pandodb::Value;
///
/// let value = Value::from("aspen");
/// assert_eq!(value, Value::Text("aspen".to_owned()));
/// assert_eq!(Value::from(None::<i64>), Value::Null);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// SQL NULL.
    #[default]
    Null,
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A SQL value borrowed from a row.
///
/// ```
/// use pandodb::{Type, ValueRef};
///
/// let value = ValueRef::Text(b"aspen");
/// assert_eq!(value.as_str(), Some("aspen"));
/// assert_eq!(value.data_type(), Type::Text);
/// ```
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
    /// Bytes.
    Blob(&'a [u8]),
}

/// The five storage classes of SQL.
///
/// ```
/// assert_eq!(pandodb::Type::Real.to_string(), "real");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// SQL NULL.
    Null,
    /// A 64-bit signed integer.
    Integer,
    /// A 64-bit float.
    Real,
    /// Text.
    Text,
    /// Bytes.
    Blob,
}

impl Type {
    /// The word that SQL's `typeof` says.
    ///
    /// ```
    /// assert_eq!(pandodb::Type::Blob.as_str(), "blob");
    /// ```
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Text => "text",
            Self::Blob => "blob",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Value {
    /// The storage class.
    ///
    /// ```
    /// assert_eq!(pandodb::Value::from(7).data_type(), pandodb::Type::Integer);
    /// ```
    pub fn data_type(&self) -> Type {
        self.as_ref().data_type()
    }

    /// The same value, borrowed.
    ///
    /// ```
    /// assert_eq!(pandodb::Value::from(7).as_ref().as_i64(), Some(7));
    /// ```
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }

    /// Whether this is NULL.
    ///
    /// ```
    /// assert!(pandodb::Value::Null.is_null());
    /// ```
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'a> ValueRef<'a> {
    /// The storage class.
    ///
    /// ```
    /// assert_eq!(pandodb::ValueRef::Null.data_type(), pandodb::Type::Null);
    /// ```
    pub const fn data_type(self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Integer(_) => Type::Integer,
            Self::Real(_) => Type::Real,
            Self::Text(_) => Type::Text,
            Self::Blob(_) => Type::Blob,
        }
    }

    /// Whether this is NULL.
    ///
    /// ```
    /// assert!(pandodb::ValueRef::Null.is_null());
    /// ```
    pub const fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// The integer, where it is one.
    ///
    /// ```
    /// assert_eq!(pandodb::ValueRef::Integer(7).as_i64(), Some(7));
    /// ```
    pub const fn as_i64(self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// The number, where it is one.
    ///
    /// ```
    /// assert_eq!(pandodb::ValueRef::Real(0.5).as_f64(), Some(0.5));
    /// ```
    pub const fn as_f64(self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(value),
            Self::Integer(value) => Some(value as f64),
            _ => None,
        }
    }

    /// The text, where it is text and valid UTF-8.
    ///
    /// ```
    /// assert_eq!(pandodb::ValueRef::Text(b"oak").as_str(), Some("oak"));
    /// ```
    pub const fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Some(text),
                Err(_) => None,
            },
            _ => None,
        }
    }

    /// The bytes of a blob or of text.
    ///
    /// ```
    /// assert_eq!(pandodb::ValueRef::Blob(&[1, 2]).as_bytes(), Some(&[1u8, 2][..]));
    /// ```
    pub const fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text with what is no UTF-8 replaced, where it is text.
    ///
    /// ```
    /// assert_eq!(pandodb::ValueRef::Text(b"a\xff").to_text().unwrap(), "a\u{fffd}");
    /// ```
    pub fn to_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(bytes) => Some(String::from_utf8_lossy(bytes)),
            _ => None,
        }
    }

    /// The same value, owned; what is no UTF-8 in a text is replaced.
    ///
    /// ```
    /// use pandodb::{Value, ValueRef};
    /// assert_eq!(ValueRef::Text(b"oak").to_owned(), Value::from("oak"));
    /// ```
    pub fn to_owned(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(value),
            Self::Real(value) => Value::Real(value),
            Self::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
            Self::Blob(bytes) => Value::Blob(bytes.to_vec()),
        }
    }
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        value.as_ref()
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        value.to_owned()
    }
}

macro_rules! value_from {
    ($($kind:ident($inner:ty): $($from:ty),+;)+) => {$($(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$kind(<$inner>::from(value))
            }
        }
    )+)+};
}

value_from! {
    Integer(i64): i8, i16, i32, i64, u8, u16, u32, bool;
    Real(f64): f32, f64;
    Text(String): &str, String, Box<str>, Cow<'_, str>;
    Blob(Vec<u8>): Vec<u8>, &[u8];
}

impl<T> From<Option<T>> for Value
where
    Value: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

/// The text that SQL's `CAST(... AS TEXT)` gives; a NULL has none, a blob is its bytes as text.
impl fmt::Display for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Real(value) => {
                let text = pandodb_ds::record::number::real_text(*value);
                f.write_str(&String::from_utf8_lossy(&text))
            }
            Self::Text(bytes) | Self::Blob(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}
