//! Rows as values of `serde`'s types, behind the feature `serde`.
//!
//! A struct is read by the names of its fields, a tuple by the order of the columns, anything
//! else from the first column. The same rules hold as for [`FromSql`](crate::FromSql): nothing is
//! converted that could lose something. Neighbours: `row`.

use std::fmt;

use serde::de::value::{BorrowedBytesDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::{Error, ErrorKind, Result};
use crate::row::Row;
use crate::value::ValueRef;

impl Row<'_> {
    /// Reads the whole row as a value of a type that `serde` can read. Needs the feature `serde`.
    ///
    /// ```
    /// use serde::Deserialize;
    ///
    /// #[derive(Debug, Deserialize, PartialEq)]
    /// struct Tree {
    ///     name: String,
    ///     height: Option<f64>,
    /// }
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let sql = "SELECT 23.5 AS height, 'oak' AS name, 7 AS unused";
    /// let tree: Tree = connection.query_row(sql, (), |row| row.deserialize())?;
    /// assert_eq!(tree, Tree { name: "oak".to_owned(), height: Some(23.5) });
    ///
    /// let pair: (i64, String) =
    ///     connection.query_row("SELECT 1, 'one'", (), |row| row.deserialize())?;
    /// assert_eq!(pair, (1, "one".to_owned()));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        T::deserialize(RowDeserializer { row: self }).map_err(|failure| failure.0)
    }
}

/// This crate's error where `serde` wants one of its own kind.
#[derive(Debug)]
struct Failure(Error);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Error::new(ErrorKind::Mismatch, message.to_string()))
    }
}

struct RowDeserializer<'r> {
    row: &'r Row<'r>,
}

impl<'r> RowDeserializer<'r> {
    fn first(&self) -> ValueDeserializer<'r> {
        ValueDeserializer { value: self.row.get_ref(0).unwrap_or_default() }
    }

    fn columns(&self) -> Columns<'r> {
        Columns { row: self.row, next: 0 }
    }
}

impl<'r> de::Deserializer<'r> for RowDeserializer<'r> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.row.column_count() {
            1 => self.first().deserialize_any(visitor),
            _ => visitor.visit_map(self.columns()),
        }
    }

    fn deserialize_struct<V: Visitor<'r>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_map(self.columns())
    }

    fn deserialize_map<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_map(self.columns())
    }

    fn deserialize_seq<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_seq(self.columns())
    }

    fn deserialize_tuple<V: Visitor<'r>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let count = self.row.column_count();
        if count < length {
            let message = format!("{length} columns are wanted, the row has {count}");
            return Err(Failure(Error::new(ErrorKind::Range, message)));
        }
        visitor.visit_seq(self.columns())
    }

    fn deserialize_tuple_struct<V: Visitor<'r>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'r>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.first().deserialize_option(visitor)
    }

    fn deserialize_enum<V: Visitor<'r>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.first().deserialize_enum(name, variants, visitor)
    }

    fn deserialize_bool<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.first().deserialize_bool(visitor)
    }

    forward_to_deserialize_any! {
        <V: Visitor<'r>>
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct identifier ignored_any
    }
}

/// The columns from the next one on, with or without their names.
struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    fn value<T: DeserializeSeed<'r>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        let at = self.next;
        self.next += 1;
        let value = self.row.get_ref(at).map_err(Failure)?;
        seed.deserialize(ValueDeserializer { value }).map_err(|failure| {
            let name = self.row.column_name(at).unwrap_or("");
            let message = format!("column {name}: {}", failure.0.message());
            Failure(Error::new(failure.0.kind(), message))
        })
    }
}

impl<'r> de::MapAccess<'r> for Columns<'r> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'r>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let Some(name) = self.row.column_name(self.next) else { return Ok(None) };
        seed.deserialize(StrDeserializer::<Failure>::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'r>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        self.value(seed)
    }
}

impl<'r> de::SeqAccess<'r> for Columns<'r> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'r>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        if self.next >= self.row.column_count() {
            return Ok(None);
        }
        self.value(seed).map(Some)
    }
}

/// One value.
struct ValueDeserializer<'r> {
    value: ValueRef<'r>,
}

impl<'r> de::Deserializer<'r> for ValueDeserializer<'r> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.value {
            ValueRef::Null => visitor.visit_unit(),
            ValueRef::Integer(number) => visitor.visit_i64(number),
            ValueRef::Real(number) => visitor.visit_f64(number),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => visitor.visit_borrowed_str(text),
                Err(_) => visitor.visit_borrowed_bytes(bytes),
            },
            ValueRef::Blob(bytes) => visitor.visit_borrowed_bytes(bytes),
        }
    }

    fn deserialize_bool<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.value {
            ValueRef::Integer(number) => visitor.visit_bool(number != 0),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'r>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'r>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let Some(text) = self.value.as_str() else {
            return Err(Failure(Error::mismatch(self.value.data_type(), "the name of a variant")));
        };
        visitor.visit_enum(StrDeserializer::<Failure>::new(text))
    }

    fn deserialize_seq<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        let Some(bytes) = self.value.as_bytes() else { return self.deserialize_any(visitor) };
        // A list of numbers, as `Vec<u8>` asks for its bytes.
        visitor.visit_seq(de::value::SeqDeserializer::<_, Failure>::new(bytes.iter().copied()))
    }

    fn deserialize_bytes<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.value.as_bytes() {
            Some(bytes) => {
                BorrowedBytesDeserializer::<Failure>::new(bytes).deserialize_bytes(visitor)
            }
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'r>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_bytes(visitor)
    }

    forward_to_deserialize_any! {
        <V: Visitor<'r>>
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use std::collections::BTreeMap;

    use serde::Deserialize;

    use crate::{Connection, Result};

    #[allow(clippy::redundant_closure_for_method_calls, reason = "the lifetime needs it")]
    fn read<T: serde::de::DeserializeOwned>(sql: &str) -> Result<T> {
        Connection::open_in_memory().unwrap().query_row(sql, (), |row| row.deserialize())
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Oak,
        Ash,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Tree {
        kind: Kind,
        alive: bool,
        #[serde(default)]
        note: Option<String>,
        bytes: Vec<u8>,
    }

    #[test]
    fn rows_become_structs_tuples_maps_and_values() {
        let tree: Tree = read("SELECT 'ash' AS kind, 1 AS alive, x'00ff' AS bytes").unwrap();
        assert_eq!(tree, Tree { kind: Kind::Ash, alive: true, note: None, bytes: vec![0, 255] });
        assert_eq!(read::<(u8, Option<f32>)>("SELECT 7, NULL").unwrap(), (7, None));
        assert_eq!(read::<String>("SELECT 'oak'").unwrap(), "oak");
        assert_eq!(read::<Vec<i64>>("SELECT 1, 2, 3").unwrap(), [1, 2, 3]);
        assert_eq!(read::<Option<i64>>("SELECT NULL").unwrap(), None);
        let map: BTreeMap<String, i64> = read("SELECT 1 AS a, 2 AS b").unwrap();
        assert_eq!(map.into_iter().collect::<Vec<_>>(), [("a".into(), 1), ("b".into(), 2)]);
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_names_the_column() {
        let error = read::<Tree>("SELECT 'fir' AS kind").unwrap_err();
        assert!(error.message().starts_with("column kind: unknown variant"), "{error}");
        let error = read::<(u8, u8)>("SELECT 1, 256 AS big").unwrap_err();
        assert!(error.message().starts_with("column big: invalid value"), "{error}");
        let error = read::<(u8, u8)>("SELECT 1").unwrap_err();
        assert_eq!(error.message(), "2 columns are wanted, the row has 1");
    }
}
