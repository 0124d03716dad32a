//! Rows before they change, and the log after a commit.
//!
//! Neighbours: the module above has the hooks that are told less.

use std::fmt;

use super::Action;
use crate::connection::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{FromSql, ValueRef};

/// A row as it is, or as it will be.
///
/// ```
/// use pandodb::{Connection, PreUpdateCase};
///
/// let connection = Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT, height REAL)")?;
/// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
///     let row = case.new_row().expect("a new row");
///     assert_eq!((row.rowid(), row.column_count()), (1, 2));
///     assert_eq!(row.get::<f64>(1).ok(), Some(23.5));
/// }));
/// connection.execute("INSERT INTO tree VALUES ('oak', 23.5)", ())?;
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct PreUpdateRow<'a> {
    rowid: i64,
    values: &'a [ValueRef<'a>],
}

impl<'a> PreUpdateRow<'a> {
    pub(crate) fn new(rowid: i64, values: &'a [ValueRef<'a>]) -> Self {
        Self { rowid, values }
    }

    /// Its rowid; 0 where the table has none.
    ///
    /// ```
    /// # use pandodb::{Connection, PreUpdateCase};
    /// # let connection = Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
    ///     assert_eq!(case.new_row().map(|row| row.rowid()), Some(7));
    /// }));
    /// connection.execute("INSERT INTO tree(rowid, name) VALUES (7, 'oak')", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn rowid(&self) -> i64 {
        self.rowid
    }

    /// How many columns the table has, generated ones included.
    ///
    /// ```
    /// # use pandodb::{Connection, PreUpdateCase};
    /// # let connection = Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT, size AS (length(name)))")?;
    /// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
    ///     assert_eq!(case.new_row().map(|row| row.column_count()), Some(2));
    /// }));
    /// connection.execute("INSERT INTO tree VALUES ('oak')", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn column_count(&self) -> usize {
        self.values.len()
    }

    /// The value of a column, by its number from 0.
    ///
    /// ```
    /// # use pandodb::{Connection, PreUpdateCase, ValueRef};
    /// # let connection = Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
    ///     let row = case.new_row().expect("a new row");
    ///     assert_eq!(row.get_ref(0).ok(), Some(ValueRef::Text(b"oak")));
    ///     assert!(row.get_ref(1).is_err());
    /// }));
    /// connection.execute("INSERT INTO tree VALUES ('oak')", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn get_ref(&self, column: usize) -> Result<ValueRef<'a>> {
        self.values.get(column).copied().ok_or_else(|| {
            let message = format!("a row of {} columns has no column {column}", self.values.len());
            Error::new(ErrorKind::Range, message)
        })
    }

    /// The value of a column, by its number from 0, as a type of Rust.
    ///
    /// ```
    /// # use pandodb::{Connection, PreUpdateCase};
    /// # let connection = Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
    ///     let name = case.new_row().map(|row| row.get::<String>(0));
    ///     assert_eq!(name.and_then(Result::ok).as_deref(), Some("oak"));
    /// }));
    /// connection.execute("INSERT INTO tree VALUES ('oak')", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn get<T: FromSql>(&self, column: usize) -> Result<T> {
        T::from_sql(self.get_ref(column)?)
    }
}

impl fmt::Debug for PreUpdateRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreUpdateRow")
            .field("rowid", &self.rowid)
            .field("values", &self.values)
            .finish()
    }
}

/// What will happen to a row.
///
/// ```
/// use pandodb::{Action, Connection, PreUpdateCase};
///
/// let connection = Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT); INSERT INTO tree VALUES ('oak')")?;
/// connection.preupdate_hook(Some(|database: &str, table: &str, case: &PreUpdateCase<'_>| {
///     assert_eq!((database, table, case.action()), ("main", "tree", Action::Update));
///     let names = [case.old_row(), case.new_row()]
///         .map(|row| row.and_then(|row| row.get::<String>(0).ok()));
///     assert_eq!(names, [Some("oak".to_owned()), Some("ash".to_owned())]);
/// }));
/// connection.execute("UPDATE tree SET name = 'ash'", ())?;
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PreUpdateCase<'a> {
    pub(crate) action: Action,
    pub(crate) old: Option<PreUpdateRow<'a>>,
    pub(crate) new: Option<PreUpdateRow<'a>>,
    pub(crate) depth: u32,
}

impl<'a> PreUpdateCase<'a> {
    /// What will happen.
    ///
    /// ```
    /// # use pandodb::{Action, Connection, PreUpdateCase};
    /// # let connection = Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE tree(name); INSERT INTO tree VALUES ('oak')")?;
    /// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
    ///     assert_eq!(case.action(), Action::Delete);
    /// }));
    /// connection.execute("DELETE FROM tree", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn action(&self) -> Action {
        self.action
    }

    /// The row as it is; none where it is new.
    ///
    /// ```
    /// # use pandodb::{Connection, PreUpdateCase};
    /// # let connection = Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
    ///     assert!(case.old_row().is_none());
    /// }));
    /// connection.execute("INSERT INTO tree VALUES ('oak')", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn old_row(&self) -> Option<PreUpdateRow<'a>> {
        self.old
    }

    /// The row as it will be; none where it goes.
    ///
    /// ```
    /// # use pandodb::{Connection, PreUpdateCase};
    /// # let connection = Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE tree(name); INSERT INTO tree VALUES ('oak')")?;
    /// connection.preupdate_hook(Some(|_: &str, _: &str, case: &PreUpdateCase<'_>| {
    ///     assert!(case.new_row().is_none());
    /// }));
    /// connection.execute("DELETE FROM tree", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn new_row(&self) -> Option<PreUpdateRow<'a>> {
        self.new
    }

    /// How many triggers and actions of foreign keys are between the statement and the row: 0
    /// for what the statement itself does.
    ///
    /// ```
    /// # use pandodb::{Connection, PreUpdateCase};
    /// # let connection = Connection::open_in_memory()?;
    /// connection.execute_batch(
    ///     "CREATE TABLE tree(name TEXT); CREATE TABLE log(name TEXT);
    ///      CREATE TRIGGER note AFTER INSERT ON tree BEGIN INSERT INTO log VALUES (new.name); END",
    /// )?;
    /// connection.preupdate_hook(Some(|_: &str, table: &str, case: &PreUpdateCase<'_>| {
    ///     assert_eq!(case.query_depth(), u32::from(table == "log"));
    /// }));
    /// connection.execute("INSERT INTO tree VALUES ('oak')", ())?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn query_depth(&self) -> u32 {
        self.depth
    }
}

impl Connection {
    /// Is told of each row before it changes, with the names of its database and table and with
    /// its values before and after: also of rows that triggers, foreign keys and REPLACE change,
    /// and of each row that a DELETE without WHERE takes. The statement may still fail. Rows that
    /// a merge brings are not told of. `None` takes the hook away.
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    /// use pandodb::{Connection, PreUpdateCase};
    ///
    /// let connection = Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT); INSERT INTO tree VALUES ('oak')")?;
    /// let (send, receive) = channel();
    /// connection.preupdate_hook(Some(move |_: &str, table: &str, case: &PreUpdateCase<'_>| {
    ///     let old = case.old_row().and_then(|row| row.get::<String>(0).ok());
    ///     let _ = send.send((table.to_owned(), old));
    /// }));
    /// connection.execute("DELETE FROM tree", ())?;
    /// assert_eq!(receive.try_recv(), Ok(("tree".to_owned(), Some("oak".to_owned()))));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn preupdate_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut(&str, &str, &PreUpdateCase<'_>) + Send + 'static,
    {
        self.session.set_preupdate_hook(hook);
    }

    /// Is told after each commit that changed something, with the database's name and how many
    /// bytes of the log a recovery would read now: an application that checkpoints itself does so
    /// here when they are many. Temporary tables have no log, and databases in memory tell 0.
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let connection = pandodb::Connection::open(folder.path().join("trees.pando"))?;
    /// let (send, receive) = channel();
    /// connection.wal_hook(Some(move |database: &str, bytes: u64| {
    ///     let _ = send.send((database.to_owned(), bytes));
    /// }));
    /// connection.execute_batch("CREATE TABLE tree(name TEXT); INSERT INTO tree VALUES ('oak')")?;
    /// let told: Vec<_> = receive.try_iter().collect();
    /// assert_eq!(told.len(), 2);
    /// assert_eq!(told[0].0, "main");
    /// assert!(told[1].1 > told[0].1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wal_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut(&str, u64) + Send + 'static,
    {
        self.session.set_wal_hook(hook.map(|hook| Box::new(hook) as _));
    }
}
