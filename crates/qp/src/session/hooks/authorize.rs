//! The application's authorizer, and what statements that are not bound ask it.
//!
//! It is asked while a statement is prepared, and again where a plan is made anew because the
//! schema has changed. Plans that were made for another authorizer are thrown away. The engine's
//! own statements ask nobody. Neighbours: `prepare` asks here, `bind::authorize` for names,
//! `hooks` keeps the other things that an application may say.

use crate::ast::{self, DropKind, StatementKind, TransactionStatement};
use crate::authorize::{AuthAction, AuthContext, Authorization, Authorize, Authorizer};
use crate::bind::denied;
use crate::catalog::{DatabaseIndex, ObjectKind};
use crate::error::Result;
use crate::session::Session;

impl Session {
    /// Sets who is asked for what statements would do; plans are made anew.
    pub fn set_authorizer(&self, authorizer: Option<Authorizer>) {
        self.generation.set(self.generation.get() + 1);
        *self.hooks.authorizer.borrow_mut() = authorizer;
    }

    /// Who is asked for what is bound now; none where the engine itself wants it.
    pub(in crate::session) fn asked(&self) -> Option<&dyn Authorize> {
        (self.hooks.asks.get() && self.hooks.authorizer.borrow().is_some()).then_some(self as _)
    }

    /// Does `work`, in which the application's words are bound.
    pub(crate) fn asking<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        /// Puts back what was there, also where the authorizer panics.
        struct Back<'a>(&'a std::cell::Cell<bool>, bool);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let asks = &self.hooks.asks;
        let _back = Back(asks, asks.replace(true));
        work()
    }

    /// Whether a statement that is not bound before it runs may run; false leaves it out.
    pub(in crate::session) fn may_run(
        &self,
        sql: &str,
        statement: &ast::Statement,
    ) -> Result<bool> {
        if self.hooks.authorizer.borrow().is_none() {
            return Ok(true);
        }
        self.asking(|| self.may_do(sql, statement))
    }

    fn may_do(&self, sql: &str, statement: &ast::Statement) -> Result<bool> {
        match &statement.kind {
            StatementKind::CreateTable(create) => {
                let (table_name, is_temp) = (&*create.name.name.text, create.temporary);
                let (database, is_temp) = self.home(&create.name, is_temp);
                self.may(&database, || {
                    if is_temp {
                        AuthAction::CreateTempTable { table_name }
                    } else {
                        AuthAction::CreateTable { table_name }
                    }
                })
            }
            StatementKind::CreateView(create) => {
                let view_name = &*create.name.name.text;
                let (database, is_temp) = self.home(&create.name, create.temporary);
                self.may(&database, || {
                    if is_temp {
                        AuthAction::CreateTempView { view_name }
                    } else {
                        AuthAction::CreateView { view_name }
                    }
                })
            }
            StatementKind::CreateTrigger(create) => {
                let trigger_name = &*create.name.name.text;
                let table_name = &*create.table.name.text;
                if create.if_not_exists && self.found(trigger_name).is_there {
                    return Ok(true);
                }
                let (database, is_temp) = self.home(&create.name, create.temporary);
                self.may(&database, || {
                    if is_temp {
                        AuthAction::CreateTempTrigger { trigger_name, table_name }
                    } else {
                        AuthAction::CreateTrigger { trigger_name, table_name }
                    }
                })
            }
            StatementKind::CreateIndex(create) => {
                let (index_name, table_name) = (&*create.name.name.text, &*create.table.text);
                let database = match &create.name.schema {
                    Some(schema) => schema.text.clone(),
                    None => self.found(&create.table.text).database,
                };
                // One that is there and may be is not made.
                if create.if_not_exists && self.found(index_name).is_there {
                    return Ok(true);
                }
                self.may(&database, || {
                    if is_temp(&database) {
                        AuthAction::CreateTempIndex { index_name, table_name }
                    } else {
                        AuthAction::CreateIndex { index_name, table_name }
                    }
                })
            }
            StatementKind::Drop(drop) => self.may_drop(drop),
            StatementKind::AlterTable(alter) => {
                let database = self.where_is(&alter.table).database;
                let table_name = &*alter.table.name.text;
                self.may(&database, || AuthAction::AlterTable {
                    database_name: &database,
                    table_name,
                })
            }
            StatementKind::Transaction(transaction) => self.may_end(transaction),
            _ => self.may_else(sql, statement),
        }
    }

    fn may_drop(&self, drop: &ast::Drop) -> Result<bool> {
        let Found { database, table, is_there } = self.where_is(&drop.name);
        let (name, table_name) = (&*drop.name.name.text, table.as_deref().unwrap_or_default());
        if !is_there {
            // What is not there is an error, or nothing, without anybody's leave.
            return Ok(true);
        }
        let mut may = self.may(&database, || match (drop.kind, is_temp(&database)) {
            (DropKind::Table, false) => AuthAction::DropTable { table_name: name },
            (DropKind::Table, true) => AuthAction::DropTempTable { table_name: name },
            (DropKind::View, false) => AuthAction::DropView { view_name: name },
            (DropKind::View, true) => AuthAction::DropTempView { view_name: name },
            (DropKind::Index, false) => AuthAction::DropIndex { index_name: name, table_name },
            (DropKind::Index, true) => AuthAction::DropTempIndex { index_name: name, table_name },
            (DropKind::Trigger, false) => {
                AuthAction::DropTrigger { trigger_name: name, table_name }
            }
            (DropKind::Trigger, true) => {
                AuthAction::DropTempTrigger { trigger_name: name, table_name }
            }
        })?;
        if !matches!(drop.kind, DropKind::Table | DropKind::View) {
            return Ok(may);
        }
        // The rows go, too, and the triggers.
        may &= self.may(&database, || AuthAction::Delete { table_name: name })?;
        for (database, trigger_name) in self.triggers_of(&database, name) {
            let (trigger_name, table_name) = (&*trigger_name, name);
            may &= self.may(&database, || {
                if is_temp(&database) {
                    AuthAction::DropTempTrigger { trigger_name, table_name }
                } else {
                    AuthAction::DropTrigger { trigger_name, table_name }
                }
            })?;
        }
        Ok(may)
    }

    /// The triggers of a table or view, with the databases that they are in.
    fn triggers_of(&self, database: &str, name: &str) -> Vec<(Box<str>, Box<str>)> {
        let databases = self.databases.borrow();
        let mut triggers = Vec::new();
        let home = databases.iter().find(|known| known.name.eq_ignore_ascii_case(database));
        let Some(home) = home.map(|home| home.attachment) else { return triggers };
        for attached in databases.iter() {
            let own = attached.schema.objects.iter().filter(|object| {
                object.kind == ObjectKind::Trigger && object.is_of(name, home, attached.attachment)
            });
            triggers.extend(own.map(|object| (attached.name.clone(), object.name.clone())));
        }
        triggers
    }

    fn may_end(&self, transaction: &TransactionStatement) -> Result<bool> {
        let savepoint = |operation, name: &ast::Name| {
            self.asks_for(AuthAction::Savepoint { operation, savepoint_name: &name.text }, None)
        };
        let operation = match transaction {
            TransactionStatement::Begin { .. } => "BEGIN",
            TransactionStatement::Commit { .. } => "COMMIT",
            TransactionStatement::Rollback => "ROLLBACK",
            TransactionStatement::Savepoint(name) => return savepoint("BEGIN", name),
            TransactionStatement::Release(name) => return savepoint("RELEASE", name),
            TransactionStatement::RollbackTo(name) => return savepoint("ROLLBACK", name),
        };
        self.asks_for(AuthAction::Transaction { operation }, None)
    }

    fn may_else(&self, sql: &str, statement: &ast::Statement) -> Result<bool> {
        let named = |name: &Option<Box<ast::QualifiedName>>| {
            name.as_ref().map_or(Box::from(""), |name| name.name.text.clone())
        };
        match &statement.kind {
            StatementKind::Pragma(pragma) => {
                let pragma_name = &*pragma.name.name.text;
                let pragma_value = pragma.value.as_ref().map(ast::PragmaValue::as_str);
                let database = pragma.name.schema.as_ref().map(|schema| &*schema.text);
                self.asks_for(AuthAction::Pragma { pragma_name, pragma_value }, database)
            }
            StatementKind::Attach(attach) => {
                let filename = match &attach.file.kind {
                    ast::ExpressionKind::Literal(ast::Literal::Text(text)) => &**text,
                    _ => "",
                };
                self.asks_for(AuthAction::Attach { filename }, None)
            }
            StatementKind::Detach(name) => {
                let text = name.span.of(sql).trim();
                let database_name = text.trim_matches(['"', '\'', '`', '[', ']']);
                self.asks_for(AuthAction::Detach { database_name }, None)
            }
            StatementKind::Analyze(name) => {
                self.asks_for(AuthAction::Analyze { name: &named(name) }, None)
            }
            StatementKind::Reindex(name) => {
                self.asks_for(AuthAction::Reindex { name: &named(name) }, None)
            }
            StatementKind::Vacuum(_) => self.asks_for(AuthAction::Vacuum, None),
            StatementKind::Branch(_) => {
                self.asks_for(AuthAction::Branch { statement: sql.trim() }, None)
            }
            StatementKind::Summarize(name) => self.may_summarize(&name.name.text),
            _ => Ok(true),
        }
    }

    /// A summary reads all columns: it is refused whole where one of them is left out.
    fn may_summarize(&self, table_name: &str) -> Result<bool> {
        let database = self.found(table_name).database;
        let columns: Vec<Box<str>> = {
            let databases = self.databases.borrow();
            let tables = databases.iter().filter_map(|attached| attached.schema.table(table_name));
            let columns = tables.take(1).flat_map(|table| &table.columns);
            columns.map(|column| column.name.clone()).collect()
        };
        let mut may = self.asks_for(AuthAction::Select, None)?;
        for column_name in &columns {
            let action = AuthAction::Read { table_name, column_name };
            may &= self.asks_for(action, Some(&database))?;
        }
        Ok(may)
    }

    fn may<'a>(&self, database: &str, action: impl FnOnce() -> AuthAction<'a>) -> Result<bool> {
        self.asks_for(action(), Some(database))
    }

    fn asks_for(&self, action: AuthAction<'_>, database: Option<&str>) -> Result<bool> {
        let context = AuthContext::new(action, database, None);
        match self.authorize(context) {
            Authorization::Allow => Ok(true),
            Authorization::Ignore => Ok(false),
            Authorization::Deny => Err(denied(context)),
        }
    }

    /// Where a new object goes, and whether that is the temporary database.
    fn home(&self, name: &ast::QualifiedName, temporary: bool) -> (Box<str>, bool) {
        let database = match &name.schema {
            Some(schema) => schema.text.clone(),
            None if temporary => Box::from("temp"),
            None => Box::from("main"),
        };
        let is_temp = is_temp(&database);
        (database, is_temp)
    }

    /// Where an object is, and which table it belongs to.
    fn where_is(&self, name: &ast::QualifiedName) -> Found {
        let found = self.found(&name.name.text);
        match &name.schema {
            Some(schema) => Found { database: schema.text.clone(), ..found },
            None => found,
        }
    }

    /// The database that has an object, as names are looked up: `temp` first.
    fn found(&self, name: &str) -> Found {
        let databases = self.databases.borrow();
        let temp = usize::from(DatabaseIndex::TEMP.0);
        let order = std::iter::once(temp).chain((0..databases.len()).filter(|it| *it != temp));
        for attached in order.filter_map(|place| databases.get(place)) {
            let mut objects = attached.schema.objects.iter();
            if let Some(found) = objects.find(|object| object.name.eq_ignore_ascii_case(name)) {
                let (database, table) = (attached.name.clone(), Some(found.table.clone()));
                return Found { database, table, is_there: true };
            }
        }
        Found { database: Box::from("main"), table: None, is_there: false }
    }
}

/// Where an object is.
struct Found {
    /// The database: `main` where there is no such object.
    database: Box<str>,
    /// The table that it belongs to.
    table: Option<Box<str>>,
    /// Whether there is such an object.
    is_there: bool,
}

impl Authorize for Session {
    fn authorize(&self, context: AuthContext<'_>) -> Authorization {
        let mut authorizer = self.hooks.authorizer.borrow_mut();
        authorizer.as_mut().map_or(Authorization::Allow, |authorizer| authorizer(context))
    }
}

fn is_temp(database: &str) -> bool {
    database.eq_ignore_ascii_case("temp") || database.eq_ignore_ascii_case("temporary")
}
