//! ATTACH and DETACH.
//!
//! Names are looked up in the order in which databases were attached. Neighbours: `command`.

use std::path::Path;

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;

use super::Session;
use crate::ast::{self, ExpressionKind};
use crate::bind::Binder;
use crate::branching::access::{asks_rights, check_head};
use crate::catalog::DatabaseIndex;
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Context, Frame, Outer, Parameters, RunState, Sources};
use crate::limits::Limit;
use crate::store::{Database, MAIN};
use crate::suggest::hinting;

impl Session {
    /// The text of an expression that is given as a name or a value.
    pub(super) fn text_of(
        &self,
        expression: &ast::Expression,
        parameters: &[Value],
    ) -> Result<String> {
        let value = self.value_of(expression, parameters)?;
        match crate::types::cast(value.into(), crate::types::Affinity::Text).into_value() {
            Value::Text(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ => Ok(String::new()),
        }
    }

    /// The value of an expression; a name stands for itself.
    pub(super) fn value_of(
        &self,
        expression: &ast::Expression,
        parameters: &[Value],
    ) -> Result<Value> {
        if let ExpressionKind::Column(reference) = &expression.kind
            && reference.table.is_none()
        {
            return Ok(Value::text(&*reference.column.text));
        }
        let settings = self.settings();
        let state = RunState::default();
        self.with_environment(&[], &[], |environment| {
            let mut binder = Binder::new(environment, Arc::from(""));
            let bound = binder.expression(expression)?;
            let frame = Frame::new(binder.frame().finished()?);
            let context = Context {
                parameters: Parameters::Values(parameters),
                session: self,
                collations: &self.collations,
                sources: Sources::Shared(&[]),
                schemas: &[],
                versions: &crate::execute::Versions::default(),
                interrupt: &self.interrupt,
                settings: &settings,
                counters: &self.counters,
                run: &state,
                compiler: self,
            };
            bound.evaluate_owned(&frame.scope(Outer { context: &context, scope: None }))
        })
    }

    pub(super) fn attach_statement(
        &self,
        attach: &ast::Attach,
        parameters: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        if attach.key.is_some() {
            return Err(Error::new(ErrorKind::Unsupported, "databases have no keys"));
        }
        let file = self.text_of(&attach.file, parameters)?;
        let name = self.text_of(&attach.schema, parameters)?;
        let count = self.databases.borrow().iter().filter(|known| !known.name.is_empty()).count();
        let most = self.limits().get(Limit::Attached) as usize;
        if count >= most + 2 {
            let message = format!("too many attached databases - max {most}");
            return Err(Error::invalid(message).with_hint("DETACH one that is not needed"));
        }
        let taken =
            self.databases.borrow().iter().any(|known| known.name.eq_ignore_ascii_case(&name));
        if taken {
            let message = format!("database {name} is already in use");
            return Err(Error::new(ErrorKind::Exists, message).at(attach.schema.span));
        }
        let database = if file.is_empty() || file == ":memory:" {
            Database::temporary()?
        } else {
            self.open_beside(&file)?
        };
        // Every statement begins where all attached databases may be read.
        if let Some(user) = self.user()
            && asks_rights(DatabaseIndex(count as u16), &database)?
        {
            check_head(&database, MAIN, &user, false)?;
        }
        self.attach(&name, database, MAIN)?;
        Ok(Vec::new())
    }

    /// Opens the file of an ATTACH, as far as main's may be changed, and the session may.
    fn open_beside(&self, file: &str) -> Result<Database> {
        check_is_path(file)?;
        let (main, _) = self.database(DatabaseIndex::MAIN)?;
        let vfs = super::command::files_of(&main);
        // Whoever opens a new file owns it; a user would have no right to it.
        let creates = !self.settings().query_only && self.user().is_none();
        main.open_beside(&vfs, Path::new(file), creates).map_err(|error| match error.kind() {
            ErrorKind::CannotOpen => {
                let message = format!("unable to open database: {file}");
                let why = match (creates, main.manager().is_read_only()) {
                    (_, true) => "nothing is made beside a database that is opened read-only",
                    (false, _) if self.user().is_some() => "only the owner makes one",
                    (false, _) => "with PRAGMA query_only no database is made",
                    _ => return error.renamed(message),
                };
                error.renamed(message).with_hint(format!("is there such a file? {why}"))
            }
            _ => error,
        })
    }

    pub(super) fn detach_statement(
        &self,
        written: &ast::Expression,
        parameters: &[Value],
    ) -> Result<Vec<Vec<Value>>> {
        let name = self.text_of(written, parameters)?;
        let place = self
            .databases
            .borrow()
            .iter()
            .position(|known| known.name.eq_ignore_ascii_case(&name) && !name.is_empty());
        let Some(place) = place else {
            let error = Error::not_found("database", &name).at(written.span);
            let databases = self.databases.borrow();
            let known = databases.iter().skip(2).map(|known| &*known.name);
            return Err(hinting(error, &name, known));
        };
        if place < 2 {
            let message = format!("cannot detach database {name}");
            return Err(Error::invalid(message).at(written.span));
        }
        let in_use = self
            .active
            .borrow()
            .as_ref()
            .is_some_and(|active| active.sources.get(place).is_some_and(Option::is_some));
        if in_use {
            let message = format!("database {name} is locked");
            return Err(Error::invalid(message).with_hint("end the transaction first"));
        }
        self.forget_database(DatabaseIndex(place as u16));
        self.generation.set(self.generation.get() + 1);
        self.resting.borrow_mut().clear();
        let mut databases = self.databases.borrow_mut();
        if let Some(known) = databases.get_mut(place) {
            known.name = Box::default();
            known.database = None;
            known.schema = Arc::default();
            known.catalog = None;
        }
        while databases.len() > 2 && databases.last().is_some_and(|last| last.name.is_empty()) {
            databases.pop();
        }
        Ok(Vec::new())
    }
}

/// Refuses what SQLite may read as a URI: taken for a name it would make a file called
/// `file:a.pando?mode=ro`, which can be written.
pub(super) fn check_is_path(file: &str) -> Result<()> {
    if !file.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:")) {
        return Ok(());
    }
    let message = format!("URIs are not supported: {file}");
    Err(Error::new(ErrorKind::Unsupported, message).with_hint(
        "give the file's path (./file:... for one that is called so); pando --readonly, or the \
         library's read_only, opens all files only to be read",
    ))
}
