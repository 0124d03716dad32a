//! Hooks: what an application is told of a connection's work, and may stop.
//!
//! A hook belongs to its connection and runs in the thread that uses it. It cannot use that
//! connection. Neighbours: `connection` has `busy_timeout` and the interrupt handle.

mod authorizer;
mod preupdate;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use authorizer::{AuthAction, AuthContext, Authorization};
pub use preupdate::{PreUpdateCase, PreUpdateRow};

use crate::connection::Connection;

/// What happened to a row.
///
/// ```
/// use pandodb::Action;
/// assert_ne!(Action::Insert, Action::Delete);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It is new.
    Insert,
    /// It has other values.
    Update,
    /// It is gone.
    Delete,
}

impl Connection {
    /// Is asked before each commit that changes something; true refuses it, and the transaction
    /// is rolled back. `None` takes the hook away.
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// connection.commit_hook(Some(|| true));
    /// assert!(connection.execute("INSERT INTO tree VALUES ('oak')", ()).is_err());
    /// connection.commit_hook(None::<fn() -> bool>);
    /// let count: i64 = connection.query_row("SELECT count(*) FROM tree", (), |row| row.get(0))?;
    /// assert_eq!(count, 0);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn commit_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut() -> bool + Send + 'static,
    {
        self.session.set_commit_hook(hook.map(|hook| Box::new(hook) as _));
    }

    /// Is told of each rollback.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let count = Arc::new(AtomicU32::new(0));
    /// let seen = Arc::clone(&count);
    /// connection.rollback_hook(Some(move || {
    ///     seen.fetch_add(1, Ordering::Relaxed);
    /// }));
    /// connection.execute_batch("BEGIN; CREATE TABLE tree(name TEXT); ROLLBACK")?;
    /// assert_eq!(count.load(Ordering::Relaxed), 1);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn rollback_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut() + Send + 'static,
    {
        self.session.set_rollback_hook(hook.map(|hook| Box::new(hook) as _));
    }

    /// Is asked whether to wait on when something that another transaction holds did not come
    /// within the busy timeout, with how often it was asked before in this wait; false fails the
    /// statement with [`ErrorKind::Busy`](crate::ErrorKind::Busy). It is asked again each time the
    /// timeout has passed once more, a millisecond at least. It may sleep: the statement keeps its
    /// place in the queue meanwhile and goes on when the answer is there.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let database = pandodb::Database::open_in_memory()?;
    /// let (first, second) = (database.connect()?, database.connect()?);
    /// first.execute_batch("CREATE TABLE tree(name TEXT); BEGIN IMMEDIATE")?;
    ///
    /// second.busy_timeout(Duration::ZERO)?;
    /// second.busy_handler(Some(|asked| asked < 3));
    /// let error = second.execute("INSERT INTO tree VALUES ('oak')", ()).unwrap_err();
    /// assert_eq!(error.kind(), pandodb::ErrorKind::Busy);
    ///
    /// // One that ends what it waits for.
    /// second.busy_handler(Some(move |_| first.execute_batch("COMMIT").is_ok()));
    /// assert_eq!(second.execute("INSERT INTO tree VALUES ('oak')", ())?, 1);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn busy_handler<F>(&self, hook: Option<F>)
    where
        F: FnMut(u32) -> bool + Send + 'static,
    {
        self.session.set_busy_hook(hook);
    }

    /// Is told of each row that this connection changes, by its table and rowid (0 where the
    /// table has none), also when a trigger changes it. The transaction may still be rolled back.
    /// As in SQLite, a DELETE without WHERE empties a table at once and tells of no row.
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    /// use pandodb::Action;
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE tree(name TEXT)")?;
    /// let (send, receive) = channel();
    /// connection.update_hook(Some(move |action, table: &str, rowid| {
    ///     let _ = send.send((action, table.to_owned(), rowid));
    /// }));
    /// connection.execute_batch("INSERT INTO tree VALUES ('oak')")?;
    /// connection.execute_batch("DELETE FROM tree WHERE rowid = 1")?;
    /// let seen: Vec<_> = receive.try_iter().collect();
    /// assert_eq!(seen[0], (Action::Insert, "tree".to_owned(), 1));
    /// assert_eq!(seen[1], (Action::Delete, "tree".to_owned(), 1));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn update_hook<F>(&self, hook: Option<F>)
    where
        F: FnMut(Action, &str, i64) + Send + 'static,
    {
        self.session.set_update_hook(hook);
    }

    /// Is asked about once in a thousand rows while statements run, and every 10 ms while they wait
    /// for what another transaction holds; true stops the statement with
    /// [`ErrorKind::Interrupted`](crate::ErrorKind::Interrupted).
    ///
    /// ```
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// connection.progress_handler(Some(|| true));
    /// let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    ///                SELECT count(*) FROM n";
    /// let error = connection.execute_batch(endless).unwrap_err();
    /// assert_eq!(error.kind(), pandodb::ErrorKind::Interrupted);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn progress_handler<F>(&self, hook: Option<F>)
    where
        F: FnMut() -> bool + Send + 'static,
    {
        self.session.set_progress_hook(hook.map(|hook| Box::new(hook) as _));
    }

    /// Is told of each statement that begins to run, with the bound values in its text. What
    /// triggers do is not told.
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let (send, receive) = channel();
    /// connection.trace(Some(move |sql: &str| {
    ///     let _ = send.send(sql.to_owned());
    /// }));
    /// connection.query_row("SELECT ?1", [7], |row| row.get::<_, i64>(0))?;
    /// assert_eq!(receive.try_iter().collect::<Vec<_>>(), ["SELECT 7"]);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn trace<F>(&self, hook: Option<F>)
    where
        F: FnMut(&str) + Send + 'static,
    {
        self.session.tracer.set_trace(hook.map(|hook| Box::new(hook) as _));
    }

    /// Is told of each statement that has ended or was given up, and how long that took from its
    /// first step on.
    ///
    /// ```
    /// use std::sync::mpsc::channel;
    /// use std::time::Duration;
    ///
    /// let connection = pandodb::Connection::open_in_memory()?;
    /// let (send, receive) = channel();
    /// connection.profile(Some(move |sql: &str, took: Duration| {
    ///     let _ = send.send((sql.to_owned(), took));
    /// }));
    /// connection.execute_batch("CREATE TABLE tree(name TEXT); INSERT INTO tree VALUES ('oak')")?;
    /// let told: Vec<_> = receive.try_iter().map(|(sql, _)| sql).collect();
    /// assert_eq!(told.len(), 2);
    /// assert!(told[1].starts_with("INSERT"));
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn profile<F>(&self, hook: Option<F>)
    where
        F: FnMut(&str, Duration) + Send + 'static,
    {
        self.session.tracer.set_profile(hook.map(|hook| Box::new(hook) as _));
    }
}
