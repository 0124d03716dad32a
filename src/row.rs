//! Rows of a running statement, and the iterators that read them.
//!
//! A row is borrowed from its statement, which uses the same memory for each row: that is why
//! [`Rows`] is no iterator; [`MappedRows`] is one.
//! Neighbours: `statement` makes these, `from_sql` reads the values.

use crate::engine::{Cursor, RowValues};
use crate::error::{Error, ErrorKind, Result};
use crate::value::FromSql;
use crate::value::ValueRef;

/// One row.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// let (name, height) = connection.query_row("SELECT 'oak' AS name, 23.5", (), |row| {
///     Ok((row.get::<_, String>("name")?, row.get::<_, f64>(1)?))
/// })?;
/// assert_eq!((name.as_str(), height), ("oak", 23.5));
/// # Ok::<(), pandodb::Error>(())
/// ```
///
/// A row of as many columns as a tuple has can be read as one:
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// let mut statement = connection.prepare("VALUES (1, 'oak'), (2, 'ash')")?;
/// let rows = statement.query_map((), |row| <(i64, String)>::try_from(row))?;
/// let rows: Vec<(i64, String)> = rows.collect::<Result<_, _>>()?;
/// assert_eq!(rows[1], (2, "ash".to_owned()));
/// # Ok::<(), pandodb::Error>(())
/// ```
pub struct Row<'r> {
    values: RowValues<'r>,
    cursor: &'r dyn Cursor,
}

impl Row<'_> {
    /// Reads a column, by its number from 0 or by its name.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let missing: Option<i64> = connection.query_row("SELECT NULL", (), |row| row.get(0))?;
    /// assert_eq!(missing, None);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "numbers and names are given as they are")]
    #[inline]
    pub fn get<I: RowIndex, T: FromSql>(&self, column: I) -> Result<T> {
        let at = column.number(self)?;
        T::from_sql(self.values.get(at)).map_err(|error| self.in_column(at, &error))
    }

    /// A column as it is, without a conversion.
    ///
    /// ```
    /// use pandodb::ValueRef;
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.query_row("SELECT 'oak'", (), |row| {
    ///     assert_eq!(row.get_ref(0)?, ValueRef::Text(b"oak"));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[allow(clippy::needless_pass_by_value, reason = "numbers and names are given as they are")]
    #[inline]
    pub fn get_ref<I: RowIndex>(&self, column: I) -> Result<ValueRef<'_>> {
        Ok(self.values.get(column.number(self)?))
    }

    /// How many columns there are.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.query_row("SELECT 1, 2", (), |row| {
    ///     assert_eq!(row.column_count(), 2);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[inline]
    pub fn column_count(&self) -> usize {
        self.values.len()
    }

    /// The name of a column, where there is one of this number.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.query_row("SELECT 1 AS one", (), |row| {
    ///     assert_eq!(row.column_name(0), Some("one"));
    ///     Ok(())
    /// })?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn column_name(&self, at: usize) -> Option<&str> {
        (at < self.column_count()).then(|| self.cursor.column_name(at))
    }

    fn must_have(&self, wanted: usize) -> Result<()> {
        let count = self.column_count();
        if count == wanted {
            return Ok(());
        }
        let message = format!("the row has {count} columns, {wanted} are read");
        Err(Error::new(ErrorKind::Mismatch, message))
    }

    #[cold]
    fn in_column(&self, at: usize, error: &Error) -> Error {
        let name = self.cursor.column_name(at);
        let wrapped = Error::new(error.kind(), format!("column {name}: {}", error.message()));
        match error.hint() {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = 0..self.column_count();
        f.debug_map()
            .entries(columns.map(|at| (self.cursor.column_name(at), self.values.get(at))))
            .finish()
    }
}

/// What names a column: its number from 0, or its name.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.query_row("SELECT 7 AS n", (), |row| {
///     assert_eq!(row.get::<_, i64>(0)?, row.get::<_, i64>("N")?);
///     Ok(())
/// })?;
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait RowIndex {
    /// The column's number.
    fn number(&self, row: &Row<'_>) -> Result<usize>;
}

impl RowIndex for usize {
    #[inline]
    fn number(&self, row: &Row<'_>) -> Result<usize> {
        let count = row.column_count();
        if *self < count { Ok(*self) } else { Err(no_column(*self, count)) }
    }
}

#[cold]
fn no_column(at: usize, count: usize) -> Error {
    let message = format!("there is no column {at}: the row has {count}, from 0");
    Error::new(ErrorKind::Range, message)
}

// A row of as many columns as a tuple has is read in their order.
macro_rules! tuples {
    ($($count:literal: $($type:ident $at:literal),+;)+) => {$(
        impl<$($type: FromSql),+> TryFrom<&Row<'_>> for ($($type,)+) {
            type Error = Error;

            fn try_from(row: &Row<'_>) -> Result<Self> {
                row.must_have($count)?;
                Ok(($(row.get::<_, $type>($at)?,)+))
            }
        }
    )+};
}

tuples! {
    1: A 0;
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
    7: A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

impl RowIndex for &str {
    fn number(&self, row: &Row<'_>) -> Result<usize> {
        let mut names = (0..row.column_count()).map(|at| row.cursor.column_name(at));
        names.position(|name| name.eq_ignore_ascii_case(self)).ok_or_else(|| {
            let names: Vec<&str> =
                (0..row.column_count()).map(|at| row.cursor.column_name(at)).collect();
            Error::new(ErrorKind::Range, format!("there is no column {self}"))
                .with_hint(format!("the columns are {}", names.join(", ")))
        })
    }
}

/// The rows of a running statement; they stop when this is dropped.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// let mut statement = connection.prepare("VALUES (1), (2)")?;
/// let mut rows = statement.query(())?;
/// assert_eq!(rows.next()?.unwrap().get::<_, i64>(0)?, 1);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub struct Rows<'s> {
    cursor: &'s mut (dyn Cursor + 's),
    has_ended: bool,
}

impl<'s> Rows<'s> {
    #[inline]
    pub(crate) fn new(cursor: &'s mut (dyn Cursor + 's)) -> Self {
        Self { cursor, has_ended: false }
    }

    /// The next row; none at the end, and none again after that or after an error.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT 1")?;
    /// let mut rows = statement.query(())?;
    /// assert!(rows.next()?.is_some());
    /// assert!(rows.next()?.is_none());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[allow(clippy::should_implement_trait, reason = "rows are borrowed, so it is no iterator")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Row<'_>>> {
        if self.has_ended {
            return Ok(None);
        }
        match self.cursor.advance() {
            Ok(true) => Ok(Some(Row { values: self.cursor.row(), cursor: &*self.cursor })),
            Ok(false) => {
                self.has_ended = true;
                Ok(None)
            }
            Err(error) => {
                self.has_ended = true;
                Err(error)
            }
        }
    }

    /// The names of the columns.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT 1 AS one")?;
    /// assert_eq!(statement.query(())?.column_names(), ["one"]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn column_names(&self) -> Vec<&str> {
        (0..self.cursor.column_count()).map(|at| self.cursor.column_name(at)).collect()
    }

    /// Reads each row with a function.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("VALUES (1), (2)")?;
    /// let numbers = statement.query(())?.mapped(|row| row.get::<_, i64>(0));
    /// assert_eq!(numbers.map(Result::unwrap).sum::<i64>(), 3);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn mapped<T, F>(self, read: F) -> MappedRows<'s, F>
    where
        F: FnMut(&Row<'_>) -> Result<T>,
    {
        MappedRows::new(self, read)
    }
}

impl Drop for Rows<'_> {
    #[inline]
    fn drop(&mut self) {
        // A run that came to its end, well or not, has been reset there.
        if !self.has_ended {
            self.cursor.reset();
        }
    }
}

impl std::fmt::Debug for Rows<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("sql", &self.cursor.sql()).finish_non_exhaustive()
    }
}

/// An iterator over rows that a function reads; made by
/// [`Statement::query_map`](crate::Statement::query_map).
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// let mut statement = connection.prepare("VALUES (1), (2)")?;
/// for number in statement.query_map((), |row| row.get::<_, i64>(0))? {
///     assert!(number? > 0);
/// }
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
pub struct MappedRows<'s, F> {
    rows: Rows<'s>,
    read: F,
}

impl<'s, F> MappedRows<'s, F> {
    pub(crate) fn new(rows: Rows<'s>, read: F) -> Self {
        Self { rows, read }
    }
}

impl<T, F> Iterator for MappedRows<'_, F>
where
    F: FnMut(&Row<'_>) -> Result<T>,
{
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.next() {
            Ok(Some(row)) => Some((self.read)(&row)),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// An iterator over rows whose function has an error type of its own; made by
/// [`Statement::query_and_then`](crate::Statement::query_and_then).
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// let mut statement = connection.prepare("VALUES (1), (2)")?;
/// let rows = statement.query_and_then((), |row| row.get::<_, i64>(0))?;
/// let sum: Result<i64, pandodb::Error> = rows.sum();
/// assert_eq!(sum?, 3);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
pub struct AndThenRows<'s, F> {
    rows: Rows<'s>,
    read: F,
}

impl<'s, F> AndThenRows<'s, F> {
    pub(crate) fn new(rows: Rows<'s>, read: F) -> Self {
        Self { rows, read }
    }
}

impl<T, E, F> Iterator for AndThenRows<'_, F>
where
    E: From<Error>,
    F: FnMut(&Row<'_>) -> Result<T, E>,
{
    type Item = Result<T, E>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.rows.next() {
            Ok(Some(row)) => Some((self.read)(&row)),
            Ok(None) => None,
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// `None` where a query that must return a row returned none.
///
/// ```
/// use pandodb::OptionalExtension;
///
/// let connection = pandodb::Connection::open_in_memory()?;
/// let none: Option<i64> =
///     connection.query_row("SELECT 1 WHERE false", (), |row| row.get(0)).optional()?;
/// assert_eq!(none, None);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub trait OptionalExtension<T> {
    /// The value, or `None` where there was no row.
    fn optional(self) -> Result<Option<T>>;
}

impl<T> OptionalExtension<T> for Result<T> {
    fn optional(self) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == ErrorKind::NoRows => Ok(None),
            Err(error) => Err(error),
        }
    }
}
