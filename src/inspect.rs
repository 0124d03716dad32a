//! Looking at a database's settings and schema from a connection.
//!
//! Neighbours: `connection` runs statements; the PRAGMAs themselves are in `docs/pragmas.md`.

use crate::connection::Connection;
use crate::engine;
use crate::error::{Error, ErrorKind, Result};
use crate::row::{OptionalExtension, Row};
use crate::value::Value;

impl Connection {
    /// Reads the first column of the first row of a PRAGMA.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let version: i64 = connection.pragma_query_value("user_version", |row| row.get(0))?;
    /// assert_eq!(version, 0);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn pragma_query_value<T, F>(&self, name: &str, read: F) -> Result<T>
    where
        F: FnOnce(&Row<'_>) -> Result<T>,
    {
        self.query_row(&format!("PRAGMA {}", pragma_name(name)?), (), read)
    }

    /// Looks at every row of a PRAGMA.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut names = Vec::new();
    /// connection.pragma_query("database_list", |row| {
    ///     names.push(row.get::<_, String>("name")?);
    ///     Ok(())
    /// })?;
    /// assert_eq!(names, ["main"]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn pragma_query<F>(&self, name: &str, look: F) -> Result<()>
    where
        F: FnMut(&Row<'_>) -> Result<()>,
    {
        self.each_row(&format!("PRAGMA {}", pragma_name(name)?), look)
    }

    /// Looks at every row of a PRAGMA that is given a value: an object's name, or a setting.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT, height REAL)")?;
    /// let mut names = Vec::new();
    /// connection.pragma("table_info", "tree", |row| {
    ///     names.push(row.get::<_, String>("name")?);
    ///     Ok(())
    /// })?;
    /// assert_eq!(names, ["name", "height"]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn pragma<F>(&self, name: &str, value: impl Into<Value>, look: F) -> Result<()>
    where
        F: FnMut(&Row<'_>) -> Result<()>,
    {
        let literal = engine::literal(value.into().as_ref());
        self.each_row(&format!("PRAGMA {}({literal})", pragma_name(name)?), look)
    }

    /// Sets a PRAGMA.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.pragma_update("user_version", 7)?;
    /// let version: i64 = connection.pragma_query_value("user_version", |row| row.get(0))?;
    /// assert_eq!(version, 7);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn pragma_update(&self, name: &str, value: impl Into<Value>) -> Result<()> {
        let literal = engine::literal(value.into().as_ref());
        self.execute_batch(&format!("PRAGMA {} = {literal}", pragma_name(name)?))
    }

    /// Whether there is a table or view of this name, on the connection's branch or in an attached
    /// database.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// assert!(connection.table_exists(None, "Tree")?);
    /// assert!(connection.table_exists(Some("main"), "tree")?);
    /// assert!(!connection.table_exists(None, "bush")?);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn table_exists(&self, database: Option<&str>, table: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM pragma_table_list
            WHERE name = ?1 COLLATE NOCASE AND (?2 IS NULL OR \"schema\" = ?2 COLLATE NOCASE)";
        Ok(self.query_row(sql, (table, database), |_| Ok(())).optional()?.is_some())
    }

    /// Whether a table or view of this name has a column of this name, generated and hidden ones
    /// with it.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// assert!(connection.column_exists(None, "tree", "NAME")?);
    /// assert!(!connection.column_exists(None, "tree", "height")?);
    /// assert!(!connection.column_exists(None, "bush", "name")?);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn column_exists(&self, database: Option<&str>, table: &str, column: &str) -> Result<bool> {
        let sql =
            "SELECT 1 FROM pragma_table_list AS t, pragma_table_xinfo(t.name, t.\"schema\") AS c
            WHERE t.name = ?1 COLLATE NOCASE AND c.name = ?3 COLLATE NOCASE
                AND (?2 IS NULL OR t.\"schema\" = ?2 COLLATE NOCASE)";
        Ok(self.query_row(sql, (table, database, column), |_| Ok(())).optional()?.is_some())
    }

    fn each_row<F>(&self, sql: &str, mut look: F) -> Result<()>
    where
        F: FnMut(&Row<'_>) -> Result<()>,
    {
        let mut statement = self.prepare(sql)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            look(&row)?;
        }
        Ok(())
    }
}

/// The name of a PRAGMA is part of the text, so it must be nothing but a name.
fn pragma_name(name: &str) -> Result<&str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    if !name.is_empty() && name.bytes().all(is_word) {
        return Ok(name);
    }
    Err(Error::new(ErrorKind::Invalid, format!("{name:?} is no name of a PRAGMA")))
}
