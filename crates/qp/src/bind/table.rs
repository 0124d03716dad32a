//! Tables: from a name in FROM (or of a change) to columns that can be read.
//!
//! Neighbours: `from` joins them; `modify` uses the same columns for the row that changes.

use pandodb_ds::sync::Arc;

use super::scope::{Asked, Called, NameScope, Qualifier, ScopeColumn, ScopeTable};
use super::{Binder, TableRelation};
use crate::ast;
use crate::catalog::{DatabaseIndex, Schema, Table, View, information, schema_table};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::VersionName;
use crate::limits;
use crate::plan::SourceId;
use crate::scalar::{ColumnPlace, JsonSign, ROWID, Scalar, SlotId};
use crate::types::Affinity;

/// What a name in FROM means.
pub(crate) enum Named {
    Table(Arc<Table>),
    View(Arc<View>),
}

/// The place of an expression that stands in the statement itself.
pub(crate) const OF_STATEMENT: &str = "ON CONFLICT";

/// The place of an expression of the very definition that is bound.
pub(crate) const OF_DEFINITION: &str = "constraints";

/// How the error begins about a name of another database in a view or trigger.
pub(crate) const FOREIGN: &str = "cannot reference objects in database";

impl Binder<'_> {
    /// The databases in which an unqualified name is looked up, in order.
    pub(crate) fn search_order(&self) -> Vec<DatabaseIndex> {
        // What is stored in a database is about that database alone; what is temporary is not.
        if let Some(home) = self.home.filter(|home| *home != DatabaseIndex::TEMP) {
            return vec![home];
        }
        let count = self.environment.schemas.len() as u16;
        let mut order = vec![DatabaseIndex::TEMP, DatabaseIndex::MAIN];
        order.extend((2..count).map(DatabaseIndex));
        order.retain(|index| index.0 < count);
        order
    }

    /// The schema of a database.
    pub(crate) fn schema(&self, database: DatabaseIndex) -> Option<Arc<Schema>> {
        if database.version_place().is_some() {
            return self.environment.versions.opened(database).map(|(_, schema)| schema);
        }
        self.environment.schemas.get(usize::from(database.0)).cloned()
    }

    /// The database itself, of a number that may be a version's.
    pub(crate) fn base_of(&self, database: DatabaseIndex) -> DatabaseIndex {
        if database.version_place().is_none() {
            return database;
        }
        self.environment.versions.opened(database).map_or(database, |(base, _)| base)
    }

    /// In which database a name with `@branch` or `AS OF` is looked up: one that has branches.
    pub(crate) fn version_database(
        &self,
        name: &ast::TableName,
        as_of: Option<&ast::PointInTime>,
    ) -> Result<DatabaseIndex> {
        let Some(schema) = &name.schema else {
            return Ok(match self.home.map(|home| self.base_of(home)) {
                Some(home) if home != DatabaseIndex::TEMP => home,
                _ => DatabaseIndex::MAIN,
            });
        };
        let database = self.database(schema)?;
        if database != DatabaseIndex::TEMP {
            return Ok(database);
        }
        let what = match (&name.branch, as_of) {
            (Some(_), _) => "belong to no branch",
            (None, _) => "have no past",
        };
        let message = format!("temporary tables {what}: {}", name.name.text);
        let error = Error::new(ErrorKind::Unsupported, message).at(name.span());
        Err(error.with_hint(format!("temp.{} is the table as it is", name.name.text)))
    }

    /// What a name with `@branch` or `AS OF` means.
    pub(crate) fn named_version(
        &self,
        name: &ast::TableName,
        as_of: Option<&ast::PointInTime>,
    ) -> Result<Named> {
        let database = self.version_database(name, as_of)?;
        let version = VersionName { database, branch: name.branch.clone(), as_of: as_of.cloned() };
        let version =
            self.environment.versions.find(version).map_err(|error| {
                if error.span().is_some() { error } else { error.at(name.span()) }
            })?;
        let found = self.schema(version).and_then(|schema| {
            let text = &name.name.text;
            let table = schema.table(text).cloned().map(Named::Table);
            table.or_else(|| schema.view(text).cloned().map(Named::View))
        });
        let found = found.or_else(|| schema_table(&name.name.text, version).map(Named::Table));
        if let Some(Named::Table(table)) = &found {
            self.check_collations(table).map_err(|error| error.at(name.name.span))?;
        }
        found.ok_or_else(|| {
            let shown = match &name.branch {
                Some(branch) => format!("{}@{}", name.name.text, branch.text),
                None => format!("{} at that time", name.name.text),
            };
            Error::new(ErrorKind::NotFound, format!("no such table: {shown}")).at(name.span())
        })
    }

    /// What a name without `@` means in a statement that changes another branch: a table or view
    /// of the session's own; none where it has none, and in all other statements.
    pub(crate) fn named_on_own_branch(&self, name: &ast::TableName) -> Result<Option<Named>> {
        let Some(branch) = self.reads_from.as_ref().filter(|_| self.home.is_none()) else {
            return Ok(None);
        };
        let is_main = name.schema.as_ref().is_none_or(|schema| schema.is("main"));
        let is_temporary = name.schema.is_none()
            && self.schema(DatabaseIndex::TEMP).is_some_and(|temp| {
                temp.table(&name.name.text).is_some() || temp.view(&name.name.text).is_some()
            });
        if !is_main || is_temporary {
            return Ok(None);
        }
        let own = ast::TableName { branch: Some(branch.clone()), ..name.clone() };
        match self.named_version(&own, None) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Refuses a table with a collation that the application has not registered.
    fn check_collations(&self, table: &Table) -> Result<()> {
        let columns = table.columns.iter().map(|column| column.collation);
        let parts = table.indexes.iter().flat_map(|index| &index.columns);
        let missing = |collation| (self.environment.missing_collation)(collation);
        match columns.chain(parts.map(|part| part.collation)).find_map(missing) {
            None => Ok(()),
            Some(name) => Err(Error::not_found("collation sequence", name)
                .with_hint("register it before the table is used")),
        }
    }

    /// The table or view called `name`.
    pub(crate) fn named(&self, schema: Option<&ast::Name>, name: &ast::Name) -> Result<Named> {
        if schema.is_some_and(|schema| schema.is(information::SCHEMA)) {
            return match information::view(&name.text)? {
                Some(view) => Ok(Named::View(view)),
                None => Err(match crate::suggest::nearest(&name.text, information::names()) {
                    Some(near) => no_table(schema, name).with_hint(format!("did you mean {near}?")),
                    None => no_table(schema, name),
                }),
            };
        }
        let order = match schema {
            Some(schema) => match self.database(schema) {
                // What is stored in a database is about that database alone.
                Ok(database)
                    if self.home.is_some_and(|home| {
                        home != DatabaseIndex::TEMP && self.base_of(home) != database
                    }) =>
                {
                    let message = format!("{FOREIGN} {}", schema.text);
                    return Err(Error::invalid(message).at(schema.span));
                }
                // A view of a version means its own version of the database.
                Ok(database) => match self.home {
                    Some(home) if self.base_of(home) == database => vec![home],
                    _ => vec![database],
                },
                Err(_) => return Err(no_table(Some(schema), name)),
            },
            None => self.search_order(),
        };
        for database in &order {
            let Some(schema) = self.schema(*database) else { continue };
            if let Some(table) = schema.table(&name.text) {
                self.check_collations(table).map_err(|error| error.at(name.span))?;
                return Ok(Named::Table(table.clone()));
            }
            if let Some(view) = schema.view(&name.text) {
                return Ok(Named::View(view.clone()));
            }
        }
        let is_home = schema.is_some() || order.len() == 1;
        let home = if is_home { order[0] } else { DatabaseIndex::MAIN };
        if let Some(table) = schema_table(&name.text, home) {
            return Ok(Named::Table(table));
        }
        let error = no_table(schema, name);
        let error = match self.home {
            // A text of the catalog means its own database alone.
            Some(home) if schema.is_none() && home != DatabaseIndex::TEMP => {
                let database = self.environment.names.get(usize::from(self.base_of(home).0));
                let database = database.map_or("", |name| &**name);
                error.renamed(format!("no such table: {database}.{}", name.text))
            }
            _ => error,
        };
        Err(match self.nearest_table(&name.text) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error,
        })
    }

    fn nearest_table(&self, name: &str) -> Option<Box<str>> {
        let schemas = self.environment.schemas;
        let tables = schemas.iter().flat_map(|schema| schema.tables.values());
        let views = schemas.iter().flat_map(|schema| schema.views.values());
        let names = tables.map(|table| &*table.name).chain(views.map(|view| &*view.name));
        crate::suggest::nearest(name, names).map(Box::from)
    }

    /// A table in FROM: what it brings to the scope, and how it is read.
    pub(crate) fn table_in_from(
        &mut self,
        table: &Arc<Table>,
        alias: Option<&ast::Name>,
        hint: Option<&ast::IndexHint>,
    ) -> Result<(ScopeTable, TableRelation)> {
        let slot = self.slot();
        let name = alias.map_or_else(|| table.name.clone(), |alias| alias.text.clone());
        let scope = self.table_scope(table, slot, &name, Called::by(alias))?;
        if let Some(ast::IndexHint::IndexedBy(name)) = hint
            && !table.indexes.iter().any(|index| name.is(&index.name))
        {
            return Err(Error::not_found("index", &name.text).at(name.span));
        }
        let source = SourceId(table.database.0);
        let relation = TableRelation {
            slot,
            source,
            table: table.clone(),
            alias: name,
            hint: hint.cloned(),
            hint_fits: false,
        };
        Ok((scope, relation))
    }

    /// The columns of a table whose row is in `slot` of the current frame.
    pub(crate) fn table_scope(
        &mut self,
        table: &Arc<Table>,
        slot: SlotId,
        alias: &str,
        called: Called,
    ) -> Result<ScopeTable> {
        let alias_column = table.rowid_alias();
        let rowid = Scalar::Column(ColumnPlace {
            depth: 0,
            slot,
            column: ROWID,
            affinity: Affinity::Integer,
            collation: None,
            json: JsonSign::None,
        });
        let mut columns = Vec::with_capacity(table.columns.len());
        for (index, column) in table.columns.iter().enumerate() {
            let place = ColumnPlace {
                depth: 0,
                slot,
                column: if alias_column == Some(index) { ROWID } else { column.position as u16 },
                affinity: column.affinity,
                collation: (alias_column != Some(index)).then_some(column.collation),
                json: JsonSign::None,
            };
            columns.push(ScopeColumn {
                name: column.name.clone(),
                scalar: Scalar::Column(place),
                hidden: column.hidden,
                merged: false,
                common: None,
                paired: None,
                declared_type: Some(column.declared_type.clone()),
            });
        }
        let mut scope = ScopeTable {
            alias: Box::from(alias),
            database: (called != Called::Row).then(|| Qualifier {
                database: self.base_of(table.database),
                is_own_name: called == Called::Name,
            }),
            table: Some(table.clone()),
            columns,
            rowid: table.has_rowid().then_some(rowid),
            slots: vec![slot],
            view: None,
            function: None,
            asked: Asked::Nothing,
        };
        if table.columns.iter().any(crate::catalog::Column::is_virtual) {
            self.virtual_columns(table, &mut scope)?;
        }
        Ok(scope)
    }

    /// Puts the expressions of virtual columns in their places.
    fn virtual_columns(&mut self, table: &Arc<Table>, scope: &mut ScopeTable) -> Result<()> {
        let mut state: Vec<u8> =
            table.columns.iter().map(|column| u8::from(column.is_virtual())).collect();
        for index in 0..table.columns.len() {
            self.virtual_column(table, scope, index, &mut state)?;
        }
        Ok(())
    }

    /// State 1: to be done; 2: being done (a second visit is a circle); 0: done.
    fn virtual_column(
        &mut self,
        table: &Arc<Table>,
        scope: &mut ScopeTable,
        index: usize,
        state: &mut [u8],
    ) -> Result<()> {
        let column = &table.columns[index];
        match (state[index], &column.generated) {
            (0, _) | (_, None) => return Ok(()),
            (2, _) => {
                let message = format!("generated column loop on \"{}\"", column.name);
                return Err(Error::invalid(message));
            }
            _ => {}
        }
        state[index] = 2;
        let Some(generated) = &column.generated else { return Ok(()) };
        for other in 0..table.columns.len() {
            if state[other] != 0 && mentions(&generated.expression, &table.columns[other].name) {
                self.virtual_column(table, scope, other, state)?;
            }
        }
        let bound = self.over_columns(scope, &generated.expression, "generated columns")?;
        // It stands wherever the column is read, also in the columns that are made of it.
        if !bound.fits(limits::GENERATED_DEPTH_MAX, &mut { limits::GENERATED_NODES_MAX }) {
            let message = format!("generated column \"{}\" is too large", column.name);
            return Err(Error::new(ErrorKind::Limit, message).with_hint(format!(
                "with the columns that it is made of it may be {} levels high and have {} parts",
                limits::GENERATED_DEPTH_MAX,
                limits::GENERATED_NODES_MAX
            )));
        }
        scope.columns[index].scalar =
            Scalar::Convert(Box::new(bound), column.affinity, Some(column.collation), true);
        state[index] = 0;
        Ok(())
    }

    /// What refuses subqueries, parameters and what is another value each time: all that is
    /// stored. A conflict target may have them, though it fits nothing then.
    pub(super) fn prohibits(&self) -> Option<&'static str> {
        self.restricted.filter(|place| *place != OF_STATEMENT)
    }

    /// Binds an expression of the schema over the columns of one table and nothing else.
    pub(crate) fn over_columns(
        &mut self,
        scope: &mut ScopeTable,
        expression: &ast::Expression,
        place: &'static str,
    ) -> Result<Scalar> {
        let outer_scopes = std::mem::take(&mut self.scopes);
        let restricted = self.restricted.replace(place);
        let frame = self.frame_index();
        let columns = std::mem::take(&mut scope.columns);
        let inner = ScopeTable {
            alias: scope.alias.clone(),
            database: scope.database,
            table: scope.table.clone(),
            columns,
            // The rowid is no column that a definition may be made of.
            rowid: match place {
                "index expressions" | "generated columns" => None,
                _ => scope.rowid.clone(),
            },
            slots: scope.slots.clone(),
            view: None,
            function: None,
            asked: Asked::Nothing,
        };
        self.scopes.push(NameScope { frame, tables: vec![inner], ..NameScope::default() });
        // The places of a definition's expressions are not places in the text that is recorded,
        // unless it is that definition.
        let is_of_text = matches!(place, OF_STATEMENT | OF_DEFINITION);
        let text = scope.table.as_ref().map_or(0, |table| table.sql.len());
        let bound = limits::with_stack_for(text, || {
            if is_of_text {
                return self.expression(expression);
            }
            let recorder = self.recorder.take();
            let bound = self.unasked(|binder| binder.expression(expression));
            self.recorder = recorder;
            bound
        });
        if let Some(mut names) = self.scopes.pop()
            && let Some(inner) = names.tables.pop()
        {
            scope.columns = inner.columns;
        }
        self.scopes = outer_scopes;
        self.restricted = restricted;
        bound
    }
}

/// Whether the text of an expression may name a column: asked by its printed form, which errs on
/// the side of yes.
fn mentions(expression: &ast::Expression, name: &str) -> bool {
    let words = crate::parse::tokens(&expression.to_string());
    let is_called =
        |place: usize| words.get(place + 1).is_some_and(|(next, is_name)| !is_name && next == "(");
    let mut words_here = words.iter().enumerate();
    words_here.any(|(place, (word, _))| word.eq_ignore_ascii_case(name) && !is_called(place))
}

#[cold]
fn no_table(schema: Option<&ast::Name>, name: &ast::Name) -> Error {
    let full = match schema {
        Some(schema) => format!("{}.{}", schema.text, name.text),
        None => name.text.to_string(),
    };
    Error::new(ErrorKind::NotFound, format!("no such table: {full}")).at(name.span)
}
