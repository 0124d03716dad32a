//! What is known of the columns of a statement's rows before it runs.
//!
//! Neighbours: `statement` has the rest of a prepared statement, `row` the values.

use crate::engine::Cursor;
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;

/// A column of the rows that a statement returns.
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name VARCHAR(20), height REAL)")?;
/// let statement = connection.prepare("SELECT name, height * 2 AS twice FROM tree")?;
/// let columns = statement.columns();
/// assert_eq!((columns[0].name(), columns[0].decl_type()), ("name", Some("VARCHAR(20)")));
/// assert_eq!((columns[1].name(), columns[1].decl_type()), ("twice", None));
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'s> {
    name: &'s str,
    decl_type: Option<&'s str>,
}

impl<'s> Column<'s> {
    /// Its name.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.prepare("SELECT 1 AS one")?.columns()[0].name(), "one");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn name(&self) -> &'s str {
        self.name
    }

    /// The type that was declared for the column of a table that it is; none where it is computed,
    /// or where its table declares none.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.prepare("SELECT 1 AS one")?.columns()[0].decl_type(), None);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn decl_type(&self) -> Option<&'s str> {
        self.decl_type
    }
}

impl Statement<'_> {
    /// The columns that the rows have.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.prepare("SELECT 1, 2")?.columns().len(), 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn columns(&self) -> Vec<Column<'_>> {
        let column = |at| Column {
            name: self.prepared.column_name(at),
            decl_type: self.prepared.declared_type(at).filter(|declared| !declared.is_empty()),
        };
        (0..self.column_count()).map(column).collect()
    }

    /// The name of a column, counted from 0.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let statement = connection.prepare("SELECT 1 AS one")?;
    /// assert_eq!(statement.column_name(0)?, "one");
    /// assert_eq!(statement.column_name(1).unwrap_err().kind(), pandodb::ErrorKind::Range);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn column_name(&self, at: usize) -> Result<&str> {
        let count = self.column_count();
        if at < count {
            return Ok(self.prepared.column_name(at));
        }
        let message = format!("there is no column {at}: the statement has {count}, from 0");
        Err(Error::new(ErrorKind::Range, message))
    }

    /// The number of the first column of this name, in letters of either size.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let statement = connection.prepare("SELECT 1 AS one, 2 AS two")?;
    /// assert_eq!(statement.column_index("TWO")?, 1);
    /// assert!(statement.column_index("three").is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn column_index(&self, name: &str) -> Result<usize> {
        let names = self.column_names();
        names.iter().position(|own| own.eq_ignore_ascii_case(name)).ok_or_else(|| {
            Error::new(ErrorKind::Range, format!("there is no column {name}"))
                .with_hint(format!("the columns are {}", names.join(", ")))
        })
    }
}
