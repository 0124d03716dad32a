//! What a running statement has around it: parameters, transactions, the session, its limits.
//!
//! Neighbours: `frame` (what changes), `session` makes one of these for each execution.

use std::cell::{Cell, OnceCell, RefCell};

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicBool, Ordering};

use super::{Account, Parameters, SharedTransaction, Sources, Versions};
use crate::ast::{ConflictAction, RaiseAction};
use crate::catalog::{DatabaseIndex, ObjectId, Schema};
use crate::error::{Error, ErrorKind, Result};
use crate::function;
use crate::modify::Compiler;
use crate::plan::SourceId;
use crate::store::{Cursor, TreeId};
use crate::types::{Collations, Datum};

/// From how many rows on batches are worth their start.
const BATCH_ROWS_MIN: u64 = 512;

/// From how many rows on threads are worth their start.
const PARALLEL_ROWS_MIN: u64 = 10_000;

/// How many bytes a statement keeps before it uses files.
const MEMORY_SOFT_BYTES: u64 = 512 << 20;

/// How many rows pass between two looks at the interrupt flag.
const TICKS: u32 = 1024;

/// How many bytes made by functions are taken for a row.
const TICK_BYTES: usize = 4096;

/// What changes while a statement runs.
#[derive(Debug, Default)]
pub struct RunState {
    /// How far the newest constraint error reaches.
    pub failed: Cell<Option<ConflictAction>>,
    /// Which RAISE ended a trigger.
    pub raised: Cell<Option<RaiseAction>>,
    /// Where only pure functions may be called (an index, a CHECK constraint).
    pub pure_place: Cell<Option<&'static str>>,
    /// Rows until the next look at the interrupt flag.
    pub ticks: Cell<u32>,
    /// How many triggers and foreign key actions run inside each other.
    pub depth: Cell<u32>,
    /// What the statement that fired the running trigger does about conflicts, which the
    /// trigger's own statements then do, too.
    pub conflict: Cell<Option<ConflictAction>>,
    /// Places of texts in the orders of the application.
    pub ranks: super::rank::Ranks,
    /// What sorts and hash tables keep.
    pub memory: OnceCell<Account>,
    /// Common tables that several places read, by their numbers.
    pub(super) shared: RefCell<Vec<Option<super::SharedRows>>>,
    /// Whether the batches that run have given nothing yet, so that the row gear can begin anew in
    /// their place.
    pub may_restart: Cell<bool>,
    /// Whether they are to, because they keep too much.
    pub restarts: Cell<bool>,
    /// The triggers that run, the innermost last.
    pub active: RefCell<Vec<ObjectId>>,
    /// What operators take, where that is asked.
    pub profile: Option<Box<super::Profile>>,
}

/// While it lives, only pure functions may be called.
pub struct PurePlace<'a> {
    run: &'a RunState,
    before: Option<&'static str>,
}

impl RunState {
    /// What sorts and hash tables keep; made when the first of them asks.
    pub(super) fn memory(&self) -> &Account {
        self.memory.get_or_init(Account::default)
    }

    /// Said by an operator of the batch gear that keeps more than it should and has no files: an
    /// error where the row gear, which has some, can begin anew in the place of the batches.
    pub(super) fn give_batches_up(&self) -> Result<()> {
        if !self.may_restart.get() {
            return Ok(());
        }
        self.restarts.set(true);
        Err(Error::new(ErrorKind::Limit, "the batches of the statement keep too much"))
    }

    /// Makes it as for a new run, without touching what was not used.
    #[inline]
    pub fn renew(&mut self) {
        self.failed.set(None);
        self.raised.set(None);
        self.pure_place.set(None);
        self.ticks.set(0);
        self.depth.set(0);
        self.conflict.set(None);
        self.may_restart.set(false);
        self.restarts.set(false);
        if self.memory.get().is_some() {
            self.memory = OnceCell::new();
        }
        self.shared.get_mut().clear();
        self.ranks.clear();
        self.active.get_mut().clear();
        if self.profile.is_some() {
            self.profile = None;
        }
    }

    /// Allows only pure functions, because `place` is what calls them.
    pub fn pure(&self, place: &'static str) -> PurePlace<'_> {
        PurePlace { run: self, before: self.pure_place.replace(Some(place)) }
    }
}

impl Drop for PurePlace<'_> {
    fn drop(&mut self) {
        self.run.pure_place.set(self.before);
    }
}

/// The surroundings of a running statement.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Values of parameters.
    pub parameters: Parameters<'a>,
    /// What functions ask of the session.
    pub session: &'a dyn function::Session,
    /// The application's collations.
    pub collations: &'a dyn Collations,
    /// The transactions behind the plan's sources.
    pub sources: Sources<'a>,
    /// Other branches and times that it reads.
    pub versions: &'a Versions,
    /// The schemas of `main`, `temp` and attached databases, as of the statement's start.
    pub schemas: &'a [Arc<Schema>],
    /// Set by another thread to stop the statement.
    pub interrupt: &'a AtomicBool,
    /// What the session was told (`foreign_keys` and the like).
    pub settings: &'a Settings,
    /// What a statement counts.
    pub counters: &'a Counters,
    /// What changes while the statement runs, its triggers included.
    pub run: &'a RunState,
    /// Makes programs of triggers and statements of foreign keys.
    pub compiler: &'a dyn Compiler,
}

/// What PRAGMAs set and statements heed.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a PRAGMA of its own")]
pub struct Settings {
    /// `foreign_keys`
    pub foreign_keys: bool,
    /// `defer_foreign_keys`
    pub defer_foreign_keys: bool,
    /// `recursive_triggers`
    pub recursive_triggers: bool,
    /// `ignore_check_constraints`
    pub ignore_check_constraints: bool,
    /// `case_sensitive_like`
    pub case_sensitive_like: bool,
    /// `legacy_alter_table`
    pub legacy_alter_table: bool,
    /// `query_only`
    pub query_only: bool,
    /// `require_where`
    pub require_where: bool,
    /// `reverse_unordered_selects`
    pub reverse_unordered_selects: bool,
    /// How deep triggers may nest.
    pub trigger_depth_max: u32,
    /// What the planner may do; all of it, unless a test compares plans.
    pub rules: crate::plan::Rules,
    /// From how many rows of its tables on a subtree of a plan runs in the batch gear.
    pub batch_rows_min: u64,
    /// How many threads a statement works with at most.
    pub threads: u32,
    /// From how many rows of a table on several threads read it.
    pub parallel_rows_min: u64,
    /// How many bytes a statement's sorts and hash tables keep before they go to files.
    pub memory_soft_bytes: u64,
    /// How many bytes they may take at all, where that is less than half of the machine has.
    pub memory_hard_bytes: u64,
}

impl Settings {
    /// How many bytes a statement's sorts and hash tables may take: what was set, and never more
    /// than half of the machine's memory.
    pub(crate) fn memory_most(&self) -> u64 {
        self.memory_hard_bytes.min(super::memory::machine_share())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            foreign_keys: false,
            defer_foreign_keys: false,
            recursive_triggers: false,
            ignore_check_constraints: false,
            case_sensitive_like: false,
            legacy_alter_table: false,
            query_only: false,
            require_where: false,
            reverse_unordered_selects: false,
            trigger_depth_max: 1000,
            rules: crate::plan::Rules::default(),
            batch_rows_min: BATCH_ROWS_MIN,
            threads: u32::MAX,
            parallel_rows_min: PARALLEL_ROWS_MIN,
            memory_soft_bytes: MEMORY_SOFT_BYTES.min(super::memory::machine_share() / 2),
            memory_hard_bytes: u64::MAX,
        }
    }
}

/// What a session counts while statements run.
#[derive(Debug, Default)]
pub struct Counters {
    /// `last_insert_rowid()`
    pub last_insert_rowid: Cell<i64>,
    /// `changes()`
    pub changes: Cell<i64>,
    /// `total_changes()`
    pub total_changes: Cell<i64>,
    /// Foreign keys that are broken now and must not be at the end of the statement.
    pub immediate_violations: Cell<i64>,
    /// Foreign keys that are broken now and must not be at the end of the transaction.
    pub deferred_violations: Cell<DeferredViolations>,
}

/// Foreign keys that may be broken until the transaction ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeferredViolations {
    /// Of keys that are declared so.
    pub declared: i64,
    /// Of other keys, which `PRAGMA defer_foreign_keys` puts off.
    pub by_setting: i64,
}

impl DeferredViolations {
    /// Whether a transaction may commit: as in SQLite they may not be fewer than none either,
    /// which comes of rows that were broken before.
    pub fn are_none(self) -> bool {
        self.declared + self.by_setting == 0
    }
}

impl<'a> Context<'a> {
    /// The value of parameter `index`; NULL where none is bound.
    #[inline]
    pub fn parameter(&self, index: u32) -> Datum<'a> {
        Datum::Ref(self.parameters.get(index as usize))
    }

    /// The transaction behind a source, for a change.
    pub fn transaction(&self, source: SourceId) -> Result<&'a SharedTransaction> {
        self.sources.share(source)
    }

    /// A cursor over a tree as it is now.
    pub fn cursor(&self, source: SourceId, tree: TreeId) -> Result<Cursor> {
        let database = DatabaseIndex(source.0);
        if database.version_place().is_some() {
            return self.versions.cursor(database, tree);
        }
        self.sources.look(source)?.cursor(tree)
    }

    /// How many keys a tree has.
    pub fn len(&self, source: SourceId, tree: TreeId) -> Result<u64> {
        let database = DatabaseIndex(source.0);
        if database.version_place().is_some() {
            return self.versions.count_range(database, tree, &[], None);
        }
        self.sources.look(source)?.len(tree)
    }

    /// How many keys of a tree lie from `from` (included) up to `to` (not included).
    pub fn count_range(
        &self,
        source: SourceId,
        tree: TreeId,
        from: &[u8],
        to: Option<&[u8]>,
    ) -> Result<u64> {
        let database = DatabaseIndex(source.0);
        if database.version_place().is_some() {
            return self.versions.count_range(database, tree, from, to);
        }
        self.sources.look(source)?.count_range(tree, from, to)
    }

    /// The schema of a database.
    pub fn schema(&self, database: DatabaseIndex) -> Option<Arc<Schema>> {
        if database.version_place().is_some() {
            return self.versions.get(database).map(|version| Arc::clone(&version.schema));
        }
        self.schemas.get(usize::from(database.0)).cloned()
    }

    /// Called for each row that is read: looks at the interrupt flag now and then.
    #[inline]
    pub fn tick(&self) -> Result<()> {
        let left = self.run.ticks.get();
        if left > 0 {
            self.run.ticks.set(left - 1);
            return Ok(());
        }
        self.look_up()
    }

    /// As [`tick`](Self::tick), for many rows at once.
    pub fn tick_rows(&self, rows: usize) -> Result<()> {
        let left = self.run.ticks.get();
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        if left >= rows {
            self.run.ticks.set(left - rows);
            return Ok(());
        }
        self.look_up()
    }

    /// As [`tick`](Self::tick), for a value that a function has made: a large one takes as long
    /// as many rows.
    #[inline]
    pub fn tick_value(&self, value: &Value) -> Result<()> {
        match value {
            Value::Text(bytes) | Value::Blob(bytes) if bytes.len() >= TICK_BYTES => {
                self.tick_rows(bytes.len() / TICK_BYTES)
            }
            _ => Ok(()),
        }
    }

    /// Looks at the interrupt flag.
    fn look_up(&self) -> Result<()> {
        self.run.ticks.set(TICKS);
        if self.interrupt.load(Ordering::Relaxed) || self.session.is_stopped() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        if self.session.is_overdue() {
            return Err(Error::new(ErrorKind::Limit, "the statement took too long")
                .with_hint("PRAGMA statement_timeout bounds it"));
        }
        Ok(())
    }
}
