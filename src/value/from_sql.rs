//! From SQL values to Rust's types: what a column can be read as.
//!
//! Nothing is converted that could lose something: an integer column is not read as text, a real
//! not as an integer, and a number that does not fit its type is an error. `bool` reads any
//! integer (zero is false), `f64` also reads integers, as SQL itself counts them as numbers.
//! Neighbours: `row` names the column in the error, `to_sql` is the way there.

use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::value::{Value, ValueRef};

/// A type that a SQL value can be read as.
///
/// ```
/// use pandodb::{Connection, FromSql, Result, ValueRef};
///
/// #[derive(Debug, PartialEq)]
/// struct Upper(String);
///
/// impl FromSql for Upper {
///     fn from_sql(value: ValueRef<'_>) -> Result<Self> {
///         Ok(Self(String::from_sql(value)?.to_uppercase()))
///     }
/// }
///
/// let connection = Connection::open_in_memory()?;
/// let name: Upper = connection.query_row("SELECT 'oak'", (), |row| row.get(0))?;
/// assert_eq!(name, Upper("OAK".to_owned()));
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait FromSql: Sized {
    /// Reads the value.
    fn from_sql(value: ValueRef<'_>) -> Result<Self>;
}

macro_rules! integers {
    ($($type:ident),+) => {$(
        impl FromSql for $type {
            fn from_sql(value: ValueRef<'_>) -> Result<Self> {
                let number = i64::from_sql(value)?;
                Self::try_from(number).map_err(|_| {
                    let message = format!(
                        "{number} does not fit {} ({} to {})",
                        stringify!($type), Self::MIN, Self::MAX,
                    );
                    Error::new(ErrorKind::Mismatch, message)
                })
            }
        }
    )+};
}

integers!(i8, i16, i32, isize, u8, u16, u32, u64, usize, i128, u128);

impl FromSql for i64 {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        value.as_i64().ok_or_else(|| Error::mismatch(value.data_type(), "an integer"))
    }
}

impl FromSql for bool {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        Ok(i64::from_sql(value)? != 0)
    }
}

impl FromSql for f64 {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        value.as_f64().ok_or_else(|| Error::mismatch(value.data_type(), "a number"))
    }
}

impl FromSql for f32 {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        Ok(f64::from_sql(value)? as Self)
    }
}

impl FromSql for String {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        match (value.as_str(), value) {
            (Some(text), _) => Ok(text.to_owned()),
            (None, ValueRef::Text(_)) => {
                Err(Error::new(ErrorKind::Mismatch, "the text is not valid UTF-8")
                    .with_hint("read it as Vec<u8>, or as a ValueRef"))
            }
            (None, other) => Err(Error::mismatch(other.data_type(), "text")),
        }
    }
}

impl FromSql for Vec<u8> {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        match value.as_bytes() {
            Some(bytes) => Ok(bytes.to_vec()),
            None => Err(Error::mismatch(value.data_type(), "a blob or text")),
        }
    }
}

impl<const LENGTH: usize> FromSql for [u8; LENGTH] {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        let bytes = value.as_bytes();
        let bytes = bytes.ok_or_else(|| Error::mismatch(value.data_type(), "a blob or text"))?;
        bytes.try_into().map_err(|_| {
            let message = format!("{} bytes were found, not {LENGTH}", bytes.len());
            Error::new(ErrorKind::Mismatch, message)
        })
    }
}

impl FromSql for char {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        let text = String::from_sql(value)?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(Error::new(ErrorKind::Mismatch, "the text is not one character")),
        }
    }
}

impl FromSql for Box<str> {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        String::from_sql(value).map(Into::into)
    }
}

impl FromSql for Rc<str> {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        String::from_sql(value).map(Into::into)
    }
}

impl FromSql for pandodb_ds::sync::Arc<str> {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        String::from_sql(value).map(Into::into)
    }
}

impl FromSql for Value {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        Ok(value.to_owned())
    }
}

impl<T: FromSql> FromSql for Option<T> {
    fn from_sql(value: ValueRef<'_>) -> Result<Self> {
        if value.is_null() { Ok(None) } else { T::from_sql(value).map(Some) }
    }
}
