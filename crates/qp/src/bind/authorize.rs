//! Asking the application's authorizer for what names mean.
//!
//! A name is asked for where it is looked up: all ways to a column's value go through
//! `Binder::column`, a star, or USING, and each of them comes here. What a table's own definition
//! computes is the table's business, and is not asked for. Neighbours: `scope`, `select` and
//! `from` call this; `crate::authorize` says what can be asked.

use super::scope::Asked;
use super::{Binder, ScopeTable};
use crate::authorize::{AuthAction, AuthContext, Authorization};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};

/// A column in sight: scope, table, and column; none for the rowid.
pub(super) type Sight = (usize, usize, Option<usize>);

impl Binder<'_> {
    /// Whether an action may be done: false leaves it out.
    pub(crate) fn may(
        &self,
        action: AuthAction<'_>,
        database: Option<DatabaseIndex>,
    ) -> Result<bool> {
        let Some(authorizer) = self.environment.authorizer.filter(|_| self.unasked == 0) else {
            return Ok(true);
        };
        let database = database.map(|index| usize::from(self.base_of(index).0));
        let database = database.and_then(|index| self.environment.names.get(index));
        let accessor = self.accessors.last();
        let context =
            AuthContext::new(action, database.map(|name| &**name), accessor.map(|it| &**it));
        match authorizer.authorize(context) {
            Authorization::Allow => Ok(true),
            Authorization::Ignore => Ok(false),
            Authorization::Deny => Err(denied(context)),
        }
    }

    /// Whether a column in sight may be read; where not, it is NULL.
    pub(super) fn may_read(&mut self, (scope, table, column): Sight) -> Result<bool> {
        if self.environment.authorizer.is_none() || self.unasked > 0 {
            return Ok(true);
        }
        let seen = self.scopes.get_mut(scope).and_then(|scope| scope.tables.get_mut(table));
        let Some(seen) = seen.and_then(|seen| Seen::of(seen, column)) else { return Ok(true) };
        self.may_see(&seen)
    }

    /// As [`may_read`](Self::may_read) of a table that is not in sight yet.
    pub(super) fn may_read_of(&self, table: &mut ScopeTable, column: usize) -> Result<bool> {
        if self.environment.authorizer.is_none() || self.unasked > 0 {
            return Ok(true);
        }
        Seen::of(table, Some(column)).map_or(Ok(true), |seen| self.may_see(&seen))
    }

    fn may_see(&self, seen: &Seen) -> Result<bool> {
        let Seen { table_name, column_name, database } = seen;
        self.may(AuthAction::Read { table_name, column_name }, Some(*database))
    }

    /// Asks for the tables of the innermost scope of which no column was read.
    pub(crate) fn may_name_tables(&mut self) -> Result<()> {
        if self.environment.authorizer.is_none() || self.unasked > 0 {
            return Ok(());
        }
        let tables = self.scopes.last().map_or(&[][..], |scope| &scope.tables);
        let unread = tables.iter().filter(|table| table.asked == Asked::Nothing);
        let named = unread.filter_map(|seen| match (&seen.table, &seen.view) {
            (Some(table), _) => Some((table.name.clone(), table.database)),
            (None, Some(view)) => Some((view.name.clone(), view.database)),
            (None, None) => seen.function.clone().map(|name| (name, DatabaseIndex::MAIN)),
        });
        for (table_name, database) in named.collect::<Vec<_>>() {
            let action = AuthAction::Read { table_name: &table_name, column_name: "" };
            self.may(action, Some(database))?;
        }
        Ok(())
    }

    /// Binds what a view, a trigger or a common table does.
    pub(crate) fn accessing<T>(
        &mut self,
        name: &str,
        bind: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.accessors.push(Box::from(name));
        let bound = bind(self);
        self.accessors.pop();
        bound
    }

    /// Binds what belongs to the definition of a table.
    pub(crate) fn unasked<T>(&mut self, bind: impl FnOnce(&mut Self) -> T) -> T {
        self.unasked += 1;
        let bound = bind(self);
        self.unasked -= 1;
        bound
    }
}

/// A column that is read.
struct Seen {
    table_name: Box<str>,
    column_name: Box<str>,
    database: DatabaseIndex,
}

impl Seen {
    /// None for the rows of a subquery, which were asked for where it reads them.
    fn of(table: &mut ScopeTable, column: Option<usize>) -> Option<Self> {
        if table.asked == Asked::Never {
            return None;
        }
        let name = column.and_then(|column| table.columns.get(column)).map(|it| it.name.clone());
        let (table_name, database, key) = match (&table.table, &table.view) {
            (Some(table), _) => {
                let key = table.rowid_alias().map(|index| table.columns[index].name.clone());
                (table.name.clone(), table.database, key)
            }
            (None, Some(view)) => (view.name.clone(), view.database, None),
            (None, None) => (table.function.clone()?, DatabaseIndex::MAIN, None),
        };
        // Its number is no column, so that SQLite asks for the table, too.
        if name.is_some() || key.is_some() {
            table.asked = Asked::Column;
        }
        let column_name = name.or(key).unwrap_or_else(|| Box::from("ROWID"));
        Some(Self { table_name, column_name, database })
    }
}

/// The error of a statement that the authorizer refuses.
#[cold]
pub(crate) fn denied(context: AuthContext<'_>) -> Error {
    let message = match (context.action, context.database_name) {
        (AuthAction::Read { table_name, column_name }, database) if !column_name.is_empty() => {
            match database {
                Some(database) if database != "main" => {
                    format!("access to {database}.{table_name}.{column_name} is prohibited")
                }
                _ => format!("access to {table_name}.{column_name} is prohibited"),
            }
        }
        (AuthAction::Function { function_name }, _) => {
            format!("not authorized to use function: {function_name}")
        }
        _ => "not authorized".to_owned(),
    };
    let error = Error::new(ErrorKind::Denied, message);
    let hint = match context.accessor {
        Some(accessor) => format!("the application's authorizer denied it to {accessor}"),
        None => "the application's authorizer denied it".to_owned(),
    };
    error.with_hint(hint)
}
