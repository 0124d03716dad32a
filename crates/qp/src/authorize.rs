//! What an application lets the statements of a connection do.
//!
//! While a statement is prepared an *authorizer* is asked for everything that it would do: which
//! columns it reads, which tables it changes, which functions it calls. What a view, a trigger or
//! a common table does is asked for, too, with its name. The actions are SQLite's. Neighbours:
//! `bind::authorize` asks for what names mean, `session::hooks` for all other statements.

/// What a statement would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the names that the variants speak of")]
pub enum AuthAction<'a> {
    /// `CREATE INDEX`
    CreateIndex { index_name: &'a str, table_name: &'a str },
    /// `CREATE TABLE`
    CreateTable { table_name: &'a str },
    /// `CREATE INDEX` on a temporary table.
    CreateTempIndex { index_name: &'a str, table_name: &'a str },
    /// `CREATE TEMP TABLE`
    CreateTempTable { table_name: &'a str },
    /// `CREATE TEMP TRIGGER`
    CreateTempTrigger { trigger_name: &'a str, table_name: &'a str },
    /// `CREATE TEMP VIEW`
    CreateTempView { view_name: &'a str },
    /// `CREATE TRIGGER`
    CreateTrigger { trigger_name: &'a str, table_name: &'a str },
    /// `CREATE VIEW`
    CreateView { view_name: &'a str },
    /// Rows of a table are deleted. Ignored, they still are, one by one.
    Delete { table_name: &'a str },
    /// `DROP INDEX`
    DropIndex { index_name: &'a str, table_name: &'a str },
    /// `DROP TABLE`
    DropTable { table_name: &'a str },
    /// `DROP INDEX` of a temporary table.
    DropTempIndex { index_name: &'a str, table_name: &'a str },
    /// `DROP TABLE` of a temporary table.
    DropTempTable { table_name: &'a str },
    /// `DROP TRIGGER` of a temporary trigger.
    DropTempTrigger { trigger_name: &'a str, table_name: &'a str },
    /// `DROP VIEW` of a temporary view.
    DropTempView { view_name: &'a str },
    /// `DROP TRIGGER`
    DropTrigger { trigger_name: &'a str, table_name: &'a str },
    /// `DROP VIEW`
    DropView { view_name: &'a str },
    /// Rows go into a table. Ignored, none do.
    Insert { table_name: &'a str },
    /// `PRAGMA`, with its value as written.
    Pragma { pragma_name: &'a str, pragma_value: Option<&'a str> },
    /// A column is read; its name is empty where a table is named and no column of it is read.
    /// Ignored, it is NULL.
    Read { table_name: &'a str, column_name: &'a str },
    /// A query, or a query inside of another statement. Ignored, it has no rows.
    Select,
    /// `BEGIN`, `COMMIT` or `ROLLBACK`.
    Transaction { operation: &'a str },
    /// A column of rows is set. Ignored, it stays as it is.
    Update { table_name: &'a str, column_name: &'a str },
    /// `ATTACH`; the file is empty where it is known only when the statement runs.
    Attach { filename: &'a str },
    /// `DETACH`
    Detach { database_name: &'a str },
    /// `ALTER TABLE`
    AlterTable { database_name: &'a str, table_name: &'a str },
    /// `REINDEX`, with the name of a table or an index; empty for all.
    Reindex { name: &'a str },
    /// `ANALYZE`, with the name of a table or an index; empty for all.
    Analyze { name: &'a str },
    /// A function is called. Ignored, it gives NULL.
    Function { function_name: &'a str },
    /// `SAVEPOINT` (`BEGIN`), `RELEASE` or `ROLLBACK TO` (`ROLLBACK`), and the savepoint's name.
    Savepoint { operation: &'a str, savepoint_name: &'a str },
    /// A recursive common table.
    Recursive,
    /// `VACUUM`, which SQLite does not ask for.
    Vacuum,
    /// A statement about branches, tags, history or backups, as it is written.
    Branch { statement: &'a str },
}

/// An action, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct AuthContext<'a> {
    /// What would be done.
    pub action: AuthAction<'a>,
    /// In which database: `main`, `temp`, or what it was attached as.
    pub database_name: Option<&'a str>,
    /// The innermost view, trigger or common table that does it; none for the statement itself.
    pub accessor: Option<&'a str>,
}

impl<'a> AuthContext<'a> {
    pub(crate) fn new(
        action: AuthAction<'a>,
        database_name: Option<&'a str>,
        accessor: Option<&'a str>,
    ) -> Self {
        Self { action, database_name, accessor }
    }
}

/// What an authorizer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authorization {
    /// It is done.
    Allow,
    /// It is left out, and the statement does the rest.
    Ignore,
    /// The statement is refused.
    Deny,
}

/// Says what may be done.
pub type Authorizer = Box<dyn FnMut(AuthContext<'_>) -> Authorization + Send>;

/// Whom the binder asks.
pub(crate) trait Authorize {
    fn authorize(&self, context: AuthContext<'_>) -> Authorization;
}
