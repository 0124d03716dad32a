//! Advice on indexes: what would make a statement faster, without making anything.
//!
//! Neighbours: `connection`; the program's `.expert` shows it.

use crate::connection::Connection;
use crate::error::Result;

/// Which indexes would help a statement; made by [`Connection::advise_indexes`].
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// let advice = connection.advise_indexes("SELECT 1", 1000)?;
/// assert!(advice[0].indexes.is_empty());
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexAdvice {
    /// The statement.
    pub statement: String,
    /// CREATE INDEX statements of the indexes that it would use.
    pub indexes: Vec<String>,
    /// Those of all that were tried.
    pub candidates: Vec<String>,
    /// Its plan with them, as EXPLAIN QUERY PLAN has it, line by line with its depth.
    pub plan: Vec<(usize, String)>,
}

impl Connection {
    /// Plans each statement of a text with indexes that do not exist, and tells which of them it
    /// would use. How selective they would be is told from a sample of so many rows of each table.
    /// Nothing is run and nothing is made.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT, height REAL)")?;
    /// let sql = "SELECT * FROM tree WHERE name = ?1 AND height > ?2";
    /// let advice = connection.advise_indexes(sql, 1000)?;
    /// assert!(advice[0].indexes[0].ends_with("ON tree(name, height);"));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn advise_indexes(&self, sql: &str, sample_rows: u64) -> Result<Vec<IndexAdvice>> {
        let mut all = Vec::new();
        let mut rest = sql;
        while !rest.trim().is_empty() {
            let (advice, behind) = self.session.advise(rest, sample_rows)?;
            let Some(advice) = advice else { break };
            all.push(advice);
            rest = rest.get(behind.max(1)..).unwrap_or("");
        }
        Ok(all)
    }
}
