//! A session: what a connection is to this crate.
//!
//! It holds the databases that names can mean (`main`, `temp`, attached), the transaction that
//! is open, settings, counters, and the plans of statements. Statements borrow it. A session is
//! used by one thread at a time; another thread can only interrupt it.
//!
//! | file | what |
//! |---|---|
//! | `prepare` | text to a prepared statement, cached by text and schema |
//! | `statement` | bind, step, reset |
//! | `transaction` | BEGIN to COMMIT, savepoints, autocommit |
//! | `version` | other branches and times that a statement reads |
//! | `advise` | indexes that a statement misses |
//! | `blob` | values that are read and written in pieces |
//! | `command` | statements that are neither queries nor changes |
//! | `hooks` | what the application is told of and may stop |
//! | `compiler` | programs of triggers and foreign keys |
//!
//! Neighbours: the facade wraps this; `bind`, `plan`, `execute`, `modify`, `define` do the work.

mod advise;
mod attach;
mod blob;
mod collations;
mod command;
mod compiler;
mod explain;
mod hooks;
mod inside;
mod prepare;
mod statement;
mod statistics;
mod temporary;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;
mod trying;
mod tuning;
mod versions;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use pandodb_ds::record::Collation;
use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicBool, Ordering};
use pandodb_ds::tree::Tree;
use pandodb_tm::TransactionId;
use rustc_hash::FxHashMap;

pub use advise::Advice;
pub use blob::BlobHandle;
pub use collations::{CollationFunction, CollationRegistry};
pub(crate) use compiler::greatest_number;
pub use hooks::{CommitHook, LogHook, PreupdateHook, ProgressHook, RollbackHook, UpdateHook};
pub use prepare::{Prepared, PreparedKind};
pub use statement::{Statement, Step};

use crate::catalog::{Attachment, DatabaseIndex, ObjectId, Schema};
use crate::error::{Error, ErrorKind, Result};
use crate::execute::{Counters, LoneTransaction, Settings, SharedTransaction};
use crate::function::Registry;
use crate::limits::Limit;
use crate::modify::{ModifyPlan, TriggerProgram};
use crate::plan::SelectPlan;
use crate::store::{Database, HeadId, Isolation, MAIN};
use transaction::Active;
use versions::version;

/// How many numbers of databases there are before those of detached ones are given again.
const NUMBERS_MAX: usize = 64;

/// A database that names can mean.
#[derive(Debug)]
pub struct Attached {
    /// Its name.
    pub name: Box<str>,
    /// Which it is, also when another one has its place.
    attachment: Attachment,
    /// The database; `temp` is made when it is first needed.
    pub database: Option<Database>,
    /// The branch that is worked on.
    pub head: HeadId,
    /// The schema that was read last.
    schema: Arc<Schema>,
    /// The version of the catalog that it was read from.
    catalog: Option<Tree>,
}

/// The transactions of a statement, by database.
type Sources = Vec<Option<SharedTransaction>>;

/// What is kept of compiled triggers and foreign keys.
#[derive(Debug, Default)]
struct Programs {
    /// The cookies that they were compiled for.
    cookies: Vec<u64>,
    triggers: FxHashMap<ObjectId, (Arc<TriggerProgram>, Vec<version::KnownVersion>)>,
    changes: compiler::OwnPlans<ModifyPlan>,
    queries: compiler::OwnPlans<SelectPlan>,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    databases: RefCell<Vec<Attached>>,
    /// The branch that names without `@` mean, while a change of another branch runs.
    reads_from: RefCell<Option<crate::ast::Name>>,
    active: RefCell<Option<Active>>,
    hooks: hooks::Hooks,
    /// Transactions that rest between two reading statements outside of a transaction.
    resting: RefCell<Vec<Option<LoneTransaction>>>,
    functions: RefCell<Registry>,
    collations: CollationRegistry,
    settings: RefCell<Settings>,
    isolation: Cell<Isolation>,
    /// The transaction that was begun last.
    begun: Cell<Option<TransactionId>>,
    /// The transaction that the next one runs again, after an error that says so: it keeps that
    /// one's age, so that it is not the victim of deadlocks again and again.
    repeats: Cell<Option<TransactionId>>,
    counters: Counters,
    interrupt: Arc<AtomicBool>,
    programs: RefCell<Programs>,
    cache: RefCell<prepare::Cache>,
    /// What was measured of trees for the planner.
    known_trees: RefCell<statistics::KnownTrees>,
    /// Schemas of other branches and times that were read last.
    version_schemas: RefCell<FxHashMap<version::SchemaKey, Arc<Schema>>>,
    /// Changes of settings, functions and collations: plans of before are not used again.
    generation: Cell<u64>,
    /// Grows with every schema that the session comes to know.
    schemas_seen: Cell<u64>,
    /// Grows with every command that may have changed a schema.
    commands: Cell<u64>,
    /// How many of them there had been when the session looked at its schemas last.
    known_at: Cell<u64>,
    /// The time that the running statement sees, in milliseconds since 1970.
    now: Cell<Option<i64>>,
    /// What the session has of its own beside the database's settings.
    tuning: tuning::Tuning,
    /// Who works here; none is the owner.
    user: RefCell<Option<Box<str>>>,
    /// The head that the fork was made of on which the session is, if it is on one.
    forked_from: Cell<Option<HeadId>>,
    /// How far all branches were with the counters of tables when statements that are only tried
    /// first asked for a number.
    pub(crate) tried_numbers: RefCell<BTreeMap<ObjectId, i64>>,
    /// What was previewed last.
    pub(crate) previewed: RefCell<Option<crate::branching::Previewed>>,
    /// Branches that go with the session; the last one, behind the transactions on them.
    pub(crate) temporary: RefCell<temporary::TemporaryBranches>,
}

/// A session may move from thread to thread, and what its statements read may be read by several
/// threads at once.
const fn assert_send<T: Send>() {}
const fn assert_sync<T: Sync>() {}
const _: () = assert_send::<Session>();
const _: () = assert_send::<crate::store::Cursor>();
const _: () = assert_sync::<crate::execute::SharedTransaction>();
const _: () = assert_sync::<SelectPlan>();

/// All rows of a query, for callers that want them at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The names of the columns.
    pub columns: Vec<Box<str>>,
    /// The rows.
    pub rows: Vec<Vec<Value>>,
}

impl Session {
    /// A session on the main branch of a database.
    pub fn new(database: Database) -> Self {
        Self::on_head(database, MAIN)
    }

    /// A session on a branch of a database.
    pub fn on_head(database: Database, head: HeadId) -> Self {
        let attached = |name: &str, attachment, database, head| Attached {
            name: Box::from(name),
            attachment,
            database,
            head,
            schema: Arc::default(),
            catalog: None,
        };
        let databases = vec![
            attached("main", Attachment::MAIN, Some(database), head),
            attached("temp", Attachment::TEMP, None, MAIN),
        ];
        Self {
            reads_from: RefCell::new(None),
            databases: RefCell::new(databases),
            active: RefCell::default(),
            hooks: hooks::Hooks::default(),
            resting: RefCell::default(),
            functions: RefCell::new(Registry::new()),
            collations: CollationRegistry::default(),
            settings: RefCell::default(),
            isolation: Cell::new(Isolation::default()),
            begun: Cell::new(None),
            repeats: Cell::new(None),
            counters: Counters::default(),
            interrupt: Arc::default(),
            programs: RefCell::default(),
            cache: RefCell::default(),
            known_trees: RefCell::default(),
            version_schemas: RefCell::default(),
            // Behind the numbers of `main` and `temp`.
            generation: Cell::new(Attachment::TEMP.0),
            schemas_seen: Cell::new(0),
            commands: Cell::new(0),
            known_at: Cell::new(0),
            now: Cell::new(None),
            tuning: tuning::Tuning::default(),
            user: RefCell::default(),
            forked_from: Cell::new(None),
            tried_numbers: RefCell::default(),
            previewed: RefCell::default(),
            temporary: RefCell::default(),
        }
    }

    /// Runs all statements of a text and throws their rows away.
    pub fn execute(&self, sql: &str) -> Result<()> {
        let mut rest = sql;
        loop {
            let (statement, behind) = self.prepare(rest)?;
            if let Some(mut statement) = statement {
                statement.run()?;
            }
            rest = rest.get(behind..).unwrap_or("");
            if rest.trim().is_empty() {
                return Ok(());
            }
        }
    }

    /// Runs the statements of a text and gives all rows of the last.
    pub fn query(&self, sql: &str) -> Result<Rows> {
        self.query_with(sql, &[])
    }

    /// As [`query`](Self::query), with parameters.
    pub fn query_with(&self, sql: &str, parameters: &[Value]) -> Result<Rows> {
        let mut rest = sql;
        let mut rows = Rows::default();
        loop {
            let (statement, behind) = self.prepare(rest)?;
            if let Some(mut statement) = statement {
                for (index, value) in parameters.iter().enumerate() {
                    statement.bind(index + 1, value.clone())?;
                }
                rows = Rows { columns: statement.column_names(), rows: Vec::new() };
                while statement.step()? == Step::Row {
                    rows.rows.push(statement.row()?);
                }
            }
            rest = rest.get(behind..).unwrap_or("");
            if rest.trim().is_empty() {
                return Ok(rows);
            }
        }
    }

    /// What stops a running statement when it is set; it is cleared when a statement begins.
    pub fn interrupt_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupt)
    }

    /// Stops the running statement.
    pub fn interrupt(&self) {
        self.interrupt.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked for the running statement to stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// Does work of the storage layer that asks now and then whether it is to go on; what stopped
    /// it is the error then.
    pub(crate) fn stoppable<T, E: Into<Error>>(
        &self,
        work: impl FnOnce(&mut dyn FnMut(u64) -> bool) -> Result<T, E>,
    ) -> Result<T> {
        let mut stopped = None;
        let done = work(&mut |_| match self.check_stopped() {
            Ok(()) => true,
            Err(error) => {
                stopped = Some(error);
                false
            }
        });
        match stopped {
            Some(error) if done.is_err() => Err(error),
            _ => done.map_err(Into::into),
        }
    }

    /// Ends what runs, if somebody asked for that or it takes too long: for work that is not in the
    /// plan of a statement, which asks by itself.
    pub(crate) fn check_stopped(&self) -> Result<()> {
        use crate::function::Session as _;

        if self.is_interrupted() || self.is_stopped() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        if self.is_overdue() {
            return Err(Error::new(ErrorKind::Limit, "the statement took too long")
                .with_hint("PRAGMA statement_timeout bounds it"));
        }
        Ok(())
    }

    /// The rowid of the newest insert.
    pub fn last_insert_rowid(&self) -> i64 {
        self.counters.last_insert_rowid.get()
    }

    /// Rows changed by the newest INSERT, UPDATE or DELETE.
    pub fn changes(&self) -> i64 {
        self.counters.changes.get()
    }

    /// Rows changed since the session began.
    pub fn total_changes(&self) -> i64 {
        self.counters.total_changes.get()
    }

    /// Changes the functions; plans are made anew.
    pub fn change_functions<T>(&self, change: impl FnOnce(&mut Registry) -> T) -> T {
        self.generation.set(self.generation.get() + 1);
        change(&mut self.functions.borrow_mut())
    }

    /// Looks at the functions.
    pub(crate) fn with_functions<T>(&self, look: impl FnOnce(&Registry) -> T) -> T {
        look(&self.functions.borrow())
    }

    /// Registers a collation.
    pub fn define_collation(&self, name: &str, compare: CollationFunction) {
        self.generation.set(self.generation.get() + 1);
        self.collations.define(name, compare);
    }

    /// How texts are ordered by the application's collations.
    pub(crate) fn collations(&self) -> &CollationRegistry {
        &self.collations
    }

    /// The names of the application's collations.
    pub(crate) fn collation_names(&self) -> Vec<Box<str>> {
        self.collations.names()
    }

    /// The name of a collation.
    pub(crate) fn collation_name(&self, collation: Collation) -> Box<str> {
        self.collations.name(collation)
    }

    /// The settings.
    pub fn settings(&self) -> Settings {
        self.settings.borrow().clone()
    }

    /// Changes the settings; plans are made anew.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.generation.set(self.generation.get() + 1);
        change(&mut self.settings.borrow_mut());
    }

    /// Who works here; none is the owner, who may do everything.
    pub fn user(&self) -> Option<Box<str>> {
        self.user.borrow().clone()
    }

    /// Says who works here: from now on only what was granted is allowed.
    pub fn set_user(&self, user: Option<&str>) {
        *self.user.borrow_mut() = user.map(Box::from);
    }

    /// Says which head the fork was made of that the session is on: its past is the fork's, too.
    pub fn set_origin(&self, origin: Option<HeadId>) {
        self.forked_from.set(origin);
    }

    /// How many bytes the sorts and hash tables of a statement keep before they go to temporary
    /// files, and how many they may take at all before the statement fails.
    pub fn set_memory_limits(&self, soft_bytes: u64, hard_bytes: u64) {
        self.change_settings(|settings| {
            settings.memory_soft_bytes = soft_bytes;
            settings.memory_hard_bytes = hard_bytes;
        });
    }

    /// The level of transactions that do not say one.
    #[inline]
    pub fn isolation(&self) -> Isolation {
        self.isolation.get()
    }

    /// Changes the level of transactions that do not say one.
    pub fn set_isolation(&self, isolation: Isolation) {
        self.isolation.set(isolation);
    }

    /// Attaches a database under a name.
    pub fn attach(&self, name: &str, database: Database, head: HeadId) -> Result<()> {
        let mut databases = self.databases.borrow_mut();
        if databases.iter().any(|known| known.name.eq_ignore_ascii_case(name)) {
            let message = format!("database {name} is already in use");
            return Err(Error::new(ErrorKind::Exists, message));
        }
        self.generation.set(self.generation.get() + 1);
        let attached = Attached {
            name: Box::from(name),
            attachment: Attachment(self.generation.get()),
            database: Some(database),
            head,
            schema: Arc::default(),
            catalog: None,
        };
        // Names are looked up in the order of the numbers: a free one among them is taken only
        // before there are too many.
        let is_full = databases.len() >= NUMBERS_MAX;
        match databases.iter_mut().find(|known| is_full && known.name.is_empty()) {
            Some(free) => *free = attached,
            None => databases.push(attached),
        }
        Ok(())
    }

    /// Puts the session on another head of a database; plans are made anew.
    pub fn use_head(&self, index: DatabaseIndex, head: HeadId) {
        if let Some(attached) = self.databases.borrow_mut().get_mut(usize::from(index.0)) {
            attached.head = head;
        }
        self.resting.borrow_mut().clear();
        self.generation.set(self.generation.get() + 1);
    }

    /// The database that `index` means; `temp` is made if it is not there yet.
    pub fn database(&self, index: DatabaseIndex) -> Result<(Database, HeadId)> {
        let mut databases = self.databases.borrow_mut();
        let Some(attached) = databases.get_mut(usize::from(index.0)) else {
            return Err(Error::new(ErrorKind::Internal, "the database is not attached"));
        };
        let database = match &attached.database {
            Some(database) => database.clone(),
            None => attached.database.insert(Database::temporary()?).clone(),
        };
        Ok((database, attached.head))
    }
}

impl crate::function::Session for Session {
    fn row_changed(&self, change: crate::function::RowChange, table: &str, rowid: i64) {
        self.tell_row(change, table, rowid);
    }

    fn watches_rows(&self) -> bool {
        self.tells_before()
    }

    fn row_changes(&self, images: &crate::function::RowImages<'_>) {
        self.tell_before(images);
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped_by_hook()
    }

    fn now_ms(&self) -> i64 {
        if let Some(now) = self.now.get() {
            return now;
        }
        let clock = self.databases.borrow().first().and_then(|main| main.database.clone());
        let now = clock.map_or(0, |database| database.clock().now_micros() / 1000);
        self.now.set(Some(now));
        now
    }

    fn local_offset_seconds(&self, unix_seconds: i64) -> i64 {
        crate::function::local_offset_seconds(unix_seconds)
    }

    fn is_overdue(&self) -> bool {
        self.is_statement_overdue()
    }

    fn check_stopped(&self) -> Result<()> {
        Self::check_stopped(self)
    }

    fn is_like_case_sensitive(&self) -> bool {
        self.settings.borrow().case_sensitive_like
    }

    fn length_max(&self) -> usize {
        self.limits().get(Limit::Length) as usize
    }

    fn pattern_bytes_max(&self) -> usize {
        self.limits().get(Limit::LikePatternLength) as usize
    }

    fn random(&self) -> u64 {
        self.databases
            .borrow()
            .first()
            .and_then(|main| main.database.as_ref().map(Database::random))
            .unwrap_or(0)
    }

    fn last_insert_rowid(&self) -> i64 {
        self.counters.last_insert_rowid.get()
    }

    fn changes(&self) -> i64 {
        self.counters.changes.get()
    }

    fn total_changes(&self) -> i64 {
        self.counters.total_changes.get()
    }
}
