//! What a running statement has around it: parameters, transactions, the session, its limits.
//!
//! Neighbours: `frame` (what changes), `session` makes one of these for each execution.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pandodb_ds::record::Value;
use pandodb_ds::sync::Arc;
use pandodb_ds::sync::atomic::{AtomicBool, Ordering};

use crate::ast::RaiseAction;
use crate::catalog::{DatabaseIndex, Schema};
use crate::error::{Error, ErrorKind, Result};
use crate::function;
use crate::plan::SourceId;
use crate::store::{Cursor, Transaction, TreeId};
use crate::types::{Collations, Datum};

/// How many rows pass between two looks at the interrupt flag.
const TICKS: u32 = 1024;

/// A transaction that the statements of a session share.
pub type SharedTransaction = Rc<RefCell<Transaction>>;

/// The surroundings of a running statement.
pub struct Context<'a> {
    /// Values of parameters.
    pub parameters: &'a [Value],
    /// What functions ask of the session.
    pub session: &'a dyn function::Session,
    /// The application's collations.
    pub collations: &'a dyn Collations,
    /// The transactions behind the plan's sources.
    pub sources: &'a [SharedTransaction],
    /// The schemas of `main`, `temp` and attached databases, as of the statement's start.
    pub schemas: &'a [Arc<Schema>],
    /// Set by another thread to stop the statement.
    pub interrupt: &'a AtomicBool,
    /// What a statement counts.
    pub counters: &'a Counters,
    /// Which RAISE ended a trigger.
    pub raised: Cell<Option<RaiseAction>>,
    /// Where only pure functions may be called (an index, a CHECK constraint).
    pub pure_place: Cell<Option<&'static str>>,
    /// Rows until the next look at the flag.
    pub ticks: Cell<u32>,
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
    pub deferred_violations: Cell<i64>,
}

impl<'a> Context<'a> {
    /// The value of parameter `index`; NULL where none is bound.
    #[inline]
    pub fn parameter(&self, index: u32) -> Datum<'a> {
        self.parameters.get(index as usize).map_or(Datum::NULL, Datum::from)
    }

    /// The transaction behind a source.
    pub fn transaction(&self, source: SourceId) -> Result<&'a SharedTransaction> {
        self.sources.get(usize::from(source.0)).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("the statement has no source {}", source.0))
        })
    }

    /// A cursor over a tree as it is now.
    pub fn cursor(&self, source: SourceId, tree: TreeId) -> Result<Cursor> {
        self.transaction(source)?.borrow().cursor(tree)
    }

    /// The schema of a database.
    pub fn schema(&self, database: DatabaseIndex) -> Option<&Arc<Schema>> {
        self.schemas.get(usize::from(database.0))
    }

    /// Called for each row that is read: looks at the interrupt flag now and then.
    #[inline]
    pub fn tick(&self) -> Result<()> {
        let left = self.ticks.get();
        if left > 0 {
            self.ticks.set(left - 1);
            return Ok(());
        }
        self.ticks.set(TICKS);
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        Ok(())
    }
}
