//! Lists of parameters: positional, named, or none.
//!
//! A list is handed over value by value to whoever binds them, so that no vector is made for a
//! call with a handful of parameters. Neighbours: `to_sql` (one value), `statement` (binds them).

use crate::error::Result;
use crate::value::ToSql;
use crate::value::ValueRef;

/// Takes the values of a parameter list one by one.
///
/// Statements implement it; only lists of one's own need to know it.
///
/// ```
/// use pandodb::{Binder, Connection, Params, ValueRef};
///
/// /// A point, as two parameters.
/// struct Point(f64, f64);
///
/// impl Params for Point {
///     fn bind_to(self, binder: &mut dyn Binder) -> pandodb::Result<()> {
///         binder.bind_number(1, ValueRef::Real(self.0))?;
///         binder.bind_number(2, ValueRef::Real(self.1))?;
///         binder.finish(2)
///     }
/// }
///
/// let connection = Connection::open_in_memory()?;
/// let sum: f64 = connection.query_row("SELECT ?1 + ?2", Point(1.5, 2.0), |row| row.get(0))?;
/// assert_eq!(sum, 3.5);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait Binder {
    /// Binds the parameter of this number; the first is 1.
    fn bind_number(&mut self, number: usize, value: ValueRef<'_>) -> Result<()>;
    /// Binds the parameter of this name, with or without its `:`, `@` or `$`.
    fn bind_name(&mut self, name: &str, value: ValueRef<'_>) -> Result<()>;
    /// Says that the list has ended after `count` positional values.
    fn finish(&mut self, count: usize) -> Result<()>;
}

/// What can be given for a statement's parameters.
///
/// Arrays, slices and tuples of values are positional; [`named_params!`](crate::named_params) or
/// arrays of pairs bind by name; `()` and `[]` are for statements without parameters.
///
/// ```
/// use pandodb::{Connection, named_params, params};
///
/// let connection = Connection::open_in_memory()?;
/// connection.execute("CREATE TABLE tree(name TEXT, height REAL)", ())?;
/// connection.execute("INSERT INTO tree VALUES (?1, ?2)", params!["oak", 23.5])?;
/// connection.execute("INSERT INTO tree VALUES (?1, ?2)", ("ash", 19))?;
/// connection.execute(
///     "INSERT INTO tree VALUES (:name, :height)",
///     named_params! { ":name": "fir", ":height": 41.0 },
/// )?;
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait Params {
    /// Hands every value to `binder`, then calls its `finish`.
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()>;
}

impl Params for () {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        binder.finish(0)
    }
}

impl Params for [&(dyn ToSql + Send + Sync); 0] {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        binder.finish(0)
    }
}

impl Params for &[&dyn ToSql] {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        bind_all(self.iter(), binder)
    }
}

impl Params for &[Box<dyn ToSql>] {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        bind_all(self.iter(), binder)
    }
}

impl Params for &[crate::Value] {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        bind_all(self.iter(), binder)
    }
}

impl Params for &Vec<crate::Value> {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        bind_all(self.iter(), binder)
    }
}

impl Params for Vec<crate::Value> {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        bind_all(self.iter(), binder)
    }
}

impl Params for &[(&str, &dyn ToSql)] {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        bind_names(self.iter().map(|(name, value)| (*name, *value)), binder)
    }
}

impl Params for &[(String, crate::Value)] {
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        let pairs = self.iter().map(|(name, value)| (name.as_str(), value as &dyn ToSql));
        bind_names(pairs, binder)
    }
}

macro_rules! arrays {
    ($($length:literal)+) => {$(
        impl<T: ToSql> Params for [T; $length] {
            fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
                bind_all(self.iter(), binder)
            }
        }

        impl<T: ToSql> Params for &[T; $length] {
            fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
                bind_all(self.iter(), binder)
            }
        }

        impl<T: ToSql> Params for [(&str, T); $length] {
            fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
                let pairs = self.iter().map(|(name, value)| (*name, value as &dyn ToSql));
                bind_names(pairs, binder)
            }
        }

        impl Params for &[(&str, &dyn ToSql); $length] {
            fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
                bind_names(self.iter().map(|(name, value)| (*name, *value)), binder)
            }
        }
    )+};
}

// A length of zero would make `[]` ambiguous with the implementation above.
arrays!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 24 28 32);

macro_rules! tuples {
    ($(($($field:tt $type:ident),+);)+) => {$(
        impl<$($type: ToSql),+> Params for ($($type,)+) {
            fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
                let values: &[&dyn ToSql] = &[$(&self.$field),+];
                values.bind_to(binder)
            }
        }
    )+};
}

tuples! {
    (0 A);
    (0 A, 1 B);
    (0 A, 1 B, 2 C);
    (0 A, 1 B, 2 C, 3 D);
    (0 A, 1 B, 2 C, 3 D, 4 E);
    (0 A, 1 B, 2 C, 3 D, 4 E, 5 F);
    (0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G);
    (0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H);
    (0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I);
    (0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I, 9 J);
    (0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I, 9 J, 10 K);
    (0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H, 8 I, 9 J, 10 K, 11 L);
}

/// Positional parameters from an iterator, where their number is known only at run time.
///
/// ```
/// use pandodb::{Connection, params_from_iter};
///
/// let connection = Connection::open_in_memory()?;
/// let numbers = vec![1, 2, 3];
/// let sum: i64 =
///     connection.query_row("SELECT ? + ? + ?", params_from_iter(&numbers), |row| row.get(0))?;
/// assert_eq!(sum, 6);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub fn params_from_iter<I>(values: I) -> ParamsFromIter<I>
where
    I: IntoIterator,
    I::Item: ToSql,
{
    ParamsFromIter(values)
}

/// What [`params_from_iter`] makes.
///
/// ```
/// # let connection = pandodb::Connection::open_in_memory()?;
/// let params = pandodb::params_from_iter(["oak"]);
/// let name: String = connection.query_row("SELECT ?", params, |row| row.get(0))?;
/// assert_eq!(name, "oak");
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ParamsFromIter<I>(I);

impl<I> Params for ParamsFromIter<I>
where
    I: IntoIterator,
    I::Item: ToSql,
{
    fn bind_to(self, binder: &mut dyn Binder) -> Result<()> {
        bind_all(self.0.into_iter(), binder)
    }
}

fn bind_all<T: ToSql>(values: impl Iterator<Item = T>, binder: &mut dyn Binder) -> Result<()> {
    let mut count = 0;
    for value in values {
        count += 1;
        binder.bind_number(count, value.to_sql()?.as_ref())?;
    }
    binder.finish(count)
}

fn bind_names<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a dyn ToSql)>,
    binder: &mut dyn Binder,
) -> Result<()> {
    for (name, value) in pairs {
        binder.bind_name(name, value.to_sql()?.as_ref())?;
    }
    binder.finish(0)
}

/// Positional parameters of different types.
///
/// ```
/// use pandodb::{Connection, params};
///
/// let connection = Connection::open_in_memory()?;
/// let text: String =
///     connection.query_row("SELECT ?1 || ?2", params!["oak", 7], |row| row.get(0))?;
/// assert_eq!(text, "oak7");
/// # Ok::<(), pandodb::Error>(())
/// ```
#[macro_export]
macro_rules! params {
    () => { &[] as &[&dyn $crate::ToSql] };
    ($($value:expr),+ $(,)?) => { &[$(&$value as &dyn $crate::ToSql),+] as &[&dyn $crate::ToSql] };
}

/// Parameters by name.
///
/// ```
/// use pandodb::{Connection, named_params};
///
/// let connection = Connection::open_in_memory()?;
/// let sum: i64 = connection.query_row(
///     "SELECT :a + :b",
///     named_params! { ":a": 1, ":b": 2 },
///     |row| row.get(0),
/// )?;
/// assert_eq!(sum, 3);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[macro_export]
macro_rules! named_params {
    () => { &[] as &[(&str, &dyn $crate::ToSql)] };
    ($($name:literal: $value:expr),+ $(,)?) => {
        &[$(($name, &$value as &dyn $crate::ToSql)),+] as &[(&str, &dyn $crate::ToSql)]
    };
}
