//! From Rust's types to SQL values: what may stand for a parameter.
//!
//! Conversions that lose nothing are there for every number type; `u64`, `usize` and `i128` fail
//! where the value does not fit SQL's 64 bits, rather than wrap. Neighbours: `params` (lists of
//! these), `from_sql` (the way back).

use std::borrow::Cow;
use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::value::{Value, ValueRef};

/// The value that a parameter is bound to, owned or borrowed from the caller.
///
/// ```
/// use pandodb::{ToSql, ToSqlOutput, ValueRef};
///
/// assert_eq!("oak".to_sql()?, ToSqlOutput::Borrowed(ValueRef::Text(b"oak")));
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum ToSqlOutput<'a> {
    /// Borrowed from the caller.
    Borrowed(ValueRef<'a>),
    /// Made for the call.
    Owned(Value),
}

impl ToSqlOutput<'_> {
    /// The value, whoever owns it.
    ///
    /// ```
    /// use pandodb::{ToSql, ValueRef};
    /// assert_eq!(7i32.to_sql()?.as_ref(), ValueRef::Integer(7));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Borrowed(value) => *value,
            Self::Owned(value) => value.as_ref(),
        }
    }
}

/// A type that can be bound to a parameter.
///
/// ```
/// use pandodb::{Connection, Result, ToSql, ToSqlOutput, Value};
///
/// struct Celsius(f64);
///
/// impl ToSql for Celsius {
///     fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
///         Ok(ToSqlOutput::Owned(Value::Real(self.0)))
///     }
/// }
///
/// let connection = Connection::open_in_memory()?;
/// let twice: f64 = connection.query_row("SELECT ?1 * 2", [Celsius(21.0)], |row| row.get(0))?;
/// assert_eq!(twice, 42.0);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait ToSql {
    /// The SQL value of this.
    fn to_sql(&self) -> Result<ToSqlOutput<'_>>;
}

macro_rules! by_from {
    ($($type:ty),+) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Owned(Value::from(*self)))
            }
        }
    )+};
}

by_from!(i8, i16, i32, i64, u8, u16, u32, f32, f64, bool);

macro_rules! checked {
    ($($type:ty),+) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                let value = i64::try_from(*self).map_err(|_| {
                    let message = format!("{self} does not fit a 64-bit signed integer");
                    Error::new(ErrorKind::Mismatch, message)
                        .with_hint("bind it as text, or as a blob")
                })?;
                Ok(ToSqlOutput::Owned(Value::Integer(value)))
            }
        }
    )+};
}

checked!(u64, usize, isize, i128, u128);

impl ToSql for str {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.as_bytes())))
    }
}

impl ToSql for [u8] {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self)))
    }
}

impl<const LENGTH: usize> ToSql for [u8; LENGTH] {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self[..].to_sql()
    }
}

impl ToSql for String {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.as_str().to_sql()
    }
}

impl ToSql for Vec<u8> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        self.as_slice().to_sql()
    }
}

impl ToSql for char {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Text(self.to_string())))
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.as_ref()))
    }
}

impl ToSql for ValueRef<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(*self))
    }
}

impl ToSql for () {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Null))
    }
}

impl<T: ToSql> ToSql for Option<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        match self {
            None => Ok(ToSqlOutput::Borrowed(ValueRef::Null)),
            Some(value) => value.to_sql(),
        }
    }
}

impl<T: ToOwned + ToSql + ?Sized> ToSql for Cow<'_, T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        T::to_sql(self)
    }
}

macro_rules! through_reference {
    ($($pointer:ty),+) => {$(
        impl<T: ToSql + ?Sized> ToSql for $pointer {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                T::to_sql(self)
            }
        }
    )+};
}

through_reference!(&T, &mut T, Box<T>, Rc<T>, pandodb_ds::sync::Arc<T>);
