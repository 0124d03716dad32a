//! Prepared statements: bind, run, read rows.
//!
//! A statement is compiled once and run as often as one likes. Running it again starts over,
//! with the new parameters. Neighbours: `row` (what rows give), `params` (what can be bound),
//! `engine` (what is prepared).

use crate::connection::Connection;
use crate::engine::{Cursor, Prepared};
use crate::error::{Error, ErrorKind, Result};
use crate::params::{Binder, Params};
use crate::row::{AndThenRows, MappedRows, Row, Rows};
use crate::value::ToSql;
use crate::value::ValueRef;

/// A prepared statement.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT, height REAL)")?;
/// let mut insert = connection.prepare("INSERT INTO tree VALUES (?1, ?2)")?;
/// insert.execute(("oak", 23.5))?;
/// insert.execute(("ash", 19.0))?;
/// let mut query = connection.prepare("SELECT name FROM tree WHERE height > ?1")?;
/// let names: Vec<String> =
///     query.query_map([20.0], |row| row.get(0))?.collect::<Result<_, _>>()?;
/// assert_eq!(names, ["oak"]);
/// # Ok::<(), pandodb::Error>(())
/// ```
pub struct Statement<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) prepared: Prepared<'c>,
}

impl<'c> Statement<'c> {
    pub(crate) fn new(connection: &'c Connection, prepared: Prepared<'c>) -> Self {
        Self { connection, prepared }
    }

    /// Runs the statement and returns how many rows it changed.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let mut statement = connection.prepare("INSERT INTO tree VALUES (?1)")?;
    /// assert_eq!(statement.execute(["oak"])?, 1);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn execute<P: Params>(&mut self, params: P) -> Result<usize> {
        self.bind(params)?;
        self.run_to_end()?;
        let changes = self.connection.session.changes();
        let changed = if self.prepared.changes_rows() { changes } else { 0 };
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    /// Runs an INSERT and returns the rowid of the new row.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let mut statement = connection.prepare("INSERT INTO tree VALUES (?1)")?;
    /// assert_eq!(statement.insert(["oak"])?, 1);
    /// assert_eq!(statement.insert(["ash"])?, 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn insert<P: Params>(&mut self, params: P) -> Result<i64> {
        match self.execute(params)? {
            1 => Ok(self.connection.last_insert_rowid()),
            changed => {
                let message = format!("the statement changed {changed} rows, not one");
                Err(Error::new(ErrorKind::Invalid, message))
            }
        }
    }

    /// Runs the statement; its rows are read from what is returned.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("VALUES (1), (2)")?;
    /// let mut rows = statement.query(())?;
    /// let mut sum = 0;
    /// while let Some(row) = rows.next()? {
    ///     sum += row.get::<_, i64>(0)?;
    /// }
    /// assert_eq!(sum, 3);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[inline]
    pub fn query<P: Params>(&mut self, params: P) -> Result<Rows<'_>> {
        self.bind(params)?;
        Ok(Rows::new(&mut self.prepared))
    }

    /// Runs the statement and reads each row with a function.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("VALUES (1), (2)")?;
    /// let numbers: Vec<i64> =
    ///     statement.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
    /// assert_eq!(numbers, [1, 2]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn query_map<T, P, F>(&mut self, params: P, read: F) -> Result<MappedRows<'_, F>>
    where
        P: Params,
        F: FnMut(&Row<'_>) -> Result<T>,
    {
        Ok(MappedRows::new(self.query(params)?, read))
    }

    /// The same for functions with an error type of their own.
    ///
    /// ```
    /// use std::num::ParseIntError;
    ///
    /// #[derive(Debug)]
    /// enum Failure { Database(pandodb::Error), Number(ParseIntError) }
    /// # impl From<pandodb::Error> for Failure {
    /// #     fn from(error: pandodb::Error) -> Self { Self::Database(error) }
    /// # }
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("VALUES ('1'), ('x')")?;
    /// let mut numbers = statement.query_and_then((), |row| {
    ///     row.get::<_, String>(0)?.parse::<i64>().map_err(Failure::Number)
    /// })?;
    /// assert!(matches!(numbers.next(), Some(Ok(1))));
    /// assert!(matches!(numbers.next(), Some(Err(Failure::Number(_)))));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn query_and_then<T, E, P, F>(&mut self, params: P, read: F) -> Result<AndThenRows<'_, F>>
    where
        P: Params,
        E: From<Error>,
        F: FnMut(&Row<'_>) -> Result<T, E>,
    {
        Ok(AndThenRows::new(self.query(params)?, read))
    }

    /// Runs the statement and reads its first row.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT 42")?;
    /// assert_eq!(statement.query_row((), |row| row.get::<_, i64>(0))?, 42);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn query_row<T, P, F>(&mut self, params: P, read: F) -> Result<T>
    where
        P: Params,
        F: FnOnce(&Row<'_>) -> Result<T>,
    {
        let mut rows = self.query(params)?;
        let Some(row) = rows.next()? else { return Err(no_rows()) };
        read(&row)
    }

    /// Runs a statement that must return exactly one row, and reads it.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT 42")?;
    /// assert_eq!(statement.query_one((), |row| row.get::<_, i64>(0))?, 42);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn query_one<T, P, F>(&mut self, params: P, read: F) -> Result<T>
    where
        P: Params,
        F: FnOnce(&Row<'_>) -> Result<T>,
    {
        let mut rows = self.query(params)?;
        let Some(row) = rows.next()? else { return Err(no_rows()) };
        let value = read(&row)?;
        if rows.next()?.is_some() {
            return Err(Error::new(ErrorKind::TooManyRows, "the query returned more than one row"));
        }
        Ok(value)
    }

    /// Whether the statement returns any row.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert!(connection.prepare("SELECT 1")?.exists(())?);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn exists<P: Params>(&mut self, params: P) -> Result<bool> {
        Ok(self.query(params)?.next()?.is_some())
    }

    /// Binds one parameter and leaves the others as they are.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT ?1 + ?2")?;
    /// statement.raw_bind_parameter(1, 40)?;
    /// statement.raw_bind_parameter(2, 2)?;
    /// let mut rows = statement.raw_query();
    /// assert_eq!(rows.next()?.unwrap().get::<_, i64>(0)?, 42);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn raw_bind_parameter<T: ToSql>(&mut self, number: usize, value: T) -> Result<()> {
        self.prepared.reset();
        self.check_number(number)?;
        self.prepared.bind(number, value.to_sql()?.as_ref())
    }

    /// Runs the statement with what was bound before.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT ?1 IS NULL")?;
    /// assert!(statement.raw_query().next()?.unwrap().get::<_, bool>(0)?);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn raw_query(&mut self) -> Rows<'_> {
        self.prepared.reset();
        Rows::new(&mut self.prepared)
    }

    /// Sets all parameters to NULL.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT ?1 IS NULL")?;
    /// statement.raw_bind_parameter(1, 7)?;
    /// statement.clear_bindings();
    /// assert!(statement.raw_query().next()?.unwrap().get::<_, bool>(0)?);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn clear_bindings(&mut self) {
        self.prepared.reset();
        for number in 1..=self.prepared.parameter_count() {
            // The number is one of the statement's.
            let _ = self.prepared.bind(number, ValueRef::Null);
        }
    }

    /// The names of the columns that the rows have.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let statement = connection.prepare("SELECT 1 AS one, 2 AS two")?;
    /// assert_eq!(statement.column_names(), ["one", "two"]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn column_names(&self) -> Vec<&str> {
        (0..self.column_count()).map(|at| self.prepared.column_name(at)).collect()
    }

    /// How many columns the rows have; none where the statement returns no rows.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.prepare("SELECT 1, 2")?.column_count(), 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[inline]
    pub fn column_count(&self) -> usize {
        self.prepared.column_count()
    }

    /// How many parameters there are: the highest number that is used.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.prepare("SELECT ?, :b, ?3")?.parameter_count(), 3);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[inline]
    pub fn parameter_count(&self) -> usize {
        self.prepared.parameter_count()
    }

    /// The number of a named parameter.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let statement = connection.prepare("SELECT ?, :height")?;
    /// assert_eq!(statement.parameter_index(":height"), Some(2));
    /// assert_eq!(statement.parameter_index("height"), Some(2));
    /// assert_eq!(statement.parameter_index(":width"), None);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn parameter_index(&self, name: &str) -> Option<usize> {
        (1..=self.parameter_count()).find(|&number| {
            self.prepared
                .parameter_name(number)
                .is_some_and(|own| own == name || own.get(1..).is_some_and(|bare| bare == name))
        })
    }

    /// The name of a parameter with its `:`, `@` or `$`, where it has one.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.prepare("SELECT :a")?.parameter_name(1), Some(":a"));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn parameter_name(&self, number: usize) -> Option<&str> {
        self.prepared.parameter_name(number)
    }

    /// Whether the statement changes nothing.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert!(connection.prepare("SELECT 1")?.readonly());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn readonly(&self) -> bool {
        self.prepared.is_readonly()
    }

    /// The text that the statement was prepared from.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.prepare("SELECT 1")?.sql(), "SELECT 1");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn sql(&self) -> &str {
        self.prepared.sql()
    }

    /// The text with the values that are bound in the places of the parameters.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT ?, :name, ?1")?;
    /// statement.raw_bind_parameter(1, 7)?;
    /// statement.raw_bind_parameter(2, "it's")?;
    /// assert_eq!(statement.expanded_sql(), "SELECT 7, 'it''s', 7");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn expanded_sql(&self) -> String {
        self.prepared.expanded()
    }

    /// Runs to the end and drops the rows.
    pub(crate) fn run_to_end(&mut self) -> Result<()> {
        self.prepared.reset();
        let outcome = self.prepared.run_to_end();
        self.prepared.reset();
        outcome
    }

    #[inline]
    fn bind<P: Params>(&mut self, params: P) -> Result<()> {
        self.prepared.reset();
        params.bind_to(&mut StatementBinder { statement: self, any_name: false })
    }

    fn check_number(&self, number: usize) -> Result<()> {
        let count = self.parameter_count();
        if (1..=count).contains(&number) {
            return Ok(());
        }
        let message = format!("there is no parameter {number}: the statement has {count}");
        Err(Error::new(ErrorKind::Range, message))
    }
}

#[cold]
fn no_rows() -> Error {
    Error::new(ErrorKind::NoRows, "the query returned no rows")
}

struct StatementBinder<'s, 'c> {
    statement: &'s mut Statement<'c>,
    any_name: bool,
}

impl Binder for StatementBinder<'_, '_> {
    fn bind_number(&mut self, number: usize, value: ValueRef<'_>) -> Result<()> {
        // How many are too many is said once, with both counts.
        if number <= self.statement.parameter_count() {
            self.statement.prepared.bind(number, value)?;
        }
        Ok(())
    }

    fn bind_name(&mut self, name: &str, value: ValueRef<'_>) -> Result<()> {
        let Some(number) = self.statement.parameter_index(name) else {
            let message = format!("there is no parameter {name}");
            return Err(Error::new(ErrorKind::Range, message));
        };
        self.any_name = true;
        self.statement.prepared.bind(number, value)
    }

    #[inline]
    fn finish(&mut self, count: usize) -> Result<()> {
        let wanted = self.statement.parameter_count();
        if self.any_name || count == wanted {
            return Ok(());
        }
        let message = format!("the statement has {wanted} parameters, {count} were given");
        Err(Error::new(ErrorKind::Range, message))
    }
}

impl std::fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statement").field("sql", &self.sql()).finish_non_exhaustive()
    }
}
