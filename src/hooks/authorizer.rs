//! The authorizer: what the statements of a connection may do.
//!
//! Neighbours: `preupdate` and the module above tell of what is done.

pub use pandodb_qp::authorize::{AuthAction, AuthContext, Authorization};

use crate::connection::Connection;

impl Connection {
    /// Is asked, while a statement is prepared, for everything that it would do: the columns that
    /// it reads, the tables that it changes, the functions that it calls, also where a view, a
    /// trigger or a common table does so, which is the
    /// [`accessor`](AuthContext::accessor) then. [`Authorization::Deny`] refuses the statement
    /// with [`ErrorKind::Denied`](crate::ErrorKind::Denied); [`Authorization::Ignore`] leaves the
    /// one thing out: a column is NULL, a function gives NULL, a column that is set stays as it
    /// is, an INSERT or another statement does nothing. `None` takes the authorizer away.
    ///
    /// The actions are those of SQLite. What is different: a statement that defines something is
    /// asked for by its own action alone, not for what it writes to the schema's table; foreign
    /// keys look at other tables unasked; and [`AuthAction::Branch`] and [`AuthAction::Vacuum`]
    /// stand for statements that SQLite does not have, or does not ask for. It is asked again
    /// where a statement is prepared anew because the schema has changed, and statements that were
    /// prepared before it was set are prepared anew for it.
    ///
    /// It limits the SQL of an application's users, and is no wall around a process: whoever holds
    /// the connection can take it away.
    ///
    /// ```
    /// use pandodb::{AuthAction, Authorization, Connection, ErrorKind};
    ///
    /// let connection = Connection::open_in_memory()?;
    /// connection.execute_batch(
    ///     "CREATE TABLE user(name TEXT, password TEXT, age INTEGER);
    ///      INSERT INTO user VALUES ('ann', 'secret', 35)",
    /// )?;
    /// connection.authorizer(Some(|context: pandodb::AuthContext<'_>| match context.action {
    ///     AuthAction::Read { column_name: "password", .. } => Authorization::Ignore,
    ///     AuthAction::Read { .. } | AuthAction::Select => Authorization::Allow,
    ///     _ => Authorization::Deny,
    /// }));
    ///
    /// let sql = "SELECT name, password FROM user";
    /// let read = |row: &pandodb::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    /// let (name, password): (String, Option<String>) = connection.query_row(sql, (), read)?;
    /// assert_eq!((name.as_str(), password), ("ann", None));
    ///
    /// let error = connection.execute("DELETE FROM user", ()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Denied);
    /// # Ok::<(), pandodb::Error>(())
    /// ```
    pub fn authorizer<F>(&self, authorizer: Option<F>)
    where
        F: FnMut(AuthContext<'_>) -> Authorization + Send + 'static,
    {
        self.session.set_authorizer(authorizer.map(|authorizer| Box::new(authorizer) as _));
    }
}
