//! CREATE, ALTER, DROP and upkeep: changes of the catalog.
//!
//! A definition is checked by building what it defines, then written as text with its numbers;
//! the session reads the catalog again at the next statement, because the cookie has changed.
//! Everything happens inside one savepoint of the transaction, so that a definition that fails
//! half-way leaves nothing. Neighbours: `catalog` (rows and their meaning), `session`.

mod alter;
mod alter_column;
mod analyze;
mod columns;
mod create;
mod drop;
mod index;
mod rename;
mod retype;
mod text;
mod trigger;
mod upkeep;

use std::collections::BTreeSet;

use pandodb_ds::sync::Arc;

pub(crate) use alter::broken_dependents;
pub(crate) use text::{definition, identifier};

use crate::ast::{Name, Statement, StatementKind};
use crate::bind::Environment;
use crate::catalog::{
    DatabaseIndex, ObjectId, ObjectKind, Schema, called_in_errors, is_reserved_name, load,
    read_cookie, schema_table, write_cookie,
};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::SharedTransaction;
use crate::session::Session;

/// A definition at work.
pub(crate) struct Definer<'s> {
    pub(crate) session: &'s Session,
    /// The whole text that spans mean.
    pub(crate) sql: &'s str,
    /// The database that changes.
    pub(crate) database: DatabaseIndex,
    pub(crate) sources: Vec<Option<SharedTransaction>>,
    pub(crate) schemas: Vec<Arc<Schema>>,
    /// Whether views and triggers that cannot be bound stay as they are, instead of being errors.
    pub(crate) spares_broken: bool,
    /// Those that are taken for broken whether they can be bound or not.
    pub(crate) spared: Arc<BTreeSet<ObjectId>>,
    /// Whether only the names in it are looked up: EXPLAIN, which changes nothing.
    pub(crate) explains: bool,
}

/// Runs a definition.
pub(crate) fn run(session: &Session, statement: &Statement, sql: &str) -> Result<()> {
    if matches!(statement.kind, StatementKind::Analyze(None)) {
        // Everything but what is temporary.
        for database in session.all_databases().into_iter().filter(|it| *it != DatabaseIndex::TEMP)
        {
            session.changing(database, |sources, schemas| {
                let mut definer = Definer::new(session, sql, database, sources, schemas);
                definer.run(statement)
            })?;
        }
        return Ok(());
    }
    if drops_nothing(session, statement) {
        return Ok(());
    }
    let database = target(session, statement)?;
    session.changing(database, |sources, schemas| {
        let mut definer = Definer::new(session, sql, database, sources, schemas);
        definer.run(statement)
    })
}

/// Looks up the names of a definition that is explained: what is wrong with them is an error that
/// the definition would have, too. Other statements have none.
pub(crate) fn explain(session: &Session, statement: &Statement, sql: &str) -> Result<()> {
    let schema = match &statement.kind {
        StatementKind::Vacuum(vacuum) => vacuum.schema.as_ref(),
        StatementKind::Pragma(pragma) => pragma.name.schema.as_ref(),
        _ => None,
    };
    if let Some(schema) = schema {
        return session.database_named(schema).map(drop);
    }
    let is_definition = matches!(
        statement.kind,
        StatementKind::CreateTable(_)
            | StatementKind::CreateIndex(_)
            | StatementKind::CreateView(_)
            | StatementKind::CreateTrigger(_)
            | StatementKind::Drop(_)
            | StatementKind::AlterTable(_)
            | StatementKind::Reindex(Some(_))
            | StatementKind::Analyze(Some(_))
    );
    if !is_definition || drops_nothing(session, statement) {
        return Ok(());
    }
    let database = target(session, statement)?;
    session.reading(|sources, schemas| {
        let definer = Definer::new(session, sql, database, sources.to_vec(), schemas.to_vec());
        Definer { explains: true, ..definer }.run(statement)
    })
}

/// Whether a statement drops something from a database that is not there, if it exists.
fn drops_nothing(session: &Session, statement: &Statement) -> bool {
    let StatementKind::Drop(drop) = &statement.kind else { return false };
    let schema = drop.name.schema.as_ref().filter(|_| drop.if_exists);
    schema.is_some_and(|schema| session.database_named(schema).is_err())
}

/// Runs a definition of the main database in the engine's own words inside of a statement; gives
/// the schemas that there are then. Views and triggers that are broken, or are `spared`, are left
/// as they are: who calls this looks at them when all is done.
pub(crate) fn run_within(
    session: &Session,
    sql: &str,
    sources: &[Option<SharedTransaction>],
    schemas: Vec<Arc<Schema>>,
    spared: &Arc<BTreeSet<ObjectId>>,
) -> Result<Vec<Arc<Schema>>> {
    let (statement, _) = crate::parse::parse_statement(sql)?;
    let statement = statement
        .ok_or_else(|| Error::new(ErrorKind::Internal, "the engine's definition is empty"))?;
    let database = DatabaseIndex::MAIN;
    let definer = Definer::new(session, sql, database, sources.to_vec(), schemas);
    let mut definer = Definer { spares_broken: true, spared: Arc::clone(spared), ..definer };
    definer.run(&statement)?;
    Ok(definer.schemas)
}

/// The database that a definition is about.
fn target(session: &Session, statement: &Statement) -> Result<DatabaseIndex> {
    let (schema, temporary) = match &statement.kind {
        StatementKind::CreateTable(create) => (create.name.schema.as_ref(), create.temporary),
        StatementKind::CreateView(create) => (create.name.schema.as_ref(), create.temporary),
        StatementKind::CreateTrigger(create) => {
            if !create.temporary && create.name.schema.is_none() && create.table.schema.is_none() {
                return main_or_temp(session, &create.table.name);
            }
            if let (true, Some(schema)) = (create.temporary, &create.name.schema) {
                let message = "temporary trigger may not have qualified name";
                return Err(Error::invalid(message).at(schema.span));
            }
            let on_temp = create.table.schema.as_ref().is_some_and(|schema| schema.is("temp"));
            let is_named = create.name.schema.is_some();
            (create.name.schema.as_ref(), create.temporary || (on_temp && !is_named))
        }
        StatementKind::CreateIndex(create) => {
            if create.name.schema.is_none() {
                return main_or_temp(session, &create.table);
            }
            (create.name.schema.as_ref(), false)
        }
        StatementKind::Drop(drop) => {
            if drop.name.schema.is_none() {
                return session.home_of(drop::kind(drop.kind), &drop.name.name);
            }
            (drop.name.schema.as_ref(), false)
        }
        StatementKind::AlterTable(alter) => {
            if alter.table.schema.is_none() {
                return session.home_of(ObjectKind::Table, &alter.table.name);
            }
            (alter.table.schema.as_ref(), false)
        }
        StatementKind::Analyze(Some(name)) if name.schema.is_none() => {
            // A database, an index or a table, in this order.
            if let Ok(database) = session.database_named(&name.name) {
                return Ok(database);
            }
            let home = session.home_of(ObjectKind::Index, &name.name)?;
            if home != DatabaseIndex::MAIN {
                return Ok(home);
            }
            return session.home_of(ObjectKind::Table, &name.name);
        }
        StatementKind::Analyze(Some(name)) => (name.schema.as_ref(), false),
        StatementKind::Reindex(Some(name)) => {
            if name.schema.is_none() {
                let index = session.home_of(ObjectKind::Index, &name.name)?;
                let table = session.home_of(ObjectKind::Table, &name.name)?;
                return Ok(if index == DatabaseIndex::MAIN { table } else { index });
            }
            (name.schema.as_ref(), false)
        }
        _ => (None, false),
    };
    if temporary {
        if let Some(schema) = schema
            && !schema.is("temp")
        {
            return Err(Error::invalid("temporary table name must be unqualified"));
        }
        return Ok(DatabaseIndex::TEMP);
    }
    match schema {
        Some(name) => session.database_named(name),
        None => Ok(DatabaseIndex::MAIN),
    }
}

/// Where an index or a trigger without a schema goes: to a temporary table, else to `main`. As in
/// SQLite those of attached databases must name theirs.
fn main_or_temp(session: &Session, table: &crate::ast::Name) -> Result<DatabaseIndex> {
    let home = session.home_of(ObjectKind::Table, table)?;
    Ok(if home == DatabaseIndex::TEMP { home } else { DatabaseIndex::MAIN })
}

impl<'s> Definer<'s> {
    fn new(
        session: &'s Session,
        sql: &'s str,
        database: DatabaseIndex,
        sources: Vec<Option<SharedTransaction>>,
        schemas: Vec<Arc<Schema>>,
    ) -> Self {
        Self {
            session,
            sql,
            database,
            sources,
            schemas,
            spares_broken: false,
            spared: Arc::default(),
            explains: false,
        }
    }
}

impl Definer<'_> {
    fn run(&mut self, statement: &Statement) -> Result<()> {
        match &statement.kind {
            StatementKind::CreateTable(create) => self.create_table(create, statement.span),
            StatementKind::CreateIndex(create) => self.create_index(create, statement.span),
            StatementKind::CreateView(create) => self.create_view(create, statement.span),
            StatementKind::CreateTrigger(create) => self.create_trigger(create, statement.span),
            StatementKind::CreateVirtualTable(create) => {
                let message = format!("no such module: {}", create.module.text);
                Err(Error::new(ErrorKind::NotFound, message).at(create.module.span))
            }
            StatementKind::Drop(drop) => self.drop_object(drop),
            StatementKind::AlterTable(alter) => self.alter_table(alter),
            StatementKind::Reindex(name) => self.reindex(name.as_deref()),
            StatementKind::Analyze(name) => self.analyze(name.as_deref()),
            _ => Err(Error::new(ErrorKind::Unsupported, "this definition is not there yet")),
        }
    }

    /// Refuses what would define the schema table, which is in no schema, anew.
    fn check_defined(&self, name: &Name, done: &str) -> Result<()> {
        schema_table(&name.text, self.database).map_or(Ok(()), |table| {
            let message = format!("table {} may not be {done}", called_in_errors(&table));
            Err(Error::invalid(message).at(name.span))
        })
    }

    /// The schema that changes.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schemas[usize::from(self.database.0)]
    }

    /// The transaction on the database that changes.
    pub(crate) fn transaction(&self) -> Result<&SharedTransaction> {
        let source = self.sources.get(usize::from(self.database.0));
        source.and_then(Option::as_ref).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "the database that changes has no transaction")
        })
    }

    /// A number for a new object: behind all others, and unlike those of other branches.
    pub(crate) fn new_object(&self) -> Result<ObjectId> {
        let greatest = self.schema().objects.iter().map(|object| object.id.0).max().unwrap_or(0);
        let random = self.transaction()?.borrow().random() & 0xff_ffff;
        Ok(ObjectId((((greatest >> 24) + 1) << 24) | random))
    }

    /// A number for a new column, unlike those of other branches.
    pub(crate) fn new_column(&self) -> Result<crate::catalog::ColumnId> {
        Ok(crate::catalog::ColumnId(self.transaction()?.borrow().random() >> 2))
    }

    /// The same definition at work in `temp`, where that may have triggers and views that know what
    /// changes in another database.
    pub(super) fn in_temp(&self) -> Option<Self> {
        let place = usize::from(DatabaseIndex::TEMP.0);
        if self.database == DatabaseIndex::TEMP || self.sources.get(place)?.is_none() {
            return None;
        }
        self.schemas.get(place)?;
        Some(Self {
            session: self.session,
            sql: self.sql,
            database: DatabaseIndex::TEMP,
            sources: self.sources.clone(),
            schemas: self.schemas.clone(),
            spares_broken: self.spares_broken,
            spared: Arc::clone(&self.spared),
            explains: self.explains,
        })
    }

    /// Tells everybody that the catalog has changed.
    pub(super) fn note_change(&self) -> Result<()> {
        write_cookie(&mut self.transaction()?.borrow_mut()).map(drop)
    }

    /// Tells everybody that the catalog has changed, and reads it again.
    pub(crate) fn changed(&mut self) -> Result<()> {
        let place = usize::from(self.database.0);
        let schema = {
            let mut transaction = self.transaction()?.borrow_mut();
            write_cookie(&mut transaction)?;
            self.session.with_stored_collations(|find| load(&transaction, self.database, find))?
        };
        self.schemas[place] = Arc::new(schema);
        let temp = usize::from(DatabaseIndex::TEMP.0);
        if place != temp
            && let Some(Some(source)) = self.sources.get(temp)
            && let Some(known) = self.schemas.get(temp)
            && read_cookie(&source.borrow())? != known.cookie
        {
            // A rename or a drop has changed what is there, too.
            let schema = self
                .session
                .with_stored_collations(|find| load(&source.borrow(), DatabaseIndex::TEMP, find))?;
            self.schemas[temp] = Arc::new(schema);
        }
        Ok(())
    }

    /// Calls `work` with what can be bound against.
    pub(crate) fn with_environment<T>(
        &self,
        work: impl FnOnce(&Environment<'_>) -> Result<T>,
    ) -> Result<T> {
        self.session.with_environment(&self.schemas, &self.sources, work)
    }

    /// Refuses names that only the engine may give.
    pub(crate) fn check_name(&self, name: &crate::ast::Name) -> Result<()> {
        if is_reserved_name(&name.text) {
            let message = format!("object name reserved for internal use: {}", name.text);
            return Err(Error::invalid(message).at(name.span));
        }
        Ok(())
    }
}
