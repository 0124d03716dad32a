//! What a statement, a script or a merge would change, without changing it.
//!
//! The work is done in a fork in memory; the newest preview of a connection can be applied as
//! long as the branch has not moved since. Neighbours: `fork` for work that takes longer.

use std::time::Duration;

use crate::connection::Connection;
use crate::error::Result;
use crate::value::Value;

/// One thing that a preview found.
///
/// ```
/// # fn show(change: &pandodb::PreviewedChange) {
/// println!("{} {} {}", change.section, change.object, change.change);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PreviewedChange {
    /// `row`, `table` (its counts), `schema`, `conflict` or `constraints`.
    pub section: String,
    /// The table, or whatever else it is about.
    pub object: String,
    /// What happens.
    pub change: String,
    /// What the row is called by.
    pub row_key: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// What there is now.
    pub old: Value,
    /// What there would be.
    pub new: Value,
}

/// What statements would change; made by [`Connection::preview`].
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.execute_batch(
///     "CREATE TABLE tree(id INTEGER PRIMARY KEY, height REAL); INSERT INTO tree VALUES (1, 20)",
/// )?;
/// let preview = connection.preview("UPDATE tree SET height = 21")?;
/// let cell = preview.rows().next().unwrap();
/// assert_eq!((cell.old.clone(), cell.new.clone()), (20.0.into(), 21.0.into()));
/// assert!(preview.holds());
/// preview.apply()?;
/// let height: f64 = connection.query_row("SELECT height FROM tree", (), |row| row.get(0))?;
/// assert_eq!(height, 21.0);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
pub struct Preview<'c> {
    connection: &'c Connection,
    /// The branch that would change.
    pub branch: String,
    /// The commit that it stands at.
    pub base: u64,
    /// How long the work took.
    pub took: Duration,
    /// Everything that was found.
    pub changes: Vec<PreviewedChange>,
}

impl Preview<'_> {
    /// The cells that would change, of the rows that come, go or change.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let preview = connection.preview("INSERT INTO tree VALUES ('oak')")?;
    /// assert_eq!(preview.rows().count(), 1);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn rows(&self) -> impl Iterator<Item = &PreviewedChange> {
        self.changes.iter().filter(|change| change.section == "row")
    }

    /// Whether all constraints hold and nothing conflicts, so that it can be applied.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT NOT NULL)")?;
    /// assert!(!connection.preview("INSERT INTO tree VALUES (NULL)")?.holds());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn holds(&self) -> bool {
        let mut verdicts = self.changes.iter().filter(|change| change.section == "constraints");
        verdicts.all(|change| change.change == "all hold")
    }

    /// Does what was previewed, as one commit, if the branch has not moved since and no other
    /// preview was made on the connection.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let preview = connection.preview("INSERT INTO tree VALUES ('oak')")?;
    /// connection.database().connect()?.execute_batch("INSERT INTO tree VALUES ('ash')")?;
    /// assert!(preview.apply().is_err());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn apply(self) -> Result<()> {
        self.connection.execute_batch("APPLY")
    }
}

impl Connection {
    /// Shows what statements or a merge would change, without changing it.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let script = "INSERT INTO tree VALUES ('oak'); UPDATE tree SET name = 'ash'";
    /// let preview = connection.preview(script)?;
    /// assert_eq!(preview.rows().next().unwrap().new, "ash".into());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn preview(&self, sql: &str) -> Result<Preview<'_>> {
        let bare =
            sql.trim_start().trim_end_matches(|last: char| last == ';' || last.is_whitespace());
        let first = crate::engine::first_statement(bare);
        let (before, behind) = if crate::engine::has_statement(bare.get(first..).unwrap_or("")) {
            ("PREVIEW BEGIN ", "; END")
        } else {
            ("PREVIEW ", "")
        };
        let blanks = sql.len() - sql.trim_start().len();
        self.preview_of(&format!("{before}{bare}{behind}"))
            .map_err(|error| error.of_part(sql, before.len(), blanks))
    }

    fn preview_of(&self, text: &str) -> Result<Preview<'_>> {
        let mut statement = self.prepare(text)?;
        let mut rows = statement.query(())?;
        let (branch, base, took) = (String::new(), 0, Duration::ZERO);
        let mut preview = Preview { connection: self, branch, base, took, changes: Vec::new() };
        while let Some(row) = rows.next()? {
            let change = PreviewedChange {
                section: row.get(0)?,
                object: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                change: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                row_key: row.get(3)?,
                column: row.get(4)?,
                old: row.get(5)?,
                new: row.get(6)?,
            };
            match (change.section.as_str(), change.change.as_str()) {
                ("preview", "base transaction") => {
                    preview.branch = change.object;
                    preview.base = row.get(6)?;
                }
                ("preview", "microseconds") => preview.took = Duration::from_micros(row.get(6)?),
                _ => preview.changes.push(change),
            }
        }
        Ok(preview)
    }
}
