//! A connection: one session on one branch of a database.
//!
//! A connection is used by one thread at a time and may move to another; threads that work side
//! by side open their own from a [`Database`], which is cheap. Neighbours: `statement` (prepared
//! statements), `transaction` (guards), `inspect` (PRAGMAs and the schema),
//! `engine` (the
//! session), `limits` and `advice`, which are a connection's, too.

mod advice;
mod limits;

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

pub use self::advice::IndexAdvice;
pub use self::limits::Limit;
use crate::database::Database;
use crate::engine::{self, Session};
use crate::error::{Error, ErrorKind, Result};
use crate::options::OpenOptions;
use crate::params::Params;
use crate::row::Row;
use crate::statement::Statement;
use crate::transaction::{DropBehavior, Savepoint, Transaction, TransactionBehavior};

/// A connection to a database, on one branch.
///
/// ```
/// use pandodb::Connection;
///
/// let connection = Connection::open_in_memory()?;
/// connection.execute_batch("CREATE TABLE tree(name TEXT); INSERT INTO tree VALUES ('oak')")?;
/// let name: String = connection.query_row("SELECT name FROM tree", (), |row| row.get(0))?;
/// assert_eq!(name, "oak");
/// # Ok::<(), pandodb::Error>(())
/// ```
pub struct Connection {
    database: Database,
    pub(crate) session: Session,
    pub(crate) transaction_behavior: Cell<TransactionBehavior>,
}

impl Connection {
    pub(crate) fn new(database: Database, session: Session) -> Self {
        Self { database, session, transaction_behavior: Cell::new(TransactionBehavior::Deferred) }
    }

    /// Opens the database in this file, and creates it when it does not exist.
    ///
    /// ```no_run
    /// let connection = pandodb::Connection::open("app.pando")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        OpenOptions::new().open(path)?.connect()
    }

    /// A new database in memory, gone with its last connection.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn open_in_memory() -> Result<Self> {
        OpenOptions::new().open_in_memory()?.connect()
    }

    /// The database, for more connections.
    ///
    /// ```
    /// let first = pandodb::Connection::open_in_memory()?;
    /// first.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let second = first.database().connect()?;
    /// let count: i64 = second.query_row("SELECT count(*) FROM tree", (), |row| row.get(0))?;
    /// assert_eq!(count, 0);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The file of its database, where there is one.
    ///
    /// ```
    /// assert_eq!(pandodb::Connection::open_in_memory()?.path(), None);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.database.path()
    }

    /// Prepares one statement.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut statement = connection.prepare("SELECT ?1 + 1")?;
    /// assert_eq!(statement.query_row([41], |row| row.get::<_, i64>(0))?, 42);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        let (prepared, consumed) = self.session.prepare(sql)?;
        let Some(prepared) = prepared else {
            return Err(Error::new(ErrorKind::Invalid, "there is no statement in the text"));
        };
        let rest = sql.get(consumed..).unwrap_or("");
        if engine::has_statement(rest) {
            let message = "there is more than one statement in the text";
            return Err(Error::new(ErrorKind::Invalid, message)
                .with_hint("run several with execute_batch, or step through them with batch"));
        }
        Ok(Statement::new(self, prepared))
    }

    /// The same: the plans of statements are kept, so that preparing one again is cheap. It is
    /// there for programs that are used to it.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// for number in 0..3 {
    ///     let mut statement = connection.prepare_cached("SELECT ?1 * 2")?;
    ///     assert_eq!(statement.query_row([number], |row| row.get::<_, i64>(0))?, number * 2);
    /// }
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn prepare_cached(&self, sql: &str) -> Result<Statement<'_>> {
        self.prepare(sql)
    }

    /// Runs one statement and returns how many rows it changed.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute("CREATE TABLE tree(name TEXT)", ())?;
    /// assert_eq!(connection.execute("INSERT INTO tree VALUES ('oak'), ('ash')", ())?, 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn execute<P: Params>(&self, sql: &str, params: P) -> Result<usize> {
        self.prepare(sql)?.execute(params)
    }

    /// Runs all statements of a text.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE a(x); CREATE TABLE b(y); SELECT * FROM a;")?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        let mut batch = self.batch(sql);
        while let Some(mut statement) = batch.next()? {
            statement.run_to_end()?;
        }
        Ok(())
    }

    /// The statements of a text one by one, each prepared when the ones before it have run.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut batch = connection.batch("CREATE TABLE a(x); INSERT INTO a VALUES (1), (2);");
    /// let mut changed = 0;
    /// while let Some(mut statement) = batch.next()? {
    ///     changed += statement.execute(())?;
    /// }
    /// assert_eq!(changed, 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn batch<'a>(&'a self, sql: &'a str) -> Batch<'a> {
        Batch { connection: self, sql, position: 0 }
    }

    /// Runs a query and reads its first row.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let sum: i64 = connection.query_row("SELECT 40 + ?1", [2], |row| row.get(0))?;
    /// assert_eq!(sum, 42);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn query_row<T, P, F>(&self, sql: &str, params: P, read: F) -> Result<T>
    where
        P: Params,
        F: FnOnce(&Row<'_>) -> Result<T>,
    {
        self.prepare(sql)?.query_row(params, read)
    }

    /// Runs a query that must return exactly one row, and reads it.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let error = connection.query_one("VALUES (1), (2)", (), |row| row.get::<_, i64>(0));
    /// assert_eq!(error.unwrap_err().kind(), pandodb::ErrorKind::TooManyRows);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn query_one<T, P, F>(&self, sql: &str, params: P, read: F) -> Result<T>
    where
        P: Params,
        F: FnOnce(&Row<'_>) -> Result<T>,
    {
        self.prepare(sql)?.query_one(params, read)
    }

    /// The rowid of the row that was inserted last.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT); INSERT INTO tree VALUES ('oak')")?;
    /// assert_eq!(connection.last_insert_rowid(), 1);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn last_insert_rowid(&self) -> i64 {
        self.session.last_insert_rowid()
    }

    /// How many rows the statement that ended last inserted, changed or deleted.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT); INSERT INTO tree VALUES (1), (2)")?;
    /// assert_eq!(connection.changes(), 2);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn changes(&self) -> u64 {
        self.session.changes()
    }

    /// How many rows were inserted, changed or deleted since the connection was opened, also by
    /// triggers.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.total_changes(), 0);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn total_changes(&self) -> u64 {
        self.session.total_changes()
    }

    /// Whether no transaction is open, so that each statement commits by itself.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert!(connection.is_autocommit());
    /// connection.execute_batch("BEGIN")?;
    /// assert!(!connection.is_autocommit());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn is_autocommit(&self) -> bool {
        self.session.is_autocommit()
    }

    /// How long a statement waits for what another transaction holds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.busy_timeout(Duration::from_secs(5))?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn busy_timeout(&self, timeout: Duration) -> Result<()> {
        let milliseconds = timeout.as_millis().min(i32::MAX as u128);
        self.execute_batch(&format!("PRAGMA busy_timeout = {milliseconds}"))
    }

    /// Begins a transaction that ends with its guard: see [`Transaction`].
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// let transaction = connection.transaction()?;
    /// transaction.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// transaction.commit()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn transaction(&mut self) -> Result<Transaction<'_>> {
        self.unchecked_transaction()
    }

    /// Begins a transaction with a chosen behaviour.
    ///
    /// ```
    /// use pandodb::{Connection, TransactionBehavior};
    ///
    /// let mut connection = Connection::open_in_memory()?;
    /// let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    /// transaction.rollback()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn transaction_with_behavior(
        &mut self,
        behavior: TransactionBehavior,
    ) -> Result<Transaction<'_>> {
        Transaction::begin(self, behavior)
    }

    /// Begins a transaction on a shared reference; a second one inside it fails when it begins.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let transaction = connection.unchecked_transaction()?;
    /// assert!(connection.unchecked_transaction().is_err());
    /// transaction.commit()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn unchecked_transaction(&self) -> Result<Transaction<'_>> {
        Transaction::begin(self, self.transaction_behavior.get())
    }

    /// Sets how [`Connection::transaction`] begins.
    ///
    /// ```
    /// use pandodb::{Connection, TransactionBehavior};
    ///
    /// let connection = Connection::open_in_memory()?;
    /// connection.set_transaction_behavior(TransactionBehavior::Immediate);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn set_transaction_behavior(&self, behavior: TransactionBehavior) {
        self.transaction_behavior.set(behavior);
    }

    /// Begins a savepoint that ends with its guard, outside or inside a transaction.
    ///
    /// ```
    /// let mut connection = pandodb::Connection::open_in_memory()?;
    /// let savepoint = connection.savepoint()?;
    /// savepoint.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// savepoint.rollback()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn savepoint(&mut self) -> Result<Savepoint<'_>> {
        Savepoint::begin(self, 1, DropBehavior::Rollback)
    }

    /// A handle with which another thread stops what this connection is doing.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let handle = connection.interrupt_handle();
    /// std::thread::spawn(move || handle.interrupt());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn interrupt_handle(&self) -> InterruptHandle {
        InterruptHandle(self.session.interrupt_flag())
    }

    /// The branch that statements read and write. Once another connection has dropped it, this is
    /// `#` and a number, which no branch is called by, and statements are errors until
    /// [`switch_branch`](Self::switch_branch).
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert_eq!(connection.current_branch(), "main");
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn current_branch(&self) -> String {
        self.session.current_branch()
    }

    /// Closes the connection; an open transaction is rolled back. Dropping it does the same, but
    /// cannot say what went wrong.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.close()?;
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn close(self) -> Result<()> {
        if !self.is_autocommit() {
            self.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

/// A connection may be made in one thread and used in another.
const fn assert_send<T: Send>() {}
const _: () = assert_send::<Connection>();

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("database", &self.database).finish_non_exhaustive()
    }
}

/// The statements of a text one by one; made by [`Connection::batch`].
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// let mut batch = connection.batch("SELECT 1; SELECT 2");
/// let mut statements = 0;
/// while let Some(_statement) = batch.next()? {
///     statements += 1;
/// }
/// assert_eq!(statements, 2);
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Debug)]
pub struct Batch<'a> {
    connection: &'a Connection,
    sql: &'a str,
    position: usize,
}

impl<'a> Batch<'a> {
    /// The next statement; none at the end of the text.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// assert!(connection.batch(" -- nothing").next()?.is_none());
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    #[allow(clippy::should_implement_trait, reason = "it can fail, so it is no iterator")]
    pub fn next(&mut self) -> Result<Option<Statement<'a>>> {
        // A text may have any number of empty statements one behind the other.
        loop {
            let rest = self.sql.get(self.position..).unwrap_or("");
            // Only the text of one statement is handed on, so that a long script is not copied
            // again for each of its statements.
            let first = &rest[..engine::first_statement(rest)];
            let (prepared, consumed) = self.connection.session.prepare(first)?;
            if let Some(prepared) = prepared {
                self.position += consumed;
                return Ok(Some(Statement::new(self.connection, prepared)));
            }
            if first.len() == rest.len() {
                self.position = self.sql.len();
                return Ok(None);
            }
            self.position += first.len();
        }
    }

    /// How many bytes of the text have been prepared.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let mut batch = connection.batch("SELECT 1; SELECT 2");
    /// batch.next()?;
    /// assert_eq!(batch.position(), 9);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn position(&self) -> usize {
        self.position
    }
}

/// Stops what a connection is doing, from any thread; made by [`Connection::interrupt_handle`].
///
/// ```
/// let connection = pandodb::Connection::open_in_memory()?;
/// connection.interrupt_handle().interrupt();
/// # Ok::<(), pandodb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct InterruptHandle(engine::InterruptFlag);

impl InterruptHandle {
    /// Stops the statement that is running; one that begins later is not stopped.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let handle = connection.interrupt_handle();
    /// handle.interrupt();
    /// assert_eq!(connection.query_row("SELECT 1", (), |row| row.get::<_, i64>(0))?, 1);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn interrupt(&self) {
        self.0.interrupt();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_may_have_any_number_of_empty_statements() -> Result<()> {
        let connection = Connection::open_in_memory()?;
        let sql = format!("SELECT 1{}SELECT 2", ";".repeat(100_000));
        let mut batch = connection.batch(&sql);
        assert!(batch.next()?.is_some());
        assert_eq!(
            batch.next()?.map(|statement| statement.sql().to_owned()),
            Some("SELECT 2".into())
        );
        assert!(batch.next()?.is_none());
        Ok(())
    }
}
